//! From the scenario's own time to the time on the wire: how fast everything happens.
//!
//! The market, the faults and the lines live in the scenario's time. What leaves the simulator (arrivals, timestamps
//! in messages, the truth) bears wire time, in which everything between two moments takes `100 / speed_percent` of
//! what the scenario says. It reads no clock.

use super::Scenario;
use super::faults::{Fault, Kind};

/// How the scenario's time is told on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timebase {
    /// From a start on, so many hundredths of the scenario's pace: 100 is the scenario's time itself.
    Scaled {
        /// Where both times are the same, nanoseconds since 1970.
        start_ns: u64,
        /// Hundredths; never 0.
        speed_percent: u64,
    },
    /// Everything bears the time that was told last, nanoseconds since 1970: the schedule is not kept.
    Told(u64),
}

impl Timebase {
    /// The scenario's.
    pub fn of(scenario: &Scenario) -> Timebase {
        Timebase::Scaled { start_ns: scenario.start_ns, speed_percent: scenario.speed_percent.max(1) }
    }

    /// A stretch of the scenario on the wire; the end of time stays what it is.
    pub fn stretch_ns(self, ns: u64) -> u64 {
        match self {
            Timebase::Scaled { speed_percent: 100, .. } | Timebase::Told(_) => ns,
            Timebase::Scaled { speed_percent, .. } => {
                u64::try_from(u128::from(ns) * 100 / u128::from(speed_percent)).unwrap_or(u64::MAX)
            }
        }
    }

    /// A time of the scenario on the wire. An earlier time never becomes a later one.
    pub fn wire_ns(self, ts_ns: u64) -> u64 {
        match self {
            Timebase::Told(now_ns) => now_ns,
            _ if ts_ns == u64::MAX => ts_ns,
            Timebase::Scaled { start_ns, .. } => {
                // What lies before the start is no time of this scenario: 0 stays "none".
                let Some(since) = ts_ns.checked_sub(start_ns) else { return ts_ns };
                start_ns.saturating_add(self.stretch_ns(since))
            }
        }
    }

    /// A signed stretch, such as a clock's error.
    pub fn error_ns(self, ns: i64) -> i64 {
        let size = i64::try_from(self.stretch_ns(ns.unsigned_abs())).unwrap_or(i64::MAX);
        if ns < 0 { -size } else { size }
    }

    /// The scenario as it shows on the wire: what its faults last and how large they are there.
    pub fn on_the_wire(self, scenario: &Scenario) -> Scenario {
        let fault = |fault: &Fault| {
            let mut fault = fault.clone();
            (fault.from_ns, fault.to_ns) = (self.wire_ns(fault.from_ns), self.wire_ns(fault.to_ns));
            match &mut fault.kind {
                Kind::Lag { by_ns } | Kind::Reorder { by_ns, .. } => *by_ns = self.stretch_ns(*by_ns),
                Kind::ClockError { by_ns } => *by_ns = self.error_ns(*by_ns),
                _ => {}
            }
            fault
        };
        let end_ns = self.wire_ns(scenario.start_ns + scenario.duration_ns);
        Scenario {
            duration_ns: end_ns.saturating_sub(scenario.start_ns),
            faults: scenario.faults.iter().map(fault).collect(),
            ..scenario.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::faults::SourceId;

    #[test]
    fn stretches_shrink_with_the_speed_and_order_stays() {
        let start_ns = 1_000_000_000;
        let base = |speed_percent| Timebase::Scaled { start_ns, speed_percent };
        assert_eq!(base(100).wire_ns(start_ns + 77), start_ns + 77);
        assert_eq!(base(2000).wire_ns(start_ns + 400), start_ns + 20);
        assert_eq!(base(50).wire_ns(start_ns + 3), start_ns + 6);
        assert_eq!([base(2000).wire_ns(0), base(2000).wire_ns(u64::MAX)], [0, u64::MAX]);
        assert_eq!([base(400).error_ns(-400), base(400).error_ns(400)], [-100, 100]);
        assert_eq!(Timebase::Told(9).wire_ns(start_ns), 9);
        let wire: Vec<u64> = (0..100).map(|i| base(700).wire_ns(start_ns + i * 3)).collect();
        assert!(wire.is_sorted());
    }

    #[test]
    fn a_fault_shrinks_with_everything_else() {
        let scenario = Scenario { speed_percent: 2000, ..Scenario::default() };
        let start = scenario.start_ns;
        let fault = Fault {
            kind: Kind::Lag { by_ns: 80_000_000 },
            source: SourceId::Sip,
            lines: vec![],
            instruments: vec![1],
            from_ns: start + 4_000_000_000,
            to_ns: u64::MAX,
        };
        let scenario = Scenario { faults: vec![fault.clone()], ..scenario };
        let wire = Timebase::of(&scenario).on_the_wire(&scenario);
        let wanted = Fault { kind: Kind::Lag { by_ns: 4_000_000 }, from_ns: start + 200_000_000, ..fault };
        assert_eq!((wire.faults, wire.duration_ns), (vec![wanted], 500_000_000));
    }
}
