//! Writes captures: pcap and pcapng with nanoseconds, UDP in IPv4 in Ethernet.
//!
//! For the simulator and for tests. Same formats as the readers beside it; frames
//! carry right checksums and the multicast group's Ethernet address, so that other
//! tools read them without complaint. Writes no fragments and no IPv6.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4};

use super::input::Compression;

const ETHERNET_LEN: usize = 14;
const IPV4_LEN: usize = 20;
const UDP_LEN: usize = 8;
/// The largest UDP payload over IPv4 in bytes.
pub const UDP_PAYLOAD_LEN_MAX: usize = 65_535 - IPV4_LEN - UDP_LEN;

/// The Ethernet address that an IPv4 address has in frames we make: RFC 1112, 6.4 for groups,
/// a locally administered one for hosts.
pub fn ethernet_address(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    if address.is_multicast() { [0x01, 0x00, 0x5e, b & 0x7f, c, d] } else { [0x02, 0x00, a, b, c, d] }
}

/// Appends an Ethernet frame with a UDP datagram to `frame`; frames shorter than 60 bytes are padded.
///
/// # Errors
/// `InvalidInput` when the payload is longer than [`UDP_PAYLOAD_LEN_MAX`].
pub fn udp_frame(
    frame: &mut Vec<u8>,
    source: SocketAddrV4,
    destination: SocketAddrV4,
    payload: &[u8],
) -> io::Result<()> {
    if payload.len() > UDP_PAYLOAD_LEN_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a UDP payload holds at most 65507 bytes"));
    }
    let start = frame.len();
    frame.extend_from_slice(&ethernet_address(*destination.ip()));
    frame.extend_from_slice(&ethernet_address(*source.ip()));
    frame.extend_from_slice(&[0x08, 0x00]);
    let udp_len = (UDP_LEN + payload.len()) as u16;
    let total_len = IPV4_LEN as u16 + udp_len;
    let ip_start = frame.len();
    // Version 4, 5 words; don't fragment; 64 hops; UDP.
    frame.extend_from_slice(&[0x45, 0]);
    frame.extend_from_slice(&total_len.to_be_bytes());
    frame.extend_from_slice(&[0, 0, 0x40, 0, 64, 17, 0, 0]);
    frame.extend_from_slice(&source.ip().octets());
    frame.extend_from_slice(&destination.ip().octets());
    let checksum = !sum_of(&frame[ip_start..], 0);
    frame[ip_start + 10..ip_start + 12].copy_from_slice(&checksum.to_be_bytes());
    let udp_start = frame.len();
    frame.extend_from_slice(&source.port().to_be_bytes());
    frame.extend_from_slice(&destination.port().to_be_bytes());
    frame.extend_from_slice(&udp_len.to_be_bytes());
    frame.extend_from_slice(&[0, 0]);
    frame.extend_from_slice(payload);
    // Pseudo header: addresses, protocol, length (RFC 768).
    let pseudo = u32::from(sum_of(&frame[ip_start + 12..ip_start + 20], 0)) + 17 + u32::from(udp_len);
    // An all-zero sum is sent as all ones: zero means "none".
    let checksum = match !sum_of(&frame[udp_start..], pseudo) {
        0 => 0xffff,
        sum => sum,
    };
    frame[udp_start + 6..udp_start + 8].copy_from_slice(&checksum.to_be_bytes());
    if frame.len() - start < 60 {
        frame.resize(start + 60, 0);
    }
    Ok(())
}

/// Writes the sender's number of the packet (IPv4's identification) into a frame of [`udp_frame`].
pub fn identify(frame: &mut [u8], identification: u16) {
    if let Some(header) = frame.get_mut(ETHERNET_LEN..ETHERNET_LEN + IPV4_LEN) {
        header[4..6].copy_from_slice(&identification.to_be_bytes());
        header[10..12].fill(0);
        let checksum = !sum_of(header, 0);
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// Makes the UDP checksum of a frame of [`udp_frame`] wrong, as that of a datagram that was damaged on its way.
pub fn spoil(frame: &mut [u8]) {
    let at = ETHERNET_LEN + IPV4_LEN + 6;
    if let Some(checksum) = frame.get_mut(at..at + 2) {
        let right = u16::from_be_bytes([checksum[0], checksum[1]]);
        checksum.copy_from_slice(&spoilt(right).to_be_bytes());
    }
}

/// Another checksum than the right one, and not the 0 that says that there is none.
pub(super) fn spoilt(right: u16) -> u16 {
    match right ^ 0x5555 {
        0 => 1,
        wrong => wrong,
    }
}

/// The Internet checksum's one's-complement sum (RFC 1071), folded to 16 bits.
pub(super) fn sum_of(bytes: &[u8], start: u32) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).copied().map_or(0, u32::from));
    // At most 32,768 words of 16 bits and a small start: no overflow.
    let mut sum = words.fold(start, |sum, word| sum + word);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Which container is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Container {
    Pcap,
    Pcapng { interfaces: u32 },
}

/// Writes one capture with little-endian headers and nanosecond times.
#[derive(Debug)]
pub struct CaptureWriter<W: Write> {
    output: W,
    container: Container,
    /// The record under construction, reused.
    record: Vec<u8>,
}

impl<W: Write> CaptureWriter<W> {
    /// Starts a pcap with nanoseconds, Ethernet.
    ///
    /// # Errors
    /// What the output says.
    pub fn pcap(mut output: W) -> io::Result<Self> {
        let mut header = Vec::with_capacity(24);
        // Magic, version 2.4, two unused words, snap length, link type.
        for word in [0xa1b2_3c4d_u32, 0x0004_0002, 0, 0, 262_144, 1] {
            header.extend_from_slice(&word.to_le_bytes());
        }
        output.write_all(&header)?;
        Ok(Self { output, container: Container::Pcap, record: Vec::new() })
    }

    /// Starts a pcapng with one Ethernet interface per name, nanoseconds.
    ///
    /// # Errors
    /// What the output says; `InvalidInput` for a name longer than 65,535 bytes.
    pub fn pcapng(mut output: W, interfaces: &[&str]) -> io::Result<Self> {
        let mut blocks = Vec::new();
        let mut body = Vec::new();
        for word in [0x1a2b_3c4d_u32, 1, u32::MAX, u32::MAX] {
            body.extend_from_slice(&word.to_le_bytes());
        }
        block(&mut blocks, 0x0a0d_0d0a, &body);
        for name in interfaces {
            body.clear();
            body.extend_from_slice(&[1, 0, 0, 0, 0, 0, 4, 0]);
            // if_name (2), if_tsresol (9) of 10^-9, end of options.
            let len = u16::try_from(name.len())
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "an interface name is too long"))?;
            body.extend_from_slice(&[2, 0]);
            body.extend_from_slice(&len.to_le_bytes());
            body.extend_from_slice(name.as_bytes());
            body.resize(body.len().next_multiple_of(4), 0);
            body.extend_from_slice(&[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
            block(&mut blocks, 1, &body);
        }
        output.write_all(&blocks)?;
        let container = Container::Pcapng { interfaces: interfaces.len() as u32 };
        Ok(Self { output, container, record: Vec::new() })
    }

    /// Writes one frame as it is.
    ///
    /// # Errors
    /// What the output says; `InvalidInput` for a frame longer than 262,144 bytes, an interface that
    /// was not named, or a time that pcap cannot hold (after 2106).
    pub fn write_frame(&mut self, ts_ns: u64, interface: u32, frame: &[u8]) -> io::Result<()> {
        let refuse = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        if frame.len() > 262_144 {
            return refuse("a frame holds at most 262144 bytes");
        }
        let len = frame.len() as u32;
        self.record.clear();
        match self.container {
            Container::Pcap => {
                let Ok(seconds) = u32::try_from(ts_ns / 1_000_000_000) else {
                    return refuse("a pcap holds times up to 2106");
                };
                for word in [seconds, (ts_ns % 1_000_000_000) as u32, len, len] {
                    self.record.extend_from_slice(&word.to_le_bytes());
                }
                self.record.extend_from_slice(frame);
            }
            Container::Pcapng { interfaces } if interface < interfaces => {
                let mut body = Vec::with_capacity(20 + frame.len() + 3);
                for word in [interface, (ts_ns >> 32) as u32, ts_ns as u32, len, len] {
                    body.extend_from_slice(&word.to_le_bytes());
                }
                body.extend_from_slice(frame);
                body.resize(body.len().next_multiple_of(4), 0);
                block(&mut self.record, 6, &body);
            }
            Container::Pcapng { .. } => return refuse("the interface was not named"),
        }
        self.output.write_all(&self.record)
    }

    /// Writes one UDP datagram in an Ethernet frame.
    ///
    /// # Errors
    /// As [`CaptureWriter::write_frame`] and [`udp_frame`].
    pub fn write_udp(
        &mut self,
        ts_ns: u64,
        interface: u32,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        payload: &[u8],
    ) -> io::Result<()> {
        let mut frame = Vec::with_capacity(ETHERNET_LEN + IPV4_LEN + UDP_LEN + payload.len());
        udp_frame(&mut frame, source, destination, payload)?;
        self.write_frame(ts_ns, interface, &frame)
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }
}

/// Appends a pcapng block around `body`, whose length is a multiple of 4.
pub(super) fn block(blocks: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let len = (body.len() + 12) as u32;
    blocks.extend_from_slice(&kind.to_le_bytes());
    blocks.extend_from_slice(&len.to_le_bytes());
    blocks.extend_from_slice(body);
    blocks.extend_from_slice(&len.to_le_bytes());
}

/// An output with a compression around it.
pub enum Compressor<W: Write> {
    /// As it is.
    Plain(W),
    /// gzip.
    Gzip(flate2::write::GzEncoder<W>),
    /// Zstandard.
    Zstd(zstd::stream::write::Encoder<'static, W>),
    /// LZ4 frames.
    Lz4(Box<lz4_flex::frame::FrameEncoder<W>>),
    /// xz.
    Xz(liblzma::write::XzEncoder<W>),
}

impl<W: Write> Compressor<W> {
    /// Starts compressing into `output` at the format's usual level.
    ///
    /// # Errors
    /// When zstd cannot set up its context.
    pub fn new(output: W, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(output),
            Compression::Gzip => {
                Self::Gzip(flate2::write::GzEncoder::new(output, flate2::Compression::default()))
            }
            // These two have a checksum only where it is asked for: without it damage is read as if it were data.
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(output, 0)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
            Compression::Lz4 => {
                let summed = lz4_flex::frame::FrameInfo::new().content_checksum(true);
                Self::Lz4(Box::new(lz4_flex::frame::FrameEncoder::with_frame_info(summed, output)))
            }
            Compression::Xz => Self::Xz(liblzma::write::XzEncoder::new(output, 6)),
        })
    }

    /// Writes what the format ends with and gives the output back.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(output) => Ok(output),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::from),
            Self::Xz(encoder) => encoder.finish(),
        }
    }

    fn output(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(output) => output,
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
            Self::Lz4(encoder) => encoder.as_mut(),
            Self::Xz(encoder) => encoder,
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output().flush()
    }
}
