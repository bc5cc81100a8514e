//! Writes the seeds: small packets and captures made from the declared layouts, never from recorded data.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use feeds::moldudp64::DownstreamHeaderValues;
use feeds::{ALL, Feed, FeedVisitor};
use parallax::source::recorder::{Arrival, Recorder, RecorderSettings};
use parallax::source::writer::{CaptureWriter, Compressor, udp_frame};
use parallax::source::{Compression, Lost};
use std::io::Write;

/// Messages of a feed: for each layout, bytes that are described as it.
struct Messages;

impl FeedVisitor for Messages {
    type Output = Vec<Vec<u8>>;

    fn visit<F: Feed>(self) -> Vec<Vec<u8>> {
        let mut out = vec![];
        for layout in F::MESSAGES {
            // Room for empty groups behind the first block.
            for extra in [0, 3, 16] {
                let len = layout.len + if layout.parts.is_empty() { 0 } else { extra };
                let candidates =
                    [letter(len, layout.tag), category(len, layout.tag), sbe(len, layout.len, layout.tag)];
                let is_it = |message: &Vec<u8>| {
                    F::describe(message).is_ok_and(|d| d.is_some_and(|d| d.layout.name == layout.name))
                };
                out.extend(candidates.into_iter().filter(is_it));
            }
        }
        out.sort();
        out.dedup();
        out
    }
}

/// A one-byte type in front; behind it what iMpact calls the body's length.
fn letter(len: usize, tag: u32) -> Vec<u8> {
    let mut out = vec![0; len];
    if let [kind, high, low, ..] = &mut out[..] {
        *kind = tag as u8;
        [*high, *low] = (len.saturating_sub(3) as u16).to_be_bytes();
    }
    out
}

/// Version, category and type.
fn category(len: usize, tag: u32) -> Vec<u8> {
    let mut out = vec![b'0'; len];
    if let [version, category, kind, ..] = &mut out[..] {
        (*version, *category, *kind) = (b'1', (tag >> 8) as u8, tag as u8);
    }
    out
}

/// Size and SBE header.
fn sbe(len: usize, first_block_end: usize, tag: u32) -> Vec<u8> {
    let mut out = vec![0; len.max(10)];
    let block = first_block_end.saturating_sub(10);
    for (i, word) in [out.len(), block, tag as usize, 1, 9].into_iter().enumerate() {
        out[2 * i..2 * i + 2].copy_from_slice(&(word as u16).to_le_bytes());
    }
    out
}

/// The message in a packet of each transport.
fn packets(message: &[u8]) -> Vec<Vec<u8>> {
    let header = DownstreamHeaderValues { session: *b"SEED000001", sequence_number: 1, message_count: 1 };
    let length = (message.len() as u16).to_be_bytes();
    let mold = [&header.encode()[..], &length, message].concat();
    let mut out = vec![mold];
    for id in [0x8002u16, 0x8003, 0x8004] {
        let header = feeds::iextp::SegmentHeaderValues {
            version: 1,
            reserved: [0],
            message_protocol_id: id,
            channel_id: 1,
            session_id: 1,
            payload_length: message.len() as u16 + 2,
            message_count: 1,
            stream_offset: 0,
            first_message_sequence_number: 1,
            send_time: 1_700_000_000_000_000_000,
        };
        out.push([&header.encode()[..], &(message.len() as u16).to_le_bytes(), message].concat());
    }
    let mdp =
        feeds::cme_mdp3::wire::PacketHeaderValues { msg_seq_num: 2, sending_time: 1_700_000_000_000_000_000 };
    out.push([&mdp.encode()[..], message].concat());
    let impact = feeds::ice_impact::wire::PacketHeaderValues {
        session: 1,
        sequence: 1,
        number_of_msgs: 1,
        sent_date_time: 1_700_000_000_000,
    };
    out.push([&impact.encode()[..], message].concat());
    out
}

struct Seeds<'a> {
    corpus: &'a Path,
    written: usize,
}

impl Seeds<'_> {
    fn write(&mut self, target: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.corpus.join(target);
        fs::create_dir_all(&folder)?;
        self.written += 1;
        fs::write(folder.join(format!("seed-{:05}", self.written)), bytes)
    }
}

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut seeds = Seeds { corpus: &folder, written: 0 };
    let mut datagrams = vec![];
    for (select, feed) in ALL.iter().enumerate() {
        for message in feed.with(Messages) {
            seeds.write("feed", &[&[select as u8, 1][..], &message].concat())?;
            for packet in packets(&message) {
                if feed.with(Recognised(&packet)) == 0 {
                    continue;
                }
                seeds.write("feed", &[&[select as u8, 0][..], &packet].concat())?;
                seeds.write("moldudp64", &packet)?;
                seeds.write("iextp", &packet)?;
                datagrams.push(packet);
            }
        }
    }
    assert!(datagrams.len() > ALL.len(), "hardly a packet could be made");
    captures(&mut seeds, &datagrams)?;
    for text in [
        "[[source]]\nname = \"a\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n[[source.channel]]\nname = \"c\"\n\
         reorder_wait = \"5ms\"\nlines = [{ name = \"A\", group = \"233.54.12.111:26477\", interface = \"10.1.0.5\" }]\n",
        "[[check]]\nkind = \"divergent\"\nbetween = [\"a\", \"b\"]\ntolerance = { ticks = 0 }\non_delay = \"25ms\"\n",
        "[[check]]\nkind = \"stale\"\nafter = \"3s\"\nseverity = \"major\"\n",
    ] {
        seeds.write("config", text.as_bytes())?;
    }
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/rules/book"))? {
        let text = fs::read_to_string(entry?.path())?;
        // Each row of the shipped book for itself, so that a seed is as short as what is wrong with it.
        for row in text.split("\n\n").filter(|row| row.starts_with("[[")) {
            seeds.write("rules", &[&[7u8; 9][..], row.as_bytes()].concat())?;
        }
    }
    for text in [
        "instrument,source,symbol,valid_from,valid_until,tick,round_lot,reference_price,isin,figi,ric,osi,mic,currency\n\
         META,x,FB,,2022-06-09,,,,US30303M1027,,,,XNAS,USD\nMETA,y,META,2022-06-09,,0.01,100,612.77,,,META.O,,,\n",
        "instrument,source,symbol,figi,osi\nA,x,B,BBG000B9XRY4,AAPL  260117C00150000\n",
    ] {
        seeds.write("map", text.as_bytes())?;
    }
    println!("{} seeds in {}", seeds.written, folder.display());
    Ok(())
}

struct Recognised<'a>(&'a [u8]);
impl FeedVisitor for Recognised<'_> {
    type Output = u8;
    fn visit<F: Feed>(self) -> u8 {
        F::recognise(self.0)
    }
}

fn captures(seeds: &mut Seeds<'_>, datagrams: &[Vec<u8>]) -> io::Result<()> {
    let from = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 1);
    let to = |i: usize| SocketAddrV4::new(Ipv4Addr::new(233, 0, 0, 1 + (i % 3) as u8), 1_000);
    for (i, chunk) in datagrams.chunks(8).enumerate() {
        let mut pcap = CaptureWriter::pcap(Vec::new())?;
        let mut pcapng = CaptureWriter::pcapng(Vec::new(), &["a", "b"])?;
        for (n, payload) in chunk.iter().enumerate() {
            let ts_ns = 1_700_000_000_000_000_000 + n as u64;
            pcap.write_udp(ts_ns, 0, from, to(n), payload)?;
            pcapng.write_udp(ts_ns, (n % 2) as u32, from, to(n), payload)?;
        }
        let (pcap, pcapng) = (pcap.finish()?, pcapng.finish()?);
        seeds.write("pcap", &[&[1], &pcap[4..]].concat())?;
        seeds.write("pcapng", &pcapng[4..])?;
        seeds.write("identify", &pcap)?;
        seeds.write("identify", &pcapng)?;
        let mut frame = vec![0];
        udp_frame(&mut frame, from, to(i), &chunk[0])?;
        seeds.write("frame", &frame)?;
        for (select, compression, magic) in [
            (0, Compression::Gzip, 3),
            (1, Compression::Zstd, 4),
            (2, Compression::Lz4, 4),
            (3, Compression::Xz, 6),
        ] {
            if i % 16 == 0 {
                let mut compressor = Compressor::new(Vec::new(), compression)?;
                compressor.write_all(&pcap)?;
                let bytes = compressor.finish()?;
                seeds.write("compressed", &[&[select], &bytes[magic..]].concat())?;
            }
        }
    }
    recordings(seeds, datagrams)?;
    let messages = ALL[0].with(Messages);
    let file: Vec<u8> = messages
        .iter()
        .flat_map(|m| [&(m.len() as u16).to_be_bytes()[..], m].concat())
        .chain([0, 0])
        .collect();
    seeds.write("binaryfile", &file)
}

/// What the flight recorder writes: names, drops, comments, statistics and the end of watching.
fn recordings(seeds: &mut Seeds<'_>, datagrams: &[Vec<u8>]) -> io::Result<()> {
    const START_NS: u64 = 1_700_000_000_000_000_000;
    for (i, chunk) in datagrams.chunks(8).enumerate().step_by(4) {
        let folder = tempfile::tempdir()?;
        let settings = RecorderSettings {
            directory: folder.path().to_owned(),
            file_size: 1 << 20,
            file_time_ns: u64::MAX,
            keep_size: u64::MAX,
            keep_time_ns: u64::MAX,
            ring_bytes: 0,
            product: "seed".to_owned(),
        };
        let lines = ["s/c/A", "s/c/B"].map(str::to_owned).to_vec();
        let (mut recorder, mut keepers) = Recorder::new(settings, &[lines]);
        let mut keeper = keepers.remove(0);
        for (n, payload) in chunk.iter().enumerate() {
            keeper.keep(&Arrival {
                line: (n % 2) as u16,
                ts_recv_ns: START_NS + n as u64,
                source: SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 1).into(),
                destination: SocketAddrV4::new(Ipv4Addr::new(233, 0, 0, 1), 1_000).into(),
                payload,
                wire_len: payload.len() as u32,
                lost: Lost { socket: (n % 3) as u32, host: (n % 4) as u32 },
            });
        }
        let name = keeper.capture_name(1);
        keeper.finish(START_NS + 1_000_000_000);
        while recorder.step(START_NS) {}
        let compressed = fs::read(folder.path().join(name))?;
        let plain = zstd::decode_all(&compressed[..])?;
        seeds.write("pcapng", &plain[4..])?;
        seeds.write("identify", &plain)?;
        if i % 16 == 0 {
            seeds.write("compressed", &[&[1], &compressed[4..]].concat())?;
        }
    }
    Ok(())
}
