//! An explanation as one JSON object, for programs.

use serde_json::{Value, json};

use super::facts::Facts;
use super::order::Order;
use super::verdict::Explanation;
use crate::alert::json::show_time;

/// The whole of it. Times are RFC 3339, lengths nanoseconds.
pub fn write(facts: &Facts, explanation: &Explanation) -> Value {
    let alert = &facts.alert;
    let findings = explanation.findings.iter().map(|(hypothesis, finding)| {
        let blames: Vec<Value> = finding
            .blames
            .iter()
            .map(|b| match b {
                super::hypotheses::Blame::Source(name) => json!({"cause": "source", "source": name}),
                other => json!({"cause": other.cause()}),
            })
            .collect();
        json!({
            "hypothesis": hypothesis.name,
            "title": hypothesis.title,
            "standing": finding.standing.name(),
            "would_be": blames,
            "for": finding.supports,
            "against": finding.contradicts,
            "decides": finding.decides,
            "rules": finding.cites,
        })
    });
    let beside = facts.beside.iter().map(|b| {
        json!({"kind": b.kind.name(), "source": b.source, "alerts": b.alerts, "instruments": b.instruments,
            "first_instruments": b.names})
    });
    let touched = facts.pairings.iter().map(|p| {
        json!({"source": p.subject, "other": p.other, "instruments_apart": p.others_apart, "instruments_shared": p.others_shared})
    });
    json!({
        "alert": {
            "id": alert.id,
            "kind": alert.kind.name(),
            "told": alert.told.name(),
            "severity": alert.severity,
            "instrument": alert.instrument,
            "venue": alert.venue,
            "side": alert.side.map(feeds::event::Side::name),
            "sources": alert.sources,
            "channel": alert.channel,
            "line": alert.line,
            "began": show_time(alert.began_ns),
            "raised": show_time(alert.raised_ns),
            "ended": alert.ended_ns.map(show_time),
            "reason": alert.reason,
            "why": alert.why,
        },
        "cause": explanation.verdict.cause(),
        "source": explanation.verdict.source(),
        "because": explanation.because,
        "decides": explanation.decides,
        "rules": explanation.rules,
        "order": order(&explanation.order),
        "window": {"from": show_time(facts.window.from_ns), "to": show_time(facts.window.to_ns)},
        "data": {"from": show_time(facts.data.from_ns), "to": show_time(facts.data.to_ns)},
        "touched": touched.collect::<Vec<_>>(),
        "beside": beside.collect::<Vec<_>>(),
        "hypotheses": findings.collect::<Vec<_>>(),
    })
}

fn order(order: &Order) -> Value {
    let said = order.to_string();
    match order {
        Order::NotComparable => json!({"known": false, "said": said}),
        Order::First { leader, later, by_ns, error_ns, count, .. } => json!({
            "known": true, "first": leader, "later": later, "by_ns": by_ns, "error_ns": error_ns,
            "matched": count, "said": said,
        }),
        Order::Unknown { seems_ns, error_ns, .. } => {
            json!({"known": false, "seems_ns": seems_ns, "error_ns": error_ns, "said": said})
        }
    }
}
