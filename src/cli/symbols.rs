//! `parallax symbols`: every spelling of a security by convention, and whether an identifier is one.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::rules::Format;
use crate::rules::identifiers;
use crate::rules::symbols::{Convention, Refusal, Security, Symbology};

/// Arguments of `parallax symbols`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Symbols (`BRK.A`, `BRK/A`, `"BRK A"`), RICs of US listings (`BRKa.N`), ISINs, CUSIPs, FIGIs or OSI option symbols of 21 characters
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,

    /// Read the names in this convention only: nasdaq, cqs, cms, act; without it in every one that can read them
    #[arg(long, value_name = "CONVENTION")]
    pub convention: Option<String>,

    /// How it is written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub format: Format,
}

/// One way in which a name can be meant.
struct Reading {
    /// Conventions that read it so.
    conventions: Vec<Convention>,
    security: Security,
    /// As a Reuters code: the market that lists it.
    ric_of: Option<String>,
}

/// Runs the command. Exit code 1 says that some name could not be read as anything.
///
/// # Errors
/// A convention that is none, an output that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let only = match &args.convention {
        None => None,
        Some(name) => match Convention::from_name(name) {
            Some(convention) => Some(convention),
            None => bail!("--convention {name} is none: write nasdaq, cqs, cms or act"),
        },
    };
    let (mut unread, mut read) = (false, false);
    for name in &args.names {
        let identifier = identifier(name);
        let readings = if identifier.is_some() { Vec::new() } else { readings(name, only) };
        unread |= match &identifier {
            Some((_, said)) => said.is_err(),
            None => readings.is_empty(),
        };
        read |= !readings.is_empty();
        let text = match args.format {
            Format::Text => text(name, identifier, &readings, only),
            Format::Json => format!("{}\n", json(name, identifier, &readings)),
        };
        out.write_all(text.as_bytes())?;
    }
    if args.format == Format::Text && read {
        let source = &Symbology::shipped().source;
        let cited = format!(
            "suffixes: {}; {}; seen {}\n  {}\n",
            source.document, source.section, source.seen, source.url
        );
        out.write_all(cited.as_bytes())?;
        let rics = &Symbology::shipped().ric_suffixes;
        let cited = format!(
            "suffixes of RICs: {}; seen {}; {}\n  {}\n",
            rics.source.document, rics.source.seen, rics.note, rics.source.url
        );
        out.write_all(cited.as_bytes())?;
    }
    out.flush()?;
    Ok(if unread { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// A longer name is none, and is not repeated whole.
const NAME_MAX: usize = 40;

type Identifier = Option<(&'static str, Result<String, String>)>;

/// What the name is when its length alone says that it is meant as an identifier.
fn identifier(name: &str) -> Identifier {
    // Barbados' ISINs begin with BB, too; every FIGI that its registrar gives begins with BBG.
    let figi = identifiers::is_figi_shaped(name)
        && (identifiers::figi(name).is_ok() || name.starts_with("BBG") || identifiers::isin(name).is_err());
    match name.len() {
        21 => Some(("OSI option symbol", identifiers::osi(name).map(|option| option.words()))),
        12 if figi => Some(("FIGI", identifiers::figi(name).map(|()| "its check digit is right".to_owned()))),
        12 if name.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Some(("ISIN", identifiers::isin(name).map(|()| isin_words(name))))
        }
        9 if is_meant_as_cusip(name) => {
            Some(("CUSIP", identifiers::cusip(name).map(|()| "its check digit is right".to_owned())))
        }
        _ => None,
    }
}

/// What an ISIN with the right check digit holds.
fn isin_words(isin: &str) -> String {
    let right = "its check digit is right";
    match identifiers::cusip_of(isin).map(|cusip| (cusip, identifiers::cusip(cusip))) {
        None => right.to_owned(),
        Some((cusip, Ok(()))) => format!("{right}; its CUSIP is {cusip}"),
        Some((_, Err(why))) => format!("{right}; but inside of it {why}"),
    }
}

/// Nine characters of which the first and the last are digits are no symbol; with a letter at first (an issuer outside of
/// North America) the check digit decides.
fn is_meant_as_cusip(name: &str) -> bool {
    let digit = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_digit());
    digit(name.bytes().next()) && digit(name.bytes().last()) || identifiers::cusip(name).is_ok()
}

fn readings(name: &str, only: Option<Convention>) -> Vec<Reading> {
    let table = Symbology::shipped();
    let mut readings: Vec<Reading> = Vec::new();
    for convention in Convention::ALL.into_iter().filter(|c| only.is_none_or(|only| only == *c)) {
        let Ok(security) = table.parse(convention, name) else { continue };
        match readings.iter_mut().find(|reading| reading.security == security) {
            Some(reading) => reading.conventions.push(convention),
            None => readings.push(Reading { conventions: vec![convention], security, ric_of: None }),
        }
    }
    if let (None, Some((security, market))) = (only, table.parse_ric(name)) {
        let ric_of = Some(market.to_owned());
        match readings.iter_mut().find(|reading| reading.security == security) {
            Some(reading) => reading.ric_of = ric_of,
            None => readings.push(Reading { conventions: Vec::new(), security, ric_of }),
        }
    }
    readings
}

fn spellings(security: &Security) -> impl Iterator<Item = (Convention, Result<String, Refusal>)> {
    Convention::ALL
        .into_iter()
        .map(|convention| (convention, Symbology::shipped().spell(security, convention)))
}

/// The Reuters code, market by market.
fn rics(security: &Security) -> Vec<(String, String)> {
    let table = Symbology::shipped();
    let of = |market: &String| Some((market.clone(), table.ric(security, market)?));
    table.rics.iter().filter_map(|ric| of(&ric.market)).collect()
}

/// What stands behind a Reuters code whose suffix no publisher was seen to document.
fn doubt(security: &Security) -> &'static str {
    let table = Symbology::shipped();
    let doubtful = security.suffix.is_some_and(|(row, _)| !table.suffixes[row].ric_verified);
    if doubtful { "; NOT VERIFIED" } else { "" }
}

fn text(name: &str, identifier: Identifier, readings: &[Reading], only: Option<Convention>) -> String {
    let table = Symbology::shipped();
    if let Some((what, said)) = identifier {
        return match said {
            Ok(words) => format!("{name}: {what}, {words}\n\n"),
            Err(sentence) => format!("{sentence}\n\n"),
        };
    }
    let length = name.chars().count();
    if length > NAME_MAX {
        return format!(
            "{}: no symbol has {length} characters; an option symbol, the longest, has 21\n\n",
            identifiers::shown(name)
        );
    }
    if readings.is_empty() {
        let whose = only.map_or("any convention".to_owned(), |only| only.name().to_owned());
        let why = table.parse(only.unwrap_or(Convention::Nasdaq), name).err();
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        return format!("{}: not a symbol in {whose}{why}\n\n", identifiers::shown(name));
    }
    let mut out = String::new();
    for reading in readings {
        let mut conventions: Vec<&str> = reading.conventions.iter().map(|c| c.name()).collect();
        let listed = reading.ric_of.as_ref().map(|market| format!("ric ({market} lists it)"));
        conventions.extend(listed.as_deref());
        let security = &reading.security;
        let means = table.meaning(security.suffix);
        out.push_str(&format!(
            "{name} read as {}: root {}, {means}\n",
            conventions.join(", "),
            security.root
        ));
        for (convention, spelled) in spellings(security) {
            let title = &table.titles[convention as usize];
            let said = spelled.unwrap_or_else(|refusal| format!("no: {refusal}"));
            out.push_str(&format!("  {:<6}  {said:<16}  {title}\n", convention.name()));
        }
        let codes = rics(security);
        for (market, ric) in &codes {
            out.push_str(&format!("  ric     {ric:<16}  if {market} lists it{}\n", doubt(security)));
        }
        if codes.is_empty() {
            out.push_str("  ric     no: the book has no page that says how a RIC spells it\n");
        }
        out.push('\n');
    }
    out
}

fn json(name: &str, identifier: Identifier, readings: &[Reading]) -> serde_json::Value {
    let table = Symbology::shipped();
    let shown: Vec<serde_json::Value> = readings
        .iter()
        .map(|reading| {
            let spelled: serde_json::Map<String, serde_json::Value> = spellings(&reading.security)
                .map(|(convention, spelled)| (convention.name().to_owned(), serde_json::json!(spelled.ok())))
                .collect();
            let conventions: Vec<&str> = reading.conventions.iter().map(|c| c.name()).collect();
            serde_json::json!({
                "conventions": conventions,
                "root": reading.security.root,
                "means": table.meaning(reading.security.suffix),
                "spellings": spelled,
                "ric_of": reading.ric_of,
                "rics_verified": doubt(&reading.security).is_empty(),
                "rics": rics(&reading.security).into_iter().map(|(_, ric)| ric).collect::<Vec<_>>(),
            })
        })
        .collect();
    let identifier = identifier.map(|(what, said)| {
        let (valid, words) = match said {
            Ok(words) => (true, words),
            Err(sentence) => (false, sentence),
        };
        serde_json::json!({ "kind": what, "valid": valid, "says": words })
    });
    serde_json::json!({
        "name": name,
        "identifier": identifier,
        "readings": shown,
        "source": { "document": table.source.document, "url": table.source.url, "seen": table.source.seen.to_string() },
    })
}
