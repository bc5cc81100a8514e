//! A copy of what the recorder takes, for whoever makes something else of it: stretches of datagrams, each with its place.
//!
//! The recorder never waits for them. What waits is bounded by its bytes; what finds no room is counted, and so is what
//! nobody uses, because whoever wanted it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::keeper::{Arrival, Place};
use super::lane::Pair;
use super::note::{HEADER_LEN, Note};

/// Bytes that wait at most.
const WAITING_MAX: usize = 64 << 20;
/// What a stretch costs beside its bytes.
const OVERHEAD: usize = 128;

/// What both sides count.
#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    lost: AtomicU64,
}

/// The recorder's end.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    sender: Sender<Stretch>,
    counts: Arc<Counts>,
}

/// The other end.
#[derive(Debug)]
pub struct Outflow {
    receiver: Receiver<Stretch>,
    counts: Arc<Counts>,
}

/// Says how many datagrams are lost, whatever became of the other end; cheap to clone.
#[derive(Clone, Debug)]
pub struct OutflowMonitor(Arc<Counts>);

/// What a receiver kept, in order.
#[derive(Debug)]
pub struct Stretch {
    /// Which receiver.
    pub receiver: u16,
    /// As it lay in the ring: whole datagrams.
    bytes: Vec<u8>,
    /// Of the datagram before the first.
    place: Place,
    /// The receiver has ended, and watched its lines until then.
    pub end_ns: Option<u64>,
    /// Its datagrams, as long as they have not been used.
    unused: u64,
    counts: Arc<Counts>,
}

/// Both ends, with nothing between them.
pub(super) fn tap() -> (Tap, Outflow) {
    let (sender, receiver) = unbounded();
    let counts = Arc::new(Counts::default());
    (Tap { sender, counts: Arc::clone(&counts) }, Outflow { receiver, counts })
}

/// The place of a datagram, given the place of the one before it.
pub(super) fn after(place: Place, file: u32) -> Place {
    let frame = if place.file == file { place.frame + 1 } else { 1 };
    Place { file, frame }
}

impl Tap {
    /// Copies a stretch of so many datagrams, if there is room.
    pub fn copy(&self, receiver: u16, place: Place, parts: [&[u8]; 2], datagrams: u64) {
        let cost = parts[0].len() + parts[1].len() + OVERHEAD;
        // Relaxed: one thread adds, others only take away; the bound is none to the byte.
        if self.counts.waiting.load(Ordering::Relaxed) + cost > WAITING_MAX {
            self.counts.lost.fetch_add(datagrams, Ordering::Relaxed);
            return;
        }
        self.send(receiver, place, parts.concat(), None, datagrams);
    }

    /// A receiver has ended.
    pub fn end(&self, receiver: u16, place: Place, now_ns: u64) {
        self.send(receiver, place, Vec::new(), Some(now_ns), 0);
    }

    fn send(&self, receiver: u16, place: Place, bytes: Vec<u8>, end_ns: Option<u64>, datagrams: u64) {
        self.counts.waiting.fetch_add(bytes.len() + OVERHEAD, Ordering::Relaxed);
        let counts = Arc::clone(&self.counts);
        // What nobody will ever take comes back, and is counted as it is dropped.
        let _ = self.sender.send(Stretch { receiver, bytes, place, end_ns, unused: datagrams, counts });
    }
}

impl Outflow {
    /// Where stretches come out.
    pub fn receiver(&self) -> &Receiver<Stretch> {
        &self.receiver
    }

    /// Shows what is lost to other threads.
    pub fn monitor(&self) -> OutflowMonitor {
        OutflowMonitor(Arc::clone(&self.counts))
    }
}

impl OutflowMonitor {
    /// Datagrams that found no room, or that nobody used.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        self.counts.waiting.fetch_sub(self.bytes.len() + OVERHEAD, Ordering::Relaxed);
        self.counts.lost.fetch_add(self.unused, Ordering::Relaxed);
    }
}

impl Stretch {
    /// Its datagrams have been used. One that is dropped without it is lost, and counted.
    pub fn used(mut self) {
        self.unused = 0;
    }

    /// Its datagrams and their places.
    pub fn datagrams(&self) -> impl Iterator<Item = (Place, Arrival<'_>)> {
        let pair = Pair::of((&self.bytes, &[]));
        let (mut at, mut place) = (0, self.place);
        std::iter::from_fn(move || {
            let note = Note::decode(&pair.header(at)?);
            let begin = at + HEADER_LEN;
            let payload = self.bytes.get(begin..begin + note.payload_len as usize)?;
            at = begin + payload.len();
            place = after(place, note.file);
            let Note { ts_ns, line, source, destination, wire_len, lost, .. } = note;
            Some((place, Arrival { line, ts_recv_ns: ts_ns, source, destination, payload, wire_len, lost }))
        })
    }
}
