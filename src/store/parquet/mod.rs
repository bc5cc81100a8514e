//! Rows in Parquet, for DuckDB, Polars, pandas and Spark: `quotes/date=.../source=.../instrument=.../part-N.parquet`, and
//! `messages/...` alike.
//!
//! Times are whole nanoseconds in columns called `..._ns`, which every engine reads, since Spark has no type for them; prices
//! are exact decimals (`DECIMAL(19, 9)`, which holds every price that a feed can say). Rows wait in memory up to a bound and then go out as whole files, the largest partitions first: any
//! number of instruments takes bounded memory and one open file. A file has its name only once it is whole. The same rows
//! make the same files, in whatever batches they come.
//!
//! It reads no clock and knows no schema of the store.

mod column;
mod encoding;
mod hive;
mod live;
mod load;
mod messages;
mod quotes;
mod read;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;

use super::error::StoreError;
use crate::alert::json::show_time;
use crate::config::Config;
use crate::pipeline::messages::MessageRow;
use crate::pipeline::tape::QuoteRow;
use crate::source::recorder::capture_name;
use column::{Columns, Gathered};
use encoding::Encodings;
use hive::encoded;
pub use live::{RowSender, RowThread};
pub use load::{Wanted, load_quotes};

const DAY_NS: u64 = 86_400_000_000_000;

/// How much waits, in weights of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Of all partitions together, at most: some 100 MB.
    all: usize,
    /// Of one partition: that is worth a file.
    part: usize,
}

/// A day of an instrument of a source.
type Partition = (u64, u16, Arc<str>);

/// What is kept as a row.
pub(super) trait Record: Sized {
    /// Folder of its files.
    const FOLDER: &'static str;
    /// Columns of a file, in this order; date, source and instrument are in the folders' names.
    const SCHEMA: &'static str;
    /// How much waits.
    const BOUNDS: Bounds;
    /// Batches that wait for a daemon's thread at most.
    const BATCHES: usize;
    /// Where it belongs.
    fn partition(&self) -> Partition;
    /// What it takes of the bounds.
    fn weight(&self) -> usize;
    /// Writes the columns.
    fn write(columns: &mut Columns<'_, '_, Self>, names: &Names) -> Result<(), ParquetError>;
}

/// What numbers in rows mean.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Sources and composites.
    pub sources: Vec<String>,
    /// By source: its channels, and their lines.
    pub channels: Vec<Vec<(String, Vec<String>)>>,
    /// Captures.
    pub captures: Captures,
}

/// What captures are called, by number.
#[derive(Debug, Clone)]
pub enum Captures {
    /// Those of a replay.
    Listed(Vec<String>),
    /// Files of a daemon's recording: a file's number times the receivers, and the receiver's number.
    Recorded {
        /// How many receivers there are.
        receivers: u32,
    },
}

impl Default for Captures {
    fn default() -> Captures {
        Captures::Listed(Vec::new())
    }
}

impl Captures {
    /// Of that number; `None` where there is no such capture.
    fn name(&self, number: u32) -> Option<Cow<'_, str>> {
        match self {
            Captures::Listed(names) => names.get(number as usize).map(|name| name.as_str().into()),
            Captures::Recorded { .. } if number == u32::MAX => None,
            Captures::Recorded { receivers } => {
                let (file, receiver) = (number.checked_div(*receivers)?, number.checked_rem(*receivers)?);
                Some(capture_name(receiver as u16, file).into())
            }
        }
    }
}

impl Names {
    /// Of a configuration and captures.
    pub fn of(config: &Config, captures: Captures) -> Names {
        let lines = |c: &crate::config::Channel| c.lines.iter().map(|line| line.name.clone()).collect();
        let channels = |s: &crate::config::Source| {
            s.channels.iter().map(|channel| (channel.name.clone(), lines(channel))).collect()
        };
        Names {
            sources: config.comparands(),
            channels: config.sources.iter().map(channels).collect(),
            captures,
        }
    }
}

/// Files of quotes.
pub type QuoteFiles = Files<QuoteRow>;
/// Files of messages.
pub type MessageFiles = Files<MessageRow>;
/// A daemon's way to its files of quotes.
pub type QuoteSender = RowSender<QuoteRow>;
/// What writes a daemon's quotes.
pub type QuoteThread = RowThread<QuoteRow>;
/// What writes a daemon's messages.
pub type MessageThread = RowThread<MessageRow>;

/// See the module.
pub struct Files<R> {
    folder: PathBuf,
    names: Names,
    schema: TypePtr,
    encodings: Encodings,
    bounds: Bounds,
    waiting: BTreeMap<Partition, (usize, Vec<R>)>,
    /// Weight of all that waits.
    weight: usize,
    parts: u64,
    /// Goes before the numbers of parts.
    run: String,
}

#[allow(private_bounds, reason = "which rows there are is decided here")]
impl<R: Record> Files<R> {
    /// Files below `folder`, which is made.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub fn create(folder: &Path, names: Names) -> Result<Files<R>, StoreError> {
        let folder = folder.join(R::FOLDER);
        fs::create_dir_all(&folder).map_err(|e| {
            StoreError(format!(
                "the folder {} cannot be made: {e}; name one in a writable folder",
                folder.display()
            ))
        })?;
        let schema = parse_message_type(R::SCHEMA).map_err(|e| refused(&folder, &e))?;
        Ok(Files {
            folder,
            names,
            schema: Arc::new(schema),
            encodings: Encodings::new(),
            bounds: R::BOUNDS,
            waiting: BTreeMap::new(),
            weight: 0,
            parts: 0,
            run: String::new(),
        })
    }

    /// Several runs write below the same folder: the names of their parts are in the order in which they began.
    fn of_run(mut self, began_ns: u64) -> Files<R> {
        self.run = format!("{began_ns:020}-");
        self
    }

    /// Takes rows.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn take(&mut self, rows: impl Iterator<Item = R>) -> Result<(), StoreError> {
        for row in rows {
            let (partition, waits) = self.push(row);
            if waits >= self.bounds.part {
                self.write(&partition)?;
            } else if self.is_full() {
                self.make_room()?;
            }
        }
        Ok(())
    }

    /// A row waits, whatever waits already; answers with whom, and how much they weigh.
    fn push(&mut self, row: R) -> (Partition, usize) {
        let (partition, weight) = (row.partition(), row.weight());
        let (waits, waiting) = self.waiting.entry(partition.clone()).or_default();
        waiting.push(row);
        *waits += weight;
        self.weight += weight;
        (partition, *waits)
    }

    /// As much waits as may.
    fn is_full(&self) -> bool {
        self.weight >= self.bounds.all
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
        let sizes = self.waiting.iter().map(|(partition, (weight, _))| (*weight, partition.clone()));
        let mut sizes: Vec<(usize, Partition)> = sizes.collect();
        sizes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        for (_, partition) in sizes {
            if self.weight <= self.bounds.all / 2 {
                break;
            }
            self.write(&partition)?;
        }
        Ok(())
    }

    fn write(&mut self, partition: &Partition) -> Result<(), StoreError> {
        let Some((weight, rows)) = self.waiting.get(partition) else { return Ok(()) };
        let (day, source, instrument) = partition;
        let source = self.names.sources.get(usize::from(*source)).map_or("", String::as_str);
        let folder = self
            .folder
            .join(format!("date={}", &show_time(day * DAY_NS)[..10]))
            .join(format!("source={}", encoded(source)))
            .join(format!("instrument={}", encoded(instrument)));
        let name = format!("part-{}{:08}.parquet", self.run, self.parts + 1);
        // Spark and pandas read whatever lies in a folder and does not begin with a dot.
        let (whole, half) = (folder.join(&name), folder.join(format!(".{name}.tmp")));
        let written = fs::create_dir_all(&folder)
            .map_err(ParquetError::from)
            .and_then(|()| self.write_file(&half, rows))
            .and_then(|()| fs::rename(&half, &whole).map_err(ParquetError::from));
        if let Err(error) = written {
            // What is left of it is of no use; why it failed is what is told. The rows go on waiting.
            let _ = fs::remove_file(&half);
            return Err(refused(&whole, &error));
        }
        self.parts += 1;
        self.weight -= weight;
        self.waiting.remove(partition);
        Ok(())
    }

    fn write_file(&self, path: &Path, rows: &[R]) -> Result<(), ParquetError> {
        let encoding = self.encodings.of(rows.len()).clone();
        let file = Gathered::new(File::create(path)?);
        let mut writer = SerializedFileWriter::new(file, self.schema.clone(), encoding)?;
        let mut columns = Columns::new(writer.next_row_group()?, rows);
        R::write(&mut columns, &self.names)?;
        columns.close()?;
        Ok(writer.into_inner()?.finish()?)
    }
}

fn refused(path: &Path, error: &ParquetError) -> StoreError {
    StoreError(format!("{} cannot be written: {error}; look at disk and folder", path.display()))
}

#[cfg(test)]
mod tests;
