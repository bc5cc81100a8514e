//! A strip of text that is written in place, front to back, and never grows: for records whose lengths are bounded, on a path
//! where appending to a vector piece by piece costs more than the text.
//!
//! Numbers are exact and as [`crate::market::price`] writes them. Text longer than the strip is a fault of the program.

use crate::market::price::PAIRS;

/// See the module; `N` bytes at most.
#[derive(Debug)]
pub(super) struct Strip<const N: usize> {
    bytes: [u8; N],
    end: usize,
}

/// The digits of a number below 10^4, the first in the highest byte.
#[inline(always)]
fn four_digits(n: u32) -> u32 {
    let ([a, b], [c, d]) = (PAIRS[(n / 100) as usize], PAIRS[(n % 100) as usize]);
    u32::from_be_bytes([a, b, c, d])
}

impl<const N: usize> Strip<N> {
    /// Nothing.
    pub const fn new() -> Self {
        Strip { bytes: [0; N], end: 0 }
    }

    /// What has been written.
    #[inline]
    pub fn text(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// Takes back what was written behind the first `end` bytes.
    #[inline]
    pub fn back_to(&mut self, end: usize) {
        self.end = end;
    }

    /// Appends text of a length that is known when this is compiled.
    #[inline(always)]
    pub fn put<const M: usize>(&mut self, text: &[u8; M]) {
        self.bytes[self.end..self.end + M].copy_from_slice(text);
        self.end += M;
    }

    /// Appends text.
    #[inline]
    pub fn put_text(&mut self, text: &[u8]) {
        self.bytes[self.end..self.end + text.len()].copy_from_slice(text);
        self.end += text.len();
    }

    /// Appends once more what stands in a part of it.
    #[inline]
    pub fn again(&mut self, part: std::ops::Range<usize>) {
        let length = part.len();
        self.bytes.copy_within(part, self.end);
        self.end += length;
    }

    /// Appends a number.
    #[inline(always)]
    pub fn unsigned(&mut self, n: u64) {
        // How long it is, nobody can foretell: four digits are written, and the zeros before the first are not kept.
        if n < 10_000 {
            return self.short(n as u32);
        }
        if n < 100_000_000 {
            self.short((n / 10_000) as u32);
            return self.put(&four_digits((n % 10_000) as u32).to_be_bytes());
        }
        self.long(n);
    }

    /// Appends a number below 10^4.
    #[inline(always)]
    fn short(&mut self, n: u32) {
        let zeros = u32::from(n < 1_000) + u32::from(n < 100) + u32::from(n < 10);
        self.put(&(four_digits(n) << (8 * zeros)).to_be_bytes());
        self.end -= zeros as usize;
    }

    #[cold]
    fn long(&mut self, mut n: u64) {
        let length = n.ilog10() as usize + 1;
        let field = &mut self.bytes[self.end..self.end + length];
        self.end += length;
        let mut pairs = field.rchunks_exact_mut(2);
        for pair in &mut pairs {
            pair.copy_from_slice(&PAIRS[(n % 100) as usize]);
            n /= 100;
        }
        if let [first] = pairs.into_remainder() {
            *first = b'0' + n as u8;
        }
    }

    /// Appends a number below 10^9 with nine digits.
    #[inline]
    pub fn nine_digits(&mut self, n: u32) {
        let (first, rest) = (n / 100_000_000, n % 100_000_000);
        self.put(&[b'0' + first as u8]);
        let digits = u64::from(four_digits(rest / 10_000)) << 32 | u64::from(four_digits(rest % 10_000));
        self.put(&digits.to_be_bytes());
    }

    /// Appends a price in units of 1e-9: at least two decimals, no trailing zeros beyond them.
    #[inline]
    pub fn price(&mut self, nanos: i64) {
        if nanos < 0 {
            self.put(b"-");
        }
        let magnitude = nanos.unsigned_abs();
        self.unsigned(magnitude / 1_000_000_000);
        let fraction = (magnitude % 1_000_000_000) as u32;
        // Most prices are whole cents.
        let [tens, ones] = PAIRS[(fraction / 10_000_000) as usize];
        self.put(&[b'.', tens, ones]);
        let mut rest = fraction % 10_000_000;
        let mut unit = 1_000_000;
        while rest > 0 {
            self.put(&[b'0' + (rest / unit) as u8]);
            (rest, unit) = (rest % unit, unit / 10);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::price::show_nanos;
    use proptest::prelude::*;

    fn written(write: impl Fn(&mut Strip<64>)) -> String {
        let mut strip = Strip::new();
        strip.put(b"before");
        write(&mut strip);
        let text = String::from_utf8(strip.text()[6..].to_vec()).unwrap();
        strip.back_to(6);
        assert_eq!(strip.text(), b"before");
        text
    }

    #[test]
    fn borders_are_those_of_the_library() {
        let powers = (0..20).map(|n| 10u64.saturating_pow(n));
        for n in powers.flat_map(|p| [p - 1, p, p + 1]).chain([0, u64::MAX]) {
            assert_eq!(written(|s| s.unsigned(n)), n.to_string());
        }
        for nanos in [0, -1, i64::MIN, i64::MAX, 10_000_000, 9_999_999, -30_000_000] {
            assert_eq!(written(|s| s.price(nanos)), show_nanos(nanos));
        }
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_library(n: u64, shift in 0..64u32, nanos: i64, zeros in 0..12u32) {
            let n = n >> shift;
            prop_assert_eq!(written(|s| s.unsigned(n)), n.to_string());
            let few = (n % 1_000_000_000) as u32;
            prop_assert_eq!(written(|s| s.nine_digits(few)), format!("{few:09}"));
            for nanos in [nanos, (nanos >> shift) / 10i64.pow(zeros) * 10i64.pow(zeros)] {
                prop_assert_eq!(written(|s| s.price(nanos)), show_nanos(nanos));
            }
        }
    }
}
