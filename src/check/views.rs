//! How quotes reach the checks: views, the pairs they form, and the peers they have.
//!
//! An update costs by what it can change: a price that moves looks at every pair of its view, a quantity at those
//! pairs only in which something is open. A silence looks at what is open; the rest of a source's pairs have clocks for it.

use feeds::feed::Depth;

use super::history::Current;
use super::missing::Candidate;
use super::pair::Next;
use super::stale::{PeerMove, Telling};
use super::*;
use crate::market::Quality;

/// A side of a view moves to another price.
struct Move {
    like: Like,
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
            if self.views.len() <= *id as usize {
                self.know_view(now, *id, registry);
            }
            if *changed {
                self.show(now, *id, registry);
            }
        }
        for (id, _) in touched {
            let judge = &mut self.views[*id as usize];
            judge.stale.since_silence(self.sources[usize::from(judge.source)].silences);
            let mut telling = Telling { alerts: &mut self.stale_alerts, desk: &mut self.desk, registry };
            if judge.stale.updated(*id, now, &mut telling) {
                self.judge_pairs_of(now, *id, registry);
                self.mark_view(*id);
            }
        }
        for (id, changed) in touched {
            if *changed {
                self.judge_moved(now, *id, registry);
                self.judge_view(now, *id, registry);
                self.tell_candidates(now, *id, registry);
            }
        }
    }

    fn know_view(&mut self, now: u64, id: ViewId, registry: &Registry) {
        while self.views.len() <= id as usize {
            let new = self.views.len() as ViewId;
            let view = &registry.views[new as usize];
            let source = &mut self.sources[usize::from(view.source)];
            let mut older = registry.views_of(view.instrument).filter(|other| *other < new);
            let known = older.any(|other| registry.views[other as usize].source == view.source);
            source.instruments += u64::from(!known);
            if source.composite {
                source.composed.push(new);
            }
            let mut judge = ViewJudge::new(view.instrument, view.source, source.composite);
            let likes = self.likes(view.source, view.venue, view.round_lots_only, registry);
            for like in [Like::Plain, Like::RoundLot] {
                if likes & 1 << like as u8 != 0 {
                    judge.histories[like as usize] = self.histories.len() as u32;
                    self.histories.push(Default::default());
                }
            }
            self.views.push(judge);
            self.make_pairs(now, new, registry);
            self.carry(now, new, registry);
        }
    }

    /// Which prices of a view may be compared with another source's, bit by [`Like`].
    fn likes(&mut self, source: SourceId, venue: VenueId, lots: bool, registry: &Registry) -> u8 {
        if let Some(known) = self.likes.get(&(source, venue)) {
            return *known;
        }
        let mut likes = 0;
        for other in (0..self.sources.len() as SourceId).filter(|other| *other != source) {
            let info = self.feeds[usize::from(other)].map(|feed| feed.info());
            let there = venue == self.venues[usize::from(other)]
                || info.is_some_and(|info| {
                    let mic = registry.mic(venue);
                    info.depth == Depth::Consolidated
                        && (mic.is_none() || info.participants.iter().any(|(_, m)| Some(*m) == mic))
                });
            if there {
                let lots = lots || info.is_some_and(|info| info.round_lots_only);
                likes |= 1 << if lots { Like::RoundLot } else { Like::Plain } as u8;
            }
        }
        self.likes.insert((source, venue), likes);
        likes
    }

    fn make_pairs(&mut self, now: u64, new: ViewId, registry: &Registry) {
        let view = &registry.views[new as usize];
        let peer = registry.views_of(view.instrument).find(|other| {
            let peer = &registry.views[*other as usize];
            *other < new && peer.venue == view.venue && peer.source != view.source
        });
        let Some(first) = peer else { return };
        let mut group = self.views[first as usize].group;
        if group == NONE {
            group = self.groups.make(first);
            self.views[first as usize].group = group;
        }
        let peers: Vec<ViewId> = self.groups.views(group).collect();
        let place = self.groups.join(group, new, self.pairs.len() as u32);
        self.views[new as usize].group = group;
        self.views[new as usize].place = place;
        for other in peers {
            let peer = &registry.views[other as usize];
            let ordered = if peer.source < view.source { [other, new] } else { [new, other] };
            let [a, b] = ordered.map(|v| registry.views[v as usize].source);
            let relation = self.relation(now, a, b);
            let lots = view.round_lots_only || peer.round_lots_only;
            let like = if lots { Like::RoundLot } else { Like::Plain };
            self.keep(new, like);
            if self.keep(other, like) {
                self.show_quietly(now, other, like, registry);
            }
            let pair = self.pairs.len() as u32;
            self.pairs.push(Pair::new(ordered, relation, like));
            self.active_pairs.set(pair, true);
            self.relations[relation as usize].pairs += 1;
            for source in [a, b].map(usize::from) {
                if self.sources[source].composite {
                    self.sources[source].pairs.push(pair);
                }
            }
        }
    }

    /// A view's prices of that kind are compared from now on; answers whether they were not.
    fn keep(&mut self, id: ViewId, like: Like) -> bool {
        let kept = &mut self.views[id as usize].histories[like as usize];
        let new = *kept == NONE;
        if new {
            *kept = self.histories.len() as u32;
            self.histories.push(Default::default());
        }
        new
    }

    /// What a view shows already, where nothing has compared such prices of it so far.
    fn show_quietly(&mut self, now: u64, id: ViewId, like: Like, registry: &Registry) {
        let Some(quote) = &registry.views[id as usize].quote else { return };
        let levels = if like == Like::Plain { quote.best } else { quote.round_lot };
        let judge = &mut self.views[id as usize];
        for (side, level) in levels.into_iter().enumerate() {
            let (price, window) = (level.map(|l| l.price), self.sources[usize::from(judge.source)].window_ns);
            let [kept, other] = [like as usize, 1 - like as usize].map(|l| judge.histories[l]);
            if !judge.set_price(like as usize, side, price) {
                continue;
            }
            // The same price, counted otherwise, has been there since then.
            let known = self.histories.get(other as usize).map(|h| &h[side]);
            match known.filter(|h| h.current().map(|c| c.price) == price).cloned() {
                Some(known) => self.histories[kept as usize][side] = known,
                None => _ = self.histories[kept as usize][side].show(now, price, window),
            }
        }
    }

    pub(super) fn relation(&mut self, now: u64, a: SourceId, b: SourceId) -> u32 {
        if let Some(found) = self.relation_of.get(&(a, b)) {
            return *found;
        }
        let relation = self.relations.len() as u32;
        let rules = self.rules.of_pair(a, b);
        self.relations.push(Relation { sources: [a, b], rules, ..Relation::default() });
        self.relation_of.insert((a, b), relation);
        [a, b].iter().for_each(|s| self.sources[usize::from(*s)].relations.push(relation));
        self.watch_silence(now, relation);
        let same_feed =
            self.feeds[usize::from(a)].is_some() && self.feeds[usize::from(a)] == self.feeds[usize::from(b)];
        self.packets.push(same_feed.then(PacketMatcher::default));
        let [from, to] = [a, b].map(|s| self.desk.sources[usize::from(s)].clone());
        self.series.push(self.recorder.series("", &from, &to));
        relation
    }

    /// One of the two sources may have fallen silent or come back.
    fn watch_silence(&mut self, now: u64, relation: u32) {
        let Relation { sources, silences, .. } = &mut self.relations[relation as usize];
        let [a, b] = sources.map(|s| self.sources[usize::from(s)].life.is_silent());
        silences[0].set(now, a);
        silences[1].set(now, a || b);
    }

    /// Takes the view's prices into its history, and matches its moves with its peers'.
    fn show(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let view = &registry.views[id as usize];
        let Some(quote) = &view.quote else { return };
        let window = self.sources[usize::from(view.source)].window_ns;
        let mut moved = false;
        for like in [Like::Plain, Like::RoundLot] {
            let kept = self.views[id as usize].histories[like as usize];
            if kept == NONE {
                continue;
            }
            let levels = if like == Like::Plain { &quote.best } else { &quote.round_lot };
            for side in SIDES {
                let price = levels[side.index()].map(|l| l.price);
                if !self.views[id as usize].set_price(like as usize, side.index(), price) {
                    continue;
                }
                moved = true;
                let history = &mut self.histories[kept as usize][side.index()];
                let before = history.current();
                history.show(now, price, window);
                if let Some(price) = price {
                    let to = Move { like, side, before, price, ts_ns: view.origin.ts_recv_ns };
                    self.match_move(now, id, &to);
                }
            }
        }
        let judge = &mut self.views[id as usize];
        let quality = Held::by_quality(quote.quality);
        let crosses = quote.crossing().is_some_and(|o| o != std::cmp::Ordering::Less);
        let test = registry.is_test(judge.instrument);
        if moved || (judge.quality, judge.crosses, judge.test) != (quality, crosses, test) {
            (judge.quality, judge.crosses, judge.test) = (quality, crosses, test);
            judge.moved_at = now;
        }
    }

    /// Where the pairs of a view are, and how many it has. They stay the same while they are judged.
    #[inline]
    fn near(&self, id: ViewId) -> (u32, u16, usize) {
        let ViewJudge { group, place, .. } = self.views[id as usize];
        let pairs = if group == NONE { 0 } else { self.groups.len(group) - 1 };
        (group, place, pairs)
    }

    fn match_move(&mut self, now: u64, id: ViewId, to: &Move) {
        let (group, place, pairs) = self.near(id);
        for nth in 0..pairs {
            let (pair, peer) = self.groups.pair_of(group, place, nth);
            let pair = &mut self.pairs[pair as usize];
            let relation = pair.relation as usize;
            if pair.like != to.like || self.packets[relation].as_ref().is_some_and(|p| !p.is_apart()) {
                continue;
            }
            let (position, side) = (usize::from(pair.views[1] == id), to.side as u8);
            let matchers = &mut self.rare.matchers;
            let mut given_up = [0; 2];
            if pair.matcher == 0 {
                pair.matcher = matchers.reuse();
            } else if let Some(own) = to.before {
                let kept = self.views[peer as usize].histories[to.like as usize];
                let flight_ns = self.relations[relation].rules.clock.lag_limit_ns;
                if let Some(peer) = self.histories[kept as usize][to.side.index()].current()
                    && own.price == peer.price
                    && now > own.since.max(peer.since).saturating_add(flight_ns)
                {
                    given_up = matchers[pair.matcher].settled(side);
                }
            }
            let matcher = &mut matchers[pair.matcher];
            let (matched, more) = matcher.moved(position, side, to.price, to.ts_ns, 10_000_000_000);
            if matcher.is_empty() {
                matchers.give_back(&mut pair.matcher);
            }
            add(&mut given_up, more);
            self.record_match(relation, now, matched, given_up);
        }
    }

    /// Judges every pair of a view.
    fn judge_pairs_of(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let (group, place, pairs) = self.near(id);
        for nth in 0..pairs {
            let (pair, _) = self.groups.pair_of(group, place, nth);
            self.judge_pair(now, pair, registry);
        }
    }

    /// A view's quote became another.
    fn judge_moved(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let moved = self.views[id as usize].moved_at == now;
        let (group, place, pairs) = self.near(id);
        for nth in 0..pairs {
            let (pair, peer) = self.groups.pair_of(group, place, nth);
            if !moved && !self.pairs[pair as usize].is_active() {
                continue;
            }
            let held = self.judge_pair(now, pair, registry);
            let judged = &self.pairs[pair as usize];
            let position = usize::from(judged.views[1] == id);
            // Of two that trade, and have not parted, nothing is to be told.
            let trade = judged.views.iter().all(|view| self.views[*view as usize].quality.is_none());
            if !trade || judged.has_parted() {
                self.judge_status(now, pair, Some(position), registry);
            }
            if moved && held.is_none() {
                self.peer_moved(now, pair, id, peer, registry);
            }
        }
    }

    /// Runs `judge` with what pairs are judged with.
    #[inline]
    fn bench<R>(&mut self, registry: &Registry, judge: impl FnOnce(&mut [Pair], &mut Bench<'_>) -> R) -> R {
        let mut bench = Bench {
            desk: &mut self.desk,
            rules: &self.rules,
            registry,
            views: &self.views,
            histories: &self.histories,
            sources: &self.sources,
            relations: &mut self.relations,
            rare: &mut self.rare,
            ledger: self.ledger.as_deref_mut(),
        };
        judge(&mut self.pairs, &mut bench)
    }

    /// Judges a pair; answers why it cannot be compared.
    pub(super) fn judge_pair(&mut self, now: u64, id: u32, registry: &Registry) -> Option<Held> {
        let active = self.pairs[id as usize].is_active();
        if let Some(ledger) = &mut self.ledger {
            ledger.pair = id;
        }
        let (Next { at, waits }, held) =
            self.bench(registry, |pairs, bench| pairs[id as usize].judge(now, bench));
        let pair = &mut self.pairs[id as usize];
        self.timers.arm(TimerKey::Pair(id), at, &mut pair.armed);
        if let Some(waits) = waits {
            let position = self.relations[pair.relation as usize].position(waits.source);
            if pair.mark_waiting(position, true) {
                self.sources[usize::from(waits.source)].waiting.push(id);
            }
        }
        if pair.is_active() != active {
            self.active_pairs.set(id, !active);
        }
        held
    }

    fn judge_status(&mut self, now: u64, id: u32, changed: Option<usize>, registry: &Registry) {
        let active = self.pairs[id as usize].is_active();
        self.bench(registry, |pairs, bench| status::judge(&mut pairs[id as usize], now, changed, bench));
        if self.pairs[id as usize].is_active() != active {
            self.active_pairs.set(id, !active);
        }
    }

    pub(super) fn judge_view(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let ViewJudge { crossing, crosses, .. } = self.views[id as usize];
        if crossing == 0 && !crosses {
            return;
        }
        let mut place = crossing;
        let at = self.bench(registry, |_, bench| {
            let held = bench.views[id as usize].held(bench);
            crossed::judge_view(id, now, &mut place, held, bench)
        });
        let judge = &mut self.views[id as usize];
        judge.crossing = place;
        self.timers.arm(TimerKey::View(id), at, &mut judge.armed);
        self.mark_view(id);
    }

    /// Whether a silence concerns the view.
    fn mark_view(&mut self, id: ViewId) {
        let judge = &self.views[id as usize];
        self.active_views.set(id, judge.crossing != 0 || judge.is_stale());
    }

    /// `mover`, one of the pair, moved: `id`, the other, may not have followed.
    fn peer_moved(&mut self, now: u64, pair: u32, mover: ViewId, id: ViewId, registry: &Registry) {
        let pair = &self.pairs[pair as usize];
        let (moving, judge) = (&self.views[mover as usize], &self.views[id as usize]);
        let Some(check) = self.rules.source(Kind::Stale, judge.source) else { return };
        let kept = &self.histories[moving.histories[pair.like as usize] as usize];
        let changed = |side: usize| kept[side].current().is_some_and(|c| c.since == now);
        let changed = [changed(0), changed(1)];
        if changed == [false; 2] {
            return;
        }
        let own = &self.histories[judge.histories[pair.like as usize] as usize];
        let relation = &self.relations[pair.relation as usize];
        let flight_ns = relation.rules.clock.lag_limit_ns;
        let (mut all_follow, mut away, mut differs) = (true, false, false);
        for side in [0, 1] {
            let price = moving.price(pair.like, side);
            let other = price != judge.price(pair.like, side);
            differs |= other;
            if changed[side] {
                let follows = price.is_some_and(|price| own[side].has_shown(now, price, flight_ns));
                all_follow &= follows;
                away |= other && !follows;
            }
        }
        let position = usize::from(pair.views[1] == id);
        let follows = all_follow || relation.repeats == Some((now, 1 - position));
        let behind = pair.behind(&self.rare) == Some(position);
        let peer = PeerMove { follows, away, differs, behind };
        let silences = self.sources[usize::from(judge.source)].silences;
        let stale = &mut self.views[id as usize].stale;
        if stale.is_stale() {
            return;
        }
        stale.since_silence(silences);
        let at = stale.peer_moved(now, peer, check);
        if at <= now {
            self.judge_stale(now, id, registry);
        } else {
            self.timers.arm(TimerKey::Stale(id), at, &mut self.views[id as usize].stale.armed);
        }
    }

    pub(super) fn judge_stale(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let source = self.views[id as usize].source;
        let held = self.bench(registry, |_, bench| bench.views[id as usize].held(bench));
        let held = held.is_some_and(|r| r != Held::Stale);
        let Some(check) = self.rules.source(Kind::Stale, source) else { return };
        let stale = &mut self.views[id as usize].stale;
        let judge = &mut self.sources[usize::from(source)];
        stale.since_silence(judge.silences);
        let overdue = stale.overdue(now, check);
        if !held && overdue.is_some_and(|since| judge.may_be_dead(source, since, &self.rules)) {
            if stale.wait() {
                judge.waiting_views.push(id);
            }
            return;
        }
        let mut telling = Telling { alerts: &mut self.stale_alerts, desk: &mut self.desk, registry };
        let (at, became) = stale.judge(id, now, held, check, &mut telling);
        self.timers.arm(TimerKey::Stale(id), at, &mut stale.armed);
        self.mark_view(id);
        if became {
            self.judge_pairs_of(now, id, registry);
        }
    }

    /// Sources that could carry the instrument of a new view, and do not yet.
    fn carry(&mut self, now: u64, new: ViewId, registry: &Registry) {
        let view = &registry.views[new as usize];
        let instrument = view.instrument;
        self.candidates.carry(now, instrument, view.source, &mut self.desk, registry);
        let of = |source: SourceId| {
            registry.views_of(instrument).filter(move |v| registry.views[*v as usize].source == source)
        };
        for source in (0..self.sources.len() as SourceId).filter(|s| *s != view.source) {
            let carried = of(source).next().is_some();
            if !carried
                && self.candidates.find(instrument, source).is_none()
                && self.could_carry(source, new, registry)
            {
                self.candidates.add(Candidate::new(instrument, source, view.source, view.venue));
            }
        }
        if self.candidates.first_of(instrument).is_some() {
            for own in of(view.source).filter(|v| *v <= new) {
                self.views[own as usize].wanted = true;
            }
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
        if !self.views[changed as usize].wanted {
            return;
        }
        let view = &registry.views[changed as usize];
        // A book that lost messages may show what was never there at rest.
        if view.quote.is_some_and(|quote| quote.quality == Quality::Suspect) {
            return;
        }
        let mut next = self.candidates.first_of(view.instrument);
        self.views[changed as usize].wanted = next.is_some();
        while let Some(number) = next {
            next = self.candidates.next_of(number);
            let Some(candidate) = self.candidates.get_mut(number) else { return };
            let judge = &self.sources[usize::from(candidate.source)];
            if candidate.peer != view.source || judge.alive_since.is_none() || judge.life.is_silent() {
                continue;
            }
            let Some(check) = self.rules.source(Kind::Missing, candidate.source) else { continue };
            let at = candidate.peer_changed(now, check);
            self.timers.arm(TimerKey::Missing(number), at, &mut candidate.armed);
        }
    }

    /// A source fell silent or came back: what is open about its instruments is looked at again, and about what is
    /// made of them. Of all other pairs the silence is only counted, by the clocks of its relations.
    pub(super) fn judge_source(&mut self, now: u64, source: SourceId, registry: &Registry) {
        let judge = &mut self.sources[usize::from(source)];
        judge.silences += u32::from(judge.life.is_silent());
        for index in 0..judge.relations.len() {
            let relation = self.sources[usize::from(source)].relations[index];
            self.watch_silence(now, relation);
        }
        let mut next = 0;
        while let Some(pair) = self.active_pairs.next(next) {
            next = pair + 1;
            if self.relations[self.pairs[pair as usize].relation as usize].sources.contains(&source) {
                self.judge_pair(now, pair, registry);
                self.judge_status(now, pair, None, registry);
            }
        }
        self.judge_active_views(now, source, registry);
        for composite in 0..self.sources.len() {
            if self.sources[composite].parts.contains(&source) {
                self.judge_composite(now, composite, registry);
            }
        }
    }

    fn judge_active_views(&mut self, now: u64, source: SourceId, registry: &Registry) {
        let SourceJudge { ref life, silences, .. } = self.sources[usize::from(source)];
        let silent = life.is_silent();
        let mut next = 0;
        while let Some(id) = self.active_views.next(next) {
            next = id + 1;
            let judge = &mut self.views[id as usize];
            if judge.source != source {
                continue;
            }
            if silent {
                judge.stale.since_silence(silences);
                let mut telling = Telling { alerts: &mut self.stale_alerts, desk: &mut self.desk, registry };
                judge.stale.drop(id, now, "not_comparable:silent", &mut telling);
            }
            self.judge_view(now, id, registry);
            self.mark_view(id);
        }
    }

    /// A part of a composite fell silent or came back: which of its views that concerns is not known beforehand.
    fn judge_composite(&mut self, now: u64, composite: usize, registry: &Registry) {
        for index in 0..self.sources[composite].pairs.len() {
            let pair = self.sources[composite].pairs[index];
            self.judge_pair(now, pair, registry);
            self.judge_status(now, pair, None, registry);
        }
        for index in 0..self.sources[composite].composed.len() {
            self.judge_view(now, self.sources[composite].composed[index], registry);
        }
    }
}
