//! What a receiver at our observation point is shown by each source, and since when the two differ.
//!
//! The simulator knows both sides of every difference that it makes: this follows them from what it sent, so
//! that the truth need not ask the checks that are tested with it. It decides nothing about alerts.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::faults::SourceId;
use super::uqdf::Quote;

/// A change of what is shown, made by one packet.
#[allow(missing_docs, reason = "a variant's line says what its fields are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The venue's book: prices by side, best of a round lot and best of any size.
    Direct { instrument: usize, round_lot: [Option<u32>; 2], plain: [Option<u32>; 2] },
    /// The SIP's quotes: the venue's first, then the other participants'; `venue`: the venue's is among the new ones.
    Sip { instrument: usize, said: [Quote; 3], venue: bool },
    /// A source says that an instrument is halted, or is not any more.
    State { source: SourceId, instrument: usize, halted: bool },
    /// A packet of the source is lost on every line: what it shows cannot be relied on. The direct book stays
    /// so; a SIP instrument until its next quote.
    Lost { source: SourceId },
}

impl Effect {
    /// Whether nothing is seen of an earlier one in the same packet.
    fn replaces(&self, earlier: &Effect) -> bool {
        match (self, earlier) {
            (Effect::Direct { instrument: a, .. }, Effect::Direct { instrument: b, .. }) => a == b,
            (Effect::Sip { instrument: a, venue: v, .. }, Effect::Sip { instrument: b, venue: w, .. }) => {
                a == b && v == w
            }
            _ => false,
        }
    }
}

/// How far back a price counts as one that the peer has shown.
pub const WINDOW_NS: u64 = 10_000_000_000;

/// A source that shows so late what its peer has come to or left follows it.
pub const FLIGHT_NS: u64 = 20_000_000;

/// So many moves of a peer prove that it moves, even when it came back.
pub const MOVES_ENOUGH: u64 = 5;

/// A stretch in which both sources show a price on a side, and not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Instrument.
    pub instrument: usize,
    /// 0 the bid, 1 the ask.
    pub side: usize,
    /// First moment.
    pub from_ns: u64,
    /// First moment after.
    pub to_ns: u64,
    /// What the direct feed shows, best of a round lot.
    pub direct: u32,
    /// What the SIP shows for the venue.
    pub sip: u32,
    /// Which source shows what the other one left within the window, and how long ago at the end; the shorter
    /// of the two ways to see it.
    pub behind: Option<(SourceId, u64)>,
    /// The other way to see it, where there are two.
    pub or_behind: Option<(SourceId, u64)>,
    /// Since the side's last difference the two could not be compared for a while.
    pub apart: bool,
}

/// Where bid and ask meet or cross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Within the SIP's quote of the venue.
    Source,
    /// Between the SIP's participants.
    Venues,
    /// Between the direct book and the SIP's quote of the venue.
    Sources,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 3] = [Scope::Source, Scope::Venues, Scope::Sources];

    /// Name in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Source => "source",
            Scope::Venues => "venues",
            Scope::Sources => "sources",
        }
    }
}

/// Something that has been seen and is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Prices differed.
    Differed(Difference),
    /// Bid and ask met or crossed.
    Met {
        /// Where.
        scope: Scope,
        /// Instrument.
        instrument: usize,
        /// First moment.
        from_ns: u64,
        /// First moment after.
        to_ns: u64,
        /// The bid lay above the ask, not on it.
        crossed: bool,
    },
    /// A source did not follow its peer's moves of an instrument.
    Unfollowed {
        /// Who did not.
        source: SourceId,
        /// Instrument.
        instrument: usize,
        /// The first move.
        from_ns: u64,
        /// The source's next update, or the end.
        to_ns: u64,
        /// Moves of the peer in between.
        moves: u64,
        /// When there had been enough of them to prove that the peer moves.
        proven_ns: Option<u64>,
    },
}

/// One side of one source: the price shown and those it left lately.
#[derive(Debug, Clone, Default)]
struct Trail {
    price: Option<u32>,
    since_ns: u64,
    left: VecDeque<(u32, u64)>,
}

impl Trail {
    fn show(&mut self, now_ns: u64, price: Option<u32>) {
        if let Some(old) = self.price
            && self.price != price
        {
            self.left.retain(|(p, at)| *p != old && at + 2 * WINDOW_NS >= now_ns);
            self.left.push_back((old, now_ns));
        }
        if self.price != price {
            self.since_ns = now_ns;
        }
        self.price = price;
    }

    /// Whether it came to that price or left it within the last `within_ns`.
    fn has_shown(&self, now_ns: u64, price: u32, within_ns: u64) -> bool {
        let at = if self.price == Some(price) { Some(self.since_ns) } else { self.left_ns(price, now_ns) };
        at.is_some_and(|at| now_ns <= at + within_ns)
    }

    /// When it last left that price, within the window before `now_ns`.
    fn left_ns(&self, price: u32, now_ns: u64) -> Option<u64> {
        self.left.iter().find(|(p, at)| *p == price && at + WINDOW_NS >= now_ns).map(|(_, at)| *at)
    }
}

/// Moves of the peer that were not followed: the first, how many, and when they were enough.
#[derive(Debug, Clone, Copy)]
struct Unfollowed {
    from_ns: u64,
    moves: u64,
    proven_ns: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct View {
    trails: [[Trail; 2]; 2],
    plain: [Option<u32>; 2],
    said: [Quote; 3],
    seen: [bool; 2],
    halted: [bool; 2],
    suspect: [bool; 2],
    open: [Option<(u64, u32, u32)>; 2],
    /// The two could not be compared since a difference was last noted.
    apart: [bool; 2],
    /// Since when bid and ask lock, or cross.
    met: [[Option<u64>; 2]; 3],
    unfollowed: [Option<Unfollowed>; 2],
}

impl View {
    fn comparable(&self) -> bool {
        self.seen == [true; 2] && self.halted == [false; 2] && self.suspect == [false; 2]
    }

    /// The difference on a side, if there is one to judge.
    fn difference(&self, side: usize) -> Option<(u32, u32)> {
        let (direct, sip) = (self.trails[0][side].price?, self.trails[1][side].price?);
        (self.comparable() && direct != sip).then_some((direct, sip))
    }

    /// Whether bid and ask meet (`Some`) or cross (`Some(true)`) in a scope.
    fn meets(&self, scope: Scope) -> Option<bool> {
        let price = |lots: super::uqdf::Lots| lots.map(|(price, _)| price);
        let both = |bid: Option<u32>, ask: Option<u32>| match (bid, ask) {
            (Some(bid), Some(ask)) if bid >= ask => Some(bid > ask),
            _ => None,
        };
        let [venue, ..] = self.said;
        let (bid, ask) = (price(venue.bid), price(venue.ask));
        let sip = SourceId::Sip as usize;
        match scope {
            // A quote that is halted or in doubt is not judged.
            Scope::Source | Scope::Venues if self.halted[sip] || self.suspect[sip] => None,
            Scope::Source => both(bid, ask),
            Scope::Venues => both(
                self.said.iter().filter_map(|q| price(q.bid)).max(),
                self.said.iter().filter_map(|q| price(q.ask)).min(),
            ),
            Scope::Sources if !self.comparable() => None,
            Scope::Sources => both(self.plain[0], ask).max(both(bid, self.plain[1])),
        }
    }
}

/// Follows both sources over all instruments.
#[derive(Debug)]
pub struct Tracker {
    views: Vec<View>,
    due: BinaryHeap<Reverse<(u64, u64, Effect)>>,
    count: u64,
    last_ns: [u64; 2],
}

impl Tracker {
    /// A tracker of so many instruments.
    pub fn new(instruments: usize) -> Tracker {
        Tracker {
            views: vec![View::default(); instruments],
            due: BinaryHeap::new(),
            count: 0,
            last_ns: [0; 2],
        }
    }

    /// A packet's effects show at that time, or right behind the packets before it. The second site is not followed.
    pub fn deliver(&mut self, source: SourceId, at_ns: u64, effects: &[Effect]) {
        if !SourceId::PAIR.contains(&source) {
            return;
        }
        let last = &mut self.last_ns[source as usize];
        *last = (*last).max(at_ns);
        for (n, effect) in effects.iter().enumerate() {
            // The messages of a packet take effect together: what a later one of it replaces was never shown.
            if effects[n + 1..].iter().any(|later| later.replaces(effect)) {
                continue;
            }
            self.count += 1;
            self.due.push(Reverse((*last, self.count, *effect)));
        }
    }

    /// Makes everything that shows before `horizon_ns` take effect; what is over goes to `out`.
    pub fn advance(&mut self, horizon_ns: u64, out: &mut Vec<Finding>) {
        while let Some(Reverse((at_ns, _, effect))) = self.due.peek().copied() {
            if at_ns >= horizon_ns {
                break;
            }
            self.due.pop();
            match effect {
                Effect::Direct { instrument, round_lot, plain } => {
                    self.views[instrument].plain = plain;
                    self.show(SourceId::Direct, instrument, at_ns, round_lot, out);
                }
                Effect::Sip { instrument, said, venue: false } => {
                    self.views[instrument].said = said;
                    self.judge(instrument, at_ns, out);
                }
                Effect::Sip { instrument, said, venue: true } => {
                    self.views[instrument].said = said;
                    let prices = [said[0].bid, said[0].ask].map(|s| s.map(|(price, _)| price));
                    self.views[instrument].suspect[SourceId::Sip as usize] = false;
                    self.show(SourceId::Sip, instrument, at_ns, prices, out);
                }
                Effect::State { source, instrument, halted } => {
                    self.views[instrument].halted[source as usize] = halted;
                    self.views[instrument].unfollowed = [None; 2];
                    self.judge(instrument, at_ns, out);
                }
                Effect::Lost { source } => {
                    for i in 0..self.views.len() {
                        self.views[i].suspect[source as usize] = true;
                        self.views[i].unfollowed = [None; 2];
                        self.judge(i, at_ns, out);
                    }
                }
            }
        }
    }

    /// Ends everything that is still open.
    pub fn finish(&mut self, end_ns: u64, out: &mut Vec<Finding>) {
        self.advance(u64::MAX, out);
        for i in 0..self.views.len() {
            self.views[i].seen = [false; 2];
            self.views[i].said = Default::default();
            for source in SourceId::PAIR {
                self.follow(source, i, end_ns, out);
            }
            self.judge(i, end_ns, out);
        }
    }

    /// The source has updated the instrument: what it did not follow is over.
    fn follow(&mut self, source: SourceId, i: usize, now_ns: u64, out: &mut Vec<Finding>) {
        if let Some(Unfollowed { from_ns, moves, proven_ns }) =
            self.views[i].unfollowed[source as usize].take()
        {
            let (instrument, to_ns) = (i, now_ns);
            out.push(Finding::Unfollowed { source, instrument, from_ns, to_ns, moves, proven_ns });
        }
    }

    fn show(
        &mut self,
        source: SourceId,
        i: usize,
        now_ns: u64,
        prices: [Option<u32>; 2],
        out: &mut Vec<Finding>,
    ) {
        let (own, other) = (source as usize, 1 - source as usize);
        self.follow(source, i, now_ns, out);
        let view = &mut self.views[i];
        view.seen[own] = true;
        let before = view.trails[own].each_ref().map(|t| t.price);
        for (trail, price) in view.trails[own].iter_mut().zip(prices) {
            trail.show(now_ns, price);
        }
        let peer = view.trails[other].each_ref().map(|t| t.price);
        // A move to what the peer shows already is the peer followed, not a move for it to follow.
        // A price that the peer has only just come to or left is the peer followed.
        let news = |side: &usize| {
            before[*side] != prices[*side]
                && prices[*side].is_some_and(|p| !view.trails[other][*side].has_shown(now_ns, p, FLIGHT_NS))
        };
        let away = (0..2).filter(news).any(|side| prices[side] != peer[side]);
        // Once the peer has something to follow, every move of a price is one more.
        let more = (0..2).any(|side| news(&side)) && view.unfollowed[other].is_some();
        if (away || more) && view.comparable() {
            let nothing = Unfollowed { from_ns: now_ns, moves: 0, proven_ns: None };
            let entry = view.unfollowed[other].get_or_insert(nothing);
            entry.moves += 1;
            if entry.moves == MOVES_ENOUGH {
                entry.proven_ns = Some(now_ns);
            }
        }
        self.judge(i, now_ns, out);
    }

    /// Closes and opens stretches after a change of one instrument.
    fn judge(&mut self, i: usize, now_ns: u64, out: &mut Vec<Finding>) {
        let view = &mut self.views[i];
        for side in 0..2 {
            let now = view.difference(side);
            if let Some((from_ns, direct, sip)) = view.open[side]
                && now != Some((direct, sip))
            {
                view.open[side] = None;
                let lag = |of: usize, price: u32| view.trails[of][side].left_ns(price, from_ns);
                let ways = [(SourceId::Sip, lag(0, sip)), (SourceId::Direct, lag(1, direct))];
                let mut ways: Vec<(u64, SourceId)> = ways
                    .into_iter()
                    .filter_map(|(source, left)| Some((now_ns.checked_sub(left?)?, source)))
                    .filter(|(lag, _)| *lag >= now_ns - from_ns)
                    .collect();
                ways.sort_unstable();
                let [behind, or_behind] = [0, 1].map(|n| ways.get(n).map(|(lag, source)| (*source, *lag)));
                if now_ns > from_ns {
                    let (instrument, to_ns) = (i, now_ns);
                    out.push(Finding::Differed(Difference {
                        instrument,
                        side,
                        from_ns,
                        to_ns,
                        direct,
                        sip,
                        behind,
                        or_behind,
                        apart: std::mem::take(&mut view.apart[side]),
                    }));
                }
            }
            let shown = view.trails.each_ref().map(|t| t[side].price.is_some());
            view.apart[side] |= shown != [true; 2] || !view.comparable();
            if view.open[side].is_none() {
                view.open[side] = now.map(|(direct, sip)| (now_ns, direct, sip));
            }
        }
        for scope in Scope::ALL {
            let now = view.meets(scope);
            for crossed in [false, true] {
                let met = &mut view.met[scope as usize][usize::from(crossed)];
                if now == Some(crossed) {
                    met.get_or_insert(now_ns);
                } else if let Some(from_ns) = met.take() {
                    out.push(Finding::Met { scope, instrument: i, from_ns, to_ns: now_ns, crossed });
                }
            }
        }
    }
}
