//! `crossed` (and, by the same rule, `locked`): bid above ask, or equal to it.

use std::cmp::Ordering;

use feeds::event::Side;

use super::desk::Desk;
use super::pair::{Bench, Like, Pair};
use super::segment::{self, Segment, Step};
use crate::alert::{Details, Handle, Magnitude, Subject};
use crate::config::{Check, Kind, Scope};
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
    held: [Option<&'static str>; 2],
}

/// What is judged: whether it crosses, by how much, and how to tell it.
struct Case<'a> {
    crossing: Option<(Ordering, i64, i64)>,
    held: Option<&'static str>,
    checks: [Option<&'a Check>; 2],
    subject: &'a dyn Fn(Kind) -> Subject,
    tick: u64,
    /// Names who is meant; asked only when there is something to tell.
    who: &'a dyn Fn(&Desk) -> String,
}

impl CrossJudge {
    fn judge(&mut self, now: u64, case: &Case<'_>, desk: &mut Desk, registry: &Registry) -> u64 {
        let mut at = u64::MAX;
        for (i, kind) in KINDS.into_iter().enumerate() {
            let Some(check) = case.checks[i] else { continue };
            let wanted = if kind == Kind::Crossed { Ordering::Greater } else { Ordering::Equal };
            let holds = case.crossing.is_some_and(|(o, ..)| o == wanted);
            if let Some(reason) = case.held {
                if let Some(alert) = self.alerts[i].take() {
                    desk.clear(now, now, alert, &format!("not_comparable:{reason}"), registry);
                }
                self.segments[i] = None;
                if holds && self.held[i].is_none() {
                    desk.hold(kind, reason);
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

/// Judges one view at `now`; answers the next deadline.
pub fn judge_view(
    id: ViewId,
    now: u64,
    judge: &mut CrossJudge,
    held: Option<&'static str>,
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
    let checks = KINDS.map(|kind| bench.rules.source(kind, view.source));
    let subject = |kind| Subject {
        instrument: Some(view.instrument),
        venue: Some(view.venue),
        scope: Some(scope),
        views: vec![id],
        ..Subject::new(kind, &[view.source])
    };
    let registry = bench.registry;
    let who = |desk: &Desk| format!("{} {}", desk.name(view.source), registry.get(view.instrument).name);
    let tick = bench.registry.tick_nanos(view.instrument);
    let case = Case { crossing, held, checks, subject: &subject, tick, who: &who };
    judge.judge(now, &case, bench.desk, bench.registry)
}

/// Judges a pair at `now`; `differs` says on which sides their disagreement is told already.
pub(super) fn judge_pair(
    pair: &mut Pair,
    now: u64,
    held: Option<&'static str>,
    differs: [bool; 2],
    bench: &mut Bench<'_>,
) -> u64 {
    let [a, b] = pair.views.map(|v| &bench.registry.views[v as usize]);
    let price = |view: &crate::market::View, side: Side| {
        let quote = view.quote.as_ref()?;
        let levels = if pair.like == Like::Plain { quote.best } else { quote.round_lot };
        levels[side.index()].map(|l| l.price)
    };
    let cross = |x, y| Some((price(x, Side::Bid)?, price(y, Side::Ask)?));
    let own = [a, b]
        .iter()
        .any(|v| v.quote.as_ref().and_then(|q| q.crossing()).is_some_and(|o| o != Ordering::Less));
    let widest =
        [cross(a, b), cross(b, a)].into_iter().flatten().max_by_key(|(bid, ask)| bid.saturating_sub(*ask));
    // A quote that crosses itself is told of its source, not of the pair.
    let crossing = widest.filter(|_| !own).map(|(bid, ask)| (bid.cmp(&ask), bid, ask));
    let checks = KINDS.map(|kind| bench.rules.pair(kind, a.source, b.source));
    let named = checks.iter().flatten().any(|c| matches!(c.scope, Scope::Between(_)));
    let told =
        [Kind::Divergent, Kind::Lagging].iter().any(|k| bench.rules.pair(*k, a.source, b.source).is_some());
    let held = held.or((told && !named && differs.contains(&true)).then_some("told_as_disagreement"));
    let subject = |kind| Subject {
        instrument: Some(a.instrument),
        venue: Some(a.venue),
        scope: Some("sources"),
        views: pair.views.to_vec(),
        ..Subject::new(kind, &[a.source, b.source])
    };
    let registry = bench.registry;
    let who = |desk: &Desk| {
        let names = [a, b].map(|v| desk.name(v.source));
        format!("{} against {}, {}", names[0], names[1], registry.get(a.instrument).name)
    };
    let tick = bench.registry.tick_nanos(a.instrument);
    let case = Case { crossing, held, checks, subject: &subject, tick, who: &who };
    pair.crossing.judge(now, &case, bench.desk, bench.registry)
}
