//! Quotes out of one Parquet file.
//!
//! Which rows are wanted is decided by their times and venues: the other columns are read only where there are any.

use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArrayType, DataType, FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

/// Rows of a file at most.
const FILE_ROWS_MAX: i64 = 5_000_000;

/// A row as the table of quotes has it, but for the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quote {
    pub ts_ns: i64,
    pub instrument: String,
    /// Empty where the quote is the best over all.
    pub venue: String,
    /// Of bid, ask and the best at which a round lot is shown.
    pub prices: [Option<i64>; 4],
    /// Bid's, ask's.
    pub quantities: [Option<i64>; 2],
    pub ts_event_ns: Option<i64>,
    pub seq: Option<i64>,
    pub quality: Option<String>,
}

/// Columns by what they hold.
const TIME: &str = "ts_ns";
const VENUE: &str = "venue";
const NUMBERS: [&str; 4] = ["bid_qty", "ask_qty", "ts_event_ns", "seq"];
const WORDS: [&str; 2] = ["instrument_name", "quality"];
const PRICES: [&str; 4] = ["bid", "ask", "round_lot_bid", "round_lot_ask"];

/// The reader believes much of what a file says of itself: a damaged one is a panic there, and a sentence here.
pub(super) fn unharmed<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    panic::set_hook(told);
    let read = read.map_err(|_| "it is damaged".to_owned())?;
    read.map_err(|error| match error {
        ParquetError::General(sentence) => sentence,
        other => other.to_string(),
    })
}

/// The rows of a file that `choose` finds, in order. It is given the times of a row group and its venues, and answers the
/// positions of rows; `apart` says of the least and the greatest time whether the group need not be looked at.
pub(super) fn read(
    path: &Path,
    apart: impl Fn(i64, i64) -> bool,
    mut choose: impl FnMut(&[Option<i64>], &[Option<String>]) -> Result<Vec<usize>, ParquetError>,
) -> Result<Vec<Quote>, ParquetError> {
    let reader = SerializedFileReader::new(File::open(path)?)?;
    let metadata = reader.metadata();
    let mut quotes = Vec::new();
    for at in 0..metadata.num_row_groups() {
        let group = metadata.row_group(at);
        let times = place(group, TIME)?;
        if !(0..=FILE_ROWS_MAX).contains(&group.num_rows()) {
            return Err(ParquetError::General(format!("it has more than {FILE_ROWS_MAX} rows in one group")));
        }
        let range = group.column(times).statistics().and_then(range);
        if range.is_some_and(|(least, greatest)| apart(least, greatest)) {
            continue;
        }
        let reader = reader.get_row_group(at)?;
        let (times, venues) = (numbers(&*reader, TIME)?, words(&*reader, VENUE)?);
        let chosen = choose(&times, &venues)?;
        if !chosen.is_empty() {
            take(&*reader, &chosen, (&times, &venues), &mut quotes)?;
        }
    }
    Ok(quotes)
}

fn take(
    group: &dyn RowGroupReader,
    chosen: &[usize],
    (times, venues): (&[Option<i64>], &[Option<String>]),
    quotes: &mut Vec<Quote>,
) -> Result<(), ParquetError> {
    let [bid_qty, ask_qty, ts_event_ns, seq] = all(NUMBERS, |name| numbers(group, name))?;
    let [instrument, quality] = all(WORDS, |name| words(group, name))?;
    let prices =
        all(PRICES, |name| column::<FixedLenByteArrayType, i64>(group, name, |bytes| price(bytes.data())))?;
    quotes.reserve(chosen.len());
    for &row in chosen {
        quotes.push(Quote {
            ts_ns: times[row].unwrap_or_default(),
            instrument: instrument[row].clone().unwrap_or_default(),
            venue: venues[row].clone().unwrap_or_default(),
            prices: [prices[0][row], prices[1][row], prices[2][row], prices[3][row]],
            quantities: [bid_qty[row], ask_qty[row]],
            ts_event_ns: ts_event_ns[row],
            seq: seq[row],
            quality: quality[row].clone(),
        });
    }
    Ok(())
}

/// The same for each, or what is wrong with the first that fails.
fn all<V: Default, const N: usize>(
    names: [&str; N],
    of: impl Fn(&str) -> Result<V, ParquetError>,
) -> Result<[V; N], ParquetError> {
    let mut values = std::array::from_fn(|_| V::default());
    for (value, name) in values.iter_mut().zip(names) {
        *value = of(name)?;
    }
    Ok(values)
}

/// Where a column stands.
fn place(group: &RowGroupMetaData, name: &str) -> Result<usize, ParquetError> {
    let at = group.columns().iter().position(|column| column.column_path().string() == name);
    at.ok_or_else(|| {
        ParquetError::General(format!(
            "it has no column `{name}`: it is no file of quotes of this Parallax; a replay makes it anew"
        ))
    })
}

/// The least and the greatest of a column of numbers, where the file says them.
fn range(statistics: &Statistics) -> Option<(i64, i64)> {
    let Statistics::Int64(numbers) = statistics else { return None };
    Some((*numbers.min_opt()?, *numbers.max_opt()?))
}

fn numbers(group: &dyn RowGroupReader, name: &str) -> Result<Vec<Option<i64>>, ParquetError> {
    column::<Int64Type, i64>(group, name, |number| Some(*number))
}

fn words(group: &dyn RowGroupReader, name: &str) -> Result<Vec<Option<String>>, ParquetError> {
    column::<ByteArrayType, String>(group, name, |bytes| bytes.as_utf8().ok().map(str::to_owned))
}

fn price(bytes: &[u8]) -> Option<i64> {
    let sign = if bytes.first()? & 0x80 != 0 { -1i128 } else { 0 };
    let value = bytes.iter().fold(sign, |value, byte| value.wrapping_shl(8) | i128::from(*byte));
    i64::try_from(value).ok()
}

fn column<T: DataType, V>(
    group: &dyn RowGroupReader,
    name: &str,
    of: impl Fn(&T::T) -> Option<V>,
) -> Result<Vec<Option<V>>, ParquetError> {
    let wrong = || ParquetError::General(format!("its column `{name}` is not of the type that it should be"));
    let at = place(group.metadata(), name)?;
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
