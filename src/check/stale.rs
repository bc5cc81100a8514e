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

/// A time that is none.
const NEVER: u64 = u64::MAX;

/// State of the check for one view.
#[derive(Debug)]
pub struct StaleJudge {
    /// First move of a peer that was not followed, and how many there were.
    first: u64,
    /// Since when it has shown another price than the peer that moved.
    differs_since: u64,
    /// Not to be told earlier: the source has only just been heard of again.
    not_before: u64,
    /// Earliest pending deadline.
    pub armed: u64,
    moves: u32,
    /// How often the source had been silent when this was last looked at: what is older is forgotten.
    silences: u32,
    /// Its own price is one that the peer showed earlier.
    behind: bool,
    /// Waits for a sign of life of the source.
    waits: bool,
    told: bool,
}

/// Open alerts of the check, by view.
pub type Alerts = hashbrown::HashMap<ViewId, Handle>;

/// What the check tells with.
pub struct Telling<'a> {
    /// Its own open alerts.
    pub alerts: &'a mut Alerts,
    /// Where findings go.
    pub desk: &'a mut Desk,
    /// Names.
    pub registry: &'a Registry,
}

impl Default for StaleJudge {
    fn default() -> Self {
        StaleJudge {
            first: NEVER,
            differs_since: NEVER,
            not_before: 0,
            armed: u64::MAX,
            moves: 0,
            silences: 0,
            behind: false,
            waits: false,
            told: false,
        }
    }
}

impl StaleJudge {
    /// Whether the instrument is told as stale.
    pub fn is_stale(&self) -> bool {
        self.told
    }

    /// Forgets what was before the latest silence of the source, of which there have been so many.
    #[inline]
    pub fn since_silence(&mut self, silences: u32) {
        if self.silences != silences {
            self.silences = silences;
            self.forget();
        }
    }

    #[inline]
    fn forget(&mut self) {
        if self.first & self.differs_since != NEVER || self.not_before != 0 {
            self.first = NEVER;
            self.moves = 0;
            self.not_before = 0;
            self.differs_since = NEVER;
            self.behind = false;
        }
    }

    /// A peer's price changed. Answers the next deadline.
    pub fn peer_moved(&mut self, now: u64, peer: PeerMove, check: &Check) -> u64 {
        // The first must be a move away: one to the price that the view shows is the peer following.
        if !peer.follows && (peer.away || self.first != NEVER) {
            self.first = self.first.min(now);
            self.moves = self.moves.saturating_add(1);
        }
        self.differs_since = if peer.differs { self.differs_since.min(now) } else { NEVER };
        self.behind = peer.behind;
        self.due(check)
    }

    /// The first move that was not followed, as far as it is proven that there is one to follow, and from when on it
    /// can be told.
    fn proven(&self, check: &Check) -> Option<(u64, u64)> {
        // A peer that repeats the source's own packets follows it, and yet the source may stand still.
        let first = if self.first == NEVER { self.differs_since } else { self.first };
        if first == NEVER {
            return None;
        }
        let after = first.saturating_add(check.after_ns);
        if u64::from(self.moves) >= check.peer_moves {
            return Some((first, after));
        }
        // One move that was not followed proves nothing against a source that was first to its price: the peer
        // may be wrong, on both sides. More do, for a wrong price that moves follows something that moves.
        if self.differs_since == NEVER || !(self.behind || self.moves >= 3) {
            return None;
        }
        // An early flicker that the source never showed must not turn the flight of the next move into this.
        Some((first, after.max(self.differs_since.saturating_add(CATCH_UP_NS.min(check.after_ns)))))
    }

    fn due(&self, check: &Check) -> u64 {
        self.proven(check).map_or(u64::MAX, |(_, due)| due.max(self.not_before))
    }

    /// The move since which it has not been updated, when that is too long ago at `now`.
    pub fn overdue(&self, now: u64, check: &Check) -> Option<u64> {
        let (first, _) = self.proven(check)?;
        (!self.told && now >= self.due(check)).then_some(first)
    }

    /// Waits for a sign of life of the source; answers whether it did not already.
    pub fn wait(&mut self) -> bool {
        !std::mem::replace(&mut self.waits, true)
    }

    /// The source has been heard of again; answers the next deadline.
    pub fn known_alive(&mut self, now: u64) -> u64 {
        self.waits = false;
        if self.first == NEVER && self.differs_since == NEVER {
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
        telling: &mut Telling<'_>,
    ) -> (u64, bool) {
        if held {
            self.drop(id, now, "not_comparable", telling);
            return (u64::MAX, false);
        }
        let Telling { alerts, desk, registry } = telling;
        if self.told {
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
        alerts.insert(id, desk.raise(now, began, check.severity, subject, details, registry));
        self.told = true;
        (u64::MAX, true)
    }

    /// The source updated the instrument; answers whether it was stale until now.
    #[inline]
    pub fn updated(&mut self, id: ViewId, now: u64, telling: &mut Telling<'_>) -> bool {
        self.drop(id, now, "updated", telling)
    }

    /// Forgets everything; an open alert is cleared with the reason. Answers whether there was one.
    #[inline]
    pub fn drop(&mut self, id: ViewId, now: u64, reason: &str, telling: &mut Telling<'_>) -> bool {
        self.forget();
        if std::mem::take(&mut self.told)
            && let Some(alert) = telling.alerts.remove(&id)
        {
            telling.desk.clear(now, now, alert, reason, telling.registry);
            return true;
        }
        false
    }
}
