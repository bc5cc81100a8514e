//! One row of the book: what holds, where, from when to when, and who says so.

use jiff::civil::{Date, Time};

use crate::config::reader::duration_text;
use crate::market::price::show_nanos;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Minimum pricing increments.
    Tick,
    /// Round lots.
    RoundLot,
    /// Limit up-limit down price bands.
    PriceBand,
    /// Session hours of a normal day.
    Hours,
    /// Closed days and early closes.
    Calendar,
    /// When trading stops, and who says so.
    Halts,
    /// Locked and crossed markets.
    LockedCrossed,
    /// What the consolidated tape says of odd lots.
    OddLots,
    /// How far a business clock may be off.
    Clock,
}

impl Kind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Kind; 9] = [
        Kind::Tick,
        Kind::RoundLot,
        Kind::PriceBand,
        Kind::Hours,
        Kind::Calendar,
        Kind::Halts,
        Kind::LockedCrossed,
        Kind::OddLots,
        Kind::Clock,
    ];

    /// Name of its tables in the book (`[[tick]]`), and in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Tick => "tick",
            Kind::RoundLot => "round_lot",
            Kind::PriceBand => "price_band",
            Kind::Hours => "hours",
            Kind::Calendar => "calendar",
            Kind::Halts => "halts",
            Kind::LockedCrossed => "locked_crossed",
            Kind::OddLots => "odd_lots",
            Kind::Clock => "clock",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Title or number of the document.
    pub document: String,
    /// Where in it.
    pub section: String,
    /// Where it was read; empty when nowhere public.
    pub url: String,
    /// When it was read.
    pub seen: Date,
}

/// From this price on, this increment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Price, units of 1e-9.
    pub from_nanos: i64,
    /// Increment, units of 1e-9.
    pub tick_nanos: u64,
}

/// Up to this reference price, this lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Inclusive, units of 1e-9; `None` for the last.
    pub up_to_nanos: Option<i64>,
    /// Shares.
    pub lot: u32,
}

/// Up to this reference price, this width of a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Units of 1e-9; `None` for the last.
    pub limit_nanos: Option<i64>,
    /// Whether the limit itself still belongs to the level.
    pub inclusive: bool,
    /// Percentage, thousandths of a per cent.
    pub milli_percent: u64,
    /// The width is never more than this, units of 1e-9.
    pub at_most_nanos: Option<i64>,
}

/// Price bands of one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandRule {
    /// By reference price, lowest first.
    pub levels: Vec<Level>,
    /// Doubled for so many minutes after the open.
    pub doubled_after_open_min: u32,
    /// Doubled for so many minutes before the close.
    pub doubled_before_close_min: u32,
    /// The doubling before the close is for reference prices up to this one, inclusive; `None` for all.
    pub doubled_before_close_up_to_nanos: Option<i64>,
    /// No bands for so many minutes before the close.
    pub ends_before_close_min: u32,
}

/// Hours of a normal day, local time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hours {
    /// Orders are taken from here on, and do not trade.
    pub order_entry: Option<Time>,
    /// Session before the regular one.
    pub pre: Option<[Time; 2]>,
    /// The regular session; `None` where `week` says when trading goes on.
    pub regular: Option<[Time; 2]>,
    /// Session after it.
    pub post: Option<[Time; 2]>,
    /// When the closing auction is held.
    pub closing: Option<Time>,
    /// When the session after an early close ends.
    pub early_until: Option<Time>,
    /// Only what is named here is known: what is outside of it is not known to be closed.
    pub extended_unknown: bool,
    /// From [`NIGHT`] to the next day's first session it is not known whether it trades.
    pub night_unknown: bool,
    /// Of a market that trades through the night: when it trades, in order of time.
    pub week: Vec<WeekSpan>,
    /// With `week`, where the class has no calendar of its own: on the closed days and early closes of this market, and the
    /// evenings before them, the hours are others, which the book does not have.
    pub holidays_of: Option<String>,
}

/// When a day of trading ends, and what is traded for the next one may begin.
pub const NIGHT: Time = Time::constant(20, 0, 0, 0);

/// Minutes since Sunday, midnight.
pub const WEEK_MIN: u16 = 7 * 1_440;

/// A stretch of a week in which a market trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeekSpan {
    /// First minute since Sunday, midnight, local time.
    pub from: u16,
    /// First minute after it.
    pub until: u16,
}

/// Days of a week as the book writes them.
pub const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// What a special day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// It does not open.
    Closed,
    /// It closes at this time.
    Early(Time),
    /// It differs from a normal day, and the book does not know how.
    Unknown,
}

/// A day on which a market does not trade, closes early, or is not known to trade as ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecialDay {
    /// When.
    pub date: Date,
    /// What it is.
    pub what: Special,
    /// Why.
    pub name: String,
}

/// How far a clock may be off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockRule {
    /// Nanoseconds, either way.
    pub tolerance_ns: u64,
    /// How finely it must record, nanoseconds; `None` where the row does not say.
    pub granularity_ns: Option<u64>,
    /// From whose time.
    pub reference: String,
    /// What the rule asks to be kept.
    pub log: String,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// See [`Kind::Tick`]; lowest price first, the first from 0.
    Tick(Vec<Step>),
    /// See [`Kind::RoundLot`]; and what the reference price is, empty where it does not matter.
    RoundLot(Vec<Tier>, String),
    /// See [`Kind::PriceBand`].
    PriceBand(BandRule),
    /// See [`Kind::Hours`].
    Hours(Hours),
    /// See [`Kind::Calendar`]; in order of date.
    Calendar(Vec<SpecialDay>),
    /// A name and a sentence: [`Kind::Halts`], [`Kind::LockedCrossed`], [`Kind::OddLots`].
    Policy(String, String),
    /// See [`Kind::Clock`].
    Clock(ClockRule),
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name, unique in its file.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// For which market: a MIC or a jurisdiction.
    pub market: String,
    /// For whom within the market; empty for all.
    pub class: String,
    /// First day on which it holds; `None` for what was only proposed.
    pub valid_from: Option<Date>,
    /// First day on which it holds no more.
    pub valid_until: Option<Date>,
    /// Whether dates and figures were seen in the source.
    pub verified: bool,
    /// Who says so.
    pub source: Citation,
    /// What else must be known; empty for nothing.
    pub note: String,
    /// The file and line where it is written.
    pub place: (String, usize),
    /// What it says.
    pub values: Values,
}

impl Row {
    /// Whether it is only a proposal: it holds on no day.
    pub fn is_proposed(&self) -> bool {
        self.valid_from.is_none()
    }

    /// Whether it holds on `date`.
    pub fn holds_on(&self, date: Date) -> bool {
        self.valid_from.is_some_and(|from| from <= date) && self.valid_until.is_none_or(|until| date < until)
    }

    /// Whether the two speak of the same thing.
    pub fn same_key(&self, other: &Row) -> bool {
        self.kind == other.kind && self.market == other.market && self.class == other.class
    }

    /// From when to when, in words.
    pub fn validity(&self) -> String {
        match (self.valid_from, self.valid_until) {
            (None, _) => "proposed".to_owned(),
            (Some(from), None) => format!("from {from}"),
            (Some(from), Some(until)) => format!("from {from} until {until}"),
        }
    }

    /// What it says, as names and values.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match &self.values {
            Values::Tick(steps) => {
                vec![("increments", steps.iter().map(step).collect::<Vec<_>>().join(", "))]
            }
            Values::RoundLot(tiers, reference) => {
                let mut facts = vec![("lots", lots(tiers))];
                if !reference.is_empty() {
                    facts.push(("by", reference.clone()));
                }
                facts
            }
            Values::PriceBand(rule) => bands(rule),
            Values::Hours(hours) => hour_facts(hours),
            Values::Calendar(days) => days.iter().map(day).collect(),
            Values::Policy(name, says) => vec![("name", name.clone()), ("says", says.clone())],
            Values::Clock(clock) => {
                let mut facts = vec![
                    ("tolerance", duration_text(clock.tolerance_ns)),
                    ("reference", clock.reference.clone()),
                ];
                if let Some(ns) = clock.granularity_ns {
                    facts.push(("granularity", duration_text(ns)));
                }
                facts.push(("log", clock.log.clone()));
                facts
            }
        }
    }
}

fn step(step: &Step) -> String {
    let tick = show_nanos(i64::try_from(step.tick_nanos).unwrap_or(i64::MAX));
    format!("{tick} from {}", show_nanos(step.from_nanos))
}

fn lots(tiers: &[Tier]) -> String {
    let tier = |t: &Tier| match t.up_to_nanos {
        Some(up_to) => format!("{} up to {}", t.lot, show_nanos(up_to)),
        None if tiers.len() == 1 => t.lot.to_string(),
        None => format!("{} above", t.lot),
    };
    tiers.iter().map(tier).collect::<Vec<_>>().join(", ")
}

/// Thousandths of a per cent, as a decimal.
pub fn percent(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn bands(rule: &BandRule) -> Vec<(&'static str, String)> {
    let level = |level: &Level| {
        let limit = match (level.limit_nanos, level.inclusive) {
            (Some(limit), true) => format!("up to {}", show_nanos(limit)),
            (Some(limit), false) => format!("below {}", show_nanos(limit)),
            (None, _) => "above".to_owned(),
        };
        let cap =
            level.at_most_nanos.map_or(String::new(), |cap| format!(" but at most {}", show_nanos(cap)));
        format!("{limit}: {} %{cap}", percent(level.milli_percent))
    };
    let levels = rule.levels.iter().map(level).collect::<Vec<_>>().join(", ");
    let mut doubled = Vec::new();
    if rule.doubled_after_open_min > 0 {
        doubled.push(format!("the first {} minutes", rule.doubled_after_open_min));
    }
    if rule.doubled_before_close_min > 0 {
        let who = rule
            .doubled_before_close_up_to_nanos
            .map_or(String::new(), |limit| format!(" up to a reference price of {}", show_nanos(limit)));
        doubled.push(format!("the last {} minutes{who}", rule.doubled_before_close_min));
    }
    let doubled = if doubled.is_empty() { "never".to_owned() } else { doubled.join(" and ") };
    let mut facts = vec![("percentages", levels), ("doubled", doubled)];
    if rule.ends_before_close_min > 0 {
        facts.push(("no bands", format!("the last {} minutes", rule.ends_before_close_min)));
    }
    facts
}

/// A time of day as the book writes it.
pub fn clock_time(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn hour_facts(hours: &Hours) -> Vec<(&'static str, String)> {
    let span = |[from, until]: [Time; 2]| format!("{} to {}", clock_time(from), clock_time(until));
    let mut facts = Vec::new();
    let mut fact = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    fact("order_entry", hours.order_entry.map(clock_time));
    fact("pre", hours.pre.map(span));
    fact("regular", hours.regular.map(span));
    fact("post", hours.post.map(span));
    fact("closing", hours.closing.map(clock_time));
    fact("early_until", hours.early_until.map(clock_time));
    fact("extended", hours.extended_unknown.then(|| "unknown".to_owned()));
    fact("night", hours.night_unknown.then(|| format!("unknown from {} on", clock_time(NIGHT))));
    let week: Vec<String> = hours.week.iter().map(week_span).collect();
    fact("week", (!week.is_empty()).then(|| week.join(", ")));
    fact("holidays", hours.holidays_of.as_ref().map(|market| format!("on those of {market} unknown")));
    facts
}

fn week_span(span: &WeekSpan) -> String {
    let at = |minute: u16| {
        let day = WEEKDAYS[usize::from(minute / 1_440) % 7];
        format!("{day} {:02}:{:02}", minute % 1_440 / 60, minute % 60)
    };
    format!("{} - {}", at(span.from), at(span.until))
}

fn day(day: &SpecialDay) -> (&'static str, String) {
    match day.what {
        Special::Closed => ("closed", format!("{} {}", day.date, day.name)),
        Special::Early(close) => ("early", format!("{} {} {}", day.date, clock_time(close), day.name)),
        Special::Unknown => ("unknown", format!("{} {}", day.date, day.name)),
    }
}
