//! A daemon's messages in Parquet: what a replay of its recording writes, row by row, and after a kill whole files only.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::kit::{Daemon, Place, scenario};
use crate::quotes::{files, kills_leave_whole_files, rows};

/// A daemon with a receiver for each source and recordings of two seconds.
fn place(name: &str) -> (Place, PathBuf) {
    let place = Place::new(name);
    let dir = place.dir.path().display();
    let config = place.configure(&format!(
        "file_time = \"2s\"\n[alerts]\nlog = \"{dir}/alerts.ndjson\"\n[metrics]\nlisten = \"off\"\n[store]\npath = \"{dir}/store.db\"\n\
         parquet_messages = \"{dir}/kept\"\nparquet_rotate = \"1s\"\n"
    ));
    let text = std::fs::read_to_string(&config).unwrap();
    let apart = text.replace("name = \"sip\"\n", "name = \"sip\"\ncore = 0\n");
    assert_ne!(text, apart);
    std::fs::write(&config, apart).unwrap();
    (place, config)
}

#[test]
fn a_replay_of_the_recording_writes_the_same_messages() {
    let (place, config) = place("messages-same");
    let daemon = Daemon::start(&config);
    place.simulate(&scenario("live-demo.toml"), &["--duration", "6s"]);
    assert_eq!(daemon.stop(), Some(0));
    let recordings = place.path("recordings");
    let mut names: Vec<_> = std::fs::read_dir(&recordings).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert!(names.len() > 3, "two receivers, several files each: {names:?}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.args(["replay", "--summary", "json", "--config"]).arg(&config);
    command.arg("--parquet-messages").arg(place.path("again")).args(&names).current_dir(&recordings);
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let (live, again) = (rows(&place.path("kept")), rows(&place.path("again")));
    let count = |rows: &BTreeMap<PathBuf, Vec<String>>| rows.values().map(Vec::len).sum::<usize>();
    assert!(count(&live) > 3_000, "only {} rows", count(&live));
    assert!(files(&place.path("kept")).values().any(|parts| parts.len() > 2), "files are closed on the way");
    for (folder, rows) in &again {
        assert_eq!(live.get(folder), Some(rows), "{}", folder.display());
    }
    assert_eq!(count(&live), count(&again));
    // Every message that was delivered is there.
    let summary: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let delivered = summary["sources"].as_array().unwrap().iter().map(|s| s["messages"].as_u64().unwrap());
    let first = |row: &&String| row.contains("part: 0,");
    let whole = live.values().flatten().filter(first).count() as u64;
    assert_eq!(whole, delivered.sum::<u64>());
}

#[test]
fn a_kill_leaves_whole_files_of_messages_only() {
    let (place, config) = place("messages-kill");
    kills_leave_whole_files(&place, &config);
}

#[test]
fn a_folder_that_cannot_be_made_is_said_before_anything_runs() {
    let (place, config) = place("messages-way");
    std::fs::write(place.path("kept"), b"in the way").unwrap();
    let (code, _, said) = place.command(&["run", "--config", config.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(
        last.contains("kept/messages cannot be made: ") && last.contains("name one in a writable folder"),
        "{said}"
    );
}
