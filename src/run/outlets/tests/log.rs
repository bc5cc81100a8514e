//! The alert log on real files, a full device, and a disk with a limit.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::log_file::LogFile;
use super::*;

fn lines(range: std::ops::Range<u64>) -> Vec<u8> {
    range.flat_map(|n| line(n, "major")).collect()
}

/// Settings for a file in a folder, with no pause between tries.
fn options(path: &Path) -> LogOptions {
    LogOptions { retry: Duration::ZERO, ..LogOptions::new(path.to_str().unwrap()) }
}

fn log_with(options: LogOptions, range: std::ops::Range<u64>) -> AlertLog {
    let mut log = AlertLog::start(options).unwrap();
    range.for_each(|n| log.offer(&notice(n)));
    log
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn everything_offered_is_in_the_file_when_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.ndjson");
    fs::write(&path, "{\"torn\":").unwrap();
    let mut log = log_with(options(&path), 0..500);
    log.close(soon());
    let expected = [b"{\"torn\":\n".as_slice(), &lines(0..500)].concat();
    assert_eq!(fs::read(&path).unwrap(), expected);
    let status = log.status();
    assert_eq!((status.delivered, status.queued, status.dropped, status.failures), (500, 0, 0, 0));
    assert_eq!(status.error, "");
    // After the end nothing is taken, and that is counted too.
    log.offer(&notice(1));
    assert_eq!(log.status().dropped, 1);
}

#[test]
fn files_turn_over_at_whole_lines_and_the_oldest_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let size = line(0, "major").len() as u64;
    let mut file = LogFile::new(path.clone(), size * 3 + 5, 3);
    // In one batch and one by one.
    let written = file.append(&lines(0..7));
    assert!(written.errors.is_empty());
    assert_eq!(written.bytes as u64, size * 7);
    (7..11).for_each(|n| assert!(file.append(&line(n, "major")).errors.is_empty()));
    assert_eq!(names(folder.path()), ["a.ndjson", "a.ndjson.1", "a.ndjson.2"]);
    assert_eq!(fs::read(&path).unwrap(), lines(9..11));
    assert_eq!(fs::read(folder.path().join("a.ndjson.1")).unwrap(), lines(6..9));
    assert_eq!(fs::read(folder.path().join("a.ndjson.2")).unwrap(), lines(3..6));
    // Another run goes on where this one ended.
    let mut file = LogFile::new(path.clone(), size * 3 + 5, 3);
    file.append(&lines(11..13));
    assert_eq!(fs::read(&path).unwrap(), lines(12..13));
    assert_eq!(fs::read(folder.path().join("a.ndjson.1")).unwrap(), lines(9..12));
}

#[test]
fn one_file_starts_over_and_a_line_longer_than_a_file_is_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let mut file = LogFile::new(path.clone(), 10, 1);
    assert!(file.append(&lines(0..3)).errors.is_empty());
    assert_eq!(names(folder.path()), ["a.ndjson"]);
    assert_eq!(fs::read(&path).unwrap(), lines(2..3));
}

#[test]
fn what_cannot_be_turned_over_grows_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    // A folder in the way of `a.ndjson.1`.
    fs::create_dir_all(folder.path().join("a.ndjson.1/x")).unwrap();
    let size = line(0, "major").len() as u64;
    let mut file = LogFile::new(path.clone(), size * 2, 2);
    let written = file.append(&lines(0..5));
    assert_eq!(written.bytes as u64, size * 5);
    assert!(!written.errors.is_empty());
    assert_eq!(fs::read(&path).unwrap(), lines(0..5));
    fs::remove_dir_all(folder.path().join("a.ndjson.1")).unwrap();
    assert!(file.append(&lines(5..6)).errors.is_empty());
    assert_eq!(fs::read(folder.path().join("a.ndjson.1")).unwrap(), lines(0..5));
    assert_eq!(fs::read(&path).unwrap(), lines(5..6));
}

#[test]
fn a_file_that_was_moved_away_is_left_and_a_new_one_begun() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("a"), folder.path().join("b"));
    let mut file = LogFile::new(path.clone(), 1 << 20, 3);
    file.append(&lines(0..2));
    fs::rename(&path, &moved).unwrap();
    file.append(&lines(2..3));
    assert_eq!((fs::read(&moved).unwrap(), fs::read(&path).unwrap()), (lines(0..2), lines(2..3)));
    fs::remove_file(&path).unwrap();
    fs::write(&path, "another's\n").unwrap();
    file.append(&lines(3..4));
    assert_eq!(fs::read(&path).unwrap(), [b"another's\n".as_slice(), &lines(3..4)].concat());
}

#[test]
fn a_full_disk_keeps_a_bounded_backlog_and_the_log_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.ndjson");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let size = line(0, "major").len();
    // Room for four lines, and for the one that says what is lost.
    let options =
        LogOptions { backlog_max: size * 4 + 256, retry: Duration::from_secs(3600), ..options(&path) };
    let mut log = log_with(options, 0..1);
    while log.status().failures == 0 {
        std::thread::yield_now();
    }
    (1..10).for_each(|n| log.offer(&notice(n)));
    let status = log.status();
    assert_eq!((status.delivered, status.queued, status.dropped), (0, 4, 6));
    assert!(
        status.error.ends_with("alerts.ndjson: No space left on device (os error 28)"),
        "{}",
        status.error
    );
    fs::remove_file(&path).unwrap();
    log.reopen();
    while log.status().queued > 0 {
        std::thread::yield_now();
    }
    assert_eq!(log.status().error, "");
    log.offer(&notice(10));
    log.close(soon());
    let lost = "{\"ts\":\"2026-03-02T14:30:09.000000001Z\",\"event\":\"lost\",\"lines\":6,\
                \"why\":\"6 lines could not be written and are missing here\"}\n";
    assert_eq!(fs::read(&path).unwrap(), [lines(0..4), lost.into(), lines(10..11)].concat());
    let status = log.status();
    assert_eq!((status.delivered, status.queued, status.dropped), (6, 0, 6));
}

#[test]
fn what_cannot_be_written_at_the_end_is_counted() {
    let mut log = log_with(options(Path::new("/dev/full")), 0..3);
    log.close(soon());
    let status = log.status();
    assert_eq!((status.delivered, status.queued, status.dropped), (0, 0, 3));
    let mut log = log_with(options(&PathBuf::from("/nowhere/alerts.ndjson")), 0..3);
    log.close(soon());
    assert_eq!(log.status().dropped, 3);
    assert_eq!(log.status().error, "/nowhere/alerts.ndjson: No such file or directory (os error 2)");
}

/// Run by the test below in a process of its own; does nothing otherwise.
#[test]
fn the_log_goes_to_standard_output() {
    if std::env::var_os("PARALLAX_TEST_STDOUT").is_some() {
        log_with(LogOptions::new("-"), 0..100).close(soon());
    }
}

#[test]
fn a_dash_is_standard_output() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "run::outlets::tests::log::the_log_goes_to_standard_output", "--test-threads=1"])
        .env("PARALLAX_TEST_STDOUT", "1")
        .output()
        .unwrap();
    let expected = lines(0..100);
    assert!(output.stdout.windows(expected.len()).any(|w| w == expected));
}

/// Run by the test below in a process whose files may not grow beyond 512 or 1024 bytes; does nothing otherwise.
#[test]
fn the_piece_of_a_line_is_taken_back() {
    let Some(path) = std::env::var_os("PARALLAX_TEST_LIMITED_FILE") else { return };
    let size = line(0, "major").len();
    let mut file = LogFile::new(path.into(), 1 << 20, 2);
    let written = file.append(&lines(0..20));
    assert_eq!(written.errors.len(), 1, "{written:?}");
    assert!(written.bytes > 0 && written.bytes < 20 * size && written.bytes.is_multiple_of(size));
    assert_eq!(file.append(&lines(0..1)).bytes, 0);
}

#[test]
fn a_disk_that_fills_within_a_line_leaves_whole_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let test = "run::outlets::tests::log::the_piece_of_a_line_is_taken_back";
    let output = std::process::Command::new("/bin/sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact \"$1\" --test-threads=1"])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env("PARALLAX_TEST_LIMITED_FILE", &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let found = fs::read(&path).unwrap();
    let whole = found.len() / line(0, "major").len();
    assert!(whole > 0);
    assert_eq!(found, lines(0..whole as u64));
}
