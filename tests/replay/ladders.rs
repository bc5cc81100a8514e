//! Orders and price levels of the same MDP 3.0 messages make the same book.

use std::collections::BTreeMap;

use feeds::Feed;
use feeds::cme_mdp3::Mdp3;
use feeds::event::Event;
use parallax::book::Books;
use proptest::prelude::*;

/// One side: quantities by order id, by price; at most ten prices, as deep as the numbered book goes.
type Side = BTreeMap<i64, BTreeMap<u64, i32>>;

const NO_PRICE: i64 = i64::MAX;

/// MDIncrementalRefreshBook46 of schema version 9 with one price level and at most one order behind it.
fn message(entry: [u8; 32], order: Option<[u8; 24]>) -> Vec<u8> {
    let mut out = vec![0; 2];
    // Block length, template, schema, version; transact time, end of event, padding.
    [11u16, 46, 1, 9].iter().for_each(|word| out.extend(word.to_le_bytes()));
    out.extend(1_772_461_800_000_000_000_u64.to_le_bytes());
    out.extend([0x80, 0, 0]);
    // Group of levels: block length and count; group of orders: block length, padding, count.
    out.extend([32, 0, 1]);
    out.extend(entry);
    out.extend([24, 0, 0, 0, 0, 0, 0, u8::from(order.is_some())]);
    out.extend(order.into_iter().flatten());
    let size = out.len() as u16;
    out[..2].copy_from_slice(&size.to_le_bytes());
    out
}

fn level(price: i64, size: i32, orders: i32, position: u8, action: u8, entry_type: u8) -> [u8; 32] {
    let mut out = [0; 32];
    out[..8].copy_from_slice(&price.to_le_bytes());
    out[8..12].copy_from_slice(&size.to_le_bytes());
    out[12..16].copy_from_slice(&7_i32.to_le_bytes());
    out[20..24].copy_from_slice(&orders.to_le_bytes());
    (out[24], out[25], out[26]) = (position, action, entry_type);
    out
}

/// An order behind the first level: new 0, changed 1, deleted 2.
fn order(id: u64, size: i32, action: u8) -> [u8; 24] {
    let mut out = [0; 24];
    out[..8].copy_from_slice(&id.to_le_bytes());
    out[16..20].copy_from_slice(&size.to_le_bytes());
    (out[20], out[21]) = (1, action);
    out
}

fn apply(books: &mut Books, message: &[u8]) {
    let mut packet = vec![0; 12];
    packet.extend(message);
    let header = Mdp3::header(&packet).unwrap();
    let span = Mdp3::split(&packet, header.len).unwrap().unwrap();
    let mut contradiction = None;
    let mut sink =
        |_: u64, event: Event<'_>| contradiction = contradiction.or(books.apply(0, &event).contradiction);
    Mdp3::decode(&packet[span.start..span.end], &header, &mut sink).unwrap();
    assert_eq!(contradiction, None);
}

/// Changes the side's book at random and says it as the venue does: the level's action follows from the orders.
fn step(side: &mut Side, ask: bool, (price, pick, size): (i64, usize, i32), id: u64) -> Vec<u8> {
    let rank = |side: &Side, price: i64| {
        let before = if ask { side.range(..price).count() } else { side.range(price + 1..).count() };
        before as u8 + 1
    };
    let entry_type = if ask { b'1' } else { b'0' };
    let at = side.get(&price);
    let known = at.and_then(|orders| orders.keys().nth(pick % (orders.len() + 1)).copied());
    let (level_action, order_action, id) = match (at, known) {
        (None, _) => (0, 0, id),
        (Some(_), None) => (1, 0, id),
        (Some(orders), Some(known)) if size % 2 == 0 => (if orders.len() == 1 { 2 } else { 1 }, 2, known),
        (Some(_), Some(known)) => (1, 1, known),
    };
    let position = rank(side, price);
    let orders = side.entry(price).or_default();
    if order_action == 2 {
        orders.remove(&id);
    } else {
        orders.insert(id, size);
    }
    let (total, count) = (orders.values().sum(), orders.len() as i32);
    if orders.is_empty() {
        side.remove(&price);
    }
    let level = level(price * 1_000_000_000, total, count, position, level_action, entry_type);
    message(level, Some(order(id, size, order_action)))
}

proptest! {
    #[test]
    fn orders_and_levels_agree_after_every_message(
        steps in prop::collection::vec((any::<bool>(), 0..10_i64, any::<prop::sample::Index>(), 1..500_i32), 1..300),
    ) {
        let mut books = Books::new();
        // The book is emptied first (entry type J), so that nothing from before is missing.
        apply(&mut books, &message(level(NO_PRICE, i32::MAX, i32::MAX, 1, 0, b'J'), None));
        let mut sides = [Side::new(), Side::new()];
        for (n, (ask, price, pick, size)) in steps.into_iter().enumerate() {
            let price = if ask { 100 + price } else { 99 - price };
            let said = step(&mut sides[usize::from(ask)], ask, (price, pick.index(64), size), n as u64 + 1);
            apply(&mut books, &said);
            prop_assert_eq!(books.ladders_agree(0), Some(true), "after message {}", n + 1);
        }
        let live: usize = sides.iter().flat_map(BTreeMap::values).map(BTreeMap::len).sum();
        prop_assert_eq!(books.orders_live(), live);
    }
}

#[test]
fn a_level_that_says_otherwise_is_seen() {
    let mut books = Books::new();
    apply(&mut books, &message(level(NO_PRICE, i32::MAX, i32::MAX, 1, 0, b'J'), None));
    apply(&mut books, &message(level(5, 10, 1, 1, 0, b'0'), Some(order(1, 10, 0))));
    assert_eq!(books.ladders_agree(0), Some(true));
    apply(&mut books, &message(level(5, 9, 1, 1, 1, b'0'), None));
    assert_eq!(books.ladders_agree(0), Some(false));
}
