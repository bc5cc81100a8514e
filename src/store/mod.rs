//! The store: what was found, in one SQLite file that is asked with SQL.
//!
//! A run writes its alerts with every transition and its figures by interval and by day; reports, explanations and
//! `parallax sql` read them. The schema is in `schema/`, one file a version, and documented in `docs/store.md`.
//!
//! It judges nothing and is never waited for: figures come to it in batches, and a thread of its own writes them.

mod alerts;
mod ask;
mod batch;
mod checkpoint;
mod error;
mod family;
pub mod functions;
mod hints;
mod names;
mod open;
mod parquet;
pub mod queries;
mod record;
mod retention;
mod thread;
mod work;
mod writer;

pub use ask::{Asked, Bounds, Given};
pub use batch::{Batch, HostClock, Lost};
pub use error::{Failure, StoreError};
pub use open::{APPLICATION_ID, Writing, open_read, open_write, version_known};
pub use parquet::{
    Captures, MessageFiles, MessageThread, Names as RowNames, QuoteFiles, QuoteSender, QuoteThread,
    RowSender, Wanted, load_quotes,
};
pub use retention::Retention;
pub use thread::{Manner, StoreSender, StoreState, StoreThread};
pub use work::Reopen;
pub use writer::{CaptureFacts, RunFacts, Writer, hash};

/// The arguments of this process as they were given, one a line.
pub fn command_line() -> String {
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    arguments.collect::<Vec<_>>().join("\n")
}

/// The table that queries over quotes read; it is filled from the Parquet files of a run.
const QUOTES_TABLE: &str = "CREATE TEMP TABLE quotes (ts_ns INTEGER NOT NULL, source TEXT NOT NULL,
    instrument TEXT NOT NULL, venue TEXT NOT NULL, bid INTEGER, bid_qty INTEGER, ask INTEGER, ask_qty INTEGER,
    round_lot_bid INTEGER, round_lot_ask INTEGER, ts_event_ns INTEGER, seq INTEGER, quality TEXT NOT NULL) STRICT;";

/// Made once the table is full, which is quicker.
const QUOTES_INDEX: &str =
    "CREATE INDEX temp.quotes_by_instrument ON quotes (instrument, source, venue, ts_ns);";

/// The steps from an empty file to the newest schema, in order; a store's `user_version` is how many were taken.
pub const MIGRATIONS: &[&str] = &[include_str!("schema/v1.sql")];
