//! `parallax verify`: whether an evidence file is whole, and its replay says what it says.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::evidence::case_of;
use crate::evidence::config::is_contained;
use crate::evidence::manifest::{Expect, Manifest};
use crate::evidence::sha256::Sha256;
use crate::evidence::unzip::ZipReader;
use crate::evidence::{CAPTURES, CONFIG, FORMAT, INSTRUMENTS, RULES};

/// Arguments of `parallax verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The evidence file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// A text of the archive beyond this is not read.
const TEXT_MAX: u64 = 16 << 20;

/// Runs the command: 0 when the same alert and verdict come out, 1 when not.
///
/// # Errors
/// A file that cannot be read, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let name = args.file.display().to_string();
    let differences = verify(&args.file, out).with_context(|| format!("{name} cannot be verified"))?;
    if differences.is_empty() {
        writeln!(out, "verified: the same alert and the same verdict come out")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "NOT verified:")?;
    for difference in differences {
        writeln!(out, "- {difference}")?;
    }
    Ok(ExitCode::from(1))
}

fn verify(path: &Path, out: &mut dyn Write) -> Result<Vec<String>> {
    let file = File::open(path).context("it cannot be opened")?;
    let mut zip = ZipReader::new(BufReader::new(file))?;
    let manifest: Manifest = serde_json::from_slice(&zip.bytes("manifest.json", TEXT_MAX)?)
        .context("its manifest cannot be read")?;
    if manifest.format != FORMAT {
        bail!("its format is {:?}: this version reads {FORMAT:?}", manifest.format);
    }
    let expect: Expect = serde_json::from_slice(&zip.bytes("expect.json", TEXT_MAX)?)
        .context("what it expects cannot be read")?;
    writeln!(out, "alert {} of parallax {}", expect.id, manifest.version)?;
    let mut differences = Vec::new();
    let folder = tempfile::Builder::new().prefix("verify-").tempdir().context("no temporary folder")?;
    unpack(&mut zip, &manifest, folder.path(), &mut differences)?;
    if !differences.is_empty() {
        return Ok(differences);
    }
    writeln!(out, "whole: {} files are what the manifest says", manifest.files.len())?;
    let text =
        std::fs::read_to_string(folder.path().join(CONFIG)).context("its configuration cannot be read")?;
    if !is_contained(&text) {
        bail!("its configuration names files outside of it, or more than a replay reads");
    }
    let case = case_of(folder.path(), &manifest)?;
    let found = match case.find(&expect.id) {
        Ok(found) => found,
        Err(error) if error.is::<crate::explain::NotFound>() => {
            differences.push(format!("the replay does not raise the alert: {error}"));
            differences.extend(version(&manifest));
            return Ok(differences);
        }
        Err(error) => return Err(error),
    };
    let explained = case.explain(&found)?;
    let got = Expect::of(&found, &explained.explanation);
    writeln!(out, "replayed: verdict {} ({})", explained.explanation.verdict, explained.explanation.because)?;
    differences = expect.differences(&got);
    if !differences.is_empty() {
        differences.extend(version(&manifest));
    }
    Ok(differences)
}

/// Another version may well say otherwise.
fn version(manifest: &Manifest) -> Option<String> {
    let own = env!("CARGO_PKG_VERSION");
    (manifest.version != own)
        .then(|| format!("it was written by parallax {}, and this is {own}", manifest.version))
}

/// Checks every file against the manifest, and puts what the replay needs into the folder.
fn unpack(
    zip: &mut ZipReader<BufReader<File>>,
    manifest: &Manifest,
    folder: &Path,
    differences: &mut Vec<String>,
) -> Result<()> {
    for sub in ["config", CAPTURES] {
        std::fs::create_dir(folder.join(sub))?;
    }
    let known = |name: &str| name == "manifest.json" || manifest.files.iter().any(|f| f.name == name);
    for entry in zip.entries().iter().filter(|e| !known(&e.name)) {
        differences.push(format!("{} is in it, but not in its manifest", entry.name));
    }
    let config = [CONFIG.to_owned(), format!("config/{INSTRUMENTS}"), format!("config/{RULES}")];
    let captures: Vec<String> = manifest.captures.iter().map(|c| format!("{CAPTURES}/{c}")).collect();
    for wanted in config[..1].iter().chain(&captures) {
        if zip.find(wanted).is_none() {
            bail!("{wanted} is not in it");
        }
    }
    for file in &manifest.files {
        let Some(index) = zip.find(&file.name) else {
            differences.push(format!("{} is in its manifest, but not in it", file.name));
            continue;
        };
        let needed = config.contains(&file.name) || captures.contains(&file.name);
        let mut to = match needed {
            true => Some(File::create(folder.join(&file.name)).context("no room in the temporary folder")?),
            false => None,
        };
        let (mut sha, mut bytes) = (Sha256::default(), 0u64);
        zip.read(index, &mut |piece| {
            sha.update(piece);
            bytes += piece.len() as u64;
            to.as_mut().map_or(Ok(()), |to| to.write_all(piece))
        })?;
        if bytes != file.bytes || sha.finish() != file.sha256 {
            differences.push(format!("{} was changed: it is not what the manifest says", file.name));
        }
    }
    Ok(())
}
