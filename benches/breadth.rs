//! What the comparator costs per quote update and per pair of views, and what it keeps, by how many sources carry the
//! instruments and how many instruments there are.
//!
//! `cargo bench --bench breadth` prints the table; `-- 2,4 10,10000 divergent,none` a part of it (sources, instruments,
//! checks: `all`, `none` or a kind). Every row is a process of its own, because memory is read from the kernel
//! (`/proc/self/statm`); time is the thread's own (`/proc/self/schedstat`). Each row is taken twice in turn: updates one
//! by one as they come, and sixteen at a time looked at ahead of being judged (`Comparator::look_ahead`), as a replay
//! does with a packet's notes. The memory floors are of the same run: lines found one through the other, and lines known
//! together. `row SOURCES INSTRUMENTS CHECKS UPDATES one|ahead` runs that many updates and nothing else, for
//! `valgrind --tool=callgrind --toggle-collect='*measured*'`, which counts instructions and misses. The updates are drawn from a seed
//! and put in order of time before the clock runs: the market of an instrument moves one side by a tick or changes
//! a size (two to one), and every source shows that some microseconds after another; one market event in 1,024 is
//! shown wrong by one source for 30 ms. Instruments come in no order. Every third update is a size only.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use parallax::check::Comparator;
use parallax::check::life::Place;
use parallax::config::Config;
use parallax::latency::Recorder;
use parallax::market::{Level, Quality, Quote, Registry, ViewId};
use parallax::simulate::rng::Rng;

/// Feeds of the sources, by number: some of one feed, which are matched by packet; the second counts round lots only.
const FEEDS: [&str; 8] = [
    "nasdaq-itch-5.0",
    "utp-uqdf",
    "nasdaq-itch-5.0",
    "iex-tops",
    "cme-mdp3",
    "ice-impact",
    "iex-deep",
    "nasdaq-itch-5.0",
];
/// How far a source is behind the one before it, and at most as much again.
const BEHIND_NS: u64 = 10_000;
/// Between two events of one instrument's market, as long as there are few of them.
const MOVE_NS: u64 = 20_000_000;
/// Between two events of any market, at least.
const STEP_NS: u64 = 2_000;
/// How long a wrong price stands.
const WRONG_NS: u64 = 30_000_000;
const START_NS: u64 = 1_700_000_000_000_000_000;
/// Updates of a batch; the median of the batches' times counts.
const BATCH: usize = 500_000;
const BATCHES: usize = 5;
/// Updates looked at together.
const AHEAD: usize = 16;

/// One source shows one thing.
#[derive(Clone, Copy)]
struct Update {
    ts_ns: u64,
    instrument: u32,
    /// Bid in ticks over the instrument's base.
    bid: i32,
    quantity: u16,
    spread: u8,
    source: u8,
}

/// The markets and what is drawn of them.
struct Market {
    rng: Rng,
    sources: usize,
    now_ns: u64,
    step_ns: u64,
    /// Bid and spread of every instrument.
    tops: Vec<(i32, u8)>,
    /// Shown later than the batch ends.
    later: Vec<Update>,
}

impl Market {
    fn new(sources: usize, instruments: usize) -> Market {
        let step_ns = (MOVE_NS / instruments as u64).max(STEP_NS);
        let tops = vec![(0, 1); instruments];
        Market { rng: Rng::new(7, 1), sources, now_ns: START_NS, step_ns, tops, later: Vec::new() }
    }

    /// Every source shows every instrument once, in the order of instruments.
    fn opening(&mut self) -> Vec<Update> {
        let mut out = Vec::with_capacity(self.tops.len() * self.sources);
        for instrument in 0..self.tops.len() as u32 {
            for source in 0..self.sources as u8 {
                self.now_ns += 500;
                out.push(Update { ts_ns: self.now_ns, instrument, bid: 0, quantity: 100, spread: 1, source });
            }
        }
        out
    }

    fn batch(&mut self, count: usize) -> Vec<Update> {
        let mut out = std::mem::take(&mut self.later);
        while out.len() < count {
            self.now_ns += self.step_ns;
            let instrument = self.rng.below(self.tops.len() as u64) as u32;
            let (bid, spread) = &mut self.tops[instrument as usize];
            let draw = self.rng.below(3 << 10);
            match draw % 3 {
                // The bid moves and the ask stays, or the reverse.
                0 if *spread > 1 => (*bid, *spread) = (*bid + 1, *spread - 1),
                0 => (*bid, *spread) = (*bid - 1, *spread + 1),
                1 if *spread > 2 => *spread -= 1,
                1 => *spread += 1,
                _ => {}
            }
            let (bid, spread) = (*bid, *spread);
            let quantity = 100 + self.rng.below(50) as u16 * 100;
            let wrong = (draw < 3).then(|| self.rng.below(self.sources as u64) as u8);
            let first = self.rng.below(self.sources as u64) as u8;
            let mut ts_ns = self.now_ns;
            for nth in 0..self.sources as u8 {
                let source = (first + nth) % self.sources as u8;
                let right = Update { ts_ns, instrument, bid, quantity, spread, source };
                ts_ns += BEHIND_NS + self.rng.below(BEHIND_NS);
                if wrong == Some(source) {
                    out.push(Update { bid: bid - 7, spread: spread + 7, ..right });
                    out.push(Update { ts_ns: right.ts_ns + WRONG_NS, ..right });
                } else {
                    out.push(right);
                }
            }
        }
        out.sort_by_key(|u| u.ts_ns);
        self.later = out.split_off(count);
        out
    }
}

struct Bench {
    registry: Registry,
    comparator: Comparator,
    /// By instrument and source.
    views: Vec<ViewId>,
    sources: usize,
    sequence: u64,
    raised: u64,
}

fn config(sources: usize, checks: &str) -> Config {
    let mut text = String::new();
    for (n, feed) in FEEDS.iter().enumerate().take(sources) {
        let venue = if n == 1 { "" } else { "venue = \"XNAS\"" };
        let _ = writeln!(
            text,
            "[[source]]\nname = \"s{n}\"\nfeed = \"{feed}\"\n{venue}\n\
             [[source.channel]]\nname = \"c\"\nlines = [{{ name = \"A\", group = \"233.0.0.{}:1\" }}]",
            n + 1
        );
    }
    match checks {
        "all" => {}
        // A check that nothing here concerns.
        "none" => text += "[[check]]\nkind = \"gap\"\n",
        kind => {
            let _ = writeln!(text, "[[check]]\nkind = \"{kind}\"");
        }
    }
    Config::parse("bench", &text, Path::new(".")).expect("the configuration is good")
}

impl Bench {
    fn new(sources: usize, instruments: usize, checks: &str) -> Bench {
        let config = config(sources, checks);
        let mut registry = Registry::of(&config);
        let mut comparator = Comparator::new(&config, &mut registry, &[], Recorder::without_log());
        comparator.pair_feeds();
        let venue = registry.venue("XNAS");
        let mut views = Vec::with_capacity(sources * instruments);
        for i in 0..instruments {
            let instrument = registry.instrument(&option(i));
            for source in 0..sources {
                views.push(registry.add_view(source as u16, venue, instrument, source == 1));
            }
        }
        comparator.start(START_NS);
        Bench { registry, comparator, views, sources, sequence: 0, raised: 0 }
    }

    /// The updates, looked at ahead or one by one: a function of its own, so that a profiler can tell it.
    #[inline(never)]
    fn measured(&mut self, updates: &[Update], ahead: bool) {
        if !ahead {
            return self.run(updates);
        }
        let mut coming = Vec::with_capacity(AHEAD);
        for some in updates.chunks(AHEAD) {
            coming.clear();
            coming.extend(some.iter().map(|update| (self.view(update), true)));
            self.comparator.look_ahead(&coming, &self.registry);
            self.run(some);
        }
    }

    fn view(&self, update: &Update) -> ViewId {
        self.views[update.instrument as usize * self.sources + usize::from(update.source)]
    }

    fn run(&mut self, updates: &[Update]) {
        for update in updates {
            let id = self.view(update);
            let Bench { registry, comparator, .. } = self;
            let now = update.ts_ns;
            comparator.advance(now, registry);
            let place = Place { source: u16::from(update.source), channel: 0, line: 0 };
            comparator.on_arrival(now, place, true, registry);
            self.sequence += 1;
            comparator.on_delivered(now, place, 0, self.sequence / self.sources as u64, now);
            let view = &mut registry.views[id as usize];
            view.quote = Some(quote(update));
            view.origin.ts_recv_ns = now;
            comparator.on_views(now, &[(id, true)], registry);
            comparator.desk.alerts.lines.clear();
        }
        self.raised = self.comparator.desk.alerts.tally.raised.values().sum();
    }
}

/// The name of an option in the manner of OSI.
fn option(i: usize) -> String {
    format!(
        "ZQ{:03}  261218{}{:08}",
        i / 2000 % 1000,
        if i.is_multiple_of(2) { 'C' } else { 'P' },
        i / 2 * 500
    )
}

fn quote(update: &Update) -> Quote {
    let tick = 10_000_000;
    let base = 100_000_000_000 + i64::from(update.instrument % 500) * tick;
    let bid = base + i64::from(update.bid) * tick;
    let level = |price| Some(Level { price, quantity: u64::from(update.quantity) });
    let best = [level(bid), level(bid + i64::from(update.spread) * tick)];
    Quote { best, round_lot: best, quality: Quality::Ok }
}

/// Bytes of the process that are in memory.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("a Linux machine");
    let pages: u64 = text.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number of pages");
    pages * 4096
}

/// Nanoseconds that this thread has run.
fn ran_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a kernel with schedstat");
    text.split(' ').next().and_then(|n| n.parse().ok()).expect("nanoseconds")
}

/// What it costs to bring the lines that an update looks at from memory, and nothing else: as many as there are (the
/// view's six, three more and three of the peer for each pair), each found through the one before; and the same lines of
/// sixteen updates at a time, step by step.
fn floors_ns(sources: usize, instruments: usize) -> [f64; 2] {
    let lines = 6 + 6 * (sources - 1);
    // Not more than a gigabyte: what is in no cache is in no cache.
    let blocks = instruments.min((1 << 30) / 64 / lines);
    // The lines of an instrument lie far apart, as those of views, groups, pairs and histories do.
    let mut memory = vec![[0u32; 16]; blocks * lines];
    for (at, line) in memory.iter_mut().enumerate() {
        line[0] = ((at + blocks) % (blocks * lines)) as u32;
    }
    let mut rng = Rng::new(3, 1);
    let picked: Vec<u32> = (0..BATCH / 2).map(|_| rng.below(blocks as u64) as u32).collect();
    let before = ran_ns();
    let mut seen = 0;
    for first in &picked {
        let mut at = *first;
        (0..lines).for_each(|_| at = memory[at as usize][0]);
        seen ^= at;
    }
    let chained = ran_ns();
    for some in picked.chunks(AHEAD) {
        for line in 0..lines {
            some.iter().for_each(|first| seen ^= memory[*first as usize + line * blocks][0]);
        }
    }
    let together = ran_ns();
    std::hint::black_box(seen);
    [chained - before, together - chained].map(|ns| ns as f64 / picked.len() as f64)
}

/// A market whose instruments have all been shown, and the comparator that saw it; what the process had before, with
/// the registry, and now.
fn opened(sources: usize, instruments: usize, checks: &str) -> (Market, Bench, [u64; 3]) {
    let mut market = Market::new(sources, instruments);
    let (base, mut bench) = (resident(), Bench::new(sources, instruments, checks));
    let with_registry = resident();
    for part in 0..instruments.div_ceil(100_000) {
        // Drawn in parts, so that what is drawn does not count as what is kept.
        let first = part * 100_000;
        let count = (instruments - first).min(100_000);
        let mut opening = Market { now_ns: market.now_ns, ..Market::new(sources, count) };
        let mut updates = opening.opening();
        updates.iter_mut().for_each(|u| u.instrument += first as u32);
        market.now_ns = opening.now_ns;
        bench.run(&updates);
    }
    (market, bench, [base, with_registry, resident()])
}

fn row(sources: usize, instruments: usize, checks: &str) {
    let (mut market, mut bench, [base, with_registry, opened]) = opened(sources, instruments, checks);
    let mut taken = [Vec::new(), Vec::new()];
    // The histories fill first.
    bench.run(&market.batch(BATCH));
    for _ in 0..BATCHES {
        for (ahead, taken) in taken.iter_mut().enumerate() {
            let updates = market.batch(BATCH);
            let before = ran_ns();
            bench.measured(&updates, ahead == 1);
            taken.push((ran_ns() - before) as f64 / updates.len() as f64);
        }
    }
    let [one, ahead] = taken.map(|mut taken| {
        taken.sort_by(f64::total_cmp);
        taken[BATCHES / 2]
    });
    let bytes = |from: u64, to: u64| to.saturating_sub(from) / instruments as u64;
    let few = instruments < 10_000;
    let kept = |bytes: u64| if few { "-".to_owned() } else { bytes.to_string() };
    let [chained, together] = floors_ns(sources, instruments);
    println!(
        "{sources:>7} {instruments:>11} {checks:>9} {one:>7.0} {ahead:>7.0} {:>8.0} {chained:>8.0} {together:>8.0} {:>9} {:>11} {:>7}",
        ahead / (sources - 1) as f64,
        kept(bytes(base, with_registry)),
        kept(bytes(with_registry, opened)),
        bench.raised,
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    if let [mark, sources, instruments, checks] = &arguments[..]
        && mark == "row"
    {
        let number = |text: &String| text.parse().expect("a number");
        return row(number(sources), number(instruments), checks);
    }
    if let [mark, sources, instruments, checks, updates, how] = &arguments[..]
        && mark == "row"
    {
        let number = |text: &String| text.parse().expect("a number");
        let (mut market, mut bench, _) = opened(number(sources), number(instruments), checks);
        bench.run(&market.batch(BATCH.min(4 * number(instruments))));
        return bench.measured(&market.batch(number(updates)), how == "ahead");
    }
    let list = |at: usize, all: &str| -> Vec<String> {
        let text = arguments.get(at).map_or(all, String::as_str);
        text.split(',').map(str::to_owned).collect()
    };
    println!(
        "sources instruments    checks  ns/update of:   per pair  floors, ns/update   bytes/instrument       alerts"
    );
    println!(
        "                              one by one ahead    ahead  chained together  registry comparator"
    );
    let program = std::env::current_exe().expect("a program has a path");
    for checks in list(2, "all") {
        for instruments in list(1, "10,10000,1500000") {
            for sources in list(0, "2,4,8") {
                let status = Command::new(&program).args(["row", &sources, &instruments, &checks]).status();
                assert!(status.is_ok_and(|s| s.success()), "{sources} sources, {instruments} instruments");
            }
        }
    }
}
