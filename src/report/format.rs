//! How values are written for people, by the unit at the end of their column's name.

use super::table::Cell;
use crate::chart::thousands;
use crate::latency::text::humane;

/// A column's name for people: without its unit, which its values bear.
pub fn heading(column: &str) -> String {
    let name =
        ["_at_ns", "_ppm", "_ns", "_us"].iter().find_map(|unit| column.strip_suffix(unit)).unwrap_or(column);
    let name = match name {
        "p999" => "p99.9",
        "p9999" => "p99.99",
        "first_ppm" => "first",
        // Of what, the column before says.
        "messages_missing" => "missing",
        "messages_lost" => "lost",
        "messages_only_here" => "only here",
        "differ" => "time apart",
        "alert" => "alert time",
        "held" => "time held",
        "lasted" => "time in all",
        name => name,
    };
    let percent = if column.ends_with("_ppm") { " %" } else { "" };
    format!("{}{percent}", name.replace('_', " "))
}

/// Whether a column stands on the left.
pub fn is_text(cells: impl Iterator<Item = Cell>, column: &str) -> bool {
    let is_moment = column.ends_with("_at_ns");
    is_moment || !column.ends_with("_ns") && cells.into_iter().any(|cell| matches!(cell, Cell::Text(_)))
}

/// A value.
pub fn show(column: &str, cell: &Cell) -> String {
    match cell {
        // A part of nothing is unknown, not whole.
        Cell::Null if column.ends_with("_ppm") => "no data".to_owned(),
        Cell::Null => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Whole(n) if column.ends_with("_at_ns") => time(*n),
        Cell::Whole(n) if column.ends_with("_ppm") => format!("{}.{:04}", n / 10_000, n % 10_000),
        Cell::Whole(n) if column.ends_with("_us") => duration(n.saturating_mul(1_000), *n),
        Cell::Whole(n) if column.ends_with("_ns") => duration(*n, *n / 1_000),
        Cell::Whole(n) => thousands(*n),
    }
}

/// A duration: three digits up to two minutes, then hours, minutes and seconds.
fn duration(ns: i64, us: i64) -> String {
    let seconds = us / 1_000_000;
    match seconds {
        _ if ns == 0 => "0".to_owned(),
        -119..=119 => humane(ns),
        _ => {
            let sign = if seconds < 0 { "-" } else { "" };
            let seconds = seconds.unsigned_abs();
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            format!("{sign}{hours}:{minutes:02}:{:02} h", seconds % 60)
        }
    }
}

/// A range of times, UTC: whole days by their dates, the last one included.
pub fn range(from_ns: i64, to_ns: i64) -> String {
    let days = |ns: i64| ns % super::DAY_NS == 0;
    match to_ns.saturating_sub(super::DAY_NS) {
        last if days(from_ns) && days(to_ns) && last == from_ns => format!("on {} (UTC)", time(from_ns)),
        last if days(from_ns) && days(to_ns) && last > from_ns => {
            format!("from {} to {}, both days included (UTC)", time(from_ns), time(last))
        }
        _ => format!("from {} to {} UTC", time(from_ns), time(to_ns)),
    }
}

/// A time, UTC, to the second where it is a whole one.
pub fn time(ns: i64) -> String {
    let Ok(time) = jiff::Timestamp::from_nanosecond(i128::from(ns)) else { return ns.to_string() };
    let civil = time.to_zoned(jiff::tz::TimeZone::UTC);
    let (day, second) = (civil.strftime("%Y-%m-%d"), civil.strftime("%Y-%m-%d %H:%M:%S"));
    if ns % super::DAY_NS == 0 {
        day.to_string()
    } else if ns % 1_000_000_000 == 0 {
        second.to_string()
    } else {
        format!("{second}.{:09}", ns.rem_euclid(1_000_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_stand_with_the_values() {
        let shown = |column, n| show(column, &Cell::Whole(n));
        assert_eq!(shown("available_ppm", 999_999), "99.9999");
        assert_eq!(shown("available_ppm", 1_000_000), "100.0000");
        assert_eq!(shown("time_us", 3_723_000_000), "1:02:03 h");
        assert_eq!(shown("median_ns", -1_234), "-1.23us");
        assert_eq!(shown("day_at_ns", 0), "1970-01-01");
        assert_eq!(shown("event_at_ns", 1_500_000_000), "1970-01-01 00:00:01.500000000");
        assert_eq!(shown("messages", 1_234_567), "1,234,567");
        assert_eq!(show("agree_ppm", &Cell::Null), "no data");
        assert_eq!(range(0, crate::report::DAY_NS), "on 1970-01-01 (UTC)");
        assert_eq!(
            range(0, 7 * crate::report::DAY_NS),
            "from 1970-01-01 to 1970-01-07, both days included (UTC)"
        );
        assert_eq!(range(0, 60_000_000_000), "from 1970-01-01 to 1970-01-01 00:01:00 UTC");
        assert!(is_text([Cell::Whole(0)].into_iter(), "day_at_ns"));
        assert_eq!(
            (heading("agree_ppm"), heading("p999_ns"), heading("only_first")),
            ("agree %".into(), "p99.9".into(), "only first".into())
        );
    }
}
