//! The sequence lock: one writer, any number of readers, and nobody ever waits for anybody.
//!
//! A cell is a row of 64-bit words of which the first is the version: odd while a write is under way, and twice the
//! number of writes when it is not. Every word is an atomic, so that a read that meets a write is defined (Boehm,
//! "Can seqlocks get along with programming language memory models?", MSPC 2012); what it took in is thrown away.
//!
//! It works over any memory that can play words, so that loom and Miri run the very code that runs on shared
//! memory. It never allocates, never blocks, and a reader never stores: loads are relaxed followed by a fence,
//! because only relaxed loads are promised to work on memory mapped read-only (`std::sync::atomic`, "Atomic accesses
//! to read-only memory").

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Memory of 64 bits that can be loaded, stored and fenced.
pub trait Word {
    /// A relaxed load.
    fn load(&self) -> u64;
    /// A relaxed store.
    fn store(&self, value: u64);
    /// A store with release ordering.
    fn store_release(&self, value: u64);
    /// A fence with acquire ordering.
    fn fence_acquire();
    /// A fence with release ordering.
    fn fence_release();
    /// Called between two tries.
    fn pause();
}

impl Word for AtomicU64 {
    #[inline]
    fn load(&self) -> u64 {
        AtomicU64::load(self, Ordering::Relaxed)
    }

    #[inline]
    fn store(&self, value: u64) {
        AtomicU64::store(self, value, Ordering::Relaxed);
    }

    #[inline]
    fn store_release(&self, value: u64) {
        AtomicU64::store(self, value, Ordering::Release);
    }

    #[inline]
    fn fence_acquire() {
        fence(Ordering::Acquire);
    }

    #[inline]
    fn fence_release() {
        fence(Ordering::Release);
    }

    #[inline]
    fn pause() {
        std::hint::spin_loop();
    }
}

/// Every try met a write: the writer is writing all the time, or it stopped in the middle of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Torn;

/// Writes `values` into the words behind the version. There must be one writer only. Words beyond `values` stay.
///
/// Wait-free: as many stores as there are values, and two.
#[inline]
pub fn write<W: Word>(cell: &[W], values: &[u64]) {
    write_with(cell, |words| words.iter().zip(values).for_each(|(word, value)| word.store(*value)));
}

/// The same, the words stored by `fill` from wherever the values are: nothing is copied twice.
#[inline]
pub fn write_with<W: Word>(cell: &[W], fill: impl FnOnce(&[W])) {
    let Some((version, words)) = cell.split_first() else { return };
    // Only this writer stores it, so its own last value is what is there.
    let before = version.load();
    version.store(before.wrapping_add(1));
    // Partner: the acquire fence after the words in `read_once`. A reader that took one of the words stored below
    // sees the odd version at its second look.
    W::fence_release();
    fill(words);
    // Partner: the acquire fence after the first look in `read_once`. A reader that sees this version sees the words.
    version.store_release(before.wrapping_add(2));
}

/// Reads as many words as `values` holds, and answers the version they had: even, 0 when nothing was ever written.
///
/// # Errors
/// [`Torn`] when `tries` tries all met a write; `values` then holds nothing that may be believed.
#[inline]
pub fn read<W: Word>(cell: &[W], values: &mut [u64], tries: u32) -> Result<u64, Torn> {
    let take = |words: &[W]| values.iter_mut().zip(words).for_each(|(value, word)| *value = word.load());
    read_with(cell, tries, take).map(|(version, ())| version)
}

/// The same, the words loaded by `take`, which may be called several times and answers what it makes of them. It may meet
/// a mixture of two writes; what it answers then goes nowhere.
///
/// # Errors
/// [`Torn`] when `tries` tries all met a write.
#[inline]
pub fn read_with<W: Word, T>(
    cell: &[W],
    tries: u32,
    mut take: impl FnMut(&[W]) -> T,
) -> Result<(u64, T), Torn> {
    if tries == 0 {
        return Err(Torn);
    }
    match read_once(cell, &mut take) {
        Some(read) => Ok(read),
        None => read_again(cell, tries - 1, &mut take),
    }
}

/// Out of the way of reads that meet no write, which are nearly all.
#[cold]
#[inline(never)]
fn read_again<W: Word, T>(
    cell: &[W],
    tries: u32,
    take: &mut impl FnMut(&[W]) -> T,
) -> Result<(u64, T), Torn> {
    for _ in 0..tries {
        W::pause();
        if let Some(read) = read_once(cell, take) {
            return Ok(read);
        }
    }
    Err(Torn)
}

#[inline]
fn read_once<W: Word, T>(cell: &[W], take: &mut impl FnMut(&[W]) -> T) -> Option<(u64, T)> {
    let (version, words) = cell.split_first()?;
    let before = version.load();
    // Partner: the release store that ends `write`.
    W::fence_acquire();
    if before & 1 == 1 {
        return None;
    }
    let taken = take(words);
    // Partner: the release fence that begins `write`.
    W::fence_acquire();
    (version.load() == before).then_some((before, taken))
}
