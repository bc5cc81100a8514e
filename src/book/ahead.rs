//! Changes of orders on their way into the books, many at a time.
//!
//! One change needs memory that it finds one line after the other: where the order's group is, the order, its level, the
//! best. Taken one by one, each change waits for all of that, and a branch that was foretold wrongly waits for it too. So a
//! change is made a step, or two, and goes through four turns with others between them: its group is found and asked for;
//! its order is found and asked for; its order is changed and its level asked for; its level is changed, and what that
//! did is told. At every turn the steps come in their order, so what is told, and when, is as if the changes had been
//! applied one by one.
//!
//! What is unusual about a change (another view than orders, an id that stands alone, anything that contradicts the book) is
//! seen at the third turn before anything is done: all before it is told, and it goes the general way of the parent module.
//! Nothing here repairs or refuses anything.

use feeds::event::Side;
use feeds::feed::{OrderAct, OrderChange};

use super::ladders::At;
use super::{Applied, Books, Contradiction, Level, Slot, Told};

/// How many steps a step waits at each turn, so that memory has time to answer. More of them take room in the nearest cache
/// from what they ask for.
const AHEAD: usize = 10;

/// Half of a replacement, or any other change: an order that comes in, or one that loses something. A cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Step {
    pub(super) order: u64,
    /// Of an order that comes in; after the order was changed, its level's.
    pub(super) price: i64,
    /// What comes in or goes; after the order was changed, of one that leaves, too.
    pub(super) quantity: u64,
    pub(super) slot: Slot,
    pub(super) group: u32,
    pub(super) place: u32,
    /// The word of the level in its window, out of reach where that has none, and how far it is from the lowest.
    pub(super) word: u32,
    pub(super) height: i32,
    pub(super) kind: Kind,
    pub(super) side: Side,
}

/// What is done to the order of a step, as masks, to choose without a branch. Four bytes, which are written at once.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(4))]
pub(super) struct Kind {
    /// All ones where an order comes in, else zero.
    pub(super) enters: i8,
    /// All ones where all of the order goes.
    pub(super) all: i8,
    /// All ones in the second half of a replacement, which is on the side of the first.
    second: i8,
    act: OrderAct,
}

impl Kind {
    /// By the act.
    const ALL: [Kind; 5] = {
        const fn of(act: OrderAct, enters: i8, all: i8) -> Kind {
            Kind { enters, all, second: 0, act }
        }
        let mut kinds = [of(OrderAct::Enters, -1, 0); 5];
        kinds[OrderAct::Executes as usize] = of(OrderAct::Executes, 0, 0);
        kinds[OrderAct::Reduces as usize] = of(OrderAct::Reduces, 0, 0);
        kinds[OrderAct::Leaves as usize] = of(OrderAct::Leaves, 0, -1);
        kinds[OrderAct::Replaces as usize] = of(OrderAct::Replaces, 0, -1);
        kinds
    };
    /// The second half of a replacement.
    const SECOND: Kind = Kind { enters: -1, all: 0, second: -1, act: OrderAct::Enters };

    /// The second half is still to come.
    #[inline(always)]
    const fn more(self) -> bool {
        matches!(self.act, OrderAct::Replaces)
    }
}

const _: () = assert!(size_of::<Step>() == 64);

impl Step {
    const NONE: Step = Step {
        order: 0,
        price: 0,
        quantity: 0,
        slot: 0,
        group: 0,
        place: 0,
        word: 0,
        height: 0,
        kind: Kind::ALL[OrderAct::Leaves as usize],
        side: Side::Bid,
    };

    /// Only what its turns read is written.
    #[inline(always)]
    const fn begin(&mut self, slot: Slot, group: u32, change: &OrderChange) {
        self.order = change.order;
        self.price = change.price;
        self.quantity = change.quantity;
        self.slot = slot;
        self.group = group;
        self.kind = Kind::ALL[change.act as usize];
        self.side = change.side;
    }

    /// The order that comes in the place of another.
    #[inline(always)]
    const fn begin_second(&mut self, slot: Slot, group: u32, change: &OrderChange) {
        self.begin(slot, group, change);
        (self.order, self.kind, self.side) = (change.new_order, Kind::SECOND, Side::Bid);
    }
}

/// In place of a best where there is none.
const NOTHING: Level = Level { price: 0, quantity: 0 };

/// Steps that can be on their way.
const ROOM: usize = 64;

const _: () = assert!(3 * (AHEAD + 2) + 2 < ROOM);

/// The steps on their way, each in the place that its number says. Of each it is known how far it has come, because they
/// come in turn: `told <= ordered <= found <= at`.
#[derive(Debug)]
pub(super) struct Way {
    steps: Box<[Step; ROOM]>,
    /// So many came in.
    at: usize,
    /// The second half of a replacement, which comes in next.
    coming: bool,
    /// As many wait at each turn as are to. While it is so, nobody counts them.
    full: bool,
    /// Of these it is known where the order is.
    found: usize,
    /// The orders of these are changed.
    ordered: usize,
    /// The levels of these are changed, and it was told.
    told: usize,
    /// The first half of a replacement changed the top.
    changed: bool,
    /// The best before that; of nothing where there was none.
    before: Level,
    /// The side of the last order that was changed.
    side: Side,
    /// When places and windows moved last, as it is known of the steps.
    orders_moved: u32,
    windows_moved: u32,
}

impl Default for Way {
    fn default() -> Self {
        Way {
            steps: Box::new([Step::NONE; ROOM]),
            at: 0,
            coming: false,
            full: false,
            found: 0,
            ordered: 0,
            told: 0,
            changed: false,
            before: NOTHING,
            side: Side::Bid,
            orders_moved: 0,
            windows_moved: 0,
        }
    }
}

impl Way {
    #[inline(always)]
    fn step(&mut self, number: usize) -> &mut Step {
        &mut self.steps[number % ROOM]
    }

    /// Counts who waits from now on, where the last that came in has been through so many turns.
    const fn count(&mut self, turns: [usize; 3]) {
        if self.full {
            self.full = false;
            self.found = self.at - 1 - AHEAD + turns[0];
            self.ordered = self.at - 1 - 2 * AHEAD + turns[1];
            self.told = self.at - 1 - 3 * AHEAD + turns[2];
        }
    }
}

impl Books {
    /// Takes a change of the instrument at the slot: asks memory for what it will read, and applies a change that was taken
    /// a while ago. What has been taken is applied in its order, the last of it when [`Books::finish`] says so, and
    /// nothing else may be done to the books until then. `each` is told what a change did, and to which side, when
    /// every level of every book is as the change left it: the same as [`Books::apply`] with the events one by one.
    #[inline(always)]
    pub fn take_ahead(&mut self, slot: Slot, change: &OrderChange, mut each: impl FnMut(&Books, Told)) {
        self.ladders.prefetch(slot);
        let group = self.orders.ask(change.order);
        let at = self.way.at;
        self.way.step(at).begin(slot, group, change);
        if change.act == OrderAct::Replaces {
            let group = self.orders.ask(change.new_order);
            self.way.step(at + 1).begin_second(slot, group, change);
            self.advance_first(&mut each);
        }
        self.way.at += 1;
        self.advance(&mut each);
    }

    /// The first half of a replacement came in. Its own copy of what is done for any other: with one for both, whether to
    /// do it again would be foretold wrongly once more.
    #[inline(never)]
    fn advance_first(&mut self, each: &mut impl FnMut(&Books, Told)) {
        self.way.coming = true;
        self.way.at += 1;
        self.advance(each);
        self.way.coming = false;
    }

    /// Applies all that has been taken.
    #[inline(always)]
    pub fn finish(&mut self, mut each: impl FnMut(&Books, Told)) {
        if self.way.full | (self.way.told != self.way.at) {
            self.advance_all(&mut each);
            self.orders.tidy();
        }
    }

    /// Applies a change at once, where nothing about it is unusual; `None`, and nothing is done, where something is.
    #[inline(always)]
    pub(super) fn apply_usual(&mut self, slot: Slot, change: &OrderChange) -> Option<Applied> {
        let mut step = Step::NONE;
        step.begin(slot, self.orders.ask(change.order), change);
        let mut changed = self.step_at_once(&mut step)?;
        if step.kind.more() {
            let OrderChange { new_order, price, quantity, .. } = *change;
            let side = step.side;
            step.begin_second(slot, self.orders.ask(new_order), change);
            step.side = side;
            match self.step_at_once(&mut step) {
                Some(second) => changed |= second,
                None => {
                    let applied = self.put_new(slot, new_order, side, price, quantity);
                    return Some(Applied { changed: applied.changed | changed, ..applied });
                }
            }
        }
        self.orders.tidy();
        Some(Applied { changed, contradiction: None })
    }

    #[inline(always)]
    fn step_at_once(&mut self, step: &mut Step) -> Option<bool> {
        self.orders.find_place(step);
        let instrument = self.ladders.instrument_mut(step.slot)?;
        if !self.orders.change(step, step.side, instrument) {
            return None;
        }
        self.ladders.locate(step);
        Some(self.ladders.change(step).top)
    }

    /// One step came in: takes one further at each turn, so that there is no loop whose end would have to be foretold.
    #[inline(always)]
    fn advance(&mut self, each: &mut impl FnMut(&Books, Told)) {
        if !self.way.full {
            return self.advance_filling(each);
        }
        let [find, order, tell] = [1, 2, 3].map(|turn| self.way.at - 1 - turn * AHEAD);
        self.find_order(find);
        if self.orders.moves() != self.way.orders_moved {
            self.find_again(order, find + 1);
        }
        if !self.change_order(order) {
            self.way.count([1, 0, 0]);
            return self.take_unusual(each);
        }
        self.tell(tell, order + 1, each);
    }

    /// As [`Books::advance`], where not as many wait at each turn as are to: a turn at which too few do waits for more.
    #[inline(never)]
    fn advance_filling(&mut self, each: &mut impl FnMut(&Books, Told)) {
        if self.way.at - self.way.found > AHEAD {
            self.find_next();
        }
        if self.way.found - self.way.ordered > AHEAD {
            self.order_next(each);
        }
        if self.way.ordered - self.way.told > AHEAD {
            self.tell_next(each);
        }
        let Way { at, found, ordered, told, .. } = self.way;
        self.way.full = (at - found, found - ordered, ordered - told) == (AHEAD, AHEAD, AHEAD);
    }

    /// Takes all steps through one turn after the other.
    fn advance_all(&mut self, each: &mut impl FnMut(&Books, Told)) {
        self.way.count([1; 3]);
        while self.way.found < self.way.at {
            self.find_next();
        }
        while self.way.ordered < self.way.found {
            self.order_next(each);
        }
        while self.way.told < self.way.ordered {
            self.tell_next(each);
        }
    }

    fn find_next(&mut self) {
        self.find_order(self.way.found);
        self.way.found += 1;
    }

    fn order_next(&mut self, each: &mut impl FnMut(&Books, Told)) {
        let Way { ordered, found, .. } = self.way;
        if self.orders.moves() != self.way.orders_moved {
            self.find_again(ordered, found);
        }
        if self.change_order(ordered) {
            self.way.ordered += 1;
        } else {
            self.take_unusual(each);
        }
    }

    fn tell_next(&mut self, each: &mut impl FnMut(&Books, Told)) {
        self.way.told += 1;
        self.tell(self.way.told - 1, self.way.ordered, each);
    }

    /// Finds the order of a step, and asks for it.
    #[inline(always)]
    fn find_order(&mut self, number: usize) {
        self.orders.find_place(self.way.step(number));
    }

    /// Changes the order of a step; false where it is unusual, and nothing was done.
    #[inline(always)]
    fn change_order(&mut self, number: usize) -> bool {
        let step = &mut self.way.steps[number % ROOM];
        let Some((line, whereabouts)) = self.ladders.line_mut(step.slot) else { return false };
        // The second half of a replacement says bids by itself.
        let side = Side::ask_if((step.side as i8 | self.way.side as i8 & step.kind.second) & 1 != 0);
        if !self.orders.change(step, side, &mut line.instrument) {
            step.side = side;
            return false;
        }
        self.way.side = step.side;
        whereabouts.locate(line, step);
        true
    }

    /// Finds the level of a step, and asks for it.
    #[inline(always)]
    fn locate(&mut self, number: usize) {
        self.ladders.locate(self.way.step(number));
    }

    /// Changes the level of a step and tells what its change did. The orders of those before `ordered` are changed.
    #[inline(always)]
    fn tell(&mut self, number: usize, ordered: usize, each: &mut impl FnMut(&Books, Told)) {
        if self.ladders.moves() != self.way.windows_moved {
            self.locate_again(number, ordered);
        }
        let step = &self.way.steps[number % ROOM];
        if step.kind.more() {
            return self.tell_later(number);
        }
        let shows = self.ladders.change(step);
        let at = At { slot: step.slot, side: step.side };
        let best = self.ladders.best(at);
        let second = step.kind.second != 0;
        let changed = shows.top | (self.way.changed & second);
        // Whether it is a second half nobody can foretell.
        let (now, before) = (best.unwrap_or(NOTHING), self.way.before);
        let differs = (now.price ^ before.price) as u64 | (now.quantity ^ before.quantity) != 0;
        let best_changed = (shows.best & !second) | (differs & second);
        let applied = Applied { changed, contradiction: None };
        each(self, Told { slot: at.slot, side: at.side, applied, best, best_changed });
    }

    /// Changes the level of the first half of a replacement, of which is told together with the second.
    #[inline(never)]
    fn tell_later(&mut self, number: usize) {
        let step = &self.way.steps[number % ROOM];
        self.way.before = self.ladders.best(At { slot: step.slot, side: step.side }).unwrap_or(NOTHING);
        self.way.changed = self.ladders.change(step).top;
    }

    /// The next step is unusual: all before it is told, and it goes the general way.
    #[cold]
    #[inline(never)]
    fn take_unusual(&mut self, each: &mut impl FnMut(&Books, Told)) {
        while self.way.told < self.way.ordered {
            self.tell_next(each);
        }
        let number = self.way.ordered;
        let steps = [*self.way.step(number), *self.way.step(number + 1)];
        let steps = &steps[..if steps[0].kind.more() { 2 } else { 1 }];
        let (slot, side) = (steps[0].slot, self.side_of(&steps[0]));
        let mut before = self.best(slot, side);
        let mut applied = self.apply_steps(steps);
        if steps[0].kind.second != 0 {
            before = Some(self.way.before).filter(|best| best.quantity > 0);
            applied.changed |= self.way.changed;
        }
        let best = self.best(slot, side);
        self.way.ordered += steps.len();
        self.way.told = self.way.ordered;
        self.way.found = self.way.found.max(self.way.ordered);
        each(self, Told { slot, side, applied, best, best_changed: best != before });
    }

    /// Orders moved: where those are whose turn is still to come has to be found once more.
    #[cold]
    #[inline(never)]
    fn find_again(&mut self, ordered: usize, found: usize) {
        self.orders.tidy();
        let end = self.way.at + usize::from(self.way.coming);
        loop {
            self.way.orders_moved = self.orders.moves();
            for number in ordered..end {
                let step = &mut self.way.steps[number % ROOM];
                step.group = self.orders.ask(step.order);
                if number < found {
                    self.orders.find_place(step);
                }
            }
            if self.orders.moves() == self.way.orders_moved {
                return;
            }
        }
    }

    /// Windows moved, and with them levels that are still to change.
    #[cold]
    #[inline(never)]
    fn locate_again(&mut self, told: usize, ordered: usize) {
        self.way.windows_moved = self.ladders.moves();
        for number in told..ordered {
            self.locate(number);
        }
    }

    /// The side of the order that the step is about; of one that is nowhere, what the step says.
    #[cold]
    fn side_of(&self, step: &Step) -> Side {
        let known = self.instrument(step.slot).and_then(|i| self.orders.find(step.order, i.whose).ok());
        known.filter(|_| step.kind.enters == 0).map_or(step.side, |found| found.side())
    }

    /// One change by itself, or what is left of it.
    fn apply_steps(&mut self, steps: &[Step]) -> Applied {
        let Step { order, price, quantity, slot, side, kind: Kind { act, second, .. }, .. } = steps[0];
        if second != 0 {
            return self.put_new(slot, order, side, price, quantity);
        }
        if self.instrument_mut(slot).is_none() {
            return Applied::NOTHING;
        }
        let new_order = steps.last().map_or(order, |last| last.order);
        self.apply_unusual(slot, &OrderChange { order, new_order, price, quantity, side, act })
    }

    /// The general way of a change.
    pub(super) fn apply_unusual(&mut self, slot: Slot, change: &OrderChange) -> Applied {
        let OrderChange { order, new_order, price, quantity, side, act } = *change;
        match act {
            OrderAct::Enters => self.put_new(slot, order, side, price, quantity),
            OrderAct::Executes => self.lessen(slot, order, quantity, Contradiction::OverExecution),
            OrderAct::Reduces => self.lessen(slot, order, quantity, Contradiction::OverReduction),
            OrderAct::Leaves => self.delete(slot, order),
            OrderAct::Replaces => self.replace(slot, order, new_order, price, quantity),
        }
    }
}
