//! Conflation: the source sends only the latest state every so often.

use super::super::facts::{Facts, ViewFacts};
use super::words::{has_moved, length, many, pair_of, prices};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "conflation",
    title: "conflation",
    document: "\
Tests        Whether a source leaves out what came and went, and shows only the latest quote at intervals.
For          Its updates of the instrument never come closer together than an interval of 20 ms or more, it shows fewer than
             half of its peer's prices, and all that it shows the peer showed.
Against      Its updates come closer together than that, or it shows what its peer never showed.
Would decide The source's product description.
Blames       the source, which is made that way.",
    test,
};

const INTERVAL_MIN_NS: u64 = 20_000_000;
const UPDATES_MIN: usize = 10;

fn test(facts: &Facts) -> Finding {
    if !matches!(facts.alert.kind, Kind::Divergent | Kind::Lagging | Kind::Stale) {
        return Finding::not_applicable();
    }
    let Some(pair) = pair_of(facts) else { return Finding::not_applicable() };
    let views = pair.map(|s| facts.view_of(&s.name));
    let [Some(a), Some(b)] = views else { return Finding::not_applicable() };
    let (few, more) = if a.shown.len() <= b.shown.len() { (a, b) } else { (b, a) };
    let finding = Finding::about(&[Blame::source(&few.source)]);
    if facts.source(&few.source).is_some_and(|s| s.depth == feeds::feed::Depth::Orders) {
        return finding.excluded(format!("{} is told order by order: it leaves nothing out", few.source));
    }
    if let Some(moved) = has_moved(facts, &few.source) {
        return finding.excluded(moved);
    }
    let Some((least, updates)) = least_interval(few) else {
        let updates = few.shown.len().saturating_sub(1);
        return finding
            .but(format!("{} updated the instrument {} only", few.source, many(updates as u64, "time")))
            .ask(format!("whether {} conflates: its product description", few.source));
    };
    if least < INTERVAL_MIN_NS {
        return finding.excluded(format!(
            "{}'s updates of the instrument come as close as {} ({})",
            few.source,
            length(least),
            many(updates as u64, "update")
        ));
    }
    let (shown, unknown, peer) = compare(facts, few, more);
    if unknown == 0 && shown > 0 && shown * 10 >= peer * 9 {
        return finding.excluded(format!(
            "{} shows {shown} of the {peer} prices of {}: it leaves next to nothing out",
            few.source, more.source
        ));
    }
    if unknown > 0 || shown * 2 > peer {
        return finding
            .but(format!(
                "{} shows {shown} prices, {unknown} of them never shown by {}, which shows {peer}",
                few.source, more.source
            ))
            .ask(format!("whether {} conflates: its product description", few.source));
    }
    finding.supported(format!(
        "{}'s updates never come closer together than {} ({}), and it shows {shown} of the {peer} prices of {}",
        few.source,
        length(least),
        many(updates as u64, "update"),
        more.source
    ))
}

/// The least time between two updates of a view, where there are enough to tell.
fn least_interval(view: &ViewFacts) -> Option<(u64, usize)> {
    let updates = view.shown.len().saturating_sub(1);
    let between = view.shown.windows(2).skip(1).map(|w| w[1].at_ns - w[0].at_ns);
    between.filter(|ns| *ns > 0).min().filter(|_| updates >= UPDATES_MIN).map(|ns| (ns, updates))
}

/// Prices that one view shows, how many of them the other never showed, and prices that the other shows.
fn compare(facts: &Facts, few: &ViewFacts, more: &ViewFacts) -> (usize, usize, usize) {
    let (mut shown, mut unknown, mut peer) = (0, 0, 0);
    for side in [0, 1] {
        let [few, more] = [few, more].map(|v| prices(facts, v, side, facts.window));
        shown += few.len();
        peer += more.len();
        unknown += few.iter().filter(|(p, _)| !more.iter().any(|(q, _)| p == q)).count();
    }
    (shown, unknown, peer)
}
