//! `parallax replay` from end to end: the real binary on real captures, on damaged ones and on simulated ones.
//!
//! Real captures are not part of the repository; without them their tests say so loudly and pass.

mod cme;
mod copies;
mod damaged_lines;
mod damaged_sources;
mod exit_codes;
mod kit;
mod ladders;
mod memory;
mod outlets;
mod same_bytes;
mod sessions;
mod words;
