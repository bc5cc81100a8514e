//! Prices that one side of a view showed lately: when it came to each, and when it left it.
//!
//! The price shown and the one left last are in the history itself, one cache line; what was left before lies in a
//! ring that is made when it is needed and grows to `PRICES_MAX` at most.

/// How many different prices are remembered at most; the longest gone is forgotten first.
const PRICES_MAX: usize = 128;
/// A time that is none.
const NEVER: u64 = u64::MAX;
/// Departure of an entry that counts no more.
const DEAD: u64 = 0;

/// One price that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Price, units of 1e-9.
    pub price: i64,
    /// When the view first came to it, short absences (within the window) passed over.
    pub came: u64,
    /// When it last left it.
    pub left: u64,
}

/// The price shown now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current {
    /// Price, units of 1e-9.
    pub price: i64,
    /// When the view first came to it, short absences (within the window) passed over.
    pub came: u64,
    /// Since when it shows it without a break.
    pub since: u64,
}

/// The prices of one side of one view.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct History {
    current: Current,
    /// What it left last.
    latest: Shown,
    /// How many entries [`Older`] has, in the highest eight bits; in the others which prices they may be of. With
    /// that, most moves and questions need not look there.
    filter: u64,
    older: Option<Box<Older>>,
}

/// What it left before, oldest departure first; entries may be dead or beyond the window.
#[derive(Debug, Clone, Default)]
struct Older {
    entries: Vec<Shown>,
}

const NOTHING: Shown = Shown { price: 0, came: 0, left: NEVER };

impl Default for History {
    fn default() -> Self {
        let current = Current { price: 0, came: 0, since: NEVER };
        History { current, latest: NOTHING, filter: 0, older: None }
    }
}

/// Where the number of entries is in a filter; the bits below are the prices'.
const COUNT_AT: u32 = 56;

#[inline]
fn bit(price: i64) -> u64 {
    let hash = (price as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    1 << ((hash * u64::from(COUNT_AT)) >> 32)
}

impl Older {
    /// Where a price is that counts.
    fn find(&self, price: i64) -> Option<usize> {
        self.entries.iter().rposition(|s| s.price == price && s.left != DEAD)
    }

    /// Forgets what counts no more.
    fn compact(&mut self, horizon: u64) {
        self.entries.retain(|s| s.left != DEAD && s.left >= horizon);
    }

    fn filter(&self) -> u64 {
        let prices = self.entries.iter().fold(0, |filter, s| filter | bit(s.price));
        prices | (self.entries.len() as u64) << COUNT_AT
    }
}

impl History {
    /// The side shows `price` from `now`; answers whether that is another price than before.
    #[inline]
    pub fn show(&mut self, now: u64, price: Option<i64>, window_ns: u64) -> bool {
        if self.current().map(|c| c.price) == price {
            return false;
        }
        let horizon = now.saturating_sub(window_ns);
        let leaving = self.current.since != NEVER;
        let gone = Shown { price: self.current.price, came: self.current.came, left: now };
        self.current.since = NEVER;
        if leaving && self.filter >> COUNT_AT >= PRICES_MAX as u64 - 1 {
            self.make_room(horizon);
        }
        if let Some(price) = price {
            let came = self.came_back(price, horizon).unwrap_or(now);
            self.current = Current { price, came, since: now };
        }
        if leaving {
            self.leave(gone, horizon);
        }
        true
    }

    /// One more is about to be left: when as many are remembered as may, the longest gone is forgotten.
    fn make_room(&mut self, horizon: u64) {
        let Some(older) = &mut self.older else { return };
        older.compact(horizon);
        if older.entries.len() == PRICES_MAX - 1 && self.latest.left != NEVER {
            older.entries.remove(0);
        }
        self.filter = older.filter();
    }

    /// Takes `price` out of what was left; answers when the view first came to it.
    fn came_back(&mut self, price: i64, horizon: u64) -> Option<u64> {
        if self.latest.left != NEVER && self.latest.price == price {
            let found = std::mem::replace(&mut self.latest, NOTHING);
            return (found.left >= horizon).then_some(found.came);
        }
        if self.filter & bit(price) == 0 {
            return None;
        }
        let older = self.older.as_mut()?;
        let at = older.find(price)?;
        let found = older.entries[at];
        older.entries[at].left = DEAD;
        (found.left >= horizon).then_some(found.came)
    }

    fn leave(&mut self, gone: Shown, horizon: u64) {
        let before = std::mem::replace(&mut self.latest, gone);
        if before.left == NEVER || before.left < horizon {
            return;
        }
        let older = self.older.get_or_insert_default();
        if older.entries.len() == older.entries.capacity() {
            older.compact(horizon);
            self.filter = older.filter();
        }
        older.entries.push(before);
        self.filter = (self.filter | bit(before.price)) + (1 << COUNT_AT);
    }

    /// The price shown now.
    #[inline]
    pub fn current(&self) -> Option<Current> {
        (self.current.since != NEVER).then_some(self.current)
    }

    /// Something of the line that it is, and of the one behind that where there is one.
    #[inline]
    pub fn lines(&self) -> [u64; 2] {
        [self.filter, self.older.as_ref().map_or(0, |older| older.entries.len() as u64)]
    }

    /// Something of the line that the next price left will be in.
    #[inline]
    pub fn last_line(&self) -> u64 {
        self.older.as_ref().and_then(|older| older.entries.last()).map_or(0, |shown| shown.left)
    }

    /// Whether it came to `price` or left it within the last `within_ns`: who shows it now follows.
    pub fn has_shown(&self, now: u64, price: i64, within_ns: u64) -> bool {
        match self.current() {
            Some(current) if current.price == price => now <= current.since.saturating_add(within_ns),
            _ => self.left(now, price, within_ns).is_some(),
        }
    }

    /// The latest departure from `price`, not longer than `window_ns` ago.
    #[inline]
    pub fn left(&self, now: u64, price: i64, window_ns: u64) -> Option<Shown> {
        let found = if self.latest.left != NEVER && self.latest.price == price {
            self.latest
        } else if self.filter & bit(price) != 0 {
            let older = self.older.as_ref()?;
            older.entries[older.find(price)?]
        } else {
            return None;
        };
        (now - found.left.min(now) <= window_ns).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_one_cache_line() {
        assert_eq!(size_of::<History>(), 64);
    }

    #[test]
    fn remembers_when_it_left_a_price() {
        let mut history = History::default();
        assert!(history.show(1, Some(10), 100));
        assert!(!history.show(2, Some(10), 100));
        assert!(history.show(5, Some(11), 100));
        assert_eq!(history.left(7, 10, 100), Some(Shown { price: 10, came: 1, left: 5 }));
        assert_eq!(history.left(7, 11, 100), None, "still shown");
        history.show(8, Some(10), 100);
        history.show(9, None, 100);
        assert_eq!(history.left(10, 10, 100), Some(Shown { price: 10, came: 1, left: 9 }), "first came at 1");
        assert_eq!(history.left(110, 10, 100), None, "beyond the window");
        assert!(history.has_shown(12, 10, 3) && !history.has_shown(13, 10, 3));
        history.show(20, Some(12), 100);
        assert!(history.has_shown(23, 12, 3) && !history.has_shown(24, 12, 3));
    }

    #[test]
    fn stays_small() {
        let mut history = History::default();
        for i in 1..10_000 {
            history.show(i, Some(i as i64), u64::MAX);
            assert!(history.older.as_ref().is_none_or(|o| o.entries.len() < PRICES_MAX));
        }
        assert!(history.left(10_000, 9_871, u64::MAX).is_some());
        assert_eq!(history.left(10_000, 9_870, u64::MAX), None, "the longest gone is forgotten");
    }

    /// The rule in its plainest form: a list, oldest departure first.
    #[derive(Default)]
    struct Plain {
        current: Option<Current>,
        gone: Vec<Shown>,
    }

    impl Plain {
        fn show(&mut self, now: u64, price: Option<i64>, window_ns: u64) -> bool {
            if self.current.map(|c| c.price) == price {
                return false;
            }
            self.gone.retain(|s| s.left >= now.saturating_sub(window_ns));
            if let Some(Current { price, came, .. }) = self.current.take() {
                if self.gone.len() == PRICES_MAX {
                    self.gone.remove(0);
                }
                self.gone.push(Shown { price, came, left: now });
            }
            if let Some(price) = price {
                let earlier = self.gone.iter().position(|s| s.price == price).map(|at| self.gone.remove(at));
                self.current = Some(Current { price, came: earlier.map_or(now, |s| s.came), since: now });
            }
            true
        }

        fn left(&self, now: u64, price: i64, window_ns: u64) -> Option<Shown> {
            let found = self.gone.iter().rev().find(|s| s.price == price)?;
            (now - found.left.min(now) <= window_ns).then_some(*found)
        }
    }

    proptest! {
        #[test]
        fn it_remembers_what_a_plain_list_does(
            prices in 3..300i64,
            window in 1..2_000u64,
            steps in prop::collection::vec((0..20u64, 0..300i64, 0..300i64), 1..600),
        ) {
            let (mut plain, mut history, mut now) = (Plain::default(), History::default(), 1);
            for (wait, price, asked) in steps {
                now += wait;
                let price = (price % 17 != 0).then_some(price % prices);
                prop_assert_eq!(history.show(now, price, window), plain.show(now, price, window));
                prop_assert_eq!(history.current(), plain.current);
                let asked = asked % prices;
                prop_assert_eq!(history.left(now, asked, window), plain.left(now, asked, window));
                prop_assert_eq!(history.left(now, asked, window / 2), plain.left(now, asked, window / 2));
            }
        }
    }
}
