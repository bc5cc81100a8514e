//! `missing`: a peer carries an instrument, this source does not.

use hashbrown::HashMap;

use super::desk::Desk;
use crate::alert::{Details, Handle, Subject};
use crate::config::{Check, Kind};
use crate::market::{InstrumentId, Registry, SourceId, VenueId};

/// The check's document.
pub const DOCUMENT: &str = "\
missing: a peer carries an instrument, this source does not

Definition   A peer quotes an instrument that the source could carry (its own venue's, or any of a consolidated
             source whose listing it is) and that the source has never quoted.
Inputs       Quotes of all sources; the listing market from the feed's directory.
Parameters   after (5s).
Opens        after the later of: the source came alive, a peer's quote changed while it was alive.
Clears       When the source first quotes the instrument.
Held back    While the source is silent. What a peer shows after a gap. Test instruments.";

/// One instrument that one source has not quoted yet.
#[derive(Debug)]
pub struct Candidate {
    /// The instrument.
    pub instrument: InstrumentId,
    /// The source that could carry it.
    pub source: SourceId,
    /// The source that does.
    pub peer: SourceId,
    /// Where the peer quotes it.
    pub venue: VenueId,
    /// First change of the peer's quote while the source was alive.
    first: Option<u64>,
    alert: Option<Handle>,
    /// The next one of the same instrument.
    next: Option<u32>,
    /// Earliest pending deadline.
    pub armed: u64,
}

impl Candidate {
    /// A new candidate.
    pub fn new(instrument: InstrumentId, source: SourceId, peer: SourceId, venue: VenueId) -> Self {
        Candidate { instrument, source, peer, venue, first: None, alert: None, next: None, armed: u64::MAX }
    }

    /// The peer's quote changed while the source was alive; answers the deadline.
    pub fn peer_changed(&mut self, now: u64, check: &Check) -> u64 {
        let first = *self.first.get_or_insert(now);
        if self.alert.is_some() { u64::MAX } else { first.saturating_add(check.after_ns) }
    }

    /// Looks again at `now`; answers the next deadline.
    pub fn judge(
        &mut self,
        now: u64,
        silent: bool,
        check: &Check,
        desk: &mut Desk,
        registry: &Registry,
    ) -> u64 {
        if self.alert.is_some() {
            return u64::MAX;
        }
        if silent {
            // Counted anew from the next change after it is back.
            self.first = None;
            return u64::MAX;
        }
        let Some(first) = self.first else { return u64::MAX };
        let due = first.saturating_add(check.after_ns);
        if now < due {
            return due;
        }
        let why = format!(
            "{} quotes {}, {} has never mentioned it",
            desk.name(self.peer),
            registry.get(self.instrument).name,
            desk.name(self.source)
        );
        let subject = Subject {
            instrument: Some(self.instrument),
            venue: Some(self.venue),
            ..Subject::new(Kind::Missing, &[self.source])
        };
        let details = Details { cause: "source", why, ..Details::default() };
        self.alert = Some(desk.raise(now, first, check.severity, subject, details, registry));
        u64::MAX
    }
}

/// The instruments that some source has not quoted yet. Each has a number of its own, in the order in which they
/// came, by which their deadlines are told apart; what is quoted at last is forgotten.
#[derive(Debug, Default)]
pub struct Candidates {
    open: HashMap<u32, Candidate>,
    /// The latest of each instrument.
    of: HashMap<InstrumentId, u32>,
    made: u32,
}

impl Candidates {
    /// One more.
    pub fn add(&mut self, mut candidate: Candidate) {
        let number = self.made;
        self.made += 1;
        candidate.next = self.of.insert(candidate.instrument, number);
        self.open.insert(number, candidate);
    }

    /// The one of that number.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Candidate> {
        self.open.get_mut(&number)
    }

    /// The latest of an instrument.
    pub fn first_of(&self, instrument: InstrumentId) -> Option<u32> {
        self.of.get(&instrument).copied()
    }

    /// The one before that number, of the same instrument.
    pub fn next_of(&self, number: u32) -> Option<u32> {
        self.open.get(&number)?.next
    }

    /// Whether the source is known not to quote the instrument yet.
    pub fn find(&self, instrument: InstrumentId, source: SourceId) -> Option<u32> {
        let mut at = self.first_of(instrument);
        while let Some(number) = at.filter(|n| self.open.get(n).is_none_or(|c| c.source != source)) {
            at = self.next_of(number);
        }
        at
    }

    /// The source quotes the instrument at last.
    pub fn carry(
        &mut self,
        now: u64,
        instrument: InstrumentId,
        source: SourceId,
        desk: &mut Desk,
        registry: &Registry,
    ) {
        let Some(number) = self.find(instrument, source) else { return };
        let Some(candidate) = self.open.remove(&number) else { return };
        if let Some(alert) = candidate.alert {
            desk.clear(now, now, alert, "carried", registry);
        }
        // What led to it leads past it now.
        let mut at = self.first_of(instrument);
        if at == Some(number) {
            match candidate.next {
                Some(next) => self.of.insert(instrument, next),
                None => self.of.remove(&instrument),
            };
            return;
        }
        while let Some(before) = at.and_then(|n| self.open.get_mut(&n)) {
            if before.next == Some(number) {
                before.next = candidate.next;
                return;
            }
            at = before.next;
        }
    }
}
