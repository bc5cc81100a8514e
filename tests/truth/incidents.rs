//! What has happened in real markets, rebuilt: what each incident must raise, in its order, and what it comes to.

use std::fmt::Write;

use parallax::config::Kind;
use parallax::pipeline::Pipeline;
use parallax::simulate::Scenario;
use serde_json::Value;

use super::judge::{faults_of, time};
use super::{replay, replayed, scenario, seeds, simulate};

/// The scenario of an incident.
pub fn incident(name: &str, rate: Option<u64>, seed: u64) -> Scenario {
    let mut incident = scenario(&format!("incidents/{name}.toml"), seed);
    incident.rate = rate.unwrap_or(incident.rate);
    incident
}

/// Scenarios of the incidents, with what the command line must change for them to show.
pub const INCIDENTS: [(&str, Option<u64>); 9] = [
    ("old-quotes", None),
    ("wrong-bands", None),
    ("test-data", None),
    ("saturated-line", None),
    ("silent-backup", None),
    ("moved-lines", None),
    ("crossed-under-load", Some(20_000)),
    ("pre-open", None),
    ("heartbeats-only", None),
];

#[test]
fn every_incident_is_found_and_nothing_else() {
    let mut failed = Vec::new();
    for (name, rate) in INCIDENTS {
        for seed in seeds(2) {
            let incident = incident(name, rate, seed);
            let (alerts, truth) = replay(&incident);
            let wrong = faults_of(&alerts, &truth);
            if !wrong.is_empty() {
                failed.push(format!(
                    "{name} seed {seed}: {} wrong\n  {}",
                    wrong.len(),
                    wrong[..wrong.len().min(4)].join("\n  ")
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{} failed\n{}", failed.len(), failed.join("\n"));
}

/// One line per transition: time after the start, event, kind, sources, instrument, side or scope, reason.
fn sequence(alerts: &[Value], start_ns: u64) -> String {
    let mut out = String::new();
    for alert in alerts {
        let word = |key: &str| alert[key].as_str().unwrap_or("-");
        let sources: Vec<&str> =
            alert["sources"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
        let side = alert["side"].as_str().or(alert["scope"].as_str()).unwrap_or("-");
        let after_us = (time(&alert["ts"]).unwrap() - start_ns) / 1_000;
        let place = alert["instrument"].as_str().or(alert["channel"].as_str()).unwrap_or("-");
        let sources = sources.join(",");
        let (event, kind, reason) = (word("event"), word("kind"), word("reason"));
        writeln!(
            out,
            "{}.{:06} {event} {kind} {sources} {place} {side} {reason}",
            after_us / 1_000_000,
            after_us % 1_000_000
        )
        .unwrap();
    }
    out
}

/// What an incident's replay gave.
struct Played {
    alerts: Vec<Value>,
    truth: Vec<Value>,
    pipeline: Pipeline,
    start_ns: u64,
}

impl Played {
    /// Kinds in the order of their first alert, with the first source and the milliseconds after the start.
    fn firsts(&self) -> Vec<(&str, &str, u64)> {
        let mut out: Vec<(&str, &str, u64)> = Vec::new();
        for alert in self.alerts.iter().filter(|a| a["event"] == "raised") {
            let (kind, source) = (alert["kind"].as_str().unwrap(), alert["sources"][0].as_str().unwrap());
            if !out.iter().any(|(k, ..)| *k == kind) {
                out.push((kind, source, (time(&alert["ts"]).unwrap() - self.start_ns) / 1_000_000));
            }
        }
        out
    }

    fn raised(&self, kind: &str) -> usize {
        self.alerts.iter().filter(|a| a["event"] == "raised" && a["kind"] == kind).count()
    }

    /// How often a channel of the source contradicted itself in that way.
    fn contradiction(&self, source: usize, kind: &str) -> u64 {
        let channels = self.pipeline.intake.feeder.channels.iter().map(|c| &c.core);
        let of_source = channels.filter(|c| usize::from(c.place.source) == source);
        of_source.filter_map(|c| c.market.contradictions.0.get(kind)).map(|c| c.count).sum()
    }
}

/// Plays the incident as its file has it, and holds the whole sequence of its alerts against what it was when it was last
/// looked at (`UPDATE_INCIDENTS=1` writes it anew).
fn play(name: &str, rate: Option<u64>) -> Played {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = Scenario::read(&path.join(format!("captures/scenarios/incidents/{name}.toml"))).unwrap();
    let scenario = Scenario { rate: rate.unwrap_or(file.rate), ..file };
    let (sent, truth) = simulate(&scenario);
    let (alerts, pipeline) = replayed(&scenario, &sent);
    let told = sequence(&alerts, scenario.start_ns);
    let golden = path.join(format!(
        "tests/truth/sequences/{name}{}.txt",
        rate.map_or_else(String::new, |r| format!("-{r}"))
    ));
    if std::env::var_os("UPDATE_INCIDENTS").is_some() {
        std::fs::write(&golden, &told).unwrap();
    }
    let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(told == wanted, "{name}: another sequence than {}:\n{told}", golden.display());
    Played { alerts, truth, pipeline, start_ns: scenario.start_ns }
}

#[test]
fn old_quotes_are_told_within_a_second_and_then_silence() {
    let played = play("old-quotes", None);
    let firsts = played.firsts();
    // The bursts begin at 5 s.
    assert!((5_000..6_000).contains(&firsts[0].2), "{firsts:?}");
    assert_eq!(firsts.last().map(|f| (f.0, f.1)), Some(("silent", "sip")));
    assert!((11_900..12_200).contains(&firsts.last().unwrap().2), "{firsts:?}");
    assert_eq!(played.raised("gap") + played.raised("line"), 0, "the direct feed is fine");
}

#[test]
fn wrong_bands_are_counted_before_anything_is_paused_by_them() {
    let played = play("wrong-bands", None);
    assert_eq!((played.alerts.len(), played.raised("status")), (6, 3));
    assert!(played.firsts()[0].2 > 6_000, "paused two seconds after the bands went wrong");
    assert!(played.contradiction(1, "quote_outside_price_bands") > 0);
}

#[test]
fn quotes_after_the_close_are_told_of_the_source_that_makes_them() {
    let played = play("test-data", None);
    assert_eq!((played.raised("status"), played.firsts()[0].0, played.firsts()[0].1), (8, "status", "sip"));
    assert!(played.firsts()[0].2 < 6_500, "{:?}", played.firsts());
}

#[test]
fn a_full_port_is_late_first_then_locked_then_crossed_and_loses_nothing() {
    let played = play("saturated-line", None);
    let kinds: Vec<&str> = played.firsts().iter().map(|f| f.0).collect();
    assert_eq!(kinds, ["lagging", "locked", "crossed"]);
    assert!(played.firsts()[0].2 < 3_200, "{:?}", played.firsts());
}

#[test]
fn a_dead_second_site_is_told_of_that_site_alone() {
    let played = play("silent-backup", None);
    let named = |a: &&Value| a["sources"].as_array().unwrap().iter().any(|s| s == "backup");
    assert!(played.alerts.iter().all(|a| named(&a)), "the first site is fine");
    assert_eq!((played.raised("stale"), played.raised("silent")), (6, 1));
}

#[test]
fn symbols_that_move_to_another_channel_raise_nothing() {
    let played = play("moved-lines", None);
    assert_eq!(played.alerts, Vec::<Value>::new());
    assert_eq!(played.contradiction(1, "moved_channel"), 4, "that they moved is counted");
}

#[test]
fn a_book_that_crosses_under_load_shows_it_under_load_only() {
    assert_eq!(play("crossed-under-load", None).alerts, Vec::<Value>::new());
    let played = play("crossed-under-load", Some(20_000));
    assert!(played.raised("crossed") > 0 && played.firsts().iter().all(|f| f.1 == "sip"));
}

#[test]
fn crossed_books_before_the_opening_are_held_back_and_counted() {
    let played = play("pre-open", None);
    assert_eq!(played.alerts, Vec::<Value>::new());
    let held = played.pipeline.judge.comparator.desk.held[&(Kind::Crossed, "auction")];
    assert_eq!(held, 2, "one for each of the two books");
}

#[test]
fn a_dead_feed_with_heartbeats_is_stale_by_timer_and_not_silent() {
    let played = play("heartbeats-only", None);
    assert_eq!((played.raised("stale"), played.raised("silent")), (6, 0));
    // Data stop at 3 s and come again at 11 s: all of them are told while nothing comes.
    let stale = played.alerts.iter().filter(|a| a["event"] == "raised" && a["kind"] == "stale");
    assert!(stale.into_iter().all(|a| (time(&a["ts"]).unwrap() - played.start_ns) < 11_000_000_000));
    assert_eq!(played.truth[0]["verdict_source"], "sip");
}
