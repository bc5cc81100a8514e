//! The one-page summary: a self-contained page with a picture of what both sources showed, readable on paper too.

use crate::alert::json::show_time;
use crate::chart::steps::{self, Line, Mark, Steps};
use crate::chart::{STYLE, escape, line_legend};
use crate::explain::facts::{Facts, Span, ViewFacts};
use crate::explain::hypotheses::Standing;
use crate::explain::hypotheses::words::length;
use crate::explain::text::{about, touched};
use crate::explain::{Explanation, Verdict};
use crate::market::price::show_nanos;
use std::fmt::Write;

/// A picture shows at least this much before and after.
const MARGIN_MIN_NS: u64 = 100_000_000;
/// And at most this much.
const MARGIN_MAX_NS: u64 = 5_000_000_000;

/// The whole page.
pub fn write(facts: &Facts, explanation: &Explanation, version: &str) -> String {
    let alert = &facts.alert;
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    let title = format!("Alert {}: {}", alert.id, about(facts));
    let _ = write!(out, "<title>{}</title><style>{STYLE}</style></head>\n<body><main>", escape(&title));
    let _ = write!(out, "<h1>{}</h1>", escape(&about(facts)));
    let _ = write!(
        out,
        "<p class=\"from\">alert {} &middot; {} &middot; all times UTC, by our receipt</p>",
        alert.id, alert.severity
    );
    let class = if explanation.verdict == Verdict::Undecided { "unsure" } else { "bad" };
    let _ = write!(
        out,
        "<div class=\"verdict {class}\"><b>Verdict: {}</b><br>{}</div>",
        escape(&explanation.verdict.to_string()),
        escape(&explanation.because)
    );
    facts_table(&mut out, facts, explanation);
    pictures(&mut out, facts);
    if !explanation.decides.is_empty() {
        out.push_str("<section><h2>What would decide it</h2><ul class=\"notes\">");
        explanation.decides.iter().for_each(|ask| {
            let _ = write!(out, "<li>{}</li>", escape(ask));
        });
        out.push_str("</ul></section>");
    }
    hypotheses(&mut out, explanation);
    let _ = write!(
        out,
        "<p class=\"from\">parallax {} &middot; the packets, the configuration and the replay that gives this again are in the same file</p>",
        escape(version)
    );
    out.push_str("</main></body></html>\n");
    out
}

fn facts_table(out: &mut String, facts: &Facts, explanation: &Explanation) {
    let alert = &facts.alert;
    let lasted = alert.ended_ns.map_or_else(
        || format!("still so when the data end, {}", show_time(facts.data.to_ns)),
        |ended| format!("{}, until {}", length(ended.saturating_sub(alert.began_ns)), show_time(ended)),
    );
    let mut rows = vec![("what", alert.why.clone()), ("since", show_time(alert.began_ns)), ("for", lasted)];
    if alert.sources.len() == 2 {
        rows.push(("order", explanation.order.to_string()));
    }
    rows.push(("touched", touched(facts)));
    out.push_str("<section><div class=\"wide\"><table>");
    for (name, value) in rows {
        let _ = write!(
            out,
            "<tr><th class=\"l\">{name}</th><td class=\"l\" style=\"white-space:normal\">{}</td></tr>",
            escape(&value)
        );
    }
    out.push_str("</table></div></section>");
}

/// A picture for each side that the alert is about.
fn pictures(out: &mut String, facts: &Facts) {
    let alert = &facts.alert;
    let views: Vec<&ViewFacts> = match facts.pair() {
        Some(pair) => pair.to_vec(),
        None => {
            facts.views.iter().filter(|v| v.venue == alert.venue || alert.venue.is_none()).take(8).collect()
        }
    };
    if views.is_empty() {
        out.push_str("<section><p class=\"points\">The alert is about a line or a source, not about prices: there is nothing to draw.</p></section>");
        return;
    }
    let during = facts.during();
    let margin = during.len_ns().clamp(MARGIN_MIN_NS, MARGIN_MAX_NS);
    let shown = Span {
        from_ns: during.from_ns.saturating_sub(margin).max(facts.data.from_ns),
        to_ns: during.to_ns.saturating_add(margin).min(facts.data.to_ns.max(during.to_ns)),
    };
    let sides = alert.side.map_or_else(|| vec![0, 1], |s| vec![s.index()]);
    out.push_str("<section>");
    for side in sides {
        let points: Vec<Vec<(u64, Option<i64>)>> =
            views.iter().map(|v| v.shown.iter().map(|s| (s.at_ns, facts.price(s, side))).collect()).collect();
        let lines: Vec<Line<'_>> =
            points.iter().enumerate().map(|(style, points)| Line { style, points }).collect();
        let mut marks = vec![
            Mark { ts_ns: alert.began_ns, text: "began".to_owned() },
            Mark { ts_ns: alert.raised_ns, text: "raised".to_owned() },
        ];
        marks.extend(alert.ended_ns.map(|ts_ns| Mark { ts_ns, text: "ended".to_owned() }));
        let name = ["bid", "ask"][side];
        let label =
            format!("{name} prices of {} over time", alert.instrument.as_deref().unwrap_or("the instrument"));
        let names: Vec<String> = views
            .iter()
            .map(|v| match &v.venue {
                Some(venue) => format!("{} at {venue}", v.source),
                None => format!("{} national best", v.source),
            })
            .collect();
        let svg = steps::draw(&Steps {
            lines: &lines,
            marks: &marks,
            shades: &[(during.from_ns, during.to_ns, "the alert")],
            window_ns: (shown.from_ns, shown.to_ns),
            show: show_nanos,
            label: &label,
        });
        let _ = write!(
            out,
            "<figure><figcaption>{}{}</figcaption>{svg}</figure>",
            escape(&label),
            line_legend(&names)
        );
    }
    out.push_str("</section>");
}

fn hypotheses(out: &mut String, explanation: &Explanation) {
    out.push_str("<section><h2>What was tested</h2><div class=\"wide\"><table><tr><th class=\"l\">hypothesis</th><th class=\"l\">stands</th><th class=\"l\">would be</th><th class=\"l\">evidence (+ for, &minus; against, &sect; rule or reference data)</th></tr>");
    for (hypothesis, finding) in &explanation.findings {
        if finding.standing == Standing::NotApplicable {
            continue;
        }
        let class = match finding.standing {
            Standing::Supported => "bad",
            Standing::Open => "unsure",
            _ => "good",
        };
        let blames: Vec<String> = finding.blames.iter().map(ToString::to_string).collect();
        let supports = finding.supports.iter().map(|s| format!("+ {}", escape(s)));
        let contradicts = finding.contradicts.iter().map(|s| format!("&minus; {}", escape(s)));
        let cites = finding.cites.iter().map(|s| format!("&sect; {}", escape(s)));
        let evidence: Vec<String> = supports.chain(contradicts).chain(cites).collect();
        let _ = write!(
            out,
            "<tr><td class=\"l\" style=\"white-space:normal\">{}</td><td class=\"{class}\" style=\"text-align:left\">{}</td><td class=\"l\" style=\"white-space:normal\">{}</td><td class=\"l\" style=\"white-space:normal\">{}</td></tr>",
            escape(hypothesis.title),
            finding.standing.name(),
            escape(&blames.join(" or ")),
            evidence.join("<br>")
        );
    }
    out.push_str("</table></div></section>");
}
