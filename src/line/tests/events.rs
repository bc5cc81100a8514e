//! One line or two, in order and out of it: every event that numbers alone can bring about.

use super::*;
use Out::{Deliver, Event};

#[test]
fn a_start_in_mid_stream_is_no_gap() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 5_000, 2);
    rig.data(20, A, 5_002, 1);
    rig.finish(1_000);
    assert_eq!(rig.out(), [Deliver(A, 5_000, 2), Deliver(A, 5_002, 1)]);
}

#[test]
fn first_copy_wins_and_the_second_says_how_late_it_came() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 2);
    rig.data(13, B, 1, 2);
    rig.data(20, B, 3, 1);
    rig.data(27, A, 3, 1);
    rig.finish(1_000);
    let expected = [Deliver(A, 1, 2), lead(13, A, B, 3, 1), Deliver(B, 3, 1), lead(27, B, A, 7, 3)];
    assert_eq!(rig.out(), expected);
    let s = rig.channel.statistics();
    let of = |l: usize| (s.lines[l].packets, s.lines[l].won, s.lines[l].duplicates, s.lines[l].repeated);
    assert_eq!((of(A), of(B)), ((2, 1, 1, 0), (2, 1, 1, 0)));
}

#[test]
fn packets_cut_otherwise_are_taken_message_by_message() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 4);
    rig.data(11, B, 1, 2);
    rig.data(12, B, 3, 5);
    rig.data(13, A, 5, 4);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 4),
            lead(11, A, B, 1, 1),
            Deliver(B, 5, 3),
            lead(12, A, B, 2, 3),
            Deliver(A, 8, 1),
            lead(13, B, A, 1, 5),
        ]
    );
}

#[test]
fn pieces_go_to_whoever_brought_them_first() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    rig.data(11, A, 6, 2);
    rig.data(12, A, 10, 1);
    // B brings everything from 2 to 12 in one packet: 6, 7 and 10 were A's.
    rig.data(13, B, 2, 11);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 1),
            recovered(13, 2, 5, 11, B),
            Deliver(B, 2, 4),
            Deliver(A, 6, 2),
            recovered(13, 8, 9, 12, B),
            Deliver(B, 8, 2),
            Deliver(A, 10, 1),
            Deliver(B, 11, 2),
            lead(13, A, B, 2, 6),
        ]
    );
}

#[test]
fn a_hole_is_filled_by_the_other_line_and_lost_on_its_own() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    rig.data(11, B, 1, 1);
    rig.data(20, A, 3, 1);
    assert_eq!(rig.channel.poll_timeout(), Some(20 + WAIT));
    rig.data(25, B, 2, 1);
    rig.data(26, B, 3, 1);
    assert_eq!(rig.channel.poll_timeout(), Some(20 + WAIT), "the line's own hole goes on waiting");
    rig.timeout(119);
    rig.timeout(120);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 1, 1),
            recovered(25, 2, 2, 20, B),
            Deliver(B, 2, 1),
            Deliver(A, 3, 1),
            lost(120, A, 2, 2, 0, 20),
        ]
    );
    assert_eq!(rig.channel.poll_timeout(), None);
    // It comes at last: delivered long ago, but the line's loss was a delay.
    rig.data(150, A, 2, 1);
    let late = LineEvent::LineLate { line: A, first: 2, last: 2, count: 1, lag_ns: 130 };
    assert_eq!(rig.out(), [Event(150, late), lead(150, B, A, 125, 2)]);
    assert_eq!(rig.channel.statistics().lines[A].messages_lost_late, 1);
}

#[test]
fn order_that_returns_on_one_line_is_a_recovery_without_a_loss() {
    let mut rig = Rig::new(1, 100);
    rig.data(10, A, 1, 1);
    rig.data(11, A, 4, 1);
    rig.data(12, A, 3, 1);
    rig.data(13, A, 2, 1);
    rig.finish(1_000);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 1),
            recovered(12, 3, 3, 11, A),
            recovered(13, 2, 2, 11, A),
            Deliver(A, 2, 1),
            Deliver(A, 3, 1),
            Deliver(A, 4, 1),
        ]
    );
    let s = rig.channel.statistics();
    assert_eq!((s.gaps, s.recovered, s.lines[A].out_of_order, s.lines[A].losses), (0, 2, 2, 0));
}

#[test]
fn what_both_lines_lost_is_a_gap_before_anything_behind_it() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    rig.data(10, B, 1, 1);
    rig.data(20, A, 4, 2);
    rig.data(22, B, 4, 2);
    rig.timeout(500);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 1, 1),
            gap(120, 2, 3, 20, GapReason::Wait),
            Deliver(A, 4, 2),
            lost(120, A, 2, 3, 2, 20),
            lost(122, B, 2, 3, 2, 22),
        ]
    );
}

#[test]
fn a_late_fill_is_said_and_not_delivered() {
    let mut rig = Rig::new(1, 100);
    rig.data(10, A, 1, 1);
    rig.data(20, A, 6, 1);
    // The timer was not run: the packet's own arrival runs it first.
    rig.data(130, A, 3, 2);
    rig.data(140, A, 2, 6);
    let filled = |first, last| LineEvent::GapFilled { first, last, count: last - first + 1, line: A };
    assert_eq!(
        rig.facts()[..4],
        [
            Deliver(A, 1, 1),
            gap(120, 2, 5, 20, GapReason::Wait),
            Deliver(A, 6, 1),
            Event(130, LineEvent::LineLate { line: A, first: 3, last: 4, count: 2, lag_ns: 110 }),
        ]
    );
    let s = rig.channel.statistics();
    assert_eq!((s.gaps, s.missing, s.filled_late), (1, 4, 4));
    assert_eq!((s.lines[A].late, s.lines[A].won, s.lines[A].messages_duplicate), (1, 3, 3));
    let mut again = Rig::new(1, 100);
    again.data(10, A, 1, 1);
    again.data(20, A, 6, 1);
    again.data(130, A, 3, 2);
    assert!(again.out().contains(&Event(130, filled(3, 4))));
    again.data(140, A, 2, 6);
    let out = again.out();
    assert!(out.contains(&Event(140, filled(2, 2))) && out.contains(&Event(140, filled(5, 5))));
    assert_eq!(out.last(), Some(&Deliver(A, 7, 1)));
}

#[test]
fn more_packets_than_the_window_declare_the_hole_at_once() {
    let mut rig = Rig::new(1, 2);
    rig.data(10, A, 1, 1);
    rig.data(11, A, 3, 1);
    rig.data(12, A, 5, 1);
    assert_eq!(rig.out(), [Deliver(A, 1, 1)]);
    rig.data(13, A, 6, 1);
    assert_eq!(rig.out(), [gap(13, 2, 2, 11, GapReason::Window), Deliver(A, 3, 1)]);
    rig.data(14, A, 4, 1);
    assert_eq!(rig.out(), [recovered(14, 4, 4, 12, A), Deliver(A, 4, 1), Deliver(A, 5, 1), Deliver(A, 6, 1)]);
}

#[test]
fn without_a_window_nothing_waits() {
    let mut rig = Rig::new(2, 0);
    rig.data(10, A, 1, 1);
    rig.data(11, A, 3, 1);
    assert_eq!(
        rig.out(),
        [Deliver(A, 1, 1), lost(11, A, 2, 2, 0, 11), gap(11, 2, 2, 11, GapReason::Window), Deliver(A, 3, 1)]
    );
}

#[test]
fn a_heartbeat_shows_what_was_lost_before_it() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    rig.heartbeat(20, A, 2);
    rig.heartbeat(30, A, 5);
    rig.heartbeat(40, B, 5);
    rig.timeout(200);
    rig.data(210, A, 5, 1);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 1),
            Event(20, LineEvent::Heartbeat { line: A, next: 2 }),
            Event(30, LineEvent::Heartbeat { line: A, next: 5 }),
            Event(40, LineEvent::Heartbeat { line: B, next: 5 }),
            gap(130, 2, 4, 30, GapReason::Wait),
            lost(130, A, 2, 4, 3, 30),
            Deliver(A, 5, 1),
        ]
    );
    let s = rig.channel.statistics();
    assert_eq!((s.lines[A].signs, s.lines[B].signs, s.lines[B].losses), (2, 1, 0));
}

#[test]
fn a_heartbeat_without_a_number_says_nothing() {
    let mut rig = Rig::new(1, 100);
    rig.heartbeat(5, A, 0);
    rig.data(10, A, 52_156, 1);
    rig.heartbeat(20, A, 0);
    rig.data(30, A, 52_157, 1);
    rig.finish(1_000);
    assert_eq!(rig.facts(), [Deliver(A, 52_156, 1), Deliver(A, 52_157, 1)]);
}

#[test]
fn a_line_that_starts_later_lost_nothing_before() {
    let mut rig = Rig::new(2, 100);
    for n in 1..=5 {
        rig.data(n, A, n, 1);
    }
    rig.data(20, B, 5, 1);
    rig.data(30, B, 6, 1);
    rig.finish(1_000);
    let out = rig.facts();
    assert_eq!(out, [1, 2, 3, 4, 5, 6].map(|n| Deliver(if n == 6 { B } else { A }, n, 1)));
    assert_eq!(rig.channel.statistics().lines[B].losses, 0);
}

#[test]
fn a_slower_line_brings_what_lies_before_the_start() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 100, 2);
    rig.data(11, B, 97, 2);
    rig.data(12, B, 99, 2);
    assert_eq!(rig.out(), [Deliver(A, 100, 2), lead(12, A, B, 2, 100)]);
    let s = &rig.channel.statistics().lines[B];
    let at = Refusal::BeforeStart.index();
    assert_eq!((s.refused[at], s.refused_messages[at], s.duplicates), (1, 3, 1));
}

#[test]
fn a_repetition_on_the_same_line_is_a_duplicate_and_no_lead() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 2);
    rig.data(11, A, 1, 2);
    let again = LineEvent::Duplicate { line: A, first: 1, last: 2, count: 2 };
    assert_eq!(rig.out(), [Deliver(A, 1, 2), Event(11, again)]);
    assert_eq!(rig.channel.statistics().lines[A].repeated, 1);
}

#[test]
fn an_end_of_session_is_said_once_per_line_and_shows_losses() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    for (now_ns, line) in [(20, A), (21, A), (22, B)] {
        rig.packet(now_ns, line, 3, 0, PacketKind::EndOfSession);
    }
    rig.finish(50);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 1),
            Event(20, LineEvent::EndOfSession { line: A, next: 3 }),
            Event(22, LineEvent::EndOfSession { line: B, next: 3 }),
            gap(50, 2, 2, 20, GapReason::End),
            lost(50, A, 2, 2, 1, 20),
        ]
    );
}

#[test]
fn the_end_of_data_declares_holes_and_delivers_what_waits() {
    let mut rig = Rig::new(1, 100);
    rig.data(10, A, 1, 1);
    rig.data(20, A, 3, 1);
    rig.data(21, A, 6, 1);
    rig.finish(30);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 1),
            gap(30, 2, 2, 20, GapReason::End),
            Deliver(A, 3, 1),
            gap(30, 4, 5, 21, GapReason::End),
            Deliver(A, 6, 1),
        ]
    );
}

#[test]
fn numbers_of_32_bits_wrap_round() {
    let mut rig = Rig::new(2, 100);
    rig.bits = 32;
    let top = u64::from(u32::MAX);
    rig.data(10, A, top - 1, 1);
    rig.data(11, A, 1, 1);
    rig.timeout(200);
    rig.data(210, B, top, 1);
    rig.data(220, A, 2, 1);
    let gap = LineEvent::Gap { first: top, last: 0, count: 2, began_ns: 11, reason: GapReason::Wait };
    let lost = LineEvent::LineLost { line: A, first: top, last: 0, count: 2, in_gap: 2, began_ns: 11 };
    let filled = LineEvent::GapFilled { first: top, last: top, count: 1, line: B };
    assert_eq!(
        rig.out(),
        [
            Deliver(A, top - 1, 1),
            Event(111, gap),
            Deliver(A, 1, 1),
            Event(111, lost),
            Event(210, filled),
            Deliver(A, 2, 1)
        ]
    );
}

#[test]
fn a_packet_that_cannot_be_is_refused() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    let header = PacketHeader {
        session: 7,
        sequence: 2,
        count: 60_000,
        kind: PacketKind::Data,
        ts_send_ns: None,
        len: 4,
        sequence_bits: 64,
    };
    let arrival = Arrival { now_ns: 20, line: A, ..Arrival::default() };
    rig.channel.on_packet(&arrival, &header, &[0; 40], &mut rig.recorder);
    rig.channel.on_packet(
        &Arrival { now_ns: 21, line: 2, ..Arrival::default() },
        &header,
        &[],
        &mut rig.recorder,
    );
    rig.data(30, A, u64::MAX, 1);
    rig.data(40, A, 2, 1);
    let refused = |line, first, count, refusal| LineEvent::Refused { line, first, count, refusal };
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 1),
            Event(20, refused(A, 2, 60_000, Refusal::Impossible)),
            Event(21, refused(2, 2, 60_000, Refusal::UnknownLine)),
            Event(30, refused(A, u64::MAX, 1, Refusal::Impossible)),
            Deliver(A, 2, 1),
        ]
    );
    assert_eq!(rig.channel.statistics().unknown_line, 1);
}

#[test]
fn a_copy_older_than_memory_is_late_by_at_least_the_oldest_that_is_remembered() {
    let mut rig = Rig::new(2, 100);
    for n in 1..=20_000u64 {
        rig.data(n, A, n, 1);
    }
    rig.out();
    rig.data(30_000, B, 1, 1);
    let oldest = 20_000 - 16_384 + 1;
    let lag_ns = 30_000 - oldest;
    let event = LineEvent::LineLead { winner: A, loser: B, lag_ns, at_least: true, sequence: 1 };
    assert_eq!(rig.out(), [Event(30_000, event)]);
}

#[test]
fn time_that_runs_back_counts_as_the_latest() {
    let mut rig = Rig::new(2, 100);
    rig.data(100, A, 1, 1);
    rig.data(50, B, 1, 1);
    assert_eq!(rig.out(), [Deliver(A, 1, 1), lead(100, A, B, 0, 1)]);
}
