//! Which rules the days of a replay were judged by, for the summary.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Config;
use crate::market::{InstrumentId, Registry, VenueId};
use crate::pipeline::day::market_of;
use crate::rules::{Book, Kind};

/// Days that are told one by one.
const DAYS_MAX: usize = 31;
/// Kinds that a replay is judged by, or that whoever reads it asks for first.
const KINDS: [Kind; 6] =
    [Kind::Tick, Kind::RoundLot, Kind::Hours, Kind::Calendar, Kind::OddLots, Kind::LockedCrossed];

/// The rules of a replay.
#[derive(Debug, Serialize)]
pub struct Rules {
    /// `shipped`, or the user's file over it.
    pub book: String,
    /// What is done outside of a market's hours.
    pub sessions: &'static str,
    /// By market and day.
    pub days: Vec<Day>,
    /// Days that are not told one by one.
    pub more_days: usize,
    /// Instruments whose round lot nobody said, while the rule of the last day asks for a price to tell it by.
    pub lots_assumed: usize,
    /// What is odd about the instrument map.
    pub map_findings: Vec<String>,
}

/// A market on a day.
#[derive(Debug, Serialize)]
pub struct Day {
    /// MIC, or the name of a tape.
    pub market: String,
    pub date: String,
    /// How much of the data's time lay in which session, nanoseconds.
    pub sessions_ns: BTreeMap<&'static str, u64>,
    pub rows: Vec<Used>,
}

/// A row that held.
#[derive(Debug, Serialize)]
pub struct Used {
    pub kind: &'static str,
    pub id: String,
    pub verified: bool,
}

impl Rules {
    /// The rules of the configuration's markets over the time of the data.
    pub fn new(config: &Config, registry: &Registry, span: Option<(u64, u64)>) -> Rules {
        let book = &config.rules.book;
        let mut markets: Vec<String> = Vec::new();
        for market in config.sources.iter().map(|source| market_of(book, source)) {
            if !market.is_empty() && !markets.contains(&market) {
                markets.push(market);
            }
        }
        let (mut days, mut more_days) = (Vec::new(), 0);
        if let Some((from, to)) = span {
            markets.iter().for_each(|market| more_days += days_of(book, market, from, to, &mut days));
        }
        Rules {
            book: book.name(),
            sessions: config.rules.sessions.name(),
            days,
            more_days,
            lots_assumed: span.map_or(0, |(_, to)| lots_assumed(book, registry, to)),
            map_findings: config.map.findings.clone(),
        }
    }
}

/// See [`Rules::lots_assumed`].
fn lots_assumed(book: &Book, registry: &Registry, at: u64) -> usize {
    let assumed =
        |mic: &str| book.round_lot(mic, None, book.day(mic, at).date).is_some_and(|lot| lot.assumed);
    let mut by_venue: BTreeMap<VenueId, bool> = BTreeMap::new();
    let mut unsaid = |id: &InstrumentId| {
        let mut venues = registry.views_of(*id).map(|view| registry.views[view as usize].venue);
        registry.get(*id).round_lot.is_none()
            && venues.any(|venue| {
                let asks = || registry.mic(venue).is_some_and(assumed);
                *by_venue.entry(venue).or_insert_with(asks)
            })
    };
    (0..registry.instruments() as InstrumentId).filter(|id| unsaid(id)).count()
}

/// Adds the days of a market; answers how many were left out.
fn days_of(book: &Book, market: &str, from: u64, to: u64, out: &mut Vec<Day>) -> usize {
    let (mut at, mut told) = (from, 0);
    loop {
        let day = book.day(market, at);
        let end = day.until_ns.min(to.max(at));
        let spent = book.sessions_between(market, at, end);
        let rows = KINDS.iter().filter_map(|kind| book.find(*kind, market, "", day.date));
        out.push(Day {
            market: market.to_owned(),
            date: day.date.to_string(),
            sessions_ns: spent.iter().map(|(state, ns)| (state.name(), *ns)).collect(),
            rows: rows
                .map(|row| Used { kind: row.kind.name(), id: row.id.clone(), verified: row.verified })
                .collect(),
        });
        told += 1;
        at = day.until_ns;
        if at > to {
            return 0;
        }
        if told == DAYS_MAX {
            return usize::try_from((to - at) / 86_400_000_000_000 + 1).unwrap_or(usize::MAX);
        }
    }
}
