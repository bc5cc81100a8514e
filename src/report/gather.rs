//! Asks the store.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::clock_rule::ClockRules;
use super::queries::{Clocks, QUERIES, Query};
use super::range::Range;
use super::scorecard;
use super::table::{Cell, Table};

/// A report.
#[derive(Debug, Clone)]
pub struct Report {
    /// The time it is about.
    pub range: Range,
    /// The rule for clocks, by its days.
    pub rules: ClockRules,
    /// What it says in sentences, the most important first.
    pub sentences: Vec<String>,
    /// Every query's table, empty ones too.
    pub tables: Vec<Table>,
}

impl Report {
    /// A table by the name of its query.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

/// Makes the report; `clocks` says by what clocks are judged, whose were watched, and how far those of arrivals may be off.
/// `None` when the store has nothing in the range.
///
/// # Errors
/// Those of SQLite.
pub fn gather(store: &Connection, range: Range, clocks: &Clocks) -> rusqlite::Result<Option<Report>> {
    // One reading: what is written meanwhile is in all tables or in none.
    let store = store.unchecked_transaction()?;
    let tables: Vec<Table> =
        QUERIES.iter().map(|query| ask(&store, query, &range, clocks)).collect::<rusqlite::Result<_>>()?;
    let mut report = Report { range, rules: clocks.rules.clone(), sentences: Vec::new(), tables };
    let told = |name: &str| report.table(name).is_some_and(|table| !table.rows.is_empty());
    if !["sources", "alerts", "lines", "latency", "host_clock"].iter().any(|name| told(name)) {
        return Ok(None);
    }
    report.sentences = scorecard::sentences(&report);
    Ok(Some(report))
}

fn ask(store: &Connection, query: &Query, range: &Range, clocks: &Clocks) -> rusqlite::Result<Table> {
    let mut statement = store.prepare(&query.sql(range, clocks))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let read = |row: &rusqlite::Row<'_>| (0..width).map(|at| Ok(cell(row.get_ref(at)?))).collect();
    let rows = statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(Table { name: query.name, title: query.title, about: query.about, columns, rows })
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(n) => Cell::Whole(n),
        ValueRef::Real(x) => Cell::Text(x.to_string()),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Text(format!("{} bytes", bytes.len())),
    }
}
