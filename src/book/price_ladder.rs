//! One side of a book whose levels are found by price: the sum of orders, or what a feed says per price.
//!
//! Levels lie sorted with the best at the end, where nearly every change happens. It never holds an empty level.

use super::{Contradiction, Level};
use feeds::event::Side;

/// One price, its displayed quantity and how many orders make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rung {
    /// Grows towards the better price on either side, see [`rank`].
    rank: i64,
    quantity: u64,
    orders: u32,
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

/// The levels of one side.
#[derive(Debug, Clone)]
pub(super) struct PriceLadder {
    side: Side,
    rungs: Vec<Rung>,
}

impl PriceLadder {
    pub(super) const fn new(side: Side) -> Self {
        PriceLadder { side, rungs: Vec::new() }
    }

    /// Where the rank is (`Ok`) or belongs (`Err`); the best level is looked at first.
    #[inline]
    fn find(&self, rank: i64) -> Result<usize, usize> {
        match self.rungs.last() {
            None => Err(0),
            Some(last) if last.rank == rank => Ok(self.rungs.len() - 1),
            Some(last) if last.rank < rank => Err(self.rungs.len()),
            Some(_) => self.rungs.binary_search_by_key(&rank, |r| r.rank),
        }
    }

    /// An order of `quantity` comes in at `price`.
    pub(super) fn add(&mut self, price: i64, quantity: u64) -> Result<(), Contradiction> {
        let rank = rank(self.side, price);
        match self.find(rank) {
            Ok(at) => {
                let rung = &mut self.rungs[at];
                rung.quantity = rung.quantity.checked_add(quantity).ok_or(Contradiction::QuantityOverflow)?;
                rung.orders = rung.orders.saturating_add(1);
            }
            Err(at) => self.rungs.insert(at, Rung { rank, quantity, orders: 1 }),
        }
        Ok(())
    }

    /// `quantity` of an order leaves the level at `price`, and with `gone` the order itself.
    pub(super) fn take(&mut self, price: i64, quantity: u64, gone: bool) {
        let Ok(at) = self.find(rank(self.side, price)) else {
            debug_assert!(false, "an order's level is there as long as the order");
            return;
        };
        let rung = &mut self.rungs[at];
        debug_assert!(rung.quantity >= quantity);
        rung.quantity = rung.quantity.saturating_sub(quantity);
        rung.orders -= u32::from(gone);
        if rung.quantity == 0 {
            debug_assert_eq!(rung.orders, 0, "orders without quantity are not kept");
            self.rungs.remove(at);
        }
    }

    /// The whole quantity at `price` is `quantity`; 0 removes the level.
    pub(super) fn set(&mut self, price: i64, quantity: u64) -> Result<(), Contradiction> {
        let rank = rank(self.side, price);
        match (self.find(rank), quantity) {
            (Ok(at), 0) => {
                self.rungs.remove(at);
            }
            (Ok(at), _) => self.rungs[at].quantity = quantity,
            (Err(_), 0) => return Err(Contradiction::LevelUnknown),
            (Err(at), _) => self.rungs.insert(at, Rung { rank, quantity, orders: 0 }),
        }
        Ok(())
    }

    /// Whether a change at `price` that has just been made may show in the best or the best round lot.
    ///
    /// Levels better than `price` were not touched. If one of them holds a round lot, both bests stand; if none
    /// does, the touched level was, is or could have been one of them.
    #[inline]
    pub(super) fn shows(&self, price: i64, round_lot: u64) -> bool {
        let touched = rank(self.side, price);
        !self.rungs.iter().rev().take_while(|r| r.rank > touched).any(|r| r.quantity >= round_lot)
    }

    /// Levels, best first.
    pub(super) fn levels(&self) -> impl Iterator<Item = Level> + '_ {
        self.rungs.iter().rev().map(|r| Level { price: rank(self.side, r.rank), quantity: r.quantity })
    }

    /// Price, quantity and number of orders of every level, best first.
    #[cfg(test)]
    pub(super) fn rungs(&self) -> impl Iterator<Item = (i64, u64, u32)> + '_ {
        self.rungs.iter().rev().map(|r| (rank(self.side, r.rank), r.quantity, r.orders))
    }

    pub(super) fn clear(&mut self) {
        self.rungs.clear();
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.rungs.capacity() * size_of::<Rung>()
    }
}
