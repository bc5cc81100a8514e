//! What became of every record of a capture, by name.
//!
//! Counting costs one array index per event. Names and meanings stand in one
//! table below; whoever prints counts takes them from there.

use super::Compression;
use super::record::Format;

/// Whether a reason is damage, a packet that is none of our business, or a remark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Data was lost or could not be trusted.
    Error,
    /// A sound packet or block that holds no datagram for us.
    Skipped,
    /// The datagram was delivered; something about it is worth knowing.
    Remark,
}

macro_rules! reasons {
    ($($variant:ident $name:literal $kind:ident $meaning:literal;)*) => {
        /// A named reason why a record gave no datagram, or a remark about one that did.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Reason { $(#[doc = $meaning] $variant,)* }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &[Reason] = &[$(Reason::$variant,)*];

            /// The name in reports, in snake case.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name,)* }
            }

            /// Which kind of reason it is.
            pub const fn kind(self) -> Kind {
                match self { $(Reason::$variant => Kind::$kind,)* }
            }

            /// One sentence for people.
            pub const fn meaning(self) -> &'static str {
                match self { $(Reason::$variant => $meaning,)* }
            }
        }
    };
}

reasons! {
    TruncatedTail "truncated_tail" Error "The capture ends inside a record; the record is lost.";
    BadRecordLength "bad_record_length" Error "A record claims more bytes than any packet has; the capture ends there.";
    BadBlock "bad_block" Error "A pcapng block contradicts itself; the capture ends there.";
    CorruptCompression "corrupt_compression" Error "The compressed stream is damaged or cut; the capture ends there.";
    DataAfterEnd "data_after_end" Error "Bytes follow the end-of-session mark; they are not read.";
    UnknownInterface "unknown_interface" Error "A packet names an interface that was never described.";
    BadOption "bad_option" Error "A pcapng option is cut, not of its length, or a name that is no text or one too many; it was not used.";
    BadStatistics "bad_statistics" Error "pcapng statistics of no interface, drops that became fewer, or an end far from any packet; not used.";
    BadTimestamp "bad_timestamp" Error "A time lies outside 1970 to 2554; it was set to the nearest end.";
    TimeTooLate "time_too_late" Error "A time lies beyond the year 2262; the datagram takes effect at its end.";
    TimeBackwards "time_backwards" Error "The datagram is older than the one delivered before it from this capture.";
    TruncatedFrame "truncated_frame" Error "The captured bytes end inside a header.";
    BadIpHeader "bad_ip_header" Error "An IP header contradicts itself.";
    BadUdpHeader "bad_udp_header" Error "A UDP length is smaller than its header or the packet ends inside it.";
    BadTcpHeader "bad_tcp_header" Error "A TCP data offset points outside the packet.";
    FragmentTruncated "fragment_truncated" Error "A fragment was cut by the snap length and cannot be used.";
    FragmentBad "fragment_bad" Error "A fragment lies beyond 65,535 bytes, has an odd length or contradicts its packet's end.";
    FragmentOverlap "fragment_overlap" Error "Fragments of one packet overlap with different bytes; the packet is dropped.";
    FragmentExpired "fragment_expired" Error "A packet whose fragments did not all come in time; counted once per packet.";
    FragmentEvicted "fragment_evicted" Error "A packet pushed out because too many were waiting; counted once per packet.";
    HardwareTimestampMissing "hardware_timestamp_missing" Error "No hardware time could be read; the capture's own time was used.";
    CutBySnaplen "cut_by_snaplen" Error "The capture kept fewer bytes than the datagram had; it was delivered cut.";
    UdpLengthBeyondIp "udp_length_beyond_ip" Error "The UDP length points beyond its IP packet; the datagram was delivered cut.";
    NoTimestamp "no_timestamp" Error "The record carries no time; the latest time before it was used.";
    Arp "arp" Skipped "Address resolution.";
    NotIp "not_ip" Skipped "Another network protocol than IP.";
    Icmp "icmp" Skipped "ICMP or ICMPv6.";
    Igmp "igmp" Skipped "IGMP.";
    Tcp "tcp" Skipped "A TCP segment, when TCP was not asked for.";
    TcpEmpty "tcp_empty" Skipped "A TCP segment without payload.";
    NotUdp "not_udp" Skipped "IP, but neither UDP, TCP, ICMP nor IGMP.";
    UnknownLinkType "unknown_link_type" Skipped "A link type that we cannot read.";
    FragmentPending "fragment_pending" Skipped "A fragment kept until its packet is whole.";
    FragmentDuplicate "fragment_duplicate" Skipped "A fragment whose bytes were all there already.";
    HardwareKeyframe "hardware_keyframe" Skipped "A keyframe of the timestamping hardware, used for its clock.";
    OutsideTimeRange "outside_time_range" Skipped "Outside the asked time range.";
    OtherBlock "other_block" Skipped "A pcapng block that holds no packet: names, statistics, secrets, custom.";
    PaddingStripped "padding_stripped" Remark "Bytes after the datagram (padding, frame check sequence, trailer) were left out.";
    Reassembled "reassembled" Remark "The datagram was put together from fragments.";
    EndOfSession "end_of_session" Remark "The end-of-session mark of a BinaryFILE.";
    TimeClamped "time_clamped" Remark "A message's time lay before its predecessor's and was raised to it.";
}

/// How often something happened, and where first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The first frame it happened to, from 1; 0 when it happened before any frame.
    pub first_frame: u64,
    /// Byte offset of that frame's record in the decompressed capture.
    pub first_offset: u64,
}

/// What became of one capture's records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaptureCounts {
    /// The capture as it was named, `-` for standard input.
    pub name: String,
    /// Container format.
    pub format: Format,
    /// Compression around it.
    pub compression: Compression,
    /// Records that hold a packet.
    pub packets: u64,
    /// Captured bytes of these packets.
    pub bytes: u64,
    /// Datagrams delivered.
    pub datagrams: u64,
    tallies: [Tally; Reason::ALL.len()],
}

impl CaptureCounts {
    pub(super) fn new(name: String, format: Format, compression: Compression) -> Self {
        Self {
            name,
            format,
            compression,
            packets: 0,
            bytes: 0,
            datagrams: 0,
            tallies: [Tally::default(); Reason::ALL.len()],
        }
    }

    /// Counts `reason` for the record at `offset`; the frame is the latest one counted.
    #[inline]
    pub(super) fn add(&mut self, reason: Reason, offset: u64) {
        let frame = self.packets;
        self.add_at(reason, frame, offset);
    }

    /// Counts `reason` for an earlier frame.
    #[inline]
    pub(super) fn add_at(&mut self, reason: Reason, frame: u64, offset: u64) {
        let tally = &mut self.tallies[reason as usize];
        if tally.count == 0 {
            tally.first_frame = frame;
            tally.first_offset = offset;
        }
        tally.count += 1;
    }

    /// How often `reason` was counted and where first.
    pub fn tally(&self, reason: Reason) -> Tally {
        self.tallies[reason as usize]
    }

    /// Everything that was counted at least once, in the order of [`Reason::ALL`].
    pub fn counted(&self) -> impl Iterator<Item = (Reason, Tally)> + '_ {
        Reason::ALL.iter().map(|&reason| (reason, self.tally(reason))).filter(|(_, tally)| tally.count > 0)
    }

    /// Counted damage.
    pub fn errors(&self) -> impl Iterator<Item = (Reason, Tally)> + '_ {
        self.counted().filter(|(reason, _)| reason.kind() == Kind::Error)
    }

    /// Counted packets and blocks that were none of our business.
    pub fn skipped(&self) -> impl Iterator<Item = (Reason, Tally)> + '_ {
        self.counted().filter(|(reason, _)| reason.kind() == Kind::Skipped)
    }
}
