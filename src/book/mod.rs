//! Orders → levels → top of book, plain and round-lot, for every instrument of one source channel.
//!
//! Four views of an instrument lie side by side, because a feed may give more than one: levels summed from orders
//! (ITCH, ICE, MDP3 MBO), levels by price (DEEP), levels by position (MDP3 MBP, outright and implied apart), and a
//! quote that is published as such (TOPS, UQDF). [`Books::top`] reads the first that the feed has given of:
//! outright positions, prices, orders, quote.
//!
//! A book never repairs silently and never panics: what an event says against it is answered as a
//! [`Contradiction`], and the newer statement stands as far as it makes sense. It knows no time, no sequence
//! number, no trading state and no symbol; hidden executions and trades never touch it.

mod contradiction;
mod instrument;
mod levels;
mod order_side;
mod orders;
mod others;
mod position_ladder;
mod price_ladder;
mod probe_table;
#[cfg(test)]
mod tests;

use crate::cache;
pub use contradiction::Contradiction;
use feeds::event::{Event, Ladder, Side};
use instrument::{Instrument, View};
use levels::{LevelId, Levels, Whose};
use order_side::OrderSide;
use orders::{Found, Orders};
use others::Others;

/// Dense index of an instrument within a source channel, given by the caller. A consolidated feed's quoters take
/// a slot each. Memory grows with the largest slot.
pub type Slot = u32;

/// Round lot where nothing else is said.
pub const ROUND_LOT_DEFAULT: u32 = 100;
/// Levels that MDP3 keeps per side where nothing else is said.
pub const DEPTH_OUTRIGHT_DEFAULT: u8 = 10;
/// Implied levels that MDP3 keeps per side where nothing else is said.
pub const DEPTH_IMPLIED_DEFAULT: u8 = 2;
/// Slots from here on are refused: no channel carries as many instruments, and a slot costs memory.
pub const SLOT_MAX: Slot = 1 << 21;

/// A price with its displayed quantity: raw price, quantity in the feed's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level {
    /// Raw price.
    pub price: i64,
    /// Displayed quantity.
    pub quantity: u64,
}

/// The best of either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Top {
    /// Best bid.
    pub bid: Option<Level>,
    /// Best ask.
    pub ask: Option<Level>,
    /// Best bid level that displays at least a round lot.
    pub round_lot_bid: Option<Level>,
    /// Best ask level that displays at least a round lot.
    pub round_lot_ask: Option<Level>,
}

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// The top may have changed; false is certain.
    pub changed: bool,
    /// What the event said against the book.
    pub contradiction: Option<Contradiction>,
}

impl Applied {
    const NOTHING: Applied = Applied { changed: false, contradiction: None };

    const fn refused(changed: bool, contradiction: Contradiction) -> Applied {
        Applied { changed, contradiction: Some(contradiction) }
    }
}

/// The books of all instruments of one source channel. One writer.
#[derive(Debug, Default)]
pub struct Books {
    orders: Orders,
    levels: Levels,
    /// By slot; bids and asks.
    sides: Vec<[OrderSide; 2]>,
    instruments: Vec<Instrument>,
    /// By slot, of feeds that give something else than orders.
    others: Vec<Option<Box<Others>>>,
    started_whole: bool,
}

impl Books {
    /// Empty books of a channel that is joined in mid-stream.
    pub fn new() -> Self {
        Books::default()
    }

    /// Says whether instruments not yet seen are whole: nothing was in their books before the first event. True
    /// for a session followed from its first message on. Changes instruments without any event so far, too.
    pub fn set_started_whole(&mut self, whole: bool) {
        self.started_whole = whole;
        for slot in 0..self.instruments.len() {
            if self.view(slot as Slot).is_some_and(|view| view.untouched()) {
                self.instruments[slot].whole = whole;
            }
        }
    }

    /// Messages were lost: no book is whole until it is cleared or restated. What is known stays.
    pub fn forget_wholeness(&mut self) {
        self.started_whole = false;
        self.instruments.iter_mut().for_each(|i| i.whole = false);
    }

    /// Whether the instrument's book is known from empty or from a snapshot on, without a loss since
    /// ([`Books::forget_wholeness`]). Only then is an unknown order or level a contradiction of the feed's.
    pub fn whole(&self, slot: Slot) -> bool {
        self.instrument(slot).map_or(self.started_whole, |i| i.whole)
    }

    /// Quantity from which a level counts for the round-lot best. Where quotes count round lots only
    /// ([`feeds::feed::Info::round_lots_only`]) set 1.
    pub fn set_round_lot(&mut self, slot: Slot, lot: u32) {
        if let Some(instrument) = self.instrument_mut(slot) {
            instrument.round_lot = lot.max(1);
            let levels = &self.levels;
            self.sides[slot as usize].iter_mut().for_each(|side| side.set_round_lot(levels, lot.max(1)));
        }
    }

    /// Numbered levels that the feed keeps per side; deeper ones fall out.
    pub fn set_depth(&mut self, slot: Slot, ladder: Ladder, depth: u8) {
        if self.instrument_mut(slot).is_some() {
            self.others_mut(slot).1.positions_mut(ladder).iter_mut().for_each(|l| l.set_depth(depth));
        }
    }

    /// Applies one event to the instrument at `slot`. Events that say nothing about a book change nothing.
    /// `Clear` without an instrument clears all of them.
    #[inline(always)]
    pub fn apply(&mut self, slot: Slot, event: &Event<'_>) -> Applied {
        if slot as usize >= self.instruments.len() && self.instrument_mut(slot).is_none() {
            return Applied::NOTHING;
        }
        match *event {
            Event::OrderAdd { order, side, price, quantity, .. } => {
                self.put(slot, order, side, price, quantity, Expect::New)
            }
            Event::OrderPut { order, side, price, quantity, known, .. } => {
                self.put(slot, order, side, price, quantity, if known { Expect::Known } else { Expect::Any })
            }
            Event::OrderExecute { order, quantity, .. } => {
                self.lessen(slot, order, quantity, Contradiction::OverExecution)
            }
            Event::OrderReduce { order, quantity, .. } => {
                self.lessen(slot, order, quantity, Contradiction::OverReduction)
            }
            Event::OrderDelete { order, .. } => self.delete(slot, order),
            Event::OrderReplace { order, new_order, price, quantity, .. } => {
                self.replace(slot, order, new_order, price, quantity)
            }
            Event::LevelSet { side, price, quantity, .. } => {
                let (orders, others) = self.others_mut(slot);
                others.set_price(side, Level { price, quantity }, orders.round_lot)
            }
            Event::LevelAt { ladder, action, side, position, price, quantity, .. } => {
                let level = Level { price, quantity };
                let (orders, others) = self.others_mut(slot);
                others.set_position(ladder, action, side, position, level, orders.whole)
            }
            Event::Quote { bid, ask, .. } => self.others_mut(slot).1.set_quote(bid, ask),
            Event::Clear { key: None } => {
                self.clear_all();
                Applied { changed: true, contradiction: None }
            }
            Event::Clear { key: Some(_) } | Event::Snapshot { .. } => {
                self.clear(slot);
                Applied { changed: true, contradiction: None }
            }
            Event::Define(_)
            | Event::WipeOut { .. }
            | Event::PriceBands { .. }
            | Event::Trade { .. }
            | Event::State { .. }
            | Event::InstrumentSequence { .. } => Applied::NOTHING,
        }
    }

    /// The best of either side.
    pub fn top(&self, slot: Slot) -> Top {
        self.view(slot).map(|view| view.top()).unwrap_or_default()
    }

    /// Levels of the view that [`Books::top`] reads, best first; for `Ladder::Implied`, the implied positions.
    /// Numbered levels end at the first position that is not known.
    pub fn levels(&self, slot: Slot, side: Side, ladder: Ladder) -> impl Iterator<Item = Level> + '_ {
        self.view(slot).into_iter().flat_map(move |view| view.levels(side, ladder))
    }

    /// Whether the side's best is certain: the book is whole, or position 1 of a numbered ladder is known.
    /// Where it is not, the top is what is known, and `None` while position 1 is unknown.
    pub fn complete(&self, slot: Slot, side: Side) -> bool {
        self.view(slot).map_or(self.started_whole, |view| view.best_is_certain(side))
    }

    /// Whether the plain best bid is above the plain best ask.
    pub fn crossed(&self, slot: Slot) -> bool {
        let top = self.top(slot);
        matches!((top.bid, top.ask), (Some(bid), Some(ask)) if bid.price > ask.price)
    }

    /// Whether levels by order and levels by position (or by price) say the same as deep as the latter go.
    /// `None` unless the feed gives both and the book is whole: before that the orders are known to be incomplete.
    pub fn ladders_agree(&self, slot: Slot) -> Option<bool> {
        self.view(slot)?.ladders_agree()
    }

    /// Whether any event has touched the instrument's book, a clear included.
    pub fn seen(&self, slot: Slot) -> bool {
        self.view(slot).is_some_and(|view| !view.untouched())
    }

    /// Whether order events have been seen for the instrument.
    pub fn has_orders(&self, slot: Slot) -> bool {
        self.instrument(slot).is_some_and(|i| i.has_orders)
    }

    /// Whether levels by price or outright position have been seen for the instrument.
    pub fn has_levels(&self, slot: Slot) -> bool {
        self.view(slot).is_some_and(|view| view.has_levels())
    }

    /// Empties the instrument's book, which is whole from here on.
    pub fn clear(&mut self, slot: Slot) {
        let Some(instrument) = self.instrument_mut(slot) else { return };
        instrument.clear();
        let retired = self.clear_orders(slot);
        if let Some(others) = self.others.get_mut(slot as usize).and_then(Option::as_mut) {
            others.clear();
        }
        self.orders.retire(retired, &mut self.levels);
    }

    /// Empties the levels of orders; answers how many orders went.
    fn clear_orders(&mut self, slot: Slot) -> usize {
        self.sides[slot as usize].iter_mut().map(|side| side.clear(&mut self.levels)).sum()
    }

    /// Empties every book; all are whole from here on.
    pub fn clear_all(&mut self) {
        for slot in 0..self.instruments.len() {
            self.instruments[slot].clear();
            self.clear_orders(slot as Slot);
        }
        self.others.iter_mut().flatten().for_each(|others| others.clear());
        self.orders.clear();
        self.levels.forget_all();
        self.started_whole = true;
    }

    /// Asks memory for the order that an event of `slot` will name, and for the slot's sides. Some messages later,
    /// [`Books::prefetch_level`] may ask on.
    #[inline(always)]
    pub fn prefetch_order(&self, slot: Slot, order: u64) {
        self.orders.prefetch(order);
        if let Some(sides) = self.sides.get(slot as usize) {
            sides.iter().for_each(cache::prefetch);
        }
    }

    /// Asks memory for the level of an order that is there, or for where a new one will come in.
    #[inline(always)]
    pub fn prefetch_level(&self, slot: Slot, order: u64) {
        match self.find(slot, order) {
            Some(found) => self.levels.prefetch(found.level),
            None => self.sides.get(slot as usize).into_iter().flatten().for_each(OrderSide::prefetch),
        }
    }

    /// Orders in all books.
    pub fn orders_live(&self) -> usize {
        self.orders.live()
    }

    /// Orders in one book.
    pub fn orders_of(&self, slot: Slot) -> usize {
        self.sides.get(slot as usize).map_or(0, |sides| sides.iter().map(|side| side.orders as usize).sum())
    }

    /// Bytes of memory that the books hold.
    pub fn state_bytes(&self) -> usize {
        let views = (0..self.instruments.len()).filter_map(|slot| self.view(slot as Slot));
        self.orders.state_bytes()
            + self.levels.state_bytes()
            + self.instruments.capacity() * size_of::<Instrument>()
            + self.sides.capacity() * size_of::<[OrderSide; 2]>()
            + self.others.capacity() * size_of::<Option<Box<Others>>>()
            + views.map(|view| view.state_bytes()).sum::<usize>()
    }

    fn instrument(&self, slot: Slot) -> Option<&Instrument> {
        self.instruments.get(slot as usize)
    }

    fn view(&self, slot: Slot) -> Option<View<'_>> {
        let at = slot as usize;
        let instrument = self.instruments.get(at)?;
        let others = if instrument.has_others { self.others[at].as_deref() } else { None };
        Some(View { instrument, orders: &self.sides[at], levels: &self.levels, others })
    }

    /// The instrument, made if it is new; `None` beyond [`SLOT_MAX`].
    fn instrument_mut(&mut self, slot: Slot) -> Option<&mut Instrument> {
        let at = slot as usize;
        if at >= self.instruments.len() && slot < SLOT_MAX {
            let whole = self.started_whole;
            self.instruments.resize_with(at + 1, || Instrument::new(whole));
            self.sides.resize_with(at + 1, || [OrderSide::new(), OrderSide::new()]);
        }
        self.instruments.get_mut(at)
    }

    /// The instrument at a slot that there is, and its other views.
    fn others_mut(&mut self, slot: Slot) -> (&mut Instrument, &mut Others) {
        let at = slot as usize;
        if at >= self.others.len() {
            self.others.resize_with(self.instruments.len(), || None);
        }
        let orders = &mut self.instruments[at];
        orders.has_others = true;
        (orders, self.others[at].get_or_insert_default())
    }

    /// Orders are spoken of; true when that changes what the top is read from.
    #[inline]
    fn speaks_of_orders(&mut self, slot: Slot) -> bool {
        let instrument = &mut self.instruments[slot as usize];
        if instrument.has_orders {
            return false;
        }
        instrument.has_orders = true;
        instrument.has_others && self.others[slot as usize].as_ref().is_some_and(|o| o.has_quote())
    }

    /// Whether the top is not read from orders, though there are some.
    #[inline]
    fn hides_orders(&self, slot: Slot) -> bool {
        self.instruments[slot as usize].has_others
            && self.others[slot as usize].as_ref().is_some_and(|o| o.has_levels())
    }

    /// Why an order is not there.
    #[cold]
    fn absent(&self, order: u64) -> Contradiction {
        let elsewhere = self.orders.find(order, |level| self.levels.lives(level));
        if elsewhere.is_some() { Contradiction::WrongInstrument } else { Contradiction::UnknownOrder }
    }

    /// The order of that id in the slot's book.
    #[inline(always)]
    fn find(&self, slot: Slot, order: u64) -> Option<Found> {
        self.orders.find(order, |level| self.levels[level].whose.slot() == slot)
    }

    /// Takes `quantity` from a level of the slot's book, and with `gone` an order; answers whether that shows.
    #[inline(always)]
    fn take(&mut self, slot: Slot, level: LevelId, quantity: u64, gone: bool) -> bool {
        let side = self.levels[level].whose.side();
        let shows = self.sides[slot as usize][side.index()].take(&mut self.levels, level, quantity, gone);
        shows && !self.hides_orders(slot)
    }

    /// Takes an order out, of the store and of its level; answers its side and whether that shows.
    #[inline(always)]
    fn take_out(&mut self, slot: Slot, order: u64) -> Option<(Side, bool)> {
        let found = self.find(slot, order)?;
        self.orders.remove(&found);
        let side = self.levels[found.level].whose.side();
        Some((side, self.take(slot, found.level, found.quantity, true)))
    }

    /// An order's whole state; an older one under its id is written over.
    #[inline]
    fn put(
        &mut self,
        slot: Slot,
        order: u64,
        side: Side,
        price: i64,
        quantity: u64,
        expect: Expect,
    ) -> Applied {
        let old = self.take_out(slot, order);
        let surprise = match (expect, old.is_some()) {
            (Expect::New, true) => Some(Contradiction::DuplicateOrder),
            (Expect::Known, false) => Some(self.absent(order)),
            _ => None,
        };
        let mut changed = self.speaks_of_orders(slot) || old.is_some_and(|(_, shows)| shows);
        if quantity == 0 {
            return Applied { changed, contradiction: surprise.or(Some(Contradiction::ZeroQuantity)) };
        }
        let ladder = &mut self.sides[slot as usize][side.index()];
        match ladder.add(&mut self.levels, Whose::new(slot, side), price, quantity) {
            Ok((level, shows)) => {
                self.orders.insert(order, level, quantity);
                changed |= shows && !self.hides_orders(slot);
                Applied { changed, contradiction: surprise }
            }
            Err(fault) => Applied { changed, contradiction: surprise.or(Some(fault)) },
        }
    }

    /// An order loses quantity; `over` is what it is called to lose more than it has.
    #[inline]
    fn lessen(&mut self, slot: Slot, order: u64, quantity: u64, over: Contradiction) -> Applied {
        let first = self.speaks_of_orders(slot);
        let Some(found) = self.find(slot, order) else {
            return Applied::refused(first, self.absent(order));
        };
        if quantity == 0 {
            return Applied::refused(first, Contradiction::ZeroQuantity);
        }
        if quantity < found.quantity {
            self.orders.set_quantity(&found, found.quantity - quantity);
            return Applied { changed: self.take(slot, found.level, quantity, false), contradiction: None };
        }
        self.orders.remove(&found);
        let contradiction = (quantity > found.quantity).then_some(over);
        Applied { changed: self.take(slot, found.level, found.quantity, true), contradiction }
    }

    #[inline]
    fn delete(&mut self, slot: Slot, order: u64) -> Applied {
        let first = self.speaks_of_orders(slot);
        match self.take_out(slot, order) {
            Some((_, changed)) => Applied { changed, contradiction: None },
            None => Applied::refused(first, self.absent(order)),
        }
    }

    #[inline]
    fn replace(&mut self, slot: Slot, order: u64, new_order: u64, price: i64, quantity: u64) -> Applied {
        let Some((side, shows)) = self.take_out(slot, order) else {
            let first = self.speaks_of_orders(slot);
            // Without the old order its side is not known, and the new one cannot be placed.
            return Applied::refused(first, self.absent(order));
        };
        let mut applied = self.put(slot, new_order, side, price, quantity, Expect::New);
        applied.changed |= shows;
        applied
    }
}

/// What an order's state says about its past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// It must not live yet.
    New,
    /// It must live already.
    Known,
    /// Either.
    Any,
}
