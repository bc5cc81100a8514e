//! Identifiers of securities and venues: their shape and their check digits. Nothing is looked up anywhere.

use jiff::civil::Date;

use crate::market::price::show_nanos;

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
    let wanted = wanted.ok_or_else(|| format!("`{text}` is no {name}: capitals and digits only"))?;
    match last.parse::<u32>() {
        Ok(digit) if digit == wanted => Ok(()),
        _ => Err(format!("`{text}` is no {name}: its check digit would be {wanted}, not {last}")),
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
            "`{text}` is no ISIN: two letters of a country and ten more characters, such as US0378331005"
        ));
    }
    checked(text, "ISIN", true)
}

/// A FIGI (OMG, Financial Instrument Global Identifier): twelve characters, the third a `G`, no vowels, a check digit.
///
/// # Errors
/// What is wrong with it.
pub fn figi(text: &str) -> Result<(), String> {
    let shaped = text.len() == 12
        && text.is_ascii()
        && text.as_bytes()[2] == b'G'
        && text.bytes().take(2).all(|b| b.is_ascii_uppercase())
        && !text.bytes().any(|b| b"AEIOU".contains(&b))
        && !["BS", "BM", "GG", "GB", "VG"].contains(&&text[..2]);
    if !shaped {
        return Err(format!(
            "`{text}` is no FIGI: twelve consonants and digits with a G in third place, such as BBG000BLNQ16"
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
    Err(format!("`{text}` is no MIC: four capitals or digits, such as XNAS"))
}

/// A currency (ISO 4217): three capitals.
///
/// # Errors
/// What is wrong with it.
pub fn currency(text: &str) -> Result<(), String> {
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(format!("`{text}` is no currency: three capitals, such as USD"))
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
    /// In words, such as `AAPL 2026-01-17 call 150.00`.
    pub fn words(&self) -> String {
        let right = if self.call { "call" } else { "put" };
        format!("{} {} {right} {}", self.root, self.expiry, show_nanos(self.strike_nanos))
    }
}

/// Reads the 21 characters: root of six (padded with spaces), `yymmdd`, `C` or `P`, strike in thousandths of eight digits.
///
/// # Errors
/// What is wrong with it.
pub fn osi(text: &str) -> Result<OptionSymbol, String> {
    let wrong = |what: &str| {
        format!("`{text}` is no OSI option symbol: {what}; write it as \"AAPL  260117C00150000\"")
    };
    if text.len() != 21 || !text.is_ascii() {
        return Err(wrong("it has 21 characters"));
    }
    let (root, rest) = text.split_at(6);
    let root = root.trim_end_matches(' ');
    let rooted = !root.is_empty() && root.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
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
    let strike = number(7, 15).ok_or_else(|| wrong("the last eight are the strike in thousandths"))?;
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
    if good { Ok(()) } else { Err(format!("`{text}` is no RIC, such as VZ.N")) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn check_digits_of_known_securities() {
        for good in ["US0378331005", "US5949181045", "GB0002634946", "DE0007164600", "US0846707026"] {
            assert_eq!(isin(good), Ok(()), "{good}");
        }
        // IBM's, worked out in the specification; Apple's.
        for good in ["BBG000BLNQ16", "BBG000B9XRY4"] {
            assert_eq!(figi(good), Ok(()), "{good}");
        }
        let wrong = isin("US0378331006").unwrap_err();
        assert_eq!(wrong, "`US0378331006` is no ISIN: its check digit would be 5, not 6");
        let wrong = figi("BBG000BLNQ17").unwrap_err();
        assert_eq!(wrong, "`BBG000BLNQ17` is no FIGI: its check digit would be 6, not 7");
        for bad in ["", "US037833100", "us0378331005", "US03783310é5", "BBG000BLNQ1A", "GBG000BLNQ16"] {
            assert!(isin(bad).is_err() && figi(bad).is_err(), "{bad}");
        }
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
        for (bad, why) in [
            ("AAPL260117C00150000", "21 characters"),
            ("AAPL  261317C00150000", "day of expiry"),
            ("AAPL  260117X00150000", "C or P"),
            ("AAPL  260117C0015000x", "strike"),
            ("      260117C00150000", "root"),
            ("AAPL  260117C+0150000", "strike"),
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

        #[test]
        fn anything_is_answered(text in ".{0,24}") {
            let _ = (isin(&text), figi(&text), osi(&text), mic(&text), ric(&text), currency(&text));
        }
    }
}
