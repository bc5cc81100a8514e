//! TOPS messages to events. Judges nothing.

use super::wire::*;
use crate::event::{Event, Key, Quoter, Sink, TradingState};
use crate::feed::Decoded;
use crate::iextp::common::{self, index_table, tag, ts_event_ns};
use crate::wire::{WireError, trim};

/// Quote Update flag: halted, paused or otherwise not available for trading at IEX (Appendix A).
const NOT_AVAILABLE: u8 = 0x80;

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
    if tag == b'Q' {
        quote(&QuoteUpdate::read(b)?, sink);
    } else {
        common::decode(MESSAGES[usize::from(i)], b, sink)?;
    }
    Ok(Decoded::Message(i))
}

#[inline]
fn quote<S: Sink>(m: &QuoteUpdate<'_>, sink: &mut S) {
    // No interest on a side is size 0 at price 0.
    let side = |price: i64, size: u32| (size > 0).then_some((price, u64::from(size)));
    let symbol = m.symbol();
    let available = m.quote_update_flags() & NOT_AVAILABLE == 0;
    let event = Event::Quote {
        key: Key::Symbol(trim(&symbol)),
        quoter: Quoter::Venue,
        bid: side(m.bid_price(), m.bid_size()),
        ask: side(m.ask_price(), m.ask_size()),
        state: Some(if available { TradingState::Trading } else { TradingState::Halted }),
    };
    sink.event(ts_event_ns(m.timestamp()), event);
}
