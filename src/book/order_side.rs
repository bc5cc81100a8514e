//! One side of an instrument's book as orders make it: its levels in order, and its two bests ready to be read.
//!
//! A cache line. Levels lie sorted with the best at the end, where nearly every change happens; a change behind the best
//! round lot, which most are, touches nothing else. There is never an empty level.

use super::levels::{LevelId, Levels, OrderLevel, Whose};
use super::{Contradiction, Level, ROUND_LOT_DEFAULT};
use feeds::event::Side;

/// A number that grows towards the better price: the price for bids, its complement for asks
/// (the complement turns the order round and cannot overflow). Its own inverse per side.
#[inline]
const fn rank(side: Side, price: i64) -> i64 {
    match side {
        Side::Bid => price,
        Side::Ask => !price,
    }
}

/// One level in its order.
#[derive(Debug, Clone, Copy)]
struct Rung {
    rank: i64,
    level: LevelId,
}

/// A best: its level's rank and quantity; no quantity where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Best {
    rank: i64,
    quantity: u64,
}

impl Best {
    /// Behind every level.
    const NONE: Best = Best { rank: i64::MIN, quantity: 0 };
}

/// The levels of one side.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct OrderSide {
    rungs: Vec<Rung>,
    best: Best,
    round_lot_best: Best,
    round_lot: u32,
    /// How many orders.
    pub(super) orders: u32,
}

const _: () = assert!(size_of::<OrderSide>() == 64);

/// Levels from the best that are looked at one by one before the rest is halved.
const NEAR: usize = 16;

impl OrderSide {
    pub(super) const fn new() -> Self {
        OrderSide {
            rungs: Vec::new(),
            best: Best::NONE,
            round_lot_best: Best::NONE,
            round_lot: ROUND_LOT_DEFAULT,
            orders: 0,
        }
    }

    /// Where the rank is (`Ok`) or belongs (`Err`).
    #[inline(always)]
    fn find(&self, rank: i64) -> Result<usize, usize> {
        let near = self.rungs.len().saturating_sub(NEAR);
        for (at, rung) in self.rungs.iter().enumerate().skip(near).rev() {
            if rung.rank <= rank {
                return if rung.rank == rank { Ok(at) } else { Err(at + 1) };
            }
        }
        self.rungs[..near].binary_search_by_key(&rank, |r| r.rank)
    }

    /// An order of `quantity` comes in at `price`; answers its level and whether a best became another.
    #[inline(always)]
    pub(super) fn add(
        &mut self,
        levels: &mut Levels,
        whose: Whose,
        price: i64,
        quantity: u64,
    ) -> Result<(LevelId, bool), Contradiction> {
        let rank = rank(whose.side(), price);
        let (level, sum) = match self.find(rank) {
            Ok(at) => {
                let level = self.rungs[at].level;
                let there = &mut levels[level].quantity;
                *there = there.checked_add(quantity).ok_or(Contradiction::QuantityOverflow)?;
                (level, *there)
            }
            Err(at) => {
                let level = levels.make(OrderLevel { quantity, whose }, rank);
                self.insert(at, Rung { rank, level });
                (level, quantity)
            }
        };
        self.orders += 1;
        Ok((level, self.settle(levels, rank, sum)))
    }

    /// `quantity` of an order leaves its level, and with `gone` the order itself; answers whether a best became another.
    #[inline(always)]
    pub(super) fn take(&mut self, levels: &mut Levels, level: LevelId, quantity: u64, gone: bool) -> bool {
        let there = &mut levels[level].quantity;
        *there = there.saturating_sub(quantity);
        let (left, rank) = (*there, levels.rank(level));
        if left == 0 {
            self.remove(rank);
            levels.free(level);
        }
        self.orders -= u32::from(gone);
        self.settle(levels, rank, left)
    }

    /// Few levels are better than a new one: moving them one by one is quicker than a call that moves memory.
    #[inline]
    fn insert(&mut self, at: usize, rung: Rung) {
        if self.rungs.len() - at > NEAR {
            return self.rungs.insert(at, rung);
        }
        self.rungs.push(rung);
        for to in (at + 1..self.rungs.len()).rev() {
            self.rungs.swap(to, to - 1);
        }
    }

    /// As [`OrderSide::insert`].
    #[inline]
    fn remove(&mut self, rank: i64) {
        let Ok(at) = self.find(rank) else {
            debug_assert!(false, "a level has its place as long as it lives");
            return;
        };
        if self.rungs.len() - at > NEAR {
            self.rungs.remove(at);
            return;
        }
        for to in at + 1..self.rungs.len() {
            self.rungs.swap(to - 1, to);
        }
        self.rungs.pop();
    }

    /// The level at `rank` holds `quantity` now: brings the bests up to date, and answers whether one became another.
    #[inline(always)]
    fn settle(&mut self, levels: &Levels, rank: i64, quantity: u64) -> bool {
        // What is behind the best round lot shows in neither.
        if rank < self.round_lot_best.rank {
            return false;
        }
        let before = (self.best, self.round_lot_best);
        let round = quantity >= u64::from(self.round_lot);
        if quantity == 0 || (rank == self.round_lot_best.rank && !round) {
            self.read_bests(levels);
        } else {
            let touched = Best { rank, quantity };
            if rank >= self.best.rank {
                self.best = touched;
            }
            if round {
                self.round_lot_best = touched;
            }
        }
        before != (self.best, self.round_lot_best)
    }

    /// Looks for both bests anew.
    fn read_bests(&mut self, levels: &Levels) {
        let round_lot = u64::from(self.round_lot);
        let best_of = |rung: &Rung| Best { rank: rung.rank, quantity: levels[rung.level].quantity };
        let mut bests = self.rungs.iter().rev().map(best_of);
        self.best = bests.next().unwrap_or(Best::NONE);
        self.round_lot_best = if self.best.quantity >= round_lot {
            self.best
        } else {
            bests.find(|best| best.quantity >= round_lot).unwrap_or(Best::NONE)
        };
    }

    /// What a round lot is.
    pub(super) fn set_round_lot(&mut self, levels: &Levels, round_lot: u32) {
        self.round_lot = round_lot;
        self.read_bests(levels);
    }

    /// The best level, and the best that displays at least a round lot.
    #[inline]
    pub(super) fn bests(&self, side: Side) -> [Option<Level>; 2] {
        [self.best, self.round_lot_best].map(|best| {
            let level = Level { price: rank(side, best.rank), quantity: best.quantity };
            (best.quantity > 0).then_some(level)
        })
    }

    /// Its levels, best first.
    pub(super) fn levels<'a>(&'a self, levels: &'a Levels, side: Side) -> impl Iterator<Item = Level> + 'a {
        self.rungs.iter().rev().map(move |rung| {
            let quantity = levels[rung.level].quantity;
            Level { price: rank(side, rung.rank), quantity }
        })
    }

    /// Empties it and answers how many orders went.
    pub(super) fn clear(&mut self, levels: &mut Levels) -> usize {
        self.rungs.drain(..).for_each(|rung| levels.clear(rung.level));
        (self.best, self.round_lot_best) = (Best::NONE, Best::NONE);
        std::mem::take(&mut self.orders) as usize
    }

    /// Asks for the best levels' places.
    #[inline(always)]
    pub(super) fn prefetch(&self) {
        if let Some(best) = self.rungs.last() {
            crate::cache::prefetch(best);
        }
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.rungs.capacity() * size_of::<Rung>()
    }
}
