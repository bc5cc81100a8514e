//! `parallax run`: the same pipeline live, until it is told to stop.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

use super::guard;
use crate::config::{Config, named_files};
use crate::run::daemon::Opened;
use crate::run::doctor::{self, Machine};
use crate::run::reporter::{Ended, Reporter, say};
use crate::run::{place, privileges};
use crate::source::{clock, cores};

/// Arguments of `parallax run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sources, channels, checks and where everything goes (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// End after this time, such as 30s or 10m
    #[arg(long = "for", value_name = "TIME", value_parser = super::simulate::duration)]
    pub for_time: Option<u64>,

    /// Leave out the plan and what on this machine will hurt it
    #[arg(long)]
    pub quiet: bool,
}

/// The alert log must not grow in what is read.
fn refuse_own_files(path: &Path, config: &Config) -> Result<()> {
    let Some(log) = &config.live.alerts.log else { return Ok(()) };
    let named = named_files(
        &std::fs::read_to_string(path).unwrap_or_default(),
        path.parent().unwrap_or(Path::new(".")),
    );
    let store = config.live.store.as_ref().map(|store| store.path.as_path());
    guard::refuse_over("[alerts] log", log, "the configuration", [path])?;
    guard::refuse_over(
        "[alerts] log",
        log,
        "named by the configuration",
        named.iter().map(PathBuf::as_path).chain(store),
    )
}

/// Runs the command.
///
/// # Errors
/// A configuration, socket, file or thread that cannot be used, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let config = Config::read(&args.config)?;
    let plan = config.plan_run()?;
    refuse_own_files(&args.config, &config)?;
    let until = args.for_time.map(std::time::Duration::from_nanos);
    let findings = doctor::examine(&config, &plan, &Machine::here());
    if !args.quiet {
        eprint!("{}", doctor::plan_text(&config, &plan, &findings));
    }
    // Before any other thread is started: they all stay off the pinned ones' cores.
    let _ = cores::leave(&plan.own_cores());
    let environment = place::Environment::here();
    let directory = place::directory(config.live.run.directory.as_deref(), &environment);
    place::prepare(&directory, environment.uid)
        .map_err(|e| anyhow::anyhow!("the directory {} cannot be used: {e}", directory.display()))?;
    let (mut reporter, waker) = Reporter::open(&args.config, &config, &directory, findings.troubles())?;
    if config.live.run.lock_memory
        && let Err(why) = cores::lock_memory()
    {
        say(&format!("{why}"));
    }
    let opened = Opened::open(&config, plan, clock::wall_now_ns())?;
    let threads = opened.start(&config, move || {
        // A waker that fails is no reason to stop: the reporter looks twenty times a second anyway.
        let _ = waker.wake();
    })?;
    if let Err(why) = privileges::drop_all() {
        say(&format!("privileges could not be dropped: {why}"));
    }
    reporter.start_outlets()?;
    say("running");
    let until = until.map(|time| clock::monotonic_now() + time);
    let ended = reporter.run(&threads, until)?;
    reporter.stopping();
    let (judge, boards) = threads.stop(|alerts| reporter.take_alerts(alerts));
    let told = reporter.finish();
    let after_end: u64 = boards.iter().map(|b| b.after_end).sum();
    if after_end > 0 {
        say(&format!("{after_end} datagrams came after the end and were not judged"));
    }
    let hung = judge.is_none() && ended != Ended::Died;
    if hung {
        say("a thread did not end in time: the recording may lack its last second");
    }
    if let Some(judge) = judge {
        let tally = &judge.comparator.desk.alerts.tally;
        let raised: u64 = tally.raised.values().sum();
        say(&format!("ended: {} quote updates judged, {raised} alerts raised", judge.updates));
    }
    out.flush()?;
    Ok(match ended {
        Ended::Told | Ended::TimeOver if !hung && told => ExitCode::SUCCESS,
        Ended::Told | Ended::TimeOver => ExitCode::from(1),
        Ended::Died => ExitCode::from(1),
    })
}
