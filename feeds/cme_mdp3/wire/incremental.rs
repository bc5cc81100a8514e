//! Incremental refreshes, prices with 9 decimals (schema 9 and later).

use super::SIZE_3;
use super::incremental_7::{
    MD_ENTRY_32, MD_ENTRY_33, MD_ENTRY_34, MD_ENTRY_35, MD_ENTRY_42, MD_ENTRY_43, ORDER_ID_ENTRY_32,
    ORDER_ID_ENTRY_42,
};
use crate::wire::le::{Bits8, I32, I64, U8, U16, U32, U64};
use crate::wire::{Char, Part, Reserved};

crate::wire! {
    /// MDIncrementalRefreshVolume37: cumulative volume.
    message MdIncrementalRefreshVolume37 "md_incremental_refresh_volume_37", tag 37, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_37)]
    ;

    /// One entry of template 37.
    group MdEntry37 MD_ENTRY_37 "no_md_entries", SIZE_3, len 16 {
        0 md_entry_size: I32,
        4 security_id: I32,
        8 rpt_seq: U32,
        12 md_update_action: U8,
        13 reserved: Reserved<3>,
    }
    ;

    /// MDIncrementalRefreshBook46: price levels and the orders behind them.
    message MdIncrementalRefreshBook46 "md_incremental_refresh_book_46", tag 46, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_46), Part::Group(&ORDER_ID_ENTRY_32)]
    ;

    /// The same before schema version 10.
    message MdIncrementalRefreshBook46Early "md_incremental_refresh_book_46", tag 46, header 10, len 21 {
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

    /// One entry of template 46.
    group MdEntry46 MD_ENTRY_46 "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 security_id: I32,
        16 rpt_seq: U32,
        20 number_of_orders: I32,
        24 md_price_level: U8,
        25 md_update_action: U8,
        26 md_entry_type: Char,
        27 tradeable_size: I32,
        31 reserved: Reserved<1>,
    }
    ;

    /// MDIncrementalRefreshOrderBook47: order by order, without levels.
    message MdIncrementalRefreshOrderBook47 "md_incremental_refresh_order_book_47", tag 47, header 10, len 21 {
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

    /// MDIncrementalRefreshTradeSummary48: trades, and the orders that took part.
    message MdIncrementalRefreshTradeSummary48 "md_incremental_refresh_trade_summary_48", tag 48, header 10, len 21 {
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

    /// MDIncrementalRefreshDailyStatistics49: settlement, open interest, cleared volume.
    message MdIncrementalRefreshDailyStatistics49 "md_incremental_refresh_daily_statistics_49", tag 49, header 10, len 21 {
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

    /// MDIncrementalRefreshLimitsBanding50: price limits and banding.
    message MdIncrementalRefreshLimitsBanding50 "md_incremental_refresh_limits_banding_50", tag 50, header 10, len 21 {
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

    /// MDIncrementalRefreshSessionStatistics51: opening price, highs and lows.
    message MdIncrementalRefreshSessionStatistics51 "md_incremental_refresh_session_statistics_51", tag 51, header 10, len 21 {
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
}
