//! Quotes out of Parquet, into the table that ready queries read.
//!
//! Only files of the instrument that is asked for are opened, and rows are bounded: what is larger is for an engine that
//! reads Parquet itself.

use std::fs::{self, File};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArrayType, DataType, FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use rusqlite::{Connection, params};

use super::hive::{decoded, encoded};
use crate::store::QUOTES_TABLE;
use crate::store::error::StoreError;

/// Rows that are loaded at most.
const ROWS_MAX: i64 = 5_000_000;

/// Makes the table `quotes` and fills it from the files below `folder`, of one instrument or of all. Nothing of it reaches
/// the store: it is a temporary table of this connection, which only reads before and after.
///
/// # Errors
/// A folder or file that cannot be read, or more rows than a question in memory should take.
pub fn load_quotes(
    connection: &Connection,
    folder: &Path,
    instrument: Option<&str>,
) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| StoreError(format!("quotes cannot be brought into memory: {e}"));
    connection.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    connection.pragma_update(None, "query_only", false).map_err(failed)?;
    connection.execute_batch(QUOTES_TABLE).map_err(failed)?;
    connection.execute_batch("BEGIN").map_err(failed)?;
    load_folder(connection, &folder.join("quotes"), instrument)?;
    connection.execute_batch("COMMIT").map_err(failed)?;
    connection.pragma_update(None, "query_only", true).map_err(failed)
}

fn load_folder(connection: &Connection, folder: &Path, instrument: Option<&str>) -> Result<(), StoreError> {
    if !folder.is_dir() {
        return Err(StoreError(format!(
            "the folder of quotes {} is not there; `parallax replay --parquet DIR` makes one",
            folder.display()
        )));
    }
    let mut loaded = 0;
    for date in parts(folder, "date=", None)? {
        for source in parts(&date, "source=", None)? {
            let name = decoded(&last(&source)["source=".len()..]);
            for folder in parts(&source, "instrument=", instrument)? {
                let instrument = decoded(&last(&folder)["instrument=".len()..]);
                for file in files(&folder)? {
                    let room = ROWS_MAX - loaded;
                    loaded += load(connection, &file, (&name, &instrument), room)
                        .map_err(|why| StoreError(format!("{} cannot be read: {why}", file.display())))?;
                }
            }
        }
    }
    Ok(())
}

fn last(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = fs::read_dir(folder)
        .map_err(|e| StoreError(format!("the folder {} cannot be read: {e}", folder.display())))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Folders whose names begin so, perhaps only that of one value.
fn parts(folder: &Path, begins: &str, only: Option<&str>) -> Result<Vec<PathBuf>, StoreError> {
    let wanted = only.map(|name| format!("{begins}{}", encoded(name)));
    let mut paths = list(folder)?;
    paths.retain(|path| {
        let name = last(path);
        path.is_dir() && name.starts_with(begins) && wanted.as_ref().is_none_or(|wanted| *wanted == name)
    });
    Ok(paths)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut paths = list(folder)?;
    paths.retain(|path| last(path).ends_with(".parquet") && !last(path).starts_with('.'));
    Ok(paths)
}

fn load(
    connection: &Connection,
    path: &Path,
    (source, instrument): (&str, &str),
    room: i64,
) -> Result<i64, String> {
    let groups = unharmed(|| read(path, room))?;
    let mut insert = connection
        .prepare_cached("INSERT INTO quotes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .map_err(|e| e.to_string())?;
    let mut loaded = 0;
    for Columns { numbers, words, prices } in &groups {
        for row in 0..numbers[0].len() {
            let row = params![
                numbers[0][row],
                source,
                instrument,
                words[0][row].as_deref().unwrap_or_default(),
                prices[0][row],
                numbers[1][row],
                prices[1][row],
                numbers[2][row],
                prices[2][row],
                prices[3][row],
                numbers[3][row],
                numbers[4][row],
                words[1][row],
            ];
            insert.execute(row).map_err(|e| e.to_string())?;
            loaded += 1;
        }
    }
    Ok(loaded)
}

/// The reader believes much of what a file says of itself: a damaged one is a panic there, and a sentence here.
fn unharmed<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    panic::set_hook(told);
    let read = read.map_err(|_| "it is damaged".to_owned())?;
    read.map_err(|e| e.to_string())
}

/// The columns of a file of quotes that are read: numbers, words, prices.
const NUMBERS: [&str; 5] = ["ts_ns", "bid_qty", "ask_qty", "ts_event_ns", "seq"];
const WORDS: [&str; 2] = ["venue", "quality"];
const PRICES: [&str; 4] = ["bid", "ask", "round_lot_bid", "round_lot_ask"];

/// Every row group of a file of `room` rows at most.
fn read(path: &Path, room: i64) -> Result<Vec<Columns>, ParquetError> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let metadata = reader.metadata();
    let columns = metadata.file_metadata().schema_descr().columns();
    let find = |name: &str| {
        let at = columns.iter().position(|column| column.name() == name);
        at.ok_or_else(|| {
            ParquetError::General(format!(
                "it has no column `{name}`: it is no file of quotes of this Parallax; a replay makes it anew"
            ))
        })
    };
    let places =
        Places { numbers: all(NUMBERS, find)?, words: all(WORDS, find)?, prices: all(PRICES, find)? };
    let (mut groups, mut rows) = (Vec::new(), 0i64);
    for at in 0..metadata.num_row_groups() {
        rows = rows.saturating_add(metadata.row_group(at).num_rows().max(0));
        if rows > room {
            return Err(ParquetError::General(format!(
                "with it there are more than {ROWS_MAX} quotes; ask for one instrument, or ask DuckDB or Polars"
            )));
        }
        groups.push(Columns::read(reader.get_row_group(at)?.as_ref(), &places)?);
    }
    Ok(groups)
}

/// The same for each, or what is wrong with the first that fails.
fn all<T: Copy, V: Default + Copy, const N: usize>(
    each: [T; N],
    of: impl Fn(T) -> Result<V, ParquetError>,
) -> Result<[V; N], ParquetError> {
    let mut values = [V::default(); N];
    for (value, this) in values.iter_mut().zip(each) {
        *value = of(this)?;
    }
    Ok(values)
}

/// Where the columns stand in a file.
struct Places {
    numbers: [usize; 5],
    words: [usize; 2],
    prices: [usize; 4],
}

/// A row group's columns, in the order of their names above.
struct Columns {
    numbers: [Vec<Option<i64>>; 5],
    words: [Vec<Option<String>>; 2],
    prices: [Vec<Option<i64>>; 4],
}

impl Columns {
    fn read(group: &dyn RowGroupReader, places: &Places) -> Result<Columns, ParquetError> {
        let numbers = |at| column::<Int64Type, i64>(group, at, |number| Some(*number));
        let words = |at| column::<ByteArrayType, String>(group, at, |b| b.as_utf8().ok().map(str::to_owned));
        let prices = |at| column::<FixedLenByteArrayType, i64>(group, at, |bytes| price(bytes.data()));
        let [a, b, c, d, e] = places.numbers;
        let [f, g] = places.words;
        let [h, i, j, k] = places.prices;
        Ok(Columns {
            numbers: [numbers(a)?, numbers(b)?, numbers(c)?, numbers(d)?, numbers(e)?],
            words: [words(f)?, words(g)?],
            prices: [prices(h)?, prices(i)?, prices(j)?, prices(k)?],
        })
    }
}

fn price(bytes: &[u8]) -> Option<i64> {
    let sign = if bytes.first()? & 0x80 != 0 { -1i128 } else { 0 };
    let value = bytes.iter().fold(sign, |value, byte| value.wrapping_shl(8) | i128::from(*byte));
    i64::try_from(value).ok()
}

fn column<T: DataType, V>(
    group: &dyn RowGroupReader,
    at: usize,
    of: impl Fn(&T::T) -> Option<V>,
) -> Result<Vec<Option<V>>, ParquetError> {
    let wrong = || ParquetError::General("a column is not of the type that it should be".to_owned());
    if group.metadata().column(at).column_type() != T::get_physical_type() {
        return Err(wrong());
    }
    let mut reader: ColumnReaderImpl<T> = get_typed_column_reader(group.get_column_reader(at)?);
    let rows = usize::try_from(group.metadata().num_rows()).map_err(|_| wrong())?;
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let optional = group.metadata().column(at).column_descr().max_def_level() > 0;
    while values.len().max(levels.len()) < rows {
        let left = rows - values.len().max(levels.len());
        let taken = reader.read_records(left, optional.then_some(&mut levels), None, &mut values)?;
        if taken.0 == 0 {
            return Err(wrong());
        }
    }
    if values.len().max(levels.len()) != rows {
        return Err(wrong());
    }
    let mut values = values.iter();
    Ok(match optional {
        false => values.map(of).collect(),
        true => {
            levels.iter().map(|level| if *level > 0 { values.next().and_then(&of) } else { None }).collect()
        }
    })
}
