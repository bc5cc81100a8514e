//! Asking for a cache line before it is needed.
//!
//! The third and smallest room with `unsafe` in it, one block long: the instruction has no safe name in the standard
//! library. It reads and writes nothing, whatever the address; it is a hint that the machine may drop. What it is worth
//! is in `benches/runs`. Nothing here decides what is worth asking for.

/// Asks for the cache line in which `what` begins.
#[inline(always)]
#[allow(unsafe_code, reason = "a hint to the machine without a safe name")]
pub fn prefetch<T: ?Sized>(what: &T) {
    let at = std::ptr::from_ref(what).cast::<i8>();
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch changes no state but the caches' and never faults; SSE is part of the architecture.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
