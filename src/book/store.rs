//! Large stores of the books: entries in a row, which only become more until all of them go.
//!
//! A store grows by a fifth of itself. Where nobody waits it may grow in large pages, in which the machine finds entries sooner: what
//! becomes large then moves once to where there is room for many times as much. There the system gives a page when an
//! entry of it is written for the first time, and may stop the thread to make one; a process that locks its memory would be
//! given all of the room at once. Nothing here knows what the entries are.

use std::ops::{Deref, DerefMut};

use crate::cache::{LARGE_PAGE, reserve_large};

/// Bytes up to which a store is small.
const SMALL: usize = 1 << 20;
/// Room that a large store begins with in large pages, and how many times as much as it holds it takes when that is used up.
const LARGE: usize = 16 * SMALL;
const TIMES: usize = 4;

/// See the module.
#[derive(Debug)]
pub(super) struct Store<T> {
    entries: Vec<T>,
    /// Entries that have been written, of this row and those before it in the same place.
    written: usize,
    /// It grows in large pages.
    large_pages: bool,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Store { entries: Vec::new(), written: 0, large_pages: false }
    }
}

impl<T> Deref for Store<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.entries
    }
}

impl<T> DerefMut for Store<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.entries
    }
}

impl<T: Copy> Store<T> {
    /// `more` entries come in behind the others, each of them as `make` makes it from its place.
    pub(super) fn extend(&mut self, more: usize, make: impl Fn(usize) -> T) {
        let wanted = self.entries.len() + more;
        if wanted > self.entries.capacity() {
            self.make_room(wanted);
        }
        self.entries.extend((self.entries.len()..wanted).map(make));
        self.written = self.written.max(wanted);
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, wanted: usize) {
        let held = self.entries.len();
        if !self.large_pages || wanted * size_of::<T>() <= SMALL {
            return self.entries.reserve_exact((wanted - held).max(held / 5));
        }
        let mut larger = Vec::new();
        reserve_large(&mut larger, (wanted * TIMES).max(LARGE / size_of::<T>()));
        larger.extend_from_slice(&self.entries);
        (self.entries, self.written) = (larger, held);
    }

    /// It grows in large pages from now on.
    pub(super) const fn grow_in_large_pages(&mut self) {
        self.large_pages = true;
    }

    /// Takes the memory for so many entries now, in large pages where the system gives any: all of it is written once.
    pub(super) fn reserve(&mut self, room: usize, value: T) {
        let held = self.entries.len();
        reserve_large(&mut self.entries, room.saturating_sub(held));
        self.entries.resize(self.entries.capacity(), value);
        self.entries.truncate(held);
        self.written = self.entries.capacity();
    }

    /// All go; what was reserved stays.
    pub(super) fn clear(&mut self, reserved: bool) {
        self.entries.clear();
        if !reserved {
            (self.entries, self.written) = (Vec::new(), 0);
        }
    }

    /// Bytes of memory that it holds; in large pages, those that were written to.
    pub(super) fn bytes(&self) -> usize {
        let room = self.entries.capacity() * size_of::<T>();
        let written = (self.written * size_of::<T>()).next_multiple_of(LARGE_PAGE);
        if self.large_pages { written.min(room) } else { room }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_is_found_by_its_place_and_little_more_is_held() {
        for large_pages in [false, true] {
            let mut store = Store::<u64>::default();
            if large_pages {
                store.grow_in_large_pages();
            }
            comes_in(store);
        }
    }

    fn comes_in(mut store: Store<u64>) {
        assert_eq!((store.len(), store.bytes()), (0, 0));
        let (mut before, mut moved) = (0, 0);
        for n in 1..=100_000 {
            store.extend(64, |at| at as u64 * 3);
            moved += usize::from(
                std::mem::replace(&mut before, store.as_ptr() as usize) != store.as_ptr() as usize,
            );
            assert_eq!((store.len(), store[n * 64 - 1]), (n * 64, (n as u64 * 64 - 1) * 3));
            let written = n * 64 * size_of::<u64>();
            assert!(store.bytes() >= written, "{} bytes of {written}", store.bytes());
            assert!(store.bytes() <= written * 6 / 5 + LARGE_PAGE, "{} bytes of {written}", store.bytes());
        }
        assert!(store.iter().enumerate().all(|(at, entry)| *entry == at as u64 * 3));
        // In large pages twice from a megabyte on; else at most with every fifth.
        assert!((1..100).contains(&moved), "moved {moved} times");
    }

    #[test]
    fn what_was_reserved_is_held_whatever_comes_and_goes() {
        let mut store = Store::default();
        store.reserve(300_000, 7u32);
        let bytes = store.bytes();
        assert!(store.is_empty() && bytes >= 300_000 * 4);
        for _ in 0..2 {
            store.extend(300_000, |_| 8);
            assert_eq!((store.len(), store.bytes()), (300_000, bytes));
            store.clear(true);
        }
        assert_eq!((store.len(), store.bytes()), (0, bytes));
        store.clear(false);
        assert_eq!((store.len(), store.bytes()), (0, 0));
    }
}
