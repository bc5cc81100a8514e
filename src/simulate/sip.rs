//! The consolidator: learns of the venue's round-lot best one flight later, keeps two more participants'
//! quotes beside it, and says all of them and the national best.
//!
//! What it gets wrong on purpose, it gets wrong here; transport is elsewhere. It never looks into a book:
//! the venue's best is handed to it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::rc::Rc;

use super::faults::{Fault, Kind, SourceId, clock_error_ns, only_heartbeats};
use super::flow::TICK;
use super::lately::{Lately, in_burst};
use super::packet::Blocks;
use super::rng::Rng;
use super::scenario::Scenario;
use super::shown::Effect;
use super::timebase::Timebase;
use super::uqdf::{self, Best, Lots, National, Quote, Times};

/// Participants, the simulated venue first: Nasdaq, NYSE Arca, Cboe EDGX by their UTP codes.
pub const PARTICIPANTS: [u8; 3] = *b"QPK";

/// Something that the SIP will do about an instrument.
#[allow(missing_docs, reason = "a variant's line says what its fields are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// A quote of the venue has come in: sides as price and round lots.
    Arrived { bid: Lots, ask: Lots, venue_ns: u64 },
    /// Say the venue's quote again if what was said is not what is known (or even so).
    Restate { even_so: bool },
    /// Another participant moves.
    Other { which: usize },
    /// A trading action.
    State { code: u8 },
    /// Go on quoting through a halt that was missed.
    Echo { until_ns: u64 },
    /// Say an old quote of a participant as if it were new.
    Again { which: usize, quote: Quote },
    /// Say a quote of the venue that is only a test, and again until then.
    Test { price: u32, until_ns: u64 },
    /// Say price bands, `percent` of what they should be.
    Bands { percent: u64 },
}

#[derive(Debug, Clone, Default)]
pub(super) struct Instrument {
    pub(super) symbol: String,
    /// What the venue's quote is, as far as has come in.
    pub(super) known: Quote,
    /// What it is for those that do not wait for a port of the SIP.
    pub(super) fresh: Quote,
    known_venue_ns: u64,
    /// What was said last, per participant.
    said: [Quote; 3],
    national: National,
    halted: bool,
    due_last_ns: u64,
}

/// The consolidator's state.
#[derive(Debug)]
pub struct Sip {
    pub(super) faults: Rc<[Fault]>,
    timebase: Timebase,
    pub(super) instruments: Vec<Instrument>,
    queue: BinaryHeap<Reverse<(u64, u64, usize, Task)>>,
    pub(super) rng: Rng,
    pub(super) flight_ns: u64,
    jitter_ns: u64,
    due_last_ns: u64,
    count: u64,
    actions: u32,
    /// Wrong prices that wait for the next move and have seen it: fault and instrument.
    begun: BTreeSet<(usize, usize)>,
    /// Two channels.
    two_channels: bool,
    /// Price bands are published.
    bands: bool,
    banded: BTreeSet<usize>,
    /// When the port of the venue's quotes has passed on what waits for it.
    pub(super) port_free_ns: u64,
    pub(super) lately: Lately,
}

/// One packet's messages and what a reader of them then sees.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    /// The messages.
    pub blocks: Blocks,
    /// Their effects.
    pub effects: Vec<Effect>,
    /// On which of the SIP's channels.
    pub channel: usize,
}

impl Sip {
    /// A consolidator of the symbols in the scenario.
    pub fn new(scenario: &Scenario, symbols: Vec<String>, faults: Rc<[Fault]>) -> Sip {
        let instruments = symbols.into_iter().map(|symbol| Instrument { symbol, ..Instrument::default() });
        Sip {
            faults,
            timebase: Timebase::of(scenario),
            instruments: instruments.collect(),
            queue: BinaryHeap::new(),
            rng: Rng::new(scenario.seed, 2),
            flight_ns: scenario.flight_ns,
            jitter_ns: scenario.jitter_ns,
            due_last_ns: 0,
            count: 0,
            actions: 0,
            begun: BTreeSet::new(),
            two_channels: scenario.two_channels,
            bands: scenario.bands,
            banded: BTreeSet::new(),
            port_free_ns: 0,
            lately: Lately::new(&scenario.faults),
        }
    }

    /// The channel that carries an instrument at that time.
    fn channel(&self, now_ns: u64, i: usize) -> usize {
        let moved = self.at(now_ns, i, |k| *k == Kind::Moved);
        usize::from(self.two_channels && (i % 2 == 1) != moved)
    }

    /// Channels that there are.
    fn channels(&self) -> usize {
        1 + usize::from(self.two_channels)
    }

    /// Stamps follow this time base from now on.
    pub fn tell_time(&mut self, timebase: Timebase) {
        self.timebase = timebase;
    }

    fn at(&self, ts_ns: u64, i: usize, wanted: impl Fn(&Kind) -> bool) -> bool {
        self.faults.iter().any(|f| f.source == SourceId::Sip && f.at(ts_ns) && f.covers(i) && wanted(&f.kind))
    }

    /// The instrument never appears.
    pub fn is_missing(&self, i: usize) -> bool {
        self.faults.iter().any(|f| f.kind == Kind::Missing && f.covers(i))
    }

    /// Does `task` at that time, behind what is due by then.
    pub fn schedule(&mut self, due_ns: u64, i: usize, task: Task) {
        if !self.is_missing(i) {
            self.count += 1;
            self.queue.push(Reverse((due_ns, self.count, i, task)));
        }
    }

    /// The venue's packet has left at `venue_ns` (seen by us a moment later); instruments and their new best.
    pub fn hear(&mut self, venue_ns: u64, seen_ns: u64, news: &[(usize, Task)]) {
        let due = seen_ns + self.flight_ns + self.rng.below(self.jitter_ns + 1);
        // One flight after the other, on one line: jitter never reorders.
        self.due_last_ns = self.due_last_ns.max(due);
        for (n, &(i, task)) in news.iter().enumerate() {
            if let Task::Arrived { bid, ask, .. } = task {
                self.instruments[i].fresh = Quote { bid, ask };
                self.lately.arrived(venue_ns);
            }
            self.pass_port(venue_ns, i);
            let lag: u64 = self
                .faults
                .iter()
                .filter(|f| f.source == SourceId::Sip && f.covers(i) && f.at(venue_ns) && !f.is_transport())
                .filter_map(|f| if let Kind::Lag { by_ns } = f.kind { Some(by_ns) } else { None })
                .sum();
            // What comes after a lag has ended waits behind what is still late; one thing after the other.
            let again = news[..n].iter().any(|(earlier, _)| *earlier == i);
            let behind = self.instruments[i].due_last_ns + if again { 2_000 } else { 0 };
            let due = (self.due_last_ns + lag).max(behind).max(self.port_free_ns);
            self.instruments[i].due_last_ns = due;
            self.schedule(due, i, task);
        }
    }

    /// When it speaks next.
    pub fn next_ns(&self) -> u64 {
        self.queue.peek().map_or(u64::MAX, |Reverse((due, ..))| *due)
    }

    /// Everything that is due at `now_ns`, in packets.
    pub fn speak(&mut self, now_ns: u64) -> Vec<Spoken> {
        let mut out = Vec::new();
        while let Some(Reverse((due, _, i, task))) = self.queue.peek().copied() {
            if due > now_ns {
                break;
            }
            self.queue.pop();
            self.carry_out(now_ns, i, task, packet_of(&mut out, self.channel(now_ns, i)));
        }
        out.retain(|s| !s.blocks.is_empty());
        out
    }

    pub(super) fn times(&self, now_ns: u64, participant_ns: u64) -> Times {
        let error = self.timebase.error_ns(clock_error_ns(&self.faults, SourceId::Sip, now_ns));
        let sip_ns = self.timebase.wire_ns(now_ns).saturating_add_signed(error);
        // 0 is no time and stays none.
        let participant_ns = if participant_ns == 0 { 0 } else { self.timebase.wire_ns(participant_ns) };
        Times { sip_ns, participant_ns }
    }

    fn carry_out(&mut self, now_ns: u64, i: usize, task: Task, out: &mut Spoken) {
        let mute = only_heartbeats(&self.faults, SourceId::Sip, now_ns)
            || self.at(now_ns, i, |k| *k == Kind::Freeze || matches!(k, Kind::TestData { .. }))
            || self.faults.iter().any(|f| in_burst(f, now_ns));
        match task {
            Task::Arrived { bid, ask, venue_ns } => {
                let before = self.instruments[i].known;
                self.instruments[i].known = Quote { bid, ask };
                self.instruments[i].known_venue_ns = venue_ns;
                self.begin_wrong_prices(now_ns, i, before);
                if self.bands && self.banded.insert(i) {
                    self.say_bands(now_ns, i, 100, b'A', out);
                }
                if !mute && !self.instruments[i].halted {
                    self.quote(now_ns, i, true, out);
                    if self.rng.chance(250) {
                        let which = 1 + self.rng.below(2) as usize;
                        let due = now_ns + 1 + self.rng.exponential(30_000_000);
                        self.schedule(due, i, Task::Other { which });
                    }
                }
            }
            Task::Restate { even_so } if !mute && !self.instruments[i].halted => {
                self.quote(now_ns, i, even_so, out);
            }
            Task::Other { which } if !mute && !self.instruments[i].halted => {
                let quote = self.other(i, which, true);
                self.say(now_ns, i, &[(which, quote)], out);
            }
            Task::State { code } => self.state(now_ns, i, code, out),
            Task::Again { which, quote } => self.say(now_ns, i, &[(which, quote)], out),
            Task::Bands { percent } => self.say_bands(now_ns, i, percent, b'B', out),
            Task::Test { price, until_ns } if now_ns < until_ns => {
                let mut side = |price| Some((price, 1 + self.rng.below(3) as u32));
                let quote = Quote { bid: side(price), ask: side(price + TICK) };
                self.say(now_ns, i, &[(0, quote)], out);
                let due = now_ns + 300_000_000 + self.rng.below(200_000_000);
                self.schedule(due, i, Task::Test { price, until_ns });
            }
            Task::Echo { until_ns } if now_ns < until_ns => {
                self.echo(now_ns, i, out);
                let due = now_ns + 40_000_000 + self.rng.below(20_000_000);
                self.schedule(due, i, Task::Echo { until_ns });
            }
            _ => {}
        }
    }

    /// A wrong price that waits for the next move begins with the first quote that moves its side.
    fn begin_wrong_prices(&mut self, now_ns: u64, i: usize, before: Quote) {
        let known = self.instruments[i].known;
        let moved = |a: Lots, b: Lots| a.map(|l| l.0) != b.map(|l| l.0);
        let (bid_moved, ask_moved) = (moved(before.bid, known.bid), moved(before.ask, known.ask));
        for (n, fault) in self.faults.iter().enumerate() {
            let Kind::WrongPrice { bid, ask, at_once: false, .. } = fault.kind else { continue };
            if fault.at(now_ns) && fault.covers(i) && (bid && bid_moved || ask && ask_moved) {
                self.begun.insert((n, i));
            }
        }
    }

    /// The venue's quote as it will be said now, with what is wrong with it.
    fn as_said(&self, now_ns: u64, i: usize) -> Quote {
        let mut quote = self.instruments[i].known;
        let shift = |side: Lots, ticks: i64| {
            side.map(|(price, lots)| {
                let off = i64::from(price) + ticks * i64::from(TICK);
                (off.clamp(i64::from(TICK), i64::from(u32::MAX / 2)) as u32, lots)
            })
        };
        for (n, fault) in self.faults.iter().enumerate() {
            if !fault.at(now_ns) || !fault.covers(i) {
                continue;
            }
            match fault.kind {
                Kind::WrongPrice { bid, ask, ticks, at_once } if at_once || self.begun.contains(&(n, i)) => {
                    if bid {
                        quote.bid = shift(quote.bid, ticks);
                    }
                    if ask {
                        quote.ask = shift(quote.ask, ticks);
                    }
                }
                // The bid gets through, what would have moved the ask does not.
                Kind::CrossedLoad { load } if self.lately.is_above(load, now_ns) => {
                    quote.ask = self.instruments[i].said[0].ask;
                }
                Kind::CrossedQuote { ticks } => {
                    if let (Some((_, lots)), Some((ask, _))) = (quote.bid, quote.ask) {
                        quote.bid = shift(Some((ask, lots)), ticks);
                    }
                }
                _ => {}
            }
        }
        quote
    }

    /// Says the venue's quote, after any other participant's that would now cross or lock it.
    fn quote(&mut self, now_ns: u64, i: usize, even_so: bool, out: &mut Spoken) {
        let quote = self.as_said(now_ns, i);
        if !even_so && quote == self.instruments[i].said[0] {
            return;
        }
        let mut says = Vec::new();
        for which in 1..PARTICIPANTS.len() {
            if !self.fits(i, which, self.instruments[i].said[which]) {
                says.push((which, self.other(i, which, false)));
            }
        }
        says.push((0, quote));
        self.say(now_ns, i, &says, out);
    }

    /// Another participant's quote neither crosses nor locks what is known of the others.
    fn fits(&self, i: usize, which: usize, quote: Quote) -> bool {
        let instrument = &self.instruments[i];
        let mut others: Vec<Quote> = vec![self.seen_by_others(i)];
        others.extend((1..PARTICIPANTS.len()).filter(|w| *w != which).map(|w| instrument.said[w]));
        let apart = |bid: Lots, ask: Lots| match (bid, ask) {
            (Some((bid, _)), Some((ask, _))) => bid < ask,
            _ => true,
        };
        let both_as_known =
            quote.bid.is_some() == others[0].bid.is_some() && quote.ask.is_some() == others[0].ask.is_some();
        both_as_known && others.iter().all(|o| apart(quote.bid, o.ask) && apart(o.bid, quote.ask))
    }

    /// A quote of another participant: behind the venue's, or as good, or (in a wide market) better on one side.
    fn other(&mut self, i: usize, which: usize, bold: bool) -> Quote {
        let known = self.seen_by_others(i);
        let mut draw = |side: Lots, better: bool, sign: i64| {
            side.map(|(price, _)| {
                let away = if better { -1 } else { self.rng.below(3) as i64 };
                let off = i64::from(price) - sign * away * i64::from(TICK);
                (off.max(i64::from(TICK)) as u32, 1 + self.rng.below(9) as u32)
            })
        };
        let wide = match (known.bid, known.ask) {
            (Some((bid, _)), Some((ask, _))) => bold && ask.saturating_sub(bid) >= 3 * TICK,
            _ => false,
        };
        let quote = Quote {
            bid: draw(known.bid, wide && which == 1, 1),
            ask: draw(known.ask, wide && which == 2, -1),
        };
        if self.fits(i, which, quote) {
            return quote;
        }
        let behind = |side: Lots, sign: i64| {
            side.map(|(price, _)| {
                ((i64::from(price) - sign * i64::from(TICK)).max(i64::from(TICK)) as u32, 1)
            })
        };
        Quote { bid: behind(known.bid, 1), ask: behind(known.ask, -1) }
    }

    /// Puts quotes on the wire; the last of them carries the national best when it has changed.
    fn say(&mut self, now_ns: u64, i: usize, says: &[(usize, Quote)], out: &mut Spoken) {
        let times = self.times(now_ns, self.instruments[i].known_venue_ns);
        let instrument = &mut self.instruments[i];
        for (which, quote) in says {
            instrument.said[*which] = *quote;
            self.lately.said(now_ns, i, *which, *quote);
        }
        let national = national(&instrument.said);
        let changed = national != instrument.national;
        instrument.national = national;
        for (n, (which, quote)) in says.iter().enumerate() {
            let last = n + 1 == says.len();
            let appended = (last && changed).then_some(national);
            let code = PARTICIPANTS[*which];
            uqdf::quote(code, &instrument.symbol, times, *quote, appended, &mut out.blocks);
        }
        out.effects.push(Effect::Sip {
            instrument: i,
            said: instrument.said,
            venue: says.iter().any(|s| s.0 == 0),
        });
    }

    fn state(&mut self, now_ns: u64, i: usize, code: u8, out: &mut Spoken) {
        self.actions += 1;
        let times = self.times(now_ns, now_ns);
        let instrument = &mut self.instruments[i];
        let reason = match code {
            b'H' => "T1",
            b'P' => "LUDP",
            b'Q' => "R4",
            _ => "T3",
        };
        uqdf::trading_action(&instrument.symbol, code, self.actions, reason, times, &mut out.blocks);
        instrument.halted = code != b'T';
        let halted = instrument.halted;
        out.effects.push(Effect::State { source: SourceId::Sip, instrument: i, halted });
    }

    /// The quote that was said last, with another size.
    fn echo(&mut self, now_ns: u64, i: usize, out: &mut Spoken) {
        let mut quote = self.instruments[i].said[0];
        for (_, lots) in [&mut quote.bid, &mut quote.ask].into_iter().flatten() {
            *lots = if *lots > 1 { *lots - 1 } else { *lots + 1 };
        }
        self.say(now_ns, i, &[(0, quote)], out);
    }

    /// Symbol Directory messages of every instrument that appears, and the session's opening, in packets.
    pub fn opening(&self, now_ns: u64) -> Vec<Spoken> {
        let times = self.times(now_ns, 0);
        let mut out = Vec::new();
        for channel in 0..self.channels() {
            uqdf::control(b'I', times, &mut packet_of(&mut out, channel).blocks);
        }
        for (i, instrument) in self.instruments.iter().enumerate() {
            if !self.is_missing(i) {
                let packet = packet_of(&mut out, self.channel(now_ns, i));
                uqdf::directory(&instrument.symbol, times, &mut packet.blocks);
            }
        }
        out.extend(self.controls(b"O", times));
        out
    }

    /// These control messages, in a packet of every channel.
    fn controls(&self, codes: &[u8], times: Times) -> impl Iterator<Item = Spoken> {
        (0..self.channels()).map(move |channel| {
            let mut packet = Spoken { channel, ..Spoken::default() };
            codes.iter().for_each(|code| uqdf::control(*code, times, &mut packet.blocks));
            packet
        })
    }

    /// The messages that end the day.
    pub fn closing(&self, now_ns: u64) -> Vec<Spoken> {
        self.controls(b"CJZ", self.times(now_ns, 0)).collect()
    }
}

/// The packet of a channel that is being filled: the last one with room, or a new one.
fn packet_of(out: &mut Vec<Spoken>, channel: usize) -> &mut Spoken {
    let at = out.iter().rposition(|s| s.channel == channel).filter(|at| !out[*at].blocks.is_full());
    let at = at.unwrap_or_else(|| {
        out.push(Spoken { channel, ..Spoken::default() });
        out.len() - 1
    });
    &mut out[at]
}

/// The best of the participants' quotes; at the same price the larger size, then the first participant.
fn national(said: &[Quote; 3]) -> National {
    let mut best = National::default();
    for (quote, of) in said.iter().zip(PARTICIPANTS) {
        if let Some(lots) = quote.bid
            && best.bid.is_none_or(|b| lots > b.lots)
        {
            best.bid = Some(Best { of, lots });
        }
        if let Some(lots) = quote.ask
            && best.ask.is_none_or(|b| (lots.0, Reverse(lots.1)) < (b.lots.0, Reverse(b.lots.1)))
        {
            best.ask = Some(Best { of, lots });
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_national_best_takes_price_then_size_then_order() {
        let quote = |bid, ask| Quote { bid: Some(bid), ask: Some(ask) };
        let said = [quote((1000, 2), (1010, 2)), quote((1001, 1), (1010, 3)), quote((1001, 1), (1020, 9))];
        let wanted = National {
            bid: Some(Best { of: b'P', lots: (1001, 1) }),
            ask: Some(Best { of: b'P', lots: (1010, 3) }),
        };
        assert_eq!(national(&said), wanted);
        assert_eq!(national(&[Quote::default(); 3]), National::default());
    }
}
