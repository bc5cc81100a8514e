//! `status`: one source says halted or closed, the other goes on quoting.

use super::held::Held;
use super::pair::{Bench, Pair};
use crate::alert::{Details, Handle, Subject};
use crate::config::Kind;

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
#[inline]
pub fn judge(pair: &mut Pair, now: u64, changed: Option<usize>, bench: &mut Bench<'_>) {
    let [a, b] = pair.views.map(|v| bench.views[v as usize].quality);
    if pair.status == 0 && a == b {
        // Of two that trade, or stand, nothing is to be told.
        pair.mark_parted(false);
        return;
    }
    let stopped = |q| matches!(q, Some(Held::Halted | Held::Closed));
    let parted = match () {
        () if stopped(a) && b.is_none() => Some(0),
        () if stopped(b) && a.is_none() => Some(1),
        () => None,
    };
    pair.mark_parted(parted.is_some());
    if pair.status != 0 || parted.is_some() {
        judge_parted(pair, now, changed, parted, bench);
    }
}

fn judge_parted(
    pair: &mut Pair,
    now: u64,
    changed: Option<usize>,
    parted: Option<usize>,
    bench: &mut Bench<'_>,
) {
    let Some(check) = bench.relations[pair.relation as usize].rules.status else { return };
    let held = pair.views.iter().find_map(|v| {
        let reason = bench.views[*v as usize].held(bench)?;
        (!matches!(reason, Held::Halted | Held::Closed)).then_some(reason.name())
    });
    let status = bench.rare.status.get_or_take(&mut pair.status);
    if let Some(reason) = held {
        if let Some(alert) = status.alert.take() {
            bench.desk.clear(now, now, alert, &format!("not_comparable:{reason}"), bench.registry);
        }
        if status.parted.take().is_some() || parted.is_some() {
            bench.desk.hold(Kind::Status, reason);
        }
        bench.rare.status.give_back(&mut pair.status);
        return;
    }
    if status.parted.map(|(_, who)| who) != parted {
        if let Some(alert) = status.alert.take() {
            bench.desk.clear(now, now, alert, "agreed", bench.registry);
        }
        status.parted = parted.map(|who| (now, who));
        if parted.is_none() {
            bench.rare.status.give_back(&mut pair.status);
        }
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
    let raised = bench.desk.raise(now, since, check.severity, subject, details, bench.registry);
    bench.rare.status[pair.status].alert = Some(raised);
}
