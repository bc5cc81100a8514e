//! Writes JSON by appending bytes: records are made on a path where a tree of values would cost more than the check.
//!
//! It knows nothing of alerts. Numbers are exact; text is escaped; nothing is read back.

use crate::market::price;

/// Appends `,` unless a container has just been opened.
#[inline]
pub fn comma(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{' | b'[' | b':' | b'\n')) {
        out.push(b',');
    }
}

/// Appends `"name":`, with the comma before it where one is due.
#[inline(always)]
pub fn key(out: &mut Vec<u8>, name: &str) {
    comma(out);
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends text as a JSON string. Bytes that are no UTF-8 are read as Latin-1.
pub fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    // Names of sources, venues and instruments are plain almost always.
    if text.iter().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\')) {
        out.extend_from_slice(text);
        out.push(b'"');
        return;
    }
    match std::str::from_utf8(text) {
        Ok(text) => text.chars().for_each(|c| escaped(out, c)),
        Err(_) => text.iter().for_each(|b| escaped(out, char::from(*b))),
    }
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        c if c < ' ' || c == '\u{7f}' => out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes()),
        c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// Appends `"name":"text"`.
#[inline(always)]
pub fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    string(out, value.as_bytes());
}

/// Appends `"name":123`.
#[inline(always)]
pub fn unsigned(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    out.extend_from_slice(price::itoa(value, 1, &mut [0; 20]));
}

/// Appends `"name":"189.97"`, or `"name":null`.
#[inline(always)]
pub fn price(out: &mut Vec<u8>, name: &str, nanos: Option<i64>) {
    key(out, name);
    match nanos {
        Some(nanos) => {
            out.push(b'"');
            price::write_nanos(nanos, out);
            out.push(b'"');
        }
        None => out.extend_from_slice(b"null"),
    }
}

/// Appends `"name":"2026-03-02T14:30:01.025000000Z"`.
pub fn time(out: &mut Vec<u8>, name: &str, unix_ns: u64) {
    key(out, name);
    out.push(b'"');
    write_time(out, unix_ns);
    out.push(b'"');
}

/// Appends RFC 3339 UTC with nine decimals.
pub fn write_time(out: &mut Vec<u8>, unix_ns: u64) {
    write_second(out, unix_ns / 1_000_000_000);
    write_nanos(out, unix_ns % 1_000_000_000);
}

/// Appends year to second, and the point.
pub fn write_second(out: &mut Vec<u8>, seconds: u64) {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let mut buffer = [0; 20];
    let mut digits =
        |n: u64, least: usize, out: &mut Vec<u8>| out.extend_from_slice(price::itoa(n, least, &mut buffer));
    digits(year, 4, out);
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(day, 2, out);
    out.push(b'T');
    digits(second / 3600, 2, out);
    out.push(b':');
    digits(second / 60 % 60, 2, out);
    out.push(b':');
    digits(second % 60, 2, out);
    out.push(b'.');
}

fn write_nanos(out: &mut Vec<u8>, nanos: u64) {
    out.extend_from_slice(price::itoa(nanos, 9, &mut [0; 20]));
    out.push(b'Z');
}

/// [`write_time`] as a string.
pub fn show_time(unix_ns: u64) -> String {
    let mut out = Vec::with_capacity(30);
    write_time(&mut out, unix_ns);
    String::from_utf8(out).unwrap_or_default()
}

/// Days since 1970-01-01 to year, month, day in the Gregorian calendar (eras of 400 years, March first).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(show_time(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(show_time(1_772_461_801_025_000_000), "2026-03-02T14:30:01.025000000Z");
        assert_eq!(show_time(951_782_400_000_000_001), "2000-02-29T00:00:00.000000001Z");
    }

    proptest! {
        #[test]
        fn times_agree_with_a_library(ns in 0u64..4_102_444_800_000_000_000) {
            let other = jiff::Timestamp::from_nanosecond(i128::from(ns)).unwrap();
            prop_assert_eq!(format!("{other:.9}"), show_time(ns));
        }

        #[test]
        fn any_bytes_make_a_json_string(bytes: Vec<u8>) {
            let mut out = vec![];
            string(&mut out, &bytes);
            let back: String = serde_json::from_slice(&out).unwrap();
            let wanted = String::from_utf8(bytes.clone()).unwrap_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect());
            prop_assert_eq!(back, wanted);
        }
    }
}
