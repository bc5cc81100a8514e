//! Every live order of a source channel, found by order id: how much is left of it, and its level.
//!
//! Most orders live briefly, and venues number them upwards: the youngest lie in a [`Recent`] window that is indexed by
//! the low bits of the id and stays in a near cache. Who is pushed out of it by a newcomer while still alive moves
//! into a [`ProbeTable`] that is as large as the number of such orders asks for. An order is in one of the two, never
//! in both, so memory follows live orders whatever their numbers are; ids in no order at all cost a move more each.
//!
//! An id belongs to an instrument: which one, its level says, so whoever looks for an order brings the question.
//! Clearing an instrument walks neither store: orders of cleared levels are swept out when they outnumber the living.

mod recent;

use hashbrown::HashMap;

use super::levels::{LevelId, Levels};
use super::probe_table::{At, Cell, ProbeTable};
use crate::cache;
#[cfg(test)]
pub(super) use recent::PLACES;
use recent::Recent;

/// Orders of cleared levels that are let lie whatever the number of live ones.
const STALE_MIN: usize = 4096;

/// Ids from now at which the window will push out what is asked for now.
const PUSHED_OUT_SOON: u64 = 32;

/// A quantity that does not fit; it is kept apart.
const LARGE: u32 = u32::MAX;

/// No level's number: there is no order.
const VACANT: LevelId = LevelId::MAX;

/// A live order; a quarter of a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
struct Order {
    id: u64,
    quantity: u32,
    level: LevelId,
}

impl Cell for Order {
    const VACANT: Self = Order { id: 0, quantity: 0, level: VACANT };

    #[inline(always)]
    fn is_vacant(&self) -> bool {
        self.level == VACANT
    }

    #[inline(always)]
    fn key(&self) -> u64 {
        self.id
    }
}

/// Where an order is, until the next one comes or goes.
#[derive(Debug, Clone, Copy)]
enum Place {
    Recent,
    Old(At),
}

/// An order that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    place: Place,
    order: Order,
    pub(super) level: LevelId,
    /// What is left of it.
    pub(super) quantity: u64,
}

/// All orders.
#[derive(Debug, Default)]
pub(super) struct Orders {
    recent: Recent,
    old: ProbeTable<Order>,
    /// The largest id that ever moved into `old`: a larger one is not there, and need not be looked for.
    old_id_max: u64,
    /// Quantities that do not fit, by id and level.
    large: HashMap<(u64, LevelId), u64>,
    stale: usize,
}

impl Orders {
    /// The order with that id whose level is `wanted`.
    #[inline(always)]
    pub(super) fn find(&self, id: u64, wanted: impl Fn(LevelId) -> bool) -> Option<Found> {
        let is = |order: &Order| order.id == id && !order.is_vacant() && wanted(order.level);
        let young = self.recent.at(id);
        let (place, order) = if is(young) {
            (Place::Recent, *young)
        } else if id > self.old_id_max {
            return None;
        } else {
            let at = self.old.find(id, is)?;
            (Place::Old(at), *self.old.get(at))
        };
        let quantity = if order.quantity == LARGE { self.large(&order) } else { u64::from(order.quantity) };
        Some(Found { place, order, level: order.level, quantity })
    }

    #[cold]
    fn large(&self, order: &Order) -> u64 {
        self.large.get(&(order.id, order.level)).copied().unwrap_or(u64::from(LARGE))
    }

    /// What is left of it is `quantity`, which is less than before.
    #[inline(always)]
    pub(super) fn set_quantity(&mut self, found: &Found, quantity: u64) {
        let Order { id, level, quantity: before } = found.order;
        let fits = if before == LARGE { self.keep_large(id, level, quantity) } else { quantity as u32 };
        match found.place {
            Place::Recent => self.recent.at_mut(id).quantity = fits,
            Place::Old(at) => self.old.get_mut(at).quantity = fits,
        }
    }

    #[cold]
    fn keep_large(&mut self, id: u64, level: LevelId, quantity: u64) -> u32 {
        match u32::try_from(quantity) {
            Ok(fits) if fits != LARGE => {
                self.large.remove(&(id, level));
                fits
            }
            _ => {
                self.large.insert((id, level), quantity);
                LARGE
            }
        }
    }

    /// Takes the order out.
    #[inline(always)]
    pub(super) fn remove(&mut self, found: &Found) {
        if found.order.quantity == LARGE {
            self.large.remove(&(found.order.id, found.level));
        }
        match found.place {
            Place::Recent => self.recent.take(found.order.id),
            Place::Old(at) => self.old.remove(at),
        }
    }

    /// Puts in an order whose id is not in use at its instrument ([`Orders::find`] says so).
    #[inline(always)]
    pub(super) fn insert(&mut self, id: u64, level: LevelId, quantity: u64) {
        let fits = quantity < u64::from(LARGE);
        let quantity = if fits { quantity as u32 } else { self.keep_large(id, level, quantity) };
        let pushed_out = self.recent.put(Order { id, quantity, level });
        // Its place in the table is far away in memory; who goes there soon is known already.
        self.old.prefetch(self.recent.at(id.wrapping_add(PUSHED_OUT_SOON)).id);
        if !pushed_out.is_vacant() {
            self.old_id_max = self.old_id_max.max(pushed_out.id);
            self.old.insert(pushed_out);
        }
    }

    /// Asks for the order, without looking: a branch on what is not there yet would wait for it.
    #[inline(always)]
    pub(super) fn prefetch(&self, id: u64) {
        cache::prefetch(self.recent.at(id));
        if id <= self.old_id_max {
            self.old.prefetch(id);
        }
    }

    /// `count` live orders have become stale: their levels were cleared. Sweeps when it is worth it.
    pub(super) fn retire(&mut self, count: usize, levels: &mut Levels) {
        self.stale += count;
        if self.stale > STALE_MIN && self.stale > self.len() / 2 {
            let lives = |o: &Order| levels.lives(o.level);
            self.recent.retain(lives);
            self.old.retain(lives);
            self.large.retain(|(_, level), _| levels.lives(*level));
            self.stale = 0;
            levels.swept();
        }
    }

    fn len(&self) -> usize {
        self.recent.len() + self.old.len()
    }

    /// Live orders.
    pub(super) fn live(&self) -> usize {
        self.len() - self.stale
    }

    pub(super) fn clear(&mut self) {
        self.recent.retain(|_| false);
        self.old = ProbeTable::default();
        self.large.clear();
        self.old_id_max = 0;
        self.stale = 0;
    }

    pub(super) fn state_bytes(&self) -> usize {
        let large = self.large.capacity() * size_of::<((u64, LevelId), u64)>();
        self.recent.state_bytes() + self.old.state_bytes() + large
    }
}
