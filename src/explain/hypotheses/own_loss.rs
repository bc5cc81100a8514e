//! Our own loss or overload.

use super::super::facts::{ChannelFacts, Facts, LineFacts};
use super::posted::{nothing_sent, of_silence as of_silence_sent};
use super::words::{
    gaps_hide_nothing, held_through, holes, length, lost_by, many, moment, pair_of, range, whole,
};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "own_loss",
    title: "our own loss or overload",
    document: "\
Tests        Whether this machine dropped what had arrived: in the sockets of the lines, or before any socket.
For          Datagrams counted as dropped around the hole (live, and in recordings of a live line).
Against      Nothing counted although somebody counts. Where nobody counts (a capture of somebody else's): packets of other
             lines taken in the same stretch, at a rate that had been taken without loss before; a sender that counts its
             packets sent none. Of prices: every
             sequence number of both sources is there.
Would decide The drop counters of the capture for the stretch.
Blames       ours.",
    test,
};

/// So many packets in a millisecond overload nobody.
const CALM: u64 = 20;

fn test(facts: &Facts) -> Finding {
    let finding = Finding::about(&[Blame::Ours]);
    match facts.alert.kind {
        Kind::Gap => of_gap(facts, finding),
        Kind::Line => of_line(facts, finding),
        Kind::Silent => of_silence(facts, finding),
        Kind::Clock => Finding::not_applicable(),
        _ => of_prices(facts, finding),
    }
}

fn of_gap(facts: &Facts, finding: Finding) -> Finding {
    let holes = holes(facts);
    let Some((channel, hole)) = holes.first() else {
        return finding.ask("the drop counters of the capture around the hole");
    };
    let [socket, host] = [0, 1].map(|i| holes.iter().map(|(_, h)| h.own[i]).sum::<u64>());
    if socket + host > 0 {
        let where_ = if socket > 0 { "our sockets" } else { "this machine's kernel" };
        let dropped = many(socket.max(host), "datagram");
        return finding.supported(format!("{where_} dropped {dropped} around the hole of {}", range(hole)));
    }
    if hole.counted {
        return finding.excluded(
            "this machine counts what it drops on these lines, and dropped nothing around the hole",
        );
    }
    if hole.undecodable {
        return finding.excluded("the bytes came: nothing was dropped");
    }
    if let Some(nothing) = nothing_sent(channel, &hole.posted) {
        return finding.excluded(nothing);
    }
    let stretch = length(hole.began_ns.saturating_sub(hole.before_ns));
    let rate = busiest(channel);
    if hole.elsewhere > 0 && rate.is_none() {
        let taken = many(hole.elsewhere, "packet");
        return finding.excluded(format!(
            "the capture took {taken} of other channels in the {stretch} of the hole, at no more than {CALM} packets a millisecond"
        ));
    }
    let finding = match rate {
        Some(rate) => finding.with(rate),
        None => finding.but(format!(
            "the rate was calm, but nothing else arrived in the {stretch} of the hole to prove it"
        )),
    };
    finding.ask(format!(
        "whoever took the capture: its drop counters from {} to {}; nobody counted in it",
        moment(hole.before_ns),
        moment(hole.began_ns)
    ))
}

/// The rate of a channel's busiest line, when it is one that might not be taken.
fn busiest(channel: &ChannelFacts) -> Option<String> {
    let heavy = |l: &&LineFacts| l.peak_before > CALM && l.peak_before * 2 > l.peak.0;
    let line = channel.lines.iter().find(heavy)?;
    Some(format!(
        "line {} had brought {} packets in a millisecond just before, close to the most of all data ({})",
        line.name, line.peak_before, line.peak.0
    ))
}

fn of_line(facts: &Facts, finding: Finding) -> Finding {
    let Some(channel) = facts.channel() else { return finding };
    if channel.own_loss_window > 0 {
        let dropped = many(channel.own_loss_window, "datagram");
        return finding.supported(format!("this machine dropped {dropped} of the channel's lines around it"));
    }
    if channel.counted {
        return finding.excluded("this machine counts what it drops on these lines, and dropped nothing");
    }
    match busiest(channel) {
        Some(rate) => finding.with(rate).ask("the drop counters of the capture: nobody counted in this one"),
        None => finding.excluded(format!(
            "the other line's copies were taken in the same stretch, and just before it no line brought more than {CALM} packets in a millisecond, or half as many as were taken in the busiest"
        )),
    }
}

fn of_silence(facts: &Facts, finding: Finding) -> Finding {
    let Some(subject) = facts.subject() else { return finding };
    if subject.own_losses().is_some_and(|lost| lost > 0) {
        return finding.supported(format!("this machine dropped datagrams of {}", subject.name));
    }
    if let Some(nothing) = of_silence_sent(facts).and_then(|(c, posted)| nothing_sent(c, &posted)) {
        return finding.excluded(nothing);
    }
    let elsewhere: u64 = facts
        .sources
        .iter()
        .flat_map(|s| &s.channels)
        .flat_map(|c| &c.lines)
        .filter(|l| !l.silences.iter().any(|s| held_through(facts, s)))
        .map(|l| l.packets[1])
        .sum();
    match elsewhere {
        0 => finding.ask("whether the capture was running: nothing else arrived either"),
        n => finding.excluded(format!(
            "other lines went on meanwhile ({n} packets in the window), and no machine drops heartbeats for want of room"
        )),
    }
}

fn of_prices(facts: &Facts, finding: Finding) -> Finding {
    let sources: Vec<_> = match pair_of(facts) {
        Some(pair) => pair.to_vec(),
        None => facts.subject().into_iter().collect(),
    };
    let until = lost_by(facts);
    if let Some(few) = sources.first().and_then(|s| gaps_hide_nothing(facts, s)) {
        return finding.excluded(few);
    }
    if let Some(source) = sources.iter().find(|s| s.gaps_by(until).any(|(_, g)| g.own != [0; 2])) {
        return finding
            .with(format!("this machine dropped datagrams of {} before", source.name))
            .ask("a replay of a capture from another machine");
    }
    if let Some((source, (channel, gap))) = sources.iter().find_map(|s| Some((s, s.gaps_by(until).next()?))) {
        let lost = range(gap);
        return finding
            .with(format!("{} channel {} lacks {lost}", source.name, channel.name))
            .ask("the drop counters of the capture around that hole");
    }
    finding.excluded(whole(&sources))
}
