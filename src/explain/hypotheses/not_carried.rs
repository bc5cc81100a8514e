//! The source does not carry the instrument.

use super::super::facts::Facts;
use super::words::many;
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "not_carried",
    title: "the source does not carry the instrument",
    document: "\
Tests        Of a missing instrument: whether the source carries it at all, as far as its data show.
For          The source carries others, all its numbers are there, and none of its instruments shows these prices.
Against      It shows the prices under another name (symbol mapping).
Would decide The source's directory for the day; whether all its channels are subscribed and permitted.
Blames       the source, reference data or ours: which cannot be told from data that are not there.",
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
    let channels: Vec<&str> = subject.channels.iter().map(|c| c.name.as_str()).collect();
    finding
        .with(format!(
            "{} carries {} on {} ({}), and never this one",
            subject.name,
            many(subject.instruments, "instrument"),
            many(channels.len() as u64, "channel"),
            channels.join(", ")
        ))
        .ask("the source's directory for the day: whether it lists the instrument, and on which channel")
        .ask("whether every channel of the source is subscribed and permitted")
}
