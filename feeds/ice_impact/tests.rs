//! iMpact by bytes in the file.

use super::IceImpact;
use super::wire::*;
use crate::event::Event;
use crate::feed::{Decoded, Feed, PacketKind};
use crate::wire::{ErrorKind, Value, Visitor, WireError};
use proptest::collection;
use proptest::prelude::{any, proptest};
use std::{format, string::String, vec, vec::Vec};

/// A packet of session 3 from sequence 7, sent at 2018-08-21 10:00.
fn packet(messages: &[&[u8]]) -> Vec<u8> {
    let header = PacketHeaderValues {
        session: 3,
        sequence: 7,
        number_of_msgs: messages.len() as u16,
        sent_date_time: 1_534_845_600_398,
    };
    let mut out = header.encode().to_vec();
    messages.iter().for_each(|m| out.extend_from_slice(m));
    out
}

/// A message of type `tag` around `body`.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = (body.len() as u16).to_be_bytes();
    [&[tag, high, low], body].concat()
}

fn events(bytes: &[u8]) -> (Result<Decoded, WireError>, Vec<String>) {
    let header = IceImpact::header(&packet(&[bytes])).unwrap();
    let mut out = vec![];
    let mut sink = |ts: u64, e: Event<'_>| out.push(format!("{ts} {e:?}"));
    let result = IceImpact::decode(bytes, &header, &mut sink);
    (result, out)
}

/// A listing as text.
#[derive(Default)]
struct Listing(Vec<String>);

impl Visitor for Listing {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        self.0.push(format!("{name} {value:?}"));
    }
    fn begin_group(&mut self, name: &'static str) {
        self.0.push(format!("{name} ["));
    }
    fn begin_entry(&mut self) {
        self.0.push("{".into());
    }
    fn end_entry(&mut self) {
        self.0.push("}".into());
    }
    fn end_group(&mut self) {
        self.0.push("]".into());
    }
}

fn list(bytes: &[u8]) -> (Result<(), WireError>, Vec<String>) {
    let mut listing = Listing::default();
    (IceImpact::list(bytes, &mut listing).map(|_| ()), listing.0)
}

/// A message of the layout, all optional fields there, its side a bid where it has one.
fn sample(layout: &crate::wire::Layout) -> Vec<u8> {
    let last = layout.optional.last().map_or(layout.len, |row| row.offset + row.len);
    let mut bytes = vec![0u8; last];
    bytes[0] = layout.tag as u8;
    for row in layout.rows.iter().filter(|row| row.name == "side") {
        bytes[row.offset] = b'1';
    }
    bytes
}

#[test]
fn every_prefix_is_truncated_or_an_older_version() {
    for (i, layout) in MESSAGES.iter().enumerate() {
        let bytes = sample(layout);
        for n in 0..layout.len {
            let (result, out) = events(&bytes[..n]);
            assert_eq!(result.unwrap_err().kind, ErrorKind::Truncated, "{} cut at {n}", layout.name);
            assert_eq!(out, [""; 0], "{} cut at {n}", layout.name);
            assert_eq!(list(&bytes[..n]).0.unwrap_err().kind, ErrorKind::Truncated);
        }
        let mut fields = 0;
        for n in layout.len..=bytes.len() {
            assert_eq!(events(&bytes[..n]).0, Ok(Decoded::Message(i as u16)), "{} cut at {n}", layout.name);
            let (result, listed) = list(&bytes[..n]);
            assert_eq!(result, Ok(()), "{} cut at {n}", layout.name);
            assert!(listed.len() >= fields, "{} cut at {n}", layout.name);
            fields = listed.len();
        }
    }
}

/// Two legs of 1.1.24's length, one hedge with one byte more than declared, and 1.1.33's tail.
fn options_strategy() -> Vec<u8> {
    let mut m = sample(&NewOptionsStrategyDefinition::LAYOUT);
    m[3..7].copy_from_slice(&77u32.to_be_bytes());
    m[11..46].copy_from_slice(b"A SYMBOL OF THIRTY-FIVE CHARACTERS-");
    m[46] = b'1';
    m[47] = b'2';
    m[48..52].copy_from_slice(&5u32.to_be_bytes());
    m.push(2);
    for leg in 1..=2u8 {
        m.extend_from_slice(&[12, 0, 0, 0, leg, 0, 0, 0, 9, 0, 1, b'1']);
    }
    m.push(1);
    m.push(21);
    m.extend_from_slice(&[0; 20]);
    m.extend_from_slice(&[0; 22]);
    m.extend_from_slice(b"Y332Y");
    m.extend_from_slice(b"AND MORE\0                          ");
    m.push(b'N');
    m
}

#[test]
fn an_options_strategy_has_a_long_symbol_and_steps_over_its_groups() {
    let symbol = b"A SYMBOL OF THIRTY-FIVE CHARACTERS-AND MORE";
    let expected = [
        format!(
            "0 Define(Definition {{ number: Some(77), symbol: {symbol:?}, price_decimals: Some(2), round_lot: None, tick_nanos: Some(50000000), listing: 0, group: [], test: true }})"
        ),
        "0 State { scope: Instrument(Number(77)), symbol: [], state: Auction }".into(),
    ];
    assert_eq!(events(&options_strategy()).1, expected);
}

#[test]
fn a_strategy_may_end_on_a_boundary_only() {
    let m = options_strategy();
    let (legs, hedges, tail) = (60, 60 + 25, 60 + 25 + 22);
    for n in 60..m.len() {
        let whole = [legs, hedges, tail].contains(&n) || n >= tail + 22;
        for result in [events(&m[..n]).0.map(|_| ()), list(&m[..n]).0] {
            match whole {
                true => assert_eq!(result, Ok(()), "cut at {n}"),
                false => assert_eq!(result.unwrap_err().kind, ErrorKind::Truncated, "cut at {n}"),
            }
        }
    }
}

#[test]
fn an_entry_shorter_than_its_layout_is_a_bad_length() {
    for len in [0, 11] {
        let mut m = options_strategy();
        m[61] = len;
        assert_eq!(events(&m).0.unwrap_err().kind, ErrorKind::BadLength);
        assert_eq!(list(&m).0.unwrap_err().kind, ErrorKind::BadLength);
    }
}

#[test]
fn special_fields_are_read_by_their_number() {
    let m = message(b'b', b"\x03\x01\0\x08\xff\xff\xff\xff\xff\xff\xff\xfe\x06\0\x01Y\x63\0\x02ab");
    let expected = [
        "number_of_special_fields Uint(3)",
        "special_field [",
        "{",
        "special_field_id Uint(1)",
        "special_field_length Uint(8)",
        "alt_price Int(-2)",
        "}",
        "{",
        "special_field_id Uint(6)",
        "special_field_length Uint(1)",
        "aon Char(89)",
        "}",
        "{",
        "special_field_id Uint(99)",
        "special_field_length Uint(2)",
        "special_field_value Bytes([97, 98])",
        "}",
        "]",
    ];
    assert_eq!(list(&m), (Ok(()), expected.map(String::from).to_vec()));
    for n in 0..m.len() {
        assert_eq!(list(&m[..n]).0.unwrap_err().kind, ErrorKind::Truncated, "cut at {n}");
        assert_eq!(events(&m[..n]).0.unwrap_err().kind, ErrorKind::Truncated, "cut at {n}");
    }
}

const ORDER: AddOrModifyOrderValues = AddOrModifyOrderValues {
    message_type: b'E',
    message_body_length: 42,
    market_id: 5,
    order_id: 9,
    order_sequence_id: 0,
    side: b'2',
    price: -225,
    quantity: 10,
    is_implied: b'Y',
    is_rfq: b'N',
    order_entry_date_time: 1_534_845_600_696,
    extra_flags: 1,
    sequence_within_millis: 308_003,
};

#[test]
fn an_order_of_either_version_is_put_at_the_best_time_it_has() {
    let put = |ts| {
        [format!(
            "{ts} OrderPut {{ key: Number(5), order: 9, side: Ask, price: -225, quantity: 10, known: false }}"
        )]
    };
    let older = ORDER.encode();
    assert_eq!(events(&older).1, put(1_534_845_600_696_000_000u64));
    let newer = [&older[..], &1_534_845_600_696_308_000i64.to_be_bytes()[..]].concat();
    assert_eq!(events(&newer).1, put(1_534_845_600_696_308_000));
}

#[test]
fn a_request_for_quote_is_no_order() {
    assert_eq!(events(&AddOrModifyOrderValues { is_rfq: b'Y', ..ORDER }.encode()).1, [""; 0]);
}

#[test]
fn impossible_values_are_named() {
    let side = AddOrModifyOrderValues { side: b'3', ..ORDER }.encode();
    let error = events(&side).0.unwrap_err();
    assert_eq!((error.kind, error.offset, error.had), (ErrorKind::BadValue, 17, usize::from(b'3')));
    let quantity = AddOrModifyOrderValues { quantity: -1, ..ORDER }.encode();
    let error = events(&quantity).0.unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::BadValue, 26));
}

#[test]
fn trades_by_kind() {
    let trade = TradeValues {
        message_type: b'G',
        message_body_length: 46,
        market_id: 5,
        trade_id: 9,
        is_system_priced_leg: b'N',
        price: 100,
        quantity: 3,
        off_market_trade_indicator: b' ',
        transact_date_time: 1,
        system_priced_leg_type: b' ',
        is_implied_spread_at_market_open: b'N',
        is_adjusted_trade: b'N',
        aggressor_side: b'1',
        extra_flags: 0,
        off_market_trade_type: *b"   ",
        sequence_within_millis: 0,
    };
    let print = "1000000 Trade { key: Number(5), symbol: [], price: 100, quantity: 3 }";
    let deletion = "1000000 OrderDelete { key: Number(5), order: 9 }";
    assert_eq!(events(&trade.encode()).1, [print, deletion]);
    let block = TradeValues { off_market_trade_indicator: b'K', ..trade };
    assert_eq!(events(&block.encode()).1, [print]);
    let unnamed = TradeValues { aggressor_side: b' ', ..trade };
    assert_eq!(events(&unnamed.encode()).1, [print]);
    let leg = TradeValues { is_system_priced_leg: b'Y', ..trade };
    assert_eq!(events(&leg.encode()).1, [""; 0]);
}

#[test]
fn deletions_and_states() {
    let deletion =
        DeleteOrderValues { message_type: b'F', message_body_length: 12, market_id: 5, order_id: 9 };
    assert_eq!(events(&deletion.encode()).1, ["0 OrderDelete { key: Number(5), order: 9 }"]);
    let newer = [&deletion.encode()[..], &2i64.to_be_bytes()[..], &[0; 4]].concat();
    assert_eq!(events(&newer).1, ["2000000 OrderDelete { key: Number(5), order: 9 }"]);
    let states = [
        (b'O', "Trading"),
        (b'1', "Auction"),
        (b'2', "Auction"),
        (b'C', "Closed"),
        (b'E', "Closed"),
        (b'?', "Unknown"),
    ];
    for (code, state) in states {
        let m = message(b'K', &[0, 0, 0, 5, code, 0, 0, 0, 0, 0, 0, 0, 2]);
        let expected =
            format!("2000000 State {{ scope: Instrument(Number(5)), symbol: [], state: {state} }}");
        assert_eq!(events(&m).1, [expected]);
    }
}

#[test]
fn price_levels_of_either_version() {
    let level = b"\0\0\0\x052\x01\0\0\0\0\0\0\0\x62\0\0\0\x07\0\x02\0\0\0\x01\0\x01";
    let expected = |ts: u64, action, price, quantity, orders| {
        [format!(
            "{ts} LevelAt {{ key: Number(5), ladder: Outright, action: {action}, side: Ask, position: 1, price: {price}, quantity: {quantity}, orders: {orders} }}"
        )]
    };
    assert_eq!(events(&message(b't', level)).1, expected(0, "New", 98, 7, 2));
    assert_eq!(events(&message(b's', level)).1, expected(0, "Change", 98, 7, 2));
    assert_eq!(events(&message(b'm', level)).1, expected(0, "Overlay", 98, 7, 2));
    assert_eq!(events(&message(b'r', &level[..6])).1, expected(0, "Delete", 0, 0, 0));
    let newer = [&level[..], &3i64.to_be_bytes()[..]].concat();
    assert_eq!(events(&message(b't', &newer)).1, expected(3, "New", 98, 7, 2));
}

#[test]
fn packets_are_framed_by_body_lengths() {
    let p = packet(&[b"T\0\x01S", b"~\0\x02ab", b"T\0\x01E"]);
    let header = IceImpact::header(&p).unwrap();
    assert_eq!((header.session, header.sequence, header.count, header.kind), (3, 7, 3, PacketKind::Data));
    assert_eq!(header.ts_send_ns, Some(1_534_845_600_398_000_000));
    let mut spans = vec![];
    let mut at = header.len;
    while let Some(span) = IceImpact::split(&p, at).unwrap() {
        spans.push((span.start, span.end));
        at = span.end;
    }
    assert_eq!(spans, [(16, 20), (20, 25), (25, 29)]);
    // An unknown type is passed by; a packet that holds one is not recognised by its bytes alone.
    assert_eq!(events(&p[20..25]), (Ok(Decoded::Unknown(u32::from(b'~'))), vec![]));
    assert_eq!(IceImpact::recognise(&p), 0);
    assert_eq!(IceImpact::recognise(&packet(&[b"T\0\x01S", b"T\0\x01E"])), 96);
    assert_eq!(IceImpact::recognise(&packet(&[])), 60);
    for n in 0..16 {
        assert_eq!(IceImpact::header(&p[..n]).unwrap_err().kind, ErrorKind::Truncated);
    }
    for n in [17, 18, 19] {
        assert_eq!(IceImpact::split(&p[..n], 16).unwrap_err().kind, ErrorKind::Truncated);
    }
}

#[test]
fn a_heartbeat_holds_the_next_number() {
    let header = IceImpact::header(&packet(&[])).unwrap();
    assert_eq!((header.kind, header.sequence, header.count), (PacketKind::Heartbeat, 7, 0));
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
        body in collection::vec((0..MESSAGES.len(), collection::vec(any::<u8>(), 0..700)), 0..4),
    ) {
        crate::iextp::tests::visit::<IceImpact>(&noise);
        let messages: Vec<Vec<u8>> =
            body.iter().map(|(i, rest)| message(MESSAGES[*i].tag as u8, rest)).collect();
        let messages: Vec<&[u8]> = messages.iter().map(|m| &m[..]).collect();
        crate::iextp::tests::visit::<IceImpact>(&packet(&messages));
    }
}
