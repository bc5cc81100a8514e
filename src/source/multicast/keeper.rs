//! Looks after a receiver's lines, about once a second, on whatever thread has the time for it.
//!
//! It shares the sockets, not the datagrams: joining and leaving, reading the kernel's counts and listing interfaces
//! need no word with the receiver, which sees of it only the count of what the machine dropped.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use socket2::Socket;

use super::super::clock;
use super::counters::{Counters, LineCare};
use super::event::{NetEvent, What};
use super::plan::{Interface, LinePlan, OpenError, Options};
use super::softnet::Softnet;
use super::system::InterfaceState;
use super::timeline::STEP_NS;
use super::{socket, system};

const SOFTNET: &str = "/proc/net/softnet_stat";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Up,
    Down,
    Gone,
}

struct Kept {
    name: String,
    group: Ipv4Addr,
    interface: Interface,
    sender: Option<Ipv4Addr>,
    socket: Socket,
    /// The index on which the group was joined last.
    index: u32,
    link: Link,
    join_failed: bool,
    /// The kernel's count of drops, modulo 2^32.
    drops: u32,
    /// Datagrams at the last look that saw new ones, and when that was.
    heard: (u64, u64),
    /// When it was joined again for silence.
    rejoined_ns: Option<u64>,
}

/// Looks after lines.
pub struct Keeper {
    lines: Vec<Kept>,
    counters: Arc<Counters>,
    rejoin_after_ns: u64,
    asked: u64,
    softnet: Softnet,
    clock: Option<ClockWatch>,
    started: bool,
    unreadable: Vec<&'static str>,
    /// Found out before the first look.
    to_say: Vec<What>,
}

impl Keeper {
    pub(super) fn new(counters: Arc<Counters>, options: &Options) -> Self {
        let mut softnet = Softnet::default();
        // What cannot be read now is said at the first look.
        softnet.read(&fs::read_to_string(SOFTNET).unwrap_or_default());
        Self {
            lines: Vec::new(),
            counters,
            rejoin_after_ns: options.rejoin_after_ns,
            asked: options.receive_buffer as u64,
            softnet,
            clock: None,
            started: false,
            unreadable: Vec::new(),
            to_say: Vec::new(),
        }
    }

    /// Says at the next look why stamps may be those of taking and not of arriving.
    pub(super) fn stamping(&mut self, error: Option<&io::Error>) {
        self.to_say.extend(error.map(|error| What::StampsLate { error: error.to_string() }));
    }

    /// Takes a line in its care and joins it.
    pub(super) fn keep(
        &mut self,
        plan: &LinePlan,
        group: Ipv4Addr,
        socket: &Socket,
        index: u32,
    ) -> Result<(), OpenError> {
        let failed = |action, remedy| {
            move |source| OpenError::System {
                line: plan.name.clone(),
                group: plan.group,
                action,
                source,
                remedy,
            }
        };
        let shared =
            socket.try_clone().map_err(failed("share the socket of", "raise the limit of open files"))?;
        socket::join(&shared, group, plan.sender, index).map_err(failed(
            "join",
            "the interface should be one that takes multicast and has an address; where none is configured, a route for 224.0.0.0/4 chooses it",
        ))?;
        let care = &self.counters.lines[self.lines.len()].1;
        care.joined.store(true, Relaxed);
        care.link_up.store(true, Relaxed);
        care.buffer.set(socket::buffer(&shared).unwrap_or_default());
        self.lines.push(Kept {
            name: plan.name.clone(),
            group,
            interface: plan.interface.clone(),
            sender: plan.sender,
            socket: shared,
            index,
            link: Link::Up,
            join_failed: false,
            drops: 0,
            heard: (0, 0),
            rejoined_ns: None,
        });
        Ok(())
    }

    /// How long nothing may come before a line is joined again, from now on; nanoseconds, 0 is never.
    pub fn rejoin_after(&mut self, rejoin_after_ns: u64) {
        self.rejoin_after_ns = rejoin_after_ns;
    }

    /// Looks once, as of `now_ns` (nanoseconds since 1970 UTC), and says what happened since the last time: interfaces
    /// that went, came or are others; groups joined again; drops; a clock that was set.
    pub fn tend(&mut self, now_ns: u64) -> Vec<NetEvent> {
        let mut events = Vec::new();
        let said = |events: &mut Vec<NetEvent>, what| {
            events.push(NetEvent { line: None, name: String::new(), what });
        };
        self.to_say.drain(..).for_each(|what| said(&mut events, what));
        let wall_ns = clock::wall_now_ns();
        let watch = self.clock.get_or_insert_with(|| ClockWatch::start(wall_ns, clock::monotonic_now()));
        if let Some(by_ns) = watch.look(wall_ns, clock::monotonic_now()) {
            said(&mut events, What::ClockStepped { by_ns });
        }
        match fs::read_to_string(SOFTNET) {
            Ok(text) => {
                let dropped = self.softnet.read(&text);
                self.counters.care.host_drops.add(dropped);
                if dropped > 0 {
                    said(&mut events, What::HostDrops { dropped });
                }
            }
            Err(error) => self.unreadable(&mut events, SOFTNET, &error),
        }
        let present = match system::interfaces() {
            Ok(present) => Some(present),
            Err(error) => {
                self.unreadable(&mut events, "the list of interfaces", &error);
                None
            }
        };
        let started = std::mem::replace(&mut self.started, true);
        for (at, line) in self.lines.iter_mut().enumerate() {
            let (counts, care) = &self.counters.lines[at];
            let mut happened = Vec::new();
            let granted = care.buffer.get();
            if !started && granted < self.asked {
                happened.push(What::BufferSmall { asked: self.asked, granted });
            }
            line.count_drops(care, &mut happened);
            if let Some(present) = &present {
                line.see_interface(present, care, &mut happened);
            }
            line.hear(counts.datagrams.get(), now_ns, self.rejoin_after_ns, care, &mut happened);
            let of_line = |what| NetEvent { line: Some(at), name: line.name.clone(), what };
            events.extend(happened.into_iter().map(of_line));
        }
        events
    }

    fn unreadable(&mut self, events: &mut Vec<NetEvent>, what: &'static str, error: &io::Error) {
        if !self.unreadable.contains(&what) {
            self.unreadable.push(what);
            let what = What::Unreadable { what, error: error.to_string() };
            events.push(NetEvent { line: None, name: String::new(), what });
        }
    }
}

impl Kept {
    /// Drops at the end of a burst show here before the next datagram tells them.
    fn count_drops(&mut self, care: &LineCare, happened: &mut Vec<What>) {
        let Ok(drops) = system::socket_drops(self.socket.as_fd()) else { return };
        let dropped = u64::from(drops.wrapping_sub(self.drops));
        if dropped > 0 {
            self.drops = drops;
            care.drops_read.add(dropped);
            happened.push(What::SocketDrops { dropped });
        }
    }

    fn see_interface(&mut self, present: &[InterfaceState], care: &LineCare, happened: &mut Vec<What>) {
        if self.interface == Interface::Any {
            if !care.joined.load(Relaxed) && self.join(0, care, happened) {
                happened.push(What::Joined { interface: self.interface.to_string() });
            }
            return;
        }
        let Some(now) = socket::find(&self.interface, present) else {
            if self.link != Link::Gone {
                self.link = Link::Gone;
                happened.push(What::InterfaceGone { interface: self.interface.clone() });
            }
            // An address may go and leave its interface, on which the group stays joined.
            care.joined.store(present.iter().any(|i| i.index == self.index), Relaxed);
            care.link_up.store(false, Relaxed);
            return;
        };
        if (now.index != self.index || !care.joined.load(Relaxed)) && self.join(now.index, care, happened) {
            happened.push(What::Joined { interface: now.name.clone() });
        }
        let link = if now.running { Link::Up } else { Link::Down };
        match (self.link, link) {
            (Link::Up, Link::Down) => happened.push(What::LinkDown { interface: now.name.clone() }),
            (Link::Down | Link::Gone, Link::Up) => {
                happened.push(What::LinkUp { interface: now.name.clone() })
            }
            _ => {}
        }
        self.link = link;
        care.link_up.store(link == Link::Up, Relaxed);
    }

    /// Leaves the group where it was joined last and joins it on the interface of this index.
    fn join(&mut self, index: u32, care: &LineCare, happened: &mut Vec<What>) -> bool {
        // Nothing to leave is no fault.
        let _ = socket::leave(&self.socket, self.group, self.index);
        self.index = index;
        let result = socket::join(&self.socket, self.group, self.sender, index);
        care.joined.store(result.is_ok(), Relaxed);
        care.rejoins.add(1);
        if let Err(error) = &result
            && !self.join_failed
        {
            happened.push(What::JoinFailed { error: error.to_string() });
        }
        self.join_failed = result.is_err();
        !self.join_failed
    }

    /// Joins again when nothing came for so long.
    fn hear(
        &mut self,
        datagrams: u64,
        now_ns: u64,
        after_ns: u64,
        care: &LineCare,
        happened: &mut Vec<What>,
    ) {
        if self.heard.0 != datagrams || self.heard.1 == 0 {
            self.heard = (datagrams, now_ns);
            self.rejoined_ns = None;
            return;
        }
        let since_ns = self.rejoined_ns.unwrap_or(self.heard.1);
        if after_ns == 0 || self.link != Link::Up || now_ns.saturating_sub(since_ns) < after_ns {
            return;
        }
        if self.join(self.index, care, happened) && self.rejoined_ns.is_none() {
            happened.push(What::Rejoined { silent_ns: now_ns.saturating_sub(self.heard.1) });
        }
        self.rejoined_ns = Some(now_ns);
    }
}

/// Notices that the wall's clock was set: it moves on otherwise than the clock that nobody sets.
struct ClockWatch {
    wall_ns: u64,
    monotonic: Instant,
}

impl ClockWatch {
    fn start(wall_ns: u64, monotonic: Instant) -> Self {
        Self { wall_ns, monotonic }
    }

    /// By how much the wall's clock was set since the last look, nanoseconds, if by a step.
    fn look(&mut self, wall_ns: u64, monotonic: Instant) -> Option<i64> {
        let passed = monotonic.saturating_duration_since(self.monotonic).as_nanos() as i128;
        let by_ns = i128::from(wall_ns) - i128::from(self.wall_ns) - passed;
        *self = Self { wall_ns, monotonic };
        (by_ns.unsigned_abs() >= u128::from(STEP_NS))
            .then(|| i64::try_from(by_ns).unwrap_or(if by_ns < 0 { i64::MIN } else { i64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_once_and_by_how_much() {
        let (start, second) = (clock::monotonic_now(), 1_000_000_000);
        let mut watch = ClockWatch::start(100 * second, start);
        let at = |s: u64| start + Duration::from_secs(s);
        assert_eq!(watch.look(101 * second, at(1)), None);
        assert_eq!(watch.look(102 * second + 99_999_999, at(2)), None);
        assert_eq!(watch.look(43 * second, at(3)), Some(-60_099_999_999));
        assert_eq!(watch.look(44 * second, at(4)), None);
        assert_eq!(watch.look(145 * second, at(5)), Some(100_000_000_000));
        assert_eq!(watch.look(u64::MAX, at(6)), Some(i64::MAX));
    }
}
