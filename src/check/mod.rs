//! The comparator: cross-checks the sources, one file per check.
//!
//! It is told of arrivals, quotes, losses and states in event time, and of nothing else: it never sees bytes
//! and never reads a clock. What it finds goes to the [`desk::Desk`]. `catalogue` lists the checks with their
//! documents.

mod ahead;
pub mod catalogue;
pub mod clock;
pub mod crossed;
pub mod crossing;
pub mod desk;
pub mod divergent;
pub mod gap;
pub mod held;
pub mod history;
pub mod lagging;
pub mod leadlag;
pub mod ledger;
pub mod life;
pub mod line;
pub mod locked;
pub mod missing;
pub mod pair;
mod peers;
pub mod pool;
pub mod relation;
pub mod rules;
pub mod segment;
pub mod silent;
pub mod stale;
pub mod status;
#[cfg(test)]
mod tests;
pub mod timers;
mod views;
mod words;

use feeds::FeedId;
use feeds::event::Side;
use hashbrown::HashMap;

use crate::config::{Config, Kind};
use crate::latency::{Recorder, SeriesId};
use crate::market::{InstrumentId, Registry, SourceId, VenueId, ViewId};
use clock::ClockJudge;
use desk::Desk;
use gap::GapJudge;
use held::Held;
use history::History;
use leadlag::{Match, PacketMatcher};
use ledger::{Ledger, Row};
use line::LineJudge;
use missing::Candidates;
use pair::{Bench, Like, Pair, Rare};
use peers::Groups;
use pool::Marks;
use relation::Relation;
use rules::Rules;
use silent::Life;
use stale::StaleJudge;
use timers::{TimerKey, Timers, is_due};

/// What is known of one view beside its quote: two cache lines, the first of which is what its pairs look at.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct ViewJudge {
    /// Prices shown, by [`Like`], then by side, as far as they are compared with anything.
    prices: [[i64; 2]; 2],
    /// Of what.
    pub instrument: InstrumentId,
    /// Numbers of `Comparator::histories`, by [`Like`]; `NONE` where nothing compares such prices.
    pub histories: [u32; 2],
    /// Its peers; [`NONE`] before there is one.
    group: u32,
    /// Its place among them.
    place: u16,
    /// Crossed and locked.
    crossing: pool::Place,
    /// Whose.
    pub source: SourceId,
    /// Which prices there are: bit `like * 2 + side`.
    shown: u8,
    /// What its quote's quality gives for not comparing it.
    pub quality: Option<Held>,
    /// Its own bid is not below its own ask.
    pub crosses: bool,
    /// Its source is made of others.
    composite: bool,
    /// It is a test instrument's, as far as was known at its latest quote.
    test: bool,
    /// Some source may lack its instrument.
    wanted: bool,
    stale: StaleJudge,
    armed: u64,
    /// When anything that its pairs look at last became another.
    moved_at: u64,
}

/// No number.
pub const NONE: u32 = u32::MAX;

impl ViewJudge {
    fn new(instrument: InstrumentId, source: SourceId, composite: bool) -> ViewJudge {
        ViewJudge {
            prices: [[0; 2]; 2],
            instrument,
            histories: [NONE; 2],
            group: NONE,
            place: 0,
            crossing: 0,
            source,
            shown: 0,
            quality: Some(Held::NoQuote),
            crosses: false,
            composite,
            test: false,
            wanted: false,
            stale: StaleJudge::default(),
            armed: u64::MAX,
            moved_at: u64::MAX,
        }
    }

    /// The price shown.
    #[inline]
    pub fn price(&self, like: Like, side: usize) -> Option<i64> {
        let there = self.shown & 1 << (like as usize * 2 + side) != 0;
        there.then_some(self.prices[like as usize][side])
    }

    /// Which of its prices of a kind there are, by side, bit by bit.
    #[inline]
    fn sides(&self, like: Like) -> u8 {
        self.shown >> (like as usize * 2) & 3
    }

    /// Nothing of its own hinders a comparison, whatever it is made of.
    #[inline]
    fn is_plain(&self) -> bool {
        self.quality.is_none() && !self.composite && !self.is_stale()
    }

    /// Shows a price; answers whether it is another than before.
    #[inline]
    fn set_price(&mut self, like: usize, side: usize, price: Option<i64>) -> bool {
        let bit = 1 << (like * 2 + side);
        let before = (self.shown & bit != 0).then_some(self.prices[like][side]);
        if before == price {
            return false;
        }
        self.shown = self.shown & !bit | if price.is_some() { bit } else { 0 };
        self.prices[like][side] = price.unwrap_or_default();
        true
    }

    /// Whether it is told as stale.
    #[inline]
    pub fn is_stale(&self) -> bool {
        self.stale.is_stale()
    }

    /// Why the view could not be compared if its source were not silent; `None` when it could.
    #[inline]
    pub fn held_awake(&self, test: bool, bench: &Bench<'_>) -> Option<Held> {
        if self.quality == Some(Held::NoQuote) {
            return self.quality;
        }
        if self.composite && self.lacks_a_part(bench) {
            return Some(Held::Silent);
        }
        if test {
            return Some(Held::Test);
        }
        self.quality.or(self.is_stale().then_some(Held::Stale))
    }

    /// Why the view cannot be compared; `None` when it can.
    pub fn held(&self, bench: &Bench<'_>) -> Option<Held> {
        let awake = self.held_awake(bench.registry.is_test(self.instrument), bench);
        let silent = bench.sources[usize::from(self.source)].life.is_silent();
        if silent && awake != Some(Held::NoQuote) { Some(Held::Silent) } else { awake }
    }

    /// A part of the composite that carries the instrument is told as silent.
    fn lacks_a_part(&self, bench: &Bench<'_>) -> bool {
        let carries = |part: SourceId| {
            let mut views = bench.registry.views_of(self.instrument);
            views.any(|v| bench.registry.views[v as usize].source == part)
        };
        let parts = &bench.sources[usize::from(self.source)].parts;
        parts.iter().any(|p| bench.sources[usize::from(*p)].life.is_silent() && carries(*p))
    }
}

/// What is known of one source.
#[derive(Debug, Default)]
pub struct SourceJudge {
    /// Made of other sources, and as alive as they are.
    pub composite: bool,
    /// The sources that it is made of.
    parts: Vec<SourceId>,
    life: Life,
    alive_since: Option<u64>,
    channels: Vec<ChannelJudge>,
    clock: ClockJudge,
    /// Sources whose arrivals prove that something should arrive here.
    proves: Vec<SourceId>,
    /// Pairs that wait for a sign of life before they call this source late.
    waiting: Vec<u32>,
    /// Views that wait for it before they are called stale.
    waiting_views: Vec<ViewId>,
    /// Views of a composite, and their pairs.
    composed: Vec<ViewId>,
    pairs: Vec<u32>,
    /// Pairs of sources that it is one of.
    relations: Vec<u32>,
    /// How often it has fallen silent.
    silences: u32,
    /// How long a silence of it may last, where that is checked, nanoseconds.
    silent_after_ns: Option<u64>,
    /// How far back its peers look for a price that it shows, nanoseconds.
    window_ns: u64,
    /// Instruments that it quotes, at whatever venues.
    instruments: u64,
    /// Mean time between two packets, nanoseconds.
    gap_ns: u64,
}

/// Mean gaps without a packet after which a source is unusually quiet.
const QUIET_GAPS: u64 = 8;

impl SourceJudge {
    /// The source is quiet since `left`, and it is not its habit: many packets' time has gone by without one.
    pub fn is_unusually_quiet(&self, now: u64, left: u64) -> bool {
        let last = self.life.last().unwrap_or(0);
        // Of a source that has not shown its habit yet nothing is unusual.
        let known = !self.composite && self.gap_ns > 0;
        known && last <= left && now.saturating_sub(last) > self.gap_ns.saturating_mul(QUIET_GAPS)
    }

    /// Takes an arrival into the habit: a moving mean over some sixteen gaps.
    fn learn_gap(&mut self, now: u64) {
        if let Some(last) = self.life.last() {
            let gap = now.saturating_sub(last).min(1_000_000_000);
            self.gap_ns = match self.gap_ns {
                0 => gap,
                mean => mean - mean / 16 + gap / 16,
            };
        }
    }

    /// Nothing has arrived since `left`: the source may be dead rather than late, which the silent check will tell.
    pub fn may_be_dead(&self, source: SourceId, left: u64, rules: &Rules) -> bool {
        let watched = !self.composite && rules.source(Kind::Silent, source).is_some();
        watched && self.life.last().is_none_or(|last| last <= left)
    }
}

#[derive(Debug, Default)]
struct ChannelJudge {
    name: String,
    life: Life,
    /// The session is over: nothing is expected.
    ended: bool,
    lines: Vec<LineLife>,
    gaps: GapJudge,
    /// Its lines come in on interfaces of their own.
    separate: bool,
    /// Number under which the same channel of another source of the feed is known.
    ordinal: u16,
}

impl ChannelJudge {
    /// A session is on: what was not heard of since the last one ended is counted from now.
    fn resume(&mut self, now: u64) {
        if std::mem::take(&mut self.ended) {
            self.life.count_from(now);
            self.lines.iter_mut().for_each(|l| l.life.count_from(now));
        }
    }
}

#[derive(Debug, Default)]
struct LineLife {
    name: String,
    life: Life,
    judge: LineJudge,
}

/// The comparator.
pub struct Comparator {
    /// What was found.
    pub desk: Desk,
    /// Lead and lag, and the venue's latencies.
    pub recorder: Recorder,
    rules: Rules,
    feeds: Vec<Option<FeedId>>,
    venues: Vec<VenueId>,
    sources: Vec<SourceJudge>,
    views: Vec<ViewJudge>,
    /// By view and [`Like`], then by side: prices shown lately.
    histories: Vec<[History; 2]>,
    groups: Groups,
    pairs: Vec<Pair>,
    rare: Rare,
    /// Pairs that a silence concerns, and views: all others have only an account.
    active_pairs: Marks,
    active_views: Marks,
    stale_alerts: stale::Alerts,
    packets: Vec<Option<PacketMatcher>>,
    series: Vec<SeriesId>,
    relations: Vec<Relation>,
    relation_of: HashMap<(SourceId, SourceId), u32>,
    candidates: Candidates,
    /// Which prices of a source's views at a venue may be compared, bit by [`Like`].
    likes: HashMap<(SourceId, VenueId), u8>,
    timers: Timers,
    /// What pairs disagreed on, where it is asked for.
    ledger: Option<Box<Ledger>>,
    started: Option<u64>,
    now: u64,
}

impl Comparator {
    /// For the configured sources and checks; `captures` names the inputs in records.
    pub fn new(config: &Config, registry: &mut Registry, captures: &[String], recorder: Recorder) -> Self {
        let names = config.comparands();
        let direct = config.sources.len();
        let feeds = (0..names.len()).map(|i| config.sources.get(i).map(|s| s.feed)).collect();
        let venues = (0..names.len())
            .map(|i| match config.sources.get(i).and_then(|s| s.venue.as_deref()) {
                Some(mic) => registry.venue(mic),
                None => VenueId::NATIONAL,
            })
            .collect();
        let mut sources: Vec<SourceJudge> = config.sources.iter().map(source_judge).collect();
        sources.extend(config.composites.iter().map(|c| SourceJudge {
            composite: true,
            parts: c.of.iter().map(|s| *s as SourceId).collect(),
            ..Default::default()
        }));
        for (i, source) in sources.iter_mut().take(direct).enumerate() {
            source.proves =
                (0..direct).filter(|j| *j != i && related(config, i, *j)).map(|j| j as SourceId).collect();
        }
        let desk = Desk { sources: names, captures: captures.to_vec(), ..Desk::default() };
        let rules = Rules::new(config);
        for (source, judge) in sources.iter_mut().enumerate() {
            judge.window_ns = rules.longest_window(source as SourceId);
            judge.silent_after_ns = rules.source(Kind::Silent, source as SourceId).map(|c| c.after_ns);
        }
        Comparator {
            desk,
            recorder,
            rules,
            feeds,
            venues,
            sources,
            views: Vec::new(),
            histories: Vec::new(),
            groups: Groups::default(),
            pairs: Vec::new(),
            rare: Rare::default(),
            active_pairs: Marks::default(),
            active_views: Marks::default(),
            stale_alerts: stale::Alerts::default(),
            packets: Vec::new(),
            series: Vec::new(),
            relations: Vec::new(),
            relation_of: HashMap::new(),
            candidates: Candidates::default(),
            likes: HashMap::new(),
            timers: Timers::default(),
            ledger: None,
            started: None,
            now: 0,
        }
    }

    /// What pairs disagree on is kept from now on, for [`Comparator::take_ledger`].
    pub fn keep_ledger(&mut self) {
        self.ledger = Some(Box::default());
    }

    /// Hands over what pairs disagreed on since the last call.
    pub fn take_ledger(&mut self, mut each: impl FnMut([ViewId; 2], Row)) {
        let rows = self.ledger.iter_mut().flat_map(|ledger| ledger.take());
        rows.for_each(|(pair, row)| each(self.pairs[pair as usize].views, row));
    }

    /// Writes the account of every pair up to `now`: the figures of the relations are then whole.
    pub fn close_accounts(&mut self, now: u64) {
        for (number, pair) in self.pairs.iter_mut().enumerate() {
            let relation = &mut self.relations[pair.relation as usize];
            let before = relation.comparable_ns - relation.agree_ns;
            pair.write_account(now, relation);
            if let Some(ledger) = &mut self.ledger {
                ledger.pair = number as u32;
                let differ_ns = relation.comparable_ns - relation.agree_ns - before;
                ledger.add(Row { differ_ns, ..Row::default() });
            }
        }
    }

    /// Figures of the pairs of sources, in the order in which they first met.
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// The lead/lag series of a pair of sources.
    pub fn series(&self, relation: usize) -> SeriesId {
        self.series[relation]
    }

    /// Which sources are silent, in the order of the configuration.
    pub fn silent(&self) -> Vec<bool> {
        self.sources.iter().map(|s| s.life.is_silent()).collect()
    }

    /// When it wants to be called again if nothing happens before.
    pub fn next_timeout(&self) -> Option<u64> {
        self.timers.next()
    }

    /// Fires every deadline up to `now`, each at its own time.
    pub fn advance(&mut self, now: u64, registry: &Registry) {
        while let Some((at, key)) = self.timers.pop(now) {
            self.look_ahead_at_deadlines();
            self.now = self.now.max(at);
            self.fire(at, key, registry);
        }
        self.now = self.now.max(now);
        self.timers.reached(now);
    }

    fn fire(&mut self, at: u64, key: TimerKey, registry: &Registry) {
        match key {
            TimerKey::Source(..) | TimerKey::Channel(..) | TimerKey::Line(..) => {
                self.fire_life(at, key, registry)
            }
            TimerKey::LineGood(source, channel, line) => {
                let Some(check) = self.rules.source(Kind::Line, source) else { return };
                let judge = &mut self.sources[usize::from(source)].channels[usize::from(channel)].lines
                    [usize::from(line)]
                .judge;
                if !is_due(&mut judge.armed, at) {
                    return;
                }
                let next = judge.judge(at, check, &mut self.desk, registry);
                self.timers.arm(key, next, &mut judge.armed);
            }
            TimerKey::Clock(source) => {
                let clock = &mut self.sources[usize::from(source)].clock;
                if !is_due(&mut clock.armed, at) {
                    return;
                }
                let next = clock.judge(at, &mut self.desk, registry);
                self.timers.arm(key, next, &mut clock.armed);
            }
            TimerKey::Stale(view) => {
                if is_due(&mut self.views[view as usize].stale.armed, at) {
                    self.judge_stale(at, view, registry);
                }
            }
            TimerKey::View(view) => {
                if is_due(&mut self.views[view as usize].armed, at) {
                    self.judge_view(at, view, registry);
                }
            }
            TimerKey::Pair(pair) => {
                if is_due(&mut self.pairs[pair as usize].armed, at) {
                    self.judge_pair(at, pair, registry);
                }
            }
            TimerKey::Missing(index) => {
                let Some(candidate) = self.candidates.get_mut(index) else { return };
                if !is_due(&mut candidate.armed, at) {
                    return;
                }
                let Some(check) = self.rules.source(Kind::Missing, candidate.source) else { return };
                let silent = self.sources[usize::from(candidate.source)].life.is_silent();
                let next = candidate.judge(at, silent, check, &mut self.desk, registry);
                self.timers.arm(key, next, &mut candidate.armed);
            }
        }
    }

    /// The latest time that anything happened.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Time has come to `now` (its deadlines have been fired by the caller); answers the latest time.
    pub fn advance_to(&mut self, now: u64) -> u64 {
        self.now = self.now.max(now);
        self.now
    }

    /// A source's timestamp.
    #[inline]
    pub fn observe_clock(
        &mut self,
        now: u64,
        place: life::Place,
        ts_ns: u64,
        ts_recv_ns: u64,
        registry: &Registry,
    ) {
        let source = place.source;
        let Some(check) = self.rules.source(Kind::Clock, source) else { return };
        let SourceJudge { clock, channels, .. } = &mut self.sources[usize::from(source)];
        let who = (source, channels[usize::from(place.channel)].name.as_str());
        if let Some(at) = clock.observe(now, who, [ts_ns, ts_recv_ns], check, &mut self.desk, registry) {
            self.timers.arm(TimerKey::Clock(source), at, &mut clock.armed);
        }
    }

    /// The data is over at `now`: accounts are closed, what is open is cleared.
    pub fn finish(&mut self, now: u64, registry: &Registry) {
        self.advance(now, registry);
        self.close_accounts(now);
        for pair in &self.pairs {
            let relation = &mut self.relations[pair.relation as usize];
            if pair.matcher != 0 {
                add(&mut relation.unmatched, self.rare.matchers[pair.matcher].pending());
            }
        }
        for (relation, packets) in self.relations.iter_mut().zip(&self.packets) {
            if let Some(packets) = packets {
                add(&mut relation.unmatched, packets.pending());
            }
        }
        self.desk.clear_all(now, "end_of_data", registry);
    }

    #[inline]
    fn record_match(&mut self, relation: usize, now: u64, matched: Option<Match>, given_up: [u64; 2]) {
        add(&mut self.relations[relation].unmatched, given_up);
        let Some(Match { lead_ns }) = matched else { return };
        let figures = &mut self.relations[relation];
        let [latest, before, _] = figures.recent_leads;
        figures.recent_leads = [lead_ns, latest, before];
        figures.matched += 1;
        figures.led[match lead_ns.signum() {
            1 => 0,
            -1 => 1,
            _ => 2,
        }] += 1;
        self.recorder.record(self.series[relation], now, lead_ns);
    }
}

fn add(total: &mut [u64; 2], more: [u64; 2]) {
    total.iter_mut().zip(more).for_each(|(t, m)| *t += m);
}

fn source_judge(source: &crate::config::Source) -> SourceJudge {
    let channels = source.channels.iter().enumerate().map(|(i, channel)| ChannelJudge {
        name: channel.name.clone(),
        lines: channel
            .lines
            .iter()
            .map(|l| LineLife { name: l.name.clone(), ..Default::default() })
            .collect(),
        separate: channel.has_separate_interfaces(),
        ordinal: i as u16,
        ..Default::default()
    });
    SourceJudge { channels: channels.collect(), ..Default::default() }
}

/// Whether an arrival at one source proves that something should arrive at the other.
fn related(config: &Config, a: usize, b: usize) -> bool {
    let (a, b) = (&config.sources[a], &config.sources[b]);
    a.feed == b.feed || (a.venue.is_some() && a.venue == b.venue)
}

/// The sides in the order in which they are judged.
const SIDES: [Side; 2] = [Side::Bid, Side::Ask];
