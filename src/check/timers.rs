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

type Deadline = (u64, TimerKey);

/// A slot of the wheel is 2^18 ns, a quarter of a millisecond.
const SLOT_BITS: u32 = 18;
/// Slots of the wheel: what is more than 67 ms ahead waits outside.
const SLOTS: u64 = 256;

/// The deadlines: those of the slot that time is in and of slots before it in order; those of the wheel's slots by
/// slot, in no order; the rest in order. Most are milliseconds ahead, so putting one in costs the same however
/// many there are.
#[derive(Debug)]
pub struct Timers {
    near: BinaryHeap<Reverse<Deadline>>,
    /// The first slot whose deadlines are not in `near`.
    slot: u64,
    wheel: Vec<Vec<Deadline>>,
    /// Which slots of the wheel hold something.
    filled: [u64; SLOTS as usize / 64],
    far: BinaryHeap<Reverse<Deadline>>,
    /// The earliest deadline that is not in `near`, `u64::MAX` for none.
    ahead: u64,
    /// The time that has been reached: no deadline fires before it.
    now: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Timers {
            near: BinaryHeap::new(),
            slot: 0,
            wheel: vec![Vec::new(); SLOTS as usize],
            filled: Default::default(),
            far: BinaryHeap::new(),
            ahead: u64::MAX,
            now: 0,
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
            self.put((at, key));
        }
    }

    fn put(&mut self, deadline: Deadline) {
        let slot = deadline.0 >> SLOT_BITS;
        if slot < self.slot {
            self.near.push(Reverse(deadline));
            return;
        }
        if slot - self.slot >= SLOTS {
            // The wheel may be far behind the time when nothing was due for a while.
            self.turn(self.now.min(self.ahead) >> SLOT_BITS);
        }
        self.ahead = self.ahead.min(deadline.0);
        if slot - self.slot < SLOTS {
            self.put_in_slot(slot, deadline);
        } else {
            self.far.push(Reverse(deadline));
        }
    }

    fn put_in_slot(&mut self, slot: u64, deadline: Deadline) {
        let index = (slot % SLOTS) as usize;
        self.wheel[index].push(deadline);
        self.filled[index / 64] |= 1 << (index % 64);
    }

    /// The wheel begins at `slot`; nothing is in the slots that it leaves.
    fn turn(&mut self, slot: u64) {
        self.slot = self.slot.max(slot);
        while let Some(Reverse(deadline)) = self.far.peek() {
            let slot = deadline.0 >> SLOT_BITS;
            if slot.saturating_sub(self.slot) >= SLOTS {
                return;
            }
            let deadline = *deadline;
            self.far.pop();
            self.put_in_slot(slot, deadline);
        }
    }

    /// Puts the earliest slot in order.
    fn fetch(&mut self) {
        self.turn(self.ahead >> SLOT_BITS);
        let index = (self.slot % SLOTS) as usize;
        self.near.extend(self.wheel[index].drain(..).map(Reverse));
        self.filled[index / 64] &= !(1 << (index % 64));
        self.turn(self.slot + 1);
        let first = self.first_filled().and_then(|slot| self.wheel[slot].iter().map(|d| d.0).min());
        self.ahead = first.or(self.far.peek().map(|Reverse((at, _))| *at)).unwrap_or(u64::MAX);
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
        let near = self.near.peek().map(|Reverse((at, _))| *at);
        near.or((self.ahead != u64::MAX).then_some(self.ahead))
    }

    /// The earliest deadline that is due at `now`.
    #[inline]
    pub fn pop(&mut self, now: u64) -> Option<(u64, TimerKey)> {
        if self.next()? > now {
            return None;
        }
        if self.near.is_empty() {
            self.fetch();
        }
        let Reverse(entry) = self.near.pop()?;
        self.reached(entry.0);
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_fire_in_order_of_time_and_key(
            steps in prop::collection::vec((0..4u8, 0..1u64 << 34, 0..40u32), 1..400),
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
