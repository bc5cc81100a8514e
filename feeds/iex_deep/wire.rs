//! Message layouts of IEX DEEP 1.0, in the specification's words; what TOPS has too is declared in
//! [`crate::iextp::common`].

use crate::iextp::common::*;
use crate::wire::le::{Bits8, I64, U32};
use crate::wire::{Char, Text};

/// Message protocol id of DEEP 1.0 in the IEX-TP header. DEEP+ (0x8005) is another feed.
pub const PROTOCOLS: &[u16] = &[0x8004];

/// Price Level Update event flag: the order book is done with processing the event (Appendix A).
pub const EVENT_PROCESSING_COMPLETE: u8 = 0x01;

crate::wire! {
    /// Price Level Update, buy side: the whole displayed size at a price.
    message PriceLevelBuyUpdate "price_level_buy_update", tag b'8', header 1, len 30 {
        0 message_type: Char,
        1 event_flags: Bits8,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 size: U32,
        22 price: I64,
    } values PriceLevelBuyUpdateValues;

    /// Price Level Update, sell side: the whole displayed size at a price.
    message PriceLevelSellUpdate "price_level_sell_update", tag b'5', header 1, len 30 {
        0 message_type: Char,
        1 event_flags: Bits8,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 size: U32,
        22 price: I64,
    } values PriceLevelSellUpdateValues;
}

/// Every message of the specification.
pub const MESSAGES: &[&crate::wire::Layout] = &[
    &SystemEvent::LAYOUT,
    &SecurityDirectory::LAYOUT,
    &TradingStatus::LAYOUT,
    &RetailLiquidityIndicator::LAYOUT,
    &OperationalHaltStatus::LAYOUT,
    &ShortSalePriceTestStatus::LAYOUT,
    &SecurityEvent::LAYOUT,
    &PriceLevelBuyUpdate::LAYOUT,
    &PriceLevelSellUpdate::LAYOUT,
    &TradeReport::LAYOUT,
    &OfficialPrice::LAYOUT,
    &TradeBreak::LAYOUT,
    &AuctionInformation::LAYOUT,
];
