//! The server on real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use parallax::run::status::Status;
use parallax::run::web::{CONNECTIONS_MAX, TOKENS, Web};
use parallax::source::clock::monotonic_now;

use crate::kit::{self, Server};

pub fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// One answer: its head and its body.
pub fn read_answer(stream: &mut TcpStream) -> (String, String) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|l| l.strip_prefix("Content-Length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).expect("a body");
    (head, String::from_utf8(body).unwrap())
}

/// Whether the other end has closed.
fn is_over(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Ok(0) | Err(_))
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::start(kit::full());
    let mut stream = connect(&server);
    let metrics = parallax::run::web::metrics(&kit::full());
    for _ in 0..3 {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n").unwrap();
        let (head, body) = read_answer(&mut stream);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"));
        assert_eq!(body, metrics);
    }
    // Three at once, the last of them in pieces.
    stream.write_all(b"GET / HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\nGET /no").unwrap();
    assert_eq!(read_answer(&mut stream).1, "Parallax\n/metrics\n/healthz\n");
    assert!(read_answer(&mut stream).1.starts_with("{\"status\":\"ok\""));
    for byte in b"thing HTTP/1.1\r\nConnection: close\r\n\r\n" {
        stream.write_all(&[*byte]).unwrap();
    }
    assert!(read_answer(&mut stream).0.starts_with("HTTP/1.1 404 Not Found\r\n"));
    assert!(is_over(&mut stream));
}

#[test]
fn a_page_larger_than_any_socket_buffer_arrives_whole() {
    let mut status = kit::full();
    let line = status.sources[0].channels[0].lines[0].clone();
    let many =
        (0..20_000).map(|n| parallax::run::status::LineStatus { name: format!("L{n}"), ..line.clone() });
    status.sources[0].channels[0].lines = many.collect();
    let metrics = parallax::run::web::metrics(&status);
    assert!(metrics.len() > 8 << 20);
    let server = Server::start(status);
    let mut stream = connect(&server);
    stream.write_all(b"GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n").unwrap();
    assert!(read_answer(&mut stream).1 == metrics);
}

#[test]
fn nonsense_costs_its_own_connection_only() {
    let server = Server::start(kit::full());
    let long = [b'x'; 9000];
    for nonsense in [b"\r\n\r\n".as_slice(), b"\x16\x03\x01\x00\xee\r\n\r\n", &long, b"GET / HTTP/9\r\n\r\n"]
    {
        let mut stream = connect(&server);
        stream.write_all(nonsense).unwrap();
        assert!(read_answer(&mut stream).0.starts_with("HTTP/1.1 "));
        assert!(is_over(&mut stream));
    }
    // Gone before the answer, gone without a word.
    drop(connect(&server));
    connect(&server).write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
    assert!(read_answer(&mut stream).0.starts_with("HTTP/1.1 200 OK\r\n"));
}

/// The server without a thread, so that its time is an argument.
struct Bench {
    web: Web,
    poll: Poll,
    page: Status,
    start: Instant,
}

impl Bench {
    fn new() -> Bench {
        let mut web = Web::open("127.0.0.1:0".parse().unwrap()).unwrap();
        let poll = Poll::new().unwrap();
        web.register(poll.registry(), 100).unwrap();
        Bench { web, poll, page: kit::full(), start: monotonic_now() }
    }

    /// A connection that the server has let in `after` the start.
    fn client(&mut self, after: Duration, says: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.web.local_addr().unwrap()).unwrap();
        stream.write_all(says).unwrap();
        self.turn(after);
        stream
    }

    /// Everything that has happened, at a time. What a client did on loopback is there when the client is done.
    fn turn(&mut self, after: Duration) {
        let (now, mut events) = (self.start + after, Events::with_capacity(256));
        self.poll.poll(&mut events, Some(Duration::from_millis(50))).unwrap();
        for event in &events {
            self.web.on_event(self.poll.registry(), event.token(), now, &mut self.page);
        }
        self.web.tend(self.poll.registry(), now, &mut self.page);
    }
}

fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let open = matches!(stream.read(&mut [0]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    open
}

#[test]
fn who_says_nothing_and_who_never_ends_is_shown_out() {
    let mut bench = Bench::new();
    let mut quiet = bench.client(Duration::ZERO, b"");
    let mut slow = bench.client(Duration::ZERO, b"GET /met");
    bench.turn(Duration::from_secs(9));
    slow.write_all(b"rics").unwrap();
    bench.turn(Duration::from_secs(10));
    assert!(is_open(&mut quiet) && is_open(&mut slow));
    // One more byte has bought no more time.
    bench.turn(Duration::from_secs(11));
    assert!(is_open(&mut quiet) && !is_open(&mut slow));
    bench.turn(Duration::from_secs(150));
    assert!(is_open(&mut quiet));
    bench.turn(Duration::from_secs(151));
    assert!(!is_open(&mut quiet));
}

#[test]
fn one_too_many_takes_the_place_of_the_longest_quiet() {
    let mut bench = Bench::new();
    let second = Duration::from_secs(1);
    let mut clients: Vec<TcpStream> =
        (0..CONNECTIONS_MAX as u32).map(|n| bench.client(second * n, b"")).collect();
    assert!(clients.iter_mut().all(is_open));
    let mut late = bench.client(second * 40, b"GET /healthz HTTP/1.1\r\n\r\n");
    assert!(read_answer(&mut late).0.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(!is_open(&mut clients[0]));
    assert!(clients.iter_mut().skip(1).all(is_open) && is_open(&mut late));
}

#[test]
fn tokens_are_its_own_and_others_are_left_alone() {
    let mut bench = Bench::new();
    let owned = (0..300).filter(|n| bench.web.owns(Token(*n))).collect::<Vec<_>>();
    assert_eq!(owned, (100..100 + TOKENS).collect::<Vec<_>>());
    for n in [0, 99, 150, 100 + TOKENS, usize::MAX] {
        bench.web.on_event(bench.poll.registry(), Token(n), bench.start, &mut bench.page);
    }
}
