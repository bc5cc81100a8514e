//! A replay that is killed, a disk that is full, media that cannot be written: one sentence, and a store that is whole.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::kit::{Kit, captures, number, rows};

fn replay(store: &Path, more: &[&str]) -> Command {
    let (config, captures) = captures("captures/demo");
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.arg("replay").args(more).arg("--store").arg(store).arg("--config").arg(config).args(captures);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn ended(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn is_whole(store: &rusqlite::Connection) {
    let check: String = store.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let foreign = rows(store, "SELECT * FROM pragma_foreign_key_check");
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// Killed again and again, each time somewhere else: it is said to be unfinished, and counts for nothing.
#[test]
fn a_replay_that_is_killed_is_unfinished_and_counts_for_nothing() {
    let kit = Kit::new();
    let path = kit.path("s.db");
    for life in 1..=5 {
        let mut child = replay(&path, &["--speed", "realtime"]).spawn().expect("it starts");
        let packets = || {
            let store = parallax::store::open_read(&path).ok()?;
            let sql = format!("SELECT sum(packets) FROM channel_day WHERE run = {life}");
            Some(number(&store, &sql)).filter(|packets| *packets > 0)
        };
        while packets().is_none() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before anything was in its store");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(life * 73));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = kit.store("s.db");
        is_whole(&store);
        let state =
            rows(&store, &format!("SELECT state, finished_ns, data_hash FROM run WHERE run = {life}"));
        assert_eq!(state, [["open", "null", ""]], "nobody said that it is whole");
        assert_eq!(number(&store, "SELECT count(*) FROM current_run"), 0);
        assert_eq!(number(&store, "SELECT count(*) FROM line_stats"), 0);
        let sums =
            |of: &str| number(&store, &format!("SELECT sum(packets) FROM line_{of} WHERE run = {life}"));
        assert_eq!(sums("interval"), sums("day"));
    }
    assert!(replay(&path, &[]).output().expect("it runs").status.success());
    let store = kit.store("s.db");
    is_whole(&store);
    let states = rows(&store, "SELECT state, count(*) FROM run GROUP BY state ORDER BY state");
    assert_eq!(states, [["broken", "5"], ["complete", "1"]]);
    assert_eq!(rows(&store, "SELECT run FROM current_run"), [["6"]]);
    // It says what it says where nothing was before.
    kit.replay("other.db", &[], &captures("captures/demo").0, &captures("captures/demo").1);
    let figures = "SELECT start_ns, source, line, packets, messages FROM line_stats ORDER BY 1, 2, 3";
    assert_eq!(rows(&store, figures), rows(&kit.store("other.db"), figures));
}

/// A small file system in memory; nobody but root may make one, and not everywhere.
struct Disk(PathBuf);

impl Disk {
    fn at(path: PathBuf, bytes: &str) -> Option<Disk> {
        std::fs::create_dir_all(&path).unwrap();
        let options = format!("size={bytes}");
        let disk = Disk(path);
        if !disk.mount(&["-t", "tmpfs", "-o", &options, "tmpfs"]) {
            eprintln!(
                "SKIPPED: no tmpfs can be mounted here: a full disk and read-only media are tried as root only"
            );
            return None;
        }
        Some(disk)
    }

    fn mount(&self, arguments: &[&str]) -> bool {
        let output = Command::new("mount").args(arguments).arg(&self.0).output();
        output.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_one_sentence_and_leaves_what_was_there() {
    let kit = Kit::new();
    let Some(disk) = Disk::at(kit.path("disk"), "4m") else { return };
    let path = disk.0.join("s.db");
    // Several replays fit, and then none: somewhere in the middle of one the disk is full.
    let mut whole = 0;
    let (code, said) = loop {
        let (code, said) = ended(&replay(&path, &[]).output().expect("it runs"));
        if code != Some(0) {
            break (code, said);
        }
        whole += 1;
        assert!(whole < 500, "the disk is never full");
    };
    assert!(whole > 0, "{said}");
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    assert!(
        said.contains("s.db cannot be written: the disk is full; what was written before is whole"),
        "{said}"
    );
    // It can be asked where it lies, on the full disk.
    let mut sql = Command::new(env!("CARGO_BIN_EXE_parallax"));
    let asked = "SELECT count(*) AS n FROM run WHERE state = 'complete'";
    let output = sql.args(["sql", asked, "--format", "csv", "--store"]).arg(&path).output().expect("it runs");
    let (code, said) = ended(&output);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("n\r\n{whole}\r\n"));
    is_whole(&parallax::store::open_read(&path).unwrap());
}

#[test]
fn read_only_media_are_one_sentence_and_can_be_asked() {
    let kit = Kit::new();
    let Some(disk) = Disk::at(kit.path("disk"), "8m") else { return };
    let path = disk.0.join("s.db");
    assert!(replay(&path, &[]).output().expect("it runs").status.success());
    assert!(disk.mount(&["-o", "remount,ro"]), "it cannot be made read-only");
    let (code, said) = ended(&replay(&path, &[]).output().expect("it runs"));
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("s.db cannot be written") && said.contains("ead-only"), "{said}");
    assert_eq!(number(&parallax::store::open_read(&path).unwrap(), "SELECT count(*) FROM run"), 1);
}
