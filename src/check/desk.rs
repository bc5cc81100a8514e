//! Where checks put what they find: open alerts, and the count of what was held back and why.

use std::collections::BTreeMap;

use super::crossing::Crossings;
use crate::alert::{AlertBook, Details, Handle, Names, Subject};
use crate::config::{Kind, Severity};
use crate::market::{Registry, SourceId};

/// See the module.
#[derive(Debug, Default)]
pub struct Desk {
    /// Open alerts and their records.
    pub alerts: AlertBook,
    /// Names of sources and composites.
    pub sources: Vec<String>,
    /// Names of captures.
    pub captures: Vec<String>,
    /// What was not told, by what it would have been and why.
    pub held: BTreeMap<(Kind, &'static str), u64>,
    /// How long books were crossed or locked.
    pub crossings: Crossings,
}

impl Desk {
    /// Names a capture that came later.
    pub fn name_capture(&mut self, number: u32, name: &str) {
        let number = number as usize;
        if self.captures.len() <= number {
            self.captures.resize(number + 1, String::new());
        }
        self.captures[number] = name.to_owned();
    }

    /// Counts something that is not told.
    pub fn hold(&mut self, kind: Kind, reason: &'static str) {
        *self.held.entry((kind, reason)).or_default() += 1;
    }

    /// Name of a source.
    pub fn name(&self, source: SourceId) -> &str {
        &self.sources[usize::from(source)]
    }

    /// See [`AlertBook::raise`].
    pub fn raise(
        &mut self,
        now: u64,
        began: u64,
        severity: Severity,
        subject: Subject,
        details: Details,
        registry: &Registry,
    ) -> Handle {
        let names = Names { registry, sources: &self.sources, captures: &self.captures };
        self.alerts.raise(now, began, severity, subject, details, &names)
    }

    /// See [`AlertBook::escalate`].
    pub fn escalate(
        &mut self,
        now: u64,
        handle: Handle,
        kind: Kind,
        severity: Severity,
        details: Details,
        registry: &Registry,
    ) {
        let names = Names { registry, sources: &self.sources, captures: &self.captures };
        self.alerts.escalate(now, handle, kind, severity, details, &names);
    }

    /// See [`AlertBook::clear`].
    pub fn clear(&mut self, now: u64, ended: u64, handle: Handle, reason: &str, registry: &Registry) {
        let names = Names { registry, sources: &self.sources, captures: &self.captures };
        self.alerts.clear(now, ended, handle, reason, &names);
    }

    /// See [`AlertBook::clear_all`].
    pub fn clear_all(&mut self, now: u64, reason: &str, registry: &Registry) {
        let names = Names { registry, sources: &self.sources, captures: &self.captures };
        self.alerts.clear_all(now, reason, &names);
    }
}
