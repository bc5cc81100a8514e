//! The configuration: TOML in, a checked plan out.
//!
//! What comes out of [`Config::read`] can be acted on without further questions: names are unique, feeds exist,
//! checks name sources that are there. It opens no capture and no socket.

pub mod checks;
pub mod live;
pub mod map;
pub mod reader;
pub mod rules;

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use feeds::FeedId;
use feeds::feed::Depth;

pub use checks::{Check, Kind, Scope, Severity, Tolerance};
pub use live::Live;
pub use map::{Map, Mapping};
pub use reader::ConfigError;
use reader::{Origin, Table, nearest};

use crate::rules::symbols::Convention;
pub use rules::{Rules, Sessions};

/// How long a hole waits, when nothing is said.
pub const REORDER_WAIT_NS: u64 = 5_000_000;
/// How many packets a hole waits, when nothing is said.
pub const REORDER_PACKETS: usize = 256;

/// How many packets a hole may be made to wait: they are kept meanwhile.
const REORDER_PACKETS_MAX: u64 = 65_536;
/// For how many live orders of a channel memory may be taken at the start: some three gigabytes of it.
const RESERVE_ORDERS_MAX: u64 = 50_000_000;

/// Where a line's packets come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Datagrams to this address and port.
    Udp(SocketAddr),
    /// A file of bare messages (BinaryFILE).
    File,
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Group::Udp(address) => address.fmt(f),
            Group::File => f.write_str("file"),
        }
    }
}

/// The interface on which a group is joined.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// By an address of it.
    Address(IpAddr),
    /// By its name, such as `eth1`.
    Name(String),
}

impl std::fmt::Display for Interface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Interface::Address(address) => address.fmt(f),
            Interface::Name(name) => f.write_str(name),
        }
    }
}

/// Where in the file a thing is written: its line from 1. Two things that differ in nothing else are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place(pub usize);

impl PartialEq for Place {
    fn eq(&self, _: &Place) -> bool {
        true
    }
}

impl Eq for Place {}

/// One copy of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `A`, `B`, ...
    pub name: String,
    /// Where it arrives.
    pub group: Group,
    /// Interface to join on (live only).
    pub interface: Option<Interface>,
    /// Only what this sender sends is asked of the network: a source-specific join (live only).
    pub sender: Option<IpAddr>,
    /// Only from captures whose file name is this one, or that are named so (for the same group recorded in two places).
    pub capture: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// One stream with its own sequence numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Name within the source.
    pub name: String,
    /// Copies of the same data.
    pub lines: Vec<Line>,
    /// How long a hole waits for the other copy or for order to return.
    pub reorder_wait_ns: u64,
    /// How many packets it waits at most.
    pub reorder_packets: usize,
    /// For so many live orders memory is taken at the start.
    pub reserve_orders: usize,
}

/// What a configuration's text says of the clocks that stamp its sources' arrivals: source, nanoseconds. Everything else in
/// it is passed by, and what cannot be read is not said.
pub fn clock_errors(text: &str) -> Vec<(String, u64)> {
    let Ok(root) = toml::de::DeTable::parse(text) else { return Vec::new() };
    let sources = root.get_ref().get("source").and_then(|s| s.get_ref().as_array());
    let said = |source: &toml::Spanned<toml::de::DeValue<'_>>| {
        let table = source.get_ref().as_table()?;
        let word = |key: &str| table.get(key)?.get_ref().as_str();
        Some((word("name")?.to_owned(), reader::duration(word("clock_error")?)?))
    };
    sources.into_iter().flat_map(|all| all.iter()).filter_map(said).collect()
}

/// The files that a configuration's text names beside the data: its instrument map and its rules, looked up from `folder`.
pub fn named_files(text: &str, folder: &Path) -> Vec<PathBuf> {
    let Ok(root) = toml::de::DeTable::parse(text) else { return Vec::new() };
    let named = |(table, key): (&str, &str)| {
        let file = root.get_ref().get(table)?.get_ref().as_table()?.get(key)?.get_ref().as_str()?;
        Some(folder.join(file))
    };
    [("instruments", "map"), ("rules", "book")].into_iter().filter_map(named).collect()
}

impl Line {
    /// Whether what a capture of that name holds is for this line.
    pub fn is_in(&self, capture: &str) -> bool {
        let file = Path::new(capture).file_name();
        self.capture.as_deref().is_none_or(|only| only == capture || file.is_some_and(|f| f == only))
    }
}

impl Channel {
    /// Several lines, each joined on an interface of its own.
    pub fn has_separate_interfaces(&self) -> bool {
        let interfaces: Vec<&Interface> = self.lines.iter().filter_map(|l| l.interface.as_ref()).collect();
        let apart = interfaces.iter().enumerate().all(|(n, i)| !interfaces[..n].contains(i));
        self.lines.len() > 1 && interfaces.len() == self.lines.len() && apart
    }
}

/// One view of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Name in records.
    pub name: String,
    /// What it speaks.
    pub feed: FeedId,
    /// MIC of the venue; `None` for a consolidated feed.
    pub venue: Option<String>,
    /// How it spells the suffixes of US securities; `None`: its symbols are taken as they are.
    pub symbology: Option<Convention>,
    /// How far the clock that stamps its arrivals may be from the true time, nanoseconds; `None`: nothing is said.
    pub clock_error_ns: Option<u64>,
    /// Core of its receiver (live only).
    pub core: Option<usize>,
    /// Its channels.
    pub channels: Vec<Channel>,
    /// Where it is written.
    pub place: Place,
}

/// The best over several direct sources, compared like a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composite {
    /// Name in records.
    pub name: String,
    /// Positions of its sources in [`Config::sources`].
    pub of: Vec<usize>,
}

/// The checked plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// Sources, in the order of the file.
    pub sources: Vec<Source>,
    /// Composite views.
    pub composites: Vec<Composite>,
    /// Instrument map.
    pub map: Map,
    /// Checks that run.
    pub checks: Vec<Check>,
    /// The rule book, and what is done outside of a market's hours.
    pub rules: Rules,
    /// What only a live daemon asks for.
    pub live: Box<Live>,
    /// The file as the user named it; empty when there is none.
    pub path: String,
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// One sentence with file, line, what is wrong and what would be right.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError {
            path: name.clone(),
            line: 1,
            sentence: format!("cannot be read ({e}); name a TOML configuration"),
        })?;
        Config::parse(&name, &text, path.parent().unwrap_or(Path::new(".")))
    }

    /// Checks `text`; files it names are looked up from `folder`.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(path: &str, text: &str, folder: &Path) -> Result<Config, ConfigError> {
        let origin = Origin { path, text };
        let root = toml::de::DeTable::parse(text).map_err(|e| origin.syntax(&e))?;
        let mut root_table = Table::new(origin, "the configuration", root.get_ref(), 0..0);
        let mut config = Config { path: path.to_owned(), ..Config::default() };
        for table in root_table.tables("source", "[[source]]")? {
            let source = source(table)?;
            if config.sources.iter().any(|s| s.name == source.0.name) {
                return Err(origin.error(source.1, format!("two sources are named `{}`", source.0.name)));
            }
            config.sources.push(source.0);
        }
        if config.sources.is_empty() {
            return Err(origin
                .error(0, "no [[source]]: name at least one, with `name`, `feed` and a [[source.channel]]"));
        }
        for table in root_table.tables("composite", "[[composite]]")? {
            let composite = composite(table, &config)?;
            config.composites.push(composite);
        }
        if let Some(mut table) = root_table.table("instruments", "[instruments]")? {
            if let Some((file, span)) = table.string("map")? {
                if file.is_empty() {
                    return Err(table.error_at(&span, "`map` is empty; name a CSV file"));
                }
                config.map = map::read(&folder.join(file), &config.sources)
                    .map_err(|sentence| table.error_at(&span, sentence))?;
            }
            table.finish()?;
        }
        config.rules = rules::read(&mut root_table, folder)?;
        let names = config.comparands();
        for table in root_table.tables("check", "[[check]]")? {
            let check = checks::read(table, &names)?;
            config.checks.push(check);
        }
        *config.live = live::read(&mut root_table, folder)?;
        root_table.finish()?;
        if config.checks.is_empty() {
            config.checks = Kind::ALL.iter().map(|kind| Check::with_defaults(*kind)).collect();
        }
        config.refuse_shared_lines(origin)?;
        Ok(config)
    }

    /// Names that a check may compare: sources, then composites.
    pub fn comparands(&self) -> Vec<String> {
        let sources = self.sources.iter().map(|s| s.name.clone());
        sources.chain(self.composites.iter().map(|c| c.name.clone())).collect()
    }

    /// A line may feed only one channel: two would each believe to have lost the other's packets.
    fn refuse_shared_lines(&self, origin: Origin<'_>) -> Result<(), ConfigError> {
        let mut seen: Vec<(&Line, &str)> = Vec::new();
        for source in &self.sources {
            for line in source.channels.iter().flat_map(|c| &c.lines) {
                let same = |l: &Line| {
                    let interfaces = l.interface.is_some() && line.interface.is_some();
                    l.group == line.group
                        && (l.capture.is_none() || line.capture.is_none() || l.capture == line.capture)
                        && !(interfaces && l.interface != line.interface)
                };
                if let Some((_, other)) = seen.iter().find(|(l, _)| same(l)) {
                    let sentence = format!(
                        "group {} is used by `{other}` and by `{}`; give each line its own group, or tell them apart with `capture = \"file.pcap\"`, or live with `interface`",
                        line.group, source.name
                    );
                    return Err(ConfigError { line: line.place.0, ..origin.error(0, sentence) });
                }
                seen.push((line, &source.name));
            }
        }
        Ok(())
    }
}

fn source(mut table: Table<'_>) -> Result<(Source, usize), ConfigError> {
    let (name, span) = table.name("name")?;
    let (feed_name, feed_span) = table.required("feed")?;
    let feed = FeedId::from_name(feed_name).ok_or_else(|| {
        let hint = nearest(feed_name, feeds::ALL.iter().map(|f| f.info().name))
            .map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        table.error_at(&feed_span, format!("`{feed_name}` is no feed{hint} (`parallax feeds` lists them)"))
    })?;
    let venue = table.string("venue")?;
    let consolidated = feed.info().depth == Depth::Consolidated;
    if let (Some((_, span)), true) = (&venue, consolidated) {
        return Err(table.error_at(span, format!("`{feed_name}` is consolidated: leave `venue` out")));
    }
    let venue = match venue {
        Some((mic, span))
            if mic.len() != 4 || !mic.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) =>
        {
            return Err(
                table.error_at(&span, format!("`{mic}` is no MIC: four capitals or digits, such as XNAS"))
            );
        }
        Some((mic, _)) => Some(mic.to_owned()),
        None if consolidated => None,
        None => Some(feed.info().venue.to_owned()),
    };
    let symbology = symbology(&mut table, feed)?;
    let clock_error_ns = table.duration("clock_error")?;
    let core = live::core(&mut table, "core")?;
    let mut channels: Vec<Channel> = Vec::new();
    for channel_table in table.tables("channel", "[[source.channel]]")? {
        let (channel, span) = channel(channel_table)?;
        if channels.iter().any(|c| c.name == channel.name) {
            let sentence = format!("source `{name}` has two channels named `{}`", channel.name);
            return Err(table.error_at(&span, sentence));
        }
        channels.push(channel);
    }
    if channels.is_empty() {
        return Err(table.error(format!("source `{name}` has no [[source.channel]]")));
    }
    let at = span.start;
    let place = Place(table.line_at(&span));
    let name = name.to_owned();
    let source = Source { name, feed, venue, symbology, clock_error_ns, core, channels, place };
    table.finish()?;
    Ok((source, at))
}

/// The convention that the source says, or that its feed is known to have.
fn symbology(table: &mut Table<'_>, feed: FeedId) -> Result<Option<Convention>, ConfigError> {
    match table.string("symbology")? {
        None => Ok(Convention::from_name(feed.info().symbology)),
        Some(("none", _)) => Ok(None),
        Some((name, span)) => {
            let names = Convention::ALL.map(Convention::name);
            Convention::from_name(name).map(Some).ok_or_else(|| {
                let sentence =
                    format!("`symbology = \"{name}\"` is none: write {} or none", names.join(", "));
                table.error_at(&span, sentence)
            })
        }
    }
}

/// A channel, and where its name stands.
fn channel(mut table: Table<'_>) -> Result<(Channel, Range<usize>), ConfigError> {
    let (name, name_span) = table.name("name")?;
    let mut lines: Vec<Line> = Vec::new();
    for mut line_table in table.tables("lines", "lines")? {
        let (line_name, _) = line_table.name("name")?;
        if lines.iter().any(|l| l.name == line_name) {
            return Err(line_table.error(format!("channel `{name}` has two lines named `{line_name}`")));
        }
        let (group_text, span) = line_table.required("group")?;
        let group = match group_text {
            "file" => Group::File,
            text => Group::Udp(text.parse().map_err(|_| {
                let sentence =
                    format!("`group = \"{text}\"` is no address and port, such as 233.54.12.111:26477");
                line_table.error_at(&span, sentence)
            })?),
        };
        let interface = live::interface(&mut line_table)?;
        let sender = live::sender(&mut line_table, group)?;
        let capture = line_table.string("capture")?.map(|(text, _)| text.to_owned());
        let place = Place(line_table.line_at(&span));
        lines.push(Line { name: line_name.to_owned(), group, interface, sender, capture, place });
        line_table.finish()?;
    }
    if lines.is_empty() {
        return Err(
            table.error(format!("channel `{name}` has no `lines = [{{ name = \"A\", group = \"...\" }}]`"))
        );
    }
    let reorder_wait_ns = table.duration("reorder_wait")?.unwrap_or(REORDER_WAIT_NS);
    let reorder_packets = table.unsigned("reorder_packets")?.unwrap_or(REORDER_PACKETS as u64);
    if reorder_packets > REORDER_PACKETS_MAX {
        let sentence =
            format!("`reorder_packets` is {reorder_packets}; it goes from 0 to {REORDER_PACKETS_MAX}");
        return Err(table.error_of("reorder_packets", sentence));
    }
    let reserve_orders = table.unsigned("reserve_orders")?.unwrap_or(0);
    if reserve_orders > RESERVE_ORDERS_MAX {
        let sentence =
            format!("`reserve_orders` is {reserve_orders}; it goes from 0 to {RESERVE_ORDERS_MAX}");
        return Err(table.error_of("reserve_orders", sentence));
    }
    let (reorder_packets, reserve_orders) = (reorder_packets as usize, reserve_orders as usize);
    let channel = Channel { name: name.to_owned(), lines, reorder_wait_ns, reorder_packets, reserve_orders };
    table.finish()?;
    Ok((channel, name_span))
}

fn composite(mut table: Table<'_>, config: &Config) -> Result<Composite, ConfigError> {
    let (name, span) = table.name("name")?;
    if config.comparands().iter().any(|n| n == name) {
        return Err(table.error_at(&span, format!("`{name}` is taken already")));
    }
    let mut of = Vec::new();
    for (source, span) in table.strings("of")?.unwrap_or_default() {
        let found = config.sources.iter().position(|s| s.name == source).ok_or_else(|| {
            let hint = nearest(source, config.sources.iter().map(|s| s.name.as_str()))
                .map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            table.error_at(&span, format!("`{source}` is no source{hint}"))
        })?;
        if config.sources[found].venue.is_none() {
            let sentence = format!("`{source}` is consolidated: a composite is made of direct sources");
            return Err(table.error_at(&span, sentence));
        }
        of.push(found);
    }
    if of.is_empty() {
        return Err(table.error(format!("composite `{name}` needs `of = [\"source\", ...]`")));
    }
    table.finish()?;
    Ok(Composite { name: name.to_owned(), of })
}

#[cfg(test)]
mod tests;
