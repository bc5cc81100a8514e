//! ITCH messages to events. Judges nothing: unknown orders are the book's affair.

use super::message::{Message, index_of};
use super::wire::*;
use crate::event::{Definition, Event, Key, Side, Sink, StateScope, TradingState};
use crate::feed::{Decoded, OrderAct, OrderChange, OrderMessage};
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

/// Where a message about an order has what it says; nothing is at `0`, where any message has its type.
#[derive(Clone, Copy)]
struct Shape {
    /// Least length; beyond any for messages that are not about an order.
    len: u16,
    act: OrderAct,
    quantity: u8,
    price: u8,
    side: u8,
    new_order: u8,
    /// Ones where the side is to be one.
    check: u8,
}

/// By type code.
const SHAPES: [Shape; 256] = {
    let none = Shape {
        len: u16::MAX,
        act: OrderAct::Leaves,
        quantity: 0,
        price: 0,
        side: 0,
        new_order: 0,
        check: 0,
    };
    let mut shapes = [none; 256];
    let add = Shape {
        len: AddOrder::LEN as u16,
        act: OrderAct::Enters,
        quantity: 20,
        price: 32,
        side: 19,
        new_order: 0,
        check: 0xFF,
    };
    shapes[b'A' as usize] = add;
    shapes[b'F' as usize] = Shape { len: AddOrderMpid::LEN as u16, ..add };
    shapes[b'D' as usize] = Shape { len: OrderDelete::LEN as u16, ..none };
    shapes[b'U' as usize] = Shape {
        len: OrderReplace::LEN as u16,
        act: OrderAct::Replaces,
        quantity: 27,
        price: 31,
        new_order: 19,
        ..none
    };
    let executed = Shape { len: OrderExecuted::LEN as u16, act: OrderAct::Executes, quantity: 19, ..none };
    shapes[b'E' as usize] = executed;
    shapes[b'C' as usize] = Shape { len: OrderExecutedWithPrice::LEN as u16, ..executed };
    shapes[b'X' as usize] =
        Shape { len: OrderCancel::LEN as u16, act: OrderAct::Reduces, quantity: 19, ..none };
    shapes
};

/// Bytes of the shortest message about an order: every one begins with instrument, time and order.
const ORDER_HEAD: usize = OrderDelete::LEN;

/// A message about an order in one piece. Which type it is nobody can foretell: nothing here branches on it.
#[inline(always)]
pub(super) fn order_message(b: &[u8]) -> Option<OrderMessage> {
    let head: &[u8; ORDER_HEAD] = b.first_chunk()?;
    let shape = SHAPES[usize::from(head[0])];
    if b.len() < usize::from(shape.len) {
        return None;
    }
    let four = |at: u8| Some(u32::from_be_bytes(*b.get(at.into()..usize::from(at) + 4)?.first_chunk()?));
    let eight = |at: u8| Some(u64::from_be_bytes(*b.get(at.into()..usize::from(at) + 8)?.first_chunk()?));
    let from_bid = b.get(usize::from(shape.side))?.wrapping_sub(b'B');
    let ask = (from_bid / 16) & 1;
    if (from_bid ^ (ask * (b'S' - b'B'))) & shape.check != 0 {
        return None;
    }
    Some(OrderMessage {
        // Six bytes, behind two of the tracking number.
        ts: u64::from_be_bytes(*head[3..].first_chunk()?) & ((1 << 48) - 1),
        instrument: u64::from(u16::from_be_bytes([head[1], head[2]])),
        message: index_of(head[0]),
        change: OrderChange {
            order: u64::from_be_bytes(*head[11..].first_chunk()?),
            new_order: eight(shape.new_order)?,
            price: i64::from(four(shape.price)?),
            quantity: u64::from(four(shape.quantity)?),
            side: Side::ask_if(ask != 0),
            act: shape.act,
        },
    })
}

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

    fn number_of(key: Option<Key<'_>>) -> Option<u64> {
        match key {
            Some(Key::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// The change without what its act does not mention.
    fn plain(change: OrderChange) -> OrderChange {
        let OrderChange { act, .. } = change;
        let (enters, replaces) = (act == OrderAct::Enters, act == OrderAct::Replaces);
        OrderChange {
            new_order: if replaces { change.new_order } else { 0 },
            price: if enters || replaces { change.price } else { 0 },
            quantity: if act == OrderAct::Leaves { 0 } else { change.quantity },
            side: if enters { change.side } else { Side::Bid },
            ..change
        }
    }

    /// Of any bytes, of every length up to one beyond the message's: where there is an event of an order, there is a change,
    /// and it is that event, and there is no other.
    #[test]
    fn a_message_of_an_order_is_its_event() {
        let mut noise = 1u64;
        for layout in MESSAGES {
            for n in 0..400 {
                let mut bytes = vec![0u8; layout.len + 1];
                for byte in &mut bytes {
                    noise =
                        noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    *byte = (noise >> 56) as u8;
                }
                bytes[0] = layout.tag as u8;
                if matches!(bytes[0], b'A' | b'F') && n % 4 > 0 {
                    bytes[19] = [b'B', b'S'][n % 2];
                }
                let bytes = &bytes[..if n % 8 == 0 { n / 8 % (layout.len + 2) } else { layout.len }];
                let (mut event_said, mut events) = (None, 0);
                let decoded = decode(bytes, &mut |ts, event: Event<'_>| {
                    events += 1;
                    let Some(change) = OrderChange::of(&event) else { return };
                    event_said = Some((ts, number_of(event.key()), plain(change)));
                });
                let message = order_message(bytes);
                assert_eq!(
                    message.map(|m| (m.ts, Some(m.instrument), plain(m.change))),
                    event_said,
                    "{} {bytes:?}",
                    layout.name
                );
                if let Some(message) = message {
                    assert_eq!(
                        (decoded, events),
                        (Ok(Decoded::Message(message.message)), 1),
                        "{}",
                        layout.name
                    );
                }
            }
        }
    }

    /// The README's tables and the declaration are one fact; this holds them together.
    #[test]
    fn readme_says_what_the_code_says() {
        crate::wire_readme::hold(include_str!("README.md"), MESSAGES);
    }
}
