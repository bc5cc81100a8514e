//! What is seldom: prices outside of windows, and windows that move, grow or take another grid.
//!
//! Everything here may take its time: a window moves by a quarter of its size at least, so that the price has to go as far
//! before it moves again, and a grid is chosen anew when prices keep missing it.

use super::{
    At, BEYOND, Contradiction, LARGE, Ladder, Ladders, Line, NO_FAR, NONE, SHAPE_MAX, SHAPE_MIN, SPARSE,
    Shows, TOP, rank,
};

impl Ladders {
    #[cold]
    #[inline(never)]
    pub(super) fn add_elsewhere(
        &mut self,
        at: At,
        price: i64,
        quantity: u64,
    ) -> Result<Shows, Contradiction> {
        let before = self.bests(at);
        let added = self.add_far_or_near(at, price, quantity);
        self.look_for_bests(at, TOP);
        added.map(|()| self.shows(at, before))
    }

    fn add_far_or_near(&mut self, at: At, price: i64, quantity: u64) -> Result<(), Contradiction> {
        let known = self.far.get(at).and_then(|far| far.levels.get(&rank(at.side, price))).copied();
        if known.is_none() && self.make_room(at, price) {
            let ladder = &mut self.lines[at.slot as usize].sides[at.side.index()];
            let (tick, _) = self.grids.tick(ladder.grid, at.side, price);
            let word = &mut self.windows.words[ladder.word(tick)];
            let sum = u64::from(*word).saturating_add(quantity);
            if sum < LARGE {
                ladder.levels += u16::from(*word == 0);
                *word = sum as u32;
                return Ok(());
            }
        }
        // A level of the window that grows beyond it moves out with what it has.
        let before = known.unwrap_or(0) + u64::from(self.take_step(at, price));
        let sum = before.checked_add(quantity);
        self.put_far(at, price, sum.unwrap_or(before));
        sum.map(|_| ()).ok_or(Contradiction::QuantityOverflow)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn take_elsewhere(&mut self, at: At, price: i64, quantity: u64) -> Shows {
        let before = self.bests(at);
        let of = rank(at.side, price);
        let there = self.far.get_mut(at).and_then(|far| {
            far.levels.get_mut(&of).map(|there| {
                *there = there.saturating_sub(quantity);
                *there
            })
        });
        debug_assert!(there.is_some(), "an order has a level");
        if there == Some(0)
            && let Some(far) = self.far.get_mut(at)
        {
            far.levels.remove(&of);
        }
        self.note_far(at);
        self.look_for_bests(at, TOP);
        self.shows(at, before)
    }

    /// Empties the window's step of the price, if it has one; answers what was there.
    fn take_step(&mut self, at: At, price: i64) -> u32 {
        let ladder = &mut self.lines[at.slot as usize].sides[at.side.index()];
        let (tick, on_grid) = self.grids.tick(ladder.grid, at.side, price);
        if !(on_grid && ladder.holds(tick)) {
            return 0;
        }
        let there = std::mem::take(&mut self.windows.words[ladder.word(tick)]);
        ladder.levels -= u16::from(there > 0);
        there
    }

    fn put_far(&mut self, at: At, price: i64, quantity: u64) {
        if quantity > 0 {
            self.far.get_or_make(at).levels.insert(rank(at.side, price), quantity);
            self.note_far(at);
        }
    }

    /// Brings the note of the best far level up to date.
    fn note_far(&mut self, at: At) {
        let best = self.far.get(at).and_then(|far| far.levels.last_key_value()).map(|(&of, _)| of);
        let grid = *self.grids.get(self.ladder(at).grid);
        let ladder = self.ladder_mut(at);
        ladder.far_best = best.map_or(NO_FAR, |of| {
            let height = i64::from(grid.at_least(at.side, rank(at.side, of))) - i64::from(ladder.lo);
            height.clamp(NONE.into(), BEYOND.into()) as i16
        });
        if best.is_none() {
            self.far.remove(at);
        }
    }

    /// Brings a price that the window does not hold into it; false where it is better kept apart.
    fn make_room(&mut self, at: At, price: i64) -> bool {
        let ladder = *self.ladder(at);
        if ladder.shape == 0 || ladder.levels == 0 {
            return self.begin(at, price);
        }
        let (tick, on_grid) = self.grids.tick(ladder.grid, at.side, price);
        if !on_grid {
            return self.misses_too_often(at) && self.refine(at, price);
        }
        if ladder.holds(tick) {
            return true;
        }
        if let Some((lo, shape)) = wider(&ladder, tick) {
            return self.rebuild(at, ladder.grid, lo, shape);
        }
        let steps = ladder.steps() as i32;
        if tick > ladder.lo {
            // Better than all: the best moves to three quarters of the height, or leaves all others behind.
            let lo = tick - steps / 4 * 3;
            return if lo > ladder.lo + i32::from(ladder.best) {
                self.begin(at, price)
            } else {
                self.slide(at, lo)
            };
        }
        // Behind the window, which follows when the best has come down far enough.
        let lo = ladder.lo + i32::from(ladder.best.max(ladder.far_best)) - steps / 4 * 3;
        lo <= ladder.lo - steps / 4 && self.slide(at, lo) && self.ladder(at).holds(tick)
    }

    /// A price is off the grid. Whether that is so often that another grid is worth it: always while there is little
    /// to move, else when half as many levels lie between the window's as in it.
    fn misses_too_often(&mut self, at: At) -> bool {
        let ladder = *self.ladder(at);
        if ladder.levels < 4 {
            return true;
        }
        let (from, to) = self.reach(at);
        let far = self.far.get_or_make(at);
        far.missed() && far.levels.range(from..=to).count() * 2 >= usize::from(ladder.levels)
    }

    /// Ranks of the prices of the window's ends.
    fn reach(&self, at: At) -> (i64, i64) {
        let ladder = self.ladder(at);
        let of = |tick| rank(at.side, self.grids.get(ladder.grid).price_bounded(at.side, tick));
        (of(ladder.lo), of(ladder.lo + (ladder.steps() as i32 - 1).max(0)))
    }

    /// The only window level is to be at `price`.
    fn begin(&mut self, at: At, price: i64) -> bool {
        let grid = self.grids.of(price);
        let (tick, on_grid) = self.grids.tick(grid, at.side, price);
        let shape = self.ladder(at).shape.max(SHAPE_MIN);
        on_grid && self.rebuild(at, grid, tick - (1 << (shape - 1)), shape)
    }

    /// Prices keep missing the grid: takes one on which both lie.
    fn refine(&mut self, at: At, price: i64) -> bool {
        let ladder = *self.ladder(at);
        let grid = self.grids.finer(ladder.grid, price);
        if grid == ladder.grid {
            return false;
        }
        let best = self.levels(at).next().map_or(price, |level| level.price);
        let (tick, on_grid) = self.grids.tick(grid, at.side, best);
        let steps = ladder.steps() as i32;
        on_grid && self.rebuild(at, grid, tick - steps / 4 * 3, ladder.shape) && {
            let (tick, on_grid) = self.grids.tick(grid, at.side, price);
            on_grid && self.ladder(at).holds(tick)
        }
    }

    /// The window is empty, and there are far levels: it moves to the best of them.
    #[cold]
    #[inline(never)]
    pub(super) fn come_near(&mut self, at: At) {
        if let Some((&of, _)) = self.far.get(at).and_then(|far| far.levels.last_key_value()) {
            let price = rank(at.side, of);
            let (_, on_grid) = self.grids.tick(self.ladder(at).grid, at.side, price);
            let grid = if on_grid { self.ladder(at).grid } else { self.grids.of(price) };
            let (tick, on_grid) = self.grids.tick(grid, at.side, price);
            let shape = self.ladder(at).shape.max(SHAPE_MIN);
            if on_grid {
                self.rebuild(at, grid, tick - (3 << (shape - 2)), shape);
            }
        }
        let Line { sides, instrument } = &mut self.lines[at.slot as usize];
        let round_lot = instrument.round_lot;
        self.windows.bests(&mut sides[at.side.index()], TOP, round_lot);
        if self.ladder(at).mixed() {
            self.mix(at, round_lot);
        }
    }

    /// Moves the window of an unchanged size and grid to begin at `lo`.
    fn slide(&mut self, at: At, lo: i32) -> bool {
        let ladder = *self.ladder(at);
        let grid = *self.grids.get(ladder.grid);
        let far = self.far.get_or_make(at);
        // What lies on the side that is left behind.
        let moved = lo.wrapping_sub(ladder.lo).unsigned_abs().min(ladder.steps()) as i32;
        let first = if lo > ladder.lo { ladder.lo } else { ladder.lo + ladder.steps() as i32 - moved };
        let mut out = 0;
        for tick in first..first + moved {
            let there = std::mem::take(&mut self.windows.words[ladder.word(tick)]);
            if there > 0 {
                far.levels.insert(rank(at.side, grid.price(at.side, tick)), there.into());
                out += 1;
            }
        }
        let ladder = self.ladder_mut(at);
        (ladder.lo, ladder.levels) = (lo, ladder.levels - out);
        self.windows.moves = self.windows.moves.wrapping_add(1);
        self.draw_near(at);
        true
    }

    /// Gives the side a window of another size, grid or place.
    fn rebuild(&mut self, at: At, grid: u8, lo: i32, shape: u8) -> bool {
        let old = *self.ladder(at);
        let there: Vec<_> = self.windows.levels(&old).collect();
        self.windows.free(&old);
        let window = self.windows.take(shape);
        *self.ladder_mut(at) = Ladder { window, lo, grid, shape, far_best: old.far_best, ..Ladder::EMPTY };
        let before = *self.grids.get(old.grid);
        for (tick, quantity) in there {
            let ladder = &mut self.lines[at.slot as usize].sides[at.side.index()];
            if grid == old.grid && ladder.holds(tick) {
                self.windows.words[ladder.word(tick)] = quantity;
                ladder.levels += 1;
            } else {
                let of = rank(at.side, before.price(at.side, tick));
                self.far.get_or_make(at).levels.insert(of, quantity.into());
            }
        }
        self.draw_near(at);
        true
    }

    /// Takes what the window can hold out of the far levels.
    fn draw_near(&mut self, at: At) {
        let (from, to) = self.reach(at);
        let ladder = &mut self.lines[at.slot as usize].sides[at.side.index()];
        if let Some(far) = self.far.get_mut(at) {
            let grid = self.grids.get(ladder.grid);
            let fits =
                |(of, quantity): &(i64, u64)| *quantity < LARGE && grid.tick(at.side, rank(at.side, *of)).1;
            let within = far.levels.range(from..=to).map(|(of, quantity)| (*of, *quantity));
            let near: Vec<_> = within.filter(fits).collect();
            for (of, quantity) in near {
                far.levels.remove(&of);
                let (tick, _) = grid.tick(at.side, rank(at.side, of));
                self.windows.words[ladder.word(tick)] = quantity as u32;
                ladder.levels += 1;
            }
        }
        self.note_far(at);
    }
}

/// Where a window that holds `tick` as well begins, and its shape; `None` where it would be too large or too empty.
fn wider(ladder: &Ladder, tick: i32) -> Option<(i32, u8)> {
    (ladder.shape + 1..=SHAPE_MAX).find_map(|shape| {
        let steps = 1 << shape;
        let upwards = tick > ladder.lo;
        let lo = if upwards {
            ladder.lo
        } else {
            ladder.lo.checked_add(ladder.steps() as i32)?.checked_sub(steps)?
        };
        let holds = (tick.wrapping_sub(lo) as u32) < steps as u32;
        let filled = (u32::from(ladder.levels) + 1) * SPARSE >= steps as u32;
        (holds && filled).then_some((lo, shape))
    })
}
