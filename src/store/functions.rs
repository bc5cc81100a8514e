//! Functions of our own in the store's SQL.

use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};

use crate::latency::Period;

/// Makes them known to a connection: `latency_percentiles(positive, negatives)` adds histograms up and answers a JSON
/// array of count, negative, min, p10, p50, p90, p95, p99, p99.9, p99.99 and max (nanoseconds), or null without values.
///
/// # Errors
/// Those of SQLite.
pub fn add(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_aggregate_function("latency_percentiles", 2, flags, Percentiles)
}

struct Percentiles;

impl Aggregate<Period, Option<String>> for Percentiles {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Period> {
        Ok(Period::default())
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut Period) -> rusqlite::Result<()> {
        let (positive, negatives): (Vec<u8>, Option<Vec<u8>>) = (context.get(0)?, context.get(1)?);
        let told = |e| rusqlite::Error::UserFunctionError(Box::new(e));
        sum.add(&Period::decode(&positive, negatives.as_deref(), 0).map_err(told)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<Period>) -> rusqlite::Result<Option<String>> {
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
}
