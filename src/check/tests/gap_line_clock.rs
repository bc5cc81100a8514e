//! `gap`, `line` and `clock`: what is told of channels, lines and sources rather than of prices.

use super::*;
use crate::alert::SequenceRange;
use crate::check::gap::{Gap, Ours};
use crate::line::GapReason;

const CHECKS: &str = "[[check]]\nkind = \"gap\"\n[[check]]\nkind = \"line\"\n[[check]]\nkind = \"clock\"\n";
const LINES: &str = r#"
    [[source]]
    name = "direct"
    feed = "nasdaq-itch-5.0"
    [[source.channel]]
    name = "tv"
    lines = [{ name = "A", group = "233.1.1.1:1" }, { name = "B", group = "233.1.1.2:1" }]
"#;

fn lines(checks: &str) -> World {
    World::new(LINES, checks)
}

fn gap(first: u64, last: u64, began: u64) -> LineEvent {
    LineEvent::Gap { first, last, count: last - first + 1, began_ns: T0 + began, reason: GapReason::Wait }
}

fn lost(first: u64, last: u64, in_gap: u64, began: u64) -> LineEvent {
    LineEvent::LineLost { line: 1, first, last, count: last - first + 1, in_gap, began_ns: T0 + began }
}

fn lead(lag_ns: u64, sequence: u64) -> LineEvent {
    LineEvent::LineLead { winner: 0, loser: 1, lag_ns, at_least: false, sequence }
}

#[test]
fn a_gap_is_told_with_its_exact_range_and_cleared_by_what_ended_it() {
    let mut w = lines(CHECKS);
    w.event(5 * MS, 0, gap(11, 20, 0));
    w.event(6 * MS, 0, gap(30, 30, MS));
    w.event(7 * MS, 0, LineEvent::GapFilled { first: 11, last: 14, count: 4, line: 1 });
    w.event(8 * MS, 0, LineEvent::GapFilled { first: 15, last: 20, count: 6, line: 1 });
    w.advance(9 * MS);
    let place = Place { source: 0, channel: 0, line: 0 };
    w.comparator.books_restarted(T0 + 9 * MS, place, "books_whole", &w.registry);
    w.event(10 * MS, 0, gap(40, 49, 10 * MS));
    w.event(11 * MS, 0, LineEvent::SessionChanged { old: 1, new: 2, first: 1, line: 0 });
    w.event(12 * MS, 0, gap(3, 5, 12 * MS));
    w.event(13 * MS, 0, LineEvent::SequenceReset { expected: 6, first: 1, line: 0 });
    w.event(14 * MS, 0, gap(3, 5, 14 * MS));
    w.finish(15 * MS);
    assert_eq!(
        w.told(),
        [
            "5ms raised gap/major direct#tv began 0ms seq 11..20=10 under 3",
            "6ms raised gap/major direct#tv began 1ms seq 30..30=1 under 3",
            "8ms cleared gap/major direct#tv began 0ms ended 8ms filled seq 11..20=10 under 3",
            "9ms cleared gap/major direct#tv began 1ms ended 9ms books_whole seq 30..30=1 under 3",
            "10ms raised gap/major direct#tv began 10ms seq 40..49=10 under 3",
            "11ms cleared gap/major direct#tv began 10ms ended 11ms new_session seq 40..49=10 under 3",
            "12ms raised gap/major direct#tv began 12ms seq 3..5=3 under 3",
            "13ms cleared gap/major direct#tv began 12ms ended 13ms new_session seq 3..5=3 under 3",
            "14ms raised gap/major direct#tv began 14ms seq 3..5=3 under 3",
            "15ms cleared gap/major direct#tv began 14ms ended 15ms end_of_data seq 3..5=3 under 3",
        ]
    );
}

#[test]
fn what_is_lost_is_counted_in_what_the_feed_numbers() {
    let why = |config: &str| {
        let mut w = World::new(config, CHECKS);
        w.event(5 * MS, 0, gap(11, 20, 0));
        w.event(6 * MS, 0, lost(31, 31, 0, 5 * MS));
        w.raw()
    };
    let messages = why(LINES);
    assert!(messages.contains("lost 10 messages, 11 to 20, on every line"), "{messages}");
    assert!(messages.contains("line B lost message 31,"), "{messages}");
    let packets = why(&LINES.replace("nasdaq-itch-5.0", "cme-mdp3"));
    assert!(packets.contains("lost 10 packets, 11 to 20, on every line"), "{packets}");
    assert!(packets.contains("line B lost packet 31,"), "{packets}");
}

#[test]
fn two_gaps_that_one_arrival_shows_are_two_alerts_with_two_ids() {
    let mut w = lines(CHECKS);
    w.event(5 * MS, 0, gap(11, 20, 0));
    w.event(5 * MS, 0, gap(22, 23, 0));
    w.finish(6 * MS);
    assert_eq!(w.told().len(), 4, "the builder holds the ids apart");
}

#[test]
fn a_message_that_cannot_be_read_is_a_gap_of_one() {
    let mut w = lines(CHECKS);
    w.advance(MS);
    let place = Place { source: 0, channel: 0, line: 0 };
    let range = SequenceRange { first: 7, last: 7, count: 1, unit: Default::default() };
    let gap = Gap { range, began: T0 + MS, reason: "undecodable", suspects: 9, ours: Ours::default() };
    w.comparator.on_gap(T0 + MS, place, gap, &w.registry);
    w.finish(2 * MS);
    assert_eq!(
        w.told(),
        [
            "1ms raised gap/major direct#tv began 1ms seq 7..7=1 under 9",
            "2ms cleared gap/major direct#tv began 1ms ended 2ms end_of_data seq 7..7=1 under 9",
        ]
    );
}

#[test]
fn a_line_that_lost_is_told_its_range_grows_and_it_must_be_good_for_a_second() {
    let mut w = lines(CHECKS);
    w.event(5 * MS, 0, lost(11, 20, 0, 0));
    w.event(500 * MS, 0, lost(31, 32, 0, 495 * MS));
    w.advance(1500 * MS - 1);
    assert_eq!(w.told(), ["5ms raised line/minor direct#tv/B began 0ms seq 11..20=10"]);
    w.event(5 * S, 0, lost(91, 92, 0, 5 * S - MS));
    w.finish(5500 * MS);
    assert_eq!(
        w.told(),
        [
            "1500ms cleared line/minor direct#tv/B began 0ms ended 500ms line_good seq 11..32=12",
            "5000ms raised line/minor direct#tv/B began 4999ms seq 91..92=2",
            "5500ms cleared line/minor direct#tv/B began 4999ms ended 5500ms end_of_data seq 91..92=2",
        ]
    );
}

#[test]
fn a_copy_later_than_the_limit_is_a_fault_of_its_line() {
    let mut w = lines(CHECKS);
    w.event(S, 0, lead(50 * MS, 7));
    assert_eq!(w.told(), [""; 0]);
    w.event(2 * S, 0, lead(50 * MS + 1, 8));
    w.event(2 * S + MS, 0, lead(80 * MS, 9));
    w.event(2 * S + 2 * MS, 0, lead(60 * MS, 10));
    w.finish(4 * S);
    assert_eq!(
        w.told(),
        [
            "2000ms raised line/minor direct#tv/B began 1949.999999ms lag 50.000001ms seq 8..8=1",
            "3002ms cleared line/minor direct#tv/B began 1949.999999ms ended 2002ms line_good lag 80ms seq 8..10=3",
        ]
    );
}

#[test]
fn what_was_lost_on_every_line_is_told_as_a_gap_alone() {
    let mut w = lines(CHECKS);
    w.event(5 * MS, 0, gap(11, 20, 0));
    w.event(6 * MS, 0, lost(11, 20, 10, 0));
    assert_eq!(w.told(), ["5ms raised gap/major direct#tv began 0ms seq 11..20=10 under 3"]);
    assert_eq!(w.held(Kind::Line), [("told_as_gap", 1)]);
    w.event(7 * MS, 0, lost(31, 40, 4, 0));
    assert_eq!(w.told(), ["7ms raised line/minor direct#tv/B began 0ms seq 31..40=6"]);
}

#[test]
fn what_a_line_missed_while_it_was_told_as_silent_is_told_with_its_range_when_it_is_back() {
    let mut w = lines("");
    for i in 0..9 {
        w.arrive_on(500 * i * MS, 0, 0, 0, true);
        if i == 0 {
            w.arrive_on(1, 0, 0, 1, false);
        }
    }
    w.arrive_on(4200 * MS, 0, 0, 1, false);
    w.event(4205 * MS, 0, lost(2, 80, 0, 4200 * MS));
    assert_eq!(
        w.told(),
        [
            "2000.000001ms raised silent/critical direct#tv/B began 0.000001ms",
            "4200ms cleared silent/critical direct#tv/B began 0.000001ms ended 4200ms data_resumed",
            "4205ms raised line/minor direct#tv/B began 4200ms seq 2..80=79",
        ]
    );
}

fn stamp(w: &mut World, at: u64, ts: u64) {
    w.advance(at);
    let place = Place { source: 0, channel: 0, line: 0 };
    w.comparator.observe_clock(T0 + at, place, T0 + ts, T0 + at, &w.registry);
}

#[test]
fn a_clock_ahead_of_receipt_is_told_at_once_and_cleared_after_a_second_without() {
    let mut w = lines(CHECKS);
    stamp(&mut w, S, S + 250 * MS);
    assert_eq!(w.told(), [""; 0], "within the limit");
    stamp(&mut w, 2 * S, 2 * S + 250 * MS + 1);
    stamp(&mut w, 2 * S + 100 * MS, 3 * S);
    stamp(&mut w, 2 * S + 200 * MS, 2 * S + 200 * MS);
    stamp(&mut w, 3 * S, 3 * S);
    w.advance(3 * S + 100 * MS);
    stamp(&mut w, 4 * S, 4 * S);
    w.finish(5 * S);
    assert_eq!(
        w.told(),
        [
            "2000ms raised clock/minor direct#tv began 2000ms lag 250.000001ms",
            "3100ms cleared clock/minor direct#tv began 2000ms ended 2100ms plausible_again lag 900ms",
        ]
    );
}

#[test]
fn a_clock_that_runs_backwards_is_told_until_it_has_caught_up_or_for_a_second() {
    let mut w = lines(CHECKS);
    stamp(&mut w, 10 * S, 10 * S);
    stamp(&mut w, 10 * S + 1, 10 * S - 250 * MS);
    assert_eq!(w.told(), [""; 0], "out of order within the limit");
    stamp(&mut w, 10 * S + 2, 10 * S - 250 * MS - 1);
    stamp(&mut w, 10 * S + 500 * MS, 9 * S);
    w.advance(12 * S);
    // Set back for good: judged from here.
    stamp(&mut w, 13 * S, 5 * S);
    stamp(&mut w, 14 * S, 6 * S);
    w.finish(20 * S);
    assert_eq!(
        w.told(),
        [
            "10000.000002ms raised clock/minor direct#tv began 10000.000002ms lag 250.000001ms",
            "11500ms cleared clock/minor direct#tv began 10000.000002ms ended 10500ms plausible_again lag 1000ms",
        ]
    );
}

#[test]
fn the_end_of_time_is_no_panic() {
    let mut w = lines("");
    let place = Place { source: 0, channel: 0, line: 0 };
    let end = u64::MAX - 1;
    w.comparator.start(end);
    w.comparator.on_arrival(end, place, true, &w.registry);
    w.comparator.observe_clock(end, place, u64::MAX, 0, &w.registry);
    w.comparator.observe_clock(end, place, 0, end, &w.registry);
    w.comparator.on_line_event(end, place, &lead(u64::MAX, u64::MAX), 0, Ours::default(), &w.registry);
    w.comparator.advance(u64::MAX, &w.registry);
    w.comparator.finish(u64::MAX, &w.registry);
    assert_eq!(w.comparator.desk.alerts.open(), 0);
}
