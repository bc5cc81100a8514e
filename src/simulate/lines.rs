//! The way from the senders to us: every line's delay, and what gets lost, late, doubled or damaged on it.
//!
//! It never looks at what a packet says, except for where its messages begin when one is to be damaged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use super::blame;
use super::faults::{Damage, Fault, Kind, SourceId};
use super::packet::Packet;
use super::rng::Rng;

/// A line: one copy of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub source: SourceId,
    /// Of which of its packets a copy: by position in [`STREAMS`].
    pub stream: usize,
    /// Name of the channel.
    pub channel: &'static str,
    /// Name of the line.
    pub name: &'static str,
    /// Multicast group and port.
    pub group: SocketAddrV4,
    /// Who sends.
    pub sender: SocketAddrV4,
    /// Shortest time on the way.
    delay_ns: u64,
    /// How much longer it may take.
    jitter_ns: u64,
}

const fn address(a: u8, b: u8, c: u8, d: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port)
}

/// Every sequence of packets that is numbered on its own, by its source: the venue's, the SIP's first and second
/// channel, the second site's.
pub const STREAMS: [SourceId; 4] = [SourceId::Direct, SourceId::Sip, SourceId::Sip, SourceId::Backup];

/// Every line that there can be, the direct feed's first; [`super::Scenario::lines`] says which there are.
pub const LINES: [Line; 5] = [
    Line {
        source: SourceId::Direct,
        stream: 0,
        channel: "tv1",
        name: "A",
        group: address(233, 54, 12, 111, 26477),
        sender: address(10, 9, 1, 1, 30_001),
        delay_ns: 15_000,
        jitter_ns: 5_000,
    },
    Line {
        source: SourceId::Direct,
        stream: 0,
        channel: "tv1",
        name: "B",
        group: address(233, 49, 196, 111, 26477),
        sender: address(10, 9, 2, 1, 30_001),
        delay_ns: 17_000,
        jitter_ns: 12_000,
    },
    Line {
        source: SourceId::Sip,
        stream: 1,
        channel: "q1",
        name: "A",
        group: address(224, 0, 17, 48, 55530),
        sender: address(10, 9, 3, 1, 30_001),
        delay_ns: 0,
        jitter_ns: 0,
    },
    Line {
        source: SourceId::Sip,
        stream: 2,
        channel: "q2",
        name: "A",
        group: address(224, 0, 17, 49, 55531),
        sender: address(10, 9, 3, 2, 30_001),
        delay_ns: 0,
        jitter_ns: 0,
    },
    Line {
        source: SourceId::Backup,
        stream: 3,
        channel: "tv1",
        name: "A",
        group: address(233, 54, 12, 112, 26478),
        sender: address(10, 9, 4, 1, 30_001),
        delay_ns: 320_000,
        jitter_ns: 9_000,
    },
];

/// How long a copy takes on the direct feed's first line at least.
pub const DIRECT_DELAY_NS: u64 = LINES[0].delay_ns;
/// How long a hole waits in a receiver before it is a gap.
pub const REORDER_WAIT_NS: u64 = 5_000_000;

/// A datagram that arrives at our observation point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When it arrives, nanoseconds since 1970.
    pub ts_ns: u64,
    /// On which of [`LINES`].
    pub line: usize,
    /// UDP payload.
    pub payload: Vec<u8>,
    /// It was damaged on its way: its checksum is no longer that of its bytes.
    pub spoilt: bool,
    /// Its line's sender numbers what it sends one by one, as IPv4's identification.
    pub identification: u16,
}

/// Something that happened to one packet on one line because of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// Position of the fault in the scenario.
    pub fault: usize,
    /// On which of [`LINES`].
    pub line: usize,
    /// When the packet would have arrived.
    pub ts_ns: u64,
    /// First message of the packet.
    pub first: u64,
    /// Messages in it.
    pub count: u16,
}

/// What became of a packet, over all its lines.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// When its first good copy arrives; `None` when there is none.
    pub first_ns: Option<u64>,
    /// What the faults did to it.
    pub incidents: Vec<Incident>,
}

#[derive(Debug, PartialEq, Eq)]
struct Pending(u64, u64, Sent);
impl Ord for Pending {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}
impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The lines and what is on its way on them.
#[derive(Debug)]
pub struct Lines {
    faults: Rc<[Fault]>,
    rng: Rng,
    last_ns: [u64; LINES.len()],
    /// Packets that each line's sender has sent.
    sent: [u16; LINES.len()],
    /// How often each fault has struck on each line.
    struck: Vec<[u64; LINES.len()]>,
    heap: BinaryHeap<Reverse<Pending>>,
    count: u64,
}

impl Lines {
    /// Lines on which these faults happen.
    pub fn new(seed: u64, faults: Rc<[Fault]>) -> Lines {
        let struck = vec![[0; LINES.len()]; faults.len()];
        let rng = Rng::new(seed, 3);
        let none = [0; LINES.len()];
        Lines {
            faults,
            rng,
            last_ns: none.map(u64::from),
            sent: none,
            struck,
            heap: BinaryHeap::new(),
            count: 0,
        }
    }

    /// The next datagram, when nothing that is sent from `horizon_ns` on can come before it.
    pub fn arrived(&mut self, horizon_ns: u64) -> Option<Sent> {
        if self.heap.peek().is_none_or(|Reverse(p)| p.0 >= horizon_ns) {
            return None;
        }
        self.heap.pop().map(|Reverse(p)| p.2)
    }

    fn push(&mut self, sent: Sent) {
        self.count += 1;
        self.heap.push(Reverse(Pending(sent.ts_ns, self.count, sent)));
    }

    /// Sends a packet on every line of its stream.
    pub fn send(&mut self, stream: usize, now_ns: u64, packet: &Packet) -> Delivery {
        let mut delivery = Delivery::default();
        let of_source = LINES.iter().enumerate().filter(|(_, l)| l.source == STREAMS[stream]);
        for (position, (line, info)) in of_source.enumerate() {
            if info.stream != stream {
                continue;
            }
            let delay = info.delay_ns + self.rng.below(info.jitter_ns + 1);
            if let Some(ts) = self.copy(line, position, now_ns + delay, packet, &mut delivery.incidents) {
                delivery.first_ns = Some(delivery.first_ns.map_or(ts, |first| first.min(ts)));
            }
        }
        delivery
    }

    /// One copy on one line; answers when a good one arrives.
    fn copy(
        &mut self,
        line: usize,
        position: usize,
        usual_ns: u64,
        packet: &Packet,
        incidents: &mut Vec<Incident>,
    ) -> Option<u64> {
        let mut ts = usual_ns;
        let (mut lost, mut twice, mut late, mut damage, mut spoilt) = (false, false, 0, None, false);
        let mut never_sent = false;
        let copies = LINES.iter().filter(|l| l.stream == LINES[line].stream).count();
        let faults = Rc::clone(&self.faults);
        for (n, fault) in faults.iter().enumerate() {
            let here = fault.source == LINES[line].source && fault.on_line(position) && fault.is_transport();
            if !here || !fault.at(usual_ns) {
                continue;
            }
            let struck = &mut self.struck[n][line];
            let data = packet.count > 0;
            let strikes = match fault.kind {
                Kind::Silence => true,
                Kind::Lag { .. } => data,
                Kind::Loss { packets: Some(most), .. } => data && *struck < most,
                Kind::Loss { packets: None, milli_percent } => {
                    // Drawn for every packet, so that one line's draw does not depend on what it carries.
                    self.rng.below(100_000) < milli_percent && data
                }
                Kind::Reorder { packets, .. } => {
                    // Every fourth packet is held back, so that three others overtake it.
                    *struck += u64::from(data);
                    data && *struck % 4 == 1 && *struck < 4 * packets
                }
                Kind::Duplicate { packets } | Kind::Corruption { packets, .. } => data && *struck < packets,
                _ => false,
            };
            if !strikes {
                continue;
            }
            if !matches!(fault.kind, Kind::Reorder { .. }) {
                *struck += 1;
            }
            match fault.kind {
                Kind::Lag { by_ns } => ts += by_ns,
                Kind::Reorder { by_ns, .. } => late = by_ns,
                Kind::Duplicate { .. } => twice = true,
                Kind::Corruption { damage: how, .. } => {
                    damage = Some(how);
                    // What strikes one line of several happens behind its sender.
                    spoilt = copies > 1 && !fault.lines.is_empty();
                }
                _ => {
                    lost = true;
                    never_sent |= blame::is_struck_before_the_lines_part(fault);
                }
            }
            incidents.push(Incident { fault: n, line, ts_ns: ts, first: packet.first, count: packet.count });
        }
        if !never_sent {
            self.sent[line] = self.sent[line].wrapping_add(1);
        }
        if lost {
            return None;
        }
        let identification = self.sent[line];
        // A line is a queue: jitter does not reorder it, only a fault does.
        ts = ts.max(self.last_ns[line] + 1);
        self.last_ns[line] = ts;
        ts += late;
        let payload = match damage {
            None => packet.payload.clone(),
            Some(how) => damaged(&packet.payload, how),
        };
        if twice {
            self.push(Sent { ts_ns: ts + 3_000, line, payload: payload.clone(), spoilt, identification });
        }
        self.push(Sent { ts_ns: ts, line, payload, spoilt, identification });
        damage.is_none().then_some(ts)
    }
}

/// The payload of a packet of messages, damaged.
fn damaged(payload: &[u8], how: Damage) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    let header = feeds::moldudp64::DownstreamHeader::LEN;
    match how {
        Damage::Truncate => bytes.truncate(payload.len() - 5),
        Damage::Length => {
            if let Some(length) = bytes.get_mut(header..header + 2) {
                length.copy_from_slice(&u16::MAX.to_be_bytes());
            }
        }
        Damage::Header => bytes.truncate(header - 7),
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::packet::{Blocks, Session};

    fn packets(n: usize) -> Vec<Packet> {
        let mut session = Session::new(*b"SIM0000001");
        let one = |session: &mut Session, i: usize| {
            let mut blocks = Blocks::default();
            blocks.push(&[&[i as u8; 12]]);
            session.data(&blocks)
        };
        (0..n).map(|i| one(&mut session, i)).collect()
    }

    fn sent(kind: Kind, lines: Vec<usize>) -> Vec<(usize, u64, usize)> {
        let fault =
            Fault { kind, source: SourceId::Direct, lines, instruments: vec![], from_ns: 0, to_ns: u64::MAX };
        let mut lines = Lines::new(1, Rc::new([fault]));
        for (i, packet) in packets(6).iter().enumerate() {
            lines.send(0, i as u64 * 100_000, packet);
        }
        let mut out = Vec::new();
        while let Some(sent) = lines.arrived(u64::MAX) {
            let first = feeds::moldudp64::header(&sent.payload).map_or(0, |h| h.sequence);
            out.push((sent.line, first, sent.payload.len()));
        }
        out
    }

    fn on(all: &[(usize, u64, usize)], line: usize) -> Vec<u64> {
        all.iter().filter(|s| s.0 == line).map(|s| s.1).collect()
    }

    #[test]
    fn faults_strike_where_they_are_told_to() {
        let loss = sent(Kind::Loss { packets: Some(2), milli_percent: 0 }, vec![1]);
        assert_eq!((on(&loss, 0), on(&loss, 1)), (vec![1, 2, 3, 4, 5, 6], vec![3, 4, 5, 6]));
        let twice = sent(Kind::Duplicate { packets: 1 }, vec![0]);
        assert_eq!((on(&twice, 0), on(&twice, 1)), (vec![1, 1, 2, 3, 4, 5, 6], vec![1, 2, 3, 4, 5, 6]));
        let reordered = sent(Kind::Reorder { packets: 1, by_ns: 250_000 }, vec![0]);
        assert_eq!((on(&reordered, 0), on(&reordered, 1)), (vec![2, 3, 1, 4, 5, 6], vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(sent(Kind::Silence, vec![]), vec![]);
        let damaged = sent(Kind::Corruption { damage: Damage::Header, packets: 1 }, vec![0]);
        assert_eq!(damaged.iter().find(|s| s.0 == 0).map(|s| s.2), Some(13));
    }
}
