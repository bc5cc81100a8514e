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

/// The deadlines.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(u64, TimerKey)>>,
    /// The time that has been reached: no deadline fires before it.
    now: u64,
}

impl Timers {
    /// Wants `key` to be looked at at `at`. `armed` is the key's own record of its earliest pending deadline
    /// (`u64::MAX` when none): what is pending earlier is enough, the owner asks again when it fires.
    #[inline]
    pub fn arm(&mut self, key: TimerKey, at: u64, armed: &mut u64) {
        let at = at.max(self.now);
        if at < *armed {
            *armed = at;
            self.heap.push(Reverse((at, key)));
        }
    }

    /// Time has come to `now`.
    #[inline]
    pub fn reached(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// The earliest deadline.
    #[inline]
    pub fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The earliest deadline that is due at `now`.
    #[inline]
    pub fn pop(&mut self, now: u64) -> Option<(u64, TimerKey)> {
        if self.next()? > now {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        self.reached(entry.0);
        Some(entry)
    }
}
