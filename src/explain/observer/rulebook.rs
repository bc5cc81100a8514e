//! What the rule book and the instrument map say of the alert's market, instrument and day: rows with their sources, so
//! that a verdict names what it relies on. It judges nothing.

use super::super::facts::{LotFacts, RowFacts, Rules, SessionFacts};
use super::super::subject::Alert;
use crate::config::Config;
use crate::rules::row::{Kind, Row, clock_time};
use crate::rules::{SessionState, Values};

/// What holds for an alert. An alert without a venue is of the market of its first source; one of a consolidated source
/// alone, of the United States.
pub(super) fn rules(config: &Config, alert: &Alert) -> Rules {
    let book = &config.rules.book;
    let of_source = || {
        let named = config.sources.iter().filter(|s| alert.sources.contains(&s.name));
        named.filter_map(|s| s.venue.clone()).next()
    };
    let Some(market) = alert.venue.clone().or_else(of_source) else { return Rules::default() };
    if book.market(&market).is_none() {
        return Rules { market, ..Rules::default() };
    }
    let session = book.session(&market, alert.began_ns);
    let date = session.day.date;
    let mapped = config.map.rows.iter().filter(|row| {
        Some(&row.instrument) == alert.instrument.as_ref()
            && row.holds_on(date)
            && config.sources.get(row.source).is_some_and(|s| alert.sources.contains(&s.name))
    });
    let mapped: Vec<_> = mapped.collect();
    let reference = mapped.iter().find_map(|row| row.reference_nanos);
    let lot = book.round_lot(&market, reference, date);
    Rules {
        date: date.to_string(),
        session: (session.state != SessionState::Unknown).then(|| SessionFacts {
            state: session.state.name(),
            from_ns: session.from_ns,
            until_ns: session.until_ns,
            special: session.special.to_owned(),
            rows: {
                // The calendar bears on it where it makes the day another one.
                let calendar = session.calendar.filter(|_| !session.special.is_empty());
                session.hours.into_iter().chain(calendar).map(fact).collect()
            },
        }),
        round_lot: lot.map(|lot| LotFacts { lot: lot.lot, assumed: lot.assumed, row: fact(lot.row) }),
        halts: book.on(&market, date).filter(|row| row.kind == Kind::Halts).map(fact).collect(),
        bands: book.on(&market, date).filter(|row| row.kind == Kind::PriceBand).map(fact).collect(),
        mapped: mapped
            .into_iter()
            .map(|row| (config.sources[row.source].name.clone(), row.symbol.clone(), row.line))
            .collect(),
        market,
    }
}

fn fact(row: &Row) -> RowFacts {
    let says = match &row.values {
        Values::Hours(hours) => match hours.regular.map(|span| span.map(clock_time)) {
            Some([from, until]) => format!("regular session {from} to {until} local time"),
            None => row
                .facts()
                .into_iter()
                .map(|(name, value)| format!("{name} {value}"))
                .collect::<Vec<_>>()
                .join("; "),
        },
        Values::Calendar(days) => format!("{} closed or shortened days", days.len()),
        Values::Policy(name, _) => name.clone(),
        Values::RoundLot(..) => row.facts().into_iter().take(1).map(|(_, lots)| lots).collect(),
        _ => row
            .facts()
            .into_iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect::<Vec<_>>()
            .join("; "),
    };
    let source = match row.source.section.is_empty() {
        true => row.source.document.clone(),
        false => format!("{}, {}", row.source.document, row.source.section),
    };
    RowFacts { id: row.id.clone(), validity: row.validity(), says, source, verified: row.verified }
}
