//! Distributions as percentile curves.

use super::distribution::{Distribution, QUANTILES};
use super::text::humane;
use crate::chart::curve::Line;

/// Points per decade of the axis.
const STEPS: u32 = 24;
const WHOLE: u64 = 1_000_000_000_000;

/// The curve of a series, marked at the percentiles of the table.
pub fn line(name: &str, style: usize, values: &Distribution) -> Line {
    let marks = marks(name, values);
    Line { style, is_baseline: false, count: values.count(), points: curve(values), marks }
}

/// The curve of what a series is held against.
pub fn baseline(name: &str, style: usize, values: &Distribution) -> Line {
    Line { is_baseline: true, ..line(name, style, values) }
}

/// Marks at the percentiles of the table, as far as the count goes.
fn marks(name: &str, values: &Distribution) -> Vec<(f64, i64, String)> {
    let Some(percentiles) = values.percentiles() else { return Vec::new() };
    let left = |ten_thousandths: u32| u64::from(10_000 - ten_thousandths);
    let marked = QUANTILES.iter().zip(percentiles.0);
    let marked =
        marked.filter(|(q, _)| u128::from(values.count()) * u128::from(left(q.ten_thousandths)) >= 10_000);
    marked
        .map(|(q, value)| {
            let x = (10_000.0 / left(q.ten_thousandths) as f64).log10();
            (x, value, format!("{name} {}: {}", q.label, humane(value)))
        })
        .collect()
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
