//! Where a daemon keeps its control socket, and where a tool looks for it.

use std::path::{Path, PathBuf};

use crate::run::place::{Environment, candidates};

/// The socket of the daemon `name` in `directory`.
pub fn socket(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.sock"))
}

/// Where a tool finds the socket of the daemon `name` when no directory is configured: the first place that has one, or
/// the place where this user's own daemon would have it.
pub fn find(name: &str) -> PathBuf {
    let places = candidates(&Environment::here());
    let mut sockets = places.iter().map(|directory| socket(directory, name));
    let own = sockets.next().unwrap_or_default();
    if own.exists() {
        return own;
    }
    sockets.find(|path| path.exists()).unwrap_or(own)
}
