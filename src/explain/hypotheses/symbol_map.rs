//! A symbol that is mapped to the wrong instrument.

use super::super::facts::{Facts, ViewFacts};
use super::words::is_shown;
use super::words::{many, mapped, pair_of, price};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "symbol_map",
    title: "symbol mapping",
    document: "\
Tests        Whether the two sources mean different instruments by one name of ours, or one instrument by two.
For          Another instrument of the one source shows, moment for moment, what the other shows under this name.
Against      The two showed the same on both sides at some time around the alert, or, where nobody quotes one side, at
             several prices of the other: they mean the same. Of a missing instrument: every instrument of the source is
             there at its peer under the same name.
Would decide The sources' directories beside the instrument map, for the day.
Blames       reference data.",
    test,
};

fn test(facts: &Facts) -> Finding {
    if !is_shown(facts.alert.kind) {
        return Finding::not_applicable();
    }
    let finding = Finding::about(&[Blame::ReferenceData]).citing(mapped(facts));
    let like = facts.likenesses.iter().max_by_key(|l| l.equal[0]);
    if let Some(like) = like {
        let sentence = format!(
            "{}'s {} shows what {} shows as {} at {} of {} moments; its own {} at {}",
            like.source,
            like.instrument,
            like.peer,
            facts.alert.instrument.as_deref().unwrap_or("?"),
            like.equal[0],
            like.equal[1],
            facts.alert.instrument.as_deref().unwrap_or("?"),
            like.own_equal
        );
        return match like.equal[0] * 10 >= like.equal[1] * 8 && like.own_equal * 10 <= like.equal[1] * 2 {
            true => finding.supported(sentence),
            false => finding.with(sentence).ask("the sources' directories beside the instrument map"),
        };
    }
    if facts.alert.kind == Kind::Missing {
        if let Some(sentence) = none_is_left(facts) {
            return finding.excluded(sentence);
        }
        return finding.but("no other instrument of the source shows what its peer shows").ask(
            "the source's directory for the day: under which symbol it carries the instrument, if it does",
        );
    }
    if facts.alert.sources.len() < 2 && facts.alert.kind != Kind::Stale {
        return finding.excluded("it is about one source's own quotes");
    }
    let Some(pair) = pair_of(facts) else { return finding.ask("the instrument map") };
    let views = pair.map(|s| facts.view_of(&s.name));
    let [Some(a), Some(b)] = views else { return finding.ask("the instrument map") };
    let same = a.shown.iter().chain(&b.shown).find_map(|s| {
        let [x, y] = [a, b].map(|v| v.at(s.at_ns).map(|s| [0, 1].map(|side| facts.price(s, side))));
        let (x, y) = (x?, y?);
        (x == y && x[0].is_some() && x[1].is_some()).then_some((s.at_ns, x))
    });
    match same {
        Some((at, [bid, ask])) => finding.excluded(format!(
            "both showed {} / {} at {}",
            bid.map_or_else(String::new, price),
            ask.map_or_else(String::new, price),
            super::words::moment(at)
        )),
        None if let Some((prices, at_ns)) = alike_on_one_side(facts, [a, b]) => finding.excluded(format!(
            "both showed the same on the one side that has a price, at {prices} prices, the last time at {}",
            super::words::moment(at_ns)
        )),
        None => finding
            .with(format!(
                "the two never showed the same on both sides in {}",
                many((a.shown.len() + b.shown.len()) as u64, "quote")
            ))
            .ask("the sources' directories beside the instrument map"),
    }
}

/// Of a missing instrument: a peer knows every instrument that the source carries by the same name.
fn none_is_left(facts: &Facts) -> Option<String> {
    let subject = facts.subject()?;
    let all = facts.pairings.iter().find(|p| {
        p.subject == subject.name && subject.instruments > 0 && p.others_shared >= subject.instruments
    })?;
    Some(format!(
        "all {} instruments of {} are at {} under the same names: none is left that could be this one",
        subject.instruments, subject.name, all.other
    ))
}

/// Of an instrument that nobody quotes on both sides: at how many prices of the one both showed the same, and when last; nothing
/// below as many as chance might give.
fn alike_on_one_side(facts: &Facts, [a, b]: [&ViewFacts; 2]) -> Option<(usize, u64)> {
    let mut prices: Vec<[Option<i64>; 2]> = Vec::new();
    let mut last = 0;
    for shown in a.shown.iter().chain(&b.shown) {
        let [x, y] = [a, b].map(|v| v.at(shown.at_ns).map(|s| [0, 1].map(|side| facts.price(s, side))));
        let (Some(x), Some(y)) = (x, y) else { continue };
        if x == y && x[0].is_some() != x[1].is_some() {
            last = last.max(shown.at_ns);
            if !prices.contains(&x) && prices.len() < ALIKE_MAX {
                prices.push(x);
            }
        }
    }
    (prices.len() >= ALIKE_MIN).then_some((prices.len(), last))
}

/// Prices of one side that two different instruments are not thought to share one after the other.
const ALIKE_MIN: usize = 4;
/// More are not counted.
const ALIKE_MAX: usize = 100;
