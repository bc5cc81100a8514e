//! What an output must not do: destroy what the same command reads, fail without a name, or change a verdict.

use std::fs::Metadata;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Refuses `output` (the value of `option`) where it is one of the files in `read`, under whatever name.
///
/// # Errors
/// One sentence that names both.
pub fn refuse_over<'p>(
    option: &str,
    output: &Path,
    what: &str,
    read: impl IntoIterator<Item = &'p Path>,
) -> Result<()> {
    if read.into_iter().any(|path| is_same(path, output)) {
        bail!("{option} {} is {what}; name another file", output.display());
    }
    Ok(())
}

/// Whether both name one file, through links of either kind too; what is no plain file (a terminal, a pipe) is nobody's,
/// nor is `-`.
pub fn is_same(a: &Path, b: &Path) -> bool {
    if [a, b].iter().any(|path| *path == Path::new("-")) {
        return false;
    }
    let place = |data: Metadata| (data.dev(), data.ino());
    match (std::fs::metadata(a), std::fs::metadata(b)) {
        (Ok(a), Ok(b)) => a.is_file() && place(a) == place(b),
        // What is not there yet is told by its folder and name; what has no folder will fail by itself.
        (Err(_), Err(_)) => whole(a).zip(whole(b)).is_some_and(|(a, b)| a == b),
        _ => false,
    }
}

fn whole(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// Standard output, with its name in what it cannot do.
pub struct StandardOutput<W> {
    to: W,
    /// The exit code is a verdict: that nobody reads any more does not change it.
    verdict: bool,
}

impl<W: Write> StandardOutput<W> {
    /// Of a command whose output is what it is asked for: it may end when nobody reads.
    pub fn new(to: W) -> StandardOutput<W> {
        StandardOutput { to, verdict: false }
    }

    /// Of a command whose exit code is a verdict, which must come out whoever reads.
    pub fn of_verdict(to: W) -> StandardOutput<W> {
        StandardOutput { to, verdict: true }
    }

    fn said<T>(&self, result: io::Result<T>, unheard: T) -> io::Result<T> {
        result.or_else(|error| match error.kind() {
            io::ErrorKind::BrokenPipe if self.verdict => Ok(unheard),
            io::ErrorKind::BrokenPipe | io::ErrorKind::Interrupted => Err(error),
            kind => Err(io::Error::new(kind, format!("standard output cannot be written: {error}"))),
        })
    }
}

impl<W: Write> Write for StandardOutput<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes);
        self.said(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.said(flushed, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_under_each_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a", "b"] {
            std::fs::write(at(name), name).unwrap();
        }
        std::fs::hard_link(at("a"), at("hard")).unwrap();
        std::os::unix::fs::symlink(at("a"), at("soft")).unwrap();
        std::os::unix::fs::symlink(folder.path(), at("here")).unwrap();
        for (one, other, same) in [
            ("a", "a", true),
            ("a", "hard", true),
            ("soft", "hard", true),
            ("here/a", "a", true),
            ("new", "here/new", true),
            ("a", "b", false),
            ("a", "new", false),
            ("new", "newer", false),
            ("no/folder", "no/folder", false),
        ] {
            assert_eq!(is_same(&at(one), &at(other)), same, "{one} {other}");
        }
        assert!(!is_same(Path::new("-"), Path::new("-")));
        assert!(!is_same(Path::new("/dev/null"), Path::new("/dev/null")));
        let said =
            refuse_over("--html", &at("hard"), "one of the captures", [at("a").as_path()]).unwrap_err();
        assert!(said.to_string().ends_with("/hard is one of the captures; name another file"), "{said}");
    }

    struct Gone(io::ErrorKind);

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn only_a_reader_who_left_is_passed_over() {
        let mut gone = StandardOutput::of_verdict(Gone(io::ErrorKind::BrokenPipe));
        assert!(writeln!(gone, "verdict").and_then(|()| gone.flush()).is_ok());
        let mut stream = StandardOutput::new(Gone(io::ErrorKind::BrokenPipe));
        assert_eq!(writeln!(stream, "line").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let mut full = StandardOutput::of_verdict(Gone(io::ErrorKind::StorageFull));
        for error in [writeln!(full, "verdict").unwrap_err(), full.flush().unwrap_err()] {
            assert!(error.to_string().starts_with("standard output cannot be written: "), "{error}");
        }
    }
}
