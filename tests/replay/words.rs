//! `parallax check-config`: a configuration in words, or what is wrong in it.

use parallax::config::Kind;
use parallax::simulate::write;
use tempfile::TempDir;

use crate::kit::*;

const FULL: &str = r#"
[[source]]
name  = "direct"
feed  = "nasdaq-itch-5.0"
venue = "XNAS"
core  = 2
[[source.channel]]
name  = "tv1"
reorder_wait = "2ms"
reorder_packets = 64
reserve_orders = 1000
lines = [
  { name = "A", group = "233.54.12.111:26477", interface = "10.1.0.5" },
  { name = "B", group = "233.49.196.111:26477", capture = "b.pcap" },
]

[[source]]
name = "sip"
feed = "utp-uqdf"
[[source.channel]]
name = "q1"
lines = [{ name = "A", group = "224.0.17.48:55530" }]

[[composite]]
name = "best"
of = ["direct"]

[instruments]
map = "symbols.csv"

[[check]]
kind = "divergent"
between = ["direct", "sip"]
tolerance = { ticks = 1, bps = 2.5 }
on_delay = "30ms"

[[check]]
kind = "stale"
after = "1500ms"
severity = "critical"

[[check]]
kind = "gap"
sources = ["direct"]
"#;

fn check(config: &str) -> (Option<i32>, String, String) {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("c.toml"), config).unwrap();
    let map =
        "instrument,source,symbol,tick,round_lot,note\nAAPL,direct,AAPL,0.01,100,x\nAAPL,sip,AAPL.Q,,,\n";
    std::fs::write(folder.path().join("symbols.csv"), map).unwrap();
    let output = parallax(folder.path(), &["check-config", "c.toml"]);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_configuration_in_words() {
    let (code, stdout, stderr) = check(FULL);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let expected = "\
c.toml is valid

source direct: nasdaq-itch-5.0 (Nasdaq TotalView-ITCH 5.0)
  venue XNAS, order by order
  symbols are spelled as nasdaq does
  quotes count round lots and odd lots; a heartbeat is due every 1s; live, its receiver is pinned to core 2
  channel tv1: 2 lines, the first copy wins; a hole waits 2ms or 64 packets
    memory for 1000 live orders is taken at the start
    line A: 233.54.12.111:26477, live on interface 10.1.0.5
    line B: 233.49.196.111:26477, only from capture b.pcap

source sip: utp-uqdf (UTP Data Feed Services (UQDF) binary 1.5)
  consolidated: a view per participant, and the national best
  quotes count round lots only; a heartbeat is due every 1s
  channel q1: one line; a hole waits 5ms or 256 packets
    line A: 224.0.17.48:55530

composite best: the best over direct

instruments: 2 rows in the map
  AAPL is AAPL in direct, tick 0.01, round lot 100
  AAPL is AAPL.Q in sip

rules of the data's own day, shipped book; outside of a market's hours quotes are judged all the same; the summary says for how long
  US-SIP tick: us-612 from 2006-01-31
  US-SIP round lot: us-lots-before-mdi from 2006-01-31 until 2025-11-03; us-lots-mdi from 2025-11-03
  US-SIP hours: us-sip-hours-before-2013 from 2007-01-01 until 2013-01-01; us-sip-hours from 2013-01-01 until 2026-12-06; us-sip-hours-night from 2026-12-06, not verified
  XNAS tick: us-612 from 2006-01-31
  XNAS round lot: us-lots-before-mdi from 2006-01-31 until 2025-11-03; us-lots-mdi from 2025-11-03
  XNAS hours: xnas-hours-before-2013 from 2007-01-01 until 2013-01-01; xnas-hours-2013 from 2013-01-01 until 2013-03-18; xnas-hours-2013-03 from 2013-03-18 until 2013-04-01, not verified; xnas-hours from 2013-04-01 until 2026-12-06; xnas-hours-night from 2026-12-06, not verified
  `parallax rules --market M --date D` prints what holds on a day, with its sources

checks
  divergent (major): every pair among direct, sip; tolerance 1 ticks or 2.5 bps; on_delay 30ms; off_delay 5ms
  stale (critical): every source; after 1500ms; peer_moves 5
  gap (major): sources direct
not checked: lagging, silent, crossed, locked, line, status, missing, clock
";
    let (replayed, live) = stdout.split_once("\nlive\n").expect("what it means for a daemon");
    assert_eq!(replayed, expected);
    let threads = "  receiver 0 on core 2: direct\n    joins 233.54.12.111:26477 for direct/tv1/A, interface 10.1.0.5, any sender\n";
    assert!(live.starts_with(threads), "{live}");
}

/// Every check runs with its documented defaults when none is named; they are those of the contract.
#[test]
fn defaults_in_words() {
    let (code, stdout, _) = check(&write::configuration());
    assert_eq!(code, Some(0));
    let checks = stdout.split("\nchecks\n").nth(1).unwrap();
    let pairs = "every pair of sources that shares instruments";
    let expected = format!(
        "  divergent (major): {pairs}; tolerance 0 ticks; on_delay 25ms; off_delay 5ms
  lagging (minor): {pairs}; lag_limit 20ms; window 10s; off_delay 5ms
  stale (major): every source; after 3s; peer_moves 5
  silent (critical): every source; after 2s
  crossed (major): every source, and every pair that shares instruments; on_delay 25ms; off_delay 5ms
  locked (info): every source, and every pair that shares instruments; on_delay 25ms; off_delay 5ms
  gap (major): every source
  line (minor): every source; lag_limit 50ms; clear_after 1s
  status (major): {pairs}; on_delay 250ms
  missing (minor): every source; after 5s
  clock (minor): every source; limit 250ms
"
    );
    let checks = checks.split("\nlive\n").next().unwrap();
    assert_eq!(checks, expected);
    let (_, one, _) = check(&cme_lines());
    assert!(one.contains("divergent (major): nothing, for it needs two sources; tolerance"), "{one}");
}

#[test]
fn what_is_wrong_is_one_sentence_and_code_one() {
    let wrong = |from: &str, to: &str| {
        assert!(FULL.contains(from));
        let (code, stdout, stderr) = check(&FULL.replace(from, to));
        assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(1), "", 1), "{stderr}");
        stderr
    };
    let cases = [
        (
            "reorder_wait =",
            "reorder_wiat =",
            "parallax: c.toml:9: unknown key `reorder_wiat`",
            "`reorder_wait`?",
        ),
        ("\"utp-uqdf\"", "\"utp-uqfd\"", "parallax: c.toml:19: `utp-uqfd` is no feed", "`utp-uqdf`?"),
        ("\"30ms\"", "\"30 parsecs\"", "parallax: c.toml:35: `on_delay", "write 250us, 25ms or 2s"),
        ("\"stale\"", "\"stael\"", "parallax: c.toml:38: `stael` is no kind of check", "`stale`?"),
        ("symbols.csv", "none.csv", "parallax: c.toml:29: instrument map none.csv cannot be read", ""),
        (
            "sources = [\"direct\"]",
            "sources = [\"dirct\"]",
            "parallax: c.toml:44: `dirct` is no source",
            "`direct`?",
        ),
        (
            "[\"direct\", \"sip\"]",
            "[\"sip\", \"sip\"]",
            "parallax: c.toml:33: `sip` is named twice",
            "between",
        ),
        ("sources = [\"direct\"]", "sources = []", "parallax: c.toml:42: `sources` names no source", ""),
        ("[[composite]]", "[composite", "parallax: c.toml:24: ", ""),
    ];
    for (from, to, begins, holds) in cases {
        let stderr = wrong(from, to);
        assert!(stderr.starts_with(begins) && stderr.contains(holds), "{stderr}");
    }
}

#[test]
fn what_cannot_be_read_is_two() {
    let folder = TempDir::new().unwrap();
    let output = parallax(folder.path(), &["check-config", "none.toml"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stderr.contains("none.toml cannot be read"));
    assert_eq!(parallax(folder.path(), &["check-config"]).status.code(), Some(2));
}

#[test]
fn every_check_has_its_document() {
    let folder = TempDir::new().unwrap();
    let output = parallax(folder.path(), &["check-config", "--checks"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let opening = |kind: &Kind| format!("\n{}: ", kind.name());
    let places: Vec<usize> = Kind::ALL.iter().map(|kind| text.find(&opening(kind)).unwrap()).collect();
    assert!(places.is_sorted(), "in the order of the contract");
}
