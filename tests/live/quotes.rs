//! A daemon's quotes in Parquet: what a replay of its recording writes, and after a kill whole files only.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::kit::{Daemon, Place, scenario, wait_for};

fn place(name: &str) -> (Place, PathBuf) {
    let place = Place::new(name);
    let dir = place.dir.path().display();
    let config = place.configure(&format!(
        "[alerts]\nlog = \"{dir}/alerts.ndjson\"\n[metrics]\nlisten = \"off\"\n[store]\npath = \"{dir}/store.db\"\n\
         parquet = \"{dir}/kept\"\nparquet_rotate = \"1s\"\n"
    ));
    (place, config)
}

/// Files below a folder by their folder, in the order of names; what is half written is left out, as engines do.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let (mut found, mut folders) = (BTreeMap::<PathBuf, Vec<PathBuf>>::new(), vec![folder.to_owned()]);
    while let Some(at) = folders.pop() {
        for path in std::fs::read_dir(&at).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "parquet") {
                found.entry(at.clone()).or_default().push(path);
            }
        }
    }
    found.values_mut().for_each(|files| files.sort());
    found
}

/// Rows by date, source and instrument, as text.
pub fn rows(folder: &Path) -> BTreeMap<PathBuf, Vec<String>> {
    let read = |path: &PathBuf| {
        let reader = SerializedFileReader::new(File::open(path).unwrap());
        let reader = reader.unwrap_or_else(|e| panic!("{} is not whole: {e}", path.display()));
        let rows = reader.get_row_iter(None).unwrap();
        rows.map(|row| row.unwrap().to_string()).collect::<Vec<_>>()
    };
    let of = |(at, files): (PathBuf, Vec<PathBuf>)| {
        (at.strip_prefix(folder).unwrap().to_owned(), files.iter().flat_map(read).collect())
    };
    files(folder).into_iter().map(of).collect()
}

#[test]
fn a_replay_of_the_recording_writes_the_same_quotes() {
    let (place, config) = place("quotes-same");
    let daemon = Daemon::start(&config);
    place.simulate(&scenario("live-demo.toml"), &["--duration", "6s"]);
    assert_eq!(daemon.stop(), Some(0));
    let mut recordings: Vec<PathBuf> =
        std::fs::read_dir(place.path("recordings")).unwrap().map(|e| e.unwrap().path()).collect();
    recordings.sort();
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command
        .args(["replay", "--config"])
        .arg(&config)
        .arg("--parquet")
        .arg(place.path("again"))
        .args(&recordings);
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let (live, again) = (rows(&place.path("kept")), rows(&place.path("again")));
    let count = |rows: &BTreeMap<PathBuf, Vec<String>>| rows.values().map(Vec::len).sum::<usize>();
    assert!(count(&live) > 1_000, "only {} rows", count(&live));
    assert!(files(&place.path("kept")).values().any(|parts| parts.len() > 2), "files are closed on the way");
    assert_eq!(live, again);
    // The store knows where they are.
    let store = place.path("store.db");
    let ask =
        ["sql", "SELECT count(*) AS n FROM quotes", "--format", "csv", "--store", store.to_str().unwrap()];
    let kept = place.path("kept");
    let (code, said, error) = place.command(&[&ask[..], &["--parquet", kept.to_str().unwrap()]].concat());
    assert_eq!((code, said), (Some(0), format!("n\r\n{}\r\n", count(&live))), "{error}");
    let known = parallax::store::open_read(&store).unwrap();
    let folder: String = known.query_row("SELECT parquet FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(Path::new(&folder), kept);
}

#[test]
fn a_kill_leaves_whole_files_only() {
    let (place, config) = place("quotes-kill");
    kills_leave_whole_files(&place, &config);
}

/// Kills three daemons one after the other, each a while after it has written files into the same folder.
pub fn kills_leave_whole_files(place: &Place, config: &Path) {
    let (kept, mut before) = (place.path("kept"), 0);
    for life in 1..=3u64 {
        let mut daemon = Daemon::start(config);
        let market = crate::store::Market::of(place, &format!("sim{life}"));
        let count = || files(&kept).values().map(Vec::len).sum::<usize>();
        wait_for("files of this life", || (count() > before + 20).then_some(()));
        std::thread::sleep(std::time::Duration::from_millis(life * 311));
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
        drop(market);
        // Every file is read to its end, and nothing of an earlier life was written over.
        let rows: usize = rows(&kept).values().map(Vec::len).sum();
        assert!(rows >= count() && count() > before, "life {life}: {rows} rows");
        before = count();
    }
}
