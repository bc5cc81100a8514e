//! The alert log: every line that the judge says, in a file or on standard output, written by a thread of its own.
//!
//! The caller only appends to a buffer: a disk that hangs or a pipe that nobody reads holds up nobody else. While
//! nothing can be written a bounded backlog is kept; beyond it lines are counted, and a line of the log says how many
//! are missing where they are missing.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use super::log_file::{LogFile, Written, write_on};
use super::{Counters, Notice, Outlet, lock};
use crate::alert::json;
use crate::run::status::OutletStatus;

/// Where the log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// A file, rotated.
    File(PathBuf),
}

/// The log's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// Where it goes.
    pub target: LogTarget,
    /// Bytes to a file.
    pub size_max: u64,
    /// Files in all, the current one included.
    pub files: u32,
    /// Bytes kept while nothing can be written.
    pub backlog_max: usize,
    /// How long after a failure it is tried again.
    pub retry: Duration,
}

impl LogOptions {
    /// `-` is standard output, everything else a file; ten files of 100 MiB, 16 MiB of backlog, a try a second.
    pub fn new(target: &str) -> LogOptions {
        let target = match target {
            "-" => LogTarget::Stdout,
            path => LogTarget::File(path.into()),
        };
        let (size_max, backlog_max) = (100 << 20, 16 << 20);
        LogOptions { target, size_max, files: 10, backlog_max, retry: Duration::from_secs(1) }
    }
}

/// The alert log.
#[derive(Debug)]
pub struct AlertLog {
    shared: Arc<Shared>,
    ended: Receiver<()>,
}

#[derive(Debug)]
struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
    counters: Counters,
    backlog_max: usize,
}

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    lines: u64,
    /// What the writer holds and has not written.
    held: Held,
    /// Lines that found the backlog full and are not yet told of, and when the last of them was.
    lost: u64,
    lost_ts_ns: u64,
    reopen: bool,
    stop: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Held {
    bytes: usize,
    lines: u64,
}

impl Pending {
    fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.lines += 1;
    }

    /// Says in the log itself what it lacks.
    fn tell_lost(&mut self) {
        if self.lost > 0 {
            let mut line = b"{".to_vec();
            json::time(&mut line, "ts", self.lost_ts_ns);
            json::text(&mut line, "event", "lost");
            json::unsigned(&mut line, "lines", self.lost);
            json::text(
                &mut line,
                "why",
                &format!("{} lines could not be written and are missing here", self.lost),
            );
            line.extend_from_slice(b"}\n");
            self.push(&line);
            self.lost = 0;
        }
    }
}

impl AlertLog {
    /// Starts the writer. A log that cannot be opened is an error in its status and tried again, not a failure here.
    ///
    /// # Errors
    /// The system has no thread to give, or there is no standard output.
    pub fn start(options: LogOptions) -> io::Result<AlertLog> {
        let shared = Arc::new(Shared {
            pending: Mutex::default(),
            wake: Condvar::new(),
            counters: Counters::default(),
            backlog_max: options.backlog_max,
        });
        let (end, ended) = bounded(1);
        let writer = Writer {
            shared: Arc::clone(&shared),
            sink: match options.target {
                LogTarget::Stdout => Sink::Stdout(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
                LogTarget::File(path) => Sink::File(LogFile::new(path, options.size_max, options.files)),
            },
            retry: options.retry,
            batch: Vec::new(),
            failing: false,
        };
        thread::Builder::new().name("alert-log".into()).spawn(move || {
            writer.run();
            let _ = end.send(());
        })?;
        Ok(AlertLog { shared, ended })
    }
}

impl Outlet for AlertLog {
    fn offer(&mut self, notice: &Notice) {
        let mut pending = lock(&self.shared.pending);
        // Room for the line and for the one that may have to say what was lost.
        let after = pending.bytes.len() + pending.held.bytes + notice.line.len() + 256;
        if pending.stop || after > self.shared.backlog_max {
            pending.lost += 1;
            pending.lost_ts_ns = notice.ts_ns;
            self.shared.counters.dropped(1);
        } else {
            pending.tell_lost();
            pending.push(&notice.line);
        }
        self.shared.wake.notify_one();
    }

    fn tend(&mut self, _: Instant) {}

    fn status(&self) -> OutletStatus {
        let queued = {
            let pending = lock(&self.shared.pending);
            pending.lines + pending.held.lines
        };
        self.shared.counters.status("log", queued)
    }

    fn reopen(&mut self) {
        lock(&self.shared.pending).reopen = true;
        self.shared.wake.notify_one();
    }

    fn close(&mut self, deadline: Instant) {
        lock(&self.shared.pending).stop = true;
        self.shared.wake.notify_one();
        // A writer that hangs in the system is left there, and what it holds will not be written.
        let _ = self.ended.recv_deadline(deadline);
        let mut pending = lock(&self.shared.pending);
        let left = std::mem::take(&mut pending.lines) + std::mem::take(&mut pending.held.lines);
        pending.bytes.clear();
        self.shared.counters.dropped(left);
    }
}

impl Drop for AlertLog {
    fn drop(&mut self) {
        lock(&self.shared.pending).stop = true;
        self.shared.wake.notify_one();
    }
}

#[derive(Debug)]
enum Sink {
    /// Written without the library's buffer, which would hide how far a write came.
    Stdout(File),
    File(LogFile),
}

/// The thread that writes.
#[derive(Debug)]
struct Writer {
    shared: Arc<Shared>,
    sink: Sink,
    retry: Duration,
    /// What is being written; whole lines but, where nothing can be taken back, for the first.
    batch: Vec<u8>,
    failing: bool,
}

impl Writer {
    fn run(mut self) {
        // One that cannot be written is told before the first alert has nowhere to go.
        if let Sink::File(file) = &mut self.sink
            && let Err(error) = file.open()
        {
            self.shared.counters.failed(format!("{}: {error}", file.path().display()));
        }
        loop {
            let stop = self.next_batch();
            let done = self.write();
            if stop && (self.batch.is_empty() && self.nothing_left() || !done) {
                return;
            }
        }
    }

    fn nothing_left(&self) -> bool {
        lock(&self.shared.pending).bytes.is_empty()
    }

    /// Waits for something to write, or for the next try; true when it is the last.
    fn next_batch(&mut self) -> bool {
        let mut pending = lock(&self.shared.pending);
        while !pending.stop && !pending.reopen && !self.failing && pending.bytes.is_empty() {
            pending = self.shared.wake.wait(pending).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if self.failing && !pending.stop && !pending.reopen {
            let due = |p: &mut Pending| !p.stop && !p.reopen;
            let waited = self.shared.wake.wait_timeout_while(pending, self.retry, due);
            pending = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        if std::mem::take(&mut pending.reopen)
            && let Sink::File(file) = &mut self.sink
        {
            file.reopen();
        }
        if self.batch.is_empty() {
            pending.tell_lost();
            std::mem::swap(&mut self.batch, &mut pending.bytes);
            pending.held = Held { bytes: self.batch.len(), lines: std::mem::take(&mut pending.lines) };
        }
        pending.stop
    }

    /// Writes the batch as far as it goes; false when something failed.
    fn write(&mut self) -> bool {
        if self.batch.is_empty() {
            self.failing = false;
            return true;
        }
        let (written, place) = match &mut self.sink {
            Sink::Stdout(out) => {
                let (bytes, error) = write_on(out, &self.batch);
                (Written { bytes, errors: error.into_iter().collect() }, "standard output".to_owned())
            }
            Sink::File(file) => (file.append(&self.batch), file.path().display().to_string()),
        };
        let lines = self.batch.iter().take(written.bytes).filter(|b| **b == b'\n').count() as u64;
        self.batch.drain(..written.bytes.min(self.batch.len()));
        if lines > 0 {
            self.shared.counters.delivered(lines);
        }
        self.failing = !self.batch.is_empty();
        for error in &written.errors {
            self.shared.counters.failed(format!("{place}: {error}"));
        }
        let mut pending = lock(&self.shared.pending);
        pending.held.bytes = self.batch.len();
        pending.held.lines = pending.held.lines.saturating_sub(lines);
        !self.failing
    }
}
