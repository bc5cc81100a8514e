//! One of several copies of a feed, at one site, has not what the other copy has.

use super::super::facts::{CopyFacts, Facts, SourceFacts};
use super::posted::{nothing_sent, of_silence, sent};
use super::words::{holes, many, many_of, moment, range};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "second_site",
    title: "one site's copy of the feed",
    document: "\
Tests        Whether the source is one of several copies of one feed (a second site, a backup, another vendor's line: same
             feed, same venue, a source of its own), and its copy alone lacks what another copy has.
For          The two brought the same numbers with the same messages before; then this one stood still, with heartbeats, while
             the other went on: its sender has stopped, not the venue. Or the other brought the numbers that this one lacks.
Against      The other copy stood still or lacks the same numbers too: it lies before the sites part.
Would decide Where nothing at all came: the site's own status, and whether the numbering has run on when it comes back.
Blames       the source of that site; the network where its packets may not have come.",
    test,
};

fn test(facts: &Facts) -> Finding {
    let Some((copy, subject)) = facts.copies.iter().find(|c| c.is_copy()).zip(facts.subject()) else {
        return Finding::not_applicable();
    };
    match facts.alert.kind {
        Kind::Gap => of_gap(facts, copy, subject),
        Kind::Silent if facts.alert.line.is_some() => Finding::not_applicable(),
        Kind::Stale | Kind::Silent | Kind::Lagging | Kind::Divergent => of_standstill(facts, copy, subject),
        _ => Finding::not_applicable(),
    }
}

/// How surely the two are copies.
fn copies(copy: &CopyFacts, subject: &SourceFacts) -> String {
    let [same, all] = copy.same;
    format!(
        "{} and {} are copies of one feed ({same} of {all} packets alike, number for number)",
        subject.name, copy.source
    )
}

fn of_gap(facts: &Facts, copy: &CopyFacts, subject: &SourceFacts) -> Finding {
    let finding = Finding::about(&[Blame::Network]);
    let holes = holes(facts);
    let Some((_, hole)) = holes.first() else { return finding };
    let finding = finding.with(copies(copy, subject));
    match hole.copied {
        0 => finding.excluded(format!(
            "{} did not bring {} either: it is not of one site",
            copy.source,
            range(hole)
        )),
        n if hole.posted.is_none() => Finding { blames: vec![Blame::source(&subject.name)], ..finding }
            .supported(format!(
                "{} brought {} with these numbers: {}'s site alone did not send them",
                copy.source,
                many(n, "packet"),
                subject.name
            )),
        n => finding.supported(format!(
            "{} brought {} with these numbers: the venue sent them, and {}'s way to us lost them",
            copy.source,
            many(n, "packet"),
            subject.name
        )),
    }
}

fn of_standstill(facts: &Facts, copy: &CopyFacts, subject: &SourceFacts) -> Finding {
    let finding = Finding::about(&[Blame::source(&subject.name), Blame::Network]).with(copies(copy, subject));
    let (own, at) = copy.own_last;
    if copy.went_on == 0 || at >= facts.alert.began_ns {
        return finding.excluded(match copy.went_on {
            0 => format!("{} had brought nothing beyond {}'s number {own} either", copy.source, subject.name),
            _ => format!("{}'s numbering went on while it lasted, as {}'s did", subject.name, copy.source),
        });
    }
    let stood = format!(
        "{} stood at number {own} since {} while {} went on to {} ({})",
        subject.name,
        moment(at),
        copy.source,
        copy.other_last.0,
        many(copy.went_on, "packet")
    );
    let finding = finding.with(stood);
    if let Some((channel, posted)) = of_silence(facts).filter(|_| facts.alert.kind == Kind::Silent) {
        if let Some(nothing) = nothing_sent(channel, &posted) {
            return Finding { blames: vec![Blame::source(&subject.name)], ..finding }.supported(nothing);
        }
        if let Some(sent) = sent(channel, &posted) {
            return Finding { blames: vec![Blame::Network], ..finding }.supported(sent);
        }
    }
    let raised_ns = facts.alert.raised_ns;
    let pause = subject.channels.iter().flat_map(|c| &c.pauses).find(|p| p.span.has(raised_ns));
    match pause {
        Some(p) if p.arrivals > 0 && p.missing == 0 && !p.open => Finding { blames: vec![Blame::source(&subject.name)], ..finding }
            .supported(format!(
                "{} came meanwhile, and no number is missing after it: the path works, the site's sender had nothing to say",
                many_of(p.arrivals, "packet without news", "packets without news")
            )),
        Some(p) if p.missing > 0 => Finding { blames: vec![Blame::Network], ..finding }
            .with(format!("its own numbering had run on by {} when it came back", p.missing)),
        _ => finding.ask(format!(
            "the status of {}'s site; what comes next from it: numbering that has run on tells the path, numbering that stood still the sender",
            subject.name
        )),
    }
}
