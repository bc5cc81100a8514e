//! A file as words of memory. The only place of the room with pointers in it.
//!
//! A mapping is as long as the file was when it was mapped. Nobody who follows the layout shortens a file; if
//! somebody does it all the same, touching what is gone ends the process (SIGBUS), which no check can prevent.

#![allow(unsafe_code, reason = "mapped memory and two system calls; each block says why it is safe")]

use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};

use super::layout::WORD;

/// Memory that plays words: a mapped file, or a plain vector where there are no files.
pub trait Memory {
    /// All of it.
    fn words(&self) -> &[AtomicU64];
}

impl<M: Memory + ?Sized> Memory for std::sync::Arc<M> {
    #[inline]
    fn words(&self) -> &[AtomicU64] {
        (**self).words()
    }
}

impl Memory for Vec<AtomicU64> {
    #[inline]
    fn words(&self) -> &[AtomicU64] {
        self
    }
}

/// A mapped file.
#[derive(Debug)]
pub struct Map(MmapRaw);

impl Map {
    /// For writing. Every page is there when it returns, so that the first write to one does not fault.
    ///
    /// # Errors
    /// What the system says; also that `bytes` are no whole words, or more than the file has.
    pub(super) fn writable(file: &File, bytes: usize) -> io::Result<Map> {
        check(file, bytes)?;
        MmapOptions::new().len(bytes).populate().map_raw(file).map(Map)
    }

    /// For reading; a store through it is impossible.
    ///
    /// # Errors
    /// Like [`Map::writable`].
    pub(super) fn readable(file: &File, bytes: usize) -> io::Result<Map> {
        check(file, bytes)?;
        MmapOptions::new().len(bytes).map_raw_read_only(file).map(Map)
    }
}

fn check(file: &File, bytes: usize) -> io::Result<()> {
    let held = file.metadata()?.len();
    if bytes == 0 || !bytes.is_multiple_of(WORD) || held < bytes as u64 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{held} bytes, {bytes} wanted")));
    }
    Ok(())
}

impl Memory for Map {
    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping begins on a page, is `len` bytes long and lives as long as `self`; its length is whole
        // words. Whoever else touches the memory, in this process or another, does it through atomic words too, and
        // any bits make a valid word. A mapping made by `readable` is only ever loaded from, relaxed, which is
        // promised to work on read-only memory; `Writer`, the only one that stores, is made on `writable` alone.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast::<AtomicU64>(), self.0.len() / WORD) }
    }
}

/// Gives the file its length with every block of it there, so that a full file system is an error now and not a
/// fault at a later store.
///
/// # Errors
/// What the system says.
pub fn allocate(file: &File, bytes: usize) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let bytes = libc::off_t::try_from(bytes).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open as long as `file` is borrowed; no memory is handed over.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, bytes) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Whether a process of that id exists, as far as the system tells; `None` when it does not.
pub fn process_exists(pid: u64) -> Option<bool> {
    let pid = libc::pid_t::try_from(pid).ok().filter(|pid| *pid > 0)?;
    // SAFETY: signal 0 is sent to nobody; no memory is handed over.
    if unsafe { libc::kill(pid, 0) } == 0 {
        return Some(true);
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::ESRCH) => Some(false),
        Some(libc::EPERM) => Some(true),
        _ => None,
    }
}
