//! MDP 3.0 messages to events. Judges nothing: a level out of range or an unknown order is the book's affair.
//!
//! Events are handed over only once the whole message is known to fit its own lengths.

mod snapshot;
#[cfg(test)]
mod tests;

use super::wire::definitions::*;
use super::wire::definitions_7::*;
use super::wire::incremental::*;
use super::wire::incremental_7::*;
use super::wire::long_qty::*;
use super::wire::{DefinitionStart, EARLIER, MESSAGES, MessageHeader, RefreshStart, SCHEMA_ID, admin};
use crate::event::{Definition, Event, Key, Ladder, LevelAction, Side, Sink, StateScope, TradingState};
use crate::feed::Decoded;
use crate::wire::{ErrorKind, Extent, Group, Layout, Part, WireError, trim};

/// Null of `PRICENULL` and `PRICENULL9`.
const NO_PRICE: i64 = i64::MAX;
/// Null of `Int32NULL`.
const NO_NUMBER: i32 = i32::MAX;
/// Null of `uInt64NULL`.
const NO_LONG: u64 = u64::MAX;
/// Templates below this id write prices in 1e-7; event prices are all in 1e-9.
const NINE_DECIMALS_FROM: u16 = 46;

/// Position in [`MESSAGES`] by template id; 255 for ids that are not declared.
const INDEX: [u8; 70] = {
    let mut table = [255u8; 70];
    let mut i = 0;
    while i < MESSAGES.len() {
        table[MESSAGES[i].tag as usize] = i as u8;
        i += 1;
    }
    table
};

/// A message of a declared layout, cut to its own size.
pub(super) struct Message<'a> {
    pub(super) layout: &'static Layout,
    /// End of the first block, as the wire says it.
    pub(super) block_end: usize,
    index: u16,
    template: u16,
    bytes: &'a [u8],
}

/// Template id of `bytes`, for a message that is not declared.
fn template(bytes: &[u8]) -> Result<u16, WireError> {
    MessageHeader::read(bytes).map(|h| h.template_id())
}

impl<'a> Message<'a> {
    /// Reads the header; `Ok(None)` for a template or schema that is not declared.
    #[inline]
    pub(super) fn read(bytes: &'a [u8]) -> Result<Option<Self>, WireError> {
        let header = MessageHeader::read(bytes)?;
        let size = usize::from(header.msg_size());
        let Some(whole) = bytes.get(..size) else {
            return Err(WireError::truncated(MessageHeader::NAME, 0, size, bytes.len()));
        };
        if size < MessageHeader::LEN {
            let (kind, message) = (ErrorKind::BadLength, MessageHeader::NAME);
            return Err(WireError { kind, message, offset: 0, needed: MessageHeader::LEN, had: size });
        }
        let template = header.template_id();
        let index = INDEX.get(usize::from(template)).copied().filter(|i| *i != 255);
        let Some(index) = index.filter(|_| header.schema_id() == SCHEMA_ID).map(u16::from) else {
            return Ok(None);
        };
        let earlier =
            |e: &&super::wire::Earlier| e.layout.tag == u32::from(template) && header.version() < e.below;
        let layout =
            EARLIER.iter().find(earlier).map_or(MESSAGES[usize::from(index)], |earlier| earlier.layout);
        let block_end = MessageHeader::LEN + usize::from(header.block_length());
        Ok(Some(Message { layout, block_end, index, template, bytes: whole }))
    }

    /// The first block and the first two groups; what comes behind them has been found to fit as well.
    #[inline]
    fn parts(&self) -> Result<(&'a [u8], [Entries<'a>; 2]), WireError> {
        let Some(block) = self.bytes.get(..self.block_end) else {
            return Err(WireError::truncated(self.layout.name, 0, self.block_end, self.bytes.len()));
        };
        if block.len() < self.layout.len {
            return Err(WireError::truncated(self.layout.name, 0, self.layout.len, block.len()));
        }
        let mut groups = [Entries::NONE; 2];
        let mut at = self.block_end;
        for (n, part) in self.layout.parts.iter().enumerate() {
            // The message of an earlier version ends before the groups that it does not have.
            if at == self.bytes.len() {
                break;
            }
            let Part::Group(group) = part else { continue };
            let entries = Entries::read(group, self.bytes, at)?;
            at = entries.end;
            if let Some(slot) = groups.get_mut(n) {
                *slot = entries;
            }
        }
        Ok((block, groups))
    }
}

/// Entries of one group, known to be all there.
#[derive(Clone, Copy)]
struct Entries<'a> {
    bytes: &'a [u8],
    stride: usize,
    count: usize,
    end: usize,
}

impl<'a> Entries<'a> {
    const NONE: Self = Entries { bytes: &[], stride: 0, count: 0, end: 0 };

    #[inline]
    fn read(group: &'static Group, message: &'a [u8], at: usize) -> Result<Self, WireError> {
        let Extent { count, first, stride } = group.extent(message, at)?;
        let stride = stride.unwrap_or(group.len);
        let end = first + count * stride;
        match message.get(first..end) {
            Some(bytes) => Ok(Entries { bytes, stride, count, end }),
            None => Err(WireError::truncated(group.name, at, end - at, message.len() - at)),
        }
    }

    #[inline]
    fn get(&self, n: usize) -> Option<&'a [u8]> {
        if n >= self.count {
            return None;
        }
        self.bytes.get(n * self.stride..(n + 1) * self.stride)
    }

    #[inline]
    fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.count).filter_map(move |n| self.get(n))
    }
}

fn bad_value(message: &'static str, needed: usize, had: usize) -> WireError {
    WireError { kind: ErrorKind::BadValue, message, offset: 0, needed, had }
}

/// Security ids are `Int32` and never negative; the bits are kept whatever they are.
#[inline]
fn number(security_id: i32) -> Key<'static> {
    Key::Number(u64::from(security_id.cast_unsigned()))
}

/// What a template's prices are multiplied with to be in 1e-9.
#[inline]
fn factor(template: u16) -> i64 {
    if template < NINE_DECIMALS_FROM { 100 } else { 1 }
}

/// A price in 1e-9; `None` for the null value.
#[inline]
fn price(mantissa: i64, template: u16) -> Result<Option<i64>, WireError> {
    if mantissa == NO_PRICE {
        return Ok(None);
    }
    mantissa.checked_mul(factor(template)).map(Some).ok_or(bad_value("md_entry_px", 0, template.into()))
}

/// A quantity; null counts as none.
#[inline]
fn quantity(value: i32) -> Result<u64, WireError> {
    if value == NO_NUMBER {
        return Ok(0);
    }
    u64::try_from(value).map_err(|_| bad_value("md_entry_size", 0, value.unsigned_abs() as usize))
}

#[inline]
fn long_quantity(value: u64) -> u64 {
    if value == NO_LONG { 0 } else { value }
}

/// Number of orders, 0 when unsaid (implied levels have none).
#[inline]
fn orders(value: i32) -> u32 {
    if value == NO_NUMBER { 0 } else { u32::try_from(value).unwrap_or(0) }
}

/// Ladder and side of a book entry (`MDEntryTypeBook`); `None` for other entries.
#[inline]
fn place(entry_type: u8) -> Option<(Ladder, Side)> {
    match entry_type {
        b'0' => Some((Ladder::Outright, Side::Bid)),
        b'1' => Some((Ladder::Outright, Side::Ask)),
        b'E' => Some((Ladder::Implied, Side::Bid)),
        b'F' => Some((Ladder::Implied, Side::Ask)),
        _ => None,
    }
}

/// `MDUpdateAction`.
#[inline]
fn action(code: u8) -> Result<LevelAction, WireError> {
    Ok(match code {
        0 => LevelAction::New,
        1 => LevelAction::Change,
        2 => LevelAction::Delete,
        3 => LevelAction::DeleteThru,
        4 => LevelAction::DeleteFrom,
        5 => LevelAction::Overlay,
        _ => return Err(bad_value("md_update_action", 5, code.into())),
    })
}

/// `SecurityTradingStatus`; `None` where it says nothing of trading (no change, null, newer codes).
fn state(code: u8) -> Option<TradingState> {
    match code {
        // Trading halt.
        2 => Some(TradingState::Halted),
        // Close; not available for trading; post close.
        4 | 18 | 26 => Some(TradingState::Closed),
        // New price indication; pre-open; pre-cross; cross.
        15 | 21 | 24 | 25 => Some(TradingState::Auction),
        // Ready to trade.
        17 => Some(TradingState::Trading),
        // Unknown or invalid.
        20 => Some(TradingState::Unknown),
        _ => None,
    }
}

/// One book entry of an incremental refresh or snapshot, the same for every template.
#[derive(Clone, Copy)]
struct Level {
    security: i32,
    rpt_seq: u32,
    price: Option<i64>,
    quantity: u64,
    orders: u32,
    position: u8,
    action: u8,
    entry_type: u8,
}

/// Hands the events of one message to `sink`.
#[inline]
pub(super) fn decode<S: Sink>(bytes: &[u8], sink: &mut S) -> Result<Decoded, WireError> {
    let Some(m) = Message::read(bytes)? else { return Ok(Decoded::Unknown(template(bytes)?.into())) };
    let (block, groups) = m.parts()?;
    match m.template {
        32 | 46 => book(&m, block, groups, sink, short_level)?,
        64 => book(&m, block, groups, sink, long_level)?,
        43 | 47 => order_book(&m, block, groups[0], sink)?,
        36 | 42 | 48 | 65 => trades(&m, block, groups[0], sink)?,
        33 | 34 | 35 | 37 | 49 | 50 | 51 | 66 | 67 => statistics(&m, block, groups[0], sink)?,
        38 | 44 | 52 | 53 | 61 | 68 | 69 => snapshot::snapshot(&m, block, groups[0], sink)?,
        27 | 29 | 41 | 54..=58 | 63 => definition(&m, block, sink)?,
        4 | 30 => status(&m, block, sink)?,
        _ => {}
    }
    Ok(Decoded::Message(m.index))
}

/// An entry of templates 32 and 46: alike but for a field of 46 that is behind these.
#[inline]
fn short_level(entry: &[u8], template: u16) -> Result<Level, WireError> {
    let e = MdEntry32::read(entry)?;
    Ok(Level {
        security: e.security_id(),
        rpt_seq: e.rpt_seq(),
        price: price(e.md_entry_px(), template)?,
        quantity: quantity(e.md_entry_size())?,
        orders: orders(e.number_of_orders()),
        position: e.md_price_level(),
        action: e.md_update_action(),
        entry_type: e.md_entry_type(),
    })
}

/// An entry of template 64.
#[inline]
fn long_level(entry: &[u8], template: u16) -> Result<Level, WireError> {
    let e = MdEntry64::read(entry)?;
    Ok(Level {
        security: e.security_id(),
        rpt_seq: e.rpt_seq(),
        price: price(e.md_entry_px(), template)?,
        quantity: long_quantity(e.md_entry_size()),
        orders: orders(e.number_of_orders()),
        position: e.md_price_level(),
        action: e.md_update_action(),
        entry_type: e.md_entry_type(),
    })
}

/// The instrument's own number before the change it numbers; the conflated feed writes 0 and has none.
#[inline]
fn sequence<S: Sink>(sink: &mut S, ts: u64, security: i32, rpt_seq: u32) {
    if rpt_seq != 0 {
        sink.event(ts, Event::InstrumentSequence { key: number(security), sequence: rpt_seq });
    }
}

/// What a book entry means, its number said before.
#[inline]
fn level<S: Sink>(sink: &mut S, ts: u64, e: &Level) -> Result<(), WireError> {
    let key = number(e.security);
    let Some((ladder, side)) = place(e.entry_type) else {
        if e.entry_type == b'J' {
            sink.event(ts, Event::Clear { key: Some(key) });
        }
        return Ok(());
    };
    let action = action(e.action)?;
    let price = match (e.price, action) {
        (Some(price), _) => price,
        // Where levels go, the position says which.
        (None, LevelAction::Delete | LevelAction::DeleteThru | LevelAction::DeleteFrom) => 0,
        (None, _) => return Err(bad_value("md_entry_px", 0, usize::from(e.action))),
    };
    let Level { position, quantity, orders, .. } = *e;
    sink.event(ts, Event::LevelAt { key, ladder, action, side, position, price, quantity, orders });
    Ok(())
}

/// Templates 32, 46, 64: levels, then the orders behind them, each pointing at its entry.
#[inline]
fn book<S: Sink>(
    m: &Message<'_>,
    block: &[u8],
    [levels, orders]: [Entries<'_>; 2],
    sink: &mut S,
    read: impl Fn(&[u8], u16) -> Result<Level, WireError>,
) -> Result<(), WireError> {
    let ts = RefreshStart::read(block)?.transact_time();
    for entry in levels.iter() {
        let entry = read(entry, m.template)?;
        sequence(sink, ts, entry.security, entry.rpt_seq);
        level(sink, ts, &entry)?;
    }
    for order in orders.iter() {
        let o = OrderIdEntry32::read(order)?;
        // ReferenceID counts the entries of this message from 1.
        let reference = usize::from(o.reference_id());
        let Some(entry) = reference.checked_sub(1).and_then(|n| levels.get(n)) else {
            return Err(bad_value("reference_id", levels.count, reference));
        };
        let entry = read(entry, m.template)?;
        let change = OrderChange {
            security: entry.security,
            order: o.order_id(),
            price: entry.price,
            quantity: quantity(o.md_display_qty())?,
            action: o.order_update_action(),
            entry_type: entry.entry_type,
        };
        change.hand(sink, ts)?;
    }
    Ok(())
}

/// What happens to one order.
struct OrderChange {
    security: i32,
    order: u64,
    price: Option<i64>,
    quantity: u64,
    /// `OrderUpdateAction`, or `MDUpdateAction` with the same first three values.
    action: u8,
    entry_type: u8,
}

impl OrderChange {
    #[inline]
    fn hand<S: Sink>(&self, sink: &mut S, ts: u64) -> Result<(), WireError> {
        let &OrderChange { order, quantity, .. } = self;
        let key = number(self.security);
        if self.entry_type == b'J' {
            sink.event(ts, Event::Clear { key: Some(key) });
            return Ok(());
        }
        let Some((Ladder::Outright, side)) = place(self.entry_type) else {
            return Err(bad_value("md_entry_type", usize::from(b'0'), self.entry_type.into()));
        };
        if self.action == 2 {
            sink.event(ts, Event::OrderDelete { key, order });
            return Ok(());
        }
        let Some(price) = self.price else { return Err(bad_value("md_entry_px", 0, self.action.into())) };
        let event = match self.action {
            0 => Event::OrderAdd { key, symbol: &[], order, side, price, quantity },
            1 => Event::OrderPut { key, order, side, price, quantity, known: true },
            5 => Event::OrderPut { key, order, side, price, quantity, known: false },
            other => return Err(bad_value("order_update_action", 2, other.into())),
        };
        sink.event(ts, event);
        Ok(())
    }
}

/// Templates 43 and 47: orders alone; what becomes of their level is told by another message.
fn order_book<S: Sink>(
    m: &Message<'_>,
    block: &[u8],
    entries: Entries<'_>,
    sink: &mut S,
) -> Result<(), WireError> {
    let ts = RefreshStart::read(block)?.transact_time();
    for entry in entries.iter() {
        let e = MdEntry43::read(entry)?;
        let change = OrderChange {
            security: e.security_id(),
            order: e.order_id(),
            price: price(e.md_entry_px(), m.template)?,
            quantity: quantity(e.md_display_qty())?,
            action: e.md_update_action(),
            entry_type: e.md_entry_type(),
        };
        change.hand(sink, ts)?;
    }
    Ok(())
}

/// Templates 36, 42, 48, 65. The orders that took part change the book in the book's own messages.
fn trades<S: Sink>(
    m: &Message<'_>,
    block: &[u8],
    entries: Entries<'_>,
    sink: &mut S,
) -> Result<(), WireError> {
    let ts = RefreshStart::read(block)?.transact_time();
    for entry in entries.iter() {
        let (security, rpt_seq, mantissa, quantity, update) = match m.template {
            65 => {
                let e = MdEntry65::read(entry)?;
                (e.security_id(), e.rpt_seq(), e.md_entry_px(), e.md_entry_size(), e.md_update_action())
            }
            36 => {
                let e = MdEntry36::read(entry)?;
                let size = quantity(e.md_entry_size())?;
                (e.security_id(), e.rpt_seq(), e.md_entry_px(), size, e.md_update_action())
            }
            _ => {
                let e = MdEntry42::read(entry)?;
                let size = quantity(e.md_entry_size())?;
                (e.security_id(), e.rpt_seq(), e.md_entry_px(), size, e.md_update_action())
            }
        };
        sequence(sink, ts, security, rpt_seq);
        // 1 corrects and 2 takes back a trade that was told before: neither is a new one.
        if let (Some(price), 0) = (price(mantissa, m.template)?, update) {
            sink.event(ts, Event::Trade { key: number(security), symbol: &[], price, quantity });
        }
    }
    Ok(())
}

/// Statistics, volumes and limits: no change of the book, but each takes a number of its instrument.
fn statistics<S: Sink>(
    m: &Message<'_>,
    block: &[u8],
    entries: Entries<'_>,
    sink: &mut S,
) -> Result<(), WireError> {
    let ts = RefreshStart::read(block)?.transact_time();
    for b in entries.iter() {
        let (security, rpt_seq) = match m.template {
            33 | 49 => MdEntry33::read(b).map(|e| (e.security_id(), e.rpt_seq()))?,
            34 | 50 => MdEntry34::read(b).map(|e| (e.security_id(), e.rpt_seq()))?,
            35 | 51 => MdEntry35::read(b).map(|e| (e.security_id(), e.rpt_seq()))?,
            37 => MdEntry37::read(b).map(|e| (e.security_id(), e.rpt_seq()))?,
            66 => MdEntry66::read(b).map(|e| (e.security_id(), e.rpt_seq()))?,
            _ => MdEntry67::read(b).map(|e| (e.security_id(), e.rpt_seq()))?,
        };
        sequence(sink, ts, security, rpt_seq);
    }
    Ok(())
}

/// Smallest price step, as the template writes it.
fn min_price_increment(template: u16, block: &[u8]) -> Result<i64, WireError> {
    Ok(match template {
        27 => MdInstrumentDefinitionFuture27::read(block)?.min_price_increment(),
        29 => MdInstrumentDefinitionSpread29::read(block)?.min_price_increment(),
        41 => MdInstrumentDefinitionOption41::read(block)?.min_price_increment(),
        54 => MdInstrumentDefinitionFuture54::read(block)?.min_price_increment(),
        55 => MdInstrumentDefinitionOption55::read(block)?.min_price_increment(),
        56 => MdInstrumentDefinitionSpread56::read(block)?.min_price_increment(),
        57 => MdInstrumentDefinitionFixedIncome57::read(block)?.min_price_increment(),
        58 => MdInstrumentDefinitionRepo58::read(block)?.min_price_increment(),
        _ => MdInstrumentDefinitionFx63::read(block)?.min_price_increment(),
    })
}

/// Security definitions. Prices keep the feed's 9 decimals: the display factor is for screens and is not applied.
fn definition<S: Sink>(m: &Message<'_>, block: &[u8], sink: &mut S) -> Result<(), WireError> {
    let d = DefinitionStart::read(block)?;
    let tick = price(min_price_increment(m.template, block)?, m.template)?;
    let (ts, key) = (d.last_update_time(), number(d.security_id()));
    sink.event(
        ts,
        Event::Define(Definition {
            number: Some(u64::from(d.security_id().cast_unsigned())),
            symbol: trim(&d.symbol()),
            tick_nanos: tick.and_then(|t| u64::try_from(t).ok()).filter(|t| *t > 0),
            group: trim(&d.security_group()),
            ..Definition::default()
        }),
    );
    if d.security_update_action() == b'D' {
        let (scope, state) = (StateScope::Instrument(key), TradingState::Closed);
        sink.event(ts, Event::State { scope, symbol: trim(&d.symbol()), state });
    }
    Ok(())
}

/// Channel reset and security status.
fn status<S: Sink>(m: &Message<'_>, block: &[u8], sink: &mut S) -> Result<(), WireError> {
    if m.template == 4 {
        let ts = admin::ChannelReset4::read(block)?.transact_time();
        sink.event(ts, Event::Clear { key: None });
        return Ok(());
    }
    let s = admin::SecurityStatus30::read(block)?;
    let Some(state) = state(s.security_trading_status()) else { return Ok(()) };
    let group = s.security_group();
    let scope = match (s.security_id(), trim(&group)) {
        (NO_NUMBER, []) => StateScope::All,
        (NO_NUMBER, group) => StateScope::Group(group),
        (id, _) => StateScope::Instrument(number(id)),
    };
    sink.event(s.transact_time(), Event::State { scope, symbol: &[], state });
    Ok(())
}
