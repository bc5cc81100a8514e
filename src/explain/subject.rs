//! The alert that is explained, gathered from its lines.

use serde::Deserialize;
use serde_json::Value;

use crate::alert::console::line::{AlertLine, Event, Time};
use crate::config::Kind;
use feeds::event::Side;

/// An alert with all that its lines say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// What it was raised as.
    pub kind: Kind,
    /// What it is told as by its last line.
    pub told: Kind,
    /// How bad, by name.
    pub severity: String,
    /// Instrument, where it is about one.
    pub instrument: Option<String>,
    /// Venue by MIC, where it is about one.
    pub venue: Option<String>,
    /// Side, where it is about one.
    pub side: Option<Side>,
    /// The sources, the one at fault (as far as the check knew) first.
    pub sources: Vec<String>,
    /// Channel by name.
    pub channel: Option<String>,
    /// Line by name.
    pub line: Option<String>,
    /// `source`, `sources` or `venues`.
    pub scope: Option<String>,
    /// When it began, nanoseconds since 1970 UTC.
    pub began_ns: u64,
    /// When it was raised.
    pub raised_ns: u64,
    /// When it was over; nothing while no line says so, or where only the data ended.
    pub ended_ns: Option<u64>,
    /// Why it was cleared.
    pub reason: Option<String>,
    /// The greatest lag it told, nanoseconds.
    pub lag_ns: Option<u64>,
    /// First and last sequence number, and how many are meant.
    pub sequence: Option<[u64; 3]>,
    /// The cause that the check gave by rule, before anything was looked into.
    pub cause: String,
    /// The check's sentence.
    pub why: String,
    /// Its lines as they were told.
    pub lines: Vec<String>,
}

impl Default for Alert {
    fn default() -> Self {
        Alert {
            id: String::new(),
            kind: Kind::Divergent,
            told: Kind::Divergent,
            severity: "major".to_owned(),
            instrument: None,
            venue: None,
            side: None,
            sources: Vec::new(),
            channel: None,
            line: None,
            scope: None,
            began_ns: 0,
            raised_ns: 0,
            ended_ns: None,
            reason: None,
            lag_ns: None,
            sequence: None,
            cause: String::new(),
            why: String::new(),
            lines: Vec::new(),
        }
    }
}

impl Alert {
    /// When what it is about was over, as far as the data go.
    pub fn until_ns(&self, data_until_ns: u64) -> u64 {
        self.ended_ns.unwrap_or(data_until_ns).max(self.began_ns)
    }

    /// About prices of one instrument.
    pub fn is_about_prices(&self) -> bool {
        matches!(self.kind, Kind::Divergent | Kind::Lagging | Kind::Stale | Kind::Crossed | Kind::Locked)
    }

    /// About a channel or a line, not about an instrument.
    pub fn is_about_lines(&self) -> bool {
        matches!(self.kind, Kind::Gap | Kind::Line | Kind::Silent)
    }
}

#[derive(Deserialize)]
struct Extras {
    #[serde(default)]
    lag_ns: Option<u64>,
    #[serde(default)]
    sequence: Option<Range>,
    #[serde(default)]
    ended: Option<Time>,
    #[serde(default)]
    cause: String,
}

#[derive(Deserialize)]
struct Range {
    first: u64,
    last: u64,
    count: u64,
}

/// Alerts gathered from lines, in the order in which they were raised.
#[derive(Debug, Default)]
pub struct Gathered {
    alerts: Vec<Alert>,
    by_id: hashbrown::HashMap<String, usize>,
}

impl Gathered {
    /// Takes lines of alert records, each with its end of line.
    pub fn take(&mut self, lines: &[u8]) {
        for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            if let Ok(line) = AlertLine::parse(line) {
                self.add(&line, usize::MAX);
            }
        }
    }

    /// Adds to the line's alert, unless it would be one more than `most`.
    fn add(&mut self, line: &AlertLine, most: usize) {
        let index = match self.by_id.get(&line.id) {
            Some(index) => *index,
            None if self.alerts.len() < most => {
                self.alerts.push(Alert { kind: kind(&line.kind), ..Alert::default() });
                self.by_id.insert(line.id.clone(), self.alerts.len() - 1);
                self.alerts.len() - 1
            }
            None => return,
        };
        take_line(&mut self.alerts[index], line);
    }

    /// All of them.
    pub fn finish(self) -> Vec<Alert> {
        self.alerts
    }
}

/// Gathers the lines of the alert whose id begins with a text.
#[derive(Debug, Default)]
pub struct Search {
    prefix: String,
    found: Gathered,
    told: u64,
}

/// Why a search found no alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// None of that id.
    #[error("no alert's id begins with {prefix}: {told} alerts were raised; {hint}")]
    None {
        /// What was looked for.
        prefix: String,
        /// How many alerts there were.
        told: u64,
        /// What may help.
        hint: &'static str,
    },
    /// More than one.
    #[error("{prefix} is the beginning of several alerts' ids ({ids}): write one of them whole")]
    Several {
        /// What was looked for.
        prefix: String,
        /// Some of them.
        ids: String,
    },
}

/// Alerts that are kept while it is not known that the text names several.
const FOUND_MAX: usize = 4;

impl Search {
    /// For an id, or its beginning.
    pub fn new(prefix: &str) -> Search {
        Search { prefix: prefix.to_ascii_lowercase(), ..Search::default() }
    }

    /// Takes lines of alert records, each with its end of line.
    pub fn take(&mut self, lines: &[u8]) {
        for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let Ok(line) = AlertLine::parse(line) else { continue };
            self.told += u64::from(line.event == Event::Raised);
            if line.id.starts_with(&self.prefix) {
                self.found.add(&line, FOUND_MAX);
            }
        }
    }

    /// The one alert that was found.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn finish(self) -> Result<Alert, NotFound> {
        let mut found = self.found.finish();
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(NotFound::None {
                prefix: self.prefix,
                told: self.told,
                hint: "ids are those of `parallax replay --alerts` with the same captures, window and configuration",
            }),
            _ => {
                let ids: Vec<String> = found.into_iter().map(|a| a.id).collect();
                Err(NotFound::Several { prefix: self.prefix, ids: ids.join(", ") })
            }
        }
    }
}

fn kind(name: &str) -> Kind {
    Kind::ALL.into_iter().find(|k| k.name() == name).unwrap_or(Kind::Divergent)
}

fn take_line(alert: &mut Alert, line: &AlertLine) {
    let raw = line.raw.get();
    let extras: Option<Extras> = serde_json::from_str(raw).ok();
    if line.event == Event::Raised {
        alert.raised_ns = line.ts.0;
    }
    alert.id.clone_from(&line.id);
    alert.told = kind(&line.kind);
    line.severity.name().clone_into(&mut alert.severity);
    alert.instrument.clone_from(&line.instrument);
    alert.venue.clone_from(&line.venue);
    alert.side = match line.side.as_deref() {
        Some("bid") => Some(Side::Bid),
        Some("ask") => Some(Side::Ask),
        _ => None,
    };
    alert.sources.clone_from(&line.sources);
    alert.channel.clone_from(&line.channel);
    alert.line.clone_from(&line.line);
    alert.scope.clone_from(&line.scope);
    alert.began_ns = line.began.0;
    alert.why.clone_from(&line.why);
    alert.reason.clone_from(&line.reason);
    if let Some(extras) = extras {
        alert.lag_ns = alert.lag_ns.max(extras.lag_ns);
        alert.sequence = extras.sequence.map(|r| [r.first, r.last, r.count]).or(alert.sequence);
        let over = line.reason.as_deref() != Some("end_of_data");
        alert.ended_ns = extras.ended.filter(|_| over).map(|t| t.0);
        alert.cause = extras.cause;
    }
    alert.lines.push(raw.to_owned());
}

/// What an alert says that a second replay must say again: everything but where its packets lie.
pub fn core_of(line: &str) -> Value {
    let mut value: Value = serde_json::from_str(line).unwrap_or(Value::Null);
    if let Some(quotes) = value.get_mut("quotes").and_then(Value::as_object_mut) {
        for quote in quotes.values_mut().filter_map(Value::as_object_mut) {
            quote.remove("capture");
            quote.remove("frame");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"ts":"1970-01-01T00:00:02.000000000Z","event":"raised","id":"aa11","kind":"lagging","severity":"minor","instrument":"X","venue":"XNAS","side":"bid","sources":["sip","direct"],"began":"1970-01-01T00:00:01.000000000Z","lag_ns":20,"cause":"source","why":"w"}
{"ts":"1970-01-01T00:00:03.000000000Z","event":"raised","id":"aa22","kind":"gap","severity":"major","instrument":null,"sources":["sip"],"channel":"q1","began":"1970-01-01T00:00:03.000000000Z","sequence":{"first":5,"last":6,"count":2},"cause":"network","why":"g"}
{"ts":"1970-01-01T00:00:04.000000000Z","event":"cleared","id":"aa11","kind":"divergent","severity":"major","instrument":"X","venue":"XNAS","side":"bid","sources":["sip","direct"],"began":"1970-01-01T00:00:01.000000000Z","lag_ns":80,"ended":"1970-01-01T00:00:03.500000000Z","duration_ns":1,"reason":"agreed","cause":"source","why":"v"}
{"ts":"1970-01-01T00:00:05.000000000Z","event":"cleared","id":"aa22","kind":"gap","severity":"major","instrument":null,"sources":["sip"],"channel":"q1","began":"1970-01-01T00:00:03.000000000Z","ended":"1970-01-01T00:00:05.000000000Z","duration_ns":1,"reason":"end_of_data","sequence":{"first":5,"last":9,"count":5},"cause":"network","why":"g"}
"#;

    fn search(prefix: &str) -> Result<Alert, NotFound> {
        let mut search = Search::new(prefix);
        search.take(LINES.as_bytes());
        search.finish()
    }

    #[test]
    fn an_alert_is_gathered_from_its_lines() {
        let alert = search("AA1").unwrap();
        assert_eq!((alert.kind, alert.told), (Kind::Lagging, Kind::Divergent));
        assert_eq!((alert.began_ns, alert.raised_ns), (1_000_000_000, 2_000_000_000));
        assert_eq!((alert.ended_ns, alert.lag_ns), (Some(3_500_000_000), Some(80)));
        assert_eq!((alert.side, alert.lines.len()), (Some(Side::Bid), 2));
    }

    #[test]
    fn the_end_of_the_data_ends_no_alert() {
        let alert = search("aa22").unwrap();
        assert_eq!((alert.ended_ns, alert.sequence), (None, Some([5, 9, 5])));
        assert_eq!(alert.until_ns(7_000_000_000), 7_000_000_000);
    }

    #[test]
    fn what_is_not_there_or_not_one_is_told() {
        let none = search("bb").unwrap_err().to_string();
        assert!(none.starts_with("no alert's id begins with bb: 2 alerts were raised"), "{none}");
        let several = search("aa").unwrap_err().to_string();
        assert!(several.contains("(aa11, aa22)"), "{several}");
    }

    #[test]
    fn where_packets_lie_is_no_part_of_what_is_told() {
        let a = r#"{"id":"x","quotes":{"a":{"bid":"1","capture":"a.pcap","frame":7}}}"#;
        let b = r#"{"id":"x","quotes":{"a":{"bid":"1","capture":"b.pcap","frame":9}}}"#;
        assert_eq!(core_of(a), core_of(b));
        assert_ne!(core_of(a), core_of(&b.replace("\"1\"", "\"2\"")));
    }
}
