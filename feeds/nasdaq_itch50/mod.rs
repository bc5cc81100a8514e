#![doc = include_str!("README.md")]

mod decode;
mod message;
pub mod wire;

pub use message::Message;

use crate::event::Sink;
use crate::feed::{
    Decoded, Depth, Described, Feed, Info, OrderMessage, PacketHeader, SequenceUnit, Span, TimeBase,
};
use crate::moldudp64;
use crate::wire::WireError;

/// Nasdaq TotalView-ITCH 5.0 over MoldUDP64.
pub struct Itch50;

impl Feed for Itch50 {
    const INFO: Info = Info {
        name: "nasdaq-itch-5.0",
        specification: "Nasdaq TotalView-ITCH",
        versions: "5.0",
        transport: "MoldUDP64, BinaryFILE",
        carries: "every displayed order, executions, trades, auctions, trading states",
        depth: Depth::Orders,
        venue: "XNAS",
        price_decimals: 4,
        time_base: TimeBase::SinceMidnight("America/New_York"),
        sequence_unit: SequenceUnit::Message,
        heartbeat_ns: 1_000_000_000,
        number_is_identity: false,
        round_lots_only: false,
        // Nasdaq's ticker symbol convention, note 3: "for data dissemination via ITCH".
        symbology: "nasdaq",
        participants: &[],
        listings: &[],
    };
    const MESSAGES: &'static [&'static crate::wire::Layout] = wire::MESSAGES;

    #[inline]
    fn header(payload: &[u8]) -> Result<PacketHeader, WireError> {
        moldudp64::header(payload)
    }

    #[inline]
    fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
        moldudp64::split(payload, at)
    }

    fn describe(message: &[u8]) -> Result<Option<Described>, WireError> {
        let tag = decode::tag(message)?;
        Ok(message::layout_of(tag).map(|layout| Described { layout, block_len: None }))
    }

    #[inline]
    fn decode<S: Sink>(message: &[u8], _: &PacketHeader, sink: &mut S) -> Result<Decoded, WireError> {
        decode::decode(message, sink)
    }

    #[inline]
    fn order_message(message: &[u8]) -> Option<OrderMessage> {
        decode::order_message(message)
    }

    fn recognise(payload: &[u8]) -> u8 {
        let framing = moldudp64::recognise(payload);
        if framing == 0 {
            return 0;
        }
        let mut at = moldudp64::DownstreamHeader::LEN;
        while let Ok(Some(span)) = moldudp64::split(payload, at) {
            let message = &payload[span.start..span.end];
            let fits = Message::read(message).ok().flatten();
            if fits.is_none_or(|m| m.layout().len != message.len()) {
                return 0;
            }
            at = span.end;
        }
        // Lengths and types of every message fit: nearly certain. Heartbeats say nothing of the feed.
        if at > moldudp64::DownstreamHeader::LEN { (framing + 38).min(98) } else { 10 }
    }
}
