//! A long session takes no more memory than a short one.

use std::io::BufWriter;
use std::process::{Command, Stdio};

use parallax::simulate::{LINES, Scenario, Simulator, write};
use parallax::source::writer::CaptureWriter;
use serde_json::Value;
use tempfile::TempDir;

use crate::kit::*;

/// Streams a simulated session into a replay; messages of the venue delivered, and the replay's largest resident
/// memory in KiB, asked for when it has been given everything and waits for more.
fn replayed(seconds: u64) -> (u64, u64) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("c.toml"), write::configuration()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_parallax"))
        .current_dir(folder.path())
        .args([
            "replay",
            "--config",
            "c.toml",
            "--alerts",
            "a",
            "--quotes",
            "/dev/null",
            "--summary",
            "json",
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut writer = CaptureWriter::pcap(BufWriter::new(child.stdin.take().unwrap())).unwrap();
    let scenario =
        Scenario { duration_ns: seconds * SECOND, rate: 125_000, instruments: 50, ..Scenario::default() };
    for sent in Simulator::new(&scenario) {
        let line = &LINES[sent.line];
        writer.write_udp(sent.ts_ns, 0, line.sender, line.group, &sent.payload).unwrap();
    }
    let input = writer.finish().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let peak = peak.trim().trim_end_matches(" kB").parse().unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let source = &summary["sources"][0];
    assert_eq!((&source["gaps"], &source["errors"]), (&0.into(), &serde_json::json!({})));
    (source["messages"].as_u64().unwrap(), peak)
}

#[test]
#[cfg(target_os = "linux")]
fn a_million_messages_take_no_more_memory_than_a_quarter() {
    let (few, small) = replayed(2);
    let (many, large) = replayed(8);
    assert!(few > 200_000 && many > 1_000_000, "{few} and {many} messages");
    assert!(large * 10 <= small * 12, "{few} messages took {small} KiB, {many} took {large} KiB");
}
