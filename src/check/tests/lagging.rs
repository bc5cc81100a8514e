//! `lagging`.

use super::*;

const LAGGING: &str = "[[check]]\nkind = \"lagging\"\n";
const BOTH: &str = "[[check]]\nkind = \"lagging\"\n[[check]]\nkind = \"divergent\"\n";

/// Direct leads, the consolidated follows by a millisecond: 100.00 at 100.02 from 0 on.
fn following(checks: &str) -> World {
    let mut world = World::pair(checks);
    world.show(0, 0, 10_000, 10_002);
    world.show(MS, 1, 10_000, 10_002);
    world
}

#[test]
fn within_the_limit_is_flight_and_raises_nothing() {
    let mut w = following(BOTH);
    w.show(100 * MS, 0, 10_001, 10_002);
    w.show(120 * MS - 1, 1, 10_001, 10_002);
    w.finish(S);
    assert_eq!(w.told(), [""; 0]);
    let relation = &w.comparator.relations()[0];
    assert_eq!(relation.segments.flight, 1);
    assert_eq!((relation.matched, relation.led), (1, [1, 0, 0]));
}

#[test]
fn raised_when_the_lag_passes_the_limit_and_told_once_while_moves_go_on() {
    let mut w = following(BOTH);
    for i in 1..=20 {
        w.show((100 + 10 * i) * MS, 0, 10_000 + i as i64, 10_102);
        if i >= 5 {
            w.show((101 + 10 * i) * MS, 1, 9_996 + i as i64, 10_102);
        }
    }
    for i in 21..=24 {
        w.show((101 + 10 * i) * MS, 1, 9_996 + i as i64, 10_102);
    }
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            // The ask left 100.02 at 110, followed at 151; the bid left 100.00 at 110.
            "130ms raised lagging/minor AAPL XNAS bid sip+direct began 110ms by 0.02=2 lag 20ms",
            "130ms raised lagging/minor AAPL XNAS ask sip+direct began 110ms by 1.00=100 lag 20ms",
            "156ms cleared lagging/minor AAPL XNAS ask sip+direct began 110ms ended 151ms agreed by 1.00=100 lag 40ms",
            "346ms cleared lagging/minor AAPL XNAS bid sip+direct began 110ms ended 341ms agreed by 0.05=5 lag 40ms",
        ]
    );
}

#[test]
fn escalates_beyond_the_window() {
    let mut w = following(&format!("{LAGGING}window = \"500ms\"\n[[check]]\nkind = \"divergent\"\n"));
    w.show(100 * MS, 0, 10_001, 10_002);
    w.advance(2 * S);
    w.show(3 * S, 1, 10_001, 10_002);
    w.finish(4 * S);
    assert_eq!(
        w.told(),
        [
            "120ms raised lagging/minor AAPL XNAS bid sip+direct began 100ms by 0.01=1 lag 20ms",
            "600.000001ms escalated divergent/major AAPL XNAS bid sip+direct began 100ms by 0.01=1",
            "3005ms cleared divergent/major AAPL XNAS bid sip+direct began 100ms ended 3000ms agreed by 0.01=1 lag 20ms",
        ]
    );
}

#[test]
fn a_late_source_that_then_shows_what_its_peer_never_showed_becomes_divergent() {
    let mut w = following(BOTH);
    w.show(100 * MS, 0, 10_001, 10_002);
    w.show(150 * MS, 1, 9_950, 10_002);
    w.advance(S);
    assert_eq!(
        w.told(),
        [
            "120ms raised lagging/minor AAPL XNAS bid sip+direct began 100ms by 0.01=1 lag 20ms",
            "175ms escalated divergent/major AAPL XNAS bid sip+direct began 100ms by 0.51=51",
        ]
    );
}

#[test]
fn the_smaller_direction_counts() {
    let mut w = World::pair(BOTH);
    w.show(0, 0, 10_000, 10_100);
    w.show(MS, 1, 10_000, 10_100);
    w.show(10 * MS, 1, 10_002, 10_100);
    w.show(11 * MS, 1, 10_000, 10_100);
    w.show(20 * MS, 0, 10_001, 10_100);
    w.show(25 * MS, 1, 10_001, 10_100);
    // Direct comes to 100.02, which the other left at 11; the other shows 100.01, which direct leaves at 40.
    w.show(40 * MS, 0, 10_002, 10_100);
    w.advance(S);
    assert_eq!(
        w.told(),
        ["60ms raised lagging/minor AAPL XNAS bid sip+direct began 40ms by 0.01=1 lag 20ms"]
    );
}

#[test]
fn a_wrong_price_of_the_follower_is_not_the_leaders_lag() {
    let mut w = following(BOTH);
    w.show(100 * MS, 1, 9_900, 10_002);
    w.show(400 * MS, 1, 10_000, 10_002);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 1.00=100",
            "405ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 400ms agreed by 1.00=100",
        ]
    );
}

#[test]
fn a_leader_that_is_led_of_late_is_behind() {
    let mut w = following(BOTH);
    // Three updates in which the consolidated source was first, and then one that direct does not follow.
    for i in 1..=3 {
        w.show(100 * i * MS, 1, 10_000 + i as i64, 10_102);
        w.show((100 * i + 1) * MS, 0, 10_000 + i as i64, 10_102);
    }
    w.show(400 * MS, 1, 10_004, 10_102);
    w.advance(S);
    assert_eq!(
        w.told(),
        ["420ms raised lagging/minor AAPL XNAS bid direct+sip began 400ms by 0.01=1 lag 20ms"]
    );
}

#[test]
fn a_leader_that_falls_unusually_quiet_is_late_and_not_contradicted() {
    let mut w = following(BOTH);
    for i in 1..100 {
        w.touch(i * MS, 0);
    }
    w.show(100 * MS, 1, 10_001, 10_002);
    w.advance(S);
    // Direct came to its price first, but sent a packet a millisecond, and none since: seen when the difference is
    // to be told.
    assert_eq!(
        w.told(),
        ["125ms raised lagging/minor AAPL XNAS bid direct+sip began 100ms by 0.01=1 lag 25ms"]
    );
}

#[test]
fn a_silence_that_the_silent_check_covers_is_told_at_the_next_packet() {
    let mut w = following(&format!("{BOTH}[[check]]\nkind = \"silent\"\n"));
    w.show(100 * MS, 0, 10_001, 10_002);
    w.advance(700 * MS);
    assert_eq!(w.told(), [""; 0], "nothing at all arrives from sip: late or dead is not known yet");
    w.beat(700 * MS, 1);
    w.show(800 * MS, 1, 10_001, 10_002);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "700ms raised lagging/minor AAPL XNAS bid sip+direct began 100ms by 0.01=1 lag 600ms",
            "805ms cleared lagging/minor AAPL XNAS bid sip+direct began 100ms ended 800ms agreed by 0.01=1 lag 600ms",
        ]
    );
}

#[test]
fn a_silence_that_lasts_is_told_as_silent_only() {
    let mut w = following(&format!("{BOTH}[[check]]\nkind = \"silent\"\n"));
    for i in 0..30 {
        w.show((100 + 100 * i) * MS, 0, 10_001 + i as i64, 10_102);
    }
    w.show(4 * S, 1, 10_030, 10_102);
    w.finish(4500 * MS);
    assert_eq!(
        w.told(),
        [
            "2001ms raised silent/critical sip#q began 1ms under 1",
            "4000ms cleared silent/critical sip#q began 1ms ended 4000ms data_resumed under 1",
        ]
    );
    assert_eq!(w.held(Kind::Divergent), [("silent", 2)], "both sides differed while it was silent");
}

#[test]
fn without_a_silent_check_it_is_told_at_once() {
    let mut w = following(LAGGING);
    w.show(100 * MS, 0, 10_001, 10_002);
    w.advance(120 * MS);
    assert_eq!(
        w.told(),
        ["120ms raised lagging/minor AAPL XNAS bid sip+direct began 100ms by 0.01=1 lag 20ms"]
    );
}

#[test]
fn without_a_lagging_check_flight_is_still_no_divergence() {
    let mut w = following(&check("divergent", ""));
    w.show(100 * MS, 0, 10_001, 10_002);
    w.advance(5 * S);
    assert_eq!(w.told(), [""; 0]);
    w.advance(20 * S);
    assert_eq!(
        w.told(),
        ["10100.000001ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1"]
    );
}

#[test]
fn a_price_that_returns_to_an_old_one_must_stand() {
    let mut w = following(BOTH);
    w.show(100 * MS, 0, 10_001, 10_002);
    w.show(101 * MS, 1, 10_001, 10_002);
    // For a moment the follower shows again what its peer left 400 ms ago.
    w.show(500 * MS, 1, 10_000, 10_002);
    w.show(519 * MS, 1, 10_001, 10_002);
    w.advance(S);
    assert_eq!(w.told(), [""; 0]);
    w.beat(999 * MS, 0);
    w.show(S, 1, 10_000, 10_002);
    w.advance(2 * S);
    assert_eq!(
        w.told(),
        // Each shows what the other left: the smaller lag is told.
        ["1020ms raised lagging/minor AAPL XNAS bid direct+sip began 1000ms by 0.01=1 lag 20ms"]
    );
}

#[test]
fn a_match_has_the_sign_of_who_was_first() {
    let mut w = following(BOTH);
    w.show(100 * MS, 1, 10_001, 10_002);
    w.show(103 * MS, 0, 10_001, 10_002);
    w.show(200 * MS, 0, 10_002, 10_003);
    w.show(205 * MS, 1, 10_002, 10_003);
    w.show(300 * MS, 0, 10_000, 10_003);
    w.finish(S);
    let relation = &w.comparator.relations()[0];
    assert_eq!((relation.matched, relation.led, relation.unmatched), (3, [2, 1, 0], [1, 2]));
    let leads = relation.recent_leads;
    assert_eq!(leads, [5, 5, -3].map(|ms| ms * MS as i64), "latest first, positive when direct was first");
}
