//! When a market trades: the session at a moment, worked out from its hours and its calendar.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::Book;
use super::row::{Hours, Kind, Row, Values};

/// A place that trades, or a jurisdiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// MIC, or another name that rows use.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Its time zone (IANA).
    pub zone: String,
    /// Whose rules hold where no row names it.
    pub jurisdiction: String,
}

/// What a market does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SessionState {
    /// It does not trade.
    Closed,
    /// Orders are taken, nothing trades yet.
    OrderEntry,
    /// Session before the regular one.
    Pre,
    /// The regular session.
    Regular,
    /// Session after it.
    Post,
    /// The book does not know.
    Unknown,
}

impl SessionState {
    /// Name in summaries.
    pub const fn name(self) -> &'static str {
        match self {
            SessionState::Closed => "closed",
            SessionState::OrderEntry => "order_entry",
            SessionState::Pre => "pre",
            SessionState::Regular => "regular",
            SessionState::Post => "post",
            SessionState::Unknown => "unknown",
        }
    }
}

/// A local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// Its midnight, nanoseconds since 1970 UTC.
    pub from_ns: u64,
    /// The midnight at its end.
    pub until_ns: u64,
}

/// What a market does at a moment, since when and until when, and by which rows.
#[derive(Debug, Clone, Copy)]
pub struct Session<'b> {
    /// What.
    pub state: SessionState,
    /// Since when, nanoseconds since 1970 UTC; never before the day began.
    pub from_ns: u64,
    /// Until when; never beyond the end of the day.
    pub until_ns: u64,
    /// The local day.
    pub day: Day,
    /// Its hours.
    pub hours: Option<&'b Row>,
    /// Its calendar.
    pub calendar: Option<&'b Row>,
    /// What is special about the day, such as `Thanksgiving Day`; empty for nothing.
    pub special: &'b str,
}

/// The nanosecond of a local time.
fn ns(zone: &TimeZone, date: Date, time: Time) -> u64 {
    let zoned = date.to_datetime(time).to_zoned(zone.clone());
    let found = zoned.ok().and_then(|z| u64::try_from(z.timestamp().as_nanosecond()).ok());
    found.unwrap_or(0)
}

impl Book {
    fn zone(&self, market: &str) -> TimeZone {
        let zone = self.market(market).and_then(|m| TimeZone::get(&m.zone).ok());
        zone.unwrap_or(TimeZone::UTC)
    }

    /// The local day of a moment in the market; that of UTC for a market that the book does not know.
    pub fn day(&self, market: &str, ts_ns: u64) -> Day {
        let zone = self.zone(market);
        let time = Timestamp::from_nanosecond(i128::from(ts_ns)).unwrap_or(Timestamp::MAX);
        let date = time.to_zoned(zone.clone()).date();
        let until_ns = date.tomorrow().map_or(u64::MAX, |date| ns(&zone, date, Time::midnight()));
        // What lies at the end of time has no tomorrow to wait for.
        Day {
            date,
            from_ns: ns(&zone, date, Time::midnight()).min(ts_ns),
            until_ns: until_ns.max(ts_ns.saturating_add(1)),
        }
    }

    /// What the market does at `ts_ns`, nanoseconds since 1970 UTC.
    pub fn session(&self, market: &str, ts_ns: u64) -> Session<'_> {
        let day = self.day(market, ts_ns);
        let hours = self.find(Kind::Hours, market, "", day.date);
        let calendar = self.find(Kind::Calendar, market, "", day.date);
        let mut session = Session {
            state: SessionState::Unknown,
            from_ns: day.from_ns,
            until_ns: day.until_ns,
            day,
            hours,
            calendar,
            special: "",
        };
        let Some(Values::Hours(of_day)) = hours.map(|row| &row.values) else { return session };
        if !of_day.week.is_empty() {
            return self.week_session(market, of_day, session, ts_ns);
        }
        if matches!(day.date.weekday(), Weekday::Saturday | Weekday::Sunday) {
            (session.state, session.special) = (SessionState::Closed, "weekend");
            return session;
        }
        let Some(Values::Calendar(days)) = calendar.map(|row| &row.values) else { return session };
        let special = days.iter().find(|special| special.date == day.date);
        session.special = special.map_or("", |special| special.name.as_str());
        let close = match special {
            Some(special) if special.close.is_none() => {
                session.state = SessionState::Closed;
                return session;
            }
            special => special.and_then(|special| special.close),
        };
        let zone = self.zone(market);
        for (time, state) in boundaries(of_day, close) {
            let at = ns(&zone, day.date, time);
            if at <= ts_ns {
                (session.state, session.from_ns) = (state, at.max(day.from_ns));
            } else {
                session.until_ns = at;
                break;
            }
        }
        session
    }

    /// The session of a market that trades through the night.
    fn week_session<'b>(
        &'b self,
        market: &str,
        hours: &'b Hours,
        mut session: Session<'b>,
        ts_ns: u64,
    ) -> Session<'b> {
        let date = session.day.date;
        let calendar_of = hours.holidays_of.as_deref().unwrap_or(market);
        let special = |date: Date| -> Option<&'b str> {
            let row = self.find(Kind::Calendar, calendar_of, "", date)?;
            let Values::Calendar(days) = &row.values else { return None };
            Some(days.iter().find(|special| special.date == date).map_or("", |special| special.name.as_str()))
        };
        let today = special(date);
        let tomorrow = date.tomorrow().ok().and_then(special);
        session.calendar = self.find(Kind::Calendar, calendar_of, "", date);
        session.special = today.unwrap_or("");
        // What trades on a normal day: whether it does on this one is known where the calendar knows the day.
        let usual = |known: Option<&str>| match known {
            Some("") => SessionState::Regular,
            _ => SessionState::Unknown,
        };
        let day = date.weekday().to_sunday_zero_offset() as u16 * 1_440;
        let zone = self.zone(market);
        let mut boundaries = vec![(0, SessionState::Closed)];
        for span in hours.week.iter().filter(|span| span.from < day + 1_440 && day < span.until) {
            let (from, until) = (span.from.saturating_sub(day), (span.until - day).min(1_440));
            // A session that begins in the evening is the next day's.
            let state = match span.until > day + 1_440 && span.from > day {
                true if today == Some("") => usual(tomorrow),
                _ => usual(today),
            };
            boundaries.retain(|(minute, _)| *minute != from);
            boundaries.extend([(from, state), (until, SessionState::Closed)]);
        }
        for (minute, state) in boundaries.into_iter().filter(|(minute, _)| *minute < 1_440) {
            let at = match minute {
                0 => session.day.from_ns,
                _ => {
                    let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0);
                    ns(&zone, date, time.unwrap_or_default())
                }
            };
            if at <= ts_ns {
                (session.state, session.from_ns) = (state, at.max(session.day.from_ns));
            } else {
                session.until_ns = at.min(session.until_ns);
                break;
            }
        }
        session
    }

    /// How long a market was in which state from `from_ns` to `until_ns`, by name, in order of first sight.
    pub fn sessions_between(&self, market: &str, from_ns: u64, until_ns: u64) -> Vec<(SessionState, u64)> {
        let mut spent: Vec<(SessionState, u64)> = Vec::new();
        let mut at = from_ns;
        // A session is never empty, so that a year of data takes a few thousand steps; more is nobody's data.
        for _ in 0..SESSIONS_MAX {
            let session = self.session(market, at);
            let end = session.until_ns.min(until_ns).max(at);
            match spent.iter_mut().find(|(state, _)| *state == session.state) {
                Some((_, ns)) => *ns += end - at,
                None => spent.push((session.state, end - at)),
            }
            at = end;
            if at >= until_ns {
                break;
            }
        }
        spent
    }
}

/// Ten years of days with five sessions.
const SESSIONS_MAX: usize = 20_000;

/// What begins when, in order of time; `close` is that of an early close.
fn boundaries(hours: &Hours, close: Option<Time>) -> Vec<(Time, SessionState)> {
    let outside = if hours.extended_unknown { SessionState::Unknown } else { SessionState::Closed };
    let mut out = vec![(Time::midnight(), outside)];
    out.extend(hours.order_entry.map(|time| (time, SessionState::OrderEntry)));
    if let Some([from, until]) = hours.pre {
        out.extend([(from, SessionState::Pre), (until, outside)]);
    }
    let Some([from, until]) = hours.regular else { return out };
    let until = close.map_or(until, |close| close.min(until));
    out.extend([(from, SessionState::Regular), (until, outside)]);
    if let Some([from, end]) = hours.post {
        let from = if close.is_some() { until } else { from };
        let end = close.and(hours.early_until).unwrap_or(end);
        if from < end {
            out.extend([(from, SessionState::Post), (end, outside)]);
        }
    }
    out
}
