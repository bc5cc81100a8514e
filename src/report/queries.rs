//! The named queries, one file each.

use feeds::feed::SequenceUnit;

use super::clock_rule::ClockRules;
use super::range::Range;

/// One query, and the table that it makes.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// Its name: of the file, of the table in CSV.
    pub name: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What its figures mean, in a sentence or two.
    pub about: &'static str,
    template: &'static str,
}

macro_rules! queries {
    ($($name:literal, $title:literal, $about:literal;)*) => {
        /// Every query of a report, in the order of its tables.
        pub const QUERIES: &[Query] = &[$(Query {
            name: $name,
            title: $title,
            about: $about,
            template: include_str!(concat!("queries/", $name, ".sql")),
        },)*];
    };
}

queries! {
    "sources", "Availability", "Of the time watched, the part in which the source was not told as silent, rounded down. A source of which nothing arrived has no availability, it has no data. Unreadable: packets and messages that could not be read. Refused: packets whose numbers or session cannot be.";
    "gaps", "Completeness", "Messages lost on every line of a channel, by their numbers: packets, where the feed numbers those. Unrecovered: missing, less those that came too late. Complete: of all numbers, the part that arrived in time. Suspect: time from each gap until its end was told, the channels of the source added up.";
    "lines", "Lines", "Packets of which something was first on the line, and what it lost or delayed. Only here: messages that no other line brought in time, so what would have been missing without it. Packets, where the feed numbers those.";
    "latency", "Latency", "Time from the first to the second named point, in the columns that the US tape publishes; histograms of the range added up, three digits. Negative values are kept: they are evidence about clocks, or say that the second was first. Clock error: plus or minus so much, as the configuration says of the clocks that stamp arrivals (clock_error); of two sources the sum; - where it says nothing.";
    "agreement", "Agreement", "Comparable time of both sides of all instruments added up, the part in which both showed the same price (rounded down), and who was first with an update that both showed. Clock error: two updates closer together have no order, by what the configuration says of the clocks.";
    "discrepancies", "Time told by kind and cause", "From the beginning to the end of what was told; instruments, sides and lines added up.";
    "segments", "Disagreements by what they were", "Flight: explained by one being a little later. Brief: over before it would have been told.";
    "held", "Not compared, by reason", "Time counted as comparable time is, and the differences that began in it and were not judged.";
    "crossing", "Crossed and locked", "Source: within one book, a data error. Sources: bid of one against ask of the other. Venues: across venues of one source, a state of the market. However brief; continuous trading only.";
    "stale", "Stale and silent", "Alerts, and how long they lasted.";
    "instruments", "Worst instruments", "Whole days (UTC) that the range touches. Time apart: comparable time in which two sources differed, late ones too. Alert time: how long what was told of it lasted.";
    "suppressed", "Held back", "What would have been told, and why it was not.";
    "alerts", "Alerts", "Raised in the range.";
    "alerts_per_hour", "Busiest hours", "Hours (UTC) with most alerts; hours without any are left out.";
    "bursts", "Microbursts", "Most messages, packets and bytes in any stretch of the length, aligned to it; not always the same stretch. Messages by their numbers: packets, where the feed numbers those. Busiest: the interval of the first with most messages, or its day where intervals are no longer kept.";
    "venue_clocks", "Venue clocks", "Receive time less the venue's own time of every packet. After receipt: stamps later than the receipt of their packet. Backwards: earlier than the source's own latest.";
    "host_clock", "Clocks of our machines", "What the kernel of each machine said of its clock while a daemon ran there. Every look is judged by the row of the rule book that holds on its day. Out of tolerance: not synchronised, or offset and greatest error together beyond the rule's tolerance. Host and time source are the configuration's words.";
    "clock_log", "Clock log", "The first look of every day (UTC) and every change: synchronised or not, in tolerance or not, the rule that holds. Offset: the kernel's estimate of how far the clock was off; error most: the most that it could be. Kept by: as far as the kernel knows.";
    "contradictions", "Book contradictions", "Messages that contradict the book built so far.";
    "unreadable", "What could not be read", "Where each kind was first seen: packets and messages, by the name of the error. How many there were stands under Availability.";
    "days", "Day by day", "Days (UTC).";
    "timeline", "Over time", "Alerts raised, and time told by kind, in each step that was watched; other steps have no data.";
    "runs", "Runs", "Replays and lives of the daemon that the figures come from.";
}

/// The machine whose clock a run of a daemon watched, as its configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunClock {
    /// The run.
    pub run: i64,
    /// The machine; `None`: not said.
    pub host: Option<String>,
    /// What keeps its clock; `None`: not said.
    pub time_source: Option<String>,
}

/// What is asked of clocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clocks {
    /// The rule for them, by its days.
    pub rules: ClockRules,
    /// Whose clocks were watched.
    pub runs: Vec<RunClock>,
    /// How far the clock that stamps a source's arrivals may be off, nanoseconds, as the runs' configurations say it: the
    /// most of each source.
    pub errors: std::collections::BTreeMap<String, i64>,
}

impl Clocks {
    /// An expression over the column `run`: what was said of each run.
    fn named(&self, of: fn(&RunClock) -> Option<&str>) -> String {
        let mut by_name: std::collections::BTreeMap<&str, Vec<String>> = Default::default();
        for clock in &self.runs {
            if let Some(name) = of(clock) {
                by_name.entry(name).or_default().push(clock.run.to_string());
            }
        }
        if by_name.is_empty() {
            return "NULL".to_owned();
        }
        let whens = by_name.iter().map(|(name, runs)| {
            format!(" WHEN run IN ({}) THEN '{}'", runs.join(", "), name.replace('\'', "''"))
        });
        format!("CASE{} END", whens.collect::<String>())
    }
}

impl Clocks {
    /// A table of the rule by its days: name of the row, nanoseconds from and until, tolerance.
    fn rules(&self) -> String {
        let rows = self.rules.rows.iter().map(|rule| {
            let (name, tolerance) = (rule.row.replace('\'', "''"), rule.tolerance_ns);
            let (from, until) = (rule.from_ns, rule.until_ns);
            format!(
                "SELECT '{name}' AS rule, {from} AS from_ns, {until} AS until_ns, {tolerance} AS tolerance_ns"
            )
        });
        match self.rules.rows.is_empty() {
            true => "SELECT NULL AS rule, NULL AS from_ns, NULL AS until_ns, NULL AS tolerance_ns WHERE 0"
                .to_owned(),
            false => rows.collect::<Vec<_>>().join("\n    UNION ALL "),
        }
    }

    /// A table of what the configurations say: name of the source, nanoseconds.
    fn errors(&self) -> String {
        let rows = self.errors.iter().map(|(name, error_ns)| {
            format!("SELECT '{}' AS name, {error_ns} AS error_ns", name.replace('\'', "''"))
        });
        match self.errors.is_empty() {
            true => "(SELECT NULL AS name, NULL AS error_ns WHERE 0)".to_owned(),
            false => format!("({})", rows.collect::<Vec<_>>().join(" UNION ALL ")),
        }
    }
}

/// Feeds that number packets, not messages, as words of SQL.
fn packet_feeds() -> String {
    let of = feeds::ALL.iter().map(|feed| feed.info()).filter(|i| i.sequence_unit == SequenceUnit::Packet);
    of.map(|info| format!("'{}'", info.name)).collect::<Vec<_>>().join(", ")
}

impl Query {
    /// The SQL for a range: it stands alone.
    pub fn sql(&self, range: &Range, clocks: &Clocks) -> String {
        let (from_day, to_day) = range.touched_days();
        let mut sql = String::with_capacity(self.template.len() * 2);
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            sql.push_str(before);
            let Some((word, after)) = after.split_once('}') else { break };
            match word {
                "from" => sql.push_str(&range.from_ns.to_string()),
                "to" => sql.push_str(&range.to_ns.to_string()),
                "from_day" => sql.push_str(&from_day.to_string()),
                "to_day" => sql.push_str(&to_day.to_string()),
                "clock_rules" => sql.push_str(&clocks.rules()),
                "host" => sql.push_str(&clocks.named(|clock| clock.host.as_deref())),
                "time_source" => sql.push_str(&clocks.named(|clock| clock.time_source.as_deref())),
                "clock_errors" => sql.push_str(&clocks.errors()),
                "packet_feeds" => sql.push_str(&packet_feeds()),
                "bucket" => sql.push_str(&range.bucket_ns().to_string()),
                family if self.name == "timeline" && range.bucket_ns() < super::DAY_NS => {
                    sql.push_str(&range.intervals(family));
                }
                family => sql.push_str(&range.rows(family)),
            }
            rest = after;
        }
        sql.push_str(rest);
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::DAY_NS;

    #[test]
    fn every_query_stands_alone_and_is_sql_of_the_schema() {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        crate::store::functions::add(&db).unwrap();
        crate::store::MIGRATIONS.iter().for_each(|step| db.execute_batch(step).unwrap());
        for range in [(0, DAY_NS), (0, 40 * DAY_NS), (DAY_NS / 2, DAY_NS), (5, 3 * DAY_NS + 7)] {
            let range = Range::new(range.0, range.1).unwrap();
            for query in QUERIES {
                let clock = RunClock { run: 3, host: Some("it's".into()), time_source: None };
                let errors = [("o'sip".to_owned(), 7)].into();
                let rules =
                    ClockRules::find(&crate::rules::Book::shipped(), "cat", range).unwrap_or_default();
                let clocks = Clocks { rules, runs: vec![clock], errors };
                let sql = query.sql(&range, &clocks);
                assert!(!sql.contains(['{', '}']), "{sql}");
                assert!(
                    query.name != "clock_log" || sql.contains("WHEN run IN (3) THEN 'it''s' END"),
                    "{sql}"
                );
                db.prepare(&sql).unwrap_or_else(|e| panic!("{}: {e}\n{sql}", query.name));
            }
        }
    }
}
