#![doc = include_str!("README.md")]

mod decode;
pub mod wire;

use crate::event::Sink;
use crate::feed::{Decoded, Depth, Described, Feed, Info, PacketHeader, SequenceUnit, Span, TimeBase};
use crate::iextp;
use crate::wire::WireError;

/// IEX TOPS 1.5 and 1.6 over IEX-TP.
pub struct IexTops;

impl Feed for IexTops {
    const INFO: Info = Info {
        name: "iex-tops",
        specification: "IEX TOPS",
        versions: "1.5, 1.6",
        carries: "best bid and ask with aggregated sizes, trades, auction information, trading states",
        depth: Depth::Top,
        transport: "IEX-TP",
        venue: "IEXG",
        price_decimals: 4,
        time_base: TimeBase::Unix,
        sequence_unit: SequenceUnit::Message,
        heartbeat_ns: 1_000_000_000,
        number_is_identity: false,
        round_lots_only: false,
        // IEX: "represented in Nasdaq Integrated symbology".
        symbology: "nasdaq",
        participants: &[],
        listings: &[],
    };
    const MESSAGES: &'static [&'static crate::wire::Layout] = wire::MESSAGES;

    #[inline]
    fn header(payload: &[u8]) -> Result<PacketHeader, WireError> {
        iextp::header(payload, wire::PROTOCOLS)
    }

    #[inline]
    fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
        iextp::split(payload, at)
    }

    fn describe(message: &[u8]) -> Result<Option<Described>, WireError> {
        let tag = iextp::common::tag(message)?;
        Ok(decode::index(tag).map(|i| Described { layout: wire::MESSAGES[usize::from(i)], block_len: None }))
    }

    #[inline]
    fn decode<S: Sink>(message: &[u8], _: &PacketHeader, sink: &mut S) -> Result<Decoded, WireError> {
        decode::decode(message, sink)
    }

    fn recognise(payload: &[u8]) -> u8 {
        iextp::recognise(payload, wire::PROTOCOLS)
    }
}
