//! A figure per interval over time, stacked by series. An interval of which nothing is known is shown as that, not as
//! zero.

use super::paper::{Paper, STYLES};
use super::scale::ValueScale;
use super::time::time_axis;

/// One interval.
#[derive(Debug, Clone)]
pub struct Bar {
    /// When it begins, nanoseconds since 1970 UTC.
    pub start_ns: u64,
    /// One figure a series, none negative; `None` when nothing is known of the interval.
    pub values: Option<Vec<i64>>,
}

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// Names of the series, in the order in which they stand on each other.
    pub names: &'a [&'a str],
    /// Intervals, ascending.
    pub bars: &'a [Bar],
    /// Length of an interval, nanoseconds.
    pub interval_ns: u64,
    /// How a figure is written, with its unit.
    pub show: fn(i64) -> String,
    /// The picture in words, for those who cannot see it.
    pub label: &'a str,
}

/// Draws the picture.
pub fn draw(picture: &Bars<'_>) -> String {
    let Bars { names, bars, interval_ns, show, label } = *picture;
    let first_ns = bars.first().map_or(0, |bar| bar.start_ns);
    let last_ns = bars.last().map_or(0, |bar| bar.start_ns.saturating_add(interval_ns));
    let span_ns = last_ns.saturating_sub(first_ns).max(1);
    let sum = |values: &Vec<i64>| values.iter().fold(0i64, |sum, value| sum.saturating_add((*value).max(0)));
    let most = bars.iter().filter_map(|bar| bar.values.as_ref().map(sum)).max().unwrap_or(0);
    let mut paper = Paper::new(220.0, ValueScale::from_zero(most, show), label);
    time_axis(&mut paper, first_ns, span_ns);
    let part = |ns: u64| ns.saturating_sub(first_ns) as f64 / span_ns as f64;
    for bar in bars {
        let end_ns = bar.start_ns.saturating_add(interval_ns);
        let room = (part(end_ns) - part(bar.start_ns)) * 0.08;
        let place = (part(bar.start_ns) + room, part(end_ns) - room);
        let Some(values) = &bar.values else {
            paper.shade("nothing", place, "no data");
            continue;
        };
        let mut low = 0i64;
        for (nth, (name, value)) in names.iter().zip(values).enumerate().filter(|(_, (_, value))| **value > 0)
        {
            let high = low.saturating_add(*value);
            let class = format!("block s{}", nth % STYLES);
            paper.block(&class, place, (low, high), &format!("{name}: {}", show(*value)));
            low = high;
        }
    }
    paper.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::thousands;

    fn bars(bars: &[Bar]) -> String {
        draw(&Bars { names: &["gap", "lag"], bars, interval_ns: 10, show: thousands, label: "<x>" })
    }

    #[test]
    fn series_stand_on_each_other_and_what_is_unknown_is_no_zero() {
        let values = [Some(vec![3, 4]), Some(vec![0, 0]), None];
        let all: Vec<Bar> =
            values.into_iter().zip([0, 10, 20]).map(|(values, start_ns)| Bar { start_ns, values }).collect();
        let svg = bars(&all);
        assert_eq!(
            (svg.matches("class=\"block").count(), svg.matches("class=\"nothing\"").count()),
            (2, 1),
            "{svg}"
        );
        assert!(svg.contains("gap: 3") && svg.contains("lag: 4"));
    }

    #[test]
    fn anything_can_be_drawn() {
        for all in [vec![], vec![Bar { start_ns: u64::MAX, values: Some(vec![i64::MAX, i64::MAX]) }]] {
            let svg = bars(&all);
            assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
