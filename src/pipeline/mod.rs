//! From datagrams to alerts, in packet order: one function for a capture, a live line and a test.
//!
//! ```text
//! datagram → header → line (A/B, gaps) → messages → books → quotes ── notes ──► checks
//! └────────────────────────── feeder ────────────────────────────┘             judge
//! ```
//!
//! It is driven with (now, datagram) and with nothing else: no clock, no file, no socket. What it makes is a
//! function of the datagrams and the configuration. Before a datagram takes effect, every deadline that lies
//! before it fires at its own time.
//!
//! [`Pipeline`] is the two sides in one thread, with captures routed to lines; live, every receiver has a
//! [`Feeder`] and one comparator thread the [`Judge`].

pub mod event_time;
pub mod feeder;
pub mod judge;
pub mod note;
mod packet_sink;
pub mod tally;

use hashbrown::HashMap;

use crate::config::{Config, Group};
use crate::latency::{Recorder, StageClock};
use crate::packet;
use crate::source::Datagram;
pub use feeder::{ChannelState, Feeder, NoShelf, Shelf, Stages};
pub use judge::{Judge, Timed};
pub use note::{Class, Note, Step};
use tally::Unrouted;

/// Time does not go beyond the year 2262: every deadline can be counted from it. Later receive times are recorded as
/// they are, but take effect then.
const LATEST_NS: u64 = i64::MAX as u64;

/// How a pipeline is set up beside its configuration.
#[derive(Default)]
pub struct Settings {
    /// Names of the captures, by number.
    pub captures: Vec<String>,
    /// Records of quotes are wanted.
    pub quotes: bool,
    /// The clocks that time our own stages, one for each side; without them they are not timed.
    pub stages: Option<[Box<dyn StageClock + Send>; 2]>,
    /// Midnight of the day of files of bare messages.
    pub binaryfile_midnight_ns: u64,
}

/// Where a group's datagrams go.
#[derive(Debug)]
struct Route {
    channel: usize,
    line: u16,
    /// Only from this capture.
    capture: Option<String>,
}

/// See the module.
pub struct Pipeline {
    /// Lines and books of all sources.
    pub feeder: Feeder,
    /// Instruments, quotes, checks.
    pub judge: Judge,
    routes: HashMap<Group, Vec<Route>>,
    /// Lines by the name that a recording of them bears: `source/channel/line`.
    named: HashMap<String, (usize, u16)>,
    /// Datagrams that no line of the configuration wants.
    pub unrouted: Unrouted,
    captures: Vec<String>,
    notes: Vec<Note>,
    now: u64,
    first: Option<u64>,
}

impl Pipeline {
    /// A pipeline for the configuration, before any data.
    pub fn new(config: &Config, settings: Settings, recorder: Recorder) -> Self {
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
        let (stages, clock) = match settings.stages {
            Some([feeder, judge]) => (Stages::Apart(feeder), Some(judge)),
            None => (Stages::Off, None),
        };
        let timed = if clock.is_some() { Timed::Apart } else { Timed::Nothing };
        let all: Vec<usize> = (0..config.sources.len()).collect();
        Pipeline {
            feeder: Feeder::new(config, &all, stages, settings.binaryfile_midnight_ns),
            judge: Judge::new(config, &settings.captures, recorder, (timed, clock), settings.quotes),
            routes,
            named,
            unrouted: Unrouted::default(),
            captures: settings.captures,
            notes: Vec::new(),
            now: 0,
            first: None,
        }
    }

    /// The watch begins, before any datagram: silence counts from here.
    pub fn start(&mut self, now: u64) {
        self.now = self.now.max(now.min(LATEST_NS));
        self.first.get_or_insert(self.now);
        self.judge.start(self.now);
    }

    /// Takes one datagram. Its time is `ts_recv_ns`, but never earlier than what went before.
    pub fn on_datagram(&mut self, datagram: &Datagram<'_>) {
        let now = self.now.max(datagram.ts_recv_ns.min(LATEST_NS));
        self.advance(now);
        self.first.get_or_insert(now);
        self.judge.start(now);
        let Some(place) = self.route(datagram) else {
            self.unrouted.add(packet::group(datagram));
            return;
        };
        let step = self.feeder.on_datagram(place, datagram, &mut NoShelf, &mut self.notes);
        self.judge_step(Step { now_ns: now, ..step });
    }

    fn route(&self, datagram: &Datagram<'_>) -> Option<(usize, u16)> {
        if !datagram.interface_name.is_empty()
            && let Some(place) = self.named.get(datagram.interface_name)
        {
            return Some(*place);
        }
        let capture = self.captures.get(datagram.capture as usize).map(String::as_str);
        let wanted = |route: &&Route| match (&route.capture, capture) {
            (Some(only), Some(name)) => {
                name == only || std::path::Path::new(name).file_name().is_some_and(|f| f == only.as_str())
            }
            (Some(_), None) => false,
            (None, _) => true,
        };
        let routes = self.routes.get(&packet::group(datagram))?;
        routes.iter().find(wanted).map(|route| (route.channel, route.line))
    }

    fn judge_step(&mut self, step: Step) {
        self.judge.begin(&step);
        self.notes.drain(..).for_each(|note| self.judge.take(note));
    }

    /// Fires every deadline up to `now`, in order.
    pub fn advance(&mut self, now: u64) {
        loop {
            match (self.feeder.next_timeout(), self.judge.next_timeout()) {
                (Some((at, channel)), check) if at <= now && check.is_none_or(|c| at <= c) => {
                    self.now = at.max(self.now);
                    let step = self.feeder.on_timeout(self.now, channel, &mut NoShelf, &mut self.notes);
                    self.judge_step(step);
                }
                (_, Some(at)) if at <= now => self.judge.advance(at),
                _ => break,
            }
        }
        self.now = self.now.max(now);
    }

    /// The data is over.
    pub fn finish(&mut self) {
        for channel in 0..self.feeder.channels.len() {
            let step = self.feeder.finish(self.now, channel, &mut NoShelf, &mut self.notes);
            self.judge_step(step);
        }
        self.judge.finish(self.now);
    }

    /// Lines of alert records since the last call.
    pub fn take_alerts(&mut self) -> &mut Vec<u8> {
        self.judge.take_alerts()
    }

    /// Lines of quote records since the last call.
    pub fn take_quotes(&mut self) -> Option<&mut Vec<u8>> {
        self.judge.take_quotes()
    }

    /// Time of the first and of the latest datagram.
    pub fn span(&self) -> Option<(u64, u64)> {
        self.first.map(|first| (first, self.now))
    }
}

/// What a line is called in recordings and in the daemon.
pub fn line_name(source: &str, channel: &str, line: &str) -> String {
    format!("{source}/{channel}/{line}")
}
