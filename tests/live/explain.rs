//! An alert of a live run is explained by its recording, and out of the store that knows where the recording lies.

use std::path::PathBuf;

use serde_json::Value;

use crate::kit::{Daemon, Place, lines, scenario};

#[test]
fn an_alert_of_a_live_run_is_explained_from_its_recording_and_from_its_store() {
    let place = Place::new("explained");
    let dir = place.dir.path().display().to_string();
    let config = place.configure(&format!(
        "[alerts]\nlog = \"{dir}/alerts.ndjson\"\n[metrics]\nlisten = \"off\"\n[store]\npath = \"{dir}/store.db\"\n"
    ));
    let daemon = Daemon::start(&config);
    // Its wrong price begins after two seconds and lasts for one and a half.
    place.simulate(&scenario("live-demo.toml"), &["--duration", "5s"]);
    assert_eq!(daemon.stop(), Some(0));

    let told = lines(&place.read("alerts.ndjson"));
    // A machine that stands still makes late quotes of its own: what is meant is the price that is wrong.
    let wrong = told.iter().find(|l| l["event"] == "raised" && l["magnitude"]["price"] == "0.05");
    let id = wrong.unwrap_or_else(|| panic!("the wrong price is told: {told:#?}"))["id"].as_str().unwrap();

    let mut recordings: Vec<PathBuf> =
        std::fs::read_dir(place.path("recordings")).unwrap().map(|e| e.unwrap().path()).collect();
    recordings.sort();
    let recordings: Vec<&str> = recordings.iter().map(|p| p.to_str().unwrap()).collect();
    let store = format!("{dir}/store.db");
    let explain = |from: &[&str]| -> Value {
        let (code, said, error) = place.command(&[&["explain", id, "--format", "json"], from].concat());
        assert_eq!(code, Some(0), "{error}");
        serde_json::from_str(&said).unwrap()
    };
    let of_recording = explain(&[&["--config", config.to_str().unwrap()], &recordings[..]].concat());
    let of_store = explain(&["--store", &store]);
    assert_eq!(of_recording, of_store, "the store knows configuration and recordings");
    let loss = of_store["hypotheses"].as_array().unwrap().iter().find(|h| h["hypothesis"] == "own_loss");
    assert_eq!(loss.unwrap()["standing"], "excluded", "every number is there: {of_store}");
    // Where the sender stood still beside it, the data may leave more than one cause; a wrong one never.
    let verdict = (of_store["cause"].as_str().unwrap(), of_store["source"].as_str());
    assert!([("source", Some("sip")), ("undecided", None)].contains(&verdict), "{verdict:?} {of_store}");
    if verdict.0 == "undecided" {
        eprintln!("the live run left it undecided: {}", of_store["because"]);
    }

    // Its evidence stands alone: recordings have their lines told apart by name, and keep what was counted.
    let file = format!("{dir}/e.zip");
    let (code, said, error) = place.command(&["evidence", id, "--store", &store, "-o", &file]);
    assert_eq!(code, Some(0), "{said}{error}");
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("e.zip");
    std::fs::rename(&file, &moved).unwrap();
    drop(place);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_parallax"))
        .args(["verify", "e.zip"])
        .current_dir(elsewhere.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
