//! `parallax report`: how good the feeds were in a day, a week or a range, and whether the clocks were in tolerance.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rusqlite::Connection;

use super::guard;
use crate::config;
use crate::report::{self, ClockRules, Clocks, QUERIES, Range, RunClock};
use crate::rules::Book;
use crate::store;

/// Arguments of `parallax report`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --day, --week or --from it is about the latest day (of --zone) with data. Without --html, \
--markdown or --csv the report goes to standard output as Markdown.

  parallax report --store parallax.db --day 2026-03-02 --html day.html
  parallax report --store parallax.db --week 2026-03-02 --zone America/New_York --csv tables
  parallax report --store parallax.db --show-sql lines"
)]
pub struct Args {
    /// The store, as `replay --store` and a daemon with `[store]` write it
    #[arg(long, value_name = "FILE")]
    pub store: PathBuf,

    /// One day, such as 2026-03-02
    #[arg(long, value_name = "DATE", conflicts_with_all = ["week", "from", "to"])]
    pub day: Option<String>,

    /// The week, Monday to Sunday, in which this day lies
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    pub week: Option<String>,

    /// From this time on (RFC 3339, whole minutes)
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// Time zone in which days and weeks begin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub zone: String,

    /// Clock rule of the rule book: finra-4590 (the default), cat, rts-25, or a class that `parallax rules --kind clock` shows,
    /// with its market where two have it, such as GB/rts25-hft
    #[arg(long, value_name = "RULE")]
    pub clock_rule: Option<String>,

    /// Write a page that needs nothing but itself
    #[arg(long, value_name = "FILE.html")]
    pub html: Option<PathBuf>,

    /// Write Markdown; `-` is standard output
    #[arg(long, value_name = "FILE.md")]
    pub markdown: Option<PathBuf>,

    /// Write a folder of tables, one file each
    #[arg(long, value_name = "FOLDER")]
    pub csv: Option<PathBuf>,

    /// Print the SQL of one table for this range instead (`all` prints every one): any reader of the store gives its figures
    #[arg(long, value_name = "TABLE")]
    pub show_sql: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// A store, date, zone, rule or output that cannot be used, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let zone = TimeZone::get(&args.zone)
        .with_context(|| format!("--zone {} is no time zone, such as UTC or America/New_York", args.zone))?;
    if args.store.is_dir() {
        bail!("the store {} is a folder; name the file in it", args.store.display());
    }
    for (option, page) in [("--html", &args.html), ("--markdown", &args.markdown)] {
        if let Some(page) = page {
            guard::refuse_over(option, page, "the store", [args.store.as_path()])?;
        }
    }
    if let (Some(html), Some(markdown)) = (&args.html, &args.markdown) {
        guard::refuse_over("--markdown", markdown, "the file of --html", [html.as_path()])?;
    }
    let connection = store::open_read(&args.store)?;
    let name = args.store.display();
    let asked = || format!("{name} cannot be asked");
    let held = span(&connection).with_context(asked)?;
    let Some(range) = range(args, &zone, held)? else {
        writeln!(out, "Nothing to report: {name} holds no data yet.")?;
        return Ok(ExitCode::SUCCESS);
    };
    let rules = clock_rules(args.clock_rule.as_deref(), range, held)?;
    let (runs, errors) = watched(&connection).with_context(asked)?;
    let clocks = Clocks { rules, runs, errors };
    if let Some(table) = &args.show_sql {
        return show_sql(table, &range, &clocks, out);
    }
    let Some(report) = report::gather(&connection, range, &clocks).with_context(asked)? else {
        let of = |ns: i64| show(ns);
        let held = held
            .map_or("none at all".to_owned(), |(from, to)| format!("data from {} to {}", of(from), of(to)));
        writeln!(
            out,
            "Nothing to report from {} to {}: {name} holds {held}.",
            of(range.from_ns),
            of(range.to_ns)
        )?;
        return Ok(ExitCode::SUCCESS);
    };
    let written =
        |path: &Path| format!("{} cannot be written; name one in a writable folder", path.display());
    if let Some(path) = &args.html {
        std::fs::write(path, report::html::write(&report)).with_context(|| written(path))?;
    }
    if let Some(path) = &args.csv {
        report::csv::write(&report, path).with_context(|| written(path))?;
    }
    let dash = args.markdown.as_deref() == Some(Path::new("-"));
    if let Some(path) = args.markdown.as_ref().filter(|_| !dash) {
        std::fs::write(path, report::markdown::write(&report)).with_context(|| written(path))?;
    }
    if dash || (args.html.is_none() && args.csv.is_none() && args.markdown.is_none()) {
        out.write_all(report::markdown::write(&report).as_bytes())?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn show_sql(table: &str, range: &Range, clocks: &Clocks, out: &mut dyn Write) -> Result<ExitCode> {
    let wanted: Vec<_> = QUERIES.iter().filter(|query| table == "all" || query.name == table).collect();
    if wanted.is_empty() {
        let names: Vec<&str> = QUERIES.iter().map(|query| query.name).collect();
        bail!("--show-sql {table} is no table; tables are {}, or all", names.join(", "));
    }
    for query in wanted {
        // A comment that begins like an option would be taken for one by `parallax sql`.
        let sql = query.sql(range, clocks);
        writeln!(out, "/* {}: {} */\n{};", query.name, query.title, sql.trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Whose clocks the daemons watched, and how far those that stamp each source's arrivals may be off: the words of the
/// configuration that each run kept.
fn watched(store: &Connection) -> rusqlite::Result<(Vec<RunClock>, BTreeMap<String, i64>)> {
    let mut statement = store.prepare("SELECT run, kind = 'live', config FROM current_run ORDER BY run")?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?)))?;
    let (mut runs, mut errors) = (Vec::new(), BTreeMap::new());
    for row in rows {
        let (run, live, text) = row?;
        let [host, time_source] = config::live::clock_of(&text);
        if live && (host.is_some() || time_source.is_some()) {
            runs.push(RunClock { run, host, time_source });
        }
        for (source, error_ns) in config::clock_errors(&text) {
            let most = errors.entry(source).or_default();
            *most = i64::try_from(error_ns).unwrap_or(i64::MAX).max(*most);
        }
    }
    Ok((runs, errors))
}

/// First and last moment of data in the store.
fn span(store: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    let sql = "SELECT min(from_ns), max(coalesce(until_ns, from_ns)) FROM current_run";
    let ends: (Option<i64>, Option<i64>) = store.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ends.0.zip(ends.1))
}

fn show(ns: i64) -> String {
    Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |time| time.to_string())
}

/// The range that was asked for; `None` when none was and the store has no data to choose from.
fn range(args: &Args, zone: &TimeZone, held: Option<(i64, i64)>) -> Result<Option<Range>> {
    let (from, to) = match (&args.day, &args.week, &args.from, &args.to) {
        (Some(day), ..) => days("--day", day, zone, false)?,
        (_, Some(week), ..) => days("--week", week, zone, true)?,
        (_, _, None, None) => {
            let Some((_, until)) = held else { return Ok(None) };
            let latest =
                Timestamp::from_nanosecond(i128::from(until)).context("the store's latest time is none")?;
            of_days(latest.to_zoned(zone.clone()).date(), 1, zone)?
        }
        (_, _, from, to) => {
            let (first, last) = held.unwrap_or((0, 0));
            let from = from.as_ref().map_or(Ok(first), |text| moment("--from", text))?;
            let to = to.as_ref().map_or(Ok(last.saturating_add(1)), |text| moment("--to", text))?;
            (from, to)
        }
    };
    // Before it is widened to whole minutes: a second that ends before it begins is no minute.
    match Range::new(from, to).filter(|_| from < to) {
        Some(range) => Ok(Some(range)),
        None if args.to.is_none() => {
            let end = held.map_or("nowhere".to_owned(), |(_, last)| show(last));
            bail!("--from {} lies behind the data, which end at {end}", show(from))
        }
        None if args.from.is_none() => {
            let begin = held.map_or("nowhere".to_owned(), |(first, _)| show(first));
            bail!("--to {} lies before the data, which begin at {begin}", show(to))
        }
        None => bail!("--from {} is not before --to {}", show(from), show(to)),
    }
}

fn moment(option: &str, text: &str) -> Result<i64> {
    let wanted =
        || format!("{option} {text} is no RFC 3339 time between 1970 and 2262, such as 2026-03-02T14:30:00Z");
    let time: Timestamp = text.parse().with_context(wanted)?;
    i64::try_from(time.as_nanosecond()).ok().filter(|ns| *ns >= 0).with_context(wanted)
}

fn days(option: &str, text: &str, zone: &TimeZone, week: bool) -> Result<(i64, i64)> {
    let wanted = || format!("{option} {text} is no date between 1970 and 2262, such as 2026-03-02");
    let date: Date = text.parse().with_context(wanted)?;
    let (first, count) = if week {
        let back = i64::from(date.weekday().to_monday_zero_offset());
        (date.checked_sub(back.days()).with_context(wanted)?, 7)
    } else {
        (date, 1)
    };
    of_days(first, count, zone).with_context(wanted)
}

/// Days of a zone: 23 or 25 hours where its clocks change.
fn of_days(first: Date, count: i64, zone: &TimeZone) -> Result<(i64, i64)> {
    let midnight = |date: Date| -> Result<i64> {
        let at = date.to_zoned(zone.clone())?.timestamp().as_nanosecond();
        i64::try_from(at).context("it lies beyond 2262")
    };
    Ok((midnight(first)?, midnight(first.checked_add(count.days())?)?))
}

/// The rule by which clocks are judged where none is named.
const CLOCK_RULE: &str = "finra-4590";

/// The rule of the book for every day of the range; one that was not asked for may be missing.
fn clock_rules(name: Option<&str>, range: Range, held: Option<(i64, i64)>) -> Result<ClockRules> {
    let data = report::with_data(range, held);
    match (name, ClockRules::find(&Book::shipped(), name.unwrap_or(CLOCK_RULE), data)) {
        (_, Ok(rules)) => Ok(rules),
        (None, Err(_)) => Ok(ClockRules { name: CLOCK_RULE.to_owned(), ..ClockRules::default() }),
        (Some(name), Err(why)) => bail!("--clock-rule {name} {why}"),
    }
}
