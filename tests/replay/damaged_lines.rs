//! Two lines of one channel, damaged: what one lost the other brings; what both lost is told exactly.
//!
//! The expected times are worked out from the packets: a hole waits 5 ms from the arrival that showed it, and a line
//! is good again after a second without fault.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;

use serde_json::json;

use crate::kit::*;

/// How long a hole waits, and how long a line must be good.
const WAIT: u64 = 5 * MS;
const GOOD: u64 = SECOND;

/// When the copy with that number arrives in that group.
fn at(packets: &[Packet], group: SocketAddrV4, number: u64) -> u64 {
    packets.iter().find(|p| p.group == group && p.mdp() == number).unwrap().ts
}

fn end(packets: &[Packet]) -> u64 {
    packets.iter().map(|p| p.ts).max().unwrap()
}

/// Both lines of the real capture, without what `keep` does not want, and what the whole of it shows.
fn damaged(mut keep: impl FnMut(&mut Packet) -> bool) -> Option<(Vec<Packet>, Told, Told)> {
    let whole = cme()?;
    let mut packets = whole.clone();
    packets.retain_mut(|p| keep(p));
    sort(&mut packets);
    let (told, before) = (replay(&cme_lines(), &packets), replay(&cme_lines(), &whole));
    assert_eq!(before.alerts, "");
    Some((packets, told, before))
}

fn source(told: &Told, name: &str) -> u64 {
    told.summary["sources"][0][name].as_u64().unwrap()
}

#[test]
fn what_one_line_lost_the_other_brings() {
    let lost = 7_365..=7_367;
    let keep = |p: &mut Packet| p.group != CME_B || !lost.contains(&p.mdp());
    let Some((packets, told, before)) = damaged(keep) else { return };
    let shown = at(&packets, CME_B, 7_368);
    let due = shown + WAIT;
    assert_eq!(
        told.story(),
        [
            format!("{due} raised line cme/c/B [7365..7367 3] began {shown}"),
            format!("{} cleared line cme/c/B [7365..7367 3] began {shown} ended {due} line_good", due + GOOD),
        ]
    );
    assert_eq!(told.shown(), before.shown(), "the books are whole");
    assert_eq!(
        (source(&told, "gaps"), source(&told, "messages"), source(&told, "duplicates")),
        (0, 10_273, 4_997)
    );
    assert_eq!(told.summary["sources"][0]["lines"][1]["lost"], json!(3));
}

#[test]
fn what_both_lines_lost_is_a_gap_and_suspect_before_anything_else() {
    let lost = 7_365..=7_367;
    let Some((packets, told, before)) = damaged(|p| !lost.contains(&p.mdp())) else { return };
    let shown = at(&packets, CME_A, 7_368).min(at(&packets, CME_B, 7_368));
    let due = shown + WAIT;
    let end = end(&packets);
    assert_eq!(
        told.story(),
        [
            format!("{due} raised gap cme/c [7365..7367 3] began {shown}"),
            format!("{end} cleared gap cme/c [7365..7367 3] began {shown} ended {end} end_of_data"),
        ]
    );
    assert_eq!((source(&told, "gaps"), source(&told, "messages_missing")), (1, 3));
    // Until the gap is told the quotes are those of the whole capture; then every instrument that has shown a quote
    // is suspect before anything else is shown.
    let (quotes, whole) = (told.quote_lines(), before.quote_lines());
    let same = quotes.iter().take_while(|q| time(&q["ts"]) < due).count();
    assert_eq!(quotes[..same], whole[..same]);
    let seen: BTreeSet<&str> = quotes[..same].iter().map(|q| q["instrument"].as_str().unwrap()).collect();
    let mut suspect = BTreeSet::new();
    for quote in &quotes[same..] {
        let name = quote["instrument"].as_str().unwrap();
        if quote["quality"] == "suspect" {
            suspect.insert(name);
        }
        assert!(
            suspect.is_superset(&seen) || time(&quote["ts"]) == due,
            "shown before all are suspect: {quote}"
        );
        assert!(!seen.contains(name) || suspect.contains(name), "never suspect: {quote}");
    }
    assert!(suspect.is_superset(&seen) && seen.len() > 50);
}

#[test]
fn what_comes_twice_counts_once() {
    let Some(whole) = cme() else { return };
    let mut packets = Vec::new();
    for packet in &whole {
        packets.push(packet.clone());
        packets.push(Packet { ts: packet.ts + 300, ..packet.clone() });
    }
    sort(&mut packets);
    let told = replay(&cme_lines(), &packets);
    let before = replay(&cme_lines(), &whole);
    assert_eq!(told.story(), Vec::<String>::new());
    assert_eq!(told.quotes, before.quotes);
    assert_eq!((source(&told, "packets"), source(&told, "duplicates")), (20_000, 15_000));
    assert_eq!((source(&told, "messages"), source(&told, "gaps")), (10_273, 0));
}

#[test]
fn order_that_returns_in_time_is_restored() {
    let keep = |p: &mut Packet| {
        p.ts += if p.mdp() == 7_365 { 4 * MS } else { 0 };
        true
    };
    let Some((_, told, before)) = damaged(keep) else { return };
    assert_eq!(told.story(), Vec::<String>::new());
    assert_eq!(told.shown(), before.shown());
    assert_eq!((source(&told, "gaps"), source(&told, "recovered")), (0, 1));
    assert_eq!(source(&told, "messages"), 10_273);
}

#[test]
fn order_that_returns_too_late_is_a_gap_that_says_that_it_was_filled() {
    let keep = |p: &mut Packet| {
        p.ts += if p.mdp() == 7_365 { 20 * MS } else { 0 };
        true
    };
    let Some((packets, told, _)) = damaged(keep) else { return };
    let shown = at(&packets, CME_A, 7_366).min(at(&packets, CME_B, 7_366));
    let filled = at(&packets, CME_A, 7_365).min(at(&packets, CME_B, 7_365));
    assert_eq!(
        told.story(),
        [
            format!("{} raised gap cme/c [7365..7365 1] began {shown}", shown + WAIT),
            format!("{filled} cleared gap cme/c [7365..7365 1] began {shown} ended {filled} filled"),
        ]
    );
    assert_eq!((source(&told, "gaps"), source(&told, "filled_late")), (1, 1));
}

/// Every late copy is a fault of its own; faults less than a second apart are one alert.
#[test]
fn a_line_that_falls_behind_is_told_with_its_lag() {
    // Up to the last packet before a silence of 131 ms, so that nothing overtakes the late ones.
    let late = 7_115..=7_618;
    let keep = |p: &mut Packet| {
        p.ts += if p.group == CME_B && late.contains(&p.mdp()) { 60 * MS } else { 0 };
        true
    };
    let Some((packets, told, before)) = damaged(keep) else { return };
    let arrival = |n: u64| at(&packets, CME_B, n);
    let lag = |n: u64| arrival(n) - at(&packets, CME_A, n);
    let mut expected = Vec::new();
    let (mut first, mut lags) = (7_115, Vec::new());
    for n in late.clone() {
        let began = at(&packets, CME_A, first);
        if n == first {
            expected.push(format!("{} raised line cme/c/B [{n}..{n} 1] began {began}", arrival(n)));
        }
        lags.push(lag(n));
        if n == *late.end() || arrival(n + 1) >= arrival(n) + GOOD {
            let (ended, count) = (arrival(n), n + 1 - first);
            expected.push(format!(
                "{} cleared line cme/c/B [{first}..{n} {count}] began {began} ended {ended} line_good",
                ended + GOOD
            ));
            first = n + 1;
        }
    }
    assert_eq!(told.story(), expected);
    let alerts = told.alert_lines();
    assert_eq!(alerts[0]["lag_ns"], json!(lag(7_115)));
    let peak = alerts.iter().filter(|a| a["event"] == "cleared").map(|a| a["lag_ns"].as_u64().unwrap()).max();
    assert_eq!(peak, lags.into_iter().max());
    assert_eq!(told.shown(), before.shown());
    assert_eq!((source(&told, "gaps"), source(&told, "duplicates")), (0, 5_000));
}

#[test]
fn a_line_that_ends_in_the_middle_is_silent_once() {
    let Some((packets, told, before)) = damaged(|p| p.group != CME_B || p.mdp() < 8_000) else { return };
    let (last, missed) = (at(&packets, CME_B, 7_999), at(&packets, CME_A, 8_000));
    let due = (last + 2 * SECOND).max(missed + 250 * MS);
    let end = end(&packets);
    assert_eq!(
        told.story(),
        [
            format!("{due} raised silent cme/c/B began {last}"),
            format!("{end} cleared silent cme/c/B began {last} ended {end} end_of_data"),
        ]
    );
    assert_eq!(told.shown(), before.shown());
    assert_eq!((source(&told, "gaps"), source(&told, "messages")), (0, 10_273));
}

#[test]
fn a_packet_cut_short_is_a_named_error_and_the_other_copy_is_used() {
    let keep = |p: &mut Packet| {
        if p.group == CME_B && p.mdp() == 7_365 {
            p.payload.truncate(p.payload.len() - 5);
        }
        true
    };
    let Some((packets, told, before)) = damaged(keep) else { return };
    let shown = at(&packets, CME_B, 7_366);
    let due = shown + WAIT;
    assert_eq!(
        told.story(),
        [
            format!("{due} raised line cme/c/B [7365..7365 1] began {shown}"),
            format!("{} cleared line cme/c/B [7365..7365 1] began {shown} ended {due} line_good", due + GOOD),
        ]
    );
    assert_eq!(told.shown(), before.shown());
    let errors = &told.summary["sources"][0]["errors"];
    assert_eq!(errors["truncated"]["count"], json!(1), "{errors}");
    let frame = packets.iter().position(|p| p.group == CME_B && p.mdp() == 7_365).unwrap() + 1;
    assert_eq!(errors["truncated"]["frame"], json!(frame));
}

#[test]
fn a_packet_damaged_on_both_lines_is_a_gap() {
    let keep = |p: &mut Packet| {
        if p.mdp() == 7_365 {
            // The first message's length runs beyond the packet.
            p.payload[12..14].copy_from_slice(&u16::MAX.to_le_bytes());
        }
        true
    };
    let Some((packets, told, _)) = damaged(keep) else { return };
    let shown = at(&packets, CME_A, 7_366).min(at(&packets, CME_B, 7_366));
    let end = end(&packets);
    assert_eq!(
        told.story(),
        [
            format!("{} raised gap cme/c [7365..7365 1] began {shown}", shown + WAIT),
            format!("{end} cleared gap cme/c [7365..7365 1] began {shown} ended {end} end_of_data"),
        ]
    );
    assert_eq!(told.summary["sources"][0]["errors"]["truncated"]["count"], json!(2));
}

#[test]
fn an_absurd_number_is_reported_and_not_believed() {
    let keep = |p: &mut Packet| {
        if p.group == CME_A && p.mdp() == 7_365 {
            p.payload[..4].copy_from_slice(&3_000_000_000_u32.to_le_bytes());
        }
        true
    };
    let Some((packets, told, before)) = damaged(keep) else { return };
    let shown = at(&packets, CME_A, 7_366);
    let due = shown + WAIT;
    assert_eq!(
        told.story(),
        [
            format!("{due} raised line cme/c/A [7365..7365 1] began {shown}"),
            format!("{} cleared line cme/c/A [7365..7365 1] began {shown} ended {due} line_good", due + GOOD),
        ]
    );
    assert_eq!(told.shown(), before.shown());
    let source = &told.summary["sources"][0];
    assert_eq!(source["sequence_events"]["absurd_sequence"], json!(1), "{}", source["sequence_events"]);
    assert_eq!(source["lines"][0]["refused"], json!({ "absurd_jump": 1 }));
}
