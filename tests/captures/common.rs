//! Small captures made by hand, byte by byte, so that the readers are not tested against our own writer only.

use std::io::{Cursor, Read};
use std::net::{SocketAddr, SocketAddrV4};

use parallax::source::writer::udp_frame;
use parallax::source::{CaptureCounts, CaptureError, Captures, Options, Transport};

/// A datagram that outlives the reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owned {
    pub ts_recv_ns: u64,
    pub capture: u32,
    pub frame: u64,
    pub transport: Transport,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub payload: Vec<u8>,
    pub wire_len: u32,
    pub interface: u32,
}

pub fn drain(mut captures: Captures) -> Result<(Vec<Owned>, Vec<CaptureCounts>), CaptureError> {
    let mut datagrams = Vec::new();
    while let Some(datagram) = captures.next()? {
        datagrams.push(Owned {
            ts_recv_ns: datagram.ts_recv_ns,
            capture: datagram.capture,
            frame: datagram.frame,
            transport: datagram.transport,
            source: datagram.source,
            destination: datagram.destination,
            payload: datagram.payload.to_vec(),
            wire_len: datagram.wire_len,
            interface: datagram.interface,
        });
    }
    let counts = captures.counts().to_vec();
    Ok((datagrams, counts))
}

pub fn try_read(
    captures: &[&[u8]],
    options: &Options,
) -> Result<(Vec<Owned>, Vec<CaptureCounts>), CaptureError> {
    let readers = captures
        .iter()
        .enumerate()
        .map(|(at, bytes)| {
            let stream: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.to_vec()));
            (format!("capture {at}"), stream)
        })
        .collect();
    let here = Captures::from_readers(readers, options)?;
    taken_apart_ahead_is_the_same(captures, options);
    drain(here)
}

/// All that is told of captures, datagram by datagram.
fn told(mut captures: Captures) -> (Vec<String>, String) {
    let mut datagrams = Vec::new();
    let watched_from = captures.prime();
    let end = loop {
        match captures.next() {
            Ok(Some(datagram)) => datagrams.push(format!("{datagram:?}")),
            end => break format!("{end:?}"),
        }
    };
    let rest = (watched_from, captures.watched_until(), captures.progress().0, captures.counts());
    (datagrams, format!("{end} {rest:?}"))
}

/// Whoever takes the files apart, the same is told of them.
pub fn taken_apart_ahead_is_the_same(captures: &[&[u8]], options: &Options) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..captures.len()).map(|at| folder.path().join(at.to_string())).collect();
    for (path, bytes) in paths.iter().zip(captures) {
        std::fs::write(path, bytes).unwrap();
    }
    let [here, ahead] = [(false, false), (true, true)].map(|(read_ahead, apart)| {
        let options = Options { read_ahead, apart, ..options.clone() };
        told(Captures::open(&paths, &options).unwrap())
    });
    let differs = here.0.iter().zip(&ahead.0).position(|(here, ahead)| here != ahead);
    assert_eq!(differs, None, "datagrams differ");
    assert_eq!((here.0.len(), here.1), (ahead.0.len(), ahead.1));
}

pub fn read_with(capture: &[u8], options: &Options) -> (Vec<Owned>, CaptureCounts) {
    let (datagrams, mut counts) = try_read(&[capture], options).unwrap();
    (datagrams, counts.remove(0))
}

pub fn read(capture: &[u8]) -> (Vec<Owned>, CaptureCounts) {
    read_with(capture, &Options::default())
}

/// What was counted: name, how often, first frame.
pub fn counted(counts: &CaptureCounts) -> Vec<(&'static str, u64, u64)> {
    counts.counted().map(|(reason, tally)| (reason.name(), tally.count, tally.first_frame)).collect()
}

pub fn address(text: &str) -> SocketAddrV4 {
    text.parse().unwrap()
}

pub const SENDER: &str = "10.0.0.1:4000";
pub const GROUP: &str = "233.54.12.111:26477";

/// An Ethernet frame with a UDP datagram from SENDER to GROUP.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    udp_frame(&mut frame, address(SENDER), address(GROUP), payload).unwrap();
    frame
}

/// What [`frame`] must give back.
pub fn datagram(ts_recv_ns: u64, number: u64, payload: &[u8]) -> Owned {
    Owned {
        ts_recv_ns,
        capture: 0,
        frame: number,
        transport: Transport::Udp,
        source: address(SENDER).into(),
        destination: address(GROUP).into(),
        payload: payload.to_vec(),
        wire_len: payload.len() as u32,
        interface: 0,
    }
}

/// Byte order of hand-made headers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u16(self, value: u16) -> [u8; 2] {
        if self == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        if self == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn u64(self, value: u64) -> [u8; 8] {
        if self == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

/// A pcap by hand; `nanos` chooses the magic, records are (nanoseconds, frame, wire length).
pub fn pcap_of(order: Order, nanos: bool, link: u32, records: &[(u64, &[u8], u32)]) -> Vec<u8> {
    let mut capture = Vec::new();
    capture.extend(order.u32(if nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }));
    capture.extend(order.u16(2));
    capture.extend(order.u16(4));
    for word in [0, 0, 65_535, link] {
        capture.extend(order.u32(word));
    }
    for &(ts_ns, frame, wire_len) in records {
        let fraction = ts_ns % 1_000_000_000 / if nanos { 1 } else { 1000 };
        for word in [(ts_ns / 1_000_000_000) as u32, fraction as u32, frame.len() as u32, wire_len] {
            capture.extend(order.u32(word));
        }
        capture.extend(frame);
    }
    capture
}

/// A nanosecond little-endian pcap of whole frames, one second apart from 1 s on.
pub fn pcap(link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<_> = frames
        .iter()
        .enumerate()
        .map(|(at, frame)| ((at as u64 + 1) * 1_000_000_000, frame.as_slice(), frame.len() as u32))
        .collect();
    pcap_of(Order::Little, true, link, &records)
}

/// A pcapng block by hand.
pub fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let len = order.u32(body.len() as u32 + 12);
    [order.u32(kind).as_slice(), &len, &body, &len].concat()
}

/// A section header block.
pub fn section(order: Order) -> Vec<u8> {
    let parts = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]];
    block(order, 0x0a0d_0d0a, &parts.concat())
}

/// An interface description block with raw options.
pub fn interface(order: Order, link: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [&order.u16(link)[..], &[0, 0], &order.u32(snap_len)].concat();
    for (code, value) in options {
        body.extend(order.u16(*code));
        body.extend(order.u16(value.len() as u16));
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    if !options.is_empty() {
        body.extend([0; 4]);
    }
    block(order, 1, &body)
}

/// An enhanced packet block.
pub fn packet(order: Order, interface: u32, ticks: u64, frame: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for word in [interface, (ticks >> 32) as u32, ticks as u32, frame.len() as u32, frame.len() as u32] {
        body.extend(order.u32(word));
    }
    body.extend(frame);
    block(order, 6, &body)
}
