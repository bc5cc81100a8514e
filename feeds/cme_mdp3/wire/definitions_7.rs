//! Security definitions, prices with 7 decimals (schemas up to 9).

use super::{MaturityMonthYear, SIZE_3};
use crate::wire::le::{Bits8, Bits32, I8, I16, I32, I64, U8, U16, U32, U64};
use crate::wire::{Char, Part, Text};

crate::wire! {
    /// MDInstrumentDefinitionFuture27: a future is defined, changed or deleted.
    message MdInstrumentDefinitionFuture27 "md_instrument_definition_future_27", tag 27, header 10, len 224 {
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
        69 security_type: Text<6>,
        75 cfi_code: Text<6>,
        81 maturity_month_year: MaturityMonthYear,
        86 currency: Text<3>,
        89 settl_currency: Text<3>,
        92 match_algorithm: Char,
        93 min_trade_vol: U32,
        97 max_trade_vol: U32,
        101 min_price_increment: I64,
        109 display_factor: I64,
        117 main_fraction: U8,
        118 sub_fraction: U8,
        119 price_display_format: U8,
        120 unit_of_measure: Text<30>,
        150 unit_of_measure_qty: I64,
        158 trading_reference_price: I64,
        166 settl_price_type: Bits8,
        167 open_interest_qty: I32,
        171 cleared_volume: I32,
        175 high_limit_price: I64,
        183 low_limit_price: I64,
        191 max_price_variation: I64,
        199 decay_quantity: I32,
        203 decay_start_date: U16,
        205 original_contract_size: I32,
        209 contract_multiplier: I32,
        213 contract_multiplier_unit: I8,
        214 flow_schedule_type: I8,
        215 min_price_increment_amount: I64,
        223 user_defined_instrument: Char,
    }
    optional {
        224 trading_reference_date: U16,
    }
    parts [Part::Group(&EVENT), Part::Group(&MD_FEED_TYPE), Part::Group(&INST_ATTRIB), Part::Group(&LOT_TYPE_RULE)]
    ;

    /// One date of the instrument's life of templates 27, 29, 41, 54, 55, 56, 57, 58, 63.
    group Event EVENT "no_events", SIZE_3, len 9 {
        0 event_type: U8,
        1 event_time: U64,
    }
    ;

    /// One kind of book and its depth of templates 27, 29, 41, 54, 55, 56, 57, 58, 63.
    group MdFeedType MD_FEED_TYPE "no_md_feed_types", SIZE_3, len 4 {
        0 md_feed_type: Text<3>,
        3 market_depth: I8,
    }
    ;

    /// What the instrument is eligible for of templates 27, 29, 41, 54, 55, 56, 57, 58, 63.
    group InstAttrib INST_ATTRIB "no_inst_attrib", SIZE_3, len 4 {
        0 inst_attrib_value: Bits32,
    }
    ;

    /// One lot size of templates 27, 29, 41, 54, 55, 56, 57, 58, 63.
    group LotTypeRule LOT_TYPE_RULE "no_lot_type_rules", SIZE_3, len 5 {
        0 lot_type: I8,
        1 min_lot_size: I32,
    }
    ;

    /// MDInstrumentDefinitionSpread29: a spread is defined, changed or deleted.
    message MdInstrumentDefinitionSpread29 "md_instrument_definition_spread_29", tag 29, header 10, len 203 {
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
        69 security_type: Text<6>,
        75 cfi_code: Text<6>,
        81 maturity_month_year: MaturityMonthYear,
        86 currency: Text<3>,
        89 security_sub_type: Text<5>,
        94 user_defined_instrument: Char,
        95 match_algorithm: Char,
        96 min_trade_vol: U32,
        100 max_trade_vol: U32,
        104 min_price_increment: I64,
        112 display_factor: I64,
        120 price_display_format: U8,
        121 price_ratio: I64,
        129 tick_rule: I8,
        130 unit_of_measure: Text<30>,
        160 trading_reference_price: I64,
        168 settl_price_type: Bits8,
        169 open_interest_qty: I32,
        173 cleared_volume: I32,
        177 high_limit_price: I64,
        185 low_limit_price: I64,
        193 max_price_variation: I64,
        201 main_fraction: U8,
        202 sub_fraction: U8,
    }
    optional {
        203 trading_reference_date: U16,
    }
    parts [Part::Group(&EVENT), Part::Group(&MD_FEED_TYPE), Part::Group(&INST_ATTRIB), Part::Group(&LOT_TYPE_RULE), Part::Group(&LEG)]
    ;

    /// One leg of templates 29, 56.
    group Leg LEG "no_legs", SIZE_3, len 18 {
        0 leg_security_id: I32,
        4 leg_side: U8,
        5 leg_ratio_qty: I8,
        6 leg_price: I64,
        14 leg_option_delta: I32,
    }
    ;

    /// MDInstrumentDefinitionOption41: an option is defined, changed or deleted.
    message MdInstrumentDefinitionOption41 "md_instrument_definition_option_41", tag 41, header 10, len 221 {
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
        69 security_type: Text<6>,
        75 cfi_code: Text<6>,
        81 put_or_call: U8,
        82 maturity_month_year: MaturityMonthYear,
        87 currency: Text<3>,
        90 strike_price: I64,
        98 strike_currency: Text<3>,
        101 settl_currency: Text<3>,
        104 min_cab_price: I64,
        112 match_algorithm: Char,
        113 min_trade_vol: U32,
        117 max_trade_vol: U32,
        121 min_price_increment: I64,
        129 min_price_increment_amount: I64,
        137 display_factor: I64,
        145 tick_rule: I8,
        146 main_fraction: U8,
        147 sub_fraction: U8,
        148 price_display_format: U8,
        149 unit_of_measure: Text<30>,
        179 unit_of_measure_qty: I64,
        187 trading_reference_price: I64,
        195 settl_price_type: Bits8,
        196 cleared_volume: I32,
        200 open_interest_qty: I32,
        204 low_limit_price: I64,
        212 high_limit_price: I64,
        220 user_defined_instrument: Char,
    }
    optional {
        221 trading_reference_date: U16,
    }
    parts [Part::Group(&EVENT), Part::Group(&MD_FEED_TYPE), Part::Group(&INST_ATTRIB), Part::Group(&LOT_TYPE_RULE), Part::Group(&UNDERLYING_41), Part::Group(&RELATED_INSTRUMENT_41)]
    ;

    /// One underlying instrument of templates 41, 55.
    group Underlying41 UNDERLYING_41 "no_underlyings", SIZE_3, len 24 {
        0 underlying_security_id: I32,
        4 underlying_symbol: Text<20>,
    }
    ;

    /// One related instrument of templates 41, 55.
    group RelatedInstrument41 RELATED_INSTRUMENT_41 "no_related_instruments", SIZE_3, len 24 {
        0 related_security_id: I32,
        4 related_symbol: Text<20>,
    }
    ;
}
