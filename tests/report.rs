//! `parallax report` end to end: its figures are those that SQL gives and that the simulated captures are known to have,
//! days begin where they should, and no data is not 100 %.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use parallax::report::{QUERIES, Range};
use rusqlite::types::Value;

const DAY_NS: i64 = 86_400_000_000_000;
/// 2026-03-02, midnight UTC: the day of the demo's captures.
const DEMO_DAY: i64 = 1_772_409_600_000_000_000;

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    /// With a store of one replay of the demo.
    fn of_the_demo() -> Desk {
        let desk = Desk::new();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/demo");
        let mut command = parallax("replay");
        command.arg("--store").arg(desk.path("store.db")).arg("--config").arg(demo.join("parallax.toml"));
        let captures = ["itch_a", "itch_b", "sip"].map(|name| demo.join(format!("{name}.pcap.zst")));
        let done = command.args(captures).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ask(&self, arguments: &[&str]) -> Output {
        parallax("report").arg("--store").arg(self.path("store.db")).args(arguments).output().unwrap()
    }

    fn report(&self, arguments: &[&str]) -> String {
        let done = self.ask(arguments);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// The tables as CSV, by name: header and rows.
    fn tables(&self, arguments: &[&str]) -> Vec<(String, Vec<Vec<String>>)> {
        let folder = self.path("tables");
        self.report(&[arguments, &["--csv", folder.to_str().unwrap()]].concat());
        let read = |name: &str| {
            let file = folder.join(format!("{name}.csv"));
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(file).unwrap();
            let rows = reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect());
            (name.to_owned(), rows.collect())
        };
        QUERIES.iter().map(|query| read(query.name)).collect()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let done = self.ask(arguments);
        assert_eq!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(done.stderr).unwrap()
    }
}

fn parallax(command: &str) -> Command {
    let mut binary = Command::new(env!("CARGO_BIN_EXE_parallax"));
    binary.arg(command);
    binary
}

/// A row of a table by its first cells, as (column, value).
fn row<'t>(
    tables: &'t [(String, Vec<Vec<String>>)],
    table: &str,
    first: &[&str],
) -> impl Fn(&str) -> &'t str + use<'t> {
    let (_, rows) = tables.iter().find(|(name, _)| name == table).unwrap();
    let found =
        rows.iter().find(|row| row.iter().zip(first).all(|(a, b)| a == b) && row.len() >= first.len());
    let found = found.unwrap_or_else(|| panic!("{table} has no row {first:?}: {rows:?}"));
    move |column| {
        let at =
            rows[0].iter().position(|name| name == column).unwrap_or_else(|| panic!("no column {column}"));
        &found[at]
    }
}

#[test]
fn the_demo_has_the_figures_that_its_scenario_gives_it() {
    let desk = Desk::of_the_demo();
    let tables = desk.tables(&["--day", "2026-03-02"]);
    let gaps = row(&tables, "gaps", &["sip"]);
    assert_eq!((gaps("gaps"), gaps("messages_missing"), gaps("unrecovered")), ("1", "2", "2"));
    let line = |name| row(&tables, "lines", &["direct", "tv1", name]);
    assert_eq!((line("B")("messages_lost"), line("A")("messages_lost")), ("4", "0"));
    assert_eq!((line("A")("messages_only_here"), line("B")("messages_only_here")), ("4", "0"));
    let pair = row(&tables, "agreement", &["direct", "sip"]);
    assert_eq!((pair("agree_ppm"), pair("matched"), pair("first_led")), ("996342", "220", "220"));
    // As `replay` and `latency` tell it of the same captures.
    let lines = row(&tables, "latency", &["lines", "direct/tv1", "A", "B"]);
    assert_eq!((lines("count"), lines("negative")), ("5214", "398"));
    let alerts: u64 = tables.iter().find(|(name, _)| name == "alerts").unwrap().1[1..]
        .iter()
        .map(|row| row[3].parse::<u64>().unwrap())
        .sum();
    assert_eq!(alerts, 8);
    assert_eq!(row(&tables, "suppressed", &["divergent", "gap"])("count"), "3");
    let said = desk.report(&[]);
    for sentence in [
        "sip: available all 6.01s watched; one gap, 2 messages, 2 of them unrecovered.",
        "direct/tv1: line B could be cancelled first: it would have cost no message, and 398 packets would have come later",
        "without A 4 messages would be missing",
        "This machine's clock was not watched in this time",
    ] {
        assert!(said.contains(sentence), "{said}");
    }
}

#[test]
fn figures_are_those_that_sql_gives() {
    let desk = Desk::of_the_demo();
    let store = parallax::store::open_read(&desk.path("store.db")).unwrap();
    for (from, to) in
        [("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"), ("2026-03-02T14:30:00Z", "2026-03-02T14:31:00Z")]
    {
        let tables = desk.tables(&["--from", from, "--to", to]);
        let all = desk.report(&["--from", from, "--to", to, "--show-sql", "all"]);
        for (name, rows) in &tables {
            let one = desk.report(&["--from", from, "--to", to, "--show-sql", name]);
            assert!(all.contains(&one), "{one}");
            let mut statement = store.prepare(&one).unwrap();
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let width = columns.len();
            let text = |value: Value| match value {
                Value::Null => String::new(),
                Value::Integer(n) => n.to_string(),
                Value::Text(text) => text,
                other => panic!("{name}: {other:?} is neither a whole number nor text"),
            };
            let asked = statement
                .query_map([], |row| (0..width).map(|at| Ok(text(row.get(at)?))).collect())
                .unwrap()
                .map(|row: rusqlite::Result<Vec<String>>| row.unwrap());
            let mut expected = vec![columns];
            expected.extend(asked);
            assert_eq!(rows, &expected, "{name}");
        }
    }
}

#[test]
fn days_by_day_and_by_interval_are_the_same() {
    let desk = Desk::of_the_demo();
    let whole = desk.tables(&["--from", "2026-03-02T00:00:00Z", "--to", "2026-03-03T00:00:00Z"]);
    // One minute less has no whole day: all from intervals.
    let most = desk.tables(&["--from", "2026-03-02T00:01:00Z", "--to", "2026-03-03T00:00:00Z"]);
    for ((name, a), (_, b)) in whole.iter().zip(&most) {
        if name != "timeline" {
            assert_eq!(a, b, "{name}");
        }
    }
}

#[test]
fn days_begin_where_the_zone_says() {
    let desk = Desk::of_the_demo();
    // 14:30 UTC is 04:30 of the next day on Kiritimati, and half past nine in New York.
    let far = ["--zone", "Pacific/Kiritimati", "--day"];
    let nothing = desk.report(&[&far[..], &["2026-03-02"]].concat());
    assert!(
        nothing.starts_with("Nothing to report from 2026-03-01T10:00:00Z to 2026-03-02T10:00:00Z"),
        "{nothing}"
    );
    assert!(desk.report(&[&far[..], &["2026-03-03"]].concat()).contains("| sip | q1 |"));
    let york = desk.report(&["--zone", "America/New_York", "--day", "2026-03-02"]);
    assert!(york.starts_with("# Feeds from 2026-03-02 05:00:00 to 2026-03-03 05:00:00 UTC"), "{york}");
    // The clocks of New York go forward in this week: an hour is missing.
    let week = desk.report(&["--zone", "America/New_York", "--week", "2026-03-04"]);
    assert!(week.starts_with("# Feeds from 2026-03-02 05:00:00 to 2026-03-09 04:00:00 UTC"), "{week}");
    let default = desk.report(&[]);
    assert!(default.starts_with("# Feeds on 2026-03-02 (UTC)"), "{default}");
}

#[test]
fn the_page_loads_nothing_and_every_form_is_the_same_every_time() {
    let desk = Desk::of_the_demo();
    let once = |name: &str| {
        let (page, text) = (desk.path(&format!("{name}.html")), desk.path(&format!("{name}.md")));
        desk.report(&["--html", page.to_str().unwrap(), "--markdown", text.to_str().unwrap()]);
        (std::fs::read_to_string(page).unwrap(), std::fs::read_to_string(text).unwrap())
    };
    let (page, text) = once("one");
    assert_eq!((page.clone(), text.clone()), once("two"));
    for load in ["http:", "https:", "<script", "<link", "<img", "@import", "url("] {
        assert!(!page.contains(load), "the page loads something: {load}");
    }
    for tag in ["table", "section", "figure", "svg", "ul", "li", "tr", "td", "p"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    for figure in ["99.6342", "one gap, 2 messages", "92.3725"] {
        assert!(page.contains(figure) && text.contains(figure), "{figure}");
    }
}

/// A store made by hand: one source that was watched for a minute.
fn store_by_hand(desk: &Desk, more: &str) {
    store_from(desk, DEMO_DAY, DEMO_DAY + 60_000_000_000, more);
}

/// The same, of a run over another time.
fn store_from(desk: &Desk, from: i64, until: i64, more: &str) {
    let store = parallax::store::open_write(&desk.path("store.db")).unwrap();
    let day = from - from.rem_euclid(DAY_NS);
    store
        .connection
        .execute_batch(&format!(
            "INSERT INTO run (run, kind, state, version, command, folder, config_path, config, config_hash, interval_ns,
                began_ns, from_ns, until_ns)
            VALUES (1, 'live', 'complete', '0', '', '', '', '', '', 60000000000, {from}, {from}, {until});
            INSERT OR IGNORE INTO source VALUES (0, ''); INSERT INTO source VALUES (1, 'a|b<i>');
            INSERT INTO run_source VALUES (1, 1, 0, 'utp-uqdf', NULL);
            INSERT INTO watch_interval VALUES ({from}, 1, 60000000000);
            INSERT INTO watch_day VALUES ({day}, 1, 60000000000);
            {more}"
        ))
        .unwrap();
}

#[test]
fn no_data_is_not_available() {
    let desk = Desk::new();
    store_by_hand(&desk, "");
    let page = desk.path("page.html");
    let said = desk.report(&["--html", page.to_str().unwrap(), "--markdown", "-"]);
    assert!(said.contains("no data in 60.0s of watching; that is not the same as available"), "{said}");
    assert!(said.contains("| a\\|b\\<i> | 60.0s | no data |"), "{said}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("a|b&lt;i&gt;") && !page.contains("<i>"), "{page}");
    assert!(!page.contains("100.0000"), "{page}");
}

#[test]
fn clock_events_are_logged_against_the_rule() {
    let desk = Desk::new();
    let look = |second: i64, synchronised: u8, offset: i64, error: i64| {
        let ts = DEMO_DAY + second * 1_000_000_000;
        format!("INSERT INTO host_clock VALUES (1, {ts}, {synchronised}, {offset}, {error}, {error}, 0);")
    };
    let ms = 1_000_000;
    let looks = [
        look(1, 1, 0, ms),
        look(2, 1, -ms, ms),
        look(3, 1, 30 * ms, 30 * ms),
        look(4, 1, 0, ms),
        look(5, 0, 0, ms),
        look(6, 0, 0, ms),
        look(7, 1, 0, ms),
    ];
    store_by_hand(&desk, &looks.concat());
    let events = |rule: &str| -> Vec<(String, String)> {
        let tables = desk.tables(&["--clock-rule", rule]);
        let (_, rows) = tables.into_iter().find(|(name, _)| name == "clock_log").unwrap();
        let second = |row: &Vec<String>| (row[0].parse::<i64>().unwrap() - DEMO_DAY) / 1_000_000_000;
        rows[1..].iter().map(|row| (format!("{} {}", second(row), row[5]), row[6].clone())).collect()
    };
    let expected = [
        ("1 first look: synchronised", "yes"),
        ("3 out of tolerance", "no"),
        ("4 back in tolerance", "yes"),
        ("5 synchronisation lost", "no"),
        ("7 synchronised", "yes"),
    ];
    let expected: Vec<(String, String)> = expected.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
    assert_eq!(events("finra-4590"), expected);
    // A hundred microseconds are never held.
    assert!(events("rts-25").iter().all(|(_, within)| within == "no"));
    let said = desk.report(&[]);
    assert!(
        said.contains("Clock of this machine by finra-4590: out of tolerance (50.0ms) at 3 looks, 7 looks"),
        "{said}"
    );
}

/// A look at the machine's clock.
fn look(ts: i64, offset_ns: i64) -> String {
    format!("INSERT INTO host_clock VALUES (1, {ts}, 1, {offset_ns}, 0, 0, 0);")
}

#[test]
fn every_look_is_judged_by_the_rule_of_its_day() {
    const HOUR: i64 = 3_600_000_000_000;
    // 2017-02-20, midnight in New York: a second until then, 50 ms from there on.
    let change = 1_487_566_800_000_000_000;
    let desk = Desk::new();
    let looks: String = (-3..3).map(|nth| look(change + nth * HOUR, 60_000_000)).collect();
    store_from(&desk, change - 3 * HOUR, change + 3 * HOUR, &looks);
    let tables = desk.tables(&["--from", "2017-02-19T00:00:00Z", "--to", "2017-02-21T00:00:00Z"]);
    let by = |rule: &str| {
        let (_, rows) = tables.iter().find(|(name, _)| name == "host_clock").unwrap();
        let at = |name: &str| rows[0].iter().position(|column| column == name).unwrap();
        let row = rows.iter().find(|row| row[at("rule")] == rule).unwrap();
        ["tolerance_ns", "looks", "out_of_tolerance"].map(|name| row[at(name)].clone())
    };
    assert_eq!(by("finra-before-4590"), ["1000000000", "3", "0"]);
    assert_eq!(by("finra-4590-computer"), ["50000000", "3", "3"]);
    let (_, log) = tables.iter().find(|(name, _)| name == "clock_log").unwrap();
    let told: Vec<[&str; 3]> = log[1..].iter().map(|row| [row[5].as_str(), &row[6], &row[7]]).collect();
    assert_eq!(
        told,
        [
            ["first look: synchronised", "yes", "finra-before-4590"],
            ["first look by this rule", "no", "finra-4590-computer"],
        ]
    );
    let said = desk.report(&["--from", "2017-02-19T00:00:00Z", "--to", "2017-02-21T00:00:00Z"]);
    for sentence in [
        "- The clock rule changes in this time: finra-4590: finra-before-4590 (1.00s) from 2011-01-01 until 2017-02-20, finra-4590-computer (50.0ms) from 2017-02-20. Every look",
        "by finra-4590, row finra-4590-computer: out of tolerance (50.0ms) at 3 looks, 3 looks from",
        "\nClock rule finra-4590 (1.00s), finra-before-4590 from 2011-01-01 until 2017-02-20: ",
    ] {
        assert!(said.contains(sentence), "{said}");
    }
    // A day on which one row holds is told as ever, the other one is not in it.
    let after = desk.report(&["--day", "2017-02-21"]);
    assert!(after.starts_with("Nothing to report"), "{after}");
    let before = desk.report(&["--from", "2017-02-19T00:00:00Z", "--to", "2017-02-20T05:00:00Z"]);
    assert!(before.contains("by finra-4590: within 1.00s at every look, 3 looks"), "{before}");
    assert!(!before.contains("finra-4590-computer"), "{before}");
}

#[test]
fn what_no_row_covers_is_judged_by_none() {
    const HOUR: i64 = 3_600_000_000_000;
    // 2026-03-02, midnight in Paris, from where on (EU) 2025/1155 names who publishes.
    let change = DEMO_DAY - HOUR;
    let desk = Desk::new();
    let looks: String = (-2..2).map(|nth| look(change + nth * HOUR, 2_000_000)).collect();
    store_from(&desk, change - 2 * HOUR, change + 2 * HOUR, &looks);
    let ask = |rule: &'static str| {
        let range = ["--from", "2026-03-01T00:00:00Z", "--to", "2026-03-02T12:00:00Z", "--clock-rule", rule];
        (desk.report(&range), desk.tables(&range))
    };
    let (said, tables) = ask("rts25-dpe");
    let none = row(&tables, "host_clock", &["", "", "", ""]);
    assert_eq!((none("looks"), none("out_of_tolerance")), ("2", ""));
    let some = row(&tables, "host_clock", &["", "", "eu-rts25-dpe-2026"]);
    assert_eq!((some("looks"), some("out_of_tolerance")), ("2", "2"));
    assert!(
        said.contains("The rule book has no row of rts25-dpe before 2026-03-02: looks of these"),
        "{said}"
    );
    assert!(
        said.contains("judged by no rule, the rule book has none of rts25-dpe for this time, 2 looks"),
        "{said}"
    );
    // The repealed and its successor, each in its days.
    let (said, tables) = ask("rts-25");
    for rule in ["eu-rts25-hft", "eu-rts25-hft-2026"] {
        assert_eq!(row(&tables, "host_clock", &["", "", rule])("looks"), "2");
    }
    assert!(said.contains("eu-rts25-hft (100us) from 2018-01-03 until 2026-03-02, eu-rts25-hft-2026 (100us) from 2026-03-02."), "{said}");
    let (said, _) = ask("gb/rts25-hft");
    assert!(said.contains("Clock rule GB/rts25-hft (100us), gb-rts25-hft from 2021-01-01: "), "{said}");
    let sooner =
        ["--from", "2026-03-01T00:00:00Z", "--to", "2026-03-01T22:00:00Z", "--clock-rule", "rts25-dpe"];
    let sentence = desk.refused(&sooner);
    assert!(
        sentence.contains(
            "--clock-rule rts25-dpe holds from 2026-03-02 on by the rule book, and these data end before that"
        ),
        "{sentence}"
    );
}

#[test]
fn data_older_than_the_default_rule_are_reported_without_one() {
    let desk = Desk::new();
    store_from(&desk, 0, 60_000_000_000, "");
    desk.refused(&["--clock-rule", "finra-4590"]);
    let said = desk.report(&["--day", "1970-01-01"]);
    assert!(said.contains("so nothing is said about the tolerance of any rule."), "{said}");
    assert!(!said.contains("Clock rule"), "{said}");
}

#[test]
fn what_cannot_be_reported_gets_one_sentence() {
    let desk = Desk::of_the_demo();
    assert!(
        desk.refused(&["--day", "yesterday"]).contains("--day yesterday is no date between 1970 and 2262")
    );
    assert!(desk.refused(&["--zone", "Mars/North"]).contains("--zone Mars/North is no time zone"));
    let backwards = ["--from", "2026-03-03T00:00:00Z", "--to", "2026-03-02T00:00:00Z"];
    assert!(desk.refused(&backwards).contains("is not before --to"));
    let within_a_minute = ["--from", "2026-03-02T14:30:05Z", "--to", "2026-03-02T14:30:01Z"];
    assert!(desk.refused(&within_a_minute).contains("is not before --to"));
    // A range from long before the data is held to the rule of the data's days.
    let all = desk.report(&["--from", "1970-01-01T00:00:00Z", "--to", "2200-01-01T00:00:00Z"]);
    assert!(
        all.contains("Clock rule finra-4590 (50.0ms), finra-4590-computer from 2017-02-20: ")
            && all.contains("To be kept: the times"),
        "{all}"
    );
    std::fs::create_dir(desk.path("folder")).unwrap();
    let folder = desk.path("folder");
    let done = parallax("report").arg("--store").arg(&folder).output().unwrap();
    let sentence = String::from_utf8(done.stderr).unwrap();
    assert!(
        done.status.code() == Some(2) && sentence.contains("is a folder; name the file in it"),
        "{sentence}"
    );
    assert!(desk.refused(&["--clock-rule", "none"]).contains("such are cat-industry-member"));
    assert!(desk.refused(&["--show-sql", "x"]).contains("is no table; tables are sources, gaps"));
    assert!(desk.refused(&["--html", "/no/such/folder/x.html"]).contains("cannot be written"));
    assert!(desk.refused(&["--from", "2300-01-01T00:00:00Z"]).contains("is no RFC 3339 time"));
    let foreign = Desk::new();
    std::fs::write(foreign.path("store.db"), "no database").unwrap();
    assert_eq!(foreign.refused(&[]).lines().count(), 1);
    assert!(Desk::new().refused(&[]).contains("is not there"));
    assert!(desk.report(&["--day", "2020-01-01"]).starts_with("Nothing to report from 2020-01-01T00:00:00Z"));
    assert!(Range::new(DAY_NS, DAY_NS).is_none());
}
