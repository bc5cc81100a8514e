//! Latency from end to end: recorder to log to report to what is printed; logs of other
//! HdrHistogram tools; files that mean harm.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use parallax::cli::latency::{Args, Verdict, run};
use parallax::latency::{QUANTILES, Recorder, Report, SATURATION_NS, SeriesName, StageClock, point};
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_700_000_000 * SECOND;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// Runs the command as the binary does; what it printed, or the one sentence.
fn parallax_latency(args: &[&str]) -> Result<(Verdict, String), String> {
    let cli =
        Cli::try_parse_from(std::iter::once(&"latency").chain(args)).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    let verdict = run(&cli.args, &mut out).map_err(|error| format!("{error:#}"))?;
    Ok((verdict, String::from_utf8(out).unwrap()))
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn read(log: &[u8]) -> Report {
    let mut report = Report::default();
    report.read("t.hlog", log).unwrap();
    report
}

fn write(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> String {
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

/// A clock that counts: each look is `step_ns` later.
struct CountingClock {
    now_ns: std::cell::Cell<u64>,
    step_ns: u64,
}

impl StageClock for CountingClock {
    fn now_ns(&self) -> u64 {
        self.now_ns.set(self.now_ns.get() + self.step_ns);
        self.now_ns.get()
    }
}

/// A session of two sources as the pipeline would record it: `scale` stretches the flight.
fn session(scale: i64, seconds: u64) -> Vec<u8> {
    let mut recorder = Recorder::new(SECOND);
    let ids: Vec<_> = [("direct", 40_000), ("sip", 900_000)]
        .map(|(source, flight)| {
            let flight_id = recorder.series(source, point::TS_EVENT, point::TS_RECV);
            let decode_id = recorder.series(source, point::TS_RECV, point::DECODED);
            (flight_id, decode_id, flight)
        })
        .into();
    let lead = recorder.series("", "direct", "sip");
    let clock = CountingClock { now_ns: 0.into(), step_ns: 350 };
    let (mut log, mut noise) = (Vec::new(), 1u64);
    for nth in 0..seconds * 500 {
        let now = START + nth * SECOND / 500;
        for (flight_id, decode_id, flight) in &ids {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let jitter = ((noise >> 40) % 1000) as i64;
            let tail = if jitter > 990 { 20 } else { 1 };
            recorder.record(*flight_id, now, (flight + jitter * flight / 2000) * tail * scale / 100);
            let before = clock.now_ns();
            recorder.record(*decode_id, now, (clock.now_ns() - before) as i64 + jitter / 20);
        }
        recorder.record(lead, now, (noise >> 33) as i64 % 20_000 - 14_000);
        recorder.flush_until(now, &mut log).unwrap();
    }
    recorder.finish(&mut log).unwrap();
    log
}

#[test]
fn a_log_reads_as_other_tools_expect_it() {
    let mut recorder = Recorder::new(SECOND);
    let flight = recorder.series("direct", point::TS_EVENT, point::TS_RECV);
    let same = recorder.series("direct", point::TS_EVENT, point::TS_RECV);
    let lead = recorder.series("", "A", "B");
    assert_eq!(flight, same);
    assert_ne!(flight, lead);
    recorder.record(flight, START + SECOND / 2, 1_500);
    recorder.record(lead, START + SECOND / 2, -7);
    recorder.record(flight, START + 3 * SECOND, -2);
    recorder.record(flight, START + 2 * SECOND, 40_000_000); // late: counts in the open interval
    recorder.record(flight, START + 3 * SECOND, i64::MIN);
    recorder.record(flight, START + 3 * SECOND, i64::MAX);
    let mut log = Vec::new();
    recorder.finish(&mut log).unwrap();
    let log = String::from_utf8(log).unwrap();
    let lines: Vec<&str> = log.lines().map(|line| line.split(",HISTFAAA").next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "#[Histogram log format version 1.3]",
            "#[Logged by parallax]",
            "# Values are nanoseconds, Interval_Max is milliseconds.",
            "# Tag=source:from->to; a tag ending in (negative) holds the magnitudes of negative values.",
            "#[StartTime: 1700000000.000 (seconds since epoch), 2023-11-14T22:13:20Z]",
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
            "Tag=direct:ts_event->ts_recv,1700000000.000,1.000,0.001500",
            "Tag=A->B(negative),1700000000.000,1.000,0.000007",
            "#[Saturated: 1 direct:ts_event->ts_recv]",
            "Tag=direct:ts_event->ts_recv,1700000003.000,1.000,86449101.733887",
            "#[Saturated: 1 direct:ts_event->ts_recv(negative)]",
            "Tag=direct:ts_event->ts_recv(negative),1700000003.000,1.000,86449101.733887",
        ]
    );
    let report = read(log.as_bytes());
    let series = report.find(&SeriesName::new("direct", "ts_event", "ts_recv")).unwrap();
    assert_eq!((series.values.count(), series.values.negative(), series.saturated), (5, 2, 2));
}

#[test]
fn a_recorder_without_values_writes_a_log_that_can_be_read() {
    let mut recorder = Recorder::new(SECOND);
    recorder.series("direct", "a", "b");
    let mut log = Vec::new();
    recorder.flush_until(START, &mut log).unwrap();
    recorder.finish(&mut log).unwrap();
    assert_eq!(read(&log).series(), []);
    assert!(!String::from_utf8(log).unwrap().contains("StartTime:"));
}

#[test]
fn the_log_is_the_same_whenever_it_is_taken() {
    let record = |flush_every: usize| {
        let mut recorder = Recorder::new(SECOND / 10);
        let id = recorder.series("s", "a", "b");
        let mut log = Vec::new();
        for nth in 0..5_000u64 {
            let now = START + nth * 3_333_333;
            if (nth as usize).is_multiple_of(flush_every) {
                recorder.flush_until(now, &mut log).unwrap();
            }
            recorder.record(id, now, (nth as i64 * 7919) % 100_000 - 300);
        }
        recorder.finish(&mut log).unwrap();
        log
    };
    let log = record(1);
    assert_eq!(log, record(17));
    assert_eq!(log, record(usize::MAX));
    assert_eq!(read(&log).series()[0].timeline.points().len(), 167);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What the recorder says of its totals is what a reader of its log finds, whatever
    /// was recorded and however far time jumps; with a log or without.
    #[test]
    fn summary_and_log_agree(
        records in prop::collection::vec((0usize..3, any::<u64>(), 0u32..64, any::<i64>(), 0u32..64), 0..60),
        interval in 1u64..10 * SECOND,
    ) {
        let mut recorder = Recorder::new(interval);
        let mut totals_only = Recorder::without_log();
        let names = [("a b", "x", "y"), ("", "x", "y"), ("c,d", "->", ":")];
        let ids = names.map(|(source, from, to)| recorder.series(source, from, to));
        let other = names.map(|(source, from, to)| totals_only.series(source, from, to));
        for (which, now, now_shift, value, value_shift) in &records {
            recorder.record(ids[*which], now >> now_shift, value >> value_shift);
            totals_only.record(other[*which], now >> now_shift, value >> value_shift);
        }
        let mut log = Vec::new();
        // Beyond the year 2554 a log cannot say the time; the totals hold all the same.
        let sayable = records.iter().all(|(_, now, shift, ..)| now >> shift < 18_000_000_000 * SECOND);
        let open = recorder.summary();
        recorder.finish(&mut log).unwrap();
        prop_assert_eq!(&open, &recorder.summary());
        prop_assert_eq!(&open, &totals_only.summary());
        for (which, summary) in open.iter().enumerate() {
            let mine: Vec<i64> = records.iter().filter(|r| r.0 == which).map(|r| r.3 >> r.4).collect();
            prop_assert_eq!(summary.count as usize, mine.len());
            prop_assert_eq!(summary.negative as usize, mine.iter().filter(|value| **value < 0).count());
            prop_assert_eq!(summary.saturated as usize, mine.iter().filter(|value| value.unsigned_abs() > SATURATION_NS).count());
            if let (Some(max), Some(want)) = (summary.max, mine.iter().max()) {
                let want = (*want as f64).clamp(-(SATURATION_NS as f64), SATURATION_NS as f64);
                prop_assert!((max as f64 - want).abs() <= want.abs() / 1000.0, "{max} {want}");
            }
        }
        if sayable {
            let report = read(&log);
            for summary in open.iter().filter(|summary| summary.count > 0) {
                let series = report.find(&summary.name).unwrap();
                prop_assert_eq!(series.values.percentiles(), summary.percentiles);
                prop_assert_eq!((series.values.min(), series.values.max()), (summary.min, summary.max));
                prop_assert_eq!((series.values.count(), series.values.negative(), series.saturated), (summary.count, summary.negative, summary.saturated));
            }
        }
    }

    /// A log with bytes changed is read or refused with its line; never a panic.
    #[test]
    fn a_damaged_log_is_read_or_refused(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let mut log = session(100, 1);
        let at = at.index(log.len());
        log[at] = byte;
        for log in [&log[..], &log[..cut.index(log.len())]] {
            if let Err(error) = Report::default().read("t.hlog", log) {
                let error = error.to_string();
                prop_assert!(error.starts_with("t.hlog:"), "{}", error);
            }
        }
    }
}

/// `tests/data/python.hlog`: written by HdrHistogram_py (see `make_python.py`), with
/// comments, a base time and no tags; expected figures by the same tool.
#[test]
fn a_log_of_the_python_tool_gives_its_percentiles() {
    let mut report = Report::default();
    report.read("python.hlog", &fs::read(data("python.hlog")).unwrap()[..]).unwrap();
    let series = report.find(&SeriesName::new("", "", "")).unwrap();
    let expected = fs::read_to_string(data("python.expected.csv")).unwrap();
    let mut ours = format!("{}\n", series.values.count());
    for (quantile, value) in QUANTILES.iter().zip(series.values.percentiles().unwrap().0) {
        ours += &format!("{},{value}\n", &quantile.label[1..]);
    }
    ours += &format!("max,{}\n", series.values.max().unwrap());
    assert_eq!(ours, expected);
    let starts: Vec<u64> = series.timeline.points().map(|(start, _)| start - START).collect();
    assert_eq!(starts, [0, 1, 2, 3, 4].map(|second| second * SECOND + SECOND / 2));
}

/// `tests/data/js.hlog`: written by hdr-histogram-js (see `make_js.js`), with tags. Its
/// maximum is the exact value, ours the upper end of its bucket; tag B mixes two and
/// three digits, which the tool merges at the buckets' middle.
#[test]
fn a_log_of_the_javascript_tool_gives_its_percentiles() {
    let mut report = Report::default();
    report.read("js.hlog", &fs::read(data("js.hlog")).unwrap()[..]).unwrap();
    for line in fs::read_to_string(data("js.expected.csv")).unwrap().lines() {
        let [tag, column, want] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let want: i64 = want.parse().unwrap();
        let values = &report.find(&SeriesName::new(tag, "", "")).unwrap().values;
        let quantile = QUANTILES.iter().position(|quantile| quantile.label[1..] == *column);
        let (ours, allowed) = match (column, quantile) {
            ("count", _) => (values.count() as i64, 0),
            ("max", _) => (values.max().unwrap(), want / if tag == "A" { 1_000 } else { 100 }),
            (_, at) => {
                (values.percentiles().unwrap().0[at.unwrap()], if tag == "A" { 0 } else { want / 100 })
            }
        };
        assert!((ours - want).abs() <= allowed, "{line}: {ours}");
    }
}

#[test]
fn the_table_says_between_which_points_and_keeps_negatives() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(SECOND);
    let flight = recorder.series("direct", point::TS_EVENT, point::TS_RECV);
    let lead = recorder.series("", "direct", "sip");
    for nth in 1..=1000i64 {
        recorder.record(flight, START, if nth <= 3 { -nth * 1_000 } else { nth * 1_000 });
    }
    recorder.record(lead, START, -2_500_000);
    recorder.record(lead, START, i64::MAX);
    let mut log = Vec::new();
    recorder.finish(&mut log).unwrap();
    let file = write(&dir, "a.hlog", &log);
    let (verdict, text) = parallax_latency(&[&file]).unwrap();
    assert_eq!(verdict, Verdict::Done);
    assert_eq!(
        text,
        "\
source  from -> to           count      p10      p50     p90     p95     p99   p99.9  p99.99       max  negative
direct  ts_event -> ts_recv   1000    100us    500us   900us   950us   990us   999us  1.00ms    1.00ms         3
-       direct -> sip            2  -2.50ms  -2.50ms  86400s  86400s  86400s  86400s  86400s  >=86400s         1
- direct -> sip: 1 beyond 86400s, counted at that limit (a clock is wrong)
"
    );
    let (_, csv) = parallax_latency(&[&file, "--format", "csv"]).unwrap();
    let csv: Vec<&str> = csv.lines().collect();
    assert_eq!(
        csv[..2],
        [
            "source,from,to,unit,count,p10,median,p90,p95,p99,p99.9,p99.99,max,min,negative,saturated",
            "direct,ts_event,ts_recv,ns,1000,100031,500223,900095,950271,990207,999423,1000447,1000447,-3000,3,0",
        ]
    );
    // Two files are merged by tag.
    let (_, json) = parallax_latency(&[&file, &file, "--format", "json"]).unwrap();
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows[0]["count"], 2000);
    assert_eq!(
        (&rows[0]["from"], &rows[0]["p99.9"], &rows[0]["negative"]),
        (&"ts_event".into(), &999_423.into(), &6.into())
    );
    assert_eq!(rows.len(), 2);
}

#[test]
fn a_regression_has_its_own_exit_and_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let then = write(&dir, "then.hlog", &session(100, 4));
    let now = write(&dir, "now.hlog", &session(130, 4));
    assert_eq!(parallax_latency(&[&then, "--baseline", &then]).unwrap().0, Verdict::Done);
    let (verdict, text) = parallax_latency(&[&now, "--baseline", &then]).unwrap();
    assert_eq!(verdict, Verdict::Regression);
    let verdicts: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("against")).skip(2).collect();
    let words: Vec<&str> = verdicts.iter().map(|line| line.rsplit("  ").next().unwrap()).collect();
    assert_eq!(
        words,
        [
            "slower p50 +29.9 %, p90 +30.0 %, p99 +30.0 %",
            "ok",
            "slower p50 +29.9 %, p90 +30.0 %, p99 +29.9 %",
            "ok",
            "ok",
            "2 of 5 judged series slower: p50, p90 or p99 up by more than 10.00 % and at least 100ns, with at least 1000 values on both sides",
        ]
    );
    let (verdict, _) = parallax_latency(&[&now, "--baseline", &then, "--tolerance", "31%"]).unwrap();
    assert_eq!(verdict, Verdict::Done);
    let (verdict, _) = parallax_latency(&[&now, "--baseline", &then, "--min-difference", "10s"]).unwrap();
    assert_eq!(verdict, Verdict::Done);
    let (verdict, json) =
        parallax_latency(&[&now, "--baseline", &then, "--min-count", "9999", "--format", "json"]).unwrap();
    assert_eq!((verdict, json.matches("\"verdict\":\"too_few\"").count()), (Verdict::Done, 5));
    let (_, csv) = parallax_latency(&[&then, "--baseline", &now, "--format", "csv"]).unwrap();
    assert!(csv.lines().nth(1).unwrap().contains("faster p50 -23.0 %"), "{csv}");
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let good = write(&dir, "good.hlog", &session(100, 1));
    let foreign = data("python.hlog").display().to_string();
    let cases: [(&[u8], &str); 6] = [
        (b"", ": the file is empty, expected an HdrHistogram interval log"),
        (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", ":1: not text; expected an HdrHistogram interval log"),
        (
            b"# fine\nhello world\n",
            ":2: expected `[Tag=NAME,]START,LENGTH,MAX,HISTOGRAM` (an HdrHistogram interval line) or a # comment",
        ),
        (
            b"0.0,NaN,1.0,HISTFAAA\n",
            ":1: the length is `NaN`, expected seconds as a decimal number from 0 to 18000000000",
        ),
        (b"0.0,1.0,1.0,HIST!\n", ":1: the histogram is not base64"),
        (
            b"0.0,1.0,1.0,AAAAAAAA\n",
            ":1: the histogram starts with 0x00000000, a V2 histogram with 0x1c849303 or (deflated) 0x1c849304",
        ),
    ];
    for (bytes, want) in cases {
        let file = write(&dir, "bad.hlog", bytes);
        assert_eq!(parallax_latency(&[&file]), Err(format!("{file}{want}")));
        assert_eq!(parallax_latency(&[&good, "--baseline", &file]), Err(format!("{file}{want}")));
    }
    assert_eq!(
        parallax_latency(&[&good, "--baseline", &foreign]),
        Err(format!(
            "{foreign}: no series of this baseline is in the logs to compare; record both with the same source names"
        ))
    );
    let missing = dir.path().join("none.hlog").display().to_string();
    assert!(parallax_latency(&[&missing]).unwrap_err().starts_with(&format!("{missing}: cannot open")));
    assert!(
        parallax_latency(&[&good, "--html", &format!("{missing}/x")])
            .unwrap_err()
            .contains("cannot write the page")
    );
    assert!(
        parallax_latency(&[&good, "--baseline", &good, "--tolerance", "10"])
            .unwrap_err()
            .contains("write it like 10%")
    );
    assert!(parallax_latency(&[&good, "--tolerance", "10%"]).unwrap_err().contains("--baseline"));
}

/// Every element is closed in its order; void elements aside.
fn assert_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let name = tag.trim_end_matches('/').split(' ').next().unwrap();
        match name.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed), "{tag}"),
            None if tag.ends_with('/') || ["!doctype", "meta"].contains(&name) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, [""; 0]);
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let dir = tempfile::tempdir().unwrap();
    let then = write(&dir, "then.hlog", &session(100, 20));
    let mut hostile = Recorder::new(SECOND);
    let id = hostile.series("<script>alert('x')</script>", "\"a&", "b");
    hostile.record(id, START, -5);
    hostile.record(id, START, i64::MAX);
    let mut log = Vec::new();
    hostile.finish(&mut log).unwrap();
    let (now, odd) = (write(&dir, "now.hlog", &session(120, 20)), write(&dir, "odd.hlog", &log));
    // Left there to be looked at, and to be read by other tools.
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("latency.html");
    fs::copy(&now, out.with_extension("hlog")).unwrap();
    parallax_latency(&[&now, &odd, "--baseline", &then, "--html", &out.display().to_string()]).unwrap();
    let page = fs::read_to_string(&out).unwrap();
    assert_balanced(&page);
    for absent in ["<script", "http", "src=", "@import", "url(", "NaN", "inf "] {
        assert!(!page.contains(absent), "{absent}");
    }
    // Four pairs of end points and the comparison; one time line per series.
    assert_eq!(page.matches("<h2>").count(), 5);
    assert_eq!(page.matches("over time,").count(), 6);
    assert!(page.contains(
        "<b>ts_event</b>: the venue's own time of the event, read from the message &rarr; <b>ts_recv</b>"
    ));
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert!(page.contains("<b>Slower</b> than the baseline"));
    assert!(page.contains("1 beyond 86400s, counted at that limit"));
}
