//! Loss or delay on the way of a line.

use super::super::facts::{ChannelFacts, Facts, Hole, LineFacts, LineLoss, SourceFacts, Span};
use super::late::{OnTheWay, as_late_as_ever};
use super::posted::{nothing_sent, of_silence as of_silence_sent, sent};
use super::words::{
    LATE_NS, WHAT_COMES_NEXT, every_line, given_to_messages, has_moved, held_through, holes, late_alike,
    length, many, many_of, moment, numbers, pair_of, pairing, pauses, quiet, range, range_and,
    rest_is_current, rose, stretch, unreadable, whole,
};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "path",
    title: "loss or delay on the path of a line",
    document: "\
Tests        Whether packets were lost or held up between the source and our capture point.
For          One line lost or delayed what another brought. On a single line: numbers are missing, and they were given to
             messages: another copy of the feed brought them, peers moved meanwhile as the source never showed, or its
             national best is that of a quote that never came. A sender that counts its packets (IPv4 identification) sent
             more than came, in a hole or a silence. Packets that cannot be read (or are refused for their numbers) have a
             wrong checksum, while the others' are right. After a silence: the numbering had run on. Of a lag: the time since
             the venue's own time of sending has grown; where the source is always that late, that time takes all of it.
Against      Every sequence number is there. A sender that counts its packets sent none in the hole or the silence. Packets
             that cannot be read have a right checksum. The source stamps late what is late: its stamps are as fresh as
             ever. Only some instruments of the channel are late. Every one of several
             lines on separate interfaces lost it, or was late alike.
Would decide The other line, or a capture nearer to the source.
Blames       network.",
    test,
};

fn test(facts: &Facts) -> Finding {
    let finding = Finding::about(&[Blame::Network]);
    match facts.alert.kind {
        Kind::Line => of_line(facts, finding),
        Kind::Gap => of_gap(facts, finding),
        Kind::Silent => of_silence(facts, finding),
        Kind::Clock => finding.excluded("a path delays packets; it does not change what is stamped in them"),
        Kind::Missing => {
            finding.excluded("a path does not lose one instrument and bring the others of its channel")
        }
        _ => of_prices(facts, finding),
    }
}

fn of_line(facts: &Facts, finding: Finding) -> Finding {
    let Some(channel) = facts.channel() else { return finding };
    let line = channel.lines.iter().position(|l| Some(&l.name) == facts.alert.line.as_ref());
    let meant =
        Span { from_ns: facts.alert.began_ns, to_ns: facts.during().to_ns.max(facts.alert.raised_ns) };
    let of = |l: &&LineLoss| Some(l.line) == line && meant.has(l.at_ns);
    let loss = channel.line_losses.iter().find(of);
    if let Some(loss) = loss {
        if let Some(nothing) = nothing_sent(channel, &loss.posted) {
            return finding.excluded(nothing);
        }
        if let Some(sent) = sent(channel, &loss.posted) {
            return of_lost(facts, channel, loss, meant, finding).with(sent);
        }
    }
    if let Some(edge) = edge_of_more(channel, loss, meant) {
        return finding.with("another line of the channel brought what this one did not").but(edge).ask(
            "a capture nearer to the source: copies part company where a loss on all lines begins or ends",
        );
    }
    let Some(loss) = loss else {
        return finding.supported("another line of the channel brought what this one did not");
    };
    if let Some(as_sent) = unreadable(channel, near(loss, meant)).and_then(|u| u.as_sent()) {
        let sender = Blame::source(facts.alert.sources.first().map_or("?", String::as_str));
        return Finding { blames: vec![Blame::Network, sender], ..finding }.with(as_sent).ask(
            "a copy of those packets from elsewhere: whether the sender of this line alone sent them so",
        );
    }
    of_lost(facts, channel, loss, meant, finding)
}

/// What the line did not bring, or brought late, while another did.
fn of_lost(facts: &Facts, channel: &ChannelFacts, loss: &LineLoss, meant: Span, finding: Finding) -> Finding {
    let (name, at) = (facts.alert.line.as_deref().unwrap_or("?"), moment(loss.at_ns));
    let of = |l: &&LineLoss| l.line == loss.line && meant.has(l.at_ns);
    let total: u64 = channel.line_losses.iter().filter(of).map(|l| l.count).sum();
    let numbers = match loss.first == loss.last {
        true => format!("{} {}", channel.unit.word(), loss.first),
        false => format!("{} to {}", loss.first, loss.last),
    };
    let what = match loss.late_ns {
        0 => format!("line {name} jumped over {numbers} at {at}, which another line brought"),
        late => format!("line {name} brought {numbers} {} after another line, at {at}", length(late)),
    };
    let damaged = unreadable(channel, near(loss, meant)).and_then(|u| u.damaged());
    let finding = damaged.into_iter().fold(finding.supported(what), Finding::with);
    finding.with(format!(
        "the alert is about {} of line {name} in all; the source sent every one, for the other copy is here",
        many(total, channel.unit.word())
    ))
}

/// When what a line lost may have come, though not to be read: before the hole showed.
fn near(loss: &LineLoss, meant: Span) -> Span {
    Span { from_ns: meant.from_ns.min(loss.at_ns).saturating_sub(LATE_NS.unsigned_abs()), to_ns: loss.at_ns }
}

/// What all lines lack right beside it: where a loss or silence of all begins or ends, one copy may have a packet more than
/// the other, and that tells nothing about a path.
fn edge_of_more(channel: &ChannelFacts, loss: Option<&LineLoss>, meant: Span) -> Option<String> {
    let slack = LATE_NS.unsigned_abs();
    let near = |from_ns: u64, to_ns: u64| {
        from_ns <= meant.to_ns.saturating_add(slack) && meant.from_ns <= to_ns.saturating_add(slack)
    };
    let beside = |hole: &&Hole| match loss {
        Some(loss) => hole.first <= loss.last.saturating_add(1) && loss.first <= hole.last.saturating_add(1),
        None => near(hole.before_ns, hole.began_ns),
    };
    if let Some(hole) = channel.gaps.iter().find(beside) {
        return Some(format!("right beside it every line lacks {}", range(hole)));
    }
    let silent = |line: &LineFacts| line.silences.iter().any(|s| near(s.span.from_ns, s.span.to_ns));
    let all = channel.lines.len() > 1 && channel.lines.iter().all(silent);
    all.then(|| "every line of the channel had been silent right beside it".to_owned())
}

fn of_gap(facts: &Facts, finding: Finding) -> Finding {
    let holes = holes(facts);
    let Some((channel, hole)) = holes.first() else { return finding.ask("a capture nearer to the source") };
    if hole.undecodable {
        return finding.ask("a copy of the packet from another line: whether its bytes are the same there");
    }
    if hole.own != [0; 2] {
        return finding.excluded("this machine dropped datagrams around the hole: they had come all the way");
    }
    if let Some(unreadable) = unreadable(channel, stretch(hole)) {
        if let Some(as_sent) = unreadable.as_sent() {
            return finding.excluded(as_sent);
        }
        if let Some(damaged) = unreadable.damaged() {
            return finding.supported(damaged);
        }
        return finding
            .with(format!("{unreadable}: damaged at the source or on the way, for no checksum tells which"))
            .ask("a copy of those packets from elsewhere: whether their bytes are the same there");
    }
    if let Some(nothing) = nothing_sent(channel, &hole.posted) {
        return finding.excluded(nothing);
    }
    if let Some(sent) = sent(channel, &hole.posted) {
        return finding.supported(format!("{} did not come: {sent}", range(hole)));
    }
    let lines = channel.lines.len();
    if lines > 1 && channel.separate_interfaces {
        return finding.excluded(format!(
            "{}, on interfaces of their own, lack the same {}",
            every_line(lines),
            range(hole)
        ));
    }
    if lines > 1 {
        return finding
            .with(format!("{} missing", range_and(hole, ["is", "are"])))
            .but(format!("{} lack them alike", every_line(lines)))
            .ask("whether the lines share a stretch of their paths; a capture before it");
    }
    if let Some(shows) = given_to_messages(facts, channel, hole) {
        return finding.supported(format!(
            "{} given to messages that never came: {shows}",
            range_and(hole, ["was", "were"])
        ));
    }
    let finding = finding.with(format!("{} missing on the only line", range_and(hole, ["is", "are"])));
    let finding = match (hole.tops, hole.tops_around) {
        ([_, 0], _) => finding.but("no peer's best price or size changed in the stretch, by which they could be told"),
        ([0, all], _) => finding.but(format!(
            "all {} of peers' best prices and sizes in the stretch came to be shown: what is missing was no news of them",
            many(all, "change")
        )),
        ([missed, all], [usually, of]) => finding.but(format!(
            "of {} of peers' best prices and sizes in the stretch all but {missed} came to be shown (around it all but {usually} of {of})",
            many(all, "change")
        )),
    };
    let name = facts.alert.sources.first().map_or("the source", String::as_str);
    finding.ask(format!(
        "a second line of the channel, or {name}'s own record of when it sent {}",
        numbers(hole)
    ))
}

fn of_silence(facts: &Facts, finding: Finding) -> Finding {
    let (Some(subject), Some(channel)) = (facts.subject(), facts.channel()) else { return finding };
    if let Some((channel, posted)) = of_silence_sent(facts) {
        if let Some(nothing) = nothing_sent(channel, &posted) {
            return finding.excluded(nothing);
        }
        if let Some(sent) = sent(channel, &posted) {
            return finding.supported(sent);
        }
    }
    if let Some(name) = &facts.alert.line {
        let others = channel.lines.iter().filter(|l| l.name != *name);
        let going: u64 =
            others.filter(|l| !l.silences.iter().any(|s| held_through(facts, s))).map(|l| l.packets[1]).sum();
        if going > 0 {
            return finding.supported(format!(
                "line {name} is silent while the channel's other lines go on ({} in the window)",
                many(going, "packet")
            ));
        }
    }
    let silences = subject.channels.iter().flat_map(|c| c.lines.iter().map(move |l| (c, l)));
    let silence = silences
        .flat_map(|(c, l)| l.silences.iter().map(move |s| (c, s)))
        .find(|(_, s)| held_through(facts, s));
    match silence {
        Some((_, s)) if s.open => finding.ask(WHAT_COMES_NEXT),
        Some((c, s)) if s.missing > 0 && c.lines.len() == 1 => finding.supported(format!(
            "when it came back at {} the numbering had run on by {}: the source had been sending",
            moment(s.span.to_ns),
            s.missing
        )),
        Some((_, s)) if s.missing > 0 => finding
            .with(format!("when it came back the numbering had run on by {}", s.missing))
            .but("all lines fell silent together")
            .ask("whether the lines share a stretch of their paths; a capture before it"),
        Some((c, s)) if quiet(c, s.span).is_some() => finding
            .with(quiet(c, s.span).unwrap_or_default())
            .ask("another copy of the feed: whether its heartbeats went on; the source's own status"),
        Some((_, s)) => finding.excluded(format!(
            "when it came back at {} no number was missing: nothing had been sent",
            moment(s.span.to_ns)
        )),
        None => finding.ask(WHAT_COMES_NEXT),
    }
}

fn of_prices(facts: &Facts, finding: Finding) -> Finding {
    let Some(pair) = pair_of(facts) else {
        return match facts.subject() {
            Some(s) if s.is_whole_until(facts.during().to_ns) => {
                let finding = finding.but(whole(&[s]));
                match rose(&s.latency.before, &s.latency.during) {
                    Some(by) if by > LATE_NS => finding
                        .with(format!(
                            "its messages came {} later than usual after its own stamps",
                            length(by)
                        ))
                        .ask(format!("a capture of {} nearer to it", s.name)),
                    _ => finding
                        .excluded("its messages came as soon as ever after its own stamps, or carry none"),
                }
            }
            _ => finding.ask("a capture nearer to the source"),
        };
    };
    let until = facts.during().to_ns;
    if let Some((source, (channel, gap))) = pair.iter().find_map(|s| Some((s, s.gaps_by(until).next()?))) {
        let lost = range(gap);
        return finding
            .with(format!("{} channel {} lacks {lost}", source.name, channel.name))
            .ask("a copy of what it lacks");
    }
    let mut finding = finding.but(whole(&pair));
    let mut open = false;
    for (late, other) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        match delay(facts, late, other) {
            Delay::No(sentence) => finding = finding.but(sentence),
            Delay::OnTheWay(sentence) => return finding.supported(sentence),
            Delay::Unknown(sentence) => {
                open = true;
                finding = finding.with(sentence).ask(format!(
                    "a capture of {} nearer to its source, or a feed of it that carries its time of sending",
                    late.name
                ));
                if late.channels.iter().any(|c| c.lines.len() > 1 && !c.separate_interfaces) {
                    finding = finding.ask(format!(
                        "whether the lines of {} share a stretch of their paths: where each comes in on an interface of its own, \
                         say so in the configuration (`interface`)",
                        late.name
                    ));
                }
            }
        }
    }
    if open { finding } else { finding.is(super::Standing::Excluded) }
}

/// Whether packets of a source were held up on their way.
enum Delay {
    No(String),
    OnTheWay(String),
    Unknown(String),
}

fn delay(facts: &Facts, late: &SourceFacts, other: &SourceFacts) -> Delay {
    let name = &late.name;
    if let Some(moved) = has_moved(facts, name) {
        return Delay::No(moved);
    }
    if let Some(ever) = as_late_as_ever(facts, late, other) {
        return match &ever.on_the_way {
            OnTheWay::Yes(sentence) => Delay::OnTheWay(sentence.clone()),
            OnTheWay::No(sentence) => Delay::No(sentence.clone()),
            OnTheWay::Unknown(sentence) => Delay::Unknown(sentence.clone()),
        };
    }
    if let Some(by) = rose(&late.send_latency.before, &late.send_latency.during) {
        return match by > LATE_NS {
            true => Delay::OnTheWay(format!(
                "{name}'s packets came {} later than usual after their time of sending",
                length(by)
            )),
            false => Delay::No(format!("{name}'s packets came as soon as ever after their time of sending")),
        };
    }
    if pairing(facts, name, &other.name).is_some_and(|p| rest_is_current(&p)) {
        return Delay::No(format!(
            "{name}'s other instruments were as early as ever: a path delays all of a channel alike"
        ));
    }
    if let Some((channel, pause)) =
        pauses(late, facts.during()).find(|(_, p)| p.arrivals > 0 && p.missing == 0)
    {
        let (arrivals, length) = (pause.arrivals, length(pause.span.len_ns()));
        return Delay::No(format!(
            "{name} channel {} brought {} in the {length} without data",
            channel.name,
            many_of(arrivals, "packet without news", "packets without news")
        ));
    }
    match rose(&late.latency.before, &late.latency.during) {
        Some(by) if by > LATE_NS => {
            if let Some(alike) = late_alike(late) {
                return Delay::No(alike);
            }
            let since =
                late.latency.built_up_since_ns.map_or(String::new(), |at| format!(", since {}", moment(at)));
            Delay::Unknown(format!(
                "{name}'s messages came {} later than usual after their own stamps{since}",
                length(by)
            ))
        }
        Some(_) => Delay::No(format!(
            "{name}'s messages came as soon as ever after their own stamps (median {}, as before)",
            length(late.latency.during.median_ns)
        )),
        None if late.latency.before.count >= 8 && late.latency.during.count == 0 => {
            Delay::Unknown(format!("{name} delivered nothing while the alert lasted"))
        }
        None => Delay::Unknown(format!("nothing dates {name}'s messages")),
    }
}
