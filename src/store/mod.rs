//! The store: what was found, in one SQLite file that is asked with SQL.
//!
//! A run writes its alerts with every transition and its figures by interval and by day; reports, explanations and
//! `parallax sql` read them. The schema is in `schema/`, one file a version, and documented in `docs/store.md`.
//!
//! It judges nothing and is never waited for: figures come to it in batches, and a thread of its own writes them.

mod alerts;
mod error;
mod family;
pub mod functions;
mod names;
mod open;
mod record;
mod retention;
mod thread;
mod writer;

pub use error::StoreError;
pub use open::{APPLICATION_ID, Writing, open_read, open_write, version_known};
pub use retention::Retention;
pub use thread::{StoreSender, StoreState, StoreThread};
pub use writer::{Batch, CaptureFacts, HostClock, RunFacts, Writer, hash};

/// The arguments of this process as they were given, one a line.
pub fn command_line() -> String {
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    arguments.collect::<Vec<_>>().join("\n")
}

/// The steps from an empty file to the newest schema, in order; a store's `user_version` is how many were taken.
pub const MIGRATIONS: &[&str] = &[include_str!("schema/v1.sql")];
