//! Message layouts of the UTP quotation feed (UTP Data Feed Services Specification, binary version 1.5), in the
//! specification's words. Integers are big-endian; prices have 6 implied decimals, in short forms 2; times are
//! nanoseconds since 1970-01-01 UTC; sizes are round lots.
//!
//! A message's own header is version, category and type; its tag is category and type together ([`tag`]).

use crate::wire::be::{U8, U16, U32, U64};
use crate::wire::{Char, Dimension, Part, Text};

/// Category and type as one number.
pub const fn tag(category: u8, kind: u8) -> u32 {
    ((category as u32) << 8) | kind as u32
}

crate::wire! {
    /// UTP Quote Message, short form: prices with 2 decimals.
    message QuoteShortForm "quote_short_form", tag tag(b'Q', b'E'), header 3, len 48 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol_short: Text<5>,
        34 bid_price_short: U16,
        36 bid_size_short: U16,
        38 ask_price_short: U16,
        40 ask_size_short: U16,
        42 quote_condition: Char,
        43 sip_generated_update: Char,
        44 luld_bbo_indicator: Char,
        45 retail_interest_indicator: Char,
        46 nbbo_appendage_indicator: Char,
        47 luld_national_bbo_indicator: Char,
    } values QuoteShortFormValues parts [Part::Group(&SHORT_FORM_OF_SHORT), Part::Group(&LONG_FORM_OF_SHORT)];

    /// UTP Quote Message, long form: prices with 6 decimals.
    message QuoteLongForm "quote_long_form", tag tag(b'Q', b'F'), header 3, len 79 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 finra_timestamp: U64,
        37 symbol: Text<11>,
        48 bid_price: U64,
        56 bid_size: U32,
        60 ask_price: U64,
        68 ask_size: U32,
        72 quote_condition: Char,
        73 sip_generated_update: Char,
        74 luld_bbo_indicator: Char,
        75 retail_interest_indicator: Char,
        76 nbbo_appendage_indicator: Char,
        77 luld_national_bbo_indicator: Char,
        78 finra_adf_mpid_appendage_indicator: Char,
    } values QuoteLongFormValues parts [Part::Group(&SHORT_FORM_OF_LONG), Part::Group(&LONG_FORM_OF_LONG), Part::Group(&FINRA_ADF_MPID)];

    /// FINRA ADF Market Participant Quotation: one market maker's quote that leaves the FINRA best as it was.
    message FinraAdfMarketParticipantQuotation "finra_adf_market_participant_quotation", tag tag(b'Q', b'M'), header 3, len 77 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 finra_timestamp: U64,
        37 symbol: Text<11>,
        48 bid_price: U64,
        56 bid_size: U32,
        60 ask_price: U64,
        68 ask_size: U32,
        72 quote_condition: Char,
        73 finra_market_participant: Text<4>,
    } values FinraAdfMarketParticipantQuotationValues;

    /// General Administrative: free text.
    message GeneralAdministrative "general_administrative", tag tag(b'A', b'A'), header 3, len 29 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
    } values GeneralAdministrativeValues parts [Part::Text16 { length: "text_length", name: "text" }];

    /// Cross SRO Trading Action: halts, pauses and resumptions of an issue everywhere.
    message CrossSroTradingAction "cross_sro_trading_action", tag tag(b'A', b'H'), header 3, len 59 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol: Text<11>,
        40 trading_action_code: Char,
        41 trading_action_sequence_number: U32,
        45 action_timestamp: U64,
        53 trading_action_reason: Text<6>,
    } values CrossSroTradingActionValues;

    /// Market Center Trading Action: halts and resumptions at one participant.
    message MarketCenterTradingAction "market_center_trading_action", tag tag(b'A', b'K'), header 3, len 50 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol: Text<11>,
        40 trading_action_code: Char,
        41 action_timestamp: U64,
        49 market_center_identifier: Char,
    } values MarketCenterTradingActionValues;

    /// Issue Symbol Directory.
    message IssueSymbolDirectory "issue_symbol_directory", tag tag(b'A', b'B'), header 3, len 90 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol: Text<11>,
        40 old_symbol: Text<11>,
        51 issue_name: Text<30>,
        81 issue_type: Char,
        82 issue_subtype: Text<2>,
        84 market_tier: Char,
        85 authenticity: Char,
        86 short_sale_threshold_indicator: Char,
        87 round_lot_size: U16,
        89 financial_status_indicator: Char,
    } values IssueSymbolDirectoryValues;

    /// Regulation SHO Short Sale Price Test Restricted Indicator.
    message RegShoRestriction "reg_sho_restriction", tag tag(b'A', b'V'), header 3, len 41 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol: Text<11>,
        40 reg_sho_action: Char,
    } values RegShoRestrictionValues;

    /// Limit Up - Limit Down Price Band.
    message LuldPriceBand "luld_price_band", tag tag(b'A', b'P'), header 3, len 65 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol: Text<11>,
        40 luld_price_band_indicator: Char,
        41 luld_timestamp: U64,
        49 limit_down_price: U64,
        57 limit_up_price: U64,
    } values LuldPriceBandValues;

    /// Market-Wide Circuit Breaker decline levels.
    message MwcbDeclineLevel "mwcb_decline_level", tag tag(b'A', b'C'), header 3, len 53 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 mwcb_level_1: U64,
        37 mwcb_level_2: U64,
        45 mwcb_level_3: U64,
    } values MwcbDeclineLevelValues;

    /// Market-Wide Circuit Breaker status.
    message MwcbStatus "mwcb_status", tag tag(b'A', b'D'), header 3, len 30 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 mwcb_status_level_indicator: Char,
    } values MwcbStatusValues;

    /// Auction Collar.
    message AuctionCollar "auction_collar", tag tag(b'A', b'E'), header 3, len 69 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol: Text<11>,
        40 trading_action_sequence_number: U32,
        44 collar_reference_price: U64,
        52 collar_up_price: U64,
        60 collar_down_price: U64,
        68 collar_extension_indicator: Char,
    } values AuctionCollarValues;

    /// Session Close Recap: the quotes that stood at the close of the regular session.
    message SessionCloseRecap "session_close_recap", tag tag(b'A', b'R'), header 3, len 75 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
        29 symbol: Text<11>,
        40 national_best_bid_market_center: Char,
        41 national_best_bid_price: U64,
        49 national_best_bid_size: U64,
        57 national_best_ask_market_center: Char,
        58 national_best_ask_price: U64,
        66 national_best_ask_size: U64,
        74 special_condition: Char,
    } values SessionCloseRecapValues parts [Part::Group(&MARKET_CENTER_CLOSE_RECAP)];

    /// Start of Day.
    message StartOfDay "start_of_day", tag tag(b'C', b'I'), header 3, len 29 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
    } values StartOfDayValues;

    /// End of Day.
    message EndOfDay "end_of_day", tag tag(b'C', b'J'), header 3, len 29 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
    } values EndOfDayValues;

    /// Market Session Open.
    message MarketSessionOpen "market_session_open", tag tag(b'C', b'O'), header 3, len 29 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
    } values MarketSessionOpenValues;

    /// Market Session Close.
    message MarketSessionClose "market_session_close", tag tag(b'C', b'C'), header 3, len 29 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
    } values MarketSessionCloseValues;

    /// End of Transmissions.
    message EndOfTransmissions "end_of_transmissions", tag tag(b'C', b'Z'), header 3, len 29 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
    } values EndOfTransmissionsValues;

    /// Quote Wipe-Out: every quote of the originator is void.
    message QuoteWipeOut "quote_wipe_out", tag tag(b'C', b'P'), header 3, len 29 {
        0 version: U8,
        1 message_category: Char,
        2 message_type: Char,
        3 market_center_originator_id: Char,
        4 sub_market_center_id: Char,
        5 sip_timestamp: U64,
        13 participant_timestamp: U64,
        21 participant_token: U64,
    } values QuoteWipeOutValues;

    /// National best, short form, behind a short-form quote.
    group ShortFormNbboOfShort SHORT_FORM_OF_SHORT "short_form_national_bbo_appendage", Dimension::When { at: 46, is: b'2' }, len 11 {
        0 nbbo_quote_condition: Char,
        1 national_best_bid_market_center: Char,
        2 national_best_bid_price_short: U16,
        4 national_best_bid_size_short: U16,
        6 national_best_ask_market_center: Char,
        7 national_best_ask_price_short: U16,
        9 national_best_ask_size_short: U16,
    } values ShortFormNbboOfShortValues;

    /// National best, long form, behind a short-form quote.
    group LongFormNbboOfShort LONG_FORM_OF_SHORT "long_form_national_bbo_appendage", Dimension::When { at: 46, is: b'3' }, len 27 {
        0 nbbo_quote_condition: Char,
        1 best_bid_market_center: Char,
        2 best_bid_price: U64,
        10 best_bid_size: U32,
        14 best_ask_market_center: Char,
        15 best_ask_price: U64,
        23 best_ask_size: U32,
    } values LongFormNbboOfShortValues;

    /// National best, short form, behind a long-form quote.
    group ShortFormNbboOfLong SHORT_FORM_OF_LONG "short_form_national_bbo_appendage", Dimension::When { at: 76, is: b'2' }, len 11 {
        0 nbbo_quote_condition: Char,
        1 national_best_bid_market_center: Char,
        2 national_best_bid_price_short: U16,
        4 national_best_bid_size_short: U16,
        6 national_best_ask_market_center: Char,
        7 national_best_ask_price_short: U16,
        9 national_best_ask_size_short: U16,
    };

    /// National best, long form, behind a long-form quote.
    group LongFormNbboOfLong LONG_FORM_OF_LONG "long_form_national_bbo_appendage", Dimension::When { at: 76, is: b'3' }, len 27 {
        0 nbbo_quote_condition: Char,
        1 best_bid_market_center: Char,
        2 best_bid_price: U64,
        10 best_bid_size: U32,
        14 best_ask_market_center: Char,
        15 best_ask_price: U64,
        23 best_ask_size: U32,
    };

    /// FINRA market participants of the best quotes.
    group FinraAdfMpid FINRA_ADF_MPID "finra_adf_mpid_appendage", Dimension::When { at: 78, is: b'2' }, len 8 {
        0 bid_adf_mpid: Text<4>,
        4 ask_adf_mpid: Text<4>,
    } values FinraAdfMpidValues;

    /// One participant's quote at the close.
    group MarketCenterCloseRecap MARKET_CENTER_CLOSE_RECAP "market_center_close_recap", Dimension::Count16 { count: "number_of_market_center_attachments" }, len 33 {
        0 market_center_identifier: Char,
        1 market_center_bid_price: U64,
        9 market_center_bid_size: U64,
        17 market_center_ask_price: U64,
        25 market_center_ask_size: U64,
    } values MarketCenterCloseRecapValues;

}

/// Every message of the specification, quotes first.
pub const MESSAGES: &[&crate::wire::Layout] = &[
    &QuoteShortForm::LAYOUT,
    &QuoteLongForm::LAYOUT,
    &FinraAdfMarketParticipantQuotation::LAYOUT,
    &GeneralAdministrative::LAYOUT,
    &CrossSroTradingAction::LAYOUT,
    &MarketCenterTradingAction::LAYOUT,
    &IssueSymbolDirectory::LAYOUT,
    &RegShoRestriction::LAYOUT,
    &LuldPriceBand::LAYOUT,
    &MwcbDeclineLevel::LAYOUT,
    &MwcbStatus::LAYOUT,
    &AuctionCollar::LAYOUT,
    &SessionCloseRecap::LAYOUT,
    &StartOfDay::LAYOUT,
    &EndOfDay::LAYOUT,
    &MarketSessionOpen::LAYOUT,
    &MarketSessionClose::LAYOUT,
    &EndOfTransmissions::LAYOUT,
    &QuoteWipeOut::LAYOUT,
];
