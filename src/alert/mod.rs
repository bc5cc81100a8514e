//! Alerts: what is told, once, with its life cycle, and the record of every transition.
//!
//! An [`AlertBook`] holds what is open. Checks raise, escalate and clear by handle; each transition becomes
//! one NDJSON line, in the order in which they happen. Nothing here judges, and nothing here reads a clock.

pub mod console;
pub mod json;

use std::collections::BTreeMap;

use crate::config::{Kind, Severity};
use crate::market::{InstrumentId, Registry, SourceId, VenueId, ViewId};
use feeds::event::Side;
use feeds::feed::SequenceUnit;

/// An open alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(u64);

/// What an alert is about: with the moment it began, this is its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Kind when raised; an escalation changes what is told, never the identity.
    pub kind: Kind,
    /// Instrument, where it is about one.
    pub instrument: Option<InstrumentId>,
    /// Venue, where it is about one.
    pub venue: Option<VenueId>,
    /// Side, where it is about one.
    pub side: Option<Side>,
    /// The sources, the one at fault (where known) first.
    pub sources: Vec<SourceId>,
    /// Channel by name.
    pub channel: Option<String>,
    /// Line by name.
    pub line: Option<String>,
    /// `source`, `sources` or `venues`.
    pub scope: Option<&'static str>,
    /// Views whose quotes are shown.
    pub views: Vec<ViewId>,
}

impl Subject {
    /// About nothing yet but `kind` and `sources`.
    pub fn new(kind: Kind, sources: &[SourceId]) -> Self {
        Subject {
            kind,
            instrument: None,
            venue: None,
            side: None,
            sources: sources.to_vec(),
            channel: None,
            line: None,
            scope: None,
            views: Vec::new(),
        }
    }
}

/// How large a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Magnitude {
    /// Units of 1e-9.
    pub price: u64,
    /// The larger of the two prices, for basis points.
    pub reference: u64,
    /// Price step, for ticks.
    pub tick: u64,
}

impl Magnitude {
    /// Between two prices of an instrument with that price step.
    pub fn between(a: i64, b: i64, tick: u64) -> Magnitude {
        Magnitude { price: a.abs_diff(b), reference: a.unsigned_abs().max(b.unsigned_abs()), tick }
    }

    fn write(&self, out: &mut Vec<u8>) {
        json::key(out, "magnitude");
        out.push(b'{');
        json::price(out, "price", i64::try_from(self.price).ok());
        json::key(out, "ticks");
        write_ratio(out, u128::from(self.price), u128::from(self.tick.max(1)), 3);
        json::key(out, "bps");
        write_ratio(out, u128::from(self.price) * 10_000, u128::from(self.reference.max(1)), 1);
        out.push(b'}');
    }
}

/// Appends `numerator / denominator` with at most `decimals` decimals, rounded half up, without trailing zeros.
fn write_ratio(out: &mut Vec<u8>, numerator: u128, denominator: u128, decimals: u32) {
    let scale = 10u128.pow(decimals);
    let scaled = (numerator * scale + denominator / 2) / denominator;
    let (whole, mut fraction) = (scaled / scale, scaled % scale);
    out.extend_from_slice(whole.to_string().as_bytes());
    if fraction > 0 {
        let mut digits = decimals as usize;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        out.extend_from_slice(format!(".{fraction:0digits$}").as_bytes());
    }
}

/// An exact range of sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceRange {
    /// First number.
    pub first: u64,
    /// Last number.
    pub last: u64,
    /// How many of them are meant (a `line` alert adds up several ranges).
    pub count: u64,
    /// What has such a number.
    pub unit: SequenceUnit,
}

impl std::fmt::Display for SequenceRange {
    /// For a sentence: `10 messages, 812331 to 812340`, or packets where it is these that the feed numbers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = self.unit.word();
        match *self {
            SequenceRange { first, count: 1, .. } => write!(f, "{word} {first}"),
            SequenceRange { first, last, count, .. } => write!(f, "{count} {word}s, {first} to {last}"),
        }
    }
}

/// What a transition says beside what the alert is about.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// Price difference now.
    pub magnitude: Option<Magnitude>,
    /// How late, nanoseconds.
    pub lag_ns: Option<u64>,
    /// What was lost.
    pub sequence: Option<SequenceRange>,
    /// How many instruments are under it.
    pub instruments: Option<u64>,
    /// `ours`, `network`, `source`, `market`, `reference_data` or `undecided`.
    pub cause: &'static str,
    /// One sentence that a person can forward.
    pub why: String,
}

#[derive(Debug)]
struct Open {
    id: u64,
    subject: Subject,
    told: Kind,
    severity: Severity,
    began: u64,
    peak: Option<Magnitude>,
    peak_lag: Option<u64>,
    details: Details,
}

/// Counts of what was told, for summaries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Raised, by kind and severity.
    pub raised: BTreeMap<(Kind, Severity), u64>,
    /// Escalated, by the kind they became.
    pub escalated: BTreeMap<Kind, u64>,
    /// Cleared, by reason.
    pub cleared: BTreeMap<String, u64>,
}

/// Names that records need.
pub struct Names<'a> {
    /// Instruments, venues and views.
    pub registry: &'a Registry,
    /// Sources and composites, by number.
    pub sources: &'a [String],
    /// Captures, by number.
    pub captures: &'a [String],
}

/// What is open, and the records of what happened.
#[derive(Debug, Default)]
pub struct AlertBook {
    open: BTreeMap<Handle, Open>,
    next: u64,
    /// Lines not yet taken by the outlet.
    pub lines: Vec<u8>,
    /// What was told so far.
    pub tally: Tally,
}

impl AlertBook {
    /// Tells that something began at `began` and has lasted long enough at `now`.
    pub fn raise(
        &mut self,
        now: u64,
        began: u64,
        severity: Severity,
        subject: Subject,
        details: Details,
        names: &Names<'_>,
    ) -> Handle {
        let handle = Handle(self.next);
        self.next += 1;
        let id = identity(&subject, began, details.sequence, names);
        let open = Open {
            id,
            told: subject.kind,
            severity,
            began,
            peak: details.magnitude,
            peak_lag: details.lag_ns,
            subject,
            details,
        };
        *self.tally.raised.entry((open.told, severity)).or_default() += 1;
        begin(&mut self.lines, now, "raised", &open, names);
        finish(&mut self.lines, &open.details);
        self.open.insert(handle, open);
        handle
    }

    /// The same alert has become `kind`.
    pub fn escalate(
        &mut self,
        now: u64,
        handle: Handle,
        kind: Kind,
        severity: Severity,
        details: Details,
        names: &Names<'_>,
    ) {
        let Some(open) = self.open.get_mut(&handle) else { return };
        open.told = kind;
        open.severity = open.severity.max(severity);
        open.peak = open.peak.max(details.magnitude);
        open.peak_lag = open.peak_lag.max(details.lag_ns);
        open.details = details;
        *self.tally.escalated.entry(kind).or_default() += 1;
        begin(&mut self.lines, now, "escalated", open, names);
        finish(&mut self.lines, &open.details);
    }

    /// Remembers the largest difference and lag.
    pub fn observe(&mut self, handle: Handle, magnitude: Option<Magnitude>, lag_ns: Option<u64>) {
        if let Some(open) = self.open.get_mut(&handle) {
            if magnitude.map(|m| m.price) > open.peak.map(|m| m.price) {
                open.peak = magnitude;
            }
            open.peak_lag = open.peak_lag.max(lag_ns);
        }
    }

    /// Adds to the range of an open alert.
    pub fn extend_sequence(&mut self, handle: Handle, range: SequenceRange) {
        if let Some(sequence) = self.open.get_mut(&handle).and_then(|o| o.details.sequence.as_mut()) {
            sequence.first = sequence.first.min(range.first);
            sequence.last = sequence.last.max(range.last);
            sequence.count += range.count;
        }
    }

    /// It is over since `ended`.
    pub fn clear(&mut self, now: u64, ended: u64, handle: Handle, reason: &str, names: &Names<'_>) {
        let Some(mut open) = self.open.remove(&handle) else { return };
        *self.tally.cleared.entry(reason.to_owned()).or_default() += 1;
        open.details.magnitude = open.peak;
        open.details.lag_ns = open.peak_lag;
        begin(&mut self.lines, now, "cleared", &open, names);
        json::time(&mut self.lines, "ended", ended);
        json::unsigned(&mut self.lines, "duration_ns", ended.saturating_sub(open.began));
        json::text(&mut self.lines, "reason", reason);
        finish(&mut self.lines, &open.details);
    }

    /// Clears whatever is still open, oldest first.
    pub fn clear_all(&mut self, now: u64, reason: &str, names: &Names<'_>) {
        while let Some(handle) = self.open.keys().next().copied() {
            self.clear(now, now, handle, reason, names);
        }
    }

    /// The kind that an open alert is told as.
    pub fn kind(&self, handle: Handle) -> Option<Kind> {
        self.open.get(&handle).map(|o| o.told)
    }

    /// How many are open, by what they are told as.
    pub fn open_by_kind(&self) -> BTreeMap<(Kind, Severity), u64> {
        let mut out = BTreeMap::new();
        for open in self.open.values() {
            *out.entry((open.told, open.severity)).or_default() += 1;
        }
        out
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

/// FNV-1a over what the alert is about and when it began: a second replay gives the same number.
fn identity(subject: &Subject, began: u64, sequence: Option<SequenceRange>, names: &Names<'_>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut eat = |bytes: &[u8]| {
        for byte in bytes.iter().chain(b"|") {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    eat(subject.kind.name().as_bytes());
    eat(subject.instrument.map_or("", |i| &names.registry.get(i).name).as_bytes());
    eat(subject.venue.and_then(|v| names.registry.mic(v)).unwrap_or("").as_bytes());
    eat(subject.side.map_or("", Side::name).as_bytes());
    let mut sources: Vec<&str> =
        subject.sources.iter().map(|s| names.sources[usize::from(*s)].as_str()).collect();
    sources.sort_unstable();
    sources.iter().for_each(|s| eat(s.as_bytes()));
    eat(subject.channel.as_deref().unwrap_or("").as_bytes());
    eat(subject.line.as_deref().unwrap_or("").as_bytes());
    eat(subject.scope.unwrap_or("").as_bytes());
    eat(&began.to_le_bytes());
    // One arrival can show several losses: each is a matter of its own.
    if let Some(SequenceRange { first, last, .. }) = sequence {
        eat(&first.to_le_bytes());
        eat(&last.to_le_bytes());
    }
    hash
}

fn begin(out: &mut Vec<u8>, now: u64, event: &str, open: &Open, names: &Names<'_>) {
    let subject = &open.subject;
    out.push(b'{');
    json::time(out, "ts", now);
    json::text(out, "event", event);
    json::text(out, "id", &format!("{:016x}", open.id));
    json::text(out, "kind", open.told.name());
    json::text(out, "severity", open.severity.name());
    optional(out, "instrument", subject.instrument.map(|i| &*names.registry.get(i).name));
    if let Some(venue) = subject.venue {
        optional(out, "venue", names.registry.mic(venue));
    }
    if let Some(side) = subject.side {
        json::text(out, "side", side.name());
    }
    json::key(out, "sources");
    out.push(b'[');
    for source in &subject.sources {
        json::comma(out);
        json::string(out, names.sources[usize::from(*source)].as_bytes());
    }
    out.push(b']');
    if let Some(channel) = &subject.channel {
        json::text(out, "channel", channel);
    }
    if let Some(line) = &subject.line {
        json::text(out, "line", line);
    }
    if let Some(scope) = subject.scope {
        json::text(out, "scope", scope);
    }
    json::time(out, "began", open.began);
    if let Some(magnitude) = &open.details.magnitude {
        magnitude.write(out);
    }
    if let Some(lag) = open.details.lag_ns {
        json::unsigned(out, "lag_ns", lag);
    }
    write_quotes(out, &subject.views, names);
}

fn optional(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    match value {
        Some(value) => json::text(out, name, value),
        None => {
            json::key(out, name);
            out.extend_from_slice(b"null");
        }
    }
}

fn write_quotes(out: &mut Vec<u8>, views: &[ViewId], names: &Names<'_>) {
    if views.is_empty() {
        return;
    }
    json::key(out, "quotes");
    out.push(b'{');
    let one_source = views
        .windows(2)
        .any(|w| names.registry.views[w[0] as usize].source == names.registry.views[w[1] as usize].source);
    for id in views {
        let view = &names.registry.views[*id as usize];
        let source = &names.sources[usize::from(view.source)];
        match (one_source, names.registry.mic(view.venue)) {
            (true, Some(mic)) => json::key(out, &format!("{source}:{mic}")),
            _ => json::key(out, source),
        }
        let Some(quote) = &view.quote else {
            out.extend_from_slice(b"null");
            continue;
        };
        out.push(b'{');
        quote.write_members(out);
        if quote.round_lot.map(|l| l.map(|l| l.price)) != quote.best.map(|l| l.map(|l| l.price)) {
            quote.write_round_lot(out);
        }
        if view.origin.ts_event_ns != 0 {
            json::time(out, "ts_event", view.origin.ts_event_ns);
        }
        json::time(out, "ts_recv", view.origin.ts_recv_ns);
        json::unsigned(out, "seq", view.origin.sequence);
        json::text(out, "quality", quote.quality.name());
        let capture = names.captures.get(view.origin.capture as usize).filter(|name| !name.is_empty());
        if let Some(capture) = capture {
            json::text(out, "capture", capture);
            json::unsigned(out, "frame", view.origin.frame);
        }
        out.push(b'}');
    }
    out.push(b'}');
}

fn finish(out: &mut Vec<u8>, details: &Details) {
    if let Some(range) = details.sequence {
        json::key(out, "sequence");
        out.push(b'{');
        json::unsigned(out, "first", range.first);
        json::unsigned(out, "last", range.last);
        json::unsigned(out, "count", range.count);
        out.push(b'}');
    }
    if let Some(instruments) = details.instruments {
        json::unsigned(out, "instruments", instruments);
    }
    json::text(out, "cause", details.cause);
    json::text(out, "why", &details.why);
    out.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(n: u128, d: u128, decimals: u32) -> String {
        let mut out = vec![];
        write_ratio(&mut out, n, d, decimals);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ratios_are_rounded_decimals() {
        assert_eq!(ratio(30_000_000, 10_000_000, 3), "3");
        assert_eq!(ratio(5_000_000, 10_000_000, 3), "0.5");
        assert_eq!(ratio(300_000, 189_970, 1), "1.6");
        assert_eq!(ratio(1, 3, 3), "0.333");
    }

    #[test]
    fn one_life_is_three_lines_with_one_id() {
        let mut registry = Registry::new();
        let instrument = registry.instrument("ZVZZT");
        let sources = ["direct".to_owned(), "sip".to_owned()];
        let names = Names { registry: &registry, sources: &sources, captures: &[] };
        let subject = Subject { instrument: Some(instrument), ..Subject::new(Kind::Lagging, &[1, 0]) };
        let details =
            || Details { cause: "source", why: "late".into(), lag_ns: Some(5), ..Details::default() };
        let mut book = AlertBook::default();
        let handle = book.raise(20, 10, Severity::Minor, subject, details(), &names);
        book.escalate(30, handle, Kind::Divergent, Severity::Major, details(), &names);
        book.clear(45, 40, handle, "agreed", &names);
        let text = String::from_utf8(book.lines.clone()).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let field = |i: usize, name: &str| lines[i][name].to_string();
        let events: Vec<_> =
            (0..3).map(|i| (field(i, "event"), field(i, "kind"), field(i, "severity"))).collect();
        let quoted = |a: &str, b: &str, c: &str| (format!("\"{a}\""), format!("\"{b}\""), format!("\"{c}\""));
        assert_eq!(
            events,
            [
                quoted("raised", "lagging", "minor"),
                quoted("escalated", "divergent", "major"),
                quoted("cleared", "divergent", "major")
            ]
        );
        assert!(field(0, "id") == field(1, "id") && field(1, "id") == field(2, "id"));
        assert_eq!((field(2, "duration_ns"), field(2, "reason")), ("30".into(), "\"agreed\"".into()));
        assert_eq!(book.open(), 0);
    }
}
