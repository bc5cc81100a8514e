//! The truth of a scenario, held against what can be recomputed from the written bytes alone.

use std::collections::{BTreeMap, BTreeSet};

use feeds::feed::{Feed, PacketKind};
use feeds::nasdaq_itch50::Itch50;
use parallax::simulate::record::{Record, Sequence, time};
use parallax::simulate::{LINES, Scenario, Sent, Simulator};

use crate::reader::{Prices, Reader};

const MS: u64 = 1_000_000;

fn scenario(text: &str) -> Scenario {
    Scenario::parse("test.toml", text).unwrap()
}

fn run(scenario: &Scenario) -> (Vec<Sent>, Vec<Record>) {
    let mut simulator = Simulator::new(scenario);
    let sent: Vec<Sent> = simulator.by_ref().collect();
    (sent, simulator.truth().records())
}

/// A difference of a millisecond or more: instrument, side, from, to, both prices in 4 decimals.
type Stretch = (String, &'static str, u64, u64, i64, i64);

/// Every stretch in which both sources show a price on a side and not the same, from what a reader was shown.
fn stretches(reader: &Reader) -> BTreeSet<Stretch> {
    let mut out = BTreeSet::new();
    for (symbol, direct) in &reader.direct {
        let mut changes: Vec<(u64, usize, Prices)> = direct.iter().map(|s| (s.ts_ns, 0, s.prices)).collect();
        // The messages of a packet take effect together: the last of them is what it shows.
        let sip = reader.sip.get(symbol).map_or(&[][..], Vec::as_slice);
        let last = sip.chunk_by(|a, b| a.packet == b.packet).filter_map(<[_]>::last);
        changes.extend(last.map(|s| (s.ts_ns, 1, s.prices)));
        changes.sort_by_key(|c| c.0);
        for (side, name) in ["bid", "ask"].into_iter().enumerate() {
            let (mut now, mut open) = ([None, None], None::<(u64, i64, i64)>);
            for (ts, source, prices) in &changes {
                now[*source] = prices[side];
                let differ = match now {
                    [Some(a), Some(b)] if a != b => Some((a, b)),
                    _ => None,
                };
                if let Some((from, a, b)) = open
                    && differ != Some((a, b))
                {
                    if ts - from >= MS {
                        out.insert((symbol.clone(), name, from, *ts, a, b));
                    }
                    open = None;
                }
                if open.is_none() {
                    open = differ.map(|(a, b)| (*ts, a, b));
                }
            }
        }
    }
    out
}

fn price(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap();
    whole.parse::<i64>().unwrap() * 10_000 + format!("{part:0<4}").parse::<i64>().unwrap()
}

fn nanos(text: &Option<String>) -> u64 {
    let ts: jiff::Timestamp = text.as_deref().unwrap().parse().unwrap();
    ts.as_nanosecond() as u64
}

fn told(records: &[Record]) -> BTreeSet<Stretch> {
    let shown = records.iter().flat_map(|r| &r.differences);
    shown
        .map(|d| {
            assert_eq!(nanos(&d.to) - nanos(&d.from), d.duration_ns);
            (d.instrument.clone(), d.side, nanos(&d.from), nanos(&d.to), price(&d.direct), price(&d.sip))
        })
        .collect()
}

const QUOTE_FAULTS: &str = r##"
instruments = 8
duration = "5s"
[[fault]]
kind = "wrong_price"
instrument = "#0"
offset_ticks = -6
at = "1s"
for = "900ms"
[[fault]]
kind = "lag"
instruments = ["#1", "#2"]
by = "70ms"
at = "1s"
for = "2s"
[[fault]]
kind = "freeze"
instrument = "#3"
at = "500ms"
for = "4s"
[[fault]]
kind = "crossed_quote"
instrument = "#4"
at = "2s"
for = "300ms"
[[fault]]
kind = "wrong_price"
begins = "at_once"
side = "both"
instrument = "#5"
offset_ticks = 9
at = "3s"
for = "400ms"
"##;

#[test]
fn the_differences_told_are_those_in_the_bytes() {
    for seed in 0..5 {
        let scenario = Scenario { seed, ..scenario(QUOTE_FAULTS) };
        let (_, records) = run(&scenario);
        let reader = Reader::of(&scenario);
        let told = told(&records);
        assert_eq!(told, stretches(&reader), "seed {seed}");
        assert!(told.len() > 5, "seed {seed} shows {}", told.len());
    }
}

#[test]
fn a_late_venue_and_quiet_sources_are_told_as_they_are_in_the_bytes() {
    let text = r#"
instruments = 6
duration = "4s"
[[fault]]
kind = "lag"
source = "direct"
by = "60ms"
at = "500ms"
for = "300ms"
[[fault]]
kind = "heartbeats_only"
source = "sip"
at = "1200ms"
for = "1s"
[[fault]]
kind = "heartbeats_only"
source = "direct"
at = "2600ms"
for = "1s"
"#;
    for seed in 0..5 {
        let scenario = Scenario { seed, ..scenario(text) };
        let (_, records) = run(&scenario);
        let told = told(&records);
        assert_eq!(told, stretches(&Reader::of(&scenario)), "seed {seed}");
        assert!(!records[0].expect.is_empty(), "seed {seed}");
        // A second of heartbeats holds one of them at most: what is over before it may be told and need not.
        assert!(records[1..].iter().all(|r| !r.accept.is_empty() || !r.expect.is_empty()), "seed {seed}");
    }
}

/// Messages of the direct feed that arrived on each line.
fn received(sent: &[Sent]) -> BTreeMap<&'static str, BTreeSet<u64>> {
    let mut out: BTreeMap<&'static str, BTreeSet<u64>> = BTreeMap::new();
    for sent in sent.iter().filter(|s| LINES[s.line].source.name() == "direct") {
        let header = Itch50::header(&sent.payload).unwrap();
        if header.kind == PacketKind::Data {
            let messages = header.sequence..header.sequence + u64::from(header.count);
            out.entry(LINES[sent.line].name).or_default().extend(messages);
        }
    }
    out
}

fn messages(sequences: impl Iterator<Item = Sequence>) -> BTreeSet<u64> {
    sequences.flat_map(|s| s.first..=s.last).collect()
}

#[test]
fn what_is_lost_is_told_message_by_message() {
    let text = r#"
instruments = 6
duration = "3s"
[[fault]]
kind = "loss"
line = "A"
percent = 20
at = "500ms"
for = "1s"
[[fault]]
kind = "loss"
line = "B"
percent = 20
at = "500ms"
for = "1s"
[[fault]]
kind = "silence"
source = "direct"
line = "B"
at = "1800ms"
for = "300ms"
[[fault]]
kind = "loss"
source = "direct"
packets = 3
at = "2500ms"
for = "300ms"
"#;
    for seed in 0..5 {
        let (sent, records) = run(&Scenario { seed, ..scenario(text) });
        let lines = received(&sent);
        let last = lines.values().flatten().max().copied().unwrap();
        let all: BTreeSet<u64> = (1..=last).collect();
        let expected = |kind: &'static str| {
            let alerts = records.iter().flat_map(|r| &r.expect);
            alerts.filter(move |a| a.any_of == [kind])
        };
        let gaps: BTreeSet<u64> = &(&all - &lines["A"]) - &lines["B"];
        assert_eq!(messages(expected("gap").filter_map(|a| a.sequence)), gaps, "seed {seed}");
        assert!(gaps.len() > 10, "seed {seed}: {}", gaps.len());
        for (line, received) in &lines {
            let struck = records.iter().flat_map(|r| &r.struck).filter(|s| s.line == *line);
            assert_eq!(messages(struck.map(|s| s.sequence)), &all - received, "seed {seed}, line {line}");
            let told =
                messages(expected("line").filter(|a| a.line == Some(*line)).filter_map(|a| a.sequence));
            let only_here = &(&all - received) - &gaps;
            assert!(only_here.is_subset(&told), "seed {seed}, line {line}");
        }
    }
}

#[test]
fn what_cannot_be_seen_is_said_not_to_be() {
    let text = r##"
instruments = 2
rate = 200
duration = "2s"
[[fault]]
kind = "freeze"
instrument = "#1"
at = "1s"
for = "1us"
[[fault]]
kind = "clock_error"
by = "100ms"
at = "1s"
for = "500ms"
[[fault]]
kind = "missing"
instrument = "#0"
"##;
    let text = text.replace("for = \"1us\"", "for = \"2us\"");
    let (sent, records) = run(&scenario(&text));
    assert_eq!(records.iter().map(|r| r.observable).collect::<Vec<_>>(), [false; 3]);
    assert!(records.iter().all(|r| r.expect.is_empty() && r.accept.is_empty()));
    assert!(!sent.is_empty());
}

fn all_faults() -> Scenario {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/scenarios/all-faults.toml");
    Scenario::read(std::path::Path::new(path)).unwrap()
}

/// The shipped scenario shows every fault, whatever the seed: kind of fault, and the alerts that it must lead to.
#[test]
fn every_fault_of_the_shipped_scenario_shows() {
    let wanted: [(&str, &[&str]); 28] = [
        ("wrong_price", &["divergent"]),
        ("wrong_price", &["divergent"]),
        ("lag", &["lagging"]),
        ("freeze", &["lagging", "stale"]),
        ("crossed_quote", &["crossed", "divergent"]),
        ("missing", &["missing"]),
        ("halt", &[]),
        ("missed_halt", &["status"]),
        ("loss", &["line"]),
        ("loss", &["line"]),
        ("reorder", &[]),
        ("duplicate", &[]),
        ("lag", &["line"]),
        ("silence", &["line", "silent"]),
        ("corruption", &[]),
        ("corruption", &["line"]),
        ("clock_error", &["clock"]),
        ("clock_error", &["clock"]),
        ("lag", &["lagging"]),
        ("heartbeats_only", &["lagging", "stale"]),
        ("heartbeats_only", &["lagging", "stale"]),
        ("duplicate", &[]),
        ("reorder", &[]),
        ("loss", &["gap"]),
        ("corruption", &["gap"]),
        ("silence", &["gap", "silent"]),
        ("loss", &["gap"]),
        ("silence", &["gap", "silent"]),
    ];
    for seed in [42, 1, 2] {
        let (_, records) = run(&Scenario { seed, ..all_faults() });
        for (record, (kind, alerts)) in records.iter().zip(wanted) {
            assert_eq!(record.kind, kind);
            assert!(record.observable, "seed {seed}: {kind}");
            // Whether other participants are met depends on what they quote.
            let of_venue = record.expect.iter().filter(|a| a.scope != Some("venues"));
            let expected: BTreeSet<&str> = of_venue.map(|a| a.any_of[0]).collect();
            assert_eq!(
                expected.into_iter().collect::<Vec<_>>(),
                alerts,
                "seed {seed}, fault {}",
                record.fault
            );
        }
        assert_eq!(records.len(), wanted.len());
        let errors: Vec<_> = records.iter().filter(|r| r.errors > 0).map(|r| (r.fault, r.errors)).collect();
        assert_eq!(errors, [(14, 1), (15, 1), (24, 1)]);
    }
}

/// What differs after a halt is judged again.
#[test]
fn after_a_halt_prices_are_compared_again() {
    let text = r##"
instruments = 2
duration = "4s"
[[fault]]
kind = "halt"
instrument = "#0"
at = "500ms"
for = "500ms"
[[fault]]
kind = "missed_halt"
instrument = "#1"
at = "500ms"
for = "500ms"
[[fault]]
kind = "freeze"
instruments = ["#0", "#1"]
at = "1500ms"
for = "2s"
"##;
    let scenario = scenario(text);
    let (_, records) = run(&scenario);
    assert_eq!(told(&records), stretches(&Reader::of(&scenario)));
    let instruments: BTreeSet<_> = records[2].expect.iter().filter_map(|a| a.instrument.clone()).collect();
    assert_eq!(instruments.len(), 2);
}

/// A halt is said by both sources and nothing is quoted through it; a missed one is said by one and quoted on.
#[test]
fn halts_are_in_the_bytes() {
    let text = r##"
instruments = 4
duration = "3s"
[[fault]]
kind = "halt"
instrument = "#1"
at = "1s"
for = "9s"
[[fault]]
kind = "missed_halt"
instrument = "#2"
at = "1s"
for = "9s"
"##;
    let scenario = scenario(text);
    let (_, records) = run(&scenario);
    let reader = Reader::of(&scenario);
    let [halted, missed] = [&records[0].instruments[0], &records[1].instruments[0]];
    let halt = |who: &str, symbol: &str| reader.halted.get(&format!("{who} {symbol}")).copied();
    assert_eq!((halt("direct", halted), halt("sip", halted)), (Some(true), Some(true)));
    assert_eq!((halt("direct", missed), halt("sip", missed)), (Some(true), None));
    let since = scenario.start_ns + 1_000 * MS;
    let quotes = |symbol: &str, from: u64| reader.sip[symbol].iter().filter(|s| s.ts_ns > from).count();
    assert_eq!(quotes(halted, since + MS), 0);
    assert!(quotes(missed, since + 300 * MS) > 20);
    assert_eq!(records[1].expect[0].from, time(since));
}
