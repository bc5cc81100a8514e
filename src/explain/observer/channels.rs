//! What arrives and what does not: holes, losses of single lines, pauses, rates.

use std::collections::VecDeque;

use super::super::facts::{ChannelFacts, Flaw, Hole, LineFacts, LineLoss, Pause, SourceFacts, Span, Spot};
use crate::check::gap::{Gap, Ours};
use crate::check::life::Place;
use crate::config::{Channel, Config};
use crate::line::LineEvent;
use crate::market::Origin;
use crate::pipeline::Intake;
use crate::source::Lost;
use feeds::feed::SequenceUnit;

/// Holes, losses, pauses and events that are kept of one channel at most.
const KEPT_MAX: usize = 1_000;
/// Shorter pauses are nothing to tell.
pub(super) const PAUSE_MIN_NS: u64 = 100_000_000;
/// Moves of peers from this long before a hole belong to it: their flight.
pub(super) const FLIGHT_NS: u64 = 20_000_000;
const MS: u64 = 1_000_000;

#[derive(Default)]
struct LineWatch {
    packets: [u64; 2],
    last_ns: Option<u64>,
    silences: Vec<Pause>,
    /// The current millisecond and the packets in it.
    bin: (u64, u64),
    peak: (u64, u64),
    peak_before: u64,
    behind: (u64, u64),
}

struct ChannelWatch {
    lines: Vec<LineWatch>,
    last_delivery_ns: Option<u64>,
    arrivals_since: u64,
    missing_since: u64,
    facts: ChannelFacts,
    /// The latest arrivals, with how many packets other channels had received by then.
    arrivals: VecDeque<(u64, u64)>,
}

/// Of all channels.
pub(super) struct Channels {
    of: Vec<ChannelWatch>,
    /// By source: the position of its first channel.
    base: Vec<usize>,
    packets: u64,
    window: Span,
    began_ns: u64,
}

impl Channels {
    pub(super) fn new(config: &Config, window: Span, began_ns: u64) -> Channels {
        let (mut of, mut base) = (Vec::new(), Vec::new());
        for source in &config.sources {
            base.push(of.len());
            let unit = source.feed.info().sequence_unit;
            of.extend(source.channels.iter().map(|channel| ChannelWatch::new(channel, unit)));
        }
        Channels { of, base, packets: 0, window, began_ns }
    }

    fn at(&mut self, place: Place) -> Option<&mut ChannelWatch> {
        let position = self.base.get(usize::from(place.source))? + usize::from(place.channel);
        self.of.get_mut(position)
    }

    pub(super) fn arrival(&mut self, now: u64, place: Place, lost: Lost, line_name: bool) {
        self.packets += 1;
        let (window, began_ns, packets) = (self.window, self.began_ns, self.packets);
        let Some(channel) = self.at(place) else { return };
        channel.arrivals_since += 1;
        if channel.arrivals.len() >= 256 {
            channel.arrivals.pop_front();
        }
        channel.facts.counted |= line_name;
        let own: u64 = channel.lines.iter().map(|l| l.packets[0]).sum();
        channel.arrivals.push_back((now, packets - own - 1));
        if window.has(now) {
            channel.facts.own_loss_window += u64::from(lost.socket) + u64::from(lost.host);
        }
        let Some(line) = channel.lines.get_mut(usize::from(place.line)) else { return };
        line.arrival(now, window, began_ns);
    }

    pub(super) fn delivered(&mut self, now: u64, place: Place) {
        let window = self.window;
        let Some(channel) = self.at(place) else { return };
        channel.facts.delivered += 1;
        channel.pause(now, window, false);
        channel.last_delivery_ns = Some(now);
        channel.arrivals_since = 0;
        channel.missing_since = 0;
    }

    pub(super) fn undecodable(&mut self, now: u64, place: Place, gap: &Gap) {
        let Some(channel) = self.at(place) else { return };
        let hole = Hole {
            first: gap.range.first,
            last: gap.range.last,
            count: gap.range.count,
            unit: gap.range.unit,
            before_ns: now,
            began_ns: now,
            undecodable: true,
            ..Hole::default()
        };
        channel.hole(hole);
    }

    pub(super) fn line(&mut self, now: u64, place: Place, event: &LineEvent, ours: Ours) {
        let (window, alert_ns) = (self.window, self.began_ns);
        let Some(channel) = self.at(place) else { return };
        match *event {
            LineEvent::Gap { first, last, count, began_ns, .. } => {
                channel.missing(began_ns, None, count);
                let before_ns = channel.last_delivery_ns.unwrap_or(began_ns).min(began_ns);
                let hole = Hole {
                    first,
                    last,
                    count,
                    unit: channel.facts.unit,
                    before_ns,
                    began_ns,
                    own: [u64::from(ours.socket), u64::from(ours.host)],
                    counted: ours.counted,
                    elsewhere: channel.elsewhere(before_ns, began_ns),
                    ..Hole::default()
                };
                channel.hole(hole);
            }
            LineEvent::LineLost { line, first, last, count, began_ns, .. } => {
                channel.missing(began_ns, Some(line), count);
                channel.line_loss(
                    (window, alert_ns),
                    LineLoss { line, at_ns: began_ns, first, last, count, ..LineLoss::default() },
                );
            }
            LineEvent::LineLate { line, first, last, count, lag_ns } => {
                channel.line_loss(
                    (window, alert_ns),
                    LineLoss { line, at_ns: now, first, last, count, late_ns: lag_ns, ..LineLoss::default() },
                );
            }
            LineEvent::LineLead { loser, lag_ns, sequence, .. } => {
                if window.has(now)
                    && let Some(line) = channel.lines.get_mut(loser)
                {
                    line.behind = (line.behind.0 + 1, line.behind.1.max(lag_ns));
                    if lag_ns >= 10 * MS {
                        let (first, last) = (sequence, sequence);
                        let late = LineLoss {
                            line: loser,
                            at_ns: now,
                            first,
                            last,
                            count: 1,
                            late_ns: lag_ns,
                            ..LineLoss::default()
                        };
                        channel.line_loss((window, alert_ns), late);
                    }
                }
            }
            LineEvent::SessionChanged { .. } => channel.event(now, window, "session_changed"),
            LineEvent::SequenceReset { .. } => channel.event(now, window, "sequence_reset"),
            LineEvent::AbsurdSequence { .. } => channel.event(now, window, "absurd_sequence"),
            LineEvent::Refused { refusal, .. } => channel.event(now, window, refusal.name()),
            LineEvent::EndOfSession { .. } => channel.event(now, window, "end_of_session"),
            _ => {}
        }
    }

    /// Puts everything where it belongs. `unfollowed` are moves by source that nothing matched.
    pub(super) fn finish(
        mut self,
        config: &Config,
        intake: &Intake,
        sources: &mut [SourceFacts],
        unfollowed: &[Vec<u64>],
        data: Span,
        name_of: &dyn Fn(u32) -> String,
    ) {
        let until = data.to_ns.min(self.window.to_ns);
        let mut at = 0;
        for (s, facts) in sources.iter_mut().enumerate() {
            for channel in &config.sources[s].channels {
                let watch = &mut self.of[at];
                let core = &intake.feeder.channels[at].core;
                watch.pause(until, self.window, true);
                let flaw = |name: &str, count: u64, at: &Origin| Flaw {
                    name: name.to_owned(),
                    count,
                    first_ns: at.ts_recv_ns,
                    first: Spot { capture: name_of(at.capture), frame: at.frame, sequence: at.sequence },
                    times_ns: Vec::new(),
                    seals: Vec::new(),
                    refused: false,
                };
                let errors = core.tally.errors.iter();
                watch.facts.errors = errors
                    .map(|(name, e)| Flaw { times_ns: e.times_ns.clone(), ..flaw(name, e.count, &e.at) })
                    .collect();
                // What says nothing against a book: lines that move, bands that are not those of the quotes.
                let beside = ["moved_channel", "quote_outside_price_bands"];
                let contradictions =
                    core.market.contradictions.0.iter().filter(|(name, _)| !beside.contains(name));
                watch.facts.contradictions =
                    contradictions.map(|(name, c)| flaw(name, c.count, &c.first)).collect();
                watch.facts.began_midway = core.market.began_midway();
                let peers = unfollowed.iter().enumerate().filter(|(other, _)| *other != s);
                let moves: Vec<u64> = peers.flat_map(|(_, moves)| moves.iter().copied()).collect();
                for hole in &mut watch.facts.gaps {
                    let span =
                        Span { from_ns: hole.before_ns.saturating_sub(FLIGHT_NS), to_ns: hole.began_ns };
                    hole.peers_moved = moves.iter().filter(|at| span.has(**at)).count() as u64;
                }
                let lines = std::mem::take(&mut watch.lines);
                watch.facts.lines = lines
                    .into_iter()
                    .zip(&channel.lines)
                    .map(|(watch, line)| watch.finish(&line.name, until, self.window))
                    .collect();
                facts.channels.push(std::mem::take(&mut watch.facts));
                at += 1;
            }
        }
    }
}

impl ChannelWatch {
    fn new(channel: &Channel, unit: SequenceUnit) -> ChannelWatch {
        let facts = ChannelFacts {
            name: channel.name.clone(),
            unit,
            separate_interfaces: channel.has_separate_interfaces(),
            ..ChannelFacts::default()
        };
        ChannelWatch {
            lines: channel.lines.iter().map(|_| LineWatch::default()).collect(),
            last_delivery_ns: None,
            arrivals_since: 0,
            missing_since: 0,
            facts,
            arrivals: VecDeque::new(),
        }
    }

    /// Time has come to `now`: whether that ends a pause (or the data end in one).
    fn pause(&mut self, now: u64, window: Span, open: bool) {
        let Some(from_ns) = self.last_delivery_ns else { return };
        let span = Span { from_ns, to_ns: now };
        if span.len_ns() >= PAUSE_MIN_NS && span.meets(&window) && self.facts.pauses.len() < KEPT_MAX {
            let (arrivals, missing) =
                (self.arrivals_since.saturating_sub(u64::from(!open)), self.missing_since);
            self.facts.pauses.push(Pause { span, arrivals, open, missing, ..Pause::default() });
        }
    }

    fn hole(&mut self, hole: Hole) {
        self.missing_since += hole.count;
        if self.facts.gaps.len() < KEPT_MAX {
            self.facts.gaps.push(hole);
        } else {
            self.facts.gaps_unlisted += 1;
        }
    }

    /// So many messages were missing when something came again: on one line, or on all.
    fn missing(&mut self, began_ns: u64, line: Option<usize>, count: u64) {
        for (index, watch) in self.lines.iter_mut().enumerate() {
            if line.is_none_or(|l| l == index)
                && let Some(silence) = watch.silences.iter_mut().rev().find(|s| s.span.to_ns == began_ns)
            {
                silence.missing = silence.missing.max(count);
            }
        }
    }

    /// Those from before the alert make room for its own.
    fn line_loss(&mut self, (window, alert_ns): (Span, u64), loss: LineLoss) {
        let losses = &mut self.facts.line_losses;
        if !window.has(loss.at_ns) {
            return;
        }
        if losses.len() >= KEPT_MAX && losses[0].at_ns < alert_ns && loss.at_ns >= alert_ns {
            losses.remove(0);
        }
        if losses.len() < KEPT_MAX {
            losses.push(loss);
        }
    }

    fn event(&mut self, now: u64, window: Span, name: &str) {
        if window.has(now) && self.facts.sequence_events.len() < KEPT_MAX {
            self.facts.sequence_events.push((name.to_owned(), now));
        }
    }

    /// Packets that other channels received between two moments.
    fn elsewhere(&self, from_ns: u64, to_ns: u64) -> u64 {
        let by = |at: u64| self.arrivals.iter().rev().find(|(t, _)| *t <= at).map(|(_, others)| *others);
        match (by(from_ns), by(to_ns)) {
            (Some(from), Some(to)) => to.saturating_sub(from),
            _ => 0,
        }
    }
}

impl LineWatch {
    fn arrival(&mut self, now: u64, window: Span, began_ns: u64) {
        self.packets[0] += 1;
        self.packets[1] += u64::from(window.has(now));
        let bin = now / MS;
        if self.bin.0 != bin {
            self.bin = (bin, 0);
        }
        self.bin.1 += 1;
        if self.bin.1 > self.peak.0 {
            self.peak = (self.bin.1, bin * MS);
        }
        if (began_ns.saturating_sub(10 * MS)..=began_ns).contains(&now) {
            self.peak_before = self.peak_before.max(self.bin.1);
        }
        if let Some(last) = self.last_ns {
            self.silence(Span { from_ns: last, to_ns: now }, window, false);
        }
        self.last_ns = Some(now);
    }

    fn silence(&mut self, span: Span, window: Span, open: bool) {
        if span.len_ns() >= PAUSE_MIN_NS && span.meets(&window) && self.silences.len() < KEPT_MAX {
            self.silences.push(Pause { span, open, ..Pause::default() });
        }
    }

    fn finish(mut self, name: &str, until_ns: u64, window: Span) -> LineFacts {
        if let Some(last) = self.last_ns {
            self.silence(Span { from_ns: last, to_ns: until_ns }, window, true);
        }
        LineFacts {
            name: name.to_owned(),
            packets: self.packets,
            peak: self.peak,
            peak_before: self.peak_before,
            silences: self.silences,
            behind: self.behind,
        }
    }
}
