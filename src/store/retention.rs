//! How long a store keeps what: intervals, transitions and quotes of alerts go by age and size; days, runs and alerts'
//! own rows stay.
//!
//! The oldest day goes first, whole, a few at a time: a writer that sweeps never falls far behind.

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::family;
use super::writer::{DAY_NS, Writer, signed};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Data time that intervals are kept, counted from the newest; `None`: for ever.
    pub keep_time_ns: Option<u64>,
    /// Bytes of the file beyond which the oldest intervals go; `None`: no bound.
    pub keep_size: Option<u64>,
}

impl Retention {
    /// Everything stays.
    pub const ALL: Retention = Retention { keep_time_ns: None, keep_size: None };
}

/// Does it, day by day.
#[derive(Debug)]
pub struct Sweep {
    retention: Retention,
}

/// Days that go in one step at most.
const DAYS_A_STEP: usize = 2;
/// Pages that go back to the disk in one step at most.
const PAGES_A_STEP: u32 = 4_096;

impl Sweep {
    /// For that retention.
    pub fn new(retention: Retention) -> Sweep {
        Sweep { retention }
    }

    /// Deletes what is due, a bounded amount at a time.
    pub fn step(&self, writer: &Writer) -> Result<(), StoreError> {
        self.delete(writer.connection()).map_err(|error| StoreError::of(writer.path(), &error))
    }

    fn delete(&self, connection: &Connection) -> rusqlite::Result<()> {
        for _ in 0..DAYS_A_STEP {
            let span: (Option<i64>, Option<i64>) = connection.query_row(
                "SELECT min(start_ns), max(start_ns) FROM watch_interval",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let (Some(oldest), Some(newest)) = span else { return Ok(()) };
            let end = oldest - oldest % signed(DAY_NS) + signed(DAY_NS);
            let old =
                self.retention.keep_time_ns.is_some_and(|keep| end <= newest.saturating_sub(signed(keep)));
            // The day that is being written stays, however large.
            let large = end <= newest && self.is_large(connection)?;
            if !old && !large {
                return Ok(());
            }
            delete_before(connection, end)?;
        }
        Ok(())
    }

    fn is_large(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let asked = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let bytes = (asked("page_count")? - asked("freelist_count")?).saturating_mul(asked("page_size")?);
        Ok(self.retention.keep_size.is_some_and(|keep| bytes > signed(keep)))
    }
}

/// Deletes everything by interval that lies before `end`, in one transaction, and what belongs to alerts that ended
/// before it.
fn delete_before(connection: &Connection, end: i64) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = delete_rows(connection, end);
    connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    done?;
    connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_A_STEP})"))
}

fn delete_rows(connection: &Connection, end: i64) -> rusqlite::Result<()> {
    for name in family::ALL.iter().map(|f| f.name).chain(["latency"]) {
        connection.execute(&format!("DELETE FROM {name}_interval WHERE start_ns < ?"), [end])?;
    }
    connection.execute("DELETE FROM host_clock WHERE ts_ns < ?", [end])?;
    for table in ["transition", "alert_quote"] {
        let over = "SELECT 1 FROM alert a WHERE a.run = t.run AND a.id = t.id AND a.ended_ns < ?";
        connection.execute(&format!("DELETE FROM {table} AS t WHERE EXISTS ({over})"), params![end])?;
    }
    Ok(())
}
