//! Price moves of a source matched with the same moves of another: by how much the one was later.

use std::collections::VecDeque;

use super::super::facts::{Figures, Span};

/// Moves of a side that wait for their match at most.
const WAITING_MAX: usize = 32;
/// How long a move waits for its match.
const WAIT_NS: u64 = 10_000_000_000;
/// Lags that are kept at most.
const LAGS_MAX: usize = 400_000;

/// A price that a side of a view moved to.
#[derive(Debug, Clone, Copy)]
struct Move {
    price: i64,
    at_ns: u64,
    /// Matched with the other source of that position (bit by pairing).
    matched: u64,
}

/// The latest moves of the two sides of a view.
#[derive(Debug, Default)]
pub(super) struct Recent {
    sides: [VecDeque<Move>; 2],
}

impl Recent {
    /// The earliest move to `price` that waits for a match in the pairing; takes it.
    pub(super) fn take(&mut self, side: usize, price: i64, pairing: usize, now: u64) -> Option<u64> {
        let bit = 1 << (pairing % 64);
        let fits = |m: &&mut Move| m.price == price && m.matched & bit == 0 && now - m.at_ns <= WAIT_NS;
        let found = self.sides[side].iter_mut().find(fits)?;
        found.matched |= bit;
        Some(found.at_ns)
    }

    /// A side moved; answers when a move left unmatched in every pairing, where one is pushed out.
    pub(super) fn push(&mut self, side: usize, price: i64, now: u64, matched: u64) -> Option<u64> {
        let moves = &mut self.sides[side];
        let mut left = None;
        while moves.len() >= WAITING_MAX || moves.front().is_some_and(|m| now - m.at_ns > WAIT_NS) {
            let Some(old) = moves.pop_front() else { break };
            if old.matched == 0 {
                left = Some(old.at_ns);
            }
        }
        moves.push_back(Move { price, at_ns: now, matched });
        left
    }

    /// When moves happened that nothing matched.
    pub(super) fn unmatched(&self) -> impl Iterator<Item = u64> + '_ {
        self.sides.iter().flatten().filter(|m| m.matched == 0).map(|m| m.at_ns)
    }
}

/// How much later the subject was, over time: of the alert's instrument and of the others.
#[derive(Debug, Default)]
pub(super) struct Lags {
    own: Vec<(u64, i64)>,
    rest: Vec<(u64, i64)>,
}

impl Lags {
    /// One matched update, known at `now`.
    pub(super) fn add(&mut self, now: u64, lag_ns: i64, own: bool) {
        let lags = if own { &mut self.own } else { &mut self.rest };
        if lags.len() < LAGS_MAX {
            lags.push((now, lag_ns));
        }
    }

    /// Figures of the others in a stretch.
    pub(super) fn rest_in(&self, stretch: Span) -> Figures {
        Figures::of(self.rest.iter().filter(|(at, _)| stretch.has(*at)).map(|(_, lag)| *lag).collect())
    }

    /// Figures before, during and after: of the alert's instrument, of the others.
    pub(super) fn finish(self, during: Span) -> [[Figures; 3]; 2] {
        [self.own, self.rest].map(|lags| {
            let within = |wanted: &dyn Fn(u64) -> bool| {
                Figures::of(lags.iter().filter(|(at, _)| wanted(*at)).map(|(_, lag)| *lag).collect())
            };
            [within(&|at| at < during.from_ns), within(&|at| during.has(at)), within(&|at| at > during.to_ns)]
        })
    }
}

/// Every move of the alert's instrument at one source: when, side, from, to.
pub(super) type History = VecDeque<(u64, usize, i64, i64)>;

/// Moves of an instrument that are remembered to look for a constant delay.
pub(super) const HISTORY_MAX: usize = 20_000;
/// Moves that are looked at, the latest.
const LOOKED_AT: usize = 1_000;
/// A delay is looked for up to here.
const DELAY_MAX_NS: u64 = 3_600_000_000_000;
/// Delays within so much of each other are one.
const DELAY_STEP_NS: u64 = 250_000_000;

/// The delay at which most moves of `late` repeat moves of `first`: how long, how many of how many.
pub(super) fn constant_delay(late: &History, first: &History) -> Option<(u64, u64, u64)> {
    let mut by_move: hashbrown::HashMap<(usize, i64, i64), Vec<u64>> = hashbrown::HashMap::new();
    for (at, side, from, to) in first {
        by_move.entry((*side, *from, *to)).or_default().push(*at);
    }
    let mut counts: std::collections::BTreeMap<u64, u64> = std::collections::BTreeMap::new();
    let mut looked = 0;
    for (at, side, from, to) in late.iter().rev().take(LOOKED_AT) {
        looked += 1;
        let Some(times) = by_move.get(&(*side, *from, *to)) else { continue };
        // A move counts once for a delay, however often it happened about then.
        let mut before = u64::MAX;
        for earlier in times.iter().filter(|t| **t <= *at && at - **t <= DELAY_MAX_NS) {
            let step = (at - earlier + DELAY_STEP_NS / 2) / DELAY_STEP_NS;
            if step != before {
                *counts.entry(step).or_default() += 1;
                before = step;
            }
        }
    }
    // A delay near the edge of two steps counts in both.
    let both =
        |step: u64| counts.get(&step).copied().unwrap_or(0) + counts.get(&(step + 1)).copied().unwrap_or(0);
    let best = counts.keys().copied().max_by_key(|step| (both(*step), std::cmp::Reverse(*step)))?;
    let larger = if counts.get(&(best + 1)) > counts.get(&best) { best + 1 } else { best };
    Some((larger * DELAY_STEP_NS, both(best).min(looked), looked))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_move_is_matched_once_with_the_earliest_of_its_price() {
        let mut recent = Recent::default();
        assert_eq!(recent.push(0, 5, 10, 0), None);
        recent.push(0, 6, 20, 0);
        recent.push(0, 5, 30, 0);
        assert_eq!(recent.take(0, 5, 0, 40), Some(10));
        assert_eq!(recent.take(0, 5, 0, 41), Some(30));
        assert_eq!(recent.take(0, 5, 0, 42), None);
        assert_eq!(recent.take(1, 6, 0, 42), None, "another side");
        assert_eq!(recent.unmatched().collect::<Vec<_>>(), [20]);
    }

    #[test]
    fn a_constant_delay_is_found_among_chance_repetitions() {
        let price = |n: u64| (n * n * 7 % 13) as i64;
        let first: History = (0..100).map(|n| (n * SECOND, 0, price(n), price(n + 1))).collect();
        let delay = 900 * SECOND;
        let late: History =
            first.iter().map(|(at, side, from, to)| (at + delay + 3_000_000, *side, *from, *to)).collect();
        assert_eq!(constant_delay(&late, &first), Some((delay, 100, 100)));
    }
}
