//! How much room a file system has, and files that take theirs before they need it.

#![allow(unsafe_code, reason = "the room of a file system has no safe interface in the standard library")]

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The room of a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// All of it.
    pub size: u64,
    /// What this process may still fill.
    pub free: u64,
}

/// The file system that holds `path`; `None` when it is not there or does not say.
pub fn space(path: &Path) -> Option<Space> {
    let name = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: `statvfs` is a struct of integers, for which all bits zero is a value.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: `name` ends with NUL, and both live over the call, which writes into `found` alone.
    if unsafe { libc::statvfs(name.as_ptr(), &raw mut found) } != 0 {
        return None;
    }
    let bytes = |blocks: libc::fsblkcnt_t| blocks.saturating_mul(found.f_frsize);
    Some(Space { size: bytes(found.f_blocks), free: bytes(found.f_bavail) })
}

/// Bytes whose room is taken at once.
const STEP: u64 = 16 << 20;
/// Bytes of a file from which on it is worth it.
const FROM: u64 = 1 << 20;

/// A file that is written from its beginning to its end and grows large: the system is asked for room in large pieces and
/// has less to do for every page, two thirds of it. What is written is the same, and how long the file is, at any time; a
/// file system that gives no room ahead is not asked again. What was taken too much goes back in the end; of a process that is
/// killed it stays with the file.
#[derive(Debug)]
pub struct GrowingFile {
    file: File,
    written: u64,
    /// Up to where there is room; `None` where none is given ahead.
    room: Option<u64>,
}

impl GrowingFile {
    /// Takes an empty file.
    pub fn new(file: File) -> GrowingFile {
        GrowingFile { file, written: 0, room: Some(FROM) }
    }

    fn make_room(&mut self, until: u64) {
        let Some(room) = self.room.filter(|room| *room < until) else { return };
        let len = (until - room).next_multiple_of(STEP);
        self.room = reserve(&self.file, room, len).then_some(room + len);
    }
}

/// Asks for room in a file, which stays as long as it is; answers whether it was given.
#[cfg(target_os = "linux")]
fn reserve(file: &File, from: u64, len: u64) -> bool {
    let (Ok(from), Ok(len)) = (libc::off_t::try_from(from), libc::off_t::try_from(len)) else { return false };
    // SAFETY: the call touches no memory of ours; the descriptor is open as long as `file` is.
    unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, from, len) == 0 }
}

/// Other systems give none ahead.
#[cfg(not(target_os = "linux"))]
fn reserve(_: &File, _: u64, _: u64) -> bool {
    false
}

impl Write for GrowingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.make_room(self.written + bytes.len() as u64);
        let written = self.file.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for GrowingFile {
    fn drop(&mut self) {
        // It stays as long as it is; only what lies behind its end goes. Where that fails, room is lost and nothing else; a
        // file that somebody else has made longer or shorter is left to them.
        if self.room != Some(FROM) && self.file.metadata().is_ok_and(|now| now.len() == self.written) {
            let _ = self.file.set_len(self.written);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_growing_file_is_what_was_written_and_takes_no_more_room_in_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        for len in [0, 1, FROM, FROM + 1, FROM + STEP, FROM + STEP + 12_345] {
            let path = folder.path().join(len.to_string());
            let bytes: Vec<u8> = (0..len).map(|at| ((at * 7) >> 5) as u8).collect();
            let mut file = GrowingFile::new(File::create(&path).expect("it can be made"));
            for (nth, part) in bytes.chunks(100_000).enumerate() {
                file.write_all(part).expect("it can be written");
                let is = std::fs::metadata(&path).expect("it is there").len();
                assert_eq!(is, (nth as u64 * 100_000) + part.len() as u64, "nobody sees room as content");
            }
            drop(file);
            assert!(std::fs::read(&path).expect("it can be read") == bytes, "{len}");
            let taken = std::fs::metadata(&path).expect("it is there").blocks() * 512;
            assert!(taken < len + STEP / 2, "{taken} for {len}");
        }
    }

    #[test]
    fn a_file_system_has_room_and_what_is_not_there_has_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let found = space(folder.path()).expect("it lies on a file system");
        assert!(found.size >= found.free && found.size > 0, "{found:?}");
        assert_eq!(space(&folder.path().join("none")), None);
        assert_eq!(space(Path::new("a\0b")), None);
    }
}
