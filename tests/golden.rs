//! Every feed of the catalogue over every sample and session of it, against an independent decoder: every packet,
//! every message, every field.
//!
//! The captures are no part of the repository; without them the tests say so loudly and pass. A feed that is not in
//! the catalogue has nothing to be held against, which is said too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use feeds::event::Event;
use feeds::feed::{Decoded, SequenceUnit};
use feeds::wire::{ErrorKind, Value, Visitor};
use feeds::{Feed, FeedId, FeedVisitor};
use parallax::packet;
use parallax::source::{Captures, Datagram, Options};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess};

/// Folders of samples and what they speak.
const SAMPLES: &[(&str, &str)] = &[
    ("Nasdaq/Bx.Equities.TotalView.Itch.v5.0", "nasdaq-itch-5.0"),
    ("Nasdaq/Bx.Equities.TotalView.Itch.v5.0.20230822", "nasdaq-itch-5.0"),
    ("Nasdaq/Nasdaq.Equities.TotalView.Itch.v5.0", "nasdaq-itch-5.0"),
    ("Nasdaq/Nasdaq.Equities.TotalView.Itch.v5.0.20230822", "nasdaq-itch-5.0"),
    ("Nasdaq/Nsm.TotalView.v5.0", "nasdaq-itch-5.0"),
    ("Nasdaq/Psx.Equities.TotalView.Itch.v5.0.20230822", "nasdaq-itch-5.0"),
    ("Nasdaq/Uqdf.Output.Utp.v1.5", "utp-uqdf"),
    ("Cme/Mdp3.Sbe.v1.5", "cme-mdp3"),
    ("Cme/Mdp3.Sbe.v1.9", "cme-mdp3"),
    ("Cme/Mdp3.Sbe.v1.12", "cme-mdp3"),
    ("Iex/Deep.IexTp.v1.0", "iex-deep"),
    ("Iex/Tops.IexTp.v1.5", "iex-tops"),
    ("Ice/Mdf.iMpact.v1.1.24", "ice-impact"),
    ("Ice/Mdf.iMpact.v1.1.33", "ice-impact"),
];

/// Sessions, what they speak and how many messages they hold.
const SESSIONS: &[(&str, &str, &str)] = &[
    ("cme_mdp3_v6_ab_20161112", "pcapng", "cme-mdp3"),
    ("iex_deep_20231002_preopen", "pcap.gz", "iex-deep"),
    ("iex_tops_v16_20170710", "pcap", "iex-tops"),
    ("ice_impact_20180821", "pcap", "ice-impact"),
];

/// Keys of the golden listing that are headers of repeating groups, which we do not list: the entries are compared.
const COUNTS: &[(&str, &str)] = &[("cme-mdp3", "group_size")];

/// Samples without a golden listing, and why there is none.
const WITHOUT_GOLDEN: &[(&str, &str)] = &[(
    "Nasdaq/Nsm.TotalView.v5.0/OrderDeleteMessage.D.pcap",
    "one message; the listing leaves the folder out",
)];

/// Samples of another feed than their folder says: every packet must be refused.
const REFUSED: &[(&str, &str)] =
    &[("Iex/Deep.IexTp.v1.0/Error.Q.pcap", "its protocol id is 0x8003, that of TOPS; DEEP's is 0x8004")];

/// Messages of ours that the golden listing leaves out, by feed and type, and why.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "iex-deep",
        "retail_liquidity_indicator",
        "added to DEEP 1.0 after the dissector's revision 1.06: `I`, indicator, timestamp, symbol, 18 bytes",
    ),
    (
        "cme-mdp3",
        "unknown",
        "requests of another schema (id 2) on TCP, which the listing leaves out as we do",
    ),
];

fn shared() -> Option<PathBuf> {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if root.join("golden").is_dir() {
        return Some(root);
    }
    eprintln!("SKIPPED: {} holds no captures and no golden listings", root.display());
    None
}

fn feed(name: &str) -> Option<FeedId> {
    let feed = FeedId::from_name(name);
    if feed.is_none() {
        eprintln!("SKIPPED: {name} is not in the catalogue");
    }
    feed
}

fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let mut text = String::new();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    Some(text)
}

/// JSON with its keys in order and its numbers exact.
#[derive(Debug)]
enum Node {
    Leaf(String),
    Map(Vec<(String, Node)>),
    Seq(Vec<Node>),
}

impl Node {
    fn get(&self, key: &str) -> Option<&Node> {
        let Node::Map(map) = self else { panic!("no object around {key}") };
        map.iter().find(|(k, _)| k == key).map(|(_, node)| node)
    }

    fn leaf(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Node::Leaf(leaf) => Some(leaf),
            other => panic!("{key}: {other:?}"),
        }
    }

    fn number(&self, key: &str) -> u64 {
        self.leaf(key).unwrap_or_else(|| panic!("no {key}")).parse().unwrap()
    }

    /// Leaf values in order, without padding, the expansions of bit sets and counts.
    fn flatten(&self, feed: &str, out: &mut Vec<String>) {
        match self {
            Node::Leaf(leaf) => out.push(leaf.clone()),
            Node::Seq(nodes) => nodes.iter().for_each(|node| node.flatten(feed, out)),
            Node::Map(map) => {
                for (key, node) in map {
                    if !filler(key)
                        && !key.ends_with("_bits")
                        && !COUNTS.iter().any(|(f, count)| *f == feed && key.starts_with(count))
                    {
                        node.flatten(feed, out);
                    }
                }
            }
        }
    }

    /// The type's code as one number: bytes of codes one behind the other, or the number itself.
    fn code(&self) -> u64 {
        let Node::Map(map) = self else { panic!("no codes") };
        map.iter().fold(0, |code, (key, node)| {
            let Node::Leaf(leaf) = node else { panic!("{key}") };
            match leaf.strip_prefix('"') {
                Some(text) => {
                    text.trim_end_matches('"').bytes().fold(code, |code, b| code << 8 | u64::from(b))
                }
                None => code << 8 | leaf.parse::<u64>().unwrap(),
            }
        })
    }
}

/// Reserved bytes by any of their names, on either side.
fn filler(name: &str) -> bool {
    name.split('_').any(|word| ["reserved", "unused", "filler", "padding"].contains(&word))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        struct Reader;
        impl<'de> serde::de::Visitor<'de> for Reader {
            type Value = Node;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON without floats")
            }
            fn visit_u64<E>(self, n: u64) -> Result<Node, E> {
                Ok(Node::Leaf(n.to_string()))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Node, E> {
                Ok(Node::Leaf(n.to_string()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Leaf(quoted(text)))
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Leaf("null".to_owned()))
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
        deserializer.deserialize_any(Reader)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn latin1(bytes: &[u8]) -> String {
    quoted(&bytes.iter().map(|b| char::from(*b)).collect::<String>())
}

/// Leaf values of our listing, in order.
#[derive(Default)]
struct Leaves(Vec<String>);

impl Visitor for Leaves {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        if filler(name) {
            return;
        }
        self.0.push(match value {
            Value::Uint(n) => n.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Char(code) => latin1(&[code]),
            Value::Text(text) => latin1(text),
            Value::Bytes(bytes) => quoted(&bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        });
    }
    fn begin_group(&mut self, _: &'static str) {}
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {}
}

/// One message as we read it.
struct Ours {
    name: &'static str,
    code: u64,
    sequence: u64,
    leaves: Vec<String>,
}

/// Reads a packet whole: every message must be listed and decoded without a fault.
struct ReadPacket<'a, 'd>(&'a Datagram<'d>, &'a str);

impl FeedVisitor for ReadPacket<'_, '_> {
    type Output = (u64, Vec<Ours>);

    fn visit<F: Feed>(self) -> (u64, Vec<Ours>) {
        let ReadPacket(datagram, wher) = self;
        let header = packet::header::<F>(datagram).unwrap_or_else(|e| panic!("{wher}: {e}"));
        let (mut at, mut out) = (header.len, vec![]);
        while let Some(span) = packet::split::<F>(datagram, at).unwrap_or_else(|e| panic!("{wher}: {e}")) {
            let message = &datagram.payload[span.start..span.end];
            let mut leaves = Leaves::default();
            let listed = F::list(message, &mut leaves).unwrap_or_else(|e| panic!("{wher}: {e}"));
            let mut nobody = |_: u64, _: Event<'_>| {};
            let decoded = F::decode(message, &header, &mut nobody).unwrap_or_else(|e| panic!("{wher}: {e}"));
            let (name, code) = match (listed, decoded) {
                (Some(layout), Decoded::Message(i)) => {
                    assert_eq!(
                        F::MESSAGES[usize::from(i)].tag,
                        layout.tag,
                        "{wher}: listed and decoded differ"
                    );
                    (layout.name, layout.tag)
                }
                (None, Decoded::Unknown(code)) => ("unknown", code),
                (listed, decoded) => panic!("{wher}: listed as {listed:?}, decoded as {decoded:?}"),
            };
            out.push(Ours { name, code: u64::from(code), sequence: header.sequence, leaves: leaves.0 });
            assert!(span.end > at, "{wher}: no way forward");
            at = span.end;
        }
        assert_eq!(at, datagram.payload.len(), "{wher}: bytes behind the last message");
        if F::INFO.sequence_unit == SequenceUnit::Message && header.count as usize != out.len() {
            // Anonymised headers are all zeros.
            assert_eq!((header.count, header.sequence), (0, 0), "{wher}: holds {} messages", out.len());
        }
        (header.sequence, out)
    }
}

fn lines(text: &str) -> impl Iterator<Item = Node> + '_ {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// Compares one capture with its listing of messages and, where there is one, of packets; answers how many messages
/// were compared and which were left out by the listing.
fn compare(
    feed: FeedId,
    capture: &Path,
    golden: &str,
    packets: Option<&str>,
) -> (usize, BTreeMap<&'static str, u64>) {
    let mut expected: HashMap<(u64, u64), Node> =
        lines(golden).map(|line| ((line.number("frame"), line.number("i")), line)).collect();
    let mut headers: HashMap<u64, Node> =
        packets.iter().flat_map(|text| lines(text)).map(|line| (line.number("frame"), line)).collect();
    let (name, total, headers_total) = (feed.info().name, expected.len(), headers.len());
    let mut left_out = BTreeMap::new();
    let options = Options { tcp: true, ..Options::default() };
    let mut captures = Captures::open(&[capture.to_path_buf()], &options).unwrap();
    while let Some(datagram) = captures.next().unwrap() {
        let wher = format!("{} frame {}", capture.display(), datagram.frame);
        let (sequence, messages) = feed.with(ReadPacket(&datagram, &wher));
        if let Some(header) = headers.remove(&datagram.frame) {
            assert_eq!(header.number("seq"), sequence, "{wher}");
            assert_eq!(header.number("msgs"), messages.len() as u64, "{wher}");
        }
        for (i, ours) in messages.into_iter().enumerate() {
            let wher = format!("{wher} message {i} {}", ours.name);
            let Some(line) = expected.remove(&(datagram.frame, i as u64)) else {
                *left_out.entry(ours.name).or_default() += 1;
                continue;
            };
            let mut fields = vec![];
            line.get("fields").unwrap().flatten(name, &mut fields);
            assert_eq!(ours.leaves, fields, "{wher}");
            assert_eq!(ours.code, line.get("code").unwrap().code(), "{wher}");
            assert_eq!(ours.sequence, line.number("seq"), "{wher}");
        }
    }
    assert!(expected.is_empty(), "{}: not found: {:?}", capture.display(), expected.values().next());
    assert!(
        headers_total == 0 || headers.is_empty(),
        "{}: {} packets not found",
        capture.display(),
        headers.len()
    );
    (total, left_out)
}

fn explained(feed: FeedId, capture: &Path, left_out: BTreeMap<&'static str, u64>) {
    for (name, count) in left_out {
        let reason = LEFT_OUT.iter().find(|(f, n, _)| (*f, *n) == (feed.info().name, name));
        let Some((.., reason)) = reason else {
            panic!("{}: {count} {name} that the golden listing does not have", capture.display());
        };
        eprintln!("{}: {count} {name} not compared: {reason}", capture.display());
    }
}

fn refuse(feed: FeedId, capture: &Path, reason: &str) {
    let mut captures = Captures::open(&[capture.to_path_buf()], &Options::default()).unwrap();
    let mut packets = 0;
    while let Some(datagram) = captures.next().unwrap() {
        let fault = feed.with(packet::Header(&datagram)).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::NotThisFeed, "{}: {reason}", capture.display());
        packets += 1;
    }
    assert!(packets > 0, "{}: empty", capture.display());
    eprintln!("{}: {packets} packets refused: {reason}", capture.display());
}

#[test]
fn every_sample_lists_as_the_independent_decoder_says() {
    let Some(shared) = shared() else { return };
    let mut compared = BTreeMap::new();
    for (folder, name) in SAMPLES {
        let Some(feed) = feed(name) else { continue };
        let folder = shared.join("captures/messages").join(folder);
        let mut captures: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        captures.sort();
        for capture in captures {
            let inside = capture.strip_prefix(shared.join("captures")).unwrap();
            let refused = REFUSED.iter().find(|(path, _)| inside == Path::new("messages").join(path));
            if let Some((_, reason)) = refused {
                refuse(feed, &capture, reason);
                continue;
            }
            let golden = text(&shared.join("golden").join(inside).with_extension("ndjson"));
            let Some(golden) = golden else {
                let inside = inside.strip_prefix("messages").unwrap();
                let without = WITHOUT_GOLDEN.iter().find(|(path, _)| Path::new(path) == inside);
                // A capture of nothing but heartbeats has no messages to list.
                let (found, reason) = without.map_or(("", "no messages"), |(path, reason)| (path, reason));
                let (_, ours) = compare(feed, &capture, "", None);
                assert!(!found.is_empty() || ours.is_empty(), "{}: no golden listing", capture.display());
                eprintln!("{}: {ours:?} not compared: {reason}", capture.display());
                continue;
            };
            let (count, left_out) = compare(feed, &capture, &golden, None);
            explained(feed, &capture, left_out);
            *compared.entry(*name).or_insert(0) += count;
        }
    }
    assert_eq!(compared["nasdaq-itch-5.0"], 166);
    assert_eq!(compared["utp-uqdf"], 3);
    println!("messages compared: {compared:?}");
}

#[test]
fn every_session_lists_as_the_independent_decoder_says() {
    let Some(shared) = shared() else { return };
    for (session, extension, name) in SESSIONS {
        let Some(feed) = feed(name) else { continue };
        let capture = shared.join("captures/sessions").join(format!("{session}.{extension}"));
        let golden = text(&shared.join(format!("golden/sessions/{session}.ndjson.gz"))).unwrap();
        let packets = text(&shared.join(format!("golden/sessions/{session}.pkts.ndjson.gz"))).unwrap();
        let (count, left_out) = compare(feed, &capture, &golden, Some(&packets));
        explained(feed, &capture, left_out);
        assert_eq!(count, golden.lines().count());
        println!("{session}: {count} messages compared");
    }
}

#[test]
fn the_opening_burst_of_a_binaryfile_is_read_whole() {
    let Some(shared) = shared() else { return };
    let capture = shared.join("captures/sessions/nasdaq_itch50_20191230_open.binaryfile");
    let mut captures = Captures::open(&[capture], &Options::default()).unwrap();
    let feed = FeedId::from_name("nasdaq-itch-5.0").unwrap();
    let (mut messages, mut types) = (0, BTreeSet::new());
    while let Some(datagram) = captures.next().unwrap() {
        let (_, read) = feed.with(ReadPacket(&datagram, "opening burst"));
        assert_eq!(read.len(), 1);
        let layout = feed.messages().iter().find(|layout| layout.name == read[0].name).unwrap();
        assert_eq!(datagram.payload.len(), layout.len, "{}", layout.name);
        assert_eq!(read[0].leaves.len(), layout.rows.iter().filter(|r| r.name != "reserved").count() - 1);
        types.insert(read[0].name);
        messages += 1;
    }
    assert_eq!((messages, types.len()), (1_000, 11));
}
