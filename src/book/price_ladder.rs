//! One side of a book whose levels a feed says by price.
//!
//! Levels lie sorted with the best at the end, where nearly every change happens. It never holds an empty level. Whose
//! side it is says the caller.

use super::{Contradiction, Level};
use feeds::event::Side;

/// One price and its displayed quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rung {
    /// Grows towards the better price on either side, see [`rank`].
    rank: i64,
    quantity: u64,
}

/// A number that grows towards the better price: the price for bids, its complement for asks
/// (the complement turns the order round and cannot overflow). Its own inverse per side.
#[inline]
const fn rank(side: Side, price: i64) -> i64 {
    match side {
        Side::Bid => price,
        Side::Ask => !price,
    }
}

/// Levels better than a changed one begin here: an index from the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Above(usize);

/// The levels of one side.
#[derive(Debug, Clone, Default)]
pub(super) struct PriceLadder {
    rungs: Vec<Rung>,
}

/// Levels from the best that are looked at one by one before the rest is halved.
const NEAR: usize = 16;

impl PriceLadder {
    /// Where the rank is (`Ok`) or belongs (`Err`).
    #[inline]
    fn find(&self, rank: i64) -> Result<usize, usize> {
        let near = self.rungs.len().saturating_sub(NEAR);
        let mut at = self.rungs.len();
        while at > near && self.rungs[at - 1].rank > rank {
            at -= 1;
        }
        if at > near || near == 0 {
            return match self.rungs[..at].last() {
                Some(rung) if rung.rank == rank => Ok(at - 1),
                _ => Err(at),
            };
        }
        self.rungs[..near].binary_search_by_key(&rank, |r| r.rank)
    }

    /// Few levels are better than a new one: moving them one by one is quicker than a call that moves memory.
    #[inline]
    fn insert(&mut self, at: usize, rung: Rung) {
        if self.rungs.len() - at > NEAR {
            return self.rungs.insert(at, rung);
        }
        self.rungs.push(rung);
        let mut to = self.rungs.len() - 1;
        while to > at {
            self.rungs[to] = self.rungs[to - 1];
            to -= 1;
        }
        self.rungs[at] = rung;
    }

    /// As [`PriceLadder::insert`].
    #[inline]
    fn remove(&mut self, at: usize) {
        if self.rungs.len() - at > NEAR {
            self.rungs.remove(at);
            return;
        }
        for to in at + 1..self.rungs.len() {
            self.rungs[to - 1] = self.rungs[to];
        }
        self.rungs.pop();
    }

    /// The whole quantity at `price` is `quantity`; 0 removes the level.
    pub(super) fn set(&mut self, side: Side, price: i64, quantity: u64) -> Result<Above, Contradiction> {
        let rank = rank(side, price);
        match (self.find(rank), quantity) {
            (Ok(at), 0) => {
                self.remove(at);
                return Ok(Above(at));
            }
            (Ok(at), _) => self.rungs[at].quantity = quantity,
            (Err(_), 0) => return Err(Contradiction::LevelUnknown),
            (Err(at), _) => self.insert(at, Rung { rank, quantity }),
        }
        self.find(rank).map(|at| Above(at + 1)).map_err(|_| Contradiction::LevelUnknown)
    }

    /// Whether the change after which `above` was answered may show in the best or the best round lot.
    ///
    /// Levels better than it were not touched. If one of them holds a round lot, both bests stand; if none
    /// does, the touched level was, is or could have been one of them.
    #[inline]
    pub(super) fn shows(&self, Above(above): Above, round_lot: u64) -> bool {
        !self.rungs[above..].iter().rev().any(|r| r.quantity >= round_lot)
    }

    /// Levels, best first.
    #[inline]
    pub(super) fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.rungs.iter().rev().map(move |r| Level { price: rank(side, r.rank), quantity: r.quantity })
    }

    pub(super) fn clear(&mut self) {
        self.rungs.clear();
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.rungs.capacity() * size_of::<Rung>()
    }
}
