//! Message layouts of CME Globex MDP 3.0 (SBE schema `mktdata`, id 1, versions 5 to 13), in the schema's words.
//!
//! Integers are little-endian. Templates below 46 write prices with 7 decimals, the others with 9. A message is declared
//! once: what later versions append is optional, and the first block ends where the wire says so. Three templates
//! gave padding a meaning later; what they looked like before is in [`EARLIER`].

pub mod admin;
pub mod definitions;
pub mod definitions_7;
pub mod incremental;
pub mod incremental_7;
pub mod long_qty;
pub mod snapshot;

use crate::wire::le::{Bits8, I16, I32, U8, U16, U32, U64};
use crate::wire::{Char, Dimension, Field, Kind, Layout, Order, Reserved, Row, Text};

/// Group header `groupSize`: block length, number of entries.
pub const SIZE_3: Dimension = Dimension::Sbe { len: 3, count_at: 2 };
/// Group header `groupSize8Byte`: block length, five bytes of padding, number of entries.
pub const SIZE_8: Dimension = Dimension::Sbe { len: 8, count_at: 7 };

/// The schema's id; messages of other schemas (the requests of a TCP session) are not this feed's.
pub const SCHEMA_ID: u16 = 1;

/// When an instrument matures: the composite `MaturityMonthYear`.
pub struct MaturityMonthYear;

/// Value of a [`MaturityMonthYear`]; 65535 and 255 stand for parts that are not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MonthYear {
    /// Year.
    pub year: u16,
    /// Month, from 1.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
    /// Week of the month, from 1.
    pub week: u8,
}

const fn part(offset: usize, name: &'static str, len: usize) -> Row {
    Row { offset, name, len, kind: Kind::Uint(Order::Little) }
}

impl Field for MaturityMonthYear {
    type Value = MonthYear;
    const LEN: usize = 5;
    const KIND: Kind =
        Kind::Composite(&[part(0, "year", 2), part(2, "month", 1), part(3, "day", 1), part(4, "week", 1)]);
    #[inline]
    fn get(bytes: &[u8]) -> MonthYear {
        let year = u16::from_le_bytes([bytes[0], bytes[1]]);
        MonthYear { year, month: bytes[2], day: bytes[3], week: bytes[4] }
    }
    #[inline]
    fn put(value: MonthYear, bytes: &mut [u8]) {
        bytes[..2].copy_from_slice(&value.year.to_le_bytes());
        bytes[2..].copy_from_slice(&[value.month, value.day, value.week]);
    }
}

crate::wire! {
    /// Header of a multicast packet.
    block PacketHeader "packet_header", len 12 {
        0 msg_seq_num: U32,
        4 sending_time: U64,
    }
    values PacketHeaderValues;

    /// Header of a packet on a TCP connection (conflated feed).
    block TechnicalHeader "technical_header", len 14 {
        0 encoding_type: U16,
        2 msg_seq_num: U32,
        6 sending_time: U64,
    }
    values TechnicalHeaderValues;

    /// Size of the message, and the SBE message header.
    block MessageHeader "message_header", len 10 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
    }
    values MessageHeaderValues;

    /// What every security definition begins with.
    block DefinitionStart "security_definition", len 69 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 match_event_indicator: Bits8,
        11 tot_num_reports: U32,
        15 security_update_action: Char,
        16 last_update_time: U64,
        24 md_security_trading_status: U8,
        25 appl_id: I16,
        27 market_segment_id: U8,
        28 underlying_product: U8,
        29 security_exchange: Text<4>,
        33 security_group: Text<6>,
        39 asset: Text<6>,
        45 symbol: Text<20>,
        65 security_id: I32,
    };

    /// What every incremental refresh begins with.
    block RefreshStart "incremental_refresh", len 21 {
        0 msg_size: U16,
        2 block_length: U16,
        4 template_id: U16,
        6 schema_id: U16,
        8 version: U16,
        10 transact_time: U64,
        18 match_event_indicator: Bits8,
        19 reserved: Reserved<2>,
    };
}

/// A template as it was before `below`, the schema version that gave a meaning to padding.
#[derive(Debug)]
pub struct Earlier {
    /// First schema version with the layout of [`MESSAGES`].
    pub below: u16,
    /// What it was before.
    pub layout: &'static Layout,
}

/// Templates whose entries were laid out otherwise in earlier versions, under the same id and block length.
pub const EARLIER: &[Earlier] = &[
    Earlier { below: 8, layout: &incremental_7::MdIncrementalRefreshSessionStatistics35Early::LAYOUT },
    Earlier { below: 7, layout: &incremental_7::MdIncrementalRefreshTradeSummary42Early::LAYOUT },
    Earlier { below: 10, layout: &incremental::MdIncrementalRefreshBook46Early::LAYOUT },
];

/// Every message, by template id.
pub const MESSAGES: &[&Layout] = &[
    &admin::ChannelReset4::LAYOUT,
    &admin::AdminHeartbeat12::LAYOUT,
    &admin::AdminLogin15::LAYOUT,
    &admin::AdminLogout16::LAYOUT,
    &definitions_7::MdInstrumentDefinitionFuture27::LAYOUT,
    &definitions_7::MdInstrumentDefinitionSpread29::LAYOUT,
    &admin::SecurityStatus30::LAYOUT,
    &incremental_7::MdIncrementalRefreshBook32::LAYOUT,
    &incremental_7::MdIncrementalRefreshDailyStatistics33::LAYOUT,
    &incremental_7::MdIncrementalRefreshLimitsBanding34::LAYOUT,
    &incremental_7::MdIncrementalRefreshSessionStatistics35::LAYOUT,
    &incremental_7::MdIncrementalRefreshTrade36::LAYOUT,
    &incremental::MdIncrementalRefreshVolume37::LAYOUT,
    &snapshot::SnapshotFullRefresh38::LAYOUT,
    &admin::QuoteRequest39::LAYOUT,
    &definitions_7::MdInstrumentDefinitionOption41::LAYOUT,
    &incremental_7::MdIncrementalRefreshTradeSummary42::LAYOUT,
    &incremental_7::MdIncrementalRefreshOrderBook43::LAYOUT,
    &snapshot::SnapshotFullRefreshOrderBook44::LAYOUT,
    &incremental::MdIncrementalRefreshBook46::LAYOUT,
    &incremental::MdIncrementalRefreshOrderBook47::LAYOUT,
    &incremental::MdIncrementalRefreshTradeSummary48::LAYOUT,
    &incremental::MdIncrementalRefreshDailyStatistics49::LAYOUT,
    &incremental::MdIncrementalRefreshLimitsBanding50::LAYOUT,
    &incremental::MdIncrementalRefreshSessionStatistics51::LAYOUT,
    &snapshot::SnapshotFullRefresh52::LAYOUT,
    &snapshot::SnapshotFullRefreshOrderBook53::LAYOUT,
    &definitions::MdInstrumentDefinitionFuture54::LAYOUT,
    &definitions::MdInstrumentDefinitionOption55::LAYOUT,
    &definitions::MdInstrumentDefinitionSpread56::LAYOUT,
    &definitions::MdInstrumentDefinitionFixedIncome57::LAYOUT,
    &definitions::MdInstrumentDefinitionRepo58::LAYOUT,
    &snapshot::SnapshotRefreshTopOrders59::LAYOUT,
    &admin::SecurityStatusWorkup60::LAYOUT,
    &snapshot::SnapshotFullRefreshTcp61::LAYOUT,
    &admin::CollateralMarketValue62::LAYOUT,
    &definitions::MdInstrumentDefinitionFx63::LAYOUT,
    &long_qty::MdIncrementalRefreshBookLongQty64::LAYOUT,
    &long_qty::MdIncrementalRefreshTradeSummaryLongQty65::LAYOUT,
    &long_qty::MdIncrementalRefreshVolumeLongQty66::LAYOUT,
    &long_qty::MdIncrementalRefreshSessionStatisticsLongQty67::LAYOUT,
    &long_qty::SnapshotFullRefreshTcpLongQty68::LAYOUT,
    &long_qty::SnapshotFullRefreshLongQty69::LAYOUT,
];
