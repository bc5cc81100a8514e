//! `divergent`.

use super::*;
use crate::market::Facts;
use crate::market::Origin;

/// Both sources agree on 100.00 at 100.02 from 0 on; `divergent` alone is judged.
fn agreed(keys: &str) -> World {
    let mut world = World::pair(&check("divergent", keys));
    world.show(0, 0, 10_000, 10_002);
    world.show(MS, 1, 10_000, 10_002);
    world
}

#[test]
fn raised_by_timer_at_began_and_on_delay_and_not_a_nanosecond_before() {
    let mut w = agreed("");
    w.show(100 * MS, 1, 10_003, 10_004);
    w.advance(125 * MS - 1);
    assert_eq!(w.told(), [""; 0]);
    assert_eq!(w.comparator.next_timeout(), Some(T0 + 125 * MS));
    w.advance(125 * MS);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.03=3",
            "125ms raised divergent/major AAPL XNAS ask direct+sip began 100ms by 0.02=2",
        ]
    );
    w.advance(10 * S);
    w.show(11 * S, 1, 10_000, 10_002);
    w.finish(11 * S + 5 * MS);
    assert_eq!(
        w.told(),
        [
            "11005ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 11000ms agreed by 0.03=3",
            "11005ms cleared divergent/major AAPL XNAS ask direct+sip began 100ms ended 11000ms agreed by 0.02=2",
        ]
    );
}

#[test]
fn a_difference_shorter_than_on_delay_is_nothing() {
    let mut w = agreed("");
    w.show(100 * MS, 1, 10_001, 10_002);
    w.show(125 * MS - 1, 1, 10_000, 10_002);
    w.finish(S);
    assert_eq!(w.told(), [""; 0]);
}

#[test]
fn agreement_shorter_than_off_delay_ends_nothing_and_the_peak_is_kept() {
    let mut w = agreed("");
    w.show(100 * MS, 1, 10_001, 10_002);
    w.show(200 * MS, 1, 9_993, 10_002);
    w.show(210 * MS, 1, 10_000, 10_002);
    w.show(215 * MS - 1, 1, 9_999, 10_002);
    w.show(220 * MS, 1, 10_000, 10_002);
    w.show(224 * MS, 0, 10_000, 10_003);
    w.show(224 * MS + 1, 1, 10_000, 10_003);
    w.advance(300 * MS);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1",
            "225ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 220ms agreed by 0.07=7",
        ]
    );
}

#[test]
fn a_flicker_is_one_segment_and_one_alert() {
    let mut w = agreed("");
    for i in 0..100 {
        w.show((100 + 4 * i) * MS, 1, 10_001, 10_002);
        w.show((102 + 4 * i) * MS, 1, 10_000, 10_002);
    }
    w.finish(2 * S);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1",
            "503ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 498ms agreed by 0.01=1",
        ]
    );
}

#[test]
fn delays_and_severity_are_the_configurations() {
    let mut w = agreed("on_delay = \"1us\"\noff_delay = \"0s\"\nseverity = \"critical\"");
    w.show(100 * MS, 1, 10_001, 10_002);
    w.show(200 * MS, 1, 10_000, 10_002);
    assert_eq!(
        w.told(),
        [
            "100.001000ms raised divergent/critical AAPL XNAS bid direct+sip began 100ms by 0.01=1",
            "200ms cleared divergent/critical AAPL XNAS bid direct+sip began 100ms ended 200ms agreed by 0.01=1",
        ]
    );
}

#[test]
fn within_the_tolerance_is_agreement() {
    for (tolerance, wide) in [("{ ticks = 2 }", 2), ("{ bps = 3.5 }", 3), ("{ ticks = 1, bps = 2.0 }", 2)] {
        let mut w = agreed(&format!("tolerance = {tolerance}"));
        w.show(100 * MS, 1, 10_000 - wide, 10_002);
        w.advance(S);
        assert_eq!(w.told(), [""; 0], "{tolerance}");
        w.show(S, 1, 10_000 - wide - 1, 10_002);
        w.advance(2 * S);
        let wider = format!("by 0.0{}={}", wide + 1, wide + 1);
        assert_eq!(
            w.told(),
            [format!("1025ms raised divergent/major AAPL XNAS bid direct+sip began 1000ms {wider}")],
            "{tolerance}"
        );
    }
}

#[test]
fn a_tick_of_the_instrument_counts_and_a_finer_price_is_a_fraction_of_it() {
    let mut w = agreed("tolerance = { ticks = 1 }");
    w.registry.learn(0, Facts { tick_nanos: Some(50_000_000), ..Facts::default() });
    w.show(100 * MS, 1, 10_005, 10_010);
    w.advance(S);
    assert_eq!(
        w.told(),
        ["125ms raised divergent/major AAPL XNAS ask direct+sip began 100ms by 0.08=1.6"],
        "one step of five cents is allowed, eight cents are 1.6 steps"
    );
}

#[test]
fn each_side_has_its_own_segment() {
    let mut w = agreed("");
    w.show(100 * MS, 1, 10_001, 10_002);
    w.show(110 * MS, 1, 10_001, 10_003);
    w.show(140 * MS, 1, 10_000, 10_003);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1",
            "135ms raised divergent/major AAPL XNAS ask direct+sip began 110ms by 0.01=1",
            "145ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 140ms agreed by 0.01=1",
            "1000ms cleared divergent/major AAPL XNAS ask direct+sip began 110ms ended 1000ms end_of_data by 0.01=1",
        ]
    );
}

#[test]
fn a_round_lot_quote_is_compared_with_the_round_lot_of_the_book() {
    let mut w = agreed("");
    let mut odd = quote((Some(10_001), Some(10_002)), Quality::Ok);
    odd.round_lot[0] = Some(level(10_000));
    w.set(100 * MS, &[(0, odd)]);
    w.advance(S);
    assert_eq!(w.told(), [""; 0], "an odd lot is better than the quote, which counts round lots");
    w.beat(999 * MS, 0);
    w.show(S, 1, 10_001, 10_002);
    w.advance(2 * S);
    assert_eq!(w.told(), ["1025ms raised divergent/major AAPL XNAS bid direct+sip began 1000ms by 0.01=1"]);
}

#[test]
fn two_direct_books_are_compared_on_the_plain_best() {
    let mut w = World::new(DIRECT_AND_SIP, &check("divergent", ""));
    let (a, b) = (w.view(0, "XNAS", "AAPL", false), w.view(1, "XNAS", "AAPL", false));
    w.show(0, a, 10_000, 10_002);
    w.show(MS, b, 10_000, 10_002);
    let mut odd = quote((Some(10_001), Some(10_002)), Quality::Ok);
    odd.round_lot[0] = Some(level(10_000));
    w.set(100 * MS, &[(b, odd)]);
    w.advance(S);
    assert_eq!(w.told(), ["125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1"]);
}

#[test]
fn what_is_not_comparable_clears_with_its_reason_and_is_counted_as_held() {
    for (quality, reason) in [
        (Quality::Halted, "halted"),
        (Quality::Auction, "auction"),
        (Quality::Closed, "closed"),
        (Quality::Suspect, "gap"),
    ] {
        for view in [0, 1] {
            let mut w = agreed("");
            w.show(100 * MS, 1, 10_001, 10_002);
            let bid = if view == 0 { 10_000 } else { 10_001 };
            w.state(200 * MS, view, bid, 10_002, quality);
            w.advance(300 * MS);
            w.show(300 * MS, view, bid, 10_002);
            w.finish(400 * MS);
            assert_eq!(
                w.told(),
                [
                    "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1".to_owned(),
                    format!(
                        "200ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 200ms not_comparable:{reason} by 0.01=1"
                    ),
                    "325ms raised divergent/major AAPL XNAS bid direct+sip began 300ms by 0.01=1".to_owned(),
                    "400ms cleared divergent/major AAPL XNAS bid direct+sip began 300ms ended 400ms end_of_data by 0.01=1"
                        .to_owned(),
                ],
                "{reason}: another segment, another alert"
            );
            assert_eq!(w.held(Kind::Divergent), [(reason, 1)]);
            let relation = &w.comparator.relations()[0];
            assert_eq!(relation.held.by_name().get(reason), Some(&(2 * 100 * MS)));
        }
    }
}

#[test]
fn an_empty_side_is_not_comparable_and_says_nothing_of_the_other_side() {
    let mut w = agreed("");
    w.show(100 * MS, 1, 10_001, 10_003);
    w.set(200 * MS, &[(1, quote((None, Some(10_003)), Quality::Ok))]);
    w.finish(300 * MS);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.01=1",
            "125ms raised divergent/major AAPL XNAS ask direct+sip began 100ms by 0.01=1",
            "200ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 200ms not_comparable:one_sided by 0.01=1",
            "300ms cleared divergent/major AAPL XNAS ask direct+sip began 100ms ended 300ms end_of_data by 0.01=1",
        ]
    );
    assert_eq!(w.comparator.relations()[0].held.by_name().get("one_sided"), Some(&(100 * MS)));
}

#[test]
fn a_test_instrument_is_never_judged() {
    let mut w = World::new(DIRECT_AND_SIP, "");
    let (a, b) = (w.view(0, "XNAS", "ZVZZT", false), w.view(1, "XNAS", "ZVZZT", true));
    let id = w.registry.instrument("ZVZZT");
    w.registry.learn(id, Facts { test: true, ..Facts::default() });
    for i in 0..40 {
        w.show(i * 500 * MS, a, 10_000 + i as i64, 9_990);
        w.state((i * 500 + 1) * MS, b, 5_000, 6_000, if i < 20 { Quality::Ok } else { Quality::Halted });
    }
    w.finish(20 * S);
    assert_eq!(w.told(), [""; 0]);
    assert_eq!(w.held(Kind::Divergent), [("test", 2)]);
    assert_eq!(w.comparator.relations()[0].comparable_ns, 0);
}

#[test]
fn the_id_is_the_same_in_every_run_and_on_every_line_and_another_for_another_segment() {
    let run = || {
        let mut w = agreed("");
        w.registry.views[0].origin = Origin::default();
        for i in 0..3 {
            w.show((100 + 100 * i) * MS, 1, 10_001, 10_002);
            w.show((150 + 100 * i) * MS, 1, 10_000, 10_002);
        }
        w.finish(S);
        w.raw()
    };
    let text = run();
    assert_eq!(text, run());
    let ids: Vec<String> = text
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 6);
    for pair in ids.chunks(2) {
        assert_eq!(pair[0], pair[1]);
    }
    assert!(ids[0] != ids[2] && ids[2] != ids[4] && ids[0] != ids[4]);
}

#[test]
fn a_check_between_names_judges_no_other_pair() {
    let third = "
        [[source]]
        name = \"other\"
        feed = \"utp-uqdf\"
        [[source.channel]]
        name = \"q\"
        lines = [{ name = \"A\", group = \"233.1.1.9:1\" }]";
    let mut w = World::new(
        &format!("{DIRECT_AND_SIP}{third}"),
        &check("divergent", "between = [\"direct\", \"other\"]"),
    );
    for source in 0..3 {
        w.view(source, "XNAS", "AAPL", source > 0);
    }
    w.show(0, 0, 10_000, 10_002);
    w.show(0, 1, 10_001, 10_002);
    w.show(0, 2, 10_001, 10_002);
    w.advance(S);
    assert_eq!(w.told(), ["25ms raised divergent/major AAPL XNAS bid direct+other began 0ms by 0.01=1"]);
}

#[test]
fn agreement_time_adds_up_to_the_nanosecond() {
    let mut w = agreed("");
    w.show(100 * MS + 3, 1, 10_001, 10_002);
    w.state(200 * MS + 7, 0, 10_000, 10_002, Quality::Halted);
    w.show(350 * MS + 11, 0, 10_001, 10_002);
    w.set(400 * MS, &[(1, quote((Some(10_001), None), Quality::Ok))]);
    w.finish(500 * MS);
    let relation = &w.comparator.relations()[0];
    // From 1 ms, when both were known, or from 0, when the pair was made without the other's quote.
    let held: u64 = relation.held.by_name().values().sum();
    assert_eq!(relation.held.by_name().get("halted"), Some(&(2 * (150 * MS + 4))));
    assert_eq!(relation.held.by_name().get("one_sided"), Some(&(100 * MS)));
    assert_eq!(relation.comparable_ns - relation.agree_ns, 100 * MS + 4);
    let no_quote = relation.held.by_name().get("no_quote").copied().unwrap_or(0);
    assert_eq!(relation.comparable_ns + held - no_quote, 2 * 499 * MS);
    assert_eq!(relation.segments.by_name().values().sum::<u64>(), 1);
}
