//! What the consolidator has heard and said lately: as much as its faults need to know, and nothing without them.

use std::collections::VecDeque;

use super::faults::{Fault, Kind};
use super::uqdf::Quote;

/// How far back arrivals count as load.
const LOAD_NS: u64 = 100_000_000;
/// Most quotes that are kept to be said again.
const SAID_MAX: usize = 100_000;

/// A quote that was said: when, of which instrument, by which participant.
pub type Said = (u64, usize, usize, Quote);

/// See the module.
#[derive(Debug)]
pub struct Lately {
    /// How far back what was said may be wanted again; 0: never.
    back_ns: u64,
    counts: bool,
    arrived: VecDeque<u64>,
    said: VecDeque<Said>,
}

impl Lately {
    /// As much as these faults need.
    pub fn new(faults: &[Fault]) -> Lately {
        let back = |f: &Fault| if let Kind::OldQuotes { back_ns, .. } = f.kind { back_ns } else { 0 };
        Lately {
            back_ns: faults.iter().map(back).max().unwrap_or(0),
            counts: faults.iter().any(|f| matches!(f.kind, Kind::CrossedLoad { .. })),
            arrived: VecDeque::new(),
            said: VecDeque::new(),
        }
    }

    /// A quote of the venue has left.
    pub fn arrived(&mut self, now_ns: u64) {
        if self.counts {
            self.arrived.push_back(now_ns);
            while self.arrived.front().is_some_and(|t| t + LOAD_NS < now_ns) {
                self.arrived.pop_front();
            }
        }
    }

    /// More quotes than `load` came within the last 100 ms.
    pub fn is_above(&self, load: u64, now_ns: u64) -> bool {
        self.arrived.iter().rev().take_while(|t| **t + LOAD_NS >= now_ns).count() as u64 > load
    }

    /// A quote was said.
    pub fn said(&mut self, now_ns: u64, i: usize, which: usize, quote: Quote) {
        if self.back_ns == 0 {
            return;
        }
        self.said.push_back((now_ns, i, which, quote));
        while self.said.len() > SAID_MAX || self.said.front().is_some_and(|s| s.0 + self.back_ns < now_ns) {
            self.said.pop_front();
        }
    }

    /// What was said in the last `back_ns`: one participant after the other, each in its order.
    pub fn by_participant(&self, now_ns: u64, back_ns: u64, wanted: impl Fn(usize) -> bool) -> Vec<Said> {
        let lately = |s: &&Said| s.0 + back_ns >= now_ns && wanted(s.1);
        let mut said: Vec<Said> = self.said.iter().filter(lately).copied().collect();
        said.sort_by_key(|s| s.2);
        said
    }
}

/// Begin and length of a fault's bursts of old quotes: each takes a third of the time until the next one.
pub fn bursts(fault: &Fault) -> impl Iterator<Item = (u64, u64)> {
    let bursts = if let Kind::OldQuotes { bursts, .. } = fault.kind { bursts } else { 0 };
    let from_ns = fault.from_ns;
    let apart_ns = fault.to_ns.saturating_sub(from_ns) / bursts.max(1);
    (0..bursts).map(move |n| (from_ns + n * apart_ns, apart_ns / 3))
}

/// The SIP is busy with a burst of old quotes.
pub fn in_burst(fault: &Fault, now_ns: u64) -> bool {
    fault.at(now_ns)
        && bursts(fault).any(|(from_ns, lasts_ns)| (from_ns..from_ns + lasts_ns).contains(&now_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::faults::SourceId;

    fn fault(kind: Kind) -> Fault {
        let (lines, instruments) = (vec![], vec![]);
        Fault { kind, source: SourceId::Sip, lines, instruments, from_ns: 900, to_ns: 1_800 }
    }

    #[test]
    fn what_was_said_comes_again_participant_by_participant() {
        let old = fault(Kind::OldQuotes { back_ns: 50, bursts: 3 });
        let mut lately = Lately::new(std::slice::from_ref(&old));
        for (at, which) in [(100, 2), (140, 2), (160, 0), (170, 1), (180, 0)] {
            lately.said(at, 7, which, Quote::default());
        }
        let again: Vec<(u64, usize)> =
            lately.by_participant(190, 50, |i| i == 7).iter().map(|s| (s.0, s.2)).collect();
        assert_eq!(again, [(160, 0), (180, 0), (170, 1), (140, 2)]);
        assert_eq!(bursts(&old).collect::<Vec<_>>(), [(900, 100), (1_200, 100), (1_500, 100)]);
        assert!(in_burst(&old, 999) && !in_burst(&old, 1_000) && in_burst(&old, 1_200));
        let mut nothing = Lately::new(&[fault(Kind::Freeze)]);
        nothing.said(1, 1, 1, Quote::default());
        assert!(nothing.by_participant(1, 50, |_| true).is_empty());
    }

    #[test]
    fn load_is_counted_over_a_tenth_of_a_second() {
        let mut lately = Lately::new(&[fault(Kind::CrossedLoad { load: 2 })]);
        for n in 0..4 {
            lately.arrived(n * 40_000_000);
        }
        assert!(lately.is_above(2, 120_000_000) && !lately.is_above(3, 120_000_000));
        assert!(!lately.is_above(2, 200_000_000));
    }
}
