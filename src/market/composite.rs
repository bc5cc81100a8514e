//! The best over several direct sources, as one more view of each instrument.
//!
//! A composite is only as good as its parts: while one of them is suspect or halted, so is it.

use super::quote::{Level, Quality, Quote};
use super::registry::{InstrumentId, Registry, SourceId, VenueId, ViewId};

/// One composite as configured.
#[derive(Debug, Clone)]
pub struct Composite {
    /// Its number among the comparands.
    pub source: SourceId,
    /// The sources it is made of.
    pub of: Vec<SourceId>,
}

impl Composite {
    /// Takes `changed`, a view that has just changed, into the composite view of its instrument; answers that
    /// view when its quote became another, with what it was before.
    pub fn update(&self, changed: ViewId, registry: &mut Registry) -> Option<(ViewId, Option<Quote>)> {
        let (source, instrument, origin) = {
            let view = &registry.views[changed as usize];
            (view.source, view.instrument, view.origin)
        };
        if !self.of.contains(&source) {
            return None;
        }
        let quote = self.best(instrument, registry)?;
        let found = registry.find_view(self.source, VenueId::NATIONAL, instrument);
        let id =
            found.unwrap_or_else(|| registry.add_view(self.source, VenueId::NATIONAL, instrument, false));
        let view = &mut registry.views[id as usize];
        if view.quote == Some(quote) {
            return None;
        }
        let before = view.quote.replace(quote);
        view.origin = origin;
        Some((id, before))
    }

    fn best(&self, instrument: InstrumentId, registry: &Registry) -> Option<Quote> {
        let mut parts = registry.views_of(instrument).filter_map(|v| {
            let view = &registry.views[v as usize];
            (self.of.contains(&view.source) && view.venue != VenueId::NATIONAL)
                .then_some(view.quote)
                .flatten()
        });
        let mut quote = parts.next()?;
        for part in parts {
            for side in 0..2 {
                quote.best[side] = better(side, quote.best[side], part.best[side]);
                quote.round_lot[side] = better(side, quote.round_lot[side], part.round_lot[side]);
            }
            quote.quality = quote.quality.max(part.quality);
        }
        if quote.quality != Quality::Ok {
            // A part that cannot be believed makes the best of all of them unknowable, whatever it shows.
            quote.quality = quote.quality.max(Quality::Suspect);
        }
        Some(quote)
    }
}

/// The better of two levels; quantities at the same price add up.
fn better(side: usize, a: Option<Level>, b: Option<Level>) -> Option<Level> {
    let (Some(x), Some(y)) = (a, b) else { return a.or(b) };
    if x.price == y.price {
        return Some(Level { price: x.price, quantity: x.quantity.saturating_add(y.quantity) });
    }
    let first_is_better = (x.price > y.price) == (side == 0);
    Some(if first_is_better { x } else { y })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(bid: i64, ask: i64, quality: Quality) -> Quote {
        let level = |price| Some(Level { price, quantity: 100 });
        Quote { best: [level(bid), level(ask)], round_lot: [level(bid), level(ask)], quality }
    }

    #[test]
    fn the_best_of_two_and_its_worst_quality() {
        let mut registry = Registry::new();
        let instrument = registry.instrument("ZVZZT");
        let (x, y) = (registry.venue("XNAS"), registry.venue("ARCX"));
        let a = registry.add_view(0, x, instrument, false);
        let b = registry.add_view(1, y, instrument, false);
        let composite = Composite { source: 2, of: vec![0, 1] };
        registry.views[a as usize].quote = Some(quote(10, 13, Quality::Ok));
        let (id, before) = composite.update(a, &mut registry).unwrap();
        assert_eq!(before, None);
        assert_eq!(registry.views[id as usize].quote, Some(quote(10, 13, Quality::Ok)));
        registry.views[b as usize].quote = Some(quote(9, 12, Quality::Ok));
        let before = Some(quote(10, 13, Quality::Ok));
        assert_eq!(composite.update(b, &mut registry), Some((id, before)));
        assert_eq!(registry.views[id as usize].quote, Some(quote(10, 12, Quality::Ok)));
        registry.views[b as usize].quote = Some(quote(10, 12, Quality::Suspect));
        composite.update(b, &mut registry);
        let got = registry.views[id as usize].quote.unwrap();
        assert_eq!((got.best[0], got.quality), (Some(Level { price: 10, quantity: 200 }), Quality::Suspect));
        assert_eq!(composite.update(b, &mut registry), None, "nothing changed");
    }
}
