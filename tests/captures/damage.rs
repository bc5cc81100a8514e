//! Damaged captures: what is before the damage counts, the damage is named with its place, nothing panics.

use std::io::{self, Read, Write};

use parallax::source::writer::Compressor;
use parallax::source::{CaptureError, Captures, Compression, Kind, Options, read_bytes};
use proptest::prelude::*;

use crate::common::*;

fn small_pcap() -> Vec<u8> {
    pcap(
        1,
        &[
            frame(b"one of three datagrams"),
            frame(b"two of three datagrams"),
            frame(b"three of three of them"),
        ],
    )
}

fn small_pcapng(order: Order) -> Vec<u8> {
    let interfaces = interface(order, 1, 0, &[(9, &[9])]);
    let packets: Vec<_> = (1..4).map(|at| packet(order, 0, at, &frame(&[at as u8; 20]))).collect();
    [section(order), interfaces, block(order, 5, &[0; 12]), packets.concat()].concat()
}

fn small_binaryfile() -> Vec<u8> {
    let message = [&[0, 12, b'S', 0, 0, 0, 0][..], &[0, 0, 0, 0, 1, 2], b"O"].concat();
    [message.repeat(3), vec![0, 0]].concat()
}

fn compressed(bytes: &[u8], compression: Compression) -> Vec<u8> {
    let mut compressor = Compressor::new(Vec::new(), compression).unwrap();
    compressor.write_all(bytes).unwrap();
    compressor.finish().unwrap()
}

/// What we compress carries a checksum of what is in it: a byte that changed is never read as if it were data.
#[test]
fn no_changed_byte_of_a_compressed_capture_goes_unnoticed() {
    let payload = |seed: u8| -> Vec<u8> {
        (0..60u8).map(|at| seed.wrapping_mul(167).wrapping_add(at.wrapping_mul(91)) ^ (at >> 2)).collect()
    };
    let whole = pcap(1, &(0..20).map(|seed| frame(&payload(seed))).collect::<Vec<_>>());
    let (expected, _) = read(&whole);
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Lz4, Compression::Xz] {
        let bytes = compressed(&whole, compression);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            let Ok((datagrams, counts)) = try_read(&[&changed], &Options::default()) else { continue };
            let noticed = counts[0].errors().next().is_some();
            assert!(noticed || datagrams == expected, "{compression:?}, byte {at} of {}", bytes.len());
        }
    }
}

/// Reads every prefix: the datagrams must be the first ones of the whole, and unless the cut lies
/// between records an error must be counted.
fn every_prefix(whole: &[u8], whole_records_at: &[usize]) {
    let (expected, _) = read(whole);
    for len in 0..whole.len() {
        for options in
            [Options::default(), Options { sort_window: true, read_ahead: true, ..Options::default() }]
        {
            let Ok((datagrams, counts)) = try_read(&[&whole[..len]], &options) else {
                assert!(len < 13, "{len} bytes were refused");
                continue;
            };
            assert!(expected.starts_with(&datagrams), "{len} bytes");
            let errors: Vec<_> =
                counts[0].errors().map(|(reason, tally)| (reason.name(), tally.count)).collect();
            let between = whole_records_at.contains(&len);
            assert_eq!(errors.is_empty(), between, "{len} bytes: {errors:?}");
        }
    }
}

#[test]
fn every_prefix_of_every_format_is_read_as_far_as_it_goes() {
    let record = 16 + frame(b"one of three datagrams").len();
    every_prefix(&small_pcap(), &[24, 24 + record, 24 + 2 * record]);
    for order in [Order::Little, Order::Big] {
        let blocks = [28, 36 - 4, 24].into_iter().chain([32 + frame(&[0; 20]).len().next_multiple_of(4); 3]);
        let ends: Vec<_> = blocks
            .scan(0, |end, len| {
                *end += len;
                Some(*end)
            })
            .collect();
        every_prefix(&small_pcapng(order), &ends);
    }
    every_prefix(&small_binaryfile(), &[14, 28, 42]);
}

#[test]
fn every_prefix_of_a_compressed_capture_is_counted_or_refused() {
    let plain = small_pcap();
    let (expected, _) = read(&plain);
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Lz4, Compression::Xz] {
        let whole = compressed(&plain, compression);
        let mut cut_in_the_middle = 0;
        for len in 0..whole.len() {
            let (datagrams, counts) = match try_read(&[&whole[..len]], &Options::default()) {
                Ok(read) => read,
                Err(CaptureError::Damaged { .. } | CaptureError::NotACapture { .. }) => continue,
                Err(error) => panic!("{error}"),
            };
            assert!(expected.starts_with(&datagrams), "{compression:?} {len}");
            let errors = counts[0].errors().count();
            assert!(errors > 0, "{compression:?} cut to {len} of {} bytes and nothing counted", whole.len());
            cut_in_the_middle += 1;
        }
        println!("{compression:?}: {cut_in_the_middle} of {} prefixes could be read", whole.len());
    }
}

#[test]
fn a_stream_damaged_from_the_start_is_refused_in_one_sentence() {
    let mut bytes = compressed(&small_pcap(), Compression::Zstd);
    bytes.truncate(40);
    let error = try_read(&[&bytes], &Options::default()).err().unwrap().to_string();
    let start = "cannot decompress capture 0: its zstd stream is damaged near byte 40 (";
    assert!(error.starts_with(start) && error.ends_with("; nothing of it can be used"), "{error}");
}

#[test]
fn a_truncated_tail_names_its_record() {
    let whole = small_pcap();
    let record = 16 + frame(b"one of three datagrams").len();
    let (datagrams, counts) = read(&whole[..whole.len() - 1]);
    assert_eq!(datagrams.len(), 2);
    assert_eq!(counted(&counts), [("truncated_tail", 1, 2)]);
    let (_, tally) = counts.errors().next().unwrap();
    assert_eq!(tally.first_offset as usize, 24 + 2 * record);
}

#[test]
fn an_absurd_record_length_ends_the_capture_where_it_stands() {
    let mut capture = small_pcap();
    let record = 16 + frame(b"one of three datagrams").len();
    let second = 24 + record;
    for (len, name) in
        [(262_145_u32, "bad_record_length"), (u32::MAX, "bad_record_length"), (262_144, "truncated_tail")]
    {
        capture[second + 8..second + 12].copy_from_slice(&len.to_le_bytes());
        let (datagrams, counts) = read(&capture);
        assert_eq!(datagrams, [datagram(1_000_000_000, 1, b"one of three datagrams")]);
        assert_eq!(counted(&counts), [(name, 1, 1)]);
        assert_eq!(counts.errors().next().unwrap().1.first_offset as usize, second);
    }
}

#[test]
fn the_largest_packet_is_read() {
    let mut large = frame(&[5; 1000]);
    large.resize(262_144, 0);
    let (datagrams, counts) = read(&pcap(1, &[large.clone(), large]));
    assert_eq!(datagrams, [datagram(1_000_000_000, 1, &[5; 1000]), datagram(2_000_000_000, 2, &[5; 1000])]);
    assert_eq!(counted(&counts), [("padding_stripped", 2, 1)]);
}

#[test]
fn damaged_blocks_end_the_capture_where_they_stand() {
    let order = Order::Little;
    let good = small_pcapng(order);
    let at = good.len();
    let packet = packet(order, 0, 9, &frame(&[9; 20]));
    let change = |at: usize, bytes: &[u8]| {
        let mut packet = packet.clone();
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        packet
    };
    let damaged = [
        change(4, &[8, 0, 0, 0]),
        change(4, &[97, 0, 0, 0]),
        change(4, &[0xff, 0xff, 0xff, 0x7f]),
        change(packet.len() - 4, &[1]),
        // Captured length beyond the block.
        change(20, &[0xff, 0]),
        block(order, 1, &[1, 0, 0, 0]),
        block(order, 0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        block(order, 0x0a0d_0d0a, &[1, 2, 3, 4]),
        block(order, 6, &[0; 8]),
        block(order, 3, &[]),
    ];
    for block in damaged {
        let (datagrams, counts) = read(&[good.clone(), block.clone(), packet.clone()].concat());
        assert_eq!(datagrams.len(), 3, "{block:02x?}");
        let errors: Vec<_> = counts.errors().map(|(r, t)| (r.name(), t.first_offset as usize)).collect();
        assert_eq!(errors, [("bad_block", at)], "{block:02x?}");
    }
}

#[test]
fn damage_inside_a_compressed_stream_keeps_what_came_before() {
    let session: Vec<_> =
        (0..3000_u32).map(|at| frame(&at.wrapping_mul(2_654_435_761).to_le_bytes().repeat(40))).collect();
    let plain = pcap(1, &session);
    let (expected, _) = read(&plain);
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Lz4, Compression::Xz] {
        let parts = plain.split_at(plain.len() / 2);
        let good = compressed(parts.0, compression);
        let mut bad = compressed(parts.1, compression);
        let len = bad.len();
        bad.truncate(len / 2);
        for read_ahead in [false, true] {
            let options = Options { read_ahead, ..Options::default() };
            let (datagrams, counts) = read_with(&[good.clone(), bad.clone()].concat(), &options);
            assert!(datagrams.len() >= 1499, "{compression:?}: {} datagrams", datagrams.len());
            assert!(expected.starts_with(&datagrams));
            let errors: Vec<_> =
                counts.errors().map(|(reason, tally)| (reason.name(), tally.count)).collect();
            assert_eq!(errors, [("corrupt_compression", 1)], "{compression:?}");
        }
    }
}

/// Fails like a broken disk after some bytes.
struct Failing(std::io::Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_failing_system_stops_the_run_after_the_good_datagrams() {
    for compression in [Compression::None, Compression::Gzip] {
        for read_ahead in [false, true] {
            let capture = compressed(&small_pcap(), compression);
            let len = capture.len() - 30;
            let stream: Box<dyn Read + Send> = Box::new(Failing(io::Cursor::new(capture[..len].to_vec())));
            let options = Options { read_ahead, ..Options::default() };
            let mut captures = Captures::from_readers(vec![("disk".to_owned(), stream)], &options).unwrap();
            let mut datagrams = 0;
            let error = loop {
                match captures.next() {
                    Ok(Some(_)) => datagrams += 1,
                    Ok(None) => panic!("the failure was not told"),
                    Err(error) => break error,
                }
            };
            assert!(compression != Compression::None || datagrams == 2);
            assert!(matches!(error, CaptureError::Read { offset, .. } if offset as usize == len));
            assert!(error.to_string().contains("the disk is gone"), "{error}");
        }
    }
}

#[test]
fn a_source_that_gives_a_byte_at_a_time_gives_the_same() {
    struct Slow(io::Cursor<Vec<u8>>);
    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }
    for whole in [small_pcap(), small_pcapng(Order::Big), small_binaryfile()] {
        for compression in
            [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Lz4, Compression::Xz]
        {
            let stream: Box<dyn Read + Send> =
                Box::new(Slow(io::Cursor::new(compressed(&whole, compression))));
            let captures =
                Captures::from_readers(vec![("capture 0".to_owned(), stream)], &Options::default()).unwrap();
            assert_eq!(drain(captures).unwrap().0, read(&whole).0);
        }
    }
}

proptest! {
    #[test]
    fn random_bytes_behind_any_magic_never_panic(
        magic in 0_usize..6,
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        sort_window: bool,
    ) {
        let starts = [
            pcap(1, &[]),
            pcap_of(Order::Big, false, 101, &[]),
            section(Order::Little),
            [section(Order::Big), interface(Order::Big, 1, 0, &[(9, &[9])])].concat(),
            small_binaryfile()[..28].to_vec(),
            vec![],
        ];
        let options = Options { sort_window, tcp: true, ..Options::default() };
        let capture = [starts[magic].clone(), bytes].concat();
        if let Ok(counts) = read_bytes(&capture, &options) {
            prop_assert!(counts.datagrams <= counts.packets);
        }
    }

    #[test]
    fn a_capture_with_changed_bytes_accounts_for_every_packet(
        order: bool,
        ng: bool,
        changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..8),
    ) {
        let order = if order { Order::Big } else { Order::Little };
        let mut capture = if ng { small_pcapng(order) } else { small_pcap() };
        for (at, byte) in changes {
            let at = usize::from(at) % capture.len();
            capture[at] = byte;
        }
        if let Ok(counts) = read_bytes(&capture, &Options::default()) {
            // Every packet gave a datagram or one of the reasons why not; other reasons may count besides.
            let why_not: u64 = counts.counted().filter(|(reason, _)| reason.kind() != Kind::Remark)
                .map(|(_, tally)| tally.count).sum();
            prop_assert!(counts.datagrams + why_not >= counts.packets, "{:?}", counted(&counts));
            prop_assert!(counts.packets <= 8);
        }
    }
}
