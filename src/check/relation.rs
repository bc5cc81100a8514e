//! Two sources, whatever they carry: what is configured for them, their figures, and who of them is late as a rule.

use std::collections::BTreeMap;

use super::SourceJudge;
use super::held::{HeldTimes, Stopwatch};
use super::lagging;
use super::rules::PairRules;
use crate::market::SourceId;

/// Disagreements that ended, by what they were.
#[derive(Debug, Clone, Copy, Default)]
pub struct Segments {
    /// Never beyond what flight explains.
    pub flight: u64,
    /// Beyond it, and over before they were told.
    pub brief: u64,
    /// Told as lagging.
    pub lagging: u64,
    /// Told as divergent.
    pub divergent: u64,
}

impl Segments {
    /// Those that there were, by name.
    pub fn by_name(&self) -> BTreeMap<&'static str, u64> {
        let Segments { flight, brief, lagging, divergent } = *self;
        let all = [("flight", flight), ("brief", brief), ("lagging", lagging), ("divergent", divergent)];
        all.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// Figures of a pair of sources, over all their instruments.
#[derive(Debug, Clone, Default)]
pub struct Relation {
    /// The two sources.
    pub sources: [SourceId; 2],
    /// What is configured for them.
    pub rules: PairRules,
    /// Pairs of views.
    pub pairs: u64,
    /// Side-time in which both could be compared, nanoseconds.
    pub comparable_ns: u64,
    /// Of it, time in which they agreed.
    pub agree_ns: u64,
    /// Side-time held back, by reason.
    pub held: HeldTimes,
    /// Differences that began while held back, by reason.
    pub held_differences: BTreeMap<&'static str, u64>,
    /// Segments that ended, by what they were.
    pub segments: Segments,
    /// Updates of the first that the second showed too, or the reverse.
    pub matched: u64,
    /// Of them, how often the first, the second, or neither was first.
    pub led: [u64; 3],
    /// Updates that the other never showed.
    pub unmatched: [u64; 2],
    /// When one of the two (by position) last delivered a packet that the other had delivered before.
    pub repeats: Option<(u64, usize)>,
    /// How much the first led in the latest matches, latest first.
    pub recent_leads: [i64; 3],
    /// How long the first has been silent, and how long either has: a pair that agrees need not be looked at for that.
    pub silences: [Stopwatch; 2],
}

impl Relation {
    /// Which of the two a source is.
    #[inline]
    pub fn position(&self, source: SourceId) -> usize {
        usize::from(self.sources[1] == source)
    }
}

/// What a pair of sources knows of which of them is late.
pub struct Evidence<'a> {
    /// The time.
    pub now: u64,
    /// Lag that is normal.
    pub lag_limit_ns: u64,
    /// Who had been quiet when the lag passed its limit, and since when.
    pub quiet: Option<(usize, u64)>,
    /// Figures of the two.
    pub relation: &'a Relation,
    /// What is known of the sources.
    pub sources: &'a [SourceJudge],
}

impl Evidence<'_> {
    /// Whether this one was first by more than that in the latest matches.
    fn led_by(&self, who: usize, least_ns: u64) -> bool {
        let least = least_ns.min(i64::MAX as u64) as i64;
        self.relation.recent_leads.iter().all(|lead| if who == 0 { *lead > least } else { *lead < -least })
    }
}

impl lagging::Evidence for Evidence<'_> {
    fn late(&self, who: usize, left: u64) -> bool {
        let source = &self.sources[usize::from(self.relation.sources[who])];
        // Quiet when the lag passed its limit: then late, whatever arrives now.
        self.led_by(1 - who, lagging::TOGETHER_NS)
            || self.quiet == Some((who, left))
            || source.is_unusually_quiet(self.now, left)
    }

    fn is_far_ahead(&self, who: usize) -> bool {
        self.led_by(who, self.lag_limit_ns)
    }
}
