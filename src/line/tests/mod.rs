//! Whole sequences of what a channel answers, and a simulation against a model that knows messages only.

mod doubts;
mod events;
mod simulation;

use super::*;
use feeds::feed::PacketKind;

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    /// Line that was first, first number, how many.
    Deliver(usize, u64, u64),
    /// Time and event.
    Event(u64, LineEvent),
}

/// Collects what comes out and holds deliveries to their bytes.
#[derive(Debug, Default)]
struct Recorder {
    out: Vec<Out>,
}

impl LineSink for Recorder {
    fn deliver(&mut self, arrival: &Arrival, header: &PacketHeader, payload: &[u8], skip: u32, take: u32) {
        assert!(take > 0 && skip + take <= header.count, "a piece lies within its packet");
        for i in skip..skip + take {
            let at = header.len + 8 * i as usize;
            let number = u64::from_be_bytes(payload[at..at + 8].try_into().unwrap());
            assert_eq!(
                number & 0xFFFF_FFFF,
                (header.sequence + u64::from(i)) & 0xFFFF_FFFF,
                "bytes and number"
            );
        }
        let first = header.sequence + u64::from(skip);
        self.out.push(Out::Deliver(arrival.line, first, u64::from(take)));
    }

    fn line_event(&mut self, now_ns: u64, event: LineEvent) {
        self.out.push(Out::Event(now_ns, event));
    }
}

/// A channel under test; `seed` marks content, so that the same numbers can carry something else.
struct Rig {
    channel: Channel,
    recorder: Recorder,
    session: u128,
    bits: u8,
    mark: u64,
    sent: Option<u64>,
}

const A: usize = 0;
const B: usize = 1;
const WAIT: u64 = 100;

impl Rig {
    fn new(lines: usize, reorder_packets: usize) -> Rig {
        let config = ChannelConfig { lines, reorder_wait_ns: WAIT, reorder_packets };
        let channel = Channel::new(&config);
        Rig { channel, recorder: Recorder::default(), session: 7, bits: 64, mark: 0, sent: None }
    }

    fn packet(&mut self, now_ns: u64, line: usize, sequence: u64, count: u32, kind: PacketKind) {
        let mut payload = vec![0xEE; 4];
        let messages = if matches!(kind, PacketKind::Data | PacketKind::Reset) { count } else { 0 };
        for i in 0..messages {
            let number = (sequence + u64::from(i)) & 0xFFFF_FFFF | self.mark << 32;
            payload.extend_from_slice(&number.to_be_bytes());
        }
        let header = PacketHeader {
            session: self.session,
            sequence,
            count,
            kind,
            ts_send_ns: self.sent,
            len: 4,
            sequence_bits: self.bits,
        };
        let arrival = Arrival { now_ns, ts_recv_ns: now_ns, line, capture: 0, frame: 0 };
        self.channel.on_packet(&arrival, &header, &payload, &mut self.recorder);
        self.balance();
    }

    fn data(&mut self, now_ns: u64, line: usize, sequence: u64, count: u32) {
        self.packet(now_ns, line, sequence, count, PacketKind::Data);
    }

    fn heartbeat(&mut self, now_ns: u64, line: usize, next: u64) {
        self.packet(now_ns, line, next, 0, PacketKind::Heartbeat);
    }

    fn timeout(&mut self, now_ns: u64) {
        self.channel.on_timeout(now_ns, &mut self.recorder);
    }

    fn finish(&mut self, now_ns: u64) {
        self.channel.finish(now_ns, &mut self.recorder);
        self.balance();
        let s = self.channel.statistics();
        assert_eq!((s.held, self.channel.poll_timeout()), (0, None), "nothing waits any more");
        assert!(s.lines.iter().all(|l| l.doubted == 0 && l.doubted_messages == 0));
    }

    /// What came out since the last call.
    fn out(&mut self) -> Vec<Out> {
        std::mem::take(&mut self.recorder.out)
    }

    /// The same without signs of life and leads.
    fn facts(&mut self) -> Vec<Out> {
        let chatter =
            |o: &Out| matches!(o, Out::Event(_, LineEvent::LineLead { .. } | LineEvent::Heartbeat { .. }));
        self.out().into_iter().filter(|o| !chatter(o)).collect()
    }

    /// Every packet and every message is counted exactly once.
    fn balance(&self) {
        let s = self.channel.statistics();
        for l in &s.lines {
            let refused: u64 = l.refused.iter().sum();
            assert_eq!(l.packets, l.won + l.duplicates + l.late + l.signs + refused + l.doubted, "{l:?}");
            let refused: u64 = l.refused_messages.iter().sum();
            let taken = l.messages_won + l.messages_duplicate + l.messages_late;
            assert_eq!(l.messages, taken + refused + l.doubted_messages, "{l:?}");
        }
        let won: u64 = s.lines.iter().map(|l| l.messages_won).sum();
        assert_eq!(won, s.delivered + s.held);
        let late: u64 = s.lines.iter().map(|l| l.messages_late).sum();
        assert_eq!(late, s.filled_late);
    }
}

fn gap(now_ns: u64, first: u64, last: u64, began_ns: u64, reason: GapReason) -> Out {
    let count = last - first + 1;
    Out::Event(now_ns, LineEvent::Gap { first, last, count, began_ns, reason })
}

fn recovered(now_ns: u64, first: u64, last: u64, began_ns: u64, line: usize) -> Out {
    let count = last - first + 1;
    Out::Event(now_ns, LineEvent::Recovered { first, last, count, began_ns, line })
}

fn lost(now_ns: u64, line: usize, first: u64, last: u64, in_gap: u64, began_ns: u64) -> Out {
    let count = last - first + 1;
    Out::Event(now_ns, LineEvent::LineLost { line, first, last, count, in_gap, began_ns })
}

fn lead(now_ns: u64, winner: usize, loser: usize, lag_ns: u64, sequence: u64) -> Out {
    Out::Event(now_ns, LineEvent::LineLead { winner, loser, lag_ns, at_least: false, sequence })
}
