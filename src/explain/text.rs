//! An explanation as a text that can be forwarded: verdict first, then since when, whom it touched, what shows it, and
//! what would decide it.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::facts::Facts;
use super::hypotheses::words::{length, many, moment, place, price};
use super::hypotheses::{Blame, Finding, Hypothesis, Standing};
use super::verdict::{Explanation, Verdict};
use feeds::event::Side;

/// What the alert is about, in a few words.
pub fn about(facts: &Facts) -> String {
    let alert = &facts.alert;
    let mut out = alert.kind.name().to_owned();
    if alert.told != alert.kind {
        let _ = write!(out, " (became {})", alert.told.name());
    }
    let _ = write!(out, ", {}", alert.sources.join(" against "));
    let parts = [
        alert.instrument.clone(),
        alert.venue.as_ref().map(|v| format!("at {v}")),
        alert.side.map(|s| Side::name(s).to_owned()),
        alert.channel.as_ref().map(|c| format!("channel {c}")),
        alert.line.as_ref().map(|l| format!("line {l}")),
    ];
    for part in parts.into_iter().flatten() {
        let _ = write!(out, ", {part}");
    }
    out
}

/// The whole text.
pub fn write(facts: &Facts, explanation: &Explanation) -> String {
    let alert = &facts.alert;
    let mut out = String::new();
    let _ = writeln!(out, "VERDICT  {}{}", explanation.verdict, left(explanation));
    let _ = writeln!(out, "         {}", explanation.because);
    let _ = writeln!(out, "\nalert    {} {} ({})", alert.id, about(facts), alert.severity);
    let _ = writeln!(out, "         {}", alert.why);
    since(&mut out, facts);
    let _ = writeln!(out, "touched  {}", touched(facts));
    if alert.sources.len() == 2 {
        let _ = writeln!(out, "order    {}", explanation.order);
    }
    for (n, rule) in explanation.rules.iter().enumerate() {
        let _ = writeln!(out, "{}{rule}", if n == 0 { "rules    " } else { "         " });
    }
    if let Some(views) = facts.pair() {
        for view in views {
            shown(&mut out, facts, view);
        }
    }
    if explanation.verdict == Verdict::Undecided && !explanation.decides.is_empty() {
        let _ = writeln!(out, "\nwhat would decide it");
        explanation.decides.iter().for_each(|ask| sentence(&mut out, "- ", ask));
    }
    for (standing, heading) in [
        (Standing::Supported, "what speaks for it"),
        (Standing::Open, "what the data neither show nor exclude"),
        (Standing::Excluded, "what the data exclude"),
    ] {
        let of: Vec<_> = explanation.findings.iter().filter(|(_, f)| f.standing == standing).collect();
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{heading}");
        of.into_iter().for_each(|(hypothesis, finding)| found(&mut out, hypothesis, finding));
    }
    let idle = explanation.findings.iter().filter(|(_, f)| f.standing == Standing::NotApplicable);
    let idle: Vec<&str> = idle.map(|(h, _)| h.title).collect();
    if !idle.is_empty() {
        let _ = writeln!(out, "\nnot asked of a {} alert: {}", alert.kind.name(), idle.join("; "));
    }
    out
}

/// Whom the data leave, where nothing is decided.
fn left(explanation: &Explanation) -> String {
    let of = |f: &&Finding| matches!(f.standing, Standing::Supported | Standing::Open);
    let left = explanation.findings.iter().map(|(_, f)| f).filter(of).flat_map(|f| &f.blames);
    let left: BTreeSet<&Blame> = left.collect();
    let names: Vec<String> = left.into_iter().map(ToString::to_string).collect();
    match explanation.verdict {
        Verdict::Undecided if !names.is_empty() => format!(": {}", names.join(" or ")),
        _ => String::new(),
    }
}

fn since(out: &mut String, facts: &Facts) {
    let alert = &facts.alert;
    let _ = write!(out, "since    {}", moment(alert.began_ns));
    match alert.ended_ns {
        Some(ended) => {
            let reason = alert.reason.as_deref().unwrap_or("ended");
            let lasted = length(ended.saturating_sub(alert.began_ns));
            let _ = writeln!(out, " for {lasted}, until {} ({reason})", moment(ended));
        }
        None => {
            let _ = writeln!(out, ", still so when the data end at {}", moment(facts.data.to_ns));
        }
    }
    let late = facts.subject().and_then(|s| s.latency.built_up_since_ns);
    if let Some(at) = late.filter(|at| *at < alert.began_ns) {
        let _ = writeln!(out, "         its source's messages had come late since {}", moment(at));
    }
}

/// What else was wrong meanwhile, in words.
pub fn touched(facts: &Facts) -> String {
    let mut parts = Vec::new();
    for pairing in
        facts.pairings.iter().filter(|p| facts.alert.sources.contains(&p.other) || p.others_apart > 0)
    {
        if pairing.others_shared > 0 {
            parts.push(format!(
                "{} of {} other instruments of {} and {} differed for more than 20 ms meanwhile",
                pairing.others_apart, pairing.others_shared, pairing.subject, pairing.other
            ));
        }
    }
    for beside in &facts.beside {
        let of = match (beside.instruments, beside.names.len() as u64) {
            (0, _) => String::new(),
            (all, named) => {
                let more = if all > named { format!(" and {} more", all - named) } else { String::new() };
                format!(" of {} ({}{more})", many(all, "instrument"), beside.names.join(", "))
            }
        };
        parts.push(format!(
            "{} {}{of} naming {}",
            beside.alerts,
            plural(beside.kind.name(), beside.alerts),
            beside.source
        ));
    }
    if parts.is_empty() {
        parts.push("nothing else was wrong meanwhile".to_owned());
    }
    parts.join("; ")
}

fn plural(kind: &str, count: u64) -> String {
    if count == 1 { format!("{kind} alert") } else { format!("{kind} alerts") }
}

/// What a side showed as it was raised.
fn shown(out: &mut String, facts: &Facts, view: &super::facts::ViewFacts) {
    let Some(shown) = view.at(facts.told_ns()) else { return };
    let side = |i: usize| {
        shown.quote.best[i].map_or_else(|| "-".to_owned(), |l| format!("{} x {}", price(l.price), l.quantity))
    };
    let _ = writeln!(
        out,
        "         {} shows {} / {} since {} ({})",
        view.source,
        side(0),
        side(1),
        moment(shown.at_ns),
        place(&shown.spot)
    );
}

fn found(out: &mut String, hypothesis: &Hypothesis, finding: &Finding) {
    let blames: Vec<String> = finding.blames.iter().map(ToString::to_string).collect();
    let blames = if blames.is_empty() { "nobody".to_owned() } else { blames.join(" or ") };
    let _ = writeln!(out, "  {} (would be: {blames})", hypothesis.title);
    finding.supports.iter().for_each(|s| sentence(out, "    + ", s));
    finding.contradicts.iter().for_each(|s| sentence(out, "    - ", s));
    finding.cites.iter().for_each(|s| sentence(out, "    § ", s));
    if finding.standing == Standing::Open {
        finding.decides.iter().for_each(|s| sentence(out, "    ? ", s));
    }
}

fn sentence(out: &mut String, mark: &str, text: &str) {
    let _ = writeln!(out, "{mark}{text}");
}
