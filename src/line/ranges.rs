//! A bounded list of disjoint, sorted ranges of positions: holes that wait, losses that are remembered.

use std::collections::VecDeque;

/// Positions `first..end`, and when and where they were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u64,
    pub(super) end: u64,
    /// Arrival that showed it.
    pub(super) began_ns: u64,
    /// The line's packet count at that time.
    pub(super) began_packets: u64,
}

impl Range {
    pub(super) const fn count(&self) -> u64 {
        self.end - self.first
    }
}

/// The list. Ranges come in at the end, in order.
#[derive(Debug, Clone)]
pub(super) struct Ranges {
    list: VecDeque<Range>,
    max: usize,
}

impl Ranges {
    /// An empty list of at most `max` ranges.
    pub(super) fn new(max: usize) -> Self {
        Ranges { list: VecDeque::with_capacity(max.min(64)), max }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Range> {
        self.list.front()
    }

    pub(super) fn pop_first(&mut self) -> Option<Range> {
        self.list.pop_front()
    }

    /// Whether one more finds room.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= self.max
    }

    /// Appends; when the list is full the oldest goes and is answered.
    pub(super) fn push(&mut self, range: Range) -> Option<Range> {
        debug_assert!(range.first < range.end);
        debug_assert!(self.list.back().is_none_or(|b| b.end <= range.first));
        let oldest = if self.is_full() { self.list.pop_front() } else { None };
        self.list.push_back(range);
        oldest
    }

    /// Puts a range in its place; no other may overlap it. When the list is full the oldest goes.
    pub(super) fn push_sorted(&mut self, range: Range) {
        if self.is_full() {
            self.list.pop_front();
        }
        let at = self.seek(range.first);
        self.list.insert(at, range);
    }

    /// How many ranges there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn last(&self) -> Option<&Range> {
        self.list.back()
    }

    /// Lengthens the last range up to `end`.
    pub(super) fn extend_last(&mut self, end: u64) {
        if let Some(last) = self.list.back_mut() {
            last.end = last.end.max(end);
        }
    }

    /// Index of the first range that ends behind `first`.
    fn seek(&self, first: u64) -> usize {
        self.list.partition_point(|r| r.end <= first)
    }

    /// Takes `first..end` out and calls `each` with every piece that was in the list. Where that splits a range of
    /// a full list, the oldest goes and is answered.
    pub(super) fn remove(&mut self, first: u64, end: u64, mut each: impl FnMut(Range)) -> Option<Range> {
        if first >= end || self.list.back().is_none_or(|b| b.end <= first) {
            return None;
        }
        let mut oldest = None;
        let mut at = self.seek(first);
        while let Some(range) = self.list.get(at).copied() {
            if range.first >= end {
                break;
            }
            let piece = Range { first: range.first.max(first), end: range.end.min(end), ..range };
            let left = range.first < piece.first;
            let right = piece.end < range.end;
            match (left, right) {
                (true, true) => {
                    self.list[at].end = piece.first;
                    self.list.insert(at + 1, Range { first: piece.end, ..range });
                    // Only a range that holds the whole of `first..end` is split: at most one per call.
                    if self.list.len() > self.max {
                        oldest = self.list.pop_front();
                    }
                    each(piece);
                    break;
                }
                (true, false) => {
                    self.list[at].end = piece.first;
                    at += 1;
                }
                (false, true) => {
                    self.list[at].first = piece.end;
                    at += 1;
                }
                (false, false) => {
                    self.list.remove(at);
                }
            }
            each(piece);
        }
        oldest
    }

    /// How many positions of `first..end` are in the list.
    pub(super) fn overlap(&self, first: u64, end: u64) -> u64 {
        let at = self.seek(first);
        let inside = self.list.iter().skip(at).take_while(|r| r.first < end);
        inside.map(|r| r.end.min(end) - r.first.max(first)).sum()
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
    }
}
