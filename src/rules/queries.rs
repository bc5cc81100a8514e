//! What is asked of the book most: the increment at a price, the lot, the bands, the tolerance of a clock.

use jiff::civil::Date;

use super::Book;
use super::row::{BandRule, ClockRule, Kind, Level, Row, Step, Values};
use super::session::SessionState;

/// The increment at a price.
#[derive(Debug, Clone, Copy)]
pub struct Tick<'b> {
    /// Units of 1e-9.
    pub tick_nanos: u64,
    /// By which row.
    pub row: &'b Row,
}

/// The round lot of an instrument.
#[derive(Debug, Clone, Copy)]
pub struct Lot<'b> {
    /// Shares.
    pub lot: u32,
    /// The row asks for a reference price that was not given: the lot of the lowest prices is assumed.
    pub assumed: bool,
    /// By which row.
    pub row: &'b Row,
}

/// What decides the price bands of an instrument, beside its reference price.
#[derive(Debug, Clone, Copy)]
pub struct Banded<'i> {
    /// Such as `tier-1`.
    pub tier: &'i str,
    /// The close of the previous day on the primary listing exchange, units of 1e-9: it says which percentage holds for the
    /// day. `None` where it is not known: the reference price is taken in its place.
    pub previous_close_nanos: Option<i64>,
    /// Of a leveraged product, which multiplies the percentage; 1 for others.
    pub leverage: u64,
}

/// Price bands around a reference price.
#[derive(Debug, Clone, Copy)]
pub struct Bands<'b> {
    /// Units of 1e-9, rounded to the cent; never below 0.
    pub lower_nanos: i64,
    /// Units of 1e-9, rounded to the cent.
    pub upper_nanos: i64,
    /// The percentage that was used, doubling and leverage in it, thousandths of a per cent.
    pub milli_percent: u64,
    /// Whether the time of day doubled it.
    pub doubled: bool,
    /// The close of the day before was not given: the reference price has chosen the percentage.
    pub assumed: bool,
    /// By which row.
    pub row: &'b Row,
}

const CENT: i128 = 10_000_000;
const MINUTE_NS: u64 = 60_000_000_000;

/// The increment of `steps` at a price; the sign of the price does not matter.
pub fn tick_of(steps: &[Step], price_nanos: i64) -> Option<u64> {
    let price = price_nanos.unsigned_abs();
    let holds = |step: &&Step| u64::try_from(step.from_nanos).is_ok_and(|from| from <= price);
    steps.iter().rev().find(holds).map(|step| step.tick_nanos)
}

impl Book {
    /// The increments of a market on a day, lowest price first; empty where the book has none.
    pub fn tick_steps(&self, market: &str, class: &str, date: Date) -> &[Step] {
        match self.find(Kind::Tick, market, class, date).map(|row| &row.values) {
            Some(Values::Tick(steps)) => steps,
            _ => &[],
        }
    }

    /// The increment at `price_nanos`. `class` is empty for an instrument of which nothing special is known, or such as
    /// `half-penny`.
    pub fn tick(&self, market: &str, class: &str, price_nanos: i64, date: Date) -> Option<Tick<'_>> {
        let row = self.find(Kind::Tick, market, class, date)?;
        let Values::Tick(steps) = &row.values else { return None };
        Some(Tick { tick_nanos: tick_of(steps, price_nanos)?, row })
    }

    /// The round lot, by the reference price that the row names (no price of today's).
    pub fn round_lot(&self, market: &str, reference_nanos: Option<i64>, date: Date) -> Option<Lot<'_>> {
        let row = self.find(Kind::RoundLot, market, "", date)?;
        let Values::RoundLot(tiers, _) = &row.values else { return None };
        let assumed = tiers.len() > 1 && reference_nanos.is_none();
        let reference = reference_nanos.unwrap_or(0);
        let tier = tiers.iter().find(|tier| tier.up_to_nanos.is_none_or(|up_to| reference <= up_to))?;
        Some(Lot { lot: tier.lot, assumed, row })
    }

    /// The price bands around a reference price at `ts_ns`, of an instrument of which `of` says what decides them. `None`
    /// outside regular hours of the market (of a jurisdiction: of its consolidated tape), and where the book has no row.
    pub fn bands(&self, market: &str, of: Banded<'_>, reference_nanos: i64, ts_ns: u64) -> Option<Bands<'_>> {
        let place = match self.tape_of(market) {
            Some(tape) if self.market(market).is_some_and(|m| m.name == m.jurisdiction) => tape,
            _ => market,
        };
        let session = self.session(place, ts_ns);
        let row = self.find(Kind::PriceBand, market, of.tier, session.day.date)?;
        let Values::PriceBand(rule) = &row.values else { return None };
        if session.state != SessionState::Regular {
            return None;
        }
        let minutes = |minutes: u32| u64::from(minutes) * MINUTE_NS;
        let left = session.until_ns - ts_ns;
        if left <= minutes(rule.ends_before_close_min) {
            return None;
        }
        let early = ts_ns - session.from_ns < minutes(rule.doubled_after_open_min);
        let late = left <= minutes(rule.doubled_before_close_min)
            && rule.doubled_before_close_up_to_nanos.is_none_or(|limit| reference_nanos <= limit);
        let doubled = early || late;
        let level = level_of(rule, of.previous_close_nanos.unwrap_or(reference_nanos))?;
        let factor = of.leverage.max(1).saturating_mul(if doubled { 2 } else { 1 });
        let (width, milli_percent) = width(level, reference_nanos, factor);
        let reference = i128::from(reference_nanos);
        let rounded = |nanos: i128| i64::try_from((nanos + CENT / 2).div_euclid(CENT) * CENT).ok();
        Some(Bands {
            lower_nanos: rounded((reference - width).max(0))?,
            upper_nanos: rounded(reference + width)?,
            milli_percent,
            doubled,
            assumed: of.previous_close_nanos.is_none(),
            row,
        })
    }

    /// How far a clock may be off by the rule of that class (`finra-4590`, `cat-participant`, `rts25-hft`, ...).
    pub fn clock_tolerance(&self, market: &str, class: &str, date: Date) -> Option<(&ClockRule, &Row)> {
        let row = self.find(Kind::Clock, market, class, date)?;
        match &row.values {
            Values::Clock(clock) => Some((clock, row)),
            _ => None,
        }
    }

    /// A rule in words that holds on a day: halts, locked and crossed markets, odd lots. Its name and what it says.
    pub fn policy(&self, kind: Kind, market: &str, class: &str, date: Date) -> Option<(&str, &str, &Row)> {
        let row = self.find(kind, market, class, date)?;
        match &row.values {
            Values::Policy(name, says) => Some((name, says, row)),
            _ => None,
        }
    }
}

/// The level of the percentages that a price lies in.
fn level_of(rule: &BandRule, price_nanos: i64) -> Option<&Level> {
    rule.levels.iter().find(|level| match (level.limit_nanos, level.inclusive) {
        (None, _) => true,
        (Some(limit), true) => price_nanos <= limit,
        (Some(limit), false) => price_nanos < limit,
    })
}

/// Half the width of the bands, units of 1e-9, and the percentage behind it.
fn width(level: &Level, reference_nanos: i64, factor: u64) -> (i128, u64) {
    let milli_percent = level.milli_percent.saturating_mul(factor);
    let width = i128::from(reference_nanos) * i128::from(milli_percent) / 100_000;
    let cap = level.at_most_nanos.map(|cap| i128::from(cap) * i128::from(factor));
    (cap.map_or(width, |cap| width.min(cap)), milli_percent)
}
