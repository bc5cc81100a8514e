//! What was injected, when, and what must come of it: written from the faults and from what the
//! simulator itself has shown, never by a check.
//!
//! It follows the default settings of the checks only to say what lies clearly beyond their limits (expected),
//! what lies near them (accepted), and what cannot be seen.

use super::faults::{Damage, Fault, Kind, SourceId};
use super::lines::{Delivery, Incident, LINES, REORDER_WAIT_NS};
use super::packet::Packet;
use super::record::{Alert, Record, Sequence, Struck};
use super::scenario::Scenario;
use super::shown::{Difference, Effect, Finding, Scope, Tracker, WINDOW_NS};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Limits of the checks as they are by default, and how far from them it is clear what must happen.
mod limit {
    use super::MS;
    pub const LAG: (u64, u64) = (15 * MS, 30 * MS);
    pub const DIVERGENT: (u64, u64) = (20 * MS, 35 * MS);
    pub const OFF: u64 = 5 * MS;
    pub const MET: (u64, u64) = (20 * MS, 35 * MS);
    pub const STALE: (u64, u64) = (2_700 * MS, 3_300 * MS);
    pub const STALE_MOVES: (u64, u64) = (1, 5);
    pub const SILENT: (u64, u64) = (800 * MS, 2_200 * MS);
    pub const LINE_LAG: (u64, u64) = (40 * MS, 60 * MS);
    pub const STATUS: (u64, u64) = (200 * MS, 400 * MS);
    pub const CLOCK: (i64, i64) = (225 * MS as i64, 275 * MS as i64);
    pub const MISSING: (u64, u64) = (4_800 * MS, 5_300 * MS);
}

/// A stretch in which at least one heartbeat of a source that sends nothing else arrives.
const QUIET_NS: u64 = 1_300 * MS;

/// Differences shorter than this are only counted: the usual flight makes thousands.
const SHORT_NS: u64 = MS;

/// What is known of one fault.
#[derive(Debug, Clone, Default)]
struct Account {
    findings: Vec<Finding>,
    short: u64,
    /// Ranges of messages that it struck, by line.
    struck: [Vec<Range>; LINES.len()],
    /// Those of them that another line delivered.
    partly: [Vec<Range>; LINES.len()],
    gaps: Vec<(u64, Sequence)>,
    /// Packet by packet, for faults that say how many they strike.
    incidents: Vec<Incident>,
}

/// Messages of packets that followed each other: when the first and the last would have arrived.
#[derive(Debug, Clone, Copy)]
struct Range {
    from_ns: u64,
    to_ns: u64,
    sequence: Sequence,
}

/// Everything that was injected.
#[derive(Debug)]
pub struct Truth {
    faults: Vec<Fault>,
    symbols: Vec<String>,
    start_ns: u64,
    end_ns: u64,
    tracker: Tracker,
    accounts: Vec<Account>,
    findings: Vec<Finding>,
    seen_ns: [u64; 2],
}

impl Truth {
    /// The truth at the beginning of a scenario.
    pub fn new(scenario: &Scenario) -> Truth {
        Truth {
            faults: scenario.faults.clone(),
            symbols: (0..scenario.instruments).map(super::market::symbol).collect(),
            start_ns: scenario.start_ns,
            end_ns: scenario.start_ns + scenario.duration_ns,
            tracker: Tracker::new(scenario.instruments),
            accounts: vec![Account::default(); scenario.faults.len()],
            findings: Vec::new(),
            seen_ns: [scenario.start_ns; 2],
        }
    }

    /// A packet was sent; what became of it, and what it shows.
    pub fn sent(
        &mut self,
        source: SourceId,
        now_ns: u64,
        packet: &Packet,
        delivery: &Delivery,
        effects: Vec<Effect>,
    ) {
        if self.faults.is_empty() {
            return;
        }
        for incident in delivery.incidents.iter().filter(|i| i.count > 0) {
            let account = &mut self.accounts[incident.fault];
            extend(&mut account.struck[incident.line], incident);
            if delivery.first_ns.is_some() {
                extend(&mut account.partly[incident.line], incident);
            }
            if matches!(self.faults[incident.fault].kind, Kind::Reorder { .. } | Kind::Corruption { .. }) {
                account.incidents.push(*incident);
            }
        }
        let Some(at_ns) = delivery.first_ns else {
            if packet.count > 0 {
                self.tracker.deliver(source, now_ns, vec![Effect::Lost { source }]);
                let sequence = Sequence::of(packet.first, u64::from(packet.count));
                // Once for each fault, on however many lines it struck.
                let mut faults: Vec<usize> = delivery.incidents.iter().map(|i| i.fault).collect();
                faults.sort_unstable();
                faults.dedup();
                faults.into_iter().for_each(|n| self.accounts[n].gap(now_ns, sequence));
            }
            return;
        };
        let seen = &mut self.seen_ns[source as usize];
        *seen = (*seen).max(at_ns);
        self.tracker.deliver(source, at_ns, effects);
    }

    /// Nothing that is sent from now on shows before that time.
    pub fn advance(&mut self, horizon_ns: u64) {
        if self.faults.is_empty() {
            return;
        }
        let mut findings = std::mem::take(&mut self.findings);
        self.tracker.advance(horizon_ns, &mut findings);
        findings.drain(..).for_each(|f| self.note(f));
        self.findings = findings;
    }

    /// The day is over.
    pub fn finish(&mut self, end_ns: u64) {
        let mut findings = Vec::new();
        self.tracker.finish(end_ns, &mut findings);
        findings.into_iter().for_each(|f| self.note(f));
    }

    /// Puts a finding to the account of every fault that it may come from.
    fn note(&mut self, finding: Finding) {
        let (instrument, from_ns, to_ns) = match finding {
            Finding::Differed(d) => (d.instrument, d.from_ns, d.to_ns),
            Finding::Met { instrument, from_ns, to_ns, .. } => (instrument, from_ns, to_ns),
            Finding::Unfollowed { instrument, from_ns, to_ns, .. } => (instrument, from_ns, to_ns),
        };
        for (fault, account) in self.faults.iter().zip(&mut self.accounts) {
            // What one of two lines does changes nothing that is shown.
            let shows = fault.lines.is_empty() || fault.source == SourceId::Sip;
            if shows && fault.covers(instrument) && from_ns < reach_ns(fault) && to_ns > fault.from_ns {
                match finding {
                    Finding::Differed(d) if d.to_ns - d.from_ns < SHORT_NS => account.short += 1,
                    Finding::Unfollowed { .. } if to_ns - from_ns < limit::STALE.0 => {}
                    _ => account.findings.push(finding),
                }
            }
        }
    }

    /// One record per fault, in the order of the scenario.
    pub fn records(&self) -> Vec<Record> {
        (0..self.faults.len()).map(|n| self.record(n)).collect()
    }

    fn record(&self, n: usize) -> Record {
        let (fault, account) = (&self.faults[n], &self.accounts[n]);
        let mut record = Record::new(n, fault, &self.symbols);
        self.prices(fault, account, &mut record);
        match fault.kind {
            Kind::WrongPrice { .. } | Kind::Lag { .. } | Kind::Freeze | Kind::HeartbeatsOnly => {}
            Kind::Silence => self.silence(fault, account, &mut record),
            Kind::Loss { .. } => losses(fault, account, &mut record),
            Kind::Reorder { by_ns, .. } => reorders(fault, account, by_ns, &mut record),
            Kind::Duplicate { .. } => record.observable = account.struck.iter().any(|r| !r.is_empty()),
            Kind::Halt { missed: false } => record.observable = fault.from_ns < self.end_ns,
            Kind::Halt { missed: true } => self.missed_halt(fault, &mut record),
            Kind::CrossedQuote { .. } => {}
            Kind::ClockError { by_ns } => self.clock(fault, by_ns, &mut record),
            Kind::Corruption { damage, .. } => corruption(fault, account, damage, &mut record),
            Kind::Missing => self.missing(fault, &mut record),
        }
        if matches!(fault.kind, Kind::Lag { .. }) && !fault.lines.is_empty() {
            late_line(fault, account, &mut record);
        }
        record.observable |= !record.expect.is_empty();
        record.struck = struck(account);
        record
    }

    /// What the prices that differed, met or were not followed must and may lead to.
    fn prices(&self, fault: &Fault, account: &Account, record: &mut Record) {
        record.differences_short = account.short;
        // In a silent source it is open whether its quotes are still judged: nothing is a must.
        let firm = !matches!(fault.kind, Kind::Silence | Kind::Corruption { .. });
        for (i, side) in account.sides() {
            let mut differences: Vec<Difference> = account.differences(i, side).collect();
            differences.sort_by_key(|d| d.from_ns);
            record.differences(&differences, &self.symbols);
            for segment in segments(&differences) {
                // A price that was never right looks as if the other source had not followed, while that one's
                // own price is one that was shown lately: both tellings are right.
                let wrong = matches!(fault.kind, Kind::WrongPrice { .. } | Kind::CrossedQuote { .. });
                let mut verdict = judge(segment, wrong);
                let (from, to) = (segment[0].from_ns, segment[segment.len() - 1].to_ns);
                // What is held until a sign of life may have become stale by then.
                if account.may_be_stale(i, from + QUIET_NS) && !verdict.must.is_empty() {
                    verdict.must.push("stale");
                }
                // The venue is first to every price: when it stops, what it still shows is late or simply different.
                let stopped = segment.iter().any(|d| matches!(d.behind, Some((SourceId::Direct, _))));
                if stopped && fault.source == SourceId::Direct {
                    if !verdict.must.is_empty() && !verdict.must.contains(&"divergent") {
                        verdict.must.push("divergent");
                    } else if verdict.must.is_empty() && to - from > limit::DIVERGENT.0 {
                        verdict.may.push("divergent");
                    }
                }
                // What a late source shows has been true before, whichever of the two looks late at the moment.
                let late = matches!(fault.kind, Kind::Lag { .. });
                if late && to - from > limit::LAG.0 && !verdict.may.contains(&"lagging") {
                    verdict.may.push("lagging");
                }
                // A source that sends nothing may be silent or late: only its next heartbeat tells which.
                let firm = firm && (fault.kind != Kind::HeartbeatsOnly || to - from > QUIET_NS);
                let mut alert = Alert::about(&self.symbols[i], from, to).side(side).of(&SourceId::ALL);
                alert.lag_ns = verdict.lag_ns;
                if firm && !verdict.must.is_empty() {
                    record.expect.push(alert.clone().any_of(&verdict.must));
                }
                let Verdict { must, mut may, .. } = verdict;
                may.retain(|kind| !must.contains(kind));
                if !firm {
                    may.extend(must);
                }
                if !may.is_empty() {
                    record.accept.push(alert.any_of(&may));
                }
            }
        }
        for scope in Scope::ALL {
            self.met(fault, account, scope, record);
        }
        for finding in &account.findings {
            let Finding::Unfollowed { source, instrument, from_ns, to_ns, moves } = *finding else {
                continue;
            };
            let alert =
                Alert::about(&self.symbols[instrument], from_ns, to_ns).of(&[source]).any_of(&["stale"]);
            let lasted = to_ns - from_ns;
            let stops = matches!(fault.kind, Kind::Freeze | Kind::HeartbeatsOnly) && fault.source == source;
            if stops && lasted > limit::STALE.1 && moves >= limit::STALE_MOVES.1 {
                record.expect.push(alert);
            } else if moves >= limit::STALE_MOVES.0 {
                record.accept.push(alert);
            }
        }
    }

    fn met(&self, fault: &Fault, account: &Account, scope: Scope, record: &mut Record) {
        let mut all: Vec<(usize, u64, u64, bool)> = account
            .findings
            .iter()
            .filter_map(|f| match *f {
                Finding::Met { scope: s, instrument, from_ns, to_ns, crossed } if s == scope => {
                    Some((instrument, from_ns, to_ns, crossed))
                }
                _ => None,
            })
            .collect();
        all.sort_unstable();
        let mut merged: Vec<(usize, u64, u64, bool)> = Vec::new();
        for (i, from, to, crossed) in all {
            match merged.last_mut() {
                Some(m) if m.0 == i && from < m.2 + limit::OFF => (m.2, m.3) = (to, m.3 || crossed),
                _ => merged.push((i, from, to, crossed)),
            }
        }
        for (i, from, to, crossed) in merged {
            if to - from < limit::MET.0 {
                continue;
            }
            let sources: &[SourceId] =
                if scope == Scope::Sources { &SourceId::ALL } else { &[SourceId::Sip] };
            let mut alert = Alert::about(&self.symbols[i], from, to).of(sources);
            alert.scope = Some(scope.name());
            if scope != Scope::Source {
                // Between participants it is told of one of them or of none.
                alert.venue = None;
            }
            let meant = matches!(fault.kind, Kind::CrossedQuote { .. }) && scope == Scope::Source;
            if meant && crossed && to - from > limit::MET.1 {
                record.expect.push(alert.any_of(&["crossed"]));
            } else {
                record.accept.push(alert.any_of(&["crossed", "locked"]));
            }
        }
    }

    fn silence(&self, fault: &Fault, account: &Account, record: &mut Record) {
        let to = fault.to_ns.min(self.end_ns);
        let lasted = to.saturating_sub(fault.from_ns);
        let whole = fault.lines.is_empty() || LINES.iter().filter(|l| l.source == fault.source).count() == 1;
        let mut alert = Alert::channel(fault.source, fault.from_ns, to).any_of(&["silent"]);
        if !whole {
            alert.line = record.lines.first().copied();
        }
        if lasted > limit::SILENT.1 {
            record.expect.push(alert);
        } else if lasted > limit::SILENT.0 {
            record.accept.push(alert);
        }
        losses(fault, account, record);
        if whole {
            // Until the silence is known to be one, what the other source goes on saying looks late or wrong.
            let kinds = ["lagging", "divergent", "stale", "crossed", "locked"];
            record.accept.push(Alert::anything(fault.from_ns, to + SECOND).any_of(&kinds));
        }
    }

    fn missed_halt(&self, fault: &Fault, record: &mut Record) {
        let lasted = fault.to_ns.min(self.end_ns).saturating_sub(fault.from_ns);
        for &i in &fault.instruments {
            let alert = Alert::about(&self.symbols[i], fault.from_ns, fault.to_ns)
                .of(&SourceId::ALL)
                .any_of(&["status"]);
            if lasted > limit::STATUS.1 {
                record.expect.push(alert);
            } else if lasted > limit::STATUS.0 {
                record.accept.push(alert);
            }
        }
    }

    fn clock(&self, fault: &Fault, by_ns: i64, record: &mut Record) {
        // When a clock that was ahead is set right, it runs behind its own latest until that is reached.
        let back = if by_ns > 0 { by_ns.unsigned_abs() } else { 0 };
        let to = fault.to_ns.saturating_add(back).saturating_add(SECOND + 100 * MS);
        let alert = Alert::anything(fault.from_ns, to).of(&[fault.source]).any_of(&["clock"]);
        if by_ns.abs() > limit::CLOCK.1 && fault.from_ns < self.end_ns {
            record.expect.push(alert);
        } else if by_ns.abs() > limit::CLOCK.0 {
            record.accept.push(alert);
        }
    }

    fn missing(&self, fault: &Fault, record: &mut Record) {
        let lasted = self.end_ns - self.start_ns;
        for &i in &fault.instruments {
            let mut alert = Alert::about(&self.symbols[i], self.start_ns, self.end_ns).of(&[SourceId::Sip]);
            alert.venue = None;
            let alert = alert.any_of(&["missing"]);
            if lasted > limit::MISSING.1 {
                record.expect.push(alert);
            } else if lasted > limit::MISSING.0 {
                record.accept.push(alert);
            }
        }
    }
}

impl Account {
    fn gap(&mut self, at_ns: u64, sequence: Sequence) {
        match self.gaps.last_mut() {
            Some((_, last)) if last.last + 1 == sequence.first => {
                *last = Sequence::of(last.first, last.count + sequence.count);
            }
            _ => self.gaps.push((at_ns, sequence)),
        }
    }

    fn differences(&self, i: usize, side: usize) -> impl Iterator<Item = Difference> {
        self.findings.iter().filter_map(move |f| match f {
            Finding::Differed(d) if d.instrument == i && d.side == side => Some(*d),
            _ => None,
        })
    }

    /// The instrument may have been called stale by then.
    fn may_be_stale(&self, i: usize, at_ns: u64) -> bool {
        self.findings.iter().any(|f| match *f {
            Finding::Unfollowed { instrument, from_ns, to_ns, .. } => {
                instrument == i && from_ns + limit::STALE.0 <= at_ns && at_ns < to_ns
            }
            _ => false,
        })
    }

    fn sides(&self) -> std::collections::BTreeSet<(usize, usize)> {
        let side =
            |f: &Finding| if let Finding::Differed(d) = f { Some((d.instrument, d.side)) } else { None };
        self.findings.iter().filter_map(side).collect()
    }
}

/// Until when a difference that a fault makes can begin.
fn reach_ns(fault: &Fault) -> u64 {
    let late = if let Kind::Lag { by_ns } | Kind::Reorder { by_ns, .. } = fault.kind { by_ns } else { 0 };
    fault.to_ns.saturating_add(late).saturating_add(2 * MS)
}

/// Differences of one side in order of time, split where the sources have agreed long enough.
fn segments(differences: &[Difference]) -> impl Iterator<Item = &[Difference]> {
    differences.chunk_by(|a, b| b.from_ns < a.to_ns + limit::OFF)
}

struct Verdict {
    must: Vec<&'static str>,
    may: Vec<&'static str>,
    lag_ns: Option<u64>,
}

/// What a segment clearly is, and what it may be called.
fn judge(segment: &[Difference], wrong: bool) -> Verdict {
    let lag_ns = segment.iter().filter_map(|d| d.behind).map(|(_, lag)| lag).max();
    // The longest stretch in which neither source shows what the other showed before.
    let (mut unexplained, mut run) = (0u64, 0u64);
    for (n, d) in segment.iter().enumerate() {
        let touches = n > 0 && segment[n - 1].to_ns == d.from_ns && segment[n - 1].behind.is_none();
        run = match d.behind {
            Some(_) => 0,
            None => d.to_ns - d.from_ns + if touches { run } else { 0 },
        };
        unexplained = unexplained.max(run);
    }
    let lasted = segment[segment.len() - 1].to_ns - segment[0].from_ns;
    let some_unexplained = segment.iter().any(|d| d.behind.is_none());
    let lag = lag_ns.unwrap_or(0);
    let mut verdict = Verdict { must: Vec::new(), may: Vec::new(), lag_ns };
    if lag > limit::LAG.1 && lasted > limit::DIVERGENT.1 {
        verdict.must.push("lagging");
    }
    if unexplained > limit::DIVERGENT.1 {
        verdict.must.push("divergent");
    }
    if wrong && !verdict.must.is_empty() {
        verdict.must = vec!["divergent"];
        verdict.must.extend((lag > limit::LAG.0).then_some("lagging"));
    }
    if lag > limit::LAG.0 {
        verdict.may.push("lagging");
    }
    if (wrong || some_unexplained) && lasted > limit::DIVERGENT.0 || lag > WINDOW_NS - SECOND {
        verdict.may.push("divergent");
    }
    verdict
}

/// Adds an incident's messages to the ranges of its line.
fn extend(ranges: &mut Vec<Range>, incident: &Incident) {
    let count = u64::from(incident.count);
    match ranges.last_mut() {
        Some(last) if last.sequence.last + 1 == incident.first => {
            last.to_ns = incident.ts_ns;
            last.sequence = Sequence::of(last.sequence.first, last.sequence.count + count);
        }
        _ => {
            let sequence = Sequence::of(incident.first, count);
            ranges.push(Range { from_ns: incident.ts_ns, to_ns: incident.ts_ns, sequence });
        }
    }
}

fn struck(account: &Account) -> Vec<Struck> {
    let of_line = |(ranges, info): (&Vec<Range>, &super::Line)| {
        ranges.iter().map(|r| Struck::new(info.name, r.from_ns, r.to_ns, r.sequence)).collect::<Vec<_>>()
    };
    account.struck.iter().zip(&LINES).flat_map(of_line).collect()
}

/// What was lost on some lines only is told of the line, what was lost on all of them is a gap.
fn losses(fault: &Fault, account: &Account, record: &mut Record) {
    for (at_ns, sequence) in &account.gaps {
        record
            .expect
            .push(Alert::channel(fault.source, *at_ns, u64::MAX).any_of(&["gap"]).sequence(*sequence));
    }
    for (ranges, info) in account.partly.iter().zip(&LINES) {
        // What a line loses within a second of each other is one matter.
        for near in ranges.chunk_by(|a, b| b.from_ns < a.to_ns + SECOND) {
            let (first, last) = (near[0], near[near.len() - 1]);
            let alert = Alert::channel(fault.source, first.from_ns, last.to_ns + SECOND).any_of(&["line"]);
            let count = near.iter().map(|r| r.sequence.count).sum();
            let sequence = Sequence { first: first.sequence.first, last: last.sequence.last, count };
            record.expect.push(alert.sequence(sequence).line(info.name));
        }
    }
}

/// A line that is late by more than its limit.
fn late_line(fault: &Fault, account: &Account, record: &mut Record) {
    let Kind::Lag { by_ns } = fault.kind else { return };
    for (ranges, info) in account.struck.iter().zip(&LINES) {
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { continue };
        let alert = Alert::channel(fault.source, first.from_ns, last.to_ns + by_ns + SECOND);
        let alert = alert.any_of(&["line"]).line(info.name);
        if by_ns > limit::LINE_LAG.1 {
            record.expect.push(alert);
        } else if by_ns > limit::LINE_LAG.0 {
            record.accept.push(alert);
        }
    }
}

/// Order that returns within the wait is nobody's business; beyond it a hole is a gap that is filled later.
fn reorders(fault: &Fault, account: &Account, by_ns: u64, record: &mut Record) {
    record.observable = !account.incidents.is_empty();
    if by_ns + MS < REORDER_WAIT_NS {
        return;
    }
    for incident in &account.incidents {
        let info = &LINES[incident.line];
        let sequence = Sequence::of(incident.first, u64::from(incident.count));
        let alert = Alert::channel(fault.source, incident.ts_ns, incident.ts_ns + by_ns + SECOND);
        record.accept.push(alert.any_of(&["gap", "line"]).line(info.name).sequence(sequence));
    }
    record.accept.push(Alert::anything(fault.from_ns, reach_ns(fault) + SECOND).any_of(&[
        "lagging",
        "divergent",
        "crossed",
        "locked",
    ]));
}

/// A damaged copy: its header may be read or not, the messages behind the damage are lost with it.
fn corruption(fault: &Fault, account: &Account, damage: Damage, record: &mut Record) {
    record.errors = account.incidents.len() as u64;
    record.observable = record.errors > 0;
    for incident in &account.incidents {
        let info = &LINES[incident.line];
        let sequence = Sequence::of(incident.first, u64::from(incident.count));
        let alert = Alert::channel(fault.source, incident.ts_ns, u64::MAX).sequence(sequence);
        let nowhere = account.gaps.iter().any(|(_, gap)| gap.holds(incident.first));
        match (nowhere, damage) {
            (true, Damage::Header) => record.expect.push(alert.any_of(&["gap"])),
            (true, _) => record.accept.push(alert.any_of(&["gap"])),
            (false, Damage::Header) => record.expect.push(alert.any_of(&["line"]).line(info.name)),
            (false, _) => record.accept.push(alert.any_of(&["line"]).line(info.name)),
        }
        if nowhere {
            let kinds = ["lagging", "divergent", "stale", "crossed", "locked"];
            record.accept.push(Alert::anything(incident.ts_ns, incident.ts_ns + 5 * SECOND).any_of(&kinds));
        }
    }
}
