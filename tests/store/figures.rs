//! Figures by interval are those of the summary, cut where intervals begin: their sums are its totals, and nothing but
//! the data decides them.

use std::path::Path;

use serde_json::Value as Json;

use super::kit::{Kit, captures, number, rows, shared, whole};

fn unsigned(of: &Json) -> u64 {
    of.as_u64().unwrap_or_else(|| panic!("{of} is no number"))
}

/// Holds a store with one run against the summary of its replay.
fn sums_are_the_summary(kit: &Kit, store: &str, summary: &Json) {
    let store = kit.store(store);
    for of in ["interval", "day"] {
        sources(&store, of, &summary["sources"]);
        pairs(&store, of, &summary["pairs"]);
        latencies(&store, of, summary);
        for suppressed in summary["suppressed"].as_array().expect("a list") {
            let (kind, reason) = (&suppressed["kind"], &suppressed["reason"]);
            let sql = format!(
                "SELECT sum(count) FROM suppressed_{of} WHERE kind = '{kind}' AND reason = '{reason}'"
            );
            assert_eq!(number(&store, &sql.replace('"', "")), unsigned(&suppressed["count"]), "{suppressed}");
        }
        let watched = number(&store, &format!("SELECT sum(watched_ns) FROM watch_{of}"));
        assert_eq!(watched, unsigned(&summary["duration_ns"]), "watched by {of}");
    }
    for (kind, severities) in summary["alerts"]["by_kind"].as_object().expect("a table") {
        for (severity, count) in severities.as_object().expect("a table") {
            let raised = number(&store, &format!("SELECT count(*) FROM alert WHERE kind_raised = '{kind}'"));
            assert!(raised >= unsigned(count), "{kind} {severity}");
        }
    }
    assert_eq!(number(&store, "SELECT count(*) FROM alert"), unsigned(&summary["alerts"]["raised"]));
    for (reason, count) in summary["alerts"]["cleared"].as_object().expect("a table") {
        let cleared = number(&store, &format!("SELECT count(*) FROM alert WHERE reason = '{reason}'"));
        assert_eq!(cleared, unsigned(count), "cleared for {reason}");
    }
    let lasted = number(&store, "SELECT sum(duration_ns) FROM alert");
    assert_eq!(number(&store, "SELECT sum(time_ns) FROM alert_time_interval"), lasted);
    assert_eq!(number(&store, "SELECT sum(time_ns) FROM alert_time_day"), lasted);
    assert_eq!(number(&store, "SELECT count(*) FROM alert_time_interval WHERE time_ns < 0"), 0);
}

fn sources(store: &rusqlite::Connection, of: &str, sources: &Json) {
    for source in sources.as_array().expect("a list") {
        let name = source["name"].as_str().expect("a name");
        let sum = |column: &str| {
            let sql = format!(
                "SELECT sum(i.{column}) FROM channel_{of} i JOIN channel c USING (channel) JOIN source s USING (source)
                 WHERE s.name = '{name}'"
            );
            number(store, &sql)
        };
        let said = ["packets", "bytes", "messages", "gaps", "messages_missing", "recovered", "filled_late"];
        let kept = ["packets", "bytes", "messages", "gaps", "missing", "recovered", "filled_late"];
        for (said, kept) in said.into_iter().zip(kept) {
            assert_eq!(sum(kept), unsigned(&source[said]), "{name} {said} by {of}");
        }
        let errors: u64 =
            source["errors"].as_object().expect("a table").values().map(|e| unsigned(&e["count"])).sum();
        assert_eq!(sum("errors"), errors, "{name} errors");
        for line in source["lines"].as_array().expect("a list") {
            let (channel, line_name) = (line["channel"].as_str().unwrap(), line["line"].as_str().unwrap());
            let sum = |column: &str| {
                let sql = format!(
                    "SELECT sum(i.{column}) FROM line_{of} i JOIN line l USING (line) JOIN channel c USING (channel)
                     JOIN source s USING (source) WHERE s.name = '{name}' AND c.name = '{channel}' AND l.name = '{line_name}'"
                );
                number(store, &sql)
            };
            let said = ["packets", "wins", "duplicates", "late", "lost", "out_of_order"];
            let kept = ["packets", "won", "duplicates", "late", "messages_lost", "out_of_order"];
            for (said, kept) in said.into_iter().zip(kept) {
                assert_eq!(sum(kept), unsigned(&line[said]), "{name}/{channel}/{line_name} {said} by {of}");
            }
        }
        for (kind, seen) in source["contradictions"].as_object().expect("a table") {
            let sql = format!(
                "SELECT sum(count) FROM contradiction_{of} i JOIN channel c USING (channel) JOIN source s USING (source)
                 WHERE s.name = '{name}' AND kind = '{kind}'"
            );
            assert_eq!(number(store, &sql), unsigned(&seen["count"]), "{name} {kind} by {of}");
        }
    }
}

fn pairs(store: &rusqlite::Connection, of: &str, pairs: &Json) {
    for pair in pairs.as_array().expect("a list") {
        let [first, second] = [0, 1].map(|i| pair["sources"][i].as_str().expect("a name"));
        let meant = format!("a.name = '{first}' AND b.name = '{second}'");
        let sum = |what: &str, table: &str, more: &str| {
            let sql = format!(
                "SELECT sum({what}) FROM {table}_{of} i JOIN source a ON a.source = i.first
                 JOIN source b ON b.source = i.second WHERE {meant}{more}"
            );
            number(store, &sql)
        };
        for (said, kept) in [
            ("comparable_ns", "comparable_ns"),
            ("matched", "matched"),
            ("first_led", "first_led"),
            ("second_led", "second_led"),
            ("together", "together"),
        ] {
            assert_eq!(sum(kept, "pair", ""), unsigned(&pair[said]), "{first}/{second} {said} by {of}");
        }
        let only = [sum("first_only", "pair", ""), sum("second_only", "pair", "")];
        assert_eq!(only, [0, 1].map(|i| unsigned(&pair["unmatched"][i])), "{first}/{second}");
        for (kind, count) in pair["segments"].as_object().expect("a table") {
            let more = format!(" AND kind = '{kind}'");
            assert_eq!(sum("segments", "segment", &more), unsigned(count), "{first}/{second} {kind}");
        }
        for (reason, ns) in pair["held_ns"].as_object().expect("a table") {
            let more = format!(" AND reason = '{reason}'");
            assert_eq!(sum("held_ns", "held", &more), unsigned(ns), "{first}/{second} {reason}");
        }
        for (reason, count) in pair["held_differences"].as_object().expect("a table") {
            let more = format!(" AND reason = '{reason}'");
            assert_eq!(sum("differences", "held", &more), unsigned(count), "{first}/{second} {reason}");
        }
        // What instruments differed is what the pair did not agree on.
        let differ = number(
            store,
            &format!(
                "SELECT sum(differ_ns) FROM instrument_pair_day i JOIN source a ON a.source = i.first
                 JOIN source b ON b.source = i.second WHERE {meant}"
            ),
        );
        let agree = sum("agree_ns", "pair", "");
        assert_eq!(differ, unsigned(&pair["comparable_ns"]) - agree, "{first}/{second} by instrument");
    }
}

fn latencies(store: &rusqlite::Connection, of: &str, summary: &Json) {
    let leads =
        summary["pairs"].as_array().expect("a list").iter().map(|p| &p["lead"]).filter(|l| !l.is_null());
    for series in summary["latency"].as_array().expect("a list").iter().chain(leads) {
        let [name, from, to] = ["name", "from", "to"].map(|k| series[k].as_str().expect("a name"));
        let sql = format!(
            "SELECT sum(count), sum(negative), min(min_ns), max(max_ns) FROM latency_{of} JOIN series USING (series)
             WHERE name = '{name}' AND from_point = '{from}' AND to_point = '{to}'"
        );
        let wanted: Vec<String> =
            ["count", "negative", "min_ns", "max_ns"].map(|k| series[k].to_string()).to_vec();
        assert_eq!(rows(store, &sql), [wanted], "{name} {from} {to} by {of}");
    }
    // Of one day, its percentiles are the whole run's.
    if of == "day" && number(store, "SELECT count(DISTINCT start_ns) FROM watch_day") == 1 {
        for series in summary["latency"].as_array().expect("a list") {
            let [name, from, to] = ["name", "from", "to"].map(|k| series[k].as_str().expect("a name"));
            let sql = format!(
                "SELECT p10_ns, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns, p9999_ns FROM latency_day JOIN series USING (series)
                 WHERE name = '{name}' AND from_point = '{from}' AND to_point = '{to}'"
            );
            let keys = ["p10_ns", "p50_ns", "p90_ns", "p95_ns", "p99_ns", "p999_ns", "p9999_ns"];
            assert_eq!(
                rows(store, &sql),
                [keys.map(|k| series[k].to_string()).to_vec()],
                "{name} {from} {to}"
            );
        }
    }
}

#[test]
fn sums_over_intervals_are_the_totals_of_the_demo() {
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    // Intervals of a second: there are borders to get wrong.
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let config = kit.path("second.toml");
    std::fs::write(&config, text + "\n[store]\ninterval = \"1s\"\n").expect("it can be written");
    let summary = kit.replay("store.db", &[], &config, &captures);
    sums_are_the_summary(&kit, "store.db", &summary);
    assert!(number(&kit.store("store.db"), "SELECT count(*) FROM watch_interval") >= 6);
}

/// Every kind of fault, over three quarters of a minute cut into stretches of five seconds.
#[test]
fn sums_over_intervals_are_the_totals_of_every_fault() {
    let kit = Kit::new();
    let simulated = kit.simulate("captures/scenarios/all-faults.toml", &[]);
    let text = std::fs::read_to_string(simulated.join("parallax.toml")).expect("a configuration");
    std::fs::write(simulated.join("parallax.toml"), text + "\n[store]\ninterval = \"5s\"\n")
        .expect("it can be written");
    let (config, captures) = captures(&simulated.to_string_lossy());
    let summary = kit.replay("store.db", &[], &config, &captures);
    sums_are_the_summary(&kit, "store.db", &summary);
    let store = kit.store("store.db");
    let kinds = rows(&store, "SELECT DISTINCT kind FROM alert_time_day");
    assert!(kinds.len() >= 6, "{kinds:?}");
    assert!(number(&store, "SELECT count(*) FROM crossing_day") > 0);
    assert_eq!(number(&store, "SELECT count(DISTINCT start_ns) FROM channel_interval"), 10);
}

/// Five real sessions, replayed without a configuration.
#[test]
fn sums_over_intervals_are_the_totals_of_real_sessions() {
    let Some(folder) = shared("captures/sessions") else { return };
    let mut sessions: Vec<_> =
        std::fs::read_dir(folder).expect("sessions").flatten().map(|e| e.path()).collect();
    let known = ["cme_mdp3", "ice_impact", "iex_deep", "iex_tops", "nasdaq_itch50"];
    sessions.retain(|path| known.iter().any(|name| path.to_string_lossy().contains(name)));
    sessions.sort();
    assert_eq!(sessions.len(), 5, "{sessions:?}");
    for (n, session) in sessions.iter().enumerate() {
        let (kit, name) = (Kit::new(), format!("{n}.db"));
        let summary = kit.replay(&name, &[], Path::new(""), std::slice::from_ref(session));
        sums_are_the_summary(&kit, &name, &summary);
    }
}

/// However it is read, a replay gives the same rows; the later run over the same data counts.
#[test]
fn the_same_replay_gives_the_same_rows() {
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    let ways: [&[&str]; 3] = [&[], &["--no-read-ahead"], &["--alerts", "/dev/null", "--quotes", "/dev/null"]];
    for (n, way) in ways.into_iter().enumerate() {
        kit.replay(&format!("{n}.db"), way, &config, &captures);
    }
    let first = whole(&kit.store("0.db"));
    for (n, way) in ways.iter().enumerate().skip(1) {
        for (a, b) in first.iter().zip(whole(&kit.store(&format!("{n}.db")))) {
            assert_eq!(*a, b, "{way:?}");
        }
    }
}

#[test]
fn a_later_run_over_the_same_data_counts_instead() {
    let kit = Kit::new();
    let (config, captures) = captures("captures/demo");
    kit.replay("store.db", &[], &config, &captures);
    let once = rows(&kit.store("store.db"), "SELECT source, sum(packets) FROM source_stats GROUP BY 1");
    kit.replay("store.db", &[], &config, &captures);
    let store = kit.store("store.db");
    assert_eq!(rows(&store, "SELECT source, sum(packets) FROM source_stats GROUP BY 1"), once);
    assert_eq!(rows(&store, "SELECT run, superseded_by FROM run"), [["1", "2"], ["2", "null"]]);
    assert_eq!(rows(&store, "SELECT run FROM current_run"), [["2"]]);
    // Another stretch of it is other data.
    kit.replay("store.db", &["--to", "2026-03-02T14:30:03Z"], &config, &captures);
    assert_eq!(rows(&kit.store("store.db"), "SELECT run FROM current_run"), [["2"], ["3"]]);
}
