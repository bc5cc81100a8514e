//! The last field of an interval line: an HdrHistogram in the V2 encoding, usually
//! deflated, in base64. Source: the encoding documented with HdrHistogram's Java
//! implementation (`encodeIntoByteBuffer`, V2; cookies 0x1c849303 and 0x1c849304).
//!
//! This reader is our own because a log may come from anywhere: it looks at the header
//! before it believes a size in it, allocates no counts array, and inflates no further
//! than [`PAYLOAD_MAX`]. Writing is in `counts`.

use std::io::Read;

use base64::Engine as _;

/// Most bytes of encoded counts that one interval may inflate to. A histogram with
/// five digits over the whole range has about 6 million buckets, a real interval
/// fills some hundreds.
pub const PAYLOAD_MAX: usize = 8 << 20;

/// Cookies without the word-size bits, which V2 leaves meaningless.
const V2: u32 = 0x1c84_9303;
const V2_DEFLATED: u32 = 0x1c84_9304;
const WORD_SIZE_BITS: u32 = 0xf0;
const HEADER_LEN: usize = 40;

/// Why an encoded histogram cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not base64 (standard alphabet, padded).
    #[error("the histogram is not base64")]
    Base64,
    /// Fewer bytes than the encoding's headers need.
    #[error("the histogram is cut short: {had} bytes, needed {needed}")]
    Short {
        /// Bytes needed.
        needed: usize,
        /// Bytes there.
        had: usize,
    },
    /// The first four bytes are not those of a V2 histogram.
    #[error("the histogram starts with {0:#010x}, a V2 histogram with 0x1c849303 or (deflated) 0x1c849304")]
    Cookie(u32),
    /// The deflate stream is broken.
    #[error("the histogram's deflate stream is broken")]
    Deflate,
    /// The header promises more counts than one interval may have (8 MiB).
    #[error("the histogram promises {0} bytes of counts, more than the 8 MiB that one interval may have")]
    TooLong(u32),
    /// Precision, range or scale in the header are impossible.
    #[error("the histogram's header has an impossible {0}")]
    Header(&'static str),
    /// A feature of the format that this reader does not have.
    #[error("the histogram has {0}, which is not supported: record plain integer nanoseconds")]
    Unsupported(&'static str),
    /// The counts run past the range that the header declares.
    #[error("the histogram has counts beyond the range in its header")]
    BeyondRange,
    /// A variable-length count is cut or too long.
    #[error("the histogram's counts end in the middle of a number")]
    Count,
}

/// One non-empty bucket: the values `low..=high` were recorded `count` times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Smallest value that falls into the bucket.
    pub low: i64,
    /// Largest such value.
    pub high: i64,
    /// How often.
    pub count: u64,
}

/// Reads one encoded histogram into `buckets` (replaced), in ascending order of values.
///
/// # Errors
/// [`PayloadError`]; `buckets` then holds nothing of use.
pub fn read(encoded: &str, buckets: &mut Vec<Bucket>) -> Result<(), PayloadError> {
    buckets.clear();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded.trim_end())
        .map_err(|_| PayloadError::Base64)?;
    read_bytes(&bytes, buckets)
}

/// The same, of the bytes themselves.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(bytes: &[u8], buckets: &mut Vec<Bucket>) -> Result<(), PayloadError> {
    buckets.clear();
    let cookie = u32_at(bytes, 0)?;
    match cookie & !WORD_SIZE_BITS {
        V2 => counts(bytes, buckets),
        V2_DEFLATED => {
            let stated = u32_at(bytes, 4)? as usize;
            let body = &bytes[8..];
            if body.len() < stated {
                return Err(PayloadError::Short { needed: stated, had: body.len() });
            }
            let mut inflated = Vec::new();
            flate2::read::ZlibDecoder::new(&body[..stated])
                .take((HEADER_LEN + PAYLOAD_MAX + 1) as u64)
                .read_to_end(&mut inflated)
                .map_err(|_| PayloadError::Deflate)?;
            let inner = u32_at(&inflated, 0)?;
            if inner & !WORD_SIZE_BITS != V2 {
                return Err(PayloadError::Cookie(inner));
            }
            counts(&inflated, buckets)
        }
        _ => Err(PayloadError::Cookie(cookie)),
    }
}

/// The V2 header and the zig-zag LEB128 counts behind it.
fn counts(bytes: &[u8], buckets: &mut Vec<Bucket>) -> Result<(), PayloadError> {
    let stated = u32_at(bytes, 4)?;
    let layout = Layout::read(bytes)?;
    if stated as usize > PAYLOAD_MAX {
        return Err(PayloadError::TooLong(stated));
    }
    let needed = HEADER_LEN + stated as usize;
    let body = bytes.get(HEADER_LEN..needed).ok_or(PayloadError::Short { needed, had: bytes.len() })?;
    let (mut at, mut index) = (0usize, 0u64);
    while at < body.len() {
        let number = leb128(body, &mut at)?;
        let number = ((number >> 1) as i64) ^ -((number & 1) as i64);
        if number < 0 {
            index = index.checked_add(number.unsigned_abs()).ok_or(PayloadError::BeyondRange)?;
        } else {
            if number > 0 {
                let (low, high) = layout.bucket(index).ok_or(PayloadError::BeyondRange)?;
                buckets.push(Bucket { low, high, count: number.unsigned_abs() });
            }
            index += 1; // cannot overflow: it was within the range a step ago
        }
        if index > layout.bucket_count {
            return Err(PayloadError::BeyondRange);
        }
    }
    Ok(())
}

/// How a V2 histogram maps an index to a range of values.
struct Layout {
    /// log2 of the smallest difference that is kept.
    unit: u32,
    /// log2 of half the number of linear steps per doubling.
    half: u32,
    /// Length of the counts array.
    bucket_count: u64,
}

impl Layout {
    fn read(bytes: &[u8]) -> Result<Self, PayloadError> {
        let digits = u32_at(bytes, 12)?;
        let lowest = u64_at(bytes, 16)?;
        let highest = u64_at(bytes, 24)?;
        // At offset 8 stands the normalizing index offset, which moves counts within the
        // writer's memory only: on the wire they are in order of value. At 32 stands the scale of
        // floating-point histograms, 1.0 for integers; hdr-histogram-js writes the integer 1.
        let ratio_bits = u64_at(bytes, 32)?;
        if ratio_bits != 1f64.to_bits() && ratio_bits != 1 {
            return Err(PayloadError::Unsupported("floating-point values"));
        }
        if digits > 5 {
            return Err(PayloadError::Header("number of digits (0 to 5 exist)"));
        }
        if lowest == 0 || highest > i64::MAX as u64 || highest / 2 < lowest {
            return Err(PayloadError::Header("range (1 <= lowest, 2 x lowest <= highest < 2^63)"));
        }
        let steps = (2 * 10u64.pow(digits)).next_power_of_two();
        let (unit, half) = (lowest.ilog2(), steps.ilog2() - 1);
        if unit + half + 1 > 62 {
            return Err(PayloadError::Header("range: too high for its number of digits"));
        }
        let mut doublings = 1u64;
        while (u128::from(steps) << unit) << (doublings - 1) <= u128::from(highest) {
            doublings += 1;
        }
        Ok(Self { unit, half, bucket_count: (doublings + 1) << half })
    }

    /// The values that fall into the bucket at `index`.
    fn bucket(&self, index: u64) -> Option<(i64, i64)> {
        if index >= self.bucket_count {
            return None;
        }
        let in_half = index & ((1 << self.half) - 1);
        let (doubling, step) = match (index >> self.half).checked_sub(1) {
            None => (0, in_half),
            Some(doubling) => (doubling as u32, in_half + (1 << self.half)),
        };
        let shift = doubling + self.unit;
        let low = u128::from(step) << shift;
        let high = low + (1u128 << shift) - 1;
        let high = high.min(i64::MAX as u128);
        Some((i64::try_from(low).ok()?, high as i64))
    }
}

/// LEB128 of at most nine bytes, the ninth whole.
fn leb128(body: &[u8], at: &mut usize) -> Result<u64, PayloadError> {
    let mut number = 0u64;
    for nth in 0..9 {
        let byte = *body.get(*at).ok_or(PayloadError::Count)?;
        *at += 1;
        if nth == 8 {
            return Ok(number | u64::from(byte) << 56);
        }
        number |= u64::from(byte & 0x7f) << (7 * nth);
        if byte < 0x80 {
            break;
        }
    }
    Ok(number)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, PayloadError> {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    field.map(u32::from_be_bytes).ok_or(PayloadError::Short { needed: at + 4, had: bytes.len() })
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, PayloadError> {
    let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
    field.map(u64::from_be_bytes).ok_or(PayloadError::Short { needed: at + 8, had: bytes.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Serializer, V2DeflateSerializer, V2Serializer};
    use proptest::prelude::*;

    fn base64(bytes: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    fn read_bytes(bytes: &[u8]) -> Result<Vec<Bucket>, PayloadError> {
        let mut buckets = Vec::new();
        read(&base64(bytes), &mut buckets).map(|()| buckets)
    }

    /// A V2 header (not deflated) in front of raw counts.
    fn v2(digits: u32, lowest: u64, highest: u64, counts: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [0x1c84_9313, counts.len() as u32, 0, digits] {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        for field in [lowest, highest, 1f64.to_bits()] {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        bytes.extend_from_slice(counts);
        bytes
    }

    proptest! {
        /// Whatever the crate writes, for any precision and range, we read as the crate
        /// itself would walk it.
        #[test]
        fn reads_what_the_crate_writes(
            digits in 0u8..=5, lowest in 1u64..5000, deflated: bool,
            values in prop::collection::vec((0u64..4_000_000_000, 1u64..1_000_000), 0..60),
        ) {
            let mut h = Histogram::<u64>::new_with_bounds(lowest, 4_000_000_000, digits).unwrap();
            for (value, count) in values {
                h.record_n(value, count).unwrap();
            }
            let mut bytes = Vec::new();
            if deflated {
                V2DeflateSerializer::new().serialize(&h, &mut bytes).unwrap();
            } else {
                V2Serializer::new().serialize(&h, &mut bytes).unwrap();
            }
            let want: Vec<Bucket> = h.iter_recorded().map(|step| Bucket {
                low: h.lowest_equivalent(step.value_iterated_to()) as i64,
                high: h.highest_equivalent(step.value_iterated_to()) as i64,
                count: step.count_at_value(),
            }).collect();
            prop_assert_eq!(read_bytes(&bytes), Ok(want));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), head in 0..3) {
            let mut hostile = match head {
                0 => Vec::new(),
                1 => v2(3, 1, u64::MAX >> 1, &[]),
                _ => 0x1c84_9314u32.to_be_bytes().to_vec(),
            };
            hostile.extend_from_slice(&bytes);
            let _ = read_bytes(&hostile);
        }
    }

    #[test]
    fn hostile_headers_are_named_and_cost_nothing() {
        let cases: Vec<(Vec<u8>, PayloadError)> = vec![
            (vec![], PayloadError::Short { needed: 4, had: 0 }),
            (vec![1, 2, 3, 4, 5], PayloadError::Cookie(0x0102_0304)),
            (v2(6, 1, 100, &[]), PayloadError::Header("number of digits (0 to 5 exist)")),
            (v2(u32::MAX, 1, 100, &[]), PayloadError::Header("number of digits (0 to 5 exist)")),
            (v2(3, 0, 100, &[]), PayloadError::Header("range (1 <= lowest, 2 x lowest <= highest < 2^63)")),
            (
                v2(5, 1, u64::MAX, &[]),
                PayloadError::Header("range (1 <= lowest, 2 x lowest <= highest < 2^63)"),
            ),
            (v2(5, 1 << 60, 1 << 62, &[]), PayloadError::Header("range: too high for its number of digits")),
            (v2(3, 1, 100, &[0x80]), PayloadError::Count),
            // A skip of 2^63 buckets, then of one bucket more than the range has.
            (v2(3, 1, 100, &[0xff; 9]), PayloadError::BeyondRange),
            (v2(0, 1, 2, &[0x07, 0x02]), PayloadError::BeyondRange),
        ];
        for (bytes, want) in cases {
            assert_eq!(read_bytes(&bytes), Err(want));
        }
        let mut long = v2(3, 1, 100, &[]);
        long[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(read_bytes(&long), Err(PayloadError::TooLong(u32::MAX)));
        assert_eq!(read("%%%", &mut Vec::new()), Err(PayloadError::Base64));
    }

    #[test]
    fn a_deflate_bomb_is_inflated_no_further_than_the_limit() {
        let mut bomb = v2(5, 1, i64::MAX as u64, &[]);
        bomb[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        bomb.resize(64 << 20, 0);
        let mut body = Vec::new();
        let mut encoder = flate2::read::ZlibEncoder::new(&bomb[..], flate2::Compression::best());
        encoder.read_to_end(&mut body).unwrap();
        let mut bytes = 0x1c84_9314u32.to_be_bytes().to_vec();
        bytes.extend_from_slice(&(body.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&body);
        assert_eq!(read_bytes(&bytes), Err(PayloadError::TooLong(u32::MAX)));
        bytes.truncate(bytes.len() - 1);
        let had = body.len() - 1;
        assert_eq!(read_bytes(&bytes), Err(PayloadError::Short { needed: body.len(), had }));
    }
}
