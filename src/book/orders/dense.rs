//! Orders of neighbouring ids, side by side.
//!
//! Sixty-four ids make a group, 256 groups a page. A group's line says which of its ids have a place and where its block
//! of places begins: the place of an id is the number of places before it. A new group has a place for each of its ids;
//! when less than half of them is left, the living move into a block of half the size, and when few are left of a whole
//! page, the page is given up and its orders stand alone ([`Dense::scatter`]). So an order that was there for a while costs
//! at most two places and its share of a page, whatever the ids; how much may be opened for orders to come is bounded, too.
//!
//! It never decides whose an order is.

use super::Order;
use crate::book::whose::Whose;
use crate::cache;

/// Ids in a group.
const GROUP: u64 = 64;
/// Groups in a page.
const GROUPS: usize = 256;
/// Ids in a page.
const PAGE: u64 = GROUP * GROUPS as u64;
/// Places in a block of each class.
const PLACES: [usize; 6] = [0, 4, 8, 16, 32, 64];
/// The class of a group in which every id has a place.
const WHOLE: u8 = 5;
/// A page with fewer orders is given up, once two younger ones have begun.
const FEW: u32 = 128;
/// Pages and places that may be there whatever the number of orders.
const PAGES_FREE: usize = 64;
const PLACES_FREE: usize = 1 << 16;

/// No group, no order.
pub(super) const NOWHERE: usize = usize::MAX;

/// Sixty-four ids.
#[derive(Debug, Clone, Copy)]
#[repr(align(16))]
struct Group {
    /// Ids that have a place, by their low bits.
    placed: u64,
    /// The block's first place.
    base: u32,
    /// Orders.
    live: u8,
    class: u8,
}

impl Group {
    const EMPTY: Group = Group { placed: 0, base: 0, live: 0, class: 0 };

    /// Where the id's order would be.
    #[inline(always)]
    const fn place(&self, id: u64) -> usize {
        let before = self.placed & ((1 << (id % GROUP)) - 1);
        self.base as usize + before.count_ones() as usize
    }

    #[inline(always)]
    const fn has_place(&self, id: u64) -> bool {
        self.placed >> (id % GROUP) & 1 != 0
    }
}

/// A page in the directory.
#[derive(Debug, Clone, Copy)]
struct Page {
    number: u64,
    /// Its first group.
    groups: u32,
    live: u32,
}

impl Page {
    const NONE: Page = Page { number: u64::MAX, groups: 0, live: 0 };
}

/// Where an order is: its page in the directory, its group, its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::book) struct Place {
    page: u32,
    group: u32,
    at: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Dense {
    /// Open addressing by page number; a power of two of them, at most a quarter in use.
    directory: Vec<Page>,
    pages: usize,
    groups: Vec<Group>,
    /// First groups of pages given up.
    pages_free: Vec<u32>,
    places: Vec<Order>,
    /// Vacant blocks by class.
    blocks_free: [Vec<u32>; PLACES.len()],
    /// Places in blocks in use.
    places_used: usize,
    live: usize,
    /// The largest group number that an order came into.
    newest: u64,
}

impl Dense {
    #[inline(always)]
    fn home(&self, number: u64) -> usize {
        (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize & (self.directory.len().wrapping_sub(1))
    }

    /// Where in the directory the page of the id is.
    #[inline(always)]
    fn page(&self, id: u64) -> Option<usize> {
        let number = id / PAGE;
        let mut at = self.home(number);
        loop {
            let page = self.directory.get(at)?;
            if page.number == number {
                return Some(at);
            }
            if page.number == Page::NONE.number {
                return None;
            }
            at = (at + 1) & (self.directory.len() - 1);
        }
    }

    #[inline(always)]
    fn group_in(&self, page: usize, id: u64) -> usize {
        self.directory[page].groups as usize + (id / GROUP) as usize % GROUPS
    }

    /// The place of that id and what is there, perhaps nobody's; `None` where the id has no place.
    #[inline(always)]
    pub(super) fn get(&self, id: u64) -> Option<(Place, &Order)> {
        let page = self.page(id)?;
        let at = self.group_in(page, id);
        let group = &self.groups[at];
        if !group.has_place(id) {
            return None;
        }
        let place = group.place(id);
        let order = self.places.get(place)?;
        Some((Place { page: page as u32, group: at as u32, at: place as u32 }, order))
    }

    #[inline(always)]
    pub(super) fn at_mut(&mut self, place: Place) -> &mut Order {
        &mut self.places[place.at as usize]
    }

    /// Puts the order into a vacant place.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: u64, place: Place, order: Order) {
        *self.at_mut(place) = order;
        self.groups[place.group as usize].live += 1;
        self.directory[place.page as usize].live += 1;
        self.live += 1;
        self.newest = self.newest.max(id / GROUP);
    }

    /// Takes the order out; true when so few are left of its page that it should be given up.
    #[inline(always)]
    pub(super) fn remove(&mut self, id: u64, place: Place) -> bool {
        *self.at_mut(place) = Order::VACANT;
        self.live -= 1;
        let page = &mut self.directory[place.page as usize];
        page.live -= 1;
        let few = (page.live < FEW) & (page.number + 1 < self.newest / GROUPS as u64);
        let group = &mut self.groups[place.group as usize];
        group.live -= 1;
        if usize::from(group.live) * 2 < PLACES[usize::from(group.class)] && id / GROUP != self.newest {
            self.shrink(place.group as usize);
        }
        few
    }

    /// A block of the class, all vacant.
    fn block(&mut self, class: u8) -> u32 {
        self.places_used += PLACES[usize::from(class)];
        if let Some(base) = self.blocks_free[usize::from(class)].pop() {
            return base;
        }
        if class == WHOLE {
            let base = self.places.len();
            self.places.resize(base + PLACES[usize::from(WHOLE)], Order::VACANT);
            return base as u32;
        }
        let base = self.block(class + 1);
        self.places_used -= PLACES[usize::from(class) + 1];
        let size = PLACES[usize::from(class)] as u32;
        self.blocks_free[usize::from(class)].push(base + size);
        base
    }

    fn free_block(&mut self, group: Group) {
        if group.class > 0 {
            self.places_used -= PLACES[usize::from(group.class)];
            self.blocks_free[usize::from(group.class)].push(group.base);
        }
    }

    /// Gives every id of the id's group a place, and answers that of the id, which is vacant; `None` where that is more than
    /// the live orders justify.
    #[cold]
    #[inline(never)]
    pub(super) fn open(&mut self, id: u64) -> Option<Place> {
        if self.places_used > PLACES_FREE + 8 * self.live || self.places.len() > (u32::MAX - 128) as usize {
            return None;
        }
        let page = match self.page(id) {
            Some(page) => page,
            None => self.open_page(id / PAGE)?,
        };
        let at = self.group_in(page, id);
        let old = self.groups[at];
        let base = self.block(WHOLE);
        let mut placed = old.placed;
        for from in old.base.. {
            if placed == 0 {
                break;
            }
            let to = base + placed.trailing_zeros();
            placed &= placed - 1;
            self.places[to as usize] = std::mem::replace(&mut self.places[from as usize], Order::VACANT);
        }
        self.free_block(old);
        self.groups[at] = Group { placed: u64::MAX, base, live: old.live, class: WHOLE };
        let at_id = base + (id % GROUP) as u32;
        Some(Place { page: page as u32, group: at as u32, at: at_id })
    }

    fn open_page(&mut self, number: u64) -> Option<usize> {
        if self.pages > PAGES_FREE + self.live / FEW as usize {
            return None;
        }
        if (self.pages + 1) * 4 > self.directory.len() {
            let old = std::mem::take(&mut self.directory);
            self.directory = vec![Page::NONE; (old.len() * 2).max(64)];
            old.into_iter().filter(|p| p.number != Page::NONE.number).for_each(|p| self.enter(p));
        }
        let groups = self.pages_free.pop().unwrap_or_else(|| {
            let first = self.groups.len();
            self.groups.resize(first + GROUPS, Group::EMPTY);
            first as u32
        });
        self.enter(Page { number, groups, live: 0 });
        self.pages += 1;
        self.page(number * PAGE)
    }

    fn enter(&mut self, page: Page) {
        let mut at = self.home(page.number);
        while self.directory[at].number != Page::NONE.number {
            at = (at + 1) & (self.directory.len() - 1);
        }
        self.directory[at] = page;
    }

    /// Moves what lives in the group into a smaller block, or none.
    #[cold]
    #[inline(never)]
    fn shrink(&mut self, at: usize) {
        let group = self.groups[at];
        if group.live == 0 {
            self.free_block(group);
            self.groups[at] = Group::EMPTY;
            return;
        }
        if group.class <= 1 {
            return;
        }
        let class = group.class - 1;
        let base = self.block(class) as usize;
        let from = group.base as usize;
        let block = from..from + PLACES[usize::from(group.class)];
        // Who lives, by place: counted without a branch.
        let mut living = 0u64;
        for (n, order) in self.places[block.clone()].iter().enumerate() {
            living |= u64::from(order.whose != Whose::NOBODY) << n;
        }
        let placed = if group.placed == u64::MAX { living } else { spread(living, group.placed) };
        for to in base.. {
            if living == 0 {
                break;
            }
            self.places[to] = self.places[from + living.trailing_zeros() as usize];
            living &= living - 1;
        }
        self.places[block].fill(Order::VACANT);
        self.free_block(group);
        self.groups[at] = Group { placed, base: base as u32, live: group.live, class };
    }

    /// Gives up the page of that id and hands its orders on.
    pub(super) fn scatter(&mut self, id: u64, mut each: impl FnMut(u64, Order)) {
        let Some(page) = self.page(id) else { return };
        let Page { number, groups, live } = self.directory[page];
        for n in 0..GROUPS {
            let group = std::mem::replace(&mut self.groups[groups as usize + n], Group::EMPTY);
            let mut placed = group.placed;
            for from in group.base.. {
                if placed == 0 {
                    break;
                }
                let id = number * PAGE + n as u64 * GROUP + u64::from(placed.trailing_zeros());
                placed &= placed - 1;
                let order = std::mem::replace(&mut self.places[from as usize], Order::VACANT);
                if order.whose != Whose::NOBODY {
                    each(id, order);
                }
            }
            self.free_block(group);
        }
        self.live -= live as usize;
        self.pages -= 1;
        self.pages_free.push(groups);
        self.leave(page);
    }

    /// Takes a page out of the directory; whoever it displaced moves back.
    fn leave(&mut self, mut hole: usize) {
        let mask = self.directory.len() - 1;
        let mut at = (hole + 1) & mask;
        while self.directory[at].number != Page::NONE.number {
            let from_home = at.wrapping_sub(self.home(self.directory[at].number)) & mask;
            if from_home >= at.wrapping_sub(hole) & mask {
                self.directory[hole] = self.directory[at];
                hole = at;
            }
            at = (at + 1) & mask;
        }
        self.directory[hole] = Page::NONE;
    }

    /// Asks for the group of the id and answers it, or [`NOWHERE`].
    #[inline(always)]
    pub(super) fn ask(&self, id: u64) -> usize {
        let Some(page) = self.page(id) else { return NOWHERE };
        let at = self.group_in(page, id);
        if let Some(group) = self.groups.get(at) {
            cache::prefetch(group);
        }
        at
    }

    /// Asks for the place of the id in the group and answers it.
    #[inline(always)]
    pub(super) fn ask_order(&self, group: usize, id: u64) -> usize {
        let Some(group) = self.groups.get(group) else { return NOWHERE };
        let place = group.place(id);
        if let Some(order) = self.places.get(place) {
            cache::prefetch(order);
        }
        place
    }

    /// What is at the place.
    #[inline(always)]
    pub(super) fn peek(&self, place: usize) -> &Order {
        self.places.get(place).unwrap_or(&Order::VACANT)
    }

    /// Keeps the orders for which `keep` is true.
    pub(super) fn retain(&mut self, keep: impl Fn(&Order) -> bool) {
        for page in 0..self.directory.len() {
            let Page { number, groups, .. } = self.directory[page];
            for at in (groups as usize..).take(if number == Page::NONE.number { 0 } else { GROUPS }) {
                self.retain_in(page, at, &keep);
            }
        }
    }

    fn retain_in(&mut self, page: usize, at: usize, keep: impl Fn(&Order) -> bool) {
        let group = self.groups[at];
        let count = group.placed.count_ones() as usize;
        let mut gone = 0;
        for order in &mut self.places[group.base as usize..][..count] {
            if order.whose != Whose::NOBODY && !keep(order) {
                *order = Order::VACANT;
                gone += 1;
            }
        }
        self.groups[at].live -= gone as u8;
        self.directory[page].live -= gone;
        self.live -= gone as usize;
        if gone > 0 && usize::from(self.groups[at].live) * 2 < PLACES[usize::from(group.class)] {
            self.shrink(at);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.live
    }

    pub(super) fn state_bytes(&self) -> usize {
        let lists: usize = self.blocks_free.iter().map(Vec::capacity).sum();
        self.directory.capacity() * size_of::<Page>()
            + self.groups.capacity() * size_of::<Group>()
            + self.places.capacity() * size_of::<Order>()
            + (lists + self.pages_free.capacity()) * size_of::<u32>()
    }
}

/// The bits of `places`, one for each bit of `placed`, at the positions of those.
fn spread(mut places: u64, mut placed: u64) -> u64 {
    let mut out = 0;
    while placed != 0 {
        let bit = placed & placed.wrapping_neg();
        out |= bit & (places & 1).wrapping_neg();
        placed ^= bit;
        places >>= 1;
    }
    out
}
