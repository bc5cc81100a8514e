//! One piece of work that a profiler can count: `valgrind --tool=callgrind --toggle-collect=count::measured_PART` around it
//! counts the instructions of the work and not those of making ready. `benches/instructions.py` runs them all.
//!
//! `count PART` says how many units it did, messages or updates, as a number on standard output. All of it is from a seed and
//! nothing depends on the time, so that a machine says the same number every time, whatever else it does.

#[allow(dead_code, reason = "of the parts of a day only its books are wanted here")]
mod itch_day {
    pub mod fields;
    pub mod parts;
}
mod session;

use std::hint::black_box;
use std::process::ExitCode;

use feeds::Feed;
use feeds::event::{Event, Side, TradingState};
use feeds::feed::{PacketHeader, PacketKind};
use feeds::nasdaq_itch50::Itch50;
use itch_day::parts::{BARE, Day};
use parallax::latency::Recorder;
use parallax::line::{Arrival, Channel, ChannelConfig, LineEvent, LineSink};
use parallax::market::{Level, Origin, Quality, Quote};
use parallax::pipeline::{Pipeline, Settings};
use parallax::shm::{Image, Papers, Reader, Shape, SlotId, Writer, book_path};
use parallax::simulate::Sent;
use session::session;

/// Updates of what has no messages.
const UPDATES: u64 = 10_000;

/// The venue's messages as one row of bytes, a length before each.
fn messages() -> Vec<u8> {
    let mut bytes = Vec::new();
    for sent in session(1_000_000_000, 30_000).iter().filter(|sent| sent.line == 0) {
        let at = Itch50::header(&sent.payload).expect("made well").len;
        bytes.extend_from_slice(&sent.payload[at..]);
    }
    bytes
}

fn walk(bytes: &[u8], mut each: impl FnMut(&[u8])) -> u64 {
    let mut count = 0;
    itch_day::parts::walk(bytes, |message| {
        count += 1;
        each(message);
    });
    count
}

#[inline(never)]
fn measured_framing(bytes: &[u8]) -> u64 {
    walk(bytes, |message| {
        black_box(message.len());
    })
}

#[inline(never)]
fn measured_decode(bytes: &[u8]) -> u64 {
    walk(bytes, |message| {
        let decoded = Itch50::decode(message, &BARE, &mut |ts: u64, event: Event<'_>| {
            black_box((ts, &event));
        });
        debug_assert!(decoded.is_ok());
    })
}

#[inline(never)]
fn measured_book(day: &mut Day, bytes: &[u8]) -> u64 {
    walk(bytes, |message| day.take(message))
}

struct Taken(u64);

impl LineSink for Taken {
    fn deliver(&mut self, _: &Arrival, _: &PacketHeader, payload: &[u8], _: u32, take: u32) {
        black_box(payload);
        self.0 += u64::from(take);
    }

    fn line_event(&mut self, _: u64, event: LineEvent) {
        black_box(event);
    }
}

/// Ten messages a packet, a copy of it on a second line.
#[inline(never)]
fn measured_line(channel: &mut Channel, payload: &[u8]) -> u64 {
    let mut taken = Taken(0);
    for at in 0..UPDATES / 10 {
        let header = PacketHeader {
            session: 1,
            sequence: 1 + at * 10,
            count: 10,
            kind: PacketKind::Data,
            ts_send_ns: None,
            len: 20,
            sequence_bits: 64,
        };
        for line in 0..2 {
            let now_ns = at * 1_000 + line as u64 * 300;
            let arrival = Arrival { now_ns, ts_recv_ns: now_ns, line, capture: 0, frame: at };
            channel.on_packet(&arrival, &header, payload, &mut taken);
        }
    }
    taken.0
}

#[inline(never)]
fn measured_publish(writer: &mut Writer, slot: SlotId, image: &Image) -> u64 {
    (0..UPDATES).for_each(|_| writer.publish(slot, black_box(image)));
    UPDATES
}

#[inline(never)]
fn measured_read(reader: &Reader, slot: SlotId, image: &mut Image) -> u64 {
    for _ in 0..UPDATES {
        let updates = reader.read_into(slot, image);
        black_box((&mut *image, updates)).1.expect("nobody writes");
    }
    UPDATES
}

#[inline(never)]
fn measured_read_top(reader: &Reader, slot: SlotId, image: &mut Image) -> u64 {
    for _ in 0..UPDATES {
        let updates = reader.read_top_into(slot, image);
        black_box((&mut *image, updates)).1.expect("nobody writes");
    }
    UPDATES
}

fn shared(what: &str) -> u64 {
    let dir = tempfile::tempdir().expect("a folder");
    let papers = Papers { name: "count", source: "direct", feed: "nasdaq-itch-5.0", venue: Some("XNAS") };
    let shape = Shape { slots: 4, levels: 5 };
    let mut writer = Writer::create(dir.path(), &papers, shape, 1).expect("a book can be made");
    let slot = writer.add("A", Some("XNAS")).expect("room");
    let level = |away: i64| Level { price: 189_970_000_000 + away * 10_000_000, quantity: 100 };
    let best = [Some(level(0)), Some(level(1))];
    let quote = Quote { best, round_lot: best, quality: Quality::Ok };
    let mut image = Image::new(&quote, TradingState::Trading, &Origin::default(), 1);
    for away in 0..5 {
        image.push(Side::Bid, level(-away));
        image.push(Side::Ask, level(1 + away));
    }
    if what == "publish" {
        return measured_publish(&mut writer, slot, &image);
    }
    writer.publish(slot, &image);
    let reader = Reader::open(&book_path(dir.path(), "count", "direct")).expect("it is a book");
    match what {
        "read" => measured_read(&reader, slot, &mut image),
        _ => measured_read_top(&reader, slot, &mut image),
    }
}

/// All of it, from datagrams to the checks.
#[inline(never)]
fn measured_pipeline(pipeline: &mut Pipeline, session: &[Sent]) {
    session::take(pipeline, session);
}

fn pipeline() -> u64 {
    let mut pipeline = Pipeline::new(&session::config(), Settings::default(), Recorder::without_log());
    measured_pipeline(&mut pipeline, &session(1_000_000_000, 30_000));
    session::delivered(&pipeline)
}

fn main() -> ExitCode {
    let part = std::env::args().skip(1).find(|a| !a.starts_with("--")).unwrap_or_default();
    let units = match part.as_str() {
        "framing" => measured_framing(&messages()),
        "decode" => measured_decode(&messages()),
        "book" => measured_book(&mut Day::new(0), &messages()),
        "line" => {
            let config = ChannelConfig { lines: 2, ..ChannelConfig::default() };
            measured_line(&mut Channel::new(&config), &[7; 700])
        }
        "publish" | "read" | "read-top" => shared(&part),
        "pipeline" => pipeline(),
        _ => {
            // `cargo bench` measures nothing here: what is counted is counted by valgrind.
            println!(
                "count: framing, decode, book, line, publish, read, read-top or pipeline; see benches/README.md"
            );
            return ExitCode::SUCCESS;
        }
    };
    println!("{units}");
    ExitCode::SUCCESS
}
