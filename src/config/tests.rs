use std::path::Path;

use super::*;

const GOOD: &str = r#"
[[source]]
name  = "direct"
feed  = "nasdaq-itch-5.0"
core  = 2
[[source.channel]]
name  = "tv1"
reorder_wait = "2ms"
lines = [
  { name = "A", group = "233.54.12.111:26477", interface = "10.1.0.5" },
  { name = "B", group = "233.49.196.111:26477" },
]
[[source]]
name = "other"
feed = "nasdaq-itch-5.0"
[[source.channel]]
name = "q1"
lines = [{ name = "A", group = "224.0.17.48:55530" }]

[[check]]
kind      = "divergent"
between   = ["direct", "other"]
tolerance = { ticks = 1, bps = 2.5 }
on_delay  = "30ms"
severity  = "critical"
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse("c.toml", text, Path::new(".")).map_err(|e| e.to_string())
}

#[test]
fn the_contract_example_is_read() {
    let config = parse(GOOD).unwrap();
    assert_eq!(config.sources[0].venue.as_deref(), Some("XNAS"));
    assert_eq!(config.sources[0].channels[0].reorder_wait_ns, 2_000_000);
    assert_eq!(config.sources[1].channels[0].reorder_wait_ns, REORDER_WAIT_NS);
    let check = &config.checks[0];
    assert_eq!((config.checks.len(), check.kind, check.severity), (1, Kind::Divergent, Severity::Critical));
    assert_eq!(check.tolerance, Tolerance { ticks: 1, milli_bps: 2_500 });
    assert_eq!((check.on_delay_ns, check.off_delay_ns), (30_000_000, 5_000_000));
    assert_eq!(check.scope, Scope::Between(vec![0, 1]));
}

#[test]
fn without_checks_every_kind_runs() {
    let text = GOOD.split("[[check]]").next().unwrap();
    let kinds: Vec<Kind> = parse(text).unwrap().checks.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, Kind::ALL);
}

/// They become file names, words of a terminal and parts of `source/channel/line`.
#[test]
fn names_are_one_line_and_no_path() {
    for bad in ["", "  ", "../x", "a/b", "a\\nb", "\\u001b[2J", &"n".repeat(65)] {
        for name in ["\"other\"", "\"q1\"", "\"B\""] {
            let said = parse(&GOOD.replacen(name, &format!("\"{bad}\""), 1)).unwrap_err();
            assert!(
                said.contains("`name = \"") && said.ends_with("without `/` and control characters"),
                "{said}"
            );
            assert!(!said.chars().any(char::is_control), "{said:?}");
        }
    }
    assert!(parse(&GOOD.replace("other", &"é".repeat(32))).is_ok());
}

#[test]
fn a_group_in_a_comment_is_not_where_it_is_used_twice() {
    let text = GOOD.replace("224.0.17.48:55530", "233.54.12.111:26477") + "# 233.54.12.111:26477\n";
    assert!(parse(&text).unwrap_err().starts_with("c.toml:18: group 233.54.12.111:26477 is used"));
}

#[test]
fn every_mistake_has_its_line_and_the_right_word() {
    let cases = [
        (
            GOOD.replace("on_delay  =", "on_dealy  ="),
            "c.toml:24: unknown key `on_dealy` in [[check]]; did you mean `on_delay`?",
        ),
        (
            GOOD.replace("\"30ms\"", "\"30\""),
            "c.toml:24: `on_delay = \"30\"` is no duration; write 250us, 25ms or 2s",
        ),
        (
            GOOD.replacen("nasdaq-itch-5.0", "nasdaq-itch-50", 1),
            "c.toml:4: `nasdaq-itch-50` is no feed; did you mean `nasdaq-itch-5.0`? (`parallax feeds` lists them)",
        ),
        (
            GOOD.replace("[\"direct\", \"other\"]", "[\"direct\", \"othr\"]"),
            "c.toml:22: `othr` is no source; did you mean `other`?",
        ),
        (
            GOOD.replace("\"divergent\"", "\"diverging\""),
            "c.toml:21: `diverging` is no kind of check; did you mean `divergent`?",
        ),
        (GOOD.replace("core  = 2", "core  = \"two\""), "c.toml:5: `core` wants a whole number, not string"),
        (
            GOOD.replace("224.0.17.48:55530", "233.54.12.111:26477"),
            "c.toml:18: group 233.54.12.111:26477 is used by `direct` and by `other`; give each line its own group, or tell them apart with `capture = \"file.pcap\"`, or live with `interface`",
        ),
        (GOOD.replace("name = \"other\"", "name = \"direct\""), "c.toml:14: two sources are named `direct`"),
        ("[[source]]\nname = ".to_owned(), "c.toml:2: string values must be quoted, expected literal string"),
        (
            String::new(),
            "c.toml:1: no [[source]]: name at least one, with `name`, `feed` and a [[source.channel]]",
        ),
        (
            GOOD.replacen("name  = \"tv1\"", "nam  = \"tv1\"", 1),
            "c.toml:7: unknown key `nam` in [[source.channel]]; did you mean `name`?",
        ),
        (GOOD.replacen("name  = \"tv1\"\n", "", 1), "c.toml:6: [[source.channel]] needs `name = \"...\"`"),
        (
            GOOD.replace("on_delay  =", "lag_limit ="),
            "c.toml:24: unknown key `lag_limit` in [[check]]; it takes `between`, `kind`, `off_delay`, `on_delay`, `severity`, `tolerance`",
        ),
        (GOOD.replace("core  = 2", "name  = \"again\""), "c.toml:5: duplicate key `name`: write it once"),
        (
            GOOD.replace("reorder_wait = \"2ms\"", "reorder_packets = 65_537"),
            "c.toml:8: `reorder_packets` is 65537; it goes from 0 to 65536",
        ),
        (
            GOOD.replace("reorder_wait = \"2ms\"", "reserve_orders = 50_000_001"),
            "c.toml:8: `reserve_orders` is 50000001; it goes from 0 to 50000000",
        ),
        (
            format!("{GOOD}[[check]]\nkind = \"stale\"\npeer_moves = 0\n"),
            "c.toml:28: `peer_moves` is 0; it goes from 1",
        ),
        (
            format!("{GOOD}[[check]]\nkind = \"lagging\"\nlag_limit = \"10s\"\n"),
            "c.toml:26: `window` (10s) must be longer than `lag_limit` (10s): nothing would ever be lagging",
        ),
        (
            GOOD.replace(
                "[[check]]",
                "[[source.channel]]\nname = \"q1\"\nlines = [{ name = \"A\", group = \"file\" }]\n[[check]]",
            ),
            "c.toml:21: source `other` has two channels named `q1`",
        ),
        (
            GOOD.replace("{ name = \"B\", group = \"233.49.196.111:26477\" }", "\"B\""),
            "c.toml:11: `lines` wants a list of tables, not string",
        ),
        (format!("{GOOD}[instruments]\nmap = \"\"\n"), "c.toml:27: `map` is empty; name a CSV file"),
    ];
    for (text, sentence) in cases {
        assert_eq!(parse(&text).unwrap_err(), sentence);
    }
}
