//! Whose an order or a level is, in four bytes.

use super::Slot;
use feeds::event::Side;

/// Bits of a slot; [`super::SLOT_MAX`] fits.
const SLOT_BITS: u32 = 21;
/// An instrument's book can be cleared so often before its orders' names come round again.
pub(super) const GENERATIONS: u16 = (1 << (31 - SLOT_BITS)) - 1;

const _: () = assert!(super::SLOT_MAX <= 1 << SLOT_BITS);

/// The instrument's slot, how often its book was cleared, and the side. Clearing a book gives the instrument another
/// name, and so leaves every order behind that bears the old one, without a walk through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whose(u32);

impl Whose {
    /// Nobody's. The last generation is never given away, so this is no instrument's name.
    pub(super) const NOBODY: Whose = Whose(u32::MAX);

    #[inline(always)]
    pub(super) const fn new(slot: Slot, generation: u16) -> Self {
        Whose((generation as u32) << (SLOT_BITS + 1) | slot << 1)
    }

    #[inline(always)]
    pub(super) const fn slot(self) -> Slot {
        (self.0 >> 1) & ((1 << SLOT_BITS) - 1)
    }

    pub(super) const fn generation(self) -> u16 {
        (self.0 >> (SLOT_BITS + 1)) as u16
    }

    #[inline(always)]
    pub(super) const fn on(self, side: Side) -> Self {
        Whose(self.0 & !1 | side.index() as u32)
    }

    #[inline(always)]
    pub(super) const fn side(self) -> Side {
        if self.0 & 1 == 0 { Side::Bid } else { Side::Ask }
    }

    /// As a number.
    #[inline(always)]
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    #[inline(always)]
    pub(super) const fn from_number(number: u32) -> Self {
        Whose(number)
    }

    /// Whether both are of one instrument, and of the same life of its book.
    #[inline(always)]
    pub(super) const fn is_of(self, instrument: Whose) -> bool {
        self.0 | 1 == instrument.0 | 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_what_it_is_made_of_and_is_never_nobodys() {
        let last = super::super::SLOT_MAX - 1;
        for (slot, generation) in [(0, 0), (7, 3), (last, 0), (last, GENERATIONS - 1)] {
            let whose = Whose::new(slot, generation).on(Side::Ask);
            assert_eq!((whose.slot(), whose.generation(), whose.side()), (slot, generation, Side::Ask));
            assert!(whose != Whose::NOBODY && whose.is_of(Whose::new(slot, generation)));
            assert!(!whose.is_of(Whose::new(slot, generation + 1)));
        }
    }
}
