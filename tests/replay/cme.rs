//! The real A and B lines: as two lines of one channel, and as two sources.

use serde_json::{Value, json};

use crate::kit::*;

/// What the capture holds, counted by other means: 5,000 packets on each line, all alike, B first 4,807 times.
fn assert_two_lines(summary: &Value, alerts: &str) {
    assert_eq!(alerts, "");
    let source = &summary["sources"][0];
    let named = |names: &[&str]| names.iter().map(|n| source[n].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(named(&["packets", "messages", "duplicates"]), [10_000, 10_273, 5_000]);
    assert_eq!(named(&["gaps", "messages_missing", "recovered", "filled_late"]), [0; 4]);
    assert_eq!(source["errors"], json!({}));
    assert_eq!(source["unknown_messages"], json!({}));
    let line = |l: usize| {
        let line = &source["lines"][l];
        ["packets", "wins", "duplicates", "lost", "out_of_order"].map(|n| line[n].as_u64().unwrap())
    };
    assert_eq!(line(0), [5_000, 193, 4_807, 0, 0]);
    assert_eq!(line(1), [5_000, 4_807, 193, 0, 0]);
    // The books start in mid-stream: these levels were there before the capture began.
    let kinds: Vec<_> = source["contradictions"].as_object().unwrap().iter().collect();
    assert_eq!(kinds.len(), 1);
    assert_eq!((kinds[0].0.as_str(), &kinds[0].1["count"]), ("level_unknown_before_start", &json!(4)));
    assert_eq!(summary["alerts"]["raised"], json!(0));
    assert_eq!(summary["unrouted"], json!({}));
    let skew = summary["latency"].as_array().unwrap().iter().find(|s| s["from"] == "A").unwrap();
    assert_eq!((&skew["to"], &skew["count"]), (&json!("B"), &json!(5_000)));
    assert_skew(skew);
}

/// -15.4 to +6.1 us, within the tenth of a per cent that a histogram's buckets are wide.
fn assert_skew(skew: &Value) {
    let ns = |name: &str| skew[name].as_i64().unwrap();
    assert!((ns("min_ns") + 15_400).abs() <= 16, "{skew}");
    assert!((ns("max_ns") - 6_087).abs() <= 7, "{skew}");
    assert_eq!(ns("negative"), 4_807, "{skew}");
    assert!(ns("p50_ns") < 0 && ns("p99_ns") > 0, "{skew}");
}

#[test]
fn two_lines_of_one_channel_as_configured() {
    let Some(path) = session(CME_CAPTURE) else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let told = replay_files(folder.path(), &cme_lines(), &[path.to_str().unwrap()], &[]);
    assert_two_lines(&told.summary, &told.alerts);
    assert_eq!(told.summary["assumed"], json!([]));
}

#[test]
fn two_lines_of_one_channel_as_identified() {
    let Some(path) = session(CME_CAPTURE) else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let told = replay_files(folder.path(), "", &[path.to_str().unwrap()], &[]);
    assert_two_lines(&told.summary, &told.alerts);
    let assumed = told.summary["assumed"].as_array().unwrap();
    assert!(
        assumed[0].as_str().unwrap().starts_with("cme-mdp3 on A = 224.0.31.64:14340, B = 224.0.32.64:15340")
    );
    assert!(assumed[1].as_str().unwrap().contains("parallax identify --write-config"));
}

#[test]
fn two_sources_agree_and_lead_as_the_capture_says() {
    let Some(path) = session(CME_CAPTURE) else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let told = replay_files(folder.path(), &cme_sources(), &[path.to_str().unwrap()], &[]);
    assert_eq!(told.alerts, "");
    let pairs = told.summary["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 1);
    let pair = &pairs[0];
    assert_eq!(pair["sources"], json!(["a", "b"]));
    let agreement: f64 = pair["agreement_percent"].as_str().unwrap().parse().unwrap();
    assert!(agreement >= 99.9, "{pair}");
    let named = |names: &[&str]| names.iter().map(|n| pair[n].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(named(&["matched", "first_led", "second_led", "together"]), [5_000, 193, 4_807, 0]);
    assert_eq!(pair["unmatched"], json!([0, 0]));
    // All that ever differed was the flight from one to the other.
    let kinds: Vec<&String> = pair["segments"].as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["flight"]);
    assert_eq!(pair["lead"]["count"], json!(5_000));
    assert_skew(&pair["lead"]);
    for source in told.summary["sources"].as_array().unwrap() {
        assert_eq!((&source["packets"], &source["messages"]), (&json!(5_000), &json!(10_273)));
        assert_eq!((&source["gaps"], &source["duplicates"]), (&json!(0), &json!(0)));
    }
    // Both show the same, in the same order, instrument by instrument.
    let of = |name: &str| {
        let quotes = told.shown().into_iter().filter(|q| q["source"] == name);
        let mut quotes: Vec<String> = quotes
            .map(|mut q| {
                q["source"] = Value::Null;
                q.to_string()
            })
            .collect();
        quotes.sort();
        quotes
    };
    assert!(of("a").len() > 2_000);
    assert_eq!(of("a"), of("b"));
}
