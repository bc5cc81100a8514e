//! Every live order of a source channel, found by order id and instrument.
//!
//! One open-addressing table holds the orders themselves, so an order costs one probe and one cache line.
//! Clearing an instrument does not walk the table: its orders become stale by generation and are swept out when
//! they outnumber the living.

use feeds::event::Side;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Stale orders that are let lie whatever the number of live ones.
const STALE_MIN: usize = 4096;

/// A live order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) price: i64,
    pub(super) quantity: u64,
    pub(super) slot: u32,
    /// The instrument's generation when the order came, doubled, plus the side.
    tag: u32,
}

impl Order {
    pub(super) fn new(id: u64, slot: u32, generation: u32, side: Side, price: i64, quantity: u64) -> Self {
        Order { id, price, quantity, slot, tag: generation << 1 | side.index() as u32 }
    }

    #[inline]
    pub(super) const fn side(&self) -> Side {
        if self.tag & 1 == 0 { Side::Bid } else { Side::Ask }
    }

    #[inline]
    const fn generation(&self) -> u32 {
        self.tag >> 1
    }
}

/// The table.
#[derive(Debug, Default)]
pub(super) struct Orders {
    table: HashTable<Order>,
    stale: usize,
}

/// Folded multiply: the table takes buckets from the low bits and tags from the high ones, and order ids often
/// differ in few bits only. Not keyed: a venue that chose its order ids to collide would harm itself first.
#[inline]
const fn hash(id: u64) -> u64 {
    let wide = (id ^ 0x9E37_79B9_7F4A_7C15) as u128 * 0xD6E8_FEB8_6659_FD93;
    wide as u64 ^ (wide >> 64) as u64
}

impl Orders {
    /// The order, for a change in place.
    #[inline]
    pub(super) fn get_mut(&mut self, id: u64, slot: u32, generation: u32) -> Option<&mut Order> {
        self.table
            .find_mut(hash(id), |o| o.id == id && o.slot == slot)
            .filter(|o| o.generation() == generation)
    }

    /// Takes the order out.
    #[inline]
    pub(super) fn remove(&mut self, id: u64, slot: u32, generation: u32) -> Option<Order> {
        let entry = self.table.find_entry(hash(id), |o| o.id == id && o.slot == slot).ok()?;
        let live = entry.get().generation() == generation;
        let (order, _) = entry.remove();
        self.stale -= usize::from(!live);
        live.then_some(order)
    }

    /// Puts the order in and answers the live one that was there under the same id and instrument.
    #[inline]
    pub(super) fn insert(&mut self, order: Order) -> Option<Order> {
        let same = |o: &Order| o.id == order.id && o.slot == order.slot;
        match self.table.entry(hash(order.id), same, |o| hash(o.id)) {
            Entry::Occupied(mut entry) => {
                let old = std::mem::replace(entry.get_mut(), order);
                let live = old.generation() == order.generation();
                self.stale -= usize::from(!live);
                live.then_some(old)
            }
            Entry::Vacant(entry) => {
                entry.insert(order);
                None
            }
        }
    }

    /// Whether a live order of that id belongs to any instrument; `generation` answers an instrument's.
    pub(super) fn lives_elsewhere(&self, id: u64, generation: impl Fn(u32) -> u32) -> bool {
        self.table.find(hash(id), |o| o.id == id && o.generation() == generation(o.slot)).is_some()
    }

    /// `count` live orders have become stale by a new generation of their instrument.
    pub(super) fn retire(&mut self, count: usize, generation: impl Fn(u32) -> u32) {
        self.stale += count;
        if self.stale > STALE_MIN && self.stale > self.table.len() / 2 {
            self.table.retain(|o| o.generation() == generation(o.slot));
            self.stale = 0;
            self.table.shrink_to(2 * self.table.len(), |o| hash(o.id));
        }
    }

    /// Live orders.
    pub(super) fn live(&self) -> usize {
        self.table.len() - self.stale
    }

    pub(super) fn clear(&mut self) {
        self.table.clear();
        self.table.shrink_to(STALE_MIN, |o| hash(o.id));
        self.stale = 0;
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.table.capacity() * (size_of::<Order>() + 1)
    }
}
