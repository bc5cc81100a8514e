//! IEX-TP, the transport of IEX's market data (IEX Transport Specification, version 1), and the messages that
//! TOPS and DEEP share.
//!
//! A segment is a 40-byte header and `message_count` messages, each behind its two-byte length. Everything is
//! little-endian. Count 0 is a heartbeat whose sequence number is the next one to come. The header names the
//! message protocol, so a feed here never mistakes another's segment for its own.
//! This module never says what a quote or a level means: that is the feeds' own.

pub mod common;

use crate::feed::{PacketHeader, PacketKind, Span};
use crate::wire::le::{I64, U8, U16, U32, U64};
use crate::wire::{ErrorKind, Reserved, WireError};

crate::wire! {
    /// Segment header (Outbound Segment Format).
    block SegmentHeader "iextp_header", len 40 {
        0 version: U8,
        1 reserved: Reserved<1>,
        2 message_protocol_id: U16,
        4 channel_id: U32,
        8 session_id: U32,
        12 payload_length: U16,
        14 message_count: U16,
        16 stream_offset: I64,
        24 first_message_sequence_number: U64,
        32 send_time: I64,
    }
    values SegmentHeaderValues;

    /// Length in front of every message.
    block MessageBlock "message_block", len 2 {
        0 message_length: U16,
    };
}

/// The transport's version that is declared here.
pub const VERSION: u8 = 1;

/// Reads the header of a segment that carries one of the message protocols `ids`.
///
/// # Errors
/// `Truncated` when fewer than 40 bytes are there; `NotThisFeed` for another transport version or message protocol.
#[inline]
pub fn header(payload: &[u8], ids: &[u16]) -> Result<PacketHeader, WireError> {
    let view = SegmentHeader::read(payload)?;
    let foreign = |offset, needed: usize, had: usize| WireError {
        kind: ErrorKind::NotThisFeed,
        message: SegmentHeader::NAME,
        offset,
        needed,
        had,
    };
    if view.version() != VERSION {
        return Err(foreign(0, usize::from(VERSION), usize::from(view.version())));
    }
    let id = view.message_protocol_id();
    if !ids.contains(&id) {
        return Err(foreign(2, usize::from(ids.first().copied().unwrap_or(0)), usize::from(id)));
    }
    let count = u32::from(view.message_count());
    Ok(PacketHeader {
        session: u128::from(view.session_id()),
        sequence: view.first_message_sequence_number(),
        count,
        kind: if count == 0 { PacketKind::Heartbeat } else { PacketKind::Data },
        ts_send_ns: u64::try_from(view.send_time()).ok().filter(|ns| *ns > 0),
        len: SegmentHeader::LEN,
        sequence_bits: 64,
    })
}

/// The message at `at`; `None` at the end of the segment. Bytes behind the header's `payload_length` are not
/// the segment's.
///
/// # Errors
/// `Truncated` when the length or the message is not all there.
#[inline]
pub fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
    let declared = SegmentHeader::LEN + usize::from(SegmentHeader::read(payload)?.payload_length());
    let segment = payload.get(..declared).unwrap_or(payload);
    if at >= segment.len() {
        return match declared > payload.len() {
            true => Err(WireError::truncated(SegmentHeader::NAME, payload.len(), declared, payload.len())),
            false => Ok(None),
        };
    }
    let block = MessageBlock::read(&segment[at..]).map_err(|e| e.shifted(at))?;
    let start = at + MessageBlock::LEN;
    let end = start + usize::from(block.message_length());
    if end > segment.len() {
        let needed = usize::from(block.message_length());
        return Err(WireError::truncated(MessageBlock::NAME, start, needed, segment.len() - start));
    }
    Ok(Some(Span { start, end }))
}

/// How surely the payload is a segment of one of the message protocols `ids`, 0 to 100: the header must name it
/// and the messages must fill the segment exactly.
pub fn recognise(payload: &[u8], ids: &[u16]) -> u8 {
    let Ok(header) = header(payload, ids) else { return 0 };
    let Ok(view) = SegmentHeader::read(payload) else { return 0 };
    if SegmentHeader::LEN + usize::from(view.payload_length()) != payload.len() {
        return 0;
    }
    let (mut at, mut messages) = (header.len, 0u32);
    loop {
        match split(payload, at) {
            Ok(Some(span)) => {
                at = span.end;
                messages += 1;
            }
            Ok(None) if messages == header.count => break,
            _ => return 0,
        }
    }
    // The protocol's id is in the header, so a heartbeat says whose it is too.
    if messages > 0 { 99 } else { 90 }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::Event;
    use crate::feed::{Decoded, Feed};
    use crate::wire::{Value, Visitor};
    use std::vec::Vec;

    /// A listing that keeps nothing.
    pub(crate) struct Ignore;

    impl Visitor for Ignore {
        fn field(&mut self, _: &'static str, _: Value<'_>) {}
        fn begin_group(&mut self, _: &'static str) {}
        fn begin_entry(&mut self) {}
        fn end_entry(&mut self) {}
        fn end_group(&mut self) {}
    }

    /// Asks everything of a feed about `payload`: nothing may panic or go on for ever.
    pub(crate) fn visit<F: Feed>(payload: &[u8]) {
        assert!(F::recognise(payload) <= 100);
        let Ok(header) = F::header(payload) else { return };
        let mut at = header.len;
        while let Ok(Some(span)) = F::split(payload, at) {
            assert!(span.end > at && span.end <= payload.len() && span.start <= span.end);
            let message = &payload[span.start..span.end];
            let decoded = F::decode(message, &header, &mut |_: u64, _: Event<'_>| {});
            let listed = F::list(message, &mut Ignore);
            assert_eq!(matches!(decoded, Ok(Decoded::Unknown(_))), matches!(listed, Ok(None)));
            at = span.end;
        }
    }

    /// A segment of protocol `id` with `messages`, sequence 7, session 3, sent at 5 ns.
    pub(crate) fn segment(id: u16, messages: &[&[u8]]) -> Vec<u8> {
        let payload: Vec<u8> = messages
            .iter()
            .flat_map(|m| (m.len() as u16).to_le_bytes().into_iter().chain(m.iter().copied()))
            .collect();
        let header = SegmentHeaderValues {
            version: VERSION,
            reserved: [0],
            message_protocol_id: id,
            channel_id: 1,
            session_id: 3,
            payload_length: payload.len() as u16,
            message_count: messages.len() as u16,
            stream_offset: 0,
            first_message_sequence_number: 7,
            send_time: 5,
        };
        header.encode().into_iter().chain(payload).collect()
    }

    #[test]
    fn reads_header_and_messages_in_order() {
        let p = segment(0x8003, &[b"abc", b"z"]);
        let h = header(&p, &[0x8003]).unwrap();
        let expected = PacketHeader {
            session: 3,
            sequence: 7,
            count: 2,
            kind: PacketKind::Data,
            ts_send_ns: Some(5),
            len: 40,
            sequence_bits: 64,
        };
        assert_eq!(h, expected);
        assert_eq!(split(&p, 40), Ok(Some(Span { start: 42, end: 45 })));
        assert_eq!(split(&p, 45), Ok(Some(Span { start: 47, end: 48 })));
        assert_eq!(split(&p, 48), Ok(None));
        assert_eq!(recognise(&p, &[0x8003]), 99);
    }

    #[test]
    fn every_prefix_is_truncated() {
        let p = segment(0x8003, &[b"abc", b"z"]);
        for n in 0..40 {
            assert_eq!(header(&p[..n], &[0x8003]).unwrap_err().kind, ErrorKind::Truncated, "prefix {n}");
        }
        for n in 40..p.len() {
            let mut at = 40;
            let error = loop {
                match split(&p[..n], at) {
                    Ok(Some(span)) => at = span.end,
                    Ok(None) => panic!("prefix {n} was taken for whole"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind, ErrorKind::Truncated, "prefix {n}");
            assert_eq!(recognise(&p[..n], &[0x8003]), 0);
        }
    }

    #[test]
    fn another_protocol_or_version_is_not_this_feed() {
        let mut p = segment(0x8005, &[b"abc"]);
        assert_eq!(header(&p, &[0x8004]).unwrap_err().kind, ErrorKind::NotThisFeed);
        assert_eq!(recognise(&p, &[0x8004]), 0);
        p[0] = 2;
        assert_eq!(header(&p, &[0x8005]).unwrap_err().kind, ErrorKind::NotThisFeed);
    }

    #[test]
    fn a_heartbeat_holds_the_next_number() {
        let p = segment(0x8004, &[]);
        let h = header(&p, &[0x8004]).unwrap();
        assert_eq!((h.kind, h.sequence, h.count), (PacketKind::Heartbeat, 7, 0));
        assert_eq!(split(&p, 40), Ok(None));
        assert_eq!(recognise(&p, &[0x8004]), 90);
    }

    #[test]
    fn bytes_behind_the_segment_are_not_read() {
        let mut p = segment(0x8004, &[b"abc"]);
        p.extend_from_slice(b"\x04\x00trailer");
        assert_eq!(split(&p, 45), Ok(None));
        assert_eq!(recognise(&p, &[0x8004]), 0);
    }

    /// The README's table is the declaration's.
    #[test]
    fn readme_says_what_the_code_says() {
        for row in SegmentHeader::ROWS {
            let line = std::format!("| {} | {} | {} |", row.name, row.offset, row.len);
            assert!(include_str!("README.md").lines().any(|l| l == line), "README lacks {line}");
        }
    }
}
