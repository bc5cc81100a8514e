//! From datagrams to alerts, in packet order: one function for a capture, a live line and a test.
//!
//! ```text
//! datagram → header → line (A/B, gaps) → messages → books → quotes → checks
//! ```
//!
//! It is driven with (now, datagram) and with nothing else: no clock, no file, no socket. What it makes is a
//! function of the datagrams and the configuration. Before a datagram takes effect, every deadline that lies
//! before it fires at its own time.

pub mod event_time;
mod packet_sink;
pub mod tally;

use feeds::feed::PacketHeader;
use feeds::wire::WireError;
use feeds::{Feed, FeedVisitor};
use hashbrown::HashMap;

use crate::alert::json;
use crate::check::Comparator;
use crate::check::life::Place;
use crate::config::{Config, Group};
use crate::latency::{Recorder, SeriesId, StageClock, point};
use crate::line::{Arrival, Channel, ChannelConfig};
use crate::market::composite::Composite;
use crate::market::{ChannelMarket, Origin, Registry, VenueId, ViewId};
use crate::packet;
use crate::source::Datagram;
use event_time::EventTime;
use packet_sink::PacketSink;
use tally::{ChannelTally, Unrouted};

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
    /// The clock that times our own stages; without it they are not timed.
    pub stages: Option<Box<dyn StageClock>>,
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

/// One channel: its line state, its market, its figures.
pub struct ChannelState {
    /// Sequence and gap state.
    pub line: Channel,
    /// What the line's deliveries act on.
    pub core: ChannelCore,
}

/// What a channel's deliveries act on.
pub struct ChannelCore {
    /// Where it stands in the configuration.
    pub place: Place,
    feed: feeds::FeedId,
    /// Books and quotes.
    pub market: ChannelMarket,
    /// What came.
    pub tally: ChannelTally,
    time: EventTime,
    bare: bool,
    delivered: bool,
    had_suspects: bool,
    origin: Origin,
    series: ChannelSeries,
}

/// Histograms of one channel.
#[derive(Debug, Clone)]
struct ChannelSeries {
    event: SeriesId,
    send: SeriesId,
    decoded: Option<SeriesId>,
    booked: Option<SeriesId>,
    compared: Option<SeriesId>,
    /// Lead and lag of each line against the first.
    lines: Vec<SeriesId>,
}

/// What channels share.
pub struct Shared {
    /// Instruments and quotes.
    pub registry: Registry,
    /// The checks.
    pub comparator: Comparator,
    composites: Vec<Composite>,
    touched: Vec<(ViewId, bool)>,
    quotes: Option<Vec<u8>>,
    stages: Option<Box<dyn StageClock>>,
}

/// See the module.
pub struct Pipeline {
    /// Instruments, quotes, checks.
    pub shared: Shared,
    /// Channels, in the order of the configuration.
    pub channels: Vec<ChannelState>,
    routes: HashMap<Group, Vec<Route>>,
    /// Datagrams that no line of the configuration wants.
    pub unrouted: Unrouted,
    captures: Vec<String>,
    now: u64,
    first: Option<u64>,
}

impl Pipeline {
    /// A pipeline for the configuration, before any data.
    pub fn new(config: &Config, settings: Settings, recorder: Recorder) -> Self {
        let mut registry = Registry::new();
        let mut comparator = Comparator::new(config, &mut registry, &settings.captures, recorder);
        comparator.pair_feeds();
        let mut routes: HashMap<Group, Vec<Route>> = HashMap::new();
        let mut channels = Vec::new();
        for (s, source) in config.sources.iter().enumerate() {
            let mappings: Vec<_> = config.mappings.iter().filter(|m| m.source == s).cloned().collect();
            for (c, channel) in source.channels.iter().enumerate() {
                for (l, line) in channel.lines.iter().enumerate() {
                    let route =
                        Route { channel: channels.len(), line: l as u16, capture: line.capture.clone() };
                    routes.entry(line.group).or_default().push(route);
                }
                let venue = source.venue.as_deref().map_or(VenueId::NATIONAL, |mic| registry.venue(mic));
                let bare = channel.lines.iter().all(|l| l.group == Group::File);
                let fixed = bare.then_some(settings.binaryfile_midnight_ns);
                let stages = settings.stages.is_some();
                let recorder = &mut comparator.recorder;
                let line = Channel::new(&ChannelConfig {
                    lines: channel.lines.len(),
                    reorder_wait_ns: channel.reorder_wait_ns,
                    reorder_packets: channel.reorder_packets,
                });
                let core = ChannelCore {
                    place: Place { source: s as u16, channel: c as u16, line: 0 },
                    feed: source.feed,
                    market: ChannelMarket::new(s as u16, source.feed, venue, &mappings),
                    tally: ChannelTally::new(source.feed),
                    time: EventTime::new(source.feed.info().time_base, fixed),
                    bare,
                    delivered: false,
                    had_suspects: false,
                    origin: Origin::default(),
                    series: ChannelSeries::new(&source.name, channel, stages, recorder),
                };
                channels.push(ChannelState { line, core });
            }
        }
        let first_composite = config.sources.len();
        let composites = config.composites.iter().enumerate().map(|(i, c)| Composite {
            source: (first_composite + i) as u16,
            of: c.of.iter().map(|s| *s as u16).collect(),
        });
        let shared = Shared {
            registry,
            comparator,
            composites: composites.collect(),
            touched: Vec::new(),
            quotes: settings.quotes.then(Vec::new),
            stages: settings.stages,
        };
        let (captures, unrouted) = (settings.captures, Unrouted::default());
        Pipeline { shared, channels, routes, unrouted, captures, now: 0, first: None }
    }

    /// Takes one datagram. Its time is `ts_recv_ns`, but never earlier than what went before.
    pub fn on_datagram(&mut self, datagram: &Datagram<'_>) {
        let started = self.shared.stages.as_ref().map(|c| c.now_ns());
        let now = self.now.max(datagram.ts_recv_ns.min(LATEST_NS));
        self.advance(now);
        self.first.get_or_insert(now);
        self.shared.comparator.start(now);
        let group = packet::group(datagram);
        let capture = self.captures.get(datagram.capture as usize).map(String::as_str);
        let wanted = |route: &&Route| match (&route.capture, capture) {
            (Some(only), Some(name)) => {
                name == only || std::path::Path::new(name).file_name().is_some_and(|f| f == only.as_str())
            }
            (Some(_), None) => false,
            (None, _) => true,
        };
        let route = self.routes.get(&group).and_then(|routes| routes.iter().find(wanted));
        let Some(Route { channel, line, .. }) = route else {
            self.unrouted.add(group);
            return;
        };
        let state = &mut self.channels[*channel];
        state.core.place.line = *line;
        state.core.feed.with(OnPacket { state, shared: &mut self.shared, datagram, now, started });
    }

    /// Fires every deadline up to `now`, in order.
    pub fn advance(&mut self, now: u64) {
        loop {
            let line =
                self.channels.iter().enumerate().filter_map(|(i, c)| Some((c.line.poll_timeout()?, i))).min();
            let check = self.shared.comparator.next_timeout();
            match (line, check) {
                (Some((at, channel)), check) if at <= now && check.is_none_or(|c| at <= c) => {
                    let at = at.max(self.now);
                    self.now = at;
                    let state = &mut self.channels[channel];
                    state.core.feed.with(OnTimeout { state, shared: &mut self.shared, now: at });
                }
                (_, Some(at)) if at <= now => {
                    self.shared.comparator.advance(at, &self.shared.registry);
                }
                _ => break,
            }
        }
        self.now = self.now.max(now);
    }

    /// The data is over.
    pub fn finish(&mut self) {
        let now = self.now;
        for state in &mut self.channels {
            state.core.feed.with(Finish { state, shared: &mut self.shared, now });
        }
        self.shared.comparator.finish(now, &self.shared.registry);
    }

    /// Lines of alert records since the last call.
    pub fn take_alerts(&mut self) -> &mut Vec<u8> {
        &mut self.shared.comparator.desk.alerts.lines
    }

    /// Lines of quote records since the last call.
    pub fn take_quotes(&mut self) -> Option<&mut Vec<u8>> {
        self.shared.quotes.as_mut()
    }

    /// Time of the first and of the latest datagram.
    pub fn span(&self) -> Option<(u64, u64)> {
        self.first.map(|first| (first, self.now))
    }
}

impl ChannelSeries {
    fn new(source: &str, channel: &crate::config::Channel, stages: bool, recorder: &mut Recorder) -> Self {
        let mut stage = |from, to| stages.then(|| recorder.series(source, from, to));
        let decoded = stage(point::TAKEN, point::DECODED);
        let booked = stage(point::DECODED, point::BOOKED);
        let compared = stage(point::BOOKED, point::COMPARED);
        let name = format!("{source}/{}", channel.name);
        let first = &channel.lines[0].name;
        let others = channel.lines.iter().skip(1);
        let lines = others.map(|l| recorder.series(&name, first, &l.name)).collect();
        ChannelSeries {
            event: recorder.series(source, point::TS_EVENT, point::TS_RECV),
            send: recorder.series(source, point::VENUE_SEND, point::TS_RECV),
            decoded,
            booked,
            compared,
            lines,
        }
    }
}

struct OnPacket<'a, 'd> {
    state: &'a mut ChannelState,
    shared: &'a mut Shared,
    datagram: &'a Datagram<'d>,
    now: u64,
    started: Option<u64>,
}

impl FeedVisitor for OnPacket<'_, '_> {
    type Output = ();

    fn visit<F: Feed>(self) {
        let OnPacket { state, shared, datagram, now, started } = self;
        let ChannelState { line, core: state } = state;
        state.tally.packets += 1;
        state.tally.bytes += datagram.payload.len() as u64;
        let origin = Origin {
            ts_event_ns: 0,
            ts_recv_ns: datagram.ts_recv_ns,
            sequence: 0,
            capture: datagram.capture,
            frame: datagram.frame,
        };
        let checked = packet::header::<F>(datagram).and_then(|header| {
            check_framing::<F>(datagram, &header)?;
            Ok(header)
        });
        let header = match checked {
            Ok(header) => header,
            Err(error) => {
                // What cannot be read whole is as good as lost: the other line's copy, or a gap, will tell.
                state.tally.error(&error, &origin);
                shared.comparator.on_arrival(now, state.place, false, &shared.registry);
                return;
            }
        };
        let ahead = line.expected().is_none_or(|e| header.sequence.wrapping_add(u64::from(header.count)) > e);
        let fresh = header.count > 0 && ahead;
        shared.comparator.on_arrival(now, state.place, fresh, &shared.registry);
        if let Some(ts) = header.ts_send_ns {
            shared.comparator.observe_clock(now, state.place, ts, datagram.ts_recv_ns, &shared.registry);
            let latency = apart(datagram.ts_recv_ns, ts);
            shared.comparator.recorder.record(state.series.send, now, latency);
        }
        let arrival = Arrival {
            now_ns: now,
            ts_recv_ns: datagram.ts_recv_ns,
            line: usize::from(state.place.line),
            capture: datagram.capture,
            frame: datagram.frame,
        };
        line.on_packet(
            &arrival,
            &header,
            datagram.payload,
            &mut PacketSink::<F>::new(state, shared, started),
        );
    }
}

/// `later - earlier` in nanoseconds, held within what a histogram takes: times from the wire can be anything.
fn apart(later: u64, earlier: u64) -> i64 {
    let ns = i128::from(later) - i128::from(earlier);
    ns.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// A packet must hold what it announces, to the last byte.
fn check_framing<F: Feed>(datagram: &Datagram<'_>, header: &PacketHeader) -> Result<(), WireError> {
    let mut at = header.len;
    let mut messages = 0;
    while let Some(span) = packet::split::<F>(datagram, at)? {
        messages += 1;
        at = span.end.max(at + 1);
    }
    let by_message = F::INFO.sequence_unit == feeds::feed::SequenceUnit::Message;
    if by_message && messages != header.count {
        let kind = feeds::wire::ErrorKind::CountMismatch;
        let (needed, had) = (header.count as usize, messages as usize);
        return Err(WireError { kind, message: "packet", offset: header.len, needed, had });
    }
    Ok(())
}

struct OnTimeout<'a> {
    state: &'a mut ChannelState,
    shared: &'a mut Shared,
    now: u64,
}

impl FeedVisitor for OnTimeout<'_> {
    type Output = ();
    fn visit<F: Feed>(self) {
        let OnTimeout { state, shared, now } = self;
        state.line.on_timeout(now, &mut PacketSink::<F>::new(&mut state.core, shared, None));
    }
}

struct Finish<'a> {
    state: &'a mut ChannelState,
    shared: &'a mut Shared,
    now: u64,
}

impl FeedVisitor for Finish<'_> {
    type Output = ();
    fn visit<F: Feed>(self) {
        let Finish { state, shared, now } = self;
        state.line.finish(now, &mut PacketSink::<F>::new(&mut state.core, shared, None));
    }
}

impl Shared {
    /// Shows what a packet did: quote records, composites, checks.
    fn publish(&mut self, now: u64) {
        let Shared { registry, comparator, composites, touched, quotes, .. } = self;
        for index in 0..touched.len() {
            let (view, changed) = touched[index];
            if !changed {
                continue;
            }
            for composite in composites.iter() {
                if let Some(view) = composite.update(view, registry) {
                    touched.push((view, true));
                }
            }
        }
        if let Some(out) = quotes {
            for (view, _) in touched.iter().filter(|(_, changed)| *changed) {
                write_quote(out, now, *view, registry, &comparator.desk.sources);
            }
        }
        comparator.on_views(now, touched, registry);
        touched.clear();
    }
}

fn write_quote(out: &mut Vec<u8>, now: u64, id: ViewId, registry: &Registry, sources: &[String]) {
    let view = &registry.views[id as usize];
    let Some(quote) = &view.quote else { return };
    out.push(b'{');
    json::time(out, "ts", now);
    json::text(out, "source", &sources[usize::from(view.source)]);
    json::text(out, "instrument", &registry.get(view.instrument).name);
    match registry.mic(view.venue) {
        Some(mic) => json::text(out, "venue", mic),
        None => {
            json::key(out, "venue");
            out.extend_from_slice(b"null");
        }
    }
    quote.write_members(out);
    quote.write_round_lot(out);
    json::key(out, "ts_event");
    match view.origin.ts_event_ns {
        0 => out.extend_from_slice(b"null"),
        ts => {
            out.push(b'"');
            json::write_time(out, ts);
            out.push(b'"');
        }
    }
    json::unsigned(out, "seq", view.origin.sequence);
    json::text(out, "quality", quote.quality.name());
    out.extend_from_slice(b"}\n");
}
