//! What several hypotheses ask of the facts, and how figures and places are said.

use super::super::facts::{
    ChannelFacts, Facts, Figures, Flaw, Hole, Pairing, Pause, Shown, SourceFacts, Span, Spot, ViewFacts,
};
use crate::alert::json::show_time;
use crate::config::Kind;
use crate::market::price::show_nanos;
use feeds::feed::Depth;

/// More than this above the usual is late.
pub const LATE_NS: i64 = 5_000_000;

/// A length of time for people.
pub fn length(ns: impl TryInto<i64>) -> String {
    crate::latency::text::humane(ns.try_into().unwrap_or(i64::MAX))
}

/// How much later than another: `3ms after`, or `3ms before`.
pub fn after(ns: i64) -> String {
    format!("{} {}", length(ns.saturating_abs()), if ns < 0 { "before" } else { "after" })
}

/// A moment.
pub fn moment(at_ns: u64) -> String {
    show_time(at_ns)
}

/// A price.
pub fn price(nanos: i64) -> String {
    show_nanos(nanos)
}

/// `n things`, or `1 thing`.
pub fn many(count: u64, thing: &str) -> String {
    many_of(count, thing, &format!("{thing}s"))
}

/// `1 packet without news`, `3 packets without news`.
pub fn many_of(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// Where a packet lies.
pub fn place(spot: &Spot) -> String {
    match spot.capture.is_empty() {
        true => format!("seq {}", spot.sequence),
        false => format!("{} frame {}, seq {}", spot.capture, spot.frame, spot.sequence),
    }
}

/// The prices of a side during a stretch, the one at its beginning included, each with its quote.
pub fn prices<'a>(facts: &Facts, view: &'a ViewFacts, side: usize, span: Span) -> Vec<(i64, &'a Shown)> {
    let first = view.at(span.from_ns).into_iter();
    let mut out: Vec<(i64, &Shown)> = Vec::new();
    for shown in first.chain(view.changes(span)) {
        if let Some(price) = facts.price(shown, side)
            && out.last().is_none_or(|(last, _)| *last != price)
        {
            out.push((price, shown));
        }
    }
    out
}

/// The side that the alert is about; both where it names none.
pub fn sides(facts: &Facts) -> &'static [usize] {
    match facts.alert.side {
        Some(side) => &[[0], [1]][side.index()],
        None => &[0, 1],
    }
}

/// A source against another: how much later the first is. It is gathered for the alert's first source; of the other
/// it says the opposite.
pub fn pairing(facts: &Facts, subject: &str, other: &str) -> Option<Pairing> {
    let of = |a: &str, b: &str| facts.pairings.iter().find(|p| p.subject == a && p.other == b);
    of(subject, other).cloned().or_else(|| {
        let turned = of(other, subject)?;
        Some(Pairing {
            subject: subject.to_owned(),
            other: other.to_owned(),
            own: turned.own.map(turn),
            rest: turned.rest.map(turn),
            constant_delay: None,
            ..turned.clone()
        })
    })
}

fn turn(figures: Figures) -> Figures {
    let Figures { median_ns, min_ns, max_ns, p10_p90_ns: [p10, p90], count } = figures;
    Figures { median_ns: -median_ns, min_ns: -max_ns, max_ns: -min_ns, p10_p90_ns: [-p90, -p10], count }
}

/// The two sources of an alert about a pair. For an alert about one source: that one and, in turn, each other source
/// that shows its instrument at its venue; the first of them.
pub fn pair_of(facts: &Facts) -> Option<[&SourceFacts; 2]> {
    match facts.alert.sources.as_slice() {
        [a, b] => Some([facts.source(a)?, facts.source(b)?]),
        [a] => {
            let other = facts.witnesses().find(|v| v.source != *a)?;
            Some([facts.source(a)?, facts.source(&other.source)?])
        }
        _ => None,
    }
}

/// Pauses of a source's channels that meet a stretch.
pub fn pauses(source: &SourceFacts, span: Span) -> impl Iterator<Item = (&ChannelFacts, &Pause)> {
    source
        .channels
        .iter()
        .flat_map(move |c| c.pauses.iter().filter(move |p| p.span.meets(&span)).map(move |p| (c, p)))
}

/// Whether most other instruments of `subject` were as early as ever, against `other`, while the alert lasted.
pub fn rest_is_current(pairing: &Pairing) -> bool {
    let [before, during, _] = &pairing.rest;
    before.count >= 3 && during.count >= 3 && during.median_ns <= before.median_ns + LATE_NS
}

/// By how much the slower values while the alert lasted lie above the usual one before; nothing where too few are known.
/// Against the median: what built up before the alert must not count as usual.
pub fn rose(before: &Figures, during: &Figures) -> Option<i64> {
    if before.count < 8 || during.count == 0 {
        return None;
    }
    Some(during.p10_p90_ns[1] - before.median_ns)
}

/// Whether the source's book of the alert's venue is the venue's own word: not a consolidated copy of it.
pub fn is_authority(facts: &Facts, source: &SourceFacts) -> bool {
    !source.is_consolidated() && source.venue.is_some() && source.venue == facts.alert.venue
}

/// Whether what a source shows can be relied on while the alert lasted; why not otherwise.
pub fn doubts(source: &SourceFacts, span: Span) -> Vec<String> {
    let mut out = Vec::new();
    if let Some((channel, gap)) = source.gaps_by(span.to_ns).next() {
        out.push(format!("{} channel {} lost {}", source.name, channel.name, range(gap)));
    }
    for channel in &source.channels {
        let early = |f: &&Flaw| f.first_ns <= span.to_ns && source.depth == Depth::Orders;
        if let Some(flaw) = channel.contradictions.iter().find(early).filter(|_| !channel.began_midway) {
            out.push(format!(
                "{}'s book contradicts itself ({}), first at {} ({})",
                source.name,
                flaw.name,
                moment(flaw.first_ns),
                place(&flaw.first)
            ));
        }
        if channel.began_midway && source.depth == Depth::Orders {
            let name = &channel.name;
            out.push(format!(
                "the data begin in the midst of {} channel {name}: its book may lack orders",
                source.name
            ));
        }
    }
    if let Some((channel, pause)) = pauses(source, span).next() {
        let (name, length) = (&channel.name, length(pause.span.len_ns()));
        out.push(format!("{} channel {name} delivered nothing for {length}", source.name));
    }
    if let Some(by) = rose(&source.latency.before, &source.latency.during).filter(|by| *by > LATE_NS) {
        out.push(format!("{} came {} later than usual after its own stamps", source.name, length(by)));
    }
    out
}

/// A range of numbers.
pub fn range(hole: &Hole) -> String {
    format!("{}, {} to {}", many(hole.count, "message"), hole.first, hole.last)
}

/// How much of both sources is there: the sentence that excludes losses.
pub fn whole(sources: &[&SourceFacts]) -> String {
    let each = sources.iter().map(|s| {
        let packets: u64 = s.channels.iter().map(|c| c.delivered).sum();
        format!("{} ({packets} packets)", s.name)
    });
    format!(
        "every sequence number of {} is there up to the end of the alert",
        each.collect::<Vec<_>>().join(" and ")
    )
}

/// The holes that a gap alert is about.
pub fn holes(facts: &Facts) -> Vec<(&ChannelFacts, &Hole)> {
    let Some(channel) = facts.channel() else { return Vec::new() };
    let Some([first, last, _]) = facts.alert.sequence else { return Vec::new() };
    let inside = |h: &&Hole| first <= h.last && h.first <= last;
    channel.gaps.iter().filter(inside).map(|h| (channel, h)).collect()
}

/// Kinds that compare what is shown.
pub fn is_shown(kind: Kind) -> bool {
    !matches!(kind, Kind::Gap | Kind::Line | Kind::Silent | Kind::Clock)
}

/// Packets of the channel that came around a hole and could not be read, as far as is known when they came.
pub fn unreadable<'a>(channel: &'a ChannelFacts, hole: &Hole) -> Option<&'a Flaw> {
    let around = |f: &&Flaw| {
        // Of several only the first is dated: the others may be these.
        f.first_ns <= hole.began_ns && (f.count > 1 || f.first_ns >= hole.before_ns)
    };
    channel.errors.iter().find(around)
}
