//! Grids of equal steps on which prices lie.
//!
//! A channel's prices lie on a handful of grids (cents, quarters of a point); a side names its own in one byte. Whether a
//! price lies on a grid, and on which step, is two multiplications: an exact division by an odd number is a
//! multiplication by its inverse.

use feeds::event::Side;

use super::rank_tick;

/// A grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// Raw price of a step, more than zero: `odd << shift`.
    step: i64,
    shift: u32,
    inverse: i64,
}

impl Grid {
    fn new(step: i64) -> Grid {
        let shift = step.trailing_zeros();
        let odd = step >> shift;
        // Newton's iteration: an odd number is its own inverse in three bits, and every round doubles them.
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2i64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        Grid { step, shift, inverse }
    }

    /// The price's step as a rank, and whether there is one.
    #[inline(always)]
    pub(super) fn tick(&self, side: Side, price: i64) -> (i32, bool) {
        let whole = (price >> self.shift).wrapping_mul(self.inverse);
        let tick = whole as i32;
        // Room is left at both ends, so that ranks and windows do not overflow.
        let inside = i64::from(tick) == whole && tick.unsigned_abs() < 1 << 30;
        (rank_tick(side, tick), inside && whole.wrapping_mul(self.step) == price)
    }

    /// As [`Grid::tick`], and shorter: for steps that need no room at their ends, because a window holds them.
    #[inline(always)]
    pub(super) fn tick_within(&self, side: Side, price: i64) -> (i32, bool) {
        let tick = (price >> self.shift).wrapping_mul(self.inverse) as i32;
        (rank_tick(side, tick), i64::from(tick).wrapping_mul(self.step) == price)
    }

    /// The raw price of a step on which a price lies, given by its rank.
    #[inline(always)]
    pub(super) fn price(&self, side: Side, tick: i32) -> i64 {
        i64::from(rank_tick(side, tick)).wrapping_mul(self.step)
    }

    /// The raw price of any step, or the last there is on its way.
    pub(super) fn price_bounded(&self, side: Side, tick: i32) -> i64 {
        i64::from(rank_tick(side, tick)).saturating_mul(self.step)
    }

    /// A rank at or before which the price lies, on the grid or not.
    pub(super) fn at_least(&self, side: Side, price: i64) -> i32 {
        let below = price.div_euclid(self.step);
        let exact = price.rem_euclid(self.step) == 0;
        let nearest = match side {
            Side::Bid if exact => below,
            Side::Bid => below + 1,
            Side::Ask => below,
        };
        let nearest = nearest.clamp(i64::from(i32::MIN) + 2, i64::from(i32::MAX) - 2) as i32;
        rank_tick(side, nearest)
    }
}

/// The grids of a channel.
#[derive(Debug)]
pub(super) struct Grids {
    /// One for every number a side can name, so that no number is beyond them.
    all: Box<[Grid; 256]>,
    known: usize,
}

impl Default for Grids {
    fn default() -> Self {
        // The grid of everything comes first: it takes what finds no other.
        Grids { all: Box::new([Grid::new(1); 256]), known: 1 }
    }
}

impl Grids {
    #[inline(always)]
    pub(super) fn get(&self, grid: u8) -> &Grid {
        &self.all[usize::from(grid)]
    }

    #[inline(always)]
    pub(super) fn tick(&self, grid: u8, side: Side, price: i64) -> (i32, bool) {
        self.get(grid).tick(side, price)
    }

    fn with_step(&mut self, step: i64) -> u8 {
        if let Some(at) = self.all[..self.known].iter().position(|grid| grid.step == step) {
            return at as u8;
        }
        let Some(free) = self.all.get_mut(self.known) else { return 0 };
        *free = Grid::new(step);
        self.known += 1;
        (self.known - 1) as u8
    }

    /// A first guess from one price: the largest power of ten that divides it. The next price that is not on it makes it
    /// finer; that it is coarse at first costs little, that it were too fine would cost the window its reach.
    pub(super) fn of(&mut self, price: i64) -> u8 {
        let mut step = 1i64;
        while price != 0 && step < 1_000_000_000_000_000 && price % (step * 10) == 0 {
            step *= 10;
        }
        self.with_step(step)
    }

    /// A grid with all steps of that one, and the price.
    pub(super) fn finer(&mut self, grid: u8, price: i64) -> u8 {
        let (mut a, mut b) = (self.get(grid).step as u64, price.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        self.with_step(a as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_step_is_found_exactly_where_it_divides(step in 1i64..1 << 40, price in any::<i64>(), n in -1_000_000i64..1_000_000) {
            let grid = Grid::new(step);
            for price in [price, n, n * step] {
                for side in [Side::Bid, Side::Ask] {
                    let (tick, on) = grid.tick(side, price);
                    let whole = price / step;
                    prop_assert_eq!(on, price % step == 0 && whole.unsigned_abs() < 1 << 30);
                    if on {
                        prop_assert_eq!(i64::from(rank_tick(side, tick)), whole);
                        prop_assert_eq!(grid.price(side, tick), price);
                        prop_assert_eq!(grid.at_least(side, price), tick);
                    }
                }
            }
        }

        #[test]
        fn what_is_at_least_a_price_is_not_behind_it(step in 1i64..1 << 20, price in -(1i64 << 40)..1 << 40) {
            let grid = Grid::new(step);
            for side in [Side::Bid, Side::Ask] {
                let tick = grid.at_least(side, price);
                let at = grid.price_bounded(side, tick);
                // Before every step that a window may hold, it need not be before the price.
                let before_all = tick >= 1 << 30;
                prop_assert!(before_all || super::super::rank(side, at) >= super::super::rank(side, price));
            }
        }
    }

    #[test]
    fn a_finer_grid_has_the_steps_of_both() {
        let mut grids = Grids::default();
        let dollars = grids.of(1_230_000);
        assert_eq!(grids.get(dollars).step, 10_000);
        let cents = grids.finer(dollars, 1_234_500);
        assert_eq!(grids.get(cents).step, 500);
        assert_eq!(grids.finer(cents, 0), cents);
        assert_eq!(grids.of(0), grids.with_step(1));
    }
}
