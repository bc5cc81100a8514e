//! A replay on two threads: captures are read and booked on one while the other judges what was booked before.
//!
//! Steps pass in batches, in order, and each side sees exactly what it would see in one thread: what comes out is the
//! same to the byte. Neither side looks at a clock or at how far the other is.

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use super::intake::{Intake, Steps};
use super::judge::Judge;
use super::note::{Class, Note, Step};

/// Notes that go over together: enough that waking the other side is rare, few enough that they are still near it.
const NOTES: usize = 2_048;
/// Notes looked at together ahead of being judged: those of some ten packets.
const AHEAD: usize = 64;
/// How often the judging side looks for the next batch before it sleeps until there is one.
const LOOKS: usize = 256;
/// Batches under way at most.
const BATCHES: usize = 8;

/// One step or moment, and where its notes end in the batch.
#[derive(Debug, Clone, Copy)]
enum Entry {
    Step(Step, usize),
    Until(u64),
}

/// Steps that go over together.
#[derive(Debug, Default)]
struct Batch {
    entries: Vec<Entry>,
    notes: Vec<Note>,
}

/// Where the reading side puts its steps.
#[derive(Debug)]
pub struct Ahead {
    entries: Vec<Entry>,
    full: Sender<Batch>,
    empty: Receiver<Batch>,
    abandoned: bool,
}

impl Ahead {
    /// Whether the judging side has ended: nothing that is put here has an effect any more.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    fn put(&mut self, entry: Entry, notes: &mut Vec<Note>) {
        self.entries.push(entry);
        if notes.len() >= NOTES || self.entries.len() >= NOTES {
            self.flush(notes);
        }
    }

    fn flush(&mut self, notes: &mut Vec<Note>) {
        let next = self.empty.try_recv().unwrap_or_default();
        let entries = std::mem::replace(&mut self.entries, next.entries);
        let notes = std::mem::replace(notes, next.notes);
        self.abandoned |= self.full.send(Batch { entries, notes }).is_err();
    }
}

impl Steps for Ahead {
    fn step(&mut self, step: Step, notes: &mut Vec<Note>) {
        // The notes stay where they were written until the batch is full.
        self.put(Entry::Step(step, notes.len()), notes);
    }

    fn until(&mut self, now: u64, notes: &mut Vec<Note>) {
        self.put(Entry::Until(now), notes);
    }
}

/// The next batch, `None` behind the last. While the other side is about to send one it is looked for rather than slept
/// for: to be woken costs whoever wakes more than this, and the machine has nothing else to do here.
fn next(batches: &Receiver<Batch>) -> Option<Batch> {
    for _ in 0..LOOKS {
        match batches.try_recv() {
            Ok(batch) => return Some(batch),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => std::thread::yield_now(),
        }
    }
    batches.recv().ok()
}

/// Runs `read` on this thread and judges what it makes on another. `taken` is called after every datagram, with its
/// time, on that other thread; when it answers false or fails, judging ends and `read` finds its [`Ahead`] abandoned.
/// Answers what either said, `read` first, once everything that was put has been judged.
///
/// # Errors
/// Those of `read` and `taken`, and a thread that cannot be started.
pub fn run(
    intake: &mut Intake,
    judge: &mut Judge,
    read: impl FnOnce(&mut Intake, &mut Ahead) -> anyhow::Result<bool>,
    mut taken: impl FnMut(&mut Judge, u64) -> anyhow::Result<bool> + Send,
) -> anyhow::Result<bool> {
    let (full, batches) = bounded::<Batch>(BATCHES);
    let (emptied, empty) = bounded::<Batch>(BATCHES);
    std::thread::scope(|scope| {
        let judging = std::thread::Builder::new().name("judge".to_owned()).spawn_scoped(
            scope,
            move || -> anyhow::Result<bool> {
                while let Some(mut batch) = next(&batches) {
                    if !batch.judge(judge, &mut taken)? {
                        return Ok(false);
                    }
                    // A full store of empty ones takes no more of them.
                    let _ = emptied.try_send(batch);
                }
                Ok(true)
            },
        )?;
        let mut ahead = Ahead { entries: Vec::new(), full, empty, abandoned: false };
        let read = read(intake, &mut ahead);
        ahead.flush(&mut intake.notes);
        drop(ahead);
        let judged: anyhow::Result<bool> =
            judging.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(read? & judged?)
    })
}

impl Batch {
    /// Judges all of it, and empties it.
    fn judge(
        &mut self,
        judge: &mut Judge,
        taken: &mut impl FnMut(&mut Judge, u64) -> anyhow::Result<bool>,
    ) -> anyhow::Result<bool> {
        let (mut at, mut seen) = (0, 0);
        for entry in &self.entries {
            match entry {
                Entry::Until(now) => judge.advance_through(*now),
                Entry::Step(step, end) => {
                    if *end > seen {
                        let next = (seen + AHEAD).clamp(*end, self.notes.len());
                        judge.look_ahead(self.notes[seen..next].iter());
                        seen = next;
                    }
                    judge.begin_step(step);
                    self.notes[at..*end].iter().for_each(|note| judge.take(note));
                    at = *end;
                    if step.class == Class::Datagram && !taken(judge, step.now_ns)? {
                        return Ok(false);
                    }
                }
            }
        }
        self.entries.clear();
        self.notes.drain(..).for_each(Note::end);
        Ok(true)
    }
}
