//! `crossed` and `locked`.

use super::*;

const CROSSED: &str = "[[check]]\nkind = \"crossed\"\n[[check]]\nkind = \"locked\"\n";

#[test]
fn one_source_crosses_itself_for_on_delay_until_it_has_not_for_off_delay() {
    let mut w = World::pair(CROSSED);
    w.show(0, 0, 10_000, 10_002);
    w.show(100 * MS, 0, 10_003, 10_002);
    w.show(110 * MS, 0, 10_000, 10_002);
    w.show(114 * MS, 0, 10_005, 10_002);
    w.advance(125 * MS - 1);
    assert_eq!(w.told(), [""; 0]);
    w.advance(125 * MS);
    w.show(200 * MS, 0, 10_009, 10_002);
    w.show(300 * MS, 0, 10_000, 10_002);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "125ms raised crossed/major AAPL XNAS direct@source began 100ms by 0.03=3",
            "305ms cleared crossed/major AAPL XNAS direct@source began 100ms ended 300ms uncrossed by 0.07=7",
        ]
    );
}

#[test]
fn locked_is_its_own_kind() {
    let mut w = World::pair(CROSSED);
    w.show(100 * MS, 1, 10_002, 10_002);
    w.show(200 * MS, 1, 10_003, 10_002);
    w.show(300 * MS, 1, 10_000, 10_002);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "125ms raised locked/info AAPL XNAS sip@source began 100ms by 0.00=0",
            "205ms cleared locked/info AAPL XNAS sip@source began 100ms ended 200ms uncrossed by 0.00=0",
            "225ms raised crossed/major AAPL XNAS sip@source began 200ms by 0.01=1",
            "305ms cleared crossed/major AAPL XNAS sip@source began 200ms ended 300ms uncrossed by 0.01=1",
        ]
    );
}

#[test]
fn a_national_best_crosses_between_venues() {
    let mut w = World::new(DIRECT_AND_SIP, CROSSED);
    let national = w.view(1, "", "AAPL", true);
    w.show(0, national, 10_003, 10_002);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "25ms raised crossed/major AAPL sip@venues began 0ms by 0.01=1",
            "1000ms cleared crossed/major AAPL sip@venues began 0ms ended 1000ms end_of_data by 0.01=1",
        ]
    );
}

#[test]
fn only_in_continuous_trading_and_counted_otherwise() {
    for (quality, reason) in [
        (Quality::Halted, "halted"),
        (Quality::Auction, "auction"),
        (Quality::Closed, "closed"),
        (Quality::Suspect, "gap"),
    ] {
        let mut w = World::pair(CROSSED);
        w.state(0, 0, 10_003, 10_002, quality);
        w.show(S, 0, 10_003, 10_002);
        w.state(2 * S, 0, 10_003, 10_002, quality);
        w.finish(3 * S);
        assert_eq!(
            w.told(),
            [
                "1025ms raised crossed/major AAPL XNAS direct@source began 1000ms by 0.01=1".to_owned(),
                format!(
                    "2000ms cleared crossed/major AAPL XNAS direct@source began 1000ms ended 2000ms not_comparable:{reason} by 0.01=1"
                ),
            ]
        );
        assert_eq!(w.held(Kind::Crossed), [(reason, 2)]);
    }
}

#[test]
fn between_two_sources_it_is_told_once_unless_named() {
    let prices = "[[check]]\nkind = \"divergent\"\n";
    let crossed = |w: &mut World| {
        w.show(0, 0, 10_000, 10_002);
        w.show(MS, 1, 10_000, 10_002);
        w.show(100 * MS, 1, 10_005, 10_007);
        w.finish(S);
        w.told()
    };
    let divergent = [
        "125ms raised divergent/major AAPL XNAS bid direct+sip began 100ms by 0.05=5",
        "125ms raised divergent/major AAPL XNAS ask direct+sip began 100ms by 0.05=5",
    ];
    let cleared = [
        "1000ms cleared divergent/major AAPL XNAS bid direct+sip began 100ms ended 1000ms end_of_data by 0.05=5",
        "1000ms cleared divergent/major AAPL XNAS ask direct+sip began 100ms ended 1000ms end_of_data by 0.05=5",
    ];
    let mut w = World::pair(&format!("{prices}{CROSSED}"));
    assert_eq!(crossed(&mut w), [divergent, cleared].concat());
    assert_eq!(w.held(Kind::Crossed), [("told_as_disagreement", 1)]);
    let named =
        "[[check]]\nkind = \"crossed\"\nbetween = [\"direct\", \"sip\"]\n[[check]]\nkind = \"locked\"\n";
    let raised = "125ms raised crossed/major AAPL XNAS direct+sip@sources began 100ms by 0.03=3";
    let ended = "1000ms cleared crossed/major AAPL XNAS direct+sip@sources began 100ms ended 1000ms end_of_data by 0.03=3";
    let mut w = World::pair(&format!("{prices}{named}"));
    assert_eq!(crossed(&mut w), [&divergent[..], &[raised], &cleared[..], &[ended]].concat());
    // Nothing tells of the difference: then the crossing is told.
    let mut w = World::pair(CROSSED);
    assert_eq!(crossed(&mut w), [raised, ended]);
}

#[test]
fn a_check_that_names_its_sources_judges_these_alone() {
    let mut w = World::pair("[[check]]\nkind = \"crossed\"\nsources = [\"sip\"]\n");
    w.show(0, 0, 10_003, 10_002);
    w.show(0, 1, 10_003, 10_002);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "25ms raised crossed/major AAPL XNAS sip@source began 0ms by 0.01=1",
            "1000ms cleared crossed/major AAPL XNAS sip@source began 0ms ended 1000ms end_of_data by 0.01=1",
        ]
    );
}
