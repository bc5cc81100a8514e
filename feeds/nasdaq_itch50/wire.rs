//! Message layouts of Nasdaq TotalView-ITCH 5.0, in the specification's words. Integers are big-endian;
//! prices have 4 implied decimals unless said otherwise; timestamps are nanoseconds since midnight.

use crate::wire::be::{U16, U32, U48, U64};
use crate::wire::{Char, Reserved, Text};

crate::wire! {
    /// System Event (1.1).
    message SystemEvent "system_event", tag b'S', header 1, len 12 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 event_code: Char,
    } values SystemEventValues;

    /// Stock Directory (1.2.1).
    message StockDirectory "stock_directory", tag b'R', header 1, len 39 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 market_category: Char,
        20 financial_status_indicator: Char,
        21 round_lot_size: U32,
        25 round_lots_only: Char,
        26 issue_classification: Char,
        27 issue_sub_type: Text<2>,
        29 authenticity: Char,
        30 short_sale_threshold_indicator: Char,
        31 ipo_flag: Char,
        32 luld_reference_price_tier: Char,
        33 etp_flag: Char,
        34 etp_leverage_factor: U32,
        38 inverse_indicator: Char,
    } values StockDirectoryValues;

    /// Stock Trading Action (1.2.2).
    message StockTradingAction "stock_trading_action", tag b'H', header 1, len 25 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 trading_state: Char,
        20 reserved: Reserved<1>,
        21 reason: Text<4>,
    } values StockTradingActionValues;

    /// Reg SHO Short Sale Price Test Restricted Indicator (1.2.3).
    message RegShoRestriction "reg_sho_restriction", tag b'Y', header 1, len 20 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 reg_sho_action: Char,
    };

    /// Market Participant Position (1.2.4).
    message MarketParticipantPosition "market_participant_position", tag b'L', header 1, len 26 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 mpid: Text<4>,
        15 stock: Text<8>,
        23 primary_market_maker: Char,
        24 market_maker_mode: Char,
        25 market_participant_state: Char,
    };

    /// Market-Wide Circuit Breaker decline levels; prices with 8 decimals (1.2.5.1).
    message MwcbDeclineLevel "mwcb_decline_level", tag b'V', header 1, len 35 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 level_1: U64,
        19 level_2: U64,
        27 level_3: U64,
    };

    /// Market-Wide Circuit Breaker status (1.2.5.2).
    message MwcbStatus "mwcb_status", tag b'W', header 1, len 12 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 breached_level: Char,
    };

    /// Quoting Period Update (1.2.6).
    message IpoQuotingPeriodUpdate "ipo_quoting_period_update", tag b'K', header 1, len 28 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 ipo_quotation_release_time: U32,
        23 ipo_quotation_release_qualifier: Char,
        24 ipo_price: U32,
    };

    /// Limit Up - Limit Down Auction Collar (1.2.7).
    message LuldAuctionCollar "luld_auction_collar", tag b'J', header 1, len 35 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 auction_collar_reference_price: U32,
        23 upper_auction_collar_price: U32,
        27 lower_auction_collar_price: U32,
        31 auction_collar_extension: U32,
    };

    /// Operational Halt (1.2.8).
    message OperationalHalt "operational_halt", tag b'h', header 1, len 21 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 market_code: Char,
        20 operational_halt_action: Char,
    };

    /// Add Order, no MPID attribution (1.3.1).
    message AddOrder "add_order", tag b'A', header 1, len 36 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 order_reference_number: U64,
        19 buy_sell_indicator: Char,
        20 shares: U32,
        24 stock: Text<8>,
        32 price: U32,
    } values AddOrderValues;

    /// Add Order with MPID attribution (1.3.2).
    message AddOrderMpid "add_order_mpid", tag b'F', header 1, len 40 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 order_reference_number: U64,
        19 buy_sell_indicator: Char,
        20 shares: U32,
        24 stock: Text<8>,
        32 price: U32,
        36 attribution: Text<4>,
    } values AddOrderMpidValues;

    /// Order Executed (1.4.1).
    message OrderExecuted "order_executed", tag b'E', header 1, len 31 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 order_reference_number: U64,
        19 executed_shares: U32,
        23 match_number: U64,
    } values OrderExecutedValues;

    /// Order Executed With Price (1.4.2).
    message OrderExecutedWithPrice "order_executed_with_price", tag b'C', header 1, len 36 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 order_reference_number: U64,
        19 executed_shares: U32,
        23 match_number: U64,
        31 printable: Char,
        32 execution_price: U32,
    } values OrderExecutedWithPriceValues;

    /// Order Cancel (1.4.3).
    message OrderCancel "order_cancel", tag b'X', header 1, len 23 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 order_reference_number: U64,
        19 cancelled_shares: U32,
    } values OrderCancelValues;

    /// Order Delete (1.4.4).
    message OrderDelete "order_delete", tag b'D', header 1, len 19 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 order_reference_number: U64,
    } values OrderDeleteValues;

    /// Order Replace (1.4.5).
    message OrderReplace "order_replace", tag b'U', header 1, len 35 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 original_order_reference_number: U64,
        19 new_order_reference_number: U64,
        27 shares: U32,
        31 price: U32,
    } values OrderReplaceValues;

    /// Trade (non-cross) (1.5.1).
    message Trade "trade", tag b'P', header 1, len 44 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 order_reference_number: U64,
        19 buy_sell_indicator: Char,
        20 shares: U32,
        24 stock: Text<8>,
        32 price: U32,
        36 match_number: U64,
    } values TradeValues;

    /// Cross Trade (1.5.2).
    message CrossTrade "cross_trade", tag b'Q', header 1, len 40 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 shares: U64,
        19 stock: Text<8>,
        27 cross_price: U32,
        31 match_number: U64,
        39 cross_type: Char,
    };

    /// Broken Trade / Order Execution (1.5.3).
    message BrokenTrade "broken_trade", tag b'B', header 1, len 19 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 match_number: U64,
    };

    /// Net Order Imbalance Indicator (1.6).
    message Noii "net_order_imbalance_indicator", tag b'I', header 1, len 50 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 paired_shares: U64,
        19 imbalance_shares: U64,
        27 imbalance_direction: Char,
        28 stock: Text<8>,
        36 far_price: U32,
        40 near_price: U32,
        44 current_reference_price: U32,
        48 cross_type: Char,
        49 price_variation_indicator: Char,
    };

    /// Retail Price Improvement Indicator (1.7).
    message RetailInterest "retail_price_improvement_indicator", tag b'N', header 1, len 20 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 interest_flag: Char,
    };

    /// Direct Listing with Capital Raise Price Discovery (1.8).
    message DirectListingPriceDiscovery "direct_listing_with_capital_raise", tag b'O', header 1, len 48 {
        0 message_type: Char,
        1 stock_locate: U16,
        3 tracking_number: U16,
        5 timestamp: U48,
        11 stock: Text<8>,
        19 open_eligibility_status: Char,
        20 minimum_allowable_price: U32,
        24 maximum_allowable_price: U32,
        28 near_execution_price: U32,
        32 near_execution_time: U64,
        40 lower_price_range_collar: U32,
        44 upper_price_range_collar: U32,
    };

}

/// Every message of the specification, in the order of [`super::Itch50`]'s dispatch.
pub const MESSAGES: &[&crate::wire::Layout] = &[
    &SystemEvent::LAYOUT,
    &StockDirectory::LAYOUT,
    &StockTradingAction::LAYOUT,
    &RegShoRestriction::LAYOUT,
    &MarketParticipantPosition::LAYOUT,
    &MwcbDeclineLevel::LAYOUT,
    &MwcbStatus::LAYOUT,
    &IpoQuotingPeriodUpdate::LAYOUT,
    &LuldAuctionCollar::LAYOUT,
    &OperationalHalt::LAYOUT,
    &AddOrder::LAYOUT,
    &AddOrderMpid::LAYOUT,
    &OrderExecuted::LAYOUT,
    &OrderExecutedWithPrice::LAYOUT,
    &OrderCancel::LAYOUT,
    &OrderDelete::LAYOUT,
    &OrderReplace::LAYOUT,
    &Trade::LAYOUT,
    &CrossTrade::LAYOUT,
    &BrokenTrade::LAYOUT,
    &Noii::LAYOUT,
    &RetailInterest::LAYOUT,
    &DirectListingPriceDiscovery::LAYOUT,
];
