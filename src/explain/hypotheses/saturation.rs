//! A line at its ceiling.

use super::super::facts::{Facts, SourceFacts};
use super::words::{LATE_NS, after, length, many, pairing, rose};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "saturation",
    title: "the source's line is at its ceiling",
    document: "\
Tests        Whether a source cannot send as fast as it should: its rate stands still where a market's is all bursts, while its
             updates come later and later after its peer's. This begins before anything is lost.
For          Nine of ten tenths of a second hold nearly the same number of packets, its updates lag by more than usual over all
             its instruments, and its own stamps are as fresh as ever: it waits before it stamps.
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
    let found = concerned.filter(|s| is_flat(s)).find_map(|s| Some((s, lag(facts, s)?)));
    let Some((source, lag)) = found else {
        return Finding::about(&[]).excluded("no source's rate stands still while its updates come late");
    };
    let finding = Finding::about(&[Blame::source(&source.name)]);
    let ([low, _, high], _) = source.rate.during;
    let ([low_before, _, high_before], _) = source.rate.before;
    let flat = format!(
        "{} sends {low} to {high} packets in {} (eight of ten), where it had sent {low_before} to {high_before}",
        source.name,
        length(source.rate.bucket_ns)
    );
    match rose(&source.latency.before, &source.latency.during) {
        Some(by) if by > LATE_NS => finding
            .with(flat)
            .with(lag)
            .ask(format!("{}'s own times of sending: whether it or the path is at its ceiling", source.name)),
        _ => finding.with(flat).supported(lag),
    }
}

/// The counts of nine tenths of a second in ten are within a quarter of their median, and were not before.
fn is_flat(source: &SourceFacts) -> bool {
    let even = |[low, middle, high]: [u64; 3]| low * 4 >= middle * 3 && high * 4 <= middle * 5;
    let (during, counts) = source.rate.during;
    let (before, counts_before) = source.rate.before;
    counts >= COUNTS_MIN
        && counts_before >= COUNTS_MIN
        && during[1] >= PACKETS_MIN
        && even(during)
        && !even(before)
}

/// How late the source's updates are, of whatever instrument, when that is more than usual.
fn lag(facts: &Facts, source: &SourceFacts) -> Option<String> {
    let others = facts.sources.iter().filter(|s| s.name != source.name);
    others.filter_map(|other| pairing(facts, &source.name, &other.name)).find_map(|pairing| {
        let [before, during, _] = pairing.rest;
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
