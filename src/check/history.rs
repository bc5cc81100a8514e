//! Prices that one side of a view showed lately: when it came to each, and when it left it.

/// How many different prices are remembered at most; the longest gone is forgotten first.
const PRICES_MAX: usize = 128;

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
#[derive(Debug, Clone, Default)]
pub struct History {
    current: Option<Current>,
    /// Oldest departure first.
    gone: Vec<Shown>,
}

impl History {
    /// The side shows `price` from `now`; answers whether that is another price than before.
    pub fn show(&mut self, now: u64, price: Option<i64>, window_ns: u64) -> bool {
        if self.current.map(|c| c.price) == price {
            return false;
        }
        let horizon = now.saturating_sub(window_ns);
        // Oldest departure first: what lies beyond the window is at the front.
        let beyond = self.gone.partition_point(|s| s.left < horizon);
        self.gone.drain(..beyond);
        if let Some(Current { price: old, came, .. }) = self.current.take() {
            if self.gone.len() == PRICES_MAX {
                self.gone.remove(0);
            }
            self.gone.push(Shown { price: old, came, left: now });
        }
        if let Some(price) = price {
            let earlier = self.gone.iter().position(|s| s.price == price).map(|at| self.gone.remove(at));
            self.current = Some(Current { price, came: earlier.map_or(now, |s| s.came), since: now });
        }
        true
    }

    /// The price shown now.
    pub fn current(&self) -> Option<Current> {
        self.current
    }

    /// Whether it came to `price` or left it within the last `within_ns`: who shows it now follows.
    pub fn has_shown(&self, now: u64, price: i64, within_ns: u64) -> bool {
        match self.current {
            Some(current) if current.price == price => now <= current.since.saturating_add(within_ns),
            _ => self.left(now, price, within_ns).is_some(),
        }
    }

    /// The latest departure from `price`, not longer than `window_ns` ago.
    pub fn left(&self, now: u64, price: i64, window_ns: u64) -> Option<Shown> {
        let found = self.gone.iter().rev().find(|s| s.price == price)?;
        (now - found.left.min(now) <= window_ns).then_some(*found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for i in 0..10_000 {
            history.show(i, Some(i as i64), u64::MAX);
        }
        assert_eq!(history.gone.len(), PRICES_MAX);
    }
}
