//! `parallax simulate`: a seeded market on two feeds, with faults and the truth about them, into captures or onto
//! multicast groups.
//!
//! Arguments only; the work is done in [`crate::simulate`].

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};

use crate::config::reader;
use crate::simulate::Scenario;
use crate::simulate::live::{self, Live, Start};
use crate::simulate::multicast::Pacing;
use crate::simulate::record::time;
use crate::simulate::write::{self, Container, Output, Squeeze, Written};
use crate::source::multicast_send::{SendOptions, interface_address};

/// Make a simulated market, its own feed on two lines, a consolidated feed and faults on order: into captures, or
/// onto multicast groups.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the captures (not with --multicast), the configuration and the truth; made when it is not there.
    #[arg(long, value_name = "DIR", required_unless_present = "multicast")]
    pub out: Option<PathBuf>,
    /// What goes wrong and when (TOML); without it nothing does.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Leave the scenario's faults out.
    #[arg(long)]
    pub clean: bool,
    /// Seed; equal seeds give equal bytes.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Instruments.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub instruments: Option<u64>,
    /// How long, such as 10s.
    #[arg(long, value_parser = duration)]
    pub duration: Option<u64>,
    /// Messages of the venue a second, on average over all instruments.
    #[arg(long, value_name = "MSGS/S", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub rate: Option<u64>,
    /// The scenario's faults come again after so long, until the end.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub repeat: Option<u64>,
    /// How fast everything happens, flights, faults and timestamps included: 1, 0.5, 20; with --multicast also max.
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = speed)]
    pub speed: Speed,
    /// When the day begins: `scenario` keeps the time that is written there, `now` moves it to the wall's, which is
    /// the default with --multicast; or a time such as 2026-03-02T14:30:00Z.
    #[arg(long, value_name = "TIME")]
    pub start: Option<String>,
    /// Container of the captures.
    #[arg(long, value_enum, default_value = "pcap", conflicts_with = "multicast")]
    pub format: Container,
    /// Compression of the captures.
    #[arg(long, value_enum, default_value = "none", conflicts_with = "multicast")]
    pub compress: Squeeze,
    /// Send to the multicast groups instead of writing captures.
    #[arg(long)]
    pub multicast: bool,
    /// How to send.
    #[command(flatten)]
    pub sending: Sending,
}

/// How to send on multicast groups.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options of --multicast")]
pub struct Sending {
    /// Interface to send on: an address of it, or its name.
    #[arg(long, value_name = "ADDRESS|NAME", default_value = "127.0.0.1", requires = "multicast")]
    pub interface: String,
    /// Time to live: 0 stays on this host.
    #[arg(long, value_name = "HOPS", default_value = "1", requires = "multicast")]
    pub ttl: u8,
    /// Use this port and the ones behind it instead of the usual ones.
    #[arg(long, requires = "multicast", value_parser = clap::value_parser!(u16).range(1..=65_000))]
    pub port: Option<u16>,
    /// Time until the day begins, after the next full second.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = any_duration, requires = "multicast")]
    pub lead: u64,
    /// Keep the processor busy for so long before each deadline; 0s never does.
    #[arg(long, value_name = "TIME", default_value = "200us", value_parser = any_duration, requires = "multicast")]
    pub spin: u64,
    /// Count a packet that leaves later than this after its deadline as late.
    #[arg(long, value_name = "TIME", default_value = "1ms", value_parser = any_duration, requires = "multicast")]
    pub late: u64,
    /// How the report at the end is written.
    #[arg(long, value_enum, default_value = "text", requires = "multicast")]
    pub summary: Format,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// Hundredths of the scenario's pace.
    Percent(u64),
    /// As fast as the machine goes.
    Max,
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let percent = (digits(whole) && digits(part) && part.len() <= 2 && !whole.is_empty())
        .then(|| format!("{whole}{part:0<2}").parse().ok())
        .flatten();
    match percent {
        Some(percent) if (1..=100_000_000).contains(&percent) => Ok(Speed::Percent(percent)),
        _ => {
            Err("write max, or a factor from 0.01 to 1000000 with two decimals at most, such as 20"
                .to_owned())
        }
    }
}

pub(super) fn duration(text: &str) -> Result<u64, String> {
    match reader::duration(text) {
        Some(ns) if (100_000_000..=86_400_000_000_000).contains(&ns) => Ok(ns),
        _ => Err("write a time from 100ms to 24h, such as 10s".to_owned()),
    }
}

fn any_duration(text: &str) -> Result<u64, String> {
    match reader::duration(text) {
        Some(ns) if ns <= 3_600_000_000_000 => Ok(ns),
        _ => Err("write a time up to 1h, such as 200us".to_owned()),
    }
}

/// The scenario that the arguments mean.
fn scenario(args: &Args) -> anyhow::Result<Scenario> {
    let mut scenario = match &args.scenario {
        Some(path) => Scenario::read(path)?,
        None => Scenario::default(),
    };
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    if let Some(instruments) = args.instruments {
        scenario.instruments = instruments as usize;
    }
    if let Some(duration_ns) = args.duration {
        scenario.duration_ns = duration_ns;
    }
    if let Some(rate) = args.rate {
        scenario.rate = rate;
    }
    if args.clean {
        scenario.faults.clear();
    }
    if let Some(every_ns) = args.repeat {
        scenario.repeat_faults(every_ns).map_err(anyhow::Error::msg)?;
    }
    if let Speed::Percent(percent) = args.speed {
        scenario.speed_percent = percent;
    }
    match args.start.as_deref() {
        None | Some("scenario") => {}
        Some("now") if args.multicast => {}
        Some("now") => scenario.start_at(crate::source::clock::wall_now_ns().next_multiple_of(1_000_000_000)),
        Some(text) => match Scenario::time(text) {
            Some(start_ns) => scenario.start_at(start_ns),
            None => bail!(
                "--start {text} is none: write now, scenario, or a time from 1971 to 2099 such as 2026-03-02T14:30:00Z"
            ),
        },
    }
    scenario.check().map_err(anyhow::Error::msg)?;
    Ok(scenario)
}

/// Runs the command: captures, or multicast.
///
/// # Errors
/// As [`run`], or what stands in the way of sending.
pub fn command(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if !args.multicast {
        run(args)?;
        return Ok(ExitCode::SUCCESS);
    }
    let scenario = scenario(args)?;
    let live = live(args)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second one ends the process: whoever asks twice does not want the feeds to close first.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .context("cannot wait for signals")?;
    }
    let done = live::run(&scenario, &live, stop, |begins_ns, files| {
        files.iter().for_each(|path| eprintln!("{}", path.display()));
        eprintln!("sending through {} from {}", live.send.interface, time(begins_ns).unwrap_or_default());
    })?;
    done.files.iter().skip(1).for_each(|path| eprintln!("{}", path.display()));
    if done.cut > 0 {
        eprintln!("{} faults were not over and are left out of the truth", done.cut);
    }
    match args.sending.summary {
        Format::Text => write!(out, "{}", done.summary)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string(&done.summary)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn live(args: &Args) -> anyhow::Result<Live> {
    let sending = &args.sending;
    let interface = interface_address(&sending.interface).context("--interface cannot be used")?;
    let at_once = args.speed == Speed::Max;
    let now = matches!(args.start.as_deref(), None | Some("now"));
    if at_once && !now {
        bail!("--speed max stamps the time of sending: leave --start out");
    }
    Ok(Live {
        send: SendOptions { interface, ttl: sending.ttl, buffer: 4 << 20 },
        groups: live::groups(sending.port),
        start: if now { Start::Now } else { Start::Scenario },
        lead_ns: sending.lead,
        pacing: (!at_once).then_some(Pacing { spin_ns: sending.spin, late_ns: sending.late }),
        out: args.out.clone(),
    })
}

/// Writes the captures and answers what it wrote.
///
/// # Errors
/// A scenario that does not read (one sentence with key and line), or a file that cannot be written.
pub fn run(args: &Args) -> anyhow::Result<Written> {
    let Some(folder) = args.out.clone() else { bail!("captures need a folder: --out DIR") };
    if args.speed == Speed::Max {
        bail!("--speed max is for --multicast: a capture takes no time");
    }
    let scenario = scenario(args)?;
    let output = Output { folder, container: args.format, squeeze: args.compress };
    let written = write::run(&scenario, &output)?;
    for (path, packets) in &written.captures {
        eprintln!("{}: {packets} packets", path.display());
    }
    for path in &written.others {
        eprintln!("{}", path.display());
    }
    eprintln!("{}", written.mix);
    Ok(written)
}
