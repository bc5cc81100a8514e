//! Deadlines in event time, fired in order of time, then of key: the same order in every replay.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What wants to be looked at again. At equal times, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerKey {
    /// A source may have fallen silent.
    Source(u16),
    /// A channel of a source may have.
    Channel(u16, u16),
    /// A line of a channel may have.
    Line(u16, u16, u16),
    /// A line may be good again.
    LineGood(u16, u16, u16),
    /// A source's clock may be good again.
    Clock(u16),
    /// An instrument may have stopped moving on a view.
    Stale(u32),
    /// Crossed or locked within a view.
    View(u32),
    /// A pair of views.
    Pair(u32),
    /// An instrument that a source does not carry.
    Missing(u32),
}

/// Whether the deadline that fires at `at` is the one its owner waits for; then the owner waits for none.
#[inline]
pub fn is_due(armed: &mut u64, at: u64) -> bool {
    let due = *armed == at;
    if due {
        *armed = u64::MAX;
    }
    due
}

impl TimerKey {
    /// A number that is in order as the keys are: the kind, then what it is of.
    #[inline]
    fn number(self) -> u64 {
        let of = |kind: u64, what: u64| kind << 48 | what;
        match self {
            TimerKey::Source(source) => of(0, source as u64),
            TimerKey::Channel(source, channel) => of(1, (source as u64) << 16 | channel as u64),
            TimerKey::Line(source, channel, line) => of(2, line_number(source, channel, line)),
            TimerKey::LineGood(source, channel, line) => of(3, line_number(source, channel, line)),
            TimerKey::Clock(source) => of(4, source as u64),
            TimerKey::Stale(view) => of(5, view as u64),
            TimerKey::View(view) => of(6, view as u64),
            TimerKey::Pair(pair) => of(7, pair as u64),
            TimerKey::Missing(index) => of(8, index as u64),
        }
    }

    /// The key of that number.
    #[inline]
    fn of(number: u64) -> TimerKey {
        let [first, second, third] = [(number >> 32) as u16, (number >> 16) as u16, number as u16];
        match number >> 48 {
            0 => TimerKey::Source(third),
            1 => TimerKey::Channel(second, third),
            2 => TimerKey::Line(first, second, third),
            3 => TimerKey::LineGood(first, second, third),
            4 => TimerKey::Clock(third),
            5 => TimerKey::Stale(number as u32),
            6 => TimerKey::View(number as u32),
            7 => TimerKey::Pair(number as u32),
            _ => TimerKey::Missing(number as u32),
        }
    }
}

const fn line_number(source: u16, channel: u16, line: u16) -> u64 {
    (source as u64) << 32 | (channel as u64) << 16 | line as u64
}

/// A time, and below it the number of a key: one comparison puts them in order.
type Deadline = u128;

#[inline]
fn deadline(at: u64, key: TimerKey) -> Deadline {
    (at as u128) << 64 | key.number() as u128
}

#[inline]
const fn time_of(deadline: Deadline) -> u64 {
    (deadline >> 64) as u64
}

#[inline]
fn key_of(deadline: Deadline) -> TimerKey {
    TimerKey::of(deadline as u64)
}

const fn stretch_of(slot: u64) -> u64 {
    slot >> STRETCH_BITS
}

/// A slot of the wheel is 2^18 ns, a quarter of a millisecond.
const SLOT_BITS: u32 = 18;
/// Slots of the wheel. What is further ahead than it is sure to reach, at least 67 ms, waits in a wheel of whole
/// stretches.
const SLOTS: u64 = 512;
/// Slots of a stretch, 67 ms.
const STRETCH_BITS: u32 = 8;
/// Stretches of the other wheel: what is more than 17 s ahead waits outside.
const STRETCHES: u64 = 256;

/// The deadlines: those of the slot that time is in in order, those that came to it or to slots before it since then in
/// order; those of the wheel's slots by slot, in no order; those of later stretches by stretch, in no order; the rest in
/// order. Hardly one is so far ahead or so near, so putting one in and taking it out costs the same however many there are.
#[derive(Debug)]
pub struct Timers {
    /// The latest first.
    near: Vec<Deadline>,
    late: BinaryHeap<Reverse<Deadline>>,
    /// The first slot whose deadlines are in neither.
    slot: u64,
    wheel: Vec<Vec<Deadline>>,
    /// Which slots of the wheel hold something.
    filled: [u64; SLOTS as usize / 64],
    /// Stretches from the second after the one that `slot` is in.
    stretches: Vec<Vec<Deadline>>,
    /// How many deadlines are in those.
    stretched: usize,
    far: BinaryHeap<Reverse<Deadline>>,
    /// The earliest deadline that is in neither, `u64::MAX` for none.
    ahead: u64,
    /// The time that has been reached: no deadline fires before it.
    now: u64,
    /// What was put in order last, to be taken by [`Timers::take_coming`].
    coming: Vec<TimerKey>,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            near: Vec::new(),
            late: BinaryHeap::new(),
            slot: 0,
            wheel: vec![Vec::new(); SLOTS as usize],
            filled: Default::default(),
            stretches: vec![Vec::new(); STRETCHES as usize],
            stretched: 0,
            far: BinaryHeap::new(),
            ahead: u64::MAX,
            now: 0,
            coming: Vec::new(),
        }
    }
}

impl Timers {
    /// Wants `key` to be looked at at `at`. `armed` is the key's own record of its earliest pending deadline
    /// (`u64::MAX` when none): what is pending earlier is enough, the owner asks again when it fires.
    #[inline]
    pub fn arm(&mut self, key: TimerKey, at: u64, armed: &mut u64) {
        let at = at.max(self.now);
        if at < *armed {
            *armed = at;
            self.put(deadline(at, key));
        }
    }

    fn put(&mut self, deadline: Deadline) {
        let slot = time_of(deadline) >> SLOT_BITS;
        if slot < self.slot {
            self.late.push(Reverse(deadline));
            return;
        }
        if stretch_of(slot) > self.stretch() + 1 {
            // The wheel may be far behind the time when nothing was due for a while.
            self.turn(self.now.min(self.ahead) >> SLOT_BITS);
        }
        self.ahead = self.ahead.min(time_of(deadline));
        self.put_ahead(deadline);
    }

    /// The stretch that the wheel begins in; the wheel reaches to the end of the next.
    fn stretch(&self) -> u64 {
        stretch_of(self.slot)
    }

    fn put_ahead(&mut self, deadline: Deadline) {
        let slot = time_of(deadline) >> SLOT_BITS;
        let (stretch, here) = (stretch_of(slot), self.stretch());
        if stretch <= here + 1 {
            let index = (slot % SLOTS) as usize;
            self.wheel[index].push(deadline);
            self.filled[index / 64] |= 1 << (index % 64);
        } else if stretch - here < STRETCHES {
            self.stretches[(stretch % STRETCHES) as usize].push(deadline);
            self.stretched += 1;
        } else {
            self.far.push(Reverse(deadline));
        }
    }

    /// The wheel begins at `slot`; nothing is in the slots that it leaves.
    fn turn(&mut self, slot: u64) {
        let before = self.stretch();
        self.slot = self.slot.max(slot);
        let here = self.stretch();
        if here == before {
            return;
        }
        // What the wheel reaches now. Further turns than all stretches pass none by that holds anything.
        let newly = (before + 2).max(here)..here + 2;
        for stretch in newly {
            let mut deadlines = std::mem::take(&mut self.stretches[(stretch % STRETCHES) as usize]);
            self.stretched -= deadlines.len();
            deadlines.drain(..).for_each(|deadline| self.put_ahead(deadline));
            self.stretches[(stretch % STRETCHES) as usize] = deadlines;
        }
        while let Some(Reverse(deadline)) = self.far.peek() {
            if stretch_of(time_of(*deadline) >> SLOT_BITS) - here >= STRETCHES {
                return;
            }
            let deadline = *deadline;
            self.far.pop();
            self.put_ahead(deadline);
        }
    }

    /// Puts the earliest slot in order.
    fn fetch(&mut self) {
        self.turn(self.ahead >> SLOT_BITS);
        let index = (self.slot % SLOTS) as usize;
        self.coming.clear();
        self.coming.extend(self.wheel[index].iter().map(|deadline| key_of(*deadline)));
        // All that was near has been taken: the lists change places, and neither is made anew.
        std::mem::swap(&mut self.near, &mut self.wheel[index]);
        self.near.sort_unstable_by(|a, b| b.cmp(a));
        self.filled[index / 64] &= !(1 << (index % 64));
        self.turn(self.slot + 1);
        let first = self.first_filled().and_then(|slot| self.wheel[slot].iter().copied().min()).map(time_of);
        let first = first.or_else(|| self.first_stretched());
        self.ahead = first.or(self.far.peek().map(|Reverse(d)| time_of(*d))).unwrap_or(u64::MAX);
    }

    /// Whether anything was put in order since [`Timers::take_coming`].
    #[inline]
    pub fn has_coming(&self) -> bool {
        !self.coming.is_empty()
    }

    /// What was put in order since the last call: owners that will be looked at soon.
    pub fn take_coming(&mut self) -> std::vec::Drain<'_, TimerKey> {
        self.coming.drain(..)
    }

    /// The earliest deadline of the stretches.
    fn first_stretched(&self) -> Option<u64> {
        if self.stretched == 0 {
            return None;
        }
        let mut later = self.stretch() + 2..self.stretch() + STRETCHES;
        later
            .find_map(|stretch| self.stretches[(stretch % STRETCHES) as usize].iter().copied().min())
            .map(time_of)
    }

    fn first_filled(&self) -> Option<usize> {
        let start = (self.slot % SLOTS) as usize;
        let words = self.filled.len();
        let part = |word: usize, mask: u64| {
            let bits = self.filled[word] & mask;
            (bits != 0).then(|| word * 64 + bits.trailing_zeros() as usize)
        };
        let from = u64::MAX << (start % 64);
        part(start / 64, from)
            .or_else(|| (1..words).find_map(|n| part((start / 64 + n) % words, u64::MAX)))
            .or_else(|| part(start / 64, !from))
    }

    /// Time has come to `now`.
    #[inline]
    pub fn reached(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// The earliest deadline.
    #[inline]
    pub fn next(&self) -> Option<u64> {
        let near = self.near.last().map_or(u64::MAX, |d| time_of(*d));
        let late = self.late.peek().map_or(u64::MAX, |Reverse(d)| time_of(*d));
        let first = near.min(late);
        let first = if first == u64::MAX { self.ahead } else { first };
        (first != u64::MAX).then_some(first)
    }

    /// The earliest deadline that is due at `now`.
    #[inline]
    pub fn pop(&mut self, now: u64) -> Option<(u64, TimerKey)> {
        if self.next()? > now {
            return None;
        }
        if self.near.is_empty() && self.late.is_empty() {
            self.fetch();
        }
        let next = match (self.near.last(), self.late.peek()) {
            (Some(near), Some(Reverse(late))) if late < near => self.late.pop()?.0,
            (Some(_), _) => self.near.pop()?,
            (None, _) => self.late.pop()?.0,
        };
        self.reached(time_of(next));
        Some((time_of(next), key_of(next)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_in_the_order_of_the_keys() {
        let parts = [0, 1, 0x7fff, u16::MAX];
        let mut keys = Vec::new();
        for a in parts {
            keys.extend([TimerKey::Source(a), TimerKey::Clock(a)]);
            for b in parts {
                let wide = u32::from(a) << 16 | u32::from(b);
                keys.extend([TimerKey::Channel(a, b), TimerKey::Stale(wide), TimerKey::View(wide)]);
                keys.extend([TimerKey::Pair(wide), TimerKey::Missing(wide)]);
                keys.extend(parts.map(|c| TimerKey::Line(a, b, c)));
                keys.extend(parts.map(|c| TimerKey::LineGood(a, b, c)));
            }
        }
        keys.sort();
        assert!(keys.windows(2).all(|two| two[0].number() < two[1].number()));
        assert!(keys.iter().all(|key| TimerKey::of(key.number()) == *key));
    }

    proptest! {
        #[test]
        fn they_fire_in_order_of_time_and_key(
            steps in prop::collection::vec((0..4u8, 0..1u64 << 36, 0..40u32), 1..400),
        ) {
            let (mut timers, mut plain) = (Timers::default(), BinaryHeap::new());
            let mut now = 1_700_000_000_000_000_000;
            for (scale, ahead, key) in steps {
                let key = if key % 2 == 0 { TimerKey::Pair(key) } else { TimerKey::View(key) };
                let at = now + (ahead >> (scale * 8));
                timers.arm(key, at, &mut u64::MAX.clone());
                plain.push(Reverse((at, key)));
                if ahead % 3 == 0 {
                    now += (ahead >> 12) % (1 << (10 + scale * 6));
                }
                loop {
                    prop_assert_eq!(timers.next(), plain.peek().map(|Reverse((at, _))| *at));
                    let due = plain.peek().is_some_and(|Reverse((at, _))| *at <= now);
                    let fired = timers.pop(now);
                    prop_assert_eq!(fired, due.then(|| plain.pop().unwrap().0));
                    if fired.is_none() {
                        break;
                    }
                }
                timers.reached(now);
            }
        }
    }
}
