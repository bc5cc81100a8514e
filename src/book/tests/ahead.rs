//! Changes that go through the books together, against the same ones applied one by one.

use super::*;
use feeds::feed::OrderChange;
use proptest::prelude::*;

/// What can be seen of a slot after an event: the fault it was told, the top, and the levels where they are wanted.
type Seen = (Slot, Option<Contradiction>, Top, [Vec<(i64, u64)>; 2]);

fn seen(books: &Books, slot: Slot, fault: Option<Contradiction>, deep: bool) -> Seen {
    let of = |side| if deep { levels(books, slot, side) } else { Vec::new() };
    (slot, fault, books.top(slot), [of(Bid), of(Ask)])
}

/// `rests` says after how many events all that was taken is finished, over and over.
pub(super) fn hold(events: &[(Slot, Event<'static>)], lot: u32, rests: &[usize], deep: bool) {
    let [mut books, mut ahead] = [Books::new(), Books::new()];
    for slot in 0..4 {
        books.set_round_lot(slot, lot);
        ahead.set_round_lot(slot, lot);
    }
    let expected: Vec<Seen> = events
        .iter()
        .map(|(slot, event)| {
            let fault = books.apply(*slot, event).contradiction;
            seen(&books, *slot, fault, deep)
        })
        .collect();
    let mut told: Vec<(Seen, Told)> = Vec::new();
    let mut tell = |books: &Books, said: Told| {
        told.push((seen(books, said.slot, said.applied.contradiction, deep), said));
    };
    let mut rests = rests.iter().cycle();
    let mut until = rests.next().copied().unwrap_or(usize::MAX);
    for (slot, event) in events {
        match OrderChange::of(event) {
            Some(change) => ahead.take_ahead(*slot, &change, &mut tell),
            None => {
                ahead.finish(&mut tell);
                let applied = ahead.apply(*slot, event);
                let applied = Applied { changed: true, ..applied };
                let best = ahead.best(*slot, Bid);
                tell(&ahead, Told { slot: *slot, side: Bid, applied, best, best_changed: true });
            }
        }
        if until == 0 {
            ahead.finish(&mut tell);
            until = rests.next().copied().unwrap_or(usize::MAX);
        }
        until = until.saturating_sub(1);
    }
    ahead.finish(&mut tell);
    assert_eq!(told.len(), expected.len());
    let mut before = [Top::default(); 4];
    for (n, ((seen, said), expected)) in told.iter().zip(&expected).enumerate() {
        assert_eq!(seen, expected, "after event {n}, {:?}", events[n]);
        let (was, is) = (std::mem::replace(&mut before[seen.0 as usize], seen.2), seen.2);
        assert!(said.applied.changed || was == is, "unsaid change by event {n}, {:?}", events[n]);
        if OrderChange::of(&events[n].1).is_none() {
            continue;
        }
        let sides = |top: Top| if said.side == Bid { (top.bid, top.ask) } else { (top.ask, top.bid) };
        let ((was, was_other), (is, is_other)) = (sides(was), sides(is));
        assert_eq!(said.best, is, "best after event {n}, {:?}", events[n]);
        assert_eq!(said.best_changed, was != is, "change of the best by event {n}, {:?}", events[n]);
        assert!(seen.1.is_some() || was_other == is_other, "side of event {n}, {:?}", events[n]);
    }
    assert_eq!(ahead.orders_live(), books.orders_live());
    for slot in 0..4 {
        assert_eq!(ahead.orders_of(slot), books.orders_of(slot));
        for side in [Bid, Ask] {
            assert_eq!(levels(&ahead, slot, side), levels(&books, slot, side));
        }
    }
}

/// Many events of few ids that lie close together, so that most are usual and follow one another closely.
fn close() -> impl Strategy<Value = Event<'static>> {
    let id = || 1_000..1_090u64;
    let side = || prop_oneof![Just(Bid), Just(Ask)];
    let price = || prop_oneof![9 => (0..12i64).prop_map(|n| 1_000_000 + n * 100), 1 => (0..4_000i64).prop_map(|n| n * 100)];
    let quantity = || prop_oneof![20 => 1..400u64, 1 => Just(0), 1 => Just(u64::MAX)];
    prop_oneof![
        10 => (id(), side(), price(), quantity()).prop_map(|(i, s, p, q)| add(i, s, p, q)),
        3 => (id(), quantity()).prop_map(|(i, q)| execute(i, q)),
        2 => (id(), quantity()).prop_map(|(i, q)| reduce(i, q)),
        5 => id().prop_map(delete),
        4 => (id(), id(), price(), quantity()).prop_map(|(i, n, p, q)| replace(i, n, p, q)),
        1 => (any::<u64>(), side(), price(), quantity()).prop_map(|(i, s, p, q)| add(i, s, p, q)),
    ]
}

fn rests() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![0..4usize, 0..60usize, Just(1_000)], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn close_orders(events in prop::collection::vec((0..3u32, close()), 1..300), lot in 1..300u32, rests in rests()) {
        hold(&events, lot, &rests, true);
    }

    #[test]
    fn orders_of_several_pages_and_cleared_books(
        events in prop::collection::vec((0..3u32, reference::event(false)), 1..300), lot in 1..300u32, rests in rests(),
    ) {
        hold(&events, lot, &rests, true);
    }

    #[test]
    fn orders_and_prices(
        events in prop::collection::vec((0..3u32, reference::event(true)), 1..200), lot in 1..300u32, rests in rests(),
    ) {
        hold(&events, lot, &rests, true);
    }

    #[test]
    fn strange_orders(
        events in prop::collection::vec((0..3u32, reference::strange()), 1..300), lot in prop_oneof![1..300u32, Just(u32::MAX)], rests in rests(),
    ) {
        hold(&events, lot, &rests, true);
    }
}
