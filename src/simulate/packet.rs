//! Packs messages into MoldUDP64 packets of one session, the way both feeds here travel.
//!
//! It numbers messages and knows nothing of what they say, of lines or of faults.

use feeds::moldudp64::{DownstreamHeaderValues, END_OF_SESSION};

/// Payload bytes after which no message is added: fits an Ethernet frame with room for tags.
const PAYLOAD_LEN_MAX: usize = 1400;

/// A packet as the sender made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// UDP payload.
    pub payload: Vec<u8>,
    /// Sequence number of its first message, or of the next one to come.
    pub first: u64,
    /// Messages in it; 0 for a heartbeat or the end of the session.
    pub count: u16,
}

/// Messages on their way into one packet.
#[derive(Debug, Clone, Default)]
pub struct Blocks {
    bytes: Vec<u8>,
    count: u16,
}

impl Blocks {
    /// Adds a message made of parts.
    pub fn push(&mut self, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|p| p.len()).sum();
        self.bytes.extend_from_slice(&(len as u16).to_be_bytes());
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.count += 1;
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Another message might not fit.
    pub fn is_full(&self) -> bool {
        self.bytes.len() + 128 > PAYLOAD_LEN_MAX
    }
}

/// One session's numbering.
#[derive(Debug, Clone)]
pub struct Session {
    name: [u8; 10],
    next: u64,
}

impl Session {
    /// A session of that name, from message 1.
    pub fn new(name: [u8; 10]) -> Session {
        Session { name, next: 1 }
    }

    /// The next message's number.
    pub fn next(&self) -> u64 {
        self.next
    }

    fn packet(&self, count: u16, blocks: &[u8]) -> Packet {
        let header =
            DownstreamHeaderValues { session: self.name, sequence_number: self.next, message_count: count };
        let mut payload = Vec::with_capacity(DownstreamHeaderValues::LEN + blocks.len());
        payload.extend_from_slice(&header.encode());
        payload.extend_from_slice(blocks);
        Packet { payload, first: self.next, count }
    }

    /// The packet of these messages; the numbers behind them are next.
    pub fn data(&mut self, blocks: &Blocks) -> Packet {
        let packet = self.packet(blocks.count, &blocks.bytes);
        self.next += u64::from(blocks.count);
        packet
    }

    /// A sign of life.
    pub fn heartbeat(&self) -> Packet {
        self.packet(0, &[])
    }

    /// The end of the session.
    pub fn end(&self) -> Packet {
        Packet { count: 0, ..self.packet(END_OF_SESSION, &[]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feeds::feed::PacketKind;

    #[test]
    fn packets_read_back_and_the_numbers_run_on() {
        let mut session = Session::new(*b"SIM0000001");
        let mut blocks = Blocks::default();
        blocks.push(&[b"ab", b"c"]);
        blocks.push(&[b"z"]);
        let first = session.data(&blocks);
        let header = feeds::moldudp64::header(&first.payload).unwrap();
        assert_eq!((header.sequence, header.count, header.kind), (1, 2, PacketKind::Data));
        let span = feeds::moldudp64::split(&first.payload, header.len).unwrap().unwrap();
        assert_eq!(&first.payload[span.start..span.end], b"abc");
        for (packet, kind) in
            [(session.heartbeat(), PacketKind::Heartbeat), (session.end(), PacketKind::EndOfSession)]
        {
            let header = feeds::moldudp64::header(&packet.payload).unwrap();
            assert_eq!((header.sequence, header.kind, packet.first, packet.count), (3, kind, 3, 0));
        }
    }
}
