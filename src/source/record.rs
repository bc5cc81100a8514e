//! What every container format gives: one packet with its time and place.

use feeds::frame::LinkType;
use std::ops::Range;

/// The container a capture was recognised as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// pcap with microseconds.
    PcapMicros,
    /// pcap with nanoseconds.
    PcapNanos,
    /// pcapng.
    Pcapng,
    /// Nasdaq BinaryFILE: length-prefixed messages without frames around them.
    BinaryFile,
}

impl Format {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Format::PcapMicros => "pcap",
            Format::PcapNanos => "pcap_ns",
            Format::Pcapng => "pcapng",
            Format::BinaryFile => "binaryfile",
        }
    }
}

/// What the bytes of a record are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    /// A frame of this link type.
    Frame(LinkType),
    /// A frame of a link type that we do not know.
    UnknownFrame,
    /// A bare message.
    Message,
}

/// One packet record. `data` indexes [`super::window::Window::buffer`] and holds until the window is next filled.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub ts_ns: u64,
    pub content: Content,
    pub interface: u32,
    pub data: Range<usize>,
    /// The packet's length before the snap length cut it.
    pub wire_len: u32,
    /// Byte offset of the record in the decompressed capture.
    pub offset: u64,
}

/// The largest packet we believe in: the largest snap length that libpcap writes
/// (MAXIMUM_SNAPLEN, 262,144 bytes). A larger length is a damaged file.
pub(super) const PACKET_LEN_MAX: u32 = 256 * 1024;
