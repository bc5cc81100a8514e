//! The daemon's own directory: where the control socket is, for the daemon and for those who look for it.
//!
//! Whoever may enter the directory may talk to the daemon, so it is never one that others could have prepared.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What the surroundings say about where a daemon's directory is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `$RUNTIME_DIRECTORY`: what systemd made for the service (systemd.exec(5)); several are parted by colons.
    pub service: Option<OsString>,
    /// `$XDG_RUNTIME_DIR`: the user's own (XDG Base Directory Specification).
    pub user: Option<OsString>,
    /// The user's number.
    pub uid: u32,
}

impl Environment {
    /// Those of this process.
    pub fn here() -> Environment {
        let found = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        // The owner of a process's own folder is its effective user (proc(5)).
        let uid = fs::metadata("/proc/self").map_or(u32::MAX, |found| found.uid());
        Environment { service: found("RUNTIME_DIRECTORY"), user: found("XDG_RUNTIME_DIR"), uid }
    }
}

/// The directory of a daemon: the configured one, the service's, the user's, or one under `/tmp` with the user's number.
pub fn directory(configured: Option<&Path>, environment: &Environment) -> PathBuf {
    if let Some(path) = configured {
        return path.to_owned();
    }
    if let Some(first) = environment.service.as_deref().and_then(|all| std::env::split_paths(all).next()) {
        return first;
    }
    match &environment.user {
        Some(user) => Path::new(user).join("parallax"),
        None => PathBuf::from(format!("/tmp/parallax-{}", environment.uid)),
    }
}

/// Where a client without a configuration looks, in this order: what the daemon would take, then the system's service.
pub fn candidates(environment: &Environment) -> Vec<PathBuf> {
    let mut all = vec![directory(None, environment), PathBuf::from("/run/parallax")];
    all.push(directory(None, &Environment { service: None, user: None, uid: environment.uid }));
    let mut seen = Vec::new();
    all.retain(|path| {
        !seen.contains(path) && {
            seen.push(path.clone());
            true
        }
    });
    all
}

/// Makes the directory, for its owner alone, or takes one that is there if it is the user's and nobody else can write it.
///
/// # Errors
/// It cannot be made, is a link or no directory, belongs to somebody else, or others can write it.
pub fn prepare(path: &Path, uid: u32) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let found = fs::symlink_metadata(path)?;
    let refuse =
        |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {why}", path.display())));
    if !found.is_dir() {
        return refuse("is no directory");
    }
    if found.uid() != uid && found.uid() != 0 {
        return refuse("belongs to another user");
    }
    // Who can write a directory can put another socket in place of ours; a group may, if it was given that on purpose.
    if found.permissions().mode() & 0o002 != 0 {
        return refuse("can be written by everybody");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_the_nearest_that_was_given() {
        let all = Environment {
            service: Some("/run/parallax:/run/other".into()),
            user: Some("/run/user/7".into()),
            uid: 7,
        };
        let user = Environment { service: None, ..all.clone() };
        let none = Environment { user: None, ..user.clone() };
        assert_eq!(directory(Some(Path::new("/a")), &all), Path::new("/a"));
        let found = [&all, &user, &none].map(|environment| directory(None, environment));
        assert_eq!(found, ["/run/parallax", "/run/user/7/parallax", "/tmp/parallax-7"].map(PathBuf::from));
        let looked_at = candidates(&user);
        assert_eq!(
            looked_at,
            ["/run/user/7/parallax", "/run/parallax", "/tmp/parallax-7"].map(PathBuf::from)
        );
        assert_eq!(candidates(&all), ["/run/parallax", "/tmp/parallax-7"].map(PathBuf::from));
    }

    #[test]
    fn a_directory_that_others_prepared_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let uid = Environment::here().uid;
        let mine = folder.path().join("mine");
        prepare(&mine, uid).expect("it is made");
        assert_eq!(fs::metadata(&mine).expect("it is there").permissions().mode() & 0o777, 0o700);
        prepare(&mine, uid).expect("it is taken again");
        fs::set_permissions(&mine, fs::Permissions::from_mode(0o777)).expect("it is ours");
        assert!(prepare(&mine, uid).unwrap_err().to_string().ends_with("can be written by everybody"));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&mine, &link).expect("a link");
        assert!(prepare(&link, uid).unwrap_err().to_string().ends_with("is no directory"));
        assert!(prepare(&folder.path().join("no/such"), uid).is_err());
    }
}
