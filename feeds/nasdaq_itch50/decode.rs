//! ITCH messages to events. Judges nothing: unknown orders are the book's affair.

use super::message::{Message, index_of};
use super::wire::*;
use crate::event::{Definition, Event, Key, Side, Sink, StateScope, TradingState};
use crate::feed::{Decoded, OrderNamed};
use crate::wire::{ErrorKind, WireError, trim};

/// The message's type code.
#[inline]
pub(super) fn tag(message: &[u8]) -> Result<u8, WireError> {
    message.first().copied().ok_or(WireError::truncated("message_type", 0, 1, 0))
}

#[inline]
fn side(code: u8, message: &'static str) -> Result<Side, WireError> {
    // In numbers, not by comparing: a compiler makes two ways of it, and nobody can foretell which is taken.
    let from_bid = code.wrapping_sub(b'B');
    let ask = (from_bid / 16) & 1;
    if from_bid != ask * (b'S' - b'B') {
        let kind = ErrorKind::BadValue;
        return Err(WireError {
            kind,
            message,
            offset: 19,
            needed: usize::from(b'B'),
            had: usize::from(code),
        });
    }
    Ok(Side::ask_if(ask != 0))
}

#[inline]
fn number(locate: u16) -> Key<'static> {
    Key::Number(u64::from(locate))
}

/// The order that a message names, where it is about one: those messages begin alike.
#[inline(always)]
pub(super) fn order_named(b: &[u8]) -> Option<OrderNamed> {
    let tag = *b.first()?;
    if !matches!(tag, b'A' | b'F' | b'D' | b'U' | b'E' | b'C' | b'X') {
        return None;
    }
    let m = OrderDelete::read(b).ok()?;
    // Read without a branch on whether an order comes in, which nobody can foretell: of the other messages the first
    // bytes are read, and thrown away.
    let add = matches!(tag, b'A' | b'F') & (b.len() >= ADD_LEN);
    let (side_at, price_at) = if add { (ADD_SIDE, ADD_PRICE) } else { (0, 0) };
    let side = Side::ask_if(*b.get(side_at)? == b'S');
    let price = i64::from(u32::from_be_bytes(*b.get(price_at..)?.first_chunk()?));
    Some(OrderNamed {
        key: number(m.stock_locate()),
        order: m.order_reference_number(),
        enters: add,
        side,
        price,
    })
}

/// Where Add Order, with or without attribution, has its side and its price, and how long it is at least.
const ADD_SIDE: usize = 19;
const ADD_PRICE: usize = 32;
const ADD_LEN: usize = 36;

/// Hands the events of one message to `sink`.
#[inline]
pub(super) fn decode<S: Sink>(b: &[u8], sink: &mut S) -> Result<Decoded, WireError> {
    let tag = tag(b)?;
    match tag {
        b'A' => {
            let m = AddOrder::read(b)?;
            let side = side(m.buy_sell_indicator(), "add_order")?;
            add(
                sink,
                m.timestamp(),
                m.stock_locate(),
                &m.stock(),
                m.order_reference_number(),
                side,
                m.price(),
                m.shares(),
            );
        }
        b'F' => {
            let m = AddOrderMpid::read(b)?;
            let side = side(m.buy_sell_indicator(), "add_order_mpid")?;
            add(
                sink,
                m.timestamp(),
                m.stock_locate(),
                &m.stock(),
                m.order_reference_number(),
                side,
                m.price(),
                m.shares(),
            );
        }
        b'D' => {
            let m = OrderDelete::read(b)?;
            let event =
                Event::OrderDelete { key: number(m.stock_locate()), order: m.order_reference_number() };
            sink.event(m.timestamp(), event);
        }
        b'U' => {
            let m = OrderReplace::read(b)?;
            sink.event(
                m.timestamp(),
                Event::OrderReplace {
                    key: number(m.stock_locate()),
                    order: m.original_order_reference_number(),
                    new_order: m.new_order_reference_number(),
                    price: i64::from(m.price()),
                    quantity: u64::from(m.shares()),
                },
            );
        }
        b'E' => {
            let m = OrderExecuted::read(b)?;
            execute(
                sink,
                m.timestamp(),
                m.stock_locate(),
                m.order_reference_number(),
                m.executed_shares(),
                None,
            );
        }
        b'C' => {
            let m = OrderExecutedWithPrice::read(b)?;
            let price = Some(i64::from(m.execution_price()));
            execute(
                sink,
                m.timestamp(),
                m.stock_locate(),
                m.order_reference_number(),
                m.executed_shares(),
                price,
            );
        }
        b'X' => {
            let m = OrderCancel::read(b)?;
            let (key, order) = (number(m.stock_locate()), m.order_reference_number());
            sink.event(
                m.timestamp(),
                Event::OrderReduce { key, order, quantity: u64::from(m.cancelled_shares()) },
            );
        }
        b'P' => {
            let m = Trade::read(b)?;
            let stock = m.stock();
            let (key, symbol) = (number(m.stock_locate()), trim(&stock));
            let (price, quantity) = (i64::from(m.price()), u64::from(m.shares()));
            sink.event(m.timestamp(), Event::Trade { key, symbol, price, quantity });
        }
        _ => return decode_reference(tag, b, sink),
    }
    // Each of them was long enough for its fields.
    Ok(Decoded::Message(index_of(tag)))
}

/// The rarer messages: definitions, states, crosses, and those that carry no event.
fn decode_reference<S: Sink>(tag: u8, b: &[u8], sink: &mut S) -> Result<Decoded, WireError> {
    let Some(message) = Message::read(b)? else { return Ok(Decoded::Unknown(u32::from(tag))) };
    let i = message.index();
    match tag {
        b'S' => {
            let m = SystemEvent::read(b)?;
            // Table 1.1: O start of messages, S/Q/M market hours, E end of system hours, C end of messages.
            let state = match m.event_code() {
                b'E' | b'C' => TradingState::Closed,
                b'S' | b'Q' | b'M' => TradingState::Trading,
                _ => return Ok(Decoded::Message(i)),
            };
            sink.event(m.timestamp(), Event::State { scope: StateScope::All, symbol: &[], state });
        }
        b'R' => {
            let m = StockDirectory::read(b)?;
            sink.event(
                m.timestamp(),
                Event::Define(Definition {
                    number: Some(u64::from(m.stock_locate())),
                    symbol: trim(&m.stock()),
                    round_lot: Some(m.round_lot_size()),
                    listing: m.market_category(),
                    test: m.authenticity() == b'T',
                    ..Definition::default()
                }),
            );
        }
        b'H' => {
            let m = StockTradingAction::read(b)?;
            let state = match m.trading_state() {
                b'T' => TradingState::Trading,
                b'Q' => TradingState::Auction,
                b'H' | b'P' => TradingState::Halted,
                _ => TradingState::Unknown,
            };
            let scope = StateScope::Instrument(number(m.stock_locate()));
            sink.event(m.timestamp(), Event::State { scope, symbol: trim(&m.stock()), state });
        }
        b'h' => {
            let m = OperationalHalt::read(b)?;
            let state = match m.operational_halt_action() {
                b'H' => TradingState::Halted,
                b'T' => TradingState::Trading,
                _ => return Ok(Decoded::Message(i)),
            };
            let scope = StateScope::Operational(number(m.stock_locate()));
            sink.event(m.timestamp(), Event::State { scope, symbol: trim(&m.stock()), state });
        }
        b'Q' => {
            let m = CrossTrade::read(b)?;
            let stock = m.stock();
            let (key, symbol) = (number(m.stock_locate()), trim(&stock));
            let (price, quantity) = (i64::from(m.cross_price()), m.shares());
            sink.event(m.timestamp(), Event::Trade { key, symbol, price, quantity });
        }
        _ => {}
    }
    Ok(Decoded::Message(i))
}

#[allow(clippy::too_many_arguments, reason = "two messages share one table of fields")]
#[inline]
fn add<S: Sink>(
    sink: &mut S,
    ts: u64,
    locate: u16,
    stock: &[u8; 8],
    order: u64,
    side: Side,
    price: u32,
    shares: u32,
) {
    let (price, quantity) = (i64::from(price), u64::from(shares));
    sink.event(
        ts,
        Event::OrderAdd { key: number(locate), symbol: trim(stock), order, side, price, quantity },
    );
}

#[inline]
fn execute<S: Sink>(sink: &mut S, ts: u64, locate: u16, order: u64, shares: u32, price: Option<i64>) {
    sink.event(ts, Event::OrderExecute { key: number(locate), order, quantity: u64::from(shares), price });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{string::String, vec, vec::Vec};

    const ADD: [u8; 36] =
        *b"A\x00\x01\x00\x02\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x09B\x00\x00\x00\x64AAPL    \x00\x0f\x42\x40";

    fn events(bytes: &[u8]) -> (Result<Decoded, WireError>, Vec<String>) {
        let mut out = vec![];
        let result = decode(bytes, &mut |ts, e: Event<'_>| out.push(std::format!("{ts} {e:?}")));
        (result, out)
    }

    #[test]
    fn an_add_order_becomes_an_order() {
        let (result, out) = events(&ADD);
        assert_eq!(result, Ok(Decoded::Message(10)));
        let symbol = std::format!("{:?}", b"AAPL");
        assert_eq!(
            out,
            [std::format!(
                "5 OrderAdd {{ key: Number(1), symbol: {symbol}, order: 9, side: Bid, price: 1000000, quantity: 100 }}"
            )]
        );
    }

    #[test]
    fn every_prefix_of_every_message_is_truncated() {
        for layout in MESSAGES {
            let mut bytes = vec![0u8; layout.len];
            bytes[0] = layout.tag as u8;
            if layout.tag == u32::from(b'A') || layout.tag == u32::from(b'F') {
                bytes[19] = b'B';
            }
            assert!(events(&bytes).0.is_ok(), "{}", layout.name);
            for n in 0..layout.len {
                let error = events(&bytes[..n]).0.unwrap_err();
                assert_eq!(error.kind, ErrorKind::Truncated, "{} cut at {n}", layout.name);
            }
        }
    }

    #[test]
    fn an_unknown_type_is_named_and_passed_by() {
        assert_eq!(events(b"zzz"), (Ok(Decoded::Unknown(u32::from(b'z'))), vec![]));
    }

    #[test]
    fn written_values_read_back() {
        let values = AddOrderValues::from(AddOrder::read(&ADD).unwrap());
        assert_eq!(values.encode(), ADD);
    }

    #[test]
    fn the_order_named_ahead_is_the_order_of_the_event() {
        for layout in MESSAGES {
            let mut bytes = vec![0u8; layout.len];
            bytes[0] = layout.tag as u8;
            bytes[1..3].copy_from_slice(&7u16.to_be_bytes());
            if matches!(bytes[0], b'A' | b'F') {
                bytes[19] = b'B';
            }
            if bytes.len() >= 19 {
                bytes[11..19].copy_from_slice(&77u64.to_be_bytes());
            }
            let mut named = None;
            let decoded = decode(&bytes, &mut |_, event: Event<'_>| {
                named = match event {
                    Event::OrderAdd { key: Key::Number(n), order, side, price, .. } => {
                        Some((n, order, Some((side, price))))
                    }
                    Event::OrderExecute { key: Key::Number(n), order, .. }
                    | Event::OrderReduce { key: Key::Number(n), order, .. }
                    | Event::OrderDelete { key: Key::Number(n), order, .. }
                    | Event::OrderReplace { key: Key::Number(n), order, .. } => Some((n, order, None)),
                    _ => None,
                };
            });
            assert!(decoded.is_ok(), "{}", layout.name);
            let said = order_named(&bytes).map(|said| {
                let Key::Number(n) = said.key else { panic!("a number names it") };
                (n, said.order, said.enters.then_some((said.side, said.price)))
            });
            assert_eq!(said, named, "{}", layout.name);
            assert_eq!(order_named(&bytes[..bytes.len().min(18)]), None, "{} cut short", layout.name);
        }
    }

    /// The README's tables and the declaration are one fact; this holds them together.
    #[test]
    fn readme_says_what_the_code_says() {
        crate::wire_readme::hold(include_str!("README.md"), MESSAGES);
    }
}
