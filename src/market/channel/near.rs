//! What the changes of an instrument's book need of its slot: little enough of it to stay near for all instruments.

use feeds::event::Quoter;

use super::{ChannelMarket, Quality, Slot};
use crate::market::ViewId;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Near {
    /// The view that the book is the top of; out of reach where there is none.
    pub view: ViewId,
    /// Of its raw prices; as far as `quality` is known.
    pub decimals: u8,
    /// The book's quote is all that the slot shows, and this good. Unknown from whatever may change that until it is
    /// shown again.
    pub quality: Option<Quality>,
    /// It is among those that are to be shown.
    pub dirty: bool,
    /// It is among those of whose book something was said.
    pub deep: bool,
}

const _: () = assert!(size_of::<Near>() == 8);

impl Near {
    pub const NEW: Near = Near { view: ViewId::MAX, decimals: 0, quality: None, dirty: false, deep: false };

    /// The slot was shown, that good.
    pub fn shown(&mut self, slot: &Slot, quality: Quality) {
        if let [quoter] = slot.quoters.as_slice()
            && quoter.quoter == Quoter::Venue
            && quoter.said.is_none()
            && !slot.partial
        {
            (self.decimals, self.quality) = (slot.decimals, Some(quality));
        }
    }
}

impl ChannelMarket {
    /// Something other than its book changed: the slot will be shown.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        self.near[slot as usize].quality = None;
        self.touch_book(slot);
    }

    /// Its book changed: the slot will be shown.
    #[inline]
    pub(super) fn touch_book(&mut self, slot: u32) {
        if !std::mem::replace(&mut self.near[slot as usize].dirty, true) {
            self.dirty.push(slot);
        }
    }

    /// The next book of which something was said since it was last taken or shown: its slot in
    /// [`ChannelMarket::books`] and the view that shows it.
    pub fn take_deep(&mut self) -> Option<(u32, ViewId)> {
        while let Some(slot) = self.deep.pop() {
            let near = &mut self.near[slot as usize];
            if std::mem::take(&mut near.deep) && near.view != ViewId::MAX {
                return Some((slot, near.view));
            }
        }
        None
    }

    /// Whether [`ChannelMarket::take_deep`] will come to that book.
    pub fn is_deep(&self, slot: u32) -> bool {
        self.near[slot as usize].deep
    }

    /// A book was shown at its full depth: [`ChannelMarket::take_deep`] passes it by.
    pub fn shown(&mut self, slot: u32) {
        self.near[slot as usize].deep = false;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use feeds::FeedId;
    use feeds::event::{Definition, Event, Key, Side, StateScope, TradingState};
    use proptest::prelude::*;

    use crate::config::Config;
    use crate::market::{ChannelMarket, Origin, Registry};

    const STATES: [TradingState; 4] =
        [TradingState::Unknown, TradingState::Trading, TradingState::Halted, TradingState::Auction];

    /// One thing that happens to a market; what is shown may depend on all of it.
    fn happen(market: &mut ChannelMarket, registry: &mut Registry, origin: &Origin, what: (u8, u64, u64)) {
        let (what, number, value) = what;
        let key = Key::Number(number);
        let symbol: &[u8] = [b"A", b"B", b"C"][number as usize];
        let state = STATES[value as usize % STATES.len()];
        let event = match what {
            0..5 => {
                let (side, price) = (Side::ask_if(value % 2 == 1), 1_000_000 + 100 * (value as i64 % 8));
                let order = origin.sequence;
                Event::OrderAdd { key, symbol, order, side, price, quantity: 100 + value % 3 * 50 }
            }
            5 => Event::OrderDelete { key, order: origin.sequence.saturating_sub(value) },
            6 => Event::State { scope: StateScope::Instrument(key), symbol, state },
            7 => Event::State { scope: StateScope::Operational(key), symbol, state },
            8 => Event::State { scope: StateScope::All, symbol: b"", state },
            9 => Event::State { scope: StateScope::Group(b"G"), symbol: b"", state },
            10 => Event::Clear { key: (value % 2 == 0).then_some(key) },
            11 => Event::InstrumentSequence { key, sequence: value as u32 },
            12 => {
                let decimals = Some(2 + 2 * (value % 2) as u8);
                let (number, group): (_, &[u8]) = (Some(number), if value % 3 == 0 { b"G" } else { b"" });
                Event::Define(Definition {
                    number,
                    symbol,
                    group,
                    price_decimals: decimals,
                    ..Definition::default()
                })
            }
            13 => return market.mark_gap(),
            14 => return market.set_closed(value % 2 == 0),
            15 => return market.restart(),
            _ => return market.turn_day(Vec::new(), 1 + value as u32, registry),
        };
        market.apply(&event, origin, registry);
    }

    fn registry() -> Registry {
        let text = "[[source]]\nname = \"s\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n\
             [[source.channel]]\nname = \"c\"\nlines = [{ name = \"A\", group = \"233.0.0.1:1\" }]";
        Registry::of(&Config::parse("test", text, Path::new(".")).unwrap())
    }

    proptest! {
        #[test]
        fn what_is_remembered_of_a_slot_is_what_would_be_found(
            steps in prop::collection::vec((0..17u8, 0..3u64, 0..24u64), 1..80),
        ) {
            let mut sides = [true, false].map(|remembers| {
                let mut registry = registry();
                let venue = registry.venue("XNAS");
                let market = ChannelMarket::new(0, 0, FeedId::NasdaqItch50, venue, None);
                (remembers, market, registry)
            });
            for (at, what) in steps.into_iter().enumerate() {
                let origin = Origin { sequence: at as u64, ts_recv_ns: at as u64, ..Origin::default() };
                let [one, other] = sides.each_mut().map(|(remembers, market, registry)| {
                    happen(market, registry, &origin, what);
                    if !*remembers {
                        market.near.iter_mut().for_each(|near| near.quality = None);
                    }
                    let mut touched = Vec::new();
                    market.publish(&origin, registry, &mut touched);
                    let views: Vec<_> = registry.views.iter().map(|v| (v.quote, v.origin)).collect();
                    (touched, views, market.contradictions.clone())
                });
                prop_assert_eq!(one, other, "step {} {:?}", at, what);
            }
        }
    }
}
