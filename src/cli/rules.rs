//! `parallax rules`: the rows of the rule book with their sources, so that anybody can see which rule was used and who says so.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::alert::json::show_time;
use crate::config::reader::nearest;
use crate::rules::identifiers::shown;
use crate::rules::{Book, Kind, Row};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a row.
    Json,
}

/// Arguments of `parallax rules`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only rows of this market (a MIC, or US, EU, GB, US-SIP) and of the jurisdiction whose rules it follows
    #[arg(long, value_name = "MARKET")]
    pub market: Option<String>,

    /// Only what holds on this day of the market; without it every row, with its days
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<String>,

    /// Whether the market trades at this moment (RFC 3339), since when and until when, it and each class with hours of its own
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// Only this kind: tick, round_lot, price_band, hours, calendar, halts, locked_crossed, odd_lots, clock
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// The shipped book with this file laid over it, as `[rules] book` does
    #[arg(long, value_name = "FILE")]
    pub book: Option<PathBuf>,

    /// How the rows are written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: Format,
}

/// Runs the command.
///
/// # Errors
/// A market, day, kind or file that is none, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let book = match &args.book {
        Some(path) => Book::with_file(path)?,
        None => Book::shipped().as_ref().clone(),
    };
    let kind = args.kind.as_deref().map(kind).transpose()?;
    let date = args.date.as_deref().map(date).transpose()?;
    let market = args.market.as_deref().map(|market| known(&book, market)).transpose()?;
    if let Some(at) = &args.at {
        let Some(market) = market else { bail!("--at wants a market, such as --market XNAS") };
        if date.is_some() || kind.is_some() {
            bail!("--at names a moment: leave --date and --kind out");
        }
        out.write_all(sessions(&book, market, moment(at)?, args.format).as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<&Row> = match (market, date) {
        (Some(market), Some(date)) => book.on(market, date).collect(),
        (Some(market), None) => {
            let names: Vec<&str> = book.names_of(market).collect();
            book.rows().iter().filter(|row| names.contains(&row.market.as_str())).collect()
        }
        (None, Some(date)) => book.rows().iter().filter(|row| row.holds_on(date)).collect(),
        (None, None) => book.rows().iter().collect(),
    };
    let rows: Vec<&Row> = rows.into_iter().filter(|row| kind.is_none_or(|kind| row.kind == kind)).collect();
    let text: String = match args.format {
        Format::Text => rows.iter().map(|row| text(row)).collect(),
        Format::Json => rows.iter().map(|row| format!("{}\n", json(row))).collect(),
    };
    out.write_all(text.as_bytes())?;
    if rows.is_empty() && args.format == Format::Text {
        out.write_all(b"no row of the book answers to that\n")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn kind(name: &str) -> Result<Kind> {
    let Some(kind) = Kind::from_name(name) else {
        let all = Kind::ALL.map(|kind| kind.name());
        let hint =
            nearest(name, all.into_iter()).map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        bail!("--kind {name} is none of {}{hint}", all.join(", "));
    };
    Ok(kind)
}

fn date(text: &str) -> Result<Date> {
    match text.parse::<Date>() {
        Ok(date) if text.len() == 10 => Ok(date),
        _ => bail!("--date {} is no day; write it as 2026-03-02", shown(text)),
    }
}

/// Nanoseconds since 1970 UTC.
fn moment(text: &str) -> Result<u64> {
    let time = text.parse::<Timestamp>().ok().and_then(|time| u64::try_from(time.as_nanosecond()).ok());
    time.ok_or_else(|| anyhow!("--at {} is no time; write it as 2026-03-02T14:30:00Z", shown(text)))
}

/// The sessions at a moment: of the market as a whole, and of its classes.
fn sessions(book: &Book, market: &str, at_ns: u64, format: Format) -> String {
    let day = book.day(market, at_ns).date;
    let of_market = |row: &&Row| row.kind == Kind::Hours && row.market == market && row.holds_on(day);
    let classes = book.rows().iter().filter(of_market).map(|row| row.class.as_str());
    let all: BTreeSet<&str> = classes.chain([""]).collect();
    let zone = book.market(market).map_or("UTC", |market| market.zone.as_str());
    let mut text = format!("{market} at {}, on {day} in {zone}\n", show_time(at_ns));
    let mut json = String::new();
    for class in all {
        let session = book.session_of(market, class, at_ns);
        let rows: Vec<&str> =
            [session.hours, session.calendar].into_iter().flatten().map(|row| row.id.as_str()).collect();
        let by = if rows.is_empty() { "no row".to_owned() } else { rows.join(", ") };
        let whose = if class.is_empty() { "all" } else { class };
        let special =
            if session.special.is_empty() { String::new() } else { format!(" ({})", session.special) };
        let (state, from, until) =
            (session.state.name(), show_time(session.from_ns), show_time(session.until_ns));
        text.push_str(&format!("  {whose}: {state}{special} from {from} to {until}, by {by}\n"));
        let object = serde_json::json!({
            "market": market, "class": class, "date": day.to_string(), "state": state, "special": session.special,
            "from": from, "until": until, "rows": rows,
        });
        json.push_str(&format!("{object}\n"));
    }
    match format {
        Format::Text => text,
        Format::Json => json,
    }
}

fn known<'a>(book: &Book, market: &'a str) -> Result<&'a str> {
    if book.market(market).is_none() {
        let names: Vec<&str> = book.markets().iter().map(|market| market.name.as_str()).collect();
        bail!("--market {market} is not in the book, which has {}", names.join(", "));
    }
    Ok(market)
}

fn text(row: &Row) -> String {
    let class = if row.class.is_empty() { String::new() } else { format!(" {}", row.class) };
    let mut out = format!("{} {}{class}: {} ({})\n", row.kind.name(), row.market, row.id, row.validity());
    for (name, value) in row.facts() {
        out.push_str(&format!("  {name}: {value}\n"));
    }
    let verified = if row.verified { "verified" } else { "NOT VERIFIED" };
    let source = &row.source;
    out.push_str(&format!(
        "  source: {}; {}; seen {}; {verified}\n",
        source.document, source.section, source.seen
    ));
    if !source.url.is_empty() {
        out.push_str(&format!("  {}\n", source.url));
    }
    if !row.note.is_empty() {
        out.push_str(&format!("  note: {}\n", row.note));
    }
    out.push_str(&format!("  written in {}:{}\n\n", row.place.0, row.place.1));
    out
}

/// A row as one object.
pub fn json(row: &Row) -> serde_json::Value {
    let facts: Vec<serde_json::Value> = row
        .facts()
        .into_iter()
        .map(|(name, value)| serde_json::json!({ "name": name, "value": value }))
        .collect();
    serde_json::json!({
        "kind": row.kind.name(),
        "market": row.market,
        "class": row.class,
        "id": row.id,
        "status": if row.is_proposed() { "proposed" } else { "in force" },
        "valid_from": row.valid_from.map(|date| date.to_string()),
        "valid_until": row.valid_until.map(|date| date.to_string()),
        "facts": facts,
        "verified": row.verified,
        "source": {
            "document": row.source.document,
            "section": row.source.section,
            "url": row.source.url,
            "seen": row.source.seen.to_string(),
        },
        "note": row.note,
        "file": row.place.0,
        "line": row.place.1,
    })
}
