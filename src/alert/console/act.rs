//! What operators do, its record in the journal, and how the journal is read back after a restart.
//!
//! Who it is, is the caller's knowledge: nothing that an operator sends can say it.

use serde::{Deserialize, Serialize};

use super::line::Time;
use super::{Acknowledged, Console, Entry, Notice, NoticeEvent, Pattern, Shelf, State, flaps};
use crate::config::{Kind, Severity};

/// Notes, reasons and names are no longer than this, bytes.
pub const TEXT_MAX: usize = 1_000;

/// Acknowledgements of the journal that wait for their alerts.
const REMEMBERED_MAX: usize = 10_000;

/// What is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The alert (for an unshelving: or the shelf) whose id begins so.
    Id(String),
    /// All that match; it is never empty.
    Pattern(Pattern),
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Takes it.
    Acknowledge {
        /// What.
        target: Target,
        /// What to say; may be empty.
        note: String,
    },
    /// Puts it aside.
    Shelve {
        /// What; with a pattern, what comes later too.
        target: Target,
        /// Until when, nanoseconds since 1970 UTC.
        until_ns: u64,
        /// Why; never empty.
        reason: String,
    },
    /// Ends a shelf before its time.
    Unshelve {
        /// The shelf, an alert that has one of its own, or the pattern of a shelf.
        target: Target,
    },
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The alerts that it touched.
    pub ids: Vec<String>,
    /// The shelf that was made or ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shelves: Vec<Shelf>,
}

/// Why it was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing has such an id.
    #[error("no alert has an id that begins with {0:?}; `parallax alerts` lists them")]
    Unknown(String),
    /// Several ids begin so.
    #[error("several alerts have an id that begins with {0:?}; give more of it")]
    Ambiguous(String),
    /// Nothing matches.
    #[error("no open alert matches; `parallax alerts` lists them")]
    NoneMatches,
    /// No shelf is meant.
    #[error("nothing that is put aside matches; `parallax alerts shelves` lists the shelves")]
    NoShelf,
    /// It is held by a shelf for several.
    #[error("it is put aside by shelf {0}, which is for more than this alert; unshelve that")]
    OnOtherShelf(String),
    /// Nothing says what is meant.
    #[error("say which: an id, or at least one of kind, source and instrument")]
    NoTarget,
    /// No such kind.
    #[error("{0:?} is no kind: {kinds}", kinds = Kind::ALL.map(Kind::name).join(", "))]
    NoKind(String),
    /// No such severity.
    #[error("{0:?} is no severity: info, minor, major or critical")]
    NoSeverity(String),
    /// Nothing, or two things, say until when.
    #[error("say how long (for: 2h, 30m) or until when (until: an RFC 3339 time), one of them")]
    NoUntil,
    /// The time lies in the past or too far ahead.
    #[error("it can be put aside until a later time, at most {0} days ahead")]
    BadUntil(u64),
    /// A shelf without its reason.
    #[error("say why it is put aside (reason)")]
    NoReason,
    /// A text is too long.
    #[error("{0} is longer than {TEXT_MAX} bytes")]
    TooLong(&'static str),
    /// There are too many shelves.
    #[error("{0} shelves are there already; end some of them first")]
    TooManyShelves(usize),
}

impl Refusal {
    /// Name in answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Refusal::Unknown(_) => "unknown_id",
            Refusal::Ambiguous(_) => "ambiguous_id",
            Refusal::NoneMatches => "none_matches",
            Refusal::NoShelf => "no_shelf",
            Refusal::OnOtherShelf(_) => "on_other_shelf",
            Refusal::NoTarget => "no_target",
            Refusal::NoKind(_) => "no_kind",
            Refusal::NoSeverity(_) => "no_severity",
            Refusal::NoUntil => "no_until",
            Refusal::BadUntil(_) => "bad_until",
            Refusal::NoReason => "no_reason",
            Refusal::TooLong(_) => "too_long",
            Refusal::TooManyShelves(_) => "too_many_shelves",
        }
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Record {
    Acknowledge {
        ts: Time,
        who: String,
        id: String,
        #[serde(default)]
        note: String,
    },
    Shelve(Shelf),
    Unshelve {
        ts: Time,
        who: String,
        shelf: String,
    },
}

impl Console {
    /// Does what `who` asks for, at `now_ns`.
    ///
    /// # Errors
    /// Why it was not done; then nothing has changed.
    pub fn act(&mut self, now_ns: u64, who: &str, action: Action) -> Result<Done, Refusal> {
        self.advance(now_ns);
        if who.len() > TEXT_MAX {
            return Err(Refusal::TooLong("the name"));
        }
        match action {
            Action::Acknowledge { target, note } => self.acknowledge(now_ns, who, &target, &note),
            Action::Shelve { target, until_ns, reason } => {
                self.shelve(now_ns, who, target, until_ns, &reason)
            }
            Action::Unshelve { target } => self.unshelve(now_ns, who, &target),
        }
    }

    fn acknowledge(&mut self, now: u64, who: &str, target: &Target, note: &str) -> Result<Done, Refusal> {
        if note.len() > TEXT_MAX {
            return Err(Refusal::TooLong("the note"));
        }
        let ids = match target {
            Target::Id(prefix) => vec![self.find(prefix)?.line.id.clone()],
            Target::Pattern(pattern) => {
                not_empty(pattern)?;
                let open = |e: &Entry| {
                    matches!(self.state(e), State::Unacknowledged | State::Returned)
                        && pattern.matches(&e.line.kind, &e.line.sources, e.line.instrument.as_deref())
                };
                self.in_order(open).iter().map(|e| e.line.id.clone()).collect()
            }
        };
        if ids.is_empty() {
            return Err(Refusal::NoneMatches);
        }
        for id in &ids {
            let Some(entry) = self.entries.get_mut(id) else { continue };
            entry.acknowledged =
                Some(Acknowledged { who: who.to_owned(), at: Time(now), note: note.to_owned() });
            entry.restored = false;
            let over = entry.ended.is_some();
            self.operators(NoticeEvent::Acknowledged, now, id, who, note);
            self.write(&Record::Acknowledge {
                ts: Time(now),
                who: who.to_owned(),
                id: id.clone(),
                note: note.to_owned(),
            });
            if over {
                self.close(id, None);
            }
        }
        Ok(Done { ids, shelves: Vec::new() })
    }

    fn shelve(
        &mut self,
        now: u64,
        who: &str,
        target: Target,
        until_ns: u64,
        reason: &str,
    ) -> Result<Done, Refusal> {
        if reason.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        if reason.len() > TEXT_MAX {
            return Err(Refusal::TooLong("the reason"));
        }
        let longest = self.settings.shelve_max_ns;
        if until_ns <= now || until_ns - now > longest {
            return Err(Refusal::BadUntil(longest / 86_400_000_000_000));
        }
        let (id, pattern) = match target {
            Target::Id(prefix) => {
                let entry = self.find(&prefix)?;
                if entry.ended.is_some() {
                    return Err(Refusal::NoneMatches);
                }
                (Some(entry.line.id.clone()), Pattern::default())
            }
            Target::Pattern(pattern) => {
                not_empty(&pattern)?;
                (None, pattern)
            }
        };
        // The same thing put aside anew: the later word holds.
        let same: Vec<String> = self
            .shelves
            .values()
            .filter(|s| s.id == id && s.pattern == pattern)
            .map(|s| s.shelf.clone())
            .collect();
        if self.shelves.len() - same.len() >= self.settings.shelves_max {
            return Err(Refusal::TooManyShelves(self.shelves.len()));
        }
        same.iter().for_each(|s| drop(self.shelves.remove(s)));
        let about = serde_json::to_string(&(&id, &pattern)).unwrap_or_default();
        let shelf = Shelf {
            shelf: format!("s{}", &flaps::identity(&about, now)[..11]),
            id,
            pattern,
            until: Time(until_ns),
            reason: reason.to_owned(),
            who: who.to_owned(),
            at: Time(now),
        };
        self.write(&Record::Shelve(shelf.clone()));
        self.shelves.insert(shelf.shelf.clone(), shelf.clone());
        self.due = self.due.min(until_ns);
        self.shelf_notice(NoticeEvent::Shelved, now, &shelf, who);
        Ok(Done { ids: self.on_shelf(&shelf), shelves: vec![shelf] })
    }

    fn unshelve(&mut self, now: u64, who: &str, target: &Target) -> Result<Done, Refusal> {
        let meant = |shelf: &&Shelf| match target {
            Target::Id(prefix) => {
                !prefix.is_empty()
                    && (shelf.shelf.starts_with(prefix)
                        || shelf.id.as_deref().is_some_and(|id| id.starts_with(prefix)))
            }
            Target::Pattern(pattern) => shelf.id.is_none() && shelf.pattern == *pattern,
        };
        let shelves: Vec<Shelf> = self.shelves.values().filter(meant).cloned().collect();
        match (target, shelves.len()) {
            (Target::Id(prefix), 0) => {
                let entry = self.find(prefix)?;
                return Err(match self.shelf_of(entry) {
                    Some(shelf) => Refusal::OnOtherShelf(shelf.shelf.clone()),
                    None => Refusal::NoShelf,
                });
            }
            (Target::Id(prefix), 2..) => return Err(Refusal::Ambiguous(prefix.clone())),
            (Target::Pattern(pattern), 0) => {
                not_empty(pattern)?;
                return Err(Refusal::NoShelf);
            }
            _ => {}
        }
        let mut ids = Vec::new();
        for shelf in &shelves {
            ids.extend(self.on_shelf(shelf));
            self.write(&Record::Unshelve { ts: Time(now), who: who.to_owned(), shelf: shelf.shelf.clone() });
            self.shelf_notice(NoticeEvent::Unshelved, now, shelf, who);
            self.unshelf(&shelf.shelf, now);
        }
        Ok(Done { ids, shelves })
    }

    fn on_shelf(&self, shelf: &Shelf) -> Vec<String> {
        let on = |e: &Entry| self.state(e) == State::Shelved && super::lists::is_on(shelf, e);
        self.in_order(on).iter().map(|e| e.line.id.clone()).collect()
    }

    fn operators(&mut self, event: NoticeEvent, now: u64, id: &str, who: &str, note: &str) {
        let notice = self.notice(event, now, id).map(|notice| Notice {
            who: Some(who.to_owned()),
            note: (!note.is_empty()).then(|| note.to_owned()),
            ..notice
        });
        self.push(notice);
    }

    fn shelf_notice(&mut self, event: NoticeEvent, now: u64, shelf: &Shelf, who: &str) {
        let about = shelf.id.as_ref().and_then(|id| self.notice(event, now, id));
        let bare = || Notice {
            ts: Time(now),
            event,
            id: shelf.shelf.clone(),
            kind: shelf.pattern.kind.clone().unwrap_or_default(),
            severity: Severity::Info,
            state: None,
            instrument: shelf.pattern.instrument.clone(),
            venue: None,
            side: None,
            sources: shelf.pattern.source.iter().cloned().collect(),
            channel: None,
            line: None,
            count: 0,
            children: 0,
            was_under: None,
            who: None,
            note: None,
            until: None,
            why: String::new(),
            alerts: Vec::new(),
        };
        let notice = Notice {
            who: Some(who.to_owned()),
            note: Some(shelf.reason.clone()),
            until: (event == NoticeEvent::Shelved).then_some(shelf.until),
            ..about.unwrap_or_else(bare)
        };
        self.push(Some(notice));
    }

    fn write(&mut self, record: &Record) {
        if serde_json::to_writer(&mut self.journal, record).is_ok() {
            self.journal.push(b'\n');
        }
    }

    /// Reads a journal, oldest line first; answers how many lines it could not read. Shelves that have not ended hold
    /// at once; an acknowledgement holds when its alert is raised (ids are stable: the judge's lines of the
    /// time before, or a daemon that sees the same thing again, give the same). Nothing is told and nothing recorded.
    pub fn restore(&mut self, now_ns: u64, journal: &[u8]) -> u64 {
        let mut bad = 0;
        for line in journal.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()) {
            match serde_json::from_slice(line) {
                Ok(record) => self.remember(now_ns, record),
                Err(_) => bad += 1,
            }
        }
        bad
    }

    fn remember(&mut self, now: u64, record: Record) {
        match record {
            Record::Acknowledge { ts, who, id, note } => {
                let taken = Acknowledged { who, at: ts, note };
                match self.entries.get_mut(&id) {
                    Some(entry) => (entry.acknowledged, entry.restored) = (Some(taken), true),
                    None => drop(self.remembered.insert(id, taken)),
                }
                self.forget_oldest();
            }
            Record::Shelve(shelf) => {
                self.shelves.retain(|_, s| s.id != shelf.id || s.pattern != shelf.pattern);
                if shelf.until.0 > now && self.shelves.len() < self.settings.shelves_max {
                    self.due = self.due.min(shelf.until.0);
                    self.shelves.insert(shelf.shelf.clone(), shelf);
                }
            }
            Record::Unshelve { shelf, .. } => drop(self.shelves.remove(&shelf)),
        }
    }

    /// Keeps the newest of what is remembered; half of it goes at a time, so that a long journal is read quickly.
    fn forget_oldest(&mut self) {
        if self.remembered.len() > 2 * REMEMBERED_MAX {
            let mut times: Vec<Time> = self.remembered.values().map(|a| a.at).collect();
            times.sort_unstable();
            let oldest_kept = times[times.len() - REMEMBERED_MAX];
            self.remembered.retain(|_, a| a.at >= oldest_kept);
        }
    }

    /// A journal that says only what still matters, to begin a new file with.
    pub fn journal_of_now(&self) -> Vec<u8> {
        let open = self.in_order(|e| e.acknowledged.is_some());
        let open = open.iter().filter_map(|e| Some((&e.line.id, e.acknowledged.as_ref()?)));
        let taken = self.remembered.iter().chain(open).map(|(id, taken)| Record::Acknowledge {
            ts: taken.at,
            who: taken.who.clone(),
            id: id.clone(),
            note: taken.note.clone(),
        });
        let shelves = self.shelves.values().cloned().map(Record::Shelve);
        let mut out = Vec::new();
        for record in taken.chain(shelves) {
            if serde_json::to_writer(&mut out, &record).is_ok() {
                out.push(b'\n');
            }
        }
        out
    }
}

fn not_empty(pattern: &Pattern) -> Result<(), Refusal> {
    if pattern.is_empty() { Err(Refusal::NoTarget) } else { Ok(()) }
}
