//! Quotes in Parquet: what any engine reads is what `--quotes` says, row by row.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value as Json;

use super::kit::{Kit, captures, root, shared};

/// Rows by date, source and instrument, each as text, in their order.
pub type Rows = BTreeMap<[String; 3], Vec<Vec<String>>>;

pub const COLUMNS: [&str; 13] = [
    "ts_ns",
    "ts",
    "instrument_name",
    "venue",
    "bid",
    "bid_qty",
    "ask",
    "ask_qty",
    "round_lot_bid",
    "round_lot_ask",
    "ts_event_ns",
    "seq",
    "quality",
];

/// Nanoseconds since 1970 of a time such as `2026-03-02T14:30:00.020019428Z`.
fn ns(text: &str) -> String {
    let time: jiff::Timestamp = text.parse().expect("a time");
    time.as_nanosecond().to_string()
}

/// The same cut to microseconds.
fn micros(text: &str) -> String {
    let time: jiff::Timestamp = text.parse().expect("a time");
    time.as_microsecond().to_string()
}

/// A price with nine decimals: `169.4` becomes `169.400000000`.
fn nine(text: &str) -> String {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}.{part:0<9}")
}

fn none(quantity: &Json) -> String {
    assert_eq!(quantity, 0);
    "null".to_owned()
}

/// What `--quotes` said.
pub fn said(path: &Path) -> Rows {
    let mut rows = Rows::new();
    for line in std::fs::read_to_string(path).expect("quotes").lines() {
        let quote: Json = serde_json::from_str(line).expect("a quote");
        let word = |name: &str| quote[name].as_str().unwrap_or("null").to_owned();
        let key = |name: &str| {
            match name {
                "instrument_name" => "instrument",
                "ts_event_ns" => "ts_event",
                "ts_ns" => "ts",
                name => return name.to_owned(),
            }
            .to_owned()
        };
        let cell = |name: &&str| match (*name, &quote[key(name)]) {
            (_, Json::Null) => "null".to_owned(),
            ("ts_ns" | "ts_event_ns", time) => ns(time.as_str().expect("a time")),
            ("ts", time) => micros(time.as_str().expect("a time")),
            ("instrument_name", name) => name.as_str().expect("a name").to_owned(),
            ("venue" | "quality", text) => text.as_str().expect("text").to_owned(),
            ("seq", number) => number.to_string(),
            // An empty side has no quantity; in JSON it is 0.
            ("bid_qty", number) if quote["bid"].is_null() => none(number),
            ("ask_qty", number) if quote["ask"].is_null() => none(number),
            (_, Json::Number(number)) => number.to_string(),
            (_, price) => nine(price.as_str().expect("a price")),
        };
        let date = word("ts")[..10].to_owned();
        let partition = [date, word("source"), word("instrument")];
        rows.entry(partition).or_default().push(COLUMNS.iter().map(cell).collect());
    }
    rows
}

/// `%2F` is a slash again.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("a name")
}

fn cells(row: &Row) -> Vec<String> {
    let names: Vec<&str> = row.get_column_iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, COLUMNS);
    let show = |field: &Field| match field {
        Field::Null => "null".to_owned(),
        Field::Str(text) => text.clone(),
        Field::Long(number) | Field::TimestampMicros(number) => number.to_string(),
        other => other.to_string(),
    };
    row.get_column_iter().map(|(_, field)| show(field)).collect()
}

/// What the files below the folder hold; nothing else lies there.
fn read(folder: &Path) -> Rows {
    let listed = |folder: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
        paths.sort();
        paths
    };
    let value = |path: &Path, key: &str| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        decoded(name.strip_prefix(key).unwrap_or_else(|| panic!("{name} is no {key}")))
    };
    let mut rows = Rows::new();
    for date in listed(&folder.join("quotes")) {
        for source in listed(&date) {
            for instrument in listed(&source) {
                let partition =
                    [value(&date, "date="), value(&source, "source="), value(&instrument, "instrument=")];
                for file in listed(&instrument) {
                    assert!(value(&file, "part-").ends_with(".parquet"), "{}", file.display());
                    let reader =
                        SerializedFileReader::new(File::open(&file).expect("a file")).expect("whole");
                    let found =
                        reader.get_row_iter(None).expect("rows").map(|row| cells(&row.expect("a row")));
                    rows.entry(partition.clone()).or_default().extend(found);
                }
            }
        }
    }
    rows
}

/// Replays with both outputs; answers the folder and the lines' file.
fn replayed(kit: &Kit, name: &str, config: &Path, captures: &[PathBuf]) -> (PathBuf, PathBuf) {
    let (folder, quotes) = (kit.path(name), kit.path("quotes.ndjson"));
    let paths = [&folder, &quotes].map(|path| path.to_str().expect("a path of text"));
    kit.replay(&format!("{name}.db"), &["--parquet", paths[0], "--quotes", paths[1]], config, captures);
    (folder, quotes)
}

fn assert_same(folder: &Path, quotes: &Path, at_least: usize) {
    let (found, wanted) = (read(folder), said(quotes));
    let count = |rows: &Rows| rows.values().map(Vec::len).sum::<usize>();
    assert!(count(&wanted) >= at_least, "only {} quotes", count(&wanted));
    assert_eq!(count(&found), count(&wanted));
    assert!(found.keys().eq(wanted.keys()), "{:?}\n{:?}", found.keys(), wanted.keys());
    for (partition, rows) in &wanted {
        assert_eq!(&found[partition], rows, "{partition:?}");
    }
}

#[test]
fn every_row_is_what_was_said() {
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    let (folder, quotes) = replayed(&kit, "demo", &config, &captures);
    assert_same(&folder, &quotes, 5_000);
    // The run says where its quotes are, and again the same data make the same bytes.
    let path: String =
        kit.store("demo.db").query_row("SELECT parquet FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(path, folder.to_str().unwrap());
    let (again, _) = replayed(&kit, "again", &config, &captures);
    let same = Command::new("diff").arg("-r").args([&folder, &again]).output().expect("diff runs");
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
}

/// Real captures: thousands of instruments, futures and options, books without a side.
#[test]
fn quotes_of_real_captures_are_what_was_said() {
    for (name, at_least) in [
        ("iex_tops_v16_20170710.pcap", 17_700),
        ("ice_impact_20180821.pcap", 6_903),
        ("cme_mdp3_v6_ab_20161112.pcapng", 2_230),
    ] {
        let Some(capture) = shared(&format!("captures/sessions/{name}")) else { continue };
        let kit = Kit::new();
        let (folder, quotes) = replayed(&kit, "real", Path::new(""), &[capture]);
        assert_same(&folder, &quotes, at_least);
    }
}

/// A Python that has DuckDB and Polars: `.ci/run` makes it.
pub fn python() -> Option<PathBuf> {
    let python = root().join("target/python/bin/python");
    let has = Command::new(&python).args(["-c", "import duckdb, polars"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: target/python has no duckdb and polars; python3 -m venv target/python && \
             target/python/bin/python -m pip install duckdb polars"
        );
        return None;
    }
    Some(python)
}

/// DuckDB's reader of SQLite is a package of its own, which asks for an older DuckDB.
#[test]
fn duckdb_reads_the_store() {
    let python = root().join("target/python-sqlite/bin/python");
    let has = Command::new(&python).args(["-c", "import duckdb_extension_sqlite_scanner"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: target/python-sqlite has no reader of SQLite; python3 -m venv target/python-sqlite && \
             target/python-sqlite/bin/python -m pip install duckdb-extensions duckdb-extension-sqlite-scanner"
        );
        return;
    }
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    replayed(&kit, "demo", &config, &captures);
    let script = root().join("tests/store/sqlite.py");
    let output = Command::new(python).arg(script).arg(kit.path("demo.db")).output().expect("python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("tables and views are the store's"), "{said}");
}

#[test]
fn duckdb_and_polars_read_what_was_said() {
    let Some(python) = python() else { return };
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    let (folder, quotes) = replayed(&kit, "demo", &config, &captures);
    let mut command = Command::new(python);
    command.arg(root().join("tests/store/parquet.py")).args([&folder, &quotes, &kit.path("demo.db")]);
    let output = command.output().expect("python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    eprintln!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        said.contains("duckdb: 5051 rows are what was said") && said.contains("polars: 5051 rows"),
        "{said}"
    );
}

#[test]
fn questions_over_quotes_are_one_command() {
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    let sql = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        let output = command.args(["sql", "--store"]).arg(kit.path("demo.db")).args(words).output();
        let output = output.expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let at = |moment: &str| {
        sql(&["--query", "quote_age_at", "instrument=ZQAAA", &format!("at={moment}"), "--format", "csv"])
    };
    kit.replay("demo.db", &[], &config, &captures);
    let (code, _, said) = at("2026-03-02T14:30:01.6Z");
    assert!(code == Some(2) && said.contains("no run in the store kept its quotes"), "{said}");
    let (folder, _) = replayed(&kit, "demo", &config, &captures);
    let (code, said, _) = at("2026-03-02T14:30:01.6Z");
    assert_eq!(code, Some(0));
    // The divergence of the README: one shows 169.48, the other 169.43.
    let direct = "direct,XNAS,169.48,1000,169.50,152,ok,2026-03-02T14:30:01.559747520Z,40.25248,";
    let sip = "sip,XNAS,169.43,1000,169.50,100,ok,2026-03-02T14:30:01.560131627Z,39.868373,";
    assert!(said.contains(direct) && said.contains(sip) && said.lines().count() == 6, "{said}");
    let (_, said, _) = at("2026-03-02T14:00:00Z");
    assert_eq!(said.lines().count(), 1, "{said}");
    let join =
        ["--query", "as_of_join", "instrument=ZQAAA", "first=direct", "second=sip", "--format", "ndjson"];
    let (_, said, _) = sql(&join);
    let apart = said.lines().filter(|line| line.contains("\"bid_diff\":\"0.05\"")).count();
    assert_eq!((said.lines().count(), apart), (206, 7), "{said}");
    let folder_text = folder.to_str().expect("a path of text");
    let count = ["SELECT count(*) AS n FROM quotes", "--parquet", folder_text, "--format", "csv"];
    let (code, said, error) = sql(&count);
    assert_eq!((code, said.as_str()), (Some(0), "n\r\n5051\r\n"), "{error}");
    // Somebody else's file among them, and a folder that is gone.
    let day = folder.join("quotes/date=2026-03-02/source=sip/instrument=ZQAAA");
    std::fs::write(day.join("part-x.parquet"), b"PAR1 is not enough PAR1").unwrap();
    let (code, _, said) = at("2026-03-02T14:30:01.6Z");
    assert!(code == Some(2) && said.lines().count() == 1 && said.contains("cannot be read: "), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
    let (code, _, said) = at("2026-03-02T14:30:01.6Z");
    assert!(code == Some(2) && said.contains("is not there"), "{said}");
}

#[test]
fn quotes_are_never_written_among_others() {
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    let (full, file, empty) = (kit.path("full"), kit.path("file"), kit.path("empty"));
    for folder in [&full, &empty] {
        std::fs::create_dir(folder).unwrap();
    }
    for path in [full.join("notes.txt"), file.clone()] {
        std::fs::write(path, b"mine").unwrap();
    }
    let replay = |folder: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.args(["replay", "--quotes"]).arg(&file).arg("--parquet").arg(folder);
        let output = command.arg("--config").arg(&config).args(&captures).output().expect("the binary runs");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    for (folder, wanted) in [
        (full.as_path(), "is not empty; name a new folder, or empty this one"),
        (file.as_path(), "is no folder to write to"),
        (Path::new("-"), "is no folder: it becomes many files; name a folder"),
    ] {
        let (code, said) = replay(folder);
        assert!(code == Some(2) && said.lines().count() == 1 && said.contains(wanted), "{code:?} {said}");
    }
    // Who is refused has lost nothing.
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    assert_eq!(std::fs::read_dir(&full).unwrap().count(), 1);
    assert_eq!(replay(&empty).0, Some(0));
    assert!(empty.join("quotes/date=2026-03-02").is_dir());
}
