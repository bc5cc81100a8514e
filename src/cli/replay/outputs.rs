//! Where records go: files, or standard output, written in order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Args;
use super::parquet::{self, ParquetOutput};
use super::store::StoreOutput;
use crate::pipeline::{Judge, Pipeline};

/// Bytes that wait at most before they are written, at full speed.
const BATCH: usize = 1 << 16;

struct Output {
    name: String,
    to: Box<dyn Write + Send>,
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
}

impl Output {
    fn open(path: Option<&Path>) -> Result<Option<Output>> {
        let Some(path) = path else { return Ok(None) };
        let name = path.display().to_string();
        if path == Path::new("-") {
            return Ok(Some(Output { name: "standard output".to_owned(), to: Box::new(io::stdout()) }));
        }
        let file = File::create(path)
            .with_context(|| format!("{name} cannot be written; name a file in a writable folder"))?;
        Ok(Some(Output { name, to: Box::new(BufWriter::new(file)) }))
    }

    /// Writes and empties `bytes`; false when nobody reads any more.
    fn write(&mut self, bytes: &mut Vec<u8>) -> Result<bool> {
        let result = self.to.write_all(bytes);
        bytes.clear();
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
fn refuse_shared(args: &Args) -> Result<()> {
    let named = [
        ("--alerts", &args.alerts),
        ("--quotes", &args.quotes),
        ("--latency", &args.latency),
        ("--store", &args.store),
    ];
    let named = named.map(|(option, path)| (option, path.as_deref().filter(|p| *p != Path::new("-"))));
    let whole = |path: &Path| {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // What is not there yet is told by its folder and name; what has no folder will fail by itself.
        path.canonicalize().or_else(|_| Ok(folder.canonicalize()?.join(path.file_name().unwrap_or_default())))
    };
    let same = |a: &Path, b: &Path| {
        let both: io::Result<_> = whole(a).and_then(|a| Ok((a, whole(b)?)));
        both.is_ok_and(|(a, b)| a == b && !a.starts_with("/dev"))
    };
    for (at, (option, path)) in named.iter().enumerate() {
        let Some(path) = path else { continue };
        if args.input.captures.iter().any(|capture| capture != Path::new("-") && same(capture, path)) {
            bail!("{option} {} is one of the captures; name another file", path.display());
        }
        if args.config.as_deref().is_some_and(|config| same(config, path)) {
            bail!("{option} {} is the configuration; name another file", path.display());
        }
        let earlier = named[..at].iter().find(|(_, other)| other.is_some_and(|other| same(other, path)));
        if let Some((other, _)) = earlier {
            bail!("{option} {} is the file of {other}; name another", path.display());
        }
    }
    Ok(())
}

impl Outputs {
    /// Opens what the arguments name.
    ///
    /// # Errors
    /// A file that cannot be written, or that something else is read from or written to.
    pub fn open(args: &Args) -> Result<Outputs> {
        refuse_shared(args)?;
        parquet::refuse_full(args)?;
        Ok(Outputs {
            alerts: Output::open(args.alerts.as_deref())?,
            quotes: Output::open(args.quotes.as_deref())?,
            latency: Output::open(args.latency.as_deref())?,
            store: None,
            parquet: None,
            flushed_until: 0,
        })
    }

    /// Takes what was judged up to the datagram of `until_ns` when it is worth writing (at once when `now`); false
    /// when nobody reads any more.
    pub fn take(&mut self, judge: &mut Judge, until_ns: u64, now: bool) -> Result<bool> {
        if let Some(output) = &mut self.latency
            && until_ns >= self.flushed_until
        {
            self.flushed_until = until_ns.saturating_add(1_000_000_000);
            let result = judge.comparator.recorder.flush_until(until_ns, &mut output.to);
            output.settle(result)?;
        }
        let mut goes = true;
        if let Some(store) = &mut self.store {
            store.take(judge)?;
        }
        if let Some(files) = &mut self.parquet {
            files.take(judge)?;
        }
        if self.alerts.is_none() {
            judge.take_alerts().clear();
        }
        if let Some(output) = &mut self.alerts {
            let lines = judge.take_alerts();
            if !lines.is_empty() && (now || lines.len() >= BATCH) {
                goes &= output.write(lines)? && (!now || output.flush()?);
            }
        }
        if let (Some(output), Some(lines)) = (&mut self.quotes, judge.take_quotes())
            && !lines.is_empty()
            && (now || lines.len() >= BATCH)
        {
            goes &= output.write(lines)? && (!now || output.flush()?);
        }
        if let Some(store) = &mut self.store
            && judge.take_alerts().is_empty()
        {
            store.lines_went();
        }
        Ok(goes)
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
