//! Messages that TOPS and DEEP share word for word, and what they mean. Integers are little-endian, prices have
//! 4 implied decimals, timestamps are nanoseconds since 1970-01-01 UTC.
//!
//! Judges nothing: quotes and levels, and which message belongs to which feed, are in the feeds' own folders.

use crate::event::{Definition, Event, Key, Sink, StateScope, TradingState};
use crate::wire::le::{Bits8, I64, U8, U32, U64};
use crate::wire::{Char, Layout, Text, WireError, trim};

crate::wire! {
    /// System Event: start and end of messages, system hours and regular hours; all securities.
    message SystemEvent "system_event", tag b'S', header 1, len 10 {
        0 message_type: Char,
        1 system_event: Char,
        2 timestamp: I64,
    } values SystemEventValues;

    /// Security Directory: round lot, adjusted previous official close and LULD tier of one security.
    message SecurityDirectory "security_directory", tag b'D', header 1, len 31 {
        0 message_type: Char,
        1 security_directory_flags: Bits8,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 round_lot_size: U32,
        22 adjusted_poc_price: I64,
        30 luld_tier: U8,
    } values SecurityDirectoryValues;

    /// Trading Status: whether the security trades, across all markets and at IEX.
    message TradingStatus "trading_status", tag b'H', header 1, len 22 {
        0 message_type: Char,
        1 trading_status: Char,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 reason: Text<4>,
    } values TradingStatusValues;

    /// Retail Liquidity Indicator: resting retail interest inside the protected quote.
    message RetailLiquidityIndicator "retail_liquidity_indicator", tag b'I', header 1, len 18 {
        0 message_type: Char,
        1 retail_liquidity_indicator: Char,
        2 timestamp: I64,
        10 symbol: Text<8>,
    } values RetailLiquidityIndicatorValues;

    /// Operational Halt Status: IEX alone has halted the security.
    message OperationalHaltStatus "operational_halt_status", tag b'O', header 1, len 18 {
        0 message_type: Char,
        1 operational_halt_status: Char,
        2 timestamp: I64,
        10 symbol: Text<8>,
    } values OperationalHaltStatusValues;

    /// Short Sale Price Test Status.
    message ShortSalePriceTestStatus "short_sale_price_test_status", tag b'P', header 1, len 19 {
        0 message_type: Char,
        1 short_sale_price_test_status: U8,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 detail: Char,
    } values ShortSalePriceTestStatusValues;

    /// Security Event: opening or closing process complete.
    message SecurityEvent "security_event", tag b'E', header 1, len 18 {
        0 message_type: Char,
        1 security_event: Char,
        2 timestamp: I64,
        10 symbol: Text<8>,
    } values SecurityEventValues;

    /// Trade Report: one fill.
    message TradeReport "trade_report", tag b'T', header 1, len 38 {
        0 message_type: Char,
        1 sale_condition_flags: Bits8,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 size: U32,
        22 price: I64,
        30 trade_id: U64,
    } values TradeReportValues;

    /// Official Price: official opening or closing price of an IEX-listed security.
    message OfficialPrice "official_price", tag b'X', header 1, len 26 {
        0 message_type: Char,
        1 price_type: Char,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 official_price: I64,
    } values OfficialPriceValues;

    /// Trade Break: a trade of the same day is undone.
    message TradeBreak "trade_break", tag b'B', header 1, len 38 {
        0 message_type: Char,
        1 sale_condition_flags: Bits8,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 size: U32,
        22 price: I64,
        30 trade_id: U64,
    } values TradeBreakValues;

    /// Auction Information: indicative figures of an auction in an IEX-listed security.
    message AuctionInformation "auction_information", tag b'A', header 1, len 80 {
        0 message_type: Char,
        1 auction_type: Char,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 paired_shares: U32,
        22 reference_price: I64,
        30 indicative_clearing_price: I64,
        38 imbalance_shares: U32,
        42 imbalance_side: Char,
        43 extension_number: Char,
        44 scheduled_auction_time: U32,
        48 auction_book_clearing_price: I64,
        56 collar_reference_price: I64,
        64 lower_auction_collar: I64,
        72 upper_auction_collar: I64,
    } values AuctionInformationValues;
}

/// Security Directory flag: a test security (Appendix A).
pub const TEST_SECURITY: u8 = 0x80;

/// The message's type code.
///
/// # Errors
/// `Truncated` when the message is empty.
#[inline]
pub fn tag(message: &[u8]) -> Result<u8, WireError> {
    message.first().copied().ok_or(WireError::truncated("message_type", 0, 1, 0))
}

/// Positions in `messages` by type code; 255 for codes that are not declared.
pub const fn index_table(messages: &[&Layout]) -> [u8; 256] {
    let mut table = [255u8; 256];
    let mut i = 0;
    while i < messages.len() {
        table[messages[i].tag as usize] = i as u8;
        i += 1;
    }
    table
}

/// A signed timestamp as event time; 0, which says "none", for what lies before 1970.
#[inline]
pub fn ts_event_ns(timestamp: i64) -> u64 {
    u64::try_from(timestamp).unwrap_or(0)
}

/// Hands the events of a shared message to `sink`; a type that carries none is only held to its length.
///
/// # Errors
/// `Truncated` when the message is shorter than its layout.
pub fn decode<S: Sink>(layout: &'static Layout, b: &[u8], sink: &mut S) -> Result<(), WireError> {
    if b.len() < layout.len {
        return Err(WireError::truncated(layout.name, 0, layout.len, b.len()));
    }
    match b[0] {
        b'T' => {
            let m = TradeReport::read(b)?;
            let symbol = m.symbol();
            let (key, symbol) = (Key::Symbol(trim(&symbol)), trim(&symbol));
            let event = Event::Trade { key, symbol, price: m.price(), quantity: u64::from(m.size()) };
            sink.event(ts_event_ns(m.timestamp()), event);
        }
        b'S' => system_event(&SystemEvent::read(b)?, sink),
        b'D' => {
            let m = SecurityDirectory::read(b)?;
            let symbol = m.symbol();
            let definition = Definition {
                symbol: trim(&symbol),
                round_lot: Some(m.round_lot_size()),
                test: m.security_directory_flags() & TEST_SECURITY != 0,
                ..Definition::default()
            };
            sink.event(ts_event_ns(m.timestamp()), Event::Define(definition));
        }
        b'H' => {
            let m = TradingStatus::read(b)?;
            let state = match m.trading_status() {
                b'T' => TradingState::Trading,
                b'O' => TradingState::Auction,
                b'H' | b'P' => TradingState::Halted,
                _ => TradingState::Unknown,
            };
            instrument_state(sink, m.timestamp(), &m.symbol(), state);
        }
        b'O' => {
            let m = OperationalHaltStatus::read(b)?;
            let state = match m.operational_halt_status() {
                b'O' => TradingState::Halted,
                b'N' => TradingState::Trading,
                _ => return Ok(()),
            };
            let symbol = m.symbol();
            let scope = StateScope::Operational(Key::Symbol(trim(&symbol)));
            sink.event(ts_event_ns(m.timestamp()), Event::State { scope, symbol: trim(&symbol), state });
        }
        _ => {}
    }
    Ok(())
}

/// O start and C end of messages, S start and E end of system hours, R start and M end of regular hours. IEX
/// trades continuously through all system hours; outside of them it does not trade.
fn system_event<S: Sink>(m: &SystemEvent<'_>, sink: &mut S) {
    let state = match m.system_event() {
        b'S' | b'R' | b'M' => TradingState::Trading,
        b'O' | b'E' | b'C' => TradingState::Closed,
        _ => return,
    };
    let event = Event::State { scope: StateScope::All, symbol: &[], state };
    sink.event(ts_event_ns(m.timestamp()), event);
}

fn instrument_state<S: Sink>(sink: &mut S, timestamp: i64, symbol: &[u8; 8], state: TradingState) {
    let symbol = trim(symbol);
    let scope = StateScope::Instrument(Key::Symbol(symbol));
    sink.event(ts_event_ns(timestamp), Event::State { scope, symbol, state });
}
