//! A clock that is wrong.

use super::super::facts::{Facts, Pairing};
use super::late::as_late_as_ever;
use super::words::{LATE_NS, length, many, moment};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "clock",
    title: "a clock is wrong",
    document: "\
Tests        Whether a clock makes the difference: the source's, which stamps its messages, or ours, which stamps arrivals.
For          The source's stamps lie ahead of their receipt or fall back, while it arrives as early as ever beside its peers:
             its clock. They fall back from one message of a channel to the next, by far more than its lines are apart: no
             clock of ours has a part in that.
Against      Prices are compared by arrival alone: what a source stamps moves nothing. A lag that is more than the usual one
             cannot come from an offset between capture points that stays the same; of one that is as ever only the error that
             is known of their clocks says whether it can.
Would decide The synchronisation log of the capture points; the source's statement of its clock.
Blames       the source, or ours.",
    test,
};

fn test(facts: &Facts) -> Finding {
    match facts.alert.kind {
        Kind::Clock => of_clock(facts),
        Kind::Gap | Kind::Line | Kind::Silent | Kind::Missing | Kind::Status => Finding::not_applicable(),
        _ => of_prices(facts),
    }
}

/// Whether the source arrived as early as ever, as matched updates with a peer show.
fn steady(pairing: &Pairing) -> Option<bool> {
    let [before, during, _] = &pairing.rest;
    let [own_before, own_during, _] = &pairing.own;
    let (before, during) = if during.count >= 3 { (before, during) } else { (own_before, own_during) };
    (before.count >= 3 && during.count >= 3).then(|| {
        (during.median_ns - before.median_ns).abs()
            <= LATE_NS.max(before.p10_p90_ns[1] - before.p10_p90_ns[0])
    })
}

fn of_clock(facts: &Facts) -> Finding {
    let Some(subject) = facts.subject() else { return Finding::not_applicable() };
    let name = &subject.name;
    let finding = Finding::about(&[Blame::source(name), Blame::Ours]);
    let clock = &subject.clock;
    let (by, at, word) = match clock.ahead.0 >= clock.behind.0 {
        true => (clock.ahead.0, clock.ahead.1, "ahead of their receipt"),
        false => (clock.behind.0, clock.behind.1, "behind its own latest"),
    };
    let finding = finding.with(format!(
        "{name} stamps messages up to {} {word} (worst at {}); {} of {} stamps in the window lie ahead",
        length(by),
        moment(at),
        clock.many[0],
        clock.many[1]
    ));
    // Receive times have no part in stamps that fall back from one message of a numbering to the next. (Stamps of sending are
    // looked at as packets arrive, in whatever order.)
    let in_order = subject.send_latency.before.count == 0 && subject.send_latency.during.count == 0;
    if clock.behind.0 > clock.ahead.0
        && in_order
        && let [channel] = subject.channels.as_slice()
        && channel.lines.iter().all(|l| l.behind.1.saturating_mul(2) < clock.behind.0)
    {
        return Finding { blames: vec![Blame::source(name)], ..finding }.supported(format!(
            "they fell back from one message to the next of one channel ({}), which came in order: no clock of ours has a part in that",
            channel.name
        ));
    }
    let peers: Vec<(&Pairing, bool)> =
        facts.pairings.iter().filter(|p| p.subject == *name).filter_map(|p| Some((p, steady(p)?))).collect();
    if let Some((pairing, _)) = peers.iter().find(|(_, steady)| *steady) {
        let count = pairing.rest[1].count.max(pairing.own[1].count);
        let blames = [Blame::source(name)];
        return Finding { blames: blames.to_vec(), ..finding }.supported(format!(
            "it arrived beside {} as ever meanwhile ({}): our receive times did not move, its stamps did",
            pairing.other,
            many(count, "matched update")
        ));
    }
    match peers.first() {
        Some((pairing, _)) => finding
            .with(format!(
                "its arrivals moved against {}'s too: our clock at one capture point may have been set",
                pairing.other
            ))
            .ask("the synchronisation log of the capture points"),
        None => finding.ask("another source at the same time: whether its arrivals moved as well"),
    }
}

/// Of two that are as far apart as they ever are: an offset between their capture points' clocks would look the same.
fn offset(facts: &Facts, a: &str, b: &str, finding: &Finding) -> Option<Finding> {
    let (a, b) = facts.source(a).zip(facts.source(b))?;
    let ever = as_late_as_ever(facts, a, b).or_else(|| as_late_as_ever(facts, b, a))?;
    let clock = &facts.capture_clock;
    let of_config = clock.error_of(&a.name).zip(clock.error_of(&b.name)).map(|(a, b)| a.saturating_add(b));
    Some(match clock.configured_ns.or(of_config) {
        Some(error_ns) if i64::try_from(error_ns).is_ok_and(|ns| ns < ever.usual_ns() - LATE_NS) => {
            finding.clone().excluded(format!(
                "the clocks of the capture points are at most {} apart, as the configuration says, and {ever}",
                length(error_ns)
            ))
        }
        _ => finding.clone().with(format!("{ever}: an offset between the capture points' clocks would look the same")).ask(
            "how far apart the clocks of the capture points are (`clock_error` of both sources, or --clock-error)",
        ),
    })
}

fn of_prices(facts: &Facts) -> Finding {
    let finding = Finding::about(&[Blame::Ours])
        .but("sources are compared by when they arrived, never by their own stamps");
    let [a, b] = facts.alert.sources.as_slice() else {
        return finding.is(super::Standing::Excluded);
    };
    if facts.capture_clock.is_shared(a, b) {
        return finding.excluded("one clock stamped the arrivals of both");
    }
    let Some(pairing) = facts.pairings.iter().find(|p| p.subject == *a && p.other == *b) else {
        return finding.ask("the synchronisation log of the capture points");
    };
    if let Some(finding) = offset(facts, a, b, &finding) {
        return finding;
    }
    match steady(pairing) {
        Some(true) => finding.excluded("the two arrive beside each other as ever with other instruments: no capture point's clock was set"),
        _ if pairing.own[0].count.max(pairing.rest[0].count) >= 3 => finding.excluded(
            "the two arrived as usual before: an offset between the capture points' clocks would have been there too",
        ),
        _ => finding.ask("the synchronisation log of the capture points: nothing shows how the two usually arrive"),
    }
}
