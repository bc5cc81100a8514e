//! A capture taken apart on a thread of its own: records, frames and the order of time there, datagrams here.
//!
//! The thread reads block after block and hands each over once it has passed it, with the datagrams that are to be
//! delivered from what has been handed over so far: descriptions and the places of their payloads, which nobody copies.
//! What comes out, what is counted and where it fails are the same as on one thread; only that counts are known block by
//! block. It is for files: of a pipe the last datagrams would wait for those behind them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::capture::{Capture, Delivered, Head, Place};
use super::counts::CaptureCounts;
use super::error::CaptureError;
use super::merge::{Datagram, Lost, Options, Transport};
use super::pcapng::name_at;
use super::sort::Sorter;
use super::window::{Block, Window};
use crate::cache;

/// Parts that may wait to be delivered.
const PARTS: usize = 4;
/// Blocks that datagrams may wait in; payloads of further ones are copied, so that a few datagrams scattered over much
/// else cannot keep all of it.
const BLOCKS_MAX: usize = 96;

/// How far ahead descriptions are asked for.
const READY_AHEAD: usize = 4;
/// Bytes of a payload that are asked for; what is longer is read from there on as a stream.
const PAYLOAD_AHEAD: u32 = 512;

/// Where a datagram came from and went to: mostly as the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Way {
    source: SocketAddr,
    destination: SocketAddr,
    transport: Transport,
    interface: u32,
    name: u32,
}

/// Where the payload of a datagram lies.
#[derive(Debug)]
enum Payload {
    /// In a marked block, by its number among them, which may wrap.
    In { block: u32, from: u32, to: u32 },
    /// With it. Rare, and kept small for those that are not.
    #[allow(clippy::box_collection, reason = "a slice's own box is twice as large")]
    Own(Box<Vec<u8>>),
}

/// A datagram on its way.
#[derive(Debug)]
struct Ready {
    ts_ns: u64,
    frame: u64,
    payload: Payload,
    lost: Lost,
    /// Position in [`Part::ways`].
    way: u32,
    wire_len: u32,
    checksum: u16,
    identification: u16,
}

/// Datagrams that go over together.
#[derive(Debug, Default)]
struct Part {
    ready: Vec<Ready>,
    ways: Vec<Way>,
}

/// What goes over at once.
struct Handed {
    part: Part,
    /// Marked blocks that have been passed since the last time.
    blocks: Vec<Block>,
    /// Behind the part, no datagram lies in a block before this one.
    needed_from: u32,
    /// Names of interfaces that are new.
    names: Vec<Box<str>>,
    /// What was counted up to here; the name in it is the one that the capture was opened by.
    counts: CaptureCounts,
    watched_from_ns: Option<u64>,
    watched_until_ns: Option<u64>,
    /// The capture has ended, well or not.
    end: Option<Result<(), CaptureError>>,
}

/// What comes back to be used again.
#[derive(Default)]
struct Spent {
    part: Part,
    blocks: Vec<Block>,
}

/// See the module: the side that delivers.
pub(super) struct Apart {
    handed: Receiver<Handed>,
    spent: Sender<Spent>,
    thread: Option<JoinHandle<()>>,
    part: Part,
    /// Position in `part` behind the datagram that waits.
    next: usize,
    /// Blocks from the number `first` on.
    blocks: VecDeque<Block>,
    first: u32,
    needed_from: u32,
    names: Vec<Box<str>>,
    watched_from_ns: Option<u64>,
    watched_until_ns: Option<u64>,
    end: Option<Result<(), CaptureError>>,
}

impl Apart {
    /// Goes on with an opened capture, of which nothing has been read but its beginning.
    ///
    /// # Errors
    /// The system's refusal to start a thread.
    pub fn start(capture: Capture, counts: CaptureCounts, options: &Options) -> Result<Self, CaptureError> {
        let (hand, handed) = bounded(PARTS);
        let (spent, empty) = bounded(PARTS + 2);
        let name = counts.name.clone();
        let taking = Taking {
            capture,
            counts,
            sorter: options.sort_window.then(Sorter::default),
            delivered: Delivered::default(),
            part: Part::default(),
            marked: Marked::default(),
            names: 0,
            hand,
            empty,
        };
        let thread = thread::Builder::new()
            .name("capture-reader".to_owned())
            .spawn(move || taking.run())
            .map_err(|source| CaptureError::Thread { name, source })?;
        Ok(Self {
            handed,
            spent,
            thread: Some(thread),
            part: Part::default(),
            next: 0,
            blocks: VecDeque::new(),
            first: 0,
            needed_from: 0,
            names: Vec::new(),
            watched_from_ns: None,
            watched_until_ns: None,
            end: None,
        })
    }

    /// Lets the next datagram wait and gives its time; none at the end of the capture.
    #[inline]
    pub fn advance(&mut self, counts: &mut CaptureCounts) -> Result<Option<u64>, CaptureError> {
        while self.next >= self.part.ready.len() {
            if !self.next_part(counts)? {
                return Ok(None);
            }
        }
        counts.datagrams += 1;
        let ts_ns = self.part.ready[self.next].ts_ns;
        self.next += 1;
        self.look_ahead();
        Ok(Some(ts_ns))
    }

    /// What another core has read comes from there line by line: the datagram behind the one that waits is on its way by
    /// the time that it is wanted.
    #[inline]
    fn look_ahead(&self) {
        cache::prefetch_at(&self.part.ready, self.next + READY_AHEAD);
        if let Some(Ready { payload: Payload::In { block, from, to }, .. }) = self.part.ready.get(self.next) {
            let block = self.blocks[block.wrapping_sub(self.first) as usize].bytes();
            let to = (*to).min(*from + PAYLOAD_AHEAD);
            (*from..to).step_by(64).for_each(|at| cache::prefetch_at(block, at as usize));
        }
    }

    /// Takes the next part in place of the one that has been delivered; false at the end.
    fn next_part(&mut self, counts: &mut CaptureCounts) -> Result<bool, CaptureError> {
        if let Some(end) = self.end.take() {
            self.end = Some(Ok(()));
            self.part.ready.clear();
            return end.map(|()| false).map_err(|error| named(error, &counts.name));
        }
        self.give_back();
        let Ok(handed) = self.handed.recv() else {
            // It ends by itself only behind its last part.
            match self.thread.take().map(JoinHandle::join) {
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                _ => return Ok(false),
            }
        };
        (self.part, self.next) = (handed.part, 0);
        self.blocks.extend(handed.blocks);
        self.needed_from = handed.needed_from;
        self.names.extend(handed.names);
        // The capture may bear another name by now, and what is delivered is counted as it is.
        let (name, datagrams) = (std::mem::take(&mut counts.name), counts.datagrams);
        *counts = handed.counts;
        (counts.name, counts.datagrams) = (name, datagrams);
        (self.watched_from_ns, self.watched_until_ns) = (handed.watched_from_ns, handed.watched_until_ns);
        self.end = handed.end;
        Ok(true)
    }

    /// The part has been delivered: what nothing more lies in can be used again.
    fn give_back(&mut self) {
        let mut spent = Spent { part: std::mem::take(&mut self.part), blocks: Vec::new() };
        spent.part.ready.clear();
        spent.part.ways.clear();
        while self.first != self.needed_from
            && let Some(block) = self.blocks.pop_front()
        {
            self.first = self.first.wrapping_add(1);
            spent.blocks.push(block);
        }
        // A full store takes no more of it.
        let _ = self.spent.try_send(spent);
    }

    /// The datagram that waits, of the capture with that number.
    #[inline(always)]
    pub fn datagram(&self, capture: u32) -> Option<Datagram<'_>> {
        let ready = self.part.ready.get(self.next.checked_sub(1)?)?;
        let way = &self.part.ways[ready.way as usize];
        let payload = match &ready.payload {
            Payload::In { block, from, to } => {
                let block = &self.blocks[block.wrapping_sub(self.first) as usize];
                &block.bytes()[*from as usize..*to as usize]
            }
            Payload::Own(bytes) => bytes,
        };
        Some(Datagram {
            ts_recv_ns: ready.ts_ns,
            capture,
            frame: ready.frame,
            transport: way.transport,
            source: way.source,
            destination: way.destination,
            payload,
            wire_len: ready.wire_len,
            checksum: ready.checksum,
            identification: ready.identification,
            interface: way.interface,
            interface_name: name_at(&self.names, way.name),
            lost: ready.lost,
        })
    }

    /// Since when the capture says that it watches its interfaces, whether that can be or not.
    pub fn watched_from_ns(&self) -> Option<u64> {
        self.watched_from_ns
    }

    /// Up to when the capture says that it watched its interfaces; known when it has been read to its end.
    pub fn watched_until_ns(&self) -> Option<u64> {
        self.watched_until_ns
    }
}

/// A datagram kept for the sorter.
#[derive(Debug, Default)]
struct Waiting(Option<(Head, Payload)>);

/// The blocks in which datagrams wait.
#[derive(Default)]
struct Marked {
    /// How many there have been.
    count: u32,
    /// Datagrams that wait in each of the latest, the last being the window's where that is marked. None wait in those
    /// before.
    waiting: VecDeque<u32>,
    /// Those that have been passed and not handed over.
    passed: Vec<Block>,
}

impl Marked {
    /// The number of the first in which a datagram may wait.
    fn first(&self) -> u32 {
        self.count.wrapping_sub(self.waiting.len() as u32)
    }

    /// The number of the window's block, in which one more datagram waits; `None` when as many are kept as may be.
    #[inline]
    fn enter(&mut self, window: &mut Window) -> Option<u32> {
        if !window.is_marked() {
            if self.waiting.len() >= BLOCKS_MAX {
                return None;
            }
            window.mark();
            self.waiting.push_back(0);
            self.count = self.count.wrapping_add(1);
        }
        *self.waiting.back_mut()? += 1;
        Some(self.count.wrapping_sub(1))
    }

    /// A datagram waits in that block no longer.
    #[inline]
    fn leave(&mut self, block: u32) {
        let at = block.wrapping_sub(self.first()) as usize;
        self.waiting[at] -= 1;
    }

    /// Forgets those at the beginning in which nothing waits.
    fn settle(&mut self) {
        while self.waiting.pop_front_if(|waiting| *waiting == 0).is_some() {}
    }
}

/// The side that takes apart.
struct Taking {
    capture: Capture,
    counts: CaptureCounts,
    sorter: Option<Sorter<Waiting>>,
    delivered: Delivered,
    part: Part,
    marked: Marked,
    /// Names that have been handed over.
    names: usize,
    hand: Sender<Handed>,
    empty: Receiver<Spent>,
}

impl Taking {
    /// Ends at the capture's end, at its failure, or when nobody takes what it hands over.
    fn run(mut self) {
        let end = loop {
            match self.advance() {
                Ok(Some((head, payload))) => {
                    // What was to be delivered before it lies in blocks that have been passed; it may lie in the next.
                    let passed = &mut self.marked.passed;
                    if self.capture.window().turned(|block| passed.push(block))
                        && !self.part.ready.is_empty()
                        && !self.hand_over(None)
                    {
                        return;
                    }
                    self.push(&head, payload);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let passed = &mut self.marked.passed;
        self.capture.window().close(|block| passed.push(block));
        self.hand_over(Some(end));
    }

    /// The next datagram to be delivered.
    #[inline]
    fn advance(&mut self) -> Result<Option<(Head, Payload)>, CaptureError> {
        let Taking { capture, counts, sorter, delivered, marked, .. } = self;
        let next = match sorter {
            None => capture.read_datagram(counts)?.map(|head| {
                let payload = keep(&head, capture, marked);
                (head, payload)
            }),
            Some(sorter) => {
                while !sorter.is_full()
                    && let Some(head) = capture.read_datagram(counts)?
                {
                    let payload = keep(&head, capture, marked);
                    sorter.push(head.ts_ns, head.place.len(), |waiting| waiting.0 = Some((head, payload)));
                }
                sorter.pop(|_| ()).and_then(|waiting| waiting.0.take())
            }
        };
        if let Some((head, _)) = &next {
            delivered.count(head, counts);
        }
        Ok(next)
    }

    /// It goes over with the next that does.
    #[inline]
    fn push(&mut self, head: &Head, payload: Payload) {
        if let Payload::In { block, .. } = payload {
            self.marked.leave(block);
        }
        let Head { transport, source, destination, interface, name, .. } = *head;
        let way = Way { source, destination, transport, interface, name };
        let Part { ready, ways } = &mut self.part;
        if ways.last() != Some(&way) {
            ways.push(way);
        }
        ready.push(Ready {
            ts_ns: head.ts_ns,
            frame: head.frame,
            payload,
            lost: head.lost,
            way: ways.len() as u32 - 1,
            wire_len: head.wire_len,
            checksum: head.checksum,
            identification: head.identification,
        });
    }

    /// Hands over what is to be delivered; false when nobody takes it.
    fn hand_over(&mut self, end: Option<Result<(), CaptureError>>) -> bool {
        self.marked.settle();
        let spent = self.empty.try_recv().unwrap_or_default();
        spent.blocks.into_iter().for_each(|block| self.capture.window().take_back(block));
        let names = self.capture.names_behind(self.names).to_vec();
        self.names += names.len();
        let handed = Handed {
            part: std::mem::replace(&mut self.part, spent.part),
            blocks: std::mem::take(&mut self.marked.passed),
            needed_from: self.marked.first(),
            names,
            counts: self.counts.clone(),
            watched_from_ns: self.capture.watched_from_ns(),
            watched_until_ns: self.capture.watched_until_ns(),
            end,
        };
        self.hand.send(handed).is_ok()
    }
}

/// Where the payload of the datagram that was read last stays.
#[inline]
fn keep(head: &Head, capture: &mut Capture, marked: &mut Marked) -> Payload {
    if let Place::Window(Range { start, end }) = &head.place
        && let Some(block) = marked.enter(capture.window())
    {
        return Payload::In { block, from: *start as u32, to: *end as u32 };
    }
    Payload::Own(Box::new(capture.payload(&head.place).to_vec()))
}

/// The same error of a capture that bears this name.
fn named(error: CaptureError, name: &str) -> CaptureError {
    match error {
        CaptureError::Read { offset, source, .. } => {
            CaptureError::Read { name: name.to_owned(), offset, source }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Read};
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::super::input::Input;
    use super::super::writer::CaptureWriter;
    use super::*;
    use crate::source::Captures;

    /// Fails like a broken disk after some bytes.
    struct Failing(Cursor<Vec<u8>>);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }

    /// Holds something as long as it is read.
    struct Held {
        bytes: Cursor<Vec<u8>>,
        _held: Sender<()>,
    }

    impl Read for Held {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.bytes.read(buffer)
        }
    }

    fn open(bytes: &[u8], sort_window: bool, apart: bool) -> Captures {
        let stream = Box::new(Failing(Cursor::new(bytes.to_vec())));
        let input = Input { name: "kept".to_owned(), stream, total: Some(bytes.len() as u64) };
        let options = Options { read_ahead: apart, apart, sort_window, ..Options::default() };
        let mut captures = Captures::of(vec![input], &options).expect("it is one");
        captures.rename(0, "-");
        captures
    }

    #[test]
    fn a_failing_system_stops_the_run_after_the_same_datagrams_and_by_the_name_that_is_borne() {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
        let mut writer = CaptureWriter::pcap(Vec::new()).expect("memory takes it");
        for at in 0..9_000_u64 {
            writer.write_udp(at * 50_000, 0, address, address, &[at as u8; 90]).expect("memory takes it");
        }
        let bytes = writer.finish().expect("memory takes it");
        for (len, sort_window) in [(bytes.len(), true), (bytes.len() - 60, true), (bytes.len() - 60, false)] {
            let told = [false, true].map(|apart| {
                let mut captures = open(&bytes[..len], sort_window, apart);
                let mut frames = Vec::new();
                let error = loop {
                    match captures.next() {
                        Ok(Some(datagram)) => frames.push((datagram.frame, datagram.payload[0])),
                        Ok(None) => panic!("the failure was not told"),
                        Err(error) => break error.to_string(),
                    }
                };
                (frames, error)
            });
            assert!(told[0].1.starts_with("cannot read capture - at byte"), "{}", told[0].1);
            assert!(told[0].0.len() > 6_000, "{}", told[0].0.len());
            assert_eq!(told[0], told[1]);
        }
    }

    #[test]
    fn whoever_goes_early_keeps_nobody() {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
        let mut writer = CaptureWriter::pcap(Vec::new()).expect("memory takes it");
        for at in 0..50_000_u64 {
            writer.write_udp(at, 0, address, address, &[7; 90]).expect("memory takes it");
        }
        let bytes = writer.finish().expect("memory takes it");
        let (held, let_go) = bounded::<()>(0);
        let stream = Box::new(Held { bytes: Cursor::new(bytes), _held: held });
        let input = Input { name: "kept".to_owned(), stream, total: Some(1) };
        let options = Options { read_ahead: true, apart: true, ..Options::default() };
        let mut captures = Captures::of(vec![input], &options).expect("it is one");
        assert!(captures.next().expect("it is whole").is_some());
        drop(captures);
        // The thread, which waited for room, ends, and with it what it read.
        assert!(let_go.recv().is_err());
    }
}
