//! UQDF messages to events. Knows no round lots but the usual one and keeps no state: whether a
//! participant's quote is the national best is what the message says, never worked out here.

use super::wire::*;
use crate::event::{Definition, Event, Key, QuoteSide, Quoter, Sink, StateScope, TradingState};
use crate::feed::Decoded;
use crate::wire::{Entries, ErrorKind, Part, WireError, trim, walk};

/// Shares to the round lot that events count with; see the README.
const LOT: u64 = 100;
/// From the short form's 2 decimals to the 6 of all events.
const SHORT_TO_LONG: i64 = 10_000;
/// Originator code of the SIP itself, "market independent".
const MARKET_INDEPENDENT: u8 = b'E';

/// The message's category and type as one number.
#[inline]
pub(super) fn tag(message: &[u8]) -> Result<u32, WireError> {
    match message {
        [_, category, kind, ..] => Ok(super::wire::tag(*category, *kind)),
        _ => Err(WireError::truncated("message_header", 0, 3, message.len())),
    }
}

/// Position in [`MESSAGES`] by category (Q, A, C) and type; 255 for what is not declared.
const INDEX: [[u8; 256]; 3] = {
    let mut table = [[255u8; 256]; 3];
    let mut i = 0;
    while i < MESSAGES.len() {
        let tag = MESSAGES[i].tag;
        if let Some(row) = category_row((tag >> 8) as u8) {
            table[row][(tag & 0xFF) as usize] = i as u8;
        }
        i += 1;
    }
    table
};

const fn category_row(category: u8) -> Option<usize> {
    match category {
        b'Q' => Some(0),
        b'A' => Some(1),
        b'C' => Some(2),
        _ => None,
    }
}

#[inline]
pub(super) fn index(tag: u32) -> Option<u16> {
    match INDEX[category_row((tag >> 8) as u8)?][(tag & 0xFF) as usize] {
        255 => None,
        i => Some(u16::from(i)),
    }
}

/// Whether the type is known and the length is the one that the message itself implies.
pub(super) fn fits(message: &[u8]) -> bool {
    let Some(i) = tag(message).ok().and_then(index) else { return false };
    let layout = MESSAGES[usize::from(i)];
    if layout.parts.is_empty() {
        return message.len() == layout.len;
    }
    let mut end = layout.len;
    for part in layout.parts {
        let Some(len) = part_len(part, message, end) else { return false };
        end += len;
    }
    end == message.len() && walk(layout, message, None, &mut Nothing).is_ok()
}

fn part_len(part: &Part, message: &[u8], at: usize) -> Option<usize> {
    if let Part::Group(group) = part {
        let extent = group.extent(message, at).ok()?;
        return Some(extent.first - at + extent.count * extent.stride?);
    }
    if let Part::Text16 { .. } = part {
        let length = message.get(at..at + 2)?;
        return Some(2 + usize::from(u16::from_be_bytes([length[0], length[1]])));
    }
    None
}

/// Listens to a listing and keeps nothing.
struct Nothing;
impl crate::wire::Visitor for Nothing {
    fn field(&mut self, _: &'static str, _: crate::wire::Value<'_>) {}
    fn begin_group(&mut self, _: &'static str) {}
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {}
}

/// What a quote condition says of the quoter (appendix "Quote Conditions"); `None` for codes it does not list.
fn condition(code: u8) -> Option<TradingState> {
    match code {
        b'L' => Some(TradingState::Closed),
        // No open or resume, order imbalance and influx, not firm: nothing that can be traded on.
        b'I' | b'N' | b'U' | b'X' | b'Z' => Some(TradingState::Halted),
        b'4' => Some(TradingState::Auction),
        b'A' | b'B' | b'F' | b'H' | b'O' | b'R' | b'Y' => Some(TradingState::Trading),
        _ => None,
    }
}

#[inline]
fn short_side(price: u16, size: u16) -> QuoteSide {
    (price != 0 && size != 0).then(|| (i64::from(price) * SHORT_TO_LONG, u64::from(size) * LOT))
}

/// A side in long form. A price beyond what a signed number holds is nobody's price.
#[inline]
fn long_side(price: u64, size: u32, message: &'static str, offset: usize) -> Result<QuoteSide, WireError> {
    if price == 0 || size == 0 {
        return Ok(None);
    }
    match i64::try_from(price) {
        Ok(price) => Ok(Some((price, u64::from(size) * LOT))),
        Err(_) => {
            let kind = ErrorKind::BadValue;
            Err(WireError { kind, message, offset, needed: i64::MAX as usize, had: price as usize })
        }
    }
}

/// One quote's sides and its condition.
#[derive(Clone, Copy)]
struct Best {
    bid: QuoteSide,
    ask: QuoteSide,
    condition: u8,
}

fn emit<S: Sink>(sink: &mut S, ts: u64, key: Key<'_>, quoter: Quoter, best: Best) {
    let Best { bid, ask, condition: code } = best;
    sink.event(ts, Event::Quote { key, quoter, bid, ask, state: condition(code) });
}

/// Hands the events of one message to `sink`.
#[inline]
pub(super) fn decode<S: Sink>(b: &[u8], sink: &mut S) -> Result<Decoded, WireError> {
    let tag = tag(b)?;
    let Some(i) = index(tag) else { return Ok(Decoded::Unknown(tag)) };
    match (b[1], b[2]) {
        (b'Q', b'E') => quote_short_form(b, sink)?,
        (b'Q', b'F') => quote_long_form(b, sink)?,
        _ => decode_reference(b, i, sink)?,
    }
    Ok(Decoded::Message(i))
}

fn quote_short_form<S: Sink>(b: &[u8], sink: &mut S) -> Result<(), WireError> {
    let m = QuoteShortForm::read(b)?;
    let symbol = m.symbol_short();
    let quote = Best {
        bid: short_side(m.bid_price_short(), m.bid_size_short()),
        ask: short_side(m.ask_price_short(), m.ask_size_short()),
        condition: m.quote_condition(),
    };
    let (ts, key) = (m.sip_timestamp(), Key::Symbol(trim(&symbol)));
    emit(sink, ts, key, Quoter::Participant(m.market_center_originator_id()), quote);
    let at = QuoteShortForm::LEN;
    if let Some(best) = national(m.nbbo_appendage_indicator(), quote, b, at, "quote_short_form")? {
        emit(sink, ts, key, Quoter::National, best);
    }
    Ok(())
}

fn quote_long_form<S: Sink>(b: &[u8], sink: &mut S) -> Result<(), WireError> {
    const NAME: &str = QuoteLongForm::NAME;
    let m = QuoteLongForm::read(b)?;
    let symbol = m.symbol();
    let quote = Best {
        bid: long_side(m.bid_price(), m.bid_size(), NAME, 48)?,
        ask: long_side(m.ask_price(), m.ask_size(), NAME, 60)?,
        condition: m.quote_condition(),
    };
    let (ts, key) = (m.sip_timestamp(), Key::Symbol(trim(&symbol)));
    emit(sink, ts, key, Quoter::Participant(m.market_center_originator_id()), quote);
    if let Some(best) = national(m.nbbo_appendage_indicator(), quote, b, QuoteLongForm::LEN, NAME)? {
        emit(sink, ts, key, Quoter::National, best);
    }
    Ok(())
}

/// The national best that comes with a quote, by the appendage indicator; `None` where it did not change.
/// The appendage, if there is one, begins at `at` of `message`.
fn national(
    indicator: u8,
    quote: Best,
    message: &[u8],
    at: usize,
    name: &'static str,
) -> Result<Option<Best>, WireError> {
    match indicator {
        b'0' => Ok(None),
        b'1' => Ok(Some(Best { bid: None, ask: None, condition: 0 })),
        b'2' => {
            let a = ShortFormNbboOfShort::read(&message[at..]).map_err(|e| e.shifted(at))?;
            Ok(Some(Best {
                bid: short_side(a.national_best_bid_price_short(), a.national_best_bid_size_short()),
                ask: short_side(a.national_best_ask_price_short(), a.national_best_ask_size_short()),
                condition: a.nbbo_quote_condition(),
            }))
        }
        b'3' => {
            let a = LongFormNbboOfShort::read(&message[at..]).map_err(|e| e.shifted(at))?;
            Ok(Some(Best {
                bid: long_side(a.best_bid_price(), a.best_bid_size(), LongFormNbboOfShort::NAME, at + 2)?,
                ask: long_side(a.best_ask_price(), a.best_ask_size(), LongFormNbboOfShort::NAME, at + 15)?,
                condition: a.nbbo_quote_condition(),
            }))
        }
        b'4' => Ok(Some(quote)),
        // What the national best is now cannot be known; the participant's quote stands.
        other => Err(WireError {
            kind: ErrorKind::BadValue,
            message: name,
            offset: at - if name == QuoteLongForm::NAME { 3 } else { 2 },
            needed: usize::from(b'0'),
            had: usize::from(other),
        }),
    }
}

fn trading_action(code: u8) -> Option<TradingState> {
    match code {
        b'H' | b'P' => Some(TradingState::Halted),
        // Quotation resumes, trading does not yet.
        b'Q' => Some(TradingState::Auction),
        b'T' => Some(TradingState::Trading),
        _ => None,
    }
}

/// Administrative and control messages, and those that carry no event.
fn decode_reference<S: Sink>(b: &[u8], i: u16, sink: &mut S) -> Result<(), WireError> {
    let layout = MESSAGES[usize::from(i)];
    if b.len() < layout.len {
        return Err(WireError::truncated(layout.name, 0, layout.len, b.len()));
    }
    // Every message begins with the same header and message info, as this one does.
    let info = StartOfDay::read(b)?;
    let ts = info.sip_timestamp();
    match (b[1], b[2]) {
        (b'A', b'H') => {
            let m = CrossSroTradingAction::read(b)?;
            if let Some(state) = trading_action(m.trading_action_code()) {
                let symbol = m.symbol();
                let symbol = trim(&symbol);
                let scope = StateScope::Instrument(Key::Symbol(symbol));
                sink.event(ts, Event::State { scope, symbol, state });
            }
        }
        (b'A', b'K') => {
            let m = MarketCenterTradingAction::read(b)?;
            if let Some(state) = trading_action(m.trading_action_code()) {
                let symbol = m.symbol();
                let symbol = trim(&symbol);
                let scope = StateScope::Participant(Key::Symbol(symbol), m.market_center_identifier());
                sink.event(ts, Event::State { scope, symbol, state });
            }
        }
        (b'A', b'P') => price_bands(&LuldPriceBand::read(b)?, sink)?,
        (b'A', b'B') => define(&IssueSymbolDirectory::read(b)?, sink),
        (b'A', b'R') => {
            // No event (the quotes were all said before), but the attachments must be there.
            let at = SessionCloseRecap::LEN;
            Entries::new(&MARKET_CENTER_CLOSE_RECAP, b, at)?.end()?;
        }
        (b'C', b'O' | b'C') => state_of_all(ts, TradingState::Trading, sink),
        (b'C', b'J' | b'Z') => state_of_all(ts, TradingState::Closed, sink),
        (b'C', b'P') => match info.market_center_originator_id() {
            MARKET_INDEPENDENT => sink.event(ts, Event::Clear { key: None }),
            code => sink.event(ts, Event::WipeOut { quoter: Quoter::Participant(code) }),
        },
        _ => {}
    }
    Ok(())
}

fn state_of_all<S: Sink>(ts: u64, state: TradingState, sink: &mut S) {
    sink.event(ts, Event::State { scope: StateScope::All, symbol: &[], state });
}

/// A price beyond what a signed number holds is nobody's band; a band of 0 is none.
fn price_bands<S: Sink>(m: &LuldPriceBand<'_>, sink: &mut S) -> Result<(), WireError> {
    let raw = |price: u64, offset: usize| {
        let (kind, message) = (ErrorKind::BadValue, LuldPriceBand::NAME);
        let bad = WireError { kind, message, offset, needed: i64::MAX as usize, had: price as usize };
        i64::try_from(price).map_err(|_| bad)
    };
    let (lower, upper) = (raw(m.limit_down_price(), 49)?, raw(m.limit_up_price(), 57)?);
    if lower > 0 && upper > 0 {
        let symbol = m.symbol();
        sink.event(m.sip_timestamp(), Event::PriceBands { key: Key::Symbol(trim(&symbol)), lower, upper });
    }
    Ok(())
}

fn define<S: Sink>(m: &IssueSymbolDirectory<'_>, sink: &mut S) {
    let symbol = m.symbol();
    let definition = Definition {
        symbol: trim(&symbol),
        round_lot: Some(u32::from(m.round_lot_size())),
        listing: m.market_tier(),
        test: m.authenticity() == b'T',
        ..Definition::default()
    };
    sink.event(m.sip_timestamp(), Event::Define(definition));
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
