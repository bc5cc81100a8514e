//! Message layouts of IEX TOPS 1.5 and 1.6, in the specification's words; what DEEP has too is declared in
//! [`crate::iextp::common`].

use crate::iextp::common::*;
use crate::wire::le::{Bits8, I64, U32};
use crate::wire::{Char, Text};

/// Message protocol ids of TOPS 1.5 and 1.6 in the IEX-TP header.
pub const PROTOCOLS: &[u16] = &[0x8003, 0x8002];

crate::wire! {
    /// Quote Update: best bid and ask of one security, with aggregated sizes.
    message QuoteUpdate "quote_update", tag b'Q', header 1, len 42 {
        0 message_type: Char,
        1 quote_update_flags: Bits8,
        2 timestamp: I64,
        10 symbol: Text<8>,
        18 bid_size: U32,
        22 bid_price: I64,
        30 ask_price: I64,
        38 ask_size: U32,
    } values QuoteUpdateValues;
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
    &QuoteUpdate::LAYOUT,
    &TradeReport::LAYOUT,
    &OfficialPrice::LAYOUT,
    &TradeBreak::LAYOUT,
    &AuctionInformation::LAYOUT,
];
