//! The views of an instrument that are not made of orders: levels by price, numbered levels, a published quote.

use super::position_ladder::PositionLadder;
use super::price_ladder::PriceLadder;
use super::{Applied, DEPTH_IMPLIED_DEFAULT, DEPTH_OUTRIGHT_DEFAULT, Level};
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
pub(super) enum Shown<'a> {
    Orders,
    Positions(&'a [PositionLadder; 2]),
    Prices(&'a [PriceLadder; 2]),
    Quote(&'a [Option<Level>; 2]),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Others {
    has_prices: bool,
    has_quote: bool,
    by_price: [PriceLadder; 2],
    quote: [Option<Level>; 2],
    positions: Option<Box<Positions>>,
}

impl Others {
    /// No event has touched them.
    pub(super) fn untouched(&self) -> bool {
        !(self.has_prices || self.has_quote || self.has_positions())
    }

    fn has_positions(&self) -> bool {
        self.positions.as_ref().is_some_and(|p| p.outright_seen)
    }

    pub(super) fn has_levels(&self) -> bool {
        self.has_prices || self.has_positions()
    }

    pub(super) const fn has_quote(&self) -> bool {
        self.has_quote
    }

    pub(super) fn positions_mut(&mut self, ladder: Ladder) -> &mut [PositionLadder; 2] {
        let positions = self.positions.get_or_insert_with(|| Box::new(Positions::new()));
        match ladder {
            Ladder::Outright => &mut positions.outright,
            Ladder::Implied => &mut positions.implied,
        }
    }

    /// Empties every view.
    pub(super) fn clear(&mut self) {
        self.by_price.iter_mut().for_each(PriceLadder::clear);
        if let Some(positions) = &mut self.positions {
            positions.outright.iter_mut().chain(&mut positions.implied).for_each(PositionLadder::clear);
        }
        self.quote = [None; 2];
    }

    pub(super) fn set_price(&mut self, side: Side, level: Level, round_lot: u32) -> Applied {
        // The first level by price changes what the top is read from.
        let first = !std::mem::replace(&mut self.has_prices, true);
        let ladder = &mut self.by_price[side.index()];
        let set = ladder.set(side, level.price, level.quantity);
        let shows = set.is_ok_and(|above| ladder.shows(above, u64::from(round_lot)));
        Applied { changed: first || shows && !self.has_positions(), contradiction: set.err() }
    }

    /// `whole` says that the book has been known from an empty or restated one on.
    pub(super) fn set_position(
        &mut self,
        ladder: Ladder,
        action: LevelAction,
        side: Side,
        position: u8,
        level: Level,
        whole: bool,
    ) -> Applied {
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

    /// Which view is shown; orders where they, but nothing better, have been given.
    pub(super) fn shown(&self, has_orders: bool) -> Shown<'_> {
        match &self.positions {
            Some(positions) if positions.outright_seen => Shown::Positions(&positions.outright),
            _ if self.has_prices => Shown::Prices(&self.by_price),
            _ if has_orders || !self.has_quote => Shown::Orders,
            _ => Shown::Quote(&self.quote),
        }
    }

    pub(super) fn implied(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.positions.iter().flat_map(move |p| p.implied[side.index()].levels())
    }

    pub(super) fn state_bytes(&self) -> usize {
        let prices: usize = self.by_price.iter().map(PriceLadder::state_bytes).sum();
        let positions = self.positions.as_ref().map_or(0, |p| {
            let ladders = p.outright.iter().chain(&p.implied);
            size_of::<Positions>() + ladders.map(PositionLadder::state_bytes).sum::<usize>()
        });
        size_of::<Self>() + prices + positions
    }
}
