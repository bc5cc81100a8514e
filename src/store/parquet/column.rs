//! One column after the other of a row group.

use std::fs::File;

use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

use crate::pipeline::tape::QuoteRow;

/// Columns that are being written.
pub(super) struct Columns<'g, 'a> {
    group: SerializedRowGroupWriter<'g, File>,
    rows: &'a [QuoteRow],
}

/// A number as a column holds it: signed, for readers that know no other. What does not fit is left out.
pub(super) fn number(n: u64) -> Option<i64> {
    i64::try_from(n).ok()
}

impl<'g, 'a> Columns<'g, 'a> {
    /// Of those rows.
    pub fn new(group: SerializedRowGroupWriter<'g, File>, rows: &'a [QuoteRow]) -> Self {
        Columns { group, rows }
    }

    /// All have been written.
    pub fn close(self) -> Result<(), ParquetError> {
        self.group.close().map(|_| ())
    }

    /// Numbers that are always there.
    pub fn whole(&mut self, of: impl Fn(&QuoteRow) -> i64) -> Result<(), ParquetError> {
        self.write::<Int64Type>(|row| Some(of(row)), false)
    }

    /// Numbers that may be missing.
    pub fn numbers(&mut self, of: impl Fn(&QuoteRow) -> Option<i64>) -> Result<(), ParquetError> {
        self.write::<Int64Type>(of, true)
    }

    /// Text that is always there.
    pub fn words(&mut self, of: impl Fn(&'a QuoteRow) -> &'a str) -> Result<(), ParquetError> {
        self.write::<ByteArrayType>(|row| Some(ByteArray::from(of(row))), false)
    }

    /// Text that may be missing.
    pub fn text(&mut self, of: impl Fn(&'a QuoteRow) -> Option<&'a str>) -> Result<(), ParquetError> {
        self.write::<ByteArrayType>(|row| of(row).map(ByteArray::from), true)
    }

    /// Prices: nine bytes, the most significant first.
    pub fn prices(&mut self, of: impl Fn(&QuoteRow) -> Option<i64>) -> Result<(), ParquetError> {
        let bytes = |price: i64| FixedLenByteArray::from(i128::from(price).to_be_bytes()[7..].to_vec());
        self.write::<FixedLenByteArrayType>(|row| of(row).map(bytes), true)
    }

    fn write<T: DataType>(
        &mut self,
        of: impl Fn(&'a QuoteRow) -> Option<T::T>,
        optional: bool,
    ) -> Result<(), ParquetError> {
        let missing = || ParquetError::General("the schema has fewer columns".to_owned());
        let mut column = self.group.next_column()?.ok_or_else(missing)?;
        let cells: Vec<Option<T::T>> = self.rows.iter().map(of).collect();
        let there: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
        let values: Vec<T::T> = cells.into_iter().flatten().collect();
        column.typed::<T>().write_batch(&values, optional.then_some(there.as_slice()), None)?;
        column.close()
    }
}
