#![doc = include_str!("README.md")]

mod decode;
pub mod transport;
pub mod wire;

use crate::event::Sink;
use crate::feed::{Decoded, Depth, Described, Feed, Info, PacketHeader, SequenceUnit, Span, TimeBase};
use crate::wire::WireError;

/// CME Globex MDP 3.0.
pub struct Mdp3;

impl Feed for Mdp3 {
    const INFO: Info = Info {
        name: "cme-mdp3",
        specification: "CME Globex MDP 3.0 Market Data",
        versions: "SBE schema mktdata 5 to 13",
        transport: "MDP 3.0 packets over UDP multicast; MDP conflated TCP",
        carries: "price levels, implied levels, orders, trades, statistics, definitions, trading states",
        depth: Depth::Levels,
        venue: "XCME",
        price_decimals: 9,
        time_base: TimeBase::Unix,
        sequence_unit: SequenceUnit::Packet,
        heartbeat_ns: 30_000_000_000,
        number_is_identity: true,
        round_lots_only: false,
        symbology: "",
        participants: &[],
        listings: &[],
    };
    const MESSAGES: &'static [&'static crate::wire::Layout] = wire::MESSAGES;

    #[inline]
    fn header(payload: &[u8]) -> Result<PacketHeader, WireError> {
        transport::header(payload)
    }

    #[inline]
    fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError> {
        transport::split(payload, at)
    }

    fn describe(message: &[u8]) -> Result<Option<Described>, WireError> {
        let Some(message) = decode::Message::read(message)? else { return Ok(None) };
        Ok(Some(Described { layout: message.layout, block_len: Some(message.block_end) }))
    }

    #[inline]
    fn decode<S: Sink>(message: &[u8], _: &PacketHeader, sink: &mut S) -> Result<Decoded, WireError> {
        decode::decode(message, sink)
    }

    fn recognise(payload: &[u8]) -> u8 {
        transport::recognise(payload, |message| matches!(decode::Message::read(message), Ok(Some(_))))
    }
}
