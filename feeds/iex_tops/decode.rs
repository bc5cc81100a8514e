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

#[cfg(test)]
mod tests {
    use super::super::IexTops;
    use super::*;
    use crate::iextp::tests::{Ignore, segment, visit};
    use crate::wire::{ErrorKind, walk};
    use proptest::collection;
    use proptest::prelude::{any, proptest};
    use std::{format, string::String, vec, vec::Vec};

    fn quote(flags: u8, bid_size: u32, ask_size: u32) -> [u8; 42] {
        let price = |size| if size > 0 { 101_000 } else { 0 };
        QuoteUpdateValues {
            message_type: b'Q',
            quote_update_flags: flags,
            timestamp: 9,
            symbol: *b"ZIEXT   ",
            bid_size,
            bid_price: price(bid_size),
            ask_price: price(ask_size),
            ask_size,
        }
        .encode()
    }

    #[test]
    fn a_side_of_size_zero_is_empty() {
        let symbol = format!("{:?}", b"ZIEXT");
        let (_, out) = events(&quote(0x40, 300, 0));
        let expected = format!(
            "9 Quote {{ key: Symbol({symbol}), quoter: Venue, bid: Some((101000, 300)), ask: None, state: Some(Trading) }}"
        );
        assert_eq!(out, [expected]);
    }

    #[test]
    fn an_unavailable_security_is_halted() {
        let symbol = format!("{:?}", b"ZIEXT");
        let (_, out) = events(&quote(0x80, 0, 0));
        let expected = format!(
            "9 Quote {{ key: Symbol({symbol}), quoter: Venue, bid: None, ask: None, state: Some(Halted) }}"
        );
        assert_eq!(out, [expected]);
    }

    #[test]
    fn both_versions_are_this_feed() {
        for id in [0x8002, 0x8003] {
            assert_eq!(<IexTops as crate::Feed>::recognise(&segment(id, &[&quote(0, 1, 1)])), 99);
        }
        for id in [0x8004, 0x8005] {
            assert_eq!(<IexTops as crate::Feed>::recognise(&segment(id, &[&quote(0, 1, 1)])), 0);
        }
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
            visit::<IexTops>(&noise);
            let messages: Vec<Vec<u8>> = body
                .iter()
                .map(|(i, rest)| [&[MESSAGES[*i].tag as u8], &rest[..]].concat())
                .collect();
            let messages: Vec<&[u8]> = messages.iter().map(|m| &m[..]).collect();
            visit::<IexTops>(&segment(PROTOCOLS[0], &messages));
        }
    }
}
