//! The instrument map: what the sources call the same thing, from when to when, and what is known of it.
//!
//! ```text
//! instrument,source,symbol[,valid_from,valid_until,tick,round_lot,reference_price,isin,figi,ric,osi,mic,currency]
//! ```
//!
//! Columns may stand in any order; others are passed by. Rows are checked alone (shape, check digits) and against each
//! other: on one day a symbol of a source means one instrument, and what rows say of an instrument must agree.

use std::path::Path;

use jiff::civil::Date;

use super::Source;
use crate::market::price::{parse_nanos, show_nanos};
use crate::rules::identifiers;

/// No map is larger.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Identifiers of an instrument, each checked; empty where none is given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identifiers {
    /// ISO 6166.
    pub isin: String,
    /// Financial instrument global identifier.
    pub figi: String,
    /// Reuters instrument code.
    pub ric: String,
    /// The 21 characters of an option.
    pub osi: String,
    /// ISO 10383 of the listing.
    pub mic: String,
    /// ISO 4217.
    pub currency: String,
}

/// What one source calls an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Our name.
    pub instrument: String,
    /// Position of the source in [`super::Config::sources`].
    pub source: usize,
    /// The source's symbol (or number).
    pub symbol: String,
    /// First day on which the row holds, in the zone of the source's market; `None`: always did.
    pub valid_from: Option<Date>,
    /// First day on which it holds no more; `None`: still does.
    pub valid_until: Option<Date>,
    /// Price step in units of 1e-9, where given.
    pub tick_nanos: Option<u64>,
    /// Round lot, where given.
    pub round_lot: Option<u32>,
    /// The price by which the rule book assigns the round lot, units of 1e-9, where given.
    pub reference_nanos: Option<i64>,
    /// What else it is called.
    pub identifiers: Box<Identifiers>,
    /// Line of the map.
    pub line: u64,
}

impl Mapping {
    /// Whether the row holds on `date`.
    pub fn holds_on(&self, date: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= date) && self.valid_until.is_none_or(|until| date < until)
    }

    /// Whether there is a day on which both hold.
    fn meets(&self, other: &Mapping) -> bool {
        let before = |until: Option<Date>, from: Option<Date>| match (until, from) {
            (Some(until), Some(from)) => until <= from,
            _ => false,
        };
        !before(self.valid_until, other.valid_from) && !before(other.valid_until, self.valid_from)
    }

    /// From when to when, in words; empty for always.
    pub fn validity(&self) -> String {
        let from = self.valid_from.map(|date| format!(" from {date}"));
        let until = self.valid_until.map(|date| format!(" until {date}"));
        from.unwrap_or_default() + &until.unwrap_or_default()
    }
}

/// What a map holds, and what is odd about it without being wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map {
    /// Its rows, in the order of the file.
    pub rows: Vec<Mapping>,
    /// What a reader should know, each with its lines.
    pub findings: Vec<String>,
}

/// Rows of one instrument, or of one symbol of a source, at most: each is compared with each.
const ROWS_OF_ONE_MAX: usize = 256;

/// Findings that are told one by one; of the others there is a count.
const FINDINGS_MAX: usize = 20;

/// Where the columns stand.
struct Columns {
    header: csv::StringRecord,
}

impl Columns {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.header.iter().map(|name| name.trim().trim_start_matches('\u{feff}'))
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.names().position(|other| other == name)
    }

    /// A column that is there twice: which of the two counts would be a guess.
    fn doubled(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.names().filter(|name| !name.is_empty()).collect();
        names.sort_unstable();
        names.windows(2).find(|two| two[0] == two[1]).map(|two| two[0])
    }
}

/// Reads and checks the map.
///
/// # Errors
/// One sentence with the file, the line, what is wrong and what would be right.
pub fn read(path: &Path, sources: &[Source]) -> Result<Map, String> {
    let shown = path.display();
    let unreadable = |e: &dyn std::fmt::Display| format!("instrument map {shown} cannot be read: {e}");
    let length = std::fs::metadata(path).map_err(|e| unreadable(&e))?.len();
    if length > FILE_BYTES_MAX {
        return Err(format!("instrument map {shown} has {length} bytes; it may have {FILE_BYTES_MAX}"));
    }
    let file = std::fs::File::open(path).map_err(|e| unreadable(&e))?;
    read_from(&shown.to_string(), file, sources)
}

/// [`read`] for bytes that are there already; `shown` is what they are called.
///
/// # Errors
/// As [`read`].
pub fn read_from(shown: &str, bytes: impl std::io::Read, sources: &[Source]) -> Result<Map, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|e| format!("{shown}: {e}"))?.clone();
    let columns = Columns { header };
    if let Some(name) = columns.doubled() {
        return Err(format!(
            "{shown}: the header has `{}` twice; keep one of them",
            identifiers::shown(name)
        ));
    }
    for name in ["instrument", "source", "symbol"] {
        if columns.at(name).is_none() {
            return Err(format!(
                "{shown}: the header lacks `{name}`; it is instrument,source,symbol[,valid_from,valid_until,tick,round_lot,reference_price,isin,figi,ric,osi,mic,currency]"
            ));
        }
    }
    let mut map = Map::default();
    for record in reader.records() {
        let record = record.map_err(|e| format!("{shown}: {e}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = row(&record, &columns, sources, line);
        map.rows.push(row.map_err(|sentence| format!("{shown}, line {line}: {sentence}"))?);
    }
    against_each_other(&mut map, sources).map_err(|sentence| format!("{shown}, {sentence}"))?;
    Ok(map)
}

fn row(
    record: &csv::StringRecord,
    columns: &Columns,
    sources: &[Source],
    line: u64,
) -> Result<Mapping, String> {
    let cell = |name: &str| columns.at(name).and_then(|c| record.get(c)).unwrap_or("").trim();
    let given = |name: &str| Some(cell(name)).filter(|text| !text.is_empty());
    let name = cell("source");
    let source = sources.iter().position(|s| s.name == name);
    let source =
        source.ok_or_else(|| format!("`{}` is no source of this configuration", identifiers::shown(name)))?;
    let (instrument, symbol) = (cell("instrument").to_owned(), cell("symbol").to_owned());
    if instrument.is_empty() || symbol.is_empty() {
        return Err("instrument and symbol must not be empty".to_owned());
    }
    let day = |name: &str| {
        let Some(text) = given(name) else { return Ok(None) };
        let day = text.parse::<Date>().ok().filter(|_| text.len() == 10);
        day.map(Some)
            .ok_or_else(|| format!("{name} `{}` is no day; write it as 2026-03-02", identifiers::shown(text)))
    };
    let (valid_from, valid_until) = (day("valid_from")?, day("valid_until")?);
    if let (Some(from), Some(until)) = (valid_from, valid_until)
        && until <= from
    {
        return Err(format!("valid_until {until} is not after valid_from {from}: the row would never hold"));
    }
    let price = |name: &str| {
        let Some(text) = given(name) else { return Ok(None) };
        let nanos = parse_nanos(text).filter(|nanos| *nanos > 0);
        nanos.map(Some).ok_or_else(|| format!("{name} `{}` is no positive decimal", identifiers::shown(text)))
    };
    let tick_nanos = price("tick")?.and_then(|nanos| u64::try_from(nanos).ok());
    let reference_nanos = price("reference_price")?;
    let round_lot = match given("round_lot") {
        None => None,
        Some(text) => {
            let lot = text.parse::<u32>().ok().filter(|n| *n > 0);
            Some(lot.ok_or_else(|| {
                format!("round_lot `{}` is no positive whole number", identifiers::shown(text))
            })?)
        }
    };
    let identifiers = Box::new(identifiers_of(&given, record, columns)?);
    Ok(Mapping {
        instrument,
        source,
        symbol,
        valid_from,
        valid_until,
        tick_nanos,
        round_lot,
        reference_nanos,
        identifiers,
        line,
    })
}

fn identifiers_of<'r>(
    given: &impl Fn(&str) -> Option<&'r str>,
    record: &'r csv::StringRecord,
    columns: &Columns,
) -> Result<Identifiers, String> {
    let mut found = Identifiers::default();
    let checked = |name: &str, check: fn(&str) -> Result<(), String>| match given(name) {
        None => Ok(String::new()),
        Some(text) => check(text).map(|()| text.to_owned()).map_err(|why| format!("{name} {why}")),
    };
    found.isin = checked("isin", identifiers::isin)?;
    found.figi = checked("figi", identifiers::figi)?;
    found.ric = checked("ric", identifiers::ric)?;
    found.mic = checked("mic", identifiers::mic)?;
    found.currency = checked("currency", identifiers::currency)?;
    // Spaces belong to an option symbol.
    let osi = columns.at("osi").and_then(|c| record.get(c)).unwrap_or("");
    if !osi.trim().is_empty() {
        identifiers::osi(osi).map_err(|why| format!("osi {why}"))?;
        osi.clone_into(&mut found.osi);
    }
    Ok(found)
}

/// Rows sorted by a key, each with its position.
fn sorted_by<'m, K: Ord>(rows: &'m [Mapping], key: impl Fn(&'m Mapping) -> K) -> Vec<&'m Mapping> {
    let mut sorted: Vec<&Mapping> = rows.iter().collect();
    sorted.sort_by_key(|row| (key(row), row.line));
    sorted
}

/// What rows say of the same thing on the same day must agree.
fn against_each_other(map: &mut Map, sources: &[Source]) -> Result<(), String> {
    let by_symbol = sorted_by(&map.rows, |row| (row.source, row.symbol.as_str()));
    for group in by_symbol.chunk_by(|a, b| a.source == b.source && a.symbol == b.symbol) {
        few(group, &group[0].symbol)?;
        if let Some((a, b)) = meeting(group).next() {
            return Err(format!(
                "line {}: {} of {} is mapped by line {} for the same days already; end one row with valid_until where the other begins",
                b.line, b.symbol, sources[b.source].name, a.line
            ));
        }
    }
    let by_instrument = sorted_by(&map.rows, |row| row.instrument.as_str());
    let mut findings = Vec::new();
    for group in by_instrument.chunk_by(|a, b| a.instrument == b.instrument) {
        few(group, &group[0].instrument)?;
        for (a, b) in meeting(group) {
            if let Some((what, first, second)) = contradiction(a, b) {
                return Err(format!(
                    "line {}: {} has {what} {second}, and {first} by line {}, on the same days; the same instrument has one {what}, or two names are meant",
                    b.line, b.instrument, a.line
                ));
            }
            if a.source == b.source {
                findings.push(format!(
                    "lines {} and {}: {} and {} of {} are both {} on the same days; their quotes would share one view",
                    a.line, b.line, a.symbol, b.symbol, sources[a.source].name, a.instrument
                ));
            }
        }
    }
    let more = findings.len().saturating_sub(FINDINGS_MAX);
    findings.truncate(FINDINGS_MAX);
    if more > 0 {
        findings.push(format!("and {more} more like these"));
    }
    map.findings = findings;
    Ok(())
}

fn few(group: &[&Mapping], name: &str) -> Result<(), String> {
    match group.get(ROWS_OF_ONE_MAX) {
        None => Ok(()),
        Some(row) => Err(format!("line {}: {name} has more than {ROWS_OF_ONE_MAX} rows", row.line)),
    }
}

/// Pairs of rows that share a day. Rows of one instrument are few: one a source and a span of days.
fn meeting<'m>(group: &'m [&'m Mapping]) -> impl Iterator<Item = (&'m Mapping, &'m Mapping)> {
    let pairs = group.iter().enumerate().flat_map(|(n, a)| group[n + 1..].iter().map(move |b| (*a, *b)));
    pairs.filter(|(a, b)| a.meets(b))
}

/// What the two say differently of one instrument: its name, and what each says.
fn contradiction(a: &Mapping, b: &Mapping) -> Option<(&'static str, String, String)> {
    let price = |nanos: u64| show_nanos(i64::try_from(nanos).unwrap_or(i64::MAX));
    let differ = |what, a: Option<String>, b: Option<String>| match (a, b) {
        (Some(a), Some(b)) if a != b => Some((what, a, b)),
        _ => None,
    };
    let text = |text: &String| (!text.is_empty()).then(|| text.clone());
    let (x, y) = (&a.identifiers, &b.identifiers);
    differ("tick", a.tick_nanos.map(price), b.tick_nanos.map(price))
        .or_else(|| {
            differ("round_lot", a.round_lot.map(|l| l.to_string()), b.round_lot.map(|l| l.to_string()))
        })
        .or_else(|| {
            differ("reference_price", a.reference_nanos.map(show_nanos), b.reference_nanos.map(show_nanos))
        })
        .or_else(|| differ("currency", text(&x.currency), text(&y.currency)))
        .or_else(|| differ("isin", text(&x.isin), text(&y.isin)))
        .or_else(|| differ("osi", text(&x.osi), text(&y.osi)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::config::Config;

    const CONFIG: &str = r#"
[[source]]
name = "direct"
feed = "nasdaq-itch-5.0"
[[source.channel]]
name = "tv"
lines = [{ name = "A", group = "233.1.1.1:1" }]
[[source]]
name = "sip"
feed = "utp-uqdf"
[[source.channel]]
name = "q"
lines = [{ name = "A", group = "233.1.1.3:1" }]
"#;

    fn map(text: &str) -> Result<Map, String> {
        let sources = Config::parse("c.toml", CONFIG, Path::new(".")).unwrap().sources;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let shown = file.path().display().to_string();
        read(file.path(), &sources).map_err(|sentence| sentence.replace(&shown, "map.csv"))
    }

    #[test]
    fn every_column_is_read() {
        let read = map("\u{feff}instrument,source,symbol,valid_from,valid_until,tick,round_lot,reference_price,isin,figi,ric,osi,mic,currency,desk\n\
            AAPL,direct,AAPL,2026-01-01,2026-07-01,0.01,40,312.5,US0378331005,BBG000B9XRY4,AAPL.O,,XNAS,USD,7\n\
            CALL,sip,AAPL01,,,,,,,,,AAPL  260117C00150000,,,\n")
        .unwrap();
        assert_eq!((read.rows.len(), read.findings.len()), (2, 0));
        let row = &read.rows[0];
        assert_eq!((row.round_lot, row.reference_nanos, row.line), (Some(40), Some(312_500_000_000), 2));
        assert_eq!(row.validity(), " from 2026-01-01 until 2026-07-01");
        let day = |month| jiff::civil::date(2026, month, 1);
        assert_eq!([1, 6, 7].map(|m| row.holds_on(day(m))), [true, true, false]);
        assert_eq!(
            (row.identifiers.isin.as_str(), row.identifiers.currency.as_str()),
            ("US0378331005", "USD")
        );
        assert_eq!(read.rows[1].identifiers.osi, "AAPL  260117C00150000");
    }

    #[test]
    fn mistakes_have_their_line() {
        let head = "instrument,source,symbol,valid_from,valid_until,tick,round_lot,isin,figi,mic,currency";
        let cases = [
            ("A,dirct,A,,,,,,,,", "line 2: `dirct` is no source of this configuration"),
            ("A,direct,A,03/02/2026,,,,,,,", "line 2: valid_from `03/02/2026` is no day"),
            (
                "A,direct,A,2026-03-02,2026-03-02,,,,,,",
                "line 2: valid_until 2026-03-02 is not after valid_from 2026-03-02",
            ),
            ("A,direct,A,,,0,,,,,", "line 2: tick `0` is no positive decimal"),
            ("A,direct,A,,,,1.5,,,,", "line 2: round_lot `1.5` is no positive whole number"),
            (
                "A,direct,A,,,,,US0378331006,,,",
                "line 2: isin `US0378331006` is no ISIN: its check digit would be 5, not 6",
            ),
            ("A,direct,A,,,,,,BBG000BLNQ17,,", "line 2: figi `BBG000BLNQ17` is no FIGI"),
            ("A,direct,A,,,,,,,NASDAQ,", "line 2: mic `NASDAQ` is no MIC"),
            ("A,direct,A,,,,,,,,usd", "line 2: currency `usd` is no currency"),
            ("A,direct,,,,,,,,,", "line 2: instrument and symbol must not be empty"),
            (
                "A,direct,A,,,,,,,,\nB,direct,A,2026-01-01,,,,,,,",
                "line 3: A of direct is mapped by line 2 for the same days already",
            ),
            (
                "A,direct,A,,,0.01,,,,,\nA,sip,A,,,0.005,,,,,",
                "line 3: A has tick 0.005, and 0.01 by line 2, on the same days",
            ),
            ("A,direct,A,,,,100,,,,\nA,sip,A,,,,40,,,,", "line 3: A has round_lot 40, and 100 by line 2"),
            ("A,direct,A,,,,,,,,USD\nA,sip,A,,,,,,,,EUR", "line 3: A has currency EUR, and USD by line 2"),
        ];
        for (rows, wanted) in cases {
            let error = map(&format!("{head}\n{rows}\n")).unwrap_err();
            assert!(error.starts_with(&format!("map.csv, {wanted}")), "{error}\n  wanted: {wanted}");
        }
        assert!(map("instrument,symbol\nA,A\n").unwrap_err().contains("the header lacks `source`"));
        let twice = map("instrument,source,symbol,tick, tick\nA,direct,A,0.01,0.05\n").unwrap_err();
        assert_eq!(twice, "map.csv: the header has `tick` twice; keep one of them");
        assert!(map("").unwrap_err().contains("the header lacks `instrument`"));
    }

    #[test]
    fn rows_that_follow_each_other_do_not_meet() {
        let read = map("instrument,source,symbol,valid_from,valid_until,round_lot\n\
            META,direct,FB,,2022-06-09,100\nMETA,direct,META,2022-06-09,,40\nFUND,direct,META,2021-06-30,2022-01-31,\n")
        .unwrap();
        assert_eq!(read.findings, [] as [&str; 0]);
        let read = map("instrument,source,symbol\nA,direct,A\nA,direct,B\n").unwrap();
        let wanted =
            "lines 2 and 3: A and B of direct are both A on the same days; their quotes would share one view";
        assert_eq!(read.findings, [wanted]);
    }

    #[test]
    fn what_would_never_end_is_cut_short() {
        let head = "instrument,source,symbol\n".to_owned();
        let rows = |n: usize| (0..n).map(|i| format!("A,direct,S{i}\n")).collect::<String>();
        let read = map(&(head.clone() + &rows(8))).unwrap();
        assert_eq!((read.findings.len(), read.findings[20].as_str()), (21, "and 8 more like these"));
        let error = map(&(head + &rows(257))).unwrap_err();
        assert_eq!(error, "map.csv, line 258: A has more than 256 rows");
    }
}
