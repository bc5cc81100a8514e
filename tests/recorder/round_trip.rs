//! Everything that was kept comes back: bytes, times, lines, losses, and the place that the keeper named.

use std::net::SocketAddr;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::common::{Offered, Read, SECOND, START, drain, lines, one, paths, read, settings};
use parallax::source::Lost;
use parallax::source::recorder::{Arrival, Place, Recorder, Stretch, capture_name};

const LINES: usize = 3;

fn address(six: bool, group: bool, host: u8, port: u16) -> SocketAddr {
    match (six, group) {
        (false, false) => SocketAddr::from(([10, 0, 0, host], port)),
        (false, true) => SocketAddr::from(([233, 54, 12, host], port)),
        (true, false) => SocketAddr::from(([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(host)], port)),
        (true, true) => SocketAddr::from(([0xff05, 0, 0, 0, 0, 0, 0, u16::from(host)], port)),
    }
}

prop_compose! {
    fn offered()(
        line in 0..LINES as u16,
        later in prop_oneof![Just(0), 0..1_000u64, 0..2 * SECOND],
        six in any::<bool>(),
        host in any::<u8>(),
        port in any::<u16>(),
        payload in vec(any::<u8>(), 0..300),
        cut in prop_oneof![4 => Just(0), 1 => 1..60_000u32],
        socket in prop_oneof![4 => Just(0), 1 => any::<u32>()],
        host_drops in prop_oneof![4 => Just(0), 1 => 1..1_000_000u32],
    ) -> (u64, Offered) {
        let wire_len = payload.len() as u32 + cut;
        let (source, destination) = (address(six, false, host, port), address(six, true, host, port));
        let lost = Lost { socket, host: host_drops };
        (later, Offered { line, ts_ns: 0, source, destination, payload, wire_len, lost })
    }
}

/// A datagram as whoever has the copy sees it.
fn copy(receiver: usize, place: Place, arrival: &Arrival<'_>) -> Read {
    let capture = capture_name(receiver as u16, place.file);
    let interface_name = format!("source/channel/{}", arrival.line);
    let Arrival { line, ts_recv_ns: ts_ns, source, destination, wire_len, lost, .. } = *arrival;
    let payload = arrival.payload.to_vec();
    let datagram = Offered { line, ts_ns, source, destination, payload, wire_len, lost };
    Read { capture, frame: place.frame, interface_name, datagram }
}

/// Nobody takes the copy: it is bounded, what finds no room is counted, and the recording is whole.
#[test]
fn a_copy_that_nobody_takes_costs_the_recording_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut keeper) = one(settings(folder.path()), 1);
    let outflow = recorder.tap();
    let payload = vec![7; 60_000];
    let count = 1_300;
    for number in 0..count {
        Offered::plain(0, START + number, &payload).keep(&mut keeper).expect("the ring has room");
        recorder.step(START + number);
    }
    let lost = outflow.monitor();
    let turned_away = lost.lost();
    assert!((150..count).contains(&turned_away), "{turned_away} of {count} found no room in 64 MiB");
    let taken = || {
        let count = |stretch: Stretch| {
            let count = stretch.datagrams().count() as u64;
            stretch.used();
            count
        };
        outflow.receiver().try_iter().map(count).sum::<u64>()
    };
    assert_eq!(taken(), count - turned_away);
    // With room again it goes on, until whoever takes it is gone: what waits then is lost, and what comes.
    for number in 0..3 {
        Offered::plain(0, START + count + number, &payload).keep(&mut keeper).expect("the ring has room");
        recorder.step(START + count + number);
        if number == 0 {
            assert_eq!((taken(), lost.lost()), (1, turned_away));
        }
    }
    drop(outflow);
    Offered::plain(0, START + count + 3, &payload).keep(&mut keeper).expect("the ring has room");
    keeper.finish(START + count + 3);
    drain(&mut recorder, START + count + 3);
    assert_eq!(lost.lost(), turned_away + 3);
    let count = count + 3;
    assert_eq!(recorder.monitor().state().kept, count + 1);
    assert_eq!(read(&paths(folder.path(), 0)).datagrams.len() as u64, count + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_two_receivers_kept_is_what_a_replay_gives(
        stream in vec((0..2usize, offered(), any::<bool>()), 1..120),
        file_size in 200..20_000u64,
        file_time in 1..5u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        (settings.file_size, settings.file_time_ns) = (file_size, file_time * SECOND);
        let (mut recorder, mut keepers) = Recorder::new(settings, &[lines(LINES), lines(LINES)]);
        let outflow = recorder.tap();
        let mut now = START;
        let mut expected = [vec![], vec![]];
        let mut cut = [0, 0];
        for (receiver, (later, mut offered), step) in stream {
            now += later;
            offered.ts_ns = now;
            let keeper = &mut keepers[receiver];
            let place = offered.keep(keeper).expect("the ring has room");
            cut[receiver] += u64::from(offered.wire_len > offered.payload.len() as u32);
            let interface_name = format!("source/channel/{}", offered.line);
            let capture = keeper.capture_name(place.file);
            expected[receiver].push(Read { capture, frame: place.frame, interface_name, datagram: offered });
            if step {
                recorder.step(now);
            }
        }
        for keeper in keepers {
            keeper.finish(now + 17);
        }
        drain(&mut recorder, now + 18);
        prop_assert!(recorder.is_finished());
        let state = recorder.monitor().state();
        prop_assert_eq!((state.not_kept, state.not_written), (0, 0));
        prop_assert_eq!(state.kept as usize, expected[0].len() + expected[1].len());
        prop_assert_eq!(state.error, "");
        // The copy of it is the same, and ends where the receivers ended.
        let (mut copied, mut ends) = ([vec![], vec![]], vec![]);
        for stretch in outflow.receiver().try_iter() {
            let receiver = usize::from(stretch.receiver);
            copied[receiver].extend(stretch.datagrams().map(|(place, arrival)| copy(receiver, place, &arrival)));
            ends.extend(stretch.end_ns.map(|end| (receiver, end)));
            stretch.used();
        }
        prop_assert!(copied == expected);
        prop_assert_eq!((ends, outflow.monitor().lost()), (vec![(0, now + 17), (1, now + 17)], 0));
        for (receiver, expected) in expected.iter().enumerate() {
            if expected.is_empty() {
                continue;
            }
            let recording = read(&paths(folder.path(), receiver as u16));
            prop_assert_eq!(&recording.datagrams, expected);
            prop_assert_eq!(recording.watched_until, Some(now + 17));
            let cut_counted: u64 = recording.errors().iter().map(|&(name, count)| {
                assert_eq!(name, "cut_by_snaplen");
                count
            }).sum();
            prop_assert_eq!(cut_counted, cut[receiver]);
        }
    }
}

#[test]
fn the_largest_datagram_and_the_longest_wait_of_a_ring_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut keeper) = one(settings(folder.path()), 1);
    // Lengths that share no factor with the ring's: headers and payloads lie across its end in many ways.
    let lengths = (0..200usize).map(|n| [65_507, 7, 1_399, 0][n % 4]);
    let mut payloads = vec![];
    for (n, len) in lengths.enumerate() {
        let payload: Vec<u8> = (0..len).map(|at| (at * 31 + n) as u8).collect();
        assert!(Offered::plain(0, START + n as u64, &payload).keep(&mut keeper).is_some());
        payloads.push(payload);
        if n % 5 == 0 {
            drain(&mut recorder, START);
        }
    }
    keeper.finish(START + SECOND);
    drain(&mut recorder, START);
    let recording = read(&paths(folder.path(), 0));
    assert_eq!(recording.payloads(), payloads);
    assert_eq!(recording.errors(), []);
    assert_eq!(recording.watched_until, Some(START + SECOND));
}

#[test]
fn a_full_ring_turns_away_and_the_file_says_how_many_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut keeper) = one(settings(folder.path()), 2);
    let monitor = recorder.monitor();
    let payload = [7; 1_000];
    let (mut kept, mut turned_away) = (0, [0, 0]);
    for n in 0..2_000u64 {
        let line = (n % 2) as u16;
        let mut offered = Offered::plain(line, START + n, &payload);
        offered.lost = Lost { socket: 1, host: 2 };
        match offered.keep(&mut keeper) {
            Some(place) => {
                kept += 1;
                assert_eq!((place.file, place.frame), (1, kept));
            }
            None => turned_away[usize::from(line)] += 1,
        }
    }
    // 1 MiB holds 978 datagrams of 1,000 bytes with their 72.
    assert_eq!((kept, turned_away), (978, [511, 511]));
    assert_eq!((keeper.not_kept(), monitor.state().not_kept), (1_022, 1_022));
    drain(&mut recorder, START);
    assert!(Offered::plain(0, START + 3_000, b"after").keep(&mut keeper).is_some());
    assert!(Offered::plain(9, START + 3_001, b"no such line").keep(&mut keeper).is_none());
    assert!(Offered::plain(0, START + 3_002, &[0; 65_508]).keep(&mut keeper).is_none());
    keeper.finish(START + SECOND);
    drain(&mut recorder, START + SECOND);
    let state = monitor.state();
    assert_eq!((state.kept, state.not_kept, state.not_written), (979, 1_024, 0));
    assert!(state.finished);

    let recording = read(&paths(folder.path(), 0));
    assert_eq!(recording.datagrams.len(), 979);
    let last = recording.datagrams.last().unwrap();
    assert_eq!(last.datagram.payload, b"after");
    // What the machine lost before those that were turned away is told with the next of their line.
    assert_eq!(last.datagram.lost, Lost { socket: 511, host: 1_022 });
    let raw = zstd::decode_all(std::fs::File::open(&paths(folder.path(), 0)[0]).unwrap()).unwrap();
    let says = |text: &[u8]| raw.windows(text.len()).filter(|part| *part == text).count();
    assert_eq!(says(b"parallax: 511 datagrams of this line before this one are missing"), 1);
    // isb_ifrecv and isb_ifdrop of both lines at the end: the last ones of line 1 had no successor to tell of them.
    for (received, missing) in [(489 + 1 + 512, 512_u64), (489 + 511, 511)] {
        let options = [&[4, 0, 8, 0][..], &u64::to_le_bytes(received), &[5, 0, 8, 0], &missing.to_le_bytes()];
        assert_eq!(says(&options.concat()), 1, "{received} {missing}");
    }
}

#[test]
fn a_keeper_that_is_dropped_leaves_a_whole_file_that_does_not_say_how_long_it_watched() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut keeper) = one(settings(folder.path()), 1);
    assert!(Offered::plain(0, START, b"the last words").keep(&mut keeper).is_some());
    drop(keeper);
    drain(&mut recorder, START);
    assert!(recorder.is_finished() && recorder.monitor().state().finished);
    let recording = read(&paths(folder.path(), 0));
    assert_eq!(recording.payloads(), [b"the last words"]);
    assert_eq!(recording.errors(), []);
    assert_eq!(recording.watched_until, None);
}

#[test]
fn keepers_and_the_recorder_work_on_threads_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.file_size = 300_000;
    let (mut recorder, keepers) = Recorder::new(settings, &[lines(2), lines(2)]);
    let monitor = recorder.monitor();
    const EACH: u64 = 20_000;
    let threads: Vec<_> = keepers
        .into_iter()
        .map(|mut keeper| {
            std::thread::spawn(move || {
                let mut places = vec![];
                for n in 0..EACH {
                    let len = (n * 7 % 600) as usize;
                    let offered = Offered::plain((n % 2) as u16, START + n * 1_000, &vec![n as u8; len]);
                    if let Some(place) = offered.keep(&mut keeper) {
                        places.push((keeper.capture_name(place.file), place.frame, offered.payload));
                    }
                }
                keeper.finish(START + SECOND);
                places
            })
        })
        .collect();
    let mut now = START;
    while !recorder.is_finished() {
        now += 1_000_000;
        if !recorder.step(now) {
            std::thread::yield_now();
        }
    }
    let mut kept = 0;
    for (receiver, thread) in threads.into_iter().enumerate() {
        let places = thread.join().unwrap();
        kept += places.len() as u64;
        let recording = read(&paths(folder.path(), receiver as u16));
        let found =
            recording.datagrams.into_iter().map(|read| (read.capture, read.frame, read.datagram.payload));
        assert!(found.eq(places));
    }
    let state = monitor.state();
    assert_eq!((state.kept, state.kept + state.not_kept), (kept, 2 * EACH));
}
