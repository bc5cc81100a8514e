//! `/metrics` and `/healthz`: a small HTTP/1.1 server for GET and HEAD, on the poll of the thread that calls it.
//!
//! It reads what it is told of the daemon and changes nothing. Requests, connections and waits are bounded, whoever is
//! at the other end; it has no TLS and no passwords, so it listens on loopback unless told otherwise.

mod health;
mod http;
mod metrics;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::event::Source;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};

use crate::run::status::Status;

pub use health::{AGE_MAX, Health, health};
pub use http::{Answer, Parsed, REQUEST_MAX, Request, answer, parse};
pub use metrics::{metrics, older};

/// Connections at a time. One more closes the one that has been quiet for longest.
pub const CONNECTIONS_MAX: usize = 32;
/// Tokens that the server uses, from the base that it is given.
pub const TOKENS: usize = 1 + CONNECTIONS_MAX;
/// How long a request may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may be kept without a request: longer than the usual minute between scrapes.
const IDLE: Duration = Duration::from_secs(150);
/// Connections accepted on one event; the rest at the next call.
const ACCEPTS: usize = 64;

/// Where pages come from.
pub trait Page {
    /// The daemon as it is now.
    fn status(&mut self) -> &Status;
}

impl Page for Status {
    fn status(&mut self) -> &Status {
        self
    }
}

/// The server.
#[derive(Debug)]
pub struct Web {
    listener: TcpListener,
    base: usize,
    connections: Vec<Option<Connection>>,
    /// The listener said that somebody waits, and not all were let in.
    more: bool,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// What was read and not yet answered.
    read: Vec<u8>,
    /// What is to be written, and how much of it has been.
    write: Vec<u8>,
    written: usize,
    /// No further request will be read.
    last: bool,
    /// When it last got anywhere.
    since: Instant,
}

impl Web {
    /// Listens.
    ///
    /// # Errors
    /// The address is not ours or is in use.
    pub fn open(address: SocketAddr) -> io::Result<Web> {
        let listener = TcpListener::bind(address)?;
        let connections = (0..CONNECTIONS_MAX).map(|_| None).collect();
        Ok(Web { listener, base: 0, connections, more: false })
    }

    /// The address, with the port that a port of 0 became.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Joins a poll with the tokens from `base` to `base + TOKENS - 1`. To be called once, before any event.
    ///
    /// # Errors
    /// The poll refuses.
    pub fn register(&mut self, registry: &Registry, base: usize) -> io::Result<()> {
        self.base = base;
        self.listener.register(registry, Token(base), Interest::READABLE)
    }

    /// Whether an event is for the server.
    pub fn owns(&self, token: Token) -> bool {
        (self.base..self.base.saturating_add(TOKENS)).contains(&token.0)
    }

    /// Something happened to one of its sockets. Never waits.
    pub fn on_event(&mut self, registry: &Registry, token: Token, now: Instant, page: &mut dyn Page) {
        match token.0.checked_sub(self.base) {
            Some(0) => self.accept(registry, now, page),
            Some(n) if n <= CONNECTIONS_MAX => self.serve(n - 1, now, page),
            _ => {}
        }
    }

    /// Closes what has been quiet for too long, lets in who still waits. To be called every second or so.
    pub fn tend(&mut self, registry: &Registry, now: Instant, page: &mut dyn Page) {
        for slot in &mut self.connections {
            if slot.as_ref().is_some_and(|c| now.saturating_duration_since(c.since) > c.patience()) {
                *slot = None;
            }
        }
        if self.more {
            self.accept(registry, now, page);
        }
    }

    fn accept(&mut self, registry: &Registry, now: Instant, page: &mut dyn Page) {
        self.more = true;
        for _ in 0..ACCEPTS {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let slot = self.free_slot();
                    if let Some(connection) = Connection::new(stream, registry, self.base + 1 + slot, now) {
                        if let Some(place) = self.connections.get_mut(slot) {
                            *place = Some(connection);
                        }
                        self.serve(slot, now, page);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.more = false;
                    return;
                }
                // One that was gone before it was let in; or no more file descriptors, which may pass.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return,
            }
        }
    }

    /// A free slot; the longest quiet one is closed for it.
    fn free_slot(&mut self) -> usize {
        let age = |c: &Option<Connection>| c.as_ref().map(|c| c.since);
        let slot = (0..self.connections.len()).min_by_key(|n| self.connections.get(*n).and_then(age));
        let slot = slot.unwrap_or(0);
        if let Some(place) = self.connections.get_mut(slot) {
            *place = None;
        }
        slot
    }

    fn serve(&mut self, slot: usize, now: Instant, page: &mut dyn Page) {
        let Some(place) = self.connections.get_mut(slot) else { return };
        if let Some(connection) = place
            && !connection.serve(now, page)
        {
            *place = None;
        }
    }
}

impl Connection {
    fn new(mut stream: TcpStream, registry: &Registry, token: usize, now: Instant) -> Option<Connection> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        stream.register(registry, Token(token), interest).ok()?;
        let _ = stream.set_nodelay(true);
        Some(Connection { stream, read: Vec::new(), write: Vec::new(), written: 0, last: false, since: now })
    }

    fn patience(&self) -> Duration {
        if self.read.is_empty() && self.write.is_empty() { IDLE } else { PATIENCE }
    }

    /// Reads, answers and writes as far as it goes; false when the connection is over.
    fn serve(&mut self, now: Instant, page: &mut dyn Page) -> bool {
        loop {
            if !self.flush(now) {
                return false;
            }
            if !self.write.is_empty() {
                return true;
            }
            if self.last {
                return false;
            }
            match http::answer(&self.read, page) {
                Some(answer) => {
                    self.read.drain(..answer.taken.min(self.read.len()));
                    self.last = answer.last;
                    self.write = answer.bytes;
                    self.written = 0;
                    self.since = now;
                }
                None => match self.fill(now) {
                    Filled::More => {}
                    Filled::Waiting => return true,
                    Filled::End => return false,
                },
            }
        }
    }

    /// Writes what waits; false when the other end is gone.
    fn flush(&mut self, now: Instant) -> bool {
        while let Some(rest) = self.write.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(0) => return false,
                Ok(n) => {
                    self.written += n;
                    self.since = now;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        self.write = Vec::new();
        true
    }

    fn fill(&mut self, now: Instant) -> Filled {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Filled::End,
            Ok(n) => {
                // A request has its time from its first byte: one byte a second is no way to stay.
                if self.read.is_empty() {
                    self.since = now;
                }
                self.read.extend_from_slice(buffer.get(..n).unwrap_or_default());
                Filled::More
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Filled::Waiting,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Filled::More,
            Err(_) => Filled::End,
        }
    }
}

enum Filled {
    More,
    Waiting,
    End,
}
