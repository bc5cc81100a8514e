//! How much room a file system has.

#![allow(unsafe_code, reason = "the room of a file system has no safe interface in the standard library")]

use std::ffi::CString;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_has_room_and_what_is_not_there_has_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let found = space(folder.path()).expect("it lies on a file system");
        assert!(found.size >= found.free && found.size > 0, "{found:?}");
        assert_eq!(space(&folder.path().join("none")), None);
        assert_eq!(space(Path::new("a\0b")), None);
    }
}
