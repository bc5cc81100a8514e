//! Whether the daemon does its work: its receivers and its comparator are there and go forward.
//!
//! A feed that is silent or a log that cannot be written is no illness of the daemon: these are alerts and metrics.
//! Whoever restarts on a bad answer would make them worse.

use serde::Serialize;

use crate::run::status::Status;

/// A thread whose time is older than this is taken for stuck, nanoseconds. Both go forward without any data.
pub const AGE_MAX: u64 = 5_000_000_000;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `ok`, `starting` or `failing`.
    pub status: &'static str,
    /// Name of the daemon.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Whole seconds since it started.
    pub uptime_s: u64,
    /// Why it is failing: sentences.
    pub reasons: Vec<String>,
    /// What else is wrong, which makes nobody restart it.
    pub troubles: Vec<String>,
}

impl Health {
    /// Not failing.
    pub fn well(&self) -> bool {
        self.reasons.is_empty()
    }

    /// One line of JSON.
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The health of a snapshot, at the time of the snapshot.
pub fn health(status: &Status) -> Health {
    let uptime = status.now_ns.saturating_sub(status.started_ns);
    let young = uptime <= AGE_MAX;
    let mut reasons = Vec::new();
    let mut judge = |who: String, time: u64| {
        let age = status.now_ns.saturating_sub(time);
        match time {
            0 if young => {}
            0 => reasons.push(format!("{who} has not begun {} s after the start", uptime / 1_000_000_000)),
            _ if age > AGE_MAX => reasons.push(format!("{who} is {} ms behind", age / 1_000_000)),
            _ => {}
        }
    };
    for (n, receiver) in status.receivers.iter().enumerate() {
        judge(format!("receiver {n} ({})", receiver.sources.join(", ")), receiver.watermark_ns);
    }
    judge("the comparator".to_owned(), status.comparator.now_ns);
    if status.receivers.is_empty() && !young {
        reasons.push("there is no receiver".to_owned());
    }
    let began = status.comparator.now_ns != 0 && status.receivers.iter().all(|r| r.watermark_ns != 0);
    Health {
        status: match (reasons.is_empty(), began && !status.receivers.is_empty()) {
            (false, _) => "failing",
            (true, true) => "ok",
            (true, false) => "starting",
        },
        name: status.name.clone(),
        version: status.version.clone(),
        uptime_s: uptime / 1_000_000_000,
        reasons,
        troubles: status.troubles.clone(),
    }
}
