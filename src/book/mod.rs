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
mod orders;
mod position_ladder;
mod price_ladder;
#[cfg(test)]
mod tests;

pub use contradiction::Contradiction;
use feeds::event::{Event, Ladder, Side};
use instrument::Instrument;
use orders::{Order, Orders};

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
    instruments: Vec<Instrument>,
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
        self.instruments.iter_mut().filter(|i| i.untouched()).for_each(|i| i.whole = whole);
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
            instrument.round_lot = u64::from(lot.max(1));
        }
    }

    /// Numbered levels that the feed keeps per side; deeper ones fall out.
    pub fn set_depth(&mut self, slot: Slot, ladder: Ladder, depth: u8) {
        if let Some(instrument) = self.instrument_mut(slot) {
            instrument.positions_mut(ladder).iter_mut().for_each(|l| l.set_depth(depth));
        }
    }

    /// Applies one event to the instrument at `slot`. Events that say nothing about a book change nothing.
    /// `Clear` without an instrument clears all of them.
    #[inline]
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
                self.instruments[slot as usize].set_price(side, Level { price, quantity })
            }
            Event::LevelAt { ladder, action, side, position, price, quantity, .. } => {
                let level = Level { price, quantity };
                self.instruments[slot as usize].set_position(ladder, action, side, position, level)
            }
            Event::Quote { bid, ask, .. } => self.instruments[slot as usize].set_quote(bid, ask),
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
        self.instrument(slot).map(Instrument::top).unwrap_or_default()
    }

    /// Levels of the view that [`Books::top`] reads, best first; for `Ladder::Implied`, the implied positions.
    /// Numbered levels end at the first position that is not known.
    pub fn levels(&self, slot: Slot, side: Side, ladder: Ladder) -> impl Iterator<Item = Level> + '_ {
        self.instrument(slot).into_iter().flat_map(move |i| i.levels(side, ladder))
    }

    /// Whether the side's best is certain: the book is whole, or position 1 of a numbered ladder is known.
    /// Where it is not, the top is what is known, and `None` while position 1 is unknown.
    pub fn complete(&self, slot: Slot, side: Side) -> bool {
        self.instrument(slot).map_or(self.started_whole, |i| i.best_is_certain(side))
    }

    /// Whether the plain best bid is above the plain best ask.
    pub fn crossed(&self, slot: Slot) -> bool {
        let top = self.top(slot);
        matches!((top.bid, top.ask), (Some(bid), Some(ask)) if bid.price > ask.price)
    }

    /// Whether levels by order and levels by position (or by price) say the same as deep as the latter go.
    /// `None` unless the feed gives both and the book is whole: before that the orders are known to be incomplete.
    pub fn ladders_agree(&self, slot: Slot) -> Option<bool> {
        self.instrument(slot)?.ladders_agree()
    }

    /// Whether any event has touched the instrument's book, a clear included.
    pub fn seen(&self, slot: Slot) -> bool {
        self.instrument(slot).is_some_and(|i| !i.untouched())
    }

    /// Whether order events have been seen for the instrument.
    pub fn has_orders(&self, slot: Slot) -> bool {
        self.instrument(slot).is_some_and(|i| i.has_orders)
    }

    /// Whether levels by price or outright position have been seen for the instrument.
    pub fn has_levels(&self, slot: Slot) -> bool {
        self.instrument(slot).is_some_and(|i| i.has_prices || i.has_positions())
    }

    /// Empties the instrument's book, which is whole from here on.
    pub fn clear(&mut self, slot: Slot) {
        if let Some(instrument) = self.instrument_mut(slot) {
            let retired = instrument.clear();
            let instruments = &self.instruments;
            self.orders.retire(retired, |slot| instruments[slot as usize].generation);
        }
    }

    /// Empties every book; all are whole from here on.
    pub fn clear_all(&mut self) {
        for instrument in &mut self.instruments {
            instrument.clear();
        }
        self.orders.clear();
        self.started_whole = true;
    }

    /// Orders in all books.
    pub fn orders_live(&self) -> usize {
        self.orders.live()
    }

    /// Orders in one book.
    pub fn orders_of(&self, slot: Slot) -> usize {
        self.instrument(slot).map_or(0, |i| i.orders_live)
    }

    /// Bytes of memory that the books hold.
    pub fn state_bytes(&self) -> usize {
        let spare = (self.instruments.capacity() - self.instruments.len()) * size_of::<Instrument>();
        self.orders.state_bytes()
            + spare
            + self.instruments.iter().map(Instrument::state_bytes).sum::<usize>()
    }

    fn instrument(&self, slot: Slot) -> Option<&Instrument> {
        self.instruments.get(slot as usize)
    }

    /// The instrument, made if it is new; `None` beyond [`SLOT_MAX`].
    fn instrument_mut(&mut self, slot: Slot) -> Option<&mut Instrument> {
        let at = slot as usize;
        if at >= self.instruments.len() && slot < SLOT_MAX {
            let whole = self.started_whole;
            self.instruments.resize_with(at + 1, || Instrument::new(whole));
        }
        self.instruments.get_mut(at)
    }

    /// Why an order is not there.
    #[cold]
    fn absent(&self, order: u64) -> Contradiction {
        let elsewhere = self.orders.lives_elsewhere(order, |slot| self.instruments[slot as usize].generation);
        if elsewhere { Contradiction::WrongInstrument } else { Contradiction::UnknownOrder }
    }

    /// Takes an order out, of the table and of its level.
    fn take_out(&mut self, slot: Slot, order: u64) -> Option<Order> {
        let instrument = &mut self.instruments[slot as usize];
        let old = self.orders.remove(order, slot, instrument.generation)?;
        instrument.order_goes(&old);
        Some(old)
    }

    /// An order's whole state; an older one under its id is written over.
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
        let instrument = &mut self.instruments[slot as usize];
        let first = instrument.speaks_of_orders();
        let fault = if quantity == 0 {
            Some(Contradiction::ZeroQuantity)
        } else {
            let new = Order::new(order, slot, instrument.generation, side, price, quantity);
            let came = instrument.order_comes(&new);
            if came.is_ok() {
                self.orders.insert(new);
            }
            came.err()
        };
        let changed = first
            || instrument.order_shows(side, price)
            || old.is_some_and(|o| instrument.order_shows(o.side(), o.price));
        Applied { changed, contradiction: surprise.or(fault) }
    }

    /// An order loses quantity; `over` is what it is called to lose more than it has.
    fn lessen(&mut self, slot: Slot, order: u64, quantity: u64, over: Contradiction) -> Applied {
        let instrument = &mut self.instruments[slot as usize];
        let first = instrument.speaks_of_orders();
        let Some(live) = self.orders.get_mut(order, slot, instrument.generation) else {
            return Applied::refused(first, self.absent(order));
        };
        if quantity == 0 {
            return Applied::refused(first, Contradiction::ZeroQuantity);
        }
        let (side, price) = (live.side(), live.price);
        let contradiction = (quantity > live.quantity).then_some(over);
        if quantity < live.quantity {
            live.quantity -= quantity;
            instrument.order_shrinks(side, price, quantity);
        } else {
            self.take_out(slot, order);
        }
        Applied { changed: self.instruments[slot as usize].order_shows(side, price), contradiction }
    }

    fn delete(&mut self, slot: Slot, order: u64) -> Applied {
        let first = self.instruments[slot as usize].speaks_of_orders();
        match self.take_out(slot, order) {
            Some(old) => {
                let changed = self.instruments[slot as usize].order_shows(old.side(), old.price);
                Applied { changed, contradiction: None }
            }
            None => Applied::refused(first, self.absent(order)),
        }
    }

    fn replace(&mut self, slot: Slot, order: u64, new_order: u64, price: i64, quantity: u64) -> Applied {
        let Some(old) = self.take_out(slot, order) else {
            let first = self.instruments[slot as usize].speaks_of_orders();
            // Without the old order its side is not known, and the new one cannot be placed.
            return Applied::refused(first, self.absent(order));
        };
        let mut applied = self.put(slot, new_order, old.side(), price, quantity, Expect::New);
        applied.changed |= self.instruments[slot as usize].order_shows(old.side(), old.price);
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
