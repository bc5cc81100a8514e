//! Trading states, bands, hours, definitions, and what the rule book is cited for.

use super::*;

/// Bands of the `sip` of which the trades of `direct` in five minutes lie in the middle.
fn banded() -> Facts {
    let mut facts = late();
    facts.alert.kind = Kind::Status;
    facts.alert.side = None;
    facts.tape.bands = vec![BandsSaid {
        source: "sip".into(),
        at_ns: 9 * SECOND,
        lower: 95 * CENT,
        upper: 105 * CENT,
        sequence: 7,
    }];
    facts.tape.trades =
        vec![TradesSeen { source: "direct".into(), count: 40, mean: 100 * CENT, strange: Vec::new() }];
    facts.rules.bands =
        vec![RowFacts { id: "us-luld".into(), source: "LULD Plan".into(), ..RowFacts::default() }];
    facts
}

#[test]
fn bands_are_held_against_the_trades() {
    let mut facts = banded();
    assert_eq!(standing(&facts, "bands"), Standing::Excluded, "their middle is the trades' mean");
    // All trades lie outside.
    (facts.tape.bands[0].lower, facts.tape.bands[0].upper) = (50 * CENT, 60 * CENT);
    let finding = found(&facts, "bands");
    assert_eq!((finding.standing, &finding.blames), (Standing::Supported, &vec![Blame::source("sip")]));
    assert!(finding.cites.iter().any(|c| c.starts_with("us-luld (LULD Plan")), "{:?}", finding.cites);
    // Off, but with the trades in them: the reference price would tell.
    (facts.tape.bands[0].lower, facts.tape.bands[0].upper) = (99 * CENT, 140 * CENT);
    assert_eq!(standing(&facts, "bands"), Standing::Open);
    facts.tape.trades.clear();
    assert_eq!(standing(&facts, "bands"), Standing::Open, "no trade tells a reference price");
    facts.tape.bands.clear();
    assert_eq!(standing(&facts, "bands"), Standing::NotApplicable);
    facts.alert.kind = Kind::Divergent;
    assert_eq!(standing(&banded(), "bands"), Standing::Excluded);
}

#[test]
fn prints_of_another_world_are_told_beside_the_bands() {
    let mut facts = banded();
    (facts.tape.bands[0].lower, facts.tape.bands[0].upper) = (50 * CENT, 60 * CENT);
    facts.tape.trades[0].strange = vec![(8 * SECOND, 9_000 * CENT)];
    let finding = found(&facts, "bands");
    assert!(
        finding.supports.iter().any(|s| s.contains("1 trade of direct at a price far from all others")),
        "{finding:?}"
    );
}

#[test]
fn quotes_after_the_venues_close_at_far_prices_are_test_data() {
    let mut facts = facts((0..5).map(|n| shown(10 * SECOND + n * 100 * MS, 900, 950)).collect());
    facts.alert.kind = Kind::Status;
    facts.alert.side = None;
    facts.alert.sources = vec!["sip".into(), "direct".into()];
    facts.views[0].shown = vec![shown(0, 100, 105), shown(9 * SECOND, 100, 105)];
    assert_eq!(standing(&facts, "test_data"), Standing::Excluded);
    facts.views[0].shown[1].quote.quality = Quality::Closed;
    let finding = found(&facts, "test_data");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
    // At the prices of before it may be anything.
    facts.views[1].shown = (0..5).map(|n| shown(10 * SECOND + n * 100 * MS, 101, 105)).collect();
    assert_eq!(standing(&facts, "test_data"), Standing::Open);
}

#[test]
fn an_instrument_that_is_marked_as_a_test_is_one() {
    let mut facts = wrong();
    assert_eq!(standing(&facts, "test_data"), Standing::Excluded);
    facts.sources[1].definition = Some(Definition { test: true, ..Definition::default() });
    assert_eq!(standing(&facts, "test_data"), Standing::Supported);
}

#[test]
fn what_the_rule_book_says_of_the_hours_is_cited_and_keeps_test_data_open() {
    let mut facts = wrong();
    let hours =
        RowFacts { id: "xnas-hours".into(), source: "Nasdaq".into(), verified: true, ..RowFacts::default() };
    facts.rules.market = "XNAS".into();
    facts.rules.session =
        Some(SessionFacts { state: "regular", rows: vec![hours], ..SessionFacts::default() });
    for name in ["test_data", "halt"] {
        let finding = found(&facts, name);
        assert_eq!(finding.standing, Standing::Excluded);
        assert!(
            finding.cites.iter().any(|c| c.contains("by xnas-hours (Nasdaq)")),
            "{name} {:?}",
            finding.cites
        );
    }
    if let Some(session) = &mut facts.rules.session {
        (session.state, session.special) = ("closed", "Thanksgiving Day".into());
    }
    assert_eq!(
        standing(&facts, "test_data"),
        Standing::Excluded,
        "the venue's own feed goes on, whatever the hours"
    );
    facts.sources[0].updates = [50, 0];
    let finding = found(&facts, "test_data");
    assert_eq!(finding.standing, Standing::Open);
    assert!(finding.cites[0].contains("(Thanksgiving Day): closed"), "{:?}", finding.cites);
    assert_eq!(verdict(&facts), Verdict::Undecided, "a market that is closed makes any price doubtful");
}

#[test]
fn a_verdict_names_the_rules_it_relies_on() {
    let mut facts = banded();
    (facts.tape.bands[0].lower, facts.tape.bands[0].upper) = (50 * CENT, 60 * CENT);
    assert_eq!(explain(&facts).rules.len(), 1);
    facts.tape.bands.clear();
    assert_eq!(explain(&facts).rules, Vec::<String>::new(), "what is not used is not named");
}

#[test]
fn a_trading_state_close_to_the_beginning_leaves_the_market_open() {
    let mut facts = wrong();
    assert_eq!(standing(&facts, "halt"), Standing::Excluded);
    facts.views[0].shown[0].quote.quality = Quality::Auction;
    facts.views[0].shown[0].at_ns = 10 * SECOND - 100 * MS;
    let finding = found(&facts, "halt");
    assert_eq!((finding.standing, finding.blames), (Standing::Open, vec![Blame::Market]));
}

#[test]
fn rows_of_the_map_are_cited_where_names_and_scales_are_doubted() {
    let mut facts = wrong();
    facts.rules.mapped = vec![("sip".into(), "X.A".into(), 3)];
    for name in ["scale", "symbol_map"] {
        assert_eq!(found(&facts, name).cites, ["instrument map, line 3: sip calls X X.A"], "{name}");
    }
}

#[test]
fn a_book_whose_bid_is_above_its_ask_in_one_message_is_wrong_itself() {
    let mut facts = facts(vec![shown(MS, 100, 105), shown(10 * SECOND, 106, 105)]);
    facts.alert.kind = Kind::Crossed;
    facts.alert.side = None;
    facts.alert.scope = Some("source".into());
    facts.alert.sources = vec!["sip".into()];
    // The venue's own feed never shows such a bid.
    let finding = found(&facts, "wrong_value");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
    // It did show it, in time: both may be right, and the market crossed.
    facts.views[0].shown = vec![shown(0, 100, 105), shown(10 * SECOND + 10 * MS, 106, 110)];
    assert_eq!(standing(&facts, "wrong_value"), Standing::Open);
}

#[test]
fn a_book_crossed_under_load_by_a_bid_that_the_venue_has_left_is_outdated() {
    let mut facts = facts(vec![shown(MS, 100, 105), shown(10 * SECOND, 100, 99)]);
    facts.alert.kind = Kind::Crossed;
    facts.alert.side = None;
    facts.alert.scope = Some("source".into());
    facts.alert.sources = vec!["sip".into()];
    // The venue had left 100 for 90 a second ago and asks 99 as the copy says.
    facts.views[0].shown =
        vec![shown(0, 100, 105), shown(9 * SECOND, 90, 105), shown(10 * SECOND - MS, 90, 99)];
    let finding = found(&facts, "wrong_value");
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
    // Left within a flight of when it was raised it is no fault of anybody.
    facts.views[0].shown = vec![shown(0, 100, 105), shown(10 * SECOND + 10 * MS, 90, 99)];
    assert_ne!(standing(&facts, "wrong_value"), Standing::Supported);
}

#[test]
fn prices_of_spreads_are_compared_by_their_size() {
    let mut facts = facts(vec![shown(MS, -2_125, 105), shown(10 * SECOND + MS, -2_150, 105)]);
    facts.views[0].shown = vec![shown(0, -2_125, 105), shown(10 * SECOND, -2_126, 105)];
    assert_eq!(standing(&facts, "test_data"), Standing::Excluded);
    facts.views[0].shown[1] = shown(10 * SECOND, -90, 105);
    assert_eq!(standing(&facts, "test_data"), Standing::Open);
}

#[test]
fn who_is_late_shows_prices_of_one_market_whatever_the_hours_say() {
    let mut facts = late();
    facts.sources[0].updates = [50, 0];
    facts.rules.session = Some(SessionFacts { state: "closed", ..SessionFacts::default() });
    assert_eq!(standing(&facts, "test_data"), Standing::Open);
    facts.alert.kind = Kind::Lagging;
    assert_eq!(standing(&facts, "test_data"), Standing::Excluded);
}

#[test]
fn an_instrument_without_one_side_is_known_by_several_prices_of_the_other() {
    // Nobody bids: `sip` follows the ask of `direct` a millisecond later, and stays behind at last.
    let asks = |late_ns: u64, prices: &[i64]| -> Vec<Shown> {
        let of = |(nth, ask): (usize, &i64)| {
            let mut shown = shown(late_ns + nth as u64 * SECOND, 1, *ask);
            (shown.quote.best[0], shown.quote.round_lot[0]) = (None, None);
            shown
        };
        prices.iter().enumerate().map(of).collect()
    };
    let told = |direct: &[i64], sip: &[i64]| {
        let mut facts = facts(asks(MS, sip));
        facts.views[0].shown = asks(0, direct);
        facts.alert.side = Some(Side::Ask);
        standing(&facts, "symbol_map")
    };
    assert_eq!(told(&[105, 106, 107, 108, 109], &[105, 106, 107, 108]), Standing::Excluded);
    // Three prices may be alike by chance, and the same one again is no other.
    assert_eq!(told(&[105, 106, 107, 109], &[105, 106, 107]), Standing::Open);
    assert_eq!(told(&[105, 106, 105, 106, 105, 109], &[105, 106, 105, 106, 105]), Standing::Open);
}
