//! The real binary on real multicast, over loopback: simulator to daemon to alerts, and the recording of it replayed.
//!
//! Every test has ports, a directory and a name of its own. Nothing is asserted about how long things take: what is
//! waited for is waited for until it is there, within a bound that only a hang reaches.

mod clock;
mod explain;
mod kit;
mod messages;
mod operators;
mod quotes;
mod recording;
mod store;
mod upset;
