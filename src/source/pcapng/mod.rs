//! pcapng blocks: sections, interfaces, packets of three kinds.
//!
//! "PCAP Now Generic (pcapng) Capture File Format" (draft-ietf-opsawg-pcapng),
//! section 4. Times are brought to nanoseconds since 1970 whatever resolution and
//! offset an interface has. Of interfaces their names are read, of packets and of
//! statistics the drops, of statistics the time up to which the lines were watched.
//! Blocks without packets (names, statistics, secrets, custom) are counted.

mod names;
mod options;

use std::io;
use std::ops::Range;

use feeds::frame::LinkType;

use names::Names;
pub(super) use names::name_at;
use options::OptionList;

use super::counts::{CaptureCounts, Reason};
use super::merge::Lost;
use super::pcap::truncated;
use super::record::{Content, PACKET_LEN_MAX, Record};
use super::window::Window;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET_OBSOLETE: u32 = 2;
const PACKET_SIMPLE: u32 = 3;
const STATISTICS: u32 = 5;
const PACKET_ENHANCED: u32 = 6;

/// The largest block with a packet or interface that we keep in memory: the largest
/// packet and as much again for its options.
const KEPT_BLOCK_LEN_MAX: u32 = 2 * PACKET_LEN_MAX;
/// The largest block at all; key logs and name tables stay far below. A larger length is damage.
const BLOCK_LEN_MAX: u32 = 64 * 1024 * 1024;
/// Interfaces in one section: more than any tool writes, and a bound for hostile files.
const INTERFACES_MAX: usize = 65_536;
/// How long after the latest packet we believe that lines were still watched: a long weekend and some days. Beyond
/// that the number is damage, and timers run to it would say things that nobody saw.
pub(super) const WATCHED_MAX_NS: u64 = 7 * 24 * 3600 * 1_000_000_000;

/// How an interface's ticks become nanoseconds.
#[derive(Clone, Copy, Debug)]
enum Resolution {
    /// Ticks of 10^-9 s times this.
    Multiply(u64),
    /// Ticks of 10^-9 s divided by this.
    Divide(u128),
    /// Ticks of 2^-n s.
    Binary(u32),
}

impl Resolution {
    /// `if_tsresol`: the upper bit chooses the base, the rest is the negative exponent (section 4.2).
    fn from_option(value: u8) -> Self {
        let exponent = u32::from(value & 0x7f);
        match exponent {
            _ if value & 0x80 != 0 => Self::Binary(exponent),
            0..=9 => Self::Multiply(10_u64.pow(9 - exponent)),
            // Beyond 10^38 no tick ever makes a nanosecond; the largest power stands for all of them.
            _ => Self::Divide(10_u128.pow((exponent - 9).min(38))),
        }
    }

    fn to_ns(self, ticks: u64) -> i128 {
        let ns = match self {
            Self::Multiply(factor) => u128::from(ticks) * u128::from(factor),
            Self::Divide(divisor) => u128::from(ticks) / divisor,
            // 64 bits times 30 bits fit, and the exponent is at most 127.
            Self::Binary(exponent) => (u128::from(ticks) * 1_000_000_000) >> exponent,
        };
        ns as i128
    }
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    content: Content,
    snap_len: u32,
    resolution: Resolution,
    offset_s: i64,
    /// Place of its name in [`Names`].
    name: u32,
    /// Packets dropped before the next datagram, as its packets say.
    dropped: u32,
    /// Packets dropped by the operating system since the section began, as the latest statistics say.
    os_drops: u64,
}

impl Interface {
    fn time_ns(&self, ticks: u64) -> i128 {
        self.resolution.to_ns(ticks) + i128::from(self.offset_s) * 1_000_000_000
    }
}

/// Reads one pcapng file.
#[derive(Debug, Default)]
pub(super) struct PcapngReader {
    big_endian: bool,
    /// Interfaces of the current section.
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before: datagrams number them through.
    interfaces_before: u32,
    names: Names,
    latest_ns: u64,
    /// The latest time of any packet.
    newest_ns: Option<u64>,
    /// See [`PcapngReader::watched_until_ns`].
    watched_until_ns: Option<u64>,
    /// See [`PcapngReader::watched_from_ns`].
    watched_from_ns: Option<u64>,
    /// Drops by the operating system that no datagram was told yet.
    host_drops: u64,
    ended: bool,
}

/// What a block was.
enum Step {
    Packet(Record),
    Other,
    End,
}

/// A packet block's own header, before its times and data are understood.
struct Packet {
    interface: u32,
    ticks: Option<u64>,
    /// Packets dropped before it, where its header says so.
    dropped: u32,
    captured_len: u32,
    wire_len: u32,
    /// Where the data starts, from the block's start.
    data_at: usize,
}

impl PcapngReader {
    /// Tells pcapng by the type of its first block.
    pub fn recognise(first: &[u8]) -> Option<Self> {
        first.starts_with(&SECTION_HEADER.to_be_bytes()).then(Self::default)
    }

    fn half(&self, bytes: &[u8], at: usize) -> u16 {
        let bytes = [bytes[at], bytes[at + 1]];
        if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// The next packet; `None` at the end of the file or at damage, which is counted.
    pub fn next(&mut self, window: &mut Window, counts: &mut CaptureCounts) -> io::Result<Option<Record>> {
        while !self.ended {
            match self.next_block(window, counts)? {
                Step::Packet(record) => return Ok(Some(record)),
                Step::Other => {}
                Step::End => self.ended = true,
            }
        }
        Ok(None)
    }

    fn next_block(&mut self, window: &mut Window, counts: &mut CaptureCounts) -> io::Result<Step> {
        let offset = window.offset();
        let damaged = |counts: &mut CaptureCounts| {
            counts.add(Reason::BadBlock, offset);
            Ok(Step::End)
        };
        if !window.ensure(12)? {
            truncated(window, counts);
            return Ok(Step::End);
        }
        let is_section = window.bytes()[..4] == SECTION_HEADER.to_be_bytes();
        // A section may change the byte order, so its mark is read before its length.
        if is_section && !self.read_byte_order(window.bytes()) {
            return damaged(counts);
        }
        let kind = if is_section { SECTION_HEADER } else { self.word(window.bytes(), 0) };
        let len = self.word(window.bytes(), 4);
        if len < 12 || !len.is_multiple_of(4) || len > BLOCK_LEN_MAX {
            return damaged(counts);
        }
        let known =
            matches!(kind, SECTION_HEADER | INTERFACE | PACKET_OBSOLETE | PACKET_SIMPLE | PACKET_ENHANCED);
        let kept = known || (kind == STATISTICS && len <= KEPT_BLOCK_LEN_MAX);
        if !kept {
            counts.add(Reason::OtherBlock, offset);
            if !window.skip(u64::from(len))? {
                counts.add(Reason::TruncatedTail, offset);
                return Ok(Step::End);
            }
            return Ok(Step::Other);
        }
        if len > KEPT_BLOCK_LEN_MAX {
            return damaged(counts);
        }
        if !window.ensure(len as usize)? {
            truncated(window, counts);
            return Ok(Step::End);
        }
        let place = window.take(len as usize);
        if kind == STATISTICS {
            counts.add(Reason::OtherBlock, offset);
        }
        let block = &window.buffer()[place.clone()];
        if self.word(block, block.len() - 4) != len {
            return damaged(counts);
        }
        match kind {
            SECTION_HEADER if self.start_section(block) => Ok(Step::Other),
            INTERFACE if self.add_interface(block, offset, counts) => Ok(Step::Other),
            SECTION_HEADER | INTERFACE => damaged(counts),
            STATISTICS => {
                self.read_statistics(block, offset, counts);
                Ok(Step::Other)
            }
            _ => match self.read_packet(kind, block) {
                Some(mut packet) => {
                    // Most packets have no options; only enhanced ones say anything in them that we want.
                    let options_at = packet.data_at + (packet.captured_len as usize).next_multiple_of(4);
                    if kind == PACKET_ENHANCED && options_at + 8 <= block.len() {
                        let options = &block[options_at..block.len() - 4];
                        packet.dropped = self.read_dropped(options, offset, counts);
                    }
                    Ok(self.record(packet, place, offset, counts))
                }
                None => damaged(counts),
            },
        }
    }

    /// Byte-order magic of a section header: its block's bytes 8 to 11 (section 4.1).
    fn read_byte_order(&mut self, block: &[u8]) -> bool {
        match block[8..12] {
            [0x1a, 0x2b, 0x3c, 0x4d] => self.big_endian = true,
            [0x4d, 0x3c, 0x2b, 0x1a] => self.big_endian = false,
            _ => return false,
        }
        true
    }

    /// Section 4.1: interfaces are numbered anew. Minor versions may only add; major ones are unknown to us.
    fn start_section(&mut self, block: &[u8]) -> bool {
        if block.len() < 28 || self.half(block, 12) != 1 {
            return false;
        }
        self.interfaces_before = self.interfaces_before.saturating_add(self.interfaces.len() as u32);
        self.interfaces.clear();
        true
    }

    /// Section 4.2.
    fn add_interface(&mut self, block: &[u8], offset: u64, counts: &mut CaptureCounts) -> bool {
        if block.len() < 20 || self.interfaces.len() >= INTERFACES_MAX {
            return false;
        }
        let number = self.half(block, 8);
        let content = LinkType::from_number(number).map_or(Content::UnknownFrame, Content::Frame);
        let snap_len = self.word(block, 12);
        // Without the option a tick is a microsecond.
        let resolution = Resolution::from_option(6);
        let mut interface = Interface {
            content,
            snap_len,
            resolution,
            offset_s: 0,
            name: names::UNNAMED,
            dropped: 0,
            os_drops: 0,
        };
        for option in OptionList::new(&block[16..block.len() - 4], self.big_endian) {
            match option {
                // A damaged list is no reason to lose the packets.
                Err(_) => counts.add(Reason::OtherBlock, offset),
                Ok((2, name)) => match self.names.place_of(name) {
                    Some(name) => interface.name = name,
                    None => counts.add(Reason::BadOption, offset),
                },
                Ok((9, &[value, ..])) => interface.resolution = Resolution::from_option(value),
                Ok((14, value)) => {
                    if let Some(value) = self.long(value) {
                        interface.offset_s = value as i64;
                    }
                }
                Ok(_) => {}
            }
        }
        self.interfaces.push(interface);
        true
    }

    /// The head of a packet block; `None` when the block is shorter than it says.
    fn read_packet(&self, kind: u32, block: &[u8]) -> Option<Packet> {
        let ticks_at = |at| Some(u64::from(self.word(block, at)) << 32 | u64::from(self.word(block, at + 4)));
        // Header lengths without the trailing block length: sections 4.3, 4.4 and A (obsolete).
        let packet = match kind {
            PACKET_SIMPLE if block.len() >= 16 => {
                let wire_len = self.word(block, 8);
                let snap_len = self.interfaces.first().map_or(0, |interface| interface.snap_len);
                let snap_len = if snap_len == 0 { u32::MAX } else { snap_len };
                let captured_len = wire_len.min(snap_len).min((block.len() - 16) as u32);
                Packet { interface: 0, ticks: None, dropped: 0, captured_len, wire_len, data_at: 12 }
            }
            PACKET_ENHANCED | PACKET_OBSOLETE if block.len() >= 32 => Packet {
                interface: match kind {
                    PACKET_ENHANCED => self.word(block, 8),
                    _ => u32::from(self.half(block, 8)),
                },
                ticks: ticks_at(12),
                // Its drops stand in the header, all ones for "not known".
                dropped: match (kind, self.half(block, 10)) {
                    (PACKET_OBSOLETE, dropped) if dropped != u16::MAX => u32::from(dropped),
                    _ => 0,
                },
                captured_len: self.word(block, 20),
                wire_len: self.word(block, 24),
                data_at: 28,
            },
            _ => return None,
        };
        let room = block.len() - 4 - packet.data_at;
        (packet.captured_len <= PACKET_LEN_MAX && packet.captured_len as usize <= room).then_some(packet)
    }

    /// `epb_dropcount` (section 4.3.1): packets lost since the packet before of the same interface.
    fn read_dropped(&self, options: &[u8], offset: u64, counts: &mut CaptureCounts) -> u32 {
        let mut dropped = 0_u64;
        for option in OptionList::new(options, self.big_endian) {
            match option {
                Ok((4, value)) => match self.long(value) {
                    Some(value) => dropped = value,
                    None => counts.add_at(Reason::BadOption, counts.packets + 1, offset),
                },
                Err(_) => counts.add_at(Reason::BadOption, counts.packets + 1, offset),
                Ok(_) => {}
            }
        }
        u32::try_from(dropped).unwrap_or(u32::MAX)
    }

    /// Section 4.6: drops of the operating system, and the time up to which the interface was watched. Numbers that
    /// cannot be are counted and not used: drops that become fewer, an end more than [`WATCHED_MAX_NS`] after the
    /// latest packet. Without a packet before it an end says nothing that could be used.
    fn read_statistics(&mut self, block: &[u8], offset: u64, counts: &mut CaptureCounts) {
        let number = if block.len() >= 24 { Some(self.word(block, 8)) } else { None };
        let Some(at) = number.map(|n| n as usize).filter(|&at| at < self.interfaces.len()) else {
            return counts.add(Reason::BadStatistics, offset);
        };
        for option in OptionList::new(&block[20..block.len() - 4], self.big_endian) {
            match option {
                Ok((3, value)) if value.len() == 8 => {
                    let ticks = u64::from(self.word(value, 0)) << 32 | u64::from(self.word(value, 4));
                    let end_ns = u64::try_from(self.interfaces[at].time_ns(ticks)).ok();
                    let Some(newest_ns) = self.newest_ns else { continue };
                    match end_ns.filter(|&end_ns| end_ns <= newest_ns.saturating_add(WATCHED_MAX_NS)) {
                        Some(end_ns) => self.watched_until_ns = self.watched_until_ns.max(Some(end_ns)),
                        None => counts.add(Reason::BadStatistics, offset),
                    }
                }
                // Only what stands before the first packet says since when: at the end it repeats the file's beginning.
                Ok((2, value)) if value.len() == 8 => {
                    let ticks = u64::from(self.word(value, 0)) << 32 | u64::from(self.word(value, 4));
                    let from_ns = u64::try_from(self.interfaces[at].time_ns(ticks)).ok();
                    if self.newest_ns.is_none() {
                        self.watched_from_ns = self.watched_from_ns.or(from_ns);
                    }
                }
                Ok((7, value)) => match self.long(value) {
                    Some(drops) if drops >= self.interfaces[at].os_drops => {
                        let before = std::mem::replace(&mut self.interfaces[at].os_drops, drops);
                        self.host_drops = self.host_drops.saturating_add(drops - before);
                    }
                    Some(_) => counts.add(Reason::BadStatistics, offset),
                    None => counts.add(Reason::BadOption, offset),
                },
                Ok((2 | 3, _)) | Err(_) => counts.add(Reason::BadOption, offset),
                Ok(_) => {}
            }
        }
    }

    /// A 64-bit option value in the section's byte order.
    fn long(&self, value: &[u8]) -> Option<u64> {
        if value.len() != 8 {
            return None;
        }
        let (first, second) = (u64::from(self.word(value, 0)), u64::from(self.word(value, 4)));
        Some(if self.big_endian { first << 32 | second } else { second << 32 | first })
    }

    /// What was lost before a datagram of this interface (numbered over all sections) since the last that asked.
    #[inline]
    pub fn take_lost(&mut self, interface: u32) -> Lost {
        let at = interface.wrapping_sub(self.interfaces_before) as usize;
        let socket =
            self.interfaces.get_mut(at).map_or(0, |interface| std::mem::take(&mut interface.dropped));
        let host = std::mem::take(&mut self.host_drops);
        Lost { socket, host: u32::try_from(host).unwrap_or(u32::MAX) }
    }

    /// Place of the name of an interface of the current section, for [`PcapngReader::name`].
    #[inline]
    pub fn name_place(&self, interface: u32) -> u32 {
        let at = interface.wrapping_sub(self.interfaces_before) as usize;
        self.interfaces.get(at).map_or(names::UNNAMED, |interface| interface.name)
    }

    /// A name by its place; holds until the end, whatever section it came from.
    #[inline]
    pub fn name(&self, place: u32) -> &str {
        self.names.name(place)
    }

    /// The names behind the first so many, in the order of their places.
    pub fn names_behind(&self, known: usize) -> &[Box<str>] {
        self.names.behind(known)
    }

    /// Since when an interface is watched, as statistics before the first packet say.
    pub fn watched_from_ns(&self) -> Option<u64> {
        self.watched_from_ns
    }

    /// The latest time up to which, as statistics say, an interface was watched, and not before the latest packet.
    pub fn watched_until_ns(&self) -> Option<u64> {
        self.watched_until_ns.max(self.watched_until_ns.and(self.newest_ns))
    }

    fn record(
        &mut self,
        packet: Packet,
        place: Range<usize>,
        offset: u64,
        counts: &mut CaptureCounts,
    ) -> Step {
        let frame = counts.packets + 1;
        let Some(interface) = self.interfaces.get_mut(packet.interface as usize) else {
            counts.packets += 1;
            counts.bytes += u64::from(packet.captured_len);
            counts.add(Reason::UnknownInterface, offset);
            return Step::Other;
        };
        interface.dropped = interface.dropped.saturating_add(packet.dropped);
        match packet.ticks {
            None => counts.add_at(Reason::NoTimestamp, frame, offset),
            Some(ticks) => {
                let ns = interface.time_ns(ticks);
                self.latest_ns = u64::try_from(ns).unwrap_or_else(|_| {
                    counts.add_at(Reason::BadTimestamp, frame, offset);
                    if ns < 0 { 0 } else { u64::MAX }
                });
            }
        }
        self.newest_ns = self.newest_ns.max(Some(self.latest_ns));
        let start = place.start + packet.data_at;
        Step::Packet(Record {
            ts_ns: self.latest_ns,
            content: interface.content,
            interface: self.interfaces_before.saturating_add(packet.interface),
            data: start..start + packet.captured_len as usize,
            wire_len: packet.wire_len.max(packet.captured_len),
            offset,
        })
    }
}
