//! `lagging`: one source shows what the other showed earlier, and is later than the limit.

use super::history::{Current, History};

/// The check's document.
pub const DOCUMENT: &str = "\
lagging: one source shows a price that its peer showed earlier, later than the limit

Definition   While two comparable views differ on a side, the view that still shows a price its peer came to
             before it and has left is behind, by the time since the peer left that price. Where each shows what the
             other has left, the smaller lag counts, unless the one it would blame was first by more than lag_limit
             in the last three matched updates of the two sources. A view that came to the price before its peer is
             behind only on evidence: the peer was first in the last three matched updates, or the source has been
             unusually quiet since the peer moved. Otherwise the peer's new price is one it was not known to show.
Inputs       Both views' prices and when they came to and left them; arrivals of both sources.
Parameters   lag_limit (20ms): lag that is normal flight time and only counted. window (10s): how far back a
             price counts as shown earlier (the latest 128 prices of a side at most). off_delay (5ms): agreement that ends the segment.
Opens        When the lag passes lag_limit; began is the segment's. A price that jumps back to an old one must
             have stood for lag_limit.
Escalates    To divergent, when it goes on beyond the window, or the price is one that the peer never showed.
Clears       When the views have agreed for off_delay, or are no longer comparable.
Held back    While nothing at all arrives from the late source (it may be silent rather than late): told at its
             next packet, or as silent. While its instrument is stale. Lag within the limit goes to the histogram.";

/// Two views that come to a price within this time of each other came to it together: neither is known to lead.
pub const TOGETHER_NS: u64 = 100_000;

/// Why two views differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explanation {
    /// The view with that position in the pair shows what its peer left at `left`.
    Behind {
        /// 0 or 1: who is late.
        who: usize,
        /// When the peer left the price.
        left: u64,
    },
    /// One shows a price that the other has not shown.
    None,
}

/// What else is known of who is late.
pub trait Evidence {
    /// Whether this one is late although it came to the price first, given when the peer left the price.
    fn late(&self, who: usize, left: u64) -> bool;
    /// Whether this one was lately the first by more than the limit, every time.
    fn is_far_ahead(&self, who: usize) -> bool;
}

/// Explains a difference at `now` from what both sides showed lately.
pub fn explain(now: u64, sides: [&History; 2], window_ns: u64, evidence: &impl Evidence) -> Explanation {
    let old = |who: usize| {
        let current = sides[who].current()?;
        let shown = sides[1 - who].left(now, current.price, window_ns)?;
        Some((current, shown))
    };
    let (who, left) = match (old(0), old(1)) {
        // Each shows what the other left: the smaller lag, unless the one that it would blame has been ahead.
        (Some((_, by_b)), Some((_, by_a))) => {
            let who = usize::from(by_a.left > by_b.left);
            let who = if evidence.is_far_ahead(who) { 1 - who } else { who };
            (who, [by_b, by_a][who].left)
        }
        (None, None) => return Explanation::None,
        (a, b) => {
            let who = usize::from(a.is_none());
            let Some((Current { came, .. }, shown)) = a.or(b) else { return Explanation::None };
            // The peer must have been there first: a source that was first to a price does not follow.
            let followed = shown.came <= came.saturating_add(TOGETHER_NS);
            if !followed && !evidence.late(who, shown.left) {
                return Explanation::None;
            }
            (who, shown.left)
        }
    };
    Explanation::Behind { who, left }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Evidence for Nothing {
        fn late(&self, _: usize, _: u64) -> bool {
            false
        }

        fn is_far_ahead(&self, _: usize) -> bool {
            false
        }
    }

    fn history(shown: &[(u64, i64)]) -> History {
        let mut history = History::default();
        for (at, price) in shown {
            history.show(*at, Some(*price), u64::MAX);
        }
        history
    }

    const MS: u64 = 1_000_000;

    #[test]
    fn the_follower_is_behind_the_leader() {
        let leader = history(&[(0, 10), (50 * MS, 11)]);
        let follower = history(&[(MS, 10)]);
        assert_eq!(
            explain(60 * MS, [&leader, &follower], u64::MAX, &Nothing),
            Explanation::Behind { who: 1, left: 50 * MS }
        );
        assert_eq!(
            explain(60 * MS, [&follower, &leader], u64::MAX, &Nothing),
            Explanation::Behind { who: 0, left: 50 * MS }
        );
    }

    #[test]
    fn a_wrong_price_of_the_follower_is_not_the_leaders_lag() {
        let leader = history(&[(0, 10)]);
        let follower = history(&[(MS, 10), (50 * MS, 99)]);
        assert_eq!(explain(60 * MS, [&leader, &follower], u64::MAX, &Nothing), Explanation::None);
    }

    #[test]
    fn beyond_the_window_nothing_is_explained() {
        let leader = history(&[(0, 10), (50 * MS, 11)]);
        let follower = history(&[(MS, 10)]);
        assert_eq!(explain(60 * MS, [&leader, &follower], 9 * MS, &Nothing), Explanation::None);
    }

    #[test]
    fn the_smaller_lag_counts() {
        let a = history(&[(0, 10), (20 * MS, 11), (40 * MS, 12)]);
        let b = history(&[(MS, 10), (5 * MS, 12), (6 * MS, 10), (30 * MS, 11)]);
        // b shows 11, which a left at 40; a shows 12, which b left at 6.
        assert_eq!(
            explain(45 * MS, [&a, &b], u64::MAX, &Nothing),
            Explanation::Behind { who: 1, left: 40 * MS }
        );
    }
}
