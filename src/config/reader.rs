//! Reads TOML tables key by key, so that every error names the key, its line and the nearest valid key.
//!
//! It knows nothing of what the keys mean.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// What is wrong in a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {sentence}")]
pub struct ConfigError {
    /// File as the user named it.
    pub path: String,
    /// Line from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub sentence: String,
}

/// The text of one file, for turning offsets into lines.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// File as the user named it.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl Origin<'_> {
    /// An error at the byte offset.
    pub fn error(&self, at: usize, sentence: impl Into<String>) -> ConfigError {
        ConfigError { path: self.path.to_owned(), line: self.line(at), sentence: sentence.into() }
    }

    /// An error that the TOML parser found; a key that is there twice is named.
    pub fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or(0..0);
        let what = error.message();
        let key = self.text.get(span.clone()).filter(|key| what == "duplicate key" && !key.contains('\n'));
        self.error(span.start, key.map_or(what.to_owned(), |key| format!("{what} `{key}`: write it once")))
    }

    /// Line from 1 of a byte offset.
    pub fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }
}

/// A table being read: every key asked for is remembered, what is left over is an error.
pub struct Table<'a> {
    origin: Origin<'a>,
    what: &'static str,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    asked: BTreeSet<&'static str>,
}

type Found<'a> = (&'a DeValue<'a>, Range<usize>);

impl<'a> Table<'a> {
    /// `what` names the table in errors, e.g. `[[source]]`.
    pub fn new(origin: Origin<'a>, what: &'static str, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Table { origin, what, table, span, asked: BTreeSet::new() }
    }

    /// An error at the table itself.
    pub fn error(&self, sentence: impl Into<String>) -> ConfigError {
        self.origin.error(self.span.start, sentence)
    }

    /// An error at a byte offset of the file.
    pub fn error_at(&self, span: &Range<usize>, sentence: impl Into<String>) -> ConfigError {
        self.origin.error(span.start, sentence)
    }

    /// An error at the value of `key`, or at the table where it has none.
    pub fn error_of(&self, key: &str, sentence: impl Into<String>) -> ConfigError {
        let at = self.table.get(key).map_or(self.span.start, |value| value.span().start);
        self.origin.error(at, sentence)
    }

    /// Line, from 1, of a place in the file.
    pub fn line_at(&self, span: &Range<usize>) -> usize {
        self.origin.line(span.start)
    }

    /// The value of `key`, remembered as valid.
    pub fn get(&mut self, key: &'static str) -> Option<Found<'a>> {
        self.asked.insert(key);
        self.table.get(key).map(|value: &Spanned<DeValue>| (value.get_ref(), value.span()))
    }

    fn wrong(&self, key: &str, span: Range<usize>, wanted: &str, value: &DeValue) -> ConfigError {
        self.origin.error(span.start, format!("`{key}` wants {wanted}, not {}", value.type_str()))
    }

    /// A string.
    pub fn string(&mut self, key: &'static str) -> Result<Option<(&'a str, Range<usize>)>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some((DeValue::String(text), span)) => Ok(Some((text.as_ref(), span))),
            Some((other, span)) => Err(self.wrong(key, span, "a string", other)),
        }
    }

    /// A string that must be there.
    pub fn required(&mut self, key: &'static str) -> Result<(&'a str, Range<usize>), ConfigError> {
        let what = self.what;
        self.string(key)?.ok_or_else(|| {
            // A key that is written almost so is the mistake, not that this one is missing.
            let unasked = self.table.keys().filter(|k| !self.asked.contains(k.get_ref().as_ref()));
            match unasked.min_by_key(|k| edits(key, k.get_ref())).filter(|k| is_near(key, k.get_ref())) {
                Some(written) => self.unknown(written, Some(key)),
                None => self.error(format!("{what} needs `{key} = \"...\"`")),
            }
        })
    }

    /// A name in records and files of ours: something, in one line, and no path.
    pub fn name(&mut self, key: &'static str) -> Result<(&'a str, Range<usize>), ConfigError> {
        let (name, span) = self.required(key)?;
        let bad = name.trim().is_empty()
            || name.len() > NAME_MAX
            || name.chars().any(|c| c.is_control() || c == '/');
        match bad {
            false => Ok((name, span)),
            true => Err(self.error_at(
                &span,
                format!("`{key} = {name:?}` names no source, channel or line: write 1 to {NAME_MAX} bytes without `/` and control characters"),
            )),
        }
    }

    /// A whole number from 0.
    pub fn unsigned(&mut self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some((DeValue::Integer(number), span)) => {
                let text = number.as_str().replace('_', "");
                text.parse().map(Some).map_err(|_| {
                    self.origin.error(span.start, format!("`{key}` wants a whole number from 0, not {text}"))
                })
            }
            Some((other, span)) => Err(self.wrong(key, span, "a whole number", other)),
        }
    }

    /// A decimal number, as thousandths.
    pub fn milli(&mut self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        let (text, span) = match self.get(key) {
            None => return Ok(None),
            Some((DeValue::Integer(number), span)) => (number.as_str().to_owned(), span),
            Some((DeValue::Float(number), span)) => (number.as_str().to_owned(), span),
            Some((other, span)) => return Err(self.wrong(key, span, "a number", other)),
        };
        milli(&text).map(Some).ok_or_else(|| {
            self.origin.error(span.start, format!("`{key}` wants a number such as 2.5, not {text}"))
        })
    }

    /// A duration such as `250us`, `25ms`, `2s`, in nanoseconds.
    pub fn duration(&mut self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        let Some((text, span)) = self.string(key)? else { return Ok(None) };
        duration(text).map(Some).ok_or_else(|| {
            let sentence = format!("`{key} = \"{text}\"` is no duration; write 250us, 25ms or 2s");
            self.origin.error(span.start, sentence)
        })
    }

    /// A size such as `64MiB`, `256MB` or a bare number of bytes, in bytes.
    pub fn size(&mut self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        let (text, span) = match self.get(key) {
            None => return Ok(None),
            Some((DeValue::Integer(number), span)) => (number.as_str().to_owned(), span),
            Some((DeValue::String(text), span)) => (text.as_ref().to_owned(), span),
            Some((other, span)) => return Err(self.wrong(key, span, "a size such as \"64MiB\"", other)),
        };
        size(&text).map(Some).ok_or_else(|| {
            let sentence =
                format!("`{key} = \"{text}\"` is no size; write 64MiB, 256MB or a number of bytes");
            self.origin.error(span.start, sentence)
        })
    }

    /// Yes or no.
    pub fn boolean(&mut self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some((DeValue::Boolean(yes), _)) => Ok(Some(*yes)),
            Some((other, span)) => Err(self.wrong(key, span, "true or false", other)),
        }
    }

    /// A day, written bare or as text: `2026-03-02`.
    pub fn date(&mut self, key: &'static str) -> Result<Option<(Date, Range<usize>)>, ConfigError> {
        let (text, span) = match self.get(key) {
            None => return Ok(None),
            Some((DeValue::Datetime(day), span)) => (day.to_string(), span),
            Some((DeValue::String(text), span)) => (text.as_ref().to_owned(), span),
            Some((other, span)) => return Err(self.wrong(key, span, "a day such as 2026-03-02", other)),
        };
        match text.parse::<Date>() {
            Ok(day) if text.len() == 10 => Ok(Some((day, span))),
            _ => Err(self
                .origin
                .error(span.start, format!("`{key} = {text}` is no day; write it as 2026-03-02"))),
        }
    }

    /// A list of strings.
    #[allow(clippy::type_complexity, reason = "text and place, said once")]
    pub fn strings(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Vec<(&'a str, Range<usize>)>>, ConfigError> {
        let (items, _) = match self.get(key) {
            None => return Ok(None),
            Some((DeValue::Array(items), span)) => (items, span),
            Some((other, span)) => return Err(self.wrong(key, span, "a list of strings", other)),
        };
        let mut out = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::String(text) => out.push((text.as_ref(), item.span())),
                other => return Err(self.wrong(key, item.span(), "a list of strings", other)),
            }
        }
        Ok(Some(out))
    }

    /// A list of tables (`[[key]]`, or inline).
    pub fn tables(&mut self, key: &'static str, what: &'static str) -> Result<Vec<Table<'a>>, ConfigError> {
        let wanted = match what.starts_with('[') {
            true => format!("a list of {what} tables"),
            false => "a list of tables".to_owned(),
        };
        let (items, _) = match self.get(key) {
            None => return Ok(Vec::new()),
            Some((DeValue::Array(items), span)) => (items, span),
            Some((other, span)) => return Err(self.wrong(key, span, &wanted, other)),
        };
        let mut out = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => out.push(Table::new(self.origin, what, table, item.span())),
                other => return Err(self.wrong(key, item.span(), &wanted, other)),
            }
        }
        Ok(out)
    }

    /// One table (`[key]`, or inline).
    pub fn table(&mut self, key: &'static str, what: &'static str) -> Result<Option<Table<'a>>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some((DeValue::Table(table), span)) => Ok(Some(Table::new(self.origin, what, table, span))),
            Some((other, span)) => Err(self.wrong(key, span, "a table", other)),
        }
    }

    /// Refuses every key that nobody asked for, with the nearest valid one.
    pub fn finish(self) -> Result<(), ConfigError> {
        for (key, _) in self.table.iter() {
            let name: &str = key.get_ref();
            if !self.asked.contains(name) {
                return Err(self.unknown(key, nearest(name, self.asked.iter().copied())));
            }
        }
        Ok(())
    }

    fn unknown(&self, key: &Spanned<DeString<'_>>, meant: Option<&str>) -> ConfigError {
        let hint = match meant {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => {
                let takes: Vec<_> = self.asked.iter().map(|key| format!("`{key}`")).collect();
                format!("; it takes {}", takes.join(", "))
            }
        };
        let sentence = format!("unknown key `{}` in {}{hint}", key.get_ref(), self.what);
        self.origin.error(key.span().start, sentence)
    }
}

/// Bytes of a name at most.
const NAME_MAX: usize = 64;

/// No duration is longer: deadlines must be countable.
const YEAR_NS: u64 = 366 * 86_400 * 1_000_000_000;

/// `250us` in nanoseconds; at most a year.
pub fn duration(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(split);
    let unit_ns: u64 = match unit.trim() {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" | "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let thousandths = milli(number)?;
    let ns = u128::from(thousandths) * u128::from(unit_ns);
    if ns % 1000 != 0 {
        return None;
    }
    u64::try_from(ns / 1000).ok().filter(|ns| *ns <= YEAR_NS)
}

/// Units of size, the largest first: binary (IEC 80000-13) and decimal.
const SIZES: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
];

/// `64MiB` in bytes.
pub fn size(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && !"._".contains(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit_bytes = match unit.trim() {
        "" | "B" if number.contains('.') => return None,
        "" | "B" => 1,
        "KB" => 1_000,
        unit => SIZES.iter().find(|(name, _)| *name == unit)?.1,
    };
    // 64-bit thousandths hold 16 PiB: more than is ever meant.
    let thousandths = u128::from(milli(number)?) * u128::from(unit_bytes);
    u64::try_from(thousandths / 1000).ok()
}

/// Bytes as the configuration writes them, in the largest unit that is exact, binary first.
pub fn size_text(bytes: u64) -> String {
    let exact = SIZES.iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    exact.map_or_else(|| format!("{bytes} bytes"), |(name, unit)| format!("{}{name}", bytes / unit))
}

/// A duration as the configuration writes it, in the largest unit that is exact.
pub fn duration_text(ns: u64) -> String {
    let units = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
    ];
    let exact = units.into_iter().find(|(_, unit)| ns >= *unit && ns.is_multiple_of(*unit));
    exact.map_or_else(|| format!("{ns}ns"), |(name, unit)| format!("{}{name}", ns / unit))
}

fn milli(text: &str) -> Option<u64> {
    let text = text.replace('_', "");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if whole.is_empty() || fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<3}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(fraction)
}

/// The candidate that is fewest edits away, when it is near enough to be meant.
pub fn nearest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    candidates
        .map(|candidate| (edits(name, candidate), candidate))
        .min()
        .map(|(_, candidate)| candidate)
        .filter(|candidate| is_near(name, candidate))
}

/// Whether one may have been written for the other.
fn is_near(name: &str, candidate: &str) -> bool {
    edits(name, candidate) <= 1 + candidate.len().max(name.len()) / 3
}

fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let read: Vec<_> =
            ["250us", "25ms", "2s", "1.5ms", "0ms", "5", "ms", "2 weeks", "1.0005s"].map(duration).into();
        let ms = 1_000_000;
        assert_eq!(
            read,
            [Some(250_000), Some(25 * ms), Some(2000 * ms), Some(1_500_000), Some(0), None, None, None, None]
        );
    }

    #[test]
    fn sizes_are_read_and_written_alike() {
        let texts = ["64MiB", "256MB", "1.5GiB", "20 GiB", "4096", "0", "3kB", "1_000KB", "7B"];
        let read: Vec<_> = texts.map(size).into_iter().flatten().collect();
        assert_eq!(read, [64 << 20, 256_000_000, 3 << 29, 20 << 30, 4096, 0, 3000, 1_000_000, 7]);
        for text in
            ["64M", "MiB", "-1", "1.5", "1..5MB", "64 mib", "", "99999999999999999999", "9999999999TiB"]
        {
            assert_eq!(size(text), None, "{text}");
        }
        let written = [64 << 20, 256_000_000, 3 << 29, 4096, 4097, 0].map(size_text);
        assert_eq!(written, ["64MiB", "256MB", "1536MiB", "4KiB", "4097 bytes", "0 bytes"]);
        let durations = [0, 1, 250_000, 25_000_000, 600_000_000_000].map(duration_text);
        assert_eq!(durations, ["0ns", "1ns", "250us", "25ms", "10m"]);
    }

    #[test]
    fn the_nearest_key_is_the_one_meant() {
        let keys = ["on_delay", "off_delay", "tolerance"];
        assert_eq!(nearest("on_dealy", keys.into_iter()), Some("on_delay"));
        assert_eq!(nearest("tolerence", keys.into_iter()), Some("tolerance"));
        assert_eq!(nearest("zzzzzz", keys.into_iter()), None);
    }
}
