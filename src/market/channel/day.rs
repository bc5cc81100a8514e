//! What changes with the day: which rows of the instrument map hold, the usual round lot, and whether the market trades.
//!
//! A row that ends and another that begins may give a symbol another instrument. Then what was shown under the old name
//! is withdrawn, and the book goes on under the new one.

use super::near::Near;
use super::{ChannelMarket, Registry, ViewId};
use crate::config::Mapping;

/// What a feed calls a slot.
enum Called {
    Symbol(Box<[u8]>),
    Number(u64),
}

impl ChannelMarket {
    /// A day of the market begins: `mappings` are the rows of its source that hold on it, `default_lot` the round lot of
    /// instruments of which nobody says one.
    pub fn turn_day(&mut self, mappings: Vec<Mapping>, default_lot: u32, registry: &mut Registry) {
        let before_lot = std::mem::replace(&mut self.default_lot, default_lot.max(1));
        let mapped = mappings.into_iter().map(|m| (m.symbol.clone(), m)).collect();
        let before = std::mem::replace(&mut self.mapped, mapped);
        let mut called: Vec<(u32, Called)> =
            self.symbols.iter().map(|(symbol, slot)| (*slot, Called::Symbol(symbol.clone()))).collect();
        if self.feed.info().number_is_identity {
            let small = self.numbers.iter().enumerate().map(|(number, slot)| (*slot, number as u64));
            let large = self.large_numbers.iter().map(|(number, slot)| (*slot, *number));
            called.extend(small.chain(large).map(|(slot, number)| (slot, Called::Number(number))));
        }
        called.retain(|(slot, _)| *slot != super::NONE);
        // Hash order must not show.
        called.sort_by_key(|(slot, _)| *slot);
        for (slot, called) in called {
            let name = match &called {
                Called::Symbol(symbol) => String::from_utf8_lossy(symbol).into_owned(),
                Called::Number(number) => number.to_string(),
            };
            let (was, is) = (before.get(&name), self.mapped.get(&name));
            if was.map(|m| &m.instrument) != is.map(|m| &m.instrument) {
                self.rename_slot(slot, &called, registry);
            } else if let Some(mapping) = is.filter(|mapping| was != Some(*mapping)) {
                let instrument = super::mapped_instrument(mapping, registry);
                if let Some(lot) = registry.get(instrument).round_lot {
                    self.set_round_lot(slot, lot);
                }
            }
            let unsaid =
                self.slots[slot as usize].instrument.is_none_or(|i| registry.get(i).round_lot.is_none());
            if unsaid && self.slots[slot as usize].round_lot == before_lot {
                self.set_round_lot(slot, self.default_lot);
            }
            self.touch(slot);
        }
    }

    fn rename_slot(&mut self, slot: u32, called: &Called, registry: &mut Registry) {
        let state = &mut self.slots[slot as usize];
        self.withdrawn.extend(state.quoters.drain(..).map(|quoter| quoter.view));
        state.instrument = None;
        self.near[slot as usize] = Near { view: ViewId::MAX, quality: None, ..self.near[slot as usize] };
        match called {
            Called::Symbol(symbol) => self.name(slot, symbol, registry),
            Called::Number(number) => self.name_number(slot, *number, registry),
        }
    }

    /// Whether the calendar says that the market is closed: believed of whatever the feed itself does not say otherwise.
    pub fn set_closed(&mut self, closed: bool) {
        if std::mem::replace(&mut self.closed, closed) != closed {
            (0..self.slots.len() as u32).for_each(|slot| self.touch(slot));
        }
    }
}
