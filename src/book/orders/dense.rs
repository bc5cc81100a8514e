//! Orders of neighbouring ids, side by side.
//!
//! Sixty-four ids make a group, 256 groups a page. A group's line says which of its ids have a place, which of those an
//! order, and where its block of places begins: the place of an id is the number of places before it. A group begins with
//! as many places as the last ones needed, and ids that only grow take the next one as they come; where ids come in
//! another order, each of the group has a place from then on. When what lives fits a smaller block it moves into one,
//! and when few are left of a whole page, the page is given up and its orders stand alone ([`Dense::scatter`]). So an
//! order that was there for a while costs little more than two places, or four where it is the last of its group, and
//! its share of a page, whatever the ids; how much may be opened for orders to come is bounded, too.
//!
//! It never decides whose an order is.

use super::Order;
use super::pages::{NOWHERE, Pages};
use crate::book::store::Store;
use crate::cache;

/// Ids in a group.
const GROUP: u64 = 64;
/// Groups in a page.
const GROUPS: usize = 256;
/// Ids in a page.
const PAGE: u64 = GROUP * GROUPS as u64;
/// Places in a block of each class.
const PLACES: [u8; 6] = [0, 4, 8, 20, 40, 64];
/// With fewer orders, a block of each class is too large: they fit the next smaller one.
const HALF: [u8; 6] = [0, 1, 5, 9, 21, 41];
/// The class of a group in which every id has a place.
const WHOLE: u8 = 5;
/// A page with fewer orders is given up, once two younger ones have begun.
const FEW: u32 = 128;
/// Thin groups from which on it is time to tidy.
const THIN: usize = 16;
/// More than there can be until somebody tidies.
const THIN_ROOM: usize = 2 * THIN;
/// Orders in a cache line, and the lines that are asked for of a block which will shrink: those of the middle class.
const ORDERS_A_LINE: usize = 64 / size_of::<Order>();
const LINES: usize = PLACES[3] as usize / ORDERS_A_LINE;
/// Pages and places that may be there whatever the number of orders.
const PAGES_FREE: usize = 64;
const PLACES_FREE: usize = 1 << 16;

const _: () = assert!(GROUPS <= (u32::MAX - NOWHERE) as usize, "a group of no page is no group");

/// Sixty-four ids.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Group {
    /// Ids that have a place, by their low bits.
    placed: u64,
    /// Those of them that have an order.
    live: u64,
    /// The block's first place.
    base: u32,
    class: u8,
    /// Places in the block.
    size: u8,
    /// Orders when they were last counted for the page.
    counted: u8,
    /// So many orders more than with which it shrinks, which it never does while it is the newest, into which orders come.
    spare: i8,
}

impl Group {
    const EMPTY: Group = Group { placed: 0, live: 0, base: 0, class: 0, size: 0, counted: 0, spare: 0 };

    /// It shrinks when it has fewer orders.
    const fn shrinks_below(&mut self, half: u8) {
        self.spare = self.live.count_ones() as i8 - half as i8;
    }

    /// Where the id's order would be.
    #[inline(always)]
    const fn place(&self, id: u64) -> usize {
        self.base as usize + self.before(id) as usize
    }

    /// How many ids before that one have a place.
    #[inline(always)]
    const fn before(&self, id: u64) -> u32 {
        (self.placed & ((1 << (id % GROUP)) - 1)).count_ones()
    }

    #[inline(always)]
    const fn has_place(&self, id: u64) -> bool {
        self.placed >> (id % GROUP) & 1 != 0
    }
}

/// Where an order is: its group, its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::book) struct Place {
    pub(super) group: u32,
    pub(super) at: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Dense {
    pages: Pages,
    groups: Store<Group>,
    /// Orders by page, as the pages lie in `groups` and as its groups were last counted.
    pages_live: Vec<u32>,
    /// First groups of pages given up.
    pages_free: Vec<u32>,
    places: Store<Order>,
    /// Vacant blocks by class.
    blocks_free: [Vec<u32>; PLACES.len()],
    /// Places in blocks in use.
    places_used: usize,
    live: usize,
    /// The largest number of a group that was opened, and where that is.
    newest: u64,
    newest_at: u32,
    /// Eight times the orders that came into a group, on average of the last.
    usual: u32,
    /// How often places became others' or groups moved: what was known of them before holds no more.
    moves: u32,
    /// Groups that may have to shrink, with an id of each, and how many they are.
    thin: [(u32, u64); THIN_ROOM],
    thins: usize,
    /// There is memory for orders to come.
    reserved: bool,
}

impl Dense {
    /// The group of the id, or none at or beyond [`NOWHERE`].
    #[inline(always)]
    fn group(&self, id: u64) -> u32 {
        self.pages.first_group(id / PAGE) + (id / GROUP) as u32 % GROUPS as u32
    }

    /// The place of that id and what is there, perhaps nobody's; `None` where the id has no place.
    #[inline(always)]
    pub(super) fn get(&self, id: u64) -> Option<(Place, &Order)> {
        let at = self.group(id);
        let group = self.groups.get(at as usize)?;
        if !group.has_place(id) {
            return None;
        }
        let place = group.place(id);
        let order = self.places.get(place)?;
        Some((Place { group: at, at: place as u32 }, order))
    }

    #[inline(always)]
    pub(super) fn at_mut(&mut self, place: Place) -> &mut Order {
        &mut self.places[place.at as usize]
    }

    /// Puts the order into a vacant place.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: u64, place: Place, order: Order) {
        *self.at_mut(place) = order;
        self.count(place.group, id, 1);
    }

    /// Takes the order out. What follows from it waits for [`Dense::tidy`].
    #[inline(always)]
    pub(super) fn remove(&mut self, id: u64, place: Place) {
        *self.at_mut(place) = Order::VACANT;
        self.count(place.group, id, u64::MAX);
    }

    /// A block of the class, with whatever was left in it.
    fn block(&mut self, class: u8) -> u32 {
        let size = u32::from(PLACES[usize::from(class)]);
        self.places_used += size as usize;
        if let Some(base) = self.blocks_free[usize::from(class)].pop() {
            return base;
        }
        let halved = match class {
            1 | 2 => 3,
            3 => 4,
            _ => {
                let base = self.places.len();
                self.places.extend(size as usize, |_| Order::VACANT);
                return base as u32;
            }
        };
        // Of a larger one, whose rest is free from now on.
        let larger = u32::from(PLACES[usize::from(halved)]);
        let base = self.block(halved);
        self.places_used -= larger as usize;
        let mut at = base + size;
        while at < base + larger {
            let fits = |class: &u8| u32::from(PLACES[usize::from(*class)]) <= base + larger - at;
            let class = (1..=class).rev().find(fits).unwrap_or(1);
            self.blocks_free[usize::from(class)].push(at);
            at += u32::from(PLACES[usize::from(class)]);
        }
        base
    }

    fn free_block(&mut self, group: Group) {
        if group.class > 0 {
            self.places_used -= usize::from(group.size);
            self.blocks_free[usize::from(group.class)].push(group.base);
        }
    }

    /// Gives the id a place, which is vacant, and answers it; `None` where that is more than the live orders justify.
    #[cold]
    #[inline(never)]
    pub(super) fn open(&mut self, id: u64) -> Option<Place> {
        if self.places_used > PLACES_FREE + 8 * self.live || self.places.len() > (u32::MAX - 128) as usize {
            return None;
        }
        if self.group(id) >= NOWHERE {
            self.open_page(id / PAGE)?;
        }
        let at = self.group(id) as usize;
        let group = self.groups[at];
        let higher = group.placed >> (id % GROUP);
        if group.class == 0 {
            let class = self.enters_newest(id / GROUP, at);
            self.regroup(at, class, 0);
        } else if higher & 1 == 0 && higher != 0 {
            // Ids come in any order here: each has a place from now on.
            self.regroup(at, WHOLE, u64::MAX);
        } else if higher == 0 && group.place(id) >= group.base as usize + usize::from(group.size) {
            self.regroup(at, group.class + 1, 0);
        }
        self.groups[at].placed |= 1 << (id % GROUP);
        Some(Place { group: at as u32, at: self.groups[at].place(id) as u32 })
    }

    /// Moves what lives in the group into a block of the class, in which these ids have a place as well.
    fn regroup(&mut self, at: usize, class: u8, placed: u64) {
        let old = self.groups[at];
        self.moves = self.moves.wrapping_add(u32::from(old.placed != 0));
        let (base, size) = (self.block(class), PLACES[usize::from(class)]);
        let mut group = Group { placed: old.live | placed, base, class, size, ..old };
        self.places[base as usize..][..usize::from(size)].fill(Order::VACANT);
        for bit in bits(old.live) {
            self.places[group.place(bit.into())] = self.places[old.place(bit.into())];
        }
        self.free_block(old);
        // Taken for full until it is counted.
        self.pages_live[at / GROUPS] += u32::from(size.max(old.counted) - old.counted);
        group.counted = size.max(old.counted);
        group.shrinks_below(if self.newest_at as usize == at { 0 } else { HALF[usize::from(class)] });
        self.groups[at] = group;
    }

    /// A group opens; answers the class of block that it should have. The newest may not shrink: orders are still to come.
    fn enters_newest(&mut self, number: u64, at: usize) -> u8 {
        if number >= self.newest {
            if let Some(before) = self.groups.get_mut(self.newest_at as usize) {
                before.shrinks_below(HALF[usize::from(before.class)]);
                self.usual = self.usual - self.usual / 8 + before.placed.count_ones();
            }
            (self.newest, self.newest_at) = (number, at as u32);
        }
        let most = self.usual / 8 + self.usual / 64 + 2;
        (1..WHOLE).find(|class| u32::from(PLACES[usize::from(*class)]) >= most).unwrap_or(WHOLE)
    }

    fn open_page(&mut self, number: u64) -> Option<()> {
        let most = PAGES_FREE + self.live / FEW as usize;
        if self.pages.len() > most || self.groups.len() > NOWHERE as usize - GROUPS {
            return None;
        }
        let groups = self.pages_free.pop().unwrap_or_else(|| {
            let first = self.groups.len();
            self.groups.extend(GROUPS, |_| Group::EMPTY);
            self.pages_live.push(0);
            first as u32
        });
        self.pages.enter(number, groups);
        Some(())
    }

    /// Moves what lives in the group into a smaller block, or none.
    fn shrink(&mut self, at: usize) {
        self.moves = self.moves.wrapping_add(1);
        let group = self.groups[at];
        if group.live == 0 {
            self.free_block(group);
            self.groups[at] = Group { counted: group.counted, ..Group::EMPTY };
            return;
        }
        let class = group.class - 1;
        let (base, size) = (self.block(class), PLACES[usize::from(class)]);
        // As often as the block has places, so that no end has to be foretold: behind the last order come vacant places.
        let mut left = group.live;
        for to in base as usize..base as usize + usize::from(size) {
            let from = group.place(left.trailing_zeros().into());
            self.places[to] = self.places[from].or_vacant(left != 0);
            left &= left.wrapping_sub(1);
        }
        self.free_block(group);
        self.groups[at] = Group { placed: group.live, base, class, size, ..group };
        self.groups[at].shrinks_below(HALF[usize::from(class)]);
    }

    /// Gives up the page of that id and hands its orders on.
    pub(super) fn scatter(&mut self, id: u64, mut each: impl FnMut(u64, Order)) {
        let number = id / PAGE;
        let Some(groups) = self.pages.leave(number) else { return };
        self.moves = self.moves.wrapping_add(1);
        for n in 0..GROUPS {
            let group = std::mem::replace(&mut self.groups[groups as usize + n], Group::EMPTY);
            for bit in bits(group.live) {
                self.live -= 1;
                let id = number * PAGE + n as u64 * GROUP + u64::from(bit);
                each(id, self.places[group.place(bit.into())]);
            }
            self.free_block(group);
        }
        self.pages_live[groups as usize / GROUPS] = 0;
        self.pages_free.push(groups);
    }

    /// Finds the place of the id in the group and asks for it. Where the id is beyond all that have a place, and `enters`
    /// is all ones, it has one from now on.
    #[inline(always)]
    pub(super) fn find_place(&mut self, group: u32, id: u64, enters: i8) -> Option<u32> {
        let group = self.groups.get_mut(group as usize)?;
        let (before, higher) = (group.before(id), group.placed >> (id % GROUP));
        let enters = (enters & 1) as u64;
        // No branch on whether it enters, and whether the next place is its own: nobody can foretell it. The sum is one
        // condition; of two the compiler makes two branches.
        let next = higher < u64::from(before < u32::from(group.size)) & enters;
        if higher.wrapping_add(u64::from(next)) & 1 == 0 {
            return None;
        }
        group.placed |= enters << (id % GROUP);
        let place = group.base + before;
        cache::prefetch_at(&self.places, place as usize);
        Some(place)
    }

    /// What is at the place, to be changed.
    #[inline(always)]
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Order> {
        self.places.get_mut(place as usize)
    }

    /// The group has `more` orders (as a number that wraps). What follows from that waits for
    /// [`Dense::tidy`].
    #[inline(always)]
    pub(super) fn count(&mut self, group: u32, id: u64, more: u64) {
        self.live = self.live.wrapping_add(more as usize);
        let place = &mut self.groups[group as usize];
        place.live ^= (more & 1) << (id % GROUP);
        place.spare = place.spare.wrapping_add(more as i8);
        let thin = place.spare < 0;
        // Noted or written over by the next: whether it is thin nobody can foretell.
        self.thin[self.thins % THIN_ROOM] = (group, id);
        self.thins += usize::from(thin);
    }

    /// Shrinks what has become thin; answers an id of a page that should be given up, to be called again after that.
    #[inline(always)]
    pub(super) fn tidy(&mut self) -> Option<u64> {
        if self.thins == 0 {
            return None;
        }
        self.tidy_some()
    }

    #[inline(never)]
    fn tidy_some(&mut self) -> Option<u64> {
        self.thins = self.thins.min(THIN_ROOM);
        if self.thins > 1 {
            // Of any block as many lines, whether it has them or more.
            for (group, _) in &self.thin[..self.thins] {
                let first = self.groups[*group as usize].base as usize;
                (0..LINES).for_each(|line| cache::prefetch_at(&self.places, first + line * ORDERS_A_LINE));
            }
        }
        while self.thins > 0 {
            self.thins -= 1;
            let (at, id) = self.thin[self.thins];
            if self.shrink_to_fit(at as usize, id) {
                return Some(id);
            }
        }
        None
    }

    /// Answers whether few orders are left of the whole page.
    #[inline(never)]
    fn shrink_to_fit(&mut self, at: usize, id: u64) -> bool {
        while self.groups[at].spare < 0 {
            self.shrink(at);
        }
        let group = &mut self.groups[at];
        let page = &mut self.pages_live[at / GROUPS];
        *page = page.wrapping_sub(u32::from(group.counted)).wrapping_add(group.live.count_ones());
        group.counted = group.live.count_ones() as u8;
        *page < FEW && id / PAGE + 1 < self.newest / GROUPS as u64
    }

    /// Another one where places became others', or where it is time to tidy.
    #[inline(always)]
    pub(super) const fn moves(&self) -> u32 {
        self.moves.wrapping_add((self.thins / THIN) as u32)
    }

    /// Asks for the group of the id and answers it, or [`NOWHERE`].
    #[inline(always)]
    pub(super) fn ask(&self, id: u64) -> u32 {
        let at = self.group(id);
        cache::prefetch_at(&self.groups, at as usize);
        at
    }

    /// Keeps the orders for which `keep` is true.
    pub(super) fn retain(&mut self, keep: impl Fn(&Order) -> bool) {
        let pages: Vec<u32> = self.pages.first_groups().collect();
        for groups in pages {
            (groups as usize..).take(GROUPS).for_each(|at| self.retain_in(at, &keep));
        }
    }

    fn retain_in(&mut self, at: usize, keep: impl Fn(&Order) -> bool) {
        let group = self.groups[at];
        for bit in bits(group.live) {
            let order = &mut self.places[group.place(bit.into())];
            if !keep(order) {
                *order = Order::VACANT;
                self.groups[at].live ^= 1 << bit;
                self.groups[at].spare -= 1;
                self.live -= 1;
            }
        }
        self.shrink_to_fit(at, 0);
    }

    /// The same without an order: what was reserved is kept.
    pub(super) fn emptied(&mut self) -> Dense {
        let (mut places, mut groups) = (std::mem::take(&mut self.places), std::mem::take(&mut self.groups));
        places.clear(self.reserved);
        groups.clear(self.reserved);
        Dense { places, groups, reserved: self.reserved, ..Dense::default() }
    }

    /// Grows in large pages from now on.
    pub(super) const fn grow_in_large_pages(&mut self) {
        self.places.grow_in_large_pages();
        self.groups.grow_in_large_pages();
    }

    /// Takes the memory for so many orders now: what a day leaves room for, seven places for four of them, and a group for
    /// three.
    pub(super) fn reserve(&mut self, orders: usize) {
        self.reserved = true;
        self.places.reserve(orders / 4 * 7, Order::VACANT);
        self.groups.reserve(orders / 3, Group::EMPTY);
    }

    pub(super) const fn len(&self) -> usize {
        self.live
    }

    pub(super) fn state_bytes(&self) -> usize {
        let lists: usize = self.blocks_free.iter().map(Vec::capacity).sum();
        self.pages.state_bytes()
            + self.groups.bytes()
            + self.places.bytes()
            + (lists + self.pages_free.capacity() + self.pages_live.capacity()) * size_of::<u32>()
    }
}

/// Which bits are set.
#[inline(always)]
fn bits(mut of: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = of.trailing_zeros();
        of &= of.wrapping_sub(1);
        (bit < u64::BITS).then_some(bit)
    })
}
