//! `parallax evidence`: one file with everything that an alert and its verdict need to come out again.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::explain::{CaseArgs, Located};
use super::guard;
use super::investigate::{Case, Explained};
use crate::alert::json::show_time;
use crate::config::{self, Config};
use crate::evidence::config::{Addresses, for_evidence, map_for_evidence, rules_for_evidence};
use crate::evidence::manifest::{Expect, Manifest};
use crate::evidence::zip::ZipWriter;
use crate::evidence::{CAPTURES, CONFIG, FORMAT, INSTRUMENTS, RULES, page, texts};
use crate::explain::facts::Span;
use crate::explain::{Alert, json, observer, text};
use crate::source::recorder::Extract;
use crate::source::{Captures, Transport};

/// Arguments of `parallax evidence`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The alert and where it is looked for.
    #[command(flatten)]
    pub case: CaseArgs,

    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,

    /// Keep addresses that are no multicast groups as they are; otherwise others stand for them
    #[arg(long)]
    pub keep_addresses: bool,
}

/// How much before the alert is tried, nanoseconds; then everything from the beginning.
const LEADS_NS: [u64; 3] = [10_000_000_000, 60_000_000_000, 600_000_000_000];
/// A configuration or map beyond this is not read.
const TEXT_MAX: u64 = 64 << 20;

/// Runs the command.
///
/// # Errors
/// What cannot be read or written, no such alert, or an alert that its own packets do not give again.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let located = args.case.locate()?;
    let case = args.case.case(&located)?;
    refuse_shared(args, &located)?;
    let alert = case.find(&args.case.alert)?;
    let original = case.explain(&alert)?;
    let wanted = Expect::of(&alert, &original.explanation);
    let (package, why) = smallest(args, &located, &case, &original, &wanted)?;
    let bytes = package.write(&args.output, &why)?;
    let span = package.span;
    writeln!(
        out,
        "{}: {bytes} bytes, {} packets from {} to {}\n{why}\nverdict {}; verify it with `parallax verify {}`",
        args.output.display(),
        package.packets,
        show_time(span.from_ns),
        show_time(span.to_ns),
        package.explained.explanation.verdict,
        args.output.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn refuse_shared(args: &Args, located: &Located) -> Result<()> {
    let named = config::named_files(&located.config_text, &located.folder);
    let config = located.config_path();
    let read =
        located.captures.iter().chain(&args.case.config).chain(&args.case.store).chain(&config).chain(&named);
    guard::refuse_over("--output", &args.output, "one of the files that are read", read.map(PathBuf::as_path))
}

/// The package with the fewest packets that gives the same alert and verdict again.
fn smallest(
    args: &Args,
    located: &Located,
    case: &Case,
    original: &Explained,
    wanted: &Expect,
) -> Result<(Package, String)> {
    let alert = &original.facts.alert;
    let data = original.facts.data;
    let mut tried = Vec::new();
    let starts = LEADS_NS.iter().map(|lead| Some(alert.began_ns.saturating_sub(*lead)));
    let mut last = Vec::new();
    for from in starts.filter(|from| from.is_some_and(|f| f > data.from_ns)).chain([None]) {
        let package = Package::make((args, located), case, original, from)?;
        let (package, differences) = match package {
            Made::Same(package) => {
                let why = match (from, tried.is_empty()) {
                    (Some(_), true) => {
                        "These packets suffice: the books need nothing from before them.".to_owned()
                    }
                    (Some(_), false) => format!(
                        "Less does not suffice: from {} on the replay says otherwise.",
                        tried.join(" or ")
                    ),
                    (None, true) => {
                        "All packets from the beginning of the data: the alert lies close to it.".to_owned()
                    }
                    (None, false) => format!(
                        "All packets from the beginning of the data: books are made from what came before, and from {} on the replay says otherwise.",
                        tried.join(" or ")
                    ),
                };
                return Ok((*package, why));
            }
            Made::Other(from_ns, differences) => (from_ns, differences),
        };
        tried.push(show_time(package));
        last = differences;
    }
    bail!(
        "alert {} does not come out of its own packets again ({}): no evidence was written",
        wanted.id,
        last.first().map_or("no reason is known", String::as_str)
    )
}

/// A package in a temporary folder, and what its replay says.
struct Package {
    folder: tempfile::TempDir,
    captures: Vec<String>,
    explained: Explained,
    expect: Expect,
    packets: u64,
    span: Span,
    manifest: Manifest,
}

enum Made {
    /// Its replay says the same.
    Same(Box<Package>),
    /// It says otherwise: from when, and what.
    Other(u64, Vec<String>),
}

impl Package {
    fn make(
        (args, located): (&Args, &Located),
        case: &Case,
        original: &Explained,
        from_ns: Option<u64>,
    ) -> Result<Made> {
        let folder = tempfile::Builder::new().prefix("evidence-").tempdir().context("no temporary folder")?;
        let mut addresses = Addresses::new(args.keep_addresses);
        let alert = &original.facts.alert;
        // What fails by itself here is the folder: captures and configuration say what is wrong with them.
        let folder_fails = |error: anyhow::Error| match error.is::<io::Error>() {
            true => error.context("the temporary folder cannot be written; TMPDIR names another"),
            false => error,
        };
        let (captures, packets, span) =
            extract(case, alert, from_ns, folder.path(), &mut addresses).map_err(folder_fails)?;
        let wanted = Expect::of(alert, &original.explanation);
        write_config(located, &original.capture_names, &captures, folder.path(), &mut addresses)
            .map_err(folder_fails)?;
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            alert: alert.id.clone(),
            captures: captures.clone(),
            binaryfile_midnight_ns: captures
                .iter()
                .any(|c| c.ends_with(".binaryfile"))
                .then_some(case.options.binaryfile_midnight_ns),
            clock_error_ns: case.clock_error_ns,
            files: Vec::new(),
        };
        let again = case_of(folder.path(), &manifest)?;
        let from = span.from_ns;
        let Ok(found) = again.find(&wanted.id) else {
            return Ok(Made::Other(from, vec!["the alert is not raised again".to_owned()]));
        };
        let explained = again.explain(&found)?;
        let expect = Expect::of(&found, &explained.explanation);
        let differences = wanted.differences(&expect);
        if !differences.is_empty() {
            return Ok(Made::Other(from, differences));
        }
        let package = Package { folder, captures, explained, expect, packets, span, manifest };
        Ok(Made::Same(Box::new(package)))
    }

    /// Writes the archive; answers its length.
    fn write(&self, to: &Path, why: &str) -> Result<u64> {
        let cannot = || format!("{} cannot be written; name a file in a writable folder", to.display());
        let beside = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Whole or not at all: what is cut off must not lie there under its name.
        let mut file = tempfile::NamedTempFile::new_in(beside).with_context(cannot)?;
        let Explained { facts, explanation, .. } = &self.explained;
        let version = env!("CARGO_PKG_VERSION");
        let alerts = facts.alert.lines.join("\n") + "\n";
        let expect =
            serde_json::to_string_pretty(&self.expect).context("what to expect cannot be written")?;
        let small: [(&str, Vec<u8>); 8] = [
            ("README.txt", texts::readme(facts, &self.captures, self.span, why, version).into_bytes()),
            ("summary.html", page::write(facts, explanation, version).into_bytes()),
            ("explanation.txt", text::write(facts, explanation).into_bytes()),
            ("explanation.json", format!("{:#}\n", json::write(facts, explanation)).into_bytes()),
            ("ticket.txt", texts::ticket(facts, explanation).into_bytes()),
            ("alert.ndjson", alerts.into_bytes()),
            ("expect.json", (expect + "\n").into_bytes()),
            ("quotes.csv", texts::quotes(facts).context("the quotes cannot be written")?),
        ];
        let mut zip = ZipWriter::new(BufWriter::new(file.as_file_mut()));
        for (name, bytes) in &small {
            zip.add(name, bytes.as_slice()).with_context(cannot)?;
        }
        for name in config_files(self.folder.path()) {
            zip.add(&name, File::open(self.folder.path().join(&name))?).with_context(cannot)?;
        }
        for capture in &self.captures {
            let name = format!("{CAPTURES}/{capture}");
            zip.add(&name, File::open(self.folder.path().join(&name))?).with_context(cannot)?;
        }
        let files = zip.entries().iter().map(Into::into).collect();
        let manifest = serde_json::to_string_pretty(&Manifest { files, ..self.manifest.clone() })?;
        zip.add("manifest.json", format!("{manifest}\n").as_bytes()).with_context(cannot)?;
        zip.finish().with_context(cannot)?;
        let bytes = file.as_file().metadata()?.len();
        file.persist(to).with_context(cannot)?;
        Ok(bytes)
    }
}

/// The configuration's files that are there, in a fixed order.
fn config_files(folder: &Path) -> Vec<String> {
    let names = [CONFIG.to_owned(), format!("config/{INSTRUMENTS}"), format!("config/{RULES}")];
    names.into_iter().filter(|n| folder.join(n).is_file()).collect()
}

/// What is replayed out of a folder that holds a package.
///
/// # Errors
/// A configuration that cannot be used.
pub fn case_of(folder: &Path, manifest: &Manifest) -> Result<Case> {
    let config = Config::read(&folder.join(CONFIG))?;
    let captures = manifest.captures.iter().map(|c| folder.join(CAPTURES).join(c)).collect();
    let options = crate::source::Options {
        sort_window: true,
        read_ahead: true,
        binaryfile_midnight_ns: manifest.binaryfile_midnight_ns.unwrap_or(0),
        ..Default::default()
    };
    Ok(Case { config, captures, options, clock_error_ns: manifest.clock_error_ns })
}

/// One extract under way: packets, or bare messages.
enum Out {
    Packets(Extract<BufWriter<File>>),
    Messages(BufWriter<File>),
}

/// Writes the packets of all captures from a moment to the end of the alert's window; answers the extracts' names, how
/// many packets there are, and from when to when.
fn extract(
    case: &Case,
    alert: &Alert,
    from_ns: Option<u64>,
    folder: &Path,
    addresses: &mut Addresses,
) -> Result<(Vec<String>, u64, Span)> {
    std::fs::create_dir(folder.join(CAPTURES))?;
    let to_ns = observer::window(alert).to_ns.saturating_add(1);
    let mut options = case.options.clone();
    options.from_ns = options.from_ns.max(from_ns);
    options.to_ns = Some(options.to_ns.map_or(to_ns, |to| to.min(to_ns)));
    let mut captures = Captures::open(&case.captures, &options)?;
    captures.prime()?;
    let mut outs: Vec<Option<(Out, String)>> = case.captures.iter().map(|_| None).collect();
    let mut packets = 0;
    let mut span = Span { from_ns: u64::MAX, to_ns: 0 };
    while let Some(datagram) = captures.next()? {
        let number = datagram.capture as usize;
        if outs[number].is_none() {
            outs[number] = Some(begin(folder, number, datagram.transport)?);
        }
        let Some((out, _)) = &mut outs[number] else { continue };
        packets += 1;
        span = Span {
            from_ns: span.from_ns.min(datagram.ts_recv_ns),
            to_ns: span.to_ns.max(datagram.ts_recv_ns),
        };
        match out {
            Out::Packets(extract) => {
                let both = [datagram.source, datagram.destination].map(|a: SocketAddr| addresses.replace(a));
                extract.add(&datagram, &interface(datagram.interface_name, number), both)?;
            }
            Out::Messages(file) => {
                let len = u16::try_from(datagram.payload.len()).unwrap_or(u16::MAX);
                file.write_all(&len.to_be_bytes())?;
                file.write_all(datagram.payload)?;
            }
        }
    }
    let watched = captures.watched_until();
    let mut names = Vec::new();
    for (number, out) in outs.into_iter().enumerate() {
        let (out, name) = match out {
            Some(out) => out,
            // It says nothing in this stretch; its place among the others stays.
            None => begin(folder, number, Transport::Udp)?,
        };
        match out {
            Out::Packets(extract) => drop(extract.finish(watched)?),
            Out::Messages(mut file) => file.flush()?,
        }
        names.push(name);
    }
    Ok((names, packets, span))
}

fn begin(folder: &Path, number: usize, transport: Transport) -> Result<(Out, String)> {
    let bare = transport == Transport::BinaryFile;
    let name = format!("{:02}.{}", number + 1, if bare { "binaryfile" } else { "pcapng" });
    let file = BufWriter::new(File::create(folder.join(CAPTURES).join(&name))?);
    Ok(match bare {
        true => (Out::Messages(file), name),
        false => (Out::Packets(Extract::new(file, "parallax evidence")?), name),
    })
}

/// Live lines keep their name, for losses are counted by it; what an interface was called elsewhere stays there.
fn interface(name: &str, number: usize) -> String {
    match crate::pipeline::feeder::is_line_name(name) {
        true => name.to_owned(),
        false => format!("capture-{:02}", number + 1),
    }
}

/// Writes the configuration and what it names.
fn write_config(
    located: &Located,
    originals: &[String],
    extracts: &[String],
    folder: &Path,
    addresses: &mut Addresses,
) -> Result<()> {
    let read = |path: &Path| -> Result<String> {
        let cannot = || format!("{} cannot be read", path.display());
        let len = std::fs::metadata(path).with_context(cannot)?.len();
        if len > TEXT_MAX {
            bail!("{} has {len} bytes: at most {TEXT_MAX} are read", path.display());
        }
        std::fs::read_to_string(path).with_context(cannot)
    };
    let extract_of = |capture: &str| {
        let same =
            |name: &String| name == capture || Path::new(name).file_name().is_some_and(|f| f == capture);
        let number = originals.iter().position(same);
        number.and_then(|n| extracts.get(n)).cloned().unwrap_or_else(|| "none.pcapng".to_owned())
    };
    let (text, map, book) = for_evidence(&located.config_text, addresses, &extract_of)
        .map_err(|e| anyhow::anyhow!("{}: {e}", located.config_name))?;
    std::fs::create_dir(folder.join("config"))?;
    std::fs::write(folder.join(CONFIG), text)?;
    let beside = &located.folder;
    if let Some(map) = map {
        let map = map_for_evidence(&read(&beside.join(map))?).map_err(anyhow::Error::msg)?;
        std::fs::write(folder.join("config").join(INSTRUMENTS), map)?;
    }
    if let Some(book) = book {
        let book = rules_for_evidence(&read(&beside.join(book))?).map_err(anyhow::Error::msg)?;
        std::fs::write(folder.join("config").join(RULES), book)?;
    }
    io::stdout().flush()?;
    Ok(())
}
