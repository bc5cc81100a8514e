//! A signed distribution as the reports see it: value buckets with counts, in order,
//! negatives below zero. It never interpolates: a percentile is a bucket that exists.

use std::collections::BTreeMap;

/// A quantile in ten-thousandths, so that ranks are exact integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantile {
    /// `9_990` is 99.9 %.
    pub ten_thousandths: u32,
    /// As printed: `p99.9`.
    pub label: &'static str,
}

/// The columns of the report, the same as in the latency tables that the US tape's plan
/// publishes (10, median, 90, 95, 99, 99.9, 99.99 %).
pub const QUANTILES: [Quantile; 7] = [
    Quantile { ten_thousandths: 1_000, label: "p10" },
    Quantile { ten_thousandths: 5_000, label: "p50" },
    Quantile { ten_thousandths: 9_000, label: "p90" },
    Quantile { ten_thousandths: 9_500, label: "p95" },
    Quantile { ten_thousandths: 9_900, label: "p99" },
    Quantile { ten_thousandths: 9_990, label: "p99.9" },
    Quantile { ten_thousandths: 9_999, label: "p99.99" },
];

/// The values at [`QUANTILES`], nanoseconds, in that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percentiles(pub [i64; 7]);

impl Percentiles {
    /// The median, nanoseconds.
    #[must_use]
    pub fn p50(&self) -> i64 {
        self.0[1]
    }

    /// The 99th percentile, nanoseconds.
    #[must_use]
    pub fn p99(&self) -> i64 {
        self.0[4]
    }
}

/// The counts of a distribution add up to more than 2^64: no real recording does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("counts add up to more than 2^64")]
pub struct CountOverflow;

/// Values (nanoseconds, each the upper end of its histogram bucket) and how often each
/// was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    buckets: BTreeMap<i64, u64>,
    count: u64,
    negative: u64,
}

impl Distribution {
    /// Adds `count` values of `value_ns`.
    ///
    /// # Errors
    /// [`CountOverflow`], and then nothing is added.
    pub fn add(&mut self, value_ns: i64, count: u64) -> Result<(), CountOverflow> {
        if count == 0 {
            return Ok(());
        }
        self.count = self.count.checked_add(count).ok_or(CountOverflow)?;
        if value_ns < 0 {
            self.negative += count; // never more than `count`, which did not overflow
        }
        *self.buckets.entry(value_ns).or_insert(0) += count;
        Ok(())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many of them are below zero.
    #[must_use]
    pub fn negative(&self) -> u64 {
        self.negative
    }

    /// How many different buckets hold something: what the distribution costs in memory.
    #[must_use]
    pub fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    /// The smallest value, nanoseconds.
    #[must_use]
    pub fn min(&self) -> Option<i64> {
        self.buckets.keys().next().copied()
    }

    /// The largest value, nanoseconds.
    #[must_use]
    pub fn max(&self) -> Option<i64> {
        self.buckets.keys().next_back().copied()
    }

    /// The values at [`QUANTILES`]; `None` when there is no value at all.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let mut values = [0i64; 7];
        let ranks: Vec<u64> = QUANTILES.iter().map(|q| self.rank(q.ten_thousandths, 10_000)).collect();
        self.values_at_ranks(&ranks, &mut values)?;
        Some(Percentiles(values))
    }

    /// The value at each of some ascending quantiles, given as (part, whole).
    pub(super) fn curve(&self, quantiles: &[(u64, u64)]) -> Option<Vec<i64>> {
        let ranks: Vec<u64> = quantiles.iter().map(|&(part, whole)| self.rank_of(part, whole)).collect();
        let mut values = vec![0i64; ranks.len()];
        self.values_at_ranks(&ranks, &mut values)?;
        Some(values)
    }

    fn rank(&self, part: u32, whole: u32) -> u64 {
        self.rank_of(u64::from(part), u64::from(whole))
    }

    /// The rank, from 1, of a quantile: the smallest number of values that is at least
    /// that part of all of them.
    fn rank_of(&self, part: u64, whole: u64) -> u64 {
        let rank = (u128::from(self.count) * u128::from(part)).div_ceil(u128::from(whole.max(1)));
        u64::try_from(rank).unwrap_or(u64::MAX).clamp(1, self.count.max(1))
    }

    /// One walk over the buckets for all ranks (ascending).
    fn values_at_ranks(&self, ranks: &[u64], values: &mut [i64]) -> Option<()> {
        let mut walk = self.buckets.iter();
        let (mut value, mut seen) = walk.next().map(|(&v, &n)| (v, n))?;
        for (rank, out) in ranks.iter().zip(values) {
            while seen < *rank {
                let Some((&v, &n)) = walk.next() else { break };
                (value, seen) = (v, seen + n);
            }
            *out = value;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(Distribution::default().percentiles(), None);
    }

    #[test]
    fn more_values_than_fit_are_refused_whole() {
        let mut d = Distribution::default();
        d.add(-1, u64::MAX).unwrap();
        assert_eq!(d.add(1, 1), Err(CountOverflow));
        assert_eq!((d.count(), d.negative(), d.max()), (u64::MAX, u64::MAX, Some(-1)));
        assert_eq!(d.percentiles(), Some(Percentiles([-1; 7])));
    }

    proptest! {
        /// Against the definition, on a sorted list: the smallest value that at least
        /// q of all values do not exceed.
        #[test]
        fn percentiles_are_those_of_the_sorted_list(mut values in prop::collection::vec(-1000i64..1000, 1..400)) {
            let mut d = Distribution::default();
            for v in &values {
                d.add(*v, 1).unwrap();
            }
            values.sort_unstable();
            let want = QUANTILES.map(|q| {
                let at = (0..values.len()).find(|i| (i + 1) * 10_000 >= values.len() * q.ten_thousandths as usize);
                values[at.unwrap()]
            });
            prop_assert_eq!(d.percentiles(), Some(Percentiles(want)));
            prop_assert_eq!(d.negative() as usize, values.iter().filter(|v| **v < 0).count());
        }
    }
}
