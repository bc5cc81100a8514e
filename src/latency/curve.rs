//! The percentile curves: one line per series over a logarithmic axis of 1 / (1 - q),
//! on which the tail has as much room as the median. A line ends where the series has no more values.

use super::chart::{Chart, STYLES};
use super::distribution::{Distribution, QUANTILES};
use super::scale::ValueScale;
use super::text::humane;

/// Points per decade of the axis.
const STEPS: u32 = 24;
const WHOLE: u64 = 1_000_000_000_000;

/// One line of the drawing.
pub struct Line<'a> {
    /// Shown when its marks are pointed at.
    pub name: &'a str,
    /// Colour and mark; a series and its baseline share it.
    pub style: usize,
    /// Drawn dashed and without marks.
    pub is_baseline: bool,
    /// The values.
    pub values: &'a Distribution,
}

/// Draws the curves of all `lines` into one frame.
pub fn draw(lines: &[Line<'_>], label: &str) -> String {
    let curves: Vec<Vec<(f64, i64)>> = lines.iter().map(|line| curve(line.values)).collect();
    let values = curves.iter().flatten().map(|(_, value)| *value);
    let most = lines.iter().map(|line| line.values.count()).max().unwrap_or(1);
    // The axis ends at the decade behind the largest count, at least at 99 %.
    let decades = (most.max(1) as f64).log10().ceil().clamp(2.0, 9.0);
    let mut chart = Chart::new(340.0, ValueScale::new(values), label);
    for decade in 0..=decades as usize {
        let text = match decade {
            0 => "0 %".to_string(),
            1 => "90 %".to_string(),
            2 => "99 %".to_string(),
            _ => format!("99.{} %", "9".repeat(decade - 2)),
        };
        chart.x_tick(decade as f64 / decades, &text);
    }
    chart.x_tick(2f64.log10() / decades, "50 %");
    chart.x_title("part of all values that are at or below the line");
    for (line, curve) in lines.iter().zip(&curves) {
        let class = format!("s{}{}", line.style % STYLES, if line.is_baseline { " then" } else { "" });
        chart.line(&class, curve.iter().map(|&(x, value)| (x / decades, value, false)));
    }
    for line in lines.iter().filter(|line| !line.is_baseline) {
        mark(&mut chart, line, decades);
    }
    chart.finish()
}

/// Marks at the percentiles of the table, as far as the axis and the count go.
fn mark(chart: &mut Chart, line: &Line<'_>, decades: f64) {
    let Some(percentiles) = line.values.percentiles() else { return };
    for (quantile, value) in QUANTILES.iter().zip(percentiles.0) {
        let left = u64::from(10_000 - quantile.ten_thousandths);
        let is_there = u128::from(line.values.count()) * u128::from(left) >= 10_000;
        if is_there {
            let x = (10_000.0 / left as f64).log10() / decades;
            chart.mark(line.style, x, value, &format!("{} {}: {}", line.name, quantile.label, humane(value)));
        }
    }
}

/// (decades from 0 %, value), ending with the maximum at one value in `count`.
fn curve(values: &Distribution) -> Vec<(f64, i64)> {
    let end = (values.count().max(1) as f64).log10().min(9.0);
    let steps = (end * f64::from(STEPS)).floor() as u32;
    let mut xs: Vec<f64> = (0..=steps).map(|step| f64::from(step) / f64::from(STEPS)).collect();
    xs.push(end);
    let quantiles: Vec<(u64, u64)> =
        xs.iter().map(|x| (((1.0 - 10f64.powf(-x)) * WHOLE as f64).round() as u64, WHOLE)).collect();
    let Some(mut curve) = values.curve(&quantiles) else { return Vec::new() };
    if let (Some(last), Some(max)) = (curve.last_mut(), values.max()) {
        *last = max;
    }
    xs.into_iter().zip(curve).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_starts_at_the_lowest_and_ends_at_the_highest_value() {
        let mut values = Distribution::default();
        for value in -100..900 {
            values.add(value, 1).unwrap();
        }
        let curve = curve(&values);
        assert_eq!(curve.first(), Some(&(0.0, -100)));
        assert_eq!(curve.last(), Some(&(3.0, 899)));
        assert!(curve.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1));
        let at_90 = curve.iter().find(|(x, _)| *x == 1.0);
        assert_eq!(at_90, Some(&(1.0, 799)));
    }
}
