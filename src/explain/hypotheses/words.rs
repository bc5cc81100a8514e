//! What several hypotheses ask of the facts, and how figures and places are said.

use super::super::facts::{
    ChannelFacts, Elsewhere, Facts, Figures, Flaw, Hole, LineFacts, Pairing, Pause, RowFacts, Shown,
    SourceFacts, Span, Spot, ViewFacts,
};
use crate::alert::json::show_time;
use crate::config::Kind;
use crate::market::price::show_nanos;
use crate::source::Seal;
use feeds::feed::{Depth, SequenceUnit};

/// More than this above the usual is late.
pub const LATE_NS: i64 = 5_000_000;

/// What decides a silence that lasts to the end of the data.
pub const WHAT_COMES_NEXT: &str = "what comes next: numbering (of messages, or of packets by their sender) that has run on tells the path, \
     numbering that stood still the source; until then the source's own status, or another line";

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
            rest_stretch: turn(turned.rest_stretch),
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

/// Whether a pause held from the beginning of the alert until it was raised; what only ends where it began, such as the time
/// between two heartbeats, is another one.
pub fn held_through(facts: &Facts, pause: &Pause) -> bool {
    pause.span.from_ns <= facts.alert.began_ns && facts.alert.raised_ns <= pause.span.to_ns
}

/// Of a channel that fell silent and missed no number: that it has no news for as long while its heartbeats go on, too, so
/// that heartbeats alone may have been sent and lost.
pub fn quiet(channel: &ChannelFacts, silence: Span) -> Option<String> {
    let alike = |p: &&Pause| p.arrivals >= 2 && p.span.len_ns().saturating_mul(2) >= silence.len_ns();
    let pause = channel.pauses.iter().filter(alike).max_by_key(|p| p.span.len_ns())?;
    Some(format!(
        "no number is missing after the {}, but {} is without news for long ({} from {} on, with {}): its heartbeats may have been sent and lost",
        length(silence.len_ns()),
        channel.name,
        length(pause.span.len_ns()),
        moment(pause.span.from_ns),
        many(pause.arrivals, "heartbeat")
    ))
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

/// The word of a doubt that is none where a market is closed or halted.
pub const SAID_NOTHING: &str = "delivered nothing";

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
        out.push(format!("{} channel {name} {SAID_NOTHING} for {length}", source.name));
    }
    if let Some(by) = rose(&source.latency.before, &source.latency.during).filter(|by| *by > LATE_NS) {
        out.push(format!("{} came {} later than usual after its own stamps", source.name, length(by)));
    }
    out
}

/// Another group that no channel joins, and on which a source quotes the instrument since before the alert was raised, while
/// the lines that are listened to bring nothing new of it any more.
pub fn moved_away<'a>(facts: &'a Facts, source: &str) -> Option<&'a Elsewhere> {
    let raised_ns = facts.alert.raised_ns;
    let of = |e: &&Elsewhere| e.source == source && e.first_ns <= raised_ns;
    facts.tape.elsewhere.iter().filter(of).find(|e| {
        let meanwhile = Span { from_ns: e.first_ns, to_ns: raised_ns.saturating_sub(1) };
        facts.view_of(source).is_none_or(|view| view.changes(meanwhile).next().is_none())
    })
}

/// Why nothing can be said of how a source brings an instrument that has moved away.
pub fn has_moved(facts: &Facts, source: &str) -> Option<String> {
    let group = &moved_away(facts, source)?.group;
    Some(format!(
        "{source} quotes the instrument on {group}, which is not listened to: what it does there is not known here"
    ))
}

/// Of a source that is late: its lines, on interfaces of their own, came as close to each other as ever, so that it was late
/// before they part.
pub fn late_alike(source: &SourceFacts) -> Option<String> {
    let alike = |c: &ChannelFacts| {
        let close = |l: &LineFacts| l.packets[1] > 0 && l.behind.1 <= LATE_NS.unsigned_abs();
        c.separate_interfaces && c.lines.iter().all(close)
    };
    let apart = source.channels.iter().flat_map(|c| &c.lines).map(|l| l.behind.1).max()?;
    source.channels.iter().all(alike).then(|| {
        format!(
            "all lines of {}, on interfaces of their own, were late alike (no more than {} apart): it was late before they part",
            source.name,
            length(apart)
        )
    })
}

/// A range of numbers.
pub fn range(hole: &Hole) -> String {
    match hole.first == hole.last {
        true => format!("{} {}", hole.unit.word(), hole.first),
        false => format!("{}, {} to {}", many(hole.count, hole.unit.word()), hole.first, hole.last),
    }
}

/// A range of numbers and its verb, for one number and for several.
pub fn range_and(hole: &Hole, [one, several]: [&str; 2]) -> String {
    format!("{} {}", range(hole), if hole.first == hole.last { one } else { several })
}

/// All lines of a channel that has several.
pub fn every_line(lines: usize) -> String {
    match lines {
        2 => "both lines".to_owned(),
        lines => format!("all {lines} lines"),
    }
}

/// Its first and last number, to ask for.
pub fn numbers(hole: &Hole) -> String {
    match hole.first == hole.last {
        true => hole.first.to_string(),
        false => format!("{} to {}", hole.first, hole.last),
    }
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

/// Packets that came and cannot be read.
pub struct Unreadable<'a> {
    flaw: &'a Flaw,
    count: u64,
    /// What their checksums say, where all of them say the same and the channel's others bear it out.
    pub seal: Seal,
}

impl std::fmt::Display for Unreadable<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, first, packets) = (&self.flaw.name, place(&self.flaw.first), many(self.count, "packet"));
        let what = match (self.flaw.refused, self.count) {
            (false, _) => "that cannot be read",
            (true, 1) => "that was refused for its numbers",
            (true, _) => "that were refused for their numbers",
        };
        write!(f, "{packets} came in its place {what} ({name}; the first of all such at {first})")
    }
}

impl Unreadable<'_> {
    /// Why the sender is known to have sent them so.
    pub fn as_sent(&self) -> Option<String> {
        (self.seal == Seal::Right).then(|| {
            format!("{self}, and their checksums are right: these bytes are the ones that were sent")
        })
    }

    /// Why they are known to have been damaged since.
    pub fn damaged(&self) -> Option<String> {
        (self.seal == Seal::Wrong).then(|| {
            format!("{self}, and their checksums are wrong: they were damaged after they had been sent")
        })
    }
}

/// Packets of the channel that came in a stretch and could not be read: of which kind, and how many as far as is known.
pub fn unreadable(channel: &ChannelFacts, stretch: Span) -> Option<Unreadable<'_>> {
    channel.errors.iter().find_map(|flaw| {
        let dated = flaw.times_ns.iter().enumerate().filter(|(_, at)| stretch.has(**at));
        let seals: Vec<Seal> = dated.map(|(n, _)| flaw.seals.get(n).copied().unwrap_or_default()).collect();
        // Beyond those that are dated, any may be these.
        let undated = flaw.count > flaw.times_ns.len() as u64
            && flaw.times_ns.last().unwrap_or(&flaw.first_ns) <= &stretch.to_ns;
        let one = seals.first().copied().filter(|first| !undated && seals.iter().all(|seal| seal == first));
        // Where the checksums of what can be read are wrong too, a wrong one says nothing.
        let [right, wrong] = channel.seals;
        let seal = one.filter(|seal| *seal == Seal::Right || right > 20 * wrong).unwrap_or_default();
        let count = (seals.len() as u64).max(1);
        (!seals.is_empty() || undated).then_some(Unreadable { flaw, count, seal })
    })
}

/// From the last delivery before a hole to the arrival that showed it.
pub fn stretch(hole: &Hole) -> Span {
    Span { from_ns: hole.before_ns, to_ns: hole.began_ns }
}

/// What happens by chance less often than once in so many times is told as no chance.
const CHANCE: f64 = 100.0;

/// Of fewer changes around it, it is not known how they are followed.
const AROUND_MIN: u64 = 100;

/// Whether so many of all may have been left out by chance, as they are around it: the likelihood is at most how many ways
/// there are to choose those that were missed, times that of each.
fn is_by_chance([missed, all]: [u64; 2], [usually, of]: [u64; 2]) -> bool {
    if of < AROUND_MIN {
        return true;
    }
    let rate = (usually + 1) as f64 / of as f64;
    let likelihood: f64 =
        (0..missed.min(64)).map(|n| (all - n.min(all)) as f64 / (n + 1) as f64 * rate).product();
    likelihood * CHANCE >= 1.0
}

/// On a single line: what shows that the numbers of a hole were given to messages, so that something was sent that did not
/// come.
pub fn given_to_messages(facts: &Facts, channel: &ChannelFacts, hole: &Hole) -> Option<String> {
    let name = facts.alert.sources.first().map_or("the source", String::as_str);
    if hole.copied > 0
        && let Some(copy) = facts.copies.iter().find(|c| c.is_copy())
    {
        return Some(format!(
            "{}, another copy of the feed, brought {} with these numbers",
            copy.source,
            many(hole.copied, "packet")
        ));
    }
    if hole.peers_moved > 0 {
        let moved = many(hole.peers_moved, "time");
        return Some(format!("peers moved {moved} while they were sent, and {name} never showed it"));
    }
    if let Some(lost) = national_of_lost(name, channel, hole) {
        return Some(lost);
    }
    let ([missed, all], [usually, of]) = (hole.tops, hole.tops_around);
    (missed > 0 && !is_by_chance([missed, all], [usually, of])).then(|| {
        format!(
            "{missed} of {} of peers' best prices and sizes in the stretch were never shown by {name}, which shows all but {usually} of {of} around it",
            many(all, "change")
        )
    })
}

/// So often must the national best have been that of the participants for it to be telling when it is not.
const NATIONALS_MIN: u64 = 1_000;

/// Right after a hole the source's national best is that of a quote that never came, as it never was otherwise.
fn national_of_lost(name: &str, channel: &ChannelFacts, hole: &Hole) -> Option<String> {
    let [0, looked_at @ (NATIONALS_MIN..)] = channel.nationals_usual else { return None };
    let seen = channel.national_breaks.iter().find(|b| b.gap == hole.first)?;
    let shown = |side: Option<i64>| side.map_or_else(|| "none".to_owned(), price);
    Some(format!(
        "after them {name}'s national best {} of {} is {}, and the best of all participants' quotes that came is {} ({}); \
         in {} the two were never apart: a quote is missing",
        ["bid", "ask"][seen.side],
        seen.instrument,
        shown(seen.national),
        shown(seen.best),
        place(&seen.spot),
        many(looked_at, "quote"),
    ))
}

/// A row of the rule book as it is cited.
fn row(row: &RowFacts) -> String {
    let unverified = if row.verified { "" } else { "; not verified" };
    format!("{} ({}{unverified}): {}", row.id, row.source, row.says)
}

/// What the market does at the alert's beginning by the rule book.
pub fn session(facts: &Facts) -> Option<String> {
    let rules = &facts.rules;
    let session = rules.session.as_ref()?;
    let special = match session.special.is_empty() {
        true => String::new(),
        false => format!(" ({})", session.special),
    };
    let rows: Vec<String> = session.rows.iter().map(row).collect();
    Some(format!(
        "{} on {}{special}: {} from {} to {}, by {}",
        rules.market,
        rules.date,
        session.state,
        moment(session.from_ns),
        moment(session.until_ns),
        rows.join("; ")
    ))
}

/// Rows of the rule book as they are cited.
pub fn rows(of: &[RowFacts]) -> impl Iterator<Item = String> + '_ {
    of.iter().map(row)
}

/// The round lot by the rule book.
pub fn rule_lot(facts: &Facts) -> Option<String> {
    let lot = facts.rules.round_lot.as_ref()?;
    let assumed =
        if lot.assumed { ", the lot of the lowest prices: no reference price is known" } else { "" };
    Some(format!("round lot {} on {}{assumed}, by {}", lot.lot, facts.rules.date, row(&lot.row)))
}

/// What the instrument map says of the alert's instrument.
pub fn mapped(facts: &Facts) -> impl Iterator<Item = String> + '_ {
    let name = facts.alert.instrument.as_deref().unwrap_or("?");
    facts.rules.mapped.iter().map(move |(source, symbol, line)| {
        format!("instrument map, line {line}: {source} calls {name} {symbol}")
    })
}

/// Up to when a loss can have to do with an alert about prices: of an instrument that never came, up to when it was told.
pub fn lost_by(facts: &Facts) -> u64 {
    match facts.alert.kind {
        Kind::Missing => facts.alert.raised_ns,
        _ => facts.during().to_ns,
    }
}

/// Of a missing instrument: the source's gaps hold fewer messages than its peer had news of the instrument, so that they
/// cannot be why it never came.
pub fn gaps_hide_nothing(facts: &Facts, subject: &SourceFacts) -> Option<String> {
    if facts.alert.kind != Kind::Missing {
        return None;
    }
    // Where packets are numbered nobody knows how many messages were in those that are missing.
    if subject.channels.iter().any(|c| c.unit == SequenceUnit::Packet) {
        return None;
    }
    let lost: u64 = subject.channels.iter().flat_map(|c| &c.gaps).map(|g| g.count).sum();
    let unlisted: u64 = subject.channels.iter().map(|c| c.gaps_unlisted).sum();
    let peers = facts.sources.iter().filter(|s| s.name != subject.name);
    let peer = peers.max_by_key(|s| s.updates[0]).filter(|s| s.updates[0] > 2 * lost && unlisted == 0)?;
    let (news, lost) = (many(peer.updates[0], "update"), many(lost, "message"));
    Some(format!("{} had {news} of the instrument, and {} lacks {lost} in all", peer.name, subject.name))
}
