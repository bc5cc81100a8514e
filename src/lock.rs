//! One holder at a time: a file or folder held locked, of two that ask at once one gets it.
//!
//! The lock is the system's: it lets go of it however the process ends. It never waits, and says nothing to anybody: the
//! sentence is of whoever asked.

use std::fs::{File, TryLockError};
use std::ops::Deref;

/// A file held locked until this is dropped.
#[derive(Debug)]
pub struct Locked(File);

impl Locked {
    /// Locks the file, or says that another holds it.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] where another holds it; else what the system says.
    pub fn hold(file: File) -> Result<Locked, TryLockError> {
        file.try_lock().map(|()| Locked(file))
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Locked {
    /// Closing alone is not enough: a child that is being started has a copy of every open file until its program
    /// begins, and would hold the lock as long.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_a_copy_of_the_file_does_not_keep_it() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("held");
        let file = File::create(&path).expect("it is made");
        // What a child has of it that was started meanwhile.
        let copy = file.try_clone().expect("it is copied");
        let held = Locked::hold(file).expect("nobody holds it");
        let second = || Locked::hold(File::open(&path).expect("it is there"));
        assert!(matches!(second(), Err(TryLockError::WouldBlock)));
        drop(held);
        second().expect("it is free while the copy is open");
        drop(copy);
    }
}
