//! What lies behind an alert: facts gathered from a replay, a fixed list of hypotheses held against them, a verdict.
//!
//! ```text
//! datagrams ─► pipeline ─► notes ─► judge            facts ─► hypotheses ─► findings ─► verdict ─► text, JSON
//!                            └────► observer ─► facts
//! ```
//!
//! From facts on everything is a pure function. Nothing here opens a file, reads a clock or weighs likelihoods: a
//! verdict falls only where something speaks for one cause and every other cause is excluded, and is `undecided`
//! elsewhere.

pub mod all;
pub mod facts;
pub mod hypotheses;
pub mod json;
pub mod observer;
pub mod order;
pub mod posted;
pub mod subject;
pub mod text;
pub mod verdict;

pub use facts::Facts;
pub use observer::{Observer, Watched};
pub use order::Order;
pub use subject::{Alert, NotFound, Search};
pub use verdict::{Explanation, Verdict, explain};
