//! What a source's side tells the side that judges: one stream of small notes, in packet order.
//!
//! ```text
//! Feeder (lines, decoding, books of some sources) ── notes ──► Judge (checks over all sources)
//! ```
//!
//! In a replay the two sit in one thread and the notes of a packet pass through a buffer; live, each receiver's
//! notes pass through a ring of its own. The notes are all that crosses, so both ways judge alike.

use super::beat::{Amount, ChannelCounts, LineCounts, Wrong};
use crate::check::gap::{Gap, Ours};
use crate::check::life::Place;
use crate::line::LineEvent;
use crate::market::{Change, Origin, Quote, SourceId, ViewId};

/// What a step is, in the order in which steps of one time take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A line has waited long enough.
    Timeout,
    /// A datagram.
    Datagram,
    /// The data of a channel is over.
    Finish,
}

/// One step of a source's side: everything that it notes takes effect together, at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// When, nanoseconds since 1970 UTC.
    pub now_ns: u64,
    /// What.
    pub class: Class,
    /// Between steps of one time and class: the channel's number over the whole configuration for timeouts and
    /// ends; the receiver's for datagrams.
    pub order: u16,
}

impl Step {
    /// A datagram that nobody wanted: time has come to it all the same.
    pub fn datagram(now_ns: u64) -> Step {
        Step { now_ns, class: Class::Datagram, order: 0 }
    }

    /// Deadlines of the checks that lie before this go first: of one time, a line's deadline goes before those of the
    /// checks, a datagram after them.
    pub fn checks_until_ns(&self) -> u64 {
        self.now_ns.saturating_add(u64::from(self.class != Class::Timeout))
    }
}

/// One thing that happened on a source's side.
#[derive(Debug)]
pub enum Note {
    /// A packet arrived, whatever it holds. `fresh` when no other line brought it before.
    Arrival {
        /// Where.
        place: Place,
        /// See above.
        fresh: bool,
    },
    /// The venue's time of sending, from the packet's header: how long ago, as far as the clocks agree.
    Send {
        /// Where.
        place: Place,
        /// Receive time less sending time.
        latency_ns: i64,
    },
    /// A timestamp of the source.
    Clock {
        /// Where.
        place: Place,
        /// The timestamp, nanoseconds since 1970 UTC.
        ts_ns: u64,
        /// When its packet was received.
        ts_recv_ns: u64,
    },
    /// The line has something to say.
    Line {
        /// Where.
        place: Place,
        /// What.
        event: LineEvent,
        /// Instruments that are suspect by now.
        suspects: u64,
        /// What this machine is known to have lost at the time.
        ours: Ours,
    },
    /// A message is lost because it cannot be understood.
    Gap {
        /// Where.
        place: Place,
        /// What.
        gap: Gap,
    },
    /// A packet was delivered; its quotes follow.
    Delivered {
        /// Where.
        place: Place,
        /// Its session.
        session: u128,
        /// Its first sequence number.
        sequence: u64,
        /// When it was received.
        ts_recv_ns: u64,
    },
    /// The venue's time of the last event of a packet: how long ago, as far as the clocks agree.
    Event {
        /// Where.
        place: Place,
        /// Receive time less event time.
        latency_ns: i64,
    },
    /// How long our own stages took, where they are timed apart.
    Stages {
        /// Where.
        place: Place,
        /// From taking it up to the end of decoding, nanoseconds.
        decoded_ns: u64,
        /// From there to the end of booking.
        booked_ns: u64,
    },
    /// When a live datagram was taken up and its books were published, on the clock of its receive time.
    Published {
        /// Where.
        place: Place,
        /// When it was received.
        ts_recv_ns: u64,
        /// When it was taken up.
        taken_ns: u64,
        /// When its books were published.
        published_ns: u64,
    },
    /// Something was learned of instruments or views.
    Change {
        /// By whom.
        source: SourceId,
        /// What, in the source's own numbers.
        change: Box<Change>,
    },
    /// A packet said something of a view; with its quote when that became another.
    View {
        /// Whose.
        source: SourceId,
        /// In the source's own numbers.
        view: ViewId,
        /// The new quote, and where it came from.
        quote: Option<(Quote, Origin)>,
    },
    /// What was said of views takes effect.
    Publish,
    /// No instrument of the channel is suspect any more.
    BooksWhole {
        /// Where.
        place: Place,
    },
    /// A recording goes on in the file of this number; origins that name it mean it.
    Capture {
        /// Position that origins name.
        number: u32,
        /// Name of the file.
        name: Box<str>,
    },
    /// What a line counted since the beat before, which ended just after `at_ns`.
    LineCounts {
        /// Where.
        place: Place,
        /// A moment of the beat.
        at_ns: u64,
        /// How much each rose.
        counts: LineCounts,
    },
    /// What a channel counted since the beat before.
    ChannelCounts {
        /// Where.
        place: Place,
        /// A moment of the beat.
        at_ns: u64,
        /// How much each rose.
        counts: ChannelCounts,
    },
    /// The most that came in a stretch of one length since the beat before.
    Burst {
        /// Where.
        place: Place,
        /// On all lines of the source.
        whole: bool,
        /// A moment of the beat.
        at_ns: u64,
        /// Which length, of [`super::beat::WINDOWS`].
        window: u8,
        /// How much.
        most: Amount,
    },
    /// What was wrong in the data since the beat before.
    Wrong {
        /// Where.
        place: Place,
        /// A moment of the beat.
        at_ns: u64,
        /// What.
        wrong: Wrong,
    },
    /// Notes were lost between the two sides; what is true now follows.
    Overrun {
        /// How many.
        notes: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_fits_into_a_few_cache_lines() {
        assert!(size_of::<Note>() <= 160, "{}", size_of::<Note>());
    }
}
