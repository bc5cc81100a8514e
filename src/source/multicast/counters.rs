//! Counts that a receiver and its keeper write and anyone may read.
//!
//! Each number has one writer, so it is stored and never added to in place; readers see each number whole, but not all
//! of them as of one moment. What the receiver writes lies apart from what the keeper writes: neither slows the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// A number with one writer. All orderings are relaxed: a number means nothing but itself.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Only for its writer.
    pub(super) fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Only for its writer.
    pub(super) fn add(&self, more: u64) {
        self.set(self.get().wrapping_add(more));
    }
}

/// A line, by its receiver.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct LineCounts {
    pub(super) datagrams: Count,
    pub(super) bytes: Count,
    pub(super) truncated: Count,
    pub(super) unstamped: Count,
    pub(super) failures: Count,
    pub(super) last_ns: Count,
    /// Drops that have been told with a datagram.
    pub(super) drops_told: Count,
}

/// A line, by its keeper.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct LineCare {
    /// Drops as the kernel tells them.
    pub(super) drops_read: Count,
    pub(super) rejoins: Count,
    pub(super) buffer: Count,
    pub(super) joined: AtomicBool,
    pub(super) link_up: AtomicBool,
}

/// A receiver, by itself.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct ReceiverCounts {
    pub(super) datagrams: Count,
    pub(super) polls: Count,
    pub(super) polls_empty: Count,
    pub(super) watermark_ns: Count,
    pub(super) late: Count,
    pub(super) late_max_ns: Count,
    pub(super) held: Count,
    pub(super) ahead_ns: Count,
    pub(super) host_told: Count,
}

/// A receiver, by its keeper.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct ReceiverCare {
    /// Drops of the machine before any socket, since the receiver was opened.
    pub(super) host_drops: Count,
}

/// Everything that is shared.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) lines: Vec<(LineCounts, LineCare)>,
    pub(super) receiver: ReceiverCounts,
    pub(super) care: ReceiverCare,
}

/// A line's health. Counts are since the receiver was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineHealth {
    /// Datagrams handed on.
    pub datagrams: u64,
    /// Bytes of payload handed on.
    pub bytes: u64,
    /// Time of the last datagram, nanoseconds since 1970 UTC; 0 before the first.
    pub last_ns: u64,
    /// Datagrams that the kernel dropped for this socket, for want of room in its buffer (or a wrong checksum).
    pub kernel_drops: u64,
    /// Of these, those that have been told with a datagram, see [`Received::lost`](super::Received::lost).
    pub kernel_drops_told: u64,
    /// Datagrams longer than our buffer, handed on cut.
    pub truncated: u64,
    /// Datagrams without a kernel timestamp: they got the clock's time.
    pub unstamped: u64,
    /// Calls to receive that failed.
    pub failures: u64,
    /// How often the group was joined again.
    pub rejoins: u64,
    /// The group is joined.
    pub joined: bool,
    /// The interface is up and has a carrier.
    pub link_up: bool,
    /// Receive buffer granted, bytes, counted as it was asked for.
    pub receive_buffer: u64,
}

/// A receiver's health. Counts are since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverHealth {
    /// Datagrams handed on.
    pub datagrams: u64,
    /// Polls.
    pub polls: u64,
    /// Polls that found nothing.
    pub polls_empty: u64,
    /// Time before which nothing will come any more, nanoseconds since 1970 UTC. It is written after the datagrams
    /// before it have been handed on, but says nothing about what their taker has done with them.
    pub watermark_ns: u64,
    /// Stamps that were earlier than what had been handed on or promised, and were moved forward.
    pub late_stamps: u64,
    /// The furthest such move, nanoseconds.
    pub late_stamp_max_ns: u64,
    /// Datagrams whose time was held because the clock had been set back by 100 ms or more.
    pub held_stamps: u64,
    /// By how much times run ahead of the wall's clock because that was set back by a second or more, nanoseconds.
    pub ahead_ns: u64,
    /// Datagrams that this machine dropped before any socket, of whatever line.
    pub host_drops: u64,
    /// Of these, those that have been told with a datagram of some line.
    pub host_drops_told: u64,
}

/// Shows a receiver's health to other threads.
#[derive(Clone, Debug)]
pub struct Health(pub(super) Arc<Counters>);

impl Health {
    /// Every line, in the order in which they were planned.
    pub fn lines(&self) -> Vec<LineHealth> {
        self.0.lines.iter().map(|(counts, care)| line(counts, care)).collect()
    }

    /// One line; all zero if there is none of that number.
    pub fn line(&self, at: usize) -> LineHealth {
        self.0.lines.get(at).map(|(counts, care)| line(counts, care)).unwrap_or_default()
    }

    /// The receiver.
    pub fn receiver(&self) -> ReceiverHealth {
        let (counts, care) = (&self.0.receiver, &self.0.care);
        ReceiverHealth {
            datagrams: counts.datagrams.get(),
            polls: counts.polls.get(),
            polls_empty: counts.polls_empty.get(),
            watermark_ns: counts.watermark_ns.get(),
            late_stamps: counts.late.get(),
            late_stamp_max_ns: counts.late_max_ns.get(),
            held_stamps: counts.held.get(),
            ahead_ns: counts.ahead_ns.get(),
            host_drops: care.host_drops.get(),
            host_drops_told: counts.host_told.get(),
        }
    }
}

fn line(counts: &LineCounts, care: &LineCare) -> LineHealth {
    let told = counts.drops_told.get();
    LineHealth {
        datagrams: counts.datagrams.get(),
        bytes: counts.bytes.get(),
        last_ns: counts.last_ns.get(),
        // Both are the kernel's one count, seen at different moments.
        kernel_drops: care.drops_read.get().max(told),
        kernel_drops_told: told,
        truncated: counts.truncated.get(),
        unstamped: counts.unstamped.get(),
        failures: counts.failures.get(),
        rejoins: care.rejoins.get(),
        joined: care.joined.load(Relaxed),
        link_up: care.link_up.load(Relaxed),
        receive_buffer: care.buffer.get(),
    }
}
