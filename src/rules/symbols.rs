//! How US feeds spell the same security: its root, and behind it a suffix that each convention writes in its own way.
//!
//! A spelling is read in one convention and written in another through the table of `book/symbols.toml`. What the table
//! spells alike for two things, or not at all, is refused: a wrong match of two securities is worse than none.

use std::sync::OnceLock;

use toml::de::DeTable;

use super::row::Citation;
use crate::config::ConfigError;
use crate::config::reader::{Origin, Table};

/// A way to spell suffixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Convention {
    /// Nasdaq's integrated platform: `BRK.A`, `BAC-B`. Our own names for instruments are in it.
    Nasdaq,
    /// The consolidated tape: `BRK/A`, `BACpB`.
    Cqs,
    /// The NYSE's CMS: `BRK A`, `BAC PRB`.
    Cms,
    /// Nasdaq's ACT/CTCI: `BRK.A`, `BAC$B`.
    Act,
}

impl Convention {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Convention; 4] = [Convention::Nasdaq, Convention::Cqs, Convention::Cms, Convention::Act];

    /// Name in configurations and commands.
    pub const fn name(self) -> &'static str {
        match self {
            Convention::Nasdaq => "nasdaq",
            Convention::Cqs => "cqs",
            Convention::Cms => "cms",
            Convention::Act => "act",
        }
    }

    /// The convention of that name.
    pub fn from_name(name: &str) -> Option<Convention> {
        Convention::ALL.into_iter().find(|convention| convention.name() == name)
    }

    /// What stands between root and suffix.
    const fn separator(self) -> &'static str {
        match self {
            Convention::Cms => " ",
            _ => "",
        }
    }

    /// Where the root of `text` ends.
    fn root_len(self, text: &str) -> usize {
        let ends = |c: char| match self {
            Convention::Cms => c == ' ',
            _ => !c.is_ascii_uppercase() && !c.is_ascii_digit(),
        };
        text.find(ends).unwrap_or(text.len())
    }
}

/// One row of the table: what a suffix means, and its spelling by convention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suffix {
    /// In words; `A` stands for the class.
    pub means: String,
    /// By convention; `?` stands for one capital letter.
    pub spellings: [Option<String>; 4],
    /// In Reuters codes, where a page says it; `?` stands for the letter in lower case.
    pub ric: Option<String>,
    /// Whether that spelling was seen with the codes' own publisher.
    pub ric_verified: bool,
}

/// A security in terms of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// Root symbol.
    pub root: String,
    /// Position in the table, and the class or series where it has one; `None` for a bare root.
    pub suffix: Option<(usize, Option<char>)>,
}

/// Why a spelling cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no root with a suffix.
    #[error("`{}` is no root of capitals and digits with a suffix", super::identifiers::shown(.0))]
    Shape(String),
    /// The suffix is not in the table.
    #[error("`{}` is no suffix that {} has", super::identifiers::shown(.suffix), .convention.name())]
    Unknown {
        /// Which.
        suffix: String,
        /// Whose.
        convention: Convention,
    },
    /// The convention has no spelling for it.
    #[error("the table has no one spelling of it in {}", .0.name())]
    Unspelled(Convention),
    /// The convention spells something else so.
    #[error("{} spells {} alike", .convention.name(), .other)]
    Alike {
        /// Whose.
        convention: Convention,
        /// What else is spelled so.
        other: String,
    },
}

/// A documented ending of Reuters instrument codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RicEnding {
    /// Behind the dot.
    pub ending: String,
    /// MIC of the market.
    pub market: String,
    /// Who says so.
    pub source: Citation,
}

/// The table.
#[derive(Debug)]
pub struct Symbology {
    /// Its rows.
    pub suffixes: Vec<Suffix>,
    /// Who says so.
    pub source: Citation,
    /// Title of each convention.
    pub titles: [String; 4],
    /// Endings of Reuters codes.
    pub rics: Vec<RicEnding>,
    /// Who says how they spell suffixes.
    pub ric_suffixes: RicSuffixes,
}

/// Who says how Reuters codes spell suffixes, and how surely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RicSuffixes {
    /// Who says so.
    pub source: Citation,
    /// What else must be known.
    pub note: String,
}

impl Symbology {
    /// The table that comes with the program.
    pub fn shipped() -> &'static Symbology {
        static TABLE: OnceLock<Symbology> = OnceLock::new();
        TABLE.get_or_init(|| {
            read("symbols.toml", include_str!("book/symbols.toml"))
                .expect("the shipped table is read by a test")
        })
    }

    /// Reads a spelling.
    ///
    /// # Errors
    /// What is no symbol, or has a suffix that the table does not know.
    pub fn parse(&self, convention: Convention, text: &str) -> Result<Security, Refusal> {
        let (root, rest) = text.split_at(convention.root_len(text));
        let rooted = (1..=14).contains(&root.len())
            && root.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !rooted {
            return Err(Refusal::Shape(text.to_owned()));
        }
        let suffix = rest.strip_prefix(convention.separator()).unwrap_or(rest);
        if suffix.is_empty() {
            return Ok(Security { root: root.to_owned(), suffix: None });
        }
        let found = self.find(convention, suffix);
        let found = found.ok_or_else(|| Refusal::Unknown { suffix: suffix.to_owned(), convention })?;
        Ok(Security { root: root.to_owned(), suffix: Some(found) })
    }

    /// The row that the suffix is, an exact one before one with a class.
    fn find(&self, convention: Convention, suffix: &str) -> Option<(usize, Option<char>)> {
        let spelled = |(row, s): (usize, &Suffix)| {
            let spelling = s.spellings[convention as usize].as_deref()?;
            Some((row, matched(spelling, suffix)?))
        };
        let all = || self.suffixes.iter().enumerate().filter_map(spelled);
        all().find(|(_, class)| class.is_none()).or_else(|| all().next())
    }

    /// Writes a security.
    ///
    /// # Errors
    /// What the convention has no spelling of its own for.
    pub fn spell(&self, security: &Security, convention: Convention) -> Result<String, Refusal> {
        let Some((row, class)) = security.suffix else { return Ok(security.root.clone()) };
        let spelling = self.suffixes[row].spellings[convention as usize].as_deref();
        let spelling = spelling.ok_or(Refusal::Unspelled(convention))?;
        let suffix = match class {
            Some(class) => spelling.replacen('?', class.encode_utf8(&mut [0; 4]), 1),
            None => spelling.to_owned(),
        };
        match self.find(convention, &suffix) {
            Some(found) if found != (row, class) => {
                Err(Refusal::Alike { convention, other: self.meaning(Some(found)) })
            }
            _ => Ok(format!("{}{}{suffix}", security.root, convention.separator())),
        }
    }

    /// The Reuters code of a security that is listed on a market.
    pub fn ric(&self, security: &Security, market: &str) -> Option<String> {
        let ending = &self.rics.iter().find(|ric| ric.market == market)?.ending;
        let root = &security.root;
        if !root.bytes().all(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let suffix = match security.suffix {
            None => String::new(),
            Some((row, class)) => {
                let spelling = self.suffixes.get(row)?.ric.as_deref()?;
                match class {
                    Some(class) => spelling.replacen('?', &class.to_ascii_lowercase().to_string(), 1),
                    None => spelling.to_owned(),
                }
            }
        };
        Some(format!("{root}{suffix}.{ending}"))
    }

    /// Reads a Reuters code of a US listing: the security, and the market that lists it.
    pub fn parse_ric(&self, text: &str) -> Option<(Security, &str)> {
        let (code, ending) = text.rsplit_once('.')?;
        let market = &self.rics.iter().find(|ric| ric.ending == ending)?.market;
        let root_len = code.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(code.len());
        let (root, suffix) = code.split_at(root_len);
        if root.is_empty() || root_len > 14 {
            return None;
        }
        let spelled = |(row, s): (usize, &Suffix)| {
            let spelling = s.ric.as_deref()?;
            match spelling.split_once('?') {
                None => (spelling == suffix).then_some((row, None)),
                Some((before, behind)) => match suffix.strip_prefix(before)?.strip_suffix(behind)?.as_bytes()
                {
                    [letter] if letter.is_ascii_lowercase() => {
                        Some((row, Some(char::from(letter.to_ascii_uppercase()))))
                    }
                    _ => None,
                },
            }
        };
        let found = match suffix {
            "" => None,
            _ => {
                let all = || self.suffixes.iter().enumerate().filter_map(spelled);
                Some(all().find(|(_, class)| class.is_none()).or_else(|| all().next())?)
            }
        };
        Some((Security { root: root.to_owned(), suffix: found }, market))
    }

    /// The name under which sources meet: the Nasdaq spelling, or the text itself where it cannot be read.
    pub fn canonical<'t>(&self, convention: Convention, text: &'t str) -> std::borrow::Cow<'t, str> {
        if convention == Convention::Nasdaq {
            return text.into();
        }
        let security = self.parse(convention, text);
        match security.and_then(|security| self.spell(&security, Convention::Nasdaq)) {
            Ok(name) => name.into(),
            Err(_) => text.into(),
        }
    }

    /// What a suffix means, in words.
    pub fn meaning(&self, suffix: Option<(usize, Option<char>)>) -> String {
        match suffix {
            None => "no suffix".to_owned(),
            Some((row, None)) => self.suffixes[row].means.to_lowercase(),
            Some((row, Some(class))) => {
                self.suffixes[row].means.to_lowercase().replacen(" a", &format!(" {class}"), 1)
            }
        }
    }
}

/// Whether the suffix is that spelling, and the class in it.
fn matched(spelling: &str, suffix: &str) -> Option<Option<char>> {
    let Some((before, behind)) = spelling.split_once('?') else {
        return (spelling == suffix).then_some(None);
    };
    let class = suffix.strip_prefix(before)?.strip_suffix(behind)?;
    match class.as_bytes() {
        [letter] if letter.is_ascii_uppercase() => Some(Some(char::from(*letter))),
        _ => None,
    }
}

fn citation(table: &mut Table<'_>) -> Result<Citation, ConfigError> {
    let Some(mut source) = table.table("source", "source")? else {
        return Err(table.error("the table needs a source"));
    };
    let text = |source: &mut Table<'_>, key| source.required(key).map(|(text, _)| text.to_owned());
    let (document, section, url) =
        (text(&mut source, "document")?, text(&mut source, "section")?, text(&mut source, "url")?);
    let Some((seen, _)) = source.date("seen")? else {
        return Err(source.error("source needs `seen`, the day on which it was read"));
    };
    source.finish()?;
    Ok(Citation { document, section, url, seen })
}

fn read(path: &str, text: &str) -> Result<Symbology, ConfigError> {
    let origin = Origin { path, text };
    let root = DeTable::parse(text)
        .map_err(|e| origin.error(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
    let mut root = Table::new(origin, "the table of symbols", root.get_ref(), 0..0);
    let source = citation(&mut root)?;
    let mut titles: [String; 4] = Default::default();
    for mut table in root.tables("convention", "[[convention]]")? {
        let (name, span) = table.required("name")?;
        let Some(convention) = Convention::from_name(name) else {
            return Err(table.error_at(&span, format!("`{name}` is no convention")));
        };
        table.required("title")?.0.clone_into(&mut titles[convention as usize]);
        table.string("separator")?;
        table.finish()?;
    }
    let mut suffixes = Vec::new();
    for mut table in root.tables("suffix", "[[suffix]]")? {
        let means = table.required("means")?.0.to_owned();
        let mut spellings: [Option<String>; 4] = Default::default();
        for convention in Convention::ALL {
            let spelling = table.string(convention.name())?;
            spellings[convention as usize] = spelling.map(|(text, _)| text.to_owned());
        }
        let ric = table.string("ric")?.map(|(text, _)| text.to_owned());
        let ric_verified = table.boolean("ric_verified")?.unwrap_or(false);
        table.finish()?;
        suffixes.push(Suffix { means, spellings, ric, ric_verified });
    }
    let Some(mut table) = root.table("ric_suffixes", "[ric_suffixes]")? else {
        return Err(root.error("the table needs `[ric_suffixes]`: who says how Reuters codes spell suffixes"));
    };
    let ric_suffixes = RicSuffixes {
        source: citation(&mut table)?,
        note: table.string("note")?.map_or(String::new(), |(text, _)| text.to_owned()),
    };
    table.finish()?;
    let mut rics = Vec::new();
    for mut table in root.tables("ric", "[[ric]]")? {
        let ending = table.required("ending")?.0.to_owned();
        let market = table.required("market")?.0.to_owned();
        let source = citation(&mut table)?;
        table.finish()?;
        rics.push(RicEnding { ending, market, source });
    }
    root.finish()?;
    Ok(Symbology { suffixes, source, titles, rics, ric_suffixes })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The spellings of one security by convention, `-` where it is refused.
    fn spellings(convention: Convention, text: &str) -> [String; 4] {
        let table = Symbology::shipped();
        let security = table.parse(convention, text).unwrap();
        Convention::ALL.map(|c| table.spell(&security, c).unwrap_or_else(|_| "-".to_owned()))
    }

    #[test]
    fn the_known_ones() {
        assert_eq!(spellings(Convention::Cqs, "BRK/A"), ["BRK.A", "BRK/A", "BRK A", "BRK.A"]);
        assert_eq!(spellings(Convention::Cms, "BAC PRB"), ["BAC-B", "BACpB", "BAC PRB", "BAC$B"]);
        assert_eq!(spellings(Convention::Nasdaq, "BAC+A"), ["BAC+A", "BAC/WS/A", "BAC WSA", "-"]);
        assert_eq!(spellings(Convention::Cqs, "XYZw"), ["XYZ#", "XYZw", "XYZ WI", "-"]);
        assert_eq!(spellings(Convention::Cqs, "XYZ/Aw"), ["XYZ.A#", "XYZ/Aw", "XYZ AWI", "-"]);
        assert_eq!(spellings(Convention::Nasdaq, "XYZ="), ["XYZ=", "XYZ/U", "XYZ U", "XYZ.U"]);
        assert_eq!(spellings(Convention::Nasdaq, "AAPL"), ["AAPL", "AAPL", "AAPL", "AAPL"]);
        assert_eq!(spellings(Convention::Nasdaq, "ZTST~"), ["ZTST~", "ZTST/TEST", "ZTST TEST", "-"]);
    }

    #[test]
    fn reuters_codes_are_written_and_read() {
        let table = Symbology::shipped();
        // As the table's source has them; the endings are those of the listing.
        for (nasdaq, market, wanted) in [
            ("VZ", "XNYS", "VZ.N"),
            ("MSFT", "XNAS", "MSFT.O"),
            ("BRK.B", "XNYS", "BRKb.N"),
            ("TY-", "XNYS", "TY_p.N"),
            ("BAC-L", "XNYS", "BAC_pl.N"),
            ("OXY+", "XNYS", "OXY_t.N"),
            ("TDW+A", "XNYS", "TDW_ta.N"),
            ("CELG^", "XNAS", "CELG_r.O"),
            ("GRP=", "XNYS", "GRP_u.N"),
            ("POST#", "XNYS", "POST_w.N"),
            ("GLO^#", "XNYS", "GLO_rw.N"),
        ] {
            let security = table.parse(Convention::Nasdaq, nasdaq).unwrap();
            assert_eq!(table.ric(&security, market).as_deref(), Some(wanted), "{nasdaq}");
            assert_eq!(table.parse_ric(wanted), Some((security, market)), "{wanted}");
        }
        // No page says these.
        let when_distributed = table.parse(Convention::Nasdaq, "DD$").unwrap();
        assert_eq!(table.ric(&when_distributed, "XNYS"), None);
        let plain = table.parse(Convention::Nasdaq, "SPY").unwrap();
        assert_eq!(table.ric(&plain, "ARCX"), None);
        for none in ["", ".N", "VZ", "VZ.X", "vz.N", "BRK_q.N", "BRKab.N", "BRK.A.N", "é.N"] {
            assert_eq!(table.parse_ric(none), None, "{none}");
        }
        let verified: Vec<&str> =
            table.suffixes.iter().filter(|s| s.ric_verified).map(|s| s.means.as_str()).collect();
        assert_eq!(verified, ["Class A"], "the publisher's own pages show no other suffix");
    }

    #[test]
    fn what_is_spelled_alike_is_refused() {
        let table = Symbology::shipped();
        // A class U would be written as units are, in two conventions.
        let class_u = table.parse(Convention::Nasdaq, "XYZ.U").unwrap();
        let refused = table.spell(&class_u, Convention::Cms).unwrap_err();
        assert_eq!(refused.to_string(), "cms spells units alike");
        assert_eq!(table.spell(&class_u, Convention::Cqs).unwrap_err().to_string(), "cqs spells units alike");
        let unknown = table.parse(Convention::Cqs, "XYZ/QQQ").unwrap_err();
        assert_eq!(unknown.to_string(), "`/QQQ` is no suffix that cqs has");
        assert!(matches!(table.parse(Convention::Nasdaq, "brk.A"), Err(Refusal::Shape(_))));
        assert_eq!(table.canonical(Convention::Cqs, "XYZ/QQQ"), "XYZ/QQQ");
        assert_eq!(table.canonical(Convention::Cms, "BRK A"), "BRK.A");
    }

    #[test]
    fn the_table_has_every_row_of_its_source_and_no_two_alike() {
        let table = Symbology::shipped();
        assert_eq!(table.suffixes.len(), 27);
        for convention in Convention::ALL {
            let mut seen: Vec<&str> =
                table.suffixes.iter().filter_map(|s| s.spellings[convention as usize].as_deref()).collect();
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), all, "{} spells two rows alike", convention.name());
            assert!(!table.titles[convention as usize].is_empty());
        }
    }

    proptest! {
        /// Whatever a convention can write, it reads back, and so does every other that can write it.
        #[test]
        fn round_trips(row in 0usize..27, class in 0u8..26, from in 0usize..4, to in 0usize..4) {
            let table = Symbology::shipped();
            let class = table.suffixes[row].spellings[0].as_deref().unwrap().contains('?').then_some(char::from(b'A' + class));
            let security = Security { root: "ROOT".to_owned(), suffix: Some((row, class)) };
            let (from, to) = (Convention::ALL[from], Convention::ALL[to]);
            if let (Ok(first), Ok(second)) = (table.spell(&security, from), table.spell(&security, to)) {
                prop_assert_eq!(table.parse(from, &first).unwrap(), security.clone());
                let read = table.parse(to, &second).unwrap();
                prop_assert_eq!(table.spell(&read, from).unwrap(), first);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}", convention in 0usize..4) {
            let table = Symbology::shipped();
            if let Some((security, market)) = table.parse_ric(&text) {
                prop_assert_eq!(table.ric(&security, market), Some(text.clone()));
            }
            let convention = Convention::ALL[convention];
            if let Ok(security) = table.parse(convention, &text)
                && let Ok(again) = table.spell(&security, convention)
            {
                prop_assert_eq!(again.trim_end(), text.trim_end());
            }
        }
    }
}
