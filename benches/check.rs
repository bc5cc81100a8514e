//! What the comparator costs per quote update, by how many sources carry the instruments and how many instruments
//! there are. Every source is a direct feed of one venue, so n sources make n(n-1)/2 pairs per instrument. In
//! turn each source follows the market's move 10 microseconds behind the one before; the market of an instrument
//! moves every 20 ms. All checks run with their defaults, timers included, and none raises anything.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parallax::check::Comparator;
use parallax::check::life::Place;
use parallax::config::Config;
use parallax::latency::Recorder;
use parallax::market::{Level, Quality, Quote, Registry, ViewId};

/// Between two moves of one instrument's market.
const MOVE_NS: u64 = 20_000_000;
/// How far a source is behind the one before it.
const BEHIND_NS: u64 = 10_000;
const ROUNDS: u64 = 16;

struct Bench {
    registry: Registry,
    comparator: Comparator,
    /// By instrument, then by source.
    views: Vec<Vec<ViewId>>,
    now: u64,
    round: u64,
}

impl Bench {
    fn new(sources: usize, instruments: usize) -> Bench {
        let mut text = String::new();
        for n in 0..sources {
            let _ = writeln!(
                text,
                "[[source]]\nname = \"s{n}\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n\
                 [[source.channel]]\nname = \"c\"\nlines = [{{ name = \"A\", group = \"233.0.0.{}:1\" }}]",
                n + 1
            );
        }
        let config = Config::parse("bench", &text, Path::new(".")).expect("the configuration is good");
        let mut registry = Registry::new();
        let mut comparator = Comparator::new(&config, &mut registry, &[], Recorder::without_log());
        let venue = registry.venue("XNAS");
        let views = (0..instruments).map(|i| {
            let instrument = registry.instrument(&format!("I{i}"));
            (0..sources).map(|s| registry.add_view(s as u16, venue, instrument, false)).collect()
        });
        let views = views.collect();
        comparator.start(1_000_000_000);
        Bench { registry, comparator, views, now: 1_000_000_000, round: 0 }
    }

    /// Every instrument's market moves once and every source follows; answers the updates.
    fn round(&mut self) -> u64 {
        self.round += 1;
        let began = self.now;
        let step = MOVE_NS / self.views.len() as u64;
        let mut updates = 0;
        for i in 0..self.views.len() {
            let at = began + i as u64 * step;
            for s in 0..self.views[i].len() {
                let now = (at + s as u64 * BEHIND_NS).max(self.now);
                self.now = now;
                let place = Place { source: s as u16, channel: 0, line: 0 };
                self.comparator.on_arrival(now, place, true, &self.registry);
                let view = self.views[i][s];
                self.registry.views[view as usize].quote = Some(quote(i as u64, self.round));
                self.registry.views[view as usize].origin.ts_recv_ns = now;
                self.comparator.advance(now, &self.registry);
                self.comparator.on_views(now, &[(view, true)], &self.registry);
                updates += 1;
            }
        }
        self.now = (began + MOVE_NS).max(self.now);
        updates
    }
}

/// The bid goes round 8 prices, the ask stays a cent above it.
fn quote(instrument: u64, round: u64) -> Quote {
    let cents = 10_000 + instrument % 500 + (round * 3 + instrument) % 8;
    let level = |cents: u64| Some(Level { price: cents as i64 * 10_000_000, quantity: 100 });
    let best = [level(cents), level(cents + 1)];
    Quote { best, round_lot: best, quality: Quality::Ok }
}

fn check(c: &mut Criterion) {
    let mut group = c.benchmark_group("check/quote_update");
    group.sample_size(10);
    for instruments in [10usize, 10_000] {
        for sources in [2usize, 4, 8] {
            let mut bench = Bench::new(sources, instruments);
            // Every view is known and every price has been shown before the clock runs.
            (0..10).for_each(|_| {
                bench.round();
            });
            let rounds = if instruments > 100 { 1 } else { ROUNDS * 10 };
            group.throughput(Throughput::Elements(rounds * (sources * instruments) as u64));
            group.bench_function(BenchmarkId::new(format!("{sources}_sources"), instruments), |b| {
                b.iter(|| {
                    let updates: u64 = (0..rounds).map(|_| bench.round()).sum();
                    black_box(updates);
                    bench.comparator.desk.alerts.lines.clear();
                });
            });
            let raised = &bench.comparator.desk.alerts.tally.raised;
            assert!(raised.is_empty(), "{sources} sources, {instruments} instruments: {raised:?}");
        }
    }
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
