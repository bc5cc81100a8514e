//! Which packets a channel believes: sessions, resets, numbers far ahead or far behind.
//!
//! What a packet claims against the stream so far is held in doubt ([`super::doubt`]) until the same line goes on
//! with it or another line says the same. A doubt ends unbelieved when its line goes on with the old stream.

use super::channel::{Channel, is_sign, print_of};
use super::doubt::{Doubt, DoubtKind};
use super::event::{LineEvent, Refusal};
use super::held::Packet;
use super::recent::Found;
use super::{ABSURD_JUMP, Arrival, LineSink, STRAGGLER_NS};
use feeds::feed::{PacketHeader, PacketKind};

/// Numbers of 64 bits end here: no venue counts so far, and sums of positions cannot overflow.
const SEQUENCE_MAX: u64 = 1 << 62;
/// A session that comes up while we listen and shows a number up to here began at 1 (MoldUDP64 1.00 section 2 and
/// IEX-TP 1.25 number from 1 in every session): what lies before was missed, not unasked for.
const MISSED_AT_START_MAX: u64 = 1_000;

/// One numbering: from a start, a new session or a reset on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Epoch {
    session: u128,
    /// All ones as wide as the numbers on the wire.
    mask: u64,
    /// First position that counts.
    pub(super) start: u64,
    began_ns: u64,
    /// The packet that reset the numbering, by number and fingerprint: its other copies are no resets.
    reset: Option<(u64, u32)>,
    /// A line has said that the session is over.
    ended: bool,
}

/// The numbering before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Previous {
    session: u128,
    /// Its next number on the wire.
    next: u64,
}

/// The bits that a number on the wire has.
fn mask_of(header: &PacketHeader) -> u64 {
    if (1..64).contains(&header.sequence_bits) { (1 << header.sequence_bits) - 1 } else { u64::MAX }
}

impl Epoch {
    /// A numbering that begins with the wire's number `first`.
    fn new(header: &PacketHeader, first: u64, began_ns: u64) -> Self {
        let mask = mask_of(header);
        // One round of the wire's numbers lies below the start, so that positions before it exist.
        let start = if mask == u64::MAX { first } else { first + mask + 1 };
        Epoch { session: header.session, mask, start, began_ns, reset: None, ended: false }
    }

    /// Whether the numbers of the packet can be those of any numbering.
    pub(super) fn carries(header: &PacketHeader) -> bool {
        header.sequence <= mask_of(header).min(SEQUENCE_MAX)
    }

    /// The position's number on the wire.
    #[inline]
    pub(super) const fn wire(&self, position: u64) -> u64 {
        position & self.mask
    }

    /// The position that a number on the wire means, seen from `expected`: near it round the wrap, else by its size,
    /// for a fall to small numbers is a reset and not a jump of half the numbers.
    #[inline]
    fn position(&self, wire: u64, expected: u64) -> u64 {
        let at = expected & self.mask;
        let ahead = wire.wrapping_sub(at) & self.mask;
        let behind = at.wrapping_sub(wire) & self.mask;
        if ahead <= ABSURD_JUMP {
            expected + ahead
        } else if behind <= ABSURD_JUMP {
            expected.saturating_sub(behind)
        } else {
            expected - at + wire
        }
    }
}

impl Channel {
    /// Finds out where a packet with messages belongs.
    pub(super) fn route(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        sink: &mut impl LineSink,
    ) {
        if !self.admit(arrival, header, payload, sink) {
            return;
        }
        let Some(epoch) = self.epoch else { return };
        let position = epoch.position(header.sequence, self.expected);
        let kind = if position > self.frontier.saturating_add(ABSURD_JUMP) {
            Some(DoubtKind::Jump)
        } else {
            self.fall(arrival.line, header, payload, position)
        };
        if let Some(kind) = kind {
            self.doubt(kind, arrival, header, payload, sink);
            return;
        }
        self.drop_doubts(arrival.line, position + u64::from(header.count), sink);
        self.take_in(arrival, header, payload, position, sink);
    }

    /// Takes a heartbeat, an end of session or an empty packet.
    pub(super) fn sign(&mut self, arrival: &Arrival, header: &PacketHeader, sink: &mut impl LineSink) {
        let (line, next) = (arrival.line, header.sequence);
        match header.kind {
            PacketKind::EndOfSession if !self.lines[line].ended => {
                self.lines[line].ended = true;
                sink.line_event(self.now_ns, LineEvent::EndOfSession { line, next });
            }
            PacketKind::Heartbeat => sink.line_event(self.now_ns, LineEvent::Heartbeat { line, next }),
            _ => {}
        }
        // Some transports (B3, anonymised captures) number no heartbeat: 0 says nothing.
        if next == 0 || !Epoch::carries(header) || !self.admit(arrival, header, &[], sink) {
            return;
        }
        let Some(epoch) = &mut self.epoch else { return };
        epoch.ended |= header.kind == PacketKind::EndOfSession;
        let position = epoch.position(next, self.expected);
        if position > self.frontier.saturating_add(ABSURD_JUMP) {
            self.doubt(DoubtKind::Jump, arrival, header, &[], sink);
        } else if position >= self.lines[line].next().unwrap_or(0) {
            // A smaller one is an old heartbeat, or the first of a reset that data will show.
            self.take_sign(line, position, sink);
        }
    }

    /// Whether the packet is of the numbering that the channel is in; starts or changes it where that is plain.
    fn admit(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        sink: &mut impl LineSink,
    ) -> bool {
        let line = arrival.line;
        let Some(epoch) = self.epoch else {
            self.begin(line, Epoch::new(header, header.sequence, self.now_ns));
            return true;
        };
        if header.session != epoch.session {
            return self.admit_session(arrival, header, payload, &epoch, sink);
        }
        if header.kind == PacketKind::Reset {
            self.reset(line, header, print_of(header, payload), &epoch, sink);
        } else if self.lines[line].epoch != self.epoch_id {
            if self.is_straggler(header, &epoch) {
                self.refuse_straggler(line, header, sink);
                return false;
            }
            self.lines[line].enter(self.epoch_id);
        }
        true
    }

    /// A packet of another session: the old one's straggler, plainly a new one, or doubtful.
    fn admit_session(
        &mut self,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        epoch: &Epoch,
        sink: &mut impl LineSink,
    ) -> bool {
        let old = self.previous.is_some_and(|p| p.session == header.session);
        let moved = self.lines[arrival.line].epoch == self.epoch_id;
        if old && !moved && self.now_ns - epoch.began_ns <= STRAGGLER_NS {
            self.refuse_straggler(arrival.line, header, sink);
            return false;
        }
        if !old && (header.sequence == 1 || epoch.ended || header.kind == PacketKind::Reset) {
            self.change_session(arrival.line, header, sink);
            return true;
        }
        self.doubt(DoubtKind::Session, arrival, header, payload, sink);
        false
    }

    /// The session of the packet is the channel's from here on.
    fn change_session(&mut self, line: usize, header: &PacketHeader, sink: &mut impl LineSink) {
        let Some(old) = self.epoch else { return };
        let before = self.previous;
        let sequence = header.sequence;
        let first = match before.filter(|p| p.session == header.session) {
            // A session that returns goes on where it was left.
            Some(p) if sequence >= p.next && sequence - p.next <= ABSURD_JUMP => p.next,
            Some(_) => sequence,
            None if (1..=MISSED_AT_START_MAX).contains(&sequence) => 1,
            None => sequence,
        };
        self.leave(&old, sink);
        self.statistics.session_changes += 1;
        self.begin(line, Epoch::new(header, first, self.now_ns));
        let (old, new) = (old.session, header.session);
        sink.line_event(self.now_ns, LineEvent::SessionChanged { old, new, first, line });
    }

    /// A packet that says that numbers start again; another copy of the last such packet says nothing new.
    fn reset(
        &mut self,
        line: usize,
        header: &PacketHeader,
        print: u32,
        epoch: &Epoch,
        sink: &mut impl LineSink,
    ) {
        if epoch.reset == Some((header.sequence, print)) {
            if self.lines[line].epoch != self.epoch_id {
                self.lines[line].enter(self.epoch_id);
            }
            return;
        }
        self.start_again(line, header, sink);
        if let Some(epoch) = &mut self.epoch {
            epoch.reset = Some((header.sequence, print));
        }
    }

    /// Numbers start again with the packet.
    fn start_again(&mut self, line: usize, header: &PacketHeader, sink: &mut impl LineSink) {
        let Some(old) = self.epoch else { return };
        let expected = old.wire(self.expected);
        self.leave(&old, sink);
        self.statistics.resets += 1;
        let first = header.sequence;
        self.begin(line, Epoch::new(header, first, self.now_ns));
        sink.line_event(self.now_ns, LineEvent::SequenceReset { expected, first, line });
    }

    /// Ends a numbering: nothing of it is waited for any more.
    fn leave(&mut self, old: &Epoch, sink: &mut impl LineSink) {
        self.flush(sink);
        self.previous = Some(Previous { session: old.session, next: old.wire(self.expected) });
        self.epoch_id += 1;
    }

    /// Begins a numbering that one line has shown.
    fn begin(&mut self, line: usize, epoch: Epoch) {
        self.expected = epoch.start;
        self.frontier = epoch.start;
        self.epoch = Some(epoch);
        self.gaps.clear();
        self.recent.clear();
        self.sent_ns = 0;
        self.lines[line].enter(self.epoch_id);
    }

    /// Whether a packet of a line that has not shown the new numbering belongs to the old one: soon after the reset,
    /// and nearer to where the old numbers ended.
    fn is_straggler(&self, header: &PacketHeader, epoch: &Epoch) -> bool {
        let Some(previous) = self.previous.filter(|p| p.session == header.session) else { return false };
        let to_old = header.sequence.abs_diff(previous.next);
        let to_new = header.sequence.abs_diff(epoch.wire(self.expected));
        self.now_ns - epoch.began_ns <= STRAGGLER_NS && to_old < to_new
    }

    fn refuse_straggler(&mut self, line: usize, header: &PacketHeader, sink: &mut impl LineSink) {
        if !is_sign(header) {
            let count = u64::from(header.count);
            self.refuse(line, header.sequence, count, Refusal::Straggler, sink);
        }
    }

    /// Whether the line falls back, in a way that may be a reset: to numbers that it had brought, or before its first.
    ///
    /// The same content again is a repetition, and so is what was sent no later than what was delivered. Copies that
    /// are cut otherwise cannot be compared and count as repetitions. Soon after the start numbers before it are
    /// packets out of order.
    fn fall(
        &mut self,
        line: usize,
        header: &PacketHeader,
        payload: &[u8],
        position: u64,
    ) -> Option<DoubtKind> {
        let end = position + u64::from(header.count);
        let sent_before = header.ts_send_ns.is_some_and(|t| t <= self.sent_ns);
        if position >= self.expected || sent_before {
            return None;
        }
        let epoch = self.epoch?;
        let weak = Some(DoubtKind::Fall { other_content: false });
        if end <= epoch.start && self.lines[line].span.is_some_and(|s| end <= s.0) {
            return weak.filter(|_| self.now_ns - epoch.began_ns > STRAGGLER_NS);
        }
        if !self.lines[line].repeats(position, end) {
            return None;
        }
        // The line's cursor follows its copies of others; this is none.
        let mut cursor = self.lines[line].cursor;
        match self.recent.find(position, &mut cursor) {
            Found::Seen(seen) => {
                let alike = seen.whole && seen.first == position && seen.count == header.count;
                (alike && seen.print != print_of(header, payload))
                    .then_some(DoubtKind::Fall { other_content: true })
            }
            Found::Older(_) => weak,
            Found::Never => None,
        }
    }

    /// Holds a packet that is not believed; with it the doubt may be over.
    fn doubt(
        &mut self,
        kind: DoubtKind,
        arrival: &Arrival,
        header: &PacketHeader,
        payload: &[u8],
        sink: &mut impl LineSink,
    ) {
        let line = arrival.line;
        let mut doubt = match self.lines[line].doubt.take() {
            Some(doubt) if doubt.goes_on(kind, header) => doubt,
            old => {
                self.lines[line].doubt = old;
                self.drop_doubt(line, sink);
                self.say_doubt(kind, line, header, sink);
                Doubt::new(kind, header)
            }
        };
        doubt.add(header, kind);
        if !is_sign(header) {
            let payload = payload.to_vec();
            doubt.packets.push(Packet { arrival: *arrival, header: *header, payload });
            self.statistics.lines[line].doubted += 1;
            self.statistics.lines[line].doubted_messages += u64::from(header.count);
        }
        let others = self.lines.iter().filter_map(|l| l.doubt.as_ref());
        let believed = doubt.bears_out() || others.into_iter().any(|o| o.agrees(&doubt));
        self.lines[line].doubt = Some(doubt);
        if believed {
            self.believe(line, header, sink);
        }
    }

    fn say_doubt(&mut self, kind: DoubtKind, line: usize, header: &PacketHeader, sink: &mut impl LineSink) {
        let Some(epoch) = self.epoch else { return };
        self.statistics.doubts += 1;
        let had = header.sequence;
        let event = match kind {
            DoubtKind::Session => {
                LineEvent::SessionDoubted { session: epoch.session, had: header.session, line }
            }
            _ => LineEvent::AbsurdSequence { expected: epoch.wire(self.expected), had, line },
        };
        sink.line_event(self.now_ns, event);
    }

    /// What the line says is believed: its packets in doubt, and those of lines that say the same, are taken in.
    fn believe(&mut self, line: usize, latest: &PacketHeader, sink: &mut impl LineSink) {
        let Some(doubt) = self.lines[line].doubt.take() else { return };
        let mut packets = Vec::new();
        for other in &mut self.lines {
            if let Some(agreeing) = other.doubt.take_if(|o| o.agrees(&doubt)) {
                packets.extend(agreeing.packets);
            }
        }
        packets.extend(doubt.packets);
        packets.sort_by_key(|p| (p.header.sequence, p.arrival.now_ns));
        let first = packets.first().map_or(*latest, |p| p.header);
        match doubt.kind {
            DoubtKind::Jump => {}
            DoubtKind::Fall { .. } => self.start_again(line, &first, sink),
            DoubtKind::Session => self.change_session(line, &first, sink),
        }
        for packet in packets {
            let counts = &mut self.statistics.lines[packet.arrival.line];
            counts.doubted -= 1;
            counts.doubted_messages -= u64::from(packet.header.count);
            self.take_believed(&packet, sink);
        }
        if is_sign(latest)
            && let Some(epoch) = self.epoch
        {
            let position = epoch.position(latest.sequence, self.frontier);
            self.take_sign(line, position.max(self.expected), sink);
        }
    }

    fn take_believed(&mut self, packet: &Packet, sink: &mut impl LineSink) {
        let Some(epoch) = self.epoch else { return };
        let line = packet.arrival.line;
        if self.lines[line].epoch != self.epoch_id {
            self.lines[line].enter(self.epoch_id);
        }
        let position = epoch.position(packet.header.sequence, self.expected);
        self.take_in(&packet.arrival, &packet.header, &packet.payload, position, sink);
    }

    /// A line goes on with the stream up to `end`: its doubt was unfounded, and with new numbers in the stream so are
    /// other lines' weak ones about a reset.
    fn drop_doubts(&mut self, line: usize, end: u64, sink: &mut impl LineSink) {
        self.drop_doubt(line, sink);
        if end <= self.expected {
            return;
        }
        for other in 0..self.lines.len() {
            let weak = DoubtKind::Fall { other_content: false };
            if self.lines[other].doubt.as_ref().is_some_and(|d| d.kind == weak) {
                self.drop_doubt(other, sink);
            }
        }
    }

    /// Nothing bore the line's doubt out: its packets are refused.
    pub(super) fn drop_doubt(&mut self, line: usize, sink: &mut impl LineSink) {
        if self.lines[line].doubt.is_none() {
            return;
        }
        let Some(doubt) = self.lines[line].doubt.take() else { return };
        for packet in doubt.packets {
            let count = u64::from(packet.header.count);
            let counts = &mut self.statistics.lines[line];
            counts.doubted -= 1;
            counts.doubted_messages -= count;
            self.refuse(line, packet.header.sequence, count, doubt.kind.refusal(), sink);
        }
    }

    /// Counts and says a refused packet.
    pub(super) fn refuse(
        &mut self,
        line: usize,
        first: u64,
        count: u64,
        refusal: Refusal,
        sink: &mut impl LineSink,
    ) {
        let counts = &mut self.statistics.lines[line];
        counts.refused[refusal.index()] += 1;
        counts.refused_messages[refusal.index()] += count;
        sink.line_event(self.now_ns, LineEvent::Refused { line, first, count, refusal });
    }
}
