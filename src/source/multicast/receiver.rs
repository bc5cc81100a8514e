//! The receiver: drains sockets without waiting and hands on what they held in the order of the kernel's stamps.
//!
//! Of every line it knows up to when it is *complete*: everything that its socket got before has been taken. A
//! datagram is handed on when no other line may still bring an earlier one, that is when each of them has one in hand
//! or is complete up to its stamp; a line that is not is asked once more. So a backlog comes out in the order in which
//! it came in, whatever line it came on, and what is new waits for one look at the other sockets.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use socket2::Socket;

use super::super::{Lost, clock};
use super::batch::Batch;
use super::bell::Bell;
use super::counters::{Counters, Health, LineHealth};
use super::event::NetEvent;
use super::keeper::Keeper;
use super::plan::{LinePlan, Mode, OpenError, Options};
use super::timeline::Timeline;
use super::{socket, stamps, system};

/// How often a poll asks each socket, at the most, before it returns with what it still holds.
const READS_PER_LINE: usize = 8;

/// Up to so many lines every socket is asked; with more, bells tell which of them have something, or one call does. Asking
/// an empty socket costs 0.3 us, that call 0.1 us where none has anything and 0.4 us where one has, a bell nothing.
const ASKED_ALL_MAX: usize = 1;

/// Up to so many lines have bells: each is looked at in every round.
const BELLS_MAX: usize = 64;

/// Whether a receiver of so many lines that spins has a bell for each of them, where the kernel rings any.
pub const fn wants_bells(lines: usize) -> bool {
    lines > ASKED_ALL_MAX && lines <= BELLS_MAX
}

/// Whether the kernel rings for a socket. Nothing is left of it.
///
/// # Errors
/// It has no such rings, or does not allow them; or there was no socket to be had.
pub fn try_a_bell() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
    Bell::hang(socket.as_fd()).map(drop)
}

/// So often every socket is asked even where no bell rang. They do ring; a line is not to rest on that alone.
const BELIEVED_NS: u64 = 10_000_000;

/// The event that wakes a receiver that waits.
const WAKE: mio::Token = mio::Token(usize::MAX);

/// A datagram of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// Number of the line among those planned.
    pub line: usize,
    /// When the kernel got it, nanoseconds since 1970 UTC; never earlier than the one before it.
    pub ts_recv_ns: u64,
    /// Sender.
    pub source: SocketAddr,
    /// Group and port.
    pub destination: SocketAddr,
    /// Its bytes, as many as there was room for.
    pub payload: &'a [u8],
    /// Its length; more than `payload.len()` when it was cut.
    pub wire_len: u32,
    /// What this machine lost before it. `socket` is exact in number and place: these were dropped on this line
    /// between the datagram before and this one. `host` is exact in number and up to a second late; every line is told
    /// of all of them, for whose they were is not known.
    pub lost: Lost,
}

struct Line {
    socket: Socket,
    group: SocketAddr,
    batch: Batch,
    /// The first of the batch that has not been handed on.
    next: usize,
    /// The clock before the last call, for datagrams without a stamp.
    asked_ns: u64,
    /// Every datagram of before has been taken.
    complete_ns: u64,
    /// The last call found more than there was room for, or as much.
    more: bool,
    /// Something came since the last call that found less than there was room for. Known only where readiness is asked.
    ready: bool,
    /// Drops told by the last datagram that told any, modulo 2^32.
    drops: u32,
    /// Rings when something comes, where a receiver has bells.
    bell: Option<Bell>,
    /// Drops before any socket that this line has been told: it may be its own that are missing.
    host_told: u64,
}

impl Line {
    fn is_empty(&self) -> bool {
        self.next >= self.batch.heads().len()
    }

    /// The stamp of the next datagram in hand.
    fn head_ns(&self) -> Option<u64> {
        self.batch.heads().get(self.next).map(|head| head.stamp_ns.unwrap_or(self.asked_ns))
    }

    /// Takes what the socket holds; only when nothing is in hand. `now_ns` is the clock before this. The first after a
    /// silence may be taken `alone`: a call for one is quicker than a call that also finds that there are no more, and
    /// that can wait until the one is handed on.
    fn read(&mut self, now_ns: u64, batch: usize, alone: bool) -> io::Result<()> {
        self.asked_ns = now_ns;
        self.next = 0;
        let alone = alone && !self.more;
        let (mut taken, mut room) = (0, 1);
        if alone {
            taken = self.batch.receive_one(self.socket.as_fd())?;
        }
        // What comes after an answer rings again: only so may a socket that is found empty be left until it does.
        if taken == 0 && (self.answers() || !alone) {
            (taken, room) = (self.batch.receive(self.socket.as_fd())?, batch);
        }
        self.more = taken == room;
        self.ready = self.more;
        self.complete_ns = match self.batch.heads().last() {
            Some(last) if self.more => last.stamp_ns.unwrap_or(self.asked_ns).min(self.asked_ns),
            _ => self.asked_ns,
        };
        Ok(())
    }

    /// Answers the bell if it rang, and says whether it did. One that fails is taken down.
    fn answers(&mut self) -> bool {
        let Some(bell) = &mut self.bell else { return false };
        let rung = bell.is_rung();
        if rung && bell.answer().is_err() {
            self.bell = None;
        }
        rung
    }
}

/// Listens to lines, for one thread.
pub struct Receiver {
    lines: Vec<Line>,
    timeline: Timeline,
    /// From where steady time is counted.
    opened: Instant,
    pub(super) counters: Arc<Counters>,
    batch: usize,
    margin_ns: u64,
    keeper: Option<Keeper>,
    readiness: Option<Readiness>,
    mode: Mode,
    /// Bells are tried once, by the first poll: they are for its thread.
    pub(super) bells_tried: bool,
    /// When no bell was believed for the last time.
    doubted_ns: u64,
}

/// Tells which sockets have something.
struct Readiness {
    poll: mio::Poll,
    events: mio::Events,
    waker: Arc<mio::Waker>,
}

impl Receiver {
    /// Opens and joins lines.
    ///
    /// # Errors
    /// The first line that cannot be opened or joined; none stays open then.
    pub fn open(lines: &[LinePlan], options: &Options) -> Result<Receiver, OpenError> {
        let present = system::interfaces().map_err(|source| OpenError::Interfaces { source })?;
        let batch = options.batch.clamp(1, 1024);
        let datagram_max = options.datagram_max.clamp(1, 65_535);
        let counters =
            Counters { lines: lines.iter().map(|_| Default::default()).collect(), ..Default::default() };
        let counters = Arc::new(counters);
        let mut keeper = Keeper::new(Arc::clone(&counters), options);
        // Held until the lines' own sockets keep stamping on.
        let stamping = stamps::turn_on();
        keeper.stamping(stamping.as_ref().err());
        let mut opened = Vec::with_capacity(lines.len());
        for plan in lines {
            let group = socket::group(plan)?;
            let index = socket::index(plan, &present)?;
            let socket = socket::open(plan, options)?;
            keeper.keep(plan, group, &socket, index)?;
            opened.push(Line {
                socket,
                group: plan.group,
                batch: Batch::new(batch, datagram_max),
                next: 0,
                asked_ns: 0,
                complete_ns: 0,
                more: false,
                ready: true,
                drops: 0,
                bell: None,
                host_told: 0,
            });
        }
        let readiness = (options.mode == Mode::Block || lines.len() > ASKED_ALL_MAX)
            .then(|| Readiness::over(&opened).map_err(|source| OpenError::Wait { source }))
            .transpose()?;
        Ok(Self {
            lines: opened,
            timeline: Timeline::default(),
            opened: clock::monotonic_now(),
            counters,
            batch,
            margin_ns: options.margin_ns,
            keeper: Some(keeper),
            readiness,
            mode: options.mode,
            bells_tried: false,
            doubted_ns: 0,
        })
    }

    /// One round: takes what the sockets hold, without waiting, and hands it on in order of time. Gives how many.
    ///
    /// It returns after a bounded number of calls to the system even when more comes all the time.
    pub fn poll(&mut self, each: &mut impl FnMut(Received<'_>)) -> usize {
        if !self.bells_tried {
            self.hang_bells();
        }
        let now_ns = clock::wall_now_ns();
        self.timeline.see(now_ns, || clock::steady_ns(self.opened));
        let mut reads = self.complete(u64::MAX, now_ns);
        let reads_max = reads + READS_PER_LINE * self.lines.len();
        let mut delivered = 0;
        while let Some((mut earliest, stamp_ns, complete_ns)) = self.earliest() {
            if complete_ns < stamp_ns && self.lines.len() > 1 {
                if reads >= reads_max {
                    break;
                }
                reads += self.complete(stamp_ns, clock::wall_now_ns());
                earliest = self.earliest().map_or(earliest, |(at, ..)| at);
            }
            self.hand_on(earliest, each);
            delivered += 1;
        }
        self.settle(delivered);
        delivered
    }

    /// The line with the earliest datagram in hand, its stamp, and up to when all lines with nothing in hand are
    /// complete. Of equals, the first line.
    fn earliest(&self) -> Option<(usize, u64, u64)> {
        let (mut earliest, mut complete_ns) = (None, u64::MAX);
        for (at, line) in self.lines.iter().enumerate() {
            match line.head_ns() {
                None => complete_ns = complete_ns.min(line.complete_ns),
                Some(ns) if earliest.is_none_or(|(_, least)| ns < least) => earliest = Some((at, ns)),
                Some(_) => {}
            }
        }
        earliest.map(|(at, ns)| (at, ns, complete_ns))
    }

    /// Asks the lines that have nothing in hand and are not complete up to `stamp_ns`, each once: a stamp of before
    /// the clock was set back lies in the future, and no line is ever complete up to it. `now_ns` is the clock. Gives how
    /// many were asked.
    fn complete(&mut self, stamp_ns: u64, now_ns: u64) -> usize {
        let mut reads = 0;
        let known = self.look(now_ns);
        for at in 0..self.lines.len() {
            let line = &mut self.lines[at];
            if !line.is_empty() || line.complete_ns >= stamp_ns {
                continue;
            }
            if known && !line.ready {
                line.complete_ns = now_ns;
            } else {
                self.read(at, now_ns);
                reads += 1;
            }
        }
        reads
    }

    /// Marks the lines that have something; the others have nothing that came before `now_ns`. `false` where that cannot be
    /// said and each must be asked.
    fn look(&mut self, now_ns: u64) -> bool {
        if self.lines.len() <= ASKED_ALL_MAX {
            return false;
        }
        if let Some(readiness) = &mut self.readiness {
            return readiness.ask(&mut self.lines, Duration::ZERO).is_ok();
        }
        let doubted = now_ns.abs_diff(self.doubted_ns) >= BELIEVED_NS;
        if doubted {
            self.doubted_ns = now_ns;
        }
        for line in &mut self.lines {
            line.ready |= doubted || line.bell.as_mut().is_none_or(Bell::is_rung);
        }
        true
    }

    /// Gives every line a bell, or none where that does not work: who spins then asks the system which have something.
    #[cold]
    fn hang_bells(&mut self) {
        self.bells_tried = true;
        if self.mode == Mode::Block || !wants_bells(self.lines.len()) {
            return;
        }
        let bells = self.lines.iter().map(|line| Bell::hang(line.socket.as_fd()));
        let Ok(bells) = bells.collect::<io::Result<Vec<_>>>() else { return };
        for (line, bell) in self.lines.iter_mut().zip(bells) {
            line.bell = Some(bell);
        }
        self.readiness = None;
    }

    /// Lines that have a bell.
    #[cfg(test)]
    pub(super) fn bells(&self) -> usize {
        self.lines.iter().filter(|line| line.bell.is_some()).count()
    }

    /// Every bell hangs on that socket from here on, and not on its line's.
    #[cfg(test)]
    pub(super) fn hang_bells_on(&mut self, socket: std::os::fd::BorrowedFd<'_>) {
        self.lines.iter_mut().for_each(|line| line.bell = Bell::hang(socket).ok());
    }

    fn read(&mut self, at: usize, now_ns: u64) {
        if self.lines[at].read(now_ns, self.batch, self.mode == Mode::Spin).is_err() {
            // What the system says here it says once (a pending error of the socket); the next round asks again.
            self.counters.lines[at].0.failures.add(1);
        }
    }

    fn hand_on(&mut self, at: usize, each: &mut impl FnMut(Received<'_>)) {
        let line = &mut self.lines[at];
        let Some(&head) = line.batch.heads().get(line.next) else { return };
        let payload = line.batch.payload(line.next);
        let counts = &self.counters.lines[at].0;
        let ts_recv_ns = self.timeline.stamp(head.stamp_ns.unwrap_or(line.asked_ns));
        let mut lost = Lost::default();
        if let Some(drops) = head.drops {
            // The kernel's count only grows; what looks like less is not news.
            let more = drops.wrapping_sub(line.drops);
            if more != 0 && more < 1 << 31 {
                line.drops = drops;
                lost.socket = more;
                counts.drops_told.add(u64::from(more));
            }
        }
        // SYNC POINT: none needed, see `counters`; a count that is seen late is told with a later datagram.
        let host = self.counters.care.host_drops.get();
        if host != line.host_told {
            lost.host = u32::try_from(host - line.host_told).unwrap_or(u32::MAX);
            line.host_told += u64::from(lost.host);
            let told = &self.counters.receiver.host_told;
            told.set(told.get().max(line.host_told));
        }
        counts.datagrams.add(1);
        counts.bytes.add(payload.len() as u64);
        counts.truncated.add(u64::from(payload.len() < head.wire_len as usize));
        counts.unstamped.add(u64::from(head.stamp_ns.is_none()));
        counts.last_ns.set(ts_recv_ns);
        line.next += 1;
        each(Received {
            line: at,
            ts_recv_ns,
            source: head.source,
            destination: line.group,
            payload,
            wire_len: head.wire_len,
            lost,
        });
    }

    /// Ends a round: moves the watermark up, and counts.
    fn settle(&mut self, delivered: usize) {
        let complete =
            |line: &Line| line.head_ns().unwrap_or(line.complete_ns.saturating_sub(self.margin_ns));
        if let Some(until_ns) = self.lines.iter().map(complete).min() {
            self.timeline.promise(until_ns);
        }
        let counts = &self.counters.receiver;
        counts.datagrams.add(delivered as u64);
        counts.polls.add(1);
        counts.polls_empty.add(u64::from(delivered == 0));
        counts.watermark_ns.set(self.timeline.floor_ns);
        counts.late.set(self.timeline.late);
        counts.late_max_ns.set(self.timeline.late_max_ns);
        counts.held.set(self.timeline.held);
        counts.ahead_ns.set(self.timeline.ahead_ns);
    }

    /// Nothing handed on from here on bears an earlier time than this; it never runs backwards.
    pub fn watermark(&self) -> u64 {
        self.timeline.floor_ns
    }

    /// In mode `Block`, waits until a socket has something, the [waker](Self::waker) was used or the time is over. In
    /// mode `Spin`, and when something is known to be there, it returns at once.
    pub fn wait(&mut self, timeout: Duration) {
        if self.mode == Mode::Spin || self.lines.iter().any(|line| line.more || !line.is_empty()) {
            return;
        }
        if let Some(readiness) = &mut self.readiness {
            // An error is an interruption by a signal: the caller polls and comes back.
            let _ = readiness.ask(&mut self.lines, timeout);
        }
    }

    /// Wakes the receiver from another thread; there is one in mode `Block` only.
    pub fn waker(&self) -> Option<Arc<mio::Waker>> {
        let readiness = self.readiness.as_ref().filter(|_| self.mode == Mode::Block);
        readiness.map(|readiness| Arc::clone(&readiness.waker))
    }

    /// Every line's health, in the order in which they were planned.
    pub fn lines(&self) -> Vec<LineHealth> {
        self.health().lines()
    }

    /// Shows lines and receiver to other threads.
    pub fn health(&self) -> Health {
        Health(Arc::clone(&self.counters))
    }

    /// Looks after the lines, see [`Keeper::tend`]; nothing once the keeper was taken.
    pub fn tend(&mut self, now_ns: u64) -> Vec<NetEvent> {
        self.keeper.as_mut().map(|keeper| keeper.tend(now_ns)).unwrap_or_default()
    }

    /// What looks after the lines, for another thread: some of it may wait for the kernel for milliseconds.
    pub fn take_keeper(&mut self) -> Option<Keeper> {
        self.keeper.take()
    }
}

impl Readiness {
    fn over(lines: &[Line]) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        for (at, line) in lines.iter().enumerate() {
            let socket = line.socket.as_raw_fd();
            poll.registry().register(&mut SourceFd(&socket), mio::Token(at), mio::Interest::READABLE)?;
        }
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        Ok(Self { poll, events: mio::Events::with_capacity(lines.len() + 1), waker })
    }

    /// Marks the lines that have something; the others have nothing that came before this was called. Readiness is
    /// told once for what comes, so a line stays marked until it has been found empty.
    fn ask(&mut self, lines: &mut [Line], timeout: Duration) -> io::Result<()> {
        self.poll.poll(&mut self.events, Some(timeout))?;
        for event in &self.events {
            if let Some(line) = lines.get_mut(event.token().0) {
                line.ready = true;
            }
        }
        Ok(())
    }
}
