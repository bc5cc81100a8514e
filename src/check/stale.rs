//! `stale`: a source has stopped updating an instrument while its peers move.

use super::desk::Desk;
use crate::alert::{Details, Handle, Subject};
use crate::config::{Check, Kind};
use crate::market::{Registry, ViewId};

/// The check's document.
pub const DOCUMENT: &str = "\
stale: a source has stopped updating an instrument while its peers move

Definition   The source has not updated the instrument at all since a comparable peer's price moved, for longer than
             after: and it still shows another price (one that the peer showed earlier, or the peer has moved
             three times), or the peer has moved peer_moves times since, even when it came back.
Inputs       Every update of the instrument by the source, price moves of its peers, time.
Parameters   after (3s), counted from the first move that was not followed; where fewer than peer_moves prove it, the
             present difference has lasted a quarter of a second too. peer_moves (5): as many moves prove that
             the peers move, even when they came back to the same price.
Opens        By timer, never by the source's next update.
Clears       At the source's next update of the instrument, or when it is no longer comparable.
Held back    While nothing at all arrives from the source and the silent check watches it (it may be dead): told a
             quarter of a second after its next packet, or as silent. Moves of a peer that is not comparable, or that
             follows: to a price that the source had come to or left within the lag_limit of lagging. Lagging
             and divergent of the instrument, meanwhile (not comparable, stale). A quiet instrument is not stale:
             without a peer that moved nothing is judged. While the source is silent, its instruments are not.";

/// What a peer's change of price means for the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerMove {
    /// The peer follows: the move is in a packet that the view's own source had delivered before, or to a price that
    /// the view itself has only just come to or left.
    pub follows: bool,
    /// To a price that the view does not show (and not to the one it does: that is following).
    pub away: bool,
    /// The two show different prices now.
    pub differs: bool,
    /// The view shows what the peer showed earlier.
    pub behind: bool,
}

/// How long a source that has just been heard of again may take to bring its instruments up to date.
const CATCH_UP_NS: u64 = 250_000_000;

/// State of the check for one view.
#[derive(Debug)]
pub struct StaleJudge {
    /// First move of a peer that was not followed, and how many there were.
    first: Option<u64>,
    moves: u64,
    /// Since when it has shown another price than the peer that moved.
    differs_since: Option<u64>,
    /// Its own price is one that the peer showed earlier.
    behind: bool,
    alert: Option<Handle>,
    /// Waits for a sign of life of the source.
    waits: bool,
    /// Not to be told earlier: the source has only just been heard of again.
    not_before: u64,
    /// Earliest pending deadline.
    pub armed: u64,
}

impl Default for StaleJudge {
    fn default() -> Self {
        StaleJudge {
            first: None,
            moves: 0,
            differs_since: None,
            behind: false,
            alert: None,
            waits: false,
            not_before: 0,
            armed: u64::MAX,
        }
    }
}

impl StaleJudge {
    /// Whether the instrument is told as stale.
    pub fn is_stale(&self) -> bool {
        self.alert.is_some()
    }

    /// A peer's price changed. Answers the next deadline.
    pub fn peer_moved(&mut self, now: u64, peer: PeerMove, check: &Check) -> u64 {
        // The first must be a move away: one to the price that the view shows is the peer following.
        if !peer.follows && (peer.away || self.first.is_some()) {
            self.first.get_or_insert(now);
            self.moves += 1;
        }
        self.differs_since = peer.differs.then(|| self.differs_since.unwrap_or(now));
        self.behind = peer.behind;
        self.due(check)
    }

    /// The first move that was not followed, as far as it is proven that there is one to follow, and from when on it
    /// can be told.
    fn proven(&self, check: &Check) -> Option<(u64, u64)> {
        // A peer that repeats the source's own packets follows it, and yet the source may stand still.
        let first = self.first.or(self.differs_since)?;
        let after = first.saturating_add(check.after_ns);
        if self.moves >= check.peer_moves {
            return Some((first, after));
        }
        // One move that was not followed proves nothing against a source that was first to its price: the peer
        // may be wrong, on both sides. More do, for a wrong price that moves follows something that moves.
        let differs = self.differs_since.filter(|_| self.behind || self.moves >= 3)?;
        // An early flicker that the source never showed must not turn the flight of the next move into this.
        Some((first, after.max(differs.saturating_add(CATCH_UP_NS.min(check.after_ns)))))
    }

    fn due(&self, check: &Check) -> u64 {
        self.proven(check).map_or(u64::MAX, |(_, due)| due.max(self.not_before))
    }

    /// The move since which it has not been updated, when that is too long ago at `now`.
    pub fn overdue(&self, now: u64, check: &Check) -> Option<u64> {
        let (first, _) = self.proven(check)?;
        (self.alert.is_none() && now >= self.due(check)).then_some(first)
    }

    /// Waits for a sign of life of the source; answers whether it did not already.
    pub fn wait(&mut self) -> bool {
        !std::mem::replace(&mut self.waits, true)
    }

    /// The source has been heard of again; answers the next deadline.
    pub fn known_alive(&mut self, now: u64) -> u64 {
        self.waits = false;
        if self.first.is_none() && self.differs_since.is_none() {
            return u64::MAX;
        }
        self.not_before = now.saturating_add(CATCH_UP_NS);
        self.not_before
    }

    /// Looks again at `now`; answers the next deadline, and whether it has just become stale.
    pub fn judge(
        &mut self,
        id: ViewId,
        now: u64,
        held: bool,
        check: &Check,
        desk: &mut Desk,
        registry: &Registry,
    ) -> (u64, bool) {
        if held {
            self.drop(now, "not_comparable", desk, registry);
            return (u64::MAX, false);
        }
        if self.alert.is_some() {
            return (u64::MAX, false);
        }
        let due = self.due(check);
        if now < due {
            return (due, false);
        }
        let began = self.proven(check).map_or(now, |(first, _)| first);
        let view = &registry.views[id as usize];
        let why = format!(
            "{} has not updated {} for {}.{:01} s while its peers moved {} times",
            desk.name(view.source),
            registry.get(view.instrument).name,
            (now - began) / 1_000_000_000,
            (now - began) / 100_000_000 % 10,
            self.moves
        );
        let subject = Subject {
            instrument: Some(view.instrument),
            venue: Some(view.venue),
            views: vec![id],
            ..Subject::new(Kind::Stale, &[view.source])
        };
        let details = Details { cause: "source", why, ..Details::default() };
        self.alert = Some(desk.raise(now, began, check.severity, subject, details, registry));
        (u64::MAX, true)
    }

    /// The source updated the instrument; answers whether it was stale until now.
    pub fn updated(&mut self, now: u64, desk: &mut Desk, registry: &Registry) -> bool {
        self.drop(now, "updated", desk, registry)
    }

    /// Forgets everything; an open alert is cleared with the reason. Answers whether there was one.
    pub fn drop(&mut self, now: u64, reason: &str, desk: &mut Desk, registry: &Registry) -> bool {
        self.first = None;
        self.moves = 0;
        self.not_before = 0;
        self.differs_since = None;
        self.behind = false;
        match self.alert.take() {
            Some(alert) => {
                desk.clear(now, now, alert, reason, registry);
                true
            }
            None => false,
        }
    }
}
