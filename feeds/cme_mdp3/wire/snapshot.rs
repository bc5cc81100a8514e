//! Snapshots, of levels and of orders.

use super::SIZE_3;
use crate::wire::le::{Bits8, I8, I32, I64, U8, U16, U32, U64};
use crate::wire::{Char, Part};

crate::wire! {
    /// SnapshotFullRefresh38: the whole state of one instrument.
    message SnapshotFullRefresh38 "snapshot_full_refresh_38", tag 38, header 10, len 69 {
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
    parts [Part::Group(&MD_ENTRY_38)]
    ;

    /// One entry of templates 38, 52.
    group MdEntry38 MD_ENTRY_38 "no_md_entries", SIZE_3, len 22 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 number_of_orders: I32,
        16 md_price_level: I8,
        17 trading_reference_date: U16,
        19 open_close_settl_flag: U8,
        20 settl_price_type: Bits8,
        21 md_entry_type: Char,
    }
    ;

    /// SnapshotFullRefreshOrderBook44: the orders of one instrument, in chunks.
    message SnapshotFullRefreshOrderBook44 "snapshot_full_refresh_order_book_44", tag 44, header 10, len 38 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 last_msg_seq_num_processed: U32,
        14 tot_num_reports: U32,
        18 security_id: I32,
        22 no_chunks: U32,
        26 current_chunk: U32,
        30 transact_time: U64,
    }
    parts [Part::Group(&MD_ENTRY_44)]
    ;

    /// One entry of templates 44, 53, 59.
    group MdEntry44 MD_ENTRY_44 "no_md_entries", SIZE_3, len 29 {
        0 order_id: U64,
        8 md_order_priority: U64,
        16 md_entry_px: I64,
        24 md_display_qty: I32,
        28 md_entry_type: Char,
    }
    ;

    /// SnapshotFullRefresh52: the whole state of one instrument.
    message SnapshotFullRefresh52 "snapshot_full_refresh_52", tag 52, header 10, len 69 {
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
    parts [Part::Group(&MD_ENTRY_38)]
    ;

    /// SnapshotFullRefreshOrderBook53: the orders of one instrument, in chunks.
    message SnapshotFullRefreshOrderBook53 "snapshot_full_refresh_order_book_53", tag 53, header 10, len 38 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 last_msg_seq_num_processed: U32,
        14 tot_num_reports: U32,
        18 security_id: I32,
        22 no_chunks: U32,
        26 current_chunk: U32,
        30 transact_time: U64,
    }
    parts [Part::Group(&MD_ENTRY_44)]
    ;

    /// SnapshotRefreshTopOrders59: the foremost orders of one instrument.
    message SnapshotRefreshTopOrders59 "snapshot_refresh_top_orders_59", tag 59, header 10, len 23 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 security_id: I32,
    }
    parts [Part::Group(&MD_ENTRY_44)]
    ;

    /// SnapshotFullRefreshTCP61: the whole state of one instrument.
    message SnapshotFullRefreshTcp61 "snapshot_full_refresh_tcp_61", tag 61, header 10, len 47 {
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
    parts [Part::Group(&MD_ENTRY_61)]
    ;

    /// One entry of template 61.
    group MdEntry61 MD_ENTRY_61 "no_md_entries", SIZE_3, len 26 {
        0 md_entry_px: I64,
        8 md_entry_size: I32,
        12 tradeable_size: I32,
        16 number_of_orders: I32,
        20 md_price_level: I8,
        21 open_close_settl_flag: U8,
        22 md_entry_type: Char,
        23 trading_reference_date: U16,
        25 settl_price_type: Bits8,
    }
    ;
}
