//! The venue's words: actions as Nasdaq TotalView-ITCH 5.0 messages, by the layouts that decode them.
//!
//! It makes single messages; numbering, packets and lines are elsewhere.

use feeds::event::Side;
use feeds::nasdaq_itch50::wire::*;

use super::book::Order;
use super::flow::Action;
use super::packet::Blocks;

/// Whose message and when: the fields that every message begins with.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The instrument's number for the day; 0 for the system.
    pub locate: u16,
    /// Nanoseconds since midnight Eastern time.
    pub since_midnight_ns: u64,
    /// The instrument's symbol; empty for the system.
    pub symbol: &'a str,
}

/// Text padded with spaces, cut where it does not fit.
pub fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    field
}

fn side_code(side: Side) -> u8 {
    match side {
        Side::Bid => b'B',
        Side::Ask => b'S',
    }
}

/// System Event of that code.
pub fn system_event(head: Head<'_>, event_code: u8, out: &mut Blocks) {
    let Head { locate: stock_locate, since_midnight_ns: timestamp, .. } = head;
    let m = SystemEventValues { message_type: b'S', stock_locate, tracking_number: 0, timestamp, event_code };
    out.push(&[&m.encode()]);
}

/// Stock Directory: listed on the Nasdaq Global Select Market, round lot 100, a production instrument.
pub fn directory(head: Head<'_>, out: &mut Blocks) {
    let m = StockDirectoryValues {
        message_type: b'R',
        stock_locate: head.locate,
        tracking_number: 0,
        timestamp: head.since_midnight_ns,
        stock: padded(head.symbol),
        market_category: b'Q',
        financial_status_indicator: b'N',
        round_lot_size: super::flow::ROUND_LOT as u32,
        round_lots_only: b'N',
        issue_classification: b'C',
        issue_sub_type: *b"Z ",
        authenticity: b'P',
        short_sale_threshold_indicator: b'N',
        ipo_flag: b'N',
        luld_reference_price_tier: b'1',
        etp_flag: b'N',
        etp_leverage_factor: 0,
        inverse_indicator: b'N',
    };
    out.push(&[&m.encode()]);
}

/// Stock Trading Action: `T` trading, `H` halted.
pub fn trading_action(head: Head<'_>, trading_state: u8, reason: &str, out: &mut Blocks) {
    let m = StockTradingActionValues {
        message_type: b'H',
        stock_locate: head.locate,
        tracking_number: 0,
        timestamp: head.since_midnight_ns,
        stock: padded(head.symbol),
        trading_state,
        reserved: [b' '],
        reason: padded(reason),
    };
    out.push(&[&m.encode()]);
}

/// A displayed order, with its participant's name or without.
fn add(head: Head<'_>, tracking_number: u16, order: Order, attributed: bool, out: &mut Blocks) {
    let Head { locate: stock_locate, since_midnight_ns: timestamp, symbol } = head;
    let Order { id: order_reference_number, side, price, shares } = order;
    let (buy_sell_indicator, stock) = (side_code(side), padded(symbol));
    if !attributed {
        let m = AddOrderValues {
            message_type: b'A',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number,
            buy_sell_indicator,
            shares,
            stock,
            price,
        };
        return out.push(&[&m.encode()]);
    }
    let m = AddOrderMpidValues {
        message_type: b'F',
        stock_locate,
        tracking_number,
        timestamp,
        order_reference_number,
        buy_sell_indicator,
        shares,
        stock,
        price,
        attribution: *b"ZSIM",
    };
    out.push(&[&m.encode()]);
}

/// The message that says `action`.
pub fn action(head: Head<'_>, tracking_number: u16, action: &Action, out: &mut Blocks) {
    let Head { locate: stock_locate, since_midnight_ns: timestamp, symbol } = head;
    match *action {
        Action::Add { order, attributed } => add(head, tracking_number, order, attributed, out),
        Action::Execute { id, shares, matched } => out.push(&[&OrderExecutedValues {
            message_type: b'E',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: id,
            executed_shares: shares,
            match_number: matched,
        }
        .encode()]),
        Action::ExecuteAt { id, shares, matched, price } => out.push(&[&OrderExecutedWithPriceValues {
            message_type: b'C',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: id,
            executed_shares: shares,
            match_number: matched,
            printable: b'Y',
            execution_price: price,
        }
        .encode()]),
        Action::Cancel { id, shares } => out.push(&[&OrderCancelValues {
            message_type: b'X',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: id,
            cancelled_shares: shares,
        }
        .encode()]),
        Action::Delete { id } => out.push(&[&OrderDeleteValues {
            message_type: b'D',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: id,
        }
        .encode()]),
        Action::Replace { id, order } => out.push(&[&OrderReplaceValues {
            message_type: b'U',
            stock_locate,
            tracking_number,
            timestamp,
            original_order_reference_number: id,
            new_order_reference_number: order.id,
            shares: order.shares,
            price: order.price,
        }
        .encode()]),
        Action::Trade { side, price, shares, matched } => out.push(&[&TradeValues {
            message_type: b'P',
            stock_locate,
            tracking_number,
            timestamp,
            order_reference_number: 0,
            buy_sell_indicator: side_code(side),
            shares,
            stock: padded(symbol),
            price,
            match_number: matched,
        }
        .encode()]),
    }
}
