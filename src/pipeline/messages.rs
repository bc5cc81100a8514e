//! Every message that a source delivered, for whoever keeps them: rows with the raw fields, and beside them what the
//! pipeline understood, prices exact.
//!
//! A message is one row; one that says several things (the entries of an incremental refresh) is a row for each, of which
//! the first has the fields. It writes nothing and forgets nothing: who keeps rows takes them before they are many.

use std::sync::Arc;

use feeds::Feed;
use feeds::event::{Event, Key, LevelAction, Quoter, Side};
use feeds::wire::{Value, Visitor};

use super::tape::kept;
use crate::check::life::Place;
use crate::market::price::to_nanos;
use crate::market::{ChannelMarket, Origin, Registry};
use crate::packet::ndjson;

/// What a message says of one thing. Prices are units of 1e-9, quantities the feed's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fact {
    /// Its name; empty for a message that says nothing that a book or a check would know.
    pub name: &'static str,
    /// Our name of the instrument; empty where it is about none, or about all.
    pub instrument: Arc<str>,
    /// Participant of a consolidated feed by the feed's code, as a character; `*` is the national best.
    pub quoter: Option<char>,
    /// Bid or ask.
    pub side: Option<&'static str>,
    /// Order, and the one that takes its place.
    pub orders: [Option<u64>; 2],
    /// Position of a numbered level, from 1.
    pub position: Option<u8>,
    /// Price and quantity.
    pub price: Option<i64>,
    /// See `price`.
    pub quantity: Option<u64>,
    /// Bid and ask of a quote, with their quantities.
    pub quote: [Option<(i64, u64)>; 2],
    /// Lower and upper price band.
    pub bands: [Option<i64>; 2],
    /// Trading state.
    pub state: Option<&'static str>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Of which line.
    pub place: Place,
    /// Its packet: receive time, capture and frame; the message's sequence number, or its packet's; the venue's time.
    pub origin: Origin,
    /// Place of the message in its packet, from 0.
    pub message: u32,
    /// Which thing it says, from 0.
    pub part: u32,
    /// The specification's name in `snake_case`; `unknown` for a type that is not declared.
    pub kind: &'static str,
    /// What it says.
    pub fact: Fact,
    /// All fields as `parallax decode` lists them, a JSON object; of the first row of a message.
    pub fields: Option<Box<str>>,
}

/// Makes rows, and keeps each name once.
#[derive(Debug, Default)]
pub struct MessageTape {
    /// What nobody has taken yet.
    pub rows: Vec<MessageRow>,
    /// Of the message at hand.
    facts: Vec<Fact>,
    /// By source and instrument.
    names: Vec<Vec<Arc<str>>>,
    json: Vec<u8>,
}

impl MessageTape {
    /// What a message says has been applied.
    pub(super) fn fact(
        &mut self,
        event: &Event<'_>,
        source: u16,
        market: &ChannelMarket,
        registry: &Registry,
    ) {
        let key = match event {
            // It numbers what follows, and says nothing by itself.
            Event::InstrumentSequence { .. } => return,
            event => event.key(),
        };
        let known = key.and_then(|key| market.known(key));
        let mut fact = said(event, known.map_or(0, |(_, decimals)| decimals));
        if let Some((instrument, _)) = known {
            fact.instrument = self.name(source, instrument, registry);
        }
        self.facts.push(fact);
    }

    /// The message at hand cannot be read to its end.
    pub(super) fn forget(&mut self) {
        self.facts.clear();
    }

    /// The message at hand is whole.
    pub(super) fn end<F: Feed>(
        &mut self,
        bytes: &[u8],
        message: u32,
        place: Place,
        origin: &Origin,
        (market, registry): (&ChannelMarket, &Registry),
    ) {
        self.json.clear();
        self.json.push(b'{');
        let mut fields = Named { fields: ndjson::Fields(&mut self.json), number: None, symbol: None };
        let kind = F::list(bytes, &mut fields).ok().flatten().map_or("unknown", |layout| layout.name);
        let Named { number, symbol, .. } = fields;
        self.json.push(b'}');
        if self.facts.is_empty() {
            // Nothing that is understood, but perhaps it names whom it is about.
            let key = number.map(Key::Number).or(symbol.as_deref().map(Key::Symbol));
            let known = key.and_then(|key| market.known(key));
            let instrument = known.map(|(id, _)| self.name(place.source, id, registry));
            self.facts.push(Fact { instrument: instrument.unwrap_or_default(), ..Fact::default() });
        }
        // The fields are ASCII, or Latin-1 that has become UTF-8.
        let mut fields = Some(String::from_utf8_lossy(&self.json).into());
        let origin = *origin;
        for (part, fact) in (0..).zip(self.facts.drain(..)) {
            self.rows.push(MessageRow { place, origin, message, part, kind, fact, fields: fields.take() });
        }
    }

    fn name(&mut self, source: u16, instrument: u32, registry: &Registry) -> Arc<str> {
        if self.names.len() <= usize::from(source) {
            self.names.resize_with(usize::from(source) + 1, Vec::new);
        }
        let name = &registry.get(instrument).name;
        kept(&mut self.names[usize::from(source)], instrument as usize, name)
    }
}

/// Lists fields, and keeps the first that names an instrument.
struct Named<'a> {
    fields: ndjson::Fields<'a>,
    number: Option<u64>,
    symbol: Option<Box<[u8]>>,
}

impl Visitor for Named<'_> {
    fn field(&mut self, name: &'static str, value: Value<'_>) {
        match (name, value) {
            ("stock_locate" | "market_id" | "security_id", Value::Uint(n)) if n > 0 => {
                self.number = self.number.or(Some(n));
            }
            ("market_id" | "security_id", Value::Int(n)) => {
                self.number = self.number.or(u64::try_from(n).ok());
            }
            ("symbol", Value::Text(text)) if self.symbol.is_none() => self.symbol = Some(text.into()),
            _ => {}
        }
        self.fields.field(name, value);
    }
    fn begin_group(&mut self, name: &'static str) {
        self.fields.begin_group(name);
    }
    fn begin_entry(&mut self) {
        self.fields.begin_entry();
    }
    fn end_entry(&mut self) {
        self.fields.end_entry();
    }
    fn end_group(&mut self) {
        self.fields.end_group();
    }
    fn begin_composite(&mut self, name: &'static str) {
        self.fields.begin_composite(name);
    }
    fn end_composite(&mut self) {
        self.fields.end_composite();
    }
}

fn side(side: Side) -> Option<&'static str> {
    Some(match side {
        Side::Bid => "bid",
        Side::Ask => "ask",
    })
}

fn code(quoter: Quoter) -> Option<char> {
    match quoter {
        Quoter::Venue => None,
        Quoter::Participant(code) => Some(char::from(code)),
        Quoter::National => Some('*'),
    }
}

/// An event's figures, with prices of so many decimals.
fn said(event: &Event<'_>, decimals: u8) -> Fact {
    let none = Fact::default();
    let price = |raw: i64| to_nanos(raw, decimals);
    let order = |order: u64| [Some(order), None];
    match *event {
        Event::Define(_) => Fact { name: "define", ..none },
        Event::OrderAdd { order: id, side: s, price: p, quantity, .. } => Fact {
            name: "order_add",
            orders: order(id),
            side: side(s),
            price: price(p),
            quantity: Some(quantity),
            ..none
        },
        Event::OrderPut { order: id, side: s, price: p, quantity, .. } => Fact {
            name: "order_put",
            orders: order(id),
            side: side(s),
            price: price(p),
            quantity: Some(quantity),
            ..none
        },
        Event::OrderExecute { order: id, quantity, price: p, .. } => Fact {
            name: "order_execute",
            orders: order(id),
            price: p.and_then(price),
            quantity: Some(quantity),
            ..none
        },
        Event::OrderReduce { order: id, quantity, .. } => {
            Fact { name: "order_reduce", orders: order(id), quantity: Some(quantity), ..none }
        }
        Event::OrderDelete { order: id, .. } => Fact { name: "order_delete", orders: order(id), ..none },
        Event::OrderReplace { order: id, new_order, price: p, quantity, .. } => Fact {
            name: "order_replace",
            orders: [Some(id), Some(new_order)],
            price: price(p),
            quantity: Some(quantity),
            ..none
        },
        Event::LevelSet { side: s, price: p, quantity, .. } => {
            Fact { name: "level_set", side: side(s), price: price(p), quantity: Some(quantity), ..none }
        }
        Event::LevelAt { action, side: s, position, price: p, quantity, .. } => Fact {
            name: match action {
                LevelAction::New => "level_new",
                LevelAction::Change => "level_change",
                LevelAction::Delete => "level_delete",
                LevelAction::DeleteThru => "level_delete_thru",
                LevelAction::DeleteFrom => "level_delete_from",
                LevelAction::Overlay => "level_overlay",
            },
            side: side(s),
            position: Some(position),
            price: price(p),
            quantity: Some(quantity),
            ..none
        },
        Event::Quote { quoter, bid, ask, state, .. } => Fact {
            name: "quote",
            quoter: code(quoter),
            quote: [bid, ask].map(|shown| shown.and_then(|(p, quantity)| Some((price(p)?, quantity)))),
            state: state.map(feeds::event::TradingState::name),
            ..none
        },
        Event::Trade { price: p, quantity, .. } => {
            Fact { name: "trade", price: price(p), quantity: Some(quantity), ..none }
        }
        Event::State { state, .. } => Fact { name: "state", state: Some(state.name()), ..none },
        Event::InstrumentSequence { .. } => none,
        Event::Clear { .. } => Fact { name: "clear", ..none },
        Event::PriceBands { lower, upper, .. } => {
            Fact { name: "price_bands", bands: [price(lower), price(upper)], ..none }
        }
        Event::WipeOut { quoter } => Fact { name: "wipe_out", quoter: code(quoter), ..none },
        Event::Snapshot { .. } => Fact { name: "snapshot", ..none },
    }
}
