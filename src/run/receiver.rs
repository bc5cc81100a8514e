//! A receiver thread: sockets in; books shown, notes sent, datagrams handed to the recorder.
//!
//! What it does with a datagram, it does at once and alone: no lock, no wait, no allocation once everything has been
//! seen. Order and times are those that the recording keeps, so that a replay of it does the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::board::ReceiverBoard;
use super::link::Sender;
use super::shelves::Shelves;
use crate::pipeline::{Class, Feeder, Note, Step};
use crate::source::multicast::{Health, Received, Receiver};
use crate::source::recorder::{Arrival, Keeper};
use crate::source::{Datagram, Transport};

/// When everything is to end: a time on the clock of receive stamps, or never.
#[derive(Debug)]
pub struct Stop(AtomicU64);

impl Stop {
    /// Not yet.
    pub fn new() -> Stop {
        Stop(AtomicU64::new(u64::MAX))
    }

    /// What was received up to then still counts. Only the first call has an effect.
    pub fn at(&self, now_ns: u64) {
        // Relaxed: the time is all that is told.
        let _ = self.0.compare_exchange(u64::MAX, now_ns, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// When, if it was said.
    pub fn time(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|at| *at != u64::MAX)
    }
}

impl Default for Stop {
    fn default() -> Self {
        Stop::new()
    }
}

/// How often other threads are shown how it goes, and books show a sign of life.
const SHOW_NS: u64 = 50_000_000;

/// How long a receiver that waits in the kernel waits at most: its promise to the comparator goes no further.
const WAIT: Duration = Duration::from_millis(2);

/// Positions in a capture that is none.
const NOWHERE: u32 = u32::MAX;

/// Everything that a receiver thread owns.
pub struct ReceiverThread {
    /// Sockets.
    pub net: Receiver,
    /// Lines and books.
    pub work: Work,
    /// The end.
    pub stop: Arc<Stop>,
    /// What others are shown.
    pub board: Arc<Mutex<ReceiverBoard>>,
}

/// What is done with datagrams.
pub struct Work {
    /// Lines and books.
    pub feeder: Feeder,
    /// By line of the receiver: channel of the feeder, line of the channel, name.
    pub lines: Vec<(usize, u16, String)>,
    /// The recorder's ring.
    pub keeper: Option<Keeper>,
    /// The comparator's ring.
    pub link: Sender,
    /// Shared memory.
    pub shelves: Shelves,
    /// Number of this receiver, and how many there are.
    pub number: (u16, u16),
    /// Notes of the step at hand.
    pub notes: Vec<Note>,
    /// The latest file of the recording.
    pub file: Option<u32>,
    /// Datagrams that came after the end.
    pub after_end: u64,
}

impl ReceiverThread {
    /// Runs until the end; answers how it went.
    pub fn run(mut self) -> ReceiverBoard {
        let health = self.net.health();
        let mut shown_ns = 0;
        loop {
            let stop = self.stop.time();
            let work = &mut self.work;
            let taken = self.net.poll(&mut |received| work.take(&received, stop));
            let now = self.net.watermark();
            work.settle(now.min(stop.unwrap_or(u64::MAX)));
            if let Some(end) = stop.filter(|end| now > *end) {
                return self.finish(end, &health);
            }
            if now >= shown_ns + SHOW_NS {
                shown_ns = now;
                work.shelves.heartbeat(now);
                if let Ok(mut board) = self.board.try_lock() {
                    board.update(&work.feeder, &health);
                }
            }
            if taken == 0 {
                self.net.wait(WAIT);
            }
        }
    }

    fn finish(self, end: u64, health: &Health) -> ReceiverBoard {
        let mut work = self.work;
        for channel in 0..work.feeder.channels.len() {
            let step = work.feeder.finish(end, channel, &mut work.shelves, &mut work.notes);
            work.link.send(step, &mut work.notes);
        }
        if let Some(keeper) = work.keeper.take() {
            keeper.finish(end);
        }
        // The comparator takes what is left; one that is gone takes nothing.
        while !work.link.is_settled() && !work.link.is_abandoned() {
            let step = Step { now_ns: end, class: Class::Finish, order: u16::MAX };
            work.link.restate(step, &work.feeder, &mut work.notes);
            std::thread::yield_now();
        }
        work.link.promise(u64::MAX);
        work.shelves.close(end);
        let mut board = ReceiverBoard::default();
        board.update(&work.feeder, health);
        board.after_end = work.after_end;
        if let Ok(mut shown) = self.board.lock() {
            *shown = board.clone();
        }
        board
    }
}

impl Work {
    fn take(&mut self, received: &Received<'_>, stop: Option<u64>) {
        let now = received.ts_recv_ns;
        if stop.is_some_and(|end| now > end) {
            self.after_end += 1;
            return;
        }
        self.timeouts(now);
        let (channel, line, name) = &self.lines[received.line];
        let mut datagram = Datagram {
            ts_recv_ns: now,
            capture: NOWHERE,
            frame: 0,
            transport: Transport::Udp,
            source: received.source,
            destination: received.destination,
            payload: received.payload,
            wire_len: received.wire_len,
            checksum: 0,
            identification: 0,
            interface: received.line as u32,
            interface_name: name,
            lost: received.lost,
        };
        if let Some(keeper) = &mut self.keeper {
            let place = keeper.keep(&Arrival {
                line: received.line as u16,
                ts_recv_ns: now,
                source: received.source,
                destination: received.destination,
                payload: received.payload,
                wire_len: received.wire_len,
                lost: received.lost,
            });
            if let Some(place) = place {
                let (this, all) = self.number;
                datagram.capture = place.file * u32::from(all) + u32::from(this);
                datagram.frame = place.frame;
                if self.file != Some(place.file) {
                    self.file = Some(place.file);
                    let name = keeper.capture_name(place.file).into();
                    self.notes.push(Note::Capture { number: datagram.capture, name });
                }
            }
        }
        let place = (*channel, *line);
        let step = self.feeder.on_datagram(place, &datagram, &mut self.shelves, &mut self.notes);
        self.link.send(Step { order: self.number.0, ..step }, &mut self.notes);
    }

    /// Fires the deadlines of the lines up to `now`.
    fn timeouts(&mut self, now: u64) {
        while let Some((at, channel)) = self.feeder.next_timeout().filter(|(at, _)| *at <= now) {
            let step = self.feeder.on_timeout(at, channel, &mut self.shelves, &mut self.notes);
            self.link.send(step, &mut self.notes);
        }
    }

    /// Nothing earlier than `now` will come.
    fn settle(&mut self, now: u64) {
        self.timeouts(now);
        let step = Step { now_ns: now, class: Class::Timeout, order: u16::MAX };
        self.feeder.beat(now, &mut self.notes);
        if !self.notes.is_empty() {
            self.link.send(step, &mut self.notes);
        }
        self.link.restate(step, &self.feeder, &mut self.notes);
        self.link.promise(now);
    }
}
