//! The way of a replay's alerts and figures into a store.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Args;
use crate::config::Config;
use crate::pipeline::Judge;
use crate::source::{Captures, clock};
use crate::store::{
    self, Batch, CaptureFacts, Manner, Retention, RunFacts, StoreError, StoreSender, StoreThread, Writer,
};

/// How long what was found waits to be committed.
const COMMIT_AFTER: Duration = Duration::from_millis(100);

/// An open run in a store.
pub struct StoreOutput {
    thread: Option<StoreThread>,
    sender: StoreSender,
    path: String,
    /// Bytes of the judge's waiting alert lines that are handed over already.
    told: usize,
}

impl StoreOutput {
    /// Begins a run in the store that the arguments name; `text` is the configuration's.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub fn open(
        args: &Args,
        config: &Config,
        text: &str,
        captures: &[String],
    ) -> Result<Option<StoreOutput>> {
        let Some(path) = &args.store else { return Ok(None) };
        if path == Path::new("-") {
            bail!("--store - is no file: a store is a database; name a file");
        }
        let folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
        let facts = RunFacts {
            live: false,
            command: store::command_line(),
            folder,
            config: text.to_owned(),
            interval_ns: interval_ns(config),
            began_ns: clock::wall_now_ns(),
            parquet: args.parquet.as_deref().map(whole),
        };
        let mut writer = Writer::begin(store::open_write(path)?, &facts, config)?;
        writer.name_captures(captures);
        let manner = Manner { retention: Retention::ALL, commit_after: COMMIT_AFTER, steadfast: None };
        let thread = StoreThread::start(writer, manner, || {}).context("no thread can be started")?;
        let sender = thread.sender();
        let path = path.display().to_string();
        Ok(Some(StoreOutput { thread: Some(thread), sender, path, told: 0 }))
    }

    /// Hands over what is new.
    ///
    /// # Errors
    /// Why the store cannot be written any more.
    pub fn take(&mut self, judge: &mut Judge) -> Result<()> {
        let figures = judge.take_figures().map(std::mem::take).unwrap_or_default();
        let lines = judge.take_alerts();
        if figures.is_empty() && lines.len() <= self.told {
            return Ok(());
        }
        let new = lines.get(self.told..).unwrap_or_default().to_vec();
        self.told = lines.len();
        if self.sender.send(Batch { lines: new, figures, ..Batch::default() }) {
            return Ok(());
        }
        match self.thread.take().map(|thread| thread.finish(Vec::new())) {
            Some(Err(error)) => Err(error.into()),
            _ => Err(StoreError(format!("the store {} is not written any more", self.path)).into()),
        }
    }

    /// The judge's waiting lines have gone elsewhere too.
    pub fn lines_went(&mut self) {
        self.told = 0;
    }

    /// The run is whole; answers its number.
    ///
    /// # Errors
    /// What could not be written.
    pub fn finish(mut self, captures: &Captures) -> Result<Option<i64>> {
        let facts = captures.names().iter().zip(captures.counts()).map(capture_facts).collect();
        let run = self.thread.take().map(|thread| thread.finish(facts)).transpose()?;
        Ok(run)
    }
}

/// The path from the root on: whoever asks the store later may be elsewhere.
fn whole(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Length of the intervals of a run over this configuration.
pub fn interval_ns(config: &Config) -> u64 {
    config.live.store.clone().unwrap_or_default().interval_ns
}

fn capture_facts((name, counts): (&String, &crate::source::CaptureCounts)) -> CaptureFacts {
    let path = Path::new(&counts.name);
    let whole = path.canonicalize().map_or_else(|_| counts.name.clone(), |path| path.display().to_string());
    CaptureFacts {
        name: name.clone(),
        path: whole,
        format: format!("{:?}", counts.format).to_lowercase(),
        compression: format!("{:?}", counts.compression).to_lowercase(),
        counts: [counts.packets, counts.bytes, counts.datagrams],
    }
}
