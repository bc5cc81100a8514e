//! The words of all windows, in one store.
//!
//! A window is a power of two of words, one a step of its grid, and goes round: a step keeps its word when the window moves.
//! Words of free windows are zero.

use crate::book::store::Store;

use super::{Ladder, NONE, SHAPE_MAX, SHAPE_MIN};

/// Windows by shape that are free.
const SHAPES: usize = (SHAPE_MAX - SHAPE_MIN + 1) as usize;

/// The store.
#[derive(Debug, Default)]
pub(super) struct Windows {
    pub(super) words: Store<u32>,
    free: [Vec<u32>; SHAPES],
    /// How often a window became another or moved: what was known of words before holds no more.
    pub(super) moves: u32,
}

impl Windows {
    /// The first word of a window of zeros.
    pub(super) fn take(&mut self, shape: u8) -> u32 {
        self.moves = self.moves.wrapping_add(1);
        if let Some(first) = self.free[usize::from(shape - SHAPE_MIN)].pop() {
            return first;
        }
        let first = self.words.len();
        self.words.extend(1 << shape, |_| 0);
        first as u32
    }

    pub(super) fn free(&mut self, ladder: &Ladder) {
        self.moves = self.moves.wrapping_add(1);
        if ladder.shape > 0 {
            let first = ladder.window as usize;
            self.words[first..first + ladder.steps() as usize].fill(0);
            self.free[usize::from(ladder.shape - SHAPE_MIN)].push(ladder.window);
        }
    }

    /// Steps that hold something, best first, with their quantities.
    pub(super) fn levels<'a>(&'a self, ladder: &'a Ladder) -> impl Iterator<Item = (i32, u32)> + 'a {
        (0..ladder.steps() as i32).rev().map(|n| ladder.lo + n).filter_map(|tick| {
            let quantity = self.words[ladder.word(tick)];
            (quantity > 0).then_some((tick, quantity))
        })
    }

    /// The same of a ladder that is not mixed, looked for from its best to its last only.
    pub(super) fn best_to_last<'a>(&'a self, ladder: &'a Ladder) -> impl Iterator<Item = (i32, u32)> + 'a {
        let words = &self.words[ladder.window as usize..][..ladder.steps() as usize];
        let mask = words.len().wrapping_sub(1);
        let levels = usize::from(ladder.levels);
        let from = ladder.lo + i32::from(ladder.best) + 1;
        let filled = (ladder.lo..from).rev().filter_map(move |tick| {
            let quantity = words[tick as usize & mask];
            (quantity > 0).then_some((tick, quantity))
        });
        filled.take(levels)
    }

    /// Looks for the window's bests, from the height `from` downwards.
    #[inline]
    pub(super) fn bests(&self, ladder: &mut Ladder, from: i32, round_lot: u32) {
        (ladder.best, ladder.best_quantity, ladder.round) = (NONE, 0, NONE);
        if ladder.levels == 0 {
            return;
        }
        let words = &self.words[ladder.window as usize..][..ladder.steps() as usize];
        let (mask, lo) = (words.len() - 1, ladder.lo);
        let of = |height: i32| words[(lo + height) as usize & mask];
        let mut height = from.min(mask as i32);
        let mut quantity = of(height);
        while quantity == 0 && height > 0 {
            height -= 1;
            quantity = of(height);
        }
        (ladder.best, ladder.best_quantity) = (height as i16, quantity);
        while quantity < round_lot && height > 0 {
            height -= 1;
            quantity = of(height);
        }
        if quantity >= round_lot {
            ladder.round = height as i16;
        }
    }

    pub(super) fn state_bytes(&self) -> usize {
        let lists: usize = self.free.iter().map(Vec::capacity).sum();
        self.words.bytes() + lists * size_of::<u32>()
    }
}
