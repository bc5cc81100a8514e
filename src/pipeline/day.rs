//! The rules of the day: what the rule book and the instrument map say on the date of the data, for both sides.
//!
//! Dates come from receive times, in the zone of each market. A day turns with the first datagram of a channel (for the
//! checks: with the first step) at or after its midnight, so that it is a function of the datagrams, as all else is.

use std::sync::Arc;

use crate::config::{Config, Mapping, Sessions, Source};
use crate::market::{ChannelMarket, Registry, VenueId};
use crate::rules::{Book, SessionState};

/// The market whose rules hold for a source: its venue, or the tape of its participants' jurisdiction.
pub fn market_of(book: &Book, source: &Source) -> String {
    let participants = source.feed.info().participants.iter().map(|(_, mic)| *mic);
    let tape = || participants.filter_map(|mic| book.tape_of(mic)).next().unwrap_or_default();
    source.venue.clone().unwrap_or_else(|| tape().to_owned())
}

/// The source's side: map, round lot and session of one channel.
#[derive(Debug)]
pub struct ChannelDay {
    book: Arc<Book>,
    market: String,
    sessions: Sessions,
    mappings: Arc<[Mapping]>,
    /// The latest midnight that was turned to.
    began_ns: Option<u64>,
    /// When to look again.
    pub until_ns: u64,
}

impl ChannelDay {
    /// For a channel of a source; `mappings` are all rows of the source.
    pub fn new(config: &Config, source: &Source, mappings: Arc<[Mapping]>) -> ChannelDay {
        let book = config.rules.book.clone();
        let market = market_of(&book, source);
        ChannelDay { book, market, sessions: config.rules.sessions, mappings, began_ns: None, until_ns: 0 }
    }

    /// Time has come to `now`, which is not before `until_ns`.
    #[cold]
    pub fn turn(&mut self, now: u64, channel: &mut ChannelMarket, registry: &mut Registry) {
        let day = self.book.day(&self.market, now);
        self.until_ns = day.until_ns;
        if self.began_ns.replace(day.from_ns) != Some(day.from_ns) {
            let holding = self.mappings.iter().filter(|mapping| mapping.holds_on(day.date)).cloned();
            let lot_of = |reference| self.book.round_lot(&self.market, reference, day.date);
            let with_lot = holding.map(|mut mapping| {
                let by_price = mapping.reference_nanos.and_then(|reference| lot_of(Some(reference)));
                mapping.round_lot = mapping.round_lot.or(by_price.map(|lot| lot.lot));
                mapping
            });
            let default_lot = lot_of(None).map_or(100, |lot| lot.lot);
            channel.turn_day(with_lot.collect(), default_lot, registry);
        }
        if self.sessions == Sessions::Hold {
            let session = self.book.session(&self.market, now);
            self.until_ns = self.until_ns.min(session.until_ns);
            channel.set_closed(session.state == SessionState::Closed);
        }
    }
}

/// The judging side: price steps by venue.
#[derive(Debug)]
pub struct TickDay {
    book: Arc<Book>,
    /// Venues of the configuration, and the market of each.
    venues: Vec<(VenueId, String)>,
    /// When to look again.
    pub until_ns: u64,
}

impl TickDay {
    /// For every venue of the configuration.
    pub fn new(config: &Config, registry: &mut Registry) -> TickDay {
        let book = config.rules.book.clone();
        let mut venues: Vec<(VenueId, String)> = Vec::new();
        for source in &config.sources {
            let mics = source
                .venue
                .as_deref()
                .into_iter()
                .chain(source.feed.info().participants.iter().map(|(_, mic)| *mic));
            venues.extend(mics.map(|mic| (registry.venue(mic), mic.to_owned())));
        }
        // A national best or a composite follows the jurisdiction of its sources.
        if let Some(tape) = venues.iter().find_map(|(_, mic)| book.tape_of(mic)) {
            venues.push((VenueId::NATIONAL, tape.to_owned()));
        }
        venues.sort();
        venues.dedup();
        TickDay { book, venues, until_ns: 0 }
    }

    /// Time has come to `now`, which is not before `until_ns`.
    #[cold]
    pub fn turn(&mut self, now: u64, registry: &mut Registry) {
        self.until_ns = u64::MAX;
        for (venue, market) in &self.venues {
            let day = self.book.day(market, now);
            registry.set_tick_rule(*venue, self.book.tick_steps(market, "", day.date));
            self.until_ns = self.until_ns.min(day.until_ns);
        }
    }
}
