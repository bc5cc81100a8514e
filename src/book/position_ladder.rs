//! One side of a book whose levels are numbered (CME MDP 3.0, Market by Price).
//!
//! A receiver that joins in mid-stream knows some positions and not others. Unknown ones are kept as holes, so
//! that every known level stays at its true position; a hole is never shown as a level.

use super::{Contradiction, Level};
use feeds::event::{LevelAction, Side};

/// The numbered levels of one side; position 1 is at index 0. Levels behind the last are unknown unless `whole`.
#[derive(Debug, Clone)]
pub(super) struct PositionLadder {
    side: Side,
    depth: u8,
    levels: Vec<Option<Level>>,
}

impl PositionLadder {
    pub(super) const fn new(side: Side, depth: u8) -> Self {
        PositionLadder { side, depth, levels: Vec::new() }
    }

    pub(super) fn set_depth(&mut self, depth: u8) {
        self.depth = depth;
        self.levels.truncate(usize::from(depth));
    }

    pub(super) const fn depth(&self) -> u8 {
        self.depth
    }

    /// Applies one numbered change. `whole` says that the book has been known from an empty or restated one on.
    pub(super) fn apply(
        &mut self,
        action: LevelAction,
        position: u8,
        level: Level,
        whole: bool,
    ) -> Result<(), Contradiction> {
        if position == 0 || position > self.depth {
            return Err(Contradiction::LevelOutOfRange);
        }
        let at = usize::from(position) - 1;
        let known = self.levels.len();
        match action {
            LevelAction::New | LevelAction::Overlay if at > known && whole => {
                Err(Contradiction::LevelOutOfRange)
            }
            LevelAction::New => {
                self.reach(at);
                self.levels.insert(at, None);
                // A level pushed beyond the depth is gone: the feed will send it anew should it come back.
                self.levels.truncate(usize::from(self.depth));
                self.write(at, level, Ok(()))
            }
            LevelAction::Overlay => {
                self.reach(at + 1);
                self.write(at, level, Ok(()))
            }
            LevelAction::Change => {
                let missing = self.missing(at, whole);
                if whole && missing.is_err() {
                    return missing;
                }
                self.reach(at + 1);
                let fits = missing.and_then(|()| self.matches(at, level));
                self.write(at, level, fits)
            }
            LevelAction::Delete => {
                let verdict = self.missing(at, whole).and_then(|()| self.matches(at, level));
                if at < known {
                    self.levels.remove(at);
                }
                self.trim();
                verdict
            }
            LevelAction::DeleteThru => {
                self.levels.drain(..known.min(at + 1));
                self.trim();
                if whole && at >= known { Err(Contradiction::LevelOutOfRange) } else { Ok(()) }
            }
            LevelAction::DeleteFrom => {
                self.levels.truncate(at);
                self.trim();
                if whole && at >= known { Err(Contradiction::LevelOutOfRange) } else { Ok(()) }
            }
        }
    }

    /// Fills up with holes until `len` positions are there.
    fn reach(&mut self, len: usize) {
        if self.levels.len() < len {
            self.levels.resize(len, None);
        }
    }

    /// Holes at the end say no more than the end does.
    fn trim(&mut self) {
        while let Some(None) = self.levels.last() {
            self.levels.pop();
        }
    }

    /// Says so when nothing is known at the index.
    fn missing(&self, at: usize, whole: bool) -> Result<(), Contradiction> {
        match self.levels.get(at) {
            Some(Some(_)) => Ok(()),
            None if whole => Err(Contradiction::LevelOutOfRange),
            _ => Err(Contradiction::LevelUnknown),
        }
    }

    /// A change or a delete names the price of the level that it means.
    fn matches(&self, at: usize, level: Level) -> Result<(), Contradiction> {
        match self.levels.get(at) {
            Some(Some(old)) if old.price != level.price => Err(Contradiction::LevelMismatch),
            _ => Ok(()),
        }
    }

    /// Writes the level; the first contradiction is the one that is told.
    fn write(
        &mut self,
        at: usize,
        level: Level,
        before: Result<(), Contradiction>,
    ) -> Result<(), Contradiction> {
        if level.quantity == 0 {
            self.levels[at] = None;
            self.trim();
            return before.and(Err(Contradiction::ZeroQuantity));
        }
        self.levels[at] = Some(level);
        let better = |a: Level, b: Level| match self.side {
            Side::Bid => a.price > b.price,
            Side::Ask => a.price < b.price,
        };
        let above = self.levels[..at].iter().rev().flatten().next();
        let below = self.levels[at + 1..].iter().flatten().next();
        let fits = above.is_none_or(|a| better(*a, level)) && below.is_none_or(|b| better(level, *b));
        before.and(if fits { Ok(()) } else { Err(Contradiction::LevelOutOfOrder) })
    }

    /// Known levels, best first; stops at the first hole, for what lies behind it is not the next best.
    pub(super) fn levels(&self) -> impl Iterator<Item = Level> + '_ {
        self.levels.iter().map_while(|l| *l)
    }

    /// Every position up to the last known one, holes as `None`.
    pub(super) fn positions(&self) -> &[Option<Level>] {
        &self.levels
    }

    /// Whether what stands at position 1 is certain.
    pub(super) fn best_is_certain(&self, whole: bool) -> bool {
        match self.levels.first() {
            Some(level) => level.is_some(),
            None => whole,
        }
    }

    pub(super) fn clear(&mut self) {
        self.levels.clear();
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.levels.capacity() * size_of::<Option<Level>>()
    }
}
