//! Opening a store: whose file it is, which schema it has, who writes it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::MIGRATIONS;
use super::error::StoreError;
use crate::lock::Locked;

/// `PRAGMA application_id` of a store: "PLLX".
pub const APPLICATION_ID: i32 = 0x504c_4c58;

/// How an SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// How long a statement waits for a lock that somebody else holds.
const PATIENCE: Duration = Duration::from_secs(5);

/// A store that this process writes: nobody else does while it lives.
#[derive(Debug)]
pub struct Writing {
    /// The database.
    pub connection: Connection,
    /// As it was named.
    pub path: PathBuf,
    /// Held locked; the system lets go of it however the process ends.
    _writer: Locked,
}

/// The newest schema that this program knows.
pub const fn version_known() -> i32 {
    MIGRATIONS.len() as i32
}

/// Opens the store for writing: makes it where there is none, and brings an older one up to date.
///
/// # Errors
/// What is wrong, in one sentence: a foreign, damaged or newer file, a second writer, a folder that cannot be written.
pub fn open_write(path: &Path) -> Result<Writing, StoreError> {
    refuse_foreign(path)?;
    let writer = lock(path)?;
    let told = |error: &rusqlite::Error| StoreError::of(path, error);
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|e| told(&e))?;
    connection.busy_timeout(PATIENCE).map_err(|e| told(&e))?;
    let version = version(&connection, path)?;
    if version == Version::Empty {
        // Before the first table, or they have no effect. Pages that retention frees go back to the disk.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(|e| told(&e))?;
    }
    if connection.is_readonly("main").map_err(|e| told(&e))? {
        return Err(StoreError::new(path, "cannot be written: file or folder are read-only"));
    }
    prepare(&connection).and_then(|()| migrate(&connection, version)).map_err(|e| told(&e))?;
    Ok(Writing { connection, path: path.to_owned(), _writer: writer })
}

/// Opens the store for reading, beside whoever writes it.
///
/// # Errors
/// What is wrong, in one sentence.
pub fn open_read(path: &Path) -> Result<Connection, StoreError> {
    if path.is_dir() {
        return Err(StoreError::new(
            path,
            "is a folder; a store is a file, as `parallax replay --store FILE` makes it",
        ));
    }
    if !path.is_file() {
        let what = "is not there; `parallax replay --store FILE` and `[store]` in a configuration make one";
        return Err(StoreError::new(path, what));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| StoreError::of(path, &e))?;
    connection.busy_timeout(PATIENCE).map_err(|e| StoreError::of(path, &e))?;
    let connection = if readable(&connection) { connection } else { unchanging(path)?.unwrap_or(connection) };
    match version(&connection, path)? {
        Version::Schema(known) if known == version_known() => {}
        Version::Schema(older) => {
            let what = format!(
                "has schema {older}, this Parallax wants {}: it is brought up to date when a run next writes to it",
                version_known()
            );
            return Err(StoreError::new(path, &what));
        }
        Version::Empty => return Err(StoreError::new(path, "is empty: no run has written to it")),
    }
    super::functions::add(&connection).map_err(|e| StoreError::of(path, &e))?;
    connection.pragma_update(None, "query_only", true).map_err(|e| StoreError::of(path, &e))?;
    Ok(connection)
}

fn readable(connection: &Connection) -> bool {
    let asked = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    !matches!(asked, Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen))
}

/// In a folder that cannot be written, a store whose log is empty is read as what will not change.
fn unchanging(path: &Path) -> Result<Option<Connection>, StoreError> {
    let log = beside(path, "-wal");
    if log.metadata().is_ok_and(|m| m.len() > 0) {
        return Ok(None);
    }
    let Ok(whole) = path.canonicalize() else { return Ok(None) };
    let escape = |c: char| match c {
        '%' | '?' | '#' => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    let name: String = whole.to_string_lossy().chars().map(escape).collect();
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let opened = Connection::open_with_flags(format!("file:{name}?immutable=1"), flags);
    opened.map(Some).map_err(|e| StoreError::of(path, &e))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// Nothing has been written.
    Empty,
    /// A store of that schema.
    Schema(i32),
}

/// Whose file it is.
fn version(connection: &Connection, path: &Path) -> Result<Version, StoreError> {
    let asked = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let read = || -> rusqlite::Result<(i32, i32, i64)> {
        let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((asked("application_id")?, asked("user_version")?, tables))
    };
    match read().map_err(|e| StoreError::of(path, &e))? {
        (0, 0, 0) => Ok(Version::Empty),
        (APPLICATION_ID, version, _) if version > version_known() => {
            let what = format!(
                "was written by a newer Parallax (schema {version}, this one knows {}); use that one, or another file",
                version_known()
            );
            Err(StoreError::new(path, &what))
        }
        (APPLICATION_ID, version, _) if version > 0 => Ok(Version::Schema(version)),
        _ => Err(StoreError::new(path, "is an SQLite file of another program; name another file")),
    }
}

/// Readers do not wait for the writer, nor it for them; a killed process loses nothing that was committed.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)
}

/// Takes the steps that are missing, each whole or not at all.
fn migrate(connection: &Connection, version: Version) -> rusqlite::Result<()> {
    let done = match version {
        Version::Empty => 0,
        Version::Schema(version) => usize::try_from(version).unwrap_or(0),
    };
    for (number, step) in MIGRATIONS.iter().enumerate().skip(done) {
        let end = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};", number + 1);
        let step = format!("BEGIN IMMEDIATE; {step}\n{end} COMMIT;");
        if let Err(error) = connection.execute_batch(&step) {
            // The first word counts: where the step failed, not that nothing is open any more.
            let _ = connection.execute_batch("ROLLBACK");
            return Err(error);
        }
    }
    Ok(())
}

/// The file of that suffix beside the store.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// A file that is none of ours gets no lock beside it.
fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let mut begin = Vec::new();
    // Only what is a file: opening a pipe would wait for whoever writes into it.
    let plain = path.metadata().is_ok_and(|m| m.is_file());
    let Some(file) = plain.then(|| File::open(path).ok()).flatten() else { return Ok(()) };
    let read = file.take(MAGIC.len() as u64).read_to_end(&mut begin);
    if read.is_ok() && !begin.is_empty() && begin != MAGIC {
        return Err(StoreError::foreign(path));
    }
    Ok(())
}

/// One writer at a time: a file beside the store is held locked. It stays when the store is closed, empty: whoever
/// removed it could take it from under another.
fn lock(path: &Path) -> Result<Locked, StoreError> {
    if path.is_dir() {
        return Err(StoreError::new(path, "is a folder; name a file in it"));
    }
    let beside = beside(path, "-writer");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&beside);
    let file = file.map_err(|error| {
        StoreError::new(path, &format!("cannot be written ({error}); name a file in a folder that can be"))
    })?;
    match Locked::hold(file) {
        Ok(held) => Ok(held),
        Err(TryLockError::WouldBlock) => {
            let what = "is being written by another run of Parallax; wait for it, or name another file";
            Err(StoreError::new(path, what))
        }
        Err(TryLockError::Error(error)) => {
            Err(StoreError::new(path, &format!("cannot be locked ({error}); put it on a local file system")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("store.db");
        (folder, path)
    }

    fn said<T: std::fmt::Debug>(result: Result<T, StoreError>, path: &Path) -> String {
        result.expect_err("it is refused").0.replace(&path.display().to_string(), "FILE")
    }

    #[test]
    fn a_new_store_has_the_newest_schema_and_is_read_while_it_is_written() {
        let (_folder, path) = store();
        let writing = open_write(&path).expect("it is made");
        let reading = open_read(&path).expect("it is read");
        let version: i32 = reading.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
        assert_eq!(version, version_known());
        let mode: String = reading.pragma_query_value(None, "journal_mode", |r| r.get(0)).unwrap();
        assert_eq!(mode, "wal");
        assert!(reading.execute("DELETE FROM source", []).is_err(), "a reader cannot write");
        drop(writing);
        open_write(&path).expect("opened again, nothing is made twice");
    }

    #[test]
    fn a_second_writer_is_refused() {
        let (_folder, path) = store();
        let _first = open_write(&path).expect("it is made");
        assert_eq!(
            said(open_write(&path), &path),
            "the store FILE is being written by another run of Parallax; wait for it, or name another file"
        );
    }

    #[test]
    fn what_is_no_store_is_refused() {
        let (_folder, path) = store();
        assert!(said(open_read(&path), &path).starts_with("the store FILE is not there;"));
        let folder = path.parent().expect("it is in one");
        assert!(said(open_read(folder), folder).starts_with("the store FILE is a folder;"));
        std::fs::write(
            &path,
            "[[source]]\nname = \"direct\" # no database at all, and longer than a page's head",
        )
        .unwrap();
        assert_eq!(
            said(open_write(&path), &path),
            "the store FILE is no store: it is not an SQLite file; name another file"
        );
        assert_eq!(
            said(open_read(&path), &path),
            "the store FILE is no store: it is not an SQLite file; name another file"
        );
        std::fs::remove_file(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE t (x)").unwrap();
        let sentence = "the store FILE is an SQLite file of another program; name another file";
        assert_eq!(
            (said(open_write(&path), &path), said(open_read(&path), &path)),
            (sentence.into(), sentence.into())
        );
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let (_folder, path) = store();
        let writing = open_write(&path).expect("it is made");
        writing.connection.pragma_update(None, "user_version", 99).unwrap();
        drop(writing);
        let sentence = format!(
            "the store FILE was written by a newer Parallax (schema 99, this one knows {}); use that one, or another file",
            version_known()
        );
        assert_eq!(
            (said(open_write(&path), &path), said(open_read(&path), &path)),
            (sentence.clone(), sentence)
        );
    }

    #[test]
    fn a_damaged_store_is_told_as_such() {
        let (_folder, path) = store();
        drop(open_write(&path).expect("it is made"));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100..4_096].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let sentence =
            "the store FILE is damaged; keep it aside, and recover what can be with `sqlite3 FILE .recover`";
        assert_eq!(
            (said(open_write(&path), &path), said(open_read(&path), &path)),
            (sentence.into(), sentence.into())
        );
    }

    #[test]
    fn a_folder_that_is_not_there_or_is_the_name_itself() {
        let (folder, _) = store();
        let path = folder.path().join("no/store.db");
        assert!(said(open_write(&path), &path).starts_with("the store FILE cannot be written (No such file"));
        assert_eq!(
            said(open_write(folder.path()), folder.path()),
            "the store FILE is a folder; name a file in it"
        );
    }
}
