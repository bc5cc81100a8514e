//! Namespaces, senders and receivers for tests of real multicast.
#![allow(unsafe_code, reason = "a network namespace of a test's own has no safe interface")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::process::{Command, Stdio};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::super::super::{Lost, clock};
use super::super::{Interface, LineHealth, LinePlan, Options, Receiver};

/// How long a test may wait for what must come; on a busy machine it still takes far less.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A receive buffer that Linux grants anyone as it comes (`net.core.rmem_max` is 212,992 where nobody set it), with
/// room for more than any test lets wait.
pub(super) const BUFFER: usize = 200_000;

/// Runs a test on a thread of its own in a network namespace of its own, where `lo` is up and nothing else is. Where
/// none can be made, says so loudly and passes.
pub(super) fn in_namespace(name: &str, test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        // SAFETY: the call takes flags alone; only this thread moves to the new namespace.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return Err(io::Error::last_os_error());
        }
        up("lo")?;
        test();
        Ok(())
    });
    match thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("SKIPPED {name}: no network namespace can be made: {error}"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Starts a thread in the namespace of this one: threads inherit it.
pub(super) fn with_namespace(work: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(work)
}

/// Keeps this thread on one core: what it sends on `lo` is then delivered in its order.
pub(super) fn stay() {
    let core = core_affinity::get_core_ids().and_then(|ids| ids.first().copied()).expect("there is a core");
    super::super::super::cores::pin(core.id).expect("it may run there");
}

/// Waits until all that this thread sent lies in the sockets: on a busy machine the kernel delivers later than `send`
/// returns, but on one core in order, so that the last to be sent is the last to be there. See [`stay`].
pub(super) fn at_rest() {
    let last = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    last.set_read_timeout(Some(DEADLINE)).expect("a setting");
    last.send_to(b"last", last.local_addr().expect("an address")).expect("it can be sent");
    last.recv(&mut [0; 8]).expect("what was sent arrives");
}

/// Sets an interface up without any tool.
fn up(name: &str) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    // SAFETY: a request of zeroes is a value of this plain type.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request names an interface and its flags and lives over the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Runs `ip` with these arguments in the namespace of this thread; false where there is no such tool.
pub(super) fn ip(arguments: &str) -> bool {
    let words = arguments.split_whitespace();
    match Command::new("ip").args(words).stdin(Stdio::null()).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "ip {arguments}: {said}");
            true
        }
        Err(error) => {
            eprintln!("SKIPPED: there is no `ip` to make interfaces with: {error}");
            false
        }
    }
}

/// A cable in the namespace of this thread: what is sent on `{name}s` (10.`net`.0.1) comes in on `{name}r`
/// (10.`net`.0.2). False where it cannot be made.
pub(super) fn cable(name: &str, net: u8) -> bool {
    let settings = [
        ("all", "accept_local", "1"),
        ("all", "rp_filter", "0"),
        ("default", "rp_filter", "0"),
        ("default", "accept_local", "1"),
    ];
    for (scope, setting, value) in settings {
        let path = format!("/proc/sys/net/ipv4/conf/{scope}/{setting}");
        if let Err(error) = std::fs::write(&path, value) {
            eprintln!("SKIPPED: {path} cannot be written: {error}");
            return false;
        }
    }
    ip(&format!("link add {name}s type veth peer name {name}r"))
        && ip(&format!("addr add 10.{net}.0.1/24 dev {name}s"))
        && ip(&format!("addr add 10.{net}.0.2/24 dev {name}r"))
        && ip(&format!("link set dev {name}s up"))
        && ip(&format!("link set dev {name}r up"))
        && carries(name, net)
}

/// Sends until something comes through: a new cable drops what it is given until a worker of the kernel has seen its
/// carrier, and nothing tells when.
fn carries(name: &str, net: u8) -> bool {
    let probe = group(250, 39_999);
    let mut receiver = receiver(&[line("probe", probe, &format!("{name}r"))], &options());
    let sender = Sender::new(Ipv4Addr::new(10, net, 0, 1));
    let came = until(&mut receiver, |kept| {
        sender.send(probe, b"probe");
        !kept.is_empty()
    });
    !came.is_empty()
}

pub(super) fn group(last: u8, port: u16) -> SocketAddr {
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(239, 77, 1, last), port))
}

pub(super) fn line(name: &str, group: SocketAddr, interface: &str) -> LinePlan {
    LinePlan { name: name.to_owned(), group, interface: Interface::parse(Some(interface)), sender: None }
}

pub(super) fn options() -> Options {
    Options { receive_buffer: BUFFER, ..Options::default() }
}

pub(super) fn receiver(lines: &[LinePlan], options: &Options) -> Receiver {
    Receiver::open(lines, options).expect("the lines can be opened")
}

/// Sends to groups by the interface with this address, from it.
pub(super) struct Sender(Socket);

impl Sender {
    pub(super) fn new(address: Ipv4Addr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP)).expect("a socket");
        socket.bind(&SocketAddrV4::new(address, 0).into()).expect("the address is there");
        // 127.0.0.2 and its like are no address of an interface by name; they leave by that of 127.0.0.1.
        let leaves = if address.is_loopback() { Ipv4Addr::LOCALHOST } else { address };
        socket.set_multicast_if_v4(&leaves).expect("the interface is there");
        socket.set_multicast_loop_v4(address.is_loopback()).expect("a setting");
        Self(socket)
    }

    pub(super) fn local() -> Self {
        Self::new(Ipv4Addr::LOCALHOST)
    }

    pub(super) fn send(&self, to: SocketAddr, payload: &[u8]) {
        // The sender's own buffer may be full for a moment on a cable; a blocking socket waits for it.
        let sent = self.0.send_to(payload, &to.into()).expect("it can be sent");
        assert_eq!(sent, payload.len());
    }

    pub(super) fn source(&self) -> SocketAddr {
        self.0.local_addr().ok().and_then(|a| a.as_socket()).expect("it has an address")
    }
}

impl Sender {
    /// The address that the sender of the cable `10.{line + 1}` was bound to.
    pub(super) fn source_on(&self, line: usize) -> SocketAddr {
        let source = self.source();
        assert_eq!(source.ip(), Ipv4Addr::new(10, line as u8 + 1, 0, 1));
        source
    }
}

/// Asks until there is something to say, or the deadline is over.
pub(super) fn eventually<T>(mut ask: impl FnMut() -> Vec<T>) -> Vec<T> {
    let start = clock::monotonic_now();
    loop {
        let said = ask();
        if !said.is_empty() {
            return said;
        }
        assert!(clock::monotonic_now().saturating_duration_since(start) < DEADLINE, "nothing happened");
        std::thread::yield_now();
    }
}

/// Polls and tends until the lines' health is as it must be.
pub(super) fn settled(receiver: &mut Receiver, done: impl Fn(&[LineHealth]) -> bool) -> Vec<Kept> {
    let (start, mut kept) = (clock::monotonic_now(), Vec::new());
    loop {
        take(receiver, &mut kept);
        receiver.tend(1);
        if done(&receiver.lines()) {
            return kept;
        }
        let waited = clock::monotonic_now().saturating_duration_since(start);
        assert!(waited < DEADLINE, "it did not come to rest: {:?}", receiver.lines());
        std::thread::yield_now();
    }
}

/// What was received, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) line: usize,
    pub(super) ts_recv_ns: u64,
    pub(super) payload: Vec<u8>,
    pub(super) wire_len: u32,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) lost: Lost,
}

impl Kept {
    /// Line and text, for whole sequences to be compared.
    pub(super) fn said(&self) -> (usize, String) {
        (self.line, String::from_utf8_lossy(&self.payload).into_owned())
    }
}

/// Polls until `enough`, or panics with what there is.
pub(super) fn until(receiver: &mut Receiver, mut enough: impl FnMut(&[Kept]) -> bool) -> Vec<Kept> {
    let (start, mut kept) = (clock::monotonic_now(), Vec::new());
    while !enough(&kept) {
        let waited = clock::monotonic_now().saturating_duration_since(start);
        assert!(waited < DEADLINE, "only {} came: {:?}", kept.len(), receiver.health());
        if take(receiver, &mut kept) == 0 {
            std::thread::yield_now();
        }
    }
    kept
}

/// Polls until so many have come.
pub(super) fn receive(receiver: &mut Receiver, count: usize) -> Vec<Kept> {
    until(receiver, |kept| kept.len() >= count)
}

/// Polls once.
pub(super) fn take(receiver: &mut Receiver, kept: &mut Vec<Kept>) -> usize {
    receiver.poll(&mut |received| {
        kept.push(Kept {
            line: received.line,
            ts_recv_ns: received.ts_recv_ns,
            payload: received.payload.to_vec(),
            wire_len: received.wire_len,
            source: received.source,
            destination: received.destination,
            lost: received.lost,
        });
    })
}

/// Lines and texts of what was received.
pub(super) fn said(kept: &[Kept]) -> Vec<(usize, String)> {
    kept.iter().map(Kept::said).collect()
}
