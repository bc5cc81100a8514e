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

#[cfg(test)]
mod tests {
    use super::super::IexDeep;
    use super::*;
    use crate::iextp::common::{
        OperationalHaltStatusValues, SecurityDirectoryValues, SystemEventValues, TradingStatusValues,
    };
    use crate::iextp::tests::{Ignore, segment, visit};
    use crate::wire::{ErrorKind, walk};
    use proptest::collection;
    use proptest::prelude::{any, proptest};
    use std::{format, string::String, vec, vec::Vec};

    #[test]
    fn levels_say_whether_the_event_goes_on() {
        let symbol = format!("{:?}", b"A");
        let level = |message_type, event_flags, size| PriceLevelBuyUpdateValues {
            message_type,
            event_flags,
            timestamp: 9,
            symbol: *b"A       ",
            size,
            price: 1_234_500,
        };
        let (_, first) = events(&level(b'8', 0, 500).encode());
        let expected = format!(
            "9 LevelSet {{ key: Symbol({symbol}), side: Bid, price: 1234500, quantity: 500, partial: true }}"
        );
        assert_eq!(first, [expected]);
        // Both sides are one table.
        let (_, last) = events(&level(b'5', 1, 0).encode());
        let expected = format!(
            "9 LevelSet {{ key: Symbol({symbol}), side: Ask, price: 1234500, quantity: 0, partial: false }}"
        );
        assert_eq!(last, [expected]);
    }

    #[test]
    fn hours_and_halts_are_states() {
        let state = |code| {
            let message = SystemEventValues { message_type: b'S', system_event: code, timestamp: 9 };
            events(&message.encode()).1
        };
        for code in *b"SRM" {
            assert_eq!(state(code), ["9 State { scope: All, symbol: [], state: Trading }"]);
        }
        for code in *b"OEC" {
            assert_eq!(state(code), ["9 State { scope: All, symbol: [], state: Closed }"]);
        }
        assert_eq!(state(b'?'), [""; 0]);

        let symbol = format!("{:?}", b"ZEXIT");
        let expected = |scope, state| {
            [format!("9 State {{ scope: {scope}(Symbol({symbol})), symbol: {symbol}, state: {state} }}")]
        };
        for (code, state) in [(b'T', "Trading"), (b'O', "Auction"), (b'P', "Halted"), (b'H', "Halted")] {
            let message = TradingStatusValues {
                message_type: b'H',
                trading_status: code,
                timestamp: 9,
                symbol: *b"ZEXIT   ",
                reason: *b"NA  ",
            };
            assert_eq!(events(&message.encode()).1, expected("Instrument", state));
        }
        for (code, state) in [(b'O', "Halted"), (b'N', "Trading")] {
            let message = OperationalHaltStatusValues {
                message_type: b'O',
                operational_halt_status: code,
                timestamp: 9,
                symbol: *b"ZEXIT   ",
            };
            assert_eq!(events(&message.encode()).1, expected("Operational", state));
        }
    }

    #[test]
    fn the_directory_defines() {
        let message = SecurityDirectoryValues {
            message_type: b'D',
            security_directory_flags: 0x80,
            timestamp: 9,
            symbol: *b"ZEXIT   ",
            round_lot_size: 100,
            adjusted_poc_price: 100_000,
            luld_tier: 1,
        };
        let expected = format!(
            "9 Define(Definition {{ number: None, symbol: {:?}, price_decimals: None, round_lot: Some(100), tick_nanos: None, listing: 0, group: [], test: true }})",
            b"ZEXIT"
        );
        assert_eq!(events(&message.encode()).1, [expected]);
    }

    #[test]
    fn deep_plus_is_another_feed() {
        assert_eq!(<IexDeep as crate::Feed>::recognise(&segment(0x8004, &[b"S"])), 99);
        assert_eq!(<IexDeep as crate::Feed>::recognise(&segment(0x8005, &[b"S"])), 0);
    }

    fn events(bytes: &[u8]) -> (Result<Decoded, WireError>, Vec<String>) {
        let mut out = vec![];
        let result = decode(bytes, &mut |ts, e: Event<'_>| out.push(format!("{ts} {e:?}")));
        (result, out)
    }

    #[test]
    fn every_prefix_of_every_message_is_truncated() {
        for (i, layout) in MESSAGES.iter().enumerate() {
            let mut bytes = vec![0u8; layout.len + 3];
            bytes[0] = layout.tag as u8;
            // A later version's longer message is read by the table.
            for n in [layout.len, layout.len + 3] {
                assert_eq!(events(&bytes[..n]).0, Ok(Decoded::Message(i as u16)), "{}", layout.name);
                assert!(walk(layout, &bytes[..n], None, &mut Ignore).is_ok());
            }
            for n in 0..layout.len {
                let (result, out) = events(&bytes[..n]);
                assert_eq!(result.unwrap_err().kind, ErrorKind::Truncated, "{} cut at {n}", layout.name);
                assert_eq!(out, [""; 0], "{} cut at {n}", layout.name);
                let listed = walk(layout, &bytes[..n], None, &mut Ignore);
                assert_eq!(listed.unwrap_err().kind, ErrorKind::Truncated, "{} cut at {n}", layout.name);
            }
        }
    }

    #[test]
    fn an_unknown_type_is_named_and_passed_by() {
        assert_eq!(events(b"zzz"), (Ok(Decoded::Unknown(u32::from(b'z'))), vec![]));
    }

    /// The README's tables and the declaration are one fact; this holds them together.
    #[test]
    fn readme_says_what_the_code_says() {
        crate::wire_readme::hold(include_str!("README.md"), MESSAGES);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            noise in collection::vec(any::<u8>(), 0..200),
            body in collection::vec((0..MESSAGES.len(), collection::vec(any::<u8>(), 0..90)), 0..4),
        ) {
            visit::<IexDeep>(&noise);
            let messages: Vec<Vec<u8>> = body
                .iter()
                .map(|(i, rest)| [&[MESSAGES[*i].tag as u8], &rest[..]].concat())
                .collect();
            let messages: Vec<&[u8]> = messages.iter().map(|m| &m[..]).collect();
            visit::<IexDeep>(&segment(PROTOCOLS[0], &messages));
        }
    }
}
