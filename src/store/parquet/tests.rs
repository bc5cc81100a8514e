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
    let read = |instrument| {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        load_quotes(&connection, folder.path(), instrument)?;
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
