//! Calls to the system that `socket2` does not have, each behind a safe function.

#![allow(unsafe_code, reason = "the system's interface to sockets is one of pointers")]

use std::ffi::CStr;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, c_void, socklen_t};

/// Sets an option whose value is a whole number.
pub(super) fn set_number(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    set(socket, level, name, &value)
}

/// Joins `group` for datagrams of `source` alone, on the interface of this index.
pub(super) fn join_source(
    socket: BorrowedFd<'_>,
    index: u32,
    group: Ipv4Addr,
    source: Ipv4Addr,
) -> io::Result<()> {
    let request = libc::group_source_req {
        gsr_interface: index,
        gsr_group: storage(group),
        gsr_source: storage(source),
    };
    set(socket, libc::IPPROTO_IP, libc::MCAST_JOIN_SOURCE_GROUP, &request)
}

fn set<T>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let value = std::ptr::from_ref(value).cast::<c_void>();
    // SAFETY: `value` points to a live `T` whose size is given, and the kernel only reads it.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, size_of::<T>() as socklen_t) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn storage(address: Ipv4Addr) -> libc::sockaddr_storage {
    let mut storage = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    // SAFETY: a sockaddr_storage is at least as large and as aligned as a sockaddr_in, and all its bytes may be zero.
    unsafe {
        let inner = &mut *storage.as_mut_ptr().cast::<libc::sockaddr_in>();
        inner.sin_family = libc::AF_INET as libc::sa_family_t;
        inner.sin_addr.s_addr = u32::from(address).to_be();
        storage.assume_init()
    }
}

/// Datagrams that the kernel dropped for this socket since it was made, modulo 2^32 (`SO_MEMINFO`, Linux 4.12):
/// the same count as `SO_RXQ_OVFL` brings, but up to now.
pub(super) fn socket_drops(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut words = [0_u32; 16];
    let mut length = size_of::<[u32; 16]>() as socklen_t;
    // SAFETY: `words` has room for `length` bytes, and the kernel writes at most so many and says how many.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            words.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let drops = libc::SK_MEMINFO_DROPS as usize;
    if (length as usize) < (drops + 1) * size_of::<u32>() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "the kernel does not tell a socket's drops"));
    }
    Ok(words[drops])
}

/// An interface as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct InterfaceState {
    pub(super) name: String,
    pub(super) index: u32,
    /// Set up, and with a carrier.
    pub(super) running: bool,
    pub(super) addresses: Vec<Ipv4Addr>,
}

/// Frees what `getifaddrs` made.
struct Listed(*mut libc::ifaddrs);

impl Drop for Listed {
    fn drop(&mut self) {
        // SAFETY: the list came from getifaddrs, is freed once, and nothing borrowed from it outlives `Listed`.
        unsafe { libc::freeifaddrs(self.0) }
    }
}

/// The machine's interfaces, as this thread's network namespace has them.
pub(super) fn interfaces() -> io::Result<Vec<InterfaceState>> {
    let mut first = std::ptr::null_mut();
    // SAFETY: getifaddrs writes one pointer to where it is told.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let list = Listed(first);
    let mut found: Vec<InterfaceState> = Vec::new();
    let mut next = list.0;
    // SAFETY: each element is null or lives as long as `list`.
    while let Some(entry) = unsafe { next.as_ref() } {
        next = entry.ifa_next;
        // SAFETY: ifa_name is a string with its end, and lives as long as `list`.
        let label = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy().into_owned();
        let at = found.iter().position(|i| i.name == label).unwrap_or_else(|| {
            found.push(InterfaceState { name: label, ..InterfaceState::default() });
            found.len() - 1
        });
        let up = (libc::IFF_UP | libc::IFF_RUNNING) as u32;
        found[at].running = entry.ifa_flags & up == up;
        // SAFETY: ifa_addr is null or a socket address of its family, which lives as long as `list`.
        match unsafe { entry.ifa_addr.as_ref() }.map(|a| c_int::from(a.sa_family)) {
            Some(libc::AF_PACKET) => {
                // SAFETY: an address of AF_PACKET is a sockaddr_ll; it is copied whatever its alignment.
                let link = unsafe { entry.ifa_addr.cast::<libc::sockaddr_ll>().read_unaligned() };
                found[at].index = link.sll_ifindex as u32;
            }
            Some(libc::AF_INET) => {
                // SAFETY: an address of AF_INET is a sockaddr_in; it is copied whatever its alignment.
                let inet = unsafe { entry.ifa_addr.cast::<libc::sockaddr_in>().read_unaligned() };
                found[at].addresses.push(Ipv4Addr::from(u32::from_be(inet.sin_addr.s_addr)));
            }
            _ => {}
        }
    }
    Ok(found)
}
