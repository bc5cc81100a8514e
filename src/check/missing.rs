//! `missing`: a peer carries an instrument, this source does not.

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
Held back    While the source is silent. Test instruments.";

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
    /// The source quotes it: nothing more to do.
    pub carried: bool,
    /// Earliest pending deadline.
    pub armed: u64,
}

impl Candidate {
    /// A new candidate.
    pub fn new(instrument: InstrumentId, source: SourceId, peer: SourceId, venue: VenueId) -> Self {
        Candidate {
            instrument,
            source,
            peer,
            venue,
            first: None,
            alert: None,
            carried: false,
            armed: u64::MAX,
        }
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
        if self.carried || self.alert.is_some() {
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

    /// The source quotes it.
    pub fn carry(&mut self, now: u64, desk: &mut Desk, registry: &Registry) {
        self.carried = true;
        if let Some(alert) = self.alert.take() {
            desk.clear(now, now, alert, "carried", registry);
        }
    }
}
