//! A reader of a book file, in any process that may read the file. It maps it read-only and never asks the writer.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use super::error::{ReadError, ShmError};
use super::image::{Image, Unreadable, limits};
use super::layout::{
    ENTRY_WORDS, FEED_BYTES, HEADER_WORDS, MAGIC, NAME_BYTES, SOURCE_BYTES, Shape, Slots, TOP_WORDS,
    VENUE_BYTES, VERSION, WORD, entry, header, text_from_words,
};
use super::map::{Map, Memory};
use super::process::Process;
use super::seqlock::{self, Word};
use super::{SlotId, TRIES, WriterState, state_of};

/// The header's constant part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// The daemon's name.
    pub name: String,
    /// The source's.
    pub source: String,
    /// Its feed.
    pub feed: String,
    /// Its venue's MIC, where it has one.
    pub venue: Option<String>,
    /// Greater than that of every earlier file of the name.
    pub epoch: u64,
    /// When the file was made, nanoseconds since 1970 UTC.
    pub created_ns: u64,
    /// The writer's process.
    pub writer: Process,
    /// Slots and levels.
    pub shape: Shape,
}

/// What a slot belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The instrument's name.
    pub instrument: String,
    /// The venue's MIC; `None` for the best over all venues.
    pub venue: Option<String>,
}

/// A slot's content and its number of updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// How often the slot was written; it never runs backwards.
    pub updates: u64,
    /// What it held then.
    pub image: Image,
}

/// See the module.
#[derive(Debug)]
pub struct Reader<M: Memory = Map> {
    memory: M,
    title: Title,
    slots: Slots,
    /// Of the flags of a slot.
    limits: u64,
    file: Option<(PathBuf, u64, u64)>,
}

impl Reader<Map> {
    /// Opens a book file.
    ///
    /// # Errors
    /// [`ShmError`]: what the system says, or why this is no book that this version reads.
    pub fn open(path: &Path) -> Result<Self, ShmError> {
        let io = |doing| move |source| ShmError::Io { path: path.to_owned(), doing, source };
        let foreign = |why: String| ShmError::Foreign { path: path.to_owned(), why };
        let file = File::open(path).map_err(io("open"))?;
        let found = file.metadata().map_err(io("look at"))?;
        let length = found.len();
        if !found.is_file() || length < (HEADER_WORDS * WORD) as u64 {
            return Err(foreign(format!("is no shared book: {length} bytes are no header")));
        }
        let head = Map::readable(&file, HEADER_WORDS * WORD).map_err(io("map"))?;
        let shape = shape_of(head.words(), length).map_err(foreign)?;
        let map = Map::readable(&file, shape.file_bytes()).map_err(io("map"))?;
        let title = title_of(map.words(), shape);
        let file = Some((path.to_owned(), found.dev(), found.ino()));
        Ok(Reader { memory: map, title, slots: shape.places(), limits: limits(shape.levels), file })
    }

    /// Whether another file lies at the path by now, or none: the writer was started anew, and this one is history.
    pub fn replaced(&self) -> bool {
        self.file.as_ref().is_some_and(|(path, device, inode)| {
            fs::metadata(path).map_or(true, |m| (m.dev(), m.ino()) != (*device, *inode))
        })
    }
}

/// The shape that a header names, when it is one that this version makes, and the file is as long as it says.
fn shape_of<W: Word>(words: &[W], length: u64) -> Result<Shape, String> {
    let word = |at: usize| words.get(at).map_or(0, Word::load);
    if word(header::MAGIC) != MAGIC {
        return Err(if word(header::MAGIC) == MAGIC.swap_bytes() {
            "was written by a machine of the other byte order".to_owned()
        } else {
            "is no shared book: it does not begin with PLXBOOK".to_owned()
        });
    }
    if word(header::VERSION) != VERSION {
        let found = word(header::VERSION);
        return Err(format!("has layout version {found}, and this program reads version {VERSION}"));
    }
    let number = |at| usize::try_from(word(at)).unwrap_or(usize::MAX);
    let shape = Shape { slots: number(header::SLOTS), levels: number(header::LEVELS) };
    if !shape.is_possible() {
        return Err(format!("names {} slots and {} levels, which cannot be", shape.slots, shape.levels));
    }
    if let Some((at, value)) = shape.header().into_iter().find(|(at, value)| word(*at) != *value) {
        let found = word(at);
        return Err(format!("contradicts itself: word {at} of the header is {found}, not {value}"));
    }
    if length < shape.file_bytes() as u64 {
        return Err(format!("is cut off: {length} of {} bytes", shape.file_bytes()));
    }
    Ok(shape)
}

fn title_of<W: Word>(words: &[W], shape: Shape) -> Title {
    // Partner: the release fence that ends `initialise`.
    W::fence_acquire();
    let text = |at: usize, bytes: usize| {
        text_from_words(&words[at..at + bytes / WORD].iter().map(Word::load).collect::<Vec<_>>())
    };
    Title {
        name: text(header::NAME, NAME_BYTES),
        source: text(header::SOURCE, SOURCE_BYTES),
        feed: text(header::FEED, FEED_BYTES),
        venue: Some(text(header::VENUE, VENUE_BYTES)).filter(|v| !v.is_empty()),
        epoch: words[header::EPOCH].load(),
        created_ns: words[header::CREATED_NS].load(),
        writer: Process {
            pid: words[header::PID].load(),
            start: words[header::PID_START].load(),
            namespace: words[header::PID_NAMESPACE].load(),
        },
        shape,
    }
}

impl<M: Memory> Reader<M> {
    /// A reader of memory that is no file.
    ///
    /// # Errors
    /// Why it holds no book.
    pub fn on(memory: M) -> Result<Self, String> {
        let shape = shape_of(memory.words(), (memory.words().len() * WORD) as u64)?;
        let title = title_of(memory.words(), shape);
        Ok(Reader { memory, title, slots: shape.places(), limits: limits(shape.levels), file: None })
    }

    /// Who writes it, for what.
    pub fn title(&self) -> &Title {
        &self.title
    }

    fn word(&self, at: usize) -> u64 {
        Word::load(&self.memory.words()[at])
    }

    /// Slots in use; it only grows.
    pub fn count(&self) -> usize {
        let count = self.word(header::COUNT);
        // Partner: the release store of the count in `Writer::add`.
        AtomicU64::fence_acquire();
        usize::try_from(count).unwrap_or(usize::MAX).min(self.title.shape.slots)
    }

    /// Views that have no slot.
    pub fn overflow(&self) -> u64 {
        self.word(header::OVERFLOW)
    }

    /// Renamed entries so far: who keeps what [`Reader::find`] answered asks again when this has moved.
    pub fn renames(&self) -> u64 {
        let renames = self.word(header::RENAMES);
        // Partner: the release store in `Writer::rename`.
        AtomicU64::fence_acquire();
        renames
    }

    /// What a slot belongs to.
    ///
    /// # Errors
    /// [`ReadError::NoSlot`], or [`ReadError::Torn`] while it is being renamed.
    pub fn entry(&self, slot: SlotId) -> Result<Entry, ReadError> {
        let mut words = [0; ENTRY_WORDS - 1];
        self.entry_words(slot, &mut words)?;
        let (name, mic) = words.split_at(entry::VENUE - entry::INSTRUMENT);
        let venue = Some(text_from_words(mic)).filter(|v| !v.is_empty());
        Ok(Entry { instrument: text_from_words(name), venue })
    }

    fn entry_words(&self, slot: SlotId, words: &mut [u64; ENTRY_WORDS - 1]) -> Result<(), ReadError> {
        if slot.index() >= self.count() {
            return Err(ReadError::NoSlot);
        }
        let at = self.title.shape.entry_at(slot.index());
        let cell = &self.memory.words()[at..at + ENTRY_WORDS];
        seqlock::read(cell, words, TRIES).map_err(|seqlock::Torn| ReadError::Torn)?;
        Ok(())
    }

    /// Every slot in use with what it belongs to, in the order of first sight.
    pub fn entries(&self) -> impl Iterator<Item = (SlotId, Entry)> + '_ {
        let slots = (0..self.count() as u32).map(SlotId);
        slots.filter_map(|slot| self.entry(slot).ok().map(|entry| (slot, entry)))
    }

    /// The slot of a view; `venue` is a MIC, `None` the best over all venues. It looks at every entry: keep the answer.
    pub fn find(&self, instrument: &str, venue: Option<&str>) -> Option<SlotId> {
        let wanted = super::writer::entry_words(instrument, venue.unwrap_or_default())?;
        let mut words = [0; ENTRY_WORDS - 1];
        (0..self.count() as u32)
            .map(SlotId)
            .find(|slot| self.entry_words(*slot, &mut words).is_ok() && words == wanted)
    }

    /// What a slot shows now, all of one moment.
    ///
    /// # Errors
    /// [`ReadError`]; after [`ReadError::Torn`] ask [`Reader::writer_state`] whether trying again makes sense.
    #[inline]
    pub fn read(&self, slot: SlotId) -> Result<Read, ReadError> {
        let mut image = Image::default();
        self.read_into(slot, &mut image).map(|updates| Read { updates, image })
    }

    /// Like [`Reader::read`] with a single try: for a reader that has something else to do than to wait for a write.
    ///
    /// # Errors
    /// Like [`Reader::read`]; [`ReadError::Torn`] is normal here.
    #[inline]
    pub fn try_read(&self, slot: SlotId) -> Result<Read, ReadError> {
        let mut image = Image::default();
        self.read_words(slot, &mut image, (self.slots.used, 1), Image::load)
            .map(|updates| Read { updates, image })
    }

    /// Like [`Reader::read`], without the levels.
    ///
    /// # Errors
    /// Like [`Reader::read`].
    #[inline]
    pub fn read_top(&self, slot: SlotId) -> Result<Read, ReadError> {
        let mut image = Image::default();
        self.read_top_into(slot, &mut image).map(|updates| Read { updates, image })
    }

    /// Makes `image` what a slot shows now, all of one moment, and answers how often the slot was written. For a
    /// reader in a loop: the image is kept, and no more of it is written than the slot holds.
    ///
    /// # Errors
    /// Like [`Reader::read`]; `image` then holds nothing that may be believed.
    #[inline]
    pub fn read_into(&self, slot: SlotId, image: &mut Image) -> Result<u64, ReadError> {
        self.read_words(slot, image, (self.slots.used, TRIES), Image::load)
    }

    /// Like [`Reader::read_into`], without the levels: the image has none afterwards.
    ///
    /// # Errors
    /// Like [`Reader::read_into`].
    #[inline]
    pub fn read_top_into(&self, slot: SlotId, image: &mut Image) -> Result<u64, ReadError> {
        let updates = self.read_words(slot, image, (TOP_WORDS, TRIES), Image::load_top)?;
        image.clear_levels();
        Ok(updates)
    }

    #[inline]
    fn read_words(
        &self,
        slot: SlotId,
        image: &mut Image,
        (used, tries): (usize, u32),
        take: impl Fn(&mut Image, &[AtomicU64]),
    ) -> Result<u64, ReadError> {
        let at = self.slots.at(slot.index());
        let Some(cell) = self.memory.words().get(at..at + used) else { return Err(ReadError::NoSlot) };
        match seqlock::read_with(cell, tries, |words| take(image, words)) {
            // Nothing was ever written to a slot that is not in use, so only here is it worth asking which of the two it is.
            Ok((0, ())) if slot.index() >= self.count() => Err(ReadError::NoSlot),
            Ok((0, ())) => Err(ReadError::Empty),
            Ok((version, ())) => match image.check(self.limits) {
                Ok(()) => Ok(version / 2),
                Err(Unreadable) => Err(ReadError::Unreadable),
            },
            Err(seqlock::Torn) => Err(ReadError::Torn),
        }
    }

    /// When the writer last gave a sign of life, nanoseconds since 1970 UTC.
    pub fn heartbeat_ns(&self) -> u64 {
        self.word(header::HEARTBEAT_NS)
    }

    /// How the writer is at `now_ns`, the wall's time. It looks into `/proc`: not for every read.
    pub fn writer_state(&self, now_ns: u64) -> WriterState {
        // A writer that closes and ends is gone after it closed: the later look at `closed` is the one that counts.
        let gone = self.title.writer.is_gone();
        let closed = self.word(header::CLOSED) != 0;
        // Partner: the release store in `Writer::close`.
        AtomicU64::fence_acquire();
        state_of(closed, gone, self.heartbeat_ns(), now_ns)
    }
}
