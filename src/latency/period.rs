//! The values of one series over a stretch of time, in a form that can be kept and added up: both histograms, encoded.
//!
//! It never interpolates: percentiles of several stretches together are those of their values together, at the
//! histograms' resolution.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer as _, V2DeflateSerializer, V2Serializer};

use super::counts::Counts;
use super::distribution::{Distribution, Percentiles};
use super::payload::{self, Bucket, PayloadError};
use super::recorder::SATURATION_NS;

/// Three significant digits, as everywhere.
const DIGITS: u8 = 3;

/// See the module.
#[derive(Debug, Clone)]
pub struct Period {
    /// Values from zero, then the magnitudes of those below.
    sides: [Histogram<u64>; 2],
    /// Values beyond a day, counted as one.
    pub saturated: u64,
}

/// A period on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedPeriod {
    positive: Vec<u8>,
    negatives: Option<Vec<u8>>,
    saturated: u64,
}

impl PackedPeriod {
    /// The period again.
    ///
    /// # Errors
    /// None, of what [`Period::pack`] made.
    pub fn unpack(&self) -> Result<Period, PayloadError> {
        Period::decode(&self.positive, self.negatives.as_deref(), self.saturated)
    }

    /// Bytes that it takes beside itself.
    pub fn bytes(&self) -> usize {
        self.positive.len() + self.negatives.as_ref().map_or(0, Vec::len)
    }
}

/// What a period says in figures. Values are nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeriodSummary {
    /// All values.
    pub count: u64,
    /// Those below zero.
    pub negative: u64,
    /// The smallest.
    pub min: i64,
    /// Percentiles.
    pub percentiles: Percentiles,
    /// The largest.
    pub max: i64,
}

impl Default for Period {
    fn default() -> Self {
        // A constant that the crate accepts; every test makes one.
        let histogram = || Histogram::new(DIGITS).expect("three digits are valid");
        Period { sides: [histogram(), histogram()], saturated: 0 }
    }
}

impl Period {
    /// Takes the recorded values of both sides in.
    fn add_sides(&mut self, sides: [&Histogram<u64>; 2], saturated: u64) {
        for (own, other) in self.sides.iter_mut().zip(sides) {
            // It grows as it must: nothing is out of range.
            let _ = own.add(other);
        }
        self.saturated += saturated;
    }

    /// The same of a recorder's counts.
    pub(super) fn add_counts(&mut self, sides: [&Counts; 2], saturated: u64) {
        for (own, other) in self.sides.iter_mut().zip(sides) {
            for (_, high, count) in other.buckets() {
                // As above.
                let _ = own.record_n(high, count);
            }
        }
        self.saturated += saturated;
    }

    /// Takes another stretch of the same series in.
    pub fn add(&mut self, other: &Period) {
        self.add_sides([&other.sides[0], &other.sides[1]], other.saturated);
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sides.iter().all(Histogram::is_empty)
    }

    /// Its values as a distribution: each at the end of its bucket that is farther from zero below, nearer above, as
    /// the reports have it.
    #[must_use]
    pub fn distribution(&self) -> Distribution {
        distribution([&self.sides[0], &self.sides[1]].into_iter().zip([false, true]))
    }

    /// Its figures; `None` without values.
    #[must_use]
    pub fn summary(&self) -> Option<PeriodSummary> {
        let values = self.distribution();
        Some(PeriodSummary {
            count: values.count(),
            negative: values.negative(),
            min: values.min()?,
            percentiles: values.percentiles()?,
            max: values.max()?,
        })
    }

    /// Both histograms in the compressed V2 encoding; the second is left out where no value is below zero.
    #[must_use]
    pub fn encode(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        let encode = |side: &Histogram<u64>| {
            // Of one range always: how a histogram grew to its size is no part of what it says.
            let whole = Histogram::new_with_bounds(1, SATURATION_NS, DIGITS);
            let mut whole = whole.expect("constant bounds are valid");
            let _ = whole.add(side);
            let mut bytes = Vec::new();
            // Writing into memory cannot fail, and counts beyond 2^63 would take centuries.
            let _ = V2DeflateSerializer::new().serialize(&whole, &mut bytes);
            bytes
        };
        let below = &self.sides[1];
        (encode(&self.sides[0]), (!below.is_empty()).then(|| encode(below)))
    }

    /// The value that so many per cent of its values do not exceed; `None` without values.
    #[must_use]
    pub fn at_percent(&self, percent: f64) -> Option<i64> {
        // In thousandths of a hundredth, so that 99.999 is what it says.
        let part = (percent.clamp(0.0, 100.0) * 1_000.0).round() as u64;
        self.distribution().curve(&[(part, 100_000)])?.first().copied()
    }

    /// Both histograms in few bytes, quickly: for the way to whoever keeps them.
    #[must_use]
    pub fn pack(&self) -> PackedPeriod {
        let pack = |side: &Histogram<u64>| {
            let mut bytes = Vec::new();
            // As in `encode`.
            let _ = V2Serializer::new().serialize(side, &mut bytes);
            bytes
        };
        let below = &self.sides[1];
        PackedPeriod {
            positive: pack(&self.sides[0]),
            negatives: (!below.is_empty()).then(|| pack(below)),
            saturated: self.saturated,
        }
    }

    /// Reads what [`Period::encode`] wrote, or what somebody else put in its place.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn decode(positive: &[u8], negatives: Option<&[u8]>, saturated: u64) -> Result<Period, PayloadError> {
        let mut period = Period { saturated, ..Period::default() };
        for (side, bytes) in period.sides.iter_mut().zip([Some(positive), negatives]) {
            let Some(bytes) = bytes else { continue };
            let mut buckets = Vec::new();
            payload::read_bytes(bytes, &mut buckets)?;
            for Bucket { high, count, .. } in buckets {
                let value = u64::try_from(high).unwrap_or(0).min(SATURATION_NS + SATURATION_NS / 512);
                side.record_n(value, count).map_err(|_| PayloadError::BeyondRange)?;
            }
        }
        Ok(period)
    }
}

/// The values of histograms, those of magnitudes below zero.
fn distribution<'a>(sides: impl Iterator<Item = (&'a Histogram<u64>, bool)>) -> Distribution {
    let mut values = Distribution::default();
    for (histogram, below) in sides {
        for step in histogram.iter_recorded() {
            let value = step.value_iterated_to();
            let value = if below {
                -(histogram.lowest_equivalent(value) as i64)
            } else {
                histogram.highest_equivalent(value) as i64
            };
            // A recorder that lives for centuries could overflow; it then stops counting up.
            let _ = values.add(value, step.count_at_value());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Recorder;
    use proptest::prelude::*;

    /// What a recorder hands over after these values, in two stretches.
    fn halves(values: &[i64]) -> [Period; 2] {
        let mut recorder = Recorder::without_log();
        recorder.keep_periods();
        let series = recorder.series("direct", "a", "b");
        let (first, second) = values.split_at(values.len() / 2);
        [first, second].map(|part| {
            part.iter().for_each(|v| recorder.record(series, 0, *v));
            let mut taken = Period::default();
            recorder.take_periods(|_, period| taken.add(&period.pack().unpack().unwrap()));
            taken
        })
    }

    proptest! {
        /// Stretches that are kept, read back and added up say what the recorder says of all values.
        #[test]
        fn kept_and_added_up_they_are_the_whole(values in prop::collection::vec(-200_000_000_000_000i64..200_000_000_000_000, 2..200), shift in 0u32..40) {
            let values: Vec<i64> = values.into_iter().map(|v| v >> shift).collect();
            let mut whole = Recorder::without_log();
            let series = whole.series("direct", "a", "b");
            values.iter().for_each(|v| whole.record(series, 0, *v));
            let wanted = &whole.summary()[0];
            let mut sum = Period::default();
            for period in halves(&values) {
                let (positive, negatives) = period.encode();
                sum.add(&Period::decode(&positive, negatives.as_deref(), period.saturated).unwrap());
            }
            let said = sum.summary().unwrap();
            prop_assert_eq!((said.count, said.negative, sum.saturated), (wanted.count, wanted.negative, wanted.saturated));
            prop_assert_eq!((Some(said.min), Some(said.max)), (wanted.min, wanted.max));
            prop_assert_eq!(Some(said.percentiles), wanted.percentiles);
        }
    }

    #[test]
    fn a_series_without_values_is_not_handed_over() {
        let mut recorder = Recorder::without_log();
        recorder.keep_periods();
        let series = recorder.series("direct", "a", "b");
        let mut count = 0;
        recorder.take_periods(|_, _| count += 1);
        recorder.record(series, 0, 5);
        recorder.take_periods(|_, _| count += 1);
        recorder.take_periods(|_, _| count += 1);
        assert_eq!(count, 1);
        assert_eq!(Period::default().summary(), None);
        assert!(Period::decode(b"no histogram", None, 0).is_err());
    }
}
