//! `[store]`: where a daemon keeps what it found, and for how long.

use std::path::{Path, PathBuf};

use super::{ConfigError, MIB, MINUTE, SECOND, Table, duration, path, set, size};
use crate::config::reader::duration_text;

/// A day, of which an interval is a part.
const DAY: u64 = 24 * 60 * MINUTE;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The file.
    pub path: PathBuf,
    /// Length of the intervals, nanoseconds.
    pub interval_ns: u64,
    /// Data time that intervals are kept, nanoseconds.
    pub keep_time_ns: u64,
    /// Bytes of the file beyond which the oldest intervals go.
    pub keep_size: u64,
    /// Folder below which quotes are written as Parquet files; `None`: they are not.
    pub parquet: Option<PathBuf>,
    /// Folder below which messages are written as Parquet files; `None`: they are not.
    pub parquet_messages: Option<PathBuf>,
    /// How long a row waits at most before its file is closed, nanoseconds.
    pub parquet_rotate_ns: u64,
    /// What the machine is called whose clock is watched, as the log of clocks names it.
    pub host: Option<String>,
    /// What keeps its clock, in the operator's words.
    pub time_source: Option<String>,
}

impl Default for Store {
    fn default() -> Store {
        Store {
            path: PathBuf::from("parallax.db"),
            interval_ns: MINUTE,
            keep_time_ns: 366 * DAY,
            keep_size: 20 << 30,
            parquet: None,
            parquet_messages: None,
            parquet_rotate_ns: 15 * MINUTE,
            host: None,
            time_source: None,
        }
    }
}

pub(super) fn read(mut table: Table<'_>, folder: &Path, recorded: bool) -> Result<Store, ConfigError> {
    let mut store = Store::default();
    store.path = path(&mut table, "path", folder)?.unwrap_or_else(|| folder.join(&store.path));
    set(&mut store.interval_ns, duration(&mut table, "interval", SECOND..=DAY)?);
    if store.interval_ns % SECOND != 0 || !DAY.is_multiple_of(store.interval_ns) {
        let sentence = format!(
            "`interval` is {}; write whole seconds that divide a day, such as 10s, 60s or 5m",
            duration_text(store.interval_ns)
        );
        return Err(table.error_of("interval", sentence));
    }
    set(&mut store.keep_time_ns, duration(&mut table, "keep_time", DAY..=366 * DAY)?);
    set(&mut store.keep_size, size(&mut table, "keep_size", 16 * MIB..=1 << 50)?);
    store.parquet = path(&mut table, "parquet", folder)?;
    store.parquet_messages = path(&mut table, "parquet_messages", folder)?;
    if store.parquet_messages.is_some() && !recorded {
        let sentence =
            "`parquet_messages` takes its messages from what is recorded; write a [recorder] as well";
        return Err(table.error_of("parquet_messages", sentence.to_owned()));
    }
    set(&mut store.parquet_rotate_ns, duration(&mut table, "parquet_rotate", SECOND..=DAY)?);
    store.host = words(&mut table, "host")?;
    store.time_source = words(&mut table, "time_source")?;
    table.finish()?;
    Ok(store)
}

/// Characters of a name that stands in a table of the report.
const WORDS_MAX: usize = 120;

fn words(table: &mut Table<'_>, key: &'static str) -> Result<Option<String>, ConfigError> {
    let Some((text, span)) = table.string(key)? else { return Ok(None) };
    let text = text.trim();
    if text.is_empty() || text.chars().count() > WORDS_MAX || text.chars().any(char::is_control) {
        let sentence = format!("`{key}` wants 1 to {WORDS_MAX} characters on one line, such as \"md-01\"");
        return Err(table.error_at(&span, sentence));
    }
    Ok(Some(text.to_owned()))
}

/// Host and source of time that a configuration's text names; everything else in it is passed by.
pub fn clock_of(text: &str) -> [Option<String>; 2] {
    let named = |key: &str| {
        let root = toml::de::DeTable::parse(text).ok()?;
        let store = root.get_ref().get("store")?.get_ref().as_table()?;
        let value = store.get(key)?.get_ref().as_str()?.trim();
        let fits =
            !value.is_empty() && value.chars().count() <= WORDS_MAX && !value.chars().any(char::is_control);
        fits.then(|| value.to_owned())
    };
    [named("host"), named("time_source")]
}
