//! The operators' side of alerts: who has taken what, what is put aside, what is told and what is held back.
//!
//! The judge's lines go in, and what operators do; notices for people come out, and records of the operators' doings.
//! The life cycle follows the alarm states of ANSI/ISA-18.2 (unacknowledged, acknowledged, returned
//! unacknowledged, shelved). One thing that comes and goes is one *chronic* alert; what a silent source explains is
//! held by its alert and counted there.
//!
//! It judges no market and reads no clock, file or socket: time is an argument. Whatever is kept has a bound in
//! [`Settings`]; what goes beyond it is counted in [`Counters`].

mod act;
mod flaps;
pub mod line;
mod lists;
#[cfg(test)]
mod tests;
mod told;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use act::{Action, Done, Refusal, Target};
use flaps::{Flap, Flaps};
pub use line::{AlertLine, Event, LineError, Time};
pub use lists::Filter;
pub use told::{Acknowledged, Item, Notice, NoticeEvent, Pattern, Shelf, State};

use crate::config::Severity;

/// Bounds and habits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A subject that is raised more often than this within `chronic_within_ns` becomes chronic.
    pub chronic_raised: usize,
    /// See `chronic_raised`; a chronic alert ends when its subject was not raised for this long.
    pub chronic_within_ns: u64,
    /// An alert less severe than this need not be acknowledged: it leaves the list when it is over.
    pub acknowledge_from: Severity,
    /// Open alerts kept.
    pub open_max: usize,
    /// Alerts kept that are over and not acknowledged.
    pub returned_max: usize,
    /// Closed alerts kept.
    pub history_max: usize,
    /// Shelves at a time.
    pub shelves_max: usize,
    /// Nobody can put something aside for longer, nanoseconds.
    pub shelve_max_ns: u64,
    /// Subjects watched for coming and going.
    pub subjects_max: usize,
    /// Notices that wait to be taken.
    pub notices_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            chronic_raised: 5,
            chronic_within_ns: 600_000_000_000,
            acknowledge_from: Severity::Minor,
            open_max: 10_000,
            returned_max: 1_000,
            history_max: 1_000,
            shelves_max: 200,
            shelve_max_ns: 31 * 86_400 * 1_000_000_000,
            subjects_max: 20_000,
            notices_max: 20_000,
        }
    }
}

/// What happened so far, and how much there is now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Lines taken.
    pub lines: u64,
    /// Lines that are no alert.
    pub bad_lines: u64,
    /// Lines about an alert that is not known (it was beyond a bound, or raised before the start).
    pub unknown: u64,
    /// Lines that raise what is raised already.
    pub raised_twice: u64,
    /// Alerts not kept because too many were open: they are in the log, and nobody was told.
    pub overflow: u64,
    /// Alerts that were over and unacknowledged, and gave way to newer ones.
    pub returned_dropped: u64,
    /// Raises not watched for coming and going because there were too many subjects.
    pub subjects_overflow: u64,
    /// Notices that nobody took in time.
    pub notices_dropped: u64,
    /// Chronic alerts so far.
    pub chronic: u64,
    /// Alerts held by a parent so far.
    pub held: u64,
    /// Alerts counted under a chronic one so far.
    pub folded: u64,
    /// Open now, held ones too.
    pub open: u64,
    /// Over and unacknowledged now.
    pub returned: u64,
    /// Shelves now.
    pub shelves: u64,
}

#[derive(Debug)]
struct Entry {
    /// Order of arrival.
    serial: u64,
    /// The latest line.
    line: AlertLine,
    /// The line that raised it.
    first: Box<RawValue>,
    raised: u64,
    severity: Severity,
    subject: String,
    /// People know of it.
    told: bool,
    acknowledged: Option<Acknowledged>,
    /// The acknowledgement was read from the journal: lines that are older than it change nothing about it.
    restored: bool,
    under: Option<String>,
    children: u64,
    ended: Option<u64>,
    /// It stands for a subject that comes and goes: how often it was raised.
    chronic: Option<u64>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Console {
    settings: Settings,
    now: u64,
    serial: u64,
    entries: BTreeMap<String, Entry>,
    /// Over and unacknowledged, oldest first.
    returned: BTreeMap<(u64, u64), String>,
    /// Open alerts that explain others.
    parents: BTreeMap<u64, String>,
    flaps: Flaps,
    shelves: BTreeMap<String, Shelf>,
    /// Acknowledgements of the journal whose alerts have not come yet.
    remembered: BTreeMap<String, Acknowledged>,
    history: VecDeque<Item>,
    notices: VecDeque<Notice>,
    journal: Vec<u8>,
    /// Nothing is due before.
    due: u64,
    counters: Counters,
}

impl Console {
    /// Nothing is open.
    pub fn new(settings: Settings) -> Console {
        Console { settings, due: u64::MAX, ..Console::default() }
    }

    /// What is chronic from now on; what is chronic already stays so until it ends.
    pub fn set_chronic(&mut self, raised: usize, within_ns: u64) {
        self.settings.chronic_raised = raised;
        self.settings.chronic_within_ns = within_ns;
    }

    /// Takes the judge's lines, any number of whole ones.
    pub fn on_lines(&mut self, bytes: &[u8]) {
        for line in bytes.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()) {
            self.on_line(line);
        }
    }

    /// Takes one line of the judge.
    pub fn on_line(&mut self, bytes: &[u8]) {
        self.counters.lines += 1;
        match AlertLine::parse(bytes) {
            Ok(line) => self.on_alert(line),
            Err(_) => self.counters.bad_lines += 1,
        }
    }

    /// Takes one transition.
    pub fn on_alert(&mut self, line: AlertLine) {
        self.advance(line.ts.0);
        match line.event {
            Event::Raised => self.raise(line),
            Event::Escalated => self.escalate(line),
            Event::Cleared => self.clear(line),
        }
    }

    /// Time has come as far as `now_ns`: shelves and chronic alerts end.
    pub fn advance(&mut self, now_ns: u64) {
        self.now = self.now.max(now_ns);
        while self.due <= self.now && self.due != u64::MAX {
            let at = self.due;
            self.end_shelves(at);
            self.end_chronics(at);
            self.due = self.next_due();
        }
    }

    /// When [`Console::advance`] has something to do next.
    pub fn due_ns(&self) -> Option<u64> {
        (self.due != u64::MAX).then_some(self.due)
    }

    /// What people are to be told, oldest first; it is given out once.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.drain(..).collect()
    }

    /// What operators did since the last call, as NDJSON for the journal.
    pub fn take_journal(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.journal)
    }

    /// Counts.
    pub fn counters(&self) -> Counters {
        Counters {
            open: self.open() as u64,
            returned: self.returned.len() as u64,
            shelves: self.shelves.len() as u64,
            ..self.counters.clone()
        }
    }

    fn open(&self) -> usize {
        self.entries.len().saturating_sub(self.returned.len())
    }

    fn next_due(&self) -> u64 {
        let shelves = self.shelves.values().map(|s| s.until.0).min().unwrap_or(u64::MAX);
        shelves.min(self.flaps.due(self.settings.chronic_within_ns))
    }

    fn tell(&mut self, event: NoticeEvent, at: u64, id: &str) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        entry.told = true;
        let notice = self.notice(event, at, id);
        self.push(notice);
    }

    fn push(&mut self, notice: Option<Notice>) {
        if self.notices.len() >= self.settings.notices_max {
            self.counters.notices_dropped += 1;
        } else {
            self.notices.extend(notice);
        }
    }

    fn raise(&mut self, line: AlertLine) {
        if self.entries.contains_key(&line.id) {
            self.counters.raised_twice += 1;
            return;
        }
        if self.open() >= self.settings.open_max {
            self.counters.overflow += 1;
            return;
        }
        let (id, at) = (line.id.clone(), line.ts.0);
        let parent = self.parent_of(&line);
        let entry = self.entry(line);
        if entry.line.is_parent() {
            self.parents.insert(entry.serial, id.clone());
        }
        self.entries.insert(id.clone(), entry);
        if let Some(parent) = parent {
            self.hold(&id, &parent);
        } else if !self.fold(&id, at) {
            self.tell_if_free(NoticeEvent::New, at, &id);
        }
    }

    fn entry(&mut self, line: AlertLine) -> Entry {
        self.serial += 1;
        let acknowledged = self.remembered.remove(&line.id);
        Entry {
            serial: self.serial,
            first: line.raw.clone(),
            raised: line.ts.0,
            severity: line.severity,
            subject: line.subject(),
            told: false,
            restored: acknowledged.is_some(),
            acknowledged,
            under: None,
            children: 0,
            ended: None,
            chronic: None,
            line,
        }
    }

    /// Tells it unless it is put aside, held, or taken already.
    fn tell_if_free(&mut self, event: NoticeEvent, at: u64, id: &str) {
        let Some(entry) = self.entries.get(id) else { return };
        if self.state(entry) == State::Unacknowledged {
            self.tell(event, at, id);
        }
    }

    /// The open alert that explains `line`. One that is worse than what explains it is told by itself.
    fn parent_of(&self, line: &AlertLine) -> Option<String> {
        let parents = self.parents.values().filter_map(|id| self.entries.get(id));
        let mut covering = parents.filter(|p| p.severity >= line.severity && p.line.covers(line));
        covering.next().map(|p| p.line.id.clone())
    }

    fn hold(&mut self, id: &str, parent: &str) {
        self.counters.held += 1;
        // A parent that comes and goes is listed under its chronic alert, and so are the children.
        let above = self.entries.get(parent).and_then(|e| e.under.clone());
        for holder in [Some(parent.to_owned()), above].into_iter().flatten() {
            if let Some(entry) = self.entries.get_mut(&holder) {
                entry.children += 1;
            }
        }
        if let Some(entry) = self.entries.get_mut(id) {
            entry.under = Some(parent.to_owned());
        }
    }

    /// Counts a raise of its subject; answers whether a chronic alert stands for it.
    fn fold(&mut self, id: &str, at: u64) -> bool {
        let Some(entry) = self.entries.get(id) else { return false };
        let (subject, severity) = (entry.subject.clone(), entry.severity);
        let flap = self.flaps.raised(&subject, at, &self.settings);
        match flap {
            Flap::Calm => return false,
            Flap::Full => {
                self.counters.subjects_overflow += 1;
                return false;
            }
            Flap::Chronic(chronic) => {
                self.raised_again(id, &chronic);
                self.worsen(&chronic, severity, at);
            }
            Flap::Begins(count) => {
                self.begin_chronic(id, &subject, count, at);
                self.due = self.due.min(at.saturating_add(self.settings.chronic_within_ns));
            }
        }
        true
    }

    fn raised_again(&mut self, id: &str, chronic: &str) {
        self.put_under(id, chronic);
        let Some(line) = self.entries.get(id).map(|e| e.line.clone()) else { return };
        if let Some(entry) = self.entries.get_mut(chronic) {
            entry.chronic = entry.chronic.map(|count| count + 1);
            entry.line = AlertLine { id: chronic.to_owned(), ..line };
        }
    }

    fn put_under(&mut self, id: &str, chronic: &str) {
        self.counters.folded += 1;
        if let Some(entry) = self.entries.get_mut(id) {
            entry.under = Some(chronic.to_owned());
        }
    }

    /// One alert stands from now on for the subject of `id`, and for what is left of its earlier ones.
    fn begin_chronic(&mut self, id: &str, subject: &str, count: u64, at: u64) {
        let Some(line) = self.entries.get(id).map(|e| e.line.clone()) else { return };
        let chronic_id = flaps::identity(subject, at);
        let mut chronic = self.entry(line);
        chronic.line.id.clone_from(&chronic_id);
        let remembered = self.remembered.remove(&chronic_id);
        chronic.restored = remembered.is_some();
        chronic.acknowledged = remembered;
        chronic.chronic = Some(count);
        let earlier: Vec<String> = self
            .entries
            .iter()
            .filter(|(_, e)| e.subject == subject && e.chronic.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for id in earlier {
            let Some(entry) = self.entries.get(&id) else { continue };
            chronic.severity = chronic.severity.max(entry.severity);
            if entry.ended.is_some() {
                self.counters.folded += 1;
                self.close(&id, Some(&chronic_id));
            } else if entry.under.is_none() {
                self.put_under(&id, &chronic_id);
            }
        }
        self.counters.chronic += 1;
        self.flaps.began(subject, &chronic_id);
        self.close(&chronic_id, None);
        self.entries.insert(chronic_id.clone(), chronic);
        self.tell_if_free(NoticeEvent::ChronicBegan, at, &chronic_id);
    }

    /// Something under a chronic alert is worse than all before.
    fn worsen(&mut self, chronic: &str, severity: Severity, at: u64) {
        let Some(entry) = self.entries.get_mut(chronic) else { return };
        if severity > entry.severity {
            entry.severity = severity;
            withdraw(entry, at);
            self.retell(chronic, at);
        }
    }

    /// A told alert is told as escalated, another as new.
    fn retell(&mut self, id: &str, at: u64) {
        let told = self.entries.get(id).is_some_and(|e| e.told);
        let chronic = self.entries.get(id).is_some_and(|e| e.chronic.is_some());
        let event = match (told, chronic) {
            (true, _) => NoticeEvent::Escalated,
            (false, true) => NoticeEvent::ChronicBegan,
            (false, false) => NoticeEvent::New,
        };
        self.tell_if_free(event, at, id);
    }

    fn escalate(&mut self, line: AlertLine) {
        let (id, at, severity) = (line.id.clone(), line.ts.0, line.severity);
        let Some(entry) = self.entries.get_mut(&id).filter(|e| e.ended.is_none()) else {
            self.counters.unknown += 1;
            return;
        };
        entry.severity = entry.severity.max(severity);
        entry.line = line;
        withdraw(entry, at);
        let Some(holder) = entry.under.clone() else { return self.retell(&id, at) };
        let Some(above) = self.entries.get(&holder) else { return };
        if above.chronic.is_some() {
            self.worsen(&holder, severity, at);
        } else if severity > above.severity {
            self.release(&id, at);
        }
    }

    /// No longer held; told if it is still to be.
    fn release(&mut self, id: &str, at: u64) {
        let Some(entry) = self.entries.get_mut(id) else { return };
        let was_under = entry.under.take();
        if self.entries.get(id).is_some_and(|e| !e.told && self.state(e) == State::Unacknowledged) {
            self.tell(NoticeEvent::New, at, id);
            if let Some(notice) = self.notices.back_mut().filter(|n| n.id == id) {
                notice.was_under = was_under;
            }
        }
    }

    fn clear(&mut self, line: AlertLine) {
        let (id, at) = (line.id.clone(), line.ts.0);
        let Some(entry) = self.entries.get_mut(&id).filter(|e| e.ended.is_none()) else {
            self.counters.unknown += 1;
            return;
        };
        entry.severity = entry.severity.max(line.severity);
        entry.line = line;
        self.parents.remove(&entry.serial);
        let children = entry.children;
        self.end(NoticeEvent::Cleared, &id, at);
        if children > 0 {
            self.release_children(&id, at);
        }
    }

    /// It is over: its end is told to whom its beginning was, and it stays listed if it should have been acknowledged.
    fn end(&mut self, event: NoticeEvent, id: &str, at: u64) {
        let Some(entry) = self.entries.get(id) else { return };
        let (told, serial) = (entry.told, entry.serial);
        let important = entry.severity >= self.settings.acknowledge_from;
        let to_return = told && important && self.state(entry) == State::Unacknowledged;
        if let Some(entry) = self.entries.get_mut(id) {
            entry.ended = Some(at);
        }
        if to_return {
            self.returned.insert((at, serial), id.to_owned());
        }
        if told {
            let notice = self.notice(event, at, id);
            self.push(notice);
        }
        if !to_return {
            self.close(id, None);
        }
        while self.returned.len() > self.settings.returned_max {
            let Some((_, oldest)) = self.returned.pop_first() else { return };
            self.counters.returned_dropped += 1;
            self.close(&oldest, None);
        }
    }

    /// Moves it to the history.
    fn close(&mut self, id: &str, under: Option<&str>) {
        let Some(mut entry) = self.entries.remove(id) else { return };
        self.returned.remove(&(entry.ended.unwrap_or(0), entry.serial));
        if let Some(under) = under {
            entry.under = Some(under.to_owned());
        }
        self.shelves.retain(|_, shelf| shelf.id.as_deref() != Some(id));
        let item = self.item(&entry, State::Cleared, true);
        self.history.push_back(item);
        while self.history.len() > self.settings.history_max {
            self.history.pop_front();
        }
    }

    fn release_children(&mut self, parent: &str, at: u64) {
        let held = |e: &Entry| e.under.as_deref() == Some(parent);
        let children: Vec<String> = self
            .in_order(held)
            .into_iter()
            .filter(|e| e.ended.is_none())
            .map(|e| e.line.id.clone())
            .collect();
        for child in children {
            // Another one that is open may explain it as well.
            let next = self.entries.get(&child).and_then(|e| self.parent_of(&e.line));
            match next {
                Some(next) => self.hold(&child, &next),
                None => self.release(&child, at),
            }
        }
    }

    fn end_shelves(&mut self, at: u64) {
        let over: Vec<String> =
            self.shelves.values().filter(|s| s.until.0 <= at).map(|s| s.shelf.clone()).collect();
        for shelf in over {
            self.unshelf(&shelf, at);
        }
    }

    /// Ends a shelf; what it alone held is told again.
    fn unshelf(&mut self, shelf: &str, at: u64) {
        let Some(shelf) = self.shelves.remove(shelf) else { return };
        let held = |e: &Entry| e.ended.is_none() && lists::is_on(&shelf, e);
        let freed: Vec<(String, bool, bool)> =
            self.in_order(held).iter().map(|e| (e.line.id.clone(), e.told, e.chronic.is_some())).collect();
        for (id, told, chronic) in freed {
            let event = match (told, chronic) {
                (true, _) => NoticeEvent::Reminded,
                (false, true) => NoticeEvent::ChronicBegan,
                (false, false) => NoticeEvent::New,
            };
            self.tell_if_free(event, at, &id);
        }
    }

    fn end_chronics(&mut self, at: u64) {
        for (subject, id) in self.flaps.take_quiet(at, self.settings.chronic_within_ns) {
            let Some(entry) = self.entries.get(&id) else { continue };
            let taken = entry.acknowledged.clone();
            self.end(NoticeEvent::ChronicEnded, &id, at);
            let held = |e: &Entry| e.subject == subject && e.under.as_deref() == Some(id.as_str());
            let under: Vec<String> = self.in_order(held).iter().map(|e| e.line.id.clone()).collect();
            for child in under {
                if let Some(entry) = self.entries.get_mut(&child) {
                    entry.acknowledged = entry.acknowledged.take().or_else(|| taken.clone());
                }
                self.release(&child, at);
            }
        }
    }

    fn in_order(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<&Entry> {
        let mut found: Vec<&Entry> = self.entries.values().filter(|e| wanted(e)).collect();
        found.sort_unstable_by_key(|e| e.serial);
        found
    }
}

/// What became worse is to be looked at again.
fn withdraw(entry: &mut Entry, at: u64) {
    let kept = entry.restored && entry.acknowledged.as_ref().is_some_and(|a| a.at.0 >= at);
    if !kept {
        entry.acknowledged = None;
        entry.restored = false;
    }
}
