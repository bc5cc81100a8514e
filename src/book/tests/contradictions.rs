//! Every kind, by the event that provokes it, and what the book is afterwards.

use super::*;
use Contradiction::*;

/// The contradiction of the last event and the bid levels behind it.
fn after(events: &[Event<'static>], last: Event<'static>) -> (Option<Contradiction>, Vec<(i64, u64)>) {
    let mut books = Books::new();
    books.set_started_whole(true);
    all(&mut books, events);
    let contradiction = books.apply(0, &last).contradiction;
    (contradiction, levels(&books, 0, Bid))
}

#[test]
fn unknown_order() {
    let book = [add(1, Bid, 10, 5)];
    let same = vec![(10, 5)];
    for event in [execute(2, 1), reduce(2, 1), delete(2), replace(2, 3, 11, 1)] {
        assert_eq!(after(&book, event), (Some(UnknownOrder), same.clone()), "{event:?}");
    }
    assert_eq!(after(&book, put(2, Bid, 11, 1, true)), (Some(UnknownOrder), vec![(11, 1), (10, 5)]));
}

/// Among ids so far apart that each of them stands alone.
#[test]
fn the_last_id_there_is_is_known_too() {
    let far_apart: Vec<_> = (0..200).map(|n| add(n << 40, Bid, 10, 5)).collect();
    let book = [&far_apart[..], &[add(u64::MAX, Bid, 11, 7)]].concat();
    assert_eq!(after(&book, execute(u64::MAX, 3)).1[0], (11, 4));
    assert_eq!(after(&book, delete(u64::MAX)), (None, vec![(10, 1000)]));
    assert_eq!(after(&book, add(u64::MAX, Bid, 12, 1)).0, Some(DuplicateOrder));
}

#[test]
fn duplicate_order() {
    assert_eq!(after(&[add(1, Bid, 10, 5)], add(1, Bid, 11, 7)), (Some(DuplicateOrder), vec![(11, 7)]));
    let two = [add(1, Bid, 10, 5), add(2, Bid, 9, 1)];
    assert_eq!(after(&two, replace(1, 2, 12, 3)), (Some(DuplicateOrder), vec![(12, 3)]));
    assert_eq!(after(&two, replace(1, 1, 12, 3)), (None, vec![(12, 3), (9, 1)]), "an id may stay");
}

#[test]
fn over_execution_and_over_reduction() {
    let two = [add(1, Bid, 10, 5), add(2, Bid, 10, 1)];
    assert_eq!(after(&two, execute(1, 6)), (Some(OverExecution), vec![(10, 1)]));
    assert_eq!(after(&two, reduce(1, u64::MAX)), (Some(OverReduction), vec![(10, 1)]));
    assert_eq!(after(&two, execute(1, 5)), (None, vec![(10, 1)]));
}

#[test]
fn wrong_instrument() {
    let mut books = Books::new();
    plain(&mut books, 0, add(1, Bid, 10, 5));
    for event in [execute(1, 1), reduce(1, 1), delete(1), replace(1, 2, 11, 1), put(1, Bid, 10, 1, true)] {
        assert_eq!(books.apply(1, &event).contradiction, Some(WrongInstrument), "{event:?}");
    }
    assert_eq!(levels(&books, 0, Bid), [(10, 5)]);
    // The same id may live in two instruments.
    assert_eq!(books.apply(2, &add(1, Bid, 7, 7)).contradiction, None);
    assert_eq!((levels(&books, 0, Bid), levels(&books, 2, Bid)), (vec![(10, 5)], vec![(7, 7)]));
}

#[test]
fn zero_quantity() {
    assert_eq!(after(&[], add(1, Bid, 10, 0)), (Some(ZeroQuantity), vec![]));
    let one = [add(1, Bid, 10, 5)];
    assert_eq!(after(&one, execute(1, 0)), (Some(ZeroQuantity), vec![(10, 5)]));
    assert_eq!(after(&one, replace(1, 2, 11, 0)), (Some(ZeroQuantity), vec![]));
    assert_eq!(after(&one, put(1, Bid, 10, 0, true)), (Some(ZeroQuantity), vec![]));
    let numbered = [at(LevelAction::New, Bid, 1, 10, 5), at(LevelAction::New, Bid, 2, 9, 5)];
    assert_eq!(after(&numbered, at(LevelAction::Change, Bid, 1, 10, 0)), (Some(ZeroQuantity), vec![]));
}

#[test]
fn quantity_overflow() {
    let one = [add(1, Bid, 10, u64::MAX)];
    assert_eq!(after(&one, add(2, Bid, 10, 1)), (Some(QuantityOverflow), vec![(10, u64::MAX)]));
    assert_eq!(after(&one, put(2, Bid, 11, 1, false)), (None, vec![(11, 1), (10, u64::MAX)]));
}

#[test]
fn level_unknown() {
    assert_eq!(after(&[set(Bid, 10, 5)], set(Bid, 11, 0)), (Some(LevelUnknown), vec![(10, 5)]));
}

#[test]
fn level_out_of_range() {
    let one = [at(LevelAction::New, Bid, 1, 10, 5)];
    let same = vec![(10, 5)];
    for (action, position) in [
        (LevelAction::New, 0),
        (LevelAction::New, 3),
        (LevelAction::New, 11),
        (LevelAction::Overlay, 3),
        (LevelAction::Change, 2),
        (LevelAction::Delete, 2),
        (LevelAction::DeleteFrom, 2),
        (LevelAction::Delete, 255),
    ] {
        let event = at(action, Bid, position, 9, 1);
        assert_eq!(after(&one, event), (Some(LevelOutOfRange), same.clone()), "{event:?}");
    }
    assert_eq!(after(&one, at(LevelAction::DeleteThru, Bid, 2, 0, 0)), (Some(LevelOutOfRange), vec![]));
}

#[test]
fn level_mismatch_and_out_of_order() {
    let two = [at(LevelAction::New, Bid, 1, 10, 5), at(LevelAction::New, Bid, 2, 8, 5)];
    let change = at(LevelAction::Change, Bid, 2, 9, 1);
    assert_eq!(after(&two, change), (Some(LevelMismatch), vec![(10, 5), (9, 1)]));
    assert_eq!(after(&two, at(LevelAction::Delete, Bid, 2, 9, 0)), (Some(LevelMismatch), vec![(10, 5)]));
    let new = at(LevelAction::New, Bid, 2, 11, 1);
    assert_eq!(after(&two, new), (Some(LevelOutOfOrder), vec![(10, 5), (11, 1), (8, 5)]));
    let equal = at(LevelAction::Overlay, Bid, 2, 10, 1);
    assert_eq!(after(&two, equal), (Some(LevelOutOfOrder), vec![(10, 5), (10, 1)]));
}

#[test]
fn a_slot_beyond_all_bounds_is_passed_by() {
    let mut books = Books::new();
    assert_eq!(books.apply(SLOT_MAX, &add(1, Bid, 1, 1)), Applied::default());
    assert_eq!(books.state_bytes(), Books::new().state_bytes());
}
