//! Puts one capture's datagrams into time order, looking ahead a bounded stretch.
//!
//! Capturing hardware with several ports writes records slightly out of order. The
//! look-ahead is bounded in records, bytes and capture time; equal times keep file
//! order; what lies back further is delivered at once, where it stands. What is kept
//! of a datagram is the business of whoever keeps it.

use std::collections::VecDeque;

/// Datagrams looked at ahead.
const RECORDS_MAX: usize = 4096;
/// Capture time looked at ahead.
const SPAN_MAX_NS: u64 = 100_000_000;
/// Payload bytes looked at ahead.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The look-ahead of one capture; a `T` is what is kept of a datagram, and is used again for others.
#[derive(Debug, Default)]
pub(super) struct Sorter<T> {
    /// Times and slots, ascending in time, in file order where times are equal. Captures are
    /// nearly sorted, so almost every entry is appended; a heap would cost more.
    order: VecDeque<(u64, u32)>,
    /// What is kept, with the length of its payload.
    slots: Vec<(T, usize)>,
    free: Vec<u32>,
    bytes: usize,
    lent: Option<u32>,
}

impl<T: Default> Sorter<T> {
    /// Whether the earliest datagram can be delivered without looking further.
    pub fn is_full(&self) -> bool {
        let span = match (self.order.front(), self.order.back()) {
            (Some(first), Some(last)) => last.0 - first.0,
            _ => 0,
        };
        self.order.len() >= RECORDS_MAX || span >= SPAN_MAX_NS || self.bytes >= BYTES_MAX
    }

    /// Keeps a datagram of that time and length of payload.
    pub fn push(&mut self, ts_ns: u64, len: usize, keep: impl FnOnce(&mut T)) {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push((T::default(), 0));
            (self.slots.len() - 1) as u32
        });
        let (kept, kept_len) = &mut self.slots[at as usize];
        keep(kept);
        *kept_len = len;
        self.bytes += len;
        if self.order.back().is_none_or(|last| last.0 <= ts_ns) {
            self.order.push_back((ts_ns, at));
        } else {
            let place = self.order.partition_point(|entry| entry.0 <= ts_ns);
            self.order.insert(place, (ts_ns, at));
        }
    }

    /// Takes the earliest datagram, which stays in [`Sorter::lent`] until the next call; the one before is let go.
    pub fn pop(&mut self, let_go: impl FnOnce(&mut T)) -> Option<&mut T> {
        if let Some(at) = self.lent.take() {
            let_go(&mut self.slots[at as usize].0);
            self.free.push(at);
        }
        let (_, at) = self.order.pop_front()?;
        self.lent = Some(at);
        let (kept, len) = &mut self.slots[at as usize];
        self.bytes -= *len;
        Some(kept)
    }

    /// The datagram taken last.
    #[inline]
    pub fn lent(&self) -> Option<&T> {
        self.lent.map(|at| &self.slots[at as usize].0)
    }
}
