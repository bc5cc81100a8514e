//! The levels that orders make: what an instrument shows on either side, in one cache line.
//!
//! Prices near the best lie on a [`Grid`] of equal steps, and a side keeps a window of it: one number a step, found
//! without a search, whatever comes or goes. What does not lie in the window (a price off the grid or far behind, a
//! quantity beyond 32 bits) is kept by price in [`Far`]; it is slower there, and counts the same. A window moves with the
//! best, grows while it is well filled, and its grid is chosen anew when prices keep missing it.
//!
//! Both bests of a side, plain and round lot, are kept ready. While something in [`Far`] may be one of them the side is
//! *mixed*: its bests are then looked for after every change, and lie with the far levels.

mod far;
mod grid;
mod moving;
mod windows;

use std::hint::select_unpredictable;

use super::ahead::Step;
use super::instrument::Instrument;
use super::store::Store;
use super::whose::Whose;
use super::{Contradiction, Level, Slot};
use far::Far;
use feeds::event::Side;
use grid::Grids;
use windows::Windows;

/// The height of no step; behind every step.
const NONE: i16 = -1;
/// The height of no far level; behind that.
const NO_FAR: i16 = -2;
/// The height of a far level beyond the window; before every step.
const BEYOND: i16 = 1 << SHAPE_MAX;
/// Before every tick.
const TOP: i32 = i32::MAX;
/// A quantity that does not fit a window.
const LARGE: u64 = u32::MAX as u64;
/// Steps of the smallest and the largest window, as powers of two.
const SHAPE_MIN: u8 = 4;
const SHAPE_MAX: u8 = 12;
/// A window grows while at least one of so many steps holds a level.
const SPARSE: u32 = 16;

/// A number that grows towards the better price: the price for bids, its complement for asks
/// (the complement turns the order round and cannot overflow). Its own inverse per side.
#[inline(always)]
const fn rank(side: Side, price: i64) -> i64 {
    match side {
        Side::Bid => price,
        Side::Ask => !price,
    }
}

/// As [`rank`], of a step of the grid.
#[inline(always)]
const fn rank_tick(side: Side, tick: i32) -> i32 {
    // No branch: which side it is nobody can foretell.
    tick ^ -(side as i32)
}

/// One side; ticks are ranks of steps, heights are counted from the lowest step of the window.
#[derive(Debug, Clone, Copy)]
struct Ladder {
    /// First word of its window, of `1 << shape` words; a step's word is given by the step's low bits.
    window: u32,
    /// The lowest step of the window.
    lo: i32,
    /// What the best displays, where the side is not mixed.
    best_quantity: u32,
    /// The heights of the best and the best round lot of the window, or [`NONE`].
    best: i16,
    round: i16,
    /// At least the height of the best far level: [`NONE`] behind the window, [`BEYOND`] it; [`NO_FAR`] while there is none.
    far_best: i16,
    /// Levels in the window.
    levels: u16,
    grid: u8,
    /// Zero while there is no window.
    shape: u8,
}

impl Ladder {
    const EMPTY: Ladder = Ladder {
        window: 0,
        lo: 0,
        best_quantity: 0,
        best: NONE,
        round: NONE,
        far_best: NO_FAR,
        levels: 0,
        grid: 0,
        shape: 0,
    };

    /// Steps of the window.
    #[inline(always)]
    const fn steps(&self) -> u32 {
        1 << self.shape & !1
    }

    /// The word of a step within the window.
    #[inline(always)]
    const fn word(&self, tick: i32) -> usize {
        self.window as usize + (tick as u32 & (self.steps().wrapping_sub(1))) as usize
    }

    /// How far the step is from the lowest of the window, which need not hold it.
    #[inline(always)]
    const fn height(&self, tick: i32) -> i32 {
        tick.wrapping_sub(self.lo)
    }

    #[inline(always)]
    const fn holds(&self, tick: i32) -> bool {
        (self.height(tick) as u32) < self.steps()
    }

    /// The step at that height of the window holds `quantity` now: brings the bests up to date where that is all it takes.
    /// Whether a change is near the best nobody can foretell, so nothing branches on that.
    #[inline(always)]
    fn settle(&mut self, height: i32, quantity: u32, round_lot: u32) -> Settled {
        let old_round = i32::from(self.round);
        // What is behind the best round lot shows in neither, unless that lies elsewhere.
        let near = height >= old_round;
        let round = quantity >= round_lot;
        let lost = (quantity == 0) | ((height == old_round) & !round) | self.mixed();
        // In one comparison: of two conditions the compiler makes two branches.
        if height >= select_unpredictable(lost, old_round, TOP) {
            return Settled::Unknown;
        }
        let best = height >= i32::from(self.best);
        self.best = select_unpredictable(best, height as i16, self.best);
        self.best_quantity = select_unpredictable(best, quantity, self.best_quantity);
        self.round = select_unpredictable(near & round, height as i16, self.round);
        Settled::Known(Shows { top: near, best })
    }

    /// The best lies among the far levels, or may.
    #[inline(always)]
    const fn mixed(&self) -> bool {
        self.far_best >= self.round
    }
}

/// What a changed level means for the bests of its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// They are what they are now.
    Known(Shows),
    /// They have to be looked for.
    Unknown,
}

/// What of a change shows at the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shows {
    /// The best or the best round lot may have become another; false is certain.
    pub(super) top: bool,
    /// The best has become another, or displays another quantity.
    pub(super) best: bool,
}

/// Bids and asks of an instrument, and what else is known of it.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Line {
    sides: [Ladder; 2],
    pub(super) instrument: Instrument,
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    const fn new(slot: Slot, whole: bool) -> Line {
        Line { sides: [Ladder::EMPTY; 2], instrument: Instrument::new(slot, whole) }
    }
}

/// What says where levels are, beside the instrument's own line.
pub(super) struct Whereabouts<'a> {
    grids: &'a Grids,
    words: &'a [u32],
}

impl Whereabouts<'_> {
    /// Says where the level of the step is, and asks for it.
    #[inline(always)]
    pub(super) fn locate(&self, line: &Line, step: &mut Step) {
        let ladder = &line.sides[step.side.index()];
        let (tick, on_grid) = self.grids.get(ladder.grid).tick_within(step.side, step.price);
        step.height = ladder.height(tick);
        step.word = select_unpredictable(on_grid & ladder.holds(tick), ladder.word(tick) as u32, u32::MAX);
        crate::cache::prefetch_at(self.words, step.word as usize);
    }
}

/// Which side of which instrument.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) slot: u32,
    pub(super) side: Side,
}

impl At {
    const fn key(self) -> u32 {
        self.slot << 1 | self.side.index() as u32
    }
}

/// All ladders of a channel, and its instruments, which lie beside them.
#[derive(Debug, Default)]
pub(super) struct Ladders {
    lines: Store<Line>,
    windows: Windows,
    grids: Grids,
    far: Far,
}

impl Ladders {
    /// There are instruments up to that slot.
    pub(super) fn open(&mut self, slot: Slot, whole: bool) {
        let more = (slot as usize + 1).saturating_sub(self.lines.len());
        self.lines.extend(more, |slot| Line::new(slot as Slot, whole));
    }

    /// Instruments.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    #[inline(always)]
    pub(super) fn instrument(&self, slot: Slot) -> Option<&Instrument> {
        self.lines.get(slot as usize).map(|line| &line.instrument)
    }

    #[inline(always)]
    pub(super) fn instrument_mut(&mut self, slot: Slot) -> Option<&mut Instrument> {
        self.lines.get_mut(slot as usize).map(|line| &mut line.instrument)
    }

    /// The instrument at a slot that there is.
    #[inline(always)]
    pub(super) fn instrument_at(&mut self, slot: Slot) -> &mut Instrument {
        &mut self.lines[slot as usize].instrument
    }

    #[inline(always)]
    pub(super) fn whose(&self, slot: Slot) -> Whose {
        self.lines[slot as usize].instrument.whose
    }

    pub(super) fn instruments_mut(&mut self) -> impl Iterator<Item = &mut Instrument> {
        self.lines.iter_mut().map(|line| &mut line.instrument)
    }

    #[inline(always)]
    fn ladder(&self, at: At) -> &Ladder {
        &self.lines[at.slot as usize].sides[at.side.index()]
    }

    #[inline(always)]
    fn ladder_mut(&mut self, at: At) -> &mut Ladder {
        &mut self.lines[at.slot as usize].sides[at.side.index()]
    }

    /// An order of `quantity` comes in at `price`; answers whether a best became another.
    #[inline(always)]
    pub(super) fn add(&mut self, at: At, price: i64, quantity: u64) -> Result<Shows, Contradiction> {
        let ladder = &mut self.lines[at.slot as usize].sides[at.side.index()];
        let (tick, on_grid) = self.grids.tick(ladder.grid, at.side, price);
        if !(on_grid && ladder.holds(tick)) {
            return self.add_elsewhere(at, price, quantity);
        }
        let word = &mut self.windows.words[ladder.word(tick)];
        let before = *word;
        let sum = u64::from(before).saturating_add(quantity);
        // A far level as good as this one may be this one.
        let height = ladder.height(tick);
        if (sum >= LARGE) | (i32::from(ladder.far_best) >= height) {
            return self.add_elsewhere(at, price, quantity);
        }
        *word = sum as u32;
        ladder.levels += u16::from(before == 0);
        Ok(self.settle(at, height, sum as u32))
    }

    /// `quantity` of an order at `price` leaves its level; answers whether a best became another.
    #[inline(always)]
    pub(super) fn take(&mut self, at: At, price: i64, quantity: u64) -> Shows {
        let ladder = &mut self.lines[at.slot as usize].sides[at.side.index()];
        let (tick, on_grid) = self.grids.tick(ladder.grid, at.side, price);
        if !(on_grid && ladder.holds(tick)) {
            return self.take_elsewhere(at, price, quantity);
        }
        let word = &mut self.windows.words[ladder.word(tick)];
        if *word == 0 {
            return self.take_elsewhere(at, price, quantity);
        }
        let left = u64::from(*word).saturating_sub(quantity) as u32;
        *word = left;
        ladder.levels -= u16::from(left == 0);
        let height = ladder.height(tick);
        self.settle(at, height, left)
    }

    /// How often a window moved: what [`Ladders::locate`] said before holds no more.
    #[inline(always)]
    pub(super) const fn moves(&self) -> u32 {
        self.windows.moves
    }

    /// The line of the instrument at the slot, and what else says where its levels are.
    #[inline(always)]
    pub(super) fn line_mut(&mut self, slot: Slot) -> Option<(&mut Line, Whereabouts<'_>)> {
        let Ladders { lines, windows, grids, .. } = self;
        Some((lines.get_mut(slot as usize)?, Whereabouts { grids, words: &windows.words }))
    }

    /// Says where the level of the step is, and asks for it.
    #[inline(always)]
    pub(super) fn locate(&self, step: &mut Step) {
        let Ladders { lines, windows, grids, .. } = self;
        Whereabouts { grids, words: &windows.words }.locate(&lines[step.slot as usize], step);
    }

    /// An order comes into its level, or what it loses leaves that; answers whether a best became another. As
    /// [`Ladders::add`] and [`Ladders::take`], where [`Ladders::locate`] found the level, and without a branch on
    /// which of the two it is.
    #[inline(always)]
    pub(super) fn change(&mut self, step: &Step) -> Shows {
        let at = At { slot: step.slot, side: step.side };
        let line = &mut self.lines[step.slot as usize];
        let ladder = &mut line.sides[step.side.index()];
        let Some(word) = self.windows.words.get_mut(step.word as usize) else {
            return self.change_elsewhere(step);
        };
        let goes = i64::from(!step.kind.enters);
        let before = *word;
        let after = i64::from(before) + ((step.quantity as i64 ^ goes) - goes);
        // Less than nothing is more than everything here.
        if (after as u64 >= LARGE) | (i32::from(ladder.far_best) >= step.height) {
            return self.change_elsewhere(step);
        }
        let after = after as u32;
        *word = after;
        ladder.levels =
            ladder.levels.wrapping_add(u16::from(before == 0)).wrapping_sub(u16::from(after == 0));
        let settled = ladder.settle(step.height, after, line.instrument.round_lot);
        self.settled(at, settled, step.height)
    }

    #[cold]
    #[inline(never)]
    fn change_elsewhere(&mut self, step: &Step) -> Shows {
        let at = At { slot: step.slot, side: step.side };
        if step.kind.enters == 0 {
            return self.take(at, step.price, step.quantity);
        }
        // Fewer than 2^32 orders of less than 2^32 do not overflow a level, and while there are larger ones nobody comes this way.
        let added = self.add(at, step.price, step.quantity);
        debug_assert!(added.is_ok());
        added.unwrap_or(Shows { top: false, best: false })
    }

    /// The window's step at that height holds `quantity` now: brings the bests up to date, and answers whether one became another.
    #[inline(always)]
    fn settle(&mut self, at: At, height: i32, quantity: u32) -> Shows {
        let line = &mut self.lines[at.slot as usize];
        let settled = line.sides[at.side.index()].settle(height, quantity, line.instrument.round_lot);
        self.settled(at, settled, height)
    }

    /// Answers what shows of it; looks for the bests where it takes that.
    #[inline(always)]
    fn settled(&mut self, at: At, settled: Settled, height: i32) -> Shows {
        match settled {
            Settled::Known(shows) => shows,
            Settled::Unknown => self.look_from(at, height),
        }
    }

    /// Looks for both bests anew, after a change at that height of the window.
    #[inline]
    fn look_from(&mut self, at: At, height: i32) -> Shows {
        let ladder = self.ladder(at);
        if ladder.mixed() {
            let before = self.bests(at);
            self.look_for_bests(at, TOP);
            return self.shows(at, before);
        }
        let best = i32::from(ladder.best);
        self.look_for_bests(at, height.max(best));
        Shows { top: true, best: height >= best }
    }

    /// Looks for both bests anew; in the window nothing is higher than `from`.
    #[inline]
    fn look_for_bests(&mut self, at: At, from: i32) {
        let Line { sides, instrument } = &mut self.lines[at.slot as usize];
        let (ladder, round_lot) = (&mut sides[at.side.index()], instrument.round_lot);
        if ladder.levels == 0 && ladder.far_best != NO_FAR {
            return self.come_near(at);
        }
        self.windows.bests(ladder, from, round_lot);
        if ladder.mixed() {
            self.mix(at, round_lot);
        }
    }

    /// What shows of a change before which the bests were those.
    fn shows(&self, at: At, before: [Option<Level>; 2]) -> Shows {
        let now = self.bests(at);
        Shows { top: before != now, best: before[0] != now[0] }
    }

    /// Both bests of a side whose far levels may hold one.
    #[cold]
    #[inline(never)]
    fn mix(&mut self, at: At, round_lot: u32) {
        let best = self.levels(at).next();
        let round = self.levels(at).find(|level| level.quantity >= u64::from(round_lot));
        if let Some(far) = self.far.get_mut(at) {
            far.bests = [best, round];
        }
    }

    /// The best level.
    #[inline(always)]
    pub(super) fn best(&self, at: At) -> Option<Level> {
        let ladder = self.ladder(at);
        if ladder.mixed() {
            return self.far.bests(at)[0];
        }
        let price = self.grids.get(ladder.grid).price(at.side, ladder.lo + i32::from(ladder.best));
        let level = Level { price, quantity: u64::from(ladder.best_quantity) };
        (ladder.best_quantity > 0).then_some(level)
    }

    /// The best level, and the best that displays at least a round lot.
    #[inline(always)]
    pub(super) fn bests(&self, at: At) -> [Option<Level>; 2] {
        let ladder = self.ladder(at);
        if ladder.mixed() {
            return self.far.bests(at);
        }
        let grid = self.grids.get(ladder.grid);
        [ladder.best, ladder.round].map(|height| {
            let tick = ladder.lo + i32::from(height);
            let quantity = if height == ladder.best {
                ladder.best_quantity
            } else {
                self.windows.words[ladder.word(tick)]
            };
            let level = Level { price: grid.price(at.side, tick), quantity: quantity.into() };
            (height != NONE).then_some(level)
        })
    }

    /// Its levels, best first.
    pub(super) fn levels(&self, at: At) -> impl Iterator<Item = Level> + '_ {
        let ladder = self.ladder(at);
        let grid = self.grids.get(ladder.grid);
        let mut near = self
            .windows
            .levels(ladder)
            .map(move |(tick, quantity)| Level {
                price: grid.price(at.side, tick),
                quantity: quantity.into(),
            })
            .peekable();
        let far = self.far.get(at).into_iter().flat_map(|far| far.levels.iter().rev());
        let mut far =
            far.map(move |(&of, &quantity)| Level { price: rank(at.side, of), quantity }).peekable();
        std::iter::from_fn(move || match (near.peek(), far.peek()) {
            (Some(n), Some(f)) if rank(at.side, n.price) < rank(at.side, f.price) => far.next(),
            (Some(_), _) => near.next(),
            (None, _) => far.next(),
        })
    }

    /// Gives its first `most` levels, best first. Where all that is there lies in the window, as it mostly does, it begins at
    /// the best and ends with the last, wherever the window does.
    pub(super) fn first_levels(&self, at: At, most: usize, mut each: impl FnMut(Level)) {
        let ladder = self.ladder(at);
        if ladder.far_best != NO_FAR {
            return self.levels(at).take(most).for_each(each);
        }
        let grid = self.grids.get(ladder.grid);
        for (tick, quantity) in self.windows.best_to_last(ladder).take(most) {
            each(Level { price: grid.price(at.side, tick), quantity: quantity.into() });
        }
    }

    /// What a round lot is became another.
    pub(super) fn set_round_lot(&mut self, slot: u32, round_lot: u32) {
        for side in [Side::Bid, Side::Ask] {
            let at = At { slot, side };
            self.windows.bests(&mut self.lines[slot as usize].sides[side.index()], TOP, round_lot);
            if self.ladder(at).mixed() {
                self.mix(at, round_lot);
            }
        }
    }

    /// Empties both sides.
    pub(super) fn clear(&mut self, slot: u32) {
        for side in [Side::Bid, Side::Ask] {
            let at = At { slot, side };
            let ladder = std::mem::replace(self.ladder_mut(at), Ladder::EMPTY);
            self.windows.free(&ladder);
            self.far.remove(at);
        }
    }

    /// Grows in large pages from now on.
    pub(super) const fn grow_in_large_pages(&mut self) {
        self.windows.words.grow_in_large_pages();
        self.lines.grow_in_large_pages();
    }

    /// Takes the memory for the levels of so many orders now: of a day's, three steps of a window each.
    pub(super) fn reserve(&mut self, orders: usize) {
        self.windows.words.reserve(3 * orders, 0);
        self.lines.reserve(orders / super::ORDERS_AN_INSTRUMENT, Line::new(0, false));
    }

    /// Asks for what every change of the instrument reads first.
    #[inline(always)]
    pub(super) fn prefetch(&self, slot: u32) {
        crate::cache::prefetch_at(&self.lines, slot as usize);
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.lines.bytes() + self.windows.state_bytes() + self.far.state_bytes()
    }
}
