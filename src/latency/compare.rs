//! A report against a baseline: which series became slower, by how much, and which
//! cannot be judged. It never averages series together and never hides one.

use super::distribution::QUANTILES;
use super::report::{Report, SeriesReport};

/// Positions in [`QUANTILES`] of the percentiles that are judged: 50, 90 and 99 %. The
/// ones above rest on too few values to be held against anybody.
pub(super) const JUDGED: [usize; 3] = [1, 2, 4];

/// A part of a hundred, exact: hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    /// `1_000` is 10 %.
    pub hundredths: u32,
}

impl std::str::FromStr for Percent {
    type Err = String;

    /// `10%`, `2.5%`, `250%`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no percentage: write it like 10% or 2.5% (at most two decimals, at most 100000%)"
            )
        };
        let number = text.strip_suffix('%').ok_or_else(wrong)?.trim_end();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 6 || fraction.len() > 2 || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        let hundredths: u32 = format!("{whole}{fraction:0<2}").parse().map_err(|_| wrong())?;
        if hundredths > 10_000_000 {
            return Err(wrong());
        }
        Ok(Self { hundredths })
    }
}

/// What counts as slower. All three must hold for a percentile to be a regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Slower than the baseline by more than this part of the baseline's figure.
    pub tolerance: Percent,
    /// Slower by at least this many nanoseconds.
    pub min_difference_ns: u64,
    /// Both series have at least this many values.
    pub min_count: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { tolerance: Percent { hundredths: 1_000 }, min_difference_ns: 100, min_count: 1_000 }
    }
}

/// One percentile that moved beyond the thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// `p99`.
    pub percentile: &'static str,
    /// In the baseline, nanoseconds.
    pub baseline_ns: i64,
    /// Now, nanoseconds.
    pub now_ns: i64,
}

/// What the comparison says of one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesVerdict {
    /// Within the thresholds.
    Ok,
    /// At least one judged percentile is slower: a regression.
    Slower(Vec<Shift>),
    /// None is slower and at least one is faster by as much.
    Faster(Vec<Shift>),
    /// One of the two has fewer values than [`Thresholds::min_count`]: not judged.
    TooFew,
    /// Not in the baseline: not judged.
    New,
    /// In the baseline only: not judged, but shown.
    Missing,
}

/// A series in both places; at least one is there.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// In the files under report.
    pub now: Option<&'a SeriesReport>,
    /// In the baseline.
    pub baseline: Option<&'a SeriesReport>,
    /// The judgement.
    pub verdict: SeriesVerdict,
}

/// All series of a report and its baseline, judged.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// In the order of the report, then what only the baseline has.
    pub rows: Vec<Row<'a>>,
    /// By what they were judged.
    pub thresholds: Thresholds,
}

impl<'a> Comparison<'a> {
    /// Judges every series of `now` against the one of the same name in `baseline`.
    #[must_use]
    pub fn new(now: &'a Report, baseline: &'a Report, thresholds: Thresholds) -> Self {
        let mut rows: Vec<Row<'a>> = now
            .series()
            .iter()
            .map(|series| {
                let before = baseline.find(&series.name);
                let verdict = before.map_or(SeriesVerdict::New, |before| judge(series, before, thresholds));
                Row { now: Some(series), baseline: before, verdict }
            })
            .collect();
        let missing = baseline.series().iter().filter(|series| now.find(&series.name).is_none());
        rows.extend(missing.map(|series| Row {
            now: None,
            baseline: Some(series),
            verdict: SeriesVerdict::Missing,
        }));
        Self { rows, thresholds }
    }

    /// Is any series slower?
    #[must_use]
    pub fn is_regression(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.verdict, SeriesVerdict::Slower(_)))
    }

    /// How many series have the same name in both.
    #[must_use]
    pub fn in_both(&self) -> usize {
        self.rows.iter().filter(|row| row.now.is_some() && row.baseline.is_some()).count()
    }

    /// How many series had enough values to be judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        let unjudged = |verdict: &SeriesVerdict| {
            matches!(verdict, SeriesVerdict::New | SeriesVerdict::Missing | SeriesVerdict::TooFew)
        };
        self.rows.iter().filter(|row| !unjudged(&row.verdict)).count()
    }
}

impl Row<'_> {
    /// The series' name, wherever it was found.
    #[must_use]
    pub fn name(&self) -> Option<&super::SeriesName> {
        self.now.or(self.baseline).map(|series| &series.name)
    }
}

fn judge(now: &SeriesReport, baseline: &SeriesReport, thresholds: Thresholds) -> SeriesVerdict {
    let fewest = now.values.count().min(baseline.values.count());
    let (Some(p_now), Some(p_then)) = (now.values.percentiles(), baseline.values.percentiles()) else {
        return SeriesVerdict::TooFew;
    };
    if fewest < thresholds.min_count {
        return SeriesVerdict::TooFew;
    }
    let shifts = JUDGED.map(|at| Shift {
        percentile: QUANTILES[at].label,
        baseline_ns: p_then.0[at],
        now_ns: p_now.0[at],
    });
    let beyond = |worse: fn(&Shift) -> i128| -> Vec<Shift> {
        shifts.iter().copied().filter(|shift| exceeds(worse(shift), shift.baseline_ns, thresholds)).collect()
    };
    let slower = beyond(Shift::difference_ns);
    let faster = beyond(|shift| -shift.difference_ns());
    match (slower.is_empty(), faster.is_empty()) {
        (false, _) => SeriesVerdict::Slower(slower),
        (true, false) => SeriesVerdict::Faster(faster),
        (true, true) => SeriesVerdict::Ok,
    }
}

/// Is a difference in the asked direction both large enough and a large enough part?
fn exceeds(difference_ns: i128, baseline_ns: i64, thresholds: Thresholds) -> bool {
    let allowed = i128::from(thresholds.tolerance.hundredths) * i128::from(baseline_ns).abs();
    difference_ns > 0
        && difference_ns >= i128::from(thresholds.min_difference_ns)
        && difference_ns * 10_000 > allowed
}

impl Shift {
    /// Now minus then, nanoseconds; positive is slower.
    #[must_use]
    pub fn difference_ns(&self) -> i128 {
        i128::from(self.now_ns) - i128::from(self.baseline_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Recorder;

    /// A report of series `(source, value of the lower 95 %, value of the rest, count)`.
    fn report(series: &[(&str, i64, i64, u64)]) -> Report {
        let mut recorder = Recorder::new(1_000_000_000);
        for &(source, low, high, count) in series {
            let id = recorder.series(source, "ts_event", "ts_recv");
            for nth in 0..count {
                recorder.record(id, 1, if nth * 100 < count * 95 { low } else { high });
            }
        }
        let (mut log, mut report) = (Vec::new(), Report::default());
        recorder.finish(&mut log).unwrap();
        report.read("t.hlog", &log[..]).unwrap();
        report
    }

    fn shift(percentile: &'static str, baseline_ns: i64, now_ns: i64) -> Shift {
        Shift { percentile, baseline_ns, now_ns }
    }

    #[test]
    fn each_series_is_judged_by_itself() {
        let then = report(&[
            ("same", 1000, 2000, 2000),
            ("tail", 1000, 2000, 2000),
            ("tiny", 10, 20, 2000),
            ("few", 1000, 2000, 999),
            ("gone", 1, 1, 1),
            ("early", -2000, -1000, 2000),
            ("better", 1000, 2000, 2000),
        ]);
        let now = report(&[
            ("same", 1050, 2099, 2000),
            ("tail", 1000, 2300, 2000),
            ("tiny", 100, 119, 2000),
            ("few", 9000, 9000, 5000),
            ("new", 1, 1, 1),
            ("early", -1000, -1000, 2000),
            ("better", 500, 2000, 2000),
        ]);
        let comparison = Comparison::new(&now, &then, Thresholds::default());
        let verdicts: Vec<(&str, SeriesVerdict)> = comparison
            .rows
            .iter()
            .map(|row| (row.name().unwrap().source.as_str(), row.verdict.clone()))
            .collect();
        assert_eq!(
            verdicts,
            [
                ("same", SeriesVerdict::Ok),
                ("tail", SeriesVerdict::Slower(vec![shift("p99", 2000, 2301)])),
                ("tiny", SeriesVerdict::Ok),
                ("few", SeriesVerdict::TooFew),
                ("new", SeriesVerdict::New),
                (
                    "early",
                    SeriesVerdict::Slower(vec![shift("p50", -2000, -1000), shift("p90", -2000, -1000)])
                ),
                ("better", SeriesVerdict::Faster(vec![shift("p50", 1000, 500), shift("p90", 1000, 500)])),
                ("gone", SeriesVerdict::Missing),
            ]
        );
        assert!(comparison.is_regression());
        assert_eq!((comparison.in_both(), comparison.judged()), (6, 5));
    }

    #[test]
    fn the_tolerance_is_a_limit_that_may_be_reached() {
        let (then, now) = (report(&[("s", 1000, 1000, 1000)]), report(&[("s", 1100, 1100, 1000)]));
        let regression = |tolerance: &str| {
            let thresholds = Thresholds { tolerance: tolerance.parse().unwrap(), ..Thresholds::default() };
            Comparison::new(&now, &then, thresholds).is_regression()
        };
        assert_eq!(["10%", "9.99%", "0%"].map(regression), [false, true, true]);
    }

    #[test]
    fn percentages() {
        assert_eq!("2.5%".parse(), Ok(Percent { hundredths: 250 }));
        assert_eq!("100000%".parse(), Ok(Percent { hundredths: 10_000_000 }));
        for wrong in ["10", "%", "-1%", "1.234%", "nan%", "999999999999%", "100001%", "1e3%"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
    }
}
