//! The same captures and configuration give the same alerts and quotes, to the byte: at every speed, whatever reads
//! ahead, in whatever container, in however many files.

use std::path::Path;

use parallax::simulate::{LINES, Scenario, write};
use parallax::source::Compression;
use serde_json::Value;
use tempfile::TempDir;

use crate::kit::*;

/// A session with faults of many kinds in its first seconds.
fn session() -> Vec<Packet> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/scenarios/demo.toml");
    simulated(&Scenario::read(&path).unwrap())
}

fn assert_same(a: &Told, b: &Told, what: &str) {
    assert!(a.alerts == b.alerts, "alerts differ: {what}\n{}\n{}", a.alerts, b.alerts);
    assert!(a.quotes == b.quotes, "quotes differ: {what}");
}

#[test]
fn twice_at_every_speed_and_whatever_reads_ahead() {
    let folder = TempDir::new().unwrap();
    let all = session();
    // A second of it, so that a paced replay takes no time: around the first faults.
    let start = all[0].ts;
    let short: Vec<Packet> = all.into_iter().filter(|p| p.ts < start + 2 * SECOND).collect();
    crate::kit::write(&folder.path().join("x.pcap"), Compression::None, &short);
    let run = |more: &[&str]| replay_files(folder.path(), &write::configuration(), &["x.pcap"], more);
    let first = run(&[]);
    assert!(first.alerts.lines().count() >= 2 && first.quotes.lines().count() > 1_000);
    for more in [
        &[][..],
        &["--speed", "max"],
        &["--no-read-ahead"],
        &["--speed", "50"],
        &["--speed", "50", "--no-read-ahead"],
        &["--speed", "37.5"],
        &["--latency", "x.hlog"],
    ] {
        assert_same(&first, &run(more), &more.join(" "));
    }
}

#[test]
fn in_every_container_and_compression() {
    let all = session();
    let containers = [
        ("x.pcap", Compression::None),
        ("x.pcap", Compression::Gzip),
        ("x.pcap", Compression::Zstd),
        ("x.pcap", Compression::Lz4),
        ("x.pcap", Compression::Xz),
        ("x.pcapng", Compression::None),
        ("x.pcapng", Compression::Zstd),
    ];
    // What tells the compression is the content: every file has the same name, so that the records, which name their
    // capture, are the same to the byte.
    let mut first: Option<Told> = None;
    for (name, compression) in containers {
        let folder = TempDir::new().unwrap();
        crate::kit::write(&folder.path().join(name), compression, &all);
        std::fs::rename(folder.path().join(name), folder.path().join("capture")).unwrap();
        let told = replay_files(folder.path(), &write::configuration(), &["capture"], &[]);
        let first = first
            .get_or_insert_with(|| replay_files(folder.path(), &write::configuration(), &["capture"], &[]));
        assert_same(first, &told, &format!("{name} {compression:?}"));
        let kind = &told.summary["captures"][0];
        assert_eq!(kind["compression"], format!("{compression:?}").to_lowercase());
    }
}

/// Records name the capture and its frame; in several files these are others, and nothing else is.
fn without_places(alerts: &str) -> Vec<Value> {
    let strip = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(quotes) = line["quotes"].as_object_mut() {
            for quote in quotes.values_mut().filter_map(Value::as_object_mut) {
                assert!(quote.remove("capture").is_some() && quote.remove("frame").is_some());
            }
        }
        line
    };
    alerts.lines().map(strip).collect()
}

#[test]
fn in_however_many_files() {
    let all = session();
    let folder = TempDir::new().unwrap();
    let put = |name: &str, packets: &[Packet]| {
        crate::kit::write(&folder.path().join(name), Compression::None, packets)
    };
    put("whole.pcap", &all);
    // In pieces one after the other.
    let pieces: Vec<String> = all
        .chunks(all.len() / 3 + 1)
        .enumerate()
        .map(|(i, piece)| {
            let name = format!("piece{i}.pcap");
            put(&name, piece);
            name
        })
        .collect();
    // By line. Where two lines' packets come at the same moment, the order of the arguments is that of the files.
    let lines: Vec<String> = LINES
        .iter()
        .enumerate()
        .map(|(i, line)| {
            let name = format!("line{i}.pcap");
            put(&name, &all.iter().filter(|p| p.group == line.group).cloned().collect::<Vec<_>>());
            name
        })
        .collect();
    let run = |names: &[&str]| replay_files(folder.path(), &write::configuration(), names, &[]);
    let whole = run(&["whole.pcap"]);
    for names in [&pieces, &lines] {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let told = run(&names);
        assert!(told.quotes == whole.quotes, "quotes differ: {names:?}");
        assert_eq!(without_places(&told.alerts), without_places(&whole.alerts), "{names:?}");
        // Pieces in another order of the arguments are merged by time all the same.
        let backwards: Vec<&str> = names.iter().rev().copied().collect();
        if names[0].starts_with("piece") {
            assert!(run(&backwards).quotes == whole.quotes, "quotes differ: {backwards:?}");
        }
    }
    assert!(whole.alerts.lines().any(|l| l.contains("\"frame\":")));
}
