//! What must come of the incidents: a second site that is dead, bands that are wrong, test data after the close.

use super::super::faults::{Fault, SourceId};
use super::super::record::{Alert, Record};
use super::super::verdict::limit;
use super::Truth;
use super::{Account, MS, SECOND};

impl Truth {
    /// The second site's books stand still while it shows that it lives.
    pub(super) fn dead_backup(&self, fault: &Fault, record: &mut Record) {
        let to = fault.to_ns.min(self.end_ns);
        let stale = Alert::anything(fault.from_ns, to).of(&[SourceId::Backup]).any_of(&["stale"]).many();
        // A second more for a sign of life, and two in which at least one instrument has moved often enough.
        let due = fault.from_ns + limit::STALE.1 + 3 * SECOND;
        if due < to {
            record.expect.push(stale.by(due));
        } else {
            record.accept.push(stale);
        }
        // Until they are stale, each pair of it is late; at the end it catches up.
        for peer in SourceId::PAIR {
            let pair = Alert::anything(fault.from_ns, fault.to_ns.saturating_add(SECOND));
            let pair = pair.of(&[peer, SourceId::Backup]).any_of(&["lagging", "divergent"]).many();
            record.accept.push(pair);
        }
    }

    /// Instruments that are paused because their bands are wrong, while the venue trades on.
    pub(super) fn wrong_bands(&self, fault: &Fault, account: &Account, after_ns: u64, record: &mut Record) {
        let paused_ns = fault.from_ns + after_ns;
        record.observable = fault.from_ns < self.end_ns;
        for &i in &fault.instruments {
            // The halt is told when the venue's book has moved after it.
            let moved = |within: u64| account.moved.iter().any(|(m, at)| *m == i && *at > paused_ns + within);
            let alert = Alert::about(&self.symbols[i], paused_ns, fault.to_ns).of(&SourceId::PAIR);
            let alert = alert.any_of(&["status"]);
            if moved(limit::STATUS.1) {
                record.expect.push(alert.by(fault.to_ns));
            } else if moved(limit::STATUS.0) {
                record.accept.push(alert);
            }
        }
    }

    /// Quotes of a source that does not know that the venue has closed.
    pub(super) fn test_data(&self, fault: &Fault, record: &mut Record) {
        let all: Vec<usize> = (0..self.symbols.len()).collect();
        let instruments = if fault.instruments.is_empty() { &all } else { &fault.instruments };
        let to = fault.to_ns.min(self.end_ns);
        // The first comes half a second after the close, the second half a second later at most.
        let told = fault.from_ns + 1_500 * MS;
        for &i in instruments {
            let alert = Alert::about(&self.symbols[i], fault.from_ns, to).of(&SourceId::PAIR);
            let alert = alert.any_of(&["status"]);
            if told < to {
                record.expect.push(alert.by(told));
            } else {
                record.accept.push(alert);
            }
        }
    }
}
