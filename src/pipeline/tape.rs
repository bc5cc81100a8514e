//! Every change of a top of book, for whoever keeps them: rows with the names that hold at the time.
//!
//! It writes nothing and forgets nothing: who keeps rows takes them before they are many.

use std::sync::Arc;

use crate::market::{Origin, Quote, Registry, SourceId, ViewId};

/// One change.
#[derive(Debug, Clone)]
pub struct QuoteRow {
    /// When it took effect, nanoseconds since 1970 UTC.
    pub ts_ns: u64,
    /// Whose, by position among the sources and composites of the configuration.
    pub source: SourceId,
    /// Our name of the instrument.
    pub instrument: Arc<str>,
    /// MIC; empty for a best over all venues.
    pub venue: Arc<str>,
    /// What is shown.
    pub quote: Quote,
    /// Where it came from.
    pub origin: Origin,
}

/// Makes rows, and keeps each name once.
#[derive(Debug, Default)]
pub(super) struct Tape {
    /// What nobody has taken yet.
    pub rows: Vec<QuoteRow>,
    instruments: Vec<Arc<str>>,
    venues: Vec<Arc<str>>,
}

impl Tape {
    /// Appends what the view shows at `now`.
    pub fn push(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let view = &registry.views[id as usize];
        let Some(quote) = view.quote else { return };
        let name = &registry.get(view.instrument).name;
        let instrument = kept(&mut self.instruments, view.instrument as usize, name);
        let mic = registry.mic(view.venue).unwrap_or_default();
        let venue = kept(&mut self.venues, usize::from(view.venue.0), mic);
        let (source, origin) = (view.source, view.origin);
        self.rows.push(QuoteRow { ts_ns: now, source, instrument, venue, quote, origin });
    }
}

/// The name as it is kept at `at`; a feed may have told another since.
pub(super) fn kept(names: &mut Vec<Arc<str>>, at: usize, name: &str) -> Arc<str> {
    if names.len() <= at {
        names.resize_with(at + 1, Arc::default);
    }
    if *names[at] != *name {
        names[at] = name.into();
    }
    names[at].clone()
}
