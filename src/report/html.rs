//! The report as one page that needs nothing but itself; readable on paper too.

use std::fmt::{self, Write};

use super::format::{heading, is_text, range, show};
use super::gather::Report;
use super::table::{Cell, Table};
use crate::chart::bars::{self, Bar, Bars};
use crate::chart::{STYLE, block_key, curve, escape, legend, thousands};
use crate::latency::meaning_of;
use crate::latency::text::humane;

/// Wide tables on paper, two pictures to a page, and small tables whole.
const PAPER: &str = "@page { size: A4 landscape; }
@media print { section { margin-top: 18px; padding-top: 10px; } figure > svg { max-height: 66mm; } .small { break-inside: avoid; } }
";
/// Tables of so many rows are not broken across pages.
const SMALL: usize = 12;

/// The page.
pub fn write(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = try_write(report, &mut out);
    out
}

fn try_write(report: &Report, out: &mut String) -> fmt::Result {
    let title = format!("Feeds {}", range(report.range.from_ns, report.range.to_ns));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}{PAPER}</style></head><body><main>\n<h1>{title}</h1>\n<ul>\n"
    )?;
    for sentence in &report.sentences {
        writeln!(out, "<li>{}</li>", escape(sentence))?;
    }
    writeln!(out, "</ul>")?;
    for table in report.tables.iter().filter(|table| !table.rows.is_empty() && table.name != "timeline") {
        writeln!(out, "<section><h2>{}</h2>", table.title)?;
        writeln!(out, "<p class=\"points\">{}</p>", escape(table.about))?;
        match table.name {
            "latency" => curves(table, out)?,
            "alerts" => over_time(report, &ALERTS, out)?,
            "discrepancies" => over_time(report, &TIMES, out)?,
            _ => {}
        }
        write_table(table, out)?;
        if table.name == "latency" {
            points(table, out)?;
        }
        writeln!(out, "</section>")?;
    }
    let empty: Vec<&str> = report.tables.iter().filter(|t| t.rows.is_empty()).map(|t| t.title).collect();
    if !empty.is_empty() {
        writeln!(out, "<p class=\"points\">Nothing to tell of: {}.</p>", empty.join(", "))?;
    }
    for (rule, says) in report.rules.paragraphs() {
        writeln!(out, "<p class=\"points\">Clock rule <b>{}</b>: {}</p>", escape(&rule), escape(&says))?;
    }
    writeln!(out, "</main></body></html>")
}

fn write_table(table: &Table, out: &mut String) -> fmt::Result {
    let text: Vec<bool> = (0..table.columns.len())
        .map(|at| is_text(table.rows.iter().filter_map(|row| row.get(at).cloned()), &table.columns[at]))
        .collect();
    let class = |at: usize| if text[at] { " class=\"l\"" } else { "" };
    let small = if table.rows.len() <= SMALL { " small" } else { "" };
    write!(out, "<div class=\"wide{small}\"><table><thead><tr>")?;
    for (at, name) in table.columns.iter().enumerate() {
        write!(out, "<th{}>{}</th>", class(at), escape(&heading(name)))?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in &table.rows {
        write!(out, "<tr>")?;
        for (at, (name, cell)) in table.columns.iter().zip(row).enumerate() {
            match cell {
                Cell::Whole(n) => {
                    write!(out, "<td{} title=\"{n}\">{}</td>", class(at), escape(&show(name, cell)))?
                }
                _ => write!(out, "<td{}>{}</td>", class(at), escape(&show(name, cell)))?,
            }
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")
}

/// A picture over time: columns of the timeline, and how their figures are written.
struct Picture {
    columns: &'static [&'static str],
    caption: &'static str,
    show: fn(i64) -> String,
}

const ALERTS: Picture =
    Picture { columns: &["info", "minor", "major", "critical"], caption: "Alerts raised", show: thousands };
const TIMES: Picture = Picture {
    columns: &["divergent_us", "lagging_us", "stale_us", "gap_us", "silent_us", "other_us"],
    caption: "Time told, instruments and sides added up",
    show: |us| if us == 0 { "0".to_owned() } else { humane(us.saturating_mul(1_000)) },
};

fn over_time(report: &Report, picture: &Picture, out: &mut String) -> fmt::Result {
    let Some(table) = report.table("timeline").filter(|table| !table.rows.is_empty()) else { return Ok(()) };
    let step = report.range.bucket_ns();
    let names: Vec<String> = picture.columns.iter().map(|name| heading(name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let known: Vec<(i64, Vec<i64>)> = table
        .rows
        .iter()
        .filter_map(|row| {
            let values = picture.columns.iter().map(|name| table.whole(row, name).unwrap_or(0));
            Some((table.whole(row, "from_at_ns")?, values.collect()))
        })
        .collect();
    let (Some((first, _)), Some((last, _))) = (known.first(), known.last()) else { return Ok(()) };
    if first == last {
        // One bar shows nothing that the table does not.
        return Ok(());
    }
    // What lies between the first and the last step with data and has none is shown as that.
    let count = ((last - first) / step + 1).min(2_000);
    let bars: Vec<Bar> = (0..count)
        .map(|nth| {
            let start = first + nth * step;
            let at = known.binary_search_by_key(&start, |(at, _)| *at).ok();
            Bar { start_ns: u64::try_from(start).unwrap_or(0), values: at.map(|at| known[at].1.clone()) }
        })
        .collect();
    let keys: String =
        names.iter().enumerate().map(|(nth, name)| block_key(&format!("block s{nth}"), name)).collect();
    let length = if step >= super::DAY_NS {
        "day"
    } else if step >= 3_600_000_000_000 {
        "hour"
    } else {
        "minute"
    };
    let drawn = bars::draw(&Bars {
        names: &names,
        bars: &bars,
        interval_ns: u64::try_from(step).unwrap_or(1),
        show: picture.show,
        label: picture.caption,
    });
    writeln!(
        out,
        "<figure><figcaption>{} by {length}{keys}{}</figcaption>{drawn}</figure>",
        picture.caption,
        block_key("nothing", "no data")
    )
}

/// The percentiles as curves, one picture for each kind of series.
fn curves(table: &Table, out: &mut String) -> fmt::Result {
    const PLACES: [(&str, f64); 7] = [
        ("p10_ns", 0.9),
        ("median_ns", 0.5),
        ("p90_ns", 0.1),
        ("p95_ns", 0.05),
        ("p99_ns", 0.01),
        ("p999_ns", 0.001),
        ("p9999_ns", 0.0001),
    ];
    let kinds = [
        ("venue", "Venue to us"),
        ("lines", "Between lines"),
        ("sources", "Between sources"),
        ("stage", "Our own stages"),
    ];
    for (kind, caption) in kinds {
        let rows = table.rows.iter().filter(|row| table.text(row, "kind") == kind);
        let rows: Vec<&Vec<Cell>> =
            rows.filter(|row| table.whole(row, "count").is_some_and(|n| n > 0)).collect();
        if rows.is_empty() || rows.len() > 8 {
            continue;
        }
        let name = |row: &[Cell]| {
            format!("{} {} to {}", table.text(row, "source"), table.text(row, "from"), table.text(row, "to"))
        };
        let names: Vec<String> = rows.iter().map(|row| name(row).trim().to_owned()).collect();
        let lines: Vec<curve::Line> = rows
            .iter()
            .enumerate()
            .map(|(style, row)| {
                let count = table.whole(row, "count").and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
                let there = PLACES.iter().filter(|(_, left)| count as f64 * left >= 1.0);
                let points: Vec<(f64, i64, String)> = there
                    .filter_map(|(column, left)| {
                        let ns = table.whole(row, column)?;
                        Some((
                            -left.log10(),
                            ns,
                            format!("{} {}: {}", names[style], heading(column), humane(ns)),
                        ))
                    })
                    .collect();
                curve::Line {
                    style,
                    is_baseline: false,
                    count,
                    points: points.iter().map(|(x, ns, _)| (*x, *ns)).collect(),
                    marks: points,
                }
            })
            .collect();
        let drawn = curve::draw(&lines, caption);
        writeln!(
            out,
            "<figure><figcaption>{caption}: percentiles{}</figcaption>{drawn}</figure>",
            legend(&names, false)
        )?;
    }
    Ok(())
}

/// What the end points mean.
fn points(table: &Table, out: &mut String) -> fmt::Result {
    let mut said: Vec<String> = Vec::new();
    for row in &table.rows {
        for point in [table.text(row, "from"), table.text(row, "to")] {
            if let Some(meaning) = meaning_of(&point) {
                let words = format!("<b>{}</b>: {}", escape(&point), escape(meaning));
                if !said.contains(&words) {
                    said.push(words);
                }
            }
        }
    }
    if said.is_empty() { Ok(()) } else { writeln!(out, "<p class=\"points\">{}.</p>", said.join("; ")) }
}
