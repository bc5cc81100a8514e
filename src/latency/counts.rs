//! A histogram that is emptied often: counts by bucket, and which of them there are.
//!
//! Buckets and encoding are HdrHistogram's (three significant digits over one day in nanoseconds), so any reader of
//! interval logs reads it. An interval of a second fills some dozen of its 38 thousand buckets: closing one,
//! adding it to a total and encoding it cost by what was recorded, not by what could have been.

use std::io::{self, Write};

use super::recorder::SATURATION_NS;

/// Values keep three significant digits: a bucket is at most 0.1 % wide.
const DIGITS: u32 = 3;
/// Below this each value has a bucket of its own: the power of two at 2 * 10^digits or above.
const SINGLE: u64 = 2_048;
const HALF_BITS: u32 = 10;
/// Buckets.
const LEN: usize = index_of(SATURATION_NS) + 1;

const COOKIE: u32 = 0x1c84_9313;
const COOKIE_DEFLATED: u32 = 0x1c84_9314;
const HEADER_LEN: usize = 40;
/// What is shorter goes into the log as it is: making and filling a dictionary for it costs more than all the rest of
/// the line, and saves a tenth of its bytes.
const STORED_MAX: usize = 1_024;

#[inline]
const fn index_of(value: u64) -> usize {
    let power = 64 - (SINGLE / 2).ilog2() - 1 - (value | (SINGLE - 1)).leading_zeros();
    ((power as usize) << HALF_BITS) + (value >> power) as usize
}

/// Smallest and largest value of a bucket.
fn range_of(index: usize) -> (u64, u64) {
    let power = (index >> HALF_BITS).saturating_sub(1);
    let low = ((index - (power << HALF_BITS)) as u64) << power;
    (low, low + (1 << power) - 1)
}

/// See the module.
#[derive(Debug)]
pub(super) struct Counts {
    counts: Vec<u64>,
    /// Buckets that are not empty.
    filled: Vec<u32>,
}

impl Counts {
    pub fn new() -> Counts {
        // All that will ever be needed, so that recording never allocates; the system gives the memory as it is used.
        Counts { counts: vec![0; LEN], filled: Vec::with_capacity(LEN) }
    }

    pub fn is_empty(&self) -> bool {
        self.filled.is_empty()
    }

    /// Counts one value; what lies beyond [`SATURATION_NS`] counts as that.
    #[inline]
    pub fn record(&mut self, value: u64) {
        self.add(index_of(value.min(SATURATION_NS)), 1);
    }

    #[inline]
    fn add(&mut self, index: usize, count: u64) {
        let counted = &mut self.counts[index];
        if *counted == 0 {
            self.filled.push(index as u32);
        }
        *counted = counted.saturating_add(count);
    }

    /// Takes all of `other` in, which is empty afterwards.
    pub fn take(&mut self, other: &mut Counts) {
        for index in other.filled.drain(..) {
            self.add(index as usize, std::mem::take(&mut other.counts[index as usize]));
        }
    }

    /// Smallest and largest value of every bucket that is not empty, with its count; in no order.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.filled.iter().map(|index| {
            let (low, high) = range_of(*index as usize);
            (low, high, self.counts[*index as usize])
        })
    }

    /// Largest value, as its bucket has it; 0 when there is none.
    pub fn max(&self) -> u64 {
        self.filled.iter().max().map_or(0, |index| range_of(*index as usize).1)
    }

    /// Appends the encoding of an interval log (V2, deflated). `plain` is room for it on the way.
    ///
    /// # Errors
    /// None that memory gives: those of the writers that pack it.
    pub fn encode(&mut self, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        self.filled.sort_unstable();
        plain.clear();
        plain.extend_from_slice(&COOKIE.to_be_bytes());
        plain.extend_from_slice(&[0; 8]);
        plain.extend_from_slice(&DIGITS.to_be_bytes());
        plain.extend_from_slice(&1u64.to_be_bytes());
        plain.extend_from_slice(&SATURATION_NS.to_be_bytes());
        plain.extend_from_slice(&1f64.to_be_bytes());
        let mut next = 0;
        for index in &self.filled {
            match *index - next {
                0 => {}
                1 => put(plain, 0),
                empty => put(plain, -i64::from(empty)),
            }
            // The format's counts are signed.
            put(plain, i64::try_from(self.counts[*index as usize]).unwrap_or(i64::MAX));
            next = *index + 1;
        }
        let len = (plain.len() - HEADER_LEN) as u32;
        plain[4..8].copy_from_slice(&len.to_be_bytes());
        let at = out.len();
        out.extend_from_slice(&COOKIE_DEFLATED.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        if plain.len() <= STORED_MAX {
            store(plain, out);
        } else {
            let mut zlib = flate2::write::ZlibEncoder::new(&mut *out, flate2::Compression::default());
            zlib.write_all(plain)?;
            zlib.finish()?;
        }
        let len = (out.len() - at - 8) as u32;
        out[at + 4..at + 8].copy_from_slice(&len.to_be_bytes());
        Ok(())
    }
}

/// Appends a zig-zag LEB128 number; the ninth byte holds eight bits.
fn put(out: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)) as u64;
    for _ in 0..8 {
        if left < 0x80 {
            out.push(left as u8);
            return;
        }
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// A zlib stream (RFC 1950) of one stored block (RFC 1951, 3.2.4).
fn store(bytes: &[u8], out: &mut Vec<u8>) {
    let len = bytes.len() as u16;
    out.extend_from_slice(&[0x78, 0x01, 0x01]);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&(!len).to_le_bytes());
    out.extend_from_slice(bytes);
    // Adler-32. Of so few bytes neither sum outgrows its number.
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a += u32::from(*byte);
        b += a;
    }
    out.extend_from_slice(&(((b % 65_521) << 16) | (a % 65_521)).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
    use proptest::prelude::*;

    use super::*;

    fn encoded(counts: &mut Counts) -> (Vec<u8>, Vec<u8>) {
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        counts.encode(&mut plain, &mut out).unwrap();
        (plain, out)
    }

    proptest! {
        #[test]
        fn it_is_the_librarys_histogram_to_the_byte(
            values in prop::collection::vec((0..63u32, any::<u64>()), 1..900),
        ) {
            let mut counts = Counts::new();
            let mut library = Histogram::<u64>::new_with_bounds(1, SATURATION_NS, 3).unwrap();
            for (shift, value) in values {
                counts.record(value >> shift);
                library.saturating_record((value >> shift).min(SATURATION_NS));
            }
            let (plain, packed) = encoded(&mut counts);
            let mut theirs = Vec::new();
            V2Serializer::new().serialize(&library, &mut theirs).unwrap();
            prop_assert_eq!(plain, theirs);
            prop_assert_eq!(counts.max(), library.max());
            let back: Histogram<u64> = Deserializer::new().deserialize(&mut &packed[..]).unwrap();
            prop_assert_eq!(&back, &library);
            let recorded = library.iter_recorded().map(|step| {
                let value = step.value_iterated_to();
                let (low, high) = (library.lowest_equivalent(value), library.highest_equivalent(value));
                (low, high, step.count_at_value())
            });
            prop_assert!(counts.buckets().eq(recorded), "in order, once it was encoded");
            let mut total = Counts::new();
            total.take(&mut counts);
            prop_assert!(counts.is_empty() && encoded(&mut counts).0.len() == HEADER_LEN);
            prop_assert_eq!(encoded(&mut total).1, packed);
        }
    }

    #[test]
    fn counts_of_any_size_are_written() {
        for count in [1, 63, 64, 1 << 20, 1 << 62, u64::MAX] {
            let mut counts = Counts::new();
            counts.add(5_000, count);
            counts.add(5_000, 0);
            let back: Histogram<u64> =
                Deserializer::new().deserialize(&mut &encoded(&mut counts).1[..]).unwrap();
            assert_eq!(back.count_at(range_of(5_000).0), count.min(i64::MAX as u64));
        }
    }
}
