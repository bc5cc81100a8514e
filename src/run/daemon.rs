//! From a configuration to running threads, and back to none.
//!
//! Everything that can fail is opened before anything runs: sockets, files, shared memory. Then privileges are
//! dropped, the threads start, and this thread becomes the reporter until it is told to stop.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::board::{JudgeBoard, ReceiverBoard};
use super::comparator::{ComparatorThread, Settings};
use super::link::{self, Gauge};
use super::receiver::{ReceiverThread, Stop, Work};
use super::scribe::{Copy, Scribe};
use super::shelves::Shelves;
use crate::config::live::{Mode, ReceiverPlan, RunPlan};
use crate::config::{Config, Interface};
use crate::latency::{Recorder as Histograms, StageClock};
use crate::lock::Locked;
use crate::pipeline::{Feeder, Judge, Stages, Timed};
use crate::source::clock::{self, WallClock};
use crate::source::multicast::{self, Health, Keeper as NetKeeper, NetEvent, Receiver};
use crate::source::recorder::{OutflowMonitor, Recorder, RecorderMonitor, RecorderSettings};
use crate::store::{
    Captures, Manner, MessageThread, QuoteThread, Reopen, Retention, RowNames, RunFacts, StoreError,
    StoreThread, Writer,
};

/// Bytes between a receiver and the recorder.
const RECORDER_RING: usize = 64 << 20;
/// How long a comparator sleeps that receivers wake.
const NAP: Duration = Duration::from_millis(2);
/// How long one sleeps that nobody wakes.
const SHORT_NAP: Duration = Duration::from_micros(200);
/// Figures are told so often, and what was told is committed after that: a kill loses no more than both together.
const BEAT_NS: u64 = 500_000_000;
const COMMIT_AFTER: Duration = Duration::from_millis(100);
/// How long threads may take to end.
const PATIENCE: Duration = Duration::from_millis(800);
/// Batches of alert records that wait for the reporter at most.
const BATCHES: usize = 4_096;

/// A receiver as others see it.
pub struct ReceiverHandle {
    /// Its plan.
    pub plan: ReceiverPlan,
    /// What it shows.
    pub board: Arc<Mutex<ReceiverBoard>>,
    /// Its ring.
    pub gauge: Arc<Gauge>,
    /// Size of its ring.
    pub ring_size: usize,
    /// Its sockets.
    pub health: Health,
    thread: JoinHandle<ReceiverBoard>,
}

/// What may change while the threads run; each looks when it passes by.
#[derive(Debug, Default)]
pub struct Wishes {
    rejoin_after_ns: AtomicU64,
    keep_size: AtomicU64,
    keep_time_ns: AtomicU64,
}

impl Wishes {
    /// Takes over what the configuration now says.
    pub fn take(&self, live: &crate::config::live::Live) {
        // Relaxed: each number is all that is told.
        self.rejoin_after_ns.store(live.run.rejoin_after_ns, Ordering::Relaxed);
        if let Some(recorder) = &live.recorder {
            self.keep_size.store(recorder.keep_size, Ordering::Relaxed);
            self.keep_time_ns.store(recorder.keep_time_ns, Ordering::Relaxed);
        }
    }
}

/// The running threads.
pub struct Threads {
    /// What may be changed.
    pub wishes: Arc<Wishes>,
    /// Receivers.
    pub receivers: Vec<ReceiverHandle>,
    /// What the comparator shows.
    pub judge: Arc<Mutex<JudgeBoard>>,
    /// The recorder's state.
    pub recorder: Option<RecorderMonitor>,
    /// The store.
    pub store: Option<StoreThread>,
    /// Files of quotes.
    pub quotes: Option<QuoteThread>,
    /// Files of messages, and what of the datagrams never came to them.
    pub messages: Option<(MessageThread, OutflowMonitor)>,
    /// Records of alerts.
    pub alerts: crossbeam_channel::Receiver<Vec<u8>>,
    /// What happened to lines and interfaces.
    pub events: crossbeam_channel::Receiver<NetEvent>,
    /// When everything began.
    pub started_ns: u64,
    stop: Arc<Stop>,
    comparator: JoinHandle<Judge>,
    others: Vec<JoinHandle<()>>,
    /// Held locked as long as files are written there.
    _recordings: Option<Locked>,
    ending: Arc<std::sync::atomic::AtomicBool>,
}

/// What is opened and not yet running.
pub struct Opened {
    plan: RunPlan,
    receivers: Vec<(Receiver, Option<crate::source::recorder::Keeper>, Shelves)>,
    recorder: Option<Recorder>,
    recordings: Option<Locked>,
    store: Option<Writer>,
    /// What the machine did not grant, in sentences.
    pub troubles: Vec<String>,
}

impl Opened {
    /// Opens sockets, recordings and shared memory.
    ///
    /// # Errors
    /// The first that cannot be opened, in one sentence.
    pub fn open(config: &Config, plan: RunPlan, now_ns: u64) -> Result<Opened> {
        let live = &config.live;
        let (mut recorder, mut keepers, mut recordings) = (None, Vec::new(), None);
        if let Some(settings) = &live.recorder {
            let names: Vec<Vec<String>> =
                plan.receivers.iter().map(|r| r.lines.iter().map(|l| l.name.clone()).collect()).collect();
            let (made, given) = Recorder::new(
                RecorderSettings {
                    directory: settings.directory.clone(),
                    file_size: settings.file_size,
                    file_time_ns: settings.file_time_ns,
                    keep_size: settings.keep_size,
                    keep_time_ns: settings.keep_time_ns,
                    ring_bytes: RECORDER_RING,
                    product: concat!("parallax ", env!("CARGO_PKG_VERSION")).to_owned(),
                },
                &names,
            );
            recorder = Some(made);
            keepers = given;
            recordings = lock_recordings(&settings.directory)?;
        }
        let mut keepers = keepers.into_iter();
        let mut receivers = Vec::new();
        for receiver in &plan.receivers {
            let lines: Vec<multicast::LinePlan> = receiver.lines.iter().map(line_plan).collect();
            let options = multicast::Options {
                receive_buffer: usize::try_from(live.run.receive_buffer).unwrap_or(usize::MAX),
                rejoin_after_ns: live.run.rejoin_after_ns,
                mode: match live.run.mode {
                    Mode::Spin => multicast::Mode::Spin,
                    Mode::Block => multicast::Mode::Block,
                },
                ..multicast::Options::default()
            };
            let net = Receiver::open(&lines, &options)?;
            let shelves = Shelves::create(config, &receiver.sources, now_ns)?;
            receivers.push((net, keepers.next(), shelves));
        }
        let store = config.live.store.as_ref().map(|store| begin_run(store, config, now_ns)).transpose()?;
        Ok(Opened { plan, receivers, recorder, recordings, store, troubles: Vec::new() })
    }

    /// Starts the threads. `wake` wakes the reporter.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start(self, config: &Config, wake: impl Fn() + Send + Sync + 'static) -> Result<Threads> {
        let started_ns = clock::wall_now_ns();
        let live = &config.live;
        let wake = Arc::new(wake);
        let stop = Arc::new(Stop::new());
        let sleeps = live.run.mode == Mode::Block;
        let (links, listeners): (Vec<_>, Vec<_>) =
            self.receivers.iter().map(|_| link::link(live.run.ring)).unzip();
        let (sender, alerts) = crossbeam_channel::bounded(BATCHES);
        let board = Arc::new(Mutex::new(JudgeBoard::default()));
        let keep = live.store.as_ref().map(|store| Retention {
            keep_time_ns: Some(store.keep_time_ns),
            keep_size: Some(store.keep_size),
        });
        let store = match (self.store, keep, &live.store) {
            (Some(writer), Some(retention), Some(store)) => {
                let (store, config) = (store.clone(), config.clone());
                let reopen = move |now_ns| begin_run(&store, &config, now_ns);
                let steadfast: Option<Reopen> = Some(Box::new(reopen));
                let manner = Manner { retention, commit_after: COMMIT_AFTER, steadfast };
                let started = StoreThread::start(writer, manner, || settle_on(None, None));
                Some(started.context("the thread `store` cannot be started")?)
            }
            _ => None,
        };
        let quotes =
            live.store.as_ref().and_then(|store| write_quotes(store, config, started_ns)).transpose()?;
        let messages_to = live.store.as_ref().and_then(|store| store.parquet_messages.as_ref());
        let writer = messages_to.map(|to| write_messages(to, config, &self.plan, started_ns)).transpose()?;
        let comparator = {
            let wake = Arc::clone(&wake);
            let settings = Settings {
                reporter: sender,
                wake: Box::new(move || wake()),
                board: Arc::clone(&board),
                core: self.plan.comparator_core,
                sleeps: match (sleeps, self.plan.comparator_core) {
                    (true, _) => Some(NAP),
                    // Waking it would cost a spinning receiver more than its core is worth: it looks by itself.
                    (false, None) => Some(SHORT_NAP),
                    (false, Some(_)) => None,
                },
                names: config.comparands(),
                store: store.as_ref().map(StoreThread::sender),
                quotes: quotes.as_ref().map(QuoteThread::sender),
            };
            let clock: Box<dyn StageClock + Send> = Box::new(WallClock);
            let timed = (Timed::Live, Some(clock));
            let mut judge = Judge::new(config, &[], Histograms::without_log(), timed, false);
            if store.is_some() {
                judge.keep_figures(BEAT_NS);
            }
            if quotes.is_some() {
                judge.keep_tape();
            }
            let thread = ComparatorThread::new(judge, listeners, settings, started_ns);
            let (core, realtime) = (self.plan.comparator_core, live.run.realtime);
            spawn("comparator", move || {
                settle_on(core, realtime);
                thread.run()
            })?
        };
        let (event_sender, events) = crossbeam_channel::bounded(1_024);
        let count = self.receivers.len() as u16;
        let (mut receivers, mut tended) = (Vec::new(), Vec::new());
        let parts = self.plan.receivers.iter().zip(self.receivers).zip(links).enumerate();
        for (number, ((plan, (mut net, keeper, shelves)), mut link)) in parts {
            if sleeps {
                link.wakes(comparator.thread().clone());
            }
            tended.extend(net.take_keeper());
            let mut feeder = Feeder::new(config, &plan.sources, Stages::Live(Box::new(WallClock)), 0);
            if store.is_some() {
                feeder.keep_figures(BEAT_NS);
            }
            let lines = plan.lines.iter().map(|l| place(&feeder, l)).collect::<Result<Vec<_>>>()?;
            let (gauge, health) = (link.gauge(), net.health());
            let board = Arc::new(Mutex::new(ReceiverBoard::default()));
            let work = Work {
                feeder,
                lines,
                keeper,
                link,
                shelves,
                number: (number as u16, count),
                notes: Vec::with_capacity(4_096),
                file: None,
                after_end: 0,
            };
            let thread = ReceiverThread { net, work, stop: Arc::clone(&stop), board: Arc::clone(&board) };
            let (core, realtime) = (plan.core, live.run.realtime);
            let thread = spawn(&format!("receiver-{number}"), move || {
                settle_on(core, realtime);
                thread.run()
            })?;
            let (plan, ring_size) = (plan.clone(), live.run.ring);
            receivers.push(ReceiverHandle { plan, board, gauge, ring_size, health, thread });
        }
        let wishes = Arc::new(Wishes::default());
        wishes.take(live);
        let ending = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let mut others = vec![spawn("tender", {
            let (ending, wishes) = (Arc::clone(&ending), Arc::clone(&wishes));
            move || {
                settle_on(None, None);
                tend(tended, &event_sender, &ending, &wishes);
            }
        })?];
        let recorder = self.recorder.as_ref().map(Recorder::monitor);
        let mut messages = None;
        if let Some(mut recorder) = self.recorder {
            if let Some(thread) = writer {
                let (outflow, scribe) = (recorder.tap(), scribe(config, &self.plan, &thread)?);
                messages = Some((thread, outflow.monitor()));
                others.push(spawn("messages", move || {
                    settle_behind();
                    scribe.run(outflow);
                })?);
            }
            recorder.watched_from(started_ns);
            let kept = Arc::clone(&wishes);
            others.push(spawn("recorder", move || {
                settle_on(None, None);
                record(recorder, &kept);
            })?);
        }
        let judge = board;
        Ok(Threads {
            wishes,
            receivers,
            judge,
            recorder,
            store,
            quotes,
            messages,
            alerts,
            events,
            started_ns,
            stop,
            comparator,
            others,
            _recordings: self.recordings,
            ending,
        })
    }
}

impl Threads {
    /// Ends everything: what was received up to now still counts. Answers the judge, for the last words; `None` when
    /// the comparator died. `drain` is called while the threads end.
    pub fn stop(
        self,
        mut drain: impl FnMut(&crossbeam_channel::Receiver<Vec<u8>>),
    ) -> (Option<Judge>, Vec<ReceiverBoard>) {
        self.stop.at(clock::wall_now_ns());
        self.ending.store(true, std::sync::atomic::Ordering::Relaxed);
        let until = clock::monotonic_now() + PATIENCE;
        while !self.comparator.is_finished() {
            drain(&self.alerts);
            if clock::monotonic_now() > until {
                // Whatever hangs must not keep what was found from the log.
                return (None, Vec::new());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let boards = self.receivers.into_iter().filter_map(|r| r.thread.join().ok()).collect();
        let judge = self.comparator.join().ok();
        drain(&self.alerts);
        if let (Some(store), Some(_)) = (self.store, &judge)
            && let Err(error) = store.finish(Vec::new())
        {
            super::reporter::say(&error.to_string());
        }
        if let (Some(quotes), Some(_)) = (self.quotes, &judge)
            && let Err(error) = quotes.finish()
        {
            super::reporter::say(&error.to_string());
        }
        for thread in self.others {
            // A helper that died has said so; there is nothing left to save in it.
            let _ = thread.join();
        }
        if let Some(state) = self.recorder.map(|recorder| recorder.state()) {
            let lost = state.not_kept + state.not_written;
            let why = if state.error.is_empty() { String::new() } else { format!(": {}", state.error) };
            if lost > 0 {
                super::reporter::say(&format!("the recorder: {lost} datagrams were never written{why}"));
            }
        }
        // The recorder has ended, and after it who decodes what it took.
        if let Some((messages, _)) = self.messages
            && let Err(error) = messages.finish()
        {
            super::reporter::say(&error.to_string());
        }
        (judge, boards)
    }

    /// Threads that ended without having been told to.
    pub fn dead(&self) -> Vec<String> {
        let receivers = self.receivers.iter().enumerate();
        let mut dead: Vec<String> = receivers
            .filter(|(_, r)| r.thread.is_finished())
            .map(|(n, _)| format!("receiver {n} has died"))
            .collect();
        if self.comparator.is_finished() {
            dead.push("the comparator has died".to_owned());
        }
        dead
    }
}

fn spawn<T: Send + 'static>(name: &str, body: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(body).with_context(|| format!("the thread `{name}` cannot be started"))
}

/// Takes the thread to its core, and gives up every right, which are each thread's own. What is refused was found by the
/// doctor and said at start; it runs all the same.
fn settle_on(core: Option<usize>, realtime: Option<u8>) {
    use crate::source::cores;
    if let Some(core) = core {
        let _ = cores::pin(core);
        if let Some(priority) = realtime {
            let _ = cores::sched_fifo(priority);
        }
    }
    let _ = super::privileges::drop_all();
}

/// The same for a thread whose work can wait: files of rows are for later, alerts for now.
fn settle_behind() {
    settle_on(None, None);
    let _ = crate::source::cores::step_back();
}

fn line_plan(line: &crate::config::live::LinePlan) -> multicast::LinePlan {
    multicast::LinePlan {
        name: line.name.clone(),
        group: line.group.into(),
        interface: match &line.interface {
            None => multicast::Interface::Any,
            Some(Interface::Address(std::net::IpAddr::V4(address))) => {
                multicast::Interface::Address(*address)
            }
            Some(other) => multicast::Interface::Name(other.to_string()),
        },
        sender: line.sender,
    }
}

/// Recordings of two daemons in one folder would be replayed as one. What cannot be opened or locked is the recorder's to
/// say.
fn lock_recordings(folder: &Path) -> Result<Option<Locked>> {
    let Ok(file) = File::open(folder) else { return Ok(None) };
    match Locked::hold(file) {
        Err(TryLockError::WouldBlock) => {
            bail!("another daemon records into {}; give [recorder] another `directory`", folder.display())
        }
        result => Ok(result.ok()),
    }
}

/// Begins the run's life in the store.
fn begin_run(store: &crate::config::live::Store, config: &Config, now_ns: u64) -> Result<Writer, StoreError> {
    let folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
    let facts = RunFacts {
        live: true,
        command: crate::store::command_line(),
        folder,
        config: std::fs::read_to_string(&config.path).unwrap_or_default(),
        interval_ns: store.interval_ns,
        began_ns: now_ns,
        parquet: store.parquet.as_ref().map(|folder| folder.display().to_string()),
    };
    Writer::begin(crate::store::open_write(&store.path)?, &facts, config)
}

/// Starts what writes quotes, where they are wanted.
fn write_quotes(
    store: &crate::config::live::Store,
    config: &Config,
    now_ns: u64,
) -> Option<Result<QuoteThread, StoreError>> {
    let folder = store.parquet.as_ref()?;
    let rotate = Duration::from_nanos(store.parquet_rotate_ns);
    Some(QuoteThread::start(
        folder,
        RowNames::of(config, Captures::default()),
        (now_ns, rotate),
        settle_behind,
    ))
}

/// Starts what writes messages.
fn write_messages(folder: &Path, config: &Config, plan: &RunPlan, now_ns: u64) -> Result<MessageThread> {
    let store = config.live.store.as_ref();
    let rotate = Duration::from_nanos(store.map_or(0, |store| store.parquet_rotate_ns));
    let names = RowNames::of(config, Captures::Recorded { receivers: plan.receivers.len() as u32 });
    Ok(MessageThread::start(folder, names, (now_ns, rotate), settle_behind)?)
}

/// What decodes messages: every receiver once more.
fn scribe(config: &Config, plan: &RunPlan, thread: &MessageThread) -> Result<Scribe> {
    let copy = |plan: &ReceiverPlan| {
        let feeder = Feeder::new(config, &plan.sources, Stages::Off, 0);
        let lines = plan.lines.iter().map(|l| place(&feeder, l)).collect::<Result<Vec<_>>>()?;
        Ok(Copy { feeder, lines })
    };
    Ok(Scribe::new(plan.receivers.iter().map(copy).collect::<Result<_>>()?, thread.sender()))
}

/// Where a line's datagrams go in the feeder.
fn place(feeder: &Feeder, line: &crate::config::live::LinePlan) -> Result<(usize, u16, String)> {
    let wanted = (line.source as u16, line.channel as u16);
    let found = feeder.channels.iter().position(|c| (c.core.place.source, c.core.place.channel) == wanted);
    let channel = found.ok_or_else(|| anyhow!("line {} belongs to no channel of its receiver", line.name))?;
    Ok((channel, line.line as u16, line.name.clone()))
}

/// Looks after joins, interfaces and the kernel's own counts, once a second.
fn tend(
    mut keepers: Vec<NetKeeper>,
    events: &crossbeam_channel::Sender<NetEvent>,
    ending: &std::sync::atomic::AtomicBool,
    wishes: &Wishes,
) {
    let mut due = 0;
    while !ending.load(std::sync::atomic::Ordering::Relaxed) {
        let now = clock::wall_now_ns();
        if now >= due {
            due = now + 1_000_000_000;
            let rejoin_after_ns = wishes.rejoin_after_ns.load(Ordering::Relaxed);
            keepers.iter_mut().for_each(|k| k.rejoin_after(rejoin_after_ns));
            for event in keepers.iter_mut().flat_map(|k| k.tend(now)) {
                // A reporter that does not take them has other troubles; they are in the counters too.
                let _ = events.try_send(event);
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Writes recordings until every receiver has ended.
fn record(mut recorder: Recorder, wishes: &Wishes) {
    while !recorder.is_finished() {
        let [size, time_ns] = [&wishes.keep_size, &wishes.keep_time_ns].map(|w| w.load(Ordering::Relaxed));
        recorder.keep(size, time_ns);
        if !recorder.step(clock::wall_now_ns()) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
