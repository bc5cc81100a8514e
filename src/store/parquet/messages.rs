//! Messages as rows.

use parquet::errors::ParquetError;

use super::column::{Columns, number};
use super::{Bounds, DAY_NS, Names, Partition, Record};
use crate::pipeline::messages::MessageRow;

/// Bytes that a row of weight 1 takes.
const UNIT: usize = 256;

impl Record for MessageRow {
    const FOLDER: &'static str = "messages";
    const SCHEMA: &'static str = "message message {
        required int64 ts_ns;
        required int64 ts (TIMESTAMP(MICROS, true));
        optional binary instrument_name (STRING);
        required binary channel (STRING);
        required binary line (STRING);
        optional binary capture (STRING);
        optional int64 frame;
        optional int64 seq;
        required int64 msg;
        required int64 part;
        optional int64 ts_event_ns;
        required binary type (STRING);
        optional binary fact (STRING);
        optional binary quoter (STRING);
        optional binary side (STRING);
        optional int64 order_id;
        optional int64 new_order_id;
        optional int64 position;
        optional fixed_len_byte_array(9) price (DECIMAL(19, 9));
        optional int64 quantity;
        optional fixed_len_byte_array(9) bid (DECIMAL(19, 9));
        optional int64 bid_qty;
        optional fixed_len_byte_array(9) ask (DECIMAL(19, 9));
        optional int64 ask_qty;
        optional fixed_len_byte_array(9) lower (DECIMAL(19, 9));
        optional fixed_len_byte_array(9) upper (DECIMAL(19, 9));
        optional binary state (STRING);
        optional binary fields (STRING);
    }";
    const BOUNDS: Bounds = Bounds { all: 1 << 18, part: 1 << 16 };
    const BATCHES: usize = 32;

    fn partition(&self) -> Partition {
        (self.origin.ts_recv_ns / DAY_NS, self.place.source, self.fact.instrument.clone())
    }

    fn weight(&self) -> usize {
        1 + self.fields.as_ref().map_or(0, |fields| fields.len() / UNIT)
    }

    fn write(columns: &mut Columns<'_, '_, MessageRow>, names: &Names) -> Result<(), ParquetError> {
        let channel = |row: &MessageRow| {
            let of = names.channels.get(usize::from(row.place.source));
            of.and_then(|channels| channels.get(usize::from(row.place.channel)))
        };
        let line = |row: &MessageRow| {
            channel(row)
                .and_then(|(_, lines)| lines.get(usize::from(row.place.line)))
                .map_or("", String::as_str)
        };
        let capture = |row: &MessageRow| names.captures.name(row.origin.capture);
        columns.moment(|row| row.origin.ts_recv_ns)?;
        columns.text(|row| Some(&*row.fact.instrument).filter(|name| !name.is_empty()))?;
        columns.words_of(|row| channel(row).map_or("", |(name, _)| name.as_str()))?;
        columns.words_of(line)?;
        columns.text_of(capture)?;
        columns.numbers(|row| number(row.origin.frame).filter(|_| capture(row).is_some()))?;
        columns.numbers(|row| number(row.origin.sequence))?;
        columns.whole(|row| row.message.into())?;
        columns.whole(|row| row.part.into())?;
        columns.times(|row| row.origin.ts_event_ns)?;
        columns.words(|row| row.kind)?;
        columns.text(|row| Some(row.fact.name).filter(|name| !name.is_empty()))?;
        columns.letters(|row| row.fact.quoter)?;
        columns.text(|row| row.fact.side)?;
        for which in [0, 1] {
            columns.numbers(|row| row.fact.orders[which].and_then(number))?;
        }
        columns.numbers(|row| row.fact.position.map(i64::from))?;
        columns.prices(|row| row.fact.price)?;
        columns.numbers(|row| row.fact.quantity.and_then(number))?;
        for side in [0, 1] {
            columns.prices(|row| row.fact.quote[side].map(|(price, _)| price))?;
            columns.numbers(|row| row.fact.quote[side].and_then(|(_, quantity)| number(quantity)))?;
        }
        for band in [0, 1] {
            columns.prices(|row| row.fact.bands[band])?;
        }
        columns.text(|row| row.fact.state)?;
        columns.text(|row| row.fields.as_deref())
    }
}
