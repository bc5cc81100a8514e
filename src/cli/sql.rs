//! `parallax sql`: asks a store, in SQL or by the name of a ready query.

mod table;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use rusqlite::types::Value;

use crate::alert::json;
use crate::config::Config;
use crate::store::queries::{self, Query};
use crate::store::{self, Asked, Bounds, Wanted};
use table::Table;

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// Comma-separated, with a header (RFC 4180).
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
}

/// Arguments of `parallax sql`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Times are nanoseconds since 1970 UTC and prices units of 1e-9 in the tables; ns('2026-03-02T14:30:00Z'), ts(ns) and \
price(units) turn them, latency_ns(positive, negatives, 99.9) adds histograms up. docs/store.md has every table.

Examples:
  parallax sql --list
  parallax sql \"SELECT * FROM alerts\" --store parallax.db
  parallax sql --query worst_instruments day=2026-03-02 --format csv
  parallax sql --query quote_age_at instrument=AAPL at=2026-03-02T14:30:01Z"
)]
pub struct Args {
    /// One SQL statement; with --query, the query's parameters as NAME=VALUE
    #[arg(value_name = "SQL | NAME=VALUE")]
    pub words: Vec<String>,

    /// The store; left out: that of --config, else parallax.db
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,

    /// A configuration whose [store] names the store
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// A ready query by its name
    #[arg(long, value_name = "NAME")]
    pub query: Option<String>,

    /// Folder of quotes that `replay --parquet` wrote: the table `quotes`. Ready queries over quotes take that of the latest
    /// run that has one
    #[arg(long, value_name = "DIR")]
    pub parquet: Option<PathBuf>,

    /// List the ready queries with their parameters; with --query, show its SQL
    #[arg(long)]
    pub list: bool,

    /// How the answer is written
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub format: Format,

    /// Rows that are given at most
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub rows: usize,

    /// Seconds that the question may take
    #[arg(long, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// Runs the command.
///
/// # Errors
/// A store, statement or parameter that cannot be used, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let query = args.query.as_deref().map(Query::named).transpose()?;
    if args.list {
        list(query, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (sql, parameters) = match query {
        Some(query) => (query.text, query.bind(&parameters(&args.words)?)?),
        None => (statement(&args.words)?, Vec::new()),
    };
    let path = path(args)?;
    let bounds = Bounds { time: Duration::from_secs(args.timeout), rows: args.rows };
    let mut asked = Asked::new(store::open_read(&path)?, &path, bounds)?;
    if args.parquet.is_some() || query.is_some_and(|query| query.needs_quotes()) {
        load_quotes(args, asked.connection(), &parameters)?;
    }
    let mut answer = Answer::new(args.format, out);
    let mut names: Vec<String> = Vec::new();
    let given = {
        let answer = std::cell::RefCell::new(&mut answer);
        let names = std::cell::RefCell::new(&mut names);
        asked.ask(
            sql,
            &parameters,
            &mut |head| {
                **names.borrow_mut() = head.to_vec();
                answer.borrow_mut().head(head)
            },
            &mut |row| answer.borrow_mut().row(&names.borrow(), row),
        )?
    };
    answer.end()?;
    if given.cut {
        eprintln!("parallax: only the first {} rows are given; --rows N gives more", given.rows);
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings the quotes of a folder into the table `quotes`, those that the query can want.
fn load_quotes(args: &Args, store: &rusqlite::Connection, parameters: &[(String, String)]) -> Result<()> {
    let latest = "SELECT parquet FROM current_run WHERE parquet IS NOT NULL ORDER BY run DESC LIMIT 1";
    let known = || store.query_row(latest, [], |row| row.get::<_, String>(0)).ok().map(PathBuf::from);
    let Some(folder) = args.parquet.clone().or_else(known) else {
        bail!(
            "no run in the store kept its quotes; name their folder with --parquet DIR (`replay --parquet DIR` writes one)"
        );
    };
    Ok(store::load_quotes(store, &folder, &Wanted::of(parameters))?)
}

/// Where the store is.
fn path(args: &Args) -> Result<PathBuf> {
    if let Some(path) = &args.store {
        return Ok(path.clone());
    }
    let Some(config) = &args.config else { return Ok(PathBuf::from("parallax.db")) };
    match Config::read(config)?.live.store {
        Some(store) => Ok(store.path),
        None => bail!("{} has no [store]; name the store with --store FILE", config.display()),
    }
}

fn statement(words: &[String]) -> Result<&str> {
    match words {
        [sql] => Ok(sql),
        [] => bail!(
            "say what to ask: one SQL statement in quotes, or --query NAME (`parallax sql --list` lists them)"
        ),
        _ => bail!("the SQL statement is {} arguments; put it in quotes", words.len()),
    }
}

fn parameters(words: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |word: &String| match word.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => bail!("`{word}` is no parameter; write NAME=VALUE"),
    };
    words.iter().map(pair).collect()
}

fn list(query: Option<Query>, out: &mut dyn Write) -> Result<()> {
    if let Some(query) = query {
        out.write_all(query.text.as_bytes())?;
        return Ok(());
    }
    for query in queries::ALL {
        writeln!(out, "{}\n  {}", query.name, query.title())?;
        if query.needs_quotes() {
            writeln!(out, "  reads the quotes that the run wrote to Parquet")?;
        }
        for parameter in query.parameters() {
            let default = match parameter.default {
                None => " (must be given)".to_owned(),
                Some("") => String::new(),
                Some(default) => format!(" ({default})"),
            };
            writeln!(out, "  {}={default}  {}", parameter.name, parameter.meaning)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The answer on its way out.
struct Answer<'a> {
    format: Format,
    out: &'a mut dyn Write,
    table: Table,
    line: Vec<u8>,
    rows: u64,
}

impl<'a> Answer<'a> {
    fn new(format: Format, out: &'a mut dyn Write) -> Answer<'a> {
        Answer { format, out, table: Table::default(), line: Vec::new(), rows: 0 }
    }

    fn head(&mut self, names: &[String]) -> Result<()> {
        match self.format {
            Format::Table => self.table.head(names),
            Format::Csv => self.csv(names.iter().cloned())?,
            Format::Json => self.out.write_all(b"[")?,
            Format::Ndjson => {}
        }
        Ok(())
    }

    fn row(&mut self, names: &[String], row: &[Value]) -> Result<()> {
        match self.format {
            Format::Table => self.table.row(row, self.out)?,
            Format::Csv => self.csv(row.iter().map(shown))?,
            Format::Json | Format::Ndjson => {
                self.line.clear();
                if self.format == Format::Json {
                    self.line.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
                }
                object(names, row, &mut self.line);
                if self.format == Format::Ndjson {
                    self.line.push(b'\n');
                }
                self.out.write_all(&self.line)?;
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn csv(&mut self, cells: impl Iterator<Item = String>) -> Result<()> {
        let mut writer =
            csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut self.out);
        writer.write_record(cells)?;
        writer.flush()?;
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        match self.format {
            Format::Table => self.table.end(self.out)?,
            Format::Json => self.out.write_all(b"\n]\n")?,
            Format::Csv | Format::Ndjson => {}
        }
        self.out.flush()?;
        Ok(())
    }
}

/// A value as text; bytes as hexadecimal digits.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn object(names: &[String], row: &[Value], line: &mut Vec<u8>) {
    line.push(b'{');
    for (at, (name, value)) in names.iter().zip(row).enumerate() {
        if at > 0 {
            line.push(b',');
        }
        json::string(line, name.as_bytes());
        line.push(b':');
        match value {
            Value::Null => line.extend_from_slice(b"null"),
            Value::Integer(_) => line.extend_from_slice(shown(value).as_bytes()),
            // JSON has no infinities.
            Value::Real(number) if !number.is_finite() => line.extend_from_slice(b"null"),
            Value::Real(_) => line.extend_from_slice(shown(value).as_bytes()),
            Value::Text(_) | Value::Blob(_) => json::string(line, shown(value).as_bytes()),
        }
    }
    line.push(b'}');
}
