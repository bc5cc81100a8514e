//! Who shows an update first, and by how much: the same update matched in two sources.
//!
//! Two sources of one feed are matched packet by packet, by sequence number, as long as a session of theirs is the same.
//! Others are matched by price: the move of a side to a price in one, and the next move to that price in the other. Times
//! are receive times.

use std::collections::VecDeque;

use hashbrown::HashMap;

/// A match: who was first, and by how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Receive time of the second source minus that of the first; negative when the second led.
    pub lead_ns: i64,
}

/// `second - first`, held within what a histogram takes.
fn lead(first: u64, second: u64) -> i64 {
    let ns = i128::from(second) - i128::from(first);
    ns.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// Moves that one of two views made and the other has not yet; `K` is what they moved to.
#[derive(Debug)]
pub struct MoveMatcher<K> {
    pending: [VecDeque<(u8, K, u64)>; 2],
}

/// Moves to a price.
pub type PriceMatcher = MoveMatcher<i64>;

impl<K> Default for MoveMatcher<K> {
    fn default() -> Self {
        MoveMatcher { pending: [VecDeque::new(), VecDeque::new()] }
    }
}

/// Moves that wait for their match, per view, at most.
const PENDING_MAX: usize = 16;

impl<K: Copy + PartialEq> MoveMatcher<K> {
    /// View `position` (0 or 1) moved its `side` to `price` at `ts_ns`. Answers the match, and how many older
    /// moves of either view are given up as unmatched.
    pub fn moved(
        &mut self,
        position: usize,
        side: u8,
        price: K,
        ts_ns: u64,
        window_ns: u64,
    ) -> (Option<Match>, [u64; 2]) {
        let mut given_up = [0, 0];
        for (count, queue) in given_up.iter_mut().zip(&mut self.pending) {
            while queue.front().is_some_and(|(_, _, ts)| ts_ns.saturating_sub(*ts) > window_ns) {
                queue.pop_front();
                *count += 1;
            }
        }
        let other = &mut self.pending[1 - position];
        if let Some(found) = other.iter().position(|(s, p, _)| *s == side && *p == price) {
            let Some((_, _, ts)) = other.remove(found) else { return (None, given_up) };
            if found > 0 {
                // Older moves of this side that the follower skipped will not be matched any more.
                let before = other.len();
                let mut index = 0;
                other.retain(|(s, _, _)| {
                    index += 1;
                    *s != side || index > found
                });
                given_up[1 - position] += (before - other.len()) as u64;
            }
            let own = &mut self.pending[position];
            if !own.is_empty() {
                // And what the follower did alone before it followed has no match to come: order is kept.
                let before = own.len();
                own.retain(|(s, _, _)| *s != side);
                given_up[position] += (before - own.len()) as u64;
            }
            let (first, second) = if position == 1 { (ts, ts_ns) } else { (ts_ns, ts) };
            return (Some(Match { lead_ns: lead(first, second) }), given_up);
        }
        let own = &mut self.pending[position];
        if own.len() == PENDING_MAX {
            own.pop_front();
            given_up[position] += 1;
        }
        own.push_back((side, price, ts_ns));
        (None, given_up)
    }

    /// The views have agreed on the side for longer than a flight: what was not matched until then never will be.
    /// Answers how many moves of either view are given up.
    pub fn settled(&mut self, side: u8) -> [u64; 2] {
        self.pending.each_mut().map(|queue| {
            let before = queue.len();
            queue.retain(|(s, _, _)| *s != side);
            (before - queue.len()) as u64
        })
    }

    /// Whether no move is waiting.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.pending.iter().all(VecDeque::is_empty)
    }

    /// Something of the lines that its moves are in.
    #[inline]
    pub fn lines(&self) -> u64 {
        self.pending.iter().filter_map(VecDeque::front).fold(0, |all, (_, _, ts)| all ^ ts)
    }

    /// Moves still waiting, per view.
    pub fn pending(&self) -> [u64; 2] {
        [self.pending[0].len() as u64, self.pending[1].len() as u64]
    }
}

/// Packets that one of two sources of a feed delivered and the other has not yet.
#[derive(Debug, Default)]
pub struct PacketMatcher {
    waiting: HashMap<(u16, u128, u64), (usize, u64)>,
    order: VecDeque<(u16, u128, u64)>,
    sessions: Sessions,
}

/// Whether the two number the same session, as far as is known.
#[derive(Debug)]
enum Sessions {
    /// No session was seen on both: those of each, by channel.
    Unmet([Vec<(u16, u128)>; 2]),
    /// One was: they stay matched by packets.
    Met,
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions::Unmet([Vec::new(), Vec::new()])
    }
}

/// Packets that wait for their match, at most.
const PACKETS_MAX: usize = 16_384;
/// Sessions of a source that are remembered until one of them is met at the other.
const SESSIONS_MAX: usize = 64;

impl PacketMatcher {
    /// Source `position` delivered the packet of that channel, session and sequence number at `ts_ns`.
    pub fn delivered(
        &mut self,
        position: usize,
        key: (u16, u128, u64),
        ts_ns: u64,
    ) -> (Option<Match>, [u64; 2]) {
        self.meet(position, (key.0, key.1));
        if self.is_apart() {
            return (None, [0, 0]);
        }
        if let Some((other, ts)) = self.waiting.get(&key).copied() {
            if other == position {
                return (None, [0, 0]);
            }
            self.waiting.remove(&key);
            let (first, second) = if position == 1 { (ts, ts_ns) } else { (ts_ns, ts) };
            return (Some(Match { lead_ns: lead(first, second) }), [0, 0]);
        }
        let mut given_up = [0, 0];
        self.waiting.insert(key, (position, ts_ns));
        self.order.push_back(key);
        while self.order.len() > PACKETS_MAX {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some((position, _)) = self.waiting.remove(&oldest) {
                given_up[position] += 1;
            }
        }
        (None, given_up)
    }

    /// Whether the two number different sessions: a number of the one then says nothing of the other's packets.
    #[inline]
    pub fn is_apart(&self) -> bool {
        matches!(&self.sessions, Sessions::Unmet([a, b]) if !a.is_empty() && !b.is_empty())
    }

    /// Remembers the session; what waits is given up, uncounted, when both have one and none in common.
    fn meet(&mut self, position: usize, session: (u16, u128)) {
        let Sessions::Unmet(seen) = &mut self.sessions else { return };
        if seen[1 - position].contains(&session) {
            self.sessions = Sessions::Met;
        } else if !seen[position].contains(&session) && seen[position].len() < SESSIONS_MAX {
            seen[position].push(session);
            if self.is_apart() {
                self.waiting.clear();
                self.order.clear();
            }
        }
    }

    /// Packets still waiting, per source.
    pub fn pending(&self) -> [u64; 2] {
        let second = self.waiting.values().filter(|(p, _)| *p == 1).count() as u64;
        [self.waiting.len() as u64 - second, second]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_is_matched_and_skipped_moves_are_given_up() {
        let mut matcher = PriceMatcher::default();
        assert_eq!(matcher.moved(0, 0, 10, 100, 1000), (None, [0, 0]));
        assert_eq!(matcher.moved(0, 0, 11, 110, 1000), (None, [0, 0]));
        assert_eq!(matcher.moved(1, 0, 11, 140, 1000), (Some(Match { lead_ns: 30 }), [1, 0]));
        assert_eq!(matcher.moved(1, 1, 20, 150, 1000), (None, [0, 0]));
        assert_eq!(matcher.moved(0, 1, 20, 160, 1000), (Some(Match { lead_ns: -10 }), [0, 0]));
        assert_eq!(matcher.pending(), [0, 0]);
    }

    #[test]
    fn what_was_not_followed_before_both_agreed_is_no_match_for_what_comes_later() {
        let mut matcher = PriceMatcher::default();
        // The first left its price and came back, unseen by the second.
        matcher.moved(0, 0, 11, 100, 1000);
        matcher.moved(0, 0, 10, 110, 1000);
        matcher.moved(0, 1, 20, 110, 1000);
        assert_eq!(matcher.settled(0), [2, 0]);
        assert_eq!(matcher.moved(1, 0, 11, 400, 1000), (None, [0, 0]));
        assert_eq!(matcher.moved(1, 1, 20, 410, 1000), (Some(Match { lead_ns: 300 }), [0, 0]));
    }

    #[test]
    fn packets_of_different_sessions_are_no_pair_until_one_session_is_met_in_both() {
        let mut matcher = PacketMatcher::default();
        matcher.delivered(0, (0, 1, 7), 50);
        assert!(!matcher.is_apart());
        assert_eq!(matcher.delivered(1, (0, 2, 7), 55), (None, [0, 0]));
        assert!(matcher.is_apart());
        assert_eq!((matcher.delivered(0, (0, 1, 8), 60), matcher.pending()), ((None, [0, 0]), [0, 0]));
        // The second turns to the first's session: from now on by number.
        matcher.delivered(1, (0, 1, 9), 70);
        assert!(!matcher.is_apart());
        assert_eq!(matcher.delivered(0, (0, 1, 9), 71).0, Some(Match { lead_ns: -1 }));
        // Any number of sessions is bounded.
        let mut many = PacketMatcher::default();
        (0..1_000).for_each(|n| _ = many.delivered(0, (0, n, 1), 1));
        assert!(matches!(&many.sessions, Sessions::Unmet([a, _]) if a.len() == SESSIONS_MAX));
    }

    #[test]
    fn packets_are_matched_by_their_number() {
        let mut matcher = PacketMatcher::default();
        assert_eq!(matcher.delivered(1, (0, 0, 7), 50).0, None);
        assert_eq!(matcher.delivered(0, (0, 0, 7), 55).0, Some(Match { lead_ns: -5 }));
        assert_eq!(matcher.pending(), [0, 0]);
    }
}
