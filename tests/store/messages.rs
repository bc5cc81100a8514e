//! Messages in Parquet: each that was delivered, once, with the fields that `parallax decode` lists.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value as Json;

use super::kit::{Kit, captures, shared};
use super::parquet::python;

/// One row by the names of its columns, and its source and instrument.
pub type Row = BTreeMap<String, Field>;

/// What lies below a folder, in the order of names.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|p| if p.is_dir() { below(&p) } else { vec![p] }).collect()
}

pub fn rows(folder: &Path) -> Vec<(PathBuf, Row)> {
    let mut found = Vec::new();
    for path in below(&folder.join("messages")) {
        assert!(path.extension().is_some_and(|e| e == "parquet"), "{}", path.display());
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).expect("it is whole");
        for row in reader.get_row_iter(None).unwrap() {
            let row: Row = row.unwrap().into_columns().into_iter().collect();
            found.push((path.parent().unwrap().to_owned(), row));
        }
    }
    found
}

pub fn text(row: &Row, name: &str) -> String {
    match &row[name] {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::TimestampMicros(number) => number.to_string(),
        other => other.to_string(),
    }
}

/// Lines of `parallax decode`, by capture, frame and place in the packet.
fn decoded(config: &Path, captures: &[PathBuf]) -> BTreeMap<[String; 3], (Json, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.arg("decode");
    if config.is_file() {
        command.arg("--config").arg(config);
    }
    let output = command.args(captures).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    let of = |line: &str| {
        let json: Json = serde_json::from_str(line).expect("a line");
        let key = ["capture", "frame", "msg"].map(|name| json[name].to_string().replace('"', ""));
        let fields = line.split_once("\"fields\":").map_or("", |(_, fields)| &fields[..fields.len() - 1]);
        (key, (json, fields.to_owned()))
    };
    lines.lines().map(of).collect()
}

/// Holds the rows of a replay against what `decode` lists; answers the folder.
pub fn hold(kit: &Kit, name: &str, config: &Path, captures: &[PathBuf], at_least: u64) -> PathBuf {
    let folder = kit.path(name);
    let summary = kit.replay(
        &format!("{name}.db"),
        &["--parquet-messages", folder.to_str().unwrap()],
        config,
        captures,
    );
    let (rows, lines) = (rows(&folder), decoded(config, captures));
    let counted = summary["sources"].as_array().unwrap().iter();
    let delivered: u64 = counted.map(|s| s["messages"].as_u64().unwrap()).sum();
    let firsts: Vec<&(PathBuf, Row)> = rows.iter().filter(|(_, row)| text(row, "part") == "0").collect();
    assert_eq!(firsts.len() as u64, delivered, "each message that was delivered, once");
    assert!(delivered >= at_least, "only {delivered} messages");
    let mut places = std::collections::BTreeSet::new();
    for (folder, row) in &firsts {
        let key = ["capture", "frame", "msg"].map(|name| text(row, name));
        let (line, fields) = lines.get(&key).unwrap_or_else(|| panic!("{key:?} is no message"));
        assert_eq!(&text(row, "fields"), fields, "{key:?}");
        let ts_ns = line["ts"].as_u64().unwrap();
        assert_eq!(row["ts_ns"], Field::Long(ts_ns as i64), "{key:?}");
        assert_eq!(row["ts"], Field::TimestampMicros(ts_ns as i64 / 1_000), "{key:?}");
        // The message's number; `decode` says the first of its packet.
        let feed = line["feed"].as_str().unwrap();
        let place = if feed.starts_with("cme") { 0 } else { line["msg"].as_u64().unwrap() };
        assert_eq!(text(row, "seq"), (line["seq"].as_u64().unwrap() + place).to_string(), "{key:?}");
        assert_eq!(text(row, "type"), line["type"].as_str().unwrap(), "{key:?}");
        assert!(places.insert(key), "twice");
        prices(row, &line["fields"], feed, folder);
    }
    for (_, row) in rows.iter().filter(|(_, row)| text(row, "part") != "0") {
        assert_eq!(row["fields"], Field::Null, "the fields are said once");
    }
    folder
}

/// Prices are those of the fields, with the decimals that the feed's specification gives them.
fn prices(row: &Row, fields: &Json, feed: &str, folder: &Path) {
    let scaled = |name: &str| {
        let raw = fields[name].as_u64().unwrap_or_else(|| panic!("{name} in {fields}"));
        format!("{}.{:04}00000", raw / 10_000, raw % 10_000)
    };
    match (feed, text(row, "type").as_str()) {
        ("nasdaq-itch-5.0", "add_order" | "order_replace" | "trade") => {
            assert_eq!(text(row, "price"), scaled("price"), "{}", folder.display());
        }
        ("iex-tops-1.6" | "iex-tops", "quote_update") => {
            for (said, raw) in [("bid", "bid_price"), ("ask", "ask_price")] {
                if !text(row, said).is_empty() {
                    assert_eq!(text(row, said), scaled(raw), "{}", folder.display());
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_message_is_what_decode_lists() {
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    let folder = hold(&kit, "messages", &config, &captures, 8_800);
    let stock =
        |name: &str| below(&folder.join(format!("messages/date=2026-03-02/source={name}/instrument=ZQAAA")));
    assert_eq!((stock("direct").len(), stock("sip").len()), (1, 1));
    // The same data make the same bytes, ahead of the judge or not.
    let again = kit.path("again");
    kit.replay(
        "t.db",
        &["--no-read-ahead", "--parquet-messages", again.to_str().unwrap()],
        &config,
        &captures,
    );
    let same = Command::new("diff").arg("-r").args([&folder, &again]).output().expect("diff runs");
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
}

/// Real captures: books by level with several entries a message, thousands of instruments.
#[test]
fn messages_of_real_captures_are_what_decode_lists() {
    for (name, at_least) in [
        ("iex_tops_v16_20170710.pcap", 10_000),
        ("ice_impact_20180821.pcap", 5_000),
        ("cme_mdp3_v6_ab_20161112.pcapng", 500),
    ] {
        let Some(capture) = shared(&format!("captures/sessions/{name}")) else { continue };
        hold(&Kit::new(), "messages", Path::new(""), &[capture], at_least);
    }
}

#[test]
fn engines_read_every_cell_of_messages() {
    let Some(python) = python() else { return };
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    let folder = kit.path("messages");
    kit.replay("s.db", &["--parquet-messages", folder.to_str().unwrap()], &config, &captures);
    let lines = kit.path("decoded.ndjson");
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    let decoded = command.arg("decode").arg("--config").arg(&config).args(&captures).output().unwrap();
    std::fs::write(&lines, decoded.stdout).unwrap();
    let script = super::kit::root().join("tests/store/messages.py");
    let output = Command::new(python).arg(script).args([&folder, &lines]).output().expect("python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("duckdb and polars: 10021 rows, every cell the same"), "{said}");
}
