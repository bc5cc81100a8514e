//! Identifiers of securities and venues: their shape and their check digits. Nothing is looked up anywhere.

use jiff::civil::Date;

use crate::market::price::show_nanos;

/// No identifier is longer; what is longer is not repeated whole.
const SHOWN_MAX: usize = 32;

/// A text as a sentence may repeat it: in one line, and not endless.
pub fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(SHOWN_MAX).flat_map(escaped).collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        out.push_str("...");
    }
    out
}

/// A character as it is, or escaped where a terminal or a line would take it for something else.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let (plain, escape) = if c.is_control() { (None, Some(c.escape_default())) } else { (Some(c), None) };
    plain.into_iter().chain(escape.into_iter().flatten())
}

/// The sum of the decimal digits of every character's value (`A` is 10), every second one doubled; `doubled` says of
/// the position from the right whether. `None` for a character that is neither a digit nor a capital.
fn digit_sum(text: &str, expand: bool) -> Option<u32> {
    let mut digits: Vec<u32> = Vec::new();
    for c in text.chars() {
        let value = c.to_digit(36).filter(|_| !c.is_ascii_lowercase())?;
        if expand && value > 9 {
            digits.extend([value / 10, value % 10]);
        } else {
            digits.push(value);
        }
    }
    let sum = |n: u32| n / 10 + n % 10;
    // An ISIN doubles digits from the right, the last one first; a FIGI doubles every second character's value.
    let doubled = |at: usize| if expand { at.is_multiple_of(2) } else { at % 2 == 1 };
    let weighed = digits.iter().rev().enumerate().map(|(at, d)| sum(if doubled(at) { d * 2 } else { *d }));
    Some(weighed.sum())
}

fn check_digit(sum: u32) -> u32 {
    (10 - sum % 10) % 10
}

fn checked(text: &str, name: &str, expand: bool) -> Result<(), String> {
    let (body, last) = text.split_at(text.len() - 1);
    let wanted = digit_sum(body, expand).map(check_digit);
    let wanted = wanted.ok_or_else(|| format!("`{}` is no {name}: capitals and digits only", shown(text)))?;
    agrees(text, name, wanted, last)
}

fn agrees(text: &str, name: &str, wanted: u32, last: &str) -> Result<(), String> {
    match last.parse::<u32>() {
        Ok(digit) if digit == wanted => Ok(()),
        _ => Err(format!(
            "`{}` is no {name}: its check digit would be {wanted}, not {}",
            shown(text),
            shown(last)
        )),
    }
}

/// An ISIN (ISO 6166): two letters, nine capitals or digits, a check digit.
///
/// # Errors
/// What is wrong with it.
pub fn isin(text: &str) -> Result<(), String> {
    let shaped = text.len() == 12 && text.is_ascii() && text.bytes().take(2).all(|b| b.is_ascii_uppercase());
    if !shaped {
        return Err(format!(
            "`{}` is no ISIN: two letters of a country and ten more characters, such as US0378331005",
            shown(text)
        ));
    }
    checked(text, "ISIN", true)
}

/// A CUSIP (ANSI X9.6): eight capitals, digits or `*@#`, a check digit. Every second character's value is doubled.
///
/// # Errors
/// What is wrong with it.
pub fn cusip(text: &str) -> Result<(), String> {
    let value = |b: u8| match b {
        b'0'..=b'9' => Some(u32::from(b - b'0')),
        b'A'..=b'Z' => Some(u32::from(b - b'A') + 10),
        b'*' => Some(36),
        b'@' => Some(37),
        b'#' => Some(38),
        _ => None,
    };
    let values: Option<Vec<u32>> = text.bytes().take(8).map(value).collect();
    let Some(values) = values.filter(|_| text.len() == 9 && text.is_ascii()) else {
        return Err(format!(
            "`{}` is no CUSIP: eight capitals or digits and a check digit, such as 037833100",
            shown(text)
        ));
    };
    let weighed = values.iter().enumerate().map(|(at, v)| if at % 2 == 1 { v * 2 } else { *v });
    let sum = weighed.map(|v| v / 10 + v % 10).sum();
    agrees(text, "CUSIP", check_digit(sum), &text[8..])
}

/// The CUSIP inside an ISIN of the United States or Canada; `None` for other countries.
pub fn cusip_of(isin: &str) -> Option<&str> {
    (isin.starts_with("US") || isin.starts_with("CA")).then(|| isin.get(2..11)).flatten()
}

/// Whether it has the shape of a FIGI: two consonants that begin no ISIN, a `G`, nine consonants or digits.
pub fn is_figi_shaped(text: &str) -> bool {
    text.len() == 12
        && text.is_ascii()
        && text.as_bytes()[2] == b'G'
        && text.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && !text.bytes().any(|b| b"AEIOU".contains(&b))
        && !["BS", "BM", "GG", "GB", "VG"].contains(&&text[..2])
}

/// A FIGI (OMG, Financial Instrument Global Identifier): twelve characters, the third a `G`, no vowels, a check digit.
///
/// # Errors
/// What is wrong with it.
pub fn figi(text: &str) -> Result<(), String> {
    if !is_figi_shaped(text) {
        return Err(format!(
            "`{}` is no FIGI: twelve consonants and digits with a G in third place, such as BBG000BLNQ16",
            shown(text)
        ));
    }
    checked(text, "FIGI", false)
}

/// A MIC (ISO 10383): four capitals or digits.
///
/// # Errors
/// What is wrong with it.
pub fn mic(text: &str) -> Result<(), String> {
    if text.len() == 4 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Ok(());
    }
    Err(format!("`{}` is no MIC: four capitals or digits, such as XNAS", shown(text)))
}

/// A currency (ISO 4217): three capitals.
///
/// # Errors
/// What is wrong with it.
pub fn currency(text: &str) -> Result<(), String> {
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(format!("`{}` is no currency: three capitals, such as USD", shown(text)))
}

/// An option in the 21 characters of the Options Symbology Initiative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionSymbol {
    /// Root, without padding.
    pub root: String,
    /// Day of expiry.
    pub expiry: Date,
    /// A call; else a put.
    pub call: bool,
    /// Strike, units of 1e-9.
    pub strike_nanos: i64,
}

impl OptionSymbol {
    /// As its 21 characters; `None` for what has no such symbol (a root or strike too long, a day before 2000 or after 2099).
    pub fn symbol(&self) -> Option<String> {
        let year = u8::try_from(self.expiry.year() - 2000).ok().filter(|year| *year < 100)?;
        let thousandths = self.strike_nanos / 1_000_000;
        let whole = self.strike_nanos % 1_000_000 == 0 && (1..100_000_000).contains(&thousandths);
        let rooted = (1..=6).contains(&self.root.len()) && self.root.bytes().all(is_root);
        let right = if self.call { 'C' } else { 'P' };
        let (month, day) = (self.expiry.month(), self.expiry.day());
        (whole && rooted)
            .then(|| format!("{:<6}{year:02}{month:02}{day:02}{right}{thousandths:08}", self.root))
    }

    /// In words, such as `AAPL 2026-01-17 call 150.00`.
    pub fn words(&self) -> String {
        let right = if self.call { "call" } else { "put" };
        format!("{} {} {right} {}", self.root, self.expiry, show_nanos(self.strike_nanos))
    }
}

const fn is_root(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

/// Reads the 21 characters: root of six (padded with spaces), `yymmdd`, `C` or `P`, strike in thousandths of eight digits.
///
/// # Errors
/// What is wrong with it.
pub fn osi(text: &str) -> Result<OptionSymbol, String> {
    let wrong = |what: &str| {
        format!("`{}` is no OSI option symbol: {what}; write it as \"AAPL  260117C00150000\"", shown(text))
    };
    if text.len() != 21 || !text.is_ascii() {
        return Err(wrong("it has 21 characters"));
    }
    let (root, rest) = text.split_at(6);
    let root = root.trim_end_matches(' ');
    let rooted = !root.is_empty() && root.bytes().all(is_root);
    if !rooted {
        return Err(wrong("the first six are the root, capitals and digits padded with spaces"));
    }
    let number = |from: usize, until: usize| {
        rest[from..until].parse::<i64>().ok().filter(|n| *n >= 0 && !rest[from..until].starts_with('+'))
    };
    let (year, month, day) = (number(0, 2), number(2, 4), number(4, 6));
    let expiry = match (year, month, day) {
        (Some(y), Some(m), Some(d)) => Date::new(2000 + y as i16, m as i8, d as i8).ok(),
        _ => None,
    };
    let expiry = expiry.ok_or_else(|| wrong("characters 7 to 12 are the day of expiry, yymmdd"))?;
    let call = match &rest[6..7] {
        "C" => true,
        "P" => false,
        _ => return Err(wrong("character 13 is C or P")),
    };
    let strike = number(7, 15).filter(|strike| *strike > 0);
    let strike = strike.ok_or_else(|| wrong("the last eight are the strike in thousandths, more than 0"))?;
    Ok(OptionSymbol { root: root.to_owned(), expiry, call, strike_nanos: strike * 1_000_000 })
}

/// A Reuters instrument code: letters, digits and marks, with at most one ending behind a dot.
///
/// # Errors
/// What is wrong with it.
pub fn ric(text: &str) -> Result<(), String> {
    let (root, ending) = text.split_once('.').unwrap_or((text, ""));
    let marks = |b: u8| b.is_ascii_alphanumeric() || b"_=^/#-".contains(&b);
    let good = !root.is_empty() && text.len() <= 32 && root.bytes().all(marks) && ending.bytes().all(marks);
    if good { Ok(()) } else { Err(format!("`{}` is no RIC, such as VZ.N", shown(text))) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn check_digits_of_known_securities() {
        for good in [
            "US0378331005",
            "US5949181045",
            "US0846707026",
            "US30303M1027",
            "GB0002634946",
            "DE0007164600",
            "FR0000120271",
            "CH0038863350",
            "JP3435000009",
            "IE00B4BNMY34",
            "NL0010273215",
        ] {
            assert_eq!(isin(good), Ok(()), "{good}");
            let inside = cusip_of(good).map_or(Ok(()), cusip);
            assert_eq!(inside, Ok(()), "{good}");
        }
        // The specification's; Apple's, its share class's, and IBM's.
        for good in ["BBG000BLNQ16", "BBG000B9XRY4", "BBG001S5N8V8", "BBG000BLNNH6"] {
            assert_eq!(figi(good), Ok(()), "{good}");
        }
        // Apple, Microsoft, Meta; Chubb, which is of Switzerland; a private placement with its marks.
        for good in ["037833100", "594918104", "30303M102", "H1467J104"] {
            assert_eq!(cusip(good), Ok(()), "{good}");
        }
        assert_eq!(
            cusip("037833101").unwrap_err(),
            "`037833101` is no CUSIP: its check digit would be 0, not 1"
        );
        for bad in ["", "03783310", "0378331000", "03783310a", "03783é10", "0378 3100", "03783310A"] {
            assert!(cusip(bad).is_err(), "{bad}");
        }
        assert_eq!([cusip_of("US0378331005"), cusip_of("GB0002634946")], [Some("037833100"), None]);
        let wrong = isin("US0378331006").unwrap_err();
        assert_eq!(wrong, "`US0378331006` is no ISIN: its check digit would be 5, not 6");
        let wrong = figi("BBG000BLNQ17").unwrap_err();
        assert_eq!(wrong, "`BBG000BLNQ17` is no FIGI: its check digit would be 6, not 7");
        for bad in ["", "US037833100", "us0378331005", "US03783310é5", "BBG000BLNQ1A", "GBG000BLNQ16"] {
            assert!(isin(bad).is_err() && figi(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_one_short_line() {
        let hostile = format!("US\u{1b}[31m\n{}", "A".repeat(10_000));
        for said in [isin(&hostile), figi(&hostile), cusip(&hostile), mic(&hostile), ric(&hostile)] {
            let said = said.unwrap_err();
            assert!(said.len() < 200 && !said.chars().any(char::is_control), "{said:?}");
        }
        assert_eq!(shown("a\tb"), "a\\tb");
    }

    #[test]
    fn option_symbols() {
        let read = osi("AAPL  260117C00150000").unwrap();
        let wanted = OptionSymbol {
            root: "AAPL".to_owned(),
            expiry: date(2026, 1, 17),
            call: true,
            strike_nanos: 150_000_000_000,
        };
        assert_eq!(read, wanted);
        assert_eq!(osi("SPXW  261218P04027500").unwrap().words(), "SPXW 2026-12-18 put 4027.50");
        // As the Options Clearing Corporation prints them: a strike of half a dollar, an adjusted series, the widest root.
        for good in [
            "AAPL  260117C00150000",
            "SPXW  261218P04027500",
            "F     271217C00000500",
            "AAPL1 141122P00110710",
            "SPXPM 991231C99999999",
        ] {
            assert_eq!(osi(good).unwrap().symbol().as_deref(), Some(good));
        }
        let too_long = OptionSymbol { root: "TOOLONG".to_owned(), ..read.clone() };
        let too_fine = OptionSymbol { strike_nanos: 1_500_000, ..read.clone() };
        let too_early = OptionSymbol { expiry: date(1999, 12, 31), ..read.clone() };
        assert_eq!([too_long, too_fine, too_early].map(|option| option.symbol()), [None, None, None]);
        for (bad, why) in [
            ("AAPL260117C00150000", "21 characters"),
            ("AAPL  261317C00150000", "day of expiry"),
            ("AAPL  260117X00150000", "C or P"),
            ("AAPL  260117C0015000x", "strike"),
            ("      260117C00150000", "root"),
            ("AAPL  260117C+0150000", "strike"),
            ("AAPL  260117C00000000", "more than 0"),
            ("AA PL 260117C00150000", "root"),
            ("AAPL  250229C00150000", "day of expiry"),
        ] {
            assert!(osi(bad).unwrap_err().contains(why), "{bad}");
        }
    }

    #[test]
    fn markets_currencies_and_reuters_codes_have_their_shape() {
        for good in ["XNAS", "XNYS", "IEXG", "XCME", "IFEU", "NDEX", "360T"] {
            assert_eq!(mic(good), Ok(()), "{good}");
        }
        assert!(mic("XNA").is_err() && mic("xnas").is_err() && mic("XNAS ").is_err());
        assert!(currency("USD").is_ok() && currency("usd").is_err() && currency("US").is_err());
        for good in ["VZ.N", "BRKa.N", "BAC_pl.N", ".SPX", "ESZ6", "EUR=", "VOD.L"] {
            assert_eq!(ric(good).is_ok(), !good.starts_with('.'), "{good}");
        }
        assert!(ric("V Z.N").is_err());
    }

    proptest! {
        /// One digit more or less, or two neighbours exchanged, is nearly always seen; one wrong digit always.
        #[test]
        fn one_wrong_digit_is_always_seen(at in 2usize..11, by in 1u8..10) {
            let mut text = *b"US0378331005";
            text[at] = b'0' + (text[at] - b'0' + by) % 10;
            let text = String::from_utf8(text.to_vec()).unwrap();
            prop_assert!(isin(&text).is_err());
        }

        /// A CUSIP and the ISIN around it stand or fall together with every digit of theirs.
        #[test]
        fn one_wrong_character_of_a_cusip_is_seen(at in 0usize..8, by in 1u8..10) {
            let mut text = *b"037833100";
            text[at] = b'0' + (text[at] - b'0' + by) % 10;
            prop_assert!(cusip(std::str::from_utf8(&text).unwrap()).is_err());
        }

        #[test]
        fn an_option_is_written_as_it_is_read(root in "[A-Z][A-Z0-9]{0,5}", days in 0i64..36_525, call: bool, strike in 1i64..100_000_000) {
            let expiry = date(2000, 1, 1).saturating_add(jiff::Span::new().days(days));
            let option = OptionSymbol { root, expiry, call, strike_nanos: strike * 1_000_000 };
            let text = option.symbol().unwrap();
            prop_assert_eq!(text.len(), 21);
            prop_assert_eq!(osi(&text), Ok(option));
        }

        #[test]
        fn anything_is_answered(text in ".{0,24}") {
            let _ = (isin(&text), figi(&text), mic(&text), ric(&text), currency(&text), cusip(&text));
            if let Ok(option) = osi(&text) {
                prop_assert_eq!(option.symbol(), Some(text));
            }
        }
    }
}
