//! The tables as files of comma-separated values: the very values of the queries, times in nanoseconds.

use std::io;
use std::path::Path;

use super::gather::Report;
use super::table::{Cell, Table};

/// Writes one file a table into a folder, which is made when it is not there.
///
/// # Errors
/// Those of the folder and its files.
pub fn write(report: &Report, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for table in &report.tables {
        std::fs::write(folder.join(format!("{}.csv", table.name)), text(table)?)?;
    }
    Ok(())
}

/// One table.
///
/// # Errors
/// None that memory does not give.
pub fn text(table: &Table) -> io::Result<Vec<u8>> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(&table.columns)?;
    for row in &table.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Null => String::new(),
            Cell::Whole(n) => n.to_string(),
            Cell::Text(text) => text.clone(),
        });
        out.write_record(cells)?;
    }
    out.into_inner().map_err(|e| io::Error::other(e.to_string()))
}
