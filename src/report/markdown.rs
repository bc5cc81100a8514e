//! The report as Markdown.

use std::fmt::Write;

use super::format::{heading, is_text, range, show};
use super::gather::Report;
use super::table::Table;

/// The whole report; tables without rows are named together at the end.
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = try_write(report, &mut out);
    out
}

fn try_write(report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# Feeds {}\n", range(report.range.from_ns, report.range.to_ns))?;
    for sentence in &report.sentences {
        writeln!(out, "- {}", escape(sentence))?;
    }
    for table in report.tables.iter().filter(|table| !table.rows.is_empty()) {
        write_table(table, out)?;
    }
    let empty: Vec<&str> = report.tables.iter().filter(|t| t.rows.is_empty()).map(|t| t.title).collect();
    if !empty.is_empty() {
        writeln!(out, "\nNothing to tell of: {}.", empty.join(", "))?;
    }
    for (rule, says) in report.rules.paragraphs() {
        writeln!(out, "\nClock rule {}: {}", escape(&rule), escape(&says))?;
    }
    Ok(())
}

fn write_table(table: &Table, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## {}\n\n{}\n", table.title, table.about)?;
    let names: Vec<String> = table.columns.iter().map(|name| heading(name)).collect();
    writeln!(out, "| {} |", names.join(" | "))?;
    let side = |at: usize| {
        let column = table.rows.iter().filter_map(move |row| row.get(at).cloned());
        if is_text(column, &table.columns[at]) { "---" } else { "---:" }
    };
    let rule: Vec<&str> = (0..table.columns.len()).map(side).collect();
    writeln!(out, "| {} |", rule.join(" | "))?;
    for row in &table.rows {
        let cells: Vec<String> =
            table.columns.iter().zip(row).map(|(name, cell)| escape(&show(name, cell))).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// Text that may not open a column, a line or a tag.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | '<' => safe.extend(['\\', c]),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
