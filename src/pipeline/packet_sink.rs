//! What a line delivers, taken into books, quotes and checks: the middle of the pipeline.

use std::marker::PhantomData;

use feeds::Feed;
use feeds::event::Event;
use feeds::feed::{Decoded, PacketHeader, SequenceUnit};
use feeds::wire::WireError;

use super::feeder::{ChannelCore, Common, Shelf, Stages, apart};
use super::note::{LineNote, Note, note_quote, put};
use crate::alert::SequenceRange;
use crate::check::gap::{Gap, Ours};
use crate::check::life::Place;
use crate::line::{Arrival, LineEvent, LineSink};
use crate::market::{Change, Origin, Touched};

/// Messages of a packet from which on it pays that the books look ahead.
const MESSAGES_AHEAD: u32 = 2;

/// Takes deliveries and events of one channel.
pub(super) struct PacketSink<'a, F> {
    state: &'a mut ChannelCore,
    common: &'a mut Common,
    shelf: &'a mut dyn Shelf,
    out: &'a mut Vec<Note>,
    /// The stage clock when work on the datagram began.
    started: u64,
    /// Line of the copy that is delivered.
    line: u16,
    feed: PhantomData<F>,
}

impl<'a, F: Feed> PacketSink<'a, F> {
    pub(super) fn new(
        state: &'a mut ChannelCore,
        common: &'a mut Common,
        shelf: &'a mut dyn Shelf,
        out: &'a mut Vec<Note>,
        started: u64,
    ) -> Self {
        PacketSink { state, common, shelf, out, started, line: 0, feed: PhantomData }
    }

    fn split(&self, payload: &[u8], at: usize) -> Result<Option<feeds::feed::Span>, WireError> {
        if self.state.bare {
            return Ok((at < payload.len()).then_some(feeds::feed::Span { start: at, end: payload.len() }));
        }
        F::split(payload, at)
    }

    fn stage_clock(&self) -> Option<&dyn crate::latency::StageClock> {
        match &self.common.stages {
            Stages::Apart(clock) if self.started != 0 => Some(clock.as_ref()),
            _ => None,
        }
    }

    fn stamp(&self) -> u64 {
        self.stage_clock().map_or(0, |clock| clock.now_ns())
    }

    /// Runs `each` over the wanted messages, with their sequence numbers and their places in the packet.
    fn messages(
        &mut self,
        header: &PacketHeader,
        payload: &[u8],
        (skip, take): (u32, u32),
        mut each: impl FnMut(&mut Self, (u64, u32), &[u8]) -> Result<(), WireError>,
    ) {
        let by_message = F::INFO.sequence_unit == SequenceUnit::Message;
        let (mut at, mut index) = (header.len, 0u32);
        // The framing was checked when the packet came in: it ends where the payload does.
        while let Ok(Some(span)) = self.split(payload, at) {
            at = span.end.max(at + 1);
            let wanted = !by_message || (index >= skip && index - skip < take);
            let (number, place) = (if by_message { u64::from(index) } else { 0 }, index);
            index += 1;
            if !wanted {
                continue;
            }
            let sequence = header.sequence.wrapping_add(number);
            if let Err(error) = each(self, (sequence, place), &payload[span.start..span.end]) {
                self.undecodable(sequence, &error.shifted(span.start));
            }
        }
    }

    /// A message that cannot be understood is lost, and with it what it would have changed.
    fn undecodable(&mut self, sequence: u64, error: &WireError) {
        let mut origin = self.state.origin;
        origin.sequence = sequence;
        self.state.tally.error(error, &origin);
        self.state.market.mark_gap();
        self.state.had_suspects = true;
        let gap = Gap {
            range: SequenceRange { first: sequence, last: sequence, count: 1, unit: F::INFO.sequence_unit },
            began: self.common.now,
            reason: "undecodable",
            suspects: self.state.market.suspects() as u64,
            ours: Ours::default(),
        };
        put(self.out, || Note::Gap { place: self.state.place, gap: Box::new(gap) });
    }

    fn line_note(&mut self, event: LineEvent, suspects: u64, ours: Ours) {
        let said = Box::new(LineNote { event, suspects, ours });
        put(self.out, || Note::Line { place: self.state.place, said });
    }

    fn decode_only(&mut self, header: &PacketHeader, payload: &[u8], part: (u32, u32)) {
        self.messages(header, payload, part, |_, _, message| {
            let mut events = 0u64;
            let decoded = F::decode(message, header, &mut |_, event: Event<'_>| {
                std::hint::black_box(&event);
                events += 1;
            });
            std::hint::black_box((decoded.is_ok(), events));
            Ok(())
        });
    }

    fn publish(&mut self) {
        let source = self.state.place.source;
        let registry = &mut self.common.registries[usize::from(source)];
        let touched = &mut self.common.touched;
        let market = &mut self.state.market;
        market.publish(&self.state.origin, registry, touched);
        if registry.has_changes() {
            for change in registry.take_changes() {
                if let Change::Rename(id, name) = &change {
                    self.shelf.rename(source, *id, name);
                }
                self.out.push(Note::Change { source, change: Box::new(change) });
            }
        }
        let registry = &*registry;
        let mut told_origin = false;
        for Touched { view, changed, book } in touched.drain(..) {
            if !changed && book.is_some_and(|slot| market.is_deep(slot)) {
                continue;
            }
            let shown = &registry.views[view as usize];
            let Some(quote) = shown.quote.as_ref().filter(|_| changed) else {
                put(self.out, || Note::View { source, view });
                continue;
            };
            self.shelf.show(view, shown, registry, book.map(|slot| (&*market, slot)));
            book.iter().for_each(|slot| market.shown(*slot));
            if !std::mem::replace(&mut told_origin, true) {
                // Quotes that became others with this packet all come from it.
                put(self.out, || Note::origin(&self.state.origin));
            }
            note_quote(source, view, quote, self.out);
        }
        while let Some((slot, view)) = market.take_deep() {
            let shown = &registry.views[view as usize];
            self.shelf.show(view, shown, registry, Some((&*market, slot)));
            // What lies behind the best is an update all the same.
            put(self.out, || Note::View { source, view });
        }
        put(self.out, || Note::Publish);
        if self.state.had_suspects && self.state.market.suspects() == 0 {
            self.state.had_suspects = false;
            self.out.push(Note::BooksWhole { place: self.state.place });
        }
    }

    fn book(&mut self, header: &PacketHeader, payload: &[u8], part: (u32, u32)) {
        // What a packet will touch is known before it is applied. Where messages are kept, each is looked at as it is.
        let ahead = header.count >= MESSAGES_AHEAD && self.common.messages.is_none();
        let by_message_clock = header.ts_send_ns.is_none();
        let mut clock = MessageClock::default();
        self.messages(header, payload, part, |sink, place, message| {
            let ts = match if ahead { sink.take_ahead(place, message) } else { None } {
                Some(ts) => ts,
                None => sink.take(header, place, message)?,
            };
            if by_message_clock && ts != 0 {
                let (place, origin) = (sink.state.place, &sink.state.origin);
                let ts_recv_ns = origin.ts_recv_ns;
                clock.at(origin.ts_event_ns, |ts_ns| {
                    put(sink.out, || Note::Clock { place, ts_ns, ts_recv_ns })
                });
            }
            Ok(())
        });
        self.state.market.finish(&self.state.origin);
        let (place, ts_recv_ns) = (self.state.place, self.state.origin.ts_recv_ns);
        clock.end(|ts_ns| put(self.out, || Note::Clock { place, ts_ns, ts_recv_ns }));
    }

    /// Takes a message that changes one order, to be applied with others, and answers the venue's time in it, 0 without
    /// one; `None` for any other message.
    #[inline]
    fn take_ahead(&mut self, (sequence, _): (u64, u32), message: &[u8]) -> Option<u64> {
        let said = F::order_message(message)?;
        let ChannelCore { market, time, origin, tally, place, .. } = &mut *self.state;
        let registry = &self.common.registries[usize::from(place.source)];
        let ts_event_ns = match said.ts {
            0 => origin.ts_event_ns,
            ts => time.unix_ns(ts, origin.ts_recv_ns),
        };
        if !market.take_ahead(&said, (sequence, ts_event_ns), registry) {
            return None;
        }
        (origin.sequence, origin.ts_event_ns) = (sequence, ts_event_ns);
        tally.message(Decoded::Message(said.message));
        Some(said.ts)
    }

    /// Applies the events of a message, after all that was taken before it, and answers the venue's time of the last, 0
    /// without one.
    #[inline]
    fn take(
        &mut self,
        header: &PacketHeader,
        (sequence, message_place): (u64, u32),
        message: &[u8],
    ) -> Result<u64, WireError> {
        self.state.market.finish(&self.state.origin);
        self.state.origin.sequence = sequence;
        let ChannelCore { market, time, origin, tally, place, .. } = &mut *self.state;
        let Common { registries, messages, .. } = &mut *self.common;
        let registry = &mut registries[usize::from(place.source)];
        let mut latest = 0;
        let decoded = F::decode(message, header, &mut |ts: u64, event: Event<'_>| {
            if ts != 0 {
                latest = ts;
                origin.ts_event_ns = time.unix_ns(ts, origin.ts_recv_ns);
            }
            market.apply(&event, origin, registry);
            if let Some(messages) = messages {
                messages.fact(&event, place.source, market, registry);
            }
        });
        let decoded = decoded.inspect_err(|_| messages.iter_mut().for_each(|m| m.forget()))?;
        tally.message(decoded);
        if let Some(messages) = messages {
            let place = Place { line: self.line, ..*place };
            messages.end::<F>(message, message_place, place, origin, (market, registry));
        }
        Ok(latest)
    }
}

/// Timestamps of a packet's messages, told only where they turn: what rises is told by its end.
#[derive(Debug, Default)]
struct MessageClock {
    latest_ns: Option<u64>,
}

impl MessageClock {
    fn at(&mut self, ts_ns: u64, tell: impl FnOnce(u64)) {
        match self.latest_ns.replace(ts_ns) {
            Some(latest_ns) if ts_ns < latest_ns => tell(latest_ns),
            _ => {}
        }
    }

    fn end(self, tell: impl FnOnce(u64)) {
        if let Some(latest_ns) = self.latest_ns {
            tell(latest_ns);
        }
    }
}

impl<F: Feed> LineSink for PacketSink<'_, F> {
    fn deliver(&mut self, arrival: &Arrival, header: &PacketHeader, payload: &[u8], skip: u32, take: u32) {
        if !self.state.delivered {
            self.state.delivered = true;
            self.state.market.set_started_whole(header.sequence == 1 && !self.state.bare);
        }
        self.state.origin = Origin {
            ts_event_ns: 0,
            ts_recv_ns: arrival.ts_recv_ns,
            sequence: header.sequence,
            capture: arrival.capture,
            frame: arrival.frame,
        };
        self.line = arrival.line as u16;
        let part = (skip, take);
        let place = self.state.place;
        let mut decoded_at = None;
        if self.stage_clock().is_some() {
            // Decoding alone, for its own figure; the messages are decoded again as they are booked.
            self.decode_only(header, payload, part);
            decoded_at = Some(self.stamp());
        }
        self.book(header, payload, part);
        if let Some(decoded_at) = decoded_at {
            let decoded_ns = decoded_at.saturating_sub(self.started);
            let booked_ns = self.stamp().saturating_sub(decoded_at);
            put(self.out, || Note::Stages { place, decoded_ns, booked_ns });
        }
        let ts_recv_ns = arrival.ts_recv_ns;
        put(self.out, || Note::Delivered {
            at: [place.source, place.channel, place.line],
            session: [header.session as u64, (header.session >> 64) as u64],
            sequence: header.sequence,
            ts_recv_ns,
        });
        self.publish();
        // A file of bare messages has no receive times but those of its messages: they say nothing about a way.
        if self.state.origin.ts_event_ns != 0 && !self.state.bare {
            let latency_ns = apart(ts_recv_ns, self.state.origin.ts_event_ns);
            put(self.out, || Note::Event { place, latency_ns });
        }
    }

    fn line_event(&mut self, _: u64, event: LineEvent) {
        self.state.tally.line_event(name(&event));
        match event {
            LineEvent::Gap { began_ns, count, .. } => {
                self.state.market.mark_gap();
                self.state.had_suspects = true;
                let suspects = self.state.market.suspects() as u64;
                let ours = self.state.ours(began_ns);
                if ours.dropped() {
                    self.state.missing_ours += count;
                }
                self.line_note(event, suspects, ours);
                // Suspect before anything else is published.
                self.publish();
            }
            LineEvent::SessionChanged { first, .. } | LineEvent::SequenceReset { first, .. } => {
                self.state.market.restart();
                self.state.market.set_started_whole(first == 1);
                self.line_note(event, 0, Ours::default());
                self.publish();
            }
            LineEvent::LineLost { began_ns, line, count, in_gap, .. } => {
                if let Some(missed) = self.state.missed.get_mut(line) {
                    *missed += count.saturating_sub(in_gap);
                }
                self.line_note(event, 0, self.state.ours(began_ns));
            }
            LineEvent::LineLead { winner, loser, lag_ns, sequence, .. } => {
                let (place, winner, loser) = (self.state.place, winner as u16, loser as u16);
                put(self.out, || Note::Lead { place, winner, loser, lag_ns, sequence });
            }
            // Counted where it is seen; nothing is judged by it.
            LineEvent::Heartbeat { .. } | LineEvent::Duplicate { .. } => {}
            _ => self.line_note(event, 0, Ours::default()),
        }
    }
}

fn name(event: &LineEvent) -> &'static str {
    match event {
        LineEvent::Gap { .. } => "gap",
        LineEvent::GapFilled { .. } => "gap_filled",
        LineEvent::Recovered { .. } => "recovered",
        LineEvent::LineLost { .. } => "line_lost",
        LineEvent::LineLate { .. } => "line_late",
        LineEvent::LineLead { .. } => "line_lead",
        LineEvent::Duplicate { .. } => "duplicate",
        LineEvent::SessionChanged { .. } => "session_changed",
        LineEvent::SequenceReset { .. } => "sequence_reset",
        LineEvent::AbsurdSequence { .. } => "absurd_sequence",
        LineEvent::SessionDoubted { .. } => "session_doubted",
        LineEvent::Refused { refusal, .. } => refusal.name(),
        LineEvent::Heartbeat { .. } => "heartbeat",
        LineEvent::EndOfSession { .. } => "end_of_session",
    }
}
