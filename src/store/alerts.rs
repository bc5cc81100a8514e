//! Alerts in a store: every transition as it was told, each alert as it stands, and how long which kinds lasted.
//!
//! Time is added to the intervals that it lies in as it goes by: an alert that is open has been counted up to the
//! latest beat. An end that was known only later is taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::params;

use super::family;
use super::names::Names;
use super::record::{AlertRecord, Magnitude, Price, Quote};
use super::writer::{DAY_NS, Key, Rows, signed};
use crate::alert::console::Time;

/// Intervals to which one stretch is added one by one at most; the rest goes to the last.
const STRETCH_MAX: u64 = 10_000;

/// What an open alert is about.
#[derive(Debug, Clone)]
struct Facts {
    kind: String,
    about: String,
    cause: String,
    sources: [i64; 2],
    instrument: Option<String>,
}

/// An alert that is open. It is copied at every commit.
#[derive(Debug, Clone)]
struct Open {
    facts: Arc<Facts>,
    /// Up to when its time has been counted.
    counted_ns: u64,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Alerts {
    open: BTreeMap<Arc<str>, Open>,
    position: i64,
    /// Sources of one channel only.
    single: Arc<BTreeSet<String>>,
}

impl Alerts {
    /// Nothing is open; `single` are the sources of one channel only.
    pub fn new(single: BTreeSet<String>) -> Alerts {
        Alerts { single: Arc::new(single), ..Alerts::default() }
    }

    /// Takes one line.
    pub fn take(&mut self, line: &[u8], rows: &Rows<'_>, names: &mut Names) -> rusqlite::Result<()> {
        let record: AlertRecord<'_> = serde_json::from_slice(line)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        self.position += 1;
        let mut sources = [0, 0];
        for (number, name) in sources.iter_mut().zip(&record.sources) {
            *number = names.source(rows.connection, name)?;
        }
        let mut statement = rows.connection.prepare_cached(
            "INSERT INTO transition (run, position, ts_ns, id, event, line) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        let (ts, line) = (signed(record.ts.0), String::from_utf8_lossy(line));
        statement.execute(params![rows.run, self.position, ts, record.id, record.event, line])?;
        for (label, quote) in &record.quotes {
            self.quote(&record.id, label, quote.as_ref(), rows)?;
        }
        match record.event.as_ref() {
            "raised" => self.raised(&record, sources, rows),
            "escalated" => self.escalated(&record, rows),
            _ => self.cleared(&record, rows),
        }
    }

    fn raised(
        &mut self,
        record: &AlertRecord<'_>,
        sources: [i64; 2],
        rows: &Rows<'_>,
    ) -> rusqlite::Result<()> {
        let only = record.sources.first().is_some_and(|source| self.single.contains(source));
        let about = record.about(only).to_owned();
        let (difference, ticks, bps) = magnitude(record.magnitude.as_ref());
        let [first, last, count] = record
            .sequence
            .as_ref()
            .map_or([None; 3], |s| [s.first, s.last, s.count].map(|number| Some(signed(number))));
        let names = serde_json::to_string(&record.sources).unwrap_or_default();
        let lag = record.lag_ns.map(signed);
        let mut statement = rows.connection.prepare_cached(
            "INSERT INTO alert (run, id, kind, kind_raised, severity, instrument, venue, side, first, second, sources,
                channel, line, scope, began_ns, raised_ns, cause, why, price_diff, ticks, bps, peak_price_diff, lag_ns,
                peak_lag_ns, sequence_first, sequence_last, sequence_count, instruments)
             VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?18,
                ?21, ?21, ?22, ?23, ?24, ?25)
             ON CONFLICT DO UPDATE SET cleared_ns = NULL, ended_ns = NULL, duration_ns = NULL, reason = NULL",
        )?;
        statement.execute(params![
            rows.run,
            record.id,
            record.kind,
            record.severity,
            record.instrument,
            record.venue,
            record.side,
            sources[0],
            sources[1],
            names,
            record.channel,
            record.line,
            record.scope,
            signed(record.began.0),
            signed(record.ts.0),
            record.cause,
            record.why,
            difference,
            ticks,
            bps,
            lag,
            first,
            last,
            count,
            record.instruments.map(signed),
        ])?;
        let facts = Facts {
            kind: record.kind.clone(),
            about,
            cause: record.cause.clone(),
            sources,
            instrument: record.instrument.clone(),
        };
        add_instrument(&facts, record.ts.0, 1, 0, rows)?;
        let open = Open { facts: Arc::new(facts), counted_ns: record.began.0 };
        self.open.insert(record.id.as_str().into(), open);
        Ok(())
    }

    fn escalated(&mut self, record: &AlertRecord<'_>, rows: &Rows<'_>) -> rusqlite::Result<()> {
        if let Some(open) = self.open.get_mut(record.id.as_str()) {
            // What it was until now, it was told as until now.
            open.count_until(record.ts.0, rows)?;
            let facts = Arc::make_mut(&mut open.facts);
            facts.kind.clone_from(&record.kind);
            facts.cause.clone_from(&record.cause);
        }
        let (difference, ..) = magnitude(record.magnitude.as_ref());
        let mut statement = rows.connection.prepare_cached(
            "UPDATE alert SET kind = ?3, severity = ?4, cause = ?5, why = ?6,
                peak_price_diff = max(coalesce(peak_price_diff, ?7), coalesce(?7, peak_price_diff)),
                peak_lag_ns = max(coalesce(peak_lag_ns, ?8), coalesce(?8, peak_lag_ns)) WHERE run = ?1 AND id = ?2",
        )?;
        let lag = record.lag_ns.map(signed);
        let (kind, severity) = (&record.kind, &record.severity);
        statement
            .execute(params![rows.run, record.id, kind, severity, record.cause, record.why, difference, lag])
            .map(|_| ())
    }

    fn cleared(&mut self, record: &AlertRecord<'_>, rows: &Rows<'_>) -> rusqlite::Result<()> {
        let ended = record.ended.unwrap_or(record.ts).0;
        if let Some(mut open) = self.open.remove(record.id.as_str()) {
            open.count_until(ended, rows)?;
        }
        let (peak, ..) = magnitude(record.magnitude.as_ref());
        let [first, last, count] = record
            .sequence
            .as_ref()
            .map_or([None; 3], |s| [s.first, s.last, s.count].map(|number| Some(signed(number))));
        let mut statement = rows.connection.prepare_cached(
            "UPDATE alert SET cleared_ns = ?3, ended_ns = ?4, duration_ns = ?5, reason = ?6,
                peak_price_diff = coalesce(?7, peak_price_diff), peak_lag_ns = coalesce(?8, peak_lag_ns),
                sequence_first = coalesce(?9, sequence_first), sequence_last = coalesce(?10, sequence_last),
                sequence_count = coalesce(?11, sequence_count) WHERE run = ?1 AND id = ?2",
        )?;
        statement
            .execute(params![
                rows.run,
                record.id,
                signed(record.ts.0),
                signed(ended),
                record.duration_ns.map(signed),
                record.reason,
                peak,
                record.lag_ns.map(signed),
                first,
                last,
                count,
            ])
            .map(|_| ())
    }

    fn quote(
        &self,
        id: &str,
        label: &str,
        quote: Option<&Quote<'_>>,
        rows: &Rows<'_>,
    ) -> rusqlite::Result<()> {
        let Some(quote) = quote else { return Ok(()) };
        let price = |price: Option<Price>| price.map(|p| p.0);
        let mut statement = rows.connection.prepare_cached(
            "INSERT OR REPLACE INTO alert_quote VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        statement
            .execute(params![
                rows.run,
                id,
                self.position,
                label,
                price(quote.bid),
                signed(quote.bid_qty),
                price(quote.ask),
                signed(quote.ask_qty),
                price(quote.round_lot_bid),
                price(quote.round_lot_ask),
                quote.ts_event.map(|Time(ns)| signed(ns)),
                signed(quote.ts_recv.0),
                signed(quote.seq),
                quote.quality,
                quote.capture,
                quote.frame.map(signed),
            ])
            .map(|_| ())
    }

    /// Everything before `now` has been told: the time of what is open is counted up to there.
    pub fn account(&mut self, now: u64, rows: &Rows<'_>) -> rusqlite::Result<()> {
        self.open
            .values_mut()
            .filter(|open| open.counted_ns < now)
            .try_for_each(|open| open.count_until(now, rows))
    }
}

impl Open {
    /// Counts its time up to `until`, or back to there.
    fn count_until(&mut self, until: u64, rows: &Rows<'_>) -> rusqlite::Result<()> {
        let counted = std::mem::replace(&mut self.counted_ns, until);
        let (from, to, sign) = if until >= counted { (counted, until, 1) } else { (until, counted, -1) };
        let keys = [
            Key::Word(&self.facts.kind),
            Key::Word(&self.facts.about),
            Key::Word(&self.facts.cause),
            Key::Number(self.facts.sources[0]),
            Key::Number(self.facts.sources[1]),
        ];
        stretches(from, to, rows.interval_ns, |at, ns| {
            rows.add(&family::ALERT_TIME, at, &keys, &[sign * signed(ns)])
        })?;
        stretches(from, to, DAY_NS, |at, ns| add_instrument(&self.facts, at, 0, sign * signed(ns), rows))
    }
}

/// Cuts a stretch of time where intervals begin: calls with a moment of each piece, and its length.
fn stretches(
    mut from: u64,
    until: u64,
    interval_ns: u64,
    mut each: impl FnMut(u64, u64) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    for _ in 0..STRETCH_MAX {
        let end = (from - from % interval_ns).saturating_add(interval_ns).min(until);
        if from >= end {
            return Ok(());
        }
        each(from, end - from)?;
        from = end;
    }
    if from < until { each(until - 1, until - from) } else { Ok(()) }
}

fn add_instrument(facts: &Facts, at: u64, raised: i64, ns: i64, rows: &Rows<'_>) -> rusqlite::Result<()> {
    let Some(instrument) = &facts.instrument else { return Ok(()) };
    let mut statement = rows.connection.prepare_cached(
        "INSERT INTO instrument_alert_day (start_ns, run, instrument, kind, first, second, raised, time_ns)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET raised = raised + excluded.raised,
            time_ns = time_ns + excluded.time_ns",
    )?;
    let [first, second] = facts.sources;
    let day = signed(at - at % DAY_NS);
    statement.execute(params![day, rows.run, instrument, facts.kind, first, second, raised, ns]).map(|_| ())
}

fn magnitude<'a>(magnitude: Option<&Magnitude<'a>>) -> (Option<i64>, Option<&'a str>, Option<&'a str>) {
    let price = magnitude.and_then(|m| m.price).map(|p| p.0);
    (price, magnitude.map(|m| m.ticks.get()), magnitude.map(|m| m.bps.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_cut_where_intervals_begin() {
        let mut pieces = Vec::new();
        stretches(7, 25, 10, |at, ns| {
            pieces.push((at, ns));
            Ok(())
        })
        .unwrap();
        assert_eq!(pieces, [(7, 3), (10, 10), (20, 5)]);
        let (mut count, mut whole) = (0, 0);
        stretches(0, u64::MAX, 10, |_, ns| {
            (count, whole) = (count + 1, whole + u128::from(ns));
            Ok(())
        })
        .unwrap();
        assert_eq!((count, whole), (STRETCH_MAX + 1, u128::from(u64::MAX)));
    }
}
