//! The venue's own orders in one instrument, as the matching engine has them.
//!
//! Small and plain on purpose: what the simulator quotes must not come from the books under
//! test. Never crossed: [`crate::simulate::flow`] matches what would cross.

use feeds::event::Side;

/// A resting order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Order reference number.
    pub id: u64,
    /// Side.
    pub side: Side,
    /// Price in the feed's 4 decimals.
    pub price: u32,
    /// Shares displayed.
    pub shares: u32,
}

/// Best price of a side and the shares at it.
pub type Best = Option<(u32, u64)>;

/// Resting orders in the order in which they came (so the first at a price has priority).
#[derive(Debug, Clone, Default)]
pub struct Orders {
    all: Vec<Order>,
}

impl Orders {
    /// Every order, oldest first.
    pub fn all(&self) -> &[Order] {
        &self.all
    }

    /// Orders resting on one side.
    pub fn count(&self, side: Side) -> usize {
        self.all.iter().filter(|o| o.side == side).count()
    }

    /// Adds an order behind the others.
    pub fn add(&mut self, order: Order) {
        self.all.push(order);
    }

    /// Takes the order at a position out.
    pub fn remove(&mut self, at: usize) -> Order {
        self.all.remove(at)
    }

    /// Takes `shares` off the order at a position and removes it when nothing is left.
    pub fn reduce(&mut self, at: usize, shares: u32) {
        self.all[at].shares -= shares;
        if self.all[at].shares == 0 {
            self.all.remove(at);
        }
    }

    /// Position of the order that trades first on a side.
    pub fn first(&self, side: Side) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (i, order) in self.all.iter().enumerate().filter(|(_, o)| o.side == side) {
            if best.is_none_or(|b| better(side, order.price, self.all[b].price)) {
                best = Some(i);
            }
        }
        best
    }

    /// Best price of a side whatever the quantity.
    pub fn best(&self, side: Side) -> Option<u32> {
        self.first(side).map(|i| self.all[i].price)
    }

    /// Best price of a side at which at least `lot` shares are displayed, and how many.
    pub fn best_of_lot(&self, side: Side, lot: u64) -> Best {
        let mut bound: Option<u32> = None;
        loop {
            let mut level: Best = None;
            for o in self.all.iter().filter(|o| o.side == side) {
                if bound.is_some_and(|b| !better(side, b, o.price)) {
                    continue;
                }
                level = match level {
                    Some((price, shares)) if price == o.price => Some((price, shares + u64::from(o.shares))),
                    Some((price, _)) if !better(side, o.price, price) => level,
                    _ => Some((o.price, u64::from(o.shares))),
                };
            }
            match level {
                Some((price, shares)) if shares < lot => bound = Some(price),
                other => return other,
            }
        }
    }
}

/// Whether `a` is a better price than `b` on `side`.
pub fn better(side: Side, a: u32, b: u32) -> bool {
    match side {
        Side::Bid => a > b,
        Side::Ask => a < b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_round_lot_best_counts_the_level_and_passes_by_odd_lots() {
        let mut orders = Orders::default();
        for (id, side, price, shares) in [
            (1, Side::Bid, 100, 60),
            (2, Side::Bid, 101, 99),
            (3, Side::Bid, 100, 40),
            (4, Side::Ask, 103, 100),
            (5, Side::Ask, 102, 1),
        ] {
            orders.add(Order { id, side, price, shares });
        }
        assert_eq!((orders.best(Side::Bid), orders.best(Side::Ask)), (Some(101), Some(102)));
        assert_eq!(orders.best_of_lot(Side::Bid, 100), Some((100, 100)));
        assert_eq!(orders.best_of_lot(Side::Ask, 100), Some((103, 100)));
        assert_eq!(orders.best_of_lot(Side::Ask, 1000), None);
        assert_eq!(orders.first(Side::Bid), Some(1));
        orders.reduce(2, 40);
        assert_eq!(orders.best_of_lot(Side::Bid, 100), None);
    }
}
