//! Test data, or data outside the session.

use super::super::facts::{Facts, Shown, SourceFacts, ViewFacts};
use super::words::{is_authority, is_shown, many, moment, price, session};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;
use crate::market::Quality;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "test_data",
    title: "test data outside hours",
    document: "\
Tests        Whether a source publishes what is meant for tests: a test instrument, or quotes after the close.
For          The instrument is marked as a test, or the venue's own feed says closed while another source goes on, at prices
             far away from the last ones. That the rule book has the market closed leaves it open, where the venue's own feed has no
             news of the instrument.
Against      No source marks it, and all of them are in continuous trading.
Would decide The session hours of the day (early closes); the source's test schedule.
Blames       the source that publishes it.",
    test,
};

/// So far from its peer (a fifth) no price of a real market is.
const FAR: i128 = 5;

/// Prices of spreads may be negative, or zero: what counts is their size.
fn is_far(a: i128, b: i128) -> bool {
    (a - b).abs() * FAR > a.abs().max(b.abs())
}

/// A source that the alert names goes on at far away prices while the venue's own feed says closed.
fn after_the_close(facts: &Facts) -> Option<Finding> {
    let during = facts.during();
    let at = facts.alert.raised_ns;
    for venue in facts.views.iter().filter(|v| !v.composite && !v.round_lots_only) {
        let of_venue = |s: &&SourceFacts| !s.is_consolidated() && s.venue == venue.venue;
        let Some(source) = facts.source(&venue.source).filter(of_venue) else { continue };
        let closed = |s: &&Shown| s.quote.quality == Quality::Closed;
        let Some(last) = venue.at(at).filter(closed) else { continue };
        let goes_on = |v: &&ViewFacts| {
            v.venue == venue.venue && v.source != venue.source && facts.alert.sources.contains(&v.source)
        };
        let Some(other) = facts.views.iter().find(goes_on) else { continue };
        let Some(said) = other.at(at) else { continue };
        let far = (0..2).find_map(|side| {
            let [says, was] = [said, last].map(|s| s.quote.best[side].map(|l| i128::from(l.price)));
            let (says, was) = (says?, was?);
            is_far(says, was).then_some([says, was])
        });
        let Some([says, was]) = far else { continue };
        let changes = other.changes(during).count();
        let price_of = |p: i128| price(i64::try_from(p).unwrap_or(i64::MAX));
        return Some(Finding::about(&[Blame::source(&other.source)]).supported(format!(
            "{} is the venue's own feed and says closed since {}, at {}; {} goes on ({}) at {}",
            source.name,
            moment(last.at_ns),
            price_of(was),
            other.source,
            many(changes as u64, "change"),
            price_of(says)
        )));
    }
    None
}

fn test(facts: &Facts) -> Finding {
    if !is_shown(facts.alert.kind) {
        return Finding::not_applicable();
    }
    of_quotes(facts).citing(session(facts))
}

/// The market is closed by the rule book, and nobody whose word holds shows that it trades all the same: the venue's own
/// feed, with news of the instrument, does.
fn closed_by_rule(facts: &Facts) -> Option<String> {
    // Whoever is late shows the prices of the other: those are of one market, open or not.
    let session = facts.rules.session.as_ref().filter(|s| s.state == "closed");
    let session = session.filter(|_| facts.alert.kind != Kind::Lagging)?;
    let trades = |s: &&SourceFacts| is_authority(facts, s) && s.updates[1] > 0;
    if facts.sources.iter().any(|s| trades(&s)) {
        return None;
    }
    Some(format!(
        "{} is closed by the rule book from {} to {}, and no source says so",
        facts.rules.market,
        moment(session.from_ns),
        moment(session.until_ns)
    ))
}

fn of_quotes(facts: &Facts) -> Finding {
    let sources: Vec<Blame> = facts.alert.sources.iter().map(|s| Blame::source(s)).collect();
    let finding = Finding::about(&sources);
    if let Some(source) = facts.sources.iter().find(|s| s.definition.is_some_and(|d| d.test)) {
        return Finding::about(&[Blame::source(&source.name)])
            .supported(format!("{} marks the instrument as a test", source.name));
    }
    let during = facts.during();
    if let Some(finding) = after_the_close(facts) {
        return finding;
    }
    let named = facts.views.iter().filter(|v| facts.alert.sources.contains(&v.source));
    let states: Vec<(&str, Vec<Quality>)> = named.map(|v| (v.source.as_str(), v.qualities(during))).collect();
    let closed = |q: &Vec<Quality>| q.contains(&Quality::Closed);
    if let Some((open, _)) = states.iter().find(|(_, q)| !closed(q))
        && states.iter().any(|(_, q)| closed(q))
    {
        let changes = facts.view_of(open).map_or(0, |v| v.changes(during).count());
        return Finding::about(&[Blame::source(open)])
            .with(format!("{open} goes on ({}) while its peer says closed", many(changes as u64, "change")))
            .ask("the session hours of the day, and the source's test schedule");
    }
    let far = facts.pair().and_then(|[a, b]| {
        let side = facts.alert.side?.index();
        let [a, b] = [a, b].map(|v| v.at(facts.alert.raised_ns).and_then(|s| facts.price(s, side)));
        let (a, b) = (a?, b?);
        is_far(i128::from(a), i128::from(b)).then_some((a, b))
    });
    if let Some(closed) = closed_by_rule(facts) {
        return finding.with(closed).ask("the venue's calendar for the day, and the sources' test schedules");
    }
    match far {
        Some((a, b)) => finding
            .with(format!("{} against {} is no difference of one market", price(a), price(b)))
            .ask("the session hours of the day, and the sources' test schedules"),
        None => finding
            .excluded("no source marks a test instrument or says closed, and the prices are of one market"),
    }
}
