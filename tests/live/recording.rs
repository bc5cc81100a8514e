//! Every fault live: found, and found again in the recording, to the byte.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::kit::{Daemon, Place, lines, scenario, wait_for};

const MS: i64 = 1_000_000;
/// How far the moments of a live run may be from those that the simulator meant. A sender that stands still holds up all
/// lines alike; from some 20 ms on, what it had sent of one source before looks late in the other.
const TIMING_NS: i64 = 18 * MS;
/// Runs until the sender keeps time.
const TRIES: usize = 3;

fn time(value: &Value) -> Option<i64> {
    let time: jiff::Timestamp = value.as_str()?.parse().unwrap();
    Some(time.as_nanosecond() as i64)
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().map(|l| l.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

/// An alert: its raising and its end.
struct Told {
    raised: Value,
    ended: i64,
}

/// Each is raised once and cleared once, with one id.
fn gather(text: &str) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let mut places = BTreeMap::new();
    for line in lines(text) {
        let id = line["id"].as_str().unwrap().to_owned();
        match line["event"].as_str().unwrap() {
            "raised" => {
                assert!(places.insert(id, told.len()).is_none(), "raised twice: {line}");
                told.push(Told { raised: line, ended: i64::MAX });
            }
            "cleared" => {
                let alert = &mut told[places[&id]];
                assert_eq!(alert.ended, i64::MAX, "cleared twice: {line}");
                alert.ended = time(&line["ended"]).unwrap();
            }
            _ => {}
        }
    }
    assert!(told.iter().all(|t| t.ended < i64::MAX), "every alert is cleared at the end");
    told
}

fn fits(alert: &Told, wanted: &Value) -> bool {
    let kind = alert.raised["kind"].as_str().unwrap();
    let stale = kind == "stale";
    let named = |name: &str| wanted[name].is_null() || wanted[name] == alert.raised[name];
    let ours = names(&alert.raised["sources"]);
    let theirs = names(&wanted["sources"]);
    let (from, to) = (time(&wanted["from"]).unwrap_or(0), time(&wanted["to"]).unwrap_or(i64::MAX / 2));
    names(&wanted["any_of"]).contains(&kind)
        && ["instrument", "venue", "channel", "line", "scope"].into_iter().all(named)
        && (stale || named("side"))
        && (theirs.is_empty() || ours.iter().all(|s| theirs.contains(s)))
        && time(&alert.raised["began"]).unwrap() <= to + TIMING_NS
        && alert.ended >= from - TIMING_NS
}

/// What must be told and is not, and what nothing explains.
fn faults_of(alerts: &[Told], truth: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut explained = vec![false; alerts.len()];
    for record in truth {
        for (list, must) in [("expect", true), ("accept", false)] {
            for wanted in record[list].as_array().unwrap() {
                let mut found = false;
                for (_, explained) in alerts.iter().zip(&mut explained).filter(|(a, _)| fits(a, wanted)) {
                    (*explained, found) = (true, true);
                }
                if must && !found {
                    wrong.push(format!("fault {} {}: not found: {wanted}", record["fault"], record["kind"]));
                }
            }
        }
    }
    let left = alerts.iter().zip(explained).filter(|(_, explained)| !explained);
    wrong.extend(left.map(|(alert, _)| format!("nothing explains {}", alert.raised)));
    wrong
}

#[test]
fn every_fault_is_found_live_and_its_recording_replays_to_the_same_bytes() {
    for attempt in 1..=TRIES {
        let place = Place::new("faults");
        let daemon = Daemon::start(&place.plain());
        let sent = place.simulate(&scenario("all-faults.toml"), &["--lead", "500ms", "--rate", "500"]);
        let status = account(&place, &sent);
        assert_eq!(daemon.stop(), Some(0));

        let live = place.read("alerts.ndjson");
        let (replayed, summary) = place.replay();
        assert_eq!(live, replayed, "a replay of the recording tells what the daemon told");
        let captures = summary["captures"].as_array().unwrap().iter();
        let kept: u64 = captures.map(|c| c["datagrams"].as_u64().unwrap()).sum();
        assert_eq!((kept, &status["recorder"]["not_kept"]), (received(&status), &Value::from(0)));

        let late = sent["behind"]["max_ns"].as_i64().unwrap_or(i64::MAX);
        if late > TIMING_NS {
            eprintln!(
                "the sender was {late} ns behind its schedule in try {attempt}: it proves nothing of the truth"
            );
            continue;
        }
        let begins = lines(&place.read("sim/truth.ndjson"));
        let first = begins.iter().filter_map(|r| time(&r["from"])).min().unwrap();
        // Before the market began, nothing came: that is silence, rightly told.
        let mut alerts = gather(&live);
        alerts.retain(|a| a.ended > first - 1_000 * MS || a.raised["kind"] != "silent");
        let wrong = faults_of(&alerts, &begins);
        assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
        assert!(alerts.len() > 20, "{} alerts", alerts.len());
        return;
    }
    eprintln!(
        "SKIPPED: the truth of a live run; this machine did not keep the sender's time in {TRIES} tries"
    );
}

/// Datagrams that the daemon has received.
fn received(status: &Value) -> u64 {
    status["receivers"].as_array().unwrap().iter().map(|r| r["datagrams"].as_u64().unwrap()).sum()
}

/// A count of all lines.
fn line_counts(status: &Value, name: &str) -> u64 {
    let sources = status["sources"].as_array().unwrap().iter();
    let channels = sources.flat_map(|s| s["channels"].as_array().unwrap());
    channels.flat_map(|c| c["lines"].as_array().unwrap()).map(|l| l[name].as_u64().unwrap()).sum()
}

/// Waits until every datagram that was sent is received or counted as dropped.
fn account(place: &Place, sent: &Value) -> Value {
    let lines = sent["lines"].as_array().unwrap().iter();
    let packets: u64 = lines.map(|l| l["packets"].as_u64().unwrap()).sum();
    wait_for("every packet's account", || {
        let status = place.ask("{\"cmd\":\"status\"}")["status"].take();
        (received(&status) + line_counts(&status, "kernel_drops") == packets).then_some(status)
    })
}

#[test]
fn a_receiver_that_is_too_slow_says_that_the_loss_is_its_own() {
    let place = Place::new("slow");
    let config = place.plain();
    // The least buffer there is, and a flood: the kernel drops for want of room.
    let text = std::fs::read_to_string(&config).unwrap().replace("\"4MiB\"", "\"64KiB\"");
    std::fs::write(&config, text).unwrap();
    let daemon = Daemon::start(&config);
    let sent = std::thread::scope(|scope| {
        let clean = ["--clean", "--rate", "5000", "--duration", "4s"];
        let place = &place;
        let sending = scope.spawn(move || place.simulate(&scenario("demo.toml"), &clean));
        wait_for("the market", || {
            (received(&place.ask("{\"cmd\":\"status\"}")["status"]) > 2_000).then_some(())
        });
        // The fault: the daemon stands still while the market goes on.
        daemon.signal("-STOP");
        std::thread::sleep(std::time::Duration::from_secs(1));
        daemon.signal("-CONT");
        sending.join().unwrap()
    });
    let status = account(&place, &sent);
    let (drops, packets) = (line_counts(&status, "kernel_drops"), sent["packets"].as_u64().unwrap());
    assert!(drops > 0 && drops < packets, "{drops} of {packets} dropped");
    assert_eq!(daemon.stop(), Some(0));
    let live = place.read("alerts.ndjson");
    let ours = lines(&live).into_iter().find(|l| l["kind"] == "gap" && l["cause"] == "ours");
    let ours = ours.expect("a gap that says that it is our own");
    assert!(ours["why"].as_str().unwrap().contains("our own socket buffers dropped"), "{ours}");
    assert_eq!(live, place.replay().0, "the losses are in the recording");
}
