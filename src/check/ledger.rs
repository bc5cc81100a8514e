//! What every pair of views disagreed on since it was last asked, for the worst instruments of a day.
//!
//! It is kept only where somebody asks; the comparator itself never looks at it.

/// A pair's account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Comparable time in which the two differed, nanoseconds, both sides added up.
    pub differ_ns: u64,
    /// Disagreements that ended.
    pub segments: u64,
    /// Of them, told.
    pub told: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The pair that is being judged.
    pub pair: u32,
    rows: Vec<Row>,
    /// Pairs whose account is not empty, in the order of their first entry.
    written: Vec<u32>,
}

impl Ledger {
    /// Adds to the account of the pair that is being judged.
    #[inline]
    pub fn add(&mut self, more: Row) {
        if more == Row::default() {
            return;
        }
        let at = self.pair as usize;
        if self.rows.len() <= at {
            self.rows.resize(at + 1, Row::default());
        }
        let row = &mut self.rows[at];
        if *row == Row::default() {
            self.written.push(self.pair);
        }
        row.differ_ns += more.differ_ns;
        row.segments += more.segments;
        row.told += more.told;
    }

    /// Hands over every account that is not empty, by pair, and begins anew.
    pub fn take(&mut self) -> impl Iterator<Item = (u32, Row)> + '_ {
        self.written.sort_unstable();
        let Ledger { rows, written, .. } = self;
        written.drain(..).map(|pair| (pair, std::mem::take(&mut rows[pair as usize])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_handed_over_once_in_order() {
        let mut ledger = Ledger::default();
        let row = Row { differ_ns: 5, segments: 1, told: 0 };
        for pair in [7, 2, 7, 3] {
            ledger.pair = pair;
            ledger.add(if pair == 3 { Row::default() } else { row });
        }
        let twice = Row { differ_ns: 10, segments: 2, told: 0 };
        assert_eq!(ledger.take().collect::<Vec<_>>(), [(2, row), (7, twice)]);
        assert_eq!(ledger.take().count(), 0);
    }
}
