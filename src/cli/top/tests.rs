//! Pictures of a fixed daemon, and keys against a fake one.

use clap::Parser;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::instrument::Look;
use super::*;
use crate::cli::alerts::PATIENCE;
use crate::run::control::fake::{Fake, alert, status};

fn client(fake: &Fake) -> Client {
    Client::connect(&fake.path, PATIENCE).unwrap()
}

/// A model that has looked twice at a daemon with two open alerts, two seconds apart.
fn model(fake: &Fake) -> Model {
    fake.says(&alert(5, "raised", "0123456789abcdef", "divergent", "major", Some("AAPL")));
    fake.says(&alert(20, "raised", "fedcba9876543210", "silent", "critical", None));
    let mut model = Model::default();
    model.look(&mut client(fake)).unwrap();
    fake.shows(status(2));
    model.look(&mut client(fake)).unwrap();
    model
}

fn picture(model: &mut Model, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen::draw(frame, model)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let row = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect()
}

fn key(model: &mut Model, code: KeyCode) -> keys::Do {
    keys::press(model, KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_text(model: &mut Model, text: &str) {
    text.chars().for_each(|c| assert_eq!(key(model, KeyCode::Char(c)), keys::Do::Nothing));
}

const TABLES: &str = "\
parallax 0.1.0 parallax pid 4711, up 62 s, 14:31:02 UTC
! receive buffer 212992 of 67108864 bytes: sysctl -w net.core.rmem_max=134217728

SOURCE   STATE   RATE/s     LAST  GAPS  MISSING   WINS  LAG p50     p99  DROPS      INSTRUMENTS
direct   up        1000  1.00 ms     2        6                             17  412 (2 suspect)
  tv1/A  joined    1000  1.00 ms              3  90.0%  41.0 us  730 us      0
  tv1/B  joined    1000  1.00 ms              3  10.0%  41.0 us  730 us     17
sip      silent       0     12 s     0        0                              0              410
  q1/A   joined       0     12 s              3      -  41.0 us  730 us      0

RECEIVER     SOURCES     RATE/s  RING   PEAK   IDLE  OVERRUNS  LATE STAMPS
0 on core 2  direct,sip       0  0.1%  13.7%  52.0%         0            0

LATENCY  FROM               COUNT      p50      p90      p99    p99.9      MAX
direct   recv to published   100k  2.30 us  4.10 us  19.8 us  88.0 us  1.25 ms

ALERT     SEVERITY  KIND       INSTRUMENT  SOURCES     SINCE     AGE   STATE           COUNT  WHY
fedcba98  critical  silent     -           sip         14:30:20  42 s  unacknowledged  1      silent for some reason
01234567  major     divergent  AAPL        direct,sip  14:30:05  57 s  unacknowledged  1      divergent for some reason
";

#[test]
fn the_plain_text_says_everything() {
    let fake = Fake::start();
    assert_eq!(tables::text(&mut model(&fake)), TABLES);
}

#[test]
fn the_screen_shows_what_the_text_says() {
    let fake = Fake::start();
    let mut model = model(&fake);
    let shown = picture(&mut model, 120, 30);
    let wanted: Vec<&str> = TABLES.lines().collect();
    assert_eq!(shown[0], wanted[0]);
    for line in wanted.iter().filter(|l| !l.is_empty()) {
        assert!(shown.iter().any(|s| s == line), "{line:?} is not in\n{}", shown.join("\n"));
    }
    let keys = "q quit  1 overview  2 alerts  up/down choose  a acknowledge  s shelve  u unshelve";
    assert_eq!(shown[29], keys);
    println!("{}", shown.join("\n"));
}

#[test]
fn any_size_is_drawn() {
    let fake = Fake::start();
    let mut model = model(&fake);
    for tab in [Tab::Overview, Tab::Alerts, Tab::Instrument] {
        model.tab = tab;
        for (width, height) in [(1, 1), (1, 40), (3, 3), (20, 5), (80, 24), (80, 8), (200, 2), (400, 100)] {
            picture(&mut model, width, height);
        }
    }
    model.tab = Tab::Overview;
    let small = picture(&mut model, 80, 24);
    for wanted in [
        "SOURCE   STATE   RATE/s     LAST  GAPS  MISSING   WINS  LAG p50     p99  DROPS",
        "ALERT     SEVERITY  KIND       INSTRUMENT  AGE   STATE           WHY",
        "fedcba98  critical  silent     -           42 s  unacknowledged  silent for some",
    ] {
        assert!(small.iter().any(|l| l == wanted), "{wanted:?} is not in\n{}", small.join("\n"));
    }
    model.alerts.clear();
    assert!(picture(&mut model, 80, 40).iter().any(|l| l == "no alert"));
    assert_eq!(picture(&mut Model { message: "wait".into(), ..Model::default() }, 10, 2), ["wait", ""]);
}

#[test]
fn colours_only_where_they_are_wanted() {
    let fake = Fake::start();
    let mut model = model(&fake);
    for colours in [false, true] {
        model.colours = colours;
        let mut terminal = Terminal::new(TestBackend::new(120, 30)).unwrap();
        terminal.draw(|frame| screen::draw(frame, &mut model)).unwrap();
        let buffer = terminal.backend().buffer();
        let coloured = buffer.content.iter().any(|c| c.fg != ratatui::style::Color::Reset);
        assert_eq!(coloured, colours);
    }
}

#[test]
fn keys_acknowledge_and_shelve_the_chosen_alert() {
    let fake = Fake::start();
    let mut model = model(&fake);
    assert_eq!(model.selected.as_deref(), Some("fedcba9876543210"));
    key(&mut model, KeyCode::Down);
    key(&mut model, KeyCode::Down);
    assert_eq!(model.selected.as_deref(), Some("0123456789abcdef"), "the last one");
    key(&mut model, KeyCode::Char('a'));
    type_text(&mut model, "quit");
    let shown = picture(&mut model, 100, 20);
    assert_eq!(shown[18..], ["acknowledge 01234567, note: quit", "Enter does it  Esc leaves it"]);
    key(&mut model, KeyCode::Backspace);
    let keys::Do::Ask(request) = key(&mut model, KeyCode::Enter) else { panic!("nothing is asked") };
    let mut called = Some(client(&fake));
    assert_eq!(said(&mut called, &request), "1 alert: 01234567");
    key(&mut model, KeyCode::Up);
    key(&mut model, KeyCode::Char('s'));
    type_text(&mut model, "2h");
    assert_eq!(key(&mut model, KeyCode::Enter), keys::Do::Nothing);
    assert_eq!(model.message, "say how long and why, as in: 2h known fault");
    key(&mut model, KeyCode::Char('s'));
    type_text(&mut model, "2h cable at noon");
    let keys::Do::Ask(request) = key(&mut model, KeyCode::Enter) else { panic!("nothing is asked") };
    let answer = said(&mut called, &request);
    assert!(
        answer.starts_with("1 alert: fedcba98; shelf s") && answer.ends_with(": cable at noon"),
        "{answer}"
    );
    model.look(&mut client(&fake)).unwrap();
    let states: Vec<_> = model.alerts.iter().map(|a| a.state.name()).collect();
    assert_eq!(states, ["shelved", "acknowledged"]);
    let keys::Do::Ask(request) = key(&mut model, KeyCode::Char('u')) else { panic!("nothing is asked") };
    assert!(said(&mut called, &request).starts_with("1 alert: fedcba98; shelf "));
    assert_eq!(
        said(&mut called, &request),
        "nothing that is put aside matches; `parallax alerts shelves` lists the shelves"
    );
    assert!(called.is_some(), "a no is an answer");
    key(&mut model, KeyCode::Char('a'));
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.input.clone(), key(&mut model, KeyCode::Char('q'))), (None, keys::Do::Quit));
    assert_eq!(
        keys::press(&mut model, KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
        keys::Do::Quit
    );
}

#[test]
fn a_daemon_that_ends_is_said_to_be_lost() {
    let fake = Fake::start();
    let mut model = model(&fake);
    let args = TestCli::parse_from(["top", "--socket", fake.path.to_str().unwrap()]).args;
    let mut called = Some(client(&fake));
    refresh(&args, &mut model, &mut called);
    assert!(!model.lost && called.is_some());
    fake.stop();
    refresh(&args, &mut model, &mut called);
    assert!(model.lost && called.is_none());
    let shown = picture(&mut model, 120, 30);
    assert!(shown[0].ends_with("(not answering: this is old)"), "{}", shown[0]);
    assert!(shown[28].starts_with("the daemon at "), "{}", shown[28]);
    refresh(&args, &mut model, &mut called);
    assert!(model.message.starts_with("no daemon answers at "), "{}", model.message);
}

struct Books;

impl InstrumentView for Books {
    fn look(&mut self, instrument: &str, _now_ns: u64) -> Result<Vec<Look>, String> {
        if instrument != "AAPL" {
            return Err(format!("no source shows {instrument}"));
        }
        let look = |source: &str, bid, ask, quality: &str| Look {
            source: source.into(),
            venue: "XNAS".into(),
            bid,
            ask,
            quality: quality.into(),
            age_ns: Some(1_000_000),
        };
        let bid = Some((189_970_000_000, 300));
        let ask = Some((190_000_000_000, 100));
        Ok(vec![look("direct", bid, ask, "ok"), look("sip", bid, None, "suspect")])
    }
}

#[test]
fn one_instrument_is_shown_source_beside_source() {
    let fake = Fake::start();
    let mut model = Model { books: Some(Box::new(Books)), ..model(&fake) };
    key(&mut model, KeyCode::Char('/'));
    type_text(&mut model, "AAPL");
    key(&mut model, KeyCode::Enter);
    let shown = picture(&mut model, 120, 10);
    let expected = [
        "AAPL",
        "SOURCE  VENUE  QUALITY  BID QTY     BID     ASK  ASK QTY     LAST",
        "direct  XNAS   ok           300  189.97  190.00      100  1.00 ms",
        "sip     XNAS   suspect      300  189.97       -           1.00 ms",
    ];
    assert_eq!(shown[2..6], expected);
    model.instrument = "XXXX".into();
    assert_eq!(picture(&mut model, 120, 10)[3], "no source shows XXXX");
}

#[derive(clap::Parser)]
struct TestCli {
    #[command(flatten)]
    args: Args,
}

#[test]
fn once_prints_the_text() {
    let fake = Fake::start();
    let args =
        TestCli::parse_from(["top", "--once", "--interval", "0", "--socket", fake.path.to_str().unwrap()])
            .args;
    let mut out = Vec::new();
    run(&args, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("parallax 0.1.0 parallax pid 4711, up 60 s, 14:31:00 UTC\n! receive"), "{text}");
    assert!(text.contains("\n  tv1/A  joined       -  ") && text.ends_with("\nno alert\n"), "{text}");
}
