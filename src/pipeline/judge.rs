//! The side that judges: takes the notes of all sources in order of time and drives the checks.
//!
//! It keeps the registry that joins what the sources know, composite views, quote records and every histogram. It
//! sees no bytes and reads no clock but the stage clock that it was given.

use super::day::TickDay;
use super::figures::{Figure, Figures, What};
use super::intake::Steps;
use super::note::{Class, LineNote, Note, Step};
use super::quotes::QuoteLines;
use super::tape::{QuoteRow, Tape};
use crate::check::Comparator;
use crate::check::life::Place;
use crate::config::Config;
use crate::latency::{Recorder, SeriesId, StageClock, point};
use crate::market::composite::Composite;
use crate::market::{Change, InstrumentId, Level, Origin, Quote, Registry, ViewId};

/// Histograms of one channel.
#[derive(Debug, Clone)]
struct ChannelSeries {
    event: SeriesId,
    send: SeriesId,
    decoded: Option<SeriesId>,
    booked: Option<SeriesId>,
    compared: Option<SeriesId>,
    /// Live: receive stamp to taken, taken to published, receive stamp to published, published to compared.
    live: Option<[SeriesId; 4]>,
    /// Lead and lag of each line against the first.
    lines: Vec<SeriesId>,
}

/// What histograms of our own stages are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timed {
    /// None.
    Nothing,
    /// Each stage for itself, in a replay.
    Apart,
    /// From the receive stamp on, live.
    Live,
}

/// Our numbers for what a source knows by its own.
#[derive(Debug, Default)]
struct Names {
    instruments: Vec<InstrumentId>,
    views: Vec<ViewId>,
}

/// See the module. It and an [`super::Intake`] may be written by two threads, and a line of memory that both write to
/// would go to and fro between them: each lies apart.
#[repr(align(128))]
pub struct Judge {
    /// Instruments and quotes of all sources.
    pub registry: Registry,
    /// The checks.
    pub comparator: Comparator,
    composites: Vec<Composite>,
    touched: Vec<(ViewId, bool)>,
    /// Of these, views whose change no record shows.
    unshown: Vec<ViewId>,
    /// Room for [`Judge::look_ahead`].
    ahead: Vec<(ViewId, bool)>,
    quotes: Option<QuoteLines>,
    /// Every change of a top of book as a row, where somebody keeps them.
    tape: Option<Box<Tape>>,
    /// Views whose quotes became others, where somebody wants to know.
    moves: Option<Vec<ViewId>>,
    names: Vec<Names>,
    /// Of the quotes that come.
    origin: Origin,
    /// Of the quote that comes next, where they are not its best.
    round_lots: Option<[Option<Level>; 2]>,
    series: Vec<ChannelSeries>,
    /// By source: the number of its first channel.
    base: Vec<usize>,
    stages: Option<Box<dyn StageClock + Send>>,
    /// When what was booked came here, by the stage clock, and of which channel.
    booked: Option<(usize, u64)>,
    now: u64,
    /// What a store is told, where there is one.
    figures: Option<Box<Figures>>,
    ticks: TickDay,
    /// Quote updates judged.
    pub updates: u64,
    /// Notes that were lost on the way here.
    pub overruns: u64,
}

impl Judge {
    /// For the configuration; `captures` names the inputs in records. `stages` times our own stages.
    pub fn new(
        config: &Config,
        captures: &[String],
        mut recorder: Recorder,
        (timed, stages): (Timed, Option<Box<dyn StageClock + Send>>),
        quotes: bool,
    ) -> Judge {
        let mut registry = Registry::of(config);
        let ticks = TickDay::new(config, &mut registry);
        let (mut series, mut base) = (Vec::new(), Vec::new());
        for source in &config.sources {
            base.push(series.len());
            let of = |c| ChannelSeries::new(&source.name, c, timed, &mut recorder);
            series.extend(source.channels.iter().map(of));
        }
        let mut comparator = Comparator::new(config, &mut registry, captures, recorder);
        comparator.pair_feeds();
        let first = config.sources.len();
        let composites = config.composites.iter().enumerate().map(|(i, c)| Composite {
            source: (first + i) as u16,
            of: c.of.iter().map(|s| *s as u16).collect(),
        });
        Judge {
            registry,
            comparator,
            composites: composites.collect(),
            touched: Vec::new(),
            unshown: Vec::new(),
            ahead: Vec::new(),
            quotes: quotes.then(|| QuoteLines::new(&config.comparands())),
            tape: None,
            moves: None,
            names: config.sources.iter().map(|_| Names::default()).collect(),
            origin: Origin::default(),
            round_lots: None,
            series,
            base,
            stages,
            booked: None,
            now: 0,
            figures: None,
            ticks,
            updates: 0,
            overruns: 0,
        }
    }

    /// Figures are told from now on, at every beat of that length.
    pub fn keep_figures(&mut self, every_ns: u64) {
        self.comparator.recorder.keep_periods();
        self.comparator.keep_ledger();
        self.figures = Some(Box::new(Figures::new(every_ns, self.names.len())));
    }

    /// Figures since the last call; `None` where none are wanted.
    pub fn take_figures(&mut self) -> Option<&mut Vec<Figure>> {
        self.figures.as_mut().map(|figures| &mut figures.out)
    }

    /// Time has come to `now`, and everything before it has been judged: tells the beats that have ended.
    #[inline]
    pub fn beat(&mut self, now: u64) {
        if let Some(figures) = &mut self.figures
            && figures.is_due(now)
        {
            figures.tell(now, &mut self.comparator, &self.registry);
        }
    }

    /// The data begins: silence is counted from here.
    pub fn start(&mut self, now: u64) {
        self.comparator.start(now);
        if let Some(figures) = &mut self.figures {
            figures.start(now);
        }
    }

    /// When a check wants to be called if nothing happens before.
    pub fn next_timeout(&self) -> Option<u64> {
        self.comparator.next_timeout()
    }

    /// Fires the deadlines of the checks up to `now`, each at its own time.
    pub fn advance(&mut self, now: u64) {
        self.beat(now);
        self.comparator.advance(now, &self.registry);
        self.now = self.now.max(now);
    }

    /// A step begins: fires the deadlines before it.
    pub fn begin_step(&mut self, step: &Step) {
        self.fire_before(step.checks_until_ns());
        self.begin(step);
    }

    /// A step begins. Deadlines before it have been fired.
    pub fn begin(&mut self, step: &Step) {
        self.beat(step.now_ns);
        self.now = self.comparator.advance_to(self.now.max(step.now_ns));
        if self.now >= self.ticks.until_ns {
            self.ticks.turn(self.now, &mut self.registry);
        }
        if step.class == Class::Datagram {
            self.start(self.now);
        }
    }

    /// The next note of the step.
    pub fn take(&mut self, note: &Note) {
        let now = self.now;
        let Judge { registry, comparator, .. } = self;
        match *note {
            Note::Arrival { place, fresh } => comparator.on_arrival(now, place, fresh, registry),
            Note::Send { place, latency_ns } => {
                let series = self.series[self.number(place)].send;
                self.comparator.recorder.record(series, now, latency_ns);
            }
            Note::Clock { place, ts_ns, ts_recv_ns } => {
                if let Some(figures) = &mut self.figures {
                    figures.observe_clock(place.source, ts_ns, ts_recv_ns);
                }
                comparator.observe_clock(now, place, ts_ns, ts_recv_ns, registry);
            }
            Note::Lead { place, winner, loser, lag_ns, .. } => {
                self.record_lead(place, usize::from(winner), usize::from(loser), lag_ns);
                self.on_line(place, note);
            }
            Note::Line { place, .. } => self.on_line(place, note),
            Note::Gap { place, ref gap } => comparator.on_gap(now, place, **gap, registry),
            Note::Delivered { at: [source, channel, line], session: [low, high], sequence, ts_recv_ns } => {
                let place = Place { source, channel, line };
                let session = u128::from(low) | u128::from(high) << 64;
                comparator.on_delivered(now, place, session, sequence, ts_recv_ns);
            }
            Note::Event { place, latency_ns } => {
                let series = self.series[self.number(place)].event;
                self.comparator.recorder.record(series, now, latency_ns);
            }
            Note::Stages { place, decoded_ns, booked_ns } => self.record_stages(place, decoded_ns, booked_ns),
            Note::Published { place, ts_recv_ns, taken_ns, published_ns } => {
                self.record_live(place, ts_recv_ns, taken_ns, published_ns);
            }
            Note::Change { source, ref change } => self.learn(source, change),
            Note::Origin { capture, frame, sequence, ts_event_ns, ts_recv_ns } => {
                self.origin = Origin { ts_event_ns, ts_recv_ns, sequence, capture, frame };
            }
            Note::RoundLots { shown, prices, quantities } => {
                self.round_lots = Some(shown.levels(prices, quantities));
            }
            Note::Quote { source, view, shown, prices, quantities } => {
                let (best, quality) = (shown.levels(prices, quantities), shown.quality());
                let quote = Quote { best, round_lot: self.round_lots.take().unwrap_or(best), quality };
                let Some(id) = self.view_of(source, view) else { return };
                let view = &mut self.registry.views[id as usize];
                let before = view.quote.replace(quote);
                view.origin = self.origin;
                self.touch(id, before, &quote);
            }
            Note::View { source, view } => {
                if let Some(id) = self.view_of(source, view) {
                    self.touched.push((id, false));
                }
            }
            Note::Publish => self.publish(),
            Note::BooksWhole { place } => comparator.books_restarted(now, place, "books_whole", registry),
            Note::Capture { number, ref name } => {
                comparator.desk.name_capture(number, name);
                self.tell(now, What::Capture(number, name.clone()));
            }
            Note::LineCounts { place, at_ns, ref counts } => self.tell(at_ns, What::Line(place, **counts)),
            Note::ChannelCounts { place, at_ns, ref counts } => {
                self.tell(at_ns, What::Channel(place, **counts));
            }
            Note::Burst { place, whole, at_ns, window, ref most } => {
                self.tell(at_ns, What::Burst { place, whole, window, most: **most });
            }
            Note::Wrong { place, at_ns, ref wrong } => self.tell(at_ns, What::Wrong(place, **wrong)),
            Note::Overrun { notes } => self.overruns += notes,
        }
    }

    /// The quote of a view became another.
    #[inline]
    fn touch(&mut self, id: ViewId, before: Option<Quote>, quote: &Quote) {
        if self.quotes.is_some() || self.tape.is_some() {
            let alike = before.is_some_and(|before| before.shows_as(quote));
            if !alike {
                self.unshown.retain(|view| *view != id);
            } else if !self.touched.contains(&(id, true)) {
                self.unshown.push(id);
            }
        }
        self.touched.push((id, true));
    }

    /// Fires the deadlines of the checks up to `now`, that time included.
    pub fn advance_through(&mut self, now: u64) {
        self.fire_before(now.saturating_add(1));
    }

    /// Fires the deadlines of the checks that lie before `until`, each at its own time.
    fn fire_before(&mut self, until: u64) {
        while let Some(at) = self.next_timeout().filter(|at| *at < until) {
            self.advance(at);
        }
    }

    fn tell(&mut self, at_ns: u64, what: What) {
        if let Some(figures) = &mut self.figures {
            figures.push(at_ns, what);
        }
    }

    /// The data is over.
    pub fn finish(&mut self, now: u64) {
        self.now = self.now.max(now);
        self.beat(self.now);
        self.comparator.finish(self.now, &self.registry);
        if let Some(figures) = &mut self.figures {
            figures.finish(self.now, &mut self.comparator, &self.registry);
        }
    }

    /// The latest time.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// These notes will be taken next: what the checks will look at for them is on its way. It changes nothing.
    pub fn look_ahead<'n>(&mut self, notes: impl Iterator<Item = &'n Note>) {
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.clear();
        ahead.extend(notes.filter_map(|note| match *note {
            Note::Quote { source, view, .. } => Some((self.view_of(source, view)?, true)),
            Note::View { source, view } => Some((self.view_of(source, view)?, false)),
            _ => None,
        }));
        if ahead.len() > 1 {
            self.comparator.look_ahead(&ahead, &self.registry);
            if let Some(quotes) = &self.quotes {
                ahead.iter().filter(|(_, changed)| *changed).for_each(|(view, _)| quotes.look_ahead(*view));
            }
        }
        self.ahead = ahead;
    }

    /// Our number of what a source calls a view, once its notes have told of it.
    #[inline]
    pub fn view_of(&self, source: u16, view: ViewId) -> Option<ViewId> {
        self.names.get(usize::from(source))?.views.get(view as usize).copied()
    }

    /// Lines of alert records since the last call.
    pub fn take_alerts(&mut self) -> &mut Vec<u8> {
        &mut self.comparator.desk.alerts.lines
    }

    /// Lines of quote records since the last call.
    pub fn take_quotes(&mut self) -> Option<&mut Vec<u8>> {
        self.quotes.as_mut().map(|quotes| &mut quotes.lines)
    }

    /// Every change of a top of book is kept as a row from now on.
    pub fn keep_tape(&mut self) {
        self.tape = Some(Box::default());
    }

    /// Rows since the last call; `None` where nobody keeps them.
    pub fn take_tape(&mut self) -> Option<&mut Vec<QuoteRow>> {
        self.tape.as_mut().map(|tape| &mut tape.rows)
    }

    /// From now on it is kept which views' quotes become others.
    pub fn keep_moves(&mut self) {
        self.moves = Some(Vec::new());
    }

    /// Views whose quotes became others since the last call, in order; the quotes are in the registry.
    pub fn take_moves(&mut self) -> Vec<ViewId> {
        self.moves.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn number(&self, place: Place) -> usize {
        self.base[usize::from(place.source)] + usize::from(place.channel)
    }

    fn learn(&mut self, source: u16, change: &Change) {
        let Judge { registry, names, .. } = self;
        let Names { instruments, views } = &mut names[usize::from(source)];
        match *change {
            Change::Instrument(ref name) => instruments.push(registry.instrument(name)),
            Change::Numbered(feed, number) => instruments.push(registry.numbered(feed, number)),
            Change::Rename(id, ref name) => {
                registry.rename(instruments[id as usize], name);
                self.quotes.iter_mut().for_each(QuoteLines::renamed);
            }
            Change::Facts(id, facts) => registry.learn(instruments[id as usize], facts),
            Change::View { source, venue, instrument, round_lots_only } => {
                let instrument = instruments[instrument as usize];
                let known = registry.find_view(source, venue, instrument);
                views.push(
                    known.unwrap_or_else(|| registry.add_view(source, venue, instrument, round_lots_only)),
                );
            }
        }
    }

    fn on_line(&mut self, place: Place, note: &Note) {
        if let Some(LineNote { event, suspects, ours }) = note.said_of_line() {
            self.comparator.on_line_event(self.now, place, &event, suspects, ours, &self.registry);
        }
    }

    fn record_lead(&mut self, place: Place, winner: usize, loser: usize, lag_ns: u64) {
        let lines = &self.series[self.number(place)].lines;
        let signed = if winner == 0 { lag_ns as i64 } else { -(lag_ns as i64) };
        // Leads are told against the first line; between two others they are counted in its figures only.
        let against = if winner == 0 { loser } else { winner };
        if (winner == 0 || loser == 0)
            && against > 0
            && let Some(series) = lines.get(against - 1)
        {
            self.comparator.recorder.record(*series, self.now, signed);
        }
    }

    fn record_stages(&mut self, place: Place, decoded_ns: u64, booked_ns: u64) {
        let number = self.number(place);
        let ChannelSeries { decoded, booked, .. } = self.series[number];
        if let (Some(decoded), Some(booked)) = (decoded, booked) {
            self.comparator.recorder.record(decoded, self.now, decoded_ns as i64);
            self.comparator.recorder.record(booked, self.now, booked_ns as i64);
            // How long the notes lay about before they came here is no part of judging them.
            self.booked = self.stages.as_ref().map(|clock| (number, clock.now_ns()));
        }
    }

    fn record_live(&mut self, place: Place, ts_recv_ns: u64, taken_ns: u64, published_ns: u64) {
        let number = self.number(place);
        let Some([taken, booked, published, compared]) = self.series[number].live else { return };
        let since = |later: u64, earlier: u64| super::feeder::apart(later, earlier);
        let recorder = &mut self.comparator.recorder;
        recorder.record(taken, self.now, since(taken_ns, ts_recv_ns));
        recorder.record(booked, self.now, since(published_ns, taken_ns));
        recorder.record(published, self.now, since(published_ns, ts_recv_ns));
        let now = self.stages.as_ref().map_or(published_ns, |clock| clock.now_ns());
        recorder.record(compared, self.now, since(now, published_ns));
    }

    /// Composites of what changed.
    fn compose(&mut self) {
        for index in 0..self.touched.len() {
            let (view, changed) = self.touched[index];
            if !changed {
                continue;
            }
            self.updates += 1;
            for at in 0..self.composites.len() {
                let Some((id, before)) = self.composites[at].update(view, &mut self.registry) else {
                    continue;
                };
                if let Some(quote) = self.registry.views[id as usize].quote {
                    self.touch(id, before, &quote);
                }
            }
        }
    }

    /// Shows what a packet did: quote records, composites, checks.
    fn publish(&mut self) {
        let now = self.now;
        self.compose();
        let Judge { registry, comparator, touched, unshown, quotes, tape, moves, .. } = self;
        let shown = || touched.iter().filter(|(view, changed)| *changed && !unshown.contains(view));
        if let Some(out) = quotes {
            shown().for_each(|(view, _)| out.write(now, *view, registry));
        }
        if let Some(tape) = tape {
            shown().for_each(|(view, _)| tape.push(now, *view, registry));
        }
        unshown.clear();
        if let Some(moves) = moves {
            moves.extend(touched.iter().filter(|(_, changed)| *changed).map(|(view, _)| *view));
        }
        comparator.on_views(now, touched, registry);
        touched.clear();
        if let (Some((number, at)), Some(clock)) = (self.booked.take(), &self.stages)
            && let Some(series) = self.series[number].compared
        {
            let elapsed = clock.now_ns().saturating_sub(at);
            self.comparator.recorder.record(series, now, elapsed as i64);
        }
    }
}

impl Steps for Judge {
    fn step(&mut self, step: Step, notes: &mut Vec<Note>) {
        self.look_ahead(notes.iter());
        self.begin_step(&step);
        notes.iter().for_each(|note| self.take(note));
        notes.drain(..).for_each(Note::end);
    }

    fn until(&mut self, now: u64, _: &mut Vec<Note>) {
        self.advance_through(now);
    }
}

impl ChannelSeries {
    fn new(source: &str, channel: &crate::config::Channel, timed: Timed, recorder: &mut Recorder) -> Self {
        let mut stage = |from, to| (timed == Timed::Apart).then(|| recorder.series(source, from, to));
        let decoded = stage(point::TAKEN, point::DECODED);
        let booked = stage(point::DECODED, point::BOOKED);
        let compared = stage(point::BOOKED, point::COMPARED);
        let live = (timed == Timed::Live).then(|| {
            [
                recorder.series(source, point::TS_RECV, point::TAKEN),
                recorder.series(source, point::TAKEN, point::PUBLISHED),
                recorder.series(source, point::TS_RECV, point::PUBLISHED),
                recorder.series(source, point::PUBLISHED, point::COMPARED),
            ]
        });
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
            live,
            lines,
        }
    }
}
