//! What a store is told of a run: figures by beat of data time, from both sides, as plain data.
//!
//! Every figure is what was added since the beat before, and names a moment of the interval that it belongs to: adding
//! them up by interval or by day gives the same, however the beats lay. It knows no file and no database.

use std::collections::BTreeMap;

use super::beat::{Amount, ChannelCounts, LineCounts, Wrong};
use crate::check::Comparator;
use crate::check::crossing::Scope;
use crate::check::life::Place;
use crate::check::relation::Relation;
use crate::config::Kind;
use crate::latency::{PackedPeriod, SeriesName};
use crate::market::{Registry, SourceId};

/// Beats of nothing that are told one by one at most; of a longer stretch the rest is told as one.
const QUIET_BEATS_MAX: u64 = 5_000;

/// Counts of a pair, in this order.
pub const PAIR_COUNTS: [&str; 8] = [
    "comparable_ns",
    "agree_ns",
    "matched",
    "first_led",
    "second_led",
    "together",
    "first_only",
    "second_only",
];

/// What was added since the beat before, at a moment of it.
#[derive(Debug)]
pub struct Figure {
    /// The moment.
    pub at_ns: u64,
    /// What.
    pub what: What,
}

/// What a figure is about.
#[derive(Debug)]
pub enum What {
    /// Since when, and how many nanoseconds from there on were watched.
    Watched(u64, u64),
    /// A line's counts.
    Line(Place, LineCounts),
    /// A channel's counts.
    Channel(Place, ChannelCounts),
    /// The most that came in a stretch of [`super::beat::WINDOWS`]: on a line, or on all lines of a source.
    Burst {
        /// Where.
        place: Place,
        /// On all lines of the source.
        whole: bool,
        /// Which length.
        window: u8,
        /// How much.
        most: Amount,
    },
    /// Something wrong in the data.
    Wrong(Place, Wrong),
    /// A pair of sources.
    Pair([SourceId; 2], [u64; PAIR_COUNTS.len()]),
    /// Time not compared between two, and differences meanwhile.
    Held([SourceId; 2], &'static str, u64, u64),
    /// Disagreements that ended, by what they were.
    Segments([SourceId; 2], &'static str, u64),
    /// Crossed or locked: nanoseconds, and how often it began.
    Crossing(Kind, Scope, u64, u64),
    /// What was not told, and why.
    Suppressed(Kind, &'static str, u64),
    /// Latencies.
    Latency(SeriesName, PackedPeriod),
    /// A source's stamps.
    Clock(SourceId, ClockFigures),
    /// An instrument that two sources disagreed on.
    Instrument(Box<InstrumentFigures>),
    /// A recording goes on in a file.
    Capture(u32, Box<str>),
    /// Everything before this moment has been told.
    Until,
}

/// Venue time against receive time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockFigures {
    /// Stamps looked at.
    pub stamps: u64,
    /// Later than the receipt.
    pub negative: u64,
    /// Earlier than the source's own latest.
    pub backwards: u64,
    /// Least receive time less venue time.
    pub least_ns: i64,
    /// Greatest.
    pub greatest_ns: i64,
    /// Farthest behind the source's own latest.
    pub worst_back_ns: u64,
}

/// What two sources did not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentFigures {
    /// The two.
    pub sources: [SourceId; 2],
    /// Our name.
    pub instrument: Box<str>,
    /// MIC, empty for the best over all venues.
    pub venue: Box<str>,
    /// Comparable time in which they differed.
    pub differ_ns: u64,
    /// Disagreements that ended.
    pub segments: u64,
    /// Of them, told as lagging or divergent.
    pub told: u64,
}

#[derive(Debug, Clone, Copy)]
struct SourceClock {
    latest_ns: u64,
    figures: ClockFigures,
}

const NO_STAMPS: ClockFigures = ClockFigures {
    stamps: 0,
    negative: 0,
    backwards: 0,
    least_ns: i64::MAX,
    greatest_ns: i64::MIN,
    worst_back_ns: 0,
};

/// The judge's side of it.
#[derive(Debug)]
pub struct Figures {
    every_ns: u64,
    /// When the beat at hand ends; never before the watch has begun.
    next_ns: u64,
    watched_since: Option<u64>,
    /// What nobody has taken yet.
    pub out: Vec<Figure>,
    relations: Vec<Relation>,
    suppressed: BTreeMap<(Kind, &'static str), u64>,
    crossings: BTreeMap<(Kind, Scope), (u64, u64)>,
    clocks: Vec<SourceClock>,
}

impl Figures {
    /// Beats of that length, for so many sources.
    pub fn new(every_ns: u64, sources: usize) -> Figures {
        Figures {
            every_ns: every_ns.max(1),
            next_ns: u64::MAX,
            watched_since: None,
            out: Vec::new(),
            relations: Vec::new(),
            suppressed: BTreeMap::new(),
            crossings: BTreeMap::new(),
            clocks: vec![SourceClock { latest_ns: 0, figures: NO_STAMPS }; sources],
        }
    }

    /// The watch begins; only the first call has an effect.
    pub fn start(&mut self, now: u64) {
        if self.watched_since.is_none() {
            self.watched_since = Some(now);
            self.next_ns = (now - now % self.every_ns).saturating_add(self.every_ns);
        }
    }

    /// Whether a beat has ended by `now`.
    #[inline]
    pub fn is_due(&self, now: u64) -> bool {
        now >= self.next_ns
    }

    /// Tells the beats that have ended by `now`. Everything before has been judged, and nothing else.
    pub fn tell(&mut self, now: u64, comparator: &mut Comparator, registry: &Registry) {
        let mut told = 0;
        while now >= self.next_ns {
            if told == QUIET_BEATS_MAX {
                self.next_ns = now - now % self.every_ns;
            }
            told += 1;
            let ended = self.next_ns;
            self.tell_beat(ended, ended.saturating_sub(1), comparator, registry);
            self.next_ns = ended.saturating_add(self.every_ns);
            if self.next_ns == u64::MAX {
                break;
            }
        }
    }

    /// The data is over at `now`.
    pub fn finish(&mut self, now: u64, comparator: &mut Comparator, registry: &Registry) {
        if self.watched_since.is_some() {
            self.tell_beat(now, now, comparator, registry);
        }
    }

    /// A figure of a source's side.
    pub fn push(&mut self, at_ns: u64, what: What) {
        self.out.push(Figure { at_ns, what });
    }

    /// A source's timestamp.
    #[inline]
    pub fn observe_clock(&mut self, source: SourceId, ts_ns: u64, ts_recv_ns: u64) {
        let SourceClock { latest_ns, figures } = &mut self.clocks[usize::from(source)];
        let apart = super::feeder::apart(ts_recv_ns, ts_ns);
        let back = latest_ns.saturating_sub(ts_ns);
        figures.stamps += 1;
        figures.negative += u64::from(apart < 0);
        figures.backwards += u64::from(back > 0);
        figures.least_ns = figures.least_ns.min(apart);
        figures.greatest_ns = figures.greatest_ns.max(apart);
        figures.worst_back_ns = figures.worst_back_ns.max(back);
        *latest_ns = (*latest_ns).max(ts_ns);
    }

    fn tell_beat(&mut self, ended: u64, at_ns: u64, comparator: &mut Comparator, registry: &Registry) {
        comparator.close_accounts(ended);
        if let Some(since) = self.watched_since.replace(ended)
            && ended > since
        {
            self.push(at_ns, What::Watched(since, ended - since));
        }
        self.tell_relations(at_ns, comparator);
        self.tell_desk(ended, at_ns, comparator);
        let out = &mut self.out;
        comparator.recorder.take_periods(|name, period| {
            out.push(Figure { at_ns, what: What::Latency(name.clone(), period.pack()) });
        });
        for (source, clock) in self.clocks.iter_mut().enumerate().filter(|(_, c)| c.figures.stamps > 0) {
            let figures = std::mem::replace(&mut clock.figures, NO_STAMPS);
            out.push(Figure { at_ns, what: What::Clock(source as SourceId, figures) });
        }
        comparator.take_ledger(|views, row| {
            let [a, b] = views.map(|v| &registry.views[v as usize]);
            let figures = InstrumentFigures {
                sources: [a.source, b.source],
                instrument: registry.get(a.instrument).name.clone(),
                venue: registry.mic(a.venue).unwrap_or_default().into(),
                differ_ns: row.differ_ns,
                segments: row.segments,
                told: row.told,
            };
            out.push(Figure { at_ns, what: What::Instrument(Box::new(figures)) });
        });
        self.push(ended, What::Until);
    }

    fn tell_relations(&mut self, at_ns: u64, comparator: &Comparator) {
        for (number, now) in comparator.relations().iter().enumerate() {
            if self.relations.len() == number {
                self.relations.push(Relation { sources: now.sources, ..Relation::default() });
            }
            let was = std::mem::replace(&mut self.relations[number], now.clone());
            let (pair, before) = (pair_counts(now), pair_counts(&was));
            let counts = std::array::from_fn(|i| pair[i] - before[i]);
            if counts != [0; PAIR_COUNTS.len()] {
                self.push(at_ns, What::Pair(now.sources, counts));
            }
            let (times, times_before) = (now.held.by_name(), was.held.by_name());
            let reasons: std::collections::BTreeSet<&str> =
                times.keys().chain(now.held_differences.keys()).copied().collect();
            for reason in reasons {
                let rose = |now: &BTreeMap<&'static str, u64>, was: &BTreeMap<&'static str, u64>| {
                    now.get(reason).copied().unwrap_or(0) - was.get(reason).copied().unwrap_or(0)
                };
                let ns = rose(&times, &times_before);
                let differences = rose(&now.held_differences, &was.held_differences);
                if ns > 0 || differences > 0 {
                    self.push(at_ns, What::Held(now.sources, reason, ns, differences));
                }
            }
            let ended_before = was.segments.by_name();
            for (kind, count) in now.segments.by_name() {
                let count = count - ended_before.get(kind).copied().unwrap_or(0);
                if count > 0 {
                    self.push(at_ns, What::Segments(now.sources, kind, count));
                }
            }
        }
    }

    fn tell_desk(&mut self, ended: u64, at_ns: u64, comparator: &Comparator) {
        let Figures { suppressed, crossings, out, .. } = self;
        for ((kind, reason), total) in &comparator.desk.held {
            let count = total - suppressed.insert((*kind, *reason), *total).unwrap_or(0);
            if count > 0 {
                out.push(Figure { at_ns, what: What::Suppressed(*kind, reason, count) });
            }
        }
        for ((kind, scope), (ns, times)) in comparator.desk.crossings.read(ended) {
            let (ns_before, times_before) = crossings.insert((kind, scope), (ns, times)).unwrap_or_default();
            let (ns, times) = (ns - ns_before, times - times_before);
            if ns > 0 || times > 0 {
                out.push(Figure { at_ns, what: What::Crossing(kind, scope, ns, times) });
            }
        }
    }
}

fn pair_counts(relation: &Relation) -> [u64; PAIR_COUNTS.len()] {
    let Relation { comparable_ns, agree_ns, matched, led, unmatched, .. } = *relation;
    [comparable_ns, agree_ns, matched, led[0], led[1], led[2], unmatched[0], unmatched[1]]
}
