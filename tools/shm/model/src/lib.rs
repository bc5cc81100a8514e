//! The sequence lock that the shared-memory books are made of, as it stands in `src/shm/seqlock.rs`, under loom
//! (every order of loads and stores that the memory model allows) and under Miri (undefined behaviour, data races).

#[path = "../../../../src/shm/seqlock.rs"]
pub mod seqlock;

#[cfg(all(test, loom))]
mod orders;

#[cfg(all(test, not(loom)))]
mod threads;
