//! Price bands that trades do not give.

use super::super::facts::{BandsSaid, Facts, TradesSeen};
use super::words::{many, moment, price, rows, session};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "bands",
    title: "price bands from a wrong reference price",
    document: "\
Tests        Whether the price bands that a source publishes are those that the instrument's trades give: the mean of five
             minutes' trades, and the percentages of the rule book for the day.
For          The trades lie outside the published bands, while another source trades on within bands of its own trades.
Against      The middle of the published bands is the mean of the trades, to a hundredth.
Would decide Trades of the last five minutes; the reference price that the bands were made from.
Blames       the source that publishes the bands.",
    test,
};

/// A reference price may be so far (parts of a hundred) from the mean of what we have seen: it moves in steps of one.
const NEAR_PERCENT: i128 = 2;

fn test(facts: &Facts) -> Finding {
    if facts.alert.kind != Kind::Status {
        return Finding::not_applicable();
    }
    let Some(said) = facts.tape.bands.last() else { return Finding::not_applicable() };
    let cites = rows(&facts.rules.bands).chain(session(facts));
    let finding = Finding::about(&[Blame::source(&said.source)]).citing(cites);
    let Some(trades) = facts.tape.trades.iter().max_by_key(|t| t.count) else {
        return finding.ask("trades of the last five minutes: none was seen that names its price");
    };
    let published = format!(
        "{} publishes bands of {} to {} at {} (seq {})",
        said.source,
        price(said.lower),
        price(said.upper),
        moment(said.at_ns),
        said.sequence
    );
    let mean = format!(
        "{} of {} in the last five minutes give a reference price of {}{}",
        many(trades.count, "trade"),
        trades.source,
        price(trades.mean),
        by_rule(facts)
    );
    if is_near(said, trades) {
        return finding.excluded(format!("{published}; {mean}"));
    }
    let finding = strange(trades).into_iter().fold(finding.with(mean), Finding::with);
    if (said.lower..=said.upper).contains(&trades.mean) {
        return finding.with(published).ask("the reference price that the bands were made from");
    }
    finding.supported(format!("{published}: all of those trades lie outside them"))
}

/// What the rule book makes of the mean.
fn by_rule(facts: &Facts) -> String {
    let bands: Vec<String> = facts
        .tape
        .by_rule
        .iter()
        .map(|[lower, upper]| format!("{} to {}", price(*lower), price(*upper)))
        .collect();
    if bands.is_empty() {
        String::new()
    } else {
        format!(", and by the rule book bands of {}", bands.join(" or "))
    }
}

fn is_near(said: &BandsSaid, trades: &TradesSeen) -> bool {
    let middle = (i128::from(said.lower) + i128::from(said.upper)) / 2;
    let mean = i128::from(trades.mean);
    (middle - mean).abs() * 100 <= mean * NEAR_PERCENT
}

/// Trades that are no prices of this market.
fn strange(trades: &TradesSeen) -> Option<String> {
    let (at_ns, first) = trades.strange.first()?;
    let count = many(trades.strange.len() as u64, "trade");
    Some(format!(
        "{count} of {} at a price far from all others, the first {} at {}: not counted in the reference price, and no move of the market",
        trades.source,
        price(*first),
        moment(*at_ns)
    ))
}
