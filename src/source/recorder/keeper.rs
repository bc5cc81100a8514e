//! The hot side: copies a datagram into the ring and says where it will lie.
//!
//! Wait-free, no allocation, no system call. It alone decides when a file ends, by the datagrams' own times and
//! lengths, so that the place it names is the place a replay of the file finds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rtrb::Producer;

use super::super::merge::Lost;
use super::blocks::{OVERHEAD_LEN, PAYLOAD_LEN_MAX};
use super::note::{HEADER_LEN, Note};
use super::state::{End, Shared, lock};

/// A datagram as a receiver has it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The line, by its place in the names the recorder was given for this receiver.
    pub line: u16,
    /// Receive time, nanoseconds since 1970; never before the one kept last.
    pub ts_recv_ns: u64,
    /// Sender.
    pub source: SocketAddr,
    /// Group and port.
    pub destination: SocketAddr,
    /// The received bytes.
    pub payload: &'a [u8],
    /// Length of the datagram; more than `payload.len()` when it was cut.
    pub wire_len: u32,
    /// What this machine lost before it.
    pub lost: Lost,
}

/// Where a kept datagram lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Number of the file; its name is [`Keeper::capture_name`].
    pub file: u32,
    /// Packet of the file, from 1, as a replay counts.
    pub frame: u64,
}

/// What is still to be told with the next datagram of a line.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    missing: u32,
    socket: u32,
    host: u32,
}

/// One receiver's way into the recorder.
#[derive(Debug)]
pub struct Keeper {
    ring: Producer<u8>,
    shared: Arc<Shared>,
    receiver: u16,
    file_size: u64,
    file_time_ns: u64,
    /// The latest file that a datagram was kept in; before the first datagram one less than the first.
    file: u32,
    /// Datagrams in it; 0 before the first.
    frame: u64,
    first_ns: u64,
    bytes: u64,
    pending: Box<[Pending]>,
}

impl Keeper {
    pub(super) fn new(
        ring: Producer<u8>,
        shared: Arc<Shared>,
        receiver: u16,
        lines: usize,
        (file_size, file_time_ns): (u64, u64),
        first_file: u32,
    ) -> Self {
        let pending = vec![Pending::default(); lines].into_boxed_slice();
        let (file, frame) = (first_file.saturating_sub(1), 0);
        Self { ring, shared, receiver, file_size, file_time_ns, file, frame, first_ns: 0, bytes: 0, pending }
    }

    /// Copies the datagram for the recorder. `None` when it is not kept: the ring is full, or the line is none of
    /// this receiver's. That is counted, and told in the file with the next datagram of the line.
    #[inline]
    pub fn keep(&mut self, arrival: &Arrival<'_>) -> Option<Place> {
        let len = HEADER_LEN + arrival.payload.len();
        // The exact count costs a cache line of the other core; the one seen last mostly is enough.
        let fits = self.ring.cached_slots() >= len || self.ring.slots() >= len;
        if !fits || arrival.payload.len() > PAYLOAD_LEN_MAX || usize::from(arrival.line) >= self.pending.len()
        {
            self.leave(arrival);
            return None;
        }
        let cost = OVERHEAD_LEN + arrival.payload.len() as u64;
        // Relaxed: the number is all that is told.
        let restart_at = self.shared.restart_at.load(Ordering::Relaxed);
        if self.frame == 0
            || self.bytes + cost > self.file_size
            || arrival.ts_recv_ns.saturating_sub(self.first_ns) > self.file_time_ns
            || self.file < restart_at
        {
            self.file = (self.file + 1).max(restart_at);
            (self.frame, self.first_ns, self.bytes) = (0, arrival.ts_recv_ns, 0);
        }
        self.frame += 1;
        self.bytes += cost;
        let pending = std::mem::take(&mut self.pending[usize::from(arrival.line)]);
        let note = Note {
            ts_ns: arrival.ts_recv_ns,
            file: self.file,
            payload_len: arrival.payload.len() as u32,
            wire_len: arrival.wire_len,
            lost: Lost {
                socket: arrival.lost.socket.saturating_add(pending.socket),
                host: arrival.lost.host.saturating_add(pending.host),
            },
            missing: pending.missing,
            line: arrival.line,
            source: arrival.source,
            destination: arrival.destination,
        };
        // Room for both was seen above, and only this side takes room away.
        let header = self.ring.push_entire_slice(&note.encode());
        let payload = self.ring.push_entire_slice(arrival.payload);
        debug_assert!(header.is_ok() && payload.is_ok(), "the ring lost room that it had");
        Some(Place { file: self.file, frame: self.frame })
    }

    #[cold]
    fn leave(&mut self, arrival: &Arrival<'_>) {
        // One writer: no need for an atomic addition.
        let not_kept = &self.shared.not_kept;
        not_kept.store(not_kept.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if let Some(pending) = self.pending.get_mut(usize::from(arrival.line)) {
            pending.missing = pending.missing.saturating_add(1);
            pending.socket = pending.socket.saturating_add(arrival.lost.socket);
            pending.host = pending.host.saturating_add(arrival.lost.host);
        }
    }

    /// Name of a file of this receiver, `r0-000001.pcapng.zst`.
    pub fn capture_name(&self, file: u32) -> String {
        super::folder::file_name(self.receiver, file)
    }

    /// Datagrams that could not be kept so far.
    pub fn not_kept(&self) -> u64 {
        self.shared.not_kept.load(Ordering::Relaxed)
    }

    /// Ends the recording of this receiver: nothing came until `now_ns` but what was kept. The recorder writes what
    /// is left and closes the file. A keeper dropped without this leaves a file that does not say how long its lines
    /// were watched.
    pub fn finish(self, now_ns: u64) {
        let missing = self.pending.iter().map(|pending| pending.missing).collect();
        *lock(&self.shared.end) = Some(End { now_ns, missing });
        // The ring goes with `self`, after the end was left: the recorder looks in that order.
    }
}
