//! A gap at the source.

use super::super::facts::{Facts, LineLoss, Span};
use super::posted::{nothing_sent, sent};
use super::words::{
    every_line, gaps_hide_nothing, given_to_messages, holes, lost_by, numbers, pair_of, range, stretch,
    unreadable, whole,
};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "gap_at_source",
    title: "a gap at the source",
    document: "\
Tests        Whether the source itself never sent what is missing.
For          Every one of several lines lacks the same numbers, while nothing was dropped on this machine or the lines
             come in on separate interfaces. Every sender counts its packets (IPv4 identification) and sent none in the hole.
             Packets came that cannot be read, and their checksums are right.
Against      Another line brought them. A sender that counts its packets sent more than came. On a single line: the numbers belong to messages, for another copy of the feed
             brought them, peers moved as the source never showed, or its national best is that of a quote that never came.
             Packets that cannot be read have a wrong checksum. No number is missing at all.
Would decide The source's retransmission service, or its own record of what it sent.
Blames       the source.",
    test,
};

fn test(facts: &Facts) -> Finding {
    let Some(subject) = facts.subject() else { return Finding::not_applicable() };
    let finding = Finding::about(&[Blame::source(&subject.name)]);
    match facts.alert.kind {
        Kind::Line => of_line(facts, finding),
        Kind::Gap => of_gap(facts, finding),
        Kind::Silent | Kind::Clock => Finding::not_applicable(),
        _ => {
            let sources = pair_of(facts).map_or_else(|| vec![subject], |pair| pair.to_vec());
            let until = lost_by(facts);
            if let Some(few) = gaps_hide_nothing(facts, subject) {
                return finding.excluded(few);
            }
            match sources.iter().find_map(|s| Some((s, s.gaps_by(until).next()?))) {
                None => finding.excluded(whole(&sources)),
                Some((source, (channel, gap))) => Finding::about(&[Blame::source(&source.name)])
                    .with(format!("{} channel {} lacks {}", source.name, channel.name, range(gap)))
                    .ask("what became of that gap: explain its own alert"),
            }
        }
    }
}

fn of_line(facts: &Facts, finding: Finding) -> Finding {
    let meant =
        Span { from_ns: facts.alert.began_ns, to_ns: facts.during().to_ns.max(facts.alert.raised_ns) };
    let loss = facts.channel().and_then(|channel| {
        let line = channel.lines.iter().position(|l| Some(&l.name) == facts.alert.line.as_ref())?;
        let of = |l: &&LineLoss| l.line == line && meant.has(l.at_ns);
        Some((channel, channel.line_losses.iter().find(of)?))
    });
    match loss.and_then(|(channel, loss)| nothing_sent(channel, &loss.posted)) {
        Some(nothing) => finding.supported(nothing),
        None => finding.excluded("another line of the source brought what this one lacks"),
    }
}

fn of_gap(facts: &Facts, finding: Finding) -> Finding {
    let name = facts.alert.sources.first().map_or("the source", String::as_str);
    let holes = holes(facts);
    let Some((channel, hole)) = holes.first() else {
        return finding.ask(format!("{name}: to send the range again; what it cannot send it never sent"));
    };
    let ask = format!("{name}: to send {} again; what it cannot send it never sent", numbers(hole));
    let lines = channel.lines.len();
    if hole.undecodable {
        return finding
            .with("the bytes came, and cannot be read")
            .ask("a copy of the packet from another line: whether its bytes are the same there");
    }
    if let Some(unreadable) = unreadable(channel, stretch(hole)) {
        if let Some(as_sent) = unreadable.as_sent() {
            return finding.supported(as_sent);
        }
        if let Some(damaged) = unreadable.damaged() {
            return finding.excluded(damaged);
        }
        return finding
            .with(unreadable.to_string())
            .ask("a copy of those packets from elsewhere: whether their bytes are the same there");
    }
    if hole.own != [0; 2] {
        return finding.excluded("this machine dropped datagrams around the hole");
    }
    if let Some(nothing) = nothing_sent(channel, &hole.posted) {
        let where_ = if lines > 1 { " on any line, and the sender of each says the same" } else { "" };
        return finding.supported(format!("{} did not come{where_}: {nothing}", range(hole)));
    }
    if let Some(sent) = sent(channel, &hole.posted) {
        return finding.excluded(sent);
    }
    let alike = format!("{} lack {} alike", every_line(lines), range(hole));
    if lines > 1 && hole.counted {
        return finding.supported(format!("{alike}, and this machine dropped nothing"));
    }
    if lines > 1 && channel.separate_interfaces {
        return finding.supported(format!("{alike}, on interfaces of their own"));
    }
    if lines > 1 {
        return finding.with(alike).ask(ask);
    }
    if let Some(shows) = given_to_messages(facts, channel, hole) {
        return finding.excluded(format!("the numbers belong to messages: {shows}"));
    }
    finding.ask(ask)
}
