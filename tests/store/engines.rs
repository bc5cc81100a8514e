//! Parquet files read by the engines that people use, each set up as it comes: every cell, and names that look like
//! something else.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::kit::{Kit, captures, root, shared};
use super::messages::{Row, hold, rows, text};
use super::parquet::{COLUMNS, Rows, python, said};

/// Columns of messages that are compared, beside date, source and instrument.
const OF_MESSAGES: [&str; 28] = [
    "ts_ns",
    "ts",
    "instrument_name",
    "channel",
    "line",
    "capture",
    "frame",
    "seq",
    "msg",
    "part",
    "ts_event_ns",
    "type",
    "fact",
    "quoter",
    "side",
    "order_id",
    "new_order_id",
    "position",
    "price",
    "quantity",
    "bid",
    "bid_qty",
    "ask",
    "ask_qty",
    "lower",
    "upper",
    "state",
    "fields",
];

/// A Python that has Spark, and a Java for it: `.ci/run` makes the one, the system has the other.
fn spark() -> Option<PathBuf> {
    let python = root().join("target/python-spark/bin/python");
    let runs = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if !runs(Command::new(&python).args(["-c", "import pyspark"])) {
        eprintln!(
            "SKIPPED: target/python-spark has no pyspark; python3 -m venv target/python-spark && \\
             target/python-spark/bin/python -m pip install pyspark"
        );
        return None;
    }
    if !runs(Command::new("java").arg("-version")) {
        eprintln!("SKIPPED: Spark needs a java of 17 or later in PATH, and there is none");
        return None;
    }
    Some(python)
}

fn run(python: &Path, script: &str, arguments: &[&Path]) -> String {
    let mut command = Command::new(python);
    let output = command.arg(root().join("tests/store").join(script)).args(arguments).output();
    let output = output.expect("python runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Writes what an engine is to find: names of columns, then rows, a JSON array each.
fn write(path: &Path, names: Vec<&str>, rows: impl Iterator<Item = Vec<String>>) {
    let mut lines = json!(names).to_string();
    for row in rows {
        assert_eq!(row.len(), names.len());
        lines.push('\n');
        lines.push_str(&json!(row).to_string());
    }
    std::fs::write(path, lines).expect("it can be written");
}

fn quotes(path: &Path, rows: &Rows) {
    let names = ["date", "source", "instrument"].into_iter().chain(COLUMNS).collect();
    let whole = |at: &[String; 3], row: &Vec<String>| at.iter().chain(row).cloned().collect();
    write(path, names, rows.iter().flat_map(|(at, rows)| rows.iter().map(move |row| whole(at, row))));
}

fn messages(path: &Path, rows: &[(PathBuf, Row)]) {
    let names = ["date", "source"].into_iter().chain(OF_MESSAGES).collect();
    let cell = |row: &Row, name: &str| match text(row, name) {
        none if none.is_empty() => "null".to_owned(),
        text => text,
    };
    let whole = |(folder, row): &(PathBuf, Row)| {
        assert!(row.keys().all(|name| OF_MESSAGES.contains(&name.as_str())), "{:?}", row.keys());
        let of = |key: &str| {
            let mut parts = folder.iter().map(|part| part.to_str().expect("text"));
            parts.find_map(|part| part.strip_prefix(key)).expect("a part of the path").to_owned()
        };
        let place = [of("date="), of("source=")];
        place.into_iter().chain(OF_MESSAGES.iter().map(|name| cell(row, name))).collect()
    };
    write(path, names, rows.iter().map(whole));
}

/// Spark as it is set up by default reads quotes that `--quotes` said, and messages that `decode` lists.
#[test]
fn spark_reads_every_cell_without_a_setting() {
    let Some(python) = spark() else { return };
    let kit = Kit::new();
    let (config, demo) = captures("captures/demo");
    let mut sets = vec![(config, demo, (5_000, 8_800))];
    // Order books by level, several entries a message, prices below zero.
    sets.extend(
        shared("captures/sessions/cme_mdp3_v6_ab_20161112.pcapng")
            .map(|c| (PathBuf::new(), vec![c], (2_230, 500))),
    );
    let (mut folders, mut counts) = (Vec::new(), Vec::new());
    for (number, (config, captures, (quotes_least, messages_least))) in sets.iter().enumerate() {
        let kept = kit.path(&format!("kept{number}"));
        let lines = kit.path(&format!("{number}.ndjson"));
        let [folder, path] = [&kept, &lines].map(|path| path.to_str().expect("text"));
        kit.replay(&format!("{number}.db"), &["--parquet", folder, "--quotes", path], config, captures);
        let held = hold(&kit, &format!("messages{number}"), config, captures, *messages_least);
        std::fs::rename(held.join("messages"), kept.join("messages")).expect("both are here");
        let (said, rows) = (said(&lines), rows(&kept));
        assert!(said.values().map(Vec::len).sum::<usize>() >= *quotes_least);
        let wanted = kit.path(&format!("wanted{number}"));
        std::fs::create_dir(&wanted).expect("a folder");
        quotes(&wanted.join("quotes.ndjson"), &said);
        messages(&wanted.join("messages.ndjson"), &rows);
        // What a kill left behind is nobody's.
        let somewhere = std::fs::read_dir(kept.join("quotes")).unwrap().next().unwrap().unwrap().path();
        std::fs::write(somewhere.join(".part-00000099.parquet.tmp"), b"half").unwrap();
        counts.push(("quotes", said.values().map(Vec::len).sum()));
        counts.push(("messages", rows.len()));
        folders.extend([kept, wanted]);
    }
    let out = run(&python, "spark.py", &folders.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    for (what, count) in counts {
        assert!(out.contains(&format!("{count} rows of {what}, every cell the same")), "{out}");
    }
}

/// Names that engines take for numbers, truth, dates or nothing when they meet them in a folder's name.
const NAMES: [&str; 13] = [
    "NULL",
    "TRUE",
    "1E5",
    "007",
    "7203",
    "2026-03-02",
    "nan",
    "-",
    "ES/Z6 a=b",
    "50%2F",
    "é",
    "_none",
    "..",
];

/// Each name alone, and all together: the column in the file is text, whatever an engine makes of the folder.
#[test]
fn a_name_that_looks_like_something_else_stays_a_name() {
    let kit = Kit::new();
    let (_, demo) = captures("captures/demo");
    let config = kit.path("parallax.toml");
    let toml = std::fs::read_to_string(root().join("captures/demo/parallax.toml")).unwrap();
    std::fs::write(&config, toml + "\n[instruments]\nmap = \"map.csv\"\n").unwrap();
    let folder = kit.path("kept");
    let symbols = "ZQAAA ZQAEN ZQCDM ZQECL ZQGBK ZQGFX ZQIAJ ZQIEW ZQKDV ZQMCU ZQOBT ZQOGG ZQQAS".split(' ');
    let mut map = "instrument,source,symbol\n".to_owned();
    for (name, symbol) in NAMES.iter().zip(symbols) {
        for source in ["direct", "sip"] {
            map += &format!("{name},{source},{symbol}\n");
        }
    }
    std::fs::write(kit.path("map.csv"), map).unwrap();
    let lines = kit.path("quotes.ndjson");
    let paths = [&folder, &lines].map(|path| path.to_str().expect("text"));
    kit.replay("s.db", &["--parquet", paths[0], "--quotes", paths[1]], &config, &demo);
    let said = said(&lines);
    let found: std::collections::BTreeSet<&str> = said.keys().map(|[_, _, name]| name.as_str()).collect();
    assert!(NAMES.iter().all(|name| found.contains(name)), "{found:?}");
    let wanted = kit.path("wanted.ndjson");
    quotes(&wanted, &said);
    for (python, engines) in [(python(), "duckdb polars pandas"), (spark(), "spark")] {
        let Some(python) = python else { continue };
        let out = run(&python, "names.py", &[&folder, &wanted, Path::new(engines)]);
        for engine in engines.split(' ') {
            let said = format!("{engine}: {} names, alone and together", found.len());
            assert!(out.contains(&said) || out.contains(&format!("SKIPPED: {engine} is not there")), "{out}");
        }
    }
}
