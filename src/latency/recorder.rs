//! The hot side: values into histograms, finished intervals into an interval log.
//!
//! Recording takes one array increment and allocates nothing once a series exists;
//! when an interval is over, its lines are encoded into a buffer that
//! [`Recorder::flush_until`] hands to a writer. The recorder opens no file and reads no
//! clock: the log is a function of what was recorded.

use std::io::{self, Write};

use base64::Engine as _;

use super::counts::Counts;
use super::distribution::{Distribution, Percentiles};
use super::line::{SATURATED, seconds};
use super::period::Period;
use super::series::{NEGATIVE_SUFFIX, SeriesName};

/// Magnitudes beyond this (one day) are recorded at it and counted as saturated: a
/// latency of days is a wrong clock, and the range costs memory.
pub const SATURATION_NS: u64 = 86_400_000_000_000;

/// Encoded lines that nobody has taken yet; beyond it, interval lines are dropped and
/// counted in the log (totals stay whole). One interval of fifty series is about 150 kB.
const PENDING_MAX: usize = 64 << 20;

/// A series of one [`Recorder`]; means nothing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeriesId(u32);

/// The totals of one series. Values are nanoseconds at the histogram's resolution (the
/// upper end of a bucket), so a report read back from the log says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesSummary {
    /// What was measured, between which points.
    pub name: SeriesName,
    /// All values, negative and saturated ones included.
    pub count: u64,
    /// Those below zero.
    pub negative: u64,
    /// Those recorded at plus or minus [`SATURATION_NS`] because they were beyond it.
    pub saturated: u64,
    /// Smallest, nanoseconds; `None` without values.
    pub min: Option<i64>,
    /// Largest, nanoseconds; `None` without values.
    pub max: Option<i64>,
    /// Percentiles of the signed values; `None` without values.
    pub percentiles: Option<Percentiles>,
}

/// One side of zero of one series.
struct Side {
    open: Counts,
    total: Counts,
    open_saturated: u64,
    total_saturated: u64,
}

struct Series {
    name: SeriesName,
    /// Values at or above zero, and the magnitudes of those below.
    sides: [Side; 2],
    tags: [String; 2],
    /// What was closed since it was last taken, where somebody takes it.
    period: Option<Period>,
}

/// Records the durations of one thread or pipeline; see the module's text.
pub struct Recorder {
    series: Vec<Series>,
    interval_ns: u64,
    /// First and last nanosecond of the open interval.
    open_first_ns: u64,
    /// The two numbers that its lines begin with.
    open_stamp: String,
    open_last_ns: u64,
    started: bool,
    header_written: bool,
    keeps_log: bool,
    keeps_periods: bool,
    pending: Vec<u8>,
    dropped_intervals: u64,
    /// Room for a histogram on its way into a line: plain, packed, as text.
    plain: Vec<u8>,
    packed: Vec<u8>,
    text: String,
}

impl Side {
    fn new() -> Self {
        Self { open: Counts::new(), total: Counts::new(), open_saturated: 0, total_saturated: 0 }
    }

    /// Moves the open interval's values into the totals.
    fn close(&mut self) {
        self.total.take(&mut self.open);
        self.total_saturated += self.open_saturated;
        self.open_saturated = 0;
    }
}

impl Recorder {
    /// A recorder whose log has one line per series and interval of `interval_ns`
    /// (zero is taken as 1) of the time given to [`Self::record`], aligned to the epoch.
    #[must_use]
    pub fn new(interval_ns: u64) -> Self {
        Self {
            series: Vec::new(),
            interval_ns: interval_ns.max(1),
            open_first_ns: 0,
            open_stamp: String::new(),
            open_last_ns: 0,
            started: false,
            header_written: false,
            keeps_log: true,
            keeps_periods: false,
            pending: Vec::new(),
            dropped_intervals: 0,
            plain: Vec::new(),
            packed: Vec::new(),
            text: String::new(),
        }
    }

    /// A recorder that keeps totals only: for a summary when no log is asked for.
    #[must_use]
    pub fn without_log() -> Self {
        Self { keeps_log: false, ..Self::new(u64::MAX) }
    }

    /// The series `source`, from one point to another ([`super::point`]); the same names
    /// give the same series again. Allocates (1.8 MB for a new one, of which the system gives what is used), so call it at
    /// start-up and keep the id.
    pub fn series(&mut self, source: &str, from: &str, to: &str) -> SeriesId {
        let name = SeriesName::new(source, from, to);
        let known = self.series.iter().position(|series| series.name == name);
        let index = known.unwrap_or_else(|| {
            let tag = name.tag();
            let tags = [tag.clone(), tag + NEGATIVE_SUFFIX];
            let period = self.keeps_periods.then(Period::default);
            self.series.push(Series { name, sides: [Side::new(), Side::new()], tags, period });
            self.series.len() - 1
        });
        SeriesId(index as u32)
    }

    /// Records one duration. `now_ns` (event time, nanoseconds since the epoch) decides the
    /// interval; a time before the open interval counts in the open one.
    ///
    /// # Panics
    /// If `series` is not from this recorder.
    #[inline]
    pub fn record(&mut self, series: SeriesId, now_ns: u64, value_ns: i64) {
        if now_ns > self.open_last_ns || !self.started {
            self.open_interval_at(now_ns);
        }
        let side = &mut self.series[series.0 as usize].sides[usize::from(value_ns < 0)];
        let magnitude = value_ns.unsigned_abs();
        if magnitude > SATURATION_NS {
            side.open_saturated += 1;
        }
        side.open.record(magnitude);
    }

    /// Hands every interval that is over at `now_ns` to the writer, header first. Call it
    /// as time passes (once an interval is enough) and memory stays constant.
    ///
    /// # Errors
    /// Those of the writer; what was handed over is then lost.
    pub fn flush_until<W: Write + ?Sized>(&mut self, now_ns: u64, writer: &mut W) -> io::Result<()> {
        if self.started && now_ns > self.open_last_ns {
            self.open_interval_at(now_ns);
        }
        self.hand_over(writer)
    }

    /// Closes the open interval and hands everything to the writer. A log without any
    /// value is its header.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close_interval();
        if self.keeps_log && !self.header_written {
            self.push_header(None);
        }
        if self.dropped_intervals > 0 {
            let dropped = self.dropped_intervals;
            self.dropped_intervals = 0;
            self.pending.extend_from_slice(
                format!("#{dropped} interval lines were dropped: nobody took them\n").as_bytes(),
            );
        }
        self.hand_over(writer)?;
        writer.flush()
    }

    /// From now on what is recorded is kept for [`Self::take_periods`] too.
    pub fn keep_periods(&mut self) {
        self.keeps_periods = true;
        self.series.iter_mut().for_each(|series| series.period = Some(Period::default()));
    }

    /// Hands over what was recorded since the last call, series by series, those that have values. The log is what it
    /// would be otherwise when this is called at ends of its intervals.
    pub fn take_periods(&mut self, mut each: impl FnMut(&SeriesName, Period)) {
        self.close_interval();
        for series in &mut self.series {
            if let Some(period) = &mut series.period
                && !period.is_empty()
            {
                each(&series.name, std::mem::take(period));
            }
        }
    }

    /// Totals of every series so far, in order of their creation.
    #[must_use]
    pub fn summary(&self) -> Vec<SeriesSummary> {
        self.series.iter().map(Series::summary).collect()
    }

    fn hand_over<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        let written = writer.write_all(&self.pending);
        self.pending.clear();
        written
    }

    /// Kept out of line: it happens once per interval, [`Self::record`] per message.
    #[cold]
    fn open_interval_at(&mut self, now_ns: u64) {
        self.close_interval();
        self.open_first_ns = now_ns - now_ns % self.interval_ns;
        self.open_last_ns = self.open_first_ns.saturating_add(self.interval_ns - 1);
        if self.keeps_log {
            let [first, length] = [self.open_first_ns, self.interval_ns].map(seconds);
            self.open_stamp = format!("{first},{length}");
        }
        if self.keeps_log && !self.header_written {
            self.push_header(Some(self.open_first_ns));
        }
        self.started = true;
    }

    fn close_interval(&mut self) {
        for index in 0..self.series.len() {
            let Series { sides, period, .. } = &mut self.series[index];
            if let Some(period) = period
                && sides.iter().any(|side| !side.open.is_empty())
            {
                let saturated = sides.iter().map(|side| side.open_saturated).sum();
                period.add_counts([&sides[0].open, &sides[1].open], saturated);
            }
            for side in 0..2 {
                if self.series[index].sides[side].open.is_empty() {
                    continue;
                }
                if self.keeps_log {
                    self.push_line(index, side);
                }
                self.series[index].sides[side].close();
            }
        }
    }

    /// The head of the log. The times in the lines are seconds since the epoch, so there is
    /// no `BaseTime`; readers tell this from the start time.
    fn push_header(&mut self, start_ns: Option<u64>) {
        self.header_written = true;
        let mut text = String::from("#[Histogram log format version 1.3]\n#[Logged by parallax]\n");
        text.push_str("# Values are nanoseconds, Interval_Max is milliseconds.\n");
        text.push_str(
            "# Tag=source:from->to; a tag ending in (negative) holds the magnitudes of negative values.\n",
        );
        if let Some(start_ns) = start_ns {
            let date = i128::from(start_ns);
            let date = jiff::Timestamp::from_nanosecond(date).map(|t| t.to_string()).unwrap_or_default();
            text.push_str(&format!("#[StartTime: {} (seconds since epoch), {date}]\n", seconds(start_ns)));
        }
        text.push_str(
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        );
        self.pending.extend_from_slice(text.as_bytes());
    }

    /// Encodes one side of one series of the open interval.
    fn push_line(&mut self, index: usize, side: usize) {
        let series = &mut self.series[index];
        let (tag, side) = (&series.tags[side], &mut series.sides[side]);
        self.packed.clear();
        let encoded = side.open.encode(&mut self.plain, &mut self.packed).is_ok();
        if !encoded || self.pending.len() > PENDING_MAX {
            self.dropped_intervals += 1;
            return;
        }
        self.text.clear();
        base64::engine::general_purpose::STANDARD.encode_string(&self.packed, &mut self.text);
        let pending = &mut self.pending;
        // Writing into memory cannot fail.
        if side.open_saturated > 0 {
            let _ = writeln!(pending, "{SATURATED}{} {tag}]", side.open_saturated);
        }
        let stamp = &self.open_stamp;
        let (millis, nanos) = (side.open.max() / 1_000_000, side.open.max() % 1_000_000);
        let _ = writeln!(pending, "Tag={tag},{stamp},{millis}.{nanos:06},{}", self.text);
    }
}

impl Series {
    fn summary(&self) -> SeriesSummary {
        let mut values = Distribution::default();
        let mut saturated = 0;
        for (negative, side) in [false, true].into_iter().zip(&self.sides) {
            saturated += side.total_saturated + side.open_saturated;
            for (low, high, count) in side.total.buckets().chain(side.open.buckets()) {
                let value = if negative { -(low as i64) } else { high as i64 };
                // A recorder that lives for centuries could overflow; it then stops counting up.
                let _ = values.add(value, count);
            }
        }
        SeriesSummary {
            name: self.name.clone(),
            count: values.count(),
            negative: values.negative(),
            saturated,
            min: values.min(),
            max: values.max(),
            percentiles: values.percentiles(),
        }
    }
}
