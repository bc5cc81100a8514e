//! One channel on two sides, item by item: an item is what has a sequence number, a message of most feeds, a packet of
//! some.
//!
//! Memory is bounded: an item waits for its copy until [`KEPT_MAX`] newer ones have come.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use super::EXAMPLES_MAX;
use super::drift::Floors;
use super::ranges::{Range, Ranges};
use super::spread::Spread;

/// Items that are remembered.
const KEPT_MAX: usize = 1 << 19;
/// Sessions whose ends are remembered.
const SESSIONS_MAX: usize = 1 << 12;

/// Where an item was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Receive time, nanoseconds since 1970 UTC.
    pub ts_ns: u64,
    /// Capture, by position among those of its side.
    pub capture: u32,
    /// Packet of the capture, from 1.
    pub frame: u64,
}

/// One item of one side.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// The transport's session, and how often numbers began anew in it.
    pub session: (u128, u32),
    /// Its number.
    pub number: u64,
    /// Of its bytes.
    pub hash: u64,
    /// It opens its packet: whose lead is measured.
    pub opens: bool,
    /// Where.
    pub at: At,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    hash: u64,
    opens: bool,
    at: At,
}

type Key = ((u128, u32), u64);

/// What one side brought.
#[derive(Debug, Clone, Default)]
pub struct SideTally {
    /// Different items.
    pub items: u64,
    /// Copies of items that it had brought before.
    pub duplicates: u64,
    /// Of them, with other bytes.
    pub contradicting: u64,
    /// Items with smaller numbers than one before them.
    pub out_of_order: u64,
    /// Where the first of these was.
    pub first_out_of_order: Option<At>,
    highest: Option<Key>,
    ends: BTreeMap<(u128, u32), (u64, u64)>,
}

/// An item whose bytes differ.
#[derive(Debug, Clone, Copy)]
pub struct Altered {
    /// Its number.
    pub number: u64,
    /// Where it is on both sides.
    pub at: [At; 2],
}

/// See the module.
#[derive(Debug, Default)]
pub struct Items {
    seen: HashMap<Key, [Option<Seen>; 2]>,
    order: VecDeque<Key>,
    waiting: [u64; 2],
    alone: [Ranges; 2],
    /// What each side brought.
    pub sides: [SideTally; 2],
    /// Items that both brought.
    pub matched: u64,
    /// Of them, with different bytes.
    pub altered: u64,
    /// The first of these.
    pub examples: Vec<Altered>,
    /// Second side less first, one a packet, nanoseconds.
    pub lead: Spread,
    /// How often the first, the second, and neither was first.
    pub led: [u64; 3],
    /// The least differences over time.
    pub floors: Floors,
}

/// What one side lacks of the other's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lacks {
    /// Items between its own first and last of the session.
    pub missing: u64,
    /// Of these, the ranges.
    pub ranges: Vec<Range>,
    /// Items before its first or after its last: it was not watching.
    pub outside: u64,
}

impl Items {
    /// Takes an item of a side.
    pub fn take(&mut self, side: usize, item: &Item) {
        let key = (item.session, item.number);
        let seen = Seen { hash: item.hash, opens: item.opens, at: item.at };
        let entry = match self.seen.get_mut(&key) {
            Some(entry) => entry,
            None => {
                self.order.push_back(key);
                self.seen.entry(key).or_default()
            }
        };
        if let Some(before) = &entry[side] {
            self.sides[side].duplicates += 1;
            self.sides[side].contradicting += u64::from(before.hash != item.hash);
            return;
        }
        entry[side] = Some(seen);
        let pair = *entry;
        self.sides[side].note(key, item.at);
        match pair {
            [Some(first), Some(second)] => {
                self.waiting[1 - side] -= 1;
                self.meet(item.number, first, second);
            }
            _ => self.waiting[side] += 1,
        }
        if self.order.len() > KEPT_MAX {
            self.forget();
        }
    }

    fn meet(&mut self, number: u64, first: Seen, second: Seen) {
        self.matched += 1;
        if first.hash != second.hash {
            self.altered += 1;
            if self.examples.len() < EXAMPLES_MAX {
                self.examples.push(Altered { number, at: [first.at, second.at] });
            }
        }
        if first.opens || second.opens {
            let ns = i128::from(second.at.ts_ns) - i128::from(first.at.ts_ns);
            let ns = ns.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
            self.lead.add(ns);
            self.led[if ns > 0 {
                0
            } else if ns < 0 {
                1
            } else {
                2
            }] += 1;
            self.floors.add(first.at.ts_ns, ns);
        }
    }

    /// The oldest has waited long enough.
    fn forget(&mut self) {
        let Some(key) = self.order.pop_front() else { return };
        let side = match self.seen.remove(&key) {
            Some([Some(_), None]) => 0,
            Some([None, Some(_)]) => 1,
            _ => return,
        };
        self.waiting[side] -= 1;
        self.alone[side].add(key.0, key.1);
    }

    /// Items of a side that wait for their copies.
    pub fn waiting(&self, side: usize) -> u64 {
        self.waiting[side]
    }

    /// The data is over: what each side lacks of the other's.
    pub fn finish(&mut self) -> [Lacks; 2] {
        while !self.order.is_empty() {
            self.forget();
        }
        let mut lacks = [Lacks::default(), Lacks::default()];
        for (side, alone) in std::mem::take(&mut self.alone).into_iter().enumerate() {
            let (ranges, beyond) = alone.finish();
            let other = &self.sides[1 - side];
            let lack = &mut lacks[1 - side];
            lack.missing += beyond;
            for range in ranges {
                lack.take(range, other.ends.get(&range.session).copied());
            }
        }
        lacks
    }
}

impl Lacks {
    /// Takes a range that the side, whose own numbers of the session lie within `ends`, does not have.
    fn take(&mut self, range: Range, ends: Option<(u64, u64)>) {
        let inside = ends.and_then(|(low, high)| {
            let (first, last) = (range.first.max(low), range.last.min(high));
            (first <= last).then_some(Range { first, last, ..range })
        });
        let Some(inside) = inside else {
            self.outside += range.count();
            return;
        };
        self.missing += inside.count();
        self.outside += range.count() - inside.count();
        self.ranges.push(inside);
    }
}

impl SideTally {
    fn note(&mut self, key: Key, at: At) {
        self.items += 1;
        match self.highest {
            Some(highest) if highest.0 == key.0 && key.1 < highest.1 => {
                self.out_of_order += 1;
                self.first_out_of_order.get_or_insert(at);
            }
            _ => self.highest = Some(key),
        }
        if let Some((low, high)) = self.ends.get_mut(&key.0) {
            (*low, *high) = ((*low).min(key.1), (*high).max(key.1));
        } else if self.ends.len() < SESSIONS_MAX {
            self.ends.insert(key.0, (key.1, key.1));
        }
    }

    /// Lowest and highest number over all sessions.
    pub fn numbers(&self) -> Option<(u64, u64)> {
        let low = self.ends.values().map(|(low, _)| *low).min()?;
        Some((low, self.ends.values().map(|(_, high)| *high).max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u64, ts_ns: u64) -> Item {
        let at = At { ts_ns, capture: 0, frame: number };
        Item { session: (0, 0), number, hash: number * 31, opens: true, at }
    }

    #[test]
    fn missing_altered_doubled_and_out_of_order_are_told_apart() {
        let mut items = Items::default();
        for number in 1..=10 {
            items.take(0, &item(number, number * 100));
        }
        for number in [3, 4, 4, 7, 6, 8] {
            items.take(1, &item(number, number * 100 + 7));
        }
        items.take(1, &Item { hash: 1, ..item(9, 893) });
        items.take(1, &item(20, 2_000));
        assert_eq!((items.matched, items.altered), (6, 1));
        assert_eq!(items.examples[0].number, 9);
        assert_eq!(items.led, [5, 1, 0]);
        assert_eq!(items.lead.counts(), [(-7, 1), (7, 5)]);
        assert_eq!((items.sides[1].duplicates, items.sides[1].out_of_order), (1, 1));
        let [first, second] = items.finish();
        assert_eq!((first.missing, first.outside), (0, 1));
        let range = |first, last| Range { session: (0, 0), first, last };
        assert_eq!(second.ranges, [range(5, 5), range(10, 10)]);
        assert_eq!((second.missing, second.outside), (2, 2));
    }
}
