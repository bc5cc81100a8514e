//! One instrument's views of its book, and which of them is shown.

use super::orders::Order;
use super::position_ladder::PositionLadder;
use super::price_ladder::PriceLadder;
use super::{
    Applied, Contradiction, DEPTH_IMPLIED_DEFAULT, DEPTH_OUTRIGHT_DEFAULT, Level, ROUND_LOT_DEFAULT, Top,
};
use feeds::event::{Ladder, LevelAction, QuoteSide, Side};

/// Numbered levels: per [`Ladder`], bid and ask.
#[derive(Debug)]
struct Positions {
    outright: [PositionLadder; 2],
    implied: [PositionLadder; 2],
    outright_seen: bool,
}

impl Positions {
    fn new() -> Self {
        let pair = |depth| [PositionLadder::new(Side::Bid, depth), PositionLadder::new(Side::Ask, depth)];
        let (outright, implied) = (pair(DEPTH_OUTRIGHT_DEFAULT), pair(DEPTH_IMPLIED_DEFAULT));
        Positions { outright, implied, outright_seen: false }
    }
}

/// Which view the top is read from.
enum Shown<'a> {
    Positions(&'a [PositionLadder; 2]),
    Prices(&'a [PriceLadder; 2]),
    Quote(&'a [Option<Level>; 2]),
}

/// All that is known of one instrument.
#[derive(Debug)]
pub(super) struct Instrument {
    /// Grows with every clear: orders of an older generation are not in the book.
    pub(super) generation: u32,
    pub(super) whole: bool,
    pub(super) has_orders: bool,
    pub(super) has_prices: bool,
    has_quote: bool,
    pub(super) round_lot: u64,
    pub(super) orders_live: usize,
    by_order: [PriceLadder; 2],
    by_price: [PriceLadder; 2],
    quote: [Option<Level>; 2],
    positions: Option<Box<Positions>>,
}

impl Instrument {
    pub(super) fn new(whole: bool) -> Self {
        Instrument {
            generation: 0,
            whole,
            has_orders: false,
            has_prices: false,
            has_quote: false,
            round_lot: u64::from(ROUND_LOT_DEFAULT),
            orders_live: 0,
            by_order: [PriceLadder::new(Side::Bid), PriceLadder::new(Side::Ask)],
            by_price: [PriceLadder::new(Side::Bid), PriceLadder::new(Side::Ask)],
            quote: [None; 2],
            positions: None,
        }
    }

    /// No event has touched the book.
    pub(super) fn untouched(&self) -> bool {
        !(self.has_orders || self.has_prices || self.has_quote || self.has_positions() || self.generation > 0)
    }

    pub(super) fn has_positions(&self) -> bool {
        self.positions.as_ref().is_some_and(|p| p.outright_seen)
    }

    pub(super) fn positions_mut(&mut self, ladder: Ladder) -> &mut [PositionLadder; 2] {
        let positions = self.positions.get_or_insert_with(|| Box::new(Positions::new()));
        match ladder {
            Ladder::Outright => &mut positions.outright,
            Ladder::Implied => &mut positions.implied,
        }
    }

    /// Empties every view and answers how many orders went.
    pub(super) fn clear(&mut self) -> usize {
        self.by_order.iter_mut().chain(&mut self.by_price).for_each(PriceLadder::clear);
        if let Some(positions) = &mut self.positions {
            positions.outright.iter_mut().chain(&mut positions.implied).for_each(PositionLadder::clear);
        }
        self.quote = [None; 2];
        self.generation = (self.generation + 1) & (u32::MAX >> 1);
        self.whole = true;
        std::mem::take(&mut self.orders_live)
    }

    /// The feed speaks of orders; true when that changes what the top is read from.
    #[inline]
    pub(super) fn speaks_of_orders(&mut self) -> bool {
        !std::mem::replace(&mut self.has_orders, true) && self.has_quote
    }

    pub(super) fn order_comes(&mut self, order: &Order) -> Result<(), Contradiction> {
        self.by_order[order.side().index()].add(order.price, order.quantity)?;
        self.orders_live += 1;
        Ok(())
    }

    pub(super) fn order_goes(&mut self, order: &Order) {
        self.by_order[order.side().index()].take(order.price, order.quantity, true);
        self.orders_live -= 1;
    }

    pub(super) fn order_shrinks(&mut self, side: Side, price: i64, quantity: u64) {
        self.by_order[side.index()].take(price, quantity, false);
    }

    /// Whether a change just made to the orders at `price` may show in the top.
    #[inline]
    pub(super) fn order_shows(&self, side: Side, price: i64) -> bool {
        !self.has_prices && !self.has_positions() && self.by_order[side.index()].shows(price, self.round_lot)
    }

    pub(super) fn set_price(&mut self, side: Side, level: Level) -> Applied {
        // The first level by price changes what the top is read from.
        let first = !std::mem::replace(&mut self.has_prices, true);
        let ladder = &mut self.by_price[side.index()];
        let contradiction = ladder.set(level.price, level.quantity).err();
        let shows = contradiction.is_none() && ladder.shows(level.price, self.round_lot);
        Applied { changed: first || shows && !self.has_positions(), contradiction }
    }

    pub(super) fn set_position(
        &mut self,
        ladder: Ladder,
        action: LevelAction,
        side: Side,
        position: u8,
        level: Level,
    ) -> Applied {
        let whole = self.whole;
        let contradiction =
            self.positions_mut(ladder)[side.index()].apply(action, position, level, whole).err();
        let outright = ladder == Ladder::Outright;
        if let Some(positions) = &mut self.positions {
            positions.outright_seen |= outright;
        }
        // Depth is small and a round lot may be anywhere in it: every outright change may show.
        Applied { changed: outright, contradiction }
    }

    pub(super) fn set_quote(&mut self, bid: QuoteSide, ask: QuoteSide) -> Applied {
        // A quantity of zero is an empty side in every feed that quotes.
        let side = |s: QuoteSide| s.filter(|q| q.1 > 0).map(|(price, quantity)| Level { price, quantity });
        let quote = [side(bid), side(ask)];
        let changed = !self.has_quote || quote != self.quote;
        self.has_quote = true;
        self.quote = quote;
        Applied { changed, contradiction: None }
    }

    fn shown(&self) -> Shown<'_> {
        match &self.positions {
            Some(positions) if positions.outright_seen => Shown::Positions(&positions.outright),
            _ if self.has_prices => Shown::Prices(&self.by_price),
            _ if self.has_orders || !self.has_quote => Shown::Prices(&self.by_order),
            _ => Shown::Quote(&self.quote),
        }
    }

    pub(super) fn levels(&self, side: Side, ladder: Ladder) -> Box<dyn Iterator<Item = Level> + '_> {
        let side = side.index();
        match (ladder, self.shown()) {
            (Ladder::Implied, _) => {
                Box::new(self.positions.iter().flat_map(move |p| p.implied[side].levels()))
            }
            (_, Shown::Positions(ladders)) => Box::new(ladders[side].levels()),
            (_, Shown::Prices(ladders)) => Box::new(ladders[side].levels()),
            (_, Shown::Quote(quote)) => Box::new(quote[side].into_iter()),
        }
    }

    pub(super) fn top(&self) -> Top {
        match self.shown() {
            Shown::Positions(ladders) => self.top_of(ladders[0].levels(), ladders[1].levels()),
            Shown::Prices(ladders) => self.top_of(ladders[0].levels(), ladders[1].levels()),
            Shown::Quote(quote) => self.top_of(quote[0].into_iter(), quote[1].into_iter()),
        }
    }

    fn top_of(&self, bids: impl Iterator<Item = Level>, asks: impl Iterator<Item = Level>) -> Top {
        let (bid, round_lot_bid) = best_two(bids, self.round_lot);
        let (ask, round_lot_ask) = best_two(asks, self.round_lot);
        Top { bid, ask, round_lot_bid, round_lot_ask }
    }

    pub(super) fn best_is_certain(&self, side: Side) -> bool {
        match self.shown() {
            Shown::Positions(ladders) => ladders[side.index()].best_is_certain(self.whole),
            Shown::Prices(_) => self.whole,
            Shown::Quote(_) => true,
        }
    }

    pub(super) fn ladders_agree(&self) -> Option<bool> {
        if !(self.whole && self.has_orders && (self.has_prices || self.has_positions())) {
            return None;
        }
        Some([Side::Bid, Side::Ask].into_iter().all(|side| {
            let orders = self.by_order[side.index()].levels();
            match self.shown() {
                Shown::Positions(ladders) => {
                    let ladder = &ladders[side.index()];
                    let depth = usize::from(ladder.depth());
                    orders.take(depth).map(Some).eq(ladder.positions().iter().copied())
                }
                Shown::Prices(ladders) => orders.eq(ladders[side.index()].levels()),
                Shown::Quote(_) => true,
            }
        }))
    }

    /// Price, quantity and number of orders of every level made of orders, best first.
    #[cfg(test)]
    pub(super) fn order_levels(&self, side: Side) -> impl Iterator<Item = (i64, u64, u32)> + '_ {
        self.by_order[side.index()].rungs()
    }

    pub(super) fn state_bytes(&self) -> usize {
        let prices: usize = self.by_order.iter().chain(&self.by_price).map(PriceLadder::state_bytes).sum();
        let positions = self.positions.as_ref().map_or(0, |p| {
            let ladders = p.outright.iter().chain(&p.implied);
            size_of::<Positions>() + ladders.map(PositionLadder::state_bytes).sum::<usize>()
        });
        size_of::<Self>() + prices + positions
    }
}

/// The best level and the best that displays at least `round_lot`.
#[inline]
fn best_two(mut levels: impl Iterator<Item = Level>, round_lot: u64) -> (Option<Level>, Option<Level>) {
    let best = levels.next();
    let round = best.filter(|b| b.quantity >= round_lot).or_else(|| levels.find(|l| l.quantity >= round_lot));
    (best, round)
}
