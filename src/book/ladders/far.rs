//! Levels outside of windows, by price.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::At;
use crate::book::Level;

/// Far levels of one side.
#[derive(Debug, Default)]
pub(super) struct FarLevels {
    /// Rank of the price → quantity, more than zero.
    pub(super) levels: BTreeMap<i64, u64>,
    /// Best and best round lot of the whole side, while it is mixed.
    pub(super) bests: [Option<Level>; 2],
    misses: u8,
}

/// Prices off the grid after which another grid is taken.
const MISSES: u8 = 4;

impl FarLevels {
    /// A price was off the grid; true when that was often enough.
    pub(super) const fn missed(&mut self) -> bool {
        self.misses += 1;
        let enough = self.misses >= MISSES;
        if enough {
            self.misses = 0;
        }
        enough
    }
}

/// Far levels of those sides that have any.
#[derive(Debug, Default)]
pub(super) struct Far(HashMap<u32, Box<FarLevels>>);

impl Far {
    pub(super) fn get(&self, at: At) -> Option<&FarLevels> {
        self.0.get(&at.key()).map(Box::as_ref)
    }

    /// The bests of a mixed side.
    #[cold]
    #[inline(never)]
    pub(super) fn bests(&self, at: At) -> [Option<Level>; 2] {
        self.get(at).map_or([None; 2], |far| far.bests)
    }

    pub(super) fn get_mut(&mut self, at: At) -> Option<&mut FarLevels> {
        self.0.get_mut(&at.key()).map(Box::as_mut)
    }

    pub(super) fn get_or_make(&mut self, at: At) -> &mut FarLevels {
        self.0.entry(at.key()).or_default()
    }

    pub(super) fn remove(&mut self, at: At) {
        self.0.remove(&at.key());
    }

    pub(super) fn state_bytes(&self) -> usize {
        let entry = size_of::<(u32, Box<FarLevels>)>() + size_of::<FarLevels>();
        // A map of the standard library keeps at least half of its places filled.
        let levels: usize = self.0.values().map(|far| far.levels.len() * 2 * size_of::<(i64, u64)>()).sum();
        self.0.capacity() * entry + levels
    }
}
