//! A seeded market on two feeds, with faults and the truth about them.
//!
//! [`Simulator`] is a deterministic generator of datagrams in the order in which they arrive at our observation
//! point: the venue's own feed (`nasdaq-itch-5.0` on lines A and B) and the consolidated one
//! (`utp-uqdf`), and where the scenario wants it the venue's feed once more at a second site. It reads no clock, writes no file and opens no socket; [`mod@write`] puts what it makes into captures.
//! It never calls the books, lines or checks that it is made to test.

pub mod blame;
pub mod book;
pub mod faults;
pub mod flow;
mod incident;
pub mod itch;
mod lately;
pub mod lines;
pub mod live;
pub mod market;
pub mod mix;
pub mod multicast;
pub mod packet;
pub mod record;
pub mod rng;
pub mod scenario;
pub mod shown;
pub mod sip;
mod sip_faults;
pub mod timebase;
pub mod truth;
pub mod uqdf;
pub mod verdict;
pub mod write;

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use feeds::event::Side;

use faults::{Fault, Kind, SourceId, clock_error_ns, only_heartbeats};
use flow::{Action, ROUND_LOT};
use itch::Head;
use lines::{DIRECT_DELAY_NS, Lines, STREAMS};
pub use lines::{LINES, Line, Sent};
use market::Market;
use mix::Mix;
use packet::{Packet, Session};
pub use scenario::Scenario;
use shown::Effect;
use sip::{Sip, Spoken, Task};
use timebase::Timebase;
use truth::Truth;
use uqdf::Quote;

/// The second site's stream.
const BACKUP: usize = 3;
const SIDES: [Side; 2] = [Side::Bid, Side::Ask];
const US: u64 = 1_000;
const MS: u64 = 1_000_000;
/// Quiet time after which a sender shows that it lives.
const HEARTBEAT_NS: u64 = 1_000 * MS;
/// How long the venue collects messages into one packet.
const COLLECT_NS: u64 = 6 * US;
/// When the instruments' books open, after the start.
const BOOKS_AFTER_NS: u64 = 20 * MS;

/// Something that happens at a time known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cue {
    SystemEvent(u8),
    Directory(usize),
    SipOpening,
    OpenBook(usize),
    FaultBegins(usize),
    FaultEnds(usize),
    AbsurdPrint(usize),
    VenueCloses,
    SipCloses,
}

/// The venue's messages on their way into a packet.
#[derive(Debug, Default)]
struct Collecting {
    spoken: Spoken,
    touched: BTreeSet<usize>,
    news: Vec<(usize, Task)>,
    deadline_ns: u64,
}

/// Generates datagrams in order of arrival.
#[derive(Debug)]
pub struct Simulator {
    faults: Rc<[Fault]>,
    timebase: Timebase,
    midnight_ns: u64,
    flow_ends_ns: u64,
    market: Market,
    sip: Sip,
    lines: Lines,
    /// By position in [`STREAMS`].
    sessions: [Session; STREAMS.len()],
    /// When each stream spoke last; the end of time for one that there is not.
    spoke_ns: [u64; STREAMS.len()],
    collecting: Collecting,
    held: Vec<Spoken>,
    /// What the second site holds back.
    held_backup: Vec<Spoken>,
    /// The venue has closed for the day before its time.
    closed: bool,
    halted: Vec<bool>,
    told: Vec<Quote>,
    quote_each_order: bool,
    cues: VecDeque<(u64, Cue)>,
    actions: Vec<Action>,
    tracking: u16,
    truth: Truth,
    mix: Mix,
}

/// Midnight in New York before the time, nanoseconds since 1970.
fn midnight_ns(ts_ns: u64) -> u64 {
    let midnight = || {
        let zone = jiff::tz::TimeZone::get("America/New_York").ok()?;
        let time = jiff::Timestamp::from_nanosecond(i128::from(ts_ns)).ok()?;
        let day = time.to_zoned(zone).start_of_day().ok()?;
        u64::try_from(day.timestamp().as_nanosecond()).ok()
    };
    // Scenarios begin between 1971 and 2099 and the zone is compiled in.
    midnight().unwrap_or(ts_ns - ts_ns % (86_400_000 * MS))
}

impl Simulator {
    /// A simulator at the beginning of the scenario.
    pub fn new(scenario: &Scenario) -> Simulator {
        let faults: Rc<[Fault]> = scenario.faults.clone().into();
        let count = scenario.instruments;
        let start = scenario.start_ns;
        let step_ns = (200 * MS / count as u64).clamp(20 * US, 100 * US);
        let books_ns = start + BOOKS_AFTER_NS;
        let flow_starts_ns = books_ns + step_ns * count as u64 + 5 * MS;
        let market = Market::new(scenario.seed, count, scenario.rate, flow_starts_ns);
        let symbols = market.instruments.iter().map(|i| i.symbol.clone()).collect();
        let sip = Sip::new(scenario, symbols, Rc::clone(&faults));
        let end = start + scenario.duration_ns;
        let mut cues = vec![
            (start, Cue::SystemEvent(b'O')),
            (start + 10 * US, Cue::SystemEvent(b'S')),
            (start + 500 * US, Cue::SipOpening),
            (start + 10 * MS, Cue::SystemEvent(b'Q')),
            (end + MS, Cue::VenueCloses),
            (end + 5 * MS, Cue::SipCloses),
        ];
        for i in 0..count {
            cues.push((start + 20 * US + i as u64 * US, Cue::Directory(i)));
            cues.push((books_ns + i as u64 * step_ns, Cue::OpenBook(i)));
        }
        for (n, fault) in faults.iter().enumerate() {
            cues.push((fault.from_ns, Cue::FaultBegins(n)));
            if let (Some(ts), Some(i)) =
                (incident::print_ns(fault.from_ns, fault.kind), fault.instruments.first())
            {
                cues.push((ts, Cue::AbsurdPrint(*i)));
            }
            if fault.to_ns < end {
                cues.push((fault.to_ns, Cue::FaultEnds(n)));
            }
        }
        cues.sort_by_key(|(ts, _)| *ts);
        let timebase = Timebase::of(scenario);
        Simulator {
            timebase,
            midnight_ns: midnight_ns(start),
            flow_ends_ns: end,
            market,
            sip,
            lines: Lines::new(scenario.seed, Rc::clone(&faults)),
            sessions: [*b"SIMITCH001", *b"SIMUQDF001", *b"SIMUQDF002", *b"SIMITCHDR1"].map(Session::new),
            spoke_ns: scenario.streams().map(|there| if there { start } else { u64::MAX }),
            collecting: Collecting { deadline_ns: u64::MAX, ..Collecting::default() },
            held: Vec::new(),
            held_backup: Vec::new(),
            closed: false,
            halted: vec![false; count],
            told: vec![Quote::default(); count],
            quote_each_order: scenario.quote_each_order,
            cues: cues.into(),
            actions: Vec::new(),
            tracking: 0,
            truth: Truth::new(&timebase.on_the_wire(scenario)),
            mix: Mix::default(),
            faults,
        }
    }

    /// What was injected and what must come of it; complete when the iterator has ended.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// When a fault begins and ends on the wire, by its position in the scenario.
    pub fn fault_window_ns(&self, n: usize) -> (u64, u64) {
        self.faults.get(n).map_or((u64::MAX, u64::MAX), |fault| {
            (self.timebase.wire_ns(fault.from_ns), self.timebase.wire_ns(fault.to_ns))
        })
    }

    /// What the order flow has looked like so far.
    pub fn mix(&self) -> &Mix {
        &self.mix
    }

    /// From now on everything bears this time, nanoseconds since 1970, and the schedule is not kept; the truth is none
    /// then. It must not run backwards.
    pub fn tell_time(&mut self, now_ns: u64) {
        self.timebase = Timebase::Told(now_ns);
        self.sip.tell_time(self.timebase);
    }

    /// Ends the day at once, as its end ends it: the venue closes, then the SIP. Faults that were still to come do not.
    pub fn end_early(&mut self) {
        let Some((now_ns, _)) = self.next_event() else { return };
        self.flow_ends_ns = self.flow_ends_ns.min(now_ns);
        self.cues.retain(|(_, cue)| matches!(cue, Cue::VenueCloses | Cue::SipCloses));
        for (ts_ns, cue) in &mut self.cues {
            let after_ns = if *cue == Cue::VenueCloses { MS } else { 5 * MS };
            *ts_ns = (*ts_ns).min(now_ns + after_ns);
        }
    }

    /// When the next thing happens, and what kind of thing; `None` when the day is over.
    fn next_event(&self) -> Option<(u64, Next)> {
        let cue = self.cues.front()?;
        let market = self.market.next_ns();
        let market = if market < self.flow_ends_ns { market } else { u64::MAX };
        // At the same time the packet that is being collected goes first, heartbeats last.
        let heartbeat = |(stream, spoke_ns): (usize, &u64)| {
            (spoke_ns.saturating_add(HEARTBEAT_NS), Next::Heartbeat(stream))
        };
        [
            (self.collecting.deadline_ns, Next::Flush),
            (cue.0, Next::Cue),
            (self.sip.next_ns(), Next::Sip),
            (market, Next::Market),
        ]
        .into_iter()
        .chain(self.spoke_ns.iter().enumerate().map(heartbeat))
        .min_by_key(|(ts, _)| *ts)
    }

    fn happen(&mut self, now_ns: u64, next: Next) {
        match next {
            Next::Flush => self.flush(now_ns),
            Next::Cue => {
                if let Some((_, cue)) = self.cues.pop_front() {
                    self.cue(now_ns, cue);
                }
            }
            Next::Sip => {
                for spoken in self.sip.speak(now_ns) {
                    self.transmit(1 + spoken.channel, now_ns, spoken);
                }
            }
            Next::Market => {
                let mut actions = std::mem::take(&mut self.actions);
                actions.clear();
                if let Some((ts, i)) = self.market.step(&self.halted, &mut actions)
                    && !self.closed
                {
                    actions.iter().for_each(|action| self.mix.count(ts, i, action));
                    self.collect(ts, i, &actions);
                }
                self.actions = actions;
            }
            Next::Heartbeat(stream) => {
                let packet = self.sessions[stream].heartbeat();
                self.send(stream, now_ns, packet, Vec::new());
            }
        }
    }

    fn head(&self, now_ns: u64, i: Option<usize>) -> Head<'_> {
        let error = clock_error_ns(&self.faults, SourceId::Direct, now_ns);
        let since_midnight_ns = self.timebase.wire_ns(now_ns).saturating_sub(self.midnight_ns);
        Head {
            locate: i.map_or(0, |i| i as u16 + 1),
            since_midnight_ns: since_midnight_ns.saturating_add_signed(self.timebase.error_ns(error)),
            symbol: i.map_or("", |i| &self.market.instruments[i].symbol),
        }
    }

    /// Opens a packet if none is open, and closes one that is full.
    fn make_room(&mut self, now_ns: u64) {
        if self.collecting.spoken.blocks.is_full() {
            self.flush(now_ns);
        }
        self.collecting.deadline_ns = self.collecting.deadline_ns.min(now_ns + COLLECT_NS);
    }

    /// What the venue says of instrument `i` goes into the packet that is being collected.
    fn collect(&mut self, now_ns: u64, i: usize, actions: &[Action]) {
        for action in actions {
            self.make_room(now_ns);
            self.tracking = self.tracking.wrapping_add(2);
            let mut blocks = std::mem::take(&mut self.collecting.spoken.blocks);
            itch::action(self.head(now_ns, Some(i)), self.tracking, action, &mut blocks);
            self.collecting.spoken.blocks = blocks;
            self.collecting.touched.insert(i);
        }
        if self.quote_each_order {
            self.tell(now_ns, i);
        }
    }

    /// A message of the venue that is not about orders.
    fn announce(&mut self, now_ns: u64, i: Option<usize>, say: impl Fn(Head<'_>, &mut packet::Blocks)) {
        self.make_room(now_ns);
        let mut blocks = std::mem::take(&mut self.collecting.spoken.blocks);
        say(self.head(now_ns, i), &mut blocks);
        self.collecting.spoken.blocks = blocks;
    }

    /// Sends what has been collected, and tells the SIP of every best that it leaves changed.
    fn flush(&mut self, now_ns: u64) {
        for i in std::mem::take(&mut self.collecting.touched) {
            let orders = &self.market.instruments[i].flow.orders;
            let round_lot = SIDES.map(|side| orders.best_of_lot(side, ROUND_LOT).map(|(price, _)| price));
            let plain = SIDES.map(|side| orders.best(side));
            let effect = Effect::Direct { instrument: i, round_lot, plain };
            self.collecting.spoken.effects.push(effect);
            self.tell(now_ns, i);
        }
        let Collecting { spoken, news, .. } = std::mem::take(&mut self.collecting);
        self.collecting.deadline_ns = u64::MAX;
        if spoken.blocks.is_empty() {
            return;
        }
        self.sip.hear(now_ns, now_ns + DIRECT_DELAY_NS, &news);
        if only_heartbeats(&self.faults, SourceId::Direct, now_ns) {
            self.held.push(spoken);
        } else {
            self.transmit(0, now_ns, spoken);
        }
    }

    /// The SIP will hear of an instrument's best, if it is another than it was told.
    fn tell(&mut self, now_ns: u64, i: usize) {
        let orders = &self.market.instruments[i].flow.orders;
        let best = SIDES.map(|side| orders.best_of_lot(side, ROUND_LOT));
        let [bid, ask] = best.map(|b| b.map(|(price, shares)| (price, uqdf::lots(shares))));
        if std::mem::replace(&mut self.told[i], Quote { bid, ask }) != self.told[i] {
            self.collecting.news.push((i, Task::Arrived { bid, ask, venue_ns: now_ns }));
        }
    }

    fn transmit(&mut self, stream: usize, now_ns: u64, spoken: Spoken) {
        if stream == 0 && self.spoke_ns[BACKUP] != u64::MAX {
            // The second site gets what the venue sends, and numbers it itself.
            if only_heartbeats(&self.faults, SourceId::Backup, now_ns) {
                self.held_backup.push(spoken.clone());
            } else {
                self.transmit(BACKUP, now_ns, spoken.clone());
            }
        }
        let packet = self.sessions[stream].data(&spoken.blocks);
        self.send(stream, now_ns, packet, spoken.effects);
    }

    fn send(&mut self, stream: usize, now_ns: u64, packet: Packet, effects: Vec<Effect>) {
        self.spoke_ns[stream] = now_ns;
        let source = STREAMS[stream];
        let mut delivery = self.lines.send(stream, now_ns, &packet);
        let wire = |ts_ns| self.timebase.wire_ns(ts_ns);
        delivery.first_ns = delivery.first_ns.map(wire);
        delivery.incidents.iter_mut().for_each(|incident| incident.ts_ns = wire(incident.ts_ns));
        self.truth.sent(source, wire(now_ns), &packet, &delivery, effects);
    }

    fn cue(&mut self, now_ns: u64, cue: Cue) {
        match cue {
            Cue::SystemEvent(code) => self.announce(now_ns, None, |h, out| itch::system_event(h, code, out)),
            Cue::Directory(i) => self.announce(now_ns, Some(i), |head, out| {
                itch::directory(head, out);
                itch::trading_action(head, b'T', "", out);
            }),
            Cue::SipOpening => {
                for spoken in self.sip.opening(now_ns) {
                    self.transmit(1 + spoken.channel, now_ns, spoken);
                }
            }
            Cue::OpenBook(i) => {
                let mut actions = std::mem::take(&mut self.actions);
                actions.clear();
                self.market.open(i, &mut actions);
                self.flush(now_ns);
                self.collect(now_ns, i, &actions);
                self.actions = actions;
            }
            Cue::AbsurdPrint(i) => self.absurd_print(now_ns, i),
            Cue::FaultBegins(n) => self.fault_begins(now_ns, n),
            Cue::FaultEnds(n) => self.fault_ends(now_ns, n),
            Cue::VenueCloses => {
                for code in *b"MEC" {
                    self.announce(now_ns, None, |h, out| itch::system_event(h, code, out));
                }
                self.flush(now_ns);
                self.end(now_ns + 100 * US, SourceId::Direct);
                self.end(now_ns + 100 * US, SourceId::Backup);
            }
            Cue::SipCloses => {
                for spoken in self.sip.closing(now_ns) {
                    self.transmit(1 + spoken.channel, now_ns, spoken);
                }
                self.end(now_ns + 100 * US, SourceId::Sip);
                self.truth.finish(self.timebase.wire_ns(now_ns + 100 * US));
            }
        }
    }

    /// The end of the session on every stream of the source.
    fn end(&mut self, now_ns: u64, source: SourceId) {
        for stream in (0..STREAMS.len()).filter(|s| STREAMS[*s] == source) {
            if self.spoke_ns[stream] != u64::MAX {
                let packet = self.sessions[stream].end();
                self.send(stream, now_ns, packet, Vec::new());
            }
        }
    }

    /// The instruments that a fault is about.
    fn targets(&self, n: usize) -> Vec<usize> {
        match self.faults[n].instruments.as_slice() {
            [] => (0..self.halted.len()).collect(),
            some => some.to_vec(),
        }
    }

    /// The venue halts an instrument (`H`), lets it be quoted only (`Q`) or trade again (`T`).
    fn trading(&mut self, now_ns: u64, i: usize, code: u8) {
        let halted = code != b'T';
        self.halted[i] = halted;
        let reason = match code {
            b'H' => "T1",
            b'Q' => "R4",
            _ => "T3",
        };
        self.announce(now_ns, Some(i), |h, out| itch::trading_action(h, code, reason, out));
        let effect = Effect::State { source: SourceId::Direct, instrument: i, halted };
        self.collecting.spoken.effects.push(effect);
    }

    fn fault_begins(&mut self, now_ns: u64, n: usize) {
        let fault = self.faults[n].clone();
        self.incident_begins(now_ns, n);
        for i in self.targets(n) {
            match fault.kind {
                Kind::WrongPrice { at_once: true, .. } | Kind::CrossedQuote { .. } => {
                    self.sip.schedule(now_ns, i, Task::Restate { even_so: false });
                }
                Kind::Halt { missed } => {
                    self.trading(now_ns, i, b'H');
                    let until_ns = fault.to_ns;
                    self.collecting.spoken.effects.push(Effect::State {
                        source: SourceId::Direct,
                        instrument: i,
                        halted: true,
                    });
                    let task = if missed { Task::Echo { until_ns } } else { Task::State { code: b'H' } };
                    self.sip.hear(now_ns, now_ns + DIRECT_DELAY_NS, &[(i, task)]);
                }
                _ => {}
            }
        }
    }

    fn fault_ends(&mut self, now_ns: u64, n: usize) {
        let fault = self.faults[n].clone();
        if fault.kind == Kind::HeartbeatsOnly && fault.source == SourceId::Direct {
            for (k, spoken) in std::mem::take(&mut self.held).into_iter().enumerate() {
                self.transmit(0, now_ns + k as u64 * US, spoken);
            }
        }
        self.incident_ends(now_ns, n);
        for i in self.targets(n) {
            match fault.kind {
                Kind::Halt { missed } => {
                    self.trading(now_ns, i, b'T');
                    let mut news =
                        vec![(i, Task::State { code: b'T' }), (i, Task::Restate { even_so: true })];
                    if missed {
                        news.remove(0);
                    }
                    self.sip.hear(now_ns, now_ns + DIRECT_DELAY_NS, &news);
                }
                Kind::WrongPrice { .. }
                | Kind::CrossedQuote { .. }
                | Kind::CrossedLoad { .. }
                | Kind::OldQuotes { .. }
                | Kind::Freeze
                | Kind::HeartbeatsOnly
                    if fault.source == SourceId::Sip =>
                {
                    self.sip.schedule(now_ns, i, Task::Restate { even_so: false });
                }
                _ => {}
            }
        }
    }
}

/// What kind of thing happens next.
#[derive(Debug, Clone, Copy)]
enum Next {
    Flush,
    Cue,
    Sip,
    Market,
    Heartbeat(usize),
}

impl Iterator for Simulator {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        loop {
            let event = self.next_event();
            let horizon_ns = event.map_or(u64::MAX, |(ts, _)| ts);
            if let Some(mut sent) = self.lines.arrived(horizon_ns) {
                sent.ts_ns = self.timebase.wire_ns(sent.ts_ns);
                return Some(sent);
            }
            let (now_ns, next) = event?;
            self.truth.advance(self.timebase.wire_ns(now_ns));
            self.happen(now_ns, next);
        }
    }
}
