//! Rules of the day, dated instrument maps and spellings, through the real binary: what an old day and a new one make of
//! the same packets.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use feeds::nasdaq_itch50::wire::AddOrderValues;
use parallax::simulate::itch::padded;
use parallax::simulate::packet::{Blocks, Session};
use parallax::simulate::uqdf::{self, Times};
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

/// A replay of two orders at these times, and the summary's rules of its first day.
fn rules_at(times: [&'static str; 2]) -> (Vec<String>, Value) {
    let folder = TempDir::new().unwrap();
    let adds = [add(0, times[0], "XYZ", b'B', 100, 100_000), add(0, times[1], "XYZ", b'S', 100, 110_000)];
    let told = replay(folder.path(), &config(&[""], ""), &adds);
    let ids = used(&told, 0).into_iter().map(str::to_owned).collect();
    (ids, told.summary["rules"]["days"][0]["sessions_ns"].clone())
}

#[test]
fn the_last_day_of_a_rule_and_the_first_of_the_next() {
    // Friday and Monday, or the day before and the day; noon in New York.
    for (last, first, before, after) in [
        ("2024-12-06T17:00:00Z", "2024-12-09T17:00:00Z", "us-610d", "us-610e"),
        ("2025-10-31T16:00:00Z", "2025-11-03T17:00:00Z", "us-lots-before-mdi", "us-lots-mdi"),
        ("2026-04-24T16:00:00Z", "2026-04-27T16:00:00Z", "us-tape-no-odd-lots", "us-tape-bolo"),
        ("2025-12-31T17:00:00Z", "2026-01-02T17:00:00Z", "us-days-2025", "us-days-2026"),
        ("2026-12-04T17:00:00Z", "2026-12-07T17:00:00Z", "xnas-hours", "xnas-hours-night"),
        ("2013-03-15T16:00:00Z", "2013-03-18T16:00:00Z", "xnas-hours-2013", "xnas-hours-2013-03"),
    ] {
        let [old, new] = [last, first].map(|at| rules_at([at, at]).0);
        let has = |ids: &[String], id: &str| ids.iter().any(|found| found == id);
        assert!(has(&old, before) && !has(&old, after), "{last}: {old:?}");
        assert!(has(&new, after) && !has(&new, before), "{first}: {new:?}");
    }
}

#[test]
fn the_same_hour_of_utc_lies_in_another_session_after_a_change_of_clocks_or_on_a_short_day() {
    for (times, state) in [
        // 13:30 UTC: before the open in winter, the open in summer time, which begins on 2026-03-08 and ends on 2026-11-01.
        (["2026-03-06T13:30:00Z", "2026-03-06T13:30:01Z"], "pre"),
        (["2026-03-09T13:30:00Z", "2026-03-09T13:30:01Z"], "regular"),
        (["2026-10-30T20:00:00Z", "2026-10-30T20:00:01Z"], "post"),
        (["2026-11-02T20:00:00Z", "2026-11-02T20:00:01Z"], "regular"),
        // 18:30 UTC in winter: the afternoon, but for the day after Thanksgiving and for a day of mourning.
        (["2026-11-25T18:30:00Z", "2026-11-25T18:30:01Z"], "regular"),
        (["2026-11-27T18:30:00Z", "2026-11-27T18:30:01Z"], "post"),
        (["2025-01-08T18:30:00Z", "2025-01-08T18:30:01Z"], "regular"),
        (["2025-01-09T18:30:00Z", "2025-01-09T18:30:01Z"], "closed"),
        (["2018-12-05T18:30:00Z", "2018-12-05T18:30:01Z"], "closed"),
        // Monday before sunrise: closed until night sessions are planned, then not known.
        (["2026-11-30T07:00:00Z", "2026-11-30T07:00:01Z"], "closed"),
        (["2026-12-07T07:00:00Z", "2026-12-07T07:00:01Z"], "unknown"),
    ] {
        assert_eq!(rules_at(times).1, serde_json::json!({ state: 1_000_000_000u64 }), "{times:?}");
    }
}

#[test]
fn one_capture_over_the_change_of_round_lots() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("m.csv"), "instrument,source,symbol,reference_price\nMETA,s0,META,612.77\n")
        .unwrap();
    // 40 shares are an odd lot on Friday, and a round one on Monday.
    let adds = [
        add(0, "2025-10-31T18:00:00Z", "META", b'B', 500, 6_100_000),
        add(0, "2025-10-31T18:00:01Z", "META", b'B', 40, 6_110_000),
        add(0, "2025-11-03T18:00:00Z", "META", b'B', 40, 6_120_000),
    ];
    let told = replay(folder.path(), &config(&[""], "[instruments]\nmap = \"m.csv\""), &adds);
    let best = |at: &str| {
        let last = told.quotes.iter().rfind(|q| q["ts"].as_str().unwrap().starts_with(at)).unwrap();
        [&last["bid"], &last["round_lot_bid"]].map(|p| p.as_str().unwrap().to_owned())
    };
    assert_eq!(best("2025-10-31"), ["611.00", "610.00"]);
    assert_eq!(best("2025-11-03"), ["612.00", "612.00"]);
    let days = told.summary["rules"]["days"].as_array().unwrap();
    let lots: Vec<(&str, &str)> = (0..days.len())
        .map(|n| {
            let row = used(&told, n).into_iter().find(|id| id.starts_with("us-lots")).unwrap();
            (days[n]["date"].as_str().unwrap(), row)
        })
        .collect();
    assert_eq!(lots.first(), Some(&("2025-10-31", "us-lots-before-mdi")));
    assert_eq!(lots.last(), Some(&("2025-11-03", "us-lots-mdi")));
}

#[test]
fn a_half_year_s_reference_price_decides_from_its_first_day() {
    let folder = TempDir::new().unwrap();
    // The average close of March went from 240 to 260: assigned from the first business day of May.
    let map = "instrument,source,symbol,valid_from,valid_until,reference_price\n\
               XYZ,s0,XYZ,,2026-05-01,240.00\nXYZ,s0,XYZ,2026-05-01,2026-11-02,260.00\nXYZ,s0,XYZ,2026-11-02,,1100.00\n";
    fs::write(folder.path().join("m.csv"), map).unwrap();
    let mapped = config(&[""], "[instruments]\nmap = \"m.csv\"");
    let round = |at: &'static str, shares| {
        let adds = [add(0, at, "XYZ", b'B', 500, 2_500_000), add(0, at, "XYZ", b'B', shares, 2_510_000)];
        let told = replay(folder.path(), &mapped, &adds);
        assert_eq!(told.summary["rules"]["lots_assumed"], 0);
        told.quotes.last().unwrap()["round_lot_bid"] == "251.00"
    };
    let [april, may, october, november] =
        ["2026-04-30T15:00:00Z", "2026-05-01T15:00:00Z", "2026-10-30T15:00:00Z", "2026-11-02T16:00:00Z"];
    assert_eq!([99, 100].map(|shares| round(april, shares)), [false, true]);
    assert_eq!([39, 40].map(|shares| round(may, shares)), [false, true]);
    assert_eq!([39, 40].map(|shares| round(october, shares)), [false, true]);
    assert_eq!([9, 10].map(|shares| round(november, shares)), [false, true]);
}

#[test]
fn a_half_penny_counts_from_the_day_on_which_the_map_assigns_it() {
    let folder = TempDir::new().unwrap();
    let map = "instrument,source,symbol,valid_from,valid_until,tick\n\
               DEAR,s0,DEAR,,2027-11-01,\nDEAR,s0,DEAR,2027-11-01,,0.005\n\
               DEAR,s1,DEAR,,2027-11-01,\nDEAR,s1,DEAR,2027-11-01,,0.005\n";
    fs::write(folder.path().join("m.csv"), map).unwrap();
    let mapped = config(&["", ""], "[instruments]\nmap = \"m.csv\"");
    let last = ["2027-10-29T15:00:00Z", "2027-10-29T15:00:01Z"];
    let first = ["2027-11-01T15:00:00Z", "2027-11-01T15:00:01Z"];
    let ticks = |config: &str, day| raised(&replay(folder.path(), config, &disagreement(day)));
    assert_eq!(ticks(&mapped, last), ["divergent CHEAP 1", "divergent DEAR 5"]);
    assert_eq!(ticks(&mapped, first), ["divergent CHEAP 1", "divergent DEAR 10"]);
    assert_eq!(
        ticks(&config(&["", ""], ""), first),
        ["divergent CHEAP 1", "divergent DEAR 5"],
        "nobody assigned it"
    );
}

/// Exchanges that began in 2025 and 2026 quote on the tape under letters of their own.
#[test]
fn the_youngest_exchanges_are_told_apart_on_the_tape() {
    let folder = TempDir::new().unwrap();
    let sip = format!(
        "[[source]]\nname = \"sip\"\nfeed = \"utp-uqdf\"\n[[source.channel]]\nname = \"c\"\nlines = [{{ name = \"A\", group = \"{}\" }}]\n",
        GROUPS[0]
    );
    fs::write(folder.path().join("c.toml"), sip).unwrap();
    let mut writer = CaptureWriter::pcap(File::create(folder.path().join("x.pcap")).unwrap()).unwrap();
    let mut session = Session::new(*b"AAAAAAAAAA");
    let at = ns("2026-11-25T15:00:00Z");
    let times = Times { sip_ns: at, participant_ns: at };
    let mut blocks = Blocks::default();
    uqdf::directory("XYZ", times, &mut blocks);
    for (code, price) in [(b'F', 100_000), (b'G', 100_100), (b'U', 100_200)] {
        let quoted = uqdf::Quote { bid: Some((price, 1)), ask: Some((price + 1_000, 1)) };
        uqdf::quote(code, "XYZ", times, quoted, None, &mut blocks);
    }
    writer.write_udp(at, 0, SENDER, GROUPS[0], &session.data(&blocks).payload).unwrap();
    writer.finish().unwrap();
    let output = parallax(folder.path(), &["replay", "--config", "c.toml", "x.pcap", "--quotes", "q"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut bids: Vec<(String, String)> = fs::read_to_string(folder.path().join("q"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|q| [&q["venue"], &q["bid"]].map(|field| field.as_str().unwrap_or_default().to_owned()).into())
        .collect();
    bids.sort();
    let wanted = [("24EQ", "10.01"), ("MEMX", "10.02"), ("TXSE", "10.00")];
    assert_eq!(bids, wanted.map(|(venue, bid)| (venue.to_owned(), bid.to_owned())));
}

/// The page with the output of its commands as it is today.
#[test]
fn the_page_shows_what_the_commands_print() {
    const BLOCK: &str = "```console\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let page = fs::read_to_string(&path).unwrap();
    let folder = TempDir::new().unwrap();
    let (mut today, mut rest, mut blocks) = (String::new(), page.as_str(), 0);
    while let Some((before, after)) = rest.split_once(BLOCK) {
        let (block, after) = after.split_once("```\n").expect("the block ends");
        let line = block.lines().next().unwrap();
        let words: Vec<&str> = line.strip_prefix("$ parallax ").expect("a command").split(' ').collect();
        let output = parallax(folder.path(), &words);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        today.push_str(&format!("{before}{BLOCK}{line}\n{}\n```\n", said.trim_end()));
        (rest, blocks) = (after, blocks + 1);
    }
    today.push_str(rest);
    assert!(blocks >= 3, "{blocks}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &today).unwrap();
        return;
    }
    let line = page.lines().zip(today.lines()).find(|(a, b)| a != b);
    assert!(
        page == today,
        "docs/rules.md: UPDATE_DOCS=1 writes it anew; first difference (page, today): {line:#?}"
    );
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
    write("wild.csv", "instrument,source,symbol,valid_from\nA,s0,A,\"soon\u{1b}[31m\nor later\"\n");
    let rules = config(&[""], "[rules]\nbook = \"bad.toml\"");
    let map = config(&[""], "[instruments]\nmap = \"bad.csv\"");
    let wild = config(&[""], "[instruments]\nmap = \"wild.csv\"");
    let sessions = config(&[""], "[rules]\nsessions = \"ignore\"");
    let spelling = config(&["symbology = \"ric\""], "");
    let absent = config(&[""], "[rules]\nbook = \"none.toml\"");
    for (config, wanted) in [
        (rules, "bad.toml:1: row `a` needs `verified = true` or `false`"),
        (wild, "valid_from `soon\\u{1b}[31m\\nor later` is no day; write it as 2026-03-02"),
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
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.lines().count() == 1 && said.contains(wanted), "{said}");
        assert_eq!(output.status.code(), Some(2));
    }
    for (arguments, wanted) in [
        (
            vec!["rules", "--kind", "tocks"],
            "--kind tocks is none of tick, round_lot, price_band, hours, calendar, halts, locked_crossed, odd_lots, clock; did you mean `tick`?",
        ),
        (vec!["rules", "--at", "2026-03-02T14:30:00Z"], "--at wants a market, such as --market XNAS"),
        (
            vec!["rules", "--market", "XNAS", "--at", "2026-03-02T14:30:00Z", "--date", "2026-03-02"],
            "--at names a moment: leave --date and --kind out",
        ),
        (
            vec!["rules", "--market", "XNAS", "--at", "noon"],
            "--at noon is no time; write it as 2026-03-02T14:30:00Z",
        ),
        (vec!["rules", "--market", "XNAS", "--at", "1969-03-02T14:30:00Z"], "is no time"),
        (vec!["rules", "--market", "XNAS", "--at", "\u{1b}[31m\n"], "--at \\u{1b}[31m\\n is no time"),
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
    let output = parallax(folder.path(), &["symbols", "brk", "US0378331006", "037833101", "\u{1b}[31m\u{7}"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("brk: not a symbol in any convention") && said.contains("check digit would be 5"));
    assert!(said.contains("`037833101` is no CUSIP: its check digit would be 0, not 1"));
    assert!(!said.contains('\u{1b}') && said.contains("\\u{1b}[31m\\u{7}: not a symbol"), "{said}");
    let output = parallax(folder.path(), &["symbols", "US0378331005", "H1467J104", "AAPL  260117C00150000"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("US0378331005: ISIN, its check digit is right; its CUSIP is 037833100"), "{said}");
    assert!(said.contains("H1467J104: CUSIP, its check digit is right"));
    // Right as an ISIN of Barbados by its digits, and wrong as the FIGI that it is meant to be; and one that is right as both.
    let output = parallax(folder.path(), &["symbols", "BBG0YSGXY408", "BBG2G57YVKY9"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("`BBG0YSGXY408` is no FIGI"), "{said}");
    assert!(said.contains("BBG2G57YVKY9: FIGI, its check digit is right"), "{said}");
    let at = ["rules", "--market", "XCME", "--at", "2025-11-27T18:00:00Z", "--format", "json"];
    let output = parallax(folder.path(), &at);
    let states: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["state"].clone())
        .collect();
    assert_eq!(states, ["unknown", "closed"], "the market as a whole, and equity index futures");
}
