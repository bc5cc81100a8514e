//! The receiver's time: the kernel's stamps, made to never run backwards.

/// Stamps that are earlier by so much mean that the clock was set back; less is a datagram that was long on its way.
pub(super) const STEP_NS: u64 = 100_000_000;

/// What has been said about time so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timeline {
    /// Nothing bears an earlier time from here on.
    pub(super) floor_ns: u64,
    /// Stamps that were earlier, by less than a step, and were moved forward.
    pub(super) late: u64,
    /// The furthest of these moves, nanoseconds.
    pub(super) late_max_ns: u64,
    /// Stamps that were earlier by a step or more: time stood still because the clock had been set back.
    pub(super) held: u64,
}

impl Timeline {
    /// The time of a datagram that bears this stamp.
    pub(super) fn stamp(&mut self, stamp_ns: u64) -> u64 {
        let behind_ns = self.floor_ns.saturating_sub(stamp_ns);
        if behind_ns >= STEP_NS {
            self.held += 1;
        } else if behind_ns > 0 {
            self.late += 1;
            self.late_max_ns = self.late_max_ns.max(behind_ns);
        }
        self.floor_ns = self.floor_ns.max(stamp_ns);
        self.floor_ns
    }

    /// Promises that nothing earlier than this will come.
    pub(super) fn promise(&mut self, until_ns: u64) {
        self.floor_ns = self.floor_ns.max(until_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards_and_every_move_is_counted() {
        let mut timeline = Timeline::default();
        let times: Vec<u64> = [1_000, 1_500, 1_400, 1_500, 1_600].map(|t| timeline.stamp(t)).into();
        assert_eq!(times, [1_000, 1_500, 1_500, 1_500, 1_600]);
        assert_eq!((timeline.late, timeline.late_max_ns, timeline.held), (1, 100, 0));

        timeline.promise(2_000);
        timeline.promise(1_900);
        assert_eq!(timeline.stamp(1_700), 2_000);
        assert_eq!((timeline.late, timeline.late_max_ns, timeline.held), (2, 300, 0));
    }

    #[test]
    fn a_clock_set_back_holds_time_until_it_has_caught_up() {
        let mut timeline = Timeline::default();
        let set = 3 * STEP_NS;
        let times: Vec<u64> =
            [set, set - STEP_NS, set - STEP_NS + 1, set + 1].map(|t| timeline.stamp(t)).into();
        assert_eq!(times, [set, set, set, set + 1]);
        assert_eq!((timeline.held, timeline.late, timeline.late_max_ns), (1, 1, STEP_NS - 1));
    }
}
