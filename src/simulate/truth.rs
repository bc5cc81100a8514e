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
use super::shown::{Difference, Effect, Finding, Scope, Tracker};
use super::verdict::{self, Case, Verdict, limit, segments};

#[path = "truth_incident.rs"]
mod incident;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// A source or line that is not silent is heard of at least this often.
const SPEAKS_NS: u64 = SECOND + 100 * MS;

/// Differences shorter than this are only counted: the usual flight makes thousands.
const SHORT_NS: u64 = MS;

/// What is known of one fault.
#[derive(Debug, Clone, Default)]
struct Account {
    findings: Vec<Finding>,
    /// Ranges of messages that it struck, by line.
    struck: [Vec<Range>; LINES.len()],
    /// Those of them that another line delivered.
    partly: [Vec<Range>; LINES.len()],
    gaps: Vec<Gap>,
    /// Packet by packet, for faults that say how many they strike.
    incidents: Vec<Incident>,
    /// When the venue's book of each instrument moved during the fault.
    moved: Vec<(usize, u64)>,
}

/// Messages that no line delivered.
#[derive(Debug, Clone, Copy)]
struct Gap {
    from_ns: u64,
    /// When the next good packet of the source shows that they are missing.
    known_ns: Option<u64>,
    sequence: Sequence,
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
    /// When a good packet of each source came last.
    seen_ns: [u64; SourceId::ALL.len()],
    /// Stretches in which none came, long enough for a lag to pass its limit in.
    quiet: [Vec<(u64, u64)>; SourceId::ALL.len()],
    /// Something was lost since the source's last good packet.
    lost: [bool; SourceId::ALL.len()],
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
            seen_ns: [scenario.start_ns; SourceId::ALL.len()],
            quiet: Default::default(),
            lost: [false; SourceId::ALL.len()],
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
                self.lost[source as usize] = true;
                let sequence = Sequence::of(packet.first, u64::from(packet.count));
                // Once for each fault, on however many lines it struck.
                let mut faults: Vec<usize> = delivery.incidents.iter().map(|i| i.fault).collect();
                faults.sort_unstable();
                faults.dedup();
                faults.into_iter().for_each(|n| self.accounts[n].gap(now_ns, sequence));
            }
            return;
        };
        self.seen(source, at_ns);
        self.moves(at_ns, &effects);
        self.tracker.deliver(source, at_ns, &effects);
    }

    /// The venue's books move: for faults that are told only while they do.
    fn moves(&mut self, at_ns: u64, effects: &[Effect]) {
        for (fault, account) in self.faults.iter().zip(&mut self.accounts) {
            if !matches!(fault.kind, Kind::WrongBands { .. }) || !fault.at(at_ns) {
                continue;
            }
            account.moved.extend(effects.iter().filter_map(|e| match e {
                Effect::Direct { instrument, .. } if fault.covers(*instrument) => Some((*instrument, at_ns)),
                _ => None,
            }));
        }
    }

    /// A good packet of the source comes: it shows what was lost before it.
    fn seen(&mut self, source: SourceId, at_ns: u64) {
        let last = &mut self.seen_ns[source as usize];
        if at_ns > *last + limit::LAG.0 {
            self.quiet[source as usize].push((*last, at_ns));
        }
        *last = at_ns.max(*last);
        if std::mem::take(&mut self.lost[source as usize]) {
            self.tracker.deliver(source, at_ns, &[Effect::Lost { source }]);
            let of_source = self.faults.iter().zip(&mut self.accounts).filter(|(f, _)| f.source == source);
            of_source.flat_map(|(_, a)| &mut a.gaps).for_each(|g| g.known_ns = g.known_ns.or(Some(at_ns)));
        }
    }

    /// When it is known of a source that it is late and not dead: at `due_ns`, unless nothing has come from it since
    /// `since_ns`; then at its next sign of life.
    fn alive_ns(&self, source: SourceId, since_ns: u64, due_ns: u64) -> u64 {
        if self.seen_ns[source as usize] <= since_ns {
            return u64::MAX;
        }
        let quiet = self.quiet[source as usize].iter().find(|(from, to)| *from <= since_ns && due_ns < *to);
        quiet.map_or(due_ns, |(_, to)| *to)
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
            let shows = match fault.source {
                SourceId::Direct => fault.lines.is_empty(),
                SourceId::Sip => true,
                SourceId::Backup => false,
            };
            if shows
                && fault.covers(instrument)
                && from_ns < reach_ns(fault)
                && to_ns + 50 * MS > fault.from_ns
            {
                match finding {
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
            Kind::WrongPrice { .. } | Kind::Lag { .. } | Kind::Freeze => {}
            Kind::HeartbeatsOnly if fault.source == SourceId::Backup => self.dead_backup(fault, &mut record),
            Kind::HeartbeatsOnly | Kind::OldQuotes { .. } | Kind::Saturated { .. } => {}
            Kind::CrossedLoad { .. } => {}
            Kind::WrongBands { after_ns, .. } => self.wrong_bands(fault, account, after_ns, &mut record),
            Kind::TestData { .. } => self.test_data(fault, &mut record),
            Kind::Moved | Kind::PreOpen { .. } => record.observable = fault.from_ns < self.end_ns,
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
        if matches!(fault.kind, Kind::Lag { .. })
            && !fault.lines.is_empty()
            && fault.source != SourceId::Backup
        {
            late_line(fault, account, &mut record);
        }
        record.observable |= !record.expect.is_empty();
        record.struck = struck(account);
        record
    }

    /// What the prices that differed, met or were not followed must and may lead to.
    fn prices(&self, fault: &Fault, account: &Account, record: &mut Record) {
        let alive_ns = |source, since_ns, due_ns| self.alive_ns(source, since_ns, due_ns);
        let wrong = matches!(
            fault.kind,
            Kind::WrongPrice { .. }
                | Kind::CrossedQuote { .. }
                | Kind::CrossedLoad { .. }
                | Kind::OldQuotes { .. }
        );
        let case = Case { alive_ns: &alive_ns, wrong, at_fault: fault.source };
        for (i, side) in account.sides() {
            let mut differences: Vec<Difference> = account.differences(i, side).collect();
            differences.sort_by_key(|d| d.from_ns);
            let (long, short): (Vec<Difference>, Vec<Difference>) =
                differences.iter().partition(|d| d.to_ns - d.from_ns >= SHORT_NS);
            record.differences(&long, &self.symbols);
            record.differences_short += short.len() as u64;
            for segment in segments(&differences) {
                let Some(verdict) = verdict::judge(segment, &case) else { continue };
                let (from, to) = (segment[0].from_ns, segment[segment.len() - 1].to_ns);
                let alert = Alert::about(&self.symbols[i], from, to).side(side).of(&SourceId::PAIR);
                let stale: Vec<Stale> = account.stale(i).collect();
                self.segment(fault, &stale, alert, from, verdict, record);
            }
        }
        for scope in Scope::ALL {
            self.met(fault, account, scope, record);
        }
        self.unfollowed(fault, account, record);
    }

    /// A segment and what it is told as, unless something wider is told instead.
    fn segment(
        &self,
        fault: &Fault,
        stale: &[Stale],
        mut alert: Alert,
        from: u64,
        verdict: Verdict,
        record: &mut Record,
    ) {
        let Verdict { mut kinds, becomes, by_ns, mut late, lag_ns } = verdict;
        // Where old prices come back in numbers, each side shows what the other has left: who is late is not said.
        if matches!(fault.kind, Kind::OldQuotes { .. } | Kind::Saturated { .. }) {
            late = None;
        }
        (alert.lag_ns, alert.becomes, alert.late) = (lag_ns, becomes, late.map(SourceId::name));
        let mut firm = by_ns.is_some();
        // While a source is told as silent nothing of its instruments is.
        if fault.silences() && self.silent_for(fault) > limit::SILENT.0 {
            if (fault.from_ns + limit::SILENT.1..fault.to_ns).contains(&from) {
                return;
            }
            firm &= by_ns.is_some_and(|by| by < fault.from_ns + limit::SILENT.0 || from >= fault.to_ns);
        }
        // While an instrument is told as stale its prices are not.
        for stale in stale {
            let by = self.stale_by_ns(stale);
            if by.is_some_and(|by| (by..stale.to_ns).contains(&from)) {
                return;
            }
            let may = stale.from_ns + limit::STALE.0;
            if from < stale.to_ns && by_ns.is_some_and(|by| may <= by) {
                kinds.push("stale");
            }
        }
        let alert = alert.any_of(&kinds);
        match by_ns.filter(|_| firm) {
            Some(by) if kinds.contains(&"stale") => record.expect.push(Alert { by: None, ..alert.by(by) }),
            Some(by) => record.expect.push(alert.by(by)),
            None => record.accept.push(alert),
        }
    }

    fn unfollowed(&self, fault: &Fault, account: &Account, record: &mut Record) {
        for finding in &account.findings {
            let Finding::Unfollowed { source, instrument, from_ns, to_ns, .. } = *finding else { continue };
            if fault.silences() && fault.source == source && self.silent_for(fault) > limit::SILENT.1 {
                continue;
            }
            let alert =
                Alert::about(&self.symbols[instrument], from_ns, to_ns).of(&[source]).any_of(&["stale"]);
            match self.stale_by_ns(&Stale::of(finding)) {
                Some(by) => record.expect.push(alert.by(by + SECOND)),
                None => record.accept.push(alert),
            }
        }
    }

    /// By when an instrument must have been told as stale.
    fn stale_by_ns(&self, stale: &Stale) -> Option<u64> {
        let due = (stale.from_ns + limit::STALE.1).max(stale.proven_ns?);
        let alive = self.alive_ns(stale.source, stale.from_ns, due);
        let by = if alive > due { alive.saturating_add(limit::CATCH_UP) } else { due };
        (by < stale.to_ns).then_some(by)
    }

    /// How long the source or line says nothing.
    fn silent_for(&self, fault: &Fault) -> u64 {
        fault.to_ns.min(self.end_ns).saturating_sub(fault.from_ns)
    }

    fn met(&self, fault: &Fault, account: &Account, scope: Scope, record: &mut Record) {
        for (crossed, i, from, to) in account.met(scope) {
            // Between the sources it is their disagreement, which is told already.
            if to - from < limit::MET.0 || scope == Scope::Sources {
                continue;
            }
            let mut alert = Alert::about(&self.symbols[i], from, to).of(&[SourceId::Sip]);
            alert.scope = Some(scope.name());
            if scope != Scope::Source {
                // Between participants it is told of one of them or of none.
                alert.venue = None;
            }
            let alert = alert.any_of(&[if crossed { "crossed" } else { "locked" }]);
            // What is silent or stale is not judged.
            let hidden = fault.silences() && self.silent_for(fault) > limit::SILENT.0
                || account.stale(i).any(|s| from < s.to_ns && to > s.from_ns + limit::STALE.0);
            if to - from > limit::MET.1 && !hidden {
                record.expect.push(alert.by(from + limit::MET.1));
            } else {
                record.accept.push(alert);
            }
        }
    }

    fn silence(&self, fault: &Fault, account: &Account, record: &mut Record) {
        let to = fault.to_ns.min(self.end_ns);
        let lasted = self.silent_for(fault);
        let mut alert = Alert::channel(fault.source, fault.from_ns, to).any_of(&["silent"]);
        if !fault.silences() {
            alert.line = record.lines.first().copied();
        }
        if lasted > limit::SILENT.1 {
            record.expect.push(alert.by(fault.from_ns + limit::SILENT.1));
        } else if lasted > limit::SILENT.0 {
            record.accept.push(alert);
        }
        losses(fault, account, record);
    }

    fn missed_halt(&self, fault: &Fault, record: &mut Record) {
        let lasted = fault.to_ns.min(self.end_ns).saturating_sub(fault.from_ns);
        for &i in &fault.instruments {
            let alert = Alert::about(&self.symbols[i], fault.from_ns, fault.to_ns)
                .of(&SourceId::PAIR)
                .any_of(&["status"]);
            if lasted > limit::STATUS.1 {
                record.expect.push(alert.by(fault.to_ns));
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
            record.expect.push(alert.by(fault.from_ns + SPEAKS_NS));
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

impl Gap {
    fn alert(&self, source: SourceId) -> Alert {
        let alert = Alert::channel(source, self.from_ns, u64::MAX).sequence(self.sequence);
        alert.by(self.known_ns.map_or(u64::MAX, |known| known + REORDER_WAIT_NS + MS))
    }
}

impl Account {
    fn gap(&mut self, from_ns: u64, sequence: Sequence) {
        match self.gaps.last_mut() {
            Some(gap) if gap.known_ns.is_none() && gap.sequence.last + 1 == sequence.first => {
                gap.sequence = Sequence::of(gap.sequence.first, gap.sequence.count + sequence.count);
            }
            _ => self.gaps.push(Gap { from_ns, known_ns: None, sequence }),
        }
    }

    /// Where bid and ask met, short absences passed over: crossed or locked, instrument, from, to.
    fn met(&self, scope: Scope) -> Vec<(bool, usize, u64, u64)> {
        let of_scope = |f: &Finding| match *f {
            Finding::Met { scope: s, instrument, from_ns, to_ns, crossed } if s == scope => {
                Some((crossed, instrument, from_ns, to_ns))
            }
            _ => None,
        };
        let mut all: Vec<(bool, usize, u64, u64)> = self.findings.iter().filter_map(of_scope).collect();
        all.sort_unstable();
        let mut merged: Vec<(bool, usize, u64, u64)> = Vec::new();
        for (crossed, i, from, to) in all {
            match merged.last_mut() {
                Some(m) if (m.0, m.1) == (crossed, i) && from < m.3 + limit::OFF => m.3 = to,
                _ => merged.push((crossed, i, from, to)),
            }
        }
        merged
    }

    fn differences(&self, i: usize, side: usize) -> impl Iterator<Item = Difference> {
        self.findings.iter().filter_map(move |f| match f {
            Finding::Differed(d) if d.instrument == i && d.side == side => Some(*d),
            _ => None,
        })
    }

    /// Stretches in which a source did not follow what its peer showed of the instrument.
    fn stale(&self, i: usize) -> impl Iterator<Item = Stale> {
        self.findings
            .iter()
            .filter(move |f| matches!(f, Finding::Unfollowed { instrument, .. } if *instrument == i))
            .map(Stale::of)
    }

    fn sides(&self) -> std::collections::BTreeSet<(usize, usize)> {
        let side =
            |f: &Finding| if let Finding::Differed(d) = f { Some((d.instrument, d.side)) } else { None };
        self.findings.iter().filter_map(side).collect()
    }
}

/// A stretch in which a source does not follow.
#[derive(Debug, Clone, Copy)]
struct Stale {
    source: SourceId,
    from_ns: u64,
    to_ns: u64,
    proven_ns: Option<u64>,
}

impl Stale {
    fn of(finding: &Finding) -> Stale {
        let Finding::Unfollowed { source, from_ns, to_ns, proven_ns, .. } = *finding else {
            return Stale { source: SourceId::Sip, from_ns: 0, to_ns: 0, proven_ns: None };
        };
        Stale { source, from_ns, to_ns, proven_ns }
    }
}

/// Until when a difference that a fault makes can begin.
fn reach_ns(fault: &Fault) -> u64 {
    let late = match fault.kind {
        Kind::Lag { by_ns } | Kind::Reorder { by_ns, .. } => by_ns,
        // What waits for the port is passed on at its pace.
        Kind::Saturated { .. } => fault.to_ns.saturating_sub(fault.from_ns),
        _ => 0,
    };
    fault.to_ns.saturating_add(late).saturating_add(50 * MS)
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
    for gap in &account.gaps {
        let alert = gap.alert(fault.source).any_of(&["gap"]);
        // What no later packet shows is not known to be missing.
        if gap.known_ns.is_some() { record.expect.push(alert) } else { record.accept.push(alert) }
    }
    for (ranges, info) in account.partly.iter().zip(&LINES) {
        // What a line loses within a second of each other is one matter.
        for near in ranges.chunk_by(|a, b| b.from_ns < a.to_ns + SECOND) {
            let (first, last) = (near[0], near[near.len() - 1]);
            let alert = Alert::channel(fault.source, first.from_ns, last.to_ns + SECOND).any_of(&["line"]);
            let count = near.iter().map(|r| r.sequence.count).sum();
            let sequence = Sequence { first: first.sequence.first, last: last.sequence.last, count };
            // Its next packet shows what it has lost.
            let back = if fault.kind == Kind::Silence { fault.to_ns } else { near[0].to_ns };
            record.expect.push(alert.sequence(sequence).line(info.name).by(back + SPEAKS_NS));
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
            record.expect.push(alert.by(first.from_ns + MS));
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
        let alert = Alert::channel(fault.source, incident.ts_ns, u64::MAX);
        let gap = account.gaps.iter().find(|gap| gap.sequence.holds(incident.first));
        let alert = match gap {
            Some(gap) => gap.alert(fault.source).any_of(&["gap"]),
            None => alert.any_of(&["line"]).line(info.name).sequence(sequence).by(incident.ts_ns + SPEAKS_NS),
        };
        match damage {
            Damage::Header => record.expect.push(alert),
            _ => record.accept.push(alert),
        }
    }
}
