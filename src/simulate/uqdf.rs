//! The consolidator's words: quotes and states as UTP UQDF messages, by the layouts that decode them.
//!
//! It makes single messages; whose turn it is and what is wrong with it are decided elsewhere.

use feeds::nasdaq_uqdf::wire::*;

use super::flow::ROUND_LOT;
use super::itch::padded;
use super::packet::Blocks;

/// Version byte of the binary specification.
const VERSION: u8 = b'1';
/// Originator of messages that are the SIP's own.
const SIP: u8 = b'E';

/// A message: its category, type, originator and times, which stand before everything else in every layout, and its own
/// fields. A participant's time of 0 is none.
macro_rules! message {
    ($layout:ident, $kind:expr, $from:expr, $sip_ns:expr, $participant_ns:expr; $($field:ident: $value:expr,)*) => {{
        let [message_category, message_type]: [u8; 2] = $kind;
        $layout {
            version: VERSION,
            message_category,
            message_type,
            market_center_originator_id: $from,
            sub_market_center_id: b' ',
            sip_timestamp: $sip_ns,
            participant_timestamp: $participant_ns,
            participant_token: 0,
            $($field: $value,)*
        }
    }};
}

/// One side of a quote: price in 4 decimals and round lots.
pub type Lots = Option<(u32, u32)>;

/// A participant's quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Quote {
    /// Bid, empty without one.
    pub bid: Lots,
    /// Ask, empty without one.
    pub ask: Lots,
}

/// One side of the national best: whose, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// Participant code.
    pub of: u8,
    /// Price in 4 decimals and round lots.
    pub lots: (u32, u32),
}

/// The national best bid and offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct National {
    /// Best bid.
    pub bid: Option<Best>,
    /// Best ask.
    pub ask: Option<Best>,
}

/// Times on a message, nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// When the SIP sends it.
    pub sip_ns: u64,
    /// When the participant made it.
    pub participant_ns: u64,
}

/// Shares as round lots, at least one where there are any.
pub fn lots(shares: u64) -> u32 {
    u32::try_from(shares / ROUND_LOT).unwrap_or(u32::MAX)
}

/// A side in the short form's 2 decimals and 2 bytes, where it fits.
fn short(side: Lots) -> Option<(u16, u16)> {
    let Some((price, size)) = side else { return Some((0, 0)) };
    if price % 100 != 0 {
        return None;
    }
    Some((u16::try_from(price / 100).ok()?, u16::try_from(size).ok()?))
}

/// A side in the long form's 6 decimals.
fn long(side: Lots) -> (u64, u32) {
    side.map_or((0, 0), |(price, size)| (u64::from(price) * 100, size))
}

/// How the national best that follows from a quote is told with it.
fn appendage(code: u8, quote: Quote, national: Option<National>) -> (u8, Vec<u8>) {
    let Some(national) = national else { return (b'0', Vec::new()) };
    let is = |best: Option<Best>, side: Lots| best.is_some_and(|b| b.of == code && Some(b.lots) == side);
    if is(national.bid, quote.bid) && is(national.ask, quote.ask) {
        return (b'4', Vec::new());
    }
    if national == National::default() {
        return (b'1', Vec::new());
    }
    let of = |best: Option<Best>| best.map_or(b' ', |b| b.of);
    let (bid, ask) = (national.bid.map(|b| b.lots), national.ask.map(|b| b.lots));
    if let (Some(bid), Some(ask)) = (short(bid), short(ask)) {
        let a = ShortFormNbboOfShortValues {
            nbbo_quote_condition: b'R',
            national_best_bid_market_center: of(national.bid),
            national_best_bid_price_short: bid.0,
            national_best_bid_size_short: bid.1,
            national_best_ask_market_center: of(national.ask),
            national_best_ask_price_short: ask.0,
            national_best_ask_size_short: ask.1,
        };
        return (b'2', a.encode().to_vec());
    }
    let (bid, ask) = (long(bid), long(ask));
    let a = LongFormNbboOfShortValues {
        nbbo_quote_condition: b'R',
        best_bid_market_center: of(national.bid),
        best_bid_price: bid.0,
        best_bid_size: bid.1,
        best_ask_market_center: of(national.ask),
        best_ask_price: ask.0,
        best_ask_size: ask.1,
    };
    (b'3', a.encode().to_vec())
}

/// A participant's quote with the national best that follows from it (`None`: unchanged); short where it fits.
pub fn quote(
    code: u8,
    symbol: &str,
    times: Times,
    quote: Quote,
    national: Option<National>,
    out: &mut Blocks,
) {
    let (nbbo_appendage_indicator, appendage) = appendage(code, quote, national);
    let quote_condition = if quote.bid.is_some() && quote.ask.is_some() { b'R' } else { b'Y' };
    if let (Some(bid), Some(ask), true) = (short(quote.bid), short(quote.ask), symbol.len() <= 5) {
        let m = message! {
            QuoteShortFormValues, *b"QE", code, times.sip_ns, times.participant_ns;
            symbol_short: padded(symbol),
            bid_price_short: bid.0,
            bid_size_short: bid.1,
            ask_price_short: ask.0,
            ask_size_short: ask.1,
            quote_condition: quote_condition,
            sip_generated_update: b' ',
            luld_bbo_indicator: b' ',
            retail_interest_indicator: b' ',
            nbbo_appendage_indicator: nbbo_appendage_indicator,
            luld_national_bbo_indicator: b'A',
        };
        return out.push(&[&m.encode(), &appendage]);
    }
    let (bid, ask) = (long(quote.bid), long(quote.ask));
    let m = message! {
        QuoteLongFormValues, *b"QF", code, times.sip_ns, times.participant_ns;
        finra_timestamp: 0,
        symbol: padded(symbol),
        bid_price: bid.0,
        bid_size: bid.1,
        ask_price: ask.0,
        ask_size: ask.1,
        quote_condition: quote_condition,
        sip_generated_update: b' ',
        luld_bbo_indicator: b' ',
        retail_interest_indicator: b' ',
        nbbo_appendage_indicator: nbbo_appendage_indicator,
        luld_national_bbo_indicator: b'A',
        finra_adf_mpid_appendage_indicator: b'0',
    };
    out.push(&[&m.encode(), &appendage]);
}

/// Issue Symbol Directory: tier Q, round lot 100, a production issue.
pub fn directory(symbol: &str, times: Times, out: &mut Blocks) {
    let m = message! {
        IssueSymbolDirectoryValues, *b"AB", SIP, times.sip_ns, 0;
        symbol: padded(symbol),
        old_symbol: padded(""),
        issue_name: padded("Simulated common stock"),
        issue_type: b'C',
        issue_subtype: *b"Z ",
        market_tier: b'Q',
        authenticity: b'P',
        short_sale_threshold_indicator: b' ',
        round_lot_size: ROUND_LOT as u16,
        financial_status_indicator: b'N',
    };
    out.push(&[&m.encode()]);
}

/// Cross SRO Trading Action: `H` halted, `T` trading.
pub fn trading_action(symbol: &str, code: u8, number: u32, reason: &str, times: Times, out: &mut Blocks) {
    let m = message! {
        CrossSroTradingActionValues, *b"AH", SIP, times.sip_ns, 0;
        symbol: padded(symbol),
        trading_action_code: code,
        trading_action_sequence_number: number,
        action_timestamp: times.participant_ns,
        trading_action_reason: padded(reason),
    };
    out.push(&[&m.encode()]);
}

/// Limit Up - Limit Down Price Band; prices in 4 decimals. `code`: `A` the day's first, `B` a new one.
pub fn bands(symbol: &str, code: u8, lower: u64, upper: u64, times: Times, out: &mut Blocks) {
    let m = message! {
        LuldPriceBandValues, *b"AP", SIP, times.sip_ns, 0;
        symbol: padded(symbol),
        luld_price_band_indicator: code,
        luld_timestamp: times.sip_ns,
        limit_down_price: lower * 100,
        limit_up_price: upper * 100,
    };
    out.push(&[&m.encode()]);
}

/// A control message of that type: `I` start of day, `O` session open, `C` session close, `J` end of day,
/// `Z` end of transmissions. They are alike but for the type.
pub fn control(message_type: u8, times: Times, out: &mut Blocks) {
    let m = message! {
        StartOfDayValues, [b'C', message_type], SIP, times.sip_ns, 0;
    };
    out.push(&[&m.encode()]);
}
