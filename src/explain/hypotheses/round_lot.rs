//! Round lots against odd lots.

use super::super::facts::{Facts, ViewFacts};
use super::words::{moment, price, rule_lot, sides};
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
    let finding = Finding::about(&[Blame::ReferenceData]).citing(rule_lot(facts));
    if !a.round_lots_only && !b.round_lots_only {
        return finding.excluded("both sides count whatever is shown, odd lots included");
    }
    if let Some(sentence) = agreed_before(facts, a, b) {
        return finding.excluded(sentence);
    }
    let during = facts.during();
    let changes = a.changes(during).chain(b.changes(during)).map(|s| s.at_ns);
    let inside = |at: &u64| *at < during.to_ns || facts.alert.ended_ns.is_none();
    let moments: Vec<u64> = std::iter::once(facts.alert.raised_ns).chain(changes.filter(inside)).collect();
    let mut counts = [0, 0];
    let mut example = None;
    for side in sides(facts) {
        for at in &moments {
            let (Some(x), Some(y)) = (a.at(*at), b.at(*at)) else { continue };
            let plain = [x, y].map(|s| s.quote.best[*side].map(|l| l.price));
            let judged = [x, y].map(|s| facts.price(s, *side));
            if judged[0] == judged[1] {
                continue;
            }
            counts[1] += 1;
            if plain[0].is_some() && plain[0] == plain[1] {
                counts[0] += 1;
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
    match (counts, example) {
        ([n, all], Some(example)) if n == all && n >= 3 => {
            finding.supported(format!("{example}, and so at all {all} moments looked at ({lots})"))
        }
        ([n, all], Some(example)) if n * 2 > all => finding
            .with(format!("{example}, at {n} of {all} moments ({lots})"))
            .ask("the round lot of the instrument on that day"),
        ([n, all], _) => finding.excluded(format!(
            "with odd lots counted they would agree at {n} of {all} moments only ({lots})"
        )),
    }
}

fn shown(side: Option<i64>) -> String {
    side.map_or_else(|| "none".to_owned(), price)
}

/// Whether the two agreed on the round lot before while an odd lot stood in front of it: they count alike.
fn agreed_before(facts: &Facts, a: &ViewFacts, b: &ViewFacts) -> Option<String> {
    let before = a.shown.iter().chain(&b.shown).filter(|s| s.at_ns < facts.alert.began_ns);
    for at in before.map(|s| s.at_ns) {
        let (Some(x), Some(y)) = (a.at(at), b.at(at)) else { continue };
        for side in 0..2 {
            let judged = [x, y].map(|s| facts.price(s, side));
            let plain = [x, y].map(|s| s.quote.best[side].map(|l| l.price));
            if judged[0].is_some() && judged[0] == judged[1] && plain[0] != plain[1] {
                return Some(format!(
                    "they count alike: at {} both showed {} though an odd lot stood at {}",
                    moment(at),
                    shown(judged[0]),
                    shown(if plain[0] == judged[0] { plain[1] } else { plain[0] })
                ));
            }
        }
    }
    None
}
