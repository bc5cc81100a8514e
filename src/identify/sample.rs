//! The numbers of a stream, and a sample of its packets that two streams can be compared by.
//!
//! A packet is in the sample when the scrambled form of its sequence number is among the smallest: two lines choose
//! the same packets, wherever each of them begins or has holes.

use std::collections::BTreeMap;

use feeds::feed::{PacketHeader, PacketKind};

/// Packets in a sample.
const SAMPLE_MAX: usize = 1_024;

/// What is known of a stream's packets once its feed is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// Session of the first packet with messages.
    pub session: u128,
    /// Lowest and highest sequence number of packets with messages.
    pub sequences: Option<(u64, u64)>,
    /// Scrambled sequence number to hash of the messages.
    sample: BTreeMap<u64, u64>,
}

/// How two samples compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap {
    /// Packets that both have.
    pub common: usize,
    /// Of these, packets with the same messages.
    pub equal: usize,
}

impl Overlap {
    /// Whether the streams are copies of each other: hardly a packet in common differs.
    pub fn is_copy(self) -> bool {
        self.common > 0 && self.equal * 10 >= self.common * 9
    }
}

impl Track {
    /// Takes one packet.
    pub fn take(&mut self, header: &PacketHeader, payload: &[u8]) {
        if !matches!(header.kind, PacketKind::Data | PacketKind::Reset) {
            return;
        }
        let (first, last) =
            (header.sequence, header.sequence.saturating_add(u64::from(header.count.max(1)) - 1));
        match &mut self.sequences {
            None => {
                self.sequences = Some((first, last));
                self.session = header.session;
            }
            Some((low, high)) => {
                *low = first.min(*low);
                *high = last.max(*high);
            }
        }
        let session = (header.session as u64) ^ (header.session >> 64) as u64;
        let key = scramble(first ^ scramble(session));
        let full = self.sample.len() >= SAMPLE_MAX;
        if full && self.sample.last_key_value().is_some_and(|(last, _)| key >= *last) {
            return;
        }
        // The first packet of a number counts: repeats on the same line tell nothing new.
        let messages = payload.get(header.len..).unwrap_or_default();
        self.sample.entry(key).or_insert_with(|| hash(messages));
        if self.sample.len() > SAMPLE_MAX {
            self.sample.pop_last();
        }
    }

    /// Adds what another piece of the same line has.
    pub fn join(&mut self, other: &Track) {
        self.sequences = match (self.sequences, other.sequences) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (mine, theirs) => mine.or(theirs),
        };
        for (key, hash) in &other.sample {
            self.sample.entry(*key).or_insert(*hash);
        }
        while self.sample.len() > SAMPLE_MAX {
            self.sample.pop_last();
        }
    }

    /// Compares two samples where both are whole: up to the end of the one that ends first, if it was cut.
    pub fn overlap(&self, other: &Track) -> Overlap {
        let end = |track: &Track| match track.sample.last_key_value() {
            Some((last, _)) if track.sample.len() >= SAMPLE_MAX => *last,
            _ => u64::MAX,
        };
        let end = end(self).min(end(other));
        let mut overlap = Overlap { common: 0, equal: 0 };
        for (key, hash) in self.sample.range(..=end) {
            if let Some(theirs) = other.sample.get(key) {
                overlap.common += 1;
                overlap.equal += usize::from(theirs == hash);
            }
        }
        overlap
    }
}

/// A bijection that leaves no order in the numbers (the finalizer of SplitMix64).
fn scramble(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
