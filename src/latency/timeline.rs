//! How a series went over time: one point per interval, in bounded memory. When there
//! are too many points, neighbours are joined and the worse values of the two are kept,
//! so a spike never disappears by being averaged.

use std::collections::BTreeMap;

use super::distribution::Distribution;

/// Most points that a time line keeps.
pub const POINTS_MAX: usize = 720;

/// One interval, or several joined: the highest of each value (for `min_ns` the lowest).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimePoint {
    /// Values recorded.
    pub count: u64,
    /// Lowest value, nanoseconds.
    pub min_ns: i64,
    /// Median, nanoseconds.
    pub p50_ns: i64,
    /// 99th percentile, nanoseconds.
    pub p99_ns: i64,
    /// Highest value, nanoseconds.
    pub max_ns: i64,
}

impl TimePoint {
    fn join(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.min_ns = self.min_ns.min(other.min_ns);
        self.p50_ns = self.p50_ns.max(other.p50_ns);
        self.p99_ns = self.p99_ns.max(other.p99_ns);
        self.max_ns = self.max_ns.max(other.max_ns);
    }
}

/// The points of one series in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimeLine {
    /// Keyed by start, nanoseconds since the epoch (or since the log's own zero).
    points: BTreeMap<u64, TimePoint>,
    /// Points within one multiple of this are one point; 0 while nothing was joined.
    column_ns: u64,
    /// End of the last interval.
    end_ns: u64,
}

impl TimeLine {
    /// Adds one interval; an empty distribution adds nothing.
    pub fn add(&mut self, start_ns: u64, length_ns: u64, values: &Distribution) {
        let (Some(p), Some(min_ns), Some(max_ns)) = (values.percentiles(), values.min(), values.max()) else {
            return;
        };
        self.end_ns = self.end_ns.max(start_ns.saturating_add(length_ns));
        let point = TimePoint { count: values.count(), min_ns, p50_ns: p.p50(), p99_ns: p.p99(), max_ns };
        self.put(start_ns, point);
        while self.points.len() > POINTS_MAX {
            self.coarsen();
        }
    }

    /// Start and values of each point, in order.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (u64, &TimePoint)> + ExactSizeIterator {
        self.points.iter().map(|(start, point)| (*start, point))
    }

    /// End of the last interval, nanoseconds.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// Width of the columns into which intervals were joined; `None` if each stands for itself.
    #[must_use]
    pub fn joined_ns(&self) -> Option<u64> {
        (self.column_ns > 0).then_some(self.column_ns)
    }

    fn put(&mut self, start_ns: u64, point: TimePoint) {
        let key = if self.column_ns == 0 { start_ns } else { start_ns - start_ns % self.column_ns };
        self.points.entry(key).and_modify(|old| old.join(point)).or_insert(point);
    }

    /// Doubles the column until at least a pair is joined; the first column is the width
    /// that would make half of [`POINTS_MAX`] columns of the whole span.
    fn coarsen(&mut self) {
        let first = self.points.keys().next().copied().unwrap_or(0);
        let last = self.points.keys().next_back().copied().unwrap_or(0);
        let wanted = (last - first) / (POINTS_MAX as u64 / 2) + 1;
        self.column_ns = wanted.max(self.column_ns.saturating_mul(2));
        for (start, point) in std::mem::take(&mut self.points) {
            self.put(start, point);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_survives_joining_and_memory_is_bounded() {
        let mut line = TimeLine::default();
        for second in 0..100_000u64 {
            let mut values = Distribution::default();
            values.add(if second == 77_777 { 9_999 } else { 10 }, 1).unwrap();
            line.add(second * 1_000_000_000, 1_000_000_000, &values);
            assert!(line.points.len() <= POINTS_MAX);
        }
        assert_eq!(line.points().map(|(_, p)| p.count).sum::<u64>(), 100_000);
        let spikes: Vec<u64> = line.points().filter(|(_, p)| p.max_ns == 9_999).map(|(t, _)| t).collect();
        let column = line.joined_ns().unwrap();
        assert_eq!(spikes, [77_777_000_000_000 / column * column]);
        assert_eq!(line.end_ns(), 100_000_000_000_000);
    }

    #[test]
    fn times_at_the_end_of_the_range_do_not_overflow() {
        let mut line = TimeLine::default();
        let mut values = Distribution::default();
        values.add(-5, 2).unwrap();
        for nth in 0..=POINTS_MAX as u64 {
            line.add(u64::MAX - nth, u64::MAX, &values);
            line.add(nth, 0, &values);
        }
        assert_eq!(line.end_ns(), u64::MAX);
        assert!(line.points().len() <= POINTS_MAX);
        assert!(line.points().all(|(_, p)| (p.min_ns, p.p50_ns, p.p99_ns, p.max_ns) == (-5, -5, -5, -5)));
    }
}
