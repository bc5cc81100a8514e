//! A daemon's rows on their way to Parquet: a thread of its own writes those of each kind, and nobody waits for it.
//!
//! Files are closed after a while, so that readers see them and a kill loses no more than that. What cannot be written
//! waits within the writer's bound and is tried again; what finds no room is lost and counted.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::{Files, Names, Record};
use crate::source::clock;
use crate::store::error::StoreError;

/// How long after a failure it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Hands rows over.
pub struct RowSender<R> {
    sender: Sender<Vec<R>>,
    lost: Arc<AtomicU64>,
}

/// The running thread.
pub struct RowThread<R> {
    sender: RowSender<R>,
    thread: JoinHandle<Work<R>>,
    error: Arc<Mutex<String>>,
}

impl<R> Clone for RowSender<R> {
    fn clone(&self) -> Self {
        RowSender { sender: self.sender.clone(), lost: Arc::clone(&self.lost) }
    }
}

impl<R> RowSender<R> {
    /// Hands over what waits if there is room. `most` rows may wait for it; more than that are lost.
    pub fn pass_on(&self, rows: &mut Vec<R>, most: usize) {
        if rows.is_empty() {
            return;
        }
        if self.sender.is_full() {
            if rows.len() > most {
                self.lose(rows.len());
                rows.clear();
            }
            return;
        }
        let room = Vec::with_capacity(rows.len());
        match self.sender.try_send(std::mem::replace(rows, room)) {
            Ok(()) => {}
            // Somebody else took the room, or the thread is gone.
            Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => self.lose(back.len()),
        }
    }

    /// Hands rows over, waiting for room.
    pub fn send(&self, rows: Vec<R>) {
        if let Err(rows) = self.sender.send(rows) {
            self.lose(rows.0.len());
        }
    }

    fn lose(&self, rows: usize) {
        // Relaxed: the number is all that is told.
        self.lost.fetch_add(rows as u64, Ordering::Relaxed);
    }
}

#[allow(private_bounds, reason = "which rows there are is decided here")]
impl<R: Record + Send + 'static> RowThread<R> {
    /// Files below `folder`, of a run that began at `began_ns`, each closed `rotate` after its first row at the latest.
    ///
    /// # Errors
    /// A folder that cannot be made, or a thread that cannot be started.
    pub fn start(
        folder: &Path,
        names: Names,
        (began_ns, rotate): (u64, Duration),
        prepare: impl FnOnce() + Send + 'static,
    ) -> Result<RowThread<R>, StoreError> {
        let files = Files::<R>::create(folder, names)?.of_run(began_ns);
        let (sender, receiver) = bounded(R::BATCHES);
        let (lost, error) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(String::new())));
        let mut work = Work::new(files, rotate, Arc::clone(&lost));
        let shown = Arc::clone(&error);
        let name = format!("store-{}", R::FOLDER);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            prepare();
            run(&mut work, &receiver, &shown);
            work
        });
        let thread = thread
            .map_err(|e| StoreError(format!("{} cannot be written: no thread starts: {e}", R::FOLDER)))?;
        Ok(RowThread { sender: RowSender { sender, lost }, thread, error })
    }

    /// A way to it.
    pub fn sender(&self) -> RowSender<R> {
        self.sender.clone()
    }

    /// Why files cannot be written, empty where they can; and how many rows are lost.
    pub fn state(&self) -> (String, u64) {
        let error = self.error.lock().map(|error| error.clone()).unwrap_or_default();
        (error, self.sender.lost.load(Ordering::Relaxed))
    }

    /// Everything that was handed over is written, once nobody hands over any more; the last of it by the caller, who may be
    /// in a greater hurry than the thread was.
    ///
    /// # Errors
    /// What could not be written.
    pub fn finish(self) -> Result<(), StoreError> {
        drop(self.sender);
        let mut work = self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        work.files.flush()
    }
}

fn run<R: Record>(work: &mut Work<R>, receiver: &Receiver<Vec<R>>, shown: &Mutex<String>) {
    loop {
        let due = work.due().map_or(RETRY_AFTER, |due| due.saturating_duration_since(clock::monotonic_now()));
        match receiver.recv_timeout(due) {
            Ok(rows) => work.take(rows, clock::monotonic_now()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        work.tend(clock::monotonic_now());
        if let Ok(mut shown) = shown.lock() {
            shown.clone_from(&work.error);
        }
    }
}

/// What the thread does, with time as an argument.
struct Work<R> {
    files: Files<R>,
    rotate: Duration,
    /// When what waits is written.
    due: Option<Instant>,
    error: String,
    lost: Arc<AtomicU64>,
}

impl<R: Record> Work<R> {
    fn new(files: Files<R>, rotate: Duration, lost: Arc<AtomicU64>) -> Work<R> {
        Work { files, rotate, due: None, error: String::new(), lost }
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn take(&mut self, rows: Vec<R>, now: Instant) {
        if !rows.is_empty() {
            self.due.get_or_insert(now + self.rotate);
        }
        for row in rows {
            if self.error.is_empty() {
                // A row whose partition could not be written still waits.
                let taken = self.files.take(std::iter::once(row));
                self.settle(taken, now);
            } else if self.files.is_full() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            } else {
                self.files.push(row);
            }
        }
    }

    fn tend(&mut self, now: Instant) {
        if self.due.is_some_and(|due| now >= due) {
            self.due = None;
            let flushed = self.files.flush();
            self.settle(flushed, now);
        }
    }

    fn settle(&mut self, done: Result<(), StoreError>, now: Instant) {
        match done {
            Ok(()) => self.error.clear(),
            Err(StoreError(error)) => {
                self.error = error;
                self.due = Some(now + RETRY_AFTER);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::QuoteFiles;
    use super::super::tests::{files, named, row};
    use super::*;
    use crate::pipeline::tape::QuoteRow;

    const ROTATE: Duration = Duration::from_secs(60);

    fn work(folder: &Path, began_ns: u64) -> Work<QuoteRow> {
        let files = QuoteFiles::create(folder, named("a")).unwrap().of_run(began_ns);
        Work::new(files, ROTATE, Arc::default())
    }

    fn parts(folder: &Path) -> Vec<String> {
        files(folder).into_iter().map(|(name, _)| name.rsplit('/').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn files_are_closed_after_a_while_and_runs_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let mut now = clock::monotonic_now();
        let mut first = work(folder.path(), 100);
        assert_eq!(first.due(), None, "with nothing to write nothing is due");
        first.take(vec![row(1, "A", 1), row(2, "B", 1)], now);
        first.take(vec![row(3, "A", 1)], now + ROTATE / 2);
        first.tend(now + ROTATE / 2);
        assert!(files(folder.path()).is_empty());
        now += ROTATE;
        first.tend(now);
        assert_eq!(parts(folder.path()).len(), 2);
        first.take(vec![row(4, "A", 1)], now);
        first.tend(now + ROTATE);
        // Another life goes on in the same folder, and its parts come after.
        let mut second = work(folder.path(), 200);
        second.take(vec![row(5, "A", 1)], now);
        second.tend(now + ROTATE);
        let name = |began: u64, part: u32| format!("part-{began:020}-{part:08}.parquet");
        assert_eq!(parts(folder.path()), [name(100, 1), name(100, 3), name(200, 1), name(100, 2)]);
    }

    #[test]
    fn what_finds_no_room_is_counted_and_nobody_waits() {
        let (sender, receiver) = bounded(1);
        let rows = RowSender { sender, lost: Arc::default() };
        let some = |n: u64| (1..=n).map(|ns| row(ns, "A", 1)).collect::<Vec<_>>();
        let mut waiting = some(3);
        rows.pass_on(&mut waiting, 5);
        assert!(waiting.is_empty());
        // The thread is busy: five may wait, six are too many.
        waiting = some(5);
        rows.pass_on(&mut waiting, 5);
        assert_eq!((waiting.len(), rows.lost.load(Ordering::Relaxed)), (5, 0));
        waiting.extend(some(1));
        rows.pass_on(&mut waiting, 5);
        assert_eq!((waiting.len(), rows.lost.load(Ordering::Relaxed)), (0, 6));
        // And gone.
        assert_eq!(receiver.recv().unwrap().len(), 3);
        drop(receiver);
        waiting = some(2);
        rows.pass_on(&mut waiting, 5);
        rows.send(some(1));
        assert_eq!((waiting.len(), rows.lost.load(Ordering::Relaxed)), (0, 9));
    }

    #[test]
    fn what_cannot_be_written_waits_within_the_bound_and_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let now = clock::monotonic_now();
        let mut work = work(folder.path(), 1);
        work.files.bounds = super::super::Bounds { all: 6, part: 3 };
        let way = folder.path().join("quotes/date=1970-01-01");
        std::fs::write(&way, b"").unwrap();
        // The third row is worth a file, which cannot be made; six wait, and two are too many.
        work.take((1..=8).map(|ns| row(ns, "A", 1)).collect(), now);
        assert!(work.error.contains("cannot be written: "), "{}", work.error);
        assert_eq!((work.files.weight, work.lost.load(Ordering::Relaxed)), (6, 2));
        assert_eq!(work.due(), Some(now + RETRY_AFTER));
        work.tend(now + RETRY_AFTER);
        assert!(!work.error.is_empty() && work.files.weight == 6);
        std::fs::remove_file(&way).unwrap();
        work.tend(now + 2 * RETRY_AFTER);
        assert!(work.error.is_empty() && work.files.weight == 0);
        assert_eq!(files(folder.path()).len(), 1);
    }
}
