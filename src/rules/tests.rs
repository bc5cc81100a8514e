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
fn every_participant_of_a_feed_is_a_market_of_the_book() {
    let book = Book::shipped();
    let named = feeds::ALL.iter().flat_map(|feed| {
        let info = feed.info();
        info.participants.iter().map(|(_, mic)| *mic).chain([info.venue]).filter(|mic| !mic.is_empty())
    });
    let mut count = 0;
    for mic in named {
        let market = book.market(mic).unwrap_or_else(|| panic!("{mic} is no market of the book"));
        assert!(identifiers::mic(mic).is_ok() && !market.title.is_empty(), "{mic}");
        count += 1;
    }
    assert!(count > 20, "{count}");
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
    assert_eq!(
        tick("half-penny", dollar, date(2026, 11, 3)),
        None,
        "the compliance date was moved by a year"
    );
    assert_eq!(tick("half-penny", dollar, date(2027, 10, 31)), None);
    assert_eq!(tick("half-penny", dollar, date(2027, 11, 1)), Some((5_000_000, "us-612-half-penny")));
    assert_eq!(tick("half-penny", dollar - 1, date(2027, 11, 1)), Some((100_000, "us-612-half-penny")));
    assert_eq!(tick("", dollar, date(2027, 11, 1)), Some((10_000_000, "us-612")));
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
        let of = Banded { tier, previous_close_nanos: None, leverage: 1 };
        let found = book.bands("XNYS", of, dollars * 1_000_000_000, ns(at));
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
    // The day before the amendment, and its day.
    assert_eq!(bands("tier-2", 100, "2020-02-21T14:44:59Z"), Some((8_000, 12_000, true)));
    assert_eq!(bands("tier-2", 100, "2020-02-24T14:44:59Z"), Some((9_000, 11_000, false)));
    assert_eq!(bands("tier-2", 100, "2020-02-21T20:35:00Z"), Some((8_000, 12_000, true)));
    assert_eq!(bands("tier-2", 100, "2020-02-24T20:35:00Z"), Some((9_000, 11_000, false)));
    // Before 2014-02-24 there were none in the last 15 minutes, and the last 25 minutes were doubled up to them.
    assert_eq!(bands("tier-1", 100, "2014-02-21T20:44:59Z"), Some((9_000, 11_000, true)));
    assert_eq!(bands("tier-1", 100, "2014-02-21T20:45:00Z"), None);
    assert_eq!(bands("tier-1", 100, "2014-02-24T20:45:00Z"), Some((9_000, 11_000, true)));
}

#[test]
fn the_close_of_the_day_before_says_which_percentage_holds() {
    let book = Book::shipped();
    let bands = |market: &str, tier, close: Option<i64>, leverage, reference: i64| {
        let of = Banded { tier, previous_close_nanos: close, leverage };
        book.bands(market, of, reference, ns("2024-06-03T15:00:00Z"))
            .map(|b| (b.lower_nanos, b.upper_nanos, b.milli_percent, b.assumed))
    };
    let dollars = 1_000_000_000;
    // The jurisdiction keeps the hours of its tape.
    assert_eq!(
        bands("US", "tier-1", None, 1, 100 * dollars),
        bands("XNYS", "tier-1", None, 1, 100 * dollars)
    );
    let low = Some((350_000_000, 650_000_000, 75_000, true));
    assert_eq!(bands("XNYS", "tier-2", None, 1, dollars / 2), low, "the lesser of 0.15 and 75 %");
    assert_eq!(
        bands("XNYS", "tier-2", None, 3, 100 * dollars),
        Some((70 * dollars, 130 * dollars, 30_000, true))
    );
    // It closed at 2.90 and trades at 4.00: 20 % all day; it closed at 3.10 and trades at 2.50: 10 %.
    let wide = Some((3_200_000_000, 4_800_000_000, 20_000, false));
    assert_eq!(bands("XNYS", "tier-2", Some(2_900_000_000), 1, 4 * dollars), wide);
    let narrow = Some((2_250_000_000, 2_750_000_000, 10_000, false));
    assert_eq!(bands("XNYS", "tier-2", Some(3_100_000_000), 1, 2_500_000_000), narrow);
    let at_the_limit = Some((2_400_000_000, 3_600_000_000, 20_000, false));
    assert_eq!(bands("XNYS", "tier-2", Some(3 * dollars), 1, 3 * dollars), at_the_limit);
}

/// Each change of rule of the US market: kind and class, the last day of the old row, the first of the new one.
#[test]
fn each_change_of_rule_has_a_last_day_and_a_first_one() {
    let book = Book::shipped();
    let changes = [
        (Kind::RoundLot, "", date(2025, 11, 3), "us-lots-before-mdi", "us-lots-mdi"),
        (Kind::OddLots, "", date(2026, 4, 27), "us-tape-no-odd-lots", "us-tape-bolo"),
        (Kind::OddLots, "", date(2028, 5, 1), "us-tape-bolo", "us-tape-odd-lot-depth"),
        (Kind::LockedCrossed, "", date(2024, 12, 9), "us-610d", "us-610e"),
        (Kind::PriceBand, "tier-1", date(2014, 2, 24), "us-luld-tier1-2013", "us-luld-tier1-2014"),
        (Kind::PriceBand, "tier-2", date(2020, 2, 24), "us-luld-tier2-2014", "us-luld-tier2-2020"),
        (Kind::Halts, "regulatory-halt", date(2021, 5, 28), "us-regulatory-halt", "us-regulatory-halt-2021"),
        (Kind::Clock, "finra-4590", date(2017, 2, 20), "finra-before-4590", "finra-4590-computer"),
        (Kind::Calendar, "", date(2026, 1, 1), "us-days-2025", "us-days-2026"),
        (Kind::Hours, "", date(2013, 3, 18), "xnas-hours-2013", "xnas-hours-2013-03"),
        (Kind::Hours, "", date(2013, 4, 1), "xnas-hours-2013-03", "xnas-hours"),
        (Kind::Hours, "", date(2026, 12, 6), "xnas-hours", "xnas-hours-night"),
        (Kind::Tick, "half-penny", date(2027, 11, 1), "", "us-612-half-penny"),
        (Kind::Tick, "tick-pilot-test-group", date(2016, 10, 3), "", "us-pilot-2016"),
        (Kind::Tick, "tick-pilot-test-group", date(2018, 10, 1), "us-pilot-2016", ""),
        (Kind::Tick, "", date(2006, 1, 31), "", "us-612"),
    ];
    for (kind, class, day, before, after) in changes {
        let on = |day| book.find(kind, "XNAS", class, day).map_or("", |row| row.id.as_str());
        let found = [on(day.yesterday().unwrap()), on(day)];
        assert_eq!(found, [before, after], "{} {class} on {day}", kind.name());
    }
    let europe = |class: &str, day| {
        book.clock_tolerance("EU", class, day).map(|(clock, row)| (clock.tolerance_ns, row.id.clone()))
    };
    let (last, first) = (date(2026, 3, 1), date(2026, 3, 2));
    assert_eq!(europe("rts25-hft", last), Some((100_000, "eu-rts25-hft".to_owned())));
    assert_eq!(europe("rts25-hft", first), Some((100_000, "eu-rts25-hft-2026".to_owned())));
    assert_eq!([europe("rts25-apa-ctp", last), europe("rts25-dpe", last)], [None, None]);
    assert_eq!(europe("rts25-apa-ctp", first), Some((1_000_000, "eu-rts25-apa-ctp-2026".to_owned())));
}

#[test]
fn trade_dates_of_equity_index_futures() {
    let book = Book::shipped();
    let cases = [
        // Thanksgiving: the evening before it trades, until noon, and again from 17:00 for Friday, which ends at 12:15.
        ("2025-11-26T23:30:00Z", "regular "),
        ("2025-11-27T17:59:59Z", "regular Thanksgiving Day"),
        ("2025-11-27T18:00:00Z", "closed Thanksgiving Day"),
        ("2025-11-27T23:00:00Z", "regular Thanksgiving Day"),
        ("2025-11-28T18:14:59Z", "regular day after Thanksgiving"),
        ("2025-11-28T18:15:00Z", "closed day after Thanksgiving"),
        // Christmas: neither the evening before it nor its day, but its evening.
        ("2025-12-24T18:15:00Z", "closed Christmas Eve"),
        ("2025-12-24T23:30:00Z", "closed Christmas Eve"),
        ("2025-12-25T15:00:00Z", "closed Christmas Day"),
        ("2025-12-25T23:00:00Z", "regular Christmas Day"),
        // Good Friday with figures of the labour market, and one without.
        ("2023-04-07T13:14:59Z", "regular Good Friday"),
        ("2023-04-07T13:15:00Z", "closed Good Friday"),
        ("2019-04-18T23:00:00Z", "closed "),
        ("2019-04-19T13:00:00Z", "closed Good Friday"),
        // Calendars differ.
        ("2025-01-08T23:30:00Z", "unknown "),
        ("2025-01-09T14:00:00Z", "unknown National Day of Mourning"),
        ("2025-01-09T23:30:00Z", "regular National Day of Mourning"),
        // The close at 16:15 became 16:00, and the halt before it was given up.
        ("2015-09-18T21:10:00Z", "regular "),
        ("2015-09-21T21:10:00Z", "closed "),
        ("2021-06-25T20:20:00Z", "closed "),
        ("2021-06-28T20:20:00Z", "regular "),
        // Before 2014-05 a holiday of the stock market ended at 10:30.
        ("2014-02-17T16:30:00Z", "closed Washington's Birthday"),
        ("2014-05-26T16:30:00Z", "regular Memorial Day"),
        // Summer time: 17:00 in Chicago is 23:00 and then 22:00 UTC.
        ("2026-03-05T22:30:00Z", "closed "),
        ("2026-03-09T22:30:00Z", "regular "),
        ("2027-03-01T15:00:00Z", "unknown "),
    ];
    for (at, wanted) in cases {
        let session = book.session_of("XCME", "equity-index", ns(at));
        assert_eq!(format!("{} {}", session.state.name(), session.special), wanted, "{at}");
        assert!(session.from_ns <= ns(at) && ns(at) < session.until_ns, "{at}");
    }
    let grain = book.session_of("XCBT", "grain", ns("2026-11-26T15:00:00Z"));
    assert_eq!(grain.state, SessionState::Unknown, "no calendar of grains is in the book");
    let brent = book.session_of("IFEU", "brent", ns("2026-12-25T15:00:00Z"));
    assert_eq!(brent.state, SessionState::Unknown);
    assert_eq!(book.session_of("XCME", "tulips", ns("2026-03-02T15:00:00Z")).state, SessionState::Unknown);
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
        ("XNYS", "2017-07-03T16:59:59Z", "regular day before Independence Day"),
        ("XNYS", "2017-07-03T17:00:00Z", "unknown day before Independence Day"),
        ("XNYS", "2023-07-03T17:00:00Z", "closed day before Independence Day"),
        // What follows an early close ended an hour earlier at the NYSE's markets then.
        ("ARCX", "2017-07-03T20:00:00Z", "closed day before Independence Day"),
        ("ARCX", "2026-11-27T21:59:59Z", "post day after Thanksgiving"),
        ("IEXG", "2026-11-26T15:00:00Z", "closed Thanksgiving Day"),
        ("IEXG", "2026-11-28T15:00:00Z", "closed weekend"),
        ("IEXG", "2026-11-27T18:00:00Z", "post day after Thanksgiving"),
        ("XNYS", "2025-01-09T15:00:00Z", "closed National Day of Mourning"),
        ("XNYS", "2026-03-02T12:00:00Z", "order_entry "),
        ("BATS", "2026-03-02T12:00:00Z", "unknown "),
        // Days that no list had: mourning, and a storm.
        ("XNAS", "2018-12-05T15:00:00Z", "closed National Day of Mourning"),
        ("XNYS", "2012-10-26T15:00:00Z", "regular "),
        ("XNYS", "2012-10-29T15:00:00Z", "closed Hurricane Sandy"),
        ("US-SIP", "2012-10-30T15:00:00Z", "closed Hurricane Sandy"),
        ("XNYS", "2012-10-31T15:00:00Z", "regular "),
        ("XNAS", "2007-01-02T15:00:00Z", "closed National Day of Mourning"),
        ("US-SIP", "2011-05-06T14:00:00Z", "regular "),
        ("US-SIP", "2011-05-06T12:00:00Z", "unknown "),
        // Nasdaq's pre-market began at 7:00, and at 4:00 since a day of March 2013.
        ("XNAS", "2013-03-15T10:00:00Z", "closed "),
        ("XNAS", "2013-03-20T10:00:00Z", "unknown "),
        ("XNAS", "2013-04-02T10:00:00Z", "pre "),
        // From 2026-12-06 on nights are unknown: on Sunday evening, and between two days of trading.
        ("XNAS", "2026-12-03T03:00:00Z", "closed "),
        ("XNAS", "2026-12-07T00:59:59Z", "closed weekend"),
        ("XNAS", "2026-12-07T01:00:00Z", "unknown weekend"),
        ("XNAS", "2026-12-07T08:59:59Z", "unknown "),
        ("XNAS", "2026-12-07T09:00:00Z", "pre "),
        ("XNAS", "2026-12-08T01:00:00Z", "unknown "),
        ("XNAS", "2026-12-12T01:00:00Z", "closed "),
        ("XNAS", "2026-12-25T15:00:00Z", "closed Christmas Day"),
        ("XNAS", "2026-12-26T03:00:00Z", "closed Christmas Day"),
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
    assert!(!repealed.verified, "the tables of what follows 2017/574 were not seen");
    assert_eq!(tolerance("GB", "rts25-venue", day), Some(ms));
    let clocks = book.rows().iter().filter(|row| row.kind == Kind::Clock && row.holds_on(day)).count();
    assert_eq!(clocks, 17);
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

/// What the shipped book does not know, the desk's own book may.
#[test]
fn a_trade_date_of_the_user_s_book_is_taken() {
    let day = r#"
[[calendar]]
id = "desk-mourning"
market = "XCME"
class = "equity-index"
valid_from = 2025-01-09
valid_until = 2025-01-10
early = ["2025-01-09 08:30 National Day of Mourning"]
verified = true
source = { document = "notice of the exchange", section = "all", seen = 2025-01-08 }
"#;
    let book = Book::with_text("my.toml", day).unwrap();
    let state = |at| {
        let session = book.session_of("XCME", "equity-index", ns(at));
        (session.state.name(), session.calendar.unwrap().id.clone())
    };
    let mine = |state| (state, "desk-mourning".to_owned());
    let shipped = |state| (state, "xcme-equity-index-days-2025".to_owned());
    assert_eq!(state("2025-01-08T23:30:00Z"), shipped("regular"), "the evening before belongs to the day");
    assert_eq!(state("2025-01-09T14:29:59Z"), mine("regular"));
    assert_eq!(state("2025-01-09T14:30:00Z"), mine("closed"));
    assert_eq!(state("2025-01-09T23:00:00Z"), mine("regular"));
    assert_eq!(state("2025-01-10T14:30:00Z"), shipped("regular"));
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
        (
            MINE.replace("[[round_lot]]", "[[hours]]")
                .replace("tiers = [{ lot = 10 }]", "regular = [\"09:30\", \"16:00\"]\nnight = \"short\""),
            "my.toml:8: `night = \"short\"`: write \"unknown\", or leave it out",
        ),
        (
            MINE.replace("[[round_lot]]", "[[calendar]]")
                .replace("tiers = [{ lot = 10 }]", "unknown = [\"2026-13-01 no month\"]"),
            "my.toml:7: `2026-13-01 no month` is no day; write \"2026-01-01 New Year's Day\"",
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
        for (market, class) in
            [("XNAS", ""), ("XNYS", ""), ("BATS", ""), ("XCME", ""), ("XCME", "equity-index"), ("IFEU", "brent")]
        {
            let session = book.session_of(market, class, at);
            prop_assert!(session.from_ns <= at && at < session.until_ns);
            prop_assert_eq!(book.session_of(market, class, session.until_ns - 1).state, session.state);
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
