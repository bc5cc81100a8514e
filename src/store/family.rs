//! The tables that are kept by interval and by day alike: their columns, and how figures are added to them.
//!
//! A family is declared once; the statements come from the declaration, and a test holds it against the schema.

/// How a figure goes into what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Added to it.
    Sum,
    /// The smaller stays.
    Least,
    /// The larger stays.
    Most,
}

/// See the module.
#[derive(Debug)]
pub struct Family {
    /// Tables are `NAME_interval` and `NAME_day`.
    pub name: &'static str,
    /// What a row is about, beside `start_ns` and `run`.
    pub keys: &'static [&'static str],
    /// Its figures.
    pub figures: &'static [(&'static str, Fold)],
}

use Fold::{Least, Most, Sum};

const PAIR: &[&str] = &["first", "second"];

/// Every family but the latencies, whose histograms are merged.
pub const ALL: [&Family; 12] = [
    &WATCH,
    &LINE,
    &CHANNEL,
    &PAIRS,
    &HELD,
    &SEGMENT,
    &ALERT_TIME,
    &CROSSING,
    &SUPPRESSED,
    &BURST,
    &CONTRADICTION,
    &CLOCK,
];

pub const WATCH: Family = Family { name: "watch", keys: &[], figures: &[("watched_ns", Sum)] };
pub const LINE: Family = Family {
    name: "line",
    keys: &["line"],
    figures: &[
        ("packets", Sum),
        ("messages", Sum),
        ("won", Sum),
        ("messages_won", Sum),
        ("duplicates", Sum),
        ("late", Sum),
        ("messages_late", Sum),
        ("signs", Sum),
        ("refused", Sum),
        ("out_of_order", Sum),
        ("losses", Sum),
        ("messages_lost", Sum),
        ("messages_only", Sum),
    ],
};
pub const CHANNEL: Family = Family {
    name: "channel",
    keys: &["channel"],
    figures: &[
        ("packets", Sum),
        ("bytes", Sum),
        ("messages", Sum),
        ("unknown", Sum),
        ("errors", Sum),
        ("gaps", Sum),
        ("missing", Sum),
        ("missing_ours", Sum),
        ("filled_late", Sum),
        ("recovered", Sum),
        ("busy_seconds", Sum),
    ],
};
pub const PAIRS: Family = Family {
    name: "pair",
    keys: PAIR,
    figures: &[
        ("comparable_ns", Sum),
        ("agree_ns", Sum),
        ("matched", Sum),
        ("first_led", Sum),
        ("second_led", Sum),
        ("together", Sum),
        ("first_only", Sum),
        ("second_only", Sum),
    ],
};
pub const HELD: Family = Family {
    name: "held",
    keys: &["first", "second", "reason"],
    figures: &[("held_ns", Sum), ("differences", Sum)],
};
pub const SEGMENT: Family =
    Family { name: "segment", keys: &["first", "second", "kind"], figures: &[("segments", Sum)] };
pub const ALERT_TIME: Family = Family {
    name: "alert_time",
    keys: &["kind", "about", "cause", "first", "second"],
    figures: &[("time_ns", Sum)],
};
pub const CROSSING: Family = Family {
    name: "crossing",
    keys: &["kind", "scope", "first", "second"],
    figures: &[("time_ns", Sum), ("times", Sum)],
};
pub const SUPPRESSED: Family =
    Family { name: "suppressed", keys: &["kind", "reason"], figures: &[("count", Sum)] };
pub const BURST: Family = Family {
    name: "burst",
    keys: &["source", "line", "window_ns"],
    figures: &[("packets", Most), ("messages", Most), ("bytes", Most)],
};
pub const CONTRADICTION: Family =
    Family { name: "contradiction", keys: &["channel", "kind"], figures: &[("count", Sum)] };
pub const CLOCK: Family = Family {
    name: "clock",
    keys: &["source"],
    figures: &[
        ("stamps", Sum),
        ("negative", Sum),
        ("backwards", Sum),
        ("least_ns", Least),
        ("greatest_ns", Most),
        ("worst_back_ns", Most),
    ],
};

impl Family {
    /// The statement that adds figures to a row of a table: its parameters are start, run, keys, figures.
    pub fn add_to(&self, table: &str) -> String {
        let columns: Vec<&str> = ["start_ns", "run"]
            .iter()
            .chain(self.keys)
            .copied()
            .chain(self.figures.iter().map(|f| f.0))
            .collect();
        let folded: Vec<String> = self
            .figures
            .iter()
            .map(|(name, fold)| match fold {
                Sum => format!("{name} = {name} + excluded.{name}"),
                Least => format!("{name} = min({name}, excluded.{name})"),
                Most => format!("{name} = max({name}, excluded.{name})"),
            })
            .collect();
        let places = vec!["?"; columns.len()].join(", ");
        format!(
            "INSERT INTO {table} ({}) VALUES ({places}) ON CONFLICT DO UPDATE SET {}",
            columns.join(", "),
            folded.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::beat::{CHANNEL_COUNTS, LINE_COUNTS};
    use crate::pipeline::figures::PAIR_COUNTS;

    fn names(family: &Family) -> Vec<&str> {
        family.figures.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn counts_come_in_the_order_of_the_columns() {
        assert_eq!(names(&LINE), LINE_COUNTS);
        assert_eq!(names(&CHANNEL), CHANNEL_COUNTS);
        assert_eq!(names(&PAIRS), PAIR_COUNTS);
    }

    #[test]
    fn every_family_fits_its_tables() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::store::MIGRATIONS[0]).unwrap();
        for family in ALL {
            for table in ["interval", "day"].map(|of| format!("{}_{of}", family.name)) {
                let statement = connection.prepare(&family.add_to(&table)).expect(&table);
                let sql = format!("SELECT count(*) FROM pragma_table_info('{table}')");
                let columns: i64 = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
                assert_eq!(statement.parameter_count() as i64, columns, "{table}");
            }
        }
    }
}
