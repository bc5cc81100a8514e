//! Shared-memory books across real processes and real files: writers that are killed, files that are none, and the
//! readers in C and Python, which must say the same as ours.
//!
//! A writer in another process is this test binary again, told by the environment to be one.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read as _};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use feeds::event::{Side, TradingState};
use parallax::market::{Level, Origin, Quality, Quote};
use parallax::shm::layout::{WORD, header};
use parallax::shm::{
    Image, Papers, ReadError, Reader, STALE_AFTER_NS, Shape, ShmError, SlotId, Writer, WriterState,
    book_path, books_in,
};
use parallax::source::clock;

const NOW_NS: u64 = 1_700_000_000_000_000_000;
const SHAPE: Shape = Shape { slots: 8, levels: 5 };
const HELPER: &str = "PARALLAX_TEST_SHM_WRITER";

fn papers(source: &str) -> Papers<'_> {
    Papers { name: "test", source, feed: "nasdaq-itch-5.0", venue: Some("XNAS") }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

/// An image that is told wholly by one number.
fn image_of(n: u64) -> Image {
    let level = |salt: u64| {
        let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(salt as u32) ^ salt;
        Level { price: mixed.cast_signed(), quantity: !mixed }
    };
    let present = |salt: u64| (n >> salt & 1 == 0).then(|| level(salt));
    let quote = Quote {
        best: [present(1), present(2)],
        round_lot: [present(3), present(4)],
        quality: if n.is_multiple_of(3) { Quality::Ok } else { Quality::Suspect },
    };
    let state = if n.is_multiple_of(5) { TradingState::Trading } else { TradingState::Halted };
    let origin = Origin { ts_event_ns: n + 1, ts_recv_ns: n + 2, sequence: n, capture: 7, frame: n + 3 };
    let mut image = Image::new(&quote, state, &origin, n + 4);
    for salt in 0..n % 6 {
        image.push(Side::Bid, level(10 + salt));
        image.push(Side::Ask, level(20 + salt));
    }
    image
}

/// The writer of [`Hammer`]; by itself it does nothing.
#[test]
fn helper_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(HELPER) else { return };
    // When the test that started it is gone, its standard input ends, and so does this.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let mut writer =
        Writer::create(Path::new(&dir), &papers("hammer"), SHAPE, clock::wall_now_ns()).expect("made");
    let slots = ["A", "B"].map(|name| writer.add(name, Some("XNAS")).expect("there is room"));
    for n in 1_u64.. {
        slots.iter().for_each(|slot| writer.publish(*slot, &image_of(n)));
        if n % 4096 == 1 {
            writer.heartbeat(clock::wall_now_ns());
        }
        if n == 1 {
            println!("ready");
        }
    }
}

/// A process that writes as fast as it can.
struct Hammer(Child);

impl Hammer {
    fn start(dir: &Path) -> Hammer {
        let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
        command.args(["--exact", "helper_writes_until_it_is_killed", "--nocapture"]).env(HELPER, dir);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it has an output")).lines();
        assert!(
            lines.any(|line| line.expect("it is text").contains("ready")),
            "the writer ended before it wrote"
        );
        Hammer(child)
    }

    /// SIGKILL. The process stays a zombie until it is buried.
    fn kill(&mut self) {
        self.0.kill().expect("it can be killed");
    }

    fn bury(&mut self) {
        self.0.wait().expect("it ends");
    }
}

impl Drop for Hammer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn assert_whole(read: &Result<parallax::shm::Read, ReadError>, last: &mut u64) {
    match read {
        Ok(read) => {
            let n = read.image.origin().sequence;
            assert_eq!((read.updates, &read.image), (n, &image_of(n)), "a mixture");
            assert!(n >= *last, "{n} after {last}: backwards");
            *last = n;
        }
        Err(ReadError::Torn) => {}
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn writers_that_are_killed_leave_whole_books_or_torn_ones() {
    let dir = folder();
    let path = book_path(dir.path(), "test", "hammer");
    let (mut epoch, mut torn) = (0, 0);
    for round in 0..25 {
        let mut hammer = Hammer::start(dir.path());
        let reader = Reader::open(&path).expect("it is a book");
        assert!(reader.title().epoch > epoch, "round {round}");
        epoch = reader.title().epoch;
        assert_eq!(reader.title().writer.pid, u64::from(hammer.0.id()));
        let slots = ["A", "B"].map(|name| reader.find(name, Some("XNAS")).expect("it is there"));
        let mut last = [0; 2];
        for n in 0..2_000 + 97 * round {
            assert_whole(&reader.read(slots[n % 2]), &mut last[n % 2]);
        }
        assert!(last[0] > 0 || last[1] > 0, "every read met a write");
        assert_ne!(reader.writer_state(clock::wall_now_ns()), WriterState::Dead { closed: true });
        hammer.kill();
        hammer.bury();
        // Its time does not matter: a dead process is dead at once, and for ever.
        for now_ns in [0, clock::wall_now_ns(), u64::MAX] {
            assert_eq!(reader.writer_state(now_ns), WriterState::Dead { closed: false });
        }
        for (slot, last) in slots.iter().zip(&mut last) {
            let found = reader.read(*slot);
            assert_whole(&found, last);
            torn += u32::from(found == Err(ReadError::Torn));
        }
        assert!(!reader.replaced());
    }
    println!("{torn} slots of 50 were left in mid-write");
    let reader = Reader::open(&path).expect("it is a book");
    let writer =
        Writer::create(dir.path(), &papers("hammer"), SHAPE, NOW_NS).expect("the dead one's is replaced");
    assert!(reader.replaced());
    drop(writer);
    let left: Vec<PathBuf> =
        fs::read_dir(dir.path()).expect("listed").map(|e| e.expect("an entry").path()).collect();
    assert_eq!(left, [path]);
}

#[test]
fn a_writer_that_dies_within_a_write_leaves_a_torn_slot() {
    let dir = folder();
    let mut hammer = Hammer::start(dir.path());
    hammer.kill();
    hammer.bury();
    let path = book_path(dir.path(), "test", "hammer");
    let reader = Reader::open(&path).expect("it is a book");
    let slot = reader.find("A", Some("XNAS")).expect("it is there");
    // What an unlucky moment leaves: the announcement of a write, and half of it.
    let file = OpenOptions::new().write(true).open(&path).expect("it can be opened");
    let at = (SHAPE.slot_at(slot.index()) * WORD) as u64;
    file.write_all_at(&u64::MAX.to_ne_bytes(), at).expect("written");
    assert_eq!(reader.read(slot), Err(ReadError::Torn));
    assert_eq!(reader.writer_state(clock::wall_now_ns()), WriterState::Dead { closed: false });
    let mut writer = Writer::create(dir.path(), &papers("hammer"), SHAPE, NOW_NS).expect("it is replaced");
    let slot = writer.add("A", Some("XNAS")).expect("there is room");
    writer.publish(slot, &image_of(1));
    assert_eq!(Reader::open(&path).expect("a book").read(slot).map(|r| r.image), Ok(image_of(1)));
}

#[test]
fn a_zombie_is_dead() {
    let dir = folder();
    let mut hammer = Hammer::start(dir.path());
    let reader = Reader::open(&book_path(dir.path(), "test", "hammer")).expect("it is a book");
    hammer.kill();
    // It is not buried yet; but it may take its time to die, and closes its output when it does.
    let mut state = reader.writer_state(NOW_NS);
    for _ in 0..1_000_000 {
        if state == (WriterState::Dead { closed: false }) {
            break;
        }
        std::thread::yield_now();
        state = reader.writer_state(NOW_NS);
    }
    assert_eq!(state, WriterState::Dead { closed: false });
    hammer.bury();
}

#[test]
fn two_writers_are_kept_apart() {
    let dir = folder();
    let first = Writer::create(dir.path(), &papers("direct"), SHAPE, NOW_NS).expect("made");
    let second = Writer::create(dir.path(), &papers("direct"), SHAPE, NOW_NS);
    let own = u64::from(std::process::id());
    assert!(matches!(&second, Err(ShmError::Taken { pid, .. }) if *pid == own), "{second:?}");
    let _other = Writer::create(dir.path(), &papers("other"), SHAPE, NOW_NS).expect("another source");
    let reader = Reader::open(&book_path(dir.path(), "test", "direct")).expect("a book");
    assert_eq!(reader.title().epoch, NOW_NS);
    first.close(NOW_NS + 9);
    assert_eq!(reader.writer_state(u64::MAX), WriterState::Dead { closed: true });
    // The clock has been set back, and the epoch still grows.
    let third = Writer::create(dir.path(), &papers("direct"), SHAPE, 5).expect("the closed one is replaced");
    let again = Reader::open(&book_path(dir.path(), "test", "direct")).expect("a book");
    assert_eq!((again.title().epoch, again.title().created_ns), (NOW_NS + 1, 5));
    assert!(reader.replaced() && !again.replaced());
    assert_eq!(third.path(), Some(book_path(dir.path(), "test", "direct").as_path()));
    let names: Vec<_> = books_in(dir.path()).expect("listed");
    assert_eq!(names, ["direct", "other"].map(|s| book_path(dir.path(), "test", s)));
}

#[test]
fn a_living_process_that_stops_writing_is_stale() {
    let dir = folder();
    let mut writer = Writer::create(dir.path(), &papers("direct"), SHAPE, NOW_NS).expect("made");
    let reader = Reader::open(&book_path(dir.path(), "test", "direct")).expect("a book");
    assert_eq!(reader.writer_state(NOW_NS + STALE_AFTER_NS), WriterState::Alive);
    writer.heartbeat(NOW_NS + 1);
    let age_ns = STALE_AFTER_NS + 1;
    assert_eq!(reader.writer_state(NOW_NS + 1 + age_ns), WriterState::Stale { age_ns });
    assert_eq!(reader.writer_state(NOW_NS + age_ns), WriterState::Alive);
}

#[test]
fn names_and_shapes_that_cannot_be_are_refused() {
    let dir = folder();
    let long = "x".repeat(65);
    for source in ["", "a/b", ".hidden", "line\nfeed", long.as_str()] {
        let made = Writer::create(dir.path(), &papers(source), SHAPE, NOW_NS);
        assert!(matches!(made, Err(ShmError::Name { what: "the source", .. })), "{source:?}: {made:?}");
    }
    for shape in [
        Shape { slots: 0, levels: 5 },
        Shape { slots: usize::MAX, levels: 5 },
        Shape { slots: 1, levels: 11 },
    ] {
        let made = Writer::create(dir.path(), &papers("direct"), shape, NOW_NS);
        assert!(matches!(made, Err(ShmError::Shape { .. })), "{shape:?}: {made:?}");
    }
    let made = Writer::create(Path::new("/proc/no/such"), &papers("direct"), SHAPE, NOW_NS);
    assert!(matches!(made, Err(ShmError::Io { .. })), "{made:?}");
    assert_eq!(books_in(dir.path()).expect("listed"), Vec::<PathBuf>::new());
    assert_eq!(books_in(&dir.path().join("absent")).expect("nothing is there"), Vec::<PathBuf>::new());
}

#[test]
fn what_is_no_book_is_refused_with_a_sentence() {
    let dir = folder();
    let path = book_path(dir.path(), "test", "direct");
    Writer::create(dir.path(), &papers("direct"), SHAPE, NOW_NS).expect("made").close(NOW_NS);
    let whole = fs::read(&path).expect("it can be read");
    let with = |word: usize, value: u64| {
        let mut bytes = whole.clone();
        bytes[word * WORD..][..WORD].copy_from_slice(&value.to_ne_bytes());
        bytes
    };
    let swapped = u64::from_ne_bytes(*b"PLXBOOK\n").swap_bytes();
    let cases = [
        (Vec::new(), "is no shared book: 0 bytes are no header"),
        (whole[..1023].to_vec(), "is no shared book: 1023 bytes are no header"),
        (vec![b'x'; 4096], "is no shared book: it does not begin with PLXBOOK"),
        (with(header::MAGIC, swapped), "was written by a machine of the other byte order"),
        (with(header::VERSION, 2), "has layout version 2, and this program reads version 1"),
        (with(header::SLOTS, u64::MAX), "names 18446744073709551615 slots and 5 levels, which cannot be"),
        (with(header::LEVELS, 11), "names 8 slots and 11 levels, which cannot be"),
        (with(header::SLOTS, 9), "contradicts itself: word 8 of the header is 1536, not 1664"),
        (with(header::SLOTS_OFFSET, 0), "contradicts itself: word 8 of the header is 0, not 1536"),
        (whole[..4600].to_vec(), "is cut off: 4600 of 4608 bytes"),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).expect("written");
        let error = Reader::open(&path).expect_err(expected);
        assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
    }
    fs::remove_file(&path).expect("removed");
    assert!(matches!(Reader::open(&path), Err(ShmError::Io { doing: "open", .. })));
    assert!(matches!(Reader::open(dir.path()), Err(ShmError::Foreign { .. })));
    // A file of nonsense is nobody's: a writer takes its place.
    fs::write(&path, b"nonsense").expect("written");
    Writer::create(dir.path(), &papers("direct"), SHAPE, NOW_NS).expect("it is replaced").close(NOW_NS);
    assert_eq!(Reader::open(&path).expect("a book").title().epoch, NOW_NS);
}

/// Two sources with a few views.
fn market(dir: &Path) -> Vec<Writer> {
    let now_ns = clock::wall_now_ns();
    let mut direct = Writer::create(dir, &papers("direct"), SHAPE, now_ns).expect("made");
    let sip = Papers { name: "test", source: "sip", feed: "utp-uqdf", venue: None };
    let mut sip = Writer::create(dir, &sip, Shape { slots: 4, levels: 0 }, now_ns).expect("made");
    let level = |price, quantity| Some(Level { price, quantity });
    let quote = Quote {
        best: [level(189_970_000_000, 50), level(189_980_000_001, 300)],
        round_lot: [level(189_960_000_000, 400), level(189_980_000_001, 300)],
        quality: Quality::Ok,
    };
    let (ts_event_ns, ts_recv_ns) = (now_ns - 20, now_ns - 10);
    let origin = Origin { ts_event_ns, ts_recv_ns, sequence: 77, capture: 1, frame: 9 };
    let mut image = Image::new(&quote, TradingState::Trading, &origin, now_ns);
    image.push(Side::Bid, Level { price: 189_970_000_000, quantity: 50 });
    image.push(Side::Bid, Level { price: 189_960_000_000, quantity: 400 });
    image.push(Side::Ask, Level { price: 189_980_000_001, quantity: 300 });
    let aapl = direct.add("AAPL", Some("XNAS")).expect("room");
    let spread = direct.add("SPREAD", Some("XNAS")).expect("room");
    direct.publish(aapl, &image);
    direct.publish(aapl, &image);
    let negative = Quote { best: [level(-250_000_000, 1), None], ..Quote::default() };
    let halted = Quote { quality: Quality::Halted, ..negative };
    direct.publish(spread, &Image::new(&halted, TradingState::Unknown, &Origin::default(), 0));
    for venue in [Some("XNYS"), None] {
        let slot = sip.add("AAPL", venue).expect("room");
        if venue.is_none() {
            image.clear_levels();
            sip.publish(slot, &image);
        }
    }
    // Fresh for as long as a slow machine needs to start another program.
    direct.heartbeat(now_ns + 60_000_000_000);
    sip.heartbeat(now_ns + 60_000_000_000);
    vec![direct, sip]
}

fn tool(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/shm").join(name)
}

fn said(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_c_example_says_the_same() {
    let dir = folder();
    let program = dir.path().join("example");
    let mut compile = Command::new("cc");
    compile
        .args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(tool("example.c"));
    let Ok(status) = compile.status() else {
        println!("SKIPPED: no C compiler (cc) is here");
        return;
    };
    assert!(status.success());
    let mut writers = market(dir.path());
    let path = book_path(dir.path(), "test", "direct");
    let times = Reader::open(&path).expect("a book");
    let origin = times.read(times.find("AAPL", Some("XNAS")).expect("there")).expect("read").image.origin();
    let aapl = format!(
        "direct updates=2 sequence=77 ts_event_ns={} ts_recv_ns={} quality=ok state=trading bid=189.970000000x50 \
         ask=189.980000001x300 round_lot_bid=189.960000000x400 round_lot_ask=189.980000001x300 |1 \
         bid=189.970000000x50 ask=189.980000001x300 |2 bid=189.960000000x400 ask=-",
        origin.ts_event_ns, origin.ts_recv_ns
    );
    let run =
        |instrument: &str, venue: &str| said(Command::new(&program).arg(&path).args([instrument, venue]));
    assert_eq!(run("AAPL", "XNAS"), (Some(0), format!("{aapl} writer=alive\n"), String::new()));
    let spread = "direct updates=1 sequence=0 ts_event_ns=0 ts_recv_ns=0 quality=halted state=unknown \
                  bid=-0.250000000x1 ask=- round_lot_bid=- round_lot_ask=- writer=alive\n";
    assert_eq!(run("SPREAD", "XNAS"), (Some(0), spread.to_owned(), String::new()));
    let missing = format!("{}: has no AAPL at -\n", path.display());
    assert_eq!(run("AAPL", "-"), (Some(2), String::new(), missing));
    writers[0].heartbeat(1);
    assert_eq!(run("AAPL", "XNAS").1, format!("{aapl} writer=stale\n"));
    writers.remove(0).close(clock::wall_now_ns());
    assert_eq!(run("AAPL", "XNAS").1, format!("{aapl} writer=closed\n"));
    fs::write(&path, b"nonsense").expect("written");
    assert_eq!(run("AAPL", "XNAS").2, format!("{}: is no shared book\n", path.display()));
    let mut hammer = Hammer::start(dir.path());
    hammer.kill();
    hammer.bury();
    let path = book_path(dir.path(), "test", "hammer");
    let (_, out, error) = said(Command::new(&program).arg(&path).args(["A", "XNAS"]));
    assert!(out.ends_with("writer=dead\n") || error.contains("does not end"), "{out}{error}");
}

const PYTHON: &str = r#"
import sys, time
sys.path.insert(0, sys.argv[1])
from parallax_book import Book, Level, NotABook, Torn, open_all
direct, sip = open_all(sys.argv[2])
assert (direct.name, direct.source, direct.feed, direct.venue) == ("test", "direct", "nasdaq-itch-5.0", "XNAS")
assert (sip.source, sip.venue, sip.levels) == ("sip", None, 0)
assert list(direct.entries()) == [(0, "AAPL", "XNAS"), (1, "SPREAD", "XNAS")]
assert list(sip.entries()) == [(0, "AAPL", "XNYS"), (1, "AAPL", None)]
view = direct.read(direct.find("AAPL", "XNAS"))
assert view.bid == view.bids[0] == Level(189970000000, 50), view
assert view.ask == view.round_lot_ask == Level(189980000001, 300) and view.asks == [view.ask]
assert view.round_lot_bid == Level(189960000000, 400) == view.bids[1] and len(view.bids) == 2
assert (view.updates, view.quality, view.state, view.sequence) == (2, "ok", "trading", 77)
assert view.ts_recv_ns - view.ts_event_ns == 10 == view.ts_published_ns - view.ts_recv_ns
assert (view.capture, view.frame) == (1, 9)
spread = direct.read(1)
assert spread.bid == Level(-250000000, 1) and spread.ask is None and spread.quality == "halted"
assert sip.read(0) is None and sip.read(sip.find("AAPL")).bid == view.bid
now = time.time_ns()
assert direct.writer() == "alive" and direct.writer(now + 3600 * 10**9) == "stale"
assert not direct.replaced()
try:
    import numpy
except ImportError:
    print("no numpy")
    sys.exit()
table = direct.snapshot()
assert len(table) == 2 and table.dtype.itemsize == 384
assert table["bid_price"].tolist() == [189970000000, -250000000] and table["version"].tolist() == [4, 2]
assert table["present"].tolist() == [15, 1] and table["sequence"].tolist() == [77, 0]
assert table["levels"][0, :2]["bid_quantity"].tolist() == [50, 400] and table["frame"].tolist() == [9, 0]
assert sip.snapshot()["version"].tolist() == [0, 2]
print("numpy too")
"#;

/// What a reader under fire sees: `image_of(n)` follows from its sequence.
const PYTHON_UNDER_FIRE: &str = r#"
import sys
sys.path.insert(0, sys.argv[1])
from parallax_book import Book, Torn
book = Book(sys.argv[2] + "/test.hammer.book")
slot, last, seen, torn = book.find("A", "XNAS"), 0, 0, 0
def level(n, salt):
    mixed = n * 0x9E3779B97F4A7C15 % 2**64
    mixed = ((mixed << salt | mixed >> 64 - salt) % 2**64) ^ salt
    return (mixed - 2**64 if mixed >= 2**63 else mixed, mixed ^ 2**64 - 1)
def whole(n, view):
    best = (view.bid, view.ask, view.round_lot_bid, view.round_lot_ask)
    expected = [level(n, salt) if n >> salt & 1 == 0 else None for salt in (1, 2, 3, 4)]
    assert [b if b is None else tuple(b) for b in best] == expected, (n, view)
    assert view.updates == n and view.frame == n + 3
    assert [tuple(l) for l in view.bids] == [level(n, 10 + salt) for salt in range(n % 6)]
    assert [tuple(l) for l in view.asks] == [level(n, 20 + salt) for salt in range(n % 6)]
for _ in range(20000):
    try:
        view = book.read(slot)
    except Torn:
        torn += 1
        continue
    whole(view.sequence, view)
    assert view.sequence >= last
    seen, last = seen + 1, view.sequence
assert seen > 0
try:
    import numpy
    for _ in range(2000):
        try:
            table = book.snapshot()
        except Torn:
            continue
        assert (table["version"] == table["sequence"] * 2).all() and (table["frame"] == table["sequence"] + 3).all()
except ImportError:
    pass
print(seen, torn)
"#;

/// The interpreter with a script; `None` where there is none.
fn python(script: &str, dir: &Path) -> Option<(Option<i32>, String, String)> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("SKIPPED: no python3 is here");
        return None;
    }
    Some(said(Command::new("python3").args(["-B", "-c", script]).arg(tool("")).arg(dir)))
}

#[test]
fn the_python_reader_says_the_same() {
    let dir = folder();
    let writers = market(dir.path());
    let Some((code, out, error)) = python(PYTHON, dir.path()) else { return };
    assert_eq!((code, error.as_str()), (Some(0), ""));
    match out.as_str() {
        "numpy too\n" => {}
        "no numpy\n" => println!("SKIPPED: numpy is not here, so snapshot() was not tried"),
        other => panic!("{other}"),
    }
    let command = || {
        let mut command = Command::new("python3");
        command.arg("-B").arg(tool("parallax_book.py")).arg(dir.path());
        command
    };
    assert_eq!(said(&mut command()), (Some(0), "AAPL\nSPREAD\n".to_owned(), String::new()));
    let (code, out, error) = said(command().arg("AAPL"));
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let rows: Vec<Vec<&str>> =
        out.lines().map(|l| l.split("  ").filter(|c| !c.is_empty()).map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 4, "{out}");
    assert_eq!(rows[1][..5], ["direct", "XNAS", "50 x 189.97", "300 x 189.980000001", "ok"]);
    assert_eq!(rows[2], ["sip", "XNYS", "-", "-", "empty", "-", "alive"]);
    assert_eq!(rows[3][..2], ["sip", "best"]);
    let (code, _, error) = said(command().arg("MSFT"));
    assert_eq!((code, error), (Some(2), format!("no book in {} shows MSFT\n", dir.path().display())));
    drop(writers);
}

#[test]
fn the_python_reader_under_fire_sees_no_mixture() {
    let dir = folder();
    let hammer = Hammer::start(dir.path());
    let Some((code, out, error)) = python(PYTHON_UNDER_FIRE, dir.path()) else { return };
    assert_eq!((code, error.as_str()), (Some(0), ""));
    println!("reads and torn ones: {out}");
    drop(hammer);
}

fn book(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    said(command.arg("book").args(arguments).arg("--dir").arg(dir))
}

#[test]
fn the_command_shows_all_sources_side_by_side() {
    let dir = folder();
    let _writers = market(dir.path());
    let (code, out, error) = book(dir.path(), &["AAPL"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let words: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words.len(), 6, "{out}");
    assert_eq!(words[0][0], "AAPL");
    let head = "source venue bid qty bid ask ask qty spread lot bid lot ask age quality state writer";
    assert_eq!(words[1].join(" "), head);
    let direct = ["direct", "XNAS", "50", "189.97", "189.980000001", "300", "0.010000001", "189.96"];
    assert_eq!(words[2][..8], direct);
    assert_eq!(words[2][words[2].len() - 3..], ["ok", "trading", "alive"]);
    assert_eq!(words[3], ["2", "400", "189.96"]);
    assert_eq!(words[4][..4], ["sip", "best", "50", "189.97"]);
}

#[test]
fn the_command_says_it_as_json() {
    let dir = folder();
    let mut writers = market(dir.path());
    writers[0].heartbeat(1);
    writers.remove(1).close(clock::wall_now_ns());
    let (code, out, error) = book(dir.path(), &["AAPL", "--json", "--once", "--levels", "1"]);
    assert_eq!((code, error.as_str(), out.lines().count()), (Some(0), "", 1));
    let said: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(said["instrument"], "AAPL");
    let sources = said["sources"].as_array().expect("a list");
    assert_eq!(sources.len(), 3);
    let direct = &sources[0];
    for (name, value) in [
        ("source", "direct"),
        ("daemon", "test"),
        ("feed", "nasdaq-itch-5.0"),
        ("venue", "XNAS"),
        ("writer", "stale"),
        ("quality", "ok"),
        ("state", "trading"),
        ("bid", "189.97"),
        ("ask", "189.980000001"),
        ("round_lot_bid", "189.96"),
        ("round_lot_ask", "189.980000001"),
        ("spread", "0.010000001"),
    ] {
        assert_eq!(direct[name], value, "{name}");
    }
    for (name, value) in [("bid_qty", 50), ("ask_qty", 300), ("sequence", 77), ("updates", 2)] {
        assert_eq!(direct[name], value, "{name}");
    }
    assert_eq!(direct["bids"], serde_json::json!([{ "price": "189.97", "qty": 50 }]));
    assert_eq!(direct["asks"], serde_json::json!([{ "price": "189.980000001", "qty": 300 }]));
    assert!(direct["age_ns"].is_u64() && direct["writer_silent_ns"].is_u64());
    assert_eq!((&sources[1]["source"], &sources[1]["venue"]), (&"sip".into(), &serde_json::Value::Null));
    assert_eq!((&sources[1]["writer"], &sources[1]["bids"]), (&"closed".into(), &serde_json::json!([])));
    assert_eq!((&sources[2]["venue"], &sources[2]["quality"]), (&"XNYS".into(), &"empty".into()));
    assert!(sources[2].get("bid").is_none());
}

#[test]
fn the_command_says_what_is_missing() {
    let dir = folder();
    let (code, out, error) = book(dir.path(), &["AAPL"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    let place = dir.path().display();
    assert!(
        error.starts_with(&format!("parallax: {place} holds no shared books: `parallax run --config C`")),
        "{error}"
    );
    fs::write(dir.path().join("x.y.book"), b"nonsense").expect("written");
    let (code, _, error) = book(dir.path(), &["AAPL"]);
    assert!(
        code == Some(2) && error.contains("x.y.book: is no shared book: 8 bytes are no header"),
        "{error}"
    );
    let _writers = market(dir.path());
    let (code, out, error) = book(dir.path(), &["MSFT"]);
    let expected = format!("parallax: no source shows MSFT: {place} holds 4 views, of direct, sip\n");
    assert_eq!((code, out, error), (Some(2), String::new(), expected));
    let (code, _, error) = book(dir.path(), &["AAPL", "--name", "other"]);
    assert!(code == Some(2) && error.contains("holds no shared books of a daemon named other"), "{error}");
    let (code, out, _) = book(dir.path(), &["AAPL", "--name", "test"]);
    assert!(code == Some(0) && out.contains("left out: ") && out.contains("x.y.book"), "{out}");
}

#[test]
fn watching_follows_a_writer_that_is_started_anew() {
    let dir = folder();
    let mut writers = market(dir.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.args(["book", "AAPL", "--watch", "--json", "--dir"]).arg(dir.path()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
    let mut next = || -> serde_json::Value {
        let line = lines.next().expect("another line").expect("it is text");
        serde_json::from_str(&line).expect("it is JSON")
    };
    assert_eq!(next()["sources"][0]["updates"], 2);
    writers.remove(0).close(clock::wall_now_ns());
    while next()["sources"][0]["writer"] != "closed" {}
    let mut anew = Writer::create(dir.path(), &papers("direct"), SHAPE, clock::wall_now_ns()).expect("made");
    let slot: SlotId = anew.add("AAPL", Some("XNAS")).expect("room");
    anew.publish(slot, &image_of(60));
    while next()["sources"][0]["sequence"] != 60 {}
    // Nobody reads any more: it ends by itself.
    drop(lines);
    assert!(child.wait().expect("it ends").success());
}
