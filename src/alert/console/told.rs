//! What the console gives out: notices for outlets and followers, items for lists. The same types read them back.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::act::Refusal;
use super::line::{Time, severity};
use crate::config::{Kind, Severity};

/// Where an alert stands with the operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Open, and nobody has taken it.
    Unacknowledged,
    /// Over, and nobody had taken it: listed until somebody does.
    Returned,
    /// Open, and somebody has taken it.
    Acknowledged,
    /// Open, and put aside by an operator until a time.
    Shelved,
    /// Open, and told as a part of its parent or of a chronic alert.
    Held,
    /// Over.
    Cleared,
}

impl State {
    /// Name in records.
    pub const fn name(self) -> &'static str {
        match self {
            State::Unacknowledged => "unacknowledged",
            State::Returned => "returned",
            State::Acknowledged => "acknowledged",
            State::Shelved => "shelved",
            State::Held => "held",
            State::Cleared => "cleared",
        }
    }
}

/// Somebody has taken it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who.
    pub who: String,
    /// When.
    pub at: Time,
    /// What they said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What a shelf, a filter or a command is about: everything that is given must be equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// Kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// One of its sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Instrument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
}

impl Pattern {
    /// Nothing is given: everything matches.
    pub fn is_empty(&self) -> bool {
        self == &Pattern::default()
    }

    /// A kind that there is none of would match nothing, now and in all that comes.
    ///
    /// # Errors
    /// The kind.
    pub fn check(&self) -> Result<(), Refusal> {
        match &self.kind {
            Some(kind) if Kind::ALL.iter().all(|k| k.name() != kind) => Err(Refusal::NoKind(kind.clone())),
            _ => Ok(()),
        }
    }

    /// Whether an alert of that kind, sources and instrument is meant.
    pub fn matches(&self, kind: &str, sources: &[String], instrument: Option<&str>) -> bool {
        self.kind.as_deref().is_none_or(|k| k == kind)
            && self.source.as_ref().is_none_or(|s| sources.contains(s))
            && self.instrument.as_deref().is_none_or(|i| Some(i) == instrument)
    }
}

/// Put aside by an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Its own id.
    pub shelf: String,
    /// The alert, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is meant, where it is no single alert.
    #[serde(flatten)]
    pub pattern: Pattern,
    /// Until when.
    pub until: Time,
    /// Why.
    pub reason: String,
    /// Who.
    pub who: String,
    /// Since when.
    pub at: Time,
}

/// An alert as the lists show it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// Its id, the same for its whole life.
    pub id: String,
    /// Where it stands.
    pub state: State,
    /// Kind.
    pub kind: String,
    /// How bad, at its worst.
    #[serde(with = "severity")]
    pub severity: Severity,
    /// Instrument, where it is about one.
    pub instrument: Option<String>,
    /// Venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// Side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// The sources.
    pub sources: Vec<String>,
    /// Channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// When it began.
    pub began: Time,
    /// When it was raised.
    pub raised: Time,
    /// When it was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// Why it was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// It stands for one that comes and goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chronic: bool,
    /// How often it was raised: more than once only for a chronic one.
    pub count: u64,
    /// How many alerts it explains.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub children: u64,
    /// The parent or chronic alert that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
    /// Who took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
    /// How it is put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelved: Option<Shelf>,
    /// One sentence.
    pub why: String,
    /// The judge's lines: the first, and the latest; only where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Box<RawValue>>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeEvent {
    /// An alert that was not told before: just raised, or no longer held by its parent, its chronic alert or a shelf.
    #[serde(rename = "raised")]
    New,
    /// A told alert became worse.
    Escalated,
    /// A told alert is over.
    Cleared,
    /// Its shelf has ended, and it is still open.
    Reminded,
    /// One subject is raised too often: this stands for it from now on.
    ChronicBegan,
    /// It has been quiet for long enough.
    ChronicEnded,
    /// An operator took it.
    Acknowledged,
    /// An operator put something aside.
    Shelved,
    /// An operator ended a shelf.
    Unshelved,
}

impl NoticeEvent {
    /// Name in records.
    pub const fn name(self) -> &'static str {
        match self {
            NoticeEvent::New => "raised",
            NoticeEvent::Escalated => "escalated",
            NoticeEvent::Cleared => "cleared",
            NoticeEvent::Reminded => "reminded",
            NoticeEvent::ChronicBegan => "chronic_began",
            NoticeEvent::ChronicEnded => "chronic_ended",
            NoticeEvent::Acknowledged => "acknowledged",
            NoticeEvent::Shelved => "shelved",
            NoticeEvent::Unshelved => "unshelved",
        }
    }

    /// An operator did it: nobody need be woken.
    pub const fn is_operators(self) -> bool {
        matches!(self, NoticeEvent::Acknowledged | NoticeEvent::Shelved | NoticeEvent::Unshelved)
    }

    /// It closes what an earlier notice opened.
    pub const fn is_end(self) -> bool {
        matches!(self, NoticeEvent::Cleared | NoticeEvent::ChronicEnded)
    }
}

/// One thing that people are to be told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub ts: Time,
    /// What.
    pub event: NoticeEvent,
    /// Which alert (or shelf): the same in every notice about it.
    pub id: String,
    /// Kind; empty for a shelf over several.
    #[serde(default)]
    pub kind: String,
    /// How bad, at its worst.
    #[serde(with = "severity")]
    pub severity: Severity,
    /// Where it stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Instrument.
    #[serde(default)]
    pub instrument: Option<String>,
    /// Venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// Side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// Sources.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// How often it was raised.
    #[serde(default)]
    pub count: u64,
    /// How many alerts it explains.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub children: u64,
    /// The parent or chronic alert that held it until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_under: Option<String>,
    /// The operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Their note or reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Until when it is put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// One sentence.
    #[serde(default)]
    pub why: String,
    /// The judge's lines behind it.
    #[serde(default)]
    pub alerts: Vec<Box<RawValue>>,
}

impl Notice {
    /// Appends it as one line of NDJSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        // Writing to memory what holds no map and no number that JSON lacks cannot fail.
        if serde_json::to_writer(&mut *out, self).is_ok() {
            out.push(b'\n');
        }
    }

    /// It as one line of NDJSON.
    pub fn to_line(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        self.write(&mut out);
        out
    }
}
