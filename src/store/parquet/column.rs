//! One column after the other of a row group.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};

use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

/// Bytes that go to a file at once.
const GATHERED_LEN: usize = 1 << 16;

/// A file whose bytes are gathered, whoever asks to flush them: each column does, and there are many columns with few bytes.
pub(in crate::store) struct Gathered {
    file: File,
    bytes: Vec<u8>,
}

impl Gathered {
    /// Into that file.
    pub fn new(file: File) -> Gathered {
        Gathered { file, bytes: Vec::with_capacity(GATHERED_LEN) }
    }

    /// Everything goes to the file.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.write_all(&self.bytes)
    }
}

impl Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > GATHERED_LEN {
            self.file.write_all(&self.bytes)?;
            self.bytes.clear();
        }
        if bytes.len() > GATHERED_LEN {
            return self.file.write(bytes);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Columns that are being written.
pub(in crate::store) struct Columns<'g, 'a, R> {
    group: SerializedRowGroupWriter<'g, Gathered>,
    rows: &'a [R],
}

/// A number as a column holds it: signed, for readers that know no other. What does not fit is left out.
pub(super) fn number(n: u64) -> Option<i64> {
    i64::try_from(n).ok()
}

impl<'g, 'a, R> Columns<'g, 'a, R> {
    /// Of those rows.
    pub fn new(group: SerializedRowGroupWriter<'g, Gathered>, rows: &'a [R]) -> Self {
        Columns { group, rows }
    }

    /// All have been written.
    pub fn close(self) -> Result<(), ParquetError> {
        self.group.close().map(|_| ())
    }

    /// Numbers that are always there.
    pub fn whole(&mut self, of: impl Fn(&R) -> i64) -> Result<(), ParquetError> {
        self.write::<Int64Type>(|row| Some(of(row)), false)
    }

    /// Numbers that may be missing.
    pub fn numbers(&mut self, of: impl Fn(&R) -> Option<i64>) -> Result<(), ParquetError> {
        self.write::<Int64Type>(of, true)
    }

    /// When it was, in two columns: nanoseconds since 1970, and cut to microseconds as a time that every engine shows.
    pub fn moment(&mut self, of: impl Fn(&R) -> u64) -> Result<(), ParquetError> {
        self.whole(|row| of(row) as i64)?;
        self.whole(|row| (of(row) / 1_000) as i64)
    }

    /// Times, nanoseconds since 1970; 0 is none.
    pub fn times(&mut self, of: impl Fn(&R) -> u64) -> Result<(), ParquetError> {
        self.numbers(|row| number(of(row)).filter(|ns| *ns != 0))
    }

    /// Single characters that may be missing.
    pub fn letters(&mut self, of: impl Fn(&R) -> Option<char>) -> Result<(), ParquetError> {
        let text = |letter: char| ByteArray::from(letter.to_string().as_str());
        self.write::<ByteArrayType>(|row| of(row).map(text), true)
    }

    /// Text that is always there, and not the row's own.
    pub fn words_of<'n>(&mut self, of: impl Fn(&R) -> &'n str) -> Result<(), ParquetError> {
        self.write::<ByteArrayType>(|row| Some(ByteArray::from(of(row))), false)
    }

    /// Text that may be missing, and is not the row's own.
    pub fn text_of<'n>(&mut self, of: impl Fn(&R) -> Option<Cow<'n, str>>) -> Result<(), ParquetError> {
        self.write::<ByteArrayType>(|row| of(row).map(|text| ByteArray::from(&*text)), true)
    }

    /// Text that is always there.
    pub fn words(&mut self, of: impl Fn(&'a R) -> &'a str) -> Result<(), ParquetError> {
        self.write::<ByteArrayType>(|row| Some(ByteArray::from(of(row))), false)
    }

    /// Text that may be missing.
    pub fn text(&mut self, of: impl Fn(&'a R) -> Option<&'a str>) -> Result<(), ParquetError> {
        self.write::<ByteArrayType>(|row| of(row).map(ByteArray::from), true)
    }

    /// Prices: nine bytes, the most significant first.
    pub fn prices(&mut self, of: impl Fn(&R) -> Option<i64>) -> Result<(), ParquetError> {
        let bytes = |price: i64| FixedLenByteArray::from(i128::from(price).to_be_bytes()[7..].to_vec());
        self.write::<FixedLenByteArrayType>(|row| of(row).map(bytes), true)
    }

    fn write<T: DataType>(
        &mut self,
        of: impl Fn(&'a R) -> Option<T::T>,
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
