//! The segment that all price checks share: a disagreement is an interval, not a tick.
//!
//! It begins when a condition first holds and ends when the condition has been absent for `off_delay`; its end
//! is the moment at which the lasting absence began. It knows nothing of prices, alerts or clocks.

/// An interval in which a condition holds, short absences included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// When it began.
    pub began: u64,
    absent_since: Option<u64>,
}

/// What became of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is none.
    None,
    /// It is open, and the condition holds.
    Holds(Segment),
    /// It is open, but the condition has been absent since `since`; it ends at `ends` unless it returns.
    Pausing {
        /// When the absence began.
        since: u64,
        /// When the segment will have ended.
        ends: u64,
    },
    /// It has ended.
    Ended {
        /// When it began.
        began: u64,
        /// When the lasting absence began.
        ended: u64,
    },
}

/// Takes `segment` to `now`.
#[inline]
pub fn step(segment: &mut Option<Segment>, now: u64, holds: bool, off_delay_ns: u64) -> Step {
    match (segment.as_mut(), holds) {
        (None, false) => Step::None,
        (None, true) => {
            let opened = Segment { began: now, absent_since: None };
            *segment = Some(opened);
            Step::Holds(opened)
        }
        (Some(open), true) => {
            open.absent_since = None;
            Step::Holds(*open)
        }
        (Some(open), false) => {
            let since = *open.absent_since.get_or_insert(now);
            let ends = since.saturating_add(off_delay_ns);
            if now < ends {
                return Step::Pausing { since, ends };
            }
            let began = open.began;
            *segment = None;
            Step::Ended { began, ended: since }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_shorter_than_the_delay_does_not_end_it() {
        let mut segment = None;
        let mut at = |now, holds| step(&mut segment, now, holds, 5);
        assert_eq!(at(1, false), Step::None);
        assert!(matches!(at(10, true), Step::Holds(s) if s.began == 10));
        assert_eq!(at(20, false), Step::Pausing { since: 20, ends: 25 });
        assert!(matches!(at(24, true), Step::Holds(s) if s.began == 10));
        assert_eq!(at(30, false), Step::Pausing { since: 30, ends: 35 });
        assert_eq!(at(35, false), Step::Ended { began: 10, ended: 30 });
        assert_eq!(at(36, false), Step::None);
    }
}
