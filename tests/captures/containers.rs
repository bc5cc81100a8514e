//! pcap and pcapng of every kind, BinaryFILE, and every compression around them.

use std::io::Write;

use parallax::source::writer::{CaptureWriter, Compressor};
use parallax::source::{Compression, Format, Options, Transport};

use crate::common::*;

/// A session of datagrams of odd lengths, longer than one block of the reader.
fn session() -> Vec<(u64, Vec<u8>)> {
    (0..2000_u64)
        .map(|at| {
            let payload = (0..at % 700).map(|byte| (byte * 7 + at) as u8).collect();
            (1_700_000_000_123_456_789 + at * 1_000_003, payload)
        })
        .collect()
}

fn written_as_pcap(session: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut writer = CaptureWriter::pcap(Vec::new()).unwrap();
    for (ts_ns, payload) in session {
        writer.write_udp(*ts_ns, 0, address(SENDER), address(GROUP), payload).unwrap();
    }
    writer.finish().unwrap()
}

fn written_as_pcapng(session: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut writer = CaptureWriter::pcapng(Vec::new(), &["line a", "b"]).unwrap();
    for (ts_ns, payload) in session {
        writer.write_udp(*ts_ns, 0, address(SENDER), address(GROUP), payload).unwrap();
    }
    writer.finish().unwrap()
}

fn compressed(bytes: &[u8], compression: Compression) -> Vec<u8> {
    let mut compressor = Compressor::new(Vec::new(), compression).unwrap();
    compressor.write_all(bytes).unwrap();
    compressor.finish().unwrap()
}

fn expected(session: &[(u64, Vec<u8>)]) -> Vec<Owned> {
    session
        .iter()
        .enumerate()
        .map(|(at, (ts_ns, payload))| datagram(*ts_ns, at as u64 + 1, payload))
        .collect()
}

const COMPRESSIONS: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Zstd, Compression::Lz4, Compression::Xz];

#[test]
fn one_session_is_the_same_in_every_container_and_compression() {
    let session = session();
    let expected = expected(&session);
    for (plain, format) in
        [(written_as_pcap(&session), Format::PcapNanos), (written_as_pcapng(&session), Format::Pcapng)]
    {
        for compression in COMPRESSIONS {
            for read_ahead in [false, true] {
                for sort_window in [false, true] {
                    let options = Options { read_ahead, sort_window, ..Options::default() };
                    let (datagrams, counts) = read_with(&compressed(&plain, compression), &options);
                    assert!(datagrams == expected, "{format:?} {compression:?} {read_ahead} {sort_window}");
                    assert_eq!((counts.format, counts.compression), (format, compression));
                    assert_eq!((counts.packets, counts.datagrams), (2000, 2000));
                    // Short frames are padded to 60 bytes; nothing else is worth counting.
                    let padded = session.iter().filter(|(_, payload)| payload.len() < 18).count() as u64;
                    assert_eq!(counted(&counts), [("padding_stripped", padded, 1)]);
                }
            }
        }
    }
}

#[test]
fn members_frames_and_streams_are_read_to_the_last() {
    let session = session();
    let plain = written_as_pcap(&session);
    for compression in COMPRESSIONS {
        // Cut in the middle of a record, so that a reader that stops early cannot be right.
        let parts = plain.chunks(plain.len() / 3 + 5).map(|part| compressed(part, compression));
        let (datagrams, counts) = read(&parts.collect::<Vec<_>>().concat());
        assert!(datagrams == expected(&session), "{compression:?}");
        assert_eq!(counts.compression, compression);
    }
}

#[test]
fn skippable_frames_are_passed_over() {
    let session = session();
    let plain = written_as_pcap(&session);
    let skippable = [&[0x51, 0x2a, 0x4d, 0x18, 5, 0, 0, 0][..], b"hello"].concat();
    let (first, second) = plain.split_at(70_001);
    for compression in [Compression::Zstd, Compression::Lz4] {
        let mut parts = vec![compressed(first, compression), skippable.clone(), skippable.clone()];
        parts.push(compressed(second, compression));
        assert!(read(&parts.concat()).0 == expected(&session), "{compression:?}");
    }
    // A file that begins with one: parallel zstd writers do.
    let file = [skippable, compressed(&plain, Compression::Zstd)].concat();
    assert!(read(&file).0 == expected(&session));
}

#[test]
fn a_session_split_in_two_captures_is_the_same_session() {
    let session = session();
    let (first, second) = session.split_at(777);
    let (first, second) = (written_as_pcap(first), written_as_pcapng(second));
    let (datagrams, counts) = try_read(&[&first, &second], &Options::default()).unwrap();
    let places: Vec<_> = datagrams.iter().map(|datagram| (datagram.capture, datagram.frame)).collect();
    let expected_places: Vec<_> =
        (1..=777).map(|frame| (0, frame)).chain((1..=1223).map(|frame| (1, frame))).collect();
    assert_eq!(places, expected_places);
    let payloads: Vec<_> =
        datagrams.into_iter().map(|datagram| (datagram.ts_recv_ns, datagram.payload)).collect();
    assert!(payloads == session);
    assert_eq!((counts[0].datagrams, counts[1].datagrams), (777, 1223));
}

#[test]
fn pcap_of_both_byte_orders_and_resolutions() {
    let (frame_one, frame_two) = (frame(b"eighteen bytes or more"), frame(b"the second of the two"));
    let times = [1_467_810_001_123_456_789, 4_294_967_295_999_999_999];
    for order in [Order::Little, Order::Big] {
        for (nanos, format, grain) in [(true, Format::PcapNanos, 1), (false, Format::PcapMicros, 1000)] {
            let records = [
                (times[0], frame_one.as_slice(), frame_one.len() as u32),
                (times[1], frame_two.as_slice(), frame_two.len() as u32),
            ];
            let (datagrams, counts) = read(&pcap_of(order, nanos, 1, &records));
            let expected = [
                datagram(times[0] / grain * grain, 1, b"eighteen bytes or more"),
                datagram(times[1] / grain * grain, 2, b"the second of the two"),
            ];
            assert_eq!(datagrams, expected, "{order:?} {format:?}");
            assert_eq!((counts.format, counted(&counts)), (format, vec![]));
        }
    }
}

#[test]
fn a_link_type_with_fcs_bits_above_it_is_still_ethernet() {
    let frame = frame(b"eighteen bytes or more");
    let capture = pcap_of(Order::Little, true, 0x5400_0001, &[(7, &frame, frame.len() as u32)]);
    assert_eq!(read(&capture).0, [datagram(7, 1, b"eighteen bytes or more")]);
}

#[test]
fn pcapng_resolutions_and_offsets_give_nanoseconds() {
    let frame = frame(b"eighteen bytes or more");
    for order in [Order::Little, Order::Big] {
        let offset = order.u64(-3_600_i64 as u64);
        let interfaces = [
            interface(order, 1, 0, &[]),
            interface(order, 1, 0, &[(9, &[9])]),
            interface(order, 1, 0, &[(2, b"eth"), (9, &[3])]),
            interface(order, 1, 0, &[(9, &[12])]),
            interface(order, 1, 0, &[(9, &[0x80 | 30])]),
            interface(order, 1, 0, &[(14, &offset), (9, &[0])]),
            interface(order, 1, 0, &[(9, &[127])]),
        ];
        let packets = [
            packet(order, 0, 1_700_000_000_123_456, &frame),
            packet(order, 1, 1_700_000_000_123_456_789, &frame),
            packet(order, 2, 1_700_000_000_123, &frame),
            packet(order, 3, 1_700_000_000_123_456, &frame),
            packet(order, 4, (5 << 30) + (1 << 29), &frame),
            packet(order, 5, 1_700_000_000, &frame),
            packet(order, 6, u64::MAX, &frame),
        ];
        let capture = [section(order), interfaces.concat(), packets.concat()].concat();
        let (datagrams, counts) = read(&capture);
        let got: Vec<_> =
            datagrams.iter().map(|d| (d.ts_recv_ns, d.interface, d.frame, d.payload.as_slice())).collect();
        let times = [
            1_700_000_000_123_456_000,
            1_700_000_000_123_456_789,
            1_700_000_000_123_000_000,
            1_700_000_000_123,
            5_500_000_000,
            1_699_996_400_000_000_000,
            0,
        ];
        let expected: Vec<_> = (0..7_u32)
            .map(|at| (times[at as usize], at, u64::from(at) + 1, &b"eighteen bytes or more"[..]))
            .collect();
        assert_eq!(got, expected, "{order:?}");
        assert_eq!(counts.packets, 7);
    }
}

#[test]
fn pcapng_times_outside_the_range_are_set_to_its_end_and_counted() {
    let order = Order::Little;
    let frame = frame(b"eighteen bytes or more");
    let capture = [
        section(order),
        interface(order, 1, 0, &[(9, &[0]), (14, &order.u64(-10_i64 as u64))]),
        packet(order, 0, 9, &frame),
        packet(order, 0, u64::MAX, &frame),
    ]
    .concat();
    let (datagrams, counts) = read(&capture);
    assert_eq!(datagrams.iter().map(|d| d.ts_recv_ns).collect::<Vec<_>>(), [0, u64::MAX]);
    assert_eq!(counted(&counts), [("bad_timestamp", 2, 1), ("time_too_late", 1, 2)]);
}

#[test]
fn times_beyond_2262_are_told_as_they_are_and_counted() {
    let order = Order::Little;
    let frame = frame(b"eighteen bytes or more");
    let (last, late) = (i64::MAX as u64, i64::MAX as u64 + 1);
    let capture = [section(order), interface(order, 1, 0, &[(9, &[9])])].concat();
    let capture = [capture, packet(order, 0, last, &frame), packet(order, 0, late, &frame)].concat();
    let (datagrams, counts) = read(&capture);
    assert_eq!(datagrams.iter().map(|d| d.ts_recv_ns).collect::<Vec<_>>(), [last, late]);
    assert_eq!(counted(&counts), [("time_too_late", 1, 2)]);
}

#[test]
fn pcapng_sections_change_byte_order_and_number_interfaces_anew() {
    let frame = frame(b"eighteen bytes or more");
    let mut capture = Vec::new();
    for order in [Order::Little, Order::Big] {
        capture.extend(section(order));
        capture.extend(interface(order, 1, 0, &[(9, &[9])]));
        capture.extend(interface(order, 228, 0, &[(9, &[6])]));
        capture.extend(packet(order, 0, 1_000, &frame));
        // Raw IPv4 on the second interface: the frame without its Ethernet header.
        capture.extend(packet(order, 1, 2, &frame[14..]));
    }
    let (datagrams, counts) = read(&capture);
    let got: Vec<_> = datagrams.iter().map(|d| (d.ts_recv_ns, d.interface, d.payload.len())).collect();
    assert_eq!(got, [(1000, 0, 22), (2000, 1, 22), (1000, 2, 22), (2000, 3, 22)]);
    assert_eq!(counted(&counts), [("time_backwards", 1, 3)]);
}

#[test]
fn simple_and_obsolete_packets_and_other_blocks() {
    let order = Order::Big;
    let frame = frame(b"eighteen bytes or more");
    let len = frame.len() as u32;
    let simple = [&order.u32(len)[..], &frame].concat();
    let obsolete = [
        &order.u16(0)[..],
        &order.u16(3),
        &order.u32(0),
        &order.u32(42),
        &order.u32(len),
        &order.u32(len),
        &frame,
    ]
    .concat();
    let capture = [
        section(order),
        interface(order, 1, 0, &[]),
        block(order, 5, &[0; 12]),
        block(order, 2, &obsolete),
        block(order, 0x0000_0bad, &[1; 40_000]),
        block(order, 3, &simple),
        packet(order, 1, 43, &frame),
        packet(order, 0, 44, &frame),
    ]
    .concat();
    let (datagrams, counts) = read(&capture);
    let payload = b"eighteen bytes or more";
    let expected = [datagram(42_000, 1, payload), datagram(42_000, 2, payload), datagram(44_000, 4, payload)];
    assert_eq!(datagrams, expected);
    assert_eq!(
        counted(&counts),
        [("unknown_interface", 1, 3), ("no_timestamp", 1, 2), ("other_block", 2, 0)]
    );
}

#[test]
fn a_simple_packet_is_as_long_as_the_snap_length_allows() {
    let order = Order::Little;
    let frame = frame(b"eighteen bytes or more");
    let cut = &frame[..50];
    let simple = [&order.u32(frame.len() as u32)[..], cut].concat();
    let capture = [section(order), interface(order, 1, 50, &[]), block(order, 3, &simple)].concat();
    let (datagrams, counts) = read(&capture);
    let expected = Owned { payload: b"eighteen".to_vec(), ..datagram(0, 1, b"eighteen bytes or more") };
    assert_eq!(datagrams, [expected]);
    assert_eq!(counted(&counts), [("cut_by_snaplen", 1, 1), ("no_timestamp", 1, 1)]);
}

/// A BinaryFILE message of `kind` at `time_ns` since midnight.
fn message(kind: u8, time_ns: u64, len: usize) -> Vec<u8> {
    let mut message = vec![kind, 0, 1, 0, 2];
    message.extend(&time_ns.to_be_bytes()[2..]);
    message.resize(len, b'x');
    [&(len as u16).to_be_bytes()[..], &message].concat()
}

#[test]
fn binaryfile_messages_are_frames_with_the_days_time() {
    let messages =
        [message(b'S', 100, 12), message(b'A', 300, 36), message(b'E', 200, 31), message(b'S', 400, 12)];
    let capture = [messages.concat(), vec![0, 0]].concat();
    let options = Options { binaryfile_midnight_ns: 1_577_682_000_000_000_000, ..Options::default() };
    let (datagrams, counts) = read_with(&capture, &options);
    let got: Vec<_> = datagrams
        .iter()
        .map(|d| (d.ts_recv_ns - 1_577_682_000_000_000_000, d.frame, d.transport, d.payload.as_slice()))
        .collect();
    let expected: Vec<_> = [100, 300, 300, 400]
        .into_iter()
        .zip(&messages)
        .enumerate()
        .map(|(at, (time, message))| (time, at as u64 + 1, Transport::BinaryFile, &message[2..]))
        .collect();
    assert_eq!(got, expected);
    assert_eq!(counts.format, Format::BinaryFile);
    assert_eq!(counted(&counts), [("end_of_session", 1, 4), ("time_clamped", 1, 3)]);
    let (_, counts) = read(&[capture, message(b'S', 500, 12)].concat());
    assert_eq!(counts.datagrams, 4);
    assert_eq!(counted(&counts)[0], ("data_after_end", 1, 4));
}

#[test]
fn what_is_no_capture_is_refused_in_one_sentence() {
    let refused = |bytes: &[u8]| match try_read(&[bytes], &Options::default()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("taken for a capture"),
    };
    assert_eq!(
        refused(b"time,price\n"),
        "capture 0 is not a capture: its first bytes at offset 0 are 74696d652c707269; it should be pcap, pcapng \
         or Nasdaq BinaryFILE, plain or compressed with gzip, zstd, lz4 or xz"
    );
    assert!(refused(b"").contains("is not a capture: it is empty;"));
    assert!(refused(&compressed(b"{\"a\":1}", Compression::Gzip)).contains("are 7b2261223a317d;"));
}

#[test]
fn files_that_cannot_be_opened_are_named() {
    use parallax::source::{CaptureError, Captures};
    let open = |paths: &[&str]| {
        let paths: Vec<_> = paths.iter().map(std::path::PathBuf::from).collect();
        Captures::open(&paths, &Options::default()).err().unwrap()
    };
    let missing = open(&["no/such/file.pcap"]);
    assert!(matches!(&missing, CaptureError::Open { name, .. } if name == "no/such/file.pcap"), "{missing}");
    assert!(matches!(open(&["."]), CaptureError::Open { .. }));
    assert!(matches!(open(&["-", "-"]), CaptureError::StandardInputTwice));
}

#[test]
fn the_time_range_cuts_by_receive_time() {
    let frames: Vec<_> = (0..5_u8).map(|at| frame(&[at; 20])).collect();
    let options = Options { from_ns: Some(2_000_000_000), to_ns: Some(4_000_000_000), ..Options::default() };
    let (datagrams, counts) = read_with(&pcap(1, &frames), &options);
    assert_eq!(datagrams, [datagram(2_000_000_000, 2, &[1; 20]), datagram(3_000_000_000, 3, &[2; 20])]);
    assert_eq!(counted(&counts), [("outside_time_range", 3, 1)]);
}

#[test]
fn the_writer_makes_frames_that_another_parser_finds_right() {
    for payload in [&b""[..], b"odd", b"even", &[0xff; 1400]] {
        let frame = frame(payload);
        let parsed = etherparse::SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(etherparse::NetSlice::Ipv4(ip)) = &parsed.net else { panic!("no IPv4") };
        let header = ip.header().to_header();
        assert_eq!(header.header_checksum, header.calc_header_checksum());
        let Some(etherparse::TransportSlice::Udp(udp)) = &parsed.transport else { panic!("no UDP") };
        assert_eq!(udp.payload(), payload);
        assert_eq!(udp.checksum(), udp.to_header().calc_checksum_ipv4(&header, payload).unwrap());
        assert_eq!(frame[..6], [0x01, 0x00, 0x5e, 54, 12, 111]);
    }
}
