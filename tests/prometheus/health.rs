//! The health answer.

use parallax::run::status::Status;
use parallax::run::web::{AGE_MAX, health};

use crate::kit;

#[test]
fn a_daemon_that_goes_forward_is_well_whatever_else_is_wrong() {
    let health = health(&kit::full());
    assert!(health.well());
    let expected = "{\"status\":\"ok\",\"name\":\"desk\",\"version\":\"0.1.0\",\"uptime_s\":60,\"reasons\":[],\
                    \"troubles\":[\"the clock is not synchronised\"]}\n";
    assert_eq!(health.json(), expected);
}

#[test]
fn whoever_stands_still_is_named() {
    let mut status = kit::full();
    status.receivers[1].watermark_ns = kit::NOW - AGE_MAX;
    status.comparator.now_ns = kit::NOW - AGE_MAX;
    assert!(health(&status).well());
    status.receivers[1].watermark_ns -= 1;
    status.comparator.now_ns -= 7_000_000_000;
    let health = health(&status);
    assert_eq!((health.well(), health.status), (false, "failing"));
    let reasons = ["receiver 1 (direct, sip) is 5000 ms behind", "the comparator is 12000 ms behind"];
    assert_eq!(health.reasons, reasons);
}

#[test]
fn a_start_has_its_time_and_no_more() {
    let mut status = Status { started_ns: 1, now_ns: 1 + AGE_MAX, ..Status::default() };
    assert_eq!((health(&status).well(), health(&status).status), (true, "starting"));
    status.receivers = kit::full().receivers;
    status.receivers.iter_mut().for_each(|r| r.watermark_ns = 0);
    assert_eq!((health(&status).well(), health(&status).status), (true, "starting"));
    status.now_ns += 1;
    let late = [
        "receiver 0 (direct, sip) has not begun 5 s after the start",
        "receiver 1 (direct, sip) has not begun 5 s after the start",
        "the comparator has not begun 5 s after the start",
    ];
    assert_eq!(health(&status).reasons, late);
    status.receivers.clear();
    assert_eq!(health(&status).reasons, [late[2], "there is no receiver"]);
}
