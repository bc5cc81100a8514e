//! Puts fragmented IP packets together, within bounds.
//!
//! Reassembly follows RFC 791, 3.2 and RFC 8200, 4.5, with one difference: overlapping
//! fragments are taken only when they agree byte for byte (RFC 5722 forbids them for
//! IPv6; a repeated fragment is common where a packet was captured twice). Waiting
//! packets are bounded in number, bytes and age in capture time; what is given up
//! is counted.

use std::ops::Range;

use feeds::frame::{Fragment, FragmentKey};

use super::counts::{CaptureCounts, Reason};

/// Packets waiting at a time.
const PACKETS_MAX: usize = 256;
/// Bytes waiting at a time.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Age in capture time after which a packet is given up: what Linux waits (net.ipv4.ipfrag_time).
const AGE_MAX_NS: u64 = 30_000_000_000;
/// The largest payload an IP packet can have.
const PACKET_LEN_MAX: usize = 65_535;
/// Buffers kept for reuse.
const SPARE_MAX: usize = 8;

/// A packet of which some fragments came.
#[derive(Debug)]
struct Waiting {
    key: FragmentKey,
    interface: u32,
    first_ts_ns: u64,
    first_frame: u64,
    first_offset: u64,
    bytes: Vec<u8>,
    /// Ranges of `bytes` that came, ascending, never touching.
    have: Vec<Range<usize>>,
    /// The packet's length, once its last fragment came.
    total: Option<usize>,
}

/// All packets that wait for fragments, oldest first.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    spare: Vec<Vec<u8>>,
    complete: Vec<u8>,
}

/// Where and when a fragment was seen.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub ts_ns: u64,
    pub interface: u32,
    pub offset: u64,
}

impl Reassembly {
    /// The packet that [`Reassembly::push`] completed last.
    pub fn complete(&self) -> &[u8] {
        &self.complete
    }

    /// Takes one fragment; `true` when it completes its packet. Everything else is counted.
    pub fn push(&mut self, fragment: &Fragment<'_>, seen: Seen, counts: &mut CaptureCounts) -> bool {
        self.expire(seen.ts_ns, counts);
        if (fragment.bytes.len() as u64) < u64::from(fragment.wire_len) {
            counts.add(Reason::FragmentTruncated, seen.offset);
            return false;
        }
        let range = fragment.offset as usize..fragment.offset as usize + fragment.bytes.len();
        if range.end > PACKET_LEN_MAX || range.is_empty() || (fragment.more && range.len() % 8 != 0) {
            counts.add(Reason::FragmentBad, seen.offset);
            return false;
        }
        let at = self.find_or_start(fragment, seen, range.end, counts);
        let before = self.waiting[at].bytes.len();
        let refused = self.waiting[at].add(fragment, range);
        self.waiting_bytes += self.waiting[at].bytes.len() - before;
        match refused {
            Some(reason @ (Reason::FragmentOverlap | Reason::FragmentBad)) => {
                counts.add(reason, seen.offset);
                let packet = self.remove(at);
                self.recycle(packet.bytes);
                false
            }
            Some(reason) => {
                counts.add(reason, seen.offset);
                false
            }
            None if self.waiting[at].is_whole() => {
                let packet = self.remove(at);
                let last = std::mem::replace(&mut self.complete, packet.bytes);
                self.recycle(last);
                true
            }
            None => {
                counts.add(Reason::FragmentPending, seen.offset);
                false
            }
        }
    }

    /// Counts what still waits at the end of the capture.
    pub fn finish(&mut self, counts: &mut CaptureCounts) {
        for packet in self.waiting.drain(..) {
            counts.add_at(Reason::FragmentExpired, packet.first_frame, packet.first_offset);
        }
        self.waiting_bytes = 0;
    }

    /// The place of the fragment's packet; makes room for a new one and for its growth to `end` bytes.
    fn find_or_start(
        &mut self,
        fragment: &Fragment<'_>,
        seen: Seen,
        end: usize,
        counts: &mut CaptureCounts,
    ) -> usize {
        let same = |packet: &Waiting| packet.key == fragment.key && packet.interface == seen.interface;
        let mut found = self.waiting.iter().position(same);
        let mut evict_until = |this: &mut Self, enough: &dyn Fn(&Self) -> bool, keep: Option<usize>| {
            let mut keep = keep;
            while !enough(this) && this.waiting.len() > usize::from(keep.is_some()) {
                let oldest = usize::from(keep == Some(0));
                let packet = this.remove(oldest);
                counts.add_at(Reason::FragmentEvicted, packet.first_frame, packet.first_offset);
                this.recycle(packet.bytes);
                keep = keep.map(|at| if oldest < at { at - 1 } else { at });
            }
            keep
        };
        if found.is_none() {
            evict_until(self, &|this| this.waiting.len() < PACKETS_MAX, None);
        }
        found = evict_until(self, &|this| this.waiting_bytes + end <= BYTES_MAX, found);
        found.unwrap_or_else(|| {
            let mut bytes = self.spare.pop().unwrap_or_default();
            bytes.clear();
            self.waiting.push(Waiting {
                key: fragment.key,
                interface: seen.interface,
                first_ts_ns: seen.ts_ns,
                first_frame: counts.packets,
                first_offset: seen.offset,
                bytes,
                have: Vec::new(),
                total: None,
            });
            self.waiting.len() - 1
        })
    }

    /// Gives up what waits longer than allowed. Only the time of fragments moves this clock.
    fn expire(&mut self, now_ns: u64, counts: &mut CaptureCounts) {
        let mut at = 0;
        while at < self.waiting.len() {
            if now_ns.saturating_sub(self.waiting[at].first_ts_ns) <= AGE_MAX_NS {
                at += 1;
                continue;
            }
            let packet = self.remove(at);
            counts.add_at(Reason::FragmentExpired, packet.first_frame, packet.first_offset);
            self.recycle(packet.bytes);
        }
    }

    fn remove(&mut self, at: usize) -> Waiting {
        let packet = self.waiting.remove(at);
        self.waiting_bytes -= packet.bytes.len();
        packet
    }

    fn recycle(&mut self, bytes: Vec<u8>) {
        if self.spare.len() < SPARE_MAX {
            self.spare.push(bytes);
        }
    }
}

impl Waiting {
    /// Takes the fragment's bytes, or says why not.
    fn add(&mut self, fragment: &Fragment<'_>, range: Range<usize>) -> Option<Reason> {
        let end_so_far = self.have.last().map_or(0, |last| last.end);
        let total = if fragment.more { self.total } else { Some(range.end) };
        // A second last fragment that ends elsewhere, or bytes behind the end.
        if self.total.is_some() && self.total != total {
            return Some(Reason::FragmentBad);
        }
        if total.is_some_and(|total| range.end > total || end_so_far > total) {
            return Some(Reason::FragmentBad);
        }
        for have in &self.have {
            let both = have.start.max(range.start)..have.end.min(range.end);
            if both.start < both.end
                && self.bytes[both.clone()]
                    != fragment.bytes[both.start - range.start..both.end - range.start]
            {
                return Some(Reason::FragmentOverlap);
            }
        }
        self.total = total;
        if self.have.iter().any(|have| have.start <= range.start && range.end <= have.end) {
            return Some(Reason::FragmentDuplicate);
        }
        if self.bytes.len() < range.end {
            self.bytes.resize(range.end, 0);
        }
        self.bytes[range.clone()].copy_from_slice(fragment.bytes);
        self.note(range);
        None
    }

    /// Joins `range` with the ranges it touches.
    fn note(&mut self, mut range: Range<usize>) {
        let from = self.have.partition_point(|have| have.end < range.start);
        let to = self.have.partition_point(|have| have.start <= range.end);
        if from < to {
            range.start = range.start.min(self.have[from].start);
            range.end = range.end.max(self.have[to - 1].end);
        }
        self.have.splice(from..to, [range]);
    }

    fn is_whole(&self) -> bool {
        matches!((self.total, self.have.as_slice()), (Some(total), [only]) if *only == (0..total))
    }
}
