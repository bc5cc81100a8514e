//! `parallax explain`: what lies behind an alert.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::input::CaptureArgs;
use super::investigate::{Case, Explained};
use crate::config::Config;
use crate::explain::{json, text};

/// How an explanation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people, to forward.
    Text,
    /// For programs: one JSON object.
    Json,
}

/// Where an alert is looked for: the same words for `explain` and `evidence`.
#[derive(Debug, Clone, clap::Args)]
pub struct CaseArgs {
    /// The alert's id, or as much of its beginning as no other has
    #[arg(value_name = "ALERT")]
    pub alert: String,

    /// The captures, with which it is raised
    #[command(flatten)]
    pub input: CaptureArgs,

    /// The configuration with which it is raised
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,

    /// How far apart the clocks of different capture points may be, such as 100us
    #[arg(long, value_name = "DURATION")]
    pub clock_error: Option<String>,
}

impl CaseArgs {
    /// What is to be replayed.
    ///
    /// # Errors
    /// A configuration, time or duration that cannot be used.
    pub fn case(&self) -> Result<Case> {
        let mut options = self.input.options()?;
        options.sort_window = true;
        let clock_error_ns = match &self.clock_error {
            None => None,
            Some(text) => Some(crate::config::reader::duration(text).with_context(|| {
                format!(
                    "--clock-error {text} is no duration: write a number with ns, us, ms or s, such as 100us"
                )
            })?),
        };
        let config = Config::read(Path::new(&self.config))?;
        let case = Case { config, captures: self.input.captures.clone(), options, clock_error_ns };
        case.refuse_standard_input()?;
        Ok(case)
    }
}

/// Arguments of `parallax explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The alert and where it is looked for.
    #[command(flatten)]
    pub case: CaseArgs,

    /// How it is written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: Format,
}

/// Runs the command.
///
/// # Errors
/// A configuration or capture that cannot be used, or no such alert, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let case = args.case.case()?;
    let alert = case.find(&args.case.alert)?;
    let Explained { facts, explanation, .. } = case.explain(&alert)?;
    let said = match args.format {
        Format::Text => text::write(&facts, &explanation),
        Format::Json => format!("{}\n", json::write(&facts, &explanation)),
    };
    out.write_all(said.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
