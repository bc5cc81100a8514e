//! The reporter: what the comparator found, told to people and programs; what they ask, answered.
//!
//! It runs on the thread that started the daemon and sleeps in one poll: signals, the control socket, the pages for
//! Prometheus, and a waker for alert records. Nothing that it does can hold up a receiver or the comparator.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

use super::board;
use super::control::{Access, Control, Desk};
use super::daemon::{Threads, Wishes};
use super::outlets::{
    AlertLog, LogOptions, LogTarget, Notice, Outlets, Syslog, SyslogTarget, Webhook, WebhookOptions,
};
use super::service::{Manager, Request, Signals};
use super::status::{NotStored, ReceiverStatus, RecorderStatus, Status, StoreStatus};
use super::ways_out::{self, WaysOut};
use super::web::{self, Web};
use crate::alert::console::{self, Console};
use crate::config::live::{self, Alerts, Change};
use crate::config::{Config, Severity};
use crate::source::clock;
use crate::store::{Batch, HostClock, QuoteThread, StoreSender, StoreState, StoreThread};

const WAKE: Token = Token(0);
const SIGNALS: [Token; 2] = [Token(1), Token(2)];
const WEB: usize = 100;
const CONTROL: usize = 1_000;

/// How often the snapshot is made anew.
const SNAPSHOT: Duration = Duration::from_millis(250);
/// How long outlets may take to send what is left at the end.
const LAST_WORDS: Duration = Duration::from_millis(700);
/// Bytes of the operators' journal beyond which it is begun anew with what still matters.
const JOURNAL_MAX: u64 = 4 << 20;

/// Bytes of the store's log beyond which somebody keeps it from being begun anew.
const STORE_LOG_MAX: u64 = 256 << 20;

/// Why the daemon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Told,
    /// The time it was given is over.
    TimeOver,
    /// A thread died.
    Died,
}

/// What the control socket and the pages see.
struct Front {
    status: Status,
    console: Console,
    journal: Journal,
}

impl Desk for Front {
    fn now_ns(&self) -> u64 {
        clock::wall_now_ns()
    }
    fn status(&self) -> &Status {
        &self.status
    }
    fn console(&mut self) -> &mut Console {
        &mut self.console
    }
    fn remember(&mut self) {
        self.journal.append(&mut self.console);
    }
}

/// The operators' journal: acknowledgements and shelves outlive the daemon.
struct Journal {
    path: PathBuf,
    file: Option<File>,
    error: String,
    /// The store, where there is one, and lines that found no room there.
    store: Option<StoreSender>,
    waiting: Vec<u8>,
}

impl Journal {
    fn open(path: PathBuf, console: &mut Console, now_ns: u64) -> Journal {
        if let Ok(text) = fs::read(&path) {
            console.restore(now_ns, &text);
        }
        let mut journal =
            Journal { path, file: None, error: String::new(), store: None, waiting: Vec::new() };
        journal.begin(&console.journal_of_now());
        journal
    }

    /// Begins it anew with `text`; the old one stays until the new one is whole.
    fn begin(&mut self, text: &[u8]) {
        let next = self.path.with_extension("new");
        let made = fs::write(&next, text)
            .and_then(|()| fs::rename(&next, &self.path))
            .and_then(|()| OpenOptions::new().append(true).open(&self.path));
        match made {
            Ok(file) => {
                self.file = Some(file);
                self.settle(Ok(()));
            }
            Err(e) => self.settle(Err(e)),
        }
    }

    fn append(&mut self, console: &mut Console) {
        let lines = console.take_journal();
        self.keep(&lines);
        if lines.is_empty() {
            return;
        }
        let long = self.file.as_ref().and_then(|f| f.metadata().ok()).is_none_or(|m| m.len() > JOURNAL_MAX);
        if long {
            return self.begin(&console.journal_of_now());
        }
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(&lines));
        self.settle(written);
    }

    /// Hands lines to the store too.
    fn keep(&mut self, lines: &[u8]) {
        let Some(store) = &self.store else { return };
        self.waiting.extend_from_slice(lines);
        if !self.waiting.is_empty() {
            let actions = std::mem::take(&mut self.waiting);
            self.waiting =
                store.try_send(Batch { actions, ..Batch::default() }).map_or(Vec::new(), |b| b.actions);
        }
    }

    fn settle(&mut self, done: io::Result<()>) {
        self.error = match done {
            Ok(()) => String::new(),
            Err(e) => format!("the operators' journal {} cannot be written: {e}", self.path.display()),
        };
    }
}

/// See the module.
pub struct Reporter {
    path: PathBuf,
    config: Config,
    poll: Poll,
    signals: Signals,
    manager: Manager,
    control: Control,
    web: Option<Web>,
    outlets: Outlets,
    front: Front,
    /// What was found at start and stays so.
    standing: Vec<String>,
    /// Places of lines, by receiver.
    places: Vec<Vec<[usize; 3]>>,
    snapshot: Instant,
    alive: Instant,
    /// When the machine's clock is looked at next, for the store.
    clock_ns: u64,
    refused_lines: u64,
    ways_out: WaysOut,
}

impl Reporter {
    /// Opens the control socket and the pages.
    ///
    /// # Errors
    /// What cannot be opened, in one sentence.
    pub fn open(
        path: &Path,
        config: &Config,
        directory: &Path,
        standing: Vec<String>,
    ) -> Result<(Reporter, Arc<Waker>)> {
        let poll = Poll::new().context("no poll can be made")?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE).context("no waker can be made")?);
        let signals = Signals::take_over().context("signals cannot be taken over")?;
        for (fd, token) in signals.descriptors().into_iter().zip(SIGNALS) {
            register_fd(&poll, fd, token)?;
        }
        let mut control =
            Control::open(&super::control::place::socket(directory, &config.live.run.name), Access::Group)?;
        control.register(poll.registry(), Token(CONTROL)).context("the control socket cannot be watched")?;
        let web = match config.live.metrics.listen {
            Some(address) => Some(open_web(address, &poll)?),
            None => None,
        };
        let mut console = Console::new(console_settings(&config.live.alerts));
        let journal = directory.join(format!("{}.operators.ndjson", config.live.run.name));
        let journal = Journal::open(journal, &mut console, clock::wall_now_ns());
        let now = clock::monotonic_now();
        let reporter = Reporter {
            path: path.to_owned(),
            config: config.clone(),
            outlets: Outlets::new(),
            poll,
            signals,
            manager: Manager::here(),
            control,
            web,
            front: Front { status: Status::default(), console, journal },
            standing,
            places: Vec::new(),
            snapshot: now,
            alive: now,
            clock_ns: 0,
            refused_lines: 0,
            ways_out: WaysOut::default(),
        };
        Ok((reporter, waker))
    }

    /// Starts the ways out for alerts: with them come threads, which inherit the rights of this one.
    ///
    /// # Errors
    /// What cannot be started, in one sentence.
    pub fn start_outlets(&mut self) -> Result<()> {
        self.outlets = outlets(&self.config.live.alerts)?;
        Ok(())
    }

    /// Reports until it is told to stop, the time is over, or a thread has died.
    ///
    /// # Errors
    /// A poll that fails.
    pub fn run(&mut self, threads: &Threads, until: Option<Instant>) -> Result<Ended> {
        self.places = threads
            .receivers
            .iter()
            .map(|r| r.plan.lines.iter().map(|l| [l.source, l.channel, l.line]).collect())
            .collect();
        self.front.journal.store = threads.store.as_ref().map(StoreThread::sender);
        self.refresh(threads);
        self.manager.ready(&format!(
            "{} sources on {} receivers",
            self.config.sources.len(),
            threads.receivers.len()
        ));
        let mut events = Events::with_capacity(256);
        loop {
            let waited = self.poll.poll(&mut events, Some(Duration::from_millis(50)));
            if let Err(e) = waited
                && e.kind() != io::ErrorKind::Interrupted
            {
                return Err(anyhow!(e).context("waiting for events failed"));
            }
            let now = clock::monotonic_now();
            for event in &events {
                if self.control.owns(event.token()) {
                    self.control.on_event(event, &mut self.front);
                } else if let Some(web) = &mut self.web
                    && web.owns(event.token())
                {
                    web.on_event(self.poll.registry(), event.token(), now, &mut self.front.status);
                }
            }
            while let Some(request) = self.signals.next() {
                match request {
                    Request::Stop => return Ok(Ended::Told),
                    Request::Reload => self.reload(&threads.wishes),
                }
            }
            self.take_alerts(&threads.alerts);
            while let Ok(event) = threads.events.try_recv() {
                say(&event.to_string());
            }
            self.tell();
            if let Some(web) = &mut self.web {
                web.tend(self.poll.registry(), now, &mut self.front.status);
            }
            self.outlets.tend(now);
            if now >= self.snapshot + SNAPSHOT {
                self.snapshot = now;
                self.refresh(threads);
                let dead = threads.dead();
                if !dead.is_empty() {
                    dead.iter().for_each(|d| say(d));
                    return Ok(Ended::Died);
                }
            }
            if until.is_some_and(|until| now >= until) {
                return Ok(Ended::TimeOver);
            }
        }
    }

    /// The manager is told that the daemon ends.
    pub fn stopping(&mut self) {
        self.manager.stopping();
    }

    /// Takes records of alerts: all of them to the log, and to the console.
    pub fn take_alerts(&mut self, alerts: &crossbeam_channel::Receiver<Vec<u8>>) {
        while let Ok(batch) = alerts.try_recv() {
            for line in batch.split_inclusive(|b| *b == b'\n') {
                match Notice::from_line(line) {
                    Ok(notice) => self.outlets.log(&notice),
                    Err(_) => self.refused_lines += 1,
                }
            }
            self.front.console.on_lines(&batch);
        }
    }

    /// What people are to be told: by the life cycle, not by every record.
    fn tell(&mut self) {
        self.front.console.advance(clock::wall_now_ns());
        let notices = self.front.console.take_notices();
        self.control.publish(&notices);
        for notice in notices.iter().filter(|n| !n.event.is_operators()) {
            match Notice::from_line(&notice.to_line()) {
                Ok(notice) => self.outlets.tell(&notice),
                Err(_) => self.refused_lines += 1,
            }
        }
        self.front.remember();
    }

    /// The last words: what is left goes out as far as the time allows, and what does not is said. False when lines of the
    /// alert log are lost.
    pub fn finish(&mut self) -> bool {
        self.tell();
        self.outlets.close(clock::monotonic_now() + LAST_WORDS);
        let outlets = self.outlets.status();
        outlets.iter().filter_map(ways_out::last_words).for_each(|said| say(&said));
        outlets.iter().all(|outlet| outlet.name != "log" || outlet.dropped + outlet.queued == 0)
    }

    /// Makes the snapshot anew, and tells the service manager that all goes on.
    fn refresh(&mut self, threads: &Threads) {
        let now_ns = clock::wall_now_ns();
        self.keep_clock(now_ns, threads);
        let judge = threads.judge.lock().map(|b| b.clone()).unwrap_or_default();
        let shown = |r: &super::daemon::ReceiverHandle| r.board.lock().map(|b| b.clone()).unwrap_or_default();
        let boards: Vec<_> = threads.receivers.iter().map(shown).zip(self.places.iter().cloned()).collect();
        let sources = board::sources(&self.config, &boards, &judge);
        let receivers: Vec<ReceiverStatus> =
            threads.receivers.iter().map(|r| receiver(r, &self.config)).collect();
        let recorder = threads.recorder.as_ref().map(|r| recorder(&r.state()));
        let store = threads.store.as_ref().map(|s| self.store(s.state(), rows(threads)));
        let mut status = Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: self.config.live.run.name.clone(),
            pid: std::process::id(),
            started_ns: threads.started_ns,
            now_ns,
            receivers,
            sources,
            comparator: judge.comparator.clone(),
            pairs: judge.pairs.clone(),
            alerts: judge.alerts.clone(),
            held: judge.held.clone(),
            outlets: self.outlets.status(),
            recorder,
            store,
            stages: judge.stages.clone(),
            troubles: Vec::new(),
        };
        status.troubles = self.troubles(&status, &judge);
        let lively = status.receivers.iter().all(|r| now_ns.saturating_sub(r.watermark_ns) < 2_000_000_000)
            && now_ns.saturating_sub(status.comparator.now_ns) < 4_000_000_000;
        let now = clock::monotonic_now();
        self.say_ways_out(now, &status);
        self.front.status = status;
        if let Some(every) = self.manager.alive_every()
            && lively
            && now >= self.alive + every
        {
            self.alive = now;
            self.manager.alive();
        }
    }

    /// How the log, the other outlets and the recorder go.
    fn say_ways_out(&mut self, now: Instant, status: &Status) {
        let outlets = status.outlets.iter().map(|outlet| (outlet.name.as_str(), &outlet.error));
        let recorder = status.recorder.iter().map(|recorder| ("the recorder", &recorder.error));
        for (name, error) in outlets.chain(recorder) {
            self.ways_out.look(now, name, error).iter().for_each(|said| say(said));
        }
    }

    /// How the store goes; that it cannot be written, and that it can again, is said once.
    fn store(&mut self, state: StoreState, (rows_error, [quotes, messages, datagrams]): Rows) -> StoreStatus {
        let StoreState { mut error, lost, waiting, until_ns, log_bytes } = state;
        if error.is_empty() {
            error = rows_error;
        }
        let path = self.config.live.store.as_ref().map_or(String::new(), |s| s.path.display().to_string());
        let not_stored = NotStored {
            figures: lost.figures,
            transitions: lost.transitions,
            actions: lost.actions,
            clocks: lost.clocks,
            quotes,
            messages,
            datagrams,
        };
        let was_well = self.front.status.store.as_ref().is_none_or(|was| was.error.is_empty());
        if was_well && !error.is_empty() {
            say(&format!("{error}; the daemon goes on, and stores what it can when there is room"));
        } else if !was_well && error.is_empty() {
            say(&format!("the store {path} is written again; {}", lacks(&not_stored)));
        }
        StoreStatus { path, until_ns, not_stored, waiting_bytes: waiting, log_bytes, error }
    }

    /// How the machine's clock is kept, once an interval.
    fn keep_clock(&mut self, now_ns: u64, threads: &Threads) {
        let (Some(store), Some(settings)) = (&threads.store, &self.config.live.store) else { return };
        if now_ns < self.clock_ns {
            return;
        }
        self.clock_ns = now_ns - now_ns % settings.interval_ns + settings.interval_ns;
        let Some(kept) = clock::discipline() else { return };
        let clocks = vec![HostClock {
            ts_ns: now_ns,
            synchronised: kept.synchronised,
            offset_ns: kept.offset_ns,
            error_ns: kept.error_us.saturating_mul(1_000),
            error_max_ns: kept.error_max_us.saturating_mul(1_000),
            status: kept.status,
        }];
        // One that has no room has worse troubles, and they are shown.
        let _ = store.sender().try_send(Batch { clocks, ..Batch::default() });
    }

    fn troubles(&self, status: &Status, judge: &board::JudgeBoard) -> Vec<String> {
        let mut troubles = self.standing.clone();
        for receiver in &status.receivers {
            if receiver.ring_overruns > 0 {
                troubles.push(format!(
                    "the ring of the receiver of {} was full {} times: the comparator is too slow or has no core of its own",
                    receiver.sources.join(", "),
                    receiver.ring_overruns
                ));
            }
        }
        if judge.stalls > 0 {
            troubles.push(
                "a receiver was more than 2 s behind the others and was not waited for: a replay of the recording may differ from then on"
                    .to_owned(),
            );
        }
        if judge.overruns > 0 {
            troubles.push(format!(
                "{} notes were lost on the way to the comparator: a replay of the recording will differ from then on",
                judge.overruns
            ));
        }
        if judge.lost_alert_bytes > 0 {
            troubles.push(format!(
                "{} bytes of alert records were lost: the reporter was too slow",
                judge.lost_alert_bytes
            ));
        }
        for outlet in status.outlets.iter().filter(|o| !o.error.is_empty()) {
            troubles.push(format!("{}: {}", outlet.name, outlet.error));
        }
        if let Some(recorder) = &status.recorder {
            if !recorder.error.is_empty() {
                troubles.push(format!("the recorder: {}", recorder.error));
            }
            if recorder.not_kept > 0 {
                troubles.push(format!("the recorder could not keep {} datagrams", recorder.not_kept));
            }
        }
        if let Some(store) = &status.store {
            if !store.error.is_empty() {
                troubles.push(store.error.clone());
            }
            if store.not_stored != NotStored::default() {
                troubles.push(format!("the store {}: {}", store.path, lacks(&store.not_stored)));
            }
            if store.log_bytes > STORE_LOG_MAX {
                troubles.push(format!(
                    "the log of the store {} has grown to {} MiB: a program that reads the store has not ended its transaction",
                    store.path,
                    store.log_bytes >> 20
                ));
            }
        }
        for line in status.sources.iter().flat_map(|s| &s.channels).flat_map(|c| &c.lines) {
            if !line.joined {
                troubles.push(format!("the group {} is not joined", line.group));
            }
        }
        troubles.extend(self.manager.error().map(str::to_owned));
        if !self.front.journal.error.is_empty() {
            troubles.push(self.front.journal.error.clone());
        }
        troubles
    }

    /// Reads the configuration anew: all of what changed is applied, or nothing.
    fn reload(&mut self, wishes: &Wishes) {
        self.manager.reloading();
        self.outlets.reopen();
        match Config::read(&self.path) {
            Err(error) => say(&format!("the new configuration is refused, the old one holds: {error}")),
            Ok(new) => {
                let changes = live::compare(&self.config, &new);
                if changes.is_empty() {
                    say("the configuration means what it meant; log files were opened anew");
                } else if !changes.refuse.is_empty() {
                    say("the new configuration is refused, the old one holds:");
                    changes.refuse.iter().for_each(|why| say(&format!("  {why}")));
                } else {
                    self.apply(new, &changes.apply, wishes);
                }
            }
        }
        self.manager.ready("reloaded");
    }

    fn apply(&mut self, new: Config, changes: &[Change], wishes: &Wishes) {
        let ways_out = changes.iter().any(|c| {
            matches!(
                c,
                Change::AlertLog
                    | Change::AlertLogLimits
                    | Change::Syslog
                    | Change::Webhook
                    | Change::NotifyFrom
            )
        });
        if ways_out {
            match outlets(&new.live.alerts) {
                Ok(made) => {
                    let mut old = std::mem::replace(&mut self.outlets, made);
                    old.close(clock::monotonic_now() + LAST_WORDS);
                }
                Err(error) => {
                    return say(&format!("the new configuration is refused, the old one holds: {error:#}"));
                }
            }
        }
        if changes.contains(&Change::Metrics) {
            match new.live.metrics.listen.map(|address| open_web(address, &self.poll)).transpose() {
                Ok(web) => self.web = web,
                Err(error) => return say(&format!("the metrics stay where they were: {error:#}")),
            }
        }
        if changes.contains(&Change::Chronic) {
            self.front
                .console
                .set_chronic(new.live.alerts.chronic.raised as usize, new.live.alerts.chronic.within_ns);
        }
        wishes.take(&new.live);
        let keys: Vec<&str> = changes.iter().map(|c| c.keys()).collect();
        say(&format!("applied: {}", keys.join("; ")));
        self.config = new;
    }
}

/// Why rows cannot be written to Parquet, empty where they can; how many of quotes and messages are lost, and how many
/// datagrams before they became messages.
type Rows = (String, [u64; 3]);

/// How the files of rows go.
fn rows(threads: &Threads) -> Rows {
    let (mut error, quotes) = threads.quotes.as_ref().map(QuoteThread::state).unwrap_or_default();
    let (other, messages) = threads.messages.as_ref().map(|(files, _)| files.state()).unwrap_or_default();
    let datagrams = threads.messages.as_ref().map_or(0, |(_, outflow)| outflow.lost());
    if error.is_empty() {
        error = other;
    }
    (error, [quotes, messages, datagrams])
}

/// What is missing in a store, in words.
fn lacks(not_stored: &NotStored) -> String {
    let lost = not_stored.by_name().into_iter().filter(|(_, count)| *count > 0);
    let lost: Vec<String> = lost
        .map(|(what, count)| match what {
            "transitions" => format!("{count} transitions of alerts"),
            "actions" => format!("{count} actions of operators"),
            "clocks" => format!("{count} looks at the clock"),
            "quotes" | "messages" => format!("{count} rows of {what}"),
            "datagrams" => format!("the messages of {count} datagrams"),
            what => format!("{count} {what}"),
        })
        .collect();
    if lost.is_empty() { "nothing is missing".to_owned() } else { format!("missing are {}", lost.join(", ")) }
}

/// Says something to whoever started the daemon.
pub fn say(sentence: &str) {
    let now = crate::alert::json::show_time(clock::wall_now_ns());
    // Nobody may be there to read it; that is no reason to end.
    let _ = writeln!(io::stderr(), "{now} parallax: {sentence}");
}

fn register_fd(poll: &Poll, fd: RawFd, token: Token) -> Result<()> {
    poll.registry()
        .register(&mut SourceFd(&fd), token, Interest::READABLE)
        .context("a descriptor cannot be watched")
}

fn open_web(address: std::net::SocketAddr, poll: &Poll) -> Result<Web> {
    let mut web = Web::open(address).with_context(|| {
        format!("the pages for Prometheus cannot be served on {address}; give [metrics] another `listen`, or \"off\"")
    })?;
    web.register(poll.registry(), WEB).context("the pages for Prometheus cannot be watched")?;
    const { assert!(WEB + web::TOKENS < CONTROL) };
    Ok(web)
}

fn console_settings(alerts: &Alerts) -> console::Settings {
    console::Settings {
        chronic_raised: alerts.chronic.raised as usize,
        chronic_within_ns: alerts.chronic.within_ns,
        ..console::Settings::default()
    }
}

fn outlets(alerts: &Alerts) -> Result<Outlets> {
    let mut outlets = Outlets::new();
    let mut options = LogOptions::new("-");
    if let Some(path) = &alerts.log {
        options.target = LogTarget::File(path.clone());
    }
    options.size_max = alerts.log_size;
    options.files = alerts.log_files;
    outlets.set_log(AlertLog::start(options).context("the alert log cannot be started")?);
    let least: Severity = alerts.notify_from;
    if let Some(target) = &alerts.syslog {
        let target = SyslogTarget::parse(&target.to_string()).map_err(|e| anyhow!(e))?;
        outlets.add(least, Box::new(Syslog::open(target)));
    }
    if let Some(url) = &alerts.webhook {
        let options = WebhookOptions::new(url).map_err(|e| anyhow!(e))?;
        outlets.add(least, Box::new(Webhook::start(options).context("the webhook cannot be started")?));
    }
    Ok(outlets)
}

fn receiver(handle: &super::daemon::ReceiverHandle, config: &Config) -> ReceiverStatus {
    let [_, used, peak, queued, _] = handle.gauge.read();
    let health = handle.health.receiver();
    ReceiverStatus {
        core: handle.plan.core,
        sources: handle.plan.sources.iter().map(|s| config.sources[*s].name.clone()).collect(),
        datagrams: health.datagrams,
        watermark_ns: health.watermark_ns,
        polls_empty: health.polls_empty,
        polls: health.polls,
        ring_used: used,
        ring_size: handle.ring_size as u64,
        ring_peak: peak,
        ring_overruns: queued,
        late_stamps: health.late_stamps,
        late_stamp_max_ns: health.late_stamp_max_ns,
    }
}

fn recorder(state: &crate::source::recorder::RecorderState) -> RecorderStatus {
    RecorderStatus {
        directory: state.directory.display().to_string(),
        kept: state.kept,
        not_kept: state.not_kept + state.not_written,
        files: state.files,
        bytes: state.bytes,
        oldest_ns: state.oldest_ns,
        ring_percent: state.ring_percent,
        error: state.error.clone(),
    }
}
