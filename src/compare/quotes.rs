//! Quotes of two sources: the pipeline runs over both, the comparator judges, and beside it every update is looked up
//! on the other side.

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::NAMED_MAX;
use super::findings::Findings;
use super::outcome::{Lead, QuoteOutcome, Worst};
use super::updates::Updates;
use crate::alert::json::show_time;
use crate::config::Config;
use crate::latency::Recorder;
use crate::market::price::show_nanos;
use crate::market::{Registry, SourceId, VenueId, ViewId};
use crate::pipeline::note::Note;
use crate::pipeline::{Judge, Pipeline, Settings, Step, Steps};
use crate::source::{CaptureError, Captures};

/// Two sources to compare, by position in [`Config::comparands`].
pub type Sides = (SourceId, SourceId);

/// One pair of sources.
struct Bench {
    sides: Sides,
    names: [String; 2],
    updates: Updates,
    findings: Findings,
    /// First and latest time of a quote, by side.
    spans: [Option<(u64, u64)>; 2],
}

/// The judge, and who listens to it.
struct Watch<'a> {
    judge: &'a mut Judge,
    benches: Vec<Bench>,
}

impl Watch<'_> {
    /// Takes what the judge has made since the last call.
    fn listen(&mut self) {
        let now = self.judge.now();
        for view in self.judge.take_moves() {
            let registry = &self.judge.registry;
            let moved = &registry.views[view as usize];
            for bench in &mut self.benches {
                let (position, other) = match bench.sides {
                    (a, b) if a == moved.source => (0, b),
                    (a, b) if b == moved.source => (1, a),
                    _ => continue,
                };
                let span = bench.spans[position].get_or_insert((now, now));
                span.1 = now;
                if let Some(peer) = peer(registry, view, other) {
                    bench.updates.moved(now, position, (view, peer), registry);
                }
            }
        }
        let lines = self.judge.take_alerts();
        if !lines.is_empty() {
            let lines = std::mem::take(lines);
            for Bench { names: [a, b], findings, .. } in &mut self.benches {
                findings.take(&lines, [a, b]);
            }
        }
    }
}

/// The other source's view of the same instrument at the same venue.
fn peer(registry: &Registry, view: ViewId, source: SourceId) -> Option<ViewId> {
    let moved = &registry.views[view as usize];
    registry.views_of(moved.instrument).find(|id| {
        let other = &registry.views[*id as usize];
        other.source == source && other.venue == moved.venue
    })
}

impl Steps for Watch<'_> {
    fn step(&mut self, step: Step, notes: &mut Vec<Note>) {
        self.judge.step(step, notes);
        self.listen();
    }

    fn until(&mut self, now: u64, notes: &mut Vec<Note>) {
        self.judge.until(now, notes);
        self.listen();
    }
}

/// Runs the configuration over the captures and compares each of the pairs.
///
/// # Errors
/// A capture that the system can no longer read.
pub fn compare_quotes(
    config: &Config,
    captures: &mut Captures,
    midnight_ns: u64,
    couples: &[Sides],
) -> Result<Vec<QuoteOutcome>, CaptureError> {
    let names = config.comparands();
    let settings = Settings {
        captures: captures.names().to_vec(),
        binaryfile_midnight_ns: midnight_ns,
        ..Settings::default()
    };
    let mut pipeline = Pipeline::new(config, settings, Recorder::without_log());
    pipeline.judge.keep_moves();
    if let Some(from) = captures.prime()? {
        pipeline.start(from);
    }
    let Pipeline { mut intake, mut judge } = pipeline;
    let bench = |sides: &Sides| Bench {
        sides: *sides,
        names: [sides.0, sides.1].map(|s| names[usize::from(s)].clone()),
        updates: Updates::default(),
        findings: Findings::default(),
        spans: [None; 2],
    };
    let mut watch = Watch { judge: &mut judge, benches: couples.iter().map(bench).collect() };
    while let Some(datagram) = captures.next()? {
        intake.on_datagram(&datagram, &mut watch);
    }
    if let Some(until) = captures.watched_until() {
        intake.advance(until, &mut watch);
    }
    let end = intake.finish(&mut watch);
    watch.judge.finish(end);
    watch.listen();
    let Watch { benches, judge } = watch;
    Ok(benches.into_iter().map(|bench| outcome(bench, config, judge, end)).collect())
}

fn outcome(bench: Bench, config: &Config, judge: &Judge, end: u64) -> QuoteOutcome {
    let Bench { sides, names, mut updates, findings, spans } = bench;
    let registry = &judge.registry;
    let apart = updates.finish(end, registry);
    let mut worst: Vec<Worst> = apart
        .into_iter()
        .filter(|(_, apart)| apart.ns > 0)
        .map(|(instrument, apart)| Worst {
            instrument,
            apart_ns: apart.ns,
            times: apart.times,
            longest_ns: apart.longest_ns,
            most: show_nanos(i64::try_from(apart.most_nanos).unwrap_or(i64::MAX)),
            updates: apart.updates,
        })
        .collect();
    worst.sort_by(|a, b| b.apart_ns.cmp(&a.apart_ns).then_with(|| a.instrument.cmp(&b.instrument)));
    worst.truncate(NAMED_MAX);
    let shared = Shared::new(registry, sides);
    let feed = |s: SourceId| config.sources.get(usize::from(s)).map_or("composite", |s| s.feed.info().name);
    let relation = judge.comparator.relations().iter().find(|r| {
        let [a, b] = r.sources;
        (a, b) == sides || (b, a) == sides
    });
    let (comparable_ns, agree_ns) = relation.map_or((0, 0), |r| (r.comparable_ns, r.agree_ns));
    let hundredths = (u128::from(agree_ns) * 10_000).checked_div(u128::from(comparable_ns));
    QuoteOutcome {
        sources: names,
        feeds: [feed(sides.0), feed(sides.1)],
        spans: spans.map(|span| span.map(|(from, to)| [show_time(from), show_time(to)])),
        overlap: matches!(spans, [Some(a), Some(b)] if a.0 <= b.1 && b.0 <= a.1),
        instruments: shared.common,
        only: [0, 1].map(|side| shared.only[side].len() as u64),
        only_named: [0, 1].map(|side| shared.only[side].iter().take(NAMED_MAX).cloned().collect()),
        elsewhere: shared.elsewhere,
        updates: updates.updates,
        matched: updates.matched,
        unmatched: updates.unmatched,
        not_judged: updates.not_judged,
        lead: Lead::new(&updates.lead, updates.led),
        comparable_ns,
        agree_ns,
        agreement_percent: hundredths.map(|h| format!("{}.{:02}", h / 100, h % 100)),
        segments: relation.map(|r| r.segments.by_name()).unwrap_or_default(),
        held_ns: relation.map(|r| r.held.by_name()).unwrap_or_default(),
        held_differences: relation.map(|r| r.held_differences.clone()).unwrap_or_default(),
        odd_lots_only: updates.odd_lots_only,
        findings: findings.finish(),
        worst,
    }
}

/// Which instruments both quote.
struct Shared {
    common: u64,
    elsewhere: u64,
    only: [BTreeSet<String>; 2],
}

impl Shared {
    fn new(registry: &Registry, sides: Sides) -> Shared {
        let mut quoted: [HashMap<VenueId, BTreeSet<&str>>; 2] = [HashMap::new(), HashMap::new()];
        for view in registry.views.iter().filter(|view| view.quote.is_some()) {
            for (position, source) in [sides.0, sides.1].into_iter().enumerate() {
                if view.source == source {
                    let name = &*registry.get(view.instrument).name;
                    quoted[position].entry(view.venue).or_default().insert(name);
                }
            }
        }
        let [first, second] = &quoted;
        let venues: Vec<VenueId> = first.keys().filter(|v| second.contains_key(*v)).copied().collect();
        let of = |position: usize, venues: &[VenueId]| -> BTreeSet<&str> {
            let all =
                quoted[position].iter().filter(|(venue, _)| venues.is_empty() || venues.contains(venue));
            all.flat_map(|(_, names)| names.iter().copied()).collect()
        };
        // Of a consolidated feed only the venues that the other quotes too can be missed.
        let (a, b) = (of(0, &venues), of(1, &venues));
        let common = venues.iter().flat_map(|v| first[v].intersection(&second[v])).collect::<BTreeSet<_>>();
        let missing =
            |a: &BTreeSet<&str>, b: &BTreeSet<&str>| a.difference(b).map(|n| (*n).to_owned()).collect();
        Shared {
            common: common.len() as u64,
            elsewhere: (a.intersection(&b).count() - common.len()) as u64,
            only: [missing(&a, &b), missing(&b, &a)],
        }
    }
}
