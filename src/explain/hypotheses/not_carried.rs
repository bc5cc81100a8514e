//! The source does not carry the instrument.

use super::super::facts::{Facts, SourceFacts};
use super::words::{has_moved, is_authority, many};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "not_carried",
    title: "the source does not carry the instrument",
    document: "\
Tests        Of a missing instrument: whether the source carries it at all, as far as its data show.
For          Its directory of the day is here from its first number on, lists nearly all of its peers' instruments in the range of
             names that it spans, and not this one; or it lists it and never quotes it. What a group carries is the same for all who
             receive it, so that neither permissions nor we are the cause.
Against      It shows the prices under another name (symbol mapping).
Would decide The source's directory for the day, where it is not in the data; whether all its channels are subscribed.
Blames       the source; with reference data and ours where its directory is not here.",
    test,
};

fn test(facts: &Facts) -> Finding {
    let Some(subject) = facts.subject().filter(|_| facts.alert.kind == Kind::Missing) else {
        return Finding::not_applicable();
    };
    let finding = Finding::about(&[Blame::source(&subject.name), Blame::ReferenceData, Blame::Ours]);
    if !facts.likenesses.is_empty() {
        return finding.excluded(format!("{} shows it under another name", subject.name));
    }
    if let Some(moved) = has_moved(facts, &subject.name) {
        return finding.excluded(moved);
    }
    if let Some(sentence) = by_directory(facts, subject) {
        return Finding { blames: vec![Blame::source(&subject.name)], ..finding }.supported(sentence);
    }
    let channels: Vec<&str> = subject.channels.iter().map(|c| c.name.as_str()).collect();
    finding
        .with(format!(
            "{} carries {} on {} ({}), and never this one",
            subject.name,
            many(subject.instruments, "instrument"),
            many(channels.len() as u64, "channel"),
            channels.join(", ")
        ))
        .ask(format!(
            "{}'s directory for the day: whether it lists the instrument, under which symbol and on which channel",
            subject.name
        ))
        .ask(format!("our subscription: whether every channel of {} is in the configuration and joined", subject.name))
}

/// Fewer entries are no directory.
const LISTED_MIN: u64 = 10;

/// What its own directory says, where all of it is here. The venue's own feed and its peer are another matter: there the peer
/// may be the one that errs.
fn by_directory(facts: &Facts, subject: &SourceFacts) -> Option<String> {
    let directory = &facts.directory;
    let name = facts.alert.instrument.as_deref()?;
    let whole = subject.channels.iter().all(|c| !c.began_midway && c.gaps_unlisted == 0)
        && subject.gaps_by(facts.alert.raised_ns).next().is_none();
    if !whole || directory.listed < LISTED_MIN || is_authority(facts, subject) {
        return None;
    }
    if directory.lists_it {
        return Some(format!(
            "{} lists it in its directory of {} and never quotes it; every number up to the alert is here",
            subject.name,
            many(directory.listed, "instrument")
        ));
    }
    // Names of one channel lie side by side: so few that are not there are no other channel's.
    let ([first, last], [listed, all]) = (&directory.range, directory.between);
    let inside = first.as_str() < name && name < last.as_str();
    (inside && all >= LISTED_MIN && (all - listed) * 20 <= all).then(|| {
        format!(
            "{}'s directory of the day is here from its first number on: it lists {} from {first} to {last}, {listed} of the {all} \
             that its peers quote there, and not this one",
            subject.name,
            many(directory.listed, "instrument"),
        )
    })
}
