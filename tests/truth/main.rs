//! Simulated sessions with the truth known: every injected fault is found, nothing else is raised, and what is explained
//! is explained by what it was.
//!
//! The truth is written by the simulator from the faults and from what it has shown, never by a check; here it
//! is held against the alerts of the same datagrams, and against their explanations.

mod incidents;
mod judge;
mod verdicts;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use parallax::config::Config;
use parallax::latency::Recorder;
use parallax::pipeline::{Pipeline, Settings};
use parallax::simulate::{LINES, Scenario, Sent, Simulator, write};
use parallax::source::writer::{spoil, udp_frame};
use parallax::source::{Datagram, Transport};
use serde_json::Value;

use judge::faults_of;

/// A simulated datagram as it comes out of captures, one for each line.
fn datagram(sent: &Sent, frame: u64) -> Datagram<'_> {
    let line = &LINES[sent.line];
    let mut bytes = Vec::new();
    udp_frame(&mut bytes, line.sender, line.group, &sent.payload).unwrap();
    if sent.spoilt {
        spoil(&mut bytes);
    }
    Datagram {
        // Behind 14 bytes of Ethernet, 20 of IPv4 and 6 of UDP.
        checksum: u16::from_be_bytes([bytes[40], bytes[41]]),
        identification: sent.identification,
        ts_recv_ns: sent.ts_ns,
        capture: 0,
        frame,
        transport: Transport::Udp,
        source: SocketAddr::V4(line.sender),
        destination: SocketAddr::V4(line.group),
        payload: &sent.payload,
        wire_len: sent.payload.len() as u32,
        interface: 0,
        interface_name: "",
        lost: parallax::source::Lost::default(),
    }
}

fn config(scenario: &Scenario) -> Config {
    Config::parse("simulated", &write::configuration_of(scenario), Path::new(".")).unwrap()
}

/// The datagrams of a scenario, and the truth's records.
fn simulate(scenario: &Scenario) -> (Vec<Sent>, Vec<Value>) {
    let mut simulator = Simulator::new(scenario);
    let sent: Vec<Sent> = simulator.by_ref().collect();
    let truth = simulator.truth().records().iter().map(|r| serde_json::to_value(r).unwrap()).collect();
    (sent, truth)
}

/// What a replay of them says of itself, beside the alerts' lines.
fn replayed(scenario: &Scenario, sent: &[Sent]) -> (Vec<Value>, Pipeline) {
    let mut pipeline = Pipeline::new(&config(scenario), Settings::default(), Recorder::without_log());
    for (sent, frame) in sent.iter().zip(1..) {
        pipeline.on_datagram(&datagram(sent, frame));
    }
    pipeline.finish();
    let text = String::from_utf8(std::mem::take(pipeline.take_alerts())).unwrap();
    (text.lines().map(|l| serde_json::from_str(l).unwrap()).collect(), pipeline)
}

/// Replays a scenario without a file in between; the alerts' lines and the truth's records.
fn replay(scenario: &Scenario) -> (Vec<Value>, Vec<Value>) {
    let (sent, truth) = simulate(scenario);
    (replayed(scenario, &sent).0, truth)
}

/// A few seeds, or as many as `PARALLAX_SEEDS` says: `60`, or `30..60`.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("PARALLAX_SEEDS") else { return 0..few };
    let number = |n: &str| n.parse().expect("PARALLAX_SEEDS is a number or two, such as 60 or 30..60");
    text.split_once("..").map_or_else(|| 0..number(&text), |(from, to)| number(from)..number(to))
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
