//! A file of whole lines with rotation by size: `alerts.ndjson`, `alerts.ndjson.1`, ...
//!
//! It opens for appending and goes on where another run ended. It notices when another tool has moved the file away.
//! It never splits a line over two files, and takes back the piece of a line that a full disk let through. It keeps
//! nothing: what was not written is the caller's to offer again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What a write came to.
#[derive(Debug, Default)]
pub struct Written {
    /// Bytes taken from the front; a piece of a line only where nothing can be taken back (a pipe).
    pub bytes: usize,
    /// Why it is not all, or why the file could not be rotated.
    pub errors: Vec<io::Error>,
}

/// The file.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    size_max: u64,
    files: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// A regular file has a size, can be cut and rotated.
    regular: bool,
    size: u64,
    rotate_at: u64,
}

impl LogFile {
    /// `size_max` bytes to a file (a longer line has a file of its own), `files` in all; 0 counts as 1.
    pub fn new(path: PathBuf, size_max: u64, files: u32) -> LogFile {
        LogFile { path, size_max: size_max.max(1), files: files.max(1), open: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it, if it is not, before there is anything to write.
    ///
    /// # Errors
    /// What the system says; the next write tries again.
    pub fn open(&mut self) -> io::Result<()> {
        if self.open.is_none() {
            self.open = Some(Open::new(&self.path, self.size_max)?);
        }
        Ok(())
    }

    /// Forgets the open file: the next write opens what then has the name.
    pub fn reopen(&mut self) {
        self.open = None;
    }

    /// Writes whole lines. `lines` ends with a line feed.
    pub fn append(&mut self, lines: &[u8]) -> Written {
        let mut written = Written::default();
        if self.open.as_ref().is_some_and(|open| !open.is_still(&self.path)) {
            self.open = None;
        }
        while written.bytes < lines.len() {
            let rest = lines.get(written.bytes..).unwrap_or_default();
            let (bytes, error) = self.append_some(rest, &mut written.errors);
            written.bytes += bytes;
            if let Some(error) = error {
                written.errors.push(error);
                break;
            }
        }
        written
    }

    /// As many whole lines as the current file takes; rotates before, if not even one fits.
    fn append_some(&mut self, lines: &[u8], errors: &mut Vec<io::Error>) -> (usize, Option<io::Error>) {
        let opened = self.open.take().map_or_else(|| Open::new(&self.path, self.size_max), Ok);
        let mut open = match opened.and_then(|open| self.rotated(open, whole_lines(lines, 1) as u64, errors))
        {
            Ok(open) => open,
            Err(error) => return (0, Some(error)),
        };
        let room = usize::try_from(open.rotate_at.saturating_sub(open.size)).unwrap_or(usize::MAX);
        let fitting = if open.regular { whole_lines(lines, room) } else { lines.len() };
        let (bytes, error) = open.write(lines.get(..fitting).unwrap_or(lines));
        // After a failure a file is opened anew: its name may lead to a healthier disk by then. A pipe that has
        // taken half a line must get the other half.
        self.open = (error.is_none() || !open.regular).then_some(open);
        (bytes, error)
    }

    /// The file that the next `line` bytes belong to.
    fn rotated(&self, mut open: Open, line: u64, errors: &mut Vec<io::Error>) -> io::Result<Open> {
        let after = open.size.saturating_add(line);
        if !open.regular || open.size == 0 || after <= open.rotate_at {
            return Ok(open);
        }
        match rotate(&self.path, self.files) {
            Ok(()) => Open::new(&self.path, self.size_max),
            Err(error) => {
                // Better a long file than a lost line. Tried again when it has grown by another tenth.
                errors.push(error);
                open.rotate_at = after.saturating_add(self.size_max / 10);
                Ok(open)
            }
        }
    }
}

/// Bytes of the first line, and of the further ones that end within `room`.
fn whole_lines(lines: &[u8], room: usize) -> usize {
    let first = lines.iter().position(|b| *b == b'\n').map_or(lines.len(), |at| at + 1);
    let within = lines.get(..room.min(lines.len())).unwrap_or_default();
    let last = within.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    first.max(last)
}

impl Open {
    fn new(path: &Path, size_max: u64) -> io::Result<Open> {
        let mut options = OpenOptions::new();
        let file = match options.read(true).append(true).create(true).mode(0o640).open(path) {
            // A log that may be written and not read, or a pipe.
            Err(_) => OpenOptions::new().append(true).create(true).mode(0o640).open(path)?,
            Ok(file) => file,
        };
        let metadata = file.metadata()?;
        let mut open = Open { file, regular: metadata.is_file(), size: metadata.len(), rotate_at: size_max };
        open.end_torn_line()?;
        Ok(open)
    }

    /// A process that was killed may have left a piece of a line: it stays, on a line of its own.
    fn end_torn_line(&mut self) -> io::Result<()> {
        let mut last = [b'\n'];
        if self.regular && self.size > 0 && self.file.seek(SeekFrom::End(-1)).is_ok() {
            let read = self.file.read(&mut last);
            if matches!(read, Ok(1)) && last != [b'\n'] {
                self.file.write_all(b"\n")?;
                self.size += 1;
            }
        }
        Ok(())
    }

    /// Whether the name still leads to this file.
    fn is_still(&self, path: &Path) -> bool {
        match (std::fs::metadata(path), self.file.metadata()) {
            (Ok(named), Ok(held)) => (named.dev(), named.ino()) == (held.dev(), held.ino()),
            _ => false,
        }
    }

    /// Writes; on failure takes back the piece of a line, so that the file ends with a whole one.
    fn write(&mut self, lines: &[u8]) -> (usize, Option<io::Error>) {
        let (written, error) = write_on(&mut self.file, lines);
        if !self.regular {
            return (written, error);
        }
        let done = lines.get(..written).unwrap_or(lines);
        let whole = done.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.size = self.size.saturating_add(whole as u64);
        if whole < written {
            // Where this fails too, the piece is ended with a line feed when the file is opened anew.
            let _ = self.file.set_len(self.size);
        }
        (whole, error)
    }
}

/// Writes until all is written or something fails, and says how far it came.
pub fn write_on(file: &mut impl Write, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

/// `x.1` becomes `x.2` and so on, `x` becomes `x.1`; the oldest goes.
fn rotate(path: &Path, files: u32) -> io::Result<()> {
    let numbered = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        if n > 0 {
            name.push(format!(".{n}"));
        }
        PathBuf::from(name)
    };
    if files == 1 {
        return std::fs::remove_file(path);
    }
    for n in (0..files - 1).rev() {
        match std::fs::rename(numbered(n), numbered(n + 1)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && n > 0 => {}
            result => result?,
        }
    }
    Ok(())
}
