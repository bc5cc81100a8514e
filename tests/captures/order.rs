//! Time order: within a capture by the look-ahead, between captures by their heads.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parallax::source::{Captures, Options};
use proptest::prelude::*;

use crate::common::*;

/// A pcap whose datagrams carry their place in the file.
fn capture(times: &[u64]) -> Vec<u8> {
    let frames: Vec<_> = (0..times.len() as u32).map(|at| frame(&at.to_le_bytes().repeat(5))).collect();
    let records: Vec<_> =
        times.iter().zip(&frames).map(|(&time, frame)| (time, &frame[..], frame.len() as u32)).collect();
    pcap_of(Order::Little, true, 1, &records)
}

/// Time and place in the file of what came out; checks that each datagram kept its own bytes.
fn order(datagrams: &[Owned]) -> Vec<(u64, u64)> {
    for datagram in datagrams {
        assert_eq!(datagram.payload, (datagram.frame as u32 - 1).to_le_bytes().repeat(5));
    }
    datagrams.iter().map(|datagram| (datagram.ts_recv_ns, datagram.frame)).collect()
}

const SORTED: Options = Options {
    sort_window: true,
    from_ns: None,
    to_ns: None,
    hardware_timestamps: parallax::source::HardwareTimestamps::None,
    binaryfile_midnight_ns: 0,
    read_ahead: false,
    apart: false,
    tcp: false,
};

#[test]
fn file_order_stays_without_the_window_and_steps_back_are_counted() {
    let (datagrams, counts) = read(&capture(&[10, 30, 20, 20, 40, 5]));
    assert_eq!(order(&datagrams), [(10, 1), (30, 2), (20, 3), (20, 4), (40, 5), (5, 6)]);
    assert_eq!(counted(&counts), [("time_backwards", 2, 3)]);
}

#[test]
fn the_window_sorts_and_keeps_file_order_between_equals() {
    let (datagrams, counts) = read_with(&capture(&[10, 30, 20, 30, 20, 5]), &SORTED);
    assert_eq!(order(&datagrams), [(5, 6), (10, 1), (20, 3), (20, 5), (30, 2), (30, 4)]);
    assert_eq!(counted(&counts), []);
}

#[test]
fn what_runs_back_further_than_the_window_is_delivered_in_place_and_counted() {
    let ms = 1_000_000;
    let (datagrams, counts) = read_with(&capture(&[0, 150 * ms, 300 * ms, 10 * ms, 310 * ms]), &SORTED);
    assert_eq!(order(&datagrams), [(0, 1), (150 * ms, 2), (10 * ms, 4), (300 * ms, 3), (310 * ms, 5)]);
    assert_eq!(counted(&counts), [("time_backwards", 1, 4)]);
}

#[test]
fn the_window_holds_a_bounded_number_of_datagrams() {
    // The earliest comes last: 4,096 datagrams later it can no longer be first.
    for (ahead, expected_first) in [(4095_u64, 0), (4096, 1)] {
        let times: Vec<_> = (1..=ahead).chain([0]).collect();
        let (datagrams, counts) = read_with(&capture(&times), &SORTED);
        assert_eq!(datagrams.len(), times.len());
        assert_eq!(datagrams[0].ts_recv_ns, expected_first);
        assert_eq!(counted(&counts).len(), expected_first as usize);
    }
}

#[test]
fn captures_are_merged_by_time_and_equal_times_keep_their_order() {
    let (one, two, three) = (capture(&[10, 20, 20, 50]), capture(&[20, 30]), capture(&[5, 20, 60]));
    for options in [Options::default(), SORTED, Options { read_ahead: true, ..Options::default() }] {
        let (datagrams, _) = try_read(&[&one, &two, &three], &options).unwrap();
        let got: Vec<_> = datagrams.iter().map(|d| (d.ts_recv_ns, d.capture, d.frame)).collect();
        let expected = [
            (5, 2, 1),
            (10, 0, 1),
            (20, 0, 2),
            (20, 0, 3),
            (20, 1, 1),
            (20, 2, 2),
            (30, 1, 2),
            (50, 0, 4),
            (60, 2, 3),
        ];
        assert_eq!(got, expected);
    }
}

#[test]
fn an_empty_capture_among_others_is_no_matter() {
    let (datagrams, counts) = try_read(&[&capture(&[]), &capture(&[1, 2])], &Options::default()).unwrap();
    assert_eq!(order(&datagrams), [(1, 1), (2, 2)]);
    assert_eq!((counts[0].packets, counts[1].packets), (0, 2));
}

#[test]
fn a_pipe_is_not_kept_waiting_for_more_than_the_next_record() {
    /// Gives one part per read and counts the reads.
    struct Pipe(std::vec::IntoIter<Vec<u8>>, Arc<AtomicUsize>);
    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some(part) = self.0.next() else { return Ok(0) };
            self.1.fetch_add(1, Ordering::Relaxed);
            // The first six bytes are read apart, to recognise a compression.
            let len = part.len().min(buffer.len());
            buffer[..len].copy_from_slice(&part[..len]);
            if len < part.len() {
                let rest = std::mem::replace(&mut self.0, vec![].into_iter());
                self.0 = [vec![part[len..].to_vec()], rest.collect()].concat().into_iter();
            }
            Ok(len)
        }
    }
    let whole = capture(&[1, 2, 3, 4, 5]);
    let record = (whole.len() - 24) / 5;
    let parts: Vec<_> =
        [&whole[..24]].into_iter().chain(whole[24..].chunks(record)).map(<[u8]>::to_vec).collect();
    let reads = Arc::new(AtomicUsize::new(0));
    let stream: Box<dyn Read + Send> = Box::new(Pipe(parts.into_iter(), Arc::clone(&reads)));
    let mut captures =
        Captures::from_readers(vec![("pipe".to_owned(), stream)], &Options::default()).unwrap();
    for datagram in 1..=5 {
        assert_eq!(captures.next().unwrap().unwrap().frame, datagram as u64);
        // Two reads for the file header, one for every record.
        assert_eq!(reads.load(Ordering::Relaxed), 2 + datagram);
    }
    assert!(captures.next().unwrap().is_none());
    assert_eq!(captures.progress(), (whole.len() as u64, None));
}

/// A record that holds no datagram.
fn junk(len: usize) -> Vec<u8> {
    let mut frame = vec![0; len];
    frame[12..14].copy_from_slice(&[0x08, 0x06]);
    frame
}

#[test]
fn a_few_datagrams_in_very_much_else_are_sorted_without_keeping_all_of_it() {
    // Every datagram lies in a block of its own and none can be delivered before the last has been seen; one that is as
    // large as the room before a block, one that is larger.
    let mut records = Vec::new();
    for at in 0..130_u64 {
        let len = [20, 300, 65_000, 65_507][at as usize % 4];
        records.push((1_000_000_000 - at, frame(&vec![at as u8; len])));
        (0..5).for_each(|_| records.push((2, junk(60_000))));
    }
    let records: Vec<_> = records.iter().map(|(ts, bytes)| (*ts, &bytes[..], bytes.len() as u32)).collect();
    let (datagrams, counts) = read_with(&pcap_of(Order::Little, true, 1, &records), &SORTED);
    let expected: Vec<u64> = (0..130).rev().map(|at| at * 6 + 1).collect();
    assert_eq!(datagrams.iter().map(|d| d.frame).collect::<Vec<_>>(), expected);
    assert!(datagrams.iter().all(|d| d.payload.iter().all(|byte| u64::from(*byte) == d.frame / 6)));
    assert_eq!(counted(&counts), [("arp", 650, 2)]);
}

proptest! {
    #[test]
    fn whoever_takes_captures_apart_the_same_is_told(
        records in proptest::collection::vec((0_u64..400_000_000, 0..40_000_usize, 0..8_u8), 0..120),
        cut: u8,
    ) {
        let frames: Vec<_> = records.iter().map(|(ts, len, what)| match what {
            0 => (*ts, junk(14 + len)),
            1 => (*ts, frame(&vec![1; *len])),
            _ => (*ts, frame(&ts.to_le_bytes().repeat(len % 40))),
        }).collect();
        let records: Vec<_> = frames.iter().map(|(ts, bytes)| (*ts, &bytes[..], bytes.len() as u32)).collect();
        let (first, second) = records.split_at(records.len() / 3);
        let mut files = [first, second].map(|part| pcap_of(Order::Big, true, 1, part));
        let len = files[1].len();
        files[1].truncate(24.max(len.saturating_sub(usize::from(cut))));
        for options in [Options::default(), SORTED, Options { from_ns: Some(100_000_000), ..SORTED }] {
            taken_apart_ahead_is_the_same(&[&files[0], &files[1]], &options);
        }
    }

    #[test]
    fn the_window_is_a_stable_sort_of_what_fits_in_it(
        times in proptest::collection::vec(0_u64..1000, 0..300),
    ) {
        let (datagrams, counts) = read_with(&capture(&times), &SORTED);
        let mut expected: Vec<_> = times.iter().zip(1..).map(|(&time, frame)| (time, frame)).collect();
        expected.sort_by_key(|&(time, _)| time);
        prop_assert_eq!(order(&datagrams), expected);
        prop_assert_eq!(counted(&counts), []);
    }

    #[test]
    fn merging_loses_nothing_and_keeps_each_captures_order(
        one in proptest::collection::vec(0_u64..50, 0..60),
        two in proptest::collection::vec(0_u64..50, 0..60),
        sort_window: bool,
        read_ahead: bool,
    ) {
        let options = Options { sort_window, read_ahead, ..Options::default() };
        let captures = [capture(&one), capture(&two)];
        let (merged, _) = try_read(&[&captures[0], &captures[1]], &options).unwrap();
        for (at, bytes) in captures.iter().enumerate() {
            let alone = read_with(bytes, &options).0;
            let part: Vec<_> = merged.iter().filter(|d| d.capture == at as u32).cloned()
                .map(|d| Owned { capture: 0, ..d }).collect();
            prop_assert_eq!(part, alone);
        }
    }
}
