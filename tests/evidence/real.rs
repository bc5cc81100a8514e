//! Real sessions with a made disagreement: the capture as it is is one source, an altered copy of it on another group is
//! the other. Explained, packed, and verified from the file alone.

use std::fs::File;
use std::io::BufWriter;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};

use parallax::source::writer::{CaptureWriter, Compressor};
use parallax::source::{Captures, Compression, Options};
use serde_json::Value;

use crate::kit::{Files, parallax, stderr, stdout, text, unpacked};

const SENDER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 30_001);
/// Where the altered copy goes.
const COPY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(233, 252, 0, 77), 31_077);
const US: u64 = 1_000;
const MS: u64 = 1_000_000;

/// A session of the shared captures; `None`, said aloud, where it is not.
fn session(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("captures/sessions").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: there is no {}", path.display());
    None
}

#[derive(Clone)]
struct Packet {
    ts_ns: u64,
    group: SocketAddrV4,
    payload: Vec<u8>,
}

/// The datagrams to one group of a capture (of all groups for `None`); bare messages keep no group.
fn packets(path: &Path, group: Option<&str>) -> Vec<Packet> {
    let mut captures = Captures::open(&[path.to_path_buf()], &Options::default()).unwrap();
    let mut all = Vec::new();
    while let Some(datagram) = captures.next().unwrap() {
        let SocketAddr::V4(to) = datagram.destination else { panic!("IPv4 only") };
        all.push(Packet { ts_ns: datagram.ts_recv_ns, group: to, payload: datagram.payload.to_vec() });
    }
    all.retain(|p| group.is_none_or(|g| p.group.to_string() == g));
    all
}

fn write(path: &Path, packets: &[Packet]) {
    let file = BufWriter::new(File::create(path).unwrap());
    let mut writer = CaptureWriter::pcap(Compressor::new(file, Compression::None).unwrap()).unwrap();
    for packet in packets {
        writer.write_udp(packet.ts_ns, 0, SENDER, packet.group, &packet.payload).unwrap();
    }
    writer.finish().unwrap();
}

/// A copy on its own group, a flight later.
fn copy_of(original: &[Packet]) -> Vec<Packet> {
    original.iter().map(|p| Packet { ts_ns: p.ts_ns + 20 * US, group: COPY, ..p.clone() }).collect()
}

/// A source of the configuration.
fn source(name: &str, feed: &str, group: &str, more: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nfeed = \"{feed}\"\n{more}[[source.channel]]\nname = \"c\"\n\
         lines = [{{ name = \"A\", group = \"{group}\" }}]\n"
    )
}

/// A folder with a configuration and captures.
struct Case {
    folder: tempfile::TempDir,
    captures: Vec<String>,
    more: Vec<&'static str>,
}

impl Case {
    fn new(config: &str, captures: &[&str]) -> Case {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.toml"), config).unwrap();
        Case { folder, captures: captures.iter().map(|c| (*c).to_owned()).collect(), more: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, before: &[&str]) -> std::process::Output {
        let captures: Vec<&str> = self.captures.iter().map(String::as_str).collect();
        parallax(self.folder.path(), &[before, &["--config", "c.toml"], &self.more, &captures].concat())
    }

    /// Every alert as it was raised.
    fn raised(&self) -> Vec<Value> {
        let output = self.run(&["replay", "--alerts", "alerts.ndjson"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let told = std::fs::read_to_string(self.path("alerts.ndjson")).unwrap();
        let lines = told.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
        lines.filter(|l| l["event"] == "raised").collect()
    }

    /// The first alert of a kind, explained; the text, and the same for programs.
    fn explained(&self, kind: &str) -> (String, String, Value) {
        let raised = self.raised();
        let found = raised.iter().find(|a| a["kind"] == kind);
        let id = found.unwrap_or_else(|| panic!("{kind} is raised: {raised:#?}"))["id"].as_str().unwrap();
        let said = stdout(&self.run(&["explain", id]));
        let output = self.run(&["explain", id, "--format", "json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        if std::env::var_os("PARALLAX_SHOW").is_some() {
            println!("{said}\n=========");
        }
        (id.to_owned(), said, serde_json::from_slice(&output.stdout).unwrap())
    }

    /// The alert's evidence, verified in another folder with nothing but the file.
    fn verified(&self, id: &str) -> Files {
        let output = self.run(&["evidence", id, "-o", "e.zip"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::rename(self.path("e.zip"), elsewhere.path().join("e.zip")).unwrap();
        let output = parallax(elsewhere.path(), &["verify", "e.zip"]);
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        unpacked(&elsewhere.path().join("e.zip"))
    }
}

fn verdict(explained: &Value) -> (&str, Option<&str>) {
    (explained["cause"].as_str().unwrap(), explained["source"].as_str())
}

/// The packet that is a share of the way through, and its time.
fn middle(packets: &[Packet], percent: usize) -> (usize, u64) {
    let at = packets.len() * percent / 100;
    (at, packets[at].ts_ns)
}

/// Whatever the feed: a capture, and an altered copy of it beside it.
fn beside(name: &str, feed: &str, group: &str, more: &str, alter: impl Fn(&mut Vec<Packet>)) -> Option<Case> {
    let path = session(name)?;
    let original = packets(&path, Some(group));
    let mut copy = copy_of(&original);
    alter(&mut copy);
    let config = source("first", feed, group, more) + &source("second", feed, &COPY.to_string(), more);
    let case = Case::new(&config, &["first.pcap", "second.pcap"]);
    write(&case.path("first.pcap"), &original);
    write(&case.path("second.pcap"), &copy);
    Some(case)
}

const SESSIONS: [(&str, &str, &str); 3] = [
    ("cme_mdp3_v6_ab_20161112.pcapng", "cme-mdp3", "224.0.31.64:14340"),
    ("iex_tops_v16_20170710.pcap", "iex-tops", "224.67.0.199:16642"),
    ("ice_impact_20180821.pcap", "ice-impact", "233.156.208.100:20100"),
];

#[test]
fn packets_that_one_copy_lost_and_the_other_brought_were_lost_on_the_way() {
    for (name, feed, group) in SESSIONS {
        let case = beside(name, feed, group, "", |copy| {
            let (at, _) = middle(copy, 60);
            copy.drain(at..at + 3);
        });
        let Some(case) = case else { continue };
        let (id, said, explained) = case.explained("gap");
        assert_eq!(verdict(&explained), ("network", None), "{name}\n{said}");
        assert!(said.contains("first, another copy of the feed, brought"), "{said}");
        assert!(said.contains("are copies of one feed ("), "{said}");
        case.verified(&id);
    }
}

#[test]
fn packets_held_up_after_their_time_of_sending_were_held_up_on_the_way() {
    for (name, feed, group) in SESSIONS {
        let case = beside(name, feed, group, "", |copy| {
            let (_, from) = middle(copy, 50);
            let held = |p: &&mut Packet| (from..from + 2_000 * MS).contains(&p.ts_ns);
            copy.iter_mut().filter(held).for_each(|p| p.ts_ns += 80 * MS);
            copy.sort_by_key(|p| p.ts_ns);
        });
        let Some(case) = case else { continue };
        let (id, said, explained) = case.explained("lagging");
        assert_eq!(verdict(&explained), ("network", None), "{name}\n{said}");
        assert!(said.contains("second's packets came 80."), "{said}");
        assert!(said.contains("later than usual after their time of sending"), "{said}");
        assert_eq!(explained["order"]["first"], "first", "{said}");
        case.verified(&id);
    }
}

/// Every TOPS quote of a packet (type `Q`, 42 bytes: symbol at 10, bid size at 18, bid at 22).
fn tops_quotes(packet: &mut Packet, mut take: impl FnMut(&mut [u8])) {
    // IEX-TP: header of 40 bytes, then messages, each behind its length.
    let mut at = 40;
    while at + 2 <= packet.payload.len() {
        let len = usize::from(u16::from_le_bytes([packet.payload[at], packet.payload[at + 1]]));
        let Some(message) = packet.payload.get_mut(at + 2..at + 2 + len) else { return };
        if message[0] == b'Q' && len == 42 && message[18..22] != [0; 4] {
            take(message);
        }
        at += 2 + len;
    }
}

/// The symbol and the packets of five of its quotes in a row that come closest together, yet over more than 60 ms; from the
/// tenth of the session on.
fn dense(packets: &[Packet]) -> (Vec<u8>, std::ops::Range<usize>) {
    let mut quoted: std::collections::BTreeMap<Vec<u8>, Vec<usize>> = std::collections::BTreeMap::new();
    for (n, packet) in packets.iter().enumerate().skip(packets.len() / 10) {
        tops_quotes(&mut packet.clone(), |m| quoted.entry(m[10..18].to_vec()).or_default().push(n));
    }
    let rows = quoted.iter().flat_map(|(symbol, at)| at.windows(5).map(move |w| (symbol, w[0]..w[4])));
    let span = |at: &std::ops::Range<usize>| packets[at.end].ts_ns - packets[at.start].ts_ns;
    let (symbol, at) = rows.filter(|(_, at)| span(at) > 60 * MS).min_by_key(|(_, at)| span(at)).unwrap();
    (symbol.clone(), at)
}

/// Bids of the symbol lowered by 7.77 cents, which no market shows.
fn repriced(packet: &mut Packet, symbol: &[u8]) {
    tops_quotes(packet, |message| {
        if &message[10..18] == symbol {
            let bid = i64::from_le_bytes(message[22..30].try_into().unwrap());
            message[22..30].copy_from_slice(&(bid - 777).to_le_bytes());
        }
    });
}

#[test]
fn of_two_equal_views_neither_is_right_and_a_third_speaks_for_one() {
    let (name, feed, group) = SESSIONS[1];
    let alter = |copy: &mut Vec<Packet>| {
        let (symbol, at) = dense(copy);
        copy[at].iter_mut().for_each(|p| repriced(p, &symbol));
    };
    let Some(case) = beside(name, feed, group, "", alter) else { return };
    // At first it looks as if the other were late.
    let (id, said, explained) = case.explained("lagging");
    assert_eq!(verdict(&explained), ("undecided", None), "{said}");
    assert!(said.contains("a third source of the instrument, or the venue's own record"), "{said}");
    case.verified(&id);
    // The same packets once more, from a third place: two against one.
    let third = "233.252.0.78:31078";
    let config = std::fs::read_to_string(case.path("c.toml")).unwrap() + &source("third", feed, third, "");
    std::fs::write(case.path("c.toml"), config).unwrap();
    let mut again = packets(&case.path("first.pcap"), None);
    again.iter_mut().for_each(|p| (p.ts_ns, p.group) = (p.ts_ns + 30 * US, third.parse().unwrap()));
    write(&case.path("third.pcap"), &again);
    let case =
        Case { captures: ["first.pcap", "second.pcap", "third.pcap"].map(str::to_owned).to_vec(), ..case };
    let (id, said, explained) = case.explained("lagging");
    let found = explained["hypotheses"].as_array().unwrap().iter().find(|h| h["hypothesis"] == "wrong_value");
    let found = found.unwrap();
    assert_eq!(
        (&found["standing"], &found["would_be"][0]["source"]),
        (&"supported".into(), &"second".into()),
        "{said}"
    );
    assert!(said.contains("third shows what first shows"), "{said}");
    case.verified(&id);
}

#[test]
fn who_was_first_is_told_within_what_the_configuration_says_of_the_clocks() {
    let (name, feed, group) = SESSIONS[0];
    let late = |copy: &mut Vec<Packet>| {
        let (_, from) = middle(copy, 50);
        copy.iter_mut().filter(|p| p.ts_ns >= from).for_each(|p| p.ts_ns += 30 * MS);
    };
    for (error, known, said) in [
        ("clock_error = \"2ms\"\n", true, "give or take 4.00ms"),
        ("clock_error = \"20ms\"\n", false, "within the clocks' error of 40.0ms"),
    ] {
        let Some(case) = beside(name, feed, group, error, late) else { return };
        let (id, text_, explained) = case.explained("lagging");
        assert_eq!(explained["order"]["known"], known, "{text_}");
        assert!(text_.contains(said) && text_.contains("the configuration says"), "{text_}");
        // The file says the same on another machine, for it has the clocks' errors with it.
        let files = case.verified(&id);
        assert!(text(&files, "explanation.txt").contains(said), "{}", text(&files, "explanation.txt"));
        assert!(text(&files, "config/parallax.toml").contains(error.trim_end()));
        // What the command line says goes before it.
        let over = stdout(&case.run(&["explain", &id, "--clock-error", "1ms"]));
        assert!(over.contains("give or take 1.00ms"), "{over}");
    }
}

#[test]
fn a_line_of_the_real_pair_that_loses_is_told_from_the_other() {
    let (name, feed, _) = SESSIONS[0];
    let Some(path) = session(name) else { return };
    let mut both = packets(&path, None);
    let a: SocketAddrV4 = "224.0.31.64:14340".parse().unwrap();
    let at = both.len() / 2;
    let lost: Vec<usize> = (at..both.len()).filter(|n| both[*n].group == a).take(4).collect();
    lost.into_iter().rev().for_each(|n| drop(both.remove(n)));
    let config = format!(
        "[[source]]\nname = \"cme\"\nfeed = \"{feed}\"\n[[source.channel]]\nname = \"c\"\nlines = [\
         {{ name = \"A\", group = \"{a}\" }}, {{ name = \"B\", group = \"224.0.32.64:15340\" }}]\n"
    );
    let case = Case::new(&config, &["both.pcap"]);
    write(&case.path("both.pcap"), &both);
    let (id, said, explained) = case.explained("line");
    assert_eq!(verdict(&explained), ("network", None), "{said}");
    assert!(said.contains("which another line brought"), "{said}");
    case.verified(&id);
}

/// Messages of a file as packets of MoldUDP64, one each, at the times that the messages say.
fn as_packets(path: &Path, date: &str) -> Vec<Packet> {
    let midnight: jiff::Timestamp = format!("{date}T05:00:00Z").parse().unwrap();
    let options = Options {
        binaryfile_midnight_ns: u64::try_from(midnight.as_nanosecond()).unwrap(),
        ..Options::default()
    };
    let mut captures = Captures::open(&[path.to_path_buf()], &options).unwrap();
    let (mut all, mut number) = (Vec::new(), 1u64);
    while let Some(datagram) = captures.next().unwrap() {
        let mut payload = b"REAL000001".to_vec();
        payload.extend(number.to_be_bytes());
        payload.extend(1u16.to_be_bytes());
        payload.extend((datagram.payload.len() as u16).to_be_bytes());
        payload.extend(datagram.payload);
        all.push(Packet { ts_ns: datagram.ts_recv_ns + 5 * US, group: COPY, payload });
        number += 1;
    }
    all
}

#[test]
fn a_file_of_bare_messages_is_explained_and_packed_beside_packets() {
    let Some(path) = session("nasdaq_itch50_20191230_open.binaryfile") else { return };
    // The copy lacks some messages: its books are wrong from there on.
    let mut copy = as_packets(&path, "2019-12-30");
    let at = copy.len() / 3;
    copy.drain(at..at + 4);
    let feed = "nasdaq-itch-5.0";
    let config = source("file", feed, "file", "") + &source("copy", feed, &COPY.to_string(), "");
    let mut case = Case::new(&config, &["day.binaryfile", "copy.pcap"]);
    case.more = vec!["--date", "2019-12-30"];
    std::fs::copy(path, case.path("day.binaryfile")).unwrap();
    write(&case.path("copy.pcap"), &copy);
    let (id, said, explained) = case.explained("gap");
    assert_eq!(explained["alert"]["sources"][0], "copy", "{said}");
    // In the opening burst (hundreds of messages in a millisecond) nothing shows that our own machine kept up.
    assert_eq!(verdict(&explained), ("undecided", None), "{said}");
    assert!(said.contains("file, another copy of the feed, brought 4 packets with these numbers"), "{said}");
    let asked = explained["decides"].as_array().unwrap();
    assert!(asked.len() == 1 && asked[0].as_str().unwrap().contains("drop counters"), "{said}");
    let files = case.verified(&id);
    assert!(files.iter().any(|(name, _)| name == "captures/01.binaryfile"));
    // Where nobody says the day, both say of which they take it to be, once.
    case.more.clear();
    std::fs::rename(case.path("day.binaryfile"), case.path("20191230.BX_ITCH_50.binaryfile")).unwrap();
    case.captures[0] = "20191230.BX_ITCH_50.binaryfile".to_owned();
    for command in [vec!["explain", &id], vec!["evidence", &id, "-o", "again.zip"]] {
        let output = case.run(&command);
        assert!(output.status.success(), "{}", stderr(&output));
        let said = stderr(&output);
        let days = said
            .lines()
            .filter(|l| l.contains("count from midnight in New York of 2019-12-30, the day in its name"));
        assert_eq!(days.count(), 1, "{command:?}: {said}");
    }
}
