//! The rule for clocks that a report is held against: the rows of the rule book that hold in its time, each in its days.

use jiff::civil::Date;

use super::range::Range;
use crate::latency::text::humane;
use crate::rules::{Book, Kind, Row, Values};

/// One row of the rule book, in the time in which it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockRule {
    /// Its name in the rule book.
    pub row: String,
    /// Its first day, of its market's zone.
    pub since: Date,
    /// The first day on which it holds no more; `None`: nobody has ended it.
    pub until: Option<Date>,
    /// That first day's midnight, nanoseconds since 1970 UTC.
    pub from_ns: i64,
    /// The midnight at which it ends, nanoseconds since 1970 UTC.
    pub until_ns: i64,
    /// How far a clock may be off, nanoseconds.
    pub tolerance_ns: i64,
    /// What it asks to be kept, where the book says it.
    pub log: String,
    /// Where it is written, and whether it was verified there.
    pub source: String,
}

/// All that the book has of one rule in a time: every look at a clock is judged by the row of its day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClockRules {
    /// The class, and its market where another has a class of the same name: `finra-4590`, `GB/rts25-hft`.
    pub name: String,
    /// Rows that hold in the time, the earliest first; they do not overlap. Empty: the book has none for it.
    pub rows: Vec<ClockRule>,
    /// For which days of the time the book has no row, in words: `before 2017-03-15`; empty where it has one for every day.
    pub without: String,
}

impl ClockRules {
    /// The rule called `name` in the time of `data` that a report looks at.
    ///
    /// # Errors
    /// A sentence without its beginning, the option and the name: there is no such rule, or none of its rows holds in that time.
    pub fn find(book: &Book, name: &str, data: Range) -> Result<ClockRules, String> {
        let (market, class) = class_of(name);
        let of_class = |row: &&Row| row.kind == Kind::Clock && row.class == class && !row.is_proposed();
        let mut all: Vec<&Row> = book.rows().iter().filter(of_class).collect();
        let market = market.or_else(|| all.first().map(|row| row.market.clone())).unwrap_or_default();
        all.retain(|row| row.market.eq_ignore_ascii_case(&market));
        let Some(first) = all.first() else {
            return Err(format!(
                "is no rule for clocks of the rule book; such are {}",
                known(book).join(", ")
            ));
        };
        let shared = book.rows().iter().any(|row| of_class(&row) && row.market != first.market);
        let name = if shared { format!("{}/{class}", first.market) } else { class.to_owned() };
        let spans: Vec<ClockRule> = all.iter().filter_map(|row| span(book, row)).collect();
        let rows: Vec<ClockRule> =
            spans.iter().filter(|r| r.from_ns < data.to_ns && r.until_ns > data.from_ns).cloned().collect();
        if rows.is_empty() {
            return Err(not_then(&spans, data));
        }
        let without = without(&rows, data);
        Ok(ClockRules { name, rows, without })
    }

    /// What holds, for the end of a sentence: `finra-4590 (50.0ms)`, or each row with its days.
    pub fn shown(&self) -> String {
        let each = |rule: &ClockRule| format!("{} ({}) {}", rule.row, humane(rule.tolerance_ns), days(rule));
        match self.rows.as_slice() {
            [] => self.name.clone(),
            [one] => format!("{} ({})", self.name, humane(one.tolerance_ns)),
            rows => format!("{}: {}", self.name, rows.iter().map(each).collect::<Vec<_>>().join(", ")),
        }
    }

    /// A row by its name in the book.
    pub fn row(&self, name: &str) -> Option<&ClockRule> {
        self.rows.iter().find(|rule| rule.row == name)
    }

    /// What stands at the end of a report: a paragraph for each row, as the rule with its tolerance and days, and where it
    /// is written and what it asks to be kept.
    pub fn paragraphs(&self) -> Vec<(String, String)> {
        let asks = |log: &str| match log {
            "" => String::new(),
            log => format!(" To be kept: {log}."),
        };
        let each = |rule: &ClockRule| {
            let head = format!("{} ({}), {} {}", self.name, humane(rule.tolerance_ns), rule.row, days(rule));
            (head, format!("{}.{}", rule.source, asks(&rule.log)))
        };
        self.rows.iter().map(each).collect()
    }
}

/// `from 2018-01-03 until 2026-03-02`: the second day is the first on which it holds no more.
fn days(rule: &ClockRule) -> String {
    let until = rule.until.map_or(String::new(), |until| format!(" until {until}"));
    format!("from {}{until}", rule.since)
}

/// Market, where it is named, and class. The names that people use mean the strictest class that binds a firm.
fn class_of(name: &str) -> (Option<String>, &str) {
    let (market, class) = match name.split_once('/') {
        Some((market, class)) => (Some(market.to_owned()), class),
        None => (None, name),
    };
    let class = match class {
        "cat" => "cat-industry-member",
        "rts-25" | "rts25" => "rts25-hft",
        class => class,
    };
    (market, class)
}

/// Every rule for clocks by the name that finds it.
fn known(book: &Book) -> Vec<String> {
    let rows = || book.rows().iter().filter(|row| row.kind == Kind::Clock && !row.is_proposed());
    let mut names: Vec<String> = Vec::new();
    for row in rows() {
        let is_first = rows().find(|other| other.class == row.class).is_some_and(|f| f.market == row.market);
        let name = if is_first { row.class.clone() } else { format!("{}/{}", row.market, row.class) };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort_by_key(|name| (name.contains('/'), name.clone()));
    names
}

/// A row with the nanoseconds at which its days begin in its market.
fn span(book: &Book, row: &Row) -> Option<ClockRule> {
    let Values::Clock(clock) = &row.values else { return None };
    let since = row.valid_from?;
    let midnight = |date: Date| i64::try_from(book.midnight_ns(&row.market, date)).unwrap_or(i64::MAX);
    let seen = if row.verified { "" } else { " (not verified in its source)" };
    Some(ClockRule {
        row: row.id.clone(),
        since,
        until: row.valid_until,
        from_ns: midnight(since),
        until_ns: row.valid_until.map_or(i64::MAX, midnight),
        tolerance_ns: i64::try_from(clock.tolerance_ns).unwrap_or(i64::MAX),
        log: clock.log.clone(),
        source: format!("{}, {}{seen}", row.source.document, row.source.section),
    })
}

/// That no row holds in the time of `data`, and which would come nearest.
fn not_then(spans: &[ClockRule], data: Range) -> String {
    let before = spans.iter().rev().find(|rule| rule.until_ns <= data.from_ns);
    let after = spans.iter().find(|rule| rule.from_ns >= data.to_ns);
    match (before.and_then(|rule| rule.until), after) {
        (Some(ended), Some(next)) => {
            format!("has no row in the rule book from {ended} until {}, where all these data lie", next.since)
        }
        (Some(ended), None) => format!("held until {ended} by the rule book, and these data begin later"),
        (None, Some(next)) => {
            format!("holds from {} on by the rule book, and these data end before that", next.since)
        }
        (None, None) => "has no row in the rule book".to_owned(),
    }
}

/// The days of `data` that no row covers, in words.
fn without(rows: &[ClockRule], data: Range) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut covered: Option<&ClockRule> = None;
    for rule in rows {
        let begins = covered.map_or(data.from_ns, |before| before.until_ns);
        if begins < rule.from_ns {
            let after = covered.and_then(|before| before.until);
            let until = rule.since;
            said.push(after.map_or(format!("before {until}"), |day| format!("from {day} until {until}")));
        }
        covered = Some(rule);
    }
    if let Some(day) = covered.filter(|last| last.until_ns < data.to_ns).and_then(|last| last.until) {
        said.push(format!("from {day} on"));
    }
    said.join(" and ")
}

/// What of a report's time has data, so that a range from long before them is held to the rules of their days; all of it where
/// none has.
pub fn with_data(range: Range, held: Option<(i64, i64)>) -> Range {
    let both = held.and_then(|(first, last)| {
        let (from_ns, to_ns) = (range.from_ns.max(first), range.to_ns.min(last.saturating_add(1)));
        (from_ns < to_ns).then_some(Range { from_ns, to_ns })
    });
    both.unwrap_or(range)
}
