//! What people do with a running daemon: look, take, put aside, reload.

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::kit::{Daemon, Place, lines, scenario, wait_for};

fn socket(place: &Place) -> String {
    place.path(&format!("run/{}.sock", place.name)).display().to_string()
}

#[test]
fn a_silent_source_is_listed_taken_shelved_and_remembered_by_the_next_daemon() {
    let place = Place::new("operators");
    let config = place.plain();
    let daemon = Daemon::start(&config);
    // Nothing is sent at all: both sources are dead, and each says so once.
    let open = wait_for("two alerts", || {
        let answer = place.ask("{\"cmd\":\"alerts\",\"open\":true}");
        Some(answer["alerts"].as_array()?.clone()).filter(|a| a.len() == 2)
    });
    assert!(open.iter().all(|a| a["kind"] == "silent" && a["state"] == "unacknowledged"), "{open:?}");
    let id = open[0]["id"].as_str().unwrap();
    let at = socket(&place);
    let done = place.command(&["alerts", "ack", id, "--note", "the vendor is on it", "--socket", &at]);
    assert_eq!(done.0, Some(0), "{done:?}");
    let shown = place.command(&["alerts", "--json", "--socket", &at]);
    let shown = lines(&shown.1);
    let taken: Vec<&Value> = shown.iter().filter(|a| a["state"] == "acknowledged").collect();
    assert_eq!(taken.len(), 1, "{shown:?}");
    assert_eq!(taken[0]["acknowledged"]["note"], "the vendor is on it");
    let done = place.command(&[
        "alerts", "shelve", "--source", "sip", "--for", "2h", "--reason", "moved", "--socket", &at,
    ]);
    assert_eq!(done.0, Some(0), "{done:?}");
    // Killed without a word: the journal has it.
    drop(daemon);
    let daemon = Daemon::start(&config);
    let shelves = place.ask("{\"cmd\":\"shelves\"}");
    assert_eq!(shelves["shelves"].as_array().map(Vec::len), Some(1), "{shelves}");
    assert_eq!(daemon.stop(), Some(0));
    let gone = place.command(&["alerts", "--socket", &at]);
    assert_eq!(gone.0, Some(2), "nobody answers: {gone:?}");
    assert_eq!(gone.2.lines().count(), 1, "{}", gone.2);
}

#[test]
fn the_screen_the_book_and_the_pages_show_a_running_market() {
    let place = Place::new("screen");
    let log = place.path("alerts.ndjson");
    let listen = "127.0.0.1:42349";
    let config = place
        .configure(&format!("[alerts]\nlog = \"{}\"\n[metrics]\nlisten = \"{listen}\"\n", log.display()));
    let daemon = Daemon::start(&config);
    place.simulate(&scenario("demo.toml"), &["--clean", "--duration", "2s"]);
    let at = socket(&place);
    let (code, top, errors) = place.command(&["top", "--once", "--socket", &at, "--interval", "50"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    for word in ["direct", "sip", "tv1", "q1", "A", "B"] {
        assert!(top.contains(word), "no {word} in\n{top}");
    }
    let books = place.path("shm").display().to_string();
    let instrument = first_instrument(&place);
    let (code, book, errors) = place.command(&["book", &instrument, "--dir", &books, "--json"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let book: Value = serde_json::from_str(&book).unwrap();
    assert!(book.to_string().contains("XNAS"), "{book}");
    let metrics = get(listen, "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(
        metrics.contains("parallax_line_packets_total{source=\"direct\",channel=\"tv1\",line=\"A\"}"),
        "{metrics}"
    );
    assert!(!metrics.contains(&instrument), "no instrument is a label");
    assert!(get(listen, "/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(daemon.stop(), Some(0));
    let (code, _, errors) = place.command(&["book", "NOSUCH", "--dir", &books]);
    assert_eq!((code, errors.lines().count()), (Some(2), 1), "{errors}");
}

/// A window that is closed, a session that is cut: the screen must not go on, on a core that others need.
#[test]
fn a_screen_ends_with_its_terminal() {
    let place = Place::new("gone");
    let config = place.plain();
    let daemon = Daemon::start(&config);
    let id = place.path("id").display().to_string();
    let top = format!(
        "stty rows 24 cols 80; echo $$ > {id}; exec {} top --socket {}",
        env!("CARGO_BIN_EXE_parallax"),
        socket(&place)
    );
    let mut command = Command::new("script");
    command.args(["-qfc", &top, "/dev/null"]).env("TERM", "xterm");
    let Ok(mut terminal) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        eprintln!("SKIPPED: there is no `script` that makes a terminal");
        return;
    };
    let (mut shown, mut drawn) = ([0; 4_096], Vec::new());
    while !String::from_utf8_lossy(&drawn).contains("direct") {
        let read = terminal.stdout.as_mut().unwrap().read(&mut shown).unwrap();
        assert_ne!(read, 0, "the screen ended: {}", String::from_utf8_lossy(&drawn));
        drawn.extend_from_slice(&shown[..read]);
    }
    let process = std::fs::read_to_string(&id).unwrap().trim().to_owned();
    terminal.kill().unwrap();
    terminal.wait().unwrap();
    wait_for("the end of the screen", || {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let gone = state.is_empty() || state.contains(") Z ");
        gone.then_some(())
    });
    assert_eq!(daemon.stop(), Some(0));
}

fn first_instrument(place: &Place) -> String {
    let out = place.command(&[
        "replay",
        "--config",
        &place.path("live.toml").display().to_string(),
        "--quotes",
        "-",
        "--summary",
        "json",
        &newest(place),
    ]);
    lines(out.1.lines().take(1).map(|l| format!("{l}\n")).collect::<String>().as_str())[0]["instrument"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn newest(place: &Place) -> String {
    let files = wait_for("a recording", || {
        let mut files: Vec<_> =
            std::fs::read_dir(place.path("recordings")).ok()?.filter_map(|e| Some(e.ok()?.path())).collect();
        files.sort();
        files.pop().filter(|f| f.metadata().is_ok_and(|m| m.len() > 4_096))
    });
    files.display().to_string()
}

fn get(address: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_new_configuration_is_applied_whole_or_refused_with_the_reason() {
    let place = Place::new("reload");
    let config = place.plain();
    let mut daemon = Daemon::start(&config);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("[alerts]", "[alerts]\nnotify_from = \"major\"")).unwrap();
    daemon.signal("-HUP");
    daemon.until_it_says("applied: alerts.notify_from");
    let [port, other] = [2, 3].map(|more| format!(":{}\"", place.port + more));
    assert!(text.contains(&port));
    std::fs::write(&config, text.replace(&port, &other)).unwrap();
    daemon.signal("-HUP");
    daemon.until_it_says("the new configuration is refused, the old one holds:");
    daemon.until_it_says("needs a restart");
    std::fs::write(&config, text.replace("[alerts]", "[alarms]")).unwrap();
    daemon.signal("-HUP");
    daemon.until_it_says("`alarms`");
    std::fs::write(&config, &text).unwrap();
    assert_eq!(daemon.stop(), Some(0));
}
