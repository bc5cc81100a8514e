//! When a market trades: the session at a moment, worked out from its hours and its calendar.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::Book;
use super::row::{Hours, Kind, NIGHT, Row, Special, Values};

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

    /// The midnight, nanoseconds since 1970 UTC, at which a day of the market begins: from there on a row that begins on that
    /// day holds. 0 before 1970.
    pub fn midnight_ns(&self, market: &str, date: Date) -> u64 {
        ns(&self.zone(market), date, Time::midnight())
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

    /// What the market as a whole does at `ts_ns`, nanoseconds since 1970 UTC.
    pub fn session(&self, market: &str, ts_ns: u64) -> Session<'_> {
        self.session_of(market, "", ts_ns)
    }

    /// [`Book::session`] for a class of its products that has hours of its own, such as `equity-index`; empty for all.
    pub fn session_of(&self, market: &str, class: &str, ts_ns: u64) -> Session<'_> {
        let day = self.day(market, ts_ns);
        let mut session = Session {
            state: SessionState::Unknown,
            from_ns: day.from_ns,
            until_ns: day.until_ns,
            day,
            hours: self.find(Kind::Hours, market, class, day.date),
            calendar: self.find(Kind::Calendar, market, class, day.date),
            special: "",
        };
        let Some(Values::Hours(hours)) = session.hours.map(|row| &row.values) else { return session };
        let boundaries = if hours.week.is_empty() {
            self.day_boundaries(hours, &mut session)
        } else {
            self.week_boundaries(market, class, hours, &mut session)
        };
        let zone = self.zone(market);
        for (time, state) in boundaries {
            let at = if time == Time::midnight() { day.from_ns } else { ns(&zone, day.date, time) };
            if at <= ts_ns {
                (session.state, session.from_ns) = (state, at.max(day.from_ns));
            } else {
                session.until_ns = at.min(day.until_ns);
                break;
            }
        }
        session
    }

    /// What begins when on the day of `session`, in order of time, in a market with sessions of a day.
    fn day_boundaries(&self, hours: &Hours, session: &mut Session<'_>) -> Vec<(Time, SessionState)> {
        let weekday = session.day.date.weekday();
        let night = hours.night_unknown && !matches!(weekday, Weekday::Friday | Weekday::Saturday);
        let evening = night.then_some((NIGHT, SessionState::Unknown));
        let closed = || [(Time::midnight(), SessionState::Closed)].into_iter().chain(evening).collect();
        if matches!(weekday, Weekday::Saturday | Weekday::Sunday) {
            session.special = "weekend";
            return closed();
        }
        let Some(Values::Calendar(days)) = session.calendar.map(|row| &row.values) else { return Vec::new() };
        let special = days.iter().find(|special| special.date == session.day.date);
        session.special = special.map_or("", |special| special.name.as_str());
        let close = match special.map(|special| special.what) {
            Some(Special::Closed) => return closed(),
            Some(Special::Unknown) => return Vec::new(),
            Some(Special::Early(close)) => Some(close),
            None => None,
        };
        let mut out = sessions_of_day(hours, close);
        out.extend(evening);
        out
    }

    /// What the calendar says of a trade date of a market with a `week`; `None` for a normal one. The market's own
    /// calendar says what trades; of a borrowed one, every special day is unknown. And whether it is borrowed, and its row.
    fn trade_date<'b>(&'b self, key: (&str, &str), hours: &Hours, date: Date) -> TradeDate<'b> {
        let own = self.find(Kind::Calendar, key.0, key.1, date);
        let borrowed = || self.find(Kind::Calendar, hours.holidays_of.as_deref()?, "", date);
        let row = own.or_else(borrowed);
        let unknown = TradeDate { what: Some(Special::Unknown), name: "", row, borrowed: own.is_none() };
        let Some(Values::Calendar(days)) = row.map(|row| &row.values) else { return unknown };
        match days.iter().find(|special| special.date == date) {
            None => TradeDate { what: None, ..unknown },
            Some(special) if own.is_none() => TradeDate { name: &special.name, ..unknown },
            Some(special) => TradeDate { what: Some(special.what), name: &special.name, ..unknown },
        }
    }

    /// What begins when on the day of `session`, in order of time, in a market that trades through the night.
    fn week_boundaries<'b>(
        &'b self,
        market: &str,
        class: &str,
        hours: &'b Hours,
        session: &mut Session<'b>,
    ) -> Vec<(Time, SessionState)> {
        let date = session.day.date;
        let today = self.trade_date((market, class), hours, date);
        let tomorrow =
            date.tomorrow().ok().and_then(|date| self.trade_date((market, class), hours, date).what);
        (session.calendar, session.special) = (today.row, today.name);
        let day = date.weekday().to_sunday_zero_offset() as u16 * 1_440;
        let mut boundaries = vec![(0, SessionState::Closed)];
        for span in hours.week.iter().filter(|span| span.from < day + 1_440 && day < span.until) {
            let (from, mut until) = (span.from.saturating_sub(day), (span.until - day).min(1_440));
            // A session that begins in the evening is the next day's.
            let evening = span.until > day + 1_440 && span.from > day;
            let what = match evening {
                true if today.borrowed => today.what.or(tomorrow),
                true => tomorrow,
                false => today.what,
            };
            let state = match what {
                Some(Special::Closed) => continue,
                Some(Special::Unknown) => SessionState::Unknown,
                Some(Special::Early(close)) if !evening => {
                    until = until.min(close.hour() as u16 * 60 + close.minute() as u16);
                    SessionState::Regular
                }
                Some(Special::Early(_)) | None => SessionState::Regular,
            };
            if from < until {
                boundaries.retain(|(minute, _)| *minute != from);
                boundaries.extend([(from, state), (until, SessionState::Closed)]);
            }
        }
        let time =
            |minute: u16| Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).unwrap_or_default();
        let of_today = boundaries.into_iter().filter(|(minute, _)| *minute < 1_440);
        of_today.map(|(minute, state)| (time(minute), state)).collect()
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

/// A day of trading in a market that trades through the night.
#[derive(Debug, Clone, Copy)]
struct TradeDate<'b> {
    what: Option<Special>,
    name: &'b str,
    row: Option<&'b Row>,
    borrowed: bool,
}

/// What begins when on a day of trading, in order of time; `close` is that of an early close.
fn sessions_of_day(hours: &Hours, close: Option<Time>) -> Vec<(Time, SessionState)> {
    let known = |unknown: bool| if unknown { SessionState::Unknown } else { SessionState::Closed };
    let outside = known(hours.extended_unknown);
    let mut out = vec![(Time::midnight(), known(hours.extended_unknown || hours.night_unknown))];
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
