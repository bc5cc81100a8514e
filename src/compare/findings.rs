//! What the checks told of two sources, gathered by cause from the records of alerts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::EXAMPLES_MAX;

/// The members of an alert record that matter here; all others are passed over.
#[derive(Debug, Deserialize)]
struct Record {
    event: String,
    kind: String,
    instrument: Option<String>,
    venue: Option<String>,
    side: Option<String>,
    channel: Option<String>,
    line: Option<String>,
    sources: Vec<String>,
    began: String,
    duration_ns: Option<u64>,
    sequence: Option<Sequence>,
    quotes: Option<BTreeMap<String, Option<Quote>>>,
    why: String,
}

#[derive(Debug, Deserialize)]
struct Sequence {
    count: u64,
}

#[derive(Debug, Deserialize)]
struct Quote {
    capture: Option<String>,
    frame: Option<u64>,
}

/// One kind of finding.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Finding {
    /// A kind of alert.
    pub kind: String,
    /// How often it was told.
    pub alerts: u64,
    /// How long it lasted in all, nanoseconds.
    pub time_ns: u64,
    /// Messages lost, of gaps.
    pub messages: u64,
    /// Instruments concerned, most often first, with how often; the first few.
    pub instruments: Vec<(String, u64)>,
    /// The first few.
    pub examples: Vec<Example>,
}

/// One case.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// When it began.
    pub began: String,
    /// What it is about.
    pub about: String,
    /// One sentence.
    pub why: String,
    /// Where both sides can be seen: capture and frame.
    pub seen: Vec<String>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Findings {
    kinds: BTreeMap<String, (Finding, BTreeMap<String, u64>)>,
}

impl Findings {
    /// Takes lines of records; only those about `sources` and nobody else count.
    pub fn take(&mut self, lines: &[u8], sources: [&str; 2]) {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let Ok(record) = serde_json::from_slice::<Record>(line) else { continue };
            // One copy lost, late or silent is no difference while another copy is there; lines that are compared have
            // their packets for it.
            let ours = record.sources.iter().all(|source| sources.contains(&source.as_str()));
            if ours && record.line.is_none() {
                self.record(record);
            }
        }
    }

    fn record(&mut self, record: Record) {
        let (finding, instruments) = self.kinds.entry(record.kind.clone()).or_default();
        if record.event == "cleared" {
            finding.time_ns += record.duration_ns.unwrap_or(0);
        }
        if record.event != "raised" {
            return;
        }
        finding.alerts += 1;
        finding.messages += record.sequence.as_ref().map_or(0, |sequence| sequence.count);
        if let Some(instrument) = &record.instrument {
            *instruments.entry(instrument.clone()).or_default() += 1;
        }
        if finding.examples.len() < EXAMPLES_MAX {
            finding.examples.push(example(&record));
        }
    }

    /// By kind, in the order of their names.
    pub fn finish(self) -> Vec<Finding> {
        let gathered = self.kinds.into_iter().map(|(kind, (finding, instruments))| {
            let mut instruments: Vec<(String, u64)> = instruments.into_iter().collect();
            instruments.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            instruments.truncate(super::NAMED_MAX);
            Finding { kind, instruments, ..finding }
        });
        gathered.filter(|finding| finding.alerts > 0).collect()
    }
}

fn example(record: &Record) -> Example {
    let about = match (&record.instrument, &record.channel) {
        (Some(instrument), _) => {
            let parts = [Some(instrument), record.side.as_ref(), record.venue.as_ref()];
            parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
        }
        (None, Some(channel)) => format!("channel {channel}"),
        (None, None) => record.sources.join(", "),
    };
    let quotes = record.quotes.iter().flatten();
    let seen = quotes.filter_map(|(source, quote)| {
        let Quote { capture, frame } = quote.as_ref()?;
        let (capture, frame) = (capture.as_ref()?, frame.as_ref()?);
        // A side that was not named bears its capture's name.
        let who = if source == capture { String::new() } else { format!("{source}: ") };
        Some(format!("{who}{capture} frame {frame}"))
    });
    Example { began: record.began.clone(), about, why: record.why.clone(), seen: seen.collect() }
}

impl Example {
    /// What it is about and why, in one sentence; nothing that the reason names already is said before it.
    pub fn sentence(&self) -> String {
        let place = self.about.split(' ').next().unwrap_or_default();
        let named = |place: &str| self.why.split([' ', ':', ',', ';']).any(|word| word == place);
        if named(place) { self.why.clone() } else { format!("{}: {}", self.about, self.why) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_findings_and_those_of_others_do_not() {
        let line = |event: &str, sources: &str, more: &str| {
            format!(
                "{{\"event\":\"{event}\",\"kind\":\"lagging\",\"instrument\":\"AAA\",\"venue\":\"XNAS\",\"side\":\"bid\",\"sources\":{sources},\"began\":\"t\",\"why\":\"w\"{more}}}\n"
            )
        };
        let quotes = ",\"quotes\":{\"a\":{\"capture\":\"x.pcap\",\"frame\":7},\"b\":null}";
        let text = line("raised", "[\"a\",\"b\"]", quotes)
            + &line("cleared", "[\"a\",\"b\"]", ",\"duration_ns\":5")
            + &line("raised", "[\"a\",\"c\"]", "")
            + "no record\n";
        let mut findings = Findings::default();
        findings.take(text.as_bytes(), ["a", "b"]);
        let found = findings.finish();
        assert_eq!((found.len(), found[0].alerts, found[0].time_ns), (1, 1, 5));
        assert_eq!(found[0].instruments, [("AAA".to_owned(), 1)]);
        assert_eq!(found[0].examples[0].about, "AAA bid XNAS");
        assert_eq!(found[0].examples[0].seen, ["a: x.pcap frame 7"]);
        assert_eq!(found[0].examples[0].sentence(), "AAA bid XNAS: w");
    }

    #[test]
    fn nothing_is_said_twice_of_an_example() {
        let example = |about: &str, why: &str| Example {
            began: String::new(),
            about: about.to_owned(),
            why: why.to_owned(),
            seen: Vec::new(),
        };
        let crossed = example("AAA", "sip AAA: bid 2 is above ask 1");
        assert_eq!(crossed.sentence(), "sip AAA: bid 2 is above ask 1");
        let gap = example("channel c1", "x.pcap channel c1 lost 2 messages");
        assert_eq!(gap.sentence(), "x.pcap channel c1 lost 2 messages");
        let late = example("A ask XNAS", "AAA still shows ask 2");
        assert_eq!(late.sentence(), "A ask XNAS: AAA still shows ask 2");
    }
}
