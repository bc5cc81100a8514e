//! `[rules]`: which book of rules holds, and what is done with data outside of a market's hours.

use std::path::Path;
use std::sync::Arc;

use super::reader::{ConfigError, Table};
use crate::rules::Book;

/// What is done with quotes of a market that the calendar says is closed, where the feed itself does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// They are judged as ever; the summary says how much of the data lay in which session.
    #[default]
    Report,
    /// They are `closed`: not judged, and counted as held back.
    Hold,
}

impl Sessions {
    /// Name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Sessions::Report => "report",
            Sessions::Hold => "hold",
        }
    }
}

/// The rules of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The shipped book, with the user's rows over it where one is named.
    pub book: Arc<Book>,
    /// See [`Sessions`].
    pub sessions: Sessions,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { book: Book::shipped(), sessions: Sessions::default() }
    }
}

/// Reads `[rules]`; the book is looked up from `folder`.
///
/// # Errors
/// What is wrong in the section, or in the book that it names.
pub fn read(root: &mut Table<'_>, folder: &Path) -> Result<Rules, ConfigError> {
    let mut rules = Rules::default();
    let Some(mut table) = root.table("rules", "[rules]")? else { return Ok(rules) };
    if let Some((book, _)) = table.string("book")? {
        rules.book = Arc::new(Book::with_file(&folder.join(book))?);
    }
    rules.sessions = match table.string("sessions")? {
        None | Some(("report", _)) => Sessions::Report,
        Some(("hold", _)) => Sessions::Hold,
        Some((other, span)) => {
            let sentence = format!("`sessions = \"{other}\"` is none: write \"report\" or \"hold\"");
            return Err(table.error_at(&span, sentence));
        }
    };
    table.finish()?;
    Ok(rules)
}
