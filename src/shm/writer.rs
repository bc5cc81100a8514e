//! The one writer of a source's book file.
//!
//! Publishing is wait-free: stores into mapped memory, no allocation, no system call, nobody asked. A file appears
//! whole: it is made under another name and moved to its place, so that no reader ever meets half a header. While it
//! lives, the writer holds a lock on the file, which ends with the process however that ends: that, and not an id in
//! a header, keeps two writers apart.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::ShmError;
use super::image::Image;
use super::layout::{
    ENTRY_WORDS, FEED_BYTES, HEADER_WORDS, LEVELS_MAX, NAME_BYTES, SLOTS_MAX, SOURCE_BYTES, Shape, Slots,
    VENUE_BYTES, WORD, entry, header, text_to_words,
};
use super::map::{Map, Memory, allocate};
use super::process::Process;
use super::{Papers, SlotId, book_path, seqlock};
use crate::lock::Locked;

/// The writer of a source's books.
#[derive(Debug)]
pub struct Writer<M: Memory = Map> {
    memory: M,
    shape: Shape,
    slots: Slots,
    count: usize,
    overflow: u64,
    renames: u64,
    /// Locked as long as it is open.
    file: Option<(Locked, PathBuf)>,
}

impl Writer<Map> {
    /// Makes `DIRECTORY/NAME.SOURCE.book`, in place of the one that a dead writer left there. `now_ns` is the wall's
    /// time, nanoseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`ShmError`]: a name or shape that cannot be, a living writer of the same file, or what the system says.
    pub fn create(
        directory: &Path,
        papers: &Papers<'_>,
        shape: Shape,
        now_ns: u64,
    ) -> Result<Self, ShmError> {
        check(papers, shape)?;
        let path = book_path(directory, papers.name, papers.source);
        let io = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| ShmError::Io { path, doing, source }
        };
        fs::create_dir_all(directory).map_err(io("make the directory", directory))?;
        let made = path.with_file_name(format!(
            ".{}.{}",
            path.file_name().unwrap_or_default().display(),
            std::process::id()
        ));
        // What a process of the same id left there when it died half-way.
        let _ = fs::remove_file(&made);
        let done = (|| {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create_new(true).open(&made);
            let file = file.map_err(io("make", &made))?;
            let file = Locked::hold(file).map_err(|e| io("lock", &made)(e.into()))?;
            allocate(&file, shape.file_bytes()).map_err(io("find room for", &made))?;
            let map = Map::writable(&file, shape.file_bytes()).map_err(io("map", &made))?;
            place(&made, &path, |old_epoch| {
                initialise(map.words(), papers, shape, Process::current(), now_ns, old_epoch);
            })?;
            Ok(Writer {
                memory: map,
                shape,
                slots: shape.places(),
                count: 0,
                overflow: 0,
                renames: 0,
                file: Some((file, path.clone())),
            })
        })();
        if done.is_err() {
            // It did not get to its place; that it cannot be removed either would only hide the first error.
            let _ = fs::remove_file(&made);
        }
        done
    }

    /// Where the file lies.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(_, path)| path.as_path())
    }
}

/// Moves `made` to `path`, unless a living writer holds that. `fill` is told the epoch of what was there.
fn place(made: &Path, path: &Path, fill: impl Fn(u64)) -> Result<(), ShmError> {
    let io = |doing| move |source| ShmError::Io { path: path.to_owned(), doing, source };
    // Each round that is not the last one found that another process had changed what lies there.
    for _ in 0..16 {
        let old = match File::open(path) {
            Ok(old) => old,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                fill(0);
                // Unlike a rename, a link fails when somebody else was faster.
                match fs::hard_link(made, path) {
                    Ok(()) => return fs::remove_file(made).map_err(io("tidy up beside")),
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                    Err(e) => return Err(io("put in place")(e)),
                }
            }
            Err(e) => return Err(io("open the earlier file")(e)),
        };
        let words = first_words(&old);
        let old = match Locked::hold(old) {
            Ok(old) => old,
            Err(TryLockError::WouldBlock) => {
                return Err(ShmError::Taken { path: path.to_owned(), pid: words[header::PID] });
            }
            Err(TryLockError::Error(e)) => return Err(io("lock the earlier file")(e)),
        };
        let here = fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
        let mine = old.metadata().map(|m| (m.dev(), m.ino())).ok();
        if here.is_some() && here == mine {
            fill(words[header::EPOCH]);
            return fs::rename(made, path).map_err(io("replace"));
        }
    }
    Err(ShmError::Contested { path: path.to_owned() })
}

/// The first words of a file, zeros where it has none.
fn first_words(file: &File) -> [u64; HEADER_WORDS] {
    use std::os::unix::fs::FileExt;
    let mut bytes = [0; HEADER_WORDS * WORD];
    let mut words = [0; HEADER_WORDS];
    if file.read_exact_at(&mut bytes, 0).is_ok() {
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
    }
    words
}

fn check(papers: &Papers<'_>, shape: Shape) -> Result<(), ShmError> {
    for (what, text, most) in
        [("the name", papers.name, NAME_BYTES), ("the source", papers.source, SOURCE_BYTES)]
    {
        let bad = |c: char| c == '/' || c.is_control();
        if text.is_empty() || text.len() > most || text.starts_with('.') || text.contains(bad) {
            return Err(ShmError::Name { what, text: text.to_owned(), most });
        }
    }
    let venue = papers.venue.unwrap_or_default();
    for (what, text, most) in [("the feed", papers.feed, FEED_BYTES), ("the venue", venue, VENUE_BYTES)] {
        if text.len() > most || text.contains('\0') {
            return Err(ShmError::Name { what, text: text.to_owned(), most });
        }
    }
    if !shape.is_possible() {
        let Shape { slots, levels } = shape;
        return Err(ShmError::Shape { slots, levels, slots_max: SLOTS_MAX, levels_max: LEVELS_MAX });
    }
    Ok(())
}

/// Fills the header of memory that nobody else sees yet.
pub(super) fn initialise<W: seqlock::Word>(
    words: &[W],
    papers: &Papers<'_>,
    shape: Shape,
    process: Process,
    now_ns: u64,
    old_epoch: u64,
) {
    let mut image = [0; HEADER_WORDS];
    for (at, value) in shape.header() {
        image[at] = value;
    }
    image[header::EPOCH] = now_ns.max(old_epoch.saturating_add(1));
    image[header::CREATED_NS] = now_ns;
    image[header::PID] = process.pid;
    image[header::PID_START] = process.start;
    image[header::PID_NAMESPACE] = process.namespace;
    image[header::HEARTBEAT_NS] = now_ns;
    for (at, bytes, text) in [
        (header::NAME, NAME_BYTES, papers.name),
        (header::SOURCE, SOURCE_BYTES, papers.source),
        (header::FEED, FEED_BYTES, papers.feed),
        (header::VENUE, VENUE_BYTES, papers.venue.unwrap_or_default()),
    ] {
        text_to_words(text, &mut image[at..at + bytes / WORD]);
    }
    for (word, value) in words.iter().zip(image) {
        word.store(value);
    }
    // Partner: the acquire fence of a reader after its first look at the header. Between processes the move into
    // place orders it already.
    W::fence_release();
}

impl<M: Memory> Writer<M> {
    /// A writer on memory that is no file, and that nobody reads yet; `None` when it is too small.
    pub fn on(memory: M, papers: &Papers<'_>, shape: Shape, now_ns: u64) -> Option<Self> {
        if check(papers, shape).is_err() || memory.words().len() < shape.file_words() {
            return None;
        }
        let nobody = Process { pid: 0, start: 0, namespace: 0 };
        initialise(memory.words(), papers, shape, nobody, now_ns, 0);
        Some(Writer { memory, shape, slots: shape.places(), count: 0, overflow: 0, renames: 0, file: None })
    }

    fn word(&self, at: usize) -> &std::sync::atomic::AtomicU64 {
        &self.memory.words()[at]
    }

    /// Gives a view the next slot; `None`, and one more [`Writer::overflow`], when there is none left, or when the
    /// name does not fit. `venue` is a MIC, `None` the best over all venues.
    pub fn add(&mut self, instrument: &str, venue: Option<&str>) -> Option<SlotId> {
        let slot = SlotId(u32::try_from(self.count).ok()?);
        let words = entry_words(instrument, venue.unwrap_or_default());
        let Some(words) = words.filter(|_| self.count < self.shape.slots) else {
            self.overflow += 1;
            seqlock::Word::store(self.word(header::OVERFLOW), self.overflow);
            return None;
        };
        seqlock::write(self.entry(slot), &words);
        self.count += 1;
        // Partner: the acquire fence after the count in `Reader::count`: who sees the count sees the entry.
        seqlock::Word::store_release(self.word(header::COUNT), self.count as u64);
        Some(slot)
    }

    /// Gives a slot's view another instrument name; `false` when it does not fit, and the old one stays.
    pub fn rename(&mut self, slot: SlotId, instrument: &str, venue: Option<&str>) -> bool {
        let Some(words) = entry_words(instrument, venue.unwrap_or_default()) else { return false };
        if slot.index() >= self.count {
            return false;
        }
        seqlock::write(self.entry(slot), &words);
        self.renames += 1;
        // Partner: the acquire fence in `Reader::renames`: who sees the count sees the new name.
        seqlock::Word::store_release(self.word(header::RENAMES), self.renames);
        true
    }

    fn entry(&self, slot: SlotId) -> &[std::sync::atomic::AtomicU64] {
        let at = self.shape.entry_at(slot.index());
        &self.memory.words()[at..at + ENTRY_WORDS]
    }

    /// Shows a view as it is now. Levels beyond what the file has room for are left out. A slot that this writer
    /// did not give out is ignored.
    #[inline]
    pub fn publish(&mut self, slot: SlotId, image: &Image) {
        if slot.index() >= self.count {
            return;
        }
        let at = self.slots.at(slot.index());
        let cell = &self.memory.words()[at..at + self.slots.used];
        seqlock::write_with(cell, |words| image.store(words));
    }

    /// A sign of life, at least every 100 ms, traffic or none. `now_ns` is the wall's time, nanoseconds since 1970 UTC.
    #[inline]
    pub fn heartbeat(&mut self, now_ns: u64) {
        // No partner: it says nothing of other words.
        seqlock::Word::store(self.word(header::HEARTBEAT_NS), now_ns);
    }

    /// Slots in use.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Views that have no slot: more than there is room for, or a name that does not fit.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Slots and levels.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Ends it orderly: readers are told so. The file stays, with what was last shown.
    pub fn close(self, now_ns: u64) {
        seqlock::Word::store(self.word(header::HEARTBEAT_NS), now_ns);
        // Partner: the acquire fence in `Reader::writer_state`: who sees it sees all that was published before.
        seqlock::Word::store_release(self.word(header::CLOSED), 1);
    }
}

/// An entry's words behind its version.
pub(super) fn entry_words(instrument: &str, venue: &str) -> Option<[u64; ENTRY_WORDS - 1]> {
    let mut words = [0; ENTRY_WORDS - 1];
    let (name, mic) = words.split_at_mut(entry::VENUE - entry::INSTRUMENT);
    (!instrument.is_empty() && text_to_words(instrument, name) && text_to_words(venue, mic)).then_some(words)
}
