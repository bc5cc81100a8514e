//! The simulator, judged from the bytes that it sends: a reader of its own, kept apart from the simulator's
//! and the product's books, rebuilds both views and holds them against each other and against the truth.

#[path = "simulate/reader.rs"]
mod reader;
#[path = "simulate/truth.rs"]
mod truth;

use parallax::simulate::{Scenario, Simulator};
use reader::{Reader, Shown};

const MS: u64 = 1_000_000;

/// FNV-1a over everything that is sent.
fn hash(scenario: &Scenario) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut add =
        |bytes: &[u8]| bytes.iter().for_each(|b| hash = (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    for sent in Simulator::new(scenario) {
        add(&sent.ts_ns.to_le_bytes());
        add(&[sent.line as u8]);
        add(&sent.payload);
    }
    hash
}

fn small(seed: u64) -> Scenario {
    Scenario { seed, instruments: 12, duration_ns: 2_000 * MS, ..Scenario::default() }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(hash(&small(1)), hash(&small(1)));
    assert_ne!(hash(&small(1)), hash(&small(2)));
}

#[test]
fn a_clean_session_reads_without_contradiction_and_is_never_crossed() {
    for seed in 0..6 {
        let reader = Reader::of(&small(seed));
        assert_eq!(reader.errors, Vec::<String>::new(), "seed {seed}");
        assert_eq!(reader.crossed, vec![], "seed {seed}");
        assert_eq!(reader.missed, 0, "seed {seed}");
        assert_eq!(reader.symbols.len(), 12);
        assert_eq!(reader.sip.len(), 12);
        assert!(reader.duplicates * 2 < reader.packets && reader.duplicates * 4 > reader.packets);
    }
}

/// What the SIP says of the venue is what the venue showed one flight before, change by change.
#[test]
fn in_a_clean_session_the_sip_shows_every_best_one_flight_later() {
    for seed in 0..6 {
        let scenario = small(seed);
        let reader = Reader::of(&scenario);
        for (symbol, direct) in &reader.direct {
            let mut sip = reader.sip[symbol].clone();
            sip.dedup_by_key(|s| s.prices);
            let prices = |list: &[Shown]| list.iter().map(|s| s.prices).collect::<Vec<_>>();
            assert_eq!(prices(direct), prices(&sip), "seed {seed}, {symbol}");
            for (d, s) in direct.iter().zip(&sip) {
                let flight = s.ts_ns - d.ts_ns;
                assert!((330_000..600_000).contains(&flight), "seed {seed}, {symbol}: {flight} ns");
            }
        }
    }
}

#[test]
fn a_quote_for_each_order_is_more_than_one_for_each_packet() {
    let quotes = |quote_each_order| {
        let reader = Reader::of(&Scenario { quote_each_order, ..small(1) });
        assert_eq!(reader.errors, Vec::<String>::new());
        reader.sip.values().map(Vec::len).sum::<usize>()
    };
    let (per_packet, per_order) = (quotes(false), quotes(true));
    assert!(per_order > per_packet, "{per_order} {per_packet}");
}

/// The command as the binary has it.
#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    args: parallax::cli::simulate::Args,
}

fn simulate(args: &[&str]) -> Result<parallax::simulate::write::Written, String> {
    let cli = <Cli as clap::Parser>::try_parse_from(std::iter::once(&"simulate").chain(args))
        .map_err(|e| e.to_string())?;
    parallax::cli::simulate::run(&cli.args).map_err(|e| format!("{e:#}"))
}

#[test]
fn the_command_writes_captures_that_the_readers_read_and_a_configuration_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made").display().to_string();
    let args = [
        "--out",
        &out,
        "--duration",
        "300ms",
        "--instruments",
        "3",
        "--format",
        "pcapng",
        "--compress",
        "zst",
    ];
    let written = simulate(&args).unwrap();
    let names: Vec<_> =
        written.captures.iter().map(|(p, _)| p.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["itch_a.pcapng.zst", "itch_b.pcapng.zst", "sip.pcapng.zst"]);
    let config = parallax::config::Config::read(&folder.path().join("made/parallax.toml")).unwrap();
    let lines: Vec<_> = config.sources.iter().flat_map(|s| &s.channels).flat_map(|c| &c.lines).collect();
    assert_eq!(lines.len(), Scenario::default().lines().len());
}

#[test]
fn what_cannot_be_done_is_told_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("s.toml");
    std::fs::write(&scenario, "[[fault]]\nkind = \"freeze\"\ninstrument = \"#7\"\n").unwrap();
    let scenario = scenario.display().to_string();
    let out = folder.path().join("o").display().to_string();
    let error = simulate(&["--out", &out, "--scenario", &scenario, "--instruments", "3"]).unwrap_err();
    assert_eq!(
        error,
        "the scenario's `freeze` is about \"ZQECL\" (\"#7\"), and 3 instruments end at \"#2\": ask for at least 8"
    );
    let error = simulate(&["--out", &out, "--scenario", "nowhere.toml"]).unwrap_err();
    assert!(error.starts_with("nowhere.toml:1: cannot be read:"), "{error}");
}

/// The shipped demo is what its scenario makes: renew it with the command in `captures/SOURCES.md`.
#[test]
fn the_demo_is_what_its_scenario_makes() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let folder = tempfile::tempdir().unwrap();
    let scenario = root.join("scenarios/demo.toml").display().to_string();
    let written =
        simulate(&["--out", &folder.path().display().to_string(), "--scenario", &scenario]).unwrap();
    for (path, _) in &written.captures {
        let name = path.file_name().unwrap().to_str().unwrap();
        let shipped = std::fs::File::open(root.join(format!("demo/{name}.zst"))).unwrap();
        let shipped = zstd::decode_all(shipped).unwrap();
        assert!(shipped == std::fs::read(path).unwrap(), "{name} is not what the scenario makes");
    }
    for path in &written.others {
        let name = path.file_name().unwrap();
        let shipped = std::fs::read_to_string(root.join("demo").join(name)).unwrap();
        assert_eq!(shipped, std::fs::read_to_string(path).unwrap());
    }
    let kinds: Vec<String> = std::fs::read_to_string(root.join("demo/truth.ndjson"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|r| format!("{} {}", r["kind"].as_str().unwrap(), r["observable"]))
        .collect();
    assert_eq!(kinds, ["wrong_price true", "lag true", "loss true", "loss true"]);
}
