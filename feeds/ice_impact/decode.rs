//! iMpact messages to events. Judges nothing: unknown orders are the book's affair.

use super::NS_PER_MS;
use super::wire::*;
use crate::event::{Definition, Event, Key, Ladder, LevelAction, Side, Sink, StateScope, TradingState};
use crate::feed::Decoded;
use crate::wire::be::I64;
use crate::wire::{Entries, ErrorKind, Field, Value, Visitor, WireError, trim};

/// The message's type code.
#[inline]
pub(super) fn tag(message: &[u8]) -> Result<u8, WireError> {
    message.first().copied().ok_or(WireError::truncated("message_type", 0, 1, 0))
}

/// Position in [`MESSAGES`] by type code; 255 for codes that are not declared.
const INDEX: [u8; 256] = {
    let mut table = [255u8; 256];
    let mut i = 0;
    while i < MESSAGES.len() {
        table[MESSAGES[i].tag as usize] = i as u8;
        i += 1;
    }
    table
};

#[inline]
pub(super) fn index(tag: u8) -> Option<u16> {
    match INDEX[usize::from(tag)] {
        255 => None,
        i => Some(u16::from(i)),
    }
}

/// Markets and orders are numbered with signed integers on the wire; what counts is that the bits stay apart.
#[inline]
fn market(id: i32) -> Key<'static> {
    Key::Number(u64::from(id.cast_unsigned()))
}

#[inline]
fn ms(time: i64) -> u64 {
    u64::try_from(time).ok().and_then(|ms| ms.checked_mul(NS_PER_MS)).unwrap_or(0)
}

#[inline]
fn bad_value(message: &'static str, offset: usize, had: usize) -> WireError {
    WireError { kind: ErrorKind::BadValue, message, offset, needed: 0, had }
}

#[inline]
fn side(code: u8, message: &'static str, offset: usize) -> Result<Side, WireError> {
    match code {
        b'1' => Ok(Side::Bid),
        b'2' => Ok(Side::Ask),
        other => Err(bad_value(message, offset, usize::from(other))),
    }
}

#[inline]
fn quantity(n: i32, message: &'static str, offset: usize) -> Result<u64, WireError> {
    u64::try_from(n).map_err(|_| bad_value(message, offset, n.cast_unsigned() as usize))
}

/// Appendix A: open, closed, expired, pre-open, pre-close.
fn state(code: u8) -> TradingState {
    match code {
        b'O' => TradingState::Trading,
        b'1' | b'2' => TradingState::Auction,
        b'C' | b'E' => TradingState::Closed,
        _ => TradingState::Unknown,
    }
}

/// Hands the events of one message to `sink`.
#[inline]
pub(super) fn decode<S: Sink>(b: &[u8], sink: &mut S) -> Result<Decoded, WireError> {
    let tag = tag(b)?;
    let Some(i) = index(tag) else { return Ok(Decoded::Unknown(u32::from(tag))) };
    match tag {
        b'E' => order(&AddOrModifyOrder::read(b)?, sink)?,
        b'F' => {
            let m = DeleteOrder::read(b)?;
            let event =
                Event::OrderDelete { key: market(m.market_id()), order: m.order_id().cast_unsigned() };
            sink.event(ms(m.message_date_time().unwrap_or(0)), event);
        }
        b'G' => trade(&Trade::read(b)?, sink)?,
        b't' | b's' => level(b, tag, sink)?,
        b'r' => {
            let m = DeletePriceLevel::read(b)?;
            let event = Event::LevelAt {
                key: market(m.market_id()),
                ladder: Ladder::Outright,
                action: LevelAction::Delete,
                side: side(m.side(), DeletePriceLevel::NAME, 7)?,
                position: m.price_level_position(),
                price: 0,
                quantity: 0,
                orders: 0,
            };
            sink.event(nanoseconds(m.timestamp()), event);
        }
        _ => decode_rarer(tag, MESSAGES[usize::from(i)], b, sink)?,
    }
    Ok(Decoded::Message(i))
}

/// A time in nanoseconds that only later versions have.
#[inline]
fn nanoseconds(time: Option<i64>) -> u64 {
    u64::try_from(time.unwrap_or(0)).unwrap_or(0)
}

#[inline]
fn order<S: Sink>(m: &AddOrModifyOrder<'_>, sink: &mut S) -> Result<(), WireError> {
    // A request for quote is no interest in the book.
    if m.is_rfq() == b'Y' {
        return Ok(());
    }
    let event = Event::OrderPut {
        key: market(m.market_id()),
        order: m.order_id().cast_unsigned(),
        side: side(m.side(), AddOrModifyOrder::NAME, 17)?,
        price: m.price(),
        quantity: quantity(m.quantity(), AddOrModifyOrder::NAME, 26)?,
        known: false,
    };
    let ts = match nanoseconds(m.modification_timestamp()) {
        0 => ms(m.order_entry_date_time()),
        ns => ns,
    };
    sink.event(ts, event);
    Ok(())
}

/// A trade, and the order that it took: in the order-by-order feed the trade of a resting order carries that
/// order's id, no delete follows, and what is left of the order comes back under a new id.
#[inline]
fn trade<S: Sink>(m: &Trade<'_>, sink: &mut S) -> Result<(), WireError> {
    // The legs of a spread trade are priced by the system and are not to be used as prices.
    if m.is_system_priced_leg() == b'Y' || m.is_adjusted_trade() == b'Y' {
        return Ok(());
    }
    let (key, ts) = (market(m.market_id()), ms(m.transact_date_time()));
    let quantity = quantity(m.quantity(), Trade::NAME, 24)?;
    sink.event(ts, Event::Trade { key, symbol: &[], price: m.price(), quantity });
    let on_book = m.off_market_trade_indicator() == b' ' && matches!(m.aggressor_side(), b'1' | b'2');
    if on_book {
        sink.event(ts, Event::OrderDelete { key, order: m.trade_id().cast_unsigned() });
    }
    Ok(())
}

#[inline]
fn level<S: Sink>(b: &[u8], tag: u8, sink: &mut S) -> Result<(), WireError> {
    // Both messages are one table.
    let m = AddPriceLevel::read(b)?;
    let (action, name) = match tag {
        b't' => (LevelAction::New, AddPriceLevel::NAME),
        _ => (LevelAction::Change, ChangePriceLevel::NAME),
    };
    let event = Event::LevelAt {
        key: market(m.market_id()),
        ladder: Ladder::Outright,
        action,
        side: side(m.side(), name, 7)?,
        position: m.price_level_position(),
        price: m.price(),
        quantity: quantity(m.quantity(), name, 17)?,
        orders: u32::from(m.order_count().cast_unsigned()),
    };
    sink.event(nanoseconds(m.timestamp()), event);
    Ok(())
}

/// Snapshots, states, definitions, and the messages that carry no event.
fn decode_rarer<S: Sink>(
    tag: u8,
    layout: &'static crate::wire::Layout,
    b: &[u8],
    sink: &mut S,
) -> Result<(), WireError> {
    if b.len() < layout.len {
        return Err(WireError::truncated(layout.name, 0, layout.len, b.len()));
    }
    match tag {
        b'C' => {
            let m = MarketSnapshot::read(b)?;
            let key = market(m.market_id());
            let last_sequence = Some(u64::from(m.last_message_sequence_id().cast_unsigned()));
            sink.event(0, Event::Snapshot { key, last_sequence, instrument_sequence: None });
            market_state(sink, 0, m.market_id(), m.trading_status());
        }
        b'D' => snapshot_order(&MarketSnapshotOrder::read(b)?, sink)?,
        b'm' => {
            let m = MarketSnapshotPriceLevel::read(b)?;
            let event = Event::LevelAt {
                key: market(m.market_id()),
                ladder: Ladder::Outright,
                action: LevelAction::Overlay,
                side: side(m.side(), MarketSnapshotPriceLevel::NAME, 7)?,
                position: m.price_level_position(),
                price: m.price(),
                quantity: quantity(m.quantity(), MarketSnapshotPriceLevel::NAME, 17)?,
                orders: u32::from(m.order_count().cast_unsigned()),
            };
            sink.event(0, event);
        }
        b'K' => {
            let m = MarketStateChange::read(b)?;
            market_state(sink, ms(m.message_date_time()), m.market_id(), m.trading_status());
        }
        b'Y' => {
            let m = SpotMarketTrade::read(b)?;
            if m.is_system_priced_leg() != b'Y' {
                let quantity = quantity(m.quantity(), SpotMarketTrade::NAME, 23)?;
                let (key, price) = (market(m.market_id()), m.price());
                let event = Event::Trade { key, symbol: &[], price, quantity };
                sink.event(ms(m.transact_date_time()), event);
            }
        }
        b'R' => {
            let m = NewExpiry::read(b)?;
            let symbol = m.contract_symbol();
            let (decimals, step) = (m.order_price_denominator(), m.increment_price());
            define(sink, m.market_id(), text(&symbol), decimals, step, false);
        }
        b'l' => {
            let m = NewOptionsMarketDefinition::read(b)?;
            let symbol = m.futures_contract_symbol();
            let (decimals, step) = (m.order_price_denominator(), m.increment_premium_price());
            define(sink, m.market_id(), text(&symbol), decimals, step, false);
            market_state(sink, 0, m.market_id(), m.trading_status());
        }
        b'9' => define_futures_strategy(b, sink)?,
        b'U' => define_options_strategy(b, sink)?,
        b'b' => list_special_fields(b, &mut Nothing)?,
        _ => {}
    }
    Ok(())
}

fn snapshot_order<S: Sink>(m: &MarketSnapshotOrder<'_>, sink: &mut S) -> Result<(), WireError> {
    if m.is_rfq() == b'Y' {
        return Ok(());
    }
    let event = Event::OrderPut {
        key: market(m.market_id()),
        order: m.order_id().cast_unsigned(),
        side: side(m.side(), MarketSnapshotOrder::NAME, 17)?,
        price: m.price(),
        quantity: quantity(m.quantity(), MarketSnapshotOrder::NAME, 26)?,
        known: false,
    };
    sink.event(ms(m.order_entry_date_time()), event);
    Ok(())
}

fn market_state<S: Sink>(sink: &mut S, ts: u64, market_id: i32, code: u8) {
    let scope = StateScope::Instrument(market(market_id));
    sink.event(ts, Event::State { scope, symbol: &[], state: state(code) });
}

/// Text up to its first NUL, without trailing spaces.
fn text(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    trim(&bytes[..end])
}

fn define<S: Sink>(sink: &mut S, market_id: i32, symbol: &[u8], denominator: u8, increment: i32, test: bool) {
    let price_decimals = denominator.is_ascii_digit().then(|| denominator - b'0');
    let tick_nanos = price_decimals
        .map(|decimals| 10u64.pow(9 - u32::from(decimals)))
        .and_then(|unit| unit.checked_mul(u64::try_from(increment).ok()?));
    let definition = Definition {
        number: Some(u64::from(market_id.cast_unsigned())),
        symbol,
        price_decimals,
        tick_nanos,
        test,
        ..Definition::default()
    };
    sink.event(0, Event::Define(definition));
}

fn define_futures_strategy<S: Sink>(b: &[u8], sink: &mut S) -> Result<(), WireError> {
    let m = NewFuturesStrategyDefinition::read(b)?;
    let at = Entries::new(&FUTURES_LEG, b, NewFuturesStrategyDefinition::LEN)?.end()?;
    // A version without a tail ends on the boundary.
    let tail = match b.get(at..) {
        Some([]) | None => None,
        Some(rest) => Some(FuturesStrategyTail::read(rest).map_err(|e| e.shifted(at))?),
    };
    let (symbol, strategy) = (m.futures_contract_symbol(), tail.map(|t| t.strategy_symbol()));
    let test = tail.and_then(|t| t.test_market_indicator()) == Some(b'Y');
    let name = first_of(text(&symbol), strategy.as_ref().map_or(&[], |s| text(s)));
    define(sink, m.market_id(), name, m.order_price_denominator(), m.increment_price(), test);
    market_state(sink, 0, m.market_id(), m.trading_status());
    Ok(())
}

fn define_options_strategy<S: Sink>(b: &[u8], sink: &mut S) -> Result<(), WireError> {
    let m = NewOptionsStrategyDefinition::read(b)?;
    let at = Entries::new(&OPTIONS_LEG, b, NewOptionsStrategyDefinition::LEN)?.end()?;
    let at = Entries::new(&HEDGE, b, at)?.end()?;
    let tail = match b.get(at..) {
        Some([]) | None => None,
        Some(rest) => Some(OptionsStrategyTail::read(rest).map_err(|e| e.shifted(at))?),
    };
    // A symbol of more than 35 characters goes on in a field at the end.
    let mut symbol = [0u8; 70];
    let (front, behind) = symbol.split_at_mut(35);
    front.copy_from_slice(&m.contract_symbol());
    if !front.contains(&0) {
        behind.copy_from_slice(&tail.and_then(|t| t.contract_symbol_extra()).unwrap_or([0; 35]));
    }
    let strategy = tail.map(|t| t.strategy_symbol());
    let test = tail.and_then(|t| t.test_market_indicator()) == Some(b'Y');
    let name = first_of(text(&symbol), strategy.as_ref().map_or(&[], |s| text(s)));
    define(sink, m.market_id(), name, m.order_price_denominator(), m.increment_price(), test);
    market_state(sink, 0, m.market_id(), m.trading_status());
    Ok(())
}

/// The contract symbol, or the strategy's where the market has none.
fn first_of<'a>(contract: &'a [u8], strategy: &'a [u8]) -> &'a [u8] {
    if contract.is_empty() { strategy } else { contract }
}

/// Lists the fields of a Special Field message, each as its number says.
pub(super) fn list_special_fields(b: &[u8], visitor: &mut dyn Visitor) -> Result<(), WireError> {
    let m = SpecialFieldMessage::read(b)?;
    let mut at = SpecialFieldMessage::LEN;
    visitor.begin_group(SpecialField::NAME);
    for _ in 0..m.number_of_special_fields() {
        let rest = b.get(at..).unwrap_or(&[]);
        let field = SpecialField::read(rest).map_err(|e| e.shifted(at))?;
        let len = usize::from(field.special_field_length());
        let Some(value) = field.rest().get(..len) else {
            let at = at + SpecialField::LEN;
            return Err(WireError::truncated(SpecialField::NAME, at, len, field.rest().len()));
        };
        visitor.begin_entry();
        visitor.field("special_field_id", Value::Uint(u64::from(field.special_field_id())));
        visitor.field("special_field_length", Value::Uint(len as u64));
        let name = match field.special_field_id() {
            1 => "alt_price",
            2 => "alt_high_price",
            3 => "alt_low_price",
            4 => "alt_vwap",
            5 => "alt_last_trade_price",
            6 => "aon",
            _ => "special_field_value",
        };
        let value = match (field.special_field_id(), value) {
            (1..=5, price) if price.len() == I64::LEN => Value::Int(I64::get(price)),
            (6, [indicator]) => Value::Char(*indicator),
            (_, bytes) => Value::Bytes(bytes),
        };
        visitor.field(name, value);
        visitor.end_entry();
        at += SpecialField::LEN + len;
    }
    visitor.end_group();
    Ok(())
}

/// Takes a listing and keeps nothing: the fields are only held to their lengths.
struct Nothing;

impl Visitor for Nothing {
    fn field(&mut self, _: &'static str, _: Value<'_>) {}
    fn begin_group(&mut self, _: &'static str) {}
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {}
}
