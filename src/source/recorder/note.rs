//! How a datagram waits in the ring: a header of fixed length, then the payload.
//!
//! Both ends are this program, in one process, so the layout is private and native.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::merge::Lost;

/// Length of the header in bytes.
pub(super) const HEADER_LEN: usize = 72;

/// A datagram's header in the ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Note {
    pub ts_ns: u64,
    /// The file that it belongs to.
    pub file: u32,
    pub payload_len: u32,
    pub wire_len: u32,
    pub lost: Lost,
    /// Datagrams of its line that could not be kept since the last that was.
    pub missing: u32,
    pub line: u16,
    pub source: SocketAddr,
    pub destination: SocketAddr,
}

impl Note {
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&self.ts_ns.to_ne_bytes());
        let words =
            [self.file, self.payload_len, self.wire_len, self.lost.socket, self.lost.host, self.missing];
        for (at, word) in words.into_iter().enumerate() {
            bytes[8 + 4 * at..12 + 4 * at].copy_from_slice(&word.to_ne_bytes());
        }
        bytes[32..34].copy_from_slice(&self.line.to_ne_bytes());
        bytes[34] = encode_address(&mut bytes[36..54], self.source);
        bytes[35] = encode_address(&mut bytes[54..72], self.destination);
        bytes
    }

    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Self {
        let word = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let [a, b, c, d, e, f, g, h, ..] = *bytes;
        Self {
            ts_ns: u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
            file: word(8),
            payload_len: word(12),
            wire_len: word(16),
            lost: Lost { socket: word(20), host: word(24) },
            missing: word(28),
            line: u16::from_ne_bytes([bytes[32], bytes[33]]),
            source: decode_address(bytes[34], &bytes[36..54]),
            destination: decode_address(bytes[35], &bytes[54..72]),
        }
    }
}

/// 16 bytes of address, 2 of port; gives the version of IP.
fn encode_address(bytes: &mut [u8], address: SocketAddr) -> u8 {
    bytes[16..18].copy_from_slice(&address.port().to_ne_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            bytes[..4].copy_from_slice(&ip.octets());
            4
        }
        IpAddr::V6(ip) => {
            bytes[..16].copy_from_slice(&ip.octets());
            6
        }
    }
}

fn decode_address(version: u8, bytes: &[u8]) -> SocketAddr {
    let mut octets = [0; 16];
    octets.copy_from_slice(&bytes[..16]);
    let port = u16::from_ne_bytes([bytes[16], bytes[17]]);
    let ip = match (version, octets) {
        (4, [a, b, c, d, ..]) => IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
        _ => IpAddr::V6(Ipv6Addr::from(octets)),
    };
    SocketAddr::new(ip, port)
}
