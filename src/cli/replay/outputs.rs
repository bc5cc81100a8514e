//! Where records go: files, or standard output, written in order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::super::guard;
use super::Args;
use super::parquet::{self, ParquetOutput};
use super::store::StoreOutput;
use crate::config;
use crate::pipeline::{Judge, Pipeline};

/// Bytes that wait at most before they are written, at full speed.
const BATCH: usize = 1 << 16;
/// What a file that gets much gets at once: whole pages, from a page's beginning on. Of as many bytes anywhere the system
/// makes a quarter more work, and of a million at once three times as much.
const PAGES: usize = 1 << 17;

struct Output {
    name: String,
    to: Box<dyn Write + Send>,
    /// It is a file of its own, which may end within a line for a while.
    file: bool,
}

/// The outputs that were asked for.
pub struct Outputs {
    alerts: Option<Output>,
    quotes: Option<Output>,
    latency: Option<Output>,
    /// The store, where there is one.
    pub store: Option<StoreOutput>,
    /// Files of quotes, where they are asked for.
    pub parquet: Option<ParquetOutput>,
    flushed_until: u64,
    /// Somebody who read does not any more.
    left: bool,
    /// Something else than records must be known of all that is read.
    until_end: bool,
}

impl Output {
    fn open(path: Option<&Path>) -> Result<Option<Output>> {
        let Some(path) = path else { return Ok(None) };
        let name = path.display().to_string();
        if path == Path::new("-") {
            let to = Box::new(io::stdout());
            return Ok(Some(Output { name: "standard output".to_owned(), to, file: false }));
        }
        let file = File::create(path)
            .with_context(|| format!("{name} cannot be written; name a file in a writable folder"))?;
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        Ok(Some(Output { name, to: Box::new(BufWriter::new(file)), file: is_file }))
    }

    /// Writes the first so many of `bytes`, and takes them away; false when nobody reads any more.
    fn write(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<bool> {
        let result = self.to.write_all(&bytes[..count]);
        bytes.drain(..count);
        self.settle(result)
    }

    fn settle(&self, result: io::Result<()>) -> Result<bool> {
        match result {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error).with_context(|| format!("{} cannot be written", self.name)),
        }
    }

    fn flush(&mut self) -> Result<bool> {
        let result = self.to.flush();
        self.settle(result)
    }
}

/// An output must not destroy what is read, nor two of them each other's lines. Standard output may be shared.
fn refuse_shared(args: &Args, text: &str) -> Result<()> {
    let named = [
        ("--alerts", &args.alerts),
        ("--quotes", &args.quotes),
        ("--latency", &args.latency),
        ("--store", &args.store),
    ];
    let beside = args.config.as_deref().and_then(Path::parent).unwrap_or(Path::new("."));
    let files = config::named_files(text, beside);
    for (at, (option, path)) in named.iter().enumerate() {
        let Some(path) = path else { continue };
        let captures = args.input.captures.iter().map(PathBuf::as_path);
        guard::refuse_over(option, path, "one of the captures", captures)?;
        guard::refuse_over(option, path, "the configuration", args.config.as_deref())?;
        let files = files.iter().map(PathBuf::as_path);
        guard::refuse_over(option, path, "named by the configuration", files)?;
        let earlier = named[..at].iter().find(|(_, o)| o.as_ref().is_some_and(|o| guard::is_same(o, path)));
        if let Some((other, _)) = earlier {
            bail!("{option} {} is the file of {other}; name another", path.display());
        }
    }
    Ok(())
}

/// Writes lines that are worth it (all of them when `now`), of a file that gets `much` whole pages; false when their reader
/// has left, who is then told no more.
fn tell(output: &mut Option<Output>, lines: &mut Vec<u8>, (now, much): (bool, bool)) -> Result<bool> {
    let Some(to) = output.as_mut() else { return Ok(true) };
    let count = match lines.len() {
        all if now => all,
        all if much && to.file => all - all % PAGES,
        all if all >= BATCH => all,
        _ => 0,
    };
    if count == 0 {
        return Ok(true);
    }
    let heard = to.write(lines, count)? && (!now || to.flush()?);
    if !heard {
        *output = None;
    }
    Ok(heard)
}

impl Outputs {
    /// Opens what the arguments name; `text` is the configuration's.
    ///
    /// # Errors
    /// A file that cannot be written, or that something else is read from or written to.
    pub fn open(args: &Args, text: &str) -> Result<Outputs> {
        refuse_shared(args, text)?;
        parquet::refuse_full(args)?;
        Ok(Outputs {
            alerts: Output::open(args.alerts.as_deref())?,
            quotes: Output::open(args.quotes.as_deref())?,
            latency: Output::open(args.latency.as_deref())?,
            store: None,
            parquet: None,
            flushed_until: 0,
            left: false,
            until_end: args.fail_on.is_some() || args.parquet_messages.is_some(),
        })
    }

    /// Takes what was judged up to the datagram of `until_ns` when it is worth writing (at once when `now`); false
    /// when nobody reads any more, and nothing else was asked for.
    pub fn take(&mut self, judge: &mut Judge, until_ns: u64, now: bool) -> Result<bool> {
        if let Some(output) = &mut self.latency
            && until_ns >= self.flushed_until
        {
            self.flushed_until = until_ns.saturating_add(1_000_000_000);
            let result = judge.comparator.recorder.flush_until(until_ns, &mut output.to);
            output.settle(result)?;
        }
        if let Some(store) = &mut self.store {
            store.take(judge)?;
        }
        if let Some(files) = &mut self.parquet {
            files.take(judge)?;
        }
        if self.alerts.is_none() {
            judge.take_alerts().clear();
        }
        self.left |= !tell(&mut self.alerts, judge.take_alerts(), (now, false))?;
        if let Some(lines) = judge.take_quotes() {
            if self.quotes.is_none() {
                lines.clear();
            }
            self.left |= !tell(&mut self.quotes, lines, (now, true))?;
        }
        if let Some(store) = &mut self.store
            && judge.take_alerts().is_empty()
        {
            store.lines_went();
        }
        Ok(!self.left || self.is_wanted())
    }

    /// Whether anything is still made of what is read.
    fn is_wanted(&self) -> bool {
        let records = [&self.alerts, &self.quotes, &self.latency].iter().any(|output| output.is_some());
        records || self.store.is_some() || self.parquet.is_some() || self.until_end
    }

    /// Takes everything.
    pub fn drain(&mut self, pipeline: &mut Pipeline) -> Result<()> {
        let until_ns = pipeline.span().map_or(0, |(_, until_ns)| until_ns);
        self.take(&mut pipeline.judge, until_ns, true).map(|_| ())
    }

    /// Closes the files.
    pub fn finish(mut self, pipeline: &mut Pipeline) -> Result<()> {
        if let Some(files) = self.parquet {
            files.finish(&mut pipeline.judge)?;
        }
        if let Some(output) = &mut self.latency {
            let result = pipeline.judge.comparator.recorder.finish(&mut output.to);
            output.settle(result)?;
        }
        for output in [&mut self.alerts, &mut self.quotes, &mut self.latency].into_iter().flatten() {
            output.flush()?;
        }
        Ok(())
    }
}
