//! The way of a replay's quotes and messages into Parquet files.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Args;
use crate::config::Config;
use crate::pipeline::{Intake, Judge};
use crate::store::{Captures, MessageFiles, QuoteFiles, RowNames};

/// Rows that are worth taking.
const BATCH: usize = 1 << 14;

/// Files of quotes that are being written.
pub struct ParquetOutput(QuoteFiles);

/// Files of messages that are being written.
pub struct MessageOutput(Option<MessageFiles>);

/// Rows are never written among others: they would count twice.
///
/// # Errors
/// The folder is there and holds something, or it is no folder.
pub fn refuse_full(args: &Args) -> Result<()> {
    for (option, folder) in [("--parquet", &args.parquet), ("--parquet-messages", &args.parquet_messages)] {
        if let Some(folder) = folder {
            refuse(option, folder)?;
        }
    }
    Ok(())
}

fn refuse(option: &str, folder: &PathBuf) -> Result<()> {
    if folder == Path::new("-") {
        bail!("{option} - is no folder: it becomes many files; name a folder");
    }
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            bail!("{option} {} is not empty; name a new folder, or empty this one", folder.display())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            bail!("{option} {} is no folder to write to: {error}; name a new one", folder.display())
        }
    }
}

/// Files below the folder that the arguments name.
///
/// # Errors
/// A folder that cannot be made.
pub fn open(args: &Args, config: &Config, captures: &[String]) -> Result<Option<ParquetOutput>> {
    let Some(folder) = &args.parquet else { return Ok(None) };
    Ok(Some(ParquetOutput(QuoteFiles::create(
        folder,
        RowNames::of(config, Captures::Listed(captures.to_vec())),
    )?)))
}

/// Files of messages below the folder that the arguments name.
///
/// # Errors
/// A folder that cannot be made.
pub fn open_messages(args: &Args, config: &Config, captures: &[String]) -> Result<MessageOutput> {
    let names = RowNames::of(config, Captures::Listed(captures.to_vec()));
    let files = args.parquet_messages.as_ref().map(|folder| MessageFiles::create(folder, names));
    Ok(MessageOutput(files.transpose()?))
}

impl ParquetOutput {
    /// Takes what is new once it is worth it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn take(&mut self, judge: &mut Judge) -> Result<()> {
        match judge.take_tape() {
            Some(rows) if rows.len() >= BATCH => Ok(self.0.take(rows.drain(..))?),
            _ => Ok(()),
        }
    }

    /// Takes the rest, and writes what waits.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(mut self, judge: &mut Judge) -> Result<()> {
        if let Some(rows) = judge.take_tape() {
            self.0.take(rows.drain(..))?;
        }
        Ok(self.0.flush()?)
    }
}

impl MessageOutput {
    /// Takes what is new once it is worth it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn take(&mut self, intake: &mut Intake) -> Result<()> {
        let Some(files) = &mut self.0 else { return Ok(()) };
        match intake.feeder.take_messages() {
            Some(rows) if rows.len() >= BATCH => Ok(files.take(rows.drain(..))?),
            _ => Ok(()),
        }
    }

    /// Takes the rest, and writes what waits.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(self, intake: &mut Intake) -> Result<()> {
        let Some(mut files) = self.0 else { return Ok(()) };
        if let Some(rows) = intake.feeder.take_messages() {
            files.take(rows.drain(..))?;
        }
        Ok(files.flush()?)
    }
}
