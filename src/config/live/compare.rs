//! What a running daemon can take over from a changed configuration, and what needs a restart, with the reason.
//!
//! A pure function of the two configurations. Applied is only what touches no packet and no judgement: a recording
//! must go on to give the alerts of the live run when it is replayed with *one* configuration, so checks are not
//! exchanged under a running comparator. When anything is refused, nothing should be applied: a daemon that runs half of
//! each file is described by neither.

use super::{Live, Recorder};
use crate::config::{Config, Source};

/// Something that is applied while the daemon runs. Each says which part of [`Live`] to take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// `alerts.log`: close the old file, go on in the new one.
    AlertLog,
    /// `alerts.log_size` and `alerts.log_files`.
    AlertLogLimits,
    /// `alerts.syslog`.
    Syslog,
    /// `alerts.webhook`.
    Webhook,
    /// `alerts.notify_from`.
    NotifyFrom,
    /// `alerts.chronic`: holds for what is raised from now on.
    Chronic,
    /// `metrics.listen`: bind the new address before the old one is left.
    Metrics,
    /// `recorder.keep_size` and `recorder.keep_time`.
    RecorderKeep,
    /// `run.rejoin_after`.
    RejoinAfter,
}

impl Change {
    /// The keys, for people.
    pub const fn keys(self) -> &'static str {
        match self {
            Change::AlertLog => "alerts.log",
            Change::AlertLogLimits => "alerts.log_size, alerts.log_files",
            Change::Syslog => "alerts.syslog",
            Change::Webhook => "alerts.webhook",
            Change::NotifyFrom => "alerts.notify_from",
            Change::Chronic => "alerts.chronic",
            Change::Metrics => "metrics.listen",
            Change::RecorderKeep => "recorder.keep_size, recorder.keep_time",
            Change::RejoinAfter => "run.rejoin_after",
        }
    }
}

/// What differs between two configurations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// What can be applied, in a fixed order.
    pub apply: Vec<Change>,
    /// What cannot, each with its reason, as sentences.
    pub refuse: Vec<String>,
}

impl Changes {
    /// Whether the two mean the same.
    pub fn is_empty(&self) -> bool {
        self.apply.is_empty() && self.refuse.is_empty()
    }
}

/// Why sources are fixed.
const SOCKETS: &str = "sockets, books and recordings are laid out at the start";
/// Why judgement is fixed.
const JUDGEMENT: &str =
    "a recording is replayed with one configuration, and would no longer give these alerts";
/// Why threads are fixed.
const THREADS: &str =
    "threads, priorities and buffers are set at the start, with rights that are then dropped";
/// Why places are fixed.
const PLACES: &str = "readers and clients are attached to what was opened at the start";
/// Why recorders are fixed.
const FILES: &str = "the receivers number files and frames as they were started";

/// Why stores are fixed.
const RUNS: &str = "a run is written to one store from its beginning to its end";

/// Compares what runs with what the file now says.
pub fn compare(old: &Config, new: &Config) -> Changes {
    let mut refuse = Vec::new();
    sources(&old.sources, &new.sources, &mut refuse);
    let judged = [
        ("composites are", old.composites != new.composites),
        ("the instrument map is", old.map != new.map),
        ("checks are", old.checks != new.checks),
        ("[rules] is", old.rules != new.rules),
    ];
    tell(&judged, JUDGEMENT, &mut refuse);
    let (was, is): (&Live, &Live) = (&old.live, &new.live);
    let threads = [
        ("run.mode is", was.run.mode != is.run.mode),
        ("run.comparator_core is", was.run.comparator_core != is.run.comparator_core),
        ("run.realtime is", was.run.realtime != is.run.realtime),
        ("run.lock_memory is", was.run.lock_memory != is.run.lock_memory),
        ("run.receive_buffer is", was.run.receive_buffer != is.run.receive_buffer),
        ("run.ring is", was.run.ring != is.run.ring),
    ];
    tell(&threads, THREADS, &mut refuse);
    let places = [
        ("run.name is", was.run.name != is.run.name),
        ("run.directory is", was.run.directory != is.run.directory),
        ("[shared_memory] is", was.shared_memory != is.shared_memory),
    ];
    tell(&places, PLACES, &mut refuse);
    let layout = |r: &Recorder| (r.directory.clone(), r.file_size, r.file_time_ns);
    let files = [("[recorder] is", was.recorder.as_ref().map(layout) != is.recorder.as_ref().map(layout))];
    tell(&files, FILES, &mut refuse);
    tell(&[("[store] is", was.store != is.store)], RUNS, &mut refuse);
    Changes { apply: applicable(was, is), refuse }
}

/// One sentence for each that differs.
fn tell(parts: &[(&str, bool)], why: &str, refuse: &mut Vec<String>) {
    let changed = parts.iter().filter(|(_, differs)| *differs);
    refuse.extend(changed.map(|(what, _)| format!("{what} changed, which needs a restart: {why}")));
}

/// Names what differs in the sources, as closely as a person would.
fn sources(old: &[Source], new: &[Source], refuse: &mut Vec<String>) {
    let mut say = |what: String| refuse.push(format!("{what}, which needs a restart: {SOCKETS}"));
    for was in old {
        match new.iter().find(|is| is.name == was.name) {
            None => say(format!("source `{}` is gone", was.name)),
            Some(is) if is == was => {}
            Some(is) if is.core != was.core => say(format!("the core of source `{}` is changed", was.name)),
            Some(is) if is.channels != was.channels => {
                say(format!("a channel or line of source `{}` is changed", was.name));
            }
            Some(_) => say(format!("source `{}` is changed", was.name)),
        }
    }
    for is in new.iter().filter(|is| old.iter().all(|was| was.name != is.name)) {
        say(format!("source `{}` is new", is.name));
    }
    let names = |sources: &[Source]| sources.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    let (was, is) = (names(old), names(new));
    if was.len() == is.len() && was != is && is.iter().all(|name| was.contains(name)) {
        say("the order of the sources is changed".to_owned());
    }
}

fn applicable(was: &Live, is: &Live) -> Vec<Change> {
    let (a, b) = (&was.alerts, &is.alerts);
    let keep = |r: &Recorder| (r.keep_size, r.keep_time_ns);
    let kept = was.recorder.as_ref().map(keep).zip(is.recorder.as_ref().map(keep));
    let differs = [
        (Change::AlertLog, a.log != b.log),
        (Change::AlertLogLimits, (a.log_size, a.log_files) != (b.log_size, b.log_files)),
        (Change::Syslog, a.syslog != b.syslog),
        (Change::Webhook, a.webhook != b.webhook),
        (Change::NotifyFrom, a.notify_from != b.notify_from),
        (Change::Chronic, a.chronic != b.chronic),
        (Change::Metrics, was.metrics != is.metrics),
        (Change::RecorderKeep, kept.is_some_and(|(was, is)| was != is)),
        (Change::RejoinAfter, was.run.rejoin_after_ns != is.run.rejoin_after_ns),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(change, _)| change).collect()
}
