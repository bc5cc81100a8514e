//! `stale`.

use super::*;

const STALE: &str = "[[check]]\nkind = \"stale\"\n";
const PRICES: &str =
    "[[check]]\nkind = \"lagging\"\n[[check]]\nkind = \"divergent\"\n[[check]]\nkind = \"stale\"\n";

fn following(checks: &str) -> World {
    let mut world = World::pair(checks);
    world.show(0, 0, 10_000, 10_002);
    world.show(MS, 1, 10_000, 10_002);
    world
}

#[test]
fn raised_by_timer_after_the_first_move_that_was_not_followed() {
    let mut w = following(STALE);
    w.show(S, 0, 10_001, 10_002);
    w.show(2 * S, 0, 10_002, 10_003);
    w.advance(4 * S - 1);
    assert_eq!(w.told(), [""; 0]);
    w.advance(4 * S);
    assert_eq!(w.told(), ["4000ms raised stale/major AAPL XNAS sip began 1000ms"]);
    w.touch(6 * S, 1);
    w.finish(7 * S);
    assert_eq!(
        w.told(),
        ["6000ms cleared stale/major AAPL XNAS sip began 1000ms ended 6000ms updated"],
        "an update deeper than the top of book is life"
    );
}

#[test]
fn any_update_of_the_source_starts_the_count_anew() {
    let mut w = following(STALE);
    w.show(S, 0, 10_001, 10_002);
    w.touch(3 * S, 1);
    w.advance(10 * S);
    assert_eq!(w.told(), [""; 0], "nothing has moved since its update");
    w.show(11 * S, 0, 10_002, 10_003);
    w.advance(14 * S - 1);
    assert_eq!(w.told(), [""; 0]);
    w.advance(20 * S);
    assert_eq!(w.told(), ["14000ms raised stale/major AAPL XNAS sip began 11000ms"]);
}

#[test]
fn a_quiet_instrument_is_not_stale_and_a_peer_that_catches_up_has_not_moved() {
    let mut w = following("");
    w.show(S, 0, 10_001, 10_002);
    w.show(S + 2 * MS, 1, 10_001, 10_002);
    for i in 0..40 {
        w.beat(S + 500 * i * MS + 3 * MS, 0);
        w.beat(S + 500 * i * MS + 4 * MS, 1);
    }
    w.finish(20_700 * MS);
    assert_eq!(w.told(), [""; 0]);
}

#[test]
fn a_peer_that_moves_and_comes_back_proves_it_by_its_number_of_moves() {
    let mut w = following(STALE);
    for i in 0..4 {
        w.show(S + 10 * i * MS, 0, if i % 2 == 0 { 10_001 } else { 10_000 }, 10_002);
    }
    w.advance(9 * S);
    assert_eq!(w.told(), [""; 0], "two moves away, two back to what the other shows");
    let mut w = following(STALE);
    for i in 0..6 {
        w.show(S + 10 * i * MS, 0, 10_001 + i as i64, 10_002);
    }
    w.show(S + 70 * MS, 0, 10_000, 10_002);
    w.advance(9 * S);
    assert_eq!(w.told(), ["4000ms raised stale/major AAPL XNAS sip began 1000ms"]);
}

#[test]
fn stale_is_told_instead_of_lagging_and_divergent() {
    let mut w = following(PRICES);
    w.show(S, 0, 10_001, 10_002);
    w.show(2 * S, 0, 10_001, 10_005);
    w.show(10 * S, 0, 10_003, 10_005);
    w.show(11 * S, 1, 10_002, 10_005);
    w.finish(12 * S);
    assert_eq!(
        w.told(),
        [
            "1020ms raised lagging/minor AAPL XNAS bid sip+direct began 1000ms by 0.01=1 lag 20ms",
            "2020ms raised lagging/minor AAPL XNAS ask sip+direct began 2000ms by 0.03=3 lag 20ms",
            "4000ms raised stale/major AAPL XNAS sip began 1000ms",
            "4000ms cleared lagging/minor AAPL XNAS bid sip+direct began 1000ms ended 4000ms not_comparable:stale by 0.01=1 lag 1020ms",
            "4000ms cleared lagging/minor AAPL XNAS ask sip+direct began 2000ms ended 4000ms not_comparable:stale by 0.03=3 lag 20ms",
            "11000ms cleared stale/major AAPL XNAS sip began 1000ms ended 11000ms updated",
            "11025ms raised divergent/major AAPL XNAS bid direct+sip began 11000ms by 0.01=1",
            "12000ms cleared divergent/major AAPL XNAS bid direct+sip began 11000ms ended 12000ms end_of_data by 0.01=1",
        ]
    );
}

#[test]
fn a_silent_source_has_no_stale_instruments() {
    let mut w = following(&format!("{PRICES}[[check]]\nkind = \"silent\"\nsources = [\"sip\"]\n"));
    for i in 1..60 {
        w.show(100 * i * MS, 0, 10_000 + i as i64, 10_002 + i as i64);
    }
    w.finish(6 * S);
    assert_eq!(
        w.told(),
        [
            "2001ms raised silent/critical sip#q began 1ms under 1",
            "6000ms cleared silent/critical sip#q began 1ms ended 6000ms end_of_data under 1",
        ]
    );
}

#[test]
fn what_may_be_a_dead_source_is_not_told_as_stale_before_it_is_told_as_silent() {
    let silent = "[[check]]\nkind = \"silent\"\nsources = [\"sip\"]\nafter = \"6s\"\n";
    let mut w = World::new(DIRECT_AND_SIP, &format!("{PRICES}{silent}"));
    let views: Vec<[ViewId; 2]> = (0..1000)
        .map(|i| {
            let name = format!("I{i}");
            [w.view(0, "XNAS", &name, false), w.view(1, "XNAS", &name, true)]
        })
        .collect();
    let all = |side: usize, bid: i64| -> Vec<(ViewId, Quote)> {
        views.iter().map(|v| (v[side], quote((Some(bid), Some(bid + 5)), Quality::Ok))).collect()
    };
    w.set(0, &all(0, 10_000));
    w.set(MS, &all(1, 10_000));
    for i in 1..80 {
        w.set(100 * i * MS, &all(0, 10_000 + i as i64));
    }
    w.finish(8 * S);
    assert_eq!(
        w.told(),
        [
            "6001ms raised silent/critical sip#q began 1ms under 1000",
            "8000ms cleared silent/critical sip#q began 1ms ended 8000ms end_of_data under 1000",
        ]
    );
}

#[test]
fn an_instrument_may_be_stale_as_soon_as_its_source_is_known_to_live() {
    let silent = "[[check]]\nkind = \"silent\"\nsources = [\"sip\"]\nafter = \"6s\"\n";
    let mut w = following(&format!("{STALE}{silent}"));
    w.show(S, 0, 10_001, 10_002);
    w.advance(5 * S);
    assert_eq!(w.told(), [""; 0]);
    w.beat(5 * S, 1);
    w.finish(6 * S);
    assert_eq!(
        w.told(),
        [
            "5250ms raised stale/major AAPL XNAS sip began 1000ms",
            "6000ms cleared stale/major AAPL XNAS sip began 1000ms ended 6000ms end_of_data",
        ]
    );
}

#[test]
fn what_is_not_comparable_is_not_stale_and_proves_nothing() {
    let mut w = following(STALE);
    w.state(500 * MS, 1, 10_000, 10_002, Quality::Halted);
    for i in 0..10 {
        w.show(S + 10 * i * MS, 0, 10_001 + i as i64, 10_102);
    }
    w.advance(9 * S);
    assert_eq!(w.told(), [""; 0], "a halted quote stands still rightly");
    let mut w = following(STALE);
    for i in 0..10 {
        w.state(S + 10 * i * MS, 0, 10_001 + i as i64, 10_102, Quality::Auction);
    }
    w.advance(9 * S);
    assert_eq!(w.told(), [""; 0], "a book before its auction moves where the other shows nothing");
}

#[test]
fn a_burst_that_the_peer_follows_a_moment_later_makes_nobody_stale() {
    let mut w = World::pair(STALE);
    w.show(0, 0, 10_000, 10_002);
    w.show(MS, 1, 10_000, 10_002);
    // The source is done with all of it before its peer shows the first of it, and then says nothing for long.
    for i in 0..8 {
        w.show(100 * MS + i * MS / 10, 0, 10_001 - (i % 2) as i64, 10_002);
    }
    for i in 0..8 {
        w.show(101 * MS + i * MS / 10, 1, 10_001 - (i % 2) as i64, 10_002);
    }
    w.beat(9 * S, 0);
    w.advance(10 * S);
    assert_eq!(w.told(), [""; 0]);
}
