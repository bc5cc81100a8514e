//! The usual way of an order's event, short and without detours: the instrument's book is made of orders alone, the id
//! lies among its neighbours, the quantity is an everyday one. What is unusual in any of this is left, before anything is
//! changed, to the general way in the parent module, which does the same; tests hold both to one reference.

use super::ladders::At;
use super::orders::Near;
use super::{Applied, Books, Contradiction, Slot};
use feeds::event::Side;

impl Books {
    /// A new order whose id lives at no instrument.
    #[inline(always)]
    pub(super) fn add_usual(
        &mut self,
        slot: Slot,
        order: u64,
        side: Side,
        price: i64,
        quantity: u64,
    ) -> Option<Applied> {
        let place = self.orders.near(order).filter(Near::is_vacant)?;
        let instrument = self.instruments.get_mut(slot as usize)?;
        // An id without a place of its own may still stand alone.
        if !(instrument.plain & self.orders.none_alone(order) & Near::fits(quantity)) {
            return None;
        }
        let added = self.ladders.add(At { slot, side }, price, quantity, instrument.round_lot);
        Some(match added {
            Ok(changed) => {
                instrument.orders += 1;
                self.orders.insert_near(order, &place, instrument.whose.on(side), price, quantity as u32);
                Applied { changed, contradiction: None }
            }
            Err(fault) => Applied::refused(false, fault),
        })
    }

    /// The order is its instrument's, and there is nothing unusual about either.
    #[inline(always)]
    fn own(&self, slot: Slot, order: u64) -> Option<Near> {
        let near = self.orders.near(order)?;
        let instrument = self.instruments.get(slot as usize)?;
        (near.whose().is_of(instrument.whose) & instrument.plain & !near.is_large()).then_some(near)
    }

    #[inline(always)]
    fn take_usual(&mut self, slot: Slot, order: u64, near: &Near) -> bool {
        self.orders.remove_near(order, near);
        let instrument = &mut self.instruments[slot as usize];
        instrument.orders -= 1;
        let at = At { slot, side: near.whose().side() };
        self.ladders.take(at, near.price(), near.quantity(), instrument.round_lot)
    }

    #[inline(always)]
    pub(super) fn delete_usual(&mut self, slot: Slot, order: u64) -> Option<Applied> {
        let near = self.own(slot, order)?;
        Some(Applied { changed: self.take_usual(slot, order, &near), contradiction: None })
    }

    #[inline(always)]
    pub(super) fn lessen_usual(
        &mut self,
        slot: Slot,
        order: u64,
        quantity: u64,
        over: Contradiction,
    ) -> Option<Applied> {
        let near = self.own(slot, order)?;
        if quantity == 0 {
            return None;
        }
        if quantity >= near.quantity() {
            let contradiction = (quantity > near.quantity()).then_some(over);
            return Some(Applied { changed: self.take_usual(slot, order, &near), contradiction });
        }
        self.orders.lessen_near(&near, quantity as u32);
        let at = At { slot, side: near.whose().side() };
        let round_lot = self.instruments[slot as usize].round_lot;
        let changed = self.ladders.take(at, near.price(), quantity, round_lot);
        Some(Applied { changed, contradiction: None })
    }

    #[inline(always)]
    pub(super) fn replace_usual(
        &mut self,
        slot: Slot,
        order: u64,
        new_order: u64,
        price: i64,
        quantity: u64,
    ) -> Option<Applied> {
        let near = self.own(slot, order)?;
        let changed = self.take_usual(slot, order, &near);
        let side = near.whose().side();
        let mut applied = match self.add_usual(slot, new_order, side, price, quantity) {
            Some(applied) => applied,
            None => self.put_new(slot, new_order, side, price, quantity),
        };
        applied.changed |= changed;
        Some(applied)
    }
}
