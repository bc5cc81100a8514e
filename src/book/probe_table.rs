//! An open-addressing table whose buckets are cache lines of four cells: where orders lie that grew old.
//!
//! Nearly every question is answered from one line, and which line is known from the key alone, so that it can be asked
//! for ahead. A full bucket overflows into the next one; when a cell of a full bucket falls vacant, whoever overflowed
//! moves back, so nothing is ever left behind as a mark. No hashing can be forced to collide: the key is drawn.

use std::hash::{BuildHasher, RandomState};

use crate::cache;

/// What lies in a table.
pub(super) trait Cell: Copy {
    /// No entry.
    const VACANT: Self;

    /// Whether there is no entry.
    fn is_vacant(&self) -> bool;

    /// What the place is made of; equal entries have equal ones.
    fn key(&self) -> u64;
}

/// A cache line of cells.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Bucket<C>([C; WIDTH]);

const WIDTH: usize = 4;
/// Buckets that the smallest table has.
const BUCKETS_MIN: usize = 1 << 6;

/// Where an entry is, until the next one comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At(usize, usize);

/// The table. It takes memory with the first entry.
#[derive(Debug)]
pub(super) struct ProbeTable<C> {
    /// A power of two of them, or none; at most 5 of 8 cells are in use.
    buckets: Vec<Bucket<C>>,
    len: usize,
    /// Drawn for this table; what is found does not depend on it.
    secret: u64,
}

impl<C> Default for ProbeTable<C> {
    fn default() -> Self {
        ProbeTable { buckets: Vec::new(), len: 0, secret: RandomState::new().hash_one(0) }
    }
}

impl<C: Cell> ProbeTable<C> {
    #[inline(always)]
    fn mask(&self) -> usize {
        self.buckets.len().wrapping_sub(1)
    }

    /// Folded multiply: keys often differ in few bits only, and the bucket is taken from the low ones.
    #[inline(always)]
    fn home(&self, key: u64) -> usize {
        let wide = u128::from(key ^ self.secret) * 0xD6E8_FEB8_6659_FD93;
        (wide as u64 ^ (wide >> 64) as u64) as usize & self.mask()
    }

    /// The entry with that key which is `wanted`.
    #[inline(always)]
    pub(super) fn find(&self, key: u64, wanted: impl Fn(&C) -> bool) -> Option<At> {
        let mut at = self.home(key);
        loop {
            let Bucket(cells) = self.buckets.get(at)?;
            if let Some(cell) = cells.iter().position(&wanted) {
                return Some(At(at, cell));
            }
            if cells.iter().any(C::is_vacant) {
                return None;
            }
            at = (at + 1) & self.mask();
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, At(bucket, cell): At) -> &C {
        &self.buckets[bucket].0[cell % WIDTH]
    }

    #[inline(always)]
    pub(super) fn get_mut(&mut self, At(bucket, cell): At) -> &mut C {
        &mut self.buckets[bucket].0[cell % WIDTH]
    }

    /// Puts in an entry that is not there.
    #[inline(always)]
    pub(super) fn insert(&mut self, entry: C) {
        if self.len * 8 >= self.buckets.len() * WIDTH * 5 {
            self.grow();
        }
        let mut at = self.home(entry.key());
        loop {
            if let Some(cell) = self.buckets[at].0.iter_mut().find(|cell| cell.is_vacant()) {
                *cell = entry;
                break;
            }
            at = (at + 1) & self.mask();
        }
        self.len += 1;
    }

    /// Takes out the entry that is there.
    #[inline(always)]
    pub(super) fn remove(&mut self, at: At) {
        let full = !self.buckets[at.0].0.iter().any(C::is_vacant);
        *self.get_mut(at) = C::VACANT;
        self.len -= 1;
        if full {
            self.refill(at);
        }
    }

    /// The cell is the only vacant one of its bucket: whoever overflowed from here or before moves into it.
    fn refill(&mut self, mut hole: At) {
        let mask = self.mask();
        let mut at = (hole.0 + 1) & mask;
        loop {
            let bucket = self.buckets[at].0;
            let overflowed = |cell: &C| {
                let from_home = at.wrapping_sub(self.home(cell.key())) & mask;
                !cell.is_vacant() && from_home >= (at.wrapping_sub(hole.0) & mask)
            };
            if let Some(cell) = bucket.iter().position(overflowed) {
                *self.get_mut(hole) = bucket[cell];
                hole = At(at, cell);
                *self.get_mut(hole) = C::VACANT;
            }
            // Behind a bucket that was not full nobody overflowed.
            if bucket.iter().any(C::is_vacant) {
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// Asks for the line in which an entry of that key is or would be.
    #[inline(always)]
    pub(super) fn prefetch(&self, key: u64) {
        if let Some(bucket) = self.buckets.get(self.home(key)) {
            cache::prefetch(bucket);
        }
    }

    /// Keeps the entries for which `keep` is true, in no more memory than they ask for.
    pub(super) fn retain(&mut self, keep: impl Fn(&C) -> bool) {
        let old = std::mem::take(&mut self.buckets);
        let kept = || old.iter().flat_map(|b| b.0).filter(|cell| !cell.is_vacant() && keep(cell));
        let buckets = (kept().count() * 8 / (5 * WIDTH) + 1).next_power_of_two().max(BUCKETS_MIN);
        self.refurbish(buckets, kept());
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.buckets);
        let entries = old.iter().flat_map(|b| b.0).filter(|cell| !cell.is_vacant());
        self.refurbish((old.len() * 2).max(BUCKETS_MIN), entries);
    }

    fn refurbish(&mut self, buckets: usize, entries: impl Iterator<Item = C>) {
        self.buckets = vec![Bucket([C::VACANT; WIDTH]); buckets];
        self.len = 0;
        entries.for_each(|entry| self.insert(entry));
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket<C>>()
    }
}
