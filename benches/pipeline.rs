//! The whole pipeline over a session in memory: the simulated venue on lines A and B and the consolidated feed
//! beside it, arbitration, books, quotes and all checks with their defaults. The same run is given per packet and
//! per message (a message on A and on B is one). Reading files and printing a summary are not in it.

mod session;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parallax::config::Config;
use parallax::latency::Recorder;
use parallax::pipeline::{Pipeline, Settings};
use parallax::simulate::Sent;
use session::{delivered, session, take};

fn replay(config: &Config, session: &[Sent]) -> Pipeline {
    let mut pipeline = Pipeline::new(config, Settings::default(), Recorder::without_log());
    take(&mut pipeline, session);
    pipeline.finish();
    pipeline
}

fn pipeline(c: &mut Criterion) {
    let (config, session) = (session::config(), session(4_000_000_000, 50_000));
    let once = replay(&config, &session);
    let messages = delivered(&once);
    assert!(once.judge.comparator.desk.alerts.tally.raised.is_empty(), "a clean session raises nothing");
    let mut group = c.benchmark_group("pipeline");
    group.sample_size(10);
    for (unit, count) in [("messages", messages), ("packets", session.len() as u64)] {
        group.throughput(Throughput::Elements(count));
        // The pipeline is handed back, so that its end is not timed.
        group.bench_function(unit, |b| b.iter_with_large_drop(|| replay(&config, &session)));
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
