//! Directories: whether they are there, can be written, and have the room that was promised.

use std::path::Path;

use super::{Findings, Level, Machine};
use crate::config::Config;
use crate::config::live::SharedMemory;
use crate::config::reader::size_text;
use crate::run::place;

pub(super) fn examine(config: &Config, machine: &Machine, findings: &mut Findings) {
    let live = &config.live;
    let directory = place::directory(live.run.directory.as_deref(), &place::Environment::here());
    writable("run.directory", &directory, 0, machine, findings);
    if let Some(shared) = &live.shared_memory {
        let needed = books_bytes(shared).saturating_mul(config.sources.len() as u64);
        writable("shared_memory.directory", &shared.directory, needed, machine, findings);
    }
    if let Some(log) = &live.alerts.log {
        let needed = live.alerts.log_size.saturating_mul(u64::from(live.alerts.log_files));
        let folder = log.parent().filter(|folder| !folder.as_os_str().is_empty());
        writable("alerts.log", folder.unwrap_or(Path::new(".")), needed, machine, findings);
    }
    if let Some(recorder) = &live.recorder {
        // What earlier recordings take is room that the recorder may use again.
        let taken = taken(&recorder.directory, machine);
        let needed = recorder.keep_size.saturating_sub(taken);
        writable("recorder.directory", &recorder.directory, needed, machine, findings);
    }
}

/// What one source's book file may take, rounded up: header and directory, and per slot a cache line or two for the top
/// and 32 bytes per level.
fn books_bytes(shared: &SharedMemory) -> u64 {
    let slot = (128 + 32 * shared.levels as u64).next_multiple_of(128);
    1024 + shared.instruments as u64 * (64 + slot)
}

fn taken(folder: &Path, machine: &Machine) -> u64 {
    let Ok(entries) = std::fs::read_dir(machine.path_near(folder)) else { return 0 };
    let bytes = entries.flatten().filter_map(|entry| entry.metadata().ok()).filter(|m| m.is_file());
    bytes.map(|m| m.len()).sum()
}

/// The directory itself, or the nearest one above it that is there.
fn writable(about: &str, folder: &Path, needed: u64, machine: &Machine, findings: &mut Findings) {
    let shown = folder.display();
    let there = folder.ancestors().find(|above| machine.path_near(above).exists());
    let there = there.filter(|there| !there.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = machine.path_near(there);
    // A file without a name: it leaves no trace (O_TMPFILE, open(2)).
    if let Err(error) = tempfile::tempfile_in(&place) {
        let read = match there == folder {
            true => format!("{shown} cannot be written: {error}"),
            false => format!("{shown} is not there, and cannot be made in {}: {error}", there.display()),
        };
        let mend = format!("install -d -o USER -m 750 {shown}");
        findings.push(Level::Bad, about, read, "what belongs there is lost", Some(mend));
        return;
    }
    let read = match there == folder {
        true => format!("{shown} can be written"),
        false => format!("{shown} will be made in {}", there.display()),
    };
    match (machine.space)(&place) {
        _ if needed == 0 => findings.well(about, read),
        None => {
            let why = format!("whether {} fit there is not known", size_text(needed));
            findings.push(Level::Unknown, about, format!("{read}; its room cannot be read"), why, None);
        }
        Some(space) if space.free < needed => {
            let (free, needed) = (size_text(space.free), size_text(needed));
            let read = format!("{read}; {free} are free, and up to {needed} may be needed");
            let mend = "make room, name another directory, or keep less".to_owned();
            findings.push(
                Level::Warning,
                about,
                read,
                "it will be full before its limit is reached",
                Some(mend),
            );
        }
        Some(_) => findings.well(about, format!("{read}; room for {}", size_text(needed))),
    }
}
