//! National bests and composites.

use super::*;

const TWO_AND_SIP: &str = r#"
    [[source]]
    name = "nas"
    feed = "nasdaq-itch-5.0"
    venue = "XNAS"
    [[source.channel]]
    name = "tv"
    lines = [{ name = "A", group = "233.1.1.1:1" }]
    [[source]]
    name = "iex"
    feed = "iex-deep"
    venue = "IEXG"
    [[source.channel]]
    name = "d"
    lines = [{ name = "A", group = "233.1.1.2:1" }]
    [[source]]
    name = "sip"
    feed = "utp-uqdf"
    [[source.channel]]
    name = "q"
    lines = [{ name = "A", group = "233.1.1.3:1" }]
    [[composite]]
    name = "best"
    of = ["nas", "iex"]
"#;

/// National best of the consolidated source (view 2) and the composite (view 3), with the two direct views below it.
fn composite(checks: &str) -> World {
    let mut w = World::new(TWO_AND_SIP, checks);
    w.view(0, "XNAS", "AAPL", false);
    w.view(1, "IEXG", "AAPL", false);
    w.view(2, "", "AAPL", true);
    w.view(3, "", "AAPL", false);
    w.show(0, 0, 10_000, 10_002);
    w.show(0, 1, 10_000, 10_002);
    w.show(0, 3, 10_000, 10_002);
    w.show(MS, 2, 10_000, 10_002);
    w
}

#[test]
fn a_composite_is_compared_with_the_national_best() {
    let mut w = composite("");
    w.beat(99 * MS, 0);
    w.show(100 * MS, 2, 10_001, 10_002);
    w.show(200 * MS, 2, 10_000, 10_002);
    w.finish(S);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL bid sip+best began 100ms by 0.01=1",
            "205ms cleared divergent/major AAPL bid sip+best began 100ms ended 200ms agreed by 0.01=1",
        ]
    );
    let sources: Vec<[SourceId; 2]> = w.comparator.relations().iter().map(|r| r.sources).collect();
    assert_eq!(sources, [[2, 3]], "a venue's own quote is not compared with a national best");
}

#[test]
fn two_consolidated_sources_are_compared_on_their_national_best() {
    let other = "[[source]]\nname = \"sip2\"\nfeed = \"utp-uqdf\"\n[[source.channel]]\nname = \"q\"\nlines = [{ name = \"A\", group = \"233.1.1.9:1\" }]\n";
    let mut w = World::new(&format!("{DIRECT_AND_SIP}{other}"), &check("divergent", ""));
    let (a, b) = (w.view(1, "", "AAPL", true), w.view(2, "", "AAPL", true));
    w.show(0, a, 10_000, 10_002);
    w.show(MS, b, 10_000, 10_002);
    w.show(100 * MS, b, 10_007, 10_009);
    w.advance(125 * MS);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL bid sip+sip2 began 100ms by 0.07=7",
            "125ms raised divergent/major AAPL ask sip+sip2 began 100ms by 0.07=7",
        ]
    );
}

#[test]
fn a_crossed_composite_crosses_between_sources() {
    let mut w = composite("[[check]]\nkind = \"crossed\"\n");
    w.show(100 * MS, 3, 10_003, 10_002);
    w.advance(S);
    assert_eq!(w.told(), ["125ms raised crossed/major AAPL best@sources began 100ms by 0.01=1"]);
}

#[test]
fn a_composite_is_as_silent_as_its_parts() {
    let mut w =
        composite("[[check]]\nkind = \"divergent\"\n[[check]]\nkind = \"silent\"\nsources = [\"nas\"]\n");
    w.show(100 * MS, 2, 9_999, 10_002);
    w.beat(2500 * MS, 2);
    w.show(5 * S, 0, 9_999, 10_002);
    w.show(5 * S, 3, 9_999, 10_002);
    w.finish(6 * S);
    assert_eq!(
        w.told(),
        [
            "125ms raised divergent/major AAPL bid sip+best began 100ms by 0.01=1",
            "2000ms raised silent/critical nas#tv began 0ms under 1",
            "2000ms cleared divergent/major AAPL bid sip+best began 100ms ended 2000ms not_comparable:silent by 0.01=1",
            "5000ms cleared silent/critical nas#tv began 0ms ended 5000ms data_resumed under 1",
        ]
    );
    assert_eq!(w.comparator.relations()[0].held.by_name().get("silent"), Some(&(2 * 3 * S)));
}
