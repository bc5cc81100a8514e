//! Instruments by our own name, venues by MIC, and the views: who quotes which instrument where.
//!
//! Every source's side keeps a registry of its own, in which only its sources appear, and writes down what it learns
//! ([`Change`]); the side that judges keeps the one that joins them.
//!
//! A view is one quoter's top of book of one instrument: a direct source at its venue, one participant
//! of a consolidated source at that participant's venue, a national best, or a composite. Numbers are
//! dense and given in the order of first sight, so they are a function of the input alone.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::quote::{Origin, Quote};
use crate::rules::queries::tick_of;
use crate::rules::row::Step;

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
    pub name: Box<str>,
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
    /// The channel of the source that quoted it last; [`View::NO_CHANNEL`] before any did, or where it is a book's.
    pub told_by: u16,
    /// The next view of the instrument; [`NONE`] after the last.
    next: ViewId,
}

impl View {
    /// No channel has quoted it.
    pub const NO_CHANNEL: u16 = u16::MAX;
}

const NONE: ViewId = ViewId::MAX;

/// What is said of an instrument, to be taken into what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Price step, units of 1e-9.
    pub tick_nanos: Option<u64>,
    /// The price step is only a guess: what is known already stays.
    pub tick_guessed: bool,
    /// Round lot.
    pub round_lot: Option<u32>,
    /// The round lot was configured: it replaces what is known.
    pub lot_configured: bool,
    /// Listing market's code, 0 when unknown.
    pub listing: u8,
    /// A test instrument.
    pub test: bool,
}

impl Instrument {
    /// Takes them in.
    pub fn learn(&mut self, facts: &Facts) {
        self.tick_nanos = match facts.tick_guessed {
            true => self.tick_nanos.or(facts.tick_nanos),
            false => facts.tick_nanos.or(self.tick_nanos),
        };
        self.round_lot = match facts.lot_configured {
            true => facts.round_lot.or(self.round_lot),
            false => self.round_lot.or(facts.round_lot),
        };
        if facts.listing != 0 {
            self.listing = facts.listing;
        }
        self.test |= facts.test;
    }
}

/// Something that a registry learned, in terms of its own numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new instrument, by name; number and name follow the order of these changes.
    Instrument(String),
    /// A new instrument that a feed's sources know by number.
    Numbered(feeds::FeedId, u64),
    /// Its name is known now.
    Rename(InstrumentId, String),
    /// Something about it.
    Facts(InstrumentId, Facts),
    /// A new view.
    View {
        /// Whose.
        source: SourceId,
        /// Where.
        venue: VenueId,
        /// Of what.
        instrument: InstrumentId,
        /// See [`View::round_lots_only`].
        round_lots_only: bool,
    },
}

/// All of them.
#[derive(Debug, Default)]
pub struct Registry {
    instruments: Vec<Instrument>,
    /// Numbers by name; the names themselves are with the instruments.
    by_name: HashTable<InstrumentId>,
    hasher: DefaultHashBuilder,
    by_number: HashMap<(feeds::FeedId, u64), InstrumentId>,
    venues: Vec<String>,
    /// Every view.
    pub views: Vec<View>,
    /// First and last view of every instrument.
    by_instrument: Vec<[ViewId; 2]>,
    /// Which are test instruments, one bit each.
    tests: Vec<u64>,
    /// Price steps of the day, by venue: for instruments of which nobody says one.
    tick_rules: Vec<Vec<Step>>,
    /// What was learned and not yet taken, where somebody takes it.
    journal: Option<Vec<Change>>,
}

impl Registry {
    /// With the venue number 0 taken by "no single venue".
    pub fn new() -> Self {
        Registry { venues: vec![String::new()], ..Registry::default() }
    }

    /// With the venues of the configuration, and those of the feeds' participants, in an order that every registry of
    /// the configuration shares: their numbers mean the same in all of them.
    pub fn of(config: &crate::config::Config) -> Self {
        let mut registry = Registry::new();
        for source in &config.sources {
            if let Some(mic) = &source.venue {
                registry.venue(mic);
            }
            for (_, mic) in source.feed.info().participants {
                registry.venue(mic);
            }
        }
        registry
    }

    /// The same, and what it learns is kept for [`Registry::take_changes`].
    pub fn with_journal(config: &crate::config::Config) -> Self {
        Registry { journal: Some(Vec::new()), ..Registry::of(config) }
    }

    /// Whether anything was learned since it was last taken.
    #[inline]
    pub fn has_changes(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !journal.is_empty())
    }

    /// What was learned since the last call, in order.
    pub fn take_changes(&mut self) -> impl Iterator<Item = Change> + '_ {
        self.journal.iter_mut().flat_map(|j| j.drain(..))
    }

    fn note(&mut self, change: Change) {
        if let Some(journal) = &mut self.journal {
            journal.push(change);
        }
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
        if let Some(id) = self.named(name) {
            return id;
        }
        self.note(Change::Instrument(name.to_owned()));
        self.add_instrument(name)
    }

    fn named(&self, name: &str) -> Option<InstrumentId> {
        let is = |id: &InstrumentId| *self.instruments[*id as usize].name == *name;
        self.by_name.find(self.hasher.hash_one(name), is).copied()
    }

    fn add_instrument(&mut self, name: &str) -> InstrumentId {
        let id = self.instruments.len() as InstrumentId;
        let instrument =
            Instrument { name: name.into(), tick_nanos: None, round_lot: None, listing: 0, test: false };
        self.instruments.push(instrument);
        self.by_instrument.push([NONE; 2]);
        self.insert_name(id);
        id
    }

    fn insert_name(&mut self, id: InstrumentId) {
        let Registry { instruments, by_name, hasher, .. } = self;
        let hash = |id: &InstrumentId| hasher.hash_one(&*instruments[*id as usize].name);
        by_name.insert_unique(hash(&id), id, hash);
    }

    /// The instrument that every source of `feed` means by `number`, named by the number until a definition names it.
    pub fn numbered(&mut self, feed: feeds::FeedId, number: u64) -> InstrumentId {
        if let Some(id) = self.by_number.get(&(feed, number)) {
            return *id;
        }
        let name = number.to_string();
        let id = match self.named(&name) {
            Some(id) => id,
            None => {
                self.note(Change::Numbered(feed, number));
                self.add_instrument(&name)
            }
        };
        self.by_number.insert((feed, number), id);
        id
    }

    /// Gives a numbered instrument the name of its definition, unless that name is another's.
    pub fn rename(&mut self, id: InstrumentId, name: &str) {
        if name.is_empty() || self.named(name).is_some() {
            return;
        }
        self.note(Change::Rename(id, name.to_owned()));
        let instrument = &mut self.instruments[id as usize];
        if let Ok(entry) = self.by_name.find_entry(self.hasher.hash_one(&*instrument.name), |i| *i == id) {
            entry.remove();
        }
        instrument.name = name.into();
        self.insert_name(id);
    }

    /// What is known of it.
    pub fn get(&self, id: InstrumentId) -> &Instrument {
        &self.instruments[id as usize]
    }

    /// Takes in what is said of it.
    pub fn learn(&mut self, id: InstrumentId, facts: Facts) {
        let instrument = &mut self.instruments[id as usize];
        let before = (instrument.tick_nanos, instrument.round_lot, instrument.listing, instrument.test);
        instrument.learn(&facts);
        // What changes nothing here may still be news elsewhere, unless it was said before.
        let after = (instrument.tick_nanos, instrument.round_lot, instrument.listing, instrument.test);
        if before != after {
            let test = instrument.test;
            let word = id as usize / 64;
            if test && self.tests.len() <= word {
                self.tests.resize(word + 1, 0);
            }
            if test {
                self.tests[word] |= 1 << (id % 64);
            }
            self.note(Change::Facts(id, facts));
        }
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
        self.note(Change::View { source, venue, instrument, round_lots_only: lots });
        let id = self.views.len() as ViewId;
        self.views.push(View {
            source,
            venue,
            instrument,
            quote: None,
            origin: Origin::default(),
            round_lots_only: lots,
            told_by: View::NO_CHANNEL,
            next: NONE,
        });
        let [first, last] = &mut self.by_instrument[instrument as usize];
        match std::mem::replace(last, id) {
            NONE => *first = id,
            before => self.views[before as usize].next = id,
        }
        id
    }

    /// The view that is already there.
    pub fn find_view(&self, source: SourceId, venue: VenueId, instrument: InstrumentId) -> Option<ViewId> {
        self.views_of(instrument).find(|v| {
            let view = &self.views[*v as usize];
            view.source == source && view.venue == venue
        })
    }

    /// Views of an instrument, in the order of first sight.
    pub fn views_of(&self, instrument: InstrumentId) -> impl Iterator<Item = ViewId> + '_ {
        let [first, _] = self.by_instrument[instrument as usize];
        let there = |id: ViewId| (id != NONE).then_some(id);
        std::iter::successors(there(first), move |id| there(self.views[*id as usize].next))
    }

    /// Whether it is known to be a test instrument.
    #[inline]
    pub fn is_test(&self, id: InstrumentId) -> bool {
        self.tests.get(id as usize / 64).is_some_and(|word| word & 1 << (id % 64) != 0)
    }

    /// The price steps that a venue's rules give instruments of which nobody says one.
    pub fn set_tick_rule(&mut self, venue: VenueId, steps: &[Step]) {
        let at = usize::from(venue.0);
        if self.tick_rules.len() <= at {
            self.tick_rules.resize(at + 1, Vec::new());
        }
        self.tick_rules[at] = steps.to_vec();
    }

    /// Price step of a view's instrument at a price, units of 1e-9: what is said of it, or what the rules of the venue
    /// and the day say, or a cent.
    #[inline]
    pub fn tick_at(&self, view: ViewId, price: i64) -> u64 {
        let view = &self.views[view as usize];
        let by_rule = || tick_of(self.tick_rules.get(usize::from(view.venue.0))?, price);
        self.get(view.instrument).tick_nanos.or_else(by_rule).unwrap_or(CENT_NANOS)
    }
}

/// The step where nobody says one.
const CENT_NANOS: u64 = 10_000_000;
