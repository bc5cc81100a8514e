//! Arguments to what is done; one file per command.

pub mod alerts;
pub mod book;
pub mod check_config;
pub mod compare;
pub mod decode;
pub mod demo;
pub mod doctor;
pub mod evidence;
pub mod explain;
pub mod feeds;
pub mod guard;
pub mod identify;
pub mod input;
pub mod investigate;
pub mod latency;
pub mod machine;
pub mod replay;
pub mod report;
pub mod rules;
pub mod run;
pub mod simulate;
pub mod sql;
pub mod symbols;
pub mod top;
pub mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use guard::StandardOutput;

#[derive(Debug, Parser)]
#[command(name = "parallax", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole pipeline over captures, in capture time: books, checks, alerts, latency
    Replay(replay::Args),
    /// The same pipeline live: pinned receivers on multicast, shared-memory books, comparator
    Run(run::Args),
    /// One NDJSON line per message
    Decode(decode::Args),
    /// Which channels a capture holds, what they speak, a configuration to start from
    Identify(identify::Args),
    /// Percentile report of recorded histograms; with a baseline, a comparison
    Latency(latency::Args),
    /// Two captures, lines or sources: are they the same, which is first and by how much, where do they differ
    Compare(compare::Args),
    /// How good the feeds were in a day, a week or a range, and whether the clocks were in tolerance
    Report(report::Args),
    /// A simulated market on two feeds, with faults and the truth about them, into captures or onto multicast groups
    Simulate(simulate::Args),
    /// Asks a store: SQL, or a ready query by its name
    Sql(sql::Args),
    /// What is open at a running daemon: list, follow, acknowledge, put aside
    Alerts(alerts::Args),
    /// Why an alert was raised: each hypothesis with what speaks for and against it, and a verdict
    Explain(explain::Args),
    /// One file with everything that an alert and its verdict need to come out again: packets, configuration, a page, a ticket
    Evidence(evidence::Args),
    /// Whether an evidence file is whole, and its replay gives the same alert and verdict
    Verify(verify::Args),
    /// A running daemon on a screen: sources, lines, latency, alerts
    Top(top::Args),
    /// A market with faults, the daemon and its screen, in one command
    Demo(demo::Args),
    /// What is wrong in a configuration, or what it means
    CheckConfig(check_config::Args),
    /// What on this machine will hurt a live daemon, and the commands that mend it
    Doctor(doctor::Args),
    /// One instrument over all sources side by side, live, out of shared memory
    Book(book::Args),
    /// The feeds it speaks
    Feeds(feeds::Args),
    /// The rule book: what held in a market on a day, who says so, and whether it was verified
    Rules(rules::Args),
    /// Every spelling of a US security by convention; whether an ISIN, FIGI or option symbol is one
    Symbols(symbols::Args),
}

/// Runs the command line and gives the exit code.
pub fn run() -> ExitCode {
    if let Err(missing) = machine::check() {
        eprintln!("parallax: {missing}");
        return ExitCode::from(2);
    }
    // Not locked: a replay's records may go to standard output from the thread that judges.
    let out = &mut StandardOutput::new(io::stdout());
    let verdict = &mut StandardOutput::of_verdict(io::stdout());
    let command = Cli::parse().command;
    let done = match command {
        Command::Replay(args) => replay::run(&args, verdict),
        Command::Run(args) => run::run(&args, out),
        Command::Latency(args) => run_latency(&args, verdict),
        Command::Decode(args) => decode::run(&args, out),
        Command::Identify(args) => identify::run(&args, verdict),
        Command::Compare(args) => compare::run(&args, verdict),
        Command::Report(args) => report::run(&args, out),
        Command::Simulate(args) => simulate::command(&args, out),
        Command::Sql(args) => sql::run(&args, out),
        Command::Alerts(args) => alerts::run(&args, out),
        Command::Evidence(args) => evidence::run(&args, out),
        Command::Verify(args) => verify::run(&args, verdict),
        Command::Explain(args) => explain::run(&args, out),
        Command::Top(args) => top::run(&args, out),
        Command::Demo(args) => demo::run(&args, out),
        Command::CheckConfig(args) => check_config::run(&args, verdict),
        Command::Doctor(args) => doctor::run(&args, verdict),
        Command::Book(args) => book::run(&args, out),
        Command::Feeds(args) => feeds::run(&args, out),
        Command::Rules(args) => rules::run(&args, out),
        Command::Symbols(args) => symbols::run(&args, verdict),
    };
    match done {
        Ok(code) => code,
        // Whoever read the output has had enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("parallax: {}", sentence(&error));
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn run_latency(args: &latency::Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    Ok(match latency::run(args, out)? {
        latency::Verdict::Done => ExitCode::SUCCESS,
        latency::Verdict::Regression => ExitCode::from(1),
    })
}

/// The error and its causes as one sentence; a cause that the sentence before it tells already is left out.
fn sentence(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}
