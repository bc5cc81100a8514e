//! How long books are crossed or locked, however briefly: time that is added up, not judged.

use std::collections::BTreeMap;

use crate::config::Kind;
use crate::market::SourceId;

/// Whose books cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// `source`, `sources` or `venues`.
    pub name: &'static str,
    /// The source.
    pub first: SourceId,
    /// The other, of two.
    pub second: Option<SourceId>,
}

/// How many are so at the moment, and how long they were so in all.
#[derive(Debug, Clone, Copy, Default)]
struct Meter {
    running: u64,
    since: u64,
    total_ns: u64,
    times: u64,
}

impl Meter {
    fn read(&self, now: u64) -> u64 {
        self.total_ns.saturating_add(self.running.saturating_mul(now.saturating_sub(self.since)))
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Crossings(BTreeMap<(Kind, Scope), Meter>);

impl Crossings {
    /// A book begins to be so at `now`, or ends to.
    pub fn turn(&mut self, now: u64, kind: Kind, scope: Scope, begins: bool) {
        let meter = self.0.entry((kind, scope)).or_default();
        meter.total_ns = meter.read(now);
        meter.since = now;
        if begins {
            meter.running += 1;
            meter.times += 1;
        } else {
            meter.running = meter.running.saturating_sub(1);
        }
    }

    /// Nanoseconds up to `now`, and how often it began.
    pub fn read(&self, now: u64) -> impl Iterator<Item = ((Kind, Scope), (u64, u64))> + '_ {
        self.0.iter().map(move |(key, meter)| (*key, (meter.read(now), meter.times)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_that_cross_at_a_time_are_added_up() {
        let scope = Scope { name: "source", first: 1, second: None };
        let mut crossings = Crossings::default();
        let mut at = |now, begins| crossings.turn(now, Kind::Crossed, scope, begins);
        at(10, true);
        at(15, true);
        at(20, false);
        at(30, false);
        at(40, true);
        let read: Vec<_> = crossings.read(42).collect();
        assert_eq!(read, [((Kind::Crossed, scope), (5 + 10 + 10 + 2, 3))]);
    }
}
