//! What instruments there are, what the sources call them, who quotes what, and in which state.
pub mod price;
