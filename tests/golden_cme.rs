//! CME MDP 3.0 against an independent decoder: every message of every sample, every value.
//!
//! The captures are not part of the repository; without them the tests say so loudly and pass.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use feeds::Feed;
use feeds::cme_mdp3::Mdp3;
use feeds::event::{Event, Key};
use feeds::feed::{Decoded, PacketKind};
use feeds::wire::{Value, Visitor};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess};

/// The shared samples, or `None` (said aloud) where they are not.
fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if path.join("golden").is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no samples at {}", path.display());
    None
}

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_some_and(|e| e == "gz") {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut out).unwrap();
        return out;
    }
    bytes
}

fn u16_be(b: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes([b[at], b[at + 1]]))
}

fn u32_le(b: &[u8], at: usize) -> usize {
    u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]) as usize
}

/// Frames of a little-endian pcap or pcapng file.
fn frames(file: &[u8]) -> Vec<&[u8]> {
    let mut out = vec![];
    if u32_le(file, 0) == 0x0A0D_0D0A {
        let mut at = 0;
        while at + 12 <= file.len() {
            let (kind, len) = (u32_le(file, at), u32_le(file, at + 4));
            if kind == 6 {
                out.push(&file[at + 28..at + 28 + u32_le(file, at + 20)]);
            }
            at += len;
        }
    } else {
        let mut at = 24;
        while at + 16 <= file.len() {
            let len = u32_le(file, at + 8);
            out.push(&file[at + 16..at + 16 + len]);
            at += 16 + len;
        }
    }
    out
}

/// Destination port and payload of an Ethernet frame with IPv4 and UDP or TCP.
fn payload(frame: &[u8]) -> (usize, &[u8]) {
    let mut at = 12;
    while u16_be(frame, at) == 0x8100 {
        at += 4;
    }
    assert_eq!(u16_be(frame, at), 0x0800);
    let ip = &frame[at + 2..];
    let ip = &ip[..u16_be(ip, 2)];
    let segment = &ip[usize::from(ip[0] & 15) * 4..];
    let data = if ip[9] == 17 { 8 } else { usize::from(segment[12] >> 4) * 4 };
    (u16_be(segment, 2), &segment[data..])
}

/// JSON with the order of its keys, and numbers as they are written.
enum Node {
    Leaf(String),
    Map(Vec<(String, Node)>),
    Seq(Vec<Node>),
}

impl Node {
    fn get(&self, key: &str) -> &Node {
        let Node::Map(map) = self else { panic!("no object around {key}") };
        &map.iter().find(|(k, _)| k == key).unwrap_or_else(|| panic!("no {key}")).1
    }

    fn leaf(&self) -> &str {
        let Node::Leaf(leaf) = self else { panic!("not a leaf") };
        leaf
    }

    /// Leaf values in order, without what the rules of comparison leave out and without group headers, which
    /// say the number and length of entries that are compared themselves.
    fn flatten(&self, out: &mut Vec<String>) {
        match self {
            Node::Leaf(leaf) => out.push(leaf.clone()),
            Node::Seq(nodes) => nodes.iter().for_each(|n| n.flatten(out)),
            Node::Map(map) => {
                for (key, node) in map {
                    let left_out = ["padding", "reserved", "unused", "filler", "group_size"];
                    if !key.ends_with("_bits") && !left_out.iter().any(|p| key.starts_with(p)) {
                        node.flatten(out);
                    }
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        struct V;
        impl<'de> serde::de::Visitor<'de> for V {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_u64<E>(self, n: u64) -> Result<Node, E> {
                Ok(Node::Leaf(n.to_string()))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Node, E> {
                Ok(Node::Leaf(n.to_string()))
            }
            fn visit_str<E>(self, s: &str) -> Result<Node, E> {
                Ok(Node::Leaf(format!("{s:?}")))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
                let mut out = vec![];
                while let Some(node) = seq.next_element()? {
                    out.push(node);
                }
                Ok(Node::Seq(out))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut out = vec![];
                while let Some(entry) = map.next_entry()? {
                    out.push(entry);
                }
                Ok(Node::Map(out))
            }
        }
        deserializer.deserialize_any(V)
    }
}

fn latin1(bytes: &[u8]) -> String {
    format!("{:?}", bytes.iter().map(|b| char::from(*b)).collect::<String>())
}

/// Leaf values of our listing, in order.
#[derive(Default)]
struct Leaves(Vec<String>);

impl Visitor for Leaves {
    fn field(&mut self, _: &'static str, value: Value<'_>) {
        self.0.push(match value {
            Value::Uint(n) => n.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Char(c) => latin1(&[c]),
            Value::Text(text) => latin1(text),
            Value::Bytes(bytes) => {
                format!("{:?}", bytes.iter().map(|b| format!("{b:02x}")).collect::<String>())
            }
        });
    }
    fn begin_group(&mut self, _: &'static str) {}
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {}
}

/// Compares a capture with its golden listing; answers the messages compared and those passed by as unknown.
fn compare(capture: &Path, golden: &Path) -> (usize, usize) {
    let (file, text) = (read(capture), read(golden));
    let text = String::from_utf8(text).unwrap();
    let mut lines = text.lines();
    let (mut compared, mut unknown) = (0, 0);
    for (n, frame) in frames(&file).into_iter().enumerate() {
        let (_, payload) = payload(frame);
        let header = Mdp3::header(payload).unwrap();
        let (mut at, mut i) = (header.len, 0);
        while let Some(span) = Mdp3::split(payload, at).unwrap() {
            let message = &payload[span.start..span.end];
            let mut leaves = Leaves::default();
            let listed = Mdp3::list(message, &mut leaves).unwrap();
            let decoded = Mdp3::decode(message, &header, &mut |_: u64, _: Event<'_>| {}).unwrap();
            let wher = format!("{} frame {} message {i}", capture.display(), n + 1);
            if let Some(layout) = listed {
                let line: Node = serde_json::from_str(lines.next().expect(&wher)).unwrap();
                let mut fields = vec![];
                line.get("fields").flatten(&mut fields);
                assert_eq!(line.get("frame").leaf(), (n + 1).to_string(), "{wher}");
                assert_eq!(line.get("i").leaf(), i.to_string(), "{wher}");
                assert_eq!(line.get("seq").leaf(), header.sequence.to_string(), "{wher}");
                assert_eq!(line.get("code").get("template_id").leaf(), layout.tag.to_string(), "{wher}");
                assert_eq!(leaves.0, fields, "{wher} {}", layout.name);
                let Decoded::Message(index) = decoded else { panic!("{wher}: {decoded:?}") };
                assert_eq!(Mdp3::MESSAGES[usize::from(index)].tag, layout.tag, "{wher}");
                compared += 1;
            } else {
                assert!(matches!(decoded, Decoded::Unknown(_)), "{wher}");
                unknown += 1;
            }
            (at, i) = (span.end, i + 1);
        }
        assert_eq!(at, payload.len());
    }
    assert_eq!(lines.next(), None, "{}: more in the golden listing", capture.display());
    (compared, unknown)
}

#[test]
fn every_message_of_the_session_lists_as_the_independent_decoder_says() {
    let Some(shared) = shared() else { return };
    let counts = compare(
        &shared.join("captures/sessions/cme_mdp3_v6_ab_20161112.pcapng"),
        &shared.join("golden/sessions/cme_mdp3_v6_ab_20161112.ndjson.gz"),
    );
    assert_eq!(counts, (20_546, 0));
}

#[test]
fn every_sample_of_every_version_lists_as_the_independent_decoder_says() {
    let Some(shared) = shared() else { return };
    let samples = [
        ("Mdp3.Sbe.v1.12/MdIncrementalRefreshBookLongQty", (1, 0)),
        ("Mdp3.Sbe.v1.12/MdIncrementalRefreshTradeSummaryLongQty", (1, 0)),
        // Requests of another schema (id 2), which the golden listing leaves out.
        ("Mdp3.Sbe.v1.12/SecurityStatusRequest.Tcp", (0, 1)),
        ("Mdp3.Sbe.v1.12/SnapshotFullRefreshTcpLongQty.Tcp", (1, 0)),
        ("Mdp3.Sbe.v1.12/SubscriberHeartbeat.Tcp", (0, 1)),
        ("Mdp3.Sbe.v1.5/MdIncrementalRefreshTradeSummary", (1, 0)),
        ("Mdp3.Sbe.v1.5/MdInstrumentDefinitionSpread", (5, 0)),
        ("Mdp3.Sbe.v1.9/MdIncrementalRefreshBook", (2, 0)),
        ("Mdp3.Sbe.v1.9/MdIncrementalRefreshOrderBook", (1, 0)),
        ("Mdp3.Sbe.v1.9/MdIncrementalRefreshTradeSummary", (5, 0)),
        ("Mdp3.Sbe.v1.9/MdIncrementalRefreshVolume", (7, 0)),
    ];
    for (name, counts) in samples {
        let capture = shared.join(format!("captures/messages/Cme/{name}.pcap"));
        let golden = shared.join(format!("golden/messages/Cme/{name}.ndjson"));
        assert_eq!(compare(&capture, &golden), counts, "{name}");
    }
}

/// Every event of the packets of one line, with the packet's number and kind.
fn events(shared: &Path, port: usize, mut take: impl FnMut(u64, PacketKind, u64, Event<'_>)) -> Vec<u64> {
    let file = read(&shared.join("captures/sessions/cme_mdp3_v6_ab_20161112.pcapng"));
    let mut numbers = vec![];
    for frame in frames(&file) {
        let (to, payload) = payload(frame);
        if to != port {
            continue;
        }
        let header = Mdp3::header(payload).unwrap();
        numbers.push(header.sequence);
        let mut at = header.len;
        while let Some(span) = Mdp3::split(payload, at).unwrap() {
            let mut sink = |ts: u64, event: Event<'_>| take(header.sequence, header.kind, ts, event);
            Mdp3::decode(&payload[span.start..span.end], &header, &mut sink).unwrap();
            at = span.end;
        }
    }
    numbers
}

#[test]
fn packets_and_instruments_count_without_a_gap_on_both_lines() {
    let Some(shared) = shared() else { return };
    for port in [14340, 15340] {
        let mut last: HashMap<u64, u32> = HashMap::new();
        let (mut numbered, mut trades, mut levels) = (0, 0, 0);
        let numbers = events(&shared, port, |_, kind, _, event| {
            assert_eq!(kind, PacketKind::Data);
            match event {
                Event::InstrumentSequence { key: Key::Number(id), sequence } => {
                    if let Some(before) = last.insert(id, sequence) {
                        assert_eq!(sequence, before + 1, "instrument {id}");
                    }
                    numbered += 1;
                }
                Event::Trade { .. } => trades += 1,
                Event::LevelAt { .. } => levels += 1,
                other => panic!("{other:?}"),
            }
        });
        // Heartbeats among them: they take numbers as well.
        assert!(numbers.iter().copied().eq(5615..=10_614), "line {port}");
        assert_eq!((last.len(), numbered, trades, levels), (127, 15_731, 355, 14_574));
    }
}

#[test]
fn the_first_packets_become_these_events() {
    let Some(shared) = shared() else { return };
    let mut out = vec![];
    events(&shared, 15340, |sequence, _, ts, event| {
        if sequence <= 5619 {
            out.push(format!("{sequence} {ts} {event:?}"));
        }
    });
    let book = |sequence: u32, rpt: u32, ts: u64, side: &str, position: u8, price: i64, quantity: u64| {
        let key = "key: Number(411873)";
        [
            format!("{sequence} {ts} InstrumentSequence {{ {key}, sequence: {rpt} }}"),
            format!(
                "{sequence} {ts} LevelAt {{ {key}, ladder: Outright, action: Delete, side: {side}, \
                 position: {position}, price: {price}, quantity: {quantity}, orders: 1 }}"
            ),
        ]
    };
    // Corn at 402.75 cents: written as 4_027_500_000 in 1e-7, told in 1e-9. 5615 is a heartbeat.
    let expected = [
        book(5616, 111, 1_478_961_038_229_196_541, "Bid", 5, 402_750_000_000, 1),
        book(5617, 112, 1_478_961_039_613_447_279, "Ask", 1, 408_000_000_000, 5),
        book(5618, 113, 1_478_961_039_936_601_721, "Ask", 1, 413_250_000_000, 5),
        book(5619, 114, 1_478_961_040_259_503_797, "Bid", 4, 403_000_000_000, 1),
    ]
    .concat();
    assert_eq!(out, expected);
}

#[test]
fn a_trade_with_its_orders_and_its_level_becomes_these_events() {
    let Some(shared) = shared() else { return };
    let name = "captures/messages/Cme/Mdp3.Sbe.v1.9/MdIncrementalRefreshTradeSummary.pcap";
    let file = read(&shared.join(name));
    let (_, payload) = payload(frames(&file)[0]);
    let header = Mdp3::header(payload).unwrap();
    let (mut at, mut out) = (header.len, vec![]);
    while let Some(span) = Mdp3::split(payload, at).unwrap() {
        let mut sink = |_: u64, event: Event<'_>| out.push(format!("{event:?}"));
        Mdp3::decode(&payload[span.start..span.end], &header, &mut sink).unwrap();
        at = span.end;
    }
    let bid = "ladder: Outright, action: Change, side: Bid, position: 1";
    let implied = "ladder: Implied, action: Change, side: Bid, position: 1";
    let (key, other) = ("key: Number(170506)", "key: Number(5893)");
    let price = "price: 12952000000000";
    assert_eq!(
        out,
        [
            format!("InstrumentSequence {{ {key}, sequence: 20185 }}"),
            format!("Trade {{ {key}, symbol: [], {price}, quantity: 2 }}"),
            format!("InstrumentSequence {{ {key}, sequence: 20186 }}"),
            format!("OrderDelete {{ {key}, order: 88463939692 }}"),
            format!("OrderPut {{ {key}, order: 88463940665, side: Bid, {price}, quantity: 2, known: true }}"),
            format!("InstrumentSequence {{ {key}, sequence: 20187 }}"),
            format!("LevelAt {{ {key}, {bid}, {price}, quantity: 3, orders: 2 }}"),
            format!("InstrumentSequence {{ {other}, sequence: 19534 }}"),
            format!("LevelAt {{ {other}, {implied}, price: 13003000000000, quantity: 3, orders: 0 }}"),
        ]
    );
}
