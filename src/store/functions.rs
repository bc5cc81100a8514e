//! What a store's SQL has beside SQLite's own: times and prices in words, and percentiles of histograms added up.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::{Connection, Error, Result};

use crate::alert::console::Time;
use crate::alert::json::show_time;
use crate::latency::Period;
use crate::market::price::show_nanos;

/// Makes them known to a connection: `ns(text)`, `ts(ns)`, `price(units)`; `latency_ns(positive, negatives, percent)`; and
/// `latency_percentiles(positive, negatives)`, which adds histograms up and answers a JSON array of count, negative, min,
/// p10, p50, p90, p95, p99, p99.9, p99.99 and max (nanoseconds), or null without values.
///
/// # Errors
/// Those of SQLite.
pub fn add(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("ns", 1, flags, |context| {
        let Some(text) = context.get::<Option<String>>(0)? else { return Ok(None) };
        let time = Time::parse(&text).and_then(|Time(ns)| i64::try_from(ns).ok());
        let wrong = || refuse(format!("{text:?} is no RFC 3339 time such as 2026-03-02T14:30:00Z"));
        time.map(Some).ok_or_else(wrong)
    })?;
    connection.create_scalar_function("ts", 1, flags, |context| {
        let ns = context.get::<Option<i64>>(0)?;
        Ok(ns.and_then(|ns| u64::try_from(ns).ok()).map(show_time))
    })?;
    connection.create_scalar_function("price", 1, flags, |context| {
        Ok(context.get::<Option<i64>>(0)?.map(show_nanos))
    })?;
    connection.create_aggregate_function("latency_ns", 3, flags, LatencyNs)?;
    connection.create_aggregate_function("latency_percentiles", 2, flags, Percentiles)
}

fn refuse(sentence: String) -> Error {
    Error::UserFunctionError(sentence.into())
}

/// `latency_ns(positive, negatives, percent)`: the percentile of everything that the rows hold.
struct LatencyNs;

impl Aggregate<(Period, f64), Option<i64>> for LatencyNs {
    fn init(&self, _: &mut Context<'_>) -> Result<(Period, f64)> {
        Ok((Period::default(), 0.0))
    }

    fn step(&self, context: &mut Context<'_>, (sum, percent): &mut (Period, f64)) -> Result<()> {
        let (positive, negatives): (Vec<u8>, Option<Vec<u8>>) = (context.get(0)?, context.get(1)?);
        *percent = context.get(2)?;
        if !(0.0..=100.0).contains(percent) {
            return Err(refuse(format!("latency_ns wants a percentage from 0 to 100, not {percent}")));
        }
        let period = Period::decode(&positive, negatives.as_deref(), 0);
        sum.add(&period.map_err(|error| refuse(error.to_string()))?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<(Period, f64)>) -> Result<Option<i64>> {
        Ok(sum.and_then(|(period, percent)| period.at_percent(percent)))
    }
}

/// See [`add`].
struct Percentiles;

impl Aggregate<Period, Option<String>> for Percentiles {
    fn init(&self, _: &mut Context<'_>) -> Result<Period> {
        Ok(Period::default())
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Period) -> Result<()> {
        let (positive, negatives): (Vec<u8>, Option<Vec<u8>>) = (context.get(0)?, context.get(1)?);
        let period = Period::decode(&positive, negatives.as_deref(), 0);
        sum.add(&period.map_err(|error| refuse(error.to_string()))?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<Period>) -> Result<Option<String>> {
        let Some(said) = sum.and_then(|sum| sum.summary()) else { return Ok(None) };
        let mut figures = vec![said.count.to_string(), said.negative.to_string(), said.min.to_string()];
        figures.extend(said.percentiles.0.iter().map(i64::to_string));
        figures.push(said.max.to_string());
        Ok(Some(format!("[{}]", figures.join(","))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_null_and_rubbish_is_an_error() {
        let db = Connection::open_in_memory().unwrap();
        add(&db).unwrap();
        let ask = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Option<String>>(0));
        assert_eq!(ask("SELECT latency_percentiles(1, 2) WHERE 0"), Ok(None));
        assert!(ask("SELECT latency_percentiles(x'00', NULL)").is_err());
    }

    #[test]
    fn times_and_prices_in_words() {
        let connection = Connection::open_in_memory().unwrap();
        add(&connection).unwrap();
        let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, Option<String>>(0));
        let time = "SELECT ts(ns('2026-03-02T14:30:01.025Z'))";
        assert_eq!(ask(time).unwrap().as_deref(), Some("2026-03-02T14:30:01.025000000Z"));
        assert_eq!(ask("SELECT price(189970000000)").unwrap().as_deref(), Some("189.97"));
        assert_eq!(ask("SELECT ts(NULL)").unwrap(), None);
        let refused = ask("SELECT ns('noon')").unwrap_err().to_string();
        assert_eq!(refused, "\"noon\" is no RFC 3339 time such as 2026-03-02T14:30:00Z");
    }
}
