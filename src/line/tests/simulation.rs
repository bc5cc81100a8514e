//! Thousands of seeded runs of two or three lines that drop, double, reorder and cut a stream otherwise, held to a
//! model that knows nothing of packets, holes or lines: for every message, when it came and when it was missed.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    now_ns: u64,
    line: usize,
    first: u64,
    /// 0: a heartbeat.
    count: u32,
}

/// One line's packets: the stream cut at random, each sent, dropped, doubled or delayed.
fn send(dice: &mut Dice, line: usize, start: u64, messages: u64, harm: u64, out: &mut Vec<Sent>) {
    let (mut first, mut now_ns) = (start, dice.below(60));
    while first < start + messages {
        let count = (1 + dice.below(5)).min(start + messages - first) as u32;
        now_ns += dice.below(25);
        let late = if dice.once_in(harm) { dice.below(3 * WAIT) } else { 0 };
        let sent = Sent { now_ns: now_ns + late, line, first, count };
        if !dice.once_in(harm) {
            out.push(sent);
        }
        if dice.once_in(2 * harm) {
            out.push(Sent { now_ns: sent.now_ns + dice.below(2 * WAIT), ..sent });
        }
        first += u64::from(count);
        if dice.once_in(8) {
            out.push(Sent { now_ns: now_ns + 1, line, first, count: 0 });
        }
    }
}

/// Per message, what a channel must answer.
#[derive(Debug, Default)]
struct Model {
    start: Option<u64>,
    expected: u64,
    top: u64,
    /// Message → packet that brought it first (index) and its line.
    have: BTreeMap<u64, (usize, usize)>,
    /// Message → when something behind it was seen.
    missed: BTreeMap<u64, u64>,
    /// Numbers in order, with the line that was first, or `None` for lost.
    told: Vec<(u64, Option<usize>)>,
}

impl Model {
    fn deliver(&mut self) {
        while let Some(&(_, line)) = self.have.get(&self.expected) {
            self.told.push((self.expected, Some(line)));
            self.expected += 1;
        }
    }

    fn lose(&mut self) {
        self.told.push((self.expected, None));
        self.missed.remove(&self.expected);
        self.expected += 1;
    }

    fn run_to(&mut self, now_ns: u64) {
        while self.missed.get(&self.expected).is_some_and(|began| began + WAIT <= now_ns) {
            self.lose();
            self.deliver();
        }
    }

    fn packet(&mut self, index: usize, sent: &Sent, window: usize) {
        self.run_to(sent.now_ns);
        if self.start.is_none() {
            self.start = Some(sent.first);
            (self.expected, self.top) = (sent.first, sent.first);
        }
        for n in sent.first..sent.first + u64::from(sent.count) {
            if n >= self.expected {
                self.have.entry(n).or_insert((index, sent.line));
                self.missed.remove(&n);
            }
        }
        for n in self.top..sent.first {
            self.missed.insert(n, sent.now_ns);
        }
        self.top = self.top.max(sent.first + u64::from(sent.count));
        self.deliver();
        let waiting = |m: &Model| m.have.range(m.expected..).map(|(_, w)| w.0).collect::<BTreeSet<_>>().len();
        while waiting(self) > window {
            let began = self.missed[&self.expected];
            while self.missed.get(&self.expected) == Some(&began) {
                self.lose();
            }
            self.deliver();
        }
        self.run_to(sent.now_ns);
    }

    fn finish(&mut self) {
        while self.expected < self.top {
            if self.have.contains_key(&self.expected) { self.deliver() } else { self.lose() }
        }
    }
}

/// Runs the channel over the packets; answers its statement per number, in order.
fn run(sent: &[Sent], lines: usize, window: usize, eager: bool) -> (Vec<(u64, Option<usize>)>, Rig) {
    let mut rig = Rig::new(lines, window);
    let mut told = Vec::new();
    let mut kept = Vec::new();
    for packet in sent {
        while let Some(due) = rig.channel.poll_timeout().filter(|d| eager && *d <= packet.now_ns) {
            rig.timeout(due);
        }
        let kind = if packet.count == 0 { PacketKind::Heartbeat } else { PacketKind::Data };
        rig.packet(packet.now_ns, packet.line, packet.first, packet.count, kind);
    }
    rig.finish(sent.last().map_or(0, |s| s.now_ns));
    for out in rig.out() {
        match out {
            Out::Deliver(line, first, count) => told.extend((first..first + count).map(|n| (n, Some(line)))),
            Out::Event(_, LineEvent::Gap { first, last, .. }) => {
                told.extend((first..=last).map(|n| (n, None)))
            }
            _ => {}
        }
        kept.push(out);
    }
    rig.recorder.out = kept;
    (told, rig)
}

fn simulate(seed: u64) {
    let mut dice = Dice(seed);
    let lines = 1 + dice.below(3) as usize;
    let window = [0, 1, 3, 8, 1000][dice.below(5) as usize];
    let (start, messages, harm) = (1 + dice.below(1000), 20 + dice.below(100), 2 + dice.below(12));
    let mut sent = Vec::new();
    for line in 0..lines {
        send(&mut dice, line, start, messages, harm, &mut sent);
    }
    sent.sort_by_key(|s| s.now_ns);
    let mut model = Model::default();
    for (index, packet) in sent.iter().enumerate() {
        model.packet(index, packet, window);
    }
    model.finish();

    let (told, mut rig) = run(&sent, lines, window, true);
    assert_eq!(told, model.told, "seed {seed}");
    let numbers: Vec<u64> = told.iter().map(|t| t.0).collect();
    let first = model.start.unwrap();
    assert_eq!(numbers, (first..first + numbers.len() as u64).collect::<Vec<_>>(), "seed {seed}: each once");

    // A caller that never runs the timers hears the same, and so does one whose lines are named otherwise.
    let (lazily, mut lazy_rig) = run(&sent, lines, window, false);
    assert_eq!(lazily, told, "seed {seed}: timers run by packets");
    assert_eq!(lazy_rig.out(), rig.out(), "seed {seed}: the same events at the same times");
    let turned: Vec<Sent> = sent.iter().map(|s| Sent { line: (s.line + 1) % lines, ..*s }).collect();
    let (elsewhere, _) = run(&turned, lines, window, true);
    let named = |t: &(u64, Option<usize>)| (t.0, t.1.map(|l| (l + 1) % lines));
    assert_eq!(elsewhere, told.iter().map(named).collect::<Vec<_>>(), "seed {seed}: lines turned");

    let s = rig.channel.statistics();
    let missing = told.iter().filter(|t| t.1.is_none()).count() as u64;
    assert_eq!((s.missing, s.delivered), (missing, numbers.len() as u64 - missing), "seed {seed}");
    assert_eq!((s.doubts, s.resets), (0, 0), "seed {seed}: nothing here is unbelievable");
}

#[test]
fn thousands_of_streams_come_out_as_the_model_says() {
    for seed in 0..6_000 {
        simulate(seed);
    }
}

/// What each line lost and brought late, by its own packets alone.
#[test]
fn a_lines_losses_are_its_own() {
    for seed in 0..1_000 {
        let mut dice = Dice(seed);
        let mut sent = Vec::new();
        for line in 0..2 {
            send(&mut dice, line, 1, 100, 6, &mut sent);
        }
        sent.sort_by_key(|s| s.now_ns);
        let (_, mut both) = run(&sent, 2, 1000, true);
        let own = |rig: &mut Rig, of: usize| {
            let out = rig.out().into_iter().filter_map(|o| match o {
                Out::Event(now_ns, LineEvent::LineLost { line, first, last, .. }) => {
                    Some((line, now_ns, first, last, 0))
                }
                Out::Event(now_ns, LineEvent::LineLate { line, first, last, lag_ns, .. }) => {
                    Some((line, now_ns, first, last, lag_ns))
                }
                _ => None,
            });
            out.filter(|o| o.0 == of).collect::<Vec<_>>()
        };
        let end = sent.last().copied().unwrap();
        let together = both.out();
        for line in 0..2 {
            let mut alone: Vec<Sent> = sent.iter().filter(|s| s.line == line).copied().collect();
            // The same end of data.
            alone.extend((end.line != line).then_some(Sent { line: 1 - line, count: 0, ..end }));
            let (_, mut rig) = run(&alone, 2, 1000, true);
            both.recorder.out = together.clone();
            assert_eq!(own(&mut both, line), own(&mut rig, line), "seed {seed} line {line}");
        }
    }
}

/// Any headers at all: no panic, and the counts balance after every packet ([`Rig::balance`]).
#[test]
fn noise_is_counted() {
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let mut rig = Rig::new(1 + dice.below(3) as usize, dice.below(10) as usize);
        rig.bits = [8, 16, 32, 64][dice.below(4) as usize];
        let top = if rig.bits == 64 { u64::MAX } else { (1 << rig.bits) - 1 };
        let mut now_ns = 0;
        for _ in 0..200 {
            now_ns += dice.below(50) * if dice.once_in(50) { STRAGGLER_NS } else { 1 };
            rig.session = u128::from(dice.below(3) / 2 + dice.below(20) / 18);
            rig.mark = dice.below(2);
            rig.sent = [None, Some(now_ns)][dice.below(2) as usize];
            let sequence = match dice.below(8) {
                0 => dice.next() & top,
                1 => dice.below(3),
                2 => top - dice.below(3),
                _ => dice.below(40) & top,
            };
            let kind = match dice.below(20) {
                0 => PacketKind::Reset,
                1 => PacketKind::EndOfSession,
                2 | 3 => PacketKind::Heartbeat,
                _ => PacketKind::Data,
            };
            let count = dice.below(5) as u32;
            let line = dice.below(3) as usize;
            if sequence < u64::MAX - 10 {
                rig.noise(now_ns, line, sequence, count, kind);
            }
        }
        rig.channel.finish(now_ns, &mut Deaf);
        rig.balance();
    }
}

/// Takes anything.
struct Deaf;

impl LineSink for Deaf {
    fn deliver(&mut self, _: &Arrival, header: &PacketHeader, _: &[u8], skip: u32, take: u32) {
        assert!(take > 0 && skip + take <= header.count);
    }

    fn line_event(&mut self, _: u64, _: LineEvent) {}
}

impl Rig {
    /// A packet whose deliveries are not held to their bytes.
    fn noise(&mut self, now_ns: u64, line: usize, sequence: u64, count: u32, kind: PacketKind) {
        let header = PacketHeader {
            session: self.session,
            sequence,
            count,
            kind,
            ts_send_ns: self.sent,
            len: 4,
            sequence_bits: self.bits,
        };
        let payload = [self.mark as u8; 44];
        let arrival = Arrival { now_ns, line, ..Arrival::default() };
        self.channel.on_packet(&arrival, &header, &payload, &mut Deaf);
        self.balance();
    }
}
