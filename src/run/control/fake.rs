//! A daemon made of a console, a made-up snapshot and the control socket: for tests of whatever talks to one.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use mio::{Events, Poll, Token, Waker};

use super::{Access, Control, Desk};
use crate::alert::console::{Console, Settings, Time};
use crate::run::status::{
    ChannelStatus, LineStatus, NamedCount, ReceiverStatus, SourceStatus, StageStatus, Status,
};

/// 2026-03-02 14:30:00 UTC.
pub const T0: u64 = 1_772_461_800_000_000_000;

/// What the fake answers from.
pub struct FakeDesk {
    /// Its time.
    pub now: u64,
    /// Its snapshot.
    pub status: Status,
    /// Its console.
    pub console: Console,
}

impl Default for FakeDesk {
    fn default() -> FakeDesk {
        FakeDesk { now: T0 + 60_000_000_000, status: status(0), console: Console::new(Settings::default()) }
    }
}

impl Desk for FakeDesk {
    fn now_ns(&self) -> u64 {
        self.now
    }
    fn status(&self) -> &Status {
        &self.status
    }
    fn console(&mut self) -> &mut Console {
        &mut self.console
    }
    fn remember(&mut self) {}
}

/// An alert line of the judge, `second` seconds after [`T0`].
pub fn alert(
    second: u64,
    event: &str,
    id: &str,
    kind: &str,
    severity: &str,
    instrument: Option<&str>,
) -> Vec<u8> {
    let at = Time(T0 + second * 1_000_000_000);
    let sources: &[&str] = if kind == "silent" { &["sip"] } else { &["direct", "sip"] };
    let value = serde_json::json!({
        "ts": at, "event": event, "id": id, "kind": kind, "severity": severity, "instrument": instrument,
        "sources": sources, "began": at, "why": format!("{kind} for some reason"),
    });
    format!("{value}\n").into_bytes()
}

/// A snapshot, `seconds` after one minute of life.
pub fn status(seconds: u64) -> Status {
    let now_ns = T0 + (60 + seconds) * 1_000_000_000;
    let line = |name: &str, group: &str, packets: u64, wins: u64| LineStatus {
        name: name.into(),
        group: group.into(),
        interface: "10.1.0.5".into(),
        joined: true,
        link_up: true,
        packets: packets * (60 + seconds),
        bytes: packets * (60 + seconds) * 120,
        last_ns: now_ns - 1_500_000,
        wins: wins * (60 + seconds),
        duplicates: (packets - wins) * (60 + seconds),
        lost: 3,
        lag_p50_ns: 41_000,
        lag_p99_ns: 730_000,
        kernel_drops: if name == "B" { 17 } else { 0 },
        ..LineStatus::default()
    };
    let channel = |name: &str, gaps: u64, lines: Vec<LineStatus>| ChannelStatus {
        name: name.into(),
        gaps,
        missing: gaps * 4,
        recovered: gaps,
        missing_ours: 0,
        lines,
    };
    let direct = SourceStatus {
        name: "direct".into(),
        feed: "nasdaq-itch-5.0".into(),
        venue: Some("XNAS".into()),
        state: "up".into(),
        instruments: 412,
        suspect: 2,
        messages: 60_000 + seconds * 1_000,
        errors: vec![NamedCount { name: "truncated".into(), count: 1 }],
        channels: vec![channel(
            "tv1",
            2,
            vec![line("A", "233.54.12.111:26477", 1_000, 900), line("B", "233.49.196.111:26477", 1_000, 100)],
        )],
        ..SourceStatus::default()
    };
    let mut dead = line("A", "224.0.17.48:55530", 0, 0);
    dead.last_ns = T0 + 50_000_000_000;
    let sip = SourceStatus {
        name: "sip".into(),
        feed: "utp-uqdf".into(),
        state: "silent".into(),
        instruments: 410,
        messages: 9_000,
        channels: vec![channel("q1", 0, vec![dead])],
        ..SourceStatus::default()
    };
    let receiver = ReceiverStatus {
        core: Some(2),
        sources: vec!["direct".into(), "sip".into()],
        datagrams: 123_000,
        polls: 1_000_000 * (60 + seconds),
        polls_empty: 520_000 * (60 + seconds),
        ring_used: 128,
        ring_size: 65_536,
        ring_peak: 9_000,
        ..ReceiverStatus::default()
    };
    let stage = StageStatus {
        source: "direct".into(),
        from: "recv".into(),
        to: "published".into(),
        count: 100_000,
        p50_ns: 2_300,
        p90_ns: 4_100,
        p99_ns: 19_800,
        p999_ns: 88_000,
        max_ns: 1_250_000,
    };
    Status {
        version: "0.1.0".into(),
        name: "parallax".into(),
        pid: 4_711,
        started_ns: T0,
        now_ns,
        receivers: vec![receiver],
        sources: vec![direct, sip],
        stages: vec![stage],
        troubles: vec![
            "receive buffer 212992 of 67108864 bytes: sysctl -w net.core.rmem_max=134217728".into(),
        ],
        ..Status::default()
    }
}

enum Order {
    Lines(Vec<u8>),
    Status(Box<Status>),
    Stop,
}

/// A running fake.
pub struct Fake {
    /// Its socket.
    pub path: PathBuf,
    orders: Sender<(Order, Sender<()>)>,
    waker: Waker,
    thread: Option<JoinHandle<Console>>,
    _folder: tempfile::TempDir,
}

impl Fake {
    /// Starts one.
    pub fn start() -> Fake {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("parallax.sock");
        let mut control = Control::open(&path, Access::Owner).unwrap();
        let poll = Poll::new().unwrap();
        let waker = Waker::new(poll.registry(), Token(0)).unwrap();
        control.register(poll.registry(), Token(1)).unwrap();
        let (orders, taken) = channel();
        let thread = std::thread::spawn(move || reporter(poll, control, &taken));
        Fake { path, orders, waker, thread: Some(thread), _folder: folder }
    }

    /// Has it done before this comes back.
    fn order(&self, order: Order) {
        let (done, wait) = channel();
        self.orders.send((order, done)).unwrap();
        self.waker.wake().unwrap();
        // The end is told by hanging up.
        let _ = wait.recv();
    }

    /// The judge says something.
    pub fn says(&self, lines: &[u8]) {
        self.order(Order::Lines(lines.to_vec()));
    }

    /// There is another snapshot.
    pub fn shows(&self, status: Status) {
        self.order(Order::Status(Box::new(status)));
    }

    /// Ends it, and gives what its console has come to.
    pub fn stop(mut self) -> Console {
        self.order(Order::Stop);
        self.thread.take().unwrap().join().unwrap()
    }
}

fn reporter(mut poll: Poll, mut control: Control, orders: &Receiver<(Order, Sender<()>)>) -> Console {
    let mut desk = FakeDesk::default();
    let mut events = Events::with_capacity(64);
    loop {
        poll.poll(&mut events, None).unwrap();
        let mut done = Vec::new();
        while let Ok((order, when_done)) = orders.try_recv() {
            done.push(when_done);
            match order {
                Order::Lines(lines) => desk.console.on_lines(&lines),
                Order::Status(status) => desk.status = *status,
                Order::Stop => return desk.console,
            }
        }
        for event in &events {
            if control.owns(event.token()) {
                control.on_event(event, &mut desk);
            }
        }
        control.publish(&desk.console.take_notices());
        for when_done in done {
            // Whoever started the fake may not wait for it.
            let _ = when_done.send(());
        }
    }
}
