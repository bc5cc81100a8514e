//! Syslog over UDP (RFC 5426) or a Unix datagram socket, never waiting for either.
//!
//! A socket that would block, is not there or cannot be named yet leaves the messages in a bounded queue; the oldest
//! goes first when it is full. UDP promises nothing: delivered means that the kernel took it.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use super::rfc5424::{self, Speaker};
use super::{Notice, Outlet};
use crate::run::status::OutletStatus;

/// Messages that wait at most.
const QUEUE_MAX: usize = 1024;
/// After a failure to open, how long until it is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Where syslog listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogTarget {
    /// `udp:host:port`; a missing port is 514.
    Udp(String),
    /// `unix:/dev/log`.
    Unix(PathBuf),
}

impl SyslogTarget {
    /// Reads `udp:host:port` or `unix:path`.
    ///
    /// # Errors
    /// The sentence says what would be right.
    pub fn parse(text: &str) -> Result<SyslogTarget, String> {
        let wrong = || format!("{text:?} is no syslog: write \"udp:host:514\" or \"unix:/dev/log\"");
        match text.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Ok(SyslogTarget::Unix(path.into())),
            Some(("udp", host)) if !host.is_empty() => {
                let bare = host.parse::<Ipv6Addr>().is_ok();
                let port =
                    host.rsplit_once(':').filter(|(h, _)| !bare && !(h.starts_with('[') ^ h.ends_with(']')));
                match port {
                    Some(("", _)) => Err(wrong()),
                    Some((_, port)) => {
                        port.parse::<u16>().map(|_| SyslogTarget::Udp(host.into())).map_err(|_| wrong())
                    }
                    None if bare => Ok(SyslogTarget::Udp(format!("[{host}]:514"))),
                    None => Ok(SyslogTarget::Udp(format!("{host}:514"))),
                }
            }
            _ => Err(wrong()),
        }
    }
}

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

impl Socket {
    fn udp(address: SocketAddr) -> io::Result<Socket> {
        let any = match address {
            SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(address)?;
        socket.set_nonblocking(true)?;
        Ok(Socket::Udp(socket))
    }

    fn unix(path: &PathBuf) -> io::Result<Socket> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        socket.set_nonblocking(true)?;
        Ok(Socket::Unix(socket))
    }

    fn send(&self, message: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Udp(socket) => socket.send(message),
            Socket::Unix(socket) => socket.send(message),
        }
    }
}

/// The outlet.
#[derive(Debug)]
pub struct Syslog {
    target: SyslogTarget,
    speaker: Speaker,
    socket: Option<Socket>,
    /// A name being looked up on a thread of its own: that can take half a minute.
    lookup: Option<Receiver<io::Result<SocketAddr>>>,
    open_after: Option<Instant>,
    queue: VecDeque<Vec<u8>>,
    status: OutletStatus,
}

impl Syslog {
    /// Opens it, as far as that can be done at once; the rest is for [`tend`](Outlet::tend).
    pub fn open(target: SyslogTarget) -> Syslog {
        let status = OutletStatus { name: "syslog".into(), ..OutletStatus::default() };
        let mut syslog = Syslog {
            target,
            speaker: Speaker::here(),
            socket: None,
            lookup: None,
            open_after: None,
            queue: VecDeque::new(),
            status,
        };
        syslog.connect();
        syslog
    }

    fn connect(&mut self) {
        let opened = match &self.target {
            SyslogTarget::Unix(path) => Some(Socket::unix(path)),
            SyslogTarget::Udp(name) => match name.parse::<SocketAddr>() {
                Ok(address) => Some(Socket::udp(address)),
                Err(_) => self.looked_up().map(|found| found.and_then(Socket::udp)),
            },
        };
        match opened {
            None => {}
            Some(Ok(socket)) => self.socket = Some(socket),
            Some(Err(error)) => self.failed(&error),
        }
    }

    /// The address, once it is known; starts the search if none is under way.
    fn looked_up(&mut self) -> Option<io::Result<SocketAddr>> {
        let SyslogTarget::Udp(name) = &self.target else { return None };
        let Some(lookup) = &self.lookup else {
            let (found, lookup) = bounded(1);
            let name = name.clone();
            let search = move || {
                let address = name.to_socket_addrs().and_then(|mut all| {
                    all.next()
                        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
                });
                let _ = found.send(address);
            };
            return match thread::Builder::new().name("syslog-name".into()).spawn(search) {
                Ok(_) => {
                    self.lookup = Some(lookup);
                    None
                }
                Err(error) => Some(Err(error)),
            };
        };
        let found = match lookup.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(io::ErrorKind::Other.into()),
            Ok(found) => found,
        };
        self.lookup = None;
        Some(found)
    }

    fn failed(&mut self, error: &io::Error) {
        let place = match &self.target {
            SyslogTarget::Udp(name) => format!("udp:{name}"),
            SyslogTarget::Unix(path) => format!("unix:{}", path.display()),
        };
        self.status.failures += 1;
        self.status.error = format!("{place}: {error}");
    }

    /// Sends what waits until something stops it.
    fn flush(&mut self) {
        // One more try for a UDP socket: its error is about a datagram that went before.
        let mut tries = 2;
        while let (Some(socket), Some(message)) = (&self.socket, self.queue.front()) {
            match socket.send(message) {
                Ok(_) => {
                    self.queue.pop_front();
                    self.status.delivered += 1;
                    if tries == 2 {
                        self.status.error.clear();
                    }
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => self.failed(&error),
            }
            tries -= 1;
            if tries == 0 {
                self.socket = None;
            }
        }
    }
}

impl Outlet for Syslog {
    fn offer(&mut self, notice: &Notice) {
        let mut message = Vec::with_capacity(512);
        rfc5424::write(&mut message, &self.speaker, notice);
        if self.queue.len() >= QUEUE_MAX {
            self.queue.pop_front();
            self.status.dropped += 1;
        }
        self.queue.push_back(message);
        self.flush();
    }

    fn tend(&mut self, now: Instant) {
        if self.socket.is_none() {
            match self.open_after {
                // Searches are waited for; everything else gets a pause after it failed.
                Some(after) if now < after && self.lookup.is_none() => return,
                _ => self.connect(),
            }
            self.open_after = now.checked_add(RETRY);
        }
        self.flush();
    }

    fn status(&self) -> OutletStatus {
        OutletStatus { queued: self.queue.len() as u64, ..self.status.clone() }
    }

    fn reopen(&mut self) {
        self.socket = None;
        self.connect();
    }

    fn close(&mut self, _: Instant) {
        self.flush();
        self.status.dropped += self.queue.len() as u64;
        self.queue.clear();
        self.socket = None;
    }
}
