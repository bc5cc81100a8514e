//! The comparator thread: takes the notes of all receivers in order of time, and lets deadlines fire on time when
//! nothing comes.
//!
//! A step is judged when no receiver can still send an earlier one, which their promises tell. It is the only place
//! where sources meet, and it does what a replay does: the order is a function of times and numbers alone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError};

use super::board::JudgeBoard;
use super::keep::Keep;
use super::link::{Item, Receiver};
use super::status::{AlertCount, ComparatorStatus, HeldCount, PairStatus, StageStatus};
use crate::latency::{Percentiles, SeriesId, point};
use crate::pipeline::{Class, Judge, Step};
use crate::source::clock;
use crate::store::{QuoteSender, StoreSender};

/// Records of alerts for the reporter.
pub type AlertLines = Vec<u8>;

/// How often other threads are shown how it goes.
const SHOW_NS: u64 = 500_000_000;
/// Bytes of alert records that wait for a slow reporter at most.
const LINES_MAX: usize = 64 << 20;
/// A receiver whose promise is so far behind the clock no longer holds the others up.
const STALLED_NS: u64 = 2_000_000_000;

/// Everything that the comparator thread owns.
pub struct ComparatorThread {
    judge: Judge,
    links: Vec<Receiver>,
    reporter: Sender<AlertLines>,
    wake: Box<dyn Fn() + Send>,
    board: Arc<Mutex<JudgeBoard>>,
    alerted: [SeriesId; 2],
    keep: Keep,
    names: Vec<String>,
    core: Option<usize>,
    sleeps: Option<Duration>,
    timers: u64,
    timer_late_max_ns: u64,
    stalls: u64,
    lost: u64,
    shown_ns: u64,
}

/// How a comparator is set up.
pub struct Settings {
    /// Where records go.
    pub reporter: Sender<AlertLines>,
    /// Wakes the reporter.
    pub wake: Box<dyn Fn() + Send>,
    /// What others are shown.
    pub board: Arc<Mutex<JudgeBoard>>,
    /// Core that it is pinned to.
    pub core: Option<usize>,
    /// How long it may sleep when there is nothing to do; `None`: it has a core of its own and never sleeps.
    pub sleeps: Option<Duration>,
    /// Names of sources and composites.
    pub names: Vec<String>,
    /// The store, where there is one.
    pub store: Option<StoreSender>,
    /// Files of quotes, where they are wanted.
    pub quotes: Option<QuoteSender>,
}

impl ComparatorThread {
    /// The watch begins at `start_ns`.
    pub fn new(mut judge: Judge, links: Vec<Receiver>, settings: Settings, start_ns: u64) -> Self {
        let recorder = &mut judge.comparator.recorder;
        let alerted = [
            recorder.series("alerts", point::TS_RECV, point::ALERTED),
            recorder.series("alerts", point::DUE, point::ALERTED),
        ];
        judge.advance(start_ns);
        judge.start(start_ns);
        let Settings { reporter, wake, board, core, sleeps, names, store, quotes } = settings;
        let (timers, timer_late_max_ns, stalls, lost, shown_ns) = (0, 0, 0, 0, 0);
        ComparatorThread {
            judge,
            links,
            reporter,
            wake,
            board,
            alerted,
            keep: Keep::new(store, quotes),
            names,
            core,
            sleeps,
            timers,
            timer_late_max_ns,
            stalls,
            lost,
            shown_ns,
        }
    }

    /// Runs until every receiver has ended; answers the judge, for the last summary.
    pub fn run(mut self) -> Judge {
        let mut idle = 0u32;
        loop {
            let (head, bound) = self.look();
            match head {
                Some((step, link)) if step.now_ns < bound || bound == u64::MAX => {
                    self.step(step, link);
                    self.keep.pass_on(&mut self.judge);
                    idle = 0;
                    continue;
                }
                None if bound == u64::MAX => break,
                _ => {}
            }
            let until = head.map_or(bound, |(step, _)| step.now_ns.min(bound));
            self.fire_before(until);
            if until != u64::MAX {
                self.judge.beat(until);
            }
            self.keep.pass_on(&mut self.judge);
            self.show();
            idle = idle.saturating_add(1);
            match self.sleeps {
                Some(longest) if idle > 64 => std::thread::park_timeout(longest),
                _ => std::hint::spin_loop(),
            }
        }
        let end = self.judge.now();
        self.judge.finish(end);
        self.keep.copy(self.judge.take_alerts());
        self.keep.finish(&mut self.judge);
        self.tell(true);
        self.shown_ns = 0;
        self.show();
        self.judge
    }

    /// The earliest step that can be seen, and the time up to which nothing else can come.
    fn look(&mut self) -> (Option<(Step, usize)>, u64) {
        let (mut head, mut bound): (Option<(Step, usize)>, u64) = (None, u64::MAX);
        let mut newest = 0;
        for at in 0..self.links.len() {
            // The promise first: whatever was sent before it can be seen afterwards.
            let promised = self.links[at].watermark();
            newest = newest.max(if promised == u64::MAX { 0 } else { promised });
            match self.links[at].head() {
                Some(step) if head.is_none_or(|(first, _)| step < first) => head = Some((step, at)),
                Some(_) => {}
                None if self.links[at].is_over() => {}
                None => bound = bound.min(promised),
            }
        }
        if bound != u64::MAX && bound.saturating_add(STALLED_NS) < newest {
            self.stalls += 1;
            return (head, newest - STALLED_NS);
        }
        (head, bound)
    }

    /// Judges one step whole.
    fn step(&mut self, step: Step, link: usize) {
        self.fire_before(step.checks_until_ns());
        self.links[link].measure();
        self.links[link].look_ahead(&mut self.judge);
        loop {
            match self.links[link].pop() {
                Some(Item::Begin(step)) => self.judge.begin(&step),
                Some(Item::Note(note)) => self.judge.take(&note),
                Some(Item::End) => break,
                // The receiver is in the middle of writing it.
                None if self.links[link].is_over() => break,
                None => std::hint::spin_loop(),
            }
        }
        if !self.judge.take_alerts().is_empty() {
            if step.class == Class::Datagram {
                self.record_alerted(0, step.now_ns);
            }
            self.tell(false);
        }
    }

    /// Fires the deadlines of the checks that lie before `until`, each at its own time.
    fn fire_before(&mut self, until: u64) {
        while let Some(at) = self.judge.next_timeout().filter(|at| *at < until) {
            self.judge.advance(at);
            self.timers += 1;
            if !self.judge.take_alerts().is_empty() {
                self.record_alerted(1, at);
                let late = clock::wall_now_ns().saturating_sub(at);
                self.timer_late_max_ns = self.timer_late_max_ns.max(late);
                self.tell(false);
            }
        }
    }

    fn record_alerted(&mut self, series: usize, since_ns: u64) {
        let now = self.judge.now();
        let took = clock::wall_now_ns().saturating_sub(since_ns);
        self.judge.comparator.recorder.record(self.alerted[series], now, took as i64);
    }

    /// Hands records over. A reporter that has no room gets them later; what waits is bounded.
    fn tell(&mut self, last: bool) {
        let lines = self.judge.take_alerts();
        if lines.is_empty() {
            return;
        }
        self.keep.copy(lines);
        let batch = std::mem::take(lines);
        let sent = if last {
            self.reporter.send(batch).map_err(|e| e.0)
        } else {
            self.reporter.try_send(batch).map_err(|e| match e {
                TrySendError::Full(batch) | TrySendError::Disconnected(batch) => batch,
            })
        };
        match sent {
            Ok(()) => {
                self.keep.lines_went();
                (self.wake)();
            }
            Err(batch) if batch.len() > LINES_MAX => {
                self.keep.lines_went();
                self.lost += batch.len() as u64;
            }
            Err(batch) => *self.judge.take_alerts() = batch,
        }
    }

    fn show(&mut self) {
        let now = self.judge.now();
        if now < self.shown_ns.saturating_add(SHOW_NS) {
            return;
        }
        self.shown_ns = now;
        self.tell(false);
        let Ok(mut board) = self.board.try_lock() else { return };
        let comparator = &self.judge.comparator;
        board.comparator = ComparatorStatus {
            core: self.core,
            now_ns: now,
            instruments: self.judge.registry.instruments() as u64,
            views: self.judge.registry.views.len() as u64,
            pairs: comparator.relations().iter().map(|r| r.pairs).sum(),
            updates: self.judge.updates,
            timers: self.timers,
            timer_late_max_ns: self.timer_late_max_ns,
            open: comparator.desk.alerts.open() as u64,
        };
        board.stages = stages(&comparator.recorder);
        board.pairs = pairs(&self.judge, &self.names, &board.stages);
        board.alerts = alerts(&comparator.desk.alerts);
        let held = comparator.desk.held.iter();
        board.held = held
            .map(|((kind, reason), count)| HeldCount {
                kind: kind.name().to_owned(),
                reason: (*reason).to_owned(),
                count: *count,
            })
            .collect();
        board.silent = comparator.silent();
        board.lost_alert_bytes = self.lost;
        board.stalls = self.stalls;
        board.overruns = self.judge.overruns;
    }
}

fn stages(recorder: &crate::latency::Recorder) -> Vec<StageStatus> {
    let known = recorder.summary().into_iter().filter(|s| s.count > 0);
    known
        .map(|s| {
            let quantile = |n: usize| s.percentiles.as_ref().map_or(0, |Percentiles(p)| p[n]);
            StageStatus {
                source: s.name.source.clone(),
                from: s.name.from.clone(),
                to: s.name.to.clone(),
                count: s.count,
                p50_ns: quantile(1),
                p90_ns: quantile(2),
                p99_ns: quantile(4),
                p999_ns: quantile(5),
                max_ns: s.max.unwrap_or(0),
            }
        })
        .collect()
}

fn pairs(judge: &Judge, names: &[String], stages: &[StageStatus]) -> Vec<PairStatus> {
    let relations = judge.comparator.relations().iter().filter(|r| r.pairs > 0 || r.matched > 0);
    relations
        .map(|relation| {
            let sources = relation.sources.map(|s| names[usize::from(s)].clone());
            let lead = stages
                .iter()
                .find(|s| s.source.is_empty() && s.from == sources[0] && s.to == sources[1])
                .map_or(0, |s| s.p50_ns);
            PairStatus {
                sources,
                comparable_ns: relation.comparable_ns,
                agreed_ns: relation.agree_ns,
                matched: relation.matched,
                lead_p50_ns: lead,
            }
        })
        .collect()
}

fn alerts(book: &crate::alert::AlertBook) -> Vec<AlertCount> {
    let open = book.open_by_kind();
    let mut out: Vec<AlertCount> = Vec::new();
    for ((kind, severity), raised) in &book.tally.raised {
        out.push(AlertCount {
            kind: kind.name().to_owned(),
            severity: severity.name().to_owned(),
            raised: *raised,
            open: open.get(&(*kind, *severity)).copied().unwrap_or(0),
        });
    }
    for ((kind, severity), open) in &open {
        if !book.tally.raised.contains_key(&(*kind, *severity)) {
            let (kind, severity) = (kind.name().to_owned(), severity.name().to_owned());
            out.push(AlertCount { kind, severity, raised: 0, open: *open });
        }
    }
    out
}
