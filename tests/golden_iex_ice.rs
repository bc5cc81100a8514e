//! IEX TOPS, IEX DEEP and ICE iMpact against what an independent decoder found in the captures.
//!
//! Compared: frame, message index, type code on the wire, and every value in wire order (reserved bytes and flag
//! expansions left out). Where the captures are absent the tests say so and pass.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use feeds::event::{Event, Key, Side};
use feeds::feed::{Decoded, Feed, PacketKind};
use feeds::ice_impact::IceImpact;
use feeds::iex_deep::IexDeep;
use feeds::iex_tops::IexTops;
use feeds::wire::{Value, Visitor};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess};

/// The folder of shared captures, or a loud word that it is not there.
fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if path.join("golden").is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: no shared captures at {}", path.display());
    None
}

fn open(path: &Path) -> Box<dyn BufRead> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    match path.extension().is_some_and(|e| e == "gz") {
        true => Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file))),
        false => Box::new(BufReader::new(file)),
    }
}

/// UDP payloads of a classic little-endian Ethernet pcap, by frame from 1; nothing of other files and frames.
fn payloads(path: &Path) -> Vec<(u32, Vec<u8>)> {
    let mut bytes = vec![];
    open(path).read_to_end(&mut bytes).unwrap();
    if !matches!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1]) || bytes[20] != 1 {
        return vec![];
    }
    let (mut at, mut frame, mut out) = (24, 0, vec![]);
    while at < bytes.len() {
        frame += 1;
        let len = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        out.extend(udp(&bytes[at + 16..at + 16 + len]).map(|payload| (frame, payload.to_vec())));
        at += 16 + len;
    }
    out
}

/// The payload of an Ethernet frame that holds a whole UDP datagram over IPv4.
fn udp(frame: &[u8]) -> Option<&[u8]> {
    let vlan = 4 * usize::from(frame.get(12..14)? == [0x81, 0]);
    let ip = frame.get(14 + vlan..)?;
    if frame[12 + vlan..14 + vlan] != [8, 0] || *ip.get(9)? != 17 {
        return None;
    }
    let udp = ip.get(usize::from(ip[0] & 15) * 4..)?;
    udp.get(8..usize::from(u16::from_be_bytes([*udp.get(4)?, *udp.get(5)?])))
}

/// JSON whose objects keep the order of their fields.
#[derive(Debug)]
enum Json {
    Leaf(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> serde::de::Visitor<'de> for Any {
            type Value = Json;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_u64<E>(self, n: u64) -> Result<Json, E> {
                Ok(Json::Leaf(n.to_string()))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Json, E> {
                Ok(Json::Leaf(n.to_string()))
            }
            fn visit_str<E>(self, s: &str) -> Result<Json, E> {
                Ok(Json::Leaf(s.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut a: A) -> Result<Json, A::Error> {
                let mut out = vec![];
                while let Some(item) = a.next_element()? {
                    out.push(item);
                }
                Ok(Json::Array(out))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut a: A) -> Result<Json, A::Error> {
                let mut out = vec![];
                while let Some(entry) = a.next_entry()? {
                    out.push(entry);
                }
                Ok(Json::Object(out))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Json {
    fn leaves(&self, out: &mut Vec<String>) {
        match self {
            Json::Leaf(s) => out.push(s.clone()),
            Json::Array(items) => items.iter().for_each(|i| i.leaves(out)),
            Json::Object(fields) => {
                for (name, value) in fields {
                    let reserved =
                        ["reserved", "unused", "filler", "padding"].iter().any(|w| name.contains(w));
                    if !reserved && !name.ends_with("_bits") {
                        value.leaves(out);
                    }
                }
            }
        }
    }

    fn flat(&self) -> Vec<String> {
        let mut out = vec![];
        self.leaves(&mut out);
        out
    }
}

#[derive(Deserialize)]
struct GoldenMessage {
    frame: u32,
    i: usize,
    code: Json,
    fields: Json,
}

#[derive(Deserialize)]
struct GoldenPacket {
    frame: u32,
    seq: u64,
    msgs: u32,
}

/// A listing's values, in order.
#[derive(Default)]
struct Leaves(Vec<String>);

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

impl Visitor for Leaves {
    fn field(&mut self, _: &'static str, value: Value<'_>) {
        self.0.push(match value {
            Value::Uint(n) => n.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Char(b) => latin1(&[b]),
            Value::Text(t) => latin1(t),
            Value::Bytes(b) => b.iter().map(|b| format!("{b:02x}")).collect(),
        });
    }
    fn begin_group(&mut self, _: &'static str) {}
    fn begin_entry(&mut self) {}
    fn end_entry(&mut self) {}
    fn end_group(&mut self) {}
}

/// One message as it is compared: type code and values.
type Message = (String, Vec<String>);

/// Lists and decodes every message of a capture; panics at any fault.
fn messages<F: Feed>(packets: &[(u32, Vec<u8>)]) -> BTreeMap<(u32, usize), Message> {
    let mut out = BTreeMap::new();
    for (frame, payload) in packets {
        let header = F::header(payload).unwrap_or_else(|e| panic!("frame {frame}: {e}"));
        let (mut at, mut i) = (header.len, 0);
        while let Some(span) = F::split(payload, at).unwrap_or_else(|e| panic!("frame {frame}: {e}")) {
            let message = &payload[span.start..span.end];
            let mut leaves = Leaves::default();
            let layout = F::list(message, &mut leaves)
                .unwrap_or_else(|e| panic!("frame {frame} message {i}: {e}"))
                .unwrap_or_else(|| panic!("frame {frame} message {i}: unknown type {}", message[0]));
            let decoded = F::decode(message, &header, &mut |_: u64, _: Event<'_>| {});
            let Ok(Decoded::Message(index)) = decoded else {
                panic!("frame {frame} message {i}: {decoded:?}")
            };
            assert_eq!(F::MESSAGES[usize::from(index)].name, layout.name);
            let code = latin1(&[u8::try_from(layout.tag).unwrap()]);
            out.insert((*frame, i), (code, leaves.0));
            at = span.end;
            i += 1;
        }
        assert_eq!(i, header.count as usize, "frame {frame}: messages");
    }
    out
}

/// Compares a capture with its golden listing; answers how many messages were equal and which were left over.
fn compare<F: Feed>(capture: &Path, golden: &Path) -> (usize, Vec<Message>) {
    let mut ours = messages::<F>(&payloads(capture));
    let mut equal = 0;
    for line in open(golden).lines() {
        let line: GoldenMessage = serde_json::from_str(&line.unwrap()).unwrap();
        let at = (line.frame, line.i);
        let (code, values) =
            ours.remove(&at).unwrap_or_else(|| panic!("{}: no message {at:?}", golden.display()));
        assert_eq!(line.code.flat(), [code.as_str()], "{} {at:?}", golden.display());
        assert_eq!(line.fields.flat(), values, "{} {at:?} type {code}", golden.display());
        equal += 1;
    }
    (equal, ours.into_values().collect())
}

/// A session's messages and packets; answers the messages that the golden listing does not have.
fn session<F: Feed>(shared: &Path, capture: &str, expected: usize) -> Vec<Message> {
    let name = capture.split('.').next().unwrap();
    let path = shared.join("captures/sessions").join(capture);
    let golden = shared.join("golden/sessions");
    let (equal, left) = compare::<F>(&path, &golden.join(format!("{name}.ndjson.gz")));
    assert_eq!(equal, expected, "{name}");
    packets::<F>(&payloads(&path), &golden.join(format!("{name}.pkts.ndjson.gz")));
    left
}

/// Holds every packet's number and count to the golden packets, and the numbers to each other.
fn packets<F: Feed>(packets: &[(u32, Vec<u8>)], golden: &Path) {
    let mut lines = open(golden).lines();
    let mut next = None;
    for (frame, payload) in packets {
        let line: GoldenPacket = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let header = F::header(payload).unwrap();
        assert_eq!((*frame, header.sequence, header.count), (line.frame, line.seq, line.msgs));
        assert_eq!(header.kind == PacketKind::Heartbeat, header.count == 0, "frame {frame}");
        assert_eq!(next.unwrap_or(header.sequence), header.sequence, "frame {frame}: a gap");
        next = Some(header.sequence + u64::from(header.count));
    }
    assert!(lines.next().is_none(), "{}: packets left over", golden.display());
}

/// Every sample of a folder: how many messages were equal and which were left over.
fn samples<F: Feed>(shared: &Path, folder: &str) -> (usize, Vec<Message>) {
    let (mut equal, mut left) = (0, vec![]);
    for golden in std::fs::read_dir(shared.join("golden/messages").join(folder)).unwrap() {
        let golden = golden.unwrap().path();
        let stem = golden.file_stem().unwrap().to_str().unwrap();
        let capture = shared.join("captures/messages").join(folder).join(format!("{stem}.pcap"));
        let (e, l) = compare::<F>(&capture, &golden);
        equal += e;
        left.extend(l);
    }
    (equal, left)
}

#[test]
fn tops_session_is_equal() {
    let Some(shared) = shared() else { return };
    assert_eq!(session::<IexTops>(&shared, "iex_tops_v16_20170710.pcap", 46_299), []);
}

#[test]
fn tops_samples_are_equal() {
    let Some(shared) = shared() else { return };
    assert_eq!(samples::<IexTops>(&shared, "Iex/Tops.IexTp.v1.5"), (60, vec![]));
}

#[test]
fn deep_session_is_equal_and_what_the_listing_lacks_fits() {
    let Some(shared) = shared() else { return };
    let left = session::<IexDeep>(&shared, "iex_deep_20231002_preopen.pcap.gz", 37_016);
    // The golden listing does not know the retail liquidity indicator: 11,309 of 18 bytes each.
    assert_eq!(left.len(), 11_309);
    for (code, values) in left {
        assert_eq!(code, "I");
        let [indicator, timestamp, symbol]: [String; 3] = values.try_into().unwrap();
        assert!([" ", "A", "B", "C"].contains(&indicator.as_str()), "{indicator}");
        assert!(timestamp.starts_with("16962464"), "{timestamp}");
        assert!((1..=8).contains(&symbol.len()), "{symbol}");
    }
}

#[test]
fn deep_samples_are_equal() {
    let Some(shared) = shared() else { return };
    assert_eq!(samples::<IexDeep>(&shared, "Iex/Deep.IexTp.v1.0"), (1, vec![]));
}

#[test]
fn ice_session_is_equal() {
    let Some(shared) = shared() else { return };
    assert_eq!(session::<IceImpact>(&shared, "ice_impact_20180821.pcap", 21_933), []);
}

#[test]
fn ice_samples_are_equal() {
    let Some(shared) = shared() else { return };
    assert_eq!(samples::<IceImpact>(&shared, "Ice/Mdf.iMpact.v1.1.24"), (53, vec![]));
    assert_eq!(samples::<IceImpact>(&shared, "Ice/Mdf.iMpact.v1.1.33"), (29, vec![]));
}

/// How sure the three feeds are of a packet.
fn sure(payload: &[u8]) -> [u8; 3] {
    [IexTops::recognise(payload), IexDeep::recognise(payload), IceImpact::recognise(payload)]
}

/// Every packet is its own feed's alone, and no other venue's is taken for one of these.
#[test]
fn packets_are_recognised_as_one_feed() {
    let Some(shared) = shared() else { return };
    let root = shared.join("captures/messages");
    let (mut folders, mut seen) = (vec![root.clone()], [0; 4]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            let feed = match name {
                // Filed under DEEP, this sample carries the message protocol of TOPS.
                _ if name.ends_with("Deep.IexTp.v1.0/Error.Q.pcap") => 0,
                _ if name.starts_with("Iex/Tops.") => 0,
                _ if name.starts_with("Iex/Deep.") => 1,
                _ if name.starts_with("Ice/") => 2,
                _ => 3,
            };
            for (frame, payload) in payloads(&path) {
                let sure = sure(&payload);
                let expected = [0, 1, 2].map(|i| i == feed);
                assert_eq!(sure.map(|s| s >= 60), expected, "{name} frame {frame}: {sure:?}");
                assert_eq!(sure.iter().filter(|s| **s > 0).count(), usize::from(feed < 3), "{name} {frame}");
                seen[feed] += 1;
            }
        }
    }
    assert_eq!(seen[..3], [7, 2, 9]);
    assert!(seen[3] > 100, "{seen:?}");
}

/// Events of one frame, written out.
fn events<F: Feed>(packets: &[(u32, Vec<u8>)], frame: u32) -> Vec<String> {
    let (_, payload) = packets.iter().find(|(f, _)| *f == frame).unwrap();
    let header = F::header(payload).unwrap();
    let (mut at, mut out) = (header.len, vec![]);
    while let Some(span) = F::split(payload, at).unwrap() {
        let mut sink = |ts: u64, event: Event<'_>| out.push(format!("{ts} {event:?}"));
        F::decode(&payload[span.start..span.end], &header, &mut sink).unwrap();
        at = span.end;
    }
    out
}

#[test]
fn ice_bundle_with_a_partly_filled_order() {
    let Some(shared) = shared() else { return };
    let packets = payloads(&shared.join("captures/sessions/ice_impact_20180821.pcap"));
    // 5 of 15 trade: the trade takes the order, and a new order of 10 comes back; two implied orders shrink.
    let expected = [
        "1534846545132000000 Trade { key: Number(1660857), symbol: [], price: 24775, quantity: 5 }",
        "1534846545132000000 OrderDelete { key: Number(1660857), order: 5375646 }",
        "1534846545132154000 OrderPut { key: Number(1660857), order: 5383532, side: Bid, price: 24775, quantity: 10, known: false }",
        "1534846545132154000 OrderPut { key: Number(1660850), order: 9900000130925, side: Bid, price: 25150, quantity: 10, known: false }",
        "1534846545132154000 OrderPut { key: Number(5134899), order: 9900000125895, side: Ask, price: -225, quantity: 10, known: false }",
    ];
    assert_eq!(events::<IceImpact>(&packets, 2227), expected);
}

#[test]
fn ice_snapshot_with_its_orders() {
    let Some(shared) = shared() else { return };
    let path = "captures/messages/Ice/Mdf.iMpact.v1.1.33/SpecialFieldMessage.pcap";
    let expected = [
        "0 Snapshot { key: Number(5181771), last_sequence: Some(9942), instrument_sequence: None }",
        "0 State { scope: Instrument(Number(5181771)), symbol: [], state: Trading }",
        "1537808292970000000 OrderPut { key: Number(5181771), order: 4180542, side: Ask, price: 8200, quantity: 100000, known: false }",
        "1537808290342000000 OrderPut { key: Number(5181771), order: 4180541, side: Bid, price: 7700, quantity: 100000, known: false }",
        "1537805386472000000 OrderPut { key: Number(5181771), order: 4180543, side: Ask, price: 8000, quantity: 100000, known: false }",
    ];
    assert_eq!(events::<IceImpact>(&payloads(&shared.join(path)), 1), expected);
}

#[test]
fn ice_options_strategy_of_both_versions() {
    let Some(shared) = shared() else { return };
    let definition = |number: u64, symbol: &[u8], decimals: u8, tick_nanos: u64| {
        [
            format!(
                "0 Define(Definition {{ number: Some({number}), symbol: {symbol:?}, price_decimals: Some({decimals}), round_lot: None, tick_nanos: Some({tick_nanos}), listing: 0, group: [], test: false }})"
            ),
            format!("0 State {{ scope: Instrument(Number({number})), symbol: [], state: Trading }}"),
        ]
    };
    let path = "captures/messages/Ice/Mdf.iMpact.v1.1.33/NewOptionsStrategyDefinintionMessage.pcap";
    let expected = definition(97_179_687, b"TFM  56  97179687", 3, 5_000_000);
    assert_eq!(events::<IceImpact>(&payloads(&shared.join(path)), 1), expected);

    let path = "captures/messages/Ice/Mdf.iMpact.v1.1.24/NewOptionsStrategyDefinitionMessage.pcap";
    let level = "0 LevelAt { key: Number(90135571), ladder: Outright, action: New, side: Ask, position: 1, price: 98, quantity: 1, orders: 1 }";
    let older = events::<IceImpact>(&payloads(&shared.join(path)), 1);
    assert_eq!(older[0], level);
    assert_eq!(older[1..3], definition(93_447_547, b"WBS  22  93447547", 2, 10_000_000));
}

#[test]
fn deep_opens_with_system_hours() {
    let Some(shared) = shared() else { return };
    let packets = payloads(&shared.join("captures/sessions/iex_deep_20231002_preopen.pcap.gz"));
    let before = packets
        .iter()
        .take_while(|(frame, _)| *frame < 2233)
        .flat_map(|(frame, _)| events::<IexDeep>(&packets[*frame as usize - 1..], *frame));
    assert_eq!(before.filter(|e| e.contains("LevelSet") || e.contains("Trade {")).count(), 0);
    let hours = "1696248000001335597 State { scope: All, symbol: [], state: Trading }";
    assert_eq!(events::<IexDeep>(&packets, 2233), [hours]);
    let symbol = format!("{:?}", b"TBF");
    let levels = [
        format!(
            "1696248000183276502 LevelSet {{ key: Symbol({symbol}), side: Bid, price: 252000, quantity: 2982, partial: false }}"
        ),
        format!(
            "1696248000184416382 LevelSet {{ key: Symbol({symbol}), side: Ask, price: 254000, quantity: 2982, partial: false }}"
        ),
    ];
    assert_eq!(events::<IexDeep>(&packets, 2234), levels);
}

#[test]
fn tops_quote_and_trade() {
    let Some(shared) = shared() else { return };
    let sample = |name| payloads(&shared.join("captures/messages/Iex/Tops.IexTp.v1.5").join(name));
    let quote = format!(
        "1517065700930439360 Quote {{ key: Symbol({:?}), quoter: Venue, bid: Some((241900, 18773)), ask: Some((242500, 60677)), state: Some(Trading) }}",
        b"ATSG"
    );
    assert_eq!(events::<IexTops>(&sample("QuoteUpdateMessage.pcap"), 1), [quote]);
    let symbol = b"ZIEXT";
    let trade = format!(
        "1517059863763350264 Trade {{ key: Symbol({symbol:?}), symbol: {symbol:?}, price: 9998, quantity: 100 }}"
    );
    assert_eq!(events::<IexTops>(&sample("TradeReportMessage.pcap"), 1), [trade]);
    let symbol = b"JHMU";
    let state = format!(
        "1517066180254907889 State {{ scope: Instrument(Symbol({symbol:?})), symbol: {symbol:?}, state: Halted }}"
    );
    assert_eq!(events::<IexTops>(&sample("TradingStatusMessage.pcap"), 1), [state]);
}

/// A book for every market, and the orders that trades took.
#[derive(Default)]
struct Books {
    orders: HashMap<u64, HashMap<u64, (Side, i64)>>,
    touched: HashSet<u64>,
    taken: HashSet<(u64, u64)>,
    taken_known: usize,
    judged: usize,
}

impl Books {
    fn take(&mut self, event: Event<'_>, by_trade: bool) {
        match event {
            Event::OrderPut { key: Key::Number(market), order, side, price, .. } => {
                assert!(!self.taken.contains(&(market, order)), "order {order} of {market} is back");
                self.orders.entry(market).or_default().insert(order, (side, price));
                self.touched.insert(market);
            }
            Event::OrderDelete { key: Key::Number(market), order } => {
                let known = self.orders.entry(market).or_default().remove(&order).is_some();
                assert!(!self.taken.contains(&(market, order)), "order {order} of {market} goes again");
                self.touched.insert(market);
                if by_trade {
                    self.taken.insert((market, order));
                    self.taken_known += usize::from(known);
                }
            }
            _ => {}
        }
    }

    /// At the end of a bundle no market that it touched is crossed.
    fn judge(&mut self, frame: u32) {
        for market in self.touched.drain() {
            let prices = |want| self.orders[&market].values().filter(move |o| o.0 == want).map(|o| o.1);
            if let (Some(bid), Some(ask)) = (prices(Side::Bid).max(), prices(Side::Ask).min()) {
                self.judged += 1;
                assert!(bid < ask, "frame {frame}: market {market} is crossed, {bid} over {ask}");
            }
        }
    }
}

/// What the README says of trades and bundles.
#[test]
fn ice_trades_take_their_orders_and_no_bundle_leaves_a_market_crossed() {
    let Some(shared) = shared() else { return };
    let (mut books, mut in_bundle) = (Books::default(), false);
    for (frame, payload) in payloads(&shared.join("captures/sessions/ice_impact_20180821.pcap")) {
        let header = IceImpact::header(&payload).unwrap();
        let mut at = header.len;
        while let Some(span) = IceImpact::split(&payload, at).unwrap() {
            let message = &payload[span.start..span.end];
            at = span.end;
            let by_trade = message[0] == b'G';
            let mut sink = |_: u64, event: Event<'_>| books.take(event, by_trade);
            IceImpact::decode(message, &header, &mut sink).unwrap();
            if message[0] == b'T' {
                in_bundle = message[3] == b'S';
            }
            if !in_bundle {
                books.judge(frame);
            }
        }
    }
    assert_eq!((books.taken.len(), books.taken_known, books.judged), (24, 22, 7_231));
}
