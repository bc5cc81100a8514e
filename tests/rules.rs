//! Rules of the day, dated instrument maps and spellings, through the real binary: what an old day and a new one make of
//! the same packets.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use feeds::nasdaq_itch50::wire::AddOrderValues;
use parallax::simulate::itch::padded;
use parallax::simulate::packet::{Blocks, Session};
use parallax::source::writer::CaptureWriter;
use serde_json::Value;
use tempfile::TempDir;

const GROUPS: [SocketAddrV4; 3] = [
    SocketAddrV4::new(Ipv4Addr::new(233, 1, 1, 1), 1001),
    SocketAddrV4::new(Ipv4Addr::new(233, 1, 1, 2), 1002),
    SocketAddrV4::new(Ipv4Addr::new(233, 1, 1, 3), 1003),
];
const SENDER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 30_001);

/// An order that a source adds.
struct Add {
    source: usize,
    at: &'static str,
    symbol: &'static str,
    side: u8,
    shares: u32,
    /// Ten-thousandths.
    price: u32,
}

const fn add(
    source: usize,
    at: &'static str,
    symbol: &'static str,
    side: u8,
    shares: u32,
    price: u32,
) -> Add {
    Add { source, at, symbol, side, shares, price }
}

fn ns(text: &str) -> u64 {
    u64::try_from(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap()
}

/// A capture of these orders, a packet each; symbols are numbered by first sight.
fn write(path: &Path, adds: &[Add]) {
    let mut writer = CaptureWriter::pcap(File::create(path).unwrap()).unwrap();
    let mut sessions = [*b"AAAAAAAAAA", *b"BBBBBBBBBB", *b"CCCCCCCCCC"].map(Session::new);
    let mut symbols: Vec<&str> = Vec::new();
    for (n, add) in adds.iter().enumerate() {
        if !symbols.contains(&add.symbol) {
            symbols.push(add.symbol);
        }
        let message = AddOrderValues {
            message_type: b'A',
            stock_locate: 1 + symbols.iter().position(|s| *s == add.symbol).unwrap() as u16,
            tracking_number: 0,
            timestamp: 0,
            order_reference_number: 1 + n as u64,
            buy_sell_indicator: add.side,
            shares: add.shares,
            stock: padded(add.symbol),
            price: add.price,
        };
        let mut blocks = Blocks::default();
        blocks.push(&[&message.encode()]);
        let packet = sessions[add.source].data(&blocks);
        writer.write_udp(ns(add.at), 0, SENDER, GROUPS[add.source], &packet.payload).unwrap();
    }
    writer.finish().unwrap();
}

/// That many ITCH sources at XNAS, with these keys each, and more below.
fn config(keys: &[&str], more: &str) -> String {
    let source = |(n, keys): (usize, &&str)| {
        format!(
            "[[source]]\nname = \"s{n}\"\nfeed = \"nasdaq-itch-5.0\"\n{keys}\n[[source.channel]]\nname = \"c\"\nlines = [{{ name = \"A\", group = \"{}\" }}]\n",
            GROUPS[n]
        )
    };
    let checks = "[[check]]\nkind = \"divergent\"\non_delay = \"1ms\"\n";
    keys.iter().enumerate().map(source).collect::<String>() + more + "\n" + checks
}

fn parallax(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parallax"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Summary, alerts and quotes of a replay with `c.toml`.
struct Told {
    summary: Value,
    alerts: Vec<Value>,
    quotes: Vec<Value>,
}

fn replay(folder: &Path, config: &str, adds: &[Add]) -> Told {
    fs::write(folder.join("c.toml"), config).unwrap();
    write(&folder.join("x.pcap"), adds);
    let arguments =
        ["replay", "--config", "c.toml", "x.pcap", "--alerts", "a", "--quotes", "q", "--summary", "json"];
    let output = parallax(folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    Told { summary: serde_json::from_slice(&output.stdout).unwrap(), alerts: lines("a"), quotes: lines("q") }
}

fn raised(told: &Told) -> Vec<String> {
    let raised = told.alerts.iter().filter(|a| a["event"] == "raised");
    raised
        .map(|a| {
            format!(
                "{} {} {}",
                a["kind"].as_str().unwrap(),
                a["instrument"].as_str().unwrap(),
                a["magnitude"]["ticks"]
            )
        })
        .collect()
}

fn used(told: &Told, day: usize) -> Vec<&str> {
    let rows = told.summary["rules"]["days"][day]["rows"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

/// Two sources that disagree by one sub-penny step, and by five cents.
fn disagreement(day: [&'static str; 2]) -> Vec<Add> {
    vec![
        add(0, day[0], "CHEAP", b'B', 100, 5_000),
        add(1, day[0], "CHEAP", b'B', 100, 4_999),
        add(0, day[0], "CHEAP", b'S', 100, 5_100),
        add(1, day[0], "CHEAP", b'S', 100, 5_100),
        add(0, day[0], "DEAR", b'B', 100, 100_000),
        add(1, day[0], "DEAR", b'B', 100, 100_500),
        add(0, day[0], "DEAR", b'S', 100, 110_000),
        add(1, day[0], "DEAR", b'S', 100, 110_000),
        add(0, day[1], "CHEAP", b'B', 100, 1_000),
        add(1, day[1], "CHEAP", b'B', 100, 1_000),
    ]
}

#[test]
fn ticks_are_those_of_the_day_and_the_price() {
    let folder = TempDir::new().unwrap();
    let old = ["2019-11-26T15:00:00Z", "2019-11-26T15:00:01Z"];
    let told = replay(folder.path(), &config(&["", ""], ""), &disagreement(old));
    assert_eq!(raised(&told), ["divergent CHEAP 1", "divergent DEAR 5"]);
    let rows =
        ["us-612", "us-lots-before-mdi", "xnas-hours", "us-days-2019", "us-tape-no-odd-lots", "us-610d"];
    assert_eq!(used(&told, 0), rows);
    let new = ["2026-11-25T15:00:00Z", "2026-11-25T15:00:01Z"];
    let told = replay(folder.path(), &config(&["", ""], ""), &disagreement(new));
    assert_eq!(raised(&told), ["divergent CHEAP 1", "divergent DEAR 5"]);
    let rows = ["us-612", "us-lots-mdi", "xnas-hours", "us-days-2026", "us-tape-bolo", "us-610e"];
    assert_eq!(used(&told, 0), rows);
    assert_eq!(
        told.summary["rules"]["days"][0]["sessions_ns"],
        serde_json::json!({"regular": 1_000_000_000u64})
    );
    // A book of the user's that takes five cents as the step of that year.
    let mine = r#"
[[tick]]
id = "desk"
market = "XNAS"
valid_from = 2026-01-01
steps = [{ from = "0", tick = "0.05" }]
verified = true
source = { document = "desk memo 7", section = "1", seen = 2026-01-02 }
"#;
    fs::write(folder.path().join("my-rules.toml"), mine).unwrap();
    let with_book = config(&["", ""], "[rules]\nbook = \"my-rules.toml\"");
    let told = replay(folder.path(), &with_book, &disagreement(new));
    assert_eq!(raised(&told), ["divergent CHEAP 0.002", "divergent DEAR 1"]);
    assert_eq!(told.summary["rules"]["book"], "my-rules.toml over shipped");
    let told = replay(folder.path(), &with_book, &disagreement(old));
    assert_eq!(raised(&told), ["divergent CHEAP 1", "divergent DEAR 5"], "2019 is before the desk's row");
}

#[test]
fn lots_by_the_reference_price_of_the_map_and_the_day() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("m.csv"), "instrument,source,symbol,reference_price\nMETA,s0,META,612.77\n")
        .unwrap();
    let mapped = config(&[""], "[instruments]\nmap = \"m.csv\"");
    let lots = |config: &str, at: &'static str| {
        let adds = [add(0, at, "META", b'B', 500, 6_100_000), add(0, at, "META", b'B', 40, 6_110_000)];
        let told = replay(folder.path(), config, &adds);
        let last = told.quotes.last().unwrap();
        let prices = [&last["bid"], &last["round_lot_bid"]].map(|p| p.as_str().unwrap().to_owned());
        (prices, told.summary["rules"]["lots_assumed"].as_u64().unwrap())
    };
    let (odd, even) = (["611.00", "610.00"].map(str::to_owned), ["611.00", "611.00"].map(str::to_owned));
    assert_eq!(lots(&mapped, "2026-03-02T15:00:00Z"), (even, 0), "a round lot is 40 shares");
    assert_eq!(lots(&mapped, "2019-11-26T15:00:00Z"), (odd.clone(), 0), "a round lot was 100 shares");
    let unmapped = config(&[""], "");
    assert_eq!(lots(&unmapped, "2026-03-02T15:00:00Z"), (odd.clone(), 1), "nobody says: 100, and it is said");
    assert_eq!(lots(&unmapped, "2019-11-26T15:00:00Z"), (odd, 0));
}

#[test]
fn outside_of_hours_is_told_and_held_only_when_asked_for() {
    let folder = TempDir::new().unwrap();
    let holiday = ["2026-11-26T15:00:00Z", "2026-11-26T15:00:01Z"];
    let told = replay(folder.path(), &config(&["", ""], ""), &disagreement(holiday));
    assert_eq!(raised(&told), ["divergent CHEAP 1", "divergent DEAR 5"]);
    let spent = &told.summary["rules"]["days"][0]["sessions_ns"];
    assert_eq!(*spent, serde_json::json!({"closed": 1_000_000_000u64}));
    let hold = config(&["", ""], "[rules]\nsessions = \"hold\"");
    let told = replay(folder.path(), &hold, &disagreement(holiday));
    assert_eq!(raised(&told), [] as [&str; 0]);
    assert!(told.quotes.iter().all(|quote| quote["quality"] == "closed"), "{:?}", told.quotes);
    let pair = &told.summary["pairs"][0];
    assert_eq!(pair["comparable_ns"], 0);
    assert_eq!(pair["held_ns"]["closed"], 4_000_000_000u64, "two instruments, two sides, a second: {pair}");
    // An ask that only one of the two shows yet is a difference, too.
    assert_eq!(pair["held_differences"]["closed"], 4);
    // On a day of trading nothing is held.
    let open = ["2026-11-25T15:00:00Z", "2026-11-25T15:00:01Z"];
    assert_eq!(raised(&replay(folder.path(), &hold, &disagreement(open))).len(), 2);
    // On 2026-11-27 the market closes at 13:00 Eastern time, and what follows ends at 17:00.
    let close = ["2026-11-27T21:59:59Z", "2026-11-27T22:00:00Z"];
    let told = replay(folder.path(), &hold, &disagreement(close));
    let qualities: Vec<&str> = told.quotes.iter().map(|q| q["quality"].as_str().unwrap()).collect();
    assert!(qualities[0] == "ok" && *qualities.last().unwrap() == "closed", "{qualities:?}");
}

#[test]
fn one_security_under_three_spellings() {
    let folder = TempDir::new().unwrap();
    let at = ["2026-03-02T15:00:00Z", "2026-03-02T15:00:01Z"];
    let mut adds = Vec::new();
    for (source, class, preferred) in [(0, "BRK.A", "BAC-B"), (1, "BRK/A", "BACpB"), (2, "BRK A", "BAC PRB")]
    {
        let price = 100_000 + 100 * source as u32;
        adds.push(add(source, at[0], class, b'B', 100, price));
        adds.push(add(source, at[0], class, b'S', 100, 200_000));
        adds.push(add(source, at[0], preferred, b'B', 100, 50_000));
        adds.push(add(source, at[0], preferred, b'S', 100, 60_000));
    }
    adds.push(add(0, at[1], "BAC-B", b'B', 100, 1_000));
    let spelled = config(&["", "symbology = \"cqs\"", "symbology = \"cms\""], "");
    let told = replay(folder.path(), &spelled, &adds);
    assert_eq!(raised(&told), ["divergent BRK.A 1", "divergent BRK.A 2", "divergent BRK.A 1"]);
    let instruments = |told: &Told| -> Vec<u64> {
        let pairs = told.summary["pairs"].as_array().unwrap();
        pairs.iter().map(|pair| pair["instruments"].as_u64().unwrap()).collect()
    };
    assert_eq!(instruments(&told), [2, 2, 2]);
    let told =
        replay(folder.path(), &config(&["", "symbology = \"none\"", "symbology = \"none\""], ""), &adds);
    assert!(instruments(&told).iter().all(|n| *n == 0), "as they are they never meet");
}

#[test]
fn a_symbol_that_changes_hands_at_midnight() {
    let folder = TempDir::new().unwrap();
    let map =
        "instrument,source,symbol,valid_from,valid_until\nOLD,s0,XYZ,,2026-03-03\nNEW,s0,XYZ,2026-03-03,\n";
    fs::write(folder.path().join("m.csv"), map).unwrap();
    // Midnight in New York is 05:00 UTC.
    let adds = [
        add(0, "2026-03-03T04:59:59Z", "XYZ", b'B', 100, 100_000),
        add(0, "2026-03-03T05:00:00Z", "XYZ", b'S', 100, 110_000),
    ];
    let told = replay(folder.path(), &config(&[""], "[instruments]\nmap = \"m.csv\""), &adds);
    let told_quotes: Vec<String> = told
        .quotes
        .iter()
        .map(|q| {
            format!(
                "{} {} {} {}",
                q["instrument"].as_str().unwrap(),
                q["bid"],
                q["ask"],
                q["quality"].as_str().unwrap()
            )
        })
        .collect();
    let wanted = ["OLD \"10.00\" null ok", "OLD null null closed", "NEW \"10.00\" \"11.00\" ok"];
    assert_eq!(told_quotes, wanted);
    let days: Vec<&Value> =
        told.summary["rules"]["days"].as_array().unwrap().iter().map(|d| &d["date"]).collect();
    assert_eq!(days, ["2026-03-02", "2026-03-03"]);
}

#[test]
fn mistakes_end_with_one_sentence() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("x.pcap", "");
    write("bad.toml", "[[tick]]\nid = \"a\"\nmarket = \"US\"\nvalid_from = 2026-01-01\nverifed = true\n");
    write("x.json", "{\"tick\": []}\n");
    fs::write(folder.path().join("noise"), [0xff, 0xfe, 0, 1]).unwrap();
    write("bad.csv", "instrument,source,symbol,isin\nA,s0,A,US0378331006\n");
    let rules = config(&[""], "[rules]\nbook = \"bad.toml\"");
    let map = config(&[""], "[instruments]\nmap = \"bad.csv\"");
    let sessions = config(&[""], "[rules]\nsessions = \"ignore\"");
    let spelling = config(&["symbology = \"ric\""], "");
    let absent = config(&[""], "[rules]\nbook = \"none.toml\"");
    for (config, wanted) in [
        (rules, "bad.toml:1: row `a` needs `verified = true` or `false`"),
        (map, "bad.csv, line 2: isin `US0378331006` is no ISIN: its check digit would be 5, not 6"),
        (sessions, "c.toml:9: `sessions = \"ignore\"` is none: write \"report\" or \"hold\""),
        (spelling, "c.toml:4: `symbology = \"ric\"` is none: write nasdaq, cqs, cms, act or none"),
        (absent, "none.toml:1: cannot be read"),
    ] {
        fs::write(folder.path().join("c.toml"), &config).unwrap();
        let output = parallax(folder.path(), &["check-config", "c.toml"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(wanted), "{said}\n  wanted: {wanted}");
        assert_eq!(output.status.code(), Some(1));
        let output = parallax(folder.path(), &["replay", "--config", "c.toml", "x.pcap"]);
        assert_eq!(output.status.code(), Some(2));
    }
    for (arguments, wanted) in [
        (
            vec!["rules", "--kind", "tocks"],
            "--kind tocks is none of tick, round_lot, price_band, hours, calendar, halts, locked_crossed, odd_lots, clock; did you mean `tick`?",
        ),
        (vec!["rules", "--date", "9999999999-01-01"], "is no day; write it as 2026-03-02"),
        (vec!["rules", "--book", "."], "cannot be read"),
        (vec!["rules", "--book", "x.json"], "x.json:1: "),
        (vec!["rules", "--book", "noise"], "noise:1: cannot be read"),
        (vec!["rules", "--date", "tomorrow"], "--date tomorrow is no day; write it as 2026-03-02"),
        (vec!["rules", "--market", "XXXX"], "--market XXXX is not in the book, which has"),
        (vec!["rules", "--book", "bad.toml"], "bad.toml:1: row `a` needs"),
        (
            vec!["symbols", "A", "--convention", "ric"],
            "--convention ric is none: write nasdaq, cqs, cms or act",
        ),
    ] {
        let output = parallax(folder.path(), &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(wanted), "{said}\n  wanted: {wanted}");
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1));
    }
}

#[test]
fn rules_and_symbols_are_printed_with_their_sources() {
    let folder = TempDir::new().unwrap();
    let output = parallax(folder.path(), &["rules", "--format", "json"]);
    let rows: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rows.len() > 70);
    for row in &rows {
        assert!(row["source"]["document"].as_str().is_some_and(|text| !text.is_empty()), "{row}");
        assert_eq!(row["status"] == "proposed", row["valid_from"].is_null(), "{row}");
    }
    let bands = |date: &str| {
        let output =
            parallax(folder.path(), &["rules", "--market", "XNYS", "--kind", "price_band", "--date", date]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(bands("2019-11-26").contains("doubled: the first 15 minutes and the last 25 minutes\n"));
    assert!(bands("2024-06-03").contains("doubled: the last 25 minutes up to a reference price of 3.00\n"));
    let output = parallax(folder.path(), &["symbols", "BRK/A", "--format", "json"]);
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let spelled = serde_json::json!({"nasdaq": "BRK.A", "cqs": "BRK/A", "cms": "BRK A", "act": "BRK.A"});
    assert_eq!(read["readings"][0]["spellings"], spelled);
    let long = "A".repeat(10_000);
    let output = parallax(folder.path(), &["symbols", &long, ""]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.len() < 300 && said.contains("no symbol has 10000 characters"), "{said}");
    let output = parallax(folder.path(), &["symbols", "brk", "US0378331006"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("brk: not a symbol in any convention") && said.contains("check digit would be 5"));
}
