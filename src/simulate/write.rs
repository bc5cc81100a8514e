//! The thin shell around the simulator: captures, a configuration for exactly their lines, the truth.
//!
//! It decides where bytes go and nothing about what they are.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::faults::SourceId;
use super::mix::Mix;
use super::record::Record;
use super::{LINES, Scenario, Simulator};
use crate::source::Compression;
use crate::source::writer::{CaptureWriter, Compressor, identify, spoil, udp_frame};

/// Container of the captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Container {
    /// pcap with nanoseconds.
    Pcap,
    /// pcapng with nanoseconds.
    Pcapng,
}

/// Compression of the captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Squeeze {
    /// As they are.
    None,
    /// gzip.
    Gz,
    /// Zstandard.
    Zst,
}

/// Where a simulation goes.
#[derive(Debug, Clone)]
pub struct Output {
    /// Folder; made when it is not there.
    pub folder: PathBuf,
    /// Container.
    pub container: Container,
    /// Compression.
    pub squeeze: Squeeze,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Captures of the lines that there are, in the order of [`LINES`], with their packets.
    pub captures: Vec<(PathBuf, u64)>,
    /// Other files.
    pub others: Vec<PathBuf>,
    /// What the order flow looked like.
    pub mix: Mix,
}

/// File names of the captures, without their endings.
const STEMS: [&str; LINES.len()] = ["itch_a", "itch_b", "sip", "sip_q2", "backup"];

type Capture = CaptureWriter<Compressor<BufWriter<File>>>;

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    Ok(BufWriter::new(File::create(path).with_context(|| cannot(path))?))
}

fn open(output: &Output, line: usize) -> anyhow::Result<(PathBuf, Capture)> {
    let ending = match output.container {
        Container::Pcap => "pcap",
        Container::Pcapng => "pcapng",
    };
    let (more, compression) = match output.squeeze {
        Squeeze::None => ("", Compression::None),
        Squeeze::Gz => (".gz", Compression::Gzip),
        Squeeze::Zst => (".zst", Compression::Zstd),
    };
    let path = output.folder.join(format!("{}.{ending}{more}", STEMS[line]));
    let file = Compressor::new(create(&path)?, compression)?;
    let capture = match output.container {
        Container::Pcap => CaptureWriter::pcap(file)?,
        Container::Pcapng => CaptureWriter::pcapng(file, &[STEMS[line]])?,
    };
    Ok((path, capture))
}

/// The configuration of the lines that every scenario has.
pub fn configuration() -> String {
    configuration_of(&Scenario::default())
}

/// The configuration of exactly the lines of a scenario.
pub fn configuration_of(scenario: &Scenario) -> String {
    let of = format!(
        "# Made by `parallax simulate`: the {} sources of the captures beside it.\n",
        count(scenario)
    );
    sources(&of, scenario, &LINES.map(|line| line.group), "")
}

/// The configuration of a scenario's lines where they are sent to these groups through that interface.
pub fn configuration_live(
    scenario: &Scenario,
    groups: &[SocketAddrV4; LINES.len()],
    interface: Ipv4Addr,
) -> String {
    let count = count(scenario);
    let of = format!("# Made by `parallax simulate --multicast`: the {count} sources that it sends.\n");
    sources(&of, scenario, groups, &format!(", interface = \"{interface}\""))
}

fn count(scenario: &Scenario) -> &'static str {
    if scenario.backup { "three" } else { "two" }
}

fn sources(
    introduction: &str,
    scenario: &Scenario,
    groups: &[SocketAddrV4; LINES.len()],
    more: &str,
) -> String {
    let mut text = String::from(introduction);
    for source in SourceId::ALL {
        let there = scenario.lines();
        let lines: Vec<usize> = there.into_iter().filter(|l| LINES[*l].source == source).collect();
        if lines.is_empty() {
            continue;
        }
        let (feed, venue) = match source {
            SourceId::Direct | SourceId::Backup => ("nasdaq-itch-5.0", Some("XNAS")),
            SourceId::Sip => ("utp-uqdf", None),
        };
        text += &format!("\n[[source]]\nname = \"{}\"\nfeed = \"{feed}\"\n", source.name());
        if let Some(venue) = venue {
            text += &format!("venue = \"{venue}\"\n");
        }
        for of_channel in lines.chunk_by(|a, b| LINES[*a].stream == LINES[*b].stream) {
            let channel = LINES[of_channel[0]].channel;
            text += &format!("\n[[source.channel]]\nname = \"{channel}\"\nlines = [\n");
            for &line in of_channel {
                let (name, group) = (LINES[line].name, groups[line]);
                text += &format!("  {{ name = \"{name}\", group = \"{group}\"{more} }},\n");
            }
            text += "]\n";
        }
    }
    text
}

fn cannot(path: &Path) -> String {
    format!("{} cannot be written", path.display())
}

/// Makes the folder when it is not there.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made a folder", folder.display()))
}

/// Writes `parallax.toml` into the folder.
///
/// # Errors
/// When it cannot be written.
pub fn write_configuration(folder: &Path, text: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join("parallax.toml");
    let mut file = create(&path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).with_context(|| cannot(&path))?;
    Ok(path)
}

/// Writes `truth.ndjson` into the folder.
///
/// # Errors
/// When it cannot be written.
pub fn write_truth(folder: &Path, records: impl IntoIterator<Item = Record>) -> anyhow::Result<PathBuf> {
    let path = folder.join("truth.ndjson");
    let mut file = create(&path)?;
    for record in records {
        serde_json::to_writer(&mut file, &record).with_context(|| cannot(&path))?;
        file.write_all(b"\n").with_context(|| cannot(&path))?;
    }
    file.flush().with_context(|| cannot(&path))?;
    Ok(path)
}

/// Runs the scenario and writes everything.
///
/// # Errors
/// When a file cannot be written.
pub fn run(scenario: &Scenario, output: &Output) -> anyhow::Result<Written> {
    make_folder(&output.folder)?;
    let mut captures = Vec::new();
    let mut written = Written { captures: Vec::new(), others: Vec::new(), mix: Mix::default() };
    let lines = scenario.lines();
    for &line in &lines {
        let (path, capture) = open(output, line)?;
        captures.push(capture);
        written.captures.push((path, 0));
    }
    let mut simulator = Simulator::new(scenario);
    let mut frame = Vec::new();
    for sent in simulator.by_ref() {
        let Some(at) = lines.iter().position(|line| *line == sent.line) else { continue };
        let line = &LINES[sent.line];
        frame.clear();
        udp_frame(&mut frame, line.sender, line.group, &sent.payload)?;
        identify(&mut frame, sent.identification);
        if sent.spoilt {
            spoil(&mut frame);
        }
        captures[at].write_frame(sent.ts_ns, 0, &frame).with_context(|| cannot(&written.captures[at].0))?;
        written.captures[at].1 += 1;
    }
    for (capture, (path, _)) in captures.into_iter().zip(&written.captures) {
        let ended = capture.finish().and_then(|file| file.finish()?.flush());
        ended.with_context(|| cannot(path))?;
    }
    let config = write_configuration(&output.folder, &configuration_of(scenario))?;
    let truth = write_truth(&output.folder, simulator.truth().records())?;
    written.others = vec![config, truth];
    written.mix = simulator.mix().clone();
    Ok(written)
}
