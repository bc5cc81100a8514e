//! The way of notes from a receiver to the comparator: a wait-free ring, and the promise of what will not come.
//!
//! The receiver never waits. When the ring is full its notes queue up behind it, in a bounded store of the receiver's
//! own; when that is full too, notes are lost and counted, and once there is room again the receiver tells the whole
//! truth of its quotes anew. Learned names are never lost: without them nothing that follows could be understood.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::pipeline::{Feeder, Judge, Note, Step};

/// What passes through the ring: steps as `Begin`, notes, `End`.
#[derive(Debug)]
pub enum Item {
    /// A step begins.
    Begin(Step),
    /// A note of it.
    Note(Note),
    /// It is whole.
    End,
}

/// Notes that a receiver keeps at most behind a full ring.
const BACKLOG_MAX: usize = 1 << 18;

/// Items that are looked at together ahead of being judged.
const AHEAD: usize = 64;

/// Room for notes behind a full ring that is kept when there are none.
const BACKLOG_KEPT: usize = 1 << 12;

/// Counters of a link, for anybody; one side writes each.
#[derive(Debug, Default)]
pub struct Gauge {
    /// Nothing earlier than this will come any more, nanoseconds since 1970 UTC.
    watermark_ns: AtomicU64,
    /// Items that found the ring full and had to queue up.
    queued: AtomicU64,
    /// Notes lost.
    lost: AtomicU64,
    /// The most items that ever waited in the ring.
    peak: AtomicU64,
    /// Items that wait now.
    used: AtomicU64,
}

impl Gauge {
    /// See [`Gauge`]: watermark, used, peak, queued, lost.
    pub fn read(&self) -> [u64; 5] {
        let fields = [&self.watermark_ns, &self.used, &self.peak, &self.queued, &self.lost];
        fields.map(|f| f.load(Ordering::Relaxed))
    }
}

/// The receiver's end.
pub struct Sender {
    ring: rtrb::Producer<Item>,
    backlog: VecDeque<Item>,
    /// Notes lost since the last whole truth; steps are left out until it has been told.
    losing: u64,
    gauge: Arc<Gauge>,
    waker: Option<std::thread::Thread>,
    /// Something was sent since the comparator was last woken.
    news: bool,
}

/// The comparator's end.
pub struct Receiver {
    ring: rtrb::Consumer<Item>,
    gauge: Arc<Gauge>,
    size: usize,
    /// Items at the ring's head that were looked at ahead already.
    seen: usize,
}

/// A link of that many items.
pub fn link(size: usize) -> (Sender, Receiver) {
    let (producer, consumer) = rtrb::RingBuffer::new(size.max(16));
    let gauge = Arc::new(Gauge::default());
    let sender = Sender {
        ring: producer,
        backlog: VecDeque::with_capacity(BACKLOG_KEPT),
        losing: 0,
        gauge: Arc::clone(&gauge),
        waker: None,
        news: false,
    };
    (sender, Receiver { ring: consumer, gauge, size: size.max(16), seen: 0 })
}

impl Sender {
    /// The comparator sleeps when it has nothing to do: it is to be woken.
    pub fn wakes(&mut self, comparator: std::thread::Thread) {
        self.waker = Some(comparator);
    }

    /// Counters.
    pub fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.gauge)
    }

    /// Sends a whole step; `notes` is empty afterwards.
    pub fn send(&mut self, step: Step, notes: &mut Vec<Note>) {
        self.flush();
        self.news = true;
        if self.losing > 0 || self.backlog.len() + notes.len() + 2 > BACKLOG_MAX {
            return self.lose(step, notes);
        }
        self.push(Item::Begin(step));
        notes.drain(..).for_each(|note| self.push(Item::Note(note)));
        self.push(Item::End);
    }

    /// Notes are lost, but for what names things.
    #[cold]
    fn lose(&mut self, step: Step, notes: &mut Vec<Note>) {
        let before = notes.len();
        notes.retain(Note::outlives_a_loss);
        let lost = (before - notes.len()) as u64;
        self.losing += lost;
        bump(&self.gauge.lost, lost);
        if !notes.is_empty() {
            self.push(Item::Begin(step));
            notes.drain(..).for_each(|note| self.push(Item::Note(note)));
            self.push(Item::End);
        }
    }

    /// After a loss, once everything that queued up is through: what is true now. `step` is now.
    pub fn restate(&mut self, step: Step, feeder: &Feeder, notes: &mut Vec<Note>) {
        self.flush();
        if self.losing == 0 || !self.backlog.is_empty() {
            return;
        }
        notes.push(Note::Overrun { notes: std::mem::take(&mut self.losing) });
        feeder.restate(notes);
        self.send(step, notes);
    }

    #[inline]
    fn push(&mut self, item: Item) {
        if self.backlog.is_empty() {
            match self.ring.push(item) {
                Ok(()) => return,
                Err(rtrb::PushError::Full(item)) => self.backlog.push_back(item),
            }
        } else {
            self.backlog.push_back(item);
        }
        bump(&self.gauge.queued, 1);
    }

    fn flush(&mut self) {
        while let Some(item) = self.backlog.pop_front() {
            if let Err(rtrb::PushError::Full(item)) = self.ring.push(item) {
                self.backlog.push_front(item);
                return;
            }
        }
        // What one bad moment needed is given back.
        self.backlog.shrink_to(BACKLOG_KEPT);
    }

    /// Promises that no step earlier than this will be sent. Held back while earlier ones still queue up.
    pub fn promise(&mut self, watermark_ns: u64) {
        self.flush();
        if self.backlog.is_empty() {
            // Release: whoever sees the promise (Acquire in `Receiver::watermark`) sees everything sent before it.
            self.gauge.watermark_ns.store(watermark_ns, Ordering::Release);
        }
        if std::mem::take(&mut self.news)
            && let Some(comparator) = &self.waker
        {
            comparator.unpark();
        }
    }

    /// Whether everything is in the ring and the truth has been told.
    pub fn is_settled(&mut self) -> bool {
        self.flush();
        self.backlog.is_empty() && self.losing == 0
    }

    /// Nobody listens any more.
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

fn bump(counter: &AtomicU64, by: u64) {
    // One writer: no need for an atomic addition.
    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
}

impl Receiver {
    /// No step earlier than this comes after those that can be seen now. Ask before [`Receiver::head`].
    pub fn watermark(&self) -> u64 {
        // Acquire: pairs with the Release in `Sender::promise`.
        self.gauge.watermark_ns.load(Ordering::Acquire)
    }

    /// The next step, left where it is.
    pub fn head(&mut self) -> Option<Step> {
        match self.ring.peek() {
            Ok(Item::Begin(step)) => Some(*step),
            _ => None,
        }
    }

    /// Takes the next item.
    pub fn pop(&mut self) -> Option<Item> {
        self.seen = self.seen.saturating_sub(1);
        self.ring.pop().ok()
    }

    /// Shows the judge what waits, some dozen items at a time; they stay where they are.
    pub fn look_ahead(&mut self, judge: &mut Judge) {
        if self.seen > 0 {
            return;
        }
        self.seen = self.ring.slots().min(AHEAD);
        if let Ok(waiting) = self.ring.read_chunk(self.seen) {
            let (first, rest) = waiting.as_slices();
            judge.look_ahead(first.iter().chain(rest).filter_map(|item| match item {
                Item::Note(note) => Some(note),
                Item::Begin(_) | Item::End => None,
            }));
        }
    }

    /// The sender is gone, and all it sent has been taken.
    pub fn is_over(&self) -> bool {
        self.ring.is_abandoned() && self.ring.is_empty()
    }

    /// Counts how full the ring is.
    pub fn measure(&self) {
        let used = self.ring.slots() as u64;
        self.gauge.used.store(used, Ordering::Relaxed);
        if used > self.gauge.peak.load(Ordering::Relaxed) {
            self.gauge.peak.store(used, Ordering::Relaxed);
        }
    }

    /// Items that fit.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Counters.
    pub fn gauge(&self) -> Arc<Gauge> {
        Arc::clone(&self.gauge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::life::Place;
    use crate::pipeline::Class;

    fn step(now_ns: u64) -> Step {
        Step { now_ns, class: Class::Datagram, order: 0 }
    }

    fn arrivals(count: usize) -> Vec<Note> {
        let place = Place { source: 0, channel: 0, line: 0 };
        (0..count).map(|_| Note::Arrival { place, fresh: true }).collect()
    }

    fn drain(receiver: &mut Receiver) -> usize {
        std::iter::from_fn(|| receiver.pop()).count()
    }

    #[test]
    fn a_full_ring_delays_and_loses_nothing() {
        let (mut sender, mut receiver) = link(16);
        sender.send(step(1), &mut arrivals(10));
        sender.promise(1);
        sender.send(step(2), &mut arrivals(10));
        sender.promise(2);
        assert_eq!(
            (receiver.watermark(), receiver.head()),
            (1, Some(step(1))),
            "a promise waits for its steps"
        );
        assert_eq!(drain(&mut receiver), 16);
        sender.promise(2);
        assert_eq!((receiver.watermark(), drain(&mut receiver)), (2, 8));
        assert!(sender.is_settled());
        assert_eq!(sender.gauge().read()[3..], [8, 0]);
    }

    #[test]
    fn beyond_the_store_notes_are_lost_counted_and_the_truth_is_told_anew() {
        let config = crate::config::Config::parse("t", "", std::path::Path::new(".")).unwrap_or_default();
        let feeder = Feeder::new(&config, &[], crate::pipeline::Stages::Off, 0);
        let (mut sender, mut receiver) = link(16);
        for now in 0..30_000 {
            sender.send(step(now), &mut arrivals(10));
        }
        let lost = sender.gauge().read()[4];
        assert!(lost > 0 && lost.is_multiple_of(10), "whole steps are lost");
        let mut taken = 0;
        while !sender.is_settled() {
            taken += drain(&mut receiver);
            sender.restate(step(30_000), &feeder, &mut Vec::new());
        }
        let mut rest = Vec::new();
        while let Some(item) = receiver.pop() {
            rest.push(item);
        }
        let told = |item: &Item| matches!(item, Item::Note(Note::Overrun { notes }) if *notes == lost);
        assert!(rest.iter().any(told), "the loss is said");
        // Of 12 items each: what was sent and not lost, and the last step.
        assert_eq!((taken + rest.len()) as u64, (30_000 - lost / 10) * 12 + 4);
    }
}
