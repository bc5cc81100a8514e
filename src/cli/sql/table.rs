//! An answer in columns, for people: numbers to the right, the rest to the left.
//!
//! Widths are those of the first rows; what comes later and is wider moves its line.

use std::io::Write;

use rusqlite::types::Value;

use super::shown;

/// Rows whose widths are looked at.
const ROWS: usize = 1_000;
/// Characters of a cell that are shown.
const CELL_MAX: usize = 120;

/// See the module.
#[derive(Debug, Default)]
pub struct Table {
    names: Vec<String>,
    rows: Vec<Vec<(String, bool)>>,
    widths: Option<Vec<(usize, bool)>>,
}

impl Table {
    /// The names of the columns.
    pub fn head(&mut self, names: &[String]) {
        self.names = names.to_vec();
    }

    /// The next row.
    pub fn row(&mut self, row: &[Value], out: &mut dyn Write) -> std::io::Result<()> {
        let cell = |value: &Value| {
            let number = matches!(value, Value::Integer(_) | Value::Real(_));
            let text = shown(value);
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let cut = text.chars().count() > CELL_MAX;
            let text = if cut { text.chars().take(CELL_MAX - 1).chain(['…']).collect() } else { text };
            (text, number)
        };
        let cells: Vec<_> = row.iter().map(cell).collect();
        match &self.widths {
            Some(widths) => write_row(&cells, widths, out),
            None => {
                self.rows.push(cells);
                if self.rows.len() == ROWS { self.settle(out) } else { Ok(()) }
            }
        }
    }

    /// Everything has come.
    pub fn end(&mut self, out: &mut dyn Write) -> std::io::Result<()> {
        if self.widths.is_none() { self.settle(out) } else { Ok(()) }
    }

    /// Widths are known: what waited is written.
    fn settle(&mut self, out: &mut dyn Write) -> std::io::Result<()> {
        let width = |at: usize, name: &String| {
            let cells = self.rows.iter().map(|row| row[at].0.chars().count());
            // A column is one of numbers when every cell that says something is one.
            let numbers = self.rows.iter().all(|row| row[at].1 || row[at].0.is_empty());
            (cells.chain([name.chars().count()]).max().unwrap_or(0), numbers && !self.rows.is_empty())
        };
        let widths: Vec<_> = self.names.iter().enumerate().map(|(at, name)| width(at, name)).collect();
        let head: Vec<_> = self.names.iter().map(|name| (name.clone(), false)).collect();
        write_row(&head, &widths, out)?;
        let rule: Vec<_> = widths.iter().map(|(width, _)| ("-".repeat(*width), false)).collect();
        write_row(&rule, &widths, out)?;
        for row in self.rows.drain(..) {
            write_row(&row, &widths, out)?;
        }
        self.widths = Some(widths);
        Ok(())
    }
}

fn write_row(cells: &[(String, bool)], widths: &[(usize, bool)], out: &mut dyn Write) -> std::io::Result<()> {
    let mut line = String::new();
    for (at, ((text, _), (width, right))) in cells.iter().zip(widths).enumerate() {
        if at > 0 {
            line.push_str("  ");
        }
        let room = " ".repeat(width.saturating_sub(text.chars().count()));
        if *right {
            line.push_str(&room);
        }
        line.push_str(text);
        if !*right {
            line.push_str(&room);
        }
    }
    writeln!(out, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let mut table = Table::default();
        let mut out = Vec::new();
        table.head(&["name".to_owned(), "count".to_owned()]);
        for (name, count) in
            [("a\nb", Value::Integer(7)), ("longer", Value::Null), ("c", Value::Integer(1234567))]
        {
            table.row(&[Value::Text(name.to_owned()), count], &mut out).unwrap();
        }
        table.end(&mut out).unwrap();
        let wanted = "name      count\n------  -------\na b           7\nlonger\nc       1234567\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
