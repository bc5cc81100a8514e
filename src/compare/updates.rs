//! Updates of quotes on two sides, matched by instrument, venue, side, price and size.
//!
//! An update is a side of a top of book that became another in price or size. Where one of the two counts round lots
//! only, both are taken at the best price at which a round lot is shown, with whole lots. What was shown before the
//! other's first quote of the instrument is no update of the comparison, and neither is what was shown while one of the
//! two could not be believed.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::spread::Spread;
use crate::check::leadlag::MoveMatcher;
use crate::market::{Quality, Quote, Registry, ViewId};

/// How long a move waits for its match.
const WINDOW_NS: u64 = 10_000_000_000;
/// Both having shown the same for longer than this, nothing older will be matched.
const SETTLED_NS: u64 = 1_000_000_000;
/// Shares in a round lot where nobody says it.
const ROUND_LOT: u64 = 100;

/// Price and quantity; `None` for an empty side.
type Shown = Option<(i64, u64)>;

/// Two views of one instrument at one venue.
#[derive(Debug, Default)]
struct Couple {
    /// By position, then by side.
    shown: [[Shown; 2]; 2],
    quoted: [bool; 2],
    /// Since when both show the same, by side.
    same_since: [Option<u64>; 2],
    /// Since when prices differ, by side.
    apart_since: [Option<u64>; 2],
    matcher: MoveMatcher<Shown>,
    apart: Apart,
}

/// How much an instrument differed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Apart {
    /// Time for which prices differed, sides added up, nanoseconds.
    pub ns: u64,
    /// How often it began.
    pub times: u64,
    /// Longest of them, nanoseconds.
    pub longest_ns: u64,
    /// Greatest difference, units of 1e-9.
    pub most_nanos: u64,
    /// Updates of either side.
    pub updates: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Updates {
    couples: HashMap<(ViewId, ViewId), Couple>,
    /// Updates by side.
    pub updates: [u64; 2],
    /// Updates that both showed.
    pub matched: u64,
    /// Updates that the other never showed.
    pub unmatched: [u64; 2],
    /// Updates while one of the two was suspect, halted, in an auction or closed: they are not looked for.
    pub not_judged: [u64; 2],
    /// Updates at which the plain best differed and the round-lot best did not.
    pub odd_lots_only: u64,
    /// Second less first, nanoseconds.
    pub lead: Spread,
    /// How often the first, the second, and neither was first.
    pub led: [u64; 3],
}

impl Updates {
    /// The quote of `view`, which is that of `position`, became another at `now`; `peer` shows the same instrument.
    pub fn moved(&mut self, now: u64, position: usize, (view, peer): (ViewId, ViewId), registry: &Registry) {
        let key = if position == 0 { (view, peer) } else { (peer, view) };
        let views = [key.0, key.1].map(|id| &registry.views[id as usize]);
        let round_lots = views[0].round_lots_only != views[1].round_lots_only;
        let lot = registry.get(views[0].instrument).round_lot.map_or(ROUND_LOT, u64::from).max(1);
        let shown_by = |quote: &Quote, side: usize| -> Shown {
            let level = if round_lots { quote.round_lot[side] } else { quote.best[side] };
            level.map(|l| (l.price, if round_lots { l.quantity / lot * lot } else { l.quantity }))
        };
        let couple = self.couples.entry(key).or_default();
        let first = !couple.quoted[position];
        couple.quoted[position] = true;
        let other = 1 - position;
        if let (Some(quote), false) = (&views[other].quote, couple.quoted[other]) {
            // It had quoted before there was anything to compare it with.
            couple.quoted[other] = true;
            couple.shown[other] = [shown_by(quote, 0), shown_by(quote, 1)];
        }
        let Some(quote) = &views[position].quote else { return };
        let believed = views.iter().all(|view| view.quote.is_some_and(|q| q.quality == Quality::Ok));
        let ts_ns = views[position].origin.ts_recv_ns;
        for side in 0..2 {
            let shown = shown_by(quote, side);
            if shown == couple.shown[position][side] && !first {
                continue;
            }
            couple.shown[position][side] = shown;
            if !couple.quoted[1 - position] || first {
                couple.apart(now, side);
                continue;
            }
            self.updates[position] += 1;
            couple.apart.updates += 1;
            if !believed {
                self.not_judged[position] += 1;
                add(&mut self.not_judged, couple.matcher.settled(side as u8));
                couple.close(now, side);
                couple.same_since[side] = None;
                continue;
            }
            let plain = [0, 1].map(|p| views[p].quote.and_then(|q| q.best[side]).map(|l| l.price));
            let price = |p: usize| couple.shown[p][side].map(|(price, _)| price);
            self.odd_lots_only += u64::from(round_lots && plain[0] != plain[1] && price(0) == price(1));
            let mut given_up = [0, 0];
            if couple.same_since[side].is_some_and(|since| now.saturating_sub(since) > SETTLED_NS) {
                given_up = couple.matcher.settled(side as u8);
            }
            let (found, more) = couple.matcher.moved(position, side as u8, shown, ts_ns, WINDOW_NS);
            add(&mut self.unmatched, given_up);
            add(&mut self.unmatched, more);
            if let Some(found) = found {
                self.matched += 1;
                self.lead.add(found.lead_ns);
                self.led[match found.lead_ns {
                    1.. => 0,
                    0 => 2,
                    _ => 1,
                }] += 1;
            }
            couple.apart(now, side);
        }
    }

    /// The data is over at `now`: what still waits was never shown by the other. Answers how much each instrument
    /// differed.
    pub fn finish(&mut self, now: u64, registry: &Registry) -> BTreeMap<String, Apart> {
        let mut all: BTreeMap<String, Apart> = BTreeMap::new();
        for ((first, _), couple) in &mut self.couples {
            add(&mut self.unmatched, couple.matcher.pending());
            (0..2).for_each(|side| couple.close(now, side));
            let name = registry.get(registry.views[*first as usize].instrument).name.to_string();
            let sum = all.entry(name).or_default();
            sum.ns += couple.apart.ns;
            sum.times += couple.apart.times;
            sum.longest_ns = sum.longest_ns.max(couple.apart.longest_ns);
            sum.most_nanos = sum.most_nanos.max(couple.apart.most_nanos);
            sum.updates += couple.apart.updates;
        }
        all
    }
}

fn add(sums: &mut [u64; 2], more: [u64; 2]) {
    sums.iter_mut().zip(more).for_each(|(sum, n)| *sum += n);
}

impl Couple {
    /// Takes in whether the two differ on a side from `now` on.
    fn apart(&mut self, now: u64, side: usize) {
        let [a, b] = [self.shown[0][side], self.shown[1][side]];
        let both = self.quoted[0] && self.quoted[1];
        if both && a == b {
            self.same_since[side].get_or_insert(now);
        } else {
            self.same_since[side] = None;
        }
        match (a, b) {
            (Some((a, _)), Some((b, _))) if both && a != b => {
                if self.apart_since[side].is_none() {
                    self.apart_since[side] = Some(now);
                    self.apart.times += 1;
                }
                self.apart.most_nanos = self.apart.most_nanos.max(a.abs_diff(b));
            }
            _ => self.close(now, side),
        }
    }

    fn close(&mut self, now: u64, side: usize) {
        if let Some(since) = self.apart_since[side].take() {
            let ns = now.saturating_sub(since);
            self.apart.ns += ns;
            self.apart.longest_ns = self.apart.longest_ns.max(ns);
        }
    }
}
