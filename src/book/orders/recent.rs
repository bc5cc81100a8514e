//! The youngest orders: one place for each value of the low bits of an id.

use super::{Cell, Order};

/// Places; a power of two. Half a megabyte, which a core's own cache holds.
pub(in crate::book) const PLACES: usize = 1 << 14;

/// The window. It takes memory with the first order.
#[derive(Debug, Default)]
pub(super) struct Recent {
    places: Vec<Order>,
    len: usize,
}

const fn place(id: u64) -> usize {
    id as usize & (PLACES - 1)
}

impl Recent {
    /// Whoever is at the id's place; perhaps another order, perhaps none.
    #[inline]
    pub(super) fn at(&self, id: u64) -> &Order {
        self.places.get(place(id)).unwrap_or(&Order::VACANT)
    }

    /// The same, where somebody is.
    #[inline]
    pub(super) fn at_mut(&mut self, id: u64) -> &mut Order {
        &mut self.places[place(id)]
    }

    /// Takes out whoever is there.
    #[inline]
    pub(super) fn take(&mut self, id: u64) {
        self.len -= 1;
        *self.at_mut(id) = Order::VACANT;
    }

    /// Puts the order into its place and answers whoever was there.
    #[inline]
    pub(super) fn put(&mut self, order: Order) -> Order {
        if self.places.is_empty() {
            self.places = vec![Order::VACANT; PLACES];
        }
        let before = std::mem::replace(self.at_mut(order.id), order);
        self.len += usize::from(before.is_vacant());
        before
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Order) -> bool) {
        for order in &mut self.places {
            if !order.is_vacant() && !keep(order) {
                *order = Order::VACANT;
                self.len -= 1;
            }
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.places.capacity() * size_of::<Order>()
    }
}
