//! How a replay ends: 0, 1 for a bad verdict, 2 with one sentence for what cannot be done; and what `-` means.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Output, Stdio};

use parallax::simulate::{Scenario, write};
use parallax::source::Compression;
use tempfile::TempDir;

use crate::kit::*;

/// A folder with a short simulated session `x.pcap`, a part of it without a packet on both lines, and its configuration.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let all = simulated(&Scenario { duration_ns: SECOND, ..Scenario::default() });
    crate::kit::write(&path.join("x.pcap"), Compression::None, &all);
    let itch = parallax::simulate::LINES[0].group.port();
    let hole = all.iter().filter(|p| p.group.port() != itch || !(1_500..1_520).contains(&p.mold().0));
    crate::kit::write(&path.join("gap.pcap"), Compression::None, &hole.cloned().collect::<Vec<_>>());
    std::fs::write(path.join("c.toml"), write::configuration()).unwrap();
    std::fs::write(path.join("notes.txt"), "these are notes and no capture\n").unwrap();
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = parallax(folder.path(), arguments);
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn a_bad_verdict_is_one() {
    let folder = folder();
    let code = |capture: &str, limit: &[&str]| {
        let mut arguments = vec!["replay", "--config", "c.toml", capture];
        arguments.extend(limit);
        run(&folder, &arguments).0
    };
    assert_eq!(code("x.pcap", &["--fail-on", "info"]), Some(0), "nothing is raised");
    assert_eq!(code("gap.pcap", &[]), Some(0), "nobody asked");
    assert_eq!(code("gap.pcap", &["--fail-on", "major"]), Some(1), "a gap is major");
    assert_eq!(code("gap.pcap", &["--fail-on", "info"]), Some(1));
    assert_eq!(code("gap.pcap", &["--fail-on", "critical"]), Some(0));
}

#[test]
fn what_cannot_be_done_is_two_and_one_sentence() {
    let folder = folder();
    std::fs::write(folder.path().join("bad.toml"), write::configuration().replace("venue", "vanue")).unwrap();
    let cases: [(&[&str], &[&str]); 15] = [
        (&["none.pcap"], &["none.pcap", "cannot open"]),
        (&["notes.txt"], &["notes.txt is not a capture", "offset 0", "should be pcap"]),
        (&["--config", "none.toml", "x.pcap"], &["none.toml", "cannot be read"]),
        (&["--config", "notes.txt", "x.pcap"], &["notes.txt:1: "]),
        (&["--config", "bad.toml", "x.pcap"], &["bad.toml:6: unknown key `vanue`", "did you mean `venue`?"]),
        (&["--alerts", "no/such/folder/a", "x.pcap"], &["no/such/folder/a cannot be written"]),
        (&["--quotes", ".", "x.pcap"], &[". cannot be written"]),
        (&["--latency", "no/x.hlog", "x.pcap"], &["no/x.hlog cannot be written"]),
        (&["--alerts", "x.pcap", "x.pcap"], &["--alerts x.pcap is one of the captures"]),
        (
            &["--config", "c.toml", "--quotes", "./c.toml", "x.pcap"],
            &["--quotes ./c.toml is the configuration"],
        ),
        (&["--alerts", "a", "--quotes", "./a", "x.pcap"], &["--quotes ./a is the file of --alerts"]),
        (&["--speed", "fast", "x.pcap"], &["--speed fast", "max, realtime, or a factor"]),
        (&["--speed", "0", "x.pcap"], &["--speed 0"]),
        (
            &["--from", "2026-03-02T14:30:01Z", "--to", "2026-03-02T14:30:00Z", "x.pcap"],
            &["--from 2026-03-02T14:30:01Z is not before --to 2026-03-02T14:30:00Z"],
        ),
        (&["--from", "noon", "x.pcap"], &["--from noon is no RFC 3339 time"]),
    ];
    for (arguments, parts) in cases {
        let (code, stdout, stderr) = run(&folder, &[&["replay"], arguments].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("parallax: "), "{stderr}");
        parts.iter().for_each(|part| assert!(stderr.contains(part), "{arguments:?}: {stderr}"));
    }
    assert!(
        std::fs::metadata(folder.path().join("x.pcap")).unwrap().len() > 100_000,
        "the capture is still there"
    );
    // The argument parser's own, with its hint.
    for arguments in [
        &["--fail-on", "bad", "x.pcap"][..],
        &["--summary", "xml", "x.pcap"],
        &["--sped", "1", "x.pcap"],
        &[],
    ] {
        let (code, stdout, stderr) = run(&folder, &[&["replay"], arguments].concat());
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn nothing_recognised_is_two() {
    let folder = folder();
    let noise = Packet { ts: SECOND, group: CME_A, payload: vec![0x5a; 40] };
    crate::kit::write(&folder.path().join("noise.pcap"), Compression::None, &[noise]);
    let (code, _, stderr) = run(&folder, &["replay", "noise.pcap"]);
    assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stderr.contains("no feed was recognised in noise.pcap"), "{stderr}");
}

#[test]
fn a_dash_is_standard_output() {
    let folder = folder();
    let told = replay_files(folder.path(), &write::configuration(), &["gap.pcap"], &[]);
    let (code, stdout, _) = run(&folder, &["replay", "--config", "c.toml", "--alerts", "-", "gap.pcap"]);
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with(&told.alerts) && !told.alerts.is_empty(), "alerts first, then the summary");
    let (_, stdout, _) =
        run(&folder, &["replay", "--config", "c.toml", "--quotes", "-", "--summary", "json", "gap.pcap"]);
    let summary = stdout.strip_prefix(&told.quotes).expect("quotes first, then the summary");
    assert_eq!(summary.lines().count(), 1);
}

/// With standard input from a file.
fn fed(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_parallax"))
        .current_dir(folder.path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let bytes = std::fs::read(folder.path().join("gap.pcap")).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeding = std::thread::spawn(move || stdin.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    output
}

#[test]
fn a_dash_is_standard_input() {
    let folder = folder();
    let told = replay_files(folder.path(), &write::configuration(), &["gap.pcap"], &[]);
    // The records name their capture, which is `-` now.
    let alerts = told.alerts.replace("\"capture\":\"gap.pcap\"", "\"capture\":\"-\"");
    let output = fed(&folder, &["replay", "--config", "c.toml", "--alerts", "a", "--quotes", "q", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("a"), alerts);
    assert!(read("q") == told.quotes);
    // Without a configuration it is read to be identified, and again.
    let known = replay_files(folder.path(), "", &["gap.pcap"], &[]);
    let output = fed(&folder, &["replay", "--quotes", "q2", "--alerts", "a2", "--summary", "json", "-"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(read("q2") == known.quotes);
    assert_eq!(read("a2").lines().count(), known.alerts.lines().count());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["captures"][0]["name"], "-");
    let (code, _, stderr) = run(&folder, &["replay", "-", "-"]);
    assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{stderr}");
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_parallax"))
        .current_dir(folder.path())
        .args(["replay", "--config", "c.toml", "--quotes", "-", "x.pcap"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{stderr}");
    assert_eq!(stderr, "");
    assert!(first.starts_with("{\"ts\":"));
}

#[test]
fn a_window_of_time_is_cut_out() {
    let folder = folder();
    let all = packets(&folder.path().join("x.pcap"));
    let start = all[0].ts;
    let (from, to) = (start + 300 * MS, start + 700 * MS);
    let text = |ns: u64| jiff::Timestamp::from_nanosecond(i128::from(ns)).unwrap().to_string();
    let inside: Vec<Packet> = all.iter().filter(|p| (from..to).contains(&p.ts)).cloned().collect();
    crate::kit::write(&folder.path().join("cut.pcap"), Compression::None, &inside);
    let cut = replay_files(folder.path(), &write::configuration(), &["cut.pcap"], &[]);
    let (from_text, to_text) = (text(from), text(to));
    let window = ["--from", from_text.as_str(), "--to", to_text.as_str()];
    let told = replay_files(folder.path(), &write::configuration(), &["x.pcap"], &window);
    assert!(told.quotes == cut.quotes && !told.quotes.is_empty());
    assert_eq!(told.summary["captures"][0]["datagrams"], inside.len());
    let outside = &told.summary["captures"][0]["counted"]["outside_time_range"]["count"];
    assert_eq!(outside.as_u64(), Some((all.len() - inside.len()) as u64));
    // From is in, to is out.
    let (first, last) = (all[100].ts, all[200].ts);
    let (first_text, last_text) = (text(first), text(last));
    let window = ["--from", first_text.as_str(), "--to", last_text.as_str()];
    let told = replay_files(folder.path(), &write::configuration(), &["x.pcap"], &window);
    let inside = all.iter().filter(|p| (first..last).contains(&p.ts)).count();
    assert_eq!(
        (told.summary["captures"][0]["datagrams"].as_u64(), time(&told.summary["from"])),
        (Some(inside as u64), first)
    );
}
