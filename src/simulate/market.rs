//! N instruments at one venue and when each of them acts.
//!
//! Arrivals are bursts: many actions microseconds apart, then quiet; now and then a burst runs through
//! many instruments at once. It knows nothing of wires, of the consolidated feed or of faults.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::flow::{Action, Flow, Numbers};
use super::rng::Rng;

/// An instrument and the rhythm of its order flow.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// Symbol without padding.
    pub symbol: String,
    /// The order flow and the resting orders.
    pub flow: Flow,
    /// Mean nanoseconds of quiet between two bursts.
    quiet_ns: u64,
    /// Gaps within a burst are `2 us << (0..octaves)`, log-uniform.
    octaves: u64,
    left_in_burst: u64,
    generation: u32,
}

/// The venue.
#[derive(Debug)]
pub struct Market {
    /// Instruments; their index is their identity in the simulator.
    pub instruments: Vec<Instrument>,
    numbers: Numbers,
    rng: Rng,
    due: BinaryHeap<Reverse<(u64, u32, u32)>>,
    shock_ns: u64,
    shock_mean_ns: u64,
    shocked: u64,
}

/// Mean number of actions in a burst.
const BURST_MEAN: u64 = 10;
/// Shortest gap within a burst.
const GAP_MIN_NS: u64 = 2_000;
/// Mean number of actions that a burst through many instruments adds to each.
const SHOCK_MEAN: u64 = 5;
/// Most instruments that a venue here has: five-letter symbols of our own making.
pub const INSTRUMENTS_MAX: usize = 10_000;

/// The invented symbol of instrument `i`: `ZQ` and three letters, which no listed company uses.
pub fn symbol(i: usize) -> String {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    // Scattered over the alphabet, each once: 5417 and 26^3 have no common divisor.
    let n = i * 5417 % (26 * 26 * 26);
    format!("ZQ{}{}{}", letter(n / 676), letter(n / 26), letter(n))
}

/// Mean gap of a log-uniform gap over `octaves`.
const fn mean_gap_ns(octaves: u64) -> u64 {
    GAP_MIN_NS * 3 / 2 * ((1 << octaves) - 1) / octaves
}

impl Market {
    /// `count` instruments that send `rate` actions a second together, the first the most.
    pub fn new(seed: u64, count: usize, rate: u64, flow_starts_ns: u64) -> Market {
        let mut rng = Rng::new(seed, 1);
        let weight = |i: usize| 1_000_000 / (i as u64 + 4);
        let total: u64 = (0..count).map(weight).sum();
        let mut due = BinaryHeap::new();
        let instruments = (0..count)
            .map(|i| {
                // Mean nanoseconds between two actions of this instrument.
                let gap = u64::try_from(
                    1_000_000_000u128 * u128::from(total) / (u128::from(weight(i)) * u128::from(rate.max(1))),
                )
                .unwrap_or(u64::MAX / 64);
                let octaves = (1..=13).rev().find(|o| mean_gap_ns(*o) < gap / 3).unwrap_or(1);
                let quiet_ns = (BURST_MEAN * gap).saturating_sub((BURST_MEAN - 1) * mean_gap_ns(octaves));
                let dollars = if i % 7 == 3 { rng.between(700, 1500) } else { rng.between(12, 420) };
                let price = (dollars * 100 + rng.below(100)) as u32;
                let half_spread = 1 + u32::from(dollars > 60) + u32::from(dollars > 600);
                let instrument = Instrument {
                    symbol: symbol(i),
                    flow: Flow::new(price, half_spread, 40 + 10 * (i % 3)),
                    quiet_ns: quiet_ns.max(GAP_MIN_NS),
                    octaves,
                    left_in_burst: 0,
                    generation: 0,
                };
                due.push(Reverse((flow_starts_ns + rng.exponential(instrument.quiet_ns), i as u32, 0)));
                instrument
            })
            .collect();
        let shocked = (count as u64 / 4).clamp(1, 64);
        let shock_mean_ns = 10_000_000_000 * SHOCK_MEAN * shocked / rate.max(1);
        let shock_ns = flow_starts_ns + rng.exponential(shock_mean_ns);
        Market { instruments, numbers: Numbers::default(), rng, due, shock_ns, shock_mean_ns, shocked }
    }

    /// When something happens next.
    pub fn next_ns(&self) -> u64 {
        let action = self.due.peek().map_or(u64::MAX, |Reverse((ts, ..))| *ts);
        action.min(self.shock_ns)
    }

    /// The book with which an instrument opens.
    pub fn open(&mut self, i: usize, out: &mut Vec<Action>) {
        self.instruments[i].flow.open(&mut self.numbers, &mut self.rng, out);
    }

    /// What happens next, and in which instrument; `out` may stay empty. Orders of a `halted` instrument
    /// wait outside.
    pub fn step(&mut self, halted: &[bool], out: &mut Vec<Action>) -> Option<(u64, usize)> {
        if self.shock_ns <= self.due.peek().map_or(u64::MAX, |Reverse((ts, ..))| *ts) {
            self.shock();
            return None;
        }
        let Reverse((ts, index, generation)) = self.due.pop()?;
        let i = index as usize;
        let instrument = &mut self.instruments[i];
        if instrument.generation != generation {
            return None;
        }
        let rng = &mut self.rng;
        if instrument.left_in_burst == 0 {
            instrument.left_in_burst = 1 + rng.exponential(BURST_MEAN - 1);
            if rng.chance(600) {
                instrument.flow.wander(1 + rng.run(400, 3) as u32, rng);
            }
        }
        instrument.left_in_burst -= 1;
        let wait = if instrument.left_in_burst > 0 {
            let gap = GAP_MIN_NS << rng.below(instrument.octaves);
            gap + rng.below(gap)
        } else {
            1 + rng.exponential(instrument.quiet_ns)
        };
        self.due.push(Reverse((ts + wait, index, generation)));
        if !halted[i] {
            instrument.flow.act(&mut self.numbers, rng, out);
        }
        Some((ts, i))
    }

    /// A burst through many instruments.
    fn shock(&mut self) {
        let now = self.shock_ns;
        let count = self.instruments.len() as u64;
        for _ in 0..self.shocked {
            let i = self.rng.below(count) as usize;
            let instrument = &mut self.instruments[i];
            instrument.left_in_burst += 1 + self.rng.exponential(SHOCK_MEAN - 1);
            instrument.generation += 1;
            let due = now + self.rng.below(300_000);
            self.due.push(Reverse((due, i as u32, instrument.generation)));
        }
        self.shock_ns = now + 1 + self.rng.exponential(self.shock_mean_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_differ() {
        let all: std::collections::BTreeSet<String> = (0..INSTRUMENTS_MAX).map(symbol).collect();
        assert_eq!(all.len(), INSTRUMENTS_MAX);
        assert!(all.iter().all(|s| s.len() == 5 && s.starts_with("ZQ")));
    }

    #[test]
    fn the_rate_is_kept_and_time_never_runs_back() {
        for rate in [500, 5_000, 100_000] {
            let mut market = Market::new(3, 20, rate, 0);
            let mut out = Vec::new();
            for i in 0..20 {
                market.open(i, &mut out);
            }
            let (mut last, mut actions) = (0, 0u64);
            let halted = [false; 20];
            while last < 4_000_000_000 {
                if let Some((ts, _)) = market.step(&halted, &mut out) {
                    assert!(ts >= last);
                    (last, actions) = (ts, actions + 1);
                }
            }
            assert!((rate * 3..rate * 5).contains(&actions), "{rate}/s gave {actions} in 4 s");
        }
    }
}
