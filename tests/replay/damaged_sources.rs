//! The real lines as two sources, one of them damaged.

use std::collections::BTreeSet;

use serde_json::json;

use crate::kit::*;

/// The two sources with what happens to `b`.
fn damaged(mut keep: impl FnMut(&mut Packet) -> bool) -> Option<(Vec<Packet>, Told)> {
    let mut packets = cme()?;
    packets.retain_mut(|p| p.group != CME_B || keep(p));
    sort(&mut packets);
    let told = replay(&cme_sources(), &packets);
    Some((packets, told))
}

fn last(packets: &[Packet], wanted: impl Fn(&Packet) -> bool) -> u64 {
    packets.iter().filter(|p| wanted(p)).map(|p| p.ts).max().unwrap()
}

#[test]
fn a_source_that_is_late_is_lagging_and_never_wrong() {
    let keep = |p: &mut Packet| {
        p.ts += 50 * MS;
        true
    };
    let Some((packets, told)) = damaged(keep) else { return };
    let alerts = told.alert_lines();
    let lagging: Vec<_> = alerts.iter().filter(|a| a["kind"] == "lagging").collect();
    let raised: Vec<_> = lagging.iter().filter(|a| a["event"] == "raised").collect();
    assert!(raised.len() > 200, "{}", raised.len());
    for alert in &alerts {
        assert!(
            alert["kind"] != "divergent" && alert["kind"] != "stale" && alert["event"] != "escalated",
            "{alert}"
        );
    }
    for alert in &raised {
        // The late one is named first; it is beyond the limit and no later than it can be.
        assert_eq!(alert["sources"], json!(["b", "a"]), "{alert}");
        let lag = alert["lag_ns"].as_u64().unwrap();
        assert!((20 * MS..=50 * MS + 20_000).contains(&lag), "{alert}");
        assert!(time(&alert["ts"]) >= time(&alert["began"]) + 20 * MS, "{alert}");
        assert_eq!(alert["instrument"].as_str().map(str::is_empty), Some(false));
    }
    // One alert, one end: every one is over, and none was open twice at a time.
    let ids: BTreeSet<&str> = raised.iter().map(|a| a["id"].as_str().unwrap()).collect();
    let cleared: BTreeSet<&str> =
        lagging.iter().filter(|a| a["event"] == "cleared").map(|a| a["id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), &ids), (raised.len(), &cleared));
    let pair = &told.summary["pairs"][0];
    assert_eq!((&pair["matched"], &pair["first_led"]), (&json!(5_000), &json!(5_000)));
    for name in ["min_ns", "p50_ns", "max_ns"] {
        assert!((pair["lead"][name].as_i64().unwrap() - 50_000_000).abs() <= 70_000, "{pair}");
    }
    assert!(pair["segments"]["divergent"].is_null(), "{pair}");
    assert_eq!(packets.len(), 10_000);
}

#[test]
fn a_source_that_ends_is_silent_once_and_nothing_else() {
    let Some((packets, told)) = damaged(|p| p.mdp() < 8_000) else { return };
    let (began, end) = (last(&packets, |p| p.group == CME_B), last(&packets, |_| true));
    assert_eq!(
        told.story(),
        [
            format!("{} raised silent b/c began {began}", began + 2 * SECOND),
            format!("{end} cleared silent b/c began {began} ended {end} end_of_data"),
        ]
    );
    let alert = &told.alert_lines()[0];
    assert_eq!((&alert["severity"], &alert["instrument"]), (&json!("critical"), &json!(null)));
    assert!(alert["instruments"].as_u64().unwrap() > 50, "{alert}");
}

/// What `b` lost is a gap of `b`; what it shows from there on is not compared.
#[test]
fn a_source_that_loses_packets_is_a_gap_and_nothing_else() {
    let lost = 7_365..=7_367;
    let Some((packets, told)) = damaged(|p| !lost.contains(&p.mdp())) else { return };
    let shown = packets.iter().find(|p| p.group == CME_B && p.mdp() == 7_368).unwrap().ts;
    let (due, end) = (shown + 5 * MS, last(&packets, |_| true));
    assert_eq!(
        told.story(),
        [
            format!("{due} raised gap b/c [7365..7367 3] began {shown}"),
            format!("{end} cleared gap b/c [7365..7367 3] began {shown} ended {end} end_of_data"),
        ]
    );
    let pair = &told.summary["pairs"][0];
    assert!(pair["held_ns"]["gap"].as_u64().unwrap() > SECOND, "{pair}");
    assert_eq!(pair["unmatched"], json!([3, 0]));
}

/// Turns the book entries of one instrument into entries that say nothing of the book.
fn freeze(packet: &mut Packet, instrument: i32) {
    let mut at = 12;
    while at + 10 <= packet.payload.len() {
        let word = |at: usize| usize::from(u16::from_le_bytes([packet.payload[at], packet.payload[at + 1]]));
        let (size, block, template) = (word(at), word(at + 2), word(at + 4));
        let group = at + 10 + block;
        if template == 32 {
            let (stride, count) = (word(group), usize::from(packet.payload[group + 2]));
            for entry in (0..count).map(|n| group + 3 + n * stride) {
                // MDEntry32: security id at 12, entry type at 26.
                if packet.payload[entry + 12..entry + 16] == instrument.to_le_bytes() {
                    packet.payload[entry + 26] = b'c';
                }
            }
        }
        at += size;
    }
}

#[test]
fn an_instrument_that_stands_still_is_stale_and_told_once() {
    const FROZEN: &str = "411873";
    let keep = |p: &mut Packet| {
        if p.mdp() >= 7_000 {
            freeze(p, FROZEN.parse().unwrap());
        }
        true
    };
    let Some((packets, told)) = damaged(keep) else { return };
    // It begins with the first price of `a` that `b` has never shown: `b` stays where it was.
    let quotes: Vec<_> = told.quote_lines().into_iter().filter(|q| q["instrument"] == FROZEN).collect();
    let still = quotes.iter().rfind(|q| q["source"] == "b").unwrap();
    let after = quotes.iter().filter(|q| q["source"] == "a" && time(&q["ts"]) > time(&still["ts"]) + MS);
    let moved = after.clone().find(|q| q["bid"] != still["bid"] || q["ask"] != still["ask"]).unwrap();
    assert!(after.count() > 5);
    let (began, end) = (time(&moved["ts"]), last(&packets, |_| true));
    let (late, due) = (began + 20 * MS, began + 3 * SECOND);
    assert_eq!(
        told.story(),
        [
            format!("{late} raised lagging b+a/{FROZEN}/ask began {began}"),
            format!("{due} raised stale b/{FROZEN} began {began}"),
            format!("{due} cleared lagging b+a/{FROZEN}/ask began {began} ended {due} not_comparable:stale"),
            format!("{end} cleared stale b/{FROZEN} began {began} ended {end} end_of_data"),
        ]
    );
}
