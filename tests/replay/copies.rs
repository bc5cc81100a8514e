//! Simulated sessions taken apart: losses among packets of several messages, copies cut otherwise, other addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use parallax::simulate::{LINES, Scenario, write};
use serde_json::{Value, json};

use crate::kit::*;

const WAIT: u64 = 5 * MS;
const GOOD: u64 = SECOND;

fn clean() -> Vec<Packet> {
    simulated(&Scenario { seed: 5, duration_ns: 4 * SECOND, ..Scenario::default() })
}

fn is(packet: &Packet, line: usize) -> bool {
    packet.group == LINES[line].group
}

/// The numbers of a line's packets with data around two seconds into the session: three packets and the one behind.
fn middle(packets: &[Packet]) -> [(u64, u64); 4] {
    let from = packets[0].ts + 2 * SECOND;
    let data = packets.iter().filter(|p| is(p, 0) && p.ts > from && p.mold().1 > 0);
    let found: Vec<(u64, u64)> = data.map(Packet::mold).take(4).collect();
    found.try_into().unwrap()
}

fn at(packets: &[Packet], line: usize, number: u64) -> u64 {
    packets.iter().find(|p| is(p, line) && p.mold().0 == number && p.mold().1 > 0).unwrap().ts
}

#[test]
fn a_clean_session_tells_nothing() {
    let told = replay(&write::configuration(), &clean());
    assert_eq!(told.story(), Vec::<String>::new());
    let pair = &told.summary["pairs"][0];
    assert!(pair["agreement_percent"].as_str().unwrap() > "99", "{pair}");
}

#[test]
fn what_one_line_lost_leaves_no_trace_in_the_books() {
    let whole = clean();
    let [first, _, last, next] = middle(&whole);
    let lost = first.0..next.0;
    let packets: Vec<Packet> = whole
        .iter()
        .filter(|p| !(is(p, 0) && p.mold().1 > 0 && lost.contains(&p.mold().0)))
        .cloned()
        .collect();
    assert_eq!(packets.len() + 3, whole.len());
    let (told, before) = (replay(&write::configuration(), &packets), replay(&write::configuration(), &whole));
    let shown = at(&packets, 0, next.0);
    let due = shown + WAIT;
    let range = format!("[{}..{} {}]", first.0, last.0 + last.1 - 1, next.0 - first.0);
    assert_eq!(
        told.story(),
        [
            format!("{due} raised line direct/tv1/A {range} began {shown}"),
            format!("{} cleared line direct/tv1/A {range} began {shown} ended {due} line_good", due + GOOD),
        ]
    );
    assert_eq!(told.shown(), before.shown());
}

#[test]
fn what_both_lines_lost_is_one_gap_and_none_of_its_consequences() {
    let whole = clean();
    let [first, _, last, next] = middle(&whole);
    let lost = first.0..next.0;
    let keep = |p: &&Packet| is(p, 2) || p.mold().1 == 0 || !lost.contains(&p.mold().0);
    let packets: Vec<Packet> = whole.iter().filter(keep).cloned().collect();
    assert_eq!(packets.len() + 6, whole.len());
    let told = replay(&write::configuration(), &packets);
    // A heartbeat or the next packet, whichever comes first, shows the hole.
    let shown = packets.iter().filter(|p| !is(p, 2) && p.mold().0 >= next.0).map(|p| p.ts).min().unwrap();
    let range = format!("[{}..{} {}]", first.0, last.0 + last.1 - 1, next.0 - first.0);
    let story = told.story();
    assert_eq!(story[0], format!("{} raised gap direct/tv1 {range} began {shown}", shown + WAIT));
    assert_eq!(story.len(), 2, "{}", story.join("\n"));
    assert!(
        story[1].contains(&format!(" cleared gap direct/tv1 {range} began {shown} ended ")),
        "{}",
        story[1]
    );
    let reason = told.alert_lines()[1]["reason"].clone();
    assert!(reason == "end_of_data" || reason == "books_whole", "{reason}");
    let source = &told.summary["sources"][0];
    assert_eq!((&source["gaps"], &source["messages_missing"]), (&json!(1), &json!(next.0 - first.0)));
    assert!(told.summary["pairs"][0]["held_ns"]["gap"].as_u64().unwrap() > 0);
    // Whatever the direct source shows from the gap on is suspect, or whole again.
    let due = shown + WAIT;
    let after: Vec<Value> =
        told.quote_lines().into_iter().filter(|q| q["source"] == "direct" && time(&q["ts"]) == due).collect();
    let first: BTreeSet<&str> = after.iter().take(20).map(|q| q["instrument"].as_str().unwrap()).collect();
    assert_eq!(first.len(), 20, "every instrument before what waited behind the gap");
    assert!(after.iter().all(|q| q["quality"] == "suspect"));
}

/// One packet a message, cut from packets of several.
fn singles(packet: &Packet) -> Vec<Packet> {
    let (number, count) = packet.mold();
    let mut at = 20;
    (0..count)
        .map(|i| {
            let end = at + 2 + usize::from(u16::from_be_bytes([packet.payload[at], packet.payload[at + 1]]));
            let mut payload = packet.payload[..10].to_vec();
            payload.extend((number + i).to_be_bytes());
            payload.extend(1u16.to_be_bytes());
            payload.extend(&packet.payload[at..end]);
            at = end;
            Packet { ts: packet.ts + MS + i, group: packet.group, payload }
        })
        .collect()
}

#[test]
fn copies_that_are_cut_otherwise_fill_by_message() {
    let whole = clean();
    let lost = middle(&whole)[0];
    // B brings every message in a packet of its own, a millisecond later; A misses one packet.
    let mut packets: Vec<Packet> = whole
        .iter()
        .filter(|p| !(is(p, 0) && p.mold() == lost))
        .flat_map(|p| if is(p, 1) && p.mold().1 > 0 { singles(p) } else { vec![p.clone()] })
        .collect();
    sort(&mut packets);
    let (told, before) = (replay(&write::configuration(), &packets), replay(&write::configuration(), &whole));
    let shown = packets.iter().filter(|p| is(p, 0) && p.mold().0 > lost.0).map(|p| p.ts).min().unwrap();
    let range = format!("[{}..{} {}]", lost.0, lost.0 + lost.1 - 1, lost.1);
    assert_eq!(
        told.story(),
        [
            format!("{} raised line direct/tv1/A {range} began {shown}", shown + WAIT),
            format!(
                "{} cleared line direct/tv1/A {range} began {shown} ended {} line_good",
                shown + WAIT + GOOD,
                shown + WAIT
            ),
        ]
    );
    let source = |told: &Told, name: &str| told.summary["sources"][0][name].clone();
    for name in ["messages", "messages_by_type", "gaps", "errors", "contradictions", "live_orders", "trades"]
    {
        assert_eq!(source(&told, name), source(&before, name), "{name}");
    }
    assert_eq!(source(&told, "recovered"), json!(lost.1));
    let last = |told: &Told| -> BTreeMap<String, Value> {
        let strip = |mut q: Value| {
            ["ts", "ts_event", "seq"].iter().for_each(|name| {
                q.as_object_mut().unwrap().remove(*name);
            });
            (format!("{} {}", q["source"], q["instrument"]), q)
        };
        told.quote_lines().into_iter().map(strip).collect()
    };
    assert_eq!(last(&told), last(&before));
}

/// Real captures under other addresses, each with the port that another feed had.
#[test]
fn feeds_are_told_by_their_bytes_and_not_by_their_port() {
    let sessions = [
        (CME_CAPTURE, "cme-mdp3", 10_378),
        ("iex_deep_20231002_preopen.pcap.gz", "iex-deep", 16_642),
        ("iex_tops_v16_20170710.pcap", "iex-tops", 20_100),
        ("ice_impact_20180821.pcap", "ice-impact", 14_340),
    ];
    for (name, feed, port) in sessions {
        let Some(path) = session(name) else { return };
        let before = packets(&path);
        let mut groups: Vec<SocketAddrV4> = before.iter().map(|p| p.group).collect();
        groups.sort();
        groups.dedup();
        let mut after = before.clone();
        for packet in &mut after {
            let host = groups.iter().position(|g| *g == packet.group).unwrap() as u8 + 1;
            packet.group = SocketAddrV4::new([239, 7, 7, host].into(), port);
        }
        let (told, before) = (replay("", &after), replay("", &before));
        let sources = told.summary["sources"].as_array().unwrap();
        assert_eq!((sources.len(), &sources[0]["feed"]), (1, &json!(feed)));
        assert_eq!(sources[0]["lines"].as_array().unwrap().len(), groups.len());
        assert_eq!(sources[0]["messages_by_type"], before.summary["sources"][0]["messages_by_type"]);
        assert_eq!((told.alerts.as_str(), before.alerts.as_str()), ("", ""));
        assert!(told.quotes == before.quotes, "{name}");
    }
}
