//! Which two things are compared, from what the user named.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use feeds::FeedId;

use crate::compare::{Route, SideOutcome, Sides};
use crate::config::{Channel, Check, Config, Group, Kind, Line};
use crate::identify::{self, Limits};
use crate::source::{Captures, Options};

/// A channel that both sides carry.
pub struct UnitPlan {
    /// Name for people.
    pub name: String,
    /// What it speaks.
    pub feed: FeedId,
}

/// What is compared with what.
pub struct Plan {
    paths: Vec<PathBuf>,
    /// Names of the captures in records, no two alike.
    names: Vec<String>,
    /// Each side is a capture of its own.
    pub by_capture: bool,
    /// Both sides were stamped by one clock, as far as the files can say.
    pub one_clock: bool,
    /// The two for people.
    pub sides: [SideOutcome; 2],
    /// Channels that both carry.
    pub units: Vec<UnitPlan>,
    /// Where each side's copies of them are found.
    pub routes: [Vec<Route>; 2],
    /// The two as sources of one pipeline.
    pub config: Config,
    /// Pairs of its sources.
    pub couples: Vec<Sides>,
}

impl Plan {
    /// Opens the captures of a side, or all.
    ///
    /// # Errors
    /// See [`Captures::open`].
    pub fn open(&self, side: Option<usize>, options: &Options) -> Result<Captures> {
        let only = side.filter(|_| self.by_capture);
        let wanted: Vec<usize> = match only {
            Some(side) => vec![side],
            None => (0..self.paths.len()).collect(),
        };
        let paths: Vec<PathBuf> = wanted.iter().map(|at| self.paths[*at].clone()).collect();
        let mut captures = Captures::open(&paths, options)?;
        for (position, at) in wanted.iter().enumerate() {
            captures.rename(position, &self.names[*at]);
        }
        Ok(captures)
    }
}

/// One line of the configuration, taken by a side.
#[derive(Debug, Clone)]
struct Port {
    source: usize,
    channel: usize,
    line: Line,
}

/// Makes the plan.
///
/// # Errors
/// Arguments that name no two sides, in one sentence.
pub fn plan(arguments: &[PathBuf], config: Option<&Path>, options: &Options) -> Result<Plan> {
    if arguments.iter().any(|a| a.as_os_str() == "-") {
        bail!("compare reads its captures more than once: name files, not standard input");
    }
    let is_file = |path: &PathBuf| path.is_file();
    let (names, paths): (Vec<String>, Vec<PathBuf>) = match arguments {
        [a, b, rest @ ..] if !rest.is_empty() && !is_file(a) && !is_file(b) => {
            (vec![a.display().to_string(), b.display().to_string()], rest.to_vec())
        }
        all => (Vec::new(), all.to_vec()),
    };
    let by_capture = names.is_empty() && paths.len() == 2;
    let labels = labels(&paths);
    let base = base(&paths, &labels, config, options)?;
    let ports = match &*names {
        [a, b] => [named(a, &base)?, named(b, &base)?],
        _ if by_capture => {
            let seen = present(&paths, options)?;
            [0, 1].map(|side| within(&base, &labels[side], &seen[side]))
        }
        _ => two_of(&base)?,
    };
    let shown: [String; 2] = match &*names {
        [a, b] => [a.clone(), b.clone()],
        _ if by_capture => [labels[0].clone(), labels[1].clone()],
        _ => [0, 1].map(|side| called(&ports[side], &base)),
    };
    Ok(assemble(Basis { paths, labels, by_capture, base }, ports, shown))
}

struct Basis {
    paths: Vec<PathBuf>,
    labels: Vec<String>,
    by_capture: bool,
    base: Config,
}

/// File names; told apart where two are alike.
fn labels(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| match path.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => path.display().to_string(),
    };
    let all: Vec<String> = paths.iter().map(short).collect();
    let alike = |name: &String| all.iter().filter(|other| *other == name).count() > 1;
    let letter = |nth: usize| u8::try_from(nth).map_or('?', |n| char::from(b'A' + n.min(25)));
    all.iter()
        .enumerate()
        .map(|(nth, name)| if alike(name) { format!("{name} ({})", letter(nth)) } else { name.clone() })
        .collect()
}

/// The configuration, or what the bytes suggest.
fn base(paths: &[PathBuf], labels: &[String], config: Option<&Path>, options: &Options) -> Result<Config> {
    if let Some(path) = config {
        return Ok(Config::read(path)?);
    }
    let mut captures = Captures::open(paths, options)?;
    for (at, name) in labels.iter().enumerate() {
        captures.rename(at, name);
    }
    let found = identify::identify(&mut captures, Limits::beginning())?;
    if found.channels.is_empty() {
        bail!(
            "no feed was recognised in {}; `parallax identify` says what was seen, --config says what it is",
            labels.join(" and ")
        );
    }
    let text = identify::config_toml(&found);
    Ok(Config::parse("(identified)", &text, Path::new("."))?)
}

/// Groups of each capture.
fn present(paths: &[PathBuf], options: &Options) -> Result<Vec<Vec<Group>>> {
    let groups = |path: &PathBuf| -> Result<Vec<Group>> {
        let mut captures = Captures::open(std::slice::from_ref(path), options)?;
        let found = identify::identify(&mut captures, Limits::beginning())?;
        let known = found.channels.iter().flat_map(|c| &c.lines).map(|l| l.group);
        let mut all: Vec<Group> = known.chain(found.unknown.iter().map(|u| u.group)).collect();
        all.dedup();
        Ok(all)
    };
    paths.iter().map(groups).collect()
}

fn all_ports(base: &Config) -> impl Iterator<Item = Port> + '_ {
    base.sources.iter().enumerate().flat_map(|(source, s)| {
        let lines =
            s.channels.iter().enumerate().flat_map(|(c, channel)| channel.lines.iter().map(move |l| (c, l)));
        lines.map(move |(channel, line)| Port { source, channel, line: line.clone() })
    })
}

/// Everything of the configuration that lies in one capture.
fn within(base: &Config, label: &str, groups: &[Group]) -> Vec<Port> {
    let inside = |port: &Port| {
        groups.contains(&port.line.group) && port.line.capture.as_ref().is_none_or(|only| only == label)
    };
    let bound = |port: Port| Port { line: Line { capture: Some(label.to_owned()), ..port.line }, ..port };
    all_ports(base).filter(inside).map(bound).collect()
}

/// What a name means: a source, a channel or line of it, or a group.
fn named(name: &str, base: &Config) -> Result<Vec<Port>> {
    let group = name.parse::<SocketAddr>().ok().map(Group::Udp);
    let fits = |port: &Port| {
        let source = &base.sources[port.source];
        let channel = format!("{}/{}", source.name, source.channels[port.channel].name);
        name == source.name
            || name == channel
            || name == format!("{channel}/{}", port.line.name)
            || group == Some(port.line.group)
    };
    let ports: Vec<Port> = all_ports(base).filter(fits).collect();
    if ports.is_empty() {
        let known: Vec<String> = base.sources.iter().map(|s| s.name.clone()).collect();
        let lines: Vec<String> = all_ports(base).map(|port| port.line.group.to_string()).collect();
        bail!(
            "{name} is no capture, source, line or group: sources are {}, groups are {}",
            known.join(", "),
            lines.join(", ")
        );
    }
    Ok(ports)
}

/// The two things in captures that nobody named: two lines, or two feeds.
fn two_of(base: &Config) -> Result<[Vec<Port>; 2]> {
    if let [_, _] = &*base.sources {
        return Ok([0, 1].map(|at| all_ports(base).filter(|port| port.source == at).collect()));
    }
    let paired = base.sources.iter().flat_map(|s| &s.channels).all(|channel| channel.lines.len() == 2);
    if base.sources.len() == 1 && paired {
        let second = |port: &Port| {
            let lines = &base.sources[port.source].channels[port.channel].lines;
            lines.iter().position(|line| *line == port.line) == Some(1)
        };
        let (second, first): (Vec<Port>, Vec<Port>) = all_ports(base).partition(second);
        return Ok([first, second]);
    }
    let what: Vec<String> = all_ports(base)
        .map(|port| format!("{} on {}", base.sources[port.source].name, port.line.group))
        .collect();
    if let [only] = &*what {
        bail!(
            "there is only one thing to compare here, {only}; give a second capture: `parallax compare A B`"
        );
    }
    bail!(
        "there are {} things to compare here: {}; name two of them before the captures, such as `parallax compare A B CAPTURE...`",
        what.len(),
        what.join(", ")
    )
}

/// How a side is called that nobody named.
fn called(ports: &[Port], base: &Config) -> String {
    let whole = |source: usize| {
        let all = all_ports(base).filter(|port| port.source == source).count();
        ports.iter().filter(|port| port.source == source).count() == all
    };
    match ports {
        [first, ..] if whole(first.source) => base.sources[first.source].name.clone(),
        [first, ..] => format!("line {}", first.line.name),
        [] => "nothing".to_owned(),
    }
}

fn assemble(basis: Basis, ports: [Vec<Port>; 2], shown: [String; 2]) -> Plan {
    let Basis { paths, labels, by_capture, base } = basis;
    let same_file =
        || paths.iter().map(|p| p.canonicalize().ok()).collect::<Vec<_>>().windows(2).all(|p| p[0] == p[1]);
    let mut plan = Plan {
        by_capture,
        one_clock: same_file(),
        sides: [0, 1].map(|side| SideOutcome {
            name: shown[side].clone(),
            captures: if by_capture { vec![labels[side].clone()] } else { labels.clone() },
            carries: carries(&ports[side], &base),
            damage: Vec::new(),
        }),
        units: Vec::new(),
        routes: [Vec::new(), Vec::new()],
        config: Config { checks: checks(), rules: base.rules.clone(), ..Config::default() },
        couples: Vec::new(),
        paths,
        names: labels,
    };
    for first in &ports[0] {
        for second in &ports[1] {
            pair(&mut plan, &base, first, second, &ports);
        }
    }
    sources(&mut plan, &base, &ports, &shown);
    plan
}

fn carries(ports: &[Port], base: &Config) -> Vec<String> {
    let of = |port: &Port| format!("{} on {}", base.sources[port.source].feed.info().name, port.line.group);
    let mut all: Vec<String> = ports.iter().map(of).collect();
    all.dedup();
    all
}

/// Two ports of one channel, or of one feed and group, are one unit: group by group where both sides have the groups,
/// channel by channel where they have not.
fn pair(plan: &mut Plan, base: &Config, first: &Port, second: &Port, ports: &[Vec<Port>; 2]) {
    let (a, b) = (&base.sources[first.source], &base.sources[second.source]);
    let same_channel = (first.source, first.channel) == (second.source, second.channel);
    let same_group = first.line.group == second.line.group;
    if a.feed != b.feed || !(same_channel || same_group) {
        return;
    }
    let elsewhere = |port: &Port, others: &[Port]| others.iter().any(|o| o.line.group == port.line.group);
    if !same_group && (elsewhere(first, &ports[1]) || elsewhere(second, &ports[0])) {
        return;
    }
    let name = if same_group {
        first.line.group.to_string()
    } else {
        format!("{}/{}", a.name, a.channels[first.channel].name)
    };
    let unit = plan.units.iter().position(|unit| unit.name == name).unwrap_or_else(|| {
        plan.units.push(UnitPlan { name, feed: a.feed });
        plan.units.len() - 1
    });
    for (routes, port) in plan.routes.iter_mut().zip([first, second]) {
        let route = Route { unit, group: port.line.group, capture: port.line.capture.clone() };
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
}

/// Every check with its defaults: what is configured for others says nothing of these two.
fn checks() -> Vec<Check> {
    Kind::ALL.iter().map(|kind| Check::with_defaults(*kind)).collect()
}

/// Makes each side's ports sources of one pipeline, and pairs them: of the same feed where both have it.
fn sources(plan: &mut Plan, base: &Config, ports: &[Vec<Port>; 2], shown: &[String; 2]) {
    let mut made: [Vec<u16>; 2] = [Vec::new(), Vec::new()];
    for (side, ports) in ports.iter().enumerate() {
        for (position, source) in base.sources.iter().enumerate() {
            let mine: Vec<&Port> = ports.iter().filter(|port| port.source == position).collect();
            if mine.is_empty() {
                continue;
            }
            let channels = source.channels.iter().enumerate().filter_map(|(c, channel)| {
                let lines: Vec<Line> =
                    mine.iter().filter(|port| port.channel == c).map(|port| port.line.clone()).collect();
                (!lines.is_empty()).then(|| Channel { lines, ..channel.clone() })
            });
            let alone = ports.iter().all(|port| port.source == position);
            let name =
                if alone { shown[side].clone() } else { format!("{} of {}", source.name, shown[side]) };
            let mapped = base.map.rows.iter().filter(|m| m.source == position).cloned();
            let number = plan.config.sources.len();
            plan.config.map.rows.extend(mapped.map(|m| crate::config::Mapping { source: number, ..m }));
            made[side].push(number as u16);
            plan.config.sources.push(crate::config::Source {
                name: plan.unused(name),
                channels: channels.collect(),
                ..source.clone()
            });
        }
    }
    let feed = |at: &u16| plan.config.sources[usize::from(*at)].feed;
    let all: Vec<Sides> = made[0].iter().flat_map(|a| made[1].iter().map(move |b| (*a, *b))).collect();
    let alike: Vec<Sides> = all.iter().copied().filter(|(a, b)| feed(a) == feed(b)).collect();
    plan.couples = if alike.is_empty() { all } else { alike };
}

impl Plan {
    /// The name, told apart from those of sources there are.
    fn unused(&self, name: String) -> String {
        if self.config.sources.iter().any(|source| source.name == name) {
            format!("{name} (B)")
        } else {
            name
        }
    }
}
