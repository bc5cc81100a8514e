//! How arrivals and losses reach the checks: sources, channels, lines.

use super::gap::{Gap, Lost, Ours};
use super::line::Fault;
use super::silent::{Expectation, Who};
use super::timers::is_due;
use super::*;
use crate::alert::SequenceRange;
use crate::line::LineEvent;

/// Where something arrived. A word of its own: it is in every note, and six bytes at an odd place are copied in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(8))]
pub struct Place {
    /// Source.
    pub source: SourceId,
    /// Channel of it.
    pub channel: u16,
    /// Line of that.
    pub line: u16,
}

impl Comparator {
    /// The data begins.
    pub fn start(&mut self, now: u64) {
        if self.started.is_some() {
            return;
        }
        self.started = Some(now);
        for source in 0..self.sources.len() as SourceId {
            self.arm_source(source);
            for channel in 0..self.sources[usize::from(source)].channels.len() as u16 {
                self.arm_channel(source, channel);
            }
        }
    }

    /// A packet arrived, whatever it holds; said before its messages take effect. `fresh` when no other line of the
    /// channel brought it before.
    pub fn on_arrival(&mut self, now: u64, place: Place, fresh: bool, registry: &Registry) {
        self.start(now);
        self.timers.reached(now);
        let Place { source, channel, line } = place;
        let judge = &mut self.sources[usize::from(source)];
        judge.alive_since.get_or_insert(now);
        judge.learn_gap(now);
        let resumed = judge.life.arrived(now, &mut self.desk, registry);
        let chan = &mut judge.channels[usize::from(channel)];
        // The end of a session may be said many times: only something new takes it back.
        if fresh {
            chan.resume(now);
        }
        chan.life.arrived(now, &mut self.desk, registry);
        for (i, other) in chan.lines.iter_mut().enumerate() {
            if i == usize::from(line) {
                other.life.arrived(now, &mut self.desk, registry);
            } else if fresh {
                other.life.peer_arrived(now);
            }
        }
        for index in 0..self.sources[usize::from(source)].proves.len() {
            let other = self.sources[usize::from(source)].proves[index];
            self.sources[usize::from(other)].life.peer_active(now);
            self.arm_source(other);
        }
        self.arm_source(source);
        self.arm_channel(source, channel);
        if resumed {
            self.judge_source(now, source, registry);
        }
        let judge = &self.sources[usize::from(source)];
        if !judge.waiting.is_empty() || !judge.waiting_views.is_empty() {
            self.judge_waiting(now, source, registry);
        }
    }

    /// What waited for a sign of life of the source has one.
    fn judge_waiting(&mut self, now: u64, source: SourceId, registry: &Registry) {
        for pair in std::mem::take(&mut self.sources[usize::from(source)].waiting) {
            let waiting = &mut self.pairs[pair as usize];
            let position = self.relations[waiting.relation as usize].position(source);
            waiting.mark_waiting(position, false);
            self.judge_pair(now, pair, registry);
        }
        for view in std::mem::take(&mut self.sources[usize::from(source)].waiting_views) {
            let stale = &mut self.views[view as usize].stale;
            stale.since_silence(self.sources[usize::from(source)].silences);
            let at = stale.known_alive(now);
            self.timers.arm(TimerKey::Stale(view), at, &mut stale.armed);
        }
    }

    /// A packet was delivered: matched with the same packet of another source of the feed. Said before its quotes.
    pub fn on_delivered(&mut self, now: u64, place: Place, session: u128, sequence: u64, ts_recv_ns: u64) {
        let Place { source, channel, .. } = place;
        let ordinal = self.sources[usize::from(source)].channels[usize::from(channel)].ordinal;
        for index in 0..self.sources[usize::from(source)].relations.len() {
            let relation = self.sources[usize::from(source)].relations[index] as usize;
            let Some(packets) = &mut self.packets[relation] else { continue };
            let position = self.relations[relation].position(source);
            let (matched, given_up) = packets.delivered(position, (ordinal, session, sequence), ts_recv_ns);
            if matched.is_some() {
                self.relations[relation].repeats = Some((now, position));
            }
            self.record_match(relation, now, matched, given_up);
        }
    }

    /// Sources of one feed that are to be matched packet by packet from the first one on.
    pub fn pair_feeds(&mut self) {
        for a in 0..self.feeds.len() as SourceId {
            for b in a + 1..self.feeds.len() as SourceId {
                let (x, y) = (usize::from(a), usize::from(b));
                if self.feeds[x].is_some()
                    && self.feeds[x] == self.feeds[y]
                    && self.venues[x] == self.venues[y]
                {
                    self.relation(self.now, a, b);
                }
            }
        }
    }

    /// Something about a channel or a line. `suspects` is the number of instruments that are suspect by now.
    pub fn on_line_event(
        &mut self,
        now: u64,
        place: Place,
        event: &LineEvent,
        suspects: u64,
        ours: Ours,
        registry: &Registry,
    ) {
        let Place { source, channel, .. } = place;
        let unit = self.feeds[usize::from(source)].map_or_else(Default::default, |f| f.info().sequence_unit);
        let range = |first, last, count| SequenceRange { first, last, count, unit };
        match *event {
            LineEvent::Gap { first, last, count, began_ns, reason } => {
                let gap = Gap {
                    range: range(first, last, count),
                    began: began_ns,
                    reason: reason.name(),
                    suspects,
                    ours,
                };
                self.on_gap(now, place, gap, registry);
            }
            LineEvent::GapFilled { first, last, count, .. } => {
                let chan = &mut self.sources[usize::from(source)].channels[usize::from(channel)];
                chan.gaps.filled(now, range(first, last, count), &mut self.desk, registry);
            }
            LineEvent::LineLost { line, first, last, count, in_gap, began_ns } => {
                if in_gap >= count {
                    self.desk.hold(Kind::Line, "told_as_gap");
                    return;
                }
                let fault =
                    Fault { range: range(first, last, count - in_gap), began: began_ns, lag_ns: None, ours };
                self.line_fault(now, place, line, fault, registry);
            }
            LineEvent::LineLead { loser, lag_ns, sequence, .. } => {
                let late = self.rules.source(Kind::Line, source).is_some_and(|c| lag_ns > c.lag_limit_ns);
                if late {
                    let began = now.saturating_sub(lag_ns);
                    let range = range(sequence, sequence, 1);
                    let fault = Fault { range, began, lag_ns: Some(lag_ns), ours };
                    self.line_fault(now, place, loser, fault, registry);
                }
            }
            LineEvent::SessionChanged { .. } | LineEvent::SequenceReset { .. } => {
                self.books_restarted(now, place, "new_session", registry);
                self.sources[usize::from(source)].channels[usize::from(channel)].resume(now);
                self.arm_source(source);
                self.arm_channel(source, channel);
            }
            LineEvent::EndOfSession { .. } => {
                let judge = &mut self.sources[usize::from(source)];
                judge.channels[usize::from(channel)].ended = true;
            }
            _ => {}
        }
    }

    /// Messages of a channel are lost for good.
    pub fn on_gap(&mut self, now: u64, place: Place, gap: Gap, registry: &Registry) {
        let Some(check) = self.rules.source(Kind::Gap, place.source) else { return };
        let chan = &mut self.sources[usize::from(place.source)].channels[usize::from(place.channel)];
        let name = chan.name.as_str();
        let who =
            Lost { source: place.source, channel: name, lines: chan.lines.len(), separate: chan.separate };
        chan.gaps.tell(now, who, gap, check, &mut self.desk, registry);
    }

    /// No instrument of the channel is suspect any more, for `reason`.
    pub fn books_restarted(&mut self, now: u64, place: Place, reason: &str, registry: &Registry) {
        let chan = &mut self.sources[usize::from(place.source)].channels[usize::from(place.channel)];
        if chan.gaps.is_open() {
            chan.gaps.clear(now, reason, &mut self.desk, registry);
        }
    }

    fn line_fault(&mut self, now: u64, place: Place, line: usize, fault: Fault, registry: &Registry) {
        let Place { source, channel, .. } = place;
        let Some(check) = self.rules.source(Kind::Line, source) else { return };
        let chan = &mut self.sources[usize::from(source)].channels[usize::from(channel)];
        let Some(state) = chan.lines.get_mut(line) else { return };
        let who = (source, chan.name.as_str(), state.name.as_str());
        let at = state.judge.tell(now, who, fault, check, &mut self.desk, registry);
        let key = TimerKey::LineGood(source, channel, line as u16);
        self.timers.arm(key, at, &mut state.judge.armed);
    }

    fn expectation(&self, source: SourceId) -> Option<(Expectation, &crate::config::Check)> {
        let check = self.rules.source(Kind::Silent, source)?;
        let feed = self.feeds[usize::from(source)]?;
        let started = self.started?;
        Some((
            Expectation { after_ns: check.after_ns, heartbeat_ns: feed.info().heartbeat_ns, started },
            check,
        ))
    }

    fn arm_source(&mut self, source: SourceId) {
        let judge = &self.sources[usize::from(source)];
        if judge.silent_after_ns.is_none_or(|after| judge.life.is_armed(after)) {
            return;
        }
        let Some((expect, _)) = self.expectation(source) else { return };
        let judge = &mut self.sources[usize::from(source)];
        if judge.channels.iter().all(|c| c.ended) {
            return;
        }
        let at = judge.life.due(&expect, false);
        self.timers.arm(TimerKey::Source(source), at, &mut judge.life.armed);
    }

    fn arm_channel(&mut self, source: SourceId, channel: u16) {
        let judge = &self.sources[usize::from(source)];
        if judge.channels.len() == 1 && judge.channels[usize::from(channel)].lines.len() == 1 {
            // The silence of the only one is its source's.
            return;
        }
        let Some((expect, _)) = self.expectation(source) else { return };
        let judge = &mut self.sources[usize::from(source)];
        let several = judge.channels.len() > 1;
        let chan = &mut judge.channels[usize::from(channel)];
        if chan.ended {
            return;
        }
        if several {
            let at = chan.life.due(&expect, false);
            self.timers.arm(TimerKey::Channel(source, channel), at, &mut chan.life.armed);
        }
        for (line, state) in chan.lines.iter_mut().enumerate() {
            let at = state.life.due(&expect, true);
            self.timers.arm(TimerKey::Line(source, channel, line as u16), at, &mut state.life.armed);
        }
    }

    /// A silence may have lasted long enough. What is wider goes first: a channel whose source fell silent with it
    /// waits for the source's own deadline, a line for its channel's.
    pub(super) fn fire_life(&mut self, at: u64, key: TimerKey, registry: &Registry) {
        match key {
            TimerKey::Source(source) => self.fire_source(at, source, registry),
            TimerKey::Channel(source, channel) => self.fire_channel(at, source, channel, registry),
            TimerKey::Line(source, channel, line) => self.fire_line(at, source, channel, line, registry),
            _ => {}
        }
    }

    fn fire_source(&mut self, at: u64, source: SourceId, registry: &Registry) {
        let life = &mut self.sources[usize::from(source)].life;
        if !is_due(&mut life.armed, at) {
            return;
        }
        let Some((expect, check)) = self.expectation(source) else { return };
        let check = check.clone();
        let judge = &mut self.sources[usize::from(source)];
        if judge.channels.iter().all(|c| c.ended) {
            return;
        }
        let due = judge.life.due(&expect, false);
        if at < due {
            self.timers.arm(TimerKey::Source(source), due, &mut judge.life.armed);
            return;
        }
        for chan in &mut judge.channels {
            chan.life.drop(at, "told_as_source", &mut self.desk, registry);
            chan.lines.iter_mut().for_each(|l| l.life.drop(at, "told_as_source", &mut self.desk, registry));
        }
        let only = (judge.channels.len() == 1).then(|| judge.channels[0].name.as_str());
        let who = Who { source, channel: only, line: None, instruments: judge.instruments };
        judge.life.tell(at, &who, &check, expect.started, &mut self.desk, registry);
        self.judge_source(at, source, registry);
    }

    fn fire_channel(&mut self, at: u64, source: SourceId, channel: u16, registry: &Registry) {
        let Some((expect, check)) = self.expectation(source).map(|(e, c)| (e, c.clone())) else { return };
        let judge = &mut self.sources[usize::from(source)];
        let wider = judge.life.last().unwrap_or(expect.started);
        let (silent, chan) = (judge.life.is_silent(), &mut judge.channels[usize::from(channel)]);
        if !is_due(&mut chan.life.armed, at) || silent || chan.ended {
            return;
        }
        let mut due = chan.life.due(&expect, false);
        if wider.saturating_add(expect.after_ns / 2) < at {
            due = due.max(wider.saturating_add(expect.after_ns).saturating_add(1));
        }
        if at < due {
            self.timers.arm(TimerKey::Channel(source, channel), due, &mut chan.life.armed);
            return;
        }
        chan.lines.iter_mut().for_each(|l| l.life.drop(at, "told_as_channel", &mut self.desk, registry));
        let name = chan.name.as_str();
        let who = Who { source, channel: Some(name), line: None, instruments: 0 };
        chan.life.tell(at, &who, &check, expect.started, &mut self.desk, registry);
    }

    fn fire_line(&mut self, at: u64, source: SourceId, channel: u16, line: u16, registry: &Registry) {
        let Some((expect, check)) = self.expectation(source).map(|(e, c)| (e, c.clone())) else { return };
        let judge = &mut self.sources[usize::from(source)];
        let source_silent = judge.life.is_silent();
        let chan = &mut judge.channels[usize::from(channel)];
        // What the channel waits for, the line waits for too.
        let source_last = judge.life.last().unwrap_or(expect.started);
        let source_quiet = source_last.saturating_add(expect.after_ns / 2) < at;
        let chan_last = chan.life.last().unwrap_or(expect.started);
        let wider = if source_quiet { source_last } else { chan_last };
        let silent = source_silent || chan.life.is_silent() || chan.ended;
        let state = &mut chan.lines[usize::from(line)];
        if !is_due(&mut state.life.armed, at) || silent {
            return;
        }
        let mut due = state.life.due(&expect, true);
        if wider.saturating_add(expect.after_ns / 2) < at && expect.heartbeat_ns <= expect.after_ns {
            due = due.max(wider.saturating_add(expect.after_ns).saturating_add(1));
        }
        if at < due {
            self.timers.arm(TimerKey::Line(source, channel, line), due, &mut state.life.armed);
            return;
        }
        let who = Who { source, channel: Some(&chan.name), line: Some(&state.name), instruments: 0 };
        state.life.tell(at, &who, &check, expect.started, &mut self.desk, registry);
    }
}
