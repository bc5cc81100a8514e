//! The way of a replay's quotes into Parquet files.

use std::path::Path;

use anyhow::{Result, bail};

use super::Args;
use crate::config::Config;
use crate::pipeline::Judge;
use crate::store::QuoteFiles;

/// Rows that are worth taking.
const BATCH: usize = 1 << 14;

/// Files of quotes that are being written.
pub struct ParquetOutput(QuoteFiles);

/// Quotes are never written among others: they would count twice.
///
/// # Errors
/// The folder is there and holds something, or it is no folder.
pub fn refuse_full(args: &Args) -> Result<()> {
    let Some(folder) = &args.parquet else { return Ok(()) };
    if folder == Path::new("-") {
        bail!("--parquet - is no folder: it becomes many files; name a folder");
    }
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            bail!("--parquet {} is not empty; name a new folder, or empty this one", folder.display())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            bail!("--parquet {} is no folder to write to: {error}; name a new one", folder.display())
        }
    }
}

/// Files below the folder that the arguments name.
///
/// # Errors
/// A folder that cannot be made.
pub fn open(args: &Args, config: &Config) -> Result<Option<ParquetOutput>> {
    let Some(folder) = &args.parquet else { return Ok(None) };
    Ok(Some(ParquetOutput(QuoteFiles::create(folder, config.comparands())?)))
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
