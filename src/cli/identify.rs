//! `parallax identify`: which channels a capture holds, what they speak, and a configuration to start from.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::guard;
use super::input::CaptureArgs;
use crate::identify::{Limits, config_toml, identify, table};

/// Arguments of `parallax identify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The captures.
    #[command(flatten)]
    pub input: CaptureArgs,

    /// Write the configuration to FILE and what was found to standard output; without it, the configuration goes to
    /// standard output with what was found in its comments
    #[arg(long, value_name = "FILE")]
    pub write_config: Option<PathBuf>,
}

/// Runs the command. Exit code 1 says that no channel was recognised.
///
/// # Errors
/// A capture that cannot be read, a file that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    args.input.refuse_twice()?;
    if let Some(path) = &args.write_config {
        guard::refuse_over(
            "--write-config",
            path,
            "one of the captures",
            args.input.captures.iter().map(PathBuf::as_path),
        )?;
    }
    let mut captures = args.input.open()?;
    let found = identify(&mut captures, Limits::default())?;
    let config = config_toml(&found);
    match &args.write_config {
        None => out.write_all(config.as_bytes())?,
        Some(path) if found.channels.is_empty() => {
            eprintln!("parallax: {} was not written: no channel was recognised", path.display());
            out.write_all(table(&found).as_bytes())?
        }
        Some(path) => {
            std::fs::write(path, &config).with_context(|| {
                format!("{} cannot be written; name a file in a writable folder", path.display())
            })?;
            out.write_all(table(&found).as_bytes())?
        }
    }
    out.flush()?;
    args.input.tell_day(captures.counts());
    for counts in captures.counts() {
        for (reason, tally) in counts.errors() {
            let (name, times, frame) = (reason.name(), tally.count, tally.first_frame);
            eprintln!("{}: {name}: {times}, first at frame {frame}: {}", counts.name, reason.meaning());
        }
    }
    Ok(if found.channels.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
