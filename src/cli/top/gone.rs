//! Ends the process when its terminal has gone: a closed window, a session that was cut.
//!
//! The library that reads keys asks a terminal that is no more for them again and again and never comes back, so whoever
//! waits for it can neither see the hang-up nor a signal. This is a thread beside it.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

/// Looks after the terminal from now on.
///
/// # Errors
/// No terminal, or nothing that can look after it.
pub fn watch() -> io::Result<()> {
    let tty = if io::stdin().is_terminal() { None } else { Some(File::open("/dev/tty")?) };
    let fd = tty.as_ref().map_or_else(|| io::stdin().as_raw_fd(), AsRawFd::as_raw_fd);
    let mut poll = Poll::new()?;
    // Nothing of this kind ever comes from a terminal; that it is gone is told all the same. Keys wake nobody here.
    poll.registry().register(&mut SourceFd(&fd), Token(0), Interest::PRIORITY)?;
    std::thread::Builder::new().name("terminal".into()).spawn(move || {
        let _open = tty;
        let mut events = Events::with_capacity(4);
        loop {
            let waited = poll.poll(&mut events, None);
            if waited.is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
                return;
            }
            if events.iter().any(|event| event.is_read_closed() || event.is_error()) {
                // There is nothing left to restore, and nobody to tell.
                std::process::exit(0);
            }
        }
    })?;
    Ok(())
}
