//! Incremental refreshes, prices with 7 decimals (schemas up to 9).

use super::{SIZE_3, SIZE_8};
use crate::wire::le::{Bits8, I32, I64, U8, U16, U32, U64};
use crate::wire::{Char, Part, Reserved};

crate::wire! {
    /// MDIncrementalRefreshBook32: price levels and the orders behind them.
    message MdIncrementalRefreshBook32 "md_incremental_refresh_book_32", tag 32, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_32), Part::Group(&ORDER_ID_ENTRY_32)]
    ;

    /// One entry of templates 32, 46.
    group MdEntry32 MD_ENTRY_32 "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 security_id: I32,
        16 rpt_seq: U32,
        20 number_of_orders: I32,
        24 md_price_level: U8,
        25 md_update_action: U8,
        26 md_entry_type: Char,
        27 reserved: Reserved<5>,
    }
    ;

    /// One order of templates 32, 46, 64.
    group OrderIdEntry32 ORDER_ID_ENTRY_32 "no_order_id_entries", SIZE_8, len 24 {
        0 order_id: U64,
        8 md_order_priority: U64,
        16 md_display_qty: I32,
        20 reference_id: U8,
        21 order_update_action: U8,
        22 reserved: Reserved<2>,
    }
    ;

    /// MDIncrementalRefreshDailyStatistics33: settlement, open interest, cleared volume.
    message MdIncrementalRefreshDailyStatistics33 "md_incremental_refresh_daily_statistics_33", tag 33, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_33)]
    ;

    /// One entry of templates 33, 49.
    group MdEntry33 MD_ENTRY_33 "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 security_id: I32,
        16 rpt_seq: U32,
        20 trading_reference_date: U16,
        22 settl_price_type: Bits8,
        23 md_update_action: U8,
        24 md_entry_type: Char,
        25 reserved: Reserved<7>,
    }
    ;

    /// MDIncrementalRefreshLimitsBanding34: price limits and banding.
    message MdIncrementalRefreshLimitsBanding34 "md_incremental_refresh_limits_banding_34", tag 34, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_34)]
    ;

    /// One entry of templates 34, 50.
    group MdEntry34 MD_ENTRY_34 "no_md_entries", SIZE_3, len 32 {
        0 high_limit_price: I64,
        8 low_limit_price: I64,
        16 max_price_variation: I64,
        24 security_id: I32,
        28 rpt_seq: U32,
    }
    ;

    /// MDIncrementalRefreshSessionStatistics35: opening price, highs and lows.
    message MdIncrementalRefreshSessionStatistics35 "md_incremental_refresh_session_statistics_35", tag 35, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_35)]
    ;

    /// The same before schema version 8.
    message MdIncrementalRefreshSessionStatistics35Early "md_incremental_refresh_session_statistics_35", tag 35, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_35EARLY)]
    ;

    /// One entry of templates 35, 51.
    group MdEntry35 MD_ENTRY_35 "no_md_entries", SIZE_3, len 24 {
        0 md_entry_px: I64,
        8 security_id: I32,
        12 rpt_seq: U32,
        16 open_close_settl_flag: U8,
        17 md_update_action: U8,
        18 md_entry_type: Char,
        19 md_entry_size: I32,
        23 reserved: Reserved<1>,
    }
    ;

    /// One entry of template 35 before schema version 8.
    group MdEntry35Early MD_ENTRY_35EARLY "no_md_entries", SIZE_3, len 24 {
        0 md_entry_px: I64,
        8 security_id: I32,
        12 rpt_seq: U32,
        16 open_close_settl_flag: U8,
        17 md_update_action: U8,
        18 md_entry_type: Char,
        19 reserved: Reserved<5>,
    }
    ;

    /// MDIncrementalRefreshTrade36: trades.
    message MdIncrementalRefreshTrade36 "md_incremental_refresh_trade_36", tag 36, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_36)]
    ;

    /// One entry of template 36.
    group MdEntry36 MD_ENTRY_36 "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 security_id: I32,
        16 rpt_seq: U32,
        20 number_of_orders: I32,
        24 trade_id: I32,
        28 aggressor_side: U8,
        29 md_update_action: U8,
        30 reserved: Reserved<2>,
    }
    ;

    /// MDIncrementalRefreshTradeSummary42: trades, and the orders that took part.
    message MdIncrementalRefreshTradeSummary42 "md_incremental_refresh_trade_summary_42", tag 42, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_42), Part::Group(&ORDER_ID_ENTRY_42)]
    ;

    /// The same before schema version 7.
    message MdIncrementalRefreshTradeSummary42Early "md_incremental_refresh_trade_summary_42", tag 42, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_42EARLY), Part::Group(&ORDER_ID_ENTRY_42)]
    ;

    /// One entry of templates 42, 48.
    group MdEntry42 MD_ENTRY_42 "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 security_id: I32,
        16 rpt_seq: U32,
        20 number_of_orders: I32,
        24 aggressor_side: U8,
        25 md_update_action: U8,
        26 md_trade_entry_id: U32,
        30 reserved: Reserved<2>,
    }
    ;

    /// One order of templates 42, 48, 65.
    group OrderIdEntry42 ORDER_ID_ENTRY_42 "no_order_id_entries", SIZE_8, len 16 {
        0 order_id: U64,
        8 last_qty: I32,
        12 reserved: Reserved<4>,
    }
    ;

    /// One entry of template 42 before schema version 7.
    group MdEntry42Early MD_ENTRY_42EARLY "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 security_id: I32,
        16 rpt_seq: U32,
        20 number_of_orders: I32,
        24 aggressor_side: U8,
        25 md_update_action: U8,
        26 reserved: Reserved<6>,
    }
    ;

    /// MDIncrementalRefreshOrderBook43: order by order, without levels.
    message MdIncrementalRefreshOrderBook43 "md_incremental_refresh_order_book_43", tag 43, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_43)]
    ;

    /// One entry of templates 43, 47.
    group MdEntry43 MD_ENTRY_43 "no_md_entries", SIZE_3, len 40 {
        0 order_id: U64,
        8 md_order_priority: U64,
        16 md_entry_px: I64,
        24 md_display_qty: I32,
        28 security_id: I32,
        32 md_update_action: U8,
        33 md_entry_type: Char,
        34 reserved: Reserved<6>,
    }
    ;
}
