//! `parallax explain`: what lies behind an alert.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use rusqlite::OptionalExtension;

use super::input::CaptureArgs;
use super::investigate::{Case, Explained};
use crate::config::Config;
use crate::explain::{json, text};
use crate::store;

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
#[command(mut_arg("captures", |captures| captures.required(false).required_unless_present("store")))]
pub struct CaseArgs {
    /// The alert's id, or as much of its beginning as no other has
    #[arg(value_name = "ALERT", value_parser = trimmed)]
    pub alert: String,

    /// The captures, with which it is raised; from the store where it knows the alert
    #[command(flatten)]
    pub input: CaptureArgs,

    /// The configuration with which it is raised
    #[arg(long, value_name = "FILE", required_unless_present = "store")]
    pub config: Option<PathBuf>,

    /// A store that holds the alert: its run knows configuration and captures (name what has moved since)
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,

    /// How far apart the clocks of different capture points may be, such as 100us; else `clock_error` of the sources
    #[arg(long, value_name = "DURATION")]
    pub clock_error: Option<String>,
}

/// What is to be replayed, as it lies on disk.
#[derive(Debug, Clone)]
pub struct Located {
    /// The configuration as it was named.
    pub config_name: String,
    /// Its text.
    pub config_text: String,
    /// Where what it names is looked up from.
    pub folder: PathBuf,
    /// The captures, in the order in which they are merged.
    pub captures: Vec<PathBuf>,
}

impl Located {
    /// Where the configuration lies, or lay; `None` where none was named.
    pub fn config_path(&self) -> Option<PathBuf> {
        let name = Path::new(&self.config_name).file_name()?;
        Some(self.folder.join(name))
    }
}

/// A configuration beyond this is not read.
const CONFIG_MAX: u64 = 64 << 20;

impl CaseArgs {
    /// Finds configuration and captures: as they are named, else as the store has them.
    ///
    /// # Errors
    /// A configuration or store that cannot be read, or that does not know the alert.
    pub fn locate(&self) -> Result<Located> {
        let mut located = match &self.store {
            Some(store) => from_store(store, &self.alert)?,
            None => Located {
                config_name: String::new(),
                config_text: String::new(),
                folder: PathBuf::new(),
                captures: Vec::new(),
            },
        };
        if let Some(path) = &self.config {
            let cannot = || format!("{} cannot be read; name a TOML configuration", path.display());
            let len = std::fs::metadata(path).with_context(cannot)?.len();
            if len > CONFIG_MAX {
                bail!("{} has {len} bytes: at most {CONFIG_MAX} are read", path.display());
            }
            located.config_name = path.display().to_string();
            located.config_text = std::fs::read_to_string(path).with_context(cannot)?;
            located.folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        }
        if !self.input.captures.is_empty() {
            located.captures = self.input.captures.clone();
        }
        Ok(located)
    }

    /// What is to be replayed.
    ///
    /// # Errors
    /// A configuration, time or duration that cannot be used.
    pub fn case(&self, located: &Located) -> Result<Case> {
        let input = CaptureArgs { captures: located.captures.clone(), ..self.input.clone() };
        let mut options = input.options()?;
        options.sort_window = true;
        let clock_error_ns = match &self.clock_error {
            None => None,
            Some(text) => Some(crate::config::reader::duration(text).with_context(|| {
                format!(
                    "--clock-error {text} is no duration: write a number with ns, us, ms or s, such as 100us"
                )
            })?),
        };
        let config = Config::parse(&located.config_name, &located.config_text, &located.folder)?;
        let case = Case { config, captures: located.captures.clone(), options, clock_error_ns };
        case.refuse_standard_input()?;
        input.tell_day(case.open()?.counts());
        Ok(case)
    }
}

/// An id as it is copied out of a table: with what stands around it.
fn trimmed(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.trim().to_owned())
}

/// Configuration and captures of the latest run that raised the alert.
fn from_store(path: &Path, alert: &str) -> Result<Located> {
    if alert.is_empty() || !alert.bytes().all(|b| b.is_ascii_hexdigit()) {
        bail!("{alert} is no alert's id: it is made of the digits 0 to 9 and a to f");
    }
    let connection = store::open_read(path)?;
    let asked = || format!("{} cannot be asked", path.display());
    let sql = "SELECT run, folder, config_path, config FROM run JOIN alert USING (run)
        WHERE alert.id >= ?1 AND alert.id < ?1 || 'g' ORDER BY superseded_by IS NULL DESC, run DESC LIMIT 1";
    let found = connection
        .query_row(sql, [alert.to_ascii_lowercase()], |row| {
            Ok((row.get::<_, i64>(0)?, [row.get::<_, String>(1)?, row.get(2)?, row.get(3)?]))
        })
        .optional()
        .with_context(asked)?;
    let Some((run, [folder, config_path, config_text])) = found else {
        bail!("{} holds no alert {alert}: `parallax sql --query alerts_of` lists them", path.display());
    };
    let mut statement = connection
        .prepare("SELECT path FROM capture WHERE run = ?1 ORDER BY position")
        .with_context(asked)?;
    let captures = statement.query_map([run], |row| row.get::<_, String>(0)).with_context(asked)?;
    let captures: Vec<PathBuf> = captures
        .map(|capture| capture.map(|capture| Path::new(&folder).join(capture)))
        .collect::<rusqlite::Result<_>>()
        .with_context(asked)?;
    let config = Path::new(&folder).join(&config_path);
    let config_name = if config_path.is_empty() { "(identified)".to_owned() } else { config_path };
    let folder = config.parent().unwrap_or(Path::new(".")).to_owned();
    Ok(Located { config_name, config_text, folder, captures })
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
    let located = args.case.locate()?;
    let case = args.case.case(&located)?;
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
