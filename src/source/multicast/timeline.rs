//! The receiver's time: the kernel's stamps, made to never run backwards.
//!
//! A stamp that is a little early is that of a datagram that was long on its way: it is moved forward. A clock that is
//! set back makes all stamps early. By less than a second, time stands still until the clock has caught up. By more,
//! standing still would silence every timer for as long; so time runs on from where it was, ahead of the clock, until
//! the clock is set forward again.

/// Stamps that are earlier by so much mean that the clock was set back.
pub(super) const STEP_NS: u64 = 100_000_000;

/// A clock set back by so much is run ahead of.
const RUN_ON_NS: u64 = 1_000_000_000;

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
    /// By how much time runs ahead of the clock, nanoseconds.
    pub(super) ahead_ns: u64,
    /// The clock as it was seen last.
    clock_ns: u64,
    /// The clock that nobody sets, as it was seen last while time ran ahead.
    steady_ns: Option<u64>,
}

impl Timeline {
    /// Sees the clock; `steady_ns` reads one that is never set, and is asked only while time runs ahead.
    pub(super) fn see(&mut self, clock_ns: u64, steady_ns: impl FnOnce() -> u64) {
        // Everything promised was so by an earlier reading of the clock.
        let behind_ns = self.floor_ns.saturating_sub(clock_ns.saturating_add(self.ahead_ns));
        if behind_ns >= RUN_ON_NS {
            self.ahead_ns += behind_ns;
            self.steady_ns = None;
        }
        if self.ahead_ns > 0 {
            let now_ns = steady_ns();
            let passed_ns = self.steady_ns.map_or(u64::MAX, |before_ns| now_ns.saturating_sub(before_ns));
            let jump_ns = clock_ns.saturating_sub(self.clock_ns).saturating_sub(passed_ns);
            if jump_ns >= STEP_NS {
                self.ahead_ns = self.ahead_ns.saturating_sub(jump_ns);
            }
            self.steady_ns = Some(now_ns);
        }
        self.clock_ns = clock_ns;
    }

    /// The time that a stamp means. One that lies in the clock's future is of before the clock was set back.
    fn meant(&self, stamp_ns: u64) -> u64 {
        let old = stamp_ns > self.clock_ns.saturating_add(STEP_NS);
        if old { stamp_ns } else { stamp_ns.saturating_add(self.ahead_ns) }
    }

    /// The time of a datagram that bears this stamp.
    pub(super) fn stamp(&mut self, stamp_ns: u64) -> u64 {
        let meant_ns = self.meant(stamp_ns);
        let behind_ns = self.floor_ns.saturating_sub(meant_ns);
        if behind_ns >= STEP_NS {
            self.held += 1;
        } else if behind_ns > 0 {
            self.late += 1;
            self.late_max_ns = self.late_max_ns.max(behind_ns);
        }
        self.floor_ns = self.floor_ns.max(meant_ns);
        self.floor_ns
    }

    /// Promises that nothing stamped earlier than this will come.
    pub(super) fn promise(&mut self, until_ns: u64) {
        self.floor_ns = self.floor_ns.max(self.meant(until_ns));
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
    fn a_clock_set_back_a_little_holds_time_until_it_has_caught_up() {
        let mut timeline = Timeline::default();
        let set = 3 * STEP_NS;
        timeline.see(set, || panic!("the steady clock is not needed"));
        let times: Vec<u64> = [set, set - STEP_NS, set - STEP_NS + 1, set + 1]
            .map(|t| {
                timeline.see(t, || panic!("the steady clock is not needed"));
                timeline.stamp(t)
            })
            .into();
        assert_eq!(times, [set, set, set, set + 1]);
        assert_eq!((timeline.held, timeline.late, timeline.late_max_ns), (1, 1, STEP_NS - 1));
    }

    #[test]
    fn a_clock_set_back_far_is_run_ahead_of_until_it_is_set_forward() {
        const S: u64 = 1_000_000_000;
        const HOUR: u64 = 3_600 * S;
        let mut timeline = Timeline::default();
        let mut now = |clock_ns: u64, steady_ns: u64, stamps: &[u64]| {
            timeline.see(clock_ns, || steady_ns);
            let times: Vec<u64> = stamps.iter().map(|&stamp| timeline.stamp(stamp)).collect();
            timeline.promise(clock_ns);
            (times, timeline.floor_ns, timeline.ahead_ns)
        };
        let at = 10 * HOUR;
        assert_eq!(now(at, 0, &[at - 5]), (vec![at - 5], at, 0));
        // An hour back: what was stamped before keeps its time, what comes now goes on from there.
        let back = at - HOUR;
        assert_eq!(now(back, S, &[at + 1, back]), (vec![at + 1, at + 1], at + 1, HOUR));
        assert_eq!(now(back + S, 2 * S, &[back + S]), (vec![at + S], at + S, HOUR));
        // A thread that did not run for a while is no step.
        assert_eq!(now(back + 9 * S, 10 * S, &[]), (vec![], at + 9 * S, HOUR));
        // Back once more, by two seconds; then forward by half an hour, then by more than all of it.
        assert_eq!(now(back + 8 * S, 11 * S, &[]), (vec![], at + 9 * S, HOUR + S));
        assert_eq!(now(back + 9 * S + HOUR / 2, 12 * S, &[]), (vec![], at + 10 * S, HOUR / 2 + S));
        assert_eq!(now(at + HOUR, 13 * S, &[at + HOUR]), (vec![at + HOUR], at + HOUR, 0));
        assert_eq!((timeline.held, timeline.late), (0, 1));
    }
}
