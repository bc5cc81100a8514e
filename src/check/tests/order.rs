//! Order, determinism, and what must hold whatever comes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const THREE: &str = r#"
    [[source]]
    name = "direct"
    feed = "nasdaq-itch-5.0"
    venue = "XNAS"
    [[source.channel]]
    name = "c1"
    lines = [{ name = "A", group = "233.1.1.1:1" }, { name = "B", group = "233.1.1.2:1" }]
    [[source.channel]]
    name = "c2"
    lines = [{ name = "A", group = "233.1.1.3:1" }]
    [[source]]
    name = "sip"
    feed = "utp-uqdf"
    [[source.channel]]
    name = "q"
    lines = [{ name = "A", group = "233.1.1.4:1" }]
    [[source]]
    name = "other"
    feed = "nasdaq-itch-5.0"
    venue = "XNAS"
    [[source.channel]]
    name = "c1"
    lines = [{ name = "A", group = "233.1.1.5:1" }]
"#;

#[test]
fn deadlines_of_one_moment_fire_in_a_fixed_order() {
    let checks = "[[check]]\nkind = \"divergent\"\non_delay = \"2s\"\n[[check]]\nkind = \"silent\"\n\
                  [[check]]\nkind = \"crossed\"\non_delay = \"2s\"\n[[check]]\nkind = \"missing\"\nafter = \"2s\"\n";
    let mut w = World::new(THREE, checks);
    // Made in one order and shown in another: views, pairs, sources fire by their numbers.
    for name in ["B", "A"] {
        w.view(0, "XNAS", name, false);
        w.view(1, "XNAS", name, true);
    }
    let both = |ids: [ViewId; 2], bid| ids.map(|id| (id, quote((Some(bid), Some(10_002)), Quality::Ok)));
    w.comparator.start(T0);
    w.arrive_on(0, 2, 0, 0, true);
    w.set(0, &both([3, 1], 10_004));
    w.set(0, &both([2, 0], 10_000));
    w.advance(2 * S);
    assert_eq!(
        w.told(),
        [
            "2000ms raised silent/critical direct began 0ms under 2",
            "2000ms raised silent/critical sip#q began 0ms under 2",
            "2000ms raised silent/critical other#c1 began 0ms under 0",
        ],
        "what is silent goes before what it makes incomparable"
    );
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    Beat { source: u16, channel: u16, line: u16, fresh: bool },
    Quote { view: u32, bid: Option<i64>, ask: Option<i64>, odd: i64, quality: u8 },
    Touch { view: u32 },
    Event { source: u16, which: u8, number: u64 },
    Stamp { source: u16, ts: i64 },
}

fn happening() -> impl Strategy<Value = Happening> {
    let price = || prop_oneof![9 => (9_998i64..10_003).prop_map(Some), 1 => Just(None)];
    let shown = (0u32..9, price(), price(), 0i64..2, 0u8..40);
    prop_oneof![
        8 => shown.prop_map(|(view, bid, ask, odd, quality)| Happening::Quote { view, bid, ask, odd, quality }),
        2 => (0u16..3, 0u16..2, 0u16..2, any::<bool>())
            .prop_map(|(source, channel, line, fresh)| Happening::Beat { source, channel, line, fresh }),
        2 => (0u32..9).prop_map(|view| Happening::Touch { view }),
        1 => (0u16..3, 0u8..7, 0u64..100).prop_map(|(source, which, number)| Happening::Event { source, which, number }),
        1 => (0u16..3, -2_000i64..600).prop_map(|(source, ts)| Happening::Stamp { source, ts }),
    ]
}

/// Mostly a few milliseconds, at times nothing, at times long.
fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0..30 * MS,
        3 => Just(0),
        3 => (0u64..40).prop_map(|ms| ms * MS),
        1 => 0..4 * S,
        1 => Just(11 * S),
    ]
}

fn quality_of(n: u8) -> Quality {
    match n {
        0 => Quality::Suspect,
        1 => Quality::Halted,
        2 => Quality::Auction,
        3 => Quality::Closed,
        _ => Quality::Ok,
    }
}

fn event_of(which: u8, n: u64, at: u64) -> LineEvent {
    let (first, last, began_ns) = (n, n + 4, T0 + at);
    match which {
        0 => LineEvent::Gap { first, last, count: 5, began_ns, reason: crate::line::GapReason::Wait },
        1 => LineEvent::GapFilled { first, last, count: 5, line: 0 },
        2 => LineEvent::LineLost { line: 0, first, last, count: 5, in_gap: n % 6, began_ns },
        3 => LineEvent::LineLead { winner: 1, loser: 0, lag_ns: n * 2 * MS, at_least: false, sequence: n },
        4 => LineEvent::SessionChanged { old: 1, new: 2, first: 1, line: 0 },
        5 => LineEvent::EndOfSession { line: 0, next: n },
        _ => LineEvent::SequenceReset { expected: n, first: 1, line: 0 },
    }
}

fn play(happenings: &[(u64, Happening)], checks: &str) -> World {
    let mut w = World::new(THREE, checks);
    for name in ["A", "B", "C"] {
        for source in 0..3 {
            w.view(source, "XNAS", name, source == 1);
        }
    }
    let mut at = 0;
    let mut gaps = 0;
    w.comparator.pair_feeds();
    for (pause, happening) in happenings {
        at += pause;
        match *happening {
            Happening::Beat { source, channel, line, fresh } => {
                let channel = if source == 0 { channel } else { 0 };
                let line = if source == 0 && channel == 0 { line } else { 0 };
                w.arrive_on(at, source, channel, line, fresh);
                let place = Place { source, channel, line };
                w.comparator.on_delivered(T0 + at, place, 0, at / MS % 7, T0 + at);
            }
            Happening::Quote { view, bid, ask, odd, quality } => {
                let mut shown = quote((bid, ask), quality_of(quality));
                shown.round_lot[0] = bid.map(|b| level(b - odd));
                w.set(at, &[(view, shown)]);
            }
            Happening::Touch { view } if w.registry.views[view as usize].quote.is_some() => w.touch(at, view),
            Happening::Touch { .. } => {}
            Happening::Event { source, which, number } => {
                // A channel never declares the same numbers lost twice in one session.
                gaps += 1000;
                w.event(at, source, event_of(which, gaps + number, at));
            }
            Happening::Stamp { source, ts } => {
                let place = Place { source, channel: 0, line: 0 };
                w.advance(at);
                let ts = (T0 + at).wrapping_add_signed(ts * MS as i64);
                w.comparator.observe_clock(T0 + at, place, ts, T0 + at, &w.registry);
            }
        }
    }
    w.finish(at + S);
    w
}

/// All alerts: raised once, cleared once, and one per matter and beginning.
fn hold_to_its_life(text: &str) {
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = BTreeMap::new();
    let mut before = String::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["id"].as_str().unwrap().to_owned();
        let ts = line["ts"].as_str().unwrap().to_owned();
        assert!(before <= ts, "in the order in which it happens: {line}");
        before = ts;
        match line["event"].as_str().unwrap() {
            "raised" => {
                assert_eq!(seen.insert(id.clone(), line.clone()), None, "an id is raised once: {line}");
                let matter = format!("{} {}", line["kind"], subject(&line));
                let gap = line["kind"] == "gap";
                let twice = open.values().any(|m| *m == matter);
                assert!(gap || !twice, "two open alerts on one matter: {line}");
                open.insert(id, matter);
            }
            "escalated" => assert!(open.contains_key(&id), "{line}"),
            _ => assert!(open.remove(&id).is_some(), "cleared once, after it was raised: {line}"),
        }
        assert!(time(&line, "began") <= time(&line, "ts"), "{line}");
        assert!(time(&line, "ended").is_none_or(|e| Some(e) <= time(&line, "ts")), "{line}");
    }
    assert_eq!(open, BTreeMap::new(), "everything is cleared at the end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whatever_comes_alerts_live_once_and_time_adds_up(
        happenings in prop::collection::vec((pause(), happening()), 1..250)
    ) {
        let mut w = play(&happenings, "");
        let text = w.raw();
        hold_to_its_life(&text);
        let mut again = play(&happenings, "");
        prop_assert_eq!(&text, &again.raw(), "a second run gives the same bytes");
        for (relation, pair) in w.comparator.relations().iter().zip(again.comparator.relations()) {
            prop_assert!(relation.agree_ns <= relation.comparable_ns);
            prop_assert_eq!(relation.comparable_ns, pair.comparable_ns);
            prop_assert_eq!(relation.led.iter().sum::<u64>(), relation.matched);
        }
    }

    #[test]
    fn comparable_and_held_time_are_all_the_time(
        happenings in prop::collection::vec((pause(), happening()), 1..120)
    ) {
        let mut first = None;
        let mut at = 0;
        let quotes: Vec<(u64, Happening)> = happenings;
        for (pause, happening) in &quotes {
            at += pause;
            if matches!(happening, Happening::Quote { .. }) {
                first.get_or_insert(at);
            }
        }
        let end = at + S;
        let w = play(&quotes, "");
        for relation in w.comparator.relations() {
            let held: u64 = relation.held.by_name().values().sum();
            let total = relation.comparable_ns + held;
            // Each pair counts both sides from its first judgement on.
            let most = relation.pairs * 2 * (end - first.unwrap_or(end));
            prop_assert!(total <= most, "{} > {}", total, most);
            prop_assert_eq!(total % 2, 0, "both sides count the same time");
        }
    }
}
