//! DEEP messages to events. Judges nothing: what a level replaces is the book's affair.

use super::wire::*;
use crate::event::{Event, Key, Side, Sink};
use crate::feed::Decoded;
use crate::iextp::common::{self, index_table, tag, ts_event_ns};
use crate::wire::{WireError, trim};

const INDEX: [u8; 256] = index_table(MESSAGES);

#[inline]
pub(super) fn index(tag: u8) -> Option<u16> {
    match INDEX[usize::from(tag)] {
        255 => None,
        i => Some(u16::from(i)),
    }
}

/// Hands the events of one message to `sink`.
#[inline]
pub(super) fn decode<S: Sink>(b: &[u8], sink: &mut S) -> Result<Decoded, WireError> {
    let tag = tag(b)?;
    let Some(i) = index(tag) else { return Ok(Decoded::Unknown(u32::from(tag))) };
    match tag {
        b'8' => {
            let m = PriceLevelBuyUpdate::read(b)?;
            level(sink, Side::Bid, m.timestamp(), m.event_flags(), &m.symbol(), m.price(), m.size());
        }
        b'5' => {
            let m = PriceLevelSellUpdate::read(b)?;
            level(sink, Side::Ask, m.timestamp(), m.event_flags(), &m.symbol(), m.price(), m.size());
        }
        _ => common::decode(MESSAGES[usize::from(i)], b, sink)?,
    }
    Ok(Decoded::Message(i))
}

#[inline]
fn level<S: Sink>(
    sink: &mut S,
    side: Side,
    timestamp: i64,
    flags: u8,
    symbol: &[u8; 8],
    price: i64,
    size: u32,
) {
    let event = Event::LevelSet {
        key: Key::Symbol(trim(symbol)),
        side,
        price,
        quantity: u64::from(size),
        partial: flags & EVENT_PROCESSING_COMPLETE == 0,
    };
    sink.event(ts_event_ns(timestamp), event);
}
