//! How a channel's books and states become quotes, once for a whole packet.

use feeds::event::{Quoter, TradingState};
use feeds::feed::Depth;

use super::near::Near;
use super::{ChannelMarket, Level, Origin, Quality, Quote, Registry, Touched, View, ViewId};
use crate::market::price;

impl ChannelMarket {
    /// Turns what was touched into quotes; every view of it is appended to `touched`, with
    /// whether its quote became another.
    pub fn publish(&mut self, origin: &Origin, registry: &mut Registry, touched: &mut Vec<Touched>) {
        for view in self.withdrawn.drain(..) {
            let shown = &mut registry.views[view as usize];
            shown.quote = Some(Quote { quality: Quality::Closed, ..Quote::default() });
            shown.origin = *origin;
            touched.push(Touched { view, changed: true, book: None });
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            // Read whole before a part of it is written: the other way round the machine waits for the part.
            let Near { view, decimals, quality, .. } = self.near[slot as usize];
            self.near[slot as usize].dirty = false;
            if let Some(quality) = quality {
                self.publish_book(slot, (view, decimals, quality), origin, registry, touched);
                continue;
            }
            if self.slots[slot as usize].instrument.is_none() {
                continue;
            }
            if self.slots[slot as usize].quoters.is_empty()
                && self.has_book()
                && (self.books.has_orders(slot) || self.books.has_levels(slot))
            {
                self.quoter(slot, Quoter::Venue, registry);
            }
            self.publish_slot(slot, origin, registry, touched);
        }
        self.dirty = dirty;
    }

    /// The slot shows its book's quote and nothing else, and what else it depends on is as it was when it was last shown.
    #[inline]
    fn publish_book(
        &mut self,
        slot: u32,
        (id, decimals, quality): (ViewId, u8, Quality),
        origin: &Origin,
        registry: &mut Registry,
        touched: &mut Vec<Touched>,
    ) {
        let (quote, lost) = self.book_quote(slot, decimals, quality);
        if lost {
            self.contradictions.add("price_out_of_range", origin);
        }
        let view = &mut registry.views[id as usize];
        let changed = view.quote.as_ref() != Some(&quote);
        touched.push(Touched { view: id, changed, book: Some(slot) });
        if changed {
            self.show(view, quote, origin);
        }
    }

    /// A venue's quote became another.
    #[inline]
    fn show(&mut self, view: &mut View, quote: Quote, origin: &Origin) {
        let crossed =
            |q: &Quote| q.quality == Quality::Ok && q.crossing() == Some(std::cmp::Ordering::Greater);
        if crossed(&quote) && !view.quote.as_ref().is_some_and(crossed) {
            self.contradictions.add("crossed_book", origin);
        }
        view.quote = Some(quote);
        view.origin = *origin;
    }

    fn has_book(&self) -> bool {
        matches!(self.feed.info().depth, Depth::Orders | Depth::Levels)
    }

    fn publish_slot(
        &mut self,
        slot: u32,
        origin: &Origin,
        registry: &mut Registry,
        touched: &mut Vec<Touched>,
    ) {
        let state = &self.slots[slot as usize];
        if state.partial && !state.suspect {
            return;
        }
        let general =
            state.state.max(state.operational).max(self.all_state).max(self.group_state(&state.group));
        for index in 0..self.slots[slot as usize].quoters.len() {
            let state = &self.slots[slot as usize];
            let quoter = &state.quoters[index];
            let quality = match general.max(quoter.state) {
                _ if quoter.suspect => Quality::Suspect,
                TradingState::Halted => Quality::Halted,
                TradingState::Auction => Quality::Auction,
                TradingState::Closed => Quality::Closed,
                TradingState::Unknown if self.closed => Quality::Closed,
                TradingState::Unknown | TradingState::Trading => Quality::Ok,
            };
            let (mut quote, lost) = match quoter.said {
                Some(said) => (self.said_quote(slot, said, quality), false),
                None => self.book_quote(slot, self.slots[slot as usize].decimals, quality),
            };
            quote.quality = quality;
            if lost {
                self.contradictions.add("price_out_of_range", origin);
            }
            let state = &self.slots[slot as usize];
            let quoter = &state.quoters[index];
            let view = &mut registry.views[quoter.view as usize];
            if quoter.said.is_some() && view.told_by != View::NO_CHANNEL && view.told_by != self.channel {
                // Another channel carries it now: what was said here is history.
                continue;
            }
            let book = quoter.said.is_none().then_some(slot);
            self.near[slot as usize].shown(state, quality);
            let changed = view.quote.as_ref() != Some(&quote);
            touched.push(Touched { view: quoter.view, changed, book });
            if !changed {
                continue;
            }
            if quoter.quoter == Quoter::National {
                (view.quote, view.origin) = (Some(quote), *origin);
            } else {
                self.show(view, quote, origin);
            }
        }
    }

    fn group_state(&self, group: &[u8]) -> TradingState {
        if group.is_empty() {
            return TradingState::Unknown;
        }
        self.groups.get(group).copied().unwrap_or_default()
    }

    fn said_quote(&self, slot: u32, said: [Option<Level>; 2], quality: Quality) -> Quote {
        let lot = u64::from(self.slots[slot as usize].round_lot);
        let round_lot = match self.feed.info().round_lots_only {
            true => said,
            false => said.map(|level| level.filter(|l| l.quantity >= lot)),
        };
        Quote { best: said, round_lot, quality }
    }

    /// The quote of the book, and whether a price of it cannot be told exactly.
    #[inline]
    fn book_quote(&self, slot: u32, decimals: u8, quality: Quality) -> (Quote, bool) {
        let top = self.books.top(slot);
        let mut lost = false;
        let mut level = |level: Option<crate::book::Level>| {
            let level = level?;
            let price = price::to_nanos(level.price, decimals);
            lost |= price.is_none();
            Some(Level { price: price?, quantity: level.quantity })
        };
        let best = [level(top.bid), level(top.ask)];
        let round_lot = [level(top.round_lot_bid), level(top.round_lot_ask)];
        (Quote { best, round_lot, quality }, lost)
    }
}
