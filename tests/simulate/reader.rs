//! A reader of both feeds, kept apart from the simulator's and the product's books: what a
//! receiver sees who takes the first copy of every message.

use std::collections::BTreeMap;

use feeds::event::{Event, Key, Quoter, Side, StateScope, TradingState};
use feeds::feed::{Decoded, Feed, PacketKind};
use feeds::nasdaq_itch50::Itch50;
use feeds::nasdaq_uqdf::Uqdf;
use parallax::simulate::{LINES, Scenario, Sent, Simulator};

/// Best prices of one side pair; ITCH's 4 decimals.
pub type Prices = [Option<i64>; 2];

/// One change of what one source shows of one instrument at the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub ts_ns: u64,
    /// Number of the packet: its messages take effect together.
    pub packet: u64,
    pub prices: Prices,
}

/// A reader of both feeds: takes the first copy of every message, keeps books and quotes.
#[derive(Default)]
pub struct Reader {
    pub next: BTreeMap<&'static str, u64>,
    pub symbols: BTreeMap<u64, String>,
    pub orders: BTreeMap<u64, (u64, Side, i64, u64)>,
    pub levels: BTreeMap<u64, [BTreeMap<i64, u64>; 2]>,
    pub touched: Vec<u64>,
    pub types: BTreeMap<u16, u64>,
    pub direct: BTreeMap<String, Vec<Shown>>,
    pub sip: BTreeMap<String, Vec<Shown>>,
    pub quotes: BTreeMap<String, BTreeMap<u8, Prices>>,
    pub halted: BTreeMap<String, bool>,
    pub crossed: Vec<(u64, String)>,
    pub errors: Vec<String>,
    pub missed: u64,
    pub duplicates: u64,
    pub packets: u64,
}

impl Reader {
    fn level(&mut self, instrument: u64, side: Side, price: i64, by: i64) {
        let levels = self.levels.entry(instrument).or_default();
        let level = levels[side.index()].entry(price).or_default();
        *level = level.checked_add_signed(by).expect("a level never holds less than nothing");
        if *level == 0 {
            levels[side.index()].remove(&price);
        }
        self.touched.push(instrument);
    }

    fn take(&mut self, order: u64, quantity: u64) {
        let Some(resting) = self.orders.get_mut(&order) else {
            self.errors.push(format!("order {order} is not known"));
            return;
        };
        if resting.3 < quantity {
            self.errors.push(format!("order {order} gives {quantity} of {}", resting.3));
            return;
        }
        resting.3 -= quantity;
        let (instrument, side, price, left) = *resting;
        if left == 0 {
            self.orders.remove(&order);
        }
        self.level(instrument, side, price, -(quantity as i64));
    }

    fn put(&mut self, instrument: u64, order: u64, side: Side, price: i64, quantity: u64) {
        if quantity == 0 || self.orders.insert(order, (instrument, side, price, quantity)).is_some() {
            self.errors.push(format!("order {order} comes twice or empty"));
        }
        self.level(instrument, side, price, quantity as i64);
    }

    fn direct_event(&mut self, event: Event<'_>) {
        match event {
            Event::Define(d) => {
                let symbol = String::from_utf8_lossy(d.symbol).into_owned();
                self.symbols.insert(d.number.unwrap(), symbol);
            }
            Event::OrderAdd { key: Key::Number(n), order, side, price, quantity, symbol } => {
                assert_eq!(self.symbols[&n].as_bytes(), symbol);
                self.put(n, order, side, price, quantity);
            }
            Event::OrderExecute { order, quantity, .. } | Event::OrderReduce { order, quantity, .. } => {
                self.take(order, quantity);
            }
            Event::OrderDelete { order, .. } => {
                let left = self.orders.get(&order).map_or(0, |o| o.3);
                self.take(order, left);
            }
            Event::OrderReplace { order, new_order, price, quantity, .. } => {
                let Some((instrument, side, _, left)) = self.orders.get(&order).copied() else {
                    self.errors.push(format!("order {order} is not known to replace"));
                    return;
                };
                self.take(order, left);
                self.put(instrument, new_order, side, price, quantity);
            }
            Event::State { scope: StateScope::Instrument(Key::Number(n)), state, .. } => {
                self.halted.insert(format!("direct {}", self.symbols[&n]), state == TradingState::Halted);
            }
            Event::State { .. } | Event::Trade { .. } => {}
            other => self.errors.push(format!("unexpected {other:?}")),
        }
    }

    fn sip_event(&mut self, ts_ns: u64, event: Event<'_>) {
        match event {
            Event::Quote {
                key: Key::Symbol(symbol), quoter: Quoter::Participant(code), bid, ask, ..
            } => {
                let symbol = String::from_utf8_lossy(symbol).into_owned();
                let price = |side: Option<(i64, u64)>| side.map(|(price, _)| price / 100);
                let prices = [price(bid), price(ask)];
                self.quotes.entry(symbol.clone()).or_default().insert(code, prices);
                if code == b'Q' {
                    let packet = self.packets;
                    self.sip.entry(symbol).or_default().push(Shown { ts_ns, packet, prices });
                }
            }
            Event::Quote {
                quoter: Quoter::National, bid: Some((bid, _)), ask: Some((ask, _)), key, ..
            } => {
                if bid >= ask {
                    self.crossed.push((ts_ns, format!("{key:?} national {bid} {ask}")));
                }
            }
            Event::State { scope: StateScope::Instrument(Key::Symbol(symbol)), state, .. } => {
                let symbol = String::from_utf8_lossy(symbol);
                self.halted.insert(format!("sip {symbol}"), state == TradingState::Halted);
            }
            Event::Quote { .. } | Event::Define(_) | Event::State { .. } => {}
            other => self.errors.push(format!("unexpected {other:?}")),
        }
    }

    /// What the venue shows after the packet, for everything that it touched.
    fn settle(&mut self, ts_ns: u64) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for n in touched {
            let [bids, asks] = &self.levels[&n];
            let plain = (bids.keys().next_back(), asks.keys().next());
            if let (Some(bid), Some(ask)) = plain
                && bid >= ask
            {
                self.crossed.push((ts_ns, format!("{} direct {bid} {ask}", self.symbols[&n])));
            }
            let bid = bids.iter().rev().find(|(_, q)| **q >= 100).map(|(p, _)| *p);
            let ask = asks.iter().find(|(_, q)| **q >= 100).map(|(p, _)| *p);
            let prices = [bid, ask];
            let list = self.direct.entry(self.symbols[&n].clone()).or_default();
            if list.last().is_none_or(|s| s.prices != prices) {
                list.push(Shown { ts_ns, packet: self.packets, prices });
            }
        }
    }

    fn read<F: Feed>(&mut self, sent: &Sent) {
        let name = LINES[sent.line].source.name();
        let header = match F::header(&sent.payload) {
            Ok(header) => header,
            Err(e) => return self.errors.push(e.to_string()),
        };
        self.packets += 1;
        let next = self.next.entry(name).or_insert(1);
        if header.sequence > *next {
            self.missed += header.sequence - *next;
        } else if header.sequence < *next && header.kind == PacketKind::Data {
            self.duplicates += 1;
            return;
        }
        *next = header.sequence + u64::from(header.count);
        let mut at = header.len;
        let mut messages = 0;
        loop {
            let span = match F::split(&sent.payload, at) {
                Ok(Some(span)) => span,
                Ok(None) => break,
                Err(e) => return self.errors.push(e.to_string()),
            };
            at = span.end;
            messages += 1;
            let mut events = Vec::new();
            let message = &sent.payload[span.start..span.end];
            let mut sink = |ts: u64, event: Event<'_>| {
                events.push(ts);
                match name {
                    "direct" => self.direct_event(event),
                    _ => self.sip_event(sent.ts_ns, event),
                }
            };
            match F::decode(message, &header, &mut sink) {
                Ok(Decoded::Message(i)) if name == "direct" => *self.types.entry(i).or_default() += 1,
                Ok(Decoded::Message(_)) => {}
                other => self.errors.push(format!("{other:?}")),
            }
            let layout = F::describe(message).unwrap().expect("a known message").layout;
            if layout.parts.is_empty() {
                assert_eq!(layout.len, message.len(), "{}", layout.name);
            }
        }
        assert_eq!(messages, header.count, "a packet announces what it holds");
        self.settle(sent.ts_ns);
    }

    pub fn of(scenario: &Scenario) -> Reader {
        let mut reader = Reader::default();
        let mut last = 0;
        for sent in Simulator::new(scenario) {
            assert!(sent.ts_ns >= last, "datagrams come in the order of their times");
            last = sent.ts_ns;
            match LINES[sent.line].source.name() {
                "direct" => reader.read::<Itch50>(&sent),
                _ => reader.read::<Uqdf>(&sent),
            }
        }
        reader
    }
}
