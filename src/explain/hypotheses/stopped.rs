//! The source stopped saying anything, about one instrument or about all.

use super::super::facts::{Facts, SourceFacts, Span, ViewFacts};
use super::late::as_late_as_ever;
use super::posted::{nothing_sent, of_silence as of_silence_sent, sent};
use super::words::{
    LATE_NS, WHAT_COMES_NEXT, doubts, has_moved, held_through, is_authority, length, many, many_of, moment,
    pair_of, pairing, pauses, price, prices, quiet, rest_is_current, rose, sides,
};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "stopped",
    title: "the source stopped updating",
    document: "\
Tests        Whether a source said nothing of the instrument (or of anything) while its peer's price moved, though it was
             there to speak.
For          Its other instruments were updated as early as ever, and no number is missing. Or nothing but heartbeats
             came, and the numbering stood still. Of a silence: a sender that counts its packets (IPv4 identification) sent none.
Against      It did update the instrument, no later than it always does. Numbers are missing when it comes back, or its
             sender had counted on.
Would decide What comes next from it; its own status page.
Blames       the source that stopped.",
    test,
};

fn test(facts: &Facts) -> Finding {
    match facts.alert.kind {
        Kind::Gap | Kind::Line | Kind::Clock | Kind::Missing | Kind::Status => {
            return Finding::not_applicable();
        }
        Kind::Silent => return of_silence(facts),
        _ => {}
    }
    let Some(pair) = pair_of(facts) else { return Finding::not_applicable() };
    let [first, second] = [(pair[0], pair[1]), (pair[1], pair[0])].map(|(s, o)| of_source(facts, s, o));
    match (first, second) {
        (Ok(found), _) | (_, Ok(found)) => found,
        (Err(a), Err(b)) => {
            let open = a.1 || b.1;
            // Only those of whom it cannot be told are meant.
            let meant = pair.iter().zip([a.1, b.1]).filter(|(_, may)| *may || !open);
            let blames: Vec<Blame> = meant.map(|(s, _)| Blame::source(&s.name)).collect();
            let finding = Finding::about(&blames).but(a.0).but(b.0);
            if open {
                finding.ask("what comes next from it, and whether numbers are missing then")
            } else {
                finding.is(super::Standing::Excluded)
            }
        }
    }
}

/// Supported, or why not and whether it stays open.
fn of_source(facts: &Facts, source: &SourceFacts, other: &SourceFacts) -> Result<Finding, (String, bool)> {
    let name = &source.name;
    let during = facts.during();
    let about = || Finding::about(&[Blame::source(name)]);
    let Some((view, peer)) = facts.view_of(name).zip(facts.view_of(&other.name)) else {
        return Err((format!("{name} does not show the instrument"), false));
    };
    if let Some(moved) = has_moved(facts, name) {
        return Err((moved, false));
    }
    let standing = |span: Span| view.changes(Span { to_ns: span.to_ns.saturating_sub(1), ..span }).count();
    let moved = news(facts, view, peer);
    if moved == 0 && is_leader(facts, name) {
        return Err((format!("{} showed nothing that {name} had not shown before it", other.name), false));
    }
    if let Some(by) =
        rose(&source.send_latency.before, &source.send_latency.during).filter(|by| *by > LATE_NS)
    {
        return Err((
            format!("{name} had sent: its packets came {} late after their time of sending", length(by)),
            false,
        ));
    }
    if let Some(ever) = as_late_as_ever(facts, source, other) {
        return Err((ever.to_string(), false));
    }
    if let Some((channel, pause)) = pauses(source, during).find(|(_, p)| {
        p.span.from_ns <= during.from_ns + p.span.len_ns() / 2 && p.span.to_ns >= facts.alert.raised_ns
    }) {
        let stretch = length(pause.span.len_ns());
        if pause.missing > 0 {
            return Err((
                format!("{} numbers are missing after {name}'s {stretch} without data", pause.missing),
                false,
            ));
        }
        let missing = source.gaps_by(pause.span.to_ns).any(|(_, g)| g.began_ns >= pause.span.from_ns);
        // While its peer was quiet too it had nothing to say: what counts is the time from the alert's beginning on.
        let news_ns = pause.span.to_ns.saturating_sub(pause.span.from_ns.max(during.from_ns));
        if pause.arrivals > 0 && !pause.open && !missing && news_ns > source.heartbeat_ns {
            return Ok(about().supported(format!(
                "{name} channel {} delivered nothing from {} for {stretch}, while {} came; no number is missing: nothing had been sent",
                channel.name,
                moment(pause.span.from_ns),
                many_of(pause.arrivals, "packet without news", "packets without news"),
            )));
        }
        return Err((format!("{name} delivered nothing at all for {stretch}"), true));
    }
    let changes = standing(during);
    if changes > 0 {
        return Err((format!("{name} changed its quote {} meanwhile", many(changes as u64, "time")), false));
    }
    if is_authority(facts, source) && !is_authority(facts, other) && doubts(source, during).is_empty() {
        return Err((
            format!("{name} is the venue's own feed, whole and current: what it shows stands at the venue"),
            false,
        ));
    }
    let current = pairing(facts, name, &other.name).is_some_and(|p| rest_is_current(&p));
    let trouble = doubts(source, during);
    if !current || !trouble.is_empty() || moved == 0 {
        let why = if moved == 0 {
            format!("{}'s price did not move meanwhile", other.name)
        } else {
            format!(
                "{name} did not change its quote, but it cannot be told why: {}",
                trouble.first().cloned().unwrap_or_else(|| "nothing else of it came meanwhile".to_owned())
            )
        };
        return Err((why, moved > 0));
    }
    let at = view.at(during.from_ns).map_or(during.from_ns, |s| s.at_ns);
    let shown = sides(facts).first().and_then(|side| facts.price(view.at(during.from_ns)?, *side));
    Ok(about()
        .supported(format!(
            "{name} has shown {} since {} and said nothing of it, while {} moved {}",
            shown.map_or_else(|| "its quote".to_owned(), price),
            moment(at),
            other.name,
            many(moved as u64, "time")
        ))
        .with(format!(
            "{name} updated other instruments {} meanwhile, as early as ever; no number is missing",
            many(source.updates_other[1], "time")
        )))
}

/// A source that the alert says to be ahead: the peer shows what it showed before.
fn is_leader(facts: &Facts, name: &str) -> bool {
    facts.alert.kind == Kind::Lagging && facts.alert.sources.first().is_some_and(|late| late != name)
}

/// How long ago a source may have shown what its peer comes to show, for that to be no news: the reach of the check.
const REACH_NS: u64 = 10_000_000_000;

/// How many prices the peer moved to while the alert lasted (the move that began it counts); of a source that is ahead,
/// those that it had not shown itself lately.
fn news(facts: &Facts, view: &ViewFacts, peer: &ViewFacts) -> usize {
    let during = facts.during();
    let since = Span { from_ns: during.from_ns.saturating_sub(1), ..during };
    let moves = |side: usize| {
        let theirs = prices(facts, peer, side, since);
        if !is_leader(facts, &view.source) {
            return theirs.len().saturating_sub(1);
        }
        let echoes = |at_ns: u64, price: i64| {
            let lately = Span { from_ns: at_ns.saturating_sub(REACH_NS), to_ns: at_ns };
            prices(facts, view, side, lately).iter().any(|(p, _)| *p == price)
        };
        theirs.iter().skip(1).filter(|(p, at)| !echoes(at.at_ns, *p)).count()
    };
    sides(facts).iter().map(|side| moves(*side)).max().unwrap_or(0)
}

fn of_silence(facts: &Facts) -> Finding {
    let Some(subject) = facts.subject() else { return Finding::not_applicable() };
    let finding = Finding::about(&[Blame::source(&subject.name)]);
    if let Some((channel, posted)) = of_silence_sent(facts) {
        if let Some(nothing) = nothing_sent(channel, &posted) {
            return finding.supported(nothing);
        }
        if let Some(sent) = sent(channel, &posted) {
            return finding.excluded(sent);
        }
    }
    if facts.alert.line.is_some() {
        return Finding::not_applicable();
    }
    let lines = subject.channels.iter().flat_map(|c| c.lines.iter().map(move |l| (c, l)));
    let mut silences = lines.flat_map(|(c, l)| l.silences.iter().map(move |s| (c, s)));
    let Some((channel, silence)) = silences.find(|(_, s)| held_through(facts, s)) else {
        return finding;
    };
    let stretch = length(silence.span.len_ns());
    match silence {
        s if s.open => finding.ask(WHAT_COMES_NEXT),
        s if s.missing > 0 => finding
            .excluded(format!("the numbering ran on by {} in the {stretch}: it was sending", s.missing)),
        s => match quiet(channel, s.span) {
            Some(quiet) => finding.with(quiet).ask("the source's own record of its heartbeats"),
            None => finding
                .with(format!("no number is missing after the {stretch}: nothing had been sent"))
                .is(super::Standing::Supported),
        },
    }
}
