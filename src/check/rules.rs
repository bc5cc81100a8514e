//! Which check judges what: the configured checks, resolved once for every source and pair of sources.

use crate::config::{Check, Config, Kind, Scope};
use crate::market::SourceId;

/// See the module.
#[derive(Debug, Default)]
pub struct Rules {
    sources: usize,
    /// By kind, then by source.
    single: Vec<Vec<Option<Check>>>,
    /// By kind, then by `a * sources + b`.
    pair: Vec<Vec<Option<Check>>>,
}

impl Rules {
    /// Resolves the configuration: a check that names its sources goes before one that does not.
    pub fn new(config: &Config) -> Rules {
        let sources = config.comparands().len();
        let find = |kind: Kind, covers: &dyn Fn(&Scope) -> bool| {
            let mut fitting = config.checks.iter().filter(|c| c.kind == kind && covers(&c.scope));
            let first = fitting.clone().find(|c| c.scope != Scope::All);
            first.or_else(|| fitting.next()).cloned()
        };
        let single = Kind::ALL
            .iter()
            .map(|kind| (0..sources).map(|s| find(*kind, &|scope| scope.covers(s))).collect())
            .collect();
        let pair = Kind::ALL
            .iter()
            .map(|kind| {
                let covered = |i: usize| find(*kind, &|scope| scope.covers_pair(i / sources, i % sources));
                (0..sources * sources).map(covered).collect()
            })
            .collect();
        Rules { sources, single, pair }
    }

    /// The check of that kind for a source.
    #[inline]
    pub fn source(&self, kind: Kind, source: SourceId) -> Option<&Check> {
        self.single[kind as usize][usize::from(source)].as_ref()
    }

    /// The check of that kind for a pair of sources.
    #[inline]
    pub fn pair(&self, kind: Kind, a: SourceId, b: SourceId) -> Option<&Check> {
        self.pair[kind as usize][usize::from(a) * self.sources + usize::from(b)].as_ref()
    }
}
