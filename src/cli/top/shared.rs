//! The screen's instrument across sources, out of shared memory: the daemon is not asked.

use std::path::PathBuf;

use super::instrument::{InstrumentView, Look};
use crate::market::Level;
use crate::shm::{self, ReadError, Reader, WriterState};

/// Books of the daemon of one name in one directory.
pub struct SharedBooks {
    directory: PathBuf,
    name: Option<String>,
    readers: Vec<(PathBuf, Reader)>,
}

impl SharedBooks {
    /// Of the daemon `name`, or of all.
    pub fn new(directory: PathBuf, name: Option<String>) -> SharedBooks {
        SharedBooks { directory, name, readers: Vec::new() }
    }

    /// Opens what is new and lets go of what a daemon has replaced.
    fn refresh(&mut self) -> Result<(), String> {
        let paths = shm::books_in(&self.directory)
            .map_err(|e| format!("the books in {} cannot be listed: {e}", self.directory.display()))?;
        self.readers.retain(|(path, reader)| paths.contains(path) && !reader.replaced());
        for path in paths {
            if self.readers.iter().all(|(known, _)| *known != path)
                && let Ok(reader) = Reader::open(&path)
                && self.name.as_ref().is_none_or(|name| *name == reader.title().name)
            {
                self.readers.push((path, reader));
            }
        }
        Ok(())
    }
}

impl InstrumentView for SharedBooks {
    fn look(&mut self, instrument: &str, now_ns: u64) -> Result<Vec<Look>, String> {
        self.refresh()?;
        if self.readers.is_empty() {
            return Err(format!("{} holds no shared books of this daemon", self.directory.display()));
        }
        let mut looks = Vec::new();
        for (_, reader) in &self.readers {
            let writer = reader.writer_state(now_ns);
            for (slot, entry) in reader.entries().filter(|(_, e)| e.instrument == instrument) {
                let mut look = Look {
                    source: reader.title().source.clone(),
                    venue: entry.venue.unwrap_or_default(),
                    ..Look::default()
                };
                match reader.read(slot) {
                    Ok(read) => {
                        let best = |l: Option<Level>| l.map(|l| (l.price, l.quantity));
                        [look.bid, look.ask] = read.image.quote().best.map(best);
                        look.quality = read.image.quote().quality.name().to_owned();
                        look.age_ns = Some(now_ns.saturating_sub(read.image.origin().ts_recv_ns));
                    }
                    Err(ReadError::Torn) => look.quality = "torn".to_owned(),
                    Err(ReadError::Unreadable) => look.quality = "unreadable".to_owned(),
                    Err(ReadError::Empty | ReadError::NoSlot) => look.quality = "empty".to_owned(),
                }
                if writer != WriterState::Alive {
                    look.quality = format!("{} (writer {})", look.quality, writer.name());
                }
                looks.push(look);
            }
        }
        if looks.is_empty() {
            return Err(format!("no source shows {instrument}"));
        }
        Ok(looks)
    }
}
