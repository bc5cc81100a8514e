//! Wire formats of market-data feeds: bytes in, events out.
//!
//! This crate never opens a socket or a file, never starts a thread, never reads
//! a clock and never allocates: it cannot, being `no_std` without `alloc`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;
