//! What a slot holds: the top of book, its levels, and where it comes from.
//!
//! An image keeps the words as they lie in the slot, and says what they mean when it is asked. So publishing and reading are
//! copies of the words that say something and of no others, and who looks at the bid alone pays for the bid alone.
//! It is of fixed size; making one, writing one and reading one allocate nothing.

use std::fmt;

use feeds::event::{Side, TradingState};

use super::layout::{LEVEL_WORDS, LEVELS_MAX, TOP_WORDS, flags, slot};
use super::seqlock::Word;
use crate::market::{Level, Origin, Quality, Quote};

/// One view at one moment.
#[derive(Clone, Copy, Default)]
pub struct Image {
    /// The words of a slot behind its version and before its levels.
    top: [u64; TOP],
    /// Those beyond the counts are left over from whatever was here before.
    rows: [[u64; LEVEL_WORDS]; LEVELS_MAX],
}

/// The words of a slot are none that this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

pub(super) const QUALITIES: [Quality; 5] =
    [Quality::Ok, Quality::Suspect, Quality::Halted, Quality::Auction, Quality::Closed];
pub(super) const STATES: [TradingState; 5] = [
    TradingState::Unknown,
    TradingState::Trading,
    TradingState::Auction,
    TradingState::Halted,
    TradingState::Closed,
];

/// Of flags, with so many levels at most.
pub(super) const fn limits(levels: usize) -> u64 {
    flags::limits(QUALITIES.len() as u64 - 1, STATES.len() as u64 - 1, levels as u64)
}

/// Position of a field among the words behind the version.
#[inline]
const fn at(word: usize) -> usize {
    word - 1
}

/// Words behind the version and before the levels.
const TOP: usize = at(TOP_WORDS);
const NOTHING: Level = Level { price: 0, quantity: 0 };
const COUNTS: u64 = 0xFF << flags::BID_LEVELS | 0xFF << flags::ASK_LEVELS;

impl Image {
    /// A view without levels. `ts_published_ns` is when it is written, nanoseconds since 1970 UTC; the state is as the feed
    /// said it, which may be known while the quality is suspect.
    #[inline]
    pub fn new(quote: &Quote, state: TradingState, origin: &Origin, ts_published_ns: u64) -> Image {
        let mut image = Image::default();
        image.show(quote, state, origin, ts_published_ns);
        image
    }

    /// Becomes what [`Image::new`] makes.
    #[inline]
    pub fn show(&mut self, quote: &Quote, state: TradingState, origin: &Origin, ts_published_ns: u64) {
        let top = &mut self.top;
        let mut bits = (quote.quality as u64) << flags::QUALITY | state_code(state) << flags::STATE;
        for (n, shown) in quote.best.iter().chain(&quote.round_lot).enumerate() {
            bits |= u64::from(shown.is_some()) << (flags::PRESENT + n as u32);
            let Level { price, quantity } = shown.unwrap_or(NOTHING);
            top[at(slot::BEST) + 2 * n] = price.cast_unsigned();
            top[at(slot::BEST) + 2 * n + 1] = quantity;
        }
        top[at(slot::FLAGS)] = bits;
        top[at(slot::SEQUENCE)] = origin.sequence;
        top[at(slot::TS_EVENT_NS)] = origin.ts_event_ns;
        top[at(slot::TS_RECV_NS)] = origin.ts_recv_ns;
        top[at(slot::TS_PUBLISHED_NS)] = ts_published_ns;
        top[at(slot::CAPTURE)] = u64::from(origin.capture);
        top[at(slot::FRAME)] = origin.frame;
    }

    /// Appends a level to a side, the best one first; `false` when there are [`LEVELS_MAX`] already.
    #[inline]
    pub fn push(&mut self, side: Side, level: Level) -> bool {
        let count = self.count(side);
        let Some(row) = self.rows.get_mut(count) else { return false };
        row[2 * side.index()] = level.price.cast_unsigned();
        row[2 * side.index() + 1] = level.quantity;
        self.top[at(slot::FLAGS)] += 1 << count_at(side);
        true
    }

    /// Forgets the levels.
    #[inline]
    pub const fn clear_levels(&mut self) {
        self.top[at(slot::FLAGS)] &= !COUNTS;
    }

    /// Best, round-lot best, quality.
    #[inline]
    pub fn quote(&self) -> Quote {
        let quality = QUALITIES.get(self.byte(flags::QUALITY)).copied().unwrap_or_default();
        Quote { best: [0, 1].map(|n| self.shown(n)), round_lot: [2, 3].map(|n| self.shown(n)), quality }
    }

    /// The best price of a side.
    #[inline]
    pub fn best(&self, side: Side) -> Option<Level> {
        self.shown(side.index())
    }

    /// The trading state as the feed said it.
    #[inline]
    pub fn state(&self) -> TradingState {
        STATES.get(self.byte(flags::STATE)).copied().unwrap_or_default()
    }

    /// The packet that it comes from.
    #[inline]
    pub const fn origin(&self) -> Origin {
        Origin {
            ts_event_ns: self.top[at(slot::TS_EVENT_NS)],
            ts_recv_ns: self.top[at(slot::TS_RECV_NS)],
            sequence: self.top[at(slot::SEQUENCE)],
            capture: self.top[at(slot::CAPTURE)] as u32,
            frame: self.top[at(slot::FRAME)],
        }
    }

    /// When it was written, nanoseconds since 1970 UTC.
    #[inline]
    pub const fn ts_published_ns(&self) -> u64 {
        self.top[at(slot::TS_PUBLISHED_NS)]
    }

    /// Levels of a side, best first, as many as the file has at most. A quote that is no book has none.
    #[inline]
    pub fn levels(&self, side: Side) -> impl ExactSizeIterator<Item = Level> + '_ {
        let (rows, word) = (&self.rows[..self.count(side).min(LEVELS_MAX)], 2 * side.index());
        rows.iter().map(move |row| Level { price: row[word].cast_signed(), quantity: row[word + 1] })
    }

    #[inline]
    const fn byte(&self, shift: u32) -> usize {
        (self.top[at(slot::FLAGS)] >> shift) as u8 as usize
    }

    #[inline]
    const fn count(&self, side: Side) -> usize {
        self.byte(count_at(side))
    }

    #[inline]
    fn shown(&self, n: usize) -> Option<Level> {
        let word = at(slot::BEST) + 2 * n;
        let level = Level { price: self.top[word].cast_signed(), quantity: self.top[word + 1] };
        (self.top[at(slot::FLAGS)] >> (flags::PRESENT + n as u32) & 1 == 1).then_some(level)
    }

    /// Rows that hold a level of either side.
    #[inline]
    fn depth(&self) -> usize {
        self.count(Side::Bid).max(self.count(Side::Ask))
    }

    /// Stores it into the words behind a version, as many levels as they have room for. Words behind the last level stay;
    /// of the shorter side that is left over there is stored along, since nobody looks beyond its count.
    #[inline]
    pub(super) fn store<W: Word>(&self, words: &[W]) {
        let Some((top, ladder)) = words.split_first_chunk::<TOP>() else { return };
        let ladder = ladder.as_chunks::<LEVEL_WORDS>().0;
        for (word, value) in top.iter().zip(&self.top) {
            word.store(*value);
        }
        let depth = self.depth();
        if depth > ladder.len() {
            top[at(slot::FLAGS)].store(self.flags_within(ladder.len()));
        }
        for (row, values) in ladder.iter().zip(&self.rows).take(depth) {
            row.iter().zip(values).for_each(|(word, value)| word.store(*value));
        }
    }

    /// The flags when there is room for so many levels only.
    #[cold]
    fn flags_within(&self, room: usize) -> u64 {
        let counts = [Side::Bid, Side::Ask].map(|side| (self.count(side).min(room) as u64) << count_at(side));
        self.top[at(slot::FLAGS)] & !COUNTS | counts[0] | counts[1]
    }

    /// Takes in the words behind a version, those of levels only as far as they say something. It may be a mixture of two
    /// writes: whoever knows that it is not asks [`Image::check`].
    #[inline]
    pub(super) fn load<W: Word>(&mut self, words: &[W]) {
        self.load_top(words);
        let ladder = words.get(TOP..).unwrap_or_default().as_chunks::<LEVEL_WORDS>().0;
        let depth = self.depth().min(ladder.len()).min(LEVELS_MAX);
        for (values, row) in self.rows[..depth].iter_mut().zip(&ladder[..depth]) {
            values.iter_mut().zip(row).for_each(|(value, word)| *value = word.load());
        }
    }

    /// The same without the levels, whose counts are taken in all the same.
    #[inline]
    pub(super) fn load_top<W: Word>(&mut self, words: &[W]) {
        let Some(top) = words.first_chunk::<TOP>() else { return };
        for (value, word) in self.top.iter_mut().zip(top) {
            *value = word.load();
        }
    }

    /// Whether this version writes such words, with flags within these [`limits`].
    #[inline]
    pub(super) const fn check(&self, limits: u64) -> Result<(), Unreadable> {
        let known = flags::within(self.top[at(slot::FLAGS)], limits)
            && self.top[at(slot::CAPTURE)] <= u32::MAX as u64;
        if known { Ok(()) } else { Err(Unreadable) }
    }
}

impl PartialEq for Image {
    fn eq(&self, other: &Self) -> bool {
        let levels = |side| self.levels(side).eq(other.levels(side));
        self.top == other.top && levels(Side::Bid) && levels(Side::Ask)
    }
}

impl Eq for Image {}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("quote", &self.quote())
            .field("state", &self.state())
            .field("origin", &self.origin())
            .field("ts_published_ns", &self.ts_published_ns())
            .field("bids", &self.levels(Side::Bid).collect::<Vec<_>>())
            .field("asks", &self.levels(Side::Ask).collect::<Vec<_>>())
            .finish()
    }
}

#[inline]
const fn count_at(side: Side) -> u32 {
    match side {
        Side::Bid => flags::BID_LEVELS,
        Side::Ask => flags::ASK_LEVELS,
    }
}

#[inline]
const fn state_code(state: TradingState) -> u64 {
    match state {
        TradingState::Unknown => 0,
        TradingState::Trading => 1,
        TradingState::Auction => 2,
        TradingState::Halted => 3,
        TradingState::Closed => 4,
    }
}
