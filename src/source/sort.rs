//! Puts one capture's datagrams into time order, looking ahead a bounded stretch.
//!
//! Capturing hardware with several ports writes records slightly out of order. The
//! look-ahead is bounded in records, bytes and capture time; equal times keep file
//! order; what lies back further is delivered at once, where it stands.

use std::collections::VecDeque;

use super::capture::Head;

/// Datagrams looked at ahead.
const RECORDS_MAX: usize = 4096;
/// Capture time looked at ahead.
const SPAN_MAX_NS: u64 = 100_000_000;
/// Payload bytes kept.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A kept datagram.
#[derive(Debug, Default)]
struct Slot {
    head: Option<Head>,
    payload: Vec<u8>,
}

/// The look-ahead of one capture.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    /// Times and slots, ascending in time, in file order where times are equal. Captures are
    /// nearly sorted, so almost every entry is appended; a heap would cost more.
    order: VecDeque<(u64, u32)>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    bytes: usize,
    lent: Option<u32>,
}

impl Sorter {
    /// Whether the earliest datagram can be delivered without looking further.
    pub fn is_full(&self) -> bool {
        let span = match (self.order.front(), self.order.back()) {
            (Some(first), Some(last)) => last.0 - first.0,
            _ => 0,
        };
        self.order.len() >= RECORDS_MAX || span >= SPAN_MAX_NS || self.bytes >= BYTES_MAX
    }

    /// Keeps a copy of a datagram.
    pub fn push(&mut self, head: Head, payload: &[u8]) {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[at as usize];
        slot.payload.clear();
        slot.payload.extend_from_slice(payload);
        let ts_ns = head.ts_ns;
        slot.head = Some(head);
        self.bytes += payload.len();
        if self.order.back().is_none_or(|last| last.0 <= ts_ns) {
            self.order.push_back((ts_ns, at));
        } else {
            let place = self.order.partition_point(|entry| entry.0 <= ts_ns);
            self.order.insert(place, (ts_ns, at));
        }
    }

    /// Takes the earliest datagram; its payload stays in [`Sorter::payload`] until the next call.
    pub fn pop(&mut self) -> Option<Head> {
        self.free.extend(self.lent.take());
        let (_, at) = self.order.pop_front()?;
        self.lent = Some(at);
        let slot = &mut self.slots[at as usize];
        self.bytes -= slot.payload.len();
        slot.head.take()
    }

    /// Payload of the datagram taken last.
    pub fn payload(&self) -> &[u8] {
        self.lent.map_or(&[], |at| &self.slots[at as usize].payload)
    }
}
