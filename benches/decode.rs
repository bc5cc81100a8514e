//! What it costs to read messages, from memory, by how much is read of them: the framing alone (the floor of the
//! same run), the events that books are made of, every field through the typed views, every field through the
//! listing that `parallax decode` prints from. ITCH 5.0 in MoldUDP64 packets from the simulator; MDP3 level
//! updates of 1 to 6 entries, made here from the layout's offsets. Rates are in messages.

#[path = "itch_day/fields.rs"]
mod fields;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use feeds::Feed;
use feeds::cme_mdp3::Mdp3;
use feeds::event::Event;
use feeds::nasdaq_itch50::Itch50;
use feeds::wire::{Value, Visitor};
use parallax::simulate::{Scenario, Simulator};

/// Packets one after the other in memory, as a capture has them.
#[derive(Default)]
struct Packets {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Packets {
    fn push(&mut self, payload: &[u8]) {
        self.bytes.extend_from_slice(payload);
        self.ends.push(self.bytes.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// The simulated venue's messages in order, ten to a packet (the simulator alone makes packets of one or two).
fn itch_packets() -> Packets {
    let scenario = Scenario {
        seed: 1,
        instruments: 500,
        duration_ns: 4_000_000_000,
        rate: 50_000,
        ..Scenario::default()
    };
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for sent in Simulator::new(&scenario).filter(|sent| sent.line == 0) {
        let mut at = Itch50::header(&sent.payload).expect("made well").len;
        while let Some(span) = Itch50::split(&sent.payload, at).expect("framed well") {
            blocks.push(sent.payload[at..span.end].to_vec());
            at = span.end;
        }
    }
    let mut packets = Packets::default();
    for (n, group) in blocks.chunks(10).enumerate() {
        let mut payload = b"BENCHMARK1".to_vec();
        payload.extend((1 + 10 * n as u64).to_be_bytes());
        payload.extend((group.len() as u16).to_be_bytes());
        group.iter().for_each(|block| payload.extend_from_slice(block));
        packets.push(&payload);
    }
    packets
}

/// Packets of one level update each, with 1 to 6 entries.
fn mdp3_packets() -> Packets {
    // MDIncrementalRefreshBook46: 10 bytes of header, 11 of root block.
    let root = 21usize;
    let packet = |n: u32| {
        let entries = 1 + (n % 6) as u8;
        let mut message = vec![0u8; root];
        message[2..4].copy_from_slice(&(root as u16 - 10).to_le_bytes());
        message[4..6].copy_from_slice(&46u16.to_le_bytes());
        message[6..8].copy_from_slice(&1u16.to_le_bytes());
        message[8..10].copy_from_slice(&12u16.to_le_bytes());
        message[10..18].copy_from_slice(&(1_700_000_000_000_000_000 + u64::from(n)).to_le_bytes());
        message.extend([32, 0, entries]);
        for entry in 0..entries {
            let mut bytes = [0u8; 32];
            bytes[0..8].copy_from_slice(&(4_500_000_000_000i64 + i64::from(n % 50)).to_le_bytes());
            bytes[8..12].copy_from_slice(&(1 + i32::from(entry)).to_le_bytes());
            bytes[12..16].copy_from_slice(&(1_000 + n % 100).to_le_bytes());
            bytes[16..20].copy_from_slice(&n.to_le_bytes());
            bytes[20..24].copy_from_slice(&1i32.to_le_bytes());
            bytes[24] = 1 + entry;
            bytes[25] = 1;
            bytes[26] = b'0' + (n % 2) as u8;
            message.extend(bytes);
        }
        message.extend([24, 0, 0, 0, 0, 0, 0, 0]);
        let len = message.len() as u16;
        message[0..2].copy_from_slice(&len.to_le_bytes());
        let mut packet = (n + 1).to_le_bytes().to_vec();
        packet.extend((1_700_000_000_000_000_000 + u64::from(n)).to_le_bytes());
        packet.extend(message);
        packet
    };
    let mut packets = Packets::default();
    (0..50_000).for_each(|n| packets.push(&packet(n)));
    packets
}

/// Runs `each` over every message and answers how many there were.
#[inline]
fn walk<F: Feed>(packets: &Packets, mut each: impl FnMut(&feeds::feed::PacketHeader, &[u8])) -> u64 {
    let mut messages = 0;
    for payload in packets.iter() {
        let header = F::header(payload).expect("made well");
        let mut at = header.len;
        while let Some(span) = F::split(payload, at).expect("framed well") {
            messages += 1;
            at = span.end;
            each(&header, &payload[span.start..span.end]);
        }
    }
    messages
}

/// Folds what is listed, so that every value is made.
#[derive(Default)]
struct Sum(u64);

impl Visitor for Sum {
    fn field(&mut self, _: &'static str, value: Value<'_>) {
        let worth = match value {
            Value::Uint(n) => n,
            Value::Int(n) => n as u64,
            Value::Char(c) => u64::from(c),
            Value::Text(text) | Value::Bytes(text) => text.iter().map(|b| u64::from(*b)).sum(),
        };
        self.0 = self.0.wrapping_add(worth);
    }
    fn begin_group(&mut self, _: &'static str) {}
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {}
}

fn events<F: Feed>(packets: &Packets) -> u64 {
    let mut count = 0;
    walk::<F>(packets, |header, message| {
        let decoded = F::decode(message, header, &mut |ts: u64, event: Event<'_>| {
            black_box((ts, &event));
            count += 1;
        });
        debug_assert!(decoded.is_ok());
    });
    count
}

fn listed<F: Feed>(packets: &Packets) -> u64 {
    let mut sum = Sum::default();
    walk::<F>(packets, |_, message| {
        let listed = F::list(message, &mut sum);
        debug_assert!(matches!(listed, Ok(Some(_))));
    });
    sum.0
}

fn framing<F: Feed>(packets: &Packets) -> u64 {
    let mut sum = 0u64;
    walk::<F>(packets, |_, message| sum = sum.wrapping_add(u64::from(message[0]) + message.len() as u64));
    sum
}

fn decode(c: &mut Criterion) {
    let itch = itch_packets();
    let mut group = c.benchmark_group("decode/itch");
    group.sample_size(20).throughput(Throughput::Elements(walk::<Itch50>(&itch, |_, _| ())));
    group.bench_function("framing", |b| b.iter(|| framing::<Itch50>(&itch)));
    group.bench_function("views", |b| {
        b.iter(|| {
            let mut sum = 0;
            walk::<Itch50>(&itch, |_, message| sum ^= fields::sum_of(message).unwrap_or(1));
            sum
        });
    });
    group.bench_function("events", |b| b.iter(|| events::<Itch50>(&itch)));
    group.bench_function("list", |b| b.iter(|| listed::<Itch50>(&itch)));
    group.finish();

    let mdp3 = mdp3_packets();
    assert!(events::<Mdp3>(&mdp3) >= mdp3.ends.len() as u64 && listed::<Mdp3>(&mdp3) > 0);
    let mut group = c.benchmark_group("decode/mdp3");
    group.sample_size(20).throughput(Throughput::Elements(mdp3.ends.len() as u64));
    group.bench_function("framing", |b| b.iter(|| framing::<Mdp3>(&mdp3)));
    group.bench_function("events", |b| b.iter(|| events::<Mdp3>(&mdp3)));
    group.bench_function("list", |b| b.iter(|| listed::<Mdp3>(&mdp3)));
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
