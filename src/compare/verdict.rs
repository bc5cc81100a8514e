//! The verdict in sentences that a person can forward: are they the same, which is first, where do they differ, and how
//! surely.

use super::outcome::{Clocks, Lead, Outcome, PacketOutcome, PacketSide, QuoteOutcome, SideOutcome, Verdict};
use crate::chart::thousands;
use crate::latency::text::humane;

/// Puts what was found together, and says it.
pub fn conclude(
    sides: [SideOutcome; 2],
    clocks: Clocks,
    packets: Vec<PacketOutcome>,
    quotes: Vec<QuoteOutcome>,
) -> Outcome {
    let mut outcome =
        Outcome { verdict: Verdict::NothingInCommon, sentences: Vec::new(), sides, clocks, packets, quotes };
    outcome.verdict = verdict(&outcome);
    outcome.sentences = sentences(&outcome);
    outcome
}

fn verdict(outcome: &Outcome) -> Verdict {
    let packets: Vec<&PacketOutcome> = outcome.packets.iter().filter(|p| p.is_shared()).collect();
    let quotes: Vec<&QuoteOutcome> = outcome.quotes.iter().filter(|q| q.is_comparable()).collect();
    if packets.is_empty() && quotes.is_empty() {
        Verdict::NothingInCommon
    } else if packets.iter().any(|p| !p.is_same())
        || outcome.packets.iter().any(PacketOutcome::is_unrelated)
        || (packets.is_empty() && quotes.iter().any(|q| !q.agrees()))
    {
        Verdict::Different
    } else if !packets.is_empty() && outcome.packets.iter().all(PacketOutcome::is_identical) {
        Verdict::Identical
    } else {
        Verdict::Agree
    }
}

fn sentences(outcome: &Outcome) -> Vec<String> {
    let [a, b] = [&outcome.sides[0].name, &outcome.sides[1].name];
    let mut said = Vec::new();
    match outcome.verdict {
        Verdict::NothingInCommon => said.push(nothing(outcome)),
        Verdict::Identical => said.push(format!(
            "They are the same: {} equal on both sides, to the byte.",
            amount(outcome, |p| p.matched)
        )),
        Verdict::Agree if outcome.packets.iter().any(PacketOutcome::is_shared) => said.push(format!(
            "They are the same as far as both reach: {} equal, to the byte.",
            amount(outcome, |p| p.matched)
        )),
        Verdict::Agree => said.push("They agree: nothing differs but who is first.".to_owned()),
        Verdict::Different => said.push(different(outcome)),
    }
    for packets in outcome.packets.iter().filter(|p| p.is_shared()) {
        said.extend(first(&packets.lead, [a, b], "packets", &where_from(outcome, packets)));
        said.extend(packets.drift.map(|drift| drifting(drift, [a, b])));
        outside(packets, [a, b], &mut said);
    }
    // Where packets were compared, quotes say the same once more.
    if outcome.packets.iter().all(|p| !p.is_shared()) {
        for quotes in outcome.quotes.iter().filter(|q| q.is_comparable()) {
            quoted(quotes, outcome.clocks, &mut said);
        }
    }
    if outcome.verdict != Verdict::NothingInCommon {
        said.push(clocks(outcome.clocks));
    }
    said
}

fn nothing(outcome: &Outcome) -> String {
    let [a, b] = &outcome.sides;
    let carries = |side: &SideOutcome| {
        if side.carries.is_empty() {
            "nothing that is spoken here".to_owned()
        } else {
            side.carries.join(", ")
        }
    };
    format!(
        "They have nothing in common that could be compared: {} carries {}; {} carries {}{}.",
        a.name,
        carries(a),
        b.name,
        carries(b),
        nothing_why(outcome)
    )
}

/// Why nothing can be compared, where more is known than what each carries.
fn nothing_why(outcome: &Outcome) -> String {
    let elsewhere: u64 = outcome.quotes.iter().map(|q| q.elsewhere).sum();
    let apart = outcome.quotes.iter().filter(|q| q.instruments > 0).find_map(|q| match &q.spans {
        [Some([a_from, a_to]), Some([b_from, b_to])] => Some((a_from, a_to, b_from, b_to)),
        _ => None,
    });
    if let Some(packets) = outcome.packets.iter().find(|p| p.is_unrelated()) {
        return format!("; {}", unrelated(packets));
    }
    if let Some((a_from, a_to, b_from, b_to)) = apart {
        return format!(
            "; both quote the same instruments, but not at the same time: {} to {}, and {} to {}",
            to_second(a_from),
            to_second(a_to),
            to_second(b_from),
            to_second(b_to)
        );
    }
    if elsewhere > 0 {
        return format!(
            "; {elsewhere} instruments are quoted by both, but at different venues, which is no disagreement"
        );
    }
    if outcome.sides.iter().all(|side| !side.carries.is_empty()) {
        return "; no channel and no instrument is on both sides".to_owned();
    }
    String::new()
}

/// A written time without its parts of a second.
fn to_second(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(whole, _)| format!("{whole}Z"))
}

/// Numbers that only happen to be the same.
fn unrelated(packets: &PacketOutcome) -> String {
    let span = |side: &PacketSide| match (&side.from, &side.to) {
        (Some(from), Some(to)) => format!("{} to {}", to_second(from), to_second(to)),
        _ => "no time".to_owned(),
    };
    let [a, b] = &packets.sides;
    format!(
        "{} of the {} {}s of {} with the same number have other bytes: not one feed twice (one is of {}, the other of {})",
        thousands(whole(packets.altered)),
        thousands(whole(packets.matched)),
        packets.unit,
        packets.channel,
        span(a),
        span(b)
    )
}

fn amount(outcome: &Outcome, count: fn(&PacketOutcome) -> u64) -> String {
    let matched = outcome.packets.iter().filter(|p| p.is_shared());
    let parts: Vec<String> = matched
        .clone()
        .map(|p| format!("{} {}s on {}", thousands(whole(count(p))), p.unit, p.channel))
        .collect();
    parts.join(", ")
}

/// A count for what takes `i64`.
pub fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn different(outcome: &Outcome) -> String {
    let names = [&outcome.sides[0].name, &outcome.sides[1].name];
    let mut parts = Vec::new();
    parts.extend(outcome.packets.iter().filter(|p| p.is_unrelated()).map(unrelated));
    for p in outcome.packets.iter().filter(|p| p.is_shared() && !p.is_same()) {
        for (side, name) in p.sides.iter().zip(names).filter(|(side, _)| side.missing > 0) {
            let holes = if side.holes == 1 { "one hole".to_owned() } else { format!("{} holes", side.holes) };
            parts.push(format!(
                "{name} lacks {} {}s of {} ({holes})",
                thousands(whole(side.missing)),
                p.unit,
                p.channel
            ));
        }
        if p.altered > 0 {
            parts.push(format!(
                "{} {}s of {} have other bytes",
                thousands(whole(p.altered)),
                p.unit,
                p.channel
            ));
        }
        let contradicting: u64 = p.sides.iter().map(|side| side.contradicting).sum();
        if contradicting > 0 {
            parts.push(format!("{contradicting} numbers of {} came twice with different bytes", p.channel));
        }
    }
    if outcome.packets.iter().all(|p| !p.is_shared()) {
        for q in outcome.quotes.iter().filter(|q| q.is_comparable()) {
            let told: Vec<String> = q.findings.iter().map(|f| format!("{} {}", f.alerts, f.kind)).collect();
            if !told.is_empty() {
                parts.push(format!("{} against {}: {}", q.sources[0], q.sources[1], told.join(", ")));
            }
        }
    }
    format!("They are not the same: {}.", parts.join("; "))
}

/// Who is first; nothing without a measurement.
fn first(lead: &Lead, [a, b]: [&str; 2], what: &str, whence: &str) -> Option<String> {
    let (median, min, max) = (lead.columns.p50_ns?, lead.columns.min_ns?, lead.columns.max_ns?);
    if lead.together == lead.count {
        return Some(format!(
            "Neither is first: all {} {what} have the same time ({whence}).",
            thousands(whole(lead.count))
        ));
    }
    let (who, led) =
        if lead.second_led > lead.first_led { (b, lead.second_led) } else { (a, lead.first_led) };
    if lead.second_led == lead.first_led {
        return Some(format!("Neither is first as a rule: {led} times each of {} ({whence}).", lead.count));
    }
    // The median of all, the other's leads counted against it.
    let by = if who == b { median.saturating_neg() } else { median };
    let side = |ns: i64, earlier: &str| match ns {
        0 => "the same time".to_owned(),
        ns if ns < 0 => format!("{b} {} {earlier}", humane(ns.saturating_neg())),
        ns => format!("{a} {} {earlier}", humane(ns)),
    };
    let ends = match (min, max) {
        (1.., _) => format!("by {} at least and {} at most", humane(min), humane(max)),
        (_, ..=-1) => {
            format!(
                "by {} at least and {} at most",
                humane(max.saturating_neg()),
                humane(min.saturating_neg())
            )
        }
        _ => format!("at the ends {} and {}", side(min, "earlier"), side(max, "earlier")),
    };
    Some(format!(
        "{who} is first in {} % of {} {what}, by a median of {} over all of them; {ends} ({whence}).",
        percent(led, lead.count),
        thousands(whole(lead.count)),
        humane(by)
    ))
}

/// Per cent with one decimal, rounded, but never to all or to none where some are there or lacking.
pub fn percent(part: u64, all: u64) -> String {
    let (part, all) = (u128::from(part), u128::from(all));
    let permille = match (part * 2_000 + all).checked_div(all * 2).unwrap_or(0) {
        rounded if part == 0 || part == all => rounded,
        rounded => rounded.clamp(1, 999),
    };
    format!("{}.{}", permille / 10, permille % 10)
}

fn where_from(outcome: &Outcome, packets: &PacketOutcome) -> String {
    format!("{}, {}", receive_times(outcome.clocks), packets.channel)
}

fn receive_times(clocks: Clocks) -> &'static str {
    if clocks.one { "receive times of one capture point" } else { "receive times of two captures" }
}

fn drifting(drift: super::drift::Drift, [a, b]: [&str; 2]) -> String {
    let seconds = drift.span_ns / 1_000_000_000;
    if !drift.is_seen() {
        return format!(
            "The two clocks do not run apart as far as can be seen in {seconds} s (less than {} ppb).",
            drift.ppb.abs().saturating_add(drift.ppb_error)
        );
    }
    let (fast, slow) = if drift.ppb > 0 { (b, a) } else { (a, b) };
    format!(
        "The clock of {fast} gains {} ± {} ns a second on that of {slow} (least differences over {seconds} s): leads and lags of this comparison move by that much.",
        drift.ppb.abs(),
        drift.ppb_error
    )
}

fn outside(packets: &PacketOutcome, names: [&str; 2], said: &mut Vec<String>) {
    for (side, name) in packets.sides.iter().zip(names).filter(|(side, _)| side.outside > 0) {
        let other = if name == names[0] { names[1] } else { names[0] };
        said.push(format!(
            "{} {}s of {} lie before {name} begins or after it ends; they count for neither.",
            thousands(whole(side.outside)),
            packets.unit,
            other
        ));
    }
}

fn quoted(quotes: &QuoteOutcome, clocks: Clocks, said: &mut Vec<String>) {
    let [a, b] = &quotes.sources;
    if let Some(percent) = &quotes.agreement_percent {
        said.push(format!(
            "They show the same price for {percent} % of the {} in which they could be compared (both sides of {} instruments added up).",
            humane(whole(quotes.comparable_ns)),
            quotes.instruments
        ));
    }
    let whence = format!("{}, same instrument, venue, side, price and size", receive_times(clocks));
    said.extend(first(&quotes.lead, [a, b], "matched updates", &whence));
    if quotes.matched == 0 {
        said.push(format!("No update of {a} was shown by {b} too, so who is first cannot be told."));
    }
    for (side, name) in [a, b].into_iter().enumerate().filter(|(side, _)| quotes.only[*side] > 0) {
        said.push(format!(
            "{} quoted by {name} only: {}{}.",
            if quotes.only[side] == 1 {
                "One instrument is".to_owned()
            } else {
                format!("{} instruments are", quotes.only[side])
            },
            quotes.only_named[side].join(", "),
            if quotes.only[side] > quotes.only_named[side].len() as u64 { ", ..." } else { "" }
        ));
    }
}

fn clocks(clocks: Clocks) -> String {
    let step = match clocks.step_ns {
        0 | 1 => String::new(),
        ns => format!(" Stamps count in steps of {}: what is smaller cannot be told.", humane(whole(ns))),
    };
    if clocks.one {
        format!(
            "Both sides come from the same captures, stamped by one clock as far as the files say; the error of a difference is that of the stamping.{step}"
        )
    } else {
        format!(
            "The two captures may have been stamped by two clocks: a constant offset between two clocks cannot be told from transit time, so who is first holds only as far as the clocks agree.{step}"
        )
    }
}
