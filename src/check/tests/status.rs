//! `status`.

use super::*;

const STATUS: &str = "[[check]]\nkind = \"status\"\n";

fn halted(checks: &str) -> World {
    let mut w = World::pair(checks);
    w.show(0, 0, 10_000, 10_002);
    w.show(MS, 1, 10_000, 10_002);
    w.state(100 * MS, 0, 10_000, 10_002, Quality::Halted);
    w
}

#[test]
fn told_when_the_other_changes_its_quote_on_delay_later() {
    let mut w = halted(STATUS);
    w.show(350 * MS - 1, 1, 10_001, 10_002);
    assert_eq!(w.told(), [""; 0]);
    w.show(350 * MS, 1, 10_002, 10_003);
    w.show(400 * MS, 1, 10_003, 10_004);
    w.state(500 * MS, 1, 10_003, 10_004, Quality::Halted);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "350ms raised status/major AAPL XNAS sip+direct began 100ms",
            "500ms cleared status/major AAPL XNAS sip+direct began 100ms ended 500ms agreed",
        ]
    );
}

#[test]
fn a_quote_that_is_left_standing_is_no_status_alert() {
    let mut w = halted(STATUS);
    w.touch(S, 1);
    w.state(2 * S, 0, 9_000, 11_000, Quality::Halted);
    w.finish(3 * S);
    assert_eq!(w.told(), [""; 0]);
}

#[test]
fn closed_counts_as_halted_and_both_stopped_is_agreement() {
    let mut w = World::pair(STATUS);
    w.show(0, 0, 10_000, 10_002);
    w.state(MS, 1, 10_000, 10_002, Quality::Closed);
    w.show(S, 0, 10_001, 10_002);
    w.show(2 * S, 1, 10_001, 10_002);
    w.state(3 * S, 0, 10_001, 10_002, Quality::Halted);
    w.state(4 * S, 1, 10_001, 10_002, Quality::Closed);
    w.state(5 * S, 1, 10_005, 10_009, Quality::Closed);
    w.finish(6 * S);
    assert_eq!(
        w.told(),
        [
            "1000ms raised status/major AAPL XNAS direct+sip began 1ms",
            "2000ms cleared status/major AAPL XNAS direct+sip began 1ms ended 2000ms agreed",
        ]
    );
}

#[test]
fn what_is_no_longer_comparable_clears_with_its_reason() {
    for (quality, reason) in [(Quality::Suspect, "gap"), (Quality::Auction, "auction")] {
        let mut w = halted(STATUS);
        w.show(S, 1, 10_001, 10_002);
        w.state(2 * S, 1, 10_001, 10_002, quality);
        w.show(3 * S, 1, 10_001, 10_002);
        w.show(3 * S + 250 * MS - 1, 1, 10_002, 10_003);
        w.show(3 * S + 250 * MS, 1, 10_003, 10_004);
        w.finish(4 * S);
        assert_eq!(
            w.told(),
            [
                "1000ms raised status/major AAPL XNAS sip+direct began 100ms".to_owned(),
                format!(
                    "2000ms cleared status/major AAPL XNAS sip+direct began 100ms ended 2000ms not_comparable:{reason}"
                ),
                "3250ms raised status/major AAPL XNAS sip+direct began 3000ms".to_owned(),
                "4000ms cleared status/major AAPL XNAS sip+direct began 3000ms ended 4000ms end_of_data"
                    .to_owned(),
            ]
        );
        assert_eq!(w.held(Kind::Status), [(reason, 1)]);
    }
}

#[test]
fn a_silent_source_says_nothing_of_states() {
    let mut w = halted(&format!("{STATUS}[[check]]\nkind = \"silent\"\nsources = [\"direct\"]\n"));
    for i in 1..6 {
        w.show(S * i, 1, 10_000 + i as i64, 10_002 + i as i64);
    }
    w.finish(6 * S);
    assert_eq!(
        w.told(),
        [
            "1000ms raised status/major AAPL XNAS sip+direct began 100ms",
            "2100ms raised silent/critical direct#tv began 100ms under 1",
            "2100ms cleared status/major AAPL XNAS sip+direct began 100ms ended 2100ms not_comparable:silent",
            "6000ms cleared silent/critical direct#tv began 100ms ended 6000ms end_of_data under 1",
        ]
    );
}
