//! `parallax simulate`: a seeded market on two feeds, with faults and the truth about them, into captures.
//!
//! Arguments only; the work is done in [`crate::simulate`].

use std::path::PathBuf;

use crate::config::reader;
use crate::simulate::Scenario;
use crate::simulate::write::{self, Container, Output, Squeeze, Written};

/// Make captures of a simulated market: its own feed on two lines, a consolidated feed, and faults on order.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the captures, the configuration and the truth; made when it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
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
    /// Container of the captures.
    #[arg(long, value_enum, default_value = "pcap")]
    pub format: Container,
    /// Compression of the captures.
    #[arg(long, value_enum, default_value = "none")]
    pub compress: Squeeze,
}

fn duration(text: &str) -> Result<u64, String> {
    match reader::duration(text) {
        Some(ns) if (100_000_000..=86_400_000_000_000).contains(&ns) => Ok(ns),
        _ => Err("write a time from 100ms to 24h, such as 10s".to_owned()),
    }
}

/// Runs the command and answers what it wrote.
///
/// # Errors
/// A scenario that does not read (one sentence with key and line), or a file that cannot be written.
pub fn run(args: &Args) -> anyhow::Result<Written> {
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
    scenario.check().map_err(anyhow::Error::msg)?;
    let output = Output { folder: args.out.clone(), container: args.format, squeeze: args.compress };
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
