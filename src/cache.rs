//! Asking for a cache line before it is needed, and for large pages under a store.
//!
//! The third and smallest room with `unsafe` in it, two blocks long: neither has a safe name in the standard library. Both
//! are hints that the machine may drop; they read and write nothing, whatever the address. What they are worth is in
//! `benches/runs`. Nothing here decides what is worth asking for.

/// Asks for the cache line in which `what` begins.
#[inline(always)]
pub fn prefetch<T: ?Sized>(what: &T) {
    ask(std::ptr::from_ref(what).cast());
}

/// Asks for the cache line in which the one at `at` begins, or would.
#[inline(always)]
pub fn prefetch_at<T>(all: &[T], at: usize) {
    ask(all.as_ptr().wrapping_add(at).cast());
}

/// Gives the store room for that many more at least, in large pages, where the system has any: it lays them under what is as
/// large as some of them, and gives each when it is touched for the first time.
pub fn reserve_large<T>(store: &mut Vec<T>, more: usize) {
    let bytes = (more * size_of::<T>() + PAGE).next_multiple_of(LARGE_PAGE) - PAGE;
    store.reserve_exact(bytes / size_of::<T>().max(1));
    // What an allocator keeps in front of it shares its first page.
    let first = store.as_ptr() as usize / PAGE * PAGE;
    let end = first + (store.capacity() * size_of::<T>()).next_multiple_of(PAGE);
    advise_large(first, end - first);
}

/// Bytes of a page.
const PAGE: usize = 4096;
/// Bytes of a large one.
pub const LARGE_PAGE: usize = 1 << 21;

#[allow(unsafe_code, reason = "advice to the system without a safe name")]
fn advise_large(first: usize, bytes: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the advice changes neither what the pages hold nor who may read and write them, whosever they are; the system may
    // refuse it, and nothing happens then.
    unsafe {
        libc::madvise(first as *mut libc::c_void, bytes, libc::MADV_HUGEPAGE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (first, bytes);
}

/// Asks for every cache line that `what` reaches into: for records of a few lines.
#[inline(always)]
pub fn prefetch_whole<T>(what: &T) {
    let (at, size) = (std::ptr::from_ref(what).cast::<i8>(), size_of::<T>());
    (0..size).step_by(LINE).for_each(|from| ask(at.wrapping_add(from)));
    // It need not begin where a line does.
    ask(at.wrapping_add(size.saturating_sub(1)));
}

/// Bytes of a line.
const LINE: usize = 64;

#[inline(always)]
#[allow(unsafe_code, reason = "a hint to the machine without a safe name")]
fn ask(at: *const i8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch changes no state but the caches' and never faults; SSE is part of the architecture.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
