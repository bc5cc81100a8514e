//! What a segment of different prices must be told as, and by when: the contract's rules on what was shown.
//!
//! It knows segments, limits and signs of life only; it never sees an alert, nor asks a check.

use super::faults::SourceId;
use super::shown::{Difference, WINDOW_NS};

const MS: u64 = 1_000_000;

/// Limits of the checks as they are by default, and how far from them it is clear what must happen.
pub mod limit {
    use super::MS;
    /// A lag that may be told, and one that must be.
    pub const LAG: (u64, u64) = (15 * MS, 30 * MS);
    /// A difference that nothing explains.
    pub const DIVERGENT: (u64, u64) = (20 * MS, 35 * MS);
    /// Agreement that ends a segment.
    pub const OFF: u64 = 5 * MS;
    /// How long a difference that jumped beyond its limit must have stood.
    pub const SETTLED: u64 = 10 * MS;
    /// Bid and ask that meet.
    pub const MET: (u64, u64) = (20 * MS, 35 * MS);
    /// Time without an update while a peer moves.
    pub const STALE: (u64, u64) = (2_700 * MS, 3_300 * MS);
    /// What a source that has just been heard of again has to bring its instruments up to date.
    pub const CATCH_UP: u64 = 300 * MS;
    /// Time from the fault on: the last arrival may be a second older.
    pub const SILENT: (u64, u64) = (800 * MS, 2_200 * MS);
    /// Delay of one line against the other.
    pub const LINE_LAG: (u64, u64) = (40 * MS, 60 * MS);
    /// Halted here, quoting there.
    pub const STATUS: (u64, u64) = (200 * MS, 400 * MS);
    /// Error of a clock.
    pub const CLOCK: (i64, i64) = (225 * MS as i64, 275 * MS as i64);
    /// Life of a source without an instrument of its peer's.
    pub const MISSING: (u64, u64) = (4_800 * MS, 5_300 * MS);
}

/// What a segment is told as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Kinds as which it is raised: several only where the limits of two lie close to each other.
    pub kinds: Vec<&'static str>,
    /// Kinds that it may become afterwards.
    pub becomes: Vec<&'static str>,
    /// By when it must have been raised; `None`: it may be, and need not.
    pub by_ns: Option<u64>,
    /// Who is late, where it is told as lagging.
    pub late: Option<SourceId>,
    /// The longest lag in it.
    pub lag_ns: Option<u64>,
}

/// One way to tell a segment.
#[derive(Debug, Clone, Copy)]
struct Way {
    kind: &'static str,
    late: Option<SourceId>,
    may_ns: u64,
    must_ns: Option<u64>,
}

/// What a segment is judged with.
pub struct Case<'a> {
    /// When the first sign of life of a source comes, given that it is to be told as late at a time although
    /// nothing need have come from it since another.
    pub alive_ns: &'a dyn Fn(SourceId, u64, u64) -> u64,
    /// What the SIP says is wrong: the venue does not follow it.
    pub wrong: bool,
    /// The source with the fault.
    pub at_fault: SourceId,
}

/// Differences of one side in order of time, split where the sources have agreed long enough or could not be compared.
pub fn segments(differences: &[Difference]) -> impl Iterator<Item = &[Difference]> {
    differences.chunk_by(|a, b| !b.apart && b.from_ns < a.to_ns + limit::OFF)
}

/// What a segment must be told as, if anything.
pub fn judge(segment: &[Difference], case: &Case<'_>) -> Option<Verdict> {
    let mut ways = Vec::new();
    let began = segment.first()?.from_ns;
    // Since when the difference has been beyond what flight explains, without a break.
    let mut beyond: Option<u64> = None;
    let mut last_ns = began;
    for d in segment {
        let since = beyond.filter(|_| last_ns == d.from_ns);
        beyond = weigh(d, began, since, case, &mut ways);
        last_ns = d.to_ns;
    }
    let by_ns = ways.iter().filter_map(|w| w.must_ns).min();
    let first = |w: &&Way| by_ns.is_none_or(|by| w.may_ns <= by);
    let late: Vec<SourceId> = ways.iter().filter(first).filter_map(|w| w.late).collect();
    let one = |lates: &[SourceId]| lates.first().copied().filter(|first| lates.iter().all(|l| l == first));
    let late = one(&late);
    let names = |ways: &mut dyn Iterator<Item = &Way>| {
        let mut kinds: Vec<&str> = ways.map(|w| w.kind).collect();
        kinds.sort_unstable_by(|a, b| if case.wrong { a.cmp(b) } else { b.cmp(a) });
        kinds.dedup();
        kinds
    };
    let kinds = names(&mut ways.iter().filter(first));
    // Only what was lagging becomes something else.
    let lagging = kinds.contains(&"lagging");
    let becomes = names(&mut ways.iter().filter(|w| lagging && w.kind == "divergent"));
    (!kinds.is_empty()).then(|| Verdict {
        kinds,
        becomes,
        by_ns,
        late,
        lag_ns: segment.iter().flat_map(|d| [d.behind, d.or_behind]).flatten().map(|(_, lag)| lag).max(),
    })
}

/// Adds the ways to tell one stretch; answers since when the difference is beyond flight at its end.
fn weigh(
    d: &Difference,
    began: u64,
    since: Option<u64>,
    case: &Case<'_>,
    ways: &mut Vec<Way>,
) -> Option<u64> {
    let within = |at: u64| (at < d.to_ns).then_some(at);
    let divergent = |from: u64, since: Option<u64>| {
        let must = since.map(|since| from.max(began + limit::DIVERGENT.1).max(since + limit::SETTLED));
        let may_ns = within(from.max(began + limit::DIVERGENT.0))?;
        Some(Way { kind: "divergent", late: None, may_ns, must_ns: must.and_then(within) })
    };
    let Some((late, lag_ns)) = d.behind else {
        let since = since.unwrap_or(d.from_ns);
        ways.extend(divergent(d.from_ns, Some(since)));
        return Some(since);
    };
    let left = d.to_ns - lag_ns;
    let flight_ends = left + (limit::LAG.0 + limit::LAG.1) / 2;
    let since = since.filter(|_| flight_ends <= d.from_ns).unwrap_or(d.from_ns.max(flight_ends));
    // The venue is first to every price: what it stays at while the SIP moves on is late, or the SIP is wrong. Only
    // where the SIP itself is late is it neither.
    let first = late == SourceId::Direct && (case.wrong || case.at_fault == late);
    if first || left + WINDOW_NS < d.to_ns + 1_000 * MS {
        ways.extend(divergent(d.from_ns, None));
    }
    let must = d.from_ns.max(began.max(left) + limit::LAG.1).max(since + limit::SETTLED);
    if let Some(may_ns) = within(d.from_ns.max(left + limit::LAG.0)) {
        let must_ns = within((case.alive_ns)(late, left, must));
        ways.push(Way { kind: "lagging", late: Some(late), may_ns, must_ns });
    }
    // The source with the fault is late as well, by the greater lag: what it shows has been true before.
    if let Some((late, lag_ns)) = d.or_behind
        && late == case.at_fault
        && let Some(may_ns) = within(d.from_ns.max(began + limit::LAG.0).max(d.to_ns - lag_ns + limit::LAG.0))
    {
        ways.push(Way { kind: "lagging", late: Some(late), may_ns, must_ns: None });
    }
    within(since)
}
