//! From a captured link-layer frame to the UDP datagram or TCP segment inside.
//!
//! Knows Ethernet with any stack of VLAN tags, Linux cooked captures, raw IP and
//! BSD loopback; IPv4 with options and IPv6 with extension headers. It recognises
//! fragments and hands them out; keeping them until they are whole needs memory
//! and time and is the caller's work. It never copies, never allocates, never
//! verifies checksums (captures on a sending host hold unfinished ones), and what
//! it cannot read it names.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// IP protocol number of TCP (IANA protocol numbers).
pub const PROTOCOL_TCP: u8 = 6;
/// IP protocol number of UDP (IANA protocol numbers).
pub const PROTOCOL_UDP: u8 = 17;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_RARP: u16 = 0x8035;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// What the first byte of a frame belongs to: the capture's link type.
///
/// Numbers: "Link-Layer Types for PCAP and PCAPNG Capture File Formats"
/// (draft-ietf-opsawg-pcaplinktype).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkType {
    /// LINKTYPE_ETHERNET (1): 14 bytes from the destination address on, without preamble.
    Ethernet,
    /// LINKTYPE_LINUX_SLL (113): Linux "cooked", 16-byte header.
    LinuxSll,
    /// LINKTYPE_LINUX_SLL2 (276): Linux "cooked" version 2, 20-byte header.
    LinuxSll2,
    /// Raw IP of either version (101, and 12 and 14 as BSD systems wrote it).
    RawIp,
    /// LINKTYPE_IPV4 (228).
    RawIpv4,
    /// LINKTYPE_IPV6 (229).
    RawIpv6,
    /// LINKTYPE_NULL (0): 4-byte address family in the capturing host's byte order.
    Null,
    /// LINKTYPE_LOOP (108): 4-byte address family in network byte order.
    Loop,
}

impl LinkType {
    /// The link type of a number from a capture's header; `None` when we cannot read it.
    pub const fn from_number(number: u16) -> Option<Self> {
        Some(match number {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 => Self::RawIp,
            108 => Self::Loop,
            113 => Self::LinuxSll,
            228 => Self::RawIpv4,
            229 => Self::RawIpv6,
            276 => Self::LinuxSll2,
            _ => return None,
        })
    }
}

/// Why a frame holds no datagram for us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reject {
    /// The captured bytes end inside a header.
    TruncatedFrame,
    /// Address resolution (ARP or RARP).
    Arp,
    /// Another network protocol than IP.
    NotIp,
    /// An IP header that contradicts itself: version, header length or total length.
    BadIpHeader,
    /// ICMP or ICMPv6.
    Icmp,
    /// IGMP.
    Igmp,
    /// IP, but neither UDP nor TCP, ICMP or IGMP.
    NotUdp,
    /// A UDP length smaller than its header.
    BadUdpHeader,
    /// A TCP data offset smaller than its header or beyond the packet.
    BadTcpHeader,
}

/// What carried a payload over IP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// A UDP datagram (RFC 768).
    Udp,
    /// A TCP segment (RFC 9293).
    Tcp,
}

/// Where a payload lost bytes against its own length field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shortfall {
    /// Nothing is missing.
    None,
    /// The capture kept fewer bytes than the packet had.
    Captured,
    /// The UDP length points beyond the IP packet it came in.
    IpLength,
}

/// A UDP datagram or TCP segment found in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<'a> {
    /// Which of the two it is.
    pub carrier: Carrier,
    /// Sender's address and port.
    pub source: SocketAddr,
    /// Receiver's (mostly multicast) address and port.
    pub destination: SocketAddr,
    /// The payload's captured bytes.
    pub payload: &'a [u8],
    /// Where the payload starts in the bytes that were parsed.
    pub payload_start: usize,
    /// The payload's length on the wire in bytes; more than `payload.len()` when cut.
    pub wire_len: u32,
    /// The UDP checksum as it is in the header; 0 where there is none (RFC 768), and for TCP.
    pub checksum: u16,
    /// IPv4's identification as its sender wrote it (RFC 791, 3.1); 0 with IPv6, which has none.
    pub identification: u16,
    /// Whether and why the payload is shorter than `wire_len`.
    pub shortfall: Shortfall,
    /// Captured bytes after the datagram: Ethernet padding, frame check sequence, trailers.
    pub trailing: u32,
}

/// What all fragments of one IP packet have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FragmentKey {
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// IPv4 identification (16 bits used) or IPv6 fragment identification (RFC 8200, 4.5).
    pub identification: u32,
    /// Protocol or next header of the whole packet.
    pub protocol: u8,
    /// Identifier of the innermost VLAN tag, 0 without one: the same packet seen in two VLANs is two packets.
    pub vlan: u16,
}

/// One fragment of an IP packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment<'a> {
    /// Which packet it belongs to.
    pub key: FragmentKey,
    /// Where its bytes belong in the packet's payload.
    pub offset: u32,
    /// Whether more fragments follow behind it.
    pub more: bool,
    /// Its captured bytes.
    pub bytes: &'a [u8],
    /// Its length on the wire in bytes; more than `bytes.len()` when cut by the capture.
    pub wire_len: u32,
}

/// What a frame holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parsed<'a> {
    /// A whole datagram or segment.
    Segment(Segment<'a>),
    /// A fragment of one.
    Fragment(Fragment<'a>),
}

/// Reads the headers of one frame.
///
/// # Errors
/// [`Reject`] names why the frame holds no datagram.
#[inline]
pub fn parse(link: LinkType, frame: &[u8]) -> Result<Parsed<'_>, Reject> {
    let network = link_header(link, frame)?;
    let packet = frame.get(network.start..).ok_or(Reject::TruncatedFrame)?;
    let first = *packet.first().ok_or(Reject::TruncatedFrame)?;
    match (network.version, first >> 4) {
        (Version::Four | Version::Either, 4) => parse_ipv4(frame, network),
        (Version::Six | Version::Either, 6) => parse_ipv6(frame, network),
        (Version::Either, _) => Err(Reject::NotIp),
        _ => Err(Reject::BadIpHeader),
    }
}

/// Reads a packet's payload that was put together from fragments.
///
/// # Errors
/// [`Reject`] names why the bytes hold no datagram.
pub fn parse_reassembled<'a>(key: &FragmentKey, bytes: &'a [u8]) -> Result<Segment<'a>, Reject> {
    let claimed = bytes.len();
    let (protocol, start) = match key.source {
        IpAddr::V4(_) => (key.protocol, 0),
        IpAddr::V6(_) => match skip_extensions(bytes, 0, claimed, key.protocol)? {
            Extensions::Upper { protocol, start } => (protocol, start),
            // A fragment inside a fragment: RFC 8200 knows no such packet.
            Extensions::Fragment { .. } => return Err(Reject::BadIpHeader),
        },
    };
    let mut segment = parse_transport(bytes, start, claimed, protocol, key.source, key.destination)?;
    if key.source.is_ipv4() {
        segment.identification = key.identification as u16;
    }
    Ok(segment)
}

/// Which IP version the link header announced.
#[derive(Clone, Copy)]
enum Version {
    Four,
    Six,
    Either,
}

/// Where the network layer starts.
#[derive(Clone, Copy)]
struct Network {
    version: Version,
    start: usize,
    vlan: u16,
}

#[inline]
fn link_header(link: LinkType, frame: &[u8]) -> Result<Network, Reject> {
    let untagged = |version, start| Ok(Network { version, start, vlan: 0 });
    match link {
        LinkType::Ethernet => ethertype(frame, 12, 14),
        LinkType::LinuxSll => ethertype(frame, 14, 16),
        LinkType::LinuxSll2 => ethertype(frame, 0, 20),
        LinkType::RawIp => untagged(Version::Either, 0),
        LinkType::RawIpv4 => untagged(Version::Four, 0),
        LinkType::RawIpv6 => untagged(Version::Six, 0),
        LinkType::Null | LinkType::Loop => {
            let family: [u8; 4] =
                frame.get(..4).and_then(|b| b.try_into().ok()).ok_or(Reject::TruncatedFrame)?;
            // NULL is in the byte order of a host we do not know and some writers put it
            // under LOOP too; every family fits a byte, so the smaller reading is the right one.
            match u32::from_le_bytes(family).min(u32::from_be_bytes(family)) {
                2 => untagged(Version::Four, 4),
                // AF_INET6 of Linux, NetBSD/OpenBSD, FreeBSD and Darwin.
                10 | 24 | 28 | 30 => untagged(Version::Six, 4),
                _ => Err(Reject::NotIp),
            }
        }
    }
}

/// Follows EtherTypes through VLAN tags (IEEE 802.1Q, 802.1ad and the older 0x9100).
#[inline]
fn ethertype(frame: &[u8], type_at: usize, header_len: usize) -> Result<Network, Reject> {
    let mut kind = be16(frame, type_at)?;
    let mut start = header_len;
    let mut vlan = 0;
    while let 0x8100 | 0x88a8 | 0x9100 = kind {
        vlan = be16(frame, start)? & 0x0fff;
        kind = be16(frame, start + 2)?;
        start += 4;
    }
    let version = match kind {
        ETHERTYPE_IPV4 => Version::Four,
        ETHERTYPE_IPV6 => Version::Six,
        ETHERTYPE_ARP | ETHERTYPE_RARP => return Err(Reject::Arp),
        _ => return Err(Reject::NotIp),
    };
    Ok(Network { version, start, vlan })
}

/// IPv4 header: RFC 791, 3.1.
#[inline]
fn parse_ipv4(frame: &[u8], network: Network) -> Result<Parsed<'_>, Reject> {
    let start = network.start;
    let header: &[u8; 20] = frame[start..].first_chunk().ok_or(Reject::TruncatedFrame)?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total_len = match usize::from(u16::from_be_bytes([header[2], header[3]])) {
        // Segmentation offload leaves 0 in packets captured before the card cut them.
        0 => frame.len() - start,
        given => given,
    };
    if header_len < 20 || total_len < header_len {
        return Err(Reject::BadIpHeader);
    }
    if frame.len() < start + header_len {
        return Err(Reject::TruncatedFrame);
    }
    let protocol = header[9];
    let source = IpAddr::V4(Ipv4Addr::new(header[12], header[13], header[14], header[15]));
    let destination = IpAddr::V4(Ipv4Addr::new(header[16], header[17], header[18], header[19]));
    let flags_and_offset = u16::from_be_bytes([header[6], header[7]]);
    // 0x3fff: the more-fragments bit and the offset, without the don't-fragment bit.
    if flags_and_offset & 0x3fff != 0 {
        let key = FragmentKey {
            source,
            destination,
            identification: u32::from(u16::from_be_bytes([header[4], header[5]])),
            protocol,
            vlan: network.vlan,
        };
        let offset = u32::from(flags_and_offset & 0x1fff) * 8;
        let more = flags_and_offset & 0x2000 != 0;
        return Ok(fragment(frame, start + header_len, start + total_len, key, offset, more));
    }
    let mut segment =
        parse_transport(frame, start + header_len, start + total_len, protocol, source, destination)?;
    segment.identification = u16::from_be_bytes([header[4], header[5]]);
    Ok(Parsed::Segment(segment))
}

/// IPv6 header: RFC 8200, 3.
#[inline]
fn parse_ipv6(frame: &[u8], network: Network) -> Result<Parsed<'_>, Reject> {
    let start = network.start;
    let header: &[u8; 40] = frame[start..].first_chunk().ok_or(Reject::TruncatedFrame)?;
    let claimed_end = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        // A jumbogram (RFC 2675) or segmentation offload.
        0 => frame.len(),
        given => start + 40 + given,
    };
    let address = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(octets))
    };
    let (source, destination) = (address(8), address(24));
    match skip_extensions(frame, start + 40, claimed_end, header[6])? {
        Extensions::Upper { protocol, start } => {
            parse_transport(frame, start, claimed_end, protocol, source, destination).map(Parsed::Segment)
        }
        Extensions::Fragment { next, start, offset, more, identification } => {
            let key = FragmentKey { source, destination, identification, protocol: next, vlan: network.vlan };
            Ok(fragment(frame, start, claimed_end, key, offset, more))
        }
    }
}

/// Where a chain of IPv6 extension headers ends.
enum Extensions {
    Upper { protocol: u8, start: usize },
    Fragment { next: u8, start: usize, offset: u32, more: bool, identification: u32 },
}

/// Walks IPv6 extension headers (RFC 8200, 4; AH: RFC 4302, 2.2).
///
/// Every round moves at least 8 bytes forward, so the walk ends.
fn skip_extensions(
    bytes: &[u8],
    mut at: usize,
    claimed_end: usize,
    mut next: u8,
) -> Result<Extensions, Reject> {
    loop {
        let len = match next {
            // Hop-by-hop, routing, destination options, mobility, HIP, Shim6.
            0 | 43 | 60 | 135 | 139 | 140 => (usize::from(byte(bytes, at + 1)?) + 1) * 8,
            51 => (usize::from(byte(bytes, at + 1)?) + 2) * 4,
            44 => {
                let offset_and_more = be16(bytes, at + 2)?;
                // Offset 0 and nothing behind it: an atomic fragment is a whole packet (RFC 6946).
                if offset_and_more & 0xfff9 != 0 {
                    let identification =
                        u32::from(be16(bytes, at + 4)?) << 16 | u32::from(be16(bytes, at + 6)?);
                    return Ok(Extensions::Fragment {
                        next: byte(bytes, at)?,
                        start: at + 8,
                        offset: u32::from(offset_and_more & 0xfff8),
                        more: offset_and_more & 1 != 0,
                        identification,
                    });
                }
                8
            }
            protocol => return Ok(Extensions::Upper { protocol, start: at }),
        };
        next = byte(bytes, at)?;
        at += len;
        if at > claimed_end {
            return Err(Reject::BadIpHeader);
        }
    }
}

fn fragment(
    frame: &[u8],
    start: usize,
    claimed_end: usize,
    key: FragmentKey,
    offset: u32,
    more: bool,
) -> Parsed<'_> {
    let end = claimed_end.min(frame.len());
    let bytes = frame.get(start..end).unwrap_or(&[]);
    let wire_len = claimed_end.saturating_sub(start) as u32;
    Parsed::Fragment(Fragment { key, offset, more, bytes, wire_len })
}

/// Reads the UDP or TCP header at `start`; `claimed_end` is where the IP packet says it ends,
/// which may lie behind the captured bytes.
#[inline]
fn parse_transport(
    frame: &[u8],
    start: usize,
    claimed_end: usize,
    protocol: u8,
    source: IpAddr,
    destination: IpAddr,
) -> Result<Segment<'_>, Reject> {
    match protocol {
        PROTOCOL_UDP => parse_udp(frame, start, claimed_end, source, destination),
        PROTOCOL_TCP => parse_tcp(frame, start, claimed_end, source, destination),
        1 | 58 => Err(Reject::Icmp),
        2 => Err(Reject::Igmp),
        _ => Err(Reject::NotUdp),
    }
}

/// UDP header: RFC 768.
#[inline]
fn parse_udp(
    frame: &[u8],
    start: usize,
    claimed_end: usize,
    source: IpAddr,
    destination: IpAddr,
) -> Result<Segment<'_>, Reject> {
    if claimed_end < start + 8 {
        return Err(Reject::BadUdpHeader);
    }
    let header: &[u8; 8] = frame.get(start..).and_then(<[u8]>::first_chunk).ok_or(Reject::TruncatedFrame)?;
    let end = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        // RFC 2675, 4: a UDP jumbogram says 0 and is as long as its packet.
        0 if claimed_end - start > 65_535 => claimed_end,
        given if given < 8 => return Err(Reject::BadUdpHeader),
        given => start + given,
    };
    let payload_start = start + 8;
    let kept = end.min(claimed_end).min(frame.len());
    let shortfall = match () {
        () if kept == end => Shortfall::None,
        () if claimed_end < end => Shortfall::IpLength,
        () => Shortfall::Captured,
    };
    Ok(Segment {
        carrier: Carrier::Udp,
        source: SocketAddr::new(source, u16::from_be_bytes([header[0], header[1]])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([header[2], header[3]])),
        payload: &frame[payload_start..kept],
        payload_start,
        wire_len: (end - payload_start) as u32,
        checksum: u16::from_be_bytes([header[6], header[7]]),
        identification: 0,
        shortfall,
        trailing: (frame.len() - kept) as u32,
    })
}

/// TCP header: RFC 9293, 3.1.
fn parse_tcp(
    frame: &[u8],
    start: usize,
    claimed_end: usize,
    source: IpAddr,
    destination: IpAddr,
) -> Result<Segment<'_>, Reject> {
    if claimed_end < start + 20 {
        return Err(Reject::BadTcpHeader);
    }
    let header: &[u8; 20] = frame.get(start..).and_then(<[u8]>::first_chunk).ok_or(Reject::TruncatedFrame)?;
    let header_len = usize::from(header[12] >> 4) * 4;
    let payload_start = start + header_len;
    if header_len < 20 || payload_start > claimed_end {
        return Err(Reject::BadTcpHeader);
    }
    let kept = claimed_end.min(frame.len());
    let payload = frame.get(payload_start..kept).ok_or(Reject::TruncatedFrame)?;
    Ok(Segment {
        carrier: Carrier::Tcp,
        source: SocketAddr::new(source, u16::from_be_bytes([header[0], header[1]])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([header[2], header[3]])),
        payload,
        payload_start,
        wire_len: (claimed_end - payload_start) as u32,
        checksum: 0,
        identification: 0,
        shortfall: if kept < claimed_end { Shortfall::Captured } else { Shortfall::None },
        trailing: (frame.len() - kept) as u32,
    })
}

#[inline]
fn byte(bytes: &[u8], at: usize) -> Result<u8, Reject> {
    bytes.get(at).copied().ok_or(Reject::TruncatedFrame)
}

#[inline]
fn be16(bytes: &[u8], at: usize) -> Result<u16, Reject> {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Reject::TruncatedFrame),
    }
}
