//! The files in `tools/`: they name only metrics that there are, and every rule is tested.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use parallax::run::web::{metrics, older};
use serde_json::Value;

use crate::kit;
use crate::page::names;

pub fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(name)
}

pub fn read(name: &str) -> String {
    std::fs::read_to_string(tool(name)).unwrap_or_else(|e| panic!("tools/{name}: {e}"))
}

/// Words that are names of metrics: those that begin with `parallax_`.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|w| w.starts_with("parallax_")).map(str::to_owned).collect()
}

fn assert_known(file: &str, used: &BTreeSet<String>) {
    let known = names(&metrics(&kit::full()));
    let unknown: Vec<_> = used.difference(&known).collect();
    assert!(unknown.is_empty(), "{file} names what /metrics does not have: {unknown:?}");
    assert!(used.len() > 15, "{file} names only {used:?}: is the test looking aright?");
}

#[test]
fn rules_name_metrics_that_there_are() {
    assert_known("parallax.rules.yml", &metric_names(&read("prometheus/parallax.rules.yml")));
    assert_known("rules_test.yml", &metric_names(&read("prometheus/rules_test.yml")));
}

#[test]
fn every_rule_is_seen_to_fire_and_to_be_quiet() {
    let rules = read("prometheus/parallax.rules.yml");
    let alerts = rules.lines().filter_map(|l| l.trim().strip_prefix("- alert: ")).collect::<Vec<_>>();
    assert!(alerts.len() > 15);
    let tests = read("prometheus/rules_test.yml");
    let cases: Vec<&str> = tests.split("alertname: ").skip(1).collect();
    for alert in alerts {
        let of = || cases.iter().filter(|c| c.lines().next() == Some(alert));
        let (quiet, firing): (Vec<&&str>, Vec<&&str>) = of().partition(|c| c.contains("exp_alerts: []"));
        assert!(!quiet.is_empty() && !firing.is_empty(), "{alert} is not tested both ways");
    }
}

/// Panels, those within rows too.
fn panels<'a>(dashboard: &'a Value, found: &mut Vec<&'a Value>) {
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        found.push(panel);
        panels(panel, found);
    }
}

#[test]
fn the_dashboard_shows_metrics_that_there_are() {
    let text = read("grafana/parallax.json");
    let dashboard: Value = serde_json::from_str(&text).expect("tools/grafana/parallax.json is JSON");
    let (mut used, mut ids, mut all) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    panels(&dashboard, &mut all);
    for panel in &all {
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "an id is there twice");
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24);
        let targets = panel["targets"].as_array().map_or(&[] as &[Value], Vec::as_slice);
        assert_eq!(targets.is_empty(), panel["type"] == "row", "{}", panel["title"]);
        for target in targets {
            let expression = target["expr"].as_str().expect("an expression");
            let names = metric_names(expression);
            assert!(!names.is_empty() || expression.contains("up{"), "{expression}");
            used.extend(names);
        }
    }
    assert_known("parallax.json", &used);
    // What a person is woken for can be looked at.
    let unseen = ["parallax_alerts_open", "parallax_ring_overruns_total", "parallax_line_kernel_drops_total"];
    assert!(unseen.iter().all(|name| used.contains(*name)));
}

#[test]
fn panels_do_not_lie_on_each_other() {
    let dashboard: Value = serde_json::from_str(&read("grafana/parallax.json")).expect("JSON");
    let (mut all, mut taken) = (Vec::new(), BTreeSet::new());
    panels(&dashboard, &mut all);
    for panel in all {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|k| panel["gridPos"][k].as_u64().expect("a number"));
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            assert!(taken.insert(cell), "{} lies on another panel at {cell:?}", panel["title"]);
        }
    }
}

/// The tool, or a loud word that it is not there.
pub fn found(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok_and(|o| o.status.success());
    if !there {
        println!("SKIPPED: no {tool} here (apt-get install --no-install-recommends prometheus)");
    }
    there
}

fn promtool(arguments: &[&str], file: &Path, input: Option<&str>) {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(tool("prometheus"));
    if input.is_none() {
        command.arg(file);
    }
    let output = match input {
        None => command.output(),
        Some(text) => {
            let written = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(written.path(), text).unwrap();
            command.stdin(written.reopen().unwrap()).output()
        }
    };
    let output = output.unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "promtool {arguments:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn promtool_finds_nothing_wrong() {
    if !found("promtool") {
        return;
    }
    promtool(&["check", "rules"], Path::new("parallax.rules.yml"), None);
    promtool(&["check", "config"], Path::new("prometheus.yml"), None);
    promtool(&["test", "rules"], Path::new("rules_test.yml"), None);
    promtool(&["check", "metrics"], Path::new("-"), Some(&older(&metrics(&kit::full()))));
}
