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
use crate::market::{Change, Level, Origin, Quality, Quote, SourceId, ViewId};

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
    /// A line's copy of a packet came behind another's: [`LineEvent::LineLead`], which every packet may say.
    Lead {
        /// Where.
        place: Place,
        /// Line that was first.
        winner: u16,
        /// Line of this copy.
        loser: u16,
        /// Time between the two.
        lag_ns: u64,
        /// First number that both have.
        sequence: u64,
    },
    /// The line has something else to say.
    Line {
        /// Where.
        place: Place,
        /// What, and what is known beside it.
        said: Box<LineNote>,
    },
    /// A message is lost because it cannot be understood.
    Gap {
        /// Where.
        place: Place,
        /// What.
        gap: Box<Gap>,
    },
    /// A packet was delivered; its quotes follow.
    Delivered {
        /// Where: source, channel and line of a [`Place`], which takes more room.
        at: [u16; 3],
        /// Its session, as its two halves, the lower first.
        session: [u64; 2],
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
    /// Where the quotes that follow come from, as an [`Origin`] says it.
    Origin {
        /// Capture.
        capture: u32,
        /// Packet of it.
        frame: u64,
        /// Number of the message.
        sequence: u64,
        /// The venue's time.
        ts_event_ns: u64,
        /// When it was received.
        ts_recv_ns: u64,
    },
    /// The round-lot prices of the quote that follows, where they are others than its best.
    RoundLots {
        /// Which there are.
        shown: Shown,
        /// Of both sides; anything where there is none.
        prices: [i64; 2],
        /// Likewise.
        quantities: [u64; 2],
    },
    /// A packet said something of a view, whose quote became another.
    Quote {
        /// Whose.
        source: SourceId,
        /// In the source's own numbers.
        view: ViewId,
        /// Which sides there are, and the quality.
        shown: Shown,
        /// The new best of both sides; anything where there is none.
        prices: [i64; 2],
        /// Likewise.
        quantities: [u64; 2],
    },
    /// A packet said something of a view, whose quote is as before.
    View {
        /// Whose.
        source: SourceId,
        /// In the source's own numbers.
        view: ViewId,
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
        counts: Box<LineCounts>,
    },
    /// What a channel counted since the beat before.
    ChannelCounts {
        /// Where.
        place: Place,
        /// A moment of the beat.
        at_ns: u64,
        /// How much each rose.
        counts: Box<ChannelCounts>,
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
        most: Box<Amount>,
    },
    /// What was wrong in the data since the beat before.
    Wrong {
        /// Where.
        place: Place,
        /// A moment of the beat.
        at_ns: u64,
        /// What.
        wrong: Box<Wrong>,
    },
    /// Notes were lost between the two sides; what is true now follows.
    Overrun {
        /// How many.
        notes: u64,
    },
}

/// What a line said, beyond what every packet may say.
#[derive(Debug, Clone, Copy)]
pub struct LineNote {
    /// What.
    pub event: LineEvent,
    /// Instruments that are suspect by now.
    pub suspects: u64,
    /// What this machine is known to have lost at the time.
    pub ours: Ours,
}

impl Note {
    /// Where the quotes that follow come from.
    #[inline(always)]
    pub fn origin(origin: &Origin) -> Note {
        let Origin { ts_event_ns, ts_recv_ns, sequence, capture, frame } = *origin;
        Note::Origin { capture, frame, sequence, ts_event_ns, ts_recv_ns }
    }

    /// What a line said, where that is what it is about.
    pub fn said_of_line(&self) -> Option<LineNote> {
        match *self {
            Note::Lead { winner, loser, lag_ns, sequence, .. } => {
                let [winner, loser] = [winner, loser].map(usize::from);
                let event = LineEvent::LineLead { winner, loser, lag_ns, at_least: false, sequence };
                Some(LineNote { event, suspects: 0, ours: Ours::default() })
            }
            Note::Line { ref said, .. } => Some(**said),
            _ => None,
        }
    }
}

/// Which sides of a quote there are, and its quality, in one byte: quotes are what most notes are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown(u8);

impl Shown {
    #[inline]
    fn of(levels: &[Option<Level>; 2], quality: Quality) -> Shown {
        let [bid, ask] = levels.map(|level| u8::from(level.is_some()));
        Shown(bid | ask << 1 | (quality as u8) << 2)
    }

    /// Levels of those prices and quantities, of the sides that there are.
    #[inline]
    pub fn levels(self, prices: [i64; 2], quantities: [u64; 2]) -> [Option<Level>; 2] {
        [0, 1].map(|side: usize| {
            let level = Level { price: prices[side], quantity: quantities[side] };
            (self.0 >> side & 1 != 0).then_some(level)
        })
    }

    /// The quality.
    #[inline]
    pub fn quality(self) -> Quality {
        Quality::ALL[usize::from(self.0 >> 2).min(Quality::ALL.len() - 1)]
    }
}

/// The prices and quantities of levels, in that order.
#[inline]
fn parts(levels: &[Option<Level>; 2]) -> ([i64; 2], [u64; 2]) {
    let [bid, ask] = levels.map(|level| level.map_or((0, 0), |l| (l.price, l.quantity)));
    ([bid.0, ask.0], [bid.1, ask.1])
}

/// Appends a note, made in its place. One that is made elsewhere is written in parts and at once read in wholes to be
/// copied, which the machine has to wait for: a tenth of a replay's reading side was that.
#[inline(always)]
pub(super) fn put(out: &mut Vec<Note>, make: impl FnOnce() -> Note) {
    if out.len() < out.capacity() {
        // That there is room is seen by the compiler too: nothing can fail once the note is begun.
        out.push(make());
    } else {
        put_with_room(out, make());
    }
}

#[cold]
#[inline(never)]
fn put_with_room(out: &mut Vec<Note>, note: Note) {
    out.push(note);
}

/// Notes a view's quote; who it comes from was noted before.
#[inline]
pub(super) fn note_quote(source: SourceId, view: ViewId, quote: &Quote, out: &mut Vec<Note>) {
    if quote.round_lot != quote.best {
        put(out, || {
            let (prices, quantities) = parts(&quote.round_lot);
            Note::RoundLots { shown: Shown::of(&quote.round_lot, quote.quality), prices, quantities }
        });
    }
    put(out, || {
        let (prices, quantities) = parts(&quote.best);
        Note::Quote { source, view, shown: Shown::of(&quote.best, quote.quality), prices, quantities }
    });
}

impl Note {
    /// It was taken. Most notes own nothing: of those nothing is looked at but what they are.
    #[inline(always)]
    pub(super) fn end(self) {
        let owns = matches!(
            self,
            Note::Line { .. }
                | Note::Gap { .. }
                | Note::Change { .. }
                | Note::Capture { .. }
                | Note::LineCounts { .. }
                | Note::ChannelCounts { .. }
                | Note::Burst { .. }
                | Note::Wrong { .. }
        );
        if owns {
            drop(self);
        } else {
            std::mem::forget(self);
        }
    }

    /// Whether it is kept when notes are lost: without names nothing that follows could be understood, and what was
    /// counted is not told again.
    pub fn outlives_a_loss(&self) -> bool {
        let named = matches!(self, Note::Change { .. } | Note::Capture { .. });
        let counted = matches!(
            self,
            Note::LineCounts { .. } | Note::ChannelCounts { .. } | Note::Burst { .. } | Note::Wrong { .. }
        );
        named || counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_no_larger_than_a_quote() {
        assert_eq!(size_of::<Note>(), 40);
    }

    #[test]
    fn a_quote_comes_out_as_it_went_in() {
        let level = |price, quantity| Some(Level { price, quantity });
        for (best, round_lot) in [
            ([level(-1, 2), level(3, 4)], [level(-1, 2), level(3, 4)]),
            ([level(0, 0), None], [None, level(9, 9)]),
            ([None, None], [None, None]),
        ] {
            for quality in Quality::ALL {
                let quote = Quote { best, round_lot, quality };
                let mut notes = Vec::new();
                note_quote(1, 2, &quote, &mut notes);
                let (mut lots, mut found) = (None, None);
                for note in notes {
                    match note {
                        Note::RoundLots { shown, prices, quantities } => {
                            lots = Some(shown.levels(prices, quantities));
                        }
                        Note::Quote { source: 1, view: 2, shown, prices, quantities } => {
                            let (best, quality) = (shown.levels(prices, quantities), shown.quality());
                            found = Some(Quote { best, round_lot: lots.take().unwrap_or(best), quality });
                        }
                        other => panic!("{other:?}"),
                    }
                }
                assert_eq!(found, Some(quote));
            }
        }
    }
}
