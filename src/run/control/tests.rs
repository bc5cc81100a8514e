//! Callers of every kind against one control socket, in one thread: what is written is there at the next turn.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::time::Duration;

use mio::{Events, Poll, Token};
use proptest::prelude::*;

use super::fake::{FakeDesk, alert};
use super::*;
use crate::alert::console::{State, Time};

struct Bench {
    control: Control,
    poll: Poll,
    desk: FakeDesk,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let mut control = Control::open(&folder.path().join("p.sock"), Access::Owner).unwrap();
        let poll = Poll::new().unwrap();
        control.register(poll.registry(), Token(7)).unwrap();
        Bench { control, poll, desk: FakeDesk::default(), _folder: folder }
    }

    /// Serves until nothing happens any more.
    fn turn(&mut self) {
        let mut events = Events::with_capacity(8);
        loop {
            self.poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
            if events.is_empty() {
                return;
            }
            for event in &events {
                assert!(self.control.owns(event.token()));
                self.control.on_event(event, &mut self.desk);
            }
            self.control.publish(&self.desk.console.take_notices());
        }
    }

    fn call(&mut self) -> BufReader<StdStream> {
        let stream = StdStream::connect(self.control.path()).unwrap();
        stream.set_nonblocking(true).unwrap();
        self.turn();
        BufReader::new(stream)
    }

    /// Sends a line and gives the answer.
    fn ask(&mut self, caller: &mut BufReader<StdStream>, request: &str) -> Answer {
        caller.get_mut().write_all(format!("{request}\n").as_bytes()).unwrap();
        self.turn();
        serde_json::from_str(&line(caller)).unwrap()
    }
}

fn line(caller: &mut BufReader<StdStream>) -> String {
    let mut line = String::new();
    caller.read_line(&mut line).unwrap();
    line
}

fn says_no(answer: &Answer) -> &str {
    assert!(!answer.ok && answer.why.as_ref().is_some_and(|w| w.len() > 10), "{answer:?}");
    answer.error.as_deref().unwrap()
}

#[test]
fn the_daemon_knows_the_caller_and_answers() {
    let mut bench = Bench::new();
    let mut ann = bench.call();
    let me = Environment::here().uid;
    let pong = bench.ask(&mut ann, r#"{"cmd":"ping"}"#);
    assert_eq!(pong.you, Some(crate::source::peer::user_name(&passwd(), me)));
    assert_eq!(pong.now, Some(Time(bench.desk.now)));
    let status = bench.ask(&mut ann, r#"{"cmd":"status"}"#).status.unwrap();
    assert_eq!(*status, bench.desk.status);
    assert_eq!((bench.control.counts().requests, bench.control.counts().callers), (2, 1));
    drop(ann);
    bench.turn();
    assert_eq!(bench.control.counts().callers, 0);
}

#[test]
fn an_alert_is_listed_taken_put_aside_and_followed() {
    let mut bench = Bench::new();
    bench.desk.console.on_lines(&alert(1, "raised", "aa01", "divergent", "major", Some("AAPL")));
    bench.desk.console.take_notices();
    let (mut ann, mut follower) = (bench.call(), bench.call());
    assert_eq!(bench.ask(&mut follower, r#"{"cmd":"follow"}"#).following, Some(true));
    let list = bench.ask(&mut ann, r#"{"cmd":"alerts","open":true,"kind":"divergent","limit":5}"#);
    assert_eq!((list.alerts.unwrap().len(), list.total, list.counters.unwrap().open), (1, Some(1), 1));
    assert_eq!(bench.ask(&mut ann, r#"{"cmd":"alerts","severity":"critical"}"#).total, Some(0));
    let none = bench.ask(&mut ann, r#"{"cmd":"alerts","limit":0}"#);
    assert_eq!((none.alerts.unwrap().len(), none.total), (0, Some(1)));
    let done = bench.ask(&mut ann, r#"{"cmd":"acknowledge","id":"aa","note":"looking"}"#).done.unwrap();
    assert_eq!(done.ids, ["aa01"]);
    assert!(line(&mut follower).contains("\"event\":\"acknowledged\""));
    let item = *bench.ask(&mut ann, r#"{"cmd":"show","id":"aa01"}"#).alert.unwrap();
    assert_eq!((item.state, item.alerts.len()), (State::Acknowledged, 1));
    let shelve = r#"{"cmd":"shelve","id":"aa01","for":"2h","reason":"known"}"#;
    let shelf = bench.ask(&mut ann, shelve).done.unwrap().shelves.remove(0);
    assert_eq!(shelf.until.0 - bench.desk.now, 7_200_000_000_000);
    assert_eq!(bench.ask(&mut ann, r#"{"cmd":"shelves"}"#).shelves.unwrap(), std::slice::from_ref(&shelf));
    assert!(line(&mut follower).contains("\"note\":\"known\""));
    bench.ask(&mut ann, &format!(r#"{{"cmd":"unshelve","id":"{}"}}"#, shelf.shelf)).done.unwrap();
    assert!(line(&mut follower).contains("\"event\":\"unshelved\""));
    bench.desk.console.on_lines(&alert(2, "cleared", "aa01", "divergent", "major", Some("AAPL")));
    let notices = bench.desk.console.take_notices();
    bench.control.publish(&notices);
    assert_eq!(line(&mut follower).as_bytes(), notices[0].to_line());
    let journal = String::from_utf8(bench.desk.console.take_journal()).unwrap();
    let actions: Vec<_> = journal.lines().map(|l| l.split('"').nth(3).unwrap()).collect();
    assert_eq!(actions, ["acknowledge", "shelve", "unshelve"]);
}

#[test]
fn what_is_no_request_is_answered_and_counted() {
    let mut bench = Bench::new();
    let mut caller = bench.call();
    let table = [
        ("rubbish", "bad_request"),
        ("[]", "bad_request"),
        (r#"{"cmd":"sudo"}"#, "bad_request"),
        (r#"{"cmd":"acknowledge","id":"aa","who":"boss"}"#, "bad_request"),
        (r#"{"cmd":"shelve","instrumnt":"AAPL","for":"2h","reason":"r"}"#, "bad_request"),
        (r#"{"cmd":"acknowledge"}"#, "no_target"),
        (r#"{"cmd":"acknowledge","id":"aa","kind":"gap"}"#, "no_target"),
        (r#"{"cmd":"acknowledge","id":"aa"}"#, "unknown_id"),
        (r#"{"cmd":"shelve","kind":"gap","reason":"r"}"#, "no_until"),
        (r#"{"cmd":"shelve","kind":"gap","for":"soon","reason":"r"}"#, "no_until"),
        (
            r#"{"cmd":"shelve","kind":"gap","for":"1h","until":"2026-03-02T15:00:00Z","reason":"r"}"#,
            "no_until",
        ),
        (r#"{"cmd":"shelve","kind":"gap","until":"2020-01-01T00:00:00Z","reason":"r"}"#, "bad_until"),
        (r#"{"cmd":"shelve","kind":"gap","for":"1h","reason":""}"#, "no_reason"),
        (r#"{"cmd":"alerts","severity":"bad"}"#, "no_severity"),
        (r#"{"cmd":"alerts","kind":"gaps"}"#, "no_kind"),
        (r#"{"cmd":"shelve","kind":"silnet","for":"1h","reason":"r"}"#, "no_kind"),
    ];
    for (request, error) in table {
        assert_eq!(says_no(&bench.ask(&mut caller, request)), error, "{request}");
    }
    let counts = bench.control.counts();
    assert_eq!((counts.requests, counts.bad_requests), (table.len() as u64, 5));
    // Blank lines are nothing; the last line may lack its end.
    caller.get_mut().write_all(b"\n \n{\"cmd\":\"ping\"}").unwrap();
    caller.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    bench.turn();
    assert!(line(&mut caller).starts_with("{\"ok\":true"));
    assert_eq!(line(&mut caller), "", "and the daemon hangs up");
}

#[test]
fn a_request_without_end_is_cut_off() {
    let mut bench = Bench::new();
    let mut caller = bench.call();
    let mut sent = 0;
    while let Ok(n) = caller.get_mut().write(&[b'x'; 4096]) {
        sent += n;
        assert!(sent < 1 << 20, "the daemon goes on reading");
        bench.turn();
    }
    assert!(line(&mut caller).contains("\"error\":\"too_long\""));
    assert_eq!((bench.control.counts().too_long, bench.control.counts().callers), (1, 0));
}

#[test]
fn who_does_not_read_is_cut_off_and_the_others_go_on() {
    let mut bench = Bench::new();
    let (mut slow, mut good) = (bench.call(), bench.call());
    bench.ask(&mut slow, r#"{"cmd":"follow"}"#);
    bench.ask(&mut good, r#"{"cmd":"follow"}"#);
    bench.desk.console.on_lines(&alert(1, "raised", "aa01", "gap", "major", None));
    let notices = bench.desk.console.take_notices();
    let wanted = String::from_utf8(notices[0].to_line()).unwrap();
    let mut rounds = 0;
    while bench.control.counts().too_slow == 0 {
        rounds += 1;
        assert!(rounds < 100_000);
        bench.control.publish(&notices);
        assert_eq!(line(&mut good), wanted);
    }
    assert_eq!((bench.control.counts().callers, bench.control.counts().followers), (1, 1));
    assert!(rounds * wanted.len() > FOLLOW_MAX);
}

#[test]
fn a_caller_who_asks_without_reading_waits_and_gets_everything() {
    let mut bench = Bench::new();
    let mut caller = bench.call();
    let request = b"{\"cmd\":\"status\"}\n";
    let (mut asked, mut answered) = (0, 0);
    // Until the daemon stops reading.
    'full: loop {
        let mut rest: &[u8] = request;
        while !rest.is_empty() {
            match caller.get_mut().write(rest) {
                Ok(n) => rest = &rest[n..],
                Err(_) if rest.len() == request.len() => break 'full,
                Err(_) => bench.turn(),
            }
        }
        asked += 1;
        if asked % 50 == 0 {
            bench.turn();
        }
        assert!(asked < 1_000_000);
    }
    let waiting = bench.control.callers.iter().flatten().map(|c| c.output.len()).sum::<usize>();
    assert!(waiting < BACKLOG + 64 * 1024, "{waiting} bytes wait");
    caller.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    let mut all = Vec::new();
    loop {
        bench.turn();
        match caller.read_to_end(&mut all) {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    for answer in all.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        assert!(answer.starts_with(b"{\"ok\":true,\"status\":{") && answer.ends_with(b"}"));
        answered += 1;
    }
    assert_eq!(answered, asked);
}

#[test]
fn one_caller_too_many_is_told_so() {
    let mut bench = Bench::new();
    let callers: Vec<_> = (0..CALLERS_MAX).map(|_| bench.call()).collect();
    let mut late = bench.call();
    assert!(line(&mut late).contains("\"error\":\"too_many_callers\""));
    assert_eq!(bench.control.counts().too_many, 1);
    drop(callers);
    bench.turn();
    let mut next = bench.call();
    assert!(bench.ask(&mut next, r#"{"cmd":"ping"}"#).ok);
}

#[test]
fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/p.sock");
    let first = Control::open(&path, Access::Owner).unwrap();
    let mode = |p: &Path| std::fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert!(matches!(Control::open(&path, Access::Owner), Err(ControlError::Live(_))));
    drop(first);
    assert!(!path.exists(), "a daemon that ends takes its socket away");
    // Somebody who does not hold the lock, but answers.
    let other = StdListener::bind(&path).unwrap();
    let error = Control::open(&path, Access::Owner).unwrap_err();
    assert!(error.to_string().starts_with("another daemon answers at "), "{error}");
    drop(other);
    assert!(path.exists(), "as a killed daemon leaves it");
    let second = Control::open(&path, Access::Group).unwrap();
    assert_eq!(mode(&path), 0o660);
    // What is not ours any more is not removed.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "somebody's").unwrap();
    drop(second);
    assert!(matches!(Control::open(&path, Access::Owner), Err(ControlError::NotASocket(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's");
    assert!(!std::fs::metadata(&path).unwrap().file_type().is_socket());
}

fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        r#"{"cmd":"#,
        r#""ping""#,
        r#""status""#,
        r#""alerts""#,
        r#""follow""#,
        r#""shelve""#,
        r#""acknowledge""#,
        r#""unshelve""#,
        r#","id":"#,
        r#""aa01""#,
        r#","for":"1h""#,
        r#","reason":"r""#,
        r#","kind":"gap""#,
        "}",
        "\n",
        "{\"cmd\":\"follow\"}\n",
        "{\"cmd\":\"alerts\",\"open\":false}\n",
        "\u{0}",
        "[[[[[[",
    ]);
    let words = prop::collection::vec(words, 0..60).prop_map(|w| w.concat().into_bytes());
    prop_oneof![words, prop::collection::vec(any::<u8>(), 0..3000)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever callers write, in whatever pieces: every answer is a line of JSON, and the next caller is served.
    #[test]
    fn any_bytes_are_answered_or_ignored(bytes in rubbish(), cut in 0usize..3000, ends in any::<bool>()) {
        let mut bench = Bench::new();
        bench.desk.console.on_lines(&alert(1, "raised", "aa01", "gap", "major", None));
        let mut caller = bench.call();
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        caller.get_mut().write_all(first).unwrap();
        bench.turn();
        // Not read yet, and maybe hung up on.
        let _ = caller.get_mut().write_all(second);
        bench.turn();
        if ends {
            let _ = caller.get_mut().shutdown(std::net::Shutdown::Write);
            bench.turn();
        }
        let mut answers = Vec::new();
        let _ = caller.read_to_end(&mut answers);
        for answer in answers.split(|b| *b == b'\n').filter(|a| !a.is_empty()) {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(answer).is_ok());
        }
        drop(caller);
        bench.turn();
        let mut next = bench.call();
        let pong = bench.ask(&mut next, r#"{"cmd":"ping"}"#);
        prop_assert!(pong.ok);
        prop_assert_eq!(bench.control.counts().callers, 1);
    }
}
