//! The verdict of every injected fault, over many seeds: right or `undecided`, never wrong.
//!
//! Two seeds in every run of the tests; `PARALLAX_SEEDS=60 cargo test --release --test truth verdicts` for more. The table
//! that it prints says how often each fault is decided. `PARALLAX_SHOW=lag` shows what was found of the faults of that name.

use std::cell::RefCell;
use std::collections::BTreeMap;

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

/// Explains alerts of every fault of the scenario and counts how that came out.
pub fn judge(name: &str, scenario: &Scenario, tallies: &mut BTreeMap<(String, String), Tally>) {
    let (sent, truth) = simulate(scenario);
    let mut stream = |take: &mut dyn FnMut(&parallax::source::Datagram<'_>)| {
        sent.iter().zip(1..).for_each(|(sent, frame)| take(&datagram(sent, frame)));
    };
    let taken: RefCell<BTreeMap<(usize, String), usize>> = RefCell::default();
    let chosen: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let choose = |alert: &Alert| {
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
            _ => tally.wrong.push(sentence(name, scenario.seed, &alert, &explanation, record)),
        }
        if std::env::var("PARALLAX_SHOW").is_ok_and(|show| label(record).contains(&show)) {
            println!("{}", sentence(name, scenario.seed, &alert, &explanation, record));
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

fn sentence(name: &str, seed: u64, alert: &Alert, explanation: &Explanation, record: &Value) -> String {
    format!(
        "{name} seed {seed} alert {} {} of {} is told as {} ({}), truth is {:?}",
        alert.id,
        alert.kind.name(),
        label(record),
        explanation.verdict,
        explanation.because,
        wanted(record)
    )
}

#[test]
fn verdicts_are_right_or_undecided_never_wrong() {
    let mut tallies = BTreeMap::new();
    for seed in seeds(1) {
        judge("all-faults", &scenario("all-faults.toml", seed), &mut tallies);
        for (name, rate) in INCIDENTS {
            judge(name, &incident(name, rate, seed), &mut tallies);
        }
    }
    println!("{:<28} {:<10} {:>6} {:>9} {:>6}", "fault", "alert", "right", "undecided", "wrong");
    for ((fault, kind), tally) in &tallies {
        let Tally { right, undecided, wrong } = tally;
        println!("{fault:<28} {kind:<10} {right:>6} {undecided:>9} {:>6}", wrong.len());
    }
    let wrong: Vec<&String> = tallies.values().flat_map(|t| &t.wrong).collect();
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}
