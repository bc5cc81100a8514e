//! The store: what was found, in one SQLite file that is asked with SQL.
//!
//! A run writes its alerts with every transition and its figures by interval and by day; reports, explanations and
//! `parallax sql` read them. The schema is in `schema/`, one file a version, and documented in `docs/store.md`.
//!
//! It judges nothing and is never waited for: figures come to it in batches, and a thread of its own writes them.

mod error;
mod open;

pub use error::StoreError;
pub use open::{APPLICATION_ID, Writing, open_read, open_write, version_known};

/// The steps from an empty file to the newest schema, in order; a store's `user_version` is how many were taken.
pub const MIGRATIONS: &[&str] = &[include_str!("schema/v1.sql")];
