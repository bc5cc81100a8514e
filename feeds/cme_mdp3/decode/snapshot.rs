//! Snapshots to events: what a whole book is, of levels or of orders.

use super::{
    Entries, Level, Message, OrderChange, level, long_quantity, number, orders, place, price, quantity, state,
};
use crate::cme_mdp3::wire::long_qty::MdEntry68;
use crate::cme_mdp3::wire::snapshot::*;
use crate::event::{Event, Sink, StateScope};
use crate::wire::WireError;

/// What a snapshot says of its instrument, the same for every template.
struct Whole {
    ts: u64,
    security: i32,
    last_sequence: Option<u64>,
    rpt_seq: u32,
    status: u8,
    /// The part of an order book that comes first (or the only one).
    first: bool,
}

/// Nothing said of status: the null of `SecurityTradingStatus`.
const NO_STATUS: u8 = 255;

impl Whole {
    fn read(template: u16, block: &[u8]) -> Result<Self, WireError> {
        Ok(match template {
            44 | 53 => {
                let m = SnapshotFullRefreshOrderBook53::read(block)?;
                Whole {
                    ts: m.transact_time(),
                    security: m.security_id(),
                    last_sequence: Some(m.last_msg_seq_num_processed().into()),
                    rpt_seq: 0,
                    status: NO_STATUS,
                    first: m.current_chunk() <= 1,
                }
            }
            61 | 68 => {
                let m = SnapshotFullRefreshTcp61::read(block)?;
                let (ts, security) = (m.transact_time(), m.security_id());
                Whole { ts, security, last_sequence: None, rpt_seq: 0, status: NO_STATUS, first: true }
            }
            _ => {
                let m = SnapshotFullRefresh52::read(block)?;
                Whole {
                    ts: m.transact_time(),
                    security: m.security_id(),
                    last_sequence: Some(m.last_msg_seq_num_processed().into()),
                    rpt_seq: m.rpt_seq(),
                    status: m.md_security_trading_status(),
                    first: true,
                }
            }
        })
    }
}

/// Templates 38, 44, 52, 53, 61, 68, 69: the instrument's book, whole.
pub(super) fn snapshot<S: Sink>(
    m: &Message<'_>,
    block: &[u8],
    entries: Entries<'_>,
    sink: &mut S,
) -> Result<(), WireError> {
    let whole = Whole::read(m.template, block)?;
    let (ts, key) = (whole.ts, number(whole.security));
    if whole.first {
        let instrument_sequence = (whole.rpt_seq != 0).then_some(whole.rpt_seq);
        sink.event(ts, Event::Snapshot { key, last_sequence: whole.last_sequence, instrument_sequence });
    }
    for b in entries.iter() {
        if let 44 | 53 = m.template {
            let e = MdEntry44::read(b)?;
            let change = OrderChange {
                security: whole.security,
                order: e.order_id(),
                price: price(e.md_entry_px(), m.template)?,
                quantity: quantity(e.md_display_qty())?,
                action: 0,
                entry_type: e.md_entry_type(),
            };
            change.hand(sink, ts)?;
        } else {
            level(sink, ts, &snapshot_level(b, m.template, whole.security)?)?;
        }
    }
    if let Some(state) = state(whole.status) {
        sink.event(ts, Event::State { scope: StateScope::Instrument(key), symbol: &[], state });
    }
    Ok(())
}

/// An entry of a snapshot of levels, as the level that it puts in.
fn snapshot_level(b: &[u8], template: u16, security: i32) -> Result<Level, WireError> {
    let (mantissa, quantity, number_of_orders, position, entry_type) = match template {
        68 | 69 => {
            let e = MdEntry68::read(b)?;
            let size = long_quantity(e.md_entry_size());
            (e.md_entry_px(), size, e.number_of_orders(), e.md_price_level(), e.md_entry_type())
        }
        61 => {
            let e = MdEntry61::read(b)?;
            let position = e.md_price_level().cast_unsigned();
            (
                e.md_entry_px(),
                size_of_level(e.md_entry_type(), e.md_entry_size())?,
                e.number_of_orders(),
                position,
                e.md_entry_type(),
            )
        }
        _ => {
            let e = MdEntry38::read(b)?;
            let position = e.md_price_level().cast_unsigned();
            (
                e.md_entry_px(),
                size_of_level(e.md_entry_type(), e.md_entry_size())?,
                e.number_of_orders(),
                position,
                e.md_entry_type(),
            )
        }
    };
    let price = price(mantissa, template)?;
    let orders = orders(number_of_orders);
    Ok(Level { security, rpt_seq: 0, price, quantity, orders, position, action: 0, entry_type })
}

/// The size of a book entry; statistics write other numbers there.
fn size_of_level(entry_type: u8, size: i32) -> Result<u64, WireError> {
    if place(entry_type).is_some() { quantity(size) } else { Ok(0) }
}
