//! Which threads a live daemon runs, and what each of them receives.
//!
//! A pure function of the configuration. The order is that of the file, so that receivers, and with them the names of
//! their recordings, stay what they are while the file does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use super::Mode;
use crate::config::{Config, ConfigError, Group, Interface, Line};

/// The threads of a live daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlan {
    /// Receivers, in the order in which the file first asks for them: one per core, and one for all sources without a core.
    pub receivers: Vec<ReceiverPlan>,
    /// Core of the comparator.
    pub comparator_core: Option<usize>,
    /// How they wait.
    pub mode: Mode,
    /// What is allowed and yet hardly meant, in sentences.
    pub warnings: Vec<String>,
}

impl RunPlan {
    /// Cores that belong to one thread each.
    pub fn own_cores(&self) -> Vec<usize> {
        self.receivers.iter().filter_map(|r| r.core).chain(self.comparator_core).collect()
    }
}

/// One receiver thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverPlan {
    /// Core it is pinned to.
    pub core: Option<usize>,
    /// Positions of its sources in [`Config::sources`], in the order of the file.
    pub sources: Vec<usize>,
    /// Its lines, in the order of the file.
    pub lines: Vec<LinePlan>,
}

/// One line: one socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePlan {
    /// Position of its source in [`Config::sources`].
    pub source: usize,
    /// Position of its channel in the source.
    pub channel: usize,
    /// Position of the line in the channel.
    pub line: usize,
    /// `source/channel/line`: its name in recordings and in what people are told.
    pub name: String,
    /// Group and port.
    pub group: SocketAddrV4,
    /// Interface to join on; `None`: the kernel's choice.
    pub interface: Option<Interface>,
    /// Sender of a source-specific join.
    pub sender: Option<Ipv4Addr>,
}

impl Config {
    /// Groups the sources into receivers.
    ///
    /// # Errors
    /// What can be replayed and yet cannot run: a line without a multicast group, a core that two spinning threads
    /// would fight for. One sentence with file, line, what is wrong and what would be right.
    pub fn plan_run(&self) -> Result<RunPlan, ConfigError> {
        let mut receivers: Vec<ReceiverPlan> = Vec::new();
        for (at, source) in self.sources.iter().enumerate() {
            let found = receivers.iter().position(|r| r.core == source.core).unwrap_or_else(|| {
                receivers.push(ReceiverPlan { core: source.core, sources: Vec::new(), lines: Vec::new() });
                receivers.len() - 1
            });
            let receiver = &mut receivers[found];
            receiver.sources.push(at);
            for (channel, written) in source.channels.iter().enumerate() {
                for (line, written_line) in written.lines.iter().enumerate() {
                    let name = format!("{}/{}/{}", source.name, written.name, written_line.name);
                    receiver.lines.push(self.line_plan(written_line, name, [at, channel, line])?);
                }
            }
        }
        self.refuse_lines_that_are_one(&receivers)?;
        let run = &self.live.run;
        let mut plan =
            RunPlan { receivers, comparator_core: run.comparator_core, mode: run.mode, warnings: Vec::new() };
        self.look_at_cores(&mut plan)?;
        Ok(plan)
    }

    fn refuse(&self, line: usize, sentence: String) -> ConfigError {
        ConfigError { path: self.path.clone(), line, sentence }
    }

    fn line_plan(
        &self,
        line: &Line,
        name: String,
        [source, channel, position]: [usize; 3],
    ) -> Result<LinePlan, ConfigError> {
        let refuse = |why: &str| Err(self.refuse(line.place.0, format!("line {name} {why}")));
        let group = match line.group {
            Group::Udp(SocketAddr::V4(group)) if group.ip().is_multicast() => group,
            Group::Udp(SocketAddr::V4(group)) => {
                return refuse(&format!(
                    "cannot run: {} is no multicast group (224.0.0.0 to 239.255.255.255); it can only be replayed",
                    group.ip()
                ));
            }
            Group::Udp(SocketAddr::V6(_)) => {
                return refuse("cannot run: groups are joined over IPv4 only; it can only be replayed");
            }
            Group::File => return refuse("cannot run: it comes from a file; it can only be replayed"),
        };
        if group.port() == 0 {
            return refuse("cannot run: a group needs a port");
        }
        if let Some(Interface::Address(IpAddr::V6(address))) = line.interface {
            return refuse(&format!(
                "cannot run: an IPv4 group is joined on an IPv4 address, not on {address}"
            ));
        }
        let sender = match line.sender {
            Some(IpAddr::V4(sender)) => Some(sender),
            _ => None,
        };
        let interface = line.interface.clone();
        Ok(LinePlan { source, channel, line: position, name, group, interface, sender })
    }

    /// One group on two interfaces is two lines. On one interface, lines that only captures tell apart are one and the
    /// same.
    fn refuse_lines_that_are_one(&self, receivers: &[ReceiverPlan]) -> Result<(), ConfigError> {
        let mut lines: Vec<&LinePlan> = receivers.iter().flat_map(|r| &r.lines).collect();
        lines.sort_by_key(|l| (l.source, l.channel, l.line));
        for (n, line) in lines.iter().enumerate() {
            let one = |other: &&&LinePlan| {
                let apart = line.interface.is_some() && other.interface.is_some();
                other.group == line.group && !(apart && other.interface != line.interface)
            };
            if let Some(other) = lines[..n].iter().find(one) {
                let place = self.sources[line.source].channels[line.channel].lines[line.line].place;
                let sentence = format!(
                    "line {} cannot run: {} joins the same group {}; give each the `interface` that it comes in on (without, only the captures of a replay tell them apart)",
                    line.name, other.name, line.group
                );
                return Err(self.refuse(place.0, sentence));
            }
        }
        Ok(())
    }

    /// Who shares a core with whom.
    fn look_at_cores(&self, plan: &mut RunPlan) -> Result<(), ConfigError> {
        if let Some(core) = plan.comparator_core
            && let Some(receiver) = plan.receivers.iter().find(|r| r.core == Some(core))
        {
            let source = &self.sources[receiver.sources[0]];
            let shared =
                format!("core {core} is the comparator's and that of the receiver of `{}`", source.name);
            if plan.mode == Mode::Spin {
                let sentence = format!(
                    "{shared}: spinning, neither would leave it to the other; give `comparator_core` another, or set `mode = \"block\"`"
                );
                return Err(self.refuse(source.place.0, sentence));
            }
            plan.warnings.push(format!("{shared}: an alert waits while the receiver works"));
        }
        let unpinned = plan.receivers.iter().find(|r| r.core.is_none());
        if plan.mode == Mode::Spin
            && let Some(receiver) = unpinned
        {
            let names: Vec<&str> =
                receiver.sources.iter().map(|at| self.sources[*at].name.as_str()).collect();
            plan.warnings.push(format!(
                "the receiver of {} spins without a core of its own: give its sources `core = N`, or set `mode = \"block\"`",
                names.join(", ")
            ));
        }
        if plan.mode == Mode::Spin && plan.comparator_core.is_none() {
            plan.warnings.push(
                "the comparator has no core of its own and sleeps between looks: alerts come up to a quarter of a millisecond later; set `comparator_core = N`"
                    .to_owned(),
            );
        }
        let pinned = plan.comparator_core.is_some() || plan.receivers.iter().any(|r| r.core.is_some());
        if self.live.run.realtime.is_some() && !pinned {
            plan.warnings
                .push("`realtime` is for pinned threads, and none is pinned: it does nothing".to_owned());
        }
        Ok(())
    }
}
