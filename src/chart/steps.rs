//! What sources showed over time: prices as steps, with marks. A time without a price is a gap in the line, never a
//! slope.

use super::paper::{Paper, STYLES};
use super::scale::ValueScale;
use super::time::time_axis;

/// What one source showed.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Colour; `1` and the other odd ones are dashed, so that paper without colour can be read.
    pub style: usize,
    /// Changes, ascending: since when, nanoseconds since 1970 UTC, and the value shown from then on.
    pub points: &'a [(u64, Option<i64>)],
}

/// A moment worth pointing at.
#[derive(Debug, Clone)]
pub struct Mark {
    /// When, nanoseconds since 1970 UTC.
    pub ts_ns: u64,
    /// What happened then, in a few words.
    pub text: String,
}

/// What is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Steps<'a> {
    /// The lines, drawn in this order.
    pub lines: &'a [Line<'a>],
    /// Moments; at most the first [`MARKS_MAX`] are drawn.
    pub marks: &'a [Mark],
    /// Stretches that are shaded (from, to), and what they are.
    pub shades: &'a [(u64, u64, &'a str)],
    /// The time that is shown, nanoseconds since 1970 UTC.
    pub window_ns: (u64, u64),
    /// How a value is written.
    pub show: fn(i64) -> String,
    /// The picture in words, for those who cannot see it.
    pub label: &'a str,
}

/// More marks would hide each other.
pub const MARKS_MAX: usize = 6;

/// Draws the picture.
pub fn draw(picture: &Steps<'_>) -> String {
    let (from_ns, to_ns) = picture.window_ns;
    let span_ns = to_ns.saturating_sub(from_ns).max(1);
    let part = |ns: u64| ns.saturating_sub(from_ns) as f64 / span_ns as f64;
    let cut: Vec<Vec<(u64, Option<i64>)>> =
        picture.lines.iter().map(|line| cut(line.points, from_ns, to_ns)).collect();
    let values = cut.iter().flatten().filter_map(|(_, value)| *value);
    let scale = ValueScale::linear(values, picture.show).below_words(picture.marks.len().min(MARKS_MAX));
    let mut paper = Paper::new(300.0, scale, picture.label);
    time_axis(&mut paper, from_ns, span_ns);
    for (from, to, title) in picture.shades {
        paper.shade("shade", (part(*from), part((*to).min(to_ns))), title);
    }
    for (line, points) in picture.lines.iter().zip(&cut) {
        let mut corners: Vec<(f64, i64, bool)> = Vec::with_capacity(points.len() * 2);
        let mut before: Option<i64> = None;
        for (nth, (ts_ns, value)) in points.iter().enumerate() {
            let until = points.get(nth + 1).map_or(to_ns, |(next, _)| *next);
            if let Some(value) = value {
                corners.push((part(*ts_ns), *value, before.is_none()));
                corners.push((part(until), *value, false));
            }
            before = *value;
        }
        let dash = if line.style % 2 == 1 { " then" } else { "" };
        paper.line(&format!("s{}{dash}", line.style % STYLES), corners.into_iter());
    }
    for (row, mark) in picture.marks.iter().take(MARKS_MAX).enumerate() {
        paper.flag(part(mark.ts_ns), row, &mark.text);
    }
    paper.finish()
}

/// The points inside the window, beginning with what was shown when it opens.
fn cut(points: &[(u64, Option<i64>)], from_ns: u64, to_ns: u64) -> Vec<(u64, Option<i64>)> {
    let first = points.partition_point(|(ts, _)| *ts <= from_ns);
    let mut inside = Vec::new();
    if let Some((_, value)) = first.checked_sub(1).and_then(|at| points.get(at)) {
        inside.push((from_ns, *value));
    }
    inside.extend(points[first..].iter().take_while(|(ts, _)| *ts < to_ns));
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(points: &[(u64, Option<i64>)], window_ns: (u64, u64)) -> String {
        let marks = [Mark { ts_ns: 15, text: "<raised>".into() }];
        draw(&Steps {
            lines: &[Line { style: 0, points }],
            marks: &marks,
            shades: &[(12, u64::MAX, "apart")],
            window_ns,
            show: |n| n.to_string(),
            label: "x",
        })
    }

    #[test]
    fn a_price_stands_until_the_next_and_nothing_is_no_slope() {
        let svg = steps(&[(1, Some(100)), (14, Some(104)), (16, None), (18, Some(100))], (10, 20));
        let line = svg.split("class=\"line s0\"").nth(1).unwrap().split("/>").next().unwrap();
        // 100 from the window's beginning, up at 14, nothing from 16 to 18, then 100 to the window's end.
        assert_eq!(line.matches('M').count(), 2, "{line}");
        // Above the highest there is room for the mark's words.
        let (low, high) = (" 236.5", " 43.2");
        assert_eq!(line.matches(low).count(), 4, "{line}");
        assert_eq!(line.matches(high).count(), 2, "{line}");
        assert!(svg.contains("&lt;raised&gt;"));
    }

    #[test]
    fn anything_can_be_drawn() {
        for points in [
            &[][..],
            &[(0, None)],
            &[(u64::MAX, Some(i64::MAX))],
            &[(3, Some(i64::MIN)), (4, Some(i64::MAX))],
        ] {
            for window in [(0, 0), (0, u64::MAX), (5, 4)] {
                let svg = steps(points, window);
                assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
    }
}
