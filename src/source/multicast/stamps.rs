//! Waits until the kernel stamps what arrives.
//!
//! The first socket of a machine that asks for timestamps turns stamping on, but the kernel does so a little later, on
//! a worker of its own (net/core/dev.c, `net_enable_timestamp`). What arrives until then is stamped when it is
//! *taken* (net/socket.c, `__sock_recv_timestamp`) and nothing tells it from a true stamp: a backlog would all bear
//! the time at which it was drained. So lines are joined only when a datagram sent to ourselves bears a time before
//! it was taken.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::super::clock;
use super::batch::Batch;
use super::system;

/// How long the kernel is given: it takes milliseconds, more on a machine whose workers are kept waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// Turns stamping on and waits until it works. While the socket that it gives lives, it stays on.
///
/// # Errors
/// When there is no loopback to try it on, or it did not work in time: stamps may then be late at the start.
pub(super) fn turn_on() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    system::set_number(socket.as_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
    let own = socket.local_addr()?;
    // Nobody else's datagrams.
    socket.connect(&own)?;
    let mut batch = Batch::new(8, 8);
    let start = clock::monotonic_now();
    while clock::monotonic_now().saturating_duration_since(start) < PATIENCE {
        // What is sent to ourselves is stamped within this call.
        socket.send(b"stamp")?;
        let sent_ns = clock::wall_now_ns();
        // Enough for a stamp that is made on taking it to be later, however coarse the clock.
        clock::sleep_ns(100_000);
        batch.receive(socket.as_fd())?;
        if batch.heads().last().and_then(|head| head.stamp_ns).is_some_and(|ns| ns <= sent_ns) {
            return Ok(socket);
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the kernel does not stamp datagrams as they arrive"))
}
