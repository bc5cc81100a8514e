//! Asking for a cache line before it is needed.
//!
//! The third and smallest room with `unsafe` in it, one block long: the instruction has no safe name in the standard
//! library. It reads and writes nothing, whatever the address; it is a hint that the machine may drop. What it is worth
//! is in `benches/runs`. Nothing here decides what is worth asking for.

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
