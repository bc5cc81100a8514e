//! Records of quotes: one JSON line for each change of a top of book.
//!
//! They are most of what a replay writes, so what is the same from line to line is kept as text: the second of a time, and
//! what a view's lines begin with. The rest is of bounded length and written in place.

use super::strip::Strip;
use crate::alert::json;
use crate::cache;
use crate::market::{Level, Registry, ViewId};

/// More than the longest end of a line: six prices and quantities, a time, a sequence number, and the names.
const TAIL: usize = 512;

/// Lines of quote records.
pub(super) struct QuoteLines {
    /// Those that nobody has taken yet.
    pub lines: Vec<u8>,
    /// By source: `"source":"NAME"`, with the quote before it that ends the time.
    sources: Vec<Vec<u8>>,
    heads: Heads,
    /// How every line begins, and when.
    received: Time,
    /// The venue's time of the latest line.
    happened: Time,
    tail: Box<Strip<TAIL>>,
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
            heads: Heads::default(),
            received: Time::new(b"{\"ts\":\""),
            happened: Time::new(b",\"ts_event\":\""),
            tail: Box::new(Strip::new()),
        }
    }

    /// An instrument has another name now.
    pub fn renamed(&mut self) {
        self.heads = Heads::default();
    }

    /// A line of this view will be written soon.
    #[inline]
    pub fn look_ahead(&self, id: ViewId) {
        cache::prefetch(self.heads.of(id));
    }

    /// Appends what the view shows at `now`.
    pub fn write(&mut self, now: u64, id: ViewId, registry: &Registry) {
        let view = &registry.views[id as usize];
        let Some(quote) = &view.quote else { return };
        if self.heads.of(id).is_empty() {
            self.heads.keep(id, head(&self.sources, id, registry));
        }
        let tail = &mut *self.tail;
        tail.back_to(0);
        let [bid, ask] = quote.best;
        let sides = [
            level(tail, (b",\"bid\":", b",\"bid_qty\":"), bid),
            level(tail, (b",\"ask\":", b",\"ask_qty\":"), ask),
        ];
        let same = |side: usize| {
            let [best, lots] = [quote.best[side], quote.round_lot[side]].map(|l| l.map(|l| l.price));
            (best == lots).then_some(sides[side])
        };
        tail.put(b",\"round_lot_bid\":");
        price(tail, quote.round_lot[0], same(0));
        tail.put(b",\"round_lot_ask\":");
        price(tail, quote.round_lot[1], same(1));
        match view.origin.ts_event_ns {
            0 => tail.put(b",\"ts_event\":null"),
            ts => {
                tail.put_text(self.happened.text(ts));
                tail.put(b"\"");
            }
        }
        tail.put(b",\"seq\":");
        tail.unsigned(view.origin.sequence);
        tail.put(b",\"quality\":\"");
        tail.put_text(quote.quality.name().as_bytes());
        tail.put(b"\"}\n");
        self.lines.extend_from_slice(self.received.text(now));
        self.lines.extend_from_slice(self.heads.of(id));
        self.lines.extend_from_slice(tail.text());
    }
}

/// What the lines of a view begin with behind their time, up to the venue.
fn head(sources: &[Vec<u8>], id: ViewId, registry: &Registry) -> Vec<u8> {
    let view = &registry.views[id as usize];
    let mut out = sources[usize::from(view.source)].clone();
    json::text(&mut out, "instrument", &registry.get(view.instrument).name);
    match registry.mic(view.venue) {
        Some(mic) => json::text(&mut out, "venue", mic),
        None => out.extend_from_slice(b",\"venue\":null"),
    }
    out
}

/// Where a price stands in the tail.
type Stands = (usize, usize);

/// Appends a best price and its quantity; answers where the price stands.
#[inline(always)]
fn level<const P: usize, const Q: usize>(
    tail: &mut Strip<TAIL>,
    (price_name, quantity_name): (&[u8; P], &[u8; Q]),
    level: Option<Level>,
) -> Stands {
    tail.put(price_name);
    let from = tail.text().len();
    price(tail, level, None);
    let stands = (from, tail.text().len());
    tail.put(quantity_name);
    tail.unsigned(level.map_or(0, |l| l.quantity));
    stands
}

/// Appends a price, or that there is none; `same` where it stands already.
#[inline(always)]
fn price(tail: &mut Strip<TAIL>, level: Option<Level>, same: Option<Stands>) {
    if let Some((from, to)) = same {
        return tail.again(from..to);
    }
    match level {
        Some(level) => {
            tail.put(b"\"");
            tail.price(level.price);
            tail.put(b"\"");
        }
        None => tail.put(b"null"),
    }
}

/// Text that is kept for views, one behind the other.
#[derive(Debug, Default)]
struct Heads {
    text: Vec<u8>,
    /// By view: where its text begins, and how long it is; nothing where it is not known.
    places: Vec<(usize, u32)>,
}

impl Heads {
    #[inline]
    fn of(&self, id: ViewId) -> &[u8] {
        let (from, length) = self.places.get(id as usize).copied().unwrap_or_default();
        &self.text[from..from + length as usize]
    }

    fn keep(&mut self, id: ViewId, text: Vec<u8>) {
        if self.places.len() <= id as usize {
            self.places.resize(id as usize + 1, (0, 0));
        }
        self.places[id as usize] = (self.text.len(), text.len() as u32);
        self.text.extend_from_slice(&text);
    }
}

/// A time behind some text; most are of the same second as the one before, and many the same.
#[derive(Debug)]
struct Time {
    /// The text, and the second up to its point.
    fixed: usize,
    before: usize,
    second: Option<u64>,
    unix_ns: Option<u64>,
    strip: Strip<64>,
}

impl Time {
    fn new(before: &[u8]) -> Time {
        let mut strip = Strip::new();
        strip.put_text(before);
        Time { fixed: before.len(), before: before.len(), second: None, unix_ns: None, strip }
    }

    /// The text and the time, as [`json::write_time`] writes it.
    #[inline]
    fn text(&mut self, unix_ns: u64) -> &[u8] {
        if self.unix_ns != Some(unix_ns) {
            self.unix_ns = Some(unix_ns);
            let (second, nanos) = (unix_ns / 1_000_000_000, (unix_ns % 1_000_000_000) as u32);
            if self.second != Some(second) {
                self.second = Some(second);
                let mut text = Vec::with_capacity(20);
                json::write_second(&mut text, second);
                self.strip.back_to(self.before);
                self.strip.put_text(&text);
                self.fixed = self.strip.text().len();
            }
            self.strip.back_to(self.fixed);
            self.strip.nine_digits(nanos);
            self.strip.put(b"Z");
        }
        self.strip.text()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;
    use crate::market::{Quality, Quote, VenueId};

    /// The line in its plainest form.
    fn plainly(now: u64, source: &str, id: ViewId, registry: &Registry) -> String {
        let view = &registry.views[id as usize];
        let mut out = Vec::new();
        json::time(&mut out, "ts", now);
        json::text(&mut out, "source", source);
        json::text(&mut out, "instrument", &registry.get(view.instrument).name);
        match registry.mic(view.venue) {
            Some(mic) => json::text(&mut out, "venue", mic),
            None => out.extend_from_slice(b",\"venue\":null"),
        }
        let quote = view.quote.unwrap();
        quote.write_members(&mut out);
        quote.write_round_lot(&mut out);
        match view.origin.ts_event_ns {
            0 => out.extend_from_slice(b",\"ts_event\":null"),
            ts => json::time(&mut out, "ts_event", ts),
        }
        json::unsigned(&mut out, "seq", view.origin.sequence);
        json::text(&mut out, "quality", quote.quality.name());
        format!("{{{}}}\n", String::from_utf8(out).unwrap())
    }

    fn registry() -> Registry {
        let text = "[[source]]\nname = \"s\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n\
             [[source.channel]]\nname = \"c\"\nlines = [{ name = \"A\", group = \"233.0.0.1:1\" }]";
        let mut registry = Registry::of(&Config::parse("test", text, Path::new(".")).unwrap());
        let venue = registry.venue("XNAS");
        for name in ["AAPL", "a \"b\"\u{e4}"] {
            let instrument = registry.instrument(name);
            registry.add_view(0, venue, instrument, false);
            registry.add_view(1, VenueId::NATIONAL, instrument, false);
        }
        registry
    }

    #[test]
    fn another_name_is_in_the_next_line() {
        let mut registry = registry();
        let mut lines = QuoteLines::new(&["one".to_owned(), "two".to_owned()]);
        registry.views[0].quote = Some(Quote::default());
        lines.write(5, 0, &registry);
        registry.rename(registry.views[0].instrument, "MSFT");
        lines.renamed();
        lines.lines.clear();
        lines.write(5, 0, &registry);
        let text = String::from_utf8(lines.lines).unwrap();
        assert!(text.contains("\"instrument\":\"MSFT\""), "{text}");
    }

    #[test]
    fn the_longest_line_has_room() {
        let mut registry = registry();
        let mut lines = QuoteLines::new(&["one".to_owned(), "two".to_owned()]);
        let most = |price| Some(Level { price, quantity: u64::MAX });
        let (best, round_lot) = ([most(i64::MIN); 2], [most(i64::MIN + 1); 2]);
        let view = &mut registry.views[1];
        view.quote = Some(Quote { best, round_lot, quality: Quality::Suspect });
        view.origin.ts_event_ns = u64::MAX;
        view.origin.sequence = u64::MAX;
        lines.write(u64::MAX, 1, &registry);
        assert_eq!(String::from_utf8(lines.lines).unwrap(), plainly(u64::MAX, "two", 1, &registry));
    }

    proptest! {
        #[test]
        fn lines_are_as_they_would_be_written_plainly(
            steps in prop::collection::vec(
                (0..4u32, 0..3_000_000_000u64, 0..5u64, any::<[Option<(i64, u64)>; 4]>(), any::<u64>(), 0..16u8),
                1..40,
            ),
        ) {
            let names = ["one".to_owned(), "t\"wo".to_owned()];
            let (mut registry, mut lines) = (registry(), QuoteLines::new(&names));
            let mut now = 1_772_461_800_000_000_000;
            for (id, wait, event, levels, sequence, odd) in steps {
                now += if wait % 4 == 0 { 0 } else { wait };
                let levels = levels.map(|l| l.map(|(price, quantity)| Level { price, quantity: quantity >> 40 }));
                let [a, b, c, d] = levels;
                let round_lot = if odd & 1 == 0 { [a, b] } else { [c, d] };
                let quality = if odd & 2 == 0 { Quality::Ok } else { Quality::Halted };
                let view = &mut registry.views[id as usize];
                view.quote = Some(Quote { best: [a, b], round_lot, quality });
                view.origin.ts_event_ns = if event == 0 { 0 } else { now - event * 1_000_000 };
                view.origin.sequence = sequence;
                lines.lines.clear();
                lines.look_ahead(id);
                lines.write(now, id, &registry);
                let source = &names[usize::from(registry.views[id as usize].source)];
                let wanted = plainly(now, source, id, &registry);
                prop_assert_eq!(String::from_utf8(lines.lines.clone()).unwrap(), wanted);
            }
        }
    }
}
