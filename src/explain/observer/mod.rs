//! Gathers [`Facts`] from a replay: it hears every datagram and every note before the judge does, and sees what the
//! judge then knows. It changes nothing in what is judged, and keeps only what its bounds allow.

mod channels;
mod copies;
mod directory;
mod echoes;
mod latencies;
mod likeness;
mod moves;
mod nationals;
mod rates;
mod rulebook;
mod seals;
mod senders;
mod tape;
mod tops;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Beside, CaptureClock, Facts, SourceFacts, Span};
use super::subject::Alert;
use crate::alert::console::line::{AlertLine, Event};
use crate::config::{Config, Kind};
use crate::line::LineEvent;
use crate::market::ViewId;
use crate::pipeline::intake::Steps;
use crate::pipeline::{Intake, Judge, Note, Step};
use crate::source::{Datagram, Lost};
use channels::Channels;
use copies::Copies;
use feeds::feed::Depth;
use latencies::Latencies;
use nationals::NationalWatch;
use rates::RateWatch;
use seals::Seals;
use senders::Senders;
use tape::TapeWatch;
use tops::TopsWatch;
use views::Views;

/// How much before the alert is looked at closely.
pub const LEAD_NS: u64 = 30_000_000_000;
/// How much after it.
pub const TAIL_NS: u64 = 10_000_000_000;
/// An alert that lasts longer is looked at closely for so long only.
const DURING_MAX_NS: u64 = 600_000_000_000;
/// Instruments of other alerts that are named.
const NAMED_MAX: usize = 5;
/// Open alerts that are remembered to say what else was wrong.
const OPEN_MAX: usize = 100_000;

/// The window of an alert.
pub fn window(alert: &Alert) -> Span {
    let during_ns =
        alert.ended_ns.map_or(DURING_MAX_NS, |e| e.saturating_sub(alert.began_ns).min(DURING_MAX_NS));
    Span {
        from_ns: alert.began_ns.saturating_sub(LEAD_NS),
        to_ns: alert.began_ns.saturating_add(during_ns).saturating_add(TAIL_NS),
    }
}

/// See the module.
pub struct Observer {
    alert: Alert,
    window: Span,
    now: u64,
    channels: Channels,
    latencies: Latencies,
    views: Views,
    open: BTreeMap<String, (Kind, String, Option<String>)>,
    beside: BTreeMap<(Kind, String), (u64, BTreeSet<String>)>,
    clock: ClockWatch,
    rates: Vec<RateWatch>,
    /// Quotes of this venue, by source: the alert's, or where it names none that of a source with one.
    venue: Option<String>,
    venue_rates: Vec<RateWatch>,
    tape: TapeWatch,
    tops: TopsWatch,
    nationals: NationalWatch,
    copies: Copies,
    seals: Seals,
    senders: Senders,
}

fn is_consolidated(config: &Config, source: u16) -> bool {
    config.sources.get(usize::from(source)).is_some_and(|s| s.feed.info().depth == Depth::Consolidated)
}

/// What is seen of the captures' clocks.
#[derive(Default)]
struct ClockWatch {
    current: u32,
    lost: Lost,
    line_name: bool,
    captures: Vec<BTreeSet<u32>>,
    latest: Vec<u64>,
    backwards: [u64; 2],
    /// Whether every receive time is a whole number of thousands (1), millions (2).
    whole: [bool; 2],
}

impl ClockWatch {
    fn see(&mut self, datagram: &Datagram<'_>) {
        let capture = datagram.capture as usize;
        if self.latest.len() <= capture {
            self.latest.resize(capture + 1, 0);
        }
        let latest = &mut self.latest[capture];
        if datagram.ts_recv_ns < *latest {
            self.backwards[0] += 1;
            self.backwards[1] = self.backwards[1].max(*latest - datagram.ts_recv_ns);
        }
        *latest = (*latest).max(datagram.ts_recv_ns);
        self.whole[0] &= datagram.ts_recv_ns.is_multiple_of(1_000);
        self.whole[1] &= datagram.ts_recv_ns.is_multiple_of(1_000_000);
        self.current = datagram.capture;
        self.lost = datagram.lost;
        self.line_name = crate::pipeline::feeder::is_line_name(datagram.interface_name);
    }
}

/// The judge with an observer beside it.
pub struct Watched<'a> {
    /// Judges as ever.
    pub judge: &'a mut Judge,
    /// Looks on.
    pub observer: &'a mut Observer,
}

impl Steps for Watched<'_> {
    fn step(&mut self, step: Step, notes: &mut Vec<Note>) {
        let Watched { judge, observer } = self;
        judge.begin_step(&step);
        for note in notes.iter() {
            judge.take(note);
            observer.take(judge.now(), note, judge);
        }
        notes.clear();
    }

    fn until(&mut self, now: u64, _: &mut Vec<Note>) {
        self.judge.advance_through(now);
    }
}

impl Observer {
    /// For an alert of a replay of the configuration.
    pub fn new(config: &Config, alert: &Alert) -> Observer {
        let window = window(alert);
        let during = Span { from_ns: alert.began_ns, to_ns: alert.until_ns(window.to_ns) };
        let subject = alert.sources.first().and_then(|n| config.sources.iter().position(|s| s.name == *n));
        let of_gap = subject.filter(|_| alert.kind == Kind::Gap).and_then(|s| u16::try_from(s).ok());
        Observer {
            window,
            now: 0,
            tops: TopsWatch::new(of_gap),
            nationals: NationalWatch::new(of_gap.filter(|s| is_consolidated(config, *s))),
            copies: Copies::new(config, alert, subject),
            seals: Seals::new(alert, subject),
            senders: Senders::new(config, alert, subject, window),
            channels: Channels::new(config, window, alert.began_ns),
            latencies: Latencies::new(config.sources.len(), window, during),
            views: Views::new(config, alert, window, during),
            open: BTreeMap::new(),
            beside: BTreeMap::new(),
            clock: ClockWatch {
                captures: vec![BTreeSet::new(); config.sources.len()],
                whole: [true; 2],
                ..ClockWatch::default()
            },
            rates: (0..config.sources.len()).map(|_| RateWatch::default()).collect(),
            venue: alert.venue.clone().or_else(|| config.sources.iter().find_map(|s| s.venue.clone())),
            venue_rates: (0..config.sources.len()).map(|_| RateWatch::default()).collect(),
            tape: TapeWatch::new(config, alert),
            alert: alert.clone(),
        }
    }

    /// Whether nothing that comes from `now` on is of interest.
    pub fn is_done(&self, now: u64) -> bool {
        now > self.window.to_ns
    }

    /// A datagram is about to be taken.
    pub fn on_datagram(&mut self, datagram: &Datagram<'_>) {
        self.clock.see(datagram);
        self.tape.see(datagram);
        self.copies.see(datagram);
        self.seals.see(datagram);
        self.senders.see(datagram);
    }

    /// A note that the judge has just taken.
    pub(super) fn take(&mut self, now: u64, note: &Note, judge: &Judge) {
        self.now = now;
        match *note {
            Note::Arrival { place, fresh } => {
                self.seals.arrival(place, fresh);
                self.senders.arrival(now, place, self.seals.current());
                if let Some(captures) = self.clock.captures.get_mut(usize::from(place.source)) {
                    captures.insert(self.clock.current);
                }
                self.channels.arrival(now, place, self.clock.lost, self.clock.line_name);
            }
            Note::Delivered { at: [source, channel, line], sequence, ts_recv_ns, .. } => {
                let place = crate::check::life::Place { source, channel, line };
                self.channels.delivered(now, place);
                self.copies.delivered(now, place, sequence, ts_recv_ns);
                self.nationals.delivered(place);
                let during = self.during();
                if let Some(rate) = self.rates.get_mut(usize::from(place.source)) {
                    rate.count_one(now, during);
                }
            }
            Note::Lead { place, .. } | Note::Line { place, .. } => {
                if let Some(said) = note.said_of_line() {
                    self.channels.line(now, place, &said.event, said.ours);
                    if let LineEvent::Refused { line, first, refusal, .. } = said.event {
                        self.senders.refused(place, line, first, refusal);
                    }
                }
            }
            Note::Gap { place, ref gap } => self.channels.undecodable(now, place, gap),
            Note::Send { place, latency_ns } => self.latencies.send(now, place.source, latency_ns),
            Note::Event { place, latency_ns } => self.latencies.event(now, place.source, latency_ns),
            Note::Clock { place, ts_ns, ts_recv_ns } => {
                self.latencies.clock(now, place.source, ts_ns, ts_recv_ns);
            }
            Note::Quote { source, view, .. } => {
                if let Some(id) = judge.view_of(source, view) {
                    self.quoted(now, id, judge);
                    self.views.changed(now, id, &judge.registry);
                    self.nationals.changed(id, &judge.registry);
                    self.tops.changed(now, id, &judge.registry.views[id as usize], &judge.registry);
                }
            }
            Note::Publish => {
                self.nationals.publish(now, &judge.registry);
                self.views.composites(now, &judge.registry);
            }
            _ => {}
        }
    }

    fn during(&self) -> Span {
        Span { from_ns: self.alert.began_ns, to_ns: self.alert.until_ns(self.window.to_ns) }
    }

    /// A view became another: one quote more of its venue.
    fn quoted(&mut self, now: u64, id: ViewId, judge: &Judge) {
        let view = &judge.registry.views[id as usize];
        let during = self.during();
        let of_venue = self.venue.is_some() && judge.registry.mic(view.venue) == self.venue.as_deref();
        if let Some(rate) = self.venue_rates.get_mut(usize::from(view.source)).filter(|_| of_venue) {
            rate.count_one(now, during);
        }
    }

    /// Lines of alert records that the judge told meanwhile.
    pub fn alerts(&mut self, lines: &[u8]) {
        for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            let Ok(line) = AlertLine::parse(line) else { continue };
            if line.id == self.alert.id {
                continue;
            }
            let Some(kind) = Kind::ALL.into_iter().find(|k| k.name() == line.kind) else { continue };
            match line.event {
                Event::Cleared => {
                    self.open.remove(&line.id);
                    continue;
                }
                Event::Raised if self.open.len() >= OPEN_MAX => continue,
                _ => {}
            }
            let source = line.sources.first().cloned().unwrap_or_default();
            if line.ts.0 < self.alert.began_ns {
                self.open.insert(line.id.clone(), (kind, source, line.instrument.clone()));
            } else if line.event == Event::Raised && line.ts.0 <= self.alert.until_ns(u64::MAX) {
                self.note_beside(kind, source, line.instrument);
            }
        }
        // What was open when this one began was beside it too.
        if self.now >= self.alert.began_ns {
            for (kind, source, instrument) in std::mem::take(&mut self.open).into_values() {
                self.note_beside(kind, source, instrument);
            }
        }
    }

    fn note_beside(&mut self, kind: Kind, source: String, instrument: Option<String>) {
        let (alerts, instruments) = self.beside.entry((kind, source)).or_default();
        *alerts += 1;
        instruments.extend(instrument.filter(|_| instruments.len() < OPEN_MAX));
    }

    /// Everything that was gathered, once the data (or what is of interest of them) are over. `capture_names` are the
    /// captures' names by number.
    pub fn finish(
        mut self,
        config: &Config,
        intake: &Intake,
        judge: &Judge,
        capture_names: &[String],
    ) -> Facts {
        let data = intake.span().map_or(Span::default(), |(from_ns, to_ns)| Span { from_ns, to_ns });
        self.window.to_ns = self.window.to_ns.min(data.to_ns.max(self.alert.began_ns));
        self.window.from_ns = self.window.from_ns.max(data.from_ns);
        let name_of = |number: u32| capture_names.get(number as usize).cloned().unwrap_or_default();
        let mut sources: Vec<SourceFacts> = config
            .sources
            .iter()
            .map(|s| SourceFacts {
                name: s.name.clone(),
                feed: s.feed.info().name,
                depth: s.feed.info().depth,
                venue: s.venue.clone(),
                heartbeat_ns: s.feed.info().heartbeat_ns,
                ..SourceFacts::default()
            })
            .collect();
        self.latencies.finish(&mut sources);
        for ((source, rate), of_venue) in sources.iter_mut().zip(self.rates).zip(self.venue_rates) {
            (source.rate, source.venue_rate) = (rate.finish(), of_venue.finish());
        }
        let unfollowed = self.views.finish(config, intake, &judge.registry, &mut sources, &name_of);
        self.channels.finish(config, intake, &mut sources, &unfollowed.moves, data, &name_of);
        let subject = self.alert.sources.first().and_then(|n| sources.iter_mut().find(|s| s.name == *n));
        let copies = match subject {
            Some(subject) => {
                let meant = self.alert.sequence.map_or([1, 0], |[first, last, _]| [first, last]);
                self.tops.finish(&mut subject.channels, meant, data.to_ns, channels::FLIGHT_NS);
                self.seals.finish(&mut subject.channels);
                self.senders.finish(&mut subject.channels, &name_of);
                self.nationals.finish(&mut subject.channels, &judge.registry, &name_of);
                self.copies.finish(config, &mut subject.channels)
            }
            None => Vec::new(),
        };
        let of_alert =
            self.alert.sources.first().and_then(|n| config.sources.iter().position(|s| s.name == *n));
        let directory = directory::directory(config, &self.alert, of_alert, intake, &judge.registry);
        let beside = self.beside.into_iter().map(|((kind, source), (alerts, instruments))| Beside {
            kind,
            source,
            alerts,
            instruments: instruments.len() as u64,
            names: instruments.into_iter().take(NAMED_MAX).collect(),
        });
        let resolution_ns = match self.clock.whole {
            [_, true] => 1_000_000,
            [true, _] => 1_000,
            _ => 1,
        };
        let captures = config.sources.iter().zip(&self.clock.captures);
        Facts {
            data,
            window: self.window,
            sources,
            views: unfollowed.views,
            pairings: unfollowed.pairings,
            beside: beside.collect(),
            likenesses: unfollowed.likenesses,
            directory,
            rate_venue: self.venue,
            capture_clock: CaptureClock {
                captures: captures
                    .map(|(s, c)| (s.name.clone(), c.iter().map(|n| name_of(*n)).collect()))
                    .collect(),
                resolution_ns,
                backwards: self.clock.backwards,
                errors_ns: config
                    .sources
                    .iter()
                    .filter_map(|s| Some((s.name.clone(), s.clock_error_ns?)))
                    .collect(),
                configured_ns: None,
            },
            tape: self.tape.finish(config),
            copies,
            rules: rulebook::rules(config, &self.alert),
            alert: self.alert,
        }
    }
}
