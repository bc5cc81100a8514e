//! A delayed entitlement: the source is permitted to us late.

use super::super::facts::Facts;
use super::words::{is_shown, length};
use super::{Blame, Finding, Hypothesis};

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "entitlement",
    title: "delayed entitlement",
    document: "\
Tests        Whether a source repeats its peer's moves after one and the same long time: what a delayed permission gives.
For          Six of ten of its moves of the instrument repeat a move of its peer, all by the same delay of a minute or more.
Against      It shows its peer's moves within seconds.
Would decide What is permitted to us: real-time or delayed.
Blames       reference data (permissions).",
    test,
};

const MINUTE_NS: u64 = 60_000_000_000;

fn test(facts: &Facts) -> Finding {
    if !is_shown(facts.alert.kind) || facts.pairings.is_empty() {
        return Finding::not_applicable();
    }
    let finding = Finding::about(&[Blame::ReferenceData]);
    let delays = facts
        .pairings
        .iter()
        .filter(|p| facts.alert.sources.contains(&p.other) || facts.alert.sources.len() == 1);
    let delay = delays
        .filter_map(|p| Some((p, p.constant_delay?)))
        .find(|(_, (by, some, all))| *by >= MINUTE_NS - MINUTE_NS / 20 && *all >= 10 && some * 10 >= all * 6);
    match delay {
        Some((p, (by, some, all))) => finding.supported(format!(
            "{some} of {all} moves of {} repeat moves of {} after {}",
            p.subject,
            p.other,
            length(by)
        )),
        None => {
            let quick = facts
                .pairings
                .iter()
                .find(|p| p.own[0].count + p.own[1].count + p.rest[0].count + p.rest[1].count > 0);
            match quick {
                Some(p) => finding.excluded(format!(
                    "{} and {} show the same moves within seconds of each other ({} matched)",
                    p.subject,
                    p.other,
                    p.own.iter().chain(&p.rest).map(|f| f.count).sum::<u64>()
                )),
                None if facts.data.len_ns() < 2 * MINUTE_NS => {
                    finding.ask("data of more than the delay: these are too short to show one")
                }
                None => finding.ask("what is permitted to us: real-time or delayed"),
            }
        }
    }
}
