//! Halt, auction, close, or a state of the market.

use super::super::facts::{Facts, SourceFacts, ViewFacts};
use super::words::{
    SAID_NOTHING, doubts, is_authority, is_shown, length, many, moment, place, rows, session,
};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;
use crate::market::Quality;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "halt",
    title: "halt, auction or close",
    document: "\
Tests        Whether a trading state makes the difference, and who did not take part in it.
For          One of the two says halted, in auction or closed while the alert lasts or close to it. For a status alert: the
             venue's own feed says halted and changes nothing, the other goes on quoting.
Against      Both say continuous trading throughout.
Would decide The venue's halt notices; a third source's state. The session of the day and the halt rules are cited from the rule book.
Blames       market; for a status alert the source that missed the state.",
    test,
};

/// A change of state so close to the alert may have made it.
const NEAR_NS: u64 = 250_000_000;

fn test(facts: &Facts) -> Finding {
    if !is_shown(facts.alert.kind) {
        return Finding::not_applicable();
    }
    if facts.alert.kind == Kind::Status {
        return of_status(facts);
    }
    let during = facts.during();
    let near = super::super::facts::Span {
        from_ns: during.from_ns.saturating_sub(NEAR_NS),
        to_ns: facts.alert.raised_ns.max(during.from_ns + NEAR_NS).min(facts.window.to_ns),
    };
    let finding = Finding::about(&[Blame::Market]).citing(session(facts));
    let concerned = |v: &&ViewFacts| {
        facts.alert.sources.contains(&v.source)
            && (facts.alert.venue.is_none() || v.venue == facts.alert.venue)
    };
    let mut states = Vec::new();
    for view in facts.views.iter().filter(concerned) {
        for quality in view.qualities(near) {
            if matches!(quality, Quality::Halted | Quality::Auction | Quality::Closed) {
                states.push(format!("{} says {} close to the beginning", view.source, quality.name()));
            }
        }
    }
    if states.is_empty() {
        let who = match facts.alert.sources.as_slice() {
            [one] => format!("{one} does not say"),
            [one, other] => format!("neither {one} nor {other} says"),
            _ => "no source of the alert says".to_owned(),
        };
        return finding.excluded(format!("{who} halted, auction or closed anywhere near"));
    }
    states
        .into_iter()
        .fold(finding, Finding::with)
        .ask("the venue's notices: whether trading was stopped or resumed just then")
}

fn of_status(facts: &Facts) -> Finding {
    let Some([a, b]) = facts.pair() else { return Finding::not_applicable() };
    let stopped = |v: &ViewFacts| {
        v.at(facts.alert.raised_ns)
            .is_some_and(|s| matches!(s.quote.quality, Quality::Halted | Quality::Closed))
    };
    let (halted, trading) = match (stopped(a), stopped(b)) {
        (true, false) => (a, b),
        (false, true) => (b, a),
        _ => return Finding::about(&[]).ask("the venue's halt notices"),
    };
    let during = facts.during();
    let (Some(says), Some(quotes)) = (facts.source(&halted.source), facts.source(&trading.source)) else {
        return Finding::about(&[]).ask("the venue's halt notices");
    };
    let state = halted.at(facts.alert.raised_ns);
    let name = state.map_or("halted", |s| s.quote.quality.name());
    let since =
        state.map_or_else(String::new, |s| format!(" since {} ({})", moment(s.at_ns), place(&s.spot)));
    let after = trading.changes(during).filter(|s| s.at_ns > during.from_ns).count();
    let own =
        halted.changes(during).filter(|s| s.quote.quality != Quality::Ok && s.at_ns > during.from_ns).count();
    let finding =
        Finding::about(&[Blame::source(&trading.source), Blame::source(&halted.source)]).with(format!(
            "{} says {name}{since} and changed its quote {}; {} went on quoting ({})",
            halted.source,
            many(own as u64, "time"),
            trading.source,
            many(after as u64, "change")
        ));
    let halts = rows(&facts.rules.halts).filter(|_| name == Quality::Halted.name());
    let finding = finding.citing(session(facts)).citing(halts);
    blamed(facts, (says, quotes), finding, own)
}

/// Whose word holds: the venue's own.
fn blamed(
    facts: &Facts,
    (says, quotes): (&SourceFacts, &SourceFacts),
    finding: Finding,
    own: usize,
) -> Finding {
    let during = facts.during();
    // A halted venue may well say nothing, and a market that is closed has pauses.
    let spoke = |d: &String| !d.contains(SAID_NOTHING);
    let trouble: Vec<String> =
        doubts(quotes, during).into_iter().chain(doubts(says, during)).filter(spoke).collect();
    if !trouble.is_empty() {
        return trouble
            .into_iter()
            .fold(finding, |f, t| f.but(format!("(not sure: {t})")))
            .ask("the venue's halt notices");
    }
    if is_authority(facts, says) && !is_authority(facts, quotes) && own == 0 {
        let only = Finding { blames: vec![Blame::source(&quotes.name)], ..finding };
        return only.supported(format!(
            "{} is the venue's own feed and whole: {} missed the state for {}, and no number of it is missing",
            says.name,
            quotes.name,
            length(during.len_ns())
        ));
    }
    if is_authority(facts, quotes) && !is_authority(facts, says) {
        let only = Finding { blames: vec![Blame::source(&says.name)], ..finding };
        return only
            .supported(format!("{} is the venue's own feed, whole, and goes on trading", quotes.name));
    }
    finding.ask("the venue's halt notices")
}
