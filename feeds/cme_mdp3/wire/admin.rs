//! Channel, session and status messages.

use super::SIZE_3;
use crate::wire::le::{Bits8, I8, I16, I32, I64, U8, U16, U32, U64};
use crate::wire::{Part, Reserved, Text};

crate::wire! {
    /// ChannelReset4: every book of the channel is void.
    message ChannelReset4 "channel_reset_4", tag 4, header 10, len 19 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
    }
    parts [Part::Group(&MD_ENTRY_4)]
    ;

    /// One entry of template 4.
    group MdEntry4 MD_ENTRY_4 "no_md_entries", SIZE_3, len 2 {
        0 appl_id: I16,
    }
    ;

    /// AdminHeartbeat12: nothing to say, a sign of life.
    message AdminHeartbeat12 "admin_heartbeat_12", tag 12, header 10, len 10 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
    }
    ;

    /// AdminLogin15: login on a recovery connection.
    message AdminLogin15 "admin_login_15", tag 15, header 10, len 11 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 heart_bt_int: I8,
    }
    ;

    /// AdminLogout16: the end of a recovery connection, with a reason.
    message AdminLogout16 "admin_logout_16", tag 16, header 10, len 190 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 text: Text<180>,
    }
    ;

    /// SecurityStatus30: trading status of a group, a product or an instrument.
    message SecurityStatus30 "security_status_30", tag 30, header 10, len 40 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 security_group: Text<6>,
        24 asset: Text<6>,
        30 security_id: I32,
        34 trade_date: U16,
        36 match_event_indicator: Bits8,
        37 security_trading_status: U8,
        38 halt_reason: U8,
        39 security_trading_event: U8,
    }
    ;

    /// QuoteRequest39: somebody asks for quotes.
    message QuoteRequest39 "quote_request_39", tag 39, header 10, len 45 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 quote_req_id: Text<23>,
        41 match_event_indicator: Bits8,
        42 reserved: Reserved<3>,
    }
    parts [Part::Group(&RELATED_SYM_39)]
    ;

    /// One instrument asked for of template 39.
    group RelatedSym39 RELATED_SYM_39 "no_related_sym", SIZE_3, len 32 {
        0 symbol: Text<20>,
        20 security_id: I32,
        24 order_qty: I32,
        28 quote_type: I8,
        29 side: I8,
        30 reserved: Reserved<2>,
    }
    ;

    /// SecurityStatusWorkup60: state of a workup (BrokerTec).
    message SecurityStatusWorkup60 "security_status_workup_60", tag 60, header 10, len 40 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 md_entry_px: I64,
        26 security_id: I32,
        30 match_event_indicator: Bits8,
        31 trade_date: U16,
        33 trade_link_id: U32,
        37 workup_trading_status: U8,
        38 halt_reason: U8,
        39 security_trading_event: U8,
    }
    parts [Part::Group(&ORDER_ID_ENTRY_60)]
    ;

    /// One order of template 60.
    group OrderIdEntry60 ORDER_ID_ENTRY_60 "no_order_id_entries", SIZE_3, len 10 {
        0 order_id: U64,
        8 side: U8,
        9 aggressor_indicator: U8,
    }
    ;

    /// CollateralMarketValue62: market value of collateral.
    message CollateralMarketValue62 "collateral_market_value_62", tag 62, header 10, len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    }
    parts [Part::Group(&MD_ENTRY_62)]
    ;

    /// One entry of template 62.
    group MdEntry62 MD_ENTRY_62 "no_md_entries", SIZE_3, len 40 {
        0 underlying_security_alt_id: Text<12>,
        12 underlying_security_alt_id_source: U8,
        13 collateral_market_price: I64,
        21 dirty_price: I64,
        29 underlying_instrument_guid: U64,
        37 md_stream_id: U8,
        38 reserved: Reserved<2>,
    }
    ;
}
