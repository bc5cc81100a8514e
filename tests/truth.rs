//! Simulated sessions with the truth known: every injected fault is found, nothing else is raised.
//!
//! The truth is written by the simulator from the faults and from what it has shown, never by a check; here it
//! is held against the alerts of the same datagrams.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use parallax::config::Config;
use parallax::latency::Recorder;
use parallax::pipeline::{Pipeline, Settings};
use parallax::simulate::{LINES, Scenario, Simulator, write};
use parallax::source::{Datagram, Transport};
use serde_json::Value;

/// One alert with all its lines.
#[derive(Debug)]
struct Told {
    kinds: Vec<String>,
    raised: Value,
    began: u64,
    ended: u64,
    sequence: Option<(u64, u64)>,
}

/// Replays a scenario without a file in between; the alerts' lines and the truth's records.
fn replay(scenario: &Scenario) -> (Vec<Value>, Vec<Value>) {
    let config = Config::parse("simulated", &write::configuration(), Path::new(".")).unwrap();
    let mut pipeline = Pipeline::new(&config, Settings::default(), Recorder::without_log());
    let mut simulator = Simulator::new(scenario);
    for (sent, frame) in simulator.by_ref().zip(1..) {
        let datagram = Datagram {
            ts_recv_ns: sent.ts_ns,
            capture: 0,
            frame,
            transport: Transport::Udp,
            source: SocketAddr::from(([127, 0, 0, 1], 1)),
            destination: SocketAddr::V4(LINES[sent.line].group),
            payload: &sent.payload,
            wire_len: sent.payload.len() as u32,
            interface: 0,
            interface_name: "",
            lost: parallax::source::Lost::default(),
        };
        pipeline.on_datagram(&datagram);
    }
    pipeline.finish();
    let text = String::from_utf8(std::mem::take(pipeline.take_alerts())).unwrap();
    let alerts = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let truth = simulator.truth().records().iter().map(|r| serde_json::to_value(r).unwrap()).collect();
    (alerts, truth)
}

fn time(value: &Value) -> Option<u64> {
    let text: jiff::Timestamp = value.as_str()?.parse().unwrap();
    Some(u64::try_from(text.as_nanosecond()).unwrap())
}

/// Lines of one alert gathered, in the order in which they were raised.
fn gather(lines: &[Value]) -> Vec<Told> {
    let mut told: BTreeMap<(u64, String), Told> = BTreeMap::new();
    let mut order = BTreeMap::new();
    for line in lines {
        let id = line["id"].as_str().unwrap().to_owned();
        let next = order.len() as u64;
        let place = *order.entry(id.clone()).or_insert(next);
        let kind = line["kind"].as_str().unwrap().to_owned();
        match line["event"].as_str().unwrap() {
            "raised" => {
                let began = time(&line["began"]).unwrap();
                let alert =
                    Told { kinds: vec![kind], raised: line.clone(), began, ended: u64::MAX, sequence: None };
                assert!(told.insert((place, id), alert).is_none(), "raised twice: {line}");
            }
            "escalated" => told.get_mut(&(place, id)).expect("escalated before raised").kinds.push(kind),
            "cleared" => {
                let alert = told.get_mut(&(place, id)).expect("cleared before raised");
                alert.ended = time(&line["ended"]).unwrap();
                let number = |name: &str| line["sequence"][name].as_u64();
                alert.sequence = number("first").zip(number("last"));
            }
            other => panic!("no such event: {other}"),
        }
    }
    told.into_values().collect()
}

/// Whether the alert is what the truth names; times overlap by more than nothing.
fn fits(alert: &Told, wanted: &Value) -> bool {
    let kinds: Vec<&str> = wanted["any_of"].as_array().unwrap().iter().map(|k| k.as_str().unwrap()).collect();
    // A stale instrument is told for both sides.
    let of_both_sides = |name: &str| name == "side" && alert.kinds.iter().any(|k| k == "stale");
    let named =
        |name: &str| wanted[name].is_null() || wanted[name] == alert.raised[name] || of_both_sides(name);
    let sorted = |value: &Value| {
        let mut names: Vec<String> =
            value.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let stale = alert.kinds.iter().any(|k| k == "stale");
    let sources = match &wanted["sources"] {
        Value::Null => true,
        list if stale => sorted(&alert.raised["sources"]).iter().all(|s| sorted(list).contains(s)),
        list => sorted(list) == sorted(&alert.raised["sources"]),
    };
    let (from, to) = (time(&wanted["from"]).unwrap_or(0), time(&wanted["to"]).unwrap_or(u64::MAX));
    let in_time = alert.began <= to && alert.ended >= from;
    let sequence =
        match (wanted["sequence"]["first"].as_u64(), wanted["sequence"]["last"].as_u64(), alert.sequence) {
            (Some(first), Some(last), Some((a, b))) => a <= last && first <= b,
            (Some(_), Some(_), None) => false,
            _ => true,
        };
    // What could be told two ways is told once: while an instrument is told as stale, its prices are not.
    let told_as_stale = stale && kinds.iter().any(|k| matches!(*k, "lagging" | "divergent"));
    (told_as_stale || kinds.iter().any(|k| alert.kinds.iter().any(|t| t == k)))
        && ["instrument", "venue", "side", "channel", "line", "scope"].into_iter().all(named)
        && sources
        && in_time
        && sequence
}

/// Everything that is wrong: faults that were not found, alerts that no fault explains.
fn faults_of(lines: &[Value], truth: &[Value]) -> Vec<String> {
    let alerts = gather(lines);
    let mut wrong = Vec::new();
    let mut explained = vec![false; alerts.len()];
    for record in truth {
        for (list, must) in [("expect", true), ("accept", false)] {
            for wanted in record[list].as_array().unwrap() {
                let mut found = false;
                for (alert, explained) in alerts.iter().zip(&mut explained) {
                    if fits(alert, wanted) {
                        *explained = true;
                        found = true;
                    }
                }
                if must && !found {
                    wrong.push(format!("fault {} {}: not found: {wanted}", record["fault"], record["kind"]));
                }
            }
        }
    }
    for (alert, explained) in alerts.iter().zip(explained) {
        if !explained {
            wrong.push(format!("nothing explains {} (cleared {})", alert.raised, alert.ended));
        }
    }
    wrong
}

fn scenario(name: &str, seed: u64) -> Scenario {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures/scenarios").join(name);
    let mut scenario = Scenario::read(&path).unwrap();
    scenario.seed = seed;
    scenario
}

fn hold(name: &str, seeds: std::ops::Range<u64>) {
    let mut failed = Vec::new();
    for seed in seeds {
        let (alerts, truth) = replay(&scenario(name, seed));
        let wrong = faults_of(&alerts, &truth);
        if !wrong.is_empty() {
            failed.push(format!(
                "seed {seed}: {} wrong\n  {}",
                wrong.len(),
                wrong[..wrong.len().min(6)].join("\n  ")
            ));
        }
    }
    assert!(failed.is_empty(), "{} of the seeds failed\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_fault_is_found_and_nothing_else_seeds_0_to_29() {
    hold("all-faults.toml", 0..30);
}

#[test]
fn every_fault_is_found_and_nothing_else_seeds_30_to_59() {
    hold("all-faults.toml", 30..60);
}

#[test]
fn a_clean_session_raises_nothing_whatever_the_seed() {
    for seed in 0..60 {
        let mut clean = scenario("all-faults.toml", seed);
        clean.faults.clear();
        clean.duration_ns = 12_000_000_000;
        let (alerts, truth) = replay(&clean);
        assert!(truth.is_empty());
        assert_eq!(alerts, Vec::<Value>::new(), "seed {seed}");
    }
}

#[test]
fn the_judge_of_this_test_sees_what_is_missing_and_what_is_too_much() {
    let (alerts, truth) = replay(&scenario("demo.toml", 7));
    assert_eq!(faults_of(&alerts, &truth), Vec::<String>::new());
    let raised: Vec<&Value> = alerts.iter().filter(|a| a["event"] == "raised").collect();
    assert!(raised.len() >= 4, "the demo shows at least four alerts");
    let without: Vec<Value> = alerts.iter().filter(|a| a["kind"] != "gap").cloned().collect();
    assert_eq!(faults_of(&without, &truth).len(), 1, "a gap that is not told is missed");
    assert_eq!(faults_of(&alerts, &truth[..2]).len(), 2, "a line and a gap that no fault explains are seen");
}
