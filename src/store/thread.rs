//! The thread that writes: whoever finds something hands it over and goes on.
//!
//! Batches are written in transactions that are committed a second after their first row at the latest. A replay that
//! fails to write has failed; a daemon goes on, counts what it lost, and tries again.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::error::StoreError;
use super::retention::{Retention, Sweep};
use super::writer::{Batch, CaptureFacts, Writer};
use crate::source::clock;

/// How long rows may wait for their transaction to be committed.
const COMMIT_AFTER: Duration = Duration::from_secs(1);
/// Batches that wait for the thread at most.
const WAITING: usize = 256;
/// How often retention is looked after.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How it goes, for whoever shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreState {
    /// Why the latest batch could not be written; empty when it could.
    pub error: String,
    /// Batches that were lost.
    pub lost: u64,
}

/// What goes to the thread.
enum Message {
    Batch(Box<Batch>),
    Finish(Vec<CaptureFacts>),
}

/// Hands batches over; any number may.
#[derive(Clone)]
pub struct StoreSender {
    sender: Sender<Message>,
    state: Arc<Mutex<StoreState>>,
}

/// The running thread.
pub struct StoreThread {
    sender: Sender<Message>,
    thread: JoinHandle<Result<i64, StoreError>>,
    state: Arc<Mutex<StoreState>>,
}

impl StoreSender {
    /// Hands a batch over, waiting for room; false when the thread has ended, and why is said by
    /// [`StoreThread::finish`].
    #[must_use]
    pub fn send(&self, batch: Batch) -> bool {
        self.sender.send(Message::Batch(Box::new(batch))).is_ok()
    }

    /// Hands a batch over if there is room; gives it back where there is none. What nobody will ever take is counted.
    pub fn try_send(&self, batch: Batch) -> Option<Batch> {
        match self.sender.try_send(Message::Batch(Box::new(batch))) {
            Err(TrySendError::Full(Message::Batch(batch))) => Some(*batch),
            Err(TrySendError::Disconnected(_)) => {
                self.lose();
                None
            }
            _ => None,
        }
    }

    /// A batch is lost.
    pub fn lose(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.lost += 1;
        }
    }
}

impl StoreThread {
    /// Starts it, and `prepare`s it there. One that is `steadfast` goes on after an error.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start(
        writer: Writer,
        retention: Retention,
        steadfast: bool,
        prepare: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<StoreThread> {
        let (sender, receiver) = bounded(WAITING);
        let state = Arc::new(Mutex::new(StoreState::default()));
        let shown = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            prepare();
            let work = Work { writer, sweep: Sweep::new(retention), shown, steadfast };
            work.run(&receiver)
        })?;
        Ok(StoreThread { sender, thread, state })
    }

    /// A way to it.
    pub fn sender(&self) -> StoreSender {
        StoreSender { sender: self.sender.clone(), state: Arc::clone(&self.state) }
    }

    /// How it goes.
    pub fn state(&self) -> StoreState {
        self.state.lock().map(|state| state.clone()).unwrap_or_default()
    }

    /// The run is whole: everything that was handed over is written. Answers its number.
    ///
    /// # Errors
    /// What could not be written.
    pub fn finish(self, captures: Vec<CaptureFacts>) -> Result<i64, StoreError> {
        // One that has ended says below why.
        let _ = self.sender.send(Message::Finish(captures));
        drop(self.sender);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

struct Work {
    writer: Writer,
    sweep: Sweep,
    shown: Arc<Mutex<StoreState>>,
    steadfast: bool,
}

impl Work {
    fn run(mut self, receiver: &Receiver<Message>) -> Result<i64, StoreError> {
        let (mut due, mut swept) = (None, clock::monotonic_now());
        loop {
            let now = clock::monotonic_now();
            let wait = due.map_or(COMMIT_AFTER, |due: std::time::Instant| due.saturating_duration_since(now));
            let done = match receiver.recv_timeout(wait) {
                Ok(Message::Batch(batch)) => {
                    due.get_or_insert(now + COMMIT_AFTER);
                    self.writer.take(&batch)
                }
                Ok(Message::Finish(captures)) => return self.writer.finish(&captures, clock::wall_now_ns()),
                // Whoever hands over is gone without a word: what came is kept, the run stays open.
                Err(RecvTimeoutError::Disconnected) => {
                    self.writer.commit()?;
                    return Ok(self.writer.run());
                }
                Err(RecvTimeoutError::Timeout) => Ok(()),
            };
            self.settle(done)?;
            if due.is_some_and(|due| clock::monotonic_now() >= due) {
                due = None;
                let done = self.writer.commit();
                self.settle(done)?;
                if clock::monotonic_now() >= swept + SWEEP_EVERY {
                    swept = clock::monotonic_now();
                    let done = self.sweep.step(&self.writer);
                    self.settle(done)?;
                }
            }
        }
    }

    fn settle(&self, done: Result<(), StoreError>) -> Result<(), StoreError> {
        if let Ok(mut state) = self.shown.lock() {
            match &done {
                Ok(()) => state.error.clear(),
                Err(error) => {
                    state.error.clone_from(&error.0);
                    state.lost += 1;
                }
            }
        }
        if self.steadfast { Ok(()) } else { done }
    }
}
