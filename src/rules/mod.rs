//! The rule book: what held in a market on a day, who says so, and whether it was verified.
//!
//! Rows are keyed by kind, market, class and date; on one day one row holds. The shipped book is the TOML files of
//! `book/`, compiled in; a file of the user's (`[rules] book`) is laid over it. Sessions, price bands and the rest are
//! worked out from the rows alone: nothing here reads a clock, a feed or the books of orders.
//!
//! ```text
//! shipped rows + the user's rows ─► Book ─► tick, round lot, bands, session, clock tolerance … of (market, date)
//! ```

pub mod identifiers;
mod overlay;
pub mod queries;
mod read;
pub mod row;
pub mod session;
pub mod symbols;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use crate::config::ConfigError;
pub use queries::{Banded, Bands, Lot, Tick};
pub use row::{Kind, Row, Values};
pub use session::{Day, Market, Session, SessionState};

/// The files of the shipped book, by name.
const SHIPPED: [(&str, &str); 8] = [
    ("ticks.toml", include_str!("book/ticks.toml")),
    ("lots.toml", include_str!("book/lots.toml")),
    ("bands.toml", include_str!("book/bands.toml")),
    ("sessions.toml", include_str!("book/sessions.toml")),
    ("calendars.toml", include_str!("book/calendars.toml")),
    ("calendars-futures.toml", include_str!("book/calendars-futures.toml")),
    ("policy.toml", include_str!("book/policy.toml")),
    ("clocks.toml", include_str!("book/clocks.toml")),
];

/// No file of rules is larger.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// All rows, in order of kind, market, class and date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    rows: Vec<Row>,
    markets: Vec<Market>,
    /// The user's file; empty without one.
    path: String,
}

impl Book {
    /// The book that comes with the program.
    pub fn shipped() -> Arc<Book> {
        static BOOK: OnceLock<Arc<Book>> = OnceLock::new();
        BOOK.get_or_init(|| {
            let mut book = Book { rows: Vec::new(), markets: Vec::new(), path: String::new() };
            for (name, text) in SHIPPED {
                let pages = read::read(name, text).expect("the shipped book is read by a test");
                book.rows.extend(pages.rows);
                book.markets.extend(pages.markets);
            }
            book.sort();
            Arc::new(book)
        })
        .clone()
    }

    /// The shipped book with the rows of a file laid over it: on the days on which a row of the file holds, it holds
    /// in place of the shipped ones; a row with the `id` of a shipped one replaces that row altogether.
    ///
    /// # Errors
    /// One sentence with file, line, key, and what would be right.
    pub fn with_file(path: &Path) -> Result<Book, ConfigError> {
        let shown = path.display().to_string();
        let error = |sentence| ConfigError { path: shown.clone(), line: 1, sentence };
        let unreadable = |e| error(format!("cannot be read ({e}); name a TOML file of rules"));
        let length = std::fs::metadata(path).map_err(unreadable)?.len();
        if length > FILE_BYTES_MAX {
            return Err(error(format!("has {length} bytes; a book of rules has at most {FILE_BYTES_MAX}")));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Book::with_text(&shown, &text)
    }

    /// [`Book::with_file`] for a text that is there already.
    ///
    /// # Errors
    /// As [`Book::with_file`].
    pub fn with_text(path: &str, text: &str) -> Result<Book, ConfigError> {
        let pages = read::read(path, text)?;
        let mut book = Book::shipped().as_ref().clone();
        path.clone_into(&mut book.path);
        overlay::lay(&mut book.rows, pages.rows);
        for market in pages.markets {
            book.markets.retain(|m| m.name != market.name);
            book.markets.push(market);
        }
        book.sort();
        Ok(book)
    }

    fn sort(&mut self) {
        let key = |row: &Row| {
            (row.kind, row.market.clone(), row.class.clone(), row.valid_from.is_none(), row.valid_from)
        };
        self.rows.sort_by_cached_key(key);
        self.markets.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The user's file that was laid over the shipped book; `None` without one.
    pub fn path(&self) -> Option<&str> {
        (!self.path.is_empty()).then_some(self.path.as_str())
    }

    /// What it is called in summaries: `shipped`, or the user's file over it.
    pub fn name(&self) -> String {
        self.path().map_or("shipped".to_owned(), |path| format!("{path} over shipped"))
    }

    /// Every row, proposals too.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Every market.
    pub fn markets(&self) -> &[Market] {
        &self.markets
    }

    /// The market of that name.
    pub fn market(&self, name: &str) -> Option<&Market> {
        self.markets.iter().find(|market| market.name == name)
    }

    /// The names under which rows of a market may stand: its own, then its jurisdiction's.
    pub fn names_of<'b>(&'b self, market: &'b str) -> impl Iterator<Item = &'b str> {
        let jurisdiction = self.market(market).map(|m| m.jurisdiction.as_str()).filter(|j| *j != market);
        [market].into_iter().chain(jurisdiction)
    }

    /// The consolidated tape of a market's jurisdiction, such as `US-SIP` for XNAS, where the book has one.
    pub fn tape_of(&self, market: &str) -> Option<&str> {
        let tape = format!("{}-SIP", self.market(market)?.jurisdiction);
        self.market(&tape).map(|market| market.name.as_str())
    }

    /// The row that holds for the market, or else for its jurisdiction, on `date`.
    pub fn find(&self, kind: Kind, market: &str, class: &str, date: Date) -> Option<&Row> {
        self.names_of(market).find_map(|name| {
            let holds = |row: &&Row| {
                row.kind == kind && row.market == name && row.class == class && row.holds_on(date)
            };
            self.rows.iter().find(holds)
        })
    }

    /// Every row that holds for the market or its jurisdiction on `date`, in the order of the book.
    pub fn on<'b>(&'b self, market: &'b str, date: Date) -> impl Iterator<Item = &'b Row> {
        self.rows.iter().filter(move |row| {
            row.holds_on(date)
                && self
                    .find(row.kind, market, &row.class, date)
                    .is_some_and(|found| std::ptr::eq(found, *row))
        })
    }
}
