//! Ways out for alerts: a log file, syslog, a webhook.
//!
//! An outlet takes a notice and never makes the caller wait: what cannot go out at once is queued within a bound,
//! tried again, and counted when it has to be given up. Nothing here decides what an alert is or whom it concerns.

mod backoff;
mod log;
mod log_file;
mod rfc5424;
mod syslog;
mod webhook;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Deserialize;

use crate::config::Severity;
use crate::run::status::OutletStatus;

pub use backoff::{Answer, Backoff, Courier, Step, Verdict};
pub use log::{AlertLog, LogOptions, LogTarget};
pub use syslog::{Syslog, SyslogTarget};
pub use webhook::{Webhook, WebhookOptions};

/// One transition of one alert, as an outlet needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The NDJSON line, its line feed included.
    pub line: Vec<u8>,
    /// Identity of the alert: the same for all its lines.
    pub id: String,
    /// `raised`, `escalated`, `cleared`, or a word of the operator's life cycle.
    pub event: String,
    /// Kind of the alert.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// The sentence for people.
    pub why: String,
    /// Moment of the transition, nanoseconds since 1970 UTC.
    pub ts_ns: u64,
    /// What it is about, as names and values: instrument, venue, side, source, channel, line.
    pub about: Vec<(&'static str, String)>,
}

/// A line that is no alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Not a JSON object with the members of an alert.
    #[error("no alert line: {0}")]
    Json(String),
    /// A time that is none, or lies outside 1970 to 2554.
    #[error("no time of an alert: {0}")]
    Time(String),
    /// Not one line.
    #[error("an alert is one line")]
    Lines,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    ts: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    severity: Cow<'a, str>,
    instrument: Option<String>,
    venue: Option<String>,
    side: Option<String>,
    #[serde(default)]
    sources: Vec<String>,
    channel: Option<String>,
    line: Option<String>,
    #[serde(default, borrow)]
    why: Cow<'a, str>,
}

impl Notice {
    /// Reads an alert line (with or without its line feed). An unknown severity counts as `critical`: rather told
    /// once too often.
    pub fn from_line(line: &[u8]) -> Result<Notice, NoticeError> {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        if bare.contains(&b'\n') {
            return Err(NoticeError::Lines);
        }
        let read: Line<'_> = serde_json::from_slice(bare).map_err(|e| NoticeError::Json(e.to_string()))?;
        let ts: jiff::Timestamp = read.ts.parse().map_err(|_| NoticeError::Time(read.ts.to_string()))?;
        let ts_ns = u64::try_from(ts.as_nanosecond()).map_err(|_| NoticeError::Time(read.ts.to_string()))?;
        let one = [("instrument", read.instrument), ("venue", read.venue), ("side", read.side)];
        let sources = read.sources.into_iter().map(|s| ("source", Some(s)));
        let place = [("channel", read.channel), ("line", read.line)];
        let about = one.into_iter().chain(sources).chain(place);
        Ok(Notice {
            line: [bare, b"\n"].concat(),
            id: read.id.into_owned(),
            event: read.event.into_owned(),
            kind: read.kind.into_owned(),
            severity: Severity::from_name(&read.severity).unwrap_or(Severity::Critical),
            why: read.why.into_owned(),
            ts_ns,
            about: about.filter_map(|(name, value)| Some((name, value?))).collect(),
        })
    }

    /// The line without its line feed.
    pub fn json(&self) -> &[u8] {
        self.line.strip_suffix(b"\n").unwrap_or(&self.line)
    }

    /// The same for every try to tell this transition, different for every other: alert, event and time.
    pub fn idempotency_key(&self) -> String {
        format!("{}-{}-{}", self.id, self.event, self.ts_ns)
    }
}

/// A way out. None of these calls waits, but [`close`](Outlet::close).
pub trait Outlet {
    /// Takes a notice: sends or queues it; a full queue drops one and counts it.
    fn offer(&mut self, notice: &Notice);

    /// What is due by `now`: tries again, reconnects. To be called every second or so, and after a batch of offers.
    fn tend(&mut self, now: Instant);

    /// How it does.
    fn status(&self) -> OutletStatus;

    /// Opens anew what it writes to (after a SIGHUP, when another tool has moved a file away).
    fn reopen(&mut self) {}

    /// Sends what is queued as far as `deadline` allows and stops; what is left is counted as dropped.
    fn close(&mut self, deadline: Instant);
}

/// All ways out of a daemon.
#[derive(Default)]
pub struct Outlets {
    log: Option<AlertLog>,
    told: Vec<(Severity, Box<dyn Outlet + Send>)>,
}

impl std::fmt::Debug for Outlets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlets").field("status", &self.status()).finish()
    }
}

impl Outlets {
    /// None yet.
    pub fn new() -> Outlets {
        Outlets::default()
    }

    /// The alert log takes every line that the judge says.
    pub fn set_log(&mut self, log: AlertLog) {
        self.log = Some(log);
    }

    /// One that is told from `least` on, as the operator's life cycle decides.
    pub fn add(&mut self, least: Severity, outlet: Box<dyn Outlet + Send>) {
        self.told.push((least, outlet));
    }

    /// To the alert log.
    pub fn log(&mut self, notice: &Notice) {
        if let Some(log) = &mut self.log {
            log.offer(notice);
        }
    }

    /// To everyone who is told by severity: syslog, webhook.
    pub fn tell(&mut self, notice: &Notice) {
        for (_, outlet) in self.told.iter_mut().filter(|(least, _)| notice.severity >= *least) {
            outlet.offer(notice);
        }
    }

    /// See [`Outlet::tend`].
    pub fn tend(&mut self, now: Instant) {
        self.each().for_each(|outlet| outlet.tend(now));
    }

    /// See [`Outlet::reopen`].
    pub fn reopen(&mut self) {
        self.each().for_each(|outlet| outlet.reopen());
    }

    /// One entry each, the log first.
    pub fn status(&self) -> Vec<OutletStatus> {
        let told = self.told.iter().map(|(_, outlet)| outlet.status());
        self.log.iter().map(Outlet::status).chain(told).collect()
    }

    /// Closes all of them by the same deadline, the log first.
    pub fn close(&mut self, deadline: Instant) {
        self.each().for_each(|outlet| outlet.close(deadline));
    }

    fn each(&mut self) -> impl Iterator<Item = &mut dyn Outlet> {
        let log = self.log.iter_mut().map(|log| log as &mut dyn Outlet);
        log.chain(self.told.iter_mut().map(|(_, outlet)| outlet.as_mut() as &mut dyn Outlet))
    }
}

/// What an outlet with its own thread shares with its owner.
#[derive(Debug, Default)]
struct Counters {
    delivered: AtomicU64,
    dropped: AtomicU64,
    failures: AtomicU64,
    error: Mutex<String>,
}

impl Counters {
    fn delivered(&self, count: u64) {
        self.delivered.fetch_add(count, Ordering::Relaxed);
        lock(&self.error).clear();
    }

    fn dropped(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }

    fn failed(&self, why: String) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        *lock(&self.error) = why;
    }

    fn status(&self, name: &str, queued: u64) -> OutletStatus {
        OutletStatus {
            name: name.to_owned(),
            delivered: self.delivered.load(Ordering::Relaxed),
            queued,
            dropped: self.dropped.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            error: lock(&self.error).clone(),
        }
    }
}

/// The guard, also after a panic of another holder: what is guarded here is whole between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
