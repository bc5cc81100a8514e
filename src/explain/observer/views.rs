//! What is shown: every quote of the alert's instrument, and of all others how the subject keeps up with its peers.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::super::facts::{Definition, Likeness, Pairing, Shown, SourceFacts, Span, Spot, ViewFacts};
use super::super::subject::Alert;
use super::echoes::{self, EchoWatch};
use super::likeness::LikenessWatch;
use super::moves::{HISTORY_MAX, History, Lags, Recent, constant_delay};
use super::rates;
use crate::config::Config;
use crate::market::{InstrumentId, Quality, Quote, Registry, SourceId, VenueId, View, ViewId};
use crate::pipeline::Intake;

/// Quotes of one view that are kept at most.
const SHOWN_MAX: usize = 50_000;
/// A difference that lasts longer than this is more than flight.
const APART_NS: u64 = 20_000_000;
/// Moves that nothing matched that are remembered at most.
const UNMATCHED_MAX: usize = 200_000;

/// A view of the alert's instrument.
struct Track {
    view: ViewId,
    shown: Vec<(u64, Quote, crate::market::Origin)>,
    left_out: u64,
}

/// A view that is paired, whatever its instrument.
#[derive(Default)]
struct Watch {
    prices: [Option<i64>; 2],
    ok: bool,
    recent: Recent,
    /// By pairing of the subject's view: since when the side differs.
    apart_since: HashMap<(usize, ViewId), [Option<u64>; 2]>,
}

/// What the views leave behind.
pub(super) struct Finished {
    pub views: Vec<ViewFacts>,
    pub pairings: Vec<Pairing>,
    pub likenesses: Vec<Likeness>,
    /// Moves that the subject never followed: by source, when.
    pub moves: Vec<Vec<u64>>,
}

/// See the module.
pub(super) struct Views {
    instrument: Option<String>,
    id: Option<InstrumentId>,
    window: Span,
    during: Span,
    venue: Option<String>,
    subject: Option<SourceId>,
    /// Pairing by source.
    pairing: Vec<Option<usize>>,
    lots: bool,
    tracks: Vec<Track>,
    watches: HashMap<ViewId, Watch>,
    lags: Vec<Lags>,
    others_apart: Vec<BTreeSet<InstrumentId>>,
    others_shared: Vec<BTreeSet<InstrumentId>>,
    histories: Vec<History>,
    unmatched: Vec<Vec<u64>>,
    echoes: Vec<EchoWatch>,
    /// Updates by source: own in the window and during, others likewise.
    updates: Vec<[[u64; 2]; 2]>,
    carried: Vec<BTreeSet<InstrumentId>>,
    likeness: LikenessWatch,
    composites: Vec<SourceId>,
}

impl Views {
    pub(super) fn new(config: &Config, alert: &Alert, window: Span, during: Span) -> Views {
        let sources = config.sources.len();
        let position = |name: &String| config.sources.iter().position(|s| s.name == *name);
        let subject = alert.sources.first().and_then(position);
        let others: Vec<usize> = (0..sources).filter(|s| Some(*s) != subject && subject.is_some()).collect();
        let pairing = (0..sources).map(|s| others.iter().position(|o| *o == s)).collect();
        Views {
            instrument: alert.instrument.clone(),
            id: None,
            window,
            during,
            venue: alert.venue.clone(),
            subject: subject.map(|s| s as SourceId),
            pairing,
            lots: config.sources.iter().any(|s| s.feed.info().round_lots_only),
            tracks: Vec::new(),
            watches: HashMap::new(),
            lags: others.iter().map(|_| Lags::default()).collect(),
            others_apart: vec![BTreeSet::new(); others.len()],
            others_shared: vec![BTreeSet::new(); others.len()],
            histories: vec![History::new(); sources],
            unmatched: vec![Vec::new(); sources],
            echoes: (0..sources).map(|_| EchoWatch::default()).collect(),
            updates: vec![[[0; 2]; 2]; sources],
            carried: vec![BTreeSet::new(); sources],
            likeness: LikenessWatch::default(),
            composites: (sources..sources + config.composites.len()).map(|c| c as SourceId).collect(),
        }
    }

    fn is_own(&mut self, id: InstrumentId, registry: &Registry) -> bool {
        let is = self.instrument.as_deref().is_some_and(|name| *registry.get(id).name == *name);
        if is {
            self.id = Some(id);
        }
        is
    }

    /// A view's quote became another.
    pub(super) fn changed(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let view = &registry.views[id as usize];
        let Some(quote) = view.quote else { return };
        let source = usize::from(view.source);
        let own = self.is_own(view.instrument, registry);
        self.carried[source].insert(view.instrument);
        let updates = &mut self.updates[source][usize::from(!own)];
        updates[0] += u64::from(self.window.has(now));
        updates[1] += u64::from(self.during.has(now));
        let around = Span {
            from_ns: self.during.from_ns.saturating_sub(echoes::AROUND_NS),
            to_ns: self.during.to_ns.saturating_add(echoes::AROUND_NS),
        };
        // A national best follows from the others, in whatever order they come.
        if view.venue != VenueId::NATIONAL {
            self.echoes[source].shown(now, id, &quote, around);
        }
        if own {
            if self.during.has(now) {
                self.likeness.changed(id, registry, view);
            }
            self.track(now, id, quote, view.origin);
        }
        if view.venue != VenueId::NATIONAL && self.subject.is_some() {
            self.moved(now, id, view, &quote, own, registry);
        }
    }

    /// Views of the instrument that are made of others change without a note.
    pub(super) fn composites(&mut self, now: u64, registry: &Registry) {
        let Some(id) = self.id.filter(|_| !self.composites.is_empty()) else { return };
        for view_id in registry.views_of(id) {
            let view = &registry.views[view_id as usize];
            let Some(quote) = view.quote.filter(|_| self.composites.contains(&view.source)) else { continue };
            let last = self.tracks.iter().find(|t| t.view == view_id).and_then(|t| t.shown.last());
            if last.is_none_or(|(_, shown, _)| *shown != quote) {
                self.track(now, view_id, quote, view.origin);
            }
        }
    }

    fn track(&mut self, now: u64, view: ViewId, quote: Quote, origin: crate::market::Origin) {
        if now > self.window.to_ns {
            return;
        }
        let index = self.tracks.iter().position(|t| t.view == view).unwrap_or_else(|| {
            self.tracks.push(Track { view, shown: Vec::new(), left_out: 0 });
            self.tracks.len() - 1
        });
        let track = &mut self.tracks[index];
        if now < self.window.from_ns {
            track.shown.clear();
        }
        if track.shown.len() >= SHOWN_MAX {
            track.left_out += 1;
        } else {
            track.shown.push((now, quote, origin));
        }
    }

    /// Matches a view's price moves with those of the views across from it.
    fn moved(&mut self, now: u64, id: ViewId, view: &View, quote: &Quote, own: bool, registry: &Registry) {
        let levels = if self.lots { quote.round_lot } else { quote.best };
        let prices = levels.map(|l| l.map(|l| l.price));
        let watch = self.watches.entry(id).or_default();
        let before = std::mem::replace(&mut watch.prices, prices);
        watch.ok = quote.quality == Quality::Ok;
        let subject = self.subject == Some(view.source);
        for side in 0..2 {
            let Some(price) = prices[side].filter(|p| before[side] != Some(*p)) else { continue };
            if own && self.venue.as_deref() == registry.mic(view.venue) {
                self.remember(now, view.source, side, before[side], price);
            }
            let mut matched = 0;
            for across_id in registry.views_of(view.instrument) {
                let across = &registry.views[across_id as usize];
                if across.venue != view.venue || across.source == view.source {
                    continue;
                }
                let other = if subject { across.source } else { view.source };
                let paired = subject || self.subject == Some(across.source);
                let Some(pairing) = self.pairing[usize::from(other)].filter(|_| paired) else { continue };
                self.others_shared[pairing].extend((!own).then_some(view.instrument));
                let Some(watch) = self.watches.get_mut(&across_id) else { continue };
                if let Some(at) = watch.recent.take(side, price, pairing, now) {
                    matched |= 1 << (pairing % 64);
                    let lag = (now - at) as i64;
                    if self.window.has(now) {
                        self.lags[pairing].add(now, if subject { lag } else { -lag }, own);
                    }
                }
            }
            let watch = self.watches.entry(id).or_default();
            if let Some(at) = watch.recent.push(side, price, now, matched)
                && let list = &mut self.unmatched[usize::from(view.source)]
                && list.len() < UNMATCHED_MAX
            {
                list.push(at);
            }
        }
        if !own {
            self.note_apart(now, id, view, subject, registry);
        }
    }

    fn remember(&mut self, now: u64, source: SourceId, side: usize, before: Option<i64>, price: i64) {
        if now > self.window.to_ns {
            return;
        }
        let history = &mut self.histories[usize::from(source)];
        if history.len() >= HISTORY_MAX {
            history.pop_front();
        }
        history.push_back((now, side, before.unwrap_or(0), price));
    }

    /// Another instrument's views may differ from now on, or do so no more.
    fn note_apart(&mut self, now: u64, id: ViewId, view: &View, subject: bool, registry: &Registry) {
        for across_id in registry.views_of(view.instrument) {
            let across = &registry.views[across_id as usize];
            if across.venue != view.venue || across.source == view.source {
                continue;
            }
            let (own_id, other_id, other) =
                if subject { (id, across_id, across.source) } else { (across_id, id, view.source) };
            let is_pair = subject || self.subject == Some(across.source);
            let Some(pairing) = self.pairing[usize::from(other)].filter(|_| is_pair) else { continue };
            let Some((other_prices, other_ok)) = self.watches.get(&other_id).map(|w| (w.prices, w.ok)) else {
                continue;
            };
            let Some(own) = self.watches.get_mut(&own_id) else { continue };
            for (side, other_price) in other_prices.into_iter().enumerate() {
                let differs =
                    own.ok && other_ok && own.prices[side].zip(other_price).is_some_and(|(a, b)| a != b);
                let since = &mut own.apart_since.entry((pairing, other_id)).or_default()[side];
                match (*since, differs) {
                    (None, true) => *since = Some(now),
                    (Some(from), false) => {
                        *since = None;
                        if is_apart(Span { from_ns: from, to_ns: now }, self.during) {
                            self.others_apart[pairing].insert(view.instrument);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Everything, at the end.
    pub(super) fn finish(
        mut self,
        config: &Config,
        intake: &Intake,
        registry: &Registry,
        sources: &mut [SourceFacts],
        name_of: &dyn Fn(u32) -> String,
    ) -> Finished {
        self.close_apart(registry);
        for (index, facts) in sources.iter_mut().enumerate() {
            let [own, others] = self.updates[index];
            (facts.updates, facts.updates_other) = (own, others);
            facts.instruments = self.carried[index].len() as u64;
            facts.echoes = std::mem::take(&mut self.echoes[index]).finish();
            facts.definition = self.instrument.as_deref().and_then(|name| defined(intake, index, name));
        }
        for (id, watch) in &self.watches {
            let list = &mut self.unmatched[usize::from(registry.views[*id as usize].source)];
            list.extend(watch.recent.unmatched());
        }
        self.unmatched.iter_mut().for_each(|list| list.sort_unstable());
        let names = config.comparands();
        let pairings = self.pairings(&names);
        let views = self.tracks.into_iter().map(|track| {
            let view = &registry.views[track.view as usize];
            let shown = track.shown.into_iter().map(|(at_ns, quote, origin)| Shown {
                at_ns,
                ts_event_ns: origin.ts_event_ns,
                quote,
                spot: Spot {
                    capture: name_of(origin.capture),
                    frame: origin.frame,
                    sequence: origin.sequence,
                },
            });
            ViewFacts {
                source: names[usize::from(view.source)].clone(),
                venue: registry.mic(view.venue).map(str::to_owned),
                round_lots_only: view.round_lots_only,
                composite: usize::from(view.source) >= config.sources.len(),
                shown: shown.collect(),
                left_out: track.left_out,
            }
        });
        let views = views.collect();
        Finished {
            views,
            pairings,
            likenesses: self.likeness.finish(registry, &names),
            moves: self.unmatched,
        }
    }

    fn close_apart(&mut self, registry: &Registry) {
        for (id, watch) in &self.watches {
            for ((pairing, _), since) in &watch.apart_since {
                let open = since.iter().flatten();
                let open = open.map(|from| Span { from_ns: *from, to_ns: self.window.to_ns });
                if open.into_iter().any(|span| is_apart(span, self.during)) {
                    self.others_apart[*pairing].insert(registry.views[*id as usize].instrument);
                }
            }
        }
    }

    fn pairings(&mut self, names: &[String]) -> Vec<Pairing> {
        let Some(subject) = self.subject.map(usize::from) else { return Vec::new() };
        let mut out = Vec::new();
        for (source, pairing) in self.pairing.iter().enumerate() {
            let Some(pairing) = *pairing else { continue };
            let lags = std::mem::take(&mut self.lags[pairing]);
            let Span { from_ns, to_ns } = self.during;
            let stretch = Span { from_ns, to_ns: to_ns.max(from_ns.saturating_add(rates::LEAST_NS)) };
            let rest_stretch = lags.rest_in(stretch);
            let [own, rest] = lags.finish(self.during);
            out.push(Pairing {
                subject: names[subject].clone(),
                other: names[source].clone(),
                own,
                rest,
                rest_stretch,
                constant_delay: constant_delay(&self.histories[subject], &self.histories[source]),
                others_apart: self.others_apart[pairing].len() as u64,
                others_shared: self.others_shared[pairing].len() as u64,
            });
        }
        out
    }
}

/// Whether a difference lasted longer than a flight while the alert did.
fn is_apart(span: Span, during: Span) -> bool {
    span.len_ns() > APART_NS && span.meets(&during)
}

/// What the source itself says of the instrument.
fn defined(intake: &Intake, source: usize, name: &str) -> Option<Definition> {
    let registry = intake.feeder.registry(source as u16);
    let view = registry.views.iter().find(|v| *registry.get(v.instrument).name == *name)?;
    let instrument = registry.get(view.instrument);
    Some(Definition { tick: instrument.tick_nanos, round_lot: instrument.round_lot, test: instrument.test })
}
