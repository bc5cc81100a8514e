//! `parallax book`: one instrument over all sources side by side, out of shared memory. It only reads: no daemon is
//! asked, and none notices.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use feeds::event::Side;

use crate::alert::json;
use crate::market::Level;
use crate::market::price::show_nanos;
use crate::shm::{self, Entry, Read, ReadError, Reader, SlotId, WriterState};
use crate::source::clock;

/// Arguments of `parallax book`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Our name of the instrument
    #[arg(value_name = "INSTRUMENT")]
    pub instrument: String,

    /// Where the daemon keeps its shared books
    #[arg(long, value_name = "DIR", default_value = shm::DIRECTORY)]
    pub dir: PathBuf,

    /// Only the daemon of this name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// One JSON object per refresh
    #[arg(long)]
    pub json: bool,

    /// Refresh until stopped; the default on a terminal
    #[arg(long, conflicts_with = "once")]
    pub watch: bool,

    /// Show it once and end; the default where no terminal looks on
    #[arg(long)]
    pub once: bool,

    /// Levels per side to show, as far as the sources give them
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub levels: usize,
}

const REFRESH: Duration = Duration::from_millis(250);
/// Cursor to the upper left corner.
const HOME: &str = "\x1b[H";
/// Clear to the end of the line; of the screen.
const CLEAR_LINE: &str = "\x1b[K\n";
const CLEAR_BELOW: &str = "\x1b[J";

/// Runs the command.
///
/// # Errors
/// When no book is there, no book knows the instrument, or `out` cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let terminal = std::io::stdout().is_terminal();
    let watch = args.watch || terminal && !args.once;
    let mut desk = Desk::new(args);
    desk.refresh()?;
    desk.is_worth_it()?;
    if watch && terminal && !args.json {
        write!(out, "{HOME}{CLEAR_BELOW}")?;
    }
    loop {
        let rows = desk.rows(clock::wall_now_ns());
        let text = if args.json { json(args, &rows) } else { table(args, &desk.refused, &rows) };
        if watch && terminal && !args.json {
            write!(out, "{HOME}{}{CLEAR_BELOW}", text.replace('\n', CLEAR_LINE))?;
        } else {
            out.write_all(text.as_bytes())?;
        }
        out.flush()?;
        if !watch {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(REFRESH);
        desk.refresh()?;
    }
}

/// An open book file and the slots in it that are looked for.
struct Book {
    path: PathBuf,
    reader: Reader,
    /// What was counted when the directory was last looked through.
    looked_at: Option<(usize, u64)>,
    slots: Vec<(SlotId, Entry)>,
}

/// The books that are looked at.
struct Desk<'a> {
    args: &'a Args,
    books: Vec<Book>,
    /// Files that are no books, in sentences.
    refused: Vec<String>,
}

/// One view at one moment.
struct Row {
    source: String,
    feed: String,
    daemon: String,
    venue: Option<String>,
    writer: WriterState,
    read: Result<Read, ReadError>,
    now_ns: u64,
}

impl<'a> Desk<'a> {
    fn new(args: &'a Args) -> Self {
        Desk { args, books: Vec::new(), refused: Vec::new() }
    }

    /// Opens what is new, lets go of what is gone, and looks for the instrument where something was added.
    fn refresh(&mut self) -> Result<()> {
        let dir = &self.args.dir;
        let paths = shm::books_in(dir).with_context(|| format!("{}: cannot be listed", dir.display()))?;
        self.books.retain(|book| !book.reader.replaced());
        self.refused.clear();
        for path in paths {
            if self.books.iter().any(|book| book.path == path) {
                continue;
            }
            match Reader::open(&path) {
                Ok(reader) if self.args.name.as_ref().is_some_and(|n| *n != reader.title().name) => {}
                Ok(reader) => self.books.push(Book { path, reader, looked_at: None, slots: Vec::new() }),
                Err(error) => self.refused.push(super::sentence(&anyhow::Error::new(error))),
            }
        }
        self.books.sort_by(|a, b| a.path.cmp(&b.path));
        for book in &mut self.books {
            let now = (book.reader.count(), book.reader.renames());
            if book.looked_at != Some(now) {
                let entries = book.reader.entries();
                book.slots = entries.filter(|(_, e)| e.instrument == self.args.instrument).collect();
                book.slots.sort_by(|(_, a), (_, b)| a.venue.cmp(&b.venue));
                book.looked_at = Some(now);
            }
        }
        Ok(())
    }

    /// A sentence when there is nothing to show.
    fn is_worth_it(&self) -> Result<()> {
        let (dir, instrument) = (self.args.dir.display(), &self.args.instrument);
        let of = self.args.name.as_ref().map_or(String::new(), |n| format!(" of a daemon named {n}"));
        if self.books.is_empty() {
            let refused = self.refused.iter().fold(String::new(), |said, why| format!("{said}\n  {why}"));
            bail!(
                "{dir} holds no shared books{of}: `parallax run --config C` makes them; where its \
                 configuration names another [shared_memory] directory, say it with --dir{refused}"
            );
        }
        if self.books.iter().all(|book| book.slots.is_empty()) {
            let views: usize = self.books.iter().map(|book| book.reader.count()).sum();
            let sources: Vec<&str> = self.books.iter().map(|b| b.reader.title().source.as_str()).collect();
            let sources = sources.join(", ");
            bail!("no source shows {instrument}: {dir} holds {views} views{of}, of {sources}");
        }
        Ok(())
    }

    fn rows(&self, now_ns: u64) -> Vec<Row> {
        let mut rows = Vec::new();
        for book in &self.books {
            let (title, writer) = (book.reader.title(), book.reader.writer_state(now_ns));
            rows.extend(book.slots.iter().map(|(slot, entry)| Row {
                source: title.source.clone(),
                feed: title.feed.clone(),
                daemon: title.name.clone(),
                venue: entry.venue.clone(),
                writer,
                read: book.reader.read(*slot),
                now_ns,
            }));
        }
        rows
    }
}

impl Row {
    /// How old the data is.
    fn age_ns(&self) -> Option<u64> {
        self.read.as_ref().ok().map(|read| self.now_ns.saturating_sub(read.image.origin().ts_recv_ns))
    }

    fn spread(&self) -> Option<i64> {
        let [bid, ask] = self.read.as_ref().ok()?.image.quote().best;
        ask?.price.checked_sub(bid?.price)
    }

    /// The quality, or why there is nothing to judge.
    fn quality(&self) -> &'static str {
        match &self.read {
            Ok(read) => read.image.quote().quality.name(),
            Err(ReadError::Empty | ReadError::NoSlot) => "empty",
            Err(ReadError::Torn) => "torn",
            Err(ReadError::Unreadable) => "unreadable",
        }
    }

    fn levels(&self, most: usize) -> [Vec<Level>; 2] {
        let Ok(read) = &self.read else { return Default::default() };
        [Side::Bid, Side::Ask].map(|side| read.image.levels(side).take(most).collect())
    }
}

const HEAD: [&str; 13] = [
    "source", "venue", "bid qty", "bid", "ask", "ask qty", "spread", "lot bid", "lot ask", "age", "quality",
    "state", "writer",
];
/// Columns whose text stands at the left.
const LEFT: [usize; 5] = [0, 1, 10, 11, 12];

fn cells(row: &Row) -> [String; 13] {
    let dash = || "-".to_owned();
    let mut cells: [String; 13] = std::array::from_fn(|_| dash());
    cells[0].clone_from(&row.source);
    cells[1] = row.venue.clone().unwrap_or_else(|| "best".to_owned());
    cells[9] = row.age_ns().map_or_else(dash, age);
    cells[10] = row.quality().to_owned();
    cells[12] = match row.writer {
        WriterState::Stale { age_ns } => format!("stale {}", age(age_ns)),
        other => other.name().to_owned(),
    };
    let Ok(read) = &row.read else { return cells };
    let quote = read.image.quote();
    let price = |level: Option<Level>| level.map_or_else(dash, |l| show_nanos(l.price));
    let quantity = |level: Option<Level>| level.map_or_else(dash, |l| l.quantity.to_string());
    cells[2] = quantity(quote.best[0]);
    cells[3] = price(quote.best[0]);
    cells[4] = price(quote.best[1]);
    cells[5] = quantity(quote.best[1]);
    cells[6] = row.spread().map_or_else(dash, show_nanos);
    for side in 0..2 {
        let same = quote.round_lot[side].map(|l| l.price) == quote.best[side].map(|l| l.price);
        cells[7 + side] = if same { String::new() } else { price(quote.round_lot[side]) };
    }
    cells[11] = read.image.state().name().to_owned();
    cells
}

fn table(args: &Args, refused: &[String], rows: &[Row]) -> String {
    let mut lines: Vec<[String; 13]> = vec![HEAD.map(str::to_owned)];
    for row in rows {
        lines.push(cells(row));
        let [bids, asks] = row.levels(args.levels);
        // The first level is the best, which the row shows; where it is not (odd lots), it is told all the same.
        let same = row.read.as_ref().is_ok_and(|r| {
            [bids.first(), asks.first()].map(Option::<&Level>::copied) == r.image.quote().best
        });
        for n in usize::from(same)..bids.len().max(asks.len()) {
            let mut line: [String; 13] = Default::default();
            line[1] = (n + 1).to_string();
            if let Some(bid) = bids.get(n) {
                (line[2], line[3]) = (bid.quantity.to_string(), show_nanos(bid.price));
            }
            if let Some(ask) = asks.get(n) {
                (line[4], line[5]) = (show_nanos(ask.price), ask.quantity.to_string());
            }
            lines.push(line);
        }
    }
    let widths: [usize; 13] =
        std::array::from_fn(|c| lines.iter().map(|l| l[c].chars().count()).max().unwrap_or(0));
    let now_ns = rows.first().map_or(0, |row| row.now_ns);
    let mut text = format!("{}  {}\n", args.instrument, json::show_time(now_ns));
    for line in &lines {
        let mut written = String::new();
        for (c, (cell, width)) in line.iter().zip(widths).enumerate() {
            // Writing to a String cannot fail.
            let _ = match LEFT.contains(&c) {
                true => write!(written, "{cell:<width$}  "),
                false => write!(written, "{cell:>width$}  "),
            };
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
    if rows.is_empty() {
        text.push_str("no source shows it any more\n");
    }
    for why in refused {
        let _ = writeln!(text, "left out: {why}");
    }
    text
}

/// A stretch of time for people: three digits or so.
fn age(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{} us", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000..100_000_000_000 => {
            format!("{}.{} s", ns / 1_000_000_000, ns / 100_000_000 % 10)
        }
        100_000_000_000..7_200_000_000_000 => format!("{} min", ns / 60_000_000_000),
        _ => format!("{} h", ns / 3_600_000_000_000),
    }
}

fn json(args: &Args, rows: &[Row]) -> String {
    let mut out = Vec::from(b"{");
    json::time(&mut out, "ts", rows.first().map_or(0, |row| row.now_ns));
    json::text(&mut out, "instrument", &args.instrument);
    json::key(&mut out, "sources");
    out.push(b'[');
    for row in rows {
        json::comma(&mut out);
        out.push(b'{');
        write_row(&mut out, row, args.levels);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}\n");
    String::from_utf8_lossy(&out).into_owned()
}

fn write_row(out: &mut Vec<u8>, row: &Row, most: usize) {
    json::text(out, "source", &row.source);
    json::text(out, "daemon", &row.daemon);
    json::text(out, "feed", &row.feed);
    match &row.venue {
        Some(venue) => json::text(out, "venue", venue),
        None => {
            json::key(out, "venue");
            out.extend_from_slice(b"null");
        }
    }
    json::text(out, "writer", row.writer.name());
    if let WriterState::Stale { age_ns } = row.writer {
        json::unsigned(out, "writer_silent_ns", age_ns);
    }
    json::text(out, "quality", row.quality());
    let Ok(Read { updates, image }) = &row.read else { return };
    json::text(out, "state", image.state().name());
    image.quote().write_members(out);
    image.quote().write_round_lot(out);
    json::price(out, "spread", row.spread());
    json::unsigned(out, "sequence", image.origin().sequence);
    if image.origin().ts_event_ns != 0 {
        json::time(out, "ts_event", image.origin().ts_event_ns);
    }
    json::time(out, "ts_recv", image.origin().ts_recv_ns);
    json::time(out, "ts_published", image.ts_published_ns());
    json::unsigned(out, "age_ns", row.age_ns().unwrap_or(0));
    json::unsigned(out, "updates", *updates);
    for (name, levels) in ["bids", "asks"].into_iter().zip(row.levels(most)) {
        json::key(out, name);
        out.push(b'[');
        for level in levels {
            json::comma(out);
            out.push(b'{');
            json::price(out, "price", Some(level.price));
            json::unsigned(out, "qty", level.quantity);
            out.push(b'}');
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_unit_that_fits() {
        let told =
            [0, 999, 1_000, 1_999_999, 1_000_000_000, 99_990_000_000, 100_000_000_000, 7_200_000_000_000];
        let expected = ["0 ns", "999 ns", "1 us", "1 ms", "1.0 s", "99.9 s", "1 min", "2 h"];
        assert_eq!(told.map(age), expected);
    }
}
