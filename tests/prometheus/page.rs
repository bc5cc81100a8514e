//! The page: every field of the snapshot is there, under names and with labels that Prometheus takes.

use std::collections::{BTreeMap, BTreeSet};

use parallax::run::status::Status;
use parallax::run::web::{metrics, older};
use proptest::prelude::*;

use crate::kit;

/// Samples by name and labels.
pub fn samples(page: &str) -> BTreeMap<String, String> {
    let lines = page.lines().filter(|l| !l.starts_with('#'));
    let mut found = BTreeMap::new();
    for line in lines {
        let (name, value) = line.rsplit_once(' ').expect("a sample has a value");
        assert!(found.insert(name.to_owned(), value.to_owned()).is_none(), "{name} is there twice");
    }
    found
}

/// Names of the samples of a page.
pub fn names(page: &str) -> BTreeSet<String> {
    let bare = |name: &String| name.split('{').next().unwrap_or_default().to_owned();
    samples(page).keys().map(bare).collect()
}

#[test]
fn the_page_to_the_line() {
    let found = samples(&metrics(&kit::full()));
    let line = |name: &str| format!("parallax_line_{name}{{source=\"direct\",channel=\"tv1\",line=\"A\"}}");
    let lag = |q: &str| {
        format!("parallax_line_lag_seconds{{source=\"sip\",channel=\"tv1\",line=\"B\",percentile=\"{q}\"}}")
    };
    let stage = |q: &str| {
        let labels = "source=\"direct\",from=\"ts_recv\",to=\"published\"";
        format!("parallax_stage_latency_seconds{{{labels},percentile=\"{q}\"}}")
    };
    let expected: &[(String, &str)] = &[
        ("parallax_build_info{version=\"0.1.0\",name=\"desk\"}".into(), "1"),
        ("parallax_start_time_seconds".into(), "1772461740.0"),
        ("parallax_clock_seconds".into(), "1772461800.0"),
        ("parallax_troubles".into(), "1"),
        ("parallax_receiver_datagrams_total{receiver=\"1\"}".into(), "2000"),
        ("parallax_receiver_watermark_seconds{receiver=\"0\"}".into(), "1772461799.999"),
        ("parallax_receiver_late_stamp_max_seconds{receiver=\"0\"}".into(), "0.0000025"),
        ("parallax_ring_used{receiver=\"1\"}".into(), "2003"),
        ("parallax_ring_size{receiver=\"1\"}".into(), "65536"),
        ("parallax_ring_overruns_total{receiver=\"0\"}".into(), "1005"),
        ("parallax_source_info{source=\"direct\",feed=\"nasdaq-itch-5.0\",venue=\"XNAS\"}".into(), "1"),
        ("parallax_source_state{source=\"sip\",state=\"silent\"}".into(), "1"),
        ("parallax_source_state{source=\"sip\",state=\"up\"}".into(), "0"),
        ("parallax_source_errors_total{source=\"sip\",error=\"truncated\"}".into(), "4024"),
        (
            "parallax_book_contradictions_total{source=\"direct\",contradiction=\"unknown_order\"}".into(),
            "3025",
        ),
        ("parallax_channel_missing_ours_messages_total{source=\"sip\",channel=\"tv1\"}".into(), "4014"),
        (line("packets_total"), "3100"),
        (line("last_packet_timestamp_seconds"), "1772461798.5"),
        (line("kernel_drops_total"), "3105"),
        (line("joined"), "1"),
        (lag("50"), "0.0042"),
        (lag("99"), "0.0126"),
        ("parallax_comparator_time_seconds".into(), "1772461799.75"),
        ("parallax_pair_lead_seconds{first=\"direct\",second=\"sip\"}".into(), "-0.00031"),
        ("parallax_pair_comparable_seconds{first=\"direct\",second=\"sip\"}".into(), "3600.0"),
        ("parallax_alerts_raised_total{kind=\"divergent\",severity=\"major\"}".into(), "40"),
        ("parallax_alerts_open{kind=\"silent\",severity=\"critical\"}".into(), "1"),
        ("parallax_held_back_total{kind=\"divergent\",reason=\"halted\"}".into(), "77"),
        ("parallax_outlet_working{outlet=\"log\"}".into(), "1"),
        ("parallax_outlet_working{outlet=\"webhook\"}".into(), "0"),
        ("parallax_outlet_dropped_total{outlet=\"webhook\"}".into(), "802"),
        ("parallax_recorder_not_kept_total".into(), "902"),
        ("parallax_recorder_working".into(), "1"),
        ("parallax_store_working".into(), "1"),
        ("parallax_store_not_stored_total{what=\"transitions\"}".into(), "912"),
        ("parallax_store_log_bytes".into(), "916"),
        (stage("99.9"), "0.000045"),
        (stage("100"), "-7e-9"),
    ];
    for (name, value) in expected {
        assert_eq!(found.get(name).map(String::as_str), Some(*value), "{name}");
    }
}

/// What the snapshot holds and the page leaves out: what is no number, and the sum of `parallax_alerts_open`. Of the
/// troubles there is the count.
const LEFT_OUT: &[&str] = &[
    "comparator.core",
    "comparator.open",
    "pid",
    "receivers.core",
    "receivers.sources",
    "recorder.directory",
    "store.path",
    "troubles",
];

/// Changes each leaf of the snapshot in turn: the page must change with it.
#[test]
fn every_field_is_on_the_page() {
    let tree = serde_json::to_value(kit::full()).unwrap();
    let mut paths = Vec::new();
    leaves(&tree, &mut String::new(), &mut paths);
    assert!(paths.len() > 100);
    let before = metrics(&kit::full());
    let mut left_out = BTreeSet::new();
    for path in paths {
        let mut changed = tree.clone();
        let leaf = changed.pointer_mut(&path).unwrap();
        *leaf = match leaf {
            serde_json::Value::Bool(b) => (!*b).into(),
            serde_json::Value::Number(n) => (n.as_i64().unwrap() + 1_000_000_000).into(),
            serde_json::Value::String(s) if path.ends_with("/error") && !s.is_empty() => "".into(),
            serde_json::Value::String(s) if path.ends_with("/state") && s == "up" => "waiting".into(),
            _ => "another".into(),
        };
        let changed: Status = serde_json::from_value(changed).unwrap();
        let field: Vec<_> = path.split('/').filter(|p| !p.is_empty() && p.parse::<u32>().is_err()).collect();
        let field = field.join(".");
        if metrics(&changed) == before {
            left_out.insert(field);
        }
    }
    assert_eq!(
        left_out,
        LEFT_OUT.iter().map(|s| (*s).to_owned()).collect(),
        "these change and the page does not"
    );
}

fn leaves(tree: &serde_json::Value, path: &mut String, found: &mut Vec<String>) {
    let mut inner = |name: String, value| {
        let length = path.len();
        path.push('/');
        path.push_str(&name);
        leaves(value, path, found);
        path.truncate(length);
    };
    match tree {
        serde_json::Value::Object(members) => members.iter().for_each(|(k, v)| inner(k.clone(), v)),
        serde_json::Value::Array(all) => all.iter().enumerate().for_each(|(n, v)| inner(n.to_string(), v)),
        _ => found.push(path.clone()),
    }
}

#[test]
fn every_family_has_a_sample_and_a_sentence() {
    let page = metrics(&kit::full());
    let names = names(&page);
    let mut families = 0;
    for line in page.lines().filter_map(|l| l.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let sample = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
        assert!(names.contains(&sample), "{name} has no sample in a full snapshot");
        assert!(page.lines().any(|l| l.starts_with(&format!("# HELP {name} "))));
        families += 1;
    }
    assert_eq!(families, names.len());
    assert!(families > 60);
    assert!(page.ends_with("\n# EOF\n"));
}

#[test]
fn the_older_format_has_the_same_samples_under_the_names_of_its_counters() {
    let page = metrics(&kit::full());
    let old = older(&page);
    assert_eq!(samples(&old), samples(&page));
    let names = names(&old);
    let typed: BTreeSet<_> =
        old.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert_eq!(typed, names.iter().map(String::as_str).collect());
    assert_eq!(old.matches("# HELP ").count(), names.len());
    assert!(old.contains(
        "# HELP parallax_line_packets_total Datagrams of a line\n# TYPE parallax_line_packets_total counter\n"
    ));
    assert!(!old.contains("# EOF"));
}

#[test]
fn a_daemon_that_has_just_started_has_a_page() {
    let page = metrics(&Status::default());
    assert_eq!(samples(&page).get("parallax_troubles").map(String::as_str), Some("0"));
    // Never is no time.
    assert!(!names(&page).contains("parallax_comparator_time_seconds"));
    assert!(page.ends_with("\n# EOF\n"));
}

proptest! {
    /// Whatever a configuration calls things, a line is a line and a label ends where it ends.
    #[test]
    fn any_names_make_a_page(name in any::<String>(), other in ".*[\"\\\\\n{}]?.*", error in any::<String>()) {
        let mut status = kit::full();
        status.name.clone_from(&name);
        status.sources[0].name.clone_from(&name);
        status.sources[1].feed.clone_from(&other);
        status.sources[1].errors[0].name.clone_from(&error);
        status.outlets[0].name.clone_from(&other);
        let page = metrics(&status);
        for line in page.split('\n').filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let value = line.rsplit_once(' ').and_then(|(_, v)| v.parse::<f64>().ok());
            prop_assert!(value.is_some(), "{}", line);
            let open = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
            prop_assert!(open.is_multiple_of(2), "{}", line);
            prop_assert!(line.starts_with("parallax_"), "{}", line);
        }
        prop_assert!(page.ends_with("\n# EOF\n"));
    }
}
