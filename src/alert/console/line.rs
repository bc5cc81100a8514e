//! One alert line of the judge, as far as the console needs it, beside the very bytes that came.
//!
//! Source: the contract of the alert records ("Alerts": one NDJSON line per transition). Members that are not named
//! here are kept in `raw` and passed on unread.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::alert::json;
use crate::config::Severity;

/// Longer lines are refused, bytes.
pub const LINE_MAX: usize = 64 * 1024;

/// Names of one line are no longer than this, bytes.
const NAME_MAX: usize = 256;

/// A line names no more sources than this.
const SOURCES_MAX: usize = 64;

/// Nanoseconds since 1970 UTC; RFC 3339 in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Time(pub u64);

impl Time {
    /// From RFC 3339; nothing when it is none or lies outside 1970 to 2554.
    pub fn parse(text: &str) -> Option<Time> {
        let at: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(at.as_nanosecond()).ok().map(Time)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&json::show_time(self.0))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is no RFC 3339 time")))
    }
}

/// Severities by name.
pub mod severity {
    use super::*;

    /// Writes the name.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn serialize<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(severity.name())
    }

    /// Reads the name.
    ///
    /// # Errors
    /// A name that is no severity.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Severity::from_name(&name);
        known.ok_or_else(|| {
            D::Error::custom(format!("{name:?} is no severity: info, minor, major or critical"))
        })
    }
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It began, and has lasted long enough.
    Raised,
    /// It became worse, or something else.
    Escalated,
    /// It is over.
    Cleared,
}

/// Why a line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is longer than [`LINE_MAX`].
    #[error("an alert line of {0} bytes is longer than {LINE_MAX}")]
    TooLong(usize),
    /// It is no JSON object, or lacks a member.
    #[error("no alert line: {0}")]
    NotAnAlert(String),
    /// A name in it is longer than any name may be, or there are too many sources.
    #[error("an alert line whose {0} is beyond all bounds")]
    OutOfBounds(&'static str),
}

/// One transition of one alert.
#[derive(Debug, Clone, Deserialize)]
pub struct AlertLine {
    /// Moment of the transition.
    pub ts: Time,
    /// What happened.
    pub event: Event,
    /// The same for all lines of one alert.
    pub id: String,
    /// Kind.
    pub kind: String,
    /// How bad.
    #[serde(with = "severity")]
    pub severity: Severity,
    /// Instrument, where it is about one.
    #[serde(default)]
    pub instrument: Option<String>,
    /// Venue.
    #[serde(default)]
    pub venue: Option<String>,
    /// Side.
    #[serde(default)]
    pub side: Option<String>,
    /// The sources, the one at fault (where known) first.
    pub sources: Vec<String>,
    /// Channel.
    #[serde(default)]
    pub channel: Option<String>,
    /// Line of the channel.
    #[serde(default)]
    pub line: Option<String>,
    /// `source`, `sources` or `venues`.
    #[serde(default)]
    pub scope: Option<String>,
    /// When it began.
    pub began: Time,
    /// How many instruments are under it.
    #[serde(default)]
    pub instruments: Option<u64>,
    /// Why it was cleared.
    #[serde(default)]
    pub reason: Option<String>,
    /// One sentence that a person can forward.
    #[serde(default)]
    pub why: String,
    /// The line as it came, without the end of line.
    #[serde(skip)]
    pub raw: Box<RawValue>,
}

impl AlertLine {
    /// Reads one line.
    ///
    /// # Errors
    /// A line that is too long, or is no alert.
    pub fn parse(bytes: &[u8]) -> Result<AlertLine, LineError> {
        if bytes.len() > LINE_MAX {
            return Err(LineError::TooLong(bytes.len()));
        }
        let bad = |error: serde_json::Error| LineError::NotAnAlert(error.to_string());
        let raw: Box<RawValue> = serde_json::from_slice(bytes.trim_ascii()).map_err(bad)?;
        // As one record of NDJSON it must stay on one line.
        if raw.get().contains(['\n', '\r']) {
            return Err(LineError::NotAnAlert("it is broken into several lines".to_owned()));
        }
        let mut line: AlertLine = serde_json::from_str(raw.get()).map_err(bad)?;
        line.raw = raw;
        line.bounded()?;
        Ok(line)
    }

    fn bounded(&self) -> Result<(), LineError> {
        if self.id.is_empty() || self.id.len() > 64 {
            return Err(LineError::OutOfBounds("id"));
        }
        if self.sources.len() > SOURCES_MAX || self.sources.iter().any(|s| s.len() > NAME_MAX) {
            return Err(LineError::OutOfBounds("list of sources"));
        }
        let names = [&self.instrument, &self.venue, &self.side, &self.channel, &self.line, &self.scope];
        if self.kind.len() > NAME_MAX || names.into_iter().flatten().any(|n| n.len() > NAME_MAX) {
            return Err(LineError::OutOfBounds("name"));
        }
        Ok(())
    }

    /// What it is about, without when: equal for alerts that come and go about one thing.
    pub fn subject(&self) -> String {
        let mut sources: Vec<&str> = self.sources.iter().map(String::as_str).collect();
        sources.sort_unstable();
        let part = |name: &Option<String>| name.clone().unwrap_or_default();
        let parts = [&self.instrument, &self.venue, &self.side, &self.channel, &self.line, &self.scope];
        let parts: Vec<String> = parts.into_iter().map(part).collect();
        format!("{}\u{1f}{}\u{1f}{}", self.kind, sources.join("\u{1e}"), parts.join("\u{1f}"))
    }

    /// How much it explains: a silent source over its silent channel, over its line, over a bad line, over the rest.
    fn breadth(&self) -> u8 {
        match (self.kind.as_str(), &self.channel, &self.line) {
            ("silent", None, None) => 4,
            // The only channel of a source is named when the source is meant; then instruments are under it.
            ("silent", Some(_), None) if self.instruments.unwrap_or(0) > 0 => 4,
            ("silent", Some(_), None) => 3,
            ("silent", _, Some(_)) => 2,
            ("line", ..) => 1,
            _ => 0,
        }
    }

    /// Whether other alerts can be its children.
    pub fn is_parent(&self) -> bool {
        self.breadth() > 0
    }

    /// Whether it explains `child`. A silent channel explains what stopped (`stale`, `missing`), not what differs:
    /// the record does not say on which channel an instrument lives.
    pub fn covers(&self, child: &AlertLine) -> bool {
        let Some(source) = self.sources.first() else { return false };
        if self.breadth() <= child.breadth() || !child.sources.contains(source) {
            return false;
        }
        match self.breadth() {
            4 => true,
            3 => match &child.channel {
                Some(_) => child.channel == self.channel,
                None => {
                    matches!(child.kind.as_str(), "stale" | "missing")
                        && child.sources.first() == Some(source)
                }
            },
            _ => child.channel == self.channel && child.line == self.line,
        }
    }
}
