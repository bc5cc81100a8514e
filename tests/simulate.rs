//! The simulator, judged from the bytes that it sends: a reader of its own, kept apart from the simulator's
//! and the product's books, rebuilds both views and holds them against each other and against the truth.

use std::collections::BTreeMap;

use feeds::event::{Event, Key, Quoter, Side, StateScope, TradingState};
use feeds::feed::{Decoded, Feed, PacketKind};
use feeds::nasdaq_itch50::Itch50;
use feeds::nasdaq_uqdf::Uqdf;
use parallax::simulate::{LINES, Scenario, Sent, Simulator};

const MS: u64 = 1_000_000;

/// Best prices of one side pair; ITCH's 4 decimals.
type Prices = [Option<i64>; 2];

/// One change of what one source shows of one instrument at the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    ts_ns: u64,
    prices: Prices,
}

/// A reader of both feeds: takes the first copy of every message, keeps books and quotes.
#[derive(Default)]
struct Reader {
    next: BTreeMap<&'static str, u64>,
    symbols: BTreeMap<u64, String>,
    orders: BTreeMap<u64, (u64, Side, i64, u64)>,
    levels: BTreeMap<u64, [BTreeMap<i64, u64>; 2]>,
    touched: Vec<u64>,
    types: BTreeMap<u16, u64>,
    direct: BTreeMap<String, Vec<Shown>>,
    sip: BTreeMap<String, Vec<Shown>>,
    quotes: BTreeMap<String, BTreeMap<u8, Prices>>,
    halted: BTreeMap<String, bool>,
    crossed: Vec<(u64, String)>,
    errors: Vec<String>,
    missed: u64,
    duplicates: u64,
    packets: u64,
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
                    self.sip.entry(symbol).or_default().push(Shown { ts_ns, prices });
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
                list.push(Shown { ts_ns, prices });
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

    fn of(scenario: &Scenario) -> Reader {
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

/// FNV-1a over everything that is sent.
fn hash(scenario: &Scenario) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut add =
        |bytes: &[u8]| bytes.iter().for_each(|b| hash = (hash ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    for sent in Simulator::new(scenario) {
        add(&sent.ts_ns.to_le_bytes());
        add(&[sent.line as u8]);
        add(&sent.payload);
    }
    hash
}

fn small(seed: u64) -> Scenario {
    Scenario { seed, instruments: 12, duration_ns: 2_000 * MS, ..Scenario::default() }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(hash(&small(1)), hash(&small(1)));
    assert_ne!(hash(&small(1)), hash(&small(2)));
}

#[test]
fn a_clean_session_reads_without_contradiction_and_is_never_crossed() {
    for seed in 0..6 {
        let reader = Reader::of(&small(seed));
        assert_eq!(reader.errors, Vec::<String>::new(), "seed {seed}");
        assert_eq!(reader.crossed, vec![], "seed {seed}");
        assert_eq!(reader.missed, 0, "seed {seed}");
        assert_eq!(reader.symbols.len(), 12);
        assert_eq!(reader.sip.len(), 12);
        assert!(reader.duplicates * 2 < reader.packets && reader.duplicates * 4 > reader.packets);
    }
}

/// What the SIP says of the venue is what the venue showed one flight before, change by change.
#[test]
fn in_a_clean_session_the_sip_shows_every_best_one_flight_later() {
    for seed in 0..6 {
        let scenario = small(seed);
        let reader = Reader::of(&scenario);
        for (symbol, direct) in &reader.direct {
            let mut sip = reader.sip[symbol].clone();
            sip.dedup_by_key(|s| s.prices);
            let prices = |list: &[Shown]| list.iter().map(|s| s.prices).collect::<Vec<_>>();
            assert_eq!(prices(direct), prices(&sip), "seed {seed}, {symbol}");
            for (d, s) in direct.iter().zip(&sip) {
                let flight = s.ts_ns - d.ts_ns;
                assert!((330_000..600_000).contains(&flight), "seed {seed}, {symbol}: {flight} ns");
            }
        }
    }
}

/// The command as the binary has it.
#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    args: parallax::cli::simulate::Args,
}

fn simulate(args: &[&str]) -> Result<parallax::simulate::write::Written, String> {
    let cli = <Cli as clap::Parser>::try_parse_from(std::iter::once(&"simulate").chain(args))
        .map_err(|e| e.to_string())?;
    parallax::cli::simulate::run(&cli.args).map_err(|e| format!("{e:#}"))
}

#[test]
fn the_command_writes_captures_that_the_readers_read_and_a_configuration_that_fits() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made").display().to_string();
    let args = [
        "--out",
        &out,
        "--duration",
        "300ms",
        "--instruments",
        "3",
        "--format",
        "pcapng",
        "--compress",
        "zst",
    ];
    let written = simulate(&args).unwrap();
    let names: Vec<_> =
        written.captures.iter().map(|(p, _)| p.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["itch_a.pcapng.zst", "itch_b.pcapng.zst", "sip.pcapng.zst"]);
    let config = parallax::config::Config::read(&folder.path().join("made/parallax.toml")).unwrap();
    let lines: Vec<_> = config.sources.iter().flat_map(|s| &s.channels).flat_map(|c| &c.lines).collect();
    assert_eq!(lines.len(), LINES.len());
}

#[test]
fn what_cannot_be_done_is_told_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("s.toml");
    std::fs::write(&scenario, "[[fault]]\nkind = \"freeze\"\ninstrument = \"#7\"\n").unwrap();
    let scenario = scenario.display().to_string();
    let out = folder.path().join("o").display().to_string();
    let error = simulate(&["--out", &out, "--scenario", &scenario, "--instruments", "3"]).unwrap_err();
    assert_eq!(
        error,
        "the scenario's `freeze` is about \"ZQECL\" (\"#7\"), and 3 instruments end at \"#2\": ask for at least 8"
    );
    let error = simulate(&["--out", &out, "--scenario", "nowhere.toml"]).unwrap_err();
    assert!(error.starts_with("nowhere.toml:1: cannot be read:"), "{error}");
}
