//! Fragments: in any order, repeated, overlapping, too late, too many.

use parallax::source::CaptureCounts;
use proptest::prelude::*;

use crate::common::*;

/// The UDP header and payload of [`frame`] with checksums as they were.
fn udp_bytes(payload: &[u8]) -> Vec<u8> {
    frame(payload)[34..42 + payload.len()].to_vec()
}

/// An Ethernet frame with one IPv4 fragment.
fn fragment(identification: u16, offset: usize, more: bool, bytes: &[u8]) -> Vec<u8> {
    let mut fragment = frame(b"")[..34].to_vec();
    fragment[16..18].copy_from_slice(&((20 + bytes.len()) as u16).to_be_bytes());
    fragment[18..20].copy_from_slice(&identification.to_be_bytes());
    let field = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
    fragment[20..22].copy_from_slice(&field.to_be_bytes());
    fragment.extend(bytes);
    fragment
}

fn cut(identification: u16, udp: &[u8], len: usize) -> Vec<Vec<u8>> {
    let pieces: Vec<_> = udp.chunks(len).collect();
    (0..pieces.len())
        .map(|at| fragment(identification, at * len, at + 1 < pieces.len(), pieces[at]))
        .collect()
}

fn count(counts: &CaptureCounts, name: &str) -> u64 {
    counted(counts).iter().find(|counted| counted.0 == name).map_or(0, |counted| counted.1)
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn fragments_in_any_order_give_the_datagram_at_the_last_one() {
    let payload = payload(3000);
    let pieces = cut(9, &udp_bytes(&payload), 1000);
    assert_eq!(pieces.len(), 4);
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let frames: Vec<_> = order.iter().map(|&at| pieces[at].clone()).collect();
        let (datagrams, counts) = read(&pcap(1, &frames));
        assert_eq!(datagrams, [datagram(4_000_000_000, 4, &payload)], "{order:?}");
        assert_eq!(counted(&counts), [("fragment_pending", 3, 1), ("reassembled", 1, 4)]);
    }
}

#[test]
fn interleaved_packets_are_kept_apart() {
    let (one, two) = (payload(2000), vec![7; 2000]);
    let frames: Vec<_> = cut(1, &udp_bytes(&one), 1480)
        .into_iter()
        .zip(cut(2, &udp_bytes(&two), 1480))
        .flat_map(|(one, two)| [one, two])
        .collect();
    let (datagrams, _) = read(&pcap(1, &frames));
    assert_eq!(datagrams, [datagram(3_000_000_000, 3, &one), datagram(4_000_000_000, 4, &two)]);
}

#[test]
fn repeated_and_agreeing_fragments_are_taken_contradicting_ones_not() {
    let payload = payload(100);
    let udp = udp_bytes(&payload);
    // Overlap of 16 agreeing bytes, and the first fragment twice.
    let frames = [
        fragment(1, 0, true, &udp[..56]),
        fragment(1, 0, true, &udp[..56]),
        fragment(1, 40, false, &udp[40..]),
    ];
    let (datagrams, counts) = read(&pcap(1, &frames));
    assert_eq!(datagrams, [datagram(3_000_000_000, 3, &payload)]);
    assert_eq!(
        counted(&counts),
        [("fragment_pending", 1, 1), ("fragment_duplicate", 1, 2), ("reassembled", 1, 3)]
    );
    let mut other = udp[40..].to_vec();
    other[3] ^= 1;
    let frames = [fragment(1, 0, true, &udp[..56]), fragment(1, 40, false, &other)];
    let (datagrams, counts) = read(&pcap(1, &frames));
    assert_eq!(datagrams, []);
    assert_eq!(counted(&counts), [("fragment_overlap", 1, 2), ("fragment_pending", 1, 1)]);
}

#[test]
fn fragments_that_contradict_the_end_or_the_limits_are_refused() {
    let frames = [
        // Not a multiple of 8 though more follow; empty; beyond the largest packet.
        fragment(1, 0, true, &[0; 9]),
        fragment(2, 8, true, &[]),
        fragment(3, 65_528, false, &[0; 8]),
        // Two ends.
        fragment(4, 16, false, &[0; 8]),
        fragment(4, 32, false, &[0; 8]),
        // Bytes behind the end.
        fragment(5, 8, false, &[0; 8]),
        fragment(5, 16, true, &[0; 8]),
    ];
    let (datagrams, counts) = read(&pcap(1, &frames));
    assert_eq!(datagrams, []);
    assert_eq!(counted(&counts), [("fragment_bad", 5, 1), ("fragment_pending", 2, 4)]);
}

#[test]
fn a_fragment_cut_by_the_snap_length_is_not_used() {
    let piece = fragment(1, 0, true, &[0; 64]);
    let capture = pcap_of(Order::Little, true, 1, &[(5, &piece[..60], piece.len() as u32)]);
    assert_eq!(counted(&read(&capture).1), [("fragment_truncated", 1, 1)]);
}

#[test]
fn packets_that_wait_longer_than_thirty_seconds_of_capture_time_expire() {
    let udp = udp_bytes(&payload(100));
    let (first, last) = (fragment(1, 0, true, &udp[..56]), fragment(1, 56, false, &udp[56..]));
    let second = 1_000_000_000;
    for (gap, delivered) in [(30 * second, 1), (30 * second + 1, 0)] {
        let records =
            [(second, &first[..], first.len() as u32), (second + gap, &last[..], last.len() as u32)];
        let (datagrams, counts) = read(&pcap_of(Order::Little, true, 1, &records));
        assert_eq!(datagrams.len(), delivered);
        // The late one waits in vain, and whatever waits at the capture's end has expired too.
        assert_eq!(count(&counts, "fragment_expired"), if delivered == 1 { 0 } else { 2 });
    }
}

#[test]
fn a_flood_of_first_fragments_is_bounded_and_counted() {
    let frames: Vec<_> = (0..1000).map(|at| fragment(at, 0, true, &[0; 8])).collect();
    let (_, counts) = read(&pcap_of(
        Order::Little,
        true,
        1,
        &frames.iter().map(|frame| (5, &frame[..], frame.len() as u32)).collect::<Vec<_>>(),
    ));
    assert_eq!(count(&counts, "fragment_pending"), 1000);
    assert_eq!(count(&counts, "fragment_evicted"), 1000 - 256);
    assert_eq!(count(&counts, "fragment_expired"), 256);
    // Large ones run into the limit on bytes: 8 MiB hold 128 packets of almost 64 KiB.
    let frames: Vec<_> = (0..200).map(|at| fragment(at, 65_000, true, &[0; 400])).collect();
    let records: Vec<_> = frames.iter().map(|frame| (5, &frame[..], frame.len() as u32)).collect();
    let (_, counts) = read(&pcap_of(Order::Little, true, 1, &records));
    assert_eq!(count(&counts, "fragment_expired"), 8 * 1024 * 1024 / 65_400);
    assert_eq!(count(&counts, "fragment_evicted"), 200 - 8 * 1024 * 1024 / 65_400);
}

#[test]
fn ipv6_fragments_are_put_together_behind_their_extension_headers() {
    let payload = payload(500);
    let udp = udp_bytes(&payload);
    // The fragmentable part begins with destination options.
    let part = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp].concat();
    let piece = |offset: usize, more: bool, bytes: &[u8]| {
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend((8 + bytes.len() as u16).to_be_bytes());
        packet.extend([44, 1]);
        packet.extend([0xfd; 16]);
        packet.extend([0xff; 16]);
        packet.extend([60, 0]);
        packet.extend((offset as u16 | u16::from(more)).to_be_bytes());
        packet.extend([0xab, 0xcd, 0, 1]);
        packet.extend(bytes);
        packet
    };
    let frames = [piece(248, false, &part[248..]), piece(0, true, &part[..248])];
    let (datagrams, counts) = read(&pcap(229, &frames));
    let got: Vec<_> = datagrams.iter().map(|d| (d.frame, d.destination.port(), d.payload.clone())).collect();
    assert_eq!(got, [(2, 26477, payload)]);
    assert_eq!(counted(&counts), [("fragment_pending", 1, 1), ("reassembled", 1, 2)]);
}

proptest! {
    #[test]
    fn shuffled_and_repeated_fragments_give_the_datagram_once_each_time_it_is_whole(
        len in 1_usize..4000,
        piece in 1_usize..100,
        order in proptest::collection::vec(any::<u16>(), 0..80),
    ) {
        let payload = payload(len);
        let pieces = cut(3, &udp_bytes(&payload), piece * 8);
        prop_assume!(pieces.len() > 1);
        let mut frames: Vec<_> = order.iter().map(|&at| pieces[usize::from(at) % pieces.len()].clone()).collect();
        // However they came, sending all of them makes at least one whole packet.
        frames.extend(pieces.iter().cloned());
        let (datagrams, counts) = read(&pcap_of(
            Order::Little, true, 1,
            &frames.iter().map(|frame| (5, &frame[..], frame.len() as u32)).collect::<Vec<_>>(),
        ));
        prop_assert!(!datagrams.is_empty());
        prop_assert!(datagrams.iter().all(|datagram| datagram.payload == payload));
        // Every fragment is accounted for: waiting, repeated, or completing its packet.
        let accounted = ["fragment_pending", "fragment_duplicate", "reassembled"];
        prop_assert_eq!(accounted.iter().map(|name| count(&counts, name)).sum::<u64>(), frames.len() as u64);
    }
}
