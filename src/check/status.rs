//! `status`: one source says halted or closed, the other goes on quoting.

use super::pair::{Bench, Pair};
use crate::alert::{Details, Handle, Subject};
use crate::config::Kind;
use crate::market::Quality;

/// The check's document.
pub const DOCUMENT: &str = "\
status: one source says halted or closed, the other goes on quoting

Definition   Of two views of one instrument at one venue, one is halted or closed and the other trades.
Inputs       Trading states from the feeds; changes of the trading view's quote.
Parameters   on_delay (250ms).
Opens        When the trading view changes its quote on_delay or more after the states parted; began is when they
             parted. A quote that was merely left standing is no status alert.
Clears       When both say the same again, or are no longer comparable for another reason (not_comparable).
Held back    While either is silent, stale, in an auction or suspect after a gap; test instruments. Price checks of the pair, meanwhile: not comparable, halted or closed.";

/// State of the check for one pair.
#[derive(Debug, Default)]
pub struct StatusJudge {
    /// Since when they part, and which of the two is halted.
    parted: Option<(u64, usize)>,
    alert: Option<Handle>,
}

/// Looks at a pair after `changed` (a position in the pair, when its quote changed).
pub fn judge(pair: &mut Pair, now: u64, changed: Option<usize>, bench: &mut Bench<'_>) {
    let [a, b] = pair.views.map(|v| bench.registry.views[v as usize].quote.map(|q| q.quality));
    let stopped = |q: Option<Quality>| matches!(q, Some(Quality::Halted | Quality::Closed));
    let trades = |q: Option<Quality>| q == Some(Quality::Ok);
    let parted = match () {
        () if stopped(a) && trades(b) => Some(0),
        () if stopped(b) && trades(a) => Some(1),
        () => None,
    };
    let [source_a, source_b] = bench.relations[pair.relation].sources;
    let Some(check) = bench.rules.pair(Kind::Status, source_a, source_b).cloned() else { return };
    let status = &mut pair.status;
    let held = pair.views.iter().find_map(|v| {
        let reason = bench.views[*v as usize].held(&bench.registry.views[*v as usize], bench)?;
        (!matches!(reason, "halted" | "closed")).then_some(reason)
    });
    if let Some(reason) = held {
        if let Some(alert) = status.alert.take() {
            bench.desk.clear(now, now, alert, &format!("not_comparable:{reason}"), bench.registry);
        }
        if status.parted.take().is_some() || parted.is_some() {
            bench.desk.hold(Kind::Status, reason);
        }
        return;
    }
    if status.parted.map(|(_, who)| who) != parted {
        if let Some(alert) = status.alert.take() {
            bench.desk.clear(now, now, alert, "agreed", bench.registry);
        }
        status.parted = parted.map(|who| (now, who));
        return;
    }
    let Some((since, who)) = status.parted else { return };
    let due = since.saturating_add(check.on_delay_ns);
    if status.alert.is_some() || changed != Some(1 - who) || now < due {
        return;
    }
    let view = |p: usize| &bench.registry.views[pair.views[p] as usize];
    let (halted, trading) = (view(who), view(1 - who));
    let quality = halted.quote.map_or("halted", |q| q.quality.name());
    let why = format!(
        "{} says {quality}, {} still changed its quote {} ms later",
        bench.desk.name(halted.source),
        bench.desk.name(trading.source),
        (now - since) / 1_000_000
    );
    let subject = Subject {
        instrument: Some(halted.instrument),
        venue: Some(halted.venue),
        views: pair.views.to_vec(),
        ..Subject::new(Kind::Status, &[trading.source, halted.source])
    };
    let details = Details { cause: "source", why, ..Details::default() };
    pair.status.alert = Some(bench.desk.raise(now, since, check.severity, subject, details, bench.registry));
}
