//! Link types, VLAN tags, IP headers, padding, cut frames, TCP and hardware trailers.

use etherparse::{
    EtherType, IpFragOffset, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv4Options, PacketBuilder,
};
use feeds::frame::{self as wire, LinkType};
use parallax::source::{HardwareTimestamps, Options, Transport};
use proptest::prelude::*;

use crate::common::*;

const PAYLOAD: &[u8] = b"eighteen bytes or more";

/// The IPv4 packet of [`frame`], without its Ethernet header.
fn ipv4() -> Vec<u8> {
    frame(PAYLOAD)[14..].to_vec()
}

fn ipv6_datagram(source: &str, destination: &str) -> Owned {
    Owned {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        ..datagram(1_000_000_000, 1, PAYLOAD)
    }
}

fn ipv6() -> Vec<u8> {
    let mut packet = Vec::new();
    let (source, destination) = ([0xfd; 16], [0xff; 16]);
    PacketBuilder::ipv6(source, destination, 9).udp(4000, 26477).write(&mut packet, PAYLOAD).unwrap();
    packet
}

const SENDER6: &str = "[fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd:fdfd]:4000";
const GROUP6: &str = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:26477";

#[test]
fn every_link_type_gives_the_same_datagram() {
    let sll =
        |ethertype: u16| [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &ethertype.to_be_bytes()].concat();
    let sll2 = |ethertype: u16| {
        [&ethertype.to_be_bytes()[..], &[0, 0, 0, 0, 0, 7, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]].concat()
    };
    let four: [(u32, Vec<u8>); 12] = [
        (1, frame(PAYLOAD)[..14].to_vec()),
        (113, sll(0x0800)),
        (276, sll2(0x0800)),
        (12, vec![]),
        (14, vec![]),
        (101, vec![]),
        (228, vec![]),
        (0, vec![2, 0, 0, 0]),
        (0, vec![0, 0, 0, 2]),
        (108, vec![0, 0, 0, 2]),
        (113, [sll(0x8100), vec![0, 5, 8, 0]].concat()),
        (276, [sll2(0x88a8), vec![0, 5, 0x81, 0, 0, 6, 8, 0]].concat()),
    ];
    for (link, header) in four {
        let (datagrams, counts) = read(&pcap(link, &[[header, ipv4()].concat()]));
        assert_eq!(datagrams, [datagram(1_000_000_000, 1, PAYLOAD)], "link type {link}");
        assert_eq!(counted(&counts), [], "link type {link}");
    }
    let ethernet6 = [&frame(PAYLOAD)[..12], &[0x86, 0xdd]].concat();
    let six: [(u32, Vec<u8>); 9] = [
        (1, ethernet6),
        (113, sll(0x86dd)),
        (276, sll2(0x86dd)),
        (101, vec![]),
        (229, vec![]),
        (0, vec![24, 0, 0, 0]),
        (0, vec![0, 0, 0, 28]),
        (0, vec![30, 0, 0, 0]),
        (108, vec![0, 0, 0, 10]),
    ];
    for (link, header) in six {
        let (datagrams, counts) = read(&pcap(link, &[[header, ipv6()].concat()]));
        assert_eq!(datagrams, [ipv6_datagram(SENDER6, GROUP6)], "link type {link}");
        assert_eq!(counted(&counts), [], "link type {link}");
    }
}

#[test]
fn any_stack_of_vlan_tags_is_looked_through() {
    let plain = frame(PAYLOAD);
    for tags in [&[0x8100][..], &[0x88a8, 0x8100], &[0x9100, 0x8100], &[0x8100; 12]] {
        let mut tagged = plain[..12].to_vec();
        for (vlan, tag) in tags.iter().enumerate() {
            tagged.extend(u16::to_be_bytes(*tag));
            tagged.extend((0x6000 | vlan as u16).to_be_bytes());
        }
        tagged.extend(&plain[12..]);
        let (datagrams, counts) = read(&pcap(1, &[tagged]));
        assert_eq!(datagrams, [datagram(1_000_000_000, 1, PAYLOAD)], "{tags:x?}");
        assert_eq!(counted(&counts), []);
    }
}

#[test]
fn ipv4_options_and_ipv6_extension_headers_are_passed_over() {
    let mut header = Ipv4Header::new(0, 64, IpNumber::UDP, [10, 0, 0, 1], [233, 54, 12, 111]).unwrap();
    header.options = Ipv4Options::from([0x94, 4, 0, 0, 1, 1, 1, 1]);
    let mut packet = Vec::new();
    PacketBuilder::ethernet2([2; 6], [1; 6])
        .ip(IpHeaders::Ipv4(header, Ipv4Extensions::default()))
        .udp(4000, 26477)
        .write(&mut packet, PAYLOAD)
        .unwrap();
    let (datagrams, counts) = read(&pcap(1, &[packet]));
    assert_eq!((datagrams, counted(&counts)), (vec![datagram(1_000_000_000, 1, PAYLOAD)], vec![]));

    // Hop-by-hop, destination options, routing, an atomic fragment header, authentication.
    let plain = ipv6();
    let extensions: [&[u8]; 5] = [
        &[60, 0, 1, 4, 0, 0, 0, 0],
        &[43, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[44, 0, 0, 0, 0, 0, 0, 0],
        &[51, 0, 0, 0, 0, 0, 0, 9],
        &[17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1],
    ];
    let extensions = extensions.concat();
    let mut packet = plain[..40].to_vec();
    packet[6] = 0;
    packet[4..6].copy_from_slice(&((plain.len() - 40 + extensions.len()) as u16).to_be_bytes());
    packet.extend(&extensions);
    packet.extend(&plain[40..]);
    let (datagrams, counts) = read(&pcap(229, &[packet.clone()]));
    assert_eq!((datagrams, counted(&counts)), (vec![ipv6_datagram(SENDER6, GROUP6)], vec![]));
    // A chain that runs over the packet's end.
    packet[41] = 200;
    packet.resize(4000, 0);
    assert_eq!(counted(&read(&pcap(229, &[packet])).1), [("bad_ip_header", 1, 1)]);
}

#[test]
fn padding_and_frame_check_sequences_do_not_reach_the_payload() {
    let mut with_fcs = frame(PAYLOAD);
    with_fcs.extend([0xde, 0xad, 0xbe, 0xef]);
    let (datagrams, counts) = read(&pcap(1, &[frame(b"short"), with_fcs]));
    assert_eq!(datagrams, [datagram(1_000_000_000, 1, b"short"), datagram(2_000_000_000, 2, PAYLOAD)]);
    assert_eq!(counted(&counts), [("padding_stripped", 2, 1)]);
    assert_eq!(frame(b"short").len(), 60);
}

#[test]
fn frames_cut_by_the_snap_length_are_delivered_cut_or_counted() {
    let whole = frame(PAYLOAD);
    for kept in 0..whole.len() {
        let capture = pcap_of(Order::Little, true, 1, &[(5, &whole[..kept], whole.len() as u32)]);
        let (datagrams, counts) = read(&capture);
        if kept < 42 {
            assert_eq!((datagrams, counted(&counts)), (vec![], vec![("truncated_frame", 1, 1)]), "{kept}");
        } else {
            let expected = Owned { payload: PAYLOAD[..kept - 42].to_vec(), ..datagram(5, 1, PAYLOAD) };
            assert_eq!(datagrams, [expected], "{kept}");
            assert_eq!(counted(&counts), [("cut_by_snaplen", 1, 1)]);
        }
    }
}

#[test]
fn headers_that_contradict_themselves_are_counted() {
    let change = |at: usize, bytes: &[u8]| {
        let mut frame = frame(PAYLOAD);
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    };
    let frames = [
        change(14, &[0x44]),
        change(16, &[0, 19]),
        change(14, &[0x65]),
        change(38, &[0, 7]),
        change(16, &[0, 27]),
        // The UDP length points beyond the IP packet: delivered up to the packet's end.
        change(38, &[1, 0]),
        // Total length zero: segmentation offload, the frame's end counts.
        change(16, &[0, 0]),
    ];
    let (datagrams, counts) = read(&pcap(1, &frames));
    let beyond = Owned { wire_len: 248, ..datagram(6_000_000_000, 6, PAYLOAD) };
    assert_eq!(datagrams, [beyond, datagram(7_000_000_000, 7, PAYLOAD)]);
    assert_eq!(
        counted(&counts),
        [("bad_ip_header", 3, 1), ("bad_udp_header", 2, 4), ("udp_length_beyond_ip", 1, 6)]
    );
}

#[test]
fn packets_that_are_not_ours_are_counted_by_name() {
    let ethernet = |ethertype: u16| [&[0; 12][..], &ethertype.to_be_bytes(), &[0; 46]].concat();
    let protocol = |number: u8| {
        let mut frame = frame(PAYLOAD);
        frame[23] = number;
        frame
    };
    let frames = [
        ethernet(EtherType::ARP.0),
        ethernet(0x88cc),
        ethernet(46),
        protocol(1),
        protocol(2),
        protocol(132),
        protocol(50),
        tcp(b"payload"),
    ];
    let (datagrams, counts) = read(&pcap(1, &frames));
    assert_eq!(datagrams, []);
    assert_eq!(
        counted(&counts),
        [("arp", 1, 1), ("not_ip", 2, 2), ("icmp", 1, 4), ("igmp", 1, 5), ("tcp", 1, 8), ("not_udp", 2, 6)]
    );
    assert_eq!(counts.packets, 8);
    let (_, counts) = read(&pcap(147, &[frame(PAYLOAD)]));
    assert_eq!(counted(&counts), [("unknown_link_type", 1, 1)]);
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    PacketBuilder::ethernet2([2; 6], [1; 6])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(4000, 26477, 1, 1000)
        .options_raw(&[1, 1, 1, 1])
        .unwrap()
        .write(&mut packet, payload)
        .unwrap();
    packet
}

#[test]
fn tcp_payloads_are_delivered_when_asked_for() {
    let mut bad = tcp(b"payload");
    bad[14 + 20 + 12] = 0x40;
    let options = Options { tcp: true, ..Options::default() };
    let (datagrams, counts) = read_with(&pcap(1, &[tcp(b"payload"), tcp(b""), bad]), &options);
    let expected = Owned {
        transport: Transport::Tcp,
        destination: "10.0.0.2:26477".parse().unwrap(),
        ..datagram(1_000_000_000, 1, b"payload")
    };
    assert_eq!(datagrams, [expected]);
    assert_eq!(counted(&counts), [("bad_tcp_header", 1, 3), ("tcp_empty", 1, 2)]);
}

#[test]
fn hardware_trailers_give_the_receive_time() {
    let trailer = |bytes: &[u8]| [&frame(PAYLOAD), bytes].concat();
    // Half a second is 0x80_0000_0000 in units of 2^-40 s.
    let hpt = [1, 2, 3, 4, 0, 7, 0x5b, 0x0c, 0x9a, 0x4d, 0x80, 0, 0, 0, 0, 0];
    let metawatch = [9, 9, 9, 9, 0x5b, 0x0c, 0x9a, 0x4d, 0x1d, 0xcd, 0x65, 0x00, 0, 0, 1, 2];
    let with_fcs = |bytes: &[u8]| trailer(&[bytes, &[0xee; 4]].concat());
    let cases = [
        (HardwareTimestamps::ExablazeHpt, with_fcs(&hpt), vec![]),
        (HardwareTimestamps::ExablazeHptNoFcs, trailer(&hpt), vec![]),
        // The copy of the original frame check sequence counts as padding here.
        (HardwareTimestamps::MetaWatch, with_fcs(&metawatch), vec![("padding_stripped", 1, 1)]),
        (HardwareTimestamps::MetaWatchNoFcs, trailer(&metawatch), vec![("padding_stripped", 1, 1)]),
    ];
    for (hardware_timestamps, frame, remarks) in cases {
        let options = Options { hardware_timestamps, ..Options::default() };
        let (datagrams, counts) = read_with(&pcap(1, &[frame]), &options);
        assert_eq!(datagrams, [datagram(1_527_552_589_500_000_000, 1, PAYLOAD)], "{hardware_timestamps:?}");
        assert_eq!(counted(&counts), remarks, "{hardware_timestamps:?}");
    }
}

#[test]
fn counters_become_times_by_the_keyframes_rate() {
    let keyframe = |second: u64, ticks: u64| {
        let mut frame = [&[0xff; 12][..], &[0x88, 0xb5], b"EXKF", &[1, 0, 0, 0]].concat();
        for word in [1_700_000_000_000_000_000 + second * 1_000_000_000, ticks, 350_000_000, 0] {
            frame.extend(word.to_be_bytes());
        }
        frame
    };
    let counter = |ticks: u64| [&frame(PAYLOAD)[..], &(ticks as u32).to_be_bytes()].concat();
    let start = 0xffff_ff00_u64;
    let frames = [
        counter(5),
        keyframe(0, start),
        // Half a nominal second later, over the counter's wrap.
        counter(start + 175_000_000),
        // The true rate is 400 MHz.
        keyframe(1, start + 400_000_000),
        counter(start + 600_000_000),
        counter(start + 200_000_000),
    ];
    let options = Options { hardware_timestamps: HardwareTimestamps::ExanicFcs, ..Options::default() };
    let (datagrams, counts) = read_with(&pcap(1, &frames), &options);
    let at = |ns: u64| 1_700_000_000_000_000_000 + ns;
    let expected = [
        datagram(1_000_000_000, 1, PAYLOAD),
        datagram(at(500_000_000), 3, PAYLOAD),
        datagram(at(1_500_000_000), 5, PAYLOAD),
        datagram(at(500_000_000), 6, PAYLOAD),
    ];
    // The first frame has no keyframe yet, so its four bytes are padding.
    assert_eq!(datagrams, expected);
    assert_eq!(
        counted(&counts),
        [
            ("time_backwards", 1, 6),
            ("hardware_timestamp_missing", 1, 1),
            ("hardware_keyframe", 2, 2),
            ("padding_stripped", 1, 1)
        ]
    );
    let frames = [keyframe(0, 7), [counter(350_000_007), vec![1, 2, 3, 4]].concat()];
    let options = Options { hardware_timestamps: HardwareTimestamps::ExanicAppend, ..Options::default() };
    assert_eq!(read_with(&pcap(1, &frames), &options).0, [datagram(at(1_000_000_000), 2, PAYLOAD)]);
}

const LINKS: [LinkType; 8] = [
    LinkType::Ethernet,
    LinkType::LinuxSll,
    LinkType::LinuxSll2,
    LinkType::RawIp,
    LinkType::RawIpv4,
    LinkType::RawIpv6,
    LinkType::Null,
    LinkType::Loop,
];

proptest! {
    #[test]
    fn parsing_any_bytes_stays_within_them(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        version in prop_oneof![Just(None), Just(Some(0x45_u8)), Just(Some(0x60)), Just(Some(0x4f))],
    ) {
        for link in LINKS {
            // Random bytes seldom look like IP: help them over the first hurdles.
            if let (Some(version), LinkType::RawIp) = (version, link) && let Some(first) = bytes.first_mut() {
                *first = version;
            }
            match wire::parse(link, &bytes) {
                Ok(wire::Parsed::Segment(segment)) => {
                    let end = segment.payload_start + segment.payload.len();
                    prop_assert_eq!(&bytes[segment.payload_start..end], segment.payload);
                    prop_assert!(segment.wire_len as usize >= segment.payload.len());
                    prop_assert_eq!(segment.trailing as usize, bytes.len() - end);
                }
                Ok(wire::Parsed::Fragment(fragment)) => {
                    prop_assert!(fragment.wire_len as usize >= fragment.bytes.len());
                    let _ = wire::parse_reassembled(&fragment.key, fragment.bytes);
                }
                Err(_) => {}
            }
        }
    }

    #[test]
    fn a_frame_with_one_changed_byte_never_panics(at in 0_usize..64, byte: u8) {
        for packet in [frame(PAYLOAD), [&[0; 12][..], &[0x86, 0xdd], &ipv6()].concat(), tcp(PAYLOAD)] {
            let mut changed = packet;
            let at = at % changed.len();
            changed[at] = byte;
            if let Ok(wire::Parsed::Segment(segment)) = wire::parse(LinkType::Ethernet, &changed) {
                prop_assert!(segment.payload_start + segment.payload.len() <= changed.len());
            }
        }
    }
}

#[test]
fn fragment_offsets_of_another_writer_are_understood() {
    // etherparse writes the header, so that offset units and flags are not ours twice over.
    let mut header = Ipv4Header::new(16, 64, IpNumber::UDP, [10, 0, 0, 1], [233, 54, 12, 111]).unwrap();
    header.identification = 77;
    header.more_fragments = true;
    header.fragment_offset = IpFragOffset::try_new(5).unwrap();
    let mut packet = Vec::new();
    header.write(&mut packet).unwrap();
    packet.extend([3; 16]);
    let Ok(wire::Parsed::Fragment(fragment)) = wire::parse(LinkType::RawIpv4, &packet) else { panic!() };
    assert_eq!((fragment.offset, fragment.more, fragment.wire_len), (40, true, 16));
    assert_eq!((fragment.key.identification, fragment.key.protocol, fragment.bytes), (77, 17, &[3; 16][..]));
}
