//! Whether two clocks run apart, from what both captures carry.
//!
//! Of the differences between the two stamps of the same packet the least of each stretch of time is kept: queues only
//! make a packet later, so the floor is what the path and the clocks do. A slope of that floor is drift; its height is
//! transit and clock offset together, and nothing in two captures can tell these apart.

/// Stretches that are kept.
const STRETCHES: usize = 128;
/// Length of a stretch at first, nanoseconds.
const SHORT_NS: u64 = 100_000_000;

/// Floors over time.
#[derive(Debug)]
pub struct Floors {
    length_ns: u64,
    /// Start and floor of each stretch, ascending.
    floors: Vec<(u64, i64)>,
}

impl Default for Floors {
    fn default() -> Self {
        Floors { length_ns: SHORT_NS, floors: Vec::new() }
    }
}

/// What the floors say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Drift {
    /// How much the second clock gains on the first, billionths (nanoseconds a second); negative when it loses.
    pub ppb: i64,
    /// How surely: half the spread of the slopes, billionths.
    pub ppb_error: i64,
    /// Height of the floor at the beginning: transit and clock offset together, nanoseconds.
    pub floor_ns: i64,
    /// Time over which it was seen, nanoseconds.
    pub span_ns: u64,
}

impl Drift {
    /// Whether the drift stands out of its own error.
    pub fn is_seen(&self) -> bool {
        self.ppb.abs() > self.ppb_error.saturating_mul(2)
    }
}

impl Floors {
    /// Takes the difference of a packet seen at `ts_ns` by the first clock.
    pub fn add(&mut self, ts_ns: u64, difference_ns: i64) {
        let start = ts_ns - ts_ns % self.length_ns;
        match self.floors.binary_search_by_key(&start, |(start, _)| *start) {
            Ok(at) => self.floors[at].1 = self.floors[at].1.min(difference_ns),
            Err(at) => self.floors.insert(at, (start, difference_ns)),
        }
        while self.floors.len() > STRETCHES {
            self.double();
        }
    }

    /// Makes the stretches twice as long.
    fn double(&mut self) {
        self.length_ns = self.length_ns.saturating_mul(2);
        let mut joined: Vec<(u64, i64)> = Vec::with_capacity(STRETCHES);
        for (start, floor) in std::mem::take(&mut self.floors) {
            let start = start - start % self.length_ns;
            match joined.last_mut() {
                Some(last) if last.0 == start => last.1 = last.1.min(floor),
                _ => joined.push((start, floor)),
            }
        }
        self.floors = joined;
    }

    /// The slope of the floors: the middle one of the slopes between all of them. `None` with fewer than eight
    /// stretches or less than ten seconds: too little to tell.
    pub fn drift(&self) -> Option<Drift> {
        let (first, last) = (self.floors.first()?, self.floors.last()?);
        let span_ns = last.0 - first.0;
        if self.floors.len() < 8 || span_ns < 10_000_000_000 {
            return None;
        }
        let mut slopes: Vec<i128> = Vec::new();
        for (nth, (from, low)) in self.floors.iter().enumerate() {
            // Neighbours tell more of noise than of drift.
            for (to, high) in self.floors[nth + 1..].iter().filter(|(to, _)| to - from >= span_ns / 4) {
                slopes.push((i128::from(*high) - i128::from(*low)) * 1_000_000_000 / i128::from(to - from));
            }
        }
        slopes.sort_unstable();
        let at = |part: usize| slopes.get(slopes.len() * part / 8).copied().unwrap_or_default();
        let small = |n: i128| i64::try_from(n).unwrap_or(i64::MAX);
        let (ppb, spread) = (at(4), at(6) - at(2));
        let mut heights: Vec<i128> = self
            .floors
            .iter()
            .map(|(at, floor)| i128::from(*floor) - ppb * i128::from(at - first.0) / 1_000_000_000)
            .collect();
        heights.sort_unstable();
        let floor_ns = small(heights.get(heights.len() / 2).copied().unwrap_or_default());
        Some(Drift { ppb: small(ppb), ppb_error: small(spread / 2 + 1), floor_ns, span_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floors(seconds: u64, difference: impl Fn(u64) -> i64) -> Floors {
        let mut floors = Floors::default();
        for nth in 0..seconds * 50 {
            let ts_ns = 1_000_000_000_000 + nth * 20_000_000;
            // A queue that comes and goes.
            let queue = (nth * 7_919 % 13) as i64 * 400;
            floors.add(ts_ns, difference(nth * 20_000_000) + queue);
        }
        floors
    }

    #[test]
    fn a_drift_is_found_under_queues() {
        // 2 us a minute is 33 ppb.
        let drift = floors(600, |ns| 5_000 + (ns / 30_000_000) as i64).drift().unwrap();
        assert!((30..=36).contains(&drift.ppb), "{drift:?}");
        assert!(drift.is_seen() && (4_900..=5_400).contains(&drift.floor_ns), "{drift:?}");
    }

    #[test]
    fn no_drift_is_no_drift_and_too_little_is_nothing() {
        let drift = floors(600, |_| -700).drift().unwrap();
        assert_eq!((drift.ppb, drift.floor_ns, drift.is_seen()), (0, -700, false));
        assert_eq!(floors(9, |_| 0).drift(), None);
    }

    #[test]
    fn any_times_are_taken() {
        let mut floors = Floors::default();
        for nth in 0..1_000u64 {
            floors
                .add(nth.wrapping_mul(0x9E37_79B9_7F4A_7C15), if nth % 2 == 0 { i64::MIN } else { i64::MAX });
        }
        let _ = floors.drift();
        assert!(floors.floors.len() <= STRETCHES);
    }
}
