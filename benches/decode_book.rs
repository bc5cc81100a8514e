//! What decoding and booking alone cost of captures of ITCH in MoldUDP64, as many sources as captures: read, in order of
//! time, every message decoded and applied to the books of its source, packets looked ahead as a replay does, the top looked
//! at after every message. No lines, no quotes, no checks, no records: what is under a whole `parallax replay`.
//!
//! `cargo bench --bench decode_book -- ONE.pcap [TWO.pcap]...` prints one line of JSON. Packets are taken as they come: what a line
//! would put in order or leave out is not.

#[allow(dead_code, reason = "of the parts of a day only its books are wanted here")]
mod itch_day {
    pub mod fields;
    pub mod parts;
}

use std::path::PathBuf;
use std::process::ExitCode;

use feeds::feed::Span;
use feeds::moldudp64;
use itch_day::parts::Day;
use parallax::source::{Captures, Options, clock};

/// Messages of a packet from which on the books look ahead.
const AHEAD: u32 = 2;

fn messages(payload: &[u8], mut each: impl FnMut(&[u8])) {
    let mut at = moldudp64::DownstreamHeader::LEN;
    while let Ok(Some(Span { start, end })) = moldudp64::split(payload, at) {
        each(&payload[start..end]);
        at = end;
    }
}

fn take(day: &mut Day, payload: &[u8]) -> u64 {
    let Ok(header) = moldudp64::header(payload) else { return 0 };
    if header.count < AHEAD {
        messages(payload, |message| day.take(message));
    } else {
        messages(payload, |message| day.take_or_ahead(message));
        day.finish();
    }
    u64::from(header.count)
}

fn run(paths: &[PathBuf]) -> Result<String, parallax::source::CaptureError> {
    let options = Options { sort_window: true, read_ahead: false, ..Options::default() };
    let mut days: Vec<Day> = paths.iter().map(|_| Day::new(0)).collect();
    let (begun, mut packets, mut count) = (clock::monotonic_now(), 0u64, 0u64);
    let mut captures = Captures::open(paths, &options)?;
    while let Some(datagram) = captures.next()? {
        packets += 1;
        count += take(&mut days[datagram.capture as usize], datagram.payload);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let orders: usize = days.iter().map(|day| day.books.orders_live()).sum();
    let contradictions: u64 = days.iter().map(|day| day.seen.contradictions).sum();
    let ns = seconds * 1e9 / count.max(1) as f64;
    Ok(format!(
        "{{\"messages\":{count},\"packets\":{packets},\"seconds\":{seconds:.3},\"ns_per_message\":{ns:.2},\
         \"orders_live\":{orders},\"contradictions\":{contradictions}}}"
    ))
}

fn main() -> ExitCode {
    let paths: Vec<PathBuf> =
        std::env::args_os().skip(1).filter(|a| a != "--bench").map(PathBuf::from).collect();
    if paths.is_empty() {
        // `cargo bench` without a file has nothing to measure here.
        println!("decode_book: no file; see benches/README.md");
        return ExitCode::SUCCESS;
    }
    match run(&paths) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("decode_book: {error}");
            ExitCode::from(2)
        }
    }
}
