//! Arbitration and books on real captures. Packets, wins and lags were counted by other means as well.
//!
//! The captures are not part of the repository; without them the tests say so loudly and pass.

use feeds::Feed;
use feeds::event::{Event, Key, Ladder, Side};
use feeds::feed::PacketHeader;
use parallax::book::Books;
use parallax::line::{Arrival, Channel, ChannelConfig, LineEvent, LineSink};
use parallax::source::{Captures, Options};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// A session capture, or `None` (said aloud) where it is not.
fn session(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("captures/sessions").join(name);
    if path.is_file() {
        return Some(path);
    }
    eprintln!("SKIPPED: no capture at {}", path.display());
    None
}

/// Applies what is delivered to books and counts everything.
#[derive(Default)]
struct Counter<F> {
    books: Books,
    slots: HashMap<Vec<u8>, u32>,
    events: BTreeMap<&'static str, u64>,
    contradictions: BTreeMap<&'static str, u64>,
    messages: u64,
    lag_max_ns: u64,
    next: Option<u64>,
    packed: std::marker::PhantomData<F>,
}

impl<F: Feed> LineSink for Counter<F> {
    fn deliver(&mut self, _: &Arrival, header: &PacketHeader, payload: &[u8], skip: u32, take: u32) {
        let first = header.sequence + u64::from(skip);
        assert!(self.next.is_none_or(|n| n == first), "in order and nothing left out");
        self.next = Some(first + u64::from(take));
        let (mut at, mut index) = (header.len, 0);
        while let Ok(Some(span)) = F::split(payload, at) {
            at = span.end;
            // A packet that has one number is delivered whole.
            let wanted = header.count == 1 || (skip..skip + take).contains(&index);
            index += 1;
            if !wanted {
                continue;
            }
            self.messages += 1;
            let (books, slots, contradictions) = (&mut self.books, &mut self.slots, &mut self.contradictions);
            let mut sink = |_: u64, event: Event<'_>| {
                let Some(key) = event.key() else { return };
                let name = match key {
                    Key::Number(n) => n.to_be_bytes().to_vec(),
                    Key::Symbol(s) => s.to_vec(),
                };
                let next = slots.len() as u32;
                let slot = *slots.entry(name).or_insert(next);
                if let Some(kind) = books.apply(slot, &event).contradiction {
                    *contradictions.entry(kind.name()).or_default() += 1;
                }
            };
            let _ = F::decode(&payload[span.start..span.end], header, &mut sink);
        }
    }

    fn line_event(&mut self, _: u64, event: LineEvent) {
        let name = match event {
            LineEvent::LineLead { lag_ns, .. } => {
                self.lag_max_ns = self.lag_max_ns.max(lag_ns);
                "lead"
            }
            LineEvent::Heartbeat { .. } => "heartbeat",
            _ => panic!("{event:?}"),
        };
        *self.events.entry(name).or_default() += 1;
    }
}

/// Drives one channel over the capture; `ports` are its lines.
fn drive<F: Feed>(path: PathBuf, ports: &[u16]) -> (Channel, Counter<F>) {
    let mut captures = Captures::open(&[path], &Options { sort_window: true, ..Options::default() }).unwrap();
    let config = ChannelConfig { lines: ports.len(), ..ChannelConfig::default() };
    let mut channel = Channel::new(&config);
    let mut counter = Counter::<F> {
        books: Books::new(),
        slots: HashMap::new(),
        events: BTreeMap::new(),
        contradictions: BTreeMap::new(),
        messages: 0,
        lag_max_ns: 0,
        next: None,
        packed: std::marker::PhantomData,
    };
    let mut now_ns = 0;
    while let Some(datagram) = captures.next().unwrap() {
        let Some(line) = ports.iter().position(|p| *p == datagram.destination.port()) else { continue };
        let header = F::header(datagram.payload).unwrap();
        now_ns = datagram.ts_recv_ns;
        let (capture, frame) = (datagram.capture, datagram.frame);
        let arrival = Arrival { now_ns, ts_recv_ns: now_ns, line, capture, frame };
        channel.on_packet(&arrival, &header, datagram.payload, &mut counter);
    }
    channel.finish(now_ns, &mut counter);
    (channel, counter)
}

/// Packets, won, duplicates and signs of life of a line.
fn line(channel: &Channel, line: usize) -> [u64; 4] {
    let l = &channel.statistics().lines[line];
    [l.packets, l.won, l.duplicates, l.signs]
}

fn of<F>(counter: &Counter<F>) -> Vec<(&'static str, u64)> {
    counter.events.iter().chain(&counter.contradictions).map(|(k, v)| (*k, *v)).collect()
}

/// Both lines are complete; B is first 4,807 times, and no copy is more than 15.4 us late. The books start in
/// mid-stream without a snapshot: four levels are changed or deleted that were there before, and that is all.
#[test]
fn cme_lines_agree_and_positions_stay_true() {
    let Some(path) = session("cme_mdp3_v6_ab_20161112.pcapng") else { return };
    let (channel, counter) = drive::<feeds::cme_mdp3::Mdp3>(path, &[14340, 15340]);
    assert_eq!(line(&channel, 0), [5_000, 193, 4_807, 0]);
    assert_eq!(line(&channel, 1), [5_000, 4_807, 193, 0]);
    assert_eq!((counter.messages, counter.slots.len(), counter.lag_max_ns), (10_273, 127, 15_400));
    assert_eq!(of(&counter), [("lead", 5_000), ("level_unknown", 4)]);
    let slots = || counter.slots.values();
    let levels = |s: &u32| counter.books.levels(*s, Side::Bid, Ladder::Outright).count();
    assert_eq!(slots().filter(|s| counter.books.complete(**s, Side::Bid)).count(), 65);
    assert_eq!(slots().map(levels).max(), Some(10));
    assert_eq!(slots().filter(|s| counter.books.crossed(**s)).count(), 0);
}

/// Orders from before the start are unknown; nothing else contradicts.
#[test]
fn ice_orders_from_mid_stream() {
    let Some(path) = session("ice_impact_20180821.pcap") else { return };
    let (channel, counter) = drive::<feeds::ice_impact::IceImpact>(path, &[20100]);
    assert_eq!(line(&channel, 0), [5_700, 4_269, 0, 1_431]);
    assert_eq!((counter.messages, counter.books.orders_live()), (21_933, 454));
    assert_eq!(of(&counter), [("heartbeat", 1_431), ("unknown_order", 348)]);
}

#[test]
fn iex_levels_and_quotes_without_a_contradiction() {
    let Some(path) = session("iex_deep_20231002_preopen.pcap.gz") else { return };
    let (channel, counter) = drive::<feeds::iex_deep::IexDeep>(path, &[10378]);
    assert_eq!(line(&channel, 0), [5_000, 3_736, 0, 1_264]);
    assert_eq!((counter.messages, of(&counter)), (48_325, vec![("heartbeat", 1_264)]));

    let Some(path) = session("iex_tops_v16_20170710.pcap") else { return };
    let (channel, counter) = drive::<feeds::iex_tops::IexTops>(path, &[16642]);
    assert_eq!(line(&channel, 0), [8_500, 8_318, 0, 182]);
    assert_eq!((counter.messages, of(&counter)), (46_299, vec![("heartbeat", 182)]));
}
