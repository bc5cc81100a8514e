//! One channel of one source: its names for instruments, their books, quotes and states.
//!
//! Events are applied as they come and only mark what they touched; [`ChannelMarket::publish`] then turns
//! what was touched into quotes, once for the whole packet. Judging is not done here.

mod day;
mod near;
mod publish;

use std::collections::BTreeMap;

use feeds::FeedId;
use feeds::event::{Definition, Event, Key, QuoteSide, Quoter, StateScope, TradingState};
use feeds::feed::{Depth, OrderAct, OrderMessage};
use hashbrown::HashMap;

use self::near::Near;
use super::price;
use super::quote::{Level, Origin, Quality, Quote};
use super::registry::{Facts, InstrumentId, Registry, SourceId, VenueId, View, ViewId};
use crate::book::{Applied, Books};
use crate::cache;
use crate::config::Mapping;
use crate::rules::symbols::{Convention, Symbology};

/// How often a contradiction was seen, and where first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How often.
    pub count: u64,
    /// Where first.
    pub first: Origin,
}

/// Contradictions of a channel's data with itself, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contradictions(pub BTreeMap<&'static str, Seen>);

impl Contradictions {
    fn add(&mut self, kind: &'static str, origin: &Origin) {
        self.0.entry(kind).and_modify(|s| s.count += 1).or_insert(Seen { count: 1, first: *origin });
    }

    /// Takes another channel's in.
    pub fn merge(&mut self, other: &Contradictions) {
        for (kind, seen) in &other.0 {
            self.0.entry(kind).and_modify(|s| s.count += seen.count).or_insert(*seen);
        }
    }
}

/// A change of an order on its way, as far as it is not the book's: of whom, and when it was said.
#[derive(Debug, Clone, Copy)]
struct Taken {
    slot: u32,
    sequence: u64,
    ts_event_ns: u64,
}

/// A view that a packet said something of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// The view.
    pub view: ViewId,
    /// Its quote became another.
    pub changed: bool,
    /// The slot of the book that it is the top of; `None` where the feed says quotes.
    pub book: Option<u32>,
}

/// One quoter of one instrument.
#[derive(Debug)]
struct QuoterState {
    quoter: Quoter,
    view: ViewId,
    /// The quote as said; `None` where it comes from the book.
    said: Option<[Option<Level>; 2]>,
    state: TradingState,
    suspect: bool,
}

/// One instrument on this channel.
#[derive(Debug, Default)]
struct Slot {
    instrument: Option<InstrumentId>,
    decimals: u8,
    round_lot: u32,
    state: TradingState,
    /// The venue's own halt, beside the trading state.
    operational: TradingState,
    group: Box<[u8]>,
    suspect: bool,
    /// A transaction of the venue is half said: nothing is shown until it is whole.
    partial: bool,
    instrument_sequence: Option<u32>,
    /// Lower and upper price band, units of 1e-9.
    bands: Option<[i64; 2]>,
    quoters: Vec<QuoterState>,
}

/// See the module.
#[derive(Debug)]
pub struct ChannelMarket {
    source: SourceId,
    /// Position among the source's channels.
    channel: u16,
    feed: FeedId,
    venue: VenueId,
    mapped: HashMap<String, Mapping>,
    convention: Option<Convention>,
    /// Round lot of an instrument of which nobody says one.
    default_lot: u32,
    /// The calendar says that the market is closed, and that is to be believed where the feed does not say.
    closed: bool,
    /// Views whose symbol means another instrument from now on; they show nothing any more.
    withdrawn: Vec<ViewId>,
    /// By slot, beside the slots, so that what books need is known before those have come from memory.
    near: Vec<Near>,
    numbers: Vec<u32>,
    large_numbers: HashMap<u64, u32>,
    symbols: HashMap<Box<[u8]>, u32>,
    slots: Vec<Slot>,
    books: Books,
    /// Changes that the books were given since [`ChannelMarket::finish`], and what they have said of the first of them.
    taken: Vec<Taken>,
    told: Vec<Applied>,
    dirty: Vec<u32>,
    /// Slots of whose book something was said, at whatever depth.
    deep: Vec<u32>,
    all_state: TradingState,
    groups: HashMap<Box<[u8]>, TradingState>,
    /// Data before the first packet is missing: orders may be unknown for that reason.
    started_mid_session: bool,
    /// Messages were lost on every line: orders may be unknown for that reason.
    gapped: bool,
    suspects: usize,
    /// What contradicted itself.
    pub contradictions: Contradictions,
    /// Trades seen.
    pub trades: u64,
}

const NONE: u32 = u32::MAX;
/// The round lot where neither the feed, nor the map, nor the rule book says one.
const ROUND_LOT: u32 = 100;
/// Numbers below this are looked up in a plain array (ITCH locates are 16 bits).
const SMALL_NUMBERS: u64 = 1 << 16;

impl ChannelMarket {
    /// An empty channel, of which the source may have several. Which map and which rules hold is said by
    /// [`ChannelMarket::turn_day`]; `convention` is how its symbols are spelled, where that is known.
    pub fn new(
        source: SourceId,
        channel: u16,
        feed: FeedId,
        venue: VenueId,
        convention: Option<Convention>,
    ) -> Self {
        ChannelMarket {
            source,
            channel,
            feed,
            venue,
            mapped: HashMap::new(),
            convention,
            default_lot: ROUND_LOT,
            closed: false,
            withdrawn: Vec::new(),
            near: Vec::new(),
            numbers: Vec::new(),
            large_numbers: HashMap::new(),
            symbols: HashMap::new(),
            slots: Vec::new(),
            books: Books::new(),
            taken: Vec::new(),
            told: Vec::new(),
            dirty: Vec::new(),
            deep: Vec::new(),
            all_state: TradingState::Unknown,
            groups: HashMap::new(),
            started_mid_session: false,
            gapped: false,
            suspects: 0,
            contradictions: Contradictions::default(),
            trades: 0,
        }
    }

    /// Takes memory in large pages as it is needed: for who has nobody waiting ([`Books::grow_in_large_pages`]).
    pub const fn grow_in_large_pages(&mut self) {
        self.books.grow_in_large_pages();
    }

    /// Takes the memory for so many live orders now.
    pub fn reserve(&mut self, orders: usize) {
        self.books.reserve(orders);
    }

    /// Instruments seen on this channel.
    pub fn instruments(&self) -> usize {
        self.slots.len()
    }

    /// Which they are; `None` for those that have no name yet.
    pub fn names(&self) -> impl Iterator<Item = Option<InstrumentId>> {
        self.slots.iter().map(|slot| slot.instrument)
    }

    /// Instruments whose book cannot be believed.
    pub fn suspects(&self) -> usize {
        self.suspects
    }

    /// Live orders and bytes of state of the books.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Takes a message about an order, said at `ts_event_ns`, to apply it with others: what it will read is asked of memory
    /// now. It is applied by [`ChannelMarket::finish`] at the latest, and until then nothing else may be. False, and
    /// nothing is done, where it should come as an event: its instrument is not known yet.
    #[inline]
    pub fn take_ahead(
        &mut self,
        message: &OrderMessage,
        (sequence, ts_event_ns): (u64, u64),
        registry: &Registry,
    ) -> bool {
        let Some(slot) = self.known_slot(Key::Number(message.instrument)) else { return false };
        let view = self.near.get(slot as usize).and_then(|near| registry.views.get(near.view as usize));
        if view.is_none() && message.change.act == OrderAct::Enters {
            // It may name the instrument.
            return false;
        }
        view.into_iter().for_each(cache::prefetch_whole);
        self.taken.push(Taken { slot, sequence, ts_event_ns });
        let told = &mut self.told;
        self.books.take_ahead(slot, &message.change, |_, said| told.push(said.applied));
        true
    }

    /// Applies what was taken; what it touched is shown by the next [`ChannelMarket::publish`]. All of it came with the
    /// packet of `origin`.
    #[inline]
    pub fn finish(&mut self, origin: &Origin) {
        if self.taken.is_empty() {
            return;
        }
        let told = &mut self.told;
        self.books.finish(|_, said| told.push(said.applied));
        let (mut taken, mut told) = (std::mem::take(&mut self.taken), std::mem::take(&mut self.told));
        for (&Taken { slot, sequence, ts_event_ns }, applied) in taken.iter().zip(&told) {
            self.applied(slot, *applied, || Origin { sequence, ts_event_ns, ..*origin });
        }
        taken.clear();
        told.clear();
        (self.taken, self.told) = (taken, told);
    }

    /// The slot of a number that has one.
    #[inline]
    fn known_slot(&self, key: Key<'_>) -> Option<u32> {
        let Key::Number(number) = key else { return None };
        let slot = if number < SMALL_NUMBERS {
            self.numbers.get(number as usize)
        } else {
            self.large_numbers.get(&number)
        };
        slot.copied().filter(|slot| *slot != NONE)
    }

    /// What is known of an instrument by its key: its number, and the decimals of its prices.
    pub fn known(&self, key: Key<'_>) -> Option<(InstrumentId, u8)> {
        let slot = match key {
            Key::Number(_) => self.known_slot(key)?,
            Key::Symbol(symbol) => *self.symbols.get(symbol)?,
        };
        let slot = &self.slots[slot as usize];
        slot.instrument.map(|instrument| (instrument, slot.decimals))
    }

    /// Applies one event; what it touches is shown by the next [`ChannelMarket::publish`].
    #[inline]
    pub fn apply(&mut self, event: &Event<'_>, origin: &Origin, registry: &mut Registry) {
        match event {
            Event::OrderAdd { key, symbol, .. } => {
                let slot = self.slot(*key, symbol, registry);
                self.apply_to_book(slot, event, origin);
            }
            Event::OrderPut { key, .. }
            | Event::OrderExecute { key, .. }
            | Event::OrderReduce { key, .. }
            | Event::OrderDelete { key, .. }
            | Event::OrderReplace { key, .. }
            | Event::LevelAt { key, .. } => {
                let slot = self.slot(*key, &[], registry);
                self.apply_to_book(slot, event, origin);
            }
            Event::LevelSet { key, partial, .. } => {
                let slot = self.slot(*key, &[], registry);
                self.slots[slot as usize].partial = *partial;
                self.apply_to_book(slot, event, origin);
                self.touch(slot);
            }
            Event::Quote { key, quoter, bid, ask, state } => {
                let slot = self.slot(*key, &[], registry);
                self.say_quote(slot, *quoter, [*bid, *ask], *state, origin, registry);
            }
            Event::Trade { key, symbol, .. } => {
                self.slot(*key, symbol, registry);
                self.trades += 1;
            }
            Event::Define(definition) => self.define(definition, registry),
            Event::State { scope, symbol, state } => self.set_state(*scope, symbol, *state, registry),
            Event::InstrumentSequence { key, sequence } => {
                let slot = self.slot(*key, &[], registry);
                self.instrument_sequence(slot, *sequence, origin);
            }
            Event::Clear { key } => self.clear(*key, registry),
            Event::WipeOut { quoter } => self.wipe_out(*quoter),
            Event::PriceBands { key, lower, upper } => {
                let slot = self.slot(*key, &[], registry);
                let decimals = self.slots[slot as usize].decimals;
                let bands = (price::to_nanos(*lower, decimals), price::to_nanos(*upper, decimals));
                self.slots[slot as usize].bands = bands.0.zip(bands.1).map(|(lower, upper)| [lower, upper]);
            }
            Event::Snapshot { key, instrument_sequence, .. } => {
                let slot = self.slot(*key, &[], registry);
                let known = &mut self.slots[slot as usize].instrument_sequence;
                *known = instrument_sequence.or(*known);
                self.apply_to_book(slot, event, origin);
                self.heal(slot);
            }
        }
    }

    fn apply_to_book(&mut self, slot: u32, event: &Event<'_>, origin: &Origin) {
        let applied = self.books.apply(slot, event);
        self.applied(slot, applied, || *origin);
    }

    #[inline]
    fn applied(&mut self, slot: u32, applied: Applied, origin: impl Fn() -> Origin) {
        if let Some(contradiction) = applied.contradiction {
            self.contradicted(contradiction.name(), &origin());
        }
        if applied.changed {
            self.touch_book(slot);
        }
        if !std::mem::replace(&mut self.near[slot as usize].deep, true) {
            self.deep.push(slot);
        }
    }

    #[cold]
    fn contradicted(&mut self, name: &'static str, origin: &Origin) {
        let kind = match name {
            "unknown_order" if self.gapped => "unknown_order_after_gap",
            "unknown_order" if self.started_mid_session => "unknown_order_before_start",
            "level_unknown" if self.gapped => "level_unknown_after_gap",
            "level_unknown" if self.started_mid_session => "level_unknown_before_start",
            name => name,
        };
        self.contradictions.add(kind, origin);
    }

    /// Decimals of the raw prices in that slot's book.
    pub fn decimals(&self, slot: u32) -> u8 {
        self.slots[slot as usize].decimals
    }

    /// The slot of what the feed calls `key`, made and named when new.
    #[inline]
    fn slot(&mut self, key: Key<'_>, symbol: &[u8], registry: &mut Registry) -> u32 {
        match key {
            Key::Number(number) => {
                let slot = match self.known_slot(key) {
                    Some(slot) => slot,
                    None => self.add_number(number, registry),
                };
                // One that has a view has a name: of most nothing more has to come from memory.
                if !symbol.is_empty()
                    && self.near[slot as usize].view == ViewId::MAX
                    && self.slots[slot as usize].instrument.is_none()
                {
                    self.name(slot, symbol, registry);
                }
                slot
            }
            Key::Symbol(symbol) => match self.symbols.get(symbol) {
                Some(slot) => *slot,
                None => {
                    let slot = self.add_slot();
                    self.name(slot, symbol, registry);
                    slot
                }
            },
        }
    }

    fn add_slot(&mut self) -> u32 {
        let slot = self.slots.len() as u32;
        let decimals = self.feed.info().price_decimals;
        self.slots.push(Slot { decimals, round_lot: ROUND_LOT, ..Slot::default() });
        self.near.push(Near::NEW);
        self.set_round_lot(slot, self.default_lot);
        slot
    }

    fn add_number(&mut self, number: u64, registry: &mut Registry) -> u32 {
        let slot = self.add_slot();
        if number < SMALL_NUMBERS {
            let index = number as usize;
            if self.numbers.len() <= index {
                self.numbers.resize(index + 1, NONE);
            }
            self.numbers[index] = slot;
        } else {
            self.large_numbers.insert(number, slot);
        }
        if self.feed.info().number_is_identity {
            self.name_number(slot, number, registry);
        }
        slot
    }

    fn name_number(&mut self, slot: u32, number: u64, registry: &mut Registry) {
        let instrument = match self.mapped.get(&number.to_string()) {
            Some(mapping) => mapped_instrument(mapping, registry),
            None => registry.numbered(self.feed, number),
        };
        self.slots[slot as usize].instrument = Some(instrument);
        self.know_tick(instrument, registry);
    }

    fn name(&mut self, slot: u32, symbol: &[u8], registry: &mut Registry) {
        let text = String::from_utf8_lossy(symbol);
        let instrument = match self.mapped.get(text.as_ref()) {
            Some(mapping) => mapped_instrument(mapping, registry),
            None => match self.convention {
                Some(convention) => registry.instrument(&Symbology::shipped().canonical(convention, &text)),
                None => registry.instrument(&text),
            },
        };
        if let Some(lot) = registry.get(instrument).round_lot {
            self.set_round_lot(slot, lot);
        }
        self.slots[slot as usize].instrument = Some(instrument);
        self.symbols.insert(symbol.into(), slot);
        self.know_tick(instrument, registry);
        self.touch(slot);
    }

    /// Without a definition, a price step: a cent for equities' feeds, else the smallest raw unit.
    fn know_tick(&self, instrument: InstrumentId, registry: &mut Registry) {
        let decimals = self.feed.info().price_decimals;
        if !matches!(decimals, 4 | 6) {
            let tick_nanos = price::to_nanos(1, decimals).and_then(|n| u64::try_from(n).ok());
            registry.learn(instrument, Facts { tick_nanos, tick_guessed: true, ..Facts::default() });
        }
    }

    fn set_round_lot(&mut self, slot: u32, lot: u32) {
        let state = &mut self.slots[slot as usize];
        if lot > 0 && state.round_lot != lot {
            state.round_lot = lot;
            self.books.set_round_lot(slot, lot);
        }
    }

    fn define(&mut self, definition: &Definition<'_>, registry: &mut Registry) {
        let key = match definition.number {
            Some(number) => Key::Number(number),
            None => Key::Symbol(definition.symbol),
        };
        let slot = self.slot(key, definition.symbol, registry);
        if let Some(decimals) = definition.price_decimals {
            self.slots[slot as usize].decimals = decimals;
        }
        if !definition.group.is_empty() {
            self.slots[slot as usize].group = definition.group.into();
        }
        let Some(instrument) = self.slots[slot as usize].instrument else { return };
        if self.feed.info().number_is_identity {
            registry.rename(instrument, &String::from_utf8_lossy(definition.symbol));
        }
        let facts = Facts {
            tick_nanos: definition.tick_nanos.filter(|t| *t > 0),
            round_lot: definition.round_lot,
            listing: definition.listing,
            test: definition.test,
            ..Facts::default()
        };
        registry.learn(instrument, facts);
        if let Some(lot) = registry.get(instrument).round_lot {
            self.set_round_lot(slot, lot);
        }
        self.touch(slot);
    }

    fn set_state(
        &mut self,
        scope: StateScope<'_>,
        symbol: &[u8],
        state: TradingState,
        registry: &mut Registry,
    ) {
        match scope {
            StateScope::All => {
                self.all_state = state;
                (0..self.slots.len() as u32).for_each(|slot| self.touch(slot));
            }
            StateScope::Instrument(key) => {
                let slot = self.slot(key, symbol, registry);
                self.slots[slot as usize].state = state;
                self.touch(slot);
            }
            StateScope::Operational(key) => {
                let slot = self.slot(key, symbol, registry);
                self.slots[slot as usize].operational = state;
                self.touch(slot);
            }
            StateScope::Participant(key, code) => {
                let slot = self.slot(key, symbol, registry);
                if let Some(index) = self.quoter(slot, Quoter::Participant(code), registry) {
                    self.slots[slot as usize].quoters[index].state = state;
                    self.touch(slot);
                }
            }
            StateScope::Group(group) => {
                self.groups.insert(group.into(), state);
                for slot in 0..self.slots.len() as u32 {
                    if *self.slots[slot as usize].group == *group {
                        self.touch(slot);
                    }
                }
            }
        }
    }

    fn instrument_sequence(&mut self, slot: u32, sequence: u32, origin: &Origin) {
        let state = &mut self.slots[slot as usize];
        let expected = state.instrument_sequence.map(|last| last.wrapping_add(1));
        state.instrument_sequence = Some(sequence);
        match expected {
            // Nothing of this instrument was in what the channel lost: its book is whole.
            Some(expected) if expected == sequence => self.heal(slot),
            Some(_) if sequence == 1 => {}
            Some(expected) => {
                self.suspect(slot);
                let ahead = sequence.wrapping_sub(expected) < u32::MAX / 2;
                let kind = match (ahead, self.gapped) {
                    (true, true) => "instrument_sequence_gap_after_gap",
                    (true, false) => "instrument_sequence_gap",
                    (false, _) => "instrument_sequence_backwards",
                };
                self.contradictions.add(kind, origin);
            }
            None => {}
        }
    }

    fn heal(&mut self, slot: u32) {
        self.near[slot as usize].quality = None;
        let state = &mut self.slots[slot as usize];
        state.quoters.iter_mut().for_each(|q| q.suspect = false);
        if state.suspect {
            state.suspect = false;
            self.suspects -= 1;
            self.touch(slot);
        }
    }

    fn suspect(&mut self, slot: u32) {
        let state = &mut self.slots[slot as usize];
        state.quoters.iter_mut().for_each(|q| q.suspect = true);
        if !state.suspect {
            state.suspect = true;
            self.suspects += 1;
        }
        self.touch(slot);
    }

    fn clear(&mut self, key: Option<Key<'_>>, registry: &mut Registry) {
        match key {
            Some(key) => {
                let slot = self.slot(key, &[], registry);
                self.books.clear(slot);
                self.slots[slot as usize]
                    .quoters
                    .iter_mut()
                    .for_each(|q| q.said = q.said.map(|_| [None, None]));
                self.heal(slot);
                self.touch(slot);
            }
            None => self.restart(),
        }
    }

    fn wipe_out(&mut self, quoter: Quoter) {
        for slot in 0..self.slots.len() as u32 {
            let found = self.slots[slot as usize].quoters.iter_mut().find(|q| q.quoter == quoter);
            if let Some(found) = found {
                found.said = Some([None, None]);
                self.touch(slot);
            }
        }
    }

    /// Whether the data begin in the midst of the session: orders may be unknown for that reason.
    pub fn began_midway(&self) -> bool {
        self.started_mid_session
    }

    /// The channel is followed from its first message on (or not): whether an unknown order is a contradiction.
    pub fn set_started_whole(&mut self, whole: bool) {
        self.started_mid_session = !whole;
        self.books.set_started_whole(whole);
    }

    /// Everything starts anew: a new session or a channel reset. Books are empty and whole.
    pub fn restart(&mut self) {
        self.books.clear_all();
        self.gapped = false;
        for slot in 0..self.slots.len() as u32 {
            let state = &mut self.slots[slot as usize];
            state.quoters.iter_mut().for_each(|q| q.said = q.said.map(|_| [None, None]));
            state.instrument_sequence = None;
            state.partial = false;
            self.heal(slot);
            self.touch(slot);
        }
    }

    /// Messages of this channel are lost: nothing it showed can be believed until proven.
    pub fn mark_gap(&mut self) {
        self.gapped = true;
        self.books.forget_wholeness();
        (0..self.slots.len() as u32).for_each(|slot| self.suspect(slot));
    }

    /// The position of a quoter within its slot, made when new; `None` for an unnamed instrument or an unknown participant.
    fn quoter(&mut self, slot: u32, quoter: Quoter, registry: &mut Registry) -> Option<usize> {
        let state = &mut self.slots[slot as usize];
        if let Some(index) = state.quoters.iter().position(|q| q.quoter == quoter) {
            return Some(index);
        }
        let info = self.feed.info();
        let venue = match quoter {
            Quoter::Venue => self.venue,
            Quoter::National => VenueId::NATIONAL,
            Quoter::Participant(code) => {
                let mic = info.participants.iter().find(|(c, _)| *c == code).map(|(_, mic)| *mic)?;
                registry.venue(mic)
            }
        };
        let instrument = state.instrument?;
        // Another channel of the source may carry the instrument too (lines move): then the view is shared.
        let view = registry.find_view(self.source, venue, instrument);
        let view =
            view.unwrap_or_else(|| registry.add_view(self.source, venue, instrument, info.round_lots_only));
        let said = (info.depth == Depth::Top || info.depth == Depth::Consolidated).then_some([None, None]);
        let near = &mut self.near[slot as usize];
        near.quality = None;
        if quoter == Quoter::Venue {
            near.view = view;
        }
        let suspect = state.suspect;
        state.quoters.push(QuoterState { quoter, view, said, state: TradingState::Unknown, suspect });
        Some(state.quoters.len() - 1)
    }

    /// The view is this channel's from now on. Where lines move another one quoted it before, and what that one still
    /// knows of it is not shown any more.
    fn take_over(&mut self, slot: u32, index: usize, origin: &Origin, registry: &mut Registry) {
        let told_by = &mut registry.views[self.slots[slot as usize].quoters[index].view as usize].told_by;
        let before = std::mem::replace(told_by, self.channel);
        if before != self.channel && before != View::NO_CHANNEL && index == 0 {
            self.contradictions.add("moved_channel", origin);
        }
    }

    fn say_quote(
        &mut self,
        slot: u32,
        quoter: Quoter,
        sides: [QuoteSide; 2],
        state: Option<TradingState>,
        origin: &Origin,
        registry: &mut Registry,
    ) {
        let Some(index) = self.quoter(slot, quoter, registry) else {
            self.contradictions.add("unknown_participant", origin);
            return;
        };
        let decimals = self.slots[slot as usize].decimals;
        let mut levels = [None, None];
        for (level, said) in levels.iter_mut().zip(sides) {
            let Some((raw, quantity)) = said else { continue };
            match price::to_nanos(raw, decimals) {
                Some(price) => *level = Some(Level { price, quantity }),
                None => self.contradictions.add("price_out_of_range", origin),
            }
        }
        self.take_over(slot, index, origin, registry);
        if let Some(bands) = self.slots[slot as usize].bands
            && quoter != Quoter::National
            && is_outside(levels, bands)
        {
            self.contradictions.add("quote_outside_price_bands", origin);
        }
        let quoter = &mut self.slots[slot as usize].quoters[index];
        quoter.said = Some(levels);
        quoter.state = state.unwrap_or(quoter.state);
        // A quote restates everything that the quoter shows.
        quoter.suspect = false;
        let all_whole = self.slots[slot as usize].quoters.iter().all(|q| !q.suspect);
        if all_whole {
            self.heal(slot);
        }
        self.touch(slot);
    }
}

/// A bid above the upper band or an ask below the lower one: by the feed's own bands it cannot be.
fn is_outside([bid, ask]: [Option<Level>; 2], [lower, upper]: [i64; 2]) -> bool {
    bid.is_some_and(|l| l.price > upper) || ask.is_some_and(|l| l.price < lower)
}

fn mapped_instrument(mapping: &Mapping, registry: &mut Registry) -> InstrumentId {
    let id = registry.instrument(&mapping.instrument);
    let Mapping { tick_nanos, round_lot, .. } = *mapping;
    registry.learn(id, Facts { tick_nanos, round_lot, lot_configured: true, ..Facts::default() });
    id
}
