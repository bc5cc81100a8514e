//! What was delivered lately: who was first with which number, and what it looked like.
//!
//! A fixed ring in the order of delivery, so it is sorted by position and never allocates after start.

/// Deliveries that are remembered.
const SIZE: usize = 16_384;

/// One delivery (a packet, or a piece of it).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) first: u64,
    pub(super) now_ns: u64,
    pub(super) count: u32,
    /// Fingerprint of the packet's content.
    pub(super) print: u32,
    pub(super) line: u32,
    /// The whole packet was delivered in one piece, so that prints of packets cut alike can be compared.
    pub(super) whole: bool,
}

impl Seen {
    #[inline]
    const fn contains(&self, position: u64) -> bool {
        self.first <= position && position < self.first + self.count as u64
    }
}

/// What is known of a number's first copy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// It is remembered.
    Seen(Seen),
    /// It is older than what is remembered, the oldest of which arrived then.
    Older(u64),
    /// It was not delivered.
    Never,
}

/// The ring.
#[derive(Debug)]
pub(super) struct Recent {
    ring: Vec<Seen>,
    /// Deliveries ever; the next one's index.
    head: u64,
    /// Index of the first delivery that counts (a new session forgets the old).
    tail: u64,
    /// Index of the numbering's first delivery; behind `tail` once some are forgotten.
    began: u64,
}

impl Recent {
    pub(super) fn new() -> Self {
        Recent { ring: vec![Seen::default(); SIZE], head: 0, tail: 0, began: 0 }
    }

    #[inline]
    pub(super) fn push(&mut self, seen: Seen) {
        self.ring[self.head as usize % SIZE] = seen;
        self.head += 1;
        self.tail = self.tail.max(self.head.saturating_sub(SIZE as u64));
    }

    pub(super) fn clear(&mut self) {
        (self.tail, self.began) = (self.head, self.head);
    }

    #[inline]
    fn at(&self, index: u64) -> &Seen {
        &self.ring[index as usize % SIZE]
    }

    /// Looks the position up. `cursor` is where the line's next copy is thought to be, and is moved on: copies come
    /// in the order of the first ones, so it is nearly always right.
    #[inline]
    pub(super) fn find(&self, position: u64, cursor: &mut u64) -> Found {
        if (self.tail..self.head).contains(cursor) && self.at(*cursor).contains(position) {
            let seen = *self.at(*cursor);
            *cursor += 1;
            return Found::Seen(seen);
        }
        self.search(position, cursor)
    }

    fn search(&self, position: u64, cursor: &mut u64) -> Found {
        let (mut low, mut high) = (self.tail, self.head);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle).first <= position { low = middle + 1 } else { high = middle }
        }
        if low == self.tail {
            return if self.began < self.tail {
                Found::Older(self.at(self.tail).now_ns)
            } else {
                Found::Never
            };
        }
        let seen = *self.at(low - 1);
        if !seen.contains(position) {
            return Found::Never;
        }
        *cursor = low;
        Found::Seen(seen)
    }
}

/// A fingerprint of a packet's content, to tell a repetition from other content under the same number. Reads at
/// most the first 64 and the last 8 bytes: there lie the times and numbers that differ.
pub(super) fn fingerprint(content: &[u8]) -> u32 {
    let mut sum = content.len() as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut mix = |lane: u64| {
        let wide = (sum ^ lane) as u128 * 0xD6E8_FEB8_6659_FD93;
        sum = wide as u64 ^ (wide >> 64) as u64;
    };
    let head = &content[..content.len().min(64)];
    let (lanes, rest) = head.as_chunks::<8>();
    lanes.iter().for_each(|lane| mix(u64::from_le_bytes(*lane)));
    mix(rest.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    if let Some(last) = content.last_chunk::<8>() {
        mix(u64::from_le_bytes(*last));
    }
    (sum ^ sum >> 32) as u32
}
