//! Real multicast, each test in a network namespace of its own: groups and ports of one cannot meet another's.
//!
//! Multicast on `lo` and over a veth pair is delivered before `send` returns or very soon after, and lost only where
//! a test makes it so. No test sleeps: each polls until what must come has come, or a generous deadline is over.

mod bells;
mod cables;
mod kit;
mod loopback;
