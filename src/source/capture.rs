//! One capture: records to datagrams, one at a time, in the order of the file.
//!
//! A datagram is given as a [`Head`], a description whose payload still lies in the
//! window or the reassembly; nothing is copied unless it has to be.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;

use feeds::frame::{self, Carrier, Parsed, Reject, Segment, Shortfall};

use super::binaryfile::BinaryFileReader;
use super::counts::{CaptureCounts, Reason};
use super::error::CaptureError;
use super::fragments::{Reassembly, Seen};
use super::hardware::{HardwareClock, Stamp};
use super::input::{self, Input, Meter};
use super::merge::{LATEST_NS, Lost, Options, Transport};
use super::pcap::PcapReader;
use super::pcapng::PcapngReader;
use super::record::{Content, Format, Record};
use super::window::Window;

/// Where a datagram's payload lies, until the next is read.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In [`Window::buffer`].
    Window(Range<usize>),
    /// In what was put together last.
    Reassembly(Range<usize>),
}

impl Place {
    /// Length of the payload in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Place::Window(range) | Place::Reassembly(range) => range.len(),
        }
    }
}

/// A datagram without its payload.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub ts_ns: u64,
    pub frame: u64,
    pub interface: u32,
    pub transport: Transport,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub wire_len: u32,
    pub checksum: u16,
    pub identification: u16,
    pub lost: Lost,
    /// Place of the interface's name, for [`Capture::name`].
    pub name: u32,
    pub place: Place,
    offset: u64,
}

/// The times of what a capture delivers, one datagram after the other.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    latest_ns: u64,
}

impl Delivered {
    /// Counts the datagram and what is odd about its time.
    #[inline]
    pub fn count(&mut self, head: &Head, counts: &mut CaptureCounts) {
        counts.datagrams += 1;
        if head.ts_ns > LATEST_NS {
            counts.add_at(Reason::TimeTooLate, head.frame, head.offset);
        }
        if head.ts_ns < self.latest_ns {
            counts.add_at(Reason::TimeBackwards, head.frame, head.offset);
        }
        self.latest_ns = head.ts_ns;
    }
}

#[derive(Debug)]
enum Reader {
    Pcap(PcapReader),
    Pcapng(PcapngReader),
    BinaryFile(BinaryFileReader),
}

/// One opened capture.
pub(super) struct Capture {
    pub meter: Arc<Meter>,
    window: Window,
    reader: Reader,
    fragments: Reassembly,
    hardware: HardwareClock,
    tcp: bool,
    from_ns: u64,
    to_ns: u64,
    ended: bool,
}

/// Where a capture's bytes are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// Here.
    Here,
    /// On a thread of its own.
    Ahead,
    /// Here, and blocks that are marked are kept.
    Kept,
}

const UNADDRESSED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Bytes looked at to recognise a container: enough for several BinaryFILE messages.
const RECOGNISED_LEN: usize = 1024;

impl Capture {
    /// Recognises a capture by its first bytes.
    pub fn open(
        input: Input,
        options: &Options,
        reading: Reading,
    ) -> Result<(Self, CaptureCounts), CaptureError> {
        let Input { name, stream, .. } = input;
        let meter = Arc::new(Meter::default());
        let failed = |source, name: &str, meter: &Meter| CaptureError::Read {
            name: name.to_owned(),
            offset: meter.bytes_read(),
            source,
        };
        let (stream, compression) =
            input::decompress(stream, Arc::clone(&meter)).map_err(|source| failed(source, &name, &meter))?;
        let mut window = match reading {
            Reading::Here => Window::new(stream),
            Reading::Ahead => Window::reading_ahead(stream)
                .map_err(|source| CaptureError::Thread { name: name.clone(), source })?,
            Reading::Kept => Window::keeping(stream),
        };
        // A compressed stream may be damaged so early that nothing can be recognised.
        let mut outcome = window.ensure(4);
        if outcome.is_ok() && !window.bytes().starts_with(&[0x0a]) {
            outcome = recognisable(&mut window);
        }
        if let Err(source) = outcome
            && window.bytes().len() < 4
        {
            let (compression, offset) = (compression.name(), meter.bytes_read());
            return Err(match meter.has_failed() {
                true => failed(source, &name, &meter),
                false => CaptureError::Damaged { name, compression, offset, source },
            });
        }
        let Some((reader, format)) = recognise(window.bytes(), options) else {
            let found = window.bytes().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
            let found = if found.is_empty() {
                "it is empty".to_owned()
            } else {
                format!("its first bytes at offset 0 are {found}")
            };
            return Err(CaptureError::NotACapture { name, found });
        };
        let capture = Self {
            meter,
            window,
            reader,
            fragments: Reassembly::default(),
            hardware: HardwareClock::new(options.hardware_timestamps),
            tcp: options.tcp,
            from_ns: options.from_ns.unwrap_or(0),
            to_ns: options.to_ns.unwrap_or(u64::MAX),
            ended: false,
        };
        Ok((capture, CaptureCounts::new(name, format, compression)))
    }

    /// The payload of the datagram that was read last.
    #[inline]
    pub fn payload(&self, place: &Place) -> &[u8] {
        match place {
            Place::Window(range) => &self.window.buffer()[range.clone()],
            Place::Reassembly(range) => &self.fragments.complete()[range.clone()],
        }
    }

    /// What the bytes are read through.
    #[inline]
    pub fn window(&mut self) -> &mut Window {
        &mut self.window
    }

    /// The name of an interface by its place; empty where there is none.
    #[inline]
    pub fn name(&self, place: u32) -> &str {
        match &self.reader {
            Reader::Pcapng(reader) => reader.name(place),
            Reader::Pcap(_) | Reader::BinaryFile(_) => "",
        }
    }

    /// The names of interfaces behind the first so many, in the order of their places.
    pub fn names_behind(&self, known: usize) -> &[Box<str>] {
        match &self.reader {
            Reader::Pcapng(reader) => reader.names_behind(known),
            Reader::Pcap(_) | Reader::BinaryFile(_) => &[],
        }
    }

    /// Since when the capture says that it watches its interfaces, whether that can be or not.
    pub fn watched_from_ns(&self) -> Option<u64> {
        match &self.reader {
            Reader::Pcapng(reader) => reader.watched_from_ns(),
            _ => None,
        }
    }

    /// Up to when the capture says that it watched its interfaces; known when it has been read to its end.
    pub fn watched_until_ns(&self) -> Option<u64> {
        match &self.reader {
            Reader::Pcapng(reader) if self.ended => reader.watched_until_ns(),
            _ => None,
        }
    }

    /// Reads on to the next datagram in file order; none at the end of the capture.
    ///
    /// # Errors
    /// The system's failure to read on.
    pub fn read_datagram(&mut self, counts: &mut CaptureCounts) -> Result<Option<Head>, CaptureError> {
        while !self.ended {
            let outcome = match &mut self.reader {
                Reader::Pcap(reader) => reader.next(&mut self.window, counts),
                Reader::Pcapng(reader) => reader.next(&mut self.window, counts),
                Reader::BinaryFile(reader) => reader.next(&mut self.window, counts),
            };
            match outcome {
                Ok(Some(record)) => {
                    if let Some(mut head) = self.datagram_of(record, counts) {
                        if let Reader::Pcapng(reader) = &mut self.reader {
                            head.lost = reader.take_lost(head.interface);
                            head.name = reader.name_place(head.interface);
                        }
                        return Ok(Some(head));
                    }
                }
                Ok(None) => self.end(counts),
                Err(error) => {
                    self.end(counts);
                    self.stream_failed(error, counts)?;
                }
            }
        }
        Ok(None)
    }

    fn end(&mut self, counts: &mut CaptureCounts) {
        self.ended = true;
        self.fragments.finish(counts);
    }

    /// A damaged compressed stream ends the capture; a failing system ends the run.
    fn stream_failed(&self, source: io::Error, counts: &mut CaptureCounts) -> Result<(), CaptureError> {
        if self.meter.has_failed() {
            let (name, offset) = (counts.name.clone(), self.meter.bytes_read());
            return Err(CaptureError::Read { name, offset, source });
        }
        counts.add(Reason::CorruptCompression, self.window.offset());
        Ok(())
    }

    /// Counts a record and finds the datagram in it.
    #[inline]
    fn datagram_of(&mut self, record: Record, counts: &mut CaptureCounts) -> Option<Head> {
        counts.packets += 1;
        counts.bytes += record.data.len() as u64;
        let head = match record.content {
            Content::Frame(link) => self.datagram_in_frame(link, record, counts),
            Content::Message => Some(message(record, counts)),
            Content::UnknownFrame => {
                counts.add(Reason::UnknownLinkType, record.offset);
                None
            }
        }?;
        if (self.from_ns..self.to_ns).contains(&head.ts_ns)
            || (head.ts_ns == u64::MAX && self.to_ns == u64::MAX)
        {
            return Some(head);
        }
        counts.add(Reason::OutsideTimeRange, head.offset);
        // What was lost before it was lost outside the range too.
        if let Reader::Pcapng(reader) = &mut self.reader {
            reader.take_lost(head.interface);
        }
        None
    }

    #[inline]
    fn datagram_in_frame(
        &mut self,
        link: frame::LinkType,
        mut record: Record,
        counts: &mut CaptureCounts,
    ) -> Option<Head> {
        if self.hardware.is_on() && !self.apply_hardware_time(&mut record, counts) {
            return None;
        }
        let bytes = &self.window.buffer()[record.data.clone()];
        match frame::parse(link, bytes) {
            Ok(Parsed::Segment(segment)) => {
                let start = record.data.start + segment.payload_start;
                let place = Place::Window(start..start + segment.payload.len());
                accept(counts, self.tcp, &segment, &record, place)
            }
            Ok(Parsed::Fragment(fragment)) => {
                let seen = Seen { ts_ns: record.ts_ns, interface: record.interface, offset: record.offset };
                // Fragments of what we would not read anyway are not worth keeping.
                let wanted = fragment.key.protocol != frame::PROTOCOL_TCP || self.tcp;
                if !wanted {
                    counts.add(Reason::Tcp, record.offset);
                    return None;
                }
                if !self.fragments.push(&fragment, seen, counts) {
                    return None;
                }
                match frame::parse_reassembled(&fragment.key, self.fragments.complete()) {
                    Ok(segment) => {
                        counts.add(Reason::Reassembled, record.offset);
                        let range = segment.payload_start..segment.payload_start + segment.payload.len();
                        accept(counts, self.tcp, &segment, &record, Place::Reassembly(range))
                    }
                    Err(reject) => {
                        counts.add(reason_of(reject), record.offset);
                        None
                    }
                }
            }
            Err(reject) => {
                counts.add(reason_of(reject), record.offset);
                None
            }
        }
    }

    /// Replaces the record's time by the hardware's and cuts its trailer; `false` for a keyframe.
    fn apply_hardware_time(&mut self, record: &mut Record, counts: &mut CaptureCounts) -> bool {
        let frame = &self.window.buffer()[record.data.clone()];
        // The trailer of a frame cut by the snap length is gone.
        let stamp = match frame.len() as u64 == u64::from(record.wire_len) {
            true => self.hardware.stamp(frame),
            false => Stamp::Missing,
        };
        match stamp {
            Stamp::Time { ts_ns, trailer_len } => {
                record.ts_ns = ts_ns;
                record.data.end -= trailer_len;
            }
            Stamp::Missing => counts.add(Reason::HardwareTimestampMissing, record.offset),
            Stamp::Keyframe => {
                counts.add(Reason::HardwareKeyframe, record.offset);
                return false;
            }
        }
        true
    }
}

/// A bare message is a datagram as it is.
fn message(record: Record, counts: &CaptureCounts) -> Head {
    Head {
        ts_ns: record.ts_ns,
        frame: counts.packets,
        interface: record.interface,
        transport: Transport::BinaryFile,
        source: UNADDRESSED,
        destination: UNADDRESSED,
        wire_len: record.wire_len,
        checksum: 0,
        identification: 0,
        lost: Lost::default(),
        name: 0,
        offset: record.offset,
        place: Place::Window(record.data),
    }
}

/// Turns a segment into a waiting datagram, or counts why not.
#[inline]
fn accept(
    counts: &mut CaptureCounts,
    tcp: bool,
    segment: &Segment<'_>,
    record: &Record,
    place: Place,
) -> Option<Head> {
    let transport = match segment.carrier {
        Carrier::Udp => Transport::Udp,
        Carrier::Tcp if !tcp => {
            counts.add(Reason::Tcp, record.offset);
            return None;
        }
        Carrier::Tcp if segment.payload.is_empty() && segment.wire_len == 0 => {
            counts.add(Reason::TcpEmpty, record.offset);
            return None;
        }
        Carrier::Tcp => Transport::Tcp,
    };
    match segment.shortfall {
        Shortfall::None => {}
        Shortfall::Captured => counts.add(Reason::CutBySnaplen, record.offset),
        Shortfall::IpLength => counts.add(Reason::UdpLengthBeyondIp, record.offset),
    }
    if segment.trailing > 0 {
        counts.add(Reason::PaddingStripped, record.offset);
    }
    Some(Head {
        ts_ns: record.ts_ns,
        frame: counts.packets,
        interface: record.interface,
        transport,
        source: segment.source,
        destination: segment.destination,
        wire_len: segment.wire_len,
        checksum: segment.checksum,
        identification: segment.identification,
        lost: Lost::default(),
        name: 0,
        offset: record.offset,
        place,
    })
}

fn reason_of(reject: Reject) -> Reason {
    match reject {
        Reject::TruncatedFrame => Reason::TruncatedFrame,
        Reject::Arp => Reason::Arp,
        Reject::NotIp => Reason::NotIp,
        Reject::BadIpHeader => Reason::BadIpHeader,
        Reject::Icmp => Reason::Icmp,
        Reject::Igmp => Reason::Igmp,
        Reject::NotUdp => Reason::NotUdp,
        Reject::BadUdpHeader => Reason::BadUdpHeader,
        Reject::BadTcpHeader => Reason::BadTcpHeader,
    }
}

/// A stream without a magic number is judged by as many bytes as there are.
fn recognisable(window: &mut Window) -> io::Result<bool> {
    if PcapReader::recognise(window.bytes()).is_some() {
        return Ok(true);
    }
    window.ensure(RECOGNISED_LEN)
}

fn recognise(first: &[u8], options: &Options) -> Option<(Reader, Format)> {
    if let Some((reader, format)) = PcapReader::recognise(first) {
        return Some((Reader::Pcap(reader), format));
    }
    if let Some(reader) = PcapngReader::recognise(first) {
        return Some((Reader::Pcapng(reader), Format::Pcapng));
    }
    BinaryFileReader::recognise(first).then(|| {
        (Reader::BinaryFile(BinaryFileReader::new(options.binaryfile_midnight_ns)), Format::BinaryFile)
    })
}
