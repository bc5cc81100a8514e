//! How the cells of a file are encoded: few rows plainly, many closely.
//!
//! A day has thousands of instruments with a handful of rows each. There the descriptions of the columns are the file, so
//! they are kept short, and compressors are not even set up. Every encoding here is read by all engines that are tested.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::ColumnPath;

/// Rows from which a compressor is worth its cost.
const MANY: usize = 16;
/// Times grow from row to row: their steps are what is kept, and their range lets an engine pass the file by.
const TIMES: [&str; 2] = ["ts_ns", "ts"];
/// Numbers that grow too.
const GROWING: [&str; 3] = ["ts_event_ns", "frame", "seq"];

/// See the module.
pub(super) struct Encodings {
    few: WriterPropertiesPtr,
    many: WriterPropertiesPtr,
}

impl Encodings {
    /// One of each, for all files.
    pub fn new() -> Encodings {
        let lean = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true);
        // The first level is quick, and quotes shrink to a tenth with it.
        let mut close = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::None);
        for name in TIMES {
            close = close.set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::Chunk);
        }
        for name in TIMES.into_iter().chain(GROWING) {
            close = close
                .set_column_dictionary_enabled(ColumnPath::from(name), false)
                .set_column_encoding(ColumnPath::from(name), Encoding::DELTA_BINARY_PACKED);
        }
        Encodings { few: Arc::new(lean.build()), many: Arc::new(close.build()) }
    }

    /// Of a file of so many rows.
    pub fn of(&self, rows: usize) -> &WriterPropertiesPtr {
        if rows < MANY { &self.few } else { &self.many }
    }
}
