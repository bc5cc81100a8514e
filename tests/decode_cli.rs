//! `decode`, `identify` and `feeds` as a user runs them, on captures written here.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use feeds::moldudp64::DownstreamHeaderValues;
use feeds::nasdaq_itch50::wire::AddOrderValues;
use parallax::source::writer::CaptureWriter;
use serde_json::Value;
use tempfile::TempDir;

/// 2023-11-14T22:13:20Z.
const START: u64 = 1_700_000_000_000_000_000;
const MS: u64 = 1_000_000;

const DIRECT: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(233, 54, 12, 111), 26_477);
const SIP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 17, 48), 55_530);

fn packet(session: &[u8; 10], sequence: u64, count: u16, messages: &[&[u8]]) -> Vec<u8> {
    let header =
        DownstreamHeaderValues { session: *session, sequence_number: sequence, message_count: count };
    let mut out = header.encode().to_vec();
    for message in messages {
        out.extend_from_slice(&(message.len() as u16).to_be_bytes());
        out.extend_from_slice(message);
    }
    out
}

fn itch(sequence: u64, messages: &[&[u8]]) -> Vec<u8> {
    packet(b"000010059B", sequence, messages.len() as u16, messages)
}

fn add_order(order: u64) -> [u8; 36] {
    AddOrderValues {
        message_type: b'A',
        stock_locate: 17,
        tracking_number: 2,
        timestamp: 34_200_000_000_000,
        order_reference_number: order,
        buy_sell_indicator: b'B',
        shares: 100,
        stock: *b"AAPL    ",
        price: 1_899_700,
    }
    .encode()
}

/// A UTP start-of-day message.
fn start_of_day() -> Vec<u8> {
    let mut message = b"1CIE ".to_vec();
    message.resize(29, 0);
    message
}

struct Room {
    folder: TempDir,
}

impl Room {
    fn new() -> Self {
        Room { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a capture whose datagrams are a millisecond apart.
    fn capture(&self, name: &str, sent: &[(SocketAddrV4, Vec<u8>)]) -> PathBuf {
        let path = self.path(name);
        let mut writer = CaptureWriter::pcap(std::fs::File::create(&path).unwrap()).unwrap();
        let from = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 1);
        for (i, (to, payload)) in sent.iter().enumerate() {
            writer.write_udp(START + i as u64 * MS, 0, from, *to, payload).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    /// Runs in the folder.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        told(
            Command::cargo_bin("parallax")
                .unwrap()
                .current_dir(self.folder.path())
                .args(args)
                .output()
                .unwrap(),
        )
    }
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// `frame seq.msg feed type` of every line.
fn summary(lines: &str) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    lines
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let (feed, name) = (word(&line["feed"]), word(&line["type"]));
            format!("{} {}.{} {feed} {name}", line["frame"], line["seq"], line["msg"])
        })
        .collect()
}

#[test]
fn a_message_is_a_line_with_its_fields_in_wire_order() {
    let room = Room::new();
    room.capture("x.pcap", &[(DIRECT, itch(1234, &[&add_order(123)]))]);
    let (code, out, err) = room.run(&["decode", "x.pcap"]);
    assert_eq!(
        out,
        concat!(
            r#"{"capture":"x.pcap","frame":1,"ts":1700000000000000000,"channel":"233.54.12.111:26477","seq":1234,"msg":0,"#,
            r#""feed":"nasdaq-itch-5.0","type":"add_order","fields":{"stock_locate":17,"tracking_number":2,"#,
            r#""timestamp":34200000000000,"order_reference_number":123,"buy_sell_indicator":"B","shares":100,"#,
            r#""stock":"AAPL","price":1899700}}"#,
            "\n"
        )
    );
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn what_cannot_be_decoded_has_a_line_that_says_why() {
    let room = Room::new();
    let mut cut = itch(5, &[b"D\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x09"]);
    cut.truncate(30);
    room.capture(
        "x.pcap",
        &[
            (DIRECT, itch(1, &[&add_order(1), b"z?", &add_order(2)[..20]])),
            (DIRECT, cut),
            (DIRECT, b"short".to_vec()),
            (DIRECT, itch(9, &[])),
        ],
    );
    let (code, out, err) = room.run(&["decode", "--feed", "nasdaq-itch-5.0", "x.pcap"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5, "{out}");
    let rest = |line: &str| line.split_once(r#""seq":"#).unwrap().1.to_owned();
    assert_eq!(
        rest(lines[1]),
        r#"1,"msg":1,"feed":"nasdaq-itch-5.0","type":"unknown","code":122,"length":2}"#
    );
    // The third message begins at 20 + 2 + 36 + 2 + 2 + 2.
    assert_eq!(
        rest(lines[2]),
        r#"1,"msg":2,"feed":"nasdaq-itch-5.0","type":"add_order","error":{"name":"truncated","layout":"add_order","offset":64,"needed":36,"had":20}}"#
    );
    assert_eq!(
        rest(lines[3]),
        r#"5,"msg":0,"feed":"nasdaq-itch-5.0","type":"packet","error":{"name":"truncated","layout":"message_block","offset":22,"needed":19,"had":8}}"#
    );
    assert_eq!(
        rest(lines[4]),
        r#"null,"msg":0,"feed":"nasdaq-itch-5.0","type":"packet","error":{"name":"truncated","layout":"moldudp64_header","offset":0,"needed":20,"had":5}}"#
    );
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn channels_are_told_by_their_bytes_and_lines_keep_the_order_of_arrival() {
    let room = Room::new();
    room.capture(
        "x.pcap",
        &[
            // Noise on the direct channel: nothing is known of it yet, and what follows waits behind it.
            (DIRECT, b"noise".to_vec()),
            (SIP, packet(b"000007527Q", 7, 0, &[])),
            (SIP, packet(b"000007527Q", 7, 1, &[&start_of_day()])),
            (DIRECT, itch(1, &[&add_order(1)])),
            (SIP, packet(b"000007527Q", 8, 1, &[&start_of_day()])),
            (DIRECT, itch(2, &[&add_order(2)])),
            (DIRECT, itch(3, &[&add_order(3)])),
        ],
    );
    let (code, out, err) = room.run(&["decode", "x.pcap"]);
    assert_eq!(
        summary(&out),
        [
            "1 null.0 nasdaq-itch-5.0 packet",
            "3 7.0 utp-uqdf start_of_day",
            "4 1.0 nasdaq-itch-5.0 add_order",
            "5 8.0 utp-uqdf start_of_day",
            "6 2.0 nasdaq-itch-5.0 add_order",
            "7 3.0 nasdaq-itch-5.0 add_order",
        ]
    );
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn what_no_feed_explains_is_counted_aloud() {
    let room = Room::new();
    let mut sent: Vec<_> = (0..100).map(|_| (SIP, b"noise".to_vec())).collect();
    sent.push((DIRECT, packet(&[0; 10], 0, 0, &[&add_order(1), &add_order(2)])));
    room.capture("x.pcap", &sent);
    let (code, out, err) = room.run(&["decode", "x.pcap"]);
    assert_eq!(summary(&out), ["101 0.0 nasdaq-itch-5.0 add_order", "101 0.1 nasdaq-itch-5.0 add_order"]);
    assert_eq!(
        err,
        "x.pcap: 224.0.17.48:55530: 100 datagrams not decoded, first at frame 1: no feed of the catalogue fits its \
         packets\n\
         x.pcap: 233.54.12.111:26477: count_mismatch: 1 packets, first at frame 101, whose header announces 0 \
         messages where 2 are; all that are there are listed\n"
    );
    assert_eq!(code, 0);
}

#[test]
fn a_configuration_says_what_is_decoded() {
    let room = Room::new();
    room.capture("x.pcap", &[(DIRECT, itch(1, &[&add_order(1)])), (SIP, itch(2, &[&add_order(2)]))]);
    std::fs::write(
        room.path("c.toml"),
        "[[source]]\nname = \"direct\"\nfeed = \"nasdaq-itch-5.0\"\n[[source.channel]]\nname = \"tv\"\n\
         lines = [{ name = \"A\", group = \"233.54.12.111:26477\" }]\n",
    )
    .unwrap();
    let (code, out, err) = room.run(&["decode", "--config", "c.toml", "x.pcap"]);
    assert_eq!(summary(&out), ["1 1.0 nasdaq-itch-5.0 add_order"]);
    assert_eq!(
        err,
        "x.pcap: 224.0.17.48:55530: 1 datagrams not decoded, first at frame 2: the configuration has no line for \
         this group\n"
    );
    assert_eq!(code, 0);
}

#[test]
fn several_captures_are_merged_and_cut_to_the_window() {
    let room = Room::new();
    let orders =
        |from: u64| (from..from + 3).map(|n| (DIRECT, itch(n, &[&add_order(n)]))).collect::<Vec<_>>();
    room.capture("a.pcap", &orders(1));
    room.capture("b.pcap", &orders(11));
    let window = ["--from", "2023-11-14T22:13:20.001Z", "--to", "2023-11-14T22:13:20.002Z"];
    let (code, out, err) = room.run(&[&["decode", "b.pcap", "a.pcap"][..], &window].concat());
    let captures: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = captures.iter().map(|line| format!("{} {}", line["capture"], line["seq"])).collect();
    assert_eq!(seen, [r#""b.pcap" 12"#, r#""a.pcap" 2"#]);
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn standard_input_reads_like_a_file() {
    let room = Room::new();
    let path =
        room.capture("x.pcap", &[(DIRECT, itch(1, &[&add_order(1)])), (DIRECT, itch(2, &[&add_order(2)]))]);
    let mut command = Command::cargo_bin("parallax").unwrap();
    let output = command.args(["decode", "-"]).write_stdin(std::fs::read(path).unwrap()).output().unwrap();
    let (code, out, err) = told(output);
    assert_eq!(summary(&out), ["1 1.0 nasdaq-itch-5.0 add_order", "2 2.0 nasdaq-itch-5.0 add_order"]);
    assert!(out.starts_with(r#"{"capture":"-","#));
    assert_eq!((code, err.as_str()), (0, ""));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let room = Room::new();
    let sent: Vec<_> = (1..2_000).map(|n| (DIRECT, itch(n, &[&add_order(n), &add_order(n)]))).collect();
    let path = room.capture("x.pcap", &sent);
    for command in ["decode", "identify", "feeds"] {
        let mut process = std::process::Command::new(assert_cmd::cargo::cargo_bin("parallax"));
        process.arg(command).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        if command != "feeds" {
            process.arg(&path);
        }
        let mut child = process.spawn().unwrap();
        drop(child.stdout.take());
        let (code, _, err) = told(child.wait_with_output().unwrap());
        assert_eq!((code, err.as_str()), (0, ""), "{command}");
    }
}

#[test]
fn bad_arguments_are_one_sentence_and_exit_code_2() {
    let room = Room::new();
    room.capture("x.pcap", &[]);
    std::fs::write(room.path("bad.toml"), "[[sauce]]\n").unwrap();
    std::fs::write(room.path("text"), "no capture at all, only text").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["decode", "--feed", "nasdaq-itch-5", "x.pcap"], "did you mean nasdaq-itch-5.0?"),
        (&["decode", "--config", "bad.toml", "x.pcap"], "bad.toml:1"),
        (&["decode", "--from", "noon", "x.pcap"], "--from noon is no RFC 3339 time"),
        (&["decode", "nowhere.pcap"], "nowhere.pcap"),
        (&["identify", "text"], "text is not a capture"),
        (&["identify", "--write-config", "no/folder/c.toml", "x.pcap"], ""),
    ];
    for (args, wanted) in cases {
        let (code, out, err) = room.run(args);
        if wanted.is_empty() {
            // Nothing was recognised, so nothing is written: a verdict, not a failure.
            assert_eq!((code, out.as_str()), (1, "no channel was recognised in 0 datagrams\n"), "{args:?}");
            continue;
        }
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.contains(wanted), "{err}");
    }
}

#[test]
fn identify_writes_a_configuration_that_decode_reads() {
    let room = Room::new();
    let mut sent = vec![];
    for n in 1..=10 {
        sent.push((DIRECT, itch(n, &[&add_order(n)])));
        sent.push((SocketAddrV4::new(Ipv4Addr::new(233, 49, 196, 111), 26_477), itch(n, &[&add_order(n)])));
        sent.push((SIP, packet(b"000007527Q", n, 1, &[&start_of_day()])));
    }
    room.capture("x.pcap", &sent);
    let (code, table, err) = room.run(&["identify", "--write-config", "c.toml", "x.pcap"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        table,
        "feed             line  group                 packets  sequences  session     sure\n\
         nasdaq-itch-5.0  c1 A  233.49.196.111:26477  10       1-10       000010059B  99%\n\
         nasdaq-itch-5.0  c1 B  233.54.12.111:26477   10       1-10       000010059B  99%\n\
         utp-uqdf         c1 A  224.0.17.48:55530     10       1-10       000007527Q  99%\n\
         233.49.196.111:26477: 10 of 10 packets with messages fit nasdaq-itch-5.0 in framing, types and lengths\n\
         233.54.12.111:26477: 10 of 10 packets with messages fit nasdaq-itch-5.0 in framing, types and lengths\n\
         224.0.17.48:55530: 10 of 10 packets with messages fit utp-uqdf in framing, types and lengths\n"
    );
    let (code, config, _) = room.run(&["identify", "x.pcap"]);
    assert_eq!((code, &config), (0, &std::fs::read_to_string(room.path("c.toml")).unwrap()));
    let (_, configured, err) = room.run(&["decode", "--config", "c.toml", "x.pcap"]);
    assert_eq!(err, "");
    let (_, told, _) = room.run(&["decode", "x.pcap"]);
    assert_eq!((configured.lines().count(), configured), (30, told));
}

#[test]
fn feeds_shows_the_catalogue_to_people_and_to_programs() {
    let room = Room::new();
    let (code, table, _) = room.run(&["feeds"]);
    assert_eq!(code, 0);
    let (_, json, _) = room.run(&["feeds", "--json"]);
    let rows: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), feeds::ALL.len());
    assert_eq!(table.lines().count(), feeds::ALL.len() + 1);
    for (feed, (line, row)) in feeds::ALL.iter().zip(table.lines().skip(1).zip(rows)) {
        let info = feed.info();
        assert!(line.starts_with(info.name) && line.ends_with(info.carries), "{line}");
        assert_eq!((row["name"].as_str(), row["version"].as_str()), (Some(info.name), Some(info.versions)));
        assert_eq!(row["messages"].as_array().unwrap().len(), feed.messages().len());
    }
}

/// Every line of every shared capture is JSON, and what is not a line is said.
#[test]
fn every_shared_capture_decodes_to_json() {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = root.join("captures/messages");
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} is not there", folder.display());
        return;
    }
    let mut files = vec![];
    for venue in ["Nasdaq", "Cme", "Iex", "Ice", "Siac", "Containers"] {
        let Ok(versions) = std::fs::read_dir(folder.join(venue)) else { continue };
        for version in versions {
            let samples = std::fs::read_dir(version.unwrap().path()).unwrap();
            files.extend(samples.map(|sample| sample.unwrap().path()));
        }
    }
    files.retain(|file| file.to_string_lossy().contains(".pcap"));
    files.sort();
    assert!(files.len() > 50, "only {} captures", files.len());
    let output = Command::cargo_bin("parallax").unwrap().arg("decode").args(&files).output().unwrap();
    let (code, out, _) = told(output);
    assert_eq!(code, 0);
    let lines = out.lines().inspect(|line| drop(serde_json::from_str::<Value>(line).unwrap())).count();
    assert!(lines >= 169, "only {lines} lines");
}
