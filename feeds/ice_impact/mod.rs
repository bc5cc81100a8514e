#![doc = include_str!("README.md")]

mod decode;
pub mod definitions;
pub mod wire;

use crate::event::Sink;
use crate::feed::{
    Decoded, Depth, Described, Feed, Info, PacketHeader, PacketKind, SequenceUnit, Span, TimeBase,
};
use crate::wire::{Layout, Visitor, WireError};

/// ICE Futures iMpact 1.1.24 to 1.1.33.
pub struct IceImpact;

/// Nanoseconds in the milliseconds that this feed counts.
const NS_PER_MS: u64 = 1_000_000;

/// Send times outside of 2000 to 2100 are not this feed's.
const PLAUSIBLE_MS: core::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;

impl Feed for IceImpact {
    const INFO: Info = Info {
        name: "ice-impact",
        specification: "ICE iMpact Multicast Feed Message Specification",
        versions: "1.1.24, 1.1.33",
        transport: "iMpact message blocks over UDP",
        carries: "every order, or price levels, of futures and options; trades, statistics, definitions",
        depth: Depth::Orders,
        venue: "IFEU",
        price_decimals: 0,
        time_base: TimeBase::Unix,
        sequence_unit: SequenceUnit::Message,
        heartbeat_ns: 1_000_000_000,
        number_is_identity: true,
        round_lots_only: false,
        symbology: "",
        participants: &[],
        listings: &[],
    };
    const MESSAGES: &'static [&'static Layout] = wire::MESSAGES;

    #[inline]
    fn header(payload: &[u8]) -> Result<PacketHeader, WireError> {
        let view = wire::PacketHeader::read(payload)?;
        let count = u32::from(view.number_of_msgs());
        Ok(PacketHeader {
            session: u128::from(view.session()),
            sequence: u64::from(view.sequence()),
            count,
            kind: if count == 0 { PacketKind::Heartbeat } else { PacketKind::Data },
            ts_send_ns: view.sent_date_time().checked_mul(NS_PER_MS).filter(|ns| *ns > 0),
            len: wire::PacketHeader::LEN,
            sequence_bits: 32,
        })
    }

    #[inline]
    fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
        if at >= payload.len() {
            return Ok(None);
        }
        let header = wire::MessageHeader::read(&payload[at..]).map_err(|e| e.shifted(at))?;
        let len = wire::MessageHeader::LEN + usize::from(header.message_body_length());
        let had = payload.len() - at;
        if len > had {
            return Err(WireError::truncated(wire::MessageHeader::NAME, at, len, had));
        }
        Ok(Some(Span { start: at, end: at + len }))
    }

    fn describe(message: &[u8]) -> Result<Option<Described>, WireError> {
        let tag = decode::tag(message)?;
        Ok(decode::index(tag).map(|i| Described { layout: wire::MESSAGES[usize::from(i)], block_len: None }))
    }

    #[inline]
    fn decode<S: Sink>(message: &[u8], _: &PacketHeader, sink: &mut S) -> Result<Decoded, WireError> {
        decode::decode(message, sink)
    }

    fn recognise(payload: &[u8]) -> u8 {
        let Ok(view) = wire::PacketHeader::read(payload) else { return 0 };
        if !PLAUSIBLE_MS.contains(&view.sent_date_time()) {
            return 0;
        }
        let (mut at, mut messages) = (wire::PacketHeader::LEN, 0);
        while let Ok(Some(span)) = Self::split(payload, at) {
            let known = decode::index(payload[span.start]);
            if known.is_none_or(|i| wire::MESSAGES[usize::from(i)].len > span.end - span.start) {
                return 0;
            }
            at = span.end;
            messages += 1;
        }
        match (at == payload.len() && messages == view.number_of_msgs(), messages) {
            (false, _) => 0,
            // A header alone: a count of 0 and a time in milliseconds that makes sense.
            (true, 0) => 60,
            (true, _) => 96,
        }
    }

    fn list(message: &[u8], visitor: &mut dyn Visitor) -> Result<Option<&'static Layout>, WireError> {
        let Some(Described { layout, block_len }) = Self::describe(message)? else { return Ok(None) };
        crate::wire::walk(layout, message, block_len, visitor)?;
        if layout.tag == wire::SpecialFieldMessage::TAG {
            decode::list_special_fields(message, visitor)?;
        }
        Ok(Some(layout))
    }
}

#[cfg(test)]
mod tests;
