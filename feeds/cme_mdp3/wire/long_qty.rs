//! Messages with 64-bit quantities (schema 12 and later).

use super::SIZE_3;
use super::incremental_7::{ORDER_ID_ENTRY_32, ORDER_ID_ENTRY_42};
use crate::wire::le::{Bits8, I32, I64, U8, U16, U32, U64};
use crate::wire::{Char, Part, Reserved};

crate::wire! {
    /// MDIncrementalRefreshBookLongQty64: price levels and the orders behind them.
    message MdIncrementalRefreshBookLongQty64 "md_incremental_refresh_book_long_qty_64", tag 64, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_64), Part::Group(&ORDER_ID_ENTRY_32)]
    ;

    /// One entry of template 64.
    group MdEntry64 MD_ENTRY_64 "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: U64,
        16 security_id: I32,
        20 rpt_seq: U32,
        24 number_of_orders: I32,
        28 md_price_level: U8,
        29 md_update_action: U8,
        30 md_entry_type: Char,
        31 reserved: Reserved<1>,
    }
    ;

    /// MDIncrementalRefreshTradeSummaryLongQty65: trades, and the orders that took part.
    message MdIncrementalRefreshTradeSummaryLongQty65 "md_incremental_refresh_trade_summary_long_qty_65", tag 65, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_65), Part::Group(&ORDER_ID_ENTRY_42)]
    ;

    /// One entry of template 65.
    group MdEntry65 MD_ENTRY_65 "no_md_entries", SIZE_3, len 40 {
        0 md_entry_px: I64,
        8 md_entry_size: U64,
        16 security_id: I32,
        20 rpt_seq: U32,
        24 number_of_orders: I32,
        28 md_trade_entry_id: U32,
        32 aggressor_side: U8,
        33 md_update_action: U8,
        34 reserved: Reserved<6>,
    }
    ;

    /// MDIncrementalRefreshVolumeLongQty66: cumulative volume.
    message MdIncrementalRefreshVolumeLongQty66 "md_incremental_refresh_volume_long_qty_66", tag 66, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_66)]
    ;

    /// One entry of template 66.
    group MdEntry66 MD_ENTRY_66 "no_md_entries", SIZE_3, len 24 {
        0 md_entry_size: U64,
        8 security_id: I32,
        12 rpt_seq: U32,
        16 md_update_action: U8,
        17 reserved: Reserved<7>,
    }
    ;

    /// MDIncrementalRefreshSessionStatisticsLongQty67: opening price, highs and lows.
    message MdIncrementalRefreshSessionStatisticsLongQty67 "md_incremental_refresh_session_statistics_long_qty_67", tag 67, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_67)]
    ;

    /// One entry of template 67.
    group MdEntry67 MD_ENTRY_67 "no_md_entries", SIZE_3, len 32 {
        0 md_entry_px: I64,
        8 md_entry_size: U64,
        16 security_id: I32,
        20 rpt_seq: U32,
        24 open_close_settl_flag: U8,
        25 md_update_action: U8,
        26 md_entry_type: Char,
        27 reserved: Reserved<5>,
    }
    ;

    /// SnapshotFullRefreshTCPLongQty68: the whole state of one instrument.
    message SnapshotFullRefreshTcpLongQty68 "snapshot_full_refresh_tcp_long_qty_68", tag 68, header 10, len 47 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 security_id: I32,
        23 high_limit_price: I64,
        31 low_limit_price: I64,
        39 max_price_variation: I64,
    }
    parts [Part::Group(&MD_ENTRY_68)]
    ;

    /// One entry of templates 68, 69.
    group MdEntry68 MD_ENTRY_68 "no_md_entries", SIZE_3, len 23 {
        0 md_entry_px: I64,
        8 md_entry_size: U64,
        16 number_of_orders: I32,
        20 md_price_level: U8,
        21 open_close_settl_flag: U8,
        22 md_entry_type: Char,
    }
    ;

    /// SnapshotFullRefreshLongQty69: the whole state of one instrument.
    message SnapshotFullRefreshLongQty69 "snapshot_full_refresh_long_qty_69", tag 69, header 10, len 69 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 last_msg_seq_num_processed: U32,
        14 tot_num_reports: U32,
        18 security_id: I32,
        22 rpt_seq: U32,
        26 transact_time: U64,
        34 last_update_time: U64,
        42 trade_date: U16,
        44 md_security_trading_status: U8,
        45 high_limit_price: I64,
        53 low_limit_price: I64,
        61 max_price_variation: I64,
    }
    parts [Part::Group(&MD_ENTRY_68)]
    ;
}
