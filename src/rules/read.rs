//! Rows out of TOML, checked: what is wrong is said with file, line and key.

use jiff::civil::{Date, Time};
use toml::de::DeTable;

use super::row::{
    BandRule, Citation, ClockRule, Hours, Kind, Level, Row, Special, SpecialDay, Step, Tier, Values,
    WEEKDAYS, WeekSpan,
};
use super::session::Market;
use crate::config::reader::{ConfigError, Origin, Table};
use crate::market::price::parse_nanos;

/// What one file holds.
#[derive(Debug, Default)]
pub struct Pages {
    /// Its rows.
    pub rows: Vec<Row>,
    /// Its markets.
    pub markets: Vec<Market>,
}

/// Reads one file of the book.
///
/// # Errors
/// File, line, key, and what would be right.
pub fn read(path: &str, text: &str) -> Result<Pages, ConfigError> {
    let origin = Origin { path, text };
    let root = DeTable::parse(text)
        .map_err(|e| origin.error(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
    let mut root = Table::new(origin, "the rule book", root.get_ref(), 0..0);
    let mut pages = Pages::default();
    for table in root.tables("market", "[[market]]")? {
        pages.markets.push(market(table)?);
    }
    for (kind, what) in TABLES {
        for table in root.tables(kind.name(), what)? {
            let row = row(kind, path, table)?;
            if let Some(other) = pages.rows.iter().find(|other| other.id == row.0.id) {
                let sentence =
                    format!("id `{}` is taken by line {}; every row needs its own", row.0.id, other.place.1);
                return Err(origin.error(row.1, sentence));
            }
            if let Some(other) = pages.rows.iter().find(|other| overlap(other, &row.0)) {
                let sentence = format!(
                    "row `{}` ({}) overlaps row `{}` of line {} ({}): on one day one row holds for {} of {}; set `valid_until` of the earlier one",
                    row.0.id,
                    row.0.validity(),
                    other.id,
                    other.place.1,
                    other.validity(),
                    kind.name(),
                    row.0.market
                );
                return Err(origin.error(row.1, sentence));
            }
            pages.rows.push(row.0);
        }
    }
    root.finish()?;
    Ok(pages)
}

const TABLES: [(Kind, &str); 9] = [
    (Kind::Tick, "[[tick]]"),
    (Kind::RoundLot, "[[round_lot]]"),
    (Kind::PriceBand, "[[price_band]]"),
    (Kind::Hours, "[[hours]]"),
    (Kind::Calendar, "[[calendar]]"),
    (Kind::Halts, "[[halts]]"),
    (Kind::LockedCrossed, "[[locked_crossed]]"),
    (Kind::OddLots, "[[odd_lots]]"),
    (Kind::Clock, "[[clock]]"),
];

/// Whether the two say something of the same thing on the same day.
pub fn overlap(a: &Row, b: &Row) -> bool {
    let (Some(a_from), Some(b_from)) = (a.valid_from, b.valid_from) else { return false };
    a.same_key(b)
        && a.valid_until.is_none_or(|until| b_from < until)
        && b.valid_until.is_none_or(|until| a_from < until)
}

fn market(mut table: Table<'_>) -> Result<Market, ConfigError> {
    let name = table.required("name")?.0.to_owned();
    let title = table.string("title")?.map_or(String::new(), |(text, _)| text.to_owned());
    let (zone, span) = table.required("zone")?;
    if jiff::tz::TimeZone::get(zone).is_err() {
        let sentence = format!("`zone = \"{zone}\"` is no time zone, such as America/New_York");
        return Err(table.error_at(&span, sentence));
    }
    let jurisdiction = table.required("jurisdiction")?.0.to_owned();
    table.finish()?;
    Ok(Market { name, title, zone: zone.to_owned(), jurisdiction })
}

fn row(kind: Kind, path: &str, mut table: Table<'_>) -> Result<(Row, usize), ConfigError> {
    let (id, id_span) = table.required("id")?;
    let market = table.required("market")?.0.to_owned();
    let class = table.string("class")?.map_or(String::new(), |(text, _)| text.to_owned());
    let (valid_from, valid_until) = validity(&mut table)?;
    let Some(verified) = table.boolean("verified")? else {
        return Err(
            table.error(format!("row `{id}` needs `verified = true` or `false`: was it seen in its source?"))
        );
    };
    let note = table.string("note")?.map_or(String::new(), |(text, _)| text.to_owned());
    let source = citation(&mut table, id)?;
    let values = match kind {
        Kind::Tick => Values::Tick(steps(&mut table)?),
        Kind::RoundLot => {
            let reference = table.string("reference")?.map_or(String::new(), |(text, _)| text.to_owned());
            Values::RoundLot(tiers(&mut table)?, reference)
        }
        Kind::PriceBand => Values::PriceBand(bands(&mut table)?),
        Kind::Hours => Values::Hours(hours(&mut table)?),
        Kind::Calendar => Values::Calendar(calendar(&mut table, valid_from, valid_until)?),
        Kind::Halts | Kind::LockedCrossed | Kind::OddLots => {
            let name = table.required("name")?.0.to_owned();
            Values::Policy(name, table.required("says")?.0.to_owned())
        }
        Kind::Clock => Values::Clock(clock(&mut table)?),
    };
    let place = (path.to_owned(), table.line_at(&id_span));
    let at = id_span.start;
    let id = id.to_owned();
    table.finish()?;
    let row = Row { id, kind, market, class, valid_from, valid_until, verified, source, note, place, values };
    Ok((row, at))
}

type Validity = (Option<Date>, Option<Date>);

fn validity(table: &mut Table<'_>) -> Result<Validity, ConfigError> {
    let status = table.string("status")?;
    let from = table.date("valid_from")?.map(|(date, _)| date);
    let until = table.date("valid_until")?;
    match status {
        Some(("proposed", _)) if from.is_none() && until.is_none() => return Ok((None, None)),
        Some(("proposed", span)) => {
            let sentence = "what is only proposed holds on no day: leave `valid_from` and `valid_until` out";
            return Err(table.error_at(&span, sentence));
        }
        Some(("in force", _)) | None => {}
        Some((other, span)) => {
            let sentence = format!("`status = \"{other}\"` is none: write \"in force\" or \"proposed\"");
            return Err(table.error_at(&span, sentence));
        }
    }
    let Some(from) = from else {
        return Err(table.error("the row needs `valid_from = 2026-03-02`, or `status = \"proposed\"`"));
    };
    if let Some((date, span)) = &until
        && *date <= from
    {
        let sentence = format!("`valid_until = {date}` is not after `valid_from = {from}`");
        return Err(table.error_at(span, sentence));
    }
    Ok((Some(from), until.map(|(date, _)| date)))
}

fn citation(table: &mut Table<'_>, id: &str) -> Result<Citation, ConfigError> {
    let Some(mut source) = table.table("source", "source")? else {
        let sentence = format!(
            "row `{id}` needs `source = {{ document = \"...\", section = \"...\", seen = 2026-03-02 }}`: a rule without its source proves nothing"
        );
        return Err(table.error(sentence));
    };
    let document = source.required("document")?.0.to_owned();
    let section = source.required("section")?.0.to_owned();
    let url = source.string("url")?.map_or(String::new(), |(text, _)| text.to_owned());
    let Some((seen, _)) = source.date("seen")? else {
        return Err(source.error("source needs `seen = 2026-03-02`, the day on which it was read"));
    };
    source.finish()?;
    Ok(Citation { document, section, url, seen })
}

/// A decimal of at most nine decimals that is not negative, in units of 1e-9.
fn decimal(table: &mut Table<'_>, key: &'static str) -> Result<Option<i64>, ConfigError> {
    let Some((text, span)) = table.string(key)? else { return Ok(None) };
    let found = parse_nanos(text).filter(|nanos| *nanos >= 0);
    found.map(Some).ok_or_else(|| {
        table.error_at(&span, format!("`{key} = \"{text}\"` is no decimal such as \"0.0001\""))
    })
}

/// A price that steps or levels go up by.
fn rising(table: &Table<'_>, key: &str, before: Option<i64>, price: i64) -> Result<(), ConfigError> {
    match before {
        Some(before) if price <= before => {
            Err(table.error_of(key, format!("`{key}` must rise from one to the next, lowest price first")))
        }
        _ => Ok(()),
    }
}

fn steps(table: &mut Table<'_>) -> Result<Vec<Step>, ConfigError> {
    let mut steps: Vec<Step> = Vec::new();
    for mut step in table.tables("steps", "steps")? {
        let Some(from_nanos) = decimal(&mut step, "from")? else {
            return Err(step.error("a step needs `from = \"0\"` and `tick = \"0.01\"`"));
        };
        let tick = decimal(&mut step, "tick")?.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        let Some(tick_nanos) = tick else {
            return Err(step.error("a step needs `tick = \"0.01\"`, more than 0"));
        };
        rising(&step, "from", steps.last().map(|s| s.from_nanos), from_nanos)?;
        step.finish()?;
        steps.push(Step { from_nanos, tick_nanos });
    }
    match steps.first() {
        Some(first) if first.from_nanos == 0 => Ok(steps),
        _ => {
            Err(table.error("the row needs `steps = [{ from = \"0\", tick = \"0.01\" }]`, the first from 0"))
        }
    }
}

fn tiers(table: &mut Table<'_>) -> Result<Vec<Tier>, ConfigError> {
    let mut tiers: Vec<Tier> = Vec::new();
    for mut tier in table.tables("tiers", "tiers")? {
        let up_to_nanos = decimal(&mut tier, "up_to")?;
        let lot = tier.unsigned("lot")?.and_then(|lot| u32::try_from(lot).ok()).filter(|lot| *lot > 0);
        let Some(lot) = lot else { return Err(tier.error("a tier needs `lot = 100`, from 1 on")) };
        match (tiers.last().map(|t| t.up_to_nanos), up_to_nanos) {
            (Some(None), _) => return Err(tier.error("only the last tier may leave `up_to` out")),
            (Some(before), Some(price)) => rising(&tier, "up_to", before, price)?,
            _ => {}
        }
        tier.finish()?;
        tiers.push(Tier { up_to_nanos, lot });
    }
    match tiers.last() {
        Some(Tier { up_to_nanos: None, .. }) => Ok(tiers),
        _ => Err(table.error("the row needs `tiers = [{ up_to = \"250.00\", lot = 100 }, { lot = 40 }]`, the last without `up_to`")),
    }
}

fn bands(table: &mut Table<'_>) -> Result<BandRule, ConfigError> {
    let mut levels: Vec<Level> = Vec::new();
    for mut level in table.tables("levels", "levels")? {
        let (below, up_to) = (decimal(&mut level, "below")?, decimal(&mut level, "up_to")?);
        if below.is_some() && up_to.is_some() {
            return Err(level.error("a level has `below` or `up_to`, not both"));
        }
        let limit_nanos = below.or(up_to);
        match (levels.last().map(|l| l.limit_nanos), limit_nanos) {
            (Some(None), _) => return Err(level.error("only the last level may leave its limit out")),
            (Some(before), Some(price)) => rising(&level, "up_to", before, price)?,
            _ => {}
        }
        let Some(milli_percent) = decimal(&mut level, "percent")?.map(|nanos| (nanos / 1_000_000) as u64)
        else {
            return Err(level.error("a level needs `percent = \"5\"`"));
        };
        let at_most_nanos = decimal(&mut level, "at_most")?;
        level.finish()?;
        levels.push(Level { limit_nanos, inclusive: up_to.is_some(), milli_percent, at_most_nanos });
    }
    if levels.last().is_none_or(|last| last.limit_nanos.is_some()) {
        return Err(table.error("the row needs `levels = [{ percent = \"5\" }]`, the last without a limit"));
    }
    let mut minutes = |key| {
        let minutes = table.unsigned(key)?.unwrap_or(0);
        u32::try_from(minutes)
            .ok()
            .filter(|m| *m <= 1440)
            .ok_or_else(|| table.error_of(key, format!("`{key}` is more than a day")))
    };
    let doubled_after_open_min = minutes("doubled_after_open_min")?;
    let doubled_before_close_min = minutes("doubled_before_close_min")?;
    let ends_before_close_min = minutes("ends_before_close_min")?;
    let doubled_before_close_up_to_nanos = decimal(table, "doubled_before_close_up_to")?;
    Ok(BandRule {
        levels,
        doubled_after_open_min,
        doubled_before_close_min,
        doubled_before_close_up_to_nanos,
        ends_before_close_min,
    })
}

/// A time of day such as `09:30`.
fn time_of(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn time(table: &mut Table<'_>, key: &'static str) -> Result<Option<Time>, ConfigError> {
    let Some((text, span)) = table.string(key)? else { return Ok(None) };
    time_of(text).map(Some).ok_or_else(|| {
        table.error_at(&span, format!("`{key} = \"{text}\"` is no time of day such as \"09:30\""))
    })
}

fn span(table: &mut Table<'_>, key: &'static str) -> Result<Option<[Time; 2]>, ConfigError> {
    let Some(texts) = table.strings(key)? else { return Ok(None) };
    let times: Vec<Time> = texts.iter().filter_map(|(text, _)| time_of(text)).collect();
    match times.as_slice() {
        [from, until] if texts.len() == 2 && from < until => Ok(Some([*from, *until])),
        _ => Err(table
            .error_of(key, format!("`{key}` wants two times of one day, such as [\"09:30\", \"16:00\"]"))),
    }
}

fn hours(table: &mut Table<'_>) -> Result<Hours, ConfigError> {
    let order_entry = time(table, "order_entry")?;
    let (pre, regular, post) = (span(table, "pre")?, span(table, "regular")?, span(table, "post")?);
    let week = week(table)?;
    let holidays_of = table.string("holidays_of")?.map(|(text, _)| text.to_owned());
    if !week.is_empty() {
        if order_entry.or(pre.map(|p| p[0])).is_some() || regular.is_some() || post.is_some() {
            return Err(
                table.error_of("week", "`week` says all of the hours: leave the sessions of a day out")
            );
        }
        return Ok(Hours { week, holidays_of, ..Hours::default() });
    }
    let Some([opens, closes]) = regular else {
        return Err(table.error(
            "the row needs `regular = [\"09:30\", \"16:00\"]`, or `week = [\"Sun 17:00 - Mon 16:00\"]`",
        ));
    };
    let in_order = order_entry.is_none_or(|t| t <= pre.map_or(opens, |p| p[0]))
        && pre.is_none_or(|p| p[1] <= opens)
        && post.is_none_or(|p| closes <= p[0]);
    let hours = Hours {
        order_entry,
        pre,
        regular,
        post,
        closing: time(table, "closing")?,
        early_until: time(table, "early_until")?,
        extended_unknown: unknown(table, "extended")?,
        night_unknown: unknown(table, "night")?,
        week,
        holidays_of,
    };
    if !in_order {
        return Err(
            table.error("`order_entry`, `pre`, `regular` and `post` must follow each other in the day")
        );
    }
    Ok(hours)
}

/// Whether the key says `"unknown"`; anything else is an error.
fn unknown(table: &mut Table<'_>, key: &'static str) -> Result<bool, ConfigError> {
    match table.string(key)? {
        None => Ok(false),
        Some(("unknown", _)) => Ok(true),
        Some((other, span)) => {
            let sentence = format!("`{key} = \"{other}\"`: write \"unknown\", or leave it out");
            Err(table.error_at(&span, sentence))
        }
    }
}

/// A moment of the week such as `Sun 17:00`, in minutes since Sunday, midnight.
fn minute_of_week(text: &str) -> Option<u16> {
    let (day, time) = text.trim().split_once(' ')?;
    let day = WEEKDAYS.iter().position(|name| *name == day)? as u16;
    let time = time_of(time)?;
    Some(day * 1_440 + time.hour() as u16 * 60 + time.minute() as u16)
}

/// Stretches of the week; none that touch or go back.
fn week(table: &mut Table<'_>) -> Result<Vec<WeekSpan>, ConfigError> {
    let mut week: Vec<WeekSpan> = Vec::new();
    for (text, at) in table.strings("week")?.unwrap_or_default() {
        let span = text.split_once(" - ").and_then(|(from, until)| {
            Some(WeekSpan { from: minute_of_week(from)?, until: minute_of_week(until)? })
        });
        let last = week.last().map_or(0, |span| span.until);
        match span {
            Some(span) if span.from < span.until && (week.is_empty() || last < span.from) => week.push(span),
            Some(_) => {
                let sentence = format!("`{text}` does not come after what stands before it in the week");
                return Err(table.error_at(&at, sentence));
            }
            None => {
                let sentence = format!("`{text}` is no stretch of a week, such as \"Sun 17:00 - Mon 16:00\"");
                return Err(table.error_at(&at, sentence));
            }
        }
    }
    Ok(week)
}

fn calendar(
    table: &mut Table<'_>,
    from: Option<Date>,
    until: Option<Date>,
) -> Result<Vec<SpecialDay>, ConfigError> {
    let mut days: Vec<SpecialDay> = Vec::new();
    for (key, early) in [("closed", false), ("early", true), ("unknown", false)] {
        for (text, span) in table.strings(key)?.unwrap_or_default() {
            let wanted = if early {
                "\"2026-11-27 13:00 day after Thanksgiving\""
            } else {
                "\"2026-01-01 New Year's Day\""
            };
            let day = special_day(text, key)
                .ok_or_else(|| table.error_at(&span, format!("`{text}` is no day; write {wanted}")))?;
            let inside = from.is_none_or(|f| f <= day.date) && until.is_none_or(|u| day.date < u);
            if !inside {
                return Err(table.error_at(&span, format!("{} lies outside of the row's own days", day.date)));
            }
            if days.iter().any(|d| d.date == day.date) {
                return Err(table.error_at(&span, format!("{} is said twice", day.date)));
            }
            days.push(day);
        }
    }
    days.sort_by_key(|day| day.date);
    Ok(days)
}

fn special_day(text: &str, key: &str) -> Option<SpecialDay> {
    let (date, rest) = text.split_once(' ')?;
    let date: Date = date.parse().ok()?;
    let (what, name) = match key {
        "early" => {
            let (close, name) = rest.split_once(' ')?;
            (Special::Early(time_of(close)?), name)
        }
        "unknown" => (Special::Unknown, rest),
        _ => (Special::Closed, rest),
    };
    Some(SpecialDay { date, what, name: name.to_owned() })
}

fn clock(table: &mut Table<'_>) -> Result<ClockRule, ConfigError> {
    let Some(tolerance_ns) = table.duration("tolerance")?.filter(|ns| *ns > 0) else {
        return Err(table.error("the row needs `tolerance = \"50ms\"`, more than 0"));
    };
    let granularity_ns = table.duration("granularity")?;
    let reference = table.required("reference")?.0.to_owned();
    let log = table.string("log")?.map_or(String::new(), |(text, _)| text.to_owned());
    Ok(ClockRule { tolerance_ns, granularity_ns, reference, log })
}
