//! Messages written from their tables, and the events that come of them.

use super::*;
use std::{format, string::String, vec, vec::Vec};

fn events(bytes: &[u8]) -> (Result<Decoded, WireError>, Vec<String>) {
    let mut out = vec![];
    let result = decode(bytes, &mut |ts, e: Event<'_>| out.push(format!("{ts} {e:?}")));
    (result, out)
}

fn short(indicator: u8) -> QuoteShortFormValues {
    QuoteShortFormValues {
        version: b'1',
        message_category: b'Q',
        message_type: b'E',
        market_center_originator_id: b'K',
        sub_market_center_id: b' ',
        sip_timestamp: 7,
        participant_timestamp: 6,
        participant_token: 0,
        symbol_short: *b"AKAM ",
        bid_price_short: 5123,
        bid_size_short: 1,
        ask_price_short: 5124,
        ask_size_short: 2,
        quote_condition: b'R',
        sip_generated_update: b' ',
        luld_bbo_indicator: b' ',
        retail_interest_indicator: b' ',
        nbbo_appendage_indicator: indicator,
        luld_national_bbo_indicator: b'A',
    }
}

fn long(indicator: u8) -> QuoteLongFormValues {
    QuoteLongFormValues {
        version: b'1',
        message_category: b'Q',
        message_type: b'F',
        market_center_originator_id: b'Z',
        sub_market_center_id: b' ',
        sip_timestamp: 9,
        participant_timestamp: 8,
        participant_token: 0,
        finra_timestamp: 0,
        symbol: *b"AMZN       ",
        bid_price: 767_250_000,
        bid_size: 3,
        ask_price: 0,
        ask_size: 0,
        quote_condition: b'Y',
        sip_generated_update: b' ',
        luld_bbo_indicator: b' ',
        retail_interest_indicator: b' ',
        nbbo_appendage_indicator: indicator,
        luld_national_bbo_indicator: b'A',
        finra_adf_mpid_appendage_indicator: b' ',
    }
}

fn control(kind: u8, originator: u8) -> [u8; 29] {
    StartOfDayValues {
        version: b'1',
        message_category: b'C',
        message_type: kind,
        market_center_originator_id: originator,
        sub_market_center_id: b' ',
        sip_timestamp: 5,
        participant_timestamp: 0,
        participant_token: 0,
    }
    .encode()
}

const AKAM: &[u8] = b"AKAM";

fn quote(ts: u64, symbol: &[u8], rest: &str) -> String {
    format!("{ts} Quote {{ key: Symbol({symbol:?}), {rest} }}")
}

#[test]
fn a_short_quote_has_six_decimals_and_shares() {
    let (result, out) = events(&short(b'0').encode());
    assert_eq!(result, Ok(Decoded::Message(0)));
    let own = "quoter: Participant(75), bid: Some((51230000, 100)), ask: Some((51240000, 200)), state: Some(Trading)";
    assert_eq!(out, [quote(7, AKAM, own)]);
}

#[test]
fn the_appendage_indicator_says_what_the_national_best_is() {
    let own = quote(
        7,
        AKAM,
        "quoter: Participant(75), bid: Some((51230000, 100)), ask: Some((51240000, 200)), state: Some(Trading)",
    );
    let none = quote(7, AKAM, "quoter: National, bid: None, ask: None, state: None");
    assert_eq!(events(&short(b'1').encode()).1, [own.clone(), none]);
    let same = quote(
        7,
        AKAM,
        "quoter: National, bid: Some((51230000, 100)), ask: Some((51240000, 200)), state: Some(Trading)",
    );
    assert_eq!(events(&short(b'4').encode()).1, [own.clone(), same]);

    let mut message: Vec<u8> = short(b'2').encode().into();
    message.extend(
        ShortFormNbboOfShortValues {
            nbbo_quote_condition: b'L',
            national_best_bid_market_center: b'K',
            national_best_bid_price_short: 5123,
            national_best_bid_size_short: 1,
            national_best_ask_market_center: b' ',
            national_best_ask_price_short: 0,
            national_best_ask_size_short: 0,
        }
        .encode(),
    );
    let appended =
        quote(7, AKAM, "quoter: National, bid: Some((51230000, 100)), ask: None, state: Some(Closed)");
    assert_eq!(events(&message).1, [own.clone(), appended]);
    assert!(fits(&message));

    let (result, out) = events(&short(b'9').encode());
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.offset, error.had), (ErrorKind::BadValue, 46, 0x39));
    assert_eq!(out, [own]);
}

#[test]
fn a_long_quote_takes_its_national_best_from_the_long_form() {
    let mut message: Vec<u8> = long(b'3').encode().into();
    message.extend(
        LongFormNbboOfShortValues {
            nbbo_quote_condition: b'R',
            best_bid_market_center: b'K',
            best_bid_price: 767_260_000,
            best_bid_size: 4,
            best_ask_market_center: b'Q',
            best_ask_price: 767_270_000,
            best_ask_size: 1,
        }
        .encode(),
    );
    let (result, out) = events(&message);
    assert_eq!(result, Ok(Decoded::Message(1)));
    let own = "quoter: Participant(90), bid: Some((767250000, 300)), ask: None, state: Some(Trading)";
    let best =
        "quoter: National, bid: Some((767260000, 400)), ask: Some((767270000, 100)), state: Some(Trading)";
    assert_eq!(out, [quote(9, b"AMZN", own), quote(9, b"AMZN", best)]);
    for n in 0..message.len() {
        let error = events(&message[..n]).0.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated, "cut at {n}");
        assert!(!fits(&message[..n]), "cut at {n}");
    }
}

#[test]
fn a_price_beyond_a_signed_number_is_a_bad_value() {
    let values = QuoteLongFormValues { bid_price: u64::MAX, ..long(b'0') };
    let error = events(&values.encode()).0.unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::BadValue, 48));
}

#[test]
fn conditions_that_are_not_open_say_so() {
    let state = |code| {
        let out = events(&QuoteShortFormValues { quote_condition: code, ..short(b'0') }.encode()).1;
        out[0].rsplit("state: ").next().unwrap().trim_end_matches(" }").into()
    };
    let said: Vec<String> = b"LZNR4?".iter().map(|c| state(*c)).collect();
    assert_eq!(
        said,
        ["Some(Closed)", "Some(Halted)", "Some(Halted)", "Some(Trading)", "Some(Auction)", "None"]
    );
}

#[test]
fn control_messages_open_close_and_wipe_out() {
    let all = |state: &str| vec![format!("5 State {{ scope: All, symbol: [], state: {state} }}")];
    assert_eq!(events(&control(b'I', b'E')).1, Vec::<String>::new());
    assert_eq!(events(&control(b'O', b'E')).1, all("Trading"));
    assert_eq!(events(&control(b'C', b'E')).1, all("Trading"));
    assert_eq!(events(&control(b'J', b'E')).1, all("Closed"));
    assert_eq!(events(&control(b'Z', b'E')).1, all("Closed"));
    assert_eq!(events(&control(b'P', b'E')).1, ["5 Clear { key: None }"]);
    assert_eq!(events(&control(b'P', b'Q')).1, ["5 WipeOut { quoter: Participant(81) }"]);
}

#[test]
fn price_bands_are_said_where_there_are_any() {
    let band = |down, up| {
        LuldPriceBandValues {
            version: b'1',
            message_category: b'A',
            message_type: b'P',
            market_center_originator_id: b'E',
            sub_market_center_id: b' ',
            sip_timestamp: 4,
            participant_timestamp: 0,
            participant_token: 0,
            symbol: *b"AKAM       ",
            luld_price_band_indicator: b'B',
            luld_timestamp: 3,
            limit_down_price: down,
            limit_up_price: up,
        }
        .encode()
    };
    let symbol = b"AKAM";
    let said = format!("4 PriceBands {{ key: Symbol({symbol:?}), lower: 95000000, upper: 105000000 }}");
    assert_eq!(events(&band(95_000_000, 105_000_000)).1, [said]);
    // Bands are suspended, or belong to the other side only.
    assert_eq!(events(&band(0, 105_000_000)).1, Vec::<String>::new());
    let error = events(&band(u64::MAX, 1)).0.unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::BadValue, 49));
}

#[test]
fn trading_actions_concern_the_issue_or_one_participant() {
    let cross = CrossSroTradingActionValues {
        version: b'1',
        message_category: b'A',
        message_type: b'H',
        market_center_originator_id: b'Q',
        sub_market_center_id: b' ',
        sip_timestamp: 4,
        participant_timestamp: 3,
        participant_token: 0,
        symbol: *b"AKAM       ",
        trading_action_code: b'P',
        trading_action_sequence_number: 1,
        action_timestamp: 2,
        trading_action_reason: *b"LUDP  ",
    };
    assert_eq!(
        events(&cross.encode()).1,
        [format!("4 State {{ scope: Instrument(Symbol({AKAM:?})), symbol: {AKAM:?}, state: Halted }}")]
    );
    let center = MarketCenterTradingActionValues {
        version: b'1',
        message_category: b'A',
        message_type: b'K',
        market_center_originator_id: b'Z',
        sub_market_center_id: b' ',
        sip_timestamp: 4,
        participant_timestamp: 3,
        participant_token: 0,
        symbol: *b"AKAM       ",
        trading_action_code: b'T',
        action_timestamp: 2,
        market_center_identifier: b'Z',
    };
    assert_eq!(
        events(&center.encode()).1,
        [format!("4 State {{ scope: Participant(Symbol({AKAM:?}), 90), symbol: {AKAM:?}, state: Trading }}")]
    );
}

#[test]
fn every_prefix_of_every_message_is_truncated() {
    for layout in MESSAGES {
        let mut bytes = vec![0u8; layout.len];
        (bytes[1], bytes[2]) = ((layout.tag >> 8) as u8, layout.tag as u8);
        if bytes[1] == b'Q' && bytes[2] != b'M' {
            let indicator = if bytes[2] == b'E' { 46 } else { 76 };
            bytes[indicator] = b'0';
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
    assert_eq!(events(b"1Qz"), (Ok(Decoded::Unknown(u32::from_be_bytes([0, 0, b'Q', b'z']))), vec![]));
    assert_eq!(events(b"1zz").0, Ok(Decoded::Unknown(u32::from_be_bytes([0, 0, b'z', b'z']))));
}

/// The README's tables and the declaration are one fact; this holds them together.
#[test]
fn readme_says_what_the_code_says() {
    crate::wire_readme::hold(include_str!("README.md"), MESSAGES);
}

/// Writes a listing as `name=value` words.
#[derive(Default)]
struct Words(Vec<String>);

impl crate::wire::Visitor for Words {
    fn field(&mut self, name: &'static str, value: crate::wire::Value<'_>) {
        self.0.push(format!("{name}={value:?}"));
    }
    fn begin_group(&mut self, name: &'static str) {
        self.0.push(format!("{name}["));
    }
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {
        self.0.push("]".into());
    }
}

#[test]
fn parts_of_varying_length_are_listed_and_must_be_whole() {
    let head = |kind| {
        let mut head = control(kind, b'E');
        head[1] = b'A';
        head
    };
    let text = [&head(b'A')[..], b"\x00\x05hello"].concat();
    let layout = MESSAGES[usize::from(index(super::tag(&text).unwrap()).unwrap())];
    let mut words = Words::default();
    walk(layout, &text, None, &mut words).unwrap();
    assert_eq!(words.0[5..], ["text_length=Uint(5)", &format!("text=Text({:?})", b"hello")]);
    assert!(fits(&text) && !fits(&text[..35]) && !fits(&[&text[..], b"!"].concat()));
    let error = walk(layout, &text[..35], None, &mut Words::default()).unwrap_err();
    assert_eq!((error.kind, error.offset, error.needed, error.had), (ErrorKind::Truncated, 31, 5, 4));

    let padding = [b' '; SessionCloseRecap::LEN - 29];
    let recap = [&head(b'R')[..], &padding, &[0, 1], &[b'Q'; 33]].concat();
    let mut words = Words::default();
    walk(&SessionCloseRecap::LAYOUT, &recap, None, &mut words).unwrap();
    let at = words.0.iter().position(|w| w == "number_of_market_center_attachments=Uint(1)").unwrap();
    assert_eq!(words.0[at + 1], "market_center_close_recap[");
    assert_eq!(words.0.len(), at + 2 + 5 + 1);
    assert!(fits(&recap));
    assert_eq!(events(&recap).0, Ok(Decoded::Message(12)));
    assert_eq!(events(&recap[..recap.len() - 1]).0.unwrap_err().kind, ErrorKind::Truncated);
}
