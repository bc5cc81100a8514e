//! A series over time: median, 99th percentile and maximum of every interval, as steps. A
//! pause in the data is a gap in the line, never a slope.

use super::distribution::Percentiles;
use super::timeline::{TimeLine, TimePoint};
use crate::chart::{Paper, ValueScale, time_axis};

/// A line of the drawing: its class, and which figure of an interval it follows.
type Figure = (&'static str, fn(&TimePoint) -> i64);

/// Draws one series; `baseline` gives the level of its percentiles in the baseline, and
/// `with_min` the lowest values too (where there are negative ones).
pub fn draw(line: &TimeLine, baseline: Option<Percentiles>, with_min: bool, label: &str) -> String {
    let mut figures: Vec<Figure> = vec![("max", |p| p.max_ns), ("p99", |p| p.p99_ns), ("p50", |p| p.p50_ns)];
    if with_min {
        figures.push(("min", |p| p.min_ns));
    }
    let levels = baseline.map(|percentiles| [("p50", percentiles.p50()), ("p99", percentiles.p99())]);
    let points: Vec<(u64, &TimePoint)> = line.points().collect();
    let values = points.iter().flat_map(|(_, point)| figures.iter().map(move |(_, figure)| figure(point)));
    let scale = ValueScale::new(values.chain(levels.into_iter().flatten().map(|(_, level)| level)));
    let first_ns = points.first().map_or(0, |(start, _)| *start);
    let span_ns = line.end_ns().saturating_sub(first_ns).max(1);
    let part = |ns: u64| ns.saturating_sub(first_ns) as f64 / span_ns as f64;

    let mut chart = Paper::new(250.0, scale, label);
    time_axis(&mut chart, first_ns, span_ns);
    for (class, level) in levels.into_iter().flatten() {
        let class = format!("{class} then");
        chart.line(&class, [(0.0, level, false), (1.0, level, false)].into_iter());
    }
    let usual_ns = usual_distance(&points).unwrap_or(span_ns);
    for (class, figure) in figures {
        let mut before_ns = first_ns;
        let steps = points.iter().enumerate().flat_map(|(nth, (start_ns, point))| {
            let is_break = *start_ns - before_ns > usual_ns.saturating_mul(3);
            before_ns = *start_ns;
            let next_ns = points.get(nth + 1).map_or(u64::MAX, |(next_ns, _)| *next_ns);
            let end_ns = start_ns.saturating_add(usual_ns).min(next_ns);
            [(part(*start_ns), figure(point), is_break), (part(end_ns), figure(point), false)]
        });
        chart.line(class, steps);
    }
    chart.finish()
}

/// The middle one of the distances between neighbours: how long a point holds, and a
/// third of what makes a pause.
fn usual_distance(points: &[(u64, &TimePoint)]) -> Option<u64> {
    let mut distances: Vec<u64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Distribution;

    fn line(starts: &[u64]) -> TimeLine {
        let mut line = TimeLine::default();
        let mut values = Distribution::default();
        values.add(1_000, 1).unwrap();
        starts.iter().for_each(|start| line.add(*start, 1, &values));
        line
    }

    #[test]
    fn a_pause_breaks_the_line() {
        let svg = draw(&line(&[0, 10, 20, 90, 100]), None, false, "x");
        let max = svg.split("class=\"line max\"").nth(1).unwrap().split("/>").next().unwrap();
        assert_eq!(max.matches('M').count(), 2, "{max}");
    }

    #[test]
    fn any_span_can_be_drawn() {
        for starts in [&[][..], &[0], &[u64::MAX], &[0, u64::MAX], &[u64::MAX - 1, u64::MAX], &[7, 8]] {
            let svg = draw(&line(starts), Some(Percentiles([i64::MIN; 7])), true, "<x>");
            assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
