//! What the senders' own numbers of their packets say, in words.

use super::super::facts::{ChannelFacts, Facts, LineFacts, Pause, Posted, SourceFacts};
use super::words::{held_through, many, many_of};

/// That nothing was sent of what did not come.
pub fn nothing_sent(channel: &ChannelFacts, posted: &Posted) -> Option<String> {
    posted.is_none().then(|| {
        let [before, behind] = posted.identifications;
        format!(
            "{} and went from {before} on to {behind}: it sent nothing in between",
            counts(channel.lines.get(posted.line), posted)
        )
    })
}

/// That something was.
pub fn sent(channel: &ChannelFacts, posted: &Posted) -> Option<String> {
    posted.is_some().then(|| {
        let [before, behind] = posted.identifications;
        format!(
            "{} and went from {before} to {behind}: {} sent and did not come",
            counts(channel.lines.get(posted.line), posted),
            many_of(posted.packets, "packet was", "packets were")
        )
    })
}

fn counts(line: Option<&LineFacts>, posted: &Posted) -> String {
    format!(
        "the sender of line {} counts its packets (IPv4 identification, {})",
        line.map_or("?", |l| l.name.as_str()),
        many(posted.steps, "step")
    )
}

/// The silences that a `silent` alert is about: of its line, or of all lines of its source.
fn silences<'a>(
    facts: &'a Facts,
    subject: &'a SourceFacts,
) -> impl Iterator<Item = (&'a ChannelFacts, &'a LineFacts, &'a Pause)> {
    let alert = &facts.alert;
    let meant = move |c: &&ChannelFacts| alert.channel.as_ref().is_none_or(|name| c.name == *name);
    let lines = subject.channels.iter().filter(meant).flat_map(|c| c.lines.iter().map(move |l| (c, l)));
    let of = move |l: &LineFacts| alert.line.as_ref().is_none_or(|name| l.name == *name);
    lines
        .filter(move |(_, l)| of(l))
        .flat_map(move |(c, l)| l.silences.iter().find(|s| held_through(facts, s)).map(|s| (c, l, s)))
}

/// Of a silence: the channel of which it is told, and what was sent meanwhile.
pub fn of_silence(facts: &Facts) -> Option<(&ChannelFacts, Posted)> {
    let silences: Vec<_> = silences(facts, facts.subject()?).collect();
    let posted = Posted::of_all(silences.iter().map(|(_, _, s)| s.posted));
    let of = silences.iter().find(|(_, _, s)| s.posted == posted)?;
    posted.known.then_some((of.0, posted))
}
