//! What each fuzz target does with its bytes, and what must hold whatever they are.
//!
//! Panics, overflows, hangs and growing memory are found by the fuzzer itself; here stand the promises that only a
//! look at the answer can break.

use std::io::Cursor;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;

use feeds::event::Event;
use feeds::feed::{Decoded, PacketHeader, PacketKind};
use feeds::frame::{LinkType, Parsed};
use feeds::wire::{Value, Visitor};
use feeds::{ALL, Feed, FeedId, FeedVisitor};
use parallax::config::Config;
use parallax::config::map;
use parallax::identify::{Limits, config_toml, identify as identify_captures, table};
use parallax::latency::Recorder;
use parallax::pipeline::{Pipeline, Settings};
use parallax::rules::{Banded, Book};
use parallax::source::{Captures, Datagram, HardwareTimestamps, Options, Transport, read_bytes};

/// Any feed of the catalogue, by the first byte; packets when the second byte is even, a bare message when it is odd.
///
/// `FUZZ_FEED` names one feed of the catalogue, which then gets every input: a run's time is that feed's alone.
pub fn feed(bytes: &[u8]) {
    let [select, mode, rest @ ..] = bytes else { return };
    let feed = only_feed().unwrap_or(ALL[usize::from(*select) % ALL.len()]);
    feed.with(Exercise { bytes: rest, bare: mode % 2 == 1 });
}

fn only_feed() -> Option<FeedId> {
    static ONLY: OnceLock<Option<FeedId>> = OnceLock::new();
    *ONLY.get_or_init(|| {
        let name = std::env::var("FUZZ_FEED").ok()?;
        Some(FeedId::from_name(&name).unwrap_or_else(|| panic!("FUZZ_FEED={name}: no feed of this name")))
    })
}

struct Exercise<'a> {
    bytes: &'a [u8],
    bare: bool,
}

impl FeedVisitor for Exercise<'_> {
    type Output = ();

    fn visit<F: Feed>(self) {
        let Exercise { bytes, bare } = self;
        if bare {
            let header = PacketHeader {
                session: 0,
                sequence: 1,
                count: 1,
                kind: PacketKind::Data,
                ts_send_ns: None,
                len: 0,
                sequence_bits: 64,
            };
            return message::<F>(bytes, &header);
        }
        let sure = F::recognise(bytes);
        assert!(sure <= 100);
        let Ok(header) = F::header(bytes) else {
            assert_eq!(sure, 0, "recognised without a header");
            return;
        };
        assert!(header.len <= bytes.len());
        let mut at = header.len;
        while let Ok(Some(span)) = F::split(bytes, at) {
            assert!(at <= span.start && span.start <= span.end && span.end <= bytes.len());
            assert!(span.end > at, "no way forward");
            message::<F>(&bytes[span.start..span.end], &header);
            at = span.end;
        }
    }
}

fn message<F: Feed>(message: &[u8], header: &PacketHeader) {
    let mut listing = Listing::default();
    let described = F::describe(message).map(|d| d.map(|d| d.layout.name));
    let listed = F::list(message, &mut listing).map(|l| l.map(|l| l.name));
    if listed.is_ok() {
        assert_eq!(described, listed, "described and listed differ");
        assert_eq!(listing.open, 0, "a group that does not end");
    }
    let mut events = 0usize;
    let decoded = F::decode(message, header, &mut |_: u64, _: Event<'_>| events += 1);
    assert!(events <= 8 + 2 * message.len(), "{events} events of {} bytes", message.len());
    match decoded {
        Ok(Decoded::Message(i)) => assert!(usize::from(i) < F::MESSAGES.len()),
        Ok(Decoded::Unknown(_)) => assert_eq!(described, Ok(None), "unknown but described"),
        Err(_) => {}
    }
}

/// Counts what is open, and looks at every value.
#[derive(Default)]
struct Listing {
    open: usize,
    bytes: usize,
}

impl Visitor for Listing {
    fn field(&mut self, _: &'static str, value: Value<'_>) {
        if let Value::Text(text) | Value::Bytes(text) = value {
            self.bytes += text.len();
        }
    }
    fn begin_group(&mut self, _: &'static str) {
        self.open += 1;
    }
    fn begin_entry(&mut self) {
        self.open += 1;
    }
    fn end_entry(&mut self) {
        self.open -= 1;
    }
    fn end_group(&mut self) {
        self.open -= 1;
    }
}

/// MoldUDP64 framing alone.
pub fn moldudp64(bytes: &[u8]) {
    let sure = feeds::moldudp64::recognise(bytes);
    let Ok(header) = feeds::moldudp64::header(bytes) else {
        assert_eq!(sure, 0);
        return;
    };
    framing(bytes, header.len, feeds::moldudp64::split);
}

/// IEX-TP framing alone.
pub fn iextp(bytes: &[u8]) {
    const IDS: &[u16] = &[0x8002, 0x8003, 0x8004];
    let sure = feeds::iextp::recognise(bytes, IDS);
    let Ok(header) = feeds::iextp::header(bytes, IDS) else {
        assert_eq!(sure, 0);
        return;
    };
    framing(bytes, header.len, feeds::iextp::split);
}

fn framing(
    bytes: &[u8],
    from: usize,
    split: impl Fn(&[u8], usize) -> Result<Option<feeds::feed::Span>, feeds::wire::WireError>,
) {
    let mut at = from;
    while let Ok(Some(span)) = split(bytes, at) {
        assert!(at <= span.start && span.start <= span.end && span.end <= bytes.len());
        assert!(span.end > at, "no way forward");
        at = span.end;
    }
}

/// A frame of the link type that the first byte chooses.
pub fn frame(bytes: &[u8]) {
    const LINKS: [LinkType; 8] = [
        LinkType::Ethernet,
        LinkType::LinuxSll,
        LinkType::LinuxSll2,
        LinkType::RawIp,
        LinkType::RawIpv4,
        LinkType::RawIpv6,
        LinkType::Null,
        LinkType::Loop,
    ];
    let [select, frame @ ..] = bytes else { return };
    match feeds::frame::parse(LINKS[usize::from(*select) % LINKS.len()], frame) {
        Ok(Parsed::Fragment(fragment)) => {
            let _ = feeds::frame::parse_reassembled(&fragment.key, fragment.bytes);
        }
        Ok(Parsed::Segment(_)) | Err(_) => {}
    }
}

/// What is read of a capture may cost time in proportion to its bytes, never more.
fn capture(bytes: &[u8]) {
    for (sort_window, hardware_timestamps) in
        [(true, HardwareTimestamps::None), (false, HardwareTimestamps::ExablazeHpt)]
    {
        let options = Options { sort_window, hardware_timestamps, tcp: true, ..Options::default() };
        if let Ok(counts) = read_bytes(bytes, &options) {
            assert!(counts.packets <= bytes.len() as u64 || compressed_magic(bytes));
        }
    }
}

fn compressed_magic(bytes: &[u8]) -> bool {
    let magics: [&[u8]; 5] =
        [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\xfd7zXZ", b"\x50\x2a\x4d\x18"];
    magics.iter().any(|magic| bytes.starts_with(magic)) || bytes.get(1..4) == Some(b"\x2a\x4d\x18")
}

/// A pcap behind the magic number that the first byte chooses.
pub fn pcap(bytes: &[u8]) {
    const MAGICS: [[u8; 4]; 4] = [
        [0xD4, 0xC3, 0xB2, 0xA1],
        [0x4D, 0x3C, 0xB2, 0xA1],
        [0xA1, 0xB2, 0xC3, 0xD4],
        [0xA1, 0xB2, 0x3C, 0x4D],
    ];
    let [select, rest @ ..] = bytes else { return };
    capture(&[&MAGICS[usize::from(*select) % MAGICS.len()], rest].concat());
}

/// A pcapng behind its magic number.
pub fn pcapng(bytes: &[u8]) {
    capture(&[&[0x0A, 0x0D, 0x0D, 0x0A], bytes].concat());
}

/// Bytes that have no magic number.
pub fn binaryfile(bytes: &[u8]) {
    capture(bytes);
}

/// A compressed stream of the format that the first byte chooses.
pub fn compressed(bytes: &[u8]) {
    const MAGICS: [&[u8]; 4] = [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"\xfd7zXZ\0"];
    let [select, rest @ ..] = bytes else { return };
    capture(&[MAGICS[usize::from(*select) % MAGICS.len()], rest].concat());
}

/// A capture is identified, and the configuration that comes of it is one.
pub fn identify(bytes: &[u8]) {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let Ok(mut captures) = Captures::from_readers(vec![("fuzz".to_owned(), stream)], &Options::default())
    else {
        return;
    };
    let limits = Limits { datagrams: 10_000, groups: 16, ..Limits::default() };
    let Ok(found) = identify_captures(&mut captures, limits) else { return };
    assert!(!table(&found).is_empty());
    let text = config_toml(&found);
    if !found.channels.is_empty() {
        let config = Config::parse("identified", &text, std::path::Path::new(".")).expect("a configuration");
        let lines = |config: &Config| {
            let channels = config.sources.iter().flat_map(|source| &source.channels);
            channels.map(|channel| channel.lines.len()).sum::<usize>()
        };
        assert_eq!(lines(&config), found.channels.iter().map(|c| c.lines.len()).sum::<usize>());
    }
}

/// A configuration: read, or refused with a line of it.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A map would be read from the disk.
    if text.contains("map") {
        return;
    }
    if let Err(error) = Config::parse("fuzz", text, std::path::Path::new("/nonexistent")) {
        assert!((1..=text.lines().count() + 1).contains(&error.line), "{error}");
    }
}

/// A book of rules: refused with a line of it, or laid over the shipped one and asked at any time. The first nine bytes say
/// when, and at what price.
pub fn rules(bytes: &[u8]) {
    let Some((when, text)) = bytes.split_at_checked(9) else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let book = match Book::with_text("fuzz", text) {
        Ok(book) => book,
        Err(error) => {
            assert!((1..=text.lines().count() + 1).contains(&error.line), "{error}");
            return;
        }
    };
    let word = u64::from_le_bytes(when[..8].try_into().expect("eight bytes"));
    // Most times lie in the years that the book is about.
    let ts_ns = if when[8] % 4 == 0 {
        word.min(u64::MAX - 1)
    } else {
        1_300_000_000_000_000_000 + word % 600_000_000_000_000_000
    };
    for market in book.markets() {
        let session = book.session(&market.name, ts_ns);
        assert!(session.from_ns <= ts_ns && ts_ns < session.until_ns, "{} {ts_ns}", market.name);
        assert_eq!(book.session(&market.name, session.until_ns - 1).state, session.state, "{}", market.name);
        let (day, price) = (session.day.date, word as i64);
        let _ = book.tick(&market.name, "", price, day);
        let _ = book.round_lot(&market.name, Some(price), day);
        let close = (word % 3 > 0).then_some(price.rotate_left(7));
        let banded = Banded { tier: "tier-1", previous_close_nanos: close, leverage: word };
        let _ = book.bands(&market.name, banded, price, ts_ns);
    }
    book.rows().iter().for_each(|row| drop(row.facts()));
}

/// An instrument map for two sources: read, or refused in one sentence.
pub fn map(bytes: &[u8]) {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let source = |name: &str, octet| {
            format!("[[source]]\nname = \"{name}\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n[[source.channel]]\nname = \"c\"\nlines = [{{ name = \"A\", group = \"224.0.0.{octet}:1\" }}]\n")
        };
        Config::parse("fuzz", &(source("x", 1) + &source("y", 2)), Path::new(".")).expect("a valid configuration")
    });
    match map::read_from("fuzz", bytes, &config.sources) {
        Ok(read) => assert!(read.rows.iter().all(|row| row.source < 2 && !row.symbol.is_empty())),
        Err(sentence) => assert!(sentence.starts_with("fuzz") && !sentence.is_empty(), "{sentence}"),
    }
}

/// Datagrams of all feeds through the whole pipeline, two sources of the chosen feed with two lines each. Every chunk
/// of the input is one datagram: where it goes, how much later, what kind of header, and its messages.
pub fn pipeline(bytes: &[u8]) {
    let [select, rest @ ..] = bytes else { return };
    let feed = ALL[usize::from(*select) % ALL.len()];
    let name = feed.info().name;
    let mut text = String::new();
    for (source, octet) in [("x", 1), ("y", 2)] {
        text += &format!(
            "[[source]]\nname = \"{source}\"\nfeed = \"{name}\"\n[[source.channel]]\nname = \"c\"\nlines = [{{ name = \"A\", group = \"224.0.0.{octet}:1\" }}, {{ name = \"B\", group = \"224.0.0.{octet}:2\" }}]\n"
        );
    }
    let config = Config::parse("fuzz", &text, Path::new(".")).expect("a valid configuration");
    let settings = Settings { quotes: true, ..Settings::default() };
    let mut pipeline = Pipeline::new(&config, settings, Recorder::without_log());
    let (mut rest, mut ts, mut frame) = (rest, 1_700_000_000_000_000_000u64, 0u64);
    while let [line, later, len, tail @ ..] = rest {
        let (body, next) = tail.split_at(usize::from(*len).min(tail.len()));
        rest = next;
        frame += 1;
        ts += u64::from(*later) * u64::from(*later) * 50_000;
        let payload = framed(feed, body);
        pipeline.on_datagram(&Datagram {
            ts_recv_ns: ts,
            capture: 0,
            frame,
            transport: Transport::Udp,
            source: SocketAddr::from(([10, 0, 0, 1], 1)),
            destination: SocketAddr::from(([224, 0, 0, 1 + (line >> 1 & 1)], 1 + u16::from(line & 1))),
            payload: &payload,
            wire_len: payload.len() as u32,
            checksum: 0,
            identification: 0,
            interface: 0,
            interface_name: "",
            lost: parallax::source::Lost::default(),
        });
    }
    pipeline.finish();
    assert_eq!(pipeline.judge.comparator.desk.alerts.open(), 0, "every alert is cleared at the end");
    let alerts = String::from_utf8(std::mem::take(pipeline.take_alerts())).expect("records are text");
    let (mut raised, mut cleared) = (0, 0);
    for line in alerts.lines() {
        raised += u32::from(line.contains("\"event\":\"raised\""));
        cleared += u32::from(line.contains("\"event\":\"cleared\""));
    }
    assert_eq!(raised, cleared, "every alert is cleared once");
}

/// A packet of one message with a small sequence number (the first byte of `body`), so that the numbers meet; bodies
/// with an odd first byte go as they are.
fn framed(feed: feeds::FeedId, body: &[u8]) -> Vec<u8> {
    let [number, message @ ..] = body else { return Vec::new() };
    if number % 2 == 1 {
        return message.to_vec();
    }
    let sequence = u64::from(number / 2) + 1;
    let short = message.len() as u16;
    let mut out = Vec::new();
    match feed.info().transport {
        t if t.contains("MoldUDP64") => {
            out.extend_from_slice(b"FUZZSESS01");
            out.extend_from_slice(&sequence.to_be_bytes());
            out.extend_from_slice(&1u16.to_be_bytes());
            out.extend_from_slice(&short.to_be_bytes());
        }
        t if t.contains("IEX") => {
            let protocol: u16 = if feed.info().name == "iex-deep" { 0x8004 } else { 0x8003 };
            out.extend_from_slice(&[1, 0]);
            out.extend_from_slice(&protocol.to_le_bytes());
            out.extend_from_slice(&[1, 0, 0, 0, 7, 0, 0, 0]);
            out.extend_from_slice(&(short + 2).to_le_bytes());
            out.extend_from_slice(&1u16.to_le_bytes());
            out.extend_from_slice(&[0; 8]);
            out.extend_from_slice(&sequence.to_le_bytes());
            out.extend_from_slice(&[0; 8]);
            out.extend_from_slice(&short.to_le_bytes());
        }
        _ if feed.info().name == "ice-impact" => {
            out.extend_from_slice(&[0, 1]);
            out.extend_from_slice(&(sequence as u32).to_be_bytes());
            out.extend_from_slice(&1u16.to_be_bytes());
            out.extend_from_slice(&[0; 8]);
        }
        _ => {
            out.extend_from_slice(&(sequence as u32).to_le_bytes());
            out.extend_from_slice(&[0; 8]);
        }
    }
    out.extend_from_slice(message);
    out
}
