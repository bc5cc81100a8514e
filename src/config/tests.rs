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
    ];
    for (text, sentence) in cases {
        assert_eq!(parse(&text).unwrap_err(), sentence);
    }
}
