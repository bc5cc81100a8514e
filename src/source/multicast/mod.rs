//! Live lines: datagrams of multicast groups, with the time at which the kernel saw them, in order of that time.
//!
//! One socket per line, bound to its group, joined on its interface. A [`Receiver`] belongs to one thread: it drains
//! its sockets without waiting, merges what they held by the kernel's stamps and hands it on; its [`Watermark`
//! promise](Receiver::watermark) is what timers may go by. A [`Keeper`] does what must not delay a receiver and may
//! run on another thread: it joins again, looks after interfaces and reads the kernel's own counts of what it lost.
//! [`Health`] shows both of them to a third.
//!
//! Nothing here looks into a payload, and nothing is lost without a count: what the kernel dropped for a socket, what
//! it dropped before any socket, what was cut for want of room. Here is the only code that talks to sockets, and with
//! it the `unsafe` that the standard library and `socket2` leave to do: see `system`, `batch` and `bell`.

mod batch;
mod bell;
mod counters;
mod event;
mod keeper;
mod plan;
mod receiver;
mod socket;
mod softnet;
mod stamps;
mod system;
mod timeline;

pub use counters::{Health, LineHealth, ReceiverHealth};
pub use event::{NetEvent, What};
pub use keeper::Keeper;
pub use plan::{Interface, LinePlan, Mode, OpenError, Options};
pub use receiver::{Received, Receiver, try_a_bell, wants_bells};

#[cfg(test)]
mod tests;
