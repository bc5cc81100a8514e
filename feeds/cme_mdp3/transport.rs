//! Packets of MDP 3.0: a packet header, then messages that each begin with their own size.
//!
//! On multicast the header is `MsgSeqNum` and `SendingTime` (12 bytes). On a TCP connection of the conflated feed a
//! two-byte encoding type comes before the two. Messages are alike on both. This module never looks into a message.

use super::wire::{self, MessageHeader, SCHEMA_ID, TechnicalHeader};
use crate::feed::{PacketHeader, PacketKind, Span};
use crate::wire::{ErrorKind, WireError};

/// Encoding type of a TCP packet: SBE 1.0, little-endian.
pub const ENCODING_TYPE: u16 = 0xCAFE;

/// The two bytes at `at` as a number, where they are there.
fn u16_at(payload: &[u8], at: usize) -> Option<u16> {
    payload.get(at..at + 2).and_then(|b| b.first_chunk()).map(|b| u16::from_le_bytes(*b))
}

/// Whether the payload has the header of a TCP packet.
///
/// The encoding type could be the low half of a multicast sequence number, so the schema id has to stand where
/// only a TCP packet has it, and not where a multicast packet has it. (A TCP packet has the template id there, and no
/// template has the schema's id.)
fn is_tcp(payload: &[u8]) -> bool {
    u16_at(payload, 0) == Some(ENCODING_TYPE)
        && u16_at(payload, wire::PacketHeader::LEN + 6) != Some(SCHEMA_ID)
        && matches!(u16_at(payload, TechnicalHeader::LEN + 6), Some(SCHEMA_ID | 2))
}

/// Reads the packet's header, multicast or TCP.
///
/// A packet with number 1 starts the numbers again: the first of the week, and the first of each loop of a
/// recovery feed. A heartbeat takes a number like any packet, so it is one.
///
/// # Errors
/// `Truncated` when the header is not all there.
#[inline]
pub fn header(payload: &[u8]) -> Result<PacketHeader, WireError> {
    let (sequence, sending_time, len) = if is_tcp(payload) {
        let view = TechnicalHeader::read(payload)?;
        (view.msg_seq_num(), view.sending_time(), TechnicalHeader::LEN)
    } else {
        let view = wire::PacketHeader::read(payload)?;
        (view.msg_seq_num(), view.sending_time(), wire::PacketHeader::LEN)
    };
    Ok(PacketHeader {
        session: 0,
        sequence: u64::from(sequence),
        count: 1,
        kind: if sequence == 1 { PacketKind::Reset } else { PacketKind::Data },
        ts_send_ns: Some(sending_time),
        len,
        sequence_bits: 32,
    })
}

/// The message at `at`, its size included; `None` at the end of the payload.
///
/// # Errors
/// `Truncated` when the message is not all there; `BadLength` when its size does not even cover its header.
#[inline]
pub fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
    let had = payload.len().saturating_sub(at);
    if had == 0 {
        return Ok(None);
    }
    let Some(size) = u16_at(payload, at).map(usize::from) else {
        return Err(WireError::truncated(MessageHeader::NAME, at, 2, had));
    };
    if size < MessageHeader::LEN {
        let (kind, message) = (ErrorKind::BadLength, MessageHeader::NAME);
        return Err(WireError { kind, message, offset: at, needed: MessageHeader::LEN, had: size });
    }
    if size > had {
        return Err(WireError::truncated(MessageHeader::NAME, at, size, had));
    }
    Ok(Some(Span { start: at, end: at + size }))
}

/// How surely the payload is a packet of this feed, 0 to 100; `known` says whether a message is declared.
pub fn recognise(payload: &[u8], known: impl Fn(&[u8]) -> bool) -> u8 {
    let Ok(header) = header(payload) else { return 0 };
    // Years 2010 to 2100: MDP 3.0 began in 2014, and anything else is not a sending time.
    let sent = header.ts_send_ns.unwrap_or(0) / 1_000_000_000;
    if !(1_262_304_000..4_102_444_800).contains(&sent) {
        return 0;
    }
    let (mut at, mut messages) = (header.len, 0u32);
    loop {
        match split(payload, at) {
            Ok(Some(span)) => {
                if !known(&payload[span.start..span.end]) {
                    return 0;
                }
                (at, messages) = (span.end, messages + 1);
            }
            // Size, schema and template of every message fit and fill the packet, and so does the time.
            Ok(None) => return if messages > 0 { 98 } else { 0 },
            Err(_) => return 0,
        }
    }
}
