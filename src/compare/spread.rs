//! Signed times as they were, until there are too many different ones; then to three digits.

use std::collections::BTreeMap;

use crate::latency::Distribution;

/// Different values that are kept as they are.
const EXACT_MAX: usize = 1 << 16;

/// See the module.
#[derive(Debug, Default)]
pub struct Spread {
    values: BTreeMap<i64, u64>,
    rounded: bool,
}

impl Spread {
    /// Takes one value.
    pub fn add(&mut self, value: i64) {
        let value = if self.rounded { round(value) } else { value };
        *self.values.entry(value).or_default() += 1;
        if !self.rounded && self.values.len() > EXACT_MAX {
            self.rounded = true;
            for (value, count) in std::mem::take(&mut self.values) {
                *self.values.entry(round(value)).or_default() += count;
            }
        }
    }

    /// Whether values were rounded to three digits.
    pub fn is_rounded(&self) -> bool {
        self.rounded
    }

    /// Values and how often each came, ascending.
    pub fn counts(&self) -> Vec<(i64, u64)> {
        self.values.iter().map(|(value, count)| (*value, *count)).collect()
    }

    /// The same for percentiles.
    pub fn distribution(&self) -> Distribution {
        let mut all = Distribution::default();
        for (value, count) in &self.values {
            // As many values as overflow the count cannot have been read.
            let _ = all.add(*value, *count);
        }
        all
    }
}

/// Three significant digits, away from zero: a difference is never told as smaller than it was.
fn round(value: i64) -> i64 {
    let magnitude = value.unsigned_abs();
    if magnitude < 1_000 {
        return value;
    }
    let step = 10u64.pow(magnitude.ilog10() - 2);
    let rounded = i64::try_from(magnitude.div_ceil(step).saturating_mul(step)).unwrap_or(i64::MAX);
    if value < 0 { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_exact_and_many_have_three_digits() {
        let mut spread = Spread::default();
        (0..70_000).for_each(|value| spread.add(value - 35_000));
        assert!(spread.is_rounded());
        assert_eq!(spread.distribution().count(), 70_000);
        assert!(spread.counts().len() < 5_000);
        assert_eq!(
            [round(-15_432), round(999), round(1_000_001), round(i64::MIN)],
            [-15_500, 999, 1_010_000, -i64::MAX]
        );
    }
}
