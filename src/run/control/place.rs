//! Where a daemon keeps its control socket, and where a tool looks for it.

use std::env;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The effective user of this process.
///
/// # Errors
/// A machine without /proc.
pub fn own_uid() -> io::Result<u32> {
    std::fs::metadata("/proc/self").map(|m| m.uid())
}

/// The directory of a daemon: the configured one, the service's (`$RUNTIME_DIRECTORY`), the user's
/// (`$XDG_RUNTIME_DIR/parallax`), or a temporary one of the user.
pub fn directory(configured: Option<&Path>) -> PathBuf {
    match configured {
        Some(directory) => directory.to_path_buf(),
        None => own_directories().remove(0),
    }
}

/// The socket of the daemon `name` in `directory`.
pub fn socket(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.sock"))
}

/// Where a tool finds the socket of the daemon `name` when no directory is configured: the first place that has one, or
/// the place where this user's own daemon would have it.
pub fn find(name: &str) -> PathBuf {
    let own = own_directories();
    let system = PathBuf::from("/run/parallax");
    let mut places = own.iter().chain([&system]).map(|directory| socket(directory, name));
    places.find(|path| path.exists()).unwrap_or_else(|| socket(&own[0], name))
}

/// Never empty.
fn own_directories() -> Vec<PathBuf> {
    let variable = |name| env::var_os(name).filter(|v| !v.is_empty());
    // systemd separates several by colons; the first is the unit's own.
    let service = variable("RUNTIME_DIRECTORY")
        .map(|v| PathBuf::from(v.to_string_lossy().split(':').next().unwrap_or_default()));
    let user = variable("XDG_RUNTIME_DIR").map(|v| Path::new(&v).join("parallax"));
    let temporary = PathBuf::from(format!("/tmp/parallax-{}", own_uid().unwrap_or(u32::MAX)));
    service.into_iter().chain(user).chain([temporary]).collect()
}
