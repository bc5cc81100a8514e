//! Where things are written: never over what is read, whole when another reader leaves, and with one sentence when it
//! cannot be.

use std::collections::HashMap;
use std::fs::{self, File};
use std::process::{Command, Output, Stdio};

use parallax::simulate::{Scenario, write};
use parallax::source::Compression;
use serde_json::Value;
use tempfile::TempDir;

use crate::kit::*;

/// `a.pcap`, `there/a.pcap` with the same packets, and the configuration `c.toml` with the map `map.csv`.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let all = simulated(&Scenario { duration_ns: SECOND, ..Scenario::default() });
    fs::create_dir(folder.path().join("there")).unwrap();
    for name in ["a.pcap", "there/a.pcap"] {
        crate::kit::write(&folder.path().join(name), Compression::None, &all);
    }
    fs::write(folder.path().join("map.csv"), "instrument,source,symbol\n").unwrap();
    let config = write::configuration() + "\n[instruments]\nmap = \"map.csv\"\n";
    fs::write(folder.path().join("c.toml"), config).unwrap();
    folder
}

/// The binary writes to nobody: the reader of its standard output has left before it began.
fn unheard(folder: &TempDir, arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.current_dir(folder.path()).args(arguments).stdin(Stdio::null()).stdout(writer);
    command.output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, &str) {
    (output.status.code(), str::from_utf8(&output.stderr).unwrap())
}

#[test]
fn what_is_read_is_never_written_over() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::hard_link(at("a.pcap"), at("link.pcap")).unwrap();
    let done = parallax(folder.path(), &["replay", "a.pcap", "--store", "s.db", "--latency", "l.hlog"]);
    assert!(done.status.success());
    let read = ["a.pcap", "there/a.pcap", "c.toml", "map.csv", "l.hlog"];
    let before = read.map(|name| fs::read(at(name)).unwrap());
    let cases: [&[&str]; 12] = [
        &["replay", "a.pcap", "--quotes", "link.pcap"],
        &["replay", "--config", "c.toml", "a.pcap", "--alerts", "map.csv"],
        &["replay", "--config", "c.toml", "a.pcap", "--alerts", "./there/../c.toml"],
        &["identify", "a.pcap", "--write-config", "a.pcap"],
        &["compare", "a.pcap", "there/a.pcap", "--html", "there/a.pcap"],
        &["compare", "--config", "c.toml", "direct", "sip", "a.pcap", "--html", "c.toml"],
        &["latency", "l.hlog", "--html", "l.hlog"],
        &["latency", "l.hlog", "--baseline", "l.hlog", "--html", "./l.hlog"],
        &["report", "--store", "s.db", "--html", "s.db"],
        &["report", "--store", "s.db", "--markdown", "s.db"],
        &["evidence", "00", "--config", "c.toml", "a.pcap", "--output", "map.csv"],
        &["evidence", "00", "--config", "c.toml", "a.pcap", "--output", "link.pcap"],
    ];
    for arguments in cases {
        let output = parallax(folder.path(), arguments);
        let (code, error) = said(&output);
        assert_eq!((code, error.lines().count()), (Some(2), 1), "{arguments:?}: {error}");
        assert!(error.ends_with("; name another file\n"), "{arguments:?}: {error}");
    }
    assert!(read.iter().zip(&before).all(|(name, bytes)| fs::read(at(name)).unwrap() == *bytes));
    assert!(parallax(folder.path(), &["sql", "--store", "s.db", "SELECT 1"]).status.success());
}

#[test]
fn a_foreign_file_gets_no_lock_beside_it() {
    let folder = folder();
    let output = parallax(folder.path(), &["replay", "a.pcap", "--store", "there/a.pcap"]);
    let (code, error) = said(&output);
    assert!(code == Some(2) && error.contains("there/a.pcap is no store"), "{error}");
    assert_eq!(fs::read_dir(folder.path().join("there")).unwrap().count(), 1);
}

#[test]
fn a_verdict_comes_out_whoever_reads() {
    let folder = folder();
    let all = simulated(&Scenario { duration_ns: SECOND, ..Scenario::default() });
    let itch = parallax::simulate::LINES[0].group.port();
    let hole: Vec<_> =
        all.into_iter().filter(|p| p.group.port() != itch || !(1_500..1_520).contains(&p.mold().0)).collect();
    crate::kit::write(&folder.path().join("gap.pcap"), Compression::None, &hole);
    fs::write(folder.path().join("bad.toml"), "[[source]]\n").unwrap();
    let replay = ["replay", "--config", "c.toml", "gap.pcap"];
    let cases: [(&[&str], i32); 6] = [
        (&[&replay[..], &["--fail-on", "major"]].concat(), 1),
        (&[&replay[..], &["--fail-on", "major", "--alerts", "-", "--quotes", "-"]].concat(), 1),
        (&[&replay[..], &["--fail-on", "critical"]].concat(), 0),
        (&["compare", "a.pcap", "gap.pcap", "--fail-on-difference"], 1),
        (&["check-config", "bad.toml"], 1),
        (&["check-config", "c.toml"], 0),
    ];
    for (arguments, code) in cases {
        let output = unheard(&folder, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output).1);
    }
}

/// A reader who has had enough of the alerts does not cut what goes elsewhere.
#[test]
fn other_records_are_whole_when_a_reader_leaves() {
    let folder = folder();
    let told = replay_files(folder.path(), &write::configuration(), &["a.pcap"], &[]);
    let more = ["--alerts", "one", "--quotes", "-", "--latency", "l.hlog", "--store", "s.db"];
    let output = unheard(&folder, &[&["replay", "--config", "c.toml", "a.pcap"][..], &more].concat());
    assert_eq!(said(&output), (Some(0), ""));
    assert_eq!(fs::read_to_string(folder.path().join("one")).unwrap(), told.alerts);
    let ended = "SELECT count(*) FROM run WHERE state = 'complete'";
    let asked = parallax(folder.path(), &["sql", "--store", "s.db", "--format", "csv", ended]);
    assert_eq!(String::from_utf8_lossy(&asked.stdout).lines().last(), Some("1"), "{}", said(&asked).1);
    // With nothing else to do it ends early, and well.
    assert_eq!(said(&unheard(&folder, &["replay", "a.pcap", "--quotes", "-"])), (Some(0), ""));
    assert_eq!(said(&unheard(&folder, &["decode", "a.pcap"])), (Some(0), ""));
}

#[test]
fn a_full_disk_is_named() {
    let folder = folder();
    for arguments in [&["replay", "a.pcap"][..], &["decode", "a.pcap"], &["identify", "a.pcap"], &["feeds"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        let output = command.current_dir(folder.path()).args(arguments).stdout(full).output().unwrap();
        let (code, error) = said(&output);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(error.starts_with("parallax: standard output cannot be written: No space left"), "{error}");
    }
    let output = parallax(folder.path(), &["replay", "a.pcap", "--quotes", "/dev/full"]);
    let (code, error) = said(&output);
    assert!(
        code == Some(2) && error.starts_with("parallax: /dev/full cannot be written: No space"),
        "{error}"
    );
}

#[test]
fn a_market_that_does_not_fit_names_the_file() {
    let folder = TempDir::new().unwrap();
    for name in ["itch_b.pcap", "parallax.toml", "truth.ndjson"] {
        let link = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/scenarios/demo.toml");
        let arguments = ["simulate", "--out", ".", "--scenario", scenario, "--duration", "2s"];
        let output = parallax(folder.path(), &arguments);
        let (code, error) = said(&output);
        let sentence = format!("parallax: ./{name} cannot be written: No space left on device");
        assert!(code == Some(2) && error.starts_with(&sentence), "{error}");
        fs::remove_file(link).unwrap();
    }
}

/// Two places of recording often give their captures one file name.
#[test]
fn captures_of_one_name_in_two_folders_are_two_lines() {
    let folder = folder();
    let both = ["a.pcap", "there/a.pcap"];
    let first = replay_files(folder.path(), "", &both, &[]);
    let line = |source: usize, n: usize| first.summary["sources"][source]["lines"][n]["packets"].clone();
    assert_eq!(line(0, 0), line(0, 1));
    let identified = parallax(folder.path(), &[&["identify"][..], &both].concat());
    let config = String::from_utf8(identified.stdout).unwrap();
    let second = replay_files(folder.path(), &config, &both, &[]);
    assert!(first.alerts == second.alerts && first.quotes == second.quotes);
    let decoded = |arguments: &[&str]| parallax(folder.path(), &[arguments, &both].concat()).stdout;
    assert!(decoded(&["decode", "--config", "c.toml"]) == decoded(&["decode"]));
}

#[test]
fn what_is_named_twice_or_holds_nothing_is_said() {
    let folder = folder();
    for (arguments, sentence) in [
        (&["replay", "a.pcap", "./a.pcap"][..], "./a.pcap is named twice; name every capture once"),
        (&["identify", "a.pcap", "a.pcap"], "a.pcap is named twice; name every capture once"),
        (&["replay", "-", "-"], "- is named twice; name every capture once"),
        (&["replay", "-"], "- is not a capture: it is empty; it should be pcap, pcapng or Nasdaq BinaryFILE"),
        (
            &["replay", "--from", "2027-01-01T00:00:00Z", "a.pcap"],
            "no datagram of a.pcap lies in the window of --from and --to",
        ),
    ] {
        let output = parallax(folder.path(), arguments);
        let (code, error) = said(&output);
        assert!(code == Some(2) && error.starts_with(&format!("parallax: {sentence}")), "{error}");
    }
}

/// A line for every change of what is shown: more shares behind the best price for a round lot are none.
#[test]
fn no_quote_is_told_twice() {
    let folder = TempDir::new().unwrap();
    let all = simulated(&Scenario { duration_ns: 5 * SECOND, ..Scenario::default() });
    crate::kit::write(&folder.path().join("x.pcap"), Compression::None, &all);
    let told = replay_files(folder.path(), &write::configuration(), &["x.pcap"], &[]);
    let mut shown: HashMap<String, Value> = HashMap::new();
    for line in told.quotes.lines() {
        let mut quote: Value = serde_json::from_str(line).unwrap();
        let view = ["source", "instrument", "venue"].map(|key| quote[key].to_string()).concat();
        ["ts", "ts_event", "seq"].iter().for_each(|key| drop(quote.as_object_mut().unwrap().remove(*key)));
        assert_ne!(shown.insert(view, quote.clone()), Some(quote), "{line}");
    }
    assert!(told.quotes.lines().count() > 1_000 && shown.len() > 20);
}
