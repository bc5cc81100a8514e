//! `parallax compare`: two captures, two lines or two sources; are they the same, which is first, where do they differ.

mod sides;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::guard;
use super::input::CaptureArgs;
use crate::compare::{self, Clocks, PacketOutcome, Unit, verdict};
use crate::source::{CaptureCounts, Captures, Format as CaptureFormat, Options};
use sides::Plan;

/// How the outcome is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
}

/// Arguments of `parallax compare`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A and B are two captures; or two sources, lines (source/channel/line) or groups (address:port), \
and the captures that hold them follow. One capture alone is asked for the two lines or the two feeds in it. Without \
--config the feeds are told by their bytes.

  parallax compare here.pcap there.pcap
  parallax compare lines.pcapng
  parallax compare 224.0.31.64:14340 224.0.32.64:15340 lines.pcapng
  parallax compare --config parallax.toml direct sip a.pcap b.pcap sip.pcap"
)]
pub struct Args {
    /// A, B, and the captures where A and B are no captures themselves.
    #[command(flatten)]
    pub input: CaptureArgs,

    /// Sources and channels (TOML); without it the feeds are told by their bytes
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// How the outcome is written to standard output
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: Format,

    /// Write the outcome as a page that needs nothing but itself
    #[arg(long, value_name = "FILE.html")]
    pub html: Option<PathBuf>,

    /// Exit with code 1 when the two are not the same, or have nothing in common
    #[arg(long)]
    pub fail_on_difference: bool,
}

/// Runs the command.
///
/// # Errors
/// Arguments that name no two sides, a capture that cannot be read, a page that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    if let Some(page) = &args.html {
        let read = args.input.captures.iter().chain(&args.config).map(PathBuf::as_path);
        guard::refuse_over("--html", page, "one of the files that are read", read)?;
    }
    let options = Options { sort_window: true, ..args.input.options()? };
    let plan = sides::plan(&args.input.captures, args.config.as_deref(), &options)?;
    let mut captures = [plan.open(Some(0), &options)?, plan.open(Some(1), &options)?];
    let mut units: Vec<Unit> = plan.units.iter().map(|u| Unit::new(u.name.clone(), u.feed)).collect();
    if !units.is_empty() {
        let [a, b] = &mut captures;
        compare::compare_packets([a, b], [&plan.routes[0], &plan.routes[1]], &mut units)?;
    }
    let quotes = if plan.couples.is_empty() {
        Vec::new()
    } else {
        let mut all = plan.open(None, &options)?;
        compare::compare_quotes(&plan.config, &mut all, options.binaryfile_midnight_ns, &plan.couples)?
    };
    captures.iter().take(if plan.by_capture { 2 } else { 1 }).for_each(|c| args.input.tell_day(c.counts()));
    let clocks = clocks(&plan, &captures);
    let names = [captures[0].names().to_vec(), captures[1].names().to_vec()];
    let packets =
        units.into_iter().map(|unit| PacketOutcome::new(unit, [&names[0], &names[1]], clocks.one)).collect();
    let damage = |side: usize| damage(&captures[if plan.by_capture { side } else { 0 }]);
    let mut sides = plan.sides;
    for (side, shown) in sides.iter_mut().enumerate() {
        shown.damage = damage(side);
    }
    let outcome = verdict::conclude(sides, clocks, packets, quotes);
    if let Some(path) = &args.html {
        write_page(path, &compare::page::write(&outcome))?;
    }
    let text = match args.format {
        Format::Text => compare::text::write(&outcome),
        Format::Json => serde_json::to_string(&outcome).context("the outcome cannot be written")? + "\n",
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let same = matches!(outcome.verdict, compare::Verdict::Identical | compare::Verdict::Agree);
    Ok(if args.fail_on_difference && !same { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn write_page(path: &Path, page: &str) -> Result<()> {
    std::fs::write(path, page)
        .with_context(|| format!("{} cannot be written; name a file in a writable folder", path.display()))
}

/// What of the captures could not be read.
fn damage(captures: &Captures) -> Vec<String> {
    let of = |counts: &CaptureCounts| {
        let each = counts.errors().map(|(reason, tally)| {
            let times = if tally.count == 1 { "once".to_owned() } else { format!("{} times", tally.count) };
            format!(
                "{}: {} ({times}, first at frame {})",
                counts.name,
                reason.meaning().trim_end_matches('.'),
                tally.first_frame
            )
        });
        each.collect::<Vec<_>>()
    };
    captures.counts().iter().flat_map(of).collect()
}

/// One clock when both sides lie in the same captures; the step is that of the coarsest of them.
fn clocks(plan: &Plan, captures: &[Captures; 2]) -> Clocks {
    let micros = captures.iter().flat_map(|c| c.counts()).any(|c| c.format == CaptureFormat::PcapMicros);
    Clocks { one: plan.one_clock, step_ns: if micros { 1_000 } else { 1 } }
}
