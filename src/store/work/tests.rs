use rusqlite::Connection;

use super::*;
use crate::config::Config;
use crate::latency::Recorder;
use crate::pipeline::figures::{Figure, PAIR_COUNTS, What};
use crate::source::clock;
use crate::store::{Lost, Retention, RunFacts, open_read, open_write};

const CONFIG: &str = "[[source]]\nname = \"direct\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n[[source.channel]]\n\
    name = \"tv1\"\nlines = [{ name = \"A\", group = \"233.54.12.111:26477\" }]\n";
const MINUTE: u64 = 60_000_000_000;
const DAY: u64 = 24 * 60 * MINUTE;
const COMMIT_AFTER: Duration = Duration::from_millis(100);

struct Desk {
    folder: tempfile::TempDir,
    now: Instant,
    work: Work,
    /// Batches handed over, and updates in them.
    given: u64,
}

fn begin(path: &Path, now_ns: u64) -> Result<Writer, StoreError> {
    let config = Config::parse("c.toml", CONFIG, Path::new(".")).expect("it is right");
    let facts = RunFacts {
        live: true,
        command: String::new(),
        folder: String::new(),
        config: format!("{CONFIG}[alerts]\nwebhook = \"https://host.example/a-secret\"\n"),
        interval_ns: MINUTE,
        began_ns: now_ns,
        parquet: None,
    };
    Writer::begin(open_write(path)?, &facts, &config)
}

impl Desk {
    fn new(steadfast: bool, retention: Retention) -> Desk {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("in/s.db");
        fs::create_dir(path.parent().unwrap()).unwrap();
        let writer = begin(&path, 1).expect("it is begun");
        let reopen = move |now_ns| begin(&path, now_ns);
        let steadfast: Option<Reopen> = if steadfast { Some(Box::new(reopen)) } else { None };
        let now = clock::monotonic_now();
        let work = Work::new(writer, Manner { retention, commit_after: COMMIT_AFTER, steadfast }, now);
        Desk { folder, now, work, given: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("in/s.db")
    }

    fn connection(&self) -> &Connection {
        self.work.writer.as_ref().expect("it is open").connection()
    }

    /// Hands over a batch: an alert of a source of its own is raised, an update was matched, a latency measured.
    fn give(&mut self) -> Result<(), StoreError> {
        self.given += 1;
        let batch = batch(self.given, self.given * 1_000);
        self.work.take(batch, self.now)
    }

    /// Hands over figures only.
    fn figures_at(&mut self, at_ns: u64) {
        let figures = batch(at_ns % MINUTE, at_ns).figures;
        self.work.take(Batch { figures, ..Batch::default() }, self.now).unwrap();
    }

    /// An alert is raised and cleared on that day.
    fn alert_of(&mut self, day: u64) {
        let mut lines = batch(day, day * DAY + MINUTE).lines;
        let cleared = String::from_utf8_lossy(&lines).replace("\"raised\"", "\"cleared\"");
        lines.extend_from_slice(cleared.as_bytes());
        self.work.take(Batch { lines, ..Batch::default() }, self.now).unwrap();
    }

    /// Time goes by.
    fn pass(&mut self, by: Duration) -> Result<(), StoreError> {
        self.now += by;
        self.work.tend(self.now, 7)
    }

    fn error(&self) -> String {
        let mut state = StoreState::default();
        self.work.show(&mut state);
        state.error.replace(&self.path().display().to_string(), "FILE")
    }

    fn read(&self) -> Connection {
        open_read(&self.path()).expect("it is read")
    }

    /// Everything that was handed over is there once.
    fn holds_everything(&self) {
        let store = self.read();
        let given = self.given as i64;
        for (sql, wanted) in [
            ("SELECT count(*) FROM transition", given),
            ("SELECT max(position) FROM transition", given),
            (
                "SELECT count(*) FROM alert a JOIN source s ON s.source = a.first WHERE a.kind = 'stale'",
                given,
            ),
            ("SELECT count(DISTINCT s.name) FROM alert a JOIN source s ON s.source = a.first", given),
            ("SELECT sum(matched) FROM pair_interval JOIN source ON source = first", given),
            ("SELECT sum(matched) FROM pair_day", given),
            ("SELECT sum(count) FROM latency_interval JOIN series USING (series)", given),
            ("SELECT sum(count) FROM latency_day", given),
            ("SELECT count(*) FROM operator_action", given),
            ("SELECT max(position) FROM operator_action", given),
            ("SELECT until_ns FROM run", given * 1_000),
        ] {
            assert_eq!(number(&store, sql), wanted, "{sql}");
        }
        let check: String = store.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
    }
}

fn number(store: &Connection, sql: &str) -> i64 {
    store.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).expect(sql).unwrap_or(0)
}

fn time(ns: u64) -> String {
    crate::alert::json::show_time(ns)
}

fn batch(number: u64, at_ns: u64) -> Batch {
    let at = time(at_ns);
    let line = format!(
        "{{\"ts\":\"{at}\",\"event\":\"raised\",\"id\":\"{number}\",\"kind\":\"stale\",\"severity\":\"minor\",\"instrument\":\"A\",\
         \"venue\":null,\"side\":null,\"sources\":[\"s{number}\"],\"began\":\"{at}\",\"cause\":\"source\",\"why\":\"it is\"}}\n"
    );
    let action =
        format!("{{\"action\":\"acknowledge\",\"ts\":\"{at}\",\"who\":\"me\",\"id\":\"{number}\"}}\n");
    let counts = PAIR_COUNTS.map(|name| u64::from(name == "matched"));
    let mut figures = vec![
        Figure { at_ns, what: What::Pair([0, 0], counts) },
        Figure { at_ns, what: What::Watched(at_ns - 1_000, 1_000) },
        Figure { at_ns, what: What::Until },
    ];
    let mut recorder = Recorder::without_log();
    recorder.keep_periods();
    let series = recorder.series("direct", "a", "b");
    recorder.record(series, at_ns, number as i64);
    recorder.take_periods(|name, period| {
        figures.push(Figure { at_ns, what: What::Latency(name.clone(), period.pack()) });
    });
    Batch { lines: line.into_bytes(), figures, actions: action.into_bytes(), clocks: Vec::new() }
}

#[test]
fn what_came_is_committed_a_moment_later_and_nothing_else_is() {
    let mut desk = Desk::new(true, Retention::ALL);
    desk.give().unwrap();
    assert_eq!(desk.work.due(), desk.now + COMMIT_AFTER);
    assert_eq!(number(&desk.read(), "SELECT count(*) FROM transition"), 0);
    desk.pass(COMMIT_AFTER / 2).unwrap();
    // Those that come meanwhile do not put it off.
    desk.give().unwrap();
    desk.pass(COMMIT_AFTER / 2).unwrap();
    desk.holds_everything();
    // With nothing to write nothing is written.
    let log = || fs::read(desk.folder.path().join("in/s.db-wal")).unwrap();
    let before = log();
    let mut now = desk.now;
    for _ in 0..100 {
        now += Duration::from_millis(40);
        desk.work.tend(now, 7).unwrap();
    }
    assert!(log() == before && desk.work.due() > now);
}

#[test]
fn a_secret_of_the_configuration_is_not_stored() {
    let desk = Desk::new(true, Retention::ALL);
    let kept: String = desk.read().query_row("SELECT config FROM run", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, format!("{CONFIG}[alerts]\nwebhook = \"https://host.example/...\"\n"));
    let files = ["s.db", "s.db-wal"].map(|name| fs::read(desk.folder.path().join("in").join(name)).unwrap());
    assert!(files.iter().all(|bytes| !String::from_utf8_lossy(bytes).contains("a-secret")));
}

#[test]
fn a_full_disk_is_told_and_what_waits_is_stored_once_there_is_room() {
    let mut desk = Desk::new(true, Retention::ALL);
    let pages = number(desk.connection(), "PRAGMA page_count");
    desk.connection().pragma_update(None, "max_page_count", pages + 6).unwrap();
    while desk.error().is_empty() {
        assert!(desk.given < 5_000, "the disk is never full");
        desk.give().unwrap();
        desk.pass(COMMIT_AFTER).unwrap();
    }
    let told = "the store FILE cannot be written: the disk is full; what was written before is whole";
    assert_eq!(desk.error(), told);
    // The disk stays full: it is tried once a second, and what comes waits.
    let stored = number(&desk.read(), "SELECT count(*) FROM transition") as u64;
    for _ in 0..50 {
        desk.give().unwrap();
        desk.pass(COMMIT_AFTER).unwrap();
    }
    assert_eq!(desk.error(), told);
    assert_eq!(number(&desk.read(), "SELECT count(*) FROM transition") as u64, stored);
    desk.connection().pragma_update(None, "max_page_count", pages + 10_000).unwrap();
    desk.pass(RETRY_AFTER).unwrap();
    while desk.work.retry.is_some() {
        desk.pass(Duration::ZERO).unwrap();
    }
    assert_eq!(desk.error(), "");
    assert_eq!(desk.work.backlog.lost(), Lost::default());
    desk.holds_everything();
}

#[test]
fn read_only_media_are_told_and_taken_up_again() {
    let mut desk = Desk::new(true, Retention::ALL);
    desk.give().unwrap();
    desk.pass(COMMIT_AFTER).unwrap();
    desk.connection().pragma_update(None, "query_only", true).unwrap();
    desk.give().unwrap();
    desk.pass(COMMIT_AFTER).unwrap();
    assert_eq!(desk.error(), "the store FILE cannot be written: file or folder are read-only");
    desk.give().unwrap();
    desk.connection().pragma_update(None, "query_only", false).unwrap();
    desk.pass(RETRY_AFTER).unwrap();
    assert_eq!(desk.error(), "");
    desk.holds_everything();
}

#[test]
fn whoever_is_not_steadfast_ends_with_the_sentence() {
    let mut desk = Desk::new(false, Retention::ALL);
    desk.connection().pragma_update(None, "query_only", true).unwrap();
    let said = desk.give().unwrap_err().0;
    assert!(said.ends_with("cannot be written: file or folder are read-only"), "{said}");
    let desk = Desk::new(false, Retention::ALL);
    fs::remove_dir_all(desk.folder.path().join("in")).unwrap();
    let said = desk.work.finish(&[], 9).unwrap_err().0;
    let told = "is not there any more: it was moved or deleted; what was written to it is lost";
    assert!(said.ends_with(told), "{said}");
}

#[test]
fn a_folder_that_goes_and_comes_back_gets_a_new_store() {
    let mut desk = Desk::new(true, Retention::ALL);
    desk.give().unwrap();
    desk.pass(COMMIT_AFTER).unwrap();
    let (there, gone) = (desk.folder.path().join("in"), desk.folder.path().join("out"));
    fs::rename(&there, &gone).unwrap();
    desk.give().unwrap();
    desk.pass(COMMIT_AFTER).unwrap();
    let told = "the store FILE is not there any more: it was moved or deleted; it is begun anew once its folder is there";
    assert_eq!(desk.error(), told);
    desk.pass(RETRY_AFTER).unwrap();
    assert!(desk.error().starts_with("the store FILE cannot be written (No such file"), "{}", desk.error());
    desk.give().unwrap();
    fs::create_dir(&there).unwrap();
    desk.pass(RETRY_AFTER).unwrap();
    assert_eq!(desk.error(), "");
    // Nothing is lost between the two, and nothing is in both.
    let kept = |path: &Path| number(&open_read(path).unwrap(), "SELECT sum(matched) FROM pair_day");
    assert_eq!((kept(&gone.join("s.db")), kept(&there.join("s.db"))), (1, 2));
    assert_eq!(number(&desk.read(), "SELECT began_ns FROM run"), 7);
}

#[test]
fn what_nobody_can_store_is_counted_and_holds_nothing_up() {
    let mut desk = Desk::new(true, Retention::ALL);
    desk.give().unwrap();
    let bad = Batch { lines: b"{\"no\":\"alert\"}\n".to_vec(), ..Batch::default() };
    desk.work.take(bad, desk.now).unwrap();
    assert!(desk.error().contains("cannot be used: "), "{}", desk.error());
    desk.give().unwrap();
    desk.pass(Duration::ZERO).unwrap();
    desk.pass(Duration::ZERO).unwrap();
    assert_eq!(desk.work.backlog.lost(), Lost { transitions: 1, ..Lost::default() });
    assert_eq!(desk.error(), "");
    desk.holds_everything();
}

#[test]
fn days_go_by_and_their_room_is_used_again() {
    let keep = Retention { keep_time_ns: Some(2 * DAY), keep_size: None };
    let mut desk = Desk::new(true, keep);
    let mut sizes = Vec::new();
    for day in 1..=12 {
        for minute in 0..300 {
            desk.figures_at(day * DAY + minute * MINUTE + 1_000);
        }
        desk.alert_of(day);
        // A minute of ours: the sweep comes about, and goes on until nothing is due.
        desk.pass(SWEEP_EVERY).unwrap();
        while desk.work.due() == desk.now + SWEEP_STEP {
            desk.pass(SWEEP_STEP).unwrap();
        }
        assert_eq!(desk.error(), "");
        sizes.push(number(desk.connection(), "PRAGMA page_count"));
        let days =
            number(&desk.read(), &format!("SELECT count(DISTINCT start_ns / {DAY}) FROM pair_interval"));
        assert_eq!(days, day.min(3) as i64, "day {day}");
        let kept = |table: &str| number(&desk.read(), &format!("SELECT count(*) FROM {table}"));
        assert_eq!(["pair_day", "alert"].map(kept), [day as i64; 2]);
        assert_eq!(kept("transition"), 2 * days, "what is told of alerts goes with their day");
    }
    // Days stay, and alerts; but what a day takes is far more than what stays of it.
    let grew = |from: usize, to: usize| sizes[to] - sizes[from];
    assert!(grew(4, 11) < grew(0, 2), "pages after each day: {sizes:?}");
}

#[test]
fn too_large_a_file_loses_its_oldest_days_and_shrinks() {
    let keep = Retention { keep_time_ns: None, keep_size: Some(512 << 10) };
    let mut desk = Desk::new(true, keep);
    for day in 1..=6 {
        (0..900).for_each(|minute| desk.figures_at(day * DAY + minute * MINUTE + 1_000));
    }
    desk.pass(COMMIT_AFTER).unwrap();
    let size = |desk: &Desk| number(desk.connection(), "PRAGMA page_count") * 4_096;
    let before = size(&desk);
    assert!(before > 1 << 20, "{before}");
    desk.pass(SWEEP_EVERY).unwrap();
    while desk.work.due() == desk.now + SWEEP_STEP {
        desk.pass(SWEEP_STEP).unwrap();
    }
    let after = size(&desk);
    assert!(after < (512 << 10) * 5 / 4, "{before} bytes became {after}");
    let store = desk.read();
    let oldest = number(&store, "SELECT min(start_ns) FROM pair_interval");
    assert!(oldest % DAY as i64 == 0 && oldest > 2 * DAY as i64, "days go whole: {oldest}");
    assert_eq!(number(&store, "SELECT sum(matched) FROM pair_day"), 5_400);
}
