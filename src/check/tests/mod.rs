//! The comparator held to whole sequences of alert lines, at exact nanoseconds, with views and times made by hand.
//!
//! Every test writes down all that is told: a line more, a line less or a nanosecond off is a failure. Whatever the
//! test, [`World::told`] also holds every alert to its life cycle.

mod composite;
mod crossed;
mod divergent;
mod gap_line_clock;
mod lagging;
mod missing;
mod order;
mod silent;
mod stale;
mod status;

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::Comparator;
use super::gap::Ours;
use super::life::Place;
use crate::config::{Config, Kind};
use crate::latency::Recorder;
use crate::line::LineEvent;
use crate::market::{Level, Quality, Quote, Registry, SourceId, VenueId, ViewId};

const US: u64 = 1_000;
const MS: u64 = 1_000 * US;
const S: u64 = 1_000 * MS;
/// Where the tests' time begins; lines are written relative to it.
const T0: u64 = 1_700_000_000 * S;
/// Deadlines that one step of time may fire at most: more is a loop.
const FIRINGS_MAX: usize = 20_000;

/// Two sources of one venue: direct (number 0) and consolidated (number 1).
const DIRECT_AND_SIP: &str = r#"
    [[source]]
    name = "direct"
    feed = "nasdaq-itch-5.0"
    venue = "XNAS"
    [[source.channel]]
    name = "tv"
    lines = [{ name = "A", group = "233.1.1.1:1" }]
    [[source]]
    name = "sip"
    feed = "utp-uqdf"
    [[source.channel]]
    name = "q"
    lines = [{ name = "A", group = "233.1.1.3:1" }]
"#;

/// A comparator with its registry, driven by hand. Times are relative to [`T0`].
struct World {
    comparator: Comparator,
    registry: Registry,
    ids: HashMap<String, String>,
}

/// One side or both of a quote, in cents.
type Cents = (Option<i64>, Option<i64>);

fn level(cents: i64) -> Level {
    Level { price: cents * 10_000_000, quantity: 100 }
}

fn quote((bid, ask): Cents, quality: Quality) -> Quote {
    let best = [bid.map(level), ask.map(level)];
    Quote { best, round_lot: best, quality }
}

impl World {
    /// The sources, and the checks of `checks` (none there: every check with its defaults).
    fn new(sources: &str, checks: &str) -> World {
        let config = Config::parse("test", &format!("{sources}\n{checks}"), Path::new(".")).unwrap();
        let mut registry = Registry::new();
        let comparator = Comparator::new(&config, &mut registry, &[], Recorder::without_log());
        World { comparator, registry, ids: HashMap::new() }
    }

    /// Direct and consolidated source with a view of AAPL at XNAS each, numbered 0 and 1.
    fn pair(checks: &str) -> World {
        let mut world = World::new(DIRECT_AND_SIP, checks);
        world.view(0, "XNAS", "AAPL", false);
        world.view(1, "XNAS", "AAPL", true);
        world
    }

    fn view(&mut self, source: SourceId, mic: &str, name: &str, lots: bool) -> ViewId {
        let venue = if mic.is_empty() { VenueId::NATIONAL } else { self.registry.venue(mic) };
        let instrument = self.registry.instrument(name);
        self.registry.add_view(source, venue, instrument, lots)
    }

    /// Fires what is due up to `at`, one deadline at a time; answers how many fired.
    fn advance(&mut self, at: u64) -> usize {
        let mut fired = 0;
        while let Some(due) = self.comparator.next_timeout().filter(|due| *due <= T0 + at) {
            self.comparator.advance(due, &self.registry);
            fired += 1;
            assert!(fired < FIRINGS_MAX, "deadlines without end at {}", show(at as i64));
        }
        self.comparator.advance(T0 + at, &self.registry);
        fired
    }

    /// A packet arrives on a line.
    fn arrive_on(&mut self, at: u64, source: SourceId, channel: u16, line: u16, fresh: bool) {
        self.advance(at);
        self.comparator.on_arrival(T0 + at, Place { source, channel, line }, fresh, &self.registry);
    }

    /// A heartbeat of a source.
    fn beat(&mut self, at: u64, source: SourceId) {
        self.arrive_on(at, source, 0, 0, false);
    }

    /// A packet that sets quotes of views of one source. An unchanged quote is an update all the same.
    fn set(&mut self, at: u64, quotes: &[(ViewId, Quote)]) {
        let source = self.registry.views[quotes[0].0 as usize].source;
        if self.comparator.sources[usize::from(source)].composite {
            self.advance(at);
        } else {
            self.arrive_on(at, source, 0, 0, true);
        }
        let mut touched = Vec::new();
        for (id, quote) in quotes {
            let view = &mut self.registry.views[*id as usize];
            touched.push((*id, view.quote != Some(*quote)));
            view.quote = Some(*quote);
            view.origin.ts_recv_ns = T0 + at;
        }
        self.comparator.on_views(T0 + at, &touched, &self.registry);
    }

    /// A view shows bid and ask, in cents.
    fn show(&mut self, at: u64, view: ViewId, bid: i64, ask: i64) {
        self.set(at, &[(view, quote((Some(bid), Some(ask)), Quality::Ok))]);
    }

    /// A view shows bid and ask in a state.
    fn state(&mut self, at: u64, view: ViewId, bid: i64, ask: i64, quality: Quality) {
        self.set(at, &[(view, quote((Some(bid), Some(ask)), quality))]);
    }

    /// Something deeper than the top of book.
    fn touch(&mut self, at: u64, view: ViewId) {
        let quote = self.registry.views[view as usize].quote.unwrap_or_default();
        self.set(at, &[(view, quote)]);
    }

    fn event(&mut self, at: u64, source: SourceId, event: LineEvent) {
        self.advance(at);
        let place = Place { source, channel: 0, line: 0 };
        self.comparator.on_line_event(T0 + at, place, &event, 3, Ours::default(), &self.registry);
    }

    fn finish(&mut self, at: u64) {
        self.advance(at);
        self.comparator.finish(T0 + at, &self.registry);
        assert_eq!(self.comparator.desk.alerts.open(), 0, "everything is cleared at the end");
    }

    /// What was held back under a kind, by reason.
    fn held(&self, kind: Kind) -> Vec<(&'static str, u64)> {
        let held = self.comparator.desk.held.iter();
        held.filter(|((k, _), _)| *k == kind).map(|((_, reason), n)| (*reason, *n)).collect()
    }

    /// Ids that were told, in the order in which they were raised.
    fn raw(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.comparator.desk.alerts.lines)).unwrap()
    }

    /// The lines since the last call, short.
    fn told(&mut self) -> Vec<String> {
        let text = self.raw();
        text.lines().map(|line| self.short(&serde_json::from_str(line).unwrap())).collect()
    }

    /// One line short: time, event, kind/severity, what it is about, figures. Holds the alert to its life cycle.
    fn short(&mut self, line: &Value) -> String {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let (event, id) = (text("event"), text("id"));
        let subject = subject(line);
        match event.as_str() {
            "raised" => {
                let known = self.ids.insert(id, subject.clone());
                assert_eq!(known, None, "an id is raised once: {line}");
            }
            "escalated" => assert!(self.ids.contains_key(&id), "escalated before it was raised: {line}"),
            _ => {
                let raised = self.ids.insert(id, "cleared".into());
                assert_eq!(raised.as_deref(), Some(subject.as_str()), "cleared what is open: {line}");
            }
        }
        let began = time(line, "began").unwrap();
        let mut out =
            format!("{} {event} {}/{}", show(time(line, "ts").unwrap()), text("kind"), text("severity"));
        out += &format!("{subject} began {}", show(began));
        if let Some(ended) = time(line, "ended") {
            assert_eq!(line["duration_ns"].as_i64(), Some((ended - began).max(0)), "{line}");
            out += &format!(" ended {} {}", show(ended), text("reason"));
        }
        if let Some(magnitude) = line.get("magnitude") {
            out += &format!(" by {}={}", magnitude["price"].as_str().unwrap(), magnitude["ticks"]);
        }
        if let Some(lag) = line["lag_ns"].as_i64() {
            out += &format!(" lag {}", show(lag));
        }
        if let Some(range) = line.get("sequence") {
            out += &format!(" seq {}..{}={}", range["first"], range["last"], range["count"]);
        }
        if let Some(under) = line["instruments"].as_u64() {
            out += &format!(" under {under}");
        }
        out
    }
}

/// What an alert is about.
fn subject(line: &Value) -> String {
    let mut out = String::new();
    for name in ["instrument", "venue", "side"] {
        if let Some(value) = line[name].as_str() {
            out += &format!(" {value}");
        }
    }
    assert!(line.get("instrument").is_some(), "null where it is about none: {line}");
    let sources: Vec<&str> =
        line["sources"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    out += &format!(" {}", sources.join("+"));
    for (name, mark) in [("channel", '#'), ("line", '/'), ("scope", '@')] {
        if let Some(value) = line[name].as_str() {
            out += &format!("{mark}{value}");
        }
    }
    out
}

fn time(line: &Value, name: &str) -> Option<i64> {
    let time: jiff::Timestamp = line[name].as_str()?.parse().unwrap();
    Some(i64::try_from(time.as_nanosecond()).unwrap() - T0 as i64)
}

/// Nanoseconds as milliseconds, exact.
fn show(ns: i64) -> String {
    let (whole, rest) = (ns / MS as i64, (ns % MS as i64).abs());
    if rest == 0 { format!("{whole}ms") } else { format!("{whole}.{rest:06}ms") }
}

/// A `[[check]]` of that kind with more keys.
fn check(kind: &str, keys: &str) -> String {
    format!("[[check]]\nkind = \"{kind}\"\n{keys}\n")
}
