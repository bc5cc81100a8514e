//! Every live order of a source channel, found by order id: price, side, instrument, and how much is left of it.
//!
//! Venues number orders upwards, so orders of neighbouring ids lie together in [`Dense`] blocks, which shrink as their
//! orders go; what is asked of memory is known from the id and one small line. Ids that stand alone, strewn by the venue
//! or left over when their neighbours have gone, lie in a [`ProbeTable`]. An order is in one of the two, never in both,
//! so memory follows live orders whatever their numbers are.
//!
//! An id belongs to an instrument, so whoever looks for an order brings its [`Whose`]. Clearing an instrument walks
//! neither store: orders that bear an old name are swept out when they outnumber the living.

mod dense;
mod pages;

use hashbrown::HashMap;

use super::ahead::Step;
use super::instrument::Instrument;
use super::probe_table::{At, Cell, ProbeTable};
use super::whose::Whose;
use dense::Dense;
pub(super) use dense::Place;
use feeds::event::Side;

/// Orders of cleared books that are let lie whatever the number of live ones.
const STALE_MIN: usize = 4096;

/// In place of a quantity that does not fit, which is kept apart: no order of nothing is kept.
const LARGE: u32 = 0;

/// What is kept of an order beside its id; a quarter of a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
struct Order {
    price: i64,
    quantity: u32,
    /// Nobody's where there is no order.
    whose: Whose,
}

impl Order {
    const VACANT: Order = Order { price: 0, quantity: 0, whose: Whose::NOBODY };

    /// It, or else nobody's, without a branch.
    #[inline(always)]
    fn or_vacant(self, it: bool) -> Order {
        let not = u32::from(it).wrapping_sub(1);
        Order { quantity: self.quantity & !not, whose: Whose::from_number(self.whose.number() | not), ..self }
    }
}

/// An order whose id has no neighbours.
#[derive(Debug, Clone, Copy)]
struct Lone {
    id: u64,
    order: Order,
}

impl Cell for Lone {
    const VACANT: Self = Lone { id: 0, order: Order::VACANT };

    #[inline(always)]
    fn is_vacant(&self) -> bool {
        self.order.whose == Whose::NOBODY
    }

    #[inline(always)]
    fn key(&self) -> u64 {
        self.id
    }
}

/// Where an order is, until the next one comes or goes.
#[derive(Debug, Clone, Copy)]
enum Where {
    Dense(Place),
    Lone(At),
}

/// Where an order that comes in may lie, until the next one comes or goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Vacant {
    Dense(Place),
    /// Its id has no place yet.
    Unplaced,
    /// Another instrument's order has its id.
    Taken,
}

/// An order that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    place: Where,
    id: u64,
    order: Order,
    /// What is left of it.
    pub(super) quantity: u64,
}

impl Found {
    #[inline(always)]
    pub(super) const fn price(&self) -> i64 {
        self.order.price
    }

    #[inline(always)]
    pub(super) const fn side(&self) -> Side {
        self.order.whose.side()
    }
}

/// All orders.
#[derive(Debug, Default)]
pub(super) struct Orders {
    dense: Dense,
    lone: ProbeTable<Lone>,
    /// No id beyond ever stood alone.
    lone_last: u64,
    /// Who comes in with an id up to this one is unusual: it may stand alone, or any quantity is large.
    unusual_last: u64,
    /// Quantities that do not fit, by id and owner.
    large: HashMap<(u64, u32), u64>,
    stale: usize,
}

impl Orders {
    /// The order with that id of the instrument, or where it may come in.
    #[inline(always)]
    pub(super) fn find(&self, id: u64, instrument: Whose) -> Result<Found, Vacant> {
        let vacant = match self.dense.get(id) {
            Some((place, order)) if order.whose.is_of(instrument) => {
                return Ok(self.found(id, Where::Dense(place), *order));
            }
            Some((place, order)) if order.whose == Whose::NOBODY => Vacant::Dense(place),
            Some(_) => Vacant::Taken,
            None => Vacant::Unplaced,
        };
        match self.find_lone(id, instrument) {
            Some((place, order)) => Ok(self.found(id, place, order)),
            None => Err(vacant),
        }
    }

    #[inline(always)]
    fn found(&self, id: u64, place: Where, order: Order) -> Found {
        let mut quantity = u64::from(order.quantity);
        if order.quantity == LARGE {
            quantity = self.large(id, order.whose);
        }
        Found { place, id, order, quantity }
    }

    /// Whether certainly no order of that id stands alone.
    #[inline(always)]
    fn none_alone(&self, id: u64) -> bool {
        id > self.lone_last
    }

    #[inline]
    fn find_lone(&self, id: u64, instrument: Whose) -> Option<(Where, Order)> {
        if self.none_alone(id) {
            return None;
        }
        let at = self.lone.find(id, |lone| lone.id == id && lone.order.whose.is_of(instrument))?;
        Some((Where::Lone(at), self.lone.get(at).order))
    }

    /// Whether any instrument for which `lives` is true has an order of that id.
    pub(super) fn anywhere(&self, id: u64, lives: impl Fn(Whose) -> bool) -> bool {
        self.dense.get(id).is_some_and(|(_, o)| o.whose != Whose::NOBODY && lives(o.whose))
            || self.lone.find(id, |l| l.id == id && !l.is_vacant() && lives(l.order.whose)).is_some()
    }

    #[cold]
    fn large(&self, id: u64, whose: Whose) -> u64 {
        self.large.get(&(id, whose.number())).copied().unwrap_or(u64::from(u32::MAX))
    }

    /// What is left of it is `quantity`, which is less than before.
    #[inline(always)]
    pub(super) fn set_quantity(&mut self, found: &Found, quantity: u64) {
        let Found { id, order, .. } = *found;
        let fits = if order.quantity == LARGE {
            self.keep_large(id, order.whose, quantity)
        } else {
            quantity as u32
        };
        match found.place {
            Where::Dense(place) => self.dense.at_mut(place).quantity = fits,
            Where::Lone(at) => self.lone.get_mut(at).order.quantity = fits,
        }
    }

    /// A quantity became large or is so no more, or an id stands alone.
    #[cold]
    fn note_unusual(&mut self, id: u64) {
        self.lone_last = self.lone_last.max(id);
        // While a quantity is large its level may have no room for another.
        self.unusual_last = if self.large.is_empty() { self.lone_last } else { u64::MAX };
    }

    #[cold]
    fn keep_large(&mut self, id: u64, whose: Whose, quantity: u64) -> u32 {
        let kept = match u32::try_from(quantity) {
            Ok(fits) if fits != LARGE => {
                self.large.remove(&(id, whose.number()));
                fits
            }
            _ => {
                self.large.insert((id, whose.number()), quantity);
                LARGE
            }
        };
        self.note_unusual(0);
        kept
    }

    /// Takes the order out.
    #[inline(always)]
    pub(super) fn remove(&mut self, found: &Found) {
        if found.order.quantity == LARGE {
            self.large.remove(&(found.id, found.order.whose.number()));
            self.note_unusual(0);
        }
        match found.place {
            Where::Dense(place) => {
                self.dense.remove(found.id, place);
                self.tidy();
            }
            Where::Lone(at) => self.lone.remove(at),
        }
    }

    /// Few orders are left around that id: they stand alone from now on.
    #[cold]
    #[inline(never)]
    fn scatter(&mut self, id: u64) {
        let (lone, mut last) = (&mut self.lone, 0);
        self.dense.scatter(id, |id, order| {
            last = last.max(id);
            lone.insert(Lone { id, order });
        });
        self.note_unusual(last);
    }

    /// Puts in an order whose id is not in use at its instrument; `vacant` is what [`Orders::find`] has just said.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: u64, vacant: Vacant, whose: Whose, price: i64, quantity: u64) {
        let fits = (quantity > 0) & (quantity <= u64::from(u32::MAX));
        let quantity = if fits { quantity as u32 } else { self.keep_large(id, whose, quantity) };
        let order = Order { price, quantity, whose };
        match vacant {
            Vacant::Dense(place) => self.dense.insert(id, place, order),
            _ => self.insert_elsewhere(id, vacant, order),
        }
    }

    #[cold]
    #[inline(never)]
    fn insert_elsewhere(&mut self, id: u64, vacant: Vacant, order: Order) {
        let opened = if matches!(vacant, Vacant::Unplaced) { self.dense.open(id) } else { None };
        match opened {
            Some(place) => self.dense.insert(id, place, order),
            None => {
                self.note_unusual(id);
                self.lone.insert(Lone { id, order });
            }
        }
    }

    /// How often orders moved: what [`Orders::find_place`] said before holds no more.
    #[inline(always)]
    pub(super) const fn moves(&self) -> u32 {
        self.dense.moves()
    }

    /// Finds where the order of the step is or comes in, and asks for it.
    #[inline(always)]
    pub(super) fn find_place(&mut self, step: &mut Step) {
        let found = self.dense.find_place(step.group, step.order, step.kind.enters);
        step.place = found.unwrap_or(u32::MAX);
        if found.is_none() && step.kind.enters != 0 {
            self.open(step);
        }
    }

    #[cold]
    #[inline(never)]
    fn open(&mut self, step: &mut Step) {
        let opened = self.dense.open(step.order);
        (step.group, step.place) = opened.map_or((step.group, u32::MAX), |place| (place.group, place.at));
    }

    /// Does what the step says, where nothing about it is unusual, and says which level it changes by how much; else
    /// answers false and does nothing. What enters does so on the side. Whether orders come or go nobody can foretell:
    /// nothing branches on it.
    #[inline(always)]
    pub(super) fn change(&mut self, step: &mut Step, side: Side, instrument: &mut Instrument) -> bool {
        let Some(place) = self.dense.get_mut(step.place) else { return false };
        let old = *place;
        let (enters, all) = (step.kind.enters as u64, step.kind.all as u64);
        let quantity = step.quantity & !all | u64::from(old.quantity) & all;
        let left = u64::from(old.quantity).wrapping_add((quantity ^ !enters).wrapping_sub(!enters));
        // Nobody's name is all ones, and a vacant place holds nothing.
        let stranger = (old.whose.number() ^ (instrument.whose.number() | enters as u32)) >> 1;
        let barred = enters as u32 & u32::from(step.order <= self.unusual_last);
        // A quantity of nothing is one beyond all here, too.
        let unusual = (left | quantity.wrapping_sub(1)) >> 32 | u64::from(stranger | barred);
        if (unusual != 0) | !instrument.plain() {
            return false;
        }
        let whose = old.whose.number() & (instrument.whose.on(side).number() | !enters as u32);
        let price = (step.price as u64 & enters | old.price as u64 & !enters) as i64;
        // All ones where nothing is left.
        let gone = (left.wrapping_sub(1) as i64 >> 63) as u64;
        *place = Order { price, quantity: left as u32, whose: Whose::from_number(whose | gone as u32) };
        (step.price, step.quantity) = (price, quantity);
        step.side = Whose::from_number(whose).side();
        let more = gone.wrapping_sub(enters);
        instrument.orders = instrument.orders.wrapping_add(more as u32);
        self.dense.count(step.group, step.order, more);
        true
    }

    /// Makes good what [`Orders::change`] left undone.
    #[inline(always)]
    pub(super) fn tidy(&mut self) {
        while let Some(id) = self.dense.tidy() {
            self.scatter(id);
        }
    }

    /// Asks for the line that says where the order is.
    #[inline(always)]
    pub(super) fn ask(&self, id: u64) -> u32 {
        let group = self.dense.ask(id);
        if group >= pages::NOWHERE {
            self.lone.prefetch(id);
        }
        group
    }

    /// `count` live orders have become stale: their books were cleared. Sweeps when it is worth it.
    pub(super) fn retire(&mut self, count: usize, lives: impl Fn(Whose) -> bool) {
        self.stale += count;
        if self.stale > STALE_MIN && self.stale > self.len() / 2 {
            self.sweep(lives);
        }
    }

    /// Takes out every order whose owner does not live.
    pub(super) fn sweep(&mut self, lives: impl Fn(Whose) -> bool) {
        self.dense.retain(|order| lives(order.whose));
        self.lone.retain(|lone| lives(lone.order.whose));
        self.large.retain(|(_, whose), _| lives(Whose::from_number(*whose)));
        self.note_unusual(0);
        self.stale = 0;
    }

    /// Grows in large pages from now on.
    pub(super) const fn grow_in_large_pages(&mut self) {
        self.dense.grow_in_large_pages();
    }

    /// Takes the memory for so many orders now.
    pub(super) fn reserve(&mut self, orders: usize) {
        self.dense.reserve(orders);
    }

    const fn len(&self) -> usize {
        self.dense.len() + self.lone.len()
    }

    /// Live orders.
    pub(super) const fn live(&self) -> usize {
        self.len() - self.stale
    }

    pub(super) fn clear(&mut self) {
        *self = Orders { dense: self.dense.emptied(), ..Orders::default() };
    }

    pub(super) fn state_bytes(&self) -> usize {
        let large = self.large.capacity() * size_of::<((u64, u32), u64)>();
        self.dense.state_bytes() + self.lone.state_bytes() + large
    }
}
