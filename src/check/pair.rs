//! Two views of one instrument at one place: whether they can be compared, and what their disagreement is.
//!
//! The judgement follows the contract's rules: comparable first, a disagreement is an interval, late is not
//! wrong, like with like. It is driven by quotes and deadlines only.

use std::collections::BTreeMap;

use feeds::event::Side;

use super::desk::Desk;
use super::history::History;
use super::lagging::{self, Explanation};
use super::rules::Rules;
use super::segment::{self, Segment, Step};
use super::{SourceJudge, ViewJudge, divergent};
use crate::alert::{Details, Handle, Magnitude, Subject};
use crate::config::{Check, Kind};
use crate::market::price::show_nanos;
use crate::market::{Quality, Registry, SourceId, ViewId};

/// Which of a view's prices is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Like {
    /// Plain best.
    Plain = 0,
    /// Best at which a round lot is shown.
    RoundLot = 1,
}

/// What a side of a pair is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Account {
    Agree,
    Differ,
    Held(&'static str),
}

/// Figures of a pair of sources, over all their instruments.
#[derive(Debug, Clone, Default)]
pub struct Relation {
    /// The two sources.
    pub sources: [SourceId; 2],
    /// Pairs of views.
    pub pairs: u64,
    /// Side-time in which both could be compared, nanoseconds.
    pub comparable_ns: u64,
    /// Of it, time in which they agreed.
    pub agree_ns: u64,
    /// Side-time held back, by reason.
    pub held_ns: BTreeMap<&'static str, u64>,
    /// Differences that began while held back, by reason.
    pub held_differences: BTreeMap<&'static str, u64>,
    /// Segments that ended, by what they were.
    pub segments: BTreeMap<&'static str, u64>,
    /// Updates of the first that the second showed too, or the reverse.
    pub matched: u64,
    /// Of them, how often the first, the second, or neither was first.
    pub led: [u64; 3],
    /// Updates that the other never showed.
    pub unmatched: [u64; 2],
    /// When one of the two (by position) last delivered a packet that the other had delivered before.
    pub repeats: Option<(u64, usize)>,
    /// How much the first led in the latest matches, latest first.
    pub recent_leads: [i64; 3],
}

/// A disagreement on one side.
#[derive(Debug, Default)]
struct SideJudge {
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
    account: Option<(Account, u64)>,
    held_differs: bool,
}

impl SideJudge {
    /// Takes an explanation into what is known of the difference; answers the end of the flight while the lag is
    /// within its limit.
    fn weigh(
        &mut self,
        now: u64,
        explanation: Explanation,
        before: Option<Explanation>,
        clock: &Check,
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
struct Difference {
    now: u64,
    side: Side,
    /// When its segment began.
    began: u64,
    prices: [i64; 2],
    magnitude: Magnitude,
    /// It was explained until the window had passed.
    outlived: bool,
}

/// How long a difference that jumped to be unexplained must have stood.
fn settle_ns(check: &Check) -> u64 {
    check.off_delay_ns.min(check.on_delay_ns)
}

/// See the module.
#[derive(Debug)]
pub struct Pair {
    /// The two views, the one with the lower source number first.
    pub views: [ViewId; 2],
    /// Its pair of sources.
    pub relation: usize,
    /// Which prices are compared.
    pub like: Like,
    sides: [SideJudge; 2],
    /// Crossing of the two: bid of one against ask of the other.
    pub crossing: super::crossed::CrossJudge,
    /// Halted in one, trading in the other.
    pub status: super::status::StatusJudge,
    /// Earliest pending deadline.
    pub armed: u64,
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
    /// What is known of the sources.
    pub sources: &'a [SourceJudge],
    /// Figures.
    pub relations: &'a mut [Relation],
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
    pub fn new(views: [ViewId; 2], relation: usize, like: Like) -> Self {
        Pair {
            views,
            relation,
            like,
            sides: Default::default(),
            crossing: Default::default(),
            status: Default::default(),
            armed: u64::MAX,
        }
    }

    /// Why the pair cannot be compared; `None` when it can.
    pub fn held(&self, bench: &Bench<'_>) -> Option<&'static str> {
        let mut worst = None;
        for id in self.views {
            let reason = bench.views[id as usize].held(&bench.registry.views[id as usize], bench);
            if reason.is_some() {
                worst = worst.or(reason);
            }
        }
        worst
    }

    fn price(&self, position: usize, side: usize, registry: &Registry) -> Option<i64> {
        let quote = registry.views[self.views[position] as usize].quote.as_ref()?;
        match self.like {
            Like::Plain => quote.best[side],
            Like::RoundLot => quote.round_lot[side],
        }
        .map(|level| level.price)
    }

    /// Judges both sides, the crossing and the states at `now`.
    pub fn judge(&mut self, now: u64, bench: &mut Bench<'_>) -> Next {
        let held = self.held(bench);
        let mut next = Next::NOTHING;
        for side in [Side::Bid, Side::Ask] {
            next = next.merge(self.judge_side(now, side, held, bench));
        }
        let told = [0, 1].map(|s| self.sides[s].segment.is_some());
        let at = super::crossed::judge_pair(self, now, held, told, bench);
        next.merge(Next { at, waits: None })
    }

    fn judge_side(
        &mut self,
        now: u64,
        side: Side,
        held: Option<&'static str>,
        bench: &mut Bench<'_>,
    ) -> Next {
        let index = side.index();
        let [a, b] = [0, 1].map(|p| self.price(p, index, bench.registry));
        let reason = held.or(match (a, b) {
            (Some(_), Some(_)) => None,
            _ => Some("one_sided"),
        });
        let [source_a, source_b] = bench.relations[self.relation].sources;
        let divergent = bench.rules.pair(Kind::Divergent, source_a, source_b);
        let lagging = bench.rules.pair(Kind::Lagging, source_a, source_b);
        let (tolerance, off_delay) = match (divergent, lagging) {
            (Some(check), _) => (check.tolerance, check.off_delay_ns),
            (None, Some(check)) => (Default::default(), check.off_delay_ns),
            (None, None) => (Default::default(), 5_000_000),
        };
        let instrument = bench.registry.views[self.views[0] as usize].instrument;
        let tick = bench.registry.tick_nanos(instrument);
        let differs = match (a, b) {
            (Some(a), Some(b)) => divergent::differ(a, b, tick, tolerance),
            (None, None) => false,
            _ => true,
        };
        self.account(now, index, reason, differs, bench);
        if let Some(reason) = reason {
            self.drop_segment(now, index, reason, bench);
            return Next::NOTHING;
        }
        let (Some(a), Some(b)) = (a, b) else { return Next::NOTHING };
        match segment::step(&mut self.sides[index].segment, now, differs, off_delay) {
            Step::None => Next::NOTHING,
            Step::Pausing { ends, .. } => {
                self.sides[index].divergent_since = None;
                self.sides[index].explained = None;
                Next { at: ends, waits: None }
            }
            Step::Ended { ended, .. } => {
                self.end_segment(now, ended, index, bench);
                Next::NOTHING
            }
            Step::Holds(segment) => self.judge_difference(now, side, segment, [a, b], tick, bench),
        }
    }

    fn account(
        &mut self,
        now: u64,
        side: usize,
        held: Option<&'static str>,
        differs: bool,
        bench: &mut Bench<'_>,
    ) {
        let state = match (held, differs) {
            (Some(reason), _) => Account::Held(reason),
            (None, true) => Account::Differ,
            (None, false) => Account::Agree,
        };
        let relation = &mut bench.relations[self.relation];
        if let Some((old, since)) = self.sides[side].account.replace((state, now)) {
            add_time(relation, old, now.saturating_sub(since));
        }
        let differs_held = differs && held.is_some_and(|r| r != "one_sided" && r != "no_quote");
        if differs_held
            && !self.sides[side].held_differs
            && let Some(reason) = held
        {
            *relation.held_differences.entry(reason).or_default() += 1;
            bench.desk.hold(Kind::Divergent, reason);
        }
        self.sides[side].held_differs = differs_held;
    }

    /// Closes the accounts at the end of the data.
    pub fn finish(&mut self, now: u64, relations: &mut [Relation]) {
        for side in &mut self.sides {
            if let Some((account, since)) = side.account.take() {
                add_time(&mut relations[self.relation], account, now.saturating_sub(since));
            }
        }
    }

    fn drop_segment(&mut self, now: u64, side: usize, reason: &'static str, bench: &mut Bench<'_>) {
        if self.sides[side].segment.is_none() {
            return;
        }
        self.count_segment(side, bench);
        if let Some(alert) = self.sides[side].alert {
            bench.desk.clear(now, now, alert, &format!("not_comparable:{reason}"), bench.registry);
        }
        self.reset(side);
    }

    fn end_segment(&mut self, now: u64, ended: u64, side: usize, bench: &mut Bench<'_>) {
        self.count_segment(side, bench);
        if let Some(alert) = self.sides[side].alert {
            bench.desk.clear(now, ended, alert, "agreed", bench.registry);
        }
        self.reset(side);
    }

    fn count_segment(&self, side: usize, bench: &mut Bench<'_>) {
        let judge = &self.sides[side];
        let kind = match judge.alert.and_then(|a| bench.desk.alerts.kind(a)) {
            Some(kind) => kind.name(),
            None if judge.was_unexplained => "brief",
            None => "flight",
        };
        *bench.relations[self.relation].segments.entry(kind).or_default() += 1;
    }

    fn reset(&mut self, side: usize) {
        let account = self.sides[side].account;
        let held_differs = self.sides[side].held_differs;
        self.sides[side] = SideJudge { account, held_differs, ..SideJudge::default() };
    }

    fn judge_difference(
        &mut self,
        now: u64,
        side: Side,
        segment: Segment,
        prices: [i64; 2],
        tick: u64,
        bench: &mut Bench<'_>,
    ) -> Next {
        let [source_a, source_b] = bench.relations[self.relation].sources;
        let lagging = bench.rules.pair(Kind::Lagging, source_a, source_b);
        let clock = lagging.cloned().unwrap_or_else(|| Check::with_defaults(Kind::Lagging));
        let explanation = self.explain(now, side, &clock, bench);
        let magnitude = Magnitude::between(prices[0], prices[1], tick);
        let judge = &mut self.sides[side.index()];
        let before = judge.explained.replace(explanation);
        let outlived =
            matches!(before, Some(Explanation::Behind { left, .. }) if now > left + clock.window_ns);
        let case = Difference { now, side, began: segment.began, prices, magnitude, outlived };
        let told = judge.alert.and_then(|a| bench.desk.alerts.kind(a));
        if let Some(alert) = judge.alert {
            let lag = match explanation {
                Explanation::Behind { left, .. } => Some(now - left.min(now)),
                Explanation::None => None,
            };
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
        let [source_a, source_b] = bench.relations[self.relation].sources;
        let Some(check) = bench.rules.pair(Kind::Divergent, source_a, source_b) else { return Next::NOTHING };
        let judge = &self.sides[case.side.index()];
        let due = judge.divergent_since.unwrap_or(case.now).saturating_add(check.on_delay_ns);
        if !case.outlived && case.now < due {
            return Next { at: due, waits: None };
        }
        let details = self.divergent_details(case, bench);
        if let Some(alert) = self.sides[case.side.index()].alert {
            bench.desk.escalate(case.now, alert, Kind::Divergent, check.severity, details, bench.registry);
        }
        Next::NOTHING
    }

    fn tell_divergent(&mut self, case: &Difference, bench: &mut Bench<'_>) -> Next {
        let [source_a, source_b] = bench.relations[self.relation].sources;
        let Some(check) = bench.rules.pair(Kind::Divergent, source_a, source_b) else { return Next::NOTHING };
        let since = self.sides[case.side.index()].unexplained_since.unwrap_or(case.now);
        let jumped = if since > case.began { since.saturating_add(settle_ns(check)) } else { 0 };
        let due = case.began.saturating_add(check.on_delay_ns).max(jumped);
        if case.now < due {
            return Next { at: due, waits: None };
        }
        let subject = self.subject(Kind::Divergent, case.side, [0, 1], bench);
        let details = self.divergent_details(case, bench);
        let raised = bench.desk.raise(case.now, case.began, check.severity, subject, details, bench.registry);
        self.sides[case.side.index()].alert = Some(raised);
        Next::NOTHING
    }

    fn tell_lagging(&mut self, case: &Difference, who: usize, left: u64, bench: &mut Bench<'_>) -> Next {
        let [source_a, source_b] = bench.relations[self.relation].sources;
        let Some(check) = bench.rules.pair(Kind::Lagging, source_a, source_b) else { return Next::NOTHING };
        let judge = &self.sides[case.side.index()];
        let since = judge.unexplained_since.unwrap_or(case.now);
        let jumped = if judge.grew { 0 } else { since.saturating_add(settle_ns(check)) };
        let due = case.began.max(left).saturating_add(check.lag_limit_ns).max(jumped);
        if case.now < due {
            return Next { at: due, waits: None };
        }
        let late = bench.registry.views[self.views[who] as usize].source;
        if bench.sources[usize::from(late)].may_be_dead(late, left, bench.rules) {
            return Next { at: u64::MAX, waits: Some(Waiting { source: late }) };
        }
        let subject = self.subject(Kind::Lagging, case.side, [who, 1 - who], bench);
        let details = self.lagging_details(case, who, case.now - left, bench);
        let raised = bench.desk.raise(case.now, case.began, check.severity, subject, details, bench.registry);
        self.sides[case.side.index()].alert = Some(raised);
        Next::NOTHING
    }

    fn explain(&self, now: u64, side: Side, clock: &Check, bench: &Bench<'_>) -> Explanation {
        let evidence = Evidence {
            now,
            lag_limit_ns: clock.lag_limit_ns,
            quiet: self.sides[side.index()].quiet,
            relation: &bench.relations[self.relation],
            sources: bench.sources,
        };
        lagging::explain(now, self.histories(side, bench.views), clock.window_ns, &evidence)
    }

    fn histories<'v>(&self, side: Side, views: &'v [ViewJudge]) -> [&'v History; 2] {
        [0, 1].map(|p| &views[self.views[p] as usize].history[self.like as usize][side.index()])
    }

    fn subject(&self, kind: Kind, side: Side, order: [usize; 2], bench: &Bench<'_>) -> Subject {
        let view = |p: usize| &bench.registry.views[self.views[p] as usize];
        Subject {
            instrument: Some(view(0).instrument),
            venue: Some(view(0).venue),
            side: Some(side),
            views: self.views.to_vec(),
            ..Subject::new(kind, &order.map(|p| view(p).source))
        }
    }

    fn divergent_details(&self, case: &Difference, bench: &Bench<'_>) -> Details {
        let Difference { side, prices, magnitude, .. } = *case;
        let name = |p: usize| bench.desk.name(bench.registry.views[self.views[p] as usize].source);
        let why = format!(
            "{} shows {} {} while {} shows {}, a price the other has not shown",
            name(0),
            side.name(),
            show_nanos(prices[0]),
            name(1),
            show_nanos(prices[1])
        );
        Details { magnitude: Some(magnitude), cause: "source", why, ..Details::default() }
    }

    fn lagging_details(&self, case: &Difference, who: usize, lag_ns: u64, bench: &Bench<'_>) -> Details {
        let Difference { side, prices, magnitude, .. } = *case;
        let name = |p: usize| bench.desk.name(bench.registry.views[self.views[p] as usize].source);
        let why = format!(
            "{} still shows {} {}, which {} left {}.{:03} ms ago for {}",
            name(who),
            side.name(),
            show_nanos(prices[who]),
            name(1 - who),
            lag_ns / 1_000_000,
            lag_ns / 1_000 % 1_000,
            show_nanos(prices[1 - who])
        );
        Details {
            magnitude: Some(magnitude),
            lag_ns: Some(lag_ns),
            cause: "source",
            why,
            ..Details::default()
        }
    }

    /// Which view of the pair is behind the other on either side; for the stale check.
    pub fn behind(&self) -> Option<usize> {
        self.sides.iter().find_map(|s| match s.explained {
            Some(Explanation::Behind { who, .. }) if s.segment.is_some() => Some(who),
            _ => None,
        })
    }
}

/// What a pair of sources knows of which of them is late.
struct Evidence<'a> {
    now: u64,
    lag_limit_ns: u64,
    /// Who had been quiet when the lag passed its limit, and since when.
    quiet: Option<(usize, u64)>,
    relation: &'a Relation,
    sources: &'a [SourceJudge],
}

impl Evidence<'_> {
    /// Whether this one was first by more than that in the latest matches.
    fn led_by(&self, who: usize, least_ns: u64) -> bool {
        let least = least_ns.min(i64::MAX as u64) as i64;
        self.relation.recent_leads.iter().all(|lead| if who == 0 { *lead > least } else { *lead < -least })
    }
}

impl lagging::Evidence for Evidence<'_> {
    fn late(&self, who: usize, left: u64) -> bool {
        let source = &self.sources[usize::from(self.relation.sources[who])];
        // Quiet when the lag passed its limit: then late, whatever arrives now.
        self.led_by(1 - who, lagging::TOGETHER_NS)
            || self.quiet == Some((who, left))
            || source.is_unusually_quiet(self.now, left)
    }

    fn is_far_ahead(&self, who: usize) -> bool {
        self.led_by(who, self.lag_limit_ns)
    }
}

fn add_time(relation: &mut Relation, account: Account, ns: u64) {
    match account {
        Account::Agree => {
            relation.comparable_ns += ns;
            relation.agree_ns += ns;
        }
        Account::Differ => relation.comparable_ns += ns,
        Account::Held(reason) => *relation.held_ns.entry(reason).or_default() += ns,
    }
}

/// The reason that a quality gives for not comparing.
pub fn held_by_quality(quality: Quality) -> Option<&'static str> {
    match quality {
        Quality::Ok => None,
        Quality::Suspect => Some("gap"),
        Quality::Halted => Some("halted"),
        Quality::Auction => Some("auction"),
        Quality::Closed => Some("closed"),
    }
}
