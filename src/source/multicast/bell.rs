//! Tells a receiver that spins that a socket got something, without a call to the system.
//!
//! A ring of io_uring(7) of its own asks the kernel to tell whenever the socket becomes readable. It is set up so that the
//! kernel puts off telling until the ring's one thread comes for it (`IORING_SETUP_DEFER_TASKRUN`), and raises a flag in
//! memory that both share as soon as there is something to tell (`IORING_SETUP_TASKRUN_FLAG`, Linux 6.1). The flag is
//! all that is looked at while nothing comes; a datagram is taken first, and the flag answered after that.
//!
//! Nothing is received through the ring, and nothing depends on it: a system that has none, or forbids it, is asked as
//! before. It is never believed for long either, see the receiver.

#![allow(unsafe_code, reason = "a request to the kernel names a descriptor that must stay open")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use io_uring::{IoUring, cqueue, opcode, types};

/// Requests of a ring: there is one at a time. The kernel makes room for twice as many answers.
const REQUESTS: u32 = 8;

/// Its name among the ring's.
const REQUEST: u64 = 1;

/// What the kernel is asked for: told anew whenever something comes, not as long as something is there.
const WHAT: u32 = (libc::EPOLLIN | libc::EPOLLET) as u32;

/// The bell of a socket.
pub(super) struct Bell {
    ring: IoUring,
    socket: i32,
}

impl Bell {
    /// Hangs a bell on a socket. It is for the thread that hangs it up alone: on another, [`Bell::answer`] fails.
    ///
    /// # Errors
    /// The system has no such rings, or does not allow them.
    pub(super) fn hang(socket: BorrowedFd<'_>) -> io::Result<Bell> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .dontfork()
            .build(REQUESTS)?;
        let mut bell = Bell { ring, socket: socket.as_raw_fd() };
        bell.ask()?;
        Ok(bell)
    }

    /// Asks to be told. What is there already rings at once.
    fn ask(&mut self) -> io::Result<()> {
        let request =
            opcode::PollAdd::new(types::Fd(self.socket), WHAT).multi(true).build().user_data(REQUEST);
        // SAFETY: the request holds a number and no pointer. The kernel looks the number up when it is submitted, which is done
        // here; should it be closed by then, or be another file's, an event of that would be told, and no memory touched.
        unsafe { self.ring.submission().push(&request) }.map_err(io::Error::other)?;
        match self.ring.submit()? {
            0 => Err(io::Error::other("the kernel took no request")),
            _ => Ok(()),
        }
    }

    /// Whether something came since it was last answered. A load, and no call to the system.
    #[inline]
    pub(super) fn is_rung(&mut self) -> bool {
        // Acquire, of the kernel's own: what the socket got before the flag was raised is found there.
        self.ring.submission().taskrun()
    }

    /// Takes the flag down; what comes from here on raises it again. What came before may still lie in the socket.
    ///
    /// # Errors
    /// It would ring no more.
    pub(super) fn answer(&mut self) -> io::Result<()> {
        // The flag is up, and with it up this call lets the kernel do what it had put off.
        self.ring.submit()?;
        let mut ended = false;
        for told in self.ring.completion() {
            ended |= !cqueue::more(told.flags());
        }
        if self.ring.submission().cq_overflow() {
            return Err(io::Error::other("more was told than there is room for"));
        }
        if ended { self.ask() } else { Ok(()) }
    }
}

impl Drop for Bell {
    /// Takes the request back: the kernel would keep the socket, and its group joined, until it gets to tidying up.
    fn drop(&mut self) {
        let request = opcode::PollRemove::new(REQUEST).build();
        // SAFETY: the request holds a number and no pointer.
        if unsafe { self.ring.submission().push(&request) }.is_ok() {
            // On another thread it fails, and the kernel does it later.
            let _ = self.ring.submit().and_then(|_| self.ring.submit());
        }
    }
}
