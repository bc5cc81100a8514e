//! What the senders' own numbers of their packets say of what never came: whether it was sent at all.
//!
//! Many senders count IPv4's identification up by one with every packet of a group. Where one does, the numbers before
//! and after a hole tell how many packets it sent in between. Where it does not (it always says 0, or counts for
//! several groups together), nothing is said.
//!
//! It also says which packets were refused for their numbers: one of them may be what is missing.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use super::super::facts::{ChannelFacts, Flaw, LineLoss, Posted, Span, Spot};
use super::super::subject::Alert;
use super::channels::PAUSE_MIN_NS;
use crate::check::life::Place;
use crate::config::{Config, Kind};
use crate::line::Refusal;
use crate::market::SourceId;
use crate::packet;
use crate::source::{Datagram, Seal};
use feeds::FeedId;
use feeds::feed::PacketHeader;

/// Interruptions of one line that are kept at most.
const KEPT_MAX: usize = 2_000;
/// A jump of more messages is not taken for one.
const JUMP_MAX: u64 = 1 << 20;
/// After so many packets in a row behind the latest number, the numbering is taken to have begun anew.
const BEHIND_MAX: u32 = 64;
/// Packets of a line that are remembered until it is told what becomes of them.
const RECENT_MAX: usize = 256;
/// So many steps show a habit of counting.
const STEPS_MIN: u64 = 200;
/// Identifications begin anew after so many: a longer hole cannot be counted.
const COUNTED_MAX: u64 = 60_000;

/// A packet as its line brought it.
#[derive(Debug, Clone, Copy)]
struct Latest {
    at_ns: u64,
    identification: u16,
    session: u128,
    /// The number that comes next.
    next: u64,
}

/// Two packets of a line that follow each other, and between which something is not as usual.
#[derive(Debug, Clone, Copy)]
struct Break {
    from: Latest,
    to: Latest,
    /// The first number of the packet behind it.
    first: u64,
    /// Packets between the two that came after all, or could not be read.
    came: u64,
}

/// Where a packet lies, and what its checksum says.
#[derive(Debug, Clone, Copy)]
struct Seen {
    at_ns: u64,
    capture: u32,
    frame: u64,
    /// Its first number, as it says.
    first: u64,
    seal: Seal,
}

#[derive(Debug, Default)]
struct LineWatch {
    /// The latest packets: of which one is refused is told only when nothing has borne it out.
    recent: VecDeque<Seen>,
    latest: Option<Latest>,
    /// Unreadable ones since.
    unread: u64,
    behind: u32,
    breaks: Vec<Break>,
    /// Packets that follow each other, and whose identifications do by one: those, and all.
    steps: [u64; 2],
}

/// See the module.
pub(super) struct Senders {
    /// Whose packets are looked at; nothing where the alert is not about what did not come.
    subject: Option<(SourceId, FeedId)>,
    span: Span,
    heartbeat_ns: u64,
    current: (u16, Option<PacketHeader>),
    /// Capture and frame of the same.
    current_at: (u32, u64),
    refused: BTreeMap<(u16, usize), Vec<Seen>>,
    lines: HashMap<(u16, u16), LineWatch>,
}

impl Senders {
    pub(super) fn new(config: &Config, alert: &Alert, subject: Option<usize>, span: Span) -> Senders {
        let about_loss = matches!(alert.kind, Kind::Gap | Kind::Line | Kind::Silent);
        let subject = subject.filter(|_| about_loss);
        let source = subject.and_then(|s| config.sources.get(s));
        Senders {
            subject: subject.and_then(|s| SourceId::try_from(s).ok()).zip(source.map(|s| s.feed)),
            span,
            heartbeat_ns: source.map_or(0, |s| s.feed.info().heartbeat_ns),
            current: (0, None),
            current_at: (0, 0),
            refused: BTreeMap::new(),
            lines: HashMap::new(),
        }
    }

    pub(super) fn see(&mut self, datagram: &Datagram<'_>) {
        let Some((_, feed)) = self.subject.filter(|_| self.span.has(datagram.ts_recv_ns)) else { return };
        // In a recording of a live line the number is the recorder's.
        let recorded = crate::pipeline::feeder::is_line_name(datagram.interface_name);
        let identification = if recorded { 0 } else { datagram.identification };
        self.current_at = (datagram.capture, datagram.frame);
        self.current = (identification, feed.with(packet::Header(datagram)).ok());
    }

    /// It arrived there; `seal` is what its checksum says.
    pub(super) fn arrival(&mut self, now: u64, place: Place, seal: Seal) {
        if self.subject.is_none_or(|(source, _)| source != place.source) || !self.span.has(now) {
            return;
        }
        let (identification, header) = self.current;
        let line = self.lines.entry((place.channel, place.line)).or_default();
        line.arrival(now, identification, header.as_ref());
        let Some(header) = header else { return };
        if line.recent.len() >= RECENT_MAX {
            line.recent.pop_front();
        }
        let (capture, frame) = self.current_at;
        line.recent.push_back(Seen { at_ns: now, capture, frame, first: header.sequence, seal });
    }

    /// A packet of the line that began with that number is refused.
    pub(super) fn refused(&mut self, place: Place, line: usize, first: u64, refusal: Refusal) {
        let Some((source, _)) = self.subject else { return };
        let of_line = u16::try_from(line).ok().and_then(|line| self.lines.get(&(place.channel, line)));
        let Some(line) = of_line.filter(|_| source == place.source) else { return };
        let Some(seen) = line.recent.iter().rev().find(|s| s.first == first) else { return };
        let list = self.refused.entry((place.channel, refusal.index())).or_default();
        if list.len() < KEPT_MAX {
            list.push(*seen);
        }
    }

    /// Writes into what did not come whether it had been sent, and what was refused among what cannot be read.
    pub(super) fn finish(self, channels: &mut [ChannelFacts], name_of: &dyn Fn(u32) -> String) {
        for ((c, refusal), packets) in &self.refused {
            let Some(channel) = channels.get_mut(usize::from(*c)) else { continue };
            let Some(first) = packets.first() else { continue };
            channel.errors.push(Flaw {
                name: Refusal::ALL[*refusal].name().to_owned(),
                count: packets.len() as u64,
                first_ns: first.at_ns,
                first: Spot { capture: name_of(first.capture), frame: first.frame, sequence: first.first },
                times_ns: packets.iter().map(|p| p.at_ns).collect(),
                seals: packets.iter().map(|p| p.seal).collect(),
                refused: true,
            });
        }
        let none = LineWatch::default();
        for (c, channel) in (0u16..).zip(channels) {
            let watches: Vec<&LineWatch> = (0u16..)
                .take(channel.lines.len())
                .map(|l| self.lines.get(&(c, l)).unwrap_or(&none))
                .collect();
            let of_range =
                |line: usize, first, last| watches[line].of_range(line, [first, last], self.heartbeat_ns);
            for gap in &mut channel.gaps {
                gap.posted = Posted::of_all((0..watches.len()).map(|l| of_range(l, gap.first, gap.last)));
            }
            let known = |loss: &&mut LineLoss| loss.line < watches.len();
            for loss in channel.line_losses.iter_mut().filter(known) {
                loss.posted = of_range(loss.line, loss.first, loss.last);
            }
            for (l, line) in channel.lines.iter_mut().enumerate() {
                for silence in line.silences.iter_mut().filter(|s| !s.open) {
                    silence.posted = watches[l].of_silence(l, silence.span, self.heartbeat_ns);
                }
            }
        }
    }
}

impl LineWatch {
    fn arrival(&mut self, now: u64, identification: u16, header: Option<&PacketHeader>) {
        let Some(header) = header else {
            self.unread += 1;
            return;
        };
        let (session, first) = (header.session, header.sequence);
        let next = first.saturating_add(u64::from(header.count));
        let packet = Latest { at_ns: now, identification, session, next };
        let Some(from) = self.latest.filter(|l| l.session == session) else {
            return self.begin(packet);
        };
        if first.saturating_sub(from.next) > JUMP_MAX {
            self.unread += 1;
            return;
        }
        if first < from.next {
            let within = |b: &&mut Break| (b.from.next..b.first).contains(&first);
            if let Some(found) = self.breaks.iter_mut().rev().take(8).find(within) {
                found.came += 1;
            }
            self.behind += 1;
            if self.behind > BEHIND_MAX {
                self.begin(packet);
            }
            return;
        }
        let long = now.saturating_sub(from.at_ns) >= PAUSE_MIN_NS;
        if first == from.next && !long {
            let by_one = u64::from(identification.wrapping_sub(from.identification)) == 1 + self.unread;
            self.steps[0] += u64::from(by_one);
            self.steps[1] += 1;
        } else if self.breaks.len() < KEPT_MAX {
            self.breaks.push(Break { from, to: packet, first, came: self.unread });
        }
        (self.latest, self.unread, self.behind) = (Some(packet), 0, 0);
    }

    fn begin(&mut self, packet: Latest) {
        (self.latest, self.unread, self.behind) = (Some(packet), 0, 0);
    }

    /// What was sent of a range of numbers that did not come on the line.
    fn of_range(&self, line: usize, [first, last]: [u64; 2], heartbeat_ns: u64) -> Posted {
        let around = |b: &&Break| b.from.next <= first && last < b.first;
        let Some(found) = self.breaks.iter().find(around) else { return Posted::default() };
        let posted = self.posted(line, found, heartbeat_ns);
        // Of what was sent of more than the range it is not known whether it was of the range.
        let exact = found.from.next == first && found.first == last.saturating_add(1);
        if posted.is_some() && !exact { Posted::default() } else { posted }
    }

    /// What was sent while nothing at all came on the line.
    fn of_silence(&self, line: usize, span: Span, heartbeat_ns: u64) -> Posted {
        let same = |b: &&Break| Span { from_ns: b.from.at_ns, to_ns: b.to.at_ns } == span;
        let found = self.breaks.iter().find(same);
        found.map_or_else(Posted::default, |b| self.posted(line, b, heartbeat_ns))
    }

    fn posted(&self, line: usize, of: &Break, heartbeat_ns: u64) -> Posted {
        let [by_one, steps] = self.steps;
        let stretch_ns = of.to.at_ns.saturating_sub(of.from.at_ns);
        // Every message may have had a packet of its own, and signs of life may come twice as often as they must.
        let beats = (2 * stretch_ns).checked_div(heartbeat_ns).unwrap_or(0) + 2;
        let most = (of.first - of.from.next).saturating_add(beats);
        let between = u64::from(of.to.identification.wrapping_sub(of.from.identification)).checked_sub(1);
        let Some(between) = between.filter(|_| by_one >= STEPS_MIN && of.came == 0 && most < COUNTED_MAX)
        else {
            return Posted::default();
        };
        // That a number follows on the other is no chance where nearly all do; that one does not is telling where all do.
        let known = match between {
            0 => by_one * 100 >= steps * 99,
            _ => by_one == steps && between <= most,
        };
        match known {
            true => Posted {
                known,
                packets: between,
                line,
                identifications: [of.from.identification, of.to.identification],
                steps,
            },
            false => Posted::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feeds::feed::PacketKind;

    const MS: u64 = 1_000_000;

    fn header(sequence: u64, count: u32) -> PacketHeader {
        PacketHeader {
            session: 1,
            sequence,
            count,
            kind: PacketKind::Data,
            ts_send_ns: None,
            len: 20,
            sequence_bits: 64,
        }
    }

    /// 300 packets of two messages every millisecond, then one `later_ns` on that begins at `sequence`, with that
    /// identification. The 300th has 99 (they begin at 65,336 and wrap round) and ends with message 600.
    fn line(later_ns: u64, sequence: u64, identification: u16, step: u16) -> LineWatch {
        let mut line = LineWatch::default();
        for n in 0..300u16 {
            let number = 65_336u16.wrapping_add(n.wrapping_mul(step));
            line.arrival(u64::from(n) * MS, number, Some(&header(1 + 2 * u64::from(n), 2)));
        }
        line.arrival(299 * MS + later_ns, identification, Some(&header(sequence, 2)));
        line
    }

    #[test]
    fn numbers_that_run_on_say_that_nothing_was_sent() {
        let posted = line(MS, 605, 100, 1).of_range(0, [601, 604], 1_000 * MS);
        assert_eq!((posted.known, posted.packets, posted.identifications), (true, 0, [99, 100]));
        assert!(posted.is_none() && !posted.is_some());
        // Nothing of a part of it either.
        assert!(line(MS, 605, 100, 1).of_range(0, [603, 604], 1_000 * MS).is_none());
    }

    #[test]
    fn numbers_that_jump_say_how_much_was_sent() {
        let posted = line(MS, 605, 102, 1).of_range(0, [601, 604], 1_000 * MS);
        assert_eq!((posted.is_some(), posted.packets), (true, 2));
        assert!(
            !line(MS, 605, 102, 1).of_range(0, [603, 604], 1_000 * MS).known,
            "of a part it is not known"
        );
        assert!(!line(MS, 605, 200, 1).of_range(0, [601, 604], 1_000 * MS).known, "more than can have been");
    }

    #[test]
    fn who_does_not_count_says_nothing() {
        assert!(!line(MS, 605, 99, 0).of_range(0, [601, 604], 1_000 * MS).known, "always the same");
        assert!(!line(MS, 605, 100, 3).of_range(0, [601, 604], 1_000 * MS).known, "others between");
    }

    #[test]
    fn after_a_silence_it_is_known_whether_signs_of_life_were_sent() {
        let silence = Span { from_ns: 299 * MS, to_ns: 3_299 * MS };
        let of = |identification| line(3_000 * MS, 601, identification, 1).of_silence(0, silence, 1_000 * MS);
        assert!(of(100).is_none());
        assert_eq!((of(103).is_some(), of(103).packets), (true, 3));
        assert!(!of(150).known, "more than signs of life");
    }

    #[test]
    fn what_came_after_all_or_cannot_be_read_tells_nothing() {
        let mut late = line(MS, 605, 102, 1);
        late.arrival(302 * MS, 100, Some(&header(601, 2)));
        assert!(!late.of_range(0, [601, 604], 1_000 * MS).known);
        let mut unread = LineWatch::default();
        (0..300u16).for_each(|n| unread.arrival(u64::from(n) * MS, n, Some(&header(1 + u64::from(n), 1))));
        unread.arrival(300 * MS, 300, None);
        unread.arrival(301 * MS, 301, Some(&header(302, 1)));
        assert!(!unread.of_range(0, [301, 301], 1_000 * MS).known);
    }

    #[test]
    fn lines_that_say_different_things_say_nothing_together() {
        let sent = |packets| Posted { known: true, packets, ..Posted::default() };
        assert!(Posted::of_all([sent(0), sent(0)].into_iter()).is_none());
        assert!(Posted::of_all([sent(2), Posted::default()].into_iter()).is_some());
        assert!(!Posted::of_all([sent(0), Posted::default()].into_iter()).known);
        assert!(!Posted::of_all([sent(0), sent(2)].into_iter()).known);
        assert!(!Posted::of_all(std::iter::empty()).known);
    }
}
