//! How evenly a source's packets come: a line at its ceiling shows a flat rate where a market is all bursts.

use super::super::facts::{Rate, Span};

/// Packets are counted over so long.
const BUCKET_NS: u64 = 100_000_000;
/// The alert's stretch is looked at for at least so long: fewer counts show no shape.
pub(super) const LEAST_NS: u64 = 1_500_000_000;
/// Counts that are kept at most.
const BUCKETS_MAX: usize = 6_000;

/// Of one source.
#[derive(Default)]
pub(super) struct RateWatch {
    before: Vec<u64>,
    during: Vec<u64>,
    /// The bucket that is being filled and the packets in it.
    bucket: (u64, u64),
}

impl RateWatch {
    /// A packet was delivered, or a quote said; `during` is the alert's stretch.
    pub(super) fn count_one(&mut self, now: u64, during: Span) {
        let number = now / BUCKET_NS;
        if number == self.bucket.0 {
            self.bucket.1 += 1;
            return;
        }
        let (last, count) = std::mem::replace(&mut self.bucket, (number, 1));
        if last == 0 {
            return;
        }
        self.count(last, count, during);
        // Buckets without a packet count too.
        (last + 1..number).take(64).for_each(|empty| self.count(empty, 0, during));
    }

    fn count(&mut self, number: u64, count: u64, during: Span) {
        let at = number * BUCKET_NS;
        let until = during.to_ns.max(during.from_ns.saturating_add(LEAST_NS));
        if at + BUCKET_NS <= during.from_ns {
            self.before.push(count);
            if self.before.len() > BUCKETS_MAX {
                self.before.remove(0);
            }
        } else if at >= during.from_ns && at + BUCKET_NS <= until && self.during.len() < BUCKETS_MAX {
            self.during.push(count);
        }
    }

    pub(super) fn finish(self) -> Rate {
        Rate { bucket_ns: BUCKET_NS, before: spread(self.before), during: spread(self.during) }
    }
}

/// Tenth percentile, median and ninetieth, and how many there are.
fn spread(mut counts: Vec<u64>) -> ([u64; 3], usize) {
    counts.sort_unstable();
    match counts.len() {
        0 => ([0; 3], 0),
        len => ([10, 50, 90].map(|percent| counts[(len - 1) * percent / 100]), len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_of_the_stretch_are_told_apart_and_empty_ones_count() {
        let mut watch = RateWatch::default();
        let during = Span { from_ns: 1_000_000_000, to_ns: 1_050_000_000 };
        // Two packets a bucket before, five from then on; one bucket stays empty.
        for bucket in 5..30u64 {
            let packets = if bucket < 10 { 2 } else { 5 };
            (0..if bucket == 7 { 0 } else { packets })
                .for_each(|n| watch.count_one(bucket * BUCKET_NS + n * 1_000, during));
        }
        let rate = watch.finish();
        assert_eq!(rate.before, ([0, 2, 2], 5));
        assert_eq!(rate.during, ([5, 5, 5], 15));
    }
}
