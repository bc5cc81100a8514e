//! Real sessions replayed whole: no error, nothing contradicted that a start in mid-stream does not explain, and as
//! many messages of each type as an independent decoder found.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value, json};

use crate::kit::*;

/// Replays a session as the binary finds it.
fn replayed(name: &str, more: &[&str]) -> Option<Told> {
    let path = session(name)?;
    let folder = tempfile::TempDir::new().unwrap();
    Some(replay_files(folder.path(), "", &[path.to_str().unwrap()], more))
}

/// Messages by type as the golden has them, under the names of the specification that we use: `XyzMessage` is `xyz`.
fn golden(name: &str) -> Option<BTreeMap<String, u64>> {
    let path = shared(&format!("golden/sessions/{name}.ndjson.gz"))?;
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        *counts.entry(snake(line["type"].as_str().unwrap())).or_default() += 1;
    }
    Some(counts)
}

fn snake(name: &str) -> String {
    let name = name.strip_suffix("Message").unwrap_or(name);
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn by_type(source: &Value) -> BTreeMap<String, u64> {
    let counts = source["messages_by_type"].as_object().unwrap();
    counts.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect()
}

/// CME's names as we have them: with the number of their template.
fn without_template(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_')
}

/// One source, whole, without error, gap or alert; `contradictions` are all there are.
fn assert_sound(told: &Told, feed: &str, contradictions: &[(&str, u64)]) {
    let sources = told.summary["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 1);
    let source = &sources[0];
    assert_eq!(source["feed"], feed);
    assert_eq!((&source["errors"], &source["unknown_messages"]), (&json!({}), &json!({})));
    for name in ["gaps", "messages_missing", "recovered", "filled_late", "duplicates", "suspect_instruments"]
    {
        assert_eq!(source[name], json!(0), "{name}");
    }
    assert_eq!(source["sequence_events"], json!({}));
    let seen = source["contradictions"].as_object().unwrap();
    let seen: Vec<_> = seen.iter().map(|(kind, c)| (kind.as_str(), c["count"].as_u64().unwrap())).collect();
    assert_eq!(seen, contradictions);
    assert_eq!(told.alerts, "");
    assert_eq!(told.summary["alerts"]["raised"], json!(0));
    let packets = told.summary["captures"][0]["datagrams"].as_u64();
    assert_eq!((source["packets"].as_u64(), &told.summary["unrouted"]), (packets, &json!({})));
    let types: u64 = by_type(source).values().sum();
    assert_eq!(source["messages"].as_u64(), Some(types));
}

#[test]
fn iex_deep_before_the_open() {
    let Some(told) = replayed("iex_deep_20231002_preopen.pcap.gz", &[]) else { return };
    assert_sound(&told, "iex-deep", &[]);
    let source = &told.summary["sources"][0];
    let mut counts = by_type(source);
    // The golden leaves these out: its decoder does not cover all their bytes.
    assert_eq!(counts.remove("retail_liquidity_indicator"), Some(11_309));
    let Some(golden) = golden("iex_deep_20231002_preopen") else { return };
    assert_eq!(counts, golden);
    assert_eq!(counts.values().sum::<u64>(), 37_016);
}

#[test]
fn iex_tops() {
    let Some(told) = replayed("iex_tops_v16_20170710.pcap", &[]) else { return };
    assert_sound(&told, "iex-tops", &[]);
    let Some(golden) = golden("iex_tops_v16_20170710") else { return };
    assert_eq!(by_type(&told.summary["sources"][0]), golden);
    assert_eq!(golden.values().sum::<u64>(), 46_299);
}

#[test]
fn ice_impact() {
    let Some(told) = replayed("ice_impact_20180821.pcap", &[]) else { return };
    // Orders from before the capture began, changed or deleted in it.
    assert_sound(&told, "ice-impact", &[("unknown_order_before_start", 348)]);
    let Some(golden) = golden("ice_impact_20180821") else { return };
    assert_eq!(by_type(&told.summary["sources"][0]), golden);
    assert_eq!(golden.values().sum::<u64>(), 21_933);
}

#[test]
fn cme_mdp3() {
    let Some(path) = session(CME_CAPTURE) else { return };
    let folder = tempfile::TempDir::new().unwrap();
    // Both lines as sources, so that every packet of the golden is delivered.
    let told = replay_files(folder.path(), &cme_sources(), &[path.to_str().unwrap()], &[]);
    let Some(golden) = golden("cme_mdp3_v6_ab_20161112") else { return };
    let mut counts = BTreeMap::new();
    for source in told.summary["sources"].as_array().unwrap() {
        by_type(source)
            .into_iter()
            .for_each(|(name, n)| *counts.entry(without_template(&name).to_owned()).or_default() += n);
    }
    assert_eq!(counts, golden);
    assert_eq!(counts.values().sum::<u64>(), 20_546);
}

#[test]
fn the_opening_burst_of_nasdaq() {
    let name = "nasdaq_itch50_20191230_open.binaryfile";
    let Some(told) = replayed(name, &["--date", "2019-12-30"]) else { return };
    // The file begins at half past nine: its orders were entered before.
    assert_sound(&told, "nasdaq-itch-5.0", &[("unknown_order_before_start", 399)]);
    // Counted by the type bytes of the file itself: a length of two bytes, then the message.
    let bytes = std::fs::read(session(name).unwrap()).unwrap();
    let (mut at, mut types) = (0, BTreeMap::new());
    while at + 2 < bytes.len() {
        *types.entry(char::from(bytes[at + 2])).or_insert(0u64) += 1;
        at += 2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
    }
    let names = [
        ('A', "add_order"),
        ('C', "order_executed_with_price"),
        ('D', "order_delete"),
        ('E', "order_executed"),
        ('F', "add_order_mpid"),
        ('I', "net_order_imbalance_indicator"),
        ('P', "trade"),
        ('Q', "cross_trade"),
        ('S', "system_event"),
        ('U', "order_replace"),
        ('X', "order_cancel"),
    ];
    let wanted: BTreeMap<String, u64> =
        names.iter().map(|(code, name)| ((*name).to_owned(), types[code])).collect();
    assert_eq!(types.len(), names.len());
    assert_eq!(by_type(&told.summary["sources"][0]), wanted);
    assert_eq!(
        (&told.summary["from"], types.values().sum::<u64>()),
        (&json!("2019-12-30T14:30:00.000000230Z"), 1_000)
    );
    // Its times of receipt are those of its messages: nothing took no time at all.
    assert_eq!(told.summary["latency"], json!([]));
}
