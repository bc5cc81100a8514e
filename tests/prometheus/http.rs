//! Requests as bytes.

use parallax::run::status::Status;
use parallax::run::web::{Parsed, REQUEST_MAX, Request, answer, parse};
use proptest::prelude::*;

use crate::kit;

/// What Prometheus 2.42 sends.
const SCRAPE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\nUser-Agent: Prometheus/2.42.0\r\n\
    Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
    text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip\r\n\
    X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";

#[test]
fn a_scrape_is_read_whole_and_every_part_of_it_is_a_part() {
    let length = SCRAPE.len();
    let expected = Request { length, head: false, path: "/metrics", keep: true, openmetrics: true };
    assert_eq!(parse(SCRAPE), Parsed::Request(expected));
    for end in 0..SCRAPE.len() {
        assert_eq!(parse(&SCRAPE[..end]), Parsed::Part);
    }
    let two = [SCRAPE, b"GET / HTTP/1.0\r\n\r\n"].concat();
    assert_eq!(parse(&two), Parsed::Request(expected));
    let second = Request { length: 18, head: false, path: "/", keep: false, openmetrics: false };
    assert_eq!(parse(&two[length..]), Parsed::Request(second));
}

#[test]
fn what_is_wrong_has_a_status() {
    let status = |text: &str| match parse(text.as_bytes()) {
        Parsed::Wrong(status) => status,
        Parsed::Request(_) => 200,
        Parsed::Part => 0,
    };
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(REQUEST_MAX));
    let table = [
        ("GET /metrics HTTP/1.1\r\n\r\n", 200),
        ("HEAD /metrics?a=b HTTP/1.1\r\nConnection: Close, x\r\n\r\n", 200),
        ("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 413),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        ("GET  / HTTP/1.1\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\n\r\n", 505),
        ("GET / SPDY\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nnothing\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n", 0),
        (long.as_str(), 431),
    ];
    for (text, expected) in table {
        assert_eq!(status(text), expected, "{:?}", text.get(..60));
    }
}

fn answered(request: &str) -> (String, bool) {
    let answer = answer(request.as_bytes(), &mut kit::full()).expect("a whole request");
    assert_eq!(answer.taken, request.len());
    (String::from_utf8(answer.bytes).unwrap(), answer.last)
}

#[test]
fn pages_have_their_type_and_length() {
    let (page, last) = answered("GET /healthz HTTP/1.1\r\n\r\n");
    let body = parallax::run::web::health(&kit::full()).json();
    let expected = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: keep-alive\r\n\r\n{body}",
        body.len()
    );
    assert_eq!((page, last), (expected, false));
    let metrics = parallax::run::web::metrics(&kit::full());
    let (page, last) = answered("GET /metrics HTTP/1.0\r\n\r\n");
    assert!(page.contains("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") && last);
    assert!(page.ends_with(&format!("\r\n\r\n{}", parallax::run::web::older(&metrics))));
    let scrape = String::from_utf8(SCRAPE.to_vec()).unwrap();
    let (page, _) = answered(&scrape);
    assert!(
        page.contains("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n")
    );
    assert!(page.ends_with(&format!("\r\n\r\n{metrics}")));
    let (page, _) = answered("HEAD /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n");
    assert!(
        page.contains(&format!("\r\nContent-Length: {}\r\n", metrics.len())) && page.ends_with("\r\n\r\n")
    );
}

#[test]
fn there_is_nothing_else() {
    let start = |request: &str| answered(request).0.lines().next().unwrap_or_default().to_owned();
    assert_eq!(start("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK");
    assert_eq!(start("GET /../etc/passwd HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
    assert_eq!(start("GET /metrics/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
    let (page, last) = answered("DELETE /metrics HTTP/1.1\r\n\r\n");
    assert!(
        page.starts_with("HTTP/1.1 405 Method Not Allowed\r\n") && page.contains("\r\nAllow: GET, HEAD\r\n")
    );
    assert!(last);
}

#[test]
fn a_daemon_that_fails_says_503() {
    let mut status = kit::full();
    status.comparator.now_ns = 1;
    let answer = answer(b"GET /healthz HTTP/1.1\r\n\r\n", &mut status).unwrap();
    assert!(answer.bytes.starts_with(b"HTTP/1.1 503 Service Unavailable\r\n"));
}

/// Bytes that look like a request in places.
fn almost() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(b"GET ".to_vec()),
        Just(b"/metrics".to_vec()),
        Just(b" HTTP/1.1".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"Connection: close".to_vec()),
        Just(b": ".to_vec()),
        Just(vec![b'x'; 4000]),
        prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    /// Any bytes are waited for or answered, and every answer takes something, so that it comes to an end.
    #[test]
    fn any_bytes_are_answered_or_waited_for(bytes in prop_oneof![almost(), prop::collection::vec(any::<u8>(), 0..9000)]) {
        let mut rest = bytes.as_slice();
        while let Some(answer) = answer(rest, &mut Status::default()) {
            prop_assert!(answer.bytes.starts_with(b"HTTP/1.1 "));
            prop_assert!(answer.taken <= rest.len());
            prop_assert!(answer.taken > 0);
            rest = &rest[answer.taken..];
        }
        prop_assert!(rest.len() < REQUEST_MAX);
    }
}
