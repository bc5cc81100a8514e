//! Figures as people read them on a screen: ages, durations, rates, sizes. Three significant digits, a unit, no floats.

/// The first eight characters of an id.
pub fn short(id: &str) -> &str {
    id.char_indices().nth(8).map_or(id, |(end, _)| &id[..end])
}

/// Text of others, without what would move a terminal's cursor.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{b7}' } else { c }).collect()
}

/// The time of day, UTC.
pub fn clock(ns: u64) -> String {
    let second = ns / 1_000_000_000 % 86_400;
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// How long ago, roughly.
pub fn age(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match seconds {
        0 => duration(ns / 1_000_000 * 1_000_000),
        1..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A short time.
pub fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} us", digits(ns, 1_000)),
        1_000_000..1_000_000_000 => format!("{} ms", digits(ns, 1_000_000)),
        _ => format!("{} s", digits(ns, 1_000_000_000)),
    }
}

/// A short time that may be negative.
pub fn signed_duration(ns: i64) -> String {
    let text = duration(ns.unsigned_abs());
    if ns < 0 { format!("-{text}") } else { text }
}

/// A count.
pub fn count(n: u64) -> String {
    match n {
        0..100_000 => n.to_string(),
        100_000..1_000_000 => format!("{}k", n / 1_000),
        1_000_000..1_000_000_000 => format!("{}M", digits(n, 1_000_000)),
        _ => format!("{}G", digits(n, 1_000_000_000)),
    }
}

/// Per second, from two readings of a counter and the time between them; `-` without any.
pub fn rate(before: u64, after: u64, between_ns: u64) -> String {
    if between_ns == 0 {
        return "-".to_owned();
    }
    // A daemon that was started anew counts from nothing.
    let more = u128::from(after.saturating_sub(before)) * 1_000_000_000;
    count(u64::try_from(more / u128::from(between_ns)).unwrap_or(u64::MAX))
}

/// Part of a whole.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let permille = u128::from(part) * 1_000 / u128::from(whole);
    format!("{}.{}%", permille / 10, permille % 10)
}

/// At most three digits of `n / unit`.
fn digits(n: u64, unit: u64) -> String {
    let whole = n / unit;
    let hundredths = n % unit * 100 / unit;
    match whole {
        0..10 => format!("{whole}.{hundredths:02}"),
        10..100 => format!("{whole}.{}", hundredths / 10),
        _ => whole.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let said = [999, 1_000, 41_250, 730_999, 1_250_000, 59_999_999_999].map(duration);
        assert_eq!(said, ["999 ns", "1.00 us", "41.2 us", "730 us", "1.25 ms", "59.9 s"]);
        let said =
            [0, 1_499_999, 119_000_000_000, 120_000_000_000, 7_300_000_000_000, 200_000_000_000_000].map(age);
        assert_eq!(said, ["0 ns", "1.00 ms", "119 s", "2 min", "2 h", "2 d"]);
        assert_eq!(
            [99_999, 123_456, 12_345_678, u64::MAX].map(count),
            ["99999", "123k", "12.3M", "18446744073G"]
        );
        assert_eq!(
            (rate(100, 600, 500_000_000), rate(9, 1, 1), rate(1, 2, 0)),
            ("1000".into(), "0".into(), "-".into())
        );
        assert_eq!(
            (percent(1, 3), percent(0, 0), percent(u64::MAX, u64::MAX)),
            ("33.3%".into(), "-".into(), "100.0%".into())
        );
        assert_eq!(
            (signed_duration(-1_500), signed_duration(i64::MIN)),
            ("-1.50 us".into(), "-9223372036 s".into())
        );
        assert_eq!(
            (short("0123456789"), short("ab"), clock(86_399_999_999_999)),
            ("01234567", "ab", "23:59:59".into())
        );
        assert_eq!(clean("a\u{1b}[2J\n"), "a\u{b7}[2J\u{b7}");
    }
}
