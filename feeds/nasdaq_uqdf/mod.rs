#![doc = include_str!("README.md")]

mod decode;
pub mod wire;

use crate::event::Sink;
use crate::feed::{Decoded, Depth, Described, Feed, Info, PacketHeader, SequenceUnit, Span, TimeBase};
use crate::moldudp64;
use crate::wire::WireError;

/// UTP quotation data feed, binary, over MoldUDP64.
pub struct Uqdf;

/// Market center originator ids and their MICs (ISO 10383).
const PARTICIPANTS: &[(u8, &str)] = &[
    (b'A', "XASE"),
    (b'B', "XBOS"),
    (b'C', "XCIS"),
    // FINRA's Alternative Display Facility quotes under FINRA's code.
    (b'D', "FINR"),
    (b'F', "TXSE"),
    (b'G', "24EQ"),
    (b'H', "EPRL"),
    (b'I', "XISX"),
    (b'J', "EDGA"),
    (b'K', "EDGX"),
    (b'L', "LTSE"),
    (b'M', "XCHI"),
    (b'N', "XNYS"),
    (b'P', "ARCX"),
    (b'Q', "XNAS"),
    (b'U', "MEMX"),
    (b'V', "IEXG"),
    (b'W', "CBSX"),
    (b'X', "XPHL"),
    (b'Y', "BATY"),
    (b'Z', "BATS"),
];

impl Feed for Uqdf {
    const INFO: Info = Info {
        name: "utp-uqdf",
        specification: "UTP Data Feed Services (UQDF)",
        versions: "binary 1.5",
        transport: "MoldUDP64",
        carries: "every participant's best quote in round lots and the national best of Nasdaq-listed issues",
        depth: Depth::Consolidated,
        venue: "",
        price_decimals: 6,
        time_base: TimeBase::Unix,
        sequence_unit: SequenceUnit::Message,
        heartbeat_ns: 1_000_000_000,
        number_is_identity: false,
        round_lots_only: true,
        // Its specification says nothing of suffixes: issues of Nasdaq have none but a fifth letter.
        symbology: "",
        participants: PARTICIPANTS,
        listings: b"QGS",
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
        Ok(decode::index(tag).map(|i| Described { layout: wire::MESSAGES[usize::from(i)], block_len: None }))
    }

    #[inline]
    fn decode<S: Sink>(message: &[u8], _: &PacketHeader, sink: &mut S) -> Result<Decoded, WireError> {
        decode::decode(message, sink)
    }

    fn recognise(payload: &[u8]) -> u8 {
        let framing = moldudp64::recognise(payload);
        if framing == 0 {
            return 0;
        }
        let mut at = moldudp64::DownstreamHeader::LEN;
        while let Ok(Some(span)) = moldudp64::split(payload, at) {
            if !decode::fits(&payload[span.start..span.end]) {
                return 0;
            }
            at = span.end;
        }
        // Lengths and types of every message fit: nearly certain. Heartbeats say nothing of the feed.
        if at > moldudp64::DownstreamHeader::LEN { (framing + 38).min(98) } else { 10 }
    }
}
