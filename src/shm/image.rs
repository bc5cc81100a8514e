//! What a slot holds, as a value: the top of book, its levels, and where it comes from.
//!
//! It is a plain copy of fixed size; making one and writing one allocates nothing.

use feeds::event::TradingState;

use super::layout::{LEVEL_WORDS, LEVELS_MAX, TOP_WORDS, flags, slot};
use crate::market::{Level, Origin, Quality, Quote};

/// Words behind the version of the largest slot.
pub const WORDS_MAX: usize = TOP_WORDS - 1 + LEVEL_WORDS * LEVELS_MAX;

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
const fn at(word: usize) -> usize {
    word - 1
}

impl Image {
    /// The words behind the version, and how many of them there are; `levels` per side at most.
    #[inline]
    pub(super) fn to_words(self, levels: usize) -> ([u64; WORDS_MAX], usize) {
        let mut words = [0; WORDS_MAX];
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
            if let Some(level) = level {
                bits |= 1 << (flags::PRESENT + n as u32);
                words[at(slot::BEST) + 2 * n] = level.price.cast_unsigned();
                words[at(slot::BEST) + 2 * n + 1] = level.quantity;
            }
        }
        words[at(slot::FLAGS)] = bits;
        words[at(slot::SEQUENCE)] = self.origin.sequence;
        words[at(slot::TS_EVENT_NS)] = self.origin.ts_event_ns;
        words[at(slot::TS_RECV_NS)] = self.origin.ts_recv_ns;
        words[at(slot::TS_PUBLISHED_NS)] = self.ts_published_ns;
        words[at(slot::CAPTURE)] = u64::from(self.origin.capture);
        words[at(slot::FRAME)] = self.origin.frame;
        for (side, shown) in [bids, asks].into_iter().enumerate() {
            for (n, level) in shown.iter().enumerate() {
                let word = at(slot::LEVELS) + LEVEL_WORDS * n + 2 * side;
                words[word] = level.price.cast_unsigned();
                words[word + 1] = level.quantity;
            }
        }
        (words, at(slot::LEVELS) + LEVEL_WORDS * bids.len().max(asks.len()))
    }

    /// The value that the words behind a version hold. Levels that `words` does not reach are left out.
    #[inline]
    pub(super) fn from_words(words: &[u64]) -> Result<Image, Unreadable> {
        let (top, ladder) = words.split_at_checked(at(TOP_WORDS)).ok_or(Unreadable)?;
        let bits = top[at(slot::FLAGS)];
        let byte = |shift: u32| usize::from((bits >> shift) as u8);
        let best = |n: usize| {
            (bits >> (flags::PRESENT + n as u32) & 1 == 1).then(|| level(&top[at(slot::BEST) + 2 * n..]))
        };
        let mut levels = [Levels::default(); 2];
        for (side, count) in [byte(flags::BID_LEVELS), byte(flags::ASK_LEVELS)].into_iter().enumerate() {
            if count > LEVELS_MAX {
                return Err(Unreadable);
            }
            for row in ladder.chunks_exact(LEVEL_WORDS).take(count) {
                levels[side].push(level(&row[2 * side..]));
            }
        }
        Ok(Image {
            quote: Quote {
                best: [best(0), best(1)],
                round_lot: [best(2), best(3)],
                quality: *QUALITIES.get(byte(flags::QUALITY)).ok_or(Unreadable)?,
            },
            state: *STATES.get(byte(flags::STATE)).ok_or(Unreadable)?,
            origin: Origin {
                ts_event_ns: top[at(slot::TS_EVENT_NS)],
                ts_recv_ns: top[at(slot::TS_RECV_NS)],
                sequence: top[at(slot::SEQUENCE)],
                capture: u32::try_from(top[at(slot::CAPTURE)]).map_err(|_| Unreadable)?,
                frame: top[at(slot::FRAME)],
            },
            ts_published_ns: top[at(slot::TS_PUBLISHED_NS)],
            levels,
        })
    }
}

#[inline]
fn level(words: &[u64]) -> Level {
    Level { price: words[0].cast_signed(), quantity: words[1] }
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
