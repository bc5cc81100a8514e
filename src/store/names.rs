//! The numbers that sources, channels, lines and series have in a store. They are the same in all of its runs.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::Config;
use crate::latency::{SeriesName, point};

/// A channel's number, and those of its lines.
type ChannelNumbers = (i64, Vec<i64>);

/// See the module.
#[derive(Debug, Default)]
pub struct Names {
    sources: BTreeMap<String, i64>,
    series: BTreeMap<(String, String, String), i64>,
    /// By position in the configuration: source; its channels; their lines.
    places: Vec<(i64, Vec<ChannelNumbers>)>,
}

impl Names {
    /// Finds or gives the numbers of a configuration's sources, channels and lines, and writes down what the sources
    /// are in the run.
    pub fn of(connection: &Connection, config: &Config, run: i64) -> rusqlite::Result<Names> {
        let mut names = Names::default();
        let mut place = "INSERT INTO run_source (run, source, position, feed, venue) VALUES (?, ?, ?, ?, ?)";
        for (position, source) in config.sources.iter().enumerate() {
            let number = names.source(connection, &source.name)?;
            let feed = source.feed.info().name;
            connection.execute(place, params![run, number, position as i64, feed, source.venue])?;
            let mut channels = Vec::new();
            for channel in &source.channels {
                let of = find(
                    connection,
                    "SELECT channel FROM channel WHERE source = ?1 AND name = ?2",
                    "INSERT INTO channel (source, name) VALUES (?1, ?2)",
                    (number, &channel.name),
                )?;
                let mut lines = Vec::new();
                for line in &channel.lines {
                    lines.push(find(
                        connection,
                        "SELECT line FROM line WHERE channel = ?1 AND name = ?2",
                        "INSERT INTO line (channel, name) VALUES (?1, ?2)",
                        (of, &line.name),
                    )?);
                }
                channels.push((of, lines));
            }
            names.places.push((number, channels));
        }
        place = "INSERT INTO run_source (run, source, position, feed) VALUES (?, ?, ?, 'composite')";
        for (position, composite) in config.composites.iter().enumerate() {
            let number = names.source(connection, &composite.name)?;
            connection.execute(place, params![run, number, (config.sources.len() + position) as i64])?;
            names.places.push((number, Vec::new()));
        }
        Ok(names)
    }

    /// The number of a source or composite by name, given when new.
    pub fn source(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<i64> {
        if let Some(number) = self.sources.get(name) {
            return Ok(*number);
        }
        let known: Option<i64> = connection
            .query_row("SELECT source FROM source WHERE name = ?", [name], |row| row.get(0))
            .optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                connection.execute("INSERT INTO source (name) VALUES (?)", [name])?;
                connection.last_insert_rowid()
            }
        };
        self.sources.insert(name.to_owned(), number);
        Ok(number)
    }

    /// A transaction was given up: numbers that it gave are asked for anew.
    pub fn forget(&mut self) {
        self.sources.clear();
        self.series.clear();
    }

    /// The number of a source by its position in the configuration; 0 for one that is none.
    pub fn at(&self, source: u16) -> i64 {
        self.places.get(usize::from(source)).map_or(0, |(number, _)| *number)
    }

    /// The number of a channel by its place.
    pub fn channel(&self, source: u16, channel: u16) -> i64 {
        let of = self.places.get(usize::from(source)).and_then(|(_, c)| c.get(usize::from(channel)));
        of.map_or(0, |(number, _)| *number)
    }

    /// The number of a line by its place.
    pub fn line(&self, source: u16, channel: u16, line: u16) -> i64 {
        let of = self.places.get(usize::from(source)).and_then(|(_, c)| c.get(usize::from(channel)));
        of.and_then(|(_, lines)| lines.get(usize::from(line))).copied().unwrap_or(0)
    }

    /// The number of a series, given when new.
    pub fn series(&mut self, connection: &Connection, name: &SeriesName) -> rusqlite::Result<i64> {
        let SeriesName { source, from, to } = name;
        let key = (source.clone(), from.clone(), to.clone());
        if let Some(number) = self.series.get(&key) {
            return Ok(*number);
        }
        let asked = "SELECT series FROM series WHERE name = ? AND from_point = ? AND to_point = ?";
        let known: Option<i64> =
            connection.query_row(asked, [source, from, to], |row| row.get(0)).optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                connection.execute(
                    "INSERT INTO series (kind, name, from_point, to_point) VALUES (?, ?, ?, ?)",
                    [kind(name), source, from, to],
                )?;
                connection.last_insert_rowid()
            }
        };
        self.series.insert(key, number);
        Ok(number)
    }
}

fn find(connection: &Connection, asked: &str, given: &str, (of, name): (i64, &str)) -> rusqlite::Result<i64> {
    let known = connection.query_row(asked, params![of, name], |row| row.get(0)).optional()?;
    match known {
        Some(number) => Ok(number),
        None => {
            connection.execute(given, params![of, name])?;
            Ok(connection.last_insert_rowid())
        }
    }
}

/// What a series measures: by its end points, which each kind spells in its own way.
fn kind(name: &SeriesName) -> &'static str {
    if name.source.is_empty() {
        "sources"
    } else if name.to == point::TS_RECV && matches!(name.from.as_str(), point::TS_EVENT | point::VENUE_SEND) {
        "venue"
    } else if crate::latency::meaning_of(&name.from).is_some() {
        "stage"
    } else {
        "lines"
    }
}
