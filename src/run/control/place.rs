//! The control socket's place in the daemon's directory, and where a tool looks for it.

use std::path::{Path, PathBuf};

use crate::run::place::{Environment, candidates};

/// The socket of the daemon `name` in `directory`.
pub fn socket(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.sock"))
}

/// Where a tool finds the socket of the daemon `name` when no directory is configured: the first place that has one, or
/// the place where this user's own daemon would have it.
pub fn find(name: &str) -> PathBuf {
    let places: Vec<PathBuf> = candidates(&Environment::here()).iter().map(|d| socket(d, name)).collect();
    let first = places.first().cloned().unwrap_or_default();
    places.into_iter().find(|path| path.exists()).unwrap_or(first)
}
