//! `parallax latency`: reads interval logs, prints percentiles, compares with a
//! baseline, writes the page. It records nothing; `latency::Recorder` does.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::guard;
use crate::latency::{Comparison, Percent, Report, Thresholds, html, text};

/// Percentiles of recorded latencies, by source and pair of end points.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// HdrHistogram interval logs (values in nanoseconds), merged by tag; `-` is standard input
    #[arg(required = true, value_name = "FILE.hlog")]
    pub files: Vec<PathBuf>,

    /// Compare with this log; exit code 1 if a series is slower
    #[arg(long, value_name = "FILE.hlog")]
    pub baseline: Option<PathBuf>,

    /// Write a self-contained page with percentile curves and time lines
    #[arg(long, value_name = "OUT")]
    pub html: Option<PathBuf>,

    /// How to print: a table, or nanoseconds as CSV or NDJSON
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,

    /// Slower means that p50, p90 or p99 grew by more than this part of the baseline's ...
    #[arg(long, value_name = "PERCENT", default_value = "10%", requires = "baseline")]
    pub tolerance: Percent,

    /// ... and by at least this much (`100ns`, `5us`, `1ms`) ...
    #[arg(long, value_name = "DURATION", default_value = "100ns", value_parser = duration_ns, requires = "baseline")]
    pub min_difference: u64,

    /// ... in a series with at least this many values on both sides
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, requires = "baseline")]
    pub min_count: u64,
}

/// The printed form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people.
    Text,
    /// One line per series, nanoseconds.
    Csv,
    /// One JSON object per series and line, nanoseconds.
    Json,
}

/// How the command ended when it could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Exit code 0.
    Done,
    /// Exit code 1: slower than the baseline.
    Regression,
}

/// Runs the command; the table goes to `out`.
///
/// # Errors
/// One sentence that names the file (and line): unreadable logs, a baseline that shares
/// no series, a page that cannot be written. Exit code 2.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Verdict> {
    if let Some(page) = &args.html {
        let read = args.files.iter().chain(&args.baseline).map(PathBuf::as_path);
        guard::refuse_over("--html", page, "one of the logs that are read", read)?;
    }
    let report = read(&args.files)?;
    let baseline = args.baseline.as_ref().map(|file| read(std::slice::from_ref(file))).transpose()?;
    let thresholds = Thresholds {
        tolerance: args.tolerance,
        min_difference_ns: args.min_difference,
        min_count: args.min_count,
    };
    let comparison = baseline.as_ref().map(|baseline| Comparison::new(&report, baseline, thresholds));
    if let (Some(comparison), Some(file)) = (&comparison, &args.baseline) {
        anyhow::ensure!(
            comparison.in_both() > 0,
            "{}: no series of this baseline is in the logs to compare; record both with the same source names",
            file.display()
        );
    }
    match args.format {
        Format::Text => text::write_table(&report, comparison.as_ref(), out)?,
        Format::Csv => text::write_csv(&report, comparison.as_ref(), out)?,
        Format::Json => text::write_json(&report, comparison.as_ref(), out)?,
    }
    if let Some(path) = &args.html {
        write_html(path, &report, comparison.as_ref().zip(baseline.as_ref()))
            .with_context(|| format!("{}: cannot write the page", path.display()))?;
    }
    let is_regression = comparison.is_some_and(|comparison| comparison.is_regression());
    Ok(if is_regression { Verdict::Regression } else { Verdict::Done })
}

fn read(files: &[PathBuf]) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for path in files {
        let name = path.display().to_string();
        if path.as_os_str() == "-" {
            report.read("standard input", std::io::stdin().lock())?;
        } else {
            let file = File::open(path).with_context(|| format!("{name}: cannot open"))?;
            report.read(&name, BufReader::new(file))?;
        }
    }
    Ok(report)
}

fn write_html(
    path: &Path,
    report: &Report,
    comparison: Option<(&Comparison<'_>, &Report)>,
) -> std::io::Result<()> {
    let mut page = BufWriter::new(File::create(path)?);
    html::write_page(report, comparison, &mut page)?;
    page.flush()
}

/// `250us`, `25ms`, `2s`, `100ns`: a whole number and a unit.
fn duration_ns(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no duration: write it like 100ns, 5us, 1ms or 2s");
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let unit_ns = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ns)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(
            ["100ns", "5us", "1ms", "2s"].map(duration_ns),
            [100, 5_000, 1_000_000, 2_000_000_000].map(Ok)
        );
        for wrong in ["", "5", "us", "-1us", "1.5us", "99999999999999999999s", "18446744073709551615s", "1h"]
        {
            assert!(duration_ns(wrong).is_err(), "{wrong}");
        }
    }
}
