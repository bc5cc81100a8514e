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

/// A move that waits for its match.
#[derive(Debug, Clone, Copy, Default)]
struct Waiting<K> {
    ts_ns: u64,
    to: K,
    /// Of which view, 0 or 1.
    who: u8,
    side: u8,
}

/// Moves that one of two views made and the other has not yet; `K` is what they moved to.
///
/// Most often one or two wait, and those are in the matcher itself: a cache line. What is more lies apart.
#[derive(Debug, Default)]
pub struct MoveMatcher<K> {
    few: [Waiting<K>; FEW],
    /// How many of those there are, when none lie apart.
    count: u8,
    /// All of them, in the order in which they came, when they are more; its room is kept when they are not.
    #[allow(clippy::box_collection, reason = "one word instead of three: the matcher is a cache line")]
    many: Option<Box<Vec<Waiting<K>>>>,
}

/// Moves to a price.
pub type PriceMatcher = MoveMatcher<i64>;

/// Moves that a matcher holds itself.
const FEW: usize = 2;
/// Moves that wait for their match, per view, at most.
const PENDING_MAX: usize = 16;

impl<K: Copy + PartialEq + Default> MoveMatcher<K> {
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
        self.expire(ts_ns, window_ns, &mut given_up);
        let (own, other) = (position as u8, 1 - position as u8);
        let found = self.waiting().iter().position(|w| w.who == other && w.side == side && w.to == price);
        if let Some(found) = found {
            let ts = self.waiting()[found].ts_ns;
            // Older moves of this side that the follower skipped will not be matched any more. And what the follower did
            // alone before it followed has no match to come: order is kept.
            self.keep(|at, w| {
                let gone = w.side == side && (w.who == own || at <= found);
                if gone && at != found {
                    given_up[usize::from(w.who)] += 1;
                }
                !gone
            });
            let (first, second) = if position == 1 { (ts, ts_ns) } else { (ts_ns, ts) };
            return (Some(Match { lead_ns: lead(first, second) }), given_up);
        }
        let mut of_own = self.waiting().iter().enumerate().filter(|(_, w)| w.who == own).map(|(at, _)| at);
        if let (Some(oldest), Some(_)) = (of_own.next(), of_own.nth(PENDING_MAX - 2)) {
            self.keep(|at, _| at != oldest);
            given_up[position] += 1;
        }
        self.push(Waiting { ts_ns, to: price, who: own, side });
        (None, given_up)
    }

    /// The views have agreed on the side for longer than a flight: what was not matched until then never will be.
    /// Answers how many moves of either view are given up.
    pub fn settled(&mut self, side: u8) -> [u64; 2] {
        let mut given_up = [0, 0];
        self.keep(|_, w| {
            given_up[usize::from(w.who)] += u64::from(w.side == side);
            w.side != side
        });
        given_up
    }

    /// Gives up what has waited for too long: of each view the oldest, until one has not.
    fn expire(&mut self, now_ns: u64, window_ns: u64, given_up: &mut [u64; 2]) {
        let old = |w: &Waiting<K>| now_ns.saturating_sub(w.ts_ns) > window_ns;
        if !self.waiting().iter().any(old) {
            return;
        }
        let mut goes_on = [true; 2];
        self.keep(|_, w| {
            let who = usize::from(w.who);
            goes_on[who] &= old(w);
            given_up[who] += u64::from(goes_on[who]);
            !goes_on[who]
        });
    }

    /// All that wait, in the order in which they came.
    #[inline]
    fn waiting(&self) -> &[Waiting<K>] {
        match &self.many {
            Some(many) if !many.is_empty() => many,
            _ => &self.few[..usize::from(self.count)],
        }
    }

    fn push(&mut self, waiting: Waiting<K>) {
        let count = usize::from(self.count);
        let apart = self.many.as_ref().is_some_and(|many| !many.is_empty());
        if !apart && count < FEW {
            self.few[count] = waiting;
            self.count += 1;
            return;
        }
        let many = self.many.get_or_insert_default();
        if !apart {
            many.extend_from_slice(&self.few);
            self.count = 0;
        }
        many.push(waiting);
    }

    /// Keeps those for which `wanted` says so, which is asked of each in order, with its place.
    #[inline]
    fn keep(&mut self, mut wanted: impl FnMut(usize, &Waiting<K>) -> bool) {
        let mut at = 0;
        let mut wanted = |w: &Waiting<K>| {
            at += 1;
            wanted(at - 1, w)
        };
        match &mut self.many {
            Some(many) if !many.is_empty() => many.retain(wanted),
            _ => {
                let mut kept = 0;
                for from in 0..usize::from(self.count) {
                    if wanted(&self.few[from]) {
                        self.few[kept] = self.few[from];
                        kept += 1;
                    }
                }
                self.count = kept as u8;
            }
        }
    }

    /// Whether no move is waiting.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Something of the lines that its moves are in.
    #[inline]
    pub fn lines(&self) -> u64 {
        self.waiting().first().map_or(0, |w| w.ts_ns)
    }

    /// Moves still waiting, per view.
    pub fn pending(&self) -> [u64; 2] {
        let second = self.waiting().iter().filter(|w| w.who == 1).count() as u64;
        [self.waiting().len() as u64 - second, second]
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
    use proptest::prelude::*;

    use super::*;

    /// The rule in its plainest form: a queue for each view.
    #[derive(Default)]
    struct Plain {
        pending: [VecDeque<(u8, i64, u64)>; 2],
    }

    impl Plain {
        fn moved(
            &mut self,
            position: usize,
            side: u8,
            price: i64,
            ts: u64,
            window: u64,
        ) -> (Option<i64>, [u64; 2]) {
            let mut given_up = [0, 0];
            for (count, queue) in given_up.iter_mut().zip(&mut self.pending) {
                while queue.front().is_some_and(|(_, _, then)| ts.saturating_sub(*then) > window) {
                    queue.pop_front();
                    *count += 1;
                }
            }
            let other = &mut self.pending[1 - position];
            if let Some(found) = other.iter().position(|(s, p, _)| *s == side && *p == price) {
                let then = other.remove(found).unwrap().2;
                let mut at = 0;
                let before = other.len();
                other.retain(|(s, _, _)| {
                    at += 1;
                    *s != side || at > found
                });
                given_up[1 - position] += (before - other.len()) as u64;
                let before = self.pending[position].len();
                self.pending[position].retain(|(s, _, _)| *s != side);
                given_up[position] += (before - self.pending[position].len()) as u64;
                let (first, second) = if position == 1 { (then, ts) } else { (ts, then) };
                return (Some(lead(first, second)), given_up);
            }
            if self.pending[position].len() == PENDING_MAX {
                self.pending[position].pop_front();
                given_up[position] += 1;
            }
            self.pending[position].push_back((side, price, ts));
            (None, given_up)
        }

        fn settled(&mut self, side: u8) -> [u64; 2] {
            self.pending.each_mut().map(|queue| {
                let before = queue.len();
                queue.retain(|(s, _, _)| *s != side);
                (before - queue.len()) as u64
            })
        }
    }

    #[test]
    fn a_matcher_is_one_cache_line() {
        assert_eq!(size_of::<PriceMatcher>(), 64);
    }

    proptest! {
        #[test]
        fn it_matches_what_two_plain_queues_do(
            prices in 1..40i64,
            steps in prop::collection::vec((0..2usize, 0..2u8, 0..40i64, 0..40u64, 0..30u8), 1..300),
        ) {
            let (mut plain, mut matcher, mut now) = (Plain::default(), PriceMatcher::default(), 0);
            for (position, side, price, wait, odd) in steps {
                // Most moves follow each other closely; now and then nothing moves for long.
                now += if odd == 0 { wait * 20 } else { wait / 8 };
                let (found, given_up) = matcher.moved(position, side, price % prices, now, 300);
                let wanted = plain.moved(position, side, price % prices, now, 300);
                prop_assert_eq!((found.map(|f| f.lead_ns), given_up), wanted);
                if odd == 1 {
                    prop_assert_eq!(matcher.settled(side), plain.settled(side));
                }
                let pending = [0, 1].map(|p: usize| plain.pending[p].len() as u64);
                prop_assert_eq!((matcher.pending(), matcher.is_empty()), (pending, pending == [0, 0]));
            }
        }
    }

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
