//! The comparator's side of the store: what it found is handed over as it passes by, and never waited for.
//!
//! What finds no room waits here, up to a bound; beyond it, it is lost and counted.

use crate::pipeline::Judge;
use crate::store::{Batch, QuoteSender, StoreSender};

/// Figures that wait for a slow store at most.
const FIGURES_MAX: usize = 1 << 18;
/// Bytes of alert lines that wait for it at most.
const LINES_MAX: usize = 64 << 20;

/// Rows of quotes that are handed over at once; fewer wait for the next beat.
const ROWS: usize = 4_096;
/// Rows of quotes that wait for a slow disk at most.
const ROWS_MAX: usize = 1 << 17;

/// See the module.
pub struct Keep {
    store: Option<StoreSender>,
    quotes: Option<QuoteSender>,
    waiting: Batch,
    /// Bytes of the judge's own waiting lines that have been copied.
    copied: usize,
}

impl Keep {
    /// For a store, where there is one, and files of quotes.
    pub fn new(store: Option<StoreSender>, quotes: Option<QuoteSender>) -> Keep {
        Keep { store, quotes, waiting: Batch::default(), copied: 0 }
    }

    /// Takes a copy of the lines that are new.
    pub fn copy(&mut self, lines: &[u8]) {
        if self.store.is_some() {
            self.waiting.lines.extend_from_slice(lines.get(self.copied..).unwrap_or_default());
            self.copied = lines.len();
        }
    }

    /// The lines have gone to the reporter: those that come are new.
    pub fn lines_went(&mut self) {
        self.copied = 0;
    }

    /// Hands over what there is, if there is room.
    pub fn pass_on(&mut self, judge: &mut Judge) {
        let Some(store) = &self.store else { return };
        let beat = judge.take_figures().is_some_and(|figures| {
            self.waiting.figures.append(figures);
            !self.waiting.figures.is_empty()
        });
        if let (Some(quotes), Some(rows)) = (&self.quotes, judge.take_tape())
            && !rows.is_empty()
            && (beat || rows.len() >= ROWS)
        {
            quotes.pass_on(rows, ROWS_MAX);
        }
        if self.waiting.figures.is_empty() && self.waiting.lines.is_empty() {
            return;
        }
        if let Some(back) = store.try_send(std::mem::take(&mut self.waiting)) {
            if back.figures.len() > FIGURES_MAX || back.lines.len() > LINES_MAX {
                store.lose(&back);
            } else {
                self.waiting = back;
            }
        }
    }

    /// Hands over the last of it, and waits for room.
    pub fn finish(&mut self, judge: &mut Judge) {
        let Some(store) = &self.store else { return };
        if let Some(figures) = judge.take_figures() {
            self.waiting.figures.append(figures);
        }
        if let (Some(quotes), Some(rows)) = (self.quotes.take(), judge.take_tape()) {
            quotes.send(std::mem::take(rows));
        }
        // One that has ended says why when it is asked to finish.
        let _ = store.send(std::mem::take(&mut self.waiting));
    }
}
