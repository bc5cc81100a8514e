//! The simulated day on the wire: what is sent when, and how well that was kept.
//!
//! The schedule is the simulator's own, the one that captures are made of; here every datagram gets an absolute
//! deadline and is sent at it, or at once when it has passed. Nothing is skipped, and a late datagram moves none
//! behind it. It opens no socket and reads no clock: both are [`Outside`].

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::{CreationError, Histogram};
use serde::Serialize;

use super::{LINES, Simulator};
pub use crate::source::multicast_send::Attempt;

const SECOND: u64 = 1_000_000_000;
/// Longest sleep: what ends the run is looked for in between.
const SLEEP_MAX_NS: u64 = 20_000_000;
/// How long a datagram is offered to a full buffer.
const PATIENCE_NS: u64 = SECOND;

/// The clock, the network and the wish to stop.
pub trait Outside {
    /// Nanoseconds since a fixed moment; never steps back.
    fn now_ns(&mut self) -> u64;
    /// The wall's time, nanoseconds since 1970.
    fn wall_ns(&mut self) -> u64;
    /// Sleeps about that long.
    fn sleep(&mut self, ns: u64);
    /// Sends a datagram on one of [`LINES`].
    fn send(&mut self, line: usize, payload: &[u8]) -> Attempt;
    /// The run is to end.
    fn stopped(&mut self) -> bool;
}

/// How a deadline is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pacing {
    /// From how long before a deadline on the processor is kept busy, nanoseconds: a sleep ends too late by what the
    /// system's timers and scheduler take. 0 never spins.
    pub spin_ns: u64,
    /// A datagram sent later than this is counted as late, nanoseconds.
    pub late_ns: u64,
}

impl Default for Pacing {
    fn default() -> Self {
        Pacing { spin_ns: 200_000, late_ns: 1_000_000 }
    }
}

/// What to do until a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It has come.
    Over,
    /// It is near: look again.
    Spin,
    /// It is far: sleep so many nanoseconds, then look again.
    Sleep(u64),
}

impl Pacing {
    /// What to do at `now_ns` until `due_ns`.
    pub const fn wait(&self, due_ns: u64, now_ns: u64) -> Wait {
        if now_ns >= due_ns {
            return Wait::Over;
        }
        let left_ns = due_ns - now_ns;
        if left_ns <= self.spin_ns {
            return Wait::Spin;
        }
        let sleep_ns = left_ns - self.spin_ns;
        Wait::Sleep(if sleep_ns < SLEEP_MAX_NS { sleep_ns } else { SLEEP_MAX_NS })
    }
}

/// When the day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The scenario's start, nanoseconds since 1970.
    pub start_ns: u64,
    /// When that is by [`Outside::now_ns`].
    pub begins_ns: u64,
    /// How deadlines are kept; `None`: everything at once, with the time of sending on it.
    pub pacing: Option<Pacing>,
}

/// What was sent on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LineCount {
    /// Datagrams.
    pub packets: u64,
    /// Their payload.
    pub bytes: u64,
}

/// How the day went.
#[derive(Debug, Clone)]
pub struct Report {
    /// By position in [`LINES`].
    pub lines: [LineCount; LINES.len()],
    /// Datagrams that were not sent, by the reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// How often a datagram was offered again to a full buffer.
    pub retries: u64,
    /// Datagrams that left later than they might.
    pub late: u64,
    /// How long after its deadline each send began, nanoseconds.
    pub behind: Histogram<u64>,
    /// How long each send took, nanoseconds.
    pub took: Histogram<u64>,
    /// From the first deadline to the end, nanoseconds.
    pub elapsed_ns: u64,
    /// How far the wall's clock was set forward (or back) against the one that paces, nanoseconds.
    pub stepped_ns: i64,
    /// It was stopped before its end, at this time of the schedule, nanoseconds since 1970.
    pub stopped_at_ns: Option<u64>,
    paced: bool,
}

/// A histogram that takes anything from a nanosecond to a minute in three digits.
fn histogram() -> Result<Histogram<u64>, CreationError> {
    Histogram::new_with_bounds(1, 60 * SECOND, 3)
}

impl Report {
    fn new(paced: bool) -> Result<Report, CreationError> {
        Ok(Report {
            lines: Default::default(),
            refused: BTreeMap::new(),
            retries: 0,
            late: 0,
            behind: histogram()?,
            took: histogram()?,
            elapsed_ns: 0,
            stepped_ns: 0,
            stopped_at_ns: None,
            paced,
        })
    }

    /// Datagrams on all lines.
    pub fn packets(&self) -> u64 {
        self.lines.iter().map(|l| l.packets).sum()
    }
}

/// Sends the day. It ends with it, or a little after [`Outside::stopped`]: the feeds then close first.
///
/// # Errors
/// When there is no histogram to keep times in.
pub fn run(
    simulator: &mut Simulator,
    plan: &Plan,
    outside: &mut impl Outside,
) -> Result<Report, CreationError> {
    let mut report = Report::new(plan.pacing.is_some())?;
    let offset_ns = outside.wall_ns().wrapping_sub(outside.now_ns());
    if wait_for_start(plan, outside) {
        report.stopped_at_ns = Some(plan.start_ns);
        return Ok(report);
    }
    let mut told_ns = plan.start_ns;
    loop {
        if plan.pacing.is_none() {
            told_ns = told_ns.max(outside.wall_ns());
            simulator.tell_time(told_ns);
        }
        let Some(sent) = simulator.next() else { break };
        let due_ns = plan.begins_ns.saturating_add(sent.ts_ns.saturating_sub(plan.start_ns));
        let before_ns = match plan.pacing {
            Some(pacing) => wait(pacing, due_ns, outside),
            None => outside.now_ns(),
        };
        let line = &mut report.lines[sent.line];
        let attempt = offer(sent.line, &sent.payload, outside, &mut report.retries);
        let after_ns = outside.now_ns();
        match attempt {
            Attempt::Sent => {
                line.packets += 1;
                line.bytes += sent.payload.len() as u64;
            }
            Attempt::Full => *report.refused.entry("buffer_full").or_default() += 1,
            Attempt::Refused(why) => *report.refused.entry(why).or_default() += 1,
        }
        report.took.saturating_record(after_ns.saturating_sub(before_ns));
        if let Some(pacing) = plan.pacing {
            let behind_ns = before_ns.saturating_sub(due_ns);
            report.behind.saturating_record(behind_ns);
            report.late += u64::from(behind_ns > pacing.late_ns);
        }
        if report.stopped_at_ns.is_none() && outside.stopped() {
            report.stopped_at_ns = Some(sent.ts_ns);
            simulator.end_early();
        }
    }
    report.elapsed_ns = outside.now_ns().saturating_sub(plan.begins_ns);
    let ends_offset_ns = outside.wall_ns().wrapping_sub(outside.now_ns());
    report.stepped_ns = ends_offset_ns.wrapping_sub(offset_ns) as i64;
    Ok(report)
}

/// Whether the run was stopped before it began.
fn wait_for_start(plan: &Plan, outside: &mut impl Outside) -> bool {
    // Without deadlines nothing behind this waits for the rest.
    let pacing = plan.pacing.unwrap_or(Pacing { spin_ns: 0, ..Pacing::default() });
    loop {
        if outside.stopped() {
            return true;
        }
        match pacing.wait(plan.begins_ns, outside.now_ns()) {
            Wait::Sleep(ns) => outside.sleep(ns),
            // The first datagram's own wait does the rest.
            Wait::Spin | Wait::Over => return false,
        }
    }
}

/// Waits for a deadline; answers the time at which it was seen to have come.
fn wait(pacing: Pacing, due_ns: u64, outside: &mut impl Outside) -> u64 {
    loop {
        let now_ns = outside.now_ns();
        match pacing.wait(due_ns, now_ns) {
            Wait::Over => return now_ns,
            Wait::Spin => std::hint::spin_loop(),
            Wait::Sleep(ns) => outside.sleep(ns),
        }
    }
}

/// Offers a datagram until it is taken or refused, or patience ends.
fn offer(line: usize, payload: &[u8], outside: &mut impl Outside, retries: &mut u64) -> Attempt {
    let mut until_ns = None;
    loop {
        let attempt = outside.send(line, payload);
        if attempt != Attempt::Full {
            return attempt;
        }
        let now_ns = outside.now_ns();
        if now_ns >= *until_ns.get_or_insert(now_ns.saturating_add(PATIENCE_NS)) || outside.stopped() {
            return attempt;
        }
        *retries += 1;
        std::hint::spin_loop();
    }
}

/// Percentiles of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Half of all are at most this, nanoseconds; likewise the others.
    pub p50_ns: u64,
    /// 90 %.
    pub p90_ns: u64,
    /// 99 %.
    pub p99_ns: u64,
    /// 99.9 %.
    pub p999_ns: u64,
    /// The largest.
    pub max_ns: u64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Percentiles {
        let at = |percentile: f64| histogram.value_at_quantile(percentile);
        Percentiles {
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: histogram.max(),
        }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = |ns: u64| format!("{}.{}", ns / 1000, ns / 100 % 10);
        write!(
            f,
            "50 % {} us, 90 % {} us, 99 % {} us, 99.9 % {} us, most {} us",
            us(self.p50_ns),
            us(self.p90_ns),
            us(self.p99_ns),
            us(self.p999_ns),
            us(self.max_ns)
        )
    }
}

/// One line in a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineSummary {
    /// Its source.
    pub source: &'static str,
    /// Its channel.
    pub channel: &'static str,
    /// Its name.
    pub line: &'static str,
    /// Datagrams and bytes.
    #[serde(flatten)]
    pub count: LineCount,
}

/// What is said at the end, for people and as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Line by line.
    pub lines: Vec<LineSummary>,
    /// Datagrams on all lines.
    pub packets: u64,
    /// Messages of the venue about orders.
    pub messages: u64,
    /// From the first deadline to the end, nanoseconds.
    pub elapsed_ns: u64,
    /// Datagrams a second over that time.
    pub packets_per_second: u64,
    /// Datagrams that were not sent, by the reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Datagrams offered again to a full buffer.
    pub retries: u64,
    /// Datagrams sent later than they might; `null` without deadlines.
    pub late: Option<u64>,
    /// How long after their deadlines sends began; `null` without deadlines.
    pub behind: Option<Percentiles>,
    /// How long sends took.
    pub took: Percentiles,
    /// How far the wall's clock was set meanwhile.
    pub stepped_ns: i64,
    /// It was stopped before its end.
    pub stopped: bool,
}

impl Summary {
    /// The report in the end, of these lines, with the venue's messages.
    pub fn new(report: &Report, lines: &[usize], messages: u64) -> Summary {
        let line = |&line: &usize| LineSummary {
            source: LINES[line].source.name(),
            channel: LINES[line].channel,
            line: LINES[line].name,
            count: report.lines[line],
        };
        let per_second =
            u128::from(report.packets()) * u128::from(SECOND) / u128::from(report.elapsed_ns.max(1));
        Summary {
            lines: lines.iter().map(line).collect(),
            packets: report.packets(),
            messages,
            elapsed_ns: report.elapsed_ns,
            packets_per_second: u64::try_from(per_second).unwrap_or(u64::MAX),
            refused: report.refused.clone(),
            retries: report.retries,
            late: report.paced.then_some(report.late),
            behind: report.paced.then(|| Percentiles::of(&report.behind)),
            took: Percentiles::of(&report.took),
            stepped_ns: report.stepped_ns,
            stopped: report.stopped_at_ns.is_some(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for LineSummary { source, channel, line, count } in &self.lines {
            writeln!(f, "{source}/{channel}/{line}: {} packets, {} bytes", count.packets, count.bytes)?;
        }
        let ms = self.elapsed_ns / 1_000_000;
        writeln!(
            f,
            "{} packets and {} messages of the venue in {}.{:03} s: {} packets a second",
            self.packets,
            self.messages,
            ms / 1000,
            ms % 1000,
            self.packets_per_second
        )?;
        if let (Some(behind), Some(late)) = (&self.behind, self.late) {
            writeln!(f, "sent after the deadline: {behind}; {late} late")?;
        }
        writeln!(f, "a send took: {}", self.took)?;
        if self.retries > 0 {
            writeln!(f, "buffers were full: {} more attempts", self.retries)?;
        }
        for (why, count) in &self.refused {
            writeln!(f, "not sent, {why}: {count} packets")?;
        }
        if self.stepped_ns.unsigned_abs() > 10_000_000 {
            writeln!(
                f,
                "the wall's clock was set by {} ms meanwhile: stamps are off by it",
                self.stepped_ns / 1_000_000
            )?;
        }
        if self.stopped {
            writeln!(f, "stopped before the end")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "multicast_tests.rs"]
mod tests;
