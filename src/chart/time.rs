//! The time axis: UTC, with as many digits as the step between its marks needs.

use super::paper::Paper;
use super::scale::time_step;

/// Marks of a time axis (UTC) over `span_ns` from `first_ns`, and its title.
pub fn time_axis(chart: &mut Paper, first_ns: u64, span_ns: u64) {
    // Times with all their digits are wide.
    let step = time_step(span_ns, if span_ns < 10_000_000 { 4 } else { 7 });
    let last_ns = first_ns.saturating_add(span_ns);
    let mut tick = first_ns.div_ceil(step).checked_mul(step);
    while let Some(ns) = tick.filter(|ns| *ns <= last_ns) {
        chart.x_tick((ns - first_ns) as f64 / span_ns as f64, &clock(ns, step));
        tick = ns.checked_add(step);
    }
    let (from, to) = (date(first_ns), date(last_ns));
    let days = if from == to { from } else { format!("{from} to {to}") };
    chart.x_title(&format!("time, UTC, {days}"));
}

fn civil(ns: u64) -> Option<jiff::Zoned> {
    let time = jiff::Timestamp::from_nanosecond(i128::from(ns)).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC))
}

fn date(ns: u64) -> String {
    civil(ns).map(|time| time.date().to_string()).unwrap_or_default()
}

/// The time of day, with as many digits of the second as `step` needs; from a day
/// upwards the date.
fn clock(ns: u64, step: u64) -> String {
    let Some(time) = civil(ns) else { return String::new() };
    if step >= 86_400_000_000_000 {
        return time.date().to_string();
    }
    let digits = (0..9).find(|digits| step.is_multiple_of(10u64.pow(9 - digits))).unwrap_or(9) as usize;
    let fraction = format!("{:09}", time.subsec_nanosecond());
    let point = if digits > 0 { "." } else { "" };
    format!("{}{point}{}", time.strftime("%H:%M:%S"), &fraction[..digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_the_digits_that_differ() {
        assert_eq!(clock(3_661_250_000_000, 50_000_000), "01:01:01.25");
        assert_eq!(clock(3_661_000_000_000, 1_000_000_000), "01:01:01");
        assert_eq!(clock(86_400_000_000_000, 86_400_000_000_000), "1970-01-02");
    }
}
