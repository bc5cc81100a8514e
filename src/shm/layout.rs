//! Where everything lies in a book file: the layout of `docs/shared-memory.md`, in 64-bit words.
//!
//! A file is a header, a directory of one entry per slot, and the slots. Every number is a 64-bit word in the
//! machine's own byte order (the magic word tells it), every text is bytes filled up with NUL. Nothing here touches
//! memory; offsets that a file names are checked against what this version computes, never followed.

/// First word of a file: the bytes `PLXBOOK` and a line feed.
pub const MAGIC: u64 = u64::from_ne_bytes(*b"PLXBOOK\n");
/// Version of the layout. Any change of what stands here makes another version.
pub const VERSION: u64 = 1;

/// Bytes of a word.
pub const WORD: usize = 8;
/// Words of the header: 1,024 bytes.
pub const HEADER_WORDS: usize = 128;
/// Words of a directory entry: 64 bytes, a cache line.
pub const ENTRY_WORDS: usize = 8;
/// Words of a slot before its levels: 128 bytes, two cache lines.
pub const TOP_WORDS: usize = 16;
/// Words of a level: price and quantity of either side.
pub const LEVEL_WORDS: usize = 4;
/// Slots begin and end on this many words: 128 bytes, so that a neighbour's line is not fetched along with one's own.
pub const ALIGN_WORDS: usize = 16;
/// Levels per side at most.
pub const LEVELS_MAX: usize = 10;
/// Slots per file at most.
pub const SLOTS_MAX: usize = 1 << 20;

/// Bytes for an instrument's name.
pub const INSTRUMENT_BYTES: usize = 48;
/// Bytes for a MIC.
pub const VENUE_BYTES: usize = 8;
/// Bytes for the daemon's name.
pub const NAME_BYTES: usize = 48;
/// Bytes for a source's name.
pub const SOURCE_BYTES: usize = 64;
/// Bytes for a feed's name.
pub const FEED_BYTES: usize = 32;

/// Words of the header, by position.
pub mod header {
    /// [`MAGIC`](super::MAGIC).
    pub const MAGIC: usize = 0;
    /// [`VERSION`](super::VERSION).
    pub const VERSION: usize = 1;
    /// Bytes of the header.
    pub const HEADER_BYTES: usize = 2;
    /// Bytes of a directory entry.
    pub const ENTRY_BYTES: usize = 3;
    /// Bytes of a slot.
    pub const SLOT_BYTES: usize = 4;
    /// Slots that there is room for.
    pub const SLOTS: usize = 5;
    /// Levels per side.
    pub const LEVELS: usize = 6;
    /// Where the directory begins, bytes from the file's start.
    pub const DIRECTORY_OFFSET: usize = 7;
    /// Where the slots begin.
    pub const SLOTS_OFFSET: usize = 8;
    /// Bytes of the file.
    pub const FILE_BYTES: usize = 9;
    /// Greater than that of every earlier file of this name.
    pub const EPOCH: usize = 10;
    /// When the file was made, nanoseconds since 1970 UTC.
    pub const CREATED_NS: usize = 11;
    /// The writer's process.
    pub const PID: usize = 12;
    /// Its start, clock ticks since boot (field 22 of `/proc/PID/stat`); 0 when unknown.
    pub const PID_START: usize = 13;
    /// Inode of its process id namespace; 0 when unknown.
    pub const PID_NAMESPACE: usize = 14;
    /// The daemon's name, [`NAME_BYTES`](super::NAME_BYTES).
    pub const NAME: usize = 16;
    /// The source's name, [`SOURCE_BYTES`](super::SOURCE_BYTES).
    pub const SOURCE: usize = 22;
    /// Its feed, [`FEED_BYTES`](super::FEED_BYTES).
    pub const FEED: usize = 30;
    /// Its venue's MIC where it has one, [`VENUE_BYTES`](super::VENUE_BYTES).
    pub const VENUE: usize = 34;
    /// The writer's latest sign of life, nanoseconds since 1970 UTC. A cache line of its own begins here.
    pub const HEARTBEAT_NS: usize = 64;
    /// 1 after the writer closed the file, 0 before.
    pub const CLOSED: usize = 65;
    /// Slots in use. A cache line of its own begins here.
    pub const COUNT: usize = 80;
    /// Views that have no slot.
    pub const OVERFLOW: usize = 81;
    /// Renamed entries so far: who kept a name's slot looks again when this moves.
    pub const RENAMES: usize = 82;
}

/// Words of a directory entry: a cell of [`seqlock`](super::seqlock).
pub mod entry {
    /// Its version.
    pub const VERSION: usize = 0;
    /// The instrument's name, [`INSTRUMENT_BYTES`](super::INSTRUMENT_BYTES).
    pub const INSTRUMENT: usize = 1;
    /// The venue's MIC, [`VENUE_BYTES`](super::VENUE_BYTES); empty for the best over all venues.
    pub const VENUE: usize = 7;
}

/// Words of a slot: a cell of [`seqlock`](super::seqlock).
pub mod slot {
    /// Its version: twice the number of updates, odd while one is being written.
    pub const VERSION: usize = 0;
    /// Quality, state, presence and counts; see [`flags`](super::flags).
    pub const FLAGS: usize = 1;
    /// Sequence number of the message (or packet) that it comes from.
    pub const SEQUENCE: usize = 2;
    /// The venue's time, nanoseconds since 1970 UTC; 0 when the feed gives none.
    pub const TS_EVENT_NS: usize = 3;
    /// When the packet was received.
    pub const TS_RECV_NS: usize = 4;
    /// When this was written.
    pub const TS_PUBLISHED_NS: usize = 5;
    /// Price and quantity of the best bid, the best ask, the best round-lot bid and ask. Prices are signed, 1e-9.
    pub const BEST: usize = 6;
    /// Recording (or capture) that holds the packet.
    pub const CAPTURE: usize = 14;
    /// Frame of it, from 1.
    pub const FRAME: usize = 15;
    /// Levels: bid price, bid quantity, ask price, ask quantity.
    pub const LEVELS: usize = super::TOP_WORDS;
}

/// Bits of [`slot::FLAGS`].
pub mod flags {
    /// Lowest bit of the quality, 8 bits: ok, suspect, halted, auction, closed.
    pub const QUALITY: u32 = 0;
    /// Lowest bit of the trading state, 8 bits: unknown, trading, auction, halted, closed.
    pub const STATE: u32 = 8;
    /// One bit each: bid, ask, round-lot bid, round-lot ask is there.
    pub const PRESENT: u32 = 16;
    /// Lowest bit of the count of bid levels, 8 bits.
    pub const BID_LEVELS: u32 = 24;
    /// Lowest bit of the count of ask levels, 8 bits.
    pub const ASK_LEVELS: u32 = 32;

    /// The highest bit of every field that is a number: none that is written is so great.
    const HIGH: u64 = 0x80 << QUALITY | 0x80 << STATE | 0x80 << BID_LEVELS | 0x80 << ASK_LEVELS;
    const FIELDS: u64 = 0xFF << QUALITY | 0xFF << STATE | 0xFF << BID_LEVELS | 0xFF << ASK_LEVELS;

    /// The greatest number that each field may hold, all in one; none is above 127.
    pub const fn limits(quality: u64, state: u64, levels: u64) -> u64 {
        quality << QUALITY | state << STATE | levels << BID_LEVELS | levels << ASK_LEVELS
    }

    /// Whether no field of these flags is above its limit: all fields by one subtraction, in which none borrows from another.
    #[inline]
    pub const fn within(flags: u64, limits: u64) -> bool {
        flags & HIGH == 0 && ((limits | HIGH) - (flags & FIELDS)) & HIGH == HIGH
    }
}

/// How large a file is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Views that it has room for, 1 to [`SLOTS_MAX`].
    pub slots: usize,
    /// Levels per side, 0 to [`LEVELS_MAX`].
    pub levels: usize,
}

impl Shape {
    /// Whether there can be a file of this shape.
    pub const fn is_possible(self) -> bool {
        self.slots >= 1 && self.slots <= SLOTS_MAX && self.levels <= LEVELS_MAX
    }

    /// Words of a slot.
    #[inline]
    pub const fn slot_words(self) -> usize {
        (TOP_WORDS + LEVEL_WORDS * self.levels).next_multiple_of(ALIGN_WORDS)
    }

    /// Word at which an entry begins.
    #[inline]
    pub const fn entry_at(self, index: usize) -> usize {
        HEADER_WORDS + index * ENTRY_WORDS
    }

    /// Word at which a slot begins.
    #[inline]
    pub const fn slot_at(self, index: usize) -> usize {
        self.entry_at(self.slots).next_multiple_of(ALIGN_WORDS) + index * self.slot_words()
    }

    /// The same as numbers, for who looks at slots all the time.
    pub const fn places(self) -> Slots {
        let used = TOP_WORDS + LEVEL_WORDS * self.levels;
        Slots { first: self.slot_at(0), every: self.slot_words(), used }
    }

    /// Words of the file.
    pub const fn file_words(self) -> usize {
        self.slot_at(self.slots)
    }

    /// Bytes of the file.
    pub const fn file_bytes(self) -> usize {
        self.file_words() * WORD
    }

    /// Header words that follow from the shape, by position.
    pub fn header(self) -> [(usize, u64); 10] {
        let bytes = |words: usize| (words * WORD) as u64;
        [
            (header::MAGIC, MAGIC),
            (header::VERSION, VERSION),
            (header::HEADER_BYTES, bytes(HEADER_WORDS)),
            (header::ENTRY_BYTES, bytes(ENTRY_WORDS)),
            (header::SLOT_BYTES, bytes(self.slot_words())),
            (header::SLOTS, self.slots as u64),
            (header::LEVELS, self.levels as u64),
            (header::DIRECTORY_OFFSET, bytes(self.entry_at(0))),
            (header::SLOTS_OFFSET, bytes(self.slot_at(0))),
            (header::FILE_BYTES, bytes(self.file_words())),
        ]
    }
}

/// Where slots lie, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    first: usize,
    every: usize,
    /// Words of a slot that say something: the top and as many levels as there may be.
    pub used: usize,
}

impl Slots {
    /// Word at which a slot begins.
    #[inline]
    pub const fn at(self, index: usize) -> usize {
        self.first + index * self.every
    }
}

/// Writes `text` into words, filled up with NUL; `false`, and nothing written, when it is too long or holds a NUL.
pub fn text_to_words(text: &str, words: &mut [u64]) -> bool {
    if text.len() > words.len() * WORD || text.contains('\0') {
        return false;
    }
    let mut bytes = text.as_bytes().chunks(WORD);
    for word in words {
        let mut filled = [0; WORD];
        if let Some(chunk) = bytes.next() {
            filled[..chunk.len()].copy_from_slice(chunk);
        }
        *word = u64::from_ne_bytes(filled);
    }
    true
}

/// The text in words, up to the first NUL; bytes that are no UTF-8 are replaced.
pub fn text_from_words(words: &[u64]) -> String {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_ne_bytes()).take_while(|b| *b != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
