//! The outlets against files, sockets and servers of the test's own.

mod courier;
mod log;
mod syslog;
mod webhook;

use std::time::{Duration, Instant};

use super::*;
use crate::source::clock::monotonic_now;

/// A line like the judge's. `n` makes it another alert.
fn line(n: u64, severity: &str) -> Vec<u8> {
    format!(
        "{{\"ts\":\"2026-03-02T14:30:{:02}.000000001Z\",\"event\":\"raised\",\"id\":\"{n:016x}\",\"kind\":\"silent\",\
         \"severity\":\"{severity}\",\"instrument\":null,\"sources\":[\"direct\"],\"channel\":\"c\\u0031\",\
         \"why\":\"direct has been silent since \\\"2 s\\\"\"}}\n",
        n % 60
    )
    .into_bytes()
}

fn notice(n: u64) -> Notice {
    Notice::from_line(&line(n, "major")).unwrap()
}

/// Far enough for a slow machine; nothing waits for it when all is well.
fn soon() -> Instant {
    monotonic_now() + Duration::from_secs(30)
}

#[test]
fn a_line_of_the_judge_is_read_whole() {
    let read = notice(0x1f);
    let expected = Notice {
        line: line(0x1f, "major"),
        id: "000000000000001f".into(),
        event: "raised".into(),
        kind: "silent".into(),
        severity: Severity::Major,
        why: "direct has been silent since \"2 s\"".into(),
        ts_ns: 1_772_461_831_000_000_001,
        about: vec![("source", "direct".into()), ("channel", "c1".into())],
    };
    assert_eq!(read, expected);
    assert_eq!(read.idempotency_key(), "000000000000001f-raised-1772461831000000001");
    assert_eq!(Notice::from_line(read.json()), Ok(read));
}

#[test]
fn what_is_no_alert_is_refused_with_a_reason() {
    let said = |text: &str| Notice::from_line(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(said("{}"), "no alert line: missing field `ts` at line 1 column 2");
    assert_eq!(said("{}\n{}\n"), "an alert is one line");
    let timed = |ts: &str| {
        said(&format!(r#"{{"ts":"{ts}","event":"raised","id":"1","kind":"gap","severity":"info","why":""}}"#))
    };
    assert_eq!(timed("yesterday"), "no time of an alert: yesterday");
    assert_eq!(timed("1960-01-01T00:00:00Z"), "no time of an alert: 1960-01-01T00:00:00Z");
}

#[test]
fn an_unknown_severity_is_told_to_everyone() {
    assert_eq!(Notice::from_line(&line(1, "fatal")).unwrap().severity, Severity::Critical);
}

/// Remembers what it is told.
#[derive(Default, Clone)]
struct Ear(std::sync::Arc<Mutex<Vec<String>>>);

impl Outlet for Ear {
    fn offer(&mut self, notice: &Notice) {
        lock(&self.0).push(notice.id.trim_start_matches('0').into());
    }
    fn tend(&mut self, _: Instant) {
        lock(&self.0).push("tend".into());
    }
    fn status(&self) -> OutletStatus {
        OutletStatus { name: "ear".into(), ..OutletStatus::default() }
    }
    fn reopen(&mut self) {
        lock(&self.0).push("reopen".into());
    }
    fn close(&mut self, _: Instant) {
        lock(&self.0).push("close".into());
    }
}

#[test]
fn who_is_told_by_severity_hears_no_less_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.ndjson");
    let (ear, mut outlets) = (Ear::default(), Outlets::new());
    outlets.set_log(AlertLog::start(LogOptions::new(path.to_str().unwrap())).unwrap());
    outlets.add(Severity::Minor, Box::new(ear.clone()));
    let all = [(1, "info"), (2, "minor"), (3, "critical")].map(|(n, severity)| line(n, severity));
    for line in &all {
        let notice = Notice::from_line(line).unwrap();
        outlets.log(&notice);
        outlets.tell(&notice);
    }
    outlets.tend(soon());
    outlets.reopen();
    assert_eq!(outlets.status().iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["log", "ear"]);
    outlets.close(soon());
    assert_eq!(*lock(&ear.0), ["2", "3", "tend", "reopen", "close"]);
    assert_eq!(std::fs::read(&path).unwrap(), all.concat());
}
