//! Sessions, resets and numbers that are not believed at once.

use super::*;
use Out::{Deliver, Event};

fn absurd(now_ns: u64, line: usize, expected: u64, had: u64) -> Out {
    Event(now_ns, LineEvent::AbsurdSequence { expected, had, line })
}

fn refused(now_ns: u64, line: usize, first: u64, count: u64, refusal: Refusal) -> Out {
    Event(now_ns, LineEvent::Refused { line, first, count, refusal })
}

fn changed(now_ns: u64, old: u128, new: u128, first: u64, line: usize) -> Out {
    Event(now_ns, LineEvent::SessionChanged { old, new, first, line })
}

#[test]
fn an_absurd_number_is_reported_and_not_believed() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    rig.data(20, A, 9_000_000, 1);
    rig.data(30, A, 2, 1);
    rig.data(40, B, 2, 1);
    rig.finish(1_000);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 1, 1),
            absurd(20, A, 2, 9_000_000),
            refused(30, A, 9_000_000, 1, Refusal::Jump),
            Deliver(A, 2, 1)
        ]
    );
    assert_eq!(rig.channel.statistics().gaps, 0);
}

#[test]
fn a_jump_that_goes_on_is_believed_with_its_exact_gap() {
    let mut rig = Rig::new(1, 100);
    rig.data(10, A, 1, 1);
    for (now_ns, n) in [(20, 500_001), (21, 500_002), (22, 500_003)] {
        rig.data(now_ns, A, n, 1);
    }
    rig.timeout(200);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 1, 1),
            absurd(20, A, 2, 500_001),
            gap(122, 2, 500_000, 22, GapReason::Wait),
            Deliver(A, 500_001, 1),
            Deliver(A, 500_002, 1),
            Deliver(A, 500_003, 1),
        ]
    );
}

#[test]
fn the_other_line_bears_a_jump_out() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 1, 1);
    rig.data(20, A, 500_001, 1);
    rig.data(21, B, 500_001, 1);
    rig.timeout(200);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 1, 1),
            absurd(20, A, 2, 500_001),
            absurd(21, B, 2, 500_001),
            gap(121, 2, 500_000, 21, GapReason::Wait),
            Deliver(A, 500_001, 1),
            lost(121, A, 2, 500_000, 499_999, 21),
        ]
    );
}

#[test]
fn heartbeats_that_insist_on_a_jump_are_believed() {
    let mut rig = Rig::new(1, 100);
    rig.data(10, A, 1, 1);
    for now_ns in [20, 21, 22] {
        rig.heartbeat(now_ns, A, 500_001);
    }
    rig.timeout(200);
    assert_eq!(
        rig.facts(),
        [Deliver(A, 1, 1), absurd(20, A, 2, 500_001), gap(122, 2, 500_000, 22, GapReason::Wait)]
    );
}

#[test]
fn a_new_session_from_one_is_taken_at_once_and_stragglers_do_not_flap() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 700, 1);
    rig.data(11, B, 700, 1);
    rig.data(12, A, 701, 1);
    rig.session = 8;
    rig.data(20, A, 1, 1);
    rig.session = 7;
    rig.data(21, B, 701, 1);
    rig.session = 8;
    rig.data(22, A, 2, 1);
    rig.data(23, B, 1, 1);
    rig.data(24, B, 2, 1);
    rig.finish(1_000);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 700, 1),
            Deliver(A, 701, 1),
            changed(20, 7, 8, 1, A),
            Deliver(A, 1, 1),
            refused(21, B, 701, 1, Refusal::Straggler),
            Deliver(A, 2, 1),
        ]
    );
    let s = rig.channel.statistics();
    assert_eq!((s.session_changes, s.lines[B].losses, s.lines[B].duplicates), (1, 0, 3));
}

#[test]
fn a_session_change_ends_what_waits_and_expects_the_new_one_from_one() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 700, 1);
    rig.data(11, A, 702, 1);
    rig.packet(12, A, 703, 0, PacketKind::EndOfSession);
    rig.session = 8;
    rig.data(20, A, 3, 1);
    rig.data(21, B, 1, 2);
    assert_eq!(
        rig.out(),
        [
            Deliver(A, 700, 1),
            Event(12, LineEvent::EndOfSession { line: A, next: 703 }),
            gap(20, 701, 701, 11, GapReason::End),
            Deliver(A, 702, 1),
            lost(20, A, 701, 701, 1, 11),
            changed(20, 7, 8, 1, A),
            recovered(21, 1, 2, 20, B),
            Deliver(B, 1, 2),
            Deliver(A, 3, 1),
        ]
    );
}

#[test]
fn a_session_in_a_damaged_header_changes_nothing() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 700, 1);
    rig.session = 0xBAD;
    rig.data(11, A, 701, 1);
    rig.session = 7;
    rig.data(12, B, 701, 1);
    rig.data(13, A, 702, 1);
    rig.finish(1_000);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 700, 1),
            Event(11, LineEvent::SessionDoubted { session: 7, had: 0xBAD, line: A }),
            Deliver(B, 701, 1),
            refused(13, A, 701, 1, Refusal::Session),
            Deliver(A, 702, 1),
            lost(113, A, 701, 701, 0, 13),
        ]
    );
}

#[test]
fn a_session_in_mid_stream_is_believed_when_it_goes_on_and_loses_nothing() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 700, 1);
    rig.session = 8;
    rig.data(20, A, 5_000, 1);
    rig.data(21, A, 5_001, 1);
    rig.data(22, B, 5_000, 1);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 700, 1),
            Event(20, LineEvent::SessionDoubted { session: 7, had: 8, line: A }),
            Event(22, LineEvent::SessionDoubted { session: 7, had: 8, line: B }),
            changed(22, 7, 8, 5_000, B),
            Deliver(A, 5_000, 1),
            Deliver(A, 5_001, 1),
        ]
    );
}

#[test]
fn a_session_that_returns_goes_on_where_it_was_left() {
    let mut rig = Rig::new(1, 100);
    rig.data(10, A, 700, 1);
    rig.session = 8;
    rig.data(20, A, 1, 1);
    rig.session = 7;
    for n in [703, 704, 705] {
        rig.data(n, A, n, 1);
    }
    rig.timeout(10_000);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 700, 1),
            changed(20, 7, 8, 1, A),
            Deliver(A, 1, 1),
            Event(703, LineEvent::SessionDoubted { session: 8, had: 7, line: A }),
            changed(705, 8, 7, 701, A),
            gap(805, 701, 702, 705, GapReason::Wait),
            Deliver(A, 703, 1),
            Deliver(A, 704, 1),
            Deliver(A, 705, 1),
        ]
    );
}

#[test]
fn a_reset_packet_starts_numbers_again_once() {
    let mut rig = Rig::new(2, 100);
    rig.data(10, A, 700, 1);
    rig.data(11, B, 700, 1);
    rig.data(12, A, 701, 1);
    rig.packet(20, A, 1, 1, PacketKind::Reset);
    rig.data(21, A, 2, 1);
    rig.data(22, B, 701, 1);
    rig.packet(23, B, 1, 1, PacketKind::Reset);
    rig.data(24, B, 2, 1);
    rig.data(25, B, 3, 1);
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 700, 1),
            Deliver(A, 701, 1),
            Event(20, LineEvent::SequenceReset { expected: 702, first: 1, line: A }),
            Deliver(A, 1, 1),
            Deliver(A, 2, 1),
            refused(22, B, 701, 1, Refusal::Straggler),
            Deliver(B, 3, 1),
        ]
    );
    assert_eq!(rig.channel.statistics().resets, 1);
}

#[test]
fn numbers_that_start_again_with_other_content_are_a_reset_and_lose_nothing() {
    let mut rig = Rig::new(2, 100);
    for n in 1..=50 {
        rig.data(n, A, n, 1);
        rig.data(n, B, n, 1);
    }
    rig.facts();
    rig.mark = 1;
    for n in 1..=3 {
        rig.data(100 + n, A, n, 1);
    }
    for n in 1..=4 {
        rig.data(200 + n, B, n, 1);
    }
    assert_eq!(
        rig.facts(),
        [
            absurd(101, A, 51, 1),
            Event(103, LineEvent::SequenceReset { expected: 51, first: 1, line: A }),
            Deliver(A, 1, 1),
            Deliver(A, 2, 1),
            Deliver(A, 3, 1),
            Deliver(B, 4, 1),
        ]
    );
}

#[test]
fn both_lines_that_start_again_are_believed_at_the_second_copy() {
    let mut rig = Rig::new(2, 100);
    for n in 1..=50 {
        rig.data(n, A, n, 1);
        rig.data(n, B, n, 1);
    }
    rig.facts();
    rig.mark = 1;
    rig.data(101, A, 1, 1);
    rig.data(102, B, 1, 1);
    rig.data(103, B, 2, 1);
    assert_eq!(
        rig.facts(),
        [
            absurd(101, A, 51, 1),
            absurd(102, B, 51, 1),
            Event(102, LineEvent::SequenceReset { expected: 51, first: 1, line: B }),
            Deliver(A, 1, 1),
            Deliver(B, 2, 1),
        ]
    );
}

#[test]
fn a_burst_of_old_packets_again_is_no_reset() {
    let mut rig = Rig::new(2, 100);
    for n in 1..=50 {
        rig.data(n, A, n, 1);
    }
    rig.out();
    for n in 1..=40 {
        rig.data(100 + n, A, n, 1);
    }
    let again = |n| Event(100 + n, LineEvent::Duplicate { line: A, first: n, last: n, count: 1 });
    assert_eq!(rig.out(), (1..=40).map(again).collect::<Vec<_>>());
}

#[test]
fn beyond_memory_a_reset_is_told_from_a_repetition_by_time_of_sending_and_length() {
    let old = |sent| {
        let mut rig = Rig::new(1, 100);
        rig.sent = Some(1_000);
        for n in 1..=30_000u64 {
            rig.data(n, A, n, 1);
        }
        rig.out();
        rig.sent = sent;
        rig
    };
    let mut again = old(Some(900));
    for n in 1..=20 {
        again.data(40_000, A, n, 1);
    }
    assert!(again.out().iter().all(|o| matches!(o, Event(_, LineEvent::Duplicate { .. }))));

    let mut reset = old(Some(2_000));
    for n in 1..=3 {
        reset.data(40_000, A, n, 1);
    }
    assert!(
        reset
            .out()
            .contains(&Event(40_000, LineEvent::SequenceReset { expected: 30_001, first: 1, line: A }))
    );

    // Without a time, and not near the beginning, three in a row are not enough.
    let mut weak = old(None);
    for n in 5_000..5_015 {
        weak.data(40_000, A, n, 1);
    }
    assert_eq!(weak.out(), [absurd(40_000, A, 30_001, 5_000)]);
    weak.data(40_001, A, 30_001, 1);
    let mut expected: Vec<Out> = (5_000..5_015).map(|n| refused(40_001, A, n, 1, Refusal::Fall)).collect();
    expected.push(Deliver(A, 30_001, 1));
    assert_eq!(weak.out(), expected);
}

#[test]
fn a_reset_to_before_the_start_is_found() {
    let mut rig = Rig::new(1, 100);
    rig.data(10, A, 5_000, 1);
    // Soon after the start it is a packet out of order.
    rig.data(20, A, 4_999, 1);
    let later = 2 * STRAGGLER_NS;
    for n in 1..=3 {
        rig.data(later + n, A, n, 1);
    }
    assert_eq!(
        rig.facts(),
        [
            Deliver(A, 5_000, 1),
            absurd(later + 1, A, 5_001, 1),
            Event(later + 3, LineEvent::SequenceReset { expected: 5_001, first: 1, line: A }),
            Deliver(A, 1, 1),
            Deliver(A, 2, 1),
            Deliver(A, 3, 1),
        ]
    );
}
