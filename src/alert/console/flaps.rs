//! Counts how often a subject is raised, and says when it has become chronic and when it is quiet again.
//!
//! It keeps the latest raises of every subject that was raised lately, and nothing about the alerts themselves.

use std::collections::{BTreeMap, VecDeque};

use super::Settings;

/// What a raise means.
#[derive(Debug, PartialEq, Eq)]
pub enum Flap {
    /// Nothing special.
    Calm,
    /// Too many subjects are watched: this one is not.
    Full,
    /// This chronic alert stands for it.
    Chronic(String),
    /// It is chronic from now on, having been raised that often.
    Begins(u64),
}

#[derive(Debug, Default)]
struct Watched {
    /// Latest raises, oldest first.
    raises: VecDeque<u64>,
    chronic: Option<String>,
}

impl Watched {
    fn last(&self) -> u64 {
        self.raises.back().copied().unwrap_or(0)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Flaps {
    subjects: BTreeMap<String, Watched>,
    /// Of them, the chronic ones.
    chronic: BTreeMap<String, ()>,
    /// Not to be searched for old subjects before.
    prune_at: u64,
}

impl Flaps {
    /// `subject` is raised.
    pub fn raised(&mut self, subject: &str, at: u64, settings: &Settings) -> Flap {
        let within = settings.chronic_within_ns;
        if !self.subjects.contains_key(subject) && self.subjects.len() >= settings.subjects_max {
            self.prune(at, within);
            if self.subjects.len() >= settings.subjects_max {
                return Flap::Full;
            }
        }
        let watched = self.subjects.entry(subject.to_owned()).or_default();
        watched.raises.push_back(at);
        while watched.raises.len() > settings.chronic_raised.saturating_add(1)
            || watched.raises.front().is_some_and(|first| first.saturating_add(within) < at)
        {
            watched.raises.pop_front();
        }
        match &watched.chronic {
            Some(id) => Flap::Chronic(id.clone()),
            None if watched.raises.len() > settings.chronic_raised => {
                Flap::Begins(watched.raises.len() as u64)
            }
            None => Flap::Calm,
        }
    }

    /// A chronic alert stands for `subject`.
    pub fn began(&mut self, subject: &str, id: &str) {
        if let Some(watched) = self.subjects.get_mut(subject) {
            watched.chronic = Some(id.to_owned());
            self.chronic.insert(subject.to_owned(), ());
        }
    }

    /// When the first chronic subject will have been quiet for `within`.
    pub fn due(&self, within: u64) -> u64 {
        let last = |subject: &String| self.subjects.get(subject).map(Watched::last);
        let first = self.chronic.keys().filter_map(last).min();
        first.map_or(u64::MAX, |last| last.saturating_add(within))
    }

    /// Chronic subjects that have been quiet for `within`, with their alerts; they are calm from now on.
    pub fn take_quiet(&mut self, at: u64, within: u64) -> Vec<(String, String)> {
        let quiet = |subject: &&String| {
            self.subjects.get(*subject).is_none_or(|w| w.last().saturating_add(within) <= at)
        };
        let subjects: Vec<String> = self.chronic.keys().filter(quiet).cloned().collect();
        let mut ended = Vec::new();
        for subject in subjects {
            self.chronic.remove(&subject);
            if let Some(id) = self.subjects.remove(&subject).and_then(|w| w.chronic) {
                ended.push((subject, id));
            }
        }
        ended
    }

    fn prune(&mut self, at: u64, within: u64) {
        if at < self.prune_at {
            return;
        }
        self.prune_at = at.saturating_add(within / 16);
        self.subjects.retain(|_, w| w.chronic.is_some() || w.last().saturating_add(within) >= at);
    }
}

/// The id of the chronic alert of `subject` that began at `at`: FNV-1a, as the judge's ids are made.
pub fn identity(subject: &str, at: u64) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in b"chronic|".iter().chain(subject.as_bytes()).chain(&at.to_le_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}
