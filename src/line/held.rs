//! Packets that wait behind a hole, in recycled buffers.

use super::Arrival;
use feeds::feed::PacketHeader;
use std::collections::VecDeque;

/// Buffers kept for the next time.
const SPARE_MAX: usize = 256;

/// A copy of a packet.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) arrival: Arrival,
    pub(super) header: PacketHeader,
    pub(super) payload: Vec<u8>,
}

/// Positions `first..end` of a held packet; disjoint from all others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) first: u64,
    pub(super) end: u64,
    slot: u32,
}

#[derive(Debug)]
struct Kept {
    packet: Packet,
    /// Position of the packet's first number.
    position: u64,
    segments: u32,
}

/// The waiting packets, sorted by position.
#[derive(Debug, Default)]
pub(super) struct Held {
    segments: VecDeque<Segment>,
    kept: Vec<Option<Kept>>,
    free: Vec<u32>,
    spare: Vec<Vec<u8>>,
}

impl Held {
    /// Packets that wait.
    #[inline]
    pub(super) fn packets(&self) -> usize {
        self.kept.len() - self.free.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The segment that holds `position` or else the next behind it.
    #[inline]
    pub(super) fn at_or_behind(&self, position: u64) -> Option<Segment> {
        let at = self.segments.partition_point(|s| s.end <= position);
        self.segments.get(at).copied()
    }

    /// Arrival of the copy that holds `position`.
    pub(super) fn arrival_of(&self, position: u64) -> Option<Arrival> {
        let segment = self.at_or_behind(position).filter(|s| s.first <= position)?;
        self.kept[segment.slot as usize].as_ref().map(|k| k.packet.arrival)
    }

    /// Copies a packet in; segments are added to the answered slot.
    pub(super) fn keep(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        position: u64,
    ) -> u32 {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(payload);
        let packet = Packet { arrival: *arrival, header: *header, payload: buffer };
        let kept = Some(Kept { packet, position, segments: 0 });
        if let Some(slot) = self.free.pop() {
            self.kept[slot as usize] = kept;
            slot
        } else {
            self.kept.push(kept);
            self.kept.len() as u32 - 1
        }
    }

    /// Adds positions of a kept packet; nobody else holds them.
    pub(super) fn add(&mut self, slot: u32, first: u64, end: u64) {
        let at = self.segments.partition_point(|s| s.end <= first);
        debug_assert!(self.segments.get(at).is_none_or(|s| end <= s.first));
        self.segments.insert(at, Segment { first, end, slot });
        if let Some(kept) = &mut self.kept[slot as usize] {
            kept.segments += 1;
        }
    }

    /// Takes the segment out that begins at `position`: its numbers, the packet's position, the packet. The packet
    /// comes out whole with its last segment and as a copy before (a packet in pieces is rare); give it back with
    /// [`Held::recycle`].
    pub(super) fn take(&mut self, position: u64) -> Option<(Segment, u64, Packet)> {
        let segment = *self.segments.front().filter(|s| s.first == position)?;
        self.segments.pop_front();
        let entry = &mut self.kept[segment.slot as usize];
        let kept = entry.as_mut()?;
        kept.segments -= 1;
        let start = kept.position;
        if kept.segments > 0 {
            return Some((segment, start, kept.packet.clone()));
        }
        let packet = entry.take()?.packet;
        self.free.push(segment.slot);
        Some((segment, start, packet))
    }

    /// Gives a buffer back.
    pub(super) fn recycle(&mut self, packet: Packet) {
        if self.spare.len() < SPARE_MAX {
            self.spare.push(packet.payload);
        }
    }
}
