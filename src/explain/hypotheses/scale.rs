//! Rounding or scale: one price is the other's times something, or the other's with fewer decimals.

use super::super::facts::{Facts, ViewFacts};
use super::words::{is_shown, many, mapped, price, prices, sides};
use super::{Blame, Finding, Hypothesis};

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "scale",
    title: "rounding or scale",
    document: "\
Tests        Whether the two prices stand in a constant ratio (10, 100, 1000, or a split of 2 to 20 or 3 for 2), or one is the
             other rounded to a coarser step.
For          The same ratio, or the same rounding, at every moment of the alert that can be looked at (at least three
             different pairs of prices).
Against      The prices lie closer together than any such ratio and on the same step, or their ratio changes.
Would decide The instrument's definition at both sources: decimals, display factor, a split today.
Blames       reference data.",
    test,
};

/// Ratios that mean something: numerator, denominator, what they are.
const RATIOS: [(i64, i64, &str); 10] = [
    (10, 1, "a factor of 10"),
    (100, 1, "a factor of 100"),
    (1_000, 1, "a factor of 1000"),
    (10_000, 1, "a factor of 10000"),
    (2, 1, "a split of 2 for 1"),
    (3, 1, "a split of 3 for 1"),
    (4, 1, "a split of 4 for 1"),
    (5, 1, "a split of 5 for 1"),
    (20, 1, "a split of 20 for 1"),
    (3, 2, "a split of 3 for 2"),
];

const MOMENTS_MAX: usize = 256;

fn test(facts: &Facts) -> Finding {
    let finding = Finding::about(&[Blame::ReferenceData]).citing(mapped(facts));
    if !is_shown(facts.alert.kind) || facts.alert.sources.len() < 2 {
        return Finding::not_applicable();
    }
    let Some([a, b]) = facts.pair() else { return Finding::not_applicable() };
    let mut pairs: Vec<(i64, i64)> = Vec::new();
    for side in sides(facts) {
        moments(facts, a, b, *side, &mut pairs);
    }
    pairs.sort_unstable();
    pairs.dedup();
    if pairs.is_empty() {
        return finding
            .but("the two never showed a price of a side together")
            .ask("the instrument's definition at both sources");
    }
    // What is told is a moment at which they differ.
    let Some((first, second)) = pairs.iter().copied().find(|(x, y)| x != y) else {
        return finding.excluded(format!(
            "the two showed the same at {} of the alert that were looked at",
            many(pairs.len() as u64, "moment")
        ));
    };
    for (numerator, denominator, what) in RATIOS {
        for (large, small) in [(a, b), (b, a)] {
            let turned = std::ptr::eq(large, b);
            let fits = pairs.iter().all(|(x, y)| {
                let (x, y) = if turned { (*y, *x) } else { (*x, *y) };
                is_ratio(x, y, numerator, denominator)
            });
            if !fits {
                continue;
            }
            let sentence = format!(
                "{}'s price is {what} of {}'s at all {} ({} against {})",
                large.source,
                small.source,
                many(pairs.len() as u64, "moment"),
                price(if turned { second } else { first }),
                price(if turned { first } else { second }),
            );
            return match pairs.len() {
                0..3 => finding.with(sentence).ask("the instrument's definition at both sources"),
                _ => finding.supported(sentence),
            };
        }
    }
    if let Some(sentence) = rounded(facts, a, b, &pairs) {
        return match pairs.len() {
            0..3 => finding.with(sentence).ask("the instrument's definition at both sources"),
            _ => finding.supported(sentence),
        };
    }
    finding.excluded(format!(
        "{} against {}: no factor of 10 to 10000 and no split, and no rounding to a coarser step ({} looked at)",
        price(first),
        price(second),
        many(pairs.len() as u64, "moment")
    ))
}

/// What both showed at the changes of either while the alert lasted.
fn moments(facts: &Facts, a: &ViewFacts, b: &ViewFacts, side: usize, pairs: &mut Vec<(i64, i64)>) {
    let during = facts.during();
    let changes = a.changes(during).chain(b.changes(during)).map(|s| s.at_ns);
    let both = [facts.alert.raised_ns, during.from_ns];
    let at: Vec<u64> = both.into_iter().chain(changes).take(MOMENTS_MAX).collect();
    for at in at.into_iter().filter(|at| *at < during.to_ns || facts.alert.ended_ns.is_none()) {
        let shown = |v: &ViewFacts| v.at(at).and_then(|s| facts.price(s, side));
        pairs.extend(shown(a).zip(shown(b)));
    }
}

/// Whether `x / y` is `numerator / denominator` within a thousandth.
fn is_ratio(x: i64, y: i64, numerator: i64, denominator: i64) -> bool {
    let (x, y) = (i128::from(x) * i128::from(denominator), i128::from(y) * i128::from(numerator));
    y > 0 && (x - y).abs() * 1_000 <= y
}

/// One side's prices all stand on a step ten times coarser than the other's, and are the other's rounded to it.
fn rounded(facts: &Facts, a: &ViewFacts, b: &ViewFacts, pairs: &[(i64, i64)]) -> Option<String> {
    for (coarse, fine, turned) in [(a, b, false), (b, a, true)] {
        let of = |(x, y): &(i64, i64)| if turned { (*y, *x) } else { (*x, *y) };
        for step in [100_000_000_i64, 10_000_000, 1_000_000] {
            // All that it shows in the window stands on the coarser step, not only what is compared.
            let on_step = |side| prices(facts, coarse, side, facts.window).iter().all(|(p, _)| p % step == 0);
            let fits = pairs.iter().map(of).all(|(c, f)| c % step == 0 && (c - f).abs() < step)
                && sides(facts).iter().all(|side| on_step(*side));
            let finer = pairs.iter().map(of).any(|(_, f)| f % step != 0);
            if fits && finer {
                return Some(format!(
                    "{} shows {}'s prices rounded to {}",
                    coarse.source,
                    fine.source,
                    price(step)
                ));
            }
        }
    }
    None
}
