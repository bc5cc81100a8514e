//! Asks a store with SQL that anybody may have written: it only reads, and ends.
//!
//! The connection is read-only; what could open another file or change anything is refused when the statement is
//! compiled. Time and memory are bounded.

use std::path::Path;
use std::time::Duration;

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::Value;
use rusqlite::{Batch, Connection, ErrorCode};

use super::error::StoreError;
use super::hints;
use crate::source::clock;

/// Bounds of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long it may take.
    pub time: Duration,
    /// Rows that are given at most.
    pub rows: usize,
}

/// Bytes that SQLite takes at most, for everything.
const HEAP_MAX: i64 = 1 << 30;
/// Bytes of one value at most.
const VALUE_MAX: i32 = 64 << 20;
/// Steps of SQLite's machine between two looks at the clock.
const STEPS: i32 = 20_000;

/// A store that is asked.
pub struct Asked {
    connection: Connection,
    bounds: Bounds,
}

/// What a question gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Rows that were given.
    pub rows: usize,
    /// There were more.
    pub cut: bool,
}

impl Asked {
    /// Takes a store that is open for reading.
    ///
    /// # Errors
    /// What SQLite refuses.
    pub fn new(connection: Connection, path: &Path, bounds: Bounds) -> Result<Asked, StoreError> {
        let told = |error: rusqlite::Error| StoreError::of(path, &error);
        connection.pragma_update_and_check(None, "hard_heap_limit", HEAP_MAX, |_| Ok(())).map_err(told)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_MAX).map_err(told)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0).map_err(told)?;
        Ok(Asked { connection, bounds })
    }

    /// The database itself, to prepare it for a question.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Asks: calls `head` with the names of the columns, then `row` with every row.
    ///
    /// # Errors
    /// One sentence: what is wrong with the statement, or that it took too long; and those of `head` and `row`.
    pub fn ask(
        &mut self,
        sql: &str,
        parameters: &[(String, String)],
        head: &mut dyn FnMut(&[String]) -> anyhow::Result<()>,
        row: &mut dyn FnMut(&[Value]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Given> {
        let bounds = self.bounds;
        let said = |error: rusqlite::Error| sentence(&error, bounds);
        let until = clock::monotonic_now() + bounds.time;
        let late = move || clock::monotonic_now() >= until;
        self.connection.progress_handler(STEPS, Some(late)).map_err(said)?;
        self.connection.authorizer(Some(may)).map_err(said)?;
        let mut batch = Batch::new(&self.connection, sql);
        let mut statement = match batch.next() {
            Ok(Some(statement)) => statement,
            Ok(None) => anyhow::bail!("there is no statement; write one such as SELECT * FROM alerts"),
            Err(error) => anyhow::bail!(unprepared(&self.connection, &error, sql, bounds)),
        };
        if !matches!(batch.next(), Ok(None)) {
            anyhow::bail!("there are several statements; ask one at a time");
        }
        if !statement.readonly() || statement.column_count() == 0 {
            anyhow::bail!("the statement does not read; `parallax sql` asks and changes nothing");
        }
        for (name, value) in parameters {
            let name = format!(":{name}");
            if let Some(at) = statement.parameter_index(&name).map_err(said)? {
                statement.raw_bind_parameter(at, value).map_err(said)?;
            }
        }
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        head(&names)?;
        let mut given = Given { rows: 0, cut: false };
        let mut values = Vec::with_capacity(names.len());
        let mut rows = statement.raw_query();
        while let Some(found) = rows.next().map_err(said)? {
            if given.rows == self.bounds.rows {
                given.cut = true;
                break;
            }
            values.clear();
            for at in 0..names.len() {
                values.push(found.get(at).map_err(said)?);
            }
            row(&values)?;
            given.rows += 1;
        }
        Ok(given)
    }
}

/// What is wrong with a statement that cannot be compiled, and what may have been meant.
fn unprepared(store: &Connection, error: &rusqlite::Error, sql: &str, bounds: Bounds) -> StoreError {
    let (rusqlite::Error::SqlInputError { msg: said, .. } | rusqlite::Error::SqliteFailure(_, Some(said))) =
        error
    else {
        return sentence(error, bounds);
    };
    hints::hint(store, said, sql)
        .map_or_else(|| sentence(error, bounds), |hint| StoreError(format!("{said}; {hint}")))
}

/// What is wrong, in one sentence.
fn sentence(error: &rusqlite::Error, bounds: Bounds) -> StoreError {
    StoreError(match (error.sqlite_error_code(), error) {
        (Some(ErrorCode::OperationInterrupted), _) => format!(
            "the question took longer than {} s; ask for less, or give it longer with --timeout",
            bounds.time.as_secs()
        ),
        (Some(ErrorCode::AuthorizationForStatementDenied), _) => {
            "the statement does more than read this store; `parallax sql` asks and changes nothing".to_owned()
        }
        (Some(ErrorCode::OutOfMemory), _) => {
            "the question wants more than 1 GiB of memory; ask for less".to_owned()
        }
        (_, rusqlite::Error::SqlInputError { msg, sql, offset, .. }) => {
            let at = usize::try_from(*offset).unwrap_or(0).min(sql.len());
            let near: String = sql.get(at..).unwrap_or_default().chars().take(24).collect();
            if near.trim().is_empty() { msg.clone() } else { format!("{msg}, at `{}`", near.trim()) }
        }
        (_, rusqlite::Error::SqliteFailure(_, Some(message))) => message.clone(),
        (_, other) => other.to_string(),
    })
}

/// What a question may do.
fn may(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        AuthAction::Pragma { pragma_name, .. } => {
            let reads =
                ["table_info", "table_xinfo", "table_list", "index_list", "index_info", "user_version"];
            if reads.contains(&pragma_name.to_lowercase().as_str()) {
                Authorization::Allow
            } else {
                Authorization::Deny
            }
        }
        _ => Authorization::Deny,
    }
}
