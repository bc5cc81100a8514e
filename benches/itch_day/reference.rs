//! A book that is too simple to be wrong, to compare tops with after every message.

use std::collections::{BTreeMap, HashMap, VecDeque};

use feeds::Feed;
use feeds::nasdaq_itch50::{Itch50, wire as itch};
use parallax::book::Books;

use super::parts::{self, Best, Day};

#[derive(Default)]
struct Reference {
    /// Order number → symbol, bid?, price, shares.
    orders: HashMap<u64, (u16, bool, u32, u64)>,
    /// Symbol and bid? → price → shares.
    levels: HashMap<(u16, bool), BTreeMap<u32, u64>>,
}

impl Reference {
    fn add(&mut self, order: u64, locate: u16, bid: bool, price: u32, shares: u64) {
        self.orders.insert(order, (locate, bid, price, shares));
        *self.levels.entry((locate, bid)).or_default().entry(price).or_default() += shares;
    }

    fn take(&mut self, order: u64, shares: u64) -> (u16, bool) {
        let (locate, bid, price, left) =
            self.orders.get_mut(&order).expect("the day does not contradict itself");
        let (locate, bid, price) = (*locate, *bid, *price);
        let taken = shares.min(*left);
        *left -= taken;
        if *left == 0 {
            self.orders.remove(&order);
        }
        let levels = self.levels.get_mut(&(locate, bid)).expect("a level lives as long as its orders");
        let level = levels.get_mut(&price).expect("as above");
        *level -= taken;
        if *level == 0 {
            levels.remove(&price);
        }
        (locate, bid)
    }

    fn apply(&mut self, m: &[u8]) {
        match m[0] {
            b'A' | b'F' => {
                let v = itch::AddOrder::read(m).expect("long enough");
                let (locate, bid) = (v.stock_locate(), v.buy_sell_indicator() == b'B');
                self.add(v.order_reference_number(), locate, bid, v.price(), u64::from(v.shares()));
            }
            b'D' => {
                let v = itch::OrderDelete::read(m).expect("long enough");
                self.take(v.order_reference_number(), u64::MAX);
            }
            b'E' | b'C' | b'X' => {
                // The three begin alike: order, then shares.
                let v = itch::OrderCancel::read(m).expect("long enough");
                self.take(v.order_reference_number(), u64::from(v.cancelled_shares()));
            }
            b'U' => {
                let v = itch::OrderReplace::read(m).expect("long enough");
                let (locate, bid) = self.take(v.original_order_reference_number(), u64::MAX);
                let shares = u64::from(v.shares());
                self.add(v.new_order_reference_number(), locate, bid, v.price(), shares);
            }
            _ => {}
        }
    }

    fn best(&self, locate: u16) -> Best {
        let level =
            |l: Option<(&u32, &u64)>| l.map_or((0, 0), |(price, shares)| (i64::from(*price), *shares));
        let side = |bid| self.levels.get(&(locate, bid));
        [
            level(side(true).and_then(|l| l.last_key_value())),
            level(side(false).and_then(|l| l.first_key_value())),
        ]
    }
}

/// Compares after every message, the books that take it by itself and those that look ahead.
pub fn compare(bytes: &[u8], reserve: usize) -> Result<(), String> {
    let (mut day, mut ahead, mut reference) = (Day::new(reserve), Day::new(reserve), Reference::default());
    let (mut messages, mut wrong) = (0u64, None);
    // What was said of a change, until the books that look ahead have come to it.
    let mut expected = VecDeque::new();
    let mut tell = |expected: &mut VecDeque<(u64, u32, Best)>, books: &Books, slot: u32| {
        let Some((message, of, best)) = expected.pop_front() else { return };
        if of != slot || parts::best(books, slot) != best {
            wrong.get_or_insert((message, slot));
        }
    };
    parts::walk(bytes, |message| {
        messages += 1;
        day.spoken_of = 0;
        day.take(message);
        reference.apply(message);
        let slot = day.spoken_of;
        let best = reference.best(slot as u16);
        tell(&mut VecDeque::from([(messages, slot, best)]), &day.books, slot);
        if let Some(said) = Itch50::order_message(message) {
            expected.push_back((messages, slot, best));
            ahead.books.take_ahead(slot, &said.change, |books, said| tell(&mut expected, books, said.slot));
        }
    });
    ahead.books.finish(|books, said| tell(&mut expected, books, said.slot));
    match wrong {
        Some((message, slot)) => Err(format!("the tops of symbol {slot} differ after message {message}")),
        None if !expected.is_empty() => Err(format!("{} changes were not told", expected.len())),
        None if day.seen.contradictions > 0 => Err(format!("{} contradictions", day.seen.contradictions)),
        None => {
            println!(
                "{messages} messages: the top is the reference's after each of them, one by one and looking ahead"
            );
            Ok(())
        }
    }
}
