//! The captures a command reads, and how it is told about them: the same words for every command.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::guard;
use crate::source::{CaptureCounts, Captures, Format, HardwareTimestamps, Options};

/// Captures to read.
#[derive(Debug, Clone, clap::Args)]
pub struct CaptureArgs {
    /// pcap, pcapng or BinaryFILE, plain or compressed (gzip, zstd, lz4, xz), told by content; `-` is standard input
    #[arg(required = true, value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,

    /// Only datagrams at or after this time (RFC 3339, e.g. 2026-03-02T14:30:00Z)
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Only datagrams before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,

    /// The day of a BinaryFILE, whose times count from midnight in New York (e.g. 2019-12-30); without it the day in its
    /// name, where that is one of Nasdaq's (12302019.NASDAQ_ITCH50.gz, S123019-v50.txt.gz) or says ITCH and a day (20191230)
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,

    /// Take receive times from a hardware trailer or FCS field behind every frame
    #[arg(long, value_name = "KIND", value_enum, default_value = "none")]
    pub hardware_timestamps: HardwareTimestamps,
}

impl CaptureArgs {
    /// The options that these arguments mean; reading in file order, decompressing ahead.
    ///
    /// # Errors
    /// A time or date that is none, with the option's name.
    pub fn options(&self) -> Result<Options> {
        let (from_ns, to_ns) = (time("--from", self.from.as_deref())?, time("--to", self.to.as_deref())?);
        if from_ns.zip(to_ns).is_some_and(|(from, to)| from >= to) {
            let shown = |time: &Option<String>| time.clone().unwrap_or_default();
            bail!("--from {} is not before --to {}", shown(&self.from), shown(&self.to));
        }
        let binaryfile_midnight_ns = match (&self.date, self.named_day()) {
            (Some(text), _) => midnight(text)?,
            (None, Some(day)) => midnight(&day.to_string())?,
            (None, None) => 0,
        };
        let hardware_timestamps = self.hardware_timestamps;
        Ok(Options {
            from_ns,
            to_ns,
            binaryfile_midnight_ns,
            hardware_timestamps,
            read_ahead: true,
            ..Options::default()
        })
    }

    /// The day that the captures' names give, where they give one and the same.
    fn named_day(&self) -> Option<Date> {
        let mut days = self.captures.iter().filter_map(|path| day_in(path.file_name()?.to_str()?));
        let first = days.next()?;
        days.all(|day| day == first).then_some(first)
    }

    /// Says on standard error of which day the times of BinaryFILEs are, where nobody said it.
    pub fn tell_day(&self, counts: &[CaptureCounts]) {
        if self.date.is_none() {
            let day = self.named_day();
            let undated = counts.iter().filter(|c| c.format == Format::BinaryFile);
            undated.for_each(|c| eprintln!("{}: {}", c.name, of_day(day)));
        }
    }

    /// One capture named twice would be a line and its copy.
    ///
    /// # Errors
    /// The first that is.
    pub fn refuse_twice(&self) -> Result<()> {
        for (at, path) in self.captures.iter().enumerate() {
            let same = |earlier: &PathBuf| earlier == path || guard::is_same(earlier, path);
            if self.captures[..at].iter().any(same) {
                bail!("{} is named twice; name every capture once", path.display());
            }
        }
        Ok(())
    }

    /// Opens the captures.
    ///
    /// # Errors
    /// The first capture that cannot be opened or recognised, by name.
    pub fn open(&self) -> Result<Captures> {
        Ok(Captures::open(&self.captures, &self.options()?)?)
    }
}

/// Of which day the times of a BinaryFILE are.
fn of_day(day: Option<Date>) -> String {
    match day {
        Some(day) => format!(
            "its times count from midnight in New York of {day}, the day in its name; --date gives another"
        ),
        None => "its times count from midnight of a day that it does not say, and are shown on 1970-01-01; give its day with \
                 --date, such as --date 2019-12-30"
            .to_owned(),
    }
}

/// The day in the name of a BinaryFILE as Nasdaq publishes them: `12302019.NASDAQ_ITCH50.gz`, `20191230.BX_ITCH_50.gz`,
/// `S123019-v50.txt.gz`; eight digits of a day somewhere in a name that says ITCH.
fn day_in(name: &str) -> Option<Date> {
    let date = |year: &str, month: &str, day: &str| {
        let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        Date::new(year, month, day).ok().filter(|_| year >= 1970)
    };
    if !name.is_ascii() {
        return None;
    }
    if let Some(rest) = name.strip_prefix(['S', 's']) {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 6 && rest[6..].to_ascii_lowercase().starts_with("-v50") {
            return date(&format!("20{}", &rest[4..6]), &rest[..2], &rest[2..4]);
        }
    }
    if !name.to_ascii_uppercase().contains("ITCH") {
        return None;
    }
    let mut eights = name.split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() == 8);
    eights.find_map(|d| {
        let american = date(&d[4..8], &d[..2], &d[2..4]);
        american.or_else(|| date(&d[..4], &d[4..6], &d[6..8]))
    })
}

fn time(option: &str, text: Option<&str>) -> Result<Option<u64>> {
    let Some(text) = text else { return Ok(None) };
    let wanted =
        || format!("{option} {text} is no RFC 3339 time between 1970 and 2554, such as 2026-03-02T14:30:00Z");
    let time: jiff::Timestamp = text.parse().with_context(wanted)?;
    Ok(Some(u64::try_from(time.as_nanosecond()).with_context(wanted)?))
}

fn midnight(text: &str) -> Result<u64> {
    let wanted = || format!("--date {text} is no date from 1970 on, such as 2019-12-30");
    let date: Date = text.parse().with_context(wanted)?;
    let zone =
        TimeZone::get("America/New_York").context("the time zone America/New_York is not known here")?;
    let midnight = date.to_zoned(zone).with_context(wanted)?;
    u64::try_from(midnight.timestamp().as_nanosecond()).with_context(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(from: Option<&str>, to: Option<&str>, date: Option<&str>) -> CaptureArgs {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        CaptureArgs {
            captures: vec![],
            from: owned(from),
            to: owned(to),
            date: owned(date),
            hardware_timestamps: HardwareTimestamps::default(),
        }
    }

    #[test]
    fn times_and_dates_are_read() {
        let options =
            args(Some("1970-01-01T00:00:01Z"), Some("1970-01-01T01:00:02+01:00"), Some("2019-12-30"))
                .options()
                .unwrap();
        assert_eq!((options.from_ns, options.to_ns), (Some(1_000_000_000), Some(2_000_000_000)));
        // Midnight in New York is 05:00 UTC in winter.
        assert_eq!(options.binaryfile_midnight_ns, 1_577_682_000_000_000_000);
    }

    #[test]
    fn the_day_of_a_binaryfile_is_in_its_name_or_said() {
        let of = |names: &[&str], date: Option<&str>| {
            let captures = names.iter().map(PathBuf::from).collect();
            CaptureArgs { captures, ..args(None, None, date) }.options().unwrap().binaryfile_midnight_ns
        };
        let day = 1_577_682_000_000_000_000;
        assert_eq!(of(&["in/12302019.NASDAQ_ITCH50.gz"], None), day);
        assert_eq!(of(&["20191230.BX_ITCH_50.gz", "S123019-v50.txt.gz", "other.pcap"], None), day);
        assert_eq!(of(&["nasdaq_itch50_20191230_open.binaryfile"], None), day);
        assert_eq!(of(&["01302019.NASDAQ_ITCH50"], Some("2019-12-30")), day);
        for none in [
            &["day.bin"][..],
            &["13322019.NASDAQ_ITCH50"],
            &["12302019.pcap"],
            &["S123019"],
            &["s12"],
            &["12302019.NASDAQ_ITCH50", "12312019.NASDAQ_ITCH50"],
        ] {
            assert_eq!(of(none, None), 0, "{none:?}");
        }
        assert!(of_day(None).contains("1970-01-01") && of_day(None).contains("--date 2019-12-30"));
        assert!(of_day(day_in("12302019.NASDAQ_ITCH50")).contains("of 2019-12-30, the day in its name"));
    }

    #[test]
    fn what_is_no_time_is_named() {
        let wrong = |args: CaptureArgs| args.options().unwrap_err().to_string();
        assert!(
            wrong(args(Some("yesterday"), None, None)).starts_with("--from yesterday is no RFC 3339 time")
        );
        assert!(wrong(args(None, Some("1969-01-01T00:00:00Z"), None)).starts_with("--to 1969"));
        assert!(wrong(args(None, None, Some("x"))).starts_with("--date x is no date"));
        let same = "2026-01-01T00:00:00Z";
        assert!(wrong(args(Some(same), Some(same), None)).contains("is not before"));
    }
}
