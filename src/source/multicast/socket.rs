//! One line's socket: made, bound, joined, left.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::plan::{Interface, LinePlan, OpenError, Options};
use super::system::{self, InterfaceState};

/// A line's group, known to be IPv4 multicast.
pub(super) fn group(plan: &LinePlan) -> Result<Ipv4Addr, OpenError> {
    let line = || plan.name.clone();
    let group = match plan.group {
        SocketAddr::V6(_) => return Err(OpenError::Ipv6 { line: line(), group: plan.group }),
        SocketAddr::V4(group) if !group.ip().is_multicast() || group.port() == 0 => {
            return Err(OpenError::Group { line: line(), group: plan.group });
        }
        SocketAddr::V4(group) => *group.ip(),
    };
    let Some(sender) = plan.sender else { return Ok(group) };
    if sender.is_multicast() || sender.is_unspecified() || sender.is_broadcast() {
        return Err(OpenError::Sender { line: line(), sender });
    }
    if plan.interface == Interface::Any {
        return Err(OpenError::SenderWithoutInterface { line: line(), sender });
    }
    Ok(group)
}

/// The interface of a plan among those that are there; `Any` has none of its own.
pub(super) fn find<'a>(interface: &Interface, present: &'a [InterfaceState]) -> Option<&'a InterfaceState> {
    match interface {
        Interface::Any => None,
        Interface::Name(name) => present.iter().find(|i| i.name == *name && i.index != 0),
        Interface::Address(address) => {
            let with = present.iter().find(|i| i.addresses.contains(address))?;
            // An alias (eth0:1) is listed under its own label, and its interface under the name before the colon.
            let base = with.name.split(':').next().unwrap_or_default();
            present.iter().find(|i| i.name == base && i.index != 0)
        }
    }
}

/// The index to join on, 0 for the kernel's choice.
pub(super) fn index(plan: &LinePlan, present: &[InterfaceState]) -> Result<u32, OpenError> {
    let what = match plan.interface {
        Interface::Any => return Ok(0),
        Interface::Address(_) => "address",
        Interface::Name(_) => "name",
    };
    find(&plan.interface, present).map(|i| i.index).ok_or_else(|| OpenError::Interface {
        line: plan.name.clone(),
        what,
        interface: plan.interface.clone(),
        present: listed(present),
    })
}

fn listed(present: &[InterfaceState]) -> String {
    let one = |interface: &InterfaceState| {
        let addresses: Vec<_> = interface.addresses.iter().map(ToString::to_string).collect();
        let addresses = if addresses.is_empty() { "no address".to_owned() } else { addresses.join(", ") };
        format!("{} ({addresses})", interface.name)
    };
    let all: Vec<_> = present.iter().map(one).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// Makes a socket that hears its group alone, not joined yet.
pub(super) fn open(plan: &LinePlan, options: &Options) -> Result<Socket, OpenError> {
    let failed = |action, remedy| {
        move |source| OpenError::System { line: plan.name.clone(), group: plan.group, action, source, remedy }
    };
    let setting = || failed("set up a socket for", "a Linux kernel of 4.12 or later should allow it");
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))
        .map_err(failed("make a socket for", "raise the limit of open files (ulimit -n, LimitNOFILE)"))?;
    socket.set_nonblocking(true).map_err(setting())?;
    // Other programs may listen to the group too, and another line may have it on another interface.
    socket.set_reuse_address(true).map_err(setting())?;
    // Without this, a socket gets what any socket of the machine joined: line B's datagrams on line A.
    socket.set_multicast_all_v4(false).map_err(setting())?;
    for name in [libc::SO_TIMESTAMPNS, libc::SO_RXQ_OVFL] {
        system::set_number(socket.as_fd(), libc::SOL_SOCKET, name, 1).map_err(setting())?;
    }
    size_buffer(&socket, options.receive_buffer).map_err(setting())?;
    socket
        .bind(&plan.group.into())
        .map_err(failed("bind to", "another program may hold the port without sharing it (SO_REUSEADDR)"))?;
    Ok(socket)
}

/// Asks for a receive buffer, beyond the system's limit where that is allowed.
fn size_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    let wanted = i32::try_from(bytes).unwrap_or(i32::MAX).min(i32::MAX / 2);
    system::set_number(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, wanted)
        .or_else(|_| system::set_number(socket.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, wanted))
}

/// The receive buffer granted, as it was asked for: the kernel tells twice as much, which counts its own overhead.
pub(super) fn buffer(socket: &Socket) -> io::Result<u64> {
    Ok(socket.recv_buffer_size()? as u64 / 2)
}

/// Joins the group on the interface of this index.
pub(super) fn join(socket: &Socket, group: Ipv4Addr, sender: Option<Ipv4Addr>, index: u32) -> io::Result<()> {
    match sender {
        None => socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index)),
        Some(sender) => system::join_source(socket.as_fd(), index, group, sender),
    }
}

/// Leaves the group on that interface, with whatever senders were joined there; also when the interface is gone.
pub(super) fn leave(socket: &Socket, group: Ipv4Addr, index: u32) -> io::Result<()> {
    socket.leave_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index))
}
