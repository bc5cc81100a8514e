//! pcap records: one 24-byte file header, then records of 16 bytes and a packet.
//!
//! "PCAP Capture File Format" (draft-ietf-opsawg-pcap), sections 4 and 5. Both byte
//! orders, micro- and nanoseconds. Versions are not judged: readers of the last
//! twenty years take what they find, and so do we.

use std::io;

use feeds::frame::LinkType;

use super::counts::{CaptureCounts, Reason};
use super::record::{Content, Format, PACKET_LEN_MAX, Record};
use super::window::Window;

/// Length of the file header in bytes.
const FILE_HEADER_LEN: usize = 24;
/// Length of a record header in bytes.
const RECORD_HEADER_LEN: usize = 16;

/// Reads one pcap file.
#[derive(Debug)]
pub(super) struct PcapReader {
    big_endian: bool,
    nanos_per_fraction: u64,
    /// Known once the file header has been read.
    content: Option<Content>,
}

impl PcapReader {
    /// Tells pcap by its magic number.
    pub fn recognise(first: &[u8]) -> Option<(Self, Format)> {
        let (big_endian, nanos_per_fraction, format) = match first {
            [0xd4, 0xc3, 0xb2, 0xa1, ..] => (false, 1000, Format::PcapMicros),
            [0xa1, 0xb2, 0xc3, 0xd4, ..] => (true, 1000, Format::PcapMicros),
            [0x4d, 0x3c, 0xb2, 0xa1, ..] => (false, 1, Format::PcapNanos),
            [0xa1, 0xb2, 0x3c, 0x4d, ..] => (true, 1, Format::PcapNanos),
            _ => return None,
        };
        Some((Self { big_endian, nanos_per_fraction, content: None }, format))
    }

    fn word(&self, bytes: &[u8], at: usize) -> u32 {
        let bytes = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// The next record; `None` at the end of the file or at damage, which is counted.
    pub fn next(&mut self, window: &mut Window, counts: &mut CaptureCounts) -> io::Result<Option<Record>> {
        let content = match self.content {
            Some(content) => content,
            None if !window.ensure(FILE_HEADER_LEN)? => return Ok(truncated(window, counts)),
            None => {
                // The upper half holds the length of a frame check sequence, which the IP length tells us too.
                let number = self.word(window.bytes(), 20) as u16;
                window.take(FILE_HEADER_LEN);
                let content = LinkType::from_number(number).map_or(Content::UnknownFrame, Content::Frame);
                *self.content.insert(content)
            }
        };
        if !window.ensure(RECORD_HEADER_LEN)? {
            return Ok(truncated(window, counts));
        }
        let header = window.bytes();
        let seconds = u64::from(self.word(header, 0));
        let fraction = u64::from(self.word(header, 4));
        let captured_len = self.word(header, 8);
        let wire_len = self.word(header, 12);
        let offset = window.offset();
        if captured_len > PACKET_LEN_MAX {
            counts.add(Reason::BadRecordLength, offset);
            return Ok(None);
        }
        let len = RECORD_HEADER_LEN + captured_len as usize;
        if !window.ensure(len)? {
            return Ok(truncated(window, counts));
        }
        let place = window.take(len);
        // 2^32 seconds and fractions stay far below 2^64 nanoseconds.
        let ts_ns = seconds * 1_000_000_000 + fraction * self.nanos_per_fraction;
        let data = place.start + RECORD_HEADER_LEN..place.end;
        Ok(Some(Record { ts_ns, content, interface: 0, data, wire_len: wire_len.max(captured_len), offset }))
    }
}

/// The stream has ended: well, if nothing of a record is left.
pub(super) fn truncated(window: &Window, counts: &mut CaptureCounts) -> Option<Record> {
    if !window.bytes().is_empty() {
        counts.add(Reason::TruncatedTail, window.offset());
    }
    None
}
