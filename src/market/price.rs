//! Exact prices: integers in units of 1e-9, decimal text at the edges. No binary float ever holds a price.

/// Units of [`Nanos`](i64) in 1.
pub const ONE: i64 = 1_000_000_000;

/// Powers of ten up to 10^18.
const POW10: [i64; 19] = {
    let mut table = [1i64; 19];
    let mut i = 1;
    while i < 19 {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// A raw price with `decimals` decimals in units of 1e-9; `None` when it does not fit or is not exact.
#[inline]
pub fn to_nanos(raw: i64, decimals: u8) -> Option<i64> {
    if decimals <= 9 {
        return raw.checked_mul(POW10[usize::from(9 - decimals)]);
    }
    let divisor = POW10.get(usize::from(decimals - 9))?;
    (raw % divisor == 0).then(|| raw / divisor)
}

/// Writes the exact decimal, at least two decimals, no trailing zeros beyond them.
pub fn write_nanos(nanos: i64, out: &mut Vec<u8>) {
    if nanos < 0 {
        out.push(b'-');
    }
    let magnitude = nanos.unsigned_abs();
    let (whole, mut fraction) = (magnitude / ONE as u64, magnitude % ONE as u64);
    let mut digits = 9;
    // Most prices are whole cents.
    if fraction.is_multiple_of(10_000_000) {
        (fraction, digits) = (fraction / 10_000_000, 2);
    }
    while digits > 2 && fraction.is_multiple_of(10) {
        fraction /= 10;
        digits -= 1;
    }
    out.extend_from_slice(itoa(whole, 1, &mut [0; 20]));
    out.push(b'.');
    out.extend_from_slice(itoa(fraction, digits, &mut [0; 20]));
}

/// [`write_nanos`] as a string.
pub fn show_nanos(nanos: i64) -> String {
    let mut out = Vec::with_capacity(16);
    write_nanos(nanos, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// The numbers below 100, two digits each.
pub const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Decimal digits of `n`, at least `least` of them.
pub fn itoa(mut n: u64, least: usize, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    while n >= 10 {
        let pair = PAIRS[(n % 100) as usize];
        n /= 100;
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&pair);
    }
    if n > 0 {
        at -= 1;
        buffer[at] = b'0' + n as u8;
    }
    let least = buffer.len() - least.clamp(1, 20);
    if least < at {
        buffer[least..at].fill(b'0');
        at = least;
    }
    &buffer[at..]
}

/// Reads an exact decimal with at most nine decimals.
pub fn parse_nanos(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |t| (true, t));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
    let nanos = whole.parse::<i64>().ok()?.checked_mul(ONE)?.checked_add(fraction)?;
    Some(if negative { -nanos } else { nanos })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shown_as_people_write_them() {
        let shown: Vec<_> =
            [189_970_000_000, 0, -30_000_000, 4_027_500_000, 1, 100 * ONE].map(show_nanos).into();
        assert_eq!(shown, ["189.97", "0.00", "-0.03", "4.0275", "0.000000001", "100.00"]);
    }

    #[test]
    fn raw_prices_scale_exactly_or_not_at_all() {
        assert_eq!(to_nanos(1_899_700, 4), Some(189_970_000_000));
        assert_eq!(to_nanos(5, 9), Some(5));
        assert_eq!(to_nanos(50, 10), Some(5));
        assert_eq!(to_nanos(55, 10), None);
        assert_eq!(to_nanos(i64::MAX, 4), None);
        assert_eq!(to_nanos(1, 200), None);
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_library(n: u64, shift in 0..64u32, least in 0..25usize) {
            let (n, width) = (n >> shift, least.clamp(1, 20));
            let mut buffer = [b'x'; 20];
            let digits = std::str::from_utf8(itoa(n, least, &mut buffer)).unwrap();
            prop_assert_eq!(digits, format!("{n:0width$}"));
        }

        #[test]
        fn text_and_number_are_one(nanos in (i64::MIN + 1)..i64::MAX) {
            prop_assert_eq!(parse_nanos(&show_nanos(nanos)), Some(nanos));
        }
    }
}
