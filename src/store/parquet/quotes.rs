//! Quotes as rows.

use parquet::errors::ParquetError;

use super::column::{Columns, number};
use super::{Bounds, DAY_NS, Names, Partition, Record};
use crate::pipeline::tape::QuoteRow;

impl Record for QuoteRow {
    const FOLDER: &'static str = "quotes";
    const SCHEMA: &'static str = "message quote {
        required int64 ts_ns;
        required int64 ts (TIMESTAMP(MICROS, true));
        required binary instrument_name (STRING);
        optional binary venue (STRING);
        optional fixed_len_byte_array(9) bid (DECIMAL(19, 9));
        optional int64 bid_qty;
        optional fixed_len_byte_array(9) ask (DECIMAL(19, 9));
        optional int64 ask_qty;
        optional fixed_len_byte_array(9) round_lot_bid (DECIMAL(19, 9));
        optional fixed_len_byte_array(9) round_lot_ask (DECIMAL(19, 9));
        optional int64 ts_event_ns;
        optional int64 seq;
        required binary quality (STRING);
    }";
    const BOUNDS: Bounds = Bounds { all: 1 << 19, part: 1 << 17 };
    const BATCHES: usize = 64;

    fn partition(&self) -> Partition {
        (self.ts_ns / DAY_NS, self.source, self.instrument.clone())
    }

    fn weight(&self) -> usize {
        1
    }

    fn write(columns: &mut Columns<'_, '_, QuoteRow>, _: &Names) -> Result<(), ParquetError> {
        columns.moment(|row| row.ts_ns)?;
        columns.words(|row| &row.instrument)?;
        columns.text(|row| Some(&*row.venue).filter(|mic| !mic.is_empty()))?;
        for side in [0, 1] {
            columns.prices(|row| row.quote.best[side].map(|level| level.price))?;
            columns.numbers(|row| row.quote.best[side].and_then(|level| number(level.quantity)))?;
        }
        for side in [0, 1] {
            columns.prices(|row| row.quote.round_lot[side].map(|level| level.price))?;
        }
        columns.times(|row| row.origin.ts_event_ns)?;
        columns.numbers(|row| number(row.origin.sequence))?;
        columns.words(|row| row.quote.quality.name())
    }
}
