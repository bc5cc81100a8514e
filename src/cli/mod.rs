//! Arguments to what is done; one file per command.

pub mod decode;
pub mod feeds;
pub mod identify;
pub mod input;
pub mod latency;
pub mod ndjson;
pub mod simulate;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "parallax", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One NDJSON line per message
    Decode(decode::Args),
    /// Which channels a capture holds, what they speak, a configuration to start from
    Identify(identify::Args),
    /// A simulated market on two feeds, with faults and the truth about them, into captures
    Simulate(simulate::Args),
    /// The feeds it speaks
    Feeds(feeds::Args),
}

/// Runs the command line and gives the exit code.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Decode(args) => decode::run(&args),
        Command::Identify(args) => identify::run(&args),
        Command::Simulate(args) => simulate::run(&args).map(|_| ExitCode::SUCCESS),
        Command::Feeds(args) => feeds::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("parallax: {error:#}");
        ExitCode::from(2)
    })
}

/// Writes to standard output; a reader that has gone away has had enough.
///
/// # Errors
/// When the output takes no more for another reason.
pub fn print(bytes: &[u8]) -> anyhow::Result<Flow> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(Flow::Goes),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Flow::Ends),
        Err(error) => Err(error).context("standard output cannot be written"),
    }
}

/// Whether anybody still reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Somebody reads.
    Goes,
    /// The reader has closed its end.
    Ends,
}
