//! The time a report is about, and where its figures are found.

/// A day, nanoseconds.
pub const DAY_NS: i64 = 86_400_000_000_000;
const HOUR_NS: i64 = 3_600_000_000_000;
const MINUTE_NS: i64 = 60_000_000_000;

/// `from..to`, nanoseconds since 1970 UTC, in whole minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First moment.
    pub from_ns: i64,
    /// First moment after it.
    pub to_ns: i64,
}

impl Range {
    /// The least range of whole minutes that holds `from..to`; `None` when it is empty or beyond what a store keeps.
    pub fn new(from_ns: i64, to_ns: i64) -> Option<Range> {
        let from = from_ns.checked_sub(from_ns.rem_euclid(MINUTE_NS))?;
        let to = to_ns.checked_add(MINUTE_NS - 1)?;
        let to = to - to.rem_euclid(MINUTE_NS);
        let within = |ns: i64| (0..i64::MAX - 2 * DAY_NS).contains(&ns);
        (from < to && within(from) && within(to)).then_some(Range { from_ns: from, to_ns: to })
    }

    /// Midnights (UTC) of the whole days within it: the first, and that after the last; equal where there is none.
    pub fn whole_days(&self) -> (i64, i64) {
        let first = (self.from_ns + DAY_NS - 1) / DAY_NS * DAY_NS;
        let last = self.to_ns / DAY_NS * DAY_NS;
        if first < last { (first, last) } else { (first, first) }
    }

    /// Midnights (UTC) of the days that it touches.
    pub fn touched_days(&self) -> (i64, i64) {
        (self.from_ns / DAY_NS * DAY_NS, (self.to_ns + DAY_NS - 1) / DAY_NS * DAY_NS)
    }

    /// Length of the steps of its pictures: hours up to a week, then days.
    pub fn bucket_ns(&self) -> i64 {
        match self.to_ns - self.from_ns {
            span if span <= 2 * HOUR_NS => MINUTE_NS,
            span if span <= 7 * DAY_NS + HOUR_NS => HOUR_NS,
            _ => DAY_NS,
        }
    }

    /// The rows of a family of tables (`line` for `line_day` and `line_interval`) that lie in the range, of the runs
    /// that count: as a table in parentheses.
    pub fn rows(&self, family: &str) -> String {
        const CURRENT: &str = "run IN (SELECT run FROM current_run)";
        let Range { from_ns, to_ns } = self;
        let (first, last) = self.whole_days();
        if first == last {
            return format!(
                "(SELECT * FROM {family}_interval WHERE start_ns >= {from_ns} AND start_ns < {to_ns} AND {CURRENT})"
            );
        }
        let mut parts = vec![format!(
            "SELECT * FROM {family}_day WHERE start_ns >= {first} AND start_ns < {last} AND {CURRENT}"
        )];
        for (from, to) in [(*from_ns, first), (last, *to_ns)] {
            if from < to {
                parts.push(format!(
                    "SELECT * FROM {family}_interval WHERE start_ns >= {from} AND start_ns < {to} AND {CURRENT}"
                ));
            }
        }
        format!("({})", parts.join("\n    UNION ALL "))
    }

    /// The same by interval only, for pictures with steps shorter than a day.
    pub fn intervals(&self, family: &str) -> String {
        let Range { from_ns, to_ns } = self;
        format!(
            "(SELECT * FROM {family}_interval WHERE start_ns >= {from_ns} AND start_ns < {to_ns} AND run IN (SELECT run FROM current_run))"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_days_are_read_by_day_and_edges_by_interval() {
        let range = Range::new(DAY_NS - 5 * MINUTE_NS, 3 * DAY_NS + 7).unwrap();
        assert_eq!((range.to_ns, range.whole_days()), (3 * DAY_NS + MINUTE_NS, (DAY_NS, 3 * DAY_NS)));
        let sql = range.rows("line");
        assert_eq!((sql.matches("line_day").count(), sql.matches("line_interval").count()), (1, 2), "{sql}");
        let days = Range::new(DAY_NS, 2 * DAY_NS).unwrap().rows("pair");
        assert!(!days.contains("pair_interval"), "{days}");
        let hours = Range::new(DAY_NS + HOUR_NS, DAY_NS + 2 * HOUR_NS).unwrap().rows("pair");
        assert!(!hours.contains("pair_day"), "{hours}");
        assert_eq!(
            (Range::new(5, 5).is_some(), Range::new(MINUTE_NS, MINUTE_NS), Range::new(9, i64::MAX)),
            (true, None, None)
        );
    }
}
