//! `silent`.

use super::*;

const SILENT: &str = "[[check]]\nkind = \"silent\"\n";

/// One source with two channels of two lines each, and a source of the same feed beside it.
fn channels(feed: &str, beside: bool) -> String {
    let mut text = format!(
        "[[source]]\nname = \"x\"\nfeed = \"{feed}\"\n\
         [[source.channel]]\nname = \"c1\"\nlines = [{{ name = \"A\", group = \"233.1.1.1:1\" }}, {{ name = \"B\", group = \"233.1.1.1:2\" }}]\n\
         [[source.channel]]\nname = \"c2\"\nlines = [{{ name = \"A\", group = \"233.1.1.1:3\" }}, {{ name = \"B\", group = \"233.1.1.1:4\" }}]\n"
    );
    if beside {
        text += &format!(
            "[[source]]\nname = \"y\"\nfeed = \"{feed}\"\n\
             [[source.channel]]\nname = \"c1\"\nlines = [{{ name = \"A\", group = \"233.1.1.2:1\" }}]\n"
        );
    }
    text
}

#[test]
fn a_source_is_silent_by_timer_and_heartbeats_are_life() {
    let mut w = World::pair(SILENT);
    w.comparator.start(T0);
    w.show(0, 0, 10_000, 10_002);
    for i in 1..8 {
        w.beat(i * 1900 * MS, 1);
        w.beat(i * 1900 * MS, 0);
    }
    w.finish(15 * S);
    assert_eq!(w.told(), [""; 0]);
}

#[test]
fn raised_after_two_seconds_cleared_by_the_next_arrival() {
    let mut w = World::pair(SILENT);
    w.comparator.start(T0);
    w.show(0, 0, 10_000, 10_002);
    for i in 1..=12 {
        w.beat(i * 500 * MS, 1);
    }
    w.beat(6 * S + 7, 0);
    w.finish(7 * S);
    assert_eq!(
        w.told(),
        [
            "2000ms raised silent/critical direct#tv began 0ms under 1",
            "6000.000007ms cleared silent/critical direct#tv began 0ms ended 6000.000007ms data_resumed under 1",
        ]
    );
}

#[test]
fn never_heard_of_counts_from_the_start_of_the_data() {
    let mut w = World::pair(SILENT);
    w.comparator.start(T0 + 10 * S);
    w.beat(11 * S, 0);
    w.finish(12 * S + 500 * MS);
    assert_eq!(
        w.told(),
        [
            "12000ms raised silent/critical sip#q began 10000ms under 0",
            "12500ms cleared silent/critical sip#q began 10000ms ended 12500ms end_of_data under 0",
        ]
    );
}

#[test]
fn of_several_channels_one_alone_is_told_as_a_channel() {
    let mut w = World::new(&channels("nasdaq-itch-5.0", false), SILENT);
    w.comparator.start(T0);
    for i in 0..12 {
        w.arrive_on(500 * i * MS, 0, 0, 0, true);
        w.arrive_on(500 * i * MS + 1, 0, 0, 1, false);
    }
    w.arrive_on(5900 * MS, 0, 1, 0, true);
    w.finish(6 * S);
    assert_eq!(
        w.told(),
        [
            "2000ms raised silent/critical x#c2 began 0ms under 0",
            "5900ms cleared silent/critical x#c2 began 0ms ended 5900ms data_resumed under 0",
        ],
        "and nothing of its lines"
    );
}

#[test]
fn one_line_alone_is_told_as_a_line() {
    let mut w = World::new(&channels("nasdaq-itch-5.0", false), SILENT);
    w.comparator.start(T0);
    for i in 0..10 {
        for channel in 0..2 {
            w.arrive_on(500 * i * MS, 0, channel, 0, true);
        }
        w.arrive_on(500 * i * MS + 1, 0, 0, 1, false);
        if i < 2 {
            w.arrive_on(500 * i * MS + 1, 0, 1, 1, false);
        }
    }
    w.arrive_on(4700 * MS, 0, 1, 1, false);
    w.finish(5 * S);
    assert_eq!(
        w.told(),
        [
            "2500.000001ms raised silent/critical x#c2/B began 500.000001ms",
            "4700ms cleared silent/critical x#c2/B began 500.000001ms ended 4700ms data_resumed",
        ]
    );
}

#[test]
fn what_all_falls_silent_is_one_alert_of_the_widest() {
    let mut w = World::new(&channels("nasdaq-itch-5.0", false), SILENT);
    w.comparator.start(T0);
    w.arrive_on(0, 0, 0, 0, true);
    w.arrive_on(100 * MS, 0, 1, 0, true);
    w.arrive_on(300 * MS, 0, 0, 1, true);
    w.advance(9 * S);
    assert_eq!(w.told(), ["2300ms raised silent/critical x began 300ms under 0"]);
}

#[test]
fn a_channel_that_was_told_is_taken_over_by_its_source() {
    let mut w = World::new(&channels("nasdaq-itch-5.0", false), SILENT);
    w.comparator.start(T0);
    for i in 0..6 {
        w.arrive_on(500 * i * MS, 0, 0, 0, true);
        w.arrive_on(500 * i * MS, 0, 0, 1, false);
    }
    w.advance(9 * S);
    assert_eq!(
        w.told(),
        [
            "2000ms raised silent/critical x#c2 began 0ms under 0",
            "4500ms cleared silent/critical x#c2 began 0ms ended 4500ms told_as_source under 0",
            "4500ms raised silent/critical x began 2500ms under 0",
        ]
    );
}

#[test]
fn a_feed_of_rare_heartbeats_is_silent_when_its_peer_goes_on_and_not_in_a_quiet_market() {
    let sources = channels("cme-mdp3", true);
    let mut w = World::new(&sources, SILENT);
    w.comparator.start(T0);
    for (channel, line) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        w.arrive_on(0, 0, channel, line, line == 0);
    }
    w.arrive_on(10, 1, 0, 0, true);
    w.advance(25 * S);
    assert_eq!(w.told(), [""; 0], "nobody says anything");
    w.arrive_on(25 * S, 1, 0, 0, true);
    w.arrive_on(25 * S + 100 * MS, 0, 0, 0, true);
    w.arrive_on(25 * S + 100 * MS, 0, 0, 1, false);
    w.advance(40 * S);
    assert_eq!(w.told(), [""; 0], "the copy came a little later");
    w.arrive_on(40 * S, 1, 0, 0, true);
    w.advance(45 * S);
    assert_eq!(w.told(), ["40250ms raised silent/critical x began 25100ms under 0"]);
}

#[test]
fn after_the_end_of_the_session_nothing_is_expected() {
    let mut w = World::pair(SILENT);
    w.comparator.start(T0);
    w.beat(0, 0);
    w.beat(0, 1);
    w.event(S, 0, LineEvent::EndOfSession { line: 0, next: 8 });
    // The end of the session is said several times; only the first is an event.
    for i in 2..20 {
        w.beat(i * 500 * MS + 2, 1);
        if i < 5 {
            w.beat(i * 500 * MS + 2, 0);
        }
    }
    assert_eq!(w.told(), [""; 0]);
    // What is new in it brings it back.
    w.arrive_on(10 * S, 0, 0, 0, true);
    w.beat(10 * S, 1);
    w.beat(11 * S, 1);
    w.advance(12 * S);
    assert_eq!(w.told(), ["12000ms raised silent/critical direct#tv began 10000ms under 0"]);
}

#[test]
fn a_new_session_is_expected_to_live() {
    let mut w = World::pair("[[check]]\nkind = \"silent\"\nsources = [\"direct\"]\n");
    w.beat(0, 0);
    w.event(S, 0, LineEvent::EndOfSession { line: 0, next: 8 });
    w.beat(20 * S, 0);
    w.event(20 * S, 0, LineEvent::SessionChanged { old: 1, new: 2, first: 1, line: 0 });
    w.advance(30 * S);
    assert_eq!(w.told(), ["22000ms raised silent/critical direct#tv began 20000ms under 0"]);
}

#[test]
fn everything_of_a_silent_source_is_not_comparable_meanwhile() {
    let mut w = World::pair("");
    w.show(0, 0, 10_000, 10_002);
    w.show(MS, 1, 10_000, 10_002);
    w.show(100 * MS, 1, 10_001, 10_002);
    for i in 1..=12 {
        w.beat(500 * i * MS, 1);
    }
    w.show(6100 * MS, 1, 10_007, 10_006);
    w.show(6200 * MS, 0, 10_001, 10_002);
    w.finish(6400 * MS);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1",
            "2000ms raised silent/critical direct#tv began 0ms under 1",
            "2000ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 2000ms not_comparable:silent by 0.01=1",
            "6125ms raised crossed/major AAPL XNAS sip@source began 6100ms by 0.01=1",
            "6200ms cleared silent/critical direct#tv began 0ms ended 6200ms data_resumed under 1",
            "6220ms raised lagging/minor AAPL XNAS bid direct+sip began 6200ms by 0.06=6 lag 120ms",
            "6225ms raised divergent/major AAPL XNAS ask direct+sip began 6200ms by 0.04=4",
            "6400ms cleared crossed/major AAPL XNAS sip@source began 6100ms ended 6400ms end_of_data by 0.01=1",
            "6400ms cleared lagging/minor AAPL XNAS bid direct+sip began 6200ms ended 6400ms end_of_data by 0.06=6 lag 125ms",
            "6400ms cleared divergent/major AAPL XNAS ask direct+sip began 6200ms ended 6400ms end_of_data by 0.04=4",
        ]
    );
}

#[test]
fn a_dead_source_with_a_thousand_moving_instruments_is_one_alert() {
    let mut w = World::new(DIRECT_AND_SIP, "");
    let views: Vec<[ViewId; 2]> = (0..1000)
        .map(|i| {
            let name = format!("I{i}");
            [w.view(0, "XNAS", &name, false), w.view(1, "XNAS", &name, true)]
        })
        .collect();
    let all = |side: usize, bid: i64| -> Vec<(ViewId, Quote)> {
        views.iter().map(|v| (v[side], quote((Some(bid), Some(bid + 5)), Quality::Ok))).collect()
    };
    for i in 0..10 {
        w.set(100 * i * MS, &all(0, 10_000 + i as i64));
        w.set((100 * i + 1) * MS, &all(1, 10_000 + i as i64));
    }
    for i in 10..100 {
        w.set(100 * i * MS, &all(0, 10_000 + i as i64));
    }
    w.finish(10 * S);
    assert_eq!(
        w.told(),
        [
            "2901ms raised silent/critical sip#q began 901ms under 1000",
            "10000ms cleared silent/critical sip#q began 901ms ended 10000ms end_of_data under 1000",
        ]
    );
}
