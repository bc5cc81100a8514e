//! The shared-memory book: one writer per source, any number of readers in other processes.
//!
//! A source's views (its own top of book with levels, or each participant's quote) lie in one file, normally under
//! `/dev/shm/parallax`, laid out as `docs/shared-memory.md` says. Readers map it read-only: they cannot slow the
//! writer, ask it, or break anything, and they tell apart a read that met a write ([`ReadError::Torn`]), a writer
//! that has fallen silent and one that is dead ([`WriterState`]).
//!
//! Nothing here reads a clock, and nothing here judges: what the receiver knows is what is shown.

mod error;
mod image;
pub mod layout;
mod map;
mod process;
mod reader;
pub mod seqlock;
mod writer;

use std::path::{Path, PathBuf};

pub use error::{ReadError, ShmError};
pub use image::{Image, Unreadable};
pub use layout::Shape;
pub use map::{Map, Memory};
pub use process::Process;
pub use reader::{Entry, Read, Reader, Title};
pub use writer::Writer;

/// Where book files lie unless the configuration says otherwise.
pub const DIRECTORY: &str = "/dev/shm/parallax";
/// How often a writer gives a sign of life, traffic or none.
pub const HEARTBEAT_EVERY_NS: u64 = 100_000_000;
/// A writer without a sign of life for this long is stale: ten were missed.
pub const STALE_AFTER_NS: u64 = 10 * HEARTBEAT_EVERY_NS;
/// How often a read is tried before it is given up as torn; some tens of microseconds.
const TRIES: u32 = 1_000;

/// Whose books a file holds.
#[derive(Debug, Clone, Copy)]
pub struct Papers<'a> {
    /// The daemon's name, 1 to 48 bytes: the first part of the file's name.
    pub name: &'a str,
    /// The source's, 1 to 64 bytes: the second part.
    pub source: &'a str,
    /// Its feed, at most 32 bytes.
    pub feed: &'a str,
    /// Its venue's MIC where it has one, at most 8 bytes.
    pub venue: Option<&'a str>,
}

/// A slot of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(u32);

impl SlotId {
    /// Its position.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How the writer of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriterState {
    /// It gives signs of life.
    Alive,
    /// Its process is there, or cannot be looked at, and it gives no sign of life.
    Stale {
        /// Since when, nanoseconds ago.
        age_ns: u64,
    },
    /// It is no more: nothing in the file will change.
    Dead {
        /// It closed the file itself.
        closed: bool,
    },
}

impl WriterState {
    /// Name in records.
    pub const fn name(self) -> &'static str {
        match self {
            WriterState::Alive => "alive",
            WriterState::Stale { .. } => "stale",
            WriterState::Dead { closed: true } => "closed",
            WriterState::Dead { closed: false } => "dead",
        }
    }
}

/// A heartbeat of the future (the clock was set back) is one of now.
fn state_of(closed: bool, gone: bool, heartbeat_ns: u64, now_ns: u64) -> WriterState {
    let age_ns = now_ns.saturating_sub(heartbeat_ns);
    match (closed, gone) {
        (true, _) => WriterState::Dead { closed: true },
        (false, true) => WriterState::Dead { closed: false },
        (false, false) if age_ns > STALE_AFTER_NS => WriterState::Stale { age_ns },
        (false, false) => WriterState::Alive,
    }
}

/// The file of a daemon's source.
pub fn book_path(directory: &Path, name: &str, source: &str) -> PathBuf {
    directory.join(format!("{name}.{source}.book"))
}

/// The book files of a directory, sorted by name; none where there is no directory.
///
/// # Errors
/// What the system says.
pub fn books_in(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".book") && !name.starts_with('.') {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
