//! The thread that writes: whoever finds something hands it over and goes on.
//!
//! What comes is committed a moment after it came, so that a kill loses no more than that. A replay that fails to write
//! has failed; a daemon goes on, keeps what it can until there is room, and counts what it lost.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::batch::{Batch, Lost};
use super::error::StoreError;
use super::retention::Retention;
use super::work::{Reopen, Work};
use super::writer::{CaptureFacts, Writer};
use crate::source::clock;

/// Batches that wait for the thread at most.
const WAITING: usize = 256;

/// How a thread writes.
pub struct Manner {
    /// What is kept.
    pub retention: Retention,
    /// How long rows may wait for their transaction to be committed.
    pub commit_after: Duration,
    /// A daemon's: it goes on after an error, and opens the store anew where its file is gone.
    pub steadfast: Option<Reopen>,
}

/// How it goes, for whoever shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreState {
    /// Why it cannot be written; empty when it can.
    pub error: String,
    /// What was not stored and never will be.
    pub lost: Lost,
    /// Bytes that wait in memory to be stored.
    pub waiting: u64,
    /// Up to which moment of data everything is in the store.
    pub until_ns: u64,
    /// Bytes of the log beside the file.
    pub log_bytes: u64,
}

/// What goes to the thread.
pub(super) enum Message {
    Batch(Box<Batch>),
    Finish(Vec<CaptureFacts>),
}

/// Hands batches over; any number may.
#[derive(Clone)]
pub struct StoreSender {
    sender: Sender<Message>,
    /// What never reached the thread.
    lost: Arc<Mutex<Lost>>,
}

/// The running thread.
pub struct StoreThread {
    sender: StoreSender,
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
            Err(TrySendError::Disconnected(Message::Batch(batch))) => {
                self.lose(&batch);
                None
            }
            _ => None,
        }
    }

    /// A batch is lost.
    pub fn lose(&self, batch: &Batch) {
        if let Ok(mut lost) = self.lost.lock() {
            lost.add(Lost::of(batch));
        }
    }
}

impl StoreThread {
    /// Starts it, and `prepare`s it there.
    ///
    /// # Errors
    /// A thread that cannot be started.
    pub fn start(
        writer: Writer,
        manner: Manner,
        prepare: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<StoreThread> {
        let (sender, receiver) = bounded(WAITING);
        let state = Arc::new(Mutex::new(StoreState::default()));
        let shown = Arc::clone(&state);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            prepare();
            run(Work::new(writer, manner, clock::monotonic_now()), &receiver, &shown)
        })?;
        let sender = StoreSender { sender, lost: Arc::default() };
        Ok(StoreThread { sender, thread, state })
    }

    /// A way to it.
    pub fn sender(&self) -> StoreSender {
        self.sender.clone()
    }

    /// How it goes.
    pub fn state(&self) -> StoreState {
        let mut state = self.state.lock().map(|state| state.clone()).unwrap_or_default();
        if let Ok(lost) = self.sender.lost.lock() {
            state.lost.add(*lost);
        }
        state
    }

    /// The run is whole: everything that was handed over is written. Answers its number.
    ///
    /// # Errors
    /// What could not be written.
    pub fn finish(self, captures: Vec<CaptureFacts>) -> Result<i64, StoreError> {
        // One that has ended says below why.
        let _ = self.sender.sender.send(Message::Finish(captures));
        drop(self.sender);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn run(mut work: Work, receiver: &Receiver<Message>, shown: &Mutex<StoreState>) -> Result<i64, StoreError> {
    loop {
        let now = clock::monotonic_now();
        let done = match receiver.recv_timeout(work.due().saturating_duration_since(now)) {
            Ok(Message::Batch(batch)) => work.take(*batch, clock::monotonic_now()),
            Ok(Message::Finish(captures)) => return work.finish(&captures, clock::wall_now_ns()),
            // Whoever hands over is gone without a word: what came is kept, the run stays open.
            Err(RecvTimeoutError::Disconnected) => return work.leave(),
            Err(RecvTimeoutError::Timeout) => Ok(()),
        };
        let now: Instant = clock::monotonic_now();
        done.and_then(|()| work.tend(now, clock::wall_now_ns()))?;
        if let Ok(mut state) = shown.lock() {
            work.show(&mut state);
        }
    }
}
