//! The source says something else than its peer, and nothing but itself explains it.

use super::super::facts::{Facts, Shown, SourceFacts, Span, ViewFacts};
use super::words::{
    LATE_NS, SAID_NOTHING, doubts, is_authority, length, many, moment, place, price, prices, sides,
};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;
use crate::market::Quality;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "wrong_value",
    title: "the source's own figure is wrong",
    document: "\
Tests        Whether one source shows a price that is not the market's: a price that its peer never shows, before or after, or
             a bid of its own above its own ask.
For          The peer is the venue's own feed, whole and current, without a contradiction in its book; further sources show
             what the peer shows; the source comes back to its peer's price alone.
Against      The peer showed the price, earlier or later. The peer has gaps, contradicts itself, or said nothing meanwhile.
Would decide A third source of the same instrument, or the venue's own record.
Blames       the source whose figure it is.",
    test,
};

fn test(facts: &Facts) -> Finding {
    match facts.alert.kind {
        Kind::Crossed | Kind::Locked => of_crossing(facts),
        Kind::Divergent | Kind::Lagging => of_pair(facts),
        _ => Finding::not_applicable(),
    }
}

fn of_pair(facts: &Facts) -> Finding {
    let [a, b] = facts.alert.sources.as_slice() else { return Finding::not_applicable() };
    let (Some(a), Some(b)) = (facts.source(a), facts.source(b)) else {
        let blames: Vec<Blame> = facts.alert.sources.iter().map(|s| Blame::source(s)).collect();
        return Finding::about(&blames).ask("the alert of one of the composite's parts");
    };
    let mut out = Finding::about(&[]);
    for (source, peer) in [(a, b), (b, a)] {
        match judge(facts, source, peer) {
            Judged::Wrong(finding) => return finding,
            Judged::Maybe(blame, sentences, asks) => {
                out.blames.push(blame);
                out.supports.extend(sentences);
                out.decides.extend(asks);
            }
            Judged::No(sentence) => out.contradicts.push(sentence),
        }
    }
    if out.blames.is_empty() {
        out.blames = vec![Blame::source(&a.name), Blame::source(&b.name)];
        return out.is(super::Standing::Excluded);
    }
    out
}

enum Judged {
    Wrong(Finding),
    Maybe(Blame, Vec<String>, Vec<String>),
    No(String),
}

/// Prices of the source while the alert lasted that its peer never shows, of how many; with the first.
pub(super) fn unknown(
    facts: &Facts,
    source: &SourceFacts,
    peer: &SourceFacts,
) -> Option<([usize; 2], String)> {
    let during = facts.during();
    // What is shown as it ends is what was agreed on.
    let inside = Span { to_ns: during.to_ns.saturating_sub(1), ..during };
    let (view, other) = facts.view_of(&source.name).zip(facts.view_of(&peer.name))?;
    // The venue's own feed, whole and fresh, does not follow anybody: what it comes to show later vindicates nobody.
    let leads = is_authority(facts, peer) && !is_authority(facts, source) && doubts(peer, during).is_empty();
    let mut counts = [0, 0];
    let mut first = None;
    for side in sides(facts) {
        let theirs = prices(facts, other, *side, facts.window);
        let own = prices(facts, view, *side, inside);
        for (own, at) in &own {
            counts[1] += 1;
            let in_time = |s: &Shown| !leads || s.at_ns <= at.at_ns.saturating_add(LATE_NS as u64);
            if !theirs.iter().any(|(p, s)| p == own && in_time(s)) {
                counts[0] += 1;
                first.get_or_insert_with(|| {
                    let name = ["bid", "ask"][*side];
                    let across = other.at(at.at_ns.max(during.from_ns)).and_then(|s| facts.price(s, *side));
                    let across = across.map_or_else(|| "nothing".to_owned(), price);
                    format!(
                        "{} shows {name} {} from {} ({}), which {} does not show {}; it shows {across} then",
                        source.name,
                        price(*own),
                        moment(at.at_ns),
                        place(&at.spot),
                        peer.name,
                        match leads {
                            true => format!("from {} up to then", moment(facts.window.from_ns)),
                            false => format!(
                                "from {} to {}",
                                moment(facts.window.from_ns),
                                moment(facts.window.to_ns)
                            ),
                        }
                    )
                });
            }
        }
    }
    first.map(|first| (counts, first))
}

fn judge(facts: &Facts, source: &SourceFacts, peer: &SourceFacts) -> Judged {
    let Some(([unknown, all], first)) = unknown(facts, source, peer) else {
        return Judged::No(format!("{} had shown every price that {} shows", peer.name, source.name));
    };
    let during = facts.during();
    let (own, theirs) = (is_authority(facts, source), is_authority(facts, peer));
    if own && !theirs && doubts(source, during).is_empty() {
        return Judged::No(format!(
            "{} is the venue's own feed, whole and current: what it shows is the venue's word",
            source.name
        ));
    }
    let mut sentences = vec![first];
    if all > 1 {
        sentences.push(format!(
            "{unknown} of {all} prices of {} in the alert are none of {}'s",
            source.name, peer.name
        ));
    }
    sentences.extend(offset(facts, source, peer));
    sentences.extend(came_back(facts, source, peer));
    let witnesses: Vec<&str> = facts
        .witnesses()
        .filter(|w| {
            let side = facts.alert.side.map_or(0, |s| s.index());
            let at = |v: &super::super::facts::ViewFacts| {
                v.at(facts.alert.raised_ns).and_then(|s| facts.price(s, side))
            };
            at(w).is_some() && at(w) == facts.view_of(&peer.name).and_then(at)
        })
        .map(|w| w.source.as_str())
        .collect();
    let mut trouble = doubts(peer, during);
    trouble.extend(doubts(source, during));
    let enough_after = facts.window.to_ns >= facts.alert.raised_ns + 200_000_000;
    if !enough_after {
        trouble.push("the data end too soon after it to show what became of it".to_owned());
    }
    let authority = theirs && !own;
    if trouble.is_empty() && (authority || !witnesses.is_empty()) {
        let mut finding = Finding::about(&[Blame::source(&source.name)]);
        finding.supports = sentences;
        if !witnesses.is_empty() {
            finding = finding.with(format!("{} shows what {} shows", witnesses.join(", "), peer.name));
        }
        return Judged::Wrong(finding.supported(match authority {
            true => format!(
                "{} is the venue's own feed: whole up to the end of the alert, without a contradiction, and updated the instrument {} meanwhile",
                peer.name,
                many(peer.updates[1], "time")
            ),
            false => format!("{} is whole and without a contradiction", peer.name),
        }));
    }
    sentences.extend(trouble.into_iter().map(|t| format!("(not sure: {t})")));
    let ask = format!(
        "a third source of the instrument, or the venue's own record, to say whether {} or {} is right",
        source.name, peer.name
    );
    Judged::Maybe(Blame::source(&source.name), sentences, vec![ask])
}

/// The difference, where it stays the same over several moves of both.
fn offset(facts: &Facts, source: &SourceFacts, peer: &SourceFacts) -> Option<String> {
    let side = facts.alert.side?.index();
    let (view, other) = facts.view_of(&source.name).zip(facts.view_of(&peer.name))?;
    let during = facts.during();
    let inside = Span { to_ns: during.to_ns.saturating_sub(1), ..during };
    let shown = prices(facts, view, side, inside);
    let differences = shown.iter().filter_map(|(own, at)| {
        // What the peer showed a flight ago, or shows then.
        let theirs = other.at(at.at_ns.max(during.from_ns)).and_then(|s| facts.price(s, side))?;
        Some(own - theirs)
    });
    let differences: Vec<i64> = differences.collect();
    let first = *differences.first()?;
    (differences.len() >= 3 && differences.iter().all(|d| *d == first)).then(|| {
        format!(
            "it follows {}'s moves at a distance of {} ({} times)",
            peer.name,
            price(first),
            differences.len()
        )
    })
}

/// Whether the source alone ended it.
fn came_back(facts: &Facts, source: &SourceFacts, peer: &SourceFacts) -> Option<String> {
    let side = facts.alert.side?.index();
    let ended = facts.alert.ended_ns?;
    let (view, other) = facts.view_of(&source.name).zip(facts.view_of(&peer.name))?;
    let at = view.at(ended).filter(|s| s.at_ns == ended)?;
    let still = other.at(ended).filter(|s| s.at_ns < ended)?;
    (facts.price(at, side) == facts.price(still, side)).then(|| {
        format!(
            "it ended as {} came back to {}'s {} at {} ({}) while {} stayed",
            source.name,
            peer.name,
            facts.price(at, side).map_or_else(String::new, price),
            moment(ended),
            place(&at.spot),
            peer.name
        )
    })
}

/// A source's word on a venue may be older than the venue's own by so much: its flight.
const FLIGHT_NS: u64 = 20_000_000;

/// What the source says of a venue makes the sides meet, and the venue's own feed has not shown it for longer than a
/// flight: with what the venue shows they would not.
fn outdated(facts: &Facts, view: &ViewFacts, own: &ViewFacts) -> Option<String> {
    let at = facts.alert.raised_ns;
    let price_of = |shown: &Shown, side: usize| shown.quote.round_lot[side].map(|l| l.price);
    let of_one = facts.alert.scope.as_deref() == Some("source");
    let mut said = [Vec::new(), Vec::new()];
    let mut really = [Vec::new(), Vec::new()];
    for other in facts.views.iter().filter(|v| v.source == view.source && v.venue.is_some() && !v.composite) {
        if of_one && other.venue != view.venue {
            continue;
        }
        for side in 0..2 {
            let says = other.at(at).and_then(|s| price_of(s, side));
            let shows =
                if other.venue == view.venue { own.at(at).and_then(|s| price_of(s, side)) } else { says };
            said[side].extend(says);
            really[side].extend(shows);
        }
    }
    let meet = |[bids, asks]: &[Vec<i64>; 2]| bids.iter().max() >= asks.iter().min() && !asks.is_empty();
    if !meet(&said) || meet(&really) {
        return None;
    }
    let flight = Span { from_ns: at.saturating_sub(FLIGHT_NS), to_ns: at };
    let lately = |price: i64, side: usize| {
        own.at(flight.from_ns)
            .into_iter()
            .chain(own.changes(flight))
            .any(|s| price_of(s, side) == Some(price))
    };
    let shown = view.at(at)?;
    let old = (0..2).find_map(|side| {
        let says = price_of(shown, side)?;
        let best = if side == 0 { said[0].iter().max() } else { said[1].iter().min() };
        (best == Some(&says) && !lately(says, side)).then_some((side, says))
    });
    let (side, says) = old?;
    Some(format!(
        "{} says {} {} of {} ({}), which {} has not shown in the last {}; with what it shows ({}) the sides do not meet",
        view.source,
        ["bid", "ask"][side],
        price(says),
        view.venue.as_deref().unwrap_or("?"),
        place(&shown.spot),
        own.source,
        length(FLIGHT_NS),
        own.at(at).and_then(|s| price_of(s, side)).map_or_else(|| "none".to_owned(), price)
    ))
}

fn of_crossing(facts: &Facts) -> Finding {
    if facts.alert.scope.as_deref() == Some("sources") {
        return of_pair(facts);
    }
    let Some(subject) = facts.subject() else { return Finding::not_applicable() };
    let finding = Finding::about(&[Blame::source(&subject.name)]);
    let at = facts.alert.began_ns;
    let during = facts.during();
    // What the source says of a venue, held against the venue's own feed.
    for view in facts.views.iter().filter(|v| v.source == subject.name && v.venue.is_some() && !v.composite) {
        let own =
            facts.views.iter().find(|v| v.venue == view.venue && v.source != view.source && !v.composite);
        let Some((own, source)) = own.and_then(|o| Some((o, facts.source(&o.source)?))) else { continue };
        let (Some(said), Some(true_)) = (view.at(facts.alert.raised_ns), own.at(facts.alert.raised_ns))
        else {
            continue;
        };
        let prices = |s: &super::super::facts::Shown| s.quote.round_lot.map(|l| l.map(|l| l.price));
        let differs = prices(said) != prices(true_);
        let shown = |p: Option<i64>| p.map_or_else(|| "none".to_owned(), price);
        let never = (0..2).find(|side| {
            prices(said)[*side].is_some()
                && prices(said)[*side] != prices(true_)[*side]
                && !own.shown.iter().any(|s| prices(s)[*side] == prices(said)[*side])
        });
        // A venue that is closed may well say nothing, and what is said of it since then is no old word of its own.
        let closed = true_.quote.quality == Quality::Closed && said.at_ns > true_.at_ns;
        let counts = |d: &String| !closed || !d.contains(SAID_NOTHING);
        let trouble: Vec<String> =
            doubts(source, during).into_iter().chain(doubts(subject, during)).filter(counts).collect();
        if let Some(side) = never.filter(|_| trouble.is_empty()) {
            return finding.supported(format!(
                "{} says {} {} of {} ({}), which {} itself never shows: it shows {}",
                subject.name,
                ["bid", "ask"][side],
                shown(prices(said)[side]),
                view.venue.as_deref().unwrap_or("?"),
                place(&said.spot),
                own.source,
                shown(prices(true_)[side])
            ));
        }
        if trouble.is_empty()
            && let Some(sentence) = outdated(facts, view, own)
        {
            return finding.supported(sentence);
        }
        if differs {
            return finding
                .with(format!(
                    "{} and {} differ on {}",
                    subject.name,
                    own.source,
                    view.venue.as_deref().unwrap_or("?")
                ))
                .ask("the alert of that difference: explain it");
        }
    }
    if facts.alert.scope.as_deref() == Some("source")
        && let Some(view) = facts.view_of(&subject.name)
        && let Some(said) = view.at(at)
        && said.quote.crossing().is_some_and(|o| o.is_gt())
        && subject.depth == feeds::feed::Depth::Top
        && doubts(subject, during).is_empty()
    {
        return finding.supported(format!(
            "one message says both its bid and its ask, crossed ({})",
            place(&said.spot)
        ));
    }
    let lasted = length(during.len_ns());
    finding
        .with(format!("it lasted {lasted}"))
        .ask("the quoting venues' own feeds: whether each of them showed its price")
}
