//! Taking datagrams from a socket, many by one call, into buffers made once.
//!
//! `recvmmsg` is called with what the kernel may overwrite restored each time: the room for the sender and for control
//! messages. Left as the call before had set it, room shrinks to what the last datagram needed, and stamps are lost.

#![allow(unsafe_code, reason = "the system's interface to sockets is one of pointers")]

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

/// Without waiting, and telling a datagram's own length.
const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_TRUNC;

/// Room for the control messages that are asked for: a timestamp (32 bytes) and a count of drops (24), twice over.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; 128]);

/// Memory that the kernel writes to by pointer: it stays in its place until it is dropped.
struct Fixed<T>(NonNull<[T]>);

impl<T: Clone> Fixed<T> {
    fn new(value: T, count: usize) -> Self {
        // A box's pointer is never null; `leak` gives the memory away until `drop` takes it back.
        Self(NonNull::from(Box::leak(vec![value; count].into_boxed_slice())))
    }
}

impl<T> Fixed<T> {
    /// Where element `at` is; callers keep `at` below the length.
    fn at(&self, at: usize) -> *mut T {
        assert!(at < self.0.len());
        // SAFETY: `at` is within the allocation.
        unsafe { self.0.as_ptr().cast::<T>().add(at) }
    }
}

impl<T> Drop for Fixed<T> {
    fn drop(&mut self) {
        // SAFETY: the memory came from a leaked box of this very type and length, and is taken back once.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// What came with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The kernel's stamp, nanoseconds since 1970 UTC, if there was one.
    pub(super) stamp_ns: Option<u64>,
    /// Drops of the socket before this datagram was queued, modulo 2^32, if there were any.
    pub(super) drops: Option<u32>,
    /// Length on the wire, bytes.
    pub(super) wire_len: u32,
    /// Sender.
    pub(super) source: SocketAddr,
}

/// The datagrams of one call.
pub(super) struct Batch {
    headers: Fixed<libc::mmsghdr>,
    /// Pointed to by `headers`.
    _vectors: Fixed<libc::iovec>,
    /// Pointed to by `headers`.
    names: Fixed<libc::sockaddr_in>,
    /// Pointed to by `headers`.
    _controls: Fixed<Control>,
    /// Pointed to by `_vectors`.
    bytes: Fixed<u8>,
    slots: usize,
    datagram_max: usize,
    /// Slots that the last call may have written to.
    used: usize,
    heads: Vec<Head>,
}

// SAFETY: the pointers are to memory that the batch alone owns, wherever it is moved.
unsafe impl Send for Batch {}

impl Batch {
    /// Room for `slots` datagrams of up to `datagram_max` bytes.
    pub(super) fn new(slots: usize, datagram_max: usize) -> Self {
        // SAFETY: headers, vectors and addresses are plain data, for which zeroes (null, empty) are a value.
        let (header, vector, name) = unsafe {
            (
                MaybeUninit::<libc::mmsghdr>::zeroed().assume_init(),
                MaybeUninit::<libc::iovec>::zeroed().assume_init(),
                MaybeUninit::<libc::sockaddr_in>::zeroed().assume_init(),
            )
        };
        let headers = Fixed::new(header, slots);
        let vectors = Fixed::new(vector, slots);
        let names = Fixed::new(name, slots);
        let controls = Fixed::new(Control([0; 128]), slots);
        let bytes = Fixed::new(0_u8, slots * datagram_max);
        for slot in 0..slots {
            // SAFETY: every pointer is to an element of memory of its own that lives as long as the batch.
            unsafe {
                *vectors.at(slot) =
                    libc::iovec { iov_base: bytes.at(slot * datagram_max).cast(), iov_len: datagram_max };
                let header = &mut (*headers.at(slot)).msg_hdr;
                header.msg_name = names.at(slot).cast();
                header.msg_iov = vectors.at(slot);
                header.msg_iovlen = 1;
                header.msg_control = controls.at(slot).cast();
            }
        }
        Self {
            headers,
            _vectors: vectors,
            names,
            _controls: controls,
            bytes,
            slots,
            datagram_max,
            used: slots,
            heads: Vec::with_capacity(slots),
        }
    }

    /// Makes the slots ready that the last call may have written to.
    fn restore(&mut self) {
        self.heads.clear();
        for slot in 0..self.used {
            // SAFETY: the slot is within the headers, and nobody else refers to them.
            let header = unsafe { &mut (*self.headers.at(slot)).msg_hdr };
            header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            header.msg_controllen = size_of::<Control>() as _;
            header.msg_flags = 0;
        }
        self.used = 0;
    }

    /// Takes what is queued, as much as there is room for, without waiting; none is no error.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.restore();
        // SAFETY: `slots` headers are there, each with pointers to memory of the given lengths that lives on; MSG_TRUNC
        // makes the kernel tell a datagram's own length and does not make it write more than there is room for.
        let taken = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.at(0),
                self.slots as libc::c_uint,
                FLAGS as _,
                std::ptr::null_mut(),
            )
        };
        let Ok(taken) = usize::try_from(taken) else { return self.nothing() };
        // The slot after the last may have been touched as well.
        self.used = (taken + 1).min(self.slots);
        for slot in 0..taken {
            let head = self.head(slot);
            self.heads.push(head);
        }
        Ok(taken)
    }

    /// Takes one datagram if one is queued: quicker than the call for many, which finds out that there are no more.
    pub(super) fn receive_one(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        self.restore();
        let header = self.headers.at(0);
        // SAFETY: as above, for the first header alone, which nobody else refers to.
        let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut (*header).msg_hdr, FLAGS) };
        let Ok(length) = u32::try_from(length) else { return self.nothing() };
        self.used = 1;
        // SAFETY: the header is within the headers. The call for many writes the length there.
        unsafe { (*header).msg_len = length };
        let head = self.head(0);
        self.heads.push(head);
        Ok(1)
    }

    /// After a call that failed: that nothing was there is no error.
    fn nothing(&mut self) -> io::Result<usize> {
        // It may have touched the first slot.
        self.used = 1;
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(0),
            _ => Err(error),
        }
    }

    fn head(&self, slot: usize) -> Head {
        // SAFETY: the slot is within headers and names, which the kernel has filled and nobody writes to now.
        let (header, name) = unsafe { (&*self.headers.at(slot), &*self.names.at(slot)) };
        let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
        let source = SocketAddr::V4(SocketAddrV4::new(ip, u16::from_be(name.sin_port)));
        let mut head = Head { stamp_ns: None, drops: None, wire_len: header.msg_len, source };
        // SAFETY: the header's control pointer and length describe what the kernel wrote.
        let mut control = unsafe { libc::CMSG_FIRSTHDR(&raw const header.msg_hdr) };
        while !control.is_null() {
            // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give null or a header that lies wholly within the control bytes;
            // the data of these two types is a timespec and a u32, copied whatever its alignment.
            unsafe {
                match ((*control).cmsg_level, (*control).cmsg_type) {
                    (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                        let time = libc::CMSG_DATA(control).cast::<libc::timespec>().read_unaligned();
                        head.stamp_ns = nanoseconds(time.tv_sec, time.tv_nsec);
                    }
                    (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                        head.drops = Some(libc::CMSG_DATA(control).cast::<u32>().read_unaligned());
                    }
                    _ => {}
                }
                control = libc::CMSG_NXTHDR(&raw const header.msg_hdr, control);
            }
        }
        head
    }

    /// What came with the datagrams of the last call, in the order in which they were queued.
    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The bytes of a datagram of the last call, as many as there was room for.
    pub(super) fn payload(&self, slot: usize) -> &[u8] {
        let Some(head) = self.heads.get(slot) else { return &[] };
        let length = (head.wire_len as usize).min(self.datagram_max);
        if length == 0 {
            return &[];
        }
        // SAFETY: a slot's room is `datagram_max` bytes from there, all of them initialised, and nobody writes to them
        // before the next call of `receive`, which needs the batch for itself.
        unsafe { std::slice::from_raw_parts(self.bytes.at(slot * self.datagram_max), length) }
    }
}

/// A time of the kernel as nanoseconds since 1970; none when it is not a time after 1970 that fits.
fn nanoseconds(seconds: libc::time_t, nanoseconds: libc::c_long) -> Option<u64> {
    let seconds = u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?;
    seconds.checked_add(u64::try_from(nanoseconds).ok()?)
}
