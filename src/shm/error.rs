//! Why a book file cannot be made, opened or read.

use std::io;
use std::path::PathBuf;

/// A file that cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum ShmError {
    /// The system said no.
    #[error("{path}: cannot {doing}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A name that cannot be part of a file's name, or is too long for its field.
    #[error(
        "{what} {text:?} cannot name a shared book: 1 to {most} bytes, no slash, no control characters, no dot in front"
    )]
    Name {
        /// Which name.
        what: &'static str,
        /// It.
        text: String,
        /// Bytes that there is room for.
        most: usize,
    },
    /// Slots or levels out of range.
    #[error(
        "a shared book of {slots} slots with {levels} levels: there may be 1 to {slots_max} slots and 0 to {levels_max} levels"
    )]
    Shape {
        /// Slots asked for.
        slots: usize,
        /// Levels asked for.
        levels: usize,
        /// Slots at most.
        slots_max: usize,
        /// Levels at most.
        levels_max: usize,
    },
    /// A living writer has it.
    #[error(
        "{path}: process {pid} is writing it; give this daemon another name ([run] name) or stop that one"
    )]
    Taken {
        /// The file.
        path: PathBuf,
        /// Who.
        pid: u64,
    },
    /// Other processes made and replaced it while this one tried.
    #[error("{path}: other processes keep replacing it")]
    Contested {
        /// The file.
        path: PathBuf,
    },
    /// Not a file that this version reads.
    #[error("{path}: {why}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The reason, as the end of a sentence.
        why: String,
    },
}

/// A slot that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No such slot is in use.
    #[error("no such slot is in use")]
    NoSlot,
    /// In use, and nothing was ever written to it.
    #[error("nothing has been written to the slot yet")]
    Empty,
    /// Every try met a write. From a living writer: try again; from a dead one it stays so.
    #[error("every try met a write")]
    Torn,
    /// The words are none that this version writes.
    #[error("the slot holds what this version does not know")]
    Unreadable,
}
