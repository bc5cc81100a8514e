//! The report for a terminal (aligned, humane units) and for programs (CSV, NDJSON,
//! nanoseconds). It says nothing without both end points.

use std::io::{self, Write};

use super::compare::{Comparison, Row, SeriesVerdict, Shift};
use super::distribution::QUANTILES;
use super::recorder::SATURATION_NS;
use super::report::{Report, SeriesReport};

/// A duration for people: three significant digits and a unit, `1.23us`, `-456ns`.
#[must_use]
pub fn humane(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let mut magnitude = ns.unsigned_abs();
    if magnitude < 1_000 {
        return format!("{sign}{magnitude}ns");
    }
    // Rounded to three digits first, so that 999,999 ns is 1.00ms and not 1000us.
    let step = 10u64.pow(magnitude.ilog10() - 2);
    magnitude = (magnitude / step + u64::from(magnitude % step * 2 >= step)) * step;
    let (unit, name) = match magnitude {
        0..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let (whole, hundredths) = (magnitude / unit, magnitude % unit / (unit / 100));
    match whole {
        0..10 => format!("{sign}{whole}.{hundredths:02}{name}"),
        10..100 => format!("{sign}{whole}.{}{name}", hundredths / 10),
        _ => format!("{sign}{whole}{name}"),
    }
}

/// How much a figure changed, for people: `+14.2 %`, or the plain difference where the
/// baseline is zero or below and a percentage would mislead.
#[must_use]
pub fn humane_change(shift: &Shift) -> String {
    let difference = shift.difference_ns();
    if shift.baseline_ns <= 0 {
        let plain = humane(i64::try_from(difference).unwrap_or(i64::MAX));
        return if difference > 0 { format!("+{plain}") } else { plain };
    }
    let permille = difference * 1_000 / i128::from(shift.baseline_ns);
    let sign = if difference < 0 { '-' } else { '+' };
    format!("{sign}{}.{} %", permille.abs() / 10, permille.abs() % 10)
}

/// A verdict in words: `ok`, `slower p99 +14.2 %`, `new`.
#[must_use]
pub fn verdict(verdict: &SeriesVerdict, min_count: u64) -> String {
    let list = |word: &str, shifts: &[Shift]| {
        let each: Vec<String> =
            shifts.iter().map(|shift| format!("{} {}", shift.percentile, humane_change(shift))).collect();
        format!("{word} {}", each.join(", "))
    };
    match verdict {
        SeriesVerdict::Ok => "ok".to_string(),
        SeriesVerdict::Slower(shifts) => list("slower", shifts),
        SeriesVerdict::Faster(shifts) => list("faster", shifts),
        SeriesVerdict::TooFew => format!("not judged: fewer than {min_count} values"),
        SeriesVerdict::New => "new".to_string(),
        SeriesVerdict::Missing => "missing".to_string(),
    }
}

/// The largest value for people; `>=` where values beyond the recorder's range stand there.
#[must_use]
pub fn humane_max(series: &SeriesReport) -> String {
    let Some(max) = series.values.max() else { return "-".to_string() };
    let at_limit = series.saturated > 0 && max.unsigned_abs() >= SATURATION_NS;
    format!("{}{}", if at_limit { ">=" } else { "" }, humane(max))
}

/// The table: one row per series; with a comparison a second table with its ratios.
///
/// # Errors
/// Those of the writer.
pub fn write_table(
    report: &Report,
    comparison: Option<&Comparison<'_>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if report.series().is_empty() {
        writeln!(out, "no values in {}", report.files().join(", "))?;
    } else {
        let mut rows = vec![head(&["source", "from -> to", "count"], &["max", "negative"])];
        rows.extend(report.series().iter().map(table_row));
        write_aligned(&rows, 2, None, out)?;
    }
    for series in report.series().iter().filter(|series| series.saturated > 0) {
        writeln!(
            out,
            "{} {}: {} beyond {}, counted at that limit (a clock is wrong)",
            shown(&series.name.source),
            series.name.end_points(),
            series.saturated,
            humane(SATURATION_NS as i64),
        )?;
    }
    for note in report.notes() {
        writeln!(out, "note: {note}")?;
    }
    comparison.map_or(Ok(()), |comparison| write_comparison(comparison, out))
}

fn head(before: &[&str], after: &[&str]) -> Vec<String> {
    let labels = QUANTILES.iter().map(|q| q.label);
    before.iter().copied().chain(labels).chain(after.iter().copied()).map(String::from).collect()
}

fn table_row(series: &SeriesReport) -> Vec<String> {
    let values = &series.values;
    let mut row = vec![shown(&series.name.source), series.name.end_points(), values.count().to_string()];
    match values.percentiles() {
        Some(percentiles) => row.extend(percentiles.0.map(humane)),
        None => row.extend(QUANTILES.map(|_| "-".to_string())),
    }
    row.extend([humane_max(series), values.negative().to_string()]);
    row
}

fn write_comparison(comparison: &Comparison<'_>, out: &mut dyn Write) -> io::Result<()> {
    let thresholds = comparison.thresholds;
    writeln!(out, "\nagainst the baseline (now / then):")?;
    let columns = ["source", "from -> to", "count then"];
    let mut rows = vec![head(&columns, &["max", "verdict"])];
    for row in &comparison.rows {
        let Some(name) = row.name() else { continue };
        let count = row.baseline.map_or("-".to_string(), |series| series.values.count().to_string());
        let mut cells = vec![shown(&name.source), name.end_points(), count];
        cells.extend(ratios(row));
        cells.push(verdict(&row.verdict, thresholds.min_count));
        rows.push(cells);
    }
    write_aligned(&rows, 2, Some(columns.len() + QUANTILES.len() + 1), out)?;
    let slower = comparison.rows.iter().filter(|row| matches!(row.verdict, SeriesVerdict::Slower(_))).count();
    writeln!(
        out,
        "{slower} of {} judged series slower: p50, p90 or p99 up by more than {}.{:02} % and at least {}, with at least {} values on both sides",
        comparison.judged(),
        thresholds.tolerance.hundredths / 100,
        thresholds.tolerance.hundredths % 100,
        humane(i64::try_from(thresholds.min_difference_ns).unwrap_or(i64::MAX)),
        thresholds.min_count,
    )
}

/// Now over then, per percentile and for the maximum; `-` where a ratio means nothing.
fn ratios(row: &Row<'_>) -> Vec<String> {
    let figures = |series: Option<&SeriesReport>| -> Option<Vec<i64>> {
        let values = &series?.values;
        Some(values.percentiles()?.0.into_iter().chain(values.max()).collect())
    };
    let (Some(now), Some(then)) = (figures(row.now), figures(row.baseline)) else {
        return vec!["-".to_string(); QUANTILES.len() + 1];
    };
    let ratio = |(&now, &then): (&i64, &i64)| match (now, then) {
        (0.., 1..) => {
            let hundredths = i128::from(now) * 100 / i128::from(then);
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        }
        _ => "-".to_string(),
    };
    now.iter().zip(&then).map(ratio).collect()
}

/// Left-aligned up to `left` columns and in the column `also_left`, right-aligned else.
fn write_aligned(
    rows: &[Vec<String>],
    left: usize,
    also_left: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut text = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column > 0 {
                text.push_str("  ");
            }
            let fill = " ".repeat(width.saturating_sub(cell.chars().count()));
            let is_left = column < left || also_left == Some(column);
            let (before, after) = if is_left { ("", fill.as_str()) } else { (fill.as_str(), "") };
            text.push_str(before);
            text.push_str(cell);
            text.push_str(after);
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}

/// A name for a terminal: control characters of a hostile log do not reach it.
fn shown(name: &str) -> String {
    if name.is_empty() {
        return "-".to_string();
    }
    name.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// CSV, nanoseconds: the columns of the US tape's published latency tables, our names
/// around them. A comparison adds the baseline's figures and the verdict.
///
/// # Errors
/// Those of the writer.
pub fn write_csv(
    report: &Report,
    comparison: Option<&Comparison<'_>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    let labels = QUANTILES.map(|q| if q.label == "p50" { "median".to_string() } else { q.label.to_string() });
    let mut header: Vec<String> = ["source", "from", "to", "unit", "count"].map(String::from).to_vec();
    header.extend(labels.clone());
    header.extend(["max", "min", "negative", "saturated"].map(String::from));
    if comparison.is_some() {
        header.push("baseline_count".to_string());
        header.extend(labels.map(|label| format!("baseline_{label}")));
        header.extend(["baseline_max", "verdict"].map(String::from));
    }
    csv.write_record(&header)?;
    let alone: Vec<Row<'_>>;
    let rows = match comparison {
        Some(comparison) => &comparison.rows,
        None => {
            let row = |series| Row { now: Some(series), baseline: None, verdict: SeriesVerdict::New };
            alone = report.series().iter().map(row).collect();
            &alone
        }
    };
    for row in rows {
        let Some(name) = row.name() else { continue };
        let mut record = vec![name.source.clone(), name.from.clone(), name.to.clone(), "ns".to_string()];
        let count =
            |series: Option<&SeriesReport>| series.map_or(0, |series| series.values.count()).to_string();
        record.push(count(row.now));
        record.extend(figures(row.now));
        let values = row.now.map(|series| &series.values);
        record.push(values.and_then(|values| values.min()).map(|ns| ns.to_string()).unwrap_or_default());
        record.push(values.map_or(0, |values| values.negative()).to_string());
        record.push(row.now.map_or(0, |series| series.saturated).to_string());
        if let Some(comparison) = comparison {
            record.push(count(row.baseline));
            record.extend(figures(row.baseline));
            record.push(verdict(&row.verdict, comparison.thresholds.min_count));
        }
        csv.write_record(&record)?;
    }
    csv.flush()
}

/// Percentiles and maximum as plain nanoseconds, empty where there is no value.
fn figures(series: Option<&SeriesReport>) -> Vec<String> {
    let values = series.map(|series| &series.values);
    match values.and_then(|values| Some((values.percentiles()?, values.max()?))) {
        Some((percentiles, max)) => percentiles.0.into_iter().chain([max]).map(|ns| ns.to_string()).collect(),
        None => vec![String::new(); QUANTILES.len() + 1],
    }
}

/// NDJSON: one object per series, nanoseconds as integers.
///
/// # Errors
/// Those of the writer.
pub fn write_json(
    report: &Report,
    comparison: Option<&Comparison<'_>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(comparison) = comparison else {
        for series in report.series() {
            writeln!(out, "{}", serde_json::Value::Object(json_series(series)))?;
        }
        return Ok(());
    };
    for row in &comparison.rows {
        let Some(name) = row.name() else { continue };
        let mut object = row.now.map(json_series).unwrap_or_else(|| json_name(name));
        if let Some(baseline) = row.baseline {
            object.insert("baseline".into(), serde_json::Value::Object(json_figures(baseline)));
        }
        object.insert("verdict".into(), verdict_word(&row.verdict).into());
        if let SeriesVerdict::Slower(shifts) | SeriesVerdict::Faster(shifts) = &row.verdict {
            let percentiles: Vec<&str> = shifts.iter().map(|shift| shift.percentile).collect();
            object.insert("percentiles".into(), percentiles.into());
        }
        writeln!(out, "{}", serde_json::Value::Object(object))?;
    }
    Ok(())
}

fn verdict_word(verdict: &SeriesVerdict) -> &'static str {
    match verdict {
        SeriesVerdict::Ok => "ok",
        SeriesVerdict::Slower(_) => "slower",
        SeriesVerdict::Faster(_) => "faster",
        SeriesVerdict::TooFew => "too_few",
        SeriesVerdict::New => "new",
        SeriesVerdict::Missing => "missing",
    }
}

type Object = serde_json::Map<String, serde_json::Value>;

fn json_name(name: &super::SeriesName) -> Object {
    let parts = [("source", &name.source), ("from", &name.from), ("to", &name.to)];
    let mut object: Object =
        parts.into_iter().map(|(key, part)| (key.into(), part.as_str().into())).collect();
    object.insert("unit".into(), "ns".into());
    object
}

fn json_series(series: &SeriesReport) -> Object {
    let mut object = json_name(&series.name);
    object.extend(json_figures(series));
    object
}

fn json_figures(series: &SeriesReport) -> Object {
    let values = &series.values;
    let mut object = Object::new();
    object.insert("count".into(), values.count().into());
    for (at, quantile) in QUANTILES.iter().enumerate() {
        object.insert(quantile.label.into(), values.percentiles().map(|p| p.0[at]).into());
    }
    object.insert("max".into(), values.max().into());
    object.insert("min".into(), values.min().into());
    object.insert("negative".into(), values.negative().into());
    object.insert("saturated".into(), series.saturated.into());
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_for_people() {
        let cases = [
            (0, "0ns"),
            (999, "999ns"),
            (1_000, "1.00us"),
            (12_345, "12.3us"),
            (123_456, "123us"),
            (999_499, "999us"),
            (999_500, "1.00ms"),
            (-9_996_000, "-10.0ms"),
            (86_400_000_000_000, "86400s"),
            (i64::MAX, "9220000000s"),
            (i64::MIN, "-9220000000s"),
        ];
        for (ns, want) in cases {
            assert_eq!(humane(ns), want);
        }
    }

    #[test]
    fn changes_for_people() {
        let change = |baseline_ns, now_ns| humane_change(&Shift { percentile: "p50", baseline_ns, now_ns });
        assert_eq!(change(1_000, 1_142), "+14.2 %");
        assert_eq!(change(1_000, 500), "-50.0 %");
        assert_eq!(change(0, 1_500), "+1.50us");
        assert_eq!(change(-2_000, -1_000), "+1.00us");
        assert_eq!(change(i64::MIN, i64::MAX), "+9220000000s");
    }
}
