//! What a line delivers, taken into books, quotes and checks: the middle of the pipeline.

use std::marker::PhantomData;

use feeds::Feed;
use feeds::event::Event;
use feeds::feed::{PacketHeader, SequenceUnit};
use feeds::wire::WireError;

use super::{ChannelCore, ChannelSeries, Shared, apart};
use crate::alert::SequenceRange;
use crate::check::gap::Gap;
use crate::line::{Arrival, LineEvent, LineSink};
use crate::market::Origin;

/// Takes deliveries and events of one channel.
pub(super) struct PacketSink<'a, F> {
    state: &'a mut ChannelCore,
    shared: &'a mut Shared,
    /// When work on the datagram began, where stages are timed.
    started: Option<u64>,
    feed: PhantomData<F>,
}

impl<'a, F: Feed> PacketSink<'a, F> {
    pub(super) fn new(state: &'a mut ChannelCore, shared: &'a mut Shared, started: Option<u64>) -> Self {
        PacketSink { state, shared, started, feed: PhantomData }
    }

    fn split(&self, payload: &[u8], at: usize) -> Result<Option<feeds::feed::Span>, WireError> {
        if self.state.bare {
            return Ok((at < payload.len()).then_some(feeds::feed::Span { start: at, end: payload.len() }));
        }
        F::split(payload, at)
    }

    /// Runs `each` over the wanted messages, with their sequence numbers.
    fn messages(
        &mut self,
        header: &PacketHeader,
        payload: &[u8],
        (skip, take): (u32, u32),
        mut each: impl FnMut(&mut Self, u64, &[u8]) -> Result<(), WireError>,
    ) {
        let by_message = F::INFO.sequence_unit == SequenceUnit::Message;
        let (mut at, mut index) = (header.len, 0u32);
        // The framing was checked when the packet came in: it ends where the payload does.
        while let Ok(Some(span)) = self.split(payload, at) {
            at = span.end.max(at + 1);
            let wanted = !by_message || (index >= skip && index - skip < take);
            let number = if by_message { u64::from(index) } else { 0 };
            index += 1;
            if !wanted {
                continue;
            }
            let sequence = header.sequence.wrapping_add(number);
            if let Err(error) = each(self, sequence, &payload[span.start..span.end]) {
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
        let now = self.shared.comparator.now();
        let gap = Gap {
            range: SequenceRange { first: sequence, last: sequence, count: 1 },
            began: now,
            reason: "undecodable",
            suspects: self.state.market.suspects() as u64,
        };
        self.shared.comparator.on_gap(now, self.state.place, gap, &self.shared.registry);
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

    fn stamp(&self) -> u64 {
        self.shared.stages.as_ref().map_or(0, |clock| clock.now_ns())
    }

    fn publish(&mut self, now: u64) {
        let Shared { registry, touched, .. } = &mut *self.shared;
        self.state.market.publish(&self.state.origin, registry, touched);
        self.shared.publish(now);
        let suspects = self.state.market.suspects();
        if self.state.had_suspects && suspects == 0 {
            self.state.had_suspects = false;
            self.shared.comparator.books_restarted(
                now,
                self.state.place,
                "books_whole",
                &self.shared.registry,
            );
        }
    }

    fn book(&mut self, now: u64, header: &PacketHeader, payload: &[u8], part: (u32, u32)) {
        let by_message_clock = header.ts_send_ns.is_none();
        self.messages(header, payload, part, |sink, sequence, message| {
            sink.state.origin.sequence = sequence;
            let ChannelCore { market, time, origin, tally, .. } = &mut *sink.state;
            let registry = &mut sink.shared.registry;
            let mut latest = 0;
            let decoded = F::decode(message, header, &mut |ts: u64, event: Event<'_>| {
                if ts != 0 {
                    latest = ts;
                    origin.ts_event_ns = time.unix_ns(ts, origin.ts_recv_ns);
                }
                market.apply(&event, origin, registry);
            })?;
            tally.message(decoded);
            if by_message_clock && latest != 0 {
                let (place, origin) = (sink.state.place, sink.state.origin);
                let Shared { comparator, registry, .. } = &mut *sink.shared;
                comparator.observe_clock(now, place, origin.ts_event_ns, origin.ts_recv_ns, registry);
            }
            Ok(())
        });
    }
}

impl<F: Feed> LineSink for PacketSink<'_, F> {
    fn deliver(&mut self, arrival: &Arrival, header: &PacketHeader, payload: &[u8], skip: u32, take: u32) {
        let now = self.shared.comparator.advance_to(arrival.now_ns);
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
        let part = (skip, take);
        let ChannelSeries { event, decoded, booked: to_booked, compared: to_compared, .. } =
            self.state.series;
        if let (Some(started), Some(series)) = (self.started, decoded) {
            // Decoding alone, for its own figure; the messages are decoded again as they are booked.
            self.decode_only(header, payload, part);
            let elapsed = self.stamp().saturating_sub(started);
            self.shared.comparator.recorder.record(series, now, elapsed as i64);
        }
        let before = self.stamp();
        self.book(now, header, payload, part);
        let booked = self.stamp();
        let place = self.state.place;
        self.shared.comparator.on_delivered(now, place, header.session, header.sequence, arrival.ts_recv_ns);
        self.publish(now);
        let recorder = &mut self.shared.comparator.recorder;
        if self.state.origin.ts_event_ns != 0 {
            let latency = apart(arrival.ts_recv_ns, self.state.origin.ts_event_ns);
            recorder.record(event, now, latency);
        }
        if let (Some(a), Some(b)) = (to_booked, to_compared) {
            recorder.record(a, now, booked.saturating_sub(before) as i64);
            let compared = self.shared.stages.as_ref().map_or(0, |clock| clock.now_ns());
            self.shared.comparator.recorder.record(b, now, compared.saturating_sub(booked) as i64);
        }
    }

    fn line_event(&mut self, now_ns: u64, event: LineEvent) {
        let now = self.shared.comparator.advance_to(now_ns);
        self.state.tally.line_event(name(&event));
        let place = self.state.place;
        match event {
            LineEvent::Gap { .. } => {
                self.state.market.mark_gap();
                self.state.had_suspects = true;
                let suspects = self.state.market.suspects() as u64;
                self.shared.comparator.on_line_event(now, place, &event, suspects, &self.shared.registry);
                // Suspect before anything else is published.
                self.publish(now);
            }
            LineEvent::SessionChanged { first, .. } | LineEvent::SequenceReset { first, .. } => {
                self.state.market.restart();
                self.state.market.set_started_whole(first == 1);
                self.shared.comparator.on_line_event(now, place, &event, 0, &self.shared.registry);
                self.publish(now);
            }
            LineEvent::LineLead { winner, loser, lag_ns, .. } => {
                let lines = &self.state.series.lines;
                let signed = if winner == 0 { lag_ns as i64 } else { -(lag_ns as i64) };
                // Leads are told against the first line; between two others they are counted in its figures only.
                let against = if winner == 0 { loser } else { winner };
                if (winner == 0 || loser == 0)
                    && against > 0
                    && let Some(series) = lines.get(against - 1)
                {
                    self.shared.comparator.recorder.record(*series, now, signed);
                }
                self.shared.comparator.on_line_event(now, place, &event, 0, &self.shared.registry);
            }
            _ => self.shared.comparator.on_line_event(now, place, &event, 0, &self.shared.registry),
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
