use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;

fn ns(text: &str) -> u64 {
    u64::try_from(text.parse::<jiff::Timestamp>().unwrap().as_nanosecond()).unwrap()
}

fn ids(market: &str, date: Date) -> Vec<String> {
    Book::shipped().on(market, date).map(|row| row.id.clone()).collect()
}

#[test]
fn every_row_has_its_source_and_no_two_hold_at_once() {
    let book = Book::shipped();
    assert!(book.rows().len() > 70, "{} rows: is the book there?", book.rows().len());
    for row in book.rows() {
        assert!(!row.source.document.is_empty() && !row.source.section.is_empty(), "{}", row.id);
        assert!(row.source.url.starts_with("http"), "{} has no address", row.id);
        assert!(
            row.verified || !row.note.is_empty(),
            "{} is not verified and does not say what is missing",
            row.id
        );
        assert!(book.market(&row.market).is_some(), "{}: {} is no market of the book", row.id, row.market);
    }
    for (n, row) in book.rows().iter().enumerate() {
        for other in &book.rows()[n + 1..] {
            assert!(!read::overlap(row, other), "{} overlaps {}", row.id, other.id);
            assert!(row.id != other.id, "{} is there twice", row.id);
        }
    }
}

#[test]
fn a_day_of_2019_and_a_day_of_2026_have_their_own_rules() {
    let old = [
        "us-612",
        "us-lots-before-mdi",
        "us-luld-tier1-2014",
        "us-luld-tier2-2014",
        "xnas-hours",
        "us-days-2019",
        "us-luld-pause",
        "us-mwcb",
        "us-regulatory-halt",
        "us-610d",
        "us-tape-no-odd-lots",
        "cat-industry-member",
        "cat-manual",
        "cat-participant",
        "finra-4590-computer",
        "finra-4590-other",
    ];
    let mut found = ids("XNAS", date(2019, 11, 26));
    found.sort();
    let mut old = old.map(str::to_owned).to_vec();
    old.sort();
    assert_eq!(found, old);
    let new = ids("XNAS", date(2026, 11, 25));
    for id in ["us-612", "us-lots-mdi", "us-luld-tier2-2020", "us-days-2026", "us-610e", "us-tape-bolo"] {
        assert!(new.iter().any(|found| found == id), "{id} of {new:?}");
    }
    assert!(!new.iter().any(|id| id == "us-610e-rescission"), "what is proposed holds on no day");
}

#[test]
fn increments_and_lots_by_price_and_day() {
    let book = Book::shipped();
    let tick =
        |class, price, day| book.tick("XNAS", class, price, day).map(|t| (t.tick_nanos, t.row.id.as_str()));
    let (day, dollar) = (date(2026, 3, 2), 1_000_000_000);
    assert_eq!(tick("", dollar, day), Some((10_000_000, "us-612")));
    assert_eq!(tick("", dollar - 1, day), Some((100_000, "us-612")));
    assert_eq!(tick("", -dollar, day), Some((10_000_000, "us-612")));
    assert_eq!(tick("half-penny", dollar, day), None);
    assert_eq!(tick("half-penny", dollar, date(2026, 11, 3)), Some((5_000_000, "us-612-half-penny-2026")));
    assert_eq!(tick("", dollar, date(2005, 1, 3)), None);
    let lot = |reference: Option<i64>, day| {
        book.round_lot("IEXG", reference.map(|r| r * 10_000_000), day).map(|l| (l.lot, l.assumed))
    };
    let before = date(2025, 10, 31);
    assert_eq!([lot(None, before), lot(Some(99_999_999), before)], [Some((100, false)); 2]);
    let after = date(2025, 11, 3);
    let lots = [25_000, 25_001, 100_000, 100_001, 1_000_000, 1_000_001].map(|cents| lot(Some(cents), after));
    assert_eq!(lots, [100, 40, 40, 10, 10, 1].map(|lot| Some((lot, false))));
    assert_eq!(lot(None, after), Some((100, true)));
    assert_eq!(lot(None, date(2001, 1, 2)), None);
}

#[test]
fn bands_double_by_the_amendment_of_the_day() {
    let book = Book::shipped();
    let bands = |tier, dollars: i64, at: &str| {
        let found = book.bands("XNYS", tier, dollars * 1_000_000_000, 1, ns(at));
        found.map(|b| (b.lower_nanos / 10_000_000, b.upper_nanos / 10_000_000, b.doubled))
    };
    // Before the Eighteenth Amendment: the first 15 and the last 25 minutes.
    assert_eq!(bands("tier-1", 100, "2019-11-26T14:30:00Z"), Some((9_000, 11_000, true)));
    assert_eq!(bands("tier-1", 100, "2019-11-26T14:45:00Z"), Some((9_500, 10_500, false)));
    assert_eq!(bands("tier-2", 100, "2019-11-26T20:35:00Z"), Some((8_000, 12_000, true)));
    assert_eq!(bands("tier-2", 100, "2019-11-26T20:34:59Z"), Some((9_000, 11_000, false)));
    // After it: none at the open, and at the close not for Tier 2 above 3.00.
    assert_eq!(bands("tier-1", 100, "2024-06-03T13:30:00Z"), Some((9_500, 10_500, false)));
    assert_eq!(bands("tier-1", 100, "2024-06-03T19:35:00Z"), Some((9_000, 11_000, true)));
    assert_eq!(bands("tier-2", 100, "2024-06-03T19:35:00Z"), Some((9_000, 11_000, false)));
    assert_eq!(bands("tier-2", 3, "2024-06-03T19:35:00Z"), Some((180, 420, true)));
    // The last 25 minutes before an early close.
    assert_eq!(bands("tier-1", 100, "2024-07-03T16:40:00Z"), Some((9_000, 11_000, true)));
    // No bands before, after, on a holiday, and in the last 15 minutes of 2013.
    for at in ["2024-06-03T13:29:59Z", "2024-06-03T20:00:00Z", "2024-07-04T15:00:00Z", "2013-08-22T19:45:00Z"]
    {
        assert_eq!(bands("tier-1", 100, at), None, "{at}");
    }
    let penny = book.bands("US", "tier-1", 500_000_000, 1, ns("2024-06-03T15:00:00Z"));
    assert!(penny.is_none(), "the jurisdiction itself has no hours");
    let low = book.bands("XNYS", "tier-2", 500_000_000, 1, ns("2024-06-03T15:00:00Z")).unwrap();
    assert_eq!((low.lower_nanos, low.upper_nanos), (350_000_000, 650_000_000), "the lesser of 0.15 and 75 %");
    let leveraged = book.bands("XNYS", "tier-2", 100_000_000_000, 3, ns("2024-06-03T15:00:00Z")).unwrap();
    assert_eq!((leveraged.milli_percent, leveraged.upper_nanos), (30_000, 130_000_000_000));
}

#[test]
fn sessions_of_known_days() {
    let book = Book::shipped();
    let at = |market: &str, at: &str| {
        let session = book.session(market, ns(at));
        format!("{} {}", session.state.name(), session.special)
    };
    let cases = [
        ("XNAS", "2026-03-02T14:30:00Z", "regular "),
        ("XNAS", "2026-03-02T14:29:59.999999999Z", "pre "),
        ("XNAS", "2026-03-02T21:00:00Z", "post "),
        ("XNAS", "2026-03-03T01:00:00Z", "closed "),
        ("XNAS", "2026-03-02T08:59:59Z", "closed "),
        // The change to summer time on 2026-03-08: 13:30 UTC is before the open on Friday, the open on Monday.
        ("XNAS", "2026-03-06T13:30:00Z", "pre "),
        ("XNAS", "2026-03-09T13:30:00Z", "regular "),
        // And back on 2026-11-01.
        ("XNAS", "2026-10-30T20:00:00Z", "post "),
        ("XNAS", "2026-11-02T20:59:59Z", "regular "),
        // 2017-07-03: test data after an early close at 13:00 New York.
        ("XNAS", "2017-07-03T16:59:59Z", "regular day before Independence Day"),
        ("XNAS", "2017-07-03T17:00:00Z", "post day before Independence Day"),
        ("XNAS", "2017-07-03T21:00:00Z", "closed day before Independence Day"),
        ("XNYS", "2017-07-03T17:00:00Z", "closed day before Independence Day"),
        // What follows an early close ended an hour earlier at the NYSE's markets then.
        ("ARCX", "2017-07-03T20:00:00Z", "closed day before Independence Day"),
        ("ARCX", "2026-11-27T21:59:59Z", "post day after Thanksgiving"),
        ("IEXG", "2026-11-26T15:00:00Z", "closed Thanksgiving Day"),
        ("IEXG", "2026-11-28T15:00:00Z", "closed weekend"),
        ("IEXG", "2026-11-27T18:00:00Z", "post day after Thanksgiving"),
        ("XNYS", "2025-01-09T15:00:00Z", "closed National Day of Mourning"),
        ("XNYS", "2026-03-02T12:00:00Z", "order_entry "),
        ("BATS", "2026-03-02T12:00:00Z", "unknown "),
        ("BATS", "2026-03-02T15:00:00Z", "regular "),
        // Years that the book does not have, and places that it does not know.
        ("XNAS", "2028-03-02T15:00:00Z", "unknown "),
        ("XNAS", "1999-03-02T15:00:00Z", "unknown "),
        // Chicago: the week begins on Sunday evening, an hour of every day is for maintenance.
        ("XCME", "2026-03-02T15:00:00Z", "regular "),
        ("XCME", "2026-03-02T21:59:59Z", "regular "),
        ("XCME", "2026-03-02T22:00:00Z", "closed "),
        ("XCME", "2026-03-02T22:59:59Z", "closed "),
        ("XCME", "2026-03-02T23:00:00Z", "regular "),
        ("XCME", "2026-03-06T21:59:59Z", "regular "),
        ("XCME", "2026-03-06T23:30:00Z", "closed "),
        ("XCME", "2026-03-07T15:00:00Z", "closed "),
        ("XCME", "2026-03-08T21:59:59Z", "closed "),
        // Summer time by then.
        ("XCME", "2026-03-08T22:00:00Z", "regular "),
        // On a holiday of the stock market, and the evening before, the hours are others.
        ("XCME", "2026-11-25T21:00:00Z", "regular "),
        ("XCME", "2026-11-25T23:30:00Z", "unknown "),
        ("XCME", "2026-11-26T15:00:00Z", "unknown Thanksgiving Day"),
        ("XCME", "2016-11-12T14:30:00Z", "closed "),
        ("XCME", "2014-03-03T15:00:00Z", "unknown "),
        ("NONE", "2026-03-02T15:00:00Z", "unknown "),
    ];
    for (market, time, wanted) in cases {
        assert_eq!(at(market, time), wanted, "{market} {time}");
    }
    let end = book.session("XNAS", u64::MAX);
    assert!(end.until_ns >= end.from_ns);
}

#[test]
fn a_week_of_trading_is_said_in_order() {
    let row = |week: &str| {
        let row = "id = \"w\"\nmarket = \"XCME\"\nclass = \"x\"\nvalid_from = 2026-01-01\nverified = true\nsource = { document = \"d\", section = \"s\", seen = 2026-01-01 }\n";
        Book::with_text("x.toml", &format!("[[hours]]\n{row}{week}\n")).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(
        row("week = [\"Sun 17:00 - Mon 16:00\", \"Mon 17:00 - Sat 24:00\"]").unwrap_err(),
        "x.toml:8: `Mon 17:00 - Sat 24:00` is no stretch of a week, such as \"Sun 17:00 - Mon 16:00\""
    );
    assert_eq!(
        row("week = [\"Mon 17:00 - Tue 16:00\", \"Tue 15:00 - Wed 16:00\"]").unwrap_err(),
        "x.toml:8: `Tue 15:00 - Wed 16:00` does not come after what stands before it in the week"
    );
    assert_eq!(
        row("week = [\"Fri 17:00 - Mon 16:00\"]").unwrap_err(),
        "x.toml:8: `Fri 17:00 - Mon 16:00` does not come after what stands before it in the week"
    );
    assert!(
        row("week = [\"Mon 17:00 - Tue 16:00\"]\nregular = [\"09:30\", \"16:00\"]")
            .unwrap_err()
            .contains("`week` says all of the hours")
    );
    assert!(row("week = []").unwrap_err().contains("the row needs `regular = "));
    assert_eq!(row("week = [\"Mon 17:00 - Tue 16:00\", \"Tue 17:00 - Sat 23:59\"]"), Ok(()));
}

#[test]
fn what_a_day_is_made_of_adds_up() {
    let book = Book::shipped();
    let hour = 3_600_000_000_000u64;
    let day = book.sessions_between("XNAS", ns("2026-03-02T05:00:00Z"), ns("2026-03-03T05:00:00Z"));
    let hours: Vec<(&str, u64)> = day.iter().map(|(state, ns)| (state.name(), ns * 2 / hour)).collect();
    assert_eq!(hours, [("closed", 16), ("pre", 11), ("regular", 13), ("post", 8)]);
    let days = book.sessions_between("XNAS", ns("2026-03-06T05:00:00Z"), ns("2026-03-09T04:00:00Z"));
    assert_eq!(
        days.iter().map(|(_, ns)| ns).sum::<u64>(),
        71 * hour,
        "a weekend with the change to summer time"
    );
}

#[test]
fn clocks_by_rule_and_day() {
    let book = Book::shipped();
    let tolerance =
        |market, class, day| book.clock_tolerance(market, class, day).map(|(clock, _)| clock.tolerance_ns);
    let (day, ms) = (date(2026, 11, 25), 1_000_000);
    assert_eq!(tolerance("US", "finra-4590", date(2017, 2, 19)), Some(1000 * ms));
    assert_eq!(tolerance("US", "finra-4590", date(2017, 2, 20)), Some(50 * ms));
    assert_eq!(tolerance("XNAS", "cat-industry-member", day), Some(50 * ms));
    assert_eq!(tolerance("US", "cat-participant", day), Some(100_000));
    assert_eq!(tolerance("EU", "rts25-hft", date(2019, 1, 2)), Some(100_000));
    let (_, repealed) = book.clock_tolerance("EU", "rts25-hft", day).unwrap();
    assert!(!repealed.verified, "what follows 2017/574 was not seen");
    assert_eq!(tolerance("GB", "rts25-venue", day), Some(ms));
    assert_eq!(book.clocks_on(day).count(), 15);
}

const MINE: &str = r#"
[[round_lot]]
id = "mine"
market = "US"
valid_from = 2026-01-01
valid_until = 2026-07-01
tiers = [{ lot = 10 }]
verified = false
note = "our desk's"
source = { document = "memo", section = "1", seen = 2026-01-02 }
"#;

#[test]
fn a_file_of_the_user_holds_on_its_days() {
    let book = Book::with_text("my.toml", MINE).unwrap();
    let lot =
        |day| book.round_lot("XNAS", None, day).map(|l| (l.lot, l.row.id.clone(), l.row.place.0.clone()));
    let shipped = Some((100, "us-lots-mdi".to_owned(), "lots.toml".to_owned()));
    assert_eq!(lot(date(2025, 12, 31)), shipped);
    assert_eq!(lot(date(2026, 6, 30)), Some((10, "mine".to_owned(), "my.toml".to_owned())));
    assert_eq!(lot(date(2026, 7, 1)), shipped);
    assert_eq!(book.name(), "my.toml over shipped");
}

#[test]
fn mistakes_have_file_line_key_and_what_would_be_right() {
    let cases = [
        (MINE.replace("verified = false\n", ""), "my.toml:2: row `mine` needs `verified = true` or `false`"),
        (MINE.replace("tiers = [{ lot = 10 }]", "tires = [{ lot = 10 }]"), "needs `tiers = "),
        (
            MINE.replace("note =", "noet ="),
            "my.toml:9: unknown key `noet` in [[round_lot]]; did you mean `note`?",
        ),
        (MINE.replace("2026-07-01", "2025-07-01"), "my.toml:6: `valid_until = 2025-07-01` is not after"),
        (MINE.replace("2026-07-01", "07/01/2026"), "my.toml:"),
        (
            MINE.replace("valid_from = 2026-01-01", "valid_from = \"soon\""),
            "my.toml:5: `valid_from = soon` is no day",
        ),
        (MINE.replace("lot = 10", "lot = 0"), "my.toml:7: a tier needs `lot = 100`"),
        (MINE.replace("source =", "sauce ="), "my.toml:2: row `mine` needs `source = "),
        (MINE.replace(", seen = 2026-01-02", ""), "needs `seen = "),
        (MINE.replace("[[round_lot]]", "[[roundlot]]"), "unknown key `roundlot`"),
        (format!("{MINE}{MINE}"), "my.toml:13: id `mine` is taken by line 3"),
        (
            format!("{MINE}{}", MINE.replace("\"mine\"", "\"other\"")),
            "my.toml:13: row `other` (from 2026-01-01 until 2026-07-01) overlaps row `mine` of line 3",
        ),
        (
            "[[market]]\nname = \"X\"\nzone = \"Mars/Base\"\njurisdiction = \"M\"".to_owned(),
            "my.toml:3: `zone = \"Mars/Base\"` is no time zone",
        ),
        (
            MINE.replace("valid_from = 2026-01-01\n", "status = \"proposed\"\n"),
            "what is only proposed holds on no day",
        ),
    ];
    for (text, wanted) in cases {
        let error = Book::with_text("my.toml", &text).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}\n  wanted: {wanted}");
    }
}

proptest! {
    /// On any day, a key has at most one row, and once a kind of the US has begun it never stops having one.
    #[test]
    fn one_row_a_day(days in 0i64..7300) {
        let book = Book::shipped();
        let day = date(2013, 9, 3).saturating_add(jiff::Span::new().days(days));
        for row in book.rows().iter().filter(|row| row.holds_on(day)) {
            let same = book.rows().iter().filter(|o| o.same_key(row) && o.holds_on(day)).count();
            prop_assert_eq!(same, 1, "{} on {}", &row.id, day);
        }
        for (kind, class) in [
            (Kind::Tick, ""),
            (Kind::RoundLot, ""),
            (Kind::PriceBand, "tier-1"),
            (Kind::PriceBand, "tier-2"),
            (Kind::Hours, ""),
            (Kind::LockedCrossed, ""),
            (Kind::OddLots, ""),
            (Kind::Clock, "finra-4590"),
        ] {
            prop_assert!(book.find(kind, "XNAS", class, day).is_some(), "{} {} on {}", kind.name(), class, day);
        }
    }

    /// A session holds the moment that was asked for, and its neighbour begins where it ends.
    #[test]
    fn sessions_follow_each_other(at in 1_356_998_400_000_000_000u64..1_830_297_600_000_000_000) {
        let book = Book::shipped();
        for market in ["XNAS", "XNYS", "BATS", "XCME", "IFEU"] {
            let session = book.session(market, at);
            prop_assert!(session.from_ns <= at && at < session.until_ns);
            prop_assert_eq!(book.session(market, session.until_ns - 1).state, session.state);
        }
    }

    /// A row of the shipped book with something of it changed is a book or an error with a line of it, and a book answers.
    #[test]
    fn a_damaged_row_is_answered(row in 0usize..1_000, at in any::<prop::sample::Index>(), with in "[ -~\n]{0,6}", cut in 0usize..6, ts in any::<u64>()) {
        let text: String = SHIPPED.iter().map(|(_, text)| *text).collect::<Vec<_>>().join("\n\n");
        let rows: Vec<&str> = text.split("\n\n").filter(|row| row.starts_with("[[")).collect();
        let row = rows[row % rows.len()];
        let at = at.index(row.len());
        let (Some(before), Some(behind)) = (row.get(..at), row.get((at + cut).min(row.len())..)) else { return Ok(()) };
        let damaged = format!("{before}{with}{behind}");
        match Book::with_text("x.toml", &damaged) {
            Err(error) => prop_assert!((1..=damaged.lines().count() + 1).contains(&error.line), "{}", error),
            Ok(book) => {
                for market in book.markets() {
                    let session = book.session(&market.name, ts);
                    prop_assert!(session.from_ns <= ts && ts < session.until_ns || ts == u64::MAX);
                }
                book.rows().iter().for_each(|row| drop(row.facts()));
            }
        }
    }

    /// Any text is a book or an error with a place.
    #[test]
    fn any_text_is_answered(text in ".{0,200}") {
        if let Err(error) = Book::with_text("x.toml", &text) {
            prop_assert!(error.to_string().starts_with("x.toml:"));
        }
    }
}
