//! Sends datagrams to multicast groups: one socket per line, always through a named interface.
//!
//! It sends when it is told and what it is given; when that is due, and what becomes of the day when the network
//! refuses, is decided by its caller. It never waits: a full buffer is an answer.

use std::ffi::CStr;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};

/// What became of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The kernel has taken it.
    Sent,
    /// A buffer is full: it may be tried again.
    Full,
    /// It was refused, for the reason named.
    Refused(&'static str),
}

/// How to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendOptions {
    /// An address of the interface on which the datagrams leave, and their source address.
    pub interface: Ipv4Addr,
    /// Time to live: 0 stays on this host, 1 on this network.
    pub ttl: u8,
    /// Bytes that the kernel may hold back for each line.
    pub buffer: usize,
}

/// Sockets, one per line.
#[derive(Debug)]
pub struct MulticastSender {
    sockets: Vec<Socket>,
}

fn open(group: SocketAddrV4, options: &SendOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // Without it the kernel would choose, and send onto a real network.
    socket.set_multicast_if_v4(&options.interface)?;
    socket.set_multicast_ttl_v4(u32::from(options.ttl))?;
    socket.set_multicast_loop_v4(true)?;
    socket.set_send_buffer_size(options.buffer)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddrV4::new(options.interface, 0).into())?;
    // A connected socket asks for its route once, not for every datagram.
    socket.connect(&group.into())?;
    Ok(socket)
}

impl MulticastSender {
    /// Opens a socket for each group.
    ///
    /// # Errors
    /// A group that is no multicast address, or what the system refuses, with the group.
    pub fn open(groups: &[SocketAddrV4], options: &SendOptions) -> io::Result<MulticastSender> {
        let one = |group: &SocketAddrV4| {
            if !group.ip().is_multicast() {
                return Err(io::Error::other(format!("{group} is no multicast group")));
            }
            open(*group, options).map_err(|error| {
                let said = format!("{group} through {}: {error}", options.interface);
                io::Error::new(error.kind(), said)
            })
        };
        Ok(MulticastSender { sockets: groups.iter().map(one).collect::<io::Result<_>>()? })
    }

    /// Sends a datagram on the line at that position.
    #[inline]
    pub fn send(&self, line: usize, payload: &[u8]) -> Attempt {
        let Some(socket) = self.sockets.get(line) else { return Attempt::Refused("no_such_line") };
        match socket.send(payload) {
            Ok(_) => Attempt::Sent,
            Err(error) => refusal(&error),
        }
    }
}

fn refusal(error: &io::Error) -> Attempt {
    if error.kind() == io::ErrorKind::WouldBlock {
        return Attempt::Full;
    }
    match error.raw_os_error() {
        Some(libc::ENOBUFS | libc::ENOMEM | libc::EINTR) => Attempt::Full,
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH) => Attempt::Refused("unreachable"),
        Some(libc::ENETDOWN) => Attempt::Refused("network_down"),
        Some(libc::ENODEV | libc::EADDRNOTAVAIL) => Attempt::Refused("no_interface"),
        Some(libc::EMSGSIZE) => Attempt::Refused("too_long"),
        Some(libc::EPERM | libc::EACCES) => Attempt::Refused("not_permitted"),
        Some(libc::ECONNREFUSED) => Attempt::Refused("refused_by_peer"),
        _ => Attempt::Refused("other"),
    }
}

/// The IPv4 address that `text` means: an address itself, or the first one of the interface of that name.
///
/// # Errors
/// When the interfaces cannot be listed, or none of them has that name and an IPv4 address.
#[allow(unsafe_code, reason = "the C library's list of interfaces")]
pub fn interface_address(text: &str) -> io::Result<Ipv4Addr> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: getifaddrs writes one pointer to where it is told; it is freed below, once, and not used after.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let (mut at, mut found) = (first, None);
    // SAFETY: the list ends with a null pointer and stays as it is until it is freed.
    while let Some(entry) = unsafe { at.as_ref() } {
        at = entry.ifa_next;
        // SAFETY: every entry has a name that ends with a zero byte.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) };
        // SAFETY: where there is an address, its family is the first thing that it says.
        let family = unsafe { entry.ifa_addr.as_ref() }.map(|address| i32::from(address.sa_family));
        if name.to_bytes() == text.as_bytes() && family == Some(libc::AF_INET) {
            // SAFETY: an address of this family is a sockaddr_in, aligned for one by the C library.
            let address = unsafe { entry.ifa_addr.cast::<libc::sockaddr_in>().read_unaligned() };
            found = Some(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)));
            break;
        }
    }
    // SAFETY: the list is the one that getifaddrs made, and no reference into it is left.
    unsafe { libc::freeifaddrs(first) };
    found.ok_or_else(|| io::Error::other(format!("no interface is called {text} and has an IPv4 address")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_an_address_or_a_name() {
        assert_eq!(interface_address("10.1.0.5").unwrap(), Ipv4Addr::new(10, 1, 0, 5));
        assert_eq!(interface_address("lo").unwrap(), Ipv4Addr::LOCALHOST);
        let error = interface_address("nowhere0").unwrap_err().to_string();
        assert_eq!(error, "no interface is called nowhere0 and has an IPv4 address");
    }

    #[test]
    fn only_groups_are_sent_to_and_refusals_have_names() {
        let options = SendOptions { interface: Ipv4Addr::LOCALHOST, ttl: 0, buffer: 1 << 16 };
        let error = MulticastSender::open(&["10.0.0.1:5".parse().unwrap()], &options).unwrap_err();
        assert_eq!(error.to_string(), "10.0.0.1:5 is no multicast group");
        let sender = MulticastSender::open(&["239.77.1.1:41999".parse().unwrap()], &options).unwrap();
        assert_eq!(sender.send(0, &[0; 100]), Attempt::Sent);
        assert_eq!(sender.send(1, b"x"), Attempt::Refused("no_such_line"));
        assert_eq!(sender.send(0, &[0; 70_000]), Attempt::Refused("too_long"));
        let elsewhere = SendOptions { interface: Ipv4Addr::new(192, 0, 2, 77), ..options };
        assert!(MulticastSender::open(&["239.77.1.1:41999".parse().unwrap()], &elsewhere).is_err());
        let full = io::Error::from_raw_os_error(libc::ENOBUFS);
        assert_eq!(refusal(&full), Attempt::Full);
    }
}
