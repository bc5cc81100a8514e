//! What is said on the control socket: one JSON object a line, a request and its answer. See `docs/control.md`.

use serde::{Deserialize, Serialize};

use crate::alert::console::{
    Action, Console, Counters, Done, Filter, Item, Pattern, Refusal, Shelf, Target, Time,
};
use crate::config::reader::duration;
use crate::run::status::Status;

/// A list shows so many alerts unless more are asked for.
pub const LIMIT: usize = 1_000;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cmd", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Is somebody there?
    Ping {},
    /// The whole snapshot.
    Status {},
    /// Alerts.
    Alerts {
        /// Open ones and those that returned unacknowledged (true, the default), or held and closed ones too (false).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        open: Option<bool>,
        /// Of this kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// That name this source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// About this instrument.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
        /// As severe as this, or more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        severity: Option<String>,
        /// At most so many; [`LIMIT`] when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    },
    /// One alert with everything that is known of it.
    Show {
        /// The beginning of its id.
        id: String,
    },
    /// What is put aside.
    Shelves {},
    /// Notices from now on, one a line.
    Follow {},
    /// Takes alerts.
    Acknowledge {
        /// The beginning of an id,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// or all of a kind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// of a source,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// of an instrument.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
        /// What to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Puts alerts aside.
    Shelve {
        /// As in [`Request::Acknowledge`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// See `id`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// See `id`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// See `id`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
        /// How long (`2h`),
        #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
        period: Option<String>,
        /// or until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
        /// Why.
        reason: String,
    },
    /// Ends a shelf.
    Unshelve {
        /// The beginning of the id of a shelf, or of an alert that has one of its own,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// or the very pattern of the shelf.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// See `kind`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// See `kind`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
    },
}

/// An answer: `ok`, and what was asked for, or an error with its sentence.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// It was done.
    pub ok: bool,
    /// Name of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who the daemon takes the caller for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub you: Option<String>,
    /// The daemon's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Time>,
    /// To `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Box<Status>>,
    /// To `alerts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Vec<Item>>,
    /// How many there are, shown or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    /// The console's counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
    /// To `show`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Box<Item>>,
    /// To `shelves`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shelves: Option<Vec<Shelf>>,
    /// To `acknowledge`, `shelve` and `unshelve`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
    /// To `follow`: notices come after this line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub following: Option<bool>,
}

impl Answer {
    /// It was not done.
    pub fn refusal(error: &str, why: impl Into<String>) -> Answer {
        Answer { error: Some(error.to_owned()), why: Some(why.into()), ..Answer::default() }
    }

    /// As one line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let before = out.len();
        if serde_json::to_writer(&mut *out, self).is_err() {
            out.truncate(before);
            out.extend_from_slice(
                b"{\"ok\":false,\"error\":\"internal\",\"why\":\"the answer cannot be written\"}",
            );
        }
        out.push(b'\n');
    }
}

/// What answers are made from.
pub trait Desk {
    /// The wall's time, nanoseconds since 1970 UTC.
    fn now_ns(&self) -> u64;
    /// The latest snapshot.
    fn status(&self) -> &Status;
    /// The operators' side of alerts.
    fn console(&mut self) -> &mut Console;
    /// What was just done outlives the daemon: only then it is answered.
    fn remember(&mut self);
}

type Name = Option<String>;

fn target(id: Name, kind: Name, source: Name, instrument: Name) -> Result<Target, Refusal> {
    let pattern = Pattern { kind, source, instrument };
    pattern.check()?;
    match id {
        Some(id) if pattern.is_empty() => Ok(Target::Id(id)),
        None if !pattern.is_empty() => Ok(Target::Pattern(pattern)),
        _ => Err(Refusal::NoTarget),
    }
}

/// Answers one request of `who`. `follow` is only confirmed here.
pub fn answer(request: Request, who: &str, desk: &mut dyn Desk) -> Answer {
    let now = desk.now_ns();
    let ok = Answer { ok: true, ..Answer::default() };
    let made = match request {
        Request::Ping {} => Ok(Answer { you: Some(who.to_owned()), now: Some(Time(now)), ..ok }),
        Request::Status {} => Ok(Answer { status: Some(Box::new(desk.status().clone())), ..ok }),
        Request::Follow {} => Ok(Answer { following: Some(true), ..ok }),
        Request::Shelves {} => {
            Ok(Answer { shelves: Some(desk.console().shelves().cloned().collect()), ..ok })
        }
        Request::Show { id } => {
            desk.console().show(&id).map(|item| Answer { alert: Some(Box::new(item)), ..ok })
        }
        Request::Alerts { open, kind, source, instrument, severity, limit } => {
            let pattern = Pattern { kind, source, instrument };
            let filter = Filter { pattern, severity, all: open == Some(false) };
            let console = desk.console();
            filter.pattern.check().and_then(|()| console.list(&filter)).map(|mut alerts| {
                let total = Some(alerts.len());
                alerts.truncate(limit.unwrap_or(LIMIT));
                let counters = Some(console.counters());
                Answer { now: Some(Time(now)), alerts: Some(alerts), total, counters, ..ok }
            })
        }
        request => action(request, now).and_then(|action| desk.console().act(now, who, action)).map(|done| {
            desk.remember();
            Answer { done: Some(done), ..ok }
        }),
    };
    made.unwrap_or_else(|refusal| Answer::refusal(refusal.name(), refusal.to_string()))
}

/// What an operator wants done.
fn action(request: Request, now: u64) -> Result<Action, Refusal> {
    match request {
        Request::Acknowledge { id, kind, source, instrument, note } => Ok(Action::Acknowledge {
            target: target(id, kind, source, instrument)?,
            note: note.unwrap_or_default(),
        }),
        Request::Shelve { id, kind, source, instrument, period, until, reason } => {
            let target = target(id, kind, source, instrument)?;
            let until_ns = match (period, until) {
                (Some(period), None) => duration(&period).map(|ns| now.saturating_add(ns)),
                (None, until) => until.map(|t| t.0),
                _ => None,
            };
            Ok(Action::Shelve { target, until_ns: until_ns.ok_or(Refusal::NoUntil)?, reason })
        }
        Request::Unshelve { id, kind, source, instrument } => {
            Ok(Action::Unshelve { target: target(id, kind, source, instrument)? })
        }
        _ => Err(Refusal::NoTarget),
    }
}
