//! Random events against a reference that is too simple to be wrong: a map of orders, summed anew for each question.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Reference {
    /// (slot, id) → side, price, quantity.
    orders: BTreeMap<(Slot, u64), (Side, i64, u64)>,
    /// (slot, side, price) → quantity.
    prices: BTreeMap<(Slot, Side, i64), u64>,
    has_prices: [bool; SLOTS as usize],
}

const SLOTS: Slot = 3;

impl Reference {
    fn apply(&mut self, slot: Slot, event: &Event<'_>) -> Option<Contradiction> {
        use Contradiction::*;
        let elsewhere = |me: &Self, id| me.orders.keys().any(|k| k.1 == id);
        let absent = |me: &Self, id| if elsewhere(me, id) { WrongInstrument } else { UnknownOrder };
        match *event {
            Event::OrderAdd { order, side, price, quantity, .. } => {
                let old = self.orders.insert((slot, order), (side, price, quantity));
                old.map(|_| DuplicateOrder)
            }
            Event::OrderPut { order, side, price, quantity, known, .. } => {
                let said = absent(self, order);
                let old = self.orders.insert((slot, order), (side, price, quantity));
                (known && old.is_none()).then_some(said)
            }
            Event::OrderExecute { order, quantity, .. } | Event::OrderReduce { order, quantity, .. } => {
                let over =
                    if matches!(event, Event::OrderExecute { .. }) { OverExecution } else { OverReduction };
                let said = absent(self, order);
                let Some(live) = self.orders.get_mut(&(slot, order)) else { return Some(said) };
                let too_much = quantity > live.2;
                live.2 = live.2.saturating_sub(quantity);
                if live.2 == 0 {
                    self.orders.remove(&(slot, order));
                }
                too_much.then_some(over)
            }
            Event::OrderDelete { order, .. } => match self.orders.remove(&(slot, order)) {
                Some(_) => None,
                None => Some(absent(self, order)),
            },
            Event::OrderReplace { order, new_order, price, quantity, .. } => {
                let Some(old) = self.orders.remove(&(slot, order)) else { return Some(absent(self, order)) };
                let there = self.orders.insert((slot, new_order), (old.0, price, quantity));
                there.map(|_| DuplicateOrder)
            }
            Event::LevelSet { side, price, quantity, .. } => {
                self.has_prices[slot as usize] = true;
                if quantity > 0 {
                    self.prices.insert((slot, side, price), quantity);
                    return None;
                }
                self.prices.remove(&(slot, side, price)).is_none().then_some(LevelUnknown)
            }
            Event::Clear { .. } => {
                self.orders.retain(|k, _| k.0 != slot);
                self.prices.retain(|k, _| k.0 != slot);
                None
            }
            _ => unreachable!("the strategy makes no other"),
        }
    }

    /// Price → quantity, from orders.
    fn by_order(&self, slot: Slot, side: Side) -> BTreeMap<i64, u64> {
        let mut levels = BTreeMap::new();
        for (_, order) in self.orders.iter().filter(|(k, o)| k.0 == slot && o.0 == side) {
            *levels.entry(order.1).or_insert(0) += order.2;
        }
        levels
    }

    /// What is shown, best first.
    fn shown(&self, slot: Slot, side: Side) -> Vec<(i64, u64)> {
        let mut levels: Vec<(i64, u64)> = if self.has_prices[slot as usize] {
            let of = self.prices.iter().filter(|(k, _)| k.0 == slot && k.1 == side);
            of.map(|(k, q)| (k.2, *q)).collect()
        } else {
            self.by_order(slot, side).into_iter().collect()
        };
        if side == Bid {
            levels.reverse();
        }
        levels
    }

    fn top(&self, slot: Slot, lot: u64) -> Top {
        let best = |side, lot| {
            let shown = self.shown(slot, side).into_iter().find(|l| l.1 >= lot);
            shown.map(|(price, quantity)| Level { price, quantity })
        };
        let (round_lot_bid, round_lot_ask) = (best(Bid, lot), best(Ask, lot));
        Top { bid: best(Bid, 0), ask: best(Ask, 0), round_lot_bid, round_lot_ask }
    }
}

/// Orders that neither grid nor window nor 32 bits hold as they come: cents near a best that moves, halves of them, prices
/// anywhere, and quantities around the largest that fits.
pub(super) fn strange() -> impl Strategy<Value = Event<'static>> {
    let id = || (0..40u64).prop_map(|n| n * n * n * 97);
    let side = || prop_oneof![Just(Bid), Just(Ask)];
    let price = || {
        prop_oneof![
            8 => (0..30i64).prop_map(|n| 1_000_000 + n * 100),
            4 => (0..40_000i64).prop_map(|n| n * 100),
            2 => (0..60i64).prop_map(|n| 1_000_000 + n * 50),
            1 => 0..1_100_000i64,
            1 => any::<i64>(),
            1 => prop_oneof![Just(0), Just(i64::MAX), Just(i64::MIN), Just(i64::MIN + 1), Just(1 << 40)],
        ]
    };
    let large = u64::from(u32::MAX);
    let quantity =
        || prop_oneof![6 => 1..400u64, 1 => large - 2..large + 3, 1 => large / 2..large, 1 => Just(1 << 40)];
    prop_oneof![
        10 => (id(), side(), price(), quantity()).prop_map(|(i, s, p, q)| add(i, s, p, q)),
        2 => (id(), side(), price(), quantity(), any::<bool>()).prop_map(|(i, s, p, q, k)| put(i, s, p, q, k)),
        2 => (id(), quantity()).prop_map(|(i, q)| execute(i, q)),
        4 => id().prop_map(delete),
        3 => (id(), id(), price(), quantity()).prop_map(|(i, n, p, q)| replace(i, n, p, q)),
    ]
}

pub(super) fn event(with_prices: bool) -> impl Strategy<Value = Event<'static>> {
    // Three ids of each of four pages, so that pages are given up for younger ones.
    let id = || (0..12u64).prop_map(|n| n % 3 + n / 3 * (1 << 14));
    let side = || prop_oneof![Just(Bid), Just(Ask)];
    let price = || -4..5i64;
    let quantity = || prop_oneof![1..80u64, 90..400u64];
    prop_oneof![
        8 => (id(), side(), price(), quantity()).prop_map(|(i, s, p, q)| add(i, s, p, q)),
        3 => (id(), side(), price(), quantity(), any::<bool>()).prop_map(|(i, s, p, q, k)| put(i, s, p, q, k)),
        3 => (id(), quantity()).prop_map(|(i, q)| execute(i, q)),
        2 => (id(), quantity()).prop_map(|(i, q)| reduce(i, q)),
        3 => id().prop_map(delete),
        3 => (id(), id(), price(), quantity()).prop_map(|(i, n, p, q)| replace(i, n, p, q)),
        if with_prices { 6 } else { 1 } => (side(), price(), prop_oneof![Just(0), 1..300u64])
            .prop_map(move |(s, p, q)| if with_prices { set(s, p, q) } else { delete(99) }),
        1 => Just(Event::Clear { key: Some(KEY) }),
    ]
}

pub(super) fn hold(events: &[(Slot, Event<'static>)], lot: u32) -> Result<(), TestCaseError> {
    let (mut books, mut reference) = (Books::new(), Reference::default());
    (0..SLOTS).for_each(|slot| books.set_round_lot(slot, lot));
    for (slot, event) in events {
        let before = books.top(*slot);
        let applied = books.apply(*slot, event);
        prop_assert_eq!(applied.contradiction, reference.apply(*slot, event), "{:?}", event);
        prop_assert!(applied.changed || books.top(*slot) == before, "unsaid change by {:?}", event);
        prop_assert_eq!(books.orders_live(), reference.orders.len());
        for slot in 0..SLOTS {
            prop_assert_eq!(books.top(slot), reference.top(slot, u64::from(lot)));
            for side in [Bid, Ask] {
                prop_assert_eq!(levels(&books, slot, side), reference.shown(slot, side));
                let Some(view) = books.view(slot) else { continue };
                let mut rungs: Vec<_> = view.order_levels(side).map(|l| (l.price, l.quantity)).collect();
                if side == Bid {
                    rungs.reverse();
                }
                let expected: Vec<_> = reference.by_order(slot, side).into_iter().collect();
                prop_assert_eq!(rungs, expected, "levels are the sums of their orders");
            }
        }
    }
    Ok(())
}

/// Numbered levels as a plain list that only ever holds known ones.
fn hold_positions(actions: &[(LevelAction, u8, u64)]) -> Result<(), TestCaseError> {
    let mut books = Books::new();
    books.set_started_whole(true);
    books.set_depth(0, Outright, 5);
    let mut list: Vec<(i64, u64)> = Vec::new();
    for (action, position, quantity) in actions {
        let index = usize::from(*position) - 1;
        // A price between the neighbours', far enough apart never to run out.
        let above = index.checked_sub(1).and_then(|i| list.get(i)).map_or(1 << 60, |l| l.0);
        let shifted = usize::from(*action != LevelAction::New);
        let below = list.get(index + shifted).map_or(0, |l| l.0);
        let same = matches!(action, LevelAction::Change | LevelAction::Delete);
        let price = list.get(index).filter(|_| same).map_or(below + (above - below) / 2, |l| l.0);
        if price == below || price == above {
            return Ok(());
        }
        let bounds = index < 5
            && index < list.len() + usize::from(matches!(action, LevelAction::New | LevelAction::Overlay));
        if bounds {
            match action {
                LevelAction::New => list.insert(index, (price, *quantity)),
                LevelAction::Change => list[index].1 = *quantity,
                LevelAction::Overlay if index == list.len() => list.push((price, *quantity)),
                LevelAction::Overlay => list[index] = (price, *quantity),
                LevelAction::Delete => drop(list.remove(index)),
                LevelAction::DeleteThru => drop(list.drain(..=index)),
                LevelAction::DeleteFrom => list.truncate(index),
            }
            list.truncate(5);
        } else if *action == LevelAction::DeleteThru && index < 5 {
            list.clear();
        }
        let applied = books.apply(0, &at(*action, Bid, *position, price, *quantity));
        let expected = (!bounds).then_some(Contradiction::LevelOutOfRange);
        prop_assert_eq!(applied.contradiction, expected, "{:?} at {}", action, position);
        prop_assert_eq!(levels(&books, 0, Bid), list.clone());
        prop_assert_eq!(books.top(0).bid.map(|b| (b.price, b.quantity)), list.first().copied());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn orders_agree_with_the_reference(events in prop::collection::vec((0..SLOTS, event(false)), 1..120), lot in 1..300u32) {
        hold(&events, lot)?;
    }

    #[test]
    fn strange_orders_agree_with_the_reference(events in prop::collection::vec((0..SLOTS, strange()), 1..200), lot in prop_oneof![1..300u32, Just(u32::MAX)]) {
        hold(&events, lot)?;
    }

    #[test]
    fn orders_and_prices_agree_with_the_reference(events in prop::collection::vec((0..SLOTS, event(true)), 1..120), lot in 1..300u32) {
        hold(&events, lot)?;
    }

    #[test]
    fn positions_agree_with_a_list(actions in prop::collection::vec((
        prop_oneof![
            6 => Just(LevelAction::New), 3 => Just(LevelAction::Change), 3 => Just(LevelAction::Delete),
            1 => Just(LevelAction::DeleteThru), 1 => Just(LevelAction::DeleteFrom), 2 => Just(LevelAction::Overlay),
        ], 1..8u8, 1..500u64), 1..60)) {
        hold_positions(&actions)?;
    }

    /// In mid-stream nothing is sure but this: no panic, what is shown is sorted (until the feed says otherwise), and never a level of nothing.
    #[test]
    fn any_numbered_levels_in_mid_stream(actions in prop::collection::vec((0..6usize, any::<u8>(), -3..4i64, 0..3u64), 1..80)) {
        let mut books = Books::new();
        let kinds = [LevelAction::New, LevelAction::Change, LevelAction::Delete, LevelAction::DeleteThru, LevelAction::DeleteFrom, LevelAction::Overlay];
        let mut sorted = true;
        for (kind, position, price, quantity) in actions {
            let position = if position < 200 { position % 14 } else { position };
            let applied = books.apply(0, &at(kinds[kind], Ask, position, price, quantity));
            sorted &= !matches!(applied.contradiction, Some(Contradiction::LevelOutOfOrder | Contradiction::LevelMismatch | Contradiction::LevelUnknown));
            let shown = levels(&books, 0, Ask);
            prop_assert!(shown.iter().all(|l| l.1 > 0) && shown.len() <= 10);
            prop_assert!(!sorted || shown.is_sorted_by(|a, b| a.0 < b.0), "{:?}", shown);
            prop_assert_eq!(books.complete(0, Ask), !shown.is_empty());
        }
    }
}
