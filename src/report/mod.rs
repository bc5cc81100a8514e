//! How good the feeds were over a stretch of time, and whether the clocks were in tolerance, out of the store.
//!
//! Every table is the answer to one query, which is kept as SQL beside this file and which anybody can ask the store
//! too ([`QUERIES`]): the figures of a report are those of SQL by construction. Whole days are read from the tables by
//! day, the rest from those by interval. The sentences above the tables and the pictures are made of the tables.
//!
//! What this room never does: it reads no clock and judges nothing anew. Where there is no figure it says so; no data is
//! never told as 100 %.

mod clock_rule;
pub mod csv;
mod format;
mod gather;
pub mod html;
pub mod markdown;
mod queries;
mod range;
mod scorecard;
mod table;

pub use clock_rule::{ClockRule, ClockRules, with_data};
pub use gather::{Report, gather};
pub use queries::{Clocks, QUERIES, Query, RunClock};
pub use range::{DAY_NS, Range};
pub use table::{Cell, Table};
