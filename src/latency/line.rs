//! One line of an HdrHistogram interval log, and the errors that say which line is
//! wrong and what would be right. It decodes no histogram: see `payload`.
//!
//! Format: HdrHistogram's `HistogramLogWriter`, format version 1.3 and its
//! predecessors: `#` comments, of which `#[StartTime: s ...]` and `#[BaseTime: s ...]` mean something, a
//! legend in quotes, and `[Tag=...,]start,length,max,histogram` with seconds.

use std::fmt;

use super::payload::PayloadError;

/// Our comment that says how many values of the next line were saturated:
/// `#[Saturated: 3 direct:ts_event->ts_recv]`.
pub const SATURATED: &str = "#[Saturated: ";

/// No time of a real log lies beyond this (the year 2554, where 64-bit nanoseconds end).
const SECONDS_MAX: f64 = 18_000_000_000.0;

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    /// A comment, a legend, an empty line.
    Nothing,
    /// `#[StartTime: ...]`, nanoseconds since the epoch.
    StartTime(u64),
    /// `#[BaseTime: ...]`: what the starts of the lines count from, nanoseconds.
    BaseTime(u64),
    /// Values of that tag that were beyond the range of the recorder.
    Saturated {
        /// Tag as in the interval lines.
        tag: &'a str,
        /// How many.
        count: u64,
    },
    /// One histogram.
    Interval {
        /// Empty if the line has none.
        tag: &'a str,
        /// Nanoseconds from the base time.
        start_ns: u64,
        /// Nanoseconds.
        length_ns: u64,
        /// Base64 of the encoded histogram.
        histogram: &'a str,
    },
}

/// Why a log cannot be read: file, line, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{file}: {error}")]
    Io {
        /// As given by the user.
        file: String,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The file has no bytes.
    #[error("{file}: the file is empty, expected an HdrHistogram interval log")]
    Empty {
        /// As given by the user.
        file: String,
    },
    /// A line is not what the format allows.
    #[error("{file}:{line}: {reason}")]
    Line {
        /// As given by the user.
        file: String,
        /// From 1.
        line: u64,
        /// What is wrong and what would be right.
        reason: Reason,
    },
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Longer than any histogram needs.
    TooLong,
    /// Not UTF-8.
    NotText,
    /// Not enough fields.
    NotAnInterval,
    /// A field that is no number of that kind: which field, and the start of what was there.
    Number(&'static str, String),
    /// The histogram.
    Payload(PayloadError),
    /// Counts that do not fit.
    Overflow,
    /// More different series than a report can hold.
    TooManySeries(usize),
    /// More different values than a report can hold.
    TooManyBuckets(usize),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the line is longer than 16 MiB, which no interval line is"),
            Self::NotText => write!(f, "not text; expected an HdrHistogram interval log"),
            Self::NotAnInterval => {
                write!(
                    f,
                    "expected `[Tag=NAME,]START,LENGTH,MAX,HISTOGRAM` (an HdrHistogram interval line) or a # comment"
                )
            }
            Self::Number(field, had) => {
                write!(
                    f,
                    "{field} is `{had}`, expected seconds as a decimal number from 0 to {SECONDS_MAX:.0}"
                )
            }
            Self::Payload(error) => write!(f, "{error}"),
            Self::Overflow => write!(f, "the counts of the series add up to more than 2^64"),
            Self::TooManySeries(max) => write!(f, "more than {max} different tags, too many for one report"),
            Self::TooManyBuckets(max) => {
                write!(
                    f,
                    "more than {max} different values in all; record with fewer significant digits, or report on fewer files"
                )
            }
        }
    }
}

/// Reads one line, without its end.
pub fn read(line: &[u8]) -> Result<Line<'_>, Reason> {
    let line = std::str::from_utf8(line).map_err(|_| Reason::NotText)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.starts_with("\"StartTimestamp\"") {
        return Ok(Line::Nothing);
    }
    if line.starts_with('#') {
        return comment(line);
    }
    let (tag, rest) = match line.strip_prefix("Tag=") {
        Some(rest) => rest.split_once(',').ok_or(Reason::NotAnInterval)?,
        None => ("", line),
    };
    let mut fields = rest.splitn(4, ',');
    let mut next = || fields.next().ok_or(Reason::NotAnInterval);
    let (start, length, max, histogram) = (next()?, next()?, next()?, next()?);
    if !max.trim().parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(number("the maximum", max));
    }
    Ok(Line::Interval {
        tag,
        start_ns: nanoseconds("the start", start)?,
        length_ns: nanoseconds("the length", length)?,
        histogram,
    })
}

fn comment(line: &str) -> Result<Line<'_>, Reason> {
    let first_word = |rest: &'static str, text: &str| {
        nanoseconds(rest, text.trim_start().split([' ', ']', ',']).next().unwrap_or(""))
    };
    if let Some(rest) = line.strip_prefix("#[StartTime:") {
        return first_word("StartTime", rest).map(Line::StartTime);
    }
    if let Some(rest) = line.strip_prefix("#[BaseTime:") {
        return first_word("BaseTime", rest).map(Line::BaseTime);
    }
    if let Some((count, tag)) = line.strip_prefix(SATURATED).and_then(|rest| rest.split_once(' ')) {
        let count = count.parse().map_err(|_| number("the saturated count", count))?;
        return Ok(Line::Saturated { tag: tag.strip_suffix(']').unwrap_or(tag), count });
    }
    Ok(Line::Nothing)
}

fn number(field: &'static str, had: &str) -> Reason {
    Reason::Number(field, had.chars().take(40).collect())
}

/// Seconds as text to nanoseconds; plain decimals exactly, anything else that is a
/// number (an exponent) through a float.
fn nanoseconds(field: &'static str, text: &str) -> Result<u64, Reason> {
    let text = text.trim();
    let wrong = || number(field, text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) {
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        if whole as f64 > SECONDS_MAX {
            return Err(wrong());
        }
        let nanos = format!("{fraction:0<9}")[..9].parse::<u64>().map_err(|_| wrong())?;
        return Ok(whole * 1_000_000_000 + nanos);
    }
    let value: f64 = text.parse().map_err(|_| wrong())?;
    if (0.0..=SECONDS_MAX).contains(&value) { Ok((value * 1e9) as u64) } else { Err(wrong()) }
}

/// Nanoseconds as seconds for a log: milliseconds as other tools write them, or all nine
/// digits where milliseconds would lose something.
#[must_use]
pub fn seconds(ns: u64) -> String {
    let (whole, nanos) = (ns / 1_000_000_000, ns % 1_000_000_000);
    if nanos % 1_000_000 == 0 {
        format!("{whole}.{:03}", nanos / 1_000_000)
    } else {
        format!("{whole}.{nanos:09}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_all_writers_are_read() {
        let interval =
            |tag, start_ns, length_ns| Line::Interval { tag, start_ns, length_ns, histogram: "HIST" };
        let cases: Vec<(&str, Line<'_>)> = vec![
            ("", Line::Nothing),
            ("#anything", Line::Nothing),
            ("\"StartTimestamp\",\"Interval_Length\"", Line::Nothing),
            (
                "#[StartTime: 1441812279.474 (seconds since epoch), Wed]",
                Line::StartTime(1_441_812_279_474_000_000),
            ),
            ("#[BaseTime: 12 (seconds since epoch)]", Line::BaseTime(12_000_000_000)),
            ("#[Saturated: 3 d:a->b]", Line::Saturated { tag: "d:a->b", count: 3 }),
            ("0.127,1.007,2.769,HIST\r", interval("", 127_000_000, 1_007_000_000)),
            ("Tag=A,0.1279999999,1,2.769,HIST", interval("A", 127_999_999, 1_000_000_000)),
            ("1e3,5e-1,0,HIST", interval("", 1_000_000_000_000, 500_000_000)),
        ];
        for (text, want) in cases {
            assert_eq!(read(text.as_bytes()), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let number = |field, had: &str| Reason::Number(field, had.to_string());
        let cases: Vec<(&[u8], Reason)> = vec![
            (b"\xff\xfe", Reason::NotText),
            (b"Tag=A", Reason::NotAnInterval),
            (b"1,2,3", Reason::NotAnInterval),
            (b"hello", Reason::NotAnInterval),
            (b"x,2,3,H", number("the start", "x")),
            (b"-1,2,3,H", number("the start", "-1")),
            (b"1,NaN,3,H", number("the length", "NaN")),
            (b"1,inf,3,H", number("the length", "inf")),
            (b"1,99999999999999999999,3,H", number("the length", "99999999999999999999")),
            (b"1,2,NaN,H", number("the maximum", "NaN")),
            (b"#[BaseTime: soon]", number("BaseTime", "soon")),
            (b"#[Saturated: -1 x]", number("the saturated count", "-1")),
        ];
        for (text, want) in cases {
            assert_eq!(read(text), Err(want), "{}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        #[test]
        fn seconds_come_back_to_the_nanosecond(ns in 0u64..18_000_000_000_000_000_000) {
            prop_assert_eq!(nanoseconds("x", &seconds(ns)), Ok(ns));
        }

        #[test]
        fn no_line_makes_it_panic(text in "(Tag=|#\\[StartTime: |#\\[Saturated: )?[0-9.,eNa\u{fc}+-]{0,40}") {
            let _ = read(text.as_bytes());
        }
    }
}
