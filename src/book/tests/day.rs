//! A long day of one instrument, against a map of its orders and one of its levels: what takes many events to come about,
//! blocks that shrink, pages that are given up, windows that grow and follow a price.

use super::*;
use std::collections::BTreeMap;

/// Numbers without a pattern, the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[derive(Default)]
struct Simple {
    orders: BTreeMap<u64, (Side, i64, u64)>,
    levels: [BTreeMap<i64, u64>; 2],
}

impl Simple {
    fn add(&mut self, id: u64, side: Side, price: i64, quantity: u64) {
        self.orders.insert(id, (side, price, quantity));
        *self.levels[side.index()].entry(price).or_default() += quantity;
    }

    fn remove(&mut self, id: u64) {
        let Some((side, price, quantity)) = self.orders.remove(&id) else { return };
        let level = self.levels[side.index()].get_mut(&price).unwrap();
        *level -= quantity;
        if *level == 0 {
            self.levels[side.index()].remove(&price);
        }
    }

    fn best(&self, side: Side, lot: u64) -> Option<Level> {
        let mut levels = self.levels[side.index()].iter().filter(|l| *l.1 >= lot);
        let best = if side == Bid { levels.next_back() } else { levels.next() };
        best.map(|(&price, &quantity)| Level { price, quantity })
    }

    /// An order that is likely young.
    fn pick(&self, numbers: &mut Numbers, next: u64) -> Option<u64> {
        let back = 1u64 << numbers.below(17);
        let from = next.saturating_sub(numbers.below(back) + 1);
        self.orders.range(from..).next().map(|(&id, _)| id)
    }
}

/// Runs `events` events with ids that are `stride` apart on average; the price walks.
fn day(events: usize, stride: u64, seed: u64) {
    let (mut books, mut simple, mut numbers) = (Books::new(), Simple::default(), Numbers(seed));
    let (mut next, mut middle) = (1u64 << 35, 1_000_000i64);
    let mut all = Vec::with_capacity(events);
    for n in 0..events {
        middle += (numbers.below(5) as i64 - 2) * 100;
        let side = Side::ask_if(numbers.below(2) == 1);
        let away = (1i64 << numbers.below(10)) + numbers.below(4) as i64;
        let price = middle + if side == Bid { -away } else { away } * 100;
        let quantity = numbers.below(300) + 1;
        let old = simple.pick(&mut numbers, next);
        // Grows for a while, then shrinks again.
        let grows = n < events / 2;
        let event = match (numbers.below(10), old) {
            (0..5, Some(id)) if !grows || numbers.below(3) > 0 => {
                simple.remove(id);
                delete(id)
            }
            (5, Some(id)) => {
                let (side, ..) = simple.orders[&id];
                next += numbers.below(2 * stride) + 1;
                simple.remove(id);
                simple.add(next, side, price, quantity);
                replace(id, next, price, quantity)
            }
            (6, Some(id)) => {
                let (side, price, had) = simple.orders[&id];
                simple.remove(id);
                if quantity < had {
                    simple.add(id, side, price, had - quantity);
                }
                execute(id, quantity.min(had))
            }
            _ => {
                next += numbers.below(2 * stride) + 1;
                simple.add(next, side, price, quantity);
                add(next, side, price, quantity)
            }
        };
        plain(&mut books, 0, event);
        all.push((0, event));
        let best = |lot| [Bid, Ask].map(|side| simple.best(side, lot));
        let ([bid, ask], [round_lot_bid, round_lot_ask]) = (best(1), best(100));
        assert_eq!(
            books.top(0),
            Top { bid, ask, round_lot_bid, round_lot_ask },
            "after event {n}, {event:?}"
        );
        assert_eq!([Bid, Ask].map(|side| books.best(0, side)), [bid, ask]);
        assert_eq!(books.orders_live(), simple.orders.len());
        if n % 4096 == 0 {
            for side in [Bid, Ask] {
                let mut expected: Vec<_> = simple.levels[side.index()].iter().map(|l| (*l.0, *l.1)).collect();
                if side == Bid {
                    expected.reverse();
                }
                assert_eq!(levels(&books, 0, side), expected);
            }
        }
    }
    ahead::hold(&all, 100, &[3_000, 7, 0, 40], false);
    let bytes = books.state_bytes();
    let bound = (3 << 20) + 100 * simple.orders.len();
    assert!(bytes < bound, "{bytes} bytes for {} orders that are left", simple.orders.len());
    for id in simple.orders.keys() {
        plain(&mut books, 0, delete(*id));
    }
    assert_eq!((books.orders_live(), books.top(0)), (0, Top::default()));
}

#[test]
fn a_day_of_dense_ids() {
    day(150_000, 1, 1);
}

#[test]
fn a_day_of_ids_with_gaps() {
    day(60_000, 40, 2);
}

#[test]
fn a_day_of_ids_that_stand_alone() {
    day(60_000, 1 << 20, 3);
}

/// Names of an instrument's orders come round; orders of before must not come back with them.
#[test]
fn a_book_cleared_more_often_than_there_are_names() {
    let mut books = Books::new();
    for round in 0..3_000u64 {
        all(&mut books, &[add(round * 3, Bid, 100, 5), add(round * 3 + 1, Ask, 200, 5)]);
        plain(&mut books, 1, add(round * 3 + 2, Bid, 7, 1));
        plain(&mut books, 0, Event::Clear { key: Some(KEY) });
        assert_eq!((books.orders_of(0), books.top(0)), (0, Top::default()));
        assert_eq!(books.orders_live() as u64, round + 1);
        let before = books.apply(0, &delete(a_round_before(round) * 3));
        assert_eq!(before.contradiction, Some(Contradiction::UnknownOrder), "round {round}");
    }
}

/// A round some way back.
const fn a_round_before(round: u64) -> u64 {
    round - round.pow(2) % (round + 1)
}
