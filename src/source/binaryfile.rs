//! Nasdaq BinaryFILE: messages behind a two-byte big-endian length, nothing around them.
//!
//! "BinaryFILE" as Nasdaq publishes its ITCH days in. A length of zero ends the
//! session. The messages carry nanoseconds since midnight in bytes 5 to 10 (Nasdaq
//! TotalView-ITCH 5.0, section 4: 48-bit timestamp behind type, locate and
//! tracking number); the day is not in the file and comes from the options.

use std::io;

use super::counts::{CaptureCounts, Reason};
use super::pcap::truncated;
use super::record::{Content, Record};
use super::window::Window;

/// Bytes of a message up to the end of its timestamp.
const STAMPED_LEN: usize = 11;
/// Messages looked at before a stream is believed to be a BinaryFILE.
const MESSAGES_LOOKED_AT: usize = 16;
/// The longest message of the ITCH family (NOII and its like) is 50 bytes; room is left for others.
const PLAUSIBLE_LEN_MAX: usize = 512;
const DAY_NS: u64 = 86_400_000_000_000;

/// Reads one BinaryFILE.
#[derive(Debug)]
pub(super) struct BinaryFileReader {
    midnight_ns: u64,
    latest_ns: u64,
    ended: bool,
}

impl BinaryFileReader {
    /// A reader whose times count from `midnight_ns`.
    pub fn new(midnight_ns: u64) -> Self {
        Self { midnight_ns, latest_ns: midnight_ns, ended: false }
    }

    /// Tells a BinaryFILE, which has no magic number, by its first messages: lengths that lead
    /// from one to the next, letters for types, times within a day.
    pub fn recognise(mut bytes: &[u8]) -> bool {
        for seen in 0..MESSAGES_LOOKED_AT {
            let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return seen > 0 };
            let length = usize::from(u16::from_be_bytes(*length));
            if length == 0 {
                return seen > 0;
            }
            if !(STAMPED_LEN..=PLAUSIBLE_LEN_MAX).contains(&length) {
                return false;
            }
            // The prefix of a message is judged as far as it goes.
            let Some(message) = rest.get(..STAMPED_LEN) else { return seen > 0 };
            if !message[0].is_ascii_alphabetic() || since_midnight_ns(message) >= DAY_NS {
                return false;
            }
            let Some(rest) = rest.get(length..) else { return true };
            bytes = rest;
        }
        true
    }

    /// The next message; `None` at the end of the session or file.
    pub fn next(&mut self, window: &mut Window, counts: &mut CaptureCounts) -> io::Result<Option<Record>> {
        if self.ended {
            return Ok(None);
        }
        if !window.ensure(2)? {
            return Ok(truncated(window, counts));
        }
        let offset = window.offset();
        let length = usize::from(u16::from_be_bytes([window.bytes()[0], window.bytes()[1]]));
        if length == 0 {
            self.ended = true;
            counts.add(Reason::EndOfSession, offset);
            window.take(2);
            if window.ensure(1)? {
                counts.add(Reason::DataAfterEnd, window.offset());
            }
            return Ok(None);
        }
        if !window.ensure(2 + length)? {
            return Ok(truncated(window, counts));
        }
        let place = window.take(2 + length);
        let data = place.start + 2..place.end;
        let frame = counts.packets + 1;
        let message = &window.buffer()[data.clone()];
        if message.len() < STAMPED_LEN {
            counts.add_at(Reason::NoTimestamp, frame, offset);
        } else {
            let ts_ns = self.midnight_ns.saturating_add(since_midnight_ns(message));
            if ts_ns < self.latest_ns {
                counts.add_at(Reason::TimeClamped, frame, offset);
            }
            self.latest_ns = self.latest_ns.max(ts_ns);
        }
        let (ts_ns, wire_len) = (self.latest_ns, length as u32);
        Ok(Some(Record { ts_ns, content: Content::Message, interface: 0, data, wire_len, offset }))
    }
}

/// The 48-bit timestamp of a message of at least `STAMPED_LEN` bytes.
fn since_midnight_ns(message: &[u8]) -> u64 {
    message[5..STAMPED_LEN].iter().fold(0, |time, &byte| time << 8 | u64::from(byte))
}
