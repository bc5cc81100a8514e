//! One instrument's views of its book, and which of them is shown.

use super::ladders::{At, Ladders};
use super::others::{Others, Shown};
use super::whose::{GENERATIONS, Whose};
use super::{Level, ROUND_LOT_DEFAULT, Slot, Top};
use feeds::event::{Ladder, Side};

/// What every view of an instrument needs, and little enough of it to lie in one cache line with its ladders.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instrument {
    /// The name that its orders bear; the side does not count.
    pub(super) whose: Whose,
    pub(super) round_lot: u32,
    /// How many orders.
    pub(super) orders: u32,
    /// Which views there are: [`ORDERS`] and [`OTHERS`].
    views: u8,
    pub(super) whole: bool,
    /// It was cleared at least once.
    cleared: bool,
}

/// It has orders.
const ORDERS: u8 = 1;
/// There are [`Others`]: ask them which view is shown.
const OTHERS: u8 = 2;

impl Instrument {
    pub(super) const fn new(slot: Slot, whole: bool) -> Self {
        Instrument {
            whose: Whose::new(slot, 0),
            round_lot: ROUND_LOT_DEFAULT,
            orders: 0,
            views: 0,
            whole,
            cleared: false,
        }
    }

    #[inline(always)]
    pub(super) const fn has_orders(&self) -> bool {
        self.views & ORDERS != 0
    }

    #[inline(always)]
    pub(super) const fn has_others(&self) -> bool {
        self.views & OTHERS != 0
    }

    /// It has orders and nothing else.
    #[inline(always)]
    pub(super) const fn plain(&self) -> bool {
        self.views == ORDERS
    }

    pub(super) const fn set_has_orders(&mut self) {
        self.views |= ORDERS;
    }

    pub(super) const fn set_has_others(&mut self) {
        self.views |= OTHERS;
    }

    /// Its book is emptied, and whole from here on; answers how many orders went. They keep their name:
    /// [`Instrument::rename`].
    pub(super) const fn clear(&mut self) -> usize {
        (self.whole, self.cleared) = (true, true);
        std::mem::replace(&mut self.orders, 0) as usize
    }

    /// Orders of before are its own no more; answers whether its names begin anew, so that none of those may stay.
    pub(super) const fn rename(&mut self) -> bool {
        let generation = (self.whose.generation() + 1) % GENERATIONS;
        self.whose = Whose::new(self.whose.slot(), generation);
        generation == 0
    }
}

/// All that is known of an instrument.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) instrument: &'a Instrument,
    pub(super) slot: Slot,
    pub(super) ladders: &'a Ladders,
    pub(super) others: Option<&'a Others>,
}

impl<'a> View<'a> {
    /// No event has touched the book.
    pub(super) fn untouched(&self) -> bool {
        !self.instrument.has_orders() && !self.instrument.cleared && self.others.is_none_or(Others::untouched)
    }

    /// Levels summed from orders, best first.
    pub(super) fn order_levels(&self, side: Side) -> impl Iterator<Item = Level> + 'a {
        self.ladders.levels(At { slot: self.slot, side })
    }

    fn shown(&self) -> Shown<'a> {
        self.others.map_or(Shown::Orders, |others| others.shown(self.instrument.has_orders()))
    }

    pub(super) fn levels(&self, side: Side, ladder: Ladder) -> Box<dyn Iterator<Item = Level> + 'a> {
        match (ladder, self.shown()) {
            (Ladder::Implied, _) => {
                Box::new(self.others.into_iter().flat_map(move |others| others.implied(side)))
            }
            (_, Shown::Orders) => Box::new(self.order_levels(side)),
            (_, Shown::Positions(ladders)) => Box::new(ladders[side.index()].levels()),
            (_, Shown::Prices(ladders)) => Box::new(ladders[side.index()].levels(side)),
            (_, Shown::Quote(quote)) => Box::new(quote[side.index()].into_iter()),
        }
    }

    /// The first `most` of the outright [`View::levels`].
    pub(super) fn first_levels(&self, side: Side, most: usize, each: impl FnMut(Level)) {
        match self.shown() {
            Shown::Orders => self.ladders.first_levels(At { slot: self.slot, side }, most, each),
            Shown::Positions(ladders) => ladders[side.index()].levels().take(most).for_each(each),
            Shown::Prices(ladders) => ladders[side.index()].levels(side).take(most).for_each(each),
            Shown::Quote(quote) => quote[side.index()].into_iter().take(most).for_each(each),
        }
    }

    #[inline]
    pub(super) fn top(&self) -> Top {
        match self.shown() {
            Shown::Orders => {
                let [bid, round_lot_bid] = self.ladders.bests(At { slot: self.slot, side: Side::Bid });
                let [ask, round_lot_ask] = self.ladders.bests(At { slot: self.slot, side: Side::Ask });
                Top { bid, ask, round_lot_bid, round_lot_ask }
            }
            Shown::Positions(ladders) => self.top_of(|side| ladders[side.index()].levels()),
            Shown::Prices(ladders) => self.top_of(|side| ladders[side.index()].levels(side)),
            Shown::Quote(quote) => self.top_of(|side| quote[side.index()].into_iter()),
        }
    }

    #[inline]
    fn top_of<I: Iterator<Item = Level>>(&self, levels: impl Fn(Side) -> I) -> Top {
        let round_lot = u64::from(self.instrument.round_lot);
        let (bid, round_lot_bid) = best_two(levels(Side::Bid), round_lot);
        let (ask, round_lot_ask) = best_two(levels(Side::Ask), round_lot);
        Top { bid, ask, round_lot_bid, round_lot_ask }
    }

    pub(super) fn best_is_certain(&self, side: Side) -> bool {
        match self.shown() {
            Shown::Positions(ladders) => ladders[side.index()].best_is_certain(self.instrument.whole),
            Shown::Orders | Shown::Prices(_) => self.instrument.whole,
            Shown::Quote(_) => true,
        }
    }

    pub(super) fn ladders_agree(&self) -> Option<bool> {
        if !(self.instrument.whole && self.instrument.has_orders() && self.has_levels()) {
            return None;
        }
        Some([Side::Bid, Side::Ask].into_iter().all(|side| {
            let orders = self.order_levels(side);
            match self.shown() {
                Shown::Positions(ladders) => {
                    let ladder = &ladders[side.index()];
                    let depth = usize::from(ladder.depth());
                    orders.take(depth).map(Some).eq(ladder.positions().iter().copied())
                }
                Shown::Prices(ladders) => orders.eq(ladders[side.index()].levels(side)),
                Shown::Orders | Shown::Quote(_) => true,
            }
        }))
    }

    /// Whether levels by price or outright position have been seen.
    pub(super) fn has_levels(&self) -> bool {
        self.others.is_some_and(Others::has_levels)
    }
}

/// The best level and the best that displays at least `round_lot`.
#[inline]
fn best_two(mut levels: impl Iterator<Item = Level>, round_lot: u64) -> (Option<Level>, Option<Level>) {
    let best = levels.next();
    let round = best.filter(|b| b.quantity >= round_lot).or_else(|| levels.find(|l| l.quantity >= round_lot));
    (best, round)
}
