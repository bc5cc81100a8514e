//! The pcapng blocks of a recording, appended to a buffer.
//!
//! "PCAP Now Generic (pcapng) Capture File Format" (draft-ietf-opsawg-pcapng), section 4; little-endian, times in
//! nanoseconds. Frames are made anew around the payload (Ethernet, IPv4 or IPv6, UDP): a socket gives no frame. They
//! are not padded to Ethernet's least length, so that nothing in them was invented but the headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::seal::Seal;
use super::super::writer::{block, ethernet_address, spoilt, sum_of};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;

const ETHERNET_LEN: usize = 14;
const IPV4_LEN: usize = 20;
const IPV6_LEN: usize = 40;
const UDP_LEN: usize = 8;
/// The largest UDP payload in an IPv4 packet in bytes; IPv6 would allow 20 more, which no feed uses.
pub(super) const PAYLOAD_LEN_MAX: usize = 65_535 - IPV4_LEN - UDP_LEN;

/// A datagram as it is written. The payload comes in two parts because the ring that it waits in wraps around.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub line: u16,
    pub ts_ns: u64,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub payload: [&'a [u8]; 2],
    /// Length of the datagram on the wire; more than there is of the payload when it was cut.
    pub wire_len: u32,
    /// What its checksum shall say.
    pub seal: Seal,
    /// IPv4's identification.
    pub identification: u16,
    /// Datagrams that the line's socket dropped before this one.
    pub dropped: u32,
    /// Datagrams of this line that came before this one and could not be kept.
    pub missing: u32,
}

/// What a statistics block says; everything counts from the beginning of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statistics {
    pub line: u16,
    pub ts_ns: u64,
    /// Since when the lines are watched; said once, at the beginning of a recording.
    pub from_ns: Option<u64>,
    /// Datagrams that the kernel lost before any socket, as far as they were told with this line's datagrams.
    pub host_drops: u64,
    /// Where the file ends: what happened to the line over its whole time.
    pub total: Option<Total>,
}

/// See [`Statistics::total`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Total {
    pub started_ns: u64,
    /// Up to when the line was watched; `None` when nobody said it.
    pub ended_ns: Option<u64>,
    pub kept: u64,
    pub missing: u64,
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&(value.len() as u16).to_le_bytes());
    body.extend_from_slice(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend_from_slice(&[0; 4]);
}

fn time(ts_ns: u64) -> [u8; 8] {
    // Two words, the upper first, each in the section's byte order.
    let [high, low] = [(ts_ns >> 32) as u32, ts_ns as u32].map(u32::to_le_bytes);
    [high[0], high[1], high[2], high[3], low[0], low[1], low[2], low[3]]
}

/// Section 4.1, with the program's name (shb_userappl) and nothing about the machine.
pub(super) fn section(out: &mut Vec<u8>, product: &str) {
    let mut body = Vec::new();
    for word in [0x1a2b_3c4d_u32, 1, u32::MAX, u32::MAX] {
        body.extend_from_slice(&word.to_le_bytes());
    }
    option(&mut body, 4, product.as_bytes());
    end_of_options(&mut body);
    block(out, SECTION_HEADER, &body);
}

/// Section 4.2: Ethernet without a snap length, if_name, if_tsresol of 10^-9.
pub(super) fn interface(out: &mut Vec<u8>, name: &str) {
    let mut body = vec![1, 0, 0, 0, 0, 0, 0, 0];
    option(&mut body, 2, name.as_bytes());
    option(&mut body, 9, &[9]);
    end_of_options(&mut body);
    block(out, INTERFACE, &body);
}

/// Section 4.6: isb_starttime, isb_endtime, isb_ifrecv (kept or not), isb_ifdrop (not kept), isb_osdrop (the
/// kernel's queues), isb_usrdeliv (kept).
pub(super) fn statistics(out: &mut Vec<u8>, statistics: &Statistics) {
    let mut body = Vec::with_capacity(96);
    body.extend_from_slice(&u32::from(statistics.line).to_le_bytes());
    body.extend_from_slice(&time(statistics.ts_ns));
    if let Some(from_ns) = statistics.from_ns {
        option(&mut body, 2, &time(from_ns));
    }
    if let Some(total) = statistics.total {
        option(&mut body, 2, &time(total.started_ns));
        if let Some(ended_ns) = total.ended_ns {
            option(&mut body, 3, &time(ended_ns));
        }
        option(&mut body, 4, &(total.kept + total.missing).to_le_bytes());
        option(&mut body, 5, &total.missing.to_le_bytes());
    }
    option(&mut body, 7, &statistics.host_drops.to_le_bytes());
    if let Some(total) = statistics.total {
        option(&mut body, 8, &total.kept.to_le_bytes());
    }
    end_of_options(&mut body);
    block(out, STATISTICS, &body);
}

/// Section 4.3, with epb_dropcount where the socket dropped datagrams, and a comment where some could not be kept.
pub(super) fn packet(out: &mut Vec<u8>, packet: &Packet<'_>) {
    let start = out.len();
    out.extend_from_slice(&PACKET.to_le_bytes());
    // The two lengths are known at the end.
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&u32::from(packet.line).to_le_bytes());
    out.extend_from_slice(&time(packet.ts_ns));
    out.extend_from_slice(&[0; 8]);
    let frame_at = out.len();
    let cut = frame(out, packet);
    let captured_len = (out.len() - frame_at) as u32;
    out[frame_at - 8..frame_at - 4].copy_from_slice(&captured_len.to_le_bytes());
    out[frame_at - 4..frame_at].copy_from_slice(&(captured_len + cut).to_le_bytes());
    out.resize(frame_at + (out.len() - frame_at).next_multiple_of(4), 0);
    if packet.missing > 0 {
        let comment =
            format!("parallax: {} datagrams of this line before this one are missing", packet.missing);
        option(out, 1, comment.as_bytes());
    }
    if packet.dropped > 0 {
        option(out, 4, &u64::from(packet.dropped).to_le_bytes());
    }
    if packet.missing > 0 || packet.dropped > 0 {
        end_of_options(out);
    }
    let len = ((out.len() - start + 4) as u32).to_le_bytes();
    out.extend_from_slice(&len);
    out[start + 4..start + 8].copy_from_slice(&len);
}

/// Appends the frame; gives how many bytes of the datagram are missing at its end.
fn frame(out: &mut Vec<u8>, packet: &Packet<'_>) -> u32 {
    let payload_len = packet.payload[0].len() + packet.payload[1].len();
    let wire_len = (packet.wire_len as usize).clamp(payload_len, PAYLOAD_LEN_MAX.max(payload_len));
    let udp_len = (UDP_LEN + wire_len) as u16;
    match (packet.source.ip(), packet.destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4(out, from, to, udp_len, packet.identification),
        (from, to) => ipv6(out, in_six(from), in_six(to), udp_len),
    }
    // Both kinds of header end in the two addresses.
    let addresses_len = if packet.source.is_ipv4() && packet.destination.is_ipv4() { 8 } else { 32 };
    let udp_at = out.len();
    out.extend_from_slice(&packet.source.port().to_be_bytes());
    out.extend_from_slice(&packet.destination.port().to_be_bytes());
    out.extend_from_slice(&udp_len.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    for part in packet.payload {
        out.extend_from_slice(part);
    }
    let cut = (wire_len - payload_len) as u32;
    // Without all of its bytes a datagram has no checksum; 0 says that there is none.
    if cut == 0 && packet.seal != Seal::None {
        // Pseudo header: addresses, protocol, length (RFC 768; RFC 8200, 8.1).
        let pseudo = u32::from(sum_of(&out[udp_at - addresses_len..udp_at], 0)) + 17 + u32::from(udp_len);
        let checksum = match !sum_of(&out[udp_at..], pseudo) {
            0 => 0xffff,
            sum => sum,
        };
        let checksum = if packet.seal == Seal::Wrong { spoilt(checksum) } else { checksum };
        out[udp_at + 6..udp_at + 8].copy_from_slice(&checksum.to_be_bytes());
    }
    cut
}

fn ipv4(out: &mut Vec<u8>, from: Ipv4Addr, to: Ipv4Addr, udp_len: u16, identification: u16) {
    out.extend_from_slice(&ethernet_address(to));
    out.extend_from_slice(&ethernet_address(from));
    out.extend_from_slice(&[0x08, 0x00]);
    let start = out.len();
    // Version 4, 5 words; don't fragment; 64 hops; UDP.
    out.extend_from_slice(&[0x45, 0]);
    out.extend_from_slice(&(IPV4_LEN as u16 + udp_len).to_be_bytes());
    out.extend_from_slice(&identification.to_be_bytes());
    out.extend_from_slice(&[0x40, 0, 64, 17, 0, 0]);
    out.extend_from_slice(&from.octets());
    out.extend_from_slice(&to.octets());
    let checksum = !sum_of(&out[start..], 0);
    out[start + 10..start + 12].copy_from_slice(&checksum.to_be_bytes());
}

fn ipv6(out: &mut Vec<u8>, from: Ipv6Addr, to: Ipv6Addr, udp_len: u16) {
    for address in [to, from] {
        let octets = address.octets();
        // RFC 2464, 7 for groups; a locally administered address for hosts.
        out.extend_from_slice(if address.is_multicast() { &[0x33, 0x33] } else { &[0x02, 0x00] });
        out.extend_from_slice(&octets[12..]);
    }
    out.extend_from_slice(&[0x86, 0xdd]);
    // Version 6; UDP; 64 hops.
    out.extend_from_slice(&[0x60, 0, 0, 0]);
    out.extend_from_slice(&udp_len.to_be_bytes());
    out.extend_from_slice(&[17, 64]);
    out.extend_from_slice(&from.octets());
    out.extend_from_slice(&to.octets());
}

fn in_six(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// Bytes that a datagram takes in a file beside its payload, as the size of a file is counted: the block, an
/// Ethernet header, an IPv6 and a UDP one. Padding and options are left out.
pub(super) const OVERHEAD_LEN: u64 = (32 + ETHERNET_LEN + IPV6_LEN + UDP_LEN) as u64;
