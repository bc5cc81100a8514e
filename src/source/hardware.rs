//! Times that timestamping switches write into the frames themselves.
//!
//! Layouts: Exablaze (now Cisco Nexus 3550-F) Fusion HPT trailer, Fusion counters with
//! keyframes, and the Metamako (now Arista 7130) MetaWatch trailer, as the vendors'
//! own decoders read them. The Fusion's `-compat` modes (31-bit counters of another
//! vendor's switch) are not read. A frame cannot tell which of them it
//! carries, so the user says it; nothing is guessed here.

/// Where a frame's own receive time stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum HardwareTimestamps {
    /// Nowhere: the capture's times count.
    #[default]
    None,
    /// Fusion HPT: a 16-byte trailer and the frame check sequence behind it, 20 bytes in all.
    ExablazeHpt,
    /// Fusion HPT where the capturing card took the frame check sequence away: 16 bytes.
    ExablazeHptNoFcs,
    /// A 32-bit counter in place of the frame check sequence, brought to UTC by keyframes in the same
    /// capture (Fusion mode `fcs`).
    ExanicFcs,
    /// The same counter in front of the frame check sequence (Fusion mode `append`).
    ExanicAppend,
    /// Arista 7130 MetaWatch: a trailer that ends in 12 bytes of time and origin, and the frame check
    /// sequence behind it.
    MetaWatch,
    /// MetaWatch where the capturing card took the frame check sequence away.
    MetaWatchNoFcs,
}

/// What a frame said about its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stamp {
    /// Nanoseconds since 1970, UTC, and how many bytes at the frame's end belong to the hardware.
    Time { ts_ns: u64, trailer_len: usize },
    /// The frame only carries the hardware's clock.
    Keyframe,
    /// No time could be read.
    Missing,
}

/// One reading of the hardware's counter against UTC.
#[derive(Clone, Copy, Debug)]
struct Reading {
    utc_ns: u64,
    ticks: u64,
}

/// Reads hardware times; remembers the latest keyframes.
#[derive(Debug)]
pub(super) struct HardwareClock {
    kind: HardwareTimestamps,
    latest: Option<Reading>,
    /// Nanoseconds and ticks that went by between two keyframes, for the counter's true rate.
    rate: (i128, i128),
}

/// IP protocol 253 ("use for experimentation", RFC 3692) carries the keyframes.
const KEYFRAME_PROTOCOL: u8 = 253;
/// Keyframes come once a second; a rate is not taken over longer pauses.
const KEYFRAME_GAP_MAX_NS: u64 = 10_000_000_000;

impl HardwareClock {
    pub fn new(kind: HardwareTimestamps) -> Self {
        Self { kind, latest: None, rate: (0, 0) }
    }

    /// Whether frames are to be asked at all.
    pub fn is_on(&self) -> bool {
        self.kind != HardwareTimestamps::None
    }

    /// Reads the time of a whole Ethernet frame (not cut by the capture).
    pub fn stamp(&mut self, frame: &[u8]) -> Stamp {
        match self.kind {
            HardwareTimestamps::None => Stamp::Missing,
            HardwareTimestamps::ExablazeHpt => hpt(frame, 4),
            HardwareTimestamps::ExablazeHptNoFcs => hpt(frame, 0),
            HardwareTimestamps::MetaWatch => metawatch(frame, 4),
            HardwareTimestamps::MetaWatchNoFcs => metawatch(frame, 0),
            HardwareTimestamps::ExanicFcs | HardwareTimestamps::ExanicAppend => match keyframe(frame) {
                Some((reading, ticks_per_s)) => {
                    self.learn(reading, ticks_per_s);
                    Stamp::Keyframe
                }
                None if self.kind == HardwareTimestamps::ExanicFcs => self.counter(frame, 0),
                None => self.counter(frame, 4),
            },
        }
    }

    fn learn(&mut self, reading: Reading, ticks_per_s: u64) {
        self.rate = (1_000_000_000, i128::from(ticks_per_s));
        if let Some(before) = self.latest {
            let ns = reading.utc_ns.wrapping_sub(before.utc_ns);
            let ticks = reading.ticks.wrapping_sub(before.ticks);
            // The nominal frequency is off by some hundred parts per million: two readings are better.
            if (1..=KEYFRAME_GAP_MAX_NS).contains(&ns) && (1..1 << 40).contains(&ticks) {
                self.rate = (i128::from(ns), i128::from(ticks));
            }
        }
        self.latest = Some(reading);
    }

    /// The counter's lower 32 bits stand at the frame's end, before `fcs_len` further bytes.
    fn counter(&self, frame: &[u8], fcs_len: usize) -> Stamp {
        let (Some(latest), Some(counter), (ns, ticks @ 1..)) =
            (self.latest, tail::<4>(frame, fcs_len), self.rate)
        else {
            return Stamp::Missing;
        };
        // The nearest reading of the wrapped counter: within 6 s of the keyframe either way.
        let since = u32::from_be_bytes(*counter).wrapping_sub(latest.ticks as u32) as i32;
        let ts_ns = i128::from(latest.utc_ns) + i128::from(since) * ns / ticks;
        let trailer_len = 4 + fcs_len;
        u64::try_from(ts_ns).map_or(Stamp::Missing, |ts_ns| Stamp::Time { ts_ns, trailer_len })
    }
}

/// The last `N` bytes before the last `fcs_len`.
fn tail<const N: usize>(frame: &[u8], fcs_len: usize) -> Option<&[u8; N]> {
    frame.get(..frame.len().checked_sub(fcs_len)?)?.last_chunk()
}

/// Trailer: original frame check sequence (4), device (1), port (1), seconds since 1970 (4),
/// fraction of a second in 2^-40 s (5), flags (1); big-endian.
fn hpt(frame: &[u8], fcs_len: usize) -> Stamp {
    let Some(trailer) = tail::<16>(frame, fcs_len) else {
        return Stamp::Missing;
    };
    let seconds = u64::from(u32::from_be_bytes([trailer[6], trailer[7], trailer[8], trailer[9]]));
    let fraction = trailer[10..15].iter().fold(0_u128, |value, &byte| value << 8 | u128::from(byte));
    // Below 10^9 by construction.
    let ns = ((fraction * 1_000_000_000) >> 40) as u64;
    Stamp::Time { ts_ns: seconds * 1_000_000_000 + ns, trailer_len: 16 + fcs_len }
}

/// Trailer: seconds since 1970 (4), nanoseconds (4), flags (1), device (2), port (1); big-endian.
/// A copy of the original frame check sequence or extensions may stand before it: padding to us.
fn metawatch(frame: &[u8], fcs_len: usize) -> Stamp {
    let Some(trailer) = tail::<12>(frame, fcs_len) else {
        return Stamp::Missing;
    };
    let seconds = u64::from(u32::from_be_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]));
    let ns = u64::from(u32::from_be_bytes([trailer[4], trailer[5], trailer[6], trailer[7]]));
    if ns >= 1_000_000_000 {
        return Stamp::Missing;
    }
    Stamp::Time { ts_ns: seconds * 1_000_000_000 + ns, trailer_len: 12 + fcs_len }
}

/// Keyframe: in an Ethernet frame of type 0x88b5, or in IPv4 from no address to the broadcast one:
/// mark (4), version (1), reserved (3), UTC in nanoseconds (8), the counter at that time (8), its
/// nominal frequency in hertz (8); big-endian. The mark is "EXKF" with version 1, or 1 with version 0.
fn keyframe(frame: &[u8]) -> Option<(Reading, u64)> {
    let start = match frame.get(12..14)? {
        [0x88, 0xb5] => 14,
        [0x08, 0x00] => {
            let is_keyframe = *frame.get(14)? == 0x45
                && *frame.get(23)? == KEYFRAME_PROTOCOL
                && frame.get(26..34)? == [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
            is_keyframe.then_some(34)?
        }
        _ => return None,
    };
    let payload = frame.get(start..start + 32)?;
    if !matches!(payload[..5], [b'E', b'X', b'K', b'F', 1] | [1, 0, 0, 0, 0]) {
        return None;
    }
    let word =
        |at: usize| payload[at..at + 8].iter().fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
    Some((Reading { utc_ns: word(8), ticks: word(16) }, word(24)))
}
