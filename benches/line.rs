//! What arbitration costs per packet: one line in order, two lines with B's copy behind A's, and two lines of
//! which A drops one packet in a hundred. Packets are 700 bytes with 10 messages; the sink only counts.
//! Every iteration drives 10,000 packets per line; the rate is in packets of all lines.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use feeds::feed::{PacketHeader, PacketKind};
use parallax::line::{Arrival, Channel, ChannelConfig, LineEvent, LineSink};
use std::hint::black_box;

const PACKETS: u64 = 10_000;

#[derive(Default)]
struct Counter {
    messages: u64,
    events: u64,
}

impl LineSink for Counter {
    fn deliver(&mut self, _: &Arrival, _: &PacketHeader, payload: &[u8], _: u32, take: u32) {
        black_box(payload);
        self.messages += u64::from(take);
    }

    fn line_event(&mut self, _: u64, event: LineEvent) {
        black_box(event);
        self.events += 1;
    }
}

/// Drives the channel through one run; `drop_every` packets of line A are missing (0: none).
fn drive(channel: &mut Channel, at: &mut u64, lines: usize, drop_every: u64, payload: &[u8]) -> Counter {
    let mut counter = Counter::default();
    for _ in 0..PACKETS {
        let header = PacketHeader {
            session: 1,
            sequence: 1 + *at * 10,
            count: 10,
            kind: PacketKind::Data,
            ts_send_ns: None,
            len: 20,
            sequence_bits: 64,
        };
        for line in 0..lines {
            if drop_every > 0 && line == 0 && *at % drop_every == drop_every - 1 {
                continue;
            }
            let now_ns = *at * 1_000 + line as u64 * 300;
            let arrival = Arrival { now_ns, ts_recv_ns: now_ns, line, capture: 0, frame: *at };
            channel.on_packet(&arrival, &header, payload, &mut counter);
        }
        *at += 1;
    }
    counter
}

fn line(c: &mut Criterion) {
    let payload: Vec<u8> = (0..700).map(|i| i as u8).collect();
    let mut group = c.benchmark_group("line");
    for (name, lines, drop_every) in
        [("one_in_order", 1, 0), ("two_in_order", 2, 0), ("two_with_loss", 2, 100)]
    {
        group.throughput(Throughput::Elements(PACKETS * lines as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            let mut channel = Channel::new(&ChannelConfig { lines, ..ChannelConfig::default() });
            let mut at = 0;
            b.iter(|| {
                let counter = drive(&mut channel, &mut at, lines, drop_every, &payload);
                assert_eq!(counter.messages, PACKETS * 10);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, line);
criterion_main!(benches);
