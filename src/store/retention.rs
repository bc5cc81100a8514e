//! How long a store keeps what: intervals, transitions and quotes of alerts go by age and size; days, runs and alerts'
//! own rows stay.
//!
//! The oldest day goes first, in small steps: a writer that sweeps never falls behind.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Failure;
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

/// Does it, day by day, and of a day a few intervals at a time.
#[derive(Debug)]
pub struct Sweep {
    retention: Retention,
    /// The end of the day that is going.
    going: i64,
}

/// Intervals that go in one step at most.
const INTERVALS_A_STEP: u32 = 16;
/// Pages that go back to the disk in one step at most.
const PAGES_A_STEP: u32 = 256;
/// Free pages are given back to the disk beyond one in so many; what is free until then is used again.
const FREE_ONE_IN: i64 = 8;

/// The oldest interval and the newest. Asked for in one they would be looked for one by one.
const ENDS: &str =
    "SELECT (SELECT min(start_ns) FROM watch_interval), (SELECT max(start_ns) FROM watch_interval)";

impl Sweep {
    /// For that retention.
    pub fn new(retention: Retention) -> Sweep {
        Sweep { retention, going: 0 }
    }

    /// Deletes what is due, a bounded amount: whoever waits for the writer waits for no whole day. Answers whether there
    /// is more to do. No transaction may be open.
    pub fn step(&mut self, writer: &Writer) -> Result<bool, Failure> {
        let connection = writer.connection();
        let stepped = self.delete(connection).and_then(|more| Ok(give_back(connection)? || more));
        stepped.map_err(|error| Failure::of(writer.path(), &error))
    }

    fn delete(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let span: (Option<i64>, Option<i64>) =
            connection.query_row(ENDS, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(oldest), Some(newest)) = span else { return Ok(false) };
        let day_end = oldest - oldest % signed(DAY_NS) + signed(DAY_NS);
        let old =
            self.retention.keep_time_ns.is_some_and(|keep| day_end <= newest.saturating_sub(signed(keep)));
        // The day that is being written stays, however large; one that has begun to go, goes.
        let large = day_end <= newest && (day_end == self.going || self.is_large(connection)?);
        if !old && !large {
            return Ok(false);
        }
        self.going = day_end;
        let step = "SELECT DISTINCT start_ns FROM watch_interval WHERE start_ns < ? ORDER BY start_ns LIMIT 1 OFFSET ?";
        let next: Option<i64> =
            connection.query_row(step, params![day_end, INTERVALS_A_STEP], |row| row.get(0)).optional()?;
        delete_before(connection, next.unwrap_or(day_end), next.is_none())?;
        Ok(true)
    }

    fn is_large(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let Some(keep) = self.retention.keep_size else { return Ok(false) };
        let [pages, free] = pages(connection)?;
        let size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        Ok((pages - free).saturating_mul(size) > signed(keep))
    }
}

/// Pages of the file, and those of them that hold nothing.
fn pages(connection: &Connection) -> rusqlite::Result<[i64; 2]> {
    let asked = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok([asked("page_count")?, asked("freelist_count")?])
}

/// Gives free pages back to the disk where they are many; answers whether there are more.
fn give_back(connection: &Connection) -> rusqlite::Result<bool> {
    let many = |[pages, free]: [i64; 2]| free * FREE_ONE_IN > pages;
    if !many(pages(connection)?) {
        return Ok(false);
    }
    connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_A_STEP})"))?;
    pages(connection).map(many)
}

/// Deletes everything by interval that lies before `end`, in one transaction; where a day ends there, what belongs to
/// alerts that ended before it too.
fn delete_before(connection: &Connection, end: i64, day_ends: bool) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = delete_rows(connection, end, day_ends);
    connection.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    done
}

fn delete_rows(connection: &Connection, end: i64, day_ends: bool) -> rusqlite::Result<()> {
    if day_ends {
        connection.execute("DELETE FROM host_clock WHERE ts_ns < ?", [end])?;
        for table in ["transition", "alert_quote"] {
            let over = "SELECT run, id FROM alert WHERE ended_ns < ?";
            connection.execute(&format!("DELETE FROM {table} WHERE (run, id) IN ({over})"), [end])?;
        }
    }
    for name in family::ALL.iter().map(|f| f.name).chain(["latency"]) {
        connection.execute(&format!("DELETE FROM {name}_interval WHERE start_ns < ?"), [end])?;
    }
    Ok(())
}
