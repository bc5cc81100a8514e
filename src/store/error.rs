//! What can be wrong with a store, in one sentence each.

use std::path::Path;

use rusqlite::ErrorCode;

/// One sentence: which file, what is wrong, what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

impl StoreError {
    /// `what` went wrong with the store at `path`.
    pub fn new(path: &Path, what: &str) -> StoreError {
        StoreError(format!("the store {} {what}", path.display()))
    }

    /// The file at `path` is something else.
    pub(super) fn foreign(path: &Path) -> StoreError {
        StoreError::new(path, "is no store: it is not an SQLite file; name another file")
    }

    /// What SQLite says of the store at `path`.
    pub fn of(path: &Path, error: &rusqlite::Error) -> StoreError {
        let what = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => return StoreError::foreign(path),
            Some(ErrorCode::DatabaseCorrupt) => {
                "is damaged; keep it aside, and recover what can be with `sqlite3 FILE .recover`".to_owned()
            }
            Some(ErrorCode::DiskFull) => {
                "cannot be written: the disk is full; what was written before is whole".to_owned()
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "is held by another program; end its transaction or wait for it".to_owned()
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                "cannot be written: file or folder are read-only".to_owned()
            }
            Some(ErrorCode::CannotOpen) => {
                "cannot be opened; name a file in a folder that is there and may be used".to_owned()
            }
            Some(ErrorCode::SystemIoFailure) => {
                format!("cannot be read or written ({error}); look at disk and file system")
            }
            _ => format!("cannot be used: {error}"),
        };
        StoreError::new(path, &what)
    }
}

/// Why something is not in a store.
#[derive(Debug)]
pub struct Failure {
    /// In one sentence.
    pub error: StoreError,
    /// The disk, the file or a lock: what was not taken now may be taken later. Else nobody can ever take it.
    pub passing: bool,
}

impl Failure {
    /// What SQLite says of the store at `path`.
    pub fn of(path: &Path, error: &rusqlite::Error) -> Failure {
        let never = match error {
            rusqlite::Error::SqliteFailure(failure, _) => matches!(
                failure.code,
                ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig
            ),
            _ => true,
        };
        Failure { error: StoreError::of(path, error), passing: !never }
    }
}
