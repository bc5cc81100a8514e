//! What the writing thread does, with time as an argument: takes batches, commits them in time, tries again what failed,
//! sweeps, and looks whether its file is still there.
//!
//! It waits for nobody and reads no clock.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::batch::{Backlog, Batch, ROOM};
use super::checkpoint::Checkpointer;
use super::error::{Failure, StoreError};
use super::open::beside;
use super::retention::Sweep;
use super::thread::{Manner, StoreState};
use super::writer::{CaptureFacts, Writer};

/// Opens the store anew and begins another run, at that wall time.
pub type Reopen = Box<dyn FnMut(u64) -> Result<Writer, StoreError> + Send>;

/// How long after a failure it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Batches that are committed together when many wait: where there is little room, some of it is used.
const BATCHES_A_COMMIT: usize = 32;
/// How often retention is looked after.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long it pauses between steps of a sweep.
const SWEEP_STEP: Duration = Duration::from_millis(20);
/// How often the log is written into the file.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(5);

/// See the module.
pub struct Work {
    /// None while its file is gone.
    writer: Option<Writer>,
    path: PathBuf,
    file: Identity,
    checkpointer: Option<Checkpointer>,
    manner: Manner,
    backlog: Backlog,
    sweep: Sweep,
    /// When the open transaction is to be committed.
    commit: Option<Instant>,
    /// When what failed is tried again, and why it failed.
    retry: Option<(Instant, StoreError)>,
    swept: Instant,
    checkpoint: Instant,
}

impl Work {
    /// Begins at `now`.
    pub fn new(writer: Writer, manner: Manner, now: Instant) -> Work {
        let path = writer.path().to_owned();
        let mut work = Work {
            file: Identity::of(&path),
            path,
            writer: None,
            checkpointer: None,
            backlog: Backlog::new(ROOM),
            sweep: Sweep::new(manner.retention),
            commit: None,
            retry: None,
            swept: now + SWEEP_EVERY,
            checkpoint: now + CHECKPOINT_EVERY,
            manner,
        };
        work.begin(writer);
        work
    }

    fn begin(&mut self, writer: Writer) {
        self.file = Identity::of(&self.path);
        self.checkpointer = None;
        if self.manner.steadfast.is_some() {
            // Without one the writer does it, and waits for the disk at times.
            self.checkpointer = Checkpointer::start(&self.path).ok();
            if self.checkpointer.is_some() && writer.leave_checkpoints().is_err() {
                self.checkpointer = None;
            }
        }
        self.writer = Some(writer);
    }

    /// When [`Work::tend`] wants to be called at the latest.
    pub fn due(&self) -> Instant {
        let retry = self.retry.as_ref().map(|(at, _)| *at);
        let others = [self.commit, retry].into_iter().flatten();
        others.fold(self.swept.min(self.checkpoint), Instant::min)
    }

    /// Takes a batch.
    ///
    /// # Errors
    /// What cannot be written, where nobody goes on after that.
    pub fn take(&mut self, batch: Batch, now: Instant) -> Result<(), StoreError> {
        self.backlog.push(batch);
        if self.retry.is_some() {
            return Ok(());
        }
        self.take_next(now)
    }

    /// Does what is due.
    ///
    /// # Errors
    /// As [`Work::take`].
    pub fn tend(&mut self, now: Instant, wall_ns: u64) -> Result<(), StoreError> {
        if let Some((at, why)) = &self.retry
            && now >= *at
        {
            let why = why.clone();
            self.try_again(now, wall_ns, why)?;
        }
        if self.commit.is_some_and(|at| now >= at) {
            self.commit(now)?;
        }
        if now >= self.checkpoint {
            self.checkpoint = now + CHECKPOINT_EVERY;
            self.checkpointer.iter().for_each(Checkpointer::ask);
        }
        if now >= self.swept {
            self.sweep(now)?;
        }
        Ok(())
    }

    /// The run is whole.
    ///
    /// # Errors
    /// What could not be written: then it is not whole.
    pub fn finish(mut self, captures: &[CaptureFacts], finished_ns: u64) -> Result<i64, StoreError> {
        self.take_all()?;
        match &mut self.writer {
            Some(writer) => writer.finish(captures, finished_ns),
            None => Err(self.gone()),
        }
    }

    /// Nobody says that the run is whole: what came is kept.
    ///
    /// # Errors
    /// What could not be written.
    pub fn leave(mut self) -> Result<i64, StoreError> {
        self.take_all()?;
        Ok(self.writer.as_ref().map_or(0, Writer::run))
    }

    /// How it goes.
    pub fn show(&self, state: &mut StoreState) {
        match &self.retry {
            Some((_, error)) => state.error.clone_from(&error.0),
            None => state.error.clear(),
        }
        state.lost = self.backlog.lost();
        state.waiting = self.backlog.bytes() as u64;
        state.until_ns = self.writer.as_ref().map_or(state.until_ns, Writer::until_ns);
        state.log_bytes = fs::metadata(beside(&self.path, "-wal")).map_or(0, |log| log.len());
    }

    /// Everything that waits goes in, and is committed.
    fn take_all(&mut self) -> Result<(), StoreError> {
        let mut done = Ok(());
        while done.is_ok() && self.backlog.waits() {
            done = self.take_one();
        }
        done.and_then(|()| self.write_out()).map_err(|failure| {
            if self.manner.steadfast.is_none() {
                return failure.error;
            }
            self.backlog.close();
            let lost = self.backlog.lost();
            let what = format!(
                "{}; {} figures, {} transitions of alerts and {} actions of operators are not in it",
                failure.error, lost.figures, lost.transitions, lost.actions
            );
            StoreError(what)
        })
    }

    fn take_next(&mut self, now: Instant) -> Result<(), StoreError> {
        let taken = self.take_one();
        if taken.is_ok() {
            self.commit.get_or_insert(now + self.manner.commit_after);
        }
        self.settle(taken, now)
    }

    fn take_one(&mut self) -> Result<(), Failure> {
        let Some(writer) = &mut self.writer else {
            return Err(Failure { error: self.gone(), passing: true });
        };
        self.backlog.next().map_or(Ok(()), |batch| writer.take(batch))
    }

    fn commit(&mut self, now: Instant) -> Result<(), StoreError> {
        self.commit = None;
        let done = self.write_out();
        self.settle(done, now)
    }

    fn write_out(&mut self) -> Result<(), Failure> {
        // What goes into a file that nobody can open any more is lost.
        if self.file != Identity::of(&self.path) {
            return Err(Failure { error: self.gone(), passing: true });
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.commit()?;
        self.backlog.committed();
        Ok(())
    }

    /// Tries what failed; as long as it goes, the next of what waits is due at once.
    fn try_again(&mut self, now: Instant, wall_ns: u64, why: StoreError) -> Result<(), StoreError> {
        self.retry = None;
        if self.file != Identity::of(&self.path)
            && let Some(reopen) = &mut self.manner.steadfast
        {
            // The old one lets go of its lock first; what it holds open is nobody's any more.
            (self.writer, self.checkpointer) = (None, None);
            match reopen(wall_ns) {
                Ok(writer) => self.begin(writer),
                Err(error) => {
                    self.retry = Some((now + RETRY_AFTER, error));
                    return Ok(());
                }
            }
        }
        for _ in 0..BATCHES_A_COMMIT {
            if self.retry.is_some() || !self.backlog.waits() {
                break;
            }
            self.take_next(now)?;
        }
        if self.retry.is_none() {
            self.commit(now)?;
        }
        if self.retry.is_none() && self.backlog.waits() {
            self.retry = Some((now, why));
        }
        Ok(())
    }

    fn sweep(&mut self, now: Instant) -> Result<(), StoreError> {
        self.swept = now + SWEEP_EVERY;
        if self.retry.is_some() {
            return Ok(());
        }
        // A step is a transaction of its own.
        if self.commit.is_some() {
            self.commit(now)?;
        }
        let stepped = match &self.writer {
            Some(writer) => self.sweep.step(writer),
            None => Ok(false),
        };
        if matches!(stepped, Ok(true)) {
            self.swept = now + SWEEP_STEP;
        }
        self.settle(stepped.map(|_| ()), now)
    }

    fn settle(&mut self, done: Result<(), Failure>, now: Instant) -> Result<(), StoreError> {
        let Err(failure) = done else { return Ok(()) };
        self.commit = None;
        if let Some(writer) = &mut self.writer {
            writer.give_up();
        }
        if self.manner.steadfast.is_none() {
            return Err(failure.error);
        }
        match failure.passing {
            true => self.backlog.given_up(),
            false => self.backlog.refused(),
        }
        // Room may be made by what is in the log already.
        self.checkpointer.iter().for_each(Checkpointer::ask);
        let after = if failure.passing { RETRY_AFTER } else { Duration::ZERO };
        self.retry = Some((now + after, failure.error));
        Ok(())
    }

    fn gone(&self) -> StoreError {
        let next = match self.manner.steadfast {
            Some(_) => "it is begun anew once its folder is there",
            None => "what was written to it is lost",
        };
        StoreError::new(&self.path, &format!("is not there any more: it was moved or deleted; {next}"))
    }
}

/// Which file a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(Option<(u64, u64)>);

impl Identity {
    fn of(path: &Path) -> Identity {
        Identity(fs::metadata(path).ok().map(|file| (file.dev(), file.ino())))
    }
}

#[cfg(test)]
mod tests;
