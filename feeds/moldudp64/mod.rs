//! MoldUDP64, the transport of Nasdaq's multicast feeds (Nasdaq MoldUDP64 Protocol Specification, version 1.00).
//!
//! A downstream packet is a 20-byte header and `message_count` message blocks, each a two-byte length and the
//! message. Count 0 is a heartbeat whose sequence number is the next one to come; count 0xFFFF ends the session.
//! This module knows nothing of what the messages say.

use crate::feed::{PacketHeader, PacketKind, Span};
use crate::wire::be::{U16, U64};
use crate::wire::{ErrorKind, Text, WireError};

crate::wire! {
    /// Downstream packet header (section 2).
    block DownstreamHeader "moldudp64_header", len 20 {
        0 session: Text<10>,
        10 sequence_number: U64,
        18 message_count: U16,
    }
    values DownstreamHeaderValues;

    /// Length in front of every message (section 2.1).
    block MessageBlock "message_block", len 2 {
        0 message_length: U16,
    };
}

/// Message count that ends a session.
pub const END_OF_SESSION: u16 = 0xFFFF;

/// Reads the downstream header.
///
/// # Errors
/// `Truncated` when fewer than 20 bytes are there.
#[inline]
pub fn header(payload: &[u8]) -> Result<PacketHeader, WireError> {
    let view = DownstreamHeader::read(payload)?;
    let mut session = [0u8; 16];
    session[6..].copy_from_slice(&view.session());
    let (kind, count) = match view.message_count() {
        0 => (PacketKind::Heartbeat, 0),
        END_OF_SESSION => (PacketKind::EndOfSession, 0),
        n => (PacketKind::Data, u32::from(n)),
    };
    Ok(PacketHeader {
        session: u128::from_be_bytes(session),
        sequence: view.sequence_number(),
        count,
        kind,
        ts_send_ns: None,
        len: DownstreamHeader::LEN,
        sequence_bits: 64,
    })
}

/// The message block at `at`; `None` at the end of the payload.
///
/// # Errors
/// `Truncated` when the length or the message is not all there.
#[inline]
pub fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
    // Two comparisons where all is well: what else it may be is looked at when one of them fails.
    let Some(Ok(block)) = payload.get(at..).map(MessageBlock::read) else { return no_block(payload, at) };
    let start = at + MessageBlock::LEN;
    let end = start + usize::from(block.message_length());
    if end > payload.len() {
        return Err(cut_short(usize::from(block.message_length()), start, payload.len()));
    }
    Ok(Some(Span { start, end }))
}

#[cold]
fn no_block(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
    match payload.get(at..) {
        Some(rest) if !rest.is_empty() => MessageBlock::read(rest).map(|_| None).map_err(|e| e.shifted(at)),
        _ => Ok(None),
    }
}

#[cold]
const fn cut_short(needed: usize, start: usize, had: usize) -> WireError {
    WireError::truncated("message_block", start, needed, had - start)
}

/// How well the payload fits the framing, 0 to 100: every block must end where the next begins and the count must fit.
pub fn recognise(payload: &[u8]) -> u8 {
    let Ok(header) = header(payload) else { return 0 };
    let printable = payload[..10].iter().all(|b| (b' '..=b'~').contains(b) || *b == 0);
    if !printable {
        return 0;
    }
    let mut at = DownstreamHeader::LEN;
    let mut messages = 0u32;
    loop {
        match split(payload, at) {
            Ok(Some(span)) if span.end > span.start => {
                at = span.end;
                messages += 1;
                // Zero padding of short Ethernet frames is cut by the UDP length; what is left must be messages.
            }
            Ok(None) => break,
            _ => return 0,
        }
    }
    match (header.kind, messages) {
        (PacketKind::Data, n) if n == header.count => 60,
        // Anonymised captures zero the whole header, count included.
        (PacketKind::Heartbeat, n) if n > 0 && header.sequence == 0 => 30,
        (PacketKind::Heartbeat | PacketKind::EndOfSession, 0) => 20,
        _ => 0,
    }
}

/// An error for a packet that announces `needed` messages and holds `had`.
pub const fn count_mismatch(needed: usize, had: usize) -> WireError {
    WireError { kind: ErrorKind::CountMismatch, message: "moldudp64_header", offset: 18, needed, had }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &[u8] = b"SESSION001\0\0\0\0\0\0\0\x05\0\x02\0\x03abc\0\x01z";

    #[test]
    fn reads_header_and_messages_in_order() {
        let h = header(PACKET).unwrap();
        assert_eq!((h.sequence, h.count, h.kind, h.len), (5, 2, PacketKind::Data, 20));
        let first = split(PACKET, h.len).unwrap().unwrap();
        let second = split(PACKET, first.end).unwrap().unwrap();
        assert_eq!(
            (&PACKET[first.start..first.end], &PACKET[second.start..second.end]),
            (&b"abc"[..], &b"z"[..])
        );
        assert_eq!(split(PACKET, second.end), Ok(None));
    }

    #[test]
    fn every_prefix_is_truncated_or_shorter() {
        for n in 0..20 {
            assert_eq!(header(&PACKET[..n]).unwrap_err().kind, ErrorKind::Truncated);
        }
        for n in 21..25 {
            assert_eq!(split(&PACKET[..n], 20).unwrap_err().kind, ErrorKind::Truncated, "prefix {n}");
        }
    }

    #[test]
    fn heartbeat_and_end_of_session() {
        let mut p: std::vec::Vec<u8> = PACKET[..20].into();
        p[19] = 0;
        assert_eq!(header(&p).unwrap().kind, PacketKind::Heartbeat);
        p[18..].copy_from_slice(&[0xFF, 0xFF]);
        assert_eq!(header(&p).unwrap().kind, PacketKind::EndOfSession);
    }
}
