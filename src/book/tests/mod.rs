//! The book by hand, every contradiction by a literal event, and random events against a simple reference.

mod ahead;
mod contradictions;
mod day;
mod positions;
mod reference;

use super::*;
use feeds::event::{Key, LevelAction, Quoter};
use feeds::event::{Ladder::Implied, Ladder::Outright, Side::Ask, Side::Bid};

const KEY: Key<'static> = Key::Number(1);

fn add(order: u64, side: Side, price: i64, quantity: u64) -> Event<'static> {
    Event::OrderAdd { key: KEY, symbol: b"", order, side, price, quantity }
}

fn put(order: u64, side: Side, price: i64, quantity: u64, known: bool) -> Event<'static> {
    Event::OrderPut { key: KEY, order, side, price, quantity, known }
}

fn execute(order: u64, quantity: u64) -> Event<'static> {
    Event::OrderExecute { key: KEY, order, quantity, price: None }
}

fn reduce(order: u64, quantity: u64) -> Event<'static> {
    Event::OrderReduce { key: KEY, order, quantity }
}

fn delete(order: u64) -> Event<'static> {
    Event::OrderDelete { key: KEY, order }
}

fn replace(order: u64, new_order: u64, price: i64, quantity: u64) -> Event<'static> {
    Event::OrderReplace { key: KEY, order, new_order, price, quantity }
}

fn set(side: Side, price: i64, quantity: u64) -> Event<'static> {
    Event::LevelSet { key: KEY, side, price, quantity, partial: false }
}

fn at(action: LevelAction, side: Side, position: u8, price: i64, quantity: u64) -> Event<'static> {
    Event::LevelAt { key: KEY, ladder: Outright, action, side, position, price, quantity, orders: 1 }
}

fn level(price: i64, quantity: u64) -> Option<Level> {
    Some(Level { price, quantity })
}

/// Applies an event that must not contradict; answers whether the top may have changed.
fn plain(books: &mut Books, slot: Slot, event: Event<'_>) -> bool {
    let applied = books.apply(slot, &event);
    assert_eq!(applied.contradiction, None, "{event:?}");
    applied.changed
}

/// Applies events that must not contradict to slot 0.
fn all(books: &mut Books, events: &[Event<'_>]) {
    events.iter().for_each(|e| {
        plain(books, 0, *e);
    });
}

fn levels(books: &Books, slot: Slot, side: Side) -> Vec<(i64, u64)> {
    let all: Vec<_> = books.levels(slot, side, Outright).map(|l| (l.price, l.quantity)).collect();
    for most in [0, 1, 3, usize::MAX] {
        let mut first = Vec::new();
        books.first_levels(slot, side, most, |l| first.push((l.price, l.quantity)));
        assert_eq!(first, all[..most.min(all.len())], "the first {most} of slot {slot}, {side:?}");
    }
    all
}

#[test]
fn orders_make_levels_and_the_top() {
    let mut books = Books::new();
    all(
        &mut books,
        &[add(1, Bid, 100, 30), add(2, Bid, 101, 50), add(3, Bid, 100, 80), add(4, Ask, 103, 200)],
    );
    assert_eq!(levels(&books, 0, Bid), [(101, 50), (100, 110)]);
    let top = Top {
        bid: level(101, 50),
        ask: level(103, 200),
        round_lot_bid: level(100, 110),
        round_lot_ask: level(103, 200),
    };
    assert_eq!(books.top(0), top);
    all(&mut books, &[execute(2, 20), reduce(2, 10), replace(3, 9, 102, 100), delete(4)]);
    assert_eq!(levels(&books, 0, Bid), [(102, 100), (101, 20), (100, 30)]);
    assert_eq!((books.orders_live(), books.orders_of(0), books.top(0).ask), (3, 3, None));
    all(&mut books, &[execute(9, 100)]);
    assert_eq!(books.top(0).bid, level(101, 20));
    assert_eq!(books.top(0).round_lot_bid, None);
    books.set_round_lot(0, 20);
    assert_eq!(books.top(0).round_lot_bid, level(101, 20));
}

#[test]
fn an_order_put_moves_price_and_side() {
    let mut books = Books::new();
    all(&mut books, &[put(1, Bid, 10, 5, false), put(1, Bid, 12, 7, true), put(2, Bid, 12, 1, false)]);
    assert_eq!(levels(&books, 0, Bid), [(12, 8)]);
    all(&mut books, &[put(1, Ask, 15, 7, true)]);
    assert_eq!((levels(&books, 0, Bid), levels(&books, 0, Ask)), (vec![(12, 1)], vec![(15, 7)]));
}

#[test]
fn changed_is_false_where_neither_best_is_touched() {
    let mut books = Books::new();
    assert!(plain(&mut books, 0, add(1, Bid, 100, 300)));
    assert!(!plain(&mut books, 0, add(2, Bid, 99, 100)), "behind a round lot");
    assert!(plain(&mut books, 0, add(3, Bid, 101, 10)));
    assert!(plain(&mut books, 0, add(4, Bid, 100, 10)), "the best round lot grows");
    assert!(!plain(&mut books, 0, delete(2)));
    assert!(plain(&mut books, 0, execute(1, 250)), "it is the best round lot no longer");
    assert!(plain(&mut books, 0, add(5, Bid, 50, 100)), "and this one is");
    assert!(!plain(&mut books, 0, Event::Trade { key: KEY, symbol: b"", price: 1, quantity: 1 }));
}

#[test]
fn extreme_prices_keep_their_order() {
    let mut books = Books::new();
    let prices = [i64::MIN, -1, 0, 1, i64::MAX];
    for (id, price) in (0..).zip(prices) {
        all(&mut books, &[add(id, Bid, price, 1), add(100 + id, Ask, price, 1)]);
    }
    let of = |side| levels(&books, 0, side).into_iter().map(|l| l.0).collect::<Vec<_>>();
    assert_eq!(of(Ask), prices);
    assert_eq!(of(Bid), prices.into_iter().rev().collect::<Vec<_>>());
    assert!(books.crossed(0));
}

#[test]
fn levels_by_price_are_shown_before_orders() {
    let mut books = Books::new();
    all(&mut books, &[set(Bid, 10, 500), set(Bid, 11, 20), set(Ask, 12, 100)]);
    assert_eq!(books.top(0).bid, level(11, 20));
    assert_eq!(books.top(0).round_lot_bid, level(10, 500));
    all(&mut books, &[set(Bid, 11, 0), add(1, Bid, 11, 1)]);
    assert_eq!((books.top(0).bid, books.has_orders(0), books.has_levels(0)), (level(10, 500), true, true));
}

#[test]
fn a_quote_is_the_top_until_the_next() {
    let mut books = Books::new();
    let quote = |bid, ask| Event::Quote { key: KEY, quoter: Quoter::Venue, bid, ask, state: None };
    assert!(plain(&mut books, 3, quote(Some((10, 5)), Some((12, 300)))));
    let top =
        Top { bid: level(10, 5), ask: level(12, 300), round_lot_bid: None, round_lot_ask: level(12, 300) };
    assert_eq!((books.top(3), books.complete(3, Bid)), (top, true));
    assert!(!plain(&mut books, 3, quote(Some((10, 5)), Some((12, 300)))), "said again");
    assert!(plain(&mut books, 3, quote(Some((10, 0)), None)), "nothing of a quantity is an empty side");
    assert_eq!(books.top(3), Top::default());
}

#[test]
fn what_changes_the_view_changes_the_top() {
    let mut books = Books::new();
    let quote = Event::Quote { key: KEY, quoter: Quoter::Venue, bid: Some((10, 5)), ask: None, state: None };
    all(&mut books, &[quote]);
    assert!(books.apply(0, &delete(1)).changed, "orders go before quotes");
    assert_eq!(books.top(0).bid, None);
    all(&mut books, &[add(1, Bid, 9, 100)]);
    assert!(books.apply(0, &set(Bid, 8, 0)).changed, "prices go before orders");
    assert_eq!(books.top(0).bid, None);
    all(&mut books, &[set(Bid, 8, 1)]);
    assert!(books.apply(0, &at(LevelAction::Delete, Bid, 1, 8, 0)).changed, "positions go before prices");
    assert_eq!(books.top(0).bid, None);
    assert!(!plain(&mut books, 0, set(Bid, 20, 1)) && !plain(&mut books, 0, add(2, Bid, 20, 1)));
}

#[test]
fn clearing_one_book_leaves_the_others() {
    let mut books = Books::new();
    all(&mut books, &[add(1, Bid, 10, 5), add(2, Ask, 12, 5)]);
    plain(&mut books, 1, add(1, Bid, 20, 5));
    assert!(plain(&mut books, 0, Event::Clear { key: Some(KEY) }));
    assert_eq!((books.top(0), books.top(1).bid), (Top::default(), level(20, 5)));
    assert_eq!((books.orders_live(), books.orders_of(0), books.orders_of(1)), (1, 0, 1));
    assert_eq!(
        books.apply(0, &delete(1)).contradiction,
        Some(Contradiction::WrongInstrument),
        "1 lives in slot 1"
    );
    assert_eq!(books.apply(0, &delete(2)).contradiction, Some(Contradiction::UnknownOrder));
    assert!(!plain(&mut books, 1, add(2, Bid, 19, 500)) || books.top(1).round_lot_bid.is_some());
    assert!(plain(&mut books, 1, Event::Clear { key: None }));
    assert_eq!((books.orders_live(), books.whole(0), books.whole(1), books.whole(7)), (0, true, true, true));
}

#[test]
fn memory_follows_live_orders() {
    let mut books = Books::new();
    for round in 0..200u64 {
        for id in 0..1_000 {
            plain(&mut books, 0, add(round * 1_000 + id, Bid, (id % 50) as i64, 1));
        }
        match round % 3 {
            0 => books.clear(0),
            1 => (0..1_000).for_each(|id| {
                plain(&mut books, 0, delete(round * 1_000 + id));
            }),
            _ => plain(
                &mut books,
                0,
                Event::Snapshot { key: KEY, last_sequence: None, instrument_sequence: None },
            )
            .then_some(())
            .unwrap(),
        }
        assert_eq!(books.orders_live(), 0);
    }
    let bytes = books.state_bytes();
    assert!(bytes < 1 << 20, "{bytes} bytes after 200,000 orders of which none lives");
}

/// What was reserved is there at once, is not asked for again, and is there still when every book was cleared.
#[test]
fn reserved_memory_is_taken_once() {
    let mut books = Books::new();
    books.reserve(10_000);
    let bytes = books.state_bytes();
    assert!(bytes > 10_000 * 36, "{bytes} bytes");
    for _ in 0..2 {
        (0..9_000).for_each(|id| {
            plain(&mut books, 0, add(id, Bid, (id % 50) as i64, 1));
        });
        assert_eq!((books.orders_live(), levels(&books, 0, Bid)[0]), (9_000, (49, 180)));
        // The table of the pages, and one instrument.
        assert!(books.state_bytes() < bytes + 4096, "{} bytes, {bytes} before", books.state_bytes());
        books.clear_all();
        assert_eq!((books.orders_live(), books.levels(0, Bid, Ladder::Outright).count()), (0, 0));
    }
}

#[test]
fn whole_says_whether_anything_can_be_missing() {
    let mut books = Books::new();
    assert!(!books.whole(0) && !books.complete(0, Bid) && !books.seen(0));
    plain(&mut books, 0, add(1, Bid, 10, 5));
    books.set_started_whole(true);
    assert!(!books.whole(0), "what had begun stays in mid-stream");
    assert!(books.whole(1) && books.complete(1, Bid) && books.seen(0) && !books.seen(1));
    plain(&mut books, 0, Event::Snapshot { key: KEY, last_sequence: Some(7), instrument_sequence: None });
    assert!(books.whole(0) && books.complete(0, Ask));
    books.forget_wholeness();
    assert!(!books.whole(0) && !books.whole(1) && !books.whole(9));
}

#[test]
fn ladders_agree_as_deep_as_the_numbered_one_goes() {
    let mut books = Books::new();
    books.set_started_whole(true);
    books.set_depth(0, Outright, 2);
    all(&mut books, &[add(1, Bid, 10, 5), add(2, Bid, 9, 5), add(3, Bid, 8, 5)]);
    assert_eq!(books.ladders_agree(0), None, "only one of them is there");
    all(&mut books, &[at(LevelAction::New, Bid, 1, 10, 5)]);
    assert_eq!(books.ladders_agree(0), Some(false), "the second level is missing");
    all(&mut books, &[at(LevelAction::New, Bid, 2, 9, 5)]);
    assert_eq!(books.ladders_agree(0), Some(true));
    all(&mut books, &[execute(2, 1)]);
    assert_eq!(books.ladders_agree(0), Some(false));
    all(&mut books, &[at(LevelAction::Change, Bid, 2, 9, 4)]);
    assert_eq!(books.ladders_agree(0), Some(true));
    books.forget_wholeness();
    assert_eq!(books.ladders_agree(0), None);
}
