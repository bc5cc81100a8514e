//! Why something is not compared, and for how long: as small numbers, because every judgement counts them.

use std::collections::BTreeMap;

use crate::market::Quality;

/// Why something cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Held {
    /// It has no quote yet.
    NoQuote,
    /// Nothing arrives from its source, or from a part of it.
    Silent,
    /// A test instrument.
    Test,
    /// Suspect after a gap.
    Gap,
    /// Halted, paused or suspended.
    Halted,
    /// Auction or pre-open.
    Auction,
    /// Not in session.
    Closed,
    /// Told as stale.
    Stale,
    /// A side is empty in one of the two.
    OneSided,
    /// What is wrong is told already.
    ToldAsDisagreement,
}

impl Held {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Held; 10] = [
        Held::NoQuote,
        Held::Silent,
        Held::Test,
        Held::Gap,
        Held::Halted,
        Held::Auction,
        Held::Closed,
        Held::Stale,
        Held::OneSided,
        Held::ToldAsDisagreement,
    ];

    /// Name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Held::NoQuote => "no_quote",
            Held::Silent => "silent",
            Held::Test => "test",
            Held::Gap => "gap",
            Held::Halted => "halted",
            Held::Auction => "auction",
            Held::Closed => "closed",
            Held::Stale => "stale",
            Held::OneSided => "one_sided",
            Held::ToldAsDisagreement => "told_as_disagreement",
        }
    }

    /// The reason that a quality gives for not comparing.
    #[inline]
    pub const fn by_quality(quality: Quality) -> Option<Held> {
        match quality {
            Quality::Ok => None,
            Quality::Suspect => Some(Held::Gap),
            Quality::Halted => Some(Held::Halted),
            Quality::Auction => Some(Held::Auction),
            Quality::Closed => Some(Held::Closed),
        }
    }
}

/// Time held back by reason, nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeldTimes {
    ns: [u64; Held::ALL.len()],
    /// Reasons that there were, however short.
    known: u16,
}

impl HeldTimes {
    /// Adds time under a reason.
    #[inline]
    pub fn add(&mut self, reason: Held, ns: u64) {
        self.ns[reason as usize] += ns;
        self.known |= 1 << reason as u16;
    }

    /// By name.
    pub fn by_name(&self) -> BTreeMap<&'static str, u64> {
        let known = Held::ALL.into_iter().filter(|r| self.known & (1 << *r as u16) != 0);
        known.map(|r| (r.name(), self.ns[r as usize])).collect()
    }
}

/// How long something that comes and goes has lasted in all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stopwatch {
    total: u64,
    since: Option<u64>,
}

impl Stopwatch {
    /// It is so from `now` on, or it is not.
    pub fn set(&mut self, now: u64, runs: bool) {
        self.total = self.read(now);
        self.since = runs.then_some(now);
    }

    /// Whether it is so.
    #[inline]
    pub fn runs(&self) -> bool {
        self.since.is_some()
    }

    /// Nanoseconds so far.
    #[inline]
    pub fn read(&self, now: u64) -> u64 {
        self.since.map_or(self.total, |since| self.total + now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        assert!(Held::ALL.iter().enumerate().all(|(i, r)| *r as usize == i));
        let mut times = HeldTimes::default();
        times.add(Held::Gap, 0);
        times.add(Held::Silent, 5);
        times.add(Held::Silent, 6);
        assert_eq!(times.by_name(), BTreeMap::from([("gap", 0), ("silent", 11)]));
    }

    #[test]
    fn a_stopwatch_counts_only_while_it_runs() {
        let mut watch = Stopwatch::default();
        watch.set(10, true);
        assert_eq!((watch.read(25), watch.runs()), (15, true));
        watch.set(30, true);
        watch.set(40, false);
        watch.set(50, true);
        assert_eq!(watch.read(51), 31);
    }
}
