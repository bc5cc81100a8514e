//! What a daemon saw of its machine's clock, in the report that is made of its store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::kit::{Daemon, Place, wait_for};

/// One look, as the kernel answered it.
#[derive(Debug, Clone, Copy)]
struct Look {
    run: i64,
    ts_ns: i64,
    synchronised: bool,
    off_ns: i64,
    most_ns: i64,
}

impl Look {
    fn is_within(&self, tolerance_ns: i64) -> bool {
        self.synchronised && self.off_ns.abs() + self.most_ns <= tolerance_ns
    }
}

fn looks(path: &std::path::Path) -> Vec<Look> {
    let store = parallax::store::open_read(path).unwrap();
    let sql = "SELECT run, ts_ns, synchronised, offset_ns, error_max_ns FROM host_clock ORDER BY run, ts_ns";
    let mut statement = store.prepare(sql).unwrap();
    let read = statement.query_map([], |row| {
        let (run, ts_ns, off_ns, most_ns) = (row.get(0)?, row.get(1)?, row.get(3)?, row.get(4)?);
        Ok(Look { run, ts_ns, synchronised: row.get::<_, i64>(2)? == 1, off_ns, most_ns })
    });
    read.unwrap().map(Result::unwrap).collect()
}

/// A table of the report: one map from column to value for each row.
fn table(place: &Place, rule: &str, name: &str) -> Vec<BTreeMap<String, String>> {
    let (store, folder) = (place.path("store.db"), place.path(&format!("tables-{rule}")));
    let (code, _, said) = place.command(&[
        "report",
        "--store",
        store.to_str().unwrap(),
        "--from",
        "2020-01-01T00:00:00Z",
        "--clock-rule",
        rule,
        "--csv",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(code, Some(0), "{said}");
    let mut reader = csv::Reader::from_path(folder.join(format!("{name}.csv"))).unwrap();
    let heads: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| heads.iter().cloned().zip(row.iter().map(str::to_owned)).collect()).collect()
}

/// The log that the rule asks for, worked out from the looks: run, moment, whether in tolerance.
fn expected_log(looks: &[Look], tolerance_ns: i64) -> Vec<(i64, i64, bool)> {
    const DAY_NS: i64 = 86_400_000_000_000;
    let mut log = Vec::new();
    let mut before: Option<&Look> = None;
    for look in looks {
        let goes_on = before.filter(|b| b.run == look.run && b.ts_ns / DAY_NS == look.ts_ns / DAY_NS);
        let changed = goes_on.is_none_or(|b| {
            (b.synchronised, b.is_within(tolerance_ns)) != (look.synchronised, look.is_within(tolerance_ns))
        });
        if changed {
            log.push((look.run, look.ts_ns, look.is_within(tolerance_ns)));
        }
        before = Some(look);
    }
    log
}

/// Two lives of a daemon on two machines, by what their configurations say; whatever this machine's kernel answers, the
/// report says the same of it.
#[test]
fn the_report_tells_the_clock_that_the_daemon_watched() {
    let place = Place::new("clock");
    let dir = place.dir.path().display();
    let configure = |words: &str| -> PathBuf {
        place.configure(&format!(
            "[alerts]\nlog = \"{dir}/alerts.ndjson\"\n[metrics]\nlisten = \"off\"\n[store]\npath = \"{dir}/store.db\"\ninterval = \"1s\"\n{words}"
        ))
    };
    let live = |config: &std::path::Path, looked: usize| {
        let daemon = Daemon::start(config);
        wait_for("looks at the clock", || {
            let seen = parallax::store::open_read(&place.path("store.db")).ok()?;
            let count: i64 = seen.query_row("SELECT count(*) FROM host_clock", [], |row| row.get(0)).ok()?;
            (count as usize >= looked).then_some(())
        });
        assert_eq!(daemon.stop(), Some(0));
    };
    live(&configure("host = \"md-01\"\ntime_source = \"PTP, it's gm1\"\n"), 3);
    let first = looks(&place.path("store.db")).len();
    live(&configure(""), first + 2);

    let looks = looks(&place.path("store.db"));
    assert_eq!(looks.iter().map(|look| look.run).collect::<std::collections::BTreeSet<_>>().len(), 2);
    for (rule, tolerance_ns) in [("finra-4590", 50_000_000), ("cat", 50_000_000), ("rts-25", 100_000)] {
        let clocks = table(&place, rule, "host_clock");
        let named: Vec<[&str; 2]> =
            clocks.iter().map(|row| [row["host"].as_str(), row["time_source"].as_str()]).collect();
        assert_eq!(named, [["", ""], ["md-01", "PTP, it's gm1"]], "{rule}");
        for (row, run) in clocks.iter().zip([2, 1]) {
            let mine: Vec<&Look> = looks.iter().filter(|look| look.run == run).collect();
            let n = |column: &str| row[column].parse::<i64>().unwrap();
            assert_eq!((n("looks"), n("tolerance_ns")), (mine.len() as i64, tolerance_ns), "{rule}");
            let out = mine.iter().filter(|look| !look.is_within(tolerance_ns)).count() as i64;
            assert_eq!(n("out_of_tolerance"), out, "{rule}: {mine:?}");
            assert_eq!(n("error_most_ns"), mine.iter().map(|look| look.most_ns).max().unwrap(), "{rule}");
            assert_eq!(
                n("offset_most_ns"),
                mine.iter().map(|look| look.off_ns.abs()).max().unwrap(),
                "{rule}"
            );
        }
        let log = table(&place, rule, "clock_log");
        let told: Vec<(i64, i64, bool)> = log
            .iter()
            .map(|row| {
                (
                    row["run"].parse().unwrap(),
                    row["time_at_ns"].parse().unwrap(),
                    row["in_tolerance"] == "yes",
                )
            })
            .collect();
        assert_eq!(told, expected_log(&looks, tolerance_ns), "{rule}");
        for row in &log {
            let look = looks.iter().find(|look| look.ts_ns.to_string() == row["time_at_ns"]).unwrap();
            assert_eq!(row["kept_by"] == "nobody", !look.synchronised, "{row:?}");
            assert_eq!(row["offset_ns"], look.off_ns.to_string());
            assert_eq!(row["host"], if look.run == 1 { "md-01" } else { "" });
        }
    }
    // In words, with the rule's tolerance and what it asks to be kept.
    let store = place.path("store.db");
    let (code, said, _) =
        place.command(&["report", "--store", store.to_str().unwrap(), "--clock-rule", "rts-25"]);
    assert_eq!(code, Some(0));
    for words in [
        "Clock of md-01 (PTP, it's gm1) by EU/rts25-hft: ",
        "Clock of this machine by EU/rts25-hft: ",
        "## Clock log",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}
