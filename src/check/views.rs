//! How quotes reach the checks: views, the pairs they form, and the peers they have.

use feeds::feed::Depth;

use super::history::Current;
use super::pair::{Like, Next};
use super::stale::PeerMove;
use super::*;
use crate::config::Check;

/// A side of a view moves to another price.
struct Move {
    like: usize,
    side: Side,
    before: Option<Current>,
    price: i64,
    /// Receive time of the packet that says so.
    ts_ns: u64,
}

impl Comparator {
    /// Quotes after a packet: `touched` lists every view that the packet said something of, and whether its quote
    /// became another. All of them are in `registry` already: the packet's messages take effect together.
    pub fn on_views(&mut self, now: u64, touched: &[(ViewId, bool)], registry: &Registry) {
        for (id, changed) in touched {
            self.know_view(now, *id, registry);
            if *changed {
                self.show(now, *id, registry);
            }
        }
        for (id, _) in touched {
            let judge = &mut self.views[*id as usize];
            if judge.stale.updated(now, &mut self.desk, registry) {
                self.judge_pairs_of(now, *id, None, registry);
            }
        }
        for (id, changed) in touched {
            if *changed {
                self.judge_pairs_of(now, *id, Some(*id), registry);
                self.judge_view(now, *id, registry);
                self.tell_candidates(now, *id, registry);
            }
        }
    }

    fn know_view(&mut self, now: u64, id: ViewId, registry: &Registry) {
        while self.views.len() <= id as usize {
            let new = self.views.len() as ViewId;
            self.views.push(ViewJudge { armed: u64::MAX, ..ViewJudge::default() });
            let view = &registry.views[new as usize];
            self.sources[usize::from(view.source)].views += 1;
            self.make_pairs(new, registry);
            self.carry(now, new, registry);
        }
    }

    fn make_pairs(&mut self, new: ViewId, registry: &Registry) {
        let view = &registry.views[new as usize];
        for other in registry.views_of(view.instrument) {
            let peer = &registry.views[*other as usize];
            if *other >= new || peer.venue != view.venue || peer.source == view.source {
                continue;
            }
            let ordered = if peer.source < view.source { [*other, new] } else { [new, *other] };
            let [a, b] = ordered.map(|v| registry.views[v as usize].source);
            let relation = self.relation(a, b);
            let lots = view.round_lots_only || peer.round_lots_only;
            let like = if lots { Like::RoundLot } else { Like::Plain };
            let pair = self.pairs.len() as u32;
            self.pairs.push(Pair::new(ordered, relation, like));
            self.matchers.push(PriceMatcher::default());
            self.relations[relation].pairs += 1;
            ordered.iter().for_each(|v| self.views[*v as usize].pairs.push(pair));
            [a, b].iter().for_each(|s| self.sources[usize::from(*s)].pairs.push(pair));
        }
    }

    pub(super) fn relation(&mut self, a: SourceId, b: SourceId) -> usize {
        if let Some(found) = self.relation_of.get(&(a, b)) {
            return *found;
        }
        let relation = self.relations.len();
        self.relations.push(Relation { sources: [a, b], ..Relation::default() });
        self.relation_of.insert((a, b), relation);
        let same_feed =
            self.feeds[usize::from(a)].is_some() && self.feeds[usize::from(a)] == self.feeds[usize::from(b)];
        self.packets.push(same_feed.then(PacketMatcher::default));
        let [from, to] = [a, b].map(|s| self.desk.sources[usize::from(s)].clone());
        self.series.push(self.recorder.series("", &from, &to));
        relation
    }

    /// Takes the view's prices into its history, and matches its moves with its peers'.
    fn show(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let view = &registry.views[id as usize];
        let Some(quote) = &view.quote else { return };
        let window = self.longest_window(view.source);
        for (like, levels) in [quote.best, quote.round_lot].into_iter().enumerate() {
            for side in SIDES {
                let price = levels[side.index()].map(|l| l.price);
                let history = &mut self.views[id as usize].history[like][side.index()];
                let before = history.current();
                let moved = history.show(now, price, window);
                if let (true, Some(price)) = (moved, price) {
                    let to = Move { like, side, before, price, ts_ns: view.origin.ts_recv_ns };
                    self.match_move(now, id, to);
                }
            }
        }
    }

    fn longest_window(&self, source: SourceId) -> u64 {
        let windows = (0..self.sources.len() as SourceId).filter_map(|other| {
            let check = self.rules.pair(Kind::Lagging, source.min(other), source.max(other))?;
            Some(check.window_ns)
        });
        windows.max().unwrap_or(10_000_000_000)
    }

    fn match_move(&mut self, now: u64, id: ViewId, to: Move) {
        for index in 0..self.views[id as usize].pairs.len() {
            let pair_id = self.views[id as usize].pairs[index] as usize;
            let pair = &self.pairs[pair_id];
            let relation = pair.relation;
            if pair.like as usize != to.like || self.packets[relation].is_some() {
                continue;
            }
            let position = usize::from(pair.views[1] == id);
            let peer = &self.views[pair.views[1 - position] as usize];
            let peer = peer.history[to.like][to.side.index()].current();
            let side = to.side as u8;
            if let (Some(own), Some(peer)) = (to.before, peer)
                && own.price == peer.price
                && now > own.since.max(peer.since).saturating_add(self.flight_ns(relation))
            {
                let given_up = self.matchers[pair_id].settled(side);
                self.record_match(relation, now, None, given_up);
            }
            let (matched, given_up) =
                self.matchers[pair_id].moved(position, side, to.price, to.ts_ns, 10_000_000_000);
            self.record_match(relation, now, matched, given_up);
        }
    }

    /// How late one of the two may be without being late.
    fn flight_ns(&self, relation: usize) -> u64 {
        let [a, b] = self.relations[relation].sources;
        let check = self.rules.pair(Kind::Lagging, a, b);
        check.map_or_else(|| Check::with_defaults(Kind::Lagging).lag_limit_ns, |check| check.lag_limit_ns)
    }

    fn judge_pairs_of(&mut self, now: u64, id: ViewId, moved: Option<ViewId>, registry: &Registry) {
        for index in 0..self.views[id as usize].pairs.len() {
            let pair = self.views[id as usize].pairs[index];
            self.judge_pair(now, pair, registry);
            let Some(mover) = moved else { continue };
            let position = usize::from(self.pairs[pair as usize].views[1] == mover);
            self.bench(registry, |pairs, bench| {
                status::judge(&mut pairs[pair as usize], now, Some(position), bench);
            });
            self.peer_moved(now, pair, 1 - position, registry);
        }
    }

    /// Runs `judge` with what pairs are judged with.
    fn bench<R>(&mut self, registry: &Registry, judge: impl FnOnce(&mut [Pair], &mut Bench<'_>) -> R) -> R {
        let mut bench = Bench {
            desk: &mut self.desk,
            rules: &self.rules,
            registry,
            views: &self.views,
            sources: &self.sources,
            relations: &mut self.relations,
        };
        judge(&mut self.pairs, &mut bench)
    }

    pub(super) fn judge_pair(&mut self, now: u64, pair: u32, registry: &Registry) {
        let Next { at, waits } = self.bench(registry, |pairs, bench| pairs[pair as usize].judge(now, bench));
        self.timers.arm(TimerKey::Pair(pair), at, &mut self.pairs[pair as usize].armed);
        if let Some(waits) = waits {
            let waiting = &mut self.sources[usize::from(waits.source)].waiting;
            if !waiting.contains(&pair) {
                waiting.push(pair);
            }
        }
    }

    pub(super) fn judge_view(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let mut crossing = std::mem::take(&mut self.views[id as usize].crossing);
        let at = self.bench(registry, |_, bench| {
            let held = bench.views[id as usize].held(&registry.views[id as usize], bench);
            crossed::judge_view(id, now, &mut crossing, held, bench)
        });
        let judge = &mut self.views[id as usize];
        judge.crossing = crossing;
        self.timers.arm(TimerKey::View(id), at, &mut judge.armed);
    }

    /// The other view of the pair moved: `position` (0 or 1) may not have followed.
    fn peer_moved(&mut self, now: u64, pair: u32, position: usize, registry: &Registry) {
        if self.bench(registry, |pairs, bench| pairs[pair as usize].held(bench).is_some()) {
            return;
        }
        let pair = &self.pairs[pair as usize];
        let id = pair.views[position];
        let source = registry.views[id as usize].source;
        let Some(check) = self.rules.source(Kind::Stale, source) else { return };
        let mover = pair.views[1 - position];
        let history = |v: ViewId, s: &Side| &self.views[v as usize].history[pair.like as usize][s.index()];
        let price = |v: ViewId, s: &Side| history(v, s).current().map(|c| c.price);
        let changed = |s: &Side| history(mover, s).current().is_some_and(|c| c.since == now);
        if !SIDES.iter().any(changed) {
            return;
        }
        let follows = |s: &Side| {
            let own = history(id, s);
            let flight_ns = self.flight_ns(pair.relation);
            price(mover, s).is_some_and(|p| own.has_shown(now, p, flight_ns))
        };
        let changes = || SIDES.iter().filter(|s| changed(s));
        let peer = PeerMove {
            follows: self.relations[pair.relation].repeats == Some((now, 1 - position))
                || changes().all(follows),
            away: changes().any(|s| price(mover, s) != price(id, s) && !follows(s)),
            differs: SIDES.iter().any(|s| price(mover, s) != price(id, s)),
            behind: pair.behind() == Some(position),
        };
        let stale = &mut self.views[id as usize].stale;
        if stale.is_stale() {
            return;
        }
        let at = stale.peer_moved(now, peer, check);
        if at <= now {
            self.judge_stale(now, id, registry);
        } else {
            self.timers.arm(TimerKey::Stale(id), at, &mut self.views[id as usize].stale.armed);
        }
    }

    pub(super) fn judge_stale(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let source = registry.views[id as usize].source;
        let held = self
            .bench(registry, |_, bench| bench.views[id as usize].held(&registry.views[id as usize], bench));
        let held = held.is_some_and(|r| r != "stale");
        let Some(check) = self.rules.source(Kind::Stale, source) else { return };
        let stale = &mut self.views[id as usize].stale;
        let judge = &mut self.sources[usize::from(source)];
        let overdue = stale.overdue(now, check);
        if !held && overdue.is_some_and(|since| judge.may_be_dead(source, since, &self.rules)) {
            if stale.wait() {
                judge.waiting_views.push(id);
            }
            return;
        }
        let (at, became) = stale.judge(id, now, held, check, &mut self.desk, registry);
        self.timers.arm(TimerKey::Stale(id), at, &mut stale.armed);
        if became {
            self.judge_pairs_of(now, id, None, registry);
        }
    }

    /// Sources that could carry the instrument of a new view, and do not yet.
    fn carry(&mut self, now: u64, new: ViewId, registry: &Registry) {
        let view = &registry.views[new as usize];
        let instrument = view.instrument;
        if let Some(index) = self.candidate_of.get(&(instrument, view.source)) {
            self.candidates[*index as usize].carry(now, &mut self.desk, registry);
        }
        for source in 0..self.sources.len() as SourceId {
            let known = self.candidate_of.contains_key(&(instrument, source));
            if known || source == view.source || !self.could_carry(source, new, registry) {
                continue;
            }
            let carried =
                registry.views_of(instrument).iter().any(|v| registry.views[*v as usize].source == source);
            let mut candidate = Candidate::new(instrument, source, view.source, view.venue);
            candidate.carried = carried;
            self.candidate_of.insert((instrument, source), self.candidates.len() as u32);
            self.candidates.push(candidate);
        }
    }

    fn could_carry(&self, source: SourceId, view: ViewId, registry: &Registry) -> bool {
        let view = &registry.views[view as usize];
        let Some(feed) = self.feeds[usize::from(source)] else { return false };
        if self.rules.source(Kind::Missing, source).is_none() || view.venue == VenueId::NATIONAL {
            return false;
        }
        let instrument = registry.get(view.instrument);
        if instrument.test {
            return false;
        }
        let info = feed.info();
        if info.depth != Depth::Consolidated {
            return self.venues[usize::from(source)] == view.venue;
        }
        let participant =
            registry.mic(view.venue).is_some_and(|mic| info.participants.iter().any(|(_, m)| *m == mic));
        let listed = info.listings.is_empty()
            || instrument.listing == 0
            || info.listings.contains(&instrument.listing);
        participant && listed
    }

    fn tell_candidates(&mut self, now: u64, changed: ViewId, registry: &Registry) {
        let view = &registry.views[changed as usize];
        for source in 0..self.sources.len() as SourceId {
            let Some(index) = self.candidate_of.get(&(view.instrument, source)).copied() else { continue };
            let judge = &self.sources[usize::from(source)];
            let candidate = &mut self.candidates[index as usize];
            if candidate.carried
                || candidate.peer != view.source
                || judge.alive_since.is_none()
                || judge.life.is_silent()
            {
                continue;
            }
            let Some(check) = self.rules.source(Kind::Missing, source) else { continue };
            let at = candidate.peer_changed(now, check);
            self.timers.arm(TimerKey::Missing(index), at, &mut candidate.armed);
        }
    }

    /// Everything about a source's instruments is to be looked at again, and what is made of them: it fell silent
    /// or came back.
    pub(super) fn judge_source(&mut self, now: u64, source: SourceId, registry: &Registry) {
        self.judge_views_of(now, source, registry);
        for composite in 0..self.sources.len() {
            if self.sources[composite].parts.contains(&source) {
                self.judge_views_of(now, composite as SourceId, registry);
            }
        }
    }

    fn judge_views_of(&mut self, now: u64, source: SourceId, registry: &Registry) {
        for index in 0..self.sources[usize::from(source)].pairs.len() {
            let pair = self.sources[usize::from(source)].pairs[index];
            self.judge_pair(now, pair, registry);
            self.bench(registry, |pairs, bench| status::judge(&mut pairs[pair as usize], now, None, bench));
        }
        for id in 0..self.views.len() as ViewId {
            if registry.views[id as usize].source != source {
                continue;
            }
            if self.sources[usize::from(source)].life.is_silent() {
                self.views[id as usize].stale.drop(now, "not_comparable:silent", &mut self.desk, registry);
            }
            self.judge_view(now, id, registry);
        }
    }
}
