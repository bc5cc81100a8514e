//! The real captures beside the repository; skipped loudly where they are not.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use parallax::source::{Captures, Format, HardwareTimestamps, Options, Transport};

use crate::common::*;

/// A shared capture, or `None` when it is not on this machine.
fn shared(what: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("captures").join(what);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn open(path: &Path, options: &Options) -> (Vec<Owned>, parallax::source::CaptureCounts) {
    let captures = Captures::open(&[path.to_owned()], options).unwrap();
    let (datagrams, mut counts) = drain(captures).unwrap();
    (datagrams, counts.remove(0))
}

fn files_under(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_under(&path, found);
        } else if path.file_name().unwrap().to_string_lossy().contains(".pcap") {
            found.push(path);
        }
    }
}

#[test]
fn every_shared_capture_is_read_to_its_end() {
    let Some(root) = shared("") else { return };
    let mut files = Vec::new();
    files_under(&root, &mut files);
    assert!(files.len() > 50, "only {} captures found", files.len());
    for path in files {
        let (datagrams, counts) = open(&path, &Options { tcp: true, ..Options::default() });
        let ahead = Options { tcp: true, read_ahead: true, sort_window: true, ..Options::default() };
        let (mut sorted, _) = open(&path, &ahead);
        // A whole file, in any order: the same datagrams.
        sorted.sort_by_key(|datagram| datagram.frame);
        assert!(datagrams == sorted, "{}", path.display());
        let unsound: Vec<_> =
            counts.errors().filter(|(reason, _)| reason.name() != "time_backwards").collect();
        assert!(unsound.is_empty(), "{}: {unsound:?}", path.display());
        assert!(!datagrams.is_empty() || counts.skipped().count() > 0, "{} gave nothing", path.display());
    }
}

#[test]
fn sessions_have_the_packets_that_their_papers_say() {
    for (file, packets, format) in [
        ("iex_tops_v16_20170710.pcap", 8500, Format::PcapMicros),
        ("iex_deep_20231002_preopen.pcap.gz", 5000, Format::PcapMicros),
        ("ice_impact_20180821.pcap", 5700, Format::PcapNanos),
        ("miax_tom_20161018.pcap", 13_000, Format::PcapNanos),
        ("nyse_imbalances_20170929.pcap", 7800, Format::PcapMicros),
        ("cboe_csm_level2_20160112.pcap", 12_000, Format::PcapMicros),
        ("cboe_cfe_pitch_20190501.pcap", 8000, Format::PcapMicros),
        ("b3_umdf_20240722/incremental.pcap", 6000, Format::PcapMicros),
        ("b3_umdf_20240722/instrument.pcap.gz", 629, Format::PcapMicros),
        ("b3_umdf_20240722/snapshot.pcap.gz", 549, Format::PcapMicros),
    ] {
        let Some(path) = shared(&format!("sessions/{file}")) else { return };
        let (datagrams, counts) = open(&path, &Options::default());
        assert_eq!(
            (datagrams.len(), counts.packets, counts.format),
            (packets, packets as u64, format),
            "{file}"
        );
    }
}

/// Which of the two lines shows each sequence number first.
fn first_lines(datagrams: &[Owned]) -> HashMap<u32, std::net::SocketAddr> {
    let mut first = HashMap::new();
    for datagram in datagrams {
        let sequence = u32::from_le_bytes(datagram.payload[..4].try_into().unwrap());
        first.entry(sequence).or_insert(datagram.destination);
    }
    first
}

#[test]
fn the_cme_lines_come_in_time_order_when_sorted() {
    let Some(path) = shared("sessions/cme_mdp3_v6_ab_20161112.pcapng") else { return };
    let (datagrams, counts) = open(&path, &Options::default());
    assert_eq!(datagrams.len(), 10_000);
    assert_eq!(counted(&counts), [("time_backwards", 581, counted(&counts)[0].2)]);
    for read_ahead in [false, true] {
        let (datagrams, counts) =
            open(&path, &Options { sort_window: true, read_ahead, ..Options::default() });
        assert_eq!(counted(&counts), []);
        assert!(datagrams.is_sorted_by_key(|datagram| datagram.ts_recv_ns));
        let first = first_lines(&datagrams);
        let line_b = "224.0.32.64:15340".parse().unwrap();
        assert_eq!(first.len(), 5000);
        assert_eq!(first.values().filter(|&&line| line == line_b).count(), 4807);
    }
}

#[test]
fn the_nasdaq_binaryfile_is_a_capture_of_messages() {
    let Some(path) = shared("sessions/nasdaq_itch50_20191230_open.binaryfile") else { return };
    // Midnight of 2019-12-30 in New York.
    let midnight = 1_577_682_000_000_000_000;
    let (datagrams, counts) =
        open(&path, &Options { binaryfile_midnight_ns: midnight, ..Options::default() });
    assert_eq!((counts.format, datagrams.len()), (Format::BinaryFile, 1000));
    assert!(datagrams.iter().all(|datagram| datagram.transport == Transport::BinaryFile));
    let half_past_nine = midnight + 34_200_000_000_000;
    let within =
        datagrams.iter().all(|d| (half_past_nine..half_past_nine + 2_500_000).contains(&d.ts_recv_ns));
    assert!(within, "{} to {}", datagrams[0].ts_recv_ns, datagrams[999].ts_recv_ns);
    assert_eq!(datagrams[0].payload[0], b'D');
    println!("{:?}", counted(&counts));
}

#[test]
fn fusion_trailers_agree_with_the_capturing_card() {
    let Some(path) = shared("sessions/hardware_timestamps/fusion_hpt_example.pcap") else { return };
    // The sample holds pings, not datagrams; a copy with the protocol changed to UDP shows the times.
    let mut bytes = std::fs::read(path).unwrap();
    let mut at = 24;
    let mut captured = Vec::new();
    while at < bytes.len() {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let (seconds, nanos, len) = (word(at), word(at + 4), word(at + 8) as usize);
        let frame = at + 16;
        if bytes[frame + 12..frame + 14] == [8, 0] {
            captured.push(u64::from(seconds) * 1_000_000_000 + u64::from(nanos));
            bytes[frame + 23] = 17;
            bytes[frame + 38..frame + 40].copy_from_slice(&[0, 64]);
        }
        at = frame + len;
    }
    let options = Options { hardware_timestamps: HardwareTimestamps::ExablazeHpt, ..Options::default() };
    let (datagrams, counts) = read_with(&bytes, &options);
    assert_eq!((datagrams.len(), captured.len()), (20, 20));
    // 0x2b9fa023f4 / 2^40 s after 0x5b0c9a4d.
    assert_eq!(datagrams[0].ts_recv_ns, 1_527_552_589_170_404_442);
    for (datagram, captured_ns) in datagrams.iter().zip(&captured) {
        assert!(datagram.ts_recv_ns.abs_diff(*captured_ns) < 1000, "{} {captured_ns}", datagram.ts_recv_ns);
        assert_eq!(datagram.payload.len(), 56);
    }
    assert!(counted(&counts).iter().all(|counted| counted.0 != "hardware_timestamp_missing"));
}

#[test]
fn counters_in_place_of_the_check_sequence_follow_their_keyframes() {
    let Some(path) = shared("sessions/hardware_timestamps/exnic-fcsu.pcap") else { return };
    let (by_capture, _) = open(&path, &Options::default());
    let options = Options { hardware_timestamps: HardwareTimestamps::ExanicFcs, ..Options::default() };
    let (by_hardware, counts) = open(&path, &options);
    assert_eq!((by_capture.len(), by_hardware.len()), (18, 18));
    let keyframes = counted(&counts).into_iter().find(|counted| counted.0 == "hardware_keyframe");
    assert_eq!(keyframes, Some(("hardware_keyframe", 23, 1)));
    // The capturing host's clock runs 110 to 120 ms ahead and drifts; the hardware must agree with it to that.
    for (hardware, capture) in by_hardware.iter().zip(&by_capture) {
        let ahead = capture.ts_recv_ns - hardware.ts_recv_ns;
        assert!((100_000_000..130_000_000).contains(&ahead), "frame {}: {ahead}", hardware.frame);
        assert_eq!(hardware.payload, capture.payload);
    }
    assert!(by_hardware.is_sorted_by_key(|datagram| datagram.ts_recv_ns));
}

#[test]
fn tcp_samples_carry_payloads() {
    for (file, payloads) in [
        ("messages/Cme/Mdp3.Sbe.v1.12/SecurityStatusRequest.Tcp.pcap", 1),
        ("messages/Cme/Mdp3.Sbe.v1.12/SnapshotFullRefreshTcpLongQty.Tcp.pcap", 1),
        ("messages/Cme/Mdp3.Sbe.v1.12/SubscriberHeartbeat.Tcp.pcap", 1),
    ] {
        let Some(path) = shared(file) else { return };
        let (datagrams, _) = open(&path, &Options { tcp: true, ..Options::default() });
        assert_eq!(datagrams.len(), payloads, "{file}");
        assert!(datagrams.iter().all(|datagram| datagram.transport == Transport::Tcp));
    }
}
