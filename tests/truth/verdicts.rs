//! The verdict of every injected fault, over many seeds: right or `undecided`, never wrong.
//!
//! Senders that count their packets (IPv4's identification) tell more of what did not come than senders that do not: alerts of
//! losses and silences are explained both ways, and the table has a line for each.
//!
//! Two seeds in every run of the tests; `PARALLAX_SEEDS=60 cargo test --release --test truth verdicts` for more. The table
//! that it prints says how often each fault is decided. `PARALLAX_SHOW=lag` shows what was found of the faults of that name.

use std::cell::RefCell;
use std::collections::BTreeMap;

use parallax::config::Kind;
use parallax::explain::all::explain_all;
use parallax::explain::hypotheses::Standing;
use parallax::explain::{Alert, Explanation};
use parallax::simulate::Scenario;
use serde_json::Value;

use super::incidents::{INCIDENTS, incident};
use super::judge::{fits, gather};
use super::{config, datagram, scenario, seeds, simulate};

/// So many alerts of a fault and of one kind are explained, of each seed.
const ALERTS_MAX: usize = 2;

/// How the explanations of one kind of fault came out.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    right: u64,
    undecided: u64,
    wrong: Vec<String>,
}

/// The fault's verdict as the truth has it.
fn wanted(record: &Value) -> (&str, Option<&str>) {
    (record["verdict"].as_str().unwrap(), record["verdict_source"].as_str())
}

/// What was injected, for the table: kind, source, and line where it is one.
fn label(record: &Value) -> String {
    let [kind, source] = ["kind", "source"].map(|k| record[k].as_str().unwrap());
    let lines: Vec<&str> = record["lines"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    match lines.as_slice() {
        [line] if source == "direct" => format!("{kind} {source}/{line}"),
        _ => format!("{kind} {source}"),
    }
}

/// The records that an alert may be told of.
fn records_of(alert: &Alert, truth: &[Value]) -> Vec<usize> {
    let lines: Vec<Value> = alert.lines.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let told = &gather(&lines)[0];
    let tells = |record: &Value, list: &str| record[list].as_array().unwrap().iter().any(|w| fits(told, w));
    (0..truth.len()).filter(|n| tells(&truth[*n], "expect") || tells(&truth[*n], "accept")).collect()
}

/// Whether the senders count their packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Senders {
    Count,
    Zero,
}

/// Explains alerts of every fault of the scenario and counts how that came out.
fn judge(name: &str, scenario: &Scenario, senders: Senders, tallies: &mut BTreeMap<(String, String), Tally>) {
    let (mut sent, truth) = simulate(scenario);
    if senders == Senders::Zero {
        let of_lines = ["loss", "silence", "lag", "corruption"];
        if !truth.iter().any(|record| of_lines.contains(&record["kind"].as_str().unwrap())) {
            return;
        }
        sent.iter_mut().for_each(|s| s.identification = 0);
    }
    let label = |record: &Value| match senders {
        Senders::Count => label(record),
        Senders::Zero => format!("{}, not counted", label(record)),
    };
    let mut stream = |take: &mut dyn FnMut(&parallax::source::Datagram<'_>)| {
        sent.iter().zip(1..).for_each(|(sent, frame)| take(&datagram(sent, frame)));
    };
    let taken: RefCell<BTreeMap<(usize, String), usize>> = RefCell::default();
    let chosen: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let choose = |alert: &Alert| {
        if senders == Senders::Zero && !matches!(alert.kind, Kind::Gap | Kind::Line | Kind::Silent) {
            return false;
        }
        let records = records_of(alert, &truth);
        // What may come of two faults that are not the same is not held against either.
        let Some(&first) = records.first() else { return false };
        if records.iter().any(|n| wanted(&truth[*n]) != wanted(&truth[first])) {
            return false;
        }
        let mut taken = taken.borrow_mut();
        let count = taken.entry((first, alert.kind.name().to_owned())).or_default();
        *count += 1;
        if *count <= ALERTS_MAX {
            chosen.borrow_mut().insert(alert.id.clone(), first);
        }
        *count <= ALERTS_MAX
    };
    for (alert, _, explanation) in explain_all(&config(scenario), &mut stream, &choose) {
        let record = &truth[chosen.borrow()[&alert.id]];
        let tally = tallies.entry((label(record), alert.kind.name().to_owned())).or_default();
        let told = (explanation.verdict.cause(), explanation.verdict.source());
        match told {
            ("undecided", _) => tally.undecided += 1,
            told if told == wanted(record) => tally.right += 1,
            _ => tally.wrong.push(sentence(
                name,
                scenario.seed,
                &alert,
                &explanation,
                &label(record),
                wanted(record),
            )),
        }
        if std::env::var("PARALLAX_SHOW").is_ok_and(|show| label(record).contains(&show)) {
            println!(
                "{}",
                sentence(name, scenario.seed, &alert, &explanation, &label(record), wanted(record))
            );
            let bears = |s: &Standing| matches!(s, Standing::Supported | Standing::Open);
            for (hypothesis, finding) in explanation.findings.iter().filter(|(_, f)| bears(&f.standing)) {
                let (standing, blames) = (finding.standing.name(), &finding.blames);
                println!("    {} {standing} {blames:?}", hypothesis.name);
                finding.supports.iter().for_each(|s| println!("        + {s}"));
                finding.contradicts.iter().for_each(|s| println!("        - {s}"));
            }
        }
    }
}

fn sentence(
    name: &str,
    seed: u64,
    alert: &Alert,
    explanation: &Explanation,
    label: &str,
    wanted: (&str, Option<&str>),
) -> String {
    format!(
        "{name} seed {seed} alert {} {} of {} is told as {} ({}), truth is {:?}",
        alert.id,
        alert.kind.name(),
        label,
        explanation.verdict,
        explanation.because,
        wanted
    )
}

#[test]
fn verdicts_are_right_or_undecided_never_wrong() {
    let mut tallies = BTreeMap::new();
    for seed in seeds(1) {
        for senders in [Senders::Count, Senders::Zero] {
            judge("all-faults", &scenario("all-faults.toml", seed), senders, &mut tallies);
            for (name, rate) in INCIDENTS {
                judge(name, &incident(name, rate, seed), senders, &mut tallies);
            }
        }
    }
    println!("{:<33} {:<10} {:>6} {:>9} {:>6}", "fault", "alert", "right", "undecided", "wrong");
    let mut all = [0, 0, 0];
    for ((fault, kind), tally) in &tallies {
        let Tally { right, undecided, wrong } = tally;
        println!("{fault:<33} {kind:<10} {right:>6} {undecided:>9} {:>6}", wrong.len());
        all = [all[0] + right, all[1] + undecided, all[2] + wrong.len() as u64];
    }
    println!("{:<33} {:<10} {:>6} {:>9} {:>6}", "all", "", all[0], all[1], all[2]);
    let wrong: Vec<&String> = tallies.values().flat_map(|t| &t.wrong).collect();
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

/// A clean session in which one packet of the SIP claims numbers far ahead, damaged on its way or as it was sent; the
/// explanation of the gap.
fn of_absurd_numbers(spoilt: bool) -> Explanation {
    let mut clean = scenario("all-faults.toml", 1);
    clean.faults.clear();
    clean.duration_ns = 4_000_000_000;
    let (mut sent, _) = simulate(&clean);
    let sip = parallax::simulate::LINES.iter().position(|l| l.channel == "q1").unwrap();
    let data = |s: &&mut parallax::simulate::Sent| {
        s.line == sip && s.ts_ns > clean.start_ns + 2_000_000_000 && s.payload.len() > 20
    };
    let packet = sent.iter_mut().find(data).unwrap();
    // The number of its first message, behind the session's ten bytes (MoldUDP64).
    packet.payload[13] = 1;
    packet.spoilt = spoilt;
    let mut stream = |take: &mut dyn FnMut(&parallax::source::Datagram<'_>)| {
        sent.iter().zip(1..).for_each(|(sent, frame)| take(&datagram(sent, frame)));
    };
    let mut told = explain_all(&config(&clean), &mut stream, &|alert| alert.kind == Kind::Gap);
    assert_eq!(told.len(), 1);
    told.remove(0).2
}

#[test]
fn a_packet_with_numbers_that_nobody_believes_is_named_in_the_gap_that_it_leaves() {
    for (spoilt, cause) in [(false, "source"), (true, "network")] {
        let told = of_absurd_numbers(spoilt);
        assert_eq!(told.verdict.cause(), cause, "{}", told.because);
        let wanted = "1 packet came in its place that was refused for its numbers (absurd_jump; the first of all such at";
        assert!(told.because.contains(wanted), "{}", told.because);
    }
}
