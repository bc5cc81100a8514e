//! A/B arbitration, sequence and gap state of one channel.
//!
//! Packets and time go in, deliveries and events come out ([`LineSink`]): every message once, in the order of
//! its sequence number, from whichever line brought it first. A hole waits for the other copy or for order to
//! return, at most `reorder_wait` and `reorder_packets`; then it is a gap, said before anything behind it is
//! delivered. Numbers that cannot be believed are reported and held until more packets bear them out.
//!
//! It reads no clock, opens no socket, looks into no message and makes no judgement about books.

mod belief;
mod channel;
mod doubt;
mod event;
mod held;
mod one_line;
mod ranges;
mod recent;
mod statistics;
#[cfg(test)]
mod tests;

pub use channel::Channel;
pub use event::{GapReason, LineEvent, Refusal};
use feeds::feed::PacketHeader;
pub use statistics::{ChannelStatistics, OneLineStatistics};

/// How long a hole waits where nothing else is said.
pub const REORDER_WAIT_DEFAULT_NS: u64 = 5_000_000;
/// How many packets a hole waits at most where nothing else is said.
pub const REORDER_PACKETS_DEFAULT: usize = 1024;
/// A packet further ahead than this is not believed until more packets bear it out. A real loss of that size
/// is borne out by the next packets, so the bound costs a true jump two packets of waiting and nothing else.
pub const ABSURD_JUMP: u64 = 100_000;
/// Packets in a row on one line that make a doubtful position believed.
pub const BELIEF_RUN: usize = 3;
/// The same for a fall to a number that is not near the beginning and whose content cannot be compared.
pub const BELIEF_RUN_WEAK: usize = 16;
/// For so long after a change of session (or a reset) the old one's stragglers are expected on other lines.
pub const STRAGGLER_NS: u64 = 1_000_000_000;

/// A channel's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Lines that carry the channel, at least 1.
    pub lines: usize,
    /// How long a hole waits for the other copy or for order to return, nanoseconds.
    pub reorder_wait_ns: u64,
    /// How many packets behind a hole wait with it at most; 0 declares every hole at once.
    pub reorder_packets: usize,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        let (reorder_wait_ns, reorder_packets) = (REORDER_WAIT_DEFAULT_NS, REORDER_PACKETS_DEFAULT);
        ChannelConfig { lines: 2, reorder_wait_ns, reorder_packets }
    }
}

/// When and where a packet arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// Time of the event, never less than before (a smaller one counts as the latest seen).
    pub now_ns: u64,
    /// Receive time as captured.
    pub ts_recv_ns: u64,
    /// Line, from 0.
    pub line: usize,
    /// Capture it comes from.
    pub capture: u32,
    /// Frame in the capture, from 1.
    pub frame: u64,
}

/// Takes what a channel answers, in order.
pub trait LineSink {
    /// Messages `skip..skip + take` of the packet (numbers `header.sequence + skip` and on), in sequence order,
    /// each exactly once. `payload` is the whole packet, `arrival` that of the copy that is delivered. A packet may
    /// be delivered in several pieces.
    fn deliver(&mut self, arrival: &Arrival, header: &PacketHeader, payload: &[u8], skip: u32, take: u32);

    /// Something about the channel or a line. `now_ns` is the packet's arrival, or for what a timer decides, the
    /// time at which it was due.
    fn line_event(&mut self, now_ns: u64, event: LineEvent);
}
