//! `crossed` (and, by the same rule, `locked`): bid above ask, or equal to it.

use std::cmp::Ordering;

use super::crossing::Scope;
use super::desk::Desk;
use super::held::Held;
use super::pair::{Bench, Pair, Tops};
use super::pool;
use super::rules::Rule;
use super::segment::{self, Segment, Step};
use crate::alert::{Details, Handle, Magnitude, Subject};
use crate::config::Kind;
use crate::market::price::show_nanos;
use crate::market::{Registry, VenueId, ViewId};

/// The check's document.
pub const DOCUMENT: &str = "\
crossed: bid above ask

Definition   scope source: one quoter's own best bid is above its own best ask. scope venues: a national best bid
             of one venue is above the best ask of another, within one source. scope sources: the bid of one
             source is above the ask of the other, for the same instrument at the same venue.
Inputs       Plain best prices within one source; between two sources the prices that both mean.
Parameters   on_delay (25ms), off_delay (5ms).
Opens        When it has lasted on_delay in continuous trading.
Clears       When it has been absent for off_delay, or the quote is no longer comparable.
Held back    During auctions, halts and outside the session, after a gap, while silent: counted by reason. Between
             two sources, while the same disagreement is told as divergent or lagging (unless the check names its
             sources with between).";

const KINDS: [Kind; 2] = [Kind::Crossed, Kind::Locked];

/// Crossed and locked segments of one view or pair.
#[derive(Debug, Default)]
pub struct CrossJudge {
    segments: [Option<Segment>; 2],
    alerts: [Option<Handle>; 2],
    held: [Option<Held>; 2],
    /// Its time is being counted.
    counted: [bool; 2],
}

/// What is judged: whether it crosses, by how much, and how to tell it.
struct Case<'a> {
    crossing: Option<(Ordering, i64, i64)>,
    held: Option<Held>,
    checks: [Option<Rule>; 2],
    scope: Scope,
    subject: &'a dyn Fn(Kind) -> Subject,
    tick: u64,
    /// Names who is meant; asked only when there is something to tell.
    who: &'a dyn Fn(&Desk) -> String,
}

impl CrossJudge {
    /// Nothing is crossed or locked, and nothing is told.
    fn is_idle(&self) -> bool {
        self.segments.iter().all(Option::is_none)
            && self.alerts.iter().all(Option::is_none)
            && self.held.iter().all(Option::is_none)
    }

    fn judge(&mut self, now: u64, case: &Case<'_>, desk: &mut Desk, registry: &Registry) -> u64 {
        let mut at = u64::MAX;
        for (i, kind) in KINDS.into_iter().enumerate() {
            let Some(check) = case.checks[i] else { continue };
            let wanted = if kind == Kind::Crossed { Ordering::Greater } else { Ordering::Equal };
            let holds = case.crossing.is_some_and(|(o, ..)| o == wanted);
            let counts = holds && case.held.is_none();
            if counts != self.counted[i] {
                self.counted[i] = counts;
                desk.crossings.turn(now, kind, case.scope, counts);
            }
            if let Some(reason) = case.held {
                if let Some(alert) = self.alerts[i].take() {
                    desk.clear(now, now, alert, &format!("not_comparable:{}", reason.name()), registry);
                }
                self.segments[i] = None;
                if holds && self.held[i].is_none() {
                    desk.hold(kind, reason.name());
                }
                self.held[i] = holds.then_some(reason);
                continue;
            }
            self.held[i] = None;
            match segment::step(&mut self.segments[i], now, holds, check.off_delay_ns) {
                Step::None => {}
                Step::Pausing { ends, .. } => at = at.min(ends),
                Step::Ended { ended, .. } => {
                    if let Some(alert) = self.alerts[i].take() {
                        desk.clear(now, ended, alert, "uncrossed", registry);
                    }
                }
                Step::Holds(open) => {
                    let Some((_, bid, ask)) = case.crossing else { continue };
                    let magnitude = Magnitude::between(bid, ask, case.tick);
                    let due = open.began.saturating_add(check.on_delay_ns);
                    match self.alerts[i] {
                        Some(alert) => desk.alerts.observe(alert, Some(magnitude), None),
                        None if now < due => at = at.min(due),
                        None => {
                            let word = if kind == Kind::Crossed { "above" } else { "equal to" };
                            let why = format!(
                                "{}: bid {} is {word} ask {}",
                                (case.who)(desk),
                                show_nanos(bid),
                                show_nanos(ask)
                            );
                            let details = Details {
                                magnitude: Some(magnitude),
                                cause: "source",
                                why,
                                ..Details::default()
                            };
                            let subject = (case.subject)(kind);
                            self.alerts[i] =
                                Some(desk.raise(now, open.began, check.severity, subject, details, registry));
                        }
                    }
                }
            }
        }
        at
    }
}

/// Judges what is open in `place`, which is taken when there is something and given back when there is nothing more.
fn judge_at(now: u64, place: &mut pool::Place, case: &Case<'_>, bench: &mut Bench<'_>) -> u64 {
    let mut judge = std::mem::take(bench.rare.crossings.get_or_take(place));
    let at = judge.judge(now, case, bench.desk, bench.registry);
    let idle = judge.is_idle();
    bench.rare.crossings[*place] = judge;
    if idle {
        bench.rare.crossings.give_back(place);
    }
    at
}

/// Judges one view at `now`; answers the next deadline.
pub fn judge_view(
    id: ViewId,
    now: u64,
    place: &mut pool::Place,
    held: Option<Held>,
    bench: &mut Bench<'_>,
) -> u64 {
    let view = &bench.registry.views[id as usize];
    let crossing = view.quote.as_ref().and_then(|q| {
        let (bid, ask) = (q.best[0]?.price, q.best[1]?.price);
        Some((bid.cmp(&ask), bid, ask))
    });
    let scope = match (view.venue, bench.sources[usize::from(view.source)].composite) {
        (VenueId::NATIONAL, true) => "sources",
        (VenueId::NATIONAL, false) => "venues",
        _ => "source",
    };
    let checks = KINDS.map(|kind| bench.rules.source(kind, view.source).map(Rule::from));
    let subject = |kind| Subject {
        instrument: Some(view.instrument),
        venue: Some(view.venue),
        scope: Some(scope),
        views: vec![id],
        ..Subject::new(kind, &[view.source])
    };
    let registry = bench.registry;
    let who = |desk: &Desk| format!("{} {}", desk.name(view.source), registry.get(view.instrument).name);
    let tick = crossing.map_or(0, |(_, bid, _)| registry.tick_at(id, bid));
    let counted = Scope { name: scope, first: view.source, second: None };
    let case = Case { crossing, held, checks, scope: counted, subject: &subject, tick, who: &who };
    judge_at(now, place, &case, bench)
}

/// Judges a pair at `now` whose bids and asks meet, or did; `differs` says on which sides their disagreement is told
/// already.
pub(super) fn judge_pair(
    pair: &mut Pair,
    now: u64,
    tops: &Tops,
    held: Option<Held>,
    differs: [bool; 2],
    bench: &mut Bench<'_>,
) -> u64 {
    let own = pair.views.iter().any(|v| bench.views[*v as usize].crosses);
    let cross = |x: usize, y: usize| Some((tops.price(x, 0)?, tops.price(y, 1)?));
    let widest =
        [cross(0, 1), cross(1, 0)].into_iter().flatten().max_by_key(|(bid, ask)| bid.saturating_sub(*ask));
    // A quote that crosses itself is told of its source, not of the pair.
    let crossing = widest.filter(|_| !own).map(|(bid, ask)| (bid.cmp(&ask), bid, ask));
    let rules = bench.relations[pair.relation as usize].rules;
    let told = rules.divergent.is_some() || rules.lagging.is_some();
    let told = told && !rules.crossing_named && differs.contains(&true);
    let held = held.or(told.then_some(Held::ToldAsDisagreement));
    let [a, b] = pair.views.map(|v| &bench.registry.views[v as usize]);
    let views = pair.views;
    let subject = |kind| Subject {
        instrument: Some(a.instrument),
        venue: Some(a.venue),
        scope: Some("sources"),
        views: views.to_vec(),
        ..Subject::new(kind, &[a.source, b.source])
    };
    let registry = bench.registry;
    let who = |desk: &Desk| {
        let names = [a, b].map(|v| desk.name(v.source));
        format!("{} against {}, {}", names[0], names[1], registry.get(a.instrument).name)
    };
    let tick = crossing.map_or(0, |(_, bid, _)| registry.tick_at(views[0], bid));
    let scope = Scope { name: "sources", first: a.source, second: Some(b.source) };
    let case = Case { crossing, held, checks: rules.crossing, scope, subject: &subject, tick, who: &who };
    judge_at(now, &mut pair.crossing, &case, bench)
}
