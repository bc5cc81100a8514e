//! The channel: packets into order, holes into recoveries or gaps. What cannot be believed at once is in `belief`.

use super::belief::{Epoch, Previous};
use super::event::{GapReason, LineEvent, Refusal};
use super::held::Held;
use super::one_line::OneLine;
use super::ranges::{Range, Ranges};
use super::recent::{Found, Recent, Seen, fingerprint};
use super::statistics::{ChannelStatistics, OneLineStatistics};
use super::{Arrival, ChannelConfig, LineSink};
use feeds::feed::{PacketHeader, PacketKind};

/// Gaps that are remembered, to tell a late fill from a duplicate.
const GAPS_MAX: usize = 1024;
/// Holes shown by heartbeats alone that wait apart; more are joined to the last.
const HOLES_MAX: usize = 1024;

/// Sequence state of one channel over its lines. See the module's head.
///
/// Positions are sequence numbers that never wrap; `Epoch` turns them to and from the wire's.
#[derive(Debug)]
pub struct Channel {
    pub(super) config: ChannelConfig,
    pub(super) now_ns: u64,
    /// `None` until the first packet.
    pub(super) epoch: Option<Epoch>,
    pub(super) epoch_id: u32,
    pub(super) previous: Option<Previous>,
    /// Next position to deliver; everything below was delivered or declared lost.
    pub(super) expected: u64,
    /// Behind the highest position that anything has shown.
    pub(super) frontier: u64,
    /// What is missing between `expected` and `frontier`, in order; with `held` it covers all of it.
    pub(super) holes: Ranges,
    pub(super) held: Held,
    pub(super) gaps: Ranges,
    pub(super) recent: Recent,
    pub(super) lines: Vec<OneLine>,
    pub(super) statistics: ChannelStatistics,
    /// Latest time of sending of anything delivered.
    pub(super) sent_ns: u64,
}

/// What became of a packet's messages.
#[derive(Debug, Default)]
struct Tally {
    new: u64,
    late: u64,
    duplicate: u64,
    before_start: u64,
    /// First number that had been there before.
    first_duplicate: Option<u64>,
}

impl Tally {
    fn duplicate(&mut self, first: u64, end: u64) {
        self.duplicate += end - first;
        self.first_duplicate.get_or_insert(first);
    }
}

impl Channel {
    /// A channel that has seen nothing. All its lasting memory is taken here, but for the buffers of waiting
    /// packets, which grow with use up to the bounds and are used again.
    pub fn new(config: &ChannelConfig) -> Self {
        let lines = config.lines.max(1);
        Channel {
            config: *config,
            now_ns: 0,
            epoch: None,
            epoch_id: 0,
            previous: None,
            expected: 0,
            frontier: 0,
            holes: Ranges::new(usize::MAX),
            held: Held::default(),
            gaps: Ranges::new(GAPS_MAX),
            recent: Recent::new(),
            lines: (0..lines).map(|_| OneLine::new()).collect(),
            statistics: ChannelStatistics {
                lines: vec![OneLineStatistics::default(); lines],
                ..ChannelStatistics::default()
            },
            sent_ns: 0,
        }
    }

    /// Takes one packet. Timers that are due by its arrival run first.
    pub fn on_packet(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        sink: &mut impl LineSink,
    ) {
        self.now_ns = self.now_ns.max(arrival.now_ns);
        let arrival = Arrival { now_ns: self.now_ns, ..*arrival };
        self.expire(self.now_ns, sink);
        let Some(line) = self.statistics.lines.get_mut(arrival.line) else {
            self.statistics.unknown_line += 1;
            let (first, count) = (header.sequence, u64::from(header.count));
            let refusal = Refusal::UnknownLine;
            sink.line_event(self.now_ns, LineEvent::Refused { line: arrival.line, first, count, refusal });
            return;
        };
        line.packets += 1;
        line.last_arrival_ns = self.now_ns;
        if is_sign(header) {
            line.signs += 1;
            self.sign(&arrival, header, sink);
            self.expire(self.now_ns, sink);
            return;
        }
        line.messages += u64::from(header.count);
        if impossible(header, payload) {
            self.refuse(arrival.line, header.sequence, u64::from(header.count), Refusal::Impossible, sink);
        } else {
            self.route(&arrival, header, payload, sink);
        }
        self.expire(self.now_ns, sink);
    }

    /// When [`Channel::on_timeout`] wants to be called; ask again after every call of the channel.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.due().map(|d| d.0)
    }

    /// Declares what has waited long enough by `now_ns`.
    pub fn on_timeout(&mut self, now_ns: u64, sink: &mut impl LineSink) {
        self.now_ns = self.now_ns.max(now_ns);
        self.expire(self.now_ns, sink);
    }

    /// The data is over: holes that wait become gaps and losses, packets that wait behind them are delivered, and
    /// what is still in doubt is refused.
    pub fn finish(&mut self, now_ns: u64, sink: &mut impl LineSink) {
        self.on_timeout(now_ns, sink);
        self.flush(sink);
        for line in 0..self.lines.len() {
            self.drop_doubt(line, sink);
        }
    }

    /// What was counted so far.
    pub fn statistics(&self) -> &ChannelStatistics {
        &self.statistics
    }

    /// Number that the channel expects next on the wire, once it has seen any.
    pub fn expected(&self) -> Option<u64> {
        self.epoch.map(|e| e.wire(self.expected))
    }

    /// Takes messages at a believed position.
    pub(super) fn take_in(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        position: u64,
        sink: &mut impl LineSink,
    ) {
        let end = position + u64::from(header.count);
        let repeated = self.account(arrival.line, position, end, sink);
        let mut tally = Tally::default();
        self.take_behind(arrival.line, position, end, &mut tally, sink);
        if self.held.is_empty() && self.holes.is_empty() {
            self.take_next(arrival, header, payload, position, &mut tally, sink);
        } else {
            self.take_among_held(arrival, header, payload, position, &mut tally, sink);
        }
        if let Some(first) = tally.first_duplicate.filter(|_| repeated == 0) {
            self.lead(arrival, first, sink);
        }
        self.count(arrival.line, header, &tally, repeated);
        while self.held.packets() > self.config.reorder_packets && !self.holes.is_empty() {
            self.declare(GapReason::Window, self.now_ns, sink);
        }
    }

    /// A sign of life says which number comes next: what lies before it was sent.
    pub(super) fn take_sign(&mut self, line: usize, position: u64, sink: &mut impl LineSink) {
        self.account(line, position, position, sink);
        self.show(position);
    }

    /// The part below `expected`: late, there before, or older than the channel.
    fn take_behind(
        &mut self,
        line: usize,
        position: u64,
        end: u64,
        tally: &mut Tally,
        sink: &mut impl LineSink,
    ) {
        if position >= self.expected {
            return;
        }
        let Some(epoch) = self.epoch else { return };
        let end = end.min(self.expected);
        let begin = position.max(epoch.start.min(end));
        tally.before_start = begin - position;
        let mut known = begin;
        let (now_ns, statistics) = (self.now_ns, &mut self.statistics);
        let forgotten = self.gaps.remove(begin, end, |piece| {
            if known < piece.first {
                tally.duplicate(known, piece.first);
            }
            known = piece.end;
            tally.late += piece.count();
            statistics.filled_late += piece.count();
            let (first, last) = (epoch.wire(piece.first), epoch.wire(piece.end - 1));
            sink.line_event(now_ns, LineEvent::GapFilled { first, last, count: piece.count(), line });
        });
        self.statistics.gaps_forgotten += u64::from(forgotten.is_some());
        if known < end {
            tally.duplicate(known, end);
        }
    }

    /// Nothing waits: the part from `expected` on is delivered, or the first to wait behind a new hole.
    #[inline]
    fn take_next(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        position: u64,
        tally: &mut Tally,
        sink: &mut impl LineSink,
    ) {
        let end = position + u64::from(header.count);
        let first = position.max(self.expected);
        if first >= end {
            return;
        }
        tally.new += end - first;
        if first == self.expected {
            self.frontier = end;
            self.deliver(arrival, header, payload, position, first, end, sink);
        } else {
            self.show(first);
            self.frontier = end;
            let slot = self.held.keep(arrival, header, payload, position);
            self.held.add(slot, first, end);
            self.statistics.held += end - first;
        }
    }

    /// Something waits: every piece of the packet that no other copy holds is delivered or waits, too.
    fn take_among_held(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        position: u64,
        tally: &mut Tally,
        sink: &mut impl LineSink,
    ) {
        let end = position + u64::from(header.count);
        let mut at = position.max(self.expected);
        let mut slot = None;
        while at < end {
            let next = self.held.at_or_behind(at);
            if at < self.expected || next.is_some_and(|s| s.first <= at) {
                let known = next.filter(|s| s.first <= at).map_or(self.expected, |s| s.end).min(end);
                tally.duplicate(at, known);
                at = known;
                continue;
            }
            let stop = next.map_or(end, |s| s.first.min(end));
            tally.new += stop - at;
            self.show(at);
            self.fill(arrival.line, at, stop, sink);
            self.frontier = self.frontier.max(stop);
            if at == self.expected {
                self.deliver(arrival, header, payload, position, at, stop, sink);
                self.drain(sink);
            } else {
                let slot = *slot.get_or_insert_with(|| self.held.keep(arrival, header, payload, position));
                self.held.add(slot, at, stop);
                self.statistics.held += stop - at;
            }
            at = stop;
        }
    }

    /// Everything up to `position` was sent: what of it nobody has brought is a hole from now on.
    fn show(&mut self, position: u64) {
        if position <= self.frontier {
            return;
        }
        let began_packets = 0;
        let hole = Range { first: self.frontier, end: position, began_ns: self.now_ns, began_packets };
        let adjoins = self.holes.last().is_some_and(|l| {
            let full = self.holes.len() >= HOLES_MAX.max(self.config.reorder_packets);
            l.end == hole.first && (full || l.began_ns == hole.began_ns)
        });
        if adjoins {
            self.holes.extend_last(position);
        } else {
            self.holes.push(hole);
            self.statistics.holes += 1;
        }
        self.frontier = position;
    }

    /// Positions that came while they were waited for.
    fn fill(&mut self, line: usize, first: u64, end: u64, sink: &mut impl LineSink) {
        let Some(epoch) = self.epoch else { return };
        let (now_ns, statistics) = (self.now_ns, &mut self.statistics);
        self.holes.remove(first, end, |piece| {
            statistics.recovered += piece.count();
            let (first, last) = (epoch.wire(piece.first), epoch.wire(piece.end - 1));
            let (count, began_ns) = (piece.count(), piece.began_ns);
            sink.line_event(now_ns, LineEvent::Recovered { first, last, count, began_ns, line });
        });
    }

    /// Hands positions `first..end` of the packet over.
    #[allow(clippy::too_many_arguments)] // A packet and which part of it: a struct would only rename them.
    #[inline]
    fn deliver(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        position: u64,
        first: u64,
        end: u64,
        sink: &mut impl LineSink,
    ) {
        debug_assert_eq!(first, self.expected);
        let (skip, take) = ((first - position) as u32, (end - first) as u32);
        self.recent.push(Seen {
            first,
            now_ns: arrival.now_ns,
            count: take,
            print: print_of(header, payload),
            line: arrival.line as u32,
            whole: take == header.count,
        });
        self.expected = end;
        self.statistics.delivered += u64::from(take);
        self.sent_ns = self.sent_ns.max(header.ts_send_ns.unwrap_or(0));
        sink.deliver(arrival, header, payload, skip, take);
    }

    /// Hands over what waits no longer because nothing is missing before it.
    fn drain(&mut self, sink: &mut impl LineSink) {
        while let Some((segment, position, packet)) = self.held.take(self.expected) {
            let (first, end) = (segment.first, segment.end);
            self.statistics.held -= end - first;
            self.deliver(&packet.arrival, &packet.header, &packet.payload, position, first, end, sink);
            self.held.recycle(packet);
        }
    }

    /// The first hole is lost on every line.
    fn declare(&mut self, reason: GapReason, now_ns: u64, sink: &mut impl LineSink) {
        let (Some(hole), Some(epoch)) = (self.holes.pop_first(), self.epoch) else { return };
        debug_assert_eq!(hole.first, self.expected);
        self.statistics.gaps += 1;
        // Numbers of 64 bits can be lost by the sum of all numbers, several times.
        self.statistics.missing = self.statistics.missing.saturating_add(hole.count());
        let (first, last) = (epoch.wire(hole.first), epoch.wire(hole.end - 1));
        let (count, began_ns) = (hole.count(), hole.began_ns);
        sink.line_event(now_ns, LineEvent::Gap { first, last, count, began_ns, reason });
        let forgotten = self.gaps.push(hole);
        self.statistics.gaps_forgotten += u64::from(forgotten.is_some());
        self.expected = hole.end;
        self.drain(sink);
    }

    /// Declares every hole and delivers everything that waits: nothing more is expected.
    pub(super) fn flush(&mut self, sink: &mut impl LineSink) {
        while !self.holes.is_empty() {
            self.declare(GapReason::End, self.now_ns, sink);
        }
        for line in 0..self.lines.len() {
            while let Some(hole) = self.lines[line].holes.pop_first() {
                self.lose(line, hole, self.now_ns, sink);
            }
        }
    }

    /// Enters what a packet is to its own line; answers how many numbers the line repeated.
    fn account(&mut self, line: usize, position: u64, end: u64, sink: &mut impl LineSink) -> u64 {
        let Some(epoch) = self.epoch else { return 0 };
        let (now_ns, counts) = (self.now_ns, &mut self.statistics.lines[line]);
        let brought = self.lines[line].bring(position, end, now_ns, counts.packets, |piece| {
            counts.messages_lost_late += piece.count();
            let (first, last) = (epoch.wire(piece.first), epoch.wire(piece.end - 1));
            let lag_ns = now_ns - piece.began_ns;
            sink.line_event(now_ns, LineEvent::LineLate { line, first, last, count: piece.count(), lag_ns });
        });
        counts.out_of_order += u64::from(brought.out_of_order);
        if brought.repeated > 0 {
            let (first, last) = (epoch.wire(position), epoch.wire(end - 1));
            sink.line_event(now_ns, LineEvent::Duplicate { line, first, last, count: brought.repeated });
        }
        if let Some(hole) = brought.spilled {
            self.lose(line, hole, now_ns, sink);
        }
        let waited = self.config.reorder_packets as u64;
        while let Some(hole) = self.lines[line].holes.first().copied()
            && self.statistics.lines[line].packets - hole.began_packets >= waited
        {
            self.lines[line].holes.pop_first();
            self.lose(line, hole, now_ns, sink);
        }
        brought.repeated
    }

    /// A line did not bring in time what it had jumped over.
    fn lose(&mut self, line: usize, hole: Range, now_ns: u64, sink: &mut impl LineSink) {
        let Some(epoch) = self.epoch else { return };
        let counts = &mut self.statistics.lines[line];
        counts.losses += 1;
        counts.messages_lost = counts.messages_lost.saturating_add(hole.count());
        if self.lines.len() > 1 {
            let (first, last) = (epoch.wire(hole.first), epoch.wire(hole.end - 1));
            let in_gap = self.gaps.overlap(hole.first, hole.end);
            let (count, began_ns) = (hole.count(), hole.began_ns);
            sink.line_event(now_ns, LineEvent::LineLost { line, first, last, count, in_gap, began_ns });
        }
        self.lines[line].lost.push_sorted(hole);
    }

    /// How much later this copy came than the first, where another line brought that.
    fn lead(&mut self, arrival: &Arrival, position: u64, sink: &mut impl LineSink) {
        let Some(epoch) = self.epoch else { return };
        let loser = arrival.line;
        let first = match self.held.arrival_of(position) {
            Some(first) => Some((first.line, first.now_ns, false)),
            None => match self.recent.find(position, &mut self.lines[loser].cursor) {
                Found::Seen(seen) => Some((seen.line as usize, seen.now_ns, false)),
                // Not a repetition of its own, so another line was first; of two it is the other.
                Found::Older(oldest_ns) => Some((usize::from(loser == 0), oldest_ns, true)),
                Found::Never => None,
            },
        };
        let Some((winner, then_ns, at_least)) = first.filter(|f| f.0 != loser && self.lines.len() > 1) else {
            return;
        };
        let (lag_ns, sequence) = (self.now_ns - then_ns, epoch.wire(position));
        sink.line_event(self.now_ns, LineEvent::LineLead { winner, loser, lag_ns, at_least, sequence });
    }

    /// Counts the packet once, and each of its messages.
    fn count(&mut self, line: usize, header: &PacketHeader, tally: &Tally, repeated: u64) {
        let counts = &mut self.statistics.lines[line];
        debug_assert_eq!(
            u64::from(header.count),
            tally.new + tally.late + tally.duplicate + tally.before_start
        );
        counts.messages_won += tally.new;
        counts.messages_late += tally.late;
        counts.messages_duplicate += tally.duplicate;
        counts.refused_messages[Refusal::BeforeStart.index()] += tally.before_start;
        if tally.new > 0 {
            counts.won += 1;
        } else if tally.late > 0 {
            counts.late += 1;
        } else if tally.duplicate > 0 {
            counts.duplicates += 1;
            counts.repeated += u64::from(repeated > 0);
        } else {
            counts.refused[Refusal::BeforeStart.index()] += 1;
        }
    }

    /// The earliest timer: its time, and the line it is of (`None`: the channel's, which comes first).
    fn due(&self) -> Option<(u64, Option<usize>)> {
        let wait = self.config.reorder_wait_ns;
        let due = |ranges: &Ranges| ranges.first().map(|r| r.began_ns.saturating_add(wait));
        let mut earliest = due(&self.holes).map(|d| (d, None));
        for (index, line) in self.lines.iter().enumerate() {
            if let Some(d) = due(&line.holes)
                && earliest.is_none_or(|e| d < e.0)
            {
                earliest = Some((d, Some(index)));
            }
        }
        earliest
    }

    /// Runs the timers that are due, in the order of their times.
    #[inline]
    fn expire(&mut self, now_ns: u64, sink: &mut impl LineSink) {
        while let Some((due_ns, line)) = self.due()
            && due_ns <= now_ns
        {
            match line {
                None => self.declare(GapReason::Wait, due_ns, sink),
                Some(line) => {
                    if let Some(hole) = self.lines[line].holes.pop_first() {
                        self.lose(line, hole, due_ns, sink);
                    }
                }
            }
        }
    }
}

/// A packet that carries no message: it says at most which number comes next.
pub(super) fn is_sign(header: &PacketHeader) -> bool {
    header.count == 0 || matches!(header.kind, PacketKind::Heartbeat | PacketKind::EndOfSession)
}

/// A packet whose own numbers cannot be: more messages than bytes, or a number that no sequence reaches.
fn impossible(header: &PacketHeader, payload: &[u8]) -> bool {
    let content = payload.len().saturating_sub(header.len);
    (header.count > 1 && header.count as usize > content) || !Epoch::carries(header)
}

/// The fingerprint of what lies behind the packet's header.
pub(super) fn print_of(header: &PacketHeader, payload: &[u8]) -> u32 {
    fingerprint(payload.get(header.len..).unwrap_or(&[]))
}
