//! Quotes in Parquet: `quotes/date=.../source=.../instrument=.../part-N.parquet`, for DuckDB, Polars, pandas and Spark.
//!
//! Times are nanoseconds (`TIMESTAMP(NANOS, UTC)`), prices exact decimals (`DECIMAL(19, 9)`, which holds every price that
//! a feed can say). Rows wait in memory up to a bound and then go out as whole files, the largest partitions first: any
//! number of instruments takes bounded memory and one open file. A file has its name only once it is whole. The same rows
//! make the same files, in whatever batches they come.
//!
//! It reads no clock and knows no schema of the store.

mod column;
mod hive;
mod read;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;

use super::error::StoreError;
use crate::alert::json::show_time;
use crate::pipeline::tape::QuoteRow;
use column::{Columns, number};
use hive::encoded;
pub use read::load_quotes;

/// Columns of a file of quotes, in this order; date, source and instrument are in the folders' names.
const QUOTES: &str = "message quote {
    required int64 ts (TIMESTAMP(NANOS, true));
    optional binary venue (STRING);
    optional fixed_len_byte_array(9) bid (DECIMAL(19, 9));
    optional int64 bid_qty;
    optional fixed_len_byte_array(9) ask (DECIMAL(19, 9));
    optional int64 ask_qty;
    optional fixed_len_byte_array(9) round_lot_bid (DECIMAL(19, 9));
    optional fixed_len_byte_array(9) round_lot_ask (DECIMAL(19, 9));
    optional int64 ts_event (TIMESTAMP(NANOS, true));
    optional int64 seq;
    required binary quality (STRING);
}";

const DAY_NS: u64 = 86_400_000_000_000;

/// How many rows wait.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Of all partitions together, at most: some 100 MB.
    all: usize,
    /// Of one partition: that is worth a file.
    part: usize,
}

const BOUNDS: Bounds = Bounds { all: 1 << 19, part: 1 << 17 };

/// A day of an instrument of a source.
type Partition = (u64, u16, Arc<str>);

/// See the module.
pub struct QuoteFiles {
    folder: PathBuf,
    sources: Vec<String>,
    schema: TypePtr,
    properties: WriterPropertiesPtr,
    bounds: Bounds,
    waiting: BTreeMap<Partition, Vec<QuoteRow>>,
    rows: usize,
    parts: u64,
}

impl QuoteFiles {
    /// Files below `folder`, which is made; `sources` are the names of sources by number.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn create(folder: &Path, sources: Vec<String>) -> Result<QuoteFiles, StoreError> {
        let folder = folder.join("quotes");
        fs::create_dir_all(&folder).map_err(|e| {
            StoreError(format!(
                "the folder {} cannot be made: {e}; name one in a writable folder",
                folder.display()
            ))
        })?;
        let schema = parse_message_type(QUOTES).map_err(|e| refused(&folder, &e))?;
        // The first level is quick, and quotes shrink to a tenth with it.
        let compression = Compression::ZSTD(ZstdLevel::default());
        Ok(QuoteFiles {
            folder,
            sources,
            schema: Arc::new(schema),
            properties: Arc::new(WriterProperties::builder().set_compression(compression).build()),
            bounds: BOUNDS,
            waiting: BTreeMap::new(),
            rows: 0,
            parts: 0,
        })
    }

    /// Takes rows.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn take(&mut self, rows: impl Iterator<Item = QuoteRow>) -> Result<(), StoreError> {
        for row in rows {
            let partition = (row.ts_ns / DAY_NS, row.source, row.instrument.clone());
            let waiting = self.waiting.entry(partition.clone()).or_default();
            waiting.push(row);
            self.rows += 1;
            if waiting.len() >= self.bounds.part {
                self.write(&partition)?;
            } else if self.rows >= self.bounds.all {
                self.make_room()?;
            }
        }
        Ok(())
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        while let Some(partition) = self.waiting.keys().next().cloned() {
            self.write(&partition)?;
        }
        Ok(())
    }

    /// Writes the largest partitions, until half of the room is free.
    fn make_room(&mut self) -> Result<(), StoreError> {
        let sizes = self.waiting.iter().map(|(partition, rows)| (rows.len(), partition.clone()));
        let mut sizes: Vec<(usize, Partition)> = sizes.collect();
        sizes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, partition) in sizes {
            if self.rows <= self.bounds.all / 2 {
                break;
            }
            self.write(&partition)?;
        }
        Ok(())
    }

    fn write(&mut self, partition: &Partition) -> Result<(), StoreError> {
        let Some(rows) = self.waiting.remove(partition) else { return Ok(()) };
        self.rows -= rows.len();
        let (day, source, instrument) = partition;
        let source = self.sources.get(usize::from(*source)).map_or("", String::as_str);
        let folder = self
            .folder
            .join(format!("date={}", &show_time(day * DAY_NS)[..10]))
            .join(format!("source={}", encoded(source)))
            .join(format!("instrument={}", encoded(instrument)));
        self.parts += 1;
        let whole = folder.join(format!("part-{:08}.parquet", self.parts));
        let half = whole.with_extension("parquet.tmp");
        let written = fs::create_dir_all(&folder)
            .map_err(ParquetError::from)
            .and_then(|()| self.write_file(&half, &rows))
            .and_then(|()| fs::rename(&half, &whole).map_err(ParquetError::from));
        written.map_err(|error| {
            // What is left of it is of no use; why it failed is what is told.
            let _ = fs::remove_file(&half);
            refused(&whole, &error)
        })
    }

    fn write_file(&self, path: &Path, rows: &[QuoteRow]) -> Result<(), ParquetError> {
        let mut writer =
            SerializedFileWriter::new(File::create(path)?, self.schema.clone(), self.properties.clone())?;
        let mut columns = Columns::new(writer.next_row_group()?, rows);
        let time = |ns: u64| number(ns).filter(|ns| *ns != 0);
        columns.whole(|row| row.ts_ns as i64)?;
        columns.text(|row| Some(&*row.venue).filter(|mic| !mic.is_empty()))?;
        for side in [0, 1] {
            columns.prices(|row| row.quote.best[side].map(|level| level.price))?;
            columns.numbers(|row| row.quote.best[side].and_then(|level| number(level.quantity)))?;
        }
        for side in [0, 1] {
            columns.prices(|row| row.quote.round_lot[side].map(|level| level.price))?;
        }
        columns.numbers(|row| time(row.origin.ts_event_ns))?;
        columns.numbers(|row| number(row.origin.sequence))?;
        columns.words(|row| row.quote.quality.name())?;
        columns.close()?;
        writer.close()?;
        Ok(())
    }
}

fn refused(path: &Path, error: &ParquetError) -> StoreError {
    StoreError(format!("{} cannot be written: {error}; look at disk and folder", path.display()))
}

#[cfg(test)]
mod tests;
