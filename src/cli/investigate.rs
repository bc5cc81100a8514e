//! Finds an alert in a replay of captures and gathers the facts around it: what `explain`, `evidence` and `verify` do
//! first.
//!
//! The captures are read twice. The first reading finds the alert; the second knows what to look at, and ends as soon as
//! nothing more can matter.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::config::Config;
use crate::explain::{Alert, Explanation, Facts, Observer, Search, Watched, explain};
use crate::latency::Recorder;
use crate::pipeline::{Judge, Pipeline, Settings};
use crate::source::{Captures, Options, ProgressReporter};

/// What is replayed.
#[derive(Debug, Clone)]
pub struct Case {
    /// Sources and checks.
    pub config: Config,
    /// The captures, in the order in which they are merged.
    pub captures: Vec<PathBuf>,
    /// How they are read.
    pub options: Options,
    /// How far the clocks of different capture points may be apart, where the user says it.
    pub clock_error_ns: Option<u64>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Explained {
    /// What is known around the alert.
    pub facts: Facts,
    /// What that means.
    pub explanation: Explanation,
    /// Names of the captures, by number.
    pub capture_names: Vec<String>,
}

impl Case {
    /// Standard input cannot be read twice.
    ///
    /// # Errors
    /// Where it is named.
    pub fn refuse_standard_input(&self) -> Result<()> {
        if self.captures.iter().any(|c| c.as_os_str() == "-") {
            bail!("standard input cannot be read twice: write it to a file and name that");
        }
        Ok(())
    }

    /// Opens the captures.
    ///
    /// # Errors
    /// The first that cannot be opened or recognised.
    pub fn open(&self) -> Result<Captures> {
        Ok(Captures::open(&self.captures, &self.options)?)
    }

    fn pipeline(&self, captures: &Captures) -> Pipeline {
        let settings = Settings {
            captures: captures.names().to_vec(),
            binaryfile_midnight_ns: self.options.binaryfile_midnight_ns,
            ..Settings::default()
        };
        Pipeline::new(&self.config, settings, Recorder::without_log())
    }

    /// The alert whose id begins with `prefix`.
    ///
    /// # Errors
    /// Captures that cannot be read; no such alert, or several.
    pub fn find(&self, prefix: &str) -> Result<Alert> {
        let mut captures = self.open()?;
        let mut pipeline = self.pipeline(&captures);
        let mut search = Search::new(prefix);
        if let Some(from) = captures.prime()? {
            pipeline.start(from);
        }
        let mut progress = ProgressReporter::new(&captures, true);
        while let Some(datagram) = captures.next()? {
            pipeline.on_datagram(&datagram);
            take(&mut pipeline.judge, |lines| search.take(lines));
            progress.tick(&captures);
        }
        if let Some(until) = captures.watched_until() {
            pipeline.advance(until);
        }
        pipeline.finish();
        take(&mut pipeline.judge, |lines| search.take(lines));
        progress.finish();
        Ok(search.finish()?)
    }

    /// The facts around an alert, and what they mean.
    ///
    /// # Errors
    /// Captures that cannot be read.
    pub fn explain(&self, alert: &Alert) -> Result<Explained> {
        let mut captures = self.open()?;
        let mut pipeline = self.pipeline(&captures);
        let mut observer = Observer::new(&self.config, alert);
        if let Some(from) = captures.prime()? {
            pipeline.start(from);
        }
        let mut progress = ProgressReporter::new(&captures, true);
        let Pipeline { intake, judge } = &mut pipeline;
        let mut done = false;
        while let Some(datagram) = captures.next()? {
            done = observer.is_done(datagram.ts_recv_ns);
            if done {
                break;
            }
            observer.on_datagram(&datagram);
            intake.on_datagram(&datagram, &mut Watched { judge, observer: &mut observer });
            take(judge, |lines| observer.alerts(lines));
            progress.tick(&captures);
        }
        if let Some(until) = captures.watched_until().filter(|_| !done) {
            intake.advance(until, &mut Watched { judge, observer: &mut observer });
            take(judge, |lines| observer.alerts(lines));
        }
        progress.finish();
        let capture_names = captures.names().to_vec();
        let mut facts = observer.finish(&self.config, intake, judge, &capture_names);
        facts.capture_clock.configured_ns = self.clock_error_ns;
        let explanation = explain(&facts);
        Ok(Explained { facts, explanation, capture_names })
    }
}

/// Hands over the lines of alerts that wait, and empties them.
fn take(judge: &mut Judge, to: impl FnOnce(&[u8])) {
    let lines = judge.take_alerts();
    if !lines.is_empty() {
        to(lines);
        lines.clear();
    }
}
