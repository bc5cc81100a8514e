//! The thin shell around the simulated day on real groups: sockets, the clock, the configuration and the truth.
//!
//! What is sent when is decided by [`super::multicast`]; here it happens. It never starts or looks for a receiver.

use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;

use super::multicast::{self, Attempt, Outside, Pacing, Plan, Report, Summary};
use super::record::Record;
use super::{LINES, Scenario, Simulator, write};
use crate::source::clock;
use crate::source::multicast_send::{MulticastSender, SendOptions};

const SECOND: u64 = 1_000_000_000;

/// When the scenario's start is on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The scenario is moved to the next full second and the lead: stamps are the wall's time.
    Now,
    /// The scenario's own start is kept, whatever the wall says: the bytes are those of its captures.
    Scenario,
}

/// How a day is sent.
#[derive(Debug, Clone)]
pub struct Live {
    /// Through which interface, and how far.
    pub send: SendOptions,
    /// Group and port by position in [`LINES`].
    pub groups: [SocketAddrV4; LINES.len()],
    /// What the stamps are.
    pub start: Start,
    /// Time until the day begins, after the next full second: for receivers to come up.
    pub lead_ns: u64,
    /// How deadlines are kept; `None`: everything at once, with the time of sending on it and without a truth.
    pub pacing: Option<Pacing>,
    /// Folder for the configuration, written before anything is sent, and the truth, written at the end.
    pub out: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// For people and programs.
    pub summary: Summary,
    /// The whole report.
    pub report: Report,
    /// Files that were written.
    pub files: Vec<PathBuf>,
    /// Faults that were not over when the day was stopped: they are left out of the truth.
    pub cut: usize,
}

/// The groups of [`LINES`], or, when a port is given, their addresses at that port and the ones behind it.
pub fn groups(port: Option<u16>) -> [SocketAddrV4; LINES.len()] {
    let mut groups = LINES.map(|line| line.group);
    if let Some(port) = port {
        for (group, port) in groups.iter_mut().zip(port..) {
            group.set_port(port);
        }
    }
    groups
}

struct System {
    sender: MulticastSender,
    since: Instant,
    stop: Arc<AtomicBool>,
}

impl Outside for System {
    #[inline]
    fn now_ns(&mut self) -> u64 {
        let since = clock::monotonic_now().saturating_duration_since(self.since);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
    fn wall_ns(&mut self) -> u64 {
        clock::wall_now_ns()
    }
    fn sleep(&mut self, ns: u64) {
        clock::sleep_ns(ns);
    }
    #[inline]
    fn send(&mut self, line: usize, payload: &[u8]) -> Attempt {
        self.sender.send(line, payload)
    }
    #[inline]
    fn stopped(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Sends the scenario until it ends or `stop` is set. `begins` is told when the day will begin, and the files that
/// are there by then.
///
/// # Errors
/// An interface or group that cannot be sent to, or a file that cannot be written.
pub fn run(
    scenario: &Scenario,
    live: &Live,
    stop: Arc<AtomicBool>,
    begins: impl FnOnce(u64, &[PathBuf]),
) -> anyhow::Result<Done> {
    let mut files = Vec::new();
    if let Some(folder) = &live.out {
        write::make_folder(folder)?;
        let text = write::configuration_live(scenario, &live.groups, live.send.interface);
        files.push(write::write_configuration(folder, &text)?);
    }
    let sender = MulticastSender::open(&live.groups, &live.send).context("cannot send")?;
    let mut system = System { sender, since: clock::monotonic_now(), stop };
    let (now_ns, wall_ns) = (system.now_ns(), system.wall_ns());
    let begins_wall_ns = wall_ns.next_multiple_of(SECOND) + live.lead_ns;
    let mut scenario = scenario.clone();
    if live.start == Start::Now {
        scenario.start_at(begins_wall_ns);
    }
    let begins_ns = now_ns + (begins_wall_ns - wall_ns);
    let plan = Plan { start_ns: scenario.start_ns, begins_ns, pacing: live.pacing };
    let mut simulator = Simulator::new(&scenario);
    begins(begins_wall_ns, &files);
    let report = multicast::run(&mut simulator, &plan, &mut system).context("cannot keep times")?;
    let mut cut = 0;
    if let Some(folder) = live.out.as_ref().filter(|_| live.pacing.is_some()) {
        let (records, left_out) = known(&simulator, &report);
        files.push(write::write_truth(folder, records)?);
        cut = left_out;
    }
    let messages = simulator.mix().messages.iter().sum();
    Ok(Done { summary: Summary::new(&report, &scenario.lines(), messages), report, files, cut })
}

/// The truth of what has been sent: of a day that was stopped only the faults that were over, and how many were not.
fn known(simulator: &Simulator, report: &Report) -> (Vec<Record>, usize) {
    let mut records = simulator.truth().records();
    let Some(stopped_ns) = report.stopped_at_ns else { return (records, 0) };
    let (mut at, mut cut) = (0, 0);
    records.retain(|_| {
        let (from_ns, to_ns) = simulator.fault_window_ns(at);
        at += 1;
        cut += usize::from(from_ns < stopped_ns && to_ns > stopped_ns);
        to_ns <= stopped_ns
    });
    (records, cut)
}
