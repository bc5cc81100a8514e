//! A daemon's store: what a kill leaves of it, that a replay of the recording says the same, and what operators did.

use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::Value as Json;

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

fn place(name: &str) -> (Place, PathBuf) {
    let place = Place::new(name);
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
    let (place, config) = place("store-same");
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

/// What a daemon has told of itself: it must be in the store a second later, whatever happens to the daemon.
struct Told {
    /// Lines of the alert log.
    alerts: Vec<String>,
    /// Packets of every line, by source, channel and line.
    packets: Vec<([String; 3], i64)>,
    /// Up to when the comparator had judged.
    judged_ns: i64,
}

impl Told {
    fn by(place: &Place) -> Told {
        let alerts = place.read("alerts.ndjson");
        let whole = alerts.rfind('\n').map_or(0, |end| end + 1);
        let status = place.ask(r#"{"cmd":"status"}"#)["status"].take();
        let (mut packets, text) = (Vec::new(), |name: &Json| name["name"].as_str().unwrap().to_owned());
        for source in status["sources"].as_array().unwrap() {
            for channel in source["channels"].as_array().unwrap() {
                for line in channel["lines"].as_array().unwrap() {
                    let count = line["packets"].as_i64().unwrap();
                    packets.push(([text(source), text(channel), text(line)], count));
                }
            }
        }
        let judged_ns = status["comparator"]["now_ns"].as_i64().unwrap();
        Told { alerts: alerts[..whole].lines().map(str::to_owned).collect(), packets, judged_ns }
    }

    fn is_in(&self, store: &Connection, life: i64) {
        let kept: Vec<String> =
            rows(store, &format!("SELECT line FROM transition WHERE run = {life} ORDER BY position"))
                .into_iter()
                .map(|row| match &row[0] {
                    Value::Text(line) => line.clone(),
                    other => panic!("{other:?} is no line"),
                })
                .collect();
        let alerts: Vec<&String> = self.alerts.iter().filter(|line| kept.contains(line)).collect();
        assert_eq!(alerts.len(), self.alerts.len(), "life {life}: alerts that were told are not there");
        for ([source, channel, line], packets) in &self.packets {
            for of in ["interval", "day"] {
                let sql = format!(
                    "SELECT sum(packets) FROM line_{of} i JOIN line l USING (line) JOIN channel c USING (channel)
                     JOIN source s USING (source) WHERE i.run = {life} AND s.name = '{source}' AND c.name = '{channel}'
                     AND l.name = '{line}'"
                );
                let kept = number(store, &sql);
                assert!(
                    kept >= *packets,
                    "life {life}: {source}/{channel}/{line}: {kept} of {packets} packets"
                );
            }
        }
        let until = number(store, &format!("SELECT until_ns FROM run WHERE run = {life}"));
        assert!(until >= self.judged_ns, "life {life}: {} ns are missing", self.judged_ns - until);
    }
}

/// Nanoseconds for which the threads that the way to the store leads over have waited for a processor: the system's
/// doing, not theirs.
fn held_up_ns(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let waited = |path: PathBuf| {
        let said = |name: &str| std::fs::read_to_string(path.join(name)).unwrap_or_default();
        let on_the_way = ["receiver-0", "comparator", "store"].contains(&said("comm").trim());
        said("schedstat").split(' ').nth(1).and_then(|ns| ns.parse::<u64>().ok()).filter(|_| on_the_way)
    };
    threads.flatten().filter_map(|thread| waited(thread.path())).sum()
}

/// A market that is sent until it is dropped.
pub struct Market(std::process::Child);

impl Market {
    pub fn of(place: &Place, out: &str) -> Market {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
        command.args(["simulate", "--multicast", "--port", &place.port.to_string(), "--duration", "120s"]);
        command.arg("--scenario").arg(scenario("live-demo.toml")).arg("--out").arg(place.path(out));
        let quiet = std::process::Stdio::null;
        Market(command.stdout(quiet()).stderr(quiet()).spawn().unwrap())
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// On a machine where all three threads wait more than they run, what is added grows faster than the time goes by.
const SLOWEST: std::time::Duration = std::time::Duration::from_secs(20);

/// Killed again and again, at whatever moment: the store is whole, holds what the daemon had told of itself a second
/// before, and the next life goes on in it. The second is the daemon's: what its threads waited for a processor
/// meanwhile is added to it.
#[test]
fn a_kill_loses_at_most_the_last_second_and_damages_nothing() {
    let (place, config) = place("store-kill");
    let path = place.path("store.db");
    for life in 1..=6 {
        std::fs::remove_file(place.path("alerts.ndjson")).ok();
        let mut daemon = Daemon::start(&config);
        let market = Market::of(&place, &format!("sim{life}"));
        wait_for("packets and alerts of this life", || {
            let told = Told::by(&place);
            let packets: i64 = told.packets.iter().map(|(_, count)| count).sum();
            (packets > 400 * life && !told.alerts.is_empty()).then_some(())
        });
        // Some lives are longer than others: the kill comes at another point of the second each time.
        std::thread::sleep(std::time::Duration::from_millis(life as u64 * 137));
        let shelve = format!(r#"{{"cmd":"shelve","kind":"lagging","for":"{life}h","reason":"life {life}"}}"#);
        assert_eq!(place.ask(&shelve)["ok"], Json::Bool(true));
        // What is told is as old as the latest look: this is one that has just been.
        let old = Told::by(&place);
        let told =
            wait_for("a new look", || Some(Told::by(&place)).filter(|told| told.judged_ns > old.judged_ns));
        let pid = daemon.child.id();
        let (at, held_up) = (parallax::source::clock::monotonic_now(), held_up_ns(pid));
        wait_for("a second", || {
            let waited = std::time::Duration::from_nanos(held_up_ns(pid) - held_up);
            (at.elapsed() >= (std::time::Duration::from_secs(1) + waited).min(SLOWEST)).then_some(())
        });
        eprintln!("life {life}: {} ns were added to the second", held_up_ns(pid) - held_up);
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
        drop(market);
        let store = parallax::store::open_read(&path).unwrap();
        let check: String = store.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(check, "ok", "life {life}");
        told.is_in(&store, life);
        let of = |sql: &str| number(&store, &format!("{sql} WHERE run = {life}"));
        for (family, sums) in [
            ("channel", "packets"),
            ("line", "messages"),
            ("pair", "comparable_ns"),
            ("watch", "watched_ns"),
            ("latency", "count"),
        ] {
            let of = |table| of(&format!("SELECT sum({sums}) FROM {family}_{table}"));
            assert!(of("interval") > 0 && of("interval") == of("day"), "life {life}: {family}");
        }
        assert!(of("SELECT count(*) FROM host_clock") >= 1);
        let action = rows(&store, &format!("SELECT text FROM operator_action WHERE run = {life}"));
        assert_eq!(action, [vec![Value::Text(format!("life {life}"))]]);
    }
    let store = parallax::store::open_read(&path).unwrap();
    let broken = "SELECT count(*) FROM run WHERE state = 'broken'";
    assert_eq!((number(&store, broken), number(&store, "SELECT count(*) FROM run")), (5, 6));
}

/// A small file system in memory; nobody but root may make one, and not everywhere.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn at(path: PathBuf, bytes: &str) -> Option<SmallDisk> {
        std::fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(&path);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: no tmpfs can be mounted here: a full disk is tried as root only");
            return None;
        }
        Some(SmallDisk(path))
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        for length in [1 << 16, 1 << 12] {
            while file.write_all(&vec![1; length]).is_ok() {}
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The disk is full for a while, then its folder is gone: the daemon judges on, says it, and takes the store up again.
#[test]
fn a_full_disk_and_a_lost_folder_are_survived() {
    let place = Place::new("store-full");
    let Some(disk) = SmallDisk::at(place.path("disk"), "8m") else { return };
    let dir = place.dir.path().display();
    let config = place.configure(&format!(
        "[alerts]\nlog = \"{dir}/alerts.ndjson\"\n[metrics]\nlisten = \"off\"\n[store]\npath = \"{dir}/disk/in/store.db\"\n"
    ));
    std::fs::create_dir(place.path("disk/in")).unwrap();
    let mut daemon = Daemon::start(&config);
    let market = Market::of(&place, "sim");
    let store_of = || place.ask(r#"{"cmd":"status"}"#)["status"]["store"].take();
    let error = || store_of()["error"].as_str().unwrap().to_owned();
    wait_for("figures", || (store_of()["until_ns"].as_u64() > Some(0)).then_some(()));
    disk.fill();
    wait_for("a full disk", || error().contains("the disk is full").then_some(()));
    daemon.until_it_says(
        "cannot be written: the disk is full; what was written before is whole; the daemon goes on",
    );
    let troubles = place.ask(r#"{"cmd":"status"}"#)["status"]["troubles"].take();
    assert!(troubles.to_string().contains("the disk is full"), "{troubles}");
    // It judges on meanwhile.
    let told = Told::by(&place);
    wait_for("more packets", || {
        let now = Told::by(&place);
        (now.packets.iter().zip(&told.packets).all(|(now, was)| now.1 > was.1)).then_some(())
    });
    std::fs::remove_file(place.path("disk/ballast")).unwrap();
    daemon.until_it_says("is written again; nothing is missing");
    let told = Told::by(&place);
    let caught_up = || store_of()["until_ns"].as_i64().filter(|until| *until >= told.judged_ns);
    wait_for("what was told", caught_up);
    told.is_in(&parallax::store::open_read(&place.path("disk/in/store.db")).unwrap(), 1);
    // The folder goes: what comes meanwhile is in a new store once there is one.
    std::fs::rename(place.path("disk/in"), place.path("disk/out")).unwrap();
    daemon.until_it_says("is not there any more: it was moved or deleted; it is begun anew once its folder is there; the daemon");
    std::fs::create_dir(place.path("disk/in")).unwrap();
    wait_for("the new store", || error().is_empty().then_some(()));
    drop(market);
    let said = daemon.stop_and_hear();
    assert_eq!(said.matches("the disk is full").count(), 1, "it is said once:\n{said}");
    let [old, new] = ["out", "in"]
        .map(|folder| parallax::store::open_read(&place.path(&format!("disk/{folder}/store.db"))).unwrap());
    let watched = |store| number(store, "SELECT sum(watched_ns) FROM watch_day");
    let ends = |store, end: &str| number(store, &format!("SELECT {end}_ns FROM run"));
    assert_eq!(ends(&new, "from"), ends(&old, "until"), "nothing is lost between the two");
    for store in [&old, &new] {
        assert_eq!(watched(store), ends(store, "until") - ends(store, "from"));
        let check: String = store.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
}

#[test]
fn what_operators_did_is_in_the_store() {
    let (place, config) = place("store-act");
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
    let (place, config) = place("store-two");
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
