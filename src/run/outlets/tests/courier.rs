//! The decisions of the webhook, driven by adding to a time.

use proptest::prelude::*;

use super::*;

const BACKOFF: Backoff =
    Backoff { tries_max: 4, first: Duration::from_secs(1), longest: Duration::from_secs(3) };

fn courier() -> (Courier, Instant) {
    let now = monotonic_now();
    let mut courier = Courier::new(BACKOFF, 7);
    assert_eq!(courier.step(now), Step::Take);
    assert_eq!(courier.take(notice(1), now), None);
    assert_eq!(courier.step(now), Step::Send);
    (courier, now)
}

fn failed() -> Answer {
    Answer::Failed("refused".into())
}

/// The wait that the courier now asks for.
fn waits(courier: &Courier, now: Instant) -> Duration {
    match courier.step(now) {
        Step::Wait(until) => until - now,
        step => panic!("{step:?} is no wait"),
    }
}

#[test]
fn two_hundreds_are_done() {
    for code in [200, 202, 204, 299] {
        let (mut courier, now) = courier();
        assert_eq!(courier.answered(now, &Answer::Status(code, None)), Verdict::Delivered);
        assert_eq!(courier.step(now), Step::Take);
    }
}

#[test]
fn what_will_not_change_is_given_up_at_once() {
    for code in [100, 301, 400, 401, 404, 410, 422, 600] {
        let (mut courier, now) = courier();
        let why = format!("HTTP {code}: this will not change by trying (given up after 1 tries)");
        assert_eq!(courier.answered(now, &Answer::Status(code, None)), Verdict::GivenUp(why));
        assert_eq!(courier.step(now), Step::Take);
    }
}

#[test]
fn waits_double_up_to_the_longest_and_tries_end() {
    let (mut courier, mut now) = courier();
    let mut waited = Vec::new();
    for (code, whole) in [(500, 1000), (408, 2000), (429, 3000)] {
        let again = Verdict::Again(format!("HTTP {code}"));
        assert_eq!(courier.answered(now, &Answer::Status(code, None)), again);
        let wait = waits(&courier, now);
        assert!(wait >= Duration::from_millis(whole / 2) && wait <= Duration::from_millis(whole), "{wait:?}");
        waited.push(wait);
        assert_eq!(courier.step(now + wait - Duration::from_nanos(1)), Step::Wait(now + wait));
        now += wait;
        assert_eq!(courier.step(now), Step::Send);
    }
    let end = Verdict::GivenUp("refused (given up after 4 tries)".into());
    assert_eq!(courier.answered(now, &failed()), end);
    assert_eq!(courier.step(now), Step::Take);
    // The scatter is the seed's: another seed waits otherwise.
    let mut other = Courier::new(BACKOFF, 8);
    other.take(notice(1), now);
    other.answered(now, &failed());
    assert_ne!(waits(&other, now), waited[0]);
}

#[test]
fn the_server_may_ask_for_more_patience_but_not_for_any() {
    for (asked_s, expected) in [(2, Duration::from_secs(2)), (3600, BACKOFF.longest)] {
        let (mut courier, now) = courier();
        courier.answered(now, &Answer::Status(503, Some(Duration::from_secs(asked_s))));
        assert_eq!(waits(&courier, now), expected);
    }
}

#[test]
fn at_the_end_nothing_waits_and_nothing_is_tried_twice() {
    let (mut courier, now) = courier();
    assert_eq!(courier.answered(now, &failed()), Verdict::Again("refused".into()));
    courier.hurry();
    assert_eq!(courier.step(now), Step::Send);
    let end = Verdict::GivenUp("refused (given up after 2 tries)".into());
    assert_eq!(courier.answered(now, &failed()), end);
    assert_eq!(courier.step(now), Step::Take);
}

#[test]
fn an_answer_to_nothing_changes_nothing() {
    let now = monotonic_now();
    let mut courier = Courier::new(BACKOFF, 0);
    assert_eq!(courier.answered(now, &failed()), Verdict::Delivered);
    assert_eq!(courier.step(now), Step::Take);
}

proptest! {
    /// However it is answered, a notice ends within its tries, and no wait is longer than the longest.
    #[test]
    fn every_notice_ends(
        tries_max in 0u32..70, first_ms in 0u64..5000, longest_ms in 0u64..9000, seed in any::<u64>(),
        codes in prop::collection::vec((100u16..700, prop::option::of(any::<u32>())), 1..100),
    ) {
        let backoff = Backoff {
            tries_max, first: Duration::from_millis(first_ms), longest: Duration::from_millis(longest_ms),
        };
        let mut now = monotonic_now();
        let mut courier = Courier::new(backoff, seed);
        courier.take(notice(1), now);
        let mut ended = None;
        for (tries, (code, asked)) in codes.iter().enumerate() {
            let answer = Answer::Status(*code, asked.map(|s| Duration::from_secs(s.into())));
            if !matches!(courier.answered(now, &answer), Verdict::Again(_)) {
                ended = Some(tries + 1);
                break;
            }
            if let Step::Wait(until) = courier.step(now) {
                prop_assert!(until - now <= backoff.longest);
                now = until;
            }
            prop_assert_eq!(courier.step(now), Step::Send);
        }
        let most = tries_max.max(1) as usize;
        prop_assert!(ended.map_or(codes.len() < most, |tries| tries <= most));
    }
}
