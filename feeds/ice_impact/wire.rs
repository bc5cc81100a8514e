//! Message layouts of ICE Futures iMpact 1.1.24 to 1.1.33, in the specification's words; definitions of markets are in
//! [`super::definitions`]. Integers are big-endian and signed, text ends at the first NUL, offsets count from the
//! message type. Fields that 1.1.24 does not have are optional.

pub use super::definitions::*;
use crate::wire::be::{Bits8, I16, I32, I64, U8, U16, U32, U64};
use crate::wire::{Char, Reserved, Text};

crate::wire! {
    /// Header of a packet ("message block").
    block PacketHeader "packet_header", len 16 {
        0 session: U16,
        2 sequence: U32,
        6 number_of_msgs: U16,
        8 sent_date_time: U64,
    }
    values PacketHeaderValues;

    /// Header of every message; the body length counts what follows it.
    block MessageHeader "message_header", len 3 {
        0 message_type: Char,
        1 message_body_length: U16,
    };

    /// Market Snapshot: state and statistics of one market; its book entries follow.
    message MarketSnapshot "market_snapshot", tag b'C', header 3, len 136 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 market_type: I16,
        9 trading_status: Char,
        10 volume: I32,
        14 block_volume: I32,
        18 efs_volume: I32,
        22 efp_volume: I32,
        26 open_interest: I32,
        30 opening_price: I64,
        38 settlement_price_with_deal_price_precision: I64,
        46 high: I64,
        54 low: I64,
        62 vwap: I64,
        70 num_of_book_entries: I32,
        74 last_trade_price: I64,
        82 last_trade_quantity: I32,
        86 last_trade_date_time: I64,
        94 settle_price_date_time: I64,
        102 last_message_sequence_id: I32,
        106 reserved_2: Reserved<2>,
        108 open_interest_date: Text<10>,
        118 is_settle_price_official: Char,
        119 settlement_price: I64,
        127 has_previous_day_settlement_price: Char,
        128 previous_day_settlement_price: I64,
    };

    /// Market Snapshot Order: one resting order of the snapshot before it.
    message MarketSnapshotOrder "market_snapshot_order", tag b'D', header 3, len 44 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 order_id: I64,
        15 order_sequence_id: I16,
        17 side: Char,
        18 price: I64,
        26 quantity: I32,
        30 is_implied: Char,
        31 is_rfq: Char,
        32 order_entry_date_time: I64,
        40 sequence_within_millis: I32,
    };

    /// Market Snapshot Price Level: one level of the snapshot before it.
    message MarketSnapshotPriceLevel "market_snapshot_price_level", tag b'm', header 3, len 29 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 side: Char,
        8 price_level_position: U8,
        9 price: I64,
        17 quantity: I32,
        21 order_count: I16,
        23 implied_quantity: I32,
        27 implied_order_count: I16,
    };

    /// Add/Modify Order: the order as it is now, known before or not.
    message AddOrModifyOrder "add_or_modify_order", tag b'E', header 3, len 45 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 order_id: I64,
        15 order_sequence_id: I16,
        17 side: Char,
        18 price: I64,
        26 quantity: I32,
        30 is_implied: Char,
        31 is_rfq: Char,
        32 order_entry_date_time: I64,
        40 extra_flags: Bits8,
        41 sequence_within_millis: I32,
    }
    optional {
        45 modification_timestamp: I64,
    } values AddOrModifyOrderValues;

    /// Delete Order.
    message DeleteOrder "delete_order", tag b'F', header 3, len 15 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 order_id: I64,
    }
    optional {
        15 message_date_time: I64,
        23 sequence_within_millis: I32,
    } values DeleteOrderValues;

    /// Message Bundle Marker: what lies between start and end happened at once.
    message MessageBundleMarker "message_bundle_marker", tag b'T', header 3, len 4 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 start_or_end: Char,
    } values MessageBundleMarkerValues;

    /// Add Price Level: a level comes in at a position, deeper ones move down.
    message AddPriceLevel "add_price_level", tag b't', header 3, len 29 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 side: Char,
        8 price_level_position: U8,
        9 price: I64,
        17 quantity: I32,
        21 order_count: I16,
        23 implied_quantity: I32,
        27 implied_order_count: I16,
    }
    optional {
        29 timestamp: I64,
    };

    /// Change Price Level: the level at a position changes.
    message ChangePriceLevel "change_price_level", tag b's', header 3, len 29 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 side: Char,
        8 price_level_position: U8,
        9 price: I64,
        17 quantity: I32,
        21 order_count: I16,
        23 implied_quantity: I32,
        27 implied_order_count: I16,
    }
    optional {
        29 timestamp: I64,
    };

    /// Delete Price Level: the level at a position goes, deeper ones move up.
    message DeletePriceLevel "delete_price_level", tag b'r', header 3, len 9 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 side: Char,
        8 price_level_position: U8,
    }
    optional {
        9 timestamp: I64,
    };

    /// Trade.
    message Trade "trade", tag b'G', header 3, len 49 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 trade_id: I64,
        15 is_system_priced_leg: Char,
        16 price: I64,
        24 quantity: I32,
        28 off_market_trade_indicator: Char,
        29 transact_date_time: I64,
        37 system_priced_leg_type: Char,
        38 is_implied_spread_at_market_open: Char,
        39 is_adjusted_trade: Char,
        40 aggressor_side: Char,
        41 extra_flags: Bits8,
        42 off_market_trade_type: Text<3>,
        45 sequence_within_millis: I32,
    } values TradeValues;

    /// Spot Market Trade (Endex spot markets, instead of Trade).
    message SpotMarketTrade "spot_market_trade", tag b'Y', header 3, len 53 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 trade_id: I64,
        15 price: I64,
        23 quantity: I32,
        27 transact_date_time: I64,
        35 extra_flags: Bits8,
        36 delivery_begin_date_time: I64,
        44 delivery_end_date_time: I64,
        52 is_system_priced_leg: Char,
    };

    /// Investigated Trade: put under investigation, or the investigation is over.
    message InvestigatedTrade "investigated_trade", tag b'H', header 3, len 40 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 trade_id: I64,
        15 price: I64,
        23 quantity: I32,
        27 off_market_trade_indicator: Char,
        28 message_date_time: I64,
        36 investigation_status: Char,
        37 off_market_trade_type: Text<3>,
    };

    /// Cancelled Trade.
    message CancelledTrade "cancelled_trade", tag b'I', header 3, len 39 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 trade_id: I64,
        15 price: I64,
        23 quantity: I32,
        27 off_market_trade_indicator: Char,
        28 message_date_time: I64,
        36 off_market_trade_type: Text<3>,
    };

    /// Market Statistics: volumes, high, low and average after a trade.
    message MarketStatistics "market_statistics", tag b'J', header 3, len 55 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 volume: I32,
        11 block_volume: I32,
        15 efs_volume: I32,
        19 efp_volume: I32,
        23 high: I64,
        31 low: I64,
        39 vwap: I64,
        47 message_date_time: I64,
    };

    /// Market State Change.
    message MarketStateChange "market_state_change", tag b'K', header 3, len 16 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 trading_status: Char,
        8 message_date_time: I64,
    };

    /// System Text.
    message SystemText "system_text", tag b'L', header 3, len 1011 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 text_message: Text<200>,
        203 message_date_time: I64,
        211 text_message_extra_fld: Text<800>,
    };

    /// Open Interest.
    message OpenInterest "open_interest", tag b'M', header 3, len 33 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 open_interest: I32,
        11 open_interest_change: I32,
        15 message_date_time: I64,
        23 open_interest_date: Text<10>,
    };

    /// Open Price.
    message OpenPrice "open_price", tag b'N', header 3, len 23 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 open_price: I64,
        15 message_date_time: I64,
    };

    /// Close Price.
    message ClosePrice "close_price", tag b'c', header 3, len 23 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 close_price: I64,
        15 message_date_time: I64,
    };

    /// Settlement Price, official or not.
    message SettlementPrice "settlement_price", tag b'O', header 3, len 40 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 settlement_price_with_deal_price_precision: I64,
        15 message_date_time: I64,
        23 is_official: Char,
        24 valuation_date_time: I64,
        32 settlement_price: I64,
    };

    /// Marker/Index Prices.
    message IndexPrices "index_prices", tag b'z', header 3, len 64 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 price: I64,
        15 short_name: Text<30>,
        45 published_date_time: I64,
        53 valuation_date_applying_date: Text<10>,
        63 status: Char,
    };

    /// End of Day Market Summary.
    message EndOfDayMarketSummary "end_of_day_market_summary", tag b'u', header 3, len 83 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 volume: I32,
        11 block_volume: I32,
        15 efs_volume: I32,
        19 efp_volume: I32,
        23 opening_price: I64,
        31 high: I64,
        39 low: I64,
        47 vwap: I64,
        55 settlement_price_with_deal_price_precision: I64,
        63 open_interest: I32,
        67 message_date_time: I64,
        75 settlement_price: I64,
    };

    /// Market Event: `A`, implication is disabled for the market.
    message MarketEvent "market_event", tag b'f', header 3, len 16 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 event_type: Char,
        8 message_date_time: I64,
    };

    /// Pre-Open Price Indicator: what the opening price could be.
    message PreOpenPriceIndicator "pre_open_price_indicator", tag b'g', header 3, len 28 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 pre_open_price: I64,
        15 message_date_time: I64,
        23 has_pre_open_volume: Char,
        24 pre_open_volume: I32,
    };

    /// Strip Info: the dates of a strip change.
    message StripInfo "strip_info", tag b'i', header 3, len 91 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 old_strip_id: I16,
        5 strip_type: Text<20>,
        25 begin_year: I16,
        27 begin_month: I16,
        29 begin_day: I16,
        31 end_year: I16,
        33 end_month: I16,
        35 end_day: I16,
        37 strip_info: Text<50>,
        87 strip_id: I32,
    };

    /// Interval Price Limit Notification: a hold starts or ends.
    message IntervalPriceLimitNotification "interval_price_limit_notification", tag b'V', header 3, len 37 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 ipl_hold_type: Char,
        8 notification_date_time: I64,
        16 is_up: Char,
        17 ipl_hold_duration: I32,
        21 ipl_up: I64,
        29 ipl_down: I64,
    };

    /// Special Field: more fields of the message before it, each with its own length.
    message SpecialFieldMessage "special_field", tag b'b', header 3, len 4 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 number_of_special_fields: U8,
    };

    /// Fixing Transition (IBA auctions).
    message FixingTransition "fixing_transition", tag b'3', header 3, len 28 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 status: Char,
        8 auction_end_time: I64,
        16 threshold_imbalance_qty: I32,
        20 message_date_time: I64,
    };

    /// Fixing Lockdown (IBA auctions).
    message FixingLockdown "fixing_lockdown", tag b'4', header 3, len 81 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 auction_date: Text<10>,
        17 message_date_time: I64,
        25 description: Text<20>,
        45 round: I16,
        47 agg_bid_qty: I32,
        51 agg_offer_qty: I32,
        55 usd_price: I64,
        63 is_balanced: Char,
        64 is_final: Char,
        65 gbp_price: I64,
        73 eur_price: I64,
    };

    /// Fixing Indicative Price (IBA auctions); not in 1.1.24.
    message FixingIndicativePrice "fixing_indicative_price", tag b'0', header 3, len 28 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 iba_currency: Text<3>,
        10 price: I64,
        18 price_in_gram: I64,
        26 num_decimals_price: U8,
        27 num_decimals_price_in_gram: U8,
    };

    /// Request For Quote.
    message Rfq "rfq", tag b'k', header 3, len 34 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 message_timestamp: I64,
        15 rfq_system_id: I64,
        23 market_type_id: I16,
        25 underlying_market_id: I32,
        29 quantity: I32,
        33 side: Char,
    };

    /// Option Open Interest.
    message OptionOpenInterest "option_open_interest", tag b'v', header 3, len 29 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 open_interest: I32,
        11 message_date_time: I64,
        19 open_interest_date: Text<10>,
    };

    /// Option Settlement Price, official or not.
    message OptionSettlementPrice "option_settlement_price", tag b'w', header 3, len 56 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 settlement_price_with_deal_price_precision: I64,
        15 message_date_time: I64,
        23 is_official: Char,
        24 valuation_date_time: I64,
        32 volatility: I64,
        40 settlement_price: I64,
        48 delta: I64,
    };

    /// Old-Style Options Trade and Market Stats.
    message OldStyleOptionsTradeAndMarketStats "old_style_options_trade_and_market_stats", tag b'W', header 3, len 86 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 underlying_market_id: I32,
        7 trade_id: I64,
        15 price: I64,
        23 quantity: I32,
        27 off_market_trade_indicator: Char,
        28 transact_date_time: I64,
        36 option_type: Char,
        37 strike_price: I64,
        45 event_code: Char,
        46 total_volume: I32,
        50 block_volume: I32,
        54 efs_volume: I32,
        58 efp_volume: I32,
        62 high: I64,
        70 low: I64,
        78 vwap: I64,
    };

    /// One field of a Special Field message, in front of `special_field_length` bytes of value.
    block SpecialField "special_field", len 3 {
        0 special_field_id: U8,
        1 special_field_length: U16,
    };
}

/// Every message of the specification.
pub const MESSAGES: &[&crate::wire::Layout] = &[
    &MarketSnapshot::LAYOUT,
    &MarketSnapshotOrder::LAYOUT,
    &MarketSnapshotPriceLevel::LAYOUT,
    &AddOrModifyOrder::LAYOUT,
    &DeleteOrder::LAYOUT,
    &MessageBundleMarker::LAYOUT,
    &AddPriceLevel::LAYOUT,
    &ChangePriceLevel::LAYOUT,
    &DeletePriceLevel::LAYOUT,
    &Trade::LAYOUT,
    &SpotMarketTrade::LAYOUT,
    &InvestigatedTrade::LAYOUT,
    &CancelledTrade::LAYOUT,
    &MarketStatistics::LAYOUT,
    &MarketStateChange::LAYOUT,
    &SystemText::LAYOUT,
    &OpenInterest::LAYOUT,
    &OpenPrice::LAYOUT,
    &ClosePrice::LAYOUT,
    &SettlementPrice::LAYOUT,
    &IndexPrices::LAYOUT,
    &EndOfDayMarketSummary::LAYOUT,
    &MarketEvent::LAYOUT,
    &PreOpenPriceIndicator::LAYOUT,
    &StripInfo::LAYOUT,
    &IntervalPriceLimitNotification::LAYOUT,
    &SpecialFieldMessage::LAYOUT,
    &FixingTransition::LAYOUT,
    &FixingLockdown::LAYOUT,
    &FixingIndicativePrice::LAYOUT,
    &Rfq::LAYOUT,
    &OptionOpenInterest::LAYOUT,
    &OptionSettlementPrice::LAYOUT,
    &OldStyleOptionsTradeAndMarketStats::LAYOUT,
    &NewExpiry::LAYOUT,
    &NewOptionsMarketDefinition::LAYOUT,
    &NewFuturesStrategyDefinition::LAYOUT,
    &NewOptionsStrategyDefinition::LAYOUT,
];
