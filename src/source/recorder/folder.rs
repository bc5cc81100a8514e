//! The directory of the recordings: names, what lies there, and which of it goes.
//!
//! Touches only regular files whose names it could have given itself, and never one that is being written.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::super::merge::{Captures, Options};

const ENDING: &str = ".pcapng.zst";

/// Name of a receiver's file.
pub(super) fn file_name(receiver: u16, number: u32) -> String {
    format!("r{receiver}-{number:06}{ENDING}")
}

/// Receiver and number, if the name is one of ours.
pub(super) fn parse_name(name: &str) -> Option<(u16, u32)> {
    let (receiver, number) = name.strip_prefix('r')?.strip_suffix(ENDING)?.split_once('-')?;
    let (receiver, number) = (receiver.parse().ok()?, number.parse().ok()?);
    (file_name(receiver, number) == name).then_some((receiver, number))
}

/// A file that is complete, or that an earlier run left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Held {
    /// When it was closed, or last written as the file system says, nanoseconds since 1970.
    pub closed_ns: u64,
    pub receiver: u16,
    pub number: u32,
    pub bytes: u64,
    /// Receive time of its first datagram; `None` while nobody looked.
    pub first_ns: Option<u64>,
}

/// Bounds on what is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub size: u64,
    pub time_ns: u64,
}

/// The directory.
#[derive(Debug)]
pub(super) struct Folder {
    pub directory: PathBuf,
    /// Closed files, those closed first in front.
    held: Vec<Held>,
    /// The highest number that was seen of each receiver, whatever bears it.
    highest: HashMap<u16, u32>,
}

impl Folder {
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, held: Vec::new(), highest: HashMap::new() }
    }

    pub fn path(&self, receiver: u16, number: u32) -> PathBuf {
        self.directory.join(file_name(receiver, number))
    }

    /// Makes the directory if it is not there, and looks at what lies in it. `open` are files that are being written.
    pub fn scan(&mut self, open: &[(u16, u32)]) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let mut held = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some((receiver, number)) = name.to_str().and_then(parse_name) else { continue };
            let highest = self.highest.entry(receiver).or_default();
            *highest = number.max(*highest);
            // Of a file that vanishes meanwhile nothing is to be held; links and folders are not ours.
            let Ok(metadata) = entry.metadata() else { continue };
            if !metadata.is_file() || open.contains(&(receiver, number)) {
                continue;
            }
            let known = self.held.iter().find(|h| (h.receiver, h.number) == (receiver, number));
            held.push(known.cloned().unwrap_or_else(|| Held {
                closed_ns: modified_ns(&metadata),
                receiver,
                number,
                bytes: metadata.len(),
                first_ns: None,
            }));
        }
        held.sort_by_key(|held| (held.closed_ns, held.receiver, held.number));
        self.held = held;
        Ok(())
    }

    /// The number after the highest of the receiver's that a scan saw.
    pub fn next_number(&self, receiver: u16) -> u32 {
        self.highest.get(&receiver).map_or(1, |number| number.saturating_add(1))
    }

    /// Takes over a file that was closed just now.
    pub fn hold(&mut self, held: Held) {
        let place = self.held.partition_point(|other| other.closed_ns <= held.closed_ns);
        self.held.insert(place, held);
    }

    /// Deletes the oldest files until the bounds hold; `open_bytes` count, but the open files stay.
    pub fn trim(&mut self, bounds: Bounds, open_bytes: u64, now_ns: u64) -> io::Result<()> {
        let mut bytes = self.bytes() + open_bytes;
        let mut gone = 0;
        let mut outcome = Ok(());
        for held in &self.held {
            let too_old = now_ns.saturating_sub(held.closed_ns) > bounds.time_ns;
            if bytes <= bounds.size && !too_old {
                break;
            }
            match fs::remove_file(self.path(held.receiver, held.number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    outcome = Err(error);
                    break;
                }
                // Somebody else may have deleted it.
                _ => {}
            }
            bytes -= held.bytes;
            gone += 1;
        }
        self.held.drain(..gone);
        outcome
    }

    pub fn files(&self) -> usize {
        self.held.len()
    }

    pub fn bytes(&self) -> u64 {
        self.held.iter().map(|held| held.bytes).sum()
    }

    /// Receive time of the oldest datagram in closed files; looks into a file of an earlier run once.
    pub fn oldest_ns(&mut self) -> Option<u64> {
        let directory = &self.directory;
        self.held.iter_mut().find_map(|held| {
            let name = file_name(held.receiver, held.number);
            let first_ns = *held.first_ns.get_or_insert_with(|| first_ns(&directory.join(name)).unwrap_or(0));
            (first_ns > 0).then_some(first_ns)
        })
    }
}

fn modified_ns(metadata: &fs::Metadata) -> u64 {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    modified.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

fn first_ns(path: &Path) -> Option<u64> {
    let mut captures = Captures::open(&[path.to_owned()], &Options::default()).ok()?;
    let first = captures.next().ok()??;
    Some(first.ts_recv_ns)
}
