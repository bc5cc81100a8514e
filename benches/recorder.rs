//! What the flight recorder costs: `keep` per datagram on the receiver's side, beside the copy alone, and how fast
//! the recorder's side empties a ring into files. Payloads are the simulated venue's, so that they compress as market
//! data does. Every iteration takes the same datagrams; rates are in datagrams (`keep`) and payload bytes (`drain`).

use std::cell::RefCell;
use std::hint::black_box;
use std::net::SocketAddr;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use parallax::source::Lost;
use parallax::source::recorder::{Arrival, Keeper, Recorder, RecorderSettings};

const DATAGRAMS: usize = 20_000;
const START: u64 = 1_760_000_000_000_000_000;

/// Messages that look like orders: a type, counters that move, prices near each other, some noise.
fn payloads(len: usize) -> Vec<Vec<u8>> {
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut order = 1_000_000_u64;
    let mut message = move |out: &mut Vec<u8>| {
        order += 1 + random() % 7;
        out.extend_from_slice(&[0, 36, b'A']);
        out.extend_from_slice(&((random() % 500) as u16).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&(order * 1_931).to_be_bytes()[2..]);
        out.extend_from_slice(&order.to_be_bytes());
        out.push(if random() % 2 == 0 { b'B' } else { b'S' });
        out.extend_from_slice(&(100 * (1 + random() % 9) as u32).to_be_bytes());
        out.extend_from_slice(b"ABCD    ");
        out.extend_from_slice(&(1_890_000 + random() % 4_000).to_be_bytes()[4..]);
    };
    let one = |_| {
        let mut payload = Vec::with_capacity(len + 40);
        while payload.len() < len {
            message(&mut payload);
        }
        payload.truncate(len);
        payload
    };
    (0..DATAGRAMS).map(one).collect()
}

fn settings(directory: &Path) -> RecorderSettings {
    RecorderSettings {
        directory: directory.to_owned(),
        file_size: 256 << 20,
        file_time_ns: 600_000_000_000,
        keep_size: 1 << 30,
        keep_time_ns: u64::MAX,
        ring_bytes: 64 << 20,
        product: "parallax bench".to_owned(),
    }
}

fn keep_all(keeper: &mut Keeper, payloads: &[Vec<u8>]) {
    let (source, destination) =
        (SocketAddr::from(([10, 0, 0, 1], 4_000)), SocketAddr::from(([233, 54, 12, 111], 26_477)));
    for (n, payload) in payloads.iter().enumerate() {
        let place = keeper.keep(&Arrival {
            line: (n % 2) as u16,
            ts_recv_ns: START + n as u64,
            source,
            destination,
            payload,
            wire_len: payload.len() as u32,
            lost: Lost::default(),
        });
        assert!(black_box(place).is_some(), "the ring is to hold them all");
    }
}

fn recorder(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let lines = vec!["direct/tv1/A".to_owned(), "direct/tv1/B".to_owned()];
    for len in [100, 700, 1_400] {
        let payloads = payloads(len);
        let (recorder, mut keepers) = Recorder::new(settings(folder.path()), std::slice::from_ref(&lines));
        // Preparing and measuring both step it, one after the other.
        let recorder = RefCell::new(recorder);
        let drain = || while recorder.borrow_mut().step(START) {};
        let keeper = &mut keepers[0];
        let mut group = c.benchmark_group(format!("recorder/{len}"));
        group.sample_size(20);
        group.throughput(Throughput::Elements(DATAGRAMS as u64));
        // The floor: the same bytes into a buffer as large as the ring.
        let mut buffer = vec![0_u8; 64 << 20];
        group.bench_function("copy", |b| {
            b.iter(|| {
                let mut at = 0;
                for payload in &payloads {
                    buffer[at..at + payload.len()].copy_from_slice(payload);
                    at += payload.len() + 72;
                }
                black_box(&mut buffer);
            });
        });
        group.bench_function("keep", |b| {
            b.iter_batched(drain, |()| keep_all(keeper, &payloads), BatchSize::PerIteration);
        });
        group.throughput(Throughput::Bytes((DATAGRAMS * len) as u64));
        group.bench_function("drain", |b| {
            b.iter_batched(
                || {
                    drain();
                    keep_all(keeper, &payloads);
                },
                |()| drain(),
                BatchSize::PerIteration,
            );
        });
        group.finish();
        for keeper in keepers {
            keeper.finish(START);
        }
        drain();
        let state = recorder.borrow().monitor().state();
        assert_eq!((state.not_kept, state.not_written, state.error.as_str()), (0, 0, ""));
        // What is on the disk of what was kept.
        println!("recorder/{len}: {} bytes for {} datagrams", state.bytes, state.kept);
    }
}

criterion_group!(benches, recorder);
criterion_main!(benches);
