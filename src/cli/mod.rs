//! Placeholder; the room is being furnished.
pub mod latency;
