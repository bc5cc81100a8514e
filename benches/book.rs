//! What a book costs per event: an ITCH-like mix (adds, deletes, executions, replacements near the touch) over
//! 1,000 instruments with about 100,000 live orders, and numbered levels over 100 instruments. After every event
//! that may have changed the top, the top is read. Events are drawn before the clock runs, seeded.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use feeds::event::{Event, Key, Ladder, LevelAction, Side};
use parallax::book::Books;
use std::hint::black_box;

const KEY: Key<'static> = Key::Number(0);

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) % n
    }
}

type Events = Vec<(u32, Event<'static>)>;

/// Events that never contradict: `live` orders to begin with, then the mix.
fn orders(live: usize, events: usize) -> (Events, Events) {
    let mut dice = Dice(1);
    let mut open: Vec<(u64, u32, Side, u64)> = Vec::new();
    let mut next = 0;
    let price = |dice: &mut Dice, side| {
        // Most orders come near the touch.
        let away = (dice.below(20) * dice.below(20) / 8) as i64;
        if side == Side::Bid { 10_000 - away } else { 10_001 + away }
    };
    let mut draw = |dice: &mut Dice, open: &mut Vec<(u64, u32, Side, u64)>| {
        next += 1;
        let choice = if open.len() < live { 0 } else { dice.below(100) };
        let at = dice.below(open.len().max(1) as u64) as usize;
        match choice {
            0..=44 => {
                let slot = dice.below(1_000) as u32;
                let side = if dice.below(2) == 0 { Side::Bid } else { Side::Ask };
                let (price, quantity) = (price(dice, side), 100 * (1 + dice.below(5)));
                open.push((next, slot, side, quantity));
                (slot, Event::OrderAdd { key: KEY, symbol: b"", order: next, side, price, quantity })
            }
            45..=84 => {
                let (order, slot, ..) = open.swap_remove(at);
                (slot, Event::OrderDelete { key: KEY, order })
            }
            85..=89 => {
                let (order, slot, _, quantity) = open.swap_remove(at);
                (slot, Event::OrderExecute { key: KEY, order, quantity, price: None })
            }
            _ => {
                let (order, slot, side, quantity) = open[at];
                open[at].0 = next;
                let price = price(dice, side);
                (slot, Event::OrderReplace { key: KEY, order, new_order: next, price, quantity })
            }
        }
    };
    let before = (0..live).map(|_| draw(&mut dice, &mut open)).collect();
    (before, (0..events).map(|_| draw(&mut dice, &mut open)).collect())
}

/// Applies the events and reads the top whenever it may have changed.
fn apply(books: &mut Books, events: &[(u32, Event<'static>)]) {
    for (slot, event) in events {
        let applied = books.apply(*slot, event);
        debug_assert_eq!(applied.contradiction, None);
        if applied.changed {
            black_box(books.top(*slot));
        }
    }
}

fn book(c: &mut Criterion) {
    let mut group = c.benchmark_group("book");
    let (before, events) = orders(100_000, 200_000);
    group.throughput(Throughput::Elements(events.len() as u64));
    group.sample_size(20);
    group.bench_function("orders", |b| {
        let fresh = || {
            let mut books = Books::new();
            apply(&mut books, &before);
            books
        };
        // The books are handed back, so that their end is not timed.
        let run = |mut books: Books| {
            apply(&mut books, &events);
            books
        };
        b.iter_batched(fresh, run, criterion::BatchSize::PerIteration);
    });

    let mut dice = Dice(2);
    let mut levels = Vec::new();
    for slot in 0..100 {
        for (position, price) in (1..=10).zip((990..1_000).rev()) {
            levels.push((slot, at(LevelAction::New, position, price, 5)));
        }
    }
    for _ in 0..100_000 {
        let (slot, position) = (dice.below(100) as u32, 1 + dice.below(10) as u8);
        let price = 1_000 - i64::from(position);
        levels.push((slot, at(LevelAction::Change, position, price, 1 + dice.below(100))));
    }
    group.throughput(Throughput::Elements(levels.len() as u64));
    group.bench_function("positions", |b| {
        let run = |mut books: Books| {
            apply(&mut books, &levels);
            books
        };
        b.iter_batched(Books::new, run, criterion::BatchSize::PerIteration);
    });
    group.finish();
}

fn at(action: LevelAction, position: u8, price: i64, quantity: u64) -> Event<'static> {
    let (side, ladder) = (Side::Bid, Ladder::Outright);
    Event::LevelAt { key: KEY, ladder, action, side, position, price, quantity, orders: 1 }
}

criterion_group!(benches, book);
criterion_main!(benches);
