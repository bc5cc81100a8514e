//! A line at its ceiling.

use super::super::facts::{Facts, Rate, SourceFacts};
use super::words::{LATE_NS, after, length, many, pairing, pauses, rose};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "saturation",
    title: "the source's line is at its ceiling",
    document: "\
Tests        Whether a source cannot send as fast as it should: its rate stands still where a market's is all bursts, while its
             updates come later and later after its peer's. This begins before anything is lost.
For          Eight of ten tenths of a second hold nearly the same number of packets, or of quotes of the alert's venue, closer
             together than chance would have them; its updates lag by more than usual over all its instruments, and its own
             stamps are as fresh as ever: it waits before it stamps.
Against      Its rate goes up and down as ever, or its updates come in time.
Would decide The source's own figures of its queues.
Blames       the source.",
    test,
};

/// Fewer counts, or fewer packets in them, show no shape.
const COUNTS_MIN: usize = 10;
const PACKETS_MIN: u64 = 20;

fn test(facts: &Facts) -> Finding {
    if !matches!(
        facts.alert.kind,
        Kind::Lagging | Kind::Divergent | Kind::Stale | Kind::Crossed | Kind::Locked
    ) {
        return Finding::not_applicable();
    }
    let concerned = facts.sources.iter().filter(|s| facts.alert.sources.contains(&s.name));
    let found = concerned
        .filter_map(|s| Some((s, flat(facts, s)?)))
        .find_map(|(s, flat)| Some((s, flat, lag(facts, s)?)));
    let Some((source, flat, lag)) = found else {
        let blames: Vec<Blame> = facts.alert.sources.iter().map(|name| Blame::source(name)).collect();
        return Finding::about(&blames).excluded("no source's rate stands still while its updates come late");
    };
    let finding = Finding::about(&[Blame::source(&source.name)]);
    match rose(&source.latency.before, &source.latency.during) {
        Some(by) if by > LATE_NS => finding
            .with(flat)
            .with(lag)
            .ask(format!("{}'s own times of sending: whether it or the path is at its ceiling", source.name)),
        _ => finding.with(flat).supported(lag),
    }
}

/// What stands still: its packets, or its quotes of the alert's venue.
fn flat(facts: &Facts, source: &SourceFacts) -> Option<String> {
    let venue = facts.rate_venue.as_deref().unwrap_or("one venue");
    let of = [(source.venue_rate, format!("quotes of {venue}")), (source.rate, "packets".to_owned())];
    of.into_iter().find(|(rate, _)| is_flat(rate)).map(|(rate, what)| {
        let ([low, _, high], [low_before, _, high_before]) = (rate.during.0, rate.before.0);
        let count = if low == high { low.to_string() } else { format!("{low} to {high}") };
        format!(
            "{} brings {count} {what} in each {} (eight of ten), where it had brought {low_before} to {high_before}",
            source.name,
            length(rate.bucket_ns)
        )
    })
}

/// Eight counts of ten are within a quarter of their median and were not before; or they lie much closer together than what
/// comes by chance, whose counts scatter by the root of their mean, and did not before.
fn is_flat(rate: &Rate) -> bool {
    let even = |[low, middle, high]: [u64; 3]| low * 4 >= middle * 3 && high * 4 <= middle * 5;
    // By chance eight of ten lie 2.56 roots of the mean apart.
    let apart = |[low, _, high]: [u64; 3]| (high - low) * (high - low);
    let (during, counts) = rate.during;
    let (before, counts_before) = rate.before;
    let known = counts >= COUNTS_MIN && counts_before >= COUNTS_MIN && during[1] >= PACKETS_MIN;
    let steady = even(during) && !even(before);
    let closer_than_chance = apart(during) * 4 <= during[1] && apart(before) > before[1];
    known && (steady || closer_than_chance)
}

/// How late the source's updates are, of whatever instrument, when that is more than usual.
fn lag(facts: &Facts, source: &SourceFacts) -> Option<String> {
    // Beside a peer that said nothing for a while nobody is late: what matches then, it came back to.
    let spoke = |s: &&SourceFacts| pauses(s, facts.during()).all(|(_, p)| p.span.len_ns() <= s.heartbeat_ns);
    let others = facts.sources.iter().filter(|s| s.name != source.name).filter(spoke);
    others.filter_map(|other| pairing(facts, &source.name, &other.name)).find_map(|pairing| {
        let (before, during) = (pairing.rest[0], pairing.rest_stretch);
        let late = before.count >= 3 && during.count >= 3 && during.median_ns > before.median_ns + LATE_NS;
        late.then(|| {
            format!(
                "its instruments come {} {}, usual is {} ({})",
                after(during.median_ns),
                pairing.other,
                after(before.median_ns),
                many(during.count, "matched update")
            )
        })
    })
}
