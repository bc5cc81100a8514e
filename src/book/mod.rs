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

mod ahead;
mod contradiction;
mod instrument;
mod ladders;
mod orders;
mod others;
mod position_ladder;
mod price_ladder;
mod probe_table;
mod store;
#[cfg(test)]
mod tests;
mod whose;

pub use contradiction::Contradiction;
use feeds::event::{Event, Ladder, Side};
use feeds::feed::OrderChange;
use instrument::{Instrument, View};
use ladders::{At, Ladders};
use orders::{Found, Orders, Vacant};
use others::Others;
use whose::Whose;

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

/// Orders that an instrument has at least, on average, where memory is taken for a number of them.
const ORDERS_AN_INSTRUMENT: usize = 32;

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

/// What became of a change that was taken ahead; of a replacement, of both halves together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The instrument's.
    pub slot: Slot,
    /// On which side of its book.
    pub side: Side,
    /// What it did.
    pub applied: Applied,
    /// The best of that side now, as [`Books::best`] gives it.
    pub best: Option<Level>,
    /// Whether that is another than before, in price or quantity. Exact.
    pub best_changed: bool,
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
    ladders: Ladders,
    /// By slot, of feeds that give something else than orders.
    others: Vec<Option<Box<Others>>>,
    started_whole: bool,
    way: ahead::Way,
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
        for slot in 0..self.ladders.len() as Slot {
            if self.view(slot).is_some_and(|view| view.untouched()) {
                self.ladders.instrument_at(slot).whole = whole;
            }
        }
    }

    /// Messages were lost: no book is whole until it is cleared or restated. What is known stays.
    pub fn forget_wholeness(&mut self) {
        self.started_whole = false;
        self.ladders.instruments_mut().for_each(|i| i.whole = false);
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
            self.ladders.set_round_lot(slot, lot.max(1));
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
        if slot as usize >= self.ladders.len() && self.instrument_mut(slot).is_none() {
            return Applied::NOTHING;
        }
        if let Some(change) = OrderChange::of(event) {
            return self.apply_usual(slot, &change).unwrap_or_else(|| self.apply_unusual(slot, &change));
        }
        match *event {
            Event::OrderPut { order, side, price, quantity, known, .. } => {
                self.put(slot, order, side, price, quantity, if known { Expect::Known } else { Expect::Any })
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
            Event::OrderAdd { .. }
            | Event::OrderExecute { .. }
            | Event::OrderReduce { .. }
            | Event::OrderDelete { .. }
            | Event::OrderReplace { .. }
            | Event::Define(_)
            | Event::WipeOut { .. }
            | Event::PriceBands { .. }
            | Event::Trade { .. }
            | Event::State { .. }
            | Event::InstrumentSequence { .. } => Applied::NOTHING,
        }
    }

    /// The best of one side.
    #[inline(always)]
    pub fn best(&self, slot: Slot, side: Side) -> Option<Level> {
        match self.instrument(slot) {
            Some(instrument) if !instrument.has_others() => self.ladders.best(At { slot, side }),
            _ => {
                // Taken apart, so that the other way's stays in registers and is not written where this call writes its own.
                let Level { price, quantity } = self.best_elsewhere(slot, side)?;
                Some(Level { price, quantity })
            }
        }
    }

    /// The best of one side of an instrument that may show something else than its orders.
    #[cold]
    #[inline(never)]
    fn best_elsewhere(&self, slot: Slot, side: Side) -> Option<Level> {
        self.levels(slot, side, Ladder::Outright).next()
    }

    /// The best of either side.
    #[inline]
    pub fn top(&self, slot: Slot) -> Top {
        self.view(slot).map(|view| view.top()).unwrap_or_default()
    }

    /// Levels of the view that [`Books::top`] reads, best first; for `Ladder::Implied`, the implied positions.
    /// Numbered levels end at the first position that is not known.
    pub fn levels(&self, slot: Slot, side: Side, ladder: Ladder) -> impl Iterator<Item = Level> + '_ {
        self.view(slot).into_iter().flat_map(move |view| view.levels(side, ladder))
    }

    /// Gives the first `most` outright [`Books::levels`], best first, and takes no memory for it: for who shows every change.
    pub fn first_levels(&self, slot: Slot, side: Side, most: usize, each: impl FnMut(Level)) {
        if let Some(view) = self.view(slot) {
            view.first_levels(side, most, each);
        }
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
        self.instrument(slot).is_some_and(|i| i.has_orders())
    }

    /// Whether levels by price or outright position have been seen for the instrument.
    pub fn has_levels(&self, slot: Slot) -> bool {
        self.view(slot).is_some_and(|view| view.has_levels())
    }

    /// Empties the instrument's book, which is whole from here on.
    pub fn clear(&mut self, slot: Slot) {
        let Some(instrument) = self.instrument_mut(slot) else { return };
        let retired = instrument.clear();
        self.ladders.clear(slot);
        if let Some(others) = self.others.get_mut(slot as usize).and_then(Option::as_mut) {
            others.clear();
        }
        let run_out = self.ladders.instrument_at(slot).rename();
        let ladders = &self.ladders;
        let lives = |whose: Whose| ladders.instrument(whose.slot()).is_some_and(|i| whose.is_of(i.whose));
        if run_out {
            self.orders.sweep(|whose| whose.slot() != slot && lives(whose));
        } else {
            self.orders.retire(retired, lives);
        }
    }

    /// Takes the memory for so many live orders and their levels now, some 54 bytes each and ten megabytes at least, in large
    /// pages where the system gives any: none of it has to be cleared or moved while the feed runs, and the machine finds it sooner. It is kept
    /// whatever becomes of the orders. For more of them memory is taken as they come; for none, none is taken.
    pub fn reserve(&mut self, orders: usize) {
        if orders == 0 {
            return;
        }
        self.orders.reserve(orders);
        self.ladders.reserve(orders);
    }

    /// Takes memory in large pages as it is needed, where the system gives any: a tenth of a large channel's time. The system
    /// may stop the thread for a moment to make a page, so this is for who has nobody waiting; who has takes the memory
    /// before ([`Books::reserve`]).
    pub const fn grow_in_large_pages(&mut self) {
        self.orders.grow_in_large_pages();
        self.ladders.grow_in_large_pages();
    }

    /// Empties every book; all are whole from here on.
    pub fn clear_all(&mut self) {
        for slot in 0..self.ladders.len() as Slot {
            self.ladders.instrument_at(slot).clear();
            self.ladders.clear(slot);
        }
        self.others.iter_mut().flatten().for_each(|others| others.clear());
        self.orders.clear();
        self.started_whole = true;
    }

    /// Orders in all books.
    pub fn orders_live(&self) -> usize {
        self.orders.live()
    }

    /// Orders in one book.
    pub fn orders_of(&self, slot: Slot) -> usize {
        self.instrument(slot).map_or(0, |i| i.orders as usize)
    }

    /// Bytes of memory that the books hold.
    pub fn state_bytes(&self) -> usize {
        let others = self.others.iter().flatten();
        self.orders.state_bytes()
            + self.ladders.state_bytes()
            + self.others.capacity() * size_of::<Option<Box<Others>>>()
            + others.map(|others| others.state_bytes()).sum::<usize>()
    }

    fn instrument(&self, slot: Slot) -> Option<&Instrument> {
        self.ladders.instrument(slot)
    }

    fn view(&self, slot: Slot) -> Option<View<'_>> {
        let instrument = self.instrument(slot)?;
        let others = if instrument.has_others() { self.others[slot as usize].as_deref() } else { None };
        Some(View { instrument, slot, ladders: &self.ladders, others })
    }

    /// The instrument, made if it is new; `None` beyond [`SLOT_MAX`].
    fn instrument_mut(&mut self, slot: Slot) -> Option<&mut Instrument> {
        if slot as usize >= self.ladders.len() && slot < SLOT_MAX {
            self.ladders.open(slot, self.started_whole);
        }
        self.ladders.instrument_mut(slot)
    }

    /// The instrument at a slot that there is, and its other views.
    fn others_mut(&mut self, slot: Slot) -> (&mut Instrument, &mut Others) {
        let at = slot as usize;
        if at >= self.others.len() {
            self.others.resize_with(self.ladders.len(), || None);
        }
        let orders = self.ladders.instrument_at(slot);
        orders.set_has_others();
        (orders, self.others[at].get_or_insert_default())
    }

    /// Orders are spoken of; true when that changes what the top is read from.
    #[inline]
    fn speaks_of_orders(&mut self, slot: Slot) -> bool {
        let instrument = self.ladders.instrument_at(slot);
        if instrument.has_orders() {
            return false;
        }
        instrument.set_has_orders();
        instrument.has_others() && self.others[slot as usize].as_ref().is_some_and(|o| o.has_quote())
    }

    /// Whether the top is not read from orders, though there are some.
    #[inline]
    fn hides_orders(&self, slot: Slot) -> bool {
        self.instrument(slot).is_some_and(|i| i.has_others())
            && self.others[slot as usize].as_ref().is_some_and(|o| o.has_levels())
    }

    /// Why an order is not there.
    #[cold]
    fn absent(&self, order: u64) -> Contradiction {
        let lives = |whose: Whose| self.instrument(whose.slot()).is_some_and(|i| whose.is_of(i.whose));
        if self.orders.anywhere(order, lives) {
            Contradiction::WrongInstrument
        } else {
            Contradiction::UnknownOrder
        }
    }

    /// The order of that id in the slot's book.
    #[inline(always)]
    fn find(&self, slot: Slot, order: u64) -> Result<Found, Vacant> {
        self.orders.find(order, self.ladders.whose(slot))
    }

    /// Takes `quantity` of an order from its level, and with `gone` the order; answers whether that shows.
    #[inline(always)]
    fn take(&mut self, slot: Slot, found: &Found, quantity: u64, gone: bool) -> bool {
        self.ladders.instrument_at(slot).orders -= u32::from(gone);
        let shows = self.ladders.take(At { slot, side: found.side() }, found.price(), quantity).top;
        shows & !self.hides_orders(slot)
    }

    /// Takes an order out, of the store and of its level; answers its side and whether that shows.
    #[inline(always)]
    fn take_out(&mut self, slot: Slot, order: u64) -> Result<(Side, bool), Vacant> {
        let found = self.find(slot, order)?;
        self.orders.remove(&found);
        Ok((found.side(), self.take(slot, &found, found.quantity, true)))
    }

    /// A new order.
    #[inline(never)]
    fn put_new(&mut self, slot: Slot, order: u64, side: Side, price: i64, quantity: u64) -> Applied {
        self.put(slot, order, side, price, quantity, Expect::New)
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
        let (vacant, old) = match self.take_out(slot, order) {
            // Where it was may have been given up with it.
            Ok((_, shows)) => (self.find(slot, order).err().unwrap_or(Vacant::Taken), Some(shows)),
            Err(vacant) => (vacant, None),
        };
        let surprise = match (expect, old) {
            (Expect::New, Some(_)) => Some(Contradiction::DuplicateOrder),
            (Expect::Known, None) => Some(self.absent(order)),
            _ => None,
        };
        let changed = self.speaks_of_orders(slot) | old.unwrap_or(false);
        if quantity == 0 {
            return Applied { changed, contradiction: surprise.or(Some(Contradiction::ZeroQuantity)) };
        }
        match self.ladders.add(At { slot, side }, price, quantity) {
            Ok(shows) => {
                let instrument = self.ladders.instrument_at(slot);
                instrument.orders += 1;
                let whose = instrument.whose.on(side);
                self.orders.insert(order, vacant, whose, price, quantity);
                Applied { changed: changed | (shows.top & !self.hides_orders(slot)), contradiction: surprise }
            }
            Err(fault) => Applied { changed, contradiction: surprise.or(Some(fault)) },
        }
    }

    /// An order loses quantity; `over` is what it is called to lose more than it has.
    #[inline(never)]
    fn lessen(&mut self, slot: Slot, order: u64, quantity: u64, over: Contradiction) -> Applied {
        let first = self.speaks_of_orders(slot);
        let Ok(found) = self.find(slot, order) else {
            return Applied::refused(first, self.absent(order));
        };
        if quantity == 0 {
            return Applied::refused(first, Contradiction::ZeroQuantity);
        }
        if quantity < found.quantity {
            self.orders.set_quantity(&found, found.quantity - quantity);
            return Applied { changed: self.take(slot, &found, quantity, false), contradiction: None };
        }
        self.orders.remove(&found);
        let contradiction = (quantity > found.quantity).then_some(over);
        Applied { changed: self.take(slot, &found, found.quantity, true), contradiction }
    }

    #[inline(never)]
    fn delete(&mut self, slot: Slot, order: u64) -> Applied {
        let first = self.speaks_of_orders(slot);
        match self.take_out(slot, order) {
            Ok((_, changed)) => Applied { changed, contradiction: None },
            Err(_) => Applied::refused(first, self.absent(order)),
        }
    }

    #[inline(never)]
    fn replace(&mut self, slot: Slot, order: u64, new_order: u64, price: i64, quantity: u64) -> Applied {
        let Ok((side, shows)) = self.take_out(slot, order) else {
            let first = self.speaks_of_orders(slot);
            // Without the old order its side is not known, and the new one cannot be placed.
            return Applied::refused(first, self.absent(order));
        };
        let mut applied = self.put_new(slot, new_order, side, price, quantity);
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
