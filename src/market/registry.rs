//! Instruments by our own name, venues by MIC, and the views: who quotes which instrument where.
//!
//! A view is one quoter's top of book of one instrument: a direct source at its venue, one participant
//! of a consolidated source at that participant's venue, a national best, or a composite. Numbers are
//! dense and given in the order of first sight, so they are a function of the input alone.

use std::collections::HashMap;

use super::quote::{Origin, Quote};

/// Position of an instrument.
pub type InstrumentId = u32;
/// Position of a view.
pub type ViewId = u32;
/// Position of a comparand (source or composite) in the configuration.
pub type SourceId = u16;

/// A venue by MIC; [`VenueId::NATIONAL`] stands for the best over all venues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VenueId(pub u16);

impl VenueId {
    /// No single venue: a national best or a composite.
    pub const NATIONAL: VenueId = VenueId(0);
}

/// What is known of an instrument, whoever said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Our name.
    pub name: String,
    /// Price step, units of 1e-9, where known.
    pub tick_nanos: Option<u64>,
    /// Round lot, where known.
    pub round_lot: Option<u32>,
    /// Listing market's code, 0 when unknown.
    pub listing: u8,
    /// A test instrument: carried, never judged.
    pub test: bool,
}

/// One quoter's top of book of one instrument.
#[derive(Debug, Clone)]
pub struct View {
    /// Source or composite.
    pub source: SourceId,
    /// Where.
    pub venue: VenueId,
    /// What.
    pub instrument: InstrumentId,
    /// The latest quote; `None` before the first.
    pub quote: Option<Quote>,
    /// Where the latest quote came from.
    pub origin: Origin,
    /// Quotes of this view count round lots only.
    pub round_lots_only: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Registry {
    instruments: Vec<Instrument>,
    by_name: HashMap<String, InstrumentId>,
    by_number: HashMap<(feeds::FeedId, u64), InstrumentId>,
    venues: Vec<String>,
    /// Every view.
    pub views: Vec<View>,
    by_instrument: Vec<Vec<ViewId>>,
}

impl Registry {
    /// With the venue number 0 taken by "no single venue".
    pub fn new() -> Self {
        Registry { venues: vec![String::new()], ..Registry::default() }
    }

    /// The venue of that MIC.
    pub fn venue(&mut self, mic: &str) -> VenueId {
        let found = self.venues.iter().position(|v| v == mic);
        let position = found.unwrap_or_else(|| {
            self.venues.push(mic.to_owned());
            self.venues.len() - 1
        });
        VenueId(position as u16)
    }

    /// Its MIC; `None` for [`VenueId::NATIONAL`].
    pub fn mic(&self, venue: VenueId) -> Option<&str> {
        (venue != VenueId::NATIONAL).then(|| self.venues[usize::from(venue.0)].as_str())
    }

    /// The instrument of that name, made when new.
    pub fn instrument(&mut self, name: &str) -> InstrumentId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = self.instruments.len() as InstrumentId;
        let instrument =
            Instrument { name: name.to_owned(), tick_nanos: None, round_lot: None, listing: 0, test: false };
        self.instruments.push(instrument);
        self.by_instrument.push(Vec::new());
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// The instrument that every source of `feed` means by `number`, named by the number until a definition names it.
    pub fn numbered(&mut self, feed: feeds::FeedId, number: u64) -> InstrumentId {
        if let Some(id) = self.by_number.get(&(feed, number)) {
            return *id;
        }
        let id = self.instrument(&number.to_string());
        self.by_number.insert((feed, number), id);
        id
    }

    /// Gives a numbered instrument the name of its definition, unless that name is another's.
    pub fn rename(&mut self, id: InstrumentId, name: &str) {
        if name.is_empty() || self.by_name.contains_key(name) {
            return;
        }
        let instrument = &mut self.instruments[id as usize];
        self.by_name.remove(&instrument.name);
        instrument.name = name.to_owned();
        self.by_name.insert(name.to_owned(), id);
    }

    /// What is known of it.
    pub fn get(&self, id: InstrumentId) -> &Instrument {
        &self.instruments[id as usize]
    }

    /// What is known of it, to be told more.
    pub fn get_mut(&mut self, id: InstrumentId) -> &mut Instrument {
        &mut self.instruments[id as usize]
    }

    /// How many instruments there are.
    pub fn instruments(&self) -> usize {
        self.instruments.len()
    }

    /// Makes a view.
    pub fn add_view(
        &mut self,
        source: SourceId,
        venue: VenueId,
        instrument: InstrumentId,
        lots: bool,
    ) -> ViewId {
        let id = self.views.len() as ViewId;
        self.views.push(View {
            source,
            venue,
            instrument,
            quote: None,
            origin: Origin::default(),
            round_lots_only: lots,
        });
        self.by_instrument[instrument as usize].push(id);
        id
    }

    /// The view that is already there.
    pub fn find_view(&self, source: SourceId, venue: VenueId, instrument: InstrumentId) -> Option<ViewId> {
        self.views_of(instrument).iter().copied().find(|v| {
            let view = &self.views[*v as usize];
            view.source == source && view.venue == venue
        })
    }

    /// Views of an instrument, in the order of first sight.
    pub fn views_of(&self, instrument: InstrumentId) -> &[ViewId] {
        &self.by_instrument[instrument as usize]
    }

    /// Price step of an instrument: its own, or the feeds' smallest unit that its prices show.
    pub fn tick_nanos(&self, id: InstrumentId) -> u64 {
        self.get(id).tick_nanos.unwrap_or(10_000_000)
    }
}
