//! One instrument, source beside source: whoever can read the books says what they show.

use crate::market::price;

/// Reads the books of a daemon.
pub trait InstrumentView {
    /// What every source shows of the instrument now, in the order of the sources; a sentence when it cannot be said.
    ///
    /// # Errors
    /// No such instrument, no books to read.
    fn look(&mut self, instrument: &str, now_ns: u64) -> Result<Vec<Look>, String>;
}

/// Best price of one side: units of 1e-9, and quantity.
pub type Best = Option<(i64, u64)>;

/// What one source shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Source.
    pub source: String,
    /// Venue; empty for a national best.
    pub venue: String,
    /// Best bid.
    pub bid: Best,
    /// Best ask.
    pub ask: Best,
    /// `ok`, `suspect`, `halted`, `auction`, `closed`, or what is wrong with the book itself (`stale writer`, ...).
    pub quality: String,
    /// Age of the last change, nanoseconds.
    pub age_ns: Option<u64>,
}

/// A price as people write it.
pub(super) fn price_text(best: Best) -> String {
    match best {
        Some((nanos, _)) => {
            let mut out = Vec::new();
            price::write_nanos(nanos, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
        None => "-".to_owned(),
    }
}
