//! The source's side: datagrams of some sources in, notes out.
//!
//! It owns its channels: their line state, their books, their names for instruments. Nothing in it is shared, so a
//! receiver may have one to itself. It compares nothing, and knows of other sources only that they exist.

use std::sync::Arc;

use feeds::feed::PacketHeader;
use feeds::wire::WireError;
use feeds::{Feed, FeedVisitor};

use super::beat::Beats;
use super::day::ChannelDay;
use super::event_time::EventTime;
use super::messages::{MessageRow, MessageTape};
use super::note::{self, Class, Note, Step, put};
use super::packet_sink::PacketSink;
use super::tally::ChannelTally;
use crate::check::gap::Ours;
use crate::check::life::Place;
use crate::config::{Config, Group, Mapping};
use crate::latency::StageClock;
use crate::line::{Arrival, Channel, ChannelConfig};
use crate::market::{
    ChannelMarket, InstrumentId, Origin, Registry, SourceId, Touched, VenueId, View, ViewId,
};
use crate::packet;
use crate::source::{Datagram, LATEST_NS, Lost};

/// Of so many packets of a channel a replay times our own stages of one: looking at the clock four times and decoding
/// twice would be a good part of what is measured.
pub const TIMED_EVERY: u64 = 16;

/// How our own stages are timed.
#[derive(Default)]
pub enum Stages {
    /// Not at all.
    #[default]
    Off,
    /// Each for itself, of one packet in [`TIMED_EVERY`]: its messages are decoded once more for their own figure.
    /// For replays.
    Apart(Box<dyn StageClock + Send>),
    /// Where a live datagram stands, by the clock of its receive time.
    Live(Box<dyn StageClock + Send>),
}

/// Where books are shown beside the notes: shared memory.
pub trait Shelf {
    /// A view became another; `book` is the market that knows its book, and the book's slot in it, where it has one.
    fn show(&mut self, id: ViewId, view: &View, registry: &Registry, book: Option<(&ChannelMarket, u32)>);

    /// The source learned an instrument's name.
    fn rename(&mut self, source: SourceId, instrument: InstrumentId, name: &str);
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoShelf;

impl Shelf for NoShelf {
    fn show(&mut self, _: ViewId, _: &View, _: &Registry, _: Option<(&ChannelMarket, u32)>) {}
    fn rename(&mut self, _: SourceId, _: InstrumentId, _: &str) {}
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
    /// Its number over the whole configuration.
    pub number: u16,
    pub(super) feed: feeds::FeedId,
    /// Books and quotes.
    pub market: ChannelMarket,
    /// What came.
    pub tally: ChannelTally,
    pub(super) time: EventTime,
    day: ChannelDay,
    pub(super) bare: bool,
    pub(super) delivered: bool,
    pub(super) had_suspects: bool,
    pub(super) origin: Origin,
    losses: [(u64, Lost); LOSSES],
    /// Losses of this machine are counted: a live line, or a recording of one.
    counted: bool,
    /// Messages in gaps for which this machine is known to be the cause.
    pub missing_ours: u64,
    /// By line: messages that it lost and another brought.
    pub missed: Vec<u64>,
}

/// How many losses of this machine a channel remembers.
const LOSSES: usize = 8;
/// Losses before any socket are read once a second: they may show this much later than the hole.
const HOST_LOSS_NS: u64 = 1_100_000_000;

impl ChannelCore {
    fn lost(&mut self, now: u64, datagram: &Datagram<'_>) {
        let lost = datagram.lost;
        self.counted = self.counted || is_line_name(datagram.interface_name);
        if lost != Lost::default() {
            self.losses.rotate_right(1);
            self.losses[0] = (now, lost);
        }
    }

    /// What this machine lost on the channel's lines around a hole that an arrival at `began` showed.
    pub(super) fn ours(&self, began: u64) -> Ours {
        let mut ours = Ours { counted: self.counted, ..Ours::default() };
        for (at, lost) in self.losses {
            if at >= began {
                ours.socket = ours.socket.saturating_add(lost.socket);
            }
            if at.saturating_add(HOST_LOSS_NS) >= began {
                ours.host = ours.host.saturating_add(lost.host);
            }
        }
        ours
    }
}

/// Live lines are called `source/channel/line`, in recordings too.
pub fn is_line_name(name: &str) -> bool {
    name.bytes().filter(|b| *b == b'/').count() == 2
}

/// What the channels of a feeder share.
pub(super) struct Common {
    /// By source; only those of this feeder learn anything.
    pub registries: Vec<Registry>,
    pub stages: Stages,
    pub touched: Vec<Touched>,
    pub now: u64,
    /// Every message as rows, where somebody keeps them.
    pub messages: Option<Box<MessageTape>>,
}

/// See the module.
pub struct Feeder {
    /// Its channels, in the order of the configuration.
    pub channels: Vec<ChannelState>,
    common: Common,
    /// The next deadline of every channel's line, `u64::MAX` for none; and the least of them, with its channel.
    deadlines: Vec<u64>,
    least: (u64, usize),
    /// What is counted for a store, where there is one.
    beats: Option<Box<Beats>>,
}

impl Feeder {
    /// For those sources of the configuration (positions in it), before any data. `binaryfile_midnight_ns` is midnight
    /// of the day of files of bare messages.
    pub fn new(config: &Config, sources: &[usize], stages: Stages, binaryfile_midnight_ns: u64) -> Feeder {
        let mut channels = Vec::new();
        let mut number = 0;
        let mut registries: Vec<Registry> = Vec::new();
        for (s, source) in config.sources.iter().enumerate() {
            let mut registry = Registry::with_journal(config);
            let mappings: Arc<[Mapping]> =
                config.map.rows.iter().filter(|m| m.source == s).cloned().collect();
            for (c, channel) in source.channels.iter().enumerate() {
                let this = number;
                number += 1;
                if !sources.contains(&s) {
                    continue;
                }
                let venue = source.venue.as_deref().map_or(VenueId::NATIONAL, |mic| registry.venue(mic));
                let bare = channel.lines.iter().all(|l| l.group == Group::File);
                let fixed = bare.then_some(binaryfile_midnight_ns);
                let line = Channel::new(&ChannelConfig {
                    lines: channel.lines.len(),
                    reorder_wait_ns: channel.reorder_wait_ns,
                    reorder_packets: channel.reorder_packets,
                });
                let mut market = ChannelMarket::new(s as u16, c as u16, source.feed, venue, source.symbology);
                if !matches!(stages, Stages::Live(_)) {
                    market.grow_in_large_pages();
                }
                market.reserve(channel.reserve_orders);
                let core = ChannelCore {
                    place: Place { source: s as u16, channel: c as u16, line: 0 },
                    number: this,
                    feed: source.feed,
                    market,
                    tally: ChannelTally::new(source.feed),
                    time: EventTime::new(source.feed.info().time_base, fixed),
                    day: ChannelDay::new(config, source, mappings.clone()),
                    bare,
                    delivered: false,
                    had_suspects: false,
                    origin: Origin::default(),
                    losses: Default::default(),
                    counted: false,
                    missing_ours: 0,
                    missed: vec![0; channel.lines.len()],
                };
                channels.push(ChannelState { line, core });
            }
            registries.push(registry);
        }
        let (deadlines, least) = (vec![u64::MAX; channels.len()], (u64::MAX, 0));
        let common = Common { registries, stages, touched: Vec::new(), now: 0, messages: None };
        Feeder { channels, common, deadlines, least, beats: None }
    }

    /// Every message is kept as rows from now on.
    pub fn keep_messages(&mut self) {
        self.common.messages = Some(Box::default());
    }

    /// Rows since the last call; `None` where nobody keeps them.
    pub fn take_messages(&mut self) -> Option<&mut Vec<MessageRow>> {
        self.common.messages.as_mut().map(|messages| &mut messages.rows)
    }

    /// Figures are told from now on, at every beat of that length.
    pub fn keep_figures(&mut self, every_ns: u64) {
        let beats = Beats::new(every_ns, &self.channels, self.common.registries.len());
        self.beats = Some(Box::new(beats));
    }

    /// Time has come to `now`: tells the figures of a beat that has ended. Every way in begins with it; whoever waits
    /// for datagrams calls it, so that figures do not wait with them.
    #[inline]
    pub fn beat(&mut self, now: u64, out: &mut Vec<Note>) {
        if let Some(beats) = &mut self.beats
            && now >= beats.next_ns()
        {
            beats.tell(now, &self.channels, out);
        }
    }

    /// What its source knows of instruments and views.
    pub fn registry(&self, source: u16) -> &Registry {
        &self.common.registries[usize::from(source)]
    }

    /// The next deadline of its lines, and the channel's position here.
    pub fn next_timeout(&self) -> Option<(u64, usize)> {
        (self.least.0 != u64::MAX).then_some(self.least)
    }

    /// Something happened on a channel's line.
    fn note_deadline(&mut self, channel: usize) {
        let at = self.channels[channel].line.poll_timeout().unwrap_or(u64::MAX);
        let before = std::mem::replace(&mut self.deadlines[channel], at);
        if (at, channel) <= self.least {
            self.least = (at, channel);
        } else if before != at && self.least.1 == channel {
            let all = self.deadlines.iter().copied().enumerate().map(|(i, at)| (at, i));
            self.least = all.min().unwrap_or((u64::MAX, 0));
        }
    }

    /// The deadline of a channel's line has come.
    pub fn on_timeout(
        &mut self,
        at: u64,
        channel: usize,
        shelf: &mut dyn Shelf,
        out: &mut Vec<Note>,
    ) -> Step {
        self.common.now = self.common.now.max(at);
        self.beat(self.common.now, out);
        let Feeder { channels, common, .. } = self;
        let (state, now_ns) = (&mut channels[channel], common.now);
        let step = Step { now_ns, class: Class::Timeout, order: state.core.number };
        state.core.feed.with(OnMoment { moment: Moment::Timeout, state, common, shelf, out });
        self.note_deadline(channel);
        step
    }

    /// A datagram of a channel's line. Its time is `ts_recv_ns`, but never earlier than what went before.
    pub fn on_datagram(
        &mut self,
        (channel, line): (usize, u16),
        datagram: &Datagram<'_>,
        shelf: &mut dyn Shelf,
        out: &mut Vec<Note>,
    ) -> Step {
        let packets = self.channels[channel].core.tally.packets;
        let started = match &self.common.stages {
            Stages::Live(clock) => clock.now_ns(),
            Stages::Apart(clock) if packets.is_multiple_of(TIMED_EVERY) => clock.now_ns(),
            Stages::Apart(_) | Stages::Off => 0,
        };
        self.common.now = self.common.now.max(datagram.ts_recv_ns.min(LATEST_NS));
        self.beat(self.common.now, out);
        let Feeder { channels, common, beats, .. } = self;
        let state = &mut channels[channel];
        // Of most channels it is always the same, and the place is read whole right after this.
        if state.core.place.line != line {
            state.core.place.line = line;
        }
        state.core.lost(common.now, datagram);
        if common.now >= state.core.day.until_ns {
            let ChannelCore { day, market, place, .. } = &mut state.core;
            day.turn(common.now, market, &mut common.registries[usize::from(place.source)]);
        }
        let (now_ns, before) = (common.now, announced(state, line));
        state.core.feed.with(OnPacket { state, common, shelf, out, datagram, started });
        if let Some(beats) = beats {
            let state = &channels[channel];
            let amount = [1, announced(state, line) - before, datagram.payload.len() as u64];
            beats.arrived(now_ns, channel, state.core.place, amount);
        }
        self.note_deadline(channel);
        Step { now_ns, class: Class::Datagram, order: 0 }
    }

    /// The data of a channel is over.
    pub fn finish(&mut self, now: u64, channel: usize, shelf: &mut dyn Shelf, out: &mut Vec<Note>) -> Step {
        self.common.now = self.common.now.max(now);
        self.beat(self.common.now, out);
        let Feeder { channels, common, beats, .. } = self;
        let (state, now_ns) = (&mut channels[channel], common.now);
        let step = Step { now_ns, class: Class::Finish, order: state.core.number };
        state.core.feed.with(OnMoment { moment: Moment::End, state, common, shelf, out });
        if let Some(beats) = beats {
            beats.close(now_ns, channel, channels, out);
        }
        self.note_deadline(channel);
        step
    }

    /// Notes what is true now of every view, for a judge that missed notes.
    pub fn restate(&self, out: &mut Vec<Note>) {
        for (source, registry) in self.common.registries.iter().enumerate() {
            for (id, view) in registry.views.iter().enumerate() {
                let (source, id) = (source as u16, id as ViewId);
                match &view.quote {
                    Some(quote) => {
                        out.push(Note::origin(&view.origin));
                        note::note_quote(source, id, quote, out);
                    }
                    None => out.push(Note::View { source, view: id }),
                }
            }
        }
        out.push(Note::Publish);
    }
}

struct OnPacket<'a, 'd> {
    state: &'a mut ChannelState,
    common: &'a mut Common,
    shelf: &'a mut dyn Shelf,
    out: &'a mut Vec<Note>,
    datagram: &'a Datagram<'d>,
    started: u64,
}

impl FeedVisitor for OnPacket<'_, '_> {
    type Output = ();

    fn visit<F: Feed>(self) {
        let OnPacket { state, common, shelf, out, datagram, started } = self;
        let ChannelState { line, core: state } = state;
        let (place, now) = (state.place, common.now);
        state.tally.packets += 1;
        state.tally.bytes += datagram.payload.len() as u64;
        let checked = packet::header::<F>(datagram).and_then(|header| {
            check_framing::<F>(datagram, &header)?;
            Ok(header)
        });
        let header = match checked {
            Ok(header) => header,
            Err(error) => {
                // What cannot be read whole is as good as lost: the other line's copy, or a gap, will tell.
                let origin = Origin {
                    ts_event_ns: 0,
                    ts_recv_ns: datagram.ts_recv_ns,
                    sequence: 0,
                    capture: datagram.capture,
                    frame: datagram.frame,
                };
                state.tally.error(&error, &origin);
                put(out, || Note::Arrival { place, fresh: false });
                return;
            }
        };
        let ahead = line.expected().is_none_or(|e| header.sequence.wrapping_add(u64::from(header.count)) > e);
        put(out, || Note::Arrival { place, fresh: header.count > 0 && ahead });
        if let Some(ts_ns) = header.ts_send_ns {
            put(out, || Note::Clock { place, ts_ns, ts_recv_ns: datagram.ts_recv_ns });
            put(out, || Note::Send { place, latency_ns: apart(datagram.ts_recv_ns, ts_ns) });
        }
        let arrival = Arrival {
            now_ns: now,
            ts_recv_ns: datagram.ts_recv_ns,
            line: usize::from(place.line),
            capture: datagram.capture,
            frame: datagram.frame,
        };
        let mut sink = PacketSink::<F>::new(state, common, shelf, out, started);
        line.on_packet(&arrival, &header, datagram.payload, &mut sink);
        if let Stages::Live(clock) = &common.stages {
            let published_ns = clock.now_ns();
            put(out, || Note::Published {
                place,
                ts_recv_ns: datagram.ts_recv_ns,
                taken_ns: started,
                published_ns,
            });
        }
    }
}

/// Messages that packets of a line have announced so far.
#[inline]
fn announced(state: &ChannelState, line: u16) -> u64 {
    state.line.statistics().lines.get(usize::from(line)).map_or(0, |l| l.messages)
}

/// `later - earlier` in nanoseconds, held within what a histogram takes: times from the wire can be anything.
pub(super) fn apart(later: u64, earlier: u64) -> i64 {
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

/// What happens to a channel without a datagram.
#[derive(Clone, Copy)]
enum Moment {
    /// A deadline of its line.
    Timeout,
    /// The end of its data.
    End,
}

struct OnMoment<'a> {
    moment: Moment,
    state: &'a mut ChannelState,
    common: &'a mut Common,
    shelf: &'a mut dyn Shelf,
    out: &'a mut Vec<Note>,
}

impl FeedVisitor for OnMoment<'_> {
    type Output = ();
    fn visit<F: Feed>(self) {
        let OnMoment { moment, state, common, shelf, out } = self;
        let now = common.now;
        let mut sink = PacketSink::<F>::new(&mut state.core, common, shelf, out, 0);
        match moment {
            Moment::Timeout => state.line.on_timeout(now, &mut sink),
            Moment::End => state.line.finish(now, &mut sink),
        }
    }
}
