//! What the consolidator does only when a fault wants it: old quotes again, price bands, a port that is full.

use super::faults::{Kind, SourceId};
use super::flow::TICK;
use super::lately::bursts;
use super::packet::Blocks;
use super::sip::{Sip, Spoken, Task};
use super::uqdf::{self, Quote};

/// Percentage parameter of the bands here: Tier 1 above 3 dollars (the Plan to Address Extraordinary Market Volatility).
const BAND_PERCENT: u64 = 5;

impl Sip {
    /// A burst of everything that was said lately, for each that the fault orders.
    pub(super) fn send_again(&mut self, n: usize) {
        let fault = self.faults[n].clone();
        let Kind::OldQuotes { back_ns, .. } = fault.kind else { return };
        let said = self.lately.by_participant(fault.from_ns, back_ns, |i| fault.covers(i));
        for (from_ns, lasts_ns) in bursts(&fault) {
            let step_ns = lasts_ns / (said.len() as u64 + 1);
            for (k, (_, i, which, quote)) in said.iter().enumerate() {
                let task = Task::Again { which: *which, quote: *quote };
                self.schedule(from_ns + k as u64 * step_ns, *i, task);
            }
        }
    }

    /// One more quote of instrument `i` wants through the port of the venue: it waits for the ones before it. The
    /// other participants do not wait, and see what it has not passed on yet.
    pub(super) fn pass_port(&mut self, venue_ns: u64, i: usize) {
        let ceiling = |f: &super::faults::Fault| match f.kind {
            Kind::Saturated { ceiling } if f.source == SourceId::Sip && f.at(venue_ns) => Some(ceiling),
            _ => None,
        };
        let Some(ceiling) = self.faults.iter().filter_map(ceiling).min() else { return };
        self.port_free_ns = self.port_free_ns.max(venue_ns) + 1_000_000_000 / ceiling.max(1);
        if self.rng.chance(250) {
            let which = 1 + self.rng.below(2) as usize;
            let due = venue_ns + self.flight_ns + 1 + self.rng.exponential(2_000_000);
            self.schedule(due, i, Task::Other { which });
        }
    }

    /// What the other participants take the venue's quote for.
    pub(super) fn seen_by_others(&self, i: usize) -> Quote {
        let instrument = &self.instruments[i];
        if self.port_free_ns > 0 { instrument.fresh } else { instrument.known }
    }

    /// The price bands around the middle of the venue's quote, or around so many percent of it.
    pub(super) fn say_bands(&mut self, now_ns: u64, i: usize, percent: u64, code: u8, out: &mut Spoken) {
        let Quote { bid: Some((bid, _)), ask: Some((ask, _)) } = self.instruments[i].fresh else { return };
        let reference = u64::from(bid.midpoint(ask)) * percent / 100;
        let tick = u64::from(TICK);
        // Bands are rounded to the nearest cent.
        let cents = |price: u64| (price + tick / 2) / tick * tick;
        let away = reference * BAND_PERCENT / 100;
        let times = self.times(now_ns, 0);
        let (lower, upper) = (cents(reference.saturating_sub(away)), cents(reference + away));
        let blocks: &mut Blocks = &mut out.blocks;
        uqdf::bands(&self.instruments[i].symbol, code, lower, upper, times, blocks);
    }
}
