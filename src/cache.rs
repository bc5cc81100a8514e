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

/// Asks the system for large pages under what the store has room for; it gives them as they are touched for the first time.
pub fn in_large_pages<T>(store: &mut Vec<T>) {
    let (from, size) = (store.as_mut_ptr() as usize, store.capacity() * size_of::<T>());
    let (first, end) = (from.next_multiple_of(PAGE), (from + size) / PAGE * PAGE);
    if first >= end {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the pages lie within memory that the store owns, and the advice changes neither what they hold nor who may
        // read it; where the system does not follow it, nothing happens.
        #[allow(unsafe_code, reason = "advice to the system, which has no safe name")]
        unsafe {
            libc::madvise(first as *mut libc::c_void, end - first, libc::MADV_HUGEPAGE)
        };
    }
}

/// Bytes of a page.
const PAGE: usize = 4096;

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
