//! Whole lives of alerts, told and asserted from beginning to end.

use proptest::prelude::*;

use super::*;

const S: u64 = 1_000_000_000;
const T0: u64 = 1_772_461_800 * S;

/// What a line is about.
#[derive(Clone, Copy)]
struct About {
    id: &'static str,
    kind: &'static str,
    severity: &'static str,
    instrument: Option<&'static str>,
    sources: &'static [&'static str],
    channel: Option<&'static str>,
    line: Option<&'static str>,
    instruments: u64,
}

const PRICE: About = About {
    id: "aa01",
    kind: "divergent",
    severity: "major",
    instrument: Some("AAPL"),
    sources: &["direct", "sip"],
    channel: None,
    line: None,
    instruments: 0,
};

const SILENT: About = About {
    id: "5111",
    kind: "silent",
    severity: "critical",
    instrument: None,
    sources: &["sip"],
    channel: Some("q1"),
    instruments: 7,
    ..PRICE
};

fn line(at: u64, event: &str, about: About) -> Vec<u8> {
    let mut value = serde_json::json!({
        "ts": Time(T0 + at * S), "event": event, "id": about.id, "kind": about.kind, "severity": about.severity,
        "instrument": about.instrument, "sources": about.sources, "channel": about.channel, "line": about.line,
        "began": Time(T0 + at * S), "instruments": about.instruments, "why": format!("{} {}", about.kind, about.id),
    });
    if event == "cleared" {
        value["reason"] = "agreed".into();
    }
    let mut line = serde_json::to_vec(&value).unwrap();
    line.push(b'\n');
    line
}

/// A console, with what it tells as one string per notice.
struct Desk {
    console: Console,
}

impl Desk {
    fn new() -> Desk {
        Desk { console: Console::new(Settings::default()) }
    }

    fn told(&mut self) -> Vec<String> {
        let notices = self.console.take_notices().into_iter();
        notices
            .map(|n| {
                let at = (n.ts.0 - T0) / S;
                let state = n.state.map_or("-", State::name);
                let mut said = format!("{at} {} {} {} {state}", n.event.name(), n.id, n.severity.name());
                if n.count > 1 {
                    said.push_str(&format!(" x{}", n.count));
                }
                if n.children > 0 {
                    said.push_str(&format!(" children={}", n.children));
                }
                if let Some(who) = n.who {
                    said.push_str(&format!(" by {who}"));
                }
                said
            })
            .collect()
    }

    fn says(&mut self, at: u64, event: &str, about: About) -> Vec<String> {
        self.console.on_lines(&line(at, event, about));
        self.told()
    }

    fn act(&mut self, at: u64, who: &str, action: Action) -> Result<Done, Refusal> {
        self.console.act(T0 + at * S, who, action)
    }

    fn take(&mut self, at: u64, who: &str, id: &str) -> Result<Done, Refusal> {
        self.act(at, who, Action::Acknowledge { target: Target::Id(id.into()), note: "looking".into() })
    }

    fn shelve(&mut self, at: u64, target: Target, until: u64) -> Result<Done, Refusal> {
        let until_ns = T0 + until * S;
        self.act(at, "ann", Action::Shelve { target, until_ns, reason: "known".into() })
    }

    fn advance(&mut self, at: u64) -> Vec<String> {
        self.console.advance(T0 + at * S);
        self.told()
    }

    fn list(&self, all: bool) -> Vec<String> {
        let items = self.console.list(&Filter { all, ..Filter::default() }).unwrap();
        items.iter().map(|i| format!("{} {}", i.id, i.state.name())).collect()
    }
}

fn id(id: &str) -> Target {
    Target::Id(id.to_owned())
}

fn of_kind(kind: &str) -> Target {
    Target::Pattern(Pattern { kind: Some(kind.to_owned()), ..Pattern::default() })
}

#[test]
fn raised_escalated_acknowledged_cleared() {
    let mut desk = Desk::new();
    let lagging = About { kind: "lagging", severity: "minor", ..PRICE };
    assert_eq!(desk.says(1, "raised", lagging), ["1 raised aa01 minor unacknowledged"]);
    assert_eq!(desk.says(2, "escalated", PRICE), ["2 escalated aa01 major unacknowledged"]);
    assert_eq!(desk.take(3, "ann", "aa").unwrap().ids, ["aa01"]);
    assert_eq!(desk.told(), ["3 acknowledged aa01 major acknowledged by ann"]);
    assert_eq!(desk.list(false), ["aa01 acknowledged"]);
    let shown = desk.console.show("aa01").unwrap();
    assert_eq!(shown.acknowledged.unwrap().note, "looking");
    assert_eq!(shown.alerts.len(), 2, "the first line and the latest");
    assert_eq!(desk.says(4, "cleared", PRICE), ["4 cleared aa01 major cleared"]);
    assert_eq!(desk.list(false), [""; 0]);
    assert_eq!(desk.list(true), ["aa01 cleared"]);
    assert_eq!(desk.console.counters().open, 0);
}

#[test]
fn what_gets_worse_is_to_be_acknowledged_again() {
    let mut desk = Desk::new();
    desk.says(1, "raised", About { kind: "lagging", severity: "minor", ..PRICE });
    desk.take(2, "ann", "aa01").unwrap();
    desk.told();
    assert_eq!(desk.says(3, "escalated", PRICE), ["3 escalated aa01 major unacknowledged"]);
    assert_eq!(desk.list(false), ["aa01 unacknowledged"]);
}

#[test]
fn cleared_before_anybody_looked_stays_until_somebody_does() {
    let mut desk = Desk::new();
    desk.says(1, "raised", PRICE);
    assert_eq!(desk.says(2, "cleared", PRICE), ["2 cleared aa01 major returned"]);
    assert_eq!(desk.list(false), ["aa01 returned"]);
    assert_eq!(desk.take(3, "bob", "aa01").unwrap().ids, ["aa01"]);
    assert_eq!(desk.told(), ["3 acknowledged aa01 major returned by bob"]);
    assert_eq!(desk.list(true), ["aa01 cleared"]);
    assert_eq!(desk.console.show("aa01").unwrap().acknowledged.unwrap().who, "bob");
    // What need not be acknowledged does not stay.
    let locked = About { kind: "locked", severity: "info", id: "bb", ..PRICE };
    desk.says(4, "raised", locked);
    assert_eq!(desk.says(5, "cleared", locked), ["5 cleared bb info cleared"]);
    assert_eq!(desk.list(false), [""; 0]);
}

#[test]
fn a_shelf_holds_one_alert_until_its_time() {
    let mut desk = Desk::new();
    desk.says(1, "raised", PRICE);
    let done = desk.shelve(2, id("aa01"), 62).unwrap();
    assert_eq!((done.ids.as_slice(), done.shelves.len()), (["aa01".to_owned()].as_slice(), 1));
    assert_eq!(desk.told(), ["2 shelved aa01 major shelved by ann"]);
    assert_eq!(desk.says(3, "escalated", About { severity: "critical", ..PRICE }), [""; 0]);
    assert_eq!(desk.list(false), ["aa01 shelved"]);
    assert_eq!(desk.console.due_ns(), Some(T0 + 62 * S));
    assert_eq!(desk.advance(61), [""; 0]);
    assert_eq!(desk.advance(90), ["62 reminded aa01 critical unacknowledged"]);
    assert_eq!(desk.list(false), ["aa01 unacknowledged"]);
    // What is over on its shelf was told, so its end is told; it does not return.
    desk.shelve(91, id("aa"), 1000).unwrap();
    desk.told();
    assert_eq!(desk.says(92, "cleared", PRICE), ["92 cleared aa01 critical cleared"]);
    assert_eq!((desk.list(false).len(), desk.console.shelves().count()), (0, 0));
}

#[test]
fn a_shelf_for_a_kind_holds_what_comes_later_too() {
    let mut desk = Desk::new();
    let shelf = desk.shelve(1, of_kind("divergent"), 100).unwrap().shelves[0].shelf.clone();
    assert_eq!(desk.told(), [format!("1 shelved {shelf} info - by ann")]);
    assert_eq!(desk.says(2, "raised", PRICE), [""; 0]);
    let second = About { id: "aa02", instrument: Some("MSFT"), ..PRICE };
    desk.says(3, "raised", second);
    desk.says(4, "cleared", second);
    assert_eq!(desk.list(false), ["aa01 shelved"], "what came and went on the shelf is done with");
    assert_eq!(
        desk.act(5, "bob", Action::Unshelve { target: id("aa01") }),
        Err(Refusal::OnOtherShelf(shelf.clone()))
    );
    let done = desk.act(6, "bob", Action::Unshelve { target: of_kind("divergent") }).unwrap();
    assert_eq!(done.ids, ["aa01"]);
    assert_eq!(
        desk.told(),
        [format!("6 unshelved {shelf} info - by bob"), "6 raised aa01 major unacknowledged".into()]
    );
    assert_eq!(desk.act(7, "bob", Action::Unshelve { target: id(&shelf) }), Err(Refusal::Unknown(shelf)));
}

#[test]
fn what_comes_and_goes_becomes_one() {
    let mut desk = Desk::new();
    let ids = ["f1", "f2", "f3", "f4", "f5", "f6", "f7"];
    for (n, id) in (1u64..).zip(&ids[..5]) {
        let about = About { id, ..PRICE };
        assert_eq!(desk.says(n * 10, "raised", about), [format!("{}0 raised {id} major unacknowledged", n)]);
        assert_eq!(desk.says(n * 10 + 1, "cleared", about), [format!("{}1 cleared {id} major returned", n)]);
    }
    let sixth = About { id: "f6", ..PRICE };
    let began = desk.says(60, "raised", sixth);
    let chronic = desk.console.list(&Filter::default()).unwrap();
    assert_eq!(
        (chronic.len(), chronic[0].count, chronic[0].chronic),
        (1, 6, true),
        "the returned ones are counted in it"
    );
    let name = chronic[0].id.clone();
    assert_eq!(began, [format!("60 chronic_began {name} major unacknowledged x6")]);
    assert_eq!(desk.says(61, "cleared", sixth), [""; 0]);
    let worse = About { id: "f7", severity: "critical", ..PRICE };
    assert_eq!(desk.says(70, "raised", worse), [format!("70 escalated {name} critical unacknowledged x7")]);
    assert_eq!(desk.says(71, "cleared", worse), [""; 0]);
    assert_eq!(desk.advance(669), [""; 0]);
    assert_eq!(desk.advance(670), [format!("670 chronic_ended {name} critical returned x7")]);
    assert_eq!(desk.list(false), [format!("{name} returned")]);
    desk.take(700, "ann", &name).unwrap();
    desk.told();
    // Calm again: the next one is told by itself.
    assert_eq!(desk.says(800, "raised", About { id: "f8", ..PRICE }), ["800 raised f8 major unacknowledged"]);
    assert_eq!((desk.console.counters().chronic, desk.console.counters().folded), (1, 7));
}

#[test]
fn what_is_left_open_of_a_chronic_one_is_told_by_itself() {
    for taken in [false, true] {
        let mut desk = Desk::new();
        for n in 1..=6 {
            let about = About { id: ["g1", "g2", "g3", "g4", "g5", "g6"][n as usize - 1], ..PRICE };
            desk.says(n * 10, "raised", about);
            if n < 6 {
                desk.says(n * 10 + 1, "cleared", about);
            }
        }
        let name = desk.console.list(&Filter::default()).unwrap()[0].id.clone();
        if taken {
            desk.take(65, "ann", &name).unwrap();
        }
        desk.told();
        let ended = desk.advance(660);
        if taken {
            assert_eq!(ended, [format!("660 chronic_ended {name} major cleared x6")]);
            assert_eq!(desk.list(false), ["g6 acknowledged"]);
        } else {
            assert_eq!(
                ended,
                [
                    format!("660 chronic_ended {name} major returned x6"),
                    "660 raised g6 major unacknowledged".into()
                ]
            );
        }
    }
}

#[test]
fn slow_coming_and_going_is_not_chronic() {
    let mut desk = Desk::new();
    for n in 1..=20u64 {
        let told = desk.says(
            n * 121,
            "raised",
            About { id: Box::leak(format!("h{n:02}").into_boxed_str()), ..PRICE },
        );
        assert_eq!(told.len(), 1);
        assert!(told[0].contains(" raised "), "{told:?}");
    }
    assert_eq!(desk.console.counters().chronic, 0);
}

#[test]
fn a_silent_source_holds_what_it_explains() {
    let mut desk = Desk::new();
    assert_eq!(desk.says(1, "raised", SILENT), ["1 raised 5111 critical unacknowledged"]);
    let second = About { id: "aa02", instrument: Some("MSFT"), ..PRICE };
    let other = About { id: "aa03", sources: &["direct"], kind: "crossed", ..PRICE };
    assert_eq!(desk.says(2, "raised", PRICE), [""; 0]);
    assert_eq!(desk.says(3, "raised", second), [""; 0]);
    assert_eq!(desk.says(4, "raised", other), ["4 raised aa03 major unacknowledged"], "another source");
    assert_eq!(desk.list(false), ["5111 unacknowledged", "aa03 unacknowledged"]);
    assert_eq!(desk.list(true).iter().filter(|l| l.ends_with("held")).count(), 2);
    assert_eq!(desk.says(5, "cleared", second), [""; 0], "nobody knew of it");
    assert_eq!(
        desk.says(6, "cleared", SILENT),
        ["6 cleared 5111 critical returned children=2", "6 raised aa01 major unacknowledged"]
    );
    assert_eq!(desk.says(7, "cleared", PRICE), ["7 cleared aa01 major returned"]);
    assert_eq!(desk.console.counters().held, 2);
}

#[test]
fn who_explains_whom() {
    let parse = |about| AlertLine::parse(&line(1, "raised", about)).unwrap();
    let source = parse(SILENT);
    let channel = About { instruments: 0, ..SILENT };
    let silent_line = About { line: Some("B"), instruments: 0, ..SILENT };
    let bad_line = About { kind: "line", severity: "minor", ..silent_line };
    let stale = About { kind: "stale", sources: &["sip"], ..PRICE };
    let gap = About { kind: "gap", instrument: None, channel: Some("q1"), sources: &["sip"], ..PRICE };
    let table = [
        (parse(channel), [false, true, true, false, true]),
        (parse(silent_line), [false, false, true, false, false]),
        (parse(bad_line), [false; 5]),
        (source, [true, true, true, true, true]),
    ];
    let children = [parse(channel), parse(silent_line), parse(bad_line), parse(PRICE), parse(gap)];
    for (parent, expected) in &table {
        for (child, expected) in children.iter().zip(expected) {
            assert_eq!(parent.covers(child), *expected, "{} over {}", parent.raw, child.raw);
        }
    }
    assert!(parse(channel).covers(&parse(stale)), "what stopped may be on the channel");
    assert!(!parse(channel).covers(&parse(About { channel: Some("q2"), ..gap })));
    assert!(!parse(bad_line).covers(&parse(silent_line)), "the wider is told by itself");
}

#[test]
fn what_is_worse_than_its_parent_is_told() {
    let mut desk = Desk::new();
    desk.says(1, "raised", About { severity: "minor", ..SILENT });
    assert_eq!(desk.says(2, "raised", PRICE), ["2 raised aa01 major unacknowledged"]);
    let small = About { id: "aa02", severity: "minor", instrument: Some("MSFT"), ..PRICE };
    assert_eq!(desk.says(3, "raised", small), [""; 0]);
    assert_eq!(
        desk.says(4, "escalated", About { severity: "major", ..small }),
        ["4 raised aa02 major unacknowledged"]
    );
}

#[test]
fn ten_thousand_children_are_one_notice() {
    let mut desk = Desk::new();
    desk.says(1, "raised", SILENT);
    for n in 0..10_000 {
        let id = Box::leak(format!("c{n:05}").into_boxed_str());
        desk.console.on_lines(&line(2, "raised", About { id, instrument: Some(id), ..PRICE }));
    }
    assert_eq!(desk.told(), [""; 0]);
    let counters = desk.console.counters();
    assert_eq!((counters.open, counters.held, counters.overflow), (10_000, 9_999, 1));
    assert_eq!(desk.console.list(&Filter::default()).unwrap()[0].children, 9_999);
}

#[test]
fn bounds_hold_and_count() {
    let settings =
        Settings { open_max: 2, returned_max: 1, history_max: 1, notices_max: 3, ..Settings::default() };
    let mut desk = Desk { console: Console::new(settings) };
    let about = |id: &'static str| About { id, instrument: Some(id), ..PRICE };
    for id in ["a", "b", "c"] {
        desk.console.on_lines(&line(1, "raised", about(id)));
    }
    desk.console.on_lines(&line(2, "cleared", about("a")));
    desk.console.on_lines(&line(3, "cleared", about("b")));
    desk.console.on_lines(&line(4, "cleared", about("c")));
    desk.console.on_lines(b"{\"ts\":1}\n\xff\n[]\n");
    assert_eq!(
        desk.told(),
        ["1 raised a major unacknowledged", "1 raised b major unacknowledged", "2 cleared a major returned"]
    );
    assert_eq!(desk.list(true), ["b returned", "a cleared"]);
    let expected = Counters {
        lines: 9,
        bad_lines: 3,
        unknown: 1,
        overflow: 1,
        returned_dropped: 1,
        notices_dropped: 1,
        returned: 1,
        ..Counters::default()
    };
    assert_eq!(desk.console.counters(), expected);
}

#[test]
fn refusals_change_nothing() {
    let mut desk = Desk::new();
    desk.says(1, "raised", PRICE);
    desk.says(1, "raised", About { id: "aa02", instrument: Some("MSFT"), ..PRICE });
    assert_eq!(desk.take(2, "ann", "aa"), Err(Refusal::Ambiguous("aa".into())));
    assert_eq!(desk.take(2, "ann", "zz"), Err(Refusal::Unknown("zz".into())));
    assert_eq!(desk.take(2, "ann", ""), Err(Refusal::Unknown(String::new())));
    assert_eq!(desk.shelve(2, Target::Pattern(Pattern::default()), 9), Err(Refusal::NoTarget));
    assert_eq!(desk.shelve(2, id("aa01"), 2), Err(Refusal::BadUntil(31)));
    assert_eq!(desk.shelve(2, id("aa01"), 32 * 86_400), Err(Refusal::BadUntil(31)));
    let empty = Action::Shelve { target: id("aa01"), until_ns: T0 + 9 * S, reason: " ".into() };
    assert_eq!(desk.act(2, "ann", empty), Err(Refusal::NoReason));
    assert_eq!(desk.act(2, "ann", Action::Unshelve { target: id("aa01") }), Err(Refusal::NoShelf));
    assert_eq!(
        desk.act(2, "ann", Action::Acknowledge { target: of_kind("gap"), note: String::new() }),
        Err(Refusal::NoneMatches)
    );
    assert!(desk.told().is_empty() && desk.console.take_journal().is_empty());
}

#[test]
fn after_a_restart_the_journal_and_the_log_give_the_same() {
    let lagging = About { kind: "lagging", severity: "minor", ..PRICE };
    let second = About { id: "bb01", instrument: Some("MSFT"), ..PRICE };
    let third = About { id: "cc01", instrument: Some("IBM"), ..PRICE };
    let log = [line(1, "raised", lagging), line(1, "raised", second), line(1, "raised", third)];
    let mut desk = Desk::new();
    log.iter().for_each(|l| desk.console.on_lines(l));
    desk.take(2, "ann", "aa01").unwrap();
    desk.take(2, "ann", "bb01").unwrap();
    let later = line(3, "escalated", PRICE);
    desk.console.on_lines(&later);
    desk.shelve(4, id("cc01"), 500).unwrap();
    desk.shelve(4, of_kind("gap"), 600).unwrap();
    desk.shelve(4, of_kind("line"), 5).unwrap();
    desk.act(5, "bob", Action::Unshelve { target: of_kind("gap") }).unwrap();
    desk.shelve(6, of_kind("stale"), 700).unwrap();
    desk.advance(10);
    let journal = desk.console.take_journal();
    assert_eq!(journal.iter().filter(|b| **b == b'\n').count(), 7);

    for journal in [journal, desk.console.journal_of_now()] {
        let mut again = Desk::new();
        assert_eq!(again.console.restore(T0 + 10 * S, &journal), 0);
        log.iter().chain([&later]).for_each(|l| again.console.on_lines(l));
        let last = again.told().pop().unwrap();
        assert!(
            last.starts_with("3 ") && last.ends_with(" aa01 major unacknowledged"),
            "worse since taken: {last}"
        );
        let all = Filter { all: true, ..Filter::default() };
        let list = |console: &Console| serde_json::to_string(&console.list(&all).unwrap()).unwrap();
        assert_eq!(list(&again.console), list(&desk.console));
        assert!(again.console.shelves().eq(desk.console.shelves()));
        assert_eq!(again.console.take_journal(), b"", "nothing is recorded twice");
        assert_eq!(again.advance(500), ["500 raised cc01 major unacknowledged"]);
    }
    assert_eq!(Desk::new().console.restore(T0, b"{}\nrubbish\n"), 2);
}

#[test]
fn a_notice_is_a_line_that_reads_back() {
    let mut desk = Desk::new();
    let raw = line(1, "raised", PRICE);
    desk.console.on_lines(&raw);
    let notice = desk.console.take_notices().remove(0).to_line();
    assert_eq!(notice.iter().filter(|b| **b == b'\n').count(), 1);
    let back: Notice = serde_json::from_slice(&notice).unwrap();
    assert_eq!(back.alerts[0].get().as_bytes(), raw.trim_ascii(), "the judge's line to the byte");
    assert_eq!((back.id.as_str(), back.event, back.severity), ("aa01", NoticeEvent::New, Severity::Major));
    let expected = "{\"ts\":\"2026-03-02T14:30:01.000000000Z\",\"event\":\"raised\",\"id\":\"aa01\",\"kind\":\"divergent\",\
                    \"severity\":\"major\",\"state\":\"unacknowledged\",\"instrument\":\"AAPL\",\
                    \"sources\":[\"direct\",\"sip\"],\"count\":1,\"why\":\"divergent aa01\",\"alerts\":[{";
    assert!(String::from_utf8_lossy(&notice).starts_with(expected), "{}", String::from_utf8_lossy(&notice));
}

/// One step of a random life.
#[derive(Debug, Clone)]
enum Step {
    Says(u8, usize, u8),
    Takes(usize),
    Shelves(usize, bool, u8),
    Unshelves(usize, bool),
    Waits(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u8..3, 0usize..8, 0u8..40).prop_map(|(e, i, s)| Step::Says(e, i, s)),
        1 => (0usize..8).prop_map(Step::Takes),
        1 => (0usize..8, any::<bool>(), 1u8..200).prop_map(|(i, p, u)| Step::Shelves(i, p, u)),
        1 => (0usize..8, any::<bool>()).prop_map(|(i, p)| Step::Unshelves(i, p)),
        1 => (0u16..900).prop_map(Step::Waits),
    ]
}

proptest! {
    /// Whatever comes, in whatever order: bounds hold, what is told as raised is not told as raised again while it lasts,
    /// an end is told only of what was told, and everything that is listed can be shown.
    #[test]
    fn any_life_is_orderly(steps in prop::collection::vec(step(), 1..200)) {
        let settings = Settings { open_max: 5, returned_max: 3, history_max: 4, chronic_raised: 2, ..Settings::default() };
        let mut desk = Desk { console: Console::new(settings) };
        let ids = ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7"];
        let about = |i: usize| match i {
            0 => SILENT,
            1 => About { id: "5112", kind: "line", line: Some("B"), severity: "minor", ..SILENT },
            _ => About { id: ids[i], instrument: Some(["A", "B"][i % 2]), ..PRICE },
        };
        let (mut now, mut told) = (1u64, std::collections::BTreeSet::new());
        for step in steps {
            match step {
                Step::Says(event, i, wait) => {
                    now += u64::from(wait);
                    let event = ["raised", "cleared", "escalated"][usize::from(event)];
                    desk.console.on_lines(&line(now, event, about(i)));
                }
                Step::Takes(i) => drop(desk.take(now, "ann", about(i).id)),
                Step::Shelves(i, false, until) => drop(desk.shelve(now, id(about(i).id), now + u64::from(until))),
                Step::Shelves(i, true, until) => drop(desk.shelve(now, of_kind(about(i).kind), now + u64::from(until))),
                Step::Unshelves(i, false) => drop(desk.act(now, "bob", Action::Unshelve { target: id(about(i).id) })),
                Step::Unshelves(i, true) => drop(desk.act(now, "bob", Action::Unshelve { target: of_kind(about(i).kind) })),
                Step::Waits(seconds) => {
                    now += u64::from(seconds);
                    desk.console.advance(T0 + now * S);
                }
            }
            for notice in desk.console.take_notices() {
                match notice.event {
                    NoticeEvent::New | NoticeEvent::ChronicBegan => prop_assert!(told.insert(notice.id)),
                    NoticeEvent::Cleared | NoticeEvent::ChronicEnded => prop_assert!(told.remove(&notice.id)),
                    NoticeEvent::Escalated | NoticeEvent::Reminded => prop_assert!(told.contains(&notice.id)),
                    _ => {}
                }
            }
            let counters = desk.console.counters();
            // A chronic alert comes on top of the one that made it.
            prop_assert!(counters.open <= 2 * 5 && counters.returned <= 3, "{counters:?}");
            for item in desk.console.list(&Filter { all: true, ..Filter::default() }).unwrap() {
                prop_assert!(desk.console.show(&item.id).is_ok(), "{item:?}");
            }
        }
    }
}
