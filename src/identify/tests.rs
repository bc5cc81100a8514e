//! Captures written here, and what is told of them.

use std::io::{Cursor, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use feeds::moldudp64::DownstreamHeaderValues;
use proptest::prelude::*;

use super::sample::Track;
use super::*;
use crate::config::Config;
use crate::source::Options;
use crate::source::writer::CaptureWriter;

const SESSION: &[u8; 10] = b"000010059B";
const SECOND: u64 = 1_000_000_000;

fn group(last: u8) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(233, 54, 12, last), 26_477)
}

fn packet(session: &[u8; 10], sequence: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let count = messages.len() as u16;
    let header =
        DownstreamHeaderValues { session: *session, sequence_number: sequence, message_count: count };
    let mut out = header.encode().to_vec();
    for message in messages {
        out.extend_from_slice(&(message.len() as u16).to_be_bytes());
        out.extend_from_slice(message);
    }
    out
}

/// An ITCH packet of one order delete whose order is `order`.
fn delete(sequence: u64, order: u64) -> Vec<u8> {
    let mut message = b"D\0\x01\0\0\0\0\0\0\0\x01".to_vec();
    message.extend_from_slice(&order.to_be_bytes());
    packet(SESSION, sequence, &[message])
}

fn start_of_day(sequence: u64) -> Vec<u8> {
    let mut message = b"1CIE ".to_vec();
    message.resize(29, 0);
    packet(b"000007527Q", sequence, &[message])
}

fn heartbeat(sequence: u64) -> Vec<u8> {
    packet(SESSION, sequence, &[])
}

type Sent = (SocketAddrV4, Vec<u8>);

fn captures(contents: &[(&str, Vec<Sent>)]) -> Captures {
    let mut readers: Vec<(String, Box<dyn Read + Send>)> = vec![];
    for (name, sent) in contents {
        let mut writer = CaptureWriter::pcap(Vec::new()).unwrap();
        for (i, (to, payload)) in sent.iter().enumerate() {
            let from = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 1);
            writer.write_udp(SECOND + i as u64, 0, from, *to, payload).unwrap();
        }
        readers.push(((*name).to_owned(), Box::new(Cursor::new(writer.finish().unwrap()))));
    }
    Captures::from_readers(readers, &Options::default()).unwrap()
}

fn told(contents: &[(&str, Vec<Sent>)]) -> Identification {
    identify(&mut captures(contents), Limits::default()).unwrap()
}

/// Channel, line, group, capture and numbers of every line.
fn lines(found: &Identification) -> Vec<String> {
    let mut out = vec![];
    for channel in &found.channels {
        for line in &channel.lines {
            let capture = line.capture.as_deref().unwrap_or("-");
            let (low, high) = line.sequences.unwrap();
            let feed = channel.feed.info().name;
            out.push(format!("{feed} {} {} {} {capture} {low}-{high}", channel.name, line.name, line.group));
        }
    }
    out
}

#[test]
fn groups_with_the_same_packets_are_lines_and_the_rest_is_told_apart() {
    let mut sent = vec![];
    for n in 1..=20 {
        if n != 7 {
            sent.push((group(1), delete(n, n)));
        }
        if n >= 5 {
            sent.push((group(2), delete(n, n)));
        }
        // The same numbers and session, other messages: a channel of its own.
        sent.push((group(3), delete(n, 1_000 + n)));
        sent.push((group(4), start_of_day(n)));
        sent.push((group(5), heartbeat(n)));
        sent.push((group(6), vec![n as u8; 40]));
    }
    let found = told(&[("a.pcap", sent)]);
    assert_eq!(
        lines(&found),
        [
            "nasdaq-itch-5.0 c1 A 233.54.12.1:26477 - 1-20",
            "nasdaq-itch-5.0 c1 B 233.54.12.2:26477 - 5-20",
            "nasdaq-itch-5.0 c2 A 233.54.12.3:26477 - 1-20",
            "utp-uqdf c1 A 233.54.12.4:26477 - 1-20",
        ]
    );
    let unknown: Vec<_> = found.unknown.iter().map(|u| (u.group.to_string(), u.packets)).collect();
    assert_eq!(unknown, [("233.54.12.5:26477".to_owned(), 20), ("233.54.12.6:26477".to_owned(), 20)]);
    assert!(
        found.unknown[0].why.starts_with("only heartbeats, which could be of nasdaq-itch-5.0 or utp-uqdf")
    );
    assert_eq!(found.unknown[1].why, "no feed of the catalogue fits its packets");
    assert_eq!((found.datagrams, found.complete), (115, true));

    let config = Config::parse("told.toml", &config_toml(&found), Path::new(".")).unwrap();
    let names: Vec<_> = config.sources.iter().map(|s| (s.name.as_str(), s.venue.as_deref())).collect();
    assert_eq!(names, [("nasdaq-itch-5.0", Some("XNAS")), ("utp-uqdf", None)]);
    let groups: Vec<Vec<String>> = config.sources[0]
        .channels
        .iter()
        .map(|c| c.lines.iter().map(|l| format!("{} {}", l.name, l.group)).collect())
        .collect();
    assert_eq!(groups, [vec!["A 233.54.12.1:26477", "B 233.54.12.2:26477"], vec!["A 233.54.12.3:26477"]]);
}

#[test]
fn a_group_recorded_twice_is_two_lines_and_in_pieces_one() {
    let part = |numbers: std::ops::Range<u64>| numbers.map(|n| (group(1), delete(n, n))).collect::<Vec<_>>();
    let twice = told(&[("x/left.pcap", part(1..20)), ("y/ri\"ght.pcap", part(10..30))]);
    assert_eq!(
        lines(&twice),
        [
            "nasdaq-itch-5.0 c1 A 233.54.12.1:26477 left.pcap 1-19",
            "nasdaq-itch-5.0 c1 B 233.54.12.1:26477 ri\"ght.pcap 10-29",
        ]
    );
    let config = Config::parse("told.toml", &config_toml(&twice), Path::new(".")).unwrap();
    let of: Vec<_> = config.sources[0].channels[0].lines.iter().map(|l| l.capture.clone().unwrap()).collect();
    assert_eq!(of, ["left.pcap", "ri\"ght.pcap"]);

    let pieces = told(&[("1.pcap", part(1..10)), ("2.pcap", part(10..30))]);
    assert_eq!(lines(&pieces), ["nasdaq-itch-5.0 c1 A 233.54.12.1:26477 - 1-29"]);
    assert_eq!(pieces.channels[0].lines[0].packets, 29);
    let evidence = &pieces.channels[0].lines[0].evidence;
    assert_eq!(evidence, "29 of 29 packets with messages fit nasdaq-itch-5.0 in framing, types and lengths");
}

#[test]
fn damage_lowers_confidence_and_noise_takes_it_away() {
    let confidence = |good: u64, bad: u64| {
        let good = (0..good).map(|n| (group(1), delete(n + 1, n)));
        let bad = (0..bad).map(|_| (group(1), b"noise".to_vec()));
        let found = told(&[("a", good.chain(bad).collect())]);
        found.channels.first().map(|c| c.lines[0].confidence_percent)
    };
    assert_eq!(confidence(1, 0), Some(98));
    assert_eq!(confidence(9, 0), Some(99));
    assert_eq!(confidence(8, 2), Some(79));
    assert_eq!(confidence(5, 5), None);
    assert_eq!(confidence(0, 5), None);
}

#[test]
fn reading_ends_at_the_limits() {
    let sent = (1..=10).map(|n| (group(n as u8 % 3), delete(n, n))).collect();
    let limits = Limits { datagrams: 6, groups: 2, ..Limits::default() };
    let found = identify(&mut captures(&[("a", sent)]), limits).unwrap();
    assert_eq!((found.datagrams, found.complete, found.uncounted), (6, false, 2));
    assert!(table(&found).ends_with("only the first 6 datagrams were read\n"));
}

#[test]
fn the_catalogue_tells_its_own_samples_apart() {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), std::path::PathBuf::from);
    let folder = root.join("captures/messages/Nasdaq");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there", folder.display());
        return;
    }
    for (inside, feed) in [
        ("Nasdaq.Equities.TotalView.Itch.v5.0", Some("nasdaq-itch-5.0")),
        ("Psx.Equities.TotalView.Itch.v5.0.20230822", Some("nasdaq-itch-5.0")),
        ("Uqdf.Output.Utp.v1.5", Some("utp-uqdf")),
        ("Ise.OrderComboFeed.v1.1", None),
        ("Nasdaq.Equities.Bbo.Itch.v2.1.20241105", None),
    ] {
        for entry in std::fs::read_dir(folder.join(inside)).unwrap() {
            let path = entry.unwrap().path();
            let mut captures = Captures::open(std::slice::from_ref(&path), &Options::default()).unwrap();
            let found = identify(&mut captures, Limits::default()).unwrap();
            let told = found.channels.first().map(|channel| channel.feed.info().name);
            assert_eq!(told, feed, "{}", path.display());
        }
    }
}

proptest! {
    /// Two lines that each lost packets of their own are still known as copies; other data never is.
    #[test]
    fn copies_are_known_whatever_each_lost(
        lost_a in prop::collection::btree_set(0u64..4_000, 0..3_000),
        lost_b in prop::collection::btree_set(0u64..4_000, 0..3_000),
        begin in 0u64..1_000,
    ) {
        let track = |lost: &std::collections::BTreeSet<u64>, begin: u64, salt: u64| {
            let mut track = Track::default();
            for n in (begin..4_000).filter(|n| !lost.contains(n)) {
                let payload = delete(n, n ^ salt);
                track.take(&feeds::moldudp64::header(&payload).unwrap(), &payload);
            }
            track
        };
        let (a, b) = (track(&lost_a, 0, 0), track(&lost_b, begin, 0));
        let in_both = (begin..4_000).any(|n| !lost_a.contains(&n) && !lost_b.contains(&n));
        prop_assert_eq!(a.overlap(&b).common, a.overlap(&b).equal);
        // Samples are whole below 1,024 packets; above, they share what both have of the smallest.
        if (4_000 - begin).saturating_sub((lost_a.len() + lost_b.len()) as u64) > 500 {
            prop_assert!(in_both && a.overlap(&b).is_copy());
        }
        let other = track(&lost_b, begin, 1 << 40);
        prop_assert!(!a.overlap(&other).is_copy());
    }
}
