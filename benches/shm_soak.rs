//! A reader in a loop on shared books that another process writes as fast as it can: how many reads, how many met a
//! write, how many were a mixture of two writes, ran backwards, or could not be.
//!
//! `cargo bench --bench shm_soak -- 1000000000 [SLOTS]`; without a number ten million reads of four slots. Exit code 1
//! when anything was wrong.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use feeds::event::{Side, TradingState};
use parallax::market::{Level, Origin, Quality, Quote};
use parallax::shm::{Image, Papers, ReadError, Reader, Shape, SlotId, Writer, WriterState, book_path};
use parallax::source::clock;

const ROLE: &str = "PARALLAX_SOAK_WRITER";
const LEVELS: usize = 5;

/// An image that is told wholly by one number.
fn image_of(n: u64) -> Image {
    let level = |salt: u64| {
        let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(salt as u32) ^ salt;
        Level { price: mixed.cast_signed(), quantity: !mixed }
    };
    let quote = Quote {
        best: [Some(level(1)), Some(level(2))],
        round_lot: [Some(level(3)), Some(level(4))],
        quality: if n.is_multiple_of(3) { Quality::Ok } else { Quality::Suspect },
    };
    let origin = Origin { ts_event_ns: n + 1, ts_recv_ns: n + 2, sequence: n, capture: 7, frame: n + 3 };
    let mut image = Image::new(&quote, TradingState::Unknown, &origin, n + 4);
    for salt in 0..n % (LEVELS as u64 + 1) {
        image.push(Side::Bid, level(10 + salt));
        image.push(Side::Ask, level(20 + salt));
    }
    image
}

fn papers() -> Papers<'static> {
    Papers { name: "soak", source: "writer", feed: "nasdaq-itch-5.0", venue: None }
}

/// Writes until nobody listens any more.
fn write(dir: &Path, slots: usize) {
    // When the reading process is gone, standard input ends.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let shape = Shape { slots, levels: LEVELS };
    let mut writer = Writer::create(dir, &papers(), shape, clock::wall_now_ns()).expect("a book can be made");
    let slots: Vec<SlotId> = (0..slots).map(|n| writer.add(&n.to_string(), None).expect("room")).collect();
    for n in 1_u64.. {
        let image = image_of(n);
        slots.iter().for_each(|slot| writer.publish(*slot, &image));
        if n % 1024 == 1 {
            writer.heartbeat(clock::wall_now_ns());
        }
        if n == 1 {
            println!("ready");
        }
    }
}

fn start(dir: &Path, slots: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this binary has a path"));
    command.arg(slots.to_string()).env(ROLE, dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the writer starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it has an output")).read_line(&mut line).expect("it speaks");
    assert_eq!(line, "ready\n");
    child
}

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().filter_map(|a| a.replace('_', "").parse().ok()).collect();
    if let Some(dir) = std::env::var_os(ROLE) {
        write(Path::new(&dir), numbers[0] as usize);
        return ExitCode::SUCCESS;
    }
    let reads = numbers.first().copied().unwrap_or(10_000_000);
    let count = numbers.get(1).copied().unwrap_or(4) as usize;
    let dir = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let mut writer = start(dir.path(), count);
    let reader = Reader::open(&book_path(dir.path(), "soak", "writer")).expect("it is a book");
    let slots: Vec<SlotId> = reader.entries().map(|(slot, _)| slot).collect();
    assert_eq!(slots.len(), count);
    let (mut whole, mut met, mut mixed, mut backwards, mut impossible, mut news) =
        (0, 0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    let (mut last, mut expected) = (vec![0; count], vec![Image::default(); count]);
    let started = clock::monotonic_now();
    let mut at = 0;
    while whole < reads {
        at = (at + 1) % count;
        match reader.try_read(slots[at]) {
            Ok(read) => {
                let n = read.image.origin().sequence;
                whole += 1;
                backwards += u64::from(n < last[at]);
                if n != last[at] {
                    news += 1;
                    last[at] = n;
                    expected[at] = image_of(n);
                }
                mixed += u64::from(read.updates != n || read.image != expected[at]);
            }
            Err(ReadError::Torn) => met += 1,
            Err(_) => impossible += 1,
        }
    }
    let took = started.elapsed();
    let state = reader.writer_state(clock::wall_now_ns());
    // The process that this started, and no other.
    writer.kill().expect("it can be killed");
    writer.wait().expect("it ends");
    let dead = reader.writer_state(clock::wall_now_ns()) == WriterState::Dead { closed: false };
    println!(
        "{whole} whole reads of {count} slots in {:.1} s ({:.1} ns each), {news} of them new; {met} tries met a write \
         ({:.1} %); {} writes\nmixed {mixed}, backwards {backwards}, impossible {impossible}; the writer was {} and, \
         killed, is {}",
        took.as_secs_f64(),
        took.as_nanos() as f64 / whole as f64,
        100.0 * met as f64 / (met + whole) as f64,
        last.iter().sum::<u64>(),
        state.name(),
        if dead { "dead" } else { "not told dead" },
    );
    let wrong = mixed + backwards + impossible + u64::from(!dead);
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
