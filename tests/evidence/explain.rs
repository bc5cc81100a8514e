//! The demo's four faults, explained.

use serde_json::Value;

use crate::kit::{GAP, LATE, LINE, WRONG_PRICE, captures, demo, parallax, stderr, stdout};

fn explain(id: &str, more: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().unwrap();
    let (config, captures) = (demo("parallax.toml"), captures());
    let mut arguments = vec!["explain", id, "--config", config.to_str().unwrap()];
    arguments.extend(captures.iter().map(|c| c.to_str().unwrap()));
    arguments.extend(more);
    parallax(folder.path(), &arguments)
}

fn json(id: &str) -> Value {
    let output = explain(id, &["--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn standing<'a>(value: &'a Value, name: &str) -> &'a str {
    let found = value["hypotheses"].as_array().unwrap().iter().find(|h| h["hypothesis"] == name);
    found.unwrap()["standing"].as_str().unwrap()
}

#[test]
fn the_faults_of_the_demo_are_explained() {
    let wrong = json(WRONG_PRICE);
    assert_eq!((&wrong["cause"], &wrong["source"]), (&"source".into(), &"sip".into()), "{wrong}");
    assert_eq!(standing(&wrong, "wrong_value"), "supported");
    let late = json(LATE);
    assert_eq!((&late["cause"], &late["source"]), (&"source".into(), &"sip".into()), "{late}");
    assert_eq!(standing(&late, "late"), "supported");
    assert_eq!(late["order"]["first"], "direct");
    let line = json(LINE);
    assert_eq!((&line["cause"], &line["source"]), (&"network".into(), &Value::Null), "{line}");
    // Two messages are missing on the only line; its sender counts its packets, and sent two more than came.
    let gap = json(GAP);
    assert_eq!((&gap["cause"], &gap["source"]), (&"network".into(), &Value::Null), "{gap}");
    assert!(gap["because"].as_str().unwrap().contains("2 packets were sent and did not come"), "{gap}");
}

#[test]
fn the_text_says_the_verdict_first_and_the_same_every_time() {
    let text = stdout(&explain(WRONG_PRICE, &[]));
    assert!(text.starts_with("VERDICT  source sip\n"), "{text}");
    for part in [
        "since    2026-03-02T14:30:01.486795287Z for 313ms",
        "touched  0 of 19",
        "sip.pcap.zst frame 425, seq 505",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text, stdout(&explain("174B", &[])), "as much of the id as no other has");
}

#[test]
fn the_order_is_told_with_its_error_or_not_at_all() {
    let known = stdout(&explain(LATE, &["--clock-error", "50us"]));
    assert!(
        known.contains("order    direct was first: sip showed the same 80.4ms later, give or take 50.0us"),
        "{known}"
    );
    let unknown = stdout(&explain(LATE, &["--clock-error", "200ms"]));
    assert!(
        unknown.contains(
            "order    the order cannot be known: the difference is within the clocks' error of 200ms"
        ),
        "{unknown}"
    );
}

#[test]
fn what_is_no_alert_is_told_in_one_sentence() {
    for (id, more, said) in [
        ("ffff", [].as_slice(), "no alert's id begins with ffff: 8 alerts were raised"),
        ("", &[], "is the beginning of several alerts' ids"),
        (LATE, &["--clock-error", "soon"], "--clock-error soon is no duration"),
        (LATE, &["-"], "standard input cannot be read twice"),
    ] {
        let output = explain(id, more);
        assert_eq!(output.status.code(), Some(2), "{id} {more:?}");
        let told = stderr(&output);
        assert!(told.contains(said) && told.lines().count() == 1, "{told}");
    }
}
