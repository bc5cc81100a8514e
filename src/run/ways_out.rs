//! How the ways out go, said on standard error: once when one fails, once when it is well again, and at the end what
//! never went out.
//!
//! It reads no clock: time is an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::status::OutletStatus;

/// One that fails and recovers all the time is not said more often.
const EVERY: Duration = Duration::from_secs(60);

/// What was said of each.
#[derive(Debug, Default)]
pub struct WaysOut {
    said: BTreeMap<String, Said>,
}

#[derive(Debug)]
struct Said {
    fails: bool,
    at: Instant,
}

impl WaysOut {
    /// What is to be said now of `name`, whose latest error is `error`; empty while it works.
    pub fn look(&mut self, now: Instant, name: &str, error: &str) -> Option<String> {
        let fails = !error.is_empty();
        let before = self.said.get(name);
        let changed = before.map_or(fails, |said| said.fails != fails && now >= said.at + EVERY);
        if !changed {
            return None;
        }
        self.said.insert(name.to_owned(), Said { fails, at: now });
        Some(match fails {
            true => format!(
                "{name}: {error}; it is tried again, and what comes meanwhile is kept as far as there is room"
            ),
            false => format!("{name}: it works again"),
        })
    }
}

/// What is said at the end of what never went out; `None` where everything did.
pub fn last_words(outlet: &OutletStatus) -> Option<String> {
    let lost = outlet.dropped + outlet.queued;
    let what = if outlet.name == "log" { "lines of the alert log" } else { "notices" };
    let why = if outlet.error.is_empty() { String::new() } else { format!(": {}", outlet.error) };
    (lost > 0).then(|| format!("{}: {lost} {what} were never written{why}", outlet.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::clock;

    #[test]
    fn a_failure_is_said_once_and_its_end_once() {
        let (mut ways, start) = (WaysOut::default(), clock::monotonic_now());
        let mut at =
            |seconds: u64, error: &str| ways.look(start + Duration::from_secs(seconds), "log", error);
        assert_eq!(at(0, ""), None);
        assert!(
            at(1, "x: disk full")
                .is_some_and(|said| said.starts_with("log: x: disk full; it is tried again"))
        );
        assert_eq!(at(2, "x: disk full"), None);
        assert_eq!(at(3, ""), None, "not every second");
        assert_eq!(at(70, ""), Some("log: it works again".to_owned()));
        assert_eq!(at(71, "x: disk full"), None);
        assert!(at(131, "x: disk full").is_some());
    }

    #[test]
    fn what_never_went_out_is_said_with_its_reason() {
        let mut log = OutletStatus { name: "log".to_owned(), delivered: 7, ..OutletStatus::default() };
        assert_eq!(last_words(&log), None);
        (log.dropped, log.queued, log.error) = (3, 1, "a: No space left".to_owned());
        let said = "log: 4 lines of the alert log were never written: a: No space left";
        assert_eq!(last_words(&log).as_deref(), Some(said));
        (log.name, log.error) = ("webhook".to_owned(), String::new());
        assert_eq!(last_words(&log).as_deref(), Some("webhook: 4 notices were never written"));
    }
}
