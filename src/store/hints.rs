//! What a question may have meant that names a table or a column which is not there.

use rusqlite::Connection;

use crate::config::reader::nearest;

/// What would be right, where SQLite says that a name is not there: the nearest one, or all there are.
pub(super) fn hint(store: &Connection, said: &str, sql: &str) -> Option<String> {
    let name_of =
        |prefix: &str| said.strip_prefix(prefix).map(|name| name.rsplit('.').next().unwrap_or(name));
    if let Some(name) = name_of("no such table: ") {
        let tables = tables(store)?;
        let views = strings(store, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name", &[])?;
        return Some(meant(name, &tables, || {
            format!("{} are there to begin with, docs/store.md has every table", quoted(&views))
        }));
    }
    let name = name_of("no such column: ")?;
    let mut known = Vec::new();
    for table in tables(store)?.into_iter().filter(|table| says(sql, table)) {
        let columns = columns(store, &table)?;
        known.push((table, columns));
    }
    let all: Vec<String> = known.iter().flat_map(|(_, columns)| columns.clone()).collect();
    let listed = || {
        known
            .iter()
            .map(|(table, columns)| format!("{table} has {}", quoted(columns)))
            .collect::<Vec<_>>()
            .join("; ")
    };
    (!all.is_empty()).then(|| meant(name, &all, listed))
}

fn meant(name: &str, names: &[String], all: impl Fn() -> String) -> String {
    let lower = name.to_lowercase();
    match nearest(&lower, names.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => all(),
    }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Whether the statement has that word.
fn says(sql: &str, word: &str) -> bool {
    sql.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found.eq_ignore_ascii_case(word))
}

/// Tables and views that a question may name.
fn tables(store: &Connection) -> Option<Vec<String>> {
    strings(
        store,
        "SELECT name FROM (SELECT name, type FROM sqlite_schema UNION SELECT name, type FROM sqlite_temp_schema)
         WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        &[],
    )
}

fn columns(store: &Connection, table: &str) -> Option<Vec<String>> {
    strings(store, "SELECT name FROM pragma_table_info(?1) ORDER BY cid", &[table])
}

fn strings(store: &Connection, sql: &str, parameters: &[&str]) -> Option<Vec<String>> {
    let mut statement = store.prepare(sql).ok()?;
    let rows = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(0)).ok()?;
    rows.collect::<rusqlite::Result<_>>().ok()
}
