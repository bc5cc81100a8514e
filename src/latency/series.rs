//! The name of a series (source, from, to) and its spelling as an HdrHistogram tag.
//! It never invents an end point: a foreign tag that names none keeps none.

use std::fmt::Write as _;

/// Suffix of the twin tag that holds the magnitudes of negative values.
pub const NEGATIVE_SUFFIX: &str = "(negative)";

/// What is measured: `source`, and the two points between which the time passed.
///
/// Written as a tag: `direct:ts_event->ts_recv`, or `A->B` for an empty source. Characters
/// that would break a log line or the tag's own grammar are written as `%XX`, so any
/// name survives the round trip.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesName {
    /// Whose packets these are; empty when the end points say it all.
    pub source: String,
    /// Where the measurement begins; empty when a foreign log does not say.
    pub from: String,
    /// Where it ends; empty when a foreign log does not say.
    pub to: String,
}

impl SeriesName {
    /// A name from its three parts.
    #[must_use]
    pub fn new(source: &str, from: &str, to: &str) -> Self {
        Self { source: source.into(), from: from.into(), to: to.into() }
    }

    /// The tag of the values at or above zero. The grammar keeps `,` and white space out
    /// (they end a tag in the log), `:` out of `from`, and `>` and `(` out of `to`.
    #[must_use]
    pub fn tag(&self) -> String {
        let mut tag = String::new();
        if self.from.is_empty() && self.to.is_empty() {
            escape(&self.source, "(", &mut tag);
            return tag;
        }
        if !self.source.is_empty() {
            escape(&self.source, "", &mut tag);
            tag.push(':');
        }
        escape(&self.from, ":", &mut tag);
        tag.push_str("->");
        escape(&self.to, ">(", &mut tag);
        tag
    }

    /// Reads a tag; the flag says whether it is the twin of negative values. A tag
    /// without `->` comes from another tool: it becomes the source, with no end points.
    #[must_use]
    pub fn parse(tag: &str) -> (Self, bool) {
        let (tag, negative) = match tag.strip_suffix(NEGATIVE_SUFFIX) {
            Some(rest) => (rest, true),
            None => (tag, false),
        };
        let Some((left, to)) = tag.rsplit_once("->") else {
            return (Self { source: unescape(tag), from: String::new(), to: String::new() }, negative);
        };
        let (source, from) = left.rsplit_once(':').unwrap_or(("", left));
        (Self { source: unescape(source), from: unescape(from), to: unescape(to) }, negative)
    }

    /// `source  from -> to`'s second half, or a plain statement that nobody said.
    #[must_use]
    pub fn end_points(&self) -> String {
        if self.from.is_empty() && self.to.is_empty() {
            return "(end points not named in the log)".to_string();
        }
        format!("{} -> {}", self.from, self.to)
    }
}

fn escape(part: &str, also: &str, tag: &mut String) {
    for c in part.chars() {
        if c == '%' || c == ',' || c.is_whitespace() || c.is_control() || also.contains(c) {
            let mut utf8 = [0u8; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                let _ = write!(tag, "%{byte:02X}");
            }
        } else {
            tag.push(c);
        }
    }
}

/// Undoes [`escape`]. A `%` that no escape wrote (a foreign tag) stays as it is.
fn unescape(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                plain.push(byte);
                at += 3;
            }
            _ => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| part.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_are_spelled_as_documented() {
        assert_eq!(SeriesName::new("direct", "ts_event", "ts_recv").tag(), "direct:ts_event->ts_recv");
        assert_eq!(SeriesName::new("", "direct", "sip").tag(), "direct->sip");
        assert_eq!(SeriesName::new("a b,c", "x:y", "z>(").tag(), "a%20b%2Cc:x%3Ay->z%3E%28");
    }

    #[test]
    fn a_foreign_tag_names_no_end_points() {
        assert_eq!(SeriesName::parse("http%zz"), (SeriesName::new("http%zz", "", ""), false));
        assert_eq!(SeriesName::parse("A").0.end_points(), "(end points not named in the log)");
    }

    proptest! {
        #[test]
        fn any_name_survives_its_tag(source in ".{0,12}", from in ".{1,12}", to in ".{1,12}", negative: bool) {
            let name = SeriesName { source, from, to };
            let mut tag = name.tag();
            prop_assert!(!tag.contains([',', ' ', '\n', '\r']));
            if negative {
                tag.push_str(NEGATIVE_SUFFIX);
            }
            prop_assert_eq!(SeriesName::parse(&tag), (name, negative));
        }
    }
}
