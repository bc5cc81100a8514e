//! A gap at the source.

use super::super::facts::Facts;
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
             come in on separate interfaces. Packets came that cannot be read, and their checksums are right.
Against      Another line brought them. On a single line: the numbers belong to messages, for another copy of the feed
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
        Kind::Line => finding.excluded("another line of the source brought what this one lacks"),
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
