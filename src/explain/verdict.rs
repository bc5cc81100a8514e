//! From findings to a verdict: it falls only where one cause is left.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::hypotheses::{ALL, Blame, Finding, Hypothesis, Standing};
use super::order::{Order, order};

/// Whose it is, as far as the data tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Something speaks for it, and everything else is excluded.
    Decided(Blame),
    /// More than one cause is left, or none has anything that speaks for it.
    Undecided,
}

impl Verdict {
    /// `ours`, `network`, `source`, `market`, `reference_data` or `undecided`.
    pub fn cause(&self) -> &'static str {
        match self {
            Verdict::Decided(blame) => blame.cause(),
            Verdict::Undecided => "undecided",
        }
    }

    /// The source that is meant, where it is one.
    pub fn source(&self) -> Option<&str> {
        match self {
            Verdict::Decided(Blame::Source(name)) => Some(name),
            _ => None,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Verdict::Decided(blame) => blame.fmt(f),
            Verdict::Undecided => f.write_str("undecided"),
        }
    }
}

/// An alert explained.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Whose it is.
    pub verdict: Verdict,
    /// One sentence: what, and what shows it.
    pub because: String,
    /// What would decide it, or make it surer.
    pub decides: Vec<String>,
    /// Rules and reference data that the verdict relies on, each with its source.
    pub rules: Vec<String>,
    /// Who was first, and how surely.
    pub order: Order,
    /// Every hypothesis of the list with its finding, in the order of the list.
    pub findings: Vec<(&'static Hypothesis, Finding)>,
}

/// Holds every hypothesis against the facts.
pub fn explain(facts: &Facts) -> Explanation {
    let findings: Vec<_> = ALL.iter().map(|h| (h, (h.test)(facts))).collect();
    let (verdict, because) = decide(&findings);
    let decides = match verdict {
        Verdict::Undecided => what_decides(&findings),
        Verdict::Decided(_) => Vec::new(),
    };
    let rules = relied_on(&findings);
    Explanation { verdict, because, decides, rules, order: order(facts), findings }
}

/// What the supported hypotheses cite, each once.
fn relied_on(findings: &[(&'static Hypothesis, Finding)]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (_, finding) in findings.iter().filter(|(_, f)| f.standing == Standing::Supported) {
        out.extend(finding.cites.iter().filter(|c| !out.contains(c)).cloned().collect::<Vec<_>>());
    }
    out
}

/// What lies behind a lateness, a halt or a wrong figure that is supported beside it: told first.
const DEEPER: [&str; 3] = ["bands", "test_data", "old_data"];

/// The rule: at least one supported hypothesis, all supported ones blame the same, and no open one could be another's.
fn decide(findings: &[(&'static Hypothesis, Finding)]) -> (Verdict, String) {
    let with = |standing| findings.iter().filter(move |(_, f)| f.standing == standing);
    let blames: BTreeSet<&Blame> = with(Standing::Supported).flat_map(|(_, f)| &f.blames).collect();
    let supported: Vec<&str> = with(Standing::Supported).map(|(h, _)| h.title).collect();
    let mut blames = blames.into_iter();
    let (first, second) = (blames.next(), blames.next());
    let Some(blame) = first else {
        let open: Vec<&str> = with(Standing::Open).map(|(h, _)| h.title).collect();
        let because = match open.is_empty() {
            true => "the data exclude every cause that was tested".to_owned(),
            false => format!("nothing in the data decides between: {}", open.join("; ")),
        };
        return (Verdict::Undecided, because);
    };
    if second.is_some() {
        return (
            Verdict::Undecided,
            format!("the data speak for more than one cause: {}", supported.join("; ")),
        );
    }
    let rivals: Vec<&str> = with(Standing::Open)
        .filter(|(_, f)| f.blames.is_empty() || f.blames.iter().any(|b| b != blame))
        .map(|(h, _)| h.title)
        .collect();
    if !rivals.is_empty() {
        let because = format!(
            "something speaks for {} and nothing against it, but the data do not exclude: {}",
            supported.join("; "),
            rivals.join("; ")
        );
        return (Verdict::Undecided, because);
    }
    let deeper = with(Standing::Supported).find(|(h, _)| DEEPER.contains(&h.name));
    let first = deeper.or_else(|| with(Standing::Supported).next());
    let (hypothesis, finding) = first.unwrap_or_else(|| &findings[0]);
    let mut why: Vec<&str> = finding.supports.first().into_iter().map(String::as_str).collect();
    why.extend(
        finding
            .supports
            .last()
            .map(String::as_str)
            .filter(|last| finding.supports.len() > 1 && !last.is_empty()),
    );
    (Verdict::Decided(blame.clone()), format!("{}: {}", hypothesis.title, why.join("; ")))
}

/// What the open hypotheses ask for, each once.
fn what_decides(findings: &[(&'static Hypothesis, Finding)]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for (_, finding) in findings.iter().filter(|(_, f)| f.standing == Standing::Open) {
        for ask in &finding.decides {
            if !out.contains(ask) {
                out.push(ask.clone());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hypotheses(findings: Vec<Finding>) -> Vec<(&'static Hypothesis, Finding)> {
        ALL.iter().zip(findings).collect()
    }

    fn of(standing: Standing, blames: &[Blame]) -> Finding {
        Finding::about(blames).with("w").ask("a").is(standing)
    }

    #[test]
    fn it_falls_only_where_one_cause_is_left() {
        let sip = Blame::source("sip");
        let supported = of(Standing::Supported, std::slice::from_ref(&sip));
        let excluded = of(Standing::Excluded, &[Blame::Network]);
        let verdict = |findings| decide(&hypotheses(findings)).0;
        assert_eq!(verdict(vec![supported.clone(), excluded.clone()]), Verdict::Decided(sip.clone()));
        // What is open but blames the same does not hinder.
        let same = of(Standing::Open, std::slice::from_ref(&sip));
        assert_eq!(verdict(vec![supported.clone(), same]), Verdict::Decided(sip.clone()));
        let other = of(Standing::Open, &[sip.clone(), Blame::Network]);
        assert_eq!(verdict(vec![supported.clone(), other]), Verdict::Undecided);
        let network = of(Standing::Supported, &[Blame::Network]);
        assert_eq!(verdict(vec![supported, network]), Verdict::Undecided);
        assert_eq!(verdict(vec![excluded]), Verdict::Undecided);
    }

    #[test]
    fn what_lies_behind_is_told_before_what_it_looks_like() {
        let sip = [Blame::source("sip")];
        let findings: Vec<_> = ALL.iter().map(|h| (h, of(Standing::Excluded, &[]).with(h.name))).collect();
        let because = |supported: &[&str]| {
            let mut findings = findings.clone();
            for (h, finding) in &mut findings {
                if supported.contains(&h.name) {
                    *finding = Finding::about(&sip).supported(h.name);
                }
            }
            decide(&findings).1
        };
        assert_eq!(because(&["late"]), "the source runs late: late");
        assert_eq!(because(&["late", "old_data"]), "old data sent again with fresh timestamps: old_data");
        assert_eq!(because(&["halt", "bands"]), "price bands from a wrong reference price: bands");
        assert!(DEEPER.iter().all(|name| ALL.iter().any(|h| h.name == *name)));
    }

    #[test]
    fn what_is_undecided_says_what_would_decide_once() {
        let open = of(Standing::Open, &[Blame::Ours]);
        assert_eq!(what_decides(&hypotheses(vec![open.clone(), open])), ["a"]);
    }
}
