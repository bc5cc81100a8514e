//! Hand-written pictures as inline SVG: readable on screen and on paper, by day and by night, without a script, a font
//! or a picture from elsewhere.
//!
//! - [`lead_lag`]: who was first and by how much, a histogram over a log-symmetric axis through zero.
//! - [`steps`]: prices of sources over time, with marks.
//! - [`bars`]: a figure per interval, stacked by series; what is not known is shown as not known.
//! - [`curve`]: the percentiles of latencies, one line each.
//!
//! Every axis says its unit, and a duration's axis between which two points it was measured. The same input gives the
//! same bytes. What this room never does: it knows no market, no store and no feed, and no figure in a table comes from
//! it; whoever calls it says how a value is written.

pub mod bars;
pub mod curve;
pub mod lead_lag;
mod legend;
mod paper;
mod scale;
pub mod steps;
mod time;

pub use legend::{block_key, key, legend, line_legend};
pub use paper::{Paper, STYLES, escape};
pub use scale::{ValueScale, label as duration, thousands};
pub use time::time_axis;

/// The style sheet of every page: colours by day, by night and on paper.
pub const STYLE: &str = include_str!("page.css");
