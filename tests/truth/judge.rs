//! Holds alerts against the truth: what fits, what is wrong, what nothing explains.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// One alert with all its lines.
#[derive(Debug)]
pub struct Told {
    /// What it was raised as, then what it was escalated to.
    pub kinds: Vec<String>,
    pub raised: Value,
    pub raised_ns: u64,
    pub began: u64,
    pub ended: u64,
    pub reason: String,
    pub sequence: Option<Range>,
}

/// First, last and count of messages.
pub type Range = [u64; 3];

pub fn time(value: &Value) -> Option<u64> {
    let text: jiff::Timestamp = value.as_str()?.parse().unwrap();
    Some(u64::try_from(text.as_nanosecond()).unwrap())
}

fn range(line: &Value) -> Option<Range> {
    let number = |name: &str| line["sequence"][name].as_u64();
    Some([number("first")?, number("last")?, number("count")?])
}

/// Lines of one alert gathered, in the order in which they were raised; each is raised once and cleared once.
pub fn gather(lines: &[Value]) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let mut places = BTreeMap::new();
    let mut now = 0;
    for line in lines {
        let id = line["id"].as_str().unwrap();
        let ts = time(&line["ts"]).unwrap();
        assert!(ts >= now, "out of order: {line}");
        now = ts;
        let kind = line["kind"].as_str().unwrap().to_owned();
        match line["event"].as_str().unwrap() {
            "raised" => {
                let began = time(&line["began"]).unwrap();
                assert!(began <= ts, "raised before it began: {line}");
                let raised = line.clone();
                assert!(places.insert(id.to_owned(), told.len()).is_none(), "raised twice: {line}");
                let (ended, reason, sequence) = (u64::MAX, String::new(), None);
                told.push(Told { kinds: vec![kind], raised, raised_ns: ts, began, ended, reason, sequence });
            }
            event => {
                let alert = &mut told[*places.get(id).expect("not raised before")];
                assert_eq!(alert.ended, u64::MAX, "cleared already: {line}");
                if event == "escalated" {
                    alert.kinds.push(kind);
                    continue;
                }
                assert_eq!(event, "cleared");
                alert.ended = time(&line["ended"]).unwrap();
                alert.reason = line["reason"].as_str().unwrap().to_owned();
                alert.sequence = range(line);
                assert!(alert.began <= alert.ended && alert.ended <= ts, "ended: {line}");
                assert_eq!(line["duration_ns"].as_u64(), Some(alert.ended - alert.began), "{line}");
            }
        }
    }
    let open: Vec<&Told> = told.iter().filter(|t| t.ended == u64::MAX).collect();
    assert!(open.is_empty(), "never cleared: {open:?}");
    told
}

pub fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect()
}

/// Whether the alert is about what the truth names, and told as one of the kinds.
pub fn fits(alert: &Told, wanted: &Value) -> bool {
    let kind = alert.kinds[0].as_str();
    // A stale instrument is told for both sides, and of one source.
    let stale = kind == "stale";
    let named = |name: &str| wanted[name].is_null() || wanted[name] == alert.raised[name];
    let (ours, theirs) = (names(&alert.raised["sources"]), &wanted["sources"]);
    let sources = theirs.is_null() || names(theirs) == ours || stale && ours.is_subset(&names(theirs));
    let (from, to) = (time(&wanted["from"]).unwrap_or(0), time(&wanted["to"]).unwrap_or(u64::MAX));
    let sequence = match (range(wanted), alert.sequence) {
        (Some([first, last, _]), Some([a, b, _])) => a <= last && first <= b,
        (wanted, _) => wanted.is_none(),
    };
    names(&wanted["any_of"]).contains(kind)
        && ["instrument", "venue", "channel", "line", "scope"].into_iter().all(named)
        && (stale || named("side"))
        && sources
        && alert.began <= to
        && alert.ended >= from
        && sequence
}

const MS: u64 = 1_000_000;

/// What is wrong with an alert that tells what is wanted: its moments, who is late, what it became.
fn blemishes(alert: &Told, wanted: &Value, whole: bool) -> Vec<&'static str> {
    let kind = alert.kinds[0].as_str();
    let (from, to) = (time(&wanted["from"]).unwrap_or(0), time(&wanted["to"]).unwrap_or(u64::MAX));
    let stale = kind == "stale" && names(&wanted["any_of"]).len() > 1;
    let stood = alert.raised_ns - alert.began;
    let judged = ["lagging", "divergent", "crossed", "locked"].contains(&kind);
    let agreed = ["agreed", "uncrossed"].contains(&alert.reason.as_str());
    let became = names(&wanted["becomes"]);
    let lag = alert.raised["lag_ns"].as_u64();
    let longest = wanted["lag_ns"].as_u64();
    let late = &wanted["late"];
    let many = wanted["many"] == true;
    // What is lost on one line within a gap is told of neither line in full.
    let exact = kind == "gap" || kind == "line" && whole;
    let rules = [
        ("raised too late", time(&wanted["by"]).is_some_and(|by| alert.raised_ns > by)),
        ("another beginning", (judged || kind == "stale" && !stale) && !many && alert.began != from),
        ("another end", judged && !many && (alert.ended > to || agreed && alert.ended != to)),
        ("no reason to end", judged && !agreed && !alert.reason.starts_with("not_comparable:")),
        ("told before its delay", judged && kind != "lagging" && stood < 25 * MS),
        ("told before its delay", kind == "stale" && !stale && stood < 3_000 * MS),
        ("told before its delay", kind == "silent" && stood < 2_000 * MS),
        ("told before its delay", kind == "status" && stood < 250 * MS),
        ("told before its delay", kind == "missing" && stood < 5_000 * MS),
        ("lag within the limit", kind == "lagging" && lag.is_none_or(|lag| lag < 20 * MS)),
        ("more lag than there was", kind == "lagging" && !many && lag > longest),
        ("another is late", kind == "lagging" && !late.is_null() && *late != alert.raised["sources"][0]),
        ("became something else", alert.kinds[1..].iter().any(|k| !became.contains(k.as_str()))),
        ("another range", exact && range(wanted).is_some() && range(wanted) != alert.sequence),
    ];
    rules.into_iter().filter(|(_, wrong)| *wrong).map(|(name, _)| name).collect()
}

/// Everything that is wrong: faults that were not found, or told twice or otherwise than they were; alerts that no
/// fault explains.
pub fn faults_of(lines: &[Value], truth: &[Value]) -> Vec<String> {
    let alerts = gather(lines);
    let mut wrong = Vec::new();
    let mut explained = vec![false; alerts.len()];
    for record in truth {
        let whole = record["expect"].as_array().unwrap().iter().all(|w| w["any_of"][0] != "gap");
        for (list, must) in [("expect", true), ("accept", false)] {
            for wanted in record[list].as_array().unwrap() {
                let mut found = BTreeMap::new();
                for (alert, explained) in alerts.iter().zip(&mut explained).filter(|(a, _)| fits(a, wanted)) {
                    *explained = true;
                    // Of many, the first must come in time.
                    let first = wanted["many"] != true || found.is_empty();
                    *found.entry(alert.kinds[0] == "stale").or_insert(0) += 1;
                    for name in blemishes(alert, wanted, whole)
                        .into_iter()
                        .filter(|name| first || *name != "raised too late")
                    {
                        wrong.push(format!(
                            "fault {} {}: {name}: {} {} {} for {wanted}",
                            record["fault"], record["kind"], alert.raised, alert.ended, alert.reason
                        ));
                    }
                }
                let what = match (found.is_empty(), found.values().all(|n| *n == 1)) {
                    (true, _) if must => "not found",
                    (false, false) if wanted["many"] != true => "told more than once",
                    _ => continue,
                };
                wrong.push(format!("fault {} {}: {what}: {wanted}", record["fault"], record["kind"]));
            }
        }
    }
    for (alert, explained) in alerts.iter().zip(explained) {
        if !explained {
            wrong.push(format!("nothing explains {} (cleared {})", alert.raised, alert.ended));
        }
    }
    wrong
}
