//! The day on the wire, with a clock and a network of the test's own.

use super::*;
use crate::simulate::{Scenario, Sent};

const MS: u64 = 1_000_000;
const BEGINS_NS: u64 = 5 * SECOND;

/// A clock that goes on by what happens, and a network that remembers.
struct Pretended {
    now_ns: u64,
    /// Of the wall before the other clock.
    wall_ahead_ns: u64,
    /// How long each look at the clock takes.
    look_ns: u64,
    /// By how much a sleep is too long.
    oversleep_ns: u64,
    send_ns: u64,
    answers: Box<dyn FnMut(u64) -> Attempt>,
    stop_at_ns: u64,
    sent: Vec<(u64, usize, Vec<u8>)>,
    sleeps: u64,
}

impl Default for Pretended {
    fn default() -> Self {
        Pretended {
            now_ns: 0,
            wall_ahead_ns: 1_000_000 * SECOND,
            look_ns: 1_000,
            oversleep_ns: 0,
            send_ns: 0,
            answers: Box::new(|_| Attempt::Sent),
            stop_at_ns: u64::MAX,
            sent: Vec::new(),
            sleeps: 0,
        }
    }
}

impl Outside for Pretended {
    fn now_ns(&mut self) -> u64 {
        self.now_ns += self.look_ns;
        self.now_ns
    }
    fn wall_ns(&mut self) -> u64 {
        self.now_ns + self.wall_ahead_ns
    }
    fn sleep(&mut self, ns: u64) {
        self.sleeps += 1;
        self.now_ns += ns + self.oversleep_ns;
    }
    fn send(&mut self, line: usize, payload: &[u8]) -> Attempt {
        let attempt = (self.answers)(self.now_ns);
        if attempt == Attempt::Sent {
            self.sent.push((self.now_ns, line, payload.to_vec()));
        }
        self.now_ns += self.send_ns;
        attempt
    }
    fn stopped(&mut self) -> bool {
        self.now_ns >= self.stop_at_ns
    }
}

fn scenario(duration_ms: u64) -> Scenario {
    Scenario { duration_ns: duration_ms * MS, instruments: 4, rate: 500, ..Scenario::default() }
}

fn go(scenario: &Scenario, pacing: Option<Pacing>, outside: &mut Pretended) -> Report {
    let plan = Plan { start_ns: scenario.start_ns, begins_ns: BEGINS_NS, pacing };
    run(&mut Simulator::new(scenario), &plan, outside).unwrap()
}

fn schedule(scenario: &Scenario) -> Vec<Sent> {
    Simulator::new(scenario).collect()
}

#[test]
fn a_deadline_is_slept_up_to_and_spun_at() {
    let pacing = Pacing { spin_ns: 200, late_ns: 0 };
    let waits = [(0, 1000), (700, 1000), (800, 1000), (999, 1000), (1000, 1000), (1001, 1000)];
    let wanted = [Wait::Sleep(800), Wait::Sleep(100), Wait::Spin, Wait::Spin, Wait::Over, Wait::Over];
    assert_eq!(waits.map(|(now_ns, due_ns)| pacing.wait(due_ns, now_ns)), wanted);
    assert_eq!(pacing.wait(60 * SECOND, 0), Wait::Sleep(SLEEP_MAX_NS));
    let never = Pacing { spin_ns: 0, late_ns: 0 };
    assert_eq!([never.wait(1000, 999), never.wait(1000, 1000)], [Wait::Sleep(1), Wait::Over]);
}

#[test]
fn every_datagram_leaves_at_its_deadline_with_the_bytes_of_the_capture() {
    for speed_percent in [100, 50, 2000] {
        let scenario = Scenario { speed_percent, ..scenario(1500) };
        let mut outside = Pretended { look_ns: 1, ..Pretended::default() };
        let pacing = Pacing { spin_ns: 300, late_ns: MS };
        let report = go(&scenario, Some(pacing), &mut outside);
        let wanted: Vec<_> = schedule(&scenario);
        assert_eq!(outside.sent.len(), wanted.len());
        for (is, sent) in outside.sent.iter().zip(&wanted) {
            let due_ns = BEGINS_NS + (sent.ts_ns - scenario.start_ns);
            assert_eq!((is.1, &is.2), (sent.line, &sent.payload));
            // A look at the clock takes 1 ns, and looking happens around each send.
            assert!((due_ns..due_ns + 2 * wanted.len() as u64).contains(&is.0), "{} {due_ns}", is.0);
        }
        assert_eq!((report.packets(), report.late, report.retries), (wanted.len() as u64, 0, 0));
        assert_eq!((report.stopped_at_ns, report.stepped_ns), (None, 0));
        assert!(outside.sleeps > 0);
    }
}

#[test]
fn what_is_late_is_counted_and_moves_nothing_behind_it() {
    let scenario = scenario(1200);
    let mut outside = Pretended { oversleep_ns: 3 * MS, look_ns: 0, ..Pretended::default() };
    let report = go(&scenario, Some(Pacing { spin_ns: 0, late_ns: 2 * MS }), &mut outside);
    let wanted = schedule(&scenario);
    assert_eq!(outside.sent.len(), wanted.len());
    let behind: Vec<u64> = outside
        .sent
        .iter()
        .zip(&wanted)
        .map(|(is, s)| is.0 - BEGINS_NS - (s.ts_ns - scenario.start_ns))
        .collect();
    // Late by one sleep at most, however many came before.
    assert_eq!(behind.iter().max(), Some(&(3 * MS)));
    assert_eq!(report.late, behind.iter().filter(|b| **b > 2 * MS).count() as u64);
    assert!(report.late > 0);
    assert!(report.behind.equivalent(report.behind.max(), 3 * MS));
}

#[test]
fn at_once_the_stamps_are_the_time_of_sending() {
    let mut scenario = scenario(2000);
    let mut outside = Pretended { send_ns: 2_000, look_ns: 0, ..Pretended::default() };
    scenario.start_at(BEGINS_NS + outside.wall_ahead_ns);
    let report = go(&scenario, None, &mut outside);
    assert_eq!(report.packets(), outside.sent.len() as u64);
    assert_eq!(report.packets(), schedule(&scenario).len() as u64);
    // UQDF: version, category, type, originator, sub centre, then the SIP's time.
    let stamps: Vec<(u64, u64)> = outside
        .sent
        .iter()
        .filter(|(_, line, payload)| *line == 2 && payload.len() > 40)
        .map(|(at_ns, _, payload)| {
            (at_ns + outside.wall_ahead_ns, u64::from_be_bytes(payload[27..35].try_into().unwrap()))
        })
        .collect();
    assert!(stamps.len() > 50);
    for (sent_ns, stamp_ns) in stamps {
        // Behind by what was still on its way on the lines.
        assert!(stamp_ns <= sent_ns && sent_ns - stamp_ns < 100_000, "{sent_ns} {stamp_ns}");
    }
    let summary = Summary::new(&report, &scenario.lines(), 7);
    assert_eq!((summary.behind, summary.late, summary.messages), (None, None, 7));
}

#[test]
fn a_full_buffer_is_tried_again_and_a_refusal_has_a_name() {
    let scenario = scenario(300);
    let mut attempts = 0;
    let answers = move |_| {
        attempts += 1;
        match attempts {
            2..=4 => Attempt::Full,
            6 => Attempt::Refused("network_down"),
            _ => Attempt::Sent,
        }
    };
    let mut outside = Pretended { answers: Box::new(answers), ..Pretended::default() };
    let report = go(&scenario, Some(Pacing::default()), &mut outside);
    assert_eq!((report.retries, report.refused), (3, BTreeMap::from([("network_down", 1)])));
    assert_eq!(outside.sent.len() + 1, schedule(&scenario).len());

    let mut outside = Pretended { answers: Box::new(|_| Attempt::Full), send_ns: MS, ..Pretended::default() };
    let report = go(&scenario, Some(Pacing::default()), &mut outside);
    let wanted = schedule(&scenario).len() as u64;
    assert_eq!((report.packets(), report.refused), (0, BTreeMap::from([("buffer_full", wanted)])));
}

#[test]
fn a_stop_closes_the_feeds_and_comes_at_once_before_the_start() {
    let scenario = scenario(60_000);
    let stop_at_ns = BEGINS_NS + 700 * MS;
    let mut outside = Pretended { stop_at_ns, ..Pretended::default() };
    let report = go(&scenario, Some(Pacing::default()), &mut outside);
    let last_ns = outside.sent.last().unwrap().0;
    assert!(report.stopped_at_ns.is_some());
    assert!((stop_at_ns..stop_at_ns + 1100 * MS).contains(&last_ns), "{last_ns}");
    for line in scenario.lines() {
        let (_, _, payload) = outside.sent.iter().rfind(|s| s.1 == line).unwrap();
        // MoldUDP64: a count of 0xffff ends the session.
        assert_eq!(payload[18..20], [0xff, 0xff], "line {line}");
    }
    let mut early = Pretended { stop_at_ns: SECOND, ..Pretended::default() };
    let report = go(&scenario, Some(Pacing::default()), &mut early);
    assert_eq!((report.packets(), report.stopped_at_ns), (0, Some(scenario.start_ns)));
    assert!(early.now_ns < 2 * SECOND);
}

#[test]
fn a_clock_that_is_set_is_told() {
    struct Stepped(Pretended);
    impl Outside for Stepped {
        fn now_ns(&mut self) -> u64 {
            self.0.now_ns()
        }
        fn wall_ns(&mut self) -> u64 {
            if self.0.sent.is_empty() { self.0.wall_ns() } else { self.0.wall_ns() - 250 * MS }
        }
        fn sleep(&mut self, ns: u64) {
            self.0.sleep(ns);
        }
        fn send(&mut self, line: usize, payload: &[u8]) -> Attempt {
            self.0.send(line, payload)
        }
        fn stopped(&mut self) -> bool {
            false
        }
    }
    let scenario = scenario(200);
    let plan = Plan { start_ns: scenario.start_ns, begins_ns: BEGINS_NS, pacing: Some(Pacing::default()) };
    let mut outside = Stepped(Pretended::default());
    let report = run(&mut Simulator::new(&scenario), &plan, &mut outside).unwrap();
    assert_eq!(report.stepped_ns, -250 * MS as i64);
    let text = Summary::new(&report, &scenario.lines(), 0).to_string();
    assert!(text.contains("the wall's clock was set by -250 ms meanwhile"), "{text}");
}
