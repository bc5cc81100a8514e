//! One capture as a stream whose next datagram waits, taken apart here or on a thread of its own.

use std::sync::Arc;

use super::apart::Apart;
use super::capture::{Capture, Delivered, Head, Reading};
use super::counts::CaptureCounts;
use super::error::CaptureError;
use super::input::{Input, Meter};
use super::merge::{Datagram, Options};
use super::pcapng;
use super::sort::Sorter;

/// The largest buffer kept for reuse; market data comes in packets far below.
const SPARE_LEN_MAX: usize = 16 * 1024;

/// One opened capture.
pub(super) struct Stream {
    /// What has been read of it.
    pub meter: Arc<Meter>,
    /// Size of its file before decompression, when it has one.
    pub total: Option<u64>,
    side: Side,
}

/// Where it is taken apart.
enum Side {
    Here(Box<Here>),
    Apart(Box<Apart>),
}

/// A datagram kept for the sorter.
#[derive(Debug, Default)]
struct Copied {
    head: Option<Head>,
    payload: Vec<u8>,
}

/// A capture that is taken apart on the calling thread.
struct Here {
    capture: Capture,
    sorter: Option<Sorter<Copied>>,
    delivered: Delivered,
    /// The datagram that waits.
    head: Option<Head>,
}

impl Stream {
    /// Recognises a capture by its first bytes.
    pub fn open(input: Input, options: &Options) -> Result<(Self, CaptureCounts), CaptureError> {
        let total = input.total;
        let reading = match (options.read_ahead, options.apart && total.is_some()) {
            (false, _) => Reading::Here,
            (true, false) => Reading::Ahead,
            (true, true) => Reading::Kept,
        };
        let (capture, counts) = Capture::open(input, options, reading)?;
        let meter = Arc::clone(&capture.meter);
        let side = match reading {
            Reading::Kept => Side::Apart(Box::new(Apart::start(capture, counts.clone(), options)?)),
            Reading::Here | Reading::Ahead => {
                let sorter = options.sort_window.then(Sorter::default);
                Side::Here(Box::new(Here { capture, sorter, delivered: Delivered::default(), head: None }))
            }
        };
        Ok((Self { meter, total, side }, counts))
    }

    /// Lets the next datagram wait and gives its time; none at the end of the capture.
    #[inline]
    pub fn advance(&mut self, counts: &mut CaptureCounts) -> Result<Option<u64>, CaptureError> {
        match &mut self.side {
            Side::Here(here) => here.advance(counts),
            Side::Apart(apart) => apart.advance(counts),
        }
    }

    /// The datagram that waits, of the capture with that number.
    #[inline(always)]
    pub fn datagram(&self, capture: u32) -> Option<Datagram<'_>> {
        match &self.side {
            Side::Here(here) => here.datagram(capture),
            Side::Apart(apart) => apart.datagram(capture),
        }
    }

    /// Since when the capture says that it watches its interfaces, where its first datagram came at `first_ns`; not later
    /// than that, nor longer ago than is believed.
    pub fn watched_from_ns(&self, first_ns: u64) -> Option<u64> {
        let from_ns = match &self.side {
            Side::Here(here) => here.capture.watched_from_ns(),
            Side::Apart(apart) => apart.watched_from_ns(),
        };
        let ago = |from_ns: &u64| first_ns.checked_sub(*from_ns);
        from_ns.filter(|from_ns| ago(from_ns).is_some_and(|ns| ns <= pcapng::WATCHED_MAX_NS))
    }

    /// Up to when the capture says that it watched its interfaces; known when it has been read to its end.
    pub fn watched_until_ns(&self) -> Option<u64> {
        match &self.side {
            Side::Here(here) => here.capture.watched_until_ns(),
            Side::Apart(apart) => apart.watched_until_ns(),
        }
    }
}

impl Here {
    fn advance(&mut self, counts: &mut CaptureCounts) -> Result<Option<u64>, CaptureError> {
        let Here { capture, sorter, delivered, head } = self;
        *head = match sorter {
            None => capture.read_datagram(counts)?,
            Some(sorter) => {
                while !sorter.is_full()
                    && let Some(head) = capture.read_datagram(counts)?
                {
                    let payload = capture.payload(&head.place);
                    sorter.push(head.ts_ns, payload.len(), |copied| {
                        copied.payload.clear();
                        copied.payload.extend_from_slice(payload);
                        copied.head = Some(head);
                    });
                }
                let copied = sorter.pop(|before| {
                    if before.payload.capacity() > SPARE_LEN_MAX {
                        before.payload = Vec::new();
                    }
                });
                copied.and_then(|copied| copied.head.take())
            }
        };
        let Some(head) = head else { return Ok(None) };
        delivered.count(head, counts);
        Ok(Some(head.ts_ns))
    }

    #[inline(always)]
    fn datagram(&self, capture: u32) -> Option<Datagram<'_>> {
        let head = self.head.as_ref()?;
        let payload = match &self.sorter {
            None => self.capture.payload(&head.place),
            Some(sorter) => sorter.lent().map_or(&[][..], |copied| &copied.payload),
        };
        Some(Datagram {
            ts_recv_ns: head.ts_ns,
            capture,
            frame: head.frame,
            transport: head.transport,
            source: head.source,
            destination: head.destination,
            payload,
            wire_len: head.wire_len,
            checksum: head.checksum,
            identification: head.identification,
            interface: head.interface,
            interface_name: self.capture.name(head.name),
            lost: head.lost,
        })
    }
}
