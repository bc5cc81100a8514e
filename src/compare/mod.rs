//! Two captures, two lines or two sources held against each other: are they the same, which is first and by how much,
//! where do they differ.
//!
//! ```text
//! same feed on both sides    packets   item by item by sequence number: missing, altered, out of order, skew, drift
//! quotes on both sides       updates   by instrument, venue, side, price and size; the comparator's own judgement
//!                            findings  what the checks told of the two, by cause
//! ```
//!
//! Both come together in [`Outcome`], which text, JSON and page are made of; [`verdict`] says it in sentences. Each side
//! is read in its own order for packets, so that two clocks that stand apart cannot hide a match; quotes are compared
//! at one place, in the order of receive times. What this room never does: it reads no clock, chooses no side (the
//! command does), and never calls a constant offset between two clocks a transit time.

mod drift;
mod findings;
mod items;
mod outcome;
mod packets;
pub mod page;
mod quotes;
mod ranges;
mod spread;
pub mod text;
mod updates;
pub mod verdict;

pub use outcome::{Clocks, Outcome, PacketOutcome, QuoteOutcome, SideOutcome, Verdict};
pub use packets::{Route, Unit, compare_packets};
pub use quotes::{Sides, compare_quotes};

/// Examples of each kind that are kept.
pub const EXAMPLES_MAX: usize = 5;
/// Instruments that are named in a list.
pub const NAMED_MAX: usize = 10;
