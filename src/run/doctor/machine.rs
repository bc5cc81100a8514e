//! The machine as files under a root, so that a test can make one up.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::source::clock::{self, Discipline};
use crate::source::disk::{self, Space};
use crate::source::multicast;

/// Bits of Linux capabilities (capabilities(7), `linux/capability.h`).
pub(super) const CAP_NET_ADMIN: u32 = 12;
pub(super) const CAP_SYS_NICE: u32 = 23;
pub(super) const CAP_SYS_RESOURCE: u32 = 24;

/// A file is not read further than this: `/proc/interrupts` of a large machine is well within.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A machine: its `/proc` and `/sys` below a root, its clock and its disks.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
    /// How its clock is kept.
    pub discipline: Option<Discipline>,
    /// How much room the file system of a path has.
    pub space: fn(&Path) -> Option<Space>,
    /// Whether it tells a receiver that spins of what comes, or why not.
    pub bell: fn() -> io::Result<()>,
}

impl Machine {
    /// The machine that this process runs on.
    pub fn here() -> Machine {
        let root = PathBuf::from("/");
        Machine { root, discipline: clock::discipline(), space: disk::space, bell: multicast::try_a_bell }
    }

    /// One made of files below `root`, which tells of what comes.
    pub fn at(root: &Path, discipline: Option<Discipline>, space: fn(&Path) -> Option<Space>) -> Machine {
        Machine { root: root.to_owned(), discipline, space, bell: || Ok(()) }
    }

    /// Where an absolute path of that machine is.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Where a path is that may be relative: to the process's own directory, as the daemon takes it.
    pub(super) fn path_near(&self, path: &Path) -> PathBuf {
        if path.is_absolute() { self.path(path) } else { path.to_owned() }
    }

    /// A file's text without the white space around it.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        fs::File::open(self.path(path)).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// A file that holds one number.
    pub(super) fn number(&self, path: impl AsRef<Path>) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// A file that holds processors, as `0-3,6`.
    pub(super) fn cores(&self, path: impl AsRef<Path>) -> Option<BTreeSet<usize>> {
        cores(&self.text(path)?)
    }

    /// What stands after `key:` in `/proc/self/status`.
    pub(super) fn status(&self, key: &str) -> Option<String> {
        let text = self.text("/proc/self/status")?;
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        Some(line.trim().to_owned())
    }

    /// Whether this process may use the capability in the machine's own user namespace; `None` when that is unknown.
    pub(super) fn may(&self, capability: u32) -> Option<bool> {
        let effective = u64::from_str_radix(&self.status("CapEff")?, 16).ok()?;
        let map = self.text("/proc/self/uid_map")?;
        let words: Vec<&str> = map.split_whitespace().collect();
        // The first user namespace maps every user to itself (user_namespaces(7)).
        let first = words == ["0", "0", "4294967295"];
        Some(first && effective >> capability & 1 == 1)
    }

    /// A soft limit of `/proc/self/limits`; `Some(None)` is unlimited.
    pub(super) fn limit(&self, name: &str) -> Option<Option<u64>> {
        let text = self.text("/proc/self/limits")?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        match line.split_whitespace().next()? {
            "unlimited" => Some(None),
            number => number.parse().ok().map(Some),
        }
    }

    /// A value of `/proc/meminfo`, in bytes.
    pub(super) fn memory(&self, name: &str) -> Option<u64> {
        let text = self.text("/proc/meminfo")?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    }
}

/// `0-3,6` as a set; at most as many as the kernel has room for.
pub(super) fn cores(text: &str) -> Option<BTreeSet<usize>> {
    let mut out = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if last > 1 << 16 {
            return None;
        }
        out.extend(first..=last);
    }
    Some(out)
}

/// A set as `0-3,6`.
pub(super) fn cores_text(cores: &BTreeSet<usize>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for core in cores {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *core => *last = *core,
            _ => ranges.push((*core, *core)),
        }
    }
    let show = |(first, last): &(usize, usize)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ranges.iter().map(show).collect::<Vec<_>>().join(",")
}
