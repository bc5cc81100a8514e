//! Axes for the drawings: where a value stands and which marks are drawn.
//! Floats are for drawing only; no figure in a table comes from here.

/// A value axis that shows negative values as honestly as positive ones: linear for a
/// narrow range, logarithmic for a wide one, on both sides of zero where it must.
#[derive(Debug, Clone, Copy)]
pub struct ValueScale {
    low: f64,
    high: f64,
    /// Below this magnitude the logarithmic axis is linear through zero; `None` for an
    /// axis that is linear everywhere.
    linear_below: Option<f64>,
    /// How a value is written.
    show: fn(i64) -> String,
}

impl ValueScale {
    /// A linear axis for all of `values`, each written by `show`; with none, 0 to 1.
    pub fn linear(values: impl Iterator<Item = i64>, show: fn(i64) -> String) -> Self {
        let (low, high) = values.fold((i64::MAX, i64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        if low > high {
            return Self { low: 0.0, high: 1.0, linear_below: None, show };
        }
        let (low, high) = (low as f64, high as f64);
        // A flat line stands in the middle, with a thousandth of itself around it.
        let room = if high > low { (high - low) * 0.08 } else { (high.abs() * 0.001).max(1.0) };
        Self { low: low - room, high: high + room, linear_below: None, show }
    }

    /// The same with room above the highest value for `rows` rows of words.
    #[must_use]
    pub fn below_words(mut self, rows: usize) -> Self {
        self.high += (self.high - self.low) * 0.07 * rows as f64;
        self
    }

    /// A linear axis from 0 to `most`, each value written by `show`.
    pub fn from_zero(most: i64, show: fn(i64) -> String) -> Self {
        Self { low: 0.0, high: (most.max(1) as f64) * 1.04, linear_below: None, show }
    }

    /// An axis of durations for all of `values` (nanoseconds); with none, 0 to 1.
    pub fn new(values: impl Iterator<Item = i64>) -> Self {
        let (mut low, mut high, mut smallest) = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
        for value in values.map(|value| value as f64) {
            (low, high) = (low.min(value), high.max(value));
            if value != 0.0 {
                smallest = smallest.min(value.abs());
            }
        }
        if low > high {
            return Self { low: 0.0, high: 1.0, linear_below: None, show: label };
        }
        let same_side = low > 0.0 || high < 0.0;
        let largest = low.abs().max(high.abs());
        if !smallest.is_finite() || (same_side && largest / smallest < 5.0) {
            let room = ((high - low) * 0.08).max(largest * 0.01).max(1.0);
            return Self { low: low - room, high: high + room, linear_below: None, show: label };
        }
        // With values on both sides, three decades next to zero's stretch are enough: more
        // would give most of the paper to nanoseconds that mean nothing.
        let below =
            if low < 0.0 && high > 0.0 { (decade(largest) / 1000.0).max(1.0) } else { decade(smallest) };
        let mut scale = Self { low, high, linear_below: Some(below), show: label };
        let room = (scale.shape(high) - scale.shape(low)) * 0.04;
        (scale.low, scale.high) =
            (scale.unshape(scale.shape(low) - room), scale.unshape(scale.shape(high) + room));
        scale
    }

    /// Where a value stands: 0 at the bottom of the axis, 1 at its top.
    pub fn at(&self, value: i64) -> f64 {
        let (low, high) = (self.shape(self.low), self.shape(self.high));
        ((self.shape(value as f64) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// The values at which the axis is marked, and their labels.
    pub fn ticks(&self) -> Vec<(i64, String)> {
        let mut values = match self.linear_below {
            None => self.linear_ticks(),
            Some(below) => self.decade_ticks(below),
        };
        values.retain(|value| (self.low..=self.high).contains(&(*value as f64)));
        values.sort_unstable();
        values.dedup();
        values.into_iter().map(|value| (value, (self.show)(value))).collect()
    }

    /// The value at which the `nth` of `columns` columns of equal width begins.
    pub fn column(&self, nth: usize, columns: usize) -> i64 {
        let (low, high) = (self.shape(self.low), self.shape(self.high));
        self.unshape(low + (high - low) * nth as f64 / columns.max(1) as f64).round() as i64
    }

    fn linear_ticks(&self) -> Vec<i64> {
        let step = nice_step((self.high - self.low) / 6.0).max(1.0);
        let first = (self.low / step).ceil();
        (0..12).map(|nth| ((first + f64::from(nth)) * step) as i64).collect()
    }

    /// Decades, with 2 and 5 between them where there is room, every second or third
    /// decade where there is none.
    fn decade_ticks(&self, below: f64) -> Vec<i64> {
        let decades = self.shape(self.high) - self.shape(self.low);
        let every = (decades / 9.0).ceil().max(1.0) as usize;
        let between: &[f64] = if decades <= 3.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks = vec![0];
        for decade in (0..20).step_by(every) {
            for factor in between {
                let value = below * 10f64.powi(decade) * factor;
                ticks.extend([value as i64, -value as i64]);
            }
        }
        ticks
    }

    /// The axis's own measure of a value: nanoseconds, or decades from zero's stretch.
    fn shape(&self, value: f64) -> f64 {
        match self.linear_below {
            None => value,
            Some(below) if value.abs() < below => value / below,
            Some(below) => value.signum() * (1.0 + (value.abs() / below).log10()),
        }
    }

    fn unshape(&self, shaped: f64) -> f64 {
        match self.linear_below {
            None => shaped,
            Some(below) if shaped.abs() < 1.0 => shaped * below,
            Some(below) => shaped.signum() * below * 10f64.powf(shaped.abs() - 1.0),
        }
    }
}

/// The power of ten at or below a positive value.
fn decade(value: f64) -> f64 {
    10f64.powf(value.log10().floor())
}

/// 1, 2 or 5 times a power of ten, at or above `rough`.
fn nice_step(rough: f64) -> f64 {
    let base = decade(rough.max(1e-9));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| base * factor >= rough);
    base * factor.unwrap_or(10.0)
}

/// A mark's value, exact: `1.05ms`, `20us`, `0`.
pub fn label(ns: i64) -> String {
    if ns == 0 {
        return "0".to_string();
    }
    let (unit, name) = match ns.unsigned_abs() {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let sign = if ns < 0 { "-" } else { "" };
    let (whole, rest) = (ns.unsigned_abs() / unit, ns.unsigned_abs() % unit);
    let fraction = format!("{rest:0width$}", width = unit.ilog10() as usize);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}{name}")
}

/// A whole number with its thousands set apart.
pub fn thousands(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A step between marks of a time axis that makes at most `most` of them, nanoseconds.
pub fn time_step(span_ns: u64, most: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let seconds =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
    let wanted = span_ns / most.max(1);
    if wanted < SECOND {
        return (nice_step(wanted as f64) as u64).max(1);
    }
    let step = seconds.into_iter().map(|step| step * SECOND).find(|step| *step >= wanted);
    step.unwrap_or_else(|| wanted.div_ceil(86_400 * SECOND).saturating_mul(86_400 * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(values: &[i64]) -> Vec<String> {
        ValueScale::new(values.iter().copied()).ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_fit_the_range() {
        assert_eq!(labels(&[1_000_000, 1_200_000]), ["1ms", "1.05ms", "1.1ms", "1.15ms", "1.2ms"]);
        assert_eq!(labels(&[300, 2_000_000]), ["1us", "10us", "100us", "1ms"]);
        assert_eq!(
            labels(&[-15_400, 6_100]),
            ["-10us", "-1us", "-100ns", "-10ns", "0", "10ns", "100ns", "1us", "10us"]
        );
        assert_eq!(labels(&[]), ["0", "1ns"]);
        assert_eq!(labels(&[0]), ["-1ns", "0", "1ns"]);
    }

    #[test]
    fn prices_and_counts_have_plain_axes() {
        let axis = ValueScale::linear([100, 104].into_iter(), |n| n.to_string());
        assert_eq!(axis.ticks().iter().map(|(n, _)| *n).collect::<Vec<_>>(), [100, 101, 102, 103, 104]);
        assert_eq!(ValueScale::from_zero(3_000, thousands).ticks()[1].1, "1,000");
        assert_eq!((thousands(-1_234_567), thousands(12)), ("-1,234,567".into(), "12".into()));
    }

    proptest! {
        #[test]
        fn order_is_kept_and_nothing_leaves_the_paper(mut values in prop::collection::vec(any::<i64>(), 1..20), shift in 0u32..64) {
            values.iter_mut().for_each(|value| *value >>= shift);
            let scale = ValueScale::new(values.iter().copied());
            values.sort_unstable();
            for pair in values.windows(2) {
                prop_assert!(scale.at(pair[0]) <= scale.at(pair[1]));
            }
            prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(&scale.at(*value))));
            prop_assert!(scale.ticks().len() <= 40);
        }

        #[test]
        fn a_time_axis_has_few_marks(span in 1u64.., most in 2u64..10) {
            let step = time_step(span, most);
            prop_assert!(step >= 1 && span / step <= 2 * most);
        }
    }
}
