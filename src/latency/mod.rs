//! How long things took, and between which two points: stage stamps become
//! histograms, histograms become HdrHistogram interval logs, logs become a report.
//!
//! A latency figure without its two end points says nothing, so a series here is
//! always named by three words: a source, the point where the measurement begins and
//! the point where it ends ([`SeriesName`]). Durations are signed. A negative one
//! (a venue stamp later than our receive stamp) is evidence about the clocks: it is
//! recorded in a twin histogram of magnitudes and takes its place below zero in every
//! percentile.
//!
//! - [`Recorder`]: the hot side, one per thread; constant memory, no clock, no I/O of its own.
//! - [`Report`]: the cold side; reads logs (ours and those of other HdrHistogram tools).
//! - [`Comparison`]: a report against a baseline.
//! - [`text`] and [`html`]: what a person or a script sees.
//!
//! What this module never does: it reads no clock (time is an argument, the clock of
//! the stages is a [`StageClock`] that the caller owns), and it never drops or clips a
//! value without counting it.

mod columns;
mod compare;
mod counts;
mod curves;
mod distribution;
pub mod html;
mod line;
mod payload;
mod period;
mod recorder;
mod report;
mod series;
pub mod text;
mod timechart;
mod timeline;

pub use columns::Columns;
pub use compare::{Comparison, Percent, Row, SeriesVerdict, Shift, Thresholds};
pub use distribution::{CountOverflow, Distribution, Percentiles, QUANTILES, Quantile};
pub use line::{ReadError, Reason};
pub use payload::PayloadError;
pub use period::{PackedPeriod, Period, PeriodSummary};
pub use recorder::{Recorder, SATURATION_NS, SeriesId, SeriesSummary};
pub use report::{Report, SeriesReport};
pub use series::SeriesName;
pub use timeline::{TimeLine, TimePoint};

/// The names of the points between which Parallax measures, so that every part of the
/// program spells them alike. What each means is said by [`meaning_of`].
pub mod point {
    /// The venue's own time of the event, from the message.
    pub const TS_EVENT: &str = "ts_event";
    /// The venue's time of sending, where a packet header carries one.
    pub const VENUE_SEND: &str = "venue_send";
    /// Receive time: the capture's stamp, or the kernel's or card's stamp on a live line.
    pub const TS_RECV: &str = "ts_recv";
    /// Our own stages begin: the pipeline took the datagram up (replay: read from the capture, at replay time).
    pub const TAKEN: &str = "taken";
    /// The packet's messages have been decoded.
    pub const DECODED: &str = "decoded";
    /// The messages have been applied to the books.
    pub const BOOKED: &str = "booked";
    /// Live: the books that the datagram changed are in shared memory.
    pub const PUBLISHED: &str = "published";
    /// The checks have seen the new state.
    pub const COMPARED: &str = "compared";
    /// A deadline of a check.
    pub const DUE: &str = "due";
    /// The record of an alert has been made.
    pub const ALERTED: &str = "alerted";
}

/// A point of measurement in words, for people who did not write the program. Points
/// that are no stage of ours (names of sources in a lead/lag series, or of another
/// tool's log) have no fixed meaning and give `None`.
#[must_use]
pub fn meaning_of(point: &str) -> Option<&'static str> {
    Some(match point {
        point::TS_EVENT => "the venue's own time of the event, read from the message",
        point::VENUE_SEND => "the venue's time of sending, read from the packet header",
        point::TS_RECV => "the receive stamp of the packet (capture, kernel or card)",
        point::TAKEN => {
            "the pipeline has taken the datagram up, on our own clock (in a replay, of one packet in 16)"
        }
        point::DECODED => "the packet's messages are decoded",
        point::BOOKED => "the messages are applied to the books (being decoded once more on the way)",
        point::PUBLISHED => "the books that the datagram changed can be read in shared memory",
        point::DUE => "the time at which a check had said it would look again",
        point::ALERTED => "the record of an alert has been made and goes out",
        point::COMPARED => "the checks have judged the new state",
        _ => return None,
    })
}

/// The clock that times our own processing stages. It is a trait because this module
/// may not read clocks: the only implementation that does lives beside the sockets, and
/// tests pass one that counts.
pub trait StageClock {
    /// Nanoseconds since some fixed moment; never runs backwards.
    fn now_ns(&self) -> u64;
}
