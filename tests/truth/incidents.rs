//! What has happened in real markets, rebuilt: what each incident must raise, in its order, and what it comes to.

use parallax::simulate::Scenario;

use super::judge::faults_of;
use super::{replay, scenario, seeds};

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
