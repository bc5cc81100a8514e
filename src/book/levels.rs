//! The levels that orders make, of all instruments of a channel, in one pool: an order names its level by number, so that
//! whatever happens to it finds quantity, side and instrument without a search.
//!
//! What every event of an order needs is a quarter of a cache line; the price, which few need, lies apart.

use super::Slot;
use feeds::event::Side;

/// Number of a level in the pool.
pub(super) type LevelId = u32;

/// Whose a level is: the instrument's slot, doubled, plus the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whose(u32);

impl Whose {
    /// Nobody's: the level was cleared with its instrument, but orders still name it.
    const CLEARED: Whose = Whose(u32::MAX);

    #[inline(always)]
    pub(super) const fn new(slot: Slot, side: Side) -> Self {
        Whose(slot << 1 | side.index() as u32)
    }

    #[inline(always)]
    pub(super) const fn slot(self) -> Slot {
        self.0 >> 1
    }

    #[inline(always)]
    pub(super) const fn side(self) -> Side {
        if self.0 & 1 == 0 { Side::Bid } else { Side::Ask }
    }
}

/// What orders change.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
pub(super) struct OrderLevel {
    /// The sum of its orders: more than nothing while there is one.
    pub(super) quantity: u64,
    pub(super) whose: Whose,
}

/// The pool.
#[derive(Debug, Default)]
pub(super) struct Levels {
    levels: Vec<OrderLevel>,
    /// By the same number: what places a level among the others of its side.
    ranks: Vec<i64>,
    free: Vec<LevelId>,
    cleared: Vec<LevelId>,
}

impl std::ops::Index<LevelId> for Levels {
    type Output = OrderLevel;

    #[inline(always)]
    fn index(&self, id: LevelId) -> &OrderLevel {
        &self.levels[id as usize]
    }
}

impl std::ops::IndexMut<LevelId> for Levels {
    #[inline(always)]
    fn index_mut(&mut self, id: LevelId) -> &mut OrderLevel {
        &mut self.levels[id as usize]
    }
}

impl Levels {
    #[inline]
    pub(super) fn make(&mut self, level: OrderLevel, rank: i64) -> LevelId {
        if let Some(id) = self.free.pop() {
            (self[id], self.ranks[id as usize]) = (level, rank);
            return id;
        }
        self.levels.push(level);
        self.ranks.push(rank);
        (self.levels.len() - 1) as LevelId
    }

    #[inline(always)]
    pub(super) fn rank(&self, id: LevelId) -> i64 {
        self.ranks[id as usize]
    }

    /// No order names it any more.
    #[inline]
    pub(super) fn free(&mut self, id: LevelId) {
        self.free.push(id);
    }

    /// It is gone with its instrument's book, but its orders have not been swept out yet.
    pub(super) fn clear(&mut self, id: LevelId) {
        self[id].whose = Whose::CLEARED;
        self.cleared.push(id);
    }

    /// Whether the orders of the level live.
    #[inline]
    pub(super) fn lives(&self, id: LevelId) -> bool {
        self[id].whose != Whose::CLEARED
    }

    /// No order names a cleared level any more.
    pub(super) fn swept(&mut self) {
        self.free.append(&mut self.cleared);
    }

    /// Nothing is left.
    pub(super) fn forget_all(&mut self) {
        *self = Levels::default();
    }

    /// Asks for what an event of one of its orders will change.
    #[inline(always)]
    pub(super) fn prefetch(&self, id: LevelId) {
        if let Some(level) = self.levels.get(id as usize) {
            crate::cache::prefetch(level);
        }
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.levels.capacity() * size_of::<OrderLevel>()
            + self.ranks.capacity() * size_of::<i64>()
            + (self.free.capacity() + self.cleared.capacity()) * size_of::<LevelId>()
    }
}
