//! pcapng blocks: sections, interfaces, packets of three kinds.
//!
//! "PCAP Now Generic (pcapng) Capture File Format" (draft-ietf-opsawg-pcapng),
//! section 4. Times are brought to nanoseconds since 1970 whatever resolution and
//! offset an interface has. Blocks without packets (names, statistics, secrets,
//! custom) are passed over and counted.

use std::io;
use std::ops::Range;

use feeds::frame::LinkType;

use super::counts::{CaptureCounts, Reason};
use super::pcap::truncated;
use super::record::{Content, PACKET_LEN_MAX, Record};
use super::window::Window;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET_OBSOLETE: u32 = 2;
const PACKET_SIMPLE: u32 = 3;
const PACKET_ENHANCED: u32 = 6;

/// The largest block with a packet or interface that we keep in memory: the largest
/// packet and as much again for its options.
const KEPT_BLOCK_LEN_MAX: u32 = 2 * PACKET_LEN_MAX;
/// The largest block at all; key logs and name tables stay far below. A larger length is damage.
const BLOCK_LEN_MAX: u32 = 64 * 1024 * 1024;
/// Interfaces in one section: more than any tool writes, and a bound for hostile files.
const INTERFACES_MAX: usize = 65_536;

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
}

/// Reads one pcapng file.
#[derive(Debug, Default)]
pub(super) struct PcapngReader {
    big_endian: bool,
    /// Interfaces of the current section.
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before: datagrams number them through.
    interfaces_before: u32,
    latest_ns: u64,
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
        if !known {
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
        let block = &window.buffer()[place.clone()];
        if self.word(block, block.len() - 4) != len {
            return damaged(counts);
        }
        match kind {
            SECTION_HEADER if self.start_section(block) => Ok(Step::Other),
            INTERFACE if self.add_interface(block, offset, counts) => Ok(Step::Other),
            SECTION_HEADER | INTERFACE => damaged(counts),
            _ => match self.read_packet(kind, block) {
                Some(packet) => Ok(self.record(packet, place, offset, counts)),
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
        let mut interface = Interface { content, snap_len, resolution, offset_s: 0 };
        let mut options = &block[16..block.len() - 4];
        while options.len() >= 4 {
            let (code, len) = (self.half(options, 0), usize::from(self.half(options, 2)));
            // The list may end without its end mark, and a damaged list is no reason to lose the packets.
            let Some(value) = options.get(4..4 + len) else {
                counts.add(Reason::OtherBlock, offset);
                break;
            };
            match (code, value) {
                (0, _) => break,
                (9, &[value, ..]) => interface.resolution = Resolution::from_option(value),
                (14, _) if len == 8 => {
                    let (high, low) = (self.word(value, 0), self.word(value, 4));
                    let (high, low) = if self.big_endian { (high, low) } else { (low, high) };
                    interface.offset_s = (u64::from(high) << 32 | u64::from(low)) as i64;
                }
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or(&[]);
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
                Packet { interface: 0, ticks: None, captured_len, wire_len, data_at: 12 }
            }
            PACKET_ENHANCED | PACKET_OBSOLETE if block.len() >= 32 => Packet {
                interface: match kind {
                    PACKET_ENHANCED => self.word(block, 8),
                    _ => u32::from(self.half(block, 8)),
                },
                ticks: ticks_at(12),
                captured_len: self.word(block, 20),
                wire_len: self.word(block, 24),
                data_at: 28,
            },
            _ => return None,
        };
        let room = block.len() - 4 - packet.data_at;
        (packet.captured_len <= PACKET_LEN_MAX && packet.captured_len as usize <= room).then_some(packet)
    }

    fn record(
        &mut self,
        packet: Packet,
        place: Range<usize>,
        offset: u64,
        counts: &mut CaptureCounts,
    ) -> Step {
        let frame = counts.packets + 1;
        let Some(interface) = self.interfaces.get(packet.interface as usize) else {
            counts.packets += 1;
            counts.bytes += u64::from(packet.captured_len);
            counts.add(Reason::UnknownInterface, offset);
            return Step::Other;
        };
        match packet.ticks {
            None => counts.add_at(Reason::NoTimestamp, frame, offset),
            Some(ticks) => {
                let ns = interface.resolution.to_ns(ticks) + i128::from(interface.offset_s) * 1_000_000_000;
                self.latest_ns = u64::try_from(ns).unwrap_or_else(|_| {
                    counts.add_at(Reason::BadTimestamp, frame, offset);
                    if ns < 0 { 0 } else { u64::MAX }
                });
            }
        }
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
