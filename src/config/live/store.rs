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
}

impl Default for Store {
    fn default() -> Store {
        Store {
            path: PathBuf::from("parallax.db"),
            interval_ns: MINUTE,
            keep_time_ns: 366 * DAY,
            keep_size: 20 << 30,
        }
    }
}

pub(super) fn read(mut table: Table<'_>, folder: &Path) -> Result<Store, ConfigError> {
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
    table.finish()?;
    Ok(store)
}
