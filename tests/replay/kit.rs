//! What every test here needs: captures taken apart and put together again, the binary run, its records told shortly.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use parallax::simulate::{LINES, Scenario, Simulator};
use parallax::source::writer::{CaptureWriter, Compressor};
use parallax::source::{Captures, Compression, Options};
use serde_json::Value;
use tempfile::TempDir;

pub const MS: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MS;

/// The CME capture's two groups.
pub const CME_A: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 31, 64), 14340);
pub const CME_B: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(224, 0, 32, 64), 15340);
pub const CME_CAPTURE: &str = "cme_mdp3_v6_ab_20161112.pcapng";
const SENDER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 30_001);

/// A file of the captures or goldens that are not in the repository; `None`, said aloud, where it is not.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join(path);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: there is no {}", path.display());
    None
}

/// A session capture.
pub fn session(name: &str) -> Option<PathBuf> {
    shared(&format!("captures/sessions/{name}"))
}

/// A datagram that can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    pub ts: u64,
    pub group: SocketAddrV4,
    pub payload: Vec<u8>,
}

impl Packet {
    /// The number of a packet of MDP 3.0: the header's first word.
    pub fn mdp(&self) -> u64 {
        u64::from(u32::from_le_bytes(self.payload[..4].try_into().unwrap()))
    }

    /// First number and count of a packet of MoldUDP64.
    pub fn mold(&self) -> (u64, u64) {
        let number = u64::from_be_bytes(self.payload[10..18].try_into().unwrap());
        let count = u16::from_be_bytes(self.payload[18..20].try_into().unwrap());
        // The end of a session is told by all ones.
        (number, if count == u16::MAX { 0 } else { u64::from(count) })
    }
}

/// Datagrams of a capture in time order.
pub fn packets(path: &Path) -> Vec<Packet> {
    let options = Options { sort_window: true, ..Options::default() };
    let mut captures = Captures::open(&[path.to_path_buf()], &options).unwrap();
    let mut out = Vec::new();
    while let Some(datagram) = captures.next().unwrap() {
        let SocketAddr::V4(group) = datagram.destination else { panic!("IPv4 only") };
        out.push(Packet { ts: datagram.ts_recv_ns, group, payload: datagram.payload.to_vec() });
    }
    out
}

/// Datagrams of a simulated session.
pub fn simulated(scenario: &Scenario) -> Vec<Packet> {
    Simulator::new(scenario)
        .map(|sent| Packet { ts: sent.ts_ns, group: LINES[sent.line].group, payload: sent.payload })
        .collect()
}

/// Into time order; equal times stay as they are.
pub fn sort(packets: &mut [Packet]) {
    packets.sort_by_key(|p| p.ts);
}

/// Writes a capture, as pcapng when the name says so.
pub fn write(path: &Path, compression: Compression, packets: &[Packet]) {
    let file = Compressor::new(BufWriter::new(File::create(path).unwrap()), compression).unwrap();
    let pcapng = path.to_string_lossy().contains(".pcapng");
    let mut writer = if pcapng {
        CaptureWriter::pcapng(file, &["wire"]).unwrap()
    } else {
        CaptureWriter::pcap(file).unwrap()
    };
    for packet in packets {
        writer.write_udp(packet.ts, 0, SENDER, packet.group, &packet.payload).unwrap();
    }
    writer.finish().unwrap().finish().unwrap().flush().unwrap();
}

/// The binary with these arguments; standard input is empty.
pub fn parallax(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_parallax"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a replay gave.
pub struct Told {
    pub summary: Value,
    pub alerts: String,
    pub quotes: String,
}

/// Replays captures of `folder` with a configuration (without one when it is empty); it must succeed.
pub fn replay_files(folder: &Path, config: &str, captures: &[&str], more: &[&str]) -> Told {
    let mut arguments = vec!["replay", "--alerts", "alerts", "--quotes", "quotes", "--summary", "json"];
    if !config.is_empty() {
        fs::write(folder.join("c.toml"), config).unwrap();
        arguments.extend(["--config", "c.toml"]);
    }
    arguments.extend(more.iter().chain(captures));
    let output = parallax(folder, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    Told {
        summary: serde_json::from_slice(&output.stdout).unwrap(),
        alerts: read("alerts"),
        quotes: read("quotes"),
    }
}

/// Replays these packets.
pub fn replay(config: &str, packets: &[Packet]) -> Told {
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("x.pcap"), Compression::None, packets);
    replay_files(folder.path(), config, &["x.pcap"], &[])
}

/// Nanoseconds since 1970.
pub fn time(value: &Value) -> u64 {
    let text: jiff::Timestamp = value.as_str().unwrap().parse().unwrap();
    u64::try_from(text.as_nanosecond()).unwrap()
}

impl Told {
    pub fn alert_lines(&self) -> Vec<Value> {
        self.alerts.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    pub fn quote_lines(&self) -> Vec<Value> {
        self.quotes.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// Every alert line shortly: what happened to what, which numbers, when it began, why it ended.
    pub fn story(&self) -> Vec<String> {
        self.alert_lines().iter().map(short).collect()
    }

    /// Quotes without their times of arrival: what was shown, in order.
    pub fn shown(&self) -> Vec<Value> {
        let strip = |mut quote: Value| {
            quote.as_object_mut().unwrap().remove("ts");
            quote
        };
        self.quote_lines().into_iter().map(strip).collect()
    }
}

/// `<ts> raised gap cme/c [5..7 3] began <ns>`.
pub fn short(alert: &Value) -> String {
    let text = |name: &str| alert[name].as_str().unwrap_or_default();
    let sources: Vec<&str> =
        alert["sources"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let mut out = format!("{} {} {} {}", time(&alert["ts"]), text("event"), text("kind"), sources.join("+"));
    for name in ["channel", "line", "instrument", "side"] {
        if let Some(value) = alert[name].as_str() {
            out += &format!("/{value}");
        }
    }
    if let Some(range) = alert["sequence"].as_object() {
        out += &format!(" [{}..{} {}]", range["first"], range["last"], range["count"]);
    }
    out += &format!(" began {}", time(&alert["began"]));
    if !alert["ended"].is_null() {
        out += &format!(" ended {} {}", time(&alert["ended"]), text("reason"));
    }
    out
}

/// One source with both of the CME capture's groups as lines of one channel.
pub fn cme_lines() -> String {
    format!(
        "[[source]]\nname = \"cme\"\nfeed = \"cme-mdp3\"\n[[source.channel]]\nname = \"c\"\nlines = [\
         {{ name = \"A\", group = \"{CME_A}\" }}, {{ name = \"B\", group = \"{CME_B}\" }}]\n"
    )
}

/// Two sources, one for each of the CME capture's groups.
pub fn cme_sources() -> String {
    let source = |name: &str, group: SocketAddrV4| {
        format!(
            "[[source]]\nname = \"{name}\"\nfeed = \"cme-mdp3\"\n[[source.channel]]\nname = \"c\"\n\
             lines = [{{ name = \"A\", group = \"{group}\" }}]\n"
        )
    };
    source("a", CME_A) + &source("b", CME_B)
}

/// The CME capture's datagrams, where it is.
pub fn cme() -> Option<Vec<Packet>> {
    session(CME_CAPTURE).map(|path| packets(&path))
}
