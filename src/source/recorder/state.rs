//! What the two sides of the recorder tell each other and the rest of the daemon.
//!
//! Counters are written by one thread each and read by any; none of them orders other memory, so relaxed is enough.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What passes between a receiver's keeper and the recorder beside the ring.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The recorder asks for a new file: every file below this number is at its end.
    pub restart_at: AtomicU32,
    /// Datagrams that the keeper could not keep.
    pub not_kept: AtomicU64,
    /// What [`super::Keeper::finish`] left behind.
    pub end: Mutex<Option<End>>,
}

/// The end of a receiver.
#[derive(Debug, Default)]
pub(super) struct End {
    /// When it stopped watching its lines, nanoseconds since 1970.
    pub now_ns: u64,
    /// Datagrams not kept after the last that was, by line.
    pub missing: Vec<u32>,
}

/// What the recorder shows of itself.
#[derive(Debug, Default)]
pub(super) struct Board {
    pub kept: AtomicU64,
    pub not_written: AtomicU64,
    pub files: AtomicU64,
    pub bytes: AtomicU64,
    pub oldest_ns: AtomicU64,
    pub ring_percent: AtomicU64,
    pub finished: AtomicBool,
    pub errors: Mutex<Errors>,
}

/// What is wrong now, in sentences; empty while all is well.
#[derive(Debug, Default)]
pub(super) struct Errors {
    pub writing: String,
    pub deleting: String,
}

/// A lock that outlives a thread that panicked: what lies under it is only text and numbers.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows the recorder's state to other threads; cheap to clone.
#[derive(Clone, Debug)]
pub struct RecorderMonitor {
    pub(super) directory: PathBuf,
    pub(super) board: Arc<Board>,
    pub(super) receivers: Vec<Arc<Shared>>,
}

/// The recorder at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecorderState {
    /// Where it writes.
    pub directory: PathBuf,
    /// Datagrams that lie in files, flushed.
    pub kept: u64,
    /// Datagrams that a full ring turned away, before they had a place.
    pub not_kept: u64,
    /// Datagrams that were taken and could not be written (disk full, directory gone).
    pub not_written: u64,
    /// Files of recordings in the directory, those of earlier runs and the open ones included.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Receive time of the oldest datagram in them, nanoseconds since 1970; 0 when there is none.
    pub oldest_ns: u64,
    /// The fullest ring when it was last emptied, percent.
    pub ring_percent: u64,
    /// What is wrong now; empty while all is well.
    pub error: String,
    /// Every receiver has finished and all is written.
    pub finished: bool,
}

impl RecorderMonitor {
    /// The state now. Counters of different threads are read one after the other, not all at one instant.
    pub fn state(&self) -> RecorderState {
        let board = &*self.board;
        let errors = lock(&board.errors);
        let sentences: Vec<&str> =
            [&*errors.writing, &*errors.deleting].into_iter().filter(|text| !text.is_empty()).collect();
        RecorderState {
            directory: self.directory.clone(),
            kept: board.kept.load(Ordering::Relaxed),
            not_kept: self.receivers.iter().map(|shared| shared.not_kept.load(Ordering::Relaxed)).sum(),
            not_written: board.not_written.load(Ordering::Relaxed),
            files: board.files.load(Ordering::Relaxed),
            bytes: board.bytes.load(Ordering::Relaxed),
            oldest_ns: board.oldest_ns.load(Ordering::Relaxed),
            ring_percent: board.ring_percent.load(Ordering::Relaxed),
            error: sentences.join("; "),
            finished: board.finished.load(Ordering::Acquire),
        }
    }
}
