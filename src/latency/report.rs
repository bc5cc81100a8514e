//! The cold side: interval logs (ours, or another HdrHistogram tool's) read into one
//! distribution and one time line per series. Memory is bounded whatever the files
//! hold; a file that breaks a bound is refused with its line.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use super::distribution::Distribution;
use super::line::{self, Line, ReadError, Reason};
use super::payload::{self, Bucket};
use super::series::SeriesName;
use super::timeline::TimeLine;

const LINE_MAX: u64 = 16 << 20;
/// Most series in one report.
const SERIES_MAX: usize = 1024;
/// Most different values over all series: about 100 MB.
const BUCKETS_MAX: usize = 2_000_000;
/// HdrHistogram's rule: a start more than a year before `StartTime` counts from it.
const YEAR_NS: u64 = 365 * 86_400 * 1_000_000_000;

/// All that is known of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesReport {
    /// What was measured, between which points.
    pub name: SeriesName,
    /// All values, nanoseconds.
    pub values: Distribution,
    /// How many of them stand at the recorder's limit because they were beyond it.
    pub saturated: u64,
    /// How it went.
    pub timeline: TimeLine,
}

/// What some logs hold together, merged by tag, in order of first appearance.
#[derive(Debug, Clone, Default)]
pub struct Report {
    series: Vec<SeriesReport>,
    by_name: HashMap<SeriesName, usize>,
    files: Vec<String>,
    notes: Vec<String>,
    buckets: usize,
}

/// The interval that is being put together from its positive and its negative line.
struct OpenPoint {
    series: usize,
    start_ns: u64,
    length_ns: u64,
    values: Distribution,
}

/// What one file has said so far.
#[derive(Default)]
struct FileState {
    start_time_ns: Option<u64>,
    base_time_ns: Option<u64>,
    point: Option<OpenPoint>,
    buckets: Vec<Bucket>,
}

impl Report {
    /// Adds one log. `file` is the name for errors and for the report's head. A last line
    /// that was cut while being written (no line end, not readable) is left out with a note.
    ///
    /// # Errors
    /// [`ReadError`]; the report is then incomplete and should not be shown.
    pub fn read<R: BufRead>(&mut self, file: &str, mut input: R) -> Result<(), ReadError> {
        let mut state = FileState::default();
        let mut text = Vec::new();
        for line in 1u64.. {
            text.clear();
            let io = |error| ReadError::Io { file: file.into(), error };
            let len = (&mut input).take(LINE_MAX).read_until(b'\n', &mut text).map_err(io)?;
            if len == 0 && line == 1 {
                return Err(ReadError::Empty { file: file.into() });
            }
            if len == 0 {
                break;
            }
            let complete = text.last() == Some(&b'\n');
            let read = if len as u64 == LINE_MAX && !complete {
                Err(Reason::TooLong)
            } else {
                self.take(&text, &mut state)
            };
            match read {
                Ok(()) => {}
                Err(Reason::NotAnInterval | Reason::Payload(_) | Reason::Number(..))
                    if !complete && line > 1 =>
                {
                    self.notes.push(format!(
                        "{file}:{line}: the last line was cut while being written and is left out"
                    ));
                }
                Err(reason) => return Err(ReadError::Line { file: file.into(), line, reason }),
            }
        }
        self.close_point(&mut state);
        self.files.push(file.to_string());
        Ok(())
    }

    /// The series, in order of first appearance.
    #[must_use]
    pub fn series(&self) -> &[SeriesReport] {
        &self.series
    }

    /// The series of that name.
    #[must_use]
    pub fn find(&self, name: &SeriesName) -> Option<&SeriesReport> {
        self.by_name.get(name).map(|&index| &self.series[index])
    }

    /// The files that were read, as named by the caller.
    #[must_use]
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// What a reader of the report must know beside the figures.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn take(&mut self, text: &[u8], state: &mut FileState) -> Result<(), Reason> {
        match line::read(text)? {
            Line::Nothing => {}
            Line::StartTime(ns) => state.start_time_ns = Some(ns),
            Line::BaseTime(ns) => state.base_time_ns = Some(ns),
            Line::Saturated { tag, count } => {
                let index = self.index_of(SeriesName::parse(tag).0)?;
                let saturated = &mut self.series[index].saturated;
                *saturated = saturated.checked_add(count).ok_or(Reason::Overflow)?;
            }
            Line::Interval { tag, start_ns, length_ns, histogram } => {
                payload::read(histogram, &mut state.buckets).map_err(Reason::Payload)?;
                let start_ns = state.absolute(start_ns);
                let (name, negative) = SeriesName::parse(tag);
                let index = self.index_of(name)?;
                self.open_point(state, index, start_ns, length_ns);
                self.add(state, index, negative)?;
            }
        }
        Ok(())
    }

    /// Adds the decoded buckets to the series and to the open point.
    fn add(&mut self, state: &mut FileState, index: usize, negative: bool) -> Result<(), Reason> {
        let series = &mut self.series[index];
        let before = series.values.bucket_count();
        for bucket in &state.buckets {
            let value = if negative { -bucket.low } else { bucket.high };
            series.values.add(value, bucket.count).map_err(|_| Reason::Overflow)?;
            if let Some(point) = &mut state.point {
                point.values.add(value, bucket.count).map_err(|_| Reason::Overflow)?;
            }
            if self.buckets + series.values.bucket_count() - before > BUCKETS_MAX {
                return Err(Reason::TooManyBuckets(BUCKETS_MAX));
            }
        }
        self.buckets += series.values.bucket_count() - before;
        Ok(())
    }

    /// The two lines of one interval stand next to each other in our logs, so a point is
    /// complete when another series or another start comes.
    fn open_point(&mut self, state: &mut FileState, series: usize, start_ns: u64, length_ns: u64) {
        let same =
            state.point.as_ref().is_some_and(|open| open.series == series && open.start_ns == start_ns);
        if !same {
            self.close_point(state);
            state.point = Some(OpenPoint { series, start_ns, length_ns, values: Distribution::default() });
        }
    }

    fn close_point(&mut self, state: &mut FileState) {
        if let Some(point) = state.point.take() {
            self.series[point.series].timeline.add(point.start_ns, point.length_ns, &point.values);
        }
    }

    fn index_of(&mut self, name: SeriesName) -> Result<usize, Reason> {
        if let Some(&index) = self.by_name.get(&name) {
            return Ok(index);
        }
        if self.series.len() == SERIES_MAX {
            return Err(Reason::TooManySeries(SERIES_MAX));
        }
        self.by_name.insert(name.clone(), self.series.len());
        let (values, timeline) = (Distribution::default(), TimeLine::default());
        self.series.push(SeriesReport { name, values, saturated: 0, timeline });
        Ok(self.series.len() - 1)
    }
}

impl FileState {
    /// The start of an interval since the epoch, as far as the log tells.
    fn absolute(&mut self, start_ns: u64) -> u64 {
        let base_ns = *self.base_time_ns.get_or_insert_with(|| match self.start_time_ns {
            Some(start_time_ns) if start_ns < start_time_ns.saturating_sub(YEAR_NS) => start_time_ns,
            _ => 0,
        });
        base_ns.saturating_add(start_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Recorder;

    /// A log of one value in each of the seconds 10 and 11 after `base_ns`.
    fn log(base_ns: u64) -> String {
        let mut recorder = Recorder::new(1_000_000_000);
        let id = recorder.series("direct", "ts_event", "ts_recv");
        recorder.record(id, base_ns + 10_000_000_000, 500);
        recorder.record(id, base_ns + 11_000_000_000, -700);
        let mut bytes = Vec::new();
        recorder.finish(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn starts(text: &str) -> Vec<u64> {
        let mut report = Report::default();
        report.read("t.hlog", text.as_bytes()).unwrap();
        report.series()[0].timeline.points().map(|(start, _)| start / 1_000_000_000).collect()
    }

    #[test]
    fn starts_are_told_apart_as_other_readers_do() {
        let epoch = 1_700_000_000_000_000_000;
        assert_eq!(starts(&log(epoch)), [1_700_000_010, 1_700_000_011]);
        let relative = log(0).replace("#[StartTime: 10.000", "#[StartTime: 1700000000.000");
        assert_eq!(starts(&relative), [1_700_000_010, 1_700_000_011]);
        assert_eq!(starts(&format!("#[BaseTime: 5.0 (x)]\n{relative}")), [15, 16]);
        assert_eq!(
            starts(&log(0).lines().filter(|l| l.starts_with("Tag")).fold(String::new(), |a, l| a + l + "\n")),
            [10, 11]
        );
    }

    #[test]
    fn a_last_line_cut_in_writing_is_left_out_with_a_note_and_any_other_is_refused() {
        let whole = log(0);
        let cut = &whole[..whole.len() - 10];
        let mut report = Report::default();
        report.read("t.hlog", cut.as_bytes()).unwrap();
        assert_eq!(report.notes(), ["t.hlog:8: the last line was cut while being written and is left out"]);
        assert_eq!(report.series()[0].values.count(), 1);
        let error = Report::default().read("t.hlog", format!("{cut}\n").as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("t.hlog:8: the histogram "), "{error}");
    }

    #[test]
    fn too_many_tags_are_refused_with_the_line() {
        let line = log(0).lines().nth(6).unwrap().split_once(',').unwrap().1.to_string();
        let text: String = (0..1100).map(|nth| format!("Tag=t{nth},{line}\n")).collect();
        let error = Report::default().read("t.hlog", text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "t.hlog:1025: more than 1024 different tags, too many for one report");
    }
}
