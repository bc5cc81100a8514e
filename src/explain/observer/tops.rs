//! Which changes of a venue's best prices and sizes the alert's source never showed: numbers that went missing while it
//! failed to show them were given to messages.
//!
//! It looks at gaps only. What the source shows at other times says how much its silence about a change means.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::super::facts::{ChannelFacts, Span};
use crate::market::{Quote, Registry, SourceId, VenueId, View, ViewId};

/// A change that was not shown for so long never was.
const WAIT_NS: u64 = 500_000_000;
/// A change counts when it stood for so long.
const STOOD_NS: u64 = 1_000_000;
/// Changes of one view that wait at most; what is pushed out is not counted.
const WAITING_MAX: usize = 64;
/// Changes that are remembered at most.
const KEPT_MAX: usize = 1_000_000;
/// So many changes before a gap and after it say how much is left out without one.
const AROUND_MAX: usize = 1_000;
/// Sizes are compared in round lots of so many, where the instrument has no other.
const LOT: u64 = 100;

type Change = (u64, Option<u64>);

/// Both sides as price and whole round lots.
type Top = [Option<(i64, u64)>; 2];

/// See the module.
pub(super) struct TopsWatch {
    /// The source with the gap; nothing where the alert is about something else.
    subject: Option<SourceId>,
    /// By view of the subject: peers' changes that it has not shown yet.
    waiting: HashMap<ViewId, VecDeque<(u64, Top)>>,
    current: HashMap<ViewId, Top>,
    /// Every change of a peer: when, and how much later the subject showed it, if it did.
    changes: Vec<Change>,
}

fn top_of(quote: &Quote, lot: u64) -> Top {
    quote.round_lot.map(|level| level.map(|l| (l.price, l.quantity / lot.max(1))))
}

impl TopsWatch {
    pub(super) fn new(subject: Option<SourceId>) -> TopsWatch {
        TopsWatch { subject, waiting: HashMap::new(), current: HashMap::new(), changes: Vec::new() }
    }

    /// A view shows another quote.
    pub(super) fn changed(&mut self, now: u64, id: ViewId, view: &View, registry: &Registry) {
        let Some(subject) = self.subject.filter(|_| view.venue != VenueId::NATIONAL) else { return };
        let Some(quote) = &view.quote else { return };
        let lot = registry.get(view.instrument).round_lot.map_or(LOT, u64::from);
        let top = top_of(quote, lot);
        if self.current.insert(id, top) == Some(top) {
            return;
        }
        if view.source == subject {
            self.shown(now, id, top);
            return;
        }
        let of_subject = registry.views_of(view.instrument).find(|other| {
            let other = &registry.views[*other as usize];
            other.source == subject && other.venue == view.venue
        });
        let Some(across) = of_subject.filter(|across| self.current.contains_key(across)) else { return };
        if self.current.get(&across) == Some(&top) {
            self.keep(now, Some(0));
            return;
        }
        self.expire(now, across);
        let waiting = self.waiting.entry(across).or_default();
        // What was there for a moment only may well be left out, or come in one packet with what followed it.
        if waiting.back().is_some_and(|(at, _)| now - at < STOOD_NS) {
            waiting.pop_back();
        }
        if waiting.len() >= WAITING_MAX {
            waiting.pop_front();
        }
        waiting.push_back((now, top));
    }

    fn shown(&mut self, now: u64, id: ViewId, top: Top) {
        self.expire(now, id);
        let Some(waiting) = self.waiting.get_mut(&id) else { return };
        // It says one thing after the other: what it has passed over it will not show.
        let Some(found) = waiting.iter().position(|(_, wanted)| *wanted == top) else { return };
        let passed: Vec<u64> = waiting.drain(..=found).map(|(at, _)| at).collect();
        passed.iter().enumerate().for_each(|(n, at)| self.keep(*at, (n == found).then(|| now - at)));
    }

    fn expire(&mut self, now: u64, id: ViewId) {
        while let Some((at, _)) = self.waiting.get(&id).and_then(|w| w.front()).copied()
            && now - at > WAIT_NS
        {
            self.waiting.get_mut(&id).map(VecDeque::pop_front);
            self.keep(at, None);
        }
    }

    fn keep(&mut self, at: u64, shown: Option<u64>) {
        if self.changes.len() < KEPT_MAX {
            self.changes.push((at, shown));
        }
    }

    /// Writes into the gaps that are `meant` (first and last number) how many changes in them were never shown, and beside
    /// them those around: at other times, with other troubles, what was left out says little. `until_ns` is when the data
    /// end, `flight_ns` how long a change takes at most to its source and on to us.
    pub(super) fn finish(
        mut self,
        channels: &mut [ChannelFacts],
        [first, last]: [u64; 2],
        until_ns: u64,
        flight_ns: u64,
    ) {
        let views: Vec<ViewId> = self.waiting.keys().copied().collect();
        views.into_iter().for_each(|view| self.expire(until_ns, view));
        let spans: Vec<Span> = channels
            .iter()
            .flat_map(|c| &c.gaps)
            .map(|g| Span { from_ns: g.before_ns.saturating_sub(flight_ns), to_ns: g.began_ns })
            .collect();
        self.changes.sort_unstable();
        let changes = &self.changes;
        let mut each = spans.iter();
        for channel in channels {
            for (gap, span) in channel.gaps.iter_mut().zip(&mut each) {
                if last < gap.first || gap.last < first {
                    continue;
                }
                let at = |ns: u64| changes.partition_point(|(at, _)| *at < ns);
                let to = at(span.to_ns.saturating_add(1));
                let beside = |(at, _): &&Change| !spans.iter().any(|s| s.has(*at) || in_wake(s, *at));
                let before = changes[..at(span.from_ns)].iter().rev().filter(beside).take(AROUND_MAX);
                let after = changes[to..].iter().filter(beside).take(AROUND_MAX);
                let around: Vec<Change> = before.chain(after).copied().collect();
                gap.tops_around = count(&around);
                let from = at(gap.before_ns.saturating_sub(flight(&around).min(flight_ns)));
                gap.tops = count(&changes[from.min(to)..to]);
            }
        }
    }
}

/// Right after a gap, while what it lost is made good.
fn in_wake(gap: &Span, at: u64) -> bool {
    at >= gap.to_ns && at - gap.to_ns < WAIT_NS
}

/// Those that were never shown, and all.
fn count(changes: &[Change]) -> [u64; 2] {
    let missed = changes.iter().filter(|(_, shown)| shown.is_none()).count();
    [missed, changes.len()].map(|n| n as u64)
}

/// How long all but one in a hundred of those that were shown took.
fn flight(changes: &[Change]) -> u64 {
    let mut delays: Vec<u64> = changes.iter().filter_map(|(_, shown)| *shown).collect();
    delays.sort_unstable();
    delays.get(delays.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::Hole;
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn what_is_not_shown_in_time_counts_where_it_happened() {
        let mut watch = TopsWatch::new(Some(1));
        let top = |price: i64| [Some((price, 1)), None];
        let mut wait = |at: u64, price: i64| {
            watch.waiting.entry(7).or_default().push_back((at * MS, top(price)));
        };
        (0..9).for_each(|n| wait(n * 10, n as i64));
        // All but the fifth and sixth come to be shown.
        for n in [0, 1, 2, 3, 6, 7, 8] {
            watch.shown((n * 10 + 1) * MS, 7, top(n as i64));
        }
        let gap = Hole { before_ns: 41 * MS, began_ns: 59 * MS, ..Hole::default() };
        let mut channels = [ChannelFacts { gaps: vec![gap], ..ChannelFacts::default() }];
        watch.finish(&mut channels, [0, 9], 2_000 * MS, 2 * MS);
        // What came right after it, while it is made good, says nothing of other times.
        assert_eq!((channels[0].gaps[0].tops, channels[0].gaps[0].tops_around), ([2, 2], [0, 4]));
    }
}
