//! What is open, as lists show it, and the notice of one alert. Nothing changes here.

use serde::{Deserialize, Serialize};

use super::line::Time;
use super::{Console, Entry, Item, Notice, NoticeEvent, Pattern, Refusal, Shelf, State};
use crate::config::Severity;

/// Which alerts a list is to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Kind, source, instrument.
    #[serde(flatten)]
    pub pattern: Pattern,
    /// This severity and worse, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Those too that a parent or a chronic alert holds, and those that are over.
    #[serde(default)]
    pub all: bool,
}

/// Whether the shelf is meant for that alert.
pub fn is_on(shelf: &Shelf, entry: &Entry) -> bool {
    match &shelf.id {
        Some(id) => *id == entry.line.id,
        None => {
            shelf.pattern.matches(&entry.line.kind, &entry.line.sources, entry.line.instrument.as_deref())
        }
    }
}

impl Console {
    /// Open alerts, and those that returned unacknowledged, the worst and the latest first; with `all`, held and closed ones too.
    ///
    /// # Errors
    /// A severity that is none.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Item>, Refusal> {
        let floor = match filter.severity.as_deref() {
            Some(name) => Severity::from_name(name).ok_or_else(|| Refusal::NoSeverity(name.to_owned()))?,
            None => Severity::Info,
        };
        let wanted = |severity: Severity, kind: &str, sources: &[String], instrument: Option<&str>| {
            severity >= floor && filter.pattern.matches(kind, sources, instrument)
        };
        let mut items: Vec<Item> = Vec::new();
        for entry in self.entries.values() {
            let (state, line) = (self.state(entry), &entry.line);
            if (filter.all || state != State::Held)
                && wanted(entry.severity, &line.kind, &line.sources, line.instrument.as_deref())
            {
                items.push(self.item(entry, state, false));
            }
        }
        if filter.all {
            let closed = self.history.iter();
            let closed = closed.filter(|i| wanted(i.severity, &i.kind, &i.sources, i.instrument.as_deref()));
            items.extend(closed.map(|i| Item { alerts: Vec::new(), ..i.clone() }));
        }
        items.sort_by(|a, b| {
            let over = |i: &Item| i.state == State::Cleared;
            let key = |i: &Item| (over(i), std::cmp::Reverse((i.severity, i.raised)));
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(items)
    }

    /// One alert, open or closed, with the judge's lines, by the beginning of its id.
    ///
    /// # Errors
    /// No alert has such an id, or several have.
    pub fn show(&self, prefix: &str) -> Result<Item, Refusal> {
        match self.find(prefix) {
            Ok(entry) => Ok(self.item(entry, self.state(entry), true)),
            Err(Refusal::Unknown(prefix)) => {
                let mut closed = self.history.iter().rev().filter(|i| i.id.starts_with(&prefix));
                closed.next().cloned().ok_or(Refusal::Unknown(prefix))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// What is put aside.
    pub fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        self.shelves.values()
    }

    /// The alert whose id begins so.
    pub(super) fn find(&self, prefix: &str) -> Result<&Entry, Refusal> {
        if prefix.is_empty() {
            return Err(Refusal::Unknown(String::new()));
        }
        if let Some(entry) = self.entries.get(prefix) {
            return Ok(entry);
        }
        let mut found = self.entries.range(prefix.to_owned()..).take_while(|(id, _)| id.starts_with(prefix));
        match (found.next(), found.next()) {
            (Some((_, entry)), None) => Ok(entry),
            (None, _) => Err(Refusal::Unknown(prefix.to_owned())),
            (Some(_), Some(_)) => Err(Refusal::Ambiguous(prefix.to_owned())),
        }
    }

    pub(super) fn state(&self, entry: &Entry) -> State {
        match entry {
            Entry { ended: Some(at), serial, .. } if self.returned.contains_key(&(*at, *serial)) => {
                State::Returned
            }
            Entry { ended: Some(_), .. } => State::Cleared,
            Entry { under: Some(_), .. } => State::Held,
            _ if self.shelf_of(entry).is_some() => State::Shelved,
            Entry { acknowledged: Some(_), .. } => State::Acknowledged,
            _ => State::Unacknowledged,
        }
    }

    /// The shelf that holds it longest.
    pub(super) fn shelf_of(&self, entry: &Entry) -> Option<&Shelf> {
        self.shelves.values().filter(|s| is_on(s, entry)).max_by_key(|s| s.until)
    }

    pub(super) fn item(&self, entry: &Entry, state: State, full: bool) -> Item {
        let line = &entry.line;
        let mut alerts = Vec::new();
        if full {
            alerts.push(entry.first.clone());
            if entry.first.get() != line.raw.get() {
                alerts.push(line.raw.clone());
            }
        }
        Item {
            id: line.id.clone(),
            state,
            kind: line.kind.clone(),
            severity: entry.severity,
            instrument: line.instrument.clone(),
            venue: line.venue.clone(),
            side: line.side.clone(),
            sources: line.sources.clone(),
            channel: line.channel.clone(),
            line: line.line.clone(),
            began: line.began,
            raised: Time(entry.raised),
            ended: entry.ended.map(Time),
            reason: line.reason.clone(),
            chronic: entry.chronic.is_some(),
            count: entry.chronic.unwrap_or(1),
            children: entry.children,
            under: entry.under.clone(),
            acknowledged: entry.acknowledged.clone(),
            shelved: if state == State::Shelved { self.shelf_of(entry).cloned() } else { None },
            why: why(entry),
            alerts,
        }
    }

    pub(super) fn notice(&self, event: NoticeEvent, at: u64, id: &str) -> Option<Notice> {
        let entry = self.entries.get(id)?;
        Some(Notice {
            ts: Time(at),
            event,
            id: id.to_owned(),
            kind: entry.line.kind.clone(),
            severity: entry.severity,
            state: Some(self.state(entry)),
            instrument: entry.line.instrument.clone(),
            venue: entry.line.venue.clone(),
            side: entry.line.side.clone(),
            sources: entry.line.sources.clone(),
            channel: entry.line.channel.clone(),
            line: entry.line.line.clone(),
            count: entry.chronic.unwrap_or(1),
            children: entry.children,
            was_under: None,
            who: None,
            note: None,
            until: None,
            why: why(entry),
            alerts: vec![entry.line.raw.clone()],
        })
    }
}

/// The judge's sentence, with what the console adds to it.
fn why(entry: &Entry) -> String {
    let mut why = match entry.chronic {
        Some(count) => format!("comes and goes, {count} times so far: {}", entry.line.why),
        None => entry.line.why.clone(),
    };
    match entry.children {
        0 => {}
        1 => why.push_str(" (1 alert held under it)"),
        n => why.push_str(&format!(" ({n} alerts held under it)")),
    }
    why
}
