//! Round lots against odd lots.

use super::super::facts::Facts;
use super::words::{price, sides};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "round_lot",
    title: "round lot against odd lot",
    document: "\
Tests        Whether one side counts odd lots, or another round lot than the other.
For          The other's plain best (odd lots counted) is the price at which the two would agree.
Against      Odd lots make no difference to the prices, or to none that would agree.
Would decide The round lot of the instrument on that day at both sources.
Blames       reference data.",
    test,
};

fn test(facts: &Facts) -> Finding {
    if !matches!(facts.alert.kind, Kind::Divergent | Kind::Lagging | Kind::Stale) {
        return Finding::not_applicable();
    }
    let Some([a, b]) = facts.pair() else { return Finding::not_applicable() };
    let finding = Finding::about(&[Blame::ReferenceData]);
    if !a.round_lots_only && !b.round_lots_only {
        return finding.excluded("both sides count whatever is shown, odd lots included");
    }
    let at = [facts.alert.began_ns, facts.alert.raised_ns];
    let mut moments = [0, 0];
    let mut example = None;
    for side in sides(facts) {
        for at in at {
            let (Some(x), Some(y)) = (a.at(at), b.at(at)) else { continue };
            let plain = [x, y].map(|s| s.quote.best[*side].map(|l| l.price));
            let judged = [x, y].map(|s| facts.price(s, *side));
            moments[1] += 1;
            if plain[0].is_some() && plain[0] == plain[1] && judged[0] != judged[1] {
                moments[0] += 1;
                let shown = |p: Option<i64>| p.map_or_else(|| "none".to_owned(), price);
                example.get_or_insert(format!(
                    "with odd lots both show {}; with round lots {} and {}",
                    shown(plain[0]),
                    shown(judged[0]),
                    shown(judged[1])
                ));
            }
        }
    }
    let lots: Vec<String> = facts
        .sources
        .iter()
        .filter(|s| facts.alert.sources.contains(&s.name))
        .filter_map(|s| Some(format!("{} says {}", s.name, s.definition?.round_lot?)))
        .collect();
    let lots = if lots.is_empty() {
        "no source says the round lot".to_owned()
    } else {
        format!("round lot: {}", lots.join(", "))
    };
    match (moments, example) {
        ([n, all], Some(example)) if n == all && n > 0 => finding.supported(format!("{example} ({lots})")),
        ([n, _], Some(example)) if n > 0 => finding
            .with(format!("{example}, but not all the time ({lots})"))
            .ask("the round lot of the instrument on that day"),
        _ => finding.excluded(format!("the two differ with odd lots counted as well ({lots})")),
    }
}
