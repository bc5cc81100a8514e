//! Quotes out of a folder of Parquet files, into the table that ready queries read.
//!
//! Only files that a question can want are opened: of its instrument, its sources, its days. Rows are bounded; what is larger
//! is for an engine that reads Parquet itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use rusqlite::{Connection, params};

use super::DAY_NS;
use super::hive::{decoded, encoded};
use super::read::{Quote, read, unharmed};
use crate::alert::console::Time;
use crate::alert::json::show_time;
use crate::store::error::StoreError;
use crate::store::{QUOTES_INDEX, QUOTES_TABLE};

/// Rows that are loaded at most.
const ROWS_MAX: usize = 5_000_000;

/// Which quotes a question can want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of this instrument only.
    pub instrument: Option<String>,
    /// Of these sources only; empty: of all.
    pub sources: Vec<String>,
    /// From this moment on, nanoseconds since 1970.
    pub from_ns: i64,
    /// Up to this moment, which still counts.
    pub until_ns: i64,
    /// Of those, only the latest of each source and venue.
    pub latest: bool,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted { instrument: None, sources: Vec::new(), from_ns: i64::MIN, until_ns: i64::MAX, latest: false }
    }
}

impl Wanted {
    /// What a ready query can want, by the names of its parameters: `instrument`; `first` and `second`, sources; `from` and
    /// `to`, with `tolerance_ms` before; or the latest `at` a moment, not older than so many `days`. A value that cannot be
    /// read bounds nothing: the query itself says what is wrong with it.
    pub fn of(parameters: &[(String, String)]) -> Wanted {
        let value = |name: &str| parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let time = |name: &str| {
            let Time(ns) = value(name).and_then(Time::parse)?;
            i64::try_from(ns).ok()
        };
        let number = |name: &str| value(name).and_then(|text| text.parse::<i64>().ok());
        let mut wanted = Wanted { instrument: value("instrument").map(str::to_owned), ..Wanted::default() };
        wanted.sources = ["first", "second"].into_iter().filter_map(value).map(str::to_owned).collect();
        if let Some(at) = time("at") {
            (wanted.until_ns, wanted.latest) = (at, true);
            if let Some(days) = number("days") {
                wanted.from_ns = at.saturating_sub(days.saturating_mul(DAY_NS as i64));
            }
        }
        if let Some(from) = time("from") {
            let before = number("tolerance_ms").unwrap_or(0).saturating_mul(1_000_000);
            wanted.from_ns = from.saturating_sub(before);
        }
        if let Some(to) = time("to") {
            wanted.until_ns = to;
        }
        wanted
    }

    /// A time that counts.
    fn holds(&self, ts_ns: i64) -> bool {
        (self.from_ns..=self.until_ns).contains(&ts_ns)
    }

    /// The days on which it can be, as folders are called; text sorts as they do.
    fn days(&self) -> [String; 2] {
        [self.from_ns, self.until_ns].map(|ns| show_time(ns.max(0) as u64)[..10].to_owned())
    }
}

/// Makes the table `quotes` and fills it from the files below `folder`. Nothing of it reaches the store: it is a temporary
/// table of this connection, which only reads before and after.
///
/// # Errors
/// A folder or file that cannot be read, or more rows than a question in memory should take.
pub fn load_quotes(connection: &Connection, folder: &Path, wanted: &Wanted) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| StoreError(format!("quotes cannot be brought into memory: {e}"));
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    connection.pragma_update(None, "query_only", false).map_err(failed)?;
    connection.execute_batch(QUOTES_TABLE).map_err(failed)?;
    connection.execute_batch("BEGIN").map_err(failed)?;
    load_folder(connection, &folder.join("quotes"), wanted)?;
    connection.execute_batch(QUOTES_INDEX).map_err(failed)?;
    connection.execute_batch("COMMIT").map_err(failed)?;
    connection.pragma_update(None, "query_only", true).map_err(failed)
}

fn load_folder(connection: &Connection, folder: &Path, wanted: &Wanted) -> Result<(), StoreError> {
    if !folder.is_dir() {
        return Err(StoreError(format!(
            "the folder of quotes {} is not there; `parallax replay --parquet DIR` makes one",
            folder.display()
        )));
    }
    let [first, last_day] = wanted.days();
    let mut dates = parts(folder, "date=", &[])?;
    dates.retain(|date| (first.as_str()..=last_day.as_str()).contains(&&last(date)["date=".len()..]));
    if wanted.latest {
        // The latest are found first, and what is older is hardly looked at.
        dates.reverse();
    }
    let instruments: Vec<&str> = wanted.instrument.iter().map(String::as_str).collect();
    let sources: Vec<&str> = wanted.sources.iter().map(String::as_str).collect();
    let mut load = Load { connection, wanted, loaded: 0, latest: BTreeMap::new() };
    for date in dates {
        for source in parts(&date, "source=", &sources)? {
            let name = decoded(&last(&source)["source=".len()..]);
            for folder in parts(&source, "instrument=", &instruments)? {
                let mut files = files(&folder)?;
                if wanted.latest {
                    files.reverse();
                }
                for file in files {
                    load.file(&file, &name)
                        .map_err(|why| StoreError(format!("{} cannot be read: {why}", file.display())))?;
                }
            }
        }
    }
    load.finish().map_err(|why| StoreError(format!("quotes cannot be brought into memory: {why}")))
}

fn last(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(folder)
        .map_err(|e| StoreError(format!("the folder {} cannot be read: {e}", folder.display())))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Folders whose names begin so, or only those of some values: a day has thousands.
fn parts(folder: &Path, begins: &str, only: &[&str]) -> Result<Vec<PathBuf>, StoreError> {
    let mut paths = match only {
        [] => list(folder)?,
        names => names.iter().map(|name| folder.join(format!("{begins}{}", encoded(name)))).collect(),
    };
    paths.sort();
    paths.dedup();
    paths.retain(|path| path.is_dir() && last(path).starts_with(begins));
    Ok(paths)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut paths = list(folder)?;
    paths.retain(|path| last(path).ends_with(".parquet") && !last(path).starts_with('.'));
    Ok(paths)
}

/// Whose latest quote it is: source, instrument where all are wanted, venue.
type Place = (String, String, String);

/// What is being loaded.
struct Load<'a> {
    connection: &'a Connection,
    wanted: &'a Wanted,
    loaded: usize,
    latest: BTreeMap<Place, Quote>,
}

impl Load<'_> {
    fn file(&mut self, path: &Path, source: &str) -> Result<(), String> {
        if self.wanted.latest {
            return self.latest_of(path, source);
        }
        let (wanted, room) = (self.wanted, ROWS_MAX - self.loaded);
        let mut found = 0;
        let quotes = unharmed(|| {
            read(
                path,
                |least, greatest| greatest < wanted.from_ns || least > wanted.until_ns,
                |times, _| {
                    let fits = |row: &usize| times[*row].is_some_and(|ts_ns| wanted.holds(ts_ns));
                    let chosen: Vec<usize> = (0..times.len()).filter(fits).collect();
                    found += chosen.len();
                    if found > room { Err(too_many()) } else { Ok(chosen) }
                },
            )
        })?;
        self.loaded += quotes.len();
        quotes.iter().try_for_each(|quote| self.insert(source, quote)).map_err(|e| e.to_string())
    }

    /// Files come from the latest on: a quote counts where none is known, or a later one than is known.
    fn latest_of(&mut self, path: &Path, source: &str) -> Result<(), String> {
        let wanted = self.wanted;
        let one = wanted.instrument.clone();
        let place =
            |venue: &str, instrument: &str| (source.to_owned(), instrument.to_owned(), venue.to_owned());
        let quotes = unharmed(|| {
            read(
                path,
                |least, greatest| greatest < wanted.from_ns || least > wanted.until_ns,
                |times, venues| {
                    let mut best: BTreeMap<&str, (i64, usize)> = BTreeMap::new();
                    for (row, (ts_ns, venue)) in times.iter().zip(venues).enumerate() {
                        let Some(ts_ns) = ts_ns.filter(|ts_ns| wanted.holds(*ts_ns)) else { continue };
                        let best = best.entry(venue.as_deref().unwrap_or_default()).or_insert((ts_ns, row));
                        if ts_ns >= best.0 {
                            *best = (ts_ns, row);
                        }
                    }
                    let news = |venue: &str, ts_ns: i64| match &one {
                        Some(name) => {
                            self.latest.get(&place(venue, name)).is_none_or(|known| known.ts_ns < ts_ns)
                        }
                        None => true,
                    };
                    let found = best.into_iter().filter(|(venue, (ts_ns, _))| news(venue, *ts_ns));
                    Ok(found.map(|(_, (_, row))| row).collect())
                },
            )
        })?;
        for quote in quotes {
            let place = place(&quote.venue, &quote.instrument);
            if self.latest.get(&place).is_none_or(|known| known.ts_ns < quote.ts_ns) {
                self.latest.insert(place, quote);
            }
        }
        if self.latest.len() > ROWS_MAX { Err(too_many().to_string()) } else { Ok(()) }
    }

    /// The latest become rows.
    fn finish(&mut self) -> rusqlite::Result<()> {
        let latest = std::mem::take(&mut self.latest);
        latest.iter().try_for_each(|((source, _, _), quote)| self.insert(source, quote))
    }

    fn insert(&self, source: &str, quote: &Quote) -> rusqlite::Result<()> {
        let into = "INSERT INTO quotes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let Quote { ts_ns, instrument, venue, prices, quantities, ts_event_ns, seq, quality } = quote;
        self.connection.prepare_cached(into)?.execute(params![
            ts_ns,
            source,
            instrument,
            venue,
            prices[0],
            quantities[0],
            prices[1],
            quantities[1],
            prices[2],
            prices[3],
            ts_event_ns,
            seq,
            quality,
        ])?;
        Ok(())
    }
}

fn too_many() -> ParquetError {
    ParquetError::General(format!(
        "with it there are more than {ROWS_MAX} quotes; ask for one instrument and a shorter time, or ask DuckDB or Polars"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(pairs: &[(&str, &str)]) -> Wanted {
        Wanted::of(&pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn what_a_query_can_want_follows_from_its_parameters() {
        assert_eq!(wanted(&[]), Wanted::default());
        let age = wanted(&[("instrument", "A"), ("at", "1970-01-09T00:00:01Z"), ("days", "7")]);
        let second = 1_000_000_000;
        assert_eq!((age.from_ns, age.until_ns), (DAY_NS as i64 + second, 8 * DAY_NS as i64 + second));
        assert!(age.latest && age.instrument.as_deref() == Some("A"));
        assert_eq!(age.days(), ["1970-01-02", "1970-01-09"]);
        let join = wanted(&[
            ("first", "a"),
            ("second", "b"),
            ("tolerance_ms", "1000"),
            ("from", "1970-01-01T00:00:03Z"),
            ("to", "1970-01-01T00:00:09Z"),
        ]);
        assert_eq!((join.from_ns, join.until_ns), (2 * second, 9 * second));
        assert_eq!((join.sources, join.latest), (vec!["a".to_owned(), "b".to_owned()], false));
        // The query says what is wrong with it.
        assert_eq!(wanted(&[("at", "yesterday"), ("days", "x"), ("from", "1")]), Wanted::default());
        assert_eq!(
            wanted(&[("from", "1970-01-01T00:00:00Z"), ("tolerance_ms", "9223372036854775807")]).days()[0],
            "1970-01-01"
        );
    }
}
