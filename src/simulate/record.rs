//! The lines of `truth.ndjson`: one record per fault. Only shapes and words; what is true is decided elsewhere.

use serde::Serialize;

use super::blame::Blame;
use super::faults::{Fault, Kind, SourceId};
use super::lines::LINES;
use super::shown::Difference;

/// A time as alerts write it: RFC 3339 UTC with nanoseconds; `None` beyond what a calendar holds.
pub fn time(ts_ns: u64) -> Option<String> {
    let ts = jiff::Timestamp::from_nanosecond(i128::from(ts_ns)).ok()?;
    (ts_ns < i64::MAX as u64).then(|| format!("{ts:.9}"))
}

/// A price in 4 decimals as alerts write it: exact, without zeros that say nothing beyond cents.
pub fn price(raw: u32) -> String {
    let (whole, part) = (raw / 10_000, raw % 10_000);
    if part % 100 == 0 { format!("{whole}.{:02}", part / 100) } else { format!("{whole}.{part:04}") }
}

/// A range of sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// First message.
    pub first: u64,
    /// Last message.
    pub last: u64,
    /// Messages.
    pub count: u64,
}

impl Sequence {
    /// `count` messages from `first`.
    pub const fn of(first: u64, count: u64) -> Sequence {
        Sequence { first, last: (first + count).saturating_sub(1), count }
    }

    /// The message lies in it.
    pub const fn holds(&self, message: u64) -> bool {
        self.first <= message && message <= self.last
    }
}

/// An alert that must or may be raised. What is `null` is not said: anything fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// Kinds of alert, any of which tells it.
    pub any_of: Vec<&'static str>,
    /// Symbol.
    pub instrument: Option<String>,
    /// MIC.
    pub venue: Option<&'static str>,
    /// `bid` or `ask`.
    pub side: Option<&'static str>,
    /// Sources that the alert names.
    pub sources: Option<Vec<&'static str>>,
    /// Channel.
    pub channel: Option<&'static str>,
    /// Line.
    pub line: Option<&'static str>,
    /// `source`, `sources` or `venues`.
    pub scope: Option<&'static str>,
    /// The first moment of what it is about.
    pub from: Option<String>,
    /// The first moment after; `null` when it does not end.
    pub to: Option<String>,
    /// Messages that it is about: several alerts may tell a range in parts.
    pub sequence: Option<Sequence>,
    /// The longest lag within it, nanoseconds.
    pub lag_ns: Option<u64>,
    /// The source that is late, where it is told as `lagging`: the alert's first.
    pub late: Option<&'static str>,
    /// Kinds that it may be escalated to.
    pub becomes: Vec<&'static str>,
    /// When it must have been raised at the latest; `null`: its time is not said.
    pub by: Option<String>,
    /// Several alerts may tell it, one after the other or side by side.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub many: bool,
}

impl Alert {
    /// An alert about anything in that time.
    pub fn anything(from_ns: u64, to_ns: u64) -> Alert {
        Alert {
            any_of: Vec::new(),
            instrument: None,
            venue: None,
            side: None,
            sources: None,
            channel: None,
            line: None,
            scope: None,
            from: time(from_ns),
            to: time(to_ns),
            sequence: None,
            lag_ns: None,
            late: None,
            becomes: Vec::new(),
            by: None,
            many: false,
        }
    }

    /// An alert about an instrument at the venue.
    pub fn about(symbol: &str, from_ns: u64, to_ns: u64) -> Alert {
        let instrument = Some(symbol.to_owned());
        Alert { instrument, venue: Some("XNAS"), ..Alert::anything(from_ns, to_ns) }
    }

    /// An alert about a source's channel.
    pub fn channel(source: SourceId, from_ns: u64, to_ns: u64) -> Alert {
        let channel = LINES.iter().find(|l| l.source == source).map(|l| l.channel);
        Alert { channel, ..Alert::anything(from_ns, to_ns) }.of(&[source])
    }

    /// The same, told by any number of alerts (one at least, where it must be told).
    pub fn many(mut self) -> Alert {
        self.many = true;
        self
    }

    /// The same, of these kinds.
    pub fn any_of(mut self, kinds: &[&'static str]) -> Alert {
        self.any_of = kinds.to_vec();
        self
    }

    /// The same, naming these sources.
    pub fn of(mut self, sources: &[SourceId]) -> Alert {
        self.sources = Some(sources.iter().map(|s| s.name()).collect());
        self
    }

    /// The same, on a side.
    pub fn side(mut self, side: usize) -> Alert {
        self.side = Some(["bid", "ask"][side.min(1)]);
        self
    }

    /// The same, on a line.
    pub fn line(mut self, line: &'static str) -> Alert {
        self.line = Some(line);
        self
    }

    /// The same, raised by then.
    pub fn by(mut self, by_ns: u64) -> Alert {
        self.by = time(by_ns);
        self
    }

    /// The same, about messages.
    pub fn sequence(mut self, sequence: Sequence) -> Alert {
        self.sequence = Some(sequence);
        self
    }
}

/// A stretch in which the two sources showed different prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Symbol.
    pub instrument: String,
    /// `bid` or `ask`.
    pub side: &'static str,
    /// First moment, capture time.
    pub from: Option<String>,
    /// First moment after.
    pub to: Option<String>,
    /// Its length.
    pub duration_ns: u64,
    /// The direct book's best price of a round lot.
    pub direct: String,
    /// The SIP's price for the venue.
    pub sip: String,
    /// The source that showed what the other had shown within 10 s, if one did.
    pub behind: Option<&'static str>,
    /// How long ago at the end, nanoseconds.
    pub lag_ns: Option<u64>,
}

/// Packets of one line that a fault struck, without a break in their messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Struck {
    /// Line.
    pub line: &'static str,
    /// When the first would have arrived.
    pub from: Option<String>,
    /// When the last would have arrived.
    pub to: Option<String>,
    /// Their messages.
    pub sequence: Sequence,
}

impl Struck {
    /// Packets of one line.
    pub fn new(line: &'static str, from_ns: u64, to_ns: u64, sequence: Sequence) -> Struck {
        Struck { line, from: time(from_ns), to: time(to_ns), sequence }
    }
}

/// One line of the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Position of the fault in the scenario, from 0.
    pub fault: usize,
    /// Kind of fault.
    pub kind: &'static str,
    /// In which source.
    pub source: &'static str,
    /// On which of its lines; empty: what the source itself says.
    pub lines: Vec<&'static str>,
    /// In which instruments; empty: all of them.
    pub instruments: Vec<String>,
    /// When it began.
    pub from: Option<String>,
    /// When it ended.
    pub to: Option<String>,
    /// Its size by kind: ticks, nanoseconds, packets, percent, quotes a second or a price.
    pub size: Option<i64>,
    /// What an explanation of its alerts must come to: whose fault it is.
    pub verdict: &'static str,
    /// Which source's, where it is a source's.
    pub verdict_source: Option<&'static str>,
    /// It can be seen in what was sent; where not, nothing is to be found.
    pub observable: bool,
    /// Alerts that must be raised.
    pub expect: Vec<Alert>,
    /// Alerts that may be raised: near a limit, or another way to tell what is expected.
    pub accept: Vec<Alert>,
    /// Packets that must be counted under a named error.
    pub errors: u64,
    /// Packets that it struck.
    pub struck: Vec<Struck>,
    /// Stretches of different prices of a millisecond or more.
    pub differences: Vec<Shown>,
    /// How many shorter ones there were: the usual flight.
    pub differences_short: u64,
}

impl Record {
    /// The record of a fault of which nothing is known yet.
    pub fn new(n: usize, fault: &Fault, symbols: &[String]) -> Record {
        let of_source = LINES.iter().filter(|l| l.source == fault.source).enumerate();
        let lines = of_source.filter(|(i, _)| fault.is_transport() && fault.on_line(*i));
        let mut lines: Vec<&str> = lines.map(|(_, l)| l.name).collect();
        // The SIP's channels have a line of the same name each.
        lines.dedup();
        let size = match fault.kind {
            Kind::WrongPrice { ticks, .. } | Kind::CrossedQuote { ticks } => Some(ticks),
            Kind::Lag { by_ns } | Kind::Reorder { by_ns, .. } => i64::try_from(by_ns).ok(),
            Kind::ClockError { by_ns } => Some(by_ns),
            Kind::Loss { packets, .. } => packets.and_then(|p| i64::try_from(p).ok()),
            Kind::Duplicate { packets } | Kind::Corruption { packets, .. } => i64::try_from(packets).ok(),
            Kind::OldQuotes { back_ns, .. } => i64::try_from(back_ns).ok(),
            Kind::WrongBands { percent, .. } => i64::try_from(percent).ok(),
            Kind::TestData { price } => Some(i64::from(price)),
            Kind::Saturated { ceiling } => i64::try_from(ceiling).ok(),
            Kind::CrossedLoad { load } => i64::try_from(load).ok(),
            Kind::PreOpen { ticks } => Some(i64::from(ticks)),
            _ => None,
        };
        let blame = Blame::of(fault);
        Record {
            fault: n,
            kind: fault.kind.name(),
            source: fault.source.name(),
            lines,
            instruments: fault.instruments.iter().filter_map(|i| symbols.get(*i).cloned()).collect(),
            from: time(fault.from_ns),
            to: time(fault.to_ns),
            size,
            verdict: blame.verdict(),
            verdict_source: blame.source(),
            observable: false,
            expect: Vec::new(),
            accept: Vec::new(),
            errors: 0,
            struck: Vec::new(),
            differences: Vec::new(),
            differences_short: 0,
        }
    }

    /// Adds stretches of different prices.
    pub fn differences(&mut self, differences: &[Difference], symbols: &[String]) {
        self.differences.extend(differences.iter().map(|d| Shown {
            instrument: symbols[d.instrument].clone(),
            side: ["bid", "ask"][d.side.min(1)],
            from: time(d.from_ns),
            to: time(d.to_ns),
            duration_ns: d.to_ns - d.from_ns,
            direct: price(d.direct),
            sip: price(d.sip),
            behind: d.behind.map(|(source, _)| source.name()),
            lag_ns: d.behind.map(|(_, lag)| lag),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_prices_are_written_as_alerts_write_them() {
        assert_eq!(time(1_772_461_801_025_000_000).as_deref(), Some("2026-03-02T14:30:01.025000000Z"));
        assert_eq!(time(u64::MAX), None);
        assert_eq!([price(1_899_700), price(100), price(10_050)], ["189.97", "0.01", "1.0050"]);
        let range = Sequence::of(7, 3);
        assert_eq!((range.last, range.holds(9), range.holds(10)), (9, true, false));
    }
}
