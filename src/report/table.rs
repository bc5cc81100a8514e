//! The answer to a query.

/// One value, as SQL gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// There is none.
    Null,
    /// A whole number; the column's name ends with its unit.
    Whole(i64),
    /// Text.
    Text(String),
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name of its query.
    pub name: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What its figures mean.
    pub about: &'static str,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Rows, in the order of the query.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A value by row and name of column.
    pub fn cell(&self, row: &[Cell], column: &str) -> Cell {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| row.get(at)).cloned().unwrap_or(Cell::Null)
    }

    /// A whole number by row and name of column.
    pub fn whole(&self, row: &[Cell], column: &str) -> Option<i64> {
        match self.cell(row, column) {
            Cell::Whole(n) => Some(n),
            _ => None,
        }
    }

    /// Text by row and name of column; empty where there is none.
    pub fn text(&self, row: &[Cell], column: &str) -> String {
        match self.cell(row, column) {
            Cell::Text(text) => text,
            Cell::Whole(n) => n.to_string(),
            Cell::Null => String::new(),
        }
    }
}
