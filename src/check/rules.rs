//! Which check judges what: the configured checks, resolved once for every source and pair of sources.

use crate::config::{Check, Config, Kind, Scope, Severity, Tolerance};
use crate::market::SourceId;

/// The numbers of a check that is judged on every update.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// How bad it is.
    pub severity: Severity,
    /// How long before it is told.
    pub on_delay_ns: u64,
    /// How long its absence must last to end it.
    pub off_delay_ns: u64,
    /// Lag that is normal.
    pub lag_limit_ns: u64,
    /// How far back a price counts as shown earlier.
    pub window_ns: u64,
}

impl From<&Check> for Rule {
    fn from(check: &Check) -> Rule {
        Rule {
            severity: check.severity,
            on_delay_ns: check.on_delay_ns,
            off_delay_ns: check.off_delay_ns,
            lag_limit_ns: check.lag_limit_ns,
            window_ns: check.window_ns,
        }
    }
}

/// What is configured for a pair of sources, looked up once.
#[derive(Debug, Clone, Copy)]
pub struct PairRules {
    /// Allowed difference of prices.
    pub tolerance: Tolerance,
    /// How long agreement must last to end a disagreement.
    pub off_delay_ns: u64,
    /// By which lag is measured, told or not.
    pub clock: Rule,
    /// Prices that differ.
    pub divergent: Option<Rule>,
    /// Prices that are late.
    pub lagging: Option<Rule>,
    /// States that part.
    pub status: Option<Rule>,
    /// Crossed and locked.
    pub crossing: [Option<Rule>; 2],
    /// Crossed or locked names these sources.
    pub crossing_named: bool,
}

impl Default for PairRules {
    fn default() -> PairRules {
        PairRules {
            tolerance: Tolerance::default(),
            off_delay_ns: 5_000_000,
            clock: Rule::from(&Check::with_defaults(Kind::Lagging)),
            divergent: None,
            lagging: None,
            status: None,
            crossing: [None; 2],
            crossing_named: false,
        }
    }
}

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

    /// All of a pair of sources.
    pub fn of_pair(&self, a: SourceId, b: SourceId) -> PairRules {
        let rule = |kind| self.pair(kind, a, b).map(Rule::from);
        let [divergent, lagging] = [Kind::Divergent, Kind::Lagging].map(|kind| self.pair(kind, a, b));
        let (tolerance, off_delay_ns) = match (divergent, lagging) {
            (Some(check), _) => (check.tolerance, check.off_delay_ns),
            (None, Some(check)) => (Tolerance::default(), check.off_delay_ns),
            (None, None) => (Tolerance::default(), PairRules::default().off_delay_ns),
        };
        let named = |kind| self.pair(kind, a, b).is_some_and(|c| matches!(c.scope, Scope::Between(_)));
        PairRules {
            tolerance,
            off_delay_ns,
            clock: lagging.map_or(PairRules::default().clock, Rule::from),
            divergent: rule(Kind::Divergent),
            lagging: rule(Kind::Lagging),
            status: rule(Kind::Status),
            crossing: [Kind::Crossed, Kind::Locked].map(rule),
            crossing_named: [Kind::Crossed, Kind::Locked].into_iter().any(named),
        }
    }

    /// How far back a price that the source shows may explain a difference from any other source.
    pub fn longest_window(&self, source: SourceId) -> u64 {
        let windows = (0..self.sources as SourceId).filter_map(|other| {
            let check = self.pair(Kind::Lagging, source.min(other), source.max(other))?;
            Some(check.window_ns)
        });
        windows.max().unwrap_or(10_000_000_000)
    }
}
