//! `missing`.

use super::*;
use crate::market::Facts;

const MISSING: &str = "[[check]]\nkind = \"missing\"\n";

#[test]
fn told_when_the_source_has_lived_long_enough_and_cleared_when_it_carries() {
    let mut w = World::new(DIRECT_AND_SIP, MISSING);
    let a = w.view(0, "XNAS", "AAPL", false);
    w.show(0, a, 10_000, 10_002);
    w.beat(S, 1);
    w.show(2 * S, a, 10_001, 10_002);
    w.show(6 * S, a, 10_002, 10_003);
    w.advance(7 * S - 1);
    assert_eq!(w.told(), [""; 0]);
    w.advance(7 * S);
    let b = w.view(1, "XNAS", "AAPL", true);
    w.show(8 * S, b, 10_002, 10_003);
    w.finish(20 * S);
    assert_eq!(
        w.told(),
        [
            "7000ms raised missing/minor AAPL XNAS sip began 2000ms",
            "8000ms cleared missing/minor AAPL XNAS sip began 2000ms ended 8000ms carried",
        ]
    );
}

#[test]
fn a_source_that_was_never_heard_of_misses_nothing_and_a_silent_one_neither() {
    let mut w =
        World::new(DIRECT_AND_SIP, &format!("{MISSING}[[check]]\nkind = \"silent\"\nsources = [\"sip\"]\n"));
    let a = w.view(0, "XNAS", "AAPL", false);
    w.beat(0, 1);
    for i in 1..20 {
        w.show(i * S, a, 10_000 + i as i64, 10_900);
    }
    w.finish(20 * S);
    assert_eq!(
        w.told(),
        [
            "2000ms raised silent/critical sip#q began 0ms under 0",
            "20000ms cleared silent/critical sip#q began 0ms ended 20000ms end_of_data under 0",
        ]
    );
}

#[test]
fn what_a_peer_shows_after_a_gap_is_not_missed() {
    let mut w = World::new(DIRECT_AND_SIP, MISSING);
    let a = w.view(0, "XNAS", "AAPL", false);
    w.beat(0, 1);
    for i in 1..10 {
        w.state(i * S, a, 10_000 + i as i64, 10_900, Quality::Suspect);
    }
    assert_eq!(w.told(), [""; 0]);
    // Once its book can be believed it is.
    w.show(10 * S, a, 10_000, 10_002);
    w.finish(16 * S);
    assert_eq!(
        w.told(),
        [
            "15000ms raised missing/minor AAPL XNAS sip began 10000ms",
            "16000ms cleared missing/minor AAPL XNAS sip began 10000ms ended 16000ms end_of_data",
        ]
    );
}

/// The alerts that a view of one source at a venue raises against the others.
fn against(source: SourceId, mic: &str, listing: u8, test: bool) -> Vec<String> {
    let mut w = World::new(DIRECT_AND_SIP, MISSING);
    let id = w.registry.instrument("AAPL");
    w.registry.learn(id, Facts { listing, test, ..Facts::default() });
    let view = w.view(source, mic, "AAPL", false);
    w.beat(0, 0);
    w.beat(0, 1);
    w.show(0, view, 10_000, 10_002);
    w.advance(10 * S);
    w.told()
}

#[test]
fn only_what_the_source_could_carry_is_missed() {
    let sip = ["5000ms raised missing/minor AAPL XNAS sip began 0ms"];
    let direct = ["5000ms raised missing/minor AAPL XNAS direct began 0ms"];
    assert_eq!(against(0, "XNAS", b'Q', false), sip, "listed where the consolidated feed covers");
    assert_eq!(against(0, "XNAS", 0, false), sip, "nothing is known of its listing");
    assert_eq!(against(0, "XNAS", b'N', false), [""; 0], "another plan's listing");
    assert_eq!(against(0, "XXXX", b'Q', false), [""; 0], "no participant of the consolidated feed");
    assert_eq!(against(0, "XNAS", b'Q', true), [""; 0], "a test instrument");
    assert_eq!(against(1, "XNAS", b'Q', false), direct, "its own venue");
    assert_eq!(against(1, "ARCX", b'Q', false), [""; 0], "another venue's");
    assert_eq!(against(1, "", b'Q', false), [""; 0], "a national best is nobody's");
}
