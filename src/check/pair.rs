//! Two views of one instrument at one place: whether they can be compared, and what their disagreement is.
//!
//! The judgement follows the contract's rules: comparable first, a disagreement is an interval, late is not
//! wrong, like with like. It is driven by quotes and deadlines only.

use feeds::event::Side;

use super::desk::Desk;
use super::held::Held;
use super::history::History;
use super::lagging::{self, Explanation};
use super::leadlag::PriceMatcher;
use super::ledger::{Ledger, Row};
use super::pool::{self, Pool};
use super::relation::{Evidence, Relation};
use super::rules::{Rule, Rules};
use super::segment::{self, Segment, Step};
use super::{SourceJudge, ViewJudge, divergent};
use crate::alert::{Handle, Magnitude};
use crate::config::{Kind, Tolerance};
use crate::market::{Registry, SourceId, ViewId};

/// Which of a view's prices is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Like {
    /// Plain best.
    Plain = 0,
    /// Best at which a round lot is shown.
    RoundLot = 1,
}

/// What a side of a pair is counted as while no source is silent; with [`Clock`], all that its account needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Account {
    /// It has not been judged yet.
    Unknown,
    Agree,
    Differ,
    Held(Held),
}

/// Whose silence goes before what a pair is counted as otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// The first source's.
    First = 0,
    /// Either source's.
    Any = 1,
    /// Nobody's.
    None,
}

/// A disagreement on one side.
#[derive(Debug, Default)]
pub struct SideJudge {
    segment: Option<Segment>,
    explained: Option<Explanation>,
    /// Since when the difference has been beyond what flight explains.
    unexplained_since: Option<u64>,
    /// Since when no lag explains it.
    divergent_since: Option<u64>,
    /// The lag grew past its limit by itself, it did not jump there.
    grew: bool,
    was_unexplained: bool,
    /// Who had been quiet since its peer left the price, when the lag passed its limit.
    quiet: Option<(usize, u64)>,
    alert: Option<Handle>,
}

impl SideJudge {
    /// Takes an explanation into what is known of the difference; answers the end of the flight while the lag is
    /// within its limit.
    fn weigh(
        &mut self,
        now: u64,
        explanation: Explanation,
        before: Option<Explanation>,
        clock: &Rule,
    ) -> Option<u64> {
        match explanation {
            Explanation::Behind { left, .. } if now < left.saturating_add(clock.lag_limit_ns) => {
                self.unexplained_since = None;
                self.divergent_since = None;
                return Some(left + clock.lag_limit_ns);
            }
            Explanation::Behind { who, left } => {
                self.divergent_since = None;
                self.quiet = Some((who, left));
                if self.unexplained_since.is_none() {
                    self.unexplained_since = Some(now);
                    self.grew = before == Some(explanation);
                }
            }
            Explanation::None => {
                self.divergent_since.get_or_insert(now);
                self.unexplained_since.get_or_insert(now);
            }
        }
        self.was_unexplained = true;
        None
    }
}

/// A difference as it is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Difference {
    now: u64,
    pub(super) side: Side,
    /// When its segment began.
    began: u64,
    pub(super) prices: [i64; 2],
    /// It was explained until the window had passed.
    outlived: bool,
}

impl Difference {
    /// How far the two are apart, in the steps of the instrument of that view.
    pub(super) fn magnitude(&self, view: ViewId, registry: &Registry) -> Magnitude {
        let [a, b] = self.prices;
        Magnitude::between(a, b, registry.tick_at(view, a))
    }
}

/// What the two views of a pair show of what is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tops {
    /// By position, then by side; of no meaning where there is none.
    prices: [[i64; 2]; 2],
    /// Which there are, by position: a bit for each side.
    there: [u8; 2],
}

impl Tops {
    #[inline]
    fn of(a: &ViewJudge, b: &ViewJudge, like: Like) -> Tops {
        let prices = [a.prices[like as usize], b.prices[like as usize]];
        Tops { prices, there: [a.sides(like), b.sides(like)] }
    }

    /// Sides that both show, and sides that only one does.
    #[inline]
    fn shown(&self) -> (u8, u8) {
        let [a, b] = self.there;
        (a & b, a ^ b)
    }

    /// Both prices of a side, which both show.
    #[inline]
    fn side(&self, side: usize) -> [i64; 2] {
        [self.prices[0][side], self.prices[1][side]]
    }

    /// The price of a side at one of the two.
    #[inline]
    pub(super) fn price(&self, position: usize, side: usize) -> Option<i64> {
        (self.there[position] & 1 << side != 0).then_some(self.prices[position][side])
    }

    /// Whether a bid of either is at an ask of either or above it.
    #[inline]
    pub(super) fn meet(&self) -> bool {
        let [a, b] = self.there;
        if a & b == 3 {
            let [[bid, ask], [other_bid, other_ask]] = self.prices;
            return bid.max(other_bid) >= ask.min(other_ask);
        }
        let best = |side: usize| (0..2).filter_map(move |position| self.price(position, side));
        best(0).max().zip(best(1).min()).is_some_and(|(bid, ask)| bid >= ask)
    }
}

/// How long an account that goes on may be left unwritten.
const ACCOUNT_NS: u64 = 1_000_000_000;

/// How long a difference that jumped to be unexplained must have stood.
fn settle_ns(check: &Rule) -> u64 {
    check.off_delay_ns.min(check.on_delay_ns)
}

/// See the module. What every update looks at is one cache line; the rest lies in [`Rare`].
#[derive(Debug)]
#[repr(align(64))]
pub struct Pair {
    /// The two views, the one with the lower source number first.
    pub views: [ViewId; 2],
    /// Its pair of sources.
    pub relation: u32,
    /// Open disagreements, by side.
    sides: [pool::Place; 2],
    /// Crossing of the two: bid of one against ask of the other.
    pub crossing: pool::Place,
    /// Halted in one, trading in the other.
    pub status: pool::Place,
    /// Moves that one of them has not followed yet.
    pub matcher: pool::Place,
    /// Earliest pending deadline.
    pub armed: u64,
    /// Until when the account is written.
    since: u64,
    /// What its clock showed then.
    silence: u64,
    accounts: [Account; 2],
    clock: Clock,
    /// Which prices are compared.
    pub like: Like,
    /// Bits of [`bits`].
    odd: u8,
}

/// What is unusual about a pair.
mod bits {
    /// A side differs; shifted by the side.
    pub const DIFFERS: u8 = 1;
    /// A side differs while the pair is held; shifted by the side.
    pub const HELD_DIFFERS: u8 = 1 << 2;
    /// One is stopped and the other trades.
    pub const PARTED: u8 = 1 << 4;
    /// One of the two is told as stale.
    pub const STALE: u8 = 1 << 5;
    /// It waits for a sign of life of a source; shifted by the source's position.
    pub const WAITS: u8 = 1 << 6;
}

/// State that few pairs and views have at a time.
#[derive(Debug, Default)]
pub struct Rare {
    /// Disagreements.
    pub sides: Pool<SideJudge>,
    /// Crossed and locked segments.
    pub crossings: Pool<super::crossed::CrossJudge>,
    /// States that part.
    pub status: Pool<super::status::StatusJudge>,
    /// Moves that wait to be followed.
    pub matchers: Pool<PriceMatcher>,
}

/// What a pair is judged with.
pub struct Bench<'a> {
    /// Where findings go.
    pub desk: &'a mut Desk,
    /// What is configured.
    pub rules: &'a Rules,
    /// Quotes.
    pub registry: &'a Registry,
    /// What is known of the views.
    pub views: &'a [ViewJudge],
    /// Prices that views showed lately.
    pub histories: &'a [[History; 2]],
    /// What is known of the sources.
    pub sources: &'a [SourceJudge],
    /// Figures.
    pub relations: &'a mut [Relation],
    /// Open matters.
    pub rare: &'a mut Rare,
    /// What the pair disagrees on, where it is kept.
    pub ledger: Option<&'a mut Ledger>,
}

/// A pair that waits for a sign of life of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The source.
    pub source: SourceId,
}

/// What judging a pair wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// Deadline, `u64::MAX` for none.
    pub at: u64,
    /// The source whose next packet it waits for.
    pub waits: Option<Waiting>,
}

impl Next {
    /// Nothing is wanted.
    pub const NOTHING: Next = Next { at: u64::MAX, waits: None };

    fn merge(self, other: Next) -> Next {
        Next { at: self.at.min(other.at), waits: self.waits.or(other.waits) }
    }
}

impl Pair {
    /// A new pair.
    pub fn new(views: [ViewId; 2], relation: u32, like: Like) -> Self {
        Pair {
            views,
            relation,
            like,
            sides: [0; 2],
            crossing: 0,
            status: 0,
            matcher: 0,
            armed: u64::MAX,
            since: 0,
            silence: 0,
            accounts: [Account::Unknown; 2],
            clock: Clock::None,
            odd: 0,
        }
    }

    #[inline]
    fn mark(&mut self, bit: u8, marked: bool) {
        self.odd = if marked { self.odd | bit } else { self.odd & !bit };
    }

    #[inline]
    fn differs(&self, side: usize) -> bool {
        self.odd & bits::DIFFERS << side != 0
    }

    /// Whether one was stopped and the other traded when they were last looked at.
    #[inline]
    pub fn has_parted(&self) -> bool {
        self.status != 0 || self.odd & bits::PARTED != 0
    }

    /// Notes whether one is stopped and the other trades.
    #[inline]
    pub fn mark_parted(&mut self, parted: bool) {
        self.mark(bits::PARTED, parted);
    }

    /// Whether it waits for a sign of life of the source at `position`; answers whether it did not already.
    pub fn mark_waiting(&mut self, position: usize, waits: bool) -> bool {
        let before = self.odd & bits::WAITS << position != 0;
        self.mark(bits::WAITS << position, waits);
        before != waits
    }

    /// Something of every line that is open beside it.
    #[inline]
    pub fn lines(&self, rare: &Rare) -> u64 {
        let matcher = if self.matcher == 0 { 0 } else { rare.matchers[self.matcher].lines() };
        let open = |side: &pool::Place| rare.sides[*side].divergent_since.unwrap_or(0);
        self.sides.iter().filter(|side| **side != 0).map(open).fold(matcher, |all, line| all ^ line)
    }

    /// Whether anything but its account can change when nothing happens to its quotes, or was never looked at.
    #[inline]
    pub fn is_active(&self) -> bool {
        let open = self.sides[0] | self.sides[1] | self.crossing | self.status;
        open != 0 || self.odd != 0 || self.accounts[0] == Account::Unknown
    }

    /// Why the pair cannot be compared although no source is silent, and whose silence would go before that.
    #[cold]
    fn held(&self, test: bool, bench: &Bench<'_>) -> (Option<Held>, Clock) {
        let [a, b] = self.views.map(|v| bench.views[v as usize].held_awake(test, bench));
        match (a, b) {
            (Some(Held::NoQuote), _) => (a, Clock::None),
            (Some(_), _) => (a, Clock::First),
            (None, Some(Held::NoQuote)) => (b, Clock::First),
            (None, _) => (b, Clock::Any),
        }
    }

    /// Judges both sides, the crossing and the states at `now`. Answers also why it cannot be compared.
    pub fn judge(&mut self, now: u64, bench: &mut Bench<'_>) -> (Next, Option<Held>) {
        let [a, b] = self.views;
        let (a, b) = (&bench.views[a as usize], &bench.views[b as usize]);
        let tops = Tops::of(a, b, self.like);
        let test = bench.registry.is_test(a.instrument);
        let plain = !test && a.is_plain() && b.is_plain();
        self.mark(bits::STALE, !plain && (a.is_stale() || b.is_stale()));
        let (awake, clock) = if plain { (None, Clock::Any) } else { self.held(test, bench) };
        let relation = &bench.relations[self.relation as usize];
        let silent = clock != Clock::None && relation.silences[clock as usize].runs();
        let held = if silent { Some(Held::Silent) } else { awake };
        let differs = self.differing(&tops, &relation.rules.tolerance, bench.registry);
        self.account(now, &tops, differs, awake, clock, bench);
        let mut next = Next::NOTHING;
        for side in [Side::Bid, Side::Ask] {
            let index = side.index();
            let quiet = held.is_none() && self.sides[index] == 0 && differs & 1 << index == 0;
            if quiet && tops.shown().0 & 1 << index != 0 {
                self.mark(bits::HELD_DIFFERS << index, false);
            } else {
                next = next.merge(self.judge_side(now, side, &tops, held, bench));
            }
        }
        if self.crossing == 0 && !tops.meet() {
            return (next, held);
        }
        let told = self.sides.map(|side| side != 0);
        let at = super::crossed::judge_pair(self, now, &tops, held, told, bench);
        (next.merge(Next { at, waits: None }), held)
    }

    /// On which sides the two differ, bit by bit.
    #[inline]
    fn differing(&self, tops: &Tops, tolerance: &Tolerance, registry: &Registry) -> u8 {
        let (both, one) = tops.shown();
        let mut differ = one;
        for side in 0..2 {
            let [a, b] = tops.side(side);
            if both & 1 << side != 0 && a != b {
                let beyond = tolerance.is_none()
                    || divergent::differ(a, b, registry.tick_at(self.views[0], a), *tolerance);
                differ |= u8::from(beyond) << side;
            }
        }
        differ
    }

    /// Takes in what both sides are counted as from here. The account up to `now` is written when that is something else
    /// than before; what goes on is written once in a while, which adds up to the same.
    #[inline]
    fn account(
        &mut self,
        now: u64,
        tops: &Tops,
        differs: u8,
        awake: Option<Held>,
        clock: Clock,
        bench: &mut Bench<'_>,
    ) {
        self.odd = self.odd & !(bits::DIFFERS | bits::DIFFERS << 1) | differs;
        let (both, _) = tops.shown();
        let counted = |side: u8| match awake {
            Some(reason) => Account::Held(reason),
            None if both & 1 << side == 0 => Account::Held(Held::OneSided),
            None if differs & 1 << side != 0 => Account::Differ,
            None => Account::Agree,
        };
        let accounts = [counted(0), counted(1)];
        let goes_on = (self.accounts, self.clock) == (accounts, clock);
        if goes_on && now.saturating_sub(self.since) < ACCOUNT_NS {
            return;
        }
        let relation = &mut bench.relations[self.relation as usize];
        let before = relation.comparable_ns - relation.agree_ns;
        self.write_account(now, relation);
        if let Some(ledger) = &mut bench.ledger {
            let differ_ns = relation.comparable_ns - relation.agree_ns - before;
            ledger.add(Row { differ_ns, ..Row::default() });
        }
        self.clock = clock;
        self.silence = if clock == Clock::None { 0 } else { relation.silences[clock as usize].read(now) };
        self.accounts = accounts;
    }

    /// Closes the accounts at `now`.
    pub fn write_account(&mut self, now: u64, relation: &mut Relation) {
        let ns = now.saturating_sub(self.since);
        self.since = now;
        let (silent, runs) = match self.clock {
            Clock::None => (0, false),
            clock => {
                let watch = &relation.silences[clock as usize];
                (watch.read(now).saturating_sub(self.silence).min(ns), watch.runs())
            }
        };
        self.silence += silent;
        // What was silent all the time was nothing else.
        let only = silent == ns && (silent > 0 || runs);
        for account in self.accounts {
            if (only || silent > 0) && account != Account::Unknown {
                relation.held.add(Held::Silent, silent);
            }
            match account {
                Account::Unknown => {}
                _ if only => {}
                Account::Agree => {
                    relation.comparable_ns += ns - silent;
                    relation.agree_ns += ns - silent;
                }
                Account::Differ => relation.comparable_ns += ns - silent,
                Account::Held(reason) => relation.held.add(reason, ns - silent),
            }
        }
    }

    /// Notes a difference that is not told because the pair is held, when it is a new one.
    #[inline]
    fn note_held(&mut self, side: usize, reason: Option<Held>, bench: &mut Bench<'_>) {
        let held = reason.filter(|r| self.differs(side) && !matches!(r, Held::OneSided | Held::NoQuote));
        let bit = bits::HELD_DIFFERS << side;
        let before = self.odd & bit != 0;
        self.mark(bit, held.is_some());
        if let (Some(reason), false) = (held, before) {
            let relation = &mut bench.relations[self.relation as usize];
            *relation.held_differences.entry(reason.name()).or_default() += 1;
            bench.desk.hold(Kind::Divergent, reason.name());
        }
    }

    #[inline]
    fn judge_side(
        &mut self,
        now: u64,
        side: Side,
        tops: &Tops,
        held: Option<Held>,
        bench: &mut Bench<'_>,
    ) -> Next {
        let index = side.index();
        let reason = held.or((tops.shown().0 & 1 << index == 0).then_some(Held::OneSided));
        self.note_held(index, reason, bench);
        if let Some(reason) = reason {
            self.drop_segment(now, index, reason, bench);
            return Next::NOTHING;
        }
        let differs = self.differs(index);
        if self.sides[index] == 0 && !differs {
            return Next::NOTHING;
        }
        let off_delay = bench.relations[self.relation as usize].rules.off_delay_ns;
        let judge = bench.rare.sides.get_or_take(&mut self.sides[index]);
        match segment::step(&mut judge.segment, now, differs, off_delay) {
            Step::None => Next::NOTHING,
            Step::Pausing { ends, .. } => {
                judge.divergent_since = None;
                judge.explained = None;
                Next { at: ends, waits: None }
            }
            Step::Ended { ended, .. } => {
                self.end_segment(now, ended, index, bench);
                Next::NOTHING
            }
            Step::Holds(segment) => self.judge_difference(now, side, segment, tops.side(index), bench),
        }
    }

    fn drop_segment(&mut self, now: u64, side: usize, reason: Held, bench: &mut Bench<'_>) {
        if self.sides[side] == 0 {
            return;
        }
        self.count_segment(side, bench);
        if let Some(alert) = bench.rare.sides[self.sides[side]].alert {
            let why = format!("not_comparable:{}", reason.name());
            bench.desk.clear(now, now, alert, &why, bench.registry);
        }
        bench.rare.sides.give_back(&mut self.sides[side]);
    }

    fn end_segment(&mut self, now: u64, ended: u64, side: usize, bench: &mut Bench<'_>) {
        self.count_segment(side, bench);
        if let Some(alert) = bench.rare.sides[self.sides[side]].alert {
            bench.desk.clear(now, ended, alert, "agreed", bench.registry);
        }
        bench.rare.sides.give_back(&mut self.sides[side]);
    }

    fn count_segment(&self, side: usize, bench: &mut Bench<'_>) {
        let judge = &bench.rare.sides[self.sides[side]];
        let segments = &mut bench.relations[self.relation as usize].segments;
        match judge.alert.and_then(|a| bench.desk.alerts.kind(a)) {
            Some(Kind::Lagging) => segments.lagging += 1,
            Some(_) => segments.divergent += 1,
            None if judge.was_unexplained => segments.brief += 1,
            None => segments.flight += 1,
        }
        if let Some(ledger) = &mut bench.ledger {
            ledger.add(Row { differ_ns: 0, segments: 1, told: u64::from(judge.alert.is_some()) });
        }
    }

    fn judge_difference(
        &mut self,
        now: u64,
        side: Side,
        segment: Segment,
        prices: [i64; 2],
        bench: &mut Bench<'_>,
    ) -> Next {
        let clock = bench.relations[self.relation as usize].rules.clock;
        let explanation = self.explain(now, side, &clock, bench);
        let judge = &mut bench.rare.sides[self.sides[side.index()]];
        let before = judge.explained.replace(explanation);
        let outlived =
            matches!(before, Some(Explanation::Behind { left, .. }) if now > left + clock.window_ns);
        let case = Difference { now, side, began: segment.began, prices, outlived };
        let told = judge.alert.and_then(|a| bench.desk.alerts.kind(a));
        if let Some(alert) = judge.alert {
            let lag = match explanation {
                Explanation::Behind { left, .. } => Some(now - left.min(now)),
                Explanation::None => None,
            };
            let magnitude = case.magnitude(self.views[0], bench.registry);
            bench.desk.alerts.observe(alert, Some(magnitude), lag);
        }
        if let Some(flight_ends) = judge.weigh(now, explanation, before, &clock) {
            return Next { at: flight_ends, waits: None };
        }
        match (explanation, told) {
            (Explanation::None, Some(Kind::Lagging)) => self.escalate(&case, bench),
            (Explanation::None, None) => self.tell_divergent(&case, bench),
            (Explanation::Behind { who, left }, told) => {
                let explained_until = left.saturating_add(clock.window_ns).saturating_add(1);
                let next =
                    if told.is_none() { self.tell_lagging(&case, who, left, bench) } else { Next::NOTHING };
                next.merge(Next { at: explained_until, waits: None })
            }
            _ => Next::NOTHING,
        }
    }

    /// What was told as lagging is no longer explained: beyond the window at once; a price that the peer never
    /// showed, when it has stood long enough.
    fn escalate(&mut self, case: &Difference, bench: &mut Bench<'_>) -> Next {
        let rules = &bench.relations[self.relation as usize].rules;
        let Some(check) = rules.divergent else { return Next::NOTHING };
        let judge = &bench.rare.sides[self.sides[case.side.index()]];
        let due = judge.divergent_since.unwrap_or(case.now).saturating_add(check.on_delay_ns);
        if !case.outlived && case.now < due {
            return Next { at: due, waits: None };
        }
        let details = self.divergent_details(case, bench);
        if let Some(alert) = bench.rare.sides[self.sides[case.side.index()]].alert {
            bench.desk.escalate(case.now, alert, Kind::Divergent, check.severity, details, bench.registry);
        }
        Next::NOTHING
    }

    fn tell_divergent(&mut self, case: &Difference, bench: &mut Bench<'_>) -> Next {
        let rules = &bench.relations[self.relation as usize].rules;
        let Some(check) = rules.divergent else { return Next::NOTHING };
        let since = bench.rare.sides[self.sides[case.side.index()]].unexplained_since.unwrap_or(case.now);
        let jumped = if since > case.began { since.saturating_add(settle_ns(&check)) } else { 0 };
        let due = case.began.saturating_add(check.on_delay_ns).max(jumped);
        if case.now < due {
            return Next { at: due, waits: None };
        }
        let subject = self.subject(Kind::Divergent, case.side, [0, 1], bench);
        let details = self.divergent_details(case, bench);
        let raised = bench.desk.raise(case.now, case.began, check.severity, subject, details, bench.registry);
        bench.rare.sides[self.sides[case.side.index()]].alert = Some(raised);
        Next::NOTHING
    }

    fn tell_lagging(&mut self, case: &Difference, who: usize, left: u64, bench: &mut Bench<'_>) -> Next {
        let rules = &bench.relations[self.relation as usize].rules;
        let Some(check) = rules.lagging else { return Next::NOTHING };
        let judge = &bench.rare.sides[self.sides[case.side.index()]];
        let since = judge.unexplained_since.unwrap_or(case.now);
        let jumped = if judge.grew { 0 } else { since.saturating_add(settle_ns(&check)) };
        let due = case.began.max(left).saturating_add(check.lag_limit_ns).max(jumped);
        if case.now < due {
            return Next { at: due, waits: None };
        }
        let late = bench.views[self.views[who] as usize].source;
        if bench.sources[usize::from(late)].may_be_dead(late, left, bench.rules) {
            return Next { at: u64::MAX, waits: Some(Waiting { source: late }) };
        }
        let subject = self.subject(Kind::Lagging, case.side, [who, 1 - who], bench);
        let details = self.lagging_details(case, who, case.now - left, bench);
        let raised = bench.desk.raise(case.now, case.began, check.severity, subject, details, bench.registry);
        bench.rare.sides[self.sides[case.side.index()]].alert = Some(raised);
        Next::NOTHING
    }

    fn explain(&self, now: u64, side: Side, clock: &Rule, bench: &Bench<'_>) -> Explanation {
        let evidence = Evidence {
            now,
            lag_limit_ns: clock.lag_limit_ns,
            quiet: bench.rare.sides[self.sides[side.index()]].quiet,
            relation: &bench.relations[self.relation as usize],
            sources: bench.sources,
        };
        let history = |view: ViewId| {
            let kept = bench.views[view as usize].histories[self.like as usize];
            &bench.histories[kept as usize][side.index()]
        };
        let [a, b] = self.views;
        lagging::explain(now, [history(a), history(b)], clock.window_ns, &evidence)
    }

    /// Which view of the pair is behind the other on either side; for the stale check.
    pub fn behind(&self, rare: &Rare) -> Option<usize> {
        if self.sides == [0; 2] {
            return None;
        }
        let open = self.sides.iter().filter(|side| **side != 0).map(|side| &rare.sides[*side]);
        open.filter_map(|s| s.explained).find_map(|explained| match explained {
            Explanation::Behind { who, .. } => Some(who),
            Explanation::None => None,
        })
    }
}
