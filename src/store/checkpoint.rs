//! Writes a store's log into its file, on a thread and a connection of its own.
//!
//! That waits for the disk. The writer does not: to commit it appends to the log, which whoever is killed leaves behind
//! whole. It judges no failure: the writer will meet the same, and tells it.

use std::path::Path;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};
use rusqlite::{Connection, OpenFlags};

use super::error::StoreError;

/// See the module.
#[derive(Debug)]
pub struct Checkpointer {
    asked: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// For the store at `path`, which is open.
    ///
    /// # Errors
    /// A file that cannot be opened a second time, or a thread that cannot be started.
    pub fn start(path: &Path) -> Result<Checkpointer, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| StoreError::of(path, &error))?;
        let (asked, wanted) = bounded(1);
        let thread = std::thread::Builder::new().name("store-log".to_owned()).spawn(move || {
            while wanted.recv().is_ok() {
                // Passive: neither the writer nor any reader is held up by it, and what it cannot do yet it does next time.
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        });
        let thread = thread.map_err(|error| {
            StoreError::new(path, &format!("cannot be written: no thread starts: {error}"))
        })?;
        Ok(Checkpointer { asked: Some(asked), thread: Some(thread) })
    }

    /// It is time to. One that is at it already goes on.
    pub fn ask(&self) {
        if let Some(asked) = &self.asked {
            let _ = asked.try_send(());
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.asked = None;
        if let Some(thread) = self.thread.take() {
            // One that died has said so; the writer does without.
            let _ = thread.join();
        }
    }
}
