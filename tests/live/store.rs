//! A daemon's store: what a kill leaves of it, that a replay of the recording says the same, and what operators did.

use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::kit::{Daemon, Place, scenario, wait_for};

/// Tables whose rows are a function of the data.
const OF_DATA: [&str; 14] = [
    "line_interval",
    "channel_interval",
    "pair_interval",
    "held_interval",
    "segment_interval",
    "alert_time_interval",
    "crossing_interval",
    "suppressed_interval",
    "burst_interval",
    "contradiction_interval",
    "clock_interval",
    "instrument_pair_day",
    "instrument_alert_day",
    "transition",
];

fn place(name: &str, port: u16) -> (Place, PathBuf) {
    let place = Place::new(name, port);
    let dir = place.dir.path().display();
    let config = place.configure(&format!(
        "[alerts]\nlog = \"{dir}/alerts.ndjson\"\n[metrics]\nlisten = \"off\"\n[store]\npath = \"{dir}/store.db\"\ninterval = \"2s\"\n"
    ));
    (place, config)
}

fn rows(store: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = store.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    let width = statement.column_count();
    let read = statement.query_map([], |row| (0..width).map(|i| row.get(i)).collect());
    read.unwrap().map(Result::unwrap).collect()
}

fn number(store: &Connection, sql: &str) -> i64 {
    store
        .query_row(sql, [], |row| row.get::<_, Option<i64>>(0))
        .unwrap_or_else(|e| panic!("{sql}: {e}"))
        .unwrap_or(0)
}

#[test]
fn a_replay_of_the_recording_fills_a_store_with_the_same_figures() {
    let (place, config) = place("store-same", 27_710);
    let daemon = Daemon::start(&config);
    place.simulate(&scenario("live-demo.toml"), &["--duration", "6s"]);
    assert_eq!(daemon.stop(), Some(0));
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(place.path("recordings")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let replay = |store: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.args(["replay", "--config"]).arg(&config).arg("--store").arg(place.path(store)).args(&files);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    replay("again.db");
    let [live, again] =
        ["store.db", "again.db"].map(|name| parallax::store::open_read(&place.path(name)).unwrap());
    assert!(number(&live, "SELECT sum(packets) FROM channel_interval") > 1_000);
    for table in OF_DATA {
        let of = |store| rows(store, &format!("SELECT * FROM {table}"));
        assert_eq!(of(&live), of(&again), "{table}");
    }
    let latency = "SELECT i.* FROM latency_interval i JOIN series s USING (series) WHERE s.kind <> 'stage'";
    let names = "SELECT name, from_point, to_point, count, negative, p50_ns, p99_ns, max_ns, positive, negatives
                 FROM latency_interval JOIN series USING (series) WHERE kind <> 'stage' ORDER BY start_ns, 1, 2, 3";
    assert!(!rows(&live, latency).is_empty());
    assert!(rows(&live, names) == rows(&again, names), "latencies differ");
    assert_eq!(number(&live, "SELECT count(*) FROM run WHERE state = 'complete' AND kind = 'live'"), 1);
    assert!(number(&live, "SELECT count(*) FROM host_clock") >= 1);
    // Into the daemon's own store it is another telling of what the daemon told.
    drop(live);
    replay("store.db");
    let store = parallax::store::open_read(&place.path("store.db")).unwrap();
    assert_eq!(
        rows(&store, "SELECT run, superseded_by FROM run"),
        [vec![Value::Integer(1), Value::Null], vec![Value::Integer(2), Value::Integer(1)]]
    );
    assert_eq!(number(&store, "SELECT count(*) FROM current_run"), 1);
}

/// Killed again and again, at whatever moment: the store is whole, holds what was there a second before, and the next
/// life goes on in it.
#[test]
fn a_kill_loses_at_most_the_last_second_and_damages_nothing() {
    let (place, config) = place("store-kill", 27_720);
    let path = place.path("store.db");
    for life in 1..=5 {
        let mut daemon = Daemon::start(&config);
        let mut sender = Command::new(env!("CARGO_BIN_EXE_parallax"))
            .args(["simulate", "--multicast", "--port", &place.port.to_string(), "--duration", "60s"])
            .arg("--scenario")
            .arg(scenario("live-demo.toml"))
            .arg("--out")
            .arg(place.path(&format!("sim{life}")))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Some lives are longer than others: the kill comes at another point of the second each time.
        let seen = wait_for("figures of this life", || {
            let store = parallax::store::open_read(&path).ok()?;
            let packets = number(&store, &format!("SELECT sum(packets) FROM channel_day WHERE run = {life}"));
            (packets > 400 * life).then_some(packets)
        });
        for _ in 0..life * 7 {
            std::thread::sleep(std::time::Duration::from_millis(31));
        }
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
        let died_ns = parallax::source::clock::wall_now_ns() as i64;
        sender.kill().unwrap();
        sender.wait().unwrap();
        let store = parallax::store::open_read(&path).unwrap();
        let check: String = store.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "life {life}");
        let of = |sql: &str| number(&store, &format!("{sql} WHERE run = {life}"));
        assert!(of("SELECT sum(packets) FROM channel_day") >= seen, "what was there stays");
        for (family, sums) in
            [("channel", "packets"), ("line", "messages"), ("pair", "comparable_ns"), ("watch", "watched_ns")]
        {
            let of = |table| of(&format!("SELECT sum({sums}) FROM {family}_{table}"));
            assert_eq!(of("interval"), of("day"), "life {life}: {family}");
        }
        // A beat of a second, a second until it is committed, and what this machine stood still.
        let behind = died_ns - of("SELECT until_ns FROM run");
        assert!(behind < 10_000_000_000, "life {life}: {behind} ns of data are not there");
    }
    let store = parallax::store::open_read(&path).unwrap();
    let broken = "SELECT count(*) FROM run WHERE state = 'broken'";
    assert_eq!((number(&store, broken), number(&store, "SELECT count(*) FROM run")), (4, 5));
}

#[test]
fn what_operators_did_is_in_the_store() {
    let (place, config) = place("store-act", 27_730);
    let daemon = Daemon::start(&config);
    place.simulate(&scenario("live-demo.toml"), &["--duration", "5s"]);
    let answer = place.ask(r#"{"cmd":"shelve","kind":"lagging","for":"1h","reason":"known since noon"}"#);
    assert_eq!(answer["ok"], serde_json::Value::Bool(true), "{answer}");
    assert_eq!(daemon.stop(), Some(0));
    let store = parallax::store::open_read(&place.path("store.db")).unwrap();
    let actions = rows(&store, "SELECT action, text FROM operator_action");
    let text = |text: &str| Value::Text(text.to_owned());
    assert_eq!(actions, [vec![text("shelve"), text("known since noon")]]);
}

/// A second daemon, or a replay, beside one that writes.
#[test]
fn nobody_else_writes_beside_a_daemon() {
    let (place, config) = place("store-two", 27_740);
    let daemon = Daemon::start(&config);
    let demo = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/demo");
    let store = place.path("store.db");
    let (code, _, said) = place.command(&[
        "replay",
        "--store",
        store.to_str().unwrap(),
        demo.join("sip.pcap.zst").to_str().unwrap(),
    ]);
    assert_eq!(code, Some(2));
    let wanted = "is being written by another run of Parallax; wait for it, or name another file\n";
    assert!(said.ends_with(wanted), "{said}");
    assert_eq!(daemon.stop(), Some(0));
}
