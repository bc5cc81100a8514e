//! One line's own account: what it brought, what it jumped over, what it brought late.

use super::doubt::Doubt;
use super::ranges::{Range, Ranges};

/// Holes of a line that wait at a time; more declare the oldest.
const HOLES_MAX: usize = 256;
/// Losses of a line that are remembered, to tell a late copy.
const LOSSES_MAX: usize = 256;

/// A line's state.
#[derive(Debug)]
pub(super) struct OneLine {
    /// Numbering that the line is in; behind the channel's as long as it has not shown the new one.
    pub(super) epoch: u32,
    /// The line's first position in the numbering, and the next to come.
    pub(super) span: Option<(u64, u64)>,
    /// Jumped over, still waited for.
    pub(super) holes: Ranges,
    /// Declared lost on the line.
    pub(super) lost: Ranges,
    /// Where the line's next copy is thought to be among the recent deliveries.
    pub(super) cursor: u64,
    /// What it says that is not believed yet.
    pub(super) doubt: Option<Doubt>,
    /// It has said that the session is over.
    pub(super) ended: bool,
}

/// What a packet was to its line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// Numbers that the line had brought before.
    pub(super) repeated: u64,
    /// It lies before something that the line brought earlier.
    pub(super) out_of_order: bool,
    /// A hole that had to go to make room.
    pub(super) spilled: Option<Range>,
}

impl OneLine {
    pub(super) fn new() -> Self {
        OneLine {
            epoch: 0,
            span: None,
            holes: Ranges::new(HOLES_MAX),
            lost: Ranges::new(LOSSES_MAX),
            cursor: 0,
            doubt: None,
            ended: false,
        }
    }

    /// Begins with the numbering `epoch`; doubts stay.
    pub(super) fn enter(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.span = None;
        self.holes.clear();
        self.lost.clear();
        self.ended = false;
    }

    /// The next position to come, if the line has shown one.
    pub(super) fn next(&self) -> Option<u64> {
        self.span.map(|s| s.1)
    }

    /// Whether the line brought (all of) `first..end` before.
    pub(super) fn repeats(&self, first: u64, end: u64) -> bool {
        self.span.is_some_and(|(start, next)| start <= first && end <= next)
            && self.holes.overlap(first, end) == 0
            && self.lost.overlap(first, end) == 0
    }

    /// Enters `first..end` (empty for a sign of life that says only what comes next). `late` gets what had been
    /// declared lost on the line.
    #[inline]
    pub(super) fn bring(
        &mut self,
        first: u64,
        end: u64,
        now_ns: u64,
        packets: u64,
        late: impl FnMut(Range),
    ) -> Brought {
        let Some((start, next)) = self.span else {
            self.span = Some((first, end));
            return Brought::default();
        };
        let mut brought = Brought::default();
        if first > next {
            let hole = Range { first: next, end: first, began_ns: now_ns, began_packets: packets };
            brought.spilled = self.holes.push(hole);
        } else if first < next && first < end {
            self.bring_behind(first, end, late, &mut brought);
        }
        self.span = Some((start.min(first), next.max(end)));
        brought
    }

    /// Part of the packet lies before what the line has brought.
    fn bring_behind(&mut self, first: u64, end: u64, mut late: impl FnMut(Range), brought: &mut Brought) {
        let Some((start, next)) = self.span else { return };
        let mut fresh = start.min(end).saturating_sub(first);
        brought.spilled = self.holes.remove(first, end, |piece| fresh += piece.count());
        self.lost.remove(first, end, |piece| {
            fresh += piece.count();
            late(piece);
        });
        brought.repeated = next.min(end) - first - fresh;
        brought.out_of_order = fresh > 0;
    }
}
