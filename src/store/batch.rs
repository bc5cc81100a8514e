//! What is handed over to a store at once, and what becomes of it while the store cannot be written.
//!
//! A batch is kept until its transaction is committed: what fails is taken again, in order, once there is room. Memory for
//! it is bounded; beyond the bounds the oldest goes, and what went is counted. It knows no file and reads no clock.

use std::collections::VecDeque;

use crate::pipeline::figures::{Figure, What};

/// The machine's own clock, as its kernel has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostClock {
    /// When it was asked.
    pub ts_ns: u64,
    /// Somebody keeps it in step.
    pub synchronised: bool,
    /// How far it is off, as estimated.
    pub offset_ns: i64,
    /// Estimated error.
    pub error_ns: u64,
    /// Most that it can be off.
    pub error_max_ns: u64,
    /// Status bits.
    pub status: u32,
}

/// What came together.
#[derive(Debug, Default)]
pub struct Batch {
    /// Lines of alerts.
    pub lines: Vec<u8>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Lines of the operators' journal.
    pub actions: Vec<u8>,
    /// The machine's clock.
    pub clocks: Vec<HostClock>,
}

/// What was not stored, and never will be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Figures.
    pub figures: u64,
    /// Transitions of alerts.
    pub transitions: u64,
    /// What operators did.
    pub actions: u64,
    /// Looks at the machine's clock.
    pub clocks: u64,
}

impl Lost {
    /// All that is in a batch.
    pub fn of(batch: &Batch) -> Lost {
        let lines = |bytes: &[u8]| bytes.iter().filter(|b| **b == b'\n').count() as u64;
        let figures =
            batch.figures.iter().filter(|figure| !matches!(figure.what, What::Until)).count() as u64;
        let (transitions, actions) = (lines(&batch.lines), lines(&batch.actions));
        Lost { figures, transitions, actions, clocks: batch.clocks.len() as u64 }
    }

    /// And that.
    pub fn add(&mut self, more: Lost) {
        self.figures += more.figures;
        self.transitions += more.transitions;
        self.actions += more.actions;
        self.clocks += more.clocks;
    }

    /// Nothing was lost.
    pub fn is_nothing(&self) -> bool {
        *self == Lost::default()
    }
}

/// Memory that waits at most, bytes: figures, and everything that is kept as lines.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub figures: usize,
    pub lines: usize,
}

/// In each case some minutes of a busy market.
pub const ROOM: Room = Room { figures: 96 << 20, lines: 64 << 20 };

/// What a figure takes, roughly: itself, and what it holds beside it.
const FIGURE: usize = size_of::<Figure>() + 96;

/// See the module.
#[derive(Debug)]
pub struct Backlog {
    /// In the open transaction, in this order.
    taken: Vec<Batch>,
    /// To be taken, the oldest first.
    waiting: VecDeque<Batch>,
    room: Room,
    /// Bytes of both, as [`Room`] has them.
    used: Room,
    lost: Lost,
}

impl Backlog {
    /// Nothing waits.
    pub fn new(room: Room) -> Backlog {
        let used = Room { figures: 0, lines: 0 };
        Backlog { taken: Vec::new(), waiting: VecDeque::new(), room, used, lost: Lost::default() }
    }

    /// A batch is to be taken after all others.
    pub fn push(&mut self, batch: Batch) {
        let weight = weight(&batch);
        self.used.figures += weight.figures;
        self.used.lines += weight.lines;
        self.waiting.push_back(batch);
        self.trim();
    }

    /// The one that is to be taken next; it is in the transaction from now on.
    pub fn next(&mut self) -> Option<&Batch> {
        let batch = self.waiting.pop_front()?;
        self.taken.push(batch);
        self.taken.last()
    }

    /// The transaction is committed.
    pub fn committed(&mut self) {
        for batch in std::mem::take(&mut self.taken) {
            self.forget(&batch);
        }
    }

    /// The transaction was given up: all of it is to be taken again.
    pub fn given_up(&mut self) {
        for batch in std::mem::take(&mut self.taken).into_iter().rev() {
            self.waiting.push_front(batch);
        }
        self.trim();
    }

    /// The transaction was given up because of its latest batch, which nobody can take: the others are to be taken again.
    pub fn refused(&mut self) {
        if let Some(batch) = self.taken.pop() {
            self.lost.add(Lost::of(&batch));
            self.forget(&batch);
        }
        self.given_up();
    }

    /// The run is over: what still waits is lost.
    pub fn close(&mut self) {
        self.given_up();
        self.waiting.drain(..).for_each(|batch| self.lost.add(Lost::of(&batch)));
        self.used = Room { figures: 0, lines: 0 };
    }

    /// Something waits to be taken.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Bytes of memory that wait.
    pub fn bytes(&self) -> usize {
        self.used.figures + self.used.lines
    }

    /// What is lost.
    pub fn lost(&self) -> Lost {
        self.lost
    }

    fn forget(&mut self, batch: &Batch) {
        let weight = weight(batch);
        self.used.figures -= weight.figures;
        self.used.lines -= weight.lines;
    }

    /// Makes room: the oldest figures go first, and alerts only where they alone are too many.
    fn trim(&mut self) {
        let Backlog { waiting, room, used, lost, .. } = self;
        for batch in waiting.iter_mut() {
            if used.figures <= room.figures {
                break;
            }
            used.figures -= weight(batch).figures;
            let figures = std::mem::take(&mut batch.figures);
            lost.add(Lost::of(&Batch { figures, ..Batch::default() }));
        }
        while used.lines > room.lines
            && let Some(batch) = waiting.pop_front()
        {
            let weight = weight(&batch);
            used.figures -= weight.figures;
            used.lines -= weight.lines;
            lost.add(Lost::of(&batch));
        }
        while waiting.front().is_some_and(is_empty) {
            waiting.pop_front();
        }
    }
}

fn is_empty(batch: &Batch) -> bool {
    batch.lines.is_empty() && batch.figures.is_empty() && batch.actions.is_empty() && batch.clocks.is_empty()
}

fn weight(batch: &Batch) -> Room {
    let held = |figure: &Figure| match &figure.what {
        What::Latency(_, packed) => FIGURE + packed.bytes(),
        _ => FIGURE,
    };
    Room {
        figures: batch.figures.iter().map(held).sum(),
        lines: batch.lines.len() + batch.actions.len() + batch.clocks.len() * size_of::<HostClock>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(at_ns: u64) -> Batch {
        let figure = Figure { at_ns, what: What::Watched(at_ns, 1) };
        Batch { figures: vec![figure], ..Batch::default() }
    }

    fn line(text: &str) -> Batch {
        Batch { lines: format!("{text}\n").into_bytes(), ..Batch::default() }
    }

    fn said(batch: Option<&Batch>) -> Option<(u64, String)> {
        batch.map(|batch| {
            let at = batch.figures.first().map_or(0, |figure| figure.at_ns);
            (at, String::from_utf8_lossy(&batch.lines).trim_end().to_owned())
        })
    }

    #[test]
    fn what_is_given_up_comes_again_in_its_order() {
        let mut backlog = Backlog::new(ROOM);
        backlog.push(figures(1));
        backlog.push(line("a"));
        assert_eq!(said(backlog.next()), Some((1, String::new())));
        backlog.committed();
        assert_eq!(said(backlog.next()), Some((0, "a".to_owned())));
        backlog.push(figures(2));
        assert_eq!(said(backlog.next()), Some((2, String::new())));
        backlog.given_up();
        backlog.push(figures(3));
        for wanted in [(0, "a"), (2, ""), (3, "")] {
            assert_eq!(said(backlog.next()), Some((wanted.0, wanted.1.to_owned())));
        }
        backlog.refused();
        assert_eq!(said(backlog.next()), Some((0, "a".to_owned())));
        backlog.next();
        backlog.committed();
        assert_eq!((backlog.bytes(), backlog.waits()), (0, false));
        assert_eq!(backlog.lost(), Lost { figures: 1, ..Lost::default() });
    }

    #[test]
    fn memory_is_bounded_and_figures_go_before_alerts() {
        let mut backlog = Backlog::new(Room { figures: 3 * FIGURE, lines: 5 });
        let batches = [line("a"), figures(1), figures(2), line("b"), figures(3), figures(4)];
        batches.into_iter().for_each(|batch| backlog.push(batch));
        assert_eq!(backlog.lost(), Lost { figures: 1, ..Lost::default() });
        backlog.push(line("c"));
        assert_eq!(backlog.lost(), Lost { figures: 1, transitions: 1, ..Lost::default() });
        for wanted in [(2, ""), (0, "b"), (3, ""), (4, ""), (0, "c")] {
            assert_eq!(said(backlog.next()), Some((wanted.0, wanted.1.to_owned())));
        }
        assert!(backlog.next().is_none());
        backlog.close();
        assert_eq!(backlog.lost(), Lost { figures: 4, transitions: 3, ..Lost::default() });
        assert_eq!(backlog.bytes(), 0);
    }
}
