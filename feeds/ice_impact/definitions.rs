//! Messages that define markets: the long ones, with their legs and hedges.

use crate::wire::be::{I16, I32, I64, U8, U16};
use crate::wire::{Char, Dimension, Part, Reserved, Text};

crate::wire! {
    /// New Expiry: a market that is created during the day.
    message NewExpiry "new_expiry", tag b'R', header 3, len 505 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 market_type_id: I16,
        9 order_price_denominator: Char,
        10 increment_price: I32,
        14 increment_qty: I32,
        18 lot_size: I32,
        22 market_desc: Text<120>,
        142 maturity_year: I16,
        144 maturity_month: I16,
        146 maturity_day: I16,
        148 deal_price_denominator: Char,
        149 min_qty: I32,
        153 unit_quantity: I32,
        157 currency: Text<20>,
        177 cleared_alias: Text<15>,
        192 min_price: I64,
        200 max_price: I64,
        208 product_id: I32,
        212 product_name: Text<62>,
        274 hub_id: I32,
        278 hub_alias: Text<80>,
        358 strip_id: I32,
        362 strip_name: Text<39>,
        401 settle_price_denominator: Char,
        402 mic_code: Text<4>,
        406 unit_qty_denominator: Char,
        407 off_exchange_increment_qty_denominator: Char,
        408 off_exchange_increment_qty: I32,
        412 off_exchange_increment_price: I32,
        416 off_exchange_increment_option_price: I32,
        420 contract_symbol: Text<35>,
        455 isin: Text<12>,
        467 num_decimals_options_price: Char,
        468 hedge_market_id: I32,
        472 settlement_type: Char,
        473 gt_allowed: Char,
        474 cross_order_supported: Char,
        475 unit_of_measure: Text<30>,
    }
    optional {
        505 mifid_regulated_market: Char,
    };

    /// New Options Market Definition.
    message NewOptionsMarketDefinition "new_options_market_definition", tag b'l', header 3, len 324 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 underlying_market_id: I32,
        11 futures_contract_symbol: Text<70>,
        81 trading_status: Char,
        82 order_price_denominator: Char,
        83 increment_qty: I32,
        87 lot_size: I32,
        91 market_desc: Text<120>,
        211 option_type: Char,
        212 strike_price: I64,
        220 deal_price_denominator: Char,
        221 min_qty: I32,
        225 currency: Text<20>,
        245 num_decimals_strike_price: Char,
        246 min_options_price: I64,
        254 max_options_price: I64,
        262 increment_premium_price: I32,
        266 options_expiration_year: I16,
        268 options_expiration_month: I16,
        270 options_expiration_day: I16,
        272 options_style: Char,
        273 options_expiration_type: Char,
        274 hedge_market_id: I32,
        278 settle_price_denominator: Char,
        279 unit_qty_denominator: Char,
        280 tick_value: I64,
        288 flex_allowed: Char,
        289 settlement_type: Char,
        290 is_block_only: Char,
        291 gt_allowed: Char,
        292 cross_order_supported: Char,
        293 guaranteed_cross_supported: Char,
        294 unit_of_measure: Text<30>,
    }
    optional {
        324 mifid_regulated_market: Char,
    };

    /// New Futures Strategy Definition: a user-defined market of futures.
    message NewFuturesStrategyDefinition "new_futures_strategy_definition", tag b'9', header 3, len 91 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 futures_contract_symbol: Text<70>,
        77 trading_status: Char,
        78 order_price_denominator: Char,
        79 increment_price: I32,
        83 increment_qty: I32,
        87 min_qty: I32,
    }
    parts [
        Part::Group(&FUTURES_LEG),
        Part::Last { rows: FuturesStrategyTail::ROWS, optional: FuturesStrategyTail::OPTIONAL, len: FuturesStrategyTail::LEN },
    ];

    /// One leg of a futures strategy.
    group FuturesLeg FUTURES_LEG "leg_definition", Dimension::CountThenLengths { count: "number_of_leg_definitions" }, len 8 {
        0 leg_body_length: U8,
        1 leg_market_id: I32,
        5 leg_ratio: I16,
        7 leg_side: Char,
    }
    optional {
        8 leg_strategy_code: I16,
        10 leg_ratio_qty_numerator: I32,
        14 leg_ratio_qty_denominator: I32,
        18 leg_ratio_price_numerator: I32,
        22 leg_ratio_price_denominator: I32,
    };

    /// What follows the legs of a New Futures Strategy Definition.
    block FuturesStrategyTail "futures_strategy_tail", len 22 {
        0 security_sub_type: I16,
        2 is_block_only: Char,
        3 strategy_symbol: Text<18>,
        21 gt_allowed: Char,
    }
    optional {
        22 reserved_4: Reserved<4>,
        26 mifid_regulated_market: Char,
        27 market_desc: Text<120>,
        147 maturity_year: I16,
        149 maturity_month: I16,
        151 maturity_day: I16,
        153 deal_price_denominator: Char,
        154 unit_quantity: I32,
        158 num_decimals_options_price: Char,
        159 allow_options: Char,
        160 cleared_alias: Text<15>,
        175 allows_implied: Char,
        176 min_price: I64,
        184 max_price: I64,
        192 product_name: Text<62>,
        254 hub_alias: Text<80>,
        334 strip_name: Text<39>,
        373 is_tradable: Char,
        374 settle_price_denominator: Char,
        375 mic_code: Text<4>,
        379 unit_qty_denominator: Char,
        380 hedge_only: Char,
        381 exchange_silo: Char,
        382 off_exchange_increment_qty_denominator: Char,
        383 off_exchange_increment_qty: I32,
        387 off_exchange_increment_price: I32,
        391 off_exchange_increment_option_price: I32,
        395 product_id: I32,
        399 hub_id: I32,
        403 strip_id: I32,
        407 underlying_isin: Text<12>,
        419 test_market_indicator: Char,
        420 leg_deal_suppressed: Char,
    };

    /// New Options Strategy Definition: a user-defined market of options.
    message NewOptionsStrategyDefinition "new_options_strategy_definition", tag b'U', header 3, len 60 {
        0 message_type: Char,
        1 message_body_length: U16,
        3 market_id: I32,
        7 underlying_market_id: I32,
        11 contract_symbol: Text<35>,
        46 trading_status: Char,
        47 order_price_denominator: Char,
        48 increment_price: I32,
        52 increment_qty: I32,
        56 min_qty: I32,
    }
    parts [
        Part::Group(&OPTIONS_LEG),
        Part::Group(&HEDGE),
        Part::Last { rows: OptionsStrategyTail::ROWS, optional: OptionsStrategyTail::OPTIONAL, len: OptionsStrategyTail::LEN },
    ];

    /// One leg of an options strategy.
    group OptionsLeg OPTIONS_LEG "strategy_leg_definition", Dimension::CountThenLengths { count: "number_of_strategy_leg_definitions" }, len 12 {
        0 leg_body_length: U8,
        1 leg_market_id: I32,
        5 leg_underlying_market_id: I32,
        9 leg_ratio: I16,
        11 leg_side: Char,
    }
    optional {
        12 leg_strategy_code: I16,
        14 leg_ratio_qty_numerator: I32,
        18 leg_ratio_qty_denominator: I32,
        22 leg_ratio_price_numerator: I32,
        26 leg_ratio_price_denominator: I32,
    };

    /// One hedge of an options strategy.
    group Hedge HEDGE "hedge_definition", Dimension::CountThenLengths { count: "number_of_hedge_definitions" }, len 18 {
        0 hedge_body_length: U8,
        1 hedge_market_id: I32,
        5 hedge_security_type: Char,
        6 hedge_side: Char,
        7 hedge_price: I64,
        15 hedge_price_denominator: Char,
        16 hedge_delta: I16,
    }
    optional {
        18 hedge_strategy_code: I16,
    };

    /// What follows the hedges of a New Options Strategy Definition.
    block OptionsStrategyTail "options_strategy_tail", len 22 {
        0 security_sub_type: I16,
        2 is_block_only: Char,
        3 strategy_symbol: Text<18>,
        21 gt_allowed: Char,
    }
    optional {
        22 mifid_regulated_market: Char,
        23 deal_price_denominator: Char,
        24 settle_price_denominator: Char,
        25 unit_qty_denominator: Char,
        26 test_market_indicator: Char,
        27 contract_symbol_extra: Text<35>,
        62 leg_deal_suppressed: Char,
    };
}
