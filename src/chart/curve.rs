//! The percentile curves: one line per series over a logarithmic axis of 1 / (1 - q),
//! on which the tail has as much room as the median. A line ends where the series has no more values.

use super::paper::{Paper, STYLES};
use super::scale::ValueScale;

/// One line of the drawing.
#[derive(Debug, Clone)]
pub struct Line {
    /// Colour and mark; a series and its baseline share it.
    pub style: usize,
    /// Drawn dashed and without marks.
    pub is_baseline: bool,
    /// How many values it is made of.
    pub count: u64,
    /// (decades from 0 %, nanoseconds), ascending: 1 is 90 %, 2 is 99 %.
    pub points: Vec<(f64, i64)>,
    /// Marks: place as in `points`, and what is shown when they are pointed at.
    pub marks: Vec<(f64, i64, String)>,
}

/// Draws the curves of all `lines` into one frame; `label` describes it to those who cannot see it.
pub fn draw(lines: &[Line], label: &str) -> String {
    let values = lines.iter().flat_map(|line| &line.points).map(|(_, value)| *value);
    let most = lines.iter().map(|line| line.count).max().unwrap_or(1);
    // The axis ends at the decade behind the largest count, at least at 99 %.
    let decades = (most.max(1) as f64).log10().ceil().clamp(2.0, 9.0);
    let mut paper = Paper::new(340.0, ValueScale::new(values), label);
    for decade in 0..=decades as usize {
        let text = match decade {
            0 => "0 %".to_string(),
            1 => "90 %".to_string(),
            2 => "99 %".to_string(),
            _ => format!("99.{} %", "9".repeat(decade - 2)),
        };
        paper.x_tick(decade as f64 / decades, &text);
    }
    paper.x_tick(2f64.log10() / decades, "50 %");
    paper.x_title("part of all values that are at or below the line");
    for line in lines {
        let class = format!("s{}{}", line.style % STYLES, if line.is_baseline { " then" } else { "" });
        paper.line(&class, line.points.iter().map(|&(x, value)| (x / decades, value, false)));
    }
    for line in lines.iter().filter(|line| !line.is_baseline) {
        for (x, value, title) in &line.marks {
            paper.mark(line.style, x / decades, *value, title);
        }
    }
    paper.finish()
}
