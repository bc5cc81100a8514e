//! A snapshot in which everything happens, and a server that shows it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mio::{Events, Poll};
use parallax::run::status::*;
use parallax::run::web::{Page, Web};
use parallax::source::clock::{monotonic_now, wall_now_ns};

/// 2026-03-02T14:30:00Z.
pub const NOW: u64 = 1_772_461_800_000_000_000;

fn named(name: &str, count: u64) -> NamedCount {
    NamedCount { name: name.into(), count }
}

fn line(name: &str, first: u64) -> LineStatus {
    LineStatus {
        name: name.into(),
        group: "233.54.12.111:26477".into(),
        interface: "10.1.0.5".into(),
        joined: true,
        link_up: true,
        packets: first,
        bytes: first + 1,
        last_ns: NOW - 1_500_000_000,
        wins: first + 2,
        duplicates: first + 3,
        lost: first + 4,
        lag_p50_ns: first * 1000,
        lag_p99_ns: first * 3000,
        kernel_drops: first + 5,
        truncated: first + 6,
        unstamped: first + 7,
        rejoins: first + 8,
        receive_buffer: 67_108_864,
    }
}

fn source(name: &str, state: &str, first: u64) -> SourceStatus {
    let channel = ChannelStatus {
        name: "tv1".into(),
        gaps: first + 11,
        missing: first + 12,
        recovered: first + 13,
        missing_ours: first + 14,
        lines: vec![line("A", first + 100), line("B", first + 200)],
    };
    SourceStatus {
        name: name.into(),
        feed: "nasdaq-itch-5.0".into(),
        venue: Some("XNAS".into()),
        state: state.into(),
        instruments: 10_000,
        suspect: first + 21,
        messages: first + 22,
        unknown: first + 23,
        errors: vec![named("truncated", first + 24)],
        contradictions: vec![named("unknown_order", first + 25)],
        channels: vec![channel],
    }
}

fn receiver(first: u64) -> ReceiverStatus {
    ReceiverStatus {
        core: Some(2),
        sources: vec!["direct".into(), "sip".into()],
        datagrams: first,
        watermark_ns: NOW - 1_000_000,
        polls_empty: first + 1,
        polls: first + 2,
        ring_used: first + 3,
        ring_size: 65_536,
        ring_peak: first + 4,
        ring_overruns: first + 5,
        late_stamps: first + 6,
        late_stamp_max_ns: 2500,
    }
}

fn stage(source: &str) -> StageStatus {
    StageStatus {
        source: source.into(),
        from: "ts_recv".into(),
        to: "published".into(),
        count: 4242,
        p50_ns: 1500,
        p90_ns: 2500,
        p99_ns: 9000,
        p999_ns: 45_000,
        max_ns: -7,
    }
}

/// Every field filled, no two alike where they could be taken for each other.
pub fn full() -> Status {
    let outlet = |name: &str, first: u64, error: &str| OutletStatus {
        name: name.into(),
        delivered: first,
        queued: first + 1,
        dropped: first + 2,
        failures: first + 3,
        error: error.into(),
    };
    let alert = |kind: &str, severity: &str, raised, open| AlertCount {
        kind: kind.into(),
        severity: severity.into(),
        raised,
        open,
    };
    Status {
        version: "0.1.0".into(),
        name: "desk".into(),
        pid: 4711,
        started_ns: NOW - 60_000_000_000,
        now_ns: NOW,
        receivers: vec![receiver(1000), receiver(2000)],
        sources: vec![source("direct", "up", 3000), source("sip", "silent", 4000)],
        comparator: ComparatorStatus {
            core: Some(3),
            now_ns: NOW - 250_000_000,
            instruments: 501,
            views: 502,
            pairs: 503,
            updates: 504,
            timers: 505,
            timer_late_max_ns: 506,
            open: 3,
        },
        pairs: vec![PairStatus {
            sources: ["direct".into(), "sip".into()],
            comparable_ns: 3_600_000_000_000,
            agreed_ns: 3_599_000_000_000,
            matched: 601,
            lead_p50_ns: -310_000,
        }],
        alerts: vec![alert("silent", "critical", 2, 1), alert("divergent", "major", 40, 2)],
        held: vec![HeldCount { kind: "divergent".into(), reason: "halted".into(), count: 77 }],
        outlets: vec![outlet("log", 700, ""), outlet("webhook", 800, "http://x: refused")],
        recorder: Some(RecorderStatus {
            directory: "recordings".into(),
            kept: 901,
            not_kept: 902,
            files: 903,
            bytes: 904,
            oldest_ns: NOW - 3_600_000_000_000,
            ring_percent: 12,
            error: String::new(),
        }),
        store: Some(StoreStatus {
            path: "parallax.db".into(),
            until_ns: NOW - 500_000_000,
            not_stored: NotStored {
                figures: 911,
                transitions: 912,
                actions: 913,
                clocks: 914,
                quotes: 917,
                messages: 918,
                datagrams: 919,
            },
            waiting_bytes: 915,
            log_bytes: 916,
            error: String::new(),
        }),
        stages: vec![stage("direct"), stage("sip")],
        troubles: vec!["the clock is not synchronised".into()],
    }
}

/// A daemon that goes on: its clock is the wall's, and packets come.
pub struct Alive(pub Status);

impl Page for Alive {
    fn status(&mut self) -> &Status {
        let (status, now) = (&mut self.0, wall_now_ns());
        status.now_ns = now;
        status.comparator.now_ns = now;
        status.receivers.iter_mut().for_each(|r| r.watermark_ns = now);
        for line in status.sources.iter_mut().flat_map(|s| &mut s.channels).flat_map(|c| &mut c.lines) {
            line.packets += 100;
            line.last_ns = now;
        }
        status
    }
}

/// The server on a thread of its own, until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(mut page: impl Page + Send + 'static) -> Server {
        let mut web = Web::open("127.0.0.1:0".parse().unwrap()).unwrap();
        let (address, stop) = (web.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(64));
            web.register(poll.registry(), 7).unwrap();
            while !stopped.load(Ordering::Relaxed) {
                poll.poll(&mut events, Some(Duration::from_millis(20))).unwrap();
                let now = monotonic_now();
                for event in &events {
                    assert!(web.owns(event.token()));
                    web.on_event(poll.registry(), event.token(), now, &mut page);
                }
                web.tend(poll.registry(), now, &mut page);
            }
        });
        Server { address, stop, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().expect("the server does not panic");
        }
    }
}
