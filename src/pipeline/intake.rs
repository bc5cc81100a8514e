//! Where captures come in: finds the line that a datagram belongs to and drives the feeder, deadlines of lines in
//! between; what comes of it goes on step by step.
//!
//! It judges nothing, and waits for nobody: whoever takes the steps may be another thread.

use hashbrown::HashMap;

use super::feeder::{Feeder, NoShelf, Stages};
use super::line_name;
use super::note::{Note, Step};
use super::tally::Unrouted;
use crate::config::{Config, Group};
use crate::packet;
use crate::source::{Datagram, LATEST_NS};

/// Takes what an [`Intake`] makes, in order.
pub trait Steps {
    /// One step; its notes are the last in `notes`, behind those that were left there before.
    fn step(&mut self, step: Step, notes: &mut Vec<Note>);

    /// Time has come to `now` without a step.
    fn until(&mut self, now: u64, notes: &mut Vec<Note>);
}

/// Where a group's datagrams go.
#[derive(Debug)]
struct Route {
    channel: usize,
    line: u16,
    /// Only from this capture.
    capture: Option<String>,
}

/// The latest datagram of a capture without an interface's name.
#[derive(Debug, Clone, Copy)]
struct Latest {
    group: Group,
    /// Where it went: a channel and a line of it.
    to: Option<(usize, u16)>,
}

/// See the module. It lies apart like a [`super::Judge`].
#[repr(align(128))]
pub struct Intake {
    /// Lines and books of all sources.
    pub feeder: Feeder,
    /// Datagrams that no line of the configuration wants.
    pub unrouted: Unrouted,
    routes: HashMap<Group, Vec<Route>>,
    /// Lines by the name that a recording of them bears: `source/channel/line`.
    named: HashMap<String, (usize, u16)>,
    captures: Vec<String>,
    /// By capture.
    latest: Vec<Option<Latest>>,
    pub(super) notes: Vec<Note>,
    now: u64,
    first: Option<u64>,
}

impl Intake {
    /// For all sources of the configuration, before any data; `captures` are their names by number.
    pub fn new(
        config: &Config,
        captures: Vec<String>,
        stages: Stages,
        binaryfile_midnight_ns: u64,
    ) -> Intake {
        let mut routes: HashMap<Group, Vec<Route>> = HashMap::new();
        let mut named = HashMap::new();
        let mut number = 0;
        for source in &config.sources {
            for channel in &source.channels {
                for (l, line) in channel.lines.iter().enumerate() {
                    let route = Route { channel: number, line: l as u16, capture: line.capture.clone() };
                    routes.entry(line.group).or_default().push(route);
                    named.insert(line_name(&source.name, &channel.name, &line.name), (number, l as u16));
                }
                number += 1;
            }
        }
        let all: Vec<usize> = (0..config.sources.len()).collect();
        Intake {
            feeder: Feeder::new(config, &all, stages, binaryfile_midnight_ns),
            unrouted: Unrouted::default(),
            routes,
            named,
            captures,
            latest: Vec::new(),
            notes: Vec::new(),
            now: 0,
            first: None,
        }
    }

    /// The watch begins, before any datagram; answers the time at which.
    pub fn start(&mut self, now: u64) -> u64 {
        self.now = self.now.max(now.min(LATEST_NS));
        self.first.get_or_insert(self.now);
        self.now
    }

    /// Takes one datagram. Its time is `ts_recv_ns`, but never earlier than what went before.
    pub fn on_datagram(&mut self, datagram: &Datagram<'_>, to: &mut impl Steps) {
        let now = self.now.max(datagram.ts_recv_ns.min(LATEST_NS));
        self.timeouts(now, to);
        self.now = now;
        self.first.get_or_insert(now);
        let Some(place) = self.route(datagram) else {
            self.unrouted.add(packet::group(datagram));
            to.step(Step::datagram(now), &mut self.notes);
            return;
        };
        let step = self.feeder.on_datagram(place, datagram, &mut NoShelf, &mut self.notes);
        to.step(Step { now_ns: now, ..step }, &mut self.notes);
    }

    #[inline]
    fn route(&mut self, datagram: &Datagram<'_>) -> Option<(usize, u16)> {
        if !datagram.interface_name.is_empty() {
            return self.find_route(datagram);
        }
        // A capture has few groups, and packets of one come in rows.
        let (capture, group) = (datagram.capture as usize, packet::group(datagram));
        match self.latest.get(capture) {
            Some(Some(latest)) if latest.group == group => latest.to,
            _ => self.route_anew(capture, group, datagram),
        }
    }

    #[cold]
    fn route_anew(&mut self, capture: usize, group: Group, datagram: &Datagram<'_>) -> Option<(usize, u16)> {
        let to = self.find_route(datagram);
        if self.latest.len() <= capture && capture < self.captures.len() {
            self.latest.resize(self.captures.len(), None);
        }
        if let Some(latest) = self.latest.get_mut(capture) {
            *latest = Some(Latest { group, to });
        }
        to
    }

    fn find_route(&self, datagram: &Datagram<'_>) -> Option<(usize, u16)> {
        if !datagram.interface_name.is_empty()
            && let Some(place) = self.named.get(datagram.interface_name)
        {
            return Some(*place);
        }
        let capture = self.captures.get(datagram.capture as usize).map(String::as_str);
        let file = capture.and_then(|name| std::path::Path::new(name).file_name());
        // One that is named whole goes before one that is called alike: `a.pcap` and `there/a.pcap`.
        let named = |route: &&Route| route.capture.is_some() && route.capture.as_deref() == capture;
        let wanted = |route: &&Route| {
            route.capture.as_deref().is_none_or(|only| file.is_some_and(|file| file == only))
        };
        let routes = self.routes.get(&packet::group(datagram))?;
        let route = routes.iter().find(named).or_else(|| routes.iter().find(wanted))?;
        Some((route.channel, route.line))
    }

    /// Fires the deadlines of lines up to `now`.
    fn timeouts(&mut self, now: u64, to: &mut impl Steps) {
        while let Some((at, channel)) = self.feeder.next_timeout().filter(|(at, _)| *at <= now) {
            self.now = at.max(self.now);
            let step = self.feeder.on_timeout(self.now, channel, &mut NoShelf, &mut self.notes);
            to.step(step, &mut self.notes);
        }
    }

    /// Fires every deadline up to `now`.
    pub fn advance(&mut self, now: u64, to: &mut impl Steps) {
        self.timeouts(now, to);
        self.now = self.now.max(now);
        to.until(self.now, &mut self.notes);
    }

    /// The data is over; answers when.
    pub fn finish(&mut self, to: &mut impl Steps) -> u64 {
        for channel in 0..self.feeder.channels.len() {
            let step = self.feeder.finish(self.now, channel, &mut NoShelf, &mut self.notes);
            to.step(step, &mut self.notes);
        }
        self.now
    }

    /// Time of the first and of the latest datagram.
    pub fn span(&self) -> Option<(u64, u64)> {
        self.first.map(|first| (first, self.now))
    }
}
