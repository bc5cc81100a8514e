//! What a slot holds, as a value: the top of book, its levels, and where it comes from.
//!
//! It is a plain copy of fixed size; making one and writing one allocates nothing.

use feeds::event::TradingState;

use super::layout::{LEVEL_WORDS, LEVELS_MAX, TOP_WORDS, flags, slot};
use super::seqlock::Word;
use crate::market::{Level, Origin, Quality, Quote};

/// Levels of one side, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    count: u8,
    levels: [Level; LEVELS_MAX],
}

impl Default for Levels {
    fn default() -> Self {
        Levels { count: 0, levels: [Level { price: 0, quantity: 0 }; LEVELS_MAX] }
    }
}

impl Levels {
    /// Appends one; `false` when there are [`LEVELS_MAX`] already.
    #[inline]
    pub fn push(&mut self, level: Level) -> bool {
        let Some(free) = self.levels.get_mut(usize::from(self.count)) else { return false };
        *free = level;
        self.count += 1;
        true
    }

    /// They.
    #[inline]
    pub fn as_slice(&self) -> &[Level] {
        &self.levels[..usize::from(self.count)]
    }
}

/// One view at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Image {
    /// Best, round-lot best, quality.
    pub quote: Quote,
    /// The trading state as the feed said it; it may be known while the quality is suspect.
    pub state: TradingState,
    /// The packet that it comes from.
    pub origin: Origin,
    /// When it was written, nanoseconds since 1970 UTC.
    pub ts_published_ns: u64,
    /// Bid and ask levels, as many as the file has at most. A quote that is no book has none.
    pub levels: [Levels; 2],
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

/// Position of a field among the words behind the version.
#[inline]
const fn at(word: usize) -> usize {
    word - 1
}

/// Words behind the version and before the levels.
const TOP: usize = at(TOP_WORDS);
const NOTHING: Level = Level { price: 0, quantity: 0 };

impl Image {
    /// Stores it into the words behind a version; `levels` per side at most. Words behind the last level stay.
    #[inline]
    pub(super) fn store<W: Word>(&self, levels: usize, words: &[W]) {
        let Some((top, ladder)) = words.split_first_chunk::<TOP>() else { return };
        let [bids, asks] = [0, 1].map(|s: usize| {
            let shown = self.levels[s].as_slice();
            &shown[..shown.len().min(levels)]
        });
        let best = [self.quote.best[0], self.quote.best[1], self.quote.round_lot[0], self.quote.round_lot[1]];
        let mut bits = (self.quote.quality as u64) << flags::QUALITY
            | state_code(self.state) << flags::STATE
            | (bids.len() as u64) << flags::BID_LEVELS
            | (asks.len() as u64) << flags::ASK_LEVELS;
        for (n, level) in best.into_iter().enumerate() {
            bits |= u64::from(level.is_some()) << (flags::PRESENT + n as u32);
            let level = level.unwrap_or(NOTHING);
            top[at(slot::BEST) + 2 * n].store(level.price.cast_unsigned());
            top[at(slot::BEST) + 2 * n + 1].store(level.quantity);
        }
        top[at(slot::FLAGS)].store(bits);
        top[at(slot::SEQUENCE)].store(self.origin.sequence);
        top[at(slot::TS_EVENT_NS)].store(self.origin.ts_event_ns);
        top[at(slot::TS_RECV_NS)].store(self.origin.ts_recv_ns);
        top[at(slot::TS_PUBLISHED_NS)].store(self.ts_published_ns);
        top[at(slot::CAPTURE)].store(u64::from(self.origin.capture));
        top[at(slot::FRAME)].store(self.origin.frame);
        let rows = ladder.as_chunks::<LEVEL_WORDS>().0;
        for (n, row) in rows.iter().enumerate().take(bids.len().max(asks.len())) {
            for (side, shown) in [bids, asks].into_iter().enumerate() {
                let level = shown.get(n).unwrap_or(&NOTHING);
                row[2 * side].store(level.price.cast_unsigned());
                row[2 * side + 1].store(level.quantity);
            }
        }
    }

    /// The value that the words behind a version hold. Levels that `words` does not reach are left out.
    #[inline]
    pub(super) fn load<W: Word>(words: &[W]) -> Result<Image, Unreadable> {
        let (top, ladder) = words.split_first_chunk::<TOP>().ok_or(Unreadable)?;
        let bits = top[at(slot::FLAGS)].load();
        let byte = |shift: u32| usize::from((bits >> shift) as u8);
        let best = |n: usize| {
            let word = at(slot::BEST) + 2 * n;
            (bits >> (flags::PRESENT + n as u32) & 1 == 1).then(|| level(&top[word], &top[word + 1]))
        };
        let counts = [byte(flags::BID_LEVELS), byte(flags::ASK_LEVELS)];
        if counts.iter().any(|count| *count > LEVELS_MAX) {
            return Err(Unreadable);
        }
        let mut image = Image {
            quote: Quote {
                best: [best(0), best(1)],
                round_lot: [best(2), best(3)],
                quality: *QUALITIES.get(byte(flags::QUALITY)).ok_or(Unreadable)?,
            },
            state: *STATES.get(byte(flags::STATE)).ok_or(Unreadable)?,
            origin: Origin {
                ts_event_ns: top[at(slot::TS_EVENT_NS)].load(),
                ts_recv_ns: top[at(slot::TS_RECV_NS)].load(),
                sequence: top[at(slot::SEQUENCE)].load(),
                capture: u32::try_from(top[at(slot::CAPTURE)].load()).map_err(|_| Unreadable)?,
                frame: top[at(slot::FRAME)].load(),
            },
            ts_published_ns: top[at(slot::TS_PUBLISHED_NS)].load(),
            levels: [Levels::default(); 2],
        };
        let rows = ladder.as_chunks::<LEVEL_WORDS>().0;
        for (side, levels) in image.levels.iter_mut().enumerate() {
            let count = counts[side].min(rows.len());
            for (shown, row) in levels.levels.iter_mut().zip(&rows[..count]) {
                *shown = level(&row[2 * side], &row[2 * side + 1]);
            }
            levels.count = count as u8;
        }
        Ok(image)
    }
}

#[inline]
fn level<W: Word>(price: &W, quantity: &W) -> Level {
    Level { price: price.load().cast_signed(), quantity: quantity.load() }
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
