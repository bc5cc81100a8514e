use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::*;
use crate::market::{Level, Origin, Quote};

pub(super) fn row(ts_ns: u64, instrument: &str, price: i64) -> QuoteRow {
    let level = |price| Some(Level { price, quantity: 100 });
    let quote = Quote { best: [level(price), None], round_lot: [None, level(-price)], ..Quote::default() };
    let origin = Origin { ts_event_ns: u64::MAX, sequence: 7, ..Origin::default() };
    QuoteRow { ts_ns, source: 0, instrument: instrument.into(), venue: "".into(), quote, origin }
}

/// Paths below the folder, and what the files hold.
pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(at) = folders.pop() {
        for path in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                    found.push((name, fs::read(&path).unwrap()));
                }
            }
        }
    }
    found.sort();
    found
}

pub(super) fn named(source: &str) -> Names {
    Names { sources: vec![source.to_owned()], ..Names::default() }
}

fn written(bounds: Bounds, batch: usize, rows: &[QuoteRow]) -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut files_of = QuoteFiles::create(folder.path(), named("a/b")).unwrap();
    files_of.bounds = bounds;
    for rows in rows.chunks(batch) {
        files_of.take(rows.iter().cloned()).unwrap();
        assert!(files_of.weight < bounds.all, "{} rows wait", files_of.weight);
    }
    files_of.flush().unwrap();
    assert!(files_of.waiting.is_empty() && files_of.weight == 0);
    files(folder.path())
}

/// Every row that the files hold, by part: the time and the bid.
fn read(file: &[u8]) -> Vec<(i64, String)> {
    let reader = SerializedFileReader::new(bytes::Bytes::copy_from_slice(file)).unwrap();
    let show = |row: parquet::record::Row| {
        let cells: Vec<Field> = row.get_column_iter().map(|(_, field)| field.clone()).collect();
        assert_eq!((&cells[3], &cells[6], &cells[10]), (&Field::Null, &Field::Null, &Field::Null));
        match (&cells[0], &cells[1]) {
            (Field::Long(ns), Field::TimestampMicros(us)) if ns / 1_000 == *us => (*ns, cells[4].to_string()),
            other => panic!("the times are {other:?}"),
        }
    };
    reader.get_row_iter(None).unwrap().map(|row| show(row.unwrap())).collect()
}

#[test]
fn partitions_go_out_whole_and_in_order_within_bounds() {
    let bounds = Bounds { all: 6, part: 4 };
    // Midnight lies between; one instrument is busy, the others are many.
    let rows: Vec<QuoteRow> = (0..40u64)
        .map(|n| {
            row(
                DAY_NS - 20 + n,
                if n % 2 == 0 { "A" } else { ["B", "C", "D/E"][n as usize / 2 % 3] },
                n as i64,
            )
        })
        .collect();
    let found = written(bounds, 40, &rows);
    assert!(found.iter().all(|(name, _)| name.ends_with(".parquet")));
    let days = ["1970-01-01", "1970-01-02"];
    let mut all = Vec::new();
    for (day, instrument) in days.iter().flat_map(|day| ["A", "B", "C", "D%2FE"].map(|name| (day, name))) {
        let begins = format!("quotes/date={day}/source=a%2Fb/instrument={instrument}/part-");
        let parts: Vec<i64> = found
            .iter()
            .filter(|(name, _)| name.starts_with(&begins))
            .flat_map(|(_, bytes)| read(bytes).into_iter().map(|(ns, _)| ns))
            .collect();
        assert!(!parts.is_empty() && parts.is_sorted(), "{begins} {parts:?}");
        all.extend(parts);
    }
    all.sort_unstable();
    assert_eq!(all, (0..40).map(|n| DAY_NS as i64 - 20 + n).collect::<Vec<i64>>());
    // The bytes do not tell in what batches the rows came.
    assert!(found == written(bounds, 1, &rows) && found == written(bounds, 7, &rows));
}

#[test]
fn prices_are_exact_to_the_ends_of_their_range() {
    let prices = [0, 1, -1, 169_480_000_000, i64::MAX, i64::MIN + 1];
    let rows: Vec<QuoteRow> = prices.iter().map(|price| row(1, "A", *price)).collect();
    let found = written(Bounds { all: 100, part: 100 }, 100, &rows);
    let bids: Vec<String> = read(&found[0].1).into_iter().map(|(_, bid)| bid).collect();
    let wanted = [
        "0.000000000",
        "0.000000001",
        "-0.000000001",
        "169.480000000",
        "9223372036.854775807",
        "-9223372036.854775807",
    ];
    assert_eq!(bids, wanted);
}

#[test]
fn a_file_that_cannot_be_written_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let mut files_of = QuoteFiles::create(folder.path(), named("a")).unwrap();
    // In the way of the day's folder lies a file.
    fs::write(folder.path().join("quotes/date=1970-01-01"), b"").unwrap();
    files_of.take([row(1, "A", 1)].into_iter()).unwrap();
    let said = files_of.flush().unwrap_err().0;
    assert!(
        said.contains("part-00000001.parquet cannot be written: ") && said.lines().count() == 1,
        "{said}"
    );
}

#[test]
fn what_is_written_is_read_back_and_what_is_damaged_is_refused() {
    let price = i64::MIN + 1;
    let folder = tempfile::tempdir().unwrap();
    let mut files_of = QuoteFiles::create(folder.path(), named("a/b")).unwrap();
    files_of.take([row(5, "D/E", price), row(6, "B", 1)].into_iter()).unwrap();
    files_of.flush().unwrap();
    let read = |instrument: Option<&str>| {
        let instrument = instrument.map(str::to_owned);
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        load_quotes(&connection, folder.path(), &Wanted { instrument, ..Wanted::default() })?;
        let rows = "SELECT group_concat(ts_ns || source || instrument || venue || bid || round_lot_ask || seq || quality
            || (ask IS NULL) || (ts_event_ns IS NULL), ' ') FROM quotes";
        let said: Option<String> = connection.query_row(rows, [], |row| row.get(0)).unwrap();
        Ok::<String, StoreError>(said.unwrap_or_default())
    };
    let quality = Quote::default().quality.name();
    assert_eq!(read(Some("D/E")).unwrap(), format!("5a/bD/E{price}{}7{quality}11", -price));
    assert_eq!(read(None).unwrap().split(' ').count(), 2);
    // A file with any byte wrong is read as something or refused; nothing falls over.
    let path = folder.path().join("quotes/date=1970-01-01/source=a%2Fb/instrument=B/part-00000001.parquet");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xFF;
        fs::write(&path, &bytes).unwrap();
        if let Err(StoreError(said)) = read(Some("B")) {
            assert!(said.contains("cannot be read: "), "{said}");
        }
    }
}

/// A connection whose quotes are those that are wanted.
fn loaded(folder: &Path, wanted: &Wanted) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    crate::store::functions::add(&connection).unwrap();
    load_quotes(&connection, folder, wanted).unwrap();
    connection
}

/// What a ready query answers.
fn answered(connection: &rusqlite::Connection, query: &str, parameters: &[(String, String)]) -> Vec<String> {
    let mut statement = connection.prepare(crate::store::queries::Query::named(query).unwrap().text).unwrap();
    let width = statement.column_count();
    for (name, value) in parameters {
        let at = statement.parameter_index(&format!(":{name}")).unwrap().unwrap();
        statement.raw_bind_parameter(at, value).unwrap();
    }
    let (mut rows, mut found) = (statement.raw_query(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        let cells = (0..width).map(|at| format!("{:?}", row.get::<_, rusqlite::types::Value>(at).unwrap()));
        found.push(cells.collect::<Vec<_>>().join(" "));
    }
    found
}

#[test]
fn a_query_over_what_it_wants_answers_as_over_everything() {
    let folder = tempfile::tempdir().unwrap();
    let names = Names { sources: ["a", "b", "c"].map(str::to_owned).to_vec(), ..Names::default() };
    let mut files_of = QuoteFiles::create(folder.path(), names).unwrap();
    files_of.bounds = Bounds { all: 60, part: 17 };
    // Ten days from the second on; steps of hours, and several rows at one time.
    let (mut state, mut ts_ns) = (7u64, DAY_NS);
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for number in 0..1_500 {
        ts_ns += draw(3) * draw(2) * DAY_NS / 75;
        let mut row = row(ts_ns, ["A", "B/C"][draw(2) as usize], number);
        row.source = draw(3) as u16;
        row.venue = ["", "X", "Y", "Z"][(draw(4) * draw(2)) as usize].into();
        files_of.take([row].into_iter()).unwrap();
    }
    files_of.flush().unwrap();
    assert!(ts_ns > 7 * DAY_NS && files(folder.path()).len() > 100);
    let everything = loaded(folder.path(), &Wanted::default());
    let mut answers = 0;
    for number in 0..60 {
        let at = |ns: u64| show_time(ns);
        // On the rows' own grid: bounds are met to the nanosecond.
        let (one, other) = (draw(900) * (DAY_NS / 75), draw(900) * (DAY_NS / 75));
        let instrument = ["A", "B/C", "D"][(number % 3) as usize].to_owned();
        let own = |pairs: &[(&str, String)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        };
        let age = own(&[("instrument", instrument.clone()), ("at", at(one)), ("days", draw(5).to_string())]);
        let join = own(&[
            ("instrument", instrument),
            ("first", ["a", "b"][draw(2) as usize].to_owned()),
            ("second", ["b", "c"][draw(2) as usize].to_owned()),
            ("tolerance_ms", draw(200_000_000).to_string()),
            ("venue", ["", "X"][draw(2) as usize].to_owned()),
            ("from", at(one.min(other))),
            ("to", at(one.max(other))),
        ]);
        for (query, parameters) in [("quote_age_at", age), ("as_of_join", join)] {
            let some = loaded(folder.path(), &Wanted::of(&parameters));
            let found = answered(&some, query, &parameters);
            assert_eq!(found, answered(&everything, query, &parameters), "{parameters:?}");
            answers += found.len();
        }
    }
    assert!(answers > 1_000, "only {answers} rows were compared");
}
