//! The whole pipeline over a session in memory: the simulated venue on lines A and B and the consolidated feed
//! beside it, arbitration, books, quotes and all checks with their defaults. The same run is given per packet and
//! per message (a message on A and on B is one). Reading files and printing a summary are not in it.

use std::net::SocketAddr;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parallax::config::Config;
use parallax::latency::Recorder;
use parallax::pipeline::{Pipeline, Settings};
use parallax::simulate::{LINES, Scenario, Sent, Simulator, write};
use parallax::source::{Datagram, Transport};

fn replay(config: &Config, session: &[Sent]) -> Pipeline {
    let mut pipeline = Pipeline::new(config, Settings::default(), Recorder::without_log());
    for (n, sent) in session.iter().enumerate() {
        pipeline.on_datagram(&Datagram {
            ts_recv_ns: sent.ts_ns,
            capture: 0,
            frame: n as u64 + 1,
            transport: Transport::Udp,
            source: SocketAddr::from(([127, 0, 0, 1], 1)),
            destination: SocketAddr::V4(LINES[sent.line].group),
            payload: &sent.payload,
            wire_len: sent.payload.len() as u32,
            checksum: 0,
            interface: 0,
            interface_name: "",
            lost: parallax::source::Lost::default(),
        });
    }
    pipeline.finish();
    pipeline
}

fn pipeline(c: &mut Criterion) {
    let config =
        Config::parse("bench", &write::configuration(), Path::new(".")).expect("a good configuration");
    let scenario = Scenario {
        seed: 1,
        instruments: 500,
        duration_ns: 4_000_000_000,
        rate: 50_000,
        ..Scenario::default()
    };
    let session: Vec<Sent> = Simulator::new(&scenario).collect();
    let once = replay(&config, &session);
    let messages: u64 = once.intake.feeder.channels.iter().map(|c| c.core.tally.delivered()).sum();
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
