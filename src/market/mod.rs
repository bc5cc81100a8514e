//! What instruments there are, what the sources call them, who quotes what, and in which state.
//!
//! Events come in by channel ([`channel::ChannelMarket`]), quotes go out by view ([`registry::Registry`]).
//! Nothing here sees bytes, compares two sources or reads a clock.

pub mod channel;
pub mod composite;
pub mod price;
pub mod quote;
pub mod registry;

pub use channel::{ChannelMarket, Contradictions, Touched};
pub use quote::{Level, Origin, Quality, Quote};
pub use registry::{Change, Facts, Instrument, InstrumentId, Registry, SourceId, VenueId, View, ViewId};
