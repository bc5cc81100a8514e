//! What a shared book costs: publishing and reading one slot, without levels (128 bytes) and with five a side (288 bytes),
//! by themselves and with the other side at it from another thread; hot (one slot) and over 4,096 slots in random order.
//! Beside each the floor: the bare sequence lock over a row of as many words, into which plain numbers go.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use criterion::{Criterion, criterion_group, criterion_main};
use feeds::event::{Side, TradingState};
use parallax::market::{Level, Origin, Quality, Quote};
use parallax::shm::{Image, Papers, Reader, Shape, SlotId, Writer, book_path, seqlock};

const SHAPE: Shape = Shape { slots: 4_096, levels: 5 };

fn open(dir: &Path) -> (Writer, Reader, Vec<SlotId>) {
    let papers = Papers { name: "bench", source: "direct", feed: "nasdaq-itch-5.0", venue: Some("XNAS") };
    let mut writer = Writer::create(dir, &papers, SHAPE, 1).expect("a book can be made");
    let slots = (0..SHAPE.slots).map(|n| writer.add(&format!("I{n}"), Some("XNAS")).expect("room")).collect();
    let reader = Reader::open(&book_path(dir, "bench", "direct")).expect("it is a book");
    (writer, reader, slots)
}

fn level(n: u64, away: i64) -> Level {
    Level { price: 189_970_000_000 + away * 10_000_000, quantity: 100 + n }
}

fn quote(n: u64) -> (Quote, Origin) {
    let best = [Some(level(n, 0)), Some(level(n, 1))];
    let origin = Origin { ts_event_ns: n, ts_recv_ns: n, sequence: n, capture: 0, frame: n };
    (Quote { best, round_lot: best, quality: Quality::Ok }, origin)
}

fn top(n: u64) -> Image {
    let (quote, origin) = quote(n);
    Image::new(&quote, TradingState::Trading, &origin, n)
}

fn image(n: u64, levels: i64) -> Image {
    let mut image = top(n);
    for away in 0..levels {
        image.push(Side::Bid, level(n, -away));
        image.push(Side::Ask, level(n, 1 + away));
    }
    image
}

/// Positions in a fixed random order.
fn shuffled<T: Clone>(slots: &[T]) -> Vec<T> {
    let mut order = slots.to_vec();
    let mut state = 1_u64;
    for at in (1..order.len()).rev() {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        order.swap(at, (state >> 33) as usize % (at + 1));
    }
    order
}

/// Runs `other` in a loop on another thread while `measured` runs.
fn against(other: impl Fn() + Send + 'static, measured: impl FnOnce()) {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            other();
        }
    });
    measured();
    stop.store(true, Ordering::Relaxed);
    thread.join().expect("the other side ends");
}

/// As far apart as slots of five levels, and beginning on the same lines.
#[repr(align(128))]
struct Cell([AtomicU64; SLOT_WORDS]);

const SLOT_WORDS: usize = 48;

/// The floor under a slot of `levels` levels: so many words and a version, plain numbers that are copied from and to one place.
fn bare<const WORDS: usize>(c: &mut Criterion, levels: usize) {
    assert_eq!(SHAPE.slot_words(), SLOT_WORDS);
    let cells: Vec<Cell> =
        (0..SHAPE.slots).map(|_| Cell(std::array::from_fn(|_| AtomicU64::new(2)))).collect();
    let order = shuffled(&(0..SHAPE.slots).collect::<Vec<_>>());
    let values = [7; WORDS];
    let mut taken = [0; WORDS];
    let mut read = |cell: &Cell| {
        let version = seqlock::read(&cell.0[..=WORDS], &mut taken, 10);
        black_box(&mut taken);
        version
    };
    let mut next = order.iter().cycle();
    let mut group = c.benchmark_group("publish");
    group.bench_function(format!("one slot, {levels} levels, bare seqlock"), |b| {
        b.iter(|| seqlock::write(&cells[7].0[..=WORDS], black_box(&values)));
    });
    group.bench_function(format!("4096 slots, {levels} levels, bare seqlock"), |b| {
        b.iter(|| seqlock::write(&cells[*next.next().expect("endless")].0[..=WORDS], black_box(&values)));
    });
    group.finish();
    let mut group = c.benchmark_group("read");
    group.bench_function(format!("one slot, {levels} levels, bare seqlock"), |b| {
        b.iter(|| black_box(read(&cells[7])));
    });
    group.bench_function(format!("4096 slots, {levels} levels, bare seqlock"), |b| {
        b.iter(|| black_box(read(&cells[*next.next().expect("endless")])));
    });
}

fn floors(c: &mut Criterion) {
    bare::<15>(c, 0);
    bare::<35>(c, 5);
}

fn publish(c: &mut Criterion) {
    let dir = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let (mut writer, reader, slots) = open(dir.path());
    let (one, order) = (slots[7], shuffled(&slots));
    let mut group = c.benchmark_group("publish");
    for levels in [0, 5] {
        let image = image(1, levels);
        group.bench_function(format!("one slot, {levels} levels"), |b| {
            b.iter(|| writer.publish(one, black_box(&image)));
        });
        let mut next = order.iter().cycle();
        group.bench_function(format!("4096 slots, {levels} levels"), |b| {
            b.iter(|| writer.publish(*next.next().expect("endless"), black_box(&image)));
        });
    }
    let image = image(1, 5);
    let other = move || {
        let _ = black_box(reader.try_read(one));
    };
    against(other, || {
        group.bench_function("one slot, 5 levels, a reader spins on it", |b| {
            b.iter(|| writer.publish(one, black_box(&image)));
        });
    });
}

fn read(c: &mut Criterion) {
    let dir = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let (mut writer, reader, slots) = open(dir.path());
    let (one, order) = (slots[7], shuffled(&slots));
    slots.iter().for_each(|slot| writer.publish(*slot, &image(1, 5)));
    let mut group = c.benchmark_group("read");
    group.bench_function("one slot, 5 levels, as a value", |b| b.iter(|| black_box(reader.read(one))));
    group.bench_function("one slot, the top, as a value", |b| b.iter(|| black_box(reader.read_top(one))));
    let mut held = Image::default();
    let mut all = |slot: SlotId| {
        let updates = reader.read_into(slot, &mut held);
        black_box(&mut held);
        updates
    };
    group.bench_function("one slot, 5 levels", |b| b.iter(|| black_box(all(black_box(one)))));
    let mut next = order.iter().cycle();
    group.bench_function("4096 slots, 5 levels", |b| {
        b.iter(|| black_box(all(*next.next().expect("endless"))));
    });
    let mut top = |slot: SlotId| {
        let updates = reader.read_top_into(slot, &mut held);
        black_box(&mut held);
        updates
    };
    group.bench_function("one slot, the top", |b| b.iter(|| black_box(top(black_box(one)))));
    let mut next = order.iter().cycle();
    group.bench_function("4096 slots, the top", |b| {
        b.iter(|| black_box(top(*next.next().expect("endless"))));
    });
    group.bench_function("find among 4096", |b| b.iter(|| reader.find(black_box("I4095"), Some("XNAS"))));
    // `Writer` writes through `&mut`: one thread owns it.
    let writer = std::sync::Mutex::new(writer);
    let image = image(2, 5);
    let other = move || {
        let mut writer = writer.lock().expect("nobody else has it");
        (0..1_000).for_each(|_| writer.publish(one, black_box(&image)));
    };
    against(other, || {
        group.bench_function("one slot, 5 levels, the writer spins on it", |b| {
            b.iter(|| black_box(reader.read_into(one, &mut held)));
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = floors, publish, read
}
criterion_main!(benches);
