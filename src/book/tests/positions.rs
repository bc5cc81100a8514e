//! Numbered levels: the actions of MDP3, and a start in mid-stream.

use super::*;
use LevelAction::*;

fn whole_book(prices: &[i64]) -> Books {
    let mut books = Books::new();
    books.set_started_whole(true);
    for (position, price) in (1..).zip(prices) {
        plain(&mut books, 0, at(New, Bid, position, *price, 100));
    }
    books
}

fn prices(books: &Books) -> Vec<i64> {
    levels(books, 0, Bid).into_iter().map(|l| l.0).collect()
}

#[test]
fn new_shifts_down_and_delete_shifts_up() {
    let mut books = whole_book(&[10, 9, 7]);
    all(&mut books, &[at(New, Bid, 3, 8, 100)]);
    assert_eq!(prices(&books), [10, 9, 8, 7]);
    all(&mut books, &[at(Delete, Bid, 1, 10, 0)]);
    assert_eq!(prices(&books), [9, 8, 7]);
    assert_eq!(books.top(0).bid, level(9, 100));
}

#[test]
fn a_level_beyond_the_depth_falls_out() {
    let mut books = whole_book(&[10, 9, 8]);
    books.set_depth(0, Outright, 3);
    all(&mut books, &[at(New, Bid, 1, 11, 100)]);
    assert_eq!(prices(&books), [11, 10, 9]);
    assert_eq!(books.apply(0, &at(New, Bid, 4, 1, 1)).contradiction, Some(Contradiction::LevelOutOfRange));
    books.set_depth(0, Outright, 2);
    assert_eq!(prices(&books), [11, 10]);
}

#[test]
fn delete_thru_takes_the_best_and_delete_from_the_rest() {
    let mut books = whole_book(&[10, 9, 8, 7]);
    all(&mut books, &[at(DeleteThru, Bid, 2, 0, 0)]);
    assert_eq!(prices(&books), [8, 7]);
    let mut books = whole_book(&[10, 9, 8, 7]);
    all(&mut books, &[at(DeleteFrom, Bid, 2, 0, 0)]);
    assert_eq!(prices(&books), [10]);
}

#[test]
fn overlay_writes_over_and_may_append() {
    let mut books = whole_book(&[10, 8]);
    all(&mut books, &[at(Overlay, Bid, 2, 9, 7), at(Overlay, Bid, 3, 8, 5)]);
    assert_eq!(levels(&books, 0, Bid), [(10, 100), (9, 7), (8, 5)]);
}

#[test]
fn implied_levels_lie_apart_and_are_not_the_top() {
    let mut books = whole_book(&[10]);
    let implied = |position, price| Event::LevelAt {
        key: KEY,
        ladder: Implied,
        action: New,
        side: Bid,
        position,
        price,
        quantity: 5,
        orders: 0,
    };
    assert!(!plain(&mut books, 0, implied(1, 12)));
    all(&mut books, &[implied(2, 11)]);
    let of: Vec<_> = books.levels(0, Bid, Implied).map(|l| l.price).collect();
    assert_eq!((of, books.top(0).bid), (vec![12, 11], level(10, 100)));
    assert_eq!(
        books.apply(0, &implied(3, 9)).contradiction,
        Some(Contradiction::LevelOutOfRange),
        "two deep"
    );
}

#[test]
fn a_start_in_mid_stream_keeps_positions_true() {
    let mut books = Books::new();
    all(&mut books, &[at(New, Bid, 2, 9, 100)]);
    assert_eq!((books.top(0).bid, books.complete(0, Bid)), (None, false), "1 is unknown");
    // Nothing is known of 5 either, but what comes is kept where it is.
    all(&mut books, &[at(New, Bid, 5, 6, 100)]);
    let unknown = |books: &mut Books, event| books.apply(0, &event).contradiction;
    let change = at(Change, Bid, 1, 10, 50);
    assert_eq!(unknown(&mut books, change), Some(Contradiction::LevelUnknown));
    assert_eq!(
        (prices(&books), books.complete(0, Bid)),
        (vec![10, 9], true),
        "a change says all of its level"
    );
    assert_eq!(unknown(&mut books, at(Delete, Bid, 3, 8, 0)), Some(Contradiction::LevelUnknown));
    all(&mut books, &[at(New, Bid, 3, 8, 100)]);
    assert_eq!(prices(&books), [10, 9, 8], "4 is unknown still, and 6 is at 5");
    all(&mut books, &[at(Overlay, Bid, 4, 7, 100)]);
    assert_eq!(prices(&books), [10, 9, 8, 7, 6]);
    all(&mut books, &[at(DeleteThru, Bid, 5, 0, 0)]);
    assert_eq!((books.top(0).bid, books.complete(0, Bid)), (None, false), "unknown, not empty");
    assert_eq!(unknown(&mut books, at(Delete, Bid, 9, 8, 0)), Some(Contradiction::LevelUnknown));
    books.clear(0);
    assert_eq!((books.top(0).bid, books.complete(0, Bid)), (None, true), "empty");
}

#[test]
fn a_hole_hides_round_lots_behind_it() {
    let mut books = Books::new();
    all(&mut books, &[at(New, Ask, 1, 10, 5), at(New, Ask, 3, 12, 500)]);
    assert_eq!((books.top(0).ask, books.top(0).round_lot_ask), (level(10, 5), None));
}
