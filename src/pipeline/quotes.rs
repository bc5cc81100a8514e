//! Records of quotes: one JSON line for each change of a top of book.
//!
//! They are most of what a replay writes, so what is the same from line to line is kept as text.

use crate::alert::json::{self, Times};
use crate::market::{Registry, ViewId};

/// Lines of quote records.
pub(super) struct QuoteLines {
    /// Those that nobody has taken yet.
    pub lines: Vec<u8>,
    /// By source: `","source":"NAME"`, which follows the time.
    sources: Vec<Vec<u8>>,
    received: Times,
    happened: Times,
}

impl QuoteLines {
    /// For sources (and composites) of those names.
    pub fn new(sources: &[String]) -> QuoteLines {
        let member = |name: &String| {
            let mut text = b"\"".to_vec();
            json::text(&mut text, "source", name);
            text
        };
        QuoteLines {
            lines: Vec::new(),
            sources: sources.iter().map(member).collect(),
            received: Times::default(),
            happened: Times::default(),
        }
    }

    /// Appends what the view shows at `now`.
    pub fn write(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let view = &registry.views[id as usize];
        let Some(quote) = &view.quote else { return };
        let out = &mut self.lines;
        out.extend_from_slice(b"{\"ts\":\"");
        self.received.write(out, now);
        out.extend_from_slice(&self.sources[usize::from(view.source)]);
        json::text(out, "instrument", &registry.get(view.instrument).name);
        match registry.mic(view.venue) {
            Some(mic) => json::text(out, "venue", mic),
            None => out.extend_from_slice(b",\"venue\":null"),
        }
        quote.write_members(out);
        quote.write_round_lot(out);
        match view.origin.ts_event_ns {
            0 => out.extend_from_slice(b",\"ts_event\":null"),
            ts => {
                out.extend_from_slice(b",\"ts_event\":\"");
                self.happened.write(out, ts);
                out.push(b'"');
            }
        }
        json::unsigned(out, "seq", view.origin.sequence);
        json::text(out, "quality", quote.quality.name());
        out.extend_from_slice(b"}\n");
    }
}
