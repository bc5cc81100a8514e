//! `parallax top`: the daemon on a screen, over its control socket; with `--once` the same as plain text.
//!
//! It asks and draws, and hands on what the operator does. It never slows the daemon: two questions a second.

pub mod figures;
mod gone;
pub mod instrument;
mod keys;
mod screen;
mod shared;
mod tables;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use super::alerts::Where;
use crate::alert::console::Item;
use crate::run::control::client::{Client, ClientError};
use crate::run::control::protocol::Request;
use crate::run::status::Status;
use crate::source::clock;
use instrument::InstrumentView;
use keys::Input;
use shared::SharedBooks;

/// Arguments of `parallax top`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    daemon: Where,

    /// Print it once as plain text
    #[arg(long)]
    once: bool,

    /// Milliseconds between two looks
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    interval: u64,

    /// Show this instrument first, source beside source
    #[arg(long, value_name = "NAME")]
    instrument: Option<String>,

    /// Where the shared books lie; the configuration's directory when that is given
    #[arg(long, value_name = "DIR")]
    books: Option<PathBuf>,

    /// No colours (also when `NO_COLOR` is set)
    #[arg(long)]
    plain: bool,
}

impl Args {
    fn books_directory(&self) -> Result<PathBuf> {
        let own = || crate::shm::DIRECTORY.into();
        Ok(match (&self.books, self.daemon.live()?) {
            (Some(books), _) => books.clone(),
            (None, Some(live)) => live.shared_memory.map_or_else(own, |s| s.directory),
            (None, None) => own(),
        })
    }
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    /// Everything, a little of each.
    #[default]
    Overview,
    /// The alerts alone.
    Alerts,
    /// One instrument over the sources.
    Instrument,
}

/// Everything that the picture is made from.
#[derive(Default)]
struct Model {
    status: Option<Status>,
    /// The snapshot before, for rates.
    before: Option<Status>,
    alerts: Vec<Item>,
    /// Open alerts, shown or not.
    total: usize,
    tab: Tab,
    /// Id of the alert under the cursor.
    selected: Option<String>,
    /// What is being typed.
    input: Option<Input>,
    /// The answer to the last thing that was done, or why nothing can be seen.
    message: String,
    /// The daemon does not answer: what is shown is old.
    lost: bool,
    instrument: String,
    books: Option<Box<dyn InstrumentView>>,
    colours: bool,
}

/// Alerts asked for at a time: more than a screen holds.
const ALERTS: usize = 200;

impl Model {
    fn take_status(&mut self, status: Status) {
        if let Some(old) = self.status.take().filter(|s| s.now_ns < status.now_ns) {
            self.before = Some(old);
        }
        // Another daemon's counters, or those of one that was started anew, say nothing about a rate.
        let same = |s: &Status| s.pid == status.pid && s.started_ns == status.started_ns;
        self.before = self.before.take().filter(same);
        self.status = Some(status);
    }

    fn look(&mut self, client: &mut Client) -> Result<(), ClientError> {
        if let Some(status) = client.ask(&Request::Status {})?.status {
            self.take_status(*status);
        }
        let (open, limit) = (Some(true), Some(ALERTS));
        let (kind, source, instrument, severity) = (None, None, None, None);
        let request = Request::Alerts { open, kind, source, instrument, severity, limit };
        let answer = client.ask(&request)?;
        self.alerts = answer.alerts.unwrap_or_default();
        self.total = answer.total.unwrap_or(self.alerts.len());
        if !self.alerts.iter().any(|a| Some(&a.id) == self.selected.as_ref()) {
            self.selected = self.alerts.first().map(|a| a.id.clone());
        }
        Ok(())
    }

    fn cursor(&self) -> Option<usize> {
        self.alerts.iter().position(|a| Some(&a.id) == self.selected.as_ref())
    }
}

/// Runs the command.
///
/// # Errors
/// Nobody answers, or there is no terminal to draw on.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let mut client = args.daemon.call()?;
    let mut model = Model {
        colours: !args.plain && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        instrument: args.instrument.clone().unwrap_or_default(),
        tab: if args.instrument.is_some() { Tab::Instrument } else { Tab::Overview },
        ..Model::default()
    };
    model.look(&mut client)?;
    let name = model.status.as_ref().map(|s| s.name.clone());
    model.books = Some(Box::new(SharedBooks::new(args.books_directory()?, name)));
    if args.once {
        std::thread::sleep(Duration::from_millis(args.interval));
        model.look(&mut client)?;
        out.write_all(tables::text(&mut model).as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("signals cannot be watched")?;
    }
    // From here on a panic gives the terminal back before it speaks.
    let mut terminal =
        ratatui::try_init().context("there is no terminal to draw on; --once prints plain text")?;
    let watched = gone::watch().context("the terminal cannot be watched");
    let ended = watched.and_then(|()| watch(args, &mut model, Some(client), &mut terminal, &stop));
    ratatui::restore();
    ended.map(|()| ExitCode::SUCCESS)
}

fn watch(
    args: &Args,
    model: &mut Model,
    mut client: Option<Client>,
    terminal: &mut DefaultTerminal,
    stop: &AtomicBool,
) -> Result<()> {
    let interval = Duration::from_millis(args.interval.max(50));
    let mut next = clock::monotonic_now() + interval;
    while !stop.load(Ordering::Relaxed) {
        terminal.draw(|frame| screen::draw(frame, model))?;
        let wait = next.saturating_duration_since(clock::monotonic_now());
        if event::poll(wait)? {
            let done = match event::read()? {
                Event::Key(key) if key.is_press() => keys::press(model, key),
                _ => keys::Do::Nothing,
            };
            match done {
                keys::Do::Quit => return Ok(()),
                keys::Do::Ask(request) => {
                    if client.is_some() {
                        model.message = said(&mut client, &request);
                    }
                    next = clock::monotonic_now();
                }
                keys::Do::Nothing => {}
            }
        }
        if clock::monotonic_now() >= next {
            refresh(args, model, &mut client);
            next = clock::monotonic_now() + interval;
        }
    }
    Ok(())
}

/// What the daemon says to something that was done.
fn said(client: &mut Option<Client>, request: &Request) -> String {
    match client.as_mut().map(|c| c.ask(request)) {
        None => String::new(),
        Some(Ok(answer)) => super::alerts::text(&answer).trim_end().replace('\n', "; "),
        Some(Err(refused @ ClientError::Refused(_))) => refused.to_string(),
        Some(Err(error)) => {
            *client = None;
            error.to_string()
        }
    }
}

fn refresh(args: &Args, model: &mut Model, client: &mut Option<Client>) {
    let seen = match client {
        Some(client) => model.look(client).map_err(anyhow::Error::from),
        None => args.daemon.call().and_then(|mut called| {
            model.look(&mut called)?;
            *client = Some(called);
            Ok(())
        }),
    };
    match seen {
        Ok(()) if model.lost => {
            model.lost = false;
            model.message = "the daemon answers again".to_owned();
        }
        Ok(()) => {}
        Err(error) => {
            *client = None;
            model.lost = true;
            model.message = error.to_string();
        }
    }
}
