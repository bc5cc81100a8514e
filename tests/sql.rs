//! `parallax sql` and what else reads a store, end to end: the real binary on a store that a replay of the demo wrote.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn parallax(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.args(arguments).current_dir(folder).output().expect("the binary runs")
}

/// A folder with `s.db`, and the paths of the demo's configuration and captures.
fn demo() -> (tempfile::TempDir, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/demo");
    let names = ["parallax.toml", "itch_a.pcap.zst", "itch_b.pcap.zst", "sip.pcap.zst"];
    let paths: Vec<String> = names.map(|name| at.join(name).display().to_string()).to_vec();
    let mut arguments = vec!["replay", "--store", "s.db", "--parquet", "quotes", "--config"];
    arguments.extend(paths.iter().map(String::as_str));
    let output = parallax(folder.path(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (folder, paths)
}

fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = parallax(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

const KINDS: &str = "SELECT kind, count(*) AS n FROM alert GROUP BY kind ORDER BY kind";

#[test]
fn one_answer_in_every_format() {
    let (folder, _) = demo();
    let ask = |format: &str| said(folder.path(), &["sql", "--store", "s.db", "--format", format, KINDS]);
    assert_eq!(ask("csv"), "kind,n\r\ndivergent,1\r\ngap,1\r\nlagging,5\r\nline,1\r\n");
    let expected = [("divergent", 1), ("gap", 1), ("lagging", 5), ("line", 1)];
    let rows: Vec<Value> =
        expected.iter().map(|(kind, n)| serde_json::json!({"kind": kind, "n": n})).collect();
    assert_eq!(serde_json::from_str::<Vec<Value>>(&ask("json")).unwrap(), rows);
    let lines: Vec<Value> = ask("ndjson").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines, rows);
    let table = ask("table");
    let words: Vec<&str> = table.split_whitespace().filter(|word| !word.starts_with('-')).collect();
    assert_eq!(words, ["kind", "n", "divergent", "1", "gap", "1", "lagging", "5", "line", "1"]);
}

#[test]
fn every_ready_query_answers() {
    let (folder, _) = demo();
    let listed = said(folder.path(), &["sql", "--list"]);
    let names: Vec<&str> = listed.lines().filter(|l| !l.is_empty() && !l.starts_with(' ')).collect();
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        let mut arguments = vec!["sql", "--store", "s.db", "--format", "ndjson", "--query", name];
        arguments.extend(match name {
            "alerts_of" => &["instrument=ZQAAA"][..],
            "as_of_join" => &["instrument=ZQAAA", "first=direct", "second=sip"],
            "quote_age_at" => &["instrument=ZQAAA", "at=2026-03-02T14:30:01.6Z"],
            _ => &[],
        });
        let answer = said(folder.path(), &arguments);
        assert!(answer.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{name}: {answer}");
    }
    let gaps = said(folder.path(), &["sql", "--store", "s.db", "--format", "ndjson", "--query", "gaps"]);
    assert_eq!(gaps.lines().count(), 1, "{gaps}");
}

#[test]
fn the_sql_that_a_report_shows_is_answered() {
    let (folder, _) = demo();
    let day = ["--store", "s.db", "--day", "2026-03-02"];
    for table in ["sources", "gaps", "latency"] {
        let sql = said(folder.path(), &[&["report"], &day[..], &["--show-sql", table]].concat());
        let answer = said(folder.path(), &["sql", "--store", "s.db", "--format", "ndjson", &sql]);
        assert!(answer.contains("\"direct\"") && answer.contains("\"sip\""), "{table}: {answer}");
    }
}

#[test]
fn what_is_no_question_is_refused_in_one_sentence() {
    let (folder, _) = demo();
    std::fs::write(folder.path().join("text.db"), "not a store at all").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["DELETE FROM alert"], "read"),
        (&["SELECT 1; SELECT 2"], ""),
        (&["SELEC 1"], "SELEC"),
        (&["ATTACH 'other.db' AS other"], ""),
        (&["SELECT moonshine FROM alert"], "no such column: moonshine; alert has `run`, `id`, `kind`"),
        (&["SELECT a.knd FROM alerts AS a"], "no such column: a.knd; did you mean `kind`?"),
        (&["SELECT kind FROM alrts"], "no such table: alrts; did you mean `alerts`?"),
        (&["SELECT kind FROM moonlight"], "no such table: moonlight; `alerts`, `current_run`, "),
        (&["--query", "gap"], "did you mean `gaps`"),
        (&["--query", "alerts_of"], "instrument="),
        (&["--query", "gaps", "frm=2026"], "frm"),
        (&[], "--query"),
    ];
    for (arguments, wanted) in cases {
        let output = parallax(folder.path(), &[&["sql", "--store", "s.db"], *arguments].concat());
        let sentence = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {sentence}");
        assert!(sentence.contains(wanted) && sentence.lines().count() == 1, "{arguments:?}: {sentence}");
    }
    for store in ["missing.db", "text.db"] {
        let output = parallax(folder.path(), &["sql", "--store", store, KINDS]);
        let sentence = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{sentence}");
        assert!(sentence.contains(store) && sentence.lines().count() == 1, "{sentence}");
    }
    // Nothing of it changed anything.
    let count = said(
        folder.path(),
        &["sql", "--store", "s.db", "--format", "csv", "SELECT count(*) AS n FROM alert"],
    );
    assert_eq!(count, "n\r\n8\r\n");
}

#[test]
fn a_question_without_end_is_cut_off() {
    let (folder, _) = demo();
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let output =
        parallax(folder.path(), &["sql", "--store", "s.db", "--rows", "5", "--format", "csv", endless]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "i\r\n1\r\n2\r\n3\r\n4\r\n5\r\n");
}

#[test]
fn the_store_knows_what_an_alert_was_raised_with() {
    let (folder, paths) = demo();
    let id = said(
        folder.path(),
        &["sql", "--store", "s.db", "--format", "csv", "SELECT id FROM alert WHERE kind = 'divergent'"],
    );
    let id = id.lines().nth(1).expect("one alert");
    let by_store = said(folder.path(), &["explain", id, "--store", "s.db"]);
    let mut arguments = vec!["explain", id, "--config"];
    arguments.extend(paths.iter().map(String::as_str));
    assert_eq!(by_store, said(folder.path(), &arguments));
    assert!(by_store.starts_with("VERDICT  source sip"), "{by_store}");
    said(folder.path(), &["evidence", id, "--store", "s.db", "-o", "e.zip"]);
    assert!(said(folder.path(), &["verify", "e.zip"]).contains("the same verdict"), "it comes out again");
    for (alert, wanted) in [("zz", "no alert's id"), ("0123", "holds no alert 0123")] {
        let output = parallax(folder.path(), &["explain", alert, "--store", "s.db"]);
        let sentence = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2));
        assert!(sentence.contains(wanted) && sentence.lines().count() == 1, "{sentence}");
    }
}

/// Whole days are read from the table by day: the answer is that of their intervals all the same.
#[test]
fn latencies_of_any_range_are_those_of_its_intervals() {
    let (folder, _) = demo();
    let store = rusqlite::Connection::open(folder.path().join("s.db")).unwrap();
    // Two more days like the first, the last with other figures.
    let columns =
        "run, series, count, negative, saturated, min_ns, p10_ns, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns,
        p9999_ns, max_ns, positive, negatives";
    for day in [1i64, 2] {
        for of in ["interval", "day"] {
            let more = format!(
                "INSERT INTO latency_{of} SELECT start_ns + {day} * 86400000000000, {columns} FROM latency_{of}
                 WHERE start_ns < ns_of_day_two AND (series + {day}) % 3 > 0"
            );
            let two = "1772496000000000000";
            store.execute_batch(&more.replace("ns_of_day_two", two)).unwrap();
        }
    }
    drop(store);
    let slow = |from: &str, to: &str| {
        format!(
            "SELECT s.kind, s.name, s.from_point || ' -> ' || s.to_point AS series, sum(i.count) AS count,
                sum(i.negative) AS negative, min(i.min_ns) AS min_ns, latency_ns(i.positive, i.negatives, 50) AS median_ns,
                latency_ns(i.positive, i.negatives, 10) AS p10_ns, latency_ns(i.positive, i.negatives, 90) AS p90_ns,
                latency_ns(i.positive, i.negatives, 95) AS p95_ns, latency_ns(i.positive, i.negatives, 99) AS p99_ns,
                latency_ns(i.positive, i.negatives, 99.9) AS p999_ns,
                latency_ns(i.positive, i.negatives, 99.99) AS p9999_ns, max(i.max_ns) AS max_ns
             FROM latency_interval i JOIN series s USING (series)
             WHERE i.start_ns >= ns('{from}') AND i.start_ns < ns('{to}')
             GROUP BY s.series ORDER BY s.kind DESC, s.name, series"
        )
    };
    let mut answers = std::collections::BTreeSet::new();
    for (from, to) in [
        ("1970-01-01T00:00:00Z", "2262-01-01T00:00:00Z"),
        ("2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z"),
        ("2026-03-02T14:31:00Z", "2026-03-04T14:31:00Z"),
        ("2026-03-03T14:30:00Z", "2026-03-03T14:31:00Z"),
        ("2026-03-03T00:00:00Z", "2026-03-03T20:00:00Z"),
        ("2026-03-04T02:00:00Z", "2026-03-09T00:00:00Z"),
    ] {
        let ask = |words: &[&str]| {
            let head = ["sql", "--store", "s.db", "--format", "csv"];
            said(folder.path(), &[&head, words].concat())
        };
        let quick = ask(&["--query", "latency", &format!("from={from}"), &format!("to={to}")]);
        assert_eq!(quick, ask(&[&slow(from, to)]), "{from} to {to}");
        assert!(quick.lines().count() > 1, "{quick}");
        answers.insert(quick);
    }
    assert!(answers.len() >= 5, "the ranges hardly differ");
}
