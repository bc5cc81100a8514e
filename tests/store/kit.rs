//! What the tests of the store share: replays into a store, and questions to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::Value as Json;

pub struct Kit {
    pub folder: tempfile::TempDir,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Captures of a folder of the repository, sorted, and its configuration.
pub fn captures(folder: &str) -> (PathBuf, Vec<PathBuf>) {
    let folder = root().join(folder);
    let names = std::fs::read_dir(&folder).expect("a folder of captures").flatten().map(|e| e.path());
    let mut names: Vec<PathBuf> = names.filter(|p| p.to_string_lossy().contains(".pcap")).collect();
    names.sort();
    (folder.join("parallax.toml"), names)
}

/// A path of the shared captures, where they are to be had.
pub fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PARALLAX_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let path = folder.join(path);
    if !path.exists() {
        eprintln!(
            "SKIPPED: {} is not there; PARALLAX_SHARED says where the shared captures are",
            path.display()
        );
        return None;
    }
    Some(path)
}

impl Kit {
    pub fn new() -> Kit {
        Kit { folder: tempfile::tempdir().expect("a folder can be made") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replays into the store; answers the summary.
    pub fn replay(&self, store: &str, arguments: &[&str], config: &Path, captures: &[PathBuf]) -> Json {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.args(["replay", "--summary", "json", "--store"]).arg(self.path(store)).args(arguments);
        if config.is_file() {
            command.arg("--config").arg(config);
        }
        let output = command.args(captures).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("a summary in JSON")
    }

    /// A simulated market in a folder of its own.
    pub fn simulate(&self, scenario: &str, arguments: &[&str]) -> PathBuf {
        let folder = self.path("simulated");
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.args(["simulate", "--scenario"]).arg(root().join(scenario)).arg("--out").arg(&folder);
        let output = command.args(arguments).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        folder
    }

    pub fn store(&self, name: &str) -> Connection {
        parallax::store::open_read(&self.path(name)).expect("it is a store")
    }
}

/// Every row as text.
pub fn rows(store: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = store.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let width = statement.column_count();
    let show = |value: Value| match value {
        Value::Null => "null".to_owned(),
        Value::Integer(n) => n.to_string(),
        Value::Real(x) => x.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
    };
    let read = statement.query_map([], |row| (0..width).map(|i| Ok(show(row.get(i)?))).collect());
    read.expect(sql).map(|row: rusqlite::Result<Vec<String>>| row.expect(sql)).collect()
}

/// The only number that a question gives.
pub fn number(store: &Connection, sql: &str) -> u64 {
    store.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).expect(sql).unwrap_or(0) as u64
}

/// Everything in a store that is a function of the data: all tables, but for when and by whom runs were made.
pub fn whole(store: &Connection) -> Vec<(String, Vec<Vec<String>>)> {
    let tables = rows(
        store,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1",
    );
    let of = |table: &str| match table {
        "run" => rows(
            store,
            "SELECT run, kind, state, config, config_hash, data_hash, superseded_by, from_ns, until_ns FROM run",
        ),
        table => rows(store, &format!("SELECT * FROM {table}")),
    };
    tables.into_iter().map(|row| (row[0].clone(), of(&row[0]))).collect()
}
