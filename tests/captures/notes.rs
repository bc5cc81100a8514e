//! What pcapng says beside its packets: names of interfaces, drops, and the time up to which they were watched.

use std::io::{Cursor, Read};

use parallax::source::{Captures, Lost, Options};

use crate::common::{
    Order, block, counted, frame, interface, packet, section, taken_apart_ahead_is_the_same,
};

const SECOND: u64 = 1_000_000_000;

/// Interface name, what was lost, frame; and the end.
type Seen = (Vec<(String, Lost, u64)>, Option<u64>, Vec<(&'static str, u64, u64)>);

fn read(capture: &[u8], options: &Options) -> Seen {
    taken_apart_ahead_is_the_same(&[capture], options);
    let stream: Box<dyn Read + Send> = Box::new(Cursor::new(capture.to_vec()));
    let mut captures = Captures::from_readers(vec![("notes".to_owned(), stream)], options).unwrap();
    let mut seen = vec![];
    while let Some(datagram) = captures.next().unwrap() {
        seen.push((datagram.interface_name.to_owned(), datagram.lost, datagram.frame));
    }
    (seen, captures.watched_until(), counted(&captures.counts()[0]))
}

fn options_of(order: Order, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = vec![];
    for (code, value) in options {
        body.extend(order.u16(*code));
        body.extend(order.u16(value.len() as u16));
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    body.extend([0; 4]);
    body
}

/// An enhanced packet block with options.
fn noted(order: Order, interface: u32, ticks: u64, frame: &[u8], options: &[(u16, &[u8])]) -> Vec<u8> {
    let plain = packet(order, interface, ticks, frame);
    let body = [&plain[8..plain.len() - 4], &options_of(order, options)].concat();
    block(order, 6, &body)
}

/// An interface statistics block.
fn statistics(order: Order, interface: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
    let body = [&order.u32(interface)[..], &[0; 8], &options_of(order, options)].concat();
    block(order, 5, &body)
}

fn time(order: Order, ticks: u64) -> Vec<u8> {
    [order.u32((ticks >> 32) as u32), order.u32(ticks as u32)].concat()
}

fn lost(socket: u32, host: u32) -> Lost {
    Lost { socket, host }
}

fn udp() -> Vec<u8> {
    frame(b"eighteen bytes or more")
}

fn arp() -> Vec<u8> {
    let mut frame = udp();
    frame[12..14].copy_from_slice(&[0x08, 0x06]);
    frame
}

#[test]
fn names_follow_their_interfaces_through_sections_and_sorting() {
    for order in [Order::Little, Order::Big] {
        let named = |name: &[u8]| interface(order, 1, 0, &[(9, &[9]), (2, name)]);
        let capture = [
            section(order),
            named(b"east/q1/A"),
            interface(order, 1, 0, &[(9, &[9])]),
            packet(order, 0, 5_000, &udp()),
            packet(order, 1, 5_001, &udp()),
            section(order),
            named("süd".as_bytes()),
            named(b"east/q1/A\0\0"),
            // Sorted in front of those of the section before.
            packet(order, 1, 4_000, &udp()),
            packet(order, 0, 6_000, &udp()),
        ]
        .concat();
        for (sort_window, expected) in [
            (false, [("east/q1/A", 1), ("", 2), ("east/q1/A", 3), ("süd", 4)]),
            (true, [("east/q1/A", 3), ("east/q1/A", 1), ("", 2), ("süd", 4)]),
        ] {
            let options = Options { sort_window, ..Options::default() };
            let (seen, until, _) = read(&capture, &options);
            let expected: Vec<_> =
                expected.map(|(name, frame)| (name.to_owned(), lost(0, 0), frame)).into_iter().collect();
            assert_eq!((seen, until), (expected, None), "{order:?} {sort_window}");
        }
    }
}

#[test]
fn drops_are_told_with_the_next_datagram_of_the_interface() {
    for order in [Order::Little, Order::Big] {
        let plain = interface(order, 1, 0, &[(9, &[9])]);
        let drops = |count: u64| order.u64(count);
        let capture = [
            section(order),
            plain.clone(),
            plain.clone(),
            noted(order, 0, 1, &udp(), &[(1, b"a comment"), (4, &drops(7))]),
            // No datagram: its drops wait for one of its interface.
            noted(order, 1, 2, &arp(), &[(4, &drops(20))]),
            packet(order, 0, 3, &udp()),
            noted(order, 1, 4, &udp(), &[(4, &drops(3)), (2, &[0; 4])]),
            noted(order, 1, 5, &udp(), &[(4, &drops(u64::MAX))]),
            // A packet of the old kind carries its drops in front, all ones for unknown.
            obsolete(order, 0, 9, 6),
            obsolete(order, 0, u16::MAX, 7),
        ]
        .concat();
        let (seen, _, counts) = read(&capture, &Options::default());
        let lost: Vec<_> = seen.into_iter().map(|(_, lost, frame)| (frame, lost.socket, lost.host)).collect();
        let expected = [(1, 7, 0), (3, 0, 0), (4, 23, 0), (5, u32::MAX, 0), (6, 9, 0), (7, 0, 0)];
        assert_eq!(lost, expected, "{order:?}");
        assert_eq!(counts, [("arp", 1, 2)]);
        // What was lost before the asked range is not told in it.
        let options = Options { from_ns: Some(3), ..Options::default() };
        let (seen, _, _) = read(&capture, &options);
        let lost: Vec<_> = seen.into_iter().map(|(_, lost, frame)| (frame, lost.socket)).collect();
        assert_eq!(lost, [(3, 0), (4, 23), (5, u32::MAX), (6, 9), (7, 0)]);
    }
}

fn obsolete(order: Order, interface: u16, drops: u16, ticks: u32) -> Vec<u8> {
    let frame = udp();
    let words = [0, ticks, frame.len() as u32, frame.len() as u32].map(|word| order.u32(word)).concat();
    block(order, 2, &[&order.u16(interface)[..], &order.u16(drops), &words, &frame].concat())
}

#[test]
fn drops_of_the_system_are_what_statistics_grew_by() {
    let order = Order::Little;
    let plain = interface(order, 1, 0, &[(9, &[9])]);
    let drops = |interface, count: u64| statistics(order, interface, &[(7, &order.u64(count))]);
    let capture = [
        section(order),
        plain.clone(),
        plain.clone(),
        drops(0, 5),
        drops(1, 2),
        packet(order, 0, 1, &udp()),
        packet(order, 1, 2, &udp()),
        drops(0, 5),
        drops(0, 9),
        packet(order, 1, 3, &udp()),
        // They cannot become fewer; the next is taken against the most.
        drops(0, 8),
        drops(0, 10),
        packet(order, 0, 4, &udp()),
        // A section counts anew.
        section(order),
        plain,
        drops(0, 3),
        packet(order, 0, 5, &udp()),
        // Of no interface; and cut options.
        drops(1, 3),
        statistics(order, 0, &[(7, &[1, 2, 3])]),
        statistics(order, 0, &[(3, &[1, 2, 3])]),
        packet(order, 0, 6, &udp()),
    ]
    .concat();
    let (seen, until, counts) = read(&capture, &Options::default());
    let lost: Vec<_> = seen.into_iter().map(|(_, lost, _)| (lost.socket, lost.host)).collect();
    assert_eq!(lost, [(0, 7), (0, 0), (0, 4), (0, 1), (0, 3), (0, 0)]);
    assert_eq!(until, None);
    assert_eq!(counts, [("bad_option", 2, 5), ("bad_statistics", 2, 3), ("other_block", 10, 0)]);
}

#[test]
fn the_end_of_watching_is_believed_within_a_week_of_the_packets() {
    const WEEK: u64 = 7 * 24 * 3600 * SECOND;
    for order in [Order::Little, Order::Big] {
        let watched = |ends: &[u64], options: &Options| {
            let mut capture = section(order);
            capture.extend(interface(order, 1, 0, &[(9, &[9])]));
            // Without a packet before it, an end is of no use and no harm.
            capture.extend(statistics(order, 0, &[(3, &time(order, 77))]));
            capture.extend(packet(order, 0, 100 * SECOND, &udp()));
            for &end in ends {
                capture.extend(statistics(order, 0, &[(2, &time(order, 1)), (3, &time(order, end))]));
            }
            let (_, until, counts) = read(&capture, options);
            let bad = counts.iter().find(|count| count.0 == "bad_statistics").map_or(0, |count| count.1);
            (until, bad)
        };
        let all = Options::default();
        assert_eq!(watched(&[], &all), (None, 0));
        assert_eq!(watched(&[105 * SECOND, 103 * SECOND], &all), (Some(105 * SECOND), 0));
        assert_eq!(watched(&[100 * SECOND + WEEK], &all), (Some(100 * SECOND + WEEK), 0));
        assert_eq!(watched(&[100 * SECOND + WEEK + 1], &all), (None, 1));
        assert_eq!(watched(&[104 * SECOND, u64::MAX], &all), (Some(104 * SECOND), 1));
        // Nothing was watched for less long than its packets.
        assert_eq!(watched(&[99 * SECOND], &all), (Some(100 * SECOND), 0));
        let cut = Options { to_ns: Some(102 * SECOND), ..Options::default() };
        assert_eq!(watched(&[105 * SECOND], &cut), (Some(102 * SECOND), 0));
    }
}

#[test]
fn the_end_has_the_resolution_of_its_interface_and_is_known_only_at_the_end() {
    let order = Order::Big;
    // Microseconds, and 1,000 s to be added.
    let offset = 1_000_u64.to_be_bytes();
    let capture = [
        section(order),
        interface(order, 1, 0, &[(14, &offset)]),
        packet(order, 0, 2_000_000, &udp()),
        statistics(order, 0, &[(3, &time(order, 2_500_000))]),
    ]
    .concat();
    let readers = |bytes: &[u8]| -> Box<dyn Read + Send> { Box::new(Cursor::new(bytes.to_vec())) };
    let later = [section(order), interface(order, 1, 0, &[]), packet(order, 0, 1, &udp())].concat();
    let streams = vec![("a".to_owned(), readers(&capture)), ("b".to_owned(), readers(&later))];
    let mut captures = Captures::from_readers(streams, &Options::default()).unwrap();
    assert_eq!(captures.next().unwrap().unwrap().ts_recv_ns, 1_000);
    assert_eq!(captures.watched_until(), None);
    assert_eq!(captures.next().unwrap().unwrap().ts_recv_ns, 1_002 * SECOND);
    assert!(captures.next().unwrap().is_none());
    // One of the two says it.
    assert_eq!(captures.watched_until(), Some(1_002 * SECOND + SECOND / 2));
}

#[test]
fn hostile_names_and_lists_are_counted_and_cost_no_packet() {
    let order = Order::Little;
    let long = vec![b'x'; 60_000];
    let mut capture = section(order);
    capture.extend(interface(order, 1, 0, &[(2, &[0xff, 0xfe])]));
    capture.extend(packet(order, 0, 1, &udp()));
    // 4 MiB hold 69 different names of this length.
    for n in 0..80_u8 {
        let mut name = long.clone();
        name[0] = n + b'0';
        capture.extend(interface(order, 1, 0, &[(2, &name)]));
    }
    capture.extend(packet(order, 69, 2, &udp()));
    capture.extend(packet(order, 70, 3, &udp()));
    // Beyond them nothing new, but what is there has its place.
    let mut first = long;
    first[0] = b'0';
    capture.extend(interface(order, 1, 0, &[(2, &first)]));
    capture.extend(packet(order, 81, 4, &udp()));
    // An option list that claims more than there is.
    let mut cut = noted(order, 0, 5, &udp(), &[(4, &[1; 8])]);
    let at = cut.len() - 18;
    assert_eq!(cut[at..at + 2], [8, 0]);
    cut[at] = 200;
    capture.extend(cut);
    capture.extend(noted(order, 0, 6, &udp(), &[(4, &[1; 7])]));
    let (seen, _, counts) = read(&capture, &Options::default());
    let lengths: Vec<_> = seen.iter().map(|(name, lost, _)| (name.len(), lost.socket)).collect();
    assert_eq!(lengths, [(0, 0), (60_000, 0), (0, 0), (60_000, 0), (0, 0), (0, 0)]);
    assert_eq!(counts, [("bad_option", 1 + 11 + 2, 0)]);
}
