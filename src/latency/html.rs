//! The report as one HTML page that needs nothing but itself: no script, no font, no
//! picture from elsewhere; readable by day, by night and on paper.

use std::io::{self, Write};

use super::compare::{Comparison, JUDGED, Row, SeriesVerdict};
use super::distribution::QUANTILES;
use super::recorder::SATURATION_NS;
use super::report::{Report, SeriesReport};
use super::text::{humane, humane_max, verdict};
use super::{curves, meaning_of, timechart};
use crate::chart::{STYLE, curve, escape, key, legend};

/// Writes the page.
///
/// # Errors
/// Those of the writer.
pub fn write_page(
    report: &Report,
    comparison: Option<(&Comparison<'_>, &Report)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Latency report</title>\n<style>\n{STYLE}</style></head><body><main>\n<h1>Latency report</h1>\n"
    )?;
    write_sources(report, comparison, out)?;
    if let Some((comparison, _)) = comparison {
        write_summary(comparison, out)?;
    }
    write_table(report, out)?;
    write_notes(report, out)?;
    if let Some((comparison, _)) = comparison {
        write_comparison(comparison, out)?;
    }
    let baseline = comparison.map(|(_, baseline)| baseline);
    for group in groups(report) {
        write_group(&group, baseline, out)?;
    }
    writeln!(out, "</main></body></html>")
}

fn write_sources(
    report: &Report,
    comparison: Option<(&Comparison<'_>, &Report)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let list = |files: &[String]| files.iter().map(|file| escape(file)).collect::<Vec<_>>().join(", ");
    write!(out, "<p class=\"from\">From {}", list(report.files()))?;
    if let Some((_, baseline)) = comparison {
        write!(out, "; baseline {}", list(baseline.files()))?;
    }
    writeln!(out, ".</p>")
}

fn write_summary(comparison: &Comparison<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (class, word) = if comparison.is_regression() { ("bad", "Slower") } else { ("good", "Not slower") };
    let thresholds = comparison.thresholds;
    writeln!(
        out,
        "<p class=\"verdict {class}\"><b>{word}</b> than the baseline. {} of {} series could be judged. Slower means: 50, 90 or 99 % up by more than {}.{:02} % and by at least {}, with at least {} values on both sides.</p>",
        comparison.judged(),
        comparison.rows.len(),
        thresholds.tolerance.hundredths / 100,
        thresholds.tolerance.hundredths % 100,
        humane(i64::try_from(thresholds.min_difference_ns).unwrap_or(i64::MAX)),
        thresholds.min_count,
    )
}

fn write_table(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_head(&["source", "from &rarr; to"], out)?;
    write!(out, "<th>count</th>")?;
    for quantile in QUANTILES {
        write!(out, "<th>{}</th>", quantile.label)?;
    }
    writeln!(out, "<th>max</th><th>negative</th><th>saturated</th></tr></thead><tbody>")?;
    for series in report.series() {
        write_row(series, out)?;
    }
    writeln!(out, "</tbody></table></div>")
}

/// Opens a table whose first columns are text.
fn write_head(columns: &[&str], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<div class=\"wide\"><table><thead><tr>")?;
    columns.iter().try_for_each(|column| write!(out, "<th class=\"l\">{column}</th>"))
}

fn write_row(series: &SeriesReport, out: &mut dyn Write) -> io::Result<()> {
    write_name(&series.name, out)?;
    write!(out, "<td>{}</td>", series.values.count())?;
    match series.values.percentiles() {
        Some(percentiles) => percentiles.0.iter().try_for_each(|value| write_value(*value, out))?,
        None => write!(out, "{}", "<td>-</td>".repeat(QUANTILES.len()))?,
    }
    write!(out, "<td>{}</td>", escape(&humane_max(series)))?;
    writeln!(out, "<td>{}</td><td>{}</td></tr>", with_part(series), series.saturated)
}

fn write_name(name: &super::SeriesName, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<tr><td class=\"l\">{}</td><td class=\"l\">{}</td>", escape(&name.source), arrow(name))
}

fn write_value(value: i64, out: &mut dyn Write) -> io::Result<()> {
    let class = if value < 0 { " class=\"neg\"" } else { "" };
    write!(out, "<td{class} title=\"{value} ns\">{}</td>", humane(value))
}

/// The judged percentiles and the maximum, then and now side by side.
fn write_comparison(comparison: &Comparison<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<h2>Against the baseline (then &rarr; now)</h2>")?;
    write_head(&["source", "from &rarr; to", "verdict"], out)?;
    for column in ["count", "p50", "p90", "p99", "max"] {
        write!(out, "<th>{column}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in &comparison.rows {
        let Some(name) = row.name() else { continue };
        write_name(name, out)?;
        let words = verdict(&row.verdict, comparison.thresholds.min_count)
            .replace(" %", "\u{a0}%")
            .replace(" +", "\u{a0}+");
        write!(out, "<td class=\"l {}\">{}</td>", verdict_class(&row.verdict), escape(&words))?;
        write_pair(row, |series| Some(series.values.count().to_string()), out)?;
        for at in JUDGED {
            write_pair(row, |series| Some(humane(series.values.percentiles()?.0[at])), out)?;
        }
        write_pair(row, |series| Some(escape(&humane_max(series))), out)?;
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")
}

/// One figure, then and now.
fn write_pair(
    row: &Row<'_>,
    figure: impl Fn(&SeriesReport) -> Option<String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let cell = |series: Option<&SeriesReport>| series.and_then(&figure).unwrap_or("-".to_string());
    write!(out, "<td><span class=\"then\">{} &rarr;</span> {}</td>", cell(row.baseline), cell(row.now))
}

fn verdict_class(verdict: &SeriesVerdict) -> &'static str {
    match verdict {
        SeriesVerdict::Slower(_) => "bad",
        SeriesVerdict::Ok | SeriesVerdict::Faster(_) => "good",
        _ => "unsure",
    }
}

/// The negative count, with its part of all values where there is any.
fn with_part(series: &SeriesReport) -> String {
    let (negative, count) = (series.values.negative(), series.values.count());
    if negative == 0 || count == 0 {
        return negative.to_string();
    }
    let permille = u128::from(negative) * 1_000 / u128::from(count);
    let part =
        if permille == 0 { "&lt; 0.1".to_string() } else { format!("{}.{}", permille / 10, permille % 10) };
    format!("{negative} ({part} %)")
}

fn arrow(name: &super::SeriesName) -> String {
    escape(&name.end_points()).replace(" -&gt; ", " &rarr; ")
}

/// What must be said beside the figures, and what the end points mean.
fn write_notes(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<ul class=\"notes\">")?;
    writeln!(
        out,
        "<li>Every figure is the time from the first to the second named point; three significant digits, as recorded. Hold the pointer over a figure for nanoseconds.</li>"
    )?;
    if report.series().iter().any(|series| series.values.negative() > 0) {
        writeln!(
            out,
            "<li>Negative values are kept: where two clocks are involved, a negative time is evidence that they disagree by at least that much. In a comparison of two sources it says that the second was first.</li>"
        )?;
    }
    for series in report.series().iter().filter(|series| series.saturated > 0) {
        writeln!(
            out,
            "<li>{} {}: {} beyond {}, counted at that limit; look at the clocks.</li>",
            escape(&series.name.source),
            arrow(&series.name),
            series.saturated,
            humane(SATURATION_NS as i64)
        )?;
    }
    for note in report.notes() {
        writeln!(out, "<li>{}</li>", escape(note))?;
    }
    writeln!(out, "</ul>")
}

/// The series that share both end points, in order of first appearance: only they have
/// one axis.
fn groups(report: &Report) -> Vec<Vec<&SeriesReport>> {
    let mut groups: Vec<Vec<&SeriesReport>> = Vec::new();
    for series in report.series().iter().filter(|series| series.values.count() > 0) {
        let same = |group: &&mut Vec<&SeriesReport>| {
            group.first().is_some_and(|first| {
                (&first.name.from, &first.name.to) == (&series.name.from, &series.name.to)
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(series),
            None => groups.push(vec![series]),
        }
    }
    groups
}

fn write_group(group: &[&SeriesReport], baseline: Option<&Report>, out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = group.first() else { return Ok(()) };
    writeln!(out, "<section><h2>{}</h2>", arrow(&first.name))?;
    let words: Vec<String> = [&first.name.from, &first.name.to]
        .into_iter()
        .filter_map(|point| Some(format!("<b>{}</b>: {}", escape(point), meaning_of(point)?)))
        .collect();
    if !words.is_empty() {
        writeln!(out, "<p class=\"points\">{}.</p>", words.join(" &rarr; "))?;
    }
    let names: Vec<String> = group.iter().map(|series| line_name(series)).collect();
    let then: Vec<Option<&SeriesReport>> =
        group.iter().map(|series| baseline.and_then(|baseline| baseline.find(&series.name))).collect();
    let mut lines = Vec::new();
    for (style, series) in group.iter().enumerate() {
        let then = then[style].filter(|then| then.values.count() > 0);
        let now = curves::line(&names[style], style, &series.values);
        lines.extend(then.map(|then| curves::baseline(&names[style], style, &then.values)));
        lines.push(now);
    }
    let label = format!("Percentile curves from {} to {}", first.name.from, first.name.to);
    write!(
        out,
        "<figure><figcaption>Percentiles {}</figcaption>",
        legend(&names, then.iter().any(Option::is_some))
    )?;
    writeln!(out, "{}</figure>", curve::draw(&lines, &label))?;
    for ((series, name), then) in group.iter().zip(&names).zip(&then) {
        write_timeline(series, name, *then, out)?;
    }
    writeln!(out, "</section>")
}

/// What a line is called where the end points are already said.
fn line_name(series: &SeriesReport) -> String {
    if series.name.source.is_empty() { series.name.end_points() } else { series.name.source.clone() }
}

fn write_timeline(
    series: &SeriesReport,
    name: &str,
    then: Option<&SeriesReport>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let with_min = series.values.negative() > 0;
    let mut keys = key("max", "maximum") + &key("p99", "99 %") + &key("p50", "median");
    if with_min {
        keys += &key("min", "minimum");
    }
    if then.is_some() {
        keys += &key("ink then", "baseline (99 % and median of the whole)");
    }
    let joined = series.timeline.joined_ns().map_or(String::new(), |ns| {
        let ns = i64::try_from(ns).unwrap_or(i64::MAX);
        format!(" Intervals are joined to columns of {}, each with its worst values.", humane(ns))
    });
    let percentiles = then.and_then(|then| then.values.percentiles());
    let label = format!("{name} over time");
    writeln!(
        out,
        "<figure><figcaption>{} over time, {} values, {} negative, {} saturated.{joined} {keys}</figcaption>{}</figure>",
        escape(name),
        series.values.count(),
        series.values.negative(),
        series.saturated,
        timechart::draw(&series.timeline, percentiles, with_min, &label)
    )
}
