//! The webhook against a server of the test's own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use super::*;

/// A request as the server saw it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    start: String,
    key: String,
    kind: String,
    body: Vec<u8>,
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut seen =
        Seen { start: line.trim_end().into(), key: String::new(), kind: String::new(), body: vec![] };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            None => break,
            Some((name, value)) => match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "content-type" => seen.kind = value.into(),
                "idempotency-key" => seen.key = value.into(),
                _ => {}
            },
        }
    }
    seen.body = vec![0; length];
    reader.read_exact(&mut seen.body).ok()?;
    Some(seen)
}

/// A server that gives these answers in turn, and tells what it was asked.
fn server(answers: Vec<&'static str>) -> (String, mpsc::Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook?token=secret", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let Some(seen) = read_request(&stream) else { return };
            let head = format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            stream.write_all(head.as_bytes()).unwrap();
            tell.send(seen).unwrap();
        }
    });
    (url, told)
}

fn options(url: &str) -> WebhookOptions {
    let backoff = Backoff { tries_max: 3, first: Duration::ZERO, longest: Duration::from_secs(1) };
    WebhookOptions { backoff, timeout: Duration::from_secs(20), ..WebhookOptions::new(url).unwrap() }
}

#[test]
fn notices_are_posted_in_order_and_tried_again_under_the_same_key() {
    let answers = vec!["200 OK", "503 Busy", "204 None", "400 Bad", "500 A", "429 B", "502 C", "200 OK"];
    let (url, told) = server(answers);
    let mut hook = Webhook::start(options(&url)).unwrap();
    (1..=5).for_each(|n| hook.offer(&notice(n)));
    let seen: Vec<Seen> = told.iter().take(8).collect();
    let expected = [1, 2, 2, 3, 4, 4, 4, 5].map(|n| Seen {
        start: "POST /hook?token=secret HTTP/1.1".into(),
        key: notice(n).idempotency_key(),
        kind: "application/json".into(),
        body: notice(n).json().to_vec(),
    });
    assert_eq!(seen, expected);
    hook.close(soon());
    let status = hook.status();
    assert_eq!((status.delivered, status.queued, status.dropped, status.failures), (3, 0, 2, 5));
    assert_eq!(status.error, "");
}

#[test]
fn a_server_that_never_answers_holds_up_nobody_and_the_end_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut hook = Webhook::start(WebhookOptions { queue: 4, ..options(&url) }).unwrap();
    hook.offer(&notice(0));
    // The worker has it in hand when the connection is there.
    let connection = listener.accept().unwrap();
    (1..10).for_each(|n| hook.offer(&notice(n)));
    let status = hook.status();
    assert_eq!((status.delivered, status.queued, status.dropped), (0, 5, 5));
    hook.close(monotonic_now());
    let status = hook.status();
    assert_eq!((status.delivered, status.queued, status.dropped), (0, 0, 10));
    drop(connection);
}

#[test]
fn at_the_end_what_waits_for_its_next_try_gets_one_more() {
    let (url, told) = server(vec!["500 A", "200 OK", "200 OK"]);
    let patient =
        Backoff { tries_max: 9, first: Duration::from_secs(900), longest: Duration::from_secs(900) };
    let mut hook = Webhook::start(WebhookOptions { backoff: patient, ..options(&url) }).unwrap();
    hook.offer(&notice(1));
    hook.offer(&notice(2));
    assert_eq!(told.recv().unwrap().key, notice(1).idempotency_key());
    hook.close(soon());
    let keys: Vec<_> = told.iter().map(|seen| seen.key).collect();
    assert_eq!(keys, [notice(1), notice(2)].map(|n| n.idempotency_key()));
    let status = hook.status();
    assert_eq!((status.delivered, status.queued, status.dropped, status.failures), (2, 0, 0, 1));
}

#[test]
fn errors_name_the_host_and_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://u:p@{}/token", listener.local_addr().unwrap());
    drop(listener);
    let mut hook = Webhook::start(options(&url)).unwrap();
    hook.offer(&notice(1));
    hook.close(soon());
    let status = hook.status();
    assert_eq!((status.delivered, status.dropped), (0, 1));
    assert!(status.error.starts_with("http://127.0.0.1: "), "{}", status.error);
    assert!(status.error.contains("given up after"), "{}", status.error);
    assert!(!status.error.contains("token") && !status.error.contains("u:p"), "{}", status.error);
}

#[test]
fn addresses_are_read_or_refused() {
    assert!(WebhookOptions::new("https://hooks.example.com/x").is_ok());
    for wrong in ["", "hooks.example.com", "ftp://host/", "/path", "http:///x", "http://"] {
        let expected = format!("{wrong:?} is no webhook: write \"https://host/path\"");
        assert_eq!(WebhookOptions::new(wrong), Err(expected));
    }
}
