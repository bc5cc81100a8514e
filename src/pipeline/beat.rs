//! What a source's side counts for a store, told to the judge's side at every beat of data time.
//!
//! A beat ends at a multiple of its length: steps before it are in it, those at it or later are not, so what is told is
//! a function of the datagrams alone. Telling takes a few small boxes, once a second live; between beats it costs a
//! comparison and three sums.

use std::collections::BTreeMap;

use super::feeder::ChannelState;
use super::note::Note;
use crate::check::life::Place;
use crate::market::Origin;

/// Lengths of the stretches whose peaks are kept, nanoseconds; each holds a whole number of the one before.
pub const WINDOWS: [u64; 4] = [1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// Figures of a line, in the order of [`LINE_COUNTS`].
pub type LineCounts = [u64; LINE_COUNTS.len()];

/// What is counted of a line.
pub const LINE_COUNTS: [&str; 13] = [
    "packets",
    "messages",
    "won",
    "messages_won",
    "duplicates",
    "late",
    "messages_late",
    "signs",
    "refused",
    "out_of_order",
    "losses",
    "messages_lost",
    "messages_only",
];

/// Figures of a channel, in the order of [`CHANNEL_COUNTS`].
pub type ChannelCounts = [u64; CHANNEL_COUNTS.len()];

/// What is counted of a channel.
pub const CHANNEL_COUNTS: [&str; 11] = [
    "packets",
    "bytes",
    "messages",
    "unknown",
    "errors",
    "gaps",
    "missing",
    "missing_ours",
    "filled_late",
    "recovered",
    "busy_seconds",
];

/// Packets, messages and bytes in one stretch.
pub type Amount = [u64; 3];

/// Something wrong in the data, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// The book contradicted itself; else bytes could not be read.
    pub contradiction: bool,
    /// Which.
    pub kind: &'static str,
    /// How often since the beat before.
    pub count: u64,
    /// Where first in the run.
    pub first: Origin,
}

/// The busiest stretches of each length.
#[derive(Debug, Clone, Default)]
struct Burst {
    /// The stretch at hand, by length: its number, and what was in it.
    number: [u64; WINDOWS.len()],
    inside: [Amount; WINDOWS.len()],
    most: [Amount; WINDOWS.len()],
    /// When the shortest stretch at hand ends.
    ends_ns: u64,
}

impl Burst {
    #[inline]
    fn add(&mut self, now: u64, amount: Amount) {
        if now >= self.ends_ns {
            self.turn(now);
        }
        add(&mut self.inside[0], amount);
    }

    /// Closes the stretches that have ended by `now`: each goes into the longer one that holds it.
    fn turn(&mut self, now: u64) {
        for (at, length) in WINDOWS.into_iter().enumerate() {
            let number = now / length;
            if number == self.number[at] {
                break;
            }
            let inside = std::mem::take(&mut self.inside[at]);
            for (most, is) in self.most[at].iter_mut().zip(inside) {
                *most = (*most).max(is);
            }
            self.number[at] = number;
            if let Some(longer) = self.inside.get_mut(at + 1) {
                add(longer, inside);
            }
        }
        self.ends_ns = (now - now % WINDOWS[0]).saturating_add(WINDOWS[0]);
    }

    /// Tells the peaks since the beat before, which ended at `now`.
    fn tell(&mut self, now: u64, place: Place, whole: bool, at_ns: u64, out: &mut Vec<Note>) {
        self.turn(now);
        for (window, most) in self.most.iter_mut().enumerate().filter(|(_, most)| **most != [0; 3]) {
            let most = std::mem::take(most);
            out.push(Note::Burst { place, whole, at_ns, window: window as u8, most: Box::new(most) });
        }
    }
}

fn add(total: &mut Amount, more: Amount) {
    total.iter_mut().zip(more).for_each(|(t, m)| *t += m);
}

#[derive(Debug, Default)]
struct LineBeat {
    before: LineCounts,
    burst: Burst,
}

#[derive(Debug, Default)]
struct ChannelBeat {
    before: ChannelCounts,
    lines: Vec<LineBeat>,
    busy_seconds: u64,
    busy_until_ns: u64,
    wrong: BTreeMap<(bool, &'static str), u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Beats {
    every_ns: u64,
    next_ns: u64,
    channels: Vec<ChannelBeat>,
    /// By source: all of its lines together.
    sources: Vec<Burst>,
}

impl Beats {
    /// Beats of that length for the channels of a feeder.
    pub(super) fn new(every_ns: u64, channels: &[ChannelState], sources: usize) -> Beats {
        let of = |state: &ChannelState| ChannelBeat {
            lines: state.line.statistics().lines.iter().map(|_| LineBeat::default()).collect(),
            ..ChannelBeat::default()
        };
        Beats {
            every_ns: every_ns.max(1),
            next_ns: 0,
            channels: channels.iter().map(of).collect(),
            sources: vec![Burst::default(); sources],
        }
    }

    /// When the beat at hand ends.
    #[inline]
    pub(super) fn next_ns(&self) -> u64 {
        self.next_ns
    }

    /// Time has come to `now`, which is behind the end of the beat at hand.
    pub(super) fn tell(&mut self, now: u64, channels: &[ChannelState], out: &mut Vec<Note>) {
        let ended =
            std::mem::replace(&mut self.next_ns, (now - now % self.every_ns).saturating_add(self.every_ns));
        if ended > 0 {
            for (channel, state) in channels.iter().enumerate() {
                self.tell_channel(channel, state, (ended, ended - 1), out);
            }
            self.tell_sources(channels, (ended, ended - 1), out);
        }
    }

    /// The data of a channel is over.
    pub(super) fn close(&mut self, now: u64, channel: usize, channels: &[ChannelState], out: &mut Vec<Note>) {
        self.tell_channel(channel, &channels[channel], (u64::MAX, now), out);
        self.tell_sources(&channels[channel..=channel], (u64::MAX, now), out);
    }

    /// A packet arrived.
    #[inline]
    pub(super) fn arrived(&mut self, now: u64, channel: usize, place: Place, amount: Amount) {
        let beat = &mut self.channels[channel];
        if now >= beat.busy_until_ns {
            beat.busy_seconds += 1;
            beat.busy_until_ns = (now - now % WINDOWS[3]).saturating_add(WINDOWS[3]);
        }
        if let Some(line) = beat.lines.get_mut(usize::from(place.line)) {
            line.burst.add(now, amount);
        }
        self.sources[usize::from(place.source)].add(now, amount);
    }

    fn tell_channel(
        &mut self,
        channel: usize,
        state: &ChannelState,
        (ended, at_ns): (u64, u64),
        out: &mut Vec<Note>,
    ) {
        let beat = &mut self.channels[channel];
        let place = state.core.place;
        for (line, beat) in beat.lines.iter_mut().enumerate() {
            let place = Place { line: line as u16, ..place };
            if let Some(counts) = risen(&mut beat.before, line_counts(state, line)) {
                out.push(Note::LineCounts { place, at_ns, counts: Box::new(counts) });
            }
            beat.burst.tell(ended, place, false, at_ns, out);
        }
        if let Some(counts) = risen(&mut beat.before, channel_counts(state, beat.busy_seconds)) {
            out.push(Note::ChannelCounts { place, at_ns, counts: Box::new(counts) });
        }
        let contradictions = state.core.market.contradictions.0.iter();
        let contradictions = contradictions.map(|(kind, seen)| (true, *kind, seen.count, seen.first));
        let errors = state.core.tally.errors.iter().map(|(kind, seen)| (false, *kind, seen.count, seen.at));
        for (contradiction, kind, total, first) in contradictions.chain(errors) {
            let before = beat.wrong.entry((contradiction, kind)).or_default();
            let count = total - *before;
            if count > 0 {
                *before = total;
                let wrong = Box::new(Wrong { contradiction, kind, count, first });
                out.push(Note::Wrong { place, at_ns, wrong });
            }
        }
    }

    fn tell_sources(&mut self, channels: &[ChannelState], (ended, at_ns): (u64, u64), out: &mut Vec<Note>) {
        for state in channels {
            let place = state.core.place;
            self.sources[usize::from(place.source)].tell(ended, place, true, at_ns, out);
        }
    }
}

/// By how much counters rose, where any did; `before` becomes `now`.
fn risen<const N: usize>(before: &mut [u64; N], now: [u64; N]) -> Option<[u64; N]> {
    let was = std::mem::replace(before, now);
    (was != now).then(|| std::array::from_fn(|i| now[i] - was[i]))
}

fn line_counts(state: &ChannelState, line: usize) -> LineCounts {
    let lines = &state.line.statistics().lines;
    let of = &lines[line];
    // Of more than two, what one alone brought cannot be told from what the others lost.
    let only = if lines.len() == 2 { state.core.missed.get(1 - line).copied().unwrap_or(0) } else { 0 };
    [
        of.packets,
        of.messages,
        of.won,
        of.messages_won,
        of.duplicates,
        of.late,
        of.messages_late,
        of.signs,
        of.refused.iter().sum(),
        of.out_of_order,
        of.losses,
        of.messages_lost,
        only,
    ]
}

fn channel_counts(state: &ChannelState, busy_seconds: u64) -> ChannelCounts {
    let (tally, line) = (&state.core.tally, state.line.statistics());
    [
        tally.packets,
        tally.bytes,
        tally.delivered(),
        tally.unknown.values().sum(),
        tally.errors.values().map(|seen| seen.count).sum(),
        line.gaps,
        line.missing,
        state.core.missing_ours,
        line.filled_late,
        line.recovered,
        busy_seconds,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn peaks(out: &[Note]) -> Vec<(u8, Amount)> {
        let of = |note: &Note| match note {
            Note::Burst { window, most, .. } => (*window, **most),
            other => panic!("{other:?}"),
        };
        out.iter().map(of).collect()
    }

    #[test]
    fn the_busiest_stretch_of_each_length() {
        let mut burst = Burst::default();
        // Two in one millisecond; three in its ten; one on the far side of a border of ten.
        for at in [1_000 * MS, 1_000 * MS + 999_999, 1_003 * MS, 1_010 * MS] {
            burst.add(at, [1, 2, 100]);
        }
        let mut out = Vec::new();
        let place = Place { source: 0, channel: 0, line: 0 };
        burst.tell(2_000 * MS, place, false, 2_000 * MS - 1, &mut out);
        let wanted = [(0, [2, 4, 200]), (1, [3, 6, 300]), (2, [4, 8, 400]), (3, [4, 8, 400])];
        assert_eq!(peaks(&out), wanted);
        // The next beat begins with nothing.
        out.clear();
        burst.add(2_000 * MS, [1, 1, 7]);
        burst.tell(u64::MAX, place, false, 2_500 * MS, &mut out);
        assert_eq!(peaks(&out), [0, 1, 2, 3].map(|window| (window, [1, 1, 7])));
    }

    #[test]
    fn only_what_rose_is_told() {
        let mut before = [1, 2];
        assert_eq!(risen(&mut before, [1, 2]), None);
        assert_eq!(risen(&mut before, [4, 2]), Some([3, 0]));
        assert_eq!(before, [4, 2]);
    }
}
