//! Facts written by hand, and what the hypotheses make of them.

use super::super::facts::*;
use super::super::verdict::{Verdict, explain};
use super::*;
use crate::config::Kind;
use crate::market::{Level, Quality, Quote};
use feeds::event::Side;
use feeds::feed::Depth;

mod lines;
mod states;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const CENT: i64 = 10_000_000;

fn figures(median: i64) -> Figures {
    Figures { median_ns: median, min_ns: median, max_ns: median, p10_p90_ns: [median; 2], count: 20 }
}

fn latency(before: i64, during: i64) -> Latency {
    Latency { before: figures(before), during: figures(during), ..Latency::default() }
}

fn source(name: &str, depth: Depth, venue: Option<&str>) -> SourceFacts {
    SourceFacts {
        name: name.into(),
        depth,
        venue: venue.map(str::to_owned),
        channels: vec![ChannelFacts {
            name: "c".into(),
            lines: vec![LineFacts { name: "A".into(), packets: [900, 900], ..LineFacts::default() }],
            delivered: 900,
            ..ChannelFacts::default()
        }],
        latency: latency(20_000, 20_000),
        updates: [50, 8],
        updates_other: [500, 80],
        ..SourceFacts::default()
    }
}

fn shown(at_ns: u64, bid: i64, ask: i64) -> Shown {
    let level = |p| Some(Level { price: p * CENT, quantity: 100 });
    let quote =
        Quote { best: [level(bid), level(ask)], round_lot: [level(bid), level(ask)], ..Quote::default() };
    Shown { at_ns, quote, ..Shown::default() }
}

fn view(source: &str, shown: Vec<Shown>) -> ViewFacts {
    ViewFacts { source: source.into(), venue: Some("XNAS".into()), shown, ..ViewFacts::default() }
}

/// `direct` moves its bid from 100 to 101 at 10 s; `sip` shows what is given. Both are whole and fresh.
fn facts(sip: Vec<Shown>) -> Facts {
    let mut facts = Facts {
        data: Span { from_ns: 0, to_ns: 30 * SECOND },
        window: Span { from_ns: 0, to_ns: 21 * SECOND },
        sources: vec![
            source("direct", Depth::Orders, Some("XNAS")),
            source("sip", Depth::Consolidated, None),
        ],
        views: vec![view("direct", vec![shown(0, 100, 105), shown(10 * SECOND, 101, 105)]), view("sip", sip)],
        pairings: vec![Pairing {
            subject: "direct".into(),
            other: "sip".into(),
            own: [figures(-400_000), Figures::default(), figures(-400_000)],
            rest: [figures(-400_000); 3],
            others_shared: 9,
            ..Pairing::default()
        }],
        ..Facts::default()
    };
    facts.alert.kind = Kind::Divergent;
    facts.alert.told = Kind::Divergent;
    facts.alert.instrument = Some("X".into());
    facts.alert.venue = Some("XNAS".into());
    facts.rate_venue = Some("XNAS".into());
    facts.alert.side = Some(Side::Bid);
    facts.alert.sources = vec!["direct".into(), "sip".into()];
    (facts.alert.began_ns, facts.alert.raised_ns) = (10 * SECOND, 10 * SECOND + 25 * MS);
    facts.alert.ended_ns = Some(11 * SECOND);
    facts
}

fn wrong() -> Facts {
    facts(vec![shown(MS, 100, 105), shown(10 * SECOND + MS, 96, 105), shown(11 * SECOND, 101, 105)])
}

fn late() -> Facts {
    facts(vec![shown(MS, 100, 105), shown(11 * SECOND, 101, 105)])
}

fn found(facts: &Facts, name: &str) -> Finding {
    (ALL.iter().find(|h| h.name == name).expect(name).test)(facts)
}

fn standing(facts: &Facts, name: &str) -> Standing {
    found(facts, name).standing
}

fn verdict(facts: &Facts) -> Verdict {
    explain(facts).verdict
}

fn sip() -> Verdict {
    Verdict::Decided(Blame::source("sip"))
}

#[test]
fn every_hypothesis_has_a_whole_document() {
    let mut names: Vec<&str> = ALL.iter().map(|h| h.name).collect();
    for hypothesis in ALL {
        for heading in ["Tests", "For", "Against", "Would decide", "Blames"] {
            let there = hypothesis.document.lines().any(|l| l.starts_with(heading));
            assert!(there, "{} lacks {heading}", hypothesis.name);
        }
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ALL.len());
}

#[test]
fn a_price_that_the_venue_never_shows_is_the_copys_own() {
    let facts = wrong();
    assert_eq!(standing(&facts, "wrong_value"), Standing::Supported);
    assert_eq!(standing(&facts, "late"), Standing::Excluded);
    assert_eq!(verdict(&facts), sip());
}

#[test]
fn without_the_venues_own_feed_neither_is_right() {
    let mut facts = wrong();
    facts.sources[0].depth = Depth::Top;
    facts.sources[0].venue = None;
    assert_eq!(standing(&facts, "wrong_value"), Standing::Open);
    assert_eq!(verdict(&facts), Verdict::Undecided);
    // A third source that shows what the one shows decides it.
    facts.views.push(view("third", vec![shown(0, 100, 105), shown(10 * SECOND, 101, 105)]));
    assert_eq!(standing(&facts, "wrong_value"), Standing::Supported);
}

#[test]
fn a_gap_of_the_venues_feed_takes_its_word_away() {
    let mut facts = wrong();
    facts.sources[0].channels[0].gaps =
        vec![Hole { first: 5, last: 6, count: 2, began_ns: SECOND, ..Hole::default() }];
    assert_eq!(verdict(&facts), Verdict::Undecided);
    for name in ["own_loss", "path", "gap_at_source", "wrong_value"] {
        assert_eq!(standing(&facts, name), Standing::Open, "{name}");
    }
    // A gap after it does not.
    facts.sources[0].channels[0].gaps[0].began_ns = 20 * SECOND;
    assert_eq!(verdict(&facts), sip());
}

#[test]
fn a_copy_that_follows_late_runs_late_where_the_rest_does_not() {
    let mut facts = late();
    assert_eq!(standing(&facts, "late"), Standing::Supported);
    assert_eq!(standing(&facts, "stopped"), Standing::Supported);
    assert_eq!(verdict(&facts), sip());
    // Everything of it late after its own stamps: it, or the path.
    facts.pairings[0].rest[1] = figures(-900 * MS as i64);
    facts.sources[1].latency = latency(20_000, 900 * MS as i64);
    assert_eq!(standing(&facts, "late"), Standing::Open);
    assert_eq!(standing(&facts, "path"), Standing::Open);
    assert_eq!(verdict(&facts), Verdict::Undecided);
    // A time of sending tells: sent in time, it was the path; sent late, it was the source.
    facts.sources[1].send_latency = latency(20_000, 900 * MS as i64);
    assert_eq!(verdict(&facts), Verdict::Decided(Blame::Network));
    facts.sources[1].send_latency = latency(20_000, 20_000);
    assert_eq!(verdict(&facts), sip());
}

#[test]
fn heartbeats_without_news_are_a_source_that_stopped() {
    let mut facts = late();
    facts.alert.ended_ns = Some(14 * SECOND);
    facts.views[1].shown[1].at_ns = 14 * SECOND;
    facts.pairings[0].rest[1] = Figures::default();
    facts.sources[1].latency.during = Figures::default();
    let span = Span { from_ns: 10 * SECOND - MS, to_ns: 14 * SECOND };
    facts.sources[1].channels[0].pauses = vec![Pause { span, arrivals: 4, ..Pause::default() }];
    assert_eq!(standing(&facts, "stopped"), Standing::Supported);
    assert_eq!(verdict(&facts), sip());
    // The same stretch with numbers missing at its end is no source that stopped.
    facts.sources[1].channels[0].pauses[0].missing = 30;
    assert_eq!(standing(&facts, "stopped"), Standing::Excluded);
    assert_eq!(verdict(&facts), Verdict::Undecided);
}

#[test]
fn a_factor_is_told_from_a_difference() {
    let mut facts = facts(vec![shown(MS, 1_000, 1_050), shown(10 * SECOND + MS, 1_010, 1_050)]);
    facts.views[0]
        .shown
        .extend([shown(10 * SECOND + 300 * MS, 102, 105), shown(10 * SECOND + 500 * MS, 103, 105)]);
    facts.views[1]
        .shown
        .extend([shown(10 * SECOND + 300 * MS, 1_020, 1_050), shown(10 * SECOND + 500 * MS, 1_030, 1_050)]);
    facts.alert.began_ns = 10 * SECOND + 2 * MS;
    assert_eq!(standing(&facts, "scale"), Standing::Supported);
    facts.views[1].shown[3] = shown(10 * SECOND + 500 * MS, 999, 1_050);
    assert_eq!(standing(&facts, "scale"), Standing::Excluded);
    // What is told is a moment at which they differ.
    facts.views[0].shown = vec![shown(0, 100, 105), shown(10 * SECOND + 300 * MS, 101, 105)];
    facts.views[1].shown = vec![shown(0, 100, 105), shown(10 * SECOND + 400 * MS, 101, 105)];
    let said = found(&facts, "scale").contradicts.join("; ");
    assert!(said.starts_with("1.01 against 1.00: no factor"), "{said}");
    facts.views[1].shown = facts.views[0].shown.clone();
    let said = found(&facts, "scale").contradicts.join("; ");
    assert!(said.starts_with("the two showed the same at 2 moments"), "{said}");
}

#[test]
fn another_symbol_with_the_same_quotes_is_a_wrong_map() {
    let mut facts = facts(vec![shown(MS, 70, 75), shown(10 * SECOND + MS, 71, 75)]);
    let like = Likeness {
        source: "sip".into(),
        instrument: "Y".into(),
        peer: "direct".into(),
        equal: [19, 20],
        own_equal: 0,
    };
    facts.likenesses = vec![like];
    assert_eq!(standing(&facts, "symbol_map"), Standing::Supported);
    assert_eq!(standing(&late(), "symbol_map"), Standing::Excluded, "both showed 100 / 105");
}

#[test]
fn odd_lots_explain_what_would_agree_with_them() {
    let mut facts = facts(Vec::new());
    facts.views[1].round_lots_only = true;
    let odd = |at_ns, bid: i64, lot: i64| {
        let mut shown = shown(at_ns, bid, 105);
        shown.quote.round_lot[0] = Some(Level { price: lot * CENT, quantity: 100 });
        shown
    };
    let moments = [10 * SECOND, 10 * SECOND + 300 * MS, 10 * SECOND + 600 * MS];
    facts.views[0].shown =
        moments.iter().zip([101, 102, 103]).map(|(at, bid)| odd(*at, bid, bid - 3)).collect();
    facts.views[1].shown =
        moments.iter().zip([101, 102, 103]).map(|(at, bid)| shown(*at, bid, 105)).collect();
    assert_eq!(standing(&facts, "round_lot"), Standing::Supported);
    // Once they agreed on the round lot with an odd lot before it: they count alike.
    facts.views[0].shown.insert(0, odd(SECOND, 99, 97));
    facts.views[1].shown.insert(0, shown(SECOND, 97, 105));
    assert_eq!(standing(&facts, "round_lot"), Standing::Excluded);
}

#[test]
fn a_state_that_only_the_copy_missed_is_its_own() {
    let mut facts = facts((0..9).map(|n| shown(10 * SECOND + n * 100 * MS, 100 + n as i64, 120)).collect());
    facts.alert.kind = Kind::Status;
    facts.alert.side = None;
    facts.alert.sources = vec!["sip".into(), "direct".into()];
    facts.alert.raised_ns = 10 * SECOND + 300 * MS;
    facts.views[0].shown = vec![shown(0, 100, 105), shown(10 * SECOND, 100, 105)];
    facts.views[0].shown[1].quote.quality = Quality::Halted;
    let finding = (ALL.iter().find(|h| h.name == "halt").unwrap().test)(&facts);
    assert_eq!((finding.standing, finding.blames), (Standing::Supported, vec![Blame::source("sip")]));
}

#[test]
fn stamps_that_jump_while_arrivals_do_not_are_the_sources_clock() {
    let mut facts = wrong();
    facts.alert.kind = Kind::Clock;
    facts.alert.sources = vec!["direct".into()];
    facts.sources[0].clock = ClockFacts { ahead: (400 * MS, 10 * SECOND), behind: (0, 0), many: [30, 90] };
    assert_eq!(verdict(&facts), Verdict::Decided(Blame::source("direct")));
    facts.pairings[0].rest[1] = figures(400 * MS as i64);
    assert_eq!(verdict(&facts), Verdict::Undecided, "our own clock may have been set");
    // What falls back from one message to the next does so without us.
    facts.sources[0].clock = ClockFacts { ahead: (0, 0), behind: (400 * MS, 10 * SECOND), many: [0, 90] };
    assert_eq!(verdict(&facts), Verdict::Decided(Blame::source("direct")));
    facts.sources[0].channels[0].lines[0].behind = (9, 300 * MS);
    assert_eq!(verdict(&facts), Verdict::Undecided, "a late copy brings old stamps too");
    facts.sources[0].channels[0].lines[0].behind = (0, 0);
    facts.sources[0].send_latency = latency(20_000, 20_000);
    assert_eq!(verdict(&facts), Verdict::Undecided, "stamps of packets, in whatever order they came");
}

/// A gap of the source's only line (or of both lines) at 10 s.
fn gap(lines: usize) -> Facts {
    let mut facts = wrong();
    facts.alert.kind = Kind::Gap;
    facts.alert.sources = vec!["sip".into()];
    facts.alert.channel = Some("c".into());
    facts.alert.sequence = Some([5, 6, 2]);
    let channel = &mut facts.sources[1].channels[0];
    channel.lines = (0..lines).map(|n| LineFacts { name: n.to_string(), ..LineFacts::default() }).collect();
    let (before_ns, began_ns) = (10 * SECOND - 5 * MS, 10 * SECOND);
    channel.gaps =
        vec![Hole { first: 5, last: 6, count: 2, before_ns, began_ns, elsewhere: 9, ..Hole::default() }];
    facts
}

#[test]
fn a_gap_is_whose_the_counters_and_the_other_lines_say() {
    let change = |lines: usize, change: &dyn Fn(&mut ChannelFacts)| {
        let mut facts = gap(lines);
        change(&mut facts.sources[1].channels[0]);
        verdict(&facts)
    };
    assert_eq!(change(1, &|_| ()), Verdict::Undecided);
    assert_eq!(change(1, &|c| c.gaps[0].peers_moved = 2), Verdict::Decided(Blame::Network));
    assert_eq!(change(1, &|c| c.gaps[0].own = [7, 0]), Verdict::Decided(Blame::Ours));
    assert_eq!(change(2, &|_| ()), Verdict::Undecided, "the lines may share a stretch");
    assert_eq!(change(2, &|c| c.separate_interfaces = true), sip());
}

#[test]
fn what_another_line_brought_was_lost_on_the_path() {
    let mut facts = gap(2);
    facts.alert.kind = Kind::Line;
    facts.alert.line = Some("1".into());
    let channel = &mut facts.sources[1].channels[0];
    channel.gaps.clear();
    channel.line_losses =
        vec![LineLoss { line: 1, at_ns: 10 * SECOND, first: 5, last: 6, count: 2, ..LineLoss::default() }];
    assert_eq!(verdict(&facts), Verdict::Decided(Blame::Network));
    // At the edge of what all lines lack, one copy more tells nothing.
    for (first, stands) in [(7, Standing::Open), (8, Standing::Supported)] {
        let hole = Hole { first, last: 9, count: 3, ..Hole::default() };
        facts.sources[1].channels[0].gaps = vec![hole];
        assert_eq!(standing(&facts, "path"), stands, "{first}");
    }
    facts.sources[1].channels[0].gaps.clear();
    facts.sources[1].channels[0].own_loss_window = 2;
    assert_eq!(standing(&facts, "own_loss"), Standing::Supported);
}

#[test]
fn one_delay_of_a_quarter_of_an_hour_is_a_permission() {
    let mut facts = wrong();
    facts.pairings[0].constant_delay = Some((900 * SECOND, 18, 20));
    assert_eq!(standing(&facts, "entitlement"), Standing::Supported);
    facts.pairings[0].constant_delay = Some((900 * SECOND, 9, 20));
    assert_eq!(standing(&facts, "entitlement"), Standing::Excluded);
}

#[test]
fn rare_and_regular_updates_of_known_prices_are_conflated() {
    let mut facts = late();
    facts.views[0].shown = (0..120).map(|n| shown(n * 100 * MS, 100 + (n % 7) as i64, 120)).collect();
    facts.views[1].shown = (0..12).map(|n| shown(n * SECOND, 100 + (n * 10 % 7) as i64, 120)).collect();
    assert_eq!(standing(&facts, "conflation"), Standing::Supported);
    facts.views[1].shown[5].at_ns = 4 * SECOND + MS;
    assert_eq!(standing(&facts, "conflation"), Standing::Excluded);
}
