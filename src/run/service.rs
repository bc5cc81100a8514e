//! The service manager and signals: what others tell the daemon, and what it tells its manager.
//!
//! A signal only sets a flag and writes a byte, here and nowhere else; the reporter's loop sees the byte arrive. Telling the manager never
//! waits and never ends the daemon: without a manager it does nothing.

use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use sd_notify::NotifyState;
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Write everything and end (SIGTERM, SIGINT).
    Stop,
    /// Read the configuration anew (SIGHUP).
    Reload,
}

const SIGNALS: [(i32, Request); 3] =
    [(SIGTERM, Request::Stop), (SIGINT, Request::Stop), (SIGHUP, Request::Reload)];

/// Signals as something that a poll can wait for. Dropped, signals mean again what they meant before.
#[derive(Debug)]
pub struct Signals {
    stop: Wake,
    reload: Wake,
}

/// The end of a pipe whose other end the handlers write to.
#[derive(Debug)]
struct Wake {
    reader: UnixStream,
    handlers: Vec<SigId>,
}

impl Wake {
    fn on(request: Request) -> io::Result<Wake> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        let mut wake = Wake { reader, handlers: Vec::new() };
        for (signal, _) in SIGNALS.iter().filter(|(_, asked)| *asked == request) {
            wake.handlers.push(signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?);
        }
        Ok(wake)
    }

    /// Whether a signal came since the last time.
    fn take(&mut self) -> bool {
        let mut bytes = [0; 64];
        let mut came = false;
        loop {
            match self.reader.read(&mut bytes) {
                // The writer is held by the handlers, so there is no end.
                Ok(0) => return came,
                Ok(_) => came = true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return came,
            }
        }
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            signal_hook::low_level::unregister(handler);
        }
    }
}

impl Signals {
    /// Takes SIGTERM, SIGINT and SIGHUP from now on.
    ///
    /// # Errors
    /// The system refused a handler or a pipe.
    pub fn take_over() -> io::Result<Signals> {
        Ok(Signals { stop: Wake::on(Request::Stop)?, reload: Wake::on(Request::Reload)? })
    }

    /// Descriptors that become readable when a signal came: register them with `mio::unix::SourceFd`. They must be drained by
    /// [`Signals::next`] until it gives nothing.
    pub fn descriptors(&self) -> [RawFd; 2] {
        [self.stop.reader.as_raw_fd(), self.reload.reader.as_raw_fd()]
    }

    /// What was asked for since the last time, a stop first; several signals of one meaning are one request.
    #[allow(
        clippy::should_implement_trait,
        reason = "signals never end: it is no iterator, which may be collected"
    )]
    pub fn next(&mut self) -> Option<Request> {
        if self.stop.take() {
            return Some(Request::Stop);
        }
        self.reload.take().then_some(Request::Reload)
    }
}

/// The service manager (sd_notify(3)).
#[derive(Debug, Clone, Default)]
pub struct Manager {
    watchdog: Option<Duration>,
    /// What went wrong the last time; a manager that does not listen is no reason to stop.
    error: Option<String>,
}

impl Manager {
    /// The one that started this process, if one did.
    pub fn here() -> Manager {
        Manager { watchdog: sd_notify::watchdog_enabled(), error: None }
    }

    /// How often it wants to hear that the daemon lives: half of what it waits (sd_watchdog_enabled(3)). `None`: never.
    pub fn alive_every(&self) -> Option<Duration> {
        self.watchdog.map(|limit| limit / 2)
    }

    /// The latest error, for the daemon's troubles.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// It has started: sockets are open, threads run.
    pub fn ready(&mut self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
    }

    /// It reads its configuration anew; [`Manager::ready`] says when that is over. `Type=notify-reload` wants the time with it.
    pub fn reloading(&mut self) {
        let now = NotifyState::monotonic_usec_now();
        match now {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => {
                self.error = Some(format!("the service manager cannot be told of a reload: {error}"))
            }
        }
    }

    /// It writes what is to be written, and ends.
    pub fn stopping(&mut self) {
        self.tell(&[NotifyState::Stopping]);
    }

    /// One line for people who ask the manager.
    pub fn status(&mut self, status: &str) {
        self.tell(&[NotifyState::Status(&one_line(status))]);
    }

    /// It lives. To be called by whoever sees that receivers and comparator go on, not by a thread of its own.
    pub fn alive(&mut self) {
        if self.watchdog.is_some() {
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    fn tell(&mut self, states: &[NotifyState<'_>]) {
        let told = sd_notify::notify(states);
        self.error = told.err().map(|error| format!("the service manager cannot be told: {error}"));
    }
}

/// A status must not bring other assignments with it.
fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
