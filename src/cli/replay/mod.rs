//! `parallax replay`: the whole pipeline over captures, in capture time.

mod outputs;
mod parquet;
mod rules;
mod store;
mod summary;
mod text;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};

use super::input::CaptureArgs;
use crate::config::{Config, Severity};
use crate::identify::{self, Limits};
use crate::latency::{Recorder, StageClock};
use crate::pipeline::overlap::{self, Ahead};
use crate::pipeline::{Intake, Judge, Pipeline, Settings};
use crate::source::clock::{Pacer, StageTimer};
use crate::source::{Captures, Options, ProgressReporter};
use outputs::Outputs;
use parquet::MessageOutput;
use store::StoreOutput;
use summary::Summary;

/// How the summary is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
}

/// Arguments of `parallax replay`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The captures.
    #[command(flatten)]
    pub input: CaptureArgs,

    /// Sources, channels and checks (TOML); without it the captures are identified and each feed becomes a source
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Write alert transitions to FILE, one JSON line each; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub alerts: Option<PathBuf>,

    /// Write every change of a top of book to FILE, one JSON line each; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub quotes: Option<PathBuf>,

    /// Write latency histograms to FILE (HdrHistogram interval log, for `parallax latency`); our own stages are timed on
    /// one packet in 16
    #[arg(long, value_name = "FILE.hlog")]
    pub latency: Option<PathBuf>,

    /// Write alerts and figures to this store, for `parallax sql` and reports; it is made where there is none
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,

    /// Write every change of a top of book to Parquet files below DIR, by date, source and instrument; DIR is new or empty
    #[arg(long, value_name = "DIR")]
    pub parquet: Option<PathBuf>,

    /// Write every message that is delivered, with its fields, to Parquet files below DIR, by date, source and instrument; DIR is
    /// new or empty
    #[arg(long, value_name = "DIR")]
    pub parquet_messages: Option<PathBuf>,

    /// How fast capture time runs: max, realtime, or a factor such as 10 or 0.5
    #[arg(long, default_value = "max", value_name = "SPEED")]
    pub speed: String,

    /// Exit with code 1 when an alert of this severity or a higher one was raised
    #[arg(long, value_name = "SEVERITY", value_parser = ["info", "minor", "major", "critical"])]
    pub fail_on: Option<String>,

    /// How the summary on standard output is written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub summary: Format,

    /// Read, decompress and book on the thread that judges, not ahead of it
    #[arg(long)]
    pub no_read_ahead: bool,
}

/// Runs the command.
///
/// # Errors
/// A configuration, capture or output that cannot be used, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let pacer = pacer(&args.speed)?;
    let input = Input::take(args)?;
    let mut options = args.input.options()?;
    options.sort_window = true;
    options.read_ahead = !args.no_read_ahead;
    let mut assumed = Vec::new();
    let (config, text) = match &args.config {
        Some(path) => (Config::read(path)?, std::fs::read_to_string(path).unwrap_or_default()),
        None => identified(&input, &options, &mut assumed)?,
    };
    // Who watches at a pace wants each record when it is due.
    let overlapped = !args.no_read_ahead && pacer.is_none();
    options.apart = overlapped;
    let mut captures = input.open(&options)?;
    let mut outputs = Outputs::open(args, &text)?;
    outputs.parquet = parquet::open(args, &config, captures.names())?;
    let mut messages = parquet::open_messages(args, &config, captures.names())?;
    outputs.store = StoreOutput::open(args, &config, &text, captures.names())?;
    let settings = Settings {
        captures: captures.names().to_vec(),
        quotes: args.quotes.is_some(),
        tape: args.parquet.is_some(),
        messages: args.parquet_messages.is_some(),
        stages: args.latency.is_some().then(stage_clocks),
        binaryfile_midnight_ns: options.binaryfile_midnight_ns,
        figures_every_ns: args.store.as_ref().map(|_| beat_ns(&config, pacer.is_some())),
    };
    let recorder =
        if args.latency.is_some() { Recorder::new(1_000_000_000) } else { Recorder::without_log() };
    let mut pipeline = Pipeline::new(&config, settings, recorder);
    let flowing = pump(&mut captures, &mut pipeline, (&mut outputs, &mut messages), pacer, overlapped)?;
    if flowing {
        pipeline.finish();
        outputs.drain(&mut pipeline)?;
    }
    let store = outputs.store.take();
    messages.finish(&mut pipeline.intake)?;
    outputs.finish(&mut pipeline)?;
    if let (Some(store), true) = (store, flowing) {
        store.finish(&captures)?;
    }
    args.input.tell_day(captures.counts());
    let summary = Summary::new(&config, &captures, &pipeline, assumed);
    let text = match args.summary {
        Format::Text => text::write(&summary),
        Format::Json => serde_json::to_string(&summary).context("the summary cannot be written")? + "\n",
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    let limit = args.fail_on.as_deref().and_then(Severity::from_name);
    let tally = &pipeline.judge.comparator.desk.alerts.tally;
    let failed = limit.is_some_and(|l| tally.raised.keys().any(|(_, severity)| *severity >= l));
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Takes every datagram through the pipeline; false when nobody reads the output any more.
fn pump(
    captures: &mut Captures,
    pipeline: &mut Pipeline,
    (outputs, messages): (&mut Outputs, &mut MessageOutput),
    pacer: Option<Pacer>,
    overlapped: bool,
) -> Result<bool> {
    if let Some(from) = captures.prime()? {
        pipeline.start(from);
    }
    let Pipeline { intake, judge } = pipeline;
    let mut progress = ProgressReporter::new(captures, true);
    let flowing = if overlapped {
        let taken = |judge: &mut Judge, now_ns| outputs.take(judge, now_ns, false);
        let mut read = (messages, &mut progress);
        overlap::run(intake, judge, |intake, ahead| read_ahead(captures, intake, ahead, &mut read), taken)
    } else {
        read_and_judge(captures, intake, judge, (outputs, messages, pacer, &mut progress))
    };
    progress.finish();
    flowing
}

/// Reads and books, ahead of whoever judges.
fn read_ahead(
    captures: &mut Captures,
    intake: &mut Intake,
    ahead: &mut Ahead,
    (messages, progress): &mut (&mut MessageOutput, &mut ProgressReporter),
) -> Result<bool> {
    while captures.step()? {
        let Some(datagram) = captures.current() else { break };
        intake.on_datagram(&datagram, ahead);
        messages.take(intake)?;
        if ahead.is_abandoned() {
            return Ok(false);
        }
        progress.tick(captures);
    }
    // A recording was watched for longer than until its last datagram.
    if let Some(until) = captures.watched_until() {
        intake.advance(until, ahead);
    }
    Ok(true)
}

/// All in one thread.
fn read_and_judge(
    captures: &mut Captures,
    intake: &mut Intake,
    judge: &mut Judge,
    (outputs, messages, mut pacer, progress): (
        &mut Outputs,
        &mut MessageOutput,
        Option<Pacer>,
        &mut ProgressReporter,
    ),
) -> Result<bool> {
    while captures.step()? {
        let Some(datagram) = captures.current() else { break };
        if let Some(pacer) = &mut pacer {
            pacer.wait_until(datagram.ts_recv_ns);
        }
        intake.on_datagram(&datagram, judge);
        messages.take(intake)?;
        let until_ns = intake.span().map_or(0, |(_, until_ns)| until_ns);
        if !outputs.take(judge, until_ns, pacer.is_some())? {
            return Ok(false);
        }
        progress.tick(captures);
    }
    if let Some(until) = captures.watched_until() {
        intake.advance(until, judge);
    }
    Ok(true)
}

/// How often figures are told. At full speed an interval is over in no time; at a pace nothing may wait for long.
fn beat_ns(config: &Config, paced: bool) -> u64 {
    let interval_ns = store::interval_ns(config);
    if paced { interval_ns.min(500_000_000) } else { interval_ns }
}

/// One clock for both sides.
fn stage_clocks() -> [Box<dyn StageClock + Send>; 2] {
    let timer = StageTimer::start();
    [Box::new(timer), Box::new(timer)]
}

fn pacer(speed: &str) -> Result<Option<Pacer>> {
    match speed {
        "max" => Ok(None),
        "realtime" => Ok(Some(Pacer::new(100))),
        factor => {
            let percent = factor.parse::<f64>().ok().map(|f| f * 100.0).filter(|p| (1.0..=1e9).contains(p));
            let Some(percent) = percent else {
                bail!("--speed {factor} is none: write max, realtime, or a factor from 0.01 on such as 10");
            };
            Ok(Some(Pacer::new(percent as u64)))
        }
    }
}

/// What is read, perhaps twice.
struct Input {
    paths: Vec<PathBuf>,
    /// Standard input is read twice when it has to be identified first: then it is kept in a temporary file, and
    /// reported as what it was named.
    spool: Option<(usize, tempfile::NamedTempFile)>,
}

impl Input {
    fn take(args: &Args) -> Result<Input> {
        let mut paths = args.input.captures.clone();
        if args.config.is_none() {
            args.input.refuse_twice()?;
        }
        let dash = paths.iter().position(|p| p == Path::new("-")).filter(|_| args.config.is_none());
        let Some(at) = dash else { return Ok(Input { paths, spool: None }) };
        let mut spool = tempfile::Builder::new()
            .prefix("stdin-")
            .tempfile()
            .context("no temporary file for standard input")?;
        std::io::copy(&mut std::io::stdin().lock(), &mut spool).context("standard input cannot be read")?;
        paths[at] = spool.path().to_path_buf();
        Ok(Input { paths, spool: Some((at, spool)) })
    }

    fn open(&self, options: &Options) -> Result<Captures> {
        let opened = Captures::open(&self.paths, options);
        let Some((at, spool)) = &self.spool else { return Ok(opened?) };
        // Where it is kept is nobody's business.
        let kept = spool.path().display().to_string();
        let mut captures = opened.map_err(|e| anyhow!("{}", e.to_string().replace(&kept, "-")))?;
        captures.rename(*at, "-");
        Ok(captures)
    }
}

/// The configuration that the captures' bytes suggest.
fn identified(input: &Input, options: &Options, assumed: &mut Vec<String>) -> Result<(Config, String)> {
    let mut captures = input.open(options)?;
    let found = identify::identify(&mut captures, Limits::beginning())?;
    if found.channels.is_empty() {
        let names = captures.names().join(", ");
        if captures.counts().iter().all(|c| c.datagrams == 0) && options.from_ns.or(options.to_ns).is_some() {
            bail!("no datagram of {names} lies in the window of --from and --to");
        }
        bail!(
            "no feed was recognised in {names}; `parallax identify` says what was seen, --config says what it is"
        );
    }
    let text = identify::config_toml(&found);
    for channel in &found.channels {
        let lines: Vec<String> = channel.lines.iter().map(|l| format!("{} = {}", l.name, l.group)).collect();
        let sure = channel.lines.iter().map(|l| l.confidence_percent).min().unwrap_or(0);
        assumed.push(format!("{} on {} ({sure} % sure)", channel.feed.info().name, lines.join(", ")));
    }
    assumed.push("write it down with `parallax identify --write-config parallax.toml CAPTURE...`".to_owned());
    let config = Config::parse("(identified)", &text, Path::new("."))?;
    Ok((config, text))
}
